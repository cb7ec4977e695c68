//! The experiment: everything that decides what a run computes, and nothing else.
//!
//! Two runs with equal `Experiment`s draw the same numbers. What every experiment has is typed here; what belongs to one kind
//! of task, network or optimiser is in that section's [`Settings`] and declared in the kind's own file. Ranges, labels, help
//! and defaults live in the field table (`fields.rs`), which the JSON Schema, the page's controls, `--set`, links and
//! validation all read.

use super::settings::Settings;
use serde::{Deserialize, Serialize};

/// The schema version that this build writes; it reads all versions up to this one. A new setting does not raise it: settings
/// at their neutral value are left out of files, so older experiments stay what they were to the byte.
pub const SCHEMA: u32 = 1;

/// One experiment. Serialises to the JSON that `grokscope presets NAME` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// What is minimised: a name of `train::losses()`.
    pub loss: String,
    /// What is learned.
    pub task: TaskConfig,
    /// What learns.
    pub model: ModelConfig,
    /// How it learns.
    pub optimizer: OptimizerConfig,
    /// What is done to loss, gradients and weights beside the optimiser; see `train::modifier`.
    #[serde(default)]
    pub training: Settings,
    /// Which training rows are in use when; see `task::order` and `train`.
    #[serde(default)]
    pub curriculum: Settings,
    /// Where weights or soft answers come from before the run: an earlier stage; see `stage.rs`.
    #[serde(default)]
    pub stage: Settings,
    /// What changes on the way, one line each, ascending in step; see `timeline.rs`.
    #[serde(default)]
    pub timeline: Vec<String>,
    /// What is written down on the way; never changes training.
    pub logging: LoggingConfig,
}

/// What is learned, and how its rows are divided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskConfig {
    /// The rule: a name of `task::tasks()`.
    pub operation: String,
    /// The rule's own settings, e.g. `modulus`, and those that few splits need.
    #[serde(flatten)]
    pub settings: Settings,
    /// Share of the units (ordered rows, unordered pairs, whole rows: see the split) used for training.
    pub train_fraction: f64,
    /// How rows are divided between training and test: a name of `task::splits()`.
    pub split: String,
    /// Share of training labels replaced by a uniformly drawn wrong label.
    pub label_noise: f64,
}

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// A name of `model::architectures()`.
    pub architecture: String,
    /// The architecture's own settings, and those of the parametrisation.
    #[serde(flatten)]
    pub settings: Settings,
    /// Multiplies every starting weight.
    pub init_scale: f64,
}

/// The optimiser and its schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimizerConfig {
    /// The update rule: a name of `train::optimizers()`.
    pub name: String,
    /// η, per update, at its highest.
    pub learning_rate: f64,
    /// λ. Where it acts, beside the rule or in its gradient, is the rule's: see `train::Decay`.
    pub weight_decay: f64,
    /// The rule's own settings, e.g. `betas`, and those of the schedule.
    #[serde(flatten)]
    pub settings: Settings,
    /// The learning rate rises linearly over this many updates: update t (from 1) uses η·min(1, t/`warmup_steps`).
    pub warmup_steps: u32,
}

/// When metrics and checkpoints are taken. Both schedules are geometric at first and then every so many steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggingConfig {
    /// Largest gap, in steps, between evaluations on the whole grid.
    pub evaluate_every: u32,
    /// Largest gap, in steps, between saved checkpoints.
    pub checkpoint_every: u32,
}

impl TaskConfig {
    /// p of a modular task; 0 for a task without a modulus.
    pub fn modulus(&self) -> u32 {
        self.settings.integer("modulus")
    }
}
