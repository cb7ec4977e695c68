//! The toy over data sets of many sizes, up from the start and down from a network that has generalised.
//!
//! A loop at one training time says how slow the toy is, not that it has two rests; so each path is also followed ten times as
//! long, where a loop that is only late has closed.

use super::toy::{Both, State, Toy};

/// Sizes over the critical one: two decades, the critical size in the middle.
const SIZES: i32 = 8;
/// How much longer the paths are followed after the loop.
pub(super) const LONGER: u32 = 10;

/// The shares of C_gen over the size of the data set, `(D/D_crit, share)`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sweep {
    /// From the start.
    pub up: Vec<(f64, f64)>,
    /// From a network that has generalised at the largest size.
    pub down: Vec<(f64, f64)>,
    /// As `up`, [`LONGER`] times as long.
    pub up_late: Vec<(f64, f64)>,
    /// As `down`, [`LONGER`] times as long.
    pub down_late: Vec<(f64, f64)>,
}

/// D/D_crit, ascending.
pub(super) fn sizes() -> impl Iterator<Item = f64> {
    (-SIZES..=SIZES).map(|at| libm::pow(10.0, f64::from(at) / f64::from(SIZES)))
}

/// Runs both paths at all sizes; `toy(size)` is the toy there.
pub(super) fn sweep(toy: impl Fn(f64) -> Toy, updates: u32, second: Both<f64>) -> Sweep {
    let start = State::start(second);
    let grokked = toy(10.0).after(LONGER * updates, start);
    let mut sweep = Sweep { up: Vec::new(), down: Vec::new(), up_late: Vec::new(), down_late: Vec::new() };
    for size in sizes() {
        let follow = |from: State, early: &mut Vec<(f64, f64)>, late: &mut Vec<(f64, f64)>| {
            let now = toy(size).after(updates, from);
            early.push((size, now.logits().share()));
            late.push((size, toy(size).after((LONGER - 1) * updates, now).logits().share()));
        };
        follow(start, &mut sweep.up, &mut sweep.up_late);
        follow(grokked, &mut sweep.down, &mut sweep.down_late);
    }
    sweep
}

#[cfg(test)]
mod tests {
    use super::super::curve::{area, crossing};
    use super::super::split::share;
    use super::super::toy::tests::{PAPER, SLOW_AND_FAST};
    use super::*;

    fn toy(size: f64) -> Toy {
        Toy { norms: Both { generalising: 1.0, memory: libm::sqrt(size) }, ..PAPER }
    }

    #[test]
    fn the_loop_is_open_at_first_and_closes_with_time_on_the_share_of_the_minimum() {
        let found = sweep(toy, 2_000, SLOW_AND_FAST);
        let [early, late] = [area(&found.up, &found.down), area(&found.up_late, &found.down_late)].map(Option::unwrap);
        // An independent program in Python has .466 on 21 sizes.
        assert!((early - 0.466).abs() < 0.01, "{early}");
        assert!(late < 0.01, "{late}");
        for (size, found) in &found.down_late {
            let expected = share(toy(*size).norms, 1.2);
            assert!((found - expected).abs() < 0.01, "{size}: {found} {expected}");
        }
        assert!((crossing(&found.up_late, 0.5).unwrap() - 1.0).abs() < 0.01);
        assert!(crossing(&found.down, 0.5).unwrap() < 1.0 && crossing(&found.up, 0.5).unwrap() > 1.5);
    }
}
