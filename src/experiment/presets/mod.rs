//! Experiments that are known to show something, each with its source, formula and expected band.
//!
//! Without them a newcomer meets twenty empty fields, and "why can't I reproduce the figure?" has no answer. Each is the changes
//! that make it out of another, so what it is about stands on its few lines. Each is pinned by a hash in `tests/link.rs`: links
//! are differences against a preset, so a preset that changed silently would change what old links mean.

mod perceptrons;
mod phases;
mod solvable;
mod tasks;
mod transformers;
mod tricks;
mod verdict;

pub use verdict::{Findings, Grade, Verdict, bands, preset_of, verdict};

use super::config::{Experiment, LoggingConfig, ModelConfig, OptimizerConfig, SCHEMA, TaskConfig};
use super::edit::{distance, replace};
use super::settings::Settings;
use crate::record::UserError;
use std::sync::LazyLock;

/// A known experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Name on the command line and in links.
    pub name: &'static str,
    /// Short name for people.
    pub title: &'static str,
    /// Where it stands in the list.
    pub shelf: &'static str,
    /// One plain sentence: what one will see.
    pub sentence: &'static str,
    /// What is run.
    pub experiment: Experiment,
    /// Where the setting comes from.
    pub source: &'static str,
    /// What others, or we, have measured.
    pub expected: Expected,
    /// What it costs, honestly.
    pub cost: &'static str,
    /// The crosscoder preset that belongs to it.
    pub crosscoder: Option<&'static str>,
}

/// What a run should come to. Bands have both ends included.
///
/// Nothing expected and *not* expected are two things: a control that must not understand fails when it does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// Band of `RunSummary::t_mem`, in steps.
    pub t_mem: Option<[u32; 2]>,
    /// What is known of `RunSummary::t_gen`.
    pub t_gen: Option<Understanding>,
    /// Band of the first evaluated step with a test loss below [`LOW_LOSS`].
    pub low_test_loss: Option<[u32; 2]>,
    /// Band of the test accuracy after the last step, as a share.
    pub test_accuracy: Option<[f32; 2]>,
    /// What the bands rest on, and their limits.
    pub note: &'static str,
}

/// Whether a run should understand, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Understanding {
    /// At a step of this band.
    Within([u32; 2]),
    /// Not before the last step.
    Never,
}

/// The test loss, in nats, that counts as low: the mark of the saved runs of Nanda et al. (2301.05217).
pub const LOW_LOSS: f32 = 0.1;

impl Expected {
    /// Nothing to compare with, and why.
    const fn note(note: &'static str) -> Self {
        Self { t_mem: None, t_gen: None, low_test_loss: None, test_accuracy: None, note }
    }

    const fn memorised(self, from: u32, to: u32) -> Self {
        Self { t_mem: Some([from, to]), ..self }
    }

    const fn understood(self, from: u32, to: u32) -> Self {
        Self { t_gen: Some(Understanding::Within([from, to])), ..self }
    }

    const fn never_understood(self) -> Self {
        Self { t_gen: Some(Understanding::Never), ..self }
    }

    const fn low_test_loss(self, from: u32, to: u32) -> Self {
        Self { low_test_loss: Some([from, to]), ..self }
    }

    const fn last_test_accuracy(self, from: f32, to: f32) -> Self {
        Self { test_accuracy: Some([from, to]), ..self }
    }
}

/// All presets, the landing one first.
pub fn presets() -> &'static [Preset] {
    &PRESETS
}

/// The preset called `name`.
///
/// # Errors
/// An unknown name is answered with the nearest one and the list.
pub fn preset(name: &str) -> Result<&'static Preset, UserError> {
    if let Some(found) = presets().iter().find(|p| p.name == name) {
        return Ok(found);
    }
    let nearest = presets().iter().map(|p| p.name).min_by_key(|p| distance(p, name)).unwrap_or_default();
    let all: Vec<&str> = presets().iter().map(|p| p.name).collect();
    Err(UserError::new(
        format!("There is no preset called \"{name}\""),
        format!("The nearest is {nearest}; all are {}", all.join(", ")),
    ))
}

/// A preset as it is written down: the changes that make it out of an earlier one.
#[derive(Clone, Copy)]
struct Row {
    /// Everything but the experiment, which is that of the preset it derives from.
    name: &'static str,
    title: &'static str,
    shelf: &'static str,
    sentence: &'static str,
    from: &'static str,
    edits: &'static [(&'static str, &'static str)],
    source: &'static str,
    expected: Expected,
    cost: &'static str,
    crosscoder: Option<&'static str>,
}

/// Presets that take too long to watch: their curves, as recorded here, are in `www/recorded/NAME.grok.zip` (without weights).
const RECORDED: &[&str] = &["pair-mlp-67", "pair-mlp-67-as-started", "s5-mlp"];

impl Preset {
    /// Whether a recorded run of it comes with the site.
    pub fn is_recorded(&self) -> bool {
        RECORDED.contains(&self.name)
    }
}

/// The shelves, in the order of the page.
const ALL: &[&[Row]] = &[perceptrons::ROWS, transformers::ROWS, tricks::ROWS, phases::ROWS, tasks::ROWS, solvable::ROWS];

static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let mut made: Vec<Preset> = Vec::new();
    for row in ALL.concat() {
        made.push(row.made(&made));
    }
    made
});

impl Row {
    fn made(&self, earlier: &[Preset]) -> Preset {
        let mut experiment = earlier.iter().find(|p| p.name == self.from).map_or_else(landing, |p| p.experiment.clone());
        for (path, text) in [("name", self.name)].iter().chain(self.edits) {
            // A change that cannot be made leaves the experiment as it was; a test holds every preset against its changes.
            experiment = replace(&experiment, path, text).unwrap_or(experiment);
        }
        Preset {
            name: self.name,
            title: self.title,
            shelf: self.shelf,
            sentence: self.sentence,
            experiment,
            source: self.source,
            expected: self.expected,
            cost: self.cost,
            crosscoder: self.crosscoder,
        }
    }
}

/// The experiment that all others derive from.
fn landing() -> Experiment {
    let experiment = Experiment {
        schema: SCHEMA,
        name: "quadratic-31".into(),
        seed: 0,
        steps: 300,
        batch_size: None,
        loss: "mean_squared_error".into(),
        task: TaskConfig {
            operation: "add".into(),
            settings: Settings::default().with("modulus", 31),
            train_fraction: 0.4,
            split: "random".into(),
            label_noise: 0.0,
        },
        model: ModelConfig {
            architecture: "mlp".into(),
            settings: Settings::default().with("width", 256).with("activation", "quadratic"),
            init_scale: 1.0,
        },
        optimizer: OptimizerConfig {
            name: "adam_w".into(),
            learning_rate: 0.01,
            weight_decay: 5.0,
            settings: Settings::default().with("betas", vec![0.9, 0.98]).with("epsilon", 1e-8),
            warmup_steps: 0,
        },
        training: Settings::default(),
        curriculum: Settings::default(),
        stage: Settings::default(),
        timeline: Vec::new(),
        logging: LoggingConfig { evaluate_every: 1, checkpoint_every: 5 },
    };
    // Only settings at their neutral value are added.
    experiment.completed().unwrap_or(experiment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_of_every_preset_can_be_made() {
        for row in ALL.concat() {
            let mut now = preset(row.from).map_or_else(|_| landing(), |p| p.experiment.clone());
            for (path, text) in row.edits {
                now = replace(&now, path, text).unwrap_or_else(|error| panic!("{}: {error}", row.name));
            }
        }
    }
}
