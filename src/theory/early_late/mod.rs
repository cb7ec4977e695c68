//! When does the bias of training change, if the start is large and weight decay small? (Lyu et al. 2311.18817.)
//!
//! Delayed generalisation is often shown and seldom dated. Here two phases are known exactly, which of them is right is for the
//! teacher to say, and the date between them is a formula. So the sharp jump, its date and its failure (a network that unlearns)
//! can be held against one law. Rejected: the paper's other systems, matrix completion and squared losses; they say it again.

mod course;
mod data;
mod flow;
mod report;
mod run;
mod sparse;

use super::{About, OfRun, Outcome, Theory};
use crate::experiment::edit::Editable;
use crate::experiment::field::{Field, FieldKind, closed};
use crate::experiment::fields::MAX_SEED;
use crate::record::UserError;
use serde::{Deserialize, Serialize};

/// Multiplications n²·d of one of Newton's matrices, times flows, that an answer may take: some seven hundred of them make a flow.
const MOST_WORK: u64 = 1_500_000;

/// Which phase is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Teacher {
    /// The majority of a few bits of ±1: the late phase.
    Sparse,
    /// A little of every coordinate: the early phase.
    Dense,
}

/// Settings of the panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyLate {
    /// Format version.
    pub schema: u32,
    /// Which phase is right.
    pub teacher: Teacher,
    /// d.
    pub dimension: u32,
    /// n.
    pub rows: u32,
    /// Bits that decide, for [`Teacher::Sparse`].
    pub relevant: u32,
    /// γ, for [`Teacher::Dense`].
    pub separation: f64,
    /// The largest α; a tenth, a hundredth and a thousandth of it are followed too.
    pub start: f64,
    /// λ.
    pub weight_decay: f64,
    /// Further data sets at the largest α.
    pub draws: u32,
    /// Root of the random numbers.
    pub seed: u64,
}

impl Default for EarlyLate {
    fn default() -> Self {
        Self {
            schema: 1,
            teacher: Teacher::Sparse,
            dimension: 64,
            rows: 40,
            relevant: 3,
            separation: 4.0,
            start: 1e4,
            weight_decay: 1e-8,
            draws: 4,
            seed: 0,
        }
    }
}

static FIELDS: &[Field] = &[
    Field::new("schema", "Format version", "Version of this format", FieldKind::Integer { min: 1, max: 1 }),
    Field::new(
        "teacher",
        "Teacher",
        "What decides the answer, and so which phase is right",
        FieldKind::Choice(&[
            ("sparse", "A few bits: the late phase is right"),
            ("dense", "A little of all: the early phase is right"),
        ]),
    ),
    Field::new("dimension", "Dimensions d", "Coordinates of an input", FieldKind::Integer { min: 8, max: 1024 }),
    Field::new("rows", "Training rows n", "The time to answer grows with n²·d", FieldKind::Integer { min: 4, max: 128 }),
    Field::new(
        "relevant",
        "Bits that decide",
        "The answer is their majority; an odd number",
        FieldKind::Integer { min: 1, max: 7 },
    )
    .when(&[("teacher", &["sparse"])])
    .starts("3"),
    Field::new(
        "separation",
        "Separation γ",
        "Distance of every row from the teacher's boundary, in standard deviations of its other directions",
        closed(0.5, 30.0),
    )
    .when(&[("teacher", &["dense"])])
    .starts("4"),
    Field::new("start", "Largest start α", "u = v = α; a tenth, a hundredth and a thousandth are followed too", closed(2e3, 1e6)),
    Field::new("weight_decay", "Weight decay λ", "Of u and v, per unit of time", closed(1e-12, 0.1)),
    Field::new(
        "draws",
        "Data sets",
        "Further ones, at the largest start, for the scatter",
        FieldKind::Integer { min: 0, max: 40 },
    ),
    Field::new("seed", "Seed", "Root of the random numbers", FieldKind::Integer { min: 0, max: MAX_SEED }),
];

impl Editable for EarlyLate {
    const WHAT: &'static str = "theory panel early-late";
    const NEWEST: u32 = 1;

    fn table() -> &'static [Field] {
        FIELDS
    }
}

