//! Causal transformer on the tokens (a, b, =), read at "=".
//!
//! Without it there is no network here in which attention has to bring two numbers together, and none of the circuits of the
//! grokking literature. One layer without norms is the network of Nanda et al. (2301.05217); the other settings reach the
//! networks of Power et al. (2201.02177), Clock and Pizza (2306.17844) and most re-implementations. One code serves them all:
//! a second one for the plain network would have to be held against the first for ever.

#[cfg_attr(not(feature = "compute"), allow(dead_code, reason = "only a forward pass looks up where a parameter stands"))]
mod layout;
#[cfg(feature = "compute")]
mod pass;

#[cfg(feature = "compute")]
#[cfg(test)]
mod oracle;
#[cfg(feature = "compute")]
#[cfg(test)]
mod tests;

use super::network::{Architecture, Shape};
use crate::crosscoder::Hook;
use crate::experiment::field::{Field, FieldKind, closed};
use crate::experiment::fields::Kind;
use crate::experiment::{Experiment, FieldError, ModelConfig};

/// The transformer.
pub const KIND: Architecture = Architecture {
    kind: Kind {
        name: "transformer",
        label: "Transformer",
        help: "Attention over the tokens a, b, = and an MLP block, read at = (Nanda et al. 2301.05217)",
        fields: FIELDS,
    },
    specs: layout::specs,
    floats_per_row,
    hook_width,
    check,
    #[cfg(feature = "compute")]
    network: pass::network,
};

/// Widest residual stream.
const MAX_WIDTH: u64 = 512;

const FIELDS: &[Field] = &[
    Field::new(
        "model.d_model",
        "Residual width",
        "Width d of the residual stream",
        FieldKind::Integer { min: 2, max: MAX_WIDTH },
    )
    .starts("64"),
    Field::new("model.heads", "Attention heads", "Must divide the residual width", FieldKind::Integer { min: 1, max: 64 })
        .starts("4"),
    Field::new(
        "model.mlp_width",
        "MLP neurons",
        "Hidden neurons of the MLP block; 0 leaves the block out",
        FieldKind::Integer { min: 0, max: 4096 },
    )
    .starts("128"),
    Field::new(
        "model.activation",
        "Activation",
        "Non-linearity of the MLP block",
        FieldKind::Choice(&[("relu", "ReLU"), ("gelu", "GELU"), ("quadratic", "x²"), ("tanh", "tanh"), ("silu", "SiLU")]),
    )
    .starts("relu"),
    Field::new("model.layers", "Layers", "Blocks of attention and MLP", FieldKind::Integer { min: 1, max: 2 }).neutral("1"),
    Field::new(
        "model.norm",
        "Normalisation",
        "pre: LayerNorm before attention, MLP and unembedding; post: after each residual sum; rms: as pre, without mean and bias",
        FieldKind::Choice(&[
            ("none", "None"),
            ("pre", "LayerNorm before"),
            ("post", "LayerNorm after"),
            ("rms", "RMSNorm before"),
        ]),
    )
    .neutral("none"),
    Field::new(
        "model.positions",
        "Positions",
        "How the network tells a from b",
        FieldKind::Choice(&[("learned", "Learned"), ("sinusoidal", "Sinusoidal"), ("rope", "Rotary"), ("none", "None")]),
    )
    .neutral("learned"),
    Field::new(
        "model.attention_uniformity",
        "Uniform attention",
        "Share u of equal weights: attention is (1 − u) · softmax + u / (tokens seen), 1 is the pizza end (2306.17844)",
        closed(0.0, 1.0),
    )
    .neutral("0"),
    Field::new(
        "model.bias",
        "Biases",
        "Whether the MLP block has biases; attention and unembedding never have",
        FieldKind::Choice(&[("mlp", "In the MLP block"), ("none", "None")]),
    )
    .neutral("mlp"),
    Field::new(
        "model.gated",
        "Gated MLP",
        "Multiplies the hidden neurons by a second linear map of their input (2002.05202)",
        FieldKind::Toggle,
    )
    .neutral("false"),
    Field::new("model.tied", "Tied embeddings", "Unembeds with the transpose of the token embedding", FieldKind::Toggle)
        .neutral("false"),
];

