//! Every setting of the panel, once.

use super::data::MOST_POINTS;
use super::descent::Rule;
use super::loss::Loss;
use crate::experiment::FieldError;
use crate::experiment::edit::Editable;
use crate::experiment::field::{Field, FieldKind, above, closed};
use crate::experiment::fields::MAX_SEED;
use crate::record::UserError;
use serde::{Deserialize, Serialize};

/// Which points are learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataSet {
    /// (0, 2) and (1.5, .5), both +: the closed form.
    Asymmetric,
    /// The points of the paper's figure with their mirror images; symmetric, so that from w(0) = 0 the angle is 0 at every step and
    /// tells nothing.
    Figure,
    /// One support vector and points behind it: other norms have other margins.
    Lone,
    /// A point on the margin that does not push.
    Degenerate,
    /// Normal points off a drawn boundary.
    Cloud,
    /// No line through the origin separates them.
    Inseparable,
    /// The reader's own.
    Points,
}

/// What moves the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimizer {
    /// Gradient descent.
    Gd,
    /// Heavy ball.
    Momentum,
    /// Gradient over its norm.
    Normalised,
    /// Adam.
    Adam,
    /// Sign of the gradient.
    Sign,
    /// Steepest coordinate alone.
    Coordinate,
}

/// A linear classifier through the origin, trained on the full batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Separable {
    /// Format version.
    pub schema: u32,
    /// Points.
    pub data: DataSet,
    /// Own points, "x y label" each.
    pub points: Vec<String>,
    /// Points of the cloud.
    pub cloud_size: u32,
    /// Smallest distance of the cloud from its boundary.
    pub cloud_margin: f64,
    /// Standard deviation by which validation points are moved.
    pub spread: f64,
    /// Root of the drawn points.
    pub seed: u64,
    /// Loss of one point.
    pub loss: Loss,
    /// What moves the weights.
    pub optimizer: Optimizer,
    /// η.
    pub learning_rate: f64,
    /// μ.
    pub momentum: f64,
    /// Adam's ε.
    pub epsilon: f64,
    /// w(0).
    pub start: Vec<f64>,
    /// Steps.
    pub steps: u64,
    /// Most steps taken one by one.
    pub plain_steps: u64,
}

impl Default for Separable {
    fn default() -> Self {
        Self {
            schema: 1,
            data: DataSet::Asymmetric,
            points: vec!["0 2 +".into(), "1.5 0.5 +".into(), "-1 -1 -".into()],
            cloud_size: 12,
            cloud_margin: 0.3,
            spread: 1.0,
            seed: 0,
            loss: Loss::Logistic,
            optimizer: Optimizer::Gd,
            learning_rate: 0.25,
            momentum: 0.9,
            epsilon: 0.0,
            start: vec![0.0, 0.0],
            steps: 10_000_000,
            plain_steps: 100_000,
        }
    }
}

impl Separable {
    /// The optimiser with its own settings.
    pub(super) fn rule(&self, optimizer: Optimizer) -> Rule {
        match optimizer {
            Optimizer::Gd => Rule::Gradient,
            Optimizer::Momentum => Rule::Momentum(self.momentum),
            Optimizer::Normalised => Rule::Normalised,
            Optimizer::Adam => Rule::Adam(self.epsilon),
            Optimizer::Sign => Rule::Sign,
            Optimizer::Coordinate => Rule::Coordinate,
        }
    }

    /// Refuses η ≥ 2/`smoothness` for gradient descent.
    ///
    /// # Errors
    /// With the largest η of three digits that works.
    pub(super) fn check_rate(&self, smoothness: f64) -> Result<(), UserError> {
        let limit = 2.0 / smoothness;
        if self.optimizer != Optimizer::Gd || self.learning_rate < limit {
            return Ok(());
        }
        let cause = format!("η = {} is not below 2/β = {limit:.4}, so descent need not descend", self.learning_rate);
        Err(FieldError::new("learning_rate", cause, format!("Use at most {}", below(limit))).into())
    }
}

/// The largest number of three digits below `limit` > 0.
fn below(limit: f64) -> f64 {
    let unit = libm::pow(10.0, libm::ceil(libm::log10(limit)) - 3.0);
    let digits = libm::ceil(limit / unit) - 1.0;
    // Through text, so that 1.77 is shown as 1.77.
    let short = format!("{:.2e}", digits * unit).parse().unwrap_or(digits * unit);
    if short < limit { short } else { (digits - 1.0) * unit }
}

impl Optimizer {
    /// All, in the order of the figure that compares them.
    pub(super) const ALL: [Self; 6] = [Self::Gd, Self::Momentum, Self::Normalised, Self::Adam, Self::Sign, Self::Coordinate];

    /// Its name for people.
    pub(super) fn label(self) -> &'static str {
        OPTIMIZERS[self as usize].1
    }
}

