//! From flows and both solutions to figures and numbers.

use super::super::spread::{Fit, band, fit, mean, median};
use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, Scaled};
use super::EarlyLate;
use super::course::{Course, Ends, Seen};
use super::data::Data;
use crate::record::UserError;

/// How long flows go on after the law's date, in units of 1/λ.
const BEYOND: f64 = 8.0;
/// Change of the test accuracy that is more than the chance of its rows.
const DIFFERENT: f64 = 0.05;
/// Fresh rows of the first data set.
const TEST_ROWS: usize = 1000;

/// Everything that was computed.
struct Found {
    data: Data,
    ends: Ends,
    /// By α, ascending.
    courses: Vec<Course>,
    /// λ·t − log α of the switch from the largest start, of this data set and the further ones.
    offsets: Vec<f64>,
}

impl Found {
    fn of(settings: &EarlyLate) -> Result<Self, UserError> {
        let data = Data::new(settings, 0, TEST_ROWS);
        let ends = Ends::of(&data.train)?;
        let follow = |data: &Data, ends: &Ends, start: f64| Course::follow(data, ends, start, settings.weight_decay, BEYOND);
        let starts = [1e-3, 1e-2, 1e-1, 1.0].map(|share| share * settings.start);
        let courses = starts.iter().map(|&start| follow(&data, &ends, start)).collect::<Result<Vec<_>, _>>()?;
        let offset = |course: &Course| course.switch().map(|at| at - course.law());
        let mut offsets: Vec<f64> = courses.last().and_then(offset).into_iter().collect();
        for index in 1..=u64::from(settings.draws) {
            let other = Data::new(settings, index, 0);
            let course = follow(&other, &Ends::of(&other.train)?, settings.start)?;
            offsets.extend(offset(&course));
        }
        Ok(Self { data, ends, courses, offsets })
    }

    /// That from the largest start.
    fn last(&self) -> Option<&Course> {
        self.courses.last()
    }

    /// `(log α, λt)` of the switch.
    fn switches(&self) -> Vec<(f64, f64)> {
        self.courses.iter().filter_map(|course| Some((course.law(), course.switch()?))).collect()
    }

    /// `(log α, λt)` at which the test accuracy is half-way.
    fn halves(&self) -> Vec<(f64, f64)> {
        self.courses.iter().filter_map(|course| Some((course.law(), course.half()?))).collect()
    }
}

/// The panel's answer; settings have been checked.
///
/// # Errors
/// If the rows are not separable or a flow cannot be followed.
pub(super) fn outcome(settings: &EarlyLate) -> Result<Outcome, UserError> {
    let found = Found::of(settings)?;
    let line = fit(&found.switches());
    let offset = mean(&found.switches().iter().map(|(law, at)| at - law).collect::<Vec<_>>());
    Ok(Outcome {
        headline: headline(&found, line, offset),
        figures: vec![accuracies(&found), dates(&found), angles(&found), margins(&found), shifted(&found)],
        numbers: numbers(&found, line, offset),
        assumptions: assumptions(settings, &found, line),
    })
}

fn headline(found: &Found, line: Fit, offset: f64) -> String {
    let (before, after) = found
        .last()
        .and_then(|course| Some((course.plateau()?.accuracy, course.moments.last()?.accuracy)))
        .unwrap_or((f64::NAN, f64::NAN));
    let what = match after - before {
        change if change > DIFFERENT => "It understands late",
        change if change < -DIFFERENT => "It unlearns",
        _ => "Both phases are about as right",
    };
    let side = if offset >= 0.0 { "after" } else { "before" };
    format!(
        "{what}: {:.1}% of fresh rows right before the switch, {:.1}% after it; the switch moves by {:.3}/λ per log α (predicted 1) and \
         comes {:.2}/λ {side} the law's date",
        100.0 * before,
        100.0 * after,
        line.slope,
        offset.abs()
    )
}

