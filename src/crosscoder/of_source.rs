//! What a kept fit holds of one source: codes behind their gate, vectors and biases in raw units.
//!
//! A fit keeps one activation per latent and input, with every gate open that is open anywhere. Where each source has a gate of its
//! own, that is not what the source sees, and taking it for that makes a latent act at checkpoints where it is silent. The gates are
//! in the file of the weights, so the codes of a source are read from there and nothing has to be encoded again.

use super::codes::Codes;
use super::null::Null;
use super::result::CrosscoderResult;
use crate::record::{UserError, Weights};

/// How codes are turned into activations of one source.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoding {
    /// Decoder `[m, d]`, raw activation units.
    pub vectors: Vec<f32>,
    /// Its bias `[d]`, raw activation units, the mean included.
    pub bias: Vec<f32>,
}

impl CrosscoderResult {
    /// Whether latents can be put into the networks of this fit and of its run.
    ///
    /// # Errors
    /// In nulls whose rows are not those of the run, and of activations whose network is not here.
    pub fn can_be_tried(&self) -> Result<(), UserError> {
        if self.foreign_rows().is_some() {
            return Err(UserError::new(
                "The network behind these activations is not here",
                "Try latents of a fit to checkpoints of a run",
            ));
        }
        match self.null() {
            Null::None | Null::Repeated => Ok(()),
            null => Err(UserError::new(
                format!("Of a null ({}) there is nothing to ask the network", null.title()),
                "Try latents of the fit itself",
            )),
        }
    }

    /// Codes of a latent as `source` sees them, `[rows]`: 0 where its gate is shut. Empty where activations were not kept.
    pub fn codes_at(&self, latent: u32, source: usize) -> Vec<f32> {
        let gate = self.gates().and_then(|gates| gates.get(source * self.latents.len() + latent as usize).copied());
        let through = |f: &f32| if gate.is_none_or(|gate| *f > gate) { *f } else { 0.0 };
        self.activations_of(latent).iter().map(through).collect()
    }

    /// Codes `[rows, m]`, per source where each has gates of its own.
    ///
    /// # Errors
    /// If activations were not kept.
    pub fn codes(&self) -> Result<Codes, UserError> {
        let latents = self.latents.len();
        let rows = self.activations.len().checked_div(latents).unwrap_or(0);
        if rows == 0 {
            return Err(UserError::new("The fit was kept without its activations", "Fit again"));
        }
        let with = |gate: &dyn Fn(usize) -> f32| -> Vec<f32> {
            let of = |row: usize, latent: usize| Some(self.activations[latent * rows + row]).filter(|f| *f > gate(latent));
            (0..rows * latents).map(|at| of(at / latents, at % latents).unwrap_or(0.0)).collect()
        };
        Ok(match self.gates() {
            Some(gates) => {
                Codes::per_source((0..self.sources.len()).map(|s| with(&|latent| gates[s * latents + latent])).collect())
            }
            // Not above 0: in signed blocks a code may be below.
            None => Codes::shared(with(&|_| f32::NEG_INFINITY)),
        })
    }

    /// The decoders, one per source.
    ///
    /// # Errors
    /// If the weights were not kept, or are of another shape.
    pub fn decoders(&self) -> Result<Vec<Decoding>, UserError> {
        let missing = || UserError::new("The fit was kept without its weights", "Fit again");
        let file = Weights::from_safetensors(&self.weights).map_err(|_| missing())?;
        let values = |name: &str| file.get(name).map(|tensor| &tensor.values).ok_or_else(missing);
        let (decoder, bias) = (values("decoder.weight")?, values("decoder.bias")?);
        let (means, scales) = (values("activation_mean")?, values("activation_scale")?);
        let (count, latents) = (self.sources.len(), self.latents.len());
        let width = bias.len().checked_div(count).unwrap_or(0);
        if decoder.len() != count * latents * width || means.len() != bias.len() || scales.len() != count {
            return Err(missing());
        }
        let of = |s: usize| {
            // Vectors of narrower sources are filled up to a common width.
            let own = width.min(self.sources[s].width as usize);
            let rows = decoder[s * latents * width..][..latents * width].chunks_exact(width.max(1));
            let vectors = rows.flat_map(|row| row[..own].iter().map(|v| v / scales[s])).collect();
            let bias = (s * width..s * width + own).map(|at| bias[at] / scales[s] + means[at]).collect();
            Decoding { vectors, bias }
        };
        Ok((0..count).map(of).collect())
    }

