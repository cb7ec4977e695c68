//! Why no network has a wider margin: a weighting of pairs and classes under which no neuron is worth more.
//!
//! The smallest margin is at most the mean under any weights. Take all pairs alike and the wrong class a + b + δ with weight τ(δ): the
//! mean is then a sum over neurons of G(u, v, w) = 2/p²·Σ_ab u(a)·v(b)·w̃(a + b), w̃(c) = w(c) − Σ_δ τ(δ)·w(c + δ), because what
//! squares of u or v add does not depend on b or a and w̃ has mean 0. G has degree 3, so the margin over Σ‖neuron‖³ is at most its
//! largest value at norm 1. In Fourier components that is the largest of gain(f)·(1 − τ̂(f)), attained at one frequency. For odd p all
//! τ = 1/(p − 1) make all frequencies alike. For even p those have p/2 worth √2 too much, and
//! τ(δ) = (A/p)·(1 + (1 − 1/√2)·(−1)^δ), A = p/(p − 2 + 1/√2), makes them alike again. Here the largest value is searched for without that algebra.

use super::network::Neuron;
use crate::experiment::randomness::Stream;
use core::f64::consts::TAU;

/// τ(δ), `[p]`, 0 at δ = 0.
pub(super) fn weights(p: usize) -> Vec<f64> {
    let p_ = p as f64;
    if !p.is_multiple_of(2) {
        return (0..p).map(|shift| if shift == 0 { 0.0 } else { 1.0 / (p_ - 1.0) }).collect();
    }
    let rest = 1.0 - core::f64::consts::FRAC_1_SQRT_2;
    let scale = 1.0 / (p_ - 1.0 - rest);
    let of = |shift: usize| scale * (1.0 + rest * if shift.is_multiple_of(2) { 1.0 } else { -1.0 });
    (0..p).map(|shift| if shift == 0 { 0.0 } else { of(shift) }).collect()
}

/// A neuron of norm 1 climbed from random weights by making each part the best for the other two in turn, and G there.
pub(super) fn climb(p: usize, rounds: usize, stream: &mut Stream) -> (Neuron, f64) {
    let tau = weights(p);
    // Σ_δ (1[δ = 0] − τ(δ))·x(c + δ); τ is even, so it is its own transpose.
    let less = |x: &[f64]| -> Vec<f64> {
        (0..p).map(|c| x[c] - (1..p).map(|shift| tau[shift] * x[(c + shift) % p]).sum::<f64>()).collect()
    };
    let mut drawn = || unit((0..p).map(|_| stream.normal()).collect()).0;
    let (mut u, mut v, mut w) = (drawn(), drawn(), drawn());
    let mut length = 0.0;
    for _ in 0..rounds {
        let seen = less(&w);
        u = unit((0..p).map(|a| (0..p).map(|b| v[b] * seen[(a + b) % p]).sum()).collect()).0;
        v = unit((0..p).map(|b| (0..p).map(|a| u[a] * seen[(a + b) % p]).sum()).collect()).0;
        let sums: Vec<f64> = (0..p).map(|c| (0..p).map(|a| u[a] * v[(c + p - a) % p]).sum()).collect();
        (w, length) = unit(less(&sums));
    }
    // Equal parts of a norm of 1.
    let third = libm::sqrt(1.0 / 3.0);
    let part = |x: Vec<f64>| x.into_iter().map(|x| third * x).collect();
    let value = 2.0 / (p * p) as f64 * length * third * third * third;
    (Neuron { of_a: part(u), of_b: part(v), output: part(w) }, value)
}

/// The vector at norm 1, and its norm.
fn unit(vector: Vec<f64>) -> (Vec<f64>, f64) {
    let norm = libm::sqrt(vector.iter().map(|x| x * x).sum::<f64>());
    (vector.into_iter().map(|x| x / norm).collect(), norm)
}

