//! Top-k without a sort: the threshold that leaves B·k scores standing, by bisection on the device.
//!
//! burn's sort and top-k panic on WebGPU (tracel-ai/burn#5110), and reading the scores back each step would stall the queue.
//! Halving the interval 24 times separates scores that differ by 6e-8 of the largest, which is the precision of an f32.

use burn::tensor::Tensor;

const HALVINGS: usize = 24;

/// θ `[1, 1, 1]` such that at most `rows·per_row` of the non-negative `scores` `[1, rows, m]` exceed it, and as many as ties
/// allow.
pub(super) fn keeping(scores: Tensor<3>, per_row: f64) -> Tensor<3> {
    let [_, rows, latents] = scores.dims();
    let wanted = rows as f64 * per_row;
    let flat = scores.reshape([1, 1, rows * latents]);
    let mut high = flat.clone().max_dim(2);
    let mut low = high.zeros_like();
    for _ in 0..HALVINGS {
        let middle = (low.clone() + high.clone()).mul_scalar(0.5);
        let above = flat.clone().greater(middle.clone()).float().sum_dim(2);
        let too_many = above.greater_scalar(wanted);
        low = low.mask_where(too_many.clone(), middle.clone());
        high = middle.mask_where(too_many, high);
    }
    high
}
