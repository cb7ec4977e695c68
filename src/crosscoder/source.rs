//! Activations of one checkpoint, and the scaling under which a fit sees them.
//!
//! Without centring, one constant direction outweighs everything and latents die at the start; without a common scale the
//! checkpoint with the largest activations owns the loss. One scalar per source, not one per coordinate, keeps directions as
//! they are. Everything reported is in raw units again: [`Prepared::raw_decoder`] and [`Prepared::raw_bias`] undo the scaling.

use super::result::SourceInfo;
use crate::record::UserError;

/// Activations of one checkpoint at one hook.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The checkpoint's step.
    pub step: u32,
    /// Activation width d.
    pub width: usize,
    /// Raw activations `[rows, width]`.
    pub values: Vec<f32>,
    /// Which network and hook they are of, beside the step.
    pub place: Place,
}

/// Where a source stands beside its step. Sources of one place are a network in time; only among them has a latent a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Which run, from 0.
    pub run: u32,
    /// Which of the hooks that are read, in the order of a forward pass, from 0.
    pub layer: u32,
}

/// A source as the fit sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// Mean over rows of the raw activations, `[width]`.
    pub mean: Vec<f32>,
    /// √d / mean‖x − x̄‖: `values` has mean norm √d.
    pub scale: f32,
    /// γ = ‖mean‖ / ‖standard deviation‖ of the raw activations.
    pub gamma: f32,
    /// (x − mean)·scale, `[rows, width]`.
    pub values: Vec<f32>,
}

impl Prepared {
    /// What is reported about the source.
    pub fn info(&self, step: u32) -> SourceInfo {
        SourceInfo { step, width: self.mean.len() as u32, scale: self.scale, gamma: self.gamma, hook: None, run: None }
    }

    /// A fitted decoder `[latents, width]` in raw activation units.
    pub fn raw_decoder(&self, fitted: &[f32]) -> Vec<f32> {
        fitted.iter().map(|value| value / self.scale).collect()
    }

    /// A fitted decoder bias `[width]` in raw activation units, mean added back.
    pub fn raw_bias(&self, fitted: &[f32]) -> Vec<f32> {
        fitted.iter().zip(&self.mean).map(|(value, mean)| value / self.scale + mean).collect()
    }
}

/// Centres a source and scales it to mean norm √d.
///
/// # Errors
/// If the activations are not finite, or are the same for every input.
pub fn prepare(source: &Source) -> Result<Prepared, UserError> {
    let width = source.width;
    let rows = source.values.len() as f64 / width as f64;
    let mut mean = vec![0.0f64; width];
    for row in source.values.chunks_exact(width) {
        mean.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    mean.iter_mut().for_each(|sum| *sum /= rows);
    let squared_norm = |row: &[f32]| row.iter().zip(&mean).map(|(&x, m)| (f64::from(x) - m) * (f64::from(x) - m)).sum::<f64>();
    let (mut norms, mut squares) = (0.0, 0.0);
    for row in source.values.chunks_exact(width) {
        let square = squared_norm(row);
        norms += square.sqrt();
        squares += square;
    }
    let scale = (width as f64).sqrt() / (norms / rows);
    let size = mean.iter().map(|m| m * m).sum::<f64>().sqrt();
    let deviation = (squares / rows).sqrt();
    let other_step = "Choose another checkpoint as a source";
    if !deviation.is_finite() {
        return Err(UserError::new(format!("The activations at step {} are not finite", source.step), other_step));
    }
    // f32 activations cannot carry differences below 1e-7 of their size.
    if deviation <= 1e-7 * size || !(scale as f32).is_finite() {
        return Err(UserError::new(format!("The activations at step {} are the same for every input", source.step), other_step));
    }
    let values = source
        .values
        .chunks_exact(width)
        .flat_map(|row| row.iter().zip(&mean).map(|(&x, m)| ((f64::from(x) - m) * scale) as f32))
        .collect();
    Ok(Prepared { mean: mean.iter().map(|&m| m as f32).collect(), scale: scale as f32, gamma: (size / deviation) as f32, values })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    fn noisy(offset: f32) -> Source {
        let values = Stream::new(5, Purpose::Planted, 0).normals(200 * 8, 0.3).into_iter().map(|x| x + offset).collect();
        Source { step: 40, width: 8, values, place: Place::default() }
    }

    #[test]
    fn prepared_activations_are_centred_with_mean_norm_root_d() {
        let prepared = prepare(&noisy(5.0)).unwrap();
        for column in 0..8 {
            let mean: f32 = prepared.values.iter().skip(column).step_by(8).sum::<f32>() / 200.0;
            assert!(mean.abs() < 1e-5);
        }
        let norm = |row: &[f32]| row.iter().map(|x| x * x).sum::<f32>().sqrt();
        let mean_norm = prepared.values.chunks_exact(8).map(norm).sum::<f32>() / 200.0;
        assert!((mean_norm - 8f32.sqrt()).abs() < 1e-4);
        // ‖mean‖ = 5√8, ‖σ‖ = .3√8.
        assert!((prepared.gamma - 5.0 / 0.3).abs() < 0.5, "{}", prepared.gamma);
    }

    #[test]
    fn raw_units_come_back() {
        let source = noisy(2.0);
        let prepared = prepare(&source).unwrap();
        // The first prepared row as a bias must decode to the first raw row.
        let raw = prepared.raw_bias(&prepared.values[..8]);
        assert!(raw.iter().zip(&source.values).all(|(a, b)| (a - b).abs() < 1e-5));
        assert!((prepared.raw_decoder(&[prepared.scale])[0] - 1.0).abs() < 1e-6);
    }

    #[test]
    fn constant_or_broken_activations_are_refused() {
        let constant = Source { step: 7, width: 2, values: [0.3, 4.1].repeat(50), place: Place::default() };
        assert!(prepare(&constant).unwrap_err().cause.contains("step 7"));
        let broken = Source { step: 7, width: 2, values: vec![f32::NAN; 8], place: Place::default() };
        assert!(prepare(&broken).unwrap_err().cause.contains("not finite"));
    }
}
