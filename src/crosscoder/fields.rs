//! Every setting of a crosscoder fit, once: path, label, help and range (see `experiment::fields` for why).

use super::config::{CrosscoderConfig, Variant};
use crate::experiment::edit::{self, Editable};
use crate::experiment::field::{Field, FieldKind, above, closed};
use crate::experiment::fields::MAX_SEED;
use crate::experiment::{Experiment, FieldError};
use crate::record::UserError;

/// The crosscoder format version that this build writes; it reads all versions up to this one.
pub const CROSSCODER_SCHEMA: u32 = 1;

/// Every leaf of the crosscoder's JSON, in its order.
pub fn crosscoder_fields() -> &'static [Field] {
    FIELDS
}

static FIELDS: &[Field] = &[
    Field::new(
        "schema",
        "Format version",
        "Version of this format",
        FieldKind::Integer { min: 1, max: CROSSCODER_SCHEMA as u64 },
    ),
    Field::new("name", "Name", "Also the folder in the archive", FieldKind::Slug { max_chars: 40 }),
    Field::new("seed", "Seed", "Root of the fit's random numbers", FieldKind::Integer { min: 0, max: MAX_SEED }),
    Field::new(
        "hook",
        "Hook",
        "Where activations are read, at the answer position",
        FieldKind::Choice(&[
            ("embed", "Input of the first layer"),
            ("attn_out", "Output of attention"),
            ("resid_mid", "Residual stream after attention"),
            ("mlp_pre", "Hidden neurons before the non-linearity"),
            ("mlp_post", "Hidden neurons of the MLP"),
            ("resid_post", "Residual stream after the block"),
            ("logits", "Logits"),
        ]),
    ),
    Field::new(
        "sources",
        "Sources",
        "Steps of the checkpoints to read; empty picks memorised, onset and clean from the curves",
        FieldKind::Integers { max_count: 16, min: 0, max: 10_000_000 },
    ),
    Field::new("latents", "Latents", "Dictionary size m", FieldKind::Integer { min: 1, max: 4096 }),
    Field::new(
        "variant",
        "Sparsity",
        "How few latents may be active",
        FieldKind::Choice(&[("l1_of_norms", "L1 of decoder norms"), ("batch_top_k", "BatchTopK")]),
    ),
    Field::new("lambda", "Penalty λ", "Weight of the sparsity penalty (L1 of decoder norms)", closed(0.0, 1000.0)),
    Field::new("k", "Active latents k", "Mean active latents per input (BatchTopK)", FieldKind::Integer { min: 1, max: 4096 }),
    Field::new("steps", "Steps", "Adam updates", FieldKind::Integer { min: 1, max: 1_000_000 }),
    Field::new("batch_size", "Batch size", "Inputs per update", FieldKind::Integer { min: 1, max: 200_000 }),
    Field::new("learning_rate", "Learning rate", "Adam's step size; falls to 0 over the last fifth", above(0.0, 10.0)),
    Field::new("decoder_norm", "Initial decoder norm", "Norm of each decoder vector at the start", above(0.0, 100.0)),
    Field::new("same_direction", "Same direction", "Whether a latent starts alike in every source", FieldKind::Toggle),
    Field::new(
        "held_out",
        "Held out",
        "Share of inputs kept from the fit, mirrored pairs together",
        FieldKind::Number { min: 0.0, max: 1.0, min_exclusive: true, max_exclusive: true },
    ),
];

impl Editable for CrosscoderConfig {
    const WHAT: &'static str = "crosscoder";
    const NEWEST: u32 = CROSSCODER_SCHEMA;

    fn table() -> &'static [Field] {
        FIELDS
    }
}

/// `config` with the setting at `path` read from `text`. Only this setting's own range is checked.
///
/// # Errors
/// An unknown path, a text of the wrong kind, or a value out of range.
pub fn with_value(config: &CrosscoderConfig, path: &str, text: &str) -> Result<CrosscoderConfig, UserError> {
    edit::replace(config, path, text)
}

impl CrosscoderConfig {
    /// Reads a configuration and checks each setting's range; [`CrosscoderConfig::validate`] checks it against a run.
    ///
    /// # Errors
    /// Cause and remedy: not JSON, a newer format, an unknown or missing setting, a value out of range.
    pub fn from_json(text: &str) -> Result<Self, UserError> {
        let config: Self = edit::from_json(text)?;
        let errors = own_errors(&config);
        if errors.is_empty() { Ok(config) } else { Err(errors.into()) }
    }

    /// Pretty JSON.
    pub fn to_json(&self) -> String {
        edit::to_json(self)
    }
}

/// What is wrong whatever the run.
pub(crate) fn own_errors(config: &CrosscoderConfig) -> Vec<FieldError> {
    let mut errors = edit::check_ranges(config);
    if errors.is_empty() && config.variant == Variant::BatchTopK && config.k > config.latents {
        errors.push(FieldError::new(
            "k",
            format!("{} active of {} latents is not possible", config.k, config.latents),
            format!("Use at most {}", config.latents),
        ));
    }
    errors
}

/// Inputs of the grid, for the batch's upper end.
pub(crate) fn inputs(experiment: &Experiment) -> u32 {
    crate::experiment::counts(experiment).domain
}
