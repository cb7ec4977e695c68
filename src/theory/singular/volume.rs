//! The volume of weights whose loss is below ε, and the free energy, without sampling.
//!
//! Both could be had from draws, but a learning coefficient is an exponent at ε → 0, where no draw ever falls. Each system of this
//! panel is quadratic in the weights that are left when some are held: K = ½ Σ_j s_j χ²_j with scales s that depend on the held
//! ones. So a sum over the held weights, in logarithms and with a rule that converges exponentially (the trapezoid, for analytic
//! integrands that vanish at both ends), gives volumes of 10⁻¹⁰⁰ to eight digits. Weights are N(0, 1/γ): the localisation of an
//! estimator is a prior.

use super::system::{INPUTS, System};

/// Distance of the nodes, in logarithms.
const STEP: f64 = 0.2;
/// The same where there are two held weights; the error is about e^{−π²/STEP}.
const STEP_OF_TWO: f64 = 0.5;

/// Held weights, by what they make of the others.
#[derive(Debug, Clone, PartialEq)]
struct Node {
    /// Prior mass.
    weight: f64,
    /// s, one or two (the other 0).
    scales: [f64; 2],
}

/// The prior of a system over losses: a mixture of ½ Σ_j s_j χ²_j with `freedom` degrees of freedom each.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Volumes {
    nodes: Vec<Node>,
    freedom: u32,
}

impl Volumes {
    /// For weights N(0, 1/`localisation`); nodes of prior mass below e^−`depth` are left out.
    pub(super) fn new(system: System, localisation: f64, depth: f64) -> Self {
        let spread = 1.0 / localisation;
        let single = |freedom: f64, scale: &dyn Fn(f64) -> f64| {
            chi_square(freedom, depth).into_iter().map(|(weight, x)| Node { weight, scales: [scale(x), 0.0] }).collect()
        };
        let (nodes, freedom): (Vec<Node>, u32) = match system {
            System::Bowl { weights } => (vec![Node { weight: 1.0, scales: [spread, 0.0] }], weights),
            System::Monomial { power } => (single(1.0, &|x| libm::pow(x * spread, f64::from(power)) * spread), 1),
            System::Neuron => (single(1.0, &|x| libm::pow(libm::tanh(libm::sqrt(x * spread)), 2.0) * spread), 1),
            System::Layers { outputs, hidden } if outputs.min(hidden) == 1 => {
                (single(f64::from(outputs.max(hidden)), &|x| x * spread * spread), INPUTS)
            }
            System::Layers { outputs, .. } => {
                let nodes = wishart(f64::from(outputs), depth);
                let scaled = nodes.into_iter().map(|(weight, t)| Node { weight, scales: t.map(|t| t * spread * spread) });
                (scaled.collect(), INPUTS)
            }
        };
        Self { nodes, freedom }
    }

    /// (log Z, n·⟨K⟩) at n rows: Z = E e^{−nK} under the prior, ⟨K⟩ the mean loss under the posterior. The second is what a chain at
    /// temperature 1/n estimates, and −d log Z/d log n.
    pub(super) fn at(&self, n: f64) -> (f64, f64) {
        let half = 0.5 * f64::from(self.freedom);
        // A power is ten times as dear as a root, and nearly all of the time goes here.
        let damped = |product: f64| match self.freedom {
            1 => 1.0 / libm::sqrt(product),
            2 => 1.0 / product,
            _ => libm::pow(product, -half),
        };
        let (mut sum, mut mean) = (0.0, 0.0);
        for Node { weight, scales } in &self.nodes {
            let [x, y] = scales.map(|scale| n * scale);
            let share = weight * damped((1.0 + x) * (1.0 + y));
            sum += share;
            mean += share * half * (x / (1.0 + x) + y / (1.0 + y));
        }
        (libm::log(sum), mean / sum)
    }

    /// F = −log Z in nats at n rows, of which the phase's own n·L is left out.
    pub(super) fn free_energy(&self, n: f64) -> f64 {
        -self.at(n).0
    }

    /// (log V, d log V/d log ε): V(ε) is the prior mass of losses below ε.
    pub(super) fn below(&self, epsilon: f64) -> (f64, f64) {
        let (mut sum, mut slope) = (0.0, 0.0);
        for Node { weight, scales: [s, t] } in &self.nodes {
            let (mass, density) = if *t > 0.0 { two_exponentials(epsilon / s, epsilon / t) } else { self.single(epsilon / s) };
            sum += weight * mass;
            slope += weight * density;
        }
        (libm::log(sum), slope / sum)
    }

