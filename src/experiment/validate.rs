//! What one setting alone cannot show: whether an experiment can run at all.
//!
//! Everything that cannot run is refused here, before anything is allocated, with the nearest value that works. Rejected:
//! clamping, which would run something that nobody asked for.

use super::config::{Activation, Experiment, ModelConfig, Operation, Split};
use super::edit::check_ranges;
use super::fields::{FieldError, MAX_MODULUS};
use crate::task;

/// How many rows an experiment has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All rows of the grid.
    pub domain: u32,
    /// Training rows.
    pub train: u32,
    /// Test rows.
    pub test: u32,
}

/// Row counts of `experiment`, exact for its seed (with a mirror split the number of training rows depends on how many pairs
/// (a, a) were drawn). Zero where the task itself is invalid.
pub fn counts(experiment: &Experiment) -> Counts {
    let task = &experiment.task;
    if !(2..=MAX_MODULUS).contains(&task.modulus) || (task.operation == Operation::Div && !task::is_prime(task.modulus)) {
        return Counts::default();
    }
    let (domain, train) = task::row_counts(task, experiment.seed);
    Counts { domain, train, test: domain - train }
}

/// Parameters of a model on inputs 0..`modulus`. Perceptron: 2pN + Np. Transformer: (p+1)d + 3d embedding and position, 4d²
/// attention, 2dm + m + d block, dp unembedding.
pub fn parameters(model: &ModelConfig, modulus: u32) -> u64 {
    let p = u64::from(modulus);
    match model {
        ModelConfig::Mlp(mlp) => 3 * p * u64::from(mlp.width),
        ModelConfig::Transformer(t) => {
            let (d, m) = (u64::from(t.d_model), u64::from(t.mlp_width));
            (p + 1) * d + 3 * d + 4 * d * d + 2 * d * m + m + d + d * p
        }
    }
}

/// Estimated bytes of activations alive at once: the larger of one update (forward and backward over its rows) and one
/// evaluation (forward over the grid).
pub fn activation_bytes(experiment: &Experiment) -> u64 {
    bytes_at_once(experiment, counts(experiment))
}

fn bytes_at_once(experiment: &Experiment, rows: Counts) -> u64 {
    let batch = experiment.batch_size.map_or(rows.train, |b| b.min(rows.train));
    bytes_per_row(experiment) * (2 * u64::from(batch)).max(u64::from(rows.domain))
}

/// Largest estimate of [`activation_bytes`] that is accepted: half of what a 32-bit wasm memory leaves beside everything else.
pub const MAX_ACTIVATION_BYTES: u64 = 1 << 30;

/// Largest size of all checkpoints together: an archive is built in memory.
pub const MAX_CHECKPOINT_BYTES: u64 = 1 << 30;

/// Most evaluations: a metric row is 24 bytes, and charts decimate all of them.
pub const MAX_EVALUATIONS: u64 = 1_000_000;

/// Forward activations of one row, in bytes of f32.
fn bytes_per_row(experiment: &Experiment) -> u64 {
    let p = u64::from(experiment.task.modulus);
    4 * match &experiment.model {
        // Hidden before and after the non-linearity, logits and their gradient.
        ModelConfig::Mlp(mlp) => 2 * u64::from(mlp.width) + 2 * p,
        // Three token embeddings, keys and values of each, query, attention, two residuals, block twice, logits twice.
        ModelConfig::Transformer(t) => {
            let (d, m) = (u64::from(t.d_model), u64::from(t.mlp_width));
            13 * d + 6 * u64::from(t.heads) + 2 * m + 2 * p
        }
    }
}

