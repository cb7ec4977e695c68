//! A matrix as coloured cells: weights, embeddings, latents over sources.
//!
//! Drawn cell by cell, a 113 × 113 matrix is 12,769 calls into the browser and a grid with hairline seams. Here the commonest
//! shade is painted once, neighbours of equal shade become one rectangle, cells share their edges on whole device pixels, and a
//! matrix finer than the screen is reduced first. A pixel-wise image was rejected: the canvas backend draws images one pixel
//! per call.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{Tick, ticks, written};
use super::palette::SHADES;
use super::pen::{Drawn, Pen};
use super::{Axis, GridFrame, NumberFormat, Palette, Scale, Surface, Theme};

/// A matrix as coloured cells.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap<'a> {
    /// Rows of the matrix.
    pub rows: usize,
    /// Columns of the matrix.
    pub columns: usize,
    /// `[rows, columns]`, row-major; what is not finite or missing stays blank.
    pub values: &'a [f32],
    /// Values at both ends of the palette; `None` fits the data (symmetrically for [`Palette::Diverging`]).
    pub range: Option<(f32, f32)>,
    /// Its colours.
    pub palette: Palette,
    /// What the rows are.
    pub row_label: String,
    /// What the columns are.
    pub column_label: String,
    /// Names of the columns; numbers from 0 without them.
    pub column_names: Option<Vec<String>>,
    /// Names of the rows in a saved table, for rows that were sorted; a picture numbers them from 0, which is easier to follow. In
    /// a square matrix whose columns have no names they are those of the columns too.
    pub row_names: Option<Vec<String>>,
    /// A row to outline.
    pub selected_row: Option<usize>,
    /// Whether row 0 is the uppermost, as in a printed matrix.
    pub origin_top: bool,
    /// Whether a colour bar with the range stands beside the cells.
    pub caption_range: bool,
}

/// Draws the cells, and says where they stand. Where cells are finer than CSS pixels, each drawn cell shows the value of largest
/// magnitude among those it covers.
///
/// # Errors
/// Only what the backend reports; an empty matrix draws "no data yet".
pub fn draw_heat_map<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    surface: Surface,
    theme: &Theme,
    map: &HeatMap<'_>,
) -> Result<GridFrame, DrawingAreaErrorKind<DB::ErrorType>> {
    area.fill(&theme.surface)?;
    let pen = Pen::new(area, surface);
    let range = range_of(map);
    let ends = [range.1, range.0].map(|value| written(value, digits_of(range), NumberFormat::Plain));

    let rows_below = if map.column_label.is_empty() { 1.0 } else { 2.0 };
    let top = if map.row_label.is_empty() { 4.0 } else { pen.row() + 6.0 };
    let height = surface.height() - top - rows_below * pen.row() - 8.0;
    let row_ticks = ticks(&cells_axis(), (-0.5, map.rows as f64 - 0.5), height, 0.8 * pen.row(), |_| pen.row());
    let left = row_ticks.major.iter().map(|tick| pen.measure(&tick.label)).fold(0.0, f64::max) + 6.0;
    let beside = if map.caption_range {
        BAR_GAP + BAR_WIDTH + 4.0 + ends.iter().map(|end| pen.measure(end)).fold(0.0, f64::max)
    } else {
        pen.font / 2.0
    };
    let width = surface.width() - left - beside;
    let grid = GridFrame {
        left: pen.snap(left),
        top: pen.snap(top),
        width: pen.snap(width).max(1.0),
        height: pen.snap(height).max(1.0),
        rows: map.rows,
        columns: map.columns,
        origin_top: map.origin_top,
    };
    if width < 2.0 * pen.font || height < 2.0 * pen.font {
        return Ok(grid);
    }
    let shades = map.palette.shades(theme.is_dark);
    let is_empty = !map.values.iter().take(map.rows * map.columns).any(|value| value.is_finite());
    if is_empty {
        let middle = (grid.left + grid.width / 2.0, grid.top + grid.height / 2.0);
        pen.text("no data yet", middle, (HPos::Center, VPos::Center), theme.muted)?;
    } else {
        draw_cells(&pen, theme, &grid, &shades, map, range)?;
        draw_row_numbers(&pen, theme, &grid, &row_ticks.major)?;
        draw_column_names(&pen, theme, &grid, map, surface.width())?;
        if map.caption_range {
            draw_color_bar(&pen, theme, &grid, &shades, &ends)?;
        }
    }
    pen.text(&pen.fit(&map.row_label, surface.width()), (0.0, 2.0), (HPos::Left, VPos::Top), theme.muted)?;
    let name = pen.fit(&map.column_label, surface.width());
    let half = pen.measure(&name) / 2.0;
    let centre = (grid.left + grid.width / 2.0).min(surface.width() - half).max(half);
    let below = grid.top + grid.height + 6.0 + pen.row();
    pen.text(&name, (centre, below), (HPos::Center, VPos::Top), theme.muted)?;
    Ok(grid)
}

