//! Curricula over rows: which training rows are in use, and in which order they are taken up.
//!
//! A curriculum is an order of the training rows and a share of them; a ramp of the share on the timeline is then the whole
//! schedule, so there is no pace setting beside it. Every order is a key per row, ascending, with ties broken by one random
//! permutation of *all* rows (stream [`Purpose::Order`]): so a larger share contains every smaller one, and cutting the training
//! set leaves the order of the rows that stay. Apart from `guided` none of these orders has a published result on modular tasks.

use super::dataset::Dataset;
use super::rule_for;
use super::split::{MAX_GUIDED_TOKENS, has_line, most_structure_first, unordered};
use crate::experiment::field::{Field, FieldKind, above};
use crate::experiment::randomness::{Purpose, Stream};
use crate::experiment::settings::Settings;
use crate::experiment::{FieldError, TaskConfig};

/// The settings of a curriculum.
pub(super) const FIELDS: &[Field] = &[
    Field::new(
        "curriculum.share",
        "Rows in use",
        "Share of the training rows that training uses, at least one row; ramp it on the timeline to add rows",
        above(0.0, 1.0),
    )
    .neutral("1")
    .live(),
    Field::new(
        "curriculum.order",
        "Order of rows",
        "In which order training rows are taken up when not all are in use; experimental but for guided (arXiv:2205.10343)",
        FieldKind::Choice(&[
            ("random", "Random"),
            ("rows_first", "Row by row (a ascending)"),
            ("columns_first", "Column by column (b ascending)"),
            ("small_first", "Small numbers first (larger of a, b ascending)"),
            ("diagonal_first", "Diagonal first (distance of a and b on the circle ascending)"),
            ("coset_first", "One coset of a + b after the other"),
            ("label_first", "Answer by answer (class ascending)"),
            ("guided", "Guided by theory (largest λ₃)"),
        ]),
    )
    .neutral("random")
    .live(),
];

/// Positions in `data.train`, in the order in which they are taken up; each once. The first [`rows_in_use`] of them are in use.
///
/// With n tokens, the keys are
/// - `random`: none;
/// - `rows_first`: a;
/// - `columns_first`: b;
/// - `small_first`: max(a, b), so the rows of the task on 0..m come first for every m;
/// - `diagonal_first`: the distance of a and b on the circle, min(a − b mod n, b − a mod n);
/// - `coset_first`: ((a + b) mod n) mod d, where d is the smallest divisor of n above 1 and below n, or √n rounded if there is
///   none: sums in the subgroup dℤ/n first, then its cosets; for prime n arithmetic progressions in their place;
/// - `label_first`: the true class;
/// - `guided`: the unordered pair's place when pairs of the training set are eliminated so that λ₃ of the effective theory stays
///   largest (see `split/guided.rs`), the last to go being first.
///
/// What [`check_curriculum`] refuses is taken up at random.
pub fn order(data: &Dataset, curriculum: &Settings, seed: u64) -> Vec<u32> {
    let mut place = vec![0u32; data.rows.len()];
    for (at, row) in (0..).zip(Stream::new(seed, Purpose::Order, 0).permutation(data.rows.len())) {
        place[row as usize] = at;
    }
    let keys = keys(data, curriculum.text("order"));
    let mut order: Vec<u32> = (0..data.train.len() as u32).collect();
    order.sort_unstable_by_key(|&position| {
        let key = keys.get(position as usize).copied().unwrap_or(0);
        (key, data.train.get(position as usize).map_or(0, |row| place[*row as usize]))
    });
    order
}

/// How many of `train_rows` training rows are in use: round(share · rows), at least one. A curriculum that states no share has
/// all.
pub fn rows_in_use(curriculum: &Settings, train_rows: usize) -> usize {
    let share = curriculum.number("share");
    if share > 0.0 { ((share * train_rows as f64).round() as usize).clamp(1, train_rows.max(1)) } else { train_rows }
}

