//! Shares of runs that still wait, over steps: the Kaplan–Meier curves of a race.
//!
//! Accuracy curves of forty runs are a thicket, and their mean jumps where no run does. Here every run is one step down, so
//! speed, spread and failures show at once: the curve further left is faster, and one that stays up has runs that never
//! arrived. Bars of medians were rejected, because they cannot show a run that has no time.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::prelude::DrawingBackend;

use super::pen::Pen;
use super::{Axis, Curves, Frame, Ink, NumberFormat, Series, Surface, Theme, draw_curves};

/// One runner of a race.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Runner<'a> {
    /// Its name, written where its curve ends; may be empty.
    pub label: &'a str,
    /// What its colour stands for: the control is a baseline, the others are sources.
    pub ink: Ink,
    /// Whether it is drawn in dashes.
    pub dashed: bool,
    /// Where the curve falls: (x, share that waits longer), ascending in x, shares from 1 down to 0. Empty if it never falls.
    pub falls: &'a [(f64, f64)],
    /// Where runs were given up: one x each, in ascending order.
    pub given_up: &'a [f64],
}

/// The curves of a race.
#[derive(Debug, Clone, PartialEq)]
pub struct Race<'a> {
    /// Runners, in any order: the slowest is drawn first, and where curves end at the same height its name stands uppermost.
    pub runners: &'a [Runner<'a>],
    /// The common x, usually steps.
    pub x: Axis,
    /// The name of the vertical axis, e.g. "seeds that have not yet grokked".
    pub waiting: String,
    /// Where every curve ends: the budget.
    pub end: f64,
}

/// Draws a step curve per runner with its name at its end, a dot where half of its runs have arrived and a small upright tick
/// for each run that was given up; ticks at one place stand beside one another so that they can be counted.
///
/// # Errors
/// Only what the backend reports; without runners it draws axes and "no data yet".
pub fn draw_race<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    surface: Surface,
    theme: &Theme,
    race: &Race<'_>,
) -> Result<Frame, DrawingAreaErrorKind<DB::ErrorType>> {
    let mut runners: Vec<(&Runner<'_>, Vec<(f64, f64)>)> =
        race.runners.iter().map(|runner| (runner, stairs(runner.falls, race.end))).collect();
    runners.sort_by(|a, b| area_under(&b.1).total_cmp(&area_under(&a.1)));
    let series: Vec<Series<'_>> = runners
        .iter()
        .map(|(runner, points)| Series { label: runner.label, ink: runner.ink, dashed: runner.dashed, points })
        .collect();
    let x = Axis { range: race.x.range.or(Some((0.0, race.end))), ..race.x.clone() };
    let y = Axis { label: race.waiting.clone(), range: Some((0.0, 1.0)), format: NumberFormat::Percent, ..Axis::default() };
    let frame = draw_curves(
        area,
        surface,
        theme,
        &Curves { series: &series, x, y, marks: &[], ticks: &[], cursor: None, bands: &[], areas: &[] },
    )?;

    let pen = Pen::new(area, surface);
    let inside = |x: f64| x >= frame.left - 0.5 && x <= frame.left + frame.width + 0.5;
    for (runner, _) in &runners {
        let Some(&(x, share)) = runner.falls.iter().find(|fall| fall.1 <= HALF) else { continue };
        // On the upright part of the step that crosses one half.
        let (x, y) = (frame.px_of_x(x), frame.px_of_y(HALF.max(share)));
        if inside(x) {
            pen.dot((x, y), 2.0 * pen.stroke + 1.0, theme.surface)?;
            pen.dot((x, y), 2.0 * pen.stroke, theme.ink(runner.ink))?;
        }
    }
    let (reach, apart) = (3.0 * pen.stroke, pen.stroke + 2.0);
    let mut taken: Vec<(f64, f64)> = Vec::new();
    for (runner, points) in &runners {
        for &given_up in runner.given_up.iter().rev() {
            let y = frame.px_of_y(share_after(points, given_up));
            let mut x = frame.px_of_x(given_up);
            while inside(x) && taken.iter().any(|other| (other.0 - x).abs() < apart - 0.01 && (other.1 - y).abs() < 2.0 * reach) {
                x -= apart;
            }
            if inside(x) && y.is_finite() {
                taken.push((x, y));
                pen.down(x, ((y - reach).max(0.0), y + reach), theme.ink(runner.ink))?;
            }
        }
    }
    Ok(frame)
}

/// The share at which the median is read.
const HALF: f64 = 0.5;

/// The corners of a curve that starts at (0, 1), falls upright and ends at `end`.
pub(super) fn stairs(falls: &[(f64, f64)], end: f64) -> Vec<(f64, f64)> {
    let mut corners = vec![(0.0, 1.0)];
    let mut share = 1.0;
    for &(x, after) in falls {
        corners.extend([(x, share), (x, after)]);
        share = after;
    }
    if corners.last().is_some_and(|last| last.0 < end) {
        corners.push((end, share));
    }
    corners
}

/// How long a run waits on average.
fn area_under(corners: &[(f64, f64)]) -> f64 {
    corners.windows(2).map(|pair| (pair[1].0 - pair[0].0) * pair[0].1).sum()
}

/// The height of a curve of corners just after `x`.
pub(super) fn share_after(corners: &[(f64, f64)], x: f64) -> f64 {
    corners.iter().rev().find(|corner| corner.0 <= x).map_or(1.0, |corner| corner.1)
}
