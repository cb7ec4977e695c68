//! What does a network look like that has understood modular addition, and how wide must it be? (Gromov 2301.02679.)
//!
//! Its weights can be written down: one wave per neuron with random phases. So accuracy over width is a question about noise and
//! not about training, and has an answer in closed form up to one integral. The same logits show where 32-bit softmax stops
//! teaching: there the margins decide, and nothing else.

pub(super) mod network;
mod noise;
mod precision;
mod report;

use super::{About, Outcome, Theory};
use crate::experiment::edit::Editable;
use crate::experiment::field::{Field, FieldKind};
use crate::experiment::fields::MAX_SEED;
use crate::record::UserError;
use network::{Shape, all_frequencies};
use serde::{Deserialize, Serialize};

/// Multiplications that an answer may take.
const MOST_WORK: u64 = 8_000_000_000;

/// Settings of the panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FourierNetwork {
    /// Format version.
    pub schema: u32,
    /// p.
    pub modulus: u32,
    /// N.
    pub width: u32,
    /// F; 0 is all.
    pub frequencies: u32,
    /// How many networks are drawn per width.
    pub seeds: u32,
    /// Root of their phases.
    pub seed: u64,
}

impl Default for FourierNetwork {
    fn default() -> Self {
        Self { schema: 1, modulus: 31, width: 60, frequencies: 0, seeds: 12, seed: 0 }
    }
}

static FIELDS: &[Field] = &[
    Field::new("schema", "Format version", "Version of this format", FieldKind::Integer { min: 1, max: 1 }),
    Field::new("modulus", "Modulus p", "Prime or not; the time to answer grows like p⁴", FieldKind::Integer { min: 5, max: 113 }),
    Field::new(
        "width",
        "Neurons N",
        "Of the network whose margins and logits in 32 bits are shown",
        FieldKind::Integer { min: 1, max: 4096 },
    ),
    Field::new(
        "frequencies",
        "Frequencies",
        "Neurons take the frequencies from 1 to this one by one, again and again; 0 is all of them",
        FieldKind::Integer { min: 0, max: 56 },
    ),
    Field::new("seeds", "Networks", "How many are drawn per width", FieldKind::Integer { min: 2, max: 64 }),
    Field::new("seed", "Seed", "Root of the random phases", FieldKind::Integer { min: 0, max: MAX_SEED }),
];

impl Editable for FourierNetwork {
    const WHAT: &'static str = "Fourier network panel";
    const NEWEST: u32 = 1;

    fn table() -> &'static [Field] {
        FIELDS
    }
}

impl FourierNetwork {
    fn has_all_frequencies(&self) -> bool {
        self.shape().frequencies == all_frequencies(self.modulus as usize)
    }

    fn shape(&self) -> Shape {
        let modulus = self.modulus as usize;
        let frequencies = if self.frequencies == 0 { all_frequencies(modulus) } else { self.frequencies as usize };
        Shape { modulus, frequencies, width: self.width as usize }
    }

    /// Widths at which accuracy is measured, ascending: rounds of all frequencies, and the chosen one.
    fn widths(&self) -> Vec<usize> {
        let shape = self.shape();
        let mut widths: Vec<usize> = [1, 2, 3, 4, 6, 8].iter().map(|rounds| rounds * shape.frequencies).collect();
        widths.push(shape.width);
        widths.sort_unstable();
        widths.dedup();
        widths
    }

    /// Multiplications of one network.
    fn work(&self) -> u64 {
        let (p, frequencies) = (u64::from(self.modulus), self.shape().frequencies as u64);
        let waves = p * p * p * frequencies * self.widths().len() as u64;
        waves + 3 * p * p * self.widths().iter().map(|width| *width as u64).sum::<u64>()
    }
}

