//! Why does a *linear* student grok? (Levi et al., "Grokking in linear estimators".)
//!
//! Nothing is learned but a vector, there are no features and no circuits, and still accuracy on fresh rows comes late: a delay
//! alone is no evidence of understanding, and this panel is where that is shown. Losses are integrals over the Marchenko–Pastur
//! law and are held against systems of finite size, solved exactly.

mod losses;
mod marchenko_pastur;
mod report;
mod run;
mod system;

use super::{About, OfRun, Outcome, Theory};
use crate::experiment::edit::Editable;
use crate::experiment::field::{Field, FieldKind, above, closed};
use crate::experiment::fields::MAX_SEED;
use crate::record::UserError;
use losses::Descent;
use marchenko_pastur::MarchenkoPastur;
use serde::{Deserialize, Serialize};
use system::Size;

/// The largest part of the stable step that is accepted: the largest eigenvalue of a finite system lies beyond the edge.
const STABLE: f64 = 0.9;

/// Fresh rows on which each system's accuracy is measured.
const TEST_ROWS: usize = 400;

/// Settings of the panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// Format version.
    pub schema: u32,
    /// d.
    pub dimension: u32,
    /// N.
    pub samples: u32,
    /// ε.
    pub tolerance: f64,
    /// η.
    pub learning_rate: f64,
    /// γ.
    pub weight_decay: f64,
    /// σ.
    pub label_noise: f64,
    /// How many systems are drawn.
    pub seeds: u32,
    /// Root of their random numbers.
    pub seed: u64,
}

impl Default for Linear {
    fn default() -> Self {
        Self {
            schema: 1,
            dimension: 120,
            samples: 200,
            tolerance: 0.01,
            learning_rate: 0.01,
            weight_decay: 0.0,
            label_noise: 0.0,
            seeds: 8,
            seed: 0,
        }
    }
}

static FIELDS: &[Field] = &[
    Field::new("schema", "Format version", "Version of this format", FieldKind::Integer { min: 1, max: 1 }),
    Field::new("dimension", "Dimensions d", "Inputs of the student and the teacher", FieldKind::Integer { min: 4, max: 400 }),
    Field::new(
        "samples",
        "Training rows N",
        "Rows of normal inputs; with d/N near 1 the delay is long, above 1 fresh rows stay wrong",
        FieldKind::Integer { min: 4, max: 4000 },
    ),
    Field::new(
        "tolerance",
        "Tolerance ε",
        "A row counts as right if its squared error is at most this; all targets have variance ½",
        above(0.0, 1.0),
    ),
    Field::new("learning_rate", "Learning rate η", "Of full-batch gradient descent on the mean squared error", above(0.0, 1.0)),
    Field::new("weight_decay", "Weight decay γ", "γ‖S‖² is added to the loss", closed(0.0, 10.0)),
    Field::new("label_noise", "Label noise σ", "Standard deviation added to training labels", closed(0.0, 3.0)),
    Field::new("seeds", "Systems", "How many are drawn and solved", FieldKind::Integer { min: 2, max: 64 }),
    Field::new("seed", "Seed", "Root of the systems' random numbers", FieldKind::Integer { min: 0, max: MAX_SEED }),
];

impl Editable for Linear {
    const WHAT: &'static str = "linear panel";
    const NEWEST: u32 = 1;

    fn table() -> &'static [Field] {
        FIELDS
    }
}

impl Linear {
    /// λ = d/N.
    fn ratio(&self) -> f64 {
        f64::from(self.dimension) / f64::from(self.samples)
    }

    fn descent(&self) -> Descent {
        Descent { learning_rate: self.learning_rate, weight_decay: self.weight_decay, is_flow: false }
    }

    fn size(&self) -> Size {
        let (dimension, samples) = (self.dimension as usize, self.samples as usize);
        Size { dimension, samples, test_rows: TEST_ROWS, label_noise: self.label_noise }
    }

    /// Largest curvature over 2: (1 + √λ)² + γ.
    fn steepest(&self) -> f64 {
        MarchenkoPastur::new(self.ratio()).upper_edge() + self.weight_decay
    }
}

