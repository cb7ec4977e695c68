//! RQI: the share of all parallelograms in which an embedding stands (Liu et al., arXiv:2205.10343).
//!
//! The order parameter that theory and network are compared in. It is blind to scale and place, so no fit of either is needed.
//! For several columns the threshold is on the mean square over them, as in `measure::rqi`; on the sum, as it is written, an
//! embedding of many columns could never pass.

use super::pairs::Pair;
use nalgebra::DMatrix;

/// Mean square over columns below which Ẽ_i + Ẽ_j − Ẽ_m − Ẽ_n counts as 0.
pub const THRESHOLD: f64 = 0.01;

/// Columns centred and divided by their standard deviation (n − 1); columns that do not vary are left out.
pub fn normalised(embedding: &DMatrix<f64>) -> DMatrix<f64> {
    let columns = embedding.column_iter().filter_map(|column| {
        let centred = column.add_scalar(-column.mean());
        let deviation = libm::sqrt(centred.norm_squared() / (centred.len() as f64 - 1.0).max(1.0));
        (deviation > 0.0).then(|| centred / deviation)
    });
    let columns: Vec<_> = columns.collect();
    if columns.is_empty() { DMatrix::zeros(embedding.nrows(), 0) } else { DMatrix::from_columns(&columns) }
}

/// Whether a normalised embedding stands in a parallelogram.
pub fn stands_in(normalised: &DMatrix<f64>, ((i, j), (m, n)): (Pair, Pair)) -> bool {
    let gap = |c| normalised[(i, c)] + normalised[(j, c)] - normalised[(m, c)] - normalised[(n, c)];
    let square: f64 = (0..normalised.ncols()).map(|c| gap(c) * gap(c)).sum();
    normalised.ncols() > 0 && square < THRESHOLD * normalised.ncols() as f64
}

/// RQI over `all` parallelograms, in 0..=1; 0 for an embedding that does not vary.
pub fn quality(all: &[(Pair, Pair)], embedding: &DMatrix<f64>) -> f64 {
    let normalised = normalised(embedding);
    all.iter().filter(|parallelogram| stands_in(&normalised, **parallelogram)).count() as f64 / all.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::super::pairs::{all_pairs, parallelograms};
    use super::*;

    #[test]
    fn a_line_has_every_parallelogram_one_point_off_it_costs_its_own_and_a_constant_has_none() {
        let all = parallelograms(&all_pairs(10));
        let line = DMatrix::from_fn(10, 3, |token, column| (column as f64 - 1.5) * token as f64);
        assert_eq!(quality(&all, &line), 1.0);
        let mut bent = line;
        bent[(4, 0)] += 5.0;
        bent[(4, 1)] += 5.0;
        let spared = all.iter().filter(|((i, j), (m, n))| ![i, j, m, n].contains(&&4)).count();
        assert!((quality(&all, &bent) - spared as f64 / 70.0).abs() < 1e-12);
        assert_eq!(quality(&all, &DMatrix::from_element(10, 2, 0.5)), 0.0);
    }
}
