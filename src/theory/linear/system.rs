//! One teacher, one student and their data, followed exactly.
//!
//! The prediction is an average over infinitely large systems; this is what it has to be held against. After one
//! eigendecomposition of XᵀX/N the student at any step is a sum over directions, so a million steps cost as much as one. Not
//! stepped through: that gives the same to rounding (tested), at 10⁴ times the price.

use super::losses::{CROSSING_ACCURACY, Descent};
use crate::experiment::randomness::{Purpose, Stream};
use nalgebra::{DMatrix, SymmetricEigen};

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Size {
    /// d.
    pub dimension: usize,
    /// N.
    pub samples: usize,
    /// Fresh rows to measure accuracy on.
    pub test_rows: usize,
    /// σ.
    pub label_noise: f64,
}

/// A system in the eigenbasis of its data.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct System {
    /// `[d]`, ascending order not promised.
    eigenvalues: Vec<f64>,
    /// S₀, `[d]`.
    student: Vec<f64>,
    /// T, `[d]`.
    teacher: Vec<f64>,
    /// g = σ·Xᵀξ/N, `[d]`.
    pull: Vec<f64>,
    /// `[N, d]`.
    train: Vec<f64>,
    /// σξ, `[N]`.
    noise: Vec<f64>,
    /// `[test rows, d]`.
    test: Vec<f64>,
}

/// Data before the change of basis.
struct Drawn {
    /// `[N, d]`.
    inputs: DMatrix<f64>,
    student: Vec<f64>,
    teacher: Vec<f64>,
    noise: Vec<f64>,
}

fn draw(size: Size, stream: &mut Stream) -> Drawn {
    let half = libm::sqrt(0.5 / size.dimension as f64);
    let mut normals = |count: usize, std: f64| -> Vec<f64> { (0..count).map(|_| std * stream.normal()).collect() };
    Drawn {
        inputs: DMatrix::from_row_iterator(size.samples, size.dimension, normals(size.samples * size.dimension, 1.0)),
        student: normals(size.dimension, half),
        teacher: normals(size.dimension, half),
        noise: normals(size.samples, size.label_noise),
    }
}

impl System {
    /// The `index`-th system under `seed`.
    pub(crate) fn new(size: Size, seed: u64, index: u64) -> Self {
        let mut stream = Stream::new(seed, Purpose::Theory, index);
        let drawn = draw(size, &mut stream);
        let transposed = drawn.inputs.transpose();
        let count = size.samples as f64;
        let eigen = SymmetricEigen::new(&transposed * &drawn.inputs / count);
        let turned = |vector: &[f64]| -> Vec<f64> {
            let vector = DMatrix::from_column_slice(vector.len(), 1, vector);
            (eigen.eigenvectors.tr_mul(&vector)).iter().copied().collect()
        };
        let noise = DMatrix::from_column_slice(size.samples, 1, &drawn.noise);
        let pull: Vec<f64> = (&transposed * noise / count).iter().copied().collect();
        let rows = eigen.eigenvectors.tr_mul(&transposed);
        Self {
            // A direction that no row has is 0 up to rounding, and rounding must not make it grow.
            eigenvalues: eigen.eigenvalues.iter().map(|v| if *v < 1e-12 { 0.0 } else { *v }).collect(),
            student: turned(&drawn.student),
            teacher: turned(&drawn.teacher),
            pull: turned(&pull),
            train: rows.iter().copied().collect(),
            noise: drawn.noise,
            // Normal rows look the same in any basis, so they are drawn in this one.
            test: (0..size.test_rows * size.dimension).map(|_| stream.normal()).collect(),
        }
    }

    /// S − T after `step` steps, in the eigenbasis, `[d]`.
    fn difference(&self, descent: &Descent, step: f64) -> Vec<f64> {
        (0..self.eigenvalues.len())
            .map(|i| {
                let (left, reached) = descent.decay(self.eigenvalues[i], step);
                self.student[i] * left - self.teacher[i] * (1.0 - self.eigenvalues[i] * reached) + self.pull[i] * reached
            })
            .collect()
    }

    /// Errors on the training rows with their noisy labels, `[N]`.
    fn train_errors(&self, difference: &[f64]) -> Vec<f64> {
        let rows = self.train.chunks_exact(difference.len());
        rows.zip(&self.noise).map(|(inputs, noise)| dot(inputs, difference) - noise).collect()
    }

    /// Share of fresh rows within the tolerance.
    fn test_accuracy(&self, difference: &[f64], tolerance: f64) -> f64 {
        let errors: Vec<f64> = self.test.chunks_exact(difference.len()).map(|inputs| dot(inputs, difference)).collect();
        share_within(&errors, tolerance)
    }

    /// State after `step` steps.
    pub(crate) fn at(&self, descent: &Descent, step: f64, tolerance: f64) -> State {
        let difference = self.difference(descent, step);
        let train = self.train_errors(&difference);
        State {
            train_loss: dot(&train, &train) / train.len() as f64,
            test_loss: dot(&difference, &difference),
            train_accuracy: share_within(&train, tolerance),
            test_accuracy: self.test_accuracy(&difference, tolerance),
        }
    }

