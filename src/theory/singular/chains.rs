//! The laboratory's estimator of the learning coefficient, on losses whose true one is known.
//!
//! The measure `learning_coefficient` gives a number for every network at rest, and a number is soon taken for λ. Its chains are
//! repeated here move for move, with the same ε, burn-in and draws (a test holds them against the measure's own words), so that what
//! a finite temperature, the localisation and 450 draws do to the estimate is seen. Not chosen: longer or finer chains, which would
//! show that the estimator can be made right, and not what ours says.

use super::system::System;
use crate::experiment::randomness::{Purpose, Stream};

/// ε.
pub(super) const STEP: f64 = 0.003;
/// nβ.
pub(super) const TEMPERED_ROWS: f64 = 2.0;
/// γ.
pub(super) const LOCALISATION: f64 = 5.0;
/// Chains, each from w*.
pub(super) const CHAINS: usize = 2;
/// Draws of each chain that are left out.
pub(super) const BURN_IN: usize = 200;
/// Draws of each chain that count.
pub(super) const KEPT: usize = 250;
/// A chain whose nβ·K exceeds this many per weight has diverged.
const DIVERGED: f64 = 10.0;

/// λ̂ = nβ·(mean K along two chains), from the minimum at the origin; `None` if a chain diverges.
/// w ← w − ε/2·(nβ·∇K + γ·w) + N(0, ε).
pub(super) fn estimate(system: System, tempered_rows: f64, localisation: f64, stream: &mut Stream) -> Option<f64> {
    let weights = system.weights();
    let (mut gradient, noise, mut sum) = (vec![0.0; weights], libm::sqrt(STEP), 0.0);
    for _ in 0..CHAINS {
        let mut w = vec![0.0; weights];
        for draw in 0..BURN_IN + KEPT {
            let excess = tempered_rows * system.slope(&w, &mut gradient);
            if !excess.is_finite() || excess > DIVERGED * weights as f64 {
                return None;
            }
            if draw >= BURN_IN {
                sum += excess;
            }
            for (w, g) in w.iter_mut().zip(&gradient) {
                *w += noise * stream.normal() - 0.5 * STEP * (tempered_rows * g + localisation * *w);
            }
        }
    }
    Some(sum / (CHAINS * KEPT) as f64)
}

/// `repeats` estimates at nβ; those of diverged chains are missing.
pub(super) fn estimates(system: System, tempered_rows: f64, localisation: f64, repeats: u32, seed: u64, place: u64) -> Vec<f64> {
    let stream = |repeat: u32| Stream::new(seed, Purpose::Theory, (place << 32) | u64::from(repeat));
    (0..repeats).filter_map(|repeat| estimate(system, tempered_rows, localisation, &mut stream(repeat))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::spread::mean;
    use super::super::volume::Volumes;
    use super::*;
    use crate::measure::measures;

    #[test]
    fn the_constants_are_those_of_the_measure() {
        let measure = measures().iter().find(|measure| measure.name == "learning_coefficient").unwrap();
        for words in ["ε = .003, nβ = 2, γ = 5", "two chains of 450 draws, the first 200 of each left out"] {
            assert!(measure.definition.contains(words), "{words}");
        }
        assert_eq!((STEP, TEMPERED_ROWS, LOCALISATION), (0.003, 2.0, 5.0));
        assert_eq!((CHAINS, BURN_IN, BURN_IN + KEPT), (2, 200, 450));
    }

    #[test]
    fn a_bowl_has_its_closed_form_with_localisation_and_a_finite_step() {
        // d/2 · nβ/(nβ + γ) ÷ (1 − ε(nβ + γ)/4).
        for n in [2.0, 60.0] {
            let found = estimates(System::Bowl { weights: 32 }, n, 5.0, 16, 0, 0);
            let theory = 16.0 * n / (n + 5.0) / (1.0 - STEP * (n + 5.0) / 4.0);
            let average = mean(&found);
            let error = libm::sqrt(found.iter().map(|x| (x - average) * (x - average)).sum::<f64>()) / 16.0;
            // The start is at rest too low: e^{−ε(nβ + γ)·200} is left of it.
            assert!((average - theory).abs() < 4.0 * error + 0.02 * theory, "{average} ± {error} for {theory}");
        }
    }

    #[test]
    fn a_singular_chain_estimates_the_mean_of_quadrature_and_not_the_coefficient() {
        let system = System::Layers { outputs: 3, hidden: 2 };
        let found = mean(&estimates(system, 2.0, 5.0, 80, 0, 0));
        let exact = Volumes::new(system, 5.0, 60.0).at(2.0).1;
        assert!((found / exact - 1.0).abs() < 0.12, "{found} for {exact}");
        assert!(found < 0.25 * system.coefficient().lambda);
    }

    #[test]
    fn a_chain_that_is_too_steep_has_no_estimate() {
        assert!(estimates(System::Bowl { weights: 3 }, 5000.0, 5.0, 3, 0, 0).is_empty());
    }
}
