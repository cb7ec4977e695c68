//! Directions of all latents in a plane: their decoder vectors along the two principal axes.
//!
//! A ring or clusters among the directions cannot be read off a table of cosines. Vectors have length one, because otherwise the
//! strongest latents would make the axes; each is taken at its home, the source of its largest norm, where its direction is known
//! best. UMAP was rejected: its picture depends on a seed, and its distances mean nothing.

use crate::crosscoder::{CrosscoderResult, LatentClass};
use crate::measure::principal;
use crate::record::{UserError, Weights};
use nalgebra::{DMatrix, SymmetricEigen};

/// Latents in the plane of their first two principal components.
#[derive(Debug, Clone, PartialEq)]
pub struct DecoderMap {
    /// Indices of the latents: those that fire and have a direction.
    pub latents: Vec<u32>,
    /// Where each stands.
    pub points: Vec<(f64, f64)>,
    /// Shares of the variance that the two axes hold.
    pub shares: [f64; 2],
}

/// The map of a fit's living latents. Costs the cube of the smaller of width and latents.
///
/// # Errors
/// If the fit was kept without its weights, or they are not of its shape.
pub fn decoder_map(fit: &CrosscoderResult) -> Result<DecoderMap, UserError> {
    let missing = || UserError::new("The fit was kept without its decoder", "Fit it again, or export all files");
    if fit.weights.is_empty() {
        return Err(missing());
    }
    let weights = Weights::from_safetensors(&fit.weights)?;
    let decoder = weights.get("decoder.weight").ok_or_else(missing)?;
    let [sources, count, width] = decoder.shape[..] else { return Err(missing()) };
    if (sources, count) != (fit.sources.len(), fit.latents.len()) || decoder.values.len() != sources * count * width {
        return Err(missing());
    }
    let (mut latents, mut vectors) = (Vec::new(), Vec::new());
    for latent in fit.latents.iter().filter(|latent| latent.class != LatentClass::Dead) {
        let vector = &decoder.values[(latent.home() * count + latent.index as usize) * width..][..width];
        let norm = vector.iter().map(|d| f64::from(*d) * f64::from(*d)).sum::<f64>().sqrt();
        if norm > 0.0 && norm.is_finite() {
            latents.push(latent.index);
            vectors.extend(vector.iter().map(|d| f64::from(*d) / norm));
        }
    }
    let (points, shares) = plane(&vectors, latents.len(), width);
    Ok(DecoderMap { latents, points, shares })
}

/// `vectors` `[points, width]` along their first two principal axes, and the shares of the variance there.
fn plane(vectors: &[f64], points: usize, width: usize) -> (Vec<(f64, f64)>, [f64; 2]) {
    let (flat, shares) =
        if points <= width { principal(vectors, points, width, 2) } else { by_covariance(vectors, points, width) };
    let placed = flat.chunks_exact(2).map(|point| (point[0], point[1])).collect();
    (placed, [0, 1].map(|axis| shares.get(axis).copied().unwrap_or(0.0)))
}

/// The same as [`principal`] for two axes, through the covariance of the columns, which is the smaller matrix where there are more
/// points than columns.
fn by_covariance(vectors: &[f64], points: usize, width: usize) -> (Vec<f64>, Vec<f64>) {
    let data = DMatrix::from_row_slice(points, width, vectors);
    let means = data.row_mean();
    let centred = DMatrix::from_fn(points, width, |row, column| data[(row, column)] - means[column]);
    let eigen = SymmetricEigen::new(centred.tr_mul(&centred));
    let mut order: Vec<usize> = (0..width).collect();
    order.sort_by(|x, y| eigen.eigenvalues[*y].total_cmp(&eigen.eigenvalues[*x]));
    let total: f64 = eigen.eigenvalues.iter().map(|value| value.max(0.0)).sum();
    let (mut found, mut shares) = (vec![0.0; points * 2], Vec::new());
    for (axis, index) in order.into_iter().take(2).enumerate() {
        let along = &centred * eigen.eigenvectors.column(index);
        let largest = along.iter().copied().fold(0.0, |most: f64, x| if x.abs() > most.abs() + 1e-12 { x } else { most });
        let sign = if largest < 0.0 { -1.0 } else { 1.0 };
        along.iter().enumerate().for_each(|(point, x)| found[point * 2 + axis] = sign * x);
        shares.push(if total > 0.0 { eigen.eigenvalues[index].max(0.0) / total } else { 0.0 });
    }
    (found, shares)
}

