//! What came out of a race: one table for people, one for other programs.
//!
//! Everything that the report says can be recomputed from the outcomes, which are all kept, one per arm and seed; without them
//! a median is a claim. Steps and seconds stand side by side, because a trick that halves the steps and doubles their price
//! gains nothing.

use super::config::{Arm, RaceConfig, source_steps};
use super::statistics::{
    MedianInterval, Observation, Outcome, SignTest, holm, kaplan_meier, log_rank, median_interval, quantile, restricted_mean,
    sign_test,
};
use crate::experiment::edit;
use crate::record::{MeasureTable, MetricRow, UserError};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt::Write as _;

/// What running one arm gave.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ArmRun {
    /// One per seed of the race, in that order.
    pub outcomes: Vec<Outcome>,
    /// The last evaluation of each run, in the same order; may be empty.
    pub final_rows: Vec<MetricRow>,
    /// Milliseconds per update and run: the time of an update of all runs together, divided by their number.
    pub ms_per_update: f64,
    /// Seconds that the arm took, with evaluations and earlier stages and without measures.
    pub wall_seconds: f64,
    /// Measures of each run over its checkpoints, in the order of `outcomes`; empty if none were asked for.
    #[serde(default)]
    pub measures: Vec<MeasureTable>,
}

/// An arm's row of the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmResult {
    /// Name in the race; the first arm is the control.
    pub name: String,
    /// What was changed.
    pub edits: Vec<String>,
    /// Updates of an earlier stage; [`RaceConfig::count_source`] says whether they are in the outcomes.
    pub source_steps: u32,
    /// What happened, seed by seed.
    pub outcomes: Vec<Outcome>,
    /// Runs that met the criterion within the budget.
    pub reached: u32,
    /// Smallest step by which half of the runs had met it; `None` if fewer ever did.
    pub censored_median: Option<u32>,
    /// Its 95% confidence interval.
    pub ci: MedianInterval,
    /// Steps by which a quarter and three quarters of the runs had met it.
    pub quartiles: [Option<u32>; 2],
    /// Mean steps, each run counted up to the budget.
    pub restricted_mean: f64,
    /// Kaplan–Meier curve: (step, share of runs that take longer), from (0, 1) on.
    pub km: Vec<(u32, f64)>,
    /// Against the control, in steps; `None` for the control.
    pub sign_test: Option<SignTest>,
    /// The sign test's p after Holm's adjustment for all arms of the race.
    pub adjusted_p: Option<f64>,
    /// A second opinion that does not use the pairs; `None` for the control or where nothing happened.
    pub log_rank_p: Option<f64>,
    /// Milliseconds per update and run.
    #[serde(deserialize_with = "number")]
    pub ms_per_update: f64,
    /// Seconds that the arm took.
    #[serde(deserialize_with = "number")]
    pub wall_seconds: f64,
    /// The last evaluation of each run.
    #[serde(deserialize_with = "rows")]
    pub final_rows: Vec<MetricRow>,
    /// Measures of each run over its checkpoints, single numbers only, in the order of `outcomes`; empty if none were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<MeasureTable>,
}

/// A race that has been run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RaceResult {
    /// What was run.
    pub config: RaceConfig,
    /// The control first, then the order of [`RaceConfig::entrants`].
    pub arms: Vec<ArmResult>,
    /// Engine label.
    pub engine: String,
    /// Crate version and target.
    pub build: String,
}

/// The report of a race: `runs` in the order of [`RaceConfig::entrants`].
///
/// # Errors
/// If there is not one run per entrant and one outcome per seed, or an outcome lies beyond the budget.
pub fn summarise(config: &RaceConfig, runs: Vec<ArmRun>, engine: &str, build: &str) -> Result<RaceResult, UserError> {
    let entrants = config.entrants()?;
    let refuse = |what: String| Err(UserError::new(what, "Run the race again"));
    if runs.len() != entrants.len() {
        return refuse(format!("{} of {} arms were run", runs.len(), entrants.len()));
    }
    for (arm, run) in entrants.iter().zip(&runs) {
        if !run.outcomes.iter().map(|o| o.seed).eq(config.seeds.iter().copied()) {
            return refuse(format!("\"{}\" does not have one outcome for each seed", arm.name));
        }
        if let Some(late) = run.outcomes.iter().find(|o| o.steps.is_some_and(|steps| steps > config.steps)) {
            return refuse(format!("\"{}\", seed {}: an outcome beyond the budget", arm.name, late.seed));
        }
        if !run.measures.is_empty() && run.measures.len() != run.outcomes.len() {
            return refuse(format!("\"{}\" was not measured for each seed", arm.name));
        }
    }
    let Some(control) = runs.first().cloned() else { return refuse("No arm was run".into()) };
    let mut arms: Vec<ArmResult> = Vec::with_capacity(runs.len());
    for (arm, run) in entrants.into_iter().zip(runs) {
        let source = config.experiments(&arm)?.first().map_or(0, source_steps);
        arms.push(row(config.steps, arm, source, run, (!arms.is_empty()).then_some(&control)));
    }
    let raw: Vec<f64> = arms.iter().filter_map(|arm| arm.sign_test.map(|test| test.p)).collect();
    for (arm, p) in arms.iter_mut().filter(|arm| arm.sign_test.is_some()).zip(holm(&raw)) {
        arm.adjusted_p = Some(p);
    }
    Ok(RaceResult { config: config.clone(), arms, engine: engine.into(), build: build.into() })
}