impl Experiment {
    /// Whether this can run.
    ///
    /// # Errors
    /// Every reason why not, settings' own ranges first; each names the setting, the cause and the nearest value that works.
    pub fn validate(&self) -> Result<(), Vec<FieldError>> {
        let mut errors = check_ranges(self);
        if errors.is_empty() {
            check_task(self, &mut errors);
            check_model(self, &mut errors);
            check_optimizer(self, &mut errors);
        }
        // Sizes only make sense of settings that do.
        if errors.is_empty() {
            let rows = counts(self);
            check_rows(self, rows, &mut errors);
            check_sizes(self, rows, &mut errors);
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

fn check_task(experiment: &Experiment, errors: &mut Vec<FieldError>) {
    let task = &experiment.task;
    if task.operation == Operation::Div && !task::is_prime(task.modulus) {
        errors.push(FieldError::new(
            "task.modulus",
            format!("Division modulo {} is not defined for every b, because {0} is not prime", task.modulus),
            format!("Use {}, or another operation", task::nearest_prime(task.modulus, MAX_MODULUS)),
        ));
    }
}

fn check_model(experiment: &Experiment, errors: &mut Vec<FieldError>) {
    let ModelConfig::Transformer(t) = &experiment.model else { return };
    if !t.d_model.is_multiple_of(t.heads) {
        let nearest = (1..=t.d_model.min(64)).filter(|h| t.d_model.is_multiple_of(*h)).min_by_key(|h| h.abs_diff(t.heads));
        errors.push(FieldError::new(
            "model.heads",
            format!("{} heads do not divide a residual width of {}", t.heads, t.d_model),
            format!("Use {} heads", nearest.unwrap_or(1)),
        ));
    }
    if t.activation == Activation::Quadratic {
        errors.push(FieldError::new("model.activation", "The transformer has no quadratic activation", "Use relu or gelu"));
    }
}

fn check_optimizer(experiment: &Experiment, errors: &mut Vec<FieldError>) {
    let optimizer = &experiment.optimizer;
    if optimizer.learning_rate * optimizer.weight_decay >= 1.0 {
        errors.push(FieldError::new(
            "optimizer.weight_decay",
            format!("With a learning rate of {} each update would erase the weights", optimizer.learning_rate),
            format!("Use a weight decay below {}", rounded(1.0 / optimizer.learning_rate)),
        ));
    }
}

fn check_rows(experiment: &Experiment, rows: Counts, errors: &mut Vec<FieldError>) {
    let units = f64::from(task::split_units(&experiment.task));
    let unit = if experiment.task.split == Split::Mirror { "unordered pairs" } else { "pairs" };
    // A share of (k − ½)/units rounds to k units; a little inside is safe against rounding.
    if rows.train == 0 {
        errors.push(FieldError::new(
            "task.train_fraction",
            format!("{} of {units} {unit} is no training pair", experiment.task.train_fraction),
            format!("Use at least {}", rounded(1.0 / units)),
        ));
    } else if rows.test == 0 {
        errors.push(FieldError::new(
            "task.train_fraction",
            format!("{} of {units} {unit} leaves no test pair", experiment.task.train_fraction),
            format!("Use at most {}", rounded(1.0 - 1.0 / units)),
        ));
    }
    if let Some(batch) = experiment.batch_size.filter(|b| *b > rows.train && rows.train > 0) {
        errors.push(FieldError::new(
            "batch_size",
            format!("A batch of {batch} is more than the {} training rows", rows.train),
            format!("Use {}, or nothing for the full training set", rows.train),
        ));
    }
}

fn check_sizes(experiment: &Experiment, rows: Counts, errors: &mut Vec<FieldError>) {
    let per_row = bytes_per_row(experiment);
    if per_row * u64::from(rows.domain) > MAX_ACTIVATION_BYTES {
        let fits = |modulus: u32| {
            let mut smaller = experiment.clone();
            smaller.task.modulus = modulus;
            let square = u64::from(modulus) * u64::from(modulus);
            bytes_per_row(&smaller) * square <= MAX_ACTIVATION_BYTES
                && (experiment.task.operation != Operation::Div || task::is_prime(modulus))
        };
        let nearest = (3..experiment.task.modulus).rev().find(|m| fits(*m));
        errors.push(FieldError::new(
            "task.modulus",
            format!("One evaluation of all {} rows needs about {} MB", rows.domain, (per_row * u64::from(rows.domain)) >> 20),
            match nearest {
                Some(modulus) => format!("Use a modulus of at most {modulus}, or a narrower network"),
                None => "Use a narrower network".into(),
            },
        ));
    } else if bytes_at_once(experiment, rows) > MAX_ACTIVATION_BYTES {
        errors.push(FieldError::new(
            "batch_size",
            format!("One update needs about {} MB", bytes_at_once(experiment, rows) >> 20),
            format!("Use {}", MAX_ACTIVATION_BYTES / (2 * per_row)),
        ));
    }
    let evaluations = u64::from(experiment.steps) / u64::from(experiment.logging.evaluate_every);
    if evaluations > MAX_EVALUATIONS {
        errors.push(FieldError::new(
            "logging.evaluate_every",
            format!("The run would be evaluated {evaluations} times"),
            format!("Use {}", u64::from(experiment.steps).div_ceil(MAX_EVALUATIONS)),
        ));
    }
    let checkpoint = 4 * parameters(&experiment.model, experiment.task.modulus);
    let saved = u64::from(experiment.steps) / u64::from(experiment.logging.checkpoint_every);
    if saved * checkpoint > MAX_CHECKPOINT_BYTES {
        // A checkpoint is at most 4 · 3.3 million parameters, so at least 80 always fit.
        let most = (MAX_CHECKPOINT_BYTES / checkpoint).max(1);
        errors.push(FieldError::new(
            "logging.checkpoint_every",
            format!("{saved} checkpoints would take {} MB", (saved * checkpoint) >> 20),
            format!("Use {}", u64::from(experiment.steps).div_ceil(most)),
        ));
    }
}

/// Three significant digits, for a remedy that people type.
fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}
