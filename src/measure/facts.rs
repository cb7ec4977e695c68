//! Everything that a measure may know of a checkpoint.
//!
//! Measures are functions of this and nothing else, so the same number comes out of the page, the terminal and a test, and a
//! test can put an oracle (an untrained, an analytic or a look-up network) in the place of a trained one.

use super::harmonics::Harmonics;
use crate::crosscoder::Hook;
use crate::experiment::Experiment;
use crate::record::{UserError, Weights};
use crate::task::Dataset;

/// Numbers `[row, width]`, one line per row of the data set, row-major.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grid {
    /// Numbers per row.
    pub width: usize,
    /// All numbers.
    pub values: Vec<f32>,
}

impl Grid {
    /// The lines.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.width.max(1))
    }

    /// One line.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.width..(index + 1) * self.width]
    }
}

/// A checkpoint under examination.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The run.
    pub experiment: &'a Experiment,
    /// Its rows and their sides.
    pub data: &'a Dataset,
    /// Updates made.
    pub step: u32,
    /// The weights, named as in checkpoints.
    pub weights: &'a Weights,
    /// The run's first checkpoint, if there is one.
    pub start: Option<&'a Weights>,
    /// The checkpoint before this one with its step, if there is one.
    pub before: Option<(u32, &'a Weights)>,
    /// The task's harmonics, if it has any.
    pub harmonics: Option<&'a Harmonics>,
    /// Numbers of the key components: the smallest set that carries [`KEY_ENERGY`] of the last checkpoint's logits as a function
    /// of the answer; largest first.
    pub keys: &'a [usize],
    /// The activations that the measures asked for.
    pub activations: &'a [(Hook, Grid)],
}

/// Share of the energy that key components carry; see [`Facts::keys`].
pub const KEY_ENERGY: f64 = 0.9;

impl Facts<'_> {
    /// The activation at `hook`, `[row, width]`.
    ///
    /// # Errors
    /// If it was not read.
    pub fn activation(&self, hook: Hook) -> Result<&Grid, UserError> {
        self.activations
            .iter()
            .find(|(name, _)| *name == hook)
            .map(|(_, grid)| grid)
            .ok_or_else(|| UserError::new(format!("The activation {} was not read", hook.name()), "Choose a network that has it"))
    }

    /// The network's outputs, `[row, output]`.
    ///
    /// # Errors
    /// If they were not read.
    pub fn logits(&self) -> Result<&Grid, UserError> {
        self.activation(Hook::Logits)
    }

    /// The task's harmonics.
    ///
    /// # Errors
    /// If its answers are not those of a group.
    pub fn harmonics(&self) -> Result<&Harmonics, UserError> {
        match self.harmonics {
            Some(harmonics) => Ok(harmonics),
            // The reason is worth the work of finding it again.
            None => Err(Harmonics::of(self.experiment)
                .err()
                .unwrap_or_else(|| UserError::new("The harmonics of this task were not computed", "Measure again"))),
        }
    }

    /// The label of each row, the true one.
    pub fn label(&self, row: usize) -> usize {
        usize::from(self.data.rows[row].label)
    }

    /// The label that training saw, for each training row: (row, label).
    pub fn train_labels(&self) -> impl Iterator<Item = (usize, usize)> {
        self.data.train.iter().zip(&self.data.train_labels).map(|(row, label)| (*row as usize, usize::from(*label)))
    }
}

/// The hook before the unembedding: the residual stream, else the last hidden layer; `None` where there is neither.
pub fn penultimate(experiment: &Experiment) -> Option<Hook> {
    [Hook::ResidPost, Hook::MlpPost].into_iter().find(|hook| crate::model::hook_width(experiment, *hook).is_some())
}

/// Refuses tasks whose answers are not classes with one output each.
///
/// # Errors
/// In that case.
pub fn needs_classes(experiment: &Experiment) -> Result<(), UserError> {
    let classes = crate::task::rule_of(experiment).map_or(0, |rule| rule.sizes().classes as usize);
    let outputs = crate::model::hook_width(experiment, Hook::Logits).unwrap_or(0);
    if classes > 1 && outputs == classes {
        return Ok(());
    }
    Err(UserError::new(
        "This measure compares the outputs of several classes, and this network does not have one output per class",
        "Use a task with classes and a loss with one output for each, such as cross_entropy",
    ))
}

/// Refuses tasks that are not on pairs of tokens.
///
/// # Errors
/// In that case.
pub fn needs_pairs(experiment: &Experiment) -> Result<(), UserError> {
    match crate::task::rule_of(experiment).map(|rule| rule.sizes().tokens) {
        Some(tokens) if tokens > 0 => Ok(()),
        _ => Err(UserError::new(
            "This measure is about pairs of tokens, and the inputs of this task are vectors",
            "Use a task on pairs, such as addition",
        )),
    }
}

/// Refuses tasks whose answers are not the elements of a group, each equally often, with one output each.
///
/// # Errors
/// In that case.
pub fn needs_harmonic_logits(experiment: &Experiment) -> Result<(), UserError> {
    needs_classes(experiment)?;
    Harmonics::of(experiment)?.require_even_answers()
}
