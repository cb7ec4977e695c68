//! Two systems that are solved exactly at every size, so that the analysis can be tried where the answer is known.
//!
//! Every spin feels the mean of all others, so P(M) is a count of states times a weight. Curie–Weiss has spins ±1 and a continuous
//! transition at T = 1; Blume–Capel has spins 0, ±1 and a cost Δ for each that is not 0, and its transition turns from continuous to
//! first-order at T = 1/3, Δ = ln 4/3 (Blume 1966, Capel 1966). Not the Potts model, whose count runs over all divisions of N into
//! q parts, and not a lattice, which would have to be simulated and would have an error of its own.

use super::samples::Moments;
use crate::experiment::randomness::Stream;

/// A system of spins without place: energy −M²/(2N) + Δ·ΣS², J = k = 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Spins {
    /// S = ±1.
    CurieWeiss,
    /// S = 0, ±1, with the cost Δ of |S| = 1.
    BlumeCapel(f64),
}

/// P(|m|) of a finite system.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Distribution {
    /// (|m|, probability), ascending in |m|; only values that occur.
    pub states: Vec<(f64, f64)>,
}

/// A phase transition of the infinite system.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Transition {
    /// Its temperature.
    pub temperature: f64,
    /// m of the ordered phase beside m = 0 there; 0 at a continuous transition.
    pub jump: f64,
}

impl Spins {
    /// P(|m|) of `size` spins.
    pub fn distribution(self, size: u32, temperature: f64) -> Distribution {
        let n = f64::from(size);
        // Logarithm of the number of states, with weights e^{−Δ/T}, of each M from −N up to 0 or above.
        let (step, counts) = match self {
            Self::CurieWeiss => {
                let ratios = (0..size).map(|k| libm::log(f64::from(size - k) / f64::from(k + 1)));
                (2, sums(ratios))
            }
            Self::BlumeCapel(cost) => (1, sums(trinomial_ratios(size, libm::exp(-cost / temperature)))),
        };
        let upper = counts.iter().enumerate().map(|(index, count)| (step * index as i64 - i64::from(size), *count));
        let states: Vec<(f64, f64)> = upper
            .filter(|(m, _)| *m <= 0)
            .map(|(m, count)| {
                let m = -m as f64;
                // Both signs.
                let twice = if m > 0.0 { core::f64::consts::LN_2 } else { 0.0 };
                (m / n, count + twice + m * m / (2.0 * n * temperature))
            })
            .collect();
        let most = states.iter().map(|state| state.1).fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = states.iter().map(|state| libm::exp(state.1 - most)).collect();
        let total: f64 = weights.iter().sum();
        let states = states.iter().zip(&weights).rev().map(|(state, weight)| (state.0, weight / total)).collect();
        Distribution { states }
    }

    /// Per spin and temperature, the free energy at magnetisation m in mean-field form, ½m²/T − ln Σ_S e^{Sm/T − ΔS²/T}, less
    /// that at 0: its minima are the phases.
    fn free_energy(self, m: f64, temperature: f64) -> f64 {
        let field = m / temperature;
        let log = match self {
            Self::CurieWeiss => libm::log(libm::cosh(field)),
            Self::BlumeCapel(cost) => {
                let weight = 2.0 * libm::exp(-cost / temperature);
                libm::log((1.0 + weight * libm::cosh(field)) / (1.0 + weight))
            }
        };
        0.5 * m * field - log
    }

    /// The transition of the infinite system, by bisection where it is first-order; `None` if it has none (Δ ≥ ½).
    pub fn transition(self) -> Option<Transition> {
        let Self::BlumeCapel(cost) = self else { return Some(Transition { temperature: 1.0, jump: 0.0 }) };
        let tricritical = core::f64::consts::LN_2 * 2.0 / 3.0;
        if cost >= 0.5 {
            return None;
        }
        if cost <= tricritical {
            // Continuous: ⟨S²⟩ at m = 0 is T.
            let excess = |t: f64| 2.0 / (2.0 + libm::exp(cost / t)) - t;
            return Some(Transition { temperature: bisect(1.0 / 3.0, 1.0, excess), jump: 0.0 });
        }
        let ordered = |t: f64| {
            let at = |index: u32| f64::from(index) / 2000.0;
            let best = (1..=2000).map(|i| (self.free_energy(at(i), t), at(i))).min_by(|a, b| a.0.total_cmp(&b.0));
            best.unwrap_or((0.0, 0.0))
        };
        // The ordered phase is the lower one below.
        let temperature = bisect(0.01, 1.0 / 3.0 + 1e-9, |t| -ordered(t).0);
        Some(Transition { temperature, jump: ordered(temperature - 1e-9).1 })
    }

