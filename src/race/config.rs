//! What a race runs: one experiment as the control, arms as lists of changes, seeds and a budget.
//!
//! Arms as whole experiments would hide what differs between them, and two that differ in a forgotten setting are no
//! comparison. As changes of one control they differ in what their edits say and in nothing else; seed, budget and the
//! schedule of evaluations, which decide what is measured, cannot be edited at all.

use super::statistics::Outcome;
use crate::experiment::timeline::Change;
use crate::experiment::{Counts, Experiment, FieldError, counts, edit, parse_assignment, with_value};
use crate::measure::delay::{Delay, delay};
use crate::measure::measure;
use crate::record::{MetricRow, UserError};
use serde::{Deserialize, Serialize};

/// The newest format version of a race that this build reads.
pub const RACE_SCHEMA: u32 = 1;
/// Most arms beside the control.
pub const MAX_ARMS: usize = 16;
/// Most seeds.
pub const MAX_SEEDS: usize = 64;
/// Longest name of a race or an arm, in characters.
const MAX_NAME: usize = 60;
/// Longest list of edits of one arm.
const MAX_EDITS: usize = 32;
/// What every run of a race has in common, whatever its arm says.
const COMMON: [&str; 5] = ["schema", "name", "seed", "steps", "logging"];

/// What counts as arrived; see [`Delay`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// Test accuracy ≥ .95 that holds.
    #[default]
    TGen,
    /// Test accuracy ≥ .99 that holds.
    #[serde(rename = "t_gen_99")]
    TGen99,
    /// Test accuracy ≥ .5.
    THalf,
}

impl Criterion {
    /// All, with their names in files and for people.
    pub const CHOICES: [(Self, &'static str, &'static str); 3] = [
        (Self::TGen, "t_gen", "Test accuracy of 95% that holds"),
        (Self::TGen99, "t_gen_99", "Test accuracy of 99% that holds"),
        (Self::THalf, "t_half", "Test accuracy of 50%"),
    ];

    /// The date that a run is judged by.
    pub fn of(self, delay: &Delay) -> Option<u32> {
        match self {
            Self::TGen => delay.t_gen,
            Self::TGen99 => delay.t_gen_99,
            Self::THalf => delay.t_half,
        }
    }
}

/// A runner: the control with changes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// Short name for people, unlike all others in the race.
    pub name: String,
    /// Changes, `path=value` each, made in this order: a kind before its own settings.
    pub edits: Vec<String>,
    /// Whether the control also runs at this arm's effective learning rate; see [`matched_rate`].
    #[serde(default)]
    pub matched_rate: bool,
}

/// A race.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RaceConfig {
    /// Version of this format; see [`RACE_SCHEMA`].
    pub schema: u32,
    /// A name for people.
    pub name: String,
    /// The control. Its seed and steps give way to those of the race.
    pub experiment: Experiment,
    /// What is compared with it.
    pub arms: Vec<Arm>,
    /// A run of every arm for each; arms are compared seed by seed.
    pub seeds: Vec<u64>,
    /// Budget: updates that each run makes.
    pub steps: u32,
    /// Whether the updates of an earlier stage count: they are then taken off the budget and added to the result. Off, the
    /// question is what a source that is there already is worth.
    #[serde(default = "yes")]
    pub count_source: bool,
    /// What counts as arrived.
    pub criterion: Criterion,
    /// Names of measures to take of every run at the control's checkpoints, see `measure::measures`. With any, all runs make
    /// the whole budget, so that arms are measured at the same steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<String>,
}

fn yes() -> bool {
    true
}

/// Updates that an earlier stage of `experiment` makes.
pub(super) fn source_steps(experiment: &Experiment) -> u32 {
    if experiment.stage_use().is_some() { experiment.stage.integer("steps") } else { 0 }
}

