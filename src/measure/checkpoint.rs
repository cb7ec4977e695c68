//! The measures that every checkpoint gets, as columns of the run's record.
//!
//! They are taken from stored weights, not during training, so that a new measure can be computed for an old run and never
//! changes one.

use super::fourier::spectrum;
use crate::experiment::Experiment;
use crate::record::{UserError, Weights};
use serde::{Deserialize, Serialize};

/// A key frequency has at least this many times the share that it would have if all were equal.
///
/// Relative to the flat spectrum, so that one rule serves every p: at a Gaussian start with width ≥ 64 no frequency reaches
/// 1.6 times. Rejected: a fixed number of top frequencies, which would name some in pure noise.
pub const KEY_SHARE_OVER_UNIFORM: f64 = 2.0;

/// What was measured in the weights of one checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointMeasures {
    /// Updates made.
    pub step: u32,
    /// L2 norm over all parameters.
    pub weight_norm: f32,
    /// Mean inverse participation ratio of the input weights; see [`super::Spectrum::mean_ipr`].
    pub mean_ipr: f32,
    /// Gini coefficient of `spectrum`.
    pub gini: f32,
    /// Energy share of frequency k = 1, 2, … in the input weights; sums to 1. See [`super::spectrum`].
    pub spectrum: Vec<f32>,
    /// Frequencies with at least [`KEY_SHARE_OVER_UNIFORM`] times the uniform share, largest share first. Empty when the
    /// spectrum is flat, as at the start, or when a wide network uses every frequency alike.
    pub key_frequencies: Vec<u32>,
}

/// Measures the weights after `step` updates of `experiment`.
///
/// # Errors
/// Those of [`super::spectrum`]: weights of another experiment, or multiplication modulo a composite number.
pub fn measure_checkpoint(step: u32, weights: &Weights, experiment: &Experiment) -> Result<CheckpointMeasures, UserError> {
    let spectrum = spectrum(weights, experiment)?;
    Ok(CheckpointMeasures {
        step,
        weight_norm: weights.norm() as f32,
        mean_ipr: spectrum.mean_ipr as f32,
        gini: spectrum.gini as f32,
        key_frequencies: key_frequencies(&spectrum.frequencies),
        spectrum: spectrum.frequencies.iter().map(|&share| share as f32).collect(),
    })
}

/// Frequencies (k = index + 1) whose share is at least [`KEY_SHARE_OVER_UNIFORM`] times the uniform one, largest first.
pub fn key_frequencies(shares: &[f64]) -> Vec<u32> {
    let threshold = KEY_SHARE_OVER_UNIFORM / shares.len() as f64;
    let mut keys: Vec<(u32, f64)> = (1..).zip(shares.iter().copied()).filter(|(_, share)| *share >= threshold).collect();
    keys.sort_by(|x, y| y.1.total_cmp(&x.1));
    keys.into_iter().map(|(k, _)| k).collect()
}
