//! How long from memorising to generalising, if the norm of the weights is what decides? (Truong et al.)
//!
//! The law is one line and easily believed; this is where it is derived on a system in which it must hold, measured over a decade
//! of learning rates and weight decays, and offered to running runs as a band ([`predicted_band`]) that is scored afterwards.

mod law;
mod report;
mod run;
mod system;

use super::{About, OfRun, Outcome, Theory};
use crate::experiment::edit::Editable;
use crate::experiment::field::{Field, FieldKind, above, closed};
use crate::experiment::fields::MAX_SEED;
use crate::record::UserError;
use serde::{Deserialize, Serialize};
use system::Run;

/// Operations of all runs together, at most; a step costs 4·d·N.
const MOST_WORK: f64 = 2e9;

/// Settings of the panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NormLaw {
    /// Format version.
    pub schema: u32,
    /// d.
    pub dimension: u32,
    /// N.
    pub rows: u32,
    /// α.
    pub start: f64,
    /// Share of the teacher that no training row shows.
    pub hidden: f64,
    /// Test loss that counts as generalised.
    pub threshold: f64,
    /// η in the middle of the decade.
    pub learning_rate: f64,
    /// λ in the middle of the decade.
    pub weight_decay: f64,
    /// Runs per decade.
    pub runs: u32,
    /// Root of the random numbers.
    pub seed: u64,
}

impl Default for NormLaw {
    fn default() -> Self {
        Self {
            schema: 1,
            dimension: 16,
            rows: 12,
            start: 30.0,
            hidden: 0.05,
            threshold: 0.2,
            learning_rate: 0.1,
            weight_decay: 0.02,
            runs: 7,
            seed: 0,
        }
    }
}

static FIELDS: &[Field] = &[
    Field::new("schema", "Format version", "Version of this format", FieldKind::Integer { min: 1, max: 1 }),
    Field::new("dimension", "Weights d", "Inputs of the linear model", FieldKind::Integer { min: 3, max: 128 }),
    Field::new(
        "rows",
        "Training rows N",
        "Fewer than weights: what they do not show only decays",
        FieldKind::Integer { min: 1, max: 127 },
    ),
    Field::new("start", "Start α", "Norm of the starting weights over that of the teacher", closed(3.0, 1e6)),
    Field::new("hidden", "Hidden share", "Part of the teacher's squared norm that no training row shows", closed(0.0, 0.9)),
    Field::new(
        "threshold",
        "Threshold",
        "Error on fresh rows over the targets' variance at which they count as learned",
        above(0.0, 1.0),
    ),
    Field::new("learning_rate", "Learning rate η", "Middle of the decade over which it is varied", above(0.0, 0.25)),
    Field::new("weight_decay", "Weight decay λ", "Middle of the decade over which it is varied; decoupled", above(0.0, 0.03)),
    Field::new("runs", "Runs per decade", "Learning rates, and as many weight decays", FieldKind::Integer { min: 3, max: 25 }),
    Field::new("seed", "Seed", "Root of the runs' random numbers", FieldKind::Integer { min: 0, max: MAX_SEED }),
];

impl Editable for NormLaw {
    const WHAT: &'static str = "norm law panel";
    const NEWEST: u32 = 1;

    fn table() -> &'static [Field] {
        FIELDS
    }
}

impl NormLaw {
    fn run(&self) -> Run {
        Run {
            dimension: self.dimension as usize,
            rows: self.rows as usize,
            start: self.start,
            hidden: self.hidden,
            generalised: self.threshold,
            learning_rate: self.learning_rate,
            weight_decay: self.weight_decay,
        }
    }

    /// Half a decade up or down by `place` from −1 to 1.
    fn varied(middle: f64, place: f64) -> f64 {
        middle * libm::pow(10.0, 0.5 * place)
    }

    /// Steps that one run at the chosen rates takes, roughly: 1.5·log(α/√threshold)/(ηλ).
    fn expected_steps(&self) -> f64 {
        1.5 * libm::log(self.start / libm::sqrt(self.threshold)) / (self.learning_rate * self.weight_decay)
    }

    /// Operations of all runs: over a decade the mean of 1/x is 1.24 times that of its middle.
    fn work(&self) -> f64 {
        4.0 * f64::from(self.dimension * self.rows) * self.expected_steps() * (1.0 + 2.5 * f64::from(self.runs))
    }
}

impl Theory for NormLaw {
    const ABOUT: About = About {
        name: "norm-law",
        title: "The norm-separation law",
        question: "How long after memorising does a run generalise, if weight decay has to remove the rest?",
        paragraph: "Memorising with large weights leaves parts of them that the training rows do not need. Weight decay removes those \
                    parts slowly, by the share lr·wd per step, and fresh rows are answered well when little is left. So the \
                    delay is the logarithm of how far the norm has to fall, over the rate. Here this is shown on a linear \
                    model in which everything can be solved: in directions that training rows show it learns within a few steps, \
                    in all others its start only decays. Learning rate and weight decay are varied over a decade each, the law is \
                    fitted with one factor, and a band for the time is drawn as it would have been while the run was going.",
        equation: EQUATION,
        breaks: "The logarithm of the norms is only a stand-in for what fresh rows see: the exact time also depends on the threshold and \
                 on how much of the norm is of use, which a fitted factor hides. In a network the loss pulls on all weights, the \
                 useful norm itself shrinks under decay, and an adaptive optimiser moves weights that a plain one would leave. \
                 Where the norm rises or stays, the law says nothing.",
        survey: None,
        references: &[
            "Truong, Truong, Luu and Phan 2026, The norm-separation delay law of grokking: a first-principles theory of delayed \
             generalization, arXiv 2603.13331: reported R² .97 over weight decay and .92 over learning rate",
            "Lyu et al. 2023, Dichotomy of early and late phase implicit biases can provably induce grokking, arXiv 2311.18817: \
             the time grows like log α over the decay",
        ],
    };

