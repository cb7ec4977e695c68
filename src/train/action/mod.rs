//! One-off interventions on the weights: what a line of the timeline does beside changing a setting.
//!
//! An action is one file here and one line in [`actions`]; its line on the timeline is `STEP NAME ARGUMENTS`. It changes weights
//! only: the optimiser's moments stay as they are, as after any jump of the weights. What it draws is a function of (seed,
//! update, tensor), so a replay draws it again.

mod arguments;
mod exchange;
mod noise;
mod prune;
mod rescale;
mod reset;
mod truncate;

#[cfg(feature = "compute")]
use super::modifier::Moment;
use crate::experiment::Experiment;
use crate::record::UserError;
#[cfg(feature = "compute")]
use burn::tensor::Tensor;

/// A registered action.
#[derive(Debug, Clone, Copy)]
pub struct ActionKind {
    /// The verb on the timeline, e.g. `rescale`.
    pub name: &'static str,
    /// How it is written, e.g. `rescale FACTOR [TENSOR]`.
    pub usage: &'static str,
    /// One sentence with its source.
    pub help: &'static str,
    /// Whether the arguments make sense for this experiment.
    pub check: fn(&[&str], &Experiment) -> Result<(), UserError>,
    /// Changes the weights, `[replica, rows, columns]` each. Reads the device only where it must.
    #[cfg(feature = "compute")]
    pub apply: Apply,
}

/// An action's work: arguments, experiment, moment, weights → weights. Asynchronous because some must look at the weights.
#[cfg(feature = "compute")]
pub type Apply = for<'a> fn(&'a [&'a str], &'a Experiment, &'a Moment<'a>, Vec<Tensor<3>>) -> Work<'a>;

/// An action at work.
#[cfg(feature = "compute")]
pub type Work<'a> = core::pin::Pin<Box<dyn Future<Output = Result<Vec<Tensor<3>>, UserError>> + 'a>>;

/// All actions.
pub fn actions() -> &'static [ActionKind] {
    &[rescale::ACTION, reset::ACTION, exchange::ACTION, noise::ACTION, prune::ACTION, truncate::ACTION]
}

#[cfg(test)]
#[cfg(feature = "cli")]
mod tests;