    /// The temperature up to which a phase with m > 0 exists beside m = 0; `None` where the transition is continuous.
    pub fn spinodal(self) -> Option<f64> {
        let Transition { temperature, jump } = self.transition()?;
        let falls_again = |t: f64| {
            let course: Vec<f64> = (0..=2000).map(|i| self.free_energy(f64::from(i) / 2000.0, t)).collect();
            course.windows(2).any(|pair| pair[1] < pair[0])
        };
        (jump > 0.0).then(|| bisect(temperature, 0.6, |t| if falls_again(t) { 1.0 } else { -1.0 }))
    }

    /// Landau's a, b, c of I(m) = ½a·m² + ¼b·m⁴ + ⅙c·m⁶ + …, where P(m) ∝ e^{−N·I(m)}: by the Legendre transform of the
    /// cumulants κ₂, κ₄, κ₆ of a free spin.
    pub fn landau(self, temperature: f64) -> [f64; 3] {
        let r = match self {
            Self::CurieWeiss => 1.0,
            Self::BlumeCapel(cost) => 2.0 / (2.0 + libm::exp(cost / temperature)),
        };
        // A spin's even moments are all r.
        let (k4, k6) = (r - 3.0 * r * r, r - 15.0 * r * r + 30.0 * r * r * r);
        let inverse = 1.0 / r;
        [inverse - 1.0 / temperature, -k4 * inverse.powi(4) / 6.0, (10.0 * k4 * k4 * inverse - k6) * inverse.powi(6) / 120.0]
    }
}

/// Sums of `ratios` from 0 on.
fn sums(ratios: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut total = 0.0;
    std::iter::once(0.0)
        .chain(ratios.map(|ratio| {
            total += ratio;
            total
        }))
        .collect()
}

/// Logarithms of c_{k+1}/c_k, k = 0 … N−1, of (w + z + w·z²)^N = Σ c_k z^k, by w(k+1)c_{k+1} = (N−k)c_k + w(2N−k+1)c_{k−1},
/// which follows from differentiating; all terms are positive, so nothing cancels.
fn trinomial_ratios(size: u32, weight: f64) -> impl Iterator<Item = f64> {
    let n = f64::from(size);
    let mut ratio = f64::INFINITY;
    (0..size).map(move |k| {
        let k = f64::from(k);
        ratio = ((n - k) + weight * (2.0 * n - k + 1.0) / ratio) / (weight * (k + 1.0));
        libm::log(ratio)
    })
}

