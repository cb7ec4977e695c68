//! Easy rows first, or hard ones: rows sit an update out by their own loss.
//!
//! Self-paced learning (Kumar et al. 2010) trains on rows that are easy so far; hard-example mining on those that are not. Both
//! are a bound on a row's loss in units of the batch's mean, decided on the device in every update, so nothing is sorted or read
//! back. Published effects on grokking are small (a report found Grokfast to dominate); compare in a race.

use super::Part;
use crate::experiment::Experiment;
use crate::experiment::field::{Field, FieldKind, above};

/// The registration. It acts on rows and not on gradients, so it builds no modifier.
pub(super) const PART: Part = Part {
    fields: &[
        Field::new(
            "training.pace",
            "Rows by loss",
            "Whether rows sit an update out by their own loss: the hard ones (easy first) or the easy ones (hard first)",
            FieldKind::Choice(&[("off", "All rows"), ("easy_first", "Easy first"), ("hard_first", "Hard first")]),
        )
        .neutral("off")
        .live(),
        Field::new("training.pace_bound", "Bound", "Where easy ends, in units of the batch's mean loss", above(0.0, 1000.0))
            .starts("1")
            .live()
            .when(&[("training.pace", &["easy_first", "hard_first"])]),
    ],
    check: |_| Vec::new(),
    #[cfg(feature = "compute")]
    build: |_| None,
};

/// Which rows take part in an update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// Those with a loss of at most this many times the mean.
    AtMost(f64),
    /// Those with a loss of at least this many times the mean.
    AtLeast(f64),
}

/// What an experiment asks for; `None` if all rows take part.
pub fn pace(experiment: &Experiment) -> Option<Pace> {
    let bound = experiment.training.number("pace_bound");
    match experiment.training.text("pace") {
        "easy_first" => Some(Pace::AtMost(bound)),
        "hard_first" => Some(Pace::AtLeast(bound)),
        _ => None,
    }
}
