//! Settings of the panel, once: those of the spins, which answer at once, and those of the networks, which the survey trains.
//!
//! Which training fractions hold the transition depends on p, so the usual control f puts the sizes beside each other. The first
//! control here is the number of training rows in units of p·log p, in which they come to lie over each other.

use crate::experiment::edit::Editable;
use crate::experiment::field::{Field, FieldKind, above, closed};
use crate::experiment::fields::MAX_SEED;
use serde::{Deserialize, Serialize};

/// The exactly solved system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum System {
    /// Spins ±1: continuous.
    CurieWeiss,
    /// Spins 0, ±1: either order.
    BlumeCapel,
}

/// What is varied over the networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// Training rows over p·log p.
    Coverage,
    /// Training rows over all rows.
    TrainFraction,
    /// Weight decay.
    WeightDecay,
}

/// What tells a network that has generalised from one that has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderParameter {
    /// Test accuracy, chance taken off.
    TestAccuracy,
    /// Mean participation ratio of the input weights' spectrum.
    MeanIpr,
    /// Gini coefficient of that spectrum.
    Gini,
    /// Share of the logits that cosines of a + b − c explain, which a memory has by chance alone.
    TrigExplained,
}

impl OrderParameter {
    /// The measure and its column; `None` for what training itself records.
    pub(super) fn measured(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::TestAccuracy => None,
            Self::MeanIpr => Some(("spectrum", "mean_ipr")),
            Self::Gini => Some(("spectrum", "gini")),
            Self::TrigExplained => Some(("trig_fit", "trig_explained")),
        }
    }
}

/// Settings of the panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatisticalPhysics {
    /// Format version.
    pub schema: u32,
    /// The exactly solved system.
    pub system: System,
    /// Δ.
    pub crystal_field: f64,
    /// N.
    pub sizes: Vec<u32>,
    /// Temperatures.
    pub temperatures: u32,
    /// Half of their range over the transition's.
    pub span: f64,
    /// Independent samples of each size and temperature.
    pub seeds: u32,
    /// p of the networks.
    pub moduli: Vec<u32>,
    /// What is varied over networks.
    pub control: Control,
    /// Its least value.
    pub from: f64,
    /// Its largest value.
    pub to: f64,
    /// Its values.
    pub controls: u32,
    /// Training fraction where something else is varied.
    pub train_fraction: f64,
    /// Networks of each size and control.
    pub networks: u32,
    /// Width of the networks.
    pub width: u32,
    /// Updates of each.
    pub steps: u32,
    /// Their order parameter.
    pub order_parameter: OrderParameter,
    /// Root of all random numbers.
    pub seed: u64,
}

impl Default for StatisticalPhysics {
    fn default() -> Self {
        Self {
            schema: 1,
            system: System::BlumeCapel,
            crystal_field: 0.49,
            sizes: vec![64, 128, 256, 512],
            temperatures: 15,
            span: 0.15,
            seeds: 64,
            moduli: vec![11, 17, 23],
            control: Control::Coverage,
            from: 1.6,
            to: 3.2,
            controls: 9,
            train_fraction: 0.45,
            networks: 32,
            width: 128,
            steps: 300,
            order_parameter: OrderParameter::TestAccuracy,
            seed: 0,
        }
    }
}

const BY: &str = "control";

static FIELDS: &[Field] = &[
    Field::new("schema", "Format version", "Version of this format", FieldKind::Integer { min: 1, max: 1 }),
    Field::new(
        "system",
        "Solved system",
        "Where the analysis is tried on a known answer",
        FieldKind::Choice(&[("blume_capel", "Blume–Capel: spins 0, ±1"), ("curie_weiss", "Curie–Weiss: spins ±1")]),
    ),
    Field::new(
        "crystal_field",
        "Cost Δ",
        "Energy of a spin that is not 0; above .462 the transition is first-order, from .5 there is none",
        closed(0.0, 0.498),
    )
    .starts("0.49")
    .when(&[("system", &["blume_capel"])]),
    Field::new("sizes", "Sizes N", "Numbers of spins", FieldKind::Integers { max_count: 6, min: 8, max: 4096 }),
    Field::new("temperatures", "Temperatures", "Evenly about the transition", FieldKind::Integer { min: 5, max: 41 }),
    Field::new("span", "Range", "Farthest temperature from the transition, as a share of it", closed(0.01, 0.5)),
    Field::new("seeds", "Samples", "Drawn at each size and temperature", FieldKind::Integer { min: 2, max: 1000 }),
    Field::new(
        "moduli",
        "Networks: p",
        "Primes, the sizes of the survey; N is p², the rows of the task",
        FieldKind::Integers { max_count: 5, min: 5, max: 59 },
    ),
    Field::new(
        BY,
        "Networks: control",
        "What is varied; training rows are rounded to whole ones",
        FieldKind::Choice(&[
            ("coverage", "Training rows ÷ p·log p"),
            ("train_fraction", "Training fraction"),
            ("weight_decay", "Weight decay"),
        ]),
    ),
    Field::new("from", "From", "Least training rows over p·log p", above(0.0, 20.0)).starts("1.6").when(&[(BY, &["coverage"])]),
    Field::new("from", "From", "Least training fraction", closed(0.05, 0.95)).starts("0.25").when(&[(BY, &["train_fraction"])]),
    Field::new("from", "From", "Least weight decay", closed(0.0, 50.0)).starts("0.25").when(&[(BY, &["weight_decay"])]),
    Field::new("to", "To", "Most training rows over p·log p", above(0.0, 20.0)).starts("3.2").when(&[(BY, &["coverage"])]),
    Field::new("to", "To", "Largest training fraction", closed(0.05, 0.95)).starts("0.65").when(&[(BY, &["train_fraction"])]),
    Field::new("to", "To", "Largest weight decay", closed(0.0, 50.0)).starts("6").when(&[(BY, &["weight_decay"])]),
    Field::new("controls", "Controls", "Values, evenly from the least to the largest", FieldKind::Integer { min: 3, max: 21 }),
    Field::new("train_fraction", "Training fraction", "While the weight decay is varied", closed(0.05, 0.95))
        .starts("0.45")
        .when(&[(BY, &["weight_decay"])]),
    Field::new("networks", "Networks", "Seeds of each size and control, trained at once", FieldKind::Integer { min: 2, max: 64 }),
    Field::new("width", "Width", "Neurons of each network", FieldKind::Integer { min: 16, max: 512 }),
    Field::new("steps", "Updates", "Budget of each network", FieldKind::Integer { min: 20, max: 5000 }),
    Field::new(
        "order_parameter",
        "Order parameter m",
        "What tells a network that has generalised",
        FieldKind::Choice(&[
            ("test_accuracy", "Test accuracy less chance"),
            ("mean_ipr", "Participation ratio"),
            ("gini", "Gini coefficient of the spectrum"),
            ("trig_explained", "Share of the logits that cosines of a + b − c explain"),
        ]),
    ),
    Field::new("seed", "Seed", "Root of all random numbers", FieldKind::Integer { min: 0, max: MAX_SEED }),
];

impl Editable for StatisticalPhysics {
    const WHAT: &'static str = "statistical physics panel";
    const NEWEST: u32 = 1;

    fn table() -> &'static [Field] {
        FIELDS
    }
}
