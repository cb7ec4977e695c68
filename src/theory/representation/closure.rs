//! D̄(D): the sums that follow from those seen, and three ways to score a held-out pair.
//!
//! A pair (i, j) follows if some known pair (m, n) of its sum has E_i + E_j = E_m + E_n in *every* embedding that costs nothing,
//! that is if e_i + e_j − e_m − e_n is in the span of the training parallelograms. That is algebra and knows no embedding. An
//! embedding is scored apart from it: strictly (does the parallelogram stand within RQI's threshold?) and by a decoder that
//! answers with the known sum that lies nearest, which may be right by luck. All shares are of the held-out pairs, as in
//! `measure::rqi`; the paper's accuracy counts the training pairs as well.

use super::pairs::{Pair, equation};
use super::quality::{normalised, stands_in};
use super::structure::Structure;
use nalgebra::DMatrix;

/// Training pairs, and those that are held out.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// D.
    pub train: Vec<Pair>,
    /// All others.
    pub test: Vec<Pair>,
}

impl Split {
    /// The first `count` of `order` are trained on.
    pub fn at(order: &[Pair], count: usize) -> Self {
        let (train, test) = order.split_at(count.min(order.len()));
        let sorted = |pairs: &[Pair]| {
            let mut pairs = pairs.to_vec();
            pairs.sort_unstable();
            pairs
        };
        Self { train: sorted(train), test: sorted(test) }
    }

    /// Share of the held-out pairs for which `is_right` of the pair; 1 if none is held out.
    fn share(&self, is_right: impl Fn(Pair) -> bool) -> f64 {
        if self.test.is_empty() {
            return 1.0;
        }
        self.test.iter().filter(|pair| is_right(**pair)).count() as f64 / self.test.len() as f64
    }

    fn of_its_sum(&self, (i, j): Pair) -> impl Iterator<Item = &Pair> {
        self.train.iter().filter(move |(m, n)| m + n == i + j)
    }

    /// Share of the held-out pairs in D̄(D).
    pub fn closed(&self, structure: &Structure) -> f64 {
        let tokens = structure.values.len();
        self.share(|pair| self.of_its_sum(pair).any(|known| structure.span.has(equation(tokens, (pair, *known)))))
    }

    /// Share of the held-out pairs that stand in a parallelogram with a known pair.
    pub fn standing(&self, embedding: &DMatrix<f64>) -> f64 {
        let normalised = normalised(embedding);
        self.share(|pair| self.of_its_sum(pair).any(|known| stands_in(&normalised, (pair, *known))))
    }

    /// Share of the held-out pairs whose E_i + E_j lies nearest to a known pair of the same sum.
    pub fn nearest(&self, embedding: &DMatrix<f64>) -> f64 {
        let sum = |(i, j): Pair| embedding.row(i) + embedding.row(j);
        self.share(|pair| {
            let distance = |known: &Pair| (sum(pair) - sum(*known)).norm_squared();
            let nearest = self.train.iter().min_by(|x, y| distance(x).total_cmp(&distance(y)));
            nearest.is_some_and(|(m, n)| m + n == pair.0 + pair.1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::pairs::{all_pairs, shuffled};
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    #[test]
    fn what_follows_is_what_agrees_in_every_embedding_without_cost() {
        // Independent of the span: project random embeddings onto the null space by eigenvectors and look.
        for seed in 0..12 {
            let mut stream = Stream::new(seed, Purpose::Theory, 1);
            let split = Split::at(&shuffled(8, &mut stream), 14 + seed as usize);
            let structure = Structure::of(8, &split.train);
            let random = DMatrix::from_fn(8, 6, |_, _| stream.normal());
            let free = structure.flow(&random, 1e9);
            let agrees = |pair: Pair| {
                split.of_its_sum(pair).any(|known| {
                    let gap = free.row(pair.0) + free.row(pair.1) - free.row(known.0) - free.row(known.1);
                    gap.norm() < 1e-8
                })
            };
            let share = split.share(agrees);
            assert!((split.closed(&structure) - share).abs() < 1e-12, "{seed}");
        }
    }

    #[test]
    fn one_equation_carries_another_but_not_a_sum_that_was_never_seen() {
        // (0,3)~(1,2), (1,4)~(2,3), (2,4)~(3,3) give d₃ = d₁, d₄ = d₂, d₄ = d₃, so (1,1)~(0,2) follows.
        let train = vec![(0, 2), (0, 3), (1, 2), (1, 4), (2, 3), (2, 4), (3, 3)];
        let split = Split { train, test: vec![(0, 4), (1, 1), (4, 4)] };
        assert!((split.closed(&Structure::of(5, &split.train)) - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_line_answers_all_sums_that_were_seen() {
        let split = Split::at(&all_pairs(6), 20);
        let line = DMatrix::from_fn(6, 1, |token, _| token as f64);
        assert_eq!(split.test, [(5, 5)]);
        assert_eq!((split.standing(&line), split.nearest(&line)), (0.0, 0.0), "10 was never seen");
        let split = Split { train: vec![(0, 4), (1, 1), (2, 3)], test: vec![(0, 2), (1, 3), (2, 2), (1, 4)] };
        assert_eq!((split.standing(&line), split.nearest(&line)), (1.0, 1.0));
    }
}
