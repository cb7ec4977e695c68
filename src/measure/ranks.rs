//! How many dimensions do the weights use?
//!
//! A look-up table needs as many as there are tokens, a few circles two each; so ranks fall when a network groks. There is no one
//! rank of a noisy matrix, so four readings stand here, each with its formula.

use super::facts::Facts;
use super::kind::{Column, Cost, Measure, Work, no_hooks, number};
use super::tokens::{input_blocks, input_table, output_table};
use crate::experiment::Experiment;
use crate::record::{UserError, Value};
use nalgebra::{DMatrix, SymmetricEigen};

/// Singular values above this share of the largest count for the numerical rank; f32 weights carry about 1e-7.
const NUMERICAL: f64 = 1e-6;
/// Largest table, in its smaller direction, whose spectrum is computed.
const LARGEST: usize = 384;

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "ranks",
    label: "Ranks of the weights",
    definition: "Singular values σ of the weights that read tokens [token, column] and of those that answer [class, column]: \
                 effective rank exp(H(σ/Σσ)) with H(q) = −Σ q log q, stable rank Σσ²/σ_max², numerical rank: σ above 1e-6·σ_max; \
                 and the effective dimension exp(H(λ/Σλ)) of the weights that read tokens, λ being the variances along the \
                 principal components over tokens. Tables of up to 384 in their smaller direction",
    source: "Roy and Vetterli 2007 (effective rank); Rudelson and Vershynin math/0503442 (stable rank); Liu et al. 2205.10343 \
             (effective dimension)",
    not_evidence_of: "A low rank does not show structure that generalises: weight decay alone lowers it",
    cost: Cost::Weights,
    columns: &[
        Column::new("input_effective_rank", "effective rank, input weights").positive(),
        Column::new("input_stable_rank", "stable rank, input weights").positive(),
        Column::new("input_rank", "numerical rank, input weights").positive(),
        Column::new("input_dimension", "effective dimension, input weights").positive(),
        Column::new("output_effective_rank", "effective rank, output weights").positive(),
        Column::new("output_stable_rank", "stable rank, output weights").positive(),
        Column::new("output_rank", "numerical rank, output weights").positive(),
    ],
    hooks: no_hooks,
    needs_keys: false,
    applies: |experiment: &Experiment| input_blocks(experiment).map(drop),
    work: Work::direct(take),
};

fn take(facts: &Facts<'_>) -> Result<Vec<Value>, UserError> {
    let (table, columns) = input_table(facts.weights, facts.experiment)?;
    let (plain, deviations) = (table.iter().map(|v| f64::from(*v)).collect::<Vec<f64>>(), centred(&table, columns));
    let mut values = ranks(&plain, columns);
    values.push(match spectrum(&deviations, columns) {
        Ok(squares) if squares.iter().sum::<f64>() > 0.0 => number(perplexity(&squares)),
        Ok(_) => Value::Absent("All tokens are read in the same way".into()),
        Err(why) => why,
    });
    match output_table(facts.weights, facts.experiment) {
        Ok((table, columns)) => values.extend(ranks(&table.iter().map(|v| f64::from(*v)).collect::<Vec<f64>>(), columns)),
        Err(error) => values.extend(std::iter::repeat_n(Value::Absent(error.to_string()), 3)),
    }
    Ok(values)
}

/// Effective, stable and numerical rank of `values` `[row, columns]`.
fn ranks(values: &[f64], columns: usize) -> Vec<Value> {
    let squares = match spectrum(values, columns) {
        Ok(squares) => squares,
        Err(why) => return vec![why; 3],
    };
    let most = squares.first().copied().unwrap_or(0.0);
    if most <= 0.0 {
        return vec![Value::Absent("All these weights are 0".into()); 3];
    }
    let singular: Vec<f64> = squares.iter().map(|square| libm::sqrt(*square)).collect();
    let rank = singular.iter().filter(|s| **s > NUMERICAL * singular[0]).count();
    vec![number(perplexity(&singular)), number(squares.iter().sum::<f64>() / most), number(rank as f64)]
}

/// exp of the entropy of non-negative numbers, not all 0, as shares.
fn perplexity(values: &[f64]) -> f64 {
    let total: f64 = values.iter().sum();
    let entropy = values.iter().map(|v| v / total).filter(|share| *share > 0.0).map(|share| -share * libm::log(share)).sum();
    libm::exp(entropy)
}

/// Why the spectrum of `values`, `size` in their smaller direction, is not computed; `None` if it is.
pub(super) fn unfit(values: &[f64], size: usize) -> Option<Value> {
    // The solver does not end on numbers that are not finite.
    if values.iter().any(|value| !value.is_finite()) {
        return Some(Value::Absent("These weights are not finite".into()));
    }
    (size > LARGEST).then(|| Value::Absent(format!("The spectrum of {size} by {size} numbers takes too long here")))
}

