//! Memorisation, circuit formation, clean-up: the three phases of a run that groks, drawn as bands behind its curves.
//!
//! Nanda et al. (2301.05217) describe the phases by what the losses do and set the borders by eye. A border that a person draws
//! differs from run to run, so these are rules, ours, on the excluded loss and the test loss after their description.

use super::delay::delay;
use crate::record::{MetricRow, UserError};

/// Share of its maximum below which the test loss has to stay for circuits to count as formed.
const FORMED: f32 = 0.9;
/// Share of its maximum at which the test loss counts as cleaned up.
const CLEAN: f32 = 0.01;

/// Where the phases end, in updates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Phases {
    /// End of memorisation: the checkpoint with the least excluded loss among those up to t_gen.
    pub memorised: u32,
    /// End of circuit formation: the first evaluation from there on after which the test loss stays at or below 90% of its
    /// maximum.
    pub formed: u32,
    /// End of clean-up: the first evaluation from there on at or after t_gen at .99 or with test loss ≤ 1% of its maximum; `None`
    /// if neither came within the run.
    pub cleaned: Option<u32>,
    /// Share of the fall of the restricted loss, from its first value to its least, that was done when clean-up began: near 1 if
    /// circuits were there before the test showed them. `None` if it never fell.
    pub restricted_fall: Option<f64>,
}

/// The phases of a finished run, from its evaluations and the curves (step, value) of its restricted and excluded loss, all in
/// ascending step. A border is no finer than the checkpoints (the first) or the evaluations (the others).
///
/// # Errors
/// If the run did not generalise, or there is no curve to go by.
pub fn phases(rows: &[MetricRow], restricted: &[(u32, f64)], excluded: &[(u32, f64)]) -> Result<Phases, UserError> {
    let dates = delay(rows, true);
    let Some(t_gen) = dates.t_gen else {
        return Err(UserError::new(
            "The run did not generalise, so it has no phases",
            "Train longer, or look at a run that grokked",
        ));
    };
    let until = excluded.iter().filter(|(step, value)| *step <= t_gen && value.is_finite());
    let Some(&(memorised, _)) = until.min_by(|x, y| x.1.total_cmp(&y.1)) else {
        return Err(UserError::new(
            "There is no excluded loss before the run generalised",
            "Measure its checkpoints, and keep more of them",
        ));
    };
    let most = rows.iter().map(|row| row.test_loss).filter(|loss| !loss.is_nan()).fold(0.0, f32::max);
    let stays_from = rows.iter().rposition(|row| row.test_loss > FORMED * most).map_or(0, |last| last + 1);
    let Some(formed) = rows.get(stays_from..).and_then(|rows| rows.iter().find(|row| row.step >= memorised)).map(|row| row.step)
    else {
        return Err(UserError::new(
            "The test loss ends within 10% of its maximum, so circuit formation has no end",
            "Train longer, or evaluate more often",
        ));
    };
    let is_clean =
        |row: &&MetricRow| row.step >= formed && (dates.t_gen_99.is_some_and(|t| row.step >= t) || row.test_loss <= CLEAN * most);
    let cleaned = rows.iter().find(is_clean).map(|row| row.step);
    Ok(Phases { memorised, formed, cleaned, restricted_fall: fall_until(restricted, formed) })
}

/// Share of a curve's fall from its first value to its least that was done at `step`.
fn fall_until(curve: &[(u32, f64)], step: u32) -> Option<f64> {
    let finite = || curve.iter().filter(|(_, value)| value.is_finite());
    let first = finite().next()?.1;
    let least = finite().map(|(_, value)| *value).fold(f64::INFINITY, f64::min);
    let then = finite().take_while(|(at, _)| *at <= step).map(|(_, value)| *value).fold(first, f64::min);
    (first > least).then(|| (first - then) / (first - least))
}

#[cfg(test)]
mod tests {
    use super::super::curves::tests::rows;
    use super::*;

    /// A planted grok, evaluated every 10 updates to 200: memorised at 40, test loss up to 10 and down, .95 at 130, .99 at 160.
    fn grok() -> Vec<MetricRow> {
        let line = |i: usize| {
            let (train, loss) =
                (if i >= 4 { 1.0 } else { 0.3 }, if i < 10 { 2.0 + 0.8 * i as f32 } else { 9.2 - 0.8 * (i - 9) as f32 });
            let accuracy = [0.0, 0.95, 1.0][usize::from(i >= 13) + usize::from(i >= 16)];
            [1.0 - train, loss.max(0.05), train, accuracy, 30.0]
        };
        rows(&(0..=20).map(line).collect::<Vec<_>>())
    }

    fn excluded() -> Vec<(u32, f64)> {
        vec![(0, 4.0), (20, 1.0), (50, 0.2), (80, 0.5), (120, 2.0), (200, 3.4)]
    }

    #[test]
    fn a_planted_grok_has_its_planted_borders() {
        let restricted = [(0, 4.0), (50, 4.0), (90, 1.0), (150, 0.0), (200, 0.0)];
        let found = phases(&grok(), &restricted, &excluded()).unwrap();
        // Closed form: the loss peaks at 9.2 (step 90), is 8.4 at 100 and 7.6 at 110; 90% are 8.28.
        assert_eq!((found.memorised, found.formed, found.cleaned), (50, 110, Some(160)));
        assert!((found.restricted_fall.unwrap() - 0.75).abs() < 1e-12);
    }

    #[test]
    fn a_minimum_after_generalising_does_not_move_the_border() {
        let mut curve = excluded();
        curve.push((210, 0.0));
        assert_eq!(phases(&grok(), &[], &curve).unwrap().memorised, 50);
    }

    #[test]
    fn a_run_that_memorised_has_no_phases_and_says_so() {
        let never: Vec<MetricRow> = grok().into_iter().map(|row| MetricRow { test_accuracy: 0.1, ..row }).collect();
        assert!(phases(&never, &[], &excluded()).unwrap_err().cause.contains("did not generalise"));
        assert!(phases(&grok(), &[], &[]).unwrap_err().cause.contains("no excluded loss"));
        let stuck: Vec<MetricRow> = grok().into_iter().map(|row| MetricRow { test_loss: 5.0, ..row }).collect();
        assert!(phases(&stuck, &[], &excluded()).unwrap_err().cause.contains("within 10%"));
    }
}
