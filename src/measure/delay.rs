//! When did the network memorise, when did it generalise?
//!
//! Without one rule, each chart and table would date the grok differently. A single lucky evaluation is not generalisation, so
//! test accuracy must hold at the next evaluations; the training threshold is crossed once, as in the literature. Rejected:
//! smoothing the curve, which moves the date by the width of the window.

use crate::experiment::presets::{Findings, LOW_LOSS};
use crate::record::MetricRow;

/// Training accuracy that counts as memorised.
pub(super) const MEMORISED: f32 = 0.99;
/// Test accuracy that counts as generalised.
const GENERALISED: f32 = 0.95;
/// The stricter threshold for generalised.
const GENERALISED_99: f32 = 0.99;
/// Test accuracy half-way up.
const HALF: f32 = 0.5;
/// Evaluations after the crossing at which test accuracy must still hold.
pub(super) const HOLDS: usize = 5;

/// Dates of memorising and generalising, in updates. See the fields of [`crate::record::RunSummary`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delay {
    /// First evaluated step with training accuracy ≥ .99.
    pub t_mem: Option<u32>,
    /// First evaluated step with test accuracy ≥ .95 that also holds at the next 5 evaluations.
    pub t_gen: Option<u32>,
    /// The same with test accuracy ≥ .99.
    pub t_gen_99: Option<u32>,
    /// First evaluated step with test accuracy ≥ .5.
    pub t_half: Option<u32>,
}

/// Reads the dates off evaluations in ascending step.
///
/// A crossing with fewer than 5 later evaluations is undecided while the run goes on (`None`); once the run is `finished` it
/// counts if it holds at all that remain. NaN never reaches a threshold.
pub fn delay(rows: &[MetricRow], finished: bool) -> Delay {
    Delay {
        t_mem: rows.iter().find(|row| row.train_accuracy >= MEMORISED).map(|row| row.step),
        t_gen: sustained(rows, GENERALISED, finished),
        t_gen_99: sustained(rows, GENERALISED_99, finished),
        t_half: rows.iter().find(|row| row.test_accuracy >= HALF).map(|row| row.step),
    }
}

/// What the evaluations of a run that has ended say to the bands of a preset. `is_whole` is false for one that was stopped.
pub fn findings(rows: &[MetricRow], is_whole: bool) -> Findings {
    let dates = delay(rows, true);
    Findings {
        t_mem: dates.t_mem,
        t_gen: dates.t_gen,
        low_test_loss: rows.iter().find(|row| row.test_loss < LOW_LOSS).map(|row| row.step),
        test_accuracy: rows.last().map_or(f32::NAN, |row| row.test_accuracy),
        is_whole,
    }
}

fn sustained(rows: &[MetricRow], threshold: f32, finished: bool) -> Option<u32> {
    // Walking backwards keeps the length of the run of evaluations that reach the threshold: one pass over long records.
    let mut run = 0;
    let mut first = None;
    for (later, row) in rows.iter().rev().enumerate() {
        run = if row.test_accuracy >= threshold { run + 1 } else { 0 };
        let to_end = finished && run == later + 1;
        if run > HOLDS || (run > 0 && to_end) {
            first = Some(row.step);
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(accuracies: &[(f32, f32)]) -> Vec<MetricRow> {
        accuracies
            .iter()
            .enumerate()
            .map(|(i, &(train_accuracy, test_accuracy))| MetricRow {
                step: 10 * i as u32,
                train_loss: 0.0,
                test_loss: 0.0,
                train_accuracy,
                test_accuracy,
                weight_norm: 1.0,
                probe_accuracy: None,
            })
            .collect()
    }

    fn test_curve(accuracies: &[f32]) -> Vec<MetricRow> {
        rows(&accuracies.iter().map(|&a| (1.0, a)).collect::<Vec<_>>())
    }

    #[test]
    fn memorising_is_the_first_crossing_and_needs_not_hold() {
        let rows = rows(&[(0.2, 0.0), (0.99, 0.0), (0.5, 0.0), (1.0, 0.51)]);
        assert_eq!(delay(&rows, false), Delay { t_mem: Some(10), t_half: Some(30), ..Delay::default() });
    }

    #[test]
    fn a_lucky_evaluation_does_not_date_the_grok() {
        let mut curve = vec![0.1, 0.96, 0.3];
        curve.extend([0.96; 5]);
        assert_eq!(delay(&test_curve(&curve), false).t_gen, None, "only four later evaluations");
        curve.push(0.97);
        assert_eq!(delay(&test_curve(&curve), false).t_gen, Some(30));
        assert_eq!(delay(&test_curve(&curve), false).t_gen_99, None);
        curve.push(0.2);
        assert_eq!(delay(&test_curve(&curve), true).t_gen, Some(30), "a later fall does not undo it");
    }

    #[test]
    fn the_end_of_a_run_decides_what_was_undecided() {
        let rows = test_curve(&[0.1, 0.96, 0.99, 1.0]);
        assert_eq!(delay(&rows, false), Delay { t_mem: Some(0), t_half: Some(10), ..Delay::default() });
        let done = delay(&rows, true);
        assert_eq!((done.t_gen, done.t_gen_99), (Some(10), Some(20)));
        assert_eq!(delay(&test_curve(&[0.96, 0.96, 0.9]), true).t_gen, None, "it must hold at all that remain");
        assert_eq!(delay(&test_curve(&[0.1, 0.96]), true).t_gen, Some(10), "the last evaluation itself");
    }

    #[test]
    fn nan_and_empty_records_have_no_dates() {
        assert_eq!(delay(&[], true), Delay::default());
        assert_eq!(delay(&rows(&[(f32::NAN, f32::NAN); 9]), true), Delay::default());
        let mut curve = vec![0.97; 3];
        curve.push(f32::NAN);
        curve.extend([0.97; 6]);
        assert_eq!(delay(&test_curve(&curve), false).t_gen, Some(40), "NaN breaks what holds");
    }

    #[test]
    fn findings_are_the_dates_the_first_low_loss_and_the_last_accuracy() {
        let mut rows = rows(&[(0.2, 0.0), (0.99, 0.1), (1.0, 0.96), (1.0, 0.98)]);
        for (row, loss) in rows.iter_mut().zip([3.0, 0.1, 0.09, 0.2]) {
            row.test_loss = loss;
        }
        let expected =
            Findings { t_mem: Some(10), t_gen: Some(20), low_test_loss: Some(20), test_accuracy: 0.98, is_whole: true };
        assert_eq!(findings(&rows, true), expected);
        let none = findings(&[], false);
        assert!(none.test_accuracy.is_nan() && none.t_gen.is_none() && !none.is_whole);
    }
}
