//! `truncate TENSOR RANK`: keeps the RANK largest singular directions of a matrix (Eckart & Young 1936).
//!
//! A network that has generalised reads few frequencies, two directions each; truncating just above that rank should do no harm
//! and just below it much. The decomposition is a one-sided Jacobi iteration in f64 on the CPU: slow (a second for 400 × 400), but
//! short, exact and the same on every device, and burn has none.

use super::ActionKind;
use super::arguments::{misused, number, place};
use crate::model::{ParameterSpec, specs};
use crate::record::UserError;
#[cfg(feature = "compute")]
use {
    super::{Moment, Work},
    crate::experiment::Experiment,
    burn::tensor::{Tensor, TensorData},
};

const USAGE: &str = "truncate TENSOR RANK";

pub(super) const ACTION: ActionKind = ActionKind {
    name: "truncate",
    usage: USAGE,
    help: "Keeps the RANK largest singular directions of TENSOR and drops the others",
    check: |arguments, experiment| parse(arguments, &specs(experiment)).map(|_| ()),
    #[cfg(feature = "compute")]
    apply,
};

fn parse(arguments: &[&str], specs: &[ParameterSpec]) -> Result<(usize, usize), UserError> {
    let [name, rank] = arguments else { return Err(misused(USAGE)) };
    let index = place(name, specs)?;
    let most = specs[index].rows.min(specs[index].columns);
    let number = number(rank, "The rank", 1.0, most as f64)?;
    match rank.parse() {
        Ok(rank) => Ok((index, rank)),
        Err(_) => Err(UserError::new(format!("The rank {rank} is not a whole number"), format!("Use {number:.0}"))),
    }
}

#[cfg(feature = "compute")]
fn apply<'a>(arguments: &'a [&'a str], _: &'a Experiment, moment: &'a Moment<'a>, mut weights: Vec<Tensor<3>>) -> Work<'a> {
    Box::pin(async move {
        let (index, rank) = parse(arguments, moment.specs)?;
        let [replicas, rows, columns] = weights[index].dims();
        let values = weights[index].clone().into_data_async().await.map_err(crate::model::lost)?;
        let values = values.try_into_vec::<f32>().map_err(crate::model::lost)?;
        let low: Vec<f32> = values.chunks(rows * columns).flat_map(|matrix| of_rank(matrix, columns, rank)).collect();
        weights[index] = Tensor::from_data(TensorData::new(low, [replicas, rows, columns]), moment.device);
        Ok(weights)
    })
}

/// The nearest matrix of `rank` to `values` `[rows, columns]`, in the same order.
#[cfg(feature = "compute")]
pub(super) fn of_rank(values: &[f32], columns: usize, rank: usize) -> Vec<f32> {
    let rows = values.len() / columns.max(1);
    let at = |row: usize, column: usize| f64::from(values[row * columns + column]);
    // The shorter side is made orthogonal: vectors u_j σ_j, with the rotations that lead there.
    let is_wide = columns > rows;
    let (count, length) = if is_wide { (rows, columns) } else { (columns, rows) };
    let entry = |j: usize, i: usize| if is_wide { at(j, i) } else { at(i, j) };
    let mut vectors: Vec<Vec<f64>> = (0..count).map(|j| (0..length).map(|i| entry(j, i)).collect()).collect();
    let mut rotation: Vec<Vec<f64>> = (0..count).map(|j| (0..count).map(|i| if i == j { 1.0 } else { 0.0 }).collect()).collect();
    orthogonalise(&mut vectors, &mut rotation);
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| dot(&vectors[*b], &vectors[*b]).total_cmp(&dot(&vectors[*a], &vectors[*a])));
    order.truncate(rank);
    let value = |row: usize, column: usize| -> f64 {
        let (j, i) = if is_wide { (row, column) } else { (column, row) };
        order.iter().map(|k| rotation[*k][j] * vectors[*k][i]).sum()
    };
    (0..rows * columns).map(|place| value(place / columns, place % columns) as f32).collect()
}

#[cfg(feature = "compute")]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Rotates pairs of `vectors` (Hestenes 1958) until all are orthogonal, and `rotation` with them, so that the matrix of old vectors
/// is the transposed rotation times the new ones.
#[cfg(feature = "compute")]
fn orthogonalise(vectors: &mut [Vec<f64>], rotation: &mut [Vec<f64>]) {
    const MOST_SWEEPS: usize = 40;
    const SMALL: f64 = 1e-12;
    for _ in 0..MOST_SWEEPS {
        let mut is_done = true;
        for j in 1..vectors.len() {
            for i in 0..j {
                let (a, b, c) = (dot(&vectors[i], &vectors[i]), dot(&vectors[j], &vectors[j]), dot(&vectors[i], &vectors[j]));
                if c.abs() <= SMALL * libm::sqrt(a * b) {
                    continue;
                }
                is_done = false;
                let zeta = (b - a) / (2.0 * c);
                let tangent = 1.0_f64.copysign(zeta) / (zeta.abs() + libm::sqrt(1.0 + zeta * zeta));
                let cosine = 1.0 / libm::sqrt(1.0 + tangent * tangent);
                let sine = cosine * tangent;
                for list in [&mut *vectors, &mut *rotation] {
                    let (low, high) = list.split_at_mut(j);
                    for (x, y) in low[i].iter_mut().zip(&mut high[0]) {
                        (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
                    }
                }
            }
        }
        if is_done {
            return;
        }
    }
}
