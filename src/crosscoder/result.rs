//! What a crosscoder fit found: plain numbers that the page draws, the archive stores and the command line prints.

use super::config::CrosscoderConfig;
use crate::measure::EtaSquared;
use serde::{Deserialize, Serialize};

/// One row of the live curves, measured on held-out inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FitRow {
    /// Updates made.
    pub step: u32,
    /// Training objective of the last batch.
    pub loss: f32,
    /// Mean number of active latents per held-out input.
    pub l0: f32,
    /// Share of latents that fire on no held-out input.
    pub dead_share: f32,
    /// Explained variance per source: 1 − Σ‖x−x̂‖²/Σ‖x−x̄‖², sums over all held-out inputs, in raw units.
    pub explained_variance: Vec<f32>,
}

/// A source as the fit saw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceInfo {
    /// The checkpoint's step.
    pub step: u32,
    /// Activation width d.
    pub width: u32,
    /// Scale applied after centring: √d / mean‖x − x̄‖.
    pub scale: f32,
    /// γ = ‖mean‖ / ‖standard deviation‖ of the raw activations.
    pub gamma: f32,
}

/// What became of a latent over the sources, by relative decoder norm r (largest = 1, raw units).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LatentClass {
    /// r ≥ .5 in every source.
    Shared,
    /// r < .3 in the first source, r > .7 in the last.
    Emergent,
    /// r > .7 in the first source, r < .3 in the last.
    Vanished,
    /// None of the others.
    Unclear,
    /// Fires on no input of the grid.
    Dead,
}

/// One latent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latent {
    /// Index in the dictionary.
    pub index: u32,
    /// Decoder norm per source, raw activation units.
    pub norms: Vec<f32>,
    /// `norms` divided by their largest.
    pub relative: Vec<f32>,
    /// Its class.
    pub class: LatentClass,
    /// Latent Scaling ν_ε per source against the source with the largest norm (Minder et al. 2025); `None` where undefined.
    pub nu_epsilon: Vec<Option<f32>>,
    /// Emergent (vanished) and ν_ε of the first (last) source < .2: the absence is real, not shrinkage.
    pub confirmed: bool,
    /// Share of the grid's inputs on which it fires.
    pub density: f32,
    /// Density on the model's training rows.
    pub density_train: f32,
    /// Density on the model's test rows.
    pub density_test: f32,
    /// η² over a, b, a+b, a−b.
    pub eta_squared: EtaSquared,
}

/// Everything a fit returns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrosscoderResult {
    /// What was asked, with sources resolved.
    pub config: CrosscoderConfig,
    /// The sources.
    pub sources: Vec<SourceInfo>,
    /// Live curves.
    pub curves: Vec<FitRow>,
    /// Held-out explained variance per source.
    pub explained_variance: Vec<f32>,
    /// Mean active latents per held-out input.
    pub l0: f32,
    /// 5th and 95th percentile of active latents per held-out input.
    pub l0_quantiles: [f32; 2],
    /// Latents that fire somewhere on the grid.
    pub alive: u32,
    /// Counts by class.
    pub shared: u32,
    /// Latents absent at first, present at the end.
    pub emergent: u32,
    /// Emergent ones confirmed by ν_ε < .2.
    pub emergent_confirmed: u32,
    /// Latents present at first, absent at the end.
    pub vanished: u32,
    /// Share of the last source's decoder energy Σ ⟨f²⟩·‖D‖² in latents whose η² over the task's label (a + b for addition) is
    /// above .8.
    pub residue_energy_share: f32,
    /// Every latent, dead ones included.
    pub latents: Vec<Latent>,
    /// Seconds of wall time.
    pub wall_seconds: f64,
    /// Activations `[latents, rows]`, row-major, rows in the order of `task::Dataset::rows`.
    #[serde(skip)]
    pub activations: Vec<f32>,
    /// Encoder and decoder as safetensors: `encoder.weight [S, d, m]`, `encoder.bias [m]`, `decoder.weight [S, m, d]`,
    /// `decoder.bias [S, d]`, `activation_mean [S, d]`, `activation_scale [S]`, `threshold [1]`.
    #[serde(skip)]
    pub weights: Vec<u8>,
}
