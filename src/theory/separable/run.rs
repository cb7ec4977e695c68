//! The same held against a run of the laboratory: its own rows are solved for the largest margin, and its curves are laid beside.
//!
//! A linear classifier without decay is the theorem's own case: norm, training loss and test loss all have a predicted slope in
//! log t, or a value along the solver's direction, with nothing fitted but where a line lies. A network that is homogeneous in its weights has no solver that would name its
//! direction; there what can be checked is that the smoothed margin never falls (Lyu and Li), and how fast the direction settles.
//! Rejected: a regression of every curve on log t, which agrees with whatever comes.

use super::super::spread::fit;
use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, RunView, Scaled};
use super::homogeneous::smoothed_margin;
use super::loss::Loss;
use super::margin::{MaxMargin, Separation, separate};
use super::rows::{Rows, dot, norm};
use crate::experiment::Experiment;
use crate::measure::homogeneity;
use crate::record::{MetricRow, UserError};
use crate::task::Dataset;

/// Fewest evaluations after the training loss is below log 2 per row, the loss of knowing nothing.
const FEWEST_ROWS: usize = 8;

/// What the theory says of a run.
///
/// # Errors
/// If it does not speak of such a network, the rows are not separable, or there are too few evaluations yet.
pub(super) fn of_run(run: &RunView<'_>) -> Result<Outcome, UserError> {
    if run.experiment.model.architecture == "linear" { of_classifier(run) } else { of_network(run) }
}

/// y_n x_n of `which` rows, with a 1 at the end of x where there is a bias; the sign is + for class 0.
fn signed(data: &Dataset, which: &[u32], labels: impl Fn(usize) -> u16, has_bias: bool) -> Rows {
    let width = data.sizes.width as usize + usize::from(has_bias);
    let values = which.iter().enumerate().flat_map(|(at, &row)| {
        let sign = if labels(at) == 0 { 1.0 } else { -1.0 };
        let bias = has_bias.then_some(1.0);
        data.vector(row as usize).iter().map(|x| f64::from(*x)).chain(bias).map(move |x| sign * x)
    });
    Rows::new(width, values.collect())
}

