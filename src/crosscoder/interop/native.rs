//! This program's own layout, with the names of crosscoder_learning (Minder et al. 2025).
//!
//! Without a reader a fit in an archive is a picture of itself: nothing could be encoded again. Files of crosscoder_learning
//! differ in extras only. Their `threshold` has no axis and is −1 until training sets it, when codes would depend on the batch;
//! and their `code_normalization_id` names the norm that goes with it, of which the sum (1) is the one read here.

use super::dictionary::{Dictionary, Nonlinearity, Scaling};
use super::tensors::Tensors;
use crate::record::{NamedTensor, UserError, Weights};

const NAMES: [&str; 12] = [
    "encoder.weight",
    "encoder.bias",
    "decoder.weight",
    "decoder.bias",
    "activation_mean",
    "activation_scale",
    "threshold",
    "jump_relu_threshold",
    "block_threshold",
    "block_width",
    "code_normalization_id",
    "k",
];

/// crosscoder_learning's number for Σ_s‖D_i^s‖.
const SUM_OF_NORMS: u16 = 1;

pub(super) fn read(file: &Tensors) -> Result<Dictionary, UserError> {
    file.only("a crosscoder_learning file", |name| NAMES.contains(&name))?;
    let [s, d, m] = file.three_axes("encoder.weight")?;
    let scaling = if file.has("activation_mean") || file.has("activation_scale") {
        Some(Scaling { mean: file.shaped("activation_mean", &[s, d])?, scale: file.shaped("activation_scale", &[s])? })
    } else {
        None
    };
    Ok(Dictionary {
        sources: s,
        width: d,
        latents: m,
        encoder: file.floats("encoder.weight")?,
        encoder_bias: file.shaped("encoder.bias", &[m])?,
        decoder: file.shaped("decoder.weight", &[s, m, d])?,
        decoder_bias: file.shaped("decoder.bias", &[s, d])?,
        scaling,
        nonlinearity: nonlinearity(file, s, m)?,
    })
}

fn nonlinearity(file: &Tensors, s: usize, m: usize) -> Result<Nonlinearity, UserError> {
    if file.has("jump_relu_threshold") {
        return if file.shape("jump_relu_threshold").len() == 2 {
            Ok(Nonlinearity::JumpReluPerSource { threshold: file.shaped("jump_relu_threshold", &[s, m])? })
        } else {
            Ok(Nonlinearity::JumpRelu { threshold: file.shaped("jump_relu_threshold", &[m])? })
        };
    }
    if file.has("block_threshold") || file.has("block_width") {
        let width = file.shaped("block_width", &[1])?[0];
        if width < 1.0 || width.fract() != 0.0 || width > m as f32 {
            return Err(UserError::new(format!("A block cannot be {width} latents wide"), "Export the dictionary again"));
        }
        return Ok(Nonlinearity::Blocks { width: width as usize, threshold: file.shaped("block_threshold", &[1])?[0] });
    }
    if !file.has("threshold") {
        return Ok(Nonlinearity::Relu);
    }
    if file.has("code_normalization_id") && file.whole("code_normalization_id")? != [SUM_OF_NORMS] {
        return Err(UserError::new(
            "The threshold is on another norm than the sum over sources (code_normalization is not CROSSCODER)",
            "Divide it by that norm and save it as jump_relu_threshold [latent] or [source, latent]",
        ));
    }
    match file.floats("threshold")?[..] {
        [threshold] if threshold >= 0.0 => Ok(Nonlinearity::BatchTopK { threshold }),
        [_] => Err(UserError::new(
            "The threshold was never set (it is below 0), so codes would depend on the batch",
            "Train past the step at which the threshold starts",
        )),
        _ => Err(UserError::new("The threshold is not one number", "Save thresholds per latent as jump_relu_threshold")),
    }
}

