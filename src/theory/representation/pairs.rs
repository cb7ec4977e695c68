//! Which sums a network has seen, and which parallelograms they make.
//!
//! The theory knows of the training data nothing but this: two pairs of one sum ask E_i + E_j to be E_m + E_n. Pairs are
//! unordered, because the network is given E_a + E_b and cannot tell (a, b) from (b, a); counting both would double every
//! parallelogram and call a mirrored test pair unseen.

use crate::experiment::randomness::Stream;

/// Two numbers, the smaller first.
pub type Pair = (usize, usize);

/// All p(p + 1)/2 unordered pairs of the numbers 0..`tokens`, ascending.
pub fn all_pairs(tokens: usize) -> Vec<Pair> {
    (0..tokens).flat_map(|i| (i..tokens).map(move |j| (i, j))).collect()
}

/// All pairs in a random order.
pub fn shuffled(tokens: usize, stream: &mut Stream) -> Vec<Pair> {
    let pairs = all_pairs(tokens);
    stream.permutation(pairs.len()).iter().map(|at| pairs[*at as usize]).collect()
}

/// P₀(D): each two of `pairs` (none twice) that have one sum.
pub fn parallelograms(pairs: &[Pair]) -> Vec<(Pair, Pair)> {
    let earlier = |at: usize| pairs[..at].iter().map(move |other| (*other, pairs[at]));
    (0..pairs.len()).flat_map(earlier).filter(|(x, y)| x.0 + x.1 == y.0 + y.1).collect()
}

/// e_i + e_j − e_m − e_n: `[tokens]`.
pub fn equation(tokens: usize, ((i, j), (m, n)): (Pair, Pair)) -> Vec<i64> {
    let mut row = vec![0; tokens];
    [i, j].into_iter().for_each(|token| row[token] += 1);
    [m, n].into_iter().for_each(|token| row[token] -= 1);
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::Purpose;

    #[test]
    fn ten_numbers_have_fifty_five_pairs_and_seventy_parallelograms() {
        // Pairs per sum are 1, 1, 2, 2, …, 5, 5, 5, …, 1, 1: Σ C(n, 2) = 70.
        assert_eq!(all_pairs(10).len(), 55);
        assert_eq!(parallelograms(&all_pairs(10)).len(), 70);
    }

    #[test]
    fn a_shuffle_has_every_pair_once() {
        let mut pairs = shuffled(7, &mut Stream::new(3, Purpose::Theory, 0));
        assert_ne!(pairs, all_pairs(7));
        pairs.sort_unstable();
        assert_eq!(pairs, all_pairs(7));
    }

    #[test]
    fn an_equation_holds_on_every_line_and_not_on_a_parabola() {
        for parallelogram in parallelograms(&all_pairs(6)) {
            let row = equation(6, parallelogram);
            let on = |f: fn(i64) -> i64| row.iter().zip(0..).map(|(weight, k)| weight * f(k)).sum::<i64>();
            assert_eq!(on(|k| 5 - 3 * k), 0);
            assert_ne!(on(|k| k * k), 0);
        }
    }
}
