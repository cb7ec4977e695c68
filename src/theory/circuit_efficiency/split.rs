//! Where the two circuits come to rest, and after how long: from the stationary condition alone, without a single update.
//!
//! At a minimum the next bit of logit costs the same from both circuits and what it earns, −∂L/∂o = αP²/κ·w^{2/κ−1}. With
//! 2/κ > 1 the cost is convex: one minimum, inside, with the ratio
//!
//! ```text
//! w_G/w_M = (P_M/P_G)^{2κ/(2−κ)}
//! ```
//!
//! (theorem D.4 of Varma et al.; so neither α nor the loss moves the share). At κ = 2 the cost is a straight line and the cheaper
//! circuit takes all; beyond, it is concave, the mixture is the dearest split and each circuit that can hold a logit alone is a
//! minimum whatever the other costs, because the first bit of logit of an absent one costs infinitely much. Only there is hysteresis
//! for ever, and only from elsewhere than 0.

use super::toy::{Both, Toy};

/// Share of the circuit that generalises at the minimum, κ < 2.
pub(super) fn share(norms: Both<f64>, kappa: f64) -> f64 {
    1.0 / (1.0 + libm::pow(norms.generalising / norms.memory, 2.0 * kappa / (2.0 - kappa)))
}

/// Squared norm of a split with `share` for the circuit that generalises, over that of this circuit alone at the same total.
pub(super) fn relative_cost(norms: Both<f64>, kappa: f64, share: f64) -> f64 {
    let ratio = norms.memory / norms.generalising;
    libm::pow(share, 2.0 / kappa) + ratio * ratio * libm::pow(1.0 - share, 2.0 / kappa)
}

/// Both logits at the minimum, κ < 2.
pub(super) fn rest(toy: &Toy) -> Both<f64> {
    let share = share(toy.norms, toy.kappa);
    // The larger part is read, so that a share near 0 or 1 costs no digits.
    let (part, norm) = if share >= 0.5 { (share, toy.norms.generalising) } else { (1.0 - share, toy.norms.memory) };
    let total = root(|total| toy.pull(total) - toy.price(norm, part * total));
    Both { generalising: share * total, memory: (1.0 - share) * total }
}

/// The logit at rest of a circuit with norm `norm` that is alone.
pub(super) fn alone(toy: &Toy, norm: f64) -> f64 {
    root(|logit| toy.pull(logit) - toy.price(norm, logit))
}

/// Updates until a fresh row gets the right answer, w_G = w_M; from below.
///
/// Both asinh(2w/w₂(0)²) grow at 2·(pull − price), so that their difference grows at twice the difference of the prices alone.
/// That is at most twice what memory pays when alone, F, and nearly as much until C_gen is of any size. With half of memory's logit
/// each, t = [asinh(w/w_G2(0)²) − asinh(w/w_M2(0)²)] / (2F).
pub(super) fn delay(toy: &Toy, second: Both<f64>) -> f64 {
    let logit = alone(toy, toy.norms.memory);
    let grown = |second: f64| libm::asinh(logit / (second * second));
    let rate = 2.0 * toy.pull(logit) * toy.learning_rate;
    (grown(second.generalising) - grown(second.memory)) / rate
}

/// The root of a function that falls from above 0 at 0, by halving.
fn root(falling: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while falling(high) > 0.0 {
        (low, high) = (high, 2.0 * high);
    }
    // 200 halvings are more than an f64 can tell apart.
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if falling(middle) > 0.0 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::super::toy::State;
    use super::super::toy::tests::{PAPER, SLOW_AND_FAST};
    use super::*;

    #[test]
    fn the_papers_example_shares_eight_to_one() {
        assert!((share(PAPER.norms, PAPER.kappa) - 8.0 / 9.0).abs() < 1e-14);
    }

    #[test]
    fn the_minimum_is_the_lowest_point_of_a_fine_grid_of_splits() {
        for (kappa, memory) in [(0.8, 1.5), (1.2, 2.0), (1.6, 0.9)] {
            let toy = Toy { kappa, norms: Both { generalising: 1.0, memory }, ..PAPER };
            let rest = rest(&toy);
            let mut best = (f64::INFINITY, 0.0, 0.0);
            for i in 0..=400 {
                for j in 0..=400 {
                    let (g, m) = (0.03 * f64::from(i), 0.03 * f64::from(j));
                    let value = toy.objective(Both { generalising: g, memory: m });
                    if value < best.0 {
                        best = (value, g, m);
                    }
                }
            }
            assert!(toy.objective(rest) <= best.0, "{kappa}");
            assert!(
                (rest.generalising - best.1).abs() < 0.25 && (rest.memory - best.2).abs() < 0.25,
                "{kappa} {rest:?} {best:?}"
            );
        }
    }

    #[test]
    fn gradient_descent_ends_at_the_root_from_either_side() {
        let rest = rest(&PAPER);
        let swapped = Both { generalising: 1.0, memory: 0.005 };
        for second in [SLOW_AND_FAST, swapped] {
            let end = PAPER.after(20_000, State::start(second)).logits();
            assert!((end.generalising - rest.generalising).abs() < 1e-4, "{end:?} {rest:?}");
            assert!((end.memory - rest.memory).abs() < 1e-4, "{end:?} {rest:?}");
        }
    }

    #[test]
    fn the_share_at_rest_does_not_depend_on_the_decay() {
        let shares = [0.001, 0.005, 0.02].map(|decay| {
            let toy = Toy { decay, ..PAPER };
            // Ten times the decay is over ten times as soon.
            toy.after((60.0 / decay / toy.learning_rate) as u32, State::start(SLOW_AND_FAST)).logits().share()
        });
        assert!(shares.iter().all(|share| (share - 8.0 / 9.0).abs() < 1e-3), "{shares:?}");
    }

    #[test]
    fn beyond_two_both_corners_are_minima_and_from_each_descent_stays() {
        let even = Both { generalising: 1.0, memory: 1.0 };
        let middle = |kappa: f64| relative_cost(even, kappa, 0.5);
        assert!(middle(1.2) < 1.0 && (middle(2.0) - 1.0).abs() < 1e-15 && middle(3.0) > 1.0);
        // A dearer circuit stays where it is: the first bit of the cheaper one costs more than it earns.
        let toy = Toy { kappa: 3.0, norms: Both { generalising: 1.0, memory: 1.2 }, learning_rate: 0.01, ..PAPER };
        let logit = 7.0_f64;
        let mostly = |major: f64, minor: f64| [[major.sqrt(); 2], [minor.sqrt(); 2]];
        let [large, small] = mostly(logit, 1e-4);
        let memory = toy.after(200_000, State(Both { generalising: small, memory: large })).logits();
        let general = toy.after(200_000, State(Both { generalising: large, memory: small })).logits();
        assert!(memory.share() < 1e-2 && general.share() > 0.99, "{memory:?} {general:?}");
    }

    #[test]
    fn the_delay_is_foretold_from_below_to_a_quarter_and_the_better_the_dearer_memory_is() {
        let ratios = [1.3, 2.0, 3.0].map(|memory| {
            let toy = Toy { norms: Both { generalising: 1.0, memory }, ..PAPER };
            let found = toy.course(10_000, State::start(SLOW_AND_FAST)).t_gen.unwrap();
            f64::from(found) / delay(&toy, SLOW_AND_FAST)
        });
        assert!(ratios.iter().all(|ratio| (1.0..1.25).contains(ratio)) && ratios.is_sorted_by(|a, b| a > b), "{ratios:?}");
    }
}
