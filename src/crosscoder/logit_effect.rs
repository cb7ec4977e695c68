//! What a latent's decoder adds to each logit: does it push the answers it fires on?
//!
//! A latent can fire for one answer and be read for another, or not at all; its map over the inputs cannot tell. From some hooks
//! to the logits the network is linear, so the answer is exact and costs one product of a vector with one or two matrices. From
//! the others it is not, and a product with the same matrices would be a number without a meaning: those are refused with the
//! reason. Rejected: a linear approximation at the mean activation, which LayerNorm and ReLU make true of no input. Biases do
//! not appear, because a difference of logits has none.

use super::config::Hook;
use crate::experiment::Experiment;
use crate::record::{NamedTensor, UserError, Weights};
use crate::task::rule_of;

/// What one unit of a latent's activation adds to each logit: `decoder` `[d]` in raw units of the activation at `hook`, carried
/// through what follows in a checkpoint's `weights` → `[classes]`, in logits (outputs, where the loss compares numbers) per unit.
/// - `logits`: the decoder itself.
/// - `resid_post` of a transformer without a norm before the unembedding: D·W_U; the same at `resid_mid` and, without any norm,
///   at `attn_out` where there is no MLP block.
/// - `mlp_post`: D·W_out·W_U in a transformer without norms, D·W_out in a perceptron.
///
/// # Errors
/// Where the logits are not linear in the activation, with the reason; where outputs are not one per answer; where the weights
/// do not belong to the experiment.
pub fn logit_effect(experiment: &Experiment, weights: &Weights, hook: Hook, decoder: &[f32]) -> Result<Vec<f32>, UserError> {
    let mut effect: Vec<f64> = decoder.iter().map(|&d| f64::from(d)).collect();
    for map in maps(experiment, hook)? {
        effect = map.applied(&effect, weights)?;
    }
    // The hook at the logits stands behind the multiplier.
    let multiplier = experiment.model.settings.number("output_multiplier");
    if hook != Hook::Logits && multiplier > 0.0 {
        effect.iter_mut().for_each(|value| *value *= multiplier);
    }
    let classes = rule_of(experiment).map_or(0, |rule| rule.sizes().classes as usize);
    if effect.len() != classes {
        return Err(UserError::new(
            format!("This network has {} outputs for {classes} answers, so there is no logit of an answer", effect.len()),
            "Choose a task and a loss with one output per answer",
        ));
    }
    Ok(effect.into_iter().map(|value| value as f32).collect())
}

/// A matrix of the checkpoint.
struct Map {
    name: String,
    /// The first `rows` rows of the tensor, transposed (a tied unembedding).
    transposed_rows: Option<usize>,
}

impl Map {
    fn plain(name: impl Into<String>) -> Self {
        Self { name: name.into(), transposed_rows: None }
    }

    /// x `[rows]` times the matrix → `[columns]`.
    fn applied(&self, x: &[f64], weights: &Weights) -> Result<Vec<f64>, UserError> {
        let misfit = || {
            UserError::new(
                format!("The checkpoint has no {} that takes {} numbers", self.name, x.len()),
                "Fit a crosscoder to this run's own checkpoints",
            )
        };
        let NamedTensor { shape, values, .. } = weights.get(&self.name).ok_or_else(misfit)?;
        let &[rows, columns] = &shape[..] else { return Err(misfit()) };
        let row = |index: usize| values.get(index * columns..(index + 1) * columns).ok_or_else(misfit);
        if let Some(wanted) = self.transposed_rows {
            if columns != x.len() {
                return Err(misfit());
            }
            return (0..wanted).map(|index| Ok(row(index)?.iter().zip(x).map(|(&w, x)| f64::from(w) * x).sum())).collect();
        }
        if rows != x.len() {
            return Err(misfit());
        }
        let mut sums = vec![0.0; columns];
        for (index, x) in x.iter().enumerate() {
            sums.iter_mut().zip(row(index)?).for_each(|(sum, &w)| *sum += f64::from(w) * x);
        }
        Ok(sums)
    }
}

/// The matrices from the activation at `hook` to the outputs, or why they are not the whole way.
fn maps(experiment: &Experiment, hook: Hook) -> Result<Vec<Map>, UserError> {
    if hook == Hook::Logits {
        return Ok(Vec::new());
    }
    let settings = &experiment.model.settings;
    match (experiment.model.architecture.as_str(), hook) {
        ("transformer", _) => of_transformer(experiment, hook),
        ("mlp" | "encoder_decoder", Hook::MlpPost) => Ok(vec![Map::plain("w_out")]),
        ("embedding_mlp", Hook::MlpPost) if settings.text("embedding") != "tied" => Ok(vec![Map::plain("unembed")]),
        (_, Hook::MlpPost) => Err(curved("The way from these neurons to the outputs is not one matrix")),
        (_, Hook::MlpPre) => Err(curved(NONLINEARITY)),
        _ => Err(curved("Between this activation and the outputs stand hidden neurons")),
    }
}

