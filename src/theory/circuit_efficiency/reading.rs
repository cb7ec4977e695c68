//! What the networks of the survey say, for any choice of seeds, and how far that strays with the choice.
//!
//! Two readings of the critical number of rows know nothing of each other: where memory's norm passes the rule's, and where the test
//! accuracy jumps. The account stands or falls with their agreement, so a band draws the same seeds for all arms. The rule's norm is
//! read twice: from networks that found it from scratch, which there are only with many rows, and from grokked ones with as many
//! rows as memory has.

use super::super::spread::{self, fit, median};
use super::curve::{area, crossing, passing};
use crate::measure::bootstrap_interval;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// What a network was there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arm {
    /// From scratch.
    Up,
    /// After it had grokked with more rows.
    Down,
    /// Random labels.
    Memory,
}

/// What is kept of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Record {
    /// Its arm.
    pub arm: Arm,
    /// Training rows in the end.
    pub rows: u32,
    /// Its seed.
    pub seed: u64,
    /// Test accuracy in the end; NaN if it broke off.
    pub accuracy: f64,
    /// Change of the test accuracy in the last quarter of the updates.
    pub moved: f64,
    /// ‖θ‖/margin^{1/κ}: the norm that a mean margin of 1 on the training rows takes; NaN if these are not memorised.
    pub cost: f64,
}

/// Test accuracy from which a network has found the rule.
pub(super) const UNDERSTOOD: f64 = 0.95;
/// Seeds below which nothing is claimed.
pub(super) const CLAIM: usize = 3;

/// What the networks of some seeds say.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Reading {
    /// Between test accuracies after grokking and from scratch, accuracy × decades.
    pub area: Option<f64>,
    /// Rows at which the test accuracy passes ½ from scratch.
    pub up: Option<f64>,
    /// The same after grokking.
    pub down: Option<f64>,
    /// From the neighbour below `down` to the one above `up`: further apart the passings cannot be.
    pub reach: Option<(f64, f64)>,
    /// d log P_M / d log D.
    pub memory_slope: Option<f64>,
    /// d log P_G / d log D.
    pub rule_slope: Option<f64>,
    /// P_G.
    pub rule: Option<f64>,
    /// Rows at which P_M = P_G.
    pub crossing: Option<f64>,
    /// Rows at which P_M is the norm of grokked networks that were left with as many.
    pub kept_crossing: Option<f64>,
    /// Most that grokked networks cost over memory with as many rows, as a share, where they still answer half of the fresh rows.
    pub overpaid: Option<f64>,
}

/// Mean over the `seeds` (each as often as it is listed) of a number, by training rows; what is not finite is left out.
pub(super) fn curve(records: &[Record], arm: Arm, seeds: &[u64], of: impl Fn(&Record) -> f64) -> Vec<(f64, f64)> {
    let mut by_rows: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for record in records.iter().filter(|record| record.arm == arm) {
        let (value, times) = (of(record), seeds.iter().filter(|seed| **seed == record.seed).count());
        if value.is_finite() && times > 0 {
            by_rows.entry(record.rows).or_default().extend(core::iter::repeat_n(value, times));
        }
    }
    by_rows.into_iter().map(|(rows, values)| (f64::from(rows), spread::mean(&values))).collect()
}

/// The norm of networks that have found the rule from scratch.
pub(super) fn rule_cost(record: &Record) -> f64 {
    if record.accuracy >= UNDERSTOOD { record.cost } else { f64::NAN }
}

/// Both logarithms.
pub(super) fn logs(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    points.iter().map(|(x, y)| (libm::log(*x), libm::log(*y))).collect()
}

/// What the networks of `seeds` (each as often as it is listed) say.
pub(super) fn read(records: &[Record], seeds: &[u64]) -> Reading {
    let accuracy = |arm: Arm| curve(records, arm, seeds, |record| record.accuracy);
    let (up, down) = (accuracy(Arm::Up), accuracy(Arm::Down));
    let memory = curve(records, Arm::Memory, seeds, |record| record.cost);
    let rule = curve(records, Arm::Up, seeds, rule_cost);
    let kept = curve(records, Arm::Down, seeds, |record| record.cost);
    let of = |curve: &[(f64, f64)], rows: f64| curve.iter().find(|(at, _)| *at == rows).map(|(_, value)| *value);
    let over: Vec<(f64, f64)> = memory.iter().filter_map(|(rows, cost)| Some((*rows, cost / of(&kept, *rows)?))).collect();
    let holding = over.iter().filter(|(rows, _)| of(&down, *rows).is_some_and(|accuracy| accuracy >= 0.5));
    let law = (memory.len() > 2).then(|| fit(&logs(&memory)));
    let level = (!rule.is_empty()).then(|| median(&rule.iter().map(|(_, cost)| *cost).collect::<Vec<_>>()));
    Reading {
        area: area(&up, &down),
        up: crossing(&up, 0.5),
        down: crossing(&down, 0.5),
        reach: passing(&down, 0.5).zip(passing(&up, 0.5)).map(|(down, up)| (down[0].0, up[1].0)),
        memory_slope: law.map(|law| law.slope),
        rule_slope: (rule.len() > 1).then(|| fit(&logs(&rule)).slope),
        rule: level,
        crossing: law
            .zip(level)
            .map(|(law, level)| libm::exp((libm::log(level) - law.intercept) / law.slope))
            .filter(|rows| rows.is_finite()),
        kept_crossing: crossing(&over, 1.0),
        overpaid: holding.map(|(_, ratio)| 1.0 / ratio - 1.0).max_by(f64::total_cmp),
    }
}

/// Bootstrap over seeds. Few seeds have few samples (three have ten), so each is read once.
pub(super) struct Bands<'a> {
    /// All networks.
    pub records: &'a [Record],
    /// Their seeds, each once.
    pub seeds: &'a [u64],
    /// What was read already, by seeds drawn.
    pub known: RefCell<BTreeMap<Vec<u64>, Reading>>,
}

impl Bands<'_> {
    /// 95% of a number, if there are seeds enough and nearly every sample has it.
    pub(super) fn of(&self, number: impl Fn(&Reading) -> Option<f64>) -> Option<(f64, f64)> {
        if self.seeds.len() < CLAIM {
            return None;
        }
        let places: Vec<f64> = (0..self.seeds.len()).map(|place| place as f64).collect();
        let interval = bootstrap_interval(&places, |drawn| {
            let mut seeds: Vec<u64> = drawn.iter().map(|place| self.seeds[*place as usize]).collect();
            seeds.sort_unstable();
            let mut known = self.known.borrow_mut();
            number(known.entry(seeds).or_insert_with_key(|seeds| read(self.records, seeds)))
        });
        interval.map(|[low, high]| (low, high))
    }
}
