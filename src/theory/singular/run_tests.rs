//! A run's balance against numbers by hand, and what is refused or left undecided.

use super::super::{Outcome, RunView};
use super::run::of_run;
use crate::experiment::{Experiment, preset, with_value};
use crate::record::{MeasureTable, Measured, MetricRow, UserError, Value};

fn experiment() -> Experiment {
    preset("devinterp-53-as-started").unwrap().experiment.clone()
}

/// Memorised at 200, understood at 600; the loss falls from .02 to `end` between.
fn rows(end: f32) -> Vec<MetricRow> {
    (0..=10)
        .map(|i| 100 * i)
        .map(|step| MetricRow {
            step,
            train_loss: if step < 200 {
                4.0
            } else if step < 600 {
                0.02
            } else {
                end
            },
            test_loss: 1.0,
            train_accuracy: f32::from(u8::from(step >= 200)),
            test_accuracy: f32::from(u8::from(step >= 600)),
            weight_norm: 1.0,
            probe_accuracy: None,
        })
        .collect()
}

fn measured(coefficients: &[(u32, f64)]) -> MeasureTable {
    let mut table = MeasureTable::default();
    for (step, llc) in coefficients {
        let pairs = [("llc", *llc), ("llc_error", 0.5), ("llc_distance", 0.2)];
        table.add(*step, pairs.map(|(name, value)| (name.to_owned(), Value::Number(value))).into_iter().collect());
    }
    table
}

fn told(experiment: &Experiment, rows: &[MetricRow], measures: &MeasureTable) -> Result<Outcome, UserError> {
    of_run(&RunView { experiment, rows, measures })
}

fn value(outcome: &Outcome, name: &str) -> f64 {
    outcome.numbers.iter().find(|number| number.name == name).unwrap().value
}

const COEFFICIENTS: [(u32, f64); 5] = [(0, 16.0), (200, 50.0), (400, 55.0), (600, 30.0), (1000, 25.0)];

#[test]
fn the_balance_is_that_of_hand() {
    let outcome = told(&experiment(), &rows(0.03), &measured(&COEFFICIENTS)).unwrap();
    // 40% of 53² rows are 1,124.
    let n = 1124.0f64;
    assert_eq!(value(&outcome, "rows"), n);
    assert!((value(&outcome, "loss_term") - n * 0.01).abs() < 1e-3);
    // From 55 to 25 with the loss up by .01.
    assert!((value(&outcome, "change_since_peak") - n * 0.01 + 30.0 * n.ln()).abs() < 1e-3);
    assert!((value(&outcome, "complexity_term") + 25.0 * n.ln()).abs() < 1e-9);
    assert_eq!((value(&outcome, "peak"), value(&outcome, "peak_step")), (55.0, 400.0));
    // n·.01 = 25 log n has its larger root where the balance tips.
    let tips = value(&outcome, "tips");
    assert!((0.01 * tips / (25.0 * tips.ln()) - 1.0).abs() < 1e-5, "{tips}");
    assert!(outcome.headline.contains("preferred, and the run went there"), "{}", outcome.headline);
    assert_eq!(outcome.assumptions[0].holds, Some(true));
    assert_eq!(outcome.assumptions[1].holds, Some(true));
    assert_eq!(outcome.figures.iter().map(|figure| figure.name.as_str()).collect::<Vec<_>>(), ["balance", "llc", "losses"]);
}

#[test]
fn a_memory_that_the_posterior_prefers_is_said_to_be_so() {
    let outcome = told(&experiment(), &rows(1.0), &measured(&COEFFICIENTS)).unwrap();
    assert_eq!(outcome.assumptions[0].holds, Some(false));
    assert!(outcome.headline.contains("left it all the same"), "{}", outcome.headline);
}

#[test]
fn what_is_within_the_chains_errors_is_not_decided() {
    let level = measured(&[(0, 16.0), (200, 30.0), (400, 30.5), (1000, 30.0)]);
    let outcome = told(&experiment(), &rows(0.02), &level).unwrap();
    assert_eq!(outcome.assumptions[0].holds, None);
    assert_eq!(outcome.assumptions[1].holds, Some(false));
    assert!(value(&outcome, "tips").is_nan());
}

#[test]
fn a_run_without_the_measure_is_refused_with_what_to_measure() {
    let none = told(&experiment(), &rows(0.01), &MeasureTable::default()).unwrap_err();
    assert!(none.remedy.contains("Measure learning_coefficient"), "{none}");
    let mut restless = MeasureTable::default();
    restless.add(200, Measured::from([("llc".to_owned(), Value::Absent("The chains have not come to rest".into()))]));
    assert!(told(&experiment(), &rows(0.01), &restless).unwrap_err().cause.contains("not come to rest"));
}

#[test]
fn a_loss_that_is_no_likelihood_and_a_run_that_has_not_memorised_are_refused() {
    let squared = preset("quadratic-31").unwrap().experiment.clone();
    assert!(told(&squared, &rows(0.01), &measured(&COEFFICIENTS)).unwrap_err().cause.contains("log-likelihood"));
    assert!(told(&experiment(), &rows(0.01)[..2], &measured(&COEFFICIENTS)).unwrap_err().cause.contains("not memorised"));
}

#[test]
fn a_run_that_never_generalises_has_a_picture_and_no_claim() {
    let without: Vec<MetricRow> = rows(0.01).into_iter().map(|row| MetricRow { test_accuracy: 0.1, ..row }).collect();
    let mut table = measured(&COEFFICIENTS);
    table.add(900, Measured::from([("llc".to_owned(), Value::Absent("A chain diverged".into()))]));
    let outcome = told(&experiment(), &without, &table).unwrap();
    assert!(outcome.headline.contains("has not generalised"), "{}", outcome.headline);
    assert_eq!((outcome.assumptions[0].holds, outcome.assumptions[1].holds), (None, None));
    assert_eq!(outcome.assumptions[2].holds, Some(false));
    assert_eq!(outcome.figures.len(), 3);
}

#[test]
fn changes_on_the_way_are_named() {
    let noisy = with_value(&experiment(), "task.label_noise", "0.1").unwrap();
    let outcome = told(&noisy, &rows(0.01), &measured(&COEFFICIENTS)).unwrap();
    assert_eq!(outcome.assumptions[5].holds, Some(false));
}
