//! How alike are the activations of two checkpoints?
//!
//! Steps say little about change: a network may stand still for a thousand and turn over in fifty. Sources that are all alike, or
//! all different, make a dull fit. Linear centred kernel alignment (Kornblith et al. 2019) compares what inputs are alike to each
//! network; it knows nothing of the basis, so it also compares runs. Rejected: the mean cosine of activations, which a common
//! offset brings near 1.

use super::source::Source;

/// At most so many inputs are used, evenly spaced: the estimate is good long before, and the cost grows with them.
const MOST_ROWS: usize = 1024;

/// Linear CKA of each pair of sources, `[S, S]` row-major, in 0..=1: ‖X̃ᵀỸ‖² / (‖X̃ᵀX̃‖·‖ỸᵀỸ‖) with columns centred. NaN where a
/// source does not vary. Costs S²/2·rows·d² operations.
pub fn similarity(sources: &[Source]) -> Vec<f32> {
    let centred: Vec<Vec<f32>> = sources.iter().map(centred).collect();
    let cross = |s: usize, t: usize| square_of_product(&centred[s], sources[s].width, &centred[t], sources[t].width);
    let own: Vec<f64> = (0..sources.len()).map(|s| libm::sqrt(cross(s, s))).collect();
    let mut all = vec![1f32; sources.len() * sources.len()];
    for s in 0..sources.len() {
        for t in 0..s {
            let value = (cross(s, t) / (own[s] * own[t])) as f32;
            (all[s * sources.len() + t], all[t * sources.len() + s]) = (value, value);
        }
        if own[s] <= 0.0 {
            all[s * sources.len() + s] = f32::NAN;
        }
    }
    all
}

/// Every n-th row, columns centred.
fn centred(source: &Source) -> Vec<f32> {
    let width = source.width.max(1);
    let every = (source.values.len() / width).div_ceil(MOST_ROWS).max(1);
    let mut rows: Vec<f32> = source.values.chunks_exact(width).step_by(every).flatten().copied().collect();
    let count = (rows.len() / width).max(1) as f64;
    for column in 0..width {
        let mean = (rows.iter().skip(column).step_by(width).map(|v| f64::from(*v)).sum::<f64>() / count) as f32;
        rows.iter_mut().skip(column).step_by(width).for_each(|v| *v -= mean);
    }
    rows
}

/// ‖XᵀY‖² for `x` `[rows, dx]` and `y` `[rows, dy]`.
fn square_of_product(x: &[f32], dx: usize, y: &[f32], dy: usize) -> f64 {
    let mut product = vec![0f32; dx * dy];
    for (x, y) in x.chunks_exact(dx).zip(y.chunks_exact(dy)) {
        for (line, &x) in product.chunks_exact_mut(dy).zip(x) {
            line.iter_mut().zip(y).for_each(|(sum, &y)| *sum += x * y);
        }
    }
    product.iter().map(|v| f64::from(*v) * f64::from(*v)).sum()
}

#[cfg(test)]
mod tests {
    use super::super::source::Place;
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    fn source(width: usize, values: Vec<f32>) -> Source {
        Source { step: 0, width, values, place: Place::default() }
    }

    #[test]
    fn turning_scaling_and_shifting_changes_nothing_and_independence_is_near_zero() {
        let x = Stream::new(1, Purpose::Planted, 0).normals(2000 * 2, 1.0);
        // Turned by 37°, scaled by 3, shifted.
        let (sine, cosine) = 0.6458f32.sin_cos();
        let turned = x.chunks(2).flat_map(|v| [3.0 * (cosine * v[0] - sine * v[1]) + 7.0, 3.0 * (sine * v[0] + cosine * v[1])]);
        let other = Stream::new(2, Purpose::Planted, 0).normals(2000 * 3, 1.0);
        let found = similarity(&[source(2, x.clone()), source(2, turned.collect()), source(3, other)]);
        assert!((found[1] - 1.0).abs() < 1e-4, "{found:?}");
        assert!(found[2] < 0.02 && found[5] < 0.02, "{found:?}");
        assert_eq!((found[1], found[2]), (found[3], found[6]), "symmetric");
    }

    #[test]
    fn half_of_the_directions_have_the_closed_form() {
        // X has two orthogonal unit columns, Y only the first: ‖XᵀY‖² = n², ‖XᵀX‖ = √2·n, ‖YᵀY‖ = n.
        let x = [1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0, -1.0];
        let y = [1.0, 1.0, -1.0, -1.0];
        let found = similarity(&[source(2, x.to_vec()), source(1, y.to_vec())]);
        assert!((f64::from(found[1]) - 0.5f64.sqrt()).abs() < 1e-6, "{found:?}");
        assert!(similarity(&[source(1, vec![2.0; 4]), source(1, y.to_vec())])[1].is_nan());
    }
}
