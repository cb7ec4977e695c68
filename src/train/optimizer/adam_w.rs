//! AdamW over the replica axis (Loshchilov & Hutter 2019, 1711.05101, in PyTorch's form):
//! w ← w·(1 − ηλ); m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; w ← w − η/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε).
//!
//! The order of these operations is part of the format: another order of the same formula rounds otherwise, and an archived run
//! would not replay to the bit.

use super::rows::{BETAS, EPSILON};
use super::{Decay, OptimizerKind};
#[cfg(feature = "compute")]
use super::{Optimizer, PerReplica, Update, zeros_like};
#[cfg(feature = "compute")]
use crate::experiment::Experiment;
use crate::experiment::fields::Kind;
#[cfg(feature = "compute")]
use burn::tensor::{Device, Tensor};

/// The registration.
pub(super) const KIND: OptimizerKind = OptimizerKind {
    kind: Kind {
        name: "adam_w",
        label: "AdamW",
        help: "Adam with decay beside the gradient: w ← w·(1 − ηλ) − η·m̂/(√v̂ + ε) (Loshchilov & Hutter, 1711.05101)",
        fields: &[BETAS, EPSILON],
    },
    decay: Decay::Decoupled,
    #[cfg(feature = "compute")]
    build: |experiment, parameters, device| Box::new(AdamW::of(experiment, parameters, device)),
};

/// The rule and its moments.
#[cfg(feature = "compute")]
#[derive(Debug, Clone)]
pub struct AdamW {
    betas: [f64; 2],
    epsilon: f64,
    /// First moments, one per parameter, `[replica, rows, columns]`.
    first: Vec<Tensor<3>>,
    /// Second moments.
    second: Vec<Tensor<3>>,
}

#[cfg(feature = "compute")]
impl AdamW {
    /// Moments start at zero, shaped like `parameters`. `betas` are their decays per update, `epsilon` is ε.
    pub fn new(betas: [f64; 2], epsilon: f64, parameters: &[Tensor<3>], device: &Device) -> Self {
        Self { betas, epsilon, first: zeros_like(parameters, device), second: zeros_like(parameters, device) }
    }

    /// With the settings of `experiment`.
    pub(super) fn of(experiment: &Experiment, parameters: &[Tensor<3>], device: &Device) -> Self {
        let settings = &experiment.optimizer.settings;
        let betas = settings.numbers("betas");
        let beta = |index: usize| betas.get(index).copied().unwrap_or(0.0);
        Self::new([beta(0), beta(1)], settings.number("epsilon"), parameters, device)
    }
}

#[cfg(feature = "compute")]
impl AdamW {
    /// First moments, one per parameter.
    pub(super) fn averages(&mut self) -> &mut [Tensor<3>] {
        &mut self.first
    }

    /// Takes parameter `index`'s gradient of update `t` into its moments and answers m / (√v/√(1−β₂ᵗ) + ε). The step is this
    /// times η/(1−β₁ᵗ), see [`AdamW::sizes`].
    pub(super) fn direction(&mut self, t: u32, index: usize, gradient: Tensor<3>) -> Tensor<3> {
        let [beta1, beta2] = self.betas;
        let correction = libm::sqrt(1.0 - libm::pow(beta2, f64::from(t)));
        let first = self.first[index].clone().mul_scalar(beta1) + gradient.clone().mul_scalar(1.0 - beta1);
        let second = self.second[index].clone().mul_scalar(beta2) + (gradient.clone() * gradient).mul_scalar(1.0 - beta2);
        let direction = first.clone() / second.clone().sqrt().div_scalar(correction).add_scalar(self.epsilon);
        self.first[index] = first;
        self.second[index] = second;
        direction
    }

    /// η/(1−β₁ᵗ) of each replica.
    pub(super) fn sizes(&self, update: &Update<'_>) -> Vec<f64> {
        let correction = 1.0 - libm::pow(self.betas[0], f64::from(update.t));
        update.rates.iter().map(|rate| rate / correction).collect()
    }
}

#[cfg(feature = "compute")]
impl Optimizer for AdamW {
    fn step(&mut self, update: &Update<'_>, _parameters: &[Tensor<3>], gradients: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        let size = PerReplica::new(&self.sizes(update), update.device);
        let steps = gradients.into_iter().enumerate();
        steps.map(|(index, gradient)| size.scale(self.direction(update.t, index, gradient))).collect()
    }

    fn state(&self) -> Vec<(&'static str, &[Tensor<3>])> {
        vec![("first_moment", &self.first), ("second_moment", &self.second)]
    }

    fn restore(&mut self, name: &str, tensors: Vec<Tensor<3>>) {
        match name {
            "first_moment" => self.first = tensors,
            "second_moment" => self.second = tensors,
            _ => {}
        }
    }
}
