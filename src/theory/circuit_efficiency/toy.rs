//! Two circuits that add up to one logit, trained by plain gradient descent: the minimal example of Varma et al., appendix C.
//!
//! On training rows both vote for the answer with w_G and w_M; on a fresh row C_gen still does, and C_mem votes for one wrong
//! class. Scaling a circuit's logit to w takes the norm P·w^{1/κ}. Each w is a product of two factors, of which one starts at 0
//! and the other at a small (slow) or large (fast) value:
//!
//! ```text
//! L = log(1 + (q − 1)·e^{−w_G − w_M}) + α/2·(P_G²·w_G^{2/κ} + P_M²·w_M^{2/κ}),   w = w₁·w₂
//! ```
//!
//! Weight decay acts on P·w^{1/κ}, as in the paper, and not on the factors: with L2 on both factors every circuit would have κ = 2.

/// Something of both circuits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Both<T> {
    /// Of the circuit that generalises.
    pub generalising: T,
    /// Of memory.
    pub memory: T,
}

impl Both<f64> {
    /// Sum of both.
    pub(super) fn total(&self) -> f64 {
        self.generalising + self.memory
    }

    /// Share of the circuit that generalises; NaN where there is nothing.
    pub(super) fn share(&self) -> f64 {
        self.generalising / self.total()
    }
}

/// The loss and the step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Toy {
    /// q, classes.
    pub classes: f64,
    /// κ: the logit grows as the norm to this power.
    pub kappa: f64,
    /// α.
    pub decay: f64,
    /// P: norm of each circuit at a logit of 1.
    pub norms: Both<f64>,
    /// Step of gradient descent.
    pub learning_rate: f64,
}

/// The two factors of each circuit's logit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct State(pub Both<[f64; 2]>);

impl State {
    /// Both logits 0; the second factors as given. Gradient flow keeps w₁² − w₂².
    pub(super) fn start(second: Both<f64>) -> Self {
        Self(Both { generalising: [0.0, second.generalising], memory: [0.0, second.memory] })
    }

    /// w of both.
    pub(super) fn logits(&self) -> Both<f64> {
        let Both { generalising: [a, b], memory: [c, d] } = self.0;
        Both { generalising: a * b, memory: c * d }
    }
}

/// One moment of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moment {
    /// Updates made.
    pub update: u32,
    /// Logits.
    pub logits: Both<f64>,
    /// Training loss without the decay, nats.
    pub train_loss: f64,
    /// Loss on a fresh row, nats.
    pub test_loss: f64,
}

/// A run with its dates.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Course {
    /// Moments, a twentieth of their update apart.
    pub moments: Vec<Moment>,
    /// Where it ended.
    pub end: State,
    /// First update with a training loss of at most [`LEARNED`] of that of guessing.
    pub t_mem: Option<u32>,
    /// First update after that at which a fresh row gets the right answer, w_G > w_M.
    pub t_gen: Option<u32>,
}

/// Training loss over log q at which training rows count as learned.
pub(super) const LEARNED: f64 = 0.05;

impl Toy {
    /// −∂/∂o of the cross-entropy at total logit o: the probability of a wrong class.
    pub(super) fn pull(&self, total: f64) -> f64 {
        1.0 / (1.0 + libm::exp(total - libm::log(self.classes - 1.0)))
    }

    /// ∂/∂w of the decay term of a circuit with norm `norm` at a logit of 1: what the next bit of its logit costs.
    pub(super) fn price(&self, norm: f64, logit: f64) -> f64 {
        let size = self.decay * norm * norm / self.kappa * libm::pow(logit.abs(), 2.0 / self.kappa - 1.0);
        libm::copysign(size, logit)
    }

    /// P·w^{1/κ}.
    pub(super) fn norm(&self, norm: f64, logit: f64) -> f64 {
        norm * libm::pow(logit.abs(), 1.0 / self.kappa)
    }

    /// Cross-entropy of a training row, nats.
    pub(super) fn train_loss(&self, logits: Both<f64>) -> f64 {
        libm::log1p((self.classes - 1.0) * libm::exp(-logits.total()))
    }

    /// Cross-entropy of a fresh row, nats.
    pub(super) fn test_loss(&self, logits: Both<f64>) -> f64 {
        let Both { generalising, memory } = logits;
        libm::log1p(libm::exp(memory - generalising) + (self.classes - 2.0) * libm::exp(-generalising))
    }

    /// The training loss with the decay.
    #[cfg(test)]
    pub(super) fn objective(&self, logits: Both<f64>) -> f64 {
        let square = |norm: f64, logit: f64| self.norm(norm, logit) * self.norm(norm, logit);
        let Both { generalising, memory } = self.norms;
        self.train_loss(logits) + 0.5 * self.decay * (square(generalising, logits.generalising) + square(memory, logits.memory))
    }

    /// The state after one update.
    fn step(&self, state: State) -> State {
        let logits = state.logits();
        let pull = self.pull(logits.total());
        let moved = |[first, second]: [f64; 2], norm: f64, logit: f64| {
            let push = self.learning_rate * (pull - self.price(norm, logit));
            [first + push * second, second + push * first]
        };
        State(Both {
            generalising: moved(state.0.generalising, self.norms.generalising, logits.generalising),
            memory: moved(state.0.memory, self.norms.memory, logits.memory),
        })
    }

