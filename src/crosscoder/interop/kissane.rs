//! The layout of crosscoder-model-diff-replication, which crosscoding-through-time (Bayazit et al. 2025) keeps for 2–3
//! checkpoints: `W_enc [S, d, m]`, `W_dec [m, S, d]`, `b_enc [m]`, `b_dec [S, d]`, ReLU.
//!
//! The decoder's first axis is the latent, not the source: with S = m it would fit either way, so the axes are named here and
//! nowhere guessed. Those trainers scale activations to √d / mean norm and save the factors elsewhere, if at all.

use super::dictionary::{Dictionary, Nonlinearity};
use super::tensors::Tensors;
use crate::record::UserError;

const NAMES: [&str; 4] = ["W_enc", "W_dec", "b_enc", "b_dec"];

pub(super) fn read(file: &Tensors) -> Result<Dictionary, UserError> {
    file.only("a crosscoder with the names W_enc, W_dec, b_enc, b_dec", |name| NAMES.contains(&name))?;
    let [s, d, m] = file.three_axes("W_enc")?;
    let by_latent = file.shaped("W_dec", &[m, s, d])?;
    let of_source = |source| by_latent.chunks_exact(d).skip(source).step_by(s).flatten().copied();
    Ok(Dictionary {
        sources: s,
        width: d,
        latents: m,
        encoder: file.floats("W_enc")?,
        encoder_bias: file.shaped("b_enc", &[m])?,
        decoder: (0..s).flat_map(of_source).collect(),
        decoder_bias: file.shaped("b_dec", &[s, d])?,
        scaling: None,
        nonlinearity: Nonlinearity::Relu,
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::source::Source;
    use super::super::dictionary::tests::{inputs, tiny};
    use super::super::layout::{Layout, import};
    use super::super::tensors::tests::file;
    use super::*;
    use crate::record::{NamedTensor, Weights};
    use safetensors::SafeTensors;
    use std::collections::HashMap;

    /// The decoder of [`tiny`] with its axes as `[m, S, d]`, written out by hand.
    const BY_LATENT: [f32; 12] = [3.0, 4.0, 0.0, 5.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 2.0, 0.0];

    #[test]
    fn the_decoder_is_read_latent_first() {
        let tiny = tiny();
        let mut tensors: Vec<(&str, &[usize], &[f32])> = vec![
            ("W_enc", &[2, 2, 3], &tiny.encoder),
            ("b_enc", &[3], &tiny.encoder_bias),
            ("W_dec", &[3, 2, 2], &BY_LATENT),
            ("b_dec", &[2, 2], &tiny.decoder_bias),
        ];
        assert_eq!(import(&file(&tensors), None).unwrap(), (tiny.clone(), Layout::Kissane));
        tensors[2].1 = &[2, 3, 2];
        assert!(import(&file(&tensors), None).unwrap_err().cause.contains("W_dec"));
        tensors[2].1 = &[3, 2, 2];
        tensors.push(("threshold", &[3], &[0.0; 3]));
        assert!(import(&file(&tensors), None).unwrap_err().cause.contains("threshold"));
    }

    /// `tests/data/generate.py` (PyTorch, 64 bit): S = 3, d = 5, m = 11, N = 9, in this layout with other names.
    fn reference(bytes: &[u8]) -> (Dictionary, Vec<Source>, f64) {
        let file = SafeTensors::deserialize(bytes).unwrap();
        let values = |name: &str| -> Vec<f32> {
            let view = file.tensor(name).unwrap();
            view.data().chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap()) as f32).collect()
        };
        let named = HashMap::from([("W_enc", "w_enc"), ("W_dec", "w_dec"), ("b_enc", "b_enc"), ("b_dec", "b_dec")]);
        let tensor = |(name, theirs): (&&str, &&str)| {
            let theirs = format!("param.{theirs}");
            NamedTensor { name: (*name).into(), shape: file.tensor(&theirs).unwrap().shape().to_vec(), values: values(&theirs) }
        };
        let weights = Weights { tensors: named.iter().map(tensor).collect() }.to_safetensors(None).unwrap();
        let x = values("input.activations");
        let source = |s: usize| {
            let values = x.chunks_exact(5).skip(s).step_by(3).flatten().copied().collect();
            Source { step: s as u32, width: 5, values, place: crate::crosscoder::Place::default() }
        };
        (import(&weights, None).unwrap().0, (0..3).map(source).collect(), f64::from(values("loss.0")[0]))
    }

    /// Σ over sources and width of the squared error, mean over rows.
    fn squared_error(dictionary: &Dictionary, sources: &[Source], codes: &[f32]) -> f64 {
        let decoded = dictionary.decode(codes).unwrap();
        let errors = sources.iter().zip(&decoded).flat_map(|(source, x_hat)| source.values.iter().zip(x_hat));
        errors.map(|(x, x_hat)| f64::from(x - x_hat) * f64::from(x - x_hat)).sum::<f64>() / 9.0
    }

    fn norm_sums(dictionary: &Dictionary) -> Vec<f32> {
        (0..11).map(|i| (0..3).map(|s| dictionary.norms(s)[i]).sum()).collect()
    }

    #[test]
    fn codes_and_reconstructions_give_the_loss_of_the_independent_reference() {
        let (dictionary, sources, loss) = reference(include_bytes!("../../../tests/data/crosscoder_l1_of_norms.safetensors"));
        let codes = dictionary.encode(&sources).unwrap();
        let norms = norm_sums(&dictionary);
        let penalty = codes.iter().enumerate().map(|(i, f)| f64::from(f * norms[i % 11])).sum::<f64>() / 9.0;
        let ours = squared_error(&dictionary, &sources, &codes) + 0.7 * penalty;
        assert!((ours - loss).abs() < 1e-5 * loss, "{ours} {loss}");
    }

    #[test]
    fn the_batch_top_k_rule_gives_the_loss_of_the_independent_reference() {
        let (dictionary, sources, loss) = reference(include_bytes!("../../../tests/data/crosscoder_batch_top_k.safetensors"));
        // The reference keeps the N·k = 27 largest scores of the batch; a threshold half-way to the 28th does the same.
        let norms = norm_sums(&dictionary);
        let codes = dictionary.encode(&sources).unwrap();
        let mut scores: Vec<f32> = codes.iter().enumerate().map(|(i, f)| f * norms[i % 11]).collect();
        scores.sort_by(|a, b| b.total_cmp(a));
        let threshold = (scores[26] + scores[27]) / 2.0;
        let kept = Dictionary { nonlinearity: Nonlinearity::BatchTopK { threshold }, ..dictionary };
        let codes = kept.encode(&sources).unwrap();
        assert_eq!(codes.iter().filter(|f| **f > 0.0).count(), 27);
        let ours = squared_error(&kept, &sources, &codes);
        assert!((ours - loss).abs() < 1e-5 * loss, "{ours} {loss}");
    }

    #[test]
    fn half_precision_weights_are_read() {
        let tiny = tiny();
        let halves =
            |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|v| ((v.to_bits() >> 16) as u16).to_le_bytes()).collect() };
        let bytes = [halves(&tiny.encoder), halves(&BY_LATENT), halves(&tiny.encoder_bias), halves(&tiny.decoder_bias)];
        let shapes = [vec![2, 2, 3], vec![3, 2, 2], vec![3], vec![2, 2]];
        let views = NAMES.iter().zip(shapes).zip(&bytes).map(|((name, shape), bytes)| {
            (*name, safetensors::tensor::TensorView::new(safetensors::Dtype::BF16, shape, bytes).unwrap())
        });
        let bytes = safetensors::serialize(views, None).unwrap();
        assert_eq!(import(&bytes, None).unwrap().0.encode(&inputs()).unwrap(), tiny.encode(&inputs()).unwrap());
    }
}