fn of_classifier(run: &RunView<'_>) -> Result<Outcome, UserError> {
    let experiment = run.experiment;
    let data = Dataset::new(&experiment.task, experiment.seed)?;
    if data.is_pairs() {
        return Err(UserError::new("The inputs are pairs of tokens", "Use a task of vectors, such as logistic_teacher"));
    }
    let has_bias = experiment.model.settings.is_on("bias");
    let train = signed(&data, &data.train, |at| data.train_labels[at], has_bias);
    let test = signed(&data, &data.test, |at| data.rows[data.test[at] as usize].label, has_bias);
    let best = match separate(&train) {
        Separation::Separable(best) => best,
        Separation::Inseparable { .. } => {
            return Err(UserError::new(
                "The training rows cannot be separated, so the weights come to rest and none of this applies",
                "Use fewer training rows or more dimensions; the panel's own system shows the finite minimiser",
            ));
        }
    };
    let settled = settled(run.rows)?;
    let lines = curves(settled, experiment);
    let limit_error = test.iter().filter(|z| dot(z, &best.direction) <= 0.0).count() as f64 / test.len().max(1) as f64;
    let last = settled.last().copied().ok_or_else(too_early)?;
    let steps = f64::from(last.step);
    let slope = |line: &[(f64, f64)]| {
        let late = |point: &&(f64, f64)| point.0 * 10.0 >= steps;
        fit(&line.iter().filter(late).map(|(x, y)| (libm::log(*x), *y)).collect::<Vec<_>>()).slope
    };
    let norm_slope = slope(&lines.norm);
    let rate = lines.rate.last().map_or(f64::NAN, |point| point.1);
    let predicted = Predicted::of(&best);
    let foretold: Vec<(f64, f64)> =
        lines.norm.iter().map(|&(step, length)| (step, loss_along(&best.direction, length, &test))).collect();
    let test_loss = |line: &[(f64, f64)]| line.last().map_or(f64::NAN, |point| point.1);
    let smoothness = Loss::Logistic.smoothness(&train, &vec![0.0; train.dimension()]) / train.len() as f64;
    let eta = experiment.optimizer.learning_rate;
    Ok(Outcome {
        headline: format!(
            "Over the last decade of steps ‖w‖ grows by {norm_slope:.2} per e-fold, where ‖ŵ‖ = {:.2} is the limit; {} of {} rows \
             hold the margin up",
            predicted.norm,
            best.multipliers.iter().filter(|alpha| **alpha > 0.0).count(),
            train.len()
        ),
        figures: vec![
            figure(
                "run-norm",
                "Norm of the weights, and ‖ŵ‖·log t with ŵ from a solver on the run's own rows, laid through the last point; only the \
                 slope is predicted",
                "‖w‖",
                pair("norm", &lines.norm, predicted.norm),
            ),
            figure(
                "run-rate",
                "Training loss times step times rate; it goes to ‖ŵ‖², slowly, as the support vectors come to weigh what they must",
                "η·t·loss",
                vec![
                    Line::new("η·t·loss", Role::Measured, lines.rate.clone()),
                    Line::new("η·t·loss", Role::Predicted, lines.rate.iter().map(|(x, _)| (*x, predicted.square)).collect()),
                ],
            ),
            figure(
                "run-test",
                "Test loss, and that of a classifier as long as the measured one that points along ŵ already; from where rows that ŵ \
                 gets wrong outweigh the others it rises for ever, while the test error stays",
                "test loss (nats)",
                vec![
                    Line::new("test loss", Role::Measured, lines.test.clone()),
                    Line::new("test loss", Role::Predicted, foretold.clone()),
                ],
            ),
        ],
        numbers: vec![
            Number::found("norm_slope", "d‖w‖ / d log t over the last decade", norm_slope).expected(predicted.norm),
            Number::found("rate", "η·t·loss at the end", rate).expected(predicted.square),
            Number::found("test_loss", "Test loss at the end, beside that along ŵ", test_loss(&lines.test))
                .expected(test_loss(&foretold)),
            Number::found("test_error", "Test error at the end, beside that of ŵ", 1.0 - f64::from(last.test_accuracy))
                .expected(limit_error),
            Number::found("max_margin", "Largest margin of the training rows", best.margin()),
        ],
        assumptions: vec![
            Assumption {
                statement: "The training rows can be separated".into(),
                holds: Some(true),
                evidence: format!("largest margin {:.3}, optimality violated by {:.0e}", best.margin(), best.violation(&train)),
            },
            Assumption {
                statement: "Plain gradient descent on all rows, without decay".into(),
                holds: Some(is_plain(experiment)),
                evidence: format!(
                    "the optimiser is {}, the decay {}",
                    experiment.optimizer.name, experiment.optimizer.weight_decay
                ),
            },
            Assumption {
                statement: "The rate is below 2/β".into(),
                holds: Some(eta < 2.0 / smoothness),
                evidence: format!("η = {eta}, 2/β = {:.3}", 2.0 / smoothness),
            },
            Assumption {
                statement: "It is late enough for the limit".into(),
                holds: Some((norm_slope / predicted.norm - 1.0).abs() < 0.1),
                evidence: format!("the norm grows at {:.0}% of its limit", 100.0 * norm_slope / predicted.norm),
            },
        ],
    })
}

/// Slopes in log t.
struct Predicted {
    /// Of ‖w‖: ‖ŵ‖.
    norm: f64,
    /// The limit of η·t·(mean loss): Σα = ‖ŵ‖².
    square: f64,
}

impl Predicted {
    fn of(best: &MaxMargin) -> Self {
        Self { norm: norm(&best.direction), square: best.total_multiplier() }
    }
}

/// Mean logistic loss of `rows` under weights of `length` along `direction`.
fn loss_along(direction: &[f64], length: f64, rows: &Rows) -> f64 {
    let scale = length / norm(direction);
    Loss::Logistic.total(&rows.scaled(scale), direction) / rows.len().max(1) as f64
}

/// A run's curves over the step.
struct CurvesOfRun {
    norm: Vec<(f64, f64)>,
    rate: Vec<(f64, f64)>,
    test: Vec<(f64, f64)>,
}

fn curves(rows: &[MetricRow], experiment: &Experiment) -> CurvesOfRun {
    let eta = experiment.optimizer.learning_rate;
    let line = |of: &dyn Fn(&MetricRow) -> f64| rows.iter().map(|row| (f64::from(row.step), of(row))).collect();
    CurvesOfRun {
        norm: line(&|row| f64::from(row.weight_norm)),
        // Gradient descent on the mean of n losses with rate η is that on their sum with η/n, so L_sum·t·(η/n) = L_mean·t·η.
        rate: line(&|row| eta * f64::from(row.step) * f64::from(row.train_loss)),
        test: line(&|row| f64::from(row.test_loss)),
    }
}

