//! The integral held against a run of the laboratory: losses and accuracies at its own evaluations, with nothing fitted.
//!
//! A run is one draw of rows and teacher, the integral a mean over both; the ground about it is the scatter of teachers at a fixed
//! spectrum, so that a run outside it has a spectrum of its own, and at a few hundred dimensions most have.

use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, RunView, Scaled};
use super::losses::{Descent, Prediction, accuracy};
use crate::experiment::{Experiment, counts};
use crate::measure::delay::delay as dates;
use crate::record::{MetricRow, UserError};

/// Test accuracy that counts as understood, see `measure::delay`.
const UNDERSTOOD: f64 = 0.95;
/// Training accuracy that counts as memorised.
const MEMORISED: f64 = 0.99;

/// The means over rows and teachers of a run's losses.
struct Mean {
    plain: Prediction,
    noisy: Prediction,
    /// |S₀ − T|² at the start: |T|² = 1 on average.
    first: f64,
    noise: f64,
}

impl Mean {
    fn train(&self, step: f64) -> f64 {
        // Start and noise are independent, so their parts add up.
        self.first * self.plain.train_loss(step) + self.noisy.train_loss(step) - self.plain.train_loss(step)
    }

    fn test(&self, step: f64) -> f64 {
        let clean = self.first * self.plain.test_loss(step) + self.noisy.test_loss(step) - self.plain.test_loss(step);
        clean + self.noise * self.noise
    }
}

