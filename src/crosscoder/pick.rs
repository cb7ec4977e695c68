//! Which checkpoints does a crosscoder compare when nobody names them?
//!
//! Three: the network that has memorised, the onset of generalisation, and the clean network. Fixed steps would fit one seed
//! only (the jump moves by a factor of four between seeds), so the picks are read off the run's own curves.

use crate::measure::delay::delay;
use crate::record::{MetricRow, UserError};

/// The onset has about this test accuracy.
const ONSET: f64 = 0.10;
/// Above this test accuracy a checkpoint is taken as onset only if none below exists.
const ONSET_AT_MOST: f64 = 0.25;
/// Test accuracies closer than this are equal for the choice: the noise of a plateau must not decide it.
const ONSET_TOLERANCE: f64 = 0.01;
/// The memorised network is taken this many times t_mem after the start, when memorising has settled.
const SETTLED: f64 = 1.5;
/// The clean network has at least this test accuracy.
const CLEAN: f64 = 0.95;

/// Steps of three checkpoints, ascending: memorised, onset, clean.
///
/// Let t_mem be the first evaluation with training accuracy ≥ .99 and t_half the first with test accuracy ≥ .5.
/// * *Memorised*: the first saved step ≥ 1.5·t_mem before the onset; if there is none, the first saved step ≥ t_mem.
/// * *Onset*: of the saved steps after the first one ≥ t_mem and before t_half, the one whose test accuracy is closest to .10
///   and at most .25 (the last of those that tie within .01); if all are above .25, as on the plateau that mirrored test rows
///   make, the last one.
/// * *Clean*: the last saved step with test accuracy ≥ .95.
///
/// Accuracy at a saved step between two evaluations is interpolated. `rows` and `saved_steps` are ascending.
///
/// # Errors
/// If the run did not memorise, did not generalise, or saved too few checkpoints in between.
pub fn pick_sources(rows: &[MetricRow], saved_steps: &[u32]) -> Result<Vec<u32>, UserError> {
    let by_hand = |cause: &str, otherwise: &str| UserError::new(cause, format!("Choose the steps by hand, or {otherwise}"));
    let dates = delay(rows, true);
    let t_mem = dates.t_mem.ok_or_else(|| {
        by_hand("The run has not memorised its training rows (training accuracy stays below .99)", "train longer")
    })?;
    let t_half = dates
        .t_half
        .ok_or_else(|| by_hand("The run has not generalised (test accuracy stays below .5)", "train until it groks"))?;
    let clean = saved_steps
        .iter()
        .copied()
        .rfind(|&step| step >= t_half && test_accuracy(rows, step) >= CLEAN)
        .ok_or_else(|| by_hand("No saved checkpoint has test accuracy ≥ .95", "train longer"))?;
    let between: Vec<u32> = saved_steps.iter().copied().filter(|&step| step >= t_mem && step < t_half).collect();
    let [first, candidates @ ..] = between.as_slice() else {
        return Err(no_room(t_mem, t_half));
    };
    let onset = onset(rows, candidates).ok_or_else(|| no_room(t_mem, t_half))?;
    let settled = |step: &u32| f64::from(*step) >= SETTLED * f64::from(t_mem) && *step < onset;
    let memorised = between.iter().copied().find(settled).unwrap_or(*first);
    Ok(vec![memorised, onset, clean])
}

fn no_room(t_mem: u32, t_half: u32) -> UserError {
    UserError::new(
        format!("Fewer than two checkpoints were saved between memorising (step {t_mem}) and test accuracy .5 (step {t_half})"),
        "Choose the steps by hand, or save checkpoints more often (logging.checkpoint_every)",
    )
}

fn onset(rows: &[MetricRow], candidates: &[u32]) -> Option<u32> {
    let distance = |step: u32| {
        let accuracy = test_accuracy(rows, step);
        (accuracy <= ONSET_AT_MOST).then_some((accuracy - ONSET).abs())
    };
    let closest = candidates.iter().filter_map(|&step| distance(step)).min_by(f64::total_cmp);
    match closest {
        Some(best) => candidates.iter().copied().rfind(|&step| distance(step).is_some_and(|d| d <= best + ONSET_TOLERANCE)),
        None => candidates.last().copied(),
    }
}

/// Test accuracy at `step`, linear between evaluations, constant beyond the first and last.
fn test_accuracy(rows: &[MetricRow], step: u32) -> f64 {
    let after = rows.partition_point(|row| row.step < step);
    let value = |row: &MetricRow| f64::from(row.test_accuracy);
    match (after.checked_sub(1).and_then(|before| rows.get(before)), rows.get(after)) {
        (Some(before), Some(after)) => {
            let share = f64::from(step - before.step) / f64::from(after.step - before.step);
            // At the evaluation itself the value is exact, whatever came before it.
            if after.step == step { value(after) } else { value(before) + share * (value(after) - value(before)) }
        }
        (Some(row), None) | (None, Some(row)) => value(row),
        (None, None) => f64::NAN,
    }
}

