//! The whole domain of a task, its labels and its split: small enough to enumerate, so every count and curve is exact.
//!
//! Conventions. Rows are in grid order, a-major: (0,0), (0,1), …; division leaves out b = 0 and multiplication keeps zeros.
//! A *unit* is what the split deals out: an ordered pair (`random`), or the orbit {(a, b), (b, a)} within the domain (`mirror`;
//! for division (0, b) stands alone because (b, 0) is not there). The first round(f · units) of a random permutation of the
//! units are for training. Rejected: drawing a fixed number of *rows* under `mirror`, which would cut an orbit in two.

use crate::experiment::randomness::{Purpose, Stream};
use crate::experiment::{Operation, Split, TaskConfig};
use crate::record::UserError;
use crate::task::{is_prime, nearest_prime};

/// One input pair with its true label, all in 0..p.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// First input.
    pub a: u16,
    /// Second input.
    pub b: u16,
    /// f(a, b).
    pub label: u16,
}

/// A task's domain and split.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// p.
    pub modulus: u32,
    /// The rule.
    pub operation: Operation,
    /// Every pair in grid order.
    pub rows: Vec<Row>,
    /// Indices of training rows into `rows`, ascending.
    pub train: Vec<u32>,
    /// Indices of test rows into `rows`, ascending.
    pub test: Vec<u32>,
    /// Labels that training sees, parallel to `train`: the true ones but for label noise. Test labels are always true.
    pub train_labels: Vec<u16>,
    /// Per row, whether it is a training row.
    pub train_mask: Vec<bool>,
}

/// Largest modulus whose residues fit a row.
const MAX_MODULUS: u32 = 4096;

impl Dataset {
    /// Enumerates the domain, splits it by stream [`Purpose::Split`] and replaces round(noise · training rows) training labels
    /// by a uniformly drawn wrong one by stream [`Purpose::Noise`].
    ///
    /// # Errors
    /// If the modulus is out of range, not prime where it must be, or a side of the split is empty.
    pub fn new(task: &TaskConfig, seed: u64) -> Result<Self, UserError> {
        let p = task.modulus;
        if !(2..=MAX_MODULUS).contains(&p) {
            return Err(UserError::new(format!("A modulus of {p} is out of range"), format!("Use 2 to {MAX_MODULUS}")));
        }
        if task.operation == Operation::Div && !is_prime(p) {
            return Err(UserError::new(
                format!("Division modulo {p} is not defined for every b, because {p} is not prime"),
                format!("Use {}", nearest_prime(p, MAX_MODULUS)),
            ));
        }
        let rows: Vec<Row> = pairs(task.operation, p)
            .map(|(a, b)| Row { a: a as u16, b: b as u16, label: label(task.operation, p, a, b) as u16 })
            .collect();
        let train_mask = train_mask(task, seed);
        let side = |wanted: bool| (0..rows.len() as u32).filter(|i| train_mask[*i as usize] == wanted).collect::<Vec<u32>>();
        let (train, test) = (side(true), side(false));
        if train.is_empty() || test.is_empty() {
            let side = if train.is_empty() { "training" } else { "test" };
            return Err(UserError::new(
                format!("A training fraction of {} leaves no {side} rows", task.train_fraction),
                "Use a fraction further from 0 and 1",
            ));
        }
        let mut train_labels: Vec<u16> = train.iter().map(|i| rows[*i as usize].label).collect();
        let mut stream = Stream::new(seed, Purpose::Noise, 0);
        let noisy = (task.label_noise.clamp(0.0, 1.0) * train.len() as f64).round() as usize;
        for position in stream.permutation(train.len()).into_iter().take(noisy) {
            let slot = &mut train_labels[position as usize];
            // Adding 1..p−1 reaches every wrong label once.
            *slot = ((u64::from(*slot) + 1 + stream.below(u64::from(p) - 1)) % u64::from(p)) as u16;
        }
        Ok(Self { modulus: p, operation: task.operation, rows, train, test, train_labels, train_mask })
    }

    /// Whether `row` (an index into `rows`) is a training row.
    pub fn is_train(&self, row: usize) -> bool {
        self.train_mask.get(row).copied().unwrap_or(false)
    }
}

/// Index of (b, a) in the rows of `operation` modulo `modulus`, or `None` if it is not in the domain. `row` is an index too.
pub fn mirror_of(operation: Operation, modulus: u32, row: u32) -> Option<u32> {
    let (p, first) = (modulus, u32::from(operation == Operation::Div));
    let width = p - first;
    let (a, b) = (row / width, row % width + first);
    (a >= first).then(|| b * width + a - first)
}

