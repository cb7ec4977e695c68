//! Committee machine of Kumar et al. (2310.06110): f(x) = (1/N)·Σ_i φ(w_i·x) with φ(h) = h + εh²/2.
//!
//! Grokking without weight decay and without modular arithmetic: the kernel of the start sees mostly the linear part of φ, the
//! target ½(β·x)² needs the quadratic one, and the delay between them is set by ε and by laziness. Only the first layer learns.
//! The paper's α is `model.output_multiplier`, its f − f₀ is `model.centered`.

use super::ParameterSpec;
use super::layers::WIDTH;
use super::network::{Architecture, Shape};
use super::registry::needs_vectors_and_one_output;
use crate::crosscoder::Hook;
use crate::experiment::ModelConfig;
use crate::experiment::field::{Field, closed};
use crate::experiment::fields::Kind;
#[cfg(feature = "compute")]
use {
    super::inputs::Inputs,
    super::network::{Activations, Network},
    burn::tensor::{Device, Tensor},
};

/// The committee machine.
pub(super) const KIND: Architecture = Architecture {
    kind: Kind {
        name: "committee",
        label: "Committee",
        help: "Mean over neurons of h + εh²/2, first layer learned; lazy, then rich (Kumar et al. 2310.06110)",
        fields: FIELDS,
    },
    specs,
    floats_per_row,
    hook_width,
    check: needs_vectors_and_one_output,
    #[cfg(feature = "compute")]
    network,
};

const FIELDS: &[Field] = &[
    WIDTH,
    Field::new("model.epsilon", "Curvature", "ε of φ(h) = h + εh²/2; small is hard to learn lazily", closed(0.0, 100.0))
        .starts("0.25"),
];

/// Each weight starts with deviation `init_scale`: inputs of variance 1/D then give sums of order one, as in the paper.
fn specs(model: &ModelConfig, shape: Shape) -> Vec<ParameterSpec> {
    let width = model.settings.integer("width") as usize;
    vec![ParameterSpec::matrix("w_in", shape.width, width, model.init_scale).reads_input()]
}

fn floats_per_row(model: &ModelConfig, shape: Shape) -> u64 {
    2 * u64::from(model.settings.integer("width")) + (shape.width + 2 * shape.outputs) as u64
}

fn hook_width(model: &ModelConfig, shape: Shape, hook: Hook) -> Option<usize> {
    match hook {
        Hook::Embed => Some(shape.width),
        Hook::MlpPre | Hook::MlpPost => Some(model.settings.integer("width") as usize),
        Hook::Logits => Some(shape.outputs),
        Hook::Pattern | Hook::AttnOut | Hook::ResidMid | Hook::ResidPost => None,
    }
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct Committee {
    epsilon: f64,
}

#[cfg(feature = "compute")]
fn network(model: &ModelConfig, _shape: Shape, _seed: u64, _device: &Device) -> Box<dyn Network> {
    Box::new(Committee { epsilon: model.settings.number("epsilon") })
}

#[cfg(feature = "compute")]
impl Network for Committee {
    fn forward(
        &self,
        parameters: &[Tensor<3>],
        inputs: &Inputs,
        dropout: Option<&Tensor<3>>,
        activations: &mut Activations,
    ) -> Tensor<3> {
        let w_in = parameters[0].clone();
        let pre = match inputs.vectors() {
            Some(vectors) => {
                activations.record(Hook::Embed, vectors);
                vectors.clone().matmul(w_in)
            }
            None => inputs.rows_of_a(w_in),
        };
        let pre = activations.pass(Hook::MlpPre, pre);
        let post = pre.clone() + (pre.clone() * pre).mul_scalar(0.5 * self.epsilon);
        let mut post = activations.pass(Hook::MlpPost, post);
        if let Some(mask) = dropout {
            post = post * mask.clone();
        }
        post.mean_dim(2)
    }
}
