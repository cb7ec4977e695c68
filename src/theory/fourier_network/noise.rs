//! How often is the answer's logit the largest, from random phases alone?
//!
//! Moving φ¹ by ωa and φ² by ωb turns any row into the row (0, 0), so all rows have one distribution. There, with φ = φ¹ + φ² and
//! h = (cos φ¹ + cos φ²)², a neuron of frequency k gives h·cos φ to the answer and h·cos(φ + ω_kδ) to the class δ further on, and
//! the difference has mean s and variance 15/4·s + ½·s² with s = sin²(ω_kδ/2). For odd p with all frequencies equally often that
//! is a gap of N/2·p/(p − 1) over a deviation of √(33/16·N·p/(p − 1)).
//!
//! A normal tail of that ratio is too heavy: the answer's logit leans to the right, and where it is small the other classes have
//! less energy too. So the prediction takes the answer's logit with its own distribution (saddlepoint, r*), and given that value
//! the others as independent normal ones with the mean and variance of the neurons tilted to it. Rejected: the union bound, which
//! is useless (above 1) in exactly the widths where accuracy is neither 0 nor 1; and normal noise, which is shown beside it.

use super::network::Shape;
use core::f64::consts::{PI, SQRT_2, TAU};

/// Saddlepoints from −6 to 6 deviations of the answer's logit.
const SADDLES: i32 = 96;

/// Nodes over half a period of φ and of ψ = φ¹ − φ²: averages of smooth, even, periodic functions converge exponentially.
const PHI_NODES: usize = 24;
const PSI_NODES: usize = 12;

/// Of one neuron, with phases weighted by exp(tilt·h·cos φ).
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tilted {
    /// log E exp(tilt·h·cos φ).
    cumulant: f64,
    /// E h·cos φ.
    mean: f64,
    /// E h².
    square: f64,
    /// E h²·cos 2φ.
    double: f64,
}

impl Tilted {
    fn new(tilt: f64) -> Self {
        let (mut total, mut mean, mut square, mut double) = (0.0, 0.0, 0.0, 0.0);
        for i in 0..PHI_NODES {
            let phi = PI * (i as f64 + 0.5) / PHI_NODES as f64;
            let (cosine, half) = (libm::cos(phi), libm::cos(phi / 2.0));
            for j in 0..PSI_NODES {
                let other = libm::cos(PI / 2.0 * (j as f64 + 0.5) / PSI_NODES as f64);
                // cos φ¹ + cos φ² = 2·cos(φ/2)·cos(ψ/2).
                let hidden = 4.0 * half * half * other * other;
                let weight = libm::exp(tilt * hidden * cosine);
                total += weight;
                mean += weight * hidden * cosine;
                square += weight * hidden * hidden;
                double += weight * hidden * hidden * (2.0 * cosine * cosine - 1.0);
            }
        }
        let cumulant = libm::log(total / (PHI_NODES * PSI_NODES) as f64);
        Self { cumulant, mean: mean / total, square: square / total, double: double / total }
    }

    /// Var h·cos φ.
    fn variance(&self) -> f64 {
        0.5 * (self.square + self.double) - self.mean * self.mean
    }
}

/// A class other than the answer: Σ_k cos ω_kδ and Σ_k cos 2ω_kδ over neurons.
type Class = (f64, f64);

/// What random phases make of a network's rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Noise {
    neurons: f64,
    /// δ from 1 to p − 1.
    classes: Vec<Class>,
    /// Probability of each saddlepoint's stretch, and its neurons.
    stretches: Vec<(f64, Tilted)>,
    correlation: f64,
}

impl Noise {
    /// Of networks of `shape`.
    pub(crate) fn new(shape: Shape) -> Self {
        let p = shape.modulus;
        let waves: Vec<f64> = (0..p).map(|j| libm::cos(TAU * j as f64 / p as f64)).collect();
        let class = |delta: usize| {
            (1..=shape.used()).fold((0.0, 0.0), |(one, two), frequency| {
                let count = shape.neurons_of(frequency) as f64;
                (one + count * waves[frequency * delta % p], two + count * waves[2 * frequency * delta % p])
            })
        };
        let neurons = shape.width as f64;
        Self { neurons, classes: (1..p).map(class).collect(), stretches: stretches(neurons), correlation: correlation(shape) }
    }

