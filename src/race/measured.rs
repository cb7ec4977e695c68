//! What was measured in a race: each measure over the seeds of an arm, and against the control seed by seed.
//!
//! A measure of one run is an anecdote. Over seeds it has a spread, and an arm differs from the control only if it does so seed
//! by seed, by the same test that its dates are judged by.

use super::result::{ArmResult, RaceResult, quoted};
use super::statistics::{SignTest, holm};
use crate::experiment::counts;
use crate::measure::{binder_cumulant, bootstrap_interval, susceptibility};
use crate::record::{MeasureTable, Value};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A number over seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Its median.
    pub median: f64,
    /// Its quartiles, interpolated between neighbours.
    pub quartiles: [f64; 2],
    /// Seeds that have a number.
    pub count: usize,
}

impl Spread {
    /// Of some values; `None` without any.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let at = |part: f64| {
            let place = part * last as f64;
            let (below, above) = (values[libm::floor(place) as usize], values[libm::ceil(place) as usize]);
            below + (place - libm::floor(place)) * (above - below)
        };
        Some(Self { median: at(0.5), quartiles: [at(0.25), at(0.75)], count: values.len() })
    }
}

/// A measure at the end of an arm's runs.
#[derive(Debug, Clone, PartialEq)]
pub struct AtEnd {
    /// Over seeds; `None` if no run has a number.
    pub spread: Option<Spread>,
    /// Against the control, seed by seed: wins are seeds in which this arm has the larger number. `None` for the control.
    pub sign_test: Option<SignTest>,
    /// The sign test's p after Holm's adjustment for all arms.
    pub adjusted_p: Option<f64>,
}

/// How the test accuracy at the end scatters over the seeds of an arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fluctuation {
    /// ⟨m⟩.
    pub mean: f64,
    /// Binder's cumulant, see [`binder_cumulant`], and its 95% bootstrap interval over seeds.
    pub binder: Option<(f64, [f64; 2])>,
    /// χ = n·Var(m), n the rows of the task, and its 95% bootstrap interval over seeds.
    pub susceptibility: Option<(f64, [f64; 2])>,
}

impl ArmResult {
    /// The last number of a column in each run, in the order of the seeds; `None` where the last checkpoint has none.
    pub fn last_values(&self, column: &str) -> Vec<Option<f64>> {
        self.measures.iter().map(|table| table.rows.last_key_value()?.1.get(column)?.number()).collect()
    }

    /// A column over steps: the spread over those seeds that have a number there.
    pub fn over_steps(&self, column: &str) -> Vec<(u32, Spread)> {
        let steps: BTreeSet<u32> = self.measures.iter().flat_map(|table| table.rows.keys().copied()).collect();
        let at = |step: u32| self.measures.iter().filter_map(|table| table.get(step, column)?.number()).collect();
        steps.into_iter().filter_map(|step| Some((step, Spread::of(at(step))?))).collect()
    }

    /// How the test accuracy of the last evaluations scatters; `None` without them. `rows` are those of the task.
    fn fluctuation(&self, rows: f64) -> Option<Fluctuation> {
        let accuracies: Vec<f64> = self.final_rows.iter().map(|row| f64::from(row.test_accuracy)).collect();
        if accuracies.is_empty() {
            return None;
        }
        let with_interval = |statistic: &dyn Fn(&[f64]) -> Option<f64>| {
            Some((statistic(&accuracies)?, bootstrap_interval(&accuracies, statistic)?))
        };
        Some(Fluctuation {
            mean: accuracies.iter().sum::<f64>() / accuracies.len() as f64,
            binder: with_interval(&binder_cumulant),
            susceptibility: with_interval(&|values| susceptibility(rows, values)),
        })
    }
}

impl RaceResult {
    /// Columns that were measured, sorted.
    pub fn columns(&self) -> Vec<String> {
        let tables = self.arms.iter().flat_map(|arm| &arm.measures);
        let names: BTreeSet<String> = tables.flat_map(MeasureTable::columns).collect();
        names.into_iter().collect()
    }

    /// A column at the end of the runs, arm by arm.
    pub fn at_end(&self, column: &str) -> Vec<AtEnd> {
        let values: Vec<Vec<Option<f64>>> = self.arms.iter().map(|arm| arm.last_values(column)).collect();
        let mut found: Vec<AtEnd> = values
            .iter()
            .enumerate()
            .map(|(index, own)| AtEnd {
                spread: Spread::of(own.iter().flatten().copied().collect()),
                sign_test: (index > 0).then(|| compared(own, &values[0])),
                adjusted_p: None,
            })
            .collect();
        let raw: Vec<f64> = found.iter().filter_map(|arm| arm.sign_test.map(|test| test.p)).collect();
        for (arm, p) in found.iter_mut().filter(|arm| arm.sign_test.is_some()).zip(holm(&raw)) {
            arm.adjusted_p = Some(p);
        }
        found
    }

    /// How the test accuracy at the end scatters over the seeds of each arm: the order parameter of a phase transition. A run
    /// that ends once it has arrived says nothing about its end, so there is something to tell only of races with measures,
    /// whose runs make the whole budget, and of arms of which no seed arrived.
    pub fn fluctuations(&self) -> Vec<Option<Fluctuation>> {
        let rows = counts(&self.config.experiment).domain;
        let is_whole = |arm: &ArmResult| !self.config.measures.is_empty() || arm.reached == 0;
        self.arms.iter().map(|arm| arm.fluctuation(f64::from(rows)).filter(|_| is_whole(arm))).collect()
    }

    /// `race-measures.csv`: arm, seed, step and one column per number; empty where there is none.
    pub fn measures_csv(&self) -> String {
        let columns = self.columns();
        let mut text = format!("arm,seed,step,{}\n", columns.join(","));
        for arm in &self.arms {
            for (table, outcome) in arm.measures.iter().zip(&arm.outcomes) {
                for (step, row) in &table.rows {
                    // Writing to a String cannot fail.
                    let _ = write!(text, "{},{},{step}", quoted(&arm.name), outcome.seed);
                    for column in &columns {
                        let _ = match row.get(column).and_then(Value::number) {
                            Some(number) => write!(text, ",{number}"),
                            None => write!(text, ","),
                        };
                    }
                    text.push('\n');
                }
            }
        }
        text
    }
}

/// Seeds in which the first is larger, smaller or the same; seeds without a number on either side are left out.
fn compared(ours: &[Option<f64>], theirs: &[Option<f64>]) -> SignTest {
    let both = || ours.iter().zip(theirs).filter_map(|(a, b)| Some((*a.as_ref()?, *b.as_ref()?)));
    let count = |wanted: core::cmp::Ordering| both().filter(|(a, b)| a.total_cmp(b) == wanted).count() as u32;
    SignTest::new(count(core::cmp::Ordering::Greater), count(core::cmp::Ordering::Less), count(core::cmp::Ordering::Equal))
}
