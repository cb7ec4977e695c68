//! How an update moved the weights: what only training itself can see, since a checkpoint knows neither gradient nor update.

use burn::tensor::Tensor;

/// Sums of products over all parameters, for one update.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Motion {
    /// ‖g‖², g the gradient of the loss of the update's batch, before any filter.
    pub gradient_square: f32,
    /// ‖Δw‖², Δw all that the update did, decay included.
    pub update_square: f32,
    /// ‖w‖², w the weights before it.
    pub weight_square: f32,
    /// Δw · w.
    pub product: f32,
}

impl Motion {
    /// From the values of one replica in the order of [`sums`].
    pub(super) fn of(sums: &[f32]) -> Self {
        let at = |index: usize| sums.get(index).copied().unwrap_or(f32::NAN);
        Self { gradient_square: at(0), update_square: at(1), weight_square: at(2), product: at(3) }
    }
}

/// `[replica, 1, 4]`: the fields of [`Motion`]. All parameters in one row each, because a sum per tensor would be more
/// dispatches than the update itself.
pub(super) fn sums(gradients: &[Tensor<3>], before: &[Tensor<3>], after: &[Tensor<3>]) -> Tensor<3> {
    let flat = |tensors: &[Tensor<3>]| {
        let rows = tensors.iter().map(|tensor| {
            let [replicas, rows, columns] = tensor.dims();
            tensor.clone().reshape([replicas, 1, rows * columns])
        });
        Tensor::cat(rows.collect(), 2)
    };
    let [gradient, before, after] = [gradients, before, after].map(flat);
    let moved = after - before.clone();
    let pairs = [(gradient.clone(), gradient), (moved.clone(), moved.clone()), (before.clone(), before.clone()), (moved, before)];
    Tensor::cat(pairs.map(|(a, b)| (a * b).sum_dim(2)).to_vec(), 2)
}
