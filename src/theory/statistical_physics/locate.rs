//! Where the transition of a finite system is: the peak of χ, and the crossing of cumulants.
//!
//! The highest cell of a noisy curve lies on the grid, and its height is too large; a parabola through it and its neighbours in log χ
//! moves off the grid. A peak at the edge of the range is no peak, and is told as such rather than used.

use super::samples::Curve;

/// The peak of χ at one size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Peak {
    /// Index of the highest cell.
    pub cell: usize,
    /// Control.
    pub control: f64,
    /// χ there.
    pub height: f64,
    /// Whether χ is lower on both sides.
    pub is_inside: bool,
}

/// The peak of χ; `None` if χ is 0 or not finite everywhere.
pub(super) fn peak(curve: &Curve) -> Option<Peak> {
    let height = |index: usize| curve.susceptibility(index);
    let finite = (0..curve.points.len()).filter(|index| height(*index) > 0.0);
    let cell = finite.max_by(|a, b| height(*a).total_cmp(&height(*b)))?;
    let is_inside = cell > 0 && cell + 1 < curve.points.len();
    let flat = Peak { cell, control: curve.points[cell].0, height: height(cell), is_inside };
    if !is_inside || height(cell - 1) <= 0.0 || height(cell + 1) <= 0.0 {
        return Some(flat);
    }
    // log χ about the highest cell as bend·u² + slope·u, u from there.
    let logs = [cell - 1, cell + 1].map(|index| (curve.points[index].0 - flat.control, libm::log(height(index) / flat.height)));
    let [(left, fall), (right, drop)] = logs;
    let bend = (drop / right - fall / left) / (right - left);
    let slope = drop / right - bend * right;
    if bend >= 0.0 {
        return Some(flat);
    }
    let shift = (-0.5 * slope / bend).clamp(left, right);
    Some(Peak { control: flat.control + shift, height: flat.height * libm::exp((bend * shift + slope) * shift), ..flat })
}

/// Where U₄ of two sizes cross: the larger size lies above on the ordered side, where m is larger, and below on the other, so the
/// differences add up to their extreme there. Not the first change of sign nor the steepest: far from a transition both curves are
/// flat and cross by chance, and beside a first-order one U₄ falls without bound, so that differences count up to ⅔. Both on one
/// grid; `None` if they do not cross.
pub(super) fn crossing(small: &Curve, large: &Curve) -> Option<f64> {
    let (first, last) = (large.points.first()?.1.mean, large.points.last()?.1.mean);
    let rising = if last > first { 1.0 } else { -1.0 };
    let difference = |index: usize| rising * (large.points[index].1.binder - small.points[index].1.binder);
    let mut sum = 0.0;
    let mut least = (0.0, None);
    for index in 0..small.points.len() {
        sum += difference(index).clamp(-2.0 / 3.0, 2.0 / 3.0);
        if sum < least.0 {
            least = (sum, Some(index));
        }
    }
    let before = least.1.filter(|index| index + 1 < small.points.len())?;
    let (from, to) = (difference(before), difference(before + 1));
    let (left, right) = (small.points[before].0, small.points[before + 1].0);
    (from < 0.0 && to >= 0.0).then(|| left + (right - left) * from / (from - to))
}

#[cfg(test)]
mod tests {
    use super::super::samples::Moments;
    use super::*;

    fn curve(size: f64, of: impl Fn(f64) -> (f64, f64)) -> Curve {
        let points = (0..21).map(|i| {
            let x = f64::from(i) / 20.0;
            let (variance, binder) = of(x);
            (x, Moments { mean: -x, variance, binder, centred: 0.0, count: 50.0 })
        });
        Curve { size, points: points.collect() }
    }

    #[test]
    fn a_gaussian_peak_between_two_cells_is_found_exactly() {
        let found = peak(&curve(10.0, |x| (0.3 * libm::exp(-50.0 * (x - 0.333) * (x - 0.333)), 0.0))).unwrap();
        assert!((found.control - 0.333).abs() < 1e-12 && (found.height - 3.0).abs() < 1e-12 && found.is_inside);
        assert!(!peak(&curve(10.0, |x| (x, 0.0))).unwrap().is_inside);
        assert_eq!(peak(&curve(10.0, |_| (0.0, 0.0))), None);
    }

    #[test]
    fn the_crossing_of_the_transition_is_taken_and_not_one_of_the_flat_parts() {
        let steep = |rate: f64| move |x: f64| (0.0, 0.6 / (1.0 + libm::exp(rate * (x - 0.52))) + 0.02 * libm::sin(rate * x));
        let found = crossing(&curve(1.0, steep(12.0)), &curve(2.0, steep(40.0))).unwrap();
        assert!((found - 0.52).abs() < 0.02, "{found}");
        // Beside a first-order transition U₄ of the larger size dips far below 0 and comes back.
        let dips =
            |depth: f64| move |x: f64| (0.0, if x < 0.5 { 0.66 - 0.5 / depth } else { -depth * libm::exp(-9.0 * (x - 0.5)) });
        let found = crossing(&curve(1.0, dips(2.0)), &curve(2.0, dips(40.0))).unwrap();
        assert!((0.45..=0.5).contains(&found), "{found}");
        assert_eq!(crossing(&curve(1.0, |x| (0.0, x)), &curve(2.0, |x| (0.0, x + 1.0))), None);
    }
}
