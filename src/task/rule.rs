//! What a task is: all its inputs, their answers, and what is known of its symmetry.

use super::group::Group;
use crate::experiment::fields::Kind;
use crate::experiment::settings::Settings;
use crate::experiment::{Experiment, FieldError};
use core::fmt::Debug;

/// A registered task.
#[derive(Debug, Clone, Copy)]
pub struct TaskKind {
    /// Name, label, help and settings (`task.…`).
    pub kind: Kind,
    /// The rule with these settings. The settings are in range, but may not go together: see [`Rule::check`].
    pub rule: fn(&Settings) -> Box<dyn Rule>,
}

/// The sizes of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    /// Rows of the domain.
    pub rows: u32,
    /// Tokens that a pair is made of; 0 for a task on vectors.
    pub tokens: u32,
    /// Numbers in an input vector; 0 for a task on pairs.
    pub width: u32,
    /// Classes; 1 for a real-valued answer.
    pub classes: u32,
}

/// All inputs of a task.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// Pairs of tokens.
    Pairs(Vec<(u16, u16)>),
    /// Rows of [`Sizes::width`] numbers, one after another.
    Vectors(Vec<f32>),
}

/// The true answer of each row.
#[derive(Debug, Clone, PartialEq)]
pub enum Answers {
    /// Classes, 0..[`Sizes::classes`].
    Labels(Vec<u16>),
    /// Real numbers.
    Values(Vec<f32>),
}

/// The cycle over which a task's Fourier measures are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cycle {
    /// Tokens are residues and the answer is linear in them.
    Additive(u32),
    /// The answer is linear in discrete logarithms of the non-zero residues modulo this prime.
    Multiplicative(u32),
}

/// A task with its settings.
pub trait Rule: Debug {
    /// The rule as people write it, with its settings: `(a + b) mod 31`.
    fn formula(&self) -> String;

    /// Sizes, without enumerating anything.
    fn sizes(&self) -> Sizes;

    /// Reasons why these settings do not go together, with the nearest that do.
    fn check(&self) -> Vec<FieldError> {
        Vec::new()
    }

    /// Inputs and answers, in the order that everything else refers to; pairs a-major. `seed` serves hidden truths and samples.
    /// Called only after [`Rule::check`] found nothing.
    fn domain(&self, seed: u64) -> (Domain, Answers);

    /// Whether f(a, b) = f(b, a) wherever both are in the domain.
    fn is_symmetric(&self) -> bool {
        false
    }

    /// The cycle of its Fourier measures, if it has one.
    fn cycle(&self) -> Option<Cycle> {
        None
    }

    /// The group in which the answer is the product of the tokens, if it is one.
    fn group(&self) -> Option<Group> {
        None
    }

    /// Whether each update draws rows of its own; see [`Rule::fresh`].
    fn is_online(&self) -> bool {
        self.fresh(0, 0, 0).is_some()
    }

    /// `count` fresh rows for update `step`, if the task is sampled online instead of from a fixed training set.
    fn fresh(&self, _seed: u64, _step: u32, _count: u32) -> Option<(Domain, Answers)> {
        None
    }
}

/// The rule of an experiment; `None` if its name is not registered.
pub fn rule_of(experiment: &Experiment) -> Option<Box<dyn Rule>> {
    let kind = super::tasks().iter().find(|t| t.kind.name == experiment.task.operation)?;
    Some((kind.rule)(&experiment.task.settings))
}
