//! Functions of the pair (a, b) as a square: activations, margins, attention.

use crate::experiment::Experiment;
use crate::plot::{HeatMap, Palette};
use crate::task::Dataset;

/// Where the rows of a task lie on the square of tokens.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Pairs {
    /// Tokens.
    pub(super) side: usize,
    /// Cell of each row.
    cells: Vec<usize>,
}

impl Pairs {
    /// Of an experiment; empty if it has no rows.
    pub(super) fn of(experiment: &Experiment) -> Self {
        Self::of_rows(&Dataset::new(&experiment.task, experiment.seed).unwrap_or_default())
    }

    /// Of rows, whoever made them; empty if they have no tokens.
    pub(super) fn of_rows(data: &Dataset) -> Self {
        let side = data.sizes.tokens as usize;
        Self { side, cells: data.rows.iter().map(|row| usize::from(row.a) * side + usize::from(row.b)).collect() }
    }

    /// A value per row as a square; what is no row, as a division by zero, stays blank. Empty without values.
    pub(super) fn square(&self, values: &[f32]) -> Vec<f32> {
        if values.is_empty() || self.side == 0 {
            return Vec::new();
        }
        let mut square = vec![f32::NAN; self.side * self.side];
        for (cell, value) in self.cells.iter().zip(values) {
            square[*cell] = *value;
        }
        square
    }
}

/// The heat map of a [`Pairs::square`].
pub(super) fn pair_map(square: &[f32], palette: Palette) -> HeatMap<'_> {
    let side = square.len().isqrt();
    HeatMap {
        rows: side,
        columns: side,
        values: square,
        range: None,
        palette,
        row_label: "a".into(),
        column_label: "b".into(),
        column_names: None,
        row_names: None,
        selected_row: None,
        origin_top: true,
        caption_range: true,
    }
}
