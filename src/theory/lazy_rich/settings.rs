//! Settings of the panel, once: type, start, range and words.
//!
//! The start has D = 16 < P = 104 < D² = 256, small enough for an answer at once, and an α at which the training rows are
//! learned lazily: at α = 3 the network has them in a third of its twin's time, because features move from the first step on.

use super::kernel::{ANSWERS, Start};
use super::system::{Descent, System};
use super::trial::Trial;
use super::twin::{Twin, end};
use crate::experiment::edit::Editable;
use crate::experiment::field::{Field, FieldKind, above, closed};
use crate::experiment::fields::MAX_SEED;
use crate::record::UserError;
use serde::{Deserialize, Serialize};

/// Products of all updates together, at most: some seconds.
const MOST_WORK: f64 = 5e9;

/// Settings of the panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LazyRich {
    /// Format version.
    pub schema: u32,
    /// D.
    pub dimension: u32,
    /// P.
    pub rows: u32,
    /// N.
    pub width: u32,
    /// α.
    pub alpha: f64,
    /// ε.
    pub epsilon: f64,
    /// η in units of N/α².
    pub learning_rate: f64,
    /// Updates.
    pub steps: u32,
    /// Loss that counts as learned, over the mean square of the answers.
    pub threshold: f64,
    /// How many networks, each with its data.
    pub seeds: u32,
    /// Rows and columns of each map.
    pub map_cells: u32,
    /// Networks in each cell.
    pub map_seeds: u32,
    /// Updates in each cell, at most.
    pub map_steps: u32,
    /// Root of the random numbers.
    pub seed: u64,
}

impl Default for LazyRich {
    fn default() -> Self {
        Self {
            schema: 1,
            dimension: 16,
            rows: 104,
            width: 100,
            alpha: 20.0,
            epsilon: 0.25,
            learning_rate: 4.0,
            steps: 3000,
            threshold: 0.2,
            seeds: 6,
            map_cells: 9,
            map_seeds: 3,
            map_steps: 6000,
            seed: 0,
        }
    }
}

static FIELDS: &[Field] = &[
    Field::new("schema", "Format version", "Version of this format", FieldKind::Integer { min: 1, max: 1 }),
    Field::new("dimension", "Inputs D", "Each with variance 1/D", FieldKind::Integer { min: 4, max: 24 }),
    Field::new(
        "rows",
        "Training rows P",
        "A lazy network needs about D²/2, a rich one a few D",
        FieldKind::Integer { min: 2, max: 400 },
    ),
    Field::new("width", "Neurons N", "Their weights start standard normal", FieldKind::Integer { min: 1, max: 10_000 }),
    Field::new("alpha", "Output scale α", "Large is lazy: weights need not move to fit", closed(0.01, 1e4)),
    Field::new("epsilon", "Curvature ε", "Of φ(h) = h + εh²/2", closed(0.02, 2.0)),
    Field::new(
        "learning_rate",
        "Learning rate",
        "In units of N/α², so that α changes how far weights move and not how fast the function does",
        above(0.0, 100.0),
    ),
    Field::new("steps", "Updates", "On all rows at once", FieldKind::Integer { min: 50, max: 100_000 }),
    Field::new(
        "threshold",
        "Threshold",
        "Loss over the mean square of the answers at which rows count as learned",
        closed(0.001, 0.6),
    ),
    Field::new("seeds", "Networks", "Each with its own rows, teacher and start", FieldKind::Integer { min: 1, max: 24 }),
    Field::new("map_cells", "Cells of a map", "Rows, and as many columns", FieldKind::Integer { min: 2, max: 12 }),
    Field::new("map_seeds", "Networks per cell", "The middle one decides", FieldKind::Integer { min: 1, max: 9 }),
    Field::new("map_steps", "Updates per cell", "At most", FieldKind::Integer { min: 100, max: 30_000 }),
    Field::new("seed", "Seed", "Root of the random numbers", FieldKind::Integer { min: 0, max: MAX_SEED }),
];

impl Editable for LazyRich {
    const WHAT: &'static str = "theory panel lazy-rich";
    const NEWEST: u32 = 1;

    fn table() -> &'static [Field] {
        FIELDS
    }
}

impl LazyRich {
    pub(super) fn descent(&self) -> Descent {
        Descent { alpha: self.alpha, epsilon: self.epsilon, learning_rate: self.learning_rate, is_centred: true }
    }

    /// The kernel at the start, infinitely wide.
    pub(super) fn start(&self) -> Start {
        Start { dimension: f64::from(self.dimension), epsilon: self.epsilon }
    }

    /// Loss that counts as learned.
    pub(super) fn level(&self) -> f64 {
        self.threshold * ANSWERS
    }

    /// The networks, trained.
    ///
    /// # Errors
    /// If it would take too long, the first step is too large for a start, or a loss grows beyond numbers.
    pub(super) fn trials(&self) -> Result<Vec<Trial>, UserError> {
        let (d, rows) = (f64::from(self.dimension), f64::from(self.rows));
        let work =
            f64::from(self.seeds) * (f64::from(self.steps) * (2.0 * d * d * rows + 3.0 * d * d * d) + 10.0 * rows * rows * rows);
        if work > MOST_WORK {
            let most = (MOST_WORK / work * f64::from(self.steps)) as u32;
            return Err(UserError::new(
                format!("steps: {} updates of {} networks take too long", self.steps, self.seeds),
                if most >= 50 { format!("Use at most {most}") } else { "Use fewer rows or networks".to_owned() },
            ));
        }
        (0..u64::from(self.seeds)).map(|index| self.trial(index)).collect()
    }

    fn trial(&self, index: u64) -> Result<Trial, UserError> {
        let (dimension, rows, width) = (self.dimension as usize, self.rows as usize, self.width as usize);
        let (system, teacher) = System::drawn(dimension, rows, width, self.seed, index);
        let steepness = system.steepness(&self.descent());
        if steepness >= 2.0 {
            return Err(UserError::new(
                format!(
                    "learning_rate: updates of {} would overshoot more and more in the steepest direction of the kernel",
                    self.learning_rate
                ),
                format!("Use at most {:.2}", libm::floor(100.0 * self.learning_rate / steepness) / 100.0),
            ));
        }
        let twin = Twin::new(&system, self.descent());
        Trial::run(&system, &teacher, &twin, self.descent(), self.steps, self.level()).ok_or_else(|| {
            UserError::new(
                "learning_rate: the kernel grew while features were learned, and the loss went beyond all numbers",
                format!("Use a smaller one, e.g. {:.2}", self.learning_rate / 4.0),
            )
        })
    }

    /// The twin's test loss in the end over rows, over the mean square of the answers: `(P, one value per network)`.
    pub(super) fn lazy_ends(&self) -> Vec<(f64, Vec<f64>)> {
        let most: f64 = self.start().levels().iter().map(|level| level.count).sum();
        let ends = |rows: usize| {
            let one = |index: u64| {
                let (system, teacher) = System::drawn(self.dimension as usize, rows, self.width as usize, self.seed, index);
                Some(end(&system, &self.descent())?.error(&teacher).parts().total() / ANSWERS)
            };
            (rows as f64, (0..u64::from(self.seeds)).filter_map(one).collect())
        };
        let sizes = [0.08, 0.2, 0.35, 0.5, 0.7, 0.9].map(|share| ends((libm::round(share * most) as usize).max(1)));
        sizes.into_iter().filter(|(_, ends): &(f64, Vec<f64>)| !ends.is_empty()).collect()
    }
}
