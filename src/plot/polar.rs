//! Values around a circle: what a latent does on each residue.
//!
//! Residues come round: on a straight axis a bump at 0 is torn in two, and three equal bumps do not look like a third of a turn.
//! The value is the distance from the middle, which is 0, so that a flat function is a circle. Filled wedges were rejected,
//! because their area grows with the square of the value.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::ticks;
use super::pen::{Drawn, Pen};
use super::{Axis, Frame, Scale, Surface, Theme};

/// Values around a circle, the first at the top, the others clockwise at equal angles.
#[derive(Debug, Clone, PartialEq)]
pub struct Polar<'a> {
    /// Values of at least 0; a negative one stands in the middle, what is not finite leaves a gap.
    pub values: &'a [f32],
    /// What each place is called, in the same order; numbers from 0 where there are none. As many stand on the rim as have room.
    pub labels: &'a [String],
    /// What the places are.
    pub angle_label: String,
    /// What the value is, with its unit.
    pub value_label: String,
}

/// Draws rings, names and the line, and says where the circle stands: the frame is the square around it, with x and y from −m to
/// m of the value m at the rim. The value v at angle θ (clockwise from the top) is at (v·sin θ, v·cos θ).
///
/// # Errors
/// Only what the backend reports; without a finite value it draws the rim and "no data yet".
pub fn draw_polar<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    surface: Surface,
    theme: &Theme,
    polar: &Polar<'_>,
) -> Drawn<Frame, DB> {
    area.fill(&theme.surface)?;
    let pen = Pen::new(area, surface);
    let count = polar.values.len();
    let finite = || polar.values.iter().copied().filter(|value| value.is_finite()).map(f64::from);
    let most = Some(finite().fold(0.0, f64::max)).filter(|most| *most > 0.0).unwrap_or(1.0);
    let name = |place: usize| polar.labels.get(place).cloned().unwrap_or_else(|| place.to_string());
    let widest = (0..count).map(|place| pen.measure(&name(place))).fold(0.0, f64::max);

    let above = pen.row() + 4.0;
    let (beside, below) = (widest + 8.0, pen.row() + 6.0);
    let height = surface.height() - above - below - 2.0 * (pen.row() + 2.0);
    let radius = ((surface.width() - 2.0 * beside).min(height) / 2.0).max(0.5);
    let middle = (surface.width() / 2.0, above + pen.row() + 2.0 + radius);
    let range = (-most, most);
    let frame = Frame {
        left: middle.0 - radius,
        top: middle.1 - radius,
        width: 2.0 * radius,
        height: 2.0 * radius,
        x: range,
        x_scale: Scale::Linear,
        y: range,
        y_scale: Scale::Linear,
    };
    if radius < 2.0 * pen.font {
        return Ok(frame);
    }
    let at = |angle: f64, value: f64| {
        let (sine, cosine) = angle.sin_cos();
        (frame.px_of_x(value * sine), frame.px_of_y(value * cosine))
    };
    let ring = |value: f64| -> Vec<(f64, f64)> {
        (0..=RING_CORNERS).map(|corner| at(std::f64::consts::TAU * corner as f64 / RING_CORNERS as f64, value)).collect()
    };
    let axis = Axis::linear(&polar.value_label);
    let rings = ticks(&axis, (0.0, most), radius, 2.5 * pen.row(), |_| pen.row()).major;
    for tick in rings.iter().filter(|tick| tick.value > 0.0) {
        pen.path_of(1.0, &ring(tick.value), theme.grid)?;
    }
    pen.path_of(1.0, &ring(most), theme.muted)?;
    pen.dot(middle, 1.5, theme.muted)?;

    let angle = |place: usize| std::f64::consts::TAU * place as f64 / count.max(1) as f64;
    draw_rim(&pen, theme, (middle, radius), count, widest, &name)?;
    if finite().next().is_none() {
        pen.text("no data yet", middle, (HPos::Center, VPos::Center), theme.muted)?;
    } else {
        let points: Vec<Option<(f64, f64)>> = polar
            .values
            .iter()
            .enumerate()
            .map(|(place, &value)| value.is_finite().then(|| at(angle(place), f64::from(value).max(0.0))))
            .collect();
        draw_line(&pen, theme, &points)?;
    }
    // Over the line, where the numbers can be read: on the first half of the way to the next name they meet none.
    for tick in rings.iter().filter(|tick| tick.value > 0.0 && tick.value < 0.85 * most) {
        let (x, y) = at(RING_NAME_ANGLE, tick.value);
        pen.text(&tick.label, (x, y), (HPos::Center, VPos::Center), theme.muted)?;
    }
    pen.text(&pen.fit(&polar.value_label, surface.width()), (0.0, 2.0), (HPos::Left, VPos::Top), theme.muted)?;
    let words = pen.fit(&polar.angle_label, surface.width());
    pen.text(&words, (middle.0, surface.height() - pen.row()), (HPos::Center, VPos::Top), theme.muted)?;
    Ok(frame)
}

/// A ring is a polygon of so many corners; at 400 pixels across it differs from a circle by a fifth of a pixel.
const RING_CORNERS: usize = 96;
/// Where the rings carry their value: towards four o'clock, away from the first place at the top.
const RING_NAME_ANGLE: f64 = 2.1;

/// A tick and a name at every n-th place, so that names do not touch.
fn draw_rim<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    theme: &Theme,
    (middle, radius): ((f64, f64), f64),
    count: usize,
    widest: f64,
    name: &dyn Fn(usize) -> String,
) -> Drawn<(), DB> {
    if count == 0 {
        return Ok(());
    }
    let room = std::f64::consts::TAU * (radius + pen.row()) / count as f64;
    let stride = ((widest.max(pen.row()) + pen.font / 2.0) / room).ceil().max(1.0) as usize;
    for place in (0..count).step_by(stride) {
        // The last name would touch the first.
        if place > 0 && count - place < stride {
            continue;
        }
        let (sine, cosine) = (std::f64::consts::TAU * place as f64 / count as f64).sin_cos();
        let out = |by: f64| (middle.0 + (radius + by) * sine, middle.1 - (radius + by) * cosine);
        pen.path_of(1.0, &[out(0.0), out(4.0)], theme.muted)?;
        let words = name(place);
        let away = 7.0 + (sine * pen.measure(&words) / 2.0).abs() + (cosine * pen.row() / 2.0).abs();
        pen.text(&words, out(away), (HPos::Center, VPos::Center), theme.muted)?;
    }
    Ok(())
}

/// The line through all points, closed and filled if there is no gap.
fn draw_line<DB: DrawingBackend>(pen: &Pen<'_, DB>, theme: &Theme, points: &[Option<(f64, f64)>]) -> Drawn<(), DB> {
    let whole: Vec<(f64, f64)> = points.iter().copied().flatten().collect();
    if whole.len() == points.len() && whole.len() > 2 {
        pen.area(&whole, theme.accent, theme.veil())?;
        let closed: Vec<(f64, f64)> = whole.iter().chain(whole.first()).copied().collect();
        pen.path(&closed, theme.accent)?;
    } else {
        for run in points.split(Option::is_none).filter(|run| run.len() > 1) {
            pen.path(&run.iter().copied().flatten().collect::<Vec<_>>(), theme.accent)?;
        }
    }
    if whole.len() <= FEW {
        for &point in &whole {
            pen.dot(point, 1.5 * pen.stroke, theme.accent)?;
        }
    }
    Ok(())
}

/// Up to so many values each has a dot: more would be a string of beads.
const FEW: usize = 130;