/// The step after which the timeline leaves the task alone. Earlier test accuracies may be those of other, easier rows.
fn settled_at(experiment: &Experiment) -> Option<u32> {
    let touches_task = |change: &Change| match change {
        Change::Set { path, .. } | Change::Ramp { path, .. } => path.starts_with("task."),
        Change::Act { .. } => false,
    };
    experiment.entries().iter().filter(|entry| touches_task(&entry.change)).map(|entry| entry.to).max()
}

/// The learning rate at which the control moves as far per update as an arm with a gradient filter, and the factor between them.
///
/// Grokfast adds λ times the slow part of the gradient to it (Lee et al. 2024, arXiv 2405.20233), so gradients that change
/// slowly count 1 + λ times; much of the published speed-up is had by that factor on the learning rate alone. The decoupled
/// decay per update, η·λ, grows with the rate: a weight decay to match is left to an arm of its own. Arms that set the weights'
/// norm (clamps, rescaling) or turn the gradient have no rate that would match, and arms without a filter none to match.
pub fn matched_rate(experiment: &Experiment) -> Option<(f64, f64)> {
    let filter = experiment.training.text("grokfast");
    if filter.is_empty() || filter == "off" {
        return None;
    }
    let factor = 1.0 + experiment.training.number("grokfast_lambda");
    // Ten digits: 0.003 · 3 is written 0.009 and not 0.009000000000000001.
    let rounded = |x: f64| format!("{x:.9e}").parse().unwrap_or(x);
    Some((rounded(experiment.optimizer.learning_rate * factor), rounded(factor)))
}

impl RaceConfig {
    /// Everyone who runs: the control, the arms, and a control at the matched rate behind them for each rate that an arm asks
    /// for. The control has no edits.
    ///
    /// # Errors
    /// If an arm that asks for a matched rate cannot be made or has none.
    pub fn entrants(&self) -> Result<Vec<Arm>, UserError> {
        let mut all = vec![Arm { name: "control".into(), ..Arm::default() }];
        all.extend(self.arms.iter().cloned());
        for (index, arm) in self.arms.iter().enumerate().filter(|(_, arm)| arm.matched_rate) {
            let (rate, factor) = matched_rate(&self.experiment_of(arm)?).ok_or_else(|| UserError::from(unmatched(index, arm)))?;
            let name = format!("control, rate ×{factor}");
            if all.iter().all(|other| other.name != name) {
                all.push(Arm { name, edits: vec![format!("optimizer.learning_rate={rate}")], matched_rate: false });
            }
        }
        Ok(all)
    }

    /// What `entrant` runs, one experiment per seed and in the order of the seeds.
    ///
    /// # Errors
    /// If one of its edits cannot be made.
    pub fn experiments(&self, entrant: &Arm) -> Result<Vec<Experiment>, UserError> {
        let experiment = self.experiment_of(entrant)?;
        Ok(self.seeds.iter().map(|seed| Experiment { seed: *seed, ..experiment.clone() }).collect())
    }

    /// The experiment of an arm, with the first seed.
    fn experiment_of(&self, arm: &Arm) -> Result<Experiment, UserError> {
        let mut experiment = Experiment {
            name: arm.name.clone(),
            seed: self.seeds.first().copied().unwrap_or_default(),
            steps: self.steps,
            ..self.experiment.clone()
        };
        for text in &arm.edits {
            let (path, value) = parse_assignment(text)?;
            if COMMON.contains(&path.split('.').next().unwrap_or_default()) {
                return Err(UserError::new(
                    format!("{path} is the same for everyone in a race"),
                    "Set it for the race, not for an arm",
                ));
            }
            experiment = with_value(&experiment, path, value)?;
        }
        if self.count_source {
            let source = source_steps(&experiment);
            if source > 0 && source >= self.steps {
                return Err(UserError::new(
                    format!("An earlier stage of {source} updates leaves nothing of a budget of {}", self.steps),
                    "Use fewer steps for the source, or more for the race",
                ));
            }
            experiment.steps -= source;
        }
        Ok(experiment)
    }

