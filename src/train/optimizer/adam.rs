//! Adam with its decay in the gradient (Kingma & Ba, 1412.6980; weight decay as in `torch.optim.Adam`): g ← g + λw, then the step
//! of `adam_w.rs`.
//!
//! Kept apart from AdamW because the two are confused in published baselines: dividing λw by √v̂ makes the decay of a weight
//! depend on its gradients, and the same λ means another strength.

#[cfg(feature = "compute")]
use super::adam_w::AdamW;
use super::rows::{BETAS, EPSILON};
use super::{Decay, OptimizerKind};
#[cfg(feature = "compute")]
use super::{Optimizer, Update, with_decay};
use crate::experiment::fields::Kind;
#[cfg(feature = "compute")]
use burn::tensor::Tensor;

/// The registration.
pub(super) const KIND: OptimizerKind = OptimizerKind {
    kind: Kind {
        name: "adam",
        label: "Adam",
        help: "Adam with decay in the gradient: g ← g + λw, then w ← w − η·m̂/(√v̂ + ε) (Kingma & Ba, 1412.6980)",
        fields: &[BETAS, EPSILON],
    },
    decay: Decay::Coupled,
    #[cfg(feature = "compute")]
    build: |experiment, parameters, device| Box::new(Adam(AdamW::of(experiment, parameters, device))),
};

#[cfg(feature = "compute")]
#[derive(Debug)]
struct Adam(AdamW);

#[cfg(feature = "compute")]
impl Optimizer for Adam {
    fn step(&mut self, update: &Update<'_>, parameters: &[Tensor<3>], gradients: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        let gradients = with_decay(update, parameters, gradients);
        self.0.step(update, parameters, gradients)
    }

    fn state(&self) -> Vec<(&'static str, &[Tensor<3>])> {
        self.0.state()
    }

    fn restore(&mut self, name: &str, tensors: Vec<Tensor<3>>) {
        self.0.restore(name, tensors);
    }
}
