//! Lines over steps: losses, accuracies, measures.
//!
//! This is the picture of the whole project: two curves that part and meet again. Each line carries its name at its end, in its
//! colour, and moments (t_mem, t_gen) are named above the plot, so that nobody has to look anything up. A legend box and a
//! second y axis were rejected.

use std::borrow::Cow;

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

use super::areas::draw_areas;
use super::axes::Axes;
use super::bands::{draw_bands, name_bands};
use super::labels::{spread, stack};
use super::line::{clip, dashes};
use super::pen::{Drawn, Pen};
use super::{Area, Axis, Band, Frame, Ink, Scale, Surface, Theme, decimate, nearest_index};

/// One line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Series<'a> {
    /// Its name, written at its end; may be empty.
    pub label: &'a str,
    /// What its colour stands for.
    pub ink: Ink,
    /// Whether it is drawn in thin dashes: predictions, baselines.
    pub dashed: bool,
    /// Points ascending in x; a y without a place on the axis (not finite, or not positive on a logarithmic one) breaks the line.
    pub points: &'a [(f64, f64)],
}

/// A moment worth a thin vertical line: t_mem, t_gen, an intervention.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Where it stands.
    pub x: f64,
    /// Its name, written above the plot.
    pub label: String,
    /// What its colour stands for.
    pub ink: Ink,
}

impl Mark {
    /// A date that was read off the curves.
    pub fn date(x: f64, label: impl Into<String>) -> Self {
        Self { x, label: label.into(), ink: Ink::Baseline }
    }

    /// Something that was done to the run: what the curves do after it is the answer, so it stands out.
    pub fn event(x: f64, label: impl Into<String>) -> Self {
        Self { x, label: label.into(), ink: Ink::Accent }
    }
}

/// Lines over a common x.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves<'a> {
    /// Lines, drawn in this order.
    pub series: &'a [Series<'a>],
    /// The common x, usually steps.
    pub x: Axis,
    /// The common y.
    pub y: Axis,
    /// Named moments.
    pub marks: &'a [Mark],
    /// Small unnamed ticks on the x axis: checkpoints.
    pub ticks: &'a [f64],
    /// Where the time slider stands.
    pub cursor: Option<f64>,
    /// Named stretches of x behind the lines: the phases of a run.
    pub bands: &'a [Band],
    /// Spreads behind the lines.
    pub areas: &'a [Area<'a>],
}

/// Draws lines with their names at their ends, and says where the plot stands.
///
/// # Errors
/// Only what the backend reports; empty or non-finite data draws axes and "no data yet".
pub fn draw_curves<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    surface: Surface,
    theme: &Theme,
    curves: &Curves<'_>,
) -> Result<Frame, DrawingAreaErrorKind<DB::ErrorType>> {
    area.fill(&theme.surface)?;
    let pen = Pen::new(area, surface);
    let shown: Vec<Cow<'_, [(f64, f64)]>> = curves.series.iter().map(|series| placeable(series.points, curves.y.scale)).collect();
    let spread = || curves.areas.iter().flat_map(|area| area.ends(curves.y.scale));
    let points = || shown.iter().flat_map(|points| points.iter().copied()).chain(spread());
    let x_range = curves.x.span_x(points().map(|point| point.0));
    let y_range = curves.y.span_y(points().map(|point| point.1));

    let names: Vec<String> = curves.series.iter().map(|series| pen.fit(series.label, 0.35 * surface.width())).collect();
    let widest = names.iter().map(|name| pen.measure(name)).fold(0.0, f64::max);
    let beside = if widest > 0.0 { widest + NAME_GAP } else { 0.0 };
    let lay_out = |rows: usize| {
        let axes = Axes::new(&pen, surface, (&curves.x, x_range), (&curves.y, y_range), (rows as f64 * pen.row(), beside));
        let marks = named_marks(&pen, &axes.frame, curves.marks, rows);
        (axes, marks)
    };
    let mut rows = usize::from(!curves.marks.is_empty());
    let (mut axes, mut marks) = lay_out(rows);
    while rows > 0 && rows < 3 && marks.iter().any(|mark| mark.place.is_none()) {
        rows += 1;
        (axes, marks) = lay_out(rows);
    }
    let frame = axes.frame;
    if !axes.is_drawable {
        return Ok(frame);
    }
    draw_bands(&pen, theme, &frame, curves.bands)?;
    axes.draw(&pen, theme)?;
    name_bands(&pen, theme, &frame, curves.bands)?;
    draw_marks(&pen, theme, &frame, &marks)?;
    draw_areas(&pen, theme, &frame, curves.areas)?;

    let bottom = frame.top + frame.height;
    let mut last_tick = f64::NEG_INFINITY;
    for x in curves.ticks.iter().map(|&value| frame.px_of_x(value)).filter(|&x| within(&frame, x)) {
        if x - last_tick >= 2.0 {
            pen.down(x, (bottom - 6.0, bottom), theme.muted)?;
            last_tick = x;
        }
    }

    let mut ends = Vec::with_capacity(curves.series.len());
    for (series, points) in curves.series.iter().zip(&shown) {
        ends.push(draw_line(&pen, theme.ink(series.ink), &frame, series.dashed, points)?);
    }
    if ends.iter().all(Option::is_none) {
        axes.draw_absence(&pen, theme)?;
    }
    if let Some(cursor) = curves.cursor.map(|value| frame.px_of_x(value)).filter(|&x| within(&frame, x)) {
        pen.down(cursor, (frame.top, bottom), theme.text)?;
        for (series, points) in curves.series.iter().zip(&shown) {
            draw_reading(&pen, theme, &frame, theme.ink(series.ink), points, frame.x_at(cursor))?;
        }
    }
    draw_names(&pen, theme, &frame, curves.series, &names, &ends)?;
    Ok(frame)
}