#[cfg(test)]
mod tests {
    use super::super::super::test_fits::{fit, latent};
    use super::*;
    use crate::record::NamedTensor;
    use LatentClass::{Dead, Stable};

    fn with(norms: &[&[f32]], decoder: Vec<f32>, width: usize) -> CrosscoderResult {
        let sources = norms[0].len();
        let tensor = NamedTensor { name: "decoder.weight".into(), shape: vec![sources, norms.len(), width], values: decoder };
        let steps: Vec<u32> = (0..sources as u32).collect();
        let bare = fit(&steps, norms.iter().map(|norms| latent(Stable, norms)).collect());
        CrosscoderResult { weights: Weights { tensors: vec![tensor] }.to_safetensors(None).unwrap(), ..bare }
    }

    #[test]
    fn directions_of_a_plane_keep_their_distances_whatever_their_lengths() {
        // Six directions in a plane of three dimensions, of different lengths: closed form cos and sin.
        let angle = |index: usize| index as f64 * std::f64::consts::TAU / 6.0;
        let vectors: Vec<f32> = (0..6)
            .flat_map(|index| {
                let length = 1.0 + index as f64;
                [0.0, length * angle(index).cos(), length * angle(index).sin()].map(|x| x as f32)
            })
            .collect();
        let map = decoder_map(&with(&[&[1.0][..]; 6], vectors, 3)).unwrap();
        assert!((map.shares[0] - 0.5).abs() < 1e-6 && (map.shares[1] - 0.5).abs() < 1e-6, "{:?}", map.shares);
        for (i, p) in map.points.iter().enumerate() {
            for (j, q) in map.points.iter().enumerate() {
                let expected = 2.0 * ((angle(i) - angle(j)) / 2.0).sin().abs();
                assert!(((p.0 - q.0).hypot(p.1 - q.1) - expected).abs() < 1e-5, "{i} {j}");
            }
        }
    }

    #[test]
    fn both_ways_to_the_principal_axes_agree() {
        let vectors: Vec<f64> = (0..40).map(|at| f64::from(at * at % 17) - f64::from(at * 7 % 5)).collect();
        let (by_columns, shares) = by_covariance(&vectors, 10, 4);
        let (by_points, expected) = principal(&vectors, 10, 4, 2);
        assert!(by_columns.iter().zip(&by_points).all(|(x, y)| (x - y).abs() < 1e-8), "{by_columns:?} {by_points:?}");
        assert!(shares.iter().zip(&expected).all(|(x, y)| (x - y).abs() < 1e-10));
    }

    #[test]
    fn a_latent_is_read_at_the_source_of_its_largest_norm_and_the_silent_are_left_out() {
        // Latent 0 lives in the second source, where it points along y; latent 1 in the first, along x; latent 2 is dead.
        let decoder = vec![0.1, 0.0, 4.0, 0.0, 9.0, 9.0, 0.0, 2.0, 0.0, 0.1, 9.0, 9.0];
        let mut found = with(&[&[0.1, 2.0], &[4.0, 0.1], &[1.0, 1.0]], decoder, 2);
        found.latents[2].class = Dead;
        let map = decoder_map(&found).unwrap();
        assert_eq!(map.latents, [0, 1]);
        let apart = (map.points[0].0 - map.points[1].0).hypot(map.points[0].1 - map.points[1].1);
        assert!((apart - 2f64.sqrt()).abs() < 1e-6, "{:?}", map.points);
        found.weights.clear();
        assert!(decoder_map(&found).unwrap_err().cause.contains("without its decoder"));
    }
}
