//! A branch: the experiment that agrees with another up to a step and goes on differently from there.
//!
//! Page and command line both make branches, and a branch is found again by its link: made by two rules, the same request would
//! give two experiments. What the original changed at the step itself stays, before the new lines, because the state that a
//! branch starts from is that of the original.

use super::config::Experiment;
use super::fields::MAX_NAME;
use super::timeline::Entry;
use crate::record::UserError;

/// Between a run's name and the step of its branch.
const ENDING: &str = " · branch at ";

impl Experiment {
    /// The experiment that goes on differently from step `at`: with `lines`, and without what this one would have changed later.
    /// Its name is that of the trunk with the step; a branch of a branch is named after the same trunk.
    ///
    /// # Errors
    /// If nothing would follow the change, or the experiment with it cannot run.
    pub fn branched(&self, at: u32, lines: &[String]) -> Result<Self, UserError> {
        if at >= self.steps {
            return Err(UserError::new(
                format!("Step {at} is the end of the run, so nothing would follow the change"),
                format!("Choose an earlier step, at most {}", self.steps.saturating_sub(1)),
            ));
        }
        let is_earlier = |line: &&String| Entry::parse(line).is_ok_and(|entry| entry.from <= at);
        let stem = self.name.split(ENDING).next().unwrap_or_default();
        let ending = format!("{ENDING}{at}");
        let room = MAX_NAME.saturating_sub(ending.chars().count());
        let trunk = Self {
            name: stem.chars().take(room).collect::<String>() + &ending,
            timeline: self.timeline.iter().filter(is_earlier).cloned().collect(),
            ..self.clone()
        };
        lines.iter().try_fold(trunk, |branch, line| branch.with_line(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::preset;

    fn original() -> Experiment {
        let base = preset("quadratic-31").unwrap().experiment.clone();
        let lines = ["20 rescale 0.9", "40-200 ramp optimizer.weight_decay 1", "60 set batch_size 64", "61 noise 0.1"];
        lines.iter().fold(base, |e, line| e.with_line(line).unwrap())
    }

    #[test]
    fn a_branch_keeps_what_had_begun_and_leaves_out_what_came_later() {
        let branch = original().branched(60, &["60 rescale 0.5".into(), "60 reset w_in".into()]).unwrap();
        let expected =
            ["20 rescale 0.9", "40-200 ramp optimizer.weight_decay 1", "60 set batch_size 64", "60 rescale 0.5", "60 reset w_in"];
        assert_eq!(branch.timeline, expected);
        assert_eq!(branch.validate(), Ok(()));
    }

    #[test]
    fn the_name_fits_its_field_and_a_branch_of_a_branch_names_the_trunk() {
        let long = Experiment { name: "ä".repeat(80), ..original() };
        let branch = long.branched(30, &[]).unwrap();
        assert_eq!((branch.name.chars().count(), branch.validate()), (80, Ok(())));
        let again = original().branched(60, &[]).unwrap().branched(30, &[]).unwrap();
        assert_eq!(again.name, original().branched(30, &[]).unwrap().name);
    }

    #[test]
    fn nothing_branches_off_the_end_and_a_wrong_change_is_refused() {
        let steps = original().steps;
        assert!(original().branched(steps, &[]).unwrap_err().remedy.contains(&(steps - 1).to_string()));
        assert!(original().branched(30, &["30 set model.width 3".into()]).is_err());
    }
}
