//! How many sums must be seen until only a line is left?
//!
//! n₀ = 2 is monotone in D, so one random order of all pairs answers for every n at once: it is complete from some n on. P(n₀ = 2)
//! at n is then the share of orders complete by n. Drawing sets anew for each n would cost as many rank computations per n, and the
//! curve would not be monotone.

use super::pairs::{Pair, equation, shuffled};
use crate::experiment::randomness::Stream;
use crate::measure::Span;

/// The least n at which the first n pairs of `order` have n₀ = 2; `None` if not even all do.
pub fn completion(tokens: usize, order: &[Pair]) -> Option<usize> {
    let mut span = Span::default();
    let mut first: Vec<Option<Pair>> = vec![None; 2 * tokens];
    for (at, pair) in order.iter().enumerate() {
        // Any two pairs of a sum differ by two of these rows, so they span what all parallelograms do.
        match first[pair.0 + pair.1] {
            None => first[pair.0 + pair.1] = Some(*pair),
            Some(other) => {
                span.add(equation(tokens, (*pair, other)));
            }
        }
        if span.rank() + 2 == tokens {
            return Some(at + 1);
        }
    }
    None
}

/// One point of P(n₀ = 2), with the 95% interval of Wilson (1927).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// n.
    pub pairs: usize,
    /// Share of the orders that are complete by n.
    pub share: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// P(n₀ = 2) over random training sets, by n.
#[derive(Debug, Clone, PartialEq)]
pub struct Critical {
    /// Orders that are complete by n = 0, 1, …, p(p + 1)/2.
    pub(in crate::theory) complete: Vec<u32>,
    /// Orders drawn.
    pub(in crate::theory) orders: u32,
}

impl Critical {
    /// Of `orders` random orders.
    pub fn drawn(tokens: usize, orders: u32, stream: &mut Stream) -> Self {
        let mut complete = vec![0; tokens * (tokens + 1) / 2 + 1];
        for _ in 0..orders {
            if let Some(at) = completion(tokens, &shuffled(tokens, stream)) {
                complete[at..].iter_mut().for_each(|count| *count += 1);
            }
        }
        Self { complete, orders }
    }

    /// For n = 0, 1, …, all pairs.
    pub fn shares(&self) -> Vec<Share> {
        let row = |(pairs, count): (usize, &u32)| {
            let (low, high) = wilson(*count, self.orders);
            Share { pairs, share: f64::from(*count) / f64::from(self.orders), low, high }
        };
        self.complete.iter().enumerate().map(row).collect()
    }

    /// Where the share, read linearly between whole n, crosses ½, as a share of all pairs; and where the ends of its interval do,
    /// upper end first.
    pub fn fraction(&self) -> Option<(f64, (f64, f64))> {
        let shares = self.shares();
        let pairs = (shares.len() - 1) as f64;
        let crossing = |value: fn(&Share) -> f64| {
            let after = shares.iter().position(|row| value(row) >= 0.5)?;
            let before = after.checked_sub(1)?;
            let (low, high) = (value(&shares[before]), value(&shares[after]));
            Some((before as f64 + (0.5 - low) / (high - low)) / pairs)
        };
        Some((crossing(|row| row.share)?, (crossing(|row| row.high)?, crossing(|row| row.low)?)))
    }
}

/// The 95% interval of Wilson for `count` of `all`.
fn wilson(count: u32, all: u32) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    let (n, share) = (f64::from(all), f64::from(count) / f64::from(all));
    let middle = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * libm::sqrt(share * (1.0 - share) / n + Z * Z / (4.0 * n * n));
    (middle - half, middle + half)
}

#[cfg(test)]
mod tests {
    use super::super::pairs::all_pairs;
    use super::super::structure::Structure;
    use super::*;
    use crate::experiment::randomness::Purpose;

    #[test]
    fn the_drawn_share_is_that_of_all_sets_where_they_can_be_counted() {
        let tokens = 4;
        let pairs = all_pairs(tokens);
        let (mut complete, mut all) = ([0.0; 11], [0.0; 11]);
        for mask in 0..1_u32 << pairs.len() {
            let set: Vec<Pair> = pairs.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1).map(|(_, pair)| *pair).collect();
            all[set.len()] += 1.0;
            complete[set.len()] += f64::from(u8::from(Structure::of(tokens, &set).nullity() == 2));
        }
        let orders = 4000;
        for Share { pairs: n, share, low, high } in
            Critical::drawn(tokens, orders, &mut Stream::new(1, Purpose::Theory, 0)).shares()
        {
            let exact = complete[n] / all[n];
            // Eleven n at once, so three and a half standard deviations.
            let allowed = 3.5 * libm::sqrt(exact * (1.0 - exact) / f64::from(orders));
            assert!((share - exact).abs() <= allowed + 1e-12, "{n}: {share} {exact}");
            assert!(low <= share + 1e-12 && share <= high + 1e-12);
        }
    }

    #[test]
    fn an_order_is_complete_exactly_when_its_nullity_is_two() {
        let mut stream = Stream::new(2, Purpose::Theory, 0);
        for tokens in [4, 7, 10] {
            let order = shuffled(tokens, &mut stream);
            let at = completion(tokens, &order).unwrap();
            assert_eq!(Structure::of(tokens, &order[..at]).nullity(), 2);
            assert!(Structure::of(tokens, &order[..at - 1]).nullity() > 2);
        }
    }

    #[test]
    fn ten_numbers_have_the_critical_fraction_of_the_paper() {
        let (fraction, (low, high)) = Critical::drawn(10, 1000, &mut Stream::new(3, Purpose::Theory, 0)).fraction().unwrap();
        assert!((fraction - 0.4).abs() < 0.05 && low < fraction && fraction < high, "{fraction} {low} {high}");
    }

    #[test]
    fn the_interval_is_that_of_the_formula_at_the_ends() {
        // None of n: the upper end is z²/(n + z²).
        let (low, high) = wilson(0, 10);
        assert!(low.abs() < 1e-12 && (high - 3.841_458_820_694_124 / 13.841_458_820_694_124).abs() < 1e-12);
    }
}