    /// θ on the code, `[S·m]`, where each source has gates of its own.
    fn gates(&self) -> Option<Vec<f32>> {
        if !self.config.variant.is_per_source() {
            return None;
        }
        let file = Weights::from_safetensors(&self.weights).ok()?;
        let gates = file.get("jump_relu_threshold").map(|tensor| tensor.values.clone())?;
        (gates.len() == self.sources.len() * self.latents.len()).then_some(gates)
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::Variant;
    use super::super::result::LatentClass;
    use super::super::test_fits::{fit, latent};
    use super::*;
    use crate::record::NamedTensor;

    fn gated() -> CrosscoderResult {
        let tensor = |name: &str, shape: Vec<usize>, values: Vec<f32>| NamedTensor { name: name.into(), shape, values };
        let tensors = vec![
            tensor("decoder.weight", vec![2, 2, 2], (1..9u8).map(f32::from).collect()),
            tensor("decoder.bias", vec![2, 2], vec![1.0, 2.0, 3.0, 4.0]),
            tensor("activation_mean", vec![2, 2], vec![0.5; 4]),
            tensor("activation_scale", vec![2], vec![1.0, 2.0]),
            tensor("jump_relu_threshold", vec![2, 2], vec![0.0, 1.0, 2.5, 0.0]),
        ];
        let bare = fit(&[0, 10], vec![latent(LatentClass::Stable, &[1.0, 1.0]), latent(LatentClass::Emergent, &[0.0, 1.0])]);
        let mut fit = CrosscoderResult {
            activations: vec![1.0, 2.0, 3.0, 0.5, 0.0, 2.0],
            weights: Weights { tensors }.to_safetensors(None).unwrap(),
            ..bare
        };
        fit.config.variant = Variant::BatchTopKPerSource;
        fit
    }

    #[test]
    fn a_source_sees_the_codes_that_pass_its_own_gate() {
        let mut fit = gated();
        assert_eq!((fit.codes_at(0, 0), fit.codes_at(0, 1)), (vec![1.0, 2.0, 3.0], vec![0.0, 0.0, 3.0]));
        assert_eq!((fit.codes_at(1, 0), fit.codes_at(1, 1)), (vec![0.0, 0.0, 2.0], vec![0.5, 0.0, 2.0]));
        let codes = fit.codes().unwrap();
        assert_eq!(codes.of(0), [1.0, 0.0, 2.0, 0.0, 3.0, 2.0]);
        assert_eq!(codes.of(1), [0.0, 0.5, 0.0, 0.0, 3.0, 2.0]);
        // With one gate for all there is nothing to look up.
        fit.config.variant = Variant::BatchTopK;
        assert_eq!(fit.codes_at(0, 1), [1.0, 2.0, 3.0]);
        assert!(!fit.codes().unwrap().are_per_source());
    }

    #[test]
    fn vectors_and_biases_come_back_in_raw_units() {
        let decoders = gated().decoders().unwrap();
        assert_eq!(decoders[0], Decoding { vectors: vec![1.0, 2.0, 3.0, 4.0], bias: vec![1.5, 2.5] });
        assert_eq!(decoders[1], Decoding { vectors: vec![2.5, 3.0, 3.5, 4.0], bias: vec![2.0, 2.5] });
        let bare = fit(&[0], vec![latent(LatentClass::Stable, &[1.0])]);
        assert!(bare.decoders().unwrap_err().cause.contains("without its weights"));
        assert!(bare.codes().unwrap_err().cause.contains("without its activations"));
    }
}