/// Reasons why a task's rows cannot be taken up in this order, with one that works.
pub fn check_curriculum(task: &TaskConfig, curriculum: &Settings) -> Vec<FieldError> {
    let Some(rule) = rule_for(task) else { return Vec::new() };
    let sizes = rule.sizes();
    let name = curriculum.text("order");
    if rule.is_online() {
        let cause = "Rows that are drawn anew for every update have no order in which they are taken up";
        let refuse = |path: &str, remedy: &str| vec![FieldError::new(path, cause, remedy)];
        return match (name, curriculum.number("share")) {
            ("random" | "", share) if share == 0.0 || share == 1.0 => Vec::new(),
            ("random" | "", _) => refuse("curriculum.share", "Use 1, or task.online=false"),
            _ => refuse("curriculum.order", "Use random, or task.online=false"),
        };
    }
    let cause = match name {
        "random" | "" => None,
        "label_first" => (sizes.classes <= 1).then(|| "Answers are real numbers, so there is no first class".to_owned()),
        _ if sizes.tokens == 0 => {
            Some(format!("The order {name} speaks of pairs (a, b), and the inputs of this task are vectors"))
        }
        "guided" if !has_line(&task.operation) => {
            Some("The theory behind the guided order speaks of addition, not of this task".to_owned())
        }
        "guided" if sizes.tokens > MAX_GUIDED_TOKENS => {
            Some(format!("The guided order takes too long for {} numbers; {MAX_GUIDED_TOKENS} is the most", sizes.tokens))
        }
        _ => None,
    };
    cause.into_iter().map(|cause| FieldError::new("curriculum.order", cause, "Use random")).collect()
}

/// The key of each training row; none where there is none.
fn keys(data: &Dataset, name: &str) -> Vec<u32> {
    let n = data.sizes.tokens;
    let of_row = |key: &dyn Fn(u32, u32, u32) -> u32| -> Vec<u32> {
        let rows = data.train.iter().filter_map(|row| data.rows.get(*row as usize));
        rows.map(|row| key(u32::from(row.a), u32::from(row.b), u32::from(row.label))).collect()
    };
    if name == "label_first" {
        return of_row(&|_, _, label| label);
    }
    if n == 0 {
        return Vec::new();
    }
    match name {
        "rows_first" => of_row(&|a, _, _| a),
        "columns_first" => of_row(&|_, b, _| b),
        "small_first" => of_row(&|a, b, _| a.max(b)),
        "diagonal_first" => of_row(&|a, b, _| a.abs_diff(b).min(n - a.abs_diff(b))),
        "coset_first" => {
            let step = coset_step(n);
            of_row(&|a, b, _| (a + b) % n % step)
        }
        "guided" if has_line(&data.operation) && n <= MAX_GUIDED_TOKENS => {
            let rows = data.train.iter().filter_map(|row| data.rows.get(*row as usize));
            let pairs = most_structure_first(n, &unordered(rows.map(|row| (row.a, row.b))));
            of_row(&|a, b, _| {
                let place = pairs.iter().position(|(x, y)| (u32::from(*x), u32::from(*y)) == (a.min(b), a.max(b)));
                place.unwrap_or(pairs.len()) as u32
            })
        }
        _ => Vec::new(),
    }
}

/// d of `coset_first`.
fn coset_step(n: u32) -> u32 {
    let divisor = (2..).take_while(|d| d * d <= n).find(|d| n.is_multiple_of(*d));
    divisor.unwrap_or_else(|| (libm::sqrt(f64::from(n)).round() as u32).max(1))
}

#[cfg(test)]
mod tests {
    use super::super::split::structure_spectrum;
    use super::*;

    fn task(operation: &str, settings: Settings, train_fraction: f64) -> TaskConfig {
        TaskConfig { operation: operation.into(), settings, train_fraction, split: "random".into(), label_noise: 0.0 }
    }

    fn add(modulus: u32, train_fraction: f64) -> TaskConfig {
        task("add", Settings::default().with("modulus", modulus), train_fraction)
    }

    fn by(name: &str) -> Settings {
        Settings::default().with("order", name).with("share", 1.0)
    }

