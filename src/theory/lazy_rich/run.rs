//! The theory held against a run of the laboratory: its own rows and starting weights, the twin that they make, and the two moments.
//!
//! Nothing is fitted: rows come from the task, the start from the experiment's stream of starting weights, and whether that is the
//! run's start is checked on its first norm. The twin is what the run would have been without features; the moments' equation is
//! what it should be with them, so that a difference there is one of arithmetic or of something that is no gradient descent.

use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, RunView, Scaled};
use super::kernel::{ANSWERS, Moments, Start};
use super::report::LAZY_PACE;
use super::system::{Descent, System, mean_square};
use super::twin::Twin;
use crate::experiment::Experiment;
use crate::experiment::randomness::{Purpose, Stream};
use crate::measure::delay::delay as dates;
use crate::record::{MetricRow, UserError};
use crate::task::Dataset;
use nalgebra::{DMatrix, DVector};

/// Most training rows: the Gram matrix is decomposed.
const MOST_ROWS: usize = 600;

/// Most products for the moments' equation.
const MOST_WORK: f64 = 3e9;

/// Largest relative difference of the first norm that is rounding.
const SAME_NORM: f64 = 1e-4;

/// Largest distance of the logarithms of losses at which a run counts as following an equation.
const FOLLOWS: f64 = 0.05;

/// What is computed of an experiment.
struct Setup {
    descent: Descent,
    train: System,
    test: System,
    /// Squared error that counts as right.
    right: f64,
    start: Start,
}

impl Setup {
    /// Losses of this error on training and test rows, and the accuracies, as a row of a run would have them.
    fn row(&self, step: u32, train: &DVector<f64>, test: &DVector<f64>) -> MetricRow {
        let share =
            |errors: &DVector<f64>| errors.iter().filter(|e| **e * **e <= self.right).count() as f64 / errors.len() as f64;
        MetricRow {
            step,
            train_loss: mean_square(train) as f32,
            test_loss: mean_square(test) as f32,
            train_accuracy: share(train) as f32,
            test_accuracy: share(test) as f32,
            weight_norm: f32::NAN,
            probe_accuracy: None,
        }
    }

    fn of(experiment: &Experiment, first: &MetricRow) -> Result<Self, UserError> {
        let settings = &experiment.model.settings;
        if experiment.model.architecture != "committee" || experiment.task.operation != "quadratic_teacher" {
            return Err(UserError::new(
                format!("The theory is that of a committee on a quadratic teacher, not of {}", experiment.model.architecture),
                "Use the preset lazy-committee",
            ));
        }
        let data = Dataset::new(&experiment.task, experiment.seed)?;
        if data.train.len() > MOST_ROWS {
            return Err(UserError::new(
                format!("The Gram matrix of {} training rows takes too long", data.train.len()),
                format!("Use at most {MOST_ROWS} training rows"),
            ));
        }
        let (width, d) = (settings.integer("width") as usize, data.sizes.width as usize);
        let drawn = Stream::new(experiment.seed, Purpose::Init, 0).normals(d * width, experiment.model.init_scale);
        let weights = DMatrix::from_row_iterator(d, width, drawn.into_iter().map(f64::from));
        let norm = f64::from(first.weight_norm);
        if first.step != 0 || (weights.norm() / norm - 1.0).abs() > SAME_NORM {
            return Err(UserError::new(
                format!(
                    "The run does not begin at the weights of its seed: their norm is {:.3}, that of its first row {norm:.3}",
                    weights.norm()
                ),
                "Use a run from its own start, without layer scales and without an earlier stage",
            ));
        }
        let alpha = Some(settings.number("output_multiplier")).filter(|alpha| *alpha > 0.0).unwrap_or(1.0);
        let start = Moments::of(&weights);
        let system = |rows: &[u32]| {
            let inputs = rows.iter().flat_map(|row| data.vector(*row as usize)).map(|x| f64::from(*x));
            let answers = rows.iter().map(|row| data.values.get(*row as usize).map_or(f64::NAN, |y| f64::from(*y)));
            let answers = DVector::from_iterator(rows.len(), answers);
            System::new(DMatrix::from_iterator(d, rows.len(), inputs), answers, start.clone())
        };
        Ok(Self {
            descent: Descent {
                alpha,
                epsilon: settings.number("epsilon"),
                learning_rate: experiment.optimizer.learning_rate * alpha * alpha / width as f64,
                is_centred: settings.is_on("centered"),
            },
            train: system(&data.train),
            test: system(&data.test),
            right: experiment.training.number("accuracy_threshold"),
            start: Start { dimension: d as f64, epsilon: settings.number("epsilon") },
        })
    }

