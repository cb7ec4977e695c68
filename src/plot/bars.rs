//! One bar per index: the Fourier spectrum of an embedding, norms of latents.
//!
//! A network that has grokked uses few frequencies, so a handful of bars carry the whole story: those are coloured and numbered
//! on the bar, the others stay quiet. Numbering all of them was rejected.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, VPos};

use super::axes::Axes;
use super::pen::Pen;
use super::{Axis, Frame, Scale, Surface, Theme};

/// One bar per index.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars<'a> {
    /// Heights; what is not finite has no bar.
    pub values: &'a [f32],
    /// The index (frequency) of the first bar.
    pub first_index: usize,
    /// What the index is.
    pub x_label: String,
    /// What the height is.
    pub y_label: String,
    /// Indices drawn in the accent colour and numbered.
    pub highlight: &'a [u32],
}

/// Draws the bars, and says where the plot stands: bar `i` is centred on x = `first_index + i`.
///
/// # Errors
/// Only what the backend reports; no values draw axes and "no data yet".
pub fn draw_bars<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    surface: Surface,
    theme: &Theme,
    bars: &Bars<'_>,
) -> Result<Frame, DrawingAreaErrorKind<DB::ErrorType>> {
    area.fill(&theme.surface)?;
    let pen = Pen::new(area, surface);
    let first = bars.first_index as f64;
    let x = Axis::count(&bars.x_label, Scale::Linear);
    let y = Axis::linear(&bars.y_label);
    let finite: Vec<(f64, f64)> = (0..)
        .zip(bars.values)
        .filter(|(_, value)| value.is_finite())
        .map(|(index, &value)| (first + f64::from(index), f64::from(value)))
        .collect();
    let x_range = (first - 0.5, first + bars.values.len().max(1) as f64 - 0.5);
    let y_range = y.span_y(finite.iter().map(|bar| bar.1).chain(finite.first().map(|_| 0.0)));
    let above = if bars.highlight.is_empty() { 0.0 } else { pen.row() / 2.0 };
    let axes = Axes::new(&pen, surface, (&x, x_range), (&y, y_range), (above, 0.0));
    let frame = axes.frame;
    if !axes.is_drawable {
        return Ok(frame);
    }
    axes.draw(&pen, theme)?;
    if finite.is_empty() {
        axes.draw_absence(&pen, theme)?;
        return Ok(frame);
    }
    let is_highlighted = |index: f64| bars.highlight.iter().any(|&wanted| f64::from(wanted) == index);
    let ground = frame.px_of_y(0.0).clamp(frame.top, frame.top + frame.height);
    let slot = frame.width / bars.values.len() as f64;
    let half = if slot >= 4.0 { (0.38 * slot).min(20.0) } else { slot / 2.0 };
    for &(index, value) in &finite {
        let (x, y) = (frame.px_of_x(index), frame.px_of_y(value).clamp(frame.top, frame.top + frame.height));
        let color = if is_highlighted(index) { theme.accent } else { theme.baseline };
        if y != ground {
            pen.fill((x - half, y.min(ground)), (x + half, y.max(ground)), color)?;
        }
    }

    // The tallest are numbered first; what would touch a number that already stands is left to the axis.
    let mut named: Vec<(f64, f64)> = finite.iter().copied().filter(|bar| is_highlighted(bar.0)).collect();
    named.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut taken: Vec<(f64, f64, f64)> = Vec::new();
    for (index, value) in named {
        let words = format!("{index}");
        let (x, y, width) = (frame.px_of_x(index), frame.px_of_y(value.max(0.0)) - 3.0, pen.measure(&words));
        let is_free = |&(other_x, other_y, other_width): &(f64, f64, f64)| {
            (x - other_x).abs() >= (width + other_width) / 2.0 + 2.0 || (y - other_y).abs() >= pen.row()
        };
        // Over a taller neighbour a number of the same colour could not be read.
        let is_under = |&(other, height): &(f64, f64)| {
            other != index && frame.px_of_y(height) < y && (frame.px_of_x(other) - x).abs() < half + width / 2.0
        };
        if taken.iter().all(is_free) && !finite.iter().any(is_under) {
            pen.text(&words, (x, y), (HPos::Center, VPos::Bottom), theme.accent)?;
            taken.push((x, y, width));
        }
    }
    Ok(frame)
}
