//! What is left of w(t) once ŵ log t is taken away.
//!
//! At every time that can be waited for, ρ(t) = w(t) − ŵ log t is as large as ŵ log t itself, and a panel without it would compare a
//! curve with an asymptote that it does not touch. For generic data ρ tends to w̃ with η e^{−z_n·w̃} = α_n on the margin; where a row
//! on the margin has α_n = 0, ρ grows like log log t. Soudry et al. 2018, theorems 3 and 4, and their appendix for the second case.

use super::margin::{MaxMargin, Separation, separate};
use super::nonnegative::least_squares;
use super::rows::{Rows, across, add, dot, norm, within};
use nalgebra::{DMatrix, DVector};

/// What ρ(t) does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Remainder {
    /// It tends to w̃.
    Constant(Offset),
    /// It grows like this times log log t; `zero` are the rows on the margin whose multiplier is 0.
    LogLog {
        /// ŵ₂, the max-margin direction of `zero` across all rows with a positive multiplier.
        second: Vec<f64>,
        /// Rows.
        zero: Vec<usize>,
    },
    /// Nothing is known of it.
    Unknown,
}

/// w̃.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Offset {
    /// w̃ within the span of the rows on the margin, plus the part of w(0) that no row reaches.
    pub vector: Vec<f64>,
    /// η e^{−z_n·w̃} of the rows on the margin, in the order of [`MaxMargin::on_margin`]: the multipliers that descent chooses.
    pub multipliers: Vec<f64>,
    /// Whether the rows on the margin span all rows, so that nothing of w̃ is left open.
    pub spans: bool,
    /// ‖Σ η e^{−z_n·w̃} z_n − ŵ‖/‖ŵ‖.
    pub residual: f64,
    /// Orthonormal basis of what the rows on the margin span, `[dimension, rank]`.
    pub basis: DMatrix<f64>,
}

/// What ρ(t) does for descent with step size `rate` (η; with momentum μ, η/(1 − μ)) from `start`.
pub(super) fn remainder(rows: &Rows, best: &MaxMargin, rate: f64, start: &[f64]) -> Remainder {
    let held = rows.select(&best.on_margin);
    let zero = never_positive(&held, best);
    if zero.is_empty() {
        return newton(rows, &held, best, rate, start).map_or(Remainder::Unknown, Remainder::Constant);
    }
    let positive: Vec<usize> = (0..held.len()).filter(|at| !zero.contains(at)).collect();
    let basis = held.select(&positive).basis();
    let outside: Vec<f64> = zero.iter().flat_map(|&at| across_span(&basis, held.row(at))).collect();
    match separate(&Rows::new(rows.dimension(), outside)) {
        Separation::Separable(second) => {
            Remainder::LogLog { second: second.direction, zero: zero.iter().map(|&at| best.on_margin[at]).collect() }
        }
        Separation::Inseparable { .. } => Remainder::Unknown,
    }
}

fn across_span(basis: &DMatrix<f64>, z: &[f64]) -> Vec<f64> {
    let inside = within(basis, z);
    z.iter().zip(inside).map(|(x, y)| x - y).collect()
}

/// Rows (of those on the margin) whose multiplier is 0 in every solution: ŵ less a little of them is no more in the cone of the rows.
fn never_positive(held: &Rows, best: &MaxMargin) -> Vec<usize> {
    let columns = held.matrix().transpose();
    let total = best.total_multiplier();
    let length = norm(&best.direction);
    let is_zero = |at: &usize| {
        if best.multipliers[best.on_margin[*at]] > 1e-9 * total {
            return false;
        }
        let mut target = best.direction.clone();
        add(&mut target, -1e-4 * total / held.len() as f64, held.row(*at));
        let target = DVector::from_vec(target);
        (&columns * least_squares(&columns, &target) - &target).norm() > 1e-9 * length
    };
    (0..held.len()).filter(is_zero).collect()
}

/// Minimises η Σ e^{−z_n·w̃} + ŵ·w̃, which is convex and whose gradient is the equation for w̃, over the span of the rows on the
/// margin. With dependent rows the multipliers are not unique, and this is what chooses among them.
fn newton(rows: &Rows, held: &Rows, best: &MaxMargin, rate: f64, start: &[f64]) -> Option<Offset> {
    let basis = held.basis();
    let inner = held.matrix() * &basis;
    let aim = basis.tr_mul(&DVector::from_column_slice(&best.direction));
    let size = aim.norm();
    let level = -libm::log(best.total_multiplier() / held.len() as f64 / rate);
    let mut at = inner.clone().svd(true, true).solve(&DVector::from_element(held.len(), level), 1e-12).ok()?;
    let pulls = |at: &DVector<f64>| (&inner * at).map(|u| rate * libm::exp(-u));
    let value = |at: &DVector<f64>| pulls(at).sum() + aim.dot(at);
    for _ in 0..200 {
        let now = pulls(&at);
        let slope = &aim - inner.tr_mul(&now);
        if slope.norm() < 1e-14 * size {
            break;
        }
        let bend = inner.tr_mul(&DMatrix::from_fn(inner.nrows(), inner.ncols(), |r, c| now[r] * inner[(r, c)]));
        let step = bend.lu().solve(&slope)?;
        let decrease = slope.dot(&step);
        let mut share = 1.0;
        // Near the minimum the value no longer changes in f64, and whole steps are right.
        while decrease > 1e-12 * size && value(&(&at - share * &step)) > value(&at) - 1e-4 * share * decrease && share > 1e-12 {
            share *= 0.5;
        }
        at -= share * step;
    }
    let multipliers: Vec<f64> = pulls(&at).iter().copied().collect();
    let residual = norm(&super::rows::plus(&held.combine(&multipliers), -1.0, &best.direction)) / norm(&best.direction);
    if !residual.is_finite() || residual > 1e-8 {
        return None;
    }
    let mut vector: Vec<f64> = (&basis * at).iter().copied().collect();
    let all = rows.basis();
    add(&mut vector, 1.0, &across_span(&all, start));
    Some(Offset { vector, multipliers, spans: all.ncols() == basis.ncols(), residual, basis })
}

