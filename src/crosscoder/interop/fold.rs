//! A dictionary in raw activation units, and back.
//!
//! Layouts of other programs have no place for centring and scaling: a dictionary written there as it was fitted would read
//! raw activations with weights made for scaled ones. Folding moves both into the weights. The batch top-k threshold goes with
//! norms in the units of the fit, so it becomes a threshold per latent; one scalar for raw norms would be another rule as soon
//! as two sources differ in scale.

use super::dictionary::{Dictionary, Nonlinearity, Scaling};
use crate::record::UserError;

impl Dictionary {
    /// The same map from and to raw activations, with mean μ and scale a of each source inside the weights: W_enc ← a·W_enc,
    /// b_enc ← b_enc − Σ_s μ·(a·W_enc), D ← D/a, b_dec ← b_dec/a + μ. Batch top-k becomes JumpReLU with θ_i = θ/Σ_s‖D_i^s‖.
    /// Without scaling nothing changes.
    ///
    /// # Errors
    /// As [`Dictionary::check`], and for signed blocks with scaling.
    pub fn fold(&self) -> Result<Self, UserError> {
        self.check()?;
        let Some(scaling) = &self.scaling else { return Ok(self.clone()) };
        if matches!(self.nonlinearity, Nonlinearity::Blocks { .. }) {
            return Err(UserError::new(
                "The gate of a signed block weighs all sources in the units of the fit, which folding would change",
                "Use this program's own layout",
            ));
        }
        let mut folded = Self { scaling: None, nonlinearity: self.rule_without_norms(), ..self.clone() };
        folded.rescale(&scaling.scale);
        folded.move_encoder_bias(scaling, -1.0);
        folded.decoder_bias.iter_mut().zip(&scaling.mean).for_each(|(bias, mean)| *bias += mean);
        Ok(folded)
    }

    /// The inverse: the same map, with weights for activations centred and scaled by `scaling`. A dictionary that has a scaling
    /// is folded first. Batch top-k stays what folding made of it.
    ///
    /// # Errors
    /// As [`Dictionary::check`], also for the result.
    pub fn with_scaling(&self, scaling: Scaling) -> Result<Self, UserError> {
        let raw = self.fold()?;
        let mut scaled = Self { scaling: Some(scaling.clone()), nonlinearity: raw.rule_without_norms(), ..raw };
        scaled.check()?;
        scaled.move_encoder_bias(&scaling, 1.0);
        scaled.decoder_bias.iter_mut().zip(&scaling.mean).for_each(|(bias, mean)| *bias -= mean);
        let inverse: Vec<f32> = scaling.scale.iter().map(|scale| 1.0 / scale).collect();
        scaled.rescale(&inverse);
        scaled.check()?;
        Ok(scaled)
    }

    /// The rule with thresholds on the pre-activation, which scaling does not change.
    fn rule_without_norms(&self) -> Nonlinearity {
        match &self.nonlinearity {
            Nonlinearity::BatchTopK { .. } => Nonlinearity::JumpRelu { threshold: self.thresholds(0) },
            other => other.clone(),
        }
    }

    /// W_enc·a, D/a and b_dec/a, one a per source.
    fn rescale(&mut self, scale: &[f32]) {
        let (block, width) = (self.width * self.latents, self.width);
        for (s, &scale) in scale.iter().enumerate() {
            self.encoder[s * block..(s + 1) * block].iter_mut().for_each(|weight| *weight *= scale);
            self.decoder[s * block..(s + 1) * block].iter_mut().for_each(|weight| *weight /= scale);
            self.decoder_bias[s * width..(s + 1) * width].iter_mut().for_each(|bias| *bias /= scale);
        }
    }

