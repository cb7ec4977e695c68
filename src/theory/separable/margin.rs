//! The hard-margin support vector machine with a certificate: where gradient descent on separable data goes.
//!
//! A solver that merely stops would make every comparison with it circular. Here the answer carries what proves it: multipliers
//! and a duality gap if the data are separable, a convex combination that is 0 if they are not. Solved as a least distance problem
//! by non-negative least squares (Lawson and Hanson 1974, chapter 23), then once more exactly on the support.

use super::nonnegative::least_squares;
use super::rows::{Rows, dot, norm};
use nalgebra::{DMatrix, DVector};

/// ŵ = argmin ‖w‖ with z_n·w ≥ 1 for all n.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::theory) struct MaxMargin {
    /// ŵ; the margin is 1/‖ŵ‖.
    pub direction: Vec<f64>,
    /// α_n ≥ 0 of every row, with ŵ = Σα_n z_n; not unique if rows on the margin depend on each other.
    pub multipliers: Vec<f64>,
    /// Rows with z_n·ŵ = 1, to 1e-8.
    pub on_margin: Vec<usize>,
}

/// Whether one hyperplane through the origin has all rows on one side.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::theory) enum Separation {
    /// It has.
    Separable(MaxMargin),
    /// It has not: these weights, which are ≥ 0 and add up to 1, combine the rows to a vector of this length, 0 to rounding.
    Inseparable {
        /// One per row.
        weights: Vec<f64>,
        /// ‖Σ p_n z_n‖ over the longest row.
        residual: f64,
    },
}

/// Margin over longest row below which data count as not separable: the multipliers lose twice as many digits as it has zeros.
const SMALLEST_MARGIN: f64 = 1e-6;

/// Finds ŵ, or shows that there is none.
pub(in crate::theory) fn separate(rows: &Rows) -> Separation {
    let longest = rows.longest();
    let unit = rows.scaled(if longest > 0.0 { 1.0 / longest } else { 1.0 });
    // min ‖Zᵀu‖² + (1 − Σu)² over u ≥ 0; at the minimum Σu = 1/(1 + γ²) and ‖Zᵀu‖ = γΣu, so γ = 0 is read off without dividing.
    let (n, d) = (unit.len(), unit.dimension());
    let columns = DMatrix::from_fn(d + 1, n, |r, c| if r < d { unit.row(c)[r] } else { 1.0 });
    let target = DVector::from_fn(d + 1, |r, _| if r == d { 1.0 } else { 0.0 });
    let u = least_squares(&columns, &target);
    let sum = u.sum();
    let weights: Vec<f64> = u.iter().map(|value| value / sum).collect();
    let margin = norm(&unit.combine(&weights));
    if margin < SMALLEST_MARGIN {
        return Separation::Inseparable { weights, residual: margin };
    }
    let support: Vec<usize> = (0..n).filter(|&at| u[at] > 0.0).collect();
    // On the support every margin is 1: (ZZᵀ)α = 1. The combination above has the same α up to the rounding of 1 − Σu.
    let vectors = rows.select(&support).matrix();
    let gram = &vectors * vectors.transpose();
    let square = margin * longest * margin * longest;
    let rough = DVector::from_iterator(support.len(), support.iter().map(|&at| weights[at] / square));
    let exact = gram.lu().solve(&DVector::from_element(support.len(), 1.0)).filter(|a| a.iter().all(|&x| x > 0.0));
    let mut multipliers = vec![0.0; n];
    for (at, value) in support.into_iter().zip(exact.unwrap_or(rough).iter()) {
        multipliers[at] = *value;
    }
    let direction = rows.combine(&multipliers);
    let on_margin = (0..n).filter(|&at| dot(rows.row(at), &direction) <= 1.0 + 1e-8).collect();
    Separation::Separable(MaxMargin { direction, multipliers, on_margin })
}

impl MaxMargin {
    /// 1/‖ŵ‖.
    pub(super) fn margin(&self) -> f64 {
        1.0 / norm(&self.direction)
    }

    /// Σα_n, which is ‖ŵ‖² at the optimum.
    pub(super) fn total_multiplier(&self) -> f64 {
        self.multipliers.iter().sum()
    }

    /// Relative duality gap: (primal − dual)/primal = (‖ŵ‖² − Σα)/(½‖ŵ‖²) where ŵ = Σα_n z_n. Weak duality bounds the distance to the
    /// true optimum by it, if the rows' margins are at least 1 and the multipliers at least 0.
    pub(in crate::theory) fn gap(&self) -> f64 {
        let square = dot(&self.direction, &self.direction);
        2.0 * (square - self.total_multiplier()) / square
    }

