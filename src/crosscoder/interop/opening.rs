//! A file from elsewhere on its way into the laboratory: what it is, whether it fits what is at hand, what it holds.
//!
//! A dictionary of width 64 put on activations of width 128 is only the loudest misfit; one with three sources put on two
//! checkpoints would shift every life by one. So the number of sources, the hook and its width are checked before anything is
//! encoded, by the page and by the engine with the same words.

use super::super::analysis::{Analysis, AnalysisInput, analyse};
use super::super::causal::Anatomy;
use super::super::codes::Codes;
use super::super::config::{CrosscoderConfig, Hook, Variant};
use super::super::origin::Origin;
use super::super::result::CrosscoderResult;
use super::super::source::{Source, prepare};
use super::dictionary::{Dictionary, Nonlinearity};
use super::external::{self, ExternalActivations};
use super::layout::{Layout, import};
use super::tensors::Tensors;
use crate::experiment::Experiment;
use crate::model::hook_width;
use crate::record::UserError;
use crate::task::Dataset;

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Foreign {
    /// Activations of a network.
    Activations(ExternalActivations),
    /// A dictionary, and how it was written.
    Dictionary(Dictionary, Layout),
}

/// Tells activations from a dictionary by the names of the tensors, and reads them. `config` is the text of the JSON file beside
/// a dictionary, see [`import`].
///
/// # Errors
/// As [`ExternalActivations::read`] and [`import`].
pub fn recognise(bytes: &[u8], config: Option<&str>) -> Result<Foreign, UserError> {
    if Tensors::open(bytes)?.names().into_iter().any(external::is_source) {
        return ExternalActivations::read(bytes).map(Foreign::Activations);
    }
    import(bytes, config).map(|(dictionary, layout)| Foreign::Dictionary(dictionary, layout))
}

/// The settings in a result's `summary.json`, which say where a dictionary was read; `None` for any other text.
pub fn settings_beside(json: &str) -> Option<CrosscoderConfig> {
    let summary: serde_json::Value = serde_json::from_str(json).ok()?;
    serde_json::from_value(summary.get("config")?.clone()).ok()
}

impl Nonlinearity {
    /// Name for people.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Relu => "ReLU",
            Self::BatchTopK { .. } => "batch top-k by its threshold",
            Self::JumpRelu { .. } => "JumpReLU",
            Self::JumpReluPerSource { .. } => "JumpReLU, each source its own gate",
            Self::Blocks { .. } => "signed blocks by their threshold",
        }
    }

    /// The nearest rule that is fitted here. Inference is the same; what it was trained with no file says.
    fn nearest(&self) -> Variant {
        match self {
            Self::Relu => Variant::L1OfNorms,
            Self::BatchTopK { .. } => Variant::BatchTopK,
            Self::JumpRelu { .. } => Variant::JumpRelu,
            Self::JumpReluPerSource { .. } => Variant::JumpReluPerSource,
            Self::Blocks { .. } => Variant::BlockTopK,
        }
    }
}

impl Dictionary {
    /// `config` as far as the dictionary decides it: its size, its rule, and one hook.
    pub fn settings(&self, config: CrosscoderConfig) -> CrosscoderConfig {
        let latents = self.latents as u32;
        let (variant, k) = (self.nonlinearity.nearest(), config.k.min(latents));
        let block = if let Nonlinearity::Blocks { width, .. } = self.nonlinearity { width as u32 } else { config.block };
        CrosscoderConfig { latents, variant, k, block, k_start: 0, more_hooks: Vec::new(), ..config }
    }