    /// b_enc + sign·Σ_s μ·W_enc with raw W_enc, summed in f64: the mean can be large against what varies about it.
    fn move_encoder_bias(&mut self, scaling: &Scaling, sign: f64) {
        let mut bias: Vec<f64> = self.encoder_bias.iter().map(|&b| f64::from(b)).collect();
        for (mean, weights) in scaling.mean.iter().zip(self.encoder.chunks_exact(self.latents)) {
            let mean = sign * f64::from(*mean);
            bias.iter_mut().zip(weights).for_each(|(bias, &weight)| *bias += mean * f64::from(weight));
        }
        self.encoder_bias = bias.into_iter().map(|b| b as f32).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::source::Source;
    use super::super::dictionary::tests::{assert_close, inputs, tiny};
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    fn random(nonlinearity: Nonlinearity) -> (Dictionary, Vec<Source>) {
        let (s, d, m) = (3, 8, 24);
        let mut stream = Stream::new(3, Purpose::Planted, 0);
        let mut draw = |count: usize, size: f64| stream.normals(count, size);
        let dictionary = Dictionary {
            sources: s,
            width: d,
            latents: m,
            encoder: draw(s * d * m, 0.3),
            encoder_bias: draw(m, 0.2),
            decoder: draw(s * m * d, 0.3),
            decoder_bias: draw(s * d, 0.2),
            scaling: Some(Scaling { mean: draw(s * d, 2.0), scale: vec![0.4, 1.7, 3.0] }),
            nonlinearity,
        };
        let sources = (0..s)
            .map(|step| Source {
                step: step as u32,
                width: d,
                values: draw(50 * d, 1.5),
                place: crate::crosscoder::Place::default(),
            })
            .collect();
        (dictionary, sources)
    }

    fn assert_same_map(a: &Dictionary, b: &Dictionary, sources: &[Source]) {
        let (codes, other) = (a.encode(sources).unwrap(), b.encode(sources).unwrap());
        assert!(codes.iter().any(|&f| f > 0.0) && codes.contains(&0.0));
        assert_close(&other, &codes, 1e-5);
        for (x_hat, other) in a.decode(&codes).unwrap().iter().zip(b.decode(&codes).unwrap()) {
            assert_close(&other, x_hat, 1e-5);
        }
    }

    #[test]
    fn folding_changes_neither_codes_nor_reconstructions() {
        let per_source = (0..72).map(|i| 0.05 * i as f32).collect();
        for nonlinearity in [
            Nonlinearity::Relu,
            Nonlinearity::BatchTopK { threshold: 4.0 },
            Nonlinearity::JumpRelu { threshold: vec![1.0; 24] },
            Nonlinearity::JumpReluPerSource { threshold: per_source },
        ] {
            let (dictionary, sources) = random(nonlinearity);
            let folded = dictionary.fold().unwrap();
            assert_eq!(folded.scaling, None);
            assert_same_map(&dictionary, &folded, &sources);
            // The inverse with the scaling it had, and with another one.
            let scaling = dictionary.scaling.clone().unwrap();
            let back = folded.with_scaling(scaling).unwrap();
            assert_close(&back.encoder, &dictionary.encoder, 1e-6);
            assert_close(&back.decoder_bias, &dictionary.decoder_bias, 1e-5);
            let other = Scaling { mean: vec![0.5; 24], scale: vec![2.0; 3] };
            assert_same_map(&dictionary, &dictionary.with_scaling(other).unwrap(), &sources);
        }
    }

    #[test]
    fn folded_numbers_are_those_computed_by_hand() {
        let scaling = Scaling { mean: vec![1.0, 0.0, 0.0, 1.0], scale: vec![2.0, 0.5] };
        let folded = Dictionary { scaling: Some(scaling), nonlinearity: Nonlinearity::BatchTopK { threshold: 3.0 }, ..tiny() }
            .fold()
            .unwrap();
        assert_eq!(folded.encoder[..3], [2.0, 0.0, 4.0]);
        assert_eq!(folded.encoder_bias, [0.5 - 2.0, -1.0 + 0.5, -4.0 - 0.5]);
        assert_eq!(folded.decoder[..2], [1.5, 2.0]);
        assert_eq!(folded.decoder_bias, [0.125 + 1.0, 0.0, 0.0, -1.0 + 1.0]);
        assert_eq!(folded.nonlinearity, Nonlinearity::JumpRelu { threshold: vec![0.3, 3.0, 1.0] });
    }

    #[test]
    fn a_raw_dictionary_folds_to_itself_and_a_useless_scaling_is_refused() {
        assert_eq!(tiny().fold().unwrap(), tiny());
        assert!(tiny().with_scaling(Scaling { mean: vec![0.0; 4], scale: vec![1.0] }).is_err());
        assert!(tiny().with_scaling(Scaling { mean: vec![0.0; 4], scale: vec![1.0, -1.0] }).is_err());
    }

    #[test]
    fn a_latent_without_decoder_vector_never_passes_a_batch_top_k_threshold() {
        let mut dictionary = Dictionary { nonlinearity: Nonlinearity::BatchTopK { threshold: 0.1 }, ..tiny() };
        for s in 0..2 {
            dictionary.decoder[s * 6..s * 6 + 2].fill(0.0);
        }
        let codes = dictionary.encode(&inputs()).unwrap();
        assert_eq!((codes[0], codes[1]), (0.0, 2.0));
        assert!(dictionary.with_scaling(Scaling { mean: vec![0.0; 4], scale: vec![2.0; 2] }).is_ok());
    }
}