const BAR_GAP: f64 = 14.0;
const BAR_WIDTH: f64 = 10.0;

fn cells_axis() -> Axis {
    Axis::count("", Scale::Linear)
}

fn range_of(map: &HeatMap<'_>) -> (f64, f64) {
    if let Some((low, high)) = map.range
        && low < high
        && low.is_finite()
        && high.is_finite()
    {
        return (f64::from(low), f64::from(high));
    }
    let finite = || map.values.iter().filter(|value| value.is_finite()).map(|&value| f64::from(value));
    let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (value.min(low), value.max(high)));
    match map.palette {
        Palette::Diverging => {
            let most = low.abs().max(high.abs());
            if most > 0.0 && most.is_finite() { (-most, most) } else { (-1.0, 1.0) }
        }
        Palette::Sequential if low < high => (low, high),
        Palette::Sequential if low == high && low != 0.0 => (low.min(0.0), low.max(0.0)),
        Palette::Sequential => (0.0, 1.0),
    }
}

/// The step that leaves two digits of the range.
fn digits_of((low, high): (f64, f64)) -> f64 {
    10f64.powf((high - low).log10().floor() - 1.0)
}

/// Shade of a value; blank where it is not finite.
fn shade_of(value: f32, (low, high): (f64, f64)) -> Option<u8> {
    let share = (f64::from(value) - low) / (high - low);
    value.is_finite().then(|| (share.clamp(0.0, 1.0) * (SHADES - 1) as f64).round() as u8)
}

fn draw_cells<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    theme: &Theme,
    grid: &GridFrame,
    shades: &[RGBColor; SHADES],
    map: &HeatMap<'_>,
    range: (f64, f64),
) -> Drawn<(), DB> {
    let (rows, columns) = (map.rows.min(grid.height as usize), map.columns.min(grid.width as usize));
    let mut cells: Vec<Option<u8>> = Vec::with_capacity(rows * columns);
    for row in 0..rows {
        for column in 0..columns {
            cells.push(shade_of(strongest(map, (row, rows), (column, columns)), range));
        }
    }
    let mut counts = [0usize; SHADES + 1];
    let slot = |shade: Option<u8>| shade.map_or(SHADES, usize::from);
    for &shade in &cells {
        counts[slot(shade)] += 1;
    }
    let commonest = (0..=SHADES).max_by_key(|&slot| counts[slot]).unwrap_or(SHADES);
    let paint = |slot: usize| shades.get(slot).copied().unwrap_or(theme.surface);

    let (right, bottom) = (grid.left + grid.width, grid.top + grid.height);
    pen.fill((grid.left, grid.top), (right, bottom), paint(commonest))?;
    for (row, line) in cells.chunks(columns.max(1)).enumerate() {
        let from_top = if map.origin_top { row } else { rows - 1 - row };
        let edge = |index: usize| grid.top + grid.height * index as f64 / rows as f64;
        let mut start = 0;
        for run in line.chunk_by(|a, b| a == b) {
            let end = start + run.len();
            if slot(run[0]) != commonest {
                let side = |index: usize| grid.left + grid.width * index as f64 / columns as f64;
                pen.fill((side(start), edge(from_top)), (side(end), edge(from_top + 1)), paint(slot(run[0])))?;
            }
            start = end;
        }
    }
    let Some(row) = map.selected_row.filter(|&row| row < map.rows) else { return Ok(()) };
    let from_top = if map.origin_top { row } else { map.rows - 1 - row } as f64;
    let above = grid.top + grid.height * from_top / map.rows as f64;
    let below = grid.top + grid.height * (from_top + 1.0) / map.rows as f64;
    // Twice: dark on light cells, light on dark ones.
    for (outset, color) in [(3.0, theme.surface), (2.0, theme.text)] {
        let (x0, x1, y0, y1) = (grid.left - outset, right + outset, above - outset, below + outset);
        pen.fill((x0, y0), (x1, above - outset + 2.0), color)?;
        pen.fill((x0, below + outset - 2.0), (x1, y1), color)?;
        pen.fill((x0, y0), (x0 + 2.0, y1), color)?;
        pen.fill((x1 - 2.0, y0), (x1, y1), color)?;
    }
    Ok(())
}