    /// The largest violation of the optimality conditions: margins below 1, negative multipliers and α_n(z_n·ŵ − 1) ≠ 0 (the last two
    /// over Σα), and the duality gap.
    pub(super) fn violation(&self, rows: &Rows) -> f64 {
        let total = self.total_multiplier();
        let conditions = rows.iter().zip(&self.multipliers).map(|(z, alpha)| {
            let slack = dot(z, &self.direction) - 1.0;
            (-slack).max(-alpha / total).max((alpha * slack / total).abs())
        });
        conditions.fold(self.gap().abs(), f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    fn solved(rows: &Rows) -> MaxMargin {
        match separate(rows) {
            Separation::Separable(found) => found,
            other => panic!("{other:?}"),
        }
    }

    /// n normal rows with z·(1, 1, …) ≥ gap.
    fn cloud(stream: &mut Stream, n: usize, d: usize, gap: f64) -> Rows {
        let mut values = Vec::new();
        while values.len() < n * d {
            let z: Vec<f64> = (0..d).map(|_| stream.normal()).collect();
            let side = z.iter().sum::<f64>();
            if side.abs() >= gap {
                values.extend(z.iter().map(|x| x * side.signum()));
            }
        }
        Rows::new(d, values)
    }

    /// The shortest w with all margins ≥ 1, over all sets of at most `d` rows that could hold it up.
    fn by_enumeration(rows: &Rows) -> f64 {
        let (n, d) = (rows.len(), rows.dimension());
        let sets = (1..1usize << n).filter(|set| set.count_ones() as usize <= d);
        let lengths = sets.filter_map(|set| {
            let which: Vec<usize> = (0..n).filter(|at| set >> at & 1 == 1).collect();
            let z = rows.select(&which).matrix();
            let alpha = (&z * z.transpose()).lu().solve(&DVector::from_element(which.len(), 1.0))?;
            let w = z.tr_mul(&alpha);
            (rows.smallest_margin(w.as_slice()) >= 1.0 - 1e-9).then(|| w.norm())
        });
        lengths.fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn the_pair_has_the_closed_form() {
        let found = solved(&Rows::new(2, vec![0.0, 2.0, 1.5, 0.5]));
        for (ours, truth) in found.direction.iter().zip([0.5, 0.5]).chain(found.multipliers.iter().zip([1.0 / 6.0, 1.0 / 3.0])) {
            assert!((ours - truth).abs() < 1e-14, "{ours} is not {truth}");
        }
        assert_eq!(found.on_margin, [0, 1]);
    }

    #[test]
    fn brute_force_finds_nothing_shorter_in_two_and_three_dimensions() {
        let mut stream = Stream::new(1, Purpose::Theory, 0);
        for d in [2, 3] {
            for _ in 0..40 {
                let rows = cloud(&mut stream, 9, d, 0.3);
                let found = solved(&rows);
                let truth = by_enumeration(&rows);
                assert!((norm(&found.direction) / truth - 1.0).abs() < 1e-9, "{} is not {truth}", norm(&found.direction));
                assert!(found.violation(&rows) < 1e-10, "{}", found.violation(&rows));
            }
        }
    }

    #[test]
    fn twenty_dimensions_are_certified_too() {
        let mut stream = Stream::new(2, Purpose::Theory, 0);
        let rows = cloud(&mut stream, 60, 20, 0.5);
        let found = solved(&rows);
        assert!(found.violation(&rows) < 1e-9, "{}", found.violation(&rows));
        assert!(found.on_margin.len() <= 20);
    }

    #[test]
    fn a_violated_condition_shows() {
        let rows = Rows::new(2, vec![0.0, 2.0, 1.5, 0.5]);
        let mut wrong = solved(&rows);
        wrong.multipliers = vec![0.2, 0.3];
        wrong.direction = rows.combine(&wrong.multipliers);
        assert!(wrong.violation(&rows) > 0.01);
    }

    #[test]
    fn inseparable_data_come_with_a_combination_that_is_zero() {
        let mut stream = Stream::new(3, Purpose::Theory, 0);
        let mut seen = 0;
        for _ in 0..40 {
            let rows = Rows::new(2, (0..12).map(|_| stream.normal()).collect());
            // In the plane: separable iff some half-plane of angles holds them all.
            let mut angles: Vec<f64> = rows.iter().map(|z| libm::atan2(z[1], z[0])).collect();
            angles.sort_by(f64::total_cmp);
            let turn = core::f64::consts::TAU;
            let widest = (0..angles.len())
                .map(|at| if at == 0 { angles[0] + turn - angles[angles.len() - 1] } else { angles[at] - angles[at - 1] })
                .fold(0.0, f64::max);
            match separate(&rows) {
                Separation::Separable(_) => assert!(widest > turn / 2.0),
                Separation::Inseparable { weights, residual } => {
                    seen += 1;
                    assert!(widest <= turn / 2.0 && residual < 1e-12);
                    assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12 && weights.iter().all(|&p| p >= 0.0));
                    assert!(norm(&rows.combine(&weights)) < 1e-12 * rows.longest());
                }
            }
        }
        assert!(seen > 10);
    }

    #[test]
    fn a_thin_margin_is_found_to_many_digits() {
        // (1, ε) and (−1, ε): ŵ = (0, 1/ε).
        let found = solved(&Rows::new(2, vec![1.0, 1e-4, -1.0, 1e-4]));
        assert!((found.direction[1] * 1e-4 - 1.0).abs() < 1e-7, "{:?}", found.direction);
    }
}
