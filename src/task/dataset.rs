//! All rows of a task, their answers and their sides: small enough to enumerate, so every count and curve is exact.
//!
//! Conventions. Rows are in the order of the rule, pairs a-major: (0,0), (0,1), …. A *unit* is what the split deals out (see
//! `split`). First, round(probe fraction · units) units of a random permutation become the probe; then the first
//! round(training fraction · units) units of the split's order, probe units skipped, are for training; the rest is for testing.
//! Fractions are of all units, so setting a probe apart does not shrink the training set, and neither fraction moves what the
//! other has dealt out. Rejected: drawing a fixed number of *rows*, which would cut a unit in two.

use super::rule::{Answers, Domain, Rule, Sizes};
use super::split::{SplitKind, random_order, split_of};
use super::{rule_for, tasks};
use crate::experiment::field::{Field, closed};
use crate::experiment::randomness::{Purpose, Stream};
use crate::experiment::{FieldError, TaskConfig};
use crate::record::UserError;

/// What every task has beside its own settings.
pub(super) const FIELDS: &[Field] = &[Field::new(
    "task.probe_fraction",
    "Probe fraction",
    "Share of all units (rows, pairs: see the split) set apart: never trained on and not counted as test",
    closed(0.0, 0.5),
)
.neutral("0")];

/// One row with its true answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Row {
    /// First input; 0 for a vector.
    pub a: u16,
    /// Second input; 0 for a vector.
    pub b: u16,
    /// The true class; 0 for a real-valued answer.
    pub label: u16,
}

/// A task's rows and their sides.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dataset {
    /// Rows, tokens or width, classes.
    pub sizes: Sizes,
    /// Name of the task.
    pub operation: String,
    /// Every row, in the order of the rule.
    pub rows: Vec<Row>,
    /// Inputs `[rows][width]`, row-major; empty for pairs.
    pub vectors: Vec<f32>,
    /// Real-valued answers `[rows]`; empty for classes.
    pub values: Vec<f32>,
    /// Indices of training rows into `rows`, ascending.
    pub train: Vec<u32>,
    /// Indices of test rows, ascending.
    pub test: Vec<u32>,
    /// Indices of rows that are neither, ascending.
    pub probe: Vec<u32>,
    /// Classes that training sees, parallel to `train`: the true ones but for label noise. Empty for real-valued answers.
    pub train_labels: Vec<u16>,
    /// Per row, whether it is a training row.
    pub train_mask: Vec<bool>,
}

/// How many rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SideCounts {
    /// All rows.
    pub rows: u32,
    /// Training rows.
    pub train: u32,
    /// Test rows.
    pub test: u32,
    /// Rows that are neither.
    pub probe: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Train,
    Test,
    Probe,
}

impl Dataset {
    /// Enumerates the rows, divides them by stream [`Purpose::Split`] (and [`Purpose::Probe`]) and replaces round(noise ·
    /// training rows) training labels by a uniformly drawn wrong one by stream [`Purpose::Noise`] number 0.
    ///
    /// # Errors
    /// If the settings do not go together, the split does not suit the task, or there are no training or no test rows.
    pub fn new(task: &TaskConfig, seed: u64) -> Result<Self, UserError> {
        let (rule, split) = parts(task)?;
        let sizes = rule.sizes();
        let (rows, vectors, values) = enumerate(&*rule, seed);
        if rows.len() != sizes.rows as usize {
            return Err(UserError::new(
                format!("The rows of {} are not in this part of the program", rule.formula()),
                "Start the run, which reads them",
            ));
        }
        let sides = deal(task, split, &*rule, &rows, seed);
        let of = |side: Side| (0..rows.len() as u32).filter(|row| sides[*row as usize] == side).collect::<Vec<u32>>();
        let (train, test, probe) = (of(Side::Train), of(Side::Test), of(Side::Probe));
        if train.is_empty() || test.is_empty() {
            let side = if train.is_empty() { "training" } else { "test" };
            return Err(UserError::new(
                format!("A training fraction of {} leaves no {side} rows", task.train_fraction),
                "Use a fraction further from 0 and 1",
            ));
        }
        let mut train_labels = Vec::new();
        if sizes.classes > 1 {
            train_labels = train.iter().map(|row| rows[*row as usize].label).collect();
            spoil(&mut train_labels, task.label_noise, sizes.classes, seed);
        }
        let train_mask = sides.iter().map(|side| *side == Side::Train).collect();
        let operation = task.operation.clone();
        Ok(Self { sizes, operation, rows, vectors, values, train, test, probe, train_labels, train_mask })
    }

    /// Whether `row` (an index into `rows`) is a training row.
    pub fn is_train(&self, row: usize) -> bool {
        self.train_mask.get(row).copied().unwrap_or(false)
    }

