//! Why the network changes over from memory to the rule, and back when rows are taken away: the efficiency of circuits (Varma et
//! al.).
//!
//! The account that foretold two things before anybody had seen them, ungrokking and semi-grokking. It is told in words about
//! circuits that nobody can cut out of a network; so here its minimal example is solved, which says exactly what follows from it
//! and what does not (no lasting hysteresis below κ = 2), and its two measurable claims are put to real networks: what memory and
//! the rule cost in norm over the number of rows, and whether accuracy jumps where the two cross.

mod curve;
mod findings;
mod reading;
mod report;
mod run;
mod split;
mod survey;
mod sweep;
mod toy;

use super::survey::Survey;
use super::{About, OfRun, Outcome, Theory};
use crate::experiment::edit::Editable;
use crate::experiment::field::{Field, FieldKind, above, closed};
use crate::experiment::fields::MAX_SEED;
use crate::record::UserError;
use serde::{Deserialize, Serialize};
use toy::{Both, Toy};

/// Settings of the panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CircuitEfficiency {
    /// Format version.
    pub schema: u32,
    /// D/D_crit of the run that is shown.
    pub size: f64,
    /// How P_M grows with D.
    pub growth: f64,
    /// κ.
    pub kappa: f64,
    /// α.
    pub decay: f64,
    /// w_G2 at the start.
    pub slow_start: f64,
    /// q.
    pub classes: u32,
    /// Step of gradient descent.
    pub learning_rate: f64,
    /// Updates of the run that is shown, and of the loop.
    pub updates: u32,
    /// Survey: networks for each number of rows.
    pub seeds: u32,
    /// Survey: numbers of rows.
    pub fractions: u32,
    /// Survey: least share of the pairs.
    pub least_fraction: f64,
    /// Survey: updates of each network.
    pub network_updates: u32,
    /// Survey: root of the random numbers.
    pub seed: u64,
}

impl Default for CircuitEfficiency {
    fn default() -> Self {
        Self {
            schema: 1,
            size: 4.0,
            growth: 0.5,
            kappa: 1.2,
            decay: 0.005,
            slow_start: 0.005,
            classes: 113,
            learning_rate: 0.1,
            updates: 3000,
            seeds: 3,
            fractions: 6,
            least_fraction: 0.15,
            network_updates: 750,
            seed: 0,
        }
    }
}

/// Share of the pairs with which the survey's grokked networks begin, and the most of its grid.
const GROKS_AT: f64 = 0.5;

static FIELDS: &[Field] = &[
    Field::new("schema", "Format version", "Version of this format", FieldKind::Integer { min: 1, max: 1 }),
    Field::new("size", "Rows over the critical number", "D/D_crit of the run that is shown", closed(0.1, 10.0)),
    Field::new(
        "growth",
        "Growth of memory's norm β",
        "Norm of memory at a logit of 1 grows as D^β; ½ adds squared norms",
        closed(0.05, 1.0),
    ),
    Field::new(
        "kappa",
        "Power κ",
        "A circuit's logit grows as its norm to this power; from 2 on it has no minimum inside, see the figure split",
        closed(0.5, 1.9),
    ),
    Field::new("decay", "Weight decay α", "Factor of half the squared norm", above(0.0, 0.05)),
    Field::new(
        "slow_start",
        "Slow start",
        "Where the generalising circuit's second factor starts; memory's starts at 1",
        above(0.0, 1.0),
    ),
    Field::new("classes", "Classes q", "Classes of the softmax", FieldKind::Integer { min: 3, max: 1000 }),
    Field::new("learning_rate", "Learning rate", "Step of gradient descent", above(0.0, 0.2)),
    Field::new("updates", "Updates", "Of the run that is shown and of the loop", FieldKind::Integer { min: 100, max: 10_000 }),
    Field::new("seeds", "Networks each", "Survey: networks for each number of rows", FieldKind::Integer { min: 1, max: 16 }),
    Field::new(
        "fractions",
        "Numbers of rows",
        "Survey: shares of the pairs, evenly in their logarithm",
        FieldKind::Integer { min: 3, max: 16 },
    ),
    Field::new("least_fraction", "Least share", "Survey: least share of the pairs; the most is a half", closed(0.05, 0.4)),
    Field::new(
        "network_updates",
        "Updates of a network",
        "Survey: of each network in all; those that lose rows do so after 200",
        FieldKind::Integer { min: 300, max: 10_000 },
    ),
    Field::new("seed", "Seed", "Survey: root of the networks' random numbers", FieldKind::Integer { min: 0, max: MAX_SEED - 16 }),
];

impl Editable for CircuitEfficiency {
    const WHAT: &'static str = "circuit efficiency panel";
    const NEWEST: u32 = 1;

    fn table() -> &'static [Field] {
        FIELDS
    }
}

impl CircuitEfficiency {
    /// The toy at `size` = D/D_crit; P_G = 1 and P_M = size^β, so that both are 1 at the critical size.
    fn toy(&self, size: f64) -> Toy {
        Toy {
            classes: f64::from(self.classes),
            kappa: self.kappa,
            decay: self.decay,
            norms: Both { generalising: 1.0, memory: libm::pow(size, self.growth) },
            learning_rate: self.learning_rate,
        }
    }

