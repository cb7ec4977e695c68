//! Finite-size scaling: whether curves of all sizes become one as m = N^{−β/ν}·g((x − x_c)·N^{1/ν}), and with which exponents.
//!
//! Collapses by eye persuade of anything. Here the distance of each point from the curves of the other sizes is measured in its own
//! errors (Houdayer and Hartmann 2004, with the line through the two neighbours in place of their local fit), so that a quality near 1
//! means "as good as the seeds can tell" and a large one means that there is no such g. Exponents are those of the number of units
//! N, not of a length: ν here is the textbook's ν times the dimension.

use super::samples::Curve;

/// Added to the spread of m in its standard error, so that a cell in which all seeds agree does not weigh infinitely.
const LEAST_SPREAD: f64 = 0.01;
/// Largest 1/ν and β/ν, by amount, that are tried. Per unit of N no transition steepens faster than with 1/ν = 1, the first-order one;
/// without an end a descent runs off to where all of one curve lies under one step of the next.
const STEEPEST: f64 = 1.5;
/// Evaluations of the cost from one start.
const MOST_TRIALS: usize = 160;

/// A fitted collapse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Collapse {
    /// x_c.
    pub critical: f64,
    /// β/ν.
    pub beta_over_nu: f64,
    /// 1/ν.
    pub inverse_nu: f64,
    /// Mean squared distance in standard errors.
    pub quality: f64,
}

/// One curve in scaled variables: (x, y, error).
type Scaled = Vec<(f64, f64, f64)>;

/// `curves` in the variables of `collapse`, N in units of the geometric mean of all sizes.
pub(super) fn scaled(curves: &[Curve], [critical, beta, inverse_nu]: [f64; 3]) -> Vec<Scaled> {
    let log_size = curves.iter().map(|curve| libm::log(curve.size)).sum::<f64>() / curves.len() as f64;
    let of = |curve: &Curve| {
        let log = libm::log(curve.size) - log_size;
        let (stretch, lift) = (libm::exp(inverse_nu * log), libm::exp(beta * log));
        let point = |(control, found): &(f64, super::samples::Moments)| {
            let error = libm::sqrt((found.variance + LEAST_SPREAD * LEAST_SPREAD) / found.count);
            ((control - critical) * stretch, found.mean * lift, error * lift)
        };
        curve.points.iter().map(point).collect()
    };
    curves.iter().map(of).collect()
}

/// Mean over points of one size and curves of the others of the squared distance over its variance; infinite where fewer than half
/// of all points lie over another curve, because curves that do not overlap cannot disagree, and beyond [`STEEPEST`].
fn cost(curves: &[Curve], parameters: [f64; 3]) -> f64 {
    if parameters[1..].iter().any(|exponent| exponent.abs() > STEEPEST) {
        return f64::INFINITY;
    }
    let all = scaled(curves, parameters);
    let (mut total, mut count, mut most) = (0.0, 0, 0);
    for (own, points) in all.iter().enumerate() {
        for (_, line) in all.iter().enumerate().filter(|(other, _)| *other != own) {
            most += points.len();
            for &(x, y, error) in points {
                let after = line.partition_point(|point| point.0 <= x);
                let (Some(left), Some(right)) = (after.checked_sub(1).and_then(|i| line.get(i)), line.get(after)) else {
                    continue;
                };
                let part = (x - left.0) / (right.0 - left.0);
                let expected = left.1 + part * (right.1 - left.1);
                let variance = error * error + libm::pow((1.0 - part) * left.2, 2.0) + libm::pow(part * right.2, 2.0);
                total += (y - expected) * (y - expected) / variance;
                count += 1;
            }
        }
    }
    if 2 * count < most { f64::INFINITY } else { total / f64::from(count.max(1) as u32) }
}

/// The best collapse from each of `starts`; `None` if nothing overlaps or there is one size.
pub(super) fn collapse(curves: &[Curve], starts: &[[f64; 3]]) -> Option<Collapse> {
    let (first, last) = (curves.first()?.points.first()?.0, curves.first()?.points.last()?.0);
    let steps = [0.1 * (last - first), 0.1, 0.2];
    let found = starts.iter().map(|start| descend(|at| cost(curves, at), *start, steps));
    let ([critical, beta_over_nu, inverse_nu], quality) = found.min_by(|a, b| a.1.total_cmp(&b.1))?;
    (curves.len() > 1 && quality.is_finite()).then_some(Collapse { critical, beta_over_nu, inverse_nu, quality })
}