impl Theory for Linear {
    const ABOUT: About = About {
        name: "linear",
        title: "Linear estimators",
        question: "Can a model without any features grok, and when?",
        paragraph: "A linear student learns from a linear teacher by gradient descent. A row counts as right when its error is \
                    below a tolerance. The training rows stretch some directions more than others: a direction with little \
                    spread in the data is learned slowly and hardly shows in the training error, but on fresh rows it counts \
                    like any other. So training accuracy saturates first and accuracy on fresh rows follows later, although \
                    nothing was memorised and then understood. For normal inputs the spread of all directions is known \
                    (the Marchenko–Pastur law), so both curves are integrals and the delay is a number.",
        equation: EQUATION,
        breaks: "The integrals are limits for many dimensions; late in training everything hangs on the few smallest eigenvalues, \
                 where finite systems scatter most. The simple formula for the delay, ln(1/(1 − √λ))/(2η(1 − √λ)²), holds only \
                 as the tolerance goes to 0. From λ = 1 on there are directions that no training row shows: the error on fresh \
                 rows stays at or above 1 − 1/λ, and below that tolerance there is no grokking at all.",
        survey: None,
        references: &[
            "Levi, Beck and Bar-Sinai 2023, Grokking in linear estimators: a solvable model that groks without understanding, arXiv 2310.16441",
        ],
    };

    const OF_RUN: Option<OfRun> = Some(run::of_run);

    fn outcome(&self) -> Result<Outcome, UserError> {
        let share = self.learning_rate * self.steepest();
        if share > STABLE {
            let most = STABLE / self.steepest();
            return Err(UserError::new(
                format!("learning_rate: η·((1 + √λ)² + γ) is {share:.3}, and steps grow without end from 1 on"),
                format!("Use at most {:.3}", libm::floor(most * 1000.0) / 1000.0),
            ));
        }
        Ok(report::outcome(self))
    }
}

const EQUATION: &str = "<math display=\"block\"><mtable columnalign=\"left\">\
<mtr><mtd><msub><mi>L</mi><mtext>train</mtext></msub><mo>(</mo><mi>t</mi><mo>)</mo><mo>=</mo><mo>∫</mo><mi>ν</mi><mspace width=\"0.1em\"/>\
<msup><mi>e</mi><mrow><mo>−</mo><mn>4</mn><mi>η</mi><mi>ν</mi><mi>t</mi></mrow></msup><mspace width=\"0.1em\"/><mi>d</mi><mi>μ</mi><mo>(</mo><mi>ν</mi><mo>)</mo>\
<mo>,</mo><mspace width=\"1em\"/><msub><mi>L</mi><mtext>test</mtext></msub><mo>(</mo><mi>t</mi><mo>)</mo><mo>=</mo><mo>∫</mo>\
<msup><mi>e</mi><mrow><mo>−</mo><mn>4</mn><mi>η</mi><mi>ν</mi><mi>t</mi></mrow></msup><mspace width=\"0.1em\"/><mi>d</mi><mi>μ</mi><mo>(</mo><mi>ν</mi><mo>)</mo></mtd></mtr>\
<mtr><mtd><mi>d</mi><mi>μ</mi><mo>=</mo><mfrac><msqrt><mo>(</mo><msub><mi>ν</mi><mo>+</mo></msub><mo>−</mo><mi>ν</mi><mo>)</mo>\
<mo>(</mo><mi>ν</mi><mo>−</mo><msub><mi>ν</mi><mo>−</mo></msub><mo>)</mo></msqrt><mrow><mn>2</mn><mi>π</mi><mi>λ</mi><mi>ν</mi></mrow></mfrac><mi>d</mi><mi>ν</mi>\
<mo>,</mo><mspace width=\"1em\"/><msub><mi>ν</mi><mo>±</mo></msub><mo>=</mo><msup><mrow><mo>(</mo><mn>1</mn><mo>±</mo><msqrt><mi>λ</mi></msqrt><mo>)</mo></mrow><mn>2</mn></msup>\
<mo>,</mo><mspace width=\"1em\"/><mi>λ</mi><mo>=</mo><mi>d</mi><mo>/</mo><mi>N</mi></mtd></mtr>\
<mtr><mtd><mtext>accuracy</mtext><mo>=</mo><mi>erf</mi><msqrt><mfrac><mi>ε</mi><mrow><mn>2</mn><mi>L</mi></mrow></mfrac></msqrt>\
<mo>,</mo><mspace width=\"1em\"/><mtext>95.4% at</mtext><mspace width=\"0.3em\"/><mi>L</mi><mo>=</mo><mfrac><mi>ε</mi><mn>4</mn></mfrac></mtd></mtr>\
</mtable></math>";

