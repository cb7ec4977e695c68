//! A run of the laboratory as a panel sees it.

use crate::experiment::Experiment;
use crate::record::{MeasureTable, MetricRow};

/// What is known of a run, which may be under way.
#[derive(Debug, Clone, Copy)]
pub struct RunView<'a> {
    /// What was run.
    pub experiment: &'a Experiment,
    /// Its evaluations so far, ascending in step.
    pub rows: &'a [MetricRow],
    /// What was measured of its checkpoints; may be empty.
    pub measures: &'a MeasureTable,
}
