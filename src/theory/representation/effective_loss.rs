//! ℓ_eff = ℓ₀/Z₀ and its gradient, term by term: what the closed form in `structure` is held against.
//!
//! ℓ₀ alone would be least for an embedding that is 0; a decoder cannot tell sums apart there, and dividing by Z₀ is the theory's
//! whole account of the decoder.

use super::pairs::Pair;
use nalgebra::DMatrix;

/// ℓ₀ = mean over parallelograms of |E_i + E_j − E_m − E_n|²; 0 without any. `embedding`: `[token, column]`.
pub fn misfit(known: &[(Pair, Pair)], embedding: &DMatrix<f64>) -> f64 {
    let columns = 0..embedding.ncols();
    let square = |parallelogram, column| gap(embedding, parallelogram, column) * gap(embedding, parallelogram, column);
    let squares = columns.map(|column| known.iter().map(|parallelogram| square(*parallelogram, column)).sum::<f64>());
    squares.sum::<f64>() / known.len().max(1) as f64
}

/// ℓ_eff = ℓ₀/Z₀, Z₀ = Σ|E_k|².
pub fn effective_loss(known: &[(Pair, Pair)], embedding: &DMatrix<f64>) -> f64 {
    misfit(known, embedding) / embedding.norm_squared()
}

/// ∇ℓ_eff = ∇ℓ₀/Z₀ − (2ℓ₀/Z₀²) E: `[token, column]`.
pub fn gradient(known: &[(Pair, Pair)], embedding: &DMatrix<f64>) -> DMatrix<f64> {
    let square = embedding.norm_squared();
    let mut slope = embedding * (-2.0 * misfit(known, embedding) / (square * square));
    let weight = 2.0 / (known.len().max(1) as f64 * square);
    for column in 0..embedding.ncols() {
        for &((i, j), (m, n)) in known {
            let by = weight * gap(embedding, ((i, j), (m, n)), column);
            slope[(i, column)] += by;
            slope[(j, column)] += by;
            slope[(m, column)] -= by;
            slope[(n, column)] -= by;
        }
    }
    slope
}

/// Each column less its mean.
pub fn centred(embedding: &DMatrix<f64>) -> DMatrix<f64> {
    let mut centred = embedding.clone();
    for mut column in centred.column_iter_mut() {
        let mean = column.mean();
        column.add_scalar_mut(-mean);
    }
    centred
}

fn gap(embedding: &DMatrix<f64>, ((i, j), (m, n)): (Pair, Pair), column: usize) -> f64 {
    let at = |token| embedding[(token, column)];
    at(i) + at(j) - at(m) - at(n)
}

#[cfg(test)]
mod tests {
    use super::super::pairs::{parallelograms, shuffled};
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    fn drawn() -> (Vec<(Pair, Pair)>, DMatrix<f64>) {
        let mut stream = Stream::new(4, Purpose::Theory, 0);
        let pairs = shuffled(7, &mut stream)[..20].to_vec();
        (parallelograms(&pairs), DMatrix::from_fn(7, 3, |_, _| stream.normal()))
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let (known, embedding) = drawn();
        let slope = gradient(&known, &embedding);
        for at in 0..embedding.len() {
            let moved = |by: f64| {
                let mut moved = embedding.clone();
                moved[at] += by;
                effective_loss(&known, &moved)
            };
            let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((difference - slope[at]).abs() < 1e-9, "{at}: {difference} {}", slope[at]);
        }
    }

    #[test]
    fn the_gradient_leaves_size_alone_and_the_sum_of_a_centred_embedding() {
        let (known, embedding) = drawn();
        assert!(gradient(&known, &embedding).dot(&embedding).abs() < 1e-12);
        let sums = |embedding: &DMatrix<f64>| gradient(&known, embedding).row_sum().amax();
        assert!(sums(&centred(&embedding)) < 1e-12);
        assert!(sums(&embedding) > 1e-4, "the sum of one off centre is not kept");
    }

    #[test]
    fn a_line_costs_nothing_and_a_scaled_embedding_the_same() {
        let (known, embedding) = drawn();
        assert!(misfit(&known, &DMatrix::from_fn(7, 2, |token, column| 0.3 * token as f64 - column as f64)) < 1e-24);
        assert!((effective_loss(&known, &(&embedding * 3.0)) - effective_loss(&known, &embedding)).abs() < 1e-12);
    }
}
