//! Networks of any weights, their margins over all pairs, and the design whose margin is widest.
//!
//! f(a, b)[c] = Σ_k (u_k(a) + v_k(b))²·w_k(c). Everything claimed of margins is counted here over all p² pairs and p classes from the
//! weights, by plain loops that know nothing of waves.
//!
//! The square of u + v has the useful 2uv and more: in products of waves of one frequency, terms that go with e^{i(m·φ¹ + n·φ²)} for
//! (m, n) = (1, 1), (3, 1), (1, 3), (1, −1), (2, 2), (2, 0), (0, 2). Phases φ¹ = 2πj/q, φ² = 2πjr/q over j = 0 … q − 1 cancel all of
//! them if no m + n·r is a multiple of q. The smallest such q is 6, with r = 4, so six neurons per frequency do what the published
//! design does with eight (q = 8, r = 2 is one of eight). Modulo an even p, the frequency p/2 is a sign, and two neurons do.

use core::f64::consts::{PI, TAU};

/// (q, r) of the phases of one frequency.
const PHASES: (usize, usize) = (6, 4);
/// Neurons of each frequency but p/2.
pub(super) const PER_FREQUENCY: usize = PHASES.0;

/// One neuron, three weights for each residue.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Neuron {
    /// u, `[p]`.
    pub of_a: Vec<f64>,
    /// v, `[p]`.
    pub of_b: Vec<f64>,
    /// w, `[p]`.
    pub output: Vec<f64>,
}

impl Neuron {
    /// √(‖u‖² + ‖v‖² + ‖w‖²).
    pub(super) fn norm(&self) -> f64 {
        libm::sqrt([&self.of_a, &self.of_b, &self.output].iter().flat_map(|part| part.iter()).map(|x| x * x).sum())
    }
}

/// What is counted over all pairs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Counted {
    /// Smallest of answer's logit − another's, over all pairs and classes.
    pub smallest: f64,
    /// The largest of them.
    pub largest: f64,
    /// Their mean.
    pub mean: f64,
    /// Σ‖neuron‖³.
    pub cubes: f64,
    /// Σ‖neuron‖².
    pub squares: f64,
}

impl Counted {
    /// Margin over ‖θ‖₂,₃³.
    pub(super) fn margin(&self) -> f64 {
        self.smallest / self.cubes
    }

    /// Margin over ‖θ‖₂³.
    pub(super) fn plain_margin(&self) -> f64 {
        self.smallest / libm::pow(self.squares, 1.5)
    }
}

/// Counts the margins of `neurons` modulo `p`.
pub(super) fn count(neurons: &[Neuron], p: usize) -> Counted {
    let mut found = Counted {
        smallest: f64::INFINITY,
        largest: f64::NEG_INFINITY,
        mean: 0.0,
        cubes: neurons.iter().map(|neuron| libm::pow(neuron.norm(), 3.0)).sum(),
        squares: neurons.iter().map(|neuron| libm::pow(neuron.norm(), 2.0)).sum(),
    };
    let mut logits = vec![0.0; p];
    for a in 0..p {
        for b in 0..p {
            logits.fill(0.0);
            for neuron in neurons {
                let hidden = neuron.of_a[a] + neuron.of_b[b];
                let square = hidden * hidden;
                logits.iter_mut().zip(&neuron.output).for_each(|(z, w)| *z += square * w);
            }
            let answer = (a + b) % p;
            for (_, z) in logits.iter().enumerate().filter(|(class, _)| *class != answer) {
                let margin = logits[answer] - z;
                found.smallest = found.smallest.min(margin);
                found.largest = found.largest.max(margin);
                found.mean += margin / (p * p * (p - 1)) as f64;
            }
        }
    }
    found
}

/// The widest margin over ‖θ‖₂,₃³ modulo `p`: √(2/27)/(√p·(p − 1)) for odd p (Morwani et al. for primes), and
/// √(2/27)/(√p·(p − 2 + 1/√2)) for even p, where the frequency p/2 is cheaper by √2 (derived here, see [`super::dual`]).
pub(super) fn widest(p: usize) -> f64 {
    let p_ = p as f64;
    let classes = if p.is_multiple_of(2) { p_ - 2.0 + core::f64::consts::FRAC_1_SQRT_2 } else { p_ - 1.0 };
    libm::sqrt(2.0 / 27.0) / (libm::sqrt(p_) * classes)
}

/// All frequencies: 1 … ⌊p/2⌋.
pub(super) fn frequencies(p: usize) -> Vec<usize> {
    (1..=p / 2).collect()
}

/// What a neuron of norm 1 at `frequency` adds to the answer's logit beyond the mean of all classes: 2/p²·√(p/2)/(3√3), and √2 as
/// much at p/2.
pub(super) fn gain(frequency: usize, p: usize) -> f64 {
    let p_ = p as f64;
    let energy = if 2 * frequency == p { p_ } else { 0.5 * p_ };
    2.0 / (p_ * p_) * libm::sqrt(energy) / libm::sqrt(27.0)
}

/// Height of the wave at `frequency` over that of the others: p/2 stands for one of the p − 1 complex frequencies, the others for
/// two each.
fn relative(frequency: usize, p: usize) -> f64 {
    if 2 * frequency == p { 0.5 } else { 1.0 }
}

