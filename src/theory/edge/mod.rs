//! The edge of separability: whether random points lie on one side of a plane through the origin, which decides whether logistic
//! regression on one label generalises.
//!
//! It is the smallest system with a sharp line between memorising and generalising, and the only one whose line is known exactly
//! at every size. So it is also a test of this room: a measured probability that strayed from the law would be our mistake.

mod hull;
mod sweep;
mod wendel;

use super::{About, Assumption, Drawing, Figure, Line, Number, Outcome, Role, Scaled, Theory};
use crate::experiment::edit::Editable;
use crate::experiment::field::{Field, FieldKind, closed};
use crate::experiment::fields::MAX_SEED;
use crate::record::UserError;
use serde::{Deserialize, Serialize};
use sweep::{Sample, sample, sizes};
use wendel::{WIDTH_LIMIT, chance, crossing, law, quartile_width, wendel};

/// Settings of the panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// Format version.
    pub schema: u32,
    /// Dimensions d; half and twice as many are drawn beside it.
    pub dimension: u32,
    /// Sets of points drawn for each size.
    pub draws: u32,
    /// Mean of the points along the first axis, in standard deviations.
    pub shift: f64,
    /// Root of the random numbers.
    pub seed: u64,
}

impl Default for Edge {
    fn default() -> Self {
        Self { schema: 1, dimension: 10, draws: 200, shift: 0.0, seed: 0 }
    }
}

static FIELDS: &[Field] = &[
    Field::new("schema", "Format version", "Version of this format", FieldKind::Integer { min: 1, max: 1 }),
    Field::new(
        "dimension",
        "Dimensions d",
        "Coordinates of each point; half and twice as many are drawn beside it",
        FieldKind::Integer { min: 2, max: 24 },
    ),
    Field::new(
        "draws",
        "Sets of points",
        "Drawn and decided for each number of points",
        FieldKind::Integer { min: 20, max: 400 },
    ),
    Field::new(
        "shift",
        "Mean off the origin",
        "Distance of the distribution's mean from the origin, in standard deviations; the theorem takes 0",
        closed(0.0, 3.0),
    ),
    Field::new("seed", "Seed", "Root of the random numbers", FieldKind::Integer { min: 0, max: MAX_SEED }),
];

impl Editable for Edge {
    const WHAT: &'static str = "theory panel edge";
    const NEWEST: u32 = 1;

    fn table() -> &'static [Field] {
        FIELDS
    }
}

impl Theory for Edge {
    const ABOUT: About = About {
        name: "edge",
        title: "The edge of separability",
        question: "How many random points can still be seen on one side, and where does generalising begin?",
        paragraph: "Take N random points in d dimensions and ask whether some plane through the origin has all of them on one side. \
            Logistic regression that is to give every input the same answer faces just this question. While the points are \
            separable, its weights grow for ever towards one separating direction, and new points on the other side stay wrong. \
            Once they surround the origin, no direction fits all of them, the bias has to do the work, and it generalises. \
            Wendel's theorem gives the probability exactly, for every symmetric distribution alike: it is ½ at N = 2d. The step is \
            about 1.9 ÷ √d wide, so in high dimensions there is a sharp edge, and training close to it takes longest.",
        equation: "<math display=\"block\"><mrow><mi>P</mi><mo>(</mo><mi>N</mi><mo>,</mo><mi>d</mi><mo>)</mo><mo>=</mo>\
            <msup><mn>2</mn><mrow><mo>−</mo><mo>(</mo><mi>N</mi><mo>−</mo><mn>1</mn><mo>)</mo></mrow></msup>\
            <munderover><mo>∑</mo><mrow><mi>k</mi><mo>=</mo><mn>0</mn></mrow><mrow><mi>d</mi><mo>−</mo><mn>1</mn></mrow></munderover>\
            <mrow><mo>(</mo><mfrac linethickness=\"0\"><mrow><mi>N</mi><mo>−</mo><mn>1</mn></mrow><mi>k</mi></mfrac><mo>)</mo></mrow>\
            <mo>,</mo><mspace width=\"1em\"/><mi>P</mi><mo>(</mo><mn>2</mn><mi>d</mi><mo>,</mo><mi>d</mi><mo>)</mo><mo>=</mo>\
            <mfrac><mn>1</mn><mn>2</mn></mfrac></mrow></math>",
        breaks: "The theorem needs a distribution that is symmetric about the origin: move its mean away, and points are separable far \
            more often (try it with the mean). It needs independent points: repeated or correlated points count for fewer than they \
            are. And it says whether the points are separable, not how long training takes to find out; the accuracy on the \
            separable side needs the length of the max-margin solution and is not computed here.",
        survey: None,
        references: &[
            "J. G. Wendel: A problem in geometric probability. Mathematica Scandinavica 11 (1962)",
            "A. Beck, N. Levi, Y. Bar-Sinai: Grokking at the edge of linear separability (2024). arXiv:2410.04489",
            "C. L. Lawson, R. J. Hanson: Solving least squares problems (1974), chapter 23",
        ],
    };

