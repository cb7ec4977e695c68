//! Landau's free energy from samples: P(m) ∝ e^{−F(m)} with a polynomial F, by maximum likelihood.
//!
//! F(m) = ½a·m² + ¼b·m⁴ + ⅙c·m⁶ supposes that m and −m are alike. A test accuracy has no such symmetry, and one order parameter
//! without it has odd terms; so the powers are given: 2, 4, 6 of |m| for spins, 1 to 4 for a network. The likelihood is that of an
//! exponential family, so it has one maximum. Rejected: −log of a histogram, whose empty bins are infinite and are just where the
//! barrier is.

use nalgebra::{DMatrix, DVector};

/// Cells of the interval on which m lives.
const GRID: usize = 240;
/// Weight of Σ c² against one seed's log-likelihood: nothing beside data that settle F, and an end where all seeds agree and F
/// would be infinite.
const TETHER: f64 = 1e-8;

/// A fitted free energy, in units of the noise: differences are logarithms of ratios of probabilities.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Landau {
    powers: Vec<i32>,
    /// Coefficient of each power.
    pub coefficients: Vec<f64>,
    /// (m, F, probability density), ascending in m; F is 0 at its least.
    pub course: Vec<(f64, f64, f64)>,
}

/// Minima of F.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wells {
    /// m of the minima, ascending; an end of the interval can be one.
    pub places: Vec<f64>,
    /// Of the two deepest: how far F has to rise from the shallower one to get to the other; 0 if there is one minimum.
    pub barrier: f64,
}

/// Fits to `(m, weight)`, weights adding up to 1, on `[low, high]`; `None` if it does not converge.
pub(super) fn landau(weighted: &[(f64, f64)], [low, high]: [f64; 2], powers: &[i32]) -> Option<Landau> {
    let width = (high - low) / GRID as f64;
    let grid: Vec<f64> = (0..GRID).map(|i| low + (i as f64 + 0.5) * width).collect();
    let count = powers.len();
    let features: Vec<Vec<f64>> = grid.iter().map(|m| powers.iter().map(|power| m.powi(*power)).collect()).collect();
    let target: Vec<f64> = powers.iter().map(|power| weighted.iter().map(|(m, w)| w * m.powi(*power)).sum()).collect();
    let energy = |c: &DVector<f64>, row: &[f64]| c.iter().zip(row).map(|(c, f)| c * f).sum::<f64>();
    // Negative log-likelihood per seed with its first two derivatives.
    let weigh = |c: &DVector<f64>| {
        let energies: Vec<f64> = features.iter().map(|row| energy(c, row)).collect();
        let least = energies.iter().copied().fold(f64::INFINITY, f64::min);
        let weights: Vec<f64> = energies.iter().map(|e| libm::exp(least - e)).collect();
        let total: f64 = weights.iter().sum();
        let value =
            c.iter().zip(&target).map(|(c, t)| c * t).sum::<f64>() - least + libm::log(total) + 0.5 * TETHER * c.norm_squared();
        (value, weights, total)
    };
    let mut at = DVector::zeros(count);
    let (mut value, mut weights, mut total) = weigh(&at);
    for _ in 0..100 {
        let mean = |i: usize| features.iter().zip(&weights).map(|(row, w)| w * row[i]).sum::<f64>() / total;
        let means: Vec<f64> = (0..count).map(mean).collect();
        let gradient = DVector::from_fn(count, |i, _| target[i] - means[i] + TETHER * at[i]);
        let curvature = DMatrix::from_fn(count, count, |i, j| {
            let together =
                features.iter().zip(&weights).map(|(row, w)| w * (row[i] - means[i]) * (row[j] - means[j])).sum::<f64>();
            together / total + if i == j { TETHER } else { 0.0 }
        });
        let step = curvature.cholesky()?.solve(&gradient);
        let promised = step.dot(&gradient);
        if promised < 1e-13 {
            return Some(Landau::new(powers, &at, &grid, &features, width));
        }
        // Half steps until the likelihood rises.
        let mut part = 1.0;
        loop {
            let next = &at - part * &step;
            let tried = weigh(&next);
            if tried.0 <= value - 1e-4 * part * promised {
                at = next;
                (value, weights, total) = tried;
                break;
            }
            part *= 0.5;
            if part < 1e-9 {
                // As far down as rounding lets it.
                return (promised < 1e-8).then(|| Landau::new(powers, &at, &grid, &features, width));
            }
        }
    }
    None
}

impl Landau {
    fn new(powers: &[i32], at: &DVector<f64>, grid: &[f64], features: &[Vec<f64>], width: f64) -> Self {
        let energies: Vec<f64> = features.iter().map(|row| at.iter().zip(row).map(|(c, f)| c * f).sum()).collect();
        let least = energies.iter().copied().fold(f64::INFINITY, f64::min);
        let total: f64 = energies.iter().map(|e| libm::exp(least - e)).sum::<f64>() * width;
        let course = grid.iter().zip(&energies).map(|(m, e)| (*m, e - least, libm::exp(least - e) / total)).collect();
        Self { powers: powers.to_vec(), coefficients: at.iter().copied().collect(), course }
    }

