//! The two losses with an exponential tail, and their derivatives in the margin u = z·w.
//!
//! Everything that can underflow is given as a logarithm: normalised descent drives margins past 745, where e^{−u} is 0 in f64 and
//! the direction of the gradient would be 0/0.

use super::rows::{Rows, dot};
use serde::{Deserialize, Serialize};

/// Loss of one row as a function of its margin; the loss of the data is the *sum* over rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// log(1 + e^{−u}).
    Logistic,
    /// e^{−u}.
    Exponential,
}

impl Loss {
    /// ℓ(u), in nats.
    pub(super) fn value(self, u: f64) -> f64 {
        match self {
            Self::Logistic => softplus(-u),
            Self::Exponential => libm::exp(-u),
        }
    }

    /// log ℓ(u).
    pub(super) fn log_value(self, u: f64) -> f64 {
        match self {
            // Beyond 37 the difference, e^{−u}/2, is below the rounding of u.
            Self::Logistic if u < 37.0 => libm::log(softplus(-u)),
            _ => -u,
        }
    }

    /// log(−ℓ′(u)): the logarithm of a row's pull on the weights.
    pub(super) fn log_pull(self, u: f64) -> f64 {
        match self {
            Self::Logistic => -softplus(u),
            Self::Exponential => -u,
        }
    }

    /// −ℓ′(u).
    pub(super) fn pull(self, u: f64) -> f64 {
        libm::exp(self.log_pull(u))
    }

    /// ℓ″(u).
    pub(super) fn curvature(self, u: f64) -> f64 {
        let r = self.pull(u);
        match self {
            Self::Logistic => r * (1.0 - r),
            Self::Exponential => r,
        }
    }

    /// ℓ‴(u).
    pub(super) fn third(self, u: f64) -> f64 {
        let r = self.pull(u);
        match self {
            Self::Logistic => -r * (1.0 - r) * (1.0 - 2.0 * r),
            Self::Exponential => -r,
        }
    }

    /// log Σ_n ℓ(z_n·w).
    pub(super) fn log_total(self, rows: &Rows, w: &[f64]) -> f64 {
        let logs: Vec<f64> = rows.iter().map(|z| self.log_value(dot(z, w))).collect();
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if largest.is_finite() { largest + libm::log(logs.iter().map(|l| libm::exp(l - largest)).sum()) } else { largest }
    }

    /// Σ_n ℓ(z_n·w).
    pub(super) fn total(self, rows: &Rows, w: &[f64]) -> f64 {
        rows.iter().map(|z| self.value(dot(z, w))).sum()
    }

    /// −∇L = Σ_n −ℓ′(z_n·w) z_n.
    pub(super) fn descent(self, rows: &Rows, w: &[f64]) -> Vec<f64> {
        let pulls: Vec<f64> = rows.iter().map(|z| self.pull(dot(z, w))).collect();
        rows.combine(&pulls)
    }

    /// The smoothness β of L wherever gradient descent from `start` with η < 2/β can come.
    ///
    /// Logistic: λ_max(ZZᵀ)·sup ℓ″ = λ_max/4, everywhere. The exponential loss is smooth nowhere globally, but descent never leaves
    /// {L ≤ L(start)}, where the Hessian Σ e^{−u_n} z_n z_nᵀ is at most L·max‖z_n‖²; so β = L(start)·max‖z_n‖².
    pub(super) fn smoothness(self, rows: &Rows, start: &[f64]) -> f64 {
        match self {
            Self::Logistic => rows.largest_gram_eigenvalue() / 4.0,
            Self::Exponential => self.total(rows, start) * rows.longest() * rows.longest(),
        }
    }
}

/// log(1 + eˣ) without overflow.
fn softplus(x: f64) -> f64 {
    if x > 0.0 { x + libm::log1p(libm::exp(-x)) } else { libm::log1p(libm::exp(x)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_are_those_of_finite_differences() {
        for loss in [Loss::Logistic, Loss::Exponential] {
            for u in [-3.0, -0.4, 0.0, 0.7, 5.0, 20.0] {
                let h = 1e-4;
                let slope = |f: &dyn Fn(f64) -> f64| (f(u + h) - f(u - h)) / (2.0 * h);
                let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-7 * (1.0 + b.abs()), "{loss:?} at {u}: {a} is not {b}");
                near(-loss.pull(u), slope(&|v| loss.value(v)));
                near(loss.curvature(u), slope(&|v| -loss.pull(v)));
                near(loss.third(u), slope(&|v| loss.curvature(v)));
                near(libm::exp(loss.log_value(u)), loss.value(u));
            }
        }
    }

    #[test]
    fn logarithms_stay_finite_where_the_loss_underflows() {
        let rows = Rows::new(1, vec![1.0, 2.0]);
        for loss in [Loss::Logistic, Loss::Exponential] {
            assert_eq!(loss.total(&rows, &[1e4]), 0.0);
            assert_eq!(loss.log_total(&rows, &[1e4]), -1e4);
            assert_eq!(loss.log_pull(1e4), -1e4);
        }
    }

    #[test]
    fn the_smoothness_of_the_pair_is_that_of_its_gram_matrix() {
        // [[4, 1], [1, 2.5]] has the eigenvalues 3.25 ± 1.25.
        let rows = Rows::new(2, vec![0.0, 2.0, 1.5, 0.5]);
        assert!((Loss::Logistic.smoothness(&rows, &[0.0, 0.0]) - 4.5 / 4.0).abs() < 1e-14);
        assert!((Loss::Exponential.smoothness(&rows, &[0.0, 0.0]) - 2.0 * 4.0).abs() < 1e-14);
    }
}