impl EarlyLate {
    fn work_of_one(&self) -> u64 {
        let n = u64::from(self.rows);
        n * n * u64::from(self.dimension)
    }
}

impl Theory for EarlyLate {
    const ABOUT: About = About {
        name: "early-late",
        title: "Early and late phase",
        question: "If the start is large and weight decay small, when does training change its mind?",
        paragraph: "Training rows can be got right in many ways, and which way training takes depends on how far the weights are from \
                    their start. From a large start they hardly need to move: the network acts like a kernel and finds the solution \
                    of the smallest ℓ2 norm, which spreads its weight over all inputs. Meanwhile weight decay shrinks what is left of \
                    the start by the share λ per unit of time. At about (log α)/λ nothing is left of it, and the network goes over, at \
                    once compared with the wait, to the solution of the smallest ℓ1 norm, with few inputs. If a few inputs decide the \
                    answer, that is grokking. If a little of every input does, the network unlearns: misgrokking. Both solutions \
                    are found here by other means, with proofs, and the flow between them is followed from four starts.",
        equation: EQUATION,
        breaks: "The law names the order of the date, not the date: the switch comes a fixed time after it (or before), which the \
                 data decide and which only a large log α makes small beside it. A start below 1 has no early phase. A finite λ stops \
                 short of the late solution by an amount that falls like 1/log(1/λ). Momentum, adaptive steps and \
                 mini-batches follow another flow.",
        survey: None,
        references: &[
            "Lyu, Jin, Li, Du, Lee and Hu 2023, Dichotomy of early and late phase implicit biases can provably induce grokking, \
             arXiv 2311.18817",
            "Woodworth, Gunasekar, Lee, Moroshko, Savarese, Golan, Soudry and Srebro 2020, Kernel and rich regimes in \
             overparametrized models, arXiv 2002.09277: the potential whose width is the product u·v",
        ],
    };

    const OF_RUN: Option<OfRun> = Some(run::of_run);

    fn outcome(&self) -> Result<Outcome, UserError> {
        if self.teacher == Teacher::Sparse && self.relevant.is_multiple_of(2) {
            return Err(UserError::new(
                format!("relevant: {} bits can be split evenly, and then there is no majority", self.relevant),
                format!("Use {}", self.relevant + 1),
            ));
        }
        let flows = MOST_WORK / self.work_of_one();
        if u64::from(self.draws) + 4 > 4 * flows.max(1) {
            let remedy = if flows >= 1 {
                format!("Use at most {} data sets, or fewer rows", 4 * flows - 4)
            } else {
                format!("Use at most {} rows", libm::floor(libm::sqrt(MOST_WORK as f64 / f64::from(self.dimension))))
            };
            return Err(UserError::new(
                format!("rows: {} of them with {} data sets take too long", self.rows, self.draws),
                remedy,
            ));
        }
        report::outcome(self)
    }
}

const EQUATION: &str = "<math display=\"block\"><mtable columnalign=\"left\">\
<mtr><mtd><mi>f</mi><mo>=</mo><munder><mo>∑</mo><mi>j</mi></munder><msub><mi>w</mi><mi>j</mi></msub><msub><mi>x</mi><mi>j</mi></msub>\
<mo>,</mo><mspace width=\"1em\"/><msub><mi>w</mi><mi>j</mi></msub><mo>=</mo><msubsup><mi>u</mi><mi>j</mi><mn>2</mn></msubsup><mo>−</mo>\
<msubsup><mi>v</mi><mi>j</mi><mn>2</mn></msubsup><mo>=</mo><mn>2</mn><mspace width=\"0.15em\"/><msup><mi>α</mi><mn>2</mn></msup>\
<msup><mi>e</mi><mrow><mo>−</mo><mn>2</mn><mi>λ</mi><mi>t</mi></mrow></msup><mi>sinh</mi><mn>4</mn><msub><mi>h</mi><mi>j</mi></msub>\
<mo>,</mo><mspace width=\"1em\"/><mi>h</mi><mo>=</mo><munder><mo>∑</mo><mi>i</mi></munder><msub><mi>c</mi><mi>i</mi></msub>\
<msub><mi>y</mi><mi>i</mi></msub><msub><mi>x</mi><mi>i</mi></msub></mtd></mtr>\
<mtr><mtd><msub><mi>t</mi><mtext>switch</mtext></msub><mo>≈</mo><mfrac><mrow><mi>log</mi><mi>α</mi></mrow><mi>λ</mi></mfrac><mo>:</mo>\
<mspace width=\"0.6em\"/><munder><mi>min</mi><mi>w</mi></munder><msub><mrow><mo>‖</mo><mi>w</mi><mo>‖</mo></mrow><mn>2</mn></msub>\
<mspace width=\"0.4em\"/><mtext>before,</mtext><mspace width=\"0.6em\"/><munder><mi>min</mi><mi>w</mi></munder>\
<msub><mrow><mo>‖</mo><mi>w</mi><mo>‖</mo></mrow><mn>1</mn></msub><mspace width=\"0.4em\"/><mtext>after, with</mtext>\
<mspace width=\"0.4em\"/><msub><mi>y</mi><mi>i</mi></msub><msub><mi>x</mi><mi>i</mi></msub><mo>·</mo><mi>w</mi><mo>≥</mo><mn>1</mn></mtd></mtr>\
</mtable></math>";