/// What the theory says of a run.
///
/// # Errors
/// If it is another model, task or update rule, or nothing is evaluated yet.
pub(super) fn of_run(run: &RunView<'_>) -> Result<Outcome, UserError> {
    let experiment = run.experiment;
    refuse(experiment)?;
    let first = run.rows.first().ok_or_else(|| UserError::new("Nothing is evaluated yet", "Start the run, or wait"))?;
    if first.step != 0 {
        return Err(UserError::new("The start of the run was not evaluated", "Run it from its start"));
    }
    let settings = &experiment.task.settings;
    let (dimension, noise) = (settings.integer("dimensions"), settings.number("noise"));
    let train = counts(experiment).train;
    let ratio = f64::from(dimension) / f64::from(train);
    let descent = Descent { learning_rate: experiment.optimizer.learning_rate, weight_decay: 0.0, is_flow: false };
    let mean = Mean {
        plain: Prediction::new(ratio, 0.0, descent),
        noisy: Prediction::new(ratio, noise, descent),
        first: 1.0 + f64::from(first.weight_norm) * f64::from(first.weight_norm),
        noise,
    };
    let tolerance = experiment.training.number("accuracy_threshold");
    let line = |of: &dyn Fn(&MetricRow) -> f64| -> Vec<(f64, f64)> {
        run.rows.iter().filter(|row| row.step > 0).map(|row| (f64::from(row.step), of(row))).collect()
    };
    let at = |of: &dyn Fn(f64) -> f64| line(&|row| of(f64::from(row.step)));
    let scatter = |step: f64| mean.first * mean.plain.test_loss_deviation(step, dimension as usize);
    // Late, few directions are left and the scatter is as large as the mean: there a logarithmic axis has no place for its lower end.
    let about = |deviations: f64| -> Vec<(f64, f64)> {
        let has_room = |step: f64| mean.test(step) > 3.0 * scatter(step);
        let steps = run.rows.iter().map(|row| f64::from(row.step)).filter(|step| *step > 0.0 && has_room(*step));
        steps.map(|step| (step, mean.test(step) + deviations * scatter(step))).collect()
    };
    let losses = vec![
        Line::new("training loss", Role::Train, line(&|row| f64::from(row.train_loss))),
        Line::new("training loss", Role::Predicted, at(&|step| mean.train(step))),
        Line::new("test loss", Role::Test, line(&|row| f64::from(row.test_loss))),
        Line::new("test loss", Role::Predicted, at(&|step| mean.test(step))),
        Line::new("test loss", Role::Low, about(-2.0)),
        Line::new("test loss", Role::High, about(2.0)),
    ];
    let accuracies = vec![
        Line::new("training rows", Role::Train, line(&|row| f64::from(row.train_accuracy))),
        Line::new("training rows", Role::Predicted, at(&|step| accuracy(mean.train(step), tolerance))),
        Line::new("test rows", Role::Test, line(&|row| f64::from(row.test_accuracy))),
        Line::new("test rows", Role::Predicted, at(&|step| accuracy(mean.test(step), tolerance))),
    ];
    let reached = |of: &dyn Fn(f64) -> f64, share: f64| {
        let found = run.rows.iter().map(|row| f64::from(row.step)).find(|step| accuracy(of(*step), tolerance) >= share);
        found.unwrap_or(f64::NAN)
    };
    let (train_at, test_at) = (reached(&|step| mean.train(step), MEMORISED), reached(&|step| mean.test(step), UNDERSTOOD));
    let dates = dates(run.rows, true);
    let date = |step: Option<u32>| step.map_or(f64::NAN, f64::from);
    // The residual in the logarithm: losses fall over decades.
    let apart = |of: fn(&MetricRow) -> f32, mean: &dyn Fn(f64) -> f64| {
        let squares: Vec<f64> = run
            .rows
            .iter()
            .filter(|row| row.step > 0 && of(row) > 0.0)
            .map(|row| libm::pow(libm::log10(f64::from(of(row)) / mean(f64::from(row.step))), 2.0))
            .collect();
        libm::sqrt(squares.iter().sum::<f64>() / squares.len() as f64)
    };
    let apart_test = apart(|row| row.test_loss, &|step| mean.test(step));
    let figure = |name: &str, caption: &str, y: Scaled, lines: Vec<Line>| Figure {
        name: name.into(),
        caption: caption.into(),
        drawing: Drawing::Lines { x: Scaled::log("step"), y, lines, marks: Vec::new() },
    };
    let number = |name: &str, label: &str, value: f64, expected: f64| {
        let found = Number::found(name, label, value);
        if expected.is_finite() { found.expected(expected) } else { found }
    };
    Ok(Outcome {
        headline: match (dates.t_mem, dates.t_gen) {
            (Some(t_mem), Some(t_gen)) => format!(
                "Training rows right at {t_mem} (the integral says {train_at:.0}), test rows at {t_gen} ({test_at:.0}), without a \
                 feature to be learned"
            ),
            _ => format!("Under way: training rows are to be right at {train_at:.0}, test rows at {test_at:.0}"),
        },
        figures: vec![
            figure(
                "run-accuracy",
                "Share of rows within the tolerance, and the same by the integral over the Marchenko–Pastur spectrum",
                Scaled::linear("accuracy"),
                accuracies,
            ),
            figure(
                "run-loss",
                "Losses and their means over rows and teachers; ground: two standard deviations over teachers, the spectrum held fixed, while they are less than two thirds of the mean",
                Scaled::log("squared error"),
                losses,
            ),
        ],
        numbers: vec![
            number("t_mem", "Training accuracy of .99", date(dates.t_mem), train_at).unit("steps"),
            number("t_gen", "Test accuracy of .95 that holds", date(dates.t_gen), test_at).unit("steps"),
            number("delay", "Between the two", date(dates.t_gen) - date(dates.t_mem), test_at - train_at).unit("steps"),
            Number::found("ratio", "λ, dimensions over training rows", ratio),
            Number::found(
                "train_apart",
                "Training loss against its mean, root mean square",
                apart(|row| row.train_loss, &|step| mean.train(step)),
            )
            .unit("decades"),
            Number::found("test_apart", "Test loss against its mean, root mean square", apart_test).unit("decades"),
        ],
        assumptions: vec![
            Assumption {
                statement: "Every direction dies out: the step is below 1/ν of the largest eigenvalue".into(),
                holds: Some(descent.learning_rate * mean.plain.law().upper_edge() < 1.0),
                evidence: format!("η·ν₊ = {:.3}", descent.learning_rate * mean.plain.law().upper_edge()),
            },
            Assumption {
                statement: "So many dimensions that one draw of rows is all draws".into(),
                holds: Some(apart_test < 0.1),
                evidence: format!("the test loss is {apart_test:.2} decades from its mean (up to .1 holds)"),
            },
        ],
    })
}