    /// The twin at the steps of `rows`, and its test loss in the end.
    fn twin(&self, rows: &[MetricRow]) -> (Vec<MetricRow>, f64) {
        let twin = Twin::new(&self.train, self.descent);
        let at = |step: f64| {
            let function = twin.function(&self.train, step);
            (self.train.errors(&function), self.test.errors(&function))
        };
        let curve = rows.iter().map(|row| {
            let (train, test) = at(f64::from(row.step));
            self.row(row.step, &train, &test)
        });
        (curve.collect(), mean_square(&at(f64::INFINITY).1))
    }

    /// The moments' equation at the steps of `rows`; `None` if it takes too long.
    fn closed(&self, rows: &[MetricRow]) -> Option<Vec<MetricRow>> {
        let last = rows.last()?.step;
        let (d, count) = (self.start.dimension, self.train.answers.len() as f64);
        if f64::from(last) * (2.0 * d * d * count + 3.0 * d * d * d) > MOST_WORK {
            return None;
        }
        let (mut now, mut curve, mut wanted) = (self.train.start.clone(), Vec::with_capacity(rows.len()), rows.iter().peekable());
        for step in 0..=last {
            let function = self.train.function(&self.descent, &now);
            let errors = self.train.errors(&function);
            while wanted.next_if(|row| row.step == step).is_some() {
                curve.push(self.row(step, &errors, &self.test.errors(&function)));
            }
            self.train.step(&self.descent, &mut now, &errors);
        }
        Some(curve)
    }
}

/// What the theory says of a run.
///
/// # Errors
/// If it is another network or task, has not begun, or does not begin at the weights of its seed.
pub(super) fn of_run(run: &RunView<'_>) -> Result<Outcome, UserError> {
    let RunView { experiment, rows, .. } = *run;
    let first = rows.first().ok_or_else(|| UserError::new("The run has no evaluation yet", "Wait for the first one"))?;
    let setup = Setup::of(experiment, first)?;
    let ((twin, twin_end), closed) = (setup.twin(rows), setup.closed(rows));
    let (own, lazy) = (dates(rows, true), dates(&twin, true));
    let apart = closed.as_ref().map(|closed| largest_distance(rows, closed));
    let last = rows.last().map_or(0, |row| row.step);
    let enough = setup.start.lazy_rows(0.1 * ANSWERS);
    let count = setup.train.answers.len();
    let rate = 2.0 * setup.descent.learning_rate * setup.start.levels()[2].eigenvalue;
    let stays = format!("its lazy twin would end at a test loss of {twin_end:.3}");
    let headline = match (own.t_mem, own.t_gen) {
        (Some(mem), Some(generalised)) => format!(
            "It memorised at {mem} (its twin at {}) and understood at {generalised}; {stays}",
            lazy.t_mem.map_or("no step up to now".to_owned(), |step| step.to_string())
        ),
        (Some(mem), None) => format!("It memorised at {mem} and has not understood by step {last}; {stays}"),
        _ => format!("It has not memorised by step {last}; {stays}"),
    };
    let when = |date: Option<u32>| date.map_or(f64::NAN, f64::from);
    let mem = Number::found("t_mem", "Training rows memorised, and by the twin", when(own.t_mem)).unit("steps");
    let numbers = vec![
        lazy.t_mem.map_or(mem.clone(), |step| mem.expected(f64::from(step))),
        Number::found("t_gen", "Test rows understood", when(own.t_gen)).unit("steps"),
        Number::found("twin_t_gen", "Test rows understood by the twin", when(lazy.t_gen)).unit("steps"),
        Number::found("twin_end", "Twin's test loss in the end, beside the learning curve", twin_end)
            .expected(setup.start.lazy_end(count as f64)),
        Number::found("test_loss", "Test loss of the run now", rows.last().map_or(f64::NAN, |row| f64::from(row.test_loss))),
        Number::found("lazy_rows", "Rows that a lazy network needs for a tenth of the answers' mean square", enough),
        Number::found("lazy_time", "Steps in which a lazy network with endless rows would learn a share 1 − 1/e", 1.0 / rate)
            .unit("steps"),
        Number::found("closed_distance", "Largest distance of log losses from the moments' equation", apart.unwrap_or(f64::NAN))
            .expected(0.0),
    ];
    let mut figures = vec![figure(
        "run",
        "Losses of the run (solid) and of its linearised twin from the same start and rows (dashed). What lies between them is feature \
         learning",
        rows,
        &twin,
    )];
    figures.extend(closed.as_ref().map(|closed| {
        figure(
            "run-closed",
            "Losses of the run (solid) and of the equation for the two moments of its weights, w̄ and M, from the same start and rows \
             (dashed); nothing is fitted",
            rows,
            closed,
        )
    }));
    // As long as the twin has not memorised, the pace is at most what it would be if it did now.
    let pace = own.t_mem.map(|own| f64::from(own) / f64::from(lazy.t_mem.unwrap_or(last).max(1)));
    let is_known = lazy.t_mem.is_some() || pace.is_some_and(|pace| pace < LAZY_PACE);
    Ok(Outcome {
        headline,
        figures,
        numbers,
        assumptions: vec![
            Assumption {
                statement: "The run is gradient descent on all rows with the settings of its start".into(),
                holds: apart.map(|apart| apart < FOLLOWS),
                evidence: apart.map_or("the moments' equation takes too long for a run of this size".into(), |apart| {
                    format!("Losses lie at most {:.2}% from the moments' equation (5% holds)", 100.0 * libm::expm1(apart))
                }),
            },
            Assumption {
                statement: "There are enough rows for a rich network and too few for a lazy one: D ≪ P ≪ D²".into(),
                holds: Some(count as f64 > setup.start.dimension && (count as f64) < enough),
                evidence: format!("D = {}, P = {count}; a lazy network needs {enough:.0} rows by the closed form", setup.start.dimension),
            },
            Assumption {
                statement: "Training starts lazily".into(),
                holds: pace.filter(|_| is_known).map(|pace| (LAZY_PACE..=1.0 / LAZY_PACE).contains(&pace)),
                evidence: match (pace, lazy.t_mem) {
                    (None, _) => "not known before it has memorised".into(),
                    (Some(pace), Some(_)) => format!("Run over twin in the time to memorise: {pace:.2} (⅔ to 1½ holds)"),
                    (Some(pace), None) => format!(
                        "The twin has not memorised by step {last}, so the run took at most {pace:.2} of its time (⅔ to 1½ holds)"
                    ),
                },
            },
            Assumption {
                statement: "Features, not patience, bring the test loss down".into(),
                holds: own.t_gen.map(|_| lazy.t_gen.is_none()),
                evidence: lazy.t_gen.map_or(
                    format!("The twin has not understood by step {last}; one run, so this is an observation and no claim of the setting"),
                    |step| format!("The twin understands at {step} as well"),
                ),
            },
        ],
    })
}

