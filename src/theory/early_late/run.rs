//! The law held against a run of the laboratory, beside the flow on the run's own rows.
//!
//! The law knows nothing of the data, and dates of single runs scatter about it by a factor of two where log α is 2. Whether that
//! is the law's neglected constant or something else is decided by following the gradient flow, in f64 and from nothing but the
//! settings, on the very rows of the run: what the flow foretells is within the theory, whatever the law says.

use super::super::separable::rows::Rows;
use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, RunView, Scaled};
use super::course::TOLERANCE;
use super::data::Data;
use super::flow::Flow;
use crate::experiment::Experiment;
use crate::experiment::edit;
use crate::measure::delay::delay;
use crate::record::{MetricRow, UserError};
use crate::task::Dataset;
use serde_json::Value;

/// Multiplications n²·d of one of Newton's matrices up to which the flow is followed.
const MOST_WORK: usize = 2_000_000;

/// Settings of plain descent; any other of the optimiser makes it another flow.
const PLAIN: [&str; 4] = ["name", "learning_rate", "weight_decay", "warmup_steps"];

/// What the law and the flow say of a run.
///
/// # Errors
/// If the network or its loss is another, nothing decays, or the start is not above 1.
pub(super) fn of_run(run: &RunView<'_>) -> Result<Outcome, UserError> {
    let RunView { experiment, rows, .. } = *run;
    let (start, optimizer) = (experiment.model.init_scale, &experiment.optimizer);
    refuse(experiment)?;
    let rate = optimizer.learning_rate * optimizer.weight_decay;
    let law = libm::log(start) / rate;
    let measured = delay(rows, true).t_gen.map(f64::from);
    let strays = strays(experiment);
    let flow = if strays.is_empty() { follow(experiment)? } else { Vec::new() };
    let told = delay(&flow, true).t_gen.map(f64::from);
    let by_flow = match (told, flow.is_empty()) {
        (Some(told), _) => format!("; the flow on its own rows says {told:.0}"),
        (None, false) => "; the flow on its own rows does not come there within the run".into(),
        (None, true) => String::new(),
    };
    let headline = match measured {
        Some(t_gen) => format!("It generalised at {t_gen:.0}; log α/(η·decay) is {law:.0}{by_flow}"),
        None => {
            let last = rows.last().map_or(0, |row| row.step);
            format!("It has not generalised by step {last}; log α/(η·decay) is {law:.0}{by_flow}")
        }
    };
    let beside = |name: &str, label: &str, expected: f64| {
        Number::found(name, label, measured.unwrap_or(f64::NAN)).expected(expected).unit("updates")
    };
    let mut numbers = vec![beside("t_gen", "Test rows understood; expected by the law", law)];
    if let Some(told) = told {
        numbers.push(beside("t_gen_flow", "Test rows understood; expected by the flow on the run's rows", told));
    }
    if let Some(t_gen) = measured {
        let label = "Measured after the law's date, in units of 1/(η·decay)";
        numbers.push(Number::found("offset", label, (t_gen - law) * rate));
        let label = "Product u·v of each pair of weights at that time, of α² at the start";
        numbers.push(Number::found("product", label, start * start * libm::exp(-2.0 * rate * t_gen)));
    }
    Ok(Outcome {
        headline,
        figures: vec![course(rows, &flow, law)],
        numbers,
        assumptions: assumptions(start, law, measured, told, &strays),
    })
}

fn refuse(experiment: &Experiment) -> Result<(), UserError> {
    let (network, loss) = (experiment.model.architecture.as_str(), experiment.loss.as_str());
    if network != "diagonal" || loss != "logistic" {
        return Err(UserError::new(
            format!("The dates are those of a diagonal linear network under a logistic loss, not of {network} under {loss}"),
            "Look at the preset sparse-diagonal",
        ));
    }
    if experiment.optimizer.weight_decay <= 0.0 {
        return Err(UserError::new(
            "Without weight decay the start never fades, and there is no switch",
            "Use a weight decay above 0",
        ));
    }
    let start = experiment.model.init_scale;
    if start <= 1.0 {
        return Err(UserError::new(
            format!("From a start of α = {start} there is no early phase: log α is not above 0"),
            "Use model.init_scale=8",
        ));
    }
    if !experiment.model.settings.text("layer_scales").is_empty() {
        return Err(UserError::new("With layer scales u and v do not start at one α", "Set model.layer_scales to nothing"));
    }
    Ok(())
}