    fn outcome(&self) -> Result<Outcome, UserError> {
        let chosen = u64::from(self.dimension);
        let mut dimensions = vec![chosen / 2, chosen, 2 * chosen];
        dimensions.dedup();
        let measured: Vec<(u64, Vec<Sample>)> = dimensions.into_iter().map(|d| (d, self.measure(d))).collect();
        let of_chosen = measured.iter().find(|(d, _)| *d == chosen).map(|(_, samples)| samples.as_slice()).unwrap_or_default();
        let at_edge = of_chosen.iter().find(|sample| sample.count == 2 * chosen);
        let share = at_edge.map_or(f64::NAN, Sample::share);
        Ok(Outcome {
            headline: format!(
                "Of {} sets of {} points in {chosen} dimensions {:.1}% were separable; the law says {:.0}%, in every dimension",
                self.draws,
                2 * chosen,
                100.0 * share,
                100.0 * wendel(2 * chosen, chosen),
            ),
            figures: vec![probabilities(&measured), widths(&measured)],
            numbers: self.numbers(&measured, of_chosen, at_edge),
            assumptions: self.assumptions(&measured),
        })
    }
}

impl Edge {
    fn measure(&self, dimension: u64) -> Vec<Sample> {
        let of_size = |count| sample(dimension, count, self.draws.into(), self.shift, self.seed);
        sizes(dimension).into_iter().map(of_size).collect()
    }

    fn numbers(&self, measured: &[(u64, Vec<Sample>)], of_chosen: &[Sample], at_edge: Option<&Sample>) -> Vec<Number> {
        let chosen = u64::from(self.dimension);
        let points = shares(chosen, of_chosen);
        let exact = law(chosen, 4 * chosen);
        let or_nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let all = || measured.iter().flat_map(|(d, samples)| samples.iter().map(|sample| (sample, wendel(sample.count, *d))));
        // Where the law itself leaves no room for chance, a deviation is not measured in its deviations.
        let open: Vec<f64> = all()
            .filter(|(_, law)| (0.005..0.995).contains(law))
            .map(|(sample, law)| {
                (sample.share() - law) / libm::sqrt(law * (1.0 - law) / (sample.draws - sample.undecided) as f64)
            })
            .collect();
        let squares = open.iter().map(|z| z * z).sum::<f64>() / open.len() as f64;
        // Of a mean of squares of so many standard normal numbers.
        let spread = 1.96 * libm::sqrt(2.0 / open.len() as f64);
        let edge = Number::found("share_at_2d", "Separable at N = 2d", at_edge.map_or(f64::NAN, Sample::share)).expected(0.5);
        let within = |number: Number, half: f64| {
            let value = number.value;
            number.band(value - half, value + half)
        };
        let draws = self.draws.into();
        let at_half = chance(chosen, draws, 0.5, 0.0);
        // Both ends of the step stray by themselves.
        let of_width = core::f64::consts::SQRT_2 * chance(chosen, draws, 0.25, 0.674_489_750_196_081_7);
        let least = all().map(|(sample, _)| sample.least_margin).fold(f64::INFINITY, f64::min);
        vec![
            match at_edge.map(Sample::interval) {
                Some((low, high)) => edge.band(low, high),
                None => edge,
            },
            Number::found("law_at_2d", "Wendel's sum at N = 2d", wendel(2 * chosen, chosen)).expected(0.5),
            within(
                Number::found("threshold", "N ÷ d at which half are separable", or_nan(crossing(&points, 0.5))).expected(2.0),
                at_half,
            ),
            within(
                Number::found("quartile_width", "Width of the step, from ¾ to ¼, in N ÷ d", or_nan(quartile_width(&points)))
                    .expected(or_nan(quartile_width(&exact))),
                of_width,
            ),
            Number::found(
                "scaled_width",
                "Width of the law's step times √d",
                or_nan(quartile_width(&exact)) * libm::sqrt(chosen as f64),
            )
            .expected(WIDTH_LIMIT),
            Number::found("chi_square", "Mean squared deviation from the law, in its own variances", squares)
                .expected(1.0)
                .band(squares - spread, squares + spread),
            Number::found("undecided", "Sets that rounding left open", all().map(|(s, _)| s.undecided).sum::<u64>() as f64)
                .expected(0.0),
            Number::found("least_margin", "Narrowest witness: least margin of a separable set", least),
        ]
    }

