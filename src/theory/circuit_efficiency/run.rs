//! The account held against one run: is a fresh row right exactly where the generalising circuit has the larger part of the logit?
//!
//! That is what the toy says, and the measure `efficiency` splits the logits of a network on a group by the harmonics of its
//! answer, so it can be asked. Rejected: comparing the norm of all weights when memorised with that at the end. On
//! `quadratic-31` the weights double after the last training row is learned, so such a ratio says when it was taken and not what a
//! circuit costs.

use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, RunView, Scaled};
use crate::measure::delay::delay as dates;
use crate::record::UserError;

/// Part of the logit, and of fresh rows, at which one circuit has overtaken the other.
const HALF: f64 = 0.5;
/// Share of the change-over's step within which the two dates may lie, where checkpoints are denser than that.
const TOLERANCE: f64 = 0.1;

/// Every passing of ½: `(step, whether upward)`, interpolated between neighbours.
fn passings(curve: &[(f64, f64)]) -> Vec<(f64, bool)> {
    let passes = |pair: &&[(f64, f64)]| (pair[0].1 < HALF) != (pair[1].1 < HALF);
    let step = |pair: &[(f64, f64)]| pair[0].0 + (HALF - pair[0].1) / (pair[1].1 - pair[0].1) * (pair[1].0 - pair[0].0);
    curve.windows(2).filter(passes).map(|pair| (step(pair), pair[1].1 > pair[0].1)).collect()
}

