//! Measures over seeds and as predictors, on planted tables.

use super::config::{Arm, Criterion, RACE_SCHEMA, RaceConfig};
use super::result::{ArmRun, RaceResult, summarise};
use super::statistics::Outcome;
use super::{Spread, measured};
use crate::experiment::preset;
use crate::record::{MeasureTable, MetricRow, Value};

const SEEDS: u64 = 6;

/// A race of a control that arrives at step 80 and arms; `value` gives what is measured by arm, seed and step (0, 10, …, 100),
/// `arrives` whether an arm's seed arrives.
fn planted(arms: usize, arrives: impl Fn(usize, u64) -> bool, value: impl Fn(usize, u64, u32) -> Option<f64>) -> RaceResult {
    let arm = |index: usize| Arm {
        name: format!("arm {index}"),
        edits: vec![format!("optimizer.weight_decay={index}")],
        matched_rate: false,
    };
    let config = RaceConfig {
        schema: RACE_SCHEMA,
        name: "planted".into(),
        experiment: preset("quadratic-31").unwrap().experiment.clone(),
        arms: (1..=arms).map(arm).collect(),
        seeds: (0..SEEDS).collect(),
        steps: 100,
        count_source: true,
        criterion: Criterion::TGen,
        measures: vec!["norms".into()],
    };
    let run = |arm: usize| {
        let table = |seed| {
            let mut table = MeasureTable::default();
            for step in (0..=100).step_by(10) {
                let value = value(arm, seed, step).map_or(Value::Absent("planted".into()), Value::Number);
                table.add(step, [("norm".to_owned(), value)].into());
            }
            table
        };
        let last = |seed| MetricRow {
            step: 100,
            train_loss: 0.0,
            test_loss: 0.0,
            train_accuracy: 1.0,
            test_accuracy: if arrives(arm, seed) { 1.0 } else { 0.0 },
            weight_norm: 1.0,
            probe_accuracy: None,
        };
        let outcome = |seed| Outcome { seed, steps: arrives(arm, seed).then_some(80), seconds: None };
        ArmRun {
            outcomes: (0..SEEDS).map(outcome).collect(),
            final_rows: (0..SEEDS).map(last).collect(),
            measures: (0..SEEDS).map(table).collect(),
            ..ArmRun::default()
        }
    };
    summarise(&config, (0..=arms).map(run).collect(), "CPU", "test").unwrap()
}

#[test]
fn an_arm_that_is_above_the_control_in_every_seed_is_told_from_it() {
    let result = planted(
        2,
        |_, _| true,
        |arm, seed, step| {
            let missing = arm == 2 && (seed == 0 || step == 0);
            (!missing).then(|| [1.0, 2.0, 0.0][arm] + 0.1 * seed as f64 + f64::from(step))
        },
    );
    assert_eq!(result.columns(), ["norm"]);
    let found = result.at_end("norm");
    assert_eq!(found[0].sign_test, None);
    let above = found[1].sign_test.unwrap();
    assert_eq!((above.wins, above.losses, above.ties), (6, 0, 0));
    // Closed form: 2/2⁶; the second arm has five seeds, 2/2⁵; Holm doubles the smaller.
    assert!((above.p - 0.03125).abs() < 1e-12 && (found[1].adjusted_p.unwrap() - 0.0625).abs() < 1e-12);
    assert_eq!(found[2].sign_test.unwrap().losses, 5);
    let spread = found[0].spread.unwrap();
    assert_eq!((spread.count, spread.quartiles.map(|q| (1e6 * q).round() / 1e6)), (6, [101.125, 101.375]));
    assert!((spread.median - 101.25).abs() < 1e-9);
    let over = result.arms[2].over_steps("norm");
    assert_eq!((over.len(), over[0].0, over[0].1.count), (10, 10, 5));
    assert_eq!(Spread::of(Vec::new()), None);
}

#[test]
fn the_file_has_a_line_for_every_checkpoint_and_no_cell_for_a_reason() {
    let result = planted(1, |_, _| true, |_, seed, step| (seed > 0).then(|| f64::from(step)));
    let csv = result.measures_csv();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        (lines.len(), lines[0], lines[1], lines[13]),
        (1 + 2 * 6 * 11, "arm,seed,step,norm", "control,0,0,", "control,1,10,10")
    );
    assert_eq!(RaceResult::from_json(&result.to_json()).unwrap(), result);
    let without = planted(1, |_, _| true, |_, _, _| None);
    assert!(without.at_end("norm").iter().all(|arm| arm.spread.is_none()));
}

#[test]
fn a_rise_before_the_date_is_a_warning_and_stragglers_do_not_count() {
    // Arm 1 never arrives; one seed of the control does not either, and its curve is louder than all others.
    let arrives = |arm: usize, seed| arm == 0 && seed != 3;
    let result = planted(1, arrives, |arm, seed, step| match (arm, seed) {
        (0, 3) => Some(9.0),
        (0, _) => Some(if step >= 40 { 1.0 } else { 0.2 }),
        _ => Some(0.2 + 0.01 * seed as f64),
    });
    let found = result.forewarning().unwrap();
    assert_eq!((found.grokking.len(), found.never.len(), found.left_out), (5, 6, 1));
    let norm = &found.predictors[0];
    assert!(norm.warning.is_above && (norm.warning.threshold - 0.25).abs() < 1e-12);
    assert!((norm.warning.median_lead - 0.5).abs() < 1e-12 && !norm.in_hindsight && !norm.from_the_start);
}

#[test]
fn a_difference_from_the_start_is_no_warning_and_missing_kinds_of_runs_are_refused() {
    let apart = planted(1, |arm, _| arm == 0, |arm, _, _| Some(arm as f64)).forewarning().unwrap();
    assert!(apart.predictors[0].from_the_start);
    let cause = |arrives: bool| planted(1, |_, _| arrives, |_, _, _| Some(0.0)).forewarning().unwrap_err().cause;
    assert!(cause(true).contains("Every arm") && cause(false).contains("No run arrived"));
}

#[test]
fn the_accuracy_of_whole_runs_fluctuates_as_planted() {
    let result = planted(1, |arm, seed| arm == 0 || seed == 0, |_, _, _| Some(0.0));
    let found = result.fluctuations();
    let (control, arm) = (found[0].unwrap(), found[1].unwrap());
    assert!((control.binder.unwrap().0 - 2.0 / 3.0).abs() < 1e-9 && control.susceptibility.unwrap().0 == 0.0);
    // One of six at 1: U₄ = 1 − 1/(3q) = −1, χ = n·q(1 − q).
    let (susceptibility, [low, high]) = arm.susceptibility.unwrap();
    assert!((susceptibility - 961.0 * 5.0 / 36.0).abs() < 1e-6 && low <= susceptibility && susceptibility <= high);
    // A sample without the one seed has no cumulant, and that is a third of them.
    assert_eq!(arm.binder, None);
    assert_eq!(measured::Fluctuation { ..control }.mean, 1.0);
    let mut cut = result;
    cut.config.measures.clear();
    assert!(cut.fluctuations().iter().all(Option::is_none), "runs that end on arrival say nothing about their end");
}
