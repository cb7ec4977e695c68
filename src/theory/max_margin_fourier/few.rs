//! The best few frequencies in the norm that training minds.
//!
//! Over Σ‖neuron‖³ the widest margin uses all frequencies. Over ‖θ‖₂³ a signal shared by F of them costs √F more, so a few that are
//! well spread can be better, and trained networks have a few. Which are best is found by trying all sets: no theorem says it, and
//! a greedy choice misses them.

use super::network::{fall, plain_price};

/// Most frequencies of a set.
const MOST: usize = 6;
/// Most sets of one size that are tried.
const MOST_SETS: f64 = 400_000.0;

/// For each number of frequencies from 1 on, while sets are few enough to try all of them: the set whose design has the widest
/// margin over ‖θ‖₂³.
pub(super) fn best_sets(p: usize) -> Vec<Vec<usize>> {
    let half = p / 2;
    let falls: Vec<Vec<f64>> = (1..=half).map(|frequency| (1..=half).map(|shift| fall(frequency, shift, p)).collect()).collect();
    let mut best = Vec::new();
    let mut sets = 1.0;
    for count in 1..=MOST.min(half) {
        sets *= (half + 1 - count) as f64 / count as f64;
        if sets > MOST_SETS {
            break;
        }
        // The price depends on the size and on whether the last frequency is p/2 alone.
        let first: Vec<usize> = (1..=count).collect();
        let mut with_last = first.clone();
        with_last[count - 1] = half;
        let prices = [plain_price(p, &first), plain_price(p, &with_last)];
        let mut search = Search { falls: &falls, count, prices, margin: 0.0, found: first };
        search.extend(&mut Vec::new(), &vec![0.0; half]);
        best.push(search.found);
    }
    best
}

struct Search<'a> {
    /// `[frequency][shift]`.
    falls: &'a [Vec<f64>],
    count: usize,
    /// ‖θ‖₂³ of sets without and with the last frequency.
    prices: [f64; 2],
    /// The widest margin yet.
    margin: f64,
    found: Vec<usize>,
}

impl Search<'_> {
    /// Tries all sets that begin with `chosen`, whose falls sum to `sums`.
    fn extend(&mut self, chosen: &mut Vec<usize>, sums: &[f64]) {
        if chosen.len() == self.count {
            let price = self.prices[usize::from(chosen.last() == Some(&self.falls.len()))];
            let margin = sums.iter().copied().fold(f64::INFINITY, f64::min) / price;
            // Sets that differ by a unit are equals but for rounding: the first is kept.
            if margin > self.margin * (1.0 + 1e-12) {
                (self.margin, self.found) = (margin, chosen.clone());
            }
            return;
        }
        let next = chosen.last().map_or(1, |last| last + 1);
        for frequency in next..=self.falls.len() {
            let longer: Vec<f64> = sums.iter().zip(&self.falls[frequency - 1]).map(|(a, b)| a + b).collect();
            chosen.push(frequency);
            self.extend(chosen, &longer);
            chosen.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::network::{count, design, frequencies, margins_of};
    use super::*;

    #[test]
    fn no_other_set_of_its_size_is_better() {
        for p in [11usize, 12] {
            let half = p / 2;
            for set in best_sets(p) {
                let size = set.len();
                let all = (1usize..1 << half).filter(|mask| mask.count_ones() as usize == size);
                let sets = all.map(|mask| (1..=half).filter(|f| mask >> (f - 1) & 1 == 1).collect::<Vec<_>>());
                let best = sets.map(|set| margins_of(p, &set).1).fold(0.0, f64::max);
                assert!((margins_of(p, &set).1 / best - 1.0).abs() < 1e-9, "{p} {set:?}");
            }
        }
    }

    #[test]
    fn two_frequencies_of_six_are_better_modulo_13_and_not_modulo_11() {
        let share = |p: usize, set: &[usize]| {
            count(&design(p, set, |_| 0.0), p).plain_margin() / count(&design(p, &frequencies(p), |_| 0.0), p).plain_margin()
        };
        let best = |p: usize| best_sets(p).iter().map(|set| share(p, set)).fold(0.0, f64::max);
        // By a separate program: 1.0483 for {1, 5}.
        assert_eq!(best_sets(13)[1], [1, 5]);
        assert!((best(13) - 1.0483).abs() < 1e-4, "{}", best(13));
        assert!((best(11) - 1.0).abs() < 1e-9, "{}", best(11));
    }
}