/// CSS pixels between a line's end and its name.
const NAME_GAP: f64 = 8.0;
/// The stroke of dashes as a share of that of what was measured, which is in front.
const THIN: f64 = 0.75;
/// The widest name of a moment as a share of the plot.
const WIDEST_MARK: f64 = 0.6;

fn within(frame: &Frame, x: f64) -> bool {
    x >= frame.left - 0.5 && x <= frame.left + frame.width + 0.5
}

/// The points, with NaN for what has no place on a logarithmic axis.
fn placeable(points: &[(f64, f64)], scale: Scale) -> Cow<'_, [(f64, f64)]> {
    if scale == Scale::Linear || points.iter().all(|point| point.1 > 0.0) {
        return Cow::Borrowed(points);
    }
    points.iter().map(|&(x, y)| (x, if y > 0.0 { y } else { f64::NAN })).collect()
}

/// Draws one line and returns its last visible point in CSS pixels.
fn draw_line<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    color: RGBColor,
    frame: &Frame,
    dashed: bool,
    points: &[(f64, f64)],
) -> Drawn<Option<(f64, f64)>, DB> {
    let pixels: Vec<(f64, f64)> = decimate(points, frame.width as usize, frame.x, frame.x_scale)
        .into_iter()
        .map(|(x, y)| (frame.px_of_x(x), frame.px_of_y(y)))
        .collect();
    let mut end = None;
    for run in clip(&pixels, frame) {
        end = run.last().copied();
        match run.as_slice() {
            &[point] => pen.dot(point, 2.5 * pen.stroke, color)?,
            run if dashed => {
                for dash in dashes(run, 3.0 * pen.stroke) {
                    pen.path_of(THIN * pen.stroke, &dash, color)?;
                }
            }
            run => pen.path(run, color)?,
        }
    }
    Ok(end)
}

/// A dot where the time slider crosses a line, at the logged point nearest to it.
fn draw_reading<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    theme: &Theme,
    frame: &Frame,
    color: RGBColor,
    points: &[(f64, f64)],
    cursor: f64,
) -> Drawn<(), DB> {
    let Some(&(x, y)) = nearest_index(points, cursor).and_then(|index| points.get(index)) else { return Ok(()) };
    let (x, y) = (frame.px_of_x(x), frame.px_of_y(y));
    let inside = y >= frame.top - 1.0 && y <= frame.top + frame.height + 1.0;
    // A line that ended long before the slider has no value there.
    if !inside || (x - frame.px_of_x(cursor)).abs() > 0.1 * frame.width {
        return Ok(());
    }
    pen.dot((x, y), 2.0 * pen.stroke + 1.0, theme.surface)?;
    pen.dot((x, y), 2.0 * pen.stroke, color)
}

/// Names at line ends; where not all fit, those of the first series stay.
fn draw_names<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    theme: &Theme,
    frame: &Frame,
    series: &[Series<'_>],
    names: &[String],
    ends: &[Option<(f64, f64)>],
) -> Drawn<(), DB> {
    let room = (frame.top - pen.row() / 2.0, frame.top + frame.height + pen.row() / 2.0);
    let most = ((room.1 - room.0) / pen.row()) as usize;
    let named: Vec<(usize, (f64, f64))> = ends
        .iter()
        .enumerate()
        .filter_map(|(index, end)| Some((index, (*end)?)))
        .filter(|&(index, _)| !names[index].is_empty())
        .take(most)
        .collect();
    let wanted: Vec<f64> = named.iter().map(|(_, end)| end.1).collect();
    for (&(index, (x, _)), y) in named.iter().zip(spread(&wanted, pen.row(), room)) {
        pen.text(&names[index], (x + NAME_GAP, y), (HPos::Left, VPos::Center), theme.ink(series[index].ink))?;
    }
    Ok(())
}

struct NamedMark {
    x: f64,
    label: String,
    ink: Ink,
    /// Row above the plot and left edge of the name.
    place: Option<(usize, f64)>,
}

fn named_marks<DB: DrawingBackend>(pen: &Pen<'_, DB>, frame: &Frame, marks: &[Mark], rows: usize) -> Vec<NamedMark> {
    let mut named: Vec<NamedMark> = marks
        .iter()
        .map(|mark| (frame.px_of_x(mark.x), mark))
        .filter(|&(x, _)| within(frame, x))
        .map(|(x, mark)| NamedMark { x, label: pen.fit(&mark.label, WIDEST_MARK * frame.width), ink: mark.ink, place: None })
        .collect();
    let sizes: Vec<(f64, f64)> = named.iter().map(|mark| (mark.x, pen.measure(&mark.label))).collect();
    let places = stack(&sizes, rows, pen.font / 2.0, (frame.left, frame.left + frame.width));
    for (mark, place) in named.iter_mut().zip(places) {
        mark.place = place;
    }
    named
}

fn draw_marks<DB: DrawingBackend>(pen: &Pen<'_, DB>, theme: &Theme, frame: &Frame, marks: &[NamedMark]) -> Drawn<(), DB> {
    for mark in marks {
        pen.down(mark.x, (frame.top, frame.top + frame.height), theme.ink(mark.ink))?;
        if let Some((row, left)) = mark.place {
            let bottom = frame.top - 3.0 - row as f64 * pen.row();
            let color = if mark.ink == Ink::Baseline { theme.text } else { theme.ink(mark.ink) };
            pen.text(&mark.label, (left, bottom), (HPos::Left, VPos::Bottom), color)?;
        }
    }
    Ok(())
}
