//! Whether a crosscoder can be fitted to a given run: the hook must exist in its network and the sources among its checkpoints.

use super::config::{CrosscoderConfig, FIRST_THRESHOLD, Hook, Variant};
use super::fields::{inputs, own_errors};
use super::null::Null;
use crate::experiment::{Experiment, FieldError};
use crate::model::hook_width;

/// Largest decoder, in parameters per copy: gradient and Adam's moments make it four times as large.
pub const MAX_DECODER_PARAMETERS: u64 = 1 << 25;

impl CrosscoderConfig {
    /// Whether this can be fitted to a run of `experiment` whose saved checkpoints are at `available_steps`.
    /// Empty `sources` are fine: they are picked from the curves.
    ///
    /// # Errors
    /// Every reason why not; each names the setting, the cause and the nearest value that works.
    pub fn validate(&self, experiment: &Experiment, available_steps: &[u32]) -> Result<(), Vec<FieldError>> {
        let mut errors = own_errors(self);
        if hook_width(experiment, self.hook).is_none() {
            let there: Vec<&str> =
                Hook::ALL.into_iter().filter(|hook| hook_width(experiment, *hook).is_some()).map(Hook::name).collect();
            errors.push(FieldError::new(
                "hook",
                format!("A network of the kind {} has no {}", experiment.model.architecture, self.hook.name()),
                format!("Use {}", there.join(" or ")),
            ));
        }
        // Random weights are drawn, not saved.
        let is_drawn = self.null == Null::Untrained;
        for step in &self.sources {
            if is_drawn || available_steps.contains(step) {
                continue;
            }
            let remedy = match available_steps.iter().min_by_key(|s| s.abs_diff(*step)) {
                Some(nearest) => format!("For {step} use {nearest}, the nearest saved one"),
                None => "Run the experiment first, so that there are checkpoints".into(),
            };
            errors.push(FieldError::new("sources", format!("No checkpoint was saved at step {step}"), remedy));
        }
        if self.sources.is_empty() && available_steps.is_empty() {
            errors.push(FieldError::new("sources", "The run has no checkpoints", "Run the experiment first"));
        }
        if errors.is_empty() {
            // Picked sources are three.
            let sources = if self.sources.is_empty() { 3 } else { self.sources.len() };
            let width = hook_width(experiment, self.hook).unwrap_or(1);
            check_sizes(self, inputs(experiment), sources as u64, width as u64, &mut errors);
            check_first_threshold(self, experiment, &mut errors);
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Whether this can be fitted to activations from elsewhere: of so many `inputs`, one source for each of `self.sources`, the
    /// widest of `width`.
    ///
    /// # Errors
    /// As [`CrosscoderConfig::validate`].
    pub fn validate_on_activations(&self, inputs: u32, width: usize) -> Result<(), Vec<FieldError>> {
        let mut errors = own_errors(self);
        if !self.more_hooks.is_empty() {
            let cause = "A file of activations has no hooks of its own".to_owned();
            errors.push(FieldError::new("more_hooks", cause, "Leave them out; each source in the file is read as it is"));
        }
        if matches!(self.null, Null::Repeated | Null::Untrained) {
            let cause = format!("The null {} reads networks, and a file has none", self.null.name());
            errors.push(FieldError::new("null", cause, "Use shuffled_pairs or permuted_labels"));
        }
        if errors.is_empty() {
            check_sizes(self, inputs, self.sources.len() as u64, width as u64, &mut errors);
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

fn check_sizes(config: &CrosscoderConfig, inputs: u32, sources: u64, width: u64, errors: &mut Vec<FieldError>) {
    // Folds are made of whole pairs, so this is the count to within one pair.
    let fitted = inputs - (f64::from(inputs) * config.held_out).round() as u32;
    if fitted < 2 || fitted == inputs {
        errors.push(FieldError::new(
            "held_out",
            format!("{} of {inputs} inputs leaves one side empty", config.held_out),
            "Use .1",
        ));
    } else if config.batch_size > fitted {
        errors.push(FieldError::new(
            "batch_size",
            format!("A batch of {} is more than the {fitted} inputs that are not held out", config.batch_size),
            format!("Use {}", fitted.min(512)),
        ));
    }
    let per_latent = sources * width;
    if per_latent * u64::from(config.latents) > MAX_DECODER_PARAMETERS {
        errors.push(FieldError::new(
            "latents",
            format!("{} latents over {sources} sources of width {width} are too large to fit", config.latents),
            format!("Use at most {}", (MAX_DECODER_PARAMETERS / per_latent).max(1)),
        ));
    }
}

/// Vectors so short that no latent can pass its first threshold, whatever the run (JumpReLU with a gate per source).
///
/// Encoders begin as the mean over the sources read of the decoder, so the pre-activation of latent i is mean_s⟨x^s, D_i^s⟩, at most
/// n·mean_s‖x^s‖ with n the decoder norm; sources are scaled to mean norm √d; and the gate asks pre·‖D‖ > θ. Where even an input of
/// mean length exactly along the latent stays below (n²·√d ≤ θ), nothing opens, no weight has a gradient, and all latents stay dead.
/// Longer vectors may still be too short for the data at hand; the engine looks before the first update. With one threshold for all
/// sources a term of the objective pulls latents up to it, and such a start comes to life.
fn check_first_threshold(config: &CrosscoderConfig, experiment: &Experiment, errors: &mut Vec<FieldError>) {
    if config.variant != Variant::JumpReluPerSource {
        return;
    }
    let roots: Vec<f64> =
        config.hooks().into_iter().filter_map(|hook| hook_width(experiment, hook)).map(|d| (d as f64).sqrt()).collect();
    let length = roots.iter().sum::<f64>() / roots.len().max(1) as f64;
    let (threshold, norm) = (f64::from(FIRST_THRESHOLD), config.decoder_norm);
    if norm * norm * length <= threshold {
        errors.push(FieldError::new(
            "decoder_norm",
            format!("No latent would ever fire: vectors of norm {norm} cannot pass the first threshold of {threshold:.1}"),
            // √θ: there an input one standard deviation along a latent passes, every sixth.
            "Use 0.32",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::super::presets::crosscoder_preset;
    use super::*;
    use crate::experiment::preset;

    fn births(sources: &[u32]) -> CrosscoderConfig {
        CrosscoderConfig { sources: sources.to_vec(), ..crosscoder_preset("births").unwrap().config.clone() }
    }

    fn only_error(config: &CrosscoderConfig, experiment: &Experiment) -> FieldError {
        let errors = config.validate(experiment, &[0, 250, 600, 1000]).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        errors[0].clone()
    }

    #[test]
    fn births_fits_the_flagship_run_with_sources_named_or_picked() {
        let experiment = &preset("transformer-59-mirror").unwrap().experiment;
        assert_eq!(births(&[]).validate(experiment, &[0, 250, 600, 1000]), Ok(()));
        assert_eq!(births(&[250, 600, 1000]).validate(experiment, &[0, 250, 600, 1000]), Ok(()));
        assert_eq!(births(&[1000, 1000, 1000]).validate(experiment, &[0, 250, 600, 1000]), Ok(()));
    }

    #[test]
    fn a_missing_checkpoint_is_answered_with_the_nearest_saved_one() {
        let experiment = &preset("transformer-59-mirror").unwrap().experiment;
        let error = only_error(&births(&[250, 640]), experiment);
        assert_eq!((error.path.as_str(), error.remedy.as_str()), ("sources", "For 640 use 600, the nearest saved one"));
        assert!(births(&[]).validate(experiment, &[]).is_err());
    }

    #[test]
    fn a_perceptron_has_no_residual_stream() {
        let experiment = &preset("quadratic-31").unwrap().experiment;
        assert_eq!(only_error(&births(&[]), experiment).path, "hook");
        let hidden = CrosscoderConfig { hook: Hook::MlpPost, ..births(&[]) };
        assert_eq!(hidden.validate(experiment, &[0]), Ok(()));
    }

    #[test]
    fn activations_from_elsewhere_are_checked_by_their_own_sizes() {
        let config = CrosscoderConfig { batch_size: 64, ..births(&[0, 1]) };
        assert_eq!(config.validate_on_activations(100, 16), Ok(()));
        let paths = |config: &CrosscoderConfig, inputs, width| {
            let errors = config.validate_on_activations(inputs, width).unwrap_err();
            errors.into_iter().map(|error| error.path).collect::<Vec<_>>()
        };
        assert_eq!(paths(&config, 64, 16), ["batch_size"]);
        assert_eq!(paths(&config, 100, 1 << 20), ["latents"]);
        assert_eq!(paths(&CrosscoderConfig { more_hooks: vec![Hook::MlpPost], ..config.clone() }, 100, 16), ["more_hooks"]);
        let null = CrosscoderConfig { null: Null::Repeated, sources: vec![1, 1], probe: false, ..config };
        assert_eq!(paths(&null, 100, 16), ["null"]);
    }

    #[test]
    fn vectors_too_short_for_the_first_threshold_are_refused_with_a_norm_that_works() {
        let experiment = &preset("transformer-59-mirror").unwrap().experiment;
        let with = |variant, decoder_norm| CrosscoderConfig { variant, decoder_norm, ..births(&[]) };
        // √64 = 8: .1² · 8 = .08 < .1.
        let error = only_error(&with(Variant::JumpReluPerSource, 0.1), experiment);
        assert_eq!((error.path.as_str(), error.remedy.as_str()), ("decoder_norm", "Use 0.32"));
        for works in [with(Variant::JumpReluPerSource, 0.32), with(Variant::JumpRelu, 0.01), with(Variant::L1OfNorms, 1e-3)] {
            assert_eq!(works.validate(experiment, &[0, 250]), Ok(()));
        }
    }

    #[test]
    fn a_null_is_checked_for_what_it_says_of_itself() {
        let experiment = &preset("transformer-59-mirror").unwrap().experiment;
        let with = |null, sources: &[u32]| CrosscoderConfig { null, probe: false, ..births(sources) };
        for (null, sources) in [
            (Null::Repeated, &[600, 600][..]),
            (Null::ShuffledPairs, &[250, 600]),
            (Null::PermutedLabels, &[250]),
            (Null::Untrained, &[0, 0]),
        ] {
            assert_eq!(with(null, sources).validate(experiment, &[250, 600]), Ok(()), "{null:?}");
        }
        let error = only_error(&with(Null::Repeated, &[250, 600]), experiment);
        assert_eq!((error.path.as_str(), error.remedy.as_str()), ("sources", "Use 600 for each of them"));
        assert_eq!(only_error(&with(Null::Untrained, &[0, 600]), experiment).path, "sources");
        let probed = CrosscoderConfig { probe: true, ..with(Null::ShuffledPairs, &[250, 600]) };
        assert_eq!(only_error(&probed, experiment).path, "probe");
        // Without a null nothing is written of it, so that older files and links stay what they were.
        assert!(!births(&[250]).to_json().contains("null"));
        let back = CrosscoderConfig::from_json(&with(Null::ShuffledPairs, &[250, 600]).to_json()).unwrap();
        assert_eq!(back.null, Null::ShuffledPairs);
    }

    #[test]
    fn sizes_that_cannot_be_fitted_are_refused_with_one_that_can() {
        let experiment = &preset("transformer-59-mirror").unwrap().experiment;
        let refused = [
            CrosscoderConfig { latents: 0, ..births(&[]) },
            CrosscoderConfig { batch_size: 3400, ..births(&[]) },
            CrosscoderConfig { held_out: 1e-9, ..births(&[]) },
            CrosscoderConfig { held_out: f64::NAN, ..births(&[]) },
            CrosscoderConfig { k: 300, variant: Variant::BatchTopK, ..births(&[]) },
            CrosscoderConfig { name: "../x".into(), ..births(&[]) },
            CrosscoderConfig { sources: vec![600, 250], ..births(&[]) },
        ];
        for (config, path) in refused.iter().zip(["latents", "batch_size", "held_out", "held_out", "k", "name", "sources"]) {
            assert_eq!(only_error(config, experiment).path, path);
        }
        let wide = CrosscoderConfig { latents: 4096, hook: Hook::MlpPost, sources: vec![250; 16], ..births(&[]) };
        let large = crate::experiment::with_value(experiment, "model.mlp_width", "4096").unwrap();
        assert_eq!(only_error(&wide, &large).remedy, "Use at most 512");
    }
}
