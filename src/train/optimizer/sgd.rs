//! Gradient descent with momentum, in the form of `torch.optim.SGD` without dampening: g ← g + λw; b ← μb + g; w ← w − η·b, or
//! w ← w − η·(g + μb) with Nesterov's correction. Plain gradient descent is momentum 0 on the full training set.
//!
//! The older form b ← μb + ηg was not chosen: the two differ as soon as η changes, and schedules change it.

use super::rows::SHARE;
use super::{Decay, OptimizerKind};
#[cfg(feature = "compute")]
use super::{Optimizer, PerReplica, Update, with_decay, zeros_like};
use crate::experiment::field::{Field, FieldKind};
use crate::experiment::fields::Kind;
#[cfg(feature = "compute")]
use burn::tensor::Tensor;

/// The registration.
pub(super) const KIND: OptimizerKind = OptimizerKind {
    kind: Kind {
        name: "sgd",
        label: "Gradient descent",
        help: "g ← g + λw; b ← μb + g; w ← w − η·b; with a batch size it is stochastic (Polyak 1964; Sutskever et al. 2013)",
        fields: &[
            Field::new(
                "optimizer.momentum",
                "Momentum",
                "Share μ of the last step that is made again; 0 is plain descent",
                SHARE,
            )
            .neutral("0")
            .live(),
            Field::new(
                "optimizer.nesterov",
                "Nesterov",
                "Step along g + μb instead of b: the momentum as it will be after the update",
                FieldKind::Toggle,
            )
            .neutral("false")
            .live(),
        ],
    },
    decay: Decay::Coupled,
    #[cfg(feature = "compute")]
    build: |experiment, parameters, device| {
        let settings = &experiment.optimizer.settings;
        let momentum = settings.number("momentum");
        // Without momentum there is no state to keep or to write down.
        let velocity = if momentum > 0.0 { zeros_like(parameters, device) } else { Vec::new() };
        Box::new(Sgd { momentum, nesterov: settings.is_on("nesterov"), velocity })
    },
};

/// The rule and its momentum b, one per parameter; none at μ = 0.
#[cfg(feature = "compute")]
#[derive(Debug)]
struct Sgd {
    momentum: f64,
    nesterov: bool,
    velocity: Vec<Tensor<3>>,
}

#[cfg(feature = "compute")]
impl Optimizer for Sgd {
    fn step(&mut self, update: &Update<'_>, parameters: &[Tensor<3>], gradients: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        let size = PerReplica::new(update.rates, update.device);
        let gradients = with_decay(update, parameters, gradients);
        let mut steps = Vec::with_capacity(gradients.len());
        for (index, gradient) in gradients.into_iter().enumerate() {
            let direction = match self.velocity.get_mut(index) {
                None => gradient,
                Some(velocity) => {
                    *velocity = velocity.clone().mul_scalar(self.momentum) + gradient.clone();
                    if self.nesterov { gradient + velocity.clone().mul_scalar(self.momentum) } else { velocity.clone() }
                }
            };
            steps.push(size.scale(direction));
        }
        steps
    }

    fn state(&self) -> Vec<(&'static str, &[Tensor<3>])> {
        if self.velocity.is_empty() { Vec::new() } else { vec![("momentum", &self.velocity)] }
    }

    fn restore(&mut self, name: &str, tensors: Vec<Tensor<3>>) {
        if name == "momentum" && !self.velocity.is_empty() {
            self.velocity = tensors;
        }
    }
}
