//! The measurement beside the law: random sets of points, each decided with a witness.
//!
//! Sizes are spread over the transition, which is √(2d) points wide, and not over a fixed range of N ÷ d: there all but one of
//! them would say 0 or 1 in high dimensions.

use super::hull::{Verdict, decide};
use crate::experiment::randomness::{Purpose, Stream};

/// Sets of one size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample {
    /// Points in each set, N.
    pub count: u64,
    /// Sets that were separable, by a witness.
    pub separable: u64,
    /// Sets that rounding left open.
    pub undecided: u64,
    /// Sets drawn.
    pub draws: u64,
    /// The least margin among the separable ones; infinite if there are none.
    pub least_margin: f64,
}

impl Sample {
    /// The share that is separable, of those that were decided.
    pub(super) fn share(&self) -> f64 {
        self.separable as f64 / (self.draws - self.undecided) as f64
    }

    /// Wilson's 95% interval of the share.
    pub(super) fn interval(&self) -> (f64, f64) {
        let (n, p, z) = ((self.draws - self.undecided) as f64, self.share(), 1.959_963_984_540_054);
        let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let half = z / (1.0 + z * z / n) * libm::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
        (middle - half, middle + half)
    }
}

/// Numbers of points that span the transition in `dimension` dimensions: 2d, and up to two and a half deviations each way.
pub(super) fn sizes(dimension: u64) -> Vec<u64> {
    let middle = 2.0 * dimension as f64;
    let steps = (-5..=5).map(|step| libm::round(middle + 0.5 * f64::from(step) * libm::sqrt(middle)).max(1.0) as u64);
    let mut sizes: Vec<u64> = steps.collect();
    sizes.dedup();
    sizes
}

/// Draws sets of normal points whose mean is `shift` along the first axis, and decides each.
pub(super) fn sample(dimension: u64, count: u64, draws: u64, shift: f64, seed: u64) -> Sample {
    let mut found = Sample { count, separable: 0, undecided: 0, draws, least_margin: f64::INFINITY };
    let size = dimension as usize;
    // One stream for each size, so that asking for more sets keeps the first ones.
    let mut stream = Stream::new(seed, Purpose::Theory, (dimension << 32) | count);
    let mut points = vec![0.0; size * count as usize];
    for _ in 0..draws {
        for (at, value) in points.iter_mut().enumerate() {
            *value = stream.normal() + if at % size == 0 { shift } else { 0.0 };
        }
        match decide(&points, size) {
            Verdict::Separable { margin, .. } => {
                found.separable += 1;
                found.least_margin = found.least_margin.min(margin);
            }
            Verdict::Surrounded { .. } => {}
            Verdict::Undecided => found.undecided += 1,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::wendel::wendel;
    use super::*;

    #[test]
    fn the_measured_share_is_that_of_the_law_within_four_deviations() {
        for (dimension, count) in [(1, 3), (3, 5), (3, 8), (6, 12)] {
            let (found, law) = (sample(dimension, count, 600, 0.0, 5), wendel(count, dimension));
            let deviation = (law * (1.0 - law) / 600.0f64).sqrt();
            assert!((found.share() - law).abs() < 4.0 * deviation, "{dimension} {count}: {} {law}", found.share());
            assert_eq!(found.undecided, 0);
        }
    }

    #[test]
    fn a_mean_away_from_the_origin_makes_points_separable_more_often() {
        let (centred, moved) = (sample(4, 8, 300, 0.0, 1), sample(4, 8, 300, 1.5, 1));
        assert!(moved.share() > centred.share() + 0.2, "{} {}", moved.share(), centred.share());
    }

    #[test]
    fn sizes_stand_symmetrically_about_two_per_dimension() {
        assert_eq!(sizes(8), [6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26]);
        assert_eq!(sizes(1).first(), Some(&1));
    }

    #[test]
    fn wilsons_interval_of_half_of_a_hundred_is_the_published_one() {
        let half = Sample { count: 1, separable: 50, undecided: 0, draws: 100, least_margin: 1.0 };
        let (low, high) = half.interval();
        assert!((low - 0.4038).abs() < 1e-4 && (high - 0.5962).abs() < 1e-4);
    }
}
