//! Points in a plane: an embedding seen along two directions, neurons by two numbers.
//!
//! A circle must look like one, or "the residues form a ring" cannot be seen: both axes have one unit per pixel, and what the
//! surface has more of, width or height, shows more of the plane. Stretching the plane to the surface was rejected, and so was a
//! square with empty space beside it. Two different numbers (see [`Scatter::window`]) have no common unit, and each gets its own
//! axis. A number stands at a point only where it touches nothing, because at 113 residues all of them would be a grey smear.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

use super::axes::Axes;
use super::guide::{Box4, draw_guides, draw_key, guide_names, key_height};
use super::line::{clip, dashes};
use super::palette::cyclic;
use super::pen::{Drawn, Pen};
use super::{Axis, Frame, Guide, Ink, Key, Surface, Theme};

/// What colours the points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stain<'a> {
    /// All alike.
    One(Ink),
    /// One value per point on a scale that comes round: 0 and 1 have the same colour. For residues r modulo p, r ÷ p.
    Cyclic(&'a [f64]),
    /// One colour per point.
    Inks(&'a [Ink]),
}

/// A straight line in the plane: an axis, an arrow, an expected position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// `(x, y)` of one end.
    pub from: (f64, f64),
    /// `(x, y)` of the other; what lies outside the plot is cut.
    pub to: (f64, f64),
    /// What its colour stands for.
    pub ink: Ink,
    /// Whether it is drawn in thin dashes: predictions, baselines.
    pub dashed: bool,
}

/// x from and to, y from and to.
pub type Window = ((f64, f64), (f64, f64));

/// Points in a plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Scatter<'a> {
    /// `(x, y)`; what is not finite or outside the plot is not drawn.
    pub points: &'a [(f64, f64)],
    /// Names of the points in the same order; may be empty or shorter. The first ones keep theirs where there is no room for all.
    pub labels: &'a [String],
    /// What colours the points.
    pub stain: Stain<'a>,
    /// Indices of points to join by a thin line, in this order: 0, k⁻¹, 2k⁻¹, … draws the polygon of frequency k. Empty for none.
    pub order: &'a [usize],
    /// Whether the line returns to where it began.
    pub closed: bool,
    /// What x is, with its unit.
    pub x_label: String,
    /// What y is, with its unit.
    pub y_label: String,
    /// Both axes show at least −`range` to `range`: the same over all steps, so that points grow and do not the axes. `None` fits
    /// the data.
    pub range: Option<f64>,
    /// What both axes show, each in its own unit. `None` keeps one unit for both.
    pub window: Option<Window>,
    /// Values that decide something.
    pub guides: &'a [Guide<'a>],
    /// Straight lines behind the points. They do not count when a plot is fitted to its data.
    pub stretches: &'a [Stretch],
    /// What the colours of [`Stain::Inks`] stand for.
    pub keys: &'a [Key<'a>],
    /// Indices of points to ring: a chosen one, or those that decide.
    pub ringed: &'a [usize],
}

