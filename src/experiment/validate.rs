//! What one setting alone cannot show: whether an experiment can run at all.
//!
//! Everything that cannot run is refused here, before anything is allocated, with the nearest value that works. Rejected:
//! clamping, which would run something that nobody asked for. What only one kind of task, network or optimiser can refuse
//! stands in that kind's own file.

use super::config::Experiment;
use super::edit::{check_ranges, replace};
use super::field::FieldError;
use crate::{model, task, train};

/// How many rows an experiment has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All rows of the domain.
    pub domain: u32,
    /// Training rows.
    pub train: u32,
    /// Test rows.
    pub test: u32,
    /// Rows set apart as the probe.
    pub probe: u32,
}

/// Row counts of `experiment`, exact for its seed (with a mirror split the number of training rows depends on how many pairs
/// (a, a) were drawn). Zero where the task itself is invalid.
pub fn counts(experiment: &Experiment) -> Counts {
    if !check_ranges(experiment).is_empty() || !task::check(&experiment.task).is_empty() {
        return Counts::default();
    }
    let sides = task::side_counts(&experiment.task, experiment.seed);
    Counts { domain: sides.rows, train: sides.train, test: sides.test, probe: sides.probe }
}

/// Number of parameters of the experiment's network.
pub fn parameters(experiment: &Experiment) -> u64 {
    model::parameter_count(experiment)
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

/// Forward activations of one row, in bytes of f32.
fn bytes_per_row(experiment: &Experiment) -> u64 {
    4 * model::floats_per_row(experiment)
}

/// Largest estimate of [`activation_bytes`] that is accepted: half of what a 32-bit wasm memory leaves beside everything else.
pub const MAX_ACTIVATION_BYTES: u64 = 1 << 30;

/// Largest size of all checkpoints together: an archive is built in memory.
pub const MAX_CHECKPOINT_BYTES: u64 = 1 << 30;

/// Most evaluations: a metric row is 24 bytes, and charts decimate all of them.
pub const MAX_EVALUATIONS: u64 = 1_000_000;

impl Experiment {
    /// Whether this can run.
    ///
    /// # Errors
    /// Every reason why not, settings' own ranges first; each names the setting, the cause and the nearest value that works.
    pub fn validate(&self) -> Result<(), Vec<FieldError>> {
        let mut errors = check_ranges(self);
        if errors.is_empty() {
            errors.extend(task::check(&self.task));
            errors.extend(task::check_curriculum(&self.task, &self.curriculum));
            if errors.is_empty() {
                errors.extend(model::check(self));
            }
            check_optimizer(self, &mut errors);
            errors.extend(train::check(self));
        }
        if errors.is_empty() {
            let rows = counts(self);
            check_rows(self, rows, &mut errors);
            check_sizes(self, rows, &mut errors);
        }
        if errors.is_empty() {
            super::stage::check(self, &mut errors);
            super::timeline::check(self, &mut errors);
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
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
    let unit = task::split_of(&experiment.task).map_or("pairs", |split| split.units);
    // A share of (k − ½)/units rounds to k units; a little inside is safe against rounding.
    if rows.train == 0 {
        errors.push(FieldError::new(
            "task.train_fraction",
            format!("{} of {units} {unit} is no training {}", experiment.task.train_fraction, singular(unit)),
            format!("Use at least {}", rounded(1.0 / units)),
        ));
    } else if rows.test == 0 {
        errors.push(FieldError::new(
            "task.train_fraction",
            format!("{} of {units} {unit} leaves no test {}", experiment.task.train_fraction, singular(unit)),
            format!("Use at most {}", rounded(1.0 - 1.0 / units - experiment.task.settings.number("probe_fraction"))),
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

/// `unordered pairs` → `pair`.
fn singular(unit: &str) -> &str {
    unit.rsplit(' ').next().unwrap_or(unit).trim_end_matches('s')
}

fn check_sizes(experiment: &Experiment, rows: Counts, errors: &mut Vec<FieldError>) {
    let per_row = bytes_per_row(experiment);
    if per_row * u64::from(rows.domain) > MAX_ACTIVATION_BYTES {
        let megabytes = (per_row * u64::from(rows.domain)) >> 20;
        let cause = format!("One evaluation of all {} rows needs about {megabytes} MB", rows.domain);
        errors.push(match experiment.task.modulus() {
            0 => FieldError::new("model.architecture", cause, "Use a narrower network or a smaller task"),
            modulus => FieldError::new("task.modulus", cause, smaller_modulus(experiment, modulus)),
        });
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
    let checkpoint = 4 * parameters(experiment);
    let saved = u64::from(experiment.steps) / u64::from(experiment.logging.checkpoint_every);
    if saved * checkpoint > MAX_CHECKPOINT_BYTES {
        // A checkpoint is a few megabytes at most, so many always fit.
        let most = (MAX_CHECKPOINT_BYTES / checkpoint.max(1)).max(1);
        errors.push(FieldError::new(
            "logging.checkpoint_every",
            format!("{saved} checkpoints would take {} MB", (saved * checkpoint) >> 20),
            format!("Use {}", u64::from(experiment.steps).div_ceil(most)),
        ));
    }
}

/// The remedy for a modulus whose whole grid does not fit.
fn smaller_modulus(experiment: &Experiment, modulus: u32) -> String {
    let fits = |modulus: &u32| {
        replace(experiment, "task.modulus", &modulus.to_string()).is_ok_and(|smaller| {
            let square = u64::from(*modulus) * u64::from(*modulus);
            bytes_per_row(&smaller) * square <= MAX_ACTIVATION_BYTES && task::check(&smaller.task).is_empty()
        })
    };
    match (3..modulus).rev().find(fits) {
        Some(nearest) => format!("Use a modulus of at most {nearest}, or a narrower network"),
        None => "Use a narrower network".into(),
    }
}

/// Three significant digits, for a remedy that people type.
fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}