fn numbers(found: &Found, line: Fit, offset: f64) -> Vec<Number> {
    let mut numbers = vec![Number::found("slope", "Switch per log α, in units of 1/λ", line.slope).expected(1.0)];
    for course in &found.courses {
        if let Some(at) = course.switch() {
            let name = format!("switch_{:.0}", course.start);
            let label = format!("Switch from α = {:.0}, in units of (log α)/λ", course.start);
            numbers.push(Number::found(name, label, at / course.law()).expected(1.0));
        }
    }
    let after = "Switch after the law's date, in units of 1/λ";
    // A band of fewer says nothing of how data sets scatter.
    numbers.push(if found.offsets.len() >= 5 {
        let (low, high) = band(&found.offsets);
        Number::found("offset", format!("{after}; median and band of data sets"), median(&found.offsets)).band(low, high)
    } else {
        Number::found("offset", after, offset)
    });
    let halves: Vec<f64> = found.halves().iter().map(|(law, at)| at - law).collect();
    numbers.push(Number::found(
        "offset_accuracy",
        "Half of the change in accuracy after the law's date, in 1/λ",
        median(&halves),
    ));
    let Some(course) = found.last() else { return numbers };
    let (early, late) = (found.data.accuracy(&found.ends.early), found.data.accuracy(&found.ends.late));
    let within = |number: Number, expected: f64| {
        let (value, error) = (number.value, 2.0 * found.data.error(expected));
        let number = number.expected(expected);
        if error > 0.0 { number.band(value - error, value + error) } else { number }
    };
    if let (Some(plateau), Some(last)) = (course.plateau(), course.moments.last()) {
        let named = |name, label, value| Number::found(name, label, value);
        numbers.push(within(
            named("early_accuracy", "Fresh rows right on the plateau; expected of the ℓ2 solution", plateau.accuracy),
            early,
        ));
        numbers.push(within(
            named("late_accuracy", "Fresh rows right at the end; expected of the ℓ1 solution", last.accuracy),
            late,
        ));
        numbers.push(
            named("early_margin", "Margin over ‖w‖₂ on the plateau, of the largest there is", plateau.early_margin).expected(1.0),
        );
        numbers
            .push(named("late_margin", "Margin over ‖w‖₁ at the end, of the largest there is", last.late_margin).expected(1.0));
        numbers.push(named("early_angle", "Angle to the ℓ2 solution on the plateau", plateau.to_early).expected(0.0).unit("rad"));
        numbers.push(named("late_angle", "Angle to the ℓ1 solution at the end", last.to_late).expected(0.0).unit("rad"));
    }
    numbers.push(Number::found("gap", "Duality gap of both solutions, the larger", found.ends.gap).expected(0.0));
    numbers
}

fn assumptions(settings: &EarlyLate, found: &Found, line: Fit) -> Vec<Assumption> {
    let plateau = found.last().and_then(Course::plateau);
    let both = plateau.zip(found.last().and_then(|course| course.moments.last()));
    let both = both.map(|(plateau, last)| (plateau.early_margin, last.late_margin));
    let share = found.last().and_then(|course| Some(course.switch()? / course.law() - 1.0));
    vec![
        Assumption {
            statement: "The start is large: before the switch the network is its kernel".into(),
            holds: plateau.map(|seen| seen.bend < 0.1),
            evidence: plateau.map_or("there is no plateau".into(), |seen| {
                format!("at half of the law's date the largest weight is {:.1e} of 2uv, so w is linear in the rows' pushes", seen.bend)
            }),
        },
        Assumption {
            statement: "Weight decay is small: both phases have the widest margin in their norm".into(),
            holds: both.map(|(early, late)| early > 0.95 && late > 0.9),
            evidence: both.map_or("a phase is missing".into(), |(early, late)| {
                format!(
                    "at λ = {:.0e} the ℓ2 margin is {:.1}% of the largest on the plateau and the ℓ1 margin {:.1}% of the largest {BEYOND}/λ after \
                     the law's date; what is missing falls like 1/log(1/λ)",
                    settings.weight_decay,
                    100.0 * early,
                    100.0 * late
                )
            }),
        },
        Assumption {
            statement: "Each factor e of the start puts the switch off by 1/λ".into(),
            holds: if line.slope.is_finite() { Some((line.slope - 1.0).abs() < 0.05) } else { None },
            evidence: format!("a line through the four dates has slope {:.4} and R² {:.6}", line.slope, line.r_squared),
        },
        Assumption {
            statement: "log α is large beside what the data add to the date".into(),
            holds: share.map(|share| share.abs() < 0.1),
            evidence: share.map_or("there is no switch".into(), |share| {
                format!("from the largest start the switch comes {:+.0}% off the law's date", 100.0 * share)
            }),
        },
    ]
}

fn figure(name: &str, caption: impl Into<String>, x: Scaled, y: Scaled, lines: Vec<Line>, marks: Vec<(f64, String)>) -> Figure {
    Figure { name: name.into(), caption: caption.into(), drawing: Drawing::Lines { x, y, lines, marks } }
}

