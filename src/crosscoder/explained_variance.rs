//! The one definition of explained variance.
//!
//! Published code has it about zero instead of the mean, as a mean of ratios, and between scaled and unscaled tensors; the
//! three differ by more than the effects that are read off it. Here it is a ratio of sums of squared deviations, in raw units.

/// Explained variance 1 − Σ‖x − x̂‖² / Σ‖x − x̄‖² over all rows, x̄ their mean.
///
/// `x` and `x_hat` are `[rows, width]` in the same units; one scalar for both does not change the result. Perfect is 1,
/// predicting the mean is 0, worse is negative; rows that do not vary give 0.
pub fn explained_variance(x: &[f32], x_hat: &[f32], width: usize) -> f64 {
    let residual = x.iter().zip(x_hat).map(|(&a, &b)| (f64::from(a) - f64::from(b)) * (f64::from(a) - f64::from(b))).sum();
    explained_share(residual, total_variation(x, width))
}

/// Σ‖x − x̄‖² of `x` `[rows, width]`.
pub(super) fn total_variation(x: &[f32], width: usize) -> f64 {
    let rows = x.len() as f64 / width as f64;
    let mut mean = vec![0.0f64; width];
    for row in x.chunks_exact(width) {
        mean.iter_mut().zip(row).for_each(|(sum, &v)| *sum += f64::from(v) / rows);
    }
    let deviation = |(&v, m): (&f32, &f64)| (f64::from(v) - m) * (f64::from(v) - m);
    x.chunks_exact(width).map(|row| row.iter().zip(&mean).map(deviation).sum::<f64>()).sum()
}

/// 1 − `residual` / `total`, both sums of squares over the same rows.
pub(super) fn explained_share(residual: f64, total: f64) -> f64 {
    if total > 0.0 { 1.0 - residual / total } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    const WIDTH: usize = 6;

    fn data() -> Vec<f32> {
        Stream::new(9, Purpose::Planted, 0).normals(50 * WIDTH, 1.0)
    }

    fn map(values: &[f32], f: impl Fn(f32) -> f32) -> Vec<f32> {
        values.iter().map(|&v| f(v)).collect()
    }

    #[test]
    fn perfect_is_one_and_the_mean_is_zero() {
        let x = data();
        assert!((explained_variance(&x, &x, WIDTH) - 1.0).abs() < 1e-12);
        let mean: Vec<f32> = (0..WIDTH).map(|c| x.iter().skip(c).step_by(WIDTH).sum::<f32>() / 50.0).collect();
        assert!(explained_variance(&x, &mean.repeat(50), WIDTH).abs() < 1e-6);
    }

    #[test]
    fn half_the_deviation_explains_three_quarters() {
        // Closed form: x̂ = x/2 with mean 0 leaves Σ‖x/2‖² = ¼Σ‖x‖².
        let x = [1.0, -1.0, 2.0, -2.0];
        assert!((explained_variance(&x, &[0.5, -0.5, 1.0, -1.0], 1) - 0.75).abs() < 1e-12);
    }

    #[test]
    fn a_constant_added_to_both_changes_nothing() {
        let x = data();
        let x_hat = map(&x, |v| v * 0.75);
        let plain = explained_variance(&x, &x_hat, WIDTH);
        let moved = explained_variance(&map(&x, |v| v + 64.0), &map(&x_hat, |v| v + 64.0), WIDTH);
        assert!((plain - moved).abs() < 1e-5, "{plain} {moved}");
    }

    #[test]
    fn a_scale_common_to_both_changes_nothing() {
        let x = data();
        let plain = explained_variance(&x, &map(&x, |v| v * 0.5), WIDTH);
        assert!((plain - explained_variance(&map(&x, |v| v * 8.0), &map(&x, |v| v * 4.0), WIDTH)).abs() < 1e-12);
    }

    #[test]
    fn rows_that_do_not_vary_have_nothing_to_explain() {
        assert!(explained_variance(&[2.0; 12], &[1.0; 12], WIDTH).abs() < 1e-12);
    }
}
