//! One network trained beside its twin, with everything that is read off on the way.

use super::kernel::{ANSWERS, Moments};
use super::system::{Descent, Parts, System, mean_square};
use super::twin::Twin;
use nalgebra::DVector;

/// Moments at which curves are read.
const POINTS: u32 = 80;

/// A loss below this part of the answers' mean square moves nothing any more.
const STILL: f64 = 1e-13;

/// Network and twin at one step. Losses over the mean square of the answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moment {
    /// Updates made.
    pub step: f64,
    pub train: f64,
    /// Exact test loss by kinds of functions.
    pub test: Parts,
    pub twin_train: f64,
    pub twin_test: Parts,
    /// Of the kernel with the answers.
    pub alignment: f64,
    /// Of the kernel with its start.
    pub similarity: f64,
    /// ‖K − K₀‖/‖K₀‖.
    pub distance: f64,
}

/// When a network reached what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Times {
    /// First step with the training loss at its level or below; ∞: never.
    pub train: f64,
    /// The same of the test loss.
    pub test: f64,
}

/// A trained network and its twin.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trial {
    pub moments: Vec<Moment>,
    pub times: Times,
    /// When the twin has learned the training rows.
    pub twin_train: f64,
    /// Kernel distance when the network has learned the training rows; NaN: never.
    pub distance_mem: f64,
    /// The twin's test loss in the end, over the mean square of the answers.
    pub twin_end: f64,
    /// β̂ᵀMβ̂ at the end.
    pub along: f64,
    /// Moments of the start.
    pub start: Moments,
}

/// Whole steps up to `last`, each about the same factor after the one before, with 0 and `last`.
pub(super) fn geometric(last: u32, points: u32) -> Vec<u32> {
    let step = |at: u32| libm::round(libm::pow(f64::from(last), f64::from(at) / f64::from(points))) as u32;
    let mut steps: Vec<u32> = core::iter::once(0).chain((0..=points).map(step)).collect();
    steps.dedup();
    steps
}

/// Descends until both levels are reached, nothing moves, or for `steps` updates; `None` if the loss leaves the numbers.
pub(super) fn times(system: &System, teacher: &DVector<f64>, descent: &Descent, steps: u32, level: f64) -> Option<Times> {
    let mut clock = Times { train: f64::INFINITY, test: f64::INFINITY };
    let mut now = system.start.clone();
    for step in 0..=steps {
        let train = clock.tick(system, teacher, descent, &mut now, f64::from(step), level)?.0;
        if (clock.train.is_finite() && clock.test.is_finite()) || train < STILL * ANSWERS {
            break;
        }
    }
    Some(clock)
}

impl Times {
    /// Notes the losses of `now` and makes one update; `(train loss, test loss by parts)` before it.
    fn tick(
        &mut self,
        system: &System,
        teacher: &DVector<f64>,
        descent: &Descent,
        now: &mut Moments,
        step: f64,
        level: f64,
    ) -> Option<(f64, Parts)> {
        let function = system.function(descent, now);
        let errors = system.errors(&function);
        let (train, test) = (mean_square(&errors), function.error(teacher).parts());
        if !train.is_finite() || train > 1e9 {
            return None;
        }
        if train <= level {
            self.train = self.train.min(step);
        }
        if test.total() <= level {
            self.test = self.test.min(step);
        }
        system.step(descent, now, &errors);
        Some((train, test))
    }
}

impl Trial {
    /// Trains for `steps` updates; `None` if the loss leaves the numbers.
    pub fn run(system: &System, teacher: &DVector<f64>, twin: &Twin, descent: Descent, steps: u32, level: f64) -> Option<Self> {
        let grid = geometric(steps, POINTS);
        let (mut times, mut next) = (Times { train: f64::INFINITY, test: f64::INFINITY }, 0);
        let (mut moments, mut distance_mem) = (Vec::with_capacity(grid.len()), f64::NAN);
        let mut now = system.start.clone();
        let twin_test = |step: f64| twin.function(system, step).error(teacher).parts();
        for step in 0..=steps {
            let before = now.clone();
            let (train, test) = times.tick(system, teacher, &descent, &mut now, f64::from(step), level)?;
            if distance_mem.is_nan() && times.train.is_finite() {
                distance_mem = before.distance(descent.epsilon, &system.start);
            }
            if grid.get(next) == Some(&step) {
                next += 1;
                let step = f64::from(step);
                moments.push(Moment {
                    step,
                    train: train / ANSWERS,
                    test: test.over(ANSWERS),
                    twin_train: twin.train_loss(step) / ANSWERS,
                    twin_test: twin_test(step).over(ANSWERS),
                    alignment: before.alignment(descent.epsilon, teacher),
                    similarity: before.similarity(descent.epsilon, &system.start),
                    distance: before.distance(descent.epsilon, &system.start),
                });
            }
        }
        Some(Self {
            moments,
            times,
            twin_train: twin.reaches(level, f64::from(steps)),
            distance_mem,
            twin_end: twin_test(f64::INFINITY).total() / ANSWERS,
            along: teacher.dot(&(&now.square * teacher)) / teacher.norm_squared(),
            start: system.start.clone(),
        })
    }

    /// Whether the twin's test loss was at `threshold` or below at any moment.
    pub fn has_twin_learned(&self, threshold: f64) -> bool {
        self.moments.iter().any(|moment| moment.twin_test.total() <= threshold)
    }

    /// The last moment.
    pub fn end(&self) -> Option<&Moment> {
        self.moments.last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCENT: Descent = Descent { alpha: 2.0, epsilon: 0.5, learning_rate: 1.0, is_centred: true };

    #[test]
    fn steps_are_whole_ascending_and_end_where_they_should() {
        let steps = geometric(1000, 30);
        assert_eq!((steps[0], steps[1], steps.last()), (0, 1, Some(&1000)));
        assert!(steps.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn times_are_the_first_steps_below_the_level_and_the_same_with_or_without_curves() {
        let (system, teacher) = System::drawn(5, 20, 30, 0, 1);
        let twin = Twin::new(&system, DESCENT);
        let level = 0.3 * ANSWERS;
        let trial = Trial::run(&system, &teacher, &twin, DESCENT, 400, level).unwrap();
        assert_eq!(times(&system, &teacher, &DESCENT, 400, level), Some(trial.times));
        let mut now = system.start.clone();
        for step in 0..=400 {
            let function = system.function(&DESCENT, &now);
            let errors = system.errors(&function);
            let test = function.error(&teacher).parts().total();
            assert_eq!(mean_square(&errors) <= level, f64::from(step) >= trial.times.train, "monotone here: {step}");
            assert!(test > level || f64::from(step) >= trial.times.test);
            system.step(&DESCENT, &mut now, &errors);
        }
        assert!(trial.times.test.is_finite() && trial.distance_mem > 0.0);
        assert!((trial.moments[0].twin_test.total() - 1.0).abs() < 1e-12, "a centred network starts at 0");
    }

    #[test]
    fn a_step_that_is_too_large_is_noticed() {
        let (system, teacher) = System::drawn(5, 20, 30, 0, 1);
        assert_eq!(times(&system, &teacher, &Descent { learning_rate: 50.0, ..DESCENT }, 400, 0.1), None);
    }
}
