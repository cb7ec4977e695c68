//! How a token is shown to a network without an embedding: as one of p, by frequencies, by a random code, or in binary.
//!
//! Whether there is a delay at all depends on the code: Fourier features and random codes of 14 bits are reported to remove it.
//! The table of features is a constant that multiplies the first matrix, once per token; spelling the code out for every pair
//! would cost p times as much. What the codes are is in `codes.rs`.

use super::network::Shape;
use crate::experiment::field::{Field, FieldKind};
use crate::experiment::{Experiment, FieldError, ModelConfig};
#[cfg(feature = "compute")]
use {
    super::codes::table,
    super::inputs::Inputs,
    burn::tensor::{Device, Tensor, TensorData, s},
};

const RANDOM_CODE: &[(&str, &[&str])] = &[("model.encoding", &["random_code"])];

/// Longest random code.
const MAX_CODE_BITS: u64 = 64;

/// Which code.
pub(super) const ENCODING: Field = Field::new(
    "model.encoding",
    "Input code",
    "How each token is shown: one of p, all frequencies (orthonormal), random ±1 bits, or binary digits",
    FieldKind::Choice(&[
        ("two_hot", "One of p"),
        ("fourier", "Frequencies"),
        ("random_code", "Random bits"),
        ("binary", "Binary digits"),
    ]),
)
.neutral("two_hot");

/// Length of a random code.
pub(super) const CODE_BITS: Field = Field::new(
    "model.code_bits",
    "Code length",
    "Bits of a token's random code; no two tokens share one",
    FieldKind::Integer { min: 1, max: MAX_CODE_BITS },
)
.starts("14")
.when(RANDOM_CODE);

/// Which random code.
pub(super) const CODE_SEED: Field = Field::new(
    "model.code_seed",
    "Code number",
    "Which random code; apart from the seed, so that all seeds of a band read the same one",
    FieldKind::Integer { min: 0, max: 9999 },
)
.starts("0")
.when(RANDOM_CODE);

/// Numbers that show one token.
pub(super) fn features_per_token(model: &ModelConfig, tokens: usize) -> usize {
    match model.settings.text("encoding") {
        "random_code" => model.settings.integer("code_bits") as usize,
        "binary" => binary_digits(tokens),
        _ => tokens,
    }
}

/// Numbers that show one row: both tokens' one after the other, or the vector itself.
pub(super) fn input_width(model: &ModelConfig, shape: Shape) -> usize {
    if shape.tokens == 0 { shape.width } else { 2 * features_per_token(model, shape.tokens) }
}

/// Refuses a code that cannot tell the tokens apart, and one for vectors, which need none.
pub(super) fn check(experiment: &Experiment, shape: Shape) -> Vec<FieldError> {
    let settings = &experiment.model.settings;
    let name = settings.text("encoding");
    let mut errors = Vec::new();
    if shape.tokens == 0 && !matches!(name, "" | "two_hot") {
        errors.push(FieldError::new("model.encoding", "The inputs of this task are vectors, which need no code", "Use two_hot"));
    } else if name == "random_code" {
        let needed = binary_digits(shape.tokens);
        if (settings.integer("code_bits") as usize) < needed {
            errors.push(FieldError::new(
                "model.code_bits",
                format!("{} bits cannot tell {} tokens apart", settings.integer("code_bits"), shape.tokens),
                format!("Use at least {needed}"),
            ));
        }
    }
    errors
}

/// ⌈log₂ tokens⌉, at least 1.
pub(super) fn binary_digits(tokens: usize) -> usize {
    (usize::BITS - tokens.saturating_sub(1).leading_zeros()).max(1) as usize
}

/// The code of an experiment's tokens, on the device.
#[cfg(feature = "compute")]
#[derive(Debug)]
pub(super) struct Encoder {
    tokens: usize,
    /// `[1, tokens, features]`; `None` for one of p.
    table: Option<Tensor<3>>,
    device: Device,
}

#[cfg(feature = "compute")]
impl Encoder {
    pub(super) fn new(model: &ModelConfig, shape: Shape, device: &Device) -> Self {
        let width = features_per_token(model, shape.tokens);
        let table = if shape.tokens == 0 { None } else { table(model, shape.tokens) };
        let table = table.map(|values| Tensor::from_data(TensorData::new(values, [1, shape.tokens, width]), device));
        Self { tokens: shape.tokens, table, device: device.clone() }
    }

    /// The encoded rows times `matrix`: `[replica, features, n]` → `[replica, row, n]`.
    pub(super) fn project(&self, inputs: &Inputs, matrix: &Tensor<3>) -> Tensor<3> {
        if let Some(vectors) = inputs.vectors() {
            return vectors.clone().matmul(matrix.clone());
        }
        let half = matrix.dims()[1] / 2;
        let of_tokens = |part: Tensor<3>| match &self.table {
            Some(table) => table.clone().matmul(part),
            None => part,
        };
        inputs.rows_of_a(of_tokens(matrix.clone().slice(s![.., 0..half, ..])))
            + inputs.rows_of_b(of_tokens(matrix.clone().slice(s![.., half.., ..])))
    }

    /// The encoded rows themselves for `replicas` replicas: `[replica, row, features]`.
    pub(super) fn rows(&self, inputs: &Inputs, replicas: usize) -> Tensor<3> {
        if let Some(vectors) = inputs.vectors() {
            return vectors.clone();
        }
        let table = match &self.table {
            Some(table) => table.clone(),
            None => {
                let tokens = self.tokens;
                let identity = (0..tokens * tokens).map(|at| if at / tokens == at % tokens { 1.0 } else { 0.0 }).collect();
                Tensor::from_data(TensorData::new(identity, [1, tokens, tokens]), &self.device)
            }
        };
        let table = table.repeat_dim(0, replicas);
        Tensor::cat(vec![inputs.rows_of_a(table.clone()), inputs.rows_of_b(table)], 2)
    }
}
