//! A run that memorises and then decays, solved exactly and run step by step.
//!
//! Rows of a linear regression span part of the input space. In that part the loss moves the weights within a few steps; in the
//! rest, which no training row shows, large starting weights only decay, and fresh rows stay wrong until they have:
//!
//! ```text
//! in:  u ← (1 − η − ηλ)·u + η·u*      →  u* /(1 + λ)
//! out: n ← (1 − ηλ)·n                 →  ‖n‖² = ‖n₀‖²·(1 − ηλ)^{2t}
//! ```
//!
//! Training rows are orthonormal (times √N), so that the part that is seen has one rate. That is the mechanism behind the delay
//! of large starts and small weight decay in Lyu et al., without its kernel. What is timed is the stepped run, not the formula.

use crate::experiment::randomness::{Purpose, Stream};
use nalgebra::DMatrix;

/// Training loss over the targets' variance at which the rows count as memorised.
pub(crate) const MEMORISED: f64 = 0.01;

/// One run's settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Run {
    /// d.
    pub dimension: usize,
    /// N < d.
    pub rows: usize,
    /// ‖θ₀‖/‖θ*‖ on average.
    pub start: f64,
    /// Share of ‖θ*‖² that no training row shows.
    pub hidden: f64,
    /// Test loss over the targets' variance at which fresh rows count as right.
    pub generalised: f64,
    /// η.
    pub learning_rate: f64,
    /// λ, decoupled.
    pub weight_decay: f64,
}

/// One moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moment {
    /// Updates made.
    pub step: u64,
    /// Training loss over the targets' variance.
    pub train_loss: f64,
    /// The same over all normal inputs.
    pub test_loss: f64,
    /// ‖θ‖.
    pub norm: f64,
}

/// A drawn problem; ‖θ*‖ = 1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    run: Run,
    /// Q, `[N, d]`, orthonormal rows.
    seen: Vec<f64>,
    /// θ*, `[d]`.
    teacher: Vec<f64>,
    /// θ₀, `[d]`.
    start: Vec<f64>,
}

/// When a run reached what, and the norms there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Timed {
    /// First step with the training loss at [`MEMORISED`] or below.
    pub t_mem: f64,
    /// First step with the test loss at its level or below.
    pub t_gen: f64,
    /// ‖θ‖ at `t_mem`.
    pub norm_mem: f64,
    /// ‖θ‖ half as long again after `t_gen`.
    pub norm_post: f64,
    /// Moments at the asked steps, and the four above.
    pub moments: Vec<Moment>,
}

impl Problem {
    /// The `index`-th problem under `seed`.
    pub(crate) fn new(run: Run, seed: u64, index: u64) -> Self {
        let (d, rows) = (run.dimension, run.rows);
        let mut stream = Stream::new(seed, Purpose::Theory, index);
        // All d directions; the first N are those that training rows show.
        let basis = DMatrix::from_fn(d, d, |_, _| stream.normal()).qr().q();
        let unit = |from: usize, to: usize, stream: &mut Stream| {
            let drawn: Vec<f64> = (from..to).map(|_| stream.normal()).collect();
            let length = libm::sqrt(drawn.iter().map(|x| x * x).sum());
            (0..d).map(|i| (from..to).map(|j| basis[(i, j)] * drawn[j - from] / length).sum()).collect::<Vec<f64>>()
        };
        let (within, beyond) = (unit(0, rows, &mut stream), unit(rows, d, &mut stream));
        let (shown, hidden) = (libm::sqrt(1.0 - run.hidden), libm::sqrt(run.hidden));
        Self {
            run,
            seen: (0..rows).flat_map(|j| (0..d).map(move |i| (i, j))).map(|at| basis[at]).collect(),
            teacher: within.iter().zip(&beyond).map(|(w, b)| shown * w + hidden * b).collect(),
            start: (0..d).map(|_| run.start / libm::sqrt(d as f64) * stream.normal()).collect(),
        }
    }

    /// Q·x, `[N]`.
    fn shown(&self, vector: &[f64]) -> Vec<f64> {
        self.seen.chunks_exact(self.run.dimension).map(|row| dot(row, vector)).collect()
    }

    /// Share of the start beyond what training rows show, and its product with the teacher: `(‖n₀‖², n₀·n*)`.
    fn beyond(&self) -> (f64, f64) {
        let (start, teacher) = (self.shown(&self.start), self.shown(&self.teacher));
        (dot(&self.start, &self.start) - dot(&start, &start), dot(&self.start, &self.teacher) - dot(&start, &teacher))
    }

    /// Errors at `step` by the closed form: `(train loss, test loss, norm)`.
    pub(crate) fn predicted(&self, step: f64) -> (f64, f64, f64) {
        let Run { learning_rate, weight_decay, hidden, .. } = self.run;
        let left = libm::pow(1.0 - learning_rate * weight_decay, step);
        let moved = libm::pow(1.0 - learning_rate * (1.0 + weight_decay), step);
        let (beyond, product) = self.beyond();
        let (start, teacher) = (self.shown(&self.start), self.shown(&self.teacher));
        let (mut error, mut norm) = (0.0, beyond * left * left);
        for (start, teacher) in start.iter().zip(&teacher) {
            let end = teacher / (1.0 + weight_decay);
            let weight = end + (start - end) * moved;
            error += (weight - teacher) * (weight - teacher);
            norm += weight * weight;
        }
        let unseen = beyond * left * left - 2.0 * product * left + hidden;
        (error / (1.0 - hidden), error + unseen, libm::sqrt(norm))
    }