    /// The state after `updates`.
    pub(super) fn after(&self, updates: u32, start: State) -> State {
        (0..updates).fold(start, |state, _| self.step(state))
    }

    /// A run of `updates`, with what happened on the way.
    pub(super) fn course(&self, updates: u32, start: State) -> Course {
        let (mut state, mut next) = (start, 1);
        let mut course = Course { moments: Vec::new(), end: start, t_mem: None, t_gen: None };
        let learned = LEARNED * libm::log(self.classes);
        for update in 1..=updates {
            state = self.step(state);
            let logits = state.logits();
            let train_loss = self.train_loss(logits);
            if course.t_mem.is_none() && train_loss <= learned {
                course.t_mem = Some(update);
            }
            if course.t_gen.is_none() && course.t_mem.is_some() && logits.generalising > logits.memory {
                course.t_gen = Some(update);
            }
            if update >= next || update == updates {
                course.moments.push(Moment { update, logits, train_loss, test_loss: self.test_loss(logits) });
                next = update + (update / 20).max(1);
            }
        }
        course.end = state;
        course
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The paper's own numbers: P_G = 1, P_M = 2, κ = 1.2, α = .005, q = 113.
    pub(in super::super) const PAPER: Toy =
        Toy { classes: 113.0, kappa: 1.2, decay: 0.005, norms: Both { generalising: 1.0, memory: 2.0 }, learning_rate: 0.1 };

    pub(in super::super) const SLOW_AND_FAST: Both<f64> = Both { generalising: 0.005, memory: 1.0 };

    #[test]
    fn a_step_goes_down_the_gradient_by_finite_differences_of_the_objective() {
        let state = State(Both { generalising: [0.7, 1.1], memory: [1.5, 1.3] });
        let moved = PAPER.step(state);
        let flat = |s: State| [s.0.generalising[0], s.0.generalising[1], s.0.memory[0], s.0.memory[1]];
        let value = |x: [f64; 4]| PAPER.objective(State(Both { generalising: [x[0], x[1]], memory: [x[2], x[3]] }).logits());
        for at in 0..4 {
            let shifted = |by: f64| {
                let mut x = flat(state);
                x[at] += by;
                value(x)
            };
            let slope = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
            let step = (flat(moved)[at] - flat(state)[at]) / PAPER.learning_rate;
            assert!((step + slope).abs() < 1e-9, "{at}: {step} {slope}");
        }
    }

    #[test]
    fn losses_are_those_of_a_softmax_over_all_classes() {
        let logits = Both { generalising: 2.0, memory: 3.0 };
        let softmax =
            |right: f64, others: &[f64]| libm::log(others.iter().chain([&right]).map(|z| libm::exp(*z)).sum::<f64>()) - right;
        let fresh: Vec<f64> = [3.0].into_iter().chain([0.0; 111]).collect();
        assert!((PAPER.train_loss(logits) - softmax(5.0, &[0.0; 112])).abs() < 1e-12);
        assert!((PAPER.test_loss(logits) - softmax(2.0, &fresh)).abs() < 1e-12);
    }

    /// The flow of w alone, w' = √(c² + 4w²)·(pull − price) with c = w₂(0)², by Runge and Kutta's fourth-order rule.
    #[test]
    fn small_steps_follow_the_flow_in_which_the_difference_of_squares_is_kept() {
        let toy = Toy { learning_rate: 0.002, ..PAPER };
        let speed = |w: [f64; 2]| {
            let pull = toy.pull(w[0] + w[1]);
            let of = |w: f64, c: f64, norm: f64| libm::sqrt(c * c + 4.0 * w * w) * (pull - toy.price(norm, w));
            [of(w[0], 0.005 * 0.005, 1.0), of(w[1], 1.0, 2.0)]
        };
        let (mut w, h) = ([0.0, 0.0], 0.01);
        for _ in 0..9_000 {
            let along = |by: f64, k: [f64; 2]| [w[0] + by * k[0], w[1] + by * k[1]];
            let k1 = speed(w);
            let k2 = speed(along(0.5 * h, k1));
            let k3 = speed(along(0.5 * h, k2));
            let k4 = speed(along(h, k3));
            for at in 0..2 {
                w[at] += h / 6.0 * (k1[at] + 2.0 * k2[at] + 2.0 * k3[at] + k4[at]);
            }
        }
        let found = toy.after(45_000, State::start(SLOW_AND_FAST)).logits();
        assert!((found.generalising - w[0]).abs() < 0.02 * w[0], "{found:?} {w:?}");
        assert!((found.memory - w[1]).abs() < 0.02 * w[1], "{found:?} {w:?}");
    }

    #[test]
    fn all_three_ingredients_together_delay_and_each_alone_does_not() {
        let delay = |toy: Toy, second: Both<f64>| {
            let course = toy.course(6_000, State::start(second));
            course.t_gen.zip(course.t_mem).map(|(found, mem)| found - mem)
        };
        assert!(delay(PAPER, SLOW_AND_FAST).is_some_and(|wait| wait > 500));
        assert!(delay(PAPER, Both { generalising: 1.0, memory: 1.0 }).is_some_and(|wait| wait < 10));
        let swapped = Toy { norms: Both { generalising: 2.0, memory: 1.0 }, ..PAPER };
        assert_eq!(delay(swapped, SLOW_AND_FAST), None);
    }
}
