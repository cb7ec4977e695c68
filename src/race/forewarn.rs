//! Which measure announced the grok? Every measured column as a predictor of the date, over all runs of a race.
//!
//! Runs that arrived are to be warned of. Quiet they have to be on runs that never grok, and a run that has not arrived within
//! the budget may be about to: so controls are the arms of which no seed arrived, and stragglers of other arms are left out.

use super::result::{ArmResult, RaceResult};
use crate::measure::{GrokkingRun, Warning, column, early_warning};
use crate::record::{MeasureTable, UserError};

/// Fewest values that make a curve.
const LEAST_POINTS: usize = 3;

/// One measure as a predictor.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictor {
    /// The column.
    pub column: String,
    /// Its alarm and how early it came.
    pub warning: Warning,
    /// Whether it refers to key components, which the last checkpoint decides: nobody could have watched it live.
    pub in_hindsight: bool,
    /// Whether most runs pass the alarm with their first value: then other data or another start tell them apart, and it warns of
    /// nothing.
    pub from_the_start: bool,
}

impl Predictor {
    /// Why it is no warning, for people; empty if it is one.
    pub fn note(&self) -> &'static str {
        match (self.from_the_start, self.in_hindsight) {
            (true, _) => "differs from the start: warns of nothing",
            (false, true) => "in hindsight: refers to the last checkpoint",
            (false, false) => "",
        }
    }
}

/// All predictors of a race.
#[derive(Debug, Clone, PartialEq)]
pub struct Forewarning {
    /// (arm, place of the seed) of each run that arrived, in the order of [`Warning::leads`].
    pub grokking: Vec<(usize, usize)>,
    /// (arm, place of the seed) of each control.
    pub never: Vec<(usize, usize)>,
    /// Runs that did not arrive although others of their arm did.
    pub left_out: usize,
    /// Predictors, the earliest first; those that tell the runs apart from the start come last.
    pub predictors: Vec<Predictor>,
}

impl RaceResult {
    /// Judges every measured column.
    ///
    /// # Errors
    /// If nothing was measured, no run arrived, or every arm has a run that did.
    pub fn forewarning(&self) -> Result<Forewarning, UserError> {
        let refuse = |cause: &str, remedy: &str| Err(UserError::new(cause, remedy));
        if self.columns().is_empty() {
            return refuse("Nothing was measured in this race", "Choose measures and run it again");
        }
        let runs = |wanted: &dyn Fn(&ArmResult, usize) -> bool| -> Vec<(usize, usize)> {
            let all = self.arms.iter().enumerate().flat_map(|(index, arm)| (0..arm.measures.len()).map(move |run| (index, run)));
            all.filter(|(arm, run)| wanted(&self.arms[*arm], *run)).collect()
        };
        let arrived = |arm: &ArmResult, run: usize| arm.outcomes.get(run).is_some_and(|outcome| outcome.steps.is_some());
        let grokking = runs(&arrived);
        let never = runs(&|arm, _| arm.reached == 0);
        let left_out = runs(&|arm, run| arm.reached > 0 && !arrived(arm, run)).len();
        if grokking.is_empty() {
            return refuse("No run arrived, so there was nothing to warn of", "Raise the budget, or choose another control");
        }
        if never.is_empty() {
            return refuse(
                "Every arm has runs that arrived, so nothing says when an alarm would be false",
                "Add an arm that never groks, e.g. task.train_fraction=0.15",
            );
        }
        let table = |(arm, run): (usize, usize)| &self.arms[arm].measures[run];
        let mut predictors: Vec<Predictor> = Vec::new();
        for name in self.columns() {
            let grokked: Option<Vec<GrokkingRun>> = grokking.iter().map(|run| self.curve_of(*run, table(*run), &name)).collect();
            let controls: Vec<Vec<(u32, f64)>> = never.iter().map(|run| table(*run).curve(&name)).collect();
            // A measure that some runs do not have cannot be compared over runs.
            let Some(grokked) = grokked else { continue };
            let Ok(warning) = early_warning(&grokked, &controls) else { continue };
            let alarmed_at_once = |(run, lead): &(&GrokkingRun, &Option<f64>)| {
                let first = run.curve.first().map(|(step, _)| f64::from(run.t_gen) - f64::from(*step));
                lead.zip(first).is_some_and(|(lead, first)| lead >= first / f64::from(run.t_gen))
            };
            let at_once = grokked.iter().zip(&warning.leads).filter(alarmed_at_once).count();
            predictors.push(Predictor {
                in_hindsight: column(&name).is_some_and(|(measure, _)| measure.needs_keys),
                from_the_start: 2 * at_once > grokked.len(),
                column: name,
                warning,
            });
        }
        predictors.sort_by(|a, b| {
            let rank = |p: &Predictor| (p.from_the_start, -p.warning.median_lead);
            rank(a).0.cmp(&rank(b).0).then(rank(a).1.total_cmp(&rank(b).1))
        });
        Ok(Forewarning { grokking, never, left_out, predictors })
    }

    fn curve_of(&self, (arm, run): (usize, usize), table: &MeasureTable, column: &str) -> Option<GrokkingRun> {
        let arm = &self.arms[arm];
        // Checkpoints count the run's own updates, the date those of its source as well.
        let ahead = if self.config.count_source { arm.source_steps } else { 0 };
        let t_gen = arm.outcomes.get(run)?.steps?.checked_sub(ahead)?;
        let curve = table.curve(column);
        (curve.len() >= LEAST_POINTS).then_some(GrokkingRun { curve, t_gen })
    }
}