    /// When a run of `experiment` (one of [`RaceConfig::experiments`]) with these evaluations met the criterion.
    ///
    /// While the timeline still changes the task, nothing counts: an accuracy on the short rows of a length curriculum says
    /// nothing about the long ones.
    pub fn outcome(&self, experiment: &Experiment, rows: &[MetricRow], finished: bool) -> Outcome {
        let settled = settled_at(experiment);
        let counted = &rows[rows.partition_point(|row| settled.is_some_and(|settled| row.step <= settled))..];
        let ahead = if self.count_source { source_steps(experiment) } else { 0 };
        let steps = self.criterion.of(&delay(counted, finished)).map(|step| step.saturating_add(ahead));
        Outcome { seed: experiment.seed, steps, seconds: None }
    }

    /// Whether everyone can run.
    ///
    /// # Errors
    /// Every reason why not; an arm's path is `arms.INDEX.PATH`.
    pub fn validate(&self) -> Result<(), Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut refuse = |path: &str, cause: String, remedy: String| errors.push(FieldError::new(path, cause, remedy));
        if self.schema != RACE_SCHEMA {
            refuse("schema", format!("{} is no format of a race", self.schema), format!("Use {RACE_SCHEMA}"));
        }
        if let Some(cause) = bad_name(&self.name) {
            refuse("name", cause, format!("Use 1 to {MAX_NAME} characters on one line"));
        }
        if self.arms.is_empty() || self.arms.len() > MAX_ARMS {
            refuse("arms", format!("{} arms", self.arms.len()), format!("Use 1 to {MAX_ARMS} arms beside the control"));
        }
        if self.seeds.is_empty() || self.seeds.len() > MAX_SEEDS {
            refuse(
                "seeds",
                format!("{} seeds", self.seeds.len()),
                format!("Use 1 to {MAX_SEEDS} seeds; 6 are the fewest that can show anything"),
            );
        }
        for (index, seed) in self.seeds.iter().enumerate().filter(|(index, seed)| self.seeds[..*index].contains(seed)) {
            refuse("seeds", format!("Seed {seed} stands there twice"), format!("Replace the one at place {}", index + 1));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        errors.extend(self.check_control());
        // An arm shares the control's faults.
        if errors.is_empty() {
            for index in 0..self.arms.len() {
                errors.extend(self.check_arm(index));
            }
        }
        if errors.is_empty() {
            errors.extend(self.check_measures());
        }
        if errors.is_empty()
            && let Ok(entrants) = self.entrants()
        {
            for matched in &entrants[1 + self.arms.len()..] {
                errors.extend(self.check_runs(matched, "experiment"));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn check_control(&self) -> Vec<FieldError> {
        self.check_runs(&Arm { name: self.experiment.name.clone(), ..Arm::default() }, "experiment")
    }

    fn check_arm(&self, index: usize) -> Vec<FieldError> {
        let arm = &self.arms[index];
        let at = format!("arms.{index}");
        let mut errors = Vec::new();
        if let Some(cause) = bad_name(&arm.name) {
            errors.push(FieldError::new(format!("{at}.name"), cause, format!("Use 1 to {MAX_NAME} characters on one line")));
        }
        if arm.name == "control" || self.arms[..index].iter().any(|other| other.name == arm.name) {
            let cause = format!("Another runner is called \"{}\"", arm.name);
            errors.push(FieldError::new(format!("{at}.name"), cause, "Give each arm a name of its own"));
        }
        if arm.edits.is_empty() || arm.edits.len() > MAX_EDITS {
            let cause = format!("\"{}\" has {} edits", arm.name, arm.edits.len());
            errors.push(FieldError::new(format!("{at}.edits"), cause, format!("Write 1 to {MAX_EDITS} lines path=value")));
        }
        errors.extend(self.check_runs(arm, &at));
        if errors.is_empty() && arm.matched_rate && self.experiment_of(arm).ok().and_then(|e| matched_rate(&e)).is_none() {
            errors.push(unmatched(index, arm));
        }
        errors
    }

    fn check_measures(&self) -> Vec<FieldError> {
        let refused = |error: UserError| FieldError::new("measures", error.cause, error.remedy);
        let mut errors = Vec::new();
        for (index, name) in self.measures.iter().enumerate() {
            if self.measures[..index].contains(name) {
                errors.push(FieldError::new("measures", format!("{name} stands there twice"), "Name each measure once"));
            }
            match measure(name) {
                Err(error) => errors.push(refused(error)),
                Ok(measure) => {
                    let control = Arm::default();
                    let arms = core::iter::once(&control).chain(&self.arms);
                    let why = arms.filter_map(|arm| (measure.applies)(&self.experiment_of(arm).ok()?).err()).next();
                    errors.extend(why.map(refused));
                }
            }
        }
        errors
    }

    /// Whether an arm can be made and runs with every seed: some splits depend on it.
    fn check_runs(&self, arm: &Arm, at: &str) -> Vec<FieldError> {
        let named = |cause: &str| if at == "experiment" { cause.to_owned() } else { format!("\"{}\": {cause}", arm.name) };
        let experiments = match self.experiments(arm) {
            Ok(experiments) => experiments,
            Err(error) => return vec![FieldError::new(format!("{at}.edits"), named(&error.cause), error.remedy)],
        };
        // All that the seed decides is how many rows fall on which side, and that only in some splits.
        let mut seen: Vec<Counts> = Vec::new();
        let mut found = Vec::new();
        for experiment in &experiments {
            let rows = counts(experiment);
            if found.is_empty() && !seen.contains(&rows) {
                found = experiment.validate().err().unwrap_or_default();
                seen.push(rows);
            }
        }
        let relocate = |e: FieldError| FieldError::new(format!("{at}.{}", e.path), named(&e.cause), e.remedy);
        found.into_iter().map(relocate).collect()
    }

    /// Reads and validates a race.
    ///
    /// # Errors
    /// Cause and remedy: not JSON, a newer format, an unknown or missing entry, or a race that cannot be run.
    pub fn from_json(text: &str) -> Result<Self, UserError> {
        let broken =
            |e: serde_json::Error| UserError::new(format!("This is no race ({e})"), "Correct it, or start from a preset");
        let mut value: serde_json::Value = serde_json::from_str(text).map_err(broken)?;
        if let Some(version) = value.get("schema").and_then(serde_json::Value::as_u64).filter(|v| *v > u64::from(RACE_SCHEMA)) {
            return Err(UserError::new(
                format!("The race was made by a newer Grokscope (format {version}, this one reads up to {RACE_SCHEMA})"),
                "Open it with a newer version",
            ));
        }
        // The control goes through its own reader, which names settings and fills in what files leave out.
        if let Some(control) = value.get_mut("experiment") {
            let experiment: Experiment = edit::from_json(&control.to_string())?;
            *control = edit::full(&experiment);
        }
        let race: Self = serde_json::from_value(value).map_err(broken)?;
        race.validate()?;
        Ok(race)
    }

    /// Pretty JSON with a final newline.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(&self.json()).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The JSON tree, with the control as its own files have it.
    pub(super) fn json(&self) -> serde_json::Value {
        let mut tree = edit::full(self);
        tree["experiment"] = edit::json(&self.experiment);
        tree
    }
}

fn bad_name(name: &str) -> Option<String> {
    if name.trim().is_empty() {
        return Some("The name is empty".into());
    }
    (name.chars().count() > MAX_NAME || name.chars().any(char::is_control))
        .then(|| "The name is too long or holds control characters".into())
}

fn unmatched(index: usize, arm: &Arm) -> FieldError {
    FieldError::new(
        format!("arms.{index}.matched_rate"),
        format!("\"{}\" has no gradient filter whose gain a learning rate could match", arm.name),
        "Leave matched_rate out, or switch on training.grokfast in its edits",
    )
}
