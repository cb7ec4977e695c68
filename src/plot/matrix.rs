//! A small matrix whose cells carry their numbers: cosines between checkpoints.
//!
//! Of nine cells a reader wants the values, and a shade alone does not say whether a cosine is .93 or .99. A heat map with
//! optional numbers was rejected: it draws thousands of cells, names no rows and merges neighbours of one shade.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, VPos};

use super::palette::SHADES;
use super::pen::{Drawn, Pen};
use super::{GridFrame, Palette, Surface, Theme};

/// A matrix with its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix<'a> {
    /// Names of the rows, from the top.
    pub row_names: &'a [String],
    /// Names of the columns.
    pub column_names: &'a [String],
    /// `[rows, columns]`, row-major; what is not finite or missing is an empty cell with a dash.
    pub values: &'a [f32],
    /// Values at both ends of the palette.
    pub range: (f32, f32),
    /// Its colours.
    pub palette: Palette,
    /// What rows and columns are.
    pub label: String,
    /// Digits behind the point.
    pub decimals: usize,
}

/// Draws the cells, and says where they stand. Numbers stand in cells that are wide and high enough for them, names where they
/// do not touch.
///
/// # Errors
/// Only what the backend reports; an empty matrix draws "no data yet".
pub fn draw_matrix<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    surface: Surface,
    theme: &Theme,
    matrix: &Matrix<'_>,
) -> Drawn<GridFrame, DB> {
    area.fill(&theme.surface)?;
    let pen = Pen::new(area, surface);
    let (rows, columns) = (matrix.row_names.len(), matrix.column_names.len());
    let widest = matrix.row_names.iter().map(|name| pen.measure(name)).fold(0.0, f64::max);
    let left = (widest + 8.0).min(surface.width() / 3.0);
    let top = pen.row() + 6.0;
    let grid = GridFrame {
        left: pen.snap(left),
        top: pen.snap(top),
        width: pen.snap(surface.width() - left - 1.0).max(1.0),
        height: pen.snap(surface.height() - top - pen.row() - 8.0).max(1.0),
        rows,
        columns,
        origin_top: true,
    };
    let (cell_width, cell_height) = (grid.width / columns.max(1) as f64, grid.height / rows.max(1) as f64);
    if rows == 0 || columns == 0 || cell_height < 2.0 {
        let middle = (surface.width() / 2.0, surface.height() / 2.0);
        pen.text("no data yet", middle, (HPos::Center, VPos::Center), theme.muted)?;
        return Ok(grid);
    }
    let shades = matrix.palette.shades(theme.is_dark);
    let (low, high) = (f64::from(matrix.range.0), f64::from(matrix.range.1));
    for cell in 0..rows * columns {
        let (row, column) = (cell / columns, cell % columns);
        let corner = (grid.left + cell_width * column as f64, grid.top + cell_height * row as f64);
        let opposite = (corner.0 + cell_width - GAP, corner.1 + cell_height - GAP);
        let centre = ((corner.0 + opposite.0) / 2.0, (corner.1 + opposite.1) / 2.0);
        let value = matrix.values.get(cell).copied().filter(|value| value.is_finite());
        let Some(value) = value else {
            pen.text("–", centre, (HPos::Center, VPos::Center), theme.muted)?;
            continue;
        };
        let share = ((f64::from(value) - low) / (high - low)).clamp(0.0, 1.0);
        let shade = (share * (SHADES - 1) as f64).round() as usize;
        pen.fill(corner, opposite, shades[shade.min(SHADES - 1)])?;
        let words = format!("{value:.*}", matrix.decimals);
        if pen.measure(&words) <= cell_width - GAP && pen.row() <= cell_height + 2.0 {
            let is_strong = match matrix.palette {
                Palette::Diverging => (share - 0.5).abs() > STRONG / 2.0,
                Palette::Sequential => share > STRONG,
            };
            pen.text(&words, centre, (HPos::Center, VPos::Center), if is_strong { theme.surface } else { theme.text })?;
        }
    }
    for (row, name) in matrix.row_names.iter().enumerate().filter(|_| cell_height >= 0.9 * pen.font) {
        let y = grid.top + cell_height * (row as f64 + 0.5) - GAP / 2.0;
        pen.text(&pen.fit(name, left - 8.0), (grid.left - 8.0, y), (HPos::Right, VPos::Center), theme.muted)?;
    }
    let broadest = matrix.column_names.iter().map(|name| pen.measure(name) + pen.font / 2.0).fold(0.0, f64::max);
    let stride = ((broadest / cell_width).ceil() as usize).max(1);
    for (column, name) in matrix.column_names.iter().enumerate().step_by(stride) {
        let half = pen.measure(name) / 2.0;
        let x = (grid.left + cell_width * (column as f64 + 0.5)).min(surface.width() - half).max(half);
        pen.text(name, (x, grid.top + grid.height + 4.0), (HPos::Center, VPos::Top), theme.muted)?;
    }
    pen.text(&pen.fit(&matrix.label, surface.width()), (0.0, 2.0), (HPos::Left, VPos::Top), theme.muted)?;
    Ok(grid)
}

/// Pixels between cells.
const GAP: f64 = 2.0;
/// From this share of the way from the palette's pale end on, numbers are in the colour of the surface.
const STRONG: f64 = 0.5;