/// Of all losses above rounding.
fn largest_distance(rows: &[MetricRow], theory: &[MetricRow]) -> f64 {
    let pairs = rows.iter().zip(theory).flat_map(|(a, b)| [(a.train_loss, b.train_loss), (a.test_loss, b.test_loss)]);
    let seen = pairs.filter(|(a, b)| a.max(*b) > 1e-6 || a.is_nan());
    seen.map(|(a, b)| libm::log(f64::from(a) / f64::from(b)).abs())
        .fold(0.0, |most, d| if d.is_nan() || d > most { d } else { most })
}

fn figure(name: &str, caption: &str, rows: &[MetricRow], theory: &[MetricRow]) -> Figure {
    // Step 0 has no place on a logarithmic axis.
    let line = |name: &str, role: Role, rows: &[MetricRow], loss: fn(&MetricRow) -> f32| {
        let points = rows.iter().filter(|row| row.step > 0).map(|row| (f64::from(row.step), f64::from(loss(row)))).collect();
        Line::new(name, role, points)
    };
    let lines = vec![
        line("training rows", Role::Train, rows, |row| row.train_loss),
        line("test rows", Role::Test, rows, |row| row.test_loss),
        line("training rows", Role::Predicted, theory, |row| row.train_loss),
        line("test rows", Role::Predicted, theory, |row| row.test_loss),
    ];
    let drawing = Drawing::Lines { x: Scaled::log("step"), y: Scaled::log("mean squared error"), lines, marks: Vec::new() };
    Figure { name: name.into(), caption: caption.into(), drawing }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{preset, with_value};

    /// The preset, small.
    fn experiment() -> Experiment {
        let edits = [("task.dimensions", "6"), ("task.samples", "60"), ("task.train_fraction", "0.4"), ("model.width", "30")];
        let start = preset("lazy-committee").unwrap().experiment.clone();
        edits.iter().fold(start, |experiment, (path, value)| with_value(&experiment, path, value).unwrap())
    }

    /// Descent on every weight in f64, its row at each of `steps`.
    fn trained(experiment: &Experiment, steps: &[u32]) -> Vec<MetricRow> {
        let data = Dataset::new(&experiment.task, experiment.seed).unwrap();
        let (d, width) = (data.sizes.width as usize, experiment.model.settings.integer("width") as usize);
        let drawn = Stream::new(experiment.seed, Purpose::Init, 0).normals(d * width, experiment.model.init_scale);
        // Stored [D, N], row by row.
        let mut weights: Vec<Vec<f64>> = (0..width).map(|n| (0..d).map(|i| f64::from(drawn[i * width + n])).collect()).collect();
        let start = weights.clone();
        let epsilon = experiment.model.settings.number("epsilon");
        let alpha = experiment.model.settings.number("output_multiplier");
        let x = |row: u32| -> Vec<f64> { data.vector(row as usize).iter().map(|x| f64::from(*x)).collect() };
        let pre = |w: &[f64], x: &[f64]| w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
        let output = |weights: &[Vec<f64>], x: &[f64]| {
            alpha * weights.iter().map(|w| pre(w, x)).map(|h| h + 0.5 * epsilon * h * h).sum::<f64>() / width as f64
        };
        let mut rows = Vec::new();
        for step in 0..=*steps.last().unwrap() {
            let error = |row: u32| output(&weights, &x(row)) - output(&start, &x(row)) - f64::from(data.values[row as usize]);
            let all = |rows: &[u32]| rows.iter().map(|row| error(*row)).collect::<Vec<f64>>();
            let (train, test) = (all(&data.train), all(&data.test));
            if steps.contains(&step) {
                let loss = |errors: &[f64]| (errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64) as f32;
                let right = |errors: &[f64]| errors.iter().filter(|e| **e * **e <= 0.1).count() as f32 / errors.len() as f32;
                let norm: f64 = weights.iter().flatten().map(|w| w * w).sum();
                rows.push(MetricRow {
                    step,
                    train_loss: loss(&train),
                    test_loss: loss(&test),
                    train_accuracy: right(&train),
                    test_accuracy: right(&test),
                    weight_norm: norm.sqrt() as f32,
                    probe_accuracy: None,
                });
            }
            let slopes: Vec<(Vec<f64>, f64)> = data.train.iter().zip(&train).map(|(row, error)| (x(*row), *error)).collect();
            for weight in &mut weights {
                let mut gradient = vec![0.0; d];
                for (x, error) in &slopes {
                    let slope = 2.0 / slopes.len() as f64 * error * alpha / width as f64 * (1.0 + epsilon * pre(weight, x));
                    gradient.iter_mut().zip(x).for_each(|(g, x)| *g += slope * x);
                }
                weight.iter_mut().zip(&gradient).for_each(|(w, g)| *w -= experiment.optimizer.learning_rate * g);
            }
        }
        rows
    }

    fn told(experiment: &Experiment, rows: &[MetricRow]) -> Result<Outcome, UserError> {
        of_run(&RunView { experiment, rows, measures: &Default::default() })
    }

    #[test]
    fn a_run_follows_the_moments_equation_and_leaves_its_twin() {
        let experiment = with_value(&experiment(), "model.output_multiplier", "0.5").unwrap();
        let rows = trained(&experiment, &[0, 1, 10, 40, 80]);
        let outcome = told(&experiment, &rows).unwrap();
        let distance = outcome.numbers.iter().find(|number| number.name == "closed_distance").unwrap();
        assert!(distance.value < 1e-5, "{distance:?}");
        assert_eq!(outcome.assumptions[0].holds, Some(true));
        let residuals = outcome.figures[0].residuals();
        assert_eq!(
            residuals.iter().map(|(name, points)| (name.as_str(), points.len())).collect::<Vec<_>>(),
            [("training rows", 4), ("test rows", 4)]
        );
        assert!(residuals[1].1.last().unwrap().1 < -1e-3, "features help: {residuals:?}");
        assert!(
            outcome.figures[1].residuals().iter().flat_map(|(_, points)| points).all(|(_, difference)| difference.abs() < 1e-5)
        );
    }

    #[test]
    fn a_run_that_does_something_else_is_told_apart_from_the_equation() {
        let experiment = experiment();
        let mut rows = trained(&experiment, &[0, 1, 10, 40]);
        rows[3].train_loss *= 0.8;
        assert_eq!(told(&experiment, &rows).unwrap().assumptions[0].holds, Some(false));
    }

    #[test]
    fn runs_of_which_the_theory_does_not_speak_are_refused_with_a_reason() {
        let rows = trained(&experiment(), &[0, 1]);
        let scaled = with_value(&experiment(), "model.layer_scales", "w_in=2").unwrap();
        assert!(
            told(&scaled, &[MetricRow { weight_norm: 2.0 * rows[0].weight_norm, ..rows[0] }])
                .unwrap_err()
                .remedy
                .contains("layer scales")
        );
        assert!(told(&experiment(), &[]).unwrap_err().cause.contains("no evaluation"));
        let other = preset("linear-teacher").unwrap().experiment.clone();
        assert!(told(&other, &rows).unwrap_err().remedy.contains("lazy-committee"));
        let many = with_value(&with_value(&experiment(), "task.samples", "2000").unwrap(), "task.train_fraction", "0.5").unwrap();
        assert!(told(&many, &rows).unwrap_err().remedy.contains("600"));
    }
}
