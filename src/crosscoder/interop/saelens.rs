//! SAELens: one SAE in a folder of `cfg.json` and `sae_weights.safetensors`.
//!
//! The weights alone do not say what they do: the same four tensors encode x or x − b_dec, normalised or not, with ReLU or with
//! a top-k over the batch. So `cfg.json` is asked for, and what is no plain affine map with a threshold is refused. Written are
//! JumpReLU SAEs in raw activation units, which need none of those switches. A crosscoder becomes one folder per source;
//! rejected: W_enc of that source alone as a working encoder, since a code is made from all sources together.

use super::dictionary::{Dictionary, Nonlinearity};
use super::tensors::Tensors;
use crate::record::{ArchiveFile, NamedTensor, UserError, Weights, is_safe};
use serde_json::{Value, json};

const NAMES: [&str; 4] = ["W_enc", "W_dec", "b_enc", "b_dec"];

const DECODER_ONLY: &str = "Decoder only: this source's W_enc is not its encoder. The code of a crosscoder is made from all \
    sources together, f = σ(Σ_s x^s W_enc^s + b_enc), so encoding one source with it alone gives other codes. W_dec and b_dec \
    decode codes of the crosscoder.";

pub(super) fn read(file: &Tensors, config: &Value) -> Result<Dictionary, UserError> {
    if !config.is_object() {
        return Err(UserError::new("SAELens weights do not say how they are applied", "Give their cfg.json as well"));
    }
    let architecture = said(config, &["architecture"], "standard");
    let has_threshold = architecture == "jumprelu";
    file.only("a SAELens SAE", |name| NAMES.contains(&name) || (has_threshold && name == "threshold"))?;
    let &[d, m] = &file.shape("W_enc")[..] else {
        return Err(UserError::new("W_enc has not two axes", "Save it as [width, latent]"));
    };
    let nonlinearity = match architecture.as_str() {
        "standard" => Nonlinearity::Relu,
        "jumprelu" => Nonlinearity::JumpRelu { threshold: file.shaped("threshold", &[m])? },
        other => {
            return Err(UserError::new(
                format!("The SAE's architecture is {other}; read are standard and jumprelu"),
                "Convert it to jumprelu, as SAELens does with a batch top-k SAE when it saves it for inference",
            ));
        }
    };
    // Before version 6 a top-k SAE was of architecture "standard" with another activation function.
    let function = said(config, &["activation_fn", "activation_fn_str"], "relu");
    if function != "relu" {
        return Err(UserError::new(format!("The SAE's activation function is {function}, not relu"), "Convert it to jumprelu"));
    }
    let normalised = said(config, &["normalize_activations"], "none");
    if normalised != "none" {
        return Err(UserError::new(
            format!("The SAE normalises activations ({normalised}) by a factor that is not in its files"),
            "Call fold_activation_norm_scaling_factor of SAELens and save it again",
        ));
    }
    let sizes = [config["d_in"].as_u64(), config["d_sae"].as_u64()];
    if sizes.iter().zip([d, m]).any(|(said, found)| said.is_some_and(|said| said != found as u64)) {
        return Err(UserError::new(
            format!("cfg.json says d_in and d_sae of another SAE than W_enc [{d}, {m}]"),
            "Give the cfg.json that came with the weights",
        ));
    }
    let mut dictionary = Dictionary {
        sources: 1,
        width: d,
        latents: m,
        encoder: file.floats("W_enc")?,
        encoder_bias: file.shaped("b_enc", &[m])?,
        decoder: file.shaped("W_dec", &[m, d])?,
        decoder_bias: file.shaped("b_dec", &[d])?,
        scaling: None,
        nonlinearity,
    };
    dictionary.check()?;
    if config["apply_b_dec_to_input"].as_bool().unwrap_or(true) {
        for (bias, weights) in dictionary.decoder_bias.iter().zip(dictionary.encoder.chunks_exact(m)) {
            dictionary.encoder_bias.iter_mut().zip(weights).for_each(|(b, weight)| *b -= bias * weight);
        }
    }
    Ok(dictionary)
}

/// The first of `fields` that is there. Left out, null or false, it has the value that SAELens gives it.
fn said(config: &Value, fields: &[&str], otherwise: &str) -> String {
    let found = fields.iter().map(|field| &config[*field]).find(|value| !matches!(value, Value::Null | Value::Bool(false)));
    found.map_or(otherwise.into(), |value| value.as_str().map_or_else(|| value.to_string(), str::to_string))
}