impl Theory for FourierNetwork {
    const ABOUT: About = About {
        name: "fourier-network",
        title: "The analytic Fourier network",
        question: "How many neurons does modular addition need if the solution is written down instead of learned?",
        paragraph: "A network with one hidden layer of squares can add modulo p with weights that are plain waves: each neuron has \
                    one frequency and two random phases. The square of a sum contains the product of its parts, and the product \
                    of two waves contains the wave of a + b, which adds up over all neurons at the right answer. All other \
                    terms have random phases and cancel only in part: they are noise. The signal grows like N and the noise \
                    like √N, so accuracy over width can be computed from the phases alone. The same logits, made larger, show \
                    when the softmax of 32-bit numbers rounds to exactly 1 and the loss stops teaching.",
        equation: EQUATION,
        breaks: "All rows have one distribution, but rows of one network share its phases, so single networks scatter far more than \
                 independent rows would. The prediction takes the other classes as independent given the answer's logit; \
                 where there are few classes or few frequencies, that is a few per cent off. With few frequencies neighbouring answers differ little and far more \
                 neurons are needed. Trained networks have amplitudes and frequencies of their own and reach full accuracy \
                 earlier or later than this.",
        survey: None,
        references: &[
            "Gromov 2023, Grokking modular arithmetic (arXiv 2301.02679)",
            "Prieto et al. 2025, Grokking at the edge of numerical stability (arXiv 2501.04697)",
        ],
    };

    fn outcome(&self) -> Result<Outcome, UserError> {
        let most = all_frequencies(self.modulus as usize);
        if self.frequencies as usize > most {
            return Err(UserError::new(
                format!("frequencies: modulo {} there are only {most}, up to sign", self.modulus),
                format!("Use at most {most}, or 0 for all"),
            ));
        }
        let seeds = MOST_WORK / self.work();
        if u64::from(self.seeds) > seeds {
            let remedy = if seeds < 2 { "Use a smaller modulus".to_owned() } else { format!("Use at most {seeds}") };
            return Err(UserError::new(format!("seeds: {} networks per width take too long", self.seeds), remedy));
        }
        Ok(report::outcome(self))
    }
}

const EQUATION: &str = "<math display=\"block\"><mtable columnalign=\"left\">\
<mtr><mtd><msub><mi>z</mi><mi>q</mi></msub><mo>(</mo><mi>a</mi><mo>,</mo><mi>b</mi><mo>)</mo><mo>=</mo>\
<munderover><mo>∑</mo><mrow><mi>k</mi><mo>=</mo><mn>1</mn></mrow><mi>N</mi></munderover>\
<mi>cos</mi><mo>(</mo><msub><mi>ω</mi><mi>k</mi></msub><mi>q</mi><mo>+</mo><msubsup><mi>φ</mi><mi>k</mi><mn>3</mn></msubsup><mo>)</mo>\
<msup><mrow><mo>[</mo><mi>cos</mi><mo>(</mo><msub><mi>ω</mi><mi>k</mi></msub><mi>a</mi><mo>+</mo><msubsup><mi>φ</mi><mi>k</mi><mn>1</mn></msubsup><mo>)</mo>\
<mo>+</mo><mi>cos</mi><mo>(</mo><msub><mi>ω</mi><mi>k</mi></msub><mi>b</mi><mo>+</mo><msubsup><mi>φ</mi><mi>k</mi><mn>2</mn></msubsup><mo>)</mo><mo>]</mo></mrow><mn>2</mn></msup>\
<mo>,</mo><mspace width=\"1em\"/><msup><mi>φ</mi><mn>3</mn></msup><mo>=</mo><msup><mi>φ</mi><mn>1</mn></msup><mo>+</mo><msup><mi>φ</mi><mn>2</mn></msup></mtd></mtr>\
<mtr><mtd><mfrac><mtext>signal</mtext><mtext>noise</mtext></mfrac><mo>=</mo>\
<mfrac><mrow><mfrac><mi>N</mi><mn>2</mn></mfrac><mfrac><mi>p</mi><mrow><mi>p</mi><mo>−</mo><mn>1</mn></mrow></mfrac></mrow>\
<msqrt><mfrac><mn>33</mn><mn>16</mn></mfrac><mi>N</mi><mfrac><mi>p</mi><mrow><mi>p</mi><mo>−</mo><mn>1</mn></mrow></mfrac></msqrt></mfrac><mo>=</mo>\
<msqrt><mfrac><mrow><mn>4</mn><mi>N</mi><mi>p</mi></mrow><mrow><mn>33</mn><mo>(</mo><mi>p</mi><mo>−</mo><mn>1</mn><mo>)</mo></mrow></mfrac></msqrt></mtd></mtr>\
</mtable></math>";