const NONLINEARITY: &str = "Between this activation and the outputs stands the neurons' non-linearity";

fn of_transformer(experiment: &Experiment, hook: Hook) -> Result<Vec<Map>, UserError> {
    let settings = &experiment.model.settings;
    let tied = settings.is_on("tied").then(|| rule_of(experiment).map_or(0, |rule| rule.sizes().tokens as usize));
    let unembed = match tied {
        Some(_) => Map { name: "embed".into(), transposed_rows: tied },
        None => Map::plain("unembed"),
    };
    let has_mlp = settings.integer("mlp_width") > 0;
    let norm_before_unembedding = matches!(settings.text("norm"), "pre" | "rms");
    let norm_after_sums = settings.text("norm") == "post";
    let of_stream = match hook {
        Hook::ResidPost => true,
        Hook::ResidMid => !has_mlp,
        Hook::AttnOut => !has_mlp && !norm_after_sums,
        _ => false,
    };
    match hook {
        Hook::Embed | Hook::Pattern => Err(curved("Between this activation and the outputs stands attention")),
        Hook::MlpPre => Err(curved(NONLINEARITY)),
        _ if norm_before_unembedding => {
            Err(curved("A norm stands before the unembedding: what a latent adds depends on everything else in the stream"))
        }
        Hook::MlpPost | Hook::AttnOut if norm_after_sums => {
            Err(curved("A norm follows each sum of the residual stream: what a latent adds depends on everything else in it"))
        }
        Hook::MlpPost => {
            let last = if settings.integer("layers") > 1 { "w_out_2" } else { "w_out" };
            Ok(vec![Map::plain(last), unembed])
        }
        _ if of_stream => Ok(vec![unembed]),
        _ => Err(curved("Between this activation and the outputs stands the MLP block, which is not linear")),
    }
}

