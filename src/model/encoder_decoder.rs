//! The toy of Liu et al. (2205.10343): an embedding, addition by hand, a decoder.
//!
//! E_a + E_b is fixed into the network, so all that a representation can be good for is that sums of embeddings agree; that is
//! what makes its structure measurable (RQI) and its effective theory exact. Embedding and decoder learn at different rates,
//! which is the axis of the paper's phase diagrams: the learning rate is the embedding's, `decoder_rate` multiplies it for the
//! decoder. Starts are those of the paper's code: embedding uniform in ±½, each decoder layer, bias included, in ±1/√(inputs).

use super::ParameterSpec;
use super::network::{Architecture, Shape};
use crate::crosscoder::Hook;
use crate::experiment::field::{Field, FieldKind, above};
use crate::experiment::fields::Kind;
use crate::experiment::{Experiment, FieldError, ModelConfig};
#[cfg(feature = "compute")]
use {
    super::activation::Activation,
    super::inputs::Inputs,
    super::network::{Activations, Network},
    burn::tensor::{Device, Tensor},
};

/// Embedding, sum, decoder.
pub(super) const KIND: Architecture = Architecture {
    kind: Kind {
        name: "encoder_decoder",
        label: "Embedding and decoder",
        help: "Decoder of two hidden layers on E_a + E_b, which is fixed by hand (Liu et al. 2205.10343)",
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
    Field::new(
        "model.representation",
        "Representation",
        "Numbers that stand for a token: width of the embedding",
        FieldKind::Integer { min: 1, max: 64 },
    )
    .starts("1"),
    Field::new(
        "model.width",
        "Decoder neurons",
        "Width of each of the decoder's two hidden layers",
        FieldKind::Integer { min: 1, max: 1024 },
    )
    .starts("200"),
    Field::new(
        "model.activation",
        "Activation",
        "Non-linearity of the decoder",
        FieldKind::Choice(&[("tanh", "tanh"), ("relu", "ReLU"), ("gelu", "GELU")]),
    )
    .starts("tanh"),
    Field::new(
        "model.decoder_rate",
        "Decoder rate",
        "Multiplies the learning rate for the decoder; the embedding learns at the learning rate itself",
        above(0.0, 1e4),
    )
    .neutral("1"),
];

fn specs(model: &ModelConfig, shape: Shape) -> Vec<ParameterSpec> {
    let settings = &model.settings;
    let (d, width) = (settings.integer("representation") as usize, settings.integer("width") as usize);
    let (scale, rate) = (model.init_scale, settings.number("decoder_rate"));
    let mut specs = vec![ParameterSpec::matrix("embed", shape.tokens, d, 0.0).uniform(0.5 * scale)];
    for (number, rows, columns) in [("in", d, width), ("1", width, width), ("out", width, shape.outputs)] {
        let half_width = scale / libm::sqrt(rows as f64);
        let matrix = ParameterSpec::matrix(format!("w_{number}"), rows, columns, 0.0);
        let matrix = match number {
            // The representation keeps its width when the decoder is widened.
            "in" => matrix.reads_input(),
            "out" => matrix.gives_output(),
            _ => matrix,
        };
        specs.push(matrix.uniform(half_width).at_rate(rate));
        specs.push(ParameterSpec::bias(format!("b_{number}"), columns).uniform(half_width).at_rate(rate));
    }
    specs
}

fn floats_per_row(model: &ModelConfig, shape: Shape) -> u64 {
    4 * u64::from(model.settings.integer("width")) + 2 * shape.outputs as u64
}

fn hook_width(model: &ModelConfig, shape: Shape, hook: Hook) -> Option<usize> {
    match hook {
        Hook::Embed => Some(model.settings.integer("representation") as usize),
        Hook::MlpPre | Hook::MlpPost => Some(model.settings.integer("width") as usize),
        Hook::Logits => Some(shape.outputs),
        Hook::Pattern | Hook::AttnOut | Hook::ResidMid | Hook::ResidPost => None,
    }
}

fn check(_experiment: &Experiment, shape: Shape) -> Vec<FieldError> {
    if shape.tokens > 0 {
        return Vec::new();
    }
    vec![FieldError::new("model.architecture", "The inputs of this task are vectors, not tokens to embed", "Use mlp")]
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct EncoderDecoder {
    activation: Activation,
}

#[cfg(feature = "compute")]
fn network(model: &ModelConfig, _shape: Shape, _seed: u64, _device: &Device) -> Box<dyn Network> {
    Box::new(EncoderDecoder { activation: Activation::of(model) })
}

#[cfg(feature = "compute")]
impl Network for EncoderDecoder {
    fn forward(
        &self,
        parameters: &[Tensor<3>],
        inputs: &Inputs,
        dropout: Option<&Tensor<3>>,
        activations: &mut Activations,
    ) -> Tensor<3> {
        let [embed, w_in, b_in, w_1, b_1, w_out, b_out] = core::array::from_fn(|index| parameters[index].clone());
        let sum = inputs.rows_of_a(embed.clone()) + inputs.rows_of_b(embed);
        activations.record(Hook::Embed, &sum);
        let first = self.activation.apply(sum.matmul(w_in) + b_in);
        let pre = first.matmul(w_1) + b_1;
        let pre = activations.pass(Hook::MlpPre, pre);
        let mut post = activations.pass(Hook::MlpPost, self.activation.apply(pre));
        if let Some(mask) = dropout {
            post = post * mask.clone();
        }
        post.matmul(w_out) + b_out
    }
}
