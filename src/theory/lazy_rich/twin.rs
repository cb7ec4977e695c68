//! The linearised twin: the same network with its features nailed to their start, followed in closed form.
//!
//! f_lin = f₀ + ∇f₀·(w − w₀) is a linear model, so gradient descent is a kernel method with the start's kernel, and one
//! eigendecomposition of its Gram matrix K/P = U Λ Uᵀ gives it at any step:
//!
//! ```text
//! e_t = U (1 − 2ηΛ)^t Uᵀ e₀,     f_t(x) = f₀(x) − k(x)ᵀ c_t,     c_t = U [(1 − (1 − 2ηΛ)^t)/Λ] Uᵀ e₀ / P
//! ```
//!
//! What the network does beyond that is feature learning, by definition. A twin that is trained step by step was rejected: it
//! says the same (tested) and ends only when one's patience does.

use super::kernel::Moments;
use super::system::{Descent, Polynomial, System};
use nalgebra::{Cholesky, DMatrix, DVector, SymmetricEigen};

/// Eigenvalues below this part of the largest are rounding.
const ROUNDING: f64 = 1e-12;

/// The twin of a network.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Twin {
    descent: Descent,
    /// Λ, `[P]`.
    eigenvalues: DVector<f64>,
    /// U, `[P, P]`.
    vectors: DMatrix<f64>,
    /// Uᵀe₀, `[P]`.
    errors: DVector<f64>,
}

/// K/P at the start, `[P, P]`.
pub(super) fn gram(system: &System, epsilon: f64) -> DMatrix<f64> {
    let Moments { mean, square } = &system.start;
    let (products, bent) = (system.inputs.tr_mul(&system.inputs), system.inputs.tr_mul(&(square * &system.inputs)));
    let along = system.inputs.tr_mul(mean);
    let count = products.nrows();
    DMatrix::from_fn(count, count, |i, j| {
        (1.0 + epsilon * (along[i] + along[j]) + epsilon * epsilon * bent[(i, j)]) * products[(i, j)] / count as f64
    })
}

impl Twin {
    pub fn new(system: &System, descent: Descent) -> Self {
        let eigen = SymmetricEigen::new(gram(system, descent.epsilon));
        let errors = system.errors(&system.function(&descent, &system.start));
        Self { descent, eigenvalues: eigen.eigenvalues, errors: eigen.eigenvectors.tr_mul(&errors), vectors: eigen.eigenvectors }
    }

    /// Σ over directions of what is left of their errors, squared.
    pub fn train_loss(&self, step: f64) -> f64 {
        let left = |value: f64| libm::pow(1.0 - 2.0 * self.descent.learning_rate * value, 2.0 * step);
        let parts = self.eigenvalues.iter().zip(self.errors.iter()).map(|(value, error)| left(*value) * error * error);
        parts.sum::<f64>() / self.errors.len() as f64
    }

    /// The first step with a training loss of `level` or below, up to `limit`; else ∞.
    pub fn reaches(&self, level: f64, limit: f64) -> f64 {
        if self.train_loss(limit) > level {
            return f64::INFINITY;
        }
        let (mut before, mut after) = (-1.0, limit);
        while after - before > 1.0 {
            let middle = libm::floor(0.5 * (before + after));
            *(if self.train_loss(middle) > level { &mut before } else { &mut after }) = middle;
        }
        after
    }

    /// f_lin after `step` steps, or in the end if that is ∞.
    pub fn function(&self, system: &System, step: f64) -> Polynomial {
        let learning_rate = self.descent.learning_rate;
        let floor = ROUNDING * self.eigenvalues.max();
        let reached = |value: f64| {
            if value <= floor {
                // Nothing of it is learned in the end, and nearly nothing before.
                return if step.is_finite() { 2.0 * learning_rate * step } else { 0.0 };
            }
            let left = if step.is_finite() { libm::pow(1.0 - 2.0 * learning_rate * value, step) } else { 0.0 };
            (1.0 - left) / value
        };
        let along = self.errors.zip_map(&self.eigenvalues, |error, value| error * reached(value));
        of_dual(system, &self.descent, &(&self.vectors * along / self.errors.len() as f64))
    }
}

/// f_lin in the end, without the way there; `None` if the rows are more than the kernel can tell apart.
pub(super) fn end(system: &System, descent: &Descent) -> Option<Polynomial> {
    let errors = system.errors(&system.function(descent, &system.start));
    let dual = Cholesky::new(gram(system, descent.epsilon))?.solve(&errors) / errors.len() as f64;
    Some(of_dual(system, descent, &dual))
}

/// f₀ − k(x)ᵀc.
fn of_dual(system: &System, descent: &Descent, dual: &DVector<f64>) -> Polynomial {
    let (Moments { mean, square }, epsilon) = (&system.start, descent.epsilon);
    let (pull, weighted) = (&system.inputs * dual, system.weighted(dual));
    let mut function = system.function(descent, &system.start);
    function.linear -= &pull + &weighted * mean * epsilon;
    let bent = mean * pull.transpose() * epsilon + square * weighted * (epsilon * epsilon);
    function.square -= (&bent + bent.transpose()) * 0.5;
    function
}

