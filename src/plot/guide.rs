//! Thin lines at values that decide something, and the names of colours inside a figure.
//!
//! A threshold that stands only in the caption is not seen in the picture, and a key that stands only on the page is lost when the
//! figure is saved. Both are drawn here, so that points, columns and flows say them alike.

use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, VPos};

use super::pen::{Drawn, Pen};
use super::{Frame, Ink, Theme};

/// A value that decides something, as a thin dashed line across the plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Guide<'a> {
    /// An x, with its name at the top.
    X(f64, &'a str),
    /// A y, with its name at the left.
    Y(f64, &'a str),
}

/// A colour and what it stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Key<'a> {
    /// The colour.
    pub ink: Ink,
    /// Its name; empty names are not written.
    pub label: &'a str,
}

/// Draws what lies inside the plot.
pub(super) fn draw_guides<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    theme: &Theme,
    frame: &Frame,
    guides: &[Guide<'_>],
) -> Drawn<(), DB> {
    let (right, bottom) = (frame.left + frame.width, frame.top + frame.height);
    let starts = |from: f64, to: f64| (0..).map(move |index| from + 8.0 * f64::from(index)).take_while(move |at| *at < to);
    for guide in guides {
        match *guide {
            Guide::X(value, name) => {
                let x = frame.px_of_x(value);
                if x.is_finite() && x >= frame.left && x <= right {
                    for y in starts(frame.top, bottom) {
                        pen.down(x, (y, (y + 4.0).min(bottom)), theme.muted)?;
                    }
                    let (across, place) =
                        if x + 4.0 + pen.measure(name) > right { (HPos::Right, x - 4.0) } else { (HPos::Left, x + 4.0) };
                    pen.text(name, (place, frame.top), (across, VPos::Top), theme.muted)?;
                }
            }
            Guide::Y(value, name) => {
                let y = frame.px_of_y(value);
                if y.is_finite() && y >= frame.top && y <= bottom {
                    for x in starts(frame.left, right) {
                        pen.across((x, (x + 4.0).min(right)), y, theme.muted)?;
                    }
                    pen.text(name, (frame.left + 4.0, y - 2.0), (HPos::Left, VPos::Bottom), theme.muted)?;
                }
            }
        }
    }
    Ok(())
}

/// Radius of a key's dot and what lies around it, CSS pixels.
const DOT: f64 = 4.0;
const GAP: f64 = 14.0;

/// Names in rows of at most `width` CSS pixels: each row its names and where they begin.
fn key_rows<'a, DB: DrawingBackend>(pen: &Pen<'_, DB>, keys: &[Key<'a>], width: f64) -> Vec<Vec<(Key<'a>, f64)>> {
    let mut rows: Vec<Vec<(Key<'a>, f64)>> = Vec::new();
    let mut end = f64::INFINITY;
    for key in keys.iter().filter(|key| !key.label.is_empty()) {
        let own = 2.0 * DOT + 5.0 + pen.measure(key.label);
        if end + GAP + own > width {
            rows.push(Vec::new());
            end = -GAP;
        }
        if let Some(row) = rows.last_mut() {
            row.push((*key, end + GAP));
        }
        end += GAP + own;
    }
    rows
}

/// CSS pixels that a key takes above a plot.
pub(super) fn key_height<DB: DrawingBackend>(pen: &Pen<'_, DB>, keys: &[Key<'_>], width: f64) -> f64 {
    let rows = key_rows(pen, keys, width).len();
    if rows == 0 { 0.0 } else { rows as f64 * pen.row() + 6.0 }
}

/// Draws a key from `top` down, over the whole surface; it is as high as [`key_height`] says.
pub(super) fn draw_key<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    theme: &Theme,
    keys: &[Key<'_>],
    (top, width): (f64, f64),
) -> Drawn<(), DB> {
    for (row, entries) in (0..).zip(key_rows(pen, keys, width)) {
        let middle = top + (f64::from(row) + 0.5) * pen.row();
        for (key, left) in entries {
            pen.dot((left + DOT, middle), DOT, theme.ink(key.ink))?;
            pen.text(key.label, (left + 2.0 * DOT + 5.0, middle), (HPos::Left, VPos::Center), theme.text)?;
        }
    }
    Ok(())
}
