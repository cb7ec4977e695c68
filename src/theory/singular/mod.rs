//! How many weights does a solution really use, and which of two does a posterior prefer? Singular learning theory.
//!
//! The laboratory measures a local learning coefficient on networks, where the true one is unknown, and the theory's law for two
//! phases is quoted without its constant terms. So here is a system in which the coefficient is known in closed form, and in which
//! volumes, free energies and posterior shares can be had by integration: the law and our own estimator are held against them. What
//! follows for a run of the laboratory is in [`run`].

mod balance;
mod chains;
mod phases;
mod report;
mod run;
#[cfg(test)]
mod run_tests;
mod system;
mod volume;

use super::{About, OfRun, Outcome, Theory};
use crate::experiment::edit::Editable;
use crate::experiment::field::{Field, FieldKind, closed};
use crate::experiment::fields::MAX_SEED;
use crate::record::UserError;
use serde::{Deserialize, Serialize};
use system::System;

/// Which loss is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Two linear layers.
    Layers,
    /// A product of powers.
    Monomial,
    /// A neuron.
    Neuron,
    /// A regular model.
    Bowl,
}

/// Settings of the panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Singular {
    /// Format version.
    pub schema: u32,
    /// The generalising phase.
    pub system: Kind,
    /// Outputs of the two layers.
    pub outputs: u32,
    /// Hidden width of the two layers.
    pub hidden: u32,
    /// k of the product of powers.
    pub power: u32,
    /// Weights of the regular model.
    pub weights: u32,
    /// γ.
    pub localisation: f64,
    /// Weights of the memorising phase.
    pub memory: u32,
    /// ΔL in nats per row.
    pub gap: f64,
    /// Estimates by chains at each temperature.
    pub repeats: u32,
    /// Root of the random numbers.
    pub seed: u64,
}

impl Default for Singular {
    fn default() -> Self {
        Self {
            schema: 1,
            system: Kind::Layers,
            outputs: 3,
            hidden: 2,
            power: 2,
            weights: 10,
            localisation: chains::LOCALISATION,
            memory: 20,
            gap: 0.01,
            repeats: 96,
            seed: 0,
        }
    }
}

static FIELDS: &[Field] = &[
    Field::new("schema", "Format version", "Version of this format", FieldKind::Integer { min: 1, max: 1 }),
    Field::new(
        "system",
        "Generalising phase",
        "Loss whose learning coefficient is known in closed form",
        FieldKind::Choice(&[
            ("layers", "Two linear layers"),
            ("monomial", "Product of powers"),
            ("neuron", "One neuron"),
            ("bowl", "Regular model"),
        ]),
    ),
    Field::new("outputs", "Outputs", "Of the second layer; the first has two inputs", FieldKind::Integer { min: 1, max: 8 })
        .starts("3")
        .when(&[("system", &["layers"])]),
    Field::new("hidden", "Hidden width", "Between the layers", FieldKind::Integer { min: 1, max: 2 })
        .starts("2")
        .when(&[("system", &["layers"])]),
    Field::new("power", "Power k", "The loss is ½ w₁^2k w₂²", FieldKind::Integer { min: 1, max: 4 })
        .starts("2")
        .when(&[("system", &["monomial"])]),
    Field::new("weights", "Weights", "Of the regular model", FieldKind::Integer { min: 1, max: 16 })
        .starts("10")
        .when(&[("system", &["bowl"])]),
    Field::new(
        "localisation",
        "Localisation γ",
        "Weights are N(0, 1/γ) about the minimum: the prior, and what keeps the chains near; the laboratory has 5",
        closed(0.1, 100.0),
    ),
    Field::new(
        "memory",
        "Weights of the memory",
        "The memorising phase is a bowl of so many weights",
        FieldKind::Integer { min: 1, max: 500 },
    ),
    Field::new("gap", "Loss gap ΔL", "Nats per row by which the memorising phase fits better", closed(1e-6, 1.0)),
    Field::new(
        "repeats",
        "Estimates",
        "How often the laboratory's estimator is run at each temperature",
        FieldKind::Integer { min: 4, max: 128 },
    ),
    Field::new("seed", "Seed", "Root of the chains' random numbers", FieldKind::Integer { min: 0, max: MAX_SEED }),
];

impl Editable for Singular {
    const WHAT: &'static str = "singular panel";
    const NEWEST: u32 = 1;

    fn table() -> &'static [Field] {
        FIELDS
    }
}

impl Singular {
    fn system(&self) -> System {
        match self.system {
            Kind::Layers => System::Layers { outputs: self.outputs, hidden: self.hidden },
            Kind::Monomial => System::Monomial { power: self.power },
            Kind::Neuron => System::Neuron,
            Kind::Bowl => System::Bowl { weights: self.weights },
        }
    }
}

