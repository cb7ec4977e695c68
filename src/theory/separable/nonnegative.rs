//! Least squares with coefficients that may not be negative (Lawson and Hanson's active set, 1974).
//!
//! The hard-margin support vector machine is one such problem in any dimension, and so is the question whether a row may have a
//! positive multiplier. Not chosen: enumerating support pairs, which works in the plane alone, and coordinate ascent on the dual,
//! which stops at a tolerance where an active set ends at the vertex itself.

use nalgebra::{DMatrix, DVector};

/// argmin_{u ≥ 0} ‖`columns`·u − `target`‖. `columns` `[m, n]`, `target` `[m]`, result `[n]`.
pub(super) fn least_squares(columns: &DMatrix<f64>, target: &DVector<f64>) -> DVector<f64> {
    let n = columns.ncols();
    let mut u = DVector::zeros(n);
    let mut free = vec![false; n];
    // A column that came in and had to leave at once moves nothing; without this list it would come in for ever.
    let mut refused = vec![false; n];
    let tolerance = 1e-14 * columns.norm() * target.norm();
    for _ in 0..30 * (n + 1) {
        let pull = columns.tr_mul(&(target - columns * &u));
        let candidates = (0..n).filter(|&at| !free[at] && !refused[at] && pull[at] > tolerance);
        let Some(enters) = candidates.max_by(|&a, &b| pull[a].total_cmp(&pull[b])) else { break };
        free[enters] = true;
        let before = u.clone();
        while let Some(wanted) = solve_free(columns, target, &free) {
            let short = |at: &usize| free[*at] && wanted[*at] <= 0.0;
            let Some(blocks) = (0..n).filter(short).min_by(|&a, &b| share(&u, &wanted, a).total_cmp(&share(&u, &wanted, b)))
            else {
                u = wanted;
                break;
            };
            let share = share(&u, &wanted, blocks);
            u += share * (&wanted - &u);
            u[blocks] = 0.0;
            free[blocks] = false;
        }
        if u == before {
            refused[enters] = true;
        } else {
            refused.fill(false);
        }
    }
    u
}

/// How far from `u` towards `wanted` the coefficient `at` reaches 0.
fn share(u: &DVector<f64>, wanted: &DVector<f64>, at: usize) -> f64 {
    let gap = u[at] - wanted[at];
    if gap > 0.0 { u[at] / gap } else { 0.0 }
}

/// Least squares in the free coefficients alone; `None` if there are none.
fn solve_free(columns: &DMatrix<f64>, target: &DVector<f64>, free: &[bool]) -> Option<DVector<f64>> {
    let which: Vec<usize> = (0..free.len()).filter(|&at| free[at]).collect();
    if which.is_empty() {
        return None;
    }
    let found = columns.select_columns(&which).svd(true, true).solve(target, 1e-13).ok()?;
    let mut whole = DVector::zeros(free.len());
    for (at, value) in which.into_iter().zip(found.iter()) {
        whole[at] = *value;
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    #[test]
    fn no_other_active_set_fits_better() {
        let mut stream = Stream::new(5, Purpose::Theory, 0);
        for _ in 0..60 {
            let (m, n) = (3, 6);
            let columns = DMatrix::from_fn(m, n, |_, _| stream.normal());
            let target = DVector::from_fn(m, |_, _| stream.normal());
            let found = least_squares(&columns, &target);
            assert!(found.iter().all(|&c| c >= 0.0));
            let best = (1..1usize << n)
                .filter_map(|set| solve_free(&columns, &target, &(0..n).map(|at| set >> at & 1 == 1).collect::<Vec<_>>()))
                .filter(|u| u.iter().all(|&c| c >= -1e-12))
                .map(|u| (&columns * u - &target).norm())
                .fold(target.norm(), f64::min);
            let ours = (&columns * found - &target).norm();
            assert!(ours <= best + 1e-10, "{ours} is above {best}");
        }
    }
}
