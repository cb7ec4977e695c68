//! The committee and its data: gradient descent of all neurons in the two moments that the function depends on.
//!
//! Each update multiplies every neuron by one matrix and adds one vector, the same for all:
//! w ← A w − c u with e = f − y, u = Σ e x, G = Σ e x xᵀ, c = 2η/(αP), A = I − cεG. So w̄ and M = mean(w wᵀ) follow equations of
//! their own, exactly and for every width (Kumar et al. call them sufficient statistics):
//!
//! ```text
//! w̄ ← A w̄ − c u,     M ← A M A − c(A w̄ uᵀ + u w̄ᵀA) + c² u uᵀ
//! ```
//!
//! That this is descent on the neurons' own weights is tested to rounding. Stepping N·D weights was rejected: at width 100 it is
//! six times the work, and infinite width is out of its reach.

use super::kernel::Moments;
use super::twin::gram;
use crate::experiment::randomness::{Purpose, Stream};
use nalgebra::{DMatrix, DVector};

/// How the network stands and descends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Descent {
    /// α.
    pub alpha: f64,
    /// ε.
    pub epsilon: f64,
    /// η in units of N/α², so that updates of the function are those of the kernel: Δf = −(2η/P)·K(f − y) while it is lazy.
    pub learning_rate: f64,
    /// Whether the outputs of the start are subtracted.
    pub is_centred: bool,
}

/// A function `a·x + xᵀQx`: everything that the network, its twin and the answers can be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Polynomial {
    /// a, `[D]`.
    pub linear: DVector<f64>,
    /// Q, `[D, D]`, symmetric.
    pub square: DMatrix<f64>,
}

/// Mean square of a function over x ~ N(0, I/D), by the kernel's three kinds of functions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Parts {
    /// Of a·x.
    pub linear: f64,
    /// Of the multiple of |x|² in it.
    pub length: f64,
    /// Of the other quadratic functions.
    pub quadratic: f64,
}

impl Parts {
    pub fn total(&self) -> f64 {
        self.linear + self.length + self.quadratic
    }

    pub fn over(&self, scale: f64) -> Self {
        Self { linear: self.linear / scale, length: self.length / scale, quadratic: self.quadratic / scale }
    }
}

impl Polynomial {
    /// Less the answers ½(β·x)².
    pub fn error(mut self, teacher: &DVector<f64>) -> Self {
        self.square.ger(-0.5, teacher, teacher, 1.0);
        self
    }

    /// Exact: E[a·x]² = |a|²/D and E[(xᵀQx)²] = (tr²Q + 2 tr Q²)/D².
    pub fn parts(&self) -> Parts {
        let d = self.linear.len() as f64;
        let (trace, square) = (self.square.trace(), self.square.norm_squared());
        Parts {
            linear: self.linear.norm_squared() / d,
            length: trace * trace * (d + 2.0) / (d * d * d),
            quadratic: 2.0 * (square - trace * trace / d) / (d * d),
        }
    }
}

/// Rows, answers and a start.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct System {
    /// `[D, P]`.
    pub inputs: DMatrix<f64>,
    /// The same as `[P, D]`.
    rows: DMatrix<f64>,
    /// `[P]`.
    pub answers: DVector<f64>,
    /// Moments of the starting weights.
    pub start: Moments,
}

impl System {
    /// Of inputs `[D, P]`, answers `[P]` and a start.
    pub fn new(inputs: DMatrix<f64>, answers: DVector<f64>, start: Moments) -> Self {
        Self { rows: inputs.transpose(), inputs, answers, start }
    }

