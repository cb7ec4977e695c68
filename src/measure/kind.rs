//! What a measure is: numbers taken from one checkpoint, with all that a reader has to know about them.
//!
//! A number without its definition, source and limits is quoted as proof of what it does not show; so these stand in the
//! measure's own file, once, and the page, the terminal and the archive read them from there. A measure is one file with a
//! [`Measure`] and one line in `registry.rs`. Rejected: a trait object per measure, because nothing in it depends on state.

use super::facts::Facts;
use super::inquiry::Inquiry;
use crate::crosscoder::Hook;
use crate::experiment::Experiment;
use crate::record::{UserError, Value};

/// A registered measure.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// Name for choosing it, in snake case.
    pub name: &'static str,
    /// Short name for people.
    pub label: &'static str,
    /// What is computed, with its formula.
    pub definition: &'static str,
    /// Where the definition comes from.
    pub source: &'static str,
    /// What the number is not evidence of, one sentence.
    pub not_evidence_of: &'static str,
    /// What it costs.
    pub cost: Cost,
    /// The numbers that it gives, in the order of the values.
    pub columns: &'static [Column],
    /// Activations that have to be read for it.
    pub hooks: fn(&Experiment) -> Vec<Hook>,
    /// Whether it refers to the run's key components (see [`super::Harmonics`]), which its last checkpoint decides.
    pub needs_keys: bool,
    /// Why it has no meaning for an experiment, with what it has one for.
    pub applies: fn(&Experiment) -> Result<(), UserError>,
    /// The computation.
    pub work: Work,
}

/// What a measure costs per checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// Reads weights only: milliseconds.
    Weights,
    /// Reads activations of all rows, one forward pass: tens of milliseconds.
    Forward,
    /// One forward pass, but lists as long as a layer come of it: taken when asked for.
    Layer,
    /// Asks for gradients or other weights again and again: seconds.
    Sampling,
    /// Taken by training itself, of every run; no checkpoint has it.
    Training,
}

/// How a measure is computed.
#[derive(Debug, Clone, Copy)]
pub enum Work {
    /// At once: one value per column.
    Direct(fn(&Facts<'_>) -> Result<Vec<Value>, UserError>),
    /// By questions to the network.
    Asking(fn(&Facts<'_>) -> Result<Box<dyn Inquiry>, UserError>),
    /// In a build with an engine.
    Elsewhere,
    /// By the training loop.
    Training,
}

impl Work {
    /// [`Work::Direct`]. The page, which only tells and draws, is built without it: all measures with their linear algebra would
    /// be a quarter of its program.
    pub(super) const fn direct(take: fn(&Facts<'_>) -> Result<Vec<Value>, UserError>) -> Self {
        if cfg!(any(test, feature = "compute")) { Self::Direct(take) } else { Self::Elsewhere }
    }

    /// [`Work::Asking`], with the same exception.
    pub(super) const fn asking(begin: fn(&Facts<'_>) -> Result<Box<dyn Inquiry>, UserError>) -> Self {
        if cfg!(any(test, feature = "compute")) { Self::Asking(begin) } else { Self::Elsewhere }
    }
}

/// A number that a measure gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column {
    /// Name in files, in snake case, unique over all measures.
    pub name: &'static str,
    /// Short name for people.
    pub label: &'static str,
    /// Its unit: `nats`, `steps`; empty for a pure number.
    pub unit: &'static str,
    /// Least and largest possible value.
    pub range: [Option<f64>; 2],
    /// What a list runs over (`component`, `tensor`); `None` for a single number.
    pub over: Option<&'static str>,
}

impl Column {
    /// A single pure number.
    pub const fn new(name: &'static str, label: &'static str) -> Self {
        Self { name, label, unit: "", range: [None, None], over: None }
    }

    /// The same with a unit.
    pub const fn in_unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    /// The same between 0 and 1.
    pub const fn share(self) -> Self {
        self.within(0.0, 1.0)
    }

    /// The same, never negative.
    pub const fn positive(self) -> Self {
        Self { range: [Some(0.0), None], ..self }
    }

    /// The same between two ends.
    pub const fn within(self, least: f64, most: f64) -> Self {
        Self { range: [Some(least), Some(most)], ..self }
    }

    /// A list.
    pub const fn list(self, over: &'static str) -> Self {
        Self { over: Some(over), ..self }
    }
}

/// No activations: for [`Measure::hooks`].
pub(super) fn no_hooks(_: &Experiment) -> Vec<Hook> {
    Vec::new()
}

/// The logits alone: for [`Measure::hooks`].
pub(super) fn logits_only(_: &Experiment) -> Vec<Hook> {
    vec![Hook::Logits]
}

/// Every experiment: for [`Measure::applies`].
pub(super) fn any_experiment(_: &Experiment) -> Result<(), UserError> {
    Ok(())
}

/// A single number.
pub(super) fn number(value: f64) -> Value {
    Value::Number(value)
}