    fn assumptions(&self, measured: &[(u64, Vec<Sample>)]) -> Vec<Assumption> {
        let undecided: u64 = measured.iter().flat_map(|(_, samples)| samples).map(|sample| sample.undecided).sum();
        let sets: u64 = measured.iter().flat_map(|(_, samples)| samples).map(|sample| sample.draws).sum();
        vec![
            Assumption {
                statement: "The distribution is symmetric about the origin".into(),
                holds: Some(self.shift == 0.0),
                evidence: format!("its mean lies {} of a standard deviation from the origin", self.shift),
            },
            Assumption {
                statement: "Points are independent".into(),
                holds: Some(true),
                evidence: "each coordinate is a normal number of its own from one ChaCha stream per size".into(),
            },
            Assumption {
                statement: "No d of the points lie in a plane through the origin".into(),
                holds: Some(undecided == 0),
                evidence: format!("{} of {sets} sets were decided by a verified witness", sets - undecided),
            },
        ]
    }
}

/// `(N ÷ d, share)`.
fn shares(dimension: u64, samples: &[Sample]) -> Vec<(f64, f64)> {
    samples.iter().map(|sample| (sample.count as f64 / dimension as f64, sample.share())).collect()
}

fn probabilities(measured: &[(u64, Vec<Sample>)]) -> Figure {
    let mut lines = Vec::new();
    // All predictions end at the right edge, one point beyond what was measured, where their names have room.
    let ends = measured.iter().filter_map(|(d, samples)| Some((samples.last()?.count + 1) as f64 / *d as f64));
    let farthest = ends.fold(1.0, f64::max);
    for (dimension, samples) in measured {
        let name = format!("d = {dimension}");
        let ratio = |sample: &Sample| sample.count as f64 / *dimension as f64;
        let end = |of: fn((f64, f64)) -> f64| samples.iter().map(|s| (ratio(s), of(s.interval()))).collect::<Vec<_>>();
        lines.push(Line::new(&name, Role::Low, end(|interval| interval.0)));
        lines.push(Line::new(&name, Role::High, end(|interval| interval.1)));
        let most = libm::ceil(farthest * *dimension as f64) as u64;
        let least = samples.first().map_or(1, |sample| sample.count);
        let of_law = law(*dimension, most).split_off(least.saturating_sub(2) as usize);
        lines.push(Line::new(&name, Role::Predicted, of_law));
        lines.push(Line::new(&name, Role::Measured, shares(*dimension, samples)));
    }
    Figure {
        name: "probability".into(),
        caption: "Share of random sets of N points in d dimensions that lie on one side of a plane through the origin: decided \
            one by one (solid, with 95% of chance as ground), and by Wendel's theorem (dashed). All cross ½ at N ÷ d = 2, the \
            more steeply the more dimensions"
            .into(),
        drawing: Drawing::Lines {
            x: Scaled::linear("points per dimension, N ÷ d"),
            y: Scaled::linear("probability of being separable"),
            lines,
            marks: vec![(2.0, "N = 2d".into())],
        },
    }
}