    /// Whether it can be put on the `sources` of `config` in a run of `experiment` with these `saved` checkpoints.
    ///
    /// # Errors
    /// If the number of sources is another, one was not saved, or the hook is not there or of another width.
    pub fn check_on_run(&self, config: &CrosscoderConfig, experiment: &Experiment, saved: &[u32]) -> Result<(), UserError> {
        let chosen = config.sources.len();
        if chosen != self.sources {
            return Err(UserError::new(
                format!("The dictionary reads {} sources, {chosen} checkpoints are chosen", self.sources),
                format!("Choose {} checkpoints, in the order in which it was fitted", self.sources),
            ));
        }
        if let Some(missing) = config.sources.iter().find(|step| !saved.contains(step)) {
            let nearest = saved.iter().min_by_key(|step| step.abs_diff(*missing));
            return Err(UserError::new(
                format!("The run kept no checkpoint of step {missing}"),
                nearest.map_or_else(
                    || "Run the experiment first".to_owned(),
                    |step| format!("Choose step {step}, the nearest kept"),
                ),
            ));
        }
        let there = hook_width(experiment, config.hook);
        if there == Some(self.width) {
            return Ok(());
        }
        let fitting: Vec<&str> =
            Hook::ALL.into_iter().filter(|hook| hook_width(experiment, *hook) == Some(self.width)).map(Hook::name).collect();
        let has = there.map_or_else(|| "is not in this network".to_owned(), |width| format!("has {width}"));
        Err(UserError::new(
            format!("The dictionary reads activations of width {}, and {} {has}", self.width, config.hook.name()),
            match fitting.is_empty() {
                true => "Open the run whose activations it was fitted to".to_owned(),
                false => format!("Choose the hook {}", fitting.join(" or ")),
            },
        ))
    }

    /// Codes of raw activations as each source decodes them: one for all, or, with gates per source, one per source.
    ///
    /// # Errors
    /// As [`Dictionary::encode`].
    pub fn codes(&self, sources: &[Source]) -> Result<Codes, UserError> {
        let union = self.encode(sources)?;
        if !matches!(self.nonlinearity, Nonlinearity::JumpReluPerSource { .. }) {
            return Ok(Codes::shared(union));
        }
        let gated = |s: usize| {
            let gates = self.thresholds(s);
            let open = |(at, code): (usize, &f32)| if *code > gates[at % self.latents] { *code } else { 0.0 };
            union.iter().enumerate().map(open).collect()
        };
        Ok(Codes::per_source((0..self.sources).map(gated).collect()))
    }

    /// Encodes `sources` over the rows of `data` and says of every latent what a fit would say. All rows judge it, because no file
    /// says which ones it was fitted to. `wall_seconds` is left at 0.
    ///
    /// # Errors
    /// If the sources do not fit the dictionary, do not vary, or a number is not finite.
    pub fn open(
        &self,
        config: CrosscoderConfig,
        origin: Origin,
        sources: Vec<Source>,
        data: &Dataset,
    ) -> Result<(CrosscoderResult, Anatomy), UserError> {
        let codes = self.codes(&sources)?;
        let scalings: Vec<(Vec<f32>, f32)> = (0..self.sources).map(|s| self.scaling_of(s)).collect();
        let each = || scalings.iter().enumerate();
        let decoders: Vec<Vec<f32>> =
            each().map(|(s, (_, scale))| self.decoder_of(s).iter().map(|value| value / scale).collect()).collect();
        let biases: Vec<Vec<f32>> = each()
            .map(|(s, (mean, scale))| self.bias_of(s).iter().zip(mean).map(|(value, mean)| value / scale + mean).collect())
            .collect();
        let held: Vec<u32> = (0..data.rows.len() as u32).collect();
        let input = AnalysisInput { sources: &sources, codes: &codes, decoders: &decoders, biases: &biases, data, held: &held };
        let found: Analysis = analyse(&input)?;
        let mut infos = Vec::with_capacity(sources.len());
        for (source, (_, scale)) in sources.iter().zip(&scalings) {
            let mut info = prepare(source)?.info(source.step);
            info.scale = *scale;
            infos.push(info);
        }
        let result = CrosscoderResult {
            config: self.settings(config),
            sources: infos,
            curves: Vec::new(),
            explained_variance: found.explained_variance,
            l0: found.l0,
            l0_per_source: found.l0_per_source,
            l0_quantiles: found.l0_quantiles,
            alive: found.alive,
            shared: found.shared,
            emergent: found.emergent,
            emergent_confirmed: found.emergent_confirmed,
            vanished: found.vanished,
            residue_energy_share: found.residue_energy_share,
            latents: found.latents,
            twins: found.twins,
            activations: found.activations,
            weights: self.with_explicit_scaling().to_safetensors()?,
            origin: Some(origin),
            causal: None,
            baselines: Vec::new(),
            // No file says which rows it was not fitted to.
            predicted: Vec::new(),
            wall_seconds: 0.0,
        };
        Ok((result, Anatomy { sources, codes, decoders, biases }))
    }

