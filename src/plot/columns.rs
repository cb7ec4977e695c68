//! Columns that stand over stretches of an axis or over names: histograms, births by checkpoint, one number per checkpoint.
//!
//! [`super::Bars`] have an index and one colour; a histogram has edges, and its columns are made of groups. Groups lie on each
//! other, so that the whole is seen, or side by side where they do not add up. A logarithmic axis of counts begins at 0 (see
//! [`Scale`]), so that a single latent beside a thousand still shows.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, VPos};

use super::axes::Axes;
use super::axis::written;
use super::guide::{draw_guides, draw_key, key_height};
use super::pen::{Drawn, Pen};
use super::{Axis, Frame, Guide, Ink, Key, NumberFormat, Scale, Surface, Theme};

/// One group of every column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layer<'a> {
    /// Its name; may be empty where there is only one.
    pub label: &'a str,
    /// What its colour stands for.
    pub ink: Ink,
    /// Its part of each column; what is not finite has none.
    pub values: &'a [f64],
}

/// Where columns stand.
#[derive(Debug, Clone, PartialEq)]
pub enum Slots<'a> {
    /// From and to on the x axis, ascending.
    Edges(&'a [(f64, f64)]),
    /// One after another, each over its name.
    Names(&'a [String]),
}

impl Slots<'_> {
    /// From and to of a column.
    fn place(&self, index: usize) -> Option<(f64, f64)> {
        match self {
            Self::Edges(edges) => edges.get(index).copied(),
            Self::Names(names) => (index < names.len()).then_some((index as f64 - 0.5, index as f64 + 0.5)),
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Edges(edges) => edges.len(),
            Self::Names(names) => names.len(),
        }
    }
}

/// Columns over an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns<'a> {
    /// Where they stand.
    pub slots: Slots<'a>,
    /// Groups, the lowest (leftmost) first.
    pub layers: &'a [Layer<'a>],
    /// Whether the groups stand side by side instead of on each other.
    pub beside: bool,
    /// Whether each column (each group, side by side) carries its number.
    pub numbered: bool,
    /// What the columns stand over.
    pub x: Axis,
    /// What they are as high as; its range always holds 0.
    pub y: Axis,
    /// Values that decide something.
    pub guides: &'a [Guide<'a>],
}

/// A column that has a name is at most as wide, CSS pixels.
const WIDEST: f64 = 64.0;

/// A part of a column.
struct Piece {
    /// From and to of its column on the axis.
    slot: (f64, f64),
    /// Which of how many that stand side by side.
    part: (usize, usize),
    /// From and to in height.
    height: (f64, f64),
    ink: Ink,
    /// The number it carries, where it is the uppermost.
    number: Option<f64>,
}

/// Draws the columns, and says where the plot stands. With [`Slots::Names`], column `i` is centred on x = `i`.
///
/// # Errors
/// Only what the backend reports; without a column it draws axes and "no data yet".
pub fn draw_columns<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    surface: Surface,
    theme: &Theme,
    columns: &Columns<'_>,
) -> Result<Frame, DrawingAreaErrorKind<DB::ErrorType>> {
    area.fill(&theme.surface)?;
    let pen = Pen::new(area, surface);
    let pieces = pieces(columns);
    let heights = || pieces.iter().flat_map(|piece| [piece.height.0, piece.height.1]).chain([0.0]);
    let (low, high) = heights().fold((0.0, 0.0), |(low, high): (f64, f64), value| (low.min(value), high.max(value)));
    let given = columns.y.range.unwrap_or((low, high));
    let air = if columns.y.scale == Scale::Log { 1.25 } else { 1.04 };
    let y_range = (given.0.min(0.0), if given.1 > given.0.min(0.0) { air * given.1 } else { 1.0 });
    let x_range = match &columns.slots {
        Slots::Edges(edges) => columns.x.span_x(edges.iter().flat_map(|edge| [edge.0, edge.1])),
        Slots::Names(names) => (-0.5, names.len().max(1) as f64 - 0.5),
    };
    let keys: Vec<Key<'_>> = columns.layers.iter().map(|layer| Key { ink: layer.ink, label: layer.label }).collect();
    let own_row = if columns.numbered { pen.row() } else { 0.0 };
    let above = key_height(&pen, &keys, surface.width());
    let mut axes = Axes::new(&pen, surface, (&columns.x, x_range), (&columns.y, y_range), (above + own_row, 0.0));
    if let Slots::Names(names) = columns.slots {
        axes.name_slots(&pen, names);
    }
    let frame = axes.frame;
    if !axes.is_drawable {
        return Ok(frame);
    }
    axes.draw(&pen, theme)?;
    draw_key(&pen, theme, &keys, (frame.top - own_row - above, surface.width()))?;
    if pieces.is_empty() {
        axes.draw_absence(&pen, theme)?;
    }
    let bottom = frame.top + frame.height;
    let row_of = |value: f64| frame.px_of_y(value).clamp(frame.top, bottom);
    let is_named = matches!(columns.slots, Slots::Names(_));
    for piece in &pieces {
        let (left, right) = inner(&frame, piece, is_named);
        let (from, to) = (row_of(piece.height.0), row_of(piece.height.1));
        if from != to && left.is_finite() && right.is_finite() {
            pen.fill((left, from.min(to)), (right, from.max(to)), theme.ink(piece.ink))?;
        }
    }
    draw_guides(&pen, theme, &frame, columns.guides)?;
    draw_numbers(&pen, theme, &frame, columns, &pieces)?;
    Ok(frame)
}

