//! What learns: the networks, written so that many of them train as one.
//!
//! Every parameter is a tensor `[replica, rows, columns]` (a bias has one row), so a seed band or a phase diagram is one larger
//! network. burn's `Module` was not used: its layers have no replica axis and initialise from the device's generator.

mod lookup;
mod mlp;
mod parameters;
mod transformer;

pub use lookup::{Pairs, one_hot};
pub(crate) use parameters::lost;
pub use parameters::{ParameterSpec, draw, read, upload};

use crate::crosscoder::Hook;
use crate::experiment::{Activation, Experiment, ModelConfig};
use crate::record::UserError;
use burn::tensor::{Device, Tensor, activation};

/// A network's shape; its parameters live in a `Vec<Tensor<3>>` in the order of [`Model::specs`].
#[derive(Debug, Clone)]
pub enum Model {
    /// See `mlp.rs`.
    Mlp(mlp::Mlp),
    /// See `transformer.rs`.
    Transformer(Box<transformer::Transformer>),
}

impl Model {
    /// The network that `experiment` asks for, with its constants on `device`.
    pub fn new(experiment: &Experiment, device: &Device) -> Self {
        let modulus = experiment.task.modulus as usize;
        match &experiment.model {
            ModelConfig::Mlp(config) => Self::Mlp(mlp::Mlp::new(config, modulus)),
            ModelConfig::Transformer(config) => {
                Self::Transformer(Box::new(transformer::Transformer::new(config, modulus, device)))
            }
        }
    }

    /// Names, sizes and starting deviations of the parameters, in order.
    pub fn specs(&self) -> Vec<ParameterSpec> {
        match self {
            Self::Mlp(model) => model.specs(),
            Self::Transformer(model) => model.specs(),
        }
    }

    /// Logits of each pair.
    ///
    /// # Shapes
    /// - parameters: `[replica, rows, columns]` each, in the order of [`Model::specs`]
    /// - output: `[replica, pair, p]`
    pub fn logits(&self, parameters: &[Tensor<3>], pairs: &Pairs) -> Tensor<3> {
        match self {
            Self::Mlp(model) => model.forward(parameters, pairs).logits,
            Self::Transformer(model) => model.forward(parameters, pairs).logits,
        }
    }

    /// Activations of each pair at `hook`, read at the answer position: `[replica, pair, width]`.
    ///
    /// # Errors
    /// If this network has no such hook.
    pub fn activations(&self, parameters: &[Tensor<3>], pairs: &Pairs, hook: Hook) -> Result<Tensor<3>, UserError> {
        match (self, hook) {
            (Self::Mlp(model), Hook::MlpPost) => Ok(model.forward(parameters, pairs).mlp_post),
            (Self::Mlp(model), Hook::Logits) => Ok(model.forward(parameters, pairs).logits),
            (Self::Mlp(_), Hook::ResidPost) => {
                Err(UserError::new("A perceptron has no residual stream", "Choose the hook mlp_post or logits"))
            }
            (Self::Transformer(model), Hook::MlpPost) => Ok(model.forward(parameters, pairs).mlp_post),
            (Self::Transformer(model), Hook::ResidPost) => Ok(model.forward(parameters, pairs).resid_post),
            (Self::Transformer(model), Hook::Logits) => Ok(model.forward(parameters, pairs).logits),
        }
    }
}

/// Applies a hidden non-linearity elementwise.
fn activate(kind: Activation, x: Tensor<3>) -> Tensor<3> {
    match kind {
        Activation::Quadratic => x.clone() * x,
        Activation::Relu => activation::relu(x),
        Activation::Gelu => activation::gelu(x),
    }
}
