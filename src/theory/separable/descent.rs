//! Step by step: the six optimisers, in full-batch form.
//!
//! At step 10⁷ an update of ŵ/t is 10⁻⁷ beside weights of 10, so weights are compensated sums (Kahan): in f32 the plain sum stands
//! still from about step 4·10⁶ on, and in f64 10⁷ roundings would show beside the 10⁻⁷ that is left of ρ. Directions come from
//! gradients over their largest pull, so that nothing is 0/0 where e^{−u} underflows.

use super::loss::Loss;
use super::rows::{Rows, dot, norm};
use core::ops::{Add, Sub};

/// How weights move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rule {
    /// w − η∇L.
    Gradient,
    /// v ← μv + ∇L, w − ηv.
    Momentum(f64),
    /// w − η∇L/‖∇L‖.
    Normalised,
    /// Adam with β₁ = .9, β₂ = .999 and this ε.
    Adam(f64),
    /// w − η sign(∇L).
    Sign,
    /// Only the coordinate with the largest slope: w_j − η∂_jL.
    Coordinate,
}

/// A sum that carries what rounding took from it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compensated<T> {
    value: T,
    lost: T,
}

impl<T: Copy + Default + Add<Output = T> + Sub<Output = T>> Compensated<T> {
    pub(super) fn new(value: T) -> Self {
        Self { value, lost: T::default() }
    }

    pub(super) fn value(self) -> T {
        self.value
    }

    pub(super) fn add(&mut self, term: T) {
        let term = term - self.lost;
        let sum = self.value + term;
        self.lost = (sum - self.value) - term;
        self.value = sum;
    }
}

const BETA1: f64 = 0.9;
/// What Adam keeps of its second moment in a step.
pub(super) const BETA2: f64 = 0.999;

/// An optimiser at work.
pub(super) struct Descent<'a> {
    rows: &'a Rows,
    loss: Loss,
    rule: Rule,
    rate: f64,
    sums: Vec<Compensated<f64>>,
    weights: Vec<f64>,
    /// Logarithm of each row's pull.
    pulls: Vec<f64>,
    /// Descent direction in units of e^`scale`.
    direction: Vec<f64>,
    /// Velocity of momentum, or Adam's first moment in units of e^`scale`.
    first: Vec<f64>,
    /// Adam's second moment in units of e^{2·`scale`}.
    second: Vec<f64>,
    scale: f64,
    /// β₁ᵗ and β₂ᵗ.
    powers: (f64, f64),
}

impl<'a> Descent<'a> {
    pub(super) fn new(rows: &'a Rows, loss: Loss, rule: Rule, rate: f64, start: &[f64]) -> Self {
        let zeros = vec![0.0; start.len()];
        Self {
            rows,
            loss,
            rule,
            rate,
            sums: start.iter().copied().map(Compensated::new).collect(),
            weights: start.to_vec(),
            pulls: vec![0.0; rows.len()],
            direction: zeros.clone(),
            first: zeros.clone(),
            second: zeros,
            scale: 0.0,
            powers: (1.0, 1.0),
        }
    }

    pub(super) fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// One step.
    pub(super) fn step(&mut self) {
        let scale = self.look();
        let rate = self.rate;
        match self.rule {
            Rule::Gradient => {
                let unit = rate * libm::exp(scale);
                self.walk(|direction, _| unit * direction);
            }
            Rule::Momentum(friction) => {
                let unit = libm::exp(scale);
                for (v, d) in self.first.iter_mut().zip(&self.direction) {
                    *v = friction * *v + unit * d;
                }
                self.walk(|_, velocity| rate * velocity);
            }
            Rule::Normalised => {
                let length = norm(&self.direction);
                let unit = if length > 0.0 { rate / length } else { 0.0 };
                self.walk(|direction, _| unit * direction);
            }
            Rule::Sign => self.walk(|direction, _| if direction == 0.0 { 0.0 } else { rate * direction.signum() }),
            Rule::Coordinate => {
                let largest = self.direction.iter().map(|d| d.abs()).fold(0.0, f64::max);
                let unit = rate * libm::exp(scale);
                let mut is_taken = false;
                // The first of equals, as an arg max gives.
                self.walk(|direction, _| {
                    let is_first = !is_taken && direction.abs() == largest;
                    is_taken |= is_first;
                    if is_first { unit * direction } else { 0.0 }
                });
            }
            Rule::Adam(epsilon) => self.adam(scale, epsilon),
        }
        self.scale = scale;
    }

    /// Sets `direction`; returns its scale.
    fn look(&mut self) -> f64 {
        let mut scale = f64::NEG_INFINITY;
        for (pull, z) in self.pulls.iter_mut().zip(self.rows.iter()) {
            *pull = self.loss.log_pull(dot(z, &self.weights));
            scale = scale.max(*pull);
        }
        self.direction.fill(0.0);
        for (pull, z) in self.pulls.iter().zip(self.rows.iter()) {
            let share = libm::exp(pull - scale);
            for (d, x) in self.direction.iter_mut().zip(z) {
                *d += share * x;
            }
        }
        scale
    }

    /// Adds `update(direction, first moment)` to each weight.
    fn walk(&mut self, mut update: impl FnMut(f64, f64) -> f64) {
        for (at, sum) in self.sums.iter_mut().enumerate() {
            sum.add(update(self.direction[at], self.first[at]));
            self.weights[at] = sum.value();
        }
    }

