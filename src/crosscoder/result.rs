//! What a crosscoder fit found: plain numbers that the page draws, the archive stores and the command line prints.

use super::absence::Absence;
use super::baseline::FrontierPoint;
use super::causal::CausalResult;
use super::config::{CrosscoderConfig, Hook};
use super::grid_descriptors::GridDescriptors;
use super::group_descriptors::GroupDescriptors;
use super::origin::Origin;
use super::twins::Twins;
use crate::measure::EtaSquared;
use safetensors::{Dtype, SafeTensors};
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
    /// Where it is read, in fits that read several hooks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<Hook>,
    /// Which run it is of, in fits over several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

impl SourceInfo {
    /// What the fit's own run is called in fits over several.
    pub const OWN_RUN: &str = "this run";

    /// Whether it is of the fit's own run, whose networks are at hand.
    pub fn is_own(&self) -> bool {
        self.run.as_deref().is_none_or(|run| run == Self::OWN_RUN)
    }

    /// What tells it from the fit's other sources: the step, and the hook and the run where there are several.
    pub fn label(&self) -> String {
        let hook = self.hook.map(Hook::name);
        [Some(self.step.to_string().as_str()), hook, self.run.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// What became of a latent over the sources, by relative decoder norm r (largest = 1, raw units). A latent is absent from the
/// first or last source below .3 and present above .7; in between it is present from .5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LatentClass {
    /// r ≥ .5 in every source, and decoder vectors have a cosine of at least .8 from each source to the next.
    // Results written before rotated latents were told apart say `shared`.
    #[serde(alias = "shared")]
    Stable,
    /// r ≥ .5 in every source, and some cosine from one source to the next is below .5.
    Rotated,
    /// Absent at first, present at the end, and never below .5 once there.
    Emergent,
    /// Present at first, absent at the end, and never back at .5 once below.
    Vanished,
    /// Absent at first and at the end, present once in between.
    Transient,
    /// Back (r ≥ .5) after an absence that followed an earlier presence.
    Recurrent,
    /// None of the others.
    #[default]
    Unclear,
    /// Fires on no input of the grid.
    Dead,
}

impl LatentClass {
    /// All, those with the plainest lives first.
    pub const ALL: [Self; 8] = [
        Self::Emergent,
        Self::Stable,
        Self::Rotated,
        Self::Recurrent,
        Self::Transient,
        Self::Unclear,
        Self::Vanished,
        Self::Dead,
    ];

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Rotated => "rotated",
            Self::Emergent => "emergent",
            Self::Vanished => "vanished",
            Self::Transient => "transient",
            Self::Recurrent => "recurrent",
            Self::Unclear => "unclear",
            Self::Dead => "dead",
        }
    }
}

/// One latent. Fields with a default are missing in results of earlier versions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Latent {
    /// Index in the dictionary.
    pub index: u32,
    /// Decoder norm per source, raw activation units; where each source has codes of its own, times the root of the share of the
    /// latent's energy that the source lets through.
    pub norms: Vec<f32>,
    /// `norms` divided by their largest. In fits of several hooks or runs: by the largest of the same hook and run, times that
    /// place's largest share of the mean activation norm relative to the largest of all places.
    pub relative: Vec<f32>,
    /// Its class.
    pub class: LatentClass,
    /// Index of the source with which its last stay (r ≥ .5 without a break) begins; `None` if it was there from the first on.
    #[serde(default)]
    pub birth: Option<u32>,
    /// Index of the last source of its last stay; `None` if it is there at the end.
    #[serde(default)]
    pub death: Option<u32>,
    /// Share of the sources in which r ≥ .5.
    #[serde(default)]
    pub lifespan: f32,
    /// Index of the source whose r exceeds the one before by the most; `None` if it never grows.
    #[serde(default)]
    pub largest_rise: Option<u32>,
    /// Cosines of its decoder vectors between sources, `[S, S]` row-major, raw units; `None` where a norm is below a thousandth of
    /// the largest. See [`Latent::adjacent_cosines`].
    #[serde(default)]
    pub cosines: Vec<Option<f32>>,
    /// Latent Scaling ν_ε per source against the source with the largest norm (Minder et al. 2025); `None` where undefined.
    pub nu_epsilon: Vec<Option<f32>>,
    /// Latent Scaling ν_r per source, likewise: how much other latents carry of it.
    #[serde(default)]
    pub nu_r: Vec<Option<f32>>,
    /// The verdict on each source in which it is called absent (r < .3); `None` in the others.
    #[serde(default)]
    pub absences: Vec<Option<Absence>>,
    /// Emergent (vanished) and ν_ε of the first (last) source < .2: the absence is real, not shrinkage. Says nothing of ν_r, as
    /// [`Latent::absences`] does.
    pub confirmed: bool,
    /// Share of the grid's inputs on which it fires.
    pub density: f32,
    /// Density on the model's training rows.
    pub density_train: f32,
    /// Density on the model's test rows.
    pub density_test: f32,
    /// Train selectivity (ρ_train − ρ_test) / (ρ_train + ρ_test) of the two densities, in −1..=1; `None` if both are 0.
    #[serde(default)]
    pub train_selectivity: Option<f32>,
    /// η² over a, b, a+b, a−b.
    pub eta_squared: EtaSquared,
    /// Waves and residue bump, where the answer is a sum or difference of residues over all p² pairs; `None` for constants.
    #[serde(default)]
    pub grid: Option<GridDescriptors>,
    /// Representations of the answer, where it is a product in a group other than the residues; `None` for constants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupDescriptors>,
}

