//! A whole training: plain steps first, the curve through them where it stands for them, looked at on a grid of log t.
//!
//! One place decides how far each optimiser is really run, so that no figure shows more steps than were taken.

use super::descent::{Descent, Rule};
use super::loss::Loss;
use super::rows::Rows;
use super::slow::Slow;
use crate::record::UserError;

/// Looks per decade of steps.
const LOOKS: i32 = 16;

/// Weights at a step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moment {
    /// Steps taken, from 1.
    pub step: f64,
    /// w.
    pub weights: Vec<f64>,
}

/// How one optimiser went.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    /// At about equal distances in log t, the last step last; never empty.
    pub moments: Vec<Moment>,
    /// From which step on the curve of the modified equation was followed; none: every step was taken.
    pub leaps_from: Option<u64>,
}

/// What is asked of a path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Training<'a> {
    /// Rows.
    pub rows: &'a Rows,
    /// Loss.
    pub loss: Loss,
    /// η.
    pub rate: f64,
    /// w(0).
    pub start: &'a [f64],
    /// Steps.
    pub steps: u64,
    /// Most steps taken one by one.
    pub plain_steps: u64,
    /// Whether the data are separable; only then does descent get ever slower and the curve apply.
    pub is_separable: bool,
}

impl Rule {
    /// Momentum, where the curve exists.
    fn curve(self) -> Option<f64> {
        match self {
            Self::Gradient => Some(0.0),
            Self::Momentum(friction) => Some(friction),
            _ => None,
        }
    }
}

impl Training<'_> {
    /// Trains by `rule`: to the last step if it was taken or the curve applies, else to `plain_steps`.
    ///
    /// # Errors
    /// If weights leave the finite numbers, or the integrator gives up.
    pub(super) fn by(&self, rule: Rule) -> Result<Path, UserError> {
        let mut descent = Descent::new(self.rows, self.loss, rule, self.rate, self.start);
        let slow =
            rule.curve().filter(|_| self.is_separable).map(|momentum| Slow::new(self.rows, self.loss, self.rate, momentum));
        let mut path = Path { moments: Vec::new(), leaps_from: None };
        let mut step = 0;
        let mut at: Option<Vec<f64>> = None;
        for look in looks(self.steps) {
            if let (Some(weights), Some(slow)) = (&mut at, &slow) {
                slow.advance(weights, step as f64, look as f64).ok_or_else(|| {
                    UserError::new(
                        format!("The curve through the steps could not be followed beyond step {step}"),
                        format!("Use {step} steps, or points farther from the boundary"),
                    )
                })?;
                step = look;
            } else {
                let to = look.min(self.plain_steps);
                if to == step {
                    break;
                }
                (step..to).for_each(|_| descent.step());
                step = to;
                if slow.as_ref().is_some_and(|slow| slow.is_slow(descent.weights(), step)) {
                    path.leaps_from = Some(step);
                    at = Some(descent.weights().to_vec());
                }
            }
            let weights = at.clone().unwrap_or_else(|| descent.weights().to_vec());
            if !weights.iter().all(|w| w.is_finite()) {
                return Err(UserError::new(
                    format!("With η = {} the weights are no longer finite at step {step}", self.rate),
                    format!("Use a smaller step, e.g. {}", self.rate / 10.0),
                ));
            }
            path.moments.push(Moment { step: step as f64, weights });
        }
        Ok(path)
    }
}

impl Path {
    /// Where it ended.
    pub(super) fn end(&self) -> &Moment {
        &self.moments[self.moments.len() - 1]
    }

    /// The last moment at a tenth of the end's step or before; the first if there is none.
    pub(super) fn decade_before(&self) -> &Moment {
        let limit = self.end().step / 10.0 * (1.0 + 1e-12);
        self.moments.iter().rev().find(|moment| moment.step <= limit).unwrap_or(&self.moments[0])
    }

    /// `(step, f(moment))` of every moment.
    pub(super) fn map(&self, f: impl Fn(&Moment) -> f64) -> Vec<(f64, f64)> {
        self.moments.iter().map(|moment| (moment.step, f(moment))).collect()
    }
}

/// Steps to look at: 1, then sixteen a decade, then the last.
fn looks(steps: u64) -> Vec<u64> {
    let at = |index: i32| libm::round(libm::pow(10.0, f64::from(index) / f64::from(LOOKS))) as u64;
    let mut found: Vec<u64> = (0..).map(at).take_while(|look| *look < steps).collect();
    found.push(steps);
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn training(rows: &Rows, steps: u64) -> Training<'_> {
        Training { rows, loss: Loss::Logistic, rate: 0.25, start: &[0.0, 0.0], steps, plain_steps: 5_000, is_separable: true }
    }

    #[test]
    fn looks_ascend_and_end_at_the_last_step() {
        assert_eq!(looks(1), [1]);
        let found = looks(1234);
        assert!(found.is_sorted_by(|a, b| a < b) && found[0] == 1 && found[found.len() - 1] == 1234);
        assert!(looks(1000).contains(&100));
    }

    #[test]
    fn optimisers_without_a_curve_stop_where_plain_steps_end() {
        let rows = Rows::new(2, vec![0.0, 2.0, 1.5, 0.5]);
        for rule in [Rule::Normalised, Rule::Sign, Rule::Coordinate, Rule::Adam(0.0)] {
            let path = training(&rows, 1_000_000).by(rule).unwrap();
            assert_eq!((path.end().step, path.leaps_from), (5000.0, None), "{rule:?}");
            let steps: Vec<f64> = path.moments.iter().map(|m| m.step).collect();
            assert!(steps.is_sorted_by(|a, b| a < b), "{steps:?}");
        }
        let path = training(&rows, 1_000_000).by(Rule::Gradient).unwrap();
        assert_eq!(path.end().step, 1e6);
        assert!(path.leaps_from.is_some_and(|from| from <= 5000));
    }

    #[test]
    fn a_leaping_path_is_the_stepped_one() {
        let rows = Rows::new(2, vec![0.0, 2.0, 1.5, 0.5]);
        let leapt = training(&rows, 100_000).by(Rule::Gradient).unwrap();
        let mut descent = Descent::new(&rows, Loss::Logistic, Rule::Gradient, 0.25, &[0.0, 0.0]);
        let mut step = 0.0;
        for moment in &leapt.moments {
            while step < moment.step {
                descent.step();
                step += 1.0;
            }
            for (a, b) in moment.weights.iter().zip(descent.weights()) {
                assert!((a - b).abs() < 1e-9, "step {step}: {a} is not {b}");
            }
        }
    }

    #[test]
    fn weights_that_explode_are_refused_with_a_smaller_step() {
        let rows = Rows::new(1, vec![1.0, -3.0]);
        let training = Training {
            rows: &rows,
            loss: Loss::Exponential,
            rate: 100.0,
            start: &[0.0],
            steps: 1000,
            plain_steps: 1000,
            is_separable: false,
        };
        assert!(training.by(Rule::Momentum(0.9)).is_err());
    }
}