    /// t_gen by the closed form, the seen part at rest.
    pub(crate) fn predicted_t_gen(&self) -> f64 {
        let Run { learning_rate, weight_decay, hidden, generalised, .. } = self.run;
        let bias = weight_decay / (1.0 + weight_decay);
        let rest = hidden + bias * bias * (1.0 - hidden) - generalised;
        let (beyond, product) = self.beyond();
        // The larger root of beyond·q² − 2·product·q + rest = 0; rest < 0 has been checked.
        let left = (product + libm::sqrt(product * product - beyond * rest)) / beyond;
        (libm::log(left) / libm::log1p(-learning_rate * weight_decay)).max(0.0)
    }

    /// t_mem by the closed form: the seen part's error as a quadratic in its one power.
    pub(crate) fn predicted_t_mem(&self) -> f64 {
        let Run { learning_rate, weight_decay, hidden, .. } = self.run;
        let (start, teacher) = (self.shown(&self.start), self.shown(&self.teacher));
        let bias = weight_decay / (1.0 + weight_decay);
        // (u₀ − u_∞)·m + (u_∞ − u*), squared and summed.
        let away: Vec<f64> = start.iter().zip(&teacher).map(|(s, t)| s - t * (1.0 - bias)).collect();
        let (square, product) = (dot(&away, &away), -bias * dot(&away, &teacher));
        let rest = (bias * bias - MEMORISED) * (1.0 - hidden);
        let moved = (libm::sqrt(product * product - square * rest) - product) / square;
        (libm::log(moved) / libm::log1p(-learning_rate * (1.0 + weight_decay))).max(0.0)
    }

    /// Runs step by step until half as long again as generalising took, at most `limit` steps; moments are kept every `every`
    /// steps. `None` if it did not generalise.
    pub(crate) fn run(&self, every: u64, limit: u64) -> Option<Timed> {
        let Run { learning_rate, weight_decay, hidden, generalised, dimension, .. } = self.run;
        let keep = 1.0 - learning_rate * weight_decay;
        let mut weights = self.start.clone();
        let mut errors = vec![0.0; self.run.rows];
        let mut moments: Vec<Moment> = Vec::new();
        let (mut t_mem, mut t_gen): (Option<Moment>, Option<Moment>) = (None, None);
        for step in 0..=limit {
            let mut train = 0.0;
            for (row, error) in self.seen.chunks_exact(dimension).zip(&mut errors) {
                *error = row.iter().zip(&weights).zip(&self.teacher).map(|((q, w), t)| q * (w - t)).sum();
                train += *error * *error;
            }
            let test: f64 = weights.iter().zip(&self.teacher).map(|(w, t)| (w - t) * (w - t)).sum();
            let norm = libm::sqrt(dot(&weights, &weights));
            let moment = Moment { step, train_loss: train / (1.0 - hidden), test_loss: test, norm };
            let mut is_kept = step % every == 0;
            if t_mem.is_none() && moment.train_loss <= MEMORISED {
                (t_mem, is_kept) = (Some(moment), true);
            }
            if t_gen.is_none() && test <= generalised {
                (t_gen, is_kept) = (Some(moment), true);
            }
            let is_over = t_gen.is_some_and(|found| t_mem.is_some() && step >= found.step + found.step / 2);
            if is_kept || is_over {
                moments.push(moment);
            }
            if is_over {
                let (mem, found) = (t_mem?, t_gen?);
                return Some(Timed {
                    t_mem: mem.step as f64,
                    t_gen: found.step as f64,
                    norm_mem: mem.norm,
                    norm_post: norm,
                    moments,
                });
            }
            for weight in &mut weights {
                *weight *= keep;
            }
            for (row, error) in self.seen.chunks_exact(dimension).zip(&errors) {
                weights.iter_mut().zip(row).for_each(|(w, q)| *w -= learning_rate * error * q);
            }
        }
        None
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Run =
        Run { dimension: 16, rows: 12, start: 30.0, hidden: 0.05, generalised: 0.2, learning_rate: 0.1, weight_decay: 0.05 };

    #[test]
    fn training_rows_are_orthonormal_and_the_teacher_hides_its_share() {
        let problem = Problem::new(RUN, 0, 0);
        let rows: Vec<&[f64]> = problem.seen.chunks_exact(16).collect();
        for i in 0..12 {
            for j in 0..12 {
                assert!((dot(rows[i], rows[j]) - f64::from(u8::from(i == j))).abs() < 1e-12);
            }
        }
        let shown = problem.shown(&problem.teacher);
        assert!((dot(&shown, &shown) - 0.95).abs() < 1e-12 && (dot(&problem.teacher, &problem.teacher) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn every_step_is_the_closed_form() {
        let problem = Problem::new(RUN, 1, 0);
        let timed = problem.run(50, 100_000).unwrap();
        assert!(timed.moments.len() > 10);
        for moment in &timed.moments {
            let (train, test, norm) = problem.predicted(moment.step as f64);
            for (found, expected) in [(moment.train_loss, train), (moment.test_loss, test), (moment.norm, norm)] {
                assert!((found - expected).abs() < 1e-9 * expected.max(1e-3), "{moment:?} {expected}");
            }
        }
    }

    #[test]
    fn both_times_are_the_roots_of_their_quadratics_to_a_step() {
        for index in 0..4 {
            let problem = Problem::new(Run { weight_decay: 0.02, ..RUN }, 7, index);
            let timed = problem.run(1000, 100_000).unwrap();
            assert!((0.0..=1.0).contains(&(timed.t_mem - problem.predicted_t_mem())), "{}", timed.t_mem);
            assert!((0.0..=1.0).contains(&(timed.t_gen - problem.predicted_t_gen())), "{}", timed.t_gen);
        }
    }

    #[test]
    fn without_decay_nothing_generalises() {
        assert_eq!(Problem::new(Run { weight_decay: 0.0, ..RUN }, 0, 0).run(100, 5_000), None);
    }
}
