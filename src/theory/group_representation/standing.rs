//! Which products stand in an embedding: the account between the equations and the decoder.
//!
//! A held-out pair is scored twice: strictly (its product lies where the known ones of its element do) and by a decoder that answers
//! with the nearest known product. The unit is the spread of the known products, not the size of the matrices as in the paper's code
//! (mean square below .5 at entries of mean square 1): by that, an embedding whose products are all alike would stand in everything.

use super::known::Pair;
use super::network::products;
use super::systems::System;
use nalgebra::{DMatrix, DVector};

/// Square distance, in units of the known products' variance, below which a product stands.
pub const THRESHOLD: f64 = 0.1;
/// Share of the mean product's square up to which a variance is rounding, and nothing stands.
const ROUNDING: f64 = 1e-24;

/// Known products of an embedding, by element.
pub struct Standing<'a> {
    system: &'a System,
    embedding: &'a DMatrix<f64>,
    /// Mean of the known products of each element.
    means: Vec<Option<DVector<f64>>>,
    /// Mean square distance of the known products from their mean.
    variance: f64,
}

impl<'a> Standing<'a> {
    /// Of an embedding `[d², element]` with the known pairs (at least one).
    pub fn of(system: &'a System, embedding: &'a DMatrix<f64>, known: &[Pair]) -> Self {
        let found = products(embedding, known);
        let middle = found.column_mean();
        let variance = found.column_iter().map(|column| (column - &middle).norm_squared()).sum::<f64>() / known.len() as f64;
        let variance = if variance > ROUNDING * middle.norm_squared() { variance } else { 0.0 };
        let mut sums = vec![(0.0, DVector::zeros(embedding.nrows())); system.order()];
        for (column, pair) in found.column_iter().zip(known) {
            let (count, sum) = &mut sums[system.product(*pair)];
            *count += 1.0;
            *sum += column;
        }
        let means = sums.into_iter().map(|(count, sum)| (count > 0.0).then(|| sum / count)).collect();
        Self { system, embedding, means, variance }
    }

    /// Share of `pairs` that stand; NaN for none.
    pub fn stands(&self, pairs: &[Pair]) -> f64 {
        let all = products(self.embedding, pairs);
        let is_there = |(column, pair): (nalgebra::DVectorView<'_, f64>, &Pair)| {
            let mean = self.means[self.system.product(*pair)].as_ref();
            mean.is_some_and(|mean| (column - mean).norm_squared() < THRESHOLD * self.variance)
        };
        all.column_iter().zip(pairs).filter(|row| is_there(*row)).count() as f64 / pairs.len() as f64
    }

    /// Share of `pairs` whose nearest known product is that of their element; NaN for none.
    pub fn nearest(&self, pairs: &[Pair]) -> f64 {
        let all = products(self.embedding, pairs);
        let is_own = |(column, pair): (nalgebra::DVectorView<'_, f64>, &Pair)| {
            let known = self.means.iter().enumerate().filter_map(|(element, mean)| Some((element, mean.as_ref()?)));
            let distances = known.map(|(element, mean)| (element, (column - mean).norm_squared()));
            distances.min_by(|x, y| x.1.total_cmp(&y.1)).is_some_and(|(element, _)| element == self.system.product(*pair))
        };
        all.column_iter().zip(pairs).filter(|row| is_own(*row)).count() as f64 / pairs.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::known::all_pairs;
    use super::super::systems::Choice;
    use super::*;

    #[test]
    fn all_stands_in_the_truth_and_in_its_conjugates_and_nothing_in_a_constant() {
        let system = Choice::S3.system().unwrap();
        let pairs = all_pairs(6);
        let truth = DMatrix::from_fn(9, 6, |at, element| system.representation[element][at] as f64);
        let known: Vec<Pair> = pairs.iter().copied().filter(|pair| pair.0 != 4).collect();
        let standing = Standing::of(&system, &truth, &known);
        assert_eq!((standing.stands(&pairs), standing.nearest(&pairs)), (1.0, 1.0));
        let constant = DMatrix::from_element(9, 6, 0.5);
        assert_eq!(Standing::of(&system, &constant, &known).stands(&pairs), 0.0);
        // The sign tells even from odd: all stands, and one element of each kind is answered.
        let sign = super::super::systems::sign(&system);
        let standing = Standing::of(&system, &sign, &known);
        assert_eq!(standing.stands(&pairs), 1.0);
        assert!((standing.nearest(&pairs) - 1.0 / 3.0).abs() < 1e-12);
    }
}
