//! Grid, axis lines and numbers around a plot.
//!
//! Curves and bars share them, so that the same step stands at the same place with the same words in both. The name of the
//! vertical axis lies flat above it, where it can be read; turned text was rejected.

use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{Tick, Ticks, ticks};
use super::pen::{Drawn, Pen};
use super::{Axis, Frame, Surface, Theme};

/// A laid-out pair of axes.
pub(super) struct Axes<'a> {
    /// Where the plot stands.
    pub frame: Frame,
    /// Whether it is large enough to draw in.
    pub is_drawable: bool,
    x: &'a Axis,
    y: &'a Axis,
    x_ticks: Ticks,
    y_ticks: Ticks,
    width: f64,
}

impl<'a> Axes<'a> {
    /// Places a plot on the surface; `above` and `beside` CSS pixels stay free over it and to its right.
    pub fn new<DB: DrawingBackend>(
        pen: &Pen<'_, DB>,
        surface: Surface,
        (x, x_range): (&'a Axis, (f64, f64)),
        (y, y_range): (&'a Axis, (f64, f64)),
        (above, beside): (f64, f64),
    ) -> Self {
        let rows_below = if x.label.is_empty() { 1.0 } else { 2.0 };
        let top = above + if y.label.is_empty() { pen.row() / 2.0 } else { 1.5 * pen.row() + 2.0 };
        let height = surface.height() - top - rows_below * pen.row() - 8.0;
        let y_ticks = ticks(y, y_range, height, pen.row() * 0.8, |_| pen.row());
        let widest = y_ticks.major.iter().map(|tick| pen.measure(&tick.label)).fold(0.0, f64::max);
        let left = widest + 8.0;
        let width = surface.width() - left - beside.max(pen.font / 2.0);
        let x_ticks = ticks(x, x_range, width, pen.font, |label| pen.measure(label));
        let is_drawable = width >= 3.0 * pen.font && height >= 2.0 * pen.font;
        let (left, top) = (pen.snap(left), pen.snap(top));
        let frame = Frame {
            left,
            top,
            width: pen.snap(width).max(1.0),
            height: pen.snap(height).max(1.0),
            x: x_range,
            x_scale: x.scale,
            y: y_range,
            y_scale: y.scale,
        };
        Self { frame, is_drawable, x, y, x_ticks, y_ticks, width: surface.width() }
    }

    /// Puts names under the whole numbers of the horizontal axis, from 0 on: all of them, or every n-th where they would touch.
    pub fn name_slots<DB: DrawingBackend>(&mut self, pen: &Pen<'_, DB>, names: &[String]) {
        let slot = self.frame.width / names.len().max(1) as f64;
        let widest = names.iter().map(|name| pen.measure(name) + pen.font / 2.0).fold(0.0, f64::max);
        let stride = ((widest / slot).ceil() as usize).max(1);
        let tick = |(index, name): (usize, &String)| Tick { value: index as f64, label: name.clone() };
        self.x_ticks = Ticks { major: names.iter().enumerate().step_by(stride).map(tick).collect(), minor: Vec::new() };
    }

    /// Draws grid, axis lines, numbers and names.
    pub fn draw<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>, theme: &Theme) -> Drawn<(), DB> {
        let Frame { left, top, width, height, .. } = self.frame;
        let (right, bottom) = (left + width, top + height);
        for tick in &self.y_ticks.major {
            let y = self.frame.px_of_y(tick.value);
            pen.across((left, right), y, theme.grid)?;
            pen.text(&tick.label, (left - 8.0, y), (HPos::Right, VPos::Center), theme.muted)?;
        }
        pen.across((left, right), bottom, theme.muted)?;
        for &value in &self.x_ticks.minor {
            pen.down(self.frame.px_of_x(value), (bottom, bottom + 3.0), theme.muted)?;
        }
        for tick in &self.x_ticks.major {
            let x = self.frame.px_of_x(tick.value);
            pen.down(x, (bottom, bottom + 5.0), theme.muted)?;
            let half = pen.measure(&tick.label) / 2.0;
            let inside = x.min(self.width - half).max(half);
            pen.text(&tick.label, (inside, bottom + 8.0), (HPos::Center, VPos::Top), theme.muted)?;
        }
        let name = pen.fit(&self.x.label, self.width);
        let half = pen.measure(&name) / 2.0;
        let middle = (left + width / 2.0).min(self.width - half).max(half);
        pen.text(&name, (middle, bottom + 8.0 + pen.row()), (HPos::Center, VPos::Top), theme.muted)?;
        pen.text(&pen.fit(&self.y.label, self.width), (0.0, 2.0), (HPos::Left, VPos::Top), theme.muted)
    }

    /// Says that there is nothing to draw, without alarm.
    pub fn draw_absence<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>, theme: &Theme) -> Drawn<(), DB> {
        let Frame { left, top, width, height, .. } = self.frame;
        pen.text("no data yet", (left + width / 2.0, top + height / 2.0), (HPos::Center, VPos::Center), theme.muted)
    }
}