fn refuse(experiment: &Experiment) -> Result<(), UserError> {
    let optimizer = &experiment.optimizer;
    let refusal = |cause: String, remedy: &str| Err(UserError::new(cause, remedy));
    if experiment.model.architecture != "linear" || experiment.task.operation != "linear_teacher" {
        return refusal("The theory is of a linear student of a linear teacher".into(), "Use the preset linear-teacher");
    }
    if experiment.model.settings.is_on("bias") {
        return refusal("The student has a bias, which the teacher has not".into(), "Use model.bias=false");
    }
    if optimizer.name != "sgd" || optimizer.settings.number("momentum") != 0.0 || experiment.batch_size.is_some() {
        return refusal(
            format!("The theory is of plain descent on all rows, and the optimiser is {}", optimizer.name),
            "Use sgd on the full training set",
        );
    }
    if optimizer.weight_decay != 0.0 {
        return refusal(
            format!("The weights decay by {}", optimizer.weight_decay),
            "Use optimizer.weight_decay=0; the panel's own system has decay",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::system::{Size, System};
    use super::*;
    use crate::experiment::{preset, with_value};
    use crate::record::MeasureTable;

    fn told(experiment: &Experiment, rows: &[MetricRow]) -> Result<Outcome, UserError> {
        of_run(&RunView { experiment, rows, measures: &MeasureTable::default() })
    }

    /// The panel's own system of the preset's size, solved in its eigenbasis, as rows of a run; it starts at |S₀|² = |T|² = ½, so its
    /// errors are doubled to those of |T|² = 1 and |S₀|² = 1.
    fn solved(experiment: &Experiment, tolerance: f64) -> Vec<MetricRow> {
        let size = Size { dimension: 360, samples: 400, test_rows: 600, label_noise: 0.0 };
        let system = System::new(size, 5, 0);
        let descent = Descent { learning_rate: experiment.optimizer.learning_rate, weight_decay: 0.0, is_flow: false };
        (0..=600)
            .map(|at| {
                let state = system.at(&descent, f64::from(5 * at), tolerance / 2.0);
                MetricRow {
                    step: 5 * at,
                    train_loss: 2.0 * state.train_loss as f32,
                    test_loss: 2.0 * state.test_loss as f32,
                    train_accuracy: state.train_accuracy as f32,
                    test_accuracy: state.test_accuracy as f32,
                    weight_norm: 1.0,
                    probe_accuracy: None,
                }
            })
            .collect()
    }

    #[test]
    fn a_solved_system_of_the_presets_size_follows_the_integral() {
        let experiment = preset("linear-teacher").unwrap().experiment.clone();
        let tolerance = experiment.training.number("accuracy_threshold");
        let outcome = told(&experiment, &solved(&experiment, tolerance)).unwrap();
        let of = |name: &str| outcome.numbers.iter().find(|number| number.name == name).unwrap();
        assert!((of("ratio").value - 0.9).abs() < 1e-12);
        assert!(of("train_apart").value < 0.1 && of("test_apart").value < 0.2, "{:?}", outcome.numbers);
        for name in ["t_mem", "t_gen"] {
            let ratio = of(name).value / of(name).expected.unwrap();
            assert!((0.6..1.6).contains(&ratio), "{:?}", of(name));
        }
        assert_eq!(outcome.figures.iter().map(|figure| figure.residuals().len()).collect::<Vec<_>>(), [2, 2]);
    }

    #[test]
    fn the_mean_begins_at_what_is_known_of_the_start_and_ends_at_the_noise() {
        let descent = Descent { learning_rate: 0.1, weight_decay: 0.0, is_flow: false };
        let mean = Mean {
            plain: Prediction::new(0.5, 0.0, descent),
            noisy: Prediction::new(0.5, 0.3, descent),
            first: 1.25,
            noise: 0.3,
        };
        assert!((mean.train(0.0) - 1.34).abs() < 1e-9 && (mean.test(0.0) - 1.34).abs() < 1e-9);
        // Least squares on N rows in d dimensions: (1 − λ)σ² is left on the training rows, σ²/(1 − λ) on fresh ones.
        assert!((mean.train(1e6) - 0.045).abs() < 1e-6, "{}", mean.train(1e6));
        assert!((mean.test(1e6) - 0.18).abs() < 1e-6, "{}", mean.test(1e6));
    }

    #[test]
    fn other_runs_are_refused_with_a_reason() {
        let experiment = preset("linear-teacher").unwrap().experiment.clone();
        assert!(told(&experiment, &[]).unwrap_err().cause.contains("evaluated"));
        for (path, value, word) in [
            ("optimizer.weight_decay", "0.1", "decay"),
            ("optimizer.name", "adam_w", "plain descent"),
            ("batch_size", "50", "plain descent"),
        ] {
            let other = with_value(&experiment, path, value).unwrap();
            assert!(told(&other, &[]).unwrap_err().cause.contains(word), "{path}");
        }
    }
}