/// The row of an arm; `control` is `None` for the control itself.
fn row(budget: u32, arm: Arm, source_steps: u32, run: ArmRun, control: Option<&ArmRun>) -> ArmResult {
    let ours = in_steps(&run, budget);
    let curve = kaplan_meier(&ours);
    let mut km = vec![(0, 1.0)];
    km.extend(curve.iter().map(|fall| (fall.time, fall.share)));
    ArmResult {
        name: arm.name,
        edits: arm.edits,
        source_steps,
        reached: ours.iter().filter(|o| o.happened).count() as u32,
        censored_median: quantile(&curve, 0.5),
        ci: median_interval(&ours),
        quartiles: [quantile(&curve, 0.25), quantile(&curve, 0.75)],
        restricted_mean: restricted_mean(&curve, budget),
        km,
        sign_test: control.map(|control| sign_test(&pairs(&ours, &in_steps(control, budget)))),
        adjusted_p: None,
        log_rank_p: control.and_then(|control| log_rank(&ours, &in_steps(control, budget))).map(|test| test.p),
        outcomes: run.outcomes,
        ms_per_update: run.ms_per_update,
        wall_seconds: run.wall_seconds,
        final_rows: run.final_rows,
        measures: run.measures,
    }
}

fn pairs<T: Copy>(ours: &[Observation<T>], theirs: &[Observation<T>]) -> Vec<(Observation<T>, Observation<T>)> {
    ours.iter().copied().zip(theirs.iter().copied()).collect()
}

fn in_steps(run: &ArmRun, budget: u32) -> Vec<Observation<u32>> {
    run.outcomes.iter().map(|outcome| outcome.observed(budget)).collect()
}

/// An outcome in seconds; a wait in vain lasted for the price of the budget. No test is made of seconds: all runs of an arm
/// share one measurement of its price, so eight of them are one witness.
fn priced(outcome: &Outcome, ms_per_update: f64, budget: u32) -> Observation<f64> {
    let Observation { time, happened } = outcome.observed(budget);
    let seconds = f64::from(time) * ms_per_update / 1000.0;
    Observation { time: outcome.seconds.filter(|_| happened).unwrap_or(seconds), happened }
}

/// The header line of `race.csv`.
pub const RACE_HEADER: &str =
    "arm,seed,reached,steps,seconds,final_step,train_loss,test_loss,train_accuracy,test_accuracy,weight_norm";

impl ArmResult {
    /// The censored median in seconds of one run at this arm's price of an update; `None` without a median or a price.
    pub fn median_seconds(&self) -> Option<f64> {
        self.censored_median.map(|steps| f64::from(steps) * self.ms_per_update / 1000.0).filter(|s| s.is_finite() && *s > 0.0)
    }
}

impl RaceResult {
    /// `race.csv`: [`RACE_HEADER`] and a line per arm and seed. A run that did not arrive has `reached` 0 and the budget in
    /// `steps`, as survival packages read it; seconds stand for the same time.
    pub fn csv(&self) -> String {
        let mut text = format!("{RACE_HEADER}\n");
        for arm in &self.arms {
            for (index, outcome) in arm.outcomes.iter().enumerate() {
                let steps = outcome.steps.unwrap_or(self.config.steps);
                let Observation { time: seconds, happened } = priced(outcome, arm.ms_per_update, self.config.steps);
                let reached = u8::from(happened);
                // Writing to a String cannot fail.
                let _ = write!(text, "{},{},{reached},{steps},{seconds},", quoted(&arm.name), outcome.seed);
                let _ = match arm.final_rows.get(index) {
                    Some(r) => writeln!(
                        text,
                        "{},{},{},{},{},{}",
                        r.step, r.train_loss, r.test_loss, r.train_accuracy, r.test_accuracy, r.weight_norm
                    ),
                    None => writeln!(text, ",,,,,"),
                };
            }
        }
        text
    }

    /// Reads `race.json`.
    ///
    /// # Errors
    /// If it is no result of a race, or its configuration cannot be run by this build.
    pub fn from_json(text: &str) -> Result<Self, UserError> {
        let broken = |e: serde_json::Error| UserError::new(format!("This is no result of a race ({e})"), "Run the race again");
        let mut tree: serde_json::Value = serde_json::from_str(text).map_err(broken)?;
        if let Some(config) = tree.get_mut("config") {
            *config = edit::full(&RaceConfig::from_json(&config.to_string())?);
        }
        serde_json::from_value(tree).map_err(broken)
    }

    /// `race.json`: everything, pretty and with a final newline. A number that is not finite is null.
    pub fn to_json(&self) -> String {
        let mut tree = serde_json::to_value(self).unwrap_or_default();
        tree["config"] = self.config.json();
        let mut text = serde_json::to_string_pretty(&tree).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// JSON has no NaN: it is written as null, and a run that diverged would make the whole race unreadable.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// The same for evaluations.
fn rows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<MetricRow>, D::Error> {
    #[derive(Deserialize)]
    struct Row {
        step: u32,
        train_loss: Option<f32>,
        test_loss: Option<f32>,
        train_accuracy: Option<f32>,
        test_accuracy: Option<f32>,
        weight_norm: Option<f32>,
        probe_accuracy: Option<f32>,
    }
    let read = |row: Row| MetricRow {
        step: row.step,
        train_loss: row.train_loss.unwrap_or(f32::NAN),
        test_loss: row.test_loss.unwrap_or(f32::NAN),
        train_accuracy: row.train_accuracy.unwrap_or(f32::NAN),
        test_accuracy: row.test_accuracy.unwrap_or(f32::NAN),
        weight_norm: row.weight_norm.unwrap_or(f32::NAN),
        probe_accuracy: row.probe_accuracy,
    };
    Ok(Vec::<Row>::deserialize(deserializer)?.into_iter().map(read).collect())
}

/// A cell of a CSV file (RFC 4180).
pub(super) fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}