impl Collapse {
    /// Its parameters in the order of [`scaled`].
    pub fn parameters(&self) -> [f64; 3] {
        [self.critical, self.beta_over_nu, self.inverse_nu]
    }
}

/// The simplex descent of Nelder and Mead (1965) in three variables: the cost has kinks where a point passes a neighbour, which a
/// gradient would trip over.
fn descend(of: impl Fn([f64; 3]) -> f64, start: [f64; 3], steps: [f64; 3]) -> ([f64; 3], f64) {
    let corner = |i: usize| std::array::from_fn(|k| start[k] + if k + 1 == i { steps[k] } else { 0.0 });
    let mut simplex: [([f64; 3], f64); 4] = std::array::from_fn(|i| (corner(i), of(corner(i))));
    let mut trials = 4;
    while trials < MOST_TRIALS {
        simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
        let [best, _, third, worst] = simplex;
        if worst.1 - best.1 <= 1e-6 * best.1.abs() {
            break;
        }
        let along = |distance: f64| -> [f64; 3] {
            std::array::from_fn(|k| {
                let middle = (simplex[0].0[k] + simplex[1].0[k] + simplex[2].0[k]) / 3.0;
                middle + distance * (middle - worst.0[k])
            })
        };
        let mut tried = |distance: f64| {
            trials += 1;
            (along(distance), of(along(distance)))
        };
        let reflected = tried(1.0);
        if reflected.1 < best.1 {
            let farther = tried(2.0);
            simplex[3] = if farther.1 < reflected.1 { farther } else { reflected };
        } else if reflected.1 < third.1 {
            simplex[3] = reflected;
        } else {
            let nearer = tried(if reflected.1 < worst.1 { 0.5 } else { -0.5 });
            if nearer.1 < worst.1.min(reflected.1) {
                simplex[3] = nearer;
            } else {
                for point in &mut simplex[1..] {
                    point.0 = std::array::from_fn(|k| 0.5 * (point.0[k] + best.0[k]));
                    point.1 = of(point.0);
                    trials += 1;
                }
            }
        }
    }
    simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
    simplex[0]
}

#[cfg(test)]
mod tests {
    use super::super::samples::Moments;
    use super::*;

    const STARTS: [[f64; 3]; 2] = [[0.5, 0.02, 1.0], [0.5, 0.25, 0.4]];

    fn planted(exponents: [f64; 3], wrong: f64) -> Vec<Curve> {
        let [critical, beta, inverse_nu] = exponents;
        let of = |size: f64| {
            let points = (0..65).map(|i| {
                let x = f64::from(i) / 64.0;
                let scaled = (x - critical) * size.powf(inverse_nu);
                let mean = size.powf(-beta) / (1.0 + libm::exp(-scaled)) + wrong * libm::sin(size + 9.0 * x);
                (x, Moments { mean, variance: 0.01, binder: 0.0, centred: 0.0, count: 64.0 })
            });
            Curve { size, points: points.collect() }
        };
        [20.0, 60.0, 180.0].map(of).to_vec()
    }

    #[test]
    fn planted_exponents_are_found_again() {
        for exponents in [[0.45, 0.2, 0.5], [0.52, 0.0, 0.7]] {
            let found = collapse(&planted(exponents, 0.0), &STARTS).unwrap();
            for (value, known) in found.parameters().iter().zip(exponents) {
                assert!((value - known).abs() < 0.03, "{found:?} {exponents:?}");
            }
            assert!(found.quality < 0.05, "{found:?}");
        }
    }

    #[test]
    fn curves_of_no_common_form_have_a_bad_quality() {
        let found = collapse(&planted([0.45, 0.2, 0.5], 0.2), &STARTS).unwrap();
        assert!(found.quality > 3.0, "{found:?}");
        assert_eq!(collapse(&planted([0.45, 0.2, 0.5], 0.0)[..1], &STARTS), None);
    }

    #[test]
    fn the_descent_finds_the_minimum_of_a_bowl_that_is_not_round() {
        let bowl = |[x, y, z]: [f64; 3]| 3.0 * (x - 1.0) * (x - 1.0) + (y + x - 2.0).abs() + (z * z - 4.0) * (z * z - 4.0) + 1.0;
        let (at, value) = descend(bowl, [0.0, 0.0, 1.0], [0.5; 3]);
        assert!((value - 1.0).abs() < 1e-2 && (at[2] - 2.0).abs() < 0.05, "{at:?} {value}");
    }
}