/// How many units the split deals out (see the head of this file).
pub fn split_units(task: &TaskConfig) -> u32 {
    let p = task.modulus;
    match (task.split, task.operation) {
        (Split::Random, Operation::Div) => p * (p - 1),
        (Split::Random, _) => p * p,
        // Pairs with a, b ≥ 1 up to order, and p − 1 pairs (0, b) on their own.
        (Split::Mirror, Operation::Div) => (p - 1) * p / 2 + p - 1,
        (Split::Mirror, _) => p * (p + 1) / 2,
    }
}

/// (rows of the domain, training rows) of `task` under `seed`, without enumerating where a closed form will do: a mirror split's
/// training rows depend on how many orbits of one row were drawn. `task.modulus` as for [`train_mask`].
pub fn row_counts(task: &TaskConfig, seed: u64) -> (u32, u32) {
    match task.split {
        Split::Random => (split_units(task), drawn(task.train_fraction, split_units(task) as usize) as u32),
        Split::Mirror => {
            let mask = train_mask(task, seed);
            (mask.len() as u32, mask.iter().filter(|is_train| **is_train).count() as u32)
        }
    }
}

/// Per row in grid order, whether the split of `seed` makes it a training row. `task.modulus` is at least 2 and at most 4,096.
pub fn train_mask(task: &TaskConfig, seed: u64) -> Vec<bool> {
    let unit_of = match task.split {
        Split::Random => (0..pairs(task.operation, task.modulus).count() as u32).collect(),
        Split::Mirror => orbits(task.operation, task.modulus),
    };
    draw(&unit_of, task.train_fraction, &mut Stream::new(seed, Purpose::Split, 0))
}

/// How many of `units` a share is.
fn drawn(share: f64, units: usize) -> usize {
    (share.clamp(0.0, 1.0) * units as f64).round() as usize
}

/// The first round(share · units) units of a random permutation, as a mask over rows.
fn draw(unit_of: &[u32], share: f64, stream: &mut Stream) -> Vec<bool> {
    let units = unit_of.iter().max().map_or(0, |last| *last as usize + 1);
    let wanted = drawn(share, units);
    let mut chosen = vec![false; units];
    for unit in stream.permutation(units).into_iter().take(wanted) {
        chosen[unit as usize] = true;
    }
    unit_of.iter().map(|unit| chosen[*unit as usize]).collect()
}

/// Per row, the number of its orbit under (a, b) → (b, a); orbits are numbered by first appearance.
fn orbits(operation: Operation, p: u32) -> Vec<u32> {
    let mut unit_of: Vec<u32> = Vec::new();
    let mut next = 0;
    for row in 0..pairs(operation, p).count() as u32 {
        match mirror_of(operation, p, row) {
            Some(mirror) if mirror < row => unit_of.push(unit_of[mirror as usize]),
            _ => {
                unit_of.push(next);
                next += 1;
            }
        }
    }
    unit_of
}

/// The domain in grid order.
fn pairs(operation: Operation, p: u32) -> impl Iterator<Item = (u32, u32)> {
    let first = u32::from(operation == Operation::Div);
    (0..p).flat_map(move |a| (first..p).map(move |b| (a, b)))
}

/// f(a, b), for a, b < p ≤ 4,096.
fn label(operation: Operation, p: u32, a: u32, b: u32) -> u32 {
    match operation {
        Operation::Add => (a + b) % p,
        Operation::Sub => (a + p - b) % p,
        Operation::Mul => a * b % p,
        // Fermat: b⁻¹ = b^(p−2) for prime p.
        Operation::Div => a * power(b, p - 2, p) % p,
    }
}

