//! The experiment: everything that decides what a run computes, and nothing else.
//!
//! Two runs with equal `Experiment`s draw the same numbers. Ranges, labels and help for each field live in `fields.rs`, which
//! the JSON Schema, the page's controls, `--set` and validation all read; the defaults are the presets.

use serde::{Deserialize, Serialize};

/// The schema version that this build writes; it reads all versions up to this one.
pub const SCHEMA: u32 = 1;

/// One experiment. Serialises to the JSON that `grokscope presets NAME` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Version of this format; see [`SCHEMA`].
    pub schema: u32,
    /// A name for people. It never influences a number.
    pub name: String,
    /// The root of every random stream (see `randomness.rs`); at most 2⁵³−1 so that JSON readers keep it exact.
    pub seed: u64,
    /// Optimiser updates to make.
    pub steps: u32,
    /// Rows per update; `null` is the full training set.
    pub batch_size: Option<u32>,
    /// What is minimised.
    pub loss: LossKind,
    /// What is learned.
    pub task: TaskConfig,
    /// What learns.
    pub model: ModelConfig,
    /// How it learns.
    pub optimizer: OptimizerConfig,
    /// What is written down on the way; never changes training.
    pub logging: LoggingConfig,
}

/// The training objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// Mean cross-entropy in nats, in log-sum-exp form.
    CrossEntropy,
    /// Mean over rows and outputs of the squared error to the one-hot label.
    MeanSquaredError,
}

/// A modular-arithmetic task over pairs (a, b).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskConfig {
    /// The rule.
    pub operation: Operation,
    /// p: inputs and labels are 0..p.
    pub modulus: u32,
    /// Share of the domain (ordered rows, or unordered pairs when the split is `mirror`) used for training.
    pub train_fraction: f64,
    /// How rows are divided between training and test.
    pub split: Split,
    /// Share of training labels replaced by a uniformly drawn wrong label.
    pub label_noise: f64,
}

/// The rule y = f(a, b).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// (a + b) mod p, p² rows.
    Add,
    /// (a − b) mod p, p² rows.
    Sub,
    /// a·b mod p, p² rows (zero included).
    Mul,
    /// a·b⁻¹ mod p with b ≠ 0, p(p−1) rows; p must be prime.
    Div,
}

/// How the domain is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Each ordered row on its own: the mirror (b, a) of a test row can be in training.
    Random,
    /// (a, b) and (b, a) always on the same side.
    Mirror,
}

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "architecture", rename_all = "snake_case")]
pub enum ModelConfig {
    /// Two-hot input → hidden → p, no biases.
    Mlp(MlpConfig),
    /// One-layer transformer on the tokens (a, b, =), read at "=".
    Transformer(TransformerConfig),
}

/// A one-hidden-layer perceptron on the two-hot code of (a, b).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MlpConfig {
    /// Hidden neurons N.
    pub width: u32,
    /// Hidden non-linearity.
    pub activation: Activation,
    /// Multiplies the start: standard deviation ½/(2N)^⅓ for `quadratic`, 1/√fan_in otherwise.
    pub init_scale: f64,
}

/// A one-layer causal transformer without LayerNorm, embeddings untied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransformerConfig {
    /// Residual width d.
    pub d_model: u32,
    /// Attention heads; must divide `d_model`.
    pub heads: u32,
    /// Hidden neurons of the MLP block.
    pub mlp_width: u32,
    /// MLP non-linearity (`relu` or `gelu`).
    pub activation: Activation,
    /// Multiplies the start: standard deviation 1/√d for every matrix, biases 0.
    pub init_scale: f64,
}

/// Hidden non-linearity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// x².
    Quadratic,
    /// max(x, 0).
    Relu,
    /// x·Φ(x), exact (error function).
    Gelu,
}

/// The optimiser and its schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Which update rule.
    pub name: OptimizerName,
    /// η, per update.
    pub learning_rate: f64,
    /// Decoupled decay: each update first multiplies every parameter by 1 − η·`weight_decay`.
    pub weight_decay: f64,
    /// Decay of the first and second moment.
    pub betas: [f64; 2],
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// The learning rate rises linearly over this many updates: update t (from 1) uses η·min(1, t/`warmup_steps`).
    pub warmup_steps: u32,
}

/// The update rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerName {
    /// Adam with decoupled weight decay (Loshchilov & Hutter 2019).
    AdamW,
}

/// When metrics and checkpoints are taken. Both schedules are geometric at first and then every so many steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggingConfig {
    /// Largest gap, in steps, between evaluations on the whole grid.
    pub evaluate_every: u32,
    /// Largest gap, in steps, between saved checkpoints.
    pub checkpoint_every: u32,
}
