//! Diagonal linear network: f(x) = Σ_j (u_j² − v_j²)·x_j.
//!
//! The smallest network with two phases of training that theory gives exactly (Lyu et al. 2311.18817): from a large start it
//! first finds the kernel solution (small L2 norm) and switches near (1/λ)·log α to the sparse one. u and v start equal, so that
//! f = 0 whatever the start is; `model.init_scale` is the paper's α. It has one output, for real or two-valued answers.

use super::ParameterSpec;
use super::network::{Architecture, Shape};
use super::registry::needs_vectors_and_one_output;
use crate::crosscoder::Hook;
use crate::experiment::ModelConfig;
use crate::experiment::fields::Kind;
#[cfg(feature = "compute")]
use {
    super::inputs::Inputs,
    super::network::{Activations, Network},
    burn::tensor::{Device, Tensor},
};

/// The diagonal linear network.
pub(super) const KIND: Architecture = Architecture {
    kind: Kind {
        name: "diagonal",
        label: "Diagonal linear",
        help: "f = Σ (u² − v²)·x from u = v = the initial scale; sparse solutions late (Lyu et al. 2311.18817)",
        fields: &[],
    },
    specs,
    floats_per_row,
    hook_width,
    check: needs_vectors_and_one_output,
    #[cfg(feature = "compute")]
    network,
};

fn specs(model: &ModelConfig, shape: Shape) -> Vec<ParameterSpec> {
    ["u", "v"].map(|name| ParameterSpec::matrix(name, shape.width, 1, 0.0).reads_input().constant(model.init_scale)).into()
}

fn floats_per_row(_model: &ModelConfig, shape: Shape) -> u64 {
    (shape.width + 2 * shape.outputs) as u64
}

fn hook_width(_model: &ModelConfig, shape: Shape, hook: Hook) -> Option<usize> {
    match hook {
        Hook::Embed => Some(shape.width),
        Hook::Logits => Some(shape.outputs),
        _ => None,
    }
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct Diagonal;

#[cfg(feature = "compute")]
fn network(_model: &ModelConfig, _shape: Shape, _seed: u64, _device: &Device) -> Box<dyn Network> {
    Box::new(Diagonal)
}

#[cfg(feature = "compute")]
impl Network for Diagonal {
    fn forward(
        &self,
        parameters: &[Tensor<3>],
        inputs: &Inputs,
        _dropout: Option<&Tensor<3>>,
        activations: &mut Activations,
    ) -> Tensor<3> {
        let (u, v) = (parameters[0].clone(), parameters[1].clone());
        let slope = u.clone() * u - v.clone() * v;
        match inputs.vectors() {
            Some(vectors) => {
                activations.record(Hook::Embed, vectors);
                vectors.clone().matmul(slope)
            }
            None => inputs.rows_of_a(slope),
        }
    }
}
