//! H, the matrix that says how fast every departure from structure dies out (Liu et al., arXiv:2205.10343, section 3).
//!
//! E follows Ė = −∇ℓ_eff with ℓ_eff = ℓ₀/Z₀. Its gradient is H E − (2ℓ₀/Z₀²) E, H = (2/(Z₀|P₀|)) AᵀA with a row
//! e_i + e_j − e_m − e_n of A for each parallelogram. The second term only stretches E as a whole, just so much that Z₀ stays:
//! so H is constant in time and E(t) = √Z₀ · e^{−Ht}E(0) / ‖e^{−Ht}E(0)‖ exactly, not only near the end. Eigenvectors make that
//! a closed form; a solver would be an approximation of it.

use super::pairs::{Pair, equation, parallelograms};
use crate::measure::Span;
use nalgebra::{DMatrix, SymmetricEigen};

/// H of a data set at Z₀ = 1, with its eigenvectors.
#[derive(Debug, Clone)]
pub struct Structure {
    /// (2/|P₀|) AᵀA: `[token, token]`; divide by Z₀ for H. Zero without parallelograms.
    pub matrix: DMatrix<f64>,
    /// Eigenvalues of `matrix`, ascending: `[token]`.
    pub values: Vec<f64>,
    /// Eigenvectors in that order: `[token, eigenvalue]`.
    vectors: DMatrix<f64>,
    /// The span of A's rows.
    pub span: Span,
    /// |P₀(D)|.
    pub parallelograms: usize,
}

impl Structure {
    /// Of the numbers 0..`tokens` with the training pairs `pairs`.
    pub fn of(tokens: usize, pairs: &[Pair]) -> Self {
        let found = parallelograms(pairs);
        let mut matrix = DMatrix::zeros(tokens, tokens);
        let mut span = Span::default();
        for parallelogram in &found {
            let row = equation(tokens, *parallelogram);
            for (x, left) in row.iter().enumerate().filter(|(_, left)| **left != 0) {
                row.iter().enumerate().for_each(|(y, right)| matrix[(x, y)] += (left * right) as f64);
            }
            span.add(row);
        }
        if !found.is_empty() {
            matrix *= 2.0 / found.len() as f64;
        }
        let eigen = SymmetricEigen::new(matrix.clone());
        let mut order: Vec<usize> = (0..tokens).collect();
        order.sort_by(|x, y| eigen.eigenvalues[*x].total_cmp(&eigen.eigenvalues[*y]));
        let values = order.iter().map(|at| eigen.eigenvalues[*at]).collect();
        let vectors = eigen.eigenvectors.select_columns(&order);
        Self { matrix, values, vectors, span, parallelograms: found.len() }
    }

    /// n₀, the dimension of the embeddings that cost nothing: at least 2 (constants and lines).
    pub fn nullity(&self) -> usize {
        self.values.len() - self.span.rank()
    }

    /// λ₃ at Z₀ = 1: the rate of what dies out last; 0 where more than constants and lines cost nothing.
    pub fn third(&self) -> f64 {
        if self.nullity() == 2 { self.values.get(2).copied().unwrap_or(0.0) } else { 0.0 }
    }

    /// e^{−Ht} E: `[token, column]`, at time `t` (learning rate times updates) and Z₀ of `start`.
    pub fn flow(&self, start: &DMatrix<f64>, time: f64) -> DMatrix<f64> {
        let square = start.norm_squared();
        let mut coordinates = self.vectors.tr_mul(start);
        let null = self.nullity();
        for (at, (value, mut row)) in self.values.iter().zip(coordinates.row_iter_mut()).enumerate() {
            // Exactly 0 in the null space, where an eigenvalue is 0 but for rounding.
            let rate = if at < null { 0.0 } else { value / square };
            row *= libm::exp(-rate * time);
        }
        &self.vectors * coordinates
    }

