//! Lion (Chen et al., 2302.06675): c = β₁m + (1−β₁)g; w ← w·(1 − ηλ) − η·sign(c); m ← β₂m + (1−β₂)g.
//!
//! Every weight moves by exactly η, so η wants to be three to ten times smaller than Adam's and λ as much larger. A weight
//! without any gradient (sign 0) stays.

use super::{Decay, OptimizerKind};
#[cfg(feature = "compute")]
use super::{Optimizer, PerReplica, Update, zeros_like};
use crate::experiment::field::{Field, FieldKind};
use crate::experiment::fields::Kind;
#[cfg(feature = "compute")]
use burn::tensor::Tensor;

/// The registration.
pub(super) const KIND: OptimizerKind = OptimizerKind {
    kind: Kind {
        name: "lion",
        label: "Lion",
        help: "The sign of a moving average: w ← w·(1 − ηλ) − η·sign(β₁m + (1 − β₁)g) (Chen et al., 2302.06675)",
        fields: &[Field::new(
            "optimizer.betas",
            "Betas",
            "Share of the average in the sign, and decay per update of the average",
            FieldKind::Numbers { count: 2, min: 0.0, max: 1.0 },
        )
        .starts("0.9,0.99")
        .live()],
    },
    decay: Decay::Decoupled,
    #[cfg(feature = "compute")]
    build: |experiment, parameters, device| {
        let betas = experiment.optimizer.settings.numbers("betas");
        let beta = |index: usize| betas.get(index).copied().unwrap_or(0.0);
        Box::new(Lion { betas: [beta(0), beta(1)], average: zeros_like(parameters, device) })
    },
};

/// The rule and its average m, one per parameter.
#[cfg(feature = "compute")]
#[derive(Debug)]
struct Lion {
    betas: [f64; 2],
    average: Vec<Tensor<3>>,
}

#[cfg(feature = "compute")]
impl Optimizer for Lion {
    fn step(&mut self, update: &Update<'_>, _parameters: &[Tensor<3>], gradients: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        let [beta1, beta2] = self.betas;
        let size = PerReplica::new(update.rates, update.device);
        let mut steps = Vec::with_capacity(gradients.len());
        for (average, gradient) in self.average.iter_mut().zip(gradients) {
            let mixed = average.clone().mul_scalar(beta1) + gradient.clone().mul_scalar(1.0 - beta1);
            steps.push(size.scale(mixed.sign()));
            *average = average.clone().mul_scalar(beta2) + gradient.mul_scalar(1.0 - beta2);
        }
        steps
    }

    fn state(&self) -> Vec<(&'static str, &[Tensor<3>])> {
        vec![("average", &self.average)]
    }

    fn restore(&mut self, name: &str, tensors: Vec<Tensor<3>>) {
        if name == "average" {
            self.average = tensors;
        }
    }
}
