//! Training rows as the theory sees them: z_n = y_n x_n, so that a row is on the right side exactly if z_n·w > 0.
//!
//! Labels beside points would put a sign into every sum here and let one of them be forgotten. One flat vector and no matrix type,
//! because the inner loop runs a million times on two or three rows.

use nalgebra::{DMatrix, SymmetricEigen};

/// Rows `[n, dimension]`, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::theory) struct Rows {
    dimension: usize,
    values: Vec<f64>,
}

impl Rows {
    /// `values` `[n, dimension]`; a rest that fills no row is left out.
    pub(in crate::theory) fn new(dimension: usize, mut values: Vec<f64>) -> Self {
        values.truncate(values.len() / dimension * dimension);
        Self { dimension, values }
    }

    pub(in crate::theory) fn dimension(&self) -> usize {
        self.dimension
    }

    pub(in crate::theory) fn len(&self) -> usize {
        self.values.len() / self.dimension
    }

    pub(in crate::theory) fn iter(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.dimension)
    }

    pub(in crate::theory) fn row(&self, at: usize) -> &[f64] {
        &self.values[at * self.dimension..][..self.dimension]
    }

    /// The rows at `which`, in that order.
    pub(super) fn select(&self, which: &[usize]) -> Self {
        Self::new(self.dimension, which.iter().flat_map(|&at| self.row(at)).copied().collect())
    }

    /// All values times `factor`.
    pub(super) fn scaled(&self, factor: f64) -> Self {
        Self::new(self.dimension, self.values.iter().map(|value| value * factor).collect())
    }

    /// z_n·w of every row.
    pub(in crate::theory) fn margins(&self, w: &[f64]) -> Vec<f64> {
        self.iter().map(|z| dot(z, w)).collect()
    }

    /// min_n z_n·w.
    pub(in crate::theory) fn smallest_margin(&self, w: &[f64]) -> f64 {
        self.iter().map(|z| dot(z, w)).fold(f64::INFINITY, f64::min)
    }

    /// Σ_n c_n z_n.
    pub(in crate::theory) fn combine(&self, coefficients: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.dimension];
        for (z, c) in self.iter().zip(coefficients) {
            add(&mut sum, *c, z);
        }
        sum
    }

    /// As a matrix `[n, dimension]`.
    pub(in crate::theory) fn matrix(&self) -> DMatrix<f64> {
        DMatrix::from_row_slice(self.len(), self.dimension, &self.values)
    }

    /// max_n ‖z_n‖.
    pub(super) fn longest(&self) -> f64 {
        self.iter().map(norm).fold(0.0, f64::max)
    }

    /// Largest eigenvalue of the Gram matrix ZZᵀ, which is that of ZᵀZ.
    pub(super) fn largest_gram_eigenvalue(&self) -> f64 {
        let matrix = self.matrix();
        SymmetricEigen::new(matrix.tr_mul(&matrix)).eigenvalues.iter().copied().fold(0.0, f64::max)
    }

    /// Orthonormal basis of the span of the rows, as columns `[dimension, rank]`; singular values below 1e-9 of the largest count
    /// as 0.
    pub(super) fn basis(&self) -> DMatrix<f64> {
        let svd = self.matrix().transpose().svd(true, false);
        let largest = svd.singular_values.iter().copied().fold(0.0, f64::max);
        let kept: Vec<usize> = (0..svd.singular_values.len()).filter(|&at| svd.singular_values[at] > 1e-9 * largest).collect();
        svd.u.map_or_else(|| DMatrix::zeros(self.dimension, 0), |u| u.select_columns(&kept))
    }
}

/// a·b.
pub(in crate::theory) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// ‖a‖.
pub(in crate::theory) fn norm(a: &[f64]) -> f64 {
    libm::sqrt(dot(a, a))
}

/// to += c·a.
pub(super) fn add(to: &mut [f64], c: f64, a: &[f64]) {
    for (sum, value) in to.iter_mut().zip(a) {
        *sum += c * value;
    }
}

/// a + c·b.
pub(in crate::theory) fn plus(a: &[f64], c: f64, b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(x, y)| x + c * y).collect()
}

/// The part of `a` at right angles to `b`.
pub(super) fn across(a: &[f64], b: &[f64]) -> Vec<f64> {
    plus(a, -dot(a, b) / dot(b, b), b)
}

/// The angle between `a` and `b` in radians, exact for small ones too, where an arc cosine would lose half the digits.
pub(in crate::theory) fn angle(a: &[f64], b: &[f64]) -> f64 {
    libm::atan2(norm(&across(a, b)), dot(a, b) / norm(b))
}

/// The part of `a` in the span of the orthonormal columns of `basis`.
pub(super) fn within(basis: &DMatrix<f64>, a: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; a.len()];
    for column in basis.column_iter() {
        let along: f64 = column.iter().zip(a).map(|(q, x)| q * x).sum();
        for (to, q) in sum.iter_mut().zip(column.iter()) {
            *to += along * q;
        }
    }
    sum
}
