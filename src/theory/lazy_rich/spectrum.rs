//! Eigenvalues of the starting kernel of a finite network, over all inputs and not over sampled rows.
//!
//! The three eigenvalues of theory are those of infinite width; each is a cloud at any other. Functions a·x + xᵀQx are mapped
//! onto such functions, so the kernel is a matrix of D + D(D + 1)/2 rows and its spectrum is exact. Rows would add a spread of
//! their own, which at P < D² is wider than the distance between the levels.

use super::kernel::Moments;
use nalgebra::{DMatrix, DVector};

/// Eigenvalues of f ↦ E[K(·, x) f(x)], descending, `[D + D(D + 1)/2]`.
pub(super) fn spectrum(moments: &Moments, epsilon: f64) -> Vec<f64> {
    let d = moments.mean.len();
    let size = d + d * (d + 1) / 2;
    let mut matrix = DMatrix::zeros(size, size);
    for at in 0..size {
        let mut unit = DVector::zeros(size);
        unit[at] = 1.0;
        matrix.set_column(at, &image(moments, epsilon, &unit));
    }
    let mut values: Vec<f64> = matrix.symmetric_eigenvalues().iter().copied().collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

/// S·C·S applied to `vector`: C takes (u, G) = (E[xf], E[x xᵀf]) to the image's (a, Q), and S is the root of the metric that takes
/// (a, Q) to (u, G), so that the matrix is symmetric.
fn image(moments: &Moments, epsilon: f64, vector: &DVector<f64>) -> DVector<f64> {
    let (pull, weighted) = split(&root(vector, moments.mean.len()), moments.mean.len());
    let linear = &pull + &weighted * &moments.mean * epsilon;
    let bent = &moments.mean * pull.transpose() * epsilon + &moments.square * weighted * (epsilon * epsilon);
    root(&joined(&linear, &((&bent + bent.transpose()) * 0.5)), moments.mean.len())
}

/// S: the metric is 1/D on linear functions and (2·1 + t tᵀ)/D² on quadratic ones, t being |x|².
fn root(vector: &DVector<f64>, d: usize) -> DVector<f64> {
    let (dimension, two) = (d as f64, core::f64::consts::SQRT_2);
    let (linear, square) = split(vector, d);
    // The eigenvalue along t, whose squared length is D, is (2 + D)/D².
    let along = (libm::sqrt(dimension + 2.0) - two) / dimension * square.trace();
    let square = (square * two + DMatrix::identity(d, d) * along) / dimension;
    joined(&(linear / libm::sqrt(dimension)), &square)
}

/// Coordinates in which the squared length is |a|² + ‖Q‖².
fn joined(linear: &DVector<f64>, square: &DMatrix<f64>) -> DVector<f64> {
    let d = linear.len();
    let pairs = (0..d).flat_map(|i| (i..d).map(move |j| (i, j)));
    let entry = |(i, j): (usize, usize)| square[(i, j)] * if i == j { 1.0 } else { core::f64::consts::SQRT_2 };
    DVector::from_vec(linear.iter().copied().chain(pairs.map(entry)).collect())
}

fn split(vector: &DVector<f64>, d: usize) -> (DVector<f64>, DMatrix<f64>) {
    let mut square = DMatrix::zeros(d, d);
    for ((i, j), value) in (0..d).flat_map(|i| (i..d).map(move |j| (i, j))).zip(vector.iter().skip(d)) {
        let value = if i == j { *value } else { value / core::f64::consts::SQRT_2 };
        square[(i, j)] = value;
        square[(j, i)] = value;
    }
    (vector.rows(0, d).into_owned(), square)
}

#[cfg(test)]
mod tests {
    use super::super::kernel::Start;
    use super::super::system::System;
    use super::*;

    #[test]
    fn infinite_width_has_the_three_levels_of_theory() {
        for (d, epsilon) in [(4, 0.25), (6, 2.0)] {
            let mut expected: Vec<f64> = Start { dimension: d as f64, epsilon }
                .levels()
                .iter()
                .flat_map(|level| vec![level.eigenvalue; level.count as usize])
                .collect();
            expected.sort_by(|a, b| b.total_cmp(a));
            let found = spectrum(&Moments::infinite(d), epsilon);
            assert_eq!(found.len(), expected.len());
            assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
        }
    }

    #[test]
    fn a_finite_network_keeps_the_trace_and_the_norm_of_its_kernel() {
        let (system, _) = System::drawn(5, 1, 3, 4, 0);
        let (epsilon, d) = (0.8, 5.0);
        let found = spectrum(&system.start, epsilon);
        let trace = 1.0 + epsilon * epsilon * system.start.square.trace() * (d + 2.0) / (d * d);
        assert!((found.iter().sum::<f64>() / trace - 1.0).abs() < 1e-12);
        let norm: f64 = found.iter().map(|value| value * value).sum();
        assert!((norm / system.start.norm_squared(epsilon, 1.0) - 1.0).abs() < 1e-12);
        assert!(found.iter().all(|value| *value > -1e-12), "a kernel is positive: {found:?}");
    }
}