    /// a, b, c of ½a·m² + ¼b·m⁴ + ⅙c·m⁶ per unit of `size`, where F has those powers.
    pub fn even(&self, size: f64) -> Option<[f64; 3]> {
        (self.powers == [2, 4, 6]).then(|| std::array::from_fn(|i| self.coefficients[i] * f64::from(self.powers[i]) / size))
    }

    /// The minima of F.
    pub fn wells(&self) -> Wells {
        let energy = |index: usize| self.course[index].1;
        let last = self.course.len() - 1;
        let is_minimum = |&index: &usize| {
            (index == 0 || energy(index - 1) > energy(index)) && (index == last || energy(index + 1) > energy(index))
        };
        let minima: Vec<usize> = (0..=last).filter(is_minimum).collect();
        let mut deepest = minima.clone();
        deepest.sort_by(|a, b| energy(*a).total_cmp(&energy(*b)));
        let barrier = match deepest[..] {
            [first, second, ..] => {
                let top = (first.min(second)..=first.max(second)).map(energy).fold(0.0, f64::max);
                top - energy(second)
            }
            _ => 0.0,
        };
        Wells { places: minima.iter().map(|index| self.course[*index].0).collect(), barrier }
    }
}

/// Where a phase of ½a·m² + ¼b·m⁴ + ⅙c·m⁶ begins or ends, as the value of a at given b < 0 and c > 0: the ordered phase first
/// exists below b²/(4c), weighs as much as the other at 3b²/(16c), and the disordered one ends at 0. `None` if b ≥ 0: then all
/// three are one, a = 0.
pub(super) fn borders(b: f64, c: f64) -> Option<[f64; 3]> {
    (b < 0.0 && c > 0.0).then(|| [b * b / (4.0 * c), 3.0 * b * b / (16.0 * c), 0.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(coefficients: [f64; 3]) -> Vec<(f64, f64)> {
        let of = |m: f64| libm::exp(-(coefficients[0] * m.powi(2) + coefficients[1] * m.powi(4) + coefficients[2] * m.powi(6)));
        let grid: Vec<f64> = (0..GRID).map(|i| (i as f64 + 0.5) / GRID as f64).collect();
        let total: f64 = grid.iter().map(|m| of(*m)).sum();
        grid.iter().map(|m| (*m, of(*m) / total)).collect()
    }

    #[test]
    fn a_planted_free_energy_is_found_again_with_its_wells_and_barrier() {
        // Wells at 0 and at m₀² = ¾ of equal depth: b² = 16ac/3.
        let (b, c) = (-4.0 * 24.0, 4.0 * 96.0 / 3.0 * 0.75);
        let a = 3.0 * b * b / (16.0 * c);
        let planted = [a / 2.0, b / 4.0, c / 6.0];
        let found = landau(&exact(planted), [0.0, 1.0], &[2, 4, 6]).unwrap();
        for (value, known) in found.coefficients.iter().zip(planted) {
            assert!((value / known - 1.0).abs() < 1e-4, "{found:?}");
        }
        let [fitted, ..] = found.even(1.0).unwrap();
        assert!((fitted / a - 1.0).abs() < 1e-4);
        assert_eq!(borders(b, c).map(|at| at[1]), Some(a));
        assert_eq!(borders(1.0, c), None);
        let wells = found.wells();
        // Closed form: minima at m² = −3b/(4c), the top at a third of that.
        let place = libm::sqrt(-0.75 * b / c);
        let energy = |m: f64| planted[0] * m.powi(2) + planted[1] * m.powi(4) + planted[2] * m.powi(6);
        assert!((wells.places[1] - place).abs() < 0.01 && wells.places[0] < 0.01, "{wells:?} {place}");
        assert!((wells.barrier - energy(place / libm::sqrt(3.0))).abs() < 0.05, "{wells:?}");
    }

    #[test]
    fn seeds_that_all_agree_have_one_deep_well_and_no_infinity() {
        let found = landau(&[(0.7, 1.0)], [0.0, 1.0], &[1, 2, 3, 4]).unwrap();
        let wells = found.wells();
        assert!(found.coefficients.iter().all(|c| c.is_finite()) && wells.places.len() == 1, "{wells:?}");
        assert!((wells.places[0] - 0.7).abs() < 0.02 && wells.barrier == 0.0);
    }

    #[test]
    fn a_lopsided_accuracy_of_two_kinds_has_two_wells() {
        let values = [0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.9, 0.95, 0.97, 0.99, 1.0, 0.85];
        let weighted: Vec<(f64, f64)> = values.iter().map(|m| (*m, 1.0 / 12.0)).collect();
        let wells = landau(&weighted, [0.0, 1.0], &[1, 2, 3, 4]).unwrap().wells();
        assert!(wells.places.len() == 2 && wells.barrier > 1.0, "{wells:?}");
    }
}
