//! Plain gradient descent on ℓ_eff from random embeddings: the measured side of the closure.
//!
//! It knows neither the span nor the eigenvectors, so what it ends in can be held against both. A network would do as well and
//! take a thousand times as long per data set.

use super::closure::Split;
use super::effective_loss::{centred, gradient};
use super::pairs::{all_pairs, parallelograms, shuffled};
use super::structure::Structure;
use crate::experiment::randomness::{Purpose, Stream};
use nalgebra::DMatrix;

/// Columns of the embedding: with one, sums that do not follow coincide by chance too often.
const COLUMNS: usize = 4;
const MOST_STEPS: usize = 3000;

/// Held-out accuracies for one data set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Closed {
    /// Training pairs.
    pub pairs: usize,
    /// By algebra: share in D̄(D).
    pub follows: f64,
    /// Share that stands in a parallelogram with a known pair, after descent.
    pub stands: f64,
    /// Share whose nearest known sum is its own, after descent.
    pub nearest: f64,
}

/// Of `sets` random data sets, their sizes spread evenly from a fifth to nineteen twentieths of all pairs. The stream of set k has
/// the index `first` + k.
pub fn closed_sets(tokens: usize, sets: u32, seed: u64, first: u64) -> Vec<Closed> {
    let all = all_pairs(tokens).len() as f64;
    let share = |set| 0.2 + 0.75 * f64::from(set) / f64::from(sets.max(2) - 1);
    let one = |set| {
        let mut stream = Stream::new(seed, Purpose::Theory, first + u64::from(set));
        closed_set(tokens, libm::round(share(set) * all) as usize, &mut stream)
    };
    (0..sets).map(one).collect()
}

fn closed_set(tokens: usize, count: usize, stream: &mut Stream) -> Closed {
    let split = Split::at(&shuffled(tokens, stream), count);
    let structure = Structure::of(tokens, &split.train);
    let start = centred(&DMatrix::from_fn(tokens, COLUMNS, |_, _| stream.uniform() - 0.5));
    let end = descend(&split, &structure, start);
    Closed { pairs: count, follows: split.closed(&structure), stands: split.standing(&end), nearest: split.nearest(&end) }
}

fn descend(split: &Split, structure: &Structure, start: DMatrix<f64>) -> DMatrix<f64> {
    let known = parallelograms(&split.train);
    let steepest = structure.values.last().copied().unwrap_or(0.0);
    let mut embedding = start;
    if known.is_empty() {
        return embedding;
    }
    // Stable below 2/λ_max of H = matrix/Z₀; discrete steps let Z₀ grow a little, which only slows them.
    let rate = 1.8 * embedding.norm_squared() / steepest;
    for _ in 0..MOST_STEPS {
        let slope = gradient(&known, &embedding);
        if slope.norm_squared() * rate * rate < 1e-20 * embedding.norm_squared() {
            break;
        }
        embedding -= slope * rate;
    }
    embedding
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descent_makes_every_parallelogram_that_follows_and_hardly_another() {
        let sets = closed_sets(7, 16, 2, 0);
        let differing = sets.iter().filter(|set| (set.stands - set.follows).abs() > 1e-9).count();
        assert!(differing <= 1, "{sets:?}");
        assert!(sets.iter().all(|set| set.nearest >= set.stands - 1e-9), "what stands is nearest as well: {sets:?}");
        let partly = sets.iter().filter(|set| (0.2..0.9).contains(&set.follows)).count();
        assert!(sets[0].follows < 0.1 && sets[15].follows > 0.9 && partly >= 3, "the sets tell something: {sets:?}");
    }
}