/// The settings with their types.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Plan {
    d: usize,
    heads: usize,
    /// 0 for no MLP block.
    mlp: usize,
    layers: usize,
    norm: Norm,
    positions: Positions,
    /// u of (1 − u)·softmax + u/n.
    uniformity: f64,
    has_biases: bool,
    is_gated: bool,
    is_tied: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Norm {
    None,
    /// LayerNorm on what attention, MLP and unembedding read.
    Pre,
    /// LayerNorm on each sum of the residual stream; nothing before the unembedding.
    Post,
    /// [`Norm::Pre`] with RMSNorm.
    Rms,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Positions {
    Learned,
    Sinusoidal,
    Rope,
    None,
}

impl Plan {
    fn new(model: &ModelConfig) -> Self {
        let settings = &model.settings;
        let size = |name: &str| settings.integer(name) as usize;
        let mlp = size("mlp_width");
        Self {
            d: size("d_model"),
            heads: size("heads"),
            mlp,
            layers: size("layers").max(1),
            norm: match settings.text("norm") {
                "pre" => Norm::Pre,
                "post" => Norm::Post,
                "rms" => Norm::Rms,
                _ => Norm::None,
            },
            positions: match settings.text("positions") {
                "sinusoidal" => Positions::Sinusoidal,
                "rope" => Positions::Rope,
                "none" => Positions::None,
                _ => Positions::Learned,
            },
            uniformity: settings.number("attention_uniformity"),
            has_biases: mlp > 0 && settings.text("bias") != "none",
            is_gated: mlp > 0 && settings.is_on("gated"),
            is_tied: settings.is_on("tied"),
        }
    }
}

/// The last block counts three token embeddings, keys and values of each, query, attention, two residuals, block twice. An
/// earlier block is needed at two positions per row, and its keys and values are read again. Logits come with their gradient.
fn floats_per_row(model: &ModelConfig, shape: Shape) -> u64 {
    let plan = Plan::new(model);
    let norms = if plan.norm == Norm::None { 0 } else { 8 };
    let (hidden, mixing) = (if plan.is_gated { 4 } else { 2 }, if plan.uniformity > 0.0 { 12 } else { 6 });
    let block = (13 + norms) * plan.d + mixing * plan.heads + hidden * plan.mlp;
    let passes = if plan.layers == 1 { 1 } else { 3 };
    (passes * block + norms / 2 * plan.d + 2 * shape.outputs) as u64
}

/// Hooks are read at the answer position, those inside a block in the last one. Only `embed` is not, because there it is the
/// same in all rows: it is embedding and position of a, then of b.
fn hook_width(model: &ModelConfig, shape: Shape, hook: Hook) -> Option<usize> {
    let plan = Plan::new(model);
    match hook {
        Hook::Embed => Some(2 * plan.d),
        Hook::Pattern => Some(3 * plan.heads),
        Hook::AttnOut | Hook::ResidMid | Hook::ResidPost => Some(plan.d),
        Hook::MlpPre | Hook::MlpPost => (plan.mlp > 0).then_some(plan.mlp),
        Hook::Logits => Some(shape.outputs),
    }
}

fn check(experiment: &Experiment, shape: Shape) -> Vec<FieldError> {
    let plan = Plan::new(&experiment.model);
    let mut errors = Vec::new();
    if shape.tokens == 0 {
        errors.push(FieldError::new("model.architecture", "The transformer reads pairs of tokens", "Use a perceptron"));
    }
    if !plan.d.is_multiple_of(plan.heads) {
        let nearest = (1..=plan.d.min(64)).filter(|h| plan.d.is_multiple_of(*h)).min_by_key(|h| h.abs_diff(plan.heads));
        errors.push(FieldError::new(
            "model.heads",
            format!("{} heads do not divide a residual width of {}", plan.heads, plan.d),
            format!("Use {} heads", nearest.unwrap_or(1)),
        ));
    } else if plan.positions == Positions::Rope && !plan.d.is_multiple_of(2 * plan.heads) {
        let even = 2 * plan.heads;
        let nearest = [plan.d / even * even, plan.d.next_multiple_of(even)]
            .into_iter()
            .filter(|d| (even..=MAX_WIDTH as usize).contains(d))
            .min_by_key(|d| d.abs_diff(plan.d));
        errors.push(FieldError::new(
            "model.d_model",
            format!("Rotary positions turn columns in twos, and a head has {} of them", plan.d / plan.heads.max(1)),
            format!("Use {}", nearest.unwrap_or(even)),
        ));
    }
    if experiment.model.settings.is_on("gated") && plan.mlp == 0 {
        errors.push(FieldError::new("model.gated", "Without an MLP block there is nothing to gate", "Use false"));
    }
    if plan.is_tied && shape.tokens != 0 && shape.outputs != shape.tokens {
        errors.push(FieldError::new(
            "model.tied",
            format!("A tied unembedding answers with one of {} tokens, and here are {} outputs", shape.tokens, shape.outputs),
            "Use false",
        ));
    } else if plan.is_tied && experiment.model.settings.text("parametrisation") == "mup" {
        let cause = "Under μP an unembedding starts and learns at another scale than an embedding";
        errors.push(FieldError::new("model.tied", cause, "Use false"));
    }
    errors
}