    /// P(½χ² < x), and x times its density; `freedom` degrees.
    fn single(&self, x: f64) -> (f64, f64) {
        let a = 0.5 * f64::from(self.freedom);
        // Beyond that the rest is below 10⁻¹⁷; x is infinite where a power of a held weight is too small for a number.
        if x > 60.0 + 2.0 * a {
            return (1.0, 0.0);
        }
        let density = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
        // γ(a, x) = x^a e^{−x} Σ x^k/(a(a+1)…(a+k)): all terms positive.
        let (mut term, mut sum, mut k) = (1.0 / a, 1.0 / a, 0.0);
        while term > 1e-17 * sum {
            k += 1.0;
            term *= x / (a + k);
            sum += term;
        }
        (density * sum, density)
    }
}

/// Nodes of a χ² variable with `freedom` degrees: (mass, value).
fn chi_square(freedom: f64, depth: f64) -> Vec<(f64, f64)> {
    let log_mass = |u: f64| 0.5 * freedom * u - 0.5 * libm::exp(u);
    let least = -2.0 * depth / freedom;
    let count = ((libm::log(2.0 * depth) - least) / STEP) as usize;
    let nodes = (0..=count).map(|i| least + STEP * i as f64).map(|u| (log_mass(u), libm::exp(u))).collect();
    normalised(nodes, depth)
}

/// Nodes of the eigenvalues (t₁ > t₂) of AᵀA for A `[freedom, 2]` with standard normal entries: the density is
/// (t₁t₂)^{(ν−3)/2} e^{−(t₁+t₂)/2} (t₁ − t₂). Over u = log t₁ and t₂ = t₁e^{−r}, r = log(1 + e^v), so that nothing has a corner at
/// t₁ = t₂.
fn wishart(freedom: f64, depth: f64) -> Vec<(f64, [f64; 2])> {
    let rows = ((libm::log(2.0 * depth) + depth / freedom) / STEP_OF_TWO) as usize;
    // r² of the mass at both ends: e^{2v} below, e^{−r(ν−1)/2} above.
    let (low, high) = (-16.0, 2.0 * depth / (freedom - 1.0));
    let columns = ((high - low) / STEP_OF_TWO) as usize;
    let mut nodes = Vec::new();
    for u in (0..=rows).map(|i| -depth / freedom + STEP_OF_TWO * i as f64) {
        let large = libm::exp(u);
        for v in (0..=columns).map(|i| low + STEP_OF_TWO * i as f64) {
            let r = if v > 30.0 { v } else { libm::log1p(libm::exp(v)) };
            let (ratio, gap) = (libm::exp(-r), -libm::expm1(-r));
            let log_mass = freedom * u - 0.5 * (freedom - 1.0) * r - 0.5 * large * (1.0 + ratio) + libm::log(gap)
                - libm::log1p(libm::exp(-v));
            if log_mass > -depth {
                nodes.push((log_mass, [large, large * ratio]));
            }
        }
    }
    normalised(nodes, depth)
}

/// Masses that add up to 1, from their logarithms up to a constant.
fn normalised<T>(nodes: Vec<(f64, T)>, depth: f64) -> Vec<(f64, T)> {
    let whole: f64 = nodes.iter().map(|(log, _)| libm::exp(*log)).sum();
    nodes.into_iter().filter(|(log, _)| *log > -depth).map(|(log, value)| (libm::exp(log) / whole, value)).collect()
}

/// P(E₁/x + E₂/y < 1) for standard exponentials, with ε·density, x < y: (φ(x) − φ(y))·xy/(y − x) with φ(x) = (1 − e^{−x})/x.
fn two_exponentials(x: f64, y: f64) -> (f64, f64) {
    let density = x * libm::exp(-x) * -libm::expm1(x - y) / (1.0 - x / y);
    if y > 0.5 {
        let phi = |x: f64| -libm::expm1(-x) / x;
        return (x * (phi(x) - phi(y)) / (1.0 - x / y), density);
    }
    // Where both are small, φ(x) − φ(y) cancels; its series does not.
    let (mut sum, mut power, mut complete, mut factorial, mut sign) = (0.0, 1.0, 1.0, 2.0, 1.0);
    for k in 1..20 {
        sum += sign * complete / factorial;
        power *= x;
        complete = y * complete + power;
        factorial *= f64::from(k + 2);
        sign = -sign;
    }
    (x * y * sum, density)
}

