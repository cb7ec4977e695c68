//! Crosscoder fits that are known to show something. `births` is the default because it was measured to be the one that
//! separates what a clean network has from what a memorising one had; the others are its controls.

use super::config::{CrosscoderConfig, Hook, Mask, Variant};
use super::fields::CROSSCODER_SCHEMA;
use super::null::Null;
use crate::experiment::edit::distance;
use crate::record::UserError;
use std::sync::LazyLock;

/// A known fit.
#[derive(Debug, Clone, PartialEq)]
pub struct CrosscoderPreset {
    /// Name on the command line and in links.
    pub name: &'static str,
    /// Short name for people.
    pub title: &'static str,
    /// One plain sentence: what one will see.
    pub sentence: &'static str,
    /// What is fitted.
    pub config: CrosscoderConfig,
    /// Where the setting comes from and what was measured with it.
    pub source: &'static str,
}

/// All crosscoder presets, the default one first.
pub fn crosscoder_presets() -> &'static [CrosscoderPreset] {
    &PRESETS
}

/// The crosscoder preset called `name`.
///
/// # Errors
/// An unknown name is answered with the nearest one and the list.
pub fn crosscoder_preset(name: &str) -> Result<&'static CrosscoderPreset, UserError> {
    if let Some(found) = crosscoder_presets().iter().find(|p| p.name == name) {
        return Ok(found);
    }
    let nearest = crosscoder_presets().iter().map(|p| p.name).min_by_key(|p| distance(p, name)).unwrap_or_default();
    let all: Vec<&str> = crosscoder_presets().iter().map(|p| p.name).collect();
    Err(UserError::new(
        format!("There is no crosscoder preset called \"{name}\""),
        format!("The nearest is {nearest}; all are {}", all.join(", ")),
    ))
}

static PRESETS: LazyLock<Vec<CrosscoderPreset>> = LazyLock::new(|| {
    let births = CrosscoderConfig {
        schema: CROSSCODER_SCHEMA,
        name: "births".into(),
        seed: 0,
        hook: Hook::ResidPost,
        more_hooks: Vec::new(),
        sources: Vec::new(),
        latents: 256,
        variant: Variant::L1OfNorms,
        lambda: 1.0,
        k: 40,
        block: 2,
        k_start: 0,
        steps: 1500,
        batch_size: 512,
        learning_rate: 1e-3,
        decoder_norm: 0.1,
        same_direction: true,
        held_out: 0.1,
        mask: Mask::Acausal,
        window: 0,
        shared_latents: 0.0,
        dedicated_latents: 0.0,
        prefixes: 1,
        aux: 0.0,
        resample: false,
        clip: 0.0,
        patience: 0,
        probe: true,
        null: Null::None,
    };
    let nested = CrosscoderConfig { name: "nested".into(), prefixes: 3, ..births.clone() };
    let budgets = CrosscoderConfig { name: "own-budgets".into(), variant: Variant::BatchTopKPerSource, k: 20, ..births.clone() };
    let contrast = CrosscoderConfig { name: "batch-top-k".into(), variant: Variant::BatchTopK, ..births.clone() };
    vec![
        CrosscoderPreset {
            name: "births",
            title: "What was born",
            sentence: "Dozens of latents are absent while the network memorises and carry its answer once it has grokked",
            config: births,
            source: "Objective of Lindsey et al. 2024. Measured on transformer-59-mirror over four training seeds: 44–65 emergent \
                     latents, 36–54 of them confirmed by Latent Scaling, held-out explained variance at least .89 in each source, \
                     and none in the null fit",
        },
        CrosscoderPreset {
            name: "nested",
            title: "What was born, in few latents",
            sentence: "A quarter of the births, all of them confirmed; given to the memorising network they make it answer",
            config: nested,
            source: "The same objective on nested dictionaries (Matryoshka; Bussmann et al. 2025). Measured on transformer-59-mirror over \
                     five training seeds: 15–20 emergent latents, every one confirmed by Latent Scaling, held-out explained variance at \
                     least .93 in each source, more than without nesting at the same number of active latents. On planted data it merges features, so these may be \
                     bundles: see docs/planted.md",
        },
        CrosscoderPreset {
            name: "own-budgets",
            title: "A fixed number of latents for each checkpoint",
            sentence: "Counted like the contrast, but each checkpoint spends its own count: the births are back",
            config: budgets,
            source: "The count of Minder et al. 2025 with a gate per source, as Ge et al. 2025 have it for JumpReLU. Measured on \
                     transformer-59-mirror at k = 20: 39–91 emergent latents over five training seeds, nine in ten of them confirmed, held-out \
                     explained variance at least .90 in each source, none in the null fits; without them the clean network's test loss \
                     rises by 3.4 to 5.8 nats",
        },
        CrosscoderPreset {
            name: "batch-top-k",
            title: "The contrast: a fixed number of latents",
            sentence: "With as many active latents and the same explained variance, a counted code shows no births at all",
            config: contrast,
            source: "Objective of Minder et al. 2025. Measured on the same runs at k = 40: no emergent latent in any of four seeds, \
                     because one gate opens a latent for all sources, in a direction of its own in each",
        },
    ]
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        assert!(crosscoder_preset("birth").unwrap_err().remedy.contains("births"));
    }
}