/// In the order of [`Optimizer`].
const OPTIMIZERS: &[(&str, &str)] = &[
    ("gd", "Gradient descent"),
    ("momentum", "Momentum"),
    ("normalised", "Normalised gradient"),
    ("adam", "Adam"),
    ("sign", "Sign of the gradient"),
    ("coordinate", "Steepest coordinate"),
];

const DRAWN_FROM_POINTS: &[&str] = &["asymmetric", "figure", "lone", "degenerate", "inseparable", "points"];

static FIELDS: &[Field] = &[
    Field::new("schema", "Format version", "Version of this format", FieldKind::Integer { min: 1, max: 1 }),
    Field::new(
        "data",
        "Points",
        "What is to be separated by a line through the origin",
        FieldKind::Choice(&[
            ("asymmetric", "A pair with a closed form"),
            ("figure", "The paper's figure, with mirror images"),
            ("lone", "One support vector"),
            ("degenerate", "One on the margin that does not push"),
            ("cloud", "A drawn cloud"),
            ("inseparable", "Not separable"),
            ("points", "Own points"),
        ]),
    ),
    Field::new("points", "Own points", "One a line: x, y and the side (+ or -)", FieldKind::Lines { max_count: MOST_POINTS })
        .when(&[("data", &["points"])])
        .starts("0 2 +; 1.5 0.5 +; -1 -1 -"),
    Field::new("cloud_size", "Points drawn", "Training points of the cloud", FieldKind::Integer { min: 2, max: 200 })
        .when(&[("data", &["cloud"])])
        .starts("12"),
    Field::new("cloud_margin", "Gap", "Smallest distance of a training point from the boundary", closed(0.05, 1.0))
        .when(&[("data", &["cloud"])])
        .starts("0.3"),
    Field::new("spread", "Validation noise", "Standard deviation by which validation points are moved", closed(0.0, 10.0))
        .when(&[("data", DRAWN_FROM_POINTS)])
        .starts("1"),
    Field::new("seed", "Seed", "Root of drawn points", FieldKind::Integer { min: 0, max: MAX_SEED }),
    Field::new(
        "loss",
        "Loss",
        "Loss of one point; the total is their sum",
        FieldKind::Choice(&[("logistic", "Logistic"), ("exponential", "Exponential")]),
    ),
    Field::new("optimizer", "Optimiser", "What moves the weights; all are compared in one figure", FieldKind::Choice(OPTIMIZERS)),
    Field::new("learning_rate", "Learning rate η", "Step size, for the sum over points", above(0.0, 1000.0)),
    Field::new("momentum", "Momentum μ", "Share of the velocity that is kept, also in the comparison", closed(0.0, 0.99)),
    Field::new(
        "epsilon",
        "Adam's ε",
        "Added to the root of the second moment; 0 never lets the gradient's size in",
        closed(0.0, 1.0),
    ),
    Field::new("start", "First weights", "w at step 0", FieldKind::Numbers { count: 2, min: -20.0, max: 20.0 }),
    Field::new("steps", "Steps", "How long to train", FieldKind::Integer { min: 10, max: 1_000_000_000_000 }),
    Field::new(
        "plain_steps",
        "Plain steps",
        "Most steps taken one by one; descent and momentum go on along the curve through their steps, the others stop",
        FieldKind::Integer { min: 1_000, max: 10_000_000 },
    ),
];

impl Editable for Separable {
    const WHAT: &'static str = "panel on separable data";
    const NEWEST: u32 = 1;

    fn table() -> &'static [Field] {
        FIELDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::edit;

    #[test]
    fn the_nearest_step_size_is_below_the_limit() {
        for (limit, nearest) in [(16.0 / 9.0, 1.77), (1.0, 0.999), (0.02, 0.0199), (250.0, 249.0)] {
            assert!((below(limit) - nearest).abs() < 1e-12, "{limit}: {}", below(limit));
            assert!(below(limit) < limit);
        }
    }

    #[test]
    fn the_table_starts_where_the_default_does() {
        let tree = edit::full(&Separable::default());
        for field in FIELDS {
            let found = edit::leaf(&tree, field.path).unwrap();
            assert_eq!(field.kind.check(found), Ok(()), "{}", field.path);
            if let Some(start) = field.start_value() {
                assert_eq!(field.kind.text(&start), field.kind.text(found), "{}", field.path);
            }
        }
    }

    #[test]
    fn settings_that_do_not_apply_come_back_when_they_do() {
        let cloud = edit::replace(&Separable::default(), "data", "cloud").unwrap();
        assert!(edit::replace(&cloud, "points", "1 1 +").is_err());
        let larger = edit::replace(&cloud, "cloud_size", "60").unwrap();
        assert_eq!(larger.cloud_size, 60);
        let own = edit::replace(&larger, "data", "points").unwrap();
        assert_eq!(edit::replace(&own, "points", "1 1 +; 2 0 -").unwrap().points, ["1 1 +", "2 0 -"]);
        assert!(edit::replace(&own, "learning_rate", "0").is_err());
    }
}