/// A free energy over log n from 0 on, tabled once: figures and searches ask for it thousands of times.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    /// (F, dF/d log n) every [`TABLED`].
    values: Vec<(f64, f64)>,
}

/// Distance in log n. Cubics with exact slopes are then off by some 10⁻⁵ nats.
const TABLED: f64 = 0.25;

impl Table {
    /// Up to `most` = log n.
    pub(super) fn new(volumes: &Volumes, most: f64) -> Self {
        let count = libm::ceil(most / TABLED) as usize;
        let of_one = |i: usize| volumes.at(libm::exp(TABLED * i as f64));
        Self { values: (0..=count).map(of_one).map(|(log, slope)| (-log, slope)).collect() }
    }

    /// F at `log_n`, by Hermite's cubic; NaN outside of the table.
    pub(super) fn at(&self, log_n: f64) -> f64 {
        let place = log_n / TABLED;
        let left = (place as usize).min(self.values.len().saturating_sub(2));
        let Some([(low, rise), (high, fall)]) = self.values.get(left..left + 2).and_then(|pair| pair.first_chunk()) else {
            return f64::NAN;
        };
        let t = place - left as f64;
        if !(0.0..=1.0).contains(&t) {
            return f64::NAN;
        }
        let s = 1.0 - t;
        s * s * (1.0 + 2.0 * t) * low + t * t * (1.0 + 2.0 * s) * high + TABLED * s * t * (s * rise - t * fall)
    }
}

