//! Questions that a measure asks of the network, one after another.
//!
//! A learning coefficient needs hundreds of gradients at other weights, but this room knows no device, a browser answers only
//! asynchronously, and training must not wait. So such a measure is a small machine that asks, is told, and asks again:
//! whoever drives it may pause between any two questions, and a test can answer from a closed form.

use crate::record::{UserError, Value, Weights};

/// Something that only a forward or backward pass can tell.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// The training loss at these weights (mean over the training rows, as training sees them).
    Loss {
        /// Where.
        weights: Weights,
    },
    /// The training loss and its gradient at these weights.
    Slope {
        /// Where.
        weights: Weights,
        /// Positions into `Dataset::train`; `None` for all of them.
        rows: Option<Vec<u32>>,
    },
    /// The gradient of one logit at one row of the domain with respect to all weights.
    LogitSlope {
        /// Where; `None` for the checkpoint's own weights.
        weights: Option<Weights>,
        /// Index into `Dataset::rows`.
        row: u32,
        /// Which output.
        output: u32,
    },
    /// For each (a, b, output): the gradients of that logit with respect to the embedding of a and of b, as if each token of each
    /// pair had an embedding of its own. No a and no b may occur twice in one question.
    EmbeddingSlope {
        /// The pairs and their logits.
        triples: Vec<(u16, u16, u16)>,
    },
}

/// What comes back.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// To [`Question::Loss`].
    Loss(f64),
    /// To [`Question::Slope`].
    Slope {
        /// Mean loss over the rows.
        loss: f64,
        /// One number per weight, under the same names.
        gradient: Weights,
    },
    /// To [`Question::LogitSlope`]: one number per weight, tensor after tensor in the order of the checkpoint's weights.
    LogitSlope(Vec<f32>),
    /// To [`Question::EmbeddingSlope`]: `[d]` twice for each triple.
    EmbeddingSlope(Vec<[Vec<f32>; 2]>),
}

impl Answer {
    /// The loss that was asked for.
    ///
    /// # Errors
    /// If something else came back.
    pub(super) fn into_loss(self) -> Result<f64, UserError> {
        match self {
            Self::Loss(loss) => Ok(loss),
            _ => Err(confused()),
        }
    }

    /// The loss and gradient that were asked for.
    ///
    /// # Errors
    /// If something else came back.
    pub(super) fn into_slope(self) -> Result<(f64, Weights), UserError> {
        match self {
            Self::Slope { loss, gradient } => Ok((loss, gradient)),
            _ => Err(confused()),
        }
    }
}

/// What a measure wants next.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// An answer.
    Ask(Question),
    /// Nothing more: one value per column.
    Done(Vec<Value>),
}

/// A measure under way.
pub trait Inquiry {
    /// Takes the answer to the last question (`None` at first) and says what comes next.
    ///
    /// # Errors
    /// If no number can be given, with the reason.
    fn next(&mut self, answer: Option<Answer>) -> Result<Turn, UserError>;

    /// Share of the questions that were asked, 0..=1.
    fn progress(&self) -> f32;
}

/// An answer of another kind than the question.
pub(super) fn confused() -> UserError {
    UserError::new("The engine answered another question than was asked", "Measure again")
}
