//! The toy of Liu et al. (2205.10343) in f64 by hand: E_a + E_b, a decoder of two hidden tanh layers, random templates.
//!
//! A third account beside theory and engine, so that a page without an engine has something measured, and a disagreement between
//! theory and network cannot be the engine's rounding. The sum is fixed; the loss is the mean square over rows and outputs; a sum
//! is recognised if its own template is the nearest.

use super::decoder::{self, OUTPUTS, Pass, backward, forward};
use super::pairs::Pair;
use crate::experiment::randomness::{Purpose, Stream};
use nalgebra::DMatrix;

/// Index of the first stream of weights; those of data sets lie below.
const WEIGHTS: u64 = 1 << 20;

/// Weights, and the templates that do not learn.
#[derive(Debug, Clone)]
pub struct Network {
    /// Embedding `[column, token]`, then weights `[out, in]` and bias `[out, 1]` of the three layers.
    pub parameters: Vec<DMatrix<f64>>,
    /// `[output, sum]`.
    templates: DMatrix<f64>,
}

impl Network {
    /// Embedding uniform in ±½, each layer, bias included, in ±1/√(inputs), templates N(0, 1), as in the paper's code.
    pub fn drawn(tokens: usize, columns: usize, width: usize, seed: u64) -> Self {
        let mut index = WEIGHTS;
        let mut uniform = |rows: usize, columns: usize, half_width: f64| {
            let mut stream = Stream::new(seed, Purpose::Theory, index);
            index += 1;
            DMatrix::from_fn(rows, columns, |_, _| (2.0 * stream.uniform() - 1.0) * half_width)
        };
        let mut parameters = vec![uniform(columns, tokens, 0.5)];
        parameters.extend(decoder::drawn(columns, width, uniform));
        let mut stream = Stream::new(seed, Purpose::Theory, WEIGHTS + 100);
        let templates = DMatrix::from_fn(OUTPUTS, 2 * tokens - 1, |_, _| stream.normal());
        Self { parameters, templates }
    }

    /// E: `[token, column]`.
    pub fn embedding(&self) -> DMatrix<f64> {
        self.parameters[0].transpose()
    }

    /// L2 norm over all parameters.
    pub fn norm(&self) -> f64 {
        libm::sqrt(self.parameters.iter().map(DMatrix::norm_squared).sum())
    }

    fn forward(&self, pairs: &[Pair]) -> Pass {
        let embedding = &self.parameters[0];
        let input = DMatrix::from_fn(embedding.nrows(), pairs.len(), |row, at| {
            embedding[(row, pairs[at].0)] + embedding[(row, pairs[at].1)]
        });
        forward(&self.parameters[1..], input)
    }

    fn errors(&self, pass: &Pass, pairs: &[Pair]) -> DMatrix<f64> {
        let mut errors = pass.output.clone();
        for (mut column, (a, b)) in errors.column_iter_mut().zip(pairs) {
            column -= self.templates.column(a + b);
        }
        errors
    }

    /// Loss over `pairs`, and the share of them whose own template is the nearest (accuracy); zeros without pairs.
    pub fn scores(&self, pairs: &[Pair]) -> (f64, f64) {
        if pairs.is_empty() {
            return (0.0, 0.0);
        }
        let pass = self.forward(pairs);
        let loss = self.errors(&pass, pairs).norm_squared() / (OUTPUTS * pairs.len()) as f64;
        let is_right = |(output, (a, b)): (nalgebra::DVectorView<'_, f64>, &Pair)| {
            let distance = |sum: usize| (self.templates.column(sum) - output).norm_squared();
            (0..self.templates.ncols()).min_by(|x, y| distance(*x).total_cmp(&distance(*y))) == Some(a + b)
        };
        let right = pass.output.column_iter().zip(pairs).filter(|row| is_right(*row)).count();
        (loss, right as f64 / pairs.len() as f64)
    }

    /// Gradient of the loss over `pairs`, in the order of `parameters`.
    pub fn gradient(&self, pairs: &[Pair]) -> Vec<DMatrix<f64>> {
        let pass = self.forward(pairs);
        let slope = self.errors(&pass, pairs) * (2.0 / (OUTPUTS * pairs.len()) as f64);
        let (slope, layers) = backward(&self.parameters[1..], &pass, slope);
        let mut embedding = DMatrix::zeros(self.parameters[0].nrows(), self.parameters[0].ncols());
        for (column, (a, b)) in slope.column_iter().zip(pairs) {
            for token in [*a, *b] {
                let mut own = embedding.column_mut(token);
                own += column;
            }
        }
        [vec![embedding], layers].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::super::pairs::all_pairs;
    use super::*;

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let network = Network::drawn(5, 2, 6, 3);
        let pairs = &all_pairs(5)[..11];
        let gradient = network.gradient(pairs);
        for (index, slope) in gradient.iter().enumerate() {
            assert_eq!(slope.shape(), network.parameters[index].shape());
            for at in 0..slope.len() {
                let loss = |by: f64| {
                    let mut moved = network.clone();
                    moved.parameters[index][at] += by;
                    moved.scores(pairs).0
                };
                let difference = (loss(1e-5) - loss(-1e-5)) / 2e-5;
                assert!((difference - slope[at]).abs() < 1e-8, "{index} {at}: {difference} {}", slope[at]);
            }
        }
    }

    #[test]
    fn an_untrained_network_recognises_about_none_and_one_that_gives_a_template_all_of_its_sum() {
        let mut network = Network::drawn(6, 1, 8, 0);
        network.parameters[5].fill(0.0);
        network.parameters[6] = DMatrix::from_column_slice(OUTPUTS, 1, network.templates.column(4).as_slice());
        let (loss, accuracy) = network.scores(&all_pairs(6));
        assert!((accuracy - 3.0 / 21.0).abs() < 1e-12 && loss > 1.0, "{accuracy} {loss}");
        assert_eq!(network.scores(&[(0, 4), (1, 3), (2, 2)]), (0.0, 1.0));
    }
}