impl Latent {
    /// Cosine of its decoder vectors from each source to the next, `[S − 1]`; empty in results of earlier versions.
    pub fn adjacent_cosines(&self) -> Vec<Option<f32>> {
        let sources = self.cosines.len().isqrt();
        (1..sources).map(|source| self.cosines[(source - 1) * sources + source]).collect()
    }

    /// Index of the source in which it is strongest, by relative norm, the first of equals.
    pub fn home(&self) -> usize {
        home(&self.relative)
    }
}

/// Index of the largest of `relative` norms, the first of equals.
pub(super) fn home(relative: &[f32]) -> usize {
    (0..relative.len()).fold(0, |best, s| if relative[s] > relative[best] { s } else { best })
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
    /// Share of the variance of each source that the codes read off all other sources predict on held-out inputs, up to one factor.
    /// Rules with a threshold predict less, because codes that miss a source may not pass it. Empty with one source and in results of earlier versions.
    #[serde(default)]
    pub predicted: Vec<f32>,
    /// Mean active latents per held-out input.
    pub l0: f32,
    /// The same for each source, where each has codes of its own; else empty.
    #[serde(default)]
    pub l0_per_source: Vec<f32>,
    /// 5th and 95th percentile of active latents per held-out input.
    pub l0_quantiles: [f32; 2],
    /// Latents that fire somewhere on the grid.
    pub alive: u32,
    /// Latents with r ≥ .5 in every source: stable, rotated, and those in between, which are unclear.
    pub shared: u32,
    /// Latents absent at first, present from some source to the end.
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
    /// What latents do to the loss, if that was asked for.
    #[serde(default)]
    pub causal: Option<CausalResult>,
    /// What simpler codes explain; missing in results of earlier versions.
    #[serde(default)]
    pub baselines: Vec<FrontierPoint>,
    /// Pairs of latents that may be one feature, most alike first; missing in results of earlier versions.
    #[serde(default)]
    pub twins: Vec<Twins>,
    /// What of it came as a file; `None` for a fit to checkpoints of its run, alone or with those of further runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Seconds of wall time.
    pub wall_seconds: f64,
    /// Activations `[latents, rows]`, row-major, rows in the order of `task::Dataset::rows`.
    #[serde(skip)]
    pub activations: Vec<f32>,
    /// Encoder and decoder as safetensors: `encoder.weight [S, d, m]`, `encoder.bias [m]`, `decoder.weight [S, m, d]`,
    /// `decoder.bias [S, d]`, `activation_mean [S, d]`, `activation_scale [S]`, and `threshold [1]` (batch top-k), `jump_relu_threshold [m]` (JumpReLU)
    /// or `[S, m]` (thresholds per source, on the pre-activation), or `top_k [1]` (top-k of each input, by f_i·Σ_s‖D_i^s‖).
    #[serde(skip)]
    pub weights: Vec<u8>,
}

impl CrosscoderResult {
    /// How many latents are of `class`.
    pub fn count(&self, class: LatentClass) -> usize {
        self.latents.iter().filter(|latent| latent.class == class).count()
    }

    /// Activations of a latent, `[rows]`; empty where they were not kept.
    pub fn activations_of(&self, latent: u32) -> &[f32] {
        let rows = self.activations.len().checked_div(self.latents.len()).unwrap_or(0);
        let start = latent as usize * rows;
        self.activations.get(start..start + rows).unwrap_or_default()
    }

    /// Decoder vector of a latent in a source, `[d]`, raw activation units; `None` where the weights were not kept.
    pub fn decoder_vector(&self, latent: u32, source: usize) -> Option<Vec<f32>> {
        // Only what is asked for is read: a dictionary may have millions of numbers.
        let file = SafeTensors::deserialize(&self.weights).ok()?;
        let (decoder, scales) = (file.tensor("decoder.weight").ok()?, file.tensor("activation_scale").ok()?);
        let &[_, latents, width] = decoder.shape() else { return None };
        let number = |data: &[u8], at: usize| Some(f32::from_le_bytes(*data.get(4 * at..)?.first_chunk()?));
        let scale = number(scales.data(), source)?;
        // Vectors of narrower sources are filled up to a common width.
        let own = self.sources.get(source).map_or(width, |source| width.min(source.width as usize));
        let start = (source * latents + latent as usize) * width;
        let is_there = (latent as usize) < latents && [&decoder, &scales].iter().all(|tensor| tensor.dtype() == Dtype::F32);
        (start..start + own).map(|at| is_there.then_some(number(decoder.data(), at)? / scale)).collect()
    }