/// A measured line, and the one with `slope` per e-fold through its last point.
fn pair(name: &str, measured: &[(f64, f64)], slope: f64) -> Vec<Line> {
    let Some(&(end, value)) = measured.last() else { return Vec::new() };
    let line = measured.iter().map(|&(x, _)| (x, value + slope * (libm::log(x) - libm::log(end))));
    // Early the straight line is below 0, where no norm is.
    let predicted = line.filter(|point| point.1 >= 0.0).collect();
    vec![Line::new(name, Role::Measured, measured.to_vec()), Line::new(name, Role::Predicted, predicted)]
}

fn figure(name: &str, caption: &str, y: &str, lines: Vec<Line>) -> Figure {
    let drawing = Drawing::Lines { x: Scaled::log("step"), y: Scaled::linear(y), lines, marks: Vec::new() };
    Figure { name: name.into(), caption: caption.into(), drawing }
}

/// Evaluations from where the loss is below that of knowing nothing.
fn settled(rows: &[MetricRow]) -> Result<&[MetricRow], UserError> {
    let from = rows.iter().position(|row| row.step > 0 && f64::from(row.train_loss) < core::f64::consts::LN_2);
    let settled = &rows[from.unwrap_or(rows.len())..];
    if settled.len() < FEWEST_ROWS { Err(too_early()) } else { Ok(settled) }
}

fn too_early() -> UserError {
    UserError::new(
        format!("There are not yet {FEWEST_ROWS} evaluations with a training loss below log 2"),
        "Wait, or evaluate more often",
    )
}

fn is_plain(experiment: &Experiment) -> bool {
    experiment.optimizer.name == "sgd"
        && experiment.optimizer.weight_decay == 0.0
        && experiment.batch_size.is_none()
        && experiment.optimizer.settings.number("momentum") == 0.0
}

/// Smoothed and normalised margin of a homogeneous network, and how far its direction turns.
fn of_network(run: &RunView<'_>) -> Result<Outcome, UserError> {
    let experiment = run.experiment;
    let degree = homogeneity(experiment).ok_or_else(|| {
        UserError::new("This network is not homogeneous in its weights", "Use a perceptron without biases, quadratic or ReLU")
    })?;
    let train = crate::experiment::counts(experiment).train;
    let smoothed: Vec<(f64, f64)> = run
        .rows
        .iter()
        .filter(|row| row.step > 0)
        .filter_map(|row| {
            let log_loss = libm::log(f64::from(train) * f64::from(row.train_loss));
            let margin = smoothed_margin(log_loss, f64::from(row.weight_norm), degree).ok()?;
            Some((f64::from(row.step), margin))
        })
        .collect();
    if smoothed.len() < FEWEST_ROWS {
        return Err(UserError::new(
            "The loss summed over the training rows is hardly ever below 1, and before that theory says nothing of the margin",
            "Wait until the training rows are memorised",
        ));
    }
    let later =
        |curve: Vec<(u32, f64)>| curve.into_iter().filter(|(step, _)| *step > 0).map(|(step, value)| (f64::from(step), value));
    let normalised: Vec<(f64, f64)> = later(run.measures.curve("normalised_margin")).collect();
    // Both are columns of one measure, so they are there at the same steps but where a movement is nought and has no direction.
    let ratios = run.measures.curve("update_ratio");
    let ratio = |step: f64| ratios.iter().find(|(at, _)| f64::from(*at) == step).map(|(_, ratio)| *ratio);
    let turns: Vec<(f64, f64)> = later(run.measures.curve("update_cosine"))
        .filter_map(|(step, cosine)| Some((step, turn(cosine, ratio(step)?))))
        .collect();
    let falls = fall(&smoothed);
    let decay = experiment.optimizer.weight_decay;
    let mut lines = vec![Line::new("smoothed margin", Role::Measured, smoothed.clone())];
    if !normalised.is_empty() {
        lines.push(Line::new("smallest margin", Role::Kind(1), normalised.clone()));
    }
    let mut figures = vec![figure(
        "run-margin",
        "Margin over ‖w‖ to the power of the network's degree: by the training loss (smoothed) and, where the measure margin was \
         taken, the smallest one. By gradient flow without decay the smoothed one never falls",
        "margin / ‖w‖^L",
        lines,
    )];
    if !turns.is_empty() {
        figures.push(figure(
            "run-turn",
            "How far the direction of all weights turns between two checkpoints, from the measure update",
            "angle (rad)",
            vec![Line::new("turn", Role::Measured, turns.clone())],
        ));
    }
    let last = smoothed.last().map_or(f64::NAN, |point| point.1);
    Ok(Outcome {
        headline: format!(
            "The smoothed margin over ‖w‖^{degree} ends at {last:.2e} and falls by at most {:.0}% of its height on the way",
            100.0 * falls
        ),
        figures,
        numbers: vec![
            Number::found("degree", "Degree L of the network in its weights", f64::from(degree)),
            Number::found("smoothed_margin", "Smoothed margin over ‖w‖^L at the end", last),
            Number::found("fall", "Largest fall of the smoothed margin below its height so far, as a share", falls).expected(0.0),
            Number::found(
                "normalised_margin",
                "Smallest margin over ‖w‖^L at the last measured checkpoint",
                normalised.last().map_or(f64::NAN, |point| point.1),
            ),
            Number::found("turn", "Turn between the last two measured checkpoints", turns.last().map_or(f64::NAN, |p| p.1))
                .unit("rad"),
        ],
        assumptions: vec![
            Assumption {
                statement: "Plain gradient descent on all rows, without decay".into(),
                holds: Some(is_plain(experiment)),
                evidence: format!("the optimiser is {}, the decay {decay}", experiment.optimizer.name),
            },
            Assumption {
                statement: "The loss falls like an exponential of the margin".into(),
                holds: Some(matches!(experiment.loss.as_str(), "cross_entropy" | "logistic")),
                evidence: format!("the loss is {}", experiment.loss.as_str()),
            },
            Assumption {
                statement: "The smoothed margin never falls".into(),
                holds: Some(falls < 0.01),
                evidence: format!("largest fall {:.1}% of its height", 100.0 * falls),
            },
        ],
    })
}