#[cfg(test)]
mod tests {
    use super::super::{Drawing, Role};
    use super::*;

    fn number(outcome: &Outcome, name: &str) -> f64 {
        outcome.numbers.iter().find(|number| number.name == name).map(|number| number.value).unwrap()
    }

    #[test]
    fn measured_times_are_those_of_the_integrals_within_the_scatter_of_small_systems() {
        let outcome = Linear { dimension: 48, samples: 96, seeds: 6, ..Linear::default() }.outcome().unwrap();
        for name in ["t_train", "t_test"] {
            let found = outcome.numbers.iter().find(|number| number.name == name).unwrap();
            let (low, high) = found.band.unwrap();
            let expected = found.expected.unwrap();
            assert!((found.value / expected - 1.0).abs() < 0.3 && low < expected && expected < high, "{found:?}");
        }
        assert!(number(&outcome, "asymptotic_delay") > 1.5 * number(&outcome, "predicted_delay"));
        let pairs = outcome.figures[0].residuals();
        assert_eq!(pairs.len(), 2);
        assert!(pairs.iter().flat_map(|(_, points)| points).all(|(_, difference)| difference.abs() < 0.2), "{pairs:?}");
    }

    #[test]
    fn the_scatter_of_finite_systems_is_the_predicted_one_and_falls_with_their_size() {
        let outcome = Linear { dimension: 24, samples: 48, seeds: 2, ..Linear::default() }.outcome().unwrap();
        let figure = outcome.figures.iter().find(|figure| figure.name == "finite_size").unwrap();
        let Drawing::Lines { lines, .. } = &figure.drawing else { panic!() };
        let of = |role| &lines.iter().find(|line| line.role == role).unwrap().points;
        let measured = of(Role::Measured);
        assert!(measured[0].1 > 1.5 * measured[measured.len() - 1].1, "{measured:?}");
        for (found, expected) in measured.iter().zip(of(Role::Predicted)) {
            assert!((found.1 / expected.1 - 1.0).abs() < 0.5, "{found:?} {expected:?}");
        }
    }

    #[test]
    fn above_one_dimension_per_row_there_is_a_floor_and_no_time() {
        let outcome = Linear { dimension: 40, samples: 20, seeds: 4, ..Linear::default() }.outcome().unwrap();
        assert!(number(&outcome, "t_test").is_infinite());
        assert!((number(&outcome, "floor") - 0.5).abs() < 0.15);
        assert!(outcome.headline.contains("never"), "{}", outcome.headline);
    }

    #[test]
    fn label_noise_and_weight_decay_end_at_the_floor_that_the_integral_says() {
        let settings = Linear { dimension: 40, samples: 80, seeds: 8, weight_decay: 0.1, label_noise: 0.3, ..Linear::default() };
        let outcome = settings.outcome().unwrap();
        let floor = outcome.numbers.iter().find(|number| number.name == "floor").unwrap();
        assert!((floor.value / floor.expected.unwrap() - 1.0).abs() < 0.25, "{floor:?}");
        assert!(outcome.numbers.iter().all(|number| number.name != "asymptotic_delay"));
        assert!(outcome.headline.contains("never"), "{}", outcome.headline);
    }

    #[test]
    fn a_step_that_diverges_is_refused_with_one_that_does_not() {
        let wild = Linear { learning_rate: 0.5, ..Linear::default() };
        let refusal = wild.outcome().unwrap_err();
        let remedy: f64 = refusal.remedy.trim_start_matches("Use at most ").parse().unwrap();
        let tame = Linear { learning_rate: remedy, ..wild };
        assert!(tame.learning_rate * tame.steepest() <= STABLE && remedy > 0.2, "{refusal:?}");
    }
}
