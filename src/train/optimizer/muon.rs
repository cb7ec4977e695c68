//! Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): momentum whose singular values are all made about 1.
//!
//! Matrices: m ← μm + (1−μ)g; n = μm + (1−μ)g; w ← w·(1 − ηλ) − η·√max(1, outputs/inputs)·NS(n), where NS is five rounds of a
//! quintic Newton–Schulz iteration that needs products only (a singular value decomposition does not exist on a GPU here). Our
//! matrices have inputs as rows, so the published √max(1, rows/columns) of PyTorch's layout reads columns/rows.
//!
//! Biases and other vectors have no singular values worth the name; Adam (β .9, .95, ε 1e-10, as published) moves them by a
//! stated share of η. The published 1e-7 in the norm is left out: late gradients are smaller than that, and then Muon would stop.

#[cfg(feature = "compute")]
use super::adam_w::AdamW;
use super::rows::SHARE;
use super::{Decay, OptimizerKind};
#[cfg(feature = "compute")]
use super::{Optimizer, PerReplica, Update, normalized_gd::largest_entry};
use crate::experiment::field::{Field, above};
use crate::experiment::fields::Kind;
#[cfg(feature = "compute")]
use burn::tensor::Tensor;

/// The registration.
pub(super) const KIND: OptimizerKind = OptimizerKind {
    kind: Kind {
        name: "muon",
        label: "Muon",
        help: "Momentum with all singular values made about 1, for matrices; Adam for vectors (Jordan et al. 2024)",
        fields: &[
            Field::new("optimizer.momentum", "Momentum", "Decay μ per update of the averaged gradient of a matrix", SHARE)
                .starts("0.95")
                .live(),
            Field::new(
                "optimizer.vector_rate",
                "Rate of vectors",
                "Learning rate of biases and other vectors, which Adam moves, as a share of η",
                above(0.0, 100.0),
            )
            .starts("0.1")
            .live(),
        ],
    },
    decay: Decay::Decoupled,
    #[cfg(feature = "compute")]
    build: |experiment, parameters, device| {
        let settings = &experiment.optimizer.settings;
        Box::new(Muon {
            momentum: settings.number("momentum"),
            vector_rate: settings.number("vector_rate"),
            adam: AdamW::new(VECTOR_BETAS, VECTOR_EPSILON, parameters, device),
        })
    },
};

/// Adam's settings for vectors.
#[cfg(feature = "compute")]
const VECTOR_BETAS: [f64; 2] = [0.9, 0.95];
#[cfg(feature = "compute")]
const VECTOR_EPSILON: f64 = 1e-10;

/// Rounds of the iteration, and its polynomial aσ + bσ³ + cσ⁵: steep at 0, so that small singular values rise fast, at the
/// price that they end anywhere in about 0.7…1.2 instead of at 1.
#[cfg(feature = "compute")]
const ROUNDS: usize = 5;
#[cfg(feature = "compute")]
const QUINTIC: [f64; 3] = [3.4445, -4.7750, 2.0315];

/// The rule. A matrix keeps its averaged gradient where a vector keeps Adam's first moment; its second moment stays zero, so
/// that a resume point has one tensor per parameter in each list.
#[cfg(feature = "compute")]
#[derive(Debug)]
struct Muon {
    momentum: f64,
    vector_rate: f64,
    adam: AdamW,
}

#[cfg(feature = "compute")]
impl Optimizer for Muon {
    fn step(&mut self, update: &Update<'_>, _parameters: &[Tensor<3>], gradients: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        let size = PerReplica::new(update.rates, update.device);
        let of_vectors: Vec<f64> = self.adam.sizes(update).into_iter().map(|size| size * self.vector_rate).collect();
        let of_vectors = PerReplica::new(&of_vectors, update.device);
        let mut steps = Vec::with_capacity(gradients.len());
        for (index, gradient) in gradients.into_iter().enumerate() {
            let [_, rows, columns] = gradient.dims();
            if rows.min(columns) < 2 {
                steps.push(of_vectors.scale(self.adam.direction(update.t, index, gradient)));
                continue;
            }
            let toward =
                |average: Tensor<3>| average.mul_scalar(self.momentum) + gradient.clone().mul_scalar(1.0 - self.momentum);
            let average = toward(self.adam.averages()[index].clone());
            let ahead = toward(average.clone());
            self.adam.averages()[index] = average;
            let shape = libm::sqrt((columns as f64 / rows as f64).max(1.0));
            steps.push(size.scale(orthogonalized(ahead).mul_scalar(shape)));
        }
        steps
    }

    fn state(&self) -> Vec<(&'static str, &[Tensor<3>])> {
        self.adam.state()
    }

    fn restore(&mut self, name: &str, tensors: Vec<Tensor<3>>) {
        self.adam.restore(name, tensors);
    }
}

/// The matrices with all singular values moved to about 1, `[replica, rows, columns]`; zeros stay zeros.
#[cfg(feature = "compute")]
pub(super) fn orthogonalized(matrices: Tensor<3>) -> Tensor<3> {
    let [_, rows, columns] = matrices.dims();
    // The smaller of the two Gram matrices.
    let wide = if rows > columns { matrices.swap_dims(1, 2) } else { matrices };
    let scaled = wide.clone() / largest_entry(&wide);
    let norm = (scaled.clone() * scaled.clone()).sum_dim(1).sum_dim(2).sqrt().clamp_min(1.0);
    let mut x = scaled / norm;
    let [a, b, c] = QUINTIC;
    for _ in 0..ROUNDS {
        let gram = x.clone().matmul(x.clone().swap_dims(1, 2));
        let odd = gram.clone().mul_scalar(b) + gram.clone().matmul(gram).mul_scalar(c);
        x = x.clone().mul_scalar(a) + odd.matmul(x);
    }
    if rows > columns { x.swap_dims(1, 2) } else { x }
}