    /// Where the second factors start.
    fn second(&self) -> Both<f64> {
        Both { generalising: self.slow_start, memory: 1.0 }
    }
}

impl Theory for CircuitEfficiency {
    const ABOUT: About = About {
        name: "circuit-efficiency",
        title: "Circuit efficiency",
        question: "Why does a network change over to the rule, and does it change back when rows are taken away?",
        paragraph: "Two ways of answering add up in one network: a memory of the training rows and the rule. Weight decay pays for \
                    norm, so it prefers whichever gives more logit for less of it. The rule costs the same however many rows there \
                    are; memory costs more with each. Below a critical number of rows memory is the cheaper one, above it the rule. \
                    The rule is also slower to learn, so memory comes first and the rule takes over late: that is the grok. Take rows \
                    away from a network that has grokked, and memory should come back. Here the smallest system with these \
                    three ingredients is solved and run, up and down in the number of rows; the survey does the same with real networks.",
        equation: EQUATION,
        breaks: "The share at rest is a smooth function of the number of rows where κ < 2, so a half-grokked rest is the rule there and \
                 a sharp step is not, and a loop between up and down is lateness that closes with time. From κ = 2 on the cheaper circuit \
                 takes all, beyond it both alone are minima for ever. A network without biases has its degree of homogeneity for κ, 3 for \
                 the one of the survey, and yet some are found half-way; but a circuit can also grow by more neurons, whose logits and squared \
                 norms add up as with κ = 2. AdamW's decay is no L2 penalty, so what it prefers need not be the \
                 smaller norm. And without weight decay the account says nothing, though networks grok there too.",
        survey: Some(
            "Trains small networks of the laboratory with few to many rows, from scratch and after they have grokked, and others on \
             random labels: about a minute on one core",
        ),
        references: &[
            "Varma, Shah, Kenton, Kramár and Kumar 2023, Explaining grokking through circuit efficiency, arXiv 2309.02390: the minimal \
             example (appendix C), the split of the norm (theorem D.4), ungrokking at 800 to 1,000 rows against semi-grokking at 2,000 \
             (appendix A.2)",
            "Jermyn and Shlegeris 2022, Multi-component learning and S-curves, Alignment Forum: the product of two weights",
        ],
    };

    const OF_RUN: Option<OfRun> = Some(run::of_run);

    const RUN_MEASURES: &'static [&'static str] = &["efficiency"];

    const SYSTEM_FIELDS: &'static [&'static str] =
        &["size", "growth", "kappa", "decay", "slow_start", "classes", "learning_rate", "updates"];

    const SURVEY_FIELDS: &'static [&'static str] = &["seeds", "fractions", "least_fraction", "network_updates", "seed"];

    fn outcome(&self) -> Result<Outcome, UserError> {
        report::outcome(self)
    }

    fn survey(&self) -> super::panel::Begun {
        Ok(Some(Box::new(survey::Loops::begin(self)?) as Box<dyn Survey>))
    }
}

const EQUATION: &str = "<math display=\"block\"><mtable columnalign=\"left\">\
<mtr><mtd><mi>L</mi><mo>=</mo><mi>log</mi><mo>(</mo><mn>1</mn><mo>+</mo><mo>(</mo><mi>q</mi><mo>−</mo><mn>1</mn><mo>)</mo>\
<msup><mi>e</mi><mrow><mo>−</mo><msub><mi>w</mi><mi>G</mi></msub><mo>−</mo><msub><mi>w</mi><mi>M</mi></msub></mrow></msup><mo>)</mo>\
<mo>+</mo><mfrac><mi>α</mi><mn>2</mn></mfrac><mo>(</mo><msubsup><mi>P</mi><mi>G</mi><mn>2</mn></msubsup>\
<msubsup><mi>w</mi><mi>G</mi><mrow><mn>2</mn><mo>/</mo><mi>κ</mi></mrow></msubsup><mo>+</mo><msub><mi>P</mi><mi>M</mi></msub>\
<msup><mrow><mo>(</mo><mi>D</mi><mo>)</mo></mrow><mn>2</mn></msup>\
<msubsup><mi>w</mi><mi>M</mi><mrow><mn>2</mn><mo>/</mo><mi>κ</mi></mrow></msubsup><mo>)</mo></mtd></mtr>\
<mtr><mtd><mtext>at rest:</mtext><mspace width=\"0.5em\"/><mfrac><msub><mi>w</mi><mi>G</mi></msub><msub><mi>w</mi><mi>M</mi></msub></mfrac><mo>=</mo>\
<msup><mrow><mo>(</mo><mfrac><mrow><msub><mi>P</mi><mi>M</mi></msub><mo>(</mo><mi>D</mi><mo>)</mo></mrow><msub><mi>P</mi><mi>G</mi></msub></mfrac><mo>)</mo></mrow>\
<mrow><mn>2</mn><mi>κ</mi><mo>/</mo><mo>(</mo><mn>2</mn><mo>−</mo><mi>κ</mi><mo>)</mo></mrow></msup>\
<mo>,</mo><mspace width=\"1em\"/><msub><mi>P</mi><mi>M</mi></msub><mo>(</mo><msub><mi>D</mi><mtext>crit</mtext></msub><mo>)</mo>\
<mo>=</mo><msub><mi>P</mi><mi>G</mi></msub></mtd></mtr>\
</mtable></math>";
