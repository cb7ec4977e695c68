//! What a panel answers: figures that lay a prediction over a measured curve, numbers beside what was expected of them, and the
//! assumptions with what became of each.
//!
//! Figures here are data with roles and know no pixels, so that a prediction tested in a terminal and the one on the page are one
//! thing. Residuals are not a figure of their own kind: a line with [`Role::Predicted`] and one with [`Role::Measured`] of the
//! same name in one figure are a pair, and [`Figure::residuals`] subtracts them.

use serde::{Deserialize, Serialize};

/// Everything that a panel found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// One sentence for people: what came out, with the decisive number.
    pub headline: String,
    /// Figures, the most telling one first.
    pub figures: Vec<Figure>,
    /// Numbers, the most telling ones first.
    pub numbers: Vec<Number>,
    /// What the theory takes for granted, and whether it holds here.
    pub assumptions: Vec<Assumption>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// File name without its ending, unlike all others of the panel.
    pub name: String,
    /// One caption sentence: what it shows and how to read it.
    pub caption: String,
    /// What is drawn.
    pub drawing: Drawing,
}

/// What a figure is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Drawing {
    /// Lines over a common x.
    Lines {
        /// The common x.
        x: Scaled,
        /// The common y.
        y: Scaled,
        /// Lines, in the order of drawing.
        lines: Vec<Line>,
        /// Named moments: `(x, name)`.
        marks: Vec<(f64, String)>,
    },
    /// Points in a plane, on one scale for both axes if `equal`.
    Points {
        /// Name of the x axis, with its unit.
        x: String,
        /// Name of the y axis, with its unit.
        y: String,
        /// Points by what they stand for.
        groups: Vec<Group>,
        /// Names of the points, all groups in their order; may be empty.
        names: Vec<String>,
        /// Points to ring, all groups in their order.
        ringed: Vec<usize>,
        /// Straight lines to draw.
        segments: Vec<Segment>,
        /// Whether both axes have one scale.
        equal: bool,
    },
    /// A grid of numbers.
    Map {
        /// What the rows are; the first row is at the bottom.
        row_label: String,
        /// What the columns are.
        column_label: String,
        /// Value of each row.
        rows: Vec<f64>,
        /// Value of each column.
        columns: Vec<f64>,
        /// `[rows, columns]`, row-major; not finite: not (yet) known.
        values: Vec<f32>,
        /// Whether 0 is the middle.
        is_signed: bool,
        /// Names of the values 0, 1, 2, … where the numbers are kinds (phases) and not quantities; else empty.
        kinds: Vec<String>,
    },
}

/// Points that stand for one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// What they stand for.
    pub role: Role,
    /// Its name beside the plane; empty where their own names or the caption say it.
    pub name: String,
    /// `(x, y)`.
    pub points: Vec<(f64, f64)>,
}

/// A straight line in a plane of points.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// What it stands for.
    pub role: Role,
    /// `(x, y)`.
    pub from: (f64, f64),
    /// `(x, y)`.
    pub to: (f64, f64),
}

/// An axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scaled {
    /// Its name, with the unit.
    pub label: String,
    /// Whether it is logarithmic; values ≤ 0 are then left out.
    pub is_log: bool,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its name, written at its end.
    pub name: String,
    /// What it stands for.
    pub role: Role,
    /// Ascending in x.
    pub points: Vec<(f64, f64)>,
}

/// What a line or a point stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Simulated or measured.
    Measured,
    /// Computed from the equation.
    Predicted,
    /// Lower end of a spread about the line of the same name.
    Low,
    /// Upper end of a spread about the line of the same name; at the same x as the lower one.
    High,
    /// Measured on training rows.
    Train,
    /// Measured on test rows.
    Test,
    /// A reference that is not the object of study.
    Baseline,
    /// The n-th of several kinds.
    Kind(u8),
}

/// A number, and what it should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Number {
    /// Its name in files, snake_case.
    pub name: String,
    /// Its name for people.
    pub label: String,
    /// What came out; not finite: could not be had.
    pub value: f64,
    /// What the theory says, where it says something.
    pub expected: Option<f64>,
    /// Lower and upper end of a band about `value` (quantiles or bootstrap), where there is one.
    pub band: Option<(f64, f64)>,
    /// Unit; empty for a pure number.
    pub unit: String,
}

