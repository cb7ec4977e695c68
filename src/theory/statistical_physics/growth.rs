//! Does the peak of χ grow with size for ever, and how fast?
//!
//! A smooth crossover has a peak too, and at one size nothing tells it from a transition. With size the peak of a first-order
//! transition grows as N, that of a continuous one as N^κ with κ = γ/ν < 1, and that of a crossover stops. Two laws with two
//! parameters each are held against the peaks: χ = A·N^κ and χ = A/(1 + B/N), which has come half-way within the sizes at hand. The
//! comparison is of the kind that Bi et al. (2603.24746) make; their exact form of the saturating law was not at hand.

use super::super::spread::fit;

/// What the peaks at several sizes say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Growth {
    /// κ.
    pub exponent: f64,
    /// log A of the power law.
    pub log_factor: f64,
    /// (log A, B) of the saturating law.
    pub saturating: (f64, f64),
    /// AIC of the saturating law less that of the power law, both with two parameters: above 0 the peak grows on.
    pub delta_aic: f64,
}

/// A peak: size, χ, and the standard deviation of log χ over resamples.
pub(super) type Height = (f64, f64, f64);

/// Fits both laws to log χ by least squares in its standard deviations.
pub(super) fn growth(heights: &[Height]) -> Growth {
    let logs: Vec<(f64, f64, f64)> =
        heights.iter().map(|(n, height, sd)| (libm::log(*n), libm::log(*height), sd.max(1e-3))).collect();
    let (exponent, log_factor) = weighted_line(&logs);
    let power = misfit(&logs, |log_n| log_factor + exponent * log_n);
    let middle = libm::exp(logs.iter().map(|point| point.0).sum::<f64>() / logs.len() as f64);
    let saturating = |half: f64| {
        let law = |log_n: f64| -libm::log1p(half * libm::exp(-log_n));
        let weights: f64 = logs.iter().map(|point| point.2.powi(-2)).sum();
        let level = logs.iter().map(|point| (point.1 - law(point.0)) * point.2.powi(-2)).sum::<f64>() / weights;
        ((level, half), misfit(&logs, |log_n| level + law(log_n)))
    };
    let halves = (0..=80).map(|i| if i == 0 { 0.0 } else { middle * libm::exp(0.1 * (f64::from(i) - 80.0)) });
    let best = halves.map(saturating).min_by(|a, b| a.1.total_cmp(&b.1));
    let (saturating, least) = best.unwrap_or(((f64::NAN, f64::NAN), f64::NAN));
    Growth { exponent, log_factor, saturating, delta_aic: least - power }
}

/// κ alone, without weights: for resamples, whose own spread is not known.
pub(super) fn exponent(peaks: &[(f64, f64)]) -> f64 {
    fit(&peaks.iter().map(|(n, height)| (libm::log(*n), libm::log(*height))).collect::<Vec<_>>()).slope
}

fn misfit(points: &[(f64, f64, f64)], law: impl Fn(f64) -> f64) -> f64 {
    points.iter().map(|(x, y, sd)| libm::pow((y - law(*x)) / sd, 2.0)).sum()
}

/// Slope and intercept.
fn weighted_line(points: &[(f64, f64, f64)]) -> (f64, f64) {
    let weight: f64 = points.iter().map(|point| point.2.powi(-2)).sum();
    let mean = |of: fn(&(f64, f64, f64)) -> f64| points.iter().map(|point| of(point) * point.2.powi(-2)).sum::<f64>() / weight;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let slope = (mean(|point| point.0 * point.1) - x * y) / (mean(|point| point.0 * point.0) - x * x);
    (slope, y - slope * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heights(law: impl Fn(f64) -> f64) -> Vec<Height> {
        [50.0, 150.0, 450.0, 1350.0].map(|n| (n, law(n), 0.1)).to_vec()
    }

    #[test]
    fn a_power_and_a_saturating_peak_are_each_known_for_what_they_are() {
        let power = growth(&heights(|n| 0.3 * n.powf(0.7)));
        assert!(
            (power.exponent - 0.7).abs() < 1e-9 && (power.log_factor - libm::log(0.3)).abs() < 1e-9 && power.delta_aic > 20.0
        );
        let saturating = growth(&heights(|n| 5.0 / (1.0 + 80.0 / n)));
        assert!(saturating.delta_aic < -2.0 && (saturating.saturating.1 / 80.0 - 1.0).abs() < 0.06, "{saturating:?}");
        assert!((exponent(&[(10.0, 2.0), (100.0, 20.0), (1000.0, 200.0)]) - 1.0).abs() < 1e-12);
    }
}
