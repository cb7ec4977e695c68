//! Whether a run of a preset came out as others have measured it.
//!
//! A curve alone does not say whether it repeats a published result; without a verdict everybody judges by eye. Only runs of a
//! preset as it is are judged: a changed setting may be why a date moved. Rejected: one tolerance in steps for all presets,
//! because dates spread in ratios; shares spread in differences.

use super::{Expected, LOW_LOSS, Preset, Understanding};
use crate::experiment::Experiment;

/// How far outside its band a share may be to be near it.
const NEAR_SHARE: f32 = 0.1;

/// How far from its band a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Within the band, both ends included.
    Inside,
    /// A date at most a factor 1.5 outside, a share at most a tenth.
    Near,
    /// Further away, never reached, or reached where it should not be.
    Outside,
}

/// What came out, as far as bands can speak of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Findings {
    /// `RunSummary::t_mem`.
    pub t_mem: Option<u32>,
    /// `RunSummary::t_gen`.
    pub t_gen: Option<u32>,
    /// First evaluated step with a test loss below [`LOW_LOSS`].
    pub low_test_loss: Option<u32>,
    /// Test accuracy after the last step; NaN where there was none.
    pub test_accuracy: f32,
    /// Whether the run came to its last step, or to where it left the numbers. In one that was stopped before, what had not
    /// come may still have come.
    pub is_whole: bool,
}

/// What is said of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The worst of its parts; `None` if there is nothing to compare or the run was stopped before it could be.
    pub grade: Option<Grade>,
    /// One phrase for each band, or why there is no grade; without trailing periods.
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

/// What is expected, one phrase for each band; `number` writes a step.
pub fn bands(expected: &Expected, number: impl Fn(u32) -> String) -> Vec<String> {
    let at = |what: String, [from, to]: [u32; 2]| format!("{what} at step {} to {}", number(from), number(to));
    let phrases = [
        expected.t_mem.map(|band| at("memorised".into(), band)),
        expected.t_gen.map(|understanding| match understanding {
            Understanding::Within(band) => at("understood".into(), band),
            Understanding::Never => "never understood".into(),
        }),
        expected.low_test_loss.map(|band| at(format!("test loss below {LOW_LOSS}"), band)),
        expected.test_accuracy.map(|band| format!("last test accuracy {}", percent(band))),
    ];
    phrases.into_iter().flatten().collect()
}

/// Compares what came out with what is expected.
pub fn verdict(expected: &Expected, found: &Findings) -> Verdict {
    let low_loss = format!("test loss below {LOW_LOSS}");
    let within = expected.t_gen.and_then(|understanding| match understanding {
        Understanding::Within(band) => Some(band),
        Understanding::Never => None,
    });
    let dates = [
        ("memorised", "not memorised", expected.t_mem, found.t_mem),
        ("understood", "not understood", within, found.t_gen),
        (&low_loss, "test loss never so low", expected.low_test_loss, found.low_test_loss),
    ];
    let mut judged: Vec<Option<(Grade, String)>> = Vec::new();
    for (name, missing, band, step) in dates {
        judged.extend(band.map(|band| match step {
            Some(step) => Some(dated(name, band, step)),
            None => found.is_whole.then(|| (Grade::Outside, format!("{missing}, expected at {} to {}", band[0], band[1]))),
        }));
    }
    if expected.t_gen == Some(Understanding::Never) {
        judged.push(match found.t_gen {
            Some(step) => Some((Grade::Outside, format!("understood at {step}, expected never"))),
            None => found.is_whole.then(|| (Grade::Inside, "not understood, as expected".to_owned())),
        });
    }
    judged.extend(expected.test_accuracy.map(|band| found.is_whole.then(|| shared(band, found.test_accuracy))));
    if judged.is_empty() {
        return Verdict { grade: None, phrases: vec!["no published number to compare with".into()] };
    }
    // What is outside in a part of a run is outside in all of it; nothing else can be said of a part.
    let open = judged.iter().any(Option::is_none);
    let judged: Vec<(Grade, String)> = judged.into_iter().flatten().collect();
    let grade = judged.iter().map(|(grade, _)| *grade).max();
    if open && grade != Some(Grade::Outside) {
        return Verdict { grade: None, phrases: vec!["stopped before it could be compared".into()] };
    }
    Verdict { grade, phrases: judged.into_iter().map(|(_, phrase)| phrase).collect() }
}