fn curved(cause: &str) -> UserError {
    UserError::new(cause, "Fit at resid_post without a norm, at mlp_post or at logits to see it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{preset, with_value};

    fn tensor(name: &str, rows: usize, columns: usize, value: impl Fn(usize, usize) -> f64) -> NamedTensor {
        let values = (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c))).map(|(r, c)| value(r, c) as f32).collect();
        NamedTensor { name: name.into(), shape: vec![rows, columns], values }
    }

    fn experiment(name: &str, changes: &[(&str, &str)]) -> Experiment {
        let start = preset(name).unwrap().experiment.clone();
        changes.iter().fold(start, |experiment, (path, text)| with_value(&experiment, path, text).unwrap())
    }

    fn transformer(changes: &[(&str, &str)]) -> Experiment {
        let small = [("task.modulus", "7"), ("model.d_model", "4"), ("model.heads", "2"), ("model.mlp_width", "3")];
        experiment("transformer-59-mirror", &[&small, changes].concat())
    }

    /// d = 4, three neurons, seven answers.
    fn weights() -> Weights {
        Weights {
            tensors: vec![
                tensor("unembed", 4, 7, |r, c| (r * 7 + c) as f64),
                tensor("w_out", 3, 4, |r, c| if r == c { 2.0 } else { 0.0 }),
                tensor("w_out_2", 3, 4, |r, c| if r == c { -1.0 } else { 0.0 }),
                // The row of "=" is no answer.
                tensor("embed", 8, 4, |r, c| if c == 1 { r as f64 } else { 100.0 * f64::from(r == 7) }),
            ],
        }
    }

    fn effect(experiment: &Experiment, hook: Hook, decoder: &[f32]) -> Vec<f32> {
        logit_effect(experiment, &weights(), hook, decoder).unwrap()
    }

    const ROW_1: [f32; 7] = [7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0];

    #[test]
    fn at_the_logits_it_is_the_decoder_whatever_the_network() {
        let decoder = [0.5, -1.0, 0.0, 2.0, 0.0, 0.0, 1.0];
        for changes in [&[][..], &[("model.norm", "pre")], &[("model.output_multiplier", "3")]] {
            assert_eq!(effect(&transformer(changes), Hook::Logits, &decoder), decoder);
        }
    }

    #[test]
    fn in_the_residual_stream_it_is_the_unembedding() {
        assert_eq!(effect(&transformer(&[]), Hook::ResidPost, &[0.0, 1.0, 0.0, 0.0]), ROW_1);
        // By hand: 2·column of row 0 − column of row 3 = 2c − (21 + c).
        let expected: Vec<f32> = (0..7).map(|c| c as f32 - 21.0).collect();
        assert_eq!(effect(&transformer(&[]), Hook::ResidPost, &[2.0, 0.0, 0.0, -1.0]), expected);
        // A norm on each sum lies before the hook.
        assert_eq!(effect(&transformer(&[("model.norm", "post")]), Hook::ResidPost, &[0.0, 1.0, 0.0, 0.0]), ROW_1);
        assert_eq!(effect(&transformer(&[("model.mlp_width", "0")]), Hook::ResidMid, &[0.0, 1.0, 0.0, 0.0]), ROW_1);
        assert_eq!(effect(&transformer(&[("model.mlp_width", "0")]), Hook::AttnOut, &[0.0, 1.0, 0.0, 0.0]), ROW_1);
    }

    #[test]
    fn a_tied_unembedding_is_the_transposed_embedding_without_the_sign_of_equality() {
        let tied = transformer(&[("model.tied", "true")]);
        assert_eq!(effect(&tied, Hook::ResidPost, &[0.0, 1.0, 0.0, 0.0]), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    fn from_the_neurons_it_goes_through_the_last_blocks_output_matrix() {
        let twice = ROW_1.map(|value| 2.0 * value);
        assert_eq!(effect(&transformer(&[]), Hook::MlpPost, &[0.0, 1.0, 0.0]), twice);
        let two_layers = transformer(&[("model.layers", "2")]);
        assert_eq!(effect(&two_layers, Hook::MlpPost, &[0.0, 1.0, 0.0]), ROW_1.map(|value| -value));
        assert_eq!(effect(&transformer(&[("model.output_multiplier", "0.5")]), Hook::MlpPost, &[0.0, 1.0, 0.0]), ROW_1);
    }

    #[test]
    fn a_perceptron_has_one_matrix_left() {
        let network = experiment("quadratic-31", &[("model.width", "3"), ("task.modulus", "7")]);
        let weights = Weights { tensors: vec![tensor("w_out", 3, 7, |r, c| (10 * r + c) as f64)] };
        let found = logit_effect(&network, &weights, Hook::MlpPost, &[1.0, 0.0, -1.0]).unwrap();
        assert_eq!(found, [-20.0; 7]);
    }

    #[test]
    fn it_is_what_a_small_step_along_the_decoder_does_to_the_logits() {
        // Reference: the written-out end of the network, (h + ε·D)·W_out·W_U − h·W_out·W_U, at another h.
        let (weights, hidden, decoder) = (weights(), [0.3, -0.2, 0.7], [0.4f32, -1.0, 0.1]);
        let logits = |hidden: [f64; 3]| -> Vec<f64> {
            let at = |name: &str, r: usize, c: usize| {
                let tensor = weights.get(name).unwrap();
                f64::from(tensor.values[r * tensor.shape[1] + c])
            };
            let stream: Vec<f64> = (0..4).map(|c| (0..3).map(|r| hidden[r] * at("w_out", r, c)).sum()).collect();
            (0..7).map(|c| (0..4).map(|r| stream[r] * at("unembed", r, c)).sum()).collect()
        };
        let moved = [0, 1, 2].map(|k| hidden[k] + 1e-3 * f64::from(decoder[k]));
        let (before, after) = (logits(hidden), logits(moved));
        for (class, found) in effect(&transformer(&[]), Hook::MlpPost, &decoder).into_iter().enumerate() {
            let expected = (after[class] - before[class]) / 1e-3;
            assert!((f64::from(found) - expected).abs() < 1e-4, "{class}: {found} {expected}");
        }
    }

    #[test]
    fn where_the_way_is_not_linear_the_reason_is_given() {
        let why = |changes: &[(&str, &str)], hook: Hook| {
            logit_effect(&transformer(changes), &weights(), hook, &[1.0; 4]).unwrap_err().cause
        };
        assert!(why(&[("model.norm", "pre")], Hook::ResidPost).contains("norm stands before the unembedding"));
        assert!(why(&[("model.norm", "rms")], Hook::MlpPost).contains("norm stands before the unembedding"));
        assert!(why(&[("model.norm", "post")], Hook::MlpPost).contains("norm follows each sum"));
        assert!(why(&[], Hook::ResidMid).contains("MLP block"));
        assert!(why(&[], Hook::AttnOut).contains("MLP block"));
        assert!(why(&[], Hook::MlpPre).contains("non-linearity"));
        assert!(why(&[], Hook::Embed).contains("attention") && why(&[], Hook::Pattern).contains("attention"));
        let network = experiment("quadratic-31", &[]);
        assert!(logit_effect(&network, &weights(), Hook::Embed, &[1.0; 62]).unwrap_err().cause.contains("hidden neurons"));
    }

    #[test]
    fn weights_of_another_network_are_refused() {
        let missing = logit_effect(&transformer(&[]), &Weights::default(), Hook::ResidPost, &[1.0; 4]);
        assert!(missing.unwrap_err().cause.contains("unembed"));
        assert!(logit_effect(&transformer(&[]), &weights(), Hook::ResidPost, &[1.0; 5]).is_err());
        let other = transformer(&[("task.modulus", "11")]);
        assert!(logit_effect(&other, &weights(), Hook::ResidPost, &[1.0; 4]).unwrap_err().cause.contains("11 answers"));
        let broken = NamedTensor { name: "unembed".into(), shape: vec![4, 7], values: vec![0.0; 9] };
        assert!(logit_effect(&transformer(&[]), &Weights { tensors: vec![broken] }, Hook::ResidPost, &[1.0; 4]).is_err());
    }
}
