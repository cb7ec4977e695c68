//! What the networks of the survey say, for any choice of seeds, and how far that strays with the choice.
//!
//! Two readings of the critical number of rows know nothing of each other: where memory's norm passes the rule's, and where the test
//! accuracy jumps. The account stands or falls with their agreement, so a band draws the same seeds for all arms. Random labels stand
//! for memory, as in the paper; whether they cost what true ones do is read from networks that memorised these and found no rule.

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
/// Test accuracy below which a network has memory and no rule.
pub(super) const NO_RULE: f64 = 0.2;
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
    /// Cost of memorising true labels over that of random ones, less 1, where the rule is not found.
    pub label_bias: Option<f64>,
    /// Cost after grokking over that from scratch, less 1, at the fewest rows with which the former answers half and the latter not.
    pub kept: Option<f64>,
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
    let [fresh, kept] = [Arm::Up, Arm::Down].map(|arm| curve(records, arm, seeds, |record| record.cost));
    let of = |curve: &[(f64, f64)], rows: f64| curve.iter().find(|(at, _)| *at == rows).map(|(_, value)| *value);
    let bias: Vec<f64> = fresh
        .iter()
        .filter(|(rows, _)| of(&up, *rows).is_some_and(|accuracy| accuracy < NO_RULE))
        .filter_map(|(rows, cost)| Some(cost / of(&memory, *rows)? - 1.0))
        .collect();
    let open =
        kept.iter().find(|(rows, _)| of(&down, *rows).zip(of(&up, *rows)).is_some_and(|(down, up)| down >= 0.5 && up < 0.5));
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
        label_bias: (!bias.is_empty()).then(|| spread::mean(&bias)),
        kept: open.and_then(|(rows, cost)| Some(cost / of(&fresh, *rows)? - 1.0)),
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
