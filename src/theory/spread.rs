//! Middles, bands and straight lines over seeds.
//!
//! Each panel repeats a draw and says how far its answers lie apart; with a quantile of its own each, two bands of one width would
//! mean two things. Not the mean and its error: times to generalise are skewed, and some are infinite.

/// The `share` quantile (0 to 1) of `values`, linear between neighbours; NaN if there are none. Infinite values count at their end.
pub(super) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let (low, high) = (sorted[place as usize], sorted[(place as usize + 1).min(last)]);
    // Between two infinities there is no difference to take a part of, and nothing of an infinite one is no number either.
    if low >= high || place.fract() == 0.0 { low } else { low + (high - low) * place.fract() }
}

/// Middle of `values`.
pub(super) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// 10% and 90% quantiles.
pub(super) fn band(values: &[f64]) -> (f64, f64) {
    (quantile(values, 0.1), quantile(values, 0.9))
}

/// Mean; NaN if there are none.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// A least-squares line y = intercept + slope·x.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fit {
    /// Change of y per x.
    pub slope: f64,
    /// y at 0.
    pub intercept: f64,
    /// Share of the variance of y about its mean that the line explains.
    pub r_squared: f64,
}

/// The line through `points`; NaN where the points do not settle it.
pub(super) fn fit(points: &[(f64, f64)]) -> Fit {
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), p| (x + p.0 / count, y + p.1 / count));
    let (xx, xy, yy) = points.iter().fold((0.0, 0.0, 0.0), |(xx, xy, yy), p| {
        (xx + (p.0 - x) * (p.0 - x), xy + (p.0 - x) * (p.1 - y), yy + (p.1 - y) * (p.1 - y))
    });
    let slope = xy / xx;
    Fit { slope, intercept: y - slope * x, r_squared: xy * xy / (xx * yy) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours_and_bear_infinite_times() {
        assert_eq!(quantile(&[3.0, 1.0, 2.0, 5.0], 0.5), 2.5);
        assert_eq!(band(&[0.0, 10.0]), (1.0, 9.0));
        assert_eq!(median(&[1.0, f64::INFINITY, f64::INFINITY]), f64::INFINITY);
        assert_eq!(median(&[1.0, 2.0, f64::INFINITY]), 2.0);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_line_is_found_again_and_noise_lowers_the_share_explained() {
        let line = fit(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]);
        assert_eq!((line.slope, line.intercept, line.r_squared), (2.0, 1.0, 1.0));
        // By hand: slope ½, explained (1)²/(2·⅔) = ¾.
        let noisy = fit(&[(0.0, 0.0), (1.0, 1.0), (2.0, 1.0)]);
        assert!((noisy.slope - 0.5).abs() < 1e-15 && (noisy.r_squared - 0.75).abs() < 1e-15);
    }
}