/// λ and m behind three slopes λ − (m − 1)/(L + b) at equally spaced L = log n or log 1/ε, with b unknown.
pub(super) fn exponents(slopes: [f64; 3], spacing: f64) -> (f64, f64) {
    let [first, second, third] = slopes;
    // Between the outer slopes that the panel takes a multiplicity of 2 leaves at least .01, the next exponent of a system at most
    // .002, and of that next to nothing in the last.
    if (third - first).abs() < 4e-3 {
        return (third, 1.0);
    }
    let lambda = (second * (first + third) - 2.0 * first * third) / (2.0 * second - first - third);
    (lambda, 1.0 + 2.0 * spacing / (1.0 / (lambda - third) - 1.0 / (lambda - first)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    fn volumes(system: System, localisation: f64) -> Volumes {
        Volumes::new(system, localisation, 110.0)
    }

    #[test]
    fn a_bowl_has_its_closed_form() {
        // Z = (1 + n/γ)^{−d/2}; V of two weights is 1 − e^{−εγ}.
        let bowl = volumes(System::Bowl { weights: 7 }, 5.0);
        assert!((bowl.free_energy(30.0) - 3.5 * libm::log(7.0)).abs() < 1e-12);
        assert!((bowl.at(30.0).1 - 3.5 * 30.0 / 35.0).abs() < 1e-12);
        let (log, slope) = volumes(System::Bowl { weights: 2 }, 5.0).below(0.1);
        let (volume, density) = (-libm::expm1(-0.5), 0.5 * libm::exp(-0.5));
        assert!((libm::exp(log) - volume).abs() < 1e-13 && (slope - density / volume).abs() < 1e-12);
    }

    #[test]
    fn two_norms_in_the_plane_have_the_closed_form_of_the_exponential_integral() {
        // Z = y e^y E₁(y) with y = γ²/(2n); E₁ by its series (Abramowitz and Stegun 5.1.11).
        let system = volumes(System::Layers { outputs: 2, hidden: 1 }, 3.0);
        for n in [10.0, 1e4, 1e9] {
            let y = 9.0 / (2.0 * n);
            let (mut term, mut series) = (-1.0, 0.0);
            for k in 1..40 {
                term *= -y / f64::from(k);
                series += term / f64::from(k);
            }
            let integral = -0.577_215_664_901_532_9 - libm::log(y) + series;
            let exact = -libm::log(y * libm::exp(y) * integral);
            assert!((system.free_energy(n) - exact).abs() < 1e-9, "{n}: {} {exact}", system.free_energy(n));
        }
    }

    #[test]
    fn free_energies_and_volumes_are_those_of_draws() {
        let mut stream = Stream::new(1, Purpose::Theory, 0);
        let all = [
            System::Layers { outputs: 3, hidden: 2 },
            System::Layers { outputs: 2, hidden: 2 },
            System::Layers { outputs: 1, hidden: 2 },
            System::Layers { outputs: 5, hidden: 1 },
            System::Monomial { power: 2 },
            System::Neuron,
        ];
        for system in all {
            let (exact, gamma) = (volumes(system, 0.7), 0.7f64);
            let mut scratch = vec![0.0; system.weights()];
            let losses: Vec<f64> = (0..10_000)
                .map(|_| {
                    let w: Vec<f64> = (0..system.weights()).map(|_| stream.normal() / gamma.sqrt()).collect();
                    system.slope(&w, &mut scratch)
                })
                .collect();
            let count = losses.len() as f64;
            let z = losses.iter().map(|k| libm::exp(-4.0 * k)).sum::<f64>() / count;
            let below = losses.iter().filter(|k| **k < 0.2).count() as f64 / count;
            // Four deviations of a share.
            let chance = |p: f64| 4.0 * libm::sqrt(p * (1.0 - p) / count);
            assert!((libm::exp(exact.at(4.0).0) - z).abs() < chance(z), "{system:?}");
            let volume = libm::exp(exact.below(0.2).0);
            assert!((volume - below).abs() < chance(below), "{system:?}: {volume} {below}");
        }
    }

    #[test]
    fn slopes_are_derivatives() {
        for system in [System::Layers { outputs: 3, hidden: 2 }, System::Monomial { power: 3 }, System::Neuron] {
            let exact = volumes(system, 2.0);
            for at in [1.0f64, 8.0, 20.0] {
                let (n, epsilon) = (at.exp(), (-at).exp());
                let of_z = (exact.free_energy(n * 1.001) - exact.free_energy(n / 1.001)) / (2.0 * libm::log(1.001));
                let of_v = (exact.below(epsilon * 1.001).0 - exact.below(epsilon / 1.001).0) / (2.0 * libm::log(1.001));
                assert!((of_z - exact.at(n).1).abs() < 1e-5, "{system:?} {n}");
                assert!((of_v - exact.below(epsilon).1).abs() < 1e-5, "{system:?} {epsilon}");
            }
        }
    }

    #[test]
    fn two_exponentials_agree_with_integration_where_they_are_apart_close_and_small() {
        for (x, y) in [(0.3, 0.4), (0.3, 0.500_001), (0.3, 0.3001), (2.0, 9.0), (1e-9, 3e-9), (1e-6, 40.0)] {
            // ∫₀ˣ e^{−t}(1 − e^{−y(1 − t/x)}) dt by Simpson's rule.
            let inner = |t: f64| libm::exp(-t) * -libm::expm1(-y * (1.0 - t / x));
            let parts = 2000;
            let simpson: f64 = (0..=parts)
                .map(|i| {
                    let factor = if i == 0 || i == parts { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
                    factor * inner(x * f64::from(i) / f64::from(parts))
                })
                .sum::<f64>()
                * x
                / (3.0 * f64::from(parts));
            let (found, _) = two_exponentials(x, y);
            assert!((found / simpson - 1.0).abs() < 1e-8, "{x} {y}: {found} {simpson}");
        }
    }

    #[test]
    fn a_table_has_the_values_between_its_nodes_and_nothing_beyond() {
        for system in [System::Layers { outputs: 3, hidden: 2 }, System::Bowl { weights: 20 }] {
            let exact = volumes(system, 5.0);
            let table = Table::new(&exact, 20.0);
            for log in [0.0f64, 0.1, 1.63, 7.41, 19.9, 20.0] {
                assert!((table.at(log) - exact.free_energy(log.exp())).abs() < 2e-4, "{system:?} {log}");
            }
            assert!(table.at(20.3).is_nan() && table.at(-0.1).is_nan());
        }
    }

    #[test]
    fn exponents_are_found_behind_an_unknown_offset() {
        let slope = |at: f64| 1.5 - 1.0 / (at - 3.0);
        let (lambda, multiplicity) = exponents([60.0, 90.0, 120.0].map(slope), 30.0);
        assert!((lambda - 1.5).abs() < 1e-10 && (multiplicity - 2.0).abs() < 1e-8);
        assert_eq!(exponents([0.25; 3], 30.0), (0.25, 1.0));
    }
}