/// The angle in radians between w and w + Δ, from cos(Δ, w) and ‖Δ‖/‖w‖.
fn turn(cosine: f64, ratio: f64) -> f64 {
    let across = ratio * libm::sqrt((1.0 - cosine * cosine).max(0.0));
    libm::atan2(across, 1.0 + ratio * cosine)
}

/// The largest (height so far − value)/height so far.
fn fall(points: &[(f64, f64)]) -> f64 {
    let mut height = f64::NEG_INFINITY;
    points.iter().fold(0.0_f64, |worst, &(_, value)| {
        height = height.max(value);
        worst.max((height - value) / height)
    })
}

#[cfg(test)]
mod tests {
    use super::super::rows::{add, plus};
    use super::*;
    use crate::experiment::{preset, with_value};
    use crate::record::MeasureTable;

    fn linear() -> Experiment {
        let start = preset("separable-classes").unwrap().experiment.clone();
        [("task.dimensions", "10"), ("task.samples", "60")]
            .iter()
            .fold(start, |experiment, (path, value)| with_value(&experiment, path, value).unwrap())
    }

    /// The run made again in f64: gradient descent on the mean logistic loss.
    fn trained(experiment: &Experiment, steps: u32) -> Vec<MetricRow> {
        let data = Dataset::new(&experiment.task, experiment.seed).unwrap();
        let train = signed(&data, &data.train, |at| data.train_labels[at], false);
        let test = signed(&data, &data.test, |at| data.rows[data.test[at] as usize].label, false);
        let mean = |rows: &Rows, of: &dyn Fn(f64) -> f64, w: &[f64]| {
            rows.margins(w).iter().map(|m| of(*m)).sum::<f64>() / rows.len() as f64
        };
        let mut w = vec![0.0; 10];
        let (mut rows, mut next) = (Vec::new(), 0);
        for step in 0..=steps {
            if step == next || step == steps {
                next = step + 1 + step / 20;
                let loss = |rows: &Rows| mean(rows, &|m| libm::log1p(libm::exp(-m)), &w) as f32;
                let right = |rows: &Rows| mean(rows, &|m| f64::from(u8::from(m > 0.0)), &w) as f32;
                rows.push(MetricRow {
                    step,
                    train_loss: loss(&train),
                    test_loss: loss(&test),
                    train_accuracy: right(&train),
                    test_accuracy: right(&test),
                    weight_norm: norm(&w) as f32,
                    probe_accuracy: None,
                });
            }
            let pulls: Vec<f64> = train.margins(&w).iter().map(|m| 1.0 / (1.0 + libm::exp(*m))).collect();
            let gradient = train.combine(&pulls);
            add(&mut w, experiment.optimizer.learning_rate / train.len() as f64, &gradient);
        }
        rows
    }

