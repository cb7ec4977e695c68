//! Learned embeddings of a and b, hidden layers on their sum or on both side by side, and an unembedding.
//!
//! Whether a network can grok without attention was asked with exactly this shape, by several groups whose numbers are only
//! comparable when the details are right. The networks that it reaches:
//! - rep-theory (2302.03025): separate embeddings of 256, side by side, 128 ReLU, no biases;
//! - devinterp's grokking perceptron: one embedding of 12, side by side, 48 GELU with a bias, unembedding without one;
//! - PAIR's explorable: one embedding of 500 for inputs and output, summed, 24 ReLU, no biases; logits = (h·w_out)·embedᵀ.
//!
//! The first matrix is applied to the embeddings once per token, not once per pair.

use super::ParameterSpec;
use super::layers::{BIAS, DEPTH, Layers, WIDTH};
use super::network::{Architecture, Shape};
use crate::crosscoder::Hook;
use crate::experiment::field::{Field, FieldKind};
use crate::experiment::fields::Kind;
use crate::experiment::{Experiment, FieldError, ModelConfig};
#[cfg(feature = "compute")]
use {
    super::inputs::Inputs,
    super::network::{Activations, Network},
    burn::tensor::{Device, Tensor, s},
};

/// The perceptron with embeddings.
pub(super) const KIND: Architecture = Architecture {
    kind: Kind {
        name: "embedding_mlp",
        label: "Perceptron with embedding",
        help: "Learned embeddings of a and b, hidden layers, unembedding (Chughtai et al. 2302.03025)",
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
        "model.embed_width",
        "Embedding width",
        "Numbers that stand for a token",
        FieldKind::Integer { min: 1, max: 1024 },
    )
    .starts("128"),
    Field::new(
        "model.embedding",
        "Embeddings",
        "separate: one for a, one for b; shared: one for both; tied: its transpose is the unembedding too",
        FieldKind::Choice(&[("separate", "Separate"), ("shared", "Shared"), ("tied", "Shared and tied to the output")]),
    )
    .starts("shared"),
    Field::new(
        "model.combine",
        "Combination",
        "How the two embeddings meet before the first layer",
        FieldKind::Choice(&[("concat", "Side by side"), ("sum", "Sum")]),
    )
    .starts("concat"),
    WIDTH,
    Field::new(
        "model.activation",
        "Activation",
        "Hidden non-linearity",
        FieldKind::Choice(&[("relu", "ReLU"), ("gelu", "GELU"), ("tanh", "tanh"), ("quadratic", "x²")]),
    )
    .starts("relu"),
    DEPTH,
    BIAS,
];

/// Where each parameter stands, and how they are put together.
#[derive(Debug)]
#[cfg_attr(not(feature = "compute"), expect(dead_code, reason = "the page lists the parameters and never multiplies them"))]
struct Plan {
    is_sum: bool,
    embed_width: usize,
    embed_a: usize,
    embed_b: usize,
    w_in: usize,
    /// The unembedding, or with tied embeddings the matrix before it.
    w_out: usize,
    is_tied: bool,
    layers: Layers,
}

impl Plan {
    /// Every matrix starts with deviation `init_scale`/√(its rows), an embedding with `init_scale`/√(its columns).
    fn new(model: &ModelConfig, shape: Shape) -> Self {
        let settings = &model.settings;
        let (d, width) = (settings.integer("embed_width") as usize, settings.integer("width") as usize);
        let (is_sum, embedding) = (settings.text("combine") == "sum", settings.text("embedding"));
        let is_tied = embedding == "tied";
        let read = if is_sum { d } else { 2 * d };
        let std = |size: usize| model.init_scale / libm::sqrt(size as f64);
        let embed = |name: &str| ParameterSpec::matrix(name, shape.tokens, d, std(d));
        let mut first = match embedding {
            "separate" => vec![embed("embed"), embed("embed_b")],
            _ => vec![embed("embed")],
        };
        let (embed_b, w_in) = (first.len() - 1, first.len());
        first.push(ParameterSpec::matrix("w_in", read, width, std(read)));
        first.push(if is_tied {
            ParameterSpec::matrix("w_out", width, d, std(width))
        } else {
            ParameterSpec::matrix("unembed", width, shape.outputs, std(width))
        });
        let layers = Layers::after(first, model, is_tied.then_some(d));
        Self { is_sum, embed_width: d, embed_a: 0, embed_b, w_in, w_out: w_in + 1, is_tied, layers }
    }
}

fn specs(model: &ModelConfig, shape: Shape) -> Vec<ParameterSpec> {
    Plan::new(model, shape).layers.specs
}

fn floats_per_row(model: &ModelConfig, shape: Shape) -> u64 {
    let settings = &model.settings;
    let hidden = 2 * u64::from(settings.integer("width")) * u64::from(settings.integer("depth").max(1));
    hidden + u64::from(settings.integer("embed_width")) + 2 * shape.outputs as u64
}

fn hook_width(model: &ModelConfig, shape: Shape, hook: Hook) -> Option<usize> {
    match hook {
        Hook::Embed => Plan::new(model, shape).layers.specs.iter().find(|spec| spec.name == "w_in").map(|spec| spec.rows),
        Hook::MlpPre | Hook::MlpPost => Some(model.settings.integer("width") as usize),
        Hook::Logits => Some(shape.outputs),
        Hook::Pattern | Hook::AttnOut | Hook::ResidMid | Hook::ResidPost => None,
    }
}

fn check(experiment: &Experiment, shape: Shape) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if shape.tokens == 0 {
        errors.push(FieldError::new("model.architecture", "The inputs of this task are vectors, not tokens to embed", "Use mlp"));
    } else if experiment.model.settings.text("embedding") == "tied" && shape.outputs != shape.tokens {
        errors.push(FieldError::new(
            "model.embedding",
            format!("A tied unembedding answers with one of {} tokens, and here are {} outputs", shape.tokens, shape.outputs),
            "Use shared",
        ));
    }
    errors
}

#[cfg(feature = "compute")]
fn network(model: &ModelConfig, shape: Shape, _seed: u64, _device: &Device) -> Box<dyn Network> {
    Box::new(Plan::new(model, shape))
}

#[cfg(feature = "compute")]
impl Network for Plan {
    fn forward(
        &self,
        parameters: &[Tensor<3>],
        inputs: &Inputs,
        dropout: Option<&Tensor<3>>,
        activations: &mut Activations,
    ) -> Tensor<3> {
        let (embed_a, embed_b) = (&parameters[self.embed_a], &parameters[self.embed_b]);
        if activations.wants(Hook::Embed) {
            let (a, b) = (inputs.rows_of_a(embed_a.clone()), inputs.rows_of_b(embed_b.clone()));
            activations.record(Hook::Embed, &if self.is_sum { a + b } else { Tensor::cat(vec![a, b], 2) });
        }
        let w_in = &parameters[self.w_in];
        let (w_a, w_b) = if self.is_sum {
            (w_in.clone(), w_in.clone())
        } else {
            let d = self.embed_width;
            (w_in.clone().slice(s![.., 0..d, ..]), w_in.clone().slice(s![.., d.., ..]))
        };
        let sum = inputs.rows_of_a(embed_a.clone().matmul(w_a)) + inputs.rows_of_b(embed_b.clone().matmul(w_b));
        let hidden = self.layers.hidden(sum, parameters, dropout, activations);
        let out = self.layers.with_output_bias(hidden.matmul(parameters[self.w_out].clone()), parameters);
        if self.is_tied { out.matmul(embed_a.clone().swap_dims(1, 2)) } else { out }
    }
}