/// One line per start over `x`.
fn by_start(found: &Found, x: impl Fn(&Course, &Seen) -> f64, from: f64, to: f64) -> Vec<Line> {
    let line = |(index, course): (usize, &Course)| {
        let points = course.moments.iter().map(|seen| (x(course, seen), seen.accuracy));
        let shown = points.filter(|(x, _)| (from..=to).contains(x)).collect();
        Line::new(format!("α = {:.0}", course.start), Role::Kind(index as u8), shown)
    };
    found.courses.iter().enumerate().map(line).collect()
}

fn levels(found: &Found, from: f64, to: f64) -> [Line; 2] {
    let level = |name: &str, w: &[f64]| {
        let accuracy = found.data.accuracy(w);
        Line::new(name, Role::Predicted, vec![(from, accuracy), (to, accuracy)])
    };
    [level("ℓ2 solution", &found.ends.early), level("ℓ1 solution", &found.ends.late)]
}

fn accuracies(found: &Found) -> Figure {
    let mut lines = levels(found, 0.0, 2.5).to_vec();
    lines.extend(by_start(found, |course, seen| course.scaled(seen) / course.law(), 0.0, 2.5));
    let caption = "Share of fresh rows that are right, over time in units of the law's date, from four starts; dashed, that of the two \
                   solutions, found by other means. The larger the start, the nearer to 1 and the steeper is the change";
    let (x, y) = (Scaled::linear("time in units of (log α)/λ"), Scaled::linear("test accuracy"));
    figure("accuracy", caption, x, y, lines, vec![(1.0, "law".into())])
}

fn shifted(found: &Found) -> Figure {
    let (from, to) = (-6.0, BEYOND);
    let mut lines = levels(found, from, to).to_vec();
    lines.extend(by_start(found, |course, seen| course.scaled(seen) - course.law(), from, to));
    let caption = "The same over the time since the law's date: all starts fall onto one curve, so what the data add to the date does not \
                   grow with the start";
    let (x, y) = (Scaled::linear("λt − log α"), Scaled::linear("test accuracy"));
    figure("shifted", caption, x, y, lines, vec![(0.0, "law".into())])
}

fn dates(found: &Found) -> Figure {
    let switches = found.switches();
    let law = switches.iter().map(|(law, _)| (*law, *law)).collect();
    let lines = vec![
        Line::new("switch", Role::Predicted, law),
        Line::new("switch", Role::Measured, switches),
        Line::new("half of the change in accuracy", Role::Kind(1), found.halves()),
    ];
    let caption = "When the weights come nearer to the ℓ1 solution than to the ℓ2 solution, from four starts, and the law (dashed): both \
                   lines have one slope";
    figure("dates", caption, Scaled::linear("log α"), Scaled::linear("λt of the switch"), lines, Vec::new())
}

/// A line of the course from the largest start, over time in units of the law's date.
fn of_last(found: &Found, name: &str, role: Role, of: impl Fn(&Seen) -> f64) -> Line {
    let points = |course: &Course| course.moments.iter().map(|seen| (course.scaled(seen) / course.law(), of(seen))).collect();
    Line::new(name, role, found.last().map(points).unwrap_or_default())
}

fn angles(found: &Found) -> Figure {
    let lines = vec![
        of_last(found, "to the ℓ2 solution", Role::Kind(0), |seen| seen.to_early),
        of_last(found, "to the ℓ1 solution", Role::Kind(1), |seen| seen.to_late),
    ];
    let caption =
        "Angle of the weights to both solutions, from the largest start. They rest at the first, then turn to the second";
    let (x, y) = (Scaled::linear("time in units of (log α)/λ"), Scaled::linear("angle (rad)"));
    figure("angles", caption, x, y, lines, vec![(1.0, "law".into())])
}

fn margins(found: &Found) -> Figure {
    let lines = vec![
        of_last(found, "over ‖w‖₂", Role::Kind(0), |seen| seen.early_margin),
        of_last(found, "over ‖w‖₁", Role::Kind(1), |seen| seen.late_margin),
    ];
    let caption = "Smallest margin over each norm of the weights, as a share of the largest that any weights have: the first phase keeps \
                   the one at its most, the second the other";
    let (x, y) = (Scaled::linear("time in units of (log α)/λ"), Scaled::linear("share of the widest margin"));
    figure("margins", caption, x, y, lines, vec![(1.0, "law".into())])
}