/// Share of each frequency 1 … ⌊p/2⌋ in the squared norm of `weights` without their mean.
pub(super) fn spectrum(weights: &[f64]) -> Vec<f64> {
    let p = weights.len();
    let power = |frequency: usize| {
        let angle = |n: usize| TAU * (frequency * n % p) as f64 / p as f64;
        let (even, odd) = weights
            .iter()
            .enumerate()
            .fold((0.0, 0.0), |(even, odd), (n, x)| (even + x * libm::cos(angle(n)), odd + x * libm::sin(angle(n))));
        (even * even + odd * odd) * if 2 * frequency == p { 0.5 } else { 1.0 }
    };
    let all: Vec<f64> = (1..=p / 2).map(power).collect();
    let sum: f64 = all.iter().sum();
    all.into_iter().map(|power| power / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::super::network::{count, design, frequencies, gain, widest};
    use super::*;
    use crate::experiment::randomness::Purpose;

    #[test]
    fn weights_are_a_distribution_and_make_all_frequencies_alike() {
        for p in [5, 8, 9, 12] {
            let tau = weights(p);
            assert!((tau.iter().sum::<f64>() - 1.0).abs() < 1e-12 && tau.iter().all(|t| *t >= 0.0), "{p}");
            for frequency in frequencies(p) {
                let wave: f64 = tau.iter().enumerate().map(|(n, t)| t * (TAU * (frequency * n) as f64 / p as f64).cos()).sum();
                assert!((gain(frequency, p) * (1.0 - wave) / widest(p) - 1.0).abs() < 1e-12, "{p} {frequency}");
            }
        }
    }

    #[test]
    fn no_neuron_climbs_above_the_widest_margin_and_each_ends_at_one_frequency() {
        for p in [7, 8, 9, 13] {
            let mut stream = Stream::new(0, Purpose::Theory, p as u64);
            for _ in 0..6 {
                let (neuron, value) = climb(p, 60, &mut stream);
                assert!(value <= widest(p) * (1.0 + 1e-12) && value > widest(p) * (1.0 - 1e-6), "{p}: {value}");
                assert!((neuron.norm() - 1.0).abs() < 1e-12);
                for part in [&neuron.of_a, &neuron.of_b, &neuron.output] {
                    assert!(spectrum(part).into_iter().fold(0.0, f64::max) > 1.0 - 1e-6, "{p}");
                }
            }
        }
    }

    #[test]
    fn the_mean_under_the_weights_is_a_sum_over_neurons_for_any_network_and_bounds_its_margin() {
        let mut stream = Stream::new(1, Purpose::Theory, 0);
        for p in [6, 7] {
            let mut neurons = design(p, &frequencies(p), |_| 0.0);
            neurons.iter_mut().for_each(|neuron| {
                [&mut neuron.of_a, &mut neuron.of_b, &mut neuron.output]
                    .into_iter()
                    .flatten()
                    .for_each(|x| *x += 0.1 * stream.normal());
            });
            let tau = weights(p);
            let logit = |a: usize, b: usize, c: usize| -> f64 {
                neurons.iter().map(|n| (n.of_a[a] + n.of_b[b]).powi(2) * n.output[c % p]).sum()
            };
            let (mut mean, mut by_neurons) = (0.0, 0.0);
            for a in 0..p {
                for b in 0..p {
                    let wrong = |c: &dyn Fn(usize) -> f64| (1..p).map(|shift| tau[shift] * c(a + b + shift)).sum::<f64>();
                    mean += (logit(a, b, a + b) - wrong(&|c| logit(a, b, c))) / (p * p) as f64;
                    for n in &neurons {
                        let less = n.output[(a + b) % p] - wrong(&|c| n.output[c % p]);
                        by_neurons += 2.0 / (p * p) as f64 * n.of_a[a] * n.of_b[b] * less;
                    }
                }
            }
            let found = count(&neurons, p);
            assert!((mean - by_neurons).abs() < 1e-10, "{mean} {by_neurons}");
            assert!(found.smallest <= mean && found.margin() <= widest(p));
        }
    }
}