    const OF_RUN: Option<OfRun> = Some(run::of_run);

    fn outcome(&self) -> Result<Outcome, UserError> {
        if self.rows >= self.dimension {
            return Err(UserError::new(
                format!("rows: {} rows show all {} directions, so nothing is left to decay", self.rows, self.dimension),
                format!("Use at most {}", self.dimension - 1),
            ));
        }
        // At the upper end of the decade. The table's ranges keep bias², the floor of the training loss, below what counts as
        // memorised, and η(1 + λ) below 1, so that nothing swings.
        let decay = Self::varied(self.weight_decay, 1.0);
        let bias = decay / (1.0 + decay);
        let floor = self.hidden + bias * bias * (1.0 - self.hidden);
        if floor >= self.threshold {
            let least = libm::ceil(1.05 * floor * 100.0) / 100.0;
            return Err(UserError::new(
                format!("threshold: the error on fresh rows ends at {floor:.3}, so {} is never reached", self.threshold),
                format!("Use at least {least}, or a smaller hidden share"),
            ));
        }
        if self.work() > MOST_WORK {
            let most = (MOST_WORK / self.work() * f64::from(self.runs)) as u32;
            let remedy =
                if most >= 3 { format!("Use at most {most}") } else { "Use a larger learning_rate or weight_decay".into() };
            return Err(UserError::new(format!("runs: {} per decade take too long", self.runs), remedy));
        }
        report::outcome(self)
    }
}

const EQUATION: &str = "<math display=\"block\"><mtable columnalign=\"left\">\
<mtr><mtd><mi>Δ</mi><mi>T</mi><mo>≈</mo><mfrac><mn>1</mn><msub><mi>γ</mi><mtext>eff</mtext></msub></mfrac><mi>log</mi>\
<mfrac><msup><mrow><mo>‖</mo><msub><mi>θ</mi><mtext>mem</mtext></msub><mo>‖</mo></mrow><mn>2</mn></msup>\
<msup><mrow><mo>‖</mo><msub><mi>θ</mi><mtext>post</mtext></msub><mo>‖</mo></mrow><mn>2</mn></msup></mfrac>\
<mo>,</mo><mspace width=\"1em\"/><msub><mi>γ</mi><mtext>eff</mtext></msub><mo>=</mo><mi>κ</mi><mo>·</mo><mi>lr</mi><mo>·</mo><mi>wd</mi></mtd></mtr>\
<mtr><mtd><mtext>here:</mtext><mspace width=\"0.5em\"/><msup><mrow><mo>‖</mo><msub><mi>n</mi><mi>t</mi></msub><mo>‖</mo></mrow><mn>2</mn></msup><mo>=</mo>\
<msup><mrow><mo>‖</mo><msub><mi>n</mi><mn>0</mn></msub><mo>‖</mo></mrow><mn>2</mn></msup>\
<msup><mrow><mo>(</mo><mn>1</mn><mo>−</mo><mi>lr</mi><mo>·</mo><mi>wd</mi><mo>)</mo></mrow><mrow><mn>2</mn><mi>t</mi></mrow></msup></mtd></mtr>\
</mtable></math>";

#[cfg(test)]
mod tests {
    use super::super::Number;
    use super::*;

    fn quick() -> NormLaw {
        NormLaw { runs: 5, weight_decay: 0.03, learning_rate: 0.2, ..NormLaw::default() }
    }

    fn number<'a>(outcome: &'a Outcome, name: &str) -> &'a Number {
        outcome.numbers.iter().find(|number| number.name == name).unwrap()
    }

    #[test]
    fn delays_follow_the_law_over_a_decade_each_and_the_closed_form_to_a_step() {
        let outcome = quick().outcome().unwrap();
        for name in ["r_squared_weight_decay", "r_squared_learning_rate"] {
            assert!(number(&outcome, name).value > 0.95, "{:?}", number(&outcome, name));
        }
        let factor = number(&outcome, "factor").value;
        assert!((1.0..2.0).contains(&factor), "{factor}");
        assert!(number(&outcome, "closed_form_error").value <= 1.0);
        let slope = number(&outcome, "slope").value;
        assert!((slope - 1.0).abs() < 0.15, "{slope}");
    }

    #[test]
    fn the_band_during_the_run_holds_its_time() {
        let outcome = quick().outcome().unwrap();
        let found = number(&outcome, "t_gen");
        let (low, high) = found.band.unwrap();
        assert!(low <= found.value && found.value <= high, "{found:?}");
    }

    #[test]
    fn a_threshold_below_the_floor_and_rows_that_show_all_are_refused() {
        let low = NormLaw { threshold: 0.05, ..NormLaw::default() };
        let remedy = low.outcome().unwrap_err().remedy;
        let threshold: f64 = remedy.trim_start_matches("Use at least ").split(',').next().unwrap().parse().unwrap();
        assert!(NormLaw { threshold, ..quick() }.outcome().is_ok());
        let full = NormLaw { rows: 16, ..NormLaw::default() };
        assert!(full.outcome().unwrap_err().remedy.contains("at most 15"));
        let long = NormLaw { learning_rate: 1e-4, ..NormLaw::default() };
        assert!(long.outcome().unwrap_err().cause.contains("too long"));
    }
}