    fn names() -> Vec<&'static str> {
        let FieldKind::Choice(options) = FIELDS[1].kind else { panic!("a choice") };
        options.iter().map(|(name, _)| *name).collect()
    }

    /// (a, b, label) of the training rows in order.
    fn taken_up(data: &Dataset, name: &str) -> Vec<(i32, i32, i32)> {
        let rows = order(data, &by(name), 1).into_iter().map(|at| data.rows[data.train[at as usize] as usize]);
        rows.map(|row| (i32::from(row.a), i32::from(row.b), i32::from(row.label))).collect()
    }

    #[test]
    fn every_order_takes_up_each_training_row_once_and_follows_from_the_seed() {
        let data = Dataset::new(&add(11, 0.6), 0).unwrap();
        for name in names() {
            let found = order(&data, &by(name), 4);
            assert_eq!(found, order(&data, &by(name), 4), "{name}");
            assert_ne!(found, order(&data, &by(name), 5), "{name}: ties are broken by the seed");
            let mut sorted = found;
            sorted.sort_unstable();
            assert_eq!(sorted, (0..data.train.len() as u32).collect::<Vec<_>>(), "{name}");
        }
    }

    #[test]
    fn keys_ascend_along_each_order() {
        let data = Dataset::new(&add(15, 0.7), 0).unwrap();
        let ascends = |name: &str, key: &dyn Fn(i32, i32, i32) -> i32| {
            let keys: Vec<i32> = taken_up(&data, name).into_iter().map(|(a, b, y)| key(a, b, y)).collect();
            assert!(keys.is_sorted(), "{name}: {keys:?}");
        };
        ascends("rows_first", &|a, _, _| a);
        ascends("columns_first", &|_, b, _| b);
        ascends("small_first", &|a, b, _| a.max(b));
        ascends("label_first", &|_, _, y| y);
        // The smaller of the two arcs between a and b on a circle of 15.
        ascends("diagonal_first", &|a, b, _| (a - b).rem_euclid(15).min((b - a).rem_euclid(15)));
        // 3 is the smallest divisor of 15: sums 0, 3, 6, 9, 12 are the subgroup.
        ascends("coset_first", &|a, b, _| (a + b).rem_euclid(15) % 3);
    }

    #[test]
    fn cosets_are_of_the_largest_subgroup_and_progressions_for_a_prime() {
        assert_eq!([4, 9, 15, 113, 97, 2, 3].map(coset_step), [2, 3, 3, 11, 10, 1, 2]);
    }

    #[test]
    fn cutting_the_training_set_keeps_the_order_of_the_rows_that_stay() {
        let (whole, cut) = (Dataset::new(&add(13, 0.8), 2).unwrap(), Dataset::new(&add(13, 0.3), 2).unwrap());
        for name in ["random", "coset_first"] {
            let remaining: Vec<_> =
                taken_up(&whole, name).into_iter().filter(|(a, b, _)| cut.is_train((a * 13 + b) as usize)).collect();
            assert_eq!(remaining, taken_up(&cut, name), "{name}");
        }
    }

    #[test]
    fn the_share_is_rounded_and_never_leaves_nothing() {
        let in_use = |share: f64| rows_in_use(&Settings::default().with("share", share), 384);
        assert_eq!([1.0, 0.5, 0.001, 1e-9].map(in_use), [384, 192, 1, 1]);
        assert_eq!(rows_in_use(&Settings::default(), 384), 384);
    }

    #[test]
    fn the_guided_order_reaches_structure_with_fewer_pairs_than_chance() {
        let data = Dataset::new(&task("addition", Settings::default().with("tokens", 8), 0.8), 0).unwrap();
        let third = |name: &str, count: usize| {
            let pairs: Vec<_> = taken_up(&data, name).iter().take(count).map(|(a, b, _)| (*a as u16, *b as u16)).collect();
            structure_spectrum(8, &pairs)[2]
        };
        for count in [11, 14, 18] {
            assert!(third("guided", count) > 1e-3 + third("random", count), "{count} pairs");
        }
    }

    #[test]
    fn orders_that_make_no_sense_for_a_task_are_refused() {
        let refused = |task: &TaskConfig| -> Vec<&str> {
            names().into_iter().filter(|name| !check_curriculum(task, &by(name)).is_empty()).collect()
        };
        assert!(refused(&add(13, 0.5)).is_empty());
        assert_eq!(refused(&add(14, 0.5)), ["guided"]);
        assert_eq!(refused(&task("mul", Settings::default().with("modulus", 7), 0.5)), ["guided"]);
        let structured = ["rows_first", "columns_first", "small_first", "diagonal_first", "coset_first", "guided"];
        assert_eq!(refused(&task("digits", Settings::default(), 0.5)), structured);
        let online = Settings::default().with("bits", 12).with("relevant", 3).with("samples", 100).with("online", true);
        let online = task("parity", online, 0.5);
        assert_eq!(refused(&online).len(), names().len() - 1);
        assert!(check_curriculum(&online, &by("random")).is_empty());
        assert_eq!(check_curriculum(&online, &by("random").with("share", 0.5))[0].path, "curriculum.share");
        let real = task("linear_teacher", Settings::default().with("dimensions", 4).with("samples", 20).with("noise", 0.0), 0.5);
        assert_eq!(refused(&real).len(), structured.len() + 1);
    }
}
