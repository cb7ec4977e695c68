//! Hidden non-linearities, once for all networks.
//!
//! Two definitions of GELU (by the error function, and by the hyperbolic tangent that approximates it) differ by 10⁻³, enough
//! to part two runs; so every network takes its non-linearity from here, and GELU is the exact one.

use crate::experiment::ModelConfig;
#[cfg(feature = "compute")]
use burn::tensor::{Tensor, activation};

/// A hidden non-linearity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activation {
    /// x².
    Quadratic,
    /// max(x, 0).
    Relu,
    /// x·Φ(x), exact (error function).
    Gelu,
    /// tanh x.
    Tanh,
    /// x/(1 + e⁻ˣ).
    Silu,
}

impl Activation {
    /// `model.activation`; x² for an unknown name, which no checked experiment has.
    pub(super) fn of(model: &ModelConfig) -> Self {
        match model.settings.text("activation") {
            "relu" => Self::Relu,
            "gelu" => Self::Gelu,
            "tanh" => Self::Tanh,
            "silu" => Self::Silu,
            _ => Self::Quadratic,
        }
    }

    /// Applies it elementwise.
    #[cfg(feature = "compute")]
    pub(super) fn apply(self, x: Tensor<3>) -> Tensor<3> {
        match self {
            Self::Quadratic => x.clone() * x,
            Self::Relu => activation::relu(x),
            Self::Gelu => activation::gelu(x),
            Self::Tanh => activation::tanh(x),
            Self::Silu => activation::silu(x),
        }
    }
}
