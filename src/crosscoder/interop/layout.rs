//! Whose file is this?
//!
//! A file is told by names and number of axes, not by asking the user: `W_enc` is a crosscoder's with three axes and an SAE's
//! with two, and the wrong guess would transpose a decoder in silence.

use super::dictionary::Dictionary;
use super::tensors::Tensors;
use super::{kissane, native, openmoss, saelens};
use crate::record::UserError;
use serde_json::Value;

/// A way to write a dictionary down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// This program's, with the names of crosscoder_learning (Minder et al. 2025): see `CrosscoderResult::weights`.
    Native,
    /// Language-Model-SAEs (Ge et al. 2025): `W_E [S, d, m]`, `b_E [S, m]`, `W_D [S, m, d]`, `b_D [S, d]`.
    OpenMoss,
    /// crosscoder-model-diff-replication and crosscoding-through-time (Bayazit et al. 2025): `W_enc [S, d, m]`,
    /// `W_dec [m, S, d]`, `b_enc [m]`, `b_dec [S, d]`.
    Kissane,
    /// A single SAE: `W_enc [d, m]`, `W_dec [m, d]`, `b_enc [m]`, `b_dec [d]`, and `cfg.json`.
    SaeLens,
}

impl Layout {
    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "Grokscope or crosscoder_learning",
            Self::OpenMoss => "OpenMOSS Language-Model-SAEs",
            Self::Kissane => "Kissane's crosscoder replication",
            Self::SaeLens => "SAELens",
        }
    }

    fn of(file: &Tensors) -> Result<Self, UserError> {
        let axes = |name: &str| file.shape(name).len();
        match (axes("encoder.weight"), axes("W_E"), axes("W_enc")) {
            (3, 0, 0) => Ok(Self::Native),
            (0, 3, 0) => Ok(Self::OpenMoss),
            (0, 0, 3) => Ok(Self::Kissane),
            (0, 0, 2) => Ok(Self::SaeLens),
            _ => Err(UserError::new(
                format!("The file's tensors ({}) are no crosscoder that this program knows", file.names().join(", ")),
                "Known are encoder.weight, W_E or W_enc with the axes [source, width, latent], and W_enc [width, latent] of SAELens",
            )),
        }
    }
}

/// Reads a dictionary from safetensors in any [`Layout`]. `config` is the text of the JSON file beside it (`cfg.json` of
/// SAELens, `config.json` of OpenMOSS); the other layouts have none.
///
/// A layout without scaling reads activations as its trainer saw them. If those were scaled and the factors are known, set
/// [`Dictionary::scaling`].
///
/// # Errors
/// If the file is pickled, cut off, foreign, of sizes that do not fit, or needs more than the codes' rule to be applied (top-k
/// over a batch, normalisation per row).
pub fn import(bytes: &[u8], config: Option<&str>) -> Result<(Dictionary, Layout), UserError> {
    let file = Tensors::open(bytes)?;
    let layout = Layout::of(&file)?;
    let config = match config {
        None => Value::Null,
        Some(text) => serde_json::from_str(text).map_err(|e| {
            UserError::new(format!("The configuration is no JSON ({e})"), "Give the file that came with the weights")
        })?,
    };
    let dictionary = match layout {
        Layout::Native => native::read(&file)?,
        Layout::OpenMoss => openmoss::read(&file, &config)?,
        Layout::Kissane => kissane::read(&file)?,
        Layout::SaeLens => saelens::read(&file, &config)?,
    };
    dictionary.check()?;
    Ok((dictionary, layout))
}

#[cfg(test)]
mod tests {
    use super::super::tensors::tests::file;
    use super::*;

    #[test]
    fn foreign_files_are_refused_with_what_they_hold() {
        let weights = file(&[("model.embed", &[2], &[0.0; 2])]);
        let error = import(&weights, None).unwrap_err();
        assert!(error.cause.contains("model.embed") && error.remedy.contains("W_enc"), "{error}");
        // dictionary_learning and Llama Scope: an SAE with the transposed layout of a torch Linear.
        let sae = file(&[("encoder.weight", &[3, 2], &[0.0; 6]), ("decoder.weight", &[2, 3], &[0.0; 6])]);
        assert!(import(&sae, None).is_err());
        let both = file(&[("W_enc", &[1, 1, 1], &[0.0]), ("W_E", &[1, 1, 1], &[0.0])]);
        assert!(import(&both, None).is_err());
        assert!(import(b"PK\x03\x04", None).unwrap_err().cause.contains("zip"));
    }

    #[test]
    fn a_configuration_that_is_no_json_is_refused() {
        let weights = file(&[("W_enc", &[1, 1], &[0.0])]);
        assert!(import(&weights, Some("architecture: jumprelu")).unwrap_err().cause.contains("JSON"));
    }
}