/// Height of the waves of the design with the frequencies `used` and Σ‖neuron‖³ = 1.
fn height(p: usize, used: &[usize]) -> f64 {
    1.0 / used.iter().map(|&frequency| relative(frequency, p) / gain(frequency, p)).sum::<f64>()
}

/// How many neurons a frequency has.
fn neurons_of(frequency: usize, p: usize) -> usize {
    if 2 * frequency == p { 2 } else { PER_FREQUENCY }
}

/// By how much a wave of height 1 at `frequency` falls from the answer to the class `shift` beyond it.
pub(super) fn fall(frequency: usize, shift: usize, p: usize) -> f64 {
    relative(frequency, p) * (1.0 - libm::cos(TAU * (frequency * shift % p) as f64 / p as f64))
}

/// ‖θ‖₂³ of the design with the frequencies `used` whose waves have height 1.
pub(super) fn plain_price(p: usize, used: &[usize]) -> f64 {
    let squares = |&frequency: &usize| {
        let count = neurons_of(frequency, p) as f64;
        count * libm::pow(relative(frequency, p) / gain(frequency, p) / count, 2.0 / 3.0)
    };
    libm::pow(used.iter().map(squares).sum(), 1.5)
}

/// Margins of the design with the frequencies `used` by its waves alone, over Σ‖neuron‖³ and over ‖θ‖₂³.
pub(super) fn margins_of(p: usize, used: &[usize]) -> (f64, f64) {
    let falls = (1..=p / 2).map(|shift| used.iter().map(|&frequency| fall(frequency, shift, p)).sum());
    let smallest = falls.fold(f64::INFINITY, f64::min);
    (smallest * height(p, used), smallest / plain_price(p, used))
}

/// The design with the frequencies `used` and Σ‖neuron‖³ = 1; `turn(k)` is added to the k-th neuron's output phase.
pub(super) fn design(p: usize, used: &[usize], mut turn: impl FnMut(usize) -> f64) -> Vec<Neuron> {
    let mut neurons = Vec::new();
    let height = height(p, used);
    for &frequency in used {
        let is_sign = 2 * frequency == p;
        let phases: Vec<(f64, f64, f64)> = if is_sign {
            vec![(0.0, 0.0, 0.0), (0.0, PI, PI)]
        } else {
            let of = |j: usize| TAU * (j % PHASES.0) as f64 / PHASES.0 as f64;
            (0..PHASES.0).map(|j| (of(j), of(j * PHASES.1), of(j * (1 + PHASES.1)))).collect()
        };
        let norm = libm::cbrt(relative(frequency, p) * height / gain(frequency, p) / phases.len() as f64);
        // ‖u‖ = ‖v‖ = ‖w‖, and Σcos² = p/2, at p/2 p.
        let amplitude = norm / libm::sqrt(if is_sign { 3.0 * p as f64 } else { 1.5 * p as f64 });
        let wave = |phase: f64| -> Vec<f64> {
            (0..p).map(|n| amplitude * libm::cos(TAU * (frequency * n % p) as f64 / p as f64 + phase)).collect()
        };
        for (of_a, of_b, output) in phases {
            let turned = output + turn(neurons.len());
            neurons.push(Neuron { of_a: wave(of_a), of_b: wave(of_b), output: wave(turned) });
        }
    }
    neurons
}

#[cfg(test)]
mod tests {
    use super::*;

    fn straight(p: usize, used: &[usize]) -> Counted {
        count(&design(p, used, |_| 0.0), p)
    }

    #[test]
    fn the_design_has_the_closed_form_at_every_modulus_and_all_its_margins_are_equal() {
        for p in [3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17] {
            let found = straight(p, &frequencies(p));
            assert!((found.cubes - 1.0).abs() < 1e-12, "{p}: {}", found.cubes);
            assert!((found.margin() / widest(p) - 1.0).abs() < 1e-10, "{p}: {} against {}", found.margin(), widest(p));
            assert!((found.largest - found.smallest).abs() < 1e-10 * found.largest, "{p}");
        }
    }

    #[test]
    fn no_smaller_cycle_of_phases_cancels_everything_that_is_not_the_sum() {
        let cancels = |q: i64, s: i64, r: i64| {
            [(1, 1), (3, 1), (1, 3), (1, -1), (2, 2), (2, 0), (0, 2)].iter().all(|(m, n)| (m * s + n * r).rem_euclid(q) != 0)
        };
        assert!(cancels(6, 1, 4) && cancels(8, 1, 2));
        assert!((1..6).all(|q| (0..q).all(|s| (0..q).all(|r| !cancels(q, s, r)))));
    }

    #[test]
    fn fewer_frequencies_have_the_margins_of_their_waves_in_both_norms() {
        for (p, used) in [(11, vec![1, 2, 3, 4]), (11, vec![1, 3]), (12, vec![1, 5, 6]), (13, vec![1, 5])] {
            let (found, (margin, plain)) = (straight(p, &used), margins_of(p, &used));
            assert!((found.margin() - margin).abs() < 1e-12 && margin < widest(p), "{p} {used:?}: {} {margin}", found.margin());
            assert!((found.plain_margin() - plain).abs() < 1e-12, "{p} {used:?}: {} {plain}", found.plain_margin());
        }
    }

    #[test]
    fn the_plain_norm_sees_the_number_of_neurons() {
        let found = straight(13, &frequencies(13));
        assert!((found.plain_margin() / (widest(13) / libm::sqrt(36.0)) - 1.0).abs() < 1e-10);
    }
}