fn dated(name: &str, [from, to]: [u32; 2], step: u32) -> (Grade, String) {
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

fn shared([from, to]: [f32; 2], share: f32) -> (Grade, String) {
    let grade = if (from..=to).contains(&share) {
        Grade::Inside
    } else if (from - NEAR_SHARE..=to + NEAR_SHARE).contains(&share) {
        Grade::Near
    } else {
        Grade::Outside
    };
    (grade, format!("last test accuracy {:.1}%, expected {}", 100.0 * share, percent([from, to])))
}

/// A band of shares as percent, to a tenth where that is needed.
fn percent([from, to]: [f32; 2]) -> String {
    let tenths = |share: f32| (1000.0 * share).round() / 10.0;
    format!("{} to {}%", tenths(from), tenths(to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{presets, with_value};

    const BOTH: Expected = Expected::note("").memorised(10, 20).understood(100, 200);

    /// A whole run with these dates.
    fn dates(t_mem: impl Into<Option<u32>>, t_gen: impl Into<Option<u32>>) -> Findings {
        Findings { t_mem: t_mem.into(), t_gen: t_gen.into(), is_whole: true, ..Findings::default() }
    }

    fn stopped(findings: Findings) -> Findings {
        Findings { is_whole: false, ..findings }
    }

    fn grade(t_mem: u32, t_gen: u32) -> Option<Grade> {
        verdict(&BOTH, &dates(t_mem, t_gen)).grade
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
        let late = verdict(&BOTH, &dates(12, None));
        assert_eq!(late.grade, Some(Grade::Outside));
        assert_eq!(late.phrases, ["memorised at 12, expected at 10 to 20", "not understood, expected at 100 to 200"]);
        assert_eq!(verdict(&BOTH, &stopped(dates(12, None))).grade, None);
        let both = verdict(&BOTH, &stopped(dates(12, 120)));
        assert_eq!(both.grade, Some(Grade::Inside), "both dates were reached before the stop");
    }

    #[test]
    fn a_control_that_understands_is_outside_and_one_that_does_not_is_inside() {
        let control = Expected::note("").never_understood();
        let groks = verdict(&control, &dates(12, 150));
        assert_eq!((groks.grade, groks.phrases), (Some(Grade::Outside), vec!["understood at 150, expected never".to_owned()]));
        let holds = verdict(&control, &dates(12, None));
        assert_eq!((holds.grade, holds.phrases), (Some(Grade::Inside), vec!["not understood, as expected".to_owned()]));
        assert_eq!(verdict(&control, &stopped(dates(12, None))).grade, None, "it might have come");
        assert_eq!(verdict(&control, &stopped(dates(12, 150))).grade, Some(Grade::Outside), "it has come");
    }

    #[test]
    fn a_last_accuracy_is_judged_by_its_distance_and_only_at_the_end() {
        let expected = Expected::note("").last_test_accuracy(0.45, 0.95);
        let at = |test_accuracy| verdict(&expected, &Findings { test_accuracy, ..dates(None, None) });
        assert_eq!([0.45, 0.67, 0.95].map(|share| at(share).grade), [Some(Grade::Inside); 3]);
        assert_eq!([0.36, 0.999].map(|share| at(share).grade), [Some(Grade::Near); 2]);
        assert_eq!([0.3, 0.0, f32::NAN].map(|share| at(share).grade), [Some(Grade::Outside); 3]);
        assert_eq!(at(0.673).phrases, ["last test accuracy 67.3%, expected 45 to 95%"]);
        assert_eq!(verdict(&expected, &Findings { test_accuracy: 0.5, ..stopped(dates(None, None)) }).grade, None);
    }

    #[test]
    fn a_band_of_the_test_loss_is_judged_by_the_test_loss() {
        let expected = Expected::note("").low_test_loss(500, 2000);
        let at = |low_test_loss| verdict(&expected, &Findings { low_test_loss, ..dates(None, 3) });
        assert_eq!(at(Some(620)).phrases, ["test loss below 0.1 at 620, expected at 500 to 2000"]);
        assert_eq!(
            [Some(620), Some(400), Some(100), None].map(|step| at(step).grade),
            [Some(Grade::Inside), Some(Grade::Near), Some(Grade::Outside), Some(Grade::Outside)]
        );
    }

    #[test]
    fn only_what_has_a_band_counts() {
        let one = Expected { t_mem: None, ..BOTH };
        assert_eq!(verdict(&one, &dates(None, 150)).grade, Some(Grade::Inside));
        let none = verdict(&Expected::note(""), &dates(1, None));
        assert_eq!((none.grade, none.phrases), (None, vec!["no published number to compare with".to_owned()]));
    }

    #[test]
    fn what_is_expected_is_said_in_the_order_in_which_it_comes() {
        let all = BOTH.low_test_loss(150, 250).last_test_accuracy(0.0, 0.065);
        assert_eq!(
            bands(&all, |step| step.to_string()),
            [
                "memorised at step 10 to 20",
                "understood at step 100 to 200",
                "test loss below 0.1 at step 150 to 250",
                "last test accuracy 0 to 6.5%"
            ]
        );
        assert_eq!(bands(&Expected::note("").never_understood(), |step| step.to_string()), ["never understood"]);
        assert!(bands(&Expected::note(""), |step| step.to_string()).is_empty());
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
