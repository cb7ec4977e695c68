//! When a run is looked at: two pure predicates over the step, so that looking can never change training.
//!
//! Early training moves in ratios and late training in steps, so both schedules are geometric until their gap reaches the
//! configured one and then go in multiples of it. Rejected: a purely geometric schedule (a late jump falls between two points)
//! and a purely even one (memorising is over before the second point).

use super::config::LoggingConfig;

impl LoggingConfig {
    /// Whether metrics are taken after `step` updates of a run of `last_step`: at 0, at the end, at every multiple of
    /// `evaluate_every`, and before that at steps growing by a tenth (1, 2, …, 20, 22, 24, …).
    pub fn evaluates_at(&self, step: u32, last_step: u32) -> bool {
        scheduled(step, last_step, self.evaluate_every, |gap_from| (gap_from / 10).max(1))
    }

    /// Whether the weights are saved after `step` updates of a run of `last_step`: at 0, at the end, at every multiple of
    /// `checkpoint_every`, and before that at powers of two (1, 2, 4, …).
    pub fn checkpoints_at(&self, step: u32, last_step: u32) -> bool {
        scheduled(step, last_step, self.checkpoint_every, |gap_from| gap_from.max(1))
    }
}

/// `gap(s)` is the distance from the geometric step `s` to the next; gaps of `every` and more are left to the multiples.
fn scheduled(step: u32, last_step: u32, every: u32, gap: impl Fn(u32) -> u32) -> bool {
    if step > last_step {
        return false;
    }
    if step == 0 || step == last_step || (every > 0 && step.is_multiple_of(every)) {
        return true;
    }
    let mut at = 1u32;
    while at < step && gap(at) < every {
        at = at.saturating_add(gap(at));
    }
    at == step
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(check: impl Fn(u32) -> bool) -> Vec<u32> {
        (0..=2000).filter(|s| check(*s)).collect()
    }

    #[test]
    fn checkpoints_double_until_their_gap_reaches_the_configured_one() {
        let logging = LoggingConfig { evaluate_every: 10, checkpoint_every: 50 };
        let taken = steps(|s| logging.checkpoints_at(s, 1000));
        assert_eq!(taken[..12], [0, 1, 2, 4, 8, 16, 32, 50, 64, 100, 150, 200]);
        assert_eq!(taken.last(), Some(&1000));
    }

    #[test]
    fn no_gap_exceeds_the_configured_one_and_the_last_step_is_always_taken() {
        for every in [1, 2, 3, 7, 10, 50, 137, 1000] {
            let logging = LoggingConfig { evaluate_every: every, checkpoint_every: every };
            for last in [1, 5, 99, 1000, 1777] {
                for taken in [steps(|s| logging.evaluates_at(s, last)), steps(|s| logging.checkpoints_at(s, last))] {
                    assert_eq!((taken[0], taken[taken.len() - 1]), (0, last));
                    assert!(taken.windows(2).all(|w| w[1] - w[0] <= every.max(1)), "every {every}, last {last}: {taken:?}");
                }
            }
        }
    }

    #[test]
    fn early_evaluations_are_at_most_a_tenth_apart() {
        let logging = LoggingConfig { evaluate_every: 20, checkpoint_every: 100 };
        let taken = steps(|s| logging.evaluates_at(s, 2000));
        assert!(taken.windows(2).all(|w| w[1] - w[0] <= (w[0] / 10).clamp(1, 20)), "{taken:?}");
        assert!(taken.len() < 200, "{}", taken.len());
    }
}
