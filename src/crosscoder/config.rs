//! What a crosscoder fit is asked to do.

use serde::{Deserialize, Serialize};

/// A fit over several checkpoints of one run. Serialises to the JSON that `grokscope schema crosscoder` describes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrosscoderConfig {
    /// Version of this format.
    pub schema: u32,
    /// A name for people; also the folder in the archive.
    pub name: String,
    /// Root of the fit's random streams; independent of the run's seed.
    pub seed: u64,
    /// Where activations are read.
    pub hook: Hook,
    /// Steps of the checkpoints to read, ascending; the same step several times is the null fit. Empty: memorised, onset and
    /// clean are picked from the run's curves.
    pub sources: Vec<u32>,
    /// Dictionary size m.
    pub latents: u32,
    /// Sparsity rule.
    pub variant: Variant,
    /// Weight of the sparsity penalty (`l1_of_norms`).
    pub lambda: f64,
    /// Mean active latents per input (`batch_top_k`).
    pub k: u32,
    /// Adam updates.
    pub steps: u32,
    /// Inputs per update.
    pub batch_size: u32,
    /// Adam's learning rate; falls linearly to 0 over the last fifth.
    pub learning_rate: f64,
    /// Norm of each decoder vector at the start.
    pub decoder_norm: f64,
    /// Whether a latent starts with the same direction in every source (else one random direction per source).
    pub same_direction: bool,
    /// Share of inputs held out, (a, b) and (b, a) together.
    pub held_out: f64,
}

/// An activation read at the answer position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hook {
    /// What the first layer reads: embedding and position of a, then of b, or the encoded input.
    Embed,
    /// What attention adds to the residual stream (transformer only).
    AttnOut,
    /// Residual stream between attention and MLP (transformer only).
    ResidMid,
    /// Hidden activations of the MLP, before the non-linearity.
    MlpPre,
    /// Hidden activations of the MLP, after the non-linearity.
    MlpPost,
    /// Residual stream after the block (transformer only).
    ResidPost,
    /// The network's output.
    Logits,
    /// Attention weights of the last layer at "=": for each position a, b, = one per head (transformer only).
    Pattern,
}

/// The sparsity rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// ReLU, penalty λ·Σ_i f_i·Σ_s‖D_i^s‖ (Lindsey et al. 2024). The default: it separates births from shared structure.
    L1OfNorms,
    /// Keep the B·k largest f_i·Σ_s‖D_i^s‖ of a batch (Minder et al. 2025), by threshold.
    BatchTopK,
}

impl Hook {
    /// Name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embed => "embed",
            Self::AttnOut => "attn_out",
            Self::ResidMid => "resid_mid",
            Self::MlpPre => "mlp_pre",
            Self::MlpPost => "mlp_post",
            Self::ResidPost => "resid_post",
            Self::Logits => "logits",
            Self::Pattern => "pattern",
        }
    }

    /// All of them, in the order of a forward pass.
    pub const ALL: [Self; 8] =
        [Self::Embed, Self::Pattern, Self::AttnOut, Self::ResidMid, Self::MlpPre, Self::MlpPost, Self::ResidPost, Self::Logits];
}
