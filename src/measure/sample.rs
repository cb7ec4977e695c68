//! A manageable part of an activation, for measures that cost the square or cube of its size.
//!
//! A matrix of 12,769 rows and 512 neurons takes seconds per checkpoint where hundredths are wanted. The same rows and neurons
//! have to be drawn at every checkpoint, or the curve over checkpoints shows the draw; so they depend on the seed and the sizes
//! alone.

use super::facts::{Facts, Grid, penultimate};
use crate::crosscoder::Hook;
use crate::experiment::Experiment;
use crate::experiment::randomness::{Purpose, Stream};
use crate::record::UserError;
use nalgebra::DMatrix;

/// Most rows that are used.
pub(super) const ROWS: usize = 2000;
/// Most neurons that are used.
pub(super) const NEURONS: usize = 256;

/// Rows of an activation in random order, and some of its columns.
pub(super) struct Sample {
    /// Indices of the rows, in random order.
    pub rows: Vec<usize>,
    /// `[row, neuron]`, each neuron centred; those that do not vary are 0.
    pub values: DMatrix<f64>,
}

impl Sample {
    /// At most [`ROWS`] rows and [`NEURONS`] neurons of the penultimate activation, each neuron centred over these rows.
    ///
    /// # Errors
    /// If the activation was not read.
    pub fn of(facts: &Facts<'_>) -> Result<Self, UserError> {
        let hook = penultimate(facts.experiment).ok_or_else(no_layer)?;
        let grid = facts.activation(hook)?;
        let drawn = |count: usize, most: usize, index: u64| {
            let order = Stream::new(facts.experiment.seed, Purpose::Measure, index).permutation(count);
            order.into_iter().take(most).map(|at| at as usize).collect::<Vec<usize>>()
        };
        let (rows, columns) = (drawn(facts.data.rows.len(), ROWS, 1), drawn(grid.width, NEURONS, 2));
        let values = centred(grid, &rows, &columns);
        Ok(Self { rows, values })
    }

    /// Divides each neuron by its standard deviation over the rows.
    pub fn standardise(&mut self) {
        let rows = self.values.nrows() as f64;
        for mut column in self.values.column_iter_mut() {
            let deviation = libm::sqrt(column.iter().map(|v| v * v).sum::<f64>() / rows);
            if deviation > 0.0 {
                column.iter_mut().for_each(|v| *v /= deviation);
            }
        }
    }
}

fn centred(grid: &Grid, rows: &[usize], columns: &[usize]) -> DMatrix<f64> {
    let mut values = DMatrix::from_fn(rows.len(), columns.len(), |row, column| f64::from(grid.row(rows[row])[columns[column]]));
    for mut column in values.column_iter_mut() {
        let mean = column.iter().sum::<f64>() / rows.len().max(1) as f64;
        let squares: f64 = column.iter().map(|v| v * v).sum();
        column.iter_mut().for_each(|v| *v -= mean);
        // What rounding leaves of a constant neuron is no variation.
        if column.iter().map(|v| v * v).sum::<f64>() <= 1e-12 * squares {
            column.fill(0.0);
        }
    }
    values
}

/// For [`super::Measure::hooks`].
pub(super) fn penultimate_only(experiment: &Experiment) -> Vec<Hook> {
    penultimate(experiment).into_iter().collect()
}

/// Refuses networks without a layer before the output.
///
/// # Errors
/// In that case.
pub(super) fn needs_penultimate(experiment: &Experiment) -> Result<(), UserError> {
    penultimate(experiment).map(drop).ok_or_else(no_layer)
}

fn no_layer() -> UserError {
    UserError::new("This network has no layer before its output", "Choose a network with a hidden layer, such as mlp")
}

/// XᵀY of two matrices with as many rows.
pub(super) fn products(x: &DMatrix<f64>, y: &DMatrix<f64>) -> DMatrix<f64> {
    // Columns are contiguous, so each entry is one dot product.
    DMatrix::from_fn(x.ncols(), y.ncols(), |i, j| x.column(i).dot(&y.column(j)))
}