fn power(base: u32, exponent: u32, p: u32) -> u32 {
    let (mut result, mut square, mut left) = (1 % p, base % p, exponent);
    while left > 0 {
        if left & 1 == 1 {
            result = result * square % p;
        }
        square = square * square % p;
        left >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(operation: Operation, modulus: u32, train_fraction: f64, split: Split) -> TaskConfig {
        TaskConfig { operation, modulus, train_fraction, split, label_noise: 0.0 }
    }

    const ALL: [Operation; 4] = [Operation::Add, Operation::Sub, Operation::Mul, Operation::Div];

    #[test]
    fn the_landing_task_has_961_rows_of_which_384_are_for_training() {
        let data = Dataset::new(&task(Operation::Add, 31, 0.4, Split::Random), 0).unwrap();
        assert_eq!((data.rows.len(), data.train.len(), data.test.len()), (961, 384, 577));
    }

    #[test]
    fn division_by_97_has_9312_rows_and_no_zero_divisor() {
        let data = Dataset::new(&task(Operation::Div, 97, 0.5, Split::Random), 0).unwrap();
        assert_eq!((data.rows.len(), data.train.len()), (9312, 4656));
        assert!(data.rows.iter().all(|r| r.b != 0));
    }

    #[test]
    fn mirror_units_of_59_are_1770_and_1133_of_them_train() {
        let config = task(Operation::Add, 59, 0.64, Split::Mirror);
        assert_eq!(split_units(&config), 1770);
        let data = Dataset::new(&config, 0).unwrap();
        let unordered = data.train.iter().filter(|i| data.rows[**i as usize].a <= data.rows[**i as usize].b).count();
        assert_eq!(unordered, 1133);
    }

    #[test]
    fn every_row_is_on_exactly_one_side_and_both_sides_ascend() {
        for operation in ALL {
            for split in [Split::Random, Split::Mirror] {
                let data = Dataset::new(&task(operation, 13, 0.37, split), 5).unwrap();
                let mut all = [data.train.clone(), data.test.clone()].concat();
                assert_eq!(row_counts(&task(operation, 13, 0.37, split), 5), (data.rows.len() as u32, data.train.len() as u32));
                assert!(data.train.is_sorted() && data.test.is_sorted());
                all.sort_unstable();
                assert_eq!(all, (0..data.rows.len() as u32).collect::<Vec<_>>());
                assert!((0..data.rows.len()).all(|i| data.is_train(i) == data.train.contains(&(i as u32))));
            }
        }
    }

    #[test]
    fn a_mirror_split_never_parts_a_pair_and_counts_its_units() {
        for operation in ALL {
            let config = task(operation, 17, 0.5, Split::Mirror);
            for seed in 0..5 {
                let data = Dataset::new(&config, seed).unwrap();
                let side = |a: u16, b: u16| data.rows.iter().position(|r| (r.a, r.b) == (a, b)).map(|i| data.is_train(i));
                let mut units = 0;
                for row in &data.rows {
                    let mirror = side(row.b, row.a);
                    assert!(mirror.is_none() || mirror == side(row.a, row.b));
                    units += u32::from(mirror.is_none() || row.a <= row.b);
                }
                assert_eq!(units, split_units(&config), "{operation:?}");
            }
        }
    }

    #[test]
    fn labels_solve_the_rule_by_brute_force() {
        let p = 23;
        for operation in ALL {
            for row in &Dataset::new(&task(operation, p, 0.5, Split::Random), 0).unwrap().rows {
                let (a, b) = (u32::from(row.a), u32::from(row.b));
                let expected: Vec<u32> = (0..p)
                    .filter(|y| match operation {
                        Operation::Add => (a + b) % p == *y,
                        Operation::Sub => (y + b) % p == a,
                        Operation::Mul => (0..b).fold(0, |sum, _| (sum + a) % p) == *y,
                        Operation::Div => y * b % p == a,
                    })
                    .collect();
                assert_eq!(expected, [u32::from(row.label)], "{operation:?} {a} {b}");
            }
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_split_and_another_seed_another() {
        let config = TaskConfig { label_noise: 0.2, ..task(Operation::Add, 31, 0.4, Split::Random) };
        assert_eq!(Dataset::new(&config, 7).unwrap(), Dataset::new(&config, 7).unwrap());
        assert_ne!(Dataset::new(&config, 7).unwrap().train, Dataset::new(&config, 8).unwrap().train);
    }

    #[test]
    fn label_noise_replaces_exactly_its_share_by_wrong_labels_and_spares_the_split() {
        let clean = Dataset::new(&task(Operation::Add, 31, 0.4, Split::Random), 3).unwrap();
        let config = TaskConfig { label_noise: 0.25, ..task(Operation::Add, 31, 0.4, Split::Random) };
        let noisy = Dataset::new(&config, 3).unwrap();
        assert_eq!((&clean.train, &clean.rows), (&noisy.train, &noisy.rows));
        let wrong = clean.train_labels.iter().zip(&noisy.train_labels).filter(|(a, b)| a != b).count();
        assert_eq!(wrong, 96);
        assert!(noisy.train_labels.iter().all(|y| *y < 31));
    }

    #[test]
    fn what_cannot_be_split_is_refused_with_a_remedy() {
        let error = Dataset::new(&task(Operation::Div, 96, 0.5, Split::Random), 0).unwrap_err();
        assert!(error.remedy.contains("97"), "{error}");
        assert!(Dataset::new(&task(Operation::Add, 5, 0.001, Split::Random), 0).is_err());
        assert!(Dataset::new(&task(Operation::Add, 5, 0.999, Split::Random), 0).is_err());
        assert!(Dataset::new(&task(Operation::Add, 1, 0.5, Split::Random), 0).is_err());
        assert!(Dataset::new(&task(Operation::Add, u32::MAX, 0.5, Split::Random), 0).is_err());
    }
}