    /// Mean and variance of the answer's logit less that of a class.
    fn difference(&self, (one, two): Class) -> (f64, f64) {
        let s = 0.5 * (self.neurons - one);
        let squares = 0.25 * (1.5 * self.neurons - 2.0 * one + 0.5 * two);
        (s, 3.75 * s + 0.5 * squares)
    }

    fn over_classes(&self, of: impl Fn(f64, f64) -> f64) -> f64 {
        let sum: f64 = self.classes.iter().map(|class| self.difference(*class)).map(|(mean, variance)| of(mean, variance)).sum();
        sum / self.classes.len() as f64
    }

    /// Mean over classes of E\[difference\].
    pub(crate) fn gap(&self) -> f64 {
        self.over_classes(|mean, _| mean)
    }

    /// Mean over classes of E\[difference\] over its deviation.
    pub(crate) fn signal_to_noise(&self) -> f64 {
        self.over_classes(|mean, variance| mean / libm::sqrt(variance))
    }

    /// P(margin > `threshold`).
    pub(crate) fn survival(&self, threshold: f64) -> f64 {
        let given = |(probability, tilted): &(f64, Tilted)| {
            let answer = self.neurons * tilted.mean;
            let square = tilted.mean * tilted.mean;
            let all: f64 = self
                .classes
                .iter()
                .map(|&(one, two)| {
                    let variance = 0.5 * (tilted.square - square) * self.neurons + 0.5 * (tilted.double - square) * two
                        - tilted.variance() * one * one / self.neurons;
                    below((answer - tilted.mean * one - threshold) / libm::sqrt(variance.max(1e-12 * self.neurons)))
                })
                .product();
            probability * all
        };
        self.stretches.iter().map(given).sum()
    }

    /// The same if all differences were normal and joined by one common factor.
    pub(crate) fn normal_survival(&self, threshold: f64) -> f64 {
        let (common, own) = (libm::sqrt(self.correlation), libm::sqrt(1.0 - self.correlation));
        let heights: Vec<f64> = self
            .classes
            .iter()
            .map(|class| self.difference(*class))
            .map(|(mean, variance)| (mean - threshold) / libm::sqrt(variance))
            .collect();
        // Even nodes over a normal density reach rounding at this spacing.
        (-48..=48)
            .map(|i| {
                let u = f64::from(i) / 6.0;
                let all: f64 = heights.iter().map(|h| below((h + common * u) / own)).product();
                all * libm::exp(-u * u / 2.0) / (6.0 * libm::sqrt(TAU))
            })
            .sum()
    }
}

/// The distribution of the answer's logit over stretches about its saddlepoints; probabilities add up to 1.
fn stretches(neurons: f64) -> Vec<(f64, Tilted)> {
    let deviation = libm::sqrt(Tilted::new(0.0).variance() * neurons);
    let tilts = (-SADDLES / 2..SADDLES / 2).map(|i| 12.0 * (f64::from(i) + 0.5) / f64::from(SADDLES) / deviation);
    let saddles: Vec<(f64, Tilted)> = tilts
        .map(|tilt| {
            let tilted = Tilted::new(tilt);
            (r_star(tilt, neurons * tilted.cumulant, neurons * tilted.mean, neurons * tilted.variance()), tilted)
        })
        .collect();
    let mut found: Vec<(f64, Tilted)> = (0..saddles.len())
        .map(|at| {
            // From halfway to the one before to halfway to the next.
            let end = |other: Option<&(f64, Tilted)>, beyond: f64| other.map_or(beyond, |o| below(0.5 * (saddles[at].0 + o.0)));
            let from = end(at.checked_sub(1).and_then(|before| saddles.get(before)), 0.0);
            ((end(saddles.get(at + 1), 1.0) - from).max(0.0), saddles[at].1)
        })
        .collect();
    let total: f64 = found.iter().map(|stretch| stretch.0).sum();
    found.iter_mut().for_each(|stretch| stretch.0 /= total);
    found
}

