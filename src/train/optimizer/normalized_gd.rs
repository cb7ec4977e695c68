//! Normalised gradient descent (Nacson et al., 1803.01905): w ← w·(1 − ηλ) − η·g/‖g‖, the norm over all parameters of a replica.
//!
//! On separable data the gradient dies like the loss and plain descent crawls (log t); steps of one length do not. They have to
//! go on where ‖g‖² is below the smallest number of 32 bits, so the norm is taken of g/max|g|. Decay is beside the gradient:
//! inside the norm its share would grow as the gradient dies.

use super::{Decay, OptimizerKind};
#[cfg(feature = "compute")]
use super::{Optimizer, PerReplica, Update};
use crate::experiment::fields::Kind;
#[cfg(feature = "compute")]
use burn::tensor::Tensor;

/// The registration.
pub(super) const KIND: OptimizerKind = OptimizerKind {
    kind: Kind {
        name: "normalized_gd",
        label: "Normalised gradient descent",
        help: "Steps of one length: w ← w·(1 − ηλ) − η·g/‖g‖, the norm over all weights (Nacson et al., 1803.01905)",
        fields: &[],
    },
    decay: Decay::Decoupled,
    #[cfg(feature = "compute")]
    build: |_, _, _| Box::new(NormalizedGd),
};

#[cfg(feature = "compute")]
#[derive(Debug)]
struct NormalizedGd;

#[cfg(feature = "compute")]
impl Optimizer for NormalizedGd {
    fn step(&mut self, update: &Update<'_>, _parameters: &[Tensor<3>], gradients: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        let size = PerReplica::new(update.rates, update.device);
        let Some(largest) = gradients.iter().map(largest_entry).reduce(Tensor::max_pair) else { return gradients };
        let scaled: Vec<Tensor<3>> = gradients.into_iter().map(|g| g / largest.clone()).collect();
        let square = scaled.iter().map(|g| (g.clone() * g.clone()).sum_dim(1).sum_dim(2)).reduce(|a, b| a + b);
        let Some(square) = square else { return scaled };
        // One entry of a scaled gradient is ±1, so only a gradient of zeros has a norm below 1, and it stays zero.
        let norm = square.sqrt().clamp_min(1.0);
        scaled.into_iter().map(|g| size.scale(g / norm.clone())).collect()
    }
}

/// max|x| of each replica, `[replica, 1, 1]`, at least the smallest ordinary number so that one may divide by it.
#[cfg(feature = "compute")]
pub(super) fn largest_entry(x: &Tensor<3>) -> Tensor<3> {
    x.clone().abs().max_dim(1).max_dim(2).clamp_min(2.0 * f32::MIN_POSITIVE)
}