    /// The `index`-th draw under `seed`, with its teacher β of length √D. A teacher, rows and neurons have a stream each, so that more
    /// rows or neurons keep the others.
    pub fn drawn(dimension: usize, rows: usize, width: usize, seed: u64, index: u64) -> (Self, DVector<f64>) {
        let stream = |part: u64| Stream::new(seed, Purpose::Theory, 3 * index + part);
        let drawn = |columns: usize, deviation: f64, mut stream: Stream| {
            DMatrix::from_fn(dimension, columns, |_, _| deviation * stream.normal())
        };
        let direction = drawn(1, 1.0, stream(0)).column(0).into_owned();
        let teacher = direction.normalize() * libm::sqrt(dimension as f64);
        let inputs = drawn(rows, 1.0 / libm::sqrt(dimension as f64), stream(1));
        let answers = inputs.tr_mul(&teacher).map(|z| 0.5 * z * z);
        (Self::new(inputs, answers, Moments::of(&drawn(width, 1.0, stream(2)))), teacher)
    }

    /// f of a network with these moments.
    pub fn function(&self, descent: &Descent, now: &Moments) -> Polynomial {
        let Descent { alpha, epsilon, is_centred, .. } = *descent;
        let shift = if is_centred { now.minus(&self.start) } else { now.clone() };
        Polynomial { linear: shift.mean * alpha, square: shift.square * (0.5 * alpha * epsilon) }
    }

    /// f − y of each row, `[P]`.
    pub fn errors(&self, function: &Polynomial) -> DVector<f64> {
        let turned = &function.square * &self.inputs;
        let mut errors = self.inputs.tr_mul(&function.linear) - &self.answers;
        for (at, error) in errors.iter_mut().enumerate() {
            *error += turned.column(at).dot(&self.inputs.column(at));
        }
        errors
    }

    /// Σ e x xᵀ.
    pub fn weighted(&self, errors: &DVector<f64>) -> DMatrix<f64> {
        let mut scaled = self.inputs.clone();
        for (mut column, error) in scaled.column_iter_mut().zip(errors.iter()) {
            column *= *error;
        }
        scaled * &self.rows
    }

    /// 2η times the largest eigenvalue of K/P at the start and of what it gains by understanding, (ε/α)(β·x)(β·x')(x·x'), on these
    /// rows: an update multiplies the steepest direction's error by 1 − this at most, and from 2 on errors grow.
    pub fn steepness(&self, descent: &Descent) -> f64 {
        let gained = self.weighted(&self.answers).symmetric_eigenvalues().max() * 2.0 * descent.epsilon / descent.alpha;
        let start = gram(self, descent.epsilon).symmetric_eigenvalues().max();
        2.0 * descent.learning_rate * (start + gained / self.answers.len() as f64)
    }

    /// One update; `errors` are those of `now`.
    pub fn step(&self, descent: &Descent, now: &mut Moments, errors: &DVector<f64>) {
        let rate = 2.0 * descent.learning_rate / (descent.alpha * errors.len() as f64);
        let pull = &self.inputs * errors * -rate;
        let mut turn = self.weighted(errors) * (-rate * descent.epsilon);
        for at in 0..turn.nrows() {
            turn[(at, at)] += 1.0;
        }
        let turned = &turn * &now.mean;
        let mut square = &turn * &now.square * &turn;
        square.ger(1.0, &turned, &pull, 1.0);
        square.ger(1.0, &pull, &turned, 1.0);
        square.ger(1.0, &pull, &pull, 1.0);
        *now = Moments { mean: turned + pull, square };
    }
}