/// A table `[row, columns]` in f64 without the mean of each column; exact zeros where only rounding would be left.
pub(super) fn centred(table: &[f32], columns: usize) -> Vec<f64> {
    let rows = (table.len() / columns.max(1)).max(1) as f64;
    let mut mean = vec![0.0; columns];
    for row in table.chunks_exact(columns.max(1)) {
        mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value) / rows);
    }
    let lines = table.chunks_exact(columns.max(1));
    let mut deviations: Vec<f64> =
        lines.flat_map(|row| row.iter().zip(&mean).map(|(value, mean)| f64::from(*value) - mean)).collect();
    let squares: f64 = table.iter().map(|value| f64::from(*value) * f64::from(*value)).sum();
    if deviations.iter().map(|d| d * d).sum::<f64>() <= 1e-12 * squares {
        deviations.fill(0.0);
    }
    deviations
}

/// Squares of the singular values, largest first.
fn spectrum(values: &[f64], columns: usize) -> Result<Vec<f64>, Value> {
    let rows = values.len() / columns.max(1);
    if let Some(why) = unfit(values, rows.min(columns)) {
        return Err(why);
    }
    if rows <= columns {
        return Ok(gram_eigen(values, columns).0);
    }
    let transposed: Vec<f64> = (0..columns).flat_map(|c| values.iter().skip(c).step_by(columns).copied()).collect();
    Ok(gram_eigen(&transposed, rows).0)
}

/// Eigenvalues, largest first and none negative, and unit eigenvectors of the products of the rows of `values` `[row, columns]`.
pub(super) fn gram_eigen(values: &[f64], columns: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
    let lines: Vec<&[f64]> = values.chunks_exact(columns.max(1)).collect();
    let mut gram = DMatrix::<f64>::zeros(lines.len(), lines.len());
    for (i, x) in lines.iter().enumerate() {
        for (j, y) in lines.iter().enumerate().take(i + 1) {
            let product: f64 = x.iter().zip(*y).map(|(x, y)| x * y).sum();
            gram[(i, j)] = product;
            gram[(j, i)] = product;
        }
    }
    let eigen = SymmetricEigen::new(gram);
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by(|x, y| eigen.eigenvalues[*y].total_cmp(&eigen.eigenvalues[*x]));
    let values = order.iter().map(|index| eigen.eigenvalues[*index].max(0.0)).collect();
    (values, order.iter().map(|index| eigen.eigenvectors.column(*index).iter().copied().collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed, numbers, values};
    use super::*;
    use core::f64::consts::TAU;

    #[test]
    fn a_matrix_of_known_singular_values_has_its_closed_form_ranks() {
        // Singular values 3, 3 and 0: effective 2, stable 2, numerical 2. In both orientations.
        let tall = [3.0, 0.0, 0.0, 3.0, 0.0, 0.0];
        let wide = [3.0, 0.0, 0.0, 0.0, 3.0, 0.0];
        for (values, columns) in [(&tall, 2), (&wide, 3)] {
            let found: Vec<f64> = ranks(values, columns).iter().map(|v| v.number().unwrap()).collect();
            assert!(found.iter().all(|rank| (rank - 2.0).abs() < 1e-9), "{found:?}");
        }
        // Singular values 4 and 1e-3: stable rank 1 + 1/16e6, numerical 2.
        let uneven = ranks(&[4.0, 0.0, 0.0, 1e-3], 2);
        assert!((uneven[1].number().unwrap() - 1.0 - 1e-6 / 16.0).abs() < 1e-9 && uneven[2].number() == Some(2.0));
    }

    #[test]
    fn one_circle_has_two_dimensions_and_gaussian_weights_nearly_all() {
        let mut case = Case::of(changed("transformer-59", &[]));
        let untrained = numbers(&MEASURE, &case);
        assert!(untrained[0] > 40.0 && untrained[2] == 59.0 && untrained[3] > 25.0, "{untrained:?}");
        let embed = case.weights.tensors.iter_mut().find(|t| t.name == "embed").unwrap();
        let columns = embed.shape[1];
        embed.values.iter_mut().enumerate().for_each(|(i, v)| {
            *v = if i % columns < 2 {
                libm::cos(TAU * (i / columns) as f64 / 59.0 - (i % columns) as f64 * TAU / 4.0) as f32
            } else {
                0.0
            };
        });
        let circle = numbers(&MEASURE, &case);
        assert!(circle[..4].iter().all(|rank| (rank - 2.0).abs() < 1e-5), "{circle:?}");
    }

    #[test]
    fn zero_weights_and_large_tables_are_absent_with_a_reason() {
        let mut case = Case::of(changed("quadratic-31", &[]));
        case.weights.tensors.iter_mut().flat_map(|t| &mut t.values).for_each(|v| *v = 0.0);
        assert!(values(&MEASURE, &case).iter().all(|value| matches!(value, Value::Absent(_))));
        case.weights.tensors[0].values[3] = f32::NAN;
        assert!(matches!(&values(&MEASURE, &case)[0], Value::Absent(why) if why.contains("finite")));
        assert!(unfit(&[1.0], LARGEST).is_none() && unfit(&[1.0], LARGEST + 1).is_some());
    }
}