#[cfg(test)]
mod tests {
    use super::super::kernel::{ANSWERS, Start};
    use super::super::system::mean_square;
    use super::*;

    /// The twin's weights stepped one by one: f_lin = base + Σ_i ∂f/∂w_i·(w_i − w_i⁰).
    fn stepped(system: &System, descent: &Descent, weights: &DMatrix<f64>, steps: usize) -> DVector<f64> {
        let Descent { alpha, epsilon, learning_rate, .. } = *descent;
        let (neurons, rows) = (weights.ncols() as f64, system.answers.len());
        let mut moved = DMatrix::<f64>::zeros(weights.nrows(), weights.ncols());
        let base = system.errors(&system.function(descent, &system.start));
        let slope = |neuron: usize, row: usize| {
            let x = system.inputs.column(row);
            x * (alpha / neurons * (1.0 + epsilon * weights.column(neuron).dot(&x)))
        };
        let errors = |moved: &DMatrix<f64>| {
            DVector::from_fn(rows, |row, _| {
                base[row] + (0..weights.ncols()).map(|n| slope(n, row).dot(&moved.column(n))).sum::<f64>()
            })
        };
        for _ in 0..steps {
            let now = errors(&moved);
            for neuron in 0..weights.ncols() {
                for row in 0..rows {
                    let change = slope(neuron, row) * (2.0 / rows as f64 * now[row] * learning_rate * neurons / (alpha * alpha));
                    let mut column = moved.column_mut(neuron);
                    column -= change;
                }
            }
        }
        errors(&moved)
    }

    #[test]
    fn the_twin_is_the_linearised_network_trained_step_by_step() {
        for is_centred in [true, false] {
            let descent = Descent { alpha: 2.0, epsilon: 0.7, learning_rate: 0.1, is_centred };
            let (drawn, _) = System::drawn(4, 9, 6, 0, 0);
            let mut stream = crate::experiment::randomness::Stream::new(0, crate::experiment::randomness::Purpose::Theory, 9);
            let weights = DMatrix::from_fn(4, 6, |_, _| stream.normal());
            let system = System::new(drawn.inputs, drawn.answers, Moments::of(&weights));
            let twin = Twin::new(&system, descent);
            let expected = stepped(&system, &descent, &weights, 30);
            assert!((twin.train_loss(30.0) / mean_square(&expected) - 1.0).abs() < 1e-10);
            let found = system.errors(&twin.function(&system, 30.0));
            assert!((found - expected).amax() < 1e-11);
            let loss = |step: f64| twin.train_loss(step);
            let at = twin.reaches(loss(17.0), 100.0);
            assert!(at <= 17.0 && loss(at) <= loss(17.0) && loss(at - 1.0) > loss(17.0), "{at}");
            assert_eq!(twin.reaches(0.0, 10.0), f64::INFINITY);
            // In the end it answers all rows, by either way.
            let (by_time, by_solving) = (twin.function(&system, f64::INFINITY), end(&system, &descent).unwrap());
            assert!(system.errors(&by_time).amax() < 1e-7 && system.errors(&by_solving).amax() < 1e-7);
            assert!((by_time.square - by_solving.square).amax() < 1e-6);
        }
    }

    #[test]
    fn the_twin_ends_where_the_learning_curve_says_on_average() {
        let (d, epsilon) = (9, 0.3);
        let descent = Descent { alpha: 1.0, epsilon, learning_rate: 1.0, is_centred: true };
        let start = Start { dimension: d as f64, epsilon };
        for rows in [22, 40] {
            let ends: Vec<f64> = (0..20)
                .map(|index| {
                    let (system, teacher) = System::drawn(d, rows, 300, 5, index);
                    end(&system, &descent).unwrap().error(&teacher).parts().total()
                })
                .collect();
            let mean = ends.iter().sum::<f64>() / ends.len() as f64;
            let expected = start.lazy_end(rows as f64);
            assert!((mean - expected).abs() < 0.1 * ANSWERS, "{rows}: {mean} {expected}");
        }
    }

    #[test]
    fn a_very_large_alpha_makes_the_network_its_twin() {
        let descent = Descent { alpha: 1e6, epsilon: 0.5, learning_rate: 0.5, is_centred: true };
        let (system, _) = System::drawn(5, 10, 8, 1, 0);
        let twin = Twin::new(&system, descent);
        let mut now = system.start.clone();
        for step in 0..200 {
            let errors = system.errors(&system.function(&descent, &now));
            assert!((mean_square(&errors) - twin.train_loss(f64::from(step))).abs() < 1e-5);
            system.step(&descent, &mut now, &errors);
        }
    }
}
