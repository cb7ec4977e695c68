//! The published toy for a group, in f64 by hand: a d×d matrix for each element, the product E_aE_b fixed, a decoder of two hidden tanh
//! layers onto random templates.
//!
//! A sibling of the network that adds (`theory::representation`), whose decoder it has; the product's gradient reaches into both factors.

use super::known::Pair;
use super::systems::System;
use crate::experiment::randomness::{Purpose, Stream};
use crate::theory::representation::decoder::{self, OUTPUTS, Pass, backward, forward};
use nalgebra::DMatrix;

/// Index of the first stream of weights; those of data sets lie below.
const WEIGHTS: u64 = 1 << 20;

/// Weights, and the templates that do not learn.
#[derive(Debug, Clone)]
pub struct Network<'a> {
    system: &'a System,
    /// Embedding `[d² (row-major), element]`, then weights `[out, in]` and bias `[out, 1]` of the three layers.
    pub parameters: Vec<DMatrix<f64>>,
    /// `[output, element]`.
    templates: DMatrix<f64>,
}

/// Products of the embedded pairs: `[d², pair]`.
pub fn products(embedding: &DMatrix<f64>, pairs: &[Pair]) -> DMatrix<f64> {
    let d = embedding.nrows().isqrt();
    DMatrix::from_fn(d * d, pairs.len(), |at, pair| {
        let (row, column, (a, b)) = (at / d, at % d, pairs[pair]);
        (0..d).map(|k| embedding[(row * d + k, a)] * embedding[(k * d + column, b)]).sum::<f64>()
    })
}

/// What a slope by the products (`[d², pair]`) is by the embedding: `[d², element]`.
pub fn pulled_back(embedding: &DMatrix<f64>, pairs: &[Pair], slope: &DMatrix<f64>) -> DMatrix<f64> {
    let d = embedding.nrows().isqrt();
    let mut back = DMatrix::zeros(embedding.nrows(), embedding.ncols());
    for (pair, (a, b)) in pairs.iter().enumerate() {
        for at in 0..d * d {
            let (row, column) = (at / d, at % d);
            for k in 0..d {
                back[(row * d + k, *a)] += slope[(at, pair)] * embedding[(k * d + column, *b)];
                back[(k * d + column, *b)] += slope[(at, pair)] * embedding[(row * d + k, *a)];
            }
        }
    }
    back
}

impl<'a> Network<'a> {
    /// Embedding uniform in ±`start`, each layer, bias included, in ±1/√(inputs), templates N(0, 1), as in the paper's code.
    pub fn drawn(system: &'a System, width: usize, start: f64, seed: u64, set: u64) -> Self {
        let mut index = WEIGHTS + 16 * set;
        let mut uniform = |rows: usize, columns: usize, half_width: f64| {
            let mut stream = Stream::new(seed, Purpose::Theory, index);
            index += 1;
            DMatrix::from_fn(rows, columns, |_, _| (2.0 * stream.uniform() - 1.0) * half_width)
        };
        let inputs = system.dimension * system.dimension;
        let mut parameters = vec![uniform(inputs, system.order(), start)];
        parameters.extend(decoder::drawn(inputs, width, &mut uniform));
        let mut stream = Stream::new(seed, Purpose::Theory, index);
        let templates = DMatrix::from_fn(OUTPUTS, system.order(), |_, _| stream.normal());
        Self { system, parameters, templates }
    }

    /// E: `[d², element]`.
    pub fn embedding(&self) -> &DMatrix<f64> {
        &self.parameters[0]
    }

    fn forward(&self, pairs: &[Pair]) -> Pass {
        forward(&self.parameters[1..], products(self.embedding(), pairs))
    }

    fn errors(&self, pass: &Pass, pairs: &[Pair]) -> DMatrix<f64> {
        let mut errors = pass.output.clone();
        for (mut column, pair) in errors.column_iter_mut().zip(pairs) {
            column -= self.templates.column(self.system.product(*pair));
        }
        errors
    }

    /// Mean square over `pairs` and outputs.
    #[cfg(test)]
    pub fn loss(&self, pairs: &[Pair]) -> f64 {
        self.errors(&self.forward(pairs), pairs).norm_squared() / (OUTPUTS * pairs.len()) as f64
    }

    /// Share of `pairs` whose own template is the nearest to the output.
    pub fn accuracy(&self, pairs: &[Pair]) -> f64 {
        let pass = self.forward(pairs);
        let is_right = |(output, pair): (nalgebra::DVectorView<'_, f64>, &Pair)| {
            let distance = |element: usize| (self.templates.column(element) - output).norm_squared();
            (0..self.system.order()).min_by(|x, y| distance(*x).total_cmp(&distance(*y))) == Some(self.system.product(*pair))
        };
        pass.output.column_iter().zip(pairs).filter(|row| is_right(*row)).count() as f64 / pairs.len().max(1) as f64
    }

    /// Gradient of the loss over `pairs`, in the order of `parameters`.
    pub fn gradient(&self, pairs: &[Pair]) -> Vec<DMatrix<f64>> {
        let pass = self.forward(pairs);
        let slope = self.errors(&pass, pairs) * (2.0 / (OUTPUTS * pairs.len()) as f64);
        let (slope, layers) = backward(&self.parameters[1..], &pass, slope);
        [vec![pulled_back(self.embedding(), pairs, &slope)], layers].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::super::known::all_pairs;
    use super::super::systems::Choice;
    use super::*;

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        for choice in [Choice::S3, Choice::D4] {
            let system = choice.system().unwrap();
            let network = Network::drawn(&system, 5, 0.5, 3, 0);
            // Squares (a, a) among them, where both factors are one matrix.
            let pairs = &all_pairs(system.order())[..17];
            let gradient = network.gradient(pairs);
            for (index, slope) in gradient.iter().enumerate() {
                assert_eq!(slope.shape(), network.parameters[index].shape());
                for at in 0..slope.len() {
                    let loss = |by: f64| {
                        let mut moved = network.clone();
                        moved.parameters[index][at] += by;
                        moved.loss(pairs)
                    };
                    let difference = (loss(1e-5) - loss(-1e-5)) / 2e-5;
                    assert!((difference - slope[at]).abs() < 1e-8, "{index} {at}: {difference} {}", slope[at]);
                }
            }
        }
    }

    #[test]
    fn one_that_gives_one_template_is_right_for_its_element_only() {
        let system = Choice::S3.system().unwrap();
        let mut network = Network::drawn(&system, 8, 0.5, 0, 0);
        network.parameters[5].fill(0.0);
        network.parameters[6] = DMatrix::from_column_slice(OUTPUTS, 1, network.templates.column(4).as_slice());
        assert!((network.accuracy(&all_pairs(6)) - 1.0 / 6.0).abs() < 1e-12);
    }

    #[test]
    fn the_true_matrices_multiply_to_the_true_matrices() {
        let system = Choice::S3.system().unwrap();
        let truth = DMatrix::from_fn(9, 6, |at, element| system.representation[element][at] as f64);
        let pairs = all_pairs(6);
        for (column, pair) in products(&truth, &pairs).column_iter().zip(&pairs) {
            assert_eq!(column, truth.column(system.product(*pair)));
        }
    }
}