/// Where `of` changes from positive to negative.
fn bisect(mut low: f64, mut high: f64, of: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        if of(middle) > 0.0 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

impl Distribution {
    /// Its moments, as if `count` seeds were behind them.
    pub fn moments(&self, count: f64) -> Moments {
        Moments::of(self.states.iter().copied(), count)
    }

    /// `count` independent draws of |m|.
    pub fn draw(&self, count: usize, stream: &mut Stream) -> Vec<f64> {
        let mut total = 0.0;
        let cumulative: Vec<f64> = self
            .states
            .iter()
            .map(|state| {
                total += state.1;
                total
            })
            .collect();
        let last = self.states.len() - 1;
        (0..count)
            .map(|_| {
                let at = stream.uniform();
                self.states[cumulative.partition_point(|sum| *sum <= at).min(last)].0
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::Purpose;

    /// Every state of `size` spins, one by one.
    fn enumerated(spins: Spins, size: u32, temperature: f64) -> Vec<(i64, f64)> {
        let (values, cost): (&[i64], f64) = match spins {
            Spins::CurieWeiss => (&[-1, 1], 0.0),
            Spins::BlumeCapel(cost) => (&[-1, 0, 1], cost),
        };
        let mut weights = vec![0.0; size as usize + 1];
        for mut state in 0..values.len().pow(size) {
            let (mut total, mut squares) = (0, 0);
            for _ in 0..size {
                let spin = values[state % values.len()];
                (total, squares, state) = (total + spin, squares + spin * spin, state / values.len());
            }
            let energy = -((total * total) as f64) / (2.0 * f64::from(size)) + cost * squares as f64;
            weights[total.unsigned_abs() as usize] += libm::exp(-energy / temperature);
        }
        let sum: f64 = weights.iter().sum();
        weights.iter().enumerate().filter(|(_, w)| **w > 0.0).map(|(m, w)| (m as i64, w / sum)).collect()
    }

    #[test]
    fn distributions_are_those_of_all_states_one_by_one() {
        for (spins, size) in [(Spins::CurieWeiss, 11), (Spins::CurieWeiss, 12), (Spins::BlumeCapel(0.48), 9)] {
            for temperature in [0.2, 0.9] {
                let found = spins.distribution(size, temperature);
                let all = enumerated(spins, size, temperature);
                assert_eq!(found.states.len(), all.len());
                for (state, (m, probability)) in found.states.iter().zip(all) {
                    assert!((state.0 - m as f64 / f64::from(size)).abs() < 1e-12);
                    assert!((state.1 - probability).abs() < 1e-12, "{spins:?} {state:?} {probability}");
                }
            }
        }
    }

    #[test]
    fn curie_weiss_has_its_known_cumulant_at_the_critical_point() {
        // For P ∝ e^{−x⁴/12}: U₄ = 1 − Γ(1/4)²/(12 Γ(3/4)²) = .27052.
        let known = 1.0 - libm::tgamma(0.25).powi(2) / (12.0 * libm::tgamma(0.75).powi(2));
        let found = [1000, 4000, 16000].map(|n| Spins::CurieWeiss.distribution(n, 1.0).moments(1.0).binder - known);
        assert!((known - 0.27052).abs() < 1e-5 && found[2].abs() < 0.003, "{known} {found:?}");
        // Its correction falls as N^{−1/2}.
        assert!((found[0] / found[1] - 2.0).abs() < 0.05 && (found[1] / found[2] - 2.0).abs() < 0.03, "{found:?}");
    }

    #[test]
    fn the_first_order_transition_is_where_both_phases_weigh_the_same() {
        let spins = Spins::BlumeCapel(0.49);
        let Transition { temperature, jump } = spins.transition().unwrap();
        // The mean-field equation m = 2 sinh(m/T)/(2 cosh(m/T) + e^{Δ/T}) at the jump.
        let field = jump / temperature;
        let right = 2.0 * libm::sinh(field) / (2.0 * libm::cosh(field) + libm::exp(0.49 / temperature));
        assert!((right - jump).abs() < 2e-3, "{jump} {right}");
        // Exact weights on both sides of the valley stay within a factor while N grows by four: neither phase wins.
        let weight = |size: u32| {
            let states = spins.distribution(size, temperature).states;
            states.iter().filter(|state| state.0 > 0.5 * jump).map(|state| state.1).sum::<f64>()
        };
        let (small, large) = (weight(256), weight(1024));
        assert!((0.2..0.8).contains(&small) && (small - large).abs() < 0.05, "{small} {large}");
    }

    #[test]
    fn the_line_turns_first_order_at_the_tricritical_point() {
        let at = |cost: f64| Spins::BlumeCapel(cost).transition();
        let tricritical = core::f64::consts::LN_2 * 2.0 / 3.0;
        let (before, after) = (at(tricritical - 1e-4).unwrap(), at(tricritical + 1e-3).unwrap());
        assert!((before.temperature - 1.0 / 3.0).abs() < 1e-2 && before.jump == 0.0, "{before:?}");
        assert!((after.temperature - 1.0 / 3.0).abs() < 1e-2 && after.jump > 0.1, "{after:?}");
        assert_eq!(at(0.5), None);
        // Landau's b is 0 there, a is 0 on the whole continuous line, and Curie–Weiss has 1 − 1/T, 1/3, 1/5.
        let [a, b, _] = Spins::BlumeCapel(tricritical).landau(1.0 / 3.0);
        assert!(a.abs() < 1e-12 && b.abs() < 1e-12);
        let [a, b, c] = Spins::CurieWeiss.landau(0.8);
        assert!((a + 0.25).abs() < 1e-12 && (b - 1.0 / 3.0).abs() < 1e-12 && (c - 0.2).abs() < 1e-12);
    }

    #[test]
    fn draws_follow_the_distribution() {
        let exact = Spins::BlumeCapel(0.48).distribution(64, 0.23);
        let drawn = exact.draw(20_000, &mut Stream::new(1, Purpose::Planted, 0));
        let (found, known) = (Moments::of_seeds(&drawn), exact.moments(1.0));
        assert!((found.mean - known.mean).abs() < 0.01 && (found.variance - known.variance).abs() < 0.01);
    }
}