impl Offset {
    /// lim angle(w, ŵ)·log t = ‖w̃ across ŵ‖/‖ŵ‖.
    pub(super) fn angle_constant(&self, best: &MaxMargin) -> f64 {
        norm(&across(&self.vector, &best.direction)) * best.margin()
    }

    /// lim (1/‖ŵ‖ − min_n z_n·w/‖w‖)·log t = (ŵ·w̃/‖ŵ‖² − min z_n·w̃)/‖ŵ‖ over the rows on the margin.
    pub(super) fn gap_constant(&self, rows: &Rows, best: &MaxMargin) -> f64 {
        let along = dot(&best.direction, &self.vector) * best.margin() * best.margin();
        (along - rows.select(&best.on_margin).smallest_margin(&self.vector)) * best.margin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solved(rows: &Rows) -> MaxMargin {
        match separate(rows) {
            Separation::Separable(found) => found,
            other => panic!("{other:?}"),
        }
    }

    fn constant(rows: &Rows, rate: f64, start: &[f64]) -> Offset {
        match remainder(rows, &solved(rows), rate, start) {
            Remainder::Constant(offset) => offset,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_pair_has_the_published_offset() {
        let rows = Rows::new(2, vec![0.0, 2.0, 1.5, 0.5]);
        let offset = constant(&rows, 0.25, &[0.0, 0.0]);
        // 2 w̃₂ = log(η/α₁) and 1.5 w̃₁ + .5 w̃₂ = log(η/α₂).
        let second = libm::log(0.25 * 6.0) / 2.0;
        let first = (libm::log(0.25 * 3.0) - 0.5 * second) / 1.5;
        assert!((offset.vector[0] - first).abs() < 1e-14 && (offset.vector[1] - second).abs() < 1e-14, "{offset:?}");
        assert!((first + 0.2594).abs() < 5e-5 && (second - 0.2027).abs() < 5e-5);
        assert!(offset.spans && offset.residual < 1e-14);
    }

    #[test]
    fn with_independent_rows_newton_gives_the_solution_of_the_linear_system() {
        let rows = Rows::new(3, vec![1.0, 0.2, 0.1, 0.1, 0.9, -0.2, 0.3, 0.1, 0.8]);
        let best = solved(&rows);
        assert_eq!(best.on_margin.len(), 3);
        let offset = constant(&rows, 0.7, &[0.0; 3]);
        for (at, z) in rows.iter().enumerate() {
            let u = -libm::log(best.multipliers[at] / 0.7);
            assert!((dot(z, &offset.vector) - u).abs() < 1e-12);
        }
    }

    #[test]
    fn equal_rows_share_their_multiplier() {
        let rows = Rows::new(2, vec![0.5, 1.5, 1.5, 0.5, 0.5, 1.5, 1.5, 0.5]);
        let offset = constant(&rows, 0.25, &[0.0; 2]);
        for alpha in &offset.multipliers {
            assert!((alpha - 0.125).abs() < 1e-13, "{:?}", offset.multipliers);
        }
    }

    #[test]
    fn what_no_row_reaches_stays_as_it_began() {
        let rows = Rows::new(3, vec![1.0, 0.0, 0.0, 0.4, 1.0, 0.0]);
        let offset = constant(&rows, 0.5, &[3.0, 4.0, 5.0]);
        assert!((offset.vector[2] - 5.0).abs() < 1e-14 && offset.spans);
    }

    #[test]
    fn a_row_on_the_margin_without_a_multiplier_gives_a_log_log() {
        let rows = Rows::new(2, vec![1.0, 0.0, 1.0, 1.0]);
        match remainder(&rows, &solved(&rows), 0.25, &[0.0; 2]) {
            Remainder::LogLog { second, zero } => {
                assert_eq!(zero, [1]);
                assert!(second[0].abs() < 1e-12 && (second[1] - 1.0).abs() < 1e-12);
            }
            other => panic!("{other:?}"),
        }
    }
}
