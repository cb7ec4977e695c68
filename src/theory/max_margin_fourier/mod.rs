//! Why waves? The network that adds modulo p with the widest margin has one frequency per neuron and all of them (Morwani et al.).
//!
//! "It learned a Fourier circuit" describes; this explains, by a norm and a number. So the number is counted from weights over all
//! pairs, its bound is searched for without the algebra behind it, and a run of the laboratory is laid beside it, in whose norm
//! it is only a bound. Rejected: taking the constant from the paper, and the paper's primes alone: even p has another constant.

mod dual;
mod few;
mod network;
mod report;
mod run;

use super::{About, OfRun, Outcome, Theory};
use crate::experiment::edit::Editable;
use crate::experiment::field::{Field, FieldKind};
use crate::experiment::fields::MAX_SEED;
use crate::record::UserError;
use serde::{Deserialize, Serialize};

/// Settings of the panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxMarginFourier {
    /// Format version.
    pub schema: u32,
    /// p.
    pub modulus: u32,
    /// Networks drawn for each width and each size of noise.
    pub draws: u32,
    /// Neurons that climb from random weights.
    pub climbers: u32,
    /// Root of the random numbers.
    pub seed: u64,
}

impl Default for MaxMarginFourier {
    fn default() -> Self {
        Self { schema: 1, modulus: 31, draws: 8, climbers: 24, seed: 0 }
    }
}

static FIELDS: &[Field] = &[
    Field::new("schema", "Format version", "Version of this format", FieldKind::Integer { min: 1, max: 1 }),
    Field::new(
        "modulus",
        "Modulus p",
        "Odd or even, prime or not; the time to answer grows like p⁴",
        FieldKind::Integer { min: 5, max: 43 },
    ),
    Field::new("draws", "Networks", "Drawn for each width and each size of noise", FieldKind::Integer { min: 2, max: 32 }),
    Field::new("climbers", "Neurons", "That climb from random weights to the bound", FieldKind::Integer { min: 4, max: 64 }),
    Field::new("seed", "Seed", "Root of the random numbers", FieldKind::Integer { min: 0, max: MAX_SEED }),
];

impl Editable for MaxMarginFourier {
    const WHAT: &'static str = "theory panel max-margin-fourier";
    const NEWEST: u32 = 1;

    fn table() -> &'static [Field] {
        FIELDS
    }
}

impl Theory for MaxMarginFourier {
    const ABOUT: About = About {
        name: "max-margin-fourier",
        title: "Waves by the widest margin",
        question: "Why do networks learn waves to add modulo p, and how wide can their margin be?",
        paragraph: "Long training with a classification loss and ever smaller weight decay widens the smallest margin that a norm of the \
                    weights allows. For one hidden layer of squares and the right norm this can be solved: no network has a margin \
                    above √(2/27)/(√p(p − 1)), and one that has it uses a single frequency in every neuron and every frequency in \
                    some neuron. Here such a network is written down with six neurons per frequency and its margin counted over all \
                    pairs; single neurons climb from random weights to the bound, each into one frequency of its own; and what \
                    happens is shown when frequencies are left out, phases are off or random, or p is even.",
        equation: EQUATION,
        breaks: "The norm is the sum of cubes of the neurons' norms. Training of all weights alike minds the sum of squares, under \
                 which fewer, stronger neurons are better: for the primes from 13 to 31 a few well-spread frequencies beat all of them, as in \
                 networks that are trained. The widest margin in that norm is not known; it lies between the best design's and the \
                 bound. Margins over training rows alone may exceed the bound, which holds for all pairs. And how long training takes \
                 to come close is not said.",
        survey: None,
        references: &[
            "Morwani, Edelman, Oncescu, Zhao and Kakade 2023, Feature emergence via margin maximization: case studies in algebraic \
             tasks, arXiv 2311.07568",
            "Wei, Lee, Liu and Ma 2019, Regularization matters: generalization and optimization of neural nets v.s. their induced \
             kernel, arXiv 1810.05369: small weight decay finds the widest margin",
            "Gromov 2023, Grokking modular arithmetic, arXiv 2301.02679: the design with random phases",
        ],
    };

    const OF_RUN: Option<OfRun> = Some(run::of_run);