/// What the account says of a run.
///
/// # Errors
/// If its weights do not decay, it has not memorised, or its circuits have not been measured.
pub(super) fn of_run(run: &RunView<'_>) -> Result<Outcome, UserError> {
    let RunView { experiment, rows, measures } = *run;
    if experiment.optimizer.weight_decay <= 0.0 {
        return Err(UserError::new("Without weight decay no circuit is preferred", "Choose a run with weight decay"));
    }
    let t_mem = dates(rows, true).t_mem.ok_or_else(|| {
        UserError::new("The run has not memorised its training rows", "Wait until its training accuracy is .99")
    })?;
    let curve = |column: &str| -> Vec<(f64, f64)> {
        measures.curve(column).into_iter().map(|(step, value)| (f64::from(step), value)).collect()
    };
    let shares = curve("generalising_share");
    let Some(&(last, share)) = shares.last().filter(|_| shares.len() > 1) else {
        return Err(UserError::new(
            "The parts of the two circuits have not been measured over the run",
            "Take the measure efficiency at its checkpoints",
        ));
    };
    let accuracies: Vec<(f64, f64)> = rows.iter().map(|row| (f64::from(row.step), f64::from(row.test_accuracy))).collect();
    let (of_share, of_rows) = (passings(&shares), passings(&accuracies));
    // Before the training rows are learned there is no logit to share.
    let first =
        |passings: &[(f64, bool)]| passings.iter().find(|(step, up)| *up && *step >= f64::from(t_mem)).map(|(step, _)| *step);
    let back = |passings: &[(f64, bool)]| passings.iter().rev().find(|(_, up)| !up).map(|(step, _)| *step);
    let up = first(&of_share).zip(first(&of_rows));
    let spacing = up
        .map(|(_, found)| shares.windows(2).find(|pair| pair[1].0 >= found).map_or(f64::INFINITY, |pair| pair[1].0 - pair[0].0));
    let holds = up.zip(spacing).map(|((told, found), spacing)| (told - found).abs() <= spacing.max(TOLERANCE * found));
    let mut numbers = Vec::new();
    if let Some((told, found)) = up {
        numbers.push(
            Number::found("t_half", "Half of the fresh rows are right, beside the larger part of the logit generalising", found)
                .expected(told)
                .unit("updates"),
        );
    }
    let fallen = back(&of_rows).filter(|fallen| up.is_some_and(|(_, found)| *fallen > found));
    if let Some(fallen) = fallen {
        let number = Number::found("t_lost", "Half of the fresh rows are wrong again, beside memory's larger part", fallen);
        numbers.push(back(&of_share).map_or(number.clone(), |told| number.expected(told)).unit("updates"));
    }
    numbers.push(Number::found("share", "Generalising share of the logit in the end", share));
    for (column, label) in [
        ("generalising_efficiency", "Generalising logit per norm of all weights in the end"),
        ("memory_efficiency", "Memory's logit per norm of all weights in the end"),
    ] {
        numbers.push(Number::found(column, label, curve(column).last().map_or(f64::NAN, |(_, value)| *value)));
    }
    let headline = match up {
        Some((told, found)) => format!(
            "The generalising circuit has the larger part of the logit from step {told:.0} on; half of the fresh rows are right from {found:.0} on"
        ),
        None => format!(
            "By step {last:.0} the generalising circuit has {:.0}% of the logit, and {:.0}% of the fresh rows are right",
            100.0 * share,
            100.0 * accuracies.last().map_or(f64::NAN, |(_, right)| *right)
        ),
    };
    let lines =
        vec![Line::new("generalising share", Role::Measured, shares), Line::new("fresh rows right", Role::Test, accuracies)];
    Ok(Outcome {
        headline,
        figures: vec![Figure {
            name: "circuit-shares".into(),
            caption: "Share of the generalising circuit in the logit of training rows, and the share of fresh rows that are right. In the toy a fresh \
                      row turns right as the first line passes ½"
                .into(),
            drawing: Drawing::Lines {
                x: Scaled::linear("step"),
                y: Scaled::linear("share"),
                lines,
                marks: vec![(f64::from(t_mem), "memorised".into())],
            },
        }],
        numbers,
        assumptions: vec![
            Assumption {
                statement: "Fresh rows turn right as the generalising circuit overtakes memory".into(),
                holds,
                evidence: up.map_or("one of the two was not seen after memorising".into(), |(told, found)| {
                    format!("step {told:.0} against {found:.0}, checkpoints {:.0} steps apart", spacing.unwrap_or(f64::NAN))
                }),
            },
            Assumption {
                statement: "The decay is an L2 penalty".into(),
                holds: Some(!matches!(experiment.optimizer.name.as_str(), "adam_w" | "lion" | "muon")),
                evidence: format!("the optimiser is {}", experiment.optimizer.name),
            },
            Assumption {
                statement: "What the harmonics of the answer do not carry is memory".into(),
                holds: None,
                evidence: "the measure takes memory for what is left; its authors name that as its weakness".into(),
            },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Experiment, preset, with_value};
    use crate::record::{MeasureTable, MetricRow, Value};

    fn row(step: u32, test: f64) -> MetricRow {
        MetricRow {
            step,
            train_loss: 0.0,
            test_loss: 0.0,
            train_accuracy: 1.0,
            test_accuracy: test as f32,
            weight_norm: 20.0,
            probe_accuracy: None,
        }
    }

    /// Share and accuracy rise together at `up`, and fall at `down`.
    fn told(experiment: &Experiment, late: f64) -> Result<Outcome, UserError> {
        let curve = |step: f64| 1.0 / (1.0 + libm::exp(-(step - 100.0) / 10.0)) - 1.0 / (1.0 + libm::exp(-(step - 400.0) / 10.0));
        let rows: Vec<MetricRow> = (0..100).map(|i| row(5 * i, curve(5.0 * f64::from(i) - late))).collect();
        let mut measures = MeasureTable::default();
        for step in (0..500).step_by(20) {
            let values =
                [("generalising_share", curve(step.into())), ("generalising_efficiency", 0.4), ("memory_efficiency", 0.1)];
            measures.add(step, values.map(|(name, value)| (name.to_owned(), Value::Number(value))).into_iter().collect());
        }
        of_run(&RunView { experiment, rows: &rows, measures: &measures })
    }

    fn experiment() -> Experiment {
        preset("hysteresis-31").unwrap().experiment.clone()
    }

    #[test]
    fn a_run_that_turns_with_its_logits_both_ways_agrees_and_a_late_one_does_not() {
        let outcome = told(&experiment(), 0.0).unwrap();
        let of = |name: &str| outcome.numbers.iter().find(|number| number.name == name).unwrap();
        for (name, step) in [("t_half", 100.0), ("t_lost", 400.0)] {
            assert!((of(name).value - step).abs() < 3.0 && (of(name).expected.unwrap() - step).abs() < 3.0, "{:?}", of(name));
        }
        assert_eq!(outcome.assumptions[0].holds, Some(true));
        assert_eq!(told(&experiment(), 60.0).unwrap().assumptions[0].holds, Some(false));
    }

    #[test]
    fn runs_of_which_nothing_can_be_said_are_refused_with_what_is_missing() {
        let free = with_value(&experiment(), "optimizer.weight_decay", "0").unwrap();
        assert!(told(&free, 0.0).unwrap_err().remedy.contains("weight decay"));
        let experiment = experiment();
        let rows = [row(0, 0.0), row(10, 1.0)];
        let bare = of_run(&RunView { experiment: &experiment, rows: &rows, measures: &MeasureTable::default() });
        assert!(bare.unwrap_err().remedy.contains("efficiency"));
    }
}
