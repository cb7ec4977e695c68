//! What toy and networks are read by: where a curve over the number of rows passes a level, and how much lies between two.
//!
//! Rows count by their logarithm. Without it the few large steps at the upper end would make up most of an area.

/// The neighbours between which the curve `points` (ascending in x > 0) first comes from below `level` to it.
pub(super) fn passing(points: &[(f64, f64)], level: f64) -> Option<[(f64, f64); 2]> {
    points.array_windows().find(|[left, right]| left.1 < level && right.1 >= level).copied()
}

/// x at which the curve passes `level`, interpolated in log x.
pub(super) fn crossing(points: &[(f64, f64)], level: f64) -> Option<f64> {
    let [(left, below), (right, above)] = passing(points, level)?;
    let part = (level - below) / (above - below);
    Some(libm::exp(libm::log(left) + part * libm::log(right / left)))
}

/// ∫ (upper − lower) d log₁₀ x over the x that both have, by trapezoids: value times decades. `None` for fewer than two.
pub(super) fn area(lower: &[(f64, f64)], upper: &[(f64, f64)]) -> Option<f64> {
    let gaps: Vec<(f64, f64)> = lower
        .iter()
        .filter_map(|(x, low)| Some((libm::log10(*x), upper.iter().find(|(other, _)| other == x)?.1 - low)))
        .collect();
    (gaps.len() > 1).then(|| gaps.windows(2).map(|pair| (pair[1].0 - pair[0].0) * 0.5 * (pair[0].1 + pair[1].1)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crossing_is_half_way_in_the_logarithm() {
        assert!((crossing(&[(1.0, 0.0), (100.0, 1.0)], 0.5).unwrap() - 10.0).abs() < 1e-12);
        assert_eq!(crossing(&[(1.0, 0.6), (10.0, 0.9)], 0.5), None);
    }

    #[test]
    fn an_area_counts_decades_and_only_where_both_are() {
        let lower = [(1.0, 0.0), (10.0, 0.0), (100.0, 1.0)];
        let upper = [(1.0, 0.5), (10.0, 1.0), (30.0, 9.0), (100.0, 1.0)];
        // ½·(½ + 1) + ½·(1 + 0).
        assert!((area(&lower, &upper).unwrap() - 1.25).abs() < 1e-12);
        assert_eq!(area(&lower[..1], &upper), None);
    }
}