/// Something that a theory takes for granted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assumption {
    /// What is taken for granted.
    pub statement: String,
    /// Whether it holds here; `None`: cannot be told.
    pub holds: Option<bool>,
    /// By what that was judged, with the number.
    pub evidence: String,
}

impl Scaled {
    /// A linear axis.
    pub fn linear(label: impl Into<String>) -> Self {
        Self { label: label.into(), is_log: false }
    }

    /// A logarithmic axis.
    pub fn log(label: impl Into<String>) -> Self {
        Self { label: label.into(), is_log: true }
    }
}

impl Line {
    /// A line.
    pub fn new(name: impl Into<String>, role: Role, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), role, points }
    }
}

impl Group {
    /// Points.
    pub fn new(name: impl Into<String>, role: Role, points: Vec<(f64, f64)>) -> Self {
        Self { role, name: name.into(), points }
    }
}

impl Number {
    /// A number of which nothing is expected.
    pub fn found(name: impl Into<String>, label: impl Into<String>, value: f64) -> Self {
        Self { name: name.into(), label: label.into(), value, expected: None, band: None, unit: String::new() }
    }

    /// With what theory says.
    pub fn expected(self, expected: f64) -> Self {
        Self { expected: Some(expected), ..self }
    }

    /// With a band.
    pub fn band(self, low: f64, high: f64) -> Self {
        Self { band: Some((low, high)), ..self }
    }

    /// With its unit.
    pub fn unit(self, unit: impl Into<String>) -> Self {
        Self { unit: unit.into(), ..self }
    }
}

impl Figure {
    /// Measured − predicted at the measured x, for every pair of lines of one name; the prediction is read off linearly between
    /// its points, and measured points beyond its ends are left out. `(name, (x, difference) …)`.
    pub fn residuals(&self) -> Vec<(String, Vec<(f64, f64)>)> {
        let Drawing::Lines { lines, .. } = &self.drawing else { return Vec::new() };
        let predicted = |name: &str| lines.iter().find(|line| line.role == Role::Predicted && line.name == name);
        let is_measured = |line: &&Line| matches!(line.role, Role::Measured | Role::Train | Role::Test);
        let pairs = lines.iter().filter(is_measured).filter_map(|line| Some((line, predicted(&line.name)?)));
        let difference = |line: &Line, theory: &Line| {
            line.points.iter().filter_map(|&(x, y)| Some((x, y - read_off(&theory.points, x)?))).collect()
        };
        pairs.map(|(line, theory)| (line.name.clone(), difference(line, theory))).collect()
    }
}

/// A share in words.
pub(super) fn percent(share: f64) -> String {
    format!("{:.0}%", 100.0 * share)
}

/// The value at `x` of the polygon through `points` (ascending in x), or `None` beyond its ends.
fn read_off(points: &[(f64, f64)], x: f64) -> Option<f64> {
    let after = points.partition_point(|point| point.0 < x);
    let &(right, high) = points.get(after)?;
    if right == x {
        return Some(high);
    }
    let &(left, low) = points.get(after.checked_sub(1)?)?;
    Some(low + (high - low) * (x - left) / (right - left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residuals_are_measured_less_predicted_where_both_are() {
        let lines = vec![
            Line::new("loss", Role::Predicted, vec![(0.0, 0.0), (2.0, 4.0)]),
            Line::new("loss", Role::Measured, vec![(-1.0, 9.0), (0.0, 1.0), (1.0, 1.5), (2.0, 4.0), (3.0, 9.0)]),
            Line::new("alone", Role::Measured, vec![(0.0, 1.0)]),
        ];
        let drawing = Drawing::Lines { x: Scaled::linear("step"), y: Scaled::linear("loss"), lines, marks: Vec::new() };
        let figure = Figure { name: "loss".into(), caption: String::new(), drawing };
        assert_eq!(figure.residuals(), [("loss".to_owned(), vec![(0.0, 1.0), (1.0, -0.5), (2.0, 0.0)])]);
    }
}
