//! Descent of an effective loss from random matrices: what the known products make of an embedding without any decoder.
//!
//! ℓ_eff = ℓ₀ · R. ℓ₀ is the mean square distance of known products from the mean μ of their element, R the mean of 1/|μ_c − μ_c′|² over
//! pairs of elements: all that is left of a decoder is that it must tell every two answers apart. Scale drops out. Two simpler norms
//! were rejected, because neither asks for that: by the size of the embedding all products may become one, and by the variance of the
//! products nearly half of all starts end with two answers, as the sign has, which tells only even from odd.

use super::known::Pair;
use super::network::{products, pulled_back};
use super::settings::GroupRepresentation;
use super::standing::Standing;
use super::systems::System;
use super::training::Split;
use crate::experiment::randomness::{Purpose, Stream};
use crate::theory::representation::{AdamW, Schedule};
use nalgebra::{DMatrix, DVector};

/// Learning rate of Adam. Plain steps would be slowed or blown up by the scale, which the loss leaves open.
const RATE: f64 = 0.01;
/// Effective loss from which on nothing is left to descend.
const EXACT: f64 = 1e-12;
/// Effective loss below which the known equations count as solved: what slides off to no solution stays above 10⁻⁵ for long.
pub const SOLVED: f64 = 1e-6;
/// Index of the first stream of starts.
const STARTS: u64 = 1 << 24;

/// The two factors of the loss and its slope.
pub struct Effective {
    /// ℓ₀.
    pub misfit: f64,
    /// R; 0 with fewer than two elements known.
    pub closeness: f64,
    /// ∇(ℓ₀R): `[d², element]`.
    pub slope: DMatrix<f64>,
}

/// Of an embedding `[d², element]` with the known pairs (at least one).
pub fn effective(system: &System, embedding: &DMatrix<f64>, known: &[Pair]) -> Effective {
    let all = products(embedding, known);
    let classes: Vec<usize> = known.iter().map(|pair| system.product(*pair)).collect();
    let mut counts = vec![0.0; system.order()];
    let mut means = DMatrix::zeros(embedding.nrows(), system.order());
    for (column, class) in all.column_iter().zip(&classes) {
        counts[*class] += 1.0;
        let mut mean = means.column_mut(*class);
        mean += column;
    }
    for (mut mean, count) in means.column_iter_mut().zip(&counts).filter(|(_, count)| **count > 0.0) {
        mean /= *count;
    }
    let seen: Vec<usize> = (0..system.order()).filter(|class| counts[*class] > 0.0).collect();
    let pairs = (seen.len() * seen.len().saturating_sub(1)).max(1) as f64;
    let mut closeness = 0.0;
    let mut repulsion = DMatrix::zeros(embedding.nrows(), system.order());
    for &class in &seen {
        for &other in seen.iter().filter(|other| **other != class) {
            let apart: DVector<f64> = means.column(class) - means.column(other);
            let square = apart.norm_squared();
            closeness += 1.0 / (square * pairs);
            // Twice, as each two elements are counted in both orders.
            let mut push = repulsion.column_mut(class);
            push -= apart * (4.0 / (square * square * pairs));
        }
    }
    let count = known.len() as f64;
    let mut gaps = all;
    for (mut column, class) in gaps.column_iter_mut().zip(&classes) {
        column -= means.column(*class);
    }
    let misfit = gaps.norm_squared() / count;
    // The means' own part in the misfit drops out: gaps of one element add up to 0.
    let mut slope = gaps * (2.0 * closeness / count);
    for (mut column, class) in slope.column_iter_mut().zip(&classes) {
        column += repulsion.column(*class) * (misfit / counts[*class]);
    }
    Effective { misfit, closeness, slope: pulled_back(embedding, known, &slope) }
}

/// Where descent ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Descended {
    /// Share of the held-out pairs whose nearest known product is their own.
    pub nearest: f64,
    /// Share of the held-out pairs that stand.
    pub stand: f64,
    /// ℓ_eff at the end.
    pub loss: f64,
}

impl GroupRepresentation {
    /// From a normal embedding on the data set `set`.
    pub(super) fn descended(&self, system: &System, set: u64, split: &Split) -> Descended {
        let mut stream = Stream::new(self.seed, Purpose::Theory, STARTS + set);
        let mut embedding = vec![DMatrix::from_fn(system.dimension * system.dimension, system.order(), |_, _| stream.normal())];
        let mut optimizer = AdamW::new(&embedding);
        let schedule = Schedule {
            steps: self.descent_steps,
            evaluate_every: self.descent_steps,
            representation_rate: RATE,
            decoder_rate: RATE,
            weight_decay: 0.0,
        };
        let mut loss = f64::NAN;
        for _ in 0..self.descent_steps {
            let found = effective(system, &embedding[0], &split.train);
            loss = found.misfit * found.closeness;
            if loss < EXACT {
                break;
            }
            optimizer.update(&mut embedding, &[found.slope], &schedule);
        }
        let standing = Standing::of(system, &embedding[0], &split.train);
        Descended { nearest: standing.nearest(&split.test), stand: standing.stands(&split.test), loss }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fraction::shuffled;
    use super::super::systems::Choice;
    use super::*;

    #[test]
    fn the_slope_is_that_of_finite_differences_and_leaves_the_scale_alone() {
        for choice in [Choice::S3, Choice::D4] {
            let system = choice.system().unwrap();
            let mut stream = Stream::new(3, Purpose::Theory, 0);
            let known = &shuffled(system.order(), &mut stream)[..20];
            let embedding = DMatrix::from_fn(system.dimension * system.dimension, system.order(), |_, _| stream.normal());
            let loss = |embedding: &DMatrix<f64>| {
                let found = effective(&system, embedding, known);
                found.misfit * found.closeness
            };
            let slope = effective(&system, &embedding, known).slope;
            for at in 0..slope.len() {
                let moved = |by: f64| {
                    let mut moved = embedding.clone();
                    moved[at] += by;
                    loss(&moved)
                };
                let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                assert!((difference - slope[at]).abs() < 1e-6 * (1.0 + slope[at].abs()), "{at}: {difference} {}", slope[at]);
            }
            assert!((loss(&(&embedding * 2.0)) / loss(&embedding) - 1.0).abs() < 1e-12);
            assert!(slope.dot(&embedding).abs() < 1e-9 * slope.norm() * embedding.norm());
        }
    }

    #[test]
    fn the_truth_costs_nothing_and_the_sign_without_end() {
        let system = Choice::S3.system().unwrap();
        let pairs = super::super::known::all_pairs(6);
        let truth = DMatrix::from_fn(9, 6, |at, element| system.representation[element][at] as f64);
        assert_eq!(effective(&system, &truth, &pairs).misfit, 0.0);
        let sign = super::super::systems::sign(&system);
        assert!(effective(&system, &sign, &pairs).closeness.is_infinite());
    }
}