/// Draws the line, the points and their names, and says where the plot stands; [`nearest_point`] leads back from a pixel.
///
/// # Errors
/// Only what the backend reports; without a finite point it draws axes and "no data yet".
pub fn draw_scatter<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    surface: Surface,
    theme: &Theme,
    scatter: &Scatter<'_>,
) -> Result<Frame, DrawingAreaErrorKind<DB::ErrorType>> {
    area.fill(&theme.surface)?;
    let pen = Pen::new(area, surface);
    let (x, y) = (Axis::linear(&scatter.x_label), Axis::linear(&scatter.y_label));
    let above = key_height(&pen, scatter.keys, surface.width());
    let axes = match scatter.window {
        Some((across, up)) => Axes::new(&pen, surface, (&x, across), (&y, up), (above, 0.0)),
        None => lay_out(&pen, surface, (&x, &y), square(scatter), above),
    };
    let frame = axes.frame;
    if !axes.is_drawable {
        return Ok(frame);
    }
    axes.draw(&pen, theme)?;
    draw_key(&pen, theme, scatter.keys, (frame.top - above, surface.width()))?;
    draw_guides(&pen, theme, &frame, scatter.guides)?;

    let joined: Vec<(f64, f64)> = scatter
        .order
        .iter()
        .chain(scatter.order.first().filter(|_| scatter.closed))
        .map(|&index| scatter.points.get(index).map_or((f64::NAN, f64::NAN), |&point| pixel(&frame, point)))
        .collect();
    for run in clip(&joined, &frame) {
        pen.path_of(pen.stroke / 2.0, &run, theme.faint(Ink::Neutral))?;
    }
    for stretch in scatter.stretches {
        let ends = [stretch.from, stretch.to].map(|end| pixel(&frame, end));
        for run in clip(&ends, &frame) {
            if stretch.dashed {
                for dash in dashes(&run, 3.0 * pen.stroke) {
                    pen.path_of(0.75 * pen.stroke, &dash, theme.ink(stretch.ink))?;
                }
            } else {
                pen.path_of(0.75 * pen.stroke, &run, theme.ink(stretch.ink))?;
            }
        }
    }

    let radius = if scatter.points.len() > MANY { 1.25 * pen.stroke } else { 1.75 * pen.stroke };
    let seen: Vec<(usize, (f64, f64))> = scatter
        .points
        .iter()
        .map(|&point| pixel(&frame, point))
        .enumerate()
        .filter(|(_, (x, y))| {
            let inside = |value: f64, low: f64, length: f64| value >= low - 0.5 && value <= low + length + 0.5;
            inside(*x, frame.left, frame.width) && inside(*y, frame.top, frame.height)
        })
        .collect();
    if seen.is_empty() {
        axes.draw_absence(&pen, theme)?;
    }
    for &(index, at) in &seen {
        if scatter.ringed.contains(&index) {
            pen.dot(at, radius + 4.0, theme.text)?;
            pen.dot(at, radius + 2.5, theme.surface)?;
        }
        pen.dot(at, radius, color_of(theme, scatter.stain, index))?;
    }
    draw_labels(&pen, theme, &frame, scatter, &seen, radius)?;
    Ok(frame)
}

/// The index of the point nearest to a pixel, if one lies within `reach` CSS pixels.
pub fn nearest_point(frame: &Frame, points: &[(f64, f64)], at: (f64, f64), reach: f64) -> Option<usize> {
    let distance = |point: (f64, f64)| {
        let (x, y) = pixel(frame, point);
        (x - at.0).hypot(y - at.1)
    };
    let near = points.iter().map(|&point| distance(point)).enumerate().filter(|(_, away)| *away <= reach);
    near.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index)
}

/// With more points than these, each is smaller.
const MANY: usize = 150;
/// What a fitted plot shows beyond its outermost points, as a share of their distance.
const AIR: f64 = 0.08;

fn pixel(frame: &Frame, (x, y): (f64, f64)) -> (f64, f64) {
    (frame.px_of_x(x), frame.px_of_y(y))
}

fn color_of(theme: &Theme, stain: Stain<'_>, index: usize) -> RGBColor {
    match stain {
        Stain::One(ink) => theme.ink(ink),
        Stain::Inks(inks) => inks.get(index).map_or(theme.baseline, |&ink| theme.ink(ink)),
        Stain::Cyclic(values) => match values.get(index).filter(|value| value.is_finite()) {
            Some(&value) => cyclic(value.rem_euclid(1.0), theme.is_dark),
            None => theme.baseline,
        },
    }
}

/// Middle and half side of the square that has to be seen.
fn square(scatter: &Scatter<'_>) -> ((f64, f64), f64) {
    // Beyond these, differences and digits are lost.
    let usable = |value: f64| value.abs() < 1e150;
    if let Some(half) = scatter.range.filter(|&half| usable(half) && half > 1e-150) {
        return ((0.0, 0.0), half);
    }
    let extent = |of: fn(&(f64, f64)) -> f64| {
        let ends = scatter.stretches.iter().flat_map(|stretch| [&stretch.from, &stretch.to]);
        let values = scatter.points.iter().chain(ends).filter(|point| usable(point.0) && usable(point.1)).map(of);
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (v.min(low), v.max(high)));
        if low <= high { (low, high) } else { (-1.0, 1.0) }
    };
    let (x, y) = (extent(|point| point.0), extent(|point| point.1));
    let middle = ((x.0 + x.1) / 2.0, (y.0 + y.1) / 2.0);
    let half = (x.1 - x.0).max(y.1 - y.0) * (0.5 + AIR);
    // Equal points have no distance; their own size serves instead.
    let least = 1e-9 * middle.0.abs().max(middle.1.abs());
    (middle, if half > least && half > 1e-150 { half } else { middle.0.abs().max(middle.1.abs()).max(1.0) })
}