/// Left and right edge in CSS pixels, with a little air between neighbours and more between columns that have names.
fn inner(frame: &Frame, piece: &Piece, is_named: bool) -> (f64, f64) {
    let (part, of) = (piece.part.0 as f64, piece.part.1.max(1) as f64);
    let (x0, x1) = (frame.px_of_x(piece.slot.0).max(frame.left), frame.px_of_x(piece.slot.1).min(frame.left + frame.width));
    let half = if is_named { (0.4 * (x1 - x0)).min(WIDEST / 2.0 * of) } else { (x1 - x0) / 2.0 };
    let (start, width) = ((x0 + x1) / 2.0 - half, 2.0 * half / of);
    let air = if width >= 4.0 { 0.75 } else { 0.0 };
    (start + part * width + air, start + (part + 1.0) * width - air)
}

fn pieces(columns: &Columns<'_>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for slot in 0..columns.slots.count() {
        let Some((from, to)) = columns.slots.place(slot) else { continue };
        let value = |layer: &Layer<'_>| layer.values.get(slot).copied().filter(|value| value.is_finite());
        if columns.beside {
            for (place, layer) in columns.layers.iter().enumerate() {
                let Some(value) = value(layer) else { continue };
                let part = (place, columns.layers.len());
                pieces.push(Piece { slot: (from, to), part, height: (0.0, value), ink: layer.ink, number: Some(value) });
            }
        } else {
            let mut ground = 0.0;
            let first = pieces.len();
            for layer in columns.layers {
                let Some(value) = value(layer).filter(|value| *value != 0.0) else { continue };
                let height = (ground, ground + value);
                pieces.push(Piece { slot: (from, to), part: (0, 1), height, ink: layer.ink, number: None });
                ground += value;
            }
            if pieces.len() > first
                && let Some(top) = pieces.last_mut()
            {
                top.number = Some(ground);
            }
        }
    }
    pieces
}

fn draw_numbers<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    theme: &Theme,
    frame: &Frame,
    columns: &Columns<'_>,
    pieces: &[Piece],
) -> Drawn<(), DB> {
    if !columns.numbered {
        return Ok(());
    }
    let largest = pieces.iter().filter_map(|piece| piece.number).fold(0.0, |most: f64, value| most.max(value.abs()));
    let digits = |significant: f64| match columns.y.format {
        NumberFormat::Count => 1.0,
        NumberFormat::Percent => 0.01,
        NumberFormat::Plain if largest > 0.0 => 10f64.powf(largest.log10().floor() + 1.0 - significant),
        NumberFormat::Plain => 0.01,
    };
    let is_named = matches!(columns.slots, Slots::Names(_));
    let mut end = f64::NEG_INFINITY;
    for piece in pieces {
        let Some(value) = piece.number else { continue };
        let (left, right) = inner(frame, piece, is_named);
        // A number wider than its column gives up a digit, so that it does not run over a taller neighbour.
        let full = written(value, digits(3.0), columns.y.format);
        let is_wide = pen.measure(&full) > right - left + 4.0;
        let words = if is_wide { written(value, digits(2.0), columns.y.format) } else { full };
        let (x, half) = ((left + right) / 2.0, pen.measure(&words) / 2.0);
        let y = frame.px_of_y(value.max(0.0)).clamp(frame.top, frame.top + frame.height) - 3.0;
        if x - half >= end {
            pen.text(&words, (x, y), (HPos::Center, VPos::Bottom), theme.text)?;
            end = x + half + 2.0;
        }
    }
    Ok(())
}

