//! Which further runs one dictionary can span, and which of their checkpoints it reads.
//!
//! Rows are compared one by one, so runs with other inputs would be read as if (3, 5) were (1, 7). The terminal, the page and the
//! engine ask here, so that what one refuses the others do not begin.

use super::pick::pick_sources;
use crate::experiment::Experiment;
use crate::record::{MetricRow, UserError};
use crate::task::Dataset;

/// Whether the run `name` of `theirs` has the inputs of `own`, in the same order.
///
/// # Errors
/// If it has others.
pub fn check_same_inputs(name: &str, theirs: &Experiment, own: &Experiment) -> Result<(), UserError> {
    let of = |experiment: &Experiment| Dataset::new(&experiment.task, experiment.seed);
    let inputs = |data: &Dataset| data.rows.iter().map(|row| (row.a, row.b)).collect::<Vec<_>>();
    let (theirs, own) = (of(theirs)?, of(own)?);
    if inputs(&theirs) == inputs(&own) && theirs.vectors == own.vectors {
        return Ok(());
    }
    let cause = format!("The run \"{name}\" has other inputs ({} of them, not {})", theirs.rows.len(), own.rows.len());
    Err(UserError::new(cause, "Add runs of the same task; seeds may differ"))
}

/// Steps of the checkpoints that are read of a further run with these evaluations and `saved` checkpoints: its own memorised,
/// onset and clean one, or, where `chosen` names steps, the saved ones nearest to them.
///
/// # Errors
/// If nothing was saved, or if the steps have to be picked and cannot be (see [`pick_sources`]).
pub fn further_steps(chosen: &[u32], rows: &[MetricRow], saved: &[u32]) -> Result<Vec<u32>, UserError> {
    if chosen.is_empty() {
        return pick_sources(rows, saved);
    }
    let nearest = |step: &u32| saved.iter().copied().min_by_key(|kept| kept.abs_diff(*step));
    let mut steps: Vec<u32> = chosen.iter().filter_map(nearest).collect();
    steps.dedup();
    if steps.is_empty() {
        return Err(UserError::new("The run kept no checkpoints", "Add a run that was trained with checkpoints"));
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{preset, with_value};

    #[test]
    fn another_seed_has_the_same_inputs_and_another_modulus_has_not() {
        let own = &preset("quadratic-31").unwrap().experiment;
        let with = |path: &str, text: &str| with_value(own, path, text).unwrap();
        assert_eq!(check_same_inputs("seed 7", &with("seed", "7"), own), Ok(()));
        let error = check_same_inputs("p = 29", &with("task.modulus", "29"), own).unwrap_err();
        assert!(error.cause.contains("p = 29") && error.cause.contains("841 of them, not 961"), "{error}");
    }

    #[test]
    fn chosen_steps_take_the_nearest_kept_ones_once_each() {
        assert_eq!(further_steps(&[0, 240, 260, 900], &[], &[0, 250, 500]), Ok(vec![0, 250, 500]));
        assert!(further_steps(&[10], &[], &[]).unwrap_err().cause.contains("no checkpoints"));
    }

    #[test]
    fn without_chosen_steps_the_run_must_tell_its_own_story() {
        assert!(further_steps(&[], &[], &[0, 250]).unwrap_err().cause.contains("not memorised"));
    }
}