/// Mean of squares.
pub(super) fn mean_square(values: &DVector<f64>) -> f64 {
    values.norm_squared() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCENT: Descent = Descent { alpha: 1.5, epsilon: 0.6, learning_rate: 0.8, is_centred: true };

    /// Weights `[D, N]`, stepped one by one.
    fn stepped(system: &System, descent: &Descent, mut weights: DMatrix<f64>, steps: usize) -> DMatrix<f64> {
        let Descent { alpha, epsilon, learning_rate, is_centred } = *descent;
        let (start, neurons, rows) = (weights.clone(), weights.ncols() as f64, system.answers.len());
        let output = |weights: &DMatrix<f64>, row: usize| {
            let pre = weights.tr_mul(&system.inputs.column(row));
            alpha * pre.iter().map(|h| h + 0.5 * epsilon * h * h).sum::<f64>() / neurons
        };
        for _ in 0..steps {
            let mut gradient = DMatrix::zeros(weights.nrows(), weights.ncols());
            for row in 0..rows {
                let base = if is_centred { output(&start, row) } else { 0.0 };
                let error = output(&weights, row) - base - system.answers[row];
                for (neuron, weight) in weights.column_iter().enumerate() {
                    let slope = alpha / neurons * (1.0 + epsilon * weight.dot(&system.inputs.column(row)));
                    let mut column = gradient.column_mut(neuron);
                    column += system.inputs.column(row) * (2.0 / rows as f64 * error * slope);
                }
            }
            weights -= gradient * (learning_rate * neurons / (alpha * alpha));
        }
        weights
    }

    #[test]
    fn the_moments_follow_gradient_descent_on_every_weight() {
        for is_centred in [true, false] {
            let descent = Descent { is_centred, ..DESCENT };
            let mut stream = Stream::new(1, Purpose::Theory, 5);
            let weights = DMatrix::from_fn(5, 7, |_, _| stream.normal());
            let (drawn, _) = System::drawn(5, 12, 7, 2, 0);
            let system = System::new(drawn.inputs, drawn.answers, Moments::of(&weights));
            let mut now = system.start.clone();
            for _ in 0..40 {
                let errors = system.errors(&system.function(&descent, &now));
                system.step(&descent, &mut now, &errors);
            }
            let expected = Moments::of(&stepped(&system, &descent, weights, 40));
            let apart = now.minus(&expected);
            assert!(apart.mean.amax() < 1e-12 && apart.square.amax() < 1e-11, "{apart:?}");
            assert!(now.minus(&system.start).square.amax() > 0.1, "something moved");
        }
    }

    #[test]
    fn parts_of_a_function_add_up_to_its_mean_square_over_sampled_inputs() {
        let (system, teacher) = System::drawn(4, 20_000, 1, 0, 0);
        let function = Polynomial {
            linear: DVector::from_vec(vec![0.3, -0.2, 0.0, 0.4]),
            square: DMatrix::from_fn(4, 4, |i, j| 0.1 * (i + j) as f64 - 0.2),
        };
        let sampled = mean_square(&system.errors(&function));
        let parts = function.clone().error(&teacher).parts();
        assert!((parts.total() / sampled - 1.0).abs() < 0.05, "{parts:?} {sampled}");
        let length = Polynomial { linear: DVector::zeros(4), square: DMatrix::identity(4, 4) }.parts();
        // E|x|⁴ = 1 + 2/D.
        assert!((length.length - 1.5).abs() < 1e-12 && length.quadratic.abs() < 1e-12 && length.linear.abs() < 1e-12);
    }

    #[test]
    fn steepness_is_that_of_the_kernels_at_both_ends() {
        let (system, teacher) = System::drawn(4, 7, 3, 6, 0);
        let descent = Descent { learning_rate: 0.5, ..DESCENT };
        let understood = Moments::understood(&teacher, descent.alpha, descent.epsilon).minus(&Moments::infinite(4));
        let along = system.inputs.tr_mul(&teacher);
        let gained = DMatrix::from_fn(7, 7, |i, j| {
            let (a, b) = (system.inputs.column(i), system.inputs.column(j));
            let kernel = descent.epsilon * descent.epsilon * a.dot(&(&understood.square * b)) * a.dot(&b);
            assert!((kernel - descent.epsilon / descent.alpha * along[i] * along[j] * a.dot(&b)).abs() < 1e-12);
            kernel / 7.0
        });
        let expected = gram(&system, descent.epsilon).symmetric_eigenvalues().max() + gained.symmetric_eigenvalues().max();
        assert!((system.steepness(&descent) - expected).abs() < 1e-12);
    }

    #[test]
    fn more_rows_keep_the_teacher_the_first_rows_and_the_start() {
        let ((few, a), (many, b)) = (System::drawn(4, 6, 3, 1, 2), System::drawn(4, 9, 3, 1, 2));
        assert_eq!((a, &few.start, few.inputs.column(5)), (b, &many.start, many.inputs.column(5)));
    }
}
