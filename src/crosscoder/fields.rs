//! Every setting of a crosscoder fit, once: path, label, help and range (see `experiment::fields` for why).

use super::config::{CrosscoderConfig, Mask, Variant};
use super::null::Null;
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

/// Hooks that can be read, with their names for people.
const HOOKS: &[(&str, &str)] = &[
    ("embed", "Input of the first layer"),
    ("attn_out", "Output of attention"),
    ("resid_mid", "Residual stream after attention"),
    ("mlp_pre", "Hidden neurons before the non-linearity"),
    ("mlp_post", "Hidden neurons of the MLP"),
    ("resid_post", "Residual stream after the block"),
    ("logits", "Logits"),
];

static FIELDS: &[Field] = &[
    Field::new(
        "schema",
        "Format version",
        "Version of this format",
        FieldKind::Integer { min: 1, max: CROSSCODER_SCHEMA as u64 },
    ),
    Field::new("name", "Name", "Also the folder in the archive", FieldKind::Slug { max_chars: 40 }),
    Field::new("seed", "Seed", "Root of the fit's random numbers", FieldKind::Integer { min: 0, max: MAX_SEED }),
    Field::new("hook", "Hook", "Where activations are read, at the answer position", FieldKind::Choice(HOOKS)),
    Field::new(
        "more_hooks",
        "Further hooks",
        "Hooks that are read as well, so that one dictionary spans them; each may have a width of its own",
        FieldKind::Choices(HOOKS),
    )
    .neutral("[]"),
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
        FieldKind::Choice(&[
            ("l1_of_norms", "L1 of decoder norms"),
            ("l2_of_norms", "L2 of decoder norms"),
            ("top_k", "TopK"),
            ("batch_top_k", "BatchTopK"),
            ("jump_relu", "JumpReLU"),
            ("batch_top_k_per_source", "BatchTopK, each source its own"),
            ("jump_relu_per_source", "JumpReLU, each source its own"),
            ("block_top_k", "BatchTopK of signed blocks"),
            ("delta", "BatchTopK, shared and changing latents apart"),
        ]),
    ),
    Field::new("lambda", "Penalty λ", "Weight of the sparsity penalty (variants with one)", closed(0.0, 1000.0)),
    Field::new(
        "k",
        "Active latents k",
        "Mean active latents per input (TopK, BatchTopK)",
        FieldKind::Integer { min: 1, max: 4096 },
    ),
    Field::new(
        "block",
        "Block width",
        "Latents that stand or fall together and whose codes have a sign",
        FieldKind::Integer { min: 2, max: 4 },
    )
    .when(&[("variant", &["block_top_k"])])
    .starts("2"),
    Field::new(
        "k_start",
        "k at first",
        "Where k starts, to fall to k over the first fifth; 0 begins at k (TopK, BatchTopK)",
        FieldKind::Integer { min: 0, max: 4096 },
    )
    .neutral("0"),
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
    Field::new(
        "mask",
        "Mask",
        "Which sources a latent reads and writes",
        FieldKind::Choice(&[
            ("acausal", "All of them"),
            ("forward", "Reads its own, writes it and all later ones"),
            ("window", "Reads and writes a few in a row"),
            ("last_only", "Reads the last, writes all"),
            ("layers", "Reads one hook, writes it and those behind it"),
        ]),
    )
    .neutral("acausal"),
    Field::new("window", "Window", "Sources in a row that a latent reads and writes", FieldKind::Integer { min: 1, max: 16 })
        .when(&[("mask", &["window"])])
        .starts("2"),
    Field::new("shared_latents", "Shared latents", "Share of the latents with one decoder for all sources", closed(0.0, 1.0))
        .neutral("0"),
    Field::new(
        "dedicated_latents",
        "Dedicated latents",
        "Share of the latents that each source has for itself",
        closed(0.0, 0.5),
    )
    .neutral("0"),
    Field::new(
        "prefixes",
        "Nested dictionaries",
        "Prefixes of the dictionary that reconstruct by themselves, each half as large as the next (Matryoshka); 1 is none",
        FieldKind::Integer { min: 1, max: 8 },
    )
    .neutral("1"),
    Field::new(
        "aux",
        "AuxK weight",
        "How much dead latents learn from what the others leave; 1/32 is usual, 0 is none",
        closed(0.0, 10.0),
    )
    .neutral("0"),
    Field::new(
        "resample",
        "Resample dead latents",
        "After each quarter, latents that fire on no fitted input begin again where the error is largest",
        FieldKind::Toggle,
    )
    .neutral("false"),
    Field::new(
        "clip",
        "Gradient clip",
        "Most length of the gradient of all weights together; 0 is none, 1 is usual in large trainers",
        closed(0.0, 1e6),
    )
    .neutral("0"),
    Field::new(
        "patience",
        "Patience",
        "Rows of the live curves without gain in explained variance after which the fit comes to its end; 0 makes all steps",
        FieldKind::Integer { min: 0, max: 1000 },
    )
    .neutral("0"),
    Field::new(
        "probe",
        "Take latents out",
        "Afterwards, take each class of latents out of the network and compare the loss with as many others",
        FieldKind::Toggle,
    )
    .neutral("true"),
    Field::new(
        "null",
        "Null",
        "What is taken away, so that whatever is found of it is made up by the method",
        FieldKind::Choice(&[
            ("none", "Nothing"),
            ("repeated", "One checkpoint repeated"),
            ("shuffled_pairs", "Shuffled pairing"),
            ("untrained", "Untrained networks"),
            ("permuted_labels", "Permuted labels"),
        ]),
    )
    .neutral("none"),
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
    if !errors.is_empty() {
        return errors;
    }
    let mut refuse = |path: &str, cause: String, remedy: String| errors.push(FieldError::new(path, cause, remedy));
    if config.variant.counts() {
        for (path, k) in [("k", config.k), ("k_start", config.k_start)].into_iter().filter(|(_, k)| *k > config.latents) {
            let cause = format!("{k} active of {} latents is not possible", config.latents);
            refuse(path, cause, format!("Use at most {}", config.latents));
        }
        if config.k_start != 0 && config.k_start < config.k {
            let cause = format!("k cannot fall from {} to {}", config.k_start, config.k);
            refuse("k_start", cause, format!("Use more than {}, or 0 to begin at k", config.k));
        }
    } else if config.k_start != 0 {
        refuse("k_start", "This variant counts no latents".into(), "Use 0".into());
    }
    let block = config.block_width() as u32;
    for (path, value) in [("latents", config.latents), ("k", config.k), ("k_start", config.k_start)] {
        if !value.is_multiple_of(block) {
            let nearest = (value / block * block).max(block);
            refuse(path, format!("{value} latents are no whole number of blocks of {block}"), format!("Use {nearest}"));
        }
    }
    if block > 1 && (1..config.prefixes).any(|halvings| !(config.latents >> halvings).is_multiple_of(block)) {
        refuse("prefixes", format!("A prefix would cut a block of {block}"), "Use 1".into());
    }
    if config.variant.is_signed() && config.aux > 0.0 {
        refuse("aux", "Dead blocks cannot learn by codes without a sign".into(), "Use 0, or resample".into());
    }
    if config.variant == Variant::Delta {
        if !config.more_hooks.is_empty() {
            refuse("more_hooks", "This variant compares checkpoints at one hook".into(), "Leave it empty".into());
        }
        if config.shared_latents <= 0.0 || config.shared_latents >= 1.0 {
            refuse("shared_latents", "This variant needs latents of both kinds".into(), "Use 0.5".into());
        }
        if config.prefixes > 1 {
            refuse("prefixes", "Nested dictionaries would cut the two kinds of latents".into(), "Use 1".into());
        }
    }
    if config.null != Null::None && config.probe {
        refuse("probe", "Of what a null makes up there is nothing to ask the network".into(), "Use false".into());
    }
    let (first, last) = (config.sources.first(), config.sources.last());
    if config.null == Null::Repeated && first != last {
        let last = last.copied().unwrap_or_default();
        refuse("sources", "This null repeats one checkpoint".into(), format!("Use {last} for each of them"));
    }
    if config.null == Null::Untrained && config.sources.iter().any(|step| *step != 0) {
        refuse("sources", "Networks that are not trained are at step 0".into(), "Use 0 for each of them".into());
    }
    if config.more_hooks.contains(&config.hook) {
        refuse("more_hooks", format!("{} is read already", config.hook.name()), "Leave it out".into());
    }
    if config.mask == Mask::Layers && config.more_hooks.is_empty() {
        refuse("mask", "This mask needs more than one hook".into(), "Add one to more_hooks, or use acausal".into());
    }
    if config.variant.is_per_source() && config.aux > 0.0 {
        refuse(
            "aux",
            "Where each source has codes of its own, dead latents have no common one to learn by".into(),
            "Use 0".into(),
        );
    }
    if config.latents >> (config.prefixes - 1) == 0 {
        let most = config.latents.ilog2() + 1;
        refuse(
            "prefixes",
            format!("{} latents cannot be halved {} times", config.latents, config.prefixes - 1),
            format!("Use at most {most}"),
        );
    }
    let taken = config.shared_latents + config.dedicated_latents * (config.sources.len().max(2) * config.hooks().len()) as f64;
    if taken > 1.0 {
        refuse(
            "dedicated_latents",
            format!("Shared and dedicated latents together are {:.0}% of all", 100.0 * taken),
            "Lower one of them, so that they come to at most 100%".into(),
        );
    }
    errors
}

/// Inputs of the grid, for the batch's upper end.
pub(crate) fn inputs(experiment: &Experiment) -> u32 {
    crate::experiment::counts(experiment).domain
}