#[cfg(test)]
mod tests {
    use super::super::Number;
    use super::*;
    use crate::experiment::edit;

    fn number<'a>(outcome: &'a Outcome, name: &str) -> &'a Number {
        outcome.numbers.iter().find(|number| number.name == name).unwrap()
    }

    fn small() -> EarlyLate {
        EarlyLate { rows: 12, dimension: 32, relevant: 1, draws: 1, ..EarlyLate::default() }
    }

    #[test]
    fn a_sparse_teacher_is_understood_late_and_the_date_moves_by_one_per_log_alpha() {
        let outcome = small().outcome().unwrap();
        let slope = number(&outcome, "slope").value;
        assert!((slope - 1.0).abs() < 0.06, "{slope}");
        let (early, late) = (number(&outcome, "early_accuracy"), number(&outcome, "late_accuracy"));
        assert!((early.value - early.expected.unwrap()).abs() < 0.03 && early.value < 0.85, "{early:?}");
        assert!(late.value > 0.99 && late.expected == Some(1.0), "{late:?}");
        for name in ["early_margin", "late_margin"] {
            let share = number(&outcome, name).value;
            assert!((0.9..1.0 + 1e-6).contains(&share), "{name} {share}");
        }
        assert!(number(&outcome, "gap").value < 1e-6);
    }

    #[test]
    fn a_dense_teacher_is_understood_early_and_unlearned() {
        let settings = EarlyLate { teacher: Teacher::Dense, dimension: 128, rows: 6, draws: 0, ..small() };
        let outcome = settings.outcome().unwrap();
        let (early, late) = (number(&outcome, "early_accuracy"), number(&outcome, "late_accuracy"));
        assert!(early.value > 0.97 && late.value < 0.9, "{early:?} {late:?}");
        assert!(outcome.headline.contains("unlearns"), "{}", outcome.headline);
    }

    #[test]
    fn the_other_teacher_brings_its_own_setting() {
        let dense = edit::replace(&small(), "teacher", "dense").unwrap();
        assert_eq!((dense.teacher, dense.separation), (Teacher::Dense, 4.0));
        assert_eq!(edit::replace(&dense, "separation", "5").unwrap().separation, 5.0);
        assert!(edit::replace(&dense, "relevant", "1").is_err());
        assert_eq!(edit::replace(&dense, "teacher", "sparse").unwrap().relevant, 3);
    }

    #[test]
    fn settings_out_of_reach_are_refused_with_the_nearest_that_are_not() {
        let even = EarlyLate { relevant: 2, ..small() };
        assert!(even.outcome().unwrap_err().remedy.contains("Use 3"));
        let wide = EarlyLate { rows: 128, dimension: 1024, ..small() };
        let remedy = wide.outcome().unwrap_err().remedy;
        let rows: u32 = remedy.trim_start_matches("Use at most ").split(' ').next().unwrap().parse().unwrap();
        assert!(EarlyLate { rows, ..wide.clone() }.work_of_one() <= MOST_WORK, "{remedy}");
        let many = EarlyLate { draws: 40, rows: 64, dimension: 256, ..small() };
        assert!(many.outcome().unwrap_err().remedy.contains("data sets"));
    }
}