    /// The same with mean 0 and scale 1 written down where there is no scaling, as readers of results expect.
    fn with_explicit_scaling(&self) -> Self {
        let neutral =
            || super::dictionary::Scaling { mean: vec![0.0; self.sources * self.width], scale: vec![1.0; self.sources] };
        Self { scaling: Some(self.scaling.clone().unwrap_or_else(neutral)), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::presets::crosscoder_presets;
    use super::super::dictionary::tests::{assert_close, inputs, tiny};
    use super::super::tensors::tests::file;
    use super::*;
    use crate::crosscoder::KnownRows;
    use crate::experiment::preset;

    fn births(sources: &[u32]) -> CrosscoderConfig {
        CrosscoderConfig { sources: sources.to_vec(), ..crosscoder_presets()[0].config.clone() }
    }

    fn origin() -> Origin {
        Origin::Dictionary { file: "d.safetensors".into(), layout: "tiny".into(), rule: "ReLU".into(), on: None }
    }

    fn gated() -> Dictionary {
        let threshold = vec![0.0, 3.0, 0.0, 2.6, 0.0, 2.0];
        Dictionary { nonlinearity: Nonlinearity::JumpReluPerSource { threshold }, ..tiny() }
    }

    fn two_rows() -> Dataset {
        KnownRows { count: 2, ..KnownRows::default() }.dataset()
    }

    #[test]
    fn activations_are_told_from_dictionaries_and_from_neither() {
        let x = [1.0, 2.0, 3.0, -1.0, 0.0, 5.0];
        let activations = file(&[("source.250", &[3, 2], &x), ("source.600", &[3, 2], &x)]);
        assert!(matches!(recognise(&activations, None), Ok(Foreign::Activations(found)) if found.names == ["250", "600"]));
        let dictionary = tiny().to_safetensors().unwrap();
        assert!(matches!(recognise(&dictionary, None), Ok(Foreign::Dictionary(found, Layout::Native)) if found == tiny()));
        assert!(recognise(&file(&[("model.embed", &[2], &[0.0; 2])]), None).unwrap_err().cause.contains("model.embed"));
        let cut = recognise(&dictionary[..dictionary.len() / 2], None).unwrap_err();
        assert!(!cut.cause.is_empty() && !cut.remedy.is_empty(), "{cut}");
        assert!(recognise(&activations[..activations.len() - 4], None).is_err(), "a file of activations that is cut off");
    }

    #[test]
    fn a_summary_beside_the_weights_says_where_they_were_read() {
        let config = births(&[250, 600, 1000]);
        let summary = serde_json::json!({ "config": config, "l0": 3.0 }).to_string();
        assert_eq!(settings_beside(&summary), Some(config));
        assert_eq!(settings_beside(r#"{"architecture": "jumprelu"}"#), None);
    }

    #[test]
    fn each_misfit_with_a_run_is_refused_with_what_would_fit() {
        let experiment = &preset("transformer-59-mirror").unwrap().experiment;
        let saved = [0, 250, 600, 1000];
        let stream = hook_width(experiment, Hook::ResidPost).unwrap();
        let of = |width: usize| Dictionary { width, ..tiny() };
        assert_eq!(of(stream).check_on_run(&births(&[250, 600]), experiment, &saved), Ok(()));
        let count = of(stream).check_on_run(&births(&[250, 600, 1000]), experiment, &saved).unwrap_err();
        assert!(count.cause.contains("2 sources, 3") && count.remedy.contains("Choose 2"), "{count}");
        let step = of(stream).check_on_run(&births(&[250, 610]), experiment, &saved).unwrap_err();
        assert!(step.cause.contains("610") && step.remedy.contains("600"), "{step}");
        let hidden = hook_width(experiment, Hook::MlpPost).unwrap();
        assert_ne!(hidden, stream);
        let width = of(hidden).check_on_run(&births(&[250, 600]), experiment, &saved).unwrap_err();
        assert!(width.remedy.contains("mlp_post"), "{width}");
        let foreign = of(777).check_on_run(&births(&[250, 600]), experiment, &saved).unwrap_err();
        assert!(foreign.cause.contains("777") && foreign.remedy.contains("Open the run"), "{foreign}");
    }

    #[test]
    fn a_gate_per_source_gives_each_source_the_codes_that_it_decodes() {
        let dictionary = gated();
        let codes = dictionary.codes(&inputs()).unwrap();
        assert_eq!(codes.of(0), [2.5, 0.0, 1.0, 0.0, 0.0, 1.0], "latent 1 is shut in source 0");
        assert_eq!(codes.of(1), [0.0, 2.0, 0.0, 0.0, 0.0, 0.0], "latents 0 and 2 are shut in source 1");
        assert_eq!(codes.union(), dictionary.encode(&inputs()).unwrap());
        // What is decoded from them is what the dictionary decodes.
        let decoded = dictionary.decode(&codes.union()).unwrap();
        let (_, anatomy) = dictionary.open(births(&[10, 20]), origin(), inputs(), &two_rows()).unwrap();
        for (s, decoded) in decoded.iter().enumerate() {
            assert_close(&anatomy.inserted(s, &crate::crosscoder::causal::Insert::Reconstruction, 0), decoded, 1e-6);
        }
        assert!(!tiny().codes(&inputs()).unwrap().are_per_source());
    }

    #[test]
    fn a_latent_whose_gate_is_shut_is_absent_there_whatever_its_decoder() {
        let open = |dictionary: &Dictionary| dictionary.open(births(&[10, 20]), origin(), inputs(), &two_rows()).unwrap().0;
        // Latent 0 has a decoder of norm 5 in both sources, and its gate is shut in the second.
        let (shared, own) = (open(&tiny()), open(&gated()));
        assert_eq!(shared.latents[0].norms, [5.0, 5.0]);
        assert_eq!(own.latents[0].norms, [5.0, 0.0]);
        assert_eq!((shared.l0_per_source, own.l0_per_source), (vec![], vec![1.5, 0.5]));
        assert_eq!(own.config.variant, Variant::JumpReluPerSource);
    }

    #[test]
    fn vectors_come_out_in_raw_units_with_and_without_a_scaling() {
        let scaling = super::super::dictionary::Scaling { mean: vec![1.0, 0.0, 0.0, 1.0], scale: vec![2.0, 0.5] };
        let scaled = tiny().with_scaling(scaling).unwrap();
        for dictionary in [tiny(), scaled] {
            let (result, _) = dictionary.open(births(&[10, 20]), origin(), inputs(), &two_rows()).unwrap();
            assert_close(&result.decoder_vector(0, 0).unwrap(), &[3.0, 4.0], 1e-6);
            assert_close(&result.latents[2].norms, &[1.0, 2.0], 1e-6);
            assert_eq!(result.explained_variance.len(), 2);
        }
    }

    #[test]
    fn what_a_link_cannot_carry_is_named() {
        let (result, _) = tiny().open(births(&[10, 20]), origin(), inputs(), &two_rows()).unwrap();
        assert!(result.beyond_its_settings().unwrap().contains("d.safetensors"));
        let mut plain = CrosscoderResult { origin: None, ..result };
        assert_eq!(plain.beyond_its_settings(), None);
        plain.sources[1].run = Some("seed 3".into());
        assert!(plain.beyond_its_settings().unwrap().contains("seed 3"));
    }
}
