//! Whether a run of a preset came out as others have measured it.
//!
//! A curve alone does not say whether it repeats a published result; without a verdict everybody judges by eye. Only runs of a
//! preset as it is are judged: a changed setting may be why a date moved. Rejected: one tolerance in steps for all presets,
//! because dates spread in ratios.

use crate::experiment::{Expected, Experiment, Preset};

/// How far from its band a date is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Within the band, both ends included.
    Inside,
    /// At most a factor 1.5 outside.
    Near,
    /// Further away, or the date was never reached.
    Outside,
}

/// What is said of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The worst of its dates; `None` if there is nothing to compare or the run was stopped before it could be.
    pub grade: Option<Grade>,
    /// One phrase for each date with a band, or why there is no grade; without trailing periods.
    pub phrases: Vec<String>,
}

/// The preset of which `experiment` is a run: the same but for seed and name; the one of that name, if there are several.
pub fn preset_of<'a>(presets: &'a [Preset], experiment: &Experiment) -> Option<&'a Preset> {
    let same = |preset: &&Preset| {
        let (seed, name) = (preset.experiment.seed, preset.experiment.name.clone());
        Experiment { seed, name, ..experiment.clone() } == preset.experiment
    };
    let mut named = presets.iter().filter(|preset| preset.name == experiment.name);
    named.find(same).or_else(|| presets.iter().find(same))
}

/// Compares the dates of a run, in steps, with the bands. `whole` is false for a run that was stopped before its last step: a
/// date that it had not reached may still have come.
pub fn verdict(expected: &Expected, t_mem: Option<u32>, t_gen: Option<u32>, whole: bool) -> Verdict {
    let bands = [("memorised", expected.t_mem, t_mem), ("understood", expected.t_gen, t_gen)];
    let judged: Vec<(Grade, String)> =
        bands.into_iter().filter_map(|(name, band, step)| band.map(|band| judge(name, band, step))).collect();
    if judged.is_empty() {
        return Verdict { grade: None, phrases: vec!["no published number to compare with".into()] };
    }
    if !whole && bands.iter().any(|(_, band, step)| band.is_some() && step.is_none()) {
        return Verdict { grade: None, phrases: vec!["stopped before it could be compared".into()] };
    }
    let grade = judged.iter().map(|(grade, _)| *grade).max();
    Verdict { grade, phrases: judged.into_iter().map(|(_, phrase)| phrase).collect() }
}

fn judge(name: &str, [from, to]: [u32; 2], step: Option<u32>) -> (Grade, String) {
    let Some(step) = step else {
        return (Grade::Outside, format!("not {name}, expected at {from} to {to}"));
    };
    let [from_wide, to_wide, wide] = [from, to, step].map(u64::from);
    // 3/2 in whole numbers, so that the edges are exact.
    let grade = if (from..=to).contains(&step) {
        Grade::Inside
    } else if 3 * wide >= 2 * from_wide && 2 * wide <= 3 * to_wide {
        Grade::Near
    } else {
        Grade::Outside
    };
    (grade, format!("{name} at {step}, expected at {from} to {to}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{presets, with_value};

    const BOTH: Expected = Expected { t_mem: Some([10, 20]), t_gen: Some([100, 200]), note: "" };

    fn grade(t_mem: u32, t_gen: u32) -> Option<Grade> {
        verdict(&BOTH, Some(t_mem), Some(t_gen), true).grade
    }

    #[test]
    fn both_ends_of_a_band_are_inside_it() {
        assert_eq!((grade(10, 100), grade(20, 200)), (Some(Grade::Inside), Some(Grade::Inside)));
    }

    #[test]
    fn a_factor_of_one_and_a_half_outside_is_near_and_the_next_step_is_not() {
        let of_gen = |step| grade(15, step);
        assert_eq!([67, 99, 201, 300].map(of_gen), [Some(Grade::Near); 4]);
        assert_eq!([0, 66, 301, u32::MAX].map(of_gen), [Some(Grade::Outside); 4]);
    }

    #[test]
    fn the_worst_date_decides() {
        assert_eq!(
            (grade(25, 150), grade(9, 400), grade(1000, 150)),
            (Some(Grade::Near), Some(Grade::Outside), Some(Grade::Outside))
        );
    }

    #[test]
    fn a_date_that_never_came_is_outside_unless_the_run_was_stopped() {
        let late = verdict(&BOTH, Some(12), None, true);
        assert_eq!(late.grade, Some(Grade::Outside));
        assert_eq!(late.phrases, ["memorised at 12, expected at 10 to 20", "not understood, expected at 100 to 200"]);
        assert_eq!(verdict(&BOTH, Some(12), None, false).grade, None);
        assert_eq!(
            verdict(&BOTH, Some(12), Some(120), false).grade,
            Some(Grade::Inside),
            "both dates were reached before the stop"
        );
    }

    #[test]
    fn only_dates_with_a_band_count() {
        let one = Expected { t_mem: None, ..BOTH };
        assert_eq!(verdict(&one, None, Some(150), true).grade, Some(Grade::Inside));
        let none = verdict(&Expected { t_mem: None, t_gen: None, note: "" }, Some(1), None, true);
        assert_eq!((none.grade, none.phrases), (None, vec!["no published number to compare with".to_owned()]));
    }

    #[test]
    fn seed_and_name_leave_a_preset_what_it_is_and_any_other_change_does_not() {
        for preset in presets() {
            let mut run = preset.experiment.clone();
            (run.seed, run.name) = (77, "mine".into());
            let found = preset_of(presets(), &run).unwrap();
            assert_eq!(found.experiment.task, preset.experiment.task, "{}", preset.name);
            assert_eq!(preset_of(presets(), &preset.experiment).unwrap().name, preset.name);
            let longer = with_value(&run, "steps", "7").unwrap();
            assert!(preset_of(presets(), &longer).is_none(), "{}", preset.name);
        }
    }
}