/// At most `count` of the ascending `saved` steps, the first and the last among them: evenly spaced in steps, or in their logarithms
/// (`by_doubling`; step 0 counts as 1). Each wish takes the nearest saved step; steps that coincide are fewer.
pub fn spread(saved: &[u32], count: usize, by_doubling: bool) -> Vec<u32> {
    let (Some(&first), Some(&last)) = (saved.first(), saved.last()) else { return Vec::new() };
    let to = |step: u32| if by_doubling { libm::log(f64::from(step.max(1))) } else { f64::from(step) };
    let wish = |at: usize| to(first) + (to(last) - to(first)) * at as f64 / (count.max(2) - 1) as f64;
    let nearest = |wish: f64| saved.iter().copied().min_by(|a, b| (to(*a) - wish).abs().total_cmp(&(to(*b) - wish).abs()));
    let mut steps: Vec<u32> = (0..count.max(2)).filter_map(|at| nearest(wish(at))).collect();
    steps.dedup();
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_spread_evenly_or_by_doubling() {
        let saved: Vec<u32> = (0..=32).map(|at| at * 50).collect();
        assert_eq!(spread(&saved, 5, false), [0, 400, 800, 1200, 1600]);
        // 1600^(1/4) = 6.3: 1, 6, 40, 253, 1600.
        assert_eq!(spread(&saved, 5, true), [0, 50, 250, 1600]);
        assert_eq!(spread(&saved, 100, false).len(), 33);
        assert_eq!((spread(&[], 5, false), spread(&[7], 3, true)), (vec![], vec![7]));
    }

    /// Piecewise linear curves, evaluated every 10 steps up to `end`.
    fn curves(train: &[(u32, f32)], test: &[(u32, f32)], end: u32) -> Vec<MetricRow> {
        let at = |points: &[(u32, f32)], step: u32| {
            let after = points.partition_point(|p| p.0 < step).clamp(1, points.len() - 1);
            let ((x0, y0), (x1, y1)) = (points[after - 1], points[after]);
            (y0 + (y1 - y0) * (step as f32 - x0 as f32) / (x1 as f32 - x0 as f32)).clamp(0.0, 1.0)
        };
        let row = |step| MetricRow {
            step,
            train_loss: 0.0,
            test_loss: 0.0,
            train_accuracy: at(train, step),
            test_accuracy: at(test, step),
            weight_norm: 1.0,
            probe_accuracy: None,
        };
        (0..=end).step_by(10).map(row).collect()
    }

    const TRAIN: [(u32, f32); 3] = [(0, 0.0), (150, 1.0), (2000, 1.0)];

    #[test]
    fn the_reference_run_gives_its_published_picks() {
        // Mirror-split transformer p = 59: train .99 at ~150, test .10 at 600, .94 at 750, 1.00 at 850; picks 250, 600, 1000.
        let test = [(0, 0.017), (300, 0.02), (500, 0.05), (600, 0.10), (650, 0.3), (750, 0.94), (850, 1.0), (2000, 1.0)];
        let saved: Vec<u32> = (0..=1000).step_by(50).collect();
        assert_eq!(pick_sources(&curves(&TRAIN, &test, 1000), &saved).unwrap(), [250, 600, 1000]);
    }

    #[test]
    fn noise_on_a_plateau_does_not_pick_an_early_onset() {
        let mut rows = curves(&TRAIN, &[(0, 0.02), (600, 0.02), (640, 0.9), (700, 1.0), (900, 1.0)], 900);
        rows[30].test_accuracy = 0.026;
        let saved: Vec<u32> = (0..=900).step_by(100).collect();
        assert_eq!(pick_sources(&rows, &saved).unwrap(), [300, 600, 900]);
    }

    #[test]
    fn a_plateau_of_mirrored_rows_is_left_at_its_end() {
        let test = [(0, 0.017), (140, 0.4), (400, 0.42), (440, 0.6), (500, 1.0), (900, 1.0)];
        let saved: Vec<u32> = (0..=900).step_by(50).collect();
        assert_eq!(pick_sources(&curves(&TRAIN, &test, 900), &saved).unwrap(), [250, 400, 900]);
    }

    #[test]
    fn a_quick_grok_keeps_memorised_before_onset() {
        let test = [(0, 0.0), (150, 0.05), (180, 0.2), (200, 0.6), (250, 1.0), (400, 1.0)];
        let saved: Vec<u32> = (0..=400).step_by(10).collect();
        assert_eq!(pick_sources(&curves(&TRAIN, &test, 400), &saved).unwrap(), [150, 160, 400]);
    }

    #[test]
    fn accuracy_between_evaluations_is_interpolated() {
        let rows = curves(&TRAIN, &[(0, 0.0), (1000, 1.0)], 1000);
        assert!((test_accuracy(&rows, 333) - 0.333).abs() < 1e-6);
        assert!((test_accuracy(&rows, 330) - 0.33).abs() < 1e-6);
        assert!((test_accuracy(&rows, 5000) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn runs_without_the_story_are_refused_with_a_remedy() {
        let saved: Vec<u32> = (0..=900).step_by(50).collect();
        let flat = [(0, 0.02), (900, 0.02)];
        let cause = |rows: &[MetricRow], saved: &[u32]| {
            let error = pick_sources(rows, saved).unwrap_err();
            assert!(error.remedy.contains("by hand"), "{error}");
            error.cause
        };
        assert!(cause(&curves(&flat, &flat, 900), &saved).contains("not memorised"));
        assert!(cause(&curves(&TRAIN, &flat, 900), &saved).contains("not generalised"));
        assert!(cause(&curves(&TRAIN, &[(0, 0.0), (900, 0.7)], 900), &saved).contains(".95"));
        let grokked = curves(&TRAIN, &[(0, 0.0), (300, 0.02), (500, 1.0), (900, 1.0)], 900);
        assert!(cause(&grokked, &[0, 300, 900]).contains("Fewer than two"));
        assert!(cause(&[], &[]).contains("not memorised"));
    }
}
