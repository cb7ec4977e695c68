//! Ways of dividing rows between training, test and probe.
//!
//! What a curve means depends on it: with ordered pairs dealt out at random the mirror of a test row is in training as often as
//! not, and test accuracy starts there. A way is two things: which rows are one *unit*, dealt out together, and the order in
//! which units are taken up for training. A training set is a prefix of that order, so a larger fraction contains every smaller
//! one and a cut in the middle of a run keeps a subset. Rejected: a function from rows to sides, which promises neither.
//!
//! A way is one line in [`splits`] and a function or file here.

mod guided;
mod lines;
mod orbits;

pub use guided::structure_spectrum;
pub(super) use guided::{MAX_TOKENS as MAX_GUIDED_TOKENS, has_line, most_structure_first, unordered};

use super::dataset::Row;
use super::rule::Rule;
use crate::experiment::TaskConfig;
use crate::experiment::fields::Kind;
use crate::experiment::randomness::{Purpose, Stream};
use crate::record::UserError;

/// The unit of each row of a rule, `[rows]`.
pub type UnitOf = fn(&[Row], &dyn Rule) -> Vec<u32>;

/// Units in order, from rows, the unit of each row, and tokens.
pub type UnitOrder = fn(&[Row], &[u32], u32) -> Vec<u32>;

/// A registered way of dividing rows.
#[derive(Debug, Clone, Copy)]
pub struct SplitKind {
    /// Name, label, help and settings (`task.…`).
    pub kind: Kind,
    /// What one unit is, in the plural: `unordered pairs`.
    pub units: &'static str,
    /// Why a task cannot be divided so at all, if it cannot. Names no setting: that is always the split.
    pub refusal: fn(&TaskConfig, &dyn Rule) -> Option<UserError>,
    /// The unit of each row, numbered from 0 without gaps by first appearance; `None` where each row is one. Called only for
    /// pairs that `refusal` lets pass.
    pub unit_of: Option<UnitOf>,
    /// The order in which units are taken up for training, each once; `None` for a random one.
    pub order: Option<UnitOrder>,
}

/// Every way, in the order of the page.
pub fn splits() -> &'static [SplitKind] {
    &[RANDOM, orbits::MIRROR, lines::ROWS, lines::COLUMNS, lines::DIAGONALS, lines::ANTIDIAGONALS, orbits::ORBITS, guided::KIND]
}

/// The way that a task names.
pub fn split_of(task: &TaskConfig) -> Option<&'static SplitKind> {
    splits().iter().find(|split| split.kind.name == task.split)
}

const RANDOM: SplitKind = SplitKind {
    kind: Kind {
        name: "random",
        label: "Random",
        help: "Each row goes its own way; for pairs, the mirror (b, a) of a test row may be in training",
        fields: &[],
    },
    units: "rows",
    refusal: |_, _| None,
    unit_of: None,
    order: None,
};

/// The order of `units` units under a way without one of its own.
pub(super) fn random_order(seed: u64, units: usize) -> Vec<u32> {
    Stream::new(seed, Purpose::Split, 0).permutation(units)
}

/// Refuses tasks that are not on pairs.
fn needs_pairs(rule: &dyn Rule, split: &str) -> Option<UserError> {
    (rule.sizes().tokens == 0).then(|| {
        UserError::new(format!("{split} divides pairs (a, b), and the inputs of this task are vectors"), "Use the random split")
    })
}

/// Numbers keys from 0 in the order of their first appearance. Keys are small: a line or a row.
fn number(keys: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut seen: Vec<Option<u32>> = Vec::new();
    let mut next = 0;
    keys.map(|key| {
        let key = key as usize;
        if seen.len() <= key {
            seen.resize(key + 1, None);
        }
        *seen[key].get_or_insert_with(|| {
            next += 1;
            next - 1
        })
    })
    .collect()
}

#[cfg(test)]
mod tests;