/// Φ.
fn below(deviations: f64) -> f64 {
    0.5 * libm::erfc(-deviations / SQRT_2)
}

/// Barndorff-Nielsen's r*: P(sum ≤ K′(θ)) = Φ(r*), with a relative error of order 1/N.
fn r_star(tilt: f64, value: f64, first: f64, second: f64) -> f64 {
    let root = libm::sqrt((2.0 * (tilt * first - value)).max(0.0));
    let signed = if tilt < 0.0 { -root } else { root };
    signed + libm::log(tilt * libm::sqrt(second) / signed) / signed
}

/// Mean over pairs of classes of the correlation of their differences: with x = ω_kδ/2 and y = ω_kδ'/2 their product has the mean
/// sin x·sin y·(9/2·cos(x − y) − 3/4·cos(x + y)).
fn correlation(shape: Shape) -> f64 {
    let p = shape.modulus;
    // sin and cos of πj/p; turns by a whole circle more change nothing, by half a circle the sign of both, which cancels.
    let waves: Vec<(f64, f64)> =
        (0..p).map(|j| PI * j as f64 / p as f64).map(|angle| (libm::sin(angle), libm::cos(angle))).collect();
    let covariance = |one: usize, two: usize| -> f64 {
        let of = |frequency: usize| {
            let ((sine, cosine), (other_sine, other_cosine)) = (waves[frequency * one % p], waves[frequency * two % p]);
            let (sines, cosines) = (sine * other_sine, cosine * other_cosine);
            let expected = sines * (4.5 * (cosines + sines) - 0.75 * (cosines - sines));
            shape.neurons_of(frequency) as f64 * (expected - sines * sines)
        };
        (1..=shape.used()).map(of).sum()
    };
    let deviations: Vec<f64> = (1..p).map(|delta| libm::sqrt(covariance(delta, delta))).collect();
    let (mut total, mut pairs) = (0.0, 0.0);
    for one in 1..p {
        for two in 1..one {
            total += covariance(one, two) / (deviations[one - 1] * deviations[two - 1]);
            pairs += 1.0;
        }
    }
    // All differences share the answer's logit, so the mean is positive.
    (total / f64::max(pairs, 1.0)).clamp(0.0, 0.999)
}

#[cfg(test)]
mod tests {
    use super::super::network::{Network, all_frequencies};
    use super::*;

    fn full(modulus: usize, rounds: usize) -> Shape {
        let frequencies = all_frequencies(modulus);
        Shape { modulus, frequencies, width: rounds * frequencies }
    }

