//! The widest margin in the ℓ1 norm, as a linear programme with a certificate.
//!
//! The late phase ends where min ‖w‖₁ with z_i·w ≥ 1 is attained, often in a corner that a descent only creeps to. The simplex
//! method on the dual (max Σq with |Zᵀq| ≤ 1, q ≥ 0) begins at q = 0 without a first phase and ends in the corner itself, and
//! both sides together bound the optimum. Rejected: descent on a smoothed ℓ1 norm, which would compare one descent with another.

use super::super::separable::rows::Rows;

/// w = argmin ‖w‖₁ with z_i·w ≥ 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sparse {
    /// w; the margin in the ℓ1 norm is 1/‖w‖₁.
    pub direction: Vec<f64>,
    /// (‖w‖₁ − Σq)/‖w‖₁ with q within the dual's bounds: the optimum is not shorter by more than this share.
    pub gap: f64,
}

/// Bounds of the dual are moved apart by this much, because rows of ±1 meet many of them at once and the method would circle.
const APART: f64 = 1e-7;
/// Reduced costs below this count as 0.
const TOLERANCE: f64 = 1e-10;

/// Finds w; `None` if the rows are not separable or the corner was not reached in time.
pub(super) fn sparsest(rows: &Rows) -> Option<Sparse> {
    let (n, d) = (rows.len(), rows.dimension());
    // Row 2j is (Zᵀq)_j ≤ 1, row 2j + 1 its opposite; the last column is the right side, the last row the costs.
    let width = n + 1;
    let mut table = vec![0.0; (2 * d + 1) * width];
    for (i, z) in rows.iter().enumerate() {
        for (j, value) in z.iter().enumerate() {
            table[2 * j * width + i] = *value;
            table[(2 * j + 1) * width + i] = -value;
        }
        table[2 * d * width + i] = -1.0;
    }
    for row in 0..2 * d {
        // Distinct parts of the golden ratio: no two bounds are alike.
        table[row * width + n] = 1.0 + APART * ((row + 1) as f64 * 0.618_033_988_749_894_9).fract();
    }
    // Variables 0..n are q, n.. the slacks.
    let mut columns: Vec<usize> = (0..n).collect();
    let mut basis: Vec<usize> = (n..n + 2 * d).collect();
    let mut is_done = false;
    for _ in 0..50 * (n + d) {
        let costs = &table[2 * d * width..][..n];
        let entering = (0..n).min_by(|&a, &b| costs[a].total_cmp(&costs[b]))?;
        if costs[entering] >= -TOLERANCE {
            is_done = true;
            break;
        }
        let ratio = |row: usize| table[row * width + n] / table[row * width + entering];
        let leaving =
            (0..2 * d).filter(|row| table[row * width + entering] > TOLERANCE).min_by(|&a, &b| ratio(a).total_cmp(&ratio(b)))?;
        pivot(&mut table, width, leaving, entering);
        core::mem::swap(&mut basis[leaving], &mut columns[entering]);
    }
    if !is_done {
        return None;
    }
    let mut direction = vec![0.0; d];
    for (column, &variable) in columns.iter().enumerate().filter(|(_, variable)| **variable >= n) {
        let row = variable - n;
        direction[row / 2] += table[2 * d * width + column] * if row % 2 == 0 { 1.0 } else { -1.0 };
    }
    let mut multipliers = vec![0.0; n];
    for (row, &variable) in basis.iter().enumerate().filter(|(_, variable)| **variable < n) {
        multipliers[variable] = table[row * width + n].max(0.0);
    }
    // Both sides brought within their bounds, whatever rounding did.
    let smallest = rows.smallest_margin(&direction);
    if smallest <= 0.0 {
        return None;
    }
    direction.iter_mut().for_each(|w| *w /= smallest);
    let length: f64 = direction.iter().map(|w| w.abs()).sum();
    let over = rows.combine(&multipliers).into_iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let bound = multipliers.iter().sum::<f64>() / over;
    Some(Sparse { direction, gap: (length - bound) / length })
}

/// Exchanges the variables of a row and a column.
fn pivot(table: &mut [f64], width: usize, row: usize, column: usize) {
    let by = table[row * width + column];
    let mut kept: Vec<f64> = table[row * width..][..width].iter().map(|x| x / by).collect();
    kept[column] = 1.0 / by;
    for (index, other) in table.chunks_exact_mut(width).enumerate() {
        if index == row {
            continue;
        }
        let share = other[column];
        if share != 0.0 {
            other[column] = 0.0;
            other.iter_mut().zip(&kept).for_each(|(x, k)| *x -= share * k);
        }
    }
    table[row * width..][..width].copy_from_slice(&kept);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};
    use nalgebra::{DMatrix, DVector};

    /// The shortest w over all corners: as many rows on the margin as there are weights.
    fn by_enumeration(rows: &Rows) -> f64 {
        let (n, d) = (rows.len(), rows.dimension());
        let mut best = f64::INFINITY;
        for set in (1..1usize << n).filter(|set| set.count_ones() as usize <= d) {
            let held: Vec<usize> = (0..n).filter(|at| set >> at & 1 == 1).collect();
            for used in (1..1usize << d).filter(|used| used.count_ones() == set.count_ones()) {
                let which: Vec<usize> = (0..d).filter(|at| used >> at & 1 == 1).collect();
                let matrix = DMatrix::from_fn(held.len(), which.len(), |r, c| rows.row(held[r])[which[c]]);
                let Some(values) = matrix.lu().solve(&DVector::from_element(held.len(), 1.0)) else { continue };
                let mut w = vec![0.0; d];
                which.iter().zip(values.iter()).for_each(|(&at, value)| w[at] = *value);
                if rows.smallest_margin(&w) >= 1.0 - 1e-9 {
                    best = best.min(w.iter().map(|x| x.abs()).sum());
                }
            }
        }
        best
    }

    #[test]
    fn no_corner_is_shorter() {
        let mut stream = Stream::new(7, Purpose::Theory, 0);
        for _ in 0..30 {
            let values = (0..18).map(|at| stream.normal() + if at % 3 == 0 { 1.5 } else { 0.0 }).collect();
            let rows = Rows::new(3, values);
            let truth = by_enumeration(&rows);
            match sparsest(&rows) {
                Some(found) => {
                    let length: f64 = found.direction.iter().map(|x| x.abs()).sum();
                    assert!((length / truth - 1.0).abs() < 1e-6 && found.gap.abs() < 1e-6, "{length} {truth} {}", found.gap);
                }
                None => assert_eq!(truth, f64::INFINITY),
            }
        }
    }

    #[test]
    fn one_bit_that_decides_is_found_among_many_and_certified() {
        let mut stream = Stream::new(8, Purpose::Theory, 0);
        let values: Vec<f64> = (0..40 * 64).map(|at| if at % 64 == 0 || stream.uniform() < 0.5 { 1.0 } else { -1.0 }).collect();
        let found = sparsest(&Rows::new(64, values)).unwrap();
        assert!((found.direction[0] - 1.0).abs() < 1e-9 && found.direction[1..].iter().all(|w| w.abs() < 1e-9));
        assert!(found.gap.abs() < 1e-6, "{}", found.gap);
    }

    #[test]
    fn rows_on_both_sides_have_no_margin() {
        assert_eq!(sparsest(&Rows::new(2, vec![1.0, 0.5, -1.0, -0.5, 0.3, -1.0])), None);
    }
}