#[cfg(test)]
mod tests {
    use super::super::{Drawing, Number, Role};
    use super::*;

    fn number<'a>(outcome: &'a Outcome, name: &str) -> &'a Number {
        outcome.numbers.iter().find(|number| number.name == name).unwrap()
    }

    #[test]
    fn published_accuracies_stand_beside_ours_and_lie_in_the_band_of_networks() {
        let outcome = FourierNetwork::default().outcome().unwrap();
        for (name, published) in [("accuracy_30", 0.832), ("accuracy_60", 0.979), ("accuracy_120", 1.0)] {
            let found = number(&outcome, name);
            assert_eq!(found.expected, Some(published));
            let (low, high) = found.band.unwrap();
            assert!(low - 0.02 <= published && published <= high + 0.02, "{found:?}");
        }
        let ratio = number(&outcome, "signal_to_noise");
        assert!((ratio.value / ratio.expected.unwrap() - 1.0).abs() < 0.05, "{ratio:?}");
        let residuals = outcome.figures[0].residuals();
        assert!(residuals[0].1.iter().all(|(_, difference)| difference.abs() < 0.12), "{residuals:?}");
    }

    #[test]
    fn collapse_follows_the_rule_of_rounding() {
        let outcome = FourierNetwork { modulus: 13, width: 60, seeds: 2, ..FourierNetwork::default() }.outcome().unwrap();
        let figure = outcome.figures.iter().find(|figure| figure.name == "collapse").unwrap();
        let (name, residuals) = &figure.residuals()[0];
        assert_eq!(name, "collapsed rows");
        assert!(residuals.iter().all(|(_, difference)| difference.abs() < 0.01), "{residuals:?}");
        let Drawing::Lines { lines, .. } = &figure.drawing else { panic!() };
        let measured = lines.iter().find(|line| line.role == Role::Measured).unwrap();
        assert!(measured.points[0].1 < 0.01 && measured.points.last().unwrap().1 > 0.99);
        assert!((number(&outcome, "loss_step").value / precision::LOSS_STEP - 1.0).abs() < 1e-6);
    }

    #[test]
    fn composite_moduli_and_few_frequencies_are_predicted_too() {
        for (modulus, frequencies, width) in [(15, 0, 40), (12, 0, 30), (31, 4, 240)] {
            let settings = FourierNetwork { modulus, frequencies, width, seeds: 8, ..FourierNetwork::default() };
            let outcome = settings.outcome().unwrap();
            let found = number(&outcome, "accuracy");
            assert!((found.value - found.expected.unwrap()).abs() < 0.09, "{modulus} {frequencies}: {found:?}");
        }
    }

    #[test]
    fn more_frequencies_than_there_are_and_too_much_work_are_refused() {
        let many = FourierNetwork { frequencies: 16, ..FourierNetwork::default() };
        assert!(many.outcome().unwrap_err().remedy.contains("at most 15"));
        let large = FourierNetwork { modulus: 113, seeds: 64, ..FourierNetwork::default() };
        let refusal = large.outcome().unwrap_err();
        let seeds: u64 = refusal.remedy.trim_start_matches("Use at most ").parse().unwrap();
        assert!(seeds >= 2 && seeds * large.work() <= MOST_WORK && (seeds + 1) * large.work() > MOST_WORK);
    }
}