impl Dictionary {
    /// The dictionary as safetensors: `encoder.weight [S, d, m]`, `encoder.bias [m]`, `decoder.weight [S, m, d]`,
    /// `decoder.bias [S, d]`, with scaling `activation_mean [S, d]` and `activation_scale [S]`, and `threshold [1]` (batch
    /// top-k), `block_threshold [1]` and `block_width [1]` (signed blocks), or `jump_relu_threshold` `[m]` or `[S, m]`.
    ///
    /// # Errors
    /// As [`Dictionary::check`].
    pub fn to_safetensors(&self) -> Result<Vec<u8>, UserError> {
        self.check()?;
        let (s, d, m) = (self.sources, self.width, self.latents);
        let mut parts: Vec<(&str, Vec<usize>, &[f32])> = vec![
            ("encoder.weight", vec![s, d, m], &self.encoder),
            ("encoder.bias", vec![m], &self.encoder_bias),
            ("decoder.weight", vec![s, m, d], &self.decoder),
            ("decoder.bias", vec![s, d], &self.decoder_bias),
        ];
        if let Some(scaling) = &self.scaling {
            parts.push(("activation_mean", vec![s, d], &scaling.mean));
            parts.push(("activation_scale", vec![s], &scaling.scale));
        }
        match &self.nonlinearity {
            Nonlinearity::Relu | Nonlinearity::Blocks { .. } => {}
            Nonlinearity::BatchTopK { threshold } => parts.push(("threshold", vec![1], std::slice::from_ref(threshold))),
            Nonlinearity::JumpRelu { threshold } => parts.push(("jump_relu_threshold", vec![m], threshold)),
            Nonlinearity::JumpReluPerSource { threshold } => parts.push(("jump_relu_threshold", vec![s, m], threshold)),
        }
        let block_width =
            if let Nonlinearity::Blocks { width, .. } = self.nonlinearity { vec![width as f32] } else { Vec::new() };
        if let Nonlinearity::Blocks { threshold, .. } = &self.nonlinearity {
            parts.push(("block_threshold", vec![1], std::slice::from_ref(threshold)));
            parts.push(("block_width", vec![1], &block_width));
        }
        let tensor =
            |(name, shape, values): (&str, Vec<usize>, &[f32])| NamedTensor { name: name.into(), shape, values: values.to_vec() };
        Weights { tensors: parts.into_iter().map(tensor).collect() }.to_safetensors(None)
    }
}

#[cfg(test)]
mod tests {
    use super::super::dictionary::tests::{inputs, tiny};
    use super::super::layout::{Layout, import};
    use super::super::tensors::tests::file;
    use super::*;

    #[test]
    fn what_is_written_is_read_back_with_every_rule_and_scaling() {
        let scaling = Scaling { mean: vec![0.5, -0.5, 1.0, 0.0], scale: vec![2.0, 0.25] };
        for nonlinearity in [
            Nonlinearity::Relu,
            Nonlinearity::BatchTopK { threshold: 2.5 },
            Nonlinearity::JumpRelu { threshold: vec![0.1, 0.2, 0.3] },
            Nonlinearity::JumpReluPerSource { threshold: vec![0.1, 0.2, 0.3, 1.0, 2.0, 3.0] },
            Nonlinearity::Blocks { width: 3, threshold: 2.0 },
        ] {
            for scaling in [None, Some(scaling.clone())] {
                let dictionary = Dictionary { scaling, nonlinearity: nonlinearity.clone(), ..tiny() };
                let (read, layout) = import(&dictionary.to_safetensors().unwrap(), None).unwrap();
                assert_eq!((&read, layout), (&dictionary, Layout::Native));
                assert_eq!(read.encode(&inputs()).unwrap(), dictionary.encode(&inputs()).unwrap());
            }
        }
    }

    /// The tensors of [`tiny`], with more.
    fn with(more: &[(&str, &[usize], &[f32])]) -> Result<Dictionary, UserError> {
        let tiny = tiny();
        let mut tensors: Vec<(&str, &[usize], &[f32])> = vec![
            ("encoder.weight", &[2, 2, 3], &tiny.encoder),
            ("encoder.bias", &[3], &tiny.encoder_bias),
            ("decoder.weight", &[2, 3, 2], &tiny.decoder),
            ("decoder.bias", &[2, 2], &tiny.decoder_bias),
        ];
        tensors.extend(more);
        import(&file(&tensors), None).map(|(dictionary, _)| dictionary)
    }

    #[test]
    fn a_file_of_crosscoder_learning_is_read() {
        let read = with(&[("threshold", &[], &[2.5]), ("k", &[], &[100.0]), ("code_normalization_id", &[], &[1.0])]).unwrap();
        assert_eq!(read.nonlinearity, Nonlinearity::BatchTopK { threshold: 2.5 });
    }

    #[test]
    fn rules_that_cannot_be_applied_are_refused() {
        let cause = |more: &[(&str, &[usize], &[f32])]| with(more).unwrap_err().cause;
        assert!(cause(&[("threshold", &[], &[-1.0])]).contains("never set"));
        assert!(cause(&[("threshold", &[], &[1.0]), ("code_normalization_id", &[], &[2.0])]).contains("norm"));
        assert!(cause(&[("threshold", &[2], &[1.0, 1.0])]).contains("not one number"));
        assert!(cause(&[("activation_std", &[2, 2], &[1.0; 4])]).contains("activation_std"));
        assert!(cause(&[("activation_mean", &[2, 2], &[1.0; 4])]).contains("activation_scale"));
        assert!(cause(&[("activation_mean", &[4], &[1.0; 4]), ("activation_scale", &[2], &[1.0; 2])]).contains("shape"));
    }
}
