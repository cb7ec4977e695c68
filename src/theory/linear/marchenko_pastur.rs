//! Averages over the Marchenko–Pastur law, to rounding.
//!
//! The density of the eigenvalues of XᵀX/N begins and ends like a square root (at λ = 1 even like its inverse), and late in
//! training everything hangs on its lower edge: a rule with even steps in ν is off by per cent there. With
//! ν = (1 − √λ)² + 4√λ·sin²(δ/2) both roots cancel and dμ = (2/π)·sin²δ/ν dδ is smooth; Gauss–Legendre panels that halve towards
//! δ = 0 resolve the edge at any λ and time. Not chosen: one trapezoid over δ, which converges like λⁿ and fails near λ = 1.

use core::f64::consts::PI;

/// Gauss–Legendre nodes per panel.
const NODES: usize = 16;

/// Panels, each half as long as the one before; the last reaches the edge.
const PANELS: usize = 16;

/// The law with ratio λ = d/N, as nodes and weights.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MarchenkoPastur {
    ratio: f64,
    /// `(ν, weight)`; the weights add up to min(1, 1/λ).
    nodes: Vec<(f64, f64)>,
}

impl MarchenkoPastur {
    /// The law of `ratio` = λ > 0.
    pub(crate) fn new(ratio: f64) -> Self {
        let rule = gauss_legendre(NODES);
        let root = libm::sqrt(ratio);
        let mut nodes = Vec::with_capacity(NODES * PANELS);
        let mut right = PI;
        for panel in 0..PANELS {
            let left = if panel + 1 == PANELS { 0.0 } else { right / 2.0 };
            for &(x, weight) in &rule {
                let half = (right - left) / 2.0;
                let delta = left + half * (1.0 + x);
                let (sine, half_sine) = (libm::sin(delta), libm::sin(delta / 2.0));
                let eigenvalue = (1.0 - root) * (1.0 - root) + 4.0 * root * half_sine * half_sine;
                nodes.push((eigenvalue, half * weight * 2.0 / PI * sine * sine / eigenvalue));
            }
            right = left;
        }
        Self { ratio, nodes }
    }

    /// Least eigenvalue that is not 0: (1 − √λ)².
    pub(crate) fn lower_edge(&self) -> f64 {
        let gap = 1.0 - libm::sqrt(self.ratio);
        gap * gap
    }

    /// Largest eigenvalue: (1 + √λ)².
    pub(crate) fn upper_edge(&self) -> f64 {
        let sum = 1.0 + libm::sqrt(self.ratio);
        sum * sum
    }

    /// Share of eigenvalues that are exactly 0: 1 − 1/λ above λ = 1.
    pub(crate) fn share_at_zero(&self) -> f64 {
        (1.0 - 1.0 / self.ratio).max(0.0)
    }

    /// E\[f(ν)\], with the eigenvalues at 0.
    pub(crate) fn average(&self, f: impl Fn(f64) -> f64) -> f64 {
        let at_zero = self.share_at_zero();
        let zero = if at_zero > 0.0 { at_zero * f(0.0) } else { 0.0 };
        zero + self.nodes.iter().map(|&(eigenvalue, weight)| weight * f(eigenvalue)).sum::<f64>()
    }
}

/// Nodes and weights on [−1, 1], by Newton's method on the recursion of the Legendre polynomials.
pub(crate) fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let node = |index: usize| {
        let mut x = libm::cos(PI * (index as f64 + 0.75) / (count as f64 + 0.5));
        let mut slope = 0.0;
        // Tricomi's start is within 1e-3 of the root, so six doublings of the digits are more than enough.
        for _ in 0..8 {
            let (mut before, mut value) = (1.0, x);
            for degree in 2..=count {
                let degree = degree as f64;
                (before, value) = (value, ((2.0 * degree - 1.0) * x * value - (degree - 1.0) * before) / degree);
            }
            slope = count as f64 * (x * value - before) / (x * x - 1.0);
            x -= value / slope;
        }
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..count).map(node).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-11 * expected.abs().max(1.0), "{found} instead of {expected}");
    }

    #[test]
    fn the_rule_is_exact_for_polynomials_up_to_twice_its_nodes() {
        let rule = gauss_legendre(5);
        let integral = |power: i32| rule.iter().map(|(x, w)| w * x.powi(power)).sum::<f64>();
        assert!((integral(8) - 2.0 / 9.0).abs() < 1e-14 && integral(9).abs() < 1e-15);
        assert!((integral(10) - 2.0 / 11.0).abs() > 1e-4, "a rule of five nodes is not exact at degree 10");
    }

    #[test]
    fn moments_are_those_of_the_closed_forms() {
        for ratio in [1e-6, 0.1, 0.5, 0.9, 0.999, 1.0, 1.3, 4.0] {
            let law = MarchenkoPastur::new(ratio);
            // Narayana polynomials: Σ_k N(n, k)·λ^{k−1}.
            near(law.average(|_| 1.0), 1.0);
            near(law.average(|v| v), 1.0);
            near(law.average(|v| v * v), 1.0 + ratio);
            near(law.average(|v| v.powi(3)), 1.0 + 3.0 * ratio + ratio * ratio);
            near(law.average(|v| v.powi(4)), 1.0 + 6.0 * ratio + 6.0 * ratio * ratio + ratio.powi(3));
        }
    }

    #[test]
    fn the_mean_inverse_is_one_over_one_less_the_ratio() {
        for ratio in [0.2, 0.5, 0.9, 0.99] {
            near(MarchenkoPastur::new(ratio).average(|v| 1.0 / v) * (1.0 - ratio), 1.0);
        }
    }

    #[test]
    fn many_rows_for_each_dimension_leave_one_eigenvalue() {
        let law = MarchenkoPastur::new(1e-8);
        assert!((law.average(|v| libm::exp(-3.0 * v)) - libm::exp(-3.0)).abs() < 1e-7);
    }

    #[test]
    fn late_averages_follow_the_laplace_asymptote_of_the_edge() {
        // Near the edge the density is √(ν₊ − ν₋)·√(ν − ν₋)/(2πλν₋), so E[e^{−aν}] → that · Γ(3/2)·a^{−3/2}·e^{−aν₋}.
        let (ratio, time) = (0.5, 1e6);
        let law = MarchenkoPastur::new(ratio);
        let edge = law.lower_edge();
        let scaled = law.average(|v| libm::exp(-time * (v - edge)));
        let front = libm::sqrt(law.upper_edge() - edge) / (2.0 * PI * ratio * edge);
        let asymptote = front * libm::sqrt(PI) / 2.0 * libm::pow(time, -1.5);
        assert!((scaled / asymptote - 1.0).abs() < 1e-4, "{scaled} {asymptote}");
    }
}