/// One folder `NAME/cfg.json`, `NAME/sae_weights.safetensors` per source, each a JumpReLU SAE in raw activation units; `names`
/// `[S]` name the folders. With more than one source they are decoders only, and their `metadata` says so.
///
/// # Errors
/// As [`Dictionary::check`], for signed blocks, or if there is not one name per source that a folder can have.
pub fn saelens_files(dictionary: &Dictionary, names: &[String]) -> Result<Vec<ArchiveFile>, UserError> {
    if matches!(dictionary.nonlinearity, Nonlinearity::Blocks { .. }) {
        return Err(UserError::new("SAELens has no layout for signed blocks", "Use this program's own layout"));
    }
    let folded = dictionary.fold()?;
    if names.len() != folded.sources {
        let cause = format!("{} names are given for {} sources", names.len(), folded.sources);
        return Err(UserError::new(cause, "Name each source once"));
    }
    if let Some(name) = names.iter().find(|name| name.contains('/') || !is_safe(name)) {
        return Err(UserError::new(format!("\"{name}\" is no name of a folder"), "Leave out / \\ : and .."));
    }
    let mut files = Vec::with_capacity(2 * names.len());
    for (s, name) in names.iter().enumerate() {
        let cfg = serde_json::to_vec_pretty(&cfg(&folded, s, name))
            .map_err(|e| UserError::new(format!("cfg.json could not be written ({e})"), "Report this"))?;
        files.push((format!("{name}/cfg.json"), cfg));
        files.push((format!("{name}/sae_weights.safetensors"), weights(&folded, s).to_safetensors(None)?));
    }
    Ok(files)
}

fn cfg(folded: &Dictionary, s: usize, name: &str) -> Value {
    // The version tells SAELens the form of this file; without one it takes it for an old one and drops the metadata.
    let mut metadata = json!({ "sae_lens_version": "6.0.0", "exported_by": "grokscope", "source": name });
    if folded.sources > 1 {
        metadata["decoder_only"] = Value::Bool(true);
        metadata["note"] = Value::from(DECODER_ONLY);
        metadata["crosscoder_sources"] = Value::from(folded.sources);
        metadata["crosscoder_source_index"] = Value::from(s);
    }
    json!({
        "architecture": "jumprelu",
        "d_in": folded.width,
        "d_sae": folded.latents,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": false,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": metadata,
    })
}

