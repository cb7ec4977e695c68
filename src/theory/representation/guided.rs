//! Training pairs chosen by λ₃, against as many drawn by chance.
//!
//! The choice is the one that the guided split trains on (`task::split`), so what is shown here is what a run would get.

use super::pairs::{Pair, shuffled};
use super::structure::Structure;
use crate::experiment::randomness::Stream;
use crate::experiment::{Settings, TaskConfig};
use crate::record::UserError;
use crate::task::Dataset;

/// Most numbers among whose pairs the guided split chooses.
pub const MOST_TOKENS: usize = 13;

/// The guided training set of `count` pairs.
///
/// # Errors
/// If there are more than [`MOST_TOKENS`] numbers, or `count` is not in 1..all pairs.
pub fn guided(tokens: usize, count: usize) -> Result<Vec<Pair>, UserError> {
    let all = tokens * (tokens + 1) / 2;
    let task = TaskConfig {
        operation: "addition".into(),
        settings: Settings::default().with("tokens", tokens as u32),
        train_fraction: count as f64 / all as f64,
        split: "guided".into(),
        label_noise: 0.0,
    };
    let data = Dataset::new(&task, 0)?;
    let pair = |row: &u32| {
        let row = &data.rows[*row as usize];
        (usize::from(row.a.min(row.b)), usize::from(row.a.max(row.b)))
    };
    Ok(data.train.iter().map(pair).collect())
}

/// λ₃ (at Z₀ = 1) of the guided set of each size: `(n, λ₃)` for n = 1..all pairs.
///
/// # Errors
/// As [`guided`].
pub fn guided_thirds(tokens: usize) -> Result<Vec<(usize, f64)>, UserError> {
    let all = tokens * (tokens + 1) / 2;
    (1..all).map(|count| Ok((count, Structure::of(tokens, &guided(tokens, count)?).third()))).collect()
}

/// Mean λ₃ of the first n pairs of `orders` random orders, for the same n; an incomplete set has 0.
pub fn random_thirds(tokens: usize, orders: u32, stream: &mut Stream) -> Vec<(usize, f64)> {
    let all = tokens * (tokens + 1) / 2;
    let mut sums = vec![0.0; all];
    for _ in 0..orders {
        let order = shuffled(tokens, stream);
        sums.iter_mut().enumerate().skip(1).for_each(|(n, sum)| *sum += Structure::of(tokens, &order[..n]).third());
    }
    (1..all).map(|n| (n, sums[n] / f64::from(orders))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::critical::completion;
    use super::super::pairs::all_pairs;
    use super::*;
    use crate::experiment::randomness::Purpose;

    /// Whether some set of `count` of the pairs from `from` on, with those in `chosen`, has n₀ = 2.
    fn some_set(tokens: usize, all: &[Pair], from: usize, chosen: &mut Vec<Pair>, count: usize) -> bool {
        if count == 0 {
            return completion(tokens, chosen).is_some();
        }
        for at in from..=all.len() - count {
            chosen.push(all[at]);
            let found = some_set(tokens, all, at + 1, chosen, count - 1);
            chosen.pop();
            if found {
                return true;
            }
        }
        false
    }

    #[test]
    fn six_numbers_need_six_pairs_at_least_and_no_five_do() {
        // n pairs of k sums give at most n − k equations of the four that are needed, and a sum has at most three pairs.
        let all = all_pairs(6);
        assert!(!some_set(6, &all, 0, &mut Vec::new(), 5));
        assert!(some_set(6, &all, 0, &mut Vec::new(), 6));
        assert!(completion(6, &[(0, 4), (1, 3), (2, 2), (0, 5), (1, 4), (2, 3)]).is_some());
    }

    #[test]
    fn eight_guided_pairs_of_twenty_one_leave_only_a_line_and_most_random_eights_do_not() {
        let set = guided(6, 8).unwrap();
        assert_eq!((set.len(), Structure::of(6, &set).nullity()), (8, 2));
        let mut stream = Stream::new(0, Purpose::Theory, 0);
        let complete = (0..400).filter(|_| completion(6, &shuffled(6, &mut stream)[..8]).is_some()).count();
        assert!(complete < 100, "{complete} of 400");
    }

    #[test]
    fn guided_sets_are_complete_sooner_and_stiffer_than_random_ones() {
        let by_theory = guided_thirds(8).unwrap();
        let by_chance = random_thirds(8, 12, &mut Stream::new(1, Purpose::Theory, 0));
        assert!(by_theory.iter().zip(&by_chance).all(|(x, y)| x.0 == y.0 && x.1 >= y.1 - 1e-9), "{by_theory:?} {by_chance:?}");
        let first = |thirds: &[(usize, f64)]| thirds.iter().find(|(_, third)| *third > 0.0).unwrap().0;
        assert!(first(&by_theory) <= 14, "{}", first(&by_theory));
    }
}