    /// First steps at which the training and the test accuracy reach the crossing, as far as `grid` (ascending) goes; else ∞.
    pub(crate) fn crossings(&self, descent: &Descent, tolerance: f64, grid: &[f64]) -> (f64, f64) {
        let first = |accuracy: &dyn Fn(&[f64]) -> f64| {
            let reached = |step: f64| accuracy(&self.difference(descent, step)) >= CROSSING_ACCURACY;
            let Some(at) = grid.iter().position(|step| reached(*step)) else { return f64::INFINITY };
            let (mut before, mut after) = (if at == 0 { 0.0 } else { grid[at - 1] }, grid[at]);
            while after - before > 1.0f64.max(1e-3 * after) {
                let middle = libm::floor(0.5 * (before + after));
                *(if reached(middle) { &mut after } else { &mut before }) = middle;
            }
            after
        };
        (
            first(&|difference| share_within(&self.train_errors(difference), tolerance)),
            first(&|difference| self.test_accuracy(difference, tolerance)),
        )
    }

    /// The exact test loss, without rows.
    pub(crate) fn test_loss(&self, descent: &Descent, step: f64) -> f64 {
        let difference = self.difference(descent, step);
        dot(&difference, &difference)
    }
}

/// A student at one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct State {
    /// Mean squared error on the training rows.
    pub train_loss: f64,
    /// ‖S − T‖², which is the mean squared error over all normal inputs.
    pub test_loss: f64,
    /// Share of training rows within the tolerance.
    pub train_accuracy: f64,
    /// The same of the fresh rows.
    pub test_accuracy: f64,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn share_within(errors: &[f64], tolerance: f64) -> f64 {
    errors.iter().filter(|e| **e * **e <= tolerance).count() as f64 / errors.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::super::losses::Prediction;
    use super::*;

    const SMALL: Size = Size { dimension: 12, samples: 20, test_rows: 50, label_noise: 0.2 };

    #[test]
    fn plain_gradient_descent_makes_the_same_student() {
        for samples in [20, 7] {
            let size = Size { samples, ..SMALL };
            let descent = Descent { learning_rate: 0.05, weight_decay: 0.03, is_flow: false };
            let Drawn { inputs, student, teacher, noise } = draw(size, &mut Stream::new(3, Purpose::Theory, 0));
            let mut weights = student;
            for _ in 0..57 {
                let mut gradient: Vec<f64> = weights.iter().map(|w| 2.0 * descent.weight_decay * w).collect();
                for (row, label_error) in noise.iter().enumerate() {
                    let error: f64 = (0..12).map(|i| inputs[(row, i)] * (weights[i] - teacher[i])).sum::<f64>() - label_error;
                    (0..12).for_each(|i| gradient[i] += 2.0 / samples as f64 * error * inputs[(row, i)]);
                }
                weights.iter_mut().zip(&gradient).for_each(|(w, g)| *w -= descent.learning_rate * g);
            }
            let error = |row: usize| (0..12).map(|i| inputs[(row, i)] * (weights[i] - teacher[i])).sum::<f64>() - noise[row];
            let train: f64 = (0..samples).map(|row| error(row) * error(row)).sum::<f64>() / samples as f64;
            let within = (0..samples).filter(|row| error(*row) * error(*row) <= 0.02).count() as f64 / samples as f64;
            let test: f64 = weights.iter().zip(&teacher).map(|(w, t)| (w - t) * (w - t)).sum();
            let state = System::new(size, 3, 0).at(&descent, 57.0, 0.02);
            assert!((state.train_loss - train).abs() < 1e-11, "{state:?} {train}");
            assert!((state.test_loss - test).abs() < 1e-11, "{state:?} {test}");
            assert_eq!(state.train_accuracy, within);
        }
    }

    #[test]
    fn the_mean_over_many_systems_is_the_prediction_with_noise_and_decay_too() {
        // Finite-size bias is of order 1/d, the error of the mean √(2/(d·systems)).
        let size = Size { dimension: 24, samples: 48, test_rows: 1, label_noise: 0.3 };
        let descent = Descent { learning_rate: 0.02, weight_decay: 0.05, is_flow: false };
        let systems: Vec<System> = (0..60).map(|index| System::new(size, 1, index)).collect();
        let prediction = Prediction::new(0.5, 0.3, descent);
        for step in [5.0, 40.0, 400.0] {
            let states: Vec<State> = systems.iter().map(|system| system.at(&descent, step, 0.1)).collect();
            let train = states.iter().map(|state| state.train_loss).sum::<f64>() / 60.0;
            let test = states.iter().map(|state| state.test_loss).sum::<f64>() / 60.0;
            assert!((train / prediction.train_loss(step) - 1.0).abs() < 0.08, "{step}: {train} {}", prediction.train_loss(step));
            assert!((test / prediction.test_loss(step) - 1.0).abs() < 0.08, "{step}: {test} {}", prediction.test_loss(step));
        }
    }
}