/// A logarithmic axis of counts that begins at 0.
pub fn log_counts(label: impl Into<String>) -> Axis {
    Axis { format: NumberFormat::Count, scale: Scale::Log, ..Axis::linear(label) }
}

#[cfg(test)]
mod tests {
    use super::super::recorder::{Drawing, record};
    use super::*;

    const DESK: Surface = Surface { width_px: 800, height_px: 400, pixel_ratio: 1.0, large: false };

    fn figure<'a>(slots: Slots<'a>, layers: &'a [Layer<'a>]) -> Columns<'a> {
        let (x, y) = (Axis::linear("share"), Axis::count("latents", Scale::Linear));
        Columns { slots, layers, beside: false, numbered: true, x, y, guides: &[] }
    }

    type Filled = ((i32, i32), (i32, i32), (u8, u8, u8));

    fn draw(columns: &Columns<'_>) -> (Frame, Vec<Filled>, Vec<String>) {
        let (frame, drawings) = record(DESK, |area| draw_columns(area, DESK, &Theme::light(), columns).unwrap());
        let of_ink = |color: (u8, u8, u8)| {
            columns.layers.iter().any(|layer| {
                let ink = Theme::light().ink(layer.ink);
                (ink.0, ink.1, ink.2) == color
            })
        };
        let fills = drawings.iter().filter_map(|drawing| match drawing {
            Drawing::Fill { from, to, color } if of_ink(*color) => Some((*from, *to, *color)),
            _ => None,
        });
        let words = drawings.iter().filter_map(|drawing| match drawing {
            Drawing::Text { words, .. } => Some(words.clone()),
            _ => None,
        });
        (frame, fills.collect(), words.collect())
    }

    #[test]
    fn groups_lie_on_each_other_and_the_column_carries_their_sum() {
        let layers = [
            Layer { label: "emergent", ink: Ink::Accent, values: &[3.0, 0.0] },
            Layer { label: "transient", ink: Ink::Test, values: &[1.0, f64::NAN] },
        ];
        let (frame, fills, words) = draw(&figure(Slots::Edges(&[(0.0, 0.5), (0.5, 1.0)]), &layers));
        assert_eq!(fills.len(), 2, "nothing is drawn for 0 and for what is not a number");
        let (lower, upper) = (fills[0], fills[1]);
        assert_eq!(upper.1.1, lower.0.1, "the upper stands on the lower: {fills:?}");
        assert_eq!(lower.1.1, (frame.top + frame.height).round() as i32);
        assert!((f64::from(lower.1.1 - lower.0.1) / f64::from(upper.1.1 - upper.0.1) - 3.0).abs() < 0.1);
        for expected in ["4", "emergent", "transient", "share", "latents"] {
            assert!(words.iter().any(|word| word == expected), "{expected} is missing in {words:?}");
        }
    }

    #[test]
    fn one_of_a_thousand_still_shows_on_a_logarithmic_axis() {
        let layers = [Layer { label: "", ink: Ink::Accent, values: &[1000.0, 1.0] }];
        let y = log_counts("latents");
        let (_, fills, _) = draw(&Columns { y, ..figure(Slots::Edges(&[(0.0, 0.5), (0.5, 1.0)]), &layers) });
        assert!(fills[1].1.1 - fills[1].0.1 > 20, "{fills:?}");
    }

    #[test]
    fn groups_side_by_side_do_not_touch_the_next_column_and_reach_below_zero() {
        let names = ["250".to_owned(), "1,000".to_owned()];
        let layers = [
            Layer { label: "train", ink: Ink::Train, values: &[0.5, -0.2] },
            Layer { label: "test", ink: Ink::Test, values: &[0.25, 0.1] },
        ];
        let y = Axis::linear("change of the loss");
        let (frame, fills, words) = draw(&Columns { beside: true, y, ..figure(Slots::Names(&names), &layers) });
        assert_eq!(fills.len(), 4);
        let mut sorted = fills.clone();
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|pair| pair[0].1.0 <= pair[1].0.0), "{fills:?}");
        let zero = frame.px_of_y(0.0).round() as i32;
        assert!(fills.iter().any(|fill| fill.0.1 == zero) && fills.iter().any(|fill| fill.1.1 == zero), "{fills:?} {zero}");
        assert!(words.contains(&"250".to_owned()) && words.contains(&"1,000".to_owned()), "{words:?}");
    }

    #[test]
    fn without_columns_it_says_so() {
        let (_, fills, words) = draw(&figure(Slots::Edges(&[]), &[]));
        assert!(fills.is_empty() && words.contains(&"no data yet".to_owned()), "{words:?}");
    }
}
