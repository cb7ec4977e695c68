//! Does a measure announce the grok?
//!
//! Any curve that changes before the jump looks like a prophet in hindsight. So a threshold has to stay quiet on runs that never
//! grok, and only a first crossing counts, which a person watching the run would have seen. What is left is a lead time.

use crate::record::UserError;

/// Share of the runs that never grok on which a threshold may fire.
pub const FALSE_ALARMS: f64 = 0.1;

/// A measure's curve over a run that grokked.
#[derive(Debug, Clone, PartialEq)]
pub struct GrokkingRun {
    /// (step, value), ascending in step.
    pub curve: Vec<(u32, f64)>,
    /// When it generalised.
    pub t_gen: u32,
}

/// A threshold and how early it fires.
#[derive(Debug, Clone, PartialEq)]
pub struct Warning {
    /// The measure fires when it passes this value.
    pub threshold: f64,
    /// Whether passing means rising above it; falling below it otherwise.
    pub is_above: bool,
    /// Share of the runs that never grok on which it fires.
    pub false_alarms: f64,
    /// Per grokking run, (t_gen − t_trigger) / t_gen; `None` where it does not fire before t_gen.
    pub leads: Vec<Option<f64>>,
    /// Median of the lead times, a missing one counted as 0.
    pub median_lead: f64,
}

/// The threshold of a measure that fires on at most [`FALSE_ALARMS`] of the `never` runs, as sensitive as that allows, above or
/// below, whichever has the larger median lead. It is chosen on the very runs on which false alarms are counted, and with fewer
/// than ten of them none is allowed: a lead time is a claim only on runs that did not choose the threshold, see [`leads`]. A
/// measure that differs from the first value on, as runs of other sizes do, has lead 1: it tells the runs apart and warns of
/// nothing. Values that are not finite are left out.
///
/// # Errors
/// If there are no runs of one kind, or a run that never grokked has no values.
pub fn early_warning(grokking: &[GrokkingRun], never: &[Vec<(u32, f64)>]) -> Result<Warning, UserError> {
    if grokking.is_empty() || never.is_empty() {
        return Err(UserError::new(
            "An early warning needs runs that grokked and runs that did not",
            "Add runs of the other kind, e.g. with a smaller training fraction",
        ));
    }
    let [above, below] = [true, false].map(|is_above| warning(grokking, never, is_above));
    let (above, below) = (above?, below?);
    Ok(if below.median_lead > above.median_lead { below } else { above })
}

fn warning(grokking: &[GrokkingRun], never: &[Vec<(u32, f64)>], is_above: bool) -> Result<Warning, UserError> {
    let sign = if is_above { 1.0 } else { -1.0 };
    let extreme = |curve: &Vec<(u32, f64)>| {
        curve.iter().map(|(_, value)| sign * value).filter(|value| value.is_finite()).max_by(f64::total_cmp)
    };
    let mut extremes: Vec<f64> = never.iter().filter_map(extreme).collect();
    if extremes.len() < never.len() {
        return Err(UserError::new("A run that did not grok has no values of this measure", "Measure its checkpoints"));
    }
    extremes.sort_by(|x, y| y.total_cmp(x));
    let allowed = (FALSE_ALARMS * never.len() as f64).floor() as usize;
    // Firing is strict, so the run whose extreme is the threshold stays quiet.
    let limit = extremes[allowed.min(extremes.len() - 1)];
    let fired = extremes.iter().filter(|value| **value > limit).count();
    let leads = leads(grokking, sign * limit, is_above);
    let median_lead = median(leads.iter().map(|lead| lead.unwrap_or(0.0)).collect());
    Ok(Warning { threshold: sign * limit, is_above, false_alarms: fired as f64 / never.len() as f64, leads, median_lead })
}

/// (t_gen − t_trigger) / t_gen of each run, where the trigger is the first value strictly beyond `threshold`; `None` where there
/// is none before t_gen.
pub fn leads(runs: &[GrokkingRun], threshold: f64, is_above: bool) -> Vec<Option<f64>> {
    let fires = |value: f64| value.is_finite() && if is_above { value > threshold } else { value < threshold };
    let lead = |run: &GrokkingRun| {
        let (step, _) = run.curve.iter().find(|(_, value)| fires(*value))?;
        (*step < run.t_gen).then(|| f64::from(run.t_gen - step) / f64::from(run.t_gen))
    };
    runs.iter().map(lead).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A curve that is `low` and rises to 1 at `step`.
    fn rises(step: u32, low: f64) -> Vec<(u32, f64)> {
        (0..=10).map(|i| (10 * i, if 10 * i >= step { 1.0 } else { low })).collect()
    }

    fn run(curve: Vec<(u32, f64)>) -> GrokkingRun {
        GrokkingRun { curve, t_gen: 80 }
    }

    #[test]
    fn a_planted_rise_is_found_with_its_lead() {
        let found =
            early_warning(&[run(rises(40, 0.2)), run(rises(20, 0.2)), run(rises(100, 0.2))], &vec![rises(999, 0.2); 5]).unwrap();
        assert!(found.is_above && (found.threshold - 0.2).abs() < 1e-12 && found.false_alarms == 0.0);
        assert_eq!(found.leads, [Some(0.5), Some(0.75), None], "a rise after the grok warns of nothing");
        assert!((found.median_lead - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_fall_warns_as_well_as_a_rise() {
        let falls = |step| rises(step, 0.0).into_iter().map(|(step, value)| (step, 3.0 - value)).collect::<Vec<_>>();
        let found = early_warning(&[run(falls(60))], &vec![falls(999); 3]).unwrap();
        assert!(!found.is_above && (found.threshold - 3.0).abs() < 1e-12);
        assert_eq!(found.leads, [Some(0.25)]);
    }

    #[test]
    fn one_of_ten_may_fire_and_none_of_nine() {
        let mut never = vec![rises(999, 0.1); 9];
        never.push(rises(999, 5.0));
        let grokking = [run(rises(40, 0.1))];
        let found = early_warning(&grokking, &never).unwrap();
        assert!((found.threshold - 0.1).abs() < 1e-12 && (found.false_alarms - 0.1).abs() < 1e-12);
        assert_eq!(early_warning(&grokking, &never[1..]).unwrap().leads, [None], "the loud run cannot be spared");
    }

    #[test]
    fn a_measure_that_is_the_same_in_both_kinds_warns_of_nothing() {
        let found = early_warning(&[run(rises(40, 0.0))], &vec![rises(40, 0.0); 4]).unwrap();
        assert_eq!((found.leads, found.median_lead), (vec![None], 0.0));
    }

    #[test]
    fn too_few_runs_and_empty_curves_are_refused() {
        assert!(early_warning(&[], &[rises(1, 0.0)]).is_err() && early_warning(&[run(rises(1, 0.0))], &[]).is_err());
        assert!(early_warning(&[run(rises(1, 0.0))], &[vec![(0, f64::NAN)]]).unwrap_err().remedy.contains("Measure"));
    }
}
