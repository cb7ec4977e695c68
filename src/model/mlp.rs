//! Perceptron on the code of (a, b) or on a vector: φ(x·w_in), up to two further layers, times w_out.
//!
//! One hidden layer of φ(x) = x² on two-hot inputs with MSE is Gromov's network (2301.02679), the fastest honest grok there is:
//! without it a newcomer would wait minutes for the first curve. Two layers of 200 ReLU on two-hot inputs without biases are the
//! network of Prieto et al. (2501.04697). A two-hot product is a look-up of two rows of w_in.

use super::encoding::{self, CODE_BITS, CODE_SEED, ENCODING};
use super::layers::{BIAS, DEPTH, Layers, WIDTH};
use super::network::{Architecture, Shape};
use super::{ParameterSpec, analytic};
use crate::crosscoder::Hook;
use crate::experiment::field::{Field, FieldKind};
use crate::experiment::fields::Kind;
use crate::experiment::{Experiment, FieldError, ModelConfig};
#[cfg(feature = "compute")]
use {
    super::encoding::Encoder,
    super::inputs::Inputs,
    super::network::{Activations, Network},
    burn::tensor::{Device, Tensor},
};

/// The perceptron.
pub(super) const KIND: Architecture = Architecture {
    kind: Kind {
        name: "mlp",
        label: "Perceptron",
        help: "Hidden layers on the code of the input; with x² and MSE the network of Gromov 2301.02679",
        fields: FIELDS,
    },
    specs,
    floats_per_row,
    hook_width,
    check,
    #[cfg(feature = "compute")]
    network,
};

const FIELDS: &[Field] = &[
    WIDTH,
    Field::new(
        "model.activation",
        "Activation",
        "Hidden non-linearity",
        FieldKind::Choice(&[("quadratic", "x²"), ("relu", "ReLU"), ("gelu", "GELU"), ("tanh", "tanh")]),
    )
    .starts("quadratic"),
    DEPTH,
    BIAS,
    ENCODING,
    CODE_BITS,
    CODE_SEED,
    analytic::START,
];

fn specs(model: &ModelConfig, shape: Shape) -> Vec<ParameterSpec> {
    layers(model, shape).specs
}

fn layers(model: &ModelConfig, shape: Shape) -> Layers {
    let (inputs, width) = (encoding::input_width(model, shape), model.settings.integer("width") as usize);
    let (std_in, std_out) = if model.settings.text("activation") == "quadratic" {
        // Doshi et al. 2310.13061: ½/(2N)^⅓ in both layers.
        let std = 0.5 / libm::cbrt(2.0 * width as f64);
        (std, std)
    } else {
        (1.0 / libm::sqrt(inputs as f64), 1.0 / libm::sqrt(width as f64))
    };
    let scale = model.init_scale;
    let first = vec![
        ParameterSpec::matrix("w_in", inputs, width, scale * std_in).reads_input(),
        ParameterSpec::matrix("w_out", width, shape.outputs, scale * std_out).gives_output(),
    ];
    Layers::after(first, model, Some(shape.outputs))
}

/// Each hidden layer before and after the non-linearity, logits and their gradient; a vector is alive beside them.
fn floats_per_row(model: &ModelConfig, shape: Shape) -> u64 {
    let hidden = 2 * u64::from(model.settings.integer("width")) * u64::from(model.settings.integer("depth").max(1));
    hidden + (2 * shape.outputs + shape.width) as u64
}

fn hook_width(model: &ModelConfig, shape: Shape, hook: Hook) -> Option<usize> {
    match hook {
        Hook::Embed => Some(encoding::input_width(model, shape)),
        Hook::MlpPre | Hook::MlpPost => Some(model.settings.integer("width") as usize),
        Hook::Logits => Some(shape.outputs),
        Hook::Pattern | Hook::AttnOut | Hook::ResidMid | Hook::ResidPost => None,
    }
}

fn check(experiment: &Experiment, shape: Shape) -> Vec<FieldError> {
    let mut errors = encoding::check(experiment, shape);
    errors.extend(analytic::check(experiment, shape));
    errors
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct Mlp {
    encoder: Encoder,
    layers: Layers,
}

#[cfg(feature = "compute")]
fn network(model: &ModelConfig, shape: Shape, _seed: u64, device: &Device) -> Box<dyn Network> {
    Box::new(Mlp { encoder: Encoder::new(model, shape, device), layers: layers(model, shape) })
}

#[cfg(feature = "compute")]
impl Network for Mlp {
    fn forward(
        &self,
        parameters: &[Tensor<3>],
        inputs: &Inputs,
        dropout: Option<&Tensor<3>>,
        activations: &mut Activations,
    ) -> Tensor<3> {
        let w_in = &parameters[0];
        if activations.wants(Hook::Embed) {
            activations.record(Hook::Embed, &self.encoder.rows(inputs, w_in.dims()[0]));
        }
        let hidden = self.layers.hidden(self.encoder.project(inputs, w_in), parameters, dropout, activations);
        self.layers.with_output_bias(hidden.matmul(parameters[1].clone()), parameters)
    }
}
