//! What a crosscoder fit is asked to do.

use super::null::Null;
use serde::{Deserialize, Serialize};

/// θ of variants that learn it, at the start.
pub(super) const FIRST_THRESHOLD: f32 = 0.1;

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
    /// Further hooks that are read as well, so that sources are every checkpoint at every hook.
    #[serde(default)]
    pub more_hooks: Vec<Hook>,
    /// Steps of the checkpoints to read, ascending. Empty: memorised, onset and
    /// clean are picked from the run's curves.
    pub sources: Vec<u32>,
    /// Dictionary size m.
    pub latents: u32,
    /// Sparsity rule.
    pub variant: Variant,
    /// Weight of the sparsity penalty (variants with one).
    pub lambda: f64,
    /// Mean active latents per input (variants that count).
    pub k: u32,
    /// Coordinates of a block (`Variant::BlockTopK`).
    #[serde(default = "two")]
    pub block: u32,
    /// Where k starts, to fall linearly to k over the first fifth of the updates (variants that count); 0: at k.
    #[serde(default)]
    pub k_start: u32,
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
    /// Which sources a latent reads and writes.
    #[serde(default)]
    pub mask: Mask,
    /// Sources in a row that a latent reads and writes (`Mask::Window`).
    #[serde(default)]
    pub window: u32,
    /// Share of the latents whose decoder is one for all sources, at a tenth of the penalty (designated shared features).
    #[serde(default)]
    pub shared_latents: f64,
    /// Share of the latents that each source has for itself (dedicated features).
    #[serde(default)]
    pub dedicated_latents: f64,
    /// Nested dictionaries that reconstruct by themselves (Matryoshka): the first m/2^(n−1), …, m/2, m latents.
    #[serde(default = "one")]
    pub prefixes: u32,
    /// α of the auxiliary loss, by which dead latents learn what the others leave (AuxK); 0: none.
    #[serde(default)]
    pub aux: f64,
    /// Whether latents that fire on no fitted input begin again, three times, where the error is largest (Bricken et al. 2023).
    #[serde(default)]
    pub resample: bool,
    /// Most length of the gradient of all weights together; longer ones are shortened to it. 0: any.
    #[serde(default)]
    pub clip: f64,
    /// Rows of the live curves without gain in explained variance after which the learning rate begins to fall, so that the fit ends
    /// a fifth of `steps` later; 0: never before its time.
    #[serde(default)]
    pub patience: u32,
    /// Whether classes of latents are taken out afterwards to see what they do to the loss.
    #[serde(default = "yes")]
    pub probe: bool,
    /// What is taken away, so that what is found is known to be made up.
    #[serde(default)]
    pub null: Null,
}

fn one() -> u32 {
    1
}

fn two() -> u32 {
    2
}

fn yes() -> bool {
    true
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
    /// ReLU, penalty λ·Σ_i f_i·√Σ_s‖D_i^s‖²: a better error for the count of active latents, but fewer that belong to one source
    /// (Lindsey et al. 2024).
    L2OfNorms,
    /// Keep the k largest f_i·Σ_s‖D_i^s‖ of each input (Gao et al. 2024, by the score of a crosscoder).
    TopK,
    /// pre_i where it exceeds a learned θ_i, else 0; penalty λ·Σ_i tanh(4·f_i·Σ_s‖D_i^s‖) + 3e-6·Σ_i ReLU(θ_i − pre_i)·Σ_s‖D_i^s‖
    /// (Anthropic, January 2025, as in crosscode).
    JumpRelu,
    /// Each source keeps the B·k largest f_i·‖D_i^s‖ of its own: no source can spend another's budget.
    BatchTopKPerSource,
    /// Each source has a gate of its own, open where pre_i·‖D_i^s‖ exceeds a learned θ_i^s; penalty λ·Σ_s Σ_i q·(1 + q/.01) with
    /// q the batch mean of tanh(4·f_i^s·‖D_i^s‖) (OpenMOSS, Ge et al. 2025).
    JumpReluPerSource,
    /// Latents in blocks of `block`, whose codes have a sign; keep the B·k/block blocks of a batch whose contribution
    /// √Σ_s‖Σ_{i∈block} f_i·D_i^s‖² is largest. A block is a plane or a space, not a direction: a circle fits in one.
    BlockTopK,
    /// BatchTopK with k of the shared latents and k of the others; the others alone must also explain x^{s+1} − x^s, what changes
    /// from each source to the next (Kassem et al. 2026, arXiv 2603.04426, by its summaries; they have two sources).
    Delta,
}

impl Variant {
    /// Name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::L1OfNorms => "l1_of_norms",
            Self::BatchTopK => "batch_top_k",
            Self::L2OfNorms => "l2_of_norms",
            Self::TopK => "top_k",
            Self::JumpRelu => "jump_relu",
            Self::BatchTopKPerSource => "batch_top_k_per_source",
            Self::JumpReluPerSource => "jump_relu_per_source",
            Self::BlockTopK => "block_top_k",
            Self::Delta => "delta",
        }
    }

    /// Whether it keeps a number of latents.
    pub fn counts(self) -> bool {
        matches!(self, Self::BatchTopK | Self::TopK | Self::BatchTopKPerSource | Self::BlockTopK | Self::Delta)
    }

    /// Whether codes have a sign.
    pub fn is_signed(self) -> bool {
        self == Self::BlockTopK
    }

    /// Whether each source has codes of its own.
    pub fn is_per_source(self) -> bool {
        matches!(self, Self::BatchTopKPerSource | Self::JumpReluPerSource)
    }

    /// Whether a threshold per latent is learned.
    pub fn learns_threshold(self) -> bool {
        matches!(self, Self::JumpRelu | Self::JumpReluPerSource)
    }
}

/// Which sources a latent reads and writes. Latents of a causal mask are dealt out evenly to the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mask {
    /// All of them.
    #[default]
    Acausal,
    /// Reads its own source, writes it and all later ones: born there by construction (weakly causal, Lindsey et al. 2024).
    Forward,
    /// Reads and writes its own source and the next ones, `window` in all.
    Window,
    /// Reads the last source, writes all.
    LastOnly,
    /// Reads one hook at every checkpoint, writes it and the hooks behind it (layer-causal).
    Layers,
}

impl CrosscoderConfig {
    /// Latents that stand or fall together.
    pub fn block_width(&self) -> usize {
        if self.variant == Variant::BlockTopK { self.block.max(1) as usize } else { 1 }
    }

    /// All hooks that are read, in the order of a forward pass.
    pub fn hooks(&self) -> Vec<Hook> {
        Hook::ALL.into_iter().filter(|hook| *hook == self.hook || self.more_hooks.contains(hook)).collect()
    }
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