    /// Averages over both phases of f(h, φ), by even nodes, weighted by exp(tilt·h·cos φ).
    fn enumerated(tilt: f64, f: impl Fn(f64, f64) -> f64) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        for i in 0..40 {
            for j in 0..40 {
                let (one, two) = (TAU * f64::from(i) / 40.0, TAU * f64::from(j) / 40.0);
                let hidden = (one.cos() + two.cos()).powi(2);
                let weight = f64::exp(tilt * hidden * (one + two).cos());
                sum += weight * f(hidden, one + two);
                total += weight;
            }
        }
        sum / total
    }

    #[test]
    fn tilted_neurons_are_those_of_an_enumeration_of_phases() {
        for tilt in [0.0, -0.7, 0.4] {
            let tilted = Tilted::new(tilt);
            assert!((tilted.mean - enumerated(tilt, |h, phi| h * phi.cos())).abs() < 1e-10);
            assert!((tilted.square - enumerated(tilt, |h, _| h * h)).abs() < 1e-10);
            assert!((tilted.double - enumerated(tilt, |h, phi| h * h * (2.0 * phi).cos())).abs() < 1e-10);
            let slope = (Tilted::new(tilt + 1e-4).cumulant - Tilted::new(tilt - 1e-4).cumulant) / 2e-4;
            assert!((slope - tilted.mean).abs() < 1e-6);
        }
        let free = Tilted::new(0.0);
        assert!((free.mean - 0.5).abs() < 1e-13 && (free.square - 2.25).abs() < 1e-13 && (free.double - 0.375).abs() < 1e-13);
    }

    #[test]
    fn mean_and_variance_of_a_difference_are_those_of_an_enumeration_of_phases() {
        // One neuron of frequency 1 modulo 7: every class has its own angle.
        let noise = Noise::new(Shape { modulus: 7, frequencies: 1, width: 1 });
        for delta in 1..7 {
            let angle = TAU * f64::from(delta) / 7.0;
            let of = |h: f64, phi: f64| h * (phi.cos() - (phi + angle).cos());
            let mean = enumerated(0.0, of);
            let variance = enumerated(0.0, |h, phi| of(h, phi).powi(2)) - mean * mean;
            let found = noise.difference(noise.classes[delta as usize - 1]);
            assert!((found.0 - mean).abs() < 1e-12 && (found.1 - variance).abs() < 1e-12, "{delta}: {found:?}");
        }
    }

    #[test]
    fn correlations_of_differences_are_those_of_an_enumeration_of_phases() {
        let angle = |delta: i32| TAU * f64::from(delta) / 5.0;
        let of = |delta: i32, h: f64, phi: f64| h * (phi.cos() - (phi + angle(delta)).cos());
        let mean = |delta: i32| enumerated(0.0, |h, phi| of(delta, h, phi));
        let covariance = |a: i32, b: i32| enumerated(0.0, |h, phi| of(a, h, phi) * of(b, h, phi)) - mean(a) * mean(b);
        let pairs: Vec<(i32, i32)> = (1..5).flat_map(|a| (1..a).map(move |b| (a, b))).collect();
        let sum: f64 = pairs.iter().map(|&(a, b)| covariance(a, b) / (covariance(a, a) * covariance(b, b)).sqrt()).sum();
        let found = correlation(Shape { modulus: 5, frequencies: 1, width: 1 });
        assert!((found - sum / 6.0).abs() < 1e-12, "{found}");
    }

    #[test]
    fn gap_and_ratio_are_the_closed_forms_for_odd_moduli() {
        for modulus in [7, 15, 31] {
            let shape = full(modulus, 4);
            let noise = Noise::new(shape);
            let r = modulus as f64 / (modulus as f64 - 1.0) * shape.width as f64;
            assert!((noise.gap() - r / 2.0).abs() < 1e-9);
            assert!((noise.signal_to_noise() - libm::sqrt(r / 8.25)).abs() < 1e-9);
            assert!((noise.survival(-1e9) - 1.0).abs() < 1e-12 && noise.survival(1e9) < 1e-12);
        }
    }

    #[test]
    fn accuracy_is_that_of_rows_drawn_by_a_separate_program() {
        // 40,000 rows each with phases of their own; normal noise is up to 5% off.
        for (modulus, rounds, rows, tolerance) in
            [(31, 2, 0.789, 0.02), (31, 3, 0.931, 0.012), (31, 4, 0.980, 0.008), (97, 1, 0.874, 0.02), (97, 2, 0.997, 0.003)]
        {
            let noise = Noise::new(full(modulus, rounds));
            let found = noise.survival(0.0);
            assert!((found - rows).abs() < tolerance, "{modulus} {rounds}: {found} instead of {rows}");
            assert!(noise.normal_survival(0.0) < rows - 0.01);
        }
    }

    #[test]
    fn margins_of_networks_have_the_predicted_distribution() {
        let shape = full(31, 4);
        let noise = Noise::new(shape);
        let rows: Vec<f64> = (0..24).flat_map(|index| Network::new(shape, 4, index).margins()).collect();
        for part in [0.0, 0.2, 0.4, 0.6] {
            let threshold = part * noise.gap();
            let above = rows.iter().filter(|margin| **margin > threshold).count() as f64 / rows.len() as f64;
            assert!((noise.survival(threshold) - above).abs() < 0.05, "{part}: {} {above}", noise.survival(threshold));
        }
    }
}
