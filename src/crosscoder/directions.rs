//! Does a latent keep its direction from source to source?
//!
//! Norms alone call a latent shared that reads one thing early and another late. Cosines are of decoder vectors in raw units;
//! one of a vector that is almost zero would be that of its rounding, so it is left out.

/// A cosine is reported where both norms are at least this share of the latent's largest.
pub const COSINE_FROM: f32 = 1e-3;

/// Cosines of a latent's decoder vectors between all sources, `[S, S]` row-major: `vectors` `[S]` of `[d]` in raw units, `norms`
/// `[S]` theirs. `None` where a norm is below [`COSINE_FROM`] of the largest, or all are zero.
pub(super) fn cosines(vectors: &[&[f32]], norms: &[f32]) -> Vec<Option<f32>> {
    let largest = norms.iter().copied().fold(0.0, f32::max);
    let has_direction = |norm: f32| norm > 0.0 && norm >= COSINE_FROM * largest;
    let mut all = Vec::with_capacity(vectors.len() * vectors.len());
    for (x, &x_norm) in vectors.iter().zip(norms) {
        for (y, &y_norm) in vectors.iter().zip(norms) {
            all.push((has_direction(x_norm) && has_direction(y_norm)).then(|| cosine(x, y)));
        }
    }
    all
}

/// Cosine of two vectors that are not zero.
pub(super) fn cosine(x: &[f32], y: &[f32]) -> f32 {
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    (dot(x, y) / (dot(x, x) * dot(y, y)).sqrt()).clamp(-1.0, 1.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosines_have_their_closed_form_and_need_a_norm() {
        let vectors: [&[f32]; 4] = [&[2.0, 0.0], &[3.0, 3.0], &[0.0, -1.0], &[0.0, 0.0042]];
        let norms = [2.0, 18f32.sqrt(), 1.0, 0.0042];
        let found = cosines(&vectors, &norms);
        let half = 0.5f32.sqrt();
        // .0042 is below a thousandth of √18 = 4.243.
        let expected = [
            1.0,
            half,
            0.0,
            f32::NAN,
            half,
            1.0,
            -half,
            f32::NAN,
            0.0,
            -half,
            1.0,
            f32::NAN,
            f32::NAN,
            f32::NAN,
            f32::NAN,
            f32::NAN,
        ];
        for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!(found.map_or(expected.is_nan(), |cosine| (cosine - expected).abs() < 1e-6), "{place}: {found:?} {expected}");
        }
        assert!(cosines(&[&[0.0, 0.0], &[0.0, 0.0]], &[0.0, 0.0]).iter().all(Option::is_none));
    }

    #[test]
    fn a_norm_of_a_thousandth_still_has_a_direction() {
        let vectors: [&[f32]; 2] = [&[1.0, 0.0], &[0.0, 0.001]];
        assert_eq!(cosines(&vectors, &[1.0, 0.001])[1], Some(0.0));
    }
}