/// In what the run strays from gradient flow on fixed rows.
fn strays(experiment: &Experiment) -> Vec<String> {
    let optimizer = &experiment.optimizer;
    let mut strays = Vec::new();
    if optimizer.name != "sgd" {
        strays.push(format!("the optimiser is {}", optimizer.name));
    }
    if optimizer.warmup_steps > 0 {
        strays.push(format!("the learning rate rises over {} updates", optimizer.warmup_steps));
    }
    if experiment.batch_size.is_some() {
        strays.push("updates see a batch".into());
    }
    if experiment.task.settings.is_on("online") {
        strays.push("rows are drawn anew".into());
    }
    if !experiment.timeline.is_empty() {
        strays.push(format!("{} changes on the way", experiment.timeline.len()));
    }
    // Settings at their neutral value are left out of files.
    let written = edit::json(experiment);
    let changed = |section: &str| {
        written.get(section).and_then(Value::as_object).map(|changed| changed.keys().cloned()).into_iter().flatten()
    };
    let of_model = changed("model").filter(|name| name == "output_multiplier");
    let of_rule = changed("optimizer").filter(|name| !PLAIN.contains(&name.as_str()));
    let others = ["training", "curriculum", "stage"].into_iter().flat_map(changed).chain(of_model).chain(of_rule);
    strays.extend(others.map(|name| format!("{name} is set")));
    strays
}

/// What the flow says of the test accuracy at each evaluation; empty where the rows are too many for its matrices.
fn follow(experiment: &Experiment) -> Result<Vec<MetricRow>, UserError> {
    let data = Dataset::new(&experiment.task, experiment.seed)?;
    let width = data.sizes.width as usize;
    if data.is_pairs() || data.train.len() * data.train.len() * width > MOST_WORK {
        return Ok(Vec::new());
    }
    // Class 0 is y = +1.
    let signed = |row: u32, label: u16| {
        let sign = if label == 0 { 1.0 } else { -1.0 };
        data.vector(row as usize).iter().map(move |x| sign * f64::from(*x))
    };
    let train = data.train.iter().zip(&data.train_labels).flat_map(|(row, label)| signed(*row, *label)).collect();
    let test = data.test.iter().flat_map(|row| signed(*row, data.rows[*row as usize].label)).collect();
    let data = Data::drawn(Rows::new(width, train), Rows::new(width, test));
    let (eta, decay) = (experiment.optimizer.learning_rate, experiment.optimizer.weight_decay);
    // Accuracies are read off between moments, so these are close.
    let flow = Flow { rows: &data.train, start: experiment.model.init_scale, decay, largest_step: 0.03 };
    let moments = flow.run(eta * f64::from(experiment.steps), TOLERANCE).ok_or_else(|| {
        UserError::new(
            "The flow on the run's rows could not be followed to its end",
            "Compare with the law alone, at a larger weight decay",
        )
    })?;
    let seen: Vec<(f64, f64)> = moments.iter().map(|moment| (moment.time / eta, data.accuracy(&moment.weights))).collect();
    let row = |step: u32| {
        let after = seen.partition_point(|(at, _)| *at < f64::from(step)).min(seen.len().saturating_sub(1));
        let ((from, low), (to, high)) = (seen[after.saturating_sub(1)], seen[after]);
        let share = if to > from { ((f64::from(step) - from) / (to - from)).clamp(0.0, 1.0) } else { 1.0 };
        MetricRow {
            step,
            train_loss: f32::NAN,
            test_loss: f32::NAN,
            train_accuracy: f32::NAN,
            test_accuracy: (low + share * (high - low)) as f32,
            weight_norm: f32::NAN,
            probe_accuracy: None,
        }
    };
    let every = experiment.logging.evaluate_every.max(1);
    Ok(if seen.is_empty() { Vec::new() } else { (1..=experiment.steps / every).map(|index| row(index * every)).collect() })
}

fn course(rows: &[MetricRow], flow: &[MetricRow], law: f64) -> Figure {
    let points = |rows: &[MetricRow]| rows.iter().map(|row| (f64::from(row.step), f64::from(row.test_accuracy))).collect();
    let mut lines = vec![
        Line::new(
            "training rows",
            Role::Train,
            rows.iter().map(|row| (f64::from(row.step), f64::from(row.train_accuracy))).collect(),
        ),
        Line::new("test rows", Role::Test, points(rows)),
    ];
    if !flow.is_empty() {
        lines.push(Line::new("test rows", Role::Predicted, points(flow)));
    }
    Figure {
        name: "run".into(),
        caption: "Accuracy of the run, what gradient flow on the run's own rows foretells (dashed), and the date of the law"
            .into(),
        drawing: Drawing::Lines {
            x: Scaled::linear("updates"),
            y: Scaled::linear("accuracy"),
            lines,
            marks: vec![(law, "log α/(η·decay)".into())],
        },
    }
}

