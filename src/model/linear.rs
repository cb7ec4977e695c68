//! Linear, logistic and softmax regression: one matrix on the encoded input.
//!
//! The delays that theory can compute in full (teacher and student, Levi et al. 2310.16441; the edge of separability, Beck et
//! al. 2410.04489; max margin, Soudry et al. 1710.10345) happen here, without any feature to be learned. The loss decides which
//! regression it is. `model.layer_scales` of w_in=0 starts from zero.

use super::ParameterSpec;
use super::encoding::{self, CODE_BITS, CODE_SEED, ENCODING};
use super::layers::BIAS;
use super::network::{Architecture, Shape};
use crate::crosscoder::Hook;
use crate::experiment::ModelConfig;
use crate::experiment::field::Field;
use crate::experiment::fields::Kind;
#[cfg(feature = "compute")]
use {
    super::encoding::Encoder,
    super::inputs::Inputs,
    super::network::{Activations, Network},
    burn::tensor::{Device, Tensor},
};

/// Regression.
pub(super) const KIND: Architecture = Architecture {
    kind: Kind {
        name: "linear",
        label: "Linear",
        help: "One matrix on the input: linear, logistic or softmax regression, as the loss decides (Levi et al. 2310.16441)",
        fields: FIELDS,
    },
    specs,
    floats_per_row,
    hook_width,
    check: encoding::check,
    #[cfg(feature = "compute")]
    network,
};

const FIELDS: &[Field] = &[BIAS, ENCODING, CODE_BITS, CODE_SEED];

fn specs(model: &ModelConfig, shape: Shape) -> Vec<ParameterSpec> {
    let inputs = encoding::input_width(model, shape);
    let std = model.init_scale / libm::sqrt(inputs as f64);
    let mut specs = vec![ParameterSpec::matrix("w_in", inputs, shape.outputs, std).reads_input()];
    if model.settings.is_on("bias") {
        specs.push(ParameterSpec::bias("b_out", shape.outputs));
    }
    specs
}

fn floats_per_row(_model: &ModelConfig, shape: Shape) -> u64 {
    (shape.width + 2 * shape.outputs) as u64
}

fn hook_width(model: &ModelConfig, shape: Shape, hook: Hook) -> Option<usize> {
    match hook {
        Hook::Embed => Some(encoding::input_width(model, shape)),
        Hook::Logits => Some(shape.outputs),
        _ => None,
    }
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct Linear(Encoder);

#[cfg(feature = "compute")]
fn network(model: &ModelConfig, shape: Shape, _seed: u64, device: &Device) -> Box<dyn Network> {
    Box::new(Linear(Encoder::new(model, shape, device)))
}

#[cfg(feature = "compute")]
impl Network for Linear {
    fn forward(
        &self,
        parameters: &[Tensor<3>],
        inputs: &Inputs,
        _dropout: Option<&Tensor<3>>,
        activations: &mut Activations,
    ) -> Tensor<3> {
        if activations.wants(Hook::Embed) {
            activations.record(Hook::Embed, &self.0.rows(inputs, parameters[0].dims()[0]));
        }
        let sum = self.0.project(inputs, &parameters[0]);
        match parameters.get(1) {
            Some(bias) => sum + bias.clone(),
            None => sum,
        }
    }
}
