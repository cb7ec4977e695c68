//! What is left of a run: metric rows, checkpoints, summary and the archive that holds them.

mod archive;
mod bundle;
mod fingerprint;
mod fit_tables;
mod measured;
mod metrics;
mod weights;

pub(crate) use archive::is_safe;
pub use archive::{Archive, ArchiveFile, EventKind, RunEvent, checkpoint_path, measure_files};
pub use bundle::{MAX_ARCHIVE_BYTES, MAX_ARCHIVE_FILES, unzip_files, zip_files};
pub use fingerprint::Fingerprint;
pub use measured::{MeasureTable, Measured, Value};
pub use metrics::{METRICS_HEADER, metrics_csv, metrics_from_csv};
pub use weights::{NamedTensor, Weights};

use serde::{Deserialize, Serialize};

/// One evaluation on the whole grid, of the weights after `step` updates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MetricRow {
    /// Updates made.
    pub step: u32,
    /// Loss over all training rows (nats, or mean squared error).
    pub train_loss: f32,
    /// Loss over all test rows.
    pub test_loss: f32,
    /// Share of training rows whose largest logit is the label.
    pub train_accuracy: f32,
    /// The same over test rows.
    pub test_accuracy: f32,
    /// L2 norm over all parameters.
    pub weight_norm: f32,
    /// Accuracy over the rows set apart as the probe, if there are any.
    pub probe_accuracy: Option<f32>,
}

/// Weights after `step` updates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Updates made.
    pub step: u32,
    /// safetensors bytes: the model's parameters by name, f32, `[in, out]`, no replica axis (see `record::Weights`).
    pub weights: Vec<u8>,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// First evaluated step with training accuracy ≥ .99.
    pub t_mem: Option<u32>,
    /// First evaluated step with test accuracy ≥ .95 that also holds at the next 5 evaluations.
    pub t_gen: Option<u32>,
    /// The same with test accuracy ≥ .99.
    pub t_gen_99: Option<u32>,
    /// First evaluated step with test accuracy ≥ .5.
    pub t_half: Option<u32>,
    /// Updates made.
    pub steps: u32,
    /// Engine label, see `EngineChoice::label`.
    pub engine: String,
    /// Whether results of that engine repeat bit for bit.
    pub exact: bool,
    /// Crate version and target.
    pub build: String,
    /// Hash of the experiment and of the weights at every checkpoint: 16 hex digits.
    pub fingerprint: String,
    /// Seconds of wall time.
    pub wall_seconds: f64,
    /// Why the run ended early, if it did.
    pub ended_early: Option<String>,
}

/// What a person is told when something cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{cause}. {remedy}")]
pub struct UserError {
    /// What is wrong, without a trailing period.
    pub cause: String,
    /// What to do about it, without a trailing period.
    pub remedy: String,
}

impl UserError {
    /// Cause and remedy, both without trailing periods.
    pub fn new(cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { cause: cause.into(), remedy: remedy.into() }
    }
}