fn widths(measured: &[(u64, Vec<Sample>)]) -> Figure {
    let last = measured.last().map_or(2, |(d, _)| *d);
    let of_law = (2..=2 * last).filter_map(|d| Some((d as f64, quartile_width(&law(d, 4 * d))?))).collect();
    let limit = [2.0, 2.0 * last as f64].map(|d| (d, WIDTH_LIMIT / libm::sqrt(d))).to_vec();
    let found = measured.iter().filter_map(|(d, samples)| Some((*d as f64, quartile_width(&shares(*d, samples))?))).collect();
    Figure {
        name: "width".into(),
        caption:
            "How far N ÷ d goes while the probability falls from ¾ to ¼: measured (solid), by Wendel's theorem (dashed), and its \
            limit 1.91 ÷ √d. At any finite width the edge is a slope"
                .into(),
        drawing: Drawing::Lines {
            x: Scaled::log("dimensions d"),
            y: Scaled::log("width of the step in N ÷ d"),
            lines: vec![
                Line::new("limit", Role::Baseline, limit),
                Line::new("width", Role::Predicted, of_law),
                Line::new("width", Role::Measured, found),
            ],
            marks: Vec::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(outcome: &Outcome, name: &str) -> Number {
        outcome.numbers.iter().find(|number| number.name == name).unwrap().clone()
    }

    fn small(shift: f64) -> Edge {
        Edge { dimension: 6, draws: 60, shift, ..Edge::default() }
    }

    #[test]
    fn measured_and_predicted_agree_within_chance_and_every_set_is_decided() {
        let outcome = small(0.0).outcome().unwrap();
        assert_eq!(number(&outcome, "undecided").value, 0.0);
        assert_eq!(number(&outcome, "law_at_2d").value, 0.5);
        let squares = number(&outcome, "chi_square");
        let (low, high) = squares.band.unwrap();
        assert!(low < 1.0 && high > 1.0, "{squares:?}");
        for name in ["threshold", "quartile_width", "share_at_2d"] {
            let found = number(&outcome, name);
            let ((low, high), expected) = (found.band.unwrap(), found.expected.unwrap());
            assert!(low < expected && expected < high, "{found:?}");
        }
        assert!(outcome.assumptions.iter().all(|assumption| assumption.holds == Some(true)));
    }

    #[test]
    fn every_measured_line_has_its_prediction_at_every_measured_size() {
        let outcome = small(0.0).outcome().unwrap();
        let residuals = outcome.figures[0].residuals();
        assert_eq!(residuals.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["d = 3", "d = 6", "d = 12"]);
        for ((_, differences), dimension) in residuals.iter().zip([3, 6, 12]) {
            assert_eq!(differences.len(), sizes(dimension).len());
            assert!(differences.iter().all(|(_, difference)| difference.abs() < 0.3));
        }
    }

    #[test]
    fn a_mean_off_the_origin_breaks_the_law_and_the_panel_says_so() {
        let outcome = small(1.0).outcome().unwrap();
        assert_eq!(outcome.assumptions[0].holds, Some(false));
        assert!(number(&outcome, "share_at_2d").value > 0.7);
        assert!(number(&outcome, "chi_square").band.unwrap().0 > 1.0);
    }

    #[test]
    fn the_same_seed_gives_the_same_outcome_and_another_one_another() {
        let [a, b] = [0, 0].map(|seed| Edge { seed, ..small(0.0) }.outcome().unwrap());
        assert_eq!(a, b);
        assert_ne!(a, Edge { seed: 1, ..small(0.0) }.outcome().unwrap());
    }
}
