//! The law: how likely random points are on one side of a plane through the origin, and how wide the transition is.
//!
//! Source: Wendel's theorem. `N` independent points of a distribution that is symmetric about the origin and puts no mass on a
//! plane through it; then the probability does not depend on the distribution otherwise. Terms are built up from `2^−(N−1)` by
//! ratios, which keeps every digit; log-gamma functions were not chosen, because their rounding grows with `N`.

/// The largest number of points: beyond it the first term leaves the range of f64.
const MOST: u64 = 1000;

/// Probability that `count` points in `dimension` dimensions are separable from the origin:
/// `2^−(N−1) Σ_{k<d} C(N−1, k)`. Not a number beyond 1,000 points.
pub(super) fn wendel(count: u64, dimension: u64) -> f64 {
    if count <= dimension {
        return 1.0;
    }
    if count > MOST {
        return f64::NAN;
    }
    let trials = (count - 1) as f64;
    let mut term = libm::exp2(-trials);
    let mut sum = term;
    for k in 1..dimension {
        term *= (trials - k as f64 + 1.0) / k as f64;
        sum += term;
    }
    sum
}

/// The law as points `(N ÷ d, probability)` for every N from 1 to `most`.
pub(super) fn law(dimension: u64, most: u64) -> Vec<(f64, f64)> {
    (1..=most).map(|count| (count as f64 / dimension as f64, wendel(count, dimension))).collect()
}

/// Where falling probabilities first pass `level`. Between two of them log-odds are taken as straight: probabilities themselves are
/// bent there, and a coarse grid would show a wider step than a fine one.
pub(super) fn crossing(points: &[(f64, f64)], level: f64) -> Option<f64> {
    let pair = points.windows(2).find(|pair| pair[0].1 >= level && pair[1].1 < level)?;
    let [(left, high), (right, low)] = [pair[0], pair[1]];
    let odds = |p: f64| libm::log(p / (1.0 - p));
    let bent = (odds(high) - odds(level)) / (odds(high) - odds(low));
    // Of what never or always happened there are no odds.
    let share = if high < 1.0 && low > 0.0 { bent } else { (high - level) / (high - low) };
    Some(left + (right - left) * share)
}

/// How far N ÷ d goes while a falling polygon falls from ¾ to ¼.
pub(super) fn quartile_width(points: &[(f64, f64)]) -> Option<f64> {
    Some(crossing(points, 0.25)? - crossing(points, 0.75)?)
}

/// The quartile width times √d for large d. At N near 2d the number of heads in N − 1 throws has the deviation √(2d) ÷ 2, so the
/// probability is Φ((2d − N) ÷ √(2d)), and its quartiles lie at ±0.6745 √(2d).
pub(super) const WIDTH_LIMIT: f64 = 2.0 * 0.674_489_750_196_081_7 * core::f64::consts::SQRT_2;

/// Half the 95% band of an N ÷ d at which `draws` sets per size put a probability `p` with the standard normal quantile `z`: the
/// deviation of the share over the slope of Φ, in units of √(2d) ÷ d. What neighbouring sizes add is left out, so it is a
/// little too wide.
pub(super) fn chance(dimension: u64, draws: u64, p: f64, z: f64) -> f64 {
    let slope = libm::exp(-z * z / 2.0) / libm::sqrt(core::f64::consts::TAU);
    1.96 * libm::sqrt(p * (1.0 - p) / draws as f64) / slope * libm::sqrt(2.0 / dimension as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_all_sets_of_twice_as_many_points_as_dimensions_are_separable() {
        for dimension in 1..=200 {
            assert!((wendel(2 * dimension, dimension) - 0.5).abs() < 1e-13, "{dimension}");
        }
    }

    #[test]
    fn few_points_in_few_dimensions_are_as_counted_by_hand() {
        // On a line all signs agree; in the plane N points lie in a half-circle with N ÷ 2^(N−1).
        for count in 1..20 {
            assert!((wendel(count, 1) - libm::exp2(1.0 - count as f64)).abs() < 1e-15);
            assert!((wendel(count, 2) - (count as f64 / libm::exp2(count as f64 - 1.0)).min(1.0)).abs() < 1e-15);
        }
        assert_eq!([wendel(4, 3), wendel(5, 3), wendel(3, 3)], [0.875, 0.6875, 1.0]);
    }

    #[test]
    fn the_law_counts_heads_of_one_throw_fewer_than_points() {
        // Exact in integers: C(29, k) fits u64.
        let mut row = vec![1u64];
        for _ in 0..29 {
            row = (0..=row.len()).map(|k| row.get(k).unwrap_or(&0) + k.checked_sub(1).map_or(0, |k| row[k])).collect();
        }
        for dimension in 1..=30 {
            let heads: u64 = row[..dimension].iter().sum();
            assert!((wendel(30, dimension as u64) - heads as f64 / f64::from(1 << 29)).abs() < 1e-14, "{dimension}");
        }
    }

    #[test]
    fn the_transition_narrows_like_one_over_the_root_of_the_dimension() {
        let scaled = |dimension: u64| {
            let width = quartile_width(&law(dimension, 4 * dimension)).unwrap();
            width * (dimension as f64).sqrt()
        };
        assert!((scaled(200) - WIDTH_LIMIT).abs() < 0.01, "{}", scaled(200));
        assert!((scaled(200) - WIDTH_LIMIT).abs() < (scaled(12) - WIDTH_LIMIT).abs());
    }

    #[test]
    fn a_coarse_grid_has_the_width_of_a_fine_one() {
        let fine = law(24, 96);
        let coarse: Vec<(f64, f64)> = fine.iter().copied().step_by(4).collect();
        let (fine, coarse) = (quartile_width(&fine).unwrap(), quartile_width(&coarse).unwrap());
        assert!((coarse / fine - 1.0).abs() < 0.015, "{coarse} {fine}");
    }

    #[test]
    fn the_law_falls_through_one_half_at_two_points_per_dimension() {
        assert!((crossing(&law(9, 36), 0.5).unwrap() - 2.0).abs() < 1e-12);
        assert_eq!(crossing(&[(0.0, 0.2), (1.0, 0.1)], 0.5), None);
    }
}
