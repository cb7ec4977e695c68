//! The finite minimiser of the loss of data that no hyperplane separates.
//!
//! There the theory of separable data says nothing, and a panel that drew ŵ log t all the same would be wrong without a sign of it.
//! Newton's method with halved steps; descent itself would need thousands of steps for the digits against which it is judged.

use super::loss::Loss;
use super::rows::{Rows, dot, norm, within};
use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// w* = argmin L.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Minimiser {
    /// w*.
    pub weights: Vec<f64>,
    /// L(w*).
    pub loss: f64,
    /// ‖∇L(w*)‖.
    pub gradient: f64,
    /// Eigenvalues of the Hessian at w* within the span of the rows, ascending.
    pub curvatures: Vec<f64>,
}

/// w*, with the part of `start` that no row reaches; `None` if the loss has no finite minimiser, as where a part of the rows is
/// separable across the rest.
pub(super) fn minimise(rows: &Rows, loss: Loss, start: &[f64]) -> Option<Minimiser> {
    let basis = rows.basis();
    let inner = Rows::new(basis.ncols().max(1), (rows.matrix() * &basis).transpose().iter().copied().collect());
    let mut at = vec![0.0; basis.ncols()];
    for _ in 0..200 {
        let slope = DVector::from_vec(loss.descent(&inner, &at));
        let step = hessian(&inner, loss, &at).lu().solve(&slope)?;
        let decrease = slope.dot(&step);
        let moved = |share: f64| -> Vec<f64> { at.iter().zip(step.iter()).map(|(x, s)| x + share * s).collect() };
        let before = loss.total(&inner, &at);
        let mut share = 1.0;
        while decrease > 1e-12 * before && loss.total(&inner, &moved(share)) > before - 1e-4 * share * decrease && share > 1e-12 {
            share *= 0.5;
        }
        at = moved(share);
        if step.norm() < 1e-14 * (1.0 + norm(&at)) {
            break;
        }
    }
    let gradient = norm(&loss.descent(&inner, &at));
    let bend = hessian(&inner, loss, &at);
    let mut curvatures: Vec<f64> = SymmetricEigen::new(bend).eigenvalues.iter().copied().collect();
    curvatures.sort_by(f64::total_cmp);
    // Where the infimum lies at infinity, Newton walks towards it until the curvature is gone.
    let is_flat = curvatures.first().is_none_or(|least| *least < 1e-9 * rows.largest_gram_eigenvalue());
    if is_flat || !gradient.is_finite() || gradient > 1e-10 * rows.longest() * rows.len() as f64 {
        return None;
    }
    let inside = within(&basis, start);
    let mut weights: Vec<f64> = start.iter().zip(inside).map(|(w, part)| w - part).collect();
    for (sum, value) in weights.iter_mut().zip((&basis * DVector::from_vec(at)).iter()) {
        *sum += value;
    }
    let total = loss.total(rows, &weights);
    Some(Minimiser { weights, loss: total, gradient, curvatures })
}

fn hessian(rows: &Rows, loss: Loss, at: &[f64]) -> DMatrix<f64> {
    let matrix = rows.matrix();
    let curvatures: Vec<f64> = rows.iter().map(|z| loss.curvature(dot(z, at))).collect();
    matrix.tr_mul(&DMatrix::from_fn(matrix.nrows(), matrix.ncols(), |r, c| curvatures[r] * matrix[(r, c)]))
}

impl Minimiser {
    /// By how much one step brings descent nearer in the end: the largest root of r² − (1 + μ − ηλ)r + μ over the curvatures λ, in
    /// absolute value (Polyak's heavy ball; |1 − ηλ| for μ = 0).
    pub(super) fn contraction(&self, rate: f64, momentum: f64) -> f64 {
        let of = |curvature: &f64| {
            let middle = 1.0 + momentum - rate * curvature;
            let inside = middle * middle - 4.0 * momentum;
            if inside < 0.0 { libm::sqrt(momentum) } else { f64::midpoint(middle.abs(), libm::sqrt(inside)) }
        };
        self.curvatures.iter().map(of).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_opposite_rows_have_the_closed_form() {
        // log(1 + e^{−w}) + log(1 + e^{2w}) is least where e^{−w}/(1 + e^{−w}) = 2e^{2w}/(1 + e^{2w}): 1/(1 + x) = 2x²/(1 + x²), x = eʷ.
        let found = minimise(&Rows::new(1, vec![1.0, -2.0]), Loss::Logistic, &[0.0]).unwrap();
        let x = libm::exp(found.weights[0]);
        assert!((1.0 / (1.0 + x) - 2.0 * x * x / (1.0 + x * x)).abs() < 1e-14);
        // e^{−w} + e^{2w}: w = −log(2)/3.
        let found = minimise(&Rows::new(1, vec![1.0, -2.0]), Loss::Exponential, &[0.0]).unwrap();
        assert!((found.weights[0] + core::f64::consts::LN_2 / 3.0).abs() < 1e-14);
    }

    #[test]
    fn data_that_are_separable_in_part_have_no_minimiser() {
        assert_eq!(minimise(&Rows::new(2, vec![1.0, 0.0, -1.0, 0.0, 0.3, 1.0]), Loss::Logistic, &[0.0, 0.0]), None);
        assert_eq!(minimise(&Rows::new(2, vec![0.0, 2.0, 1.5, 0.5]), Loss::Logistic, &[0.0, 0.0]), None);
    }

    #[test]
    fn what_no_row_reaches_stays_as_it_began() {
        let found = minimise(&Rows::new(2, vec![1.0, 0.0, -2.0, 0.0]), Loss::Exponential, &[5.0, 7.0]).unwrap();
        assert!((found.weights[0] + core::f64::consts::LN_2 / 3.0).abs() < 1e-14 && (found.weights[1] - 7.0).abs() < 1e-14);
    }
}
