//! The best one-to-one assignment between two sets.
//!
//! Taking the most alike pair first can give away a partner that another element needed, and then count a birth and a death
//! where there was one feature. This is the Hungarian method with potentials, one shortest augmenting path per row (Kuhn 1955;
//! Jonker and Volgenant 1987), O(n³). Not chosen: the crate `pathfinding`, whose weights have to be totally ordered numbers and
//! which brings a family of graph algorithms along, and `lapjv`, which wants square matrices and a second array library.

use crate::record::UserError;

/// The column of each row in an assignment with the largest sum of `similarity` `[rows, columns]`, row-major; every row has one
/// if there are at least as many columns, else every column has a row and the other rows `None`.
///
/// Of assignments with equal sums the same one is returned every time. Costs rows²·columns operations, or with the two exchanged
/// if there are more rows.
///
/// # Errors
/// If a similarity is not finite, or there are not rows · columns of them.
pub fn assignment(similarity: &[f64], rows: usize, columns: usize) -> Result<Vec<Option<usize>>, UserError> {
    if similarity.len() != rows * columns || !similarity.iter().all(|value| value.is_finite()) {
        return Err(UserError::new(format!("{rows} × {columns} similarities are not all finite numbers"), "Report this"));
    }
    if rows <= columns {
        return Ok(rows_first(|row, column| -similarity[row * columns + column], rows, columns).into_iter().map(Some).collect());
    }
    let mut of_row = vec![None; rows];
    let of_column = rows_first(|column, row| -similarity[row * columns + column], columns, rows);
    of_column.into_iter().enumerate().for_each(|(column, row)| of_row[row] = Some(column));
    Ok(of_row)
}

/// The column of each row with the smallest sum of costs, for at most as many rows as columns.
///
/// Potentials keep cost − (row's) − (column's) ≥ 0, and 0 on assigned pairs. Each row joins by the shortest path of such reduced
/// costs to a free column, along which assignments change hands.
fn rows_first(cost: impl Fn(usize, usize) -> f64, rows: usize, columns: usize) -> Vec<usize> {
    let mut of_row_potential = vec![0.0; rows];
    let mut of_column_potential = vec![0.0; columns];
    let mut row_of: Vec<Option<usize>> = vec![None; columns];
    for start in 0..rows {
        // Length of the shortest path to each column, and the column before it.
        let mut length = vec![f64::INFINITY; columns];
        let mut before = vec![None; columns];
        let mut is_settled = vec![false; columns];
        let (mut row, mut last, mut reached) = (start, None, 0.0);
        let free = loop {
            let mut nearest = None;
            for column in (0..columns).filter(|column| !is_settled[*column]) {
                let through = reached + cost(row, column) - of_row_potential[row] - of_column_potential[column];
                if through < length[column] {
                    length[column] = through;
                    before[column] = last;
                }
                if nearest.is_none_or(|nearest: usize| length[column] < length[nearest]) {
                    nearest = Some(column);
                }
            }
            // There are more columns than rows that have one, so a free one is reached before columns run out.
            let Some(column) = nearest else { break None };
            is_settled[column] = true;
            (last, reached) = (Some(column), length[column]);
            match row_of[column] {
                Some(next) => row = next,
                None => break Some(column),
            }
        };
        of_row_potential[start] += reached;
        for column in (0..columns).filter(|column| is_settled[*column]) {
            let gain = reached - length[column];
            of_column_potential[column] -= gain;
            if let Some(row) = row_of[column] {
                of_row_potential[row] += gain;
            }
        }
        let mut end = free;
        while let Some(column) = end {
            end = before[column];
            row_of[column] = end.map_or(Some(start), |previous| row_of[previous]);
        }
    }
    let mut column_of = vec![0; rows];
    row_of.iter().enumerate().for_each(|(column, row)| {
        if let Some(row) = row {
            column_of[*row] = column;
        }
    });
    column_of
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    /// The largest sum over all ways to give each of the remaining rows a free column, or none if there are too few.
    fn brute(similarity: &[f64], row: usize, rows: usize, free: &mut Vec<bool>, skips: usize) -> f64 {
        if row == rows {
            return 0.0;
        }
        let columns = free.len();
        let mut best = if skips > 0 { brute(similarity, row + 1, rows, free, skips - 1) } else { f64::NEG_INFINITY };
        for column in 0..columns {
            if free[column] {
                free[column] = false;
                best = best.max(similarity[row * columns + column] + brute(similarity, row + 1, rows, free, skips));
                free[column] = true;
            }
        }
        best
    }

    #[test]
    fn no_permutation_has_a_larger_sum() {
        let mut stream = Stream::new(12, Purpose::Planted, 0);
        for rows in 0..=6 {
            for columns in 0..=6 {
                for case in 0..12 {
                    // Reals of both signs, and a few whole numbers, which tie.
                    let mut draw = || if case % 2 == 0 { stream.normal() } else { stream.below(3) as f64 };
                    let similarity: Vec<f64> = (0..rows * columns).map(|_| draw()).collect();
                    let found = assignment(&similarity, rows, columns).unwrap();
                    let mut used: Vec<usize> = found.iter().copied().flatten().collect();
                    assert_eq!((found.len(), used.len()), (rows, rows.min(columns)));
                    used.sort_unstable();
                    used.dedup();
                    assert_eq!(used.len(), rows.min(columns), "each column once");
                    let value = |(row, column): (usize, &Option<usize>)| column.map(|column| similarity[row * columns + column]);
                    let sum: f64 = found.iter().enumerate().filter_map(value).sum();
                    let best = brute(&similarity, 0, rows, &mut vec![true; columns], rows.saturating_sub(columns));
                    assert!((sum - best).abs() < 1e-9, "{rows} × {columns}: {sum} {best} {similarity:?}");
                }
            }
        }
    }

    #[test]
    fn the_most_alike_pair_yields_to_the_sum() {
        // Greedy takes .9 and is left with .1.
        assert_eq!(assignment(&[0.9, 0.8, 0.8, 0.1], 2, 2).unwrap(), [Some(1), Some(0)]);
    }

    #[test]
    fn a_hidden_permutation_is_found_among_many() {
        let n = 120;
        let order = Stream::new(4, Purpose::Planted, 0).permutation(n);
        let mut stream = Stream::new(4, Purpose::Planted, 1);
        let mut similarity: Vec<f64> = (0..n * n).map(|_| 0.5 * stream.uniform()).collect();
        order.iter().enumerate().for_each(|(row, column)| similarity[row * n + *column as usize] = 1.0);
        let found = assignment(&similarity, n, n).unwrap();
        assert!(found.iter().zip(&order).all(|(found, column)| *found == Some(*column as usize)));
    }

    #[test]
    fn what_is_no_matrix_of_numbers_is_refused() {
        for (similarity, rows) in [(vec![1.0, f64::NAN], 1), (vec![1.0, f64::INFINITY], 1), (vec![1.0], 1)] {
            assert!(assignment(&similarity, rows, 2).unwrap_err().cause.contains("finite"));
        }
    }
}
