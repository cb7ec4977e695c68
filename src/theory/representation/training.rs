//! Trains the toy with AdamW in f64 and keeps what the panel needs: curves and embeddings.
//!
//! Embedding and decoder have learning rates of their own; weight decay acts on the decoder alone, as in the paper's code. Not
//! chosen: plain gradient descent, which would suit the theory better and would not be the experiment that was published.

use super::closure::Split;
use super::network::Network;
use crate::measure::{RunLabel, liu_label};
use crate::record::MetricRow;
use nalgebra::DMatrix;

/// β₁, β₂ and ε of AdamW (Loshchilov and Hutter 2019; PyTorch's defaults).
const BETAS: (f64, f64) = (0.9, 0.999);
const EPSILON: f64 = 1e-8;

/// How to train.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// Updates.
    pub steps: u32,
    /// Updates between two evaluations.
    pub evaluate_every: u32,
    /// Learning rate of the embedding.
    pub representation_rate: f64,
    /// Learning rate of the decoder.
    pub decoder_rate: f64,
    /// Weight decay of the decoder.
    pub weight_decay: f64,
}

/// What training left.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Evaluations, from update 0 on.
    pub rows: Vec<MetricRow>,
    /// The embedding at each of them: `[token, column]`.
    pub embeddings: Vec<DMatrix<f64>>,
}

/// The optimizer's moments.
pub(in crate::theory) struct AdamW {
    first: Vec<DMatrix<f64>>,
    second: Vec<DMatrix<f64>>,
    step: i32,
}

impl AdamW {
    pub(in crate::theory) fn new(parameters: &[DMatrix<f64>]) -> Self {
        let zeros = || parameters.iter().map(|matrix| DMatrix::zeros(matrix.nrows(), matrix.ncols())).collect();
        Self { first: zeros(), second: zeros(), step: 0 }
    }

    /// One update: w ← w(1 − ηλ) − η m̂/(√v̂ + ε).
    pub(in crate::theory) fn update(&mut self, parameters: &mut [DMatrix<f64>], gradient: &[DMatrix<f64>], schedule: &Schedule) {
        self.step += 1;
        let corrections = (1.0 - BETAS.0.powi(self.step), 1.0 - BETAS.1.powi(self.step));
        for (index, (matrix, slope)) in parameters.iter_mut().zip(gradient).enumerate() {
            let (rate, decay) = match index {
                0 => (schedule.representation_rate, 0.0),
                _ => (schedule.decoder_rate, schedule.weight_decay),
            };
            let moments = self.first[index].iter_mut().zip(self.second[index].iter_mut());
            for ((weight, slope), (first, second)) in matrix.iter_mut().zip(slope.iter()).zip(moments) {
                *first = BETAS.0 * *first + (1.0 - BETAS.0) * slope;
                *second = BETAS.1 * *second + (1.0 - BETAS.1) * slope * slope;
                let direction = *first / corrections.0 / (libm::sqrt(*second / corrections.1) + EPSILON);
                *weight -= rate * (decay * *weight + direction);
            }
        }
    }
}

/// Trains `network` on the training pairs of `split`; stops early once `is_decided` by the evaluations so far.
pub fn train(mut network: Network, split: &Split, schedule: &Schedule, is_decided: impl Fn(&[MetricRow]) -> bool) -> Trace {
    let mut optimizer = AdamW::new(&network.parameters);
    let mut trace = Trace { rows: Vec::new(), embeddings: Vec::new() };
    for step in 0..=schedule.steps {
        if step % schedule.evaluate_every == 0 || step == schedule.steps {
            trace.rows.push(evaluated(&network, split, step));
            trace.embeddings.push(network.embedding());
            if is_decided(&trace.rows) {
                break;
            }
        }
        if step < schedule.steps {
            let gradient = network.gradient(&split.train);
            optimizer.update(&mut network.parameters, &gradient, schedule);
        }
    }
    trace
}

/// The phase that training ends in, by the rule of the paper scaled to the budget (`measure::liu_label`).
pub fn phase(network: Network, split: &Split, schedule: &Schedule) -> RunLabel {
    // Once both sides are learned, nothing later changes the label.
    let is_decided = |rows: &[MetricRow]| {
        let reached = |side: fn(&MetricRow) -> f32| rows.iter().any(|row| side(row) >= LEARNED);
        reached(|row| row.train_accuracy) && reached(|row| row.test_accuracy)
    };
    liu_label(&train(network, split, schedule, is_decided).rows, schedule.steps)
}

