//! Crosscoders of OpenMOSS Language-Model-SAEs (Ge et al. 2025): `W_E [S, d, m]`, `b_E [S, m]`, `W_D [S, m, d]`, `b_D [S, d]`,
//! `log_jumprelu_threshold`.
//!
//! Three things would be lost by reading the names alone. The bias is per source and summed (their encoder adds the sources'
//! pre-activations). The gate is per source even with one threshold per latent, since it compares pre_i·‖D_i^s‖ with it. And
//! activations are scaled to √d / average norm unless the configuration says that the weights take them raw; the averages are
//! in the file either way, sometimes uninitialised, so without configuration they are not believed.

use super::dictionary::{Dictionary, Nonlinearity, Scaling, over_norm};
use super::tensors::Tensors;
use crate::record::UserError;
use serde_json::Value;

const NAMES: [&str; 4] = ["W_E", "b_E", "W_D", "b_D"];
const THRESHOLDS: [&str; 2] = ["log_jumprelu_threshold", "activation_function.log_jumprelu_threshold"];
/// Counters of training that inference does not read.
const COUNTERS: [&str; 3] = ["tokens_since_last_activation", "is_dead", "IGNORE"];
const AVERAGE: &str = "dataset_average_activation_norm.";

pub(super) fn read(file: &Tensors, config: &Value) -> Result<Dictionary, UserError> {
    let known = [&NAMES[..], &THRESHOLDS, &COUNTERS].concat();
    file.only("an OpenMOSS crosscoder", |name| known.contains(&name) || name.starts_with(AVERAGE))?;
    let [s, d, m] = file.three_axes("W_E")?;
    let biases = file.shaped("b_E", &[s, m])?;
    let mut dictionary = Dictionary {
        sources: s,
        width: d,
        latents: m,
        encoder: file.floats("W_E")?,
        encoder_bias: (0..m).map(|i| biases.iter().skip(i).step_by(m).sum()).collect(),
        decoder: file.shaped("W_D", &[s, m, d])?,
        decoder_bias: file.shaped("b_D", &[s, d])?,
        scaling: scaling(file, config, s, d)?,
        nonlinearity: Nonlinearity::Relu,
    };
    dictionary.nonlinearity = nonlinearity(file, config, &dictionary)?;
    Ok(dictionary)
}

fn nonlinearity(file: &Tensors, config: &Value, dictionary: &Dictionary) -> Result<Nonlinearity, UserError> {
    let (s, m) = (dictionary.sources, dictionary.latents);
    let Some(name) = THRESHOLDS.into_iter().find(|name| file.has(name)) else {
        return match config["act_fn"].as_str() {
            Some("relu") => Ok(Nonlinearity::Relu),
            other => Err(UserError::new(
                format!("There is no log_jumprelu_threshold, and the activation function is {}", other.unwrap_or("not said")),
                "Convert the crosscoder to JumpReLU, or give the config.json of one with act_fn relu",
            )),
        };
    };
    let logarithms = file.floats(name)?;
    if logarithms.len() != m && logarithms.len() != s * m {
        return Err(UserError::new(
            format!("{name} holds {} numbers for {s} sources and {m} latents", logarithms.len()),
            "Save it as [latent] or [source, latent]",
        ));
    }
    let norms = (0..s).flat_map(|s| dictionary.norms(s));
    let threshold = norms.zip(logarithms.iter().cycle()).map(|(norm, log)| over_norm(log.exp(), norm)).collect();
    Ok(Nonlinearity::JumpReluPerSource { threshold })
}

