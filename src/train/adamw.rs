//! AdamW over the replica axis (Loshchilov & Hutter 2019, in PyTorch's form):
//! w ← w·(1 − ηλ); m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; w ← w − η/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε).
//!
//! burn's optimisers have one learning rate for all and were not used: here η and λ may differ between replicas.

use burn::tensor::{Device, Tensor, TensorData};

/// What stays fixed over a run. Learning rates come with each update, since schedules belong to the caller.
#[derive(Debug, Clone, PartialEq)]
pub struct AdamWSettings {
    /// λ per replica.
    pub weight_decay: Vec<f64>,
    /// Decay of the moments.
    pub betas: [f64; 2],
    /// ε.
    pub epsilon: f64,
}

/// The optimiser and its moments.
#[derive(Debug, Clone)]
pub struct AdamW {
    settings: AdamWSettings,
    device: Device,
    /// First moments, one per parameter, `[replica, rows, columns]`.
    pub first: Vec<Tensor<3>>,
    /// Second moments.
    pub second: Vec<Tensor<3>>,
}

impl AdamW {
    /// Moments start at zero, shaped like `parameters`.
    pub fn new(settings: AdamWSettings, parameters: &[Tensor<3>], device: &Device) -> Self {
        let zeros = || parameters.iter().map(|p| Tensor::zeros(p.dims(), device)).collect();
        Self { settings, device: device.clone(), first: zeros(), second: zeros() }
    }

    /// The update number `t` (from 1) of every parameter, from its gradient, with learning rate `rates[replica]`.
    ///
    /// # Shapes
    /// `parameters`, `gradients`: `[replica, rows, columns]` each.
    pub fn update(&mut self, t: u32, rates: &[f64], parameters: Vec<Tensor<3>>, gradients: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        let [beta1, beta2] = self.settings.betas;
        let correction1 = 1.0 - libm::pow(beta1, f64::from(t));
        let correction2 = libm::sqrt(1.0 - libm::pow(beta2, f64::from(t)));
        let keep: Vec<f64> = rates.iter().zip(&self.settings.weight_decay).map(|(rate, decay)| 1.0 - rate * decay).collect();
        let size: Vec<f64> = rates.iter().map(|rate| rate / correction1).collect();
        let (keep, size) = (PerReplica::new(&keep, &self.device), PerReplica::new(&size, &self.device));

        let mut updated = Vec::with_capacity(parameters.len());
        for (index, (parameter, gradient)) in parameters.into_iter().zip(gradients).enumerate() {
            let first = self.first[index].clone().mul_scalar(beta1) + gradient.clone().mul_scalar(1.0 - beta1);
            let second = self.second[index].clone().mul_scalar(beta2) + (gradient.clone() * gradient).mul_scalar(1.0 - beta2);
            let direction = first.clone() / second.clone().sqrt().div_scalar(correction2).add_scalar(self.settings.epsilon);
            updated.push(keep.scale(parameter) - size.scale(direction));
            self.first[index] = first;
            self.second[index] = second;
        }
        updated
    }
}

/// One number per replica; a plain scalar when they agree, which spares the broadcast.
enum PerReplica {
    Equal(f64),
    Each(Box<Tensor<3>>),
}

impl PerReplica {
    fn new(values: &[f64], device: &Device) -> Self {
        match values {
            [first, rest @ ..] if rest.iter().all(|value| value == first) => Self::Equal(*first),
            _ => {
                let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
                let replicas = values.len();
                Self::Each(Box::new(Tensor::from_data(TensorData::new(values, [replicas, 1, 1]), device)))
            }
        }
    }

    fn scale(&self, tensor: Tensor<3>) -> Tensor<3> {
        match self {
            Self::Equal(value) => tensor.mul_scalar(*value),
            Self::Each(values) => tensor * values.as_ref().clone(),
        }
    }
}