    /// The exact gradient flow of ℓ_eff: [`Structure::flow`] brought back to the Z₀ of `start`.
    pub fn gradient_flow(&self, start: &DMatrix<f64>, time: f64) -> DMatrix<f64> {
        let linear = self.flow(start, time);
        let factor = start.norm() / linear.norm();
        linear * factor
    }
}

#[cfg(test)]
mod tests {
    use super::super::effective_loss::{centred, gradient};
    use super::super::pairs::{all_pairs, shuffled};
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};
    use crate::task::structure_spectrum;

    fn drawn(tokens: usize, count: usize, seed: u64) -> (Vec<Pair>, DMatrix<f64>) {
        let mut stream = Stream::new(seed, Purpose::Theory, 9);
        let pairs = shuffled(tokens, &mut stream)[..count].to_vec();
        (pairs, centred(&DMatrix::from_fn(tokens, 2, |_, _| stream.uniform() - 0.5)))
    }

    #[test]
    fn the_spectrum_is_the_one_of_the_guided_split() {
        for (tokens, count) in [(6, 8), (10, 20), (10, 45), (11, 66)] {
            let (pairs, _) = drawn(tokens, count, count as u64);
            let narrow: Vec<(u16, u16)> = pairs.iter().map(|(i, j)| (*i as u16, *j as u16)).collect();
            let other = structure_spectrum(tokens as u32, &narrow);
            let structure = Structure::of(tokens, &pairs);
            assert!(structure.values.iter().zip(&other).all(|(x, y)| (x - y).abs() < 1e-10), "{tokens} {count}");
            assert_eq!(structure.parallelograms, parallelograms(&pairs).len());
        }
    }

    #[test]
    fn the_exact_nullity_is_the_number_of_small_eigenvalues() {
        for seed in 0..60 {
            let (pairs, _) = drawn(9, 8 + seed as usize % 30, seed);
            let structure = Structure::of(9, &pairs);
            let small = structure.values.iter().filter(|value| value.abs() < 1e-9).count();
            assert_eq!(structure.nullity(), small, "{pairs:?}");
        }
    }

    #[test]
    fn all_pairs_of_four_numbers_have_the_spectrum_of_the_closed_form() {
        // Rows 1 −2 1 0, 0 1 −2 1, 1 −1 −1 1. In steps d of E the cost is (2/3)((d₁−d₂)² + (d₂−d₃)² + (d₁−d₃)²). Off constants
        // and lines, u = (1 −1 −1 1)/2 and w = (−1 3 −3 1)/√20 are eigenvectors by symmetry: A u = (1, 1, 2) and
        // A w = (−10, 10, 0)/√20, so λ = (2/3)·6 and (2/3)·10.
        let values = Structure::of(4, &all_pairs(4)).values;
        let expected = [0.0, 0.0, 4.0, 20.0 / 3.0];
        assert!(values.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-12), "{values:?}");
    }

    #[test]
    fn small_gradient_steps_follow_the_closed_form_of_the_flow() {
        let (pairs, start) = drawn(8, 25, 5);
        let structure = Structure::of(8, &pairs);
        let known = parallelograms(&pairs);
        let end = |steps: usize| {
            let mut embedding = start.clone();
            for _ in 0..steps {
                embedding -= gradient(&known, &embedding) * (0.8 / steps as f64);
            }
            (embedding - structure.gradient_flow(&start, 0.8)).norm()
        };
        let (coarse, fine) = (end(500), end(1000));
        assert!(fine < 1e-3 * start.norm(), "{fine}");
        assert!((coarse / fine - 2.0).abs() < 0.05, "first order in the step: {coarse} {fine}");
    }

    #[test]
    fn the_flow_keeps_sum_and_size() {
        let (pairs, start) = drawn(8, 25, 6);
        let end = Structure::of(8, &pairs).gradient_flow(&start, 3.0);
        assert!((end.norm_squared() - start.norm_squared()).abs() < 1e-12);
        assert!(end.row_sum().iter().all(|sum| sum.abs() < 1e-12));
    }
}