/// √d / average norm per source, in the order of the configuration's `hook_points`.
fn scaling(file: &Tensors, config: &Value, s: usize, d: usize) -> Result<Option<Scaling>, UserError> {
    let has_averages = file.names().iter().any(|name| name.starts_with(AVERAGE));
    match config["norm_activation"].as_str() {
        Some("inference") => return Ok(None),
        None if !has_averages => return Ok(None),
        Some("dataset-wise") => {}
        other => {
            return Err(UserError::new(
                format!(
                    "How activations are normalised is {}",
                    other.unwrap_or("not said, though average norms are in the file")
                ),
                "Give the config.json of a crosscoder with norm_activation dataset-wise or inference",
            ));
        }
    }
    let hooks: Vec<&str> = config["hook_points"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if hooks.len() != s {
        return Err(UserError::new(
            format!("The configuration names {} hook_points for {s} sources", hooks.len()),
            "Give the config.json that came with the weights",
        ));
    }
    let mut scale = Vec::with_capacity(s);
    for hook in hooks {
        let name = format!("{AVERAGE}{hook}");
        match file.floats(&name)?[..] {
            [average] if average > 0.0 && average.is_finite() => scale.push((d as f32).sqrt() / average),
            _ => return Err(UserError::new(format!("{name} is not one number above 0"), "Save the crosscoder again")),
        }
    }
    Ok(Some(Scaling { mean: vec![0.0; s * d], scale }))
}

#[cfg(test)]
mod tests {
    use super::super::dictionary::tests::{assert_close, inputs, tiny};
    use super::super::layout::{Layout, import};
    use super::super::tensors::tests::file;
    use super::*;

    type Part<'a> = (&'a str, &'a [usize], &'a [f32]);

    fn with(more: &[Part], config: Option<&str>) -> Result<(Dictionary, Layout), UserError> {
        let tiny = tiny();
        // b_E: [tiny's bias − 1, 1] sums to it.
        let biases: Vec<f32> = tiny.encoder_bias.iter().map(|b| b - 1.0).chain([1.0; 3]).collect();
        let mut tensors: Vec<Part> = vec![
            ("W_E", &[2, 2, 3], &tiny.encoder),
            ("b_E", &[2, 3], &biases),
            ("W_D", &[2, 3, 2], &tiny.decoder),
            ("b_D", &[2, 2], &tiny.decoder_bias),
        ];
        tensors.extend(more);
        import(&file(&tensors), config)
    }

    #[test]
    fn the_gate_of_each_source_weighs_the_pre_activation_with_its_decoder_norm() {
        // Pre-activations of row 0: 2.5, 2, 1. Norms: (5, 1, 1) and (5, 0, 2).
        let log: Vec<f32> = [10.0f32, 3.0, 1.5].iter().map(|t| t.ln()).collect();
        let (dictionary, layout) = with(&[("activation_function.log_jumprelu_threshold", &[3], &log)], None).unwrap();
        assert_eq!((layout, &dictionary.encoder_bias), (Layout::OpenMoss, &tiny().encoder_bias));
        let codes = dictionary.encode(&inputs()).unwrap();
        // Scores of source 0: 12.5 > 10, 2 < 3, 1 < 1.5; of source 1: 12.5 > 10, 0, 2 > 1.5.
        assert_close(&codes[..3], &[2.5, 0.0, 1.0], 1e-6);
        let decoded = dictionary.decode(&codes).unwrap();
        assert_close(&decoded[0][..2], &[7.5 + 0.25, 10.0], 1e-6);
        assert_close(&decoded[1][..2], &[2.0, 12.5 - 0.5], 1e-6);
        let per_source = log.repeat(2);
        assert_eq!(with(&[("log_jumprelu_threshold", &[2, 3], &per_source)], None).unwrap().0, dictionary);
    }

    #[test]
    fn average_norms_are_used_only_where_the_configuration_says_so() {
        let log = [0.0; 3];
        let parts: [Part; 3] = [
            ("log_jumprelu_threshold", &[3], &log),
            ("dataset_average_activation_norm.late", &[], &[2.0]),
            ("dataset_average_activation_norm.early", &[1], &[4.0]),
        ];
        let scaled = r#"{"norm_activation": "dataset-wise", "hook_points": ["early", "late"]}"#;
        let scale = vec![2f32.sqrt() / 4.0, 2f32.sqrt() / 2.0];
        assert_eq!(with(&parts, Some(scaled)).unwrap().0.scaling, Some(Scaling { mean: vec![0.0; 4], scale }));
        assert_eq!(with(&parts, Some(r#"{"norm_activation": "inference"}"#)).unwrap().0.scaling, None);
        let cause = |config: Option<&str>| with(&parts, config).unwrap_err().cause;
        assert!(cause(None).contains("not said"));
        assert!(cause(Some(r#"{"norm_activation": "token-wise"}"#)).contains("token-wise"));
        assert!(cause(Some(r#"{"norm_activation": "dataset-wise", "hook_points": ["early"]}"#)).contains("1 hook_points"));
        assert!(cause(Some(r#"{"norm_activation": "dataset-wise", "hook_points": ["early", "x"]}"#)).contains("norm.x"));
    }

    #[test]
    fn a_code_that_depends_on_the_batch_is_refused() {
        assert!(with(&[], None).unwrap_err().cause.contains("not said"));
        assert!(with(&[], Some(r#"{"act_fn": "batchtopk"}"#)).unwrap_err().cause.contains("batchtopk"));
        assert_eq!(with(&[], Some(r#"{"act_fn": "relu"}"#)).unwrap().0, tiny());
        assert!(with(&[("log_jumprelu_threshold", &[2], &[0.0; 2])], None).unwrap_err().cause.contains("2 numbers"));
        assert!(with(&[("W_skip", &[1], &[0.0])], None).unwrap_err().cause.contains("W_skip"));
    }
}
