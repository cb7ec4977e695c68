//! Whether any latent passes its first threshold, where each source has a gate of its own.
//!
//! There a latent that stands on no input has no gradient, and its threshold hardly moves, because inputs are centred and pull at it
//! from both sides. Vectors that begin too short for every input leave a fit that looks busy for minutes and ends with all latents
//! dead. What can be said without data is said by the configuration; here the data are asked. One threshold for all sources needs no
//! such care: its objective pulls latents up to it.

use super::{FIRST_THRESHOLD, Fit, read};
use crate::crosscoder::Variant;
use crate::record::UserError;
use burn::tensor::Transaction;

impl Fit {
    /// Before the first update.
    ///
    /// # Errors
    /// If no latent passes any of its thresholds on any fitted input, with the shortest decoder norm with which one does;
    /// or if the device stopped answering.
    pub async fn check_first_threshold(&self) -> Result<(), UserError> {
        if self.step > 0 || self.config.variant != Variant::JumpReluPerSource {
            return Ok(());
        }
        let inputs = self.rows(&self.fit_rows);
        let codes = self.objective.codes(&self.dictionary, inputs.clone(), None);
        let pre = self.dictionary.at_rest().masked(self.objective.structure()).pre(inputs);
        let mut transaction = Transaction::default().register(pre.max().inner());
        for codes in codes {
            transaction = transaction.register(codes.max().inner());
        }
        let answers = read(transaction).await?;
        let (largest, codes) = (f64::from(answers[0][0]), &answers[1..]);
        if codes.iter().any(|code| code[0] > 0.0) {
            return Ok(());
        }
        // The pre-activation goes with the norm n, and what a gate asks, pre·‖D‖, with n².
        let per_norm = largest / self.config.decoder_norm;
        let threshold = f64::from(FIRST_THRESHOLD);
        let least = (threshold / per_norm).sqrt();
        let remedy = if least.is_finite() && least > 0.0 {
            // The next hundredth: at the limit itself one input passes for one latent.
            format!("Use a decoder_norm of at least {:.2}", (100.0 * least).floor() / 100.0 + 0.01)
        } else {
            "Use another variant".to_owned()
        };
        Err(UserError::new(
            format!(
                "No latent passes its first threshold of {threshold:.1} on any input: vectors of norm {} are too short",
                self.config.decoder_norm
            ),
            remedy,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::presets::crosscoder_preset;
    use super::super::super::{CrosscoderConfig, Kind, PlantedConfig, plant};
    use super::*;
    use crate::experiment::{preset, with_value};
    use crate::task::Dataset;

    fn fit(variant: Variant, decoder_norm: f64) -> Fit {
        let task = with_value(&preset("quadratic-31").unwrap().experiment, "task.modulus", "23").unwrap().task;
        let data = Dataset::new(&task, 0).unwrap();
        let truth = plant(&PlantedConfig {
            seed: 1,
            sources: 2,
            width: 24,
            rows: data.rows.len(),
            density: 0.08,
            noise: 0.01,
            features: vec![(Kind::Shared, 12), (Kind::Emergent, 4)],
        })
        .unwrap();
        let base = crosscoder_preset("births").unwrap().config.clone();
        let config = CrosscoderConfig {
            variant,
            decoder_norm,
            lambda: 0.003,
            latents: 32,
            steps: 600,
            batch_size: 128,
            learning_rate: 3e-3,
            probe: false,
            ..base
        };
        Fit::on_cpu(config, truth.sources, data).unwrap()
    }

    #[test]
    fn one_source_has_no_pairs_to_shuffle() {
        use super::super::super::{Null, Place, Source};
        let task = &preset("quadratic-31").unwrap().experiment.task;
        let data = Dataset::new(task, 0).unwrap();
        let config = CrosscoderConfig { null: Null::ShuffledPairs, ..crosscoder_preset("births").unwrap().config.clone() };
        let values = (0..data.rows.len()).map(|row| row as f32).collect();
        let source = Source { step: 0, width: 1, values, place: Place::default() };
        assert!(Fit::on_cpu(config, vec![source], data).unwrap_err().cause.contains("no pairs"));
    }

    fn alive(mut fit: Fit) -> u32 {
        while !fit.is_done() {
            fit.advance();
        }
        pollster::block_on(fit.finish(0.0)).unwrap().0.alive
    }

    #[test]
    fn a_start_that_nothing_passes_is_refused_with_the_shortest_norm_that_something_does() {
        let gated = |norm: f64| fit(Variant::JumpReluPerSource, norm);
        let check = |fit: Fit| pollster::block_on(fit.check_first_threshold());
        let error = check(gated(0.08)).unwrap_err();
        let named: f64 = error.remedy.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(named > 0.08 && named < 0.5, "{error:?}");
        assert_eq!(check(gated(named)), Ok(()), "{named}");
        assert!(check(gated(named - 0.01)).is_err(), "a hundredth below nothing passes yet: {named}");
        // It is no needless refusal: such a fit never comes to life, and one that begins longer does.
        assert_eq!(alive(gated(0.08)), 0);
        assert!(alive(gated(0.32)) > 0);
        // With one threshold for all sources latents are pulled up to it.
        assert_eq!(check(fit(Variant::JumpRelu, 0.01)), Ok(()));
        assert!(alive(fit(Variant::JumpRelu, 0.01)) > 0);
        assert_eq!(check(fit(Variant::L1OfNorms, 0.001)), Ok(()));
    }
}