fn weights(folded: &Dictionary, s: usize) -> Weights {
    let (d, m) = (folded.width, folded.latents);
    let tensor = |name: &str, shape: &[usize], values: &[f32]| NamedTensor {
        name: name.into(),
        shape: shape.to_vec(),
        values: values.to_vec(),
    };
    Weights {
        tensors: vec![
            tensor("W_enc", &[d, m], &folded.encoder[s * d * m..(s + 1) * d * m]),
            tensor("W_dec", &[m, d], folded.decoder_of(s)),
            tensor("b_enc", &[m], &folded.encoder_bias),
            tensor("b_dec", &[d], folded.bias_of(s)),
            tensor("threshold", &[m], &folded.thresholds(s)),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::source::Source;
    use super::super::dictionary::Scaling;
    use super::super::dictionary::tests::{assert_close, inputs, tiny};
    use super::super::layout::{Layout, import};
    use super::super::tensors::tests::file;
    use super::*;

    /// The first source of the tiny crosscoder as an SAE, d = 2, m = 3.
    fn sae() -> Dictionary {
        let tiny = tiny();
        Dictionary {
            sources: 1,
            encoder: tiny.encoder[..6].to_vec(),
            decoder: tiny.decoder[..6].to_vec(),
            decoder_bias: tiny.decoder_bias[..2].to_vec(),
            ..tiny
        }
    }

    fn files(dictionary: &Dictionary) -> Vec<(Value, Vec<u8>)> {
        let names: Vec<String> = (0..dictionary.sources).map(|s| format!("step_{s}")).collect();
        let files = saelens_files(dictionary, &names).unwrap();
        assert_eq!(files[0].0, "step_0/cfg.json");
        assert_eq!(files[1].0, "step_0/sae_weights.safetensors");
        files.chunks_exact(2).map(|pair| (serde_json::from_slice(&pair[0].1).unwrap(), pair[1].1.clone())).collect()
    }

    #[test]
    fn one_source_comes_back_as_the_same_sae_in_raw_units() {
        let scaling = Scaling { mean: vec![1.0, -1.0], scale: vec![0.5] };
        let dictionary = Dictionary { scaling: Some(scaling), nonlinearity: Nonlinearity::BatchTopK { threshold: 1.5 }, ..sae() };
        let (cfg, weights) = files(&dictionary).remove(0);
        assert!(cfg["metadata"]["decoder_only"].is_null());
        let (read, layout) = import(&weights, Some(&cfg.to_string())).unwrap();
        assert_eq!((&read, layout), (&dictionary.fold().unwrap(), Layout::SaeLens));
        let x = &inputs()[..1];
        assert_close(&read.encode(x).unwrap(), &dictionary.encode(x).unwrap(), 1e-6);
    }

    #[test]
    fn the_sources_of_a_crosscoder_are_marked_as_decoders_only() {
        let files = files(&tiny());
        assert_eq!(files.len(), 2);
        for (s, (cfg, weights)) in files.iter().enumerate() {
            assert_eq!(cfg["metadata"]["decoder_only"], true);
            assert!(cfg["metadata"]["note"].as_str().unwrap().contains("all sources together"));
            let read = import(weights, Some(&cfg.to_string())).unwrap().0;
            assert_eq!(read.decode(&[2.5, 2.0, 1.0]).unwrap()[0], tiny().decode(&[2.5, 2.0, 1.0]).unwrap()[s]);
        }
        let names = ["late".into(), "../late".into()];
        assert!(saelens_files(&tiny(), &names).unwrap_err().cause.contains("../late"));
        assert!(saelens_files(&tiny(), &["one".into()]).unwrap_err().cause.contains("1 names"));
    }

    #[test]
    fn the_decoder_bias_is_taken_off_the_input_where_the_configuration_says_so() {
        let sae = sae();
        let weights = file(&[
            ("W_enc", &[2, 3], &sae.encoder),
            ("W_dec", &[3, 2], &sae.decoder),
            ("b_enc", &[3], &sae.encoder_bias),
            ("b_dec", &[2], &[1.0, -1.0]),
        ]);
        // x − b_dec = (0, 3): pre = (0 + .5, 3 − 1, −3).
        let x = [Source { step: 0, width: 2, values: vec![1.0, 2.0], place: crate::crosscoder::Place::default() }];
        let codes = |config: &str| import(&weights, Some(config)).unwrap().0.encode(&x).unwrap();
        assert_eq!(codes(r#"{"apply_b_dec_to_input": true}"#), [0.5, 2.0, 0.0]);
        assert_eq!(codes("{}"), [0.5, 2.0, 0.0], "true is the default of SAELens");
        assert_eq!(codes(r#"{"apply_b_dec_to_input": false}"#), [1.5, 1.0, 0.0]);
    }

    #[test]
    fn what_is_no_affine_map_with_a_threshold_is_refused() {
        let sae = sae();
        let parts: [(&str, &[usize], &[f32]); 4] = [
            ("W_enc", &[2, 3], &sae.encoder),
            ("W_dec", &[3, 2], &sae.decoder),
            ("b_enc", &[3], &sae.encoder_bias),
            ("b_dec", &[2], &sae.decoder_bias),
        ];
        let cause = |config: Option<&str>| import(&file(&parts), config).unwrap_err().cause;
        assert!(cause(None).contains("how they are applied"));
        assert!(cause(Some(r#"{"architecture": "matryoshka"}"#)).contains("matryoshka"));
        assert!(cause(Some(r#"{"architecture": "topk"}"#)).contains("topk"));
        assert!(cause(Some(r#"{"architecture": "jumprelu"}"#)).contains("threshold"));
        assert!(cause(Some(r#"{"normalize_activations": "layer_norm"}"#)).contains("layer_norm"));
        assert!(cause(Some(r#"{"normalize_activations": true}"#)).contains("true"));
        assert!(cause(Some(r#"{"activation_fn_str": "topk", "activation_fn": null}"#)).contains("topk"));
        assert!(import(&file(&parts), Some(r#"{"normalize_activations": false, "activation_fn_str": "relu"}"#)).is_ok());
        assert!(cause(Some(r#"{"d_in": 768}"#)).contains("another SAE"));
        let gated = [&parts[..], &[("threshold", &[3], &[1.0; 3])]].concat();
        assert!(import(&file(&gated), Some("{}")).unwrap_err().cause.contains("threshold"), "a ReLU SAE has none");
        let scaled = [&parts[..], &[("scaling_factor", &[3], &[1.0; 3])]].concat();
        assert!(import(&file(&scaled), Some("{}")).unwrap_err().cause.contains("scaling_factor"));
    }
}
