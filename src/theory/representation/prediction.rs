//! The theory's RQI over time, from where an embedding started, with one number fitted: how fast it goes.
//!
//! H says in which order structure forms, not how many updates it takes, because AdamW's step has another unit than a gradient. So one
//! effective rate η per update is fitted to the whole measured curve; fitting one point of it (RQI = .95, say) would make that
//! point agree by construction.

use super::effective_loss::centred;
use super::pairs::Pair;
use super::quality::quality;
use super::structure::Structure;
use nalgebra::DMatrix;

/// Trial rates per decade; rates between them would not be told apart by eye.
const PER_DECADE: i32 = 24;
/// Decades below and above the rate at which the slowest mode shrinks by e over the run.
const DECADES: (i32, i32) = (-3, 4);

/// RQI as the theory has it.
#[derive(Debug, Clone, Copy)]
pub struct Prediction<'a> {
    structure: &'a Structure,
    all: &'a [(Pair, Pair)],
    start: &'a DMatrix<f64>,
    /// η, per update.
    pub rate: f64,
}

impl<'a> Prediction<'a> {
    /// From `start` (centred, `[token, column]`) at a known rate.
    pub fn at(structure: &'a Structure, all: &'a [(Pair, Pair)], start: &'a DMatrix<f64>, rate: f64) -> Self {
        Self { structure, all, start, rate }
    }

    /// The rate with the least mean square to `measured`, (update, RQI) in ascending order.
    pub fn fitted(structure: &'a Structure, all: &'a [(Pair, Pair)], start: &'a DMatrix<f64>, measured: &[(f64, f64)]) -> Self {
        let slowest = structure.values.get(structure.nullity()).copied().unwrap_or(1.0);
        let last = measured.last().map_or(1.0, |point| point.0).max(1.0);
        let unit = start.norm_squared() / (slowest * last);
        let trials = (DECADES.0 * PER_DECADE..=DECADES.1 * PER_DECADE).map(|at| {
            let rate = unit * libm::pow(10.0, f64::from(at) / f64::from(PER_DECADE));
            let trial = Self::at(structure, all, start, rate);
            (trial.distance(measured), trial)
        });
        let best = trials.min_by(|x, y| x.0.total_cmp(&y.0));
        best.map_or(Self::at(structure, all, start, unit), |(_, trial)| trial)
    }

    /// Embedding after `update`: `[token, column]`, centred.
    pub fn embedding(&self, update: f64) -> DMatrix<f64> {
        self.structure.gradient_flow(self.start, self.rate * update)
    }

    /// RQI after `update`.
    pub fn quality(&self, update: f64) -> f64 {
        quality(self.all, &centred(&self.structure.flow(self.start, self.rate * update)))
    }

    /// Root mean square difference to `measured`.
    pub fn distance(&self, measured: &[(f64, f64)]) -> f64 {
        let squares = measured.iter().map(|(update, value)| (self.quality(*update) - value) * (self.quality(*update) - value));
        libm::sqrt(squares.sum::<f64>() / measured.len().max(1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::effective_loss::gradient;
    use super::super::pairs::{all_pairs, parallelograms, shuffled};
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    #[test]
    fn the_rate_of_plain_gradient_descent_is_found_from_its_rqi() {
        let mut stream = Stream::new(5, Purpose::Theory, 0);
        let train = shuffled(8, &mut stream)[..28].to_vec();
        let (known, all) = (parallelograms(&train), parallelograms(&all_pairs(8)));
        let start = centred(&DMatrix::from_fn(8, 1, |_, _| stream.uniform() - 0.5));
        let (rate, mut embedding) = (2e-3, start.clone());
        let mut measured = Vec::new();
        for update in 0..=1500 {
            if update % 50 == 0 {
                measured.push((f64::from(update), quality(&all, &embedding)));
            }
            embedding -= gradient(&known, &embedding) * rate;
        }
        assert!(measured[0].1 < 0.3 && measured[30].1 > 0.9, "a curve with something to fit: {measured:?}");
        let structure = Structure::of(8, &train);
        let fitted = Prediction::fitted(&structure, &all, &start, &measured);
        assert!((fitted.rate / rate).ln().abs() < 0.1, "{}", fitted.rate);
        assert!(Prediction::at(&structure, &all, &start, rate).distance(&measured) < 0.01);
    }
}