fn assumptions(start: f64, law: f64, measured: Option<f64>, told: Option<f64>, strays: &[String]) -> Vec<Assumption> {
    let off = |expected: f64| measured.map(|t_gen| t_gen / expected - 1.0);
    let words =
        |off: Option<f64>| off.map_or("not known before it generalises".into(), |off| format!("{:+.1}% off", 100.0 * off));
    vec![
        Assumption {
            statement: "Training is gradient flow on fixed rows".into(),
            holds: Some(strays.is_empty()),
            evidence: if strays.is_empty() {
                "full-batch gradient descent without momentum, nothing changed on the way".into()
            } else {
                strays.join("; ")
            },
        },
        Assumption {
            statement: "Steps are small enough for descent to follow the flow".into(),
            holds: told.and_then(off).map(|off| off.abs() < 0.05),
            evidence: told.map_or("the flow was not followed, or not to a date".into(), |told| words(off(told))),
        },
        Assumption {
            statement: "log α is large beside what the data add to the date".into(),
            holds: off(law).map(|off| off.abs() < 0.1),
            evidence: format!("log α is {:.2}; against the law the run is {}", libm::log(start), words(off(law))),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::super::super::separable::rows::dot;
    use super::super::flow::tests::plain;
    use super::*;
    use crate::experiment::{preset, with_value};

    fn experiment(changes: &[(&str, &str)]) -> Experiment {
        let start = preset("sparse-diagonal").unwrap().experiment.clone();
        changes.iter().fold(start, |experiment, (path, text)| with_value(&experiment, path, text).unwrap())
    }

    fn told(experiment: &Experiment, rows: &[MetricRow]) -> Result<Outcome, UserError> {
        of_run(&RunView { experiment, rows, measures: &Default::default() })
    }

    #[test]
    fn the_flow_foretells_dates_that_the_laboratory_measured_and_the_law_only_their_differences() {
        // Trained by the laboratory in f32, seed 0.
        for (start, date) in [("2", 4180.0), ("4", 6940.0), ("8", 9720.0)] {
            let steps = format!("{}", date + 400.0);
            let changes = [("model.init_scale", start), ("steps", steps.as_str())];
            let found = delay(&follow(&experiment(&changes)).unwrap(), true).t_gen.unwrap();
            assert!((f64::from(found) - date).abs() <= 60.0, "α = {start}: {found}, measured {date}");
        }
    }

    #[test]
    fn a_run_by_plain_steps_is_foretold_to_a_few_evaluations() {
        let experiment = experiment(&[
            ("steps", "5000"),
            ("model.init_scale", "2"),
            ("task.samples", "400"),
            ("task.train_fraction", "0.1"),
            ("logging.evaluate_every", "50"),
        ]);
        let data = Dataset::new(&experiment.task, experiment.seed).unwrap();
        let signed = |row: &u32| {
            let sign = if data.rows[*row as usize].label == 0 { 1.0 } else { -1.0 };
            data.vector(*row as usize).iter().map(move |x| sign * f64::from(*x))
        };
        let train = Rows::new(64, data.train.iter().flat_map(signed).collect());
        let test = Rows::new(64, data.test.iter().flat_map(signed).collect());
        let steps: Vec<u64> = (1..=100).map(|index| 50 * index).collect();
        let weights = plain(&train, 2.0, 0.05, 0.005, &steps);
        let share = |rows: &Rows, w: &[f64]| rows.iter().filter(|z| dot(z, w) > 0.0).count() as f32 / rows.len() as f32;
        let row = |(step, w): (&u64, &Vec<f64>)| MetricRow {
            step: *step as u32,
            train_loss: 0.0,
            test_loss: 0.0,
            train_accuracy: share(&train, w),
            test_accuracy: share(&test, w),
            weight_norm: 0.0,
            probe_accuracy: None,
        };
        let rows: Vec<MetricRow> = steps.iter().zip(&weights).map(row).collect();
        let outcome = told(&experiment, &rows).unwrap();
        let by_flow = outcome.numbers.iter().find(|number| number.name == "t_gen_flow").unwrap();
        assert!((by_flow.value - by_flow.expected.unwrap()).abs() <= 100.0, "{by_flow:?}");
        let residuals = &outcome.figures[0].residuals()[0];
        assert!(residuals.0 == "test rows" && residuals.1.iter().all(|(_, off)| off.abs() < 0.05), "{residuals:?}");
    }

    #[test]
    fn runs_without_the_two_phases_are_refused_and_others_than_the_flow_are_told_the_law_alone() {
        let refusal = |changes: &[(&str, &str)]| told(&experiment(changes), &[]).unwrap_err();
        assert!(refusal(&[("optimizer.weight_decay", "0")]).cause.contains("never fades"));
        assert!(refusal(&[("model.init_scale", "1")]).cause.contains("no early phase"));
        assert!(refusal(&[("model.architecture", "linear")]).cause.contains("diagonal"));
        assert!(strays(&experiment(&[])).is_empty());
        for change in
            [("optimizer.momentum", "0.9"), ("optimizer.name", "adam_w"), ("optimizer.schedule", "cosine"), ("batch_size", "8")]
        {
            let other = told(&experiment(&[change]), &[]).unwrap();
            assert!(other.numbers.iter().all(|number| number.name != "t_gen_flow"), "{change:?}");
            assert_eq!(other.assumptions[0].holds, Some(false), "{change:?}");
        }
    }
}