    /// Where a source was read.
    pub fn hook_of(&self, source: usize) -> Hook {
        self.sources.get(source).and_then(|source| source.hook).unwrap_or(self.config.hook)
    }

    /// Of each source: its step, and how many living latents begin their last stay there and are seen there for the last time, in
    /// words.
    pub fn lifetimes(&self) -> Vec<(u32, String)> {
        let alive = || self.latents.iter().filter(|latent| latent.class != LatentClass::Dead);
        let told = |(index, source): (usize, &SourceInfo)| {
            let here = Some(index as u32);
            let born = alive().filter(|latent| latent.birth == here).count();
            let died = alive().filter(|latent| latent.death == here).count();
            let words = match (born, died) {
                (0, 0) => "–".to_owned(),
                (born, 0) => format!("{born} born"),
                (0, died) => format!("{died} last seen"),
                (born, died) => format!("{born} born, {died} last seen"),
            };
            (source.step, words)
        };
        self.sources.iter().enumerate().map(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::group_descriptors::RepresentationShare;
    use super::*;

    #[test]
    fn latents_of_earlier_versions_are_read() {
        let old = r#"{"index": 3, "norms": [1, 2], "relative": [0.5, 1], "class": "shared", "nu_epsilon": [null, 1],
            "confirmed": false, "density": 0.5, "density_train": 0.5, "density_test": 0.5,
            "eta_squared": {"a": 0, "b": 0, "sum": 1, "difference": 0}}"#;
        let latent: Latent = serde_json::from_str(old).unwrap();
        assert_eq!((latent.class, latent.grid, latent.adjacent_cosines()), (LatentClass::Stable, None, Vec::new()));
        assert_eq!(serde_json::to_value(latent.class).unwrap(), "stable");
    }

    #[test]
    fn a_decoder_vector_comes_back_in_raw_units() {
        use crate::record::{NamedTensor, Weights};
        let tensor = |name: &str, shape: Vec<usize>, values: Vec<f32>| NamedTensor { name: name.into(), shape, values };
        // Two sources, three latents, two activations.
        let decoder = tensor("decoder.weight", vec![2, 3, 2], (0..12u8).map(f32::from).collect());
        let tensors = vec![decoder, tensor("activation_scale", vec![2], vec![1.0, 0.5])];
        let weights = Weights { tensors }.to_safetensors(None).unwrap();
        let config = super::super::presets::crosscoder_presets()[0].config.clone();
        let empty = serde_json::json!({"config": config, "sources": [], "curves": [], "explained_variance": [], "l0": 0,
            "l0_quantiles": [0, 0], "alive": 0, "shared": 0, "emergent": 0, "emergent_confirmed": 0, "vanished": 0,
            "residue_energy_share": 0, "latents": [], "wall_seconds": 0});
        let fit = CrosscoderResult { weights, ..serde_json::from_value(empty).unwrap() };
        assert_eq!(fit.decoder_vector(1, 0), Some(vec![2.0, 3.0]));
        assert_eq!(fit.decoder_vector(2, 1), Some(vec![20.0, 22.0]));
        assert_eq!((fit.decoder_vector(3, 0), fit.decoder_vector(0, 2)), (None, None));
        assert_eq!(CrosscoderResult { weights: Vec::new(), ..fit }.decoder_vector(0, 0), None);
    }

    #[test]
    fn a_latents_home_is_where_it_is_strongest() {
        assert_eq!(Latent { relative: vec![0.1, 1.0, 1.0], ..Latent::default() }.home(), 1);
        assert_eq!(Latent::default().home(), 0);
    }

    #[test]
    fn a_latent_without_a_group_says_nothing_of_one() {
        let strongest = RepresentationShare { label: "d=3 #1".into(), share: 0.5 };
        let group =
            GroupDescriptors { answer: 1.0, class_function: 0.25, representations: vec![0.5; 2], strongest: Some(strongest) };
        for group in [None, Some(group)] {
            let latent = Latent { group, ..Latent::default() };
            let json = serde_json::to_value(&latent).unwrap();
            assert_eq!(json.get("group").is_some(), latent.group.is_some());
            assert_eq!(serde_json::from_value::<Latent>(json).unwrap(), latent);
        }
    }

    #[test]
    fn adjacent_cosines_lie_beside_the_diagonal() {
        let cosines = (0..9).map(|place| Some(place as f32)).collect();
        assert_eq!(Latent { cosines, ..Latent::default() }.adjacent_cosines(), [Some(1.0), Some(5.0)]);
    }
}
