//! Fully connected layers after the first, and the settings that perceptrons share.
//!
//! Three networks end in the same stack: hidden layers, then a linear map to the outputs. What differs is how the first layer
//! reads its input, so only that stands in their own files. What a deeper or biased network has more stands after the two
//! matrices of the plain one, and leaves their random streams alone.

use super::ParameterSpec;
use super::activation::Activation;
use crate::experiment::ModelConfig;
use crate::experiment::field::{Field, FieldKind};
#[cfg(feature = "compute")]
use {super::network::Activations, crate::crosscoder::Hook, burn::tensor::Tensor};

/// Width of the hidden layers.
pub(super) const WIDTH: Field = Field::new(
    "model.width",
    "Hidden neurons",
    "Width N of the hidden layer, in neurons",
    FieldKind::Integer { min: 1, max: 4096 },
)
.starts("256");

/// Number of hidden layers.
pub(super) const DEPTH: Field =
    Field::new("model.depth", "Hidden layers", "Hidden layers, all of the same width", FieldKind::Integer { min: 1, max: 3 })
        .neutral("1");

/// Whether there are biases.
pub(super) const BIAS: Field =
    Field::new("model.bias", "Biases", "Whether each layer adds a bias, which starts at 0", FieldKind::Toggle).neutral("false");

/// Where each parameter of the stack stands in the list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layers {
    pub(super) specs: Vec<ParameterSpec>,
    activation: Activation,
    b_in: Option<usize>,
    deeper: Vec<(usize, Option<usize>)>,
    b_out: Option<usize>,
}

impl Layers {
    /// The stack of a network whose own matrices are `first`: hidden matrices `w_1`, … with deviation `init_scale`/√N, then
    /// biases `b_in`, `b_1`, …, and `b_out` where `outputs` says how long it is.
    pub(super) fn after(first: Vec<ParameterSpec>, model: &ModelConfig, outputs: Option<usize>) -> Self {
        let settings = &model.settings;
        let width = settings.integer("width") as usize;
        let count = settings.integer("depth").max(1) as usize - 1;
        let std = model.init_scale / libm::sqrt(width as f64);
        let mut specs = first;
        let matrices: Vec<usize> = (1..=count)
            .map(|number| {
                specs.push(ParameterSpec::matrix(format!("w_{number}"), width, width, std));
                specs.len() - 1
            })
            .collect();
        let mut bias = |name: String, columns: usize| {
            settings.is_on("bias").then(|| {
                specs.push(ParameterSpec::bias(name, columns));
                specs.len() - 1
            })
        };
        let b_in = bias("b_in".into(), width);
        let deeper = matrices.into_iter().enumerate().map(|(i, w)| (w, bias(format!("b_{}", i + 1), width))).collect();
        let b_out = outputs.and_then(|columns| bias("b_out".into(), columns));
        Self { specs, activation: Activation::of(model), b_in, deeper, b_out }
    }

    /// From the first layer's sum (without its bias) to the last hidden layer, dropout applied: `[replica, row, width]`.
    #[cfg(feature = "compute")]
    pub(super) fn hidden(
        &self,
        sum: Tensor<3>,
        parameters: &[Tensor<3>],
        dropout: Option<&Tensor<3>>,
        activations: &mut Activations,
    ) -> Tensor<3> {
        let mut pre = plus(sum, self.b_in, parameters);
        let mut post = self.activation.apply(pre.clone());
        for (w, b) in &self.deeper {
            pre = plus(post.matmul(parameters[*w].clone()), *b, parameters);
            post = self.activation.apply(pre.clone());
        }
        // Only the last layer is at the hooks; a spliced one is passed through the non-linearity again.
        if activations.splices(Hook::MlpPre) {
            post = self.activation.apply(activations.pass(Hook::MlpPre, pre));
        } else {
            activations.record(Hook::MlpPre, &pre);
        }
        let post = activations.pass(Hook::MlpPost, post);
        match dropout {
            Some(mask) => post * mask.clone(),
            None => post,
        }
    }

    /// Adds the output bias, if there is one.
    #[cfg(feature = "compute")]
    pub(super) fn with_output_bias(&self, sum: Tensor<3>, parameters: &[Tensor<3>]) -> Tensor<3> {
        plus(sum, self.b_out, parameters)
    }
}

#[cfg(feature = "compute")]
fn plus(sum: Tensor<3>, bias: Option<usize>, parameters: &[Tensor<3>]) -> Tensor<3> {
    match bias {
        Some(bias) => sum + parameters[bias].clone(),
        None => sum,
    }
}
