//! The network itself: weights written down, logits over all pairs.
//!
//! Everything predicted in this panel is about these logits, so they come from the weights and not from the algebra that the
//! prediction uses. A row costs its neurons once and then one wave per frequency and class. Not taken from `model`: theory is
//! computed without networks to train, and two independent writings of one formula check each other.

use crate::experiment::randomness::{Purpose, Stream};
use core::f64::consts::TAU;

/// Which frequencies there are, and how many neurons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// p.
    pub modulus: usize,
    /// F: neurons take the frequencies 1..=F one after another, again and again.
    pub frequencies: usize,
    /// N.
    pub width: usize,
}

impl Shape {
    /// Neurons of `frequency` (from 1 on).
    pub(crate) fn neurons_of(&self, frequency: usize) -> usize {
        (self.width + self.frequencies - frequency) / self.frequencies
    }

    /// The frequencies that have neurons.
    pub(crate) fn used(&self) -> usize {
        self.frequencies.min(self.width)
    }
}

/// Frequencies that tell residues apart, up to sign: ⌊(p − 1)/2⌋.
pub(crate) fn all_frequencies(modulus: usize) -> usize {
    (modulus - 1) / 2
}

/// One neuron: a(n) = cos(ωn + φ¹), b(n) = cos(ωn + φ²), c(n) = cos(−ωn − φ³) with φ³ = φ¹ + φ².
#[derive(Debug, Clone, PartialEq)]
struct Neuron {
    frequency: usize,
    /// a, `[p]`.
    of_a: Vec<f64>,
    /// b, `[p]`.
    of_b: Vec<f64>,
    /// cos φ³ and sin φ³.
    output: (f64, f64),
}

/// A network with drawn phases.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Network {
    shape: Shape,
    neurons: Vec<Neuron>,
    /// cos and sin of 2πn/p, `[p]`.
    waves: Vec<(f64, f64)>,
}

impl Network {
    /// The `index`-th network under `seed`.
    pub(crate) fn new(shape: Shape, seed: u64, index: u64) -> Self {
        let mut stream = Stream::new(seed, Purpose::Theory, index);
        let p = shape.modulus;
        let angle = |n: usize| TAU * n as f64 / p as f64;
        let waves: Vec<(f64, f64)> = (0..p).map(|n| (libm::cos(angle(n)), libm::sin(angle(n)))).collect();
        let neuron = |index: usize| {
            let frequency = index % shape.frequencies + 1;
            let (phase_a, phase_b) = (TAU * stream.uniform(), TAU * stream.uniform());
            let wave = |phase: f64| {
                let (cosine, sine) = (libm::cos(phase), libm::sin(phase));
                let at = |n: usize| waves[frequency * n % p];
                (0..p).map(|n| at(n).0 * cosine - at(n).1 * sine).collect()
            };
            let output = (libm::cos(phase_a + phase_b), libm::sin(phase_a + phase_b));
            Neuron { frequency, of_a: wave(phase_a), of_b: wave(phase_b), output }
        };
        let neurons = (0..shape.width).map(neuron).collect();
        Self { shape, neurons, waves }
    }

    /// Σ_k c_k(q)·(a_k(a) + b_k(b))² for every class q, into `logits` `[p]`.
    pub(crate) fn logits(&self, a: usize, b: usize, logits: &mut [f64]) {
        let p = self.shape.modulus;
        let mut sums = vec![(0.0, 0.0); self.shape.frequencies + 1];
        for neuron in &self.neurons {
            let hidden = neuron.of_a[a] + neuron.of_b[b];
            let sum = &mut sums[neuron.frequency];
            sum.0 += hidden * hidden * neuron.output.0;
            sum.1 += hidden * hidden * neuron.output.1;
        }
        // Re(C·e^{iωq}); q and p − q share their waves.
        for class in 0..=p / 2 {
            let (mut even, mut odd, mut at) = (0.0, 0.0, 0);
            for sum in &sums[1..] {
                at += class;
                if at >= p {
                    at -= p;
                }
                even += sum.0 * self.waves[at].0;
                odd += sum.1 * self.waves[at].1;
            }
            logits[class] = even - odd;
            if class > 0 {
                logits[p - class] = even + odd;
            }
        }
    }

    /// Logit of the answer minus the largest other one, for every pair, `[p²]`.
    pub(crate) fn margins(&self) -> Vec<f64> {
        let p = self.shape.modulus;
        let mut logits = vec![0.0; p];
        let mut margins = Vec::with_capacity(p * p);
        for a in 0..p {
            for b in 0..p {
                self.logits(a, b, &mut logits);
                let answer = (a + b) % p;
                let others = logits.iter().enumerate().filter(|(class, _)| *class != answer).map(|(_, z)| *z);
                margins.push(logits[answer] - others.fold(f64::NEG_INFINITY, f64::max));
            }
        }
        margins
    }
}

/// Share of rows whose answer wins by more than rounding.
pub(crate) fn accuracy(margins: &[f64], width: usize) -> f64 {
    let least = 1e-10 * width as f64;
    margins.iter().filter(|margin| **margin > least).count() as f64 / margins.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_are_those_of_the_weights_multiplied_out() {
        for (modulus, frequencies) in [(7, 3), (12, 5), (9, 2)] {
            let shape = Shape { modulus, frequencies, width: 11 };
            let network = Network::new(shape, 5, 0);
            let mut stream = Stream::new(5, Purpose::Theory, 0);
            let phases: Vec<(f64, f64)> = (0..11).map(|_| (TAU * stream.uniform(), TAU * stream.uniform())).collect();
            let mut logits = vec![0.0; modulus];
            for (a, b) in [(0, 0), (3, 5), (6, 2)] {
                network.logits(a, b, &mut logits);
                for (class, logit) in logits.iter().enumerate() {
                    let of = |(k, (one, two)): (usize, &(f64, f64))| {
                        let omega = TAU * (k % frequencies + 1) as f64 / modulus as f64;
                        let hidden = (omega * a as f64 + one).cos() + (omega * b as f64 + two).cos();
                        (-omega * class as f64 - one - two).cos() * hidden * hidden
                    };
                    let expected: f64 = phases.iter().enumerate().map(of).sum();
                    assert!((logit - expected).abs() < 1e-12, "{logit} {expected}");
                }
            }
            assert_eq!((1..=frequencies).map(|f| shape.neurons_of(f)).sum::<usize>(), 11);
        }
    }

    #[test]
    fn single_draws_measured_elsewhere_lie_among_ours_and_wide_networks_are_right_everywhere() {
        let accuracies = |modulus: usize, width: usize, count: u64| -> Vec<f64> {
            let shape = Shape { modulus, frequencies: all_frequencies(modulus), width };
            (0..count).map(|index| accuracy(&Network::new(shape, 0, index).margins(), width)).collect()
        };
        // Published: .832, .979, 1. Means of 100 draws by a separate program: .782 (deviation .068), .976 (.023).
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let narrow = accuracies(31, 30, 24);
        assert!((mean(&narrow) - 0.782).abs() < 0.04, "{}", mean(&narrow));
        assert!(narrow.iter().any(|a| *a > 0.832) && narrow.iter().any(|a| *a < 0.832));
        assert!((mean(&accuracies(31, 60, 12)) - 0.979).abs() < 0.02);
        assert!(mean(&accuracies(31, 120, 6)) > 0.998);
        assert!((mean(&accuracies(97, 96, 1)) - 0.9957).abs() < 0.02);
        // Composite moduli need nothing else.
        assert!(mean(&accuracies(30, 140, 3)) > 0.99 && mean(&accuracies(33, 160, 3)) > 0.99);
    }
}
