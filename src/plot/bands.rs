//! Named stretches behind the lines: the phases of a run.
//!
//! "Circuit formation" has a beginning and an end, and two marks would leave the reader to find out which side is meant. A
//! stretch is a pale ground from top to bottom with its name inside, so that the lines in front stay what one looks at.
//! Brackets above the plot were rejected: that is where moments are named.

use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, VPos};

use super::pen::{Drawn, Pen};
use super::{Frame, Ink, Theme};

/// A stretch of the x axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Where it begins; what lies before the plot is cut.
    pub from: f64,
    /// Where it ends; infinite if it goes on.
    pub to: f64,
    /// Its name, written at the top of it; may be empty.
    pub label: String,
    /// What its colour stands for; it is drawn much paler.
    pub ink: Ink,
}

/// Fewer letters than these and a … say nothing.
const LEAST_LETTERS: usize = 4;

/// Fills the grounds and writes their names; to be called before anything else is drawn in the frame.
pub(super) fn draw_bands<DB: DrawingBackend>(pen: &Pen<'_, DB>, theme: &Theme, frame: &Frame, bands: &[Band]) -> Drawn<(), DB> {
    for (band, (left, right)) in bands.iter().filter_map(|band| Some((band, place(frame, band)?))) {
        pen.fill((left, frame.top), (right, frame.top + frame.height), theme.pale(band.ink))?;
    }
    Ok(())
}

/// Names at the top of the stretches, shortened to their width; where only a few letters would fit there is none.
pub(super) fn name_bands<DB: DrawingBackend>(pen: &Pen<'_, DB>, theme: &Theme, frame: &Frame, bands: &[Band]) -> Drawn<(), DB> {
    for (band, (left, right)) in bands.iter().filter_map(|band| Some((band, place(frame, band)?))) {
        let name = pen.fit(&band.label, right - left - 8.0);
        let is_cut = name.ends_with('…') && !band.label.ends_with('…');
        if !is_cut || name.chars().count() > LEAST_LETTERS {
            pen.text(&name, ((left + right) / 2.0, frame.top + 5.0), (HPos::Center, VPos::Top), theme.muted)?;
        }
    }
    Ok(())
}

/// Left and right edge within the plot; `None` for what has no width there.
fn place(frame: &Frame, band: &Band) -> Option<(f64, f64)> {
    // A comparison with NaN is false, so that a stretch without an end is none.
    let is_inside = band.from < band.to && band.from < frame.x.1 && band.to > frame.x.0;
    let (left, right) = (frame.px_of_x(band.from.max(frame.x.0)), frame.px_of_x(band.to.min(frame.x.1)));
    (is_inside && right > left).then_some((left, right))
}