/// Axes on which a unit is equally long both ways.
fn lay_out<'a, DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    surface: Surface,
    (x, y): (&'a Axis, &'a Axis),
    ((middle_x, middle_y), half): ((f64, f64), f64),
    above: f64,
) -> Axes<'a> {
    let ranges = |frame: &Frame| {
        let per_pixel = 2.0 * half / frame.width.min(frame.height);
        let around = |middle: f64, pixels: f64| (middle - per_pixel * pixels / 2.0, middle + per_pixel * pixels / 2.0);
        (around(middle_x, frame.width), around(middle_y, frame.height))
    };
    let mut axes =
        Axes::new(pen, surface, (x, (middle_x - half, middle_x + half)), (y, (middle_y - half, middle_y + half)), (above, 0.0));
    // The numbers of the vertical axis decide how wide the plot is, and that how far the axes reach; twice is enough.
    for _ in 0..2 {
        let (x_range, y_range) = ranges(&axes.frame);
        axes = Axes::new(pen, surface, (x, x_range), (y, y_range), (above, 0.0));
    }
    // What the last numbers changed is taken up here, to the pixel.
    (axes.frame.x, axes.frame.y) = ranges(&axes.frame);
    axes
}

fn touch(a: Box4, b: Box4) -> bool {
    a.0 < b.2 && b.0 < a.2 && a.1 < b.3 && b.1 < a.3
}

/// Names beside their points, on the outer side first, where nothing else stands.
fn draw_labels<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    theme: &Theme,
    frame: &Frame,
    scatter: &Scatter<'_>,
    seen: &[(usize, (f64, f64))],
    radius: f64,
) -> Drawn<(), DB> {
    let around = |(x, y): (f64, f64), reach: f64| (x - reach, y - reach, x + reach, y + reach);
    let dots: Vec<Box4> = seen.iter().map(|&(_, at)| around(at, radius + 0.5)).collect();
    let (right, bottom) = (frame.left + frame.width, frame.top + frame.height);
    let middle = (frame.left + frame.width / 2.0, frame.top + frame.height / 2.0);
    let mut taken: Vec<Box4> = guide_names(pen, frame, scatter.guides);
    for &(index, (x, y)) in seen {
        let Some(label) = scatter.labels.get(index).filter(|label| !label.is_empty()) else { continue };
        let (half, height, away) = (pen.measure(label) / 2.0, 1.05 * pen.font, radius + 2.0);
        let outwards = (x - middle.0, y - middle.1);
        let length = outwards.0.hypot(outwards.1).max(1e-9);
        // Straight outwards, so that the numbers of a ring form one too; else to a side, but never towards the middle.
        let sides = [(outwards.0 / length, outwards.1 / length), (1.0, 0.0), (-1.0, 0.0), (0.0, -1.0), (0.0, 1.0)];
        let free =
            sides.into_iter().filter(|side| side.0 * outwards.0 + side.1 * outwards.1 >= 0.0).find_map(|(across, down)| {
                let shift = away + (across * half).abs() + (down * height / 2.0).abs();
                let centre = (x + across * shift, y + down * shift);
                let words = (centre.0 - half, centre.1 - height / 2.0, centre.0 + half, centre.1 + height / 2.0);
                let is_inside = words.0 >= frame.left && words.1 >= frame.top && words.2 <= right && words.3 <= bottom;
                (is_inside && !dots.iter().chain(&taken).any(|&other| touch(words, other))).then_some((words, centre))
            });
        if let Some((words, centre)) = free {
            taken.push(words);
            pen.text(label, centre, (HPos::Center, VPos::Center), theme.text)?;
        }
    }
    Ok(())
}