    const RUN_MEASURES: &'static [&'static str] = &["margin"];

    fn outcome(&self) -> Result<Outcome, UserError> {
        Ok(report::outcome(self))
    }
}

const EQUATION: &str = "<math display=\"block\"><mtable columnalign=\"left\">\
<mtr><mtd><mi>f</mi><mo>(</mo><mi>a</mi><mo>,</mo><mi>b</mi><mo>)</mo><mo>[</mo><mi>c</mi><mo>]</mo><mo>=</mo><munder><mo>∑</mo><mi>k</mi></munder>\
<msub><mi>w</mi><mi>k</mi></msub><mo>(</mo><mi>c</mi><mo>)</mo><msup><mrow><mo>[</mo><msub><mi>u</mi><mi>k</mi></msub><mo>(</mo><mi>a</mi><mo>)</mo><mo>+</mo>\
<msub><mi>v</mi><mi>k</mi></msub><mo>(</mo><mi>b</mi><mo>)</mo><mo>]</mo></mrow><mn>2</mn></msup></mtd></mtr>\
<mtr><mtd><mfrac><mrow><munder><mi>min</mi><mrow><mi>a</mi><mo>,</mo><mi>b</mi><mo>,</mo><mi>c</mi><mo>≠</mo><mi>a</mi><mo>+</mo><mi>b</mi></mrow></munder>\
<mspace width=\"0.3em\"/><mi>f</mi><mo>[</mo><mi>a</mi><mo>+</mo><mi>b</mi><mo>]</mo><mo>−</mo><mi>f</mi><mo>[</mo><mi>c</mi><mo>]</mo></mrow>\
<mrow><munder><mo>∑</mo><mi>k</mi></munder><msup><mrow><mo>‖</mo><mo>(</mo><msub><mi>u</mi><mi>k</mi></msub><mo>,</mo><msub><mi>v</mi><mi>k</mi></msub><mo>,</mo>\
<msub><mi>w</mi><mi>k</mi></msub><mo>)</mo><mo>‖</mo></mrow><mn>3</mn></msup></mrow></mfrac><mo>≤</mo>\
<msqrt><mfrac><mn>2</mn><mn>27</mn></mfrac></msqrt><mspace width=\"0.2em\"/><mfrac><mn>1</mn><mrow><msqrt><mi>p</mi></msqrt>\
<mo>(</mo><mi>p</mi><mo>−</mo><mn>1</mn><mo>)</mo></mrow></mfrac><mspace width=\"0.6em\"/><mtext>(p odd)</mtext></mtd></mtr>\
</mtable></math>";

#[cfg(test)]
mod tests {
    use super::super::Number;
    use super::*;

    fn small(modulus: u32) -> MaxMarginFourier {
        MaxMarginFourier { modulus, draws: 2, climbers: 4, ..MaxMarginFourier::default() }
    }

    fn number<'a>(outcome: &'a Outcome, name: &str) -> &'a Number {
        outcome.numbers.iter().find(|number| number.name == name).unwrap()
    }

    #[test]
    fn counted_margins_and_climbed_bounds_are_the_closed_forms() {
        for modulus in [9, 10] {
            let outcome = small(modulus).outcome().unwrap();
            for name in ["margin", "bound", "plain_margin", "dropped", "few_share"] {
                let found = number(&outcome, name);
                assert!((found.value / found.expected.unwrap() - 1.0).abs() < 1e-6, "{modulus}: {found:?}");
            }
            assert!(number(&outcome, "unevenness").value.abs() < 1e-9);
            for name in ["margins", "frequencies", "few"] {
                let figure = outcome.figures.iter().find(|figure| figure.name == name).unwrap();
                let residuals = figure.residuals();
                assert!(!residuals.is_empty());
                assert!(residuals.iter().flat_map(|(_, points)| points).all(|(_, off)| off.abs() < 1e-9), "{modulus} {name}");
            }
        }
    }

    #[test]
    fn frequencies_left_out_and_random_phases_cost_margin() {
        let outcome = small(11).outcome().unwrap();
        assert!(number(&outcome, "dropped").value < 0.9);
        assert!(number(&outcome, "random").value < 0.95, "{:?}", number(&outcome, "random"));
        assert!(outcome.assumptions.iter().all(|assumption| !assumption.evidence.is_empty()));
    }
}