    /// Whether inputs are pairs of tokens; vectors otherwise.
    pub fn is_pairs(&self) -> bool {
        self.sizes.tokens > 0
    }

    /// Index of (b, a) for the row (a, b); `None` if it is not among the inputs, and for vectors.
    pub fn mirror_of(&self, row: u32) -> Option<u32> {
        let pair = self.rows.get(row as usize).filter(|_| self.is_pairs())?;
        position(&self.rows, pair.b, pair.a)
    }

    /// The input vector of `row`, `[width]`; empty for pairs.
    pub fn vector(&self, row: usize) -> &[f32] {
        let width = self.sizes.width as usize;
        self.vectors.get(row * width..(row + 1) * width).unwrap_or(&[])
    }
}

/// Index of the pair (a, b) among rows in a-major order.
pub(super) fn position(rows: &[Row], a: u16, b: u16) -> Option<u32> {
    rows.binary_search_by_key(&(a, b), |row| (row.a, row.b)).ok().map(|row| row as u32)
}

/// Reasons why a task cannot be used as it is, with the nearest that can. How many rows are on each side is the caller's to judge,
/// but for the probe's part in it.
pub fn check(task: &TaskConfig) -> Vec<FieldError> {
    let Some(rule) = rule_for(task) else { return vec![unknown("task.operation", &task.operation)] };
    let mut errors = rule.check();
    if !errors.is_empty() {
        return errors;
    }
    match split_of(task) {
        None => errors.push(unknown("task.split", &task.split)),
        Some(split) => {
            errors.extend((split.refusal)(task, &*rule).map(|why| FieldError::new("task.split", why.cause, why.remedy)));
        }
    }
    if rule.sizes().classes <= 1 && task.label_noise > 0.0 {
        errors.push(FieldError::new("task.label_noise", "Answers are real numbers, so there are no labels to replace", "Use 0"));
    }
    if rule.is_online() && task.label_noise > 0.0 {
        errors.push(FieldError::new(
            "task.label_noise",
            "Rows that are drawn anew for every update keep their true labels",
            "Use 0, or task.online=false",
        ));
    }
    let probe = task.settings.number("probe_fraction");
    // Counting units may take enumerating them.
    let units = if errors.is_empty() && probe > 0.0 { split_units(task) as usize } else { 0 };
    let train = drawn(task.train_fraction, units);
    if train < units && drawn(probe, units) + train >= units {
        // Two units fewer than are left, so that rounding cannot take the last.
        let most = 1000.0 * (units - train).saturating_sub(2) as f64 / units as f64;
        errors.push(FieldError::new(
            "task.probe_fraction",
            format!("A probe of {probe} beside a training fraction of {} leaves no test rows", task.train_fraction),
            format!("Use {}", (most.floor() / 1000.0).min(0.5)),
        ));
    }
    errors
}

fn unknown(path: &str, name: &str) -> FieldError {
    let names: Vec<&str> = match path {
        "task.operation" => tasks().iter().map(|task| task.kind.name).collect(),
        _ => super::splits().iter().map(|split| split.kind.name).collect(),
    };
    FieldError::new(path, format!("There is no {name}"), format!("Use one of {}", names.join(", ")))
}

/// Rule and split of a task that can be divided.
fn parts(task: &TaskConfig) -> Result<(Box<dyn Rule>, &'static SplitKind), UserError> {
    let rule = rule_for(task).ok_or_else(|| UserError::from(unknown("task.operation", &task.operation)))?;
    if let Some(error) = rule.check().into_iter().next() {
        return Err(error.into());
    }
    let split = split_of(task).ok_or_else(|| UserError::from(unknown("task.split", &task.split)))?;
    match (split.refusal)(task, &*rule) {
        Some(error) => Err(error),
        None => Ok((rule, split)),
    }
}

/// Rows, input vectors and real-valued answers.
fn enumerate(rule: &dyn Rule, seed: u64) -> (Vec<Row>, Vec<f32>, Vec<f32>) {
    let (domain, answers) = rule.domain(seed);
    let (labels, values) = match answers {
        Answers::Labels(labels) => (labels, Vec::new()),
        Answers::Values(values) => (vec![0; values.len()], values),
    };
    match domain {
        Domain::Pairs(pairs) => {
            let rows = pairs.into_iter().zip(labels).map(|((a, b), label)| Row { a, b, label });
            (rows.collect(), Vec::new(), values)
        }
        Domain::Vectors(vectors) => (labels.into_iter().map(|label| Row { a: 0, b: 0, label }).collect(), vectors, values),
    }
}

/// How many units the split deals out; 0 where the task cannot be divided.
pub fn split_units(task: &TaskConfig) -> u32 {
    let Ok((rule, split)) = parts(task) else { return 0 };
    match split.unit_of {
        None => rule.sizes().rows,
        Some(unit_of) => units_in(&unit_of(&enumerate(&*rule, 0).0, &*rule)) as u32,
    }
}