impl Theory for Singular {
    const ABOUT: About = About {
        name: "singular",
        title: "Singular learning theory",
        question: "How many weights does a solution really use, and which of two solutions do the data prefer?",
        paragraph: "Count the weights whose loss is within ε of the best: in a regular model this volume shrinks like ε to half the \
                    number of weights. In a network whole surfaces of weights answer alike, and the volume shrinks more slowly, with \
                    an exponent λ that says how many weights the solution uses. Of two solutions a Bayesian posterior over n rows \
                    weighs the loss, n times, against λ log n: with few rows the simple one is preferred even if it fits a little \
                    worse, with many rows the one that fits better, and they cross where n·ΔL is Δλ·log n. Here λ is known in closed \
                    form; volumes, free energies and shares are computed by integration, and the laboratory's own chains are run \
                    on the same loss, to see what they say of it. For a run of the laboratory its measured coefficients are put \
                    into the same balance.",
        equation: EQUATION,
        breaks: "The law holds for n → ∞ and leaves out a constant of several nats, so at a finite number of rows the crossing lies \
                 elsewhere; its error falls only as 1/log n. It weighs solutions and says nothing of how training gets from one to the \
                 other: the share is a function of n alone and has no memory, training has. λ of a memory that has to \
                 store every row grows with n, which the law does not know. The chains see λ only at a temperature and a localisation \
                 at which they no longer come to rest in a few hundred draws.",
        survey: None,
        references: &[
            "Watanabe 2009, Algebraic geometry and statistical learning theory, Cambridge University Press",
            "Watanabe 2013, A widely applicable Bayesian information criterion, Journal of Machine Learning Research 14, 867–897",
            "Aoyagi and Watanabe 2005, Stochastic complexities of reduced rank regression in Bayesian estimation, Neural Networks 18, \
             924–933: λ and m of two linear layers",
            "Lau et al. 2023, The local learning coefficient: a singularity-aware complexity measure, arXiv 2308.12108: the estimator",
            "Chen et al. 2023, Dynamical versus Bayesian phase transitions in a toy model of superposition, arXiv 2310.06301",
        ],
    };

    const OF_RUN: Option<OfRun> = Some(run::of_run);

    const RUN_MEASURES: &'static [&'static str] = &["learning_coefficient"];

    fn outcome(&self) -> Result<Outcome, UserError> {
        Ok(report::outcome(self))
    }
}

const EQUATION: &str = "<math display=\"block\"><mtable columnalign=\"left\">\
<mtr><mtd><mi>V</mi><mo>(</mo><mi>ε</mi><mo>)</mo><mo>∝</mo><msup><mi>ε</mi><mi>λ</mi></msup>\
<msup><mrow><mo>(</mo><mi>log</mi><mfrac><mn>1</mn><mi>ε</mi></mfrac><mo>)</mo></mrow><mrow><mi>m</mi><mo>−</mo><mn>1</mn></mrow></msup>\
<mo>,</mo><mspace width=\"1em\"/><msub><mi>F</mi><mi>n</mi></msub><mo>=</mo><mi>n</mi><mi>L</mi><mo>+</mo><mi>λ</mi><mi>log</mi><mi>n</mi>\
<mo>−</mo><mo>(</mo><mi>m</mi><mo>−</mo><mn>1</mn><mo>)</mo><mi>log</mi><mi>log</mi><mi>n</mi><mo>+</mo><mi>O</mi><mo>(</mo><mn>1</mn><mo>)</mo></mtd></mtr>\
<mtr><mtd><mtext>two phases cross where</mtext><mspace width=\"0.5em\"/><mi>n</mi><mi>Δ</mi><mi>L</mi><mo>=</mo><mi>Δ</mi><mi>λ</mi><mi>log</mi><mi>n</mi>\
<mo>;</mo><mspace width=\"1em\"/><mover><mi>λ</mi><mo>^</mo></mover><mo>=</mo><mi>n</mi><mi>β</mi><mo>(</mo><mi>E</mi><mo>[</mo><mi>L</mi><mo>]</mo><mo>−</mo>\
<mi>L</mi><mo>(</mo><msup><mi>w</mi><mo>∗</mo></msup><mo>)</mo><mo>)</mo></mtd></mtr>\
</mtable></math>";

#[cfg(test)]
mod tests {
    use super::super::Number;
    use super::*;

    fn number<'a>(outcome: &'a Outcome, name: &str) -> &'a Number {
        outcome.numbers.iter().find(|number| number.name == name).unwrap()
    }

    #[test]
    fn the_default_says_what_the_chains_see_and_where_the_law_errs() {
        let outcome = Singular { repeats: 8, ..Singular::default() }.outcome().unwrap();
        assert!(number(&outcome, "seen").value < 0.25);
        let crossing = number(&outcome, "crossing");
        assert!(crossing.expected.unwrap() > 1.2 * crossing.value, "{crossing:?}");
        let refined = number(&outcome, "crossing_refined");
        assert!((refined.value / crossing.value - 1.0).abs() < 0.15, "{refined:?}");
        for name in ["lambda_volume", "lambda_free_energy", "multiplicity"] {
            let found = number(&outcome, name);
            assert!((found.value - found.expected.unwrap()).abs() < 1e-3, "{found:?}");
        }
        let names: Vec<&str> = outcome.figures.iter().map(|figure| figure.name.as_str()).collect();
        assert_eq!(names, ["phases", "share", "gap", "estimate", "volume"]);
        assert!(outcome.figures.iter().all(|figure| !figure.residuals().is_empty()));
    }

    #[test]
    fn without_a_crossing_nothing_is_claimed_of_one_and_the_rest_is_said_all_the_same() {
        let alike = Singular { memory: 1, repeats: 4, ..Singular::default() }.outcome().unwrap();
        assert!(number(&alike, "crossing").value.is_nan());
        assert!(alike.headline.contains("no crossing"), "{}", alike.headline);
        assert_eq!(alike.assumptions[0].holds, None);
        assert!(!alike.figures.iter().any(|figure| figure.name == "gap"));
    }
}
