//! Top-k without a sort: the threshold that leaves the wanted number of scores standing, by bisection on the device.
//!
//! burn's sort and top-k panic on WebGPU (tracel-ai/burn#5110), and reading the scores back each step would stall the queue.
//! Halving the interval 24 times separates scores that differ by 6e-8 of the largest, which is the precision of an f32.

use burn::tensor::Tensor;

const HALVINGS: usize = 24;

/// θ `[1, 1, 1]` such that at most `rows·per_row` of the non-negative `scores` `[1, rows, m]` exceed it, and as many as ties
/// allow.
pub(super) fn keeping(scores: Tensor<3>, per_row: f64) -> Tensor<3> {
    let [_, rows, latents] = scores.dims();
    keeping_in_each(scores.reshape([1, 1, rows * latents]), rows as f64 * per_row)
}

/// θ `[1, rows, 1]` such that at most `wanted` of each row of the non-negative `scores` `[1, rows, m]` exceed it, and as many as
/// ties allow.
pub(super) fn keeping_in_each(scores: Tensor<3>, wanted: f64) -> Tensor<3> {
    let mut high = scores.clone().max_dim(2);
    let mut low = high.zeros_like();
    for _ in 0..HALVINGS {
        let middle = (low.clone() + high.clone()).mul_scalar(0.5);
        let above = scores.clone().greater(middle.clone()).float().sum_dim(2);
        let too_many = above.greater_scalar(wanted);
        low = low.mask_where(too_many.clone(), middle.clone());
        high = middle.mask_where(too_many, high);
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};
    use burn::tensor::{Device, TensorData};

    #[test]
    fn the_threshold_of_a_row_is_its_order_statistic() {
        let (rows, latents) = (5, 40);
        let values: Vec<f32> =
            Stream::new(3, Purpose::Planted, 0).normals(rows * latents, 1.0).into_iter().map(f32::abs).collect();
        let scores = Tensor::<3>::from_data(TensorData::new(values.clone(), [1, rows, latents]), &Device::flex());
        let found = keeping_in_each(scores.clone(), 7.0).into_data().try_into_vec::<f32>().unwrap();
        for (row, theta) in values.chunks(latents).zip(found) {
            assert_eq!(row.iter().filter(|score| **score > theta).count(), 7);
        }
        let theta = keeping(scores, 7.0).into_data().try_into_vec::<f32>().unwrap()[0];
        assert_eq!(values.iter().filter(|score| **score > theta).count(), 35);
    }
}
