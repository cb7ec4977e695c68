//! Settings of the panel, once: type, start, range and words.
//!
//! The start is the published group with the share of products on which its phase diagram was drawn, 24 of 36. Two things differ from
//! the published code: the embedding decays, without which far more products are needed than follow, and the decoder is
//! narrower, because an answer is to come at once.

use super::systems::{CHOICES, Choice, System};
use crate::experiment::edit::Editable;
use crate::experiment::field::{Field, FieldKind, above, closed};
use crate::experiment::fields::MAX_SEED;
use crate::record::UserError;
use serde::{Deserialize, Serialize};

/// Settings of the panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupRepresentation {
    /// Format version.
    pub schema: u32,
    /// Group and representation.
    pub group: Choice,
    /// n: ordered pairs trained on.
    pub pairs: u32,
    /// Width of the decoder's two hidden layers.
    pub width: u32,
    /// Half the range of the embedding's first entries.
    pub start: f64,
    /// AdamW's learning rate for the embedding.
    pub representation_rate: f64,
    /// AdamW's learning rate for the decoder.
    pub decoder_rate: f64,
    /// Weight decay of the embedding.
    pub representation_decay: f64,
    /// Weight decay of the decoder.
    pub decoder_decay: f64,
    /// Updates of the toy.
    pub steps: u32,
    /// Updates between evaluations.
    pub evaluate_every: u32,
    /// Random orders of all pairs.
    pub orders: u32,
    /// Sizes of training sets in the survey.
    pub sizes: u32,
    /// Data sets of each size in the survey.
    pub data_sets: u32,
    /// Updates of descent without a decoder.
    pub descent_steps: u32,
    /// Root of all random numbers.
    pub seed: u64,
}

impl Default for GroupRepresentation {
    fn default() -> Self {
        Self {
            schema: 1,
            group: Choice::S3,
            pairs: 24,
            width: 40,
            start: 0.5,
            representation_rate: 0.01,
            decoder_rate: 0.001,
            representation_decay: 1.0,
            decoder_decay: 3.0,
            steps: 1000,
            evaluate_every: 10,
            orders: 300,
            sizes: 8,
            data_sets: 40,
            descent_steps: 3000,
            seed: 0,
        }
    }
}

static FIELDS: &[Field] = &[
    Field::new("schema", "Format version", "Version of this format", FieldKind::Integer { min: 1, max: 1 }),
    Field::new("group", "Group", "What is multiplied, and as which matrices", FieldKind::Choice(CHOICES)),
    Field::new(
        "pairs",
        "Training pairs n",
        "Of the |G|² ordered pairs; the others are the test",
        FieldKind::Integer { min: 2, max: 63 },
    ),
    Field::new(
        "width",
        "Decoder neurons",
        "Width of each of the decoder's two hidden layers; 200 in the paper's code",
        FieldKind::Integer { min: 2, max: 256 },
    ),
    Field::new("start", "First entries", "Of the embedding: uniform up to this size; .05 in the paper's code", above(0.0, 10.0)),
    Field::new("representation_rate", "Representation rate", "AdamW's learning rate for the embedding", above(0.0, 1.0)),
    Field::new("decoder_rate", "Decoder rate", "AdamW's learning rate for the decoder", above(0.0, 1.0)),
    Field::new(
        "representation_decay",
        "Decay of the embedding",
        "Weight decay of the embedding; 0 in the paper's code, which has an L1 penalty of .001 instead",
        closed(0.0, 100.0),
    ),
    Field::new("decoder_decay", "Decay of the decoder", "Weight decay of the decoder", closed(0.0, 100.0)),
    Field::new("steps", "Updates", "Of the toy network", FieldKind::Integer { min: 10, max: 100_000 }),
    Field::new("evaluate_every", "Evaluate every", "Updates between two evaluations", FieldKind::Integer { min: 1, max: 1000 }),
    Field::new(
        "orders",
        "Random orders",
        "Orders in which products become known, for P(forced) and D̄",
        FieldKind::Integer { min: 20, max: 20_000 },
    ),
    Field::new(
        "sizes",
        "Sizes in the survey",
        "Numbers of training pairs, spread evenly",
        FieldKind::Integer { min: 3, max: 40 },
    ),
    Field::new("data_sets", "Data sets in the survey", "Trainings for each size", FieldKind::Integer { min: 4, max: 500 }),
    Field::new(
        "descent_steps",
        "Updates of descent",
        "Without a decoder, on each data set of the survey",
        FieldKind::Integer { min: 10, max: 20_000 },
    ),
    Field::new("seed", "Seed", "Root of data, weights and orders", FieldKind::Integer { min: 0, max: MAX_SEED }),
];

impl Editable for GroupRepresentation {
    const WHAT: &'static str = "group representation panel";
    const NEWEST: u32 = 1;

    fn table() -> &'static [Field] {
        FIELDS
    }
}

impl GroupRepresentation {
    /// The group; refuses what no setting alone shows.
    pub(super) fn checked(&self) -> Result<System, UserError> {
        let system = self.group.system()?;
        let most = (system.order() * system.order() - 1) as u32;
        if self.pairs > most {
            return Err(UserError::new(
                format!(
                    "{} has {} products, so training on {} leaves none for the test",
                    self.group.group_name(),
                    most + 1,
                    self.pairs
                ),
                format!("Use pairs = {most}"),
            ));
        }
        if self.evaluate_every > self.steps {
            return Err(UserError::new(
                format!("A training of {} updates is never evaluated every {}", self.steps, self.evaluate_every),
                format!("Use evaluate_every = {}", self.steps.min(1000)),
            ));
        }
        let product = self.representation_rate * self.representation_decay;
        if product > 1.0 {
            return Err(UserError::new(
                format!("Rate times decay of the embedding is {product}, so each update turns its sign"),
                format!("Use representation_decay = {} or less", 1.0 / self.representation_rate),
            ));
        }
        Ok(system)
    }

    /// Whether the paper speaks of this group.
    pub(super) fn is_s3(&self) -> bool {
        self.group.group_name() == "S3"
    }

    /// Numbers of training pairs in the survey: from an eighth to fifteen sixteenths of all.
    pub(super) fn survey_sizes(&self, system: &System) -> Vec<usize> {
        let pairs = (system.order() * system.order()) as f64;
        let part = |at: u32| 0.125 + 0.8125 * f64::from(at) / f64::from(self.sizes - 1);
        let mut sizes: Vec<usize> = (0..self.sizes).map(|at| libm::round(part(at) * pairs) as usize).collect();
        sizes.dedup();
        sizes
    }
}
