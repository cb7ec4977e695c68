//! What a panel works out beyond its first answer: grids and ensembles that take minutes, part by part.
//!
//! A panel answers within a second; a phase plane of a hundred trainings, or P(m) over 64 networks, cannot. Such work is a list of
//! parts, so that whoever drives it (the engine's worker, the terminal) can stop between two, show how far it is, and draw what is
//! known already. Networks of the laboratory are trained by the driver, which has an engine: the members of one part train at once,
//! as replicas. Rejected: panels that train by themselves. They would need burn, and theory is plain arithmetic.

use super::Outcome;
use crate::experiment::Experiment;
use crate::record::{MeasureTable, MetricRow, UserError};

/// Most networks of one part: what the replica axis is tested for.
pub const MAX_MEMBERS: usize = 64;

/// Work under way. Parts are taken in their order: [`Survey::part`], then [`Survey::take`] with what came of it.
pub trait Survey {
    /// The next part, or `None` when all is done.
    fn part(&self) -> Option<Part>;

    /// Works the next part out, with the networks that it asked for (none for [`Part::Own`]), in their order.
    ///
    /// # Errors
    /// If a part cannot be worked out; the survey then ends.
    fn take(&mut self, members: Vec<Member>) -> Result<(), UserError>;

    /// Share of all parts that is done, 0 to 1.
    fn done(&self) -> f32;

    /// What is known so far. Claims that need more parts than are done are not made yet.
    fn outcome(&self) -> Outcome;
}

/// What the next part of a survey is.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Arithmetic of its own, well under a second of it.
    Own,
    /// An ensemble of networks to be trained to the end of their budget.
    Train(Ensemble),
}

/// Networks that train at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    /// 1 to [`MAX_MEMBERS`], equal in everything but the seed and what the replica axis allows to differ.
    pub experiments: Vec<Experiment>,
    /// Names of measures to take at their checkpoints, see `measure::measures`; may be empty.
    pub measures: Vec<String>,
}

/// One network of an ensemble, trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// What it was.
    pub experiment: Experiment,
    /// Its evaluations; they end early where the loss stopped being a number.
    pub rows: Vec<MetricRow>,
    /// Its measures; empty if none were asked for.
    pub measures: MeasureTable,
}