/// The value of largest magnitude in the block of the matrix that drawn cell (`row` of `rows`, `column` of `columns`) covers.
fn strongest(map: &HeatMap<'_>, (row, rows): (usize, usize), (column, columns): (usize, usize)) -> f32 {
    let block = |index: usize, drawn: usize, all: usize| index * all / drawn..(index + 1) * all / drawn;
    let mut strongest = f32::NAN;
    for row in block(row, rows, map.rows) {
        for column in block(column, columns, map.columns) {
            let value = map.values.get(row * map.columns + column).copied().unwrap_or(f32::NAN);
            if value.is_finite() && (strongest.is_nan() || value.abs() > strongest.abs()) {
                strongest = value;
            }
        }
    }
    strongest
}

fn draw_row_numbers<DB: DrawingBackend>(pen: &Pen<'_, DB>, theme: &Theme, grid: &GridFrame, ticks: &[Tick]) -> Drawn<(), DB> {
    for tick in ticks {
        let from_top = if grid.origin_top { tick.value } else { grid.rows as f64 - 1.0 - tick.value };
        let y = grid.top + grid.height * (from_top + 0.5) / grid.rows as f64;
        pen.text(&tick.label, (grid.left - 6.0, y), (HPos::Right, VPos::Center), theme.muted)?;
    }
    Ok(())
}

fn draw_column_names<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    theme: &Theme,
    grid: &GridFrame,
    map: &HeatMap<'_>,
    width: f64,
) -> Drawn<(), DB> {
    let named = |label: &str, column: f64| {
        let half = pen.measure(label) / 2.0;
        let x = (grid.left + grid.width * (column + 0.5) / grid.columns as f64).min(width - half).max(half);
        pen.text(label, (x, grid.top + grid.height + 6.0), (HPos::Center, VPos::Top), theme.muted)
    };
    match &map.column_names {
        Some(names) => {
            let cell = grid.width / grid.columns as f64;
            let widest = names.iter().take(grid.columns).map(|name| pen.measure(name) + pen.font / 2.0).fold(0.0, f64::max);
            // Every n-th name, so that those that stand do not touch.
            let stride = ((widest / cell).ceil() as usize).max(1);
            // A column called 0 has its name: signed numbers are read from there.
            let first = names.iter().position(|name| name == "0").unwrap_or(0) % stride;
            for (column, name) in names.iter().enumerate().take(grid.columns).skip(first).step_by(stride) {
                named(name, column as f64)?;
            }
        }
        None => {
            let range = (-0.5, grid.columns as f64 - 0.5);
            for tick in ticks(&cells_axis(), range, grid.width, pen.font, |label| pen.measure(label)).major {
                named(&tick.label, tick.value)?;
            }
        }
    }
    Ok(())
}

fn draw_color_bar<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    theme: &Theme,
    grid: &GridFrame,
    shades: &[RGBColor; SHADES],
    [high, low]: &[String; 2],
) -> Drawn<(), DB> {
    let left = grid.left + grid.width + BAR_GAP;
    let height = grid.height.min(12.0 * pen.font);
    let edge = |index: usize| grid.top + height * index as f64 / SHADES as f64;
    for (index, &shade) in shades.iter().rev().enumerate() {
        pen.fill((left, edge(index)), (left + BAR_WIDTH, edge(index + 1)), shade)?;
    }
    let beside = left + BAR_WIDTH + 4.0;
    pen.text(high, (beside, grid.top), (HPos::Left, VPos::Top), theme.muted)?;
    pen.text(low, (beside, grid.top + height), (HPos::Left, VPos::Bottom), theme.muted)
}