    fn adam(&mut self, scale: f64, epsilon: f64) {
        // Moments move to the new unit: exact, where moments of underflowing gradients would be lost.
        let unit = libm::exp(self.scale - scale);
        self.powers = (self.powers.0 * BETA1, self.powers.1 * BETA2);
        let floor = if epsilon > 0.0 { epsilon * libm::exp(-scale) } else { 0.0 };
        for at in 0..self.sums.len() {
            let d = self.direction[at];
            self.first[at] = BETA1 * unit * self.first[at] + (1.0 - BETA1) * d;
            self.second[at] = BETA2 * unit * unit * self.second[at] + (1.0 - BETA2) * d * d;
            let mean = self.first[at] / (1.0 - self.powers.0);
            let size = libm::sqrt(self.second[at] / (1.0 - self.powers.1)) + floor;
            if size > 0.0 {
                self.sums[at].add(self.rate * mean / size);
                self.weights[at] = self.sums[at].value();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::separable::slow::Slow;

    fn pair() -> Rows {
        Rows::new(2, vec![0.0, 2.0, 1.5, 0.5])
    }

    /// Textbook forms in plain arithmetic, without scales, sums or moments in units.
    fn by_the_book(rows: &Rows, loss: Loss, rule: Rule, rate: f64, steps: i32) -> Vec<f64> {
        let (mut w, mut v, mut s) = (vec![0.1, -0.2], vec![0.0; 2], vec![0.0; 2]);
        for t in 1..=steps {
            let g: Vec<f64> = loss.descent(rows, &w).iter().map(|d| -d).collect();
            let length = norm(&g);
            let top = usize::from(g[1].abs() > g[0].abs());
            for j in 0..2 {
                w[j] -= rate
                    * match rule {
                        Rule::Gradient => g[j],
                        Rule::Momentum(friction) => {
                            v[j] = friction * v[j] + g[j];
                            v[j]
                        }
                        Rule::Normalised => g[j] / length,
                        Rule::Sign => g[j].signum(),
                        Rule::Coordinate => f64::from(u8::from(j == top)) * g[j],
                        Rule::Adam(epsilon) => {
                            v[j] = 0.9 * v[j] + 0.1 * g[j];
                            s[j] = 0.999 * s[j] + 0.001 * g[j] * g[j];
                            let (mean, square) = (v[j] / (1.0 - 0.9f64.powi(t)), s[j] / (1.0 - 0.999f64.powi(t)));
                            mean / (square.sqrt() + epsilon)
                        }
                    };
            }
        }
        w
    }

    #[test]
    fn every_rule_is_that_of_the_book() {
        let rules = [
            Rule::Gradient,
            Rule::Momentum(0.9),
            Rule::Normalised,
            Rule::Sign,
            Rule::Coordinate,
            Rule::Adam(1e-8),
            Rule::Adam(0.0),
        ];
        for loss in [Loss::Logistic, Loss::Exponential] {
            for rule in rules {
                let rows = pair();
                let mut descent = Descent::new(&rows, loss, rule, 0.05, &[0.1, -0.2]);
                (0..300).for_each(|_| descent.step());
                let truth = by_the_book(&rows, loss, rule, 0.05, 300);
                for (ours, truth) in descent.weights().iter().zip(truth) {
                    assert!((ours - truth).abs() < 1e-10, "{loss:?} {rule:?}: {ours} is not {truth}");
                }
            }
        }
    }

    #[test]
    fn normalised_descent_goes_on_where_the_gradient_underflows() {
        let rows = pair();
        let mut descent = Descent::new(&rows, Loss::Logistic, Rule::Normalised, 1.0, &[2000.0, 2000.0]);
        let before = norm(descent.weights());
        (0..10).for_each(|_| descent.step());
        assert!((norm(descent.weights()) - before - 10.0).abs() < 0.5);
    }

    #[test]
    fn a_plain_sum_in_f32_stands_still_where_a_compensated_one_moves() {
        let rows = pair();
        // Where descent is after 10⁷ steps; each further one is 10⁻⁷/2, half of what f32 can add to 8.
        let mut start = vec![0.0; 2];
        let slow = Slow::new(&rows, Loss::Logistic, 0.25, 0.0);
        let mut descent = Descent::new(&rows, Loss::Logistic, Rule::Gradient, 0.25, &start);
        (0..2000).for_each(|_| descent.step());
        start.copy_from_slice(descent.weights());
        slow.advance(&mut start, 2e3, 1e7).unwrap();
        let begin: Vec<f32> = start.iter().map(|w| *w as f32).collect();
        let mut plain = begin.clone();
        let mut kahan: Vec<Compensated<f32>> = begin.iter().copied().map(Compensated::new).collect();
        let mut exact = Descent::new(&rows, Loss::Logistic, Rule::Gradient, 0.25, &[f64::from(begin[0]), f64::from(begin[1])]);
        let steps = 100_000;
        for _ in 0..steps {
            let at = |w: &[f32]| Loss::Logistic.descent(&rows, &w.iter().map(|x| f64::from(*x)).collect::<Vec<_>>());
            let pull = at(&plain);
            for (w, d) in plain.iter_mut().zip(pull) {
                *w += (0.25 * d) as f32;
            }
            let now: Vec<f32> = kahan.iter().map(|sum| sum.value()).collect();
            for (sum, d) in kahan.iter_mut().zip(at(&now)) {
                sum.add((0.25 * d) as f32);
            }
            exact.step();
        }
        assert_eq!(plain, begin);
        for (at, sum) in kahan.iter().enumerate() {
            let moved = exact.weights()[at] - f64::from(begin[at]);
            assert!(moved > 0.004 && (f64::from(sum.value()) - exact.weights()[at]).abs() < 2e-6, "{moved}");
        }
    }
}