    fn told(experiment: &Experiment, rows: &[MetricRow]) -> Result<Outcome, UserError> {
        of_run(&RunView { experiment, rows, measures: &MeasureTable::default() })
    }

    #[test]
    fn slopes_of_descent_come_to_those_of_the_solver() {
        let experiment = linear();
        let outcome = told(&experiment, &trained(&experiment, 60_000)).unwrap();
        let of = |name: &str| outcome.numbers.iter().find(|number| number.name == name).unwrap();
        for (name, within) in [("norm_slope", 0.15), ("rate", 0.15)] {
            let number = of(name);
            assert!((number.value / number.expected.unwrap() - 1.0).abs() < within, "{number:?}");
        }
        // The direction itself comes only as 1/log t, and with it the test loss: the prediction is above it, and not by a factor.
        let ratio = of("test_loss").expected.unwrap() / of("test_loss").value;
        assert!((1.0..2.0).contains(&ratio), "{ratio}");
        assert!((of("test_error").value - of("test_error").expected.unwrap()).abs() < 0.05, "{:?}", outcome.numbers);
        assert_eq!(outcome.assumptions[1].holds, Some(true));
        assert!(outcome.figures.iter().all(|figure| !figure.residuals().is_empty()));
    }

    #[test]
    fn runs_of_which_nothing_can_be_said_are_refused_with_a_reason() {
        let experiment = linear();
        assert!(told(&experiment, &trained(&experiment, 3)).unwrap_err().cause.contains("not yet"));
        let crowded = with_value(&experiment, "task.label_noise", "0.4").unwrap();
        let crowded = with_value(&crowded, "task.train_fraction", "0.9").unwrap();
        assert!(told(&crowded, &trained(&experiment, 100)).unwrap_err().cause.contains("cannot be separated"));
        let transformer = preset("transformer-59-mirror").unwrap().experiment.clone();
        assert!(told(&transformer, &trained(&experiment, 100)).unwrap_err().cause.contains("homogeneous"));
    }

    #[test]
    fn the_loss_along_a_direction_sees_its_length_alone() {
        let rows = Rows::new(2, vec![1.0, 0.0, 0.0, -2.0]);
        // z·w = 3 · (.6, −1.6) for w = 3 · (.6, .8).
        let by_hand = (libm::log1p(libm::exp(-1.8)) + libm::log1p(libm::exp(4.8))) / 2.0;
        assert!((loss_along(&[6.0, 8.0], 3.0, &rows) - by_hand).abs() < 1e-14);
    }

    #[test]
    fn a_turn_is_the_angle_between_the_two_weights() {
        let (w, step) = ([1.0, 2.0, -1.0], [0.3, -0.4, 0.2]);
        let cosine = dot(&w, &step) / (norm(&w) * norm(&step));
        let direct = super::super::rows::angle(&w, &plus(&w, 1.0, &step));
        assert!((turn(cosine, norm(&step) / norm(&w)) - direct).abs() < 1e-12);
        assert_eq!(turn(-1.0, 0.5), 0.0, "what only shrinks does not turn");
    }

    #[test]
    fn a_network_whose_margin_falls_is_told_of() {
        let experiment = with_value(&preset("quadratic-31").unwrap().experiment, "loss", "cross_entropy").unwrap();
        let train = f64::from(crate::experiment::counts(&experiment).train);
        // The summed loss is e^{−γ‖w‖³} with ‖w‖ = 2 and γ = 1, 2, …, 9, 4.5, 9, …: it falls by half once.
        let gammas: Vec<f64> = (1..10).map(f64::from).chain([4.5, 9.0]).collect();
        let rows: Vec<MetricRow> = (1u32..)
            .zip(&gammas)
            .map(|(step, gamma)| MetricRow {
                step,
                train_loss: (libm::exp(-gamma) / train) as f32,
                test_loss: 1.0,
                train_accuracy: 1.0,
                test_accuracy: 0.1,
                weight_norm: 2.0,
                probe_accuracy: None,
            })
            .collect();
        let outcome = told(&experiment, &rows).unwrap();
        let of = |name: &str| outcome.numbers.iter().find(|number| number.name == name).unwrap().value;
        assert!((of("fall") - 0.5).abs() < 1e-3 && (of("smoothed_margin") - 9.0 / 8.0).abs() < 1e-3, "{outcome:?}");
        assert_eq!(outcome.assumptions[2].holds, Some(false));
    }
}