/// Rows on each side of `task` under `seed`, without enumerating where rows are dealt out one by one. All zero where the task
/// cannot be divided.
pub fn side_counts(task: &TaskConfig, seed: u64) -> SideCounts {
    let Ok((rule, split)) = parts(task) else { return SideCounts::default() };
    let rows = rule.sizes().rows;
    if split.unit_of.is_none() && split.order.is_none() {
        let probe = drawn(task.settings.number("probe_fraction"), rows as usize) as u32;
        let train = (drawn(task.train_fraction, rows as usize) as u32).min(rows - probe);
        return SideCounts { rows, train, test: rows - probe - train, probe };
    }
    let sides = deal(task, split, &*rule, &enumerate(&*rule, seed).0, seed);
    let count = |side: Side| sides.iter().filter(|found| **found == side).count() as u32;
    SideCounts { rows, train: count(Side::Train), test: count(Side::Test), probe: count(Side::Probe) }
}

/// (rows, training rows) of `task` under `seed`; see [`side_counts`].
pub fn row_counts(task: &TaskConfig, seed: u64) -> (u32, u32) {
    let counts = side_counts(task, seed);
    (counts.rows, counts.train)
}

/// Of the test rows of a task with f(a, b) = f(b, a), how many have their mirror (b, a) among the training rows: whoever has
/// noticed the symmetry knows their answers. `None` for tasks without it, and where the task cannot be divided.
pub fn mirrored_test_rows(task: &TaskConfig, seed: u64) -> Option<u32> {
    let (rule, split) = parts(task).ok()?;
    if !rule.is_symmetric() {
        return None;
    }
    let rows = enumerate(&*rule, seed).0;
    let sides = deal(task, split, &*rule, &rows, seed);
    let is_known = |row: &Row| position(&rows, row.b, row.a).is_some_and(|mirror| sides[mirror as usize] == Side::Train);
    let tests = rows.iter().zip(&sides).filter(|(_, side)| **side == Side::Test);
    Some(tests.filter(|(row, _)| is_known(row)).count() as u32)
}

/// Per row in the order of the rule, whether the split of `seed` makes it a training row; empty where the task cannot be divided.
pub fn train_mask(task: &TaskConfig, seed: u64) -> Vec<bool> {
    let Ok((rule, split)) = parts(task) else { return Vec::new() };
    // Rows that are dealt out one by one need not be known to be dealt out.
    let rows = if split.unit_of.is_some() || split.order.is_some() { enumerate(&*rule, seed).0 } else { Vec::new() };
    deal(task, split, &*rule, &rows, seed).into_iter().map(|side| side == Side::Train).collect()
}

/// How many of `units` a share is.
fn drawn(share: f64, units: usize) -> usize {
    (share.clamp(0.0, 1.0) * units as f64).round() as usize
}

fn units_in(unit_of: &[u32]) -> usize {
    unit_of.iter().max().map_or(0, |last| *last as usize + 1)
}

/// The side of each row. `rows` is read only by splits whose units or order depend on the pairs.
fn deal(task: &TaskConfig, split: &SplitKind, rule: &dyn Rule, rows: &[Row], seed: u64) -> Vec<Side> {
    let sizes = rule.sizes();
    let unit_of = split.unit_of.map_or_else(|| (0..sizes.rows).collect(), |unit_of| unit_of(rows, rule));
    let units = units_in(&unit_of);
    let mut sides = vec![Side::Test; units];
    let probe = drawn(task.settings.number("probe_fraction"), units);
    if probe > 0 {
        for unit in Stream::new(seed, Purpose::Probe, 0).permutation(units).into_iter().take(probe) {
            sides[unit as usize] = Side::Probe;
        }
    }
    let order = split.order.map_or_else(|| random_order(seed, units), |order| order(rows, &unit_of, sizes.tokens));
    let free: Vec<u32> = order.into_iter().filter(|unit| sides[*unit as usize] == Side::Test).collect();
    for unit in free.into_iter().take(drawn(task.train_fraction, units)) {
        sides[unit as usize] = Side::Train;
    }
    unit_of.iter().map(|unit| sides[*unit as usize]).collect()
}

/// Replaces round(noise · labels) labels by wrong ones, each wrong one as likely.
fn spoil(labels: &mut [u16], noise: f64, classes: u32, seed: u64) {
    let mut stream = Stream::new(seed, Purpose::Noise, 0);
    let noisy = drawn(noise, labels.len());
    for position in stream.permutation(labels.len()).into_iter().take(noisy) {
        let slot = &mut labels[position as usize];
        // Adding 1..classes−1 reaches every wrong label once.
        *slot = ((u64::from(*slot) + 1 + stream.below(u64::from(classes) - 1)) % u64::from(classes)) as u16;
    }
}

#[cfg(test)]
mod tests;