/// Accuracy that counts as learned, as in `measure::liu_label`.
pub const LEARNED: f32 = 0.9;

fn evaluated(network: &Network, split: &Split, step: u32) -> MetricRow {
    let (train, test) = (network.scores(&split.train), network.scores(&split.test));
    MetricRow {
        step,
        train_loss: train.0 as f32,
        test_loss: test.0 as f32,
        train_accuracy: train.1 as f32,
        test_accuracy: test.1 as f32,
        weight_norm: network.norm() as f32,
        probe_accuracy: None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::pairs::all_pairs;
    use super::*;

    const SCHEDULE: Schedule =
        Schedule { steps: 3, evaluate_every: 2, representation_rate: 0.01, decoder_rate: 0.002, weight_decay: 0.5 };

    #[test]
    fn the_first_update_is_the_rate_against_the_sign_of_the_gradient_and_decays_the_decoder_only() {
        // From zero moments m̂ = g and v̂ = g², so the direction is the sign.
        let start = Network::drawn(5, 1, 4, 1);
        let split = Split { train: all_pairs(5), test: Vec::new() };
        let gradient = start.gradient(&split.train);
        let mut parameters = start.parameters.clone();
        AdamW::new(&parameters).update(&mut parameters, &gradient, &SCHEDULE);
        for (index, rate, decay) in [(0, 0.01, 0.0), (1, 0.002, 0.001), (6, 0.002, 0.001)] {
            for (at, slope) in gradient[index].iter().enumerate().filter(|(_, slope)| slope.abs() > 1e-4) {
                let expected = start.parameters[index][at] * (1.0 - decay) - rate * slope.signum();
                assert!((parameters[index][at] - expected).abs() < 1e-6, "{index}");
            }
        }
    }

    #[test]
    fn updates_on_a_quadratic_agree_with_the_recursion_unrolled() {
        // g = w: moments written as sums over the past instead of recursively.
        let schedule = Schedule { weight_decay: 0.0, representation_rate: 0.1, ..SCHEDULE };
        let mut parameters = vec![DMatrix::from_element(1, 1, 2.0)];
        let mut optimizer = AdamW::new(&parameters);
        let mut past: Vec<f64> = Vec::new();
        let mut weight = 2.0_f64;
        for t in 1..=6 {
            let gradient = parameters.clone();
            optimizer.update(&mut parameters, &gradient, &schedule);
            past.push(weight);
            let sum = |beta: f64, power: i32| -> f64 {
                let terms = past.iter().enumerate().map(|(s, g)| beta.powi(t - 1 - s as i32) * g.powi(power));
                terms.sum::<f64>() * (1.0 - beta) / (1.0 - beta.powi(t))
            };
            weight -= 0.1 * sum(0.9, 1) / (sum(0.999, 2).sqrt() + 1e-8);
            assert!((parameters[0][(0, 0)] - weight).abs() < 1e-12, "{t}");
        }
    }

    #[test]
    fn training_is_evaluated_on_the_grid_and_at_its_end_and_lowers_the_loss() {
        let split = Split { train: all_pairs(5), test: Vec::new() };
        let schedule = Schedule { steps: 201, evaluate_every: 50, ..SCHEDULE };
        let trace = train(Network::drawn(5, 1, 16, 1), &split, &schedule, |_| false);
        assert_eq!(trace.rows.iter().map(|row| row.step).collect::<Vec<_>>(), [0, 50, 100, 150, 200, 201]);
        assert!(trace.rows[5].train_loss < 0.7 * trace.rows[0].train_loss, "{:?}", trace.rows);
    }

    #[test]
    fn a_frozen_network_is_confused_and_a_large_decoder_rate_with_a_frozen_embedding_memorises() {
        // Sums that occur once cannot be known: their templates are seen by nobody.
        let test = vec![(0, 0), (3, 3)];
        let split = Split { train: all_pairs(4).into_iter().filter(|pair| !test.contains(pair)).collect(), test };
        let schedule = |representation_rate, decoder_rate| Schedule {
            steps: 150,
            evaluate_every: 25,
            representation_rate,
            decoder_rate,
            weight_decay: 0.0,
        };
        let network = || Network::drawn(4, 4, 12, 2);
        assert_eq!(phase(network(), &split, &schedule(1e-9, 1e-9)), RunLabel::Confusion);
        assert_eq!(phase(network(), &split, &schedule(1e-9, 3e-2)), RunLabel::Memorisation);
    }
}
