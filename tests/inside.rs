//! Measures of real runs, taken by the engine as the page and the terminal take them. References: what a grok is known to do
//! (Nanda et al. 2301.05217), and that a measure is either a number or a reason.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use grokscope::engine::capability::EngineWish;
use grokscope::engine::converse;
use grokscope::engine::message::{Command, Event, LookOrder, MeasureOrder};
use grokscope::experiment::Experiment;
use grokscope::measure::{Ablation, Cost, Look, LookView, measures, measures_for};
use grokscope::race::{Arm, Criterion, RACE_SCHEMA, RaceConfig};
use grokscope::record::{Checkpoint, MeasureTable, Value};
use support::{Record, changed, run};

fn measured(experiment: &Experiment, checkpoints: &[Checkpoint], steps: Vec<u32>, names: &[&str]) -> MeasureTable {
    let order = MeasureOrder {
        checkpoints: checkpoints.to_vec(),
        steps,
        measures: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    let mut table = MeasureTable::default();
    let mut done = false;
    converse(vec![Command::Measure(experiment.clone(), order)], Vec::new(), |event| match event {
        Event::Keys(step, keys) => table.keys = Some((step, keys)),
        Event::Measured(step, values) => table.add(step, values),
        Event::MeasuresDone { .. } => done = true,
        Event::Error(error) => panic!("{error}"),
        _ => {}
    });
    assert!(done);
    table
}

fn look(experiment: &Experiment, checkpoint: &Checkpoint, view: LookView) -> Look {
    let order = LookOrder { checkpoint: checkpoint.clone(), first: None, view };
    let mut found = None;
    converse(vec![Command::Look(experiment.clone(), order)], Vec::new(), |event| match event {
        Event::Looked(look) => found = Some(*look),
        Event::LookRefused(_, error) | Event::Error(error) => panic!("{error}"),
        _ => {}
    });
    found.unwrap()
}

fn landing() -> (Experiment, Record) {
    let experiment = changed("quadratic-31", &[("logging.checkpoint_every", "20")]);
    let record = run(&experiment);
    (experiment, record)
}

#[test]
fn every_measure_of_every_kind_of_network_is_a_finite_number_or_a_reason() {
    let small = [("steps", "12"), ("logging.checkpoint_every", "6"), ("logging.evaluate_every", "6")];
    for (name, changes) in [
        ("quadratic-31", vec![("task.modulus", "11"), ("model.width", "24")]),
        ("transformer-59", vec![("task.modulus", "11"), ("model.d_model", "16"), ("model.mlp_width", "24")]),
        ("s4", vec![("model.width", "24")]),
        ("multiplication-31", vec![("task.modulus", "11"), ("model.width", "24")]),
        ("parity-40", vec![("task.samples", "200"), ("model.width", "20")]),
        ("liu-toy", vec![]),
    ] {
        let experiment = changed(name, &small.iter().copied().chain(changes).collect::<Vec<_>>());
        let record = run(&experiment);
        // The last has one before it; the first has none.
        let steps = vec![0, 12];
        let names: Vec<&str> = measures().iter().map(|measure| measure.name).collect();
        let table = measured(&experiment, &record.checkpoints, steps.clone(), &names);
        let mut numbers = 0;
        for step in &steps {
            for measure in measures() {
                for column in measure.columns {
                    match table.get(*step, column.name) {
                        Some(Value::Number(number)) => {
                            numbers += 1;
                            let [least, most] = column.range;
                            let inside = least.is_none_or(|least| *number >= least - 1e-6)
                                && most.is_none_or(|most| *number <= most + 1e-6);
                            assert!(number.is_finite() && inside, "{name}, step {step}: {} is {number}", column.name);
                        }
                        Some(Value::List(list)) => {
                            assert!(column.over.is_some() && list.iter().all(|value| value.is_finite()), "{}", column.name);
                        }
                        Some(Value::Absent(reason)) => assert!(reason.len() > 10, "{name}: {} says {reason:?}", column.name),
                        None => panic!("{name}, step {step}: {} is missing", column.name),
                    }
                }
            }
        }
        assert!(numbers > 10 * steps.len(), "{name}: only {numbers} numbers");
    }
}

#[test]
fn the_restricted_loss_of_a_perceptron_falls_before_its_test_accuracy_rises() {
    let (experiment, record) = landing();
    let steps: Vec<u32> = record.checkpoints.iter().map(|checkpoint| checkpoint.step).collect();
    let table = measured(&experiment, &record.checkpoints, steps, &["restricted_loss", "spectrum", "norms"]);
    let restricted = table.curve("restricted_loss");
    let (first, last) = (restricted[0].1, restricted.last().unwrap().1);
    let half_way = restricted.iter().find(|(_, loss)| *loss < (first + last) / 2.0).unwrap().0;
    let half = record.summary.as_ref().unwrap().t_half.unwrap();
    assert!(half_way <= half + 20, "restricted loss half-way at {half_way}, test accuracy at {half}");
    let ipr = table.curve("mean_ipr");
    assert!(ipr[0].1 < 0.2 && ipr.last().unwrap().1 > 0.5, "{ipr:?}");
    assert_eq!(table.keys.as_ref().unwrap().0, 300);
}

#[test]
fn taking_a_key_component_out_hurts_and_a_look_agrees_with_the_evaluation() {
    let (experiment, record) = landing();
    let last = record.checkpoints.last().unwrap();
    let whole = look(&experiment, last, LookView::default());
    let row = record.row(last.step);
    assert!((whole.whole.test_accuracy - f64::from(row.test_accuracy)).abs() < 1e-6);
    assert!((whole.whole.test_loss.unwrap() / f64::from(row.test_loss) - 1.0).abs() < 1e-4);
    assert_eq!((whole.margins.len(), whole.coefficients.len(), whole.neurons.len()), (961, 15, 256));
    let strongest =
        (0..15u32).max_by(|x, y| whole.coefficients[*x as usize].total_cmp(&whole.coefficients[*y as usize])).unwrap();
    let weakest = (0..15u32).min_by(|x, y| whole.coefficients[*x as usize].total_cmp(&whole.coefficients[*y as usize])).unwrap();
    let without = |part| look(&experiment, last, LookView { ablation: Some(part), ..LookView::default() });
    let [strong, weak] = [strongest, weakest].map(|index| without(Ablation::Component(index)));
    assert_eq!(strong.whole, whole.whole);
    let loss = |look: &Look| look.ablated.unwrap().test_loss.unwrap();
    assert!(loss(&strong) > 1.2 * whole.whole.test_loss.unwrap(), "{} against {:?}", loss(&strong), whole.whole);
    assert!(loss(&strong) > loss(&weak), "{} against {}", loss(&strong), loss(&weak));
    let dead = without(Ablation::Neuron(0));
    assert!((loss(&dead) / whole.whole.test_loss.unwrap() - 1.0).abs() < 0.2, "one neuron of 256 is hardly missed");
}

#[test]
fn measures_beside_a_run_leave_its_weights_and_its_fingerprint_alone() {
    let (experiment, alone) = landing();
    let order = MeasureOrder {
        checkpoints: alone.checkpoints.clone(),
        steps: vec![0, 100, 200],
        measures: measures_for(&experiment, Cost::Forward).iter().map(|measure| measure.name.to_owned()).collect(),
    };
    let mut beside = Record::default();
    let mut taken = 0;
    converse(vec![support::start(&experiment), Command::Measure(experiment.clone(), order)], Vec::new(), |event| {
        taken += usize::from(matches!(event, Event::Measured(..)));
        beside.take(event);
    });
    assert_eq!(beside.errors, []);
    assert!(taken > 10, "{taken}");
    assert_eq!(beside.summary.unwrap().fingerprint, alone.summary.unwrap().fingerprint);
}

#[test]
fn an_order_that_cannot_be_filled_is_refused_with_the_reason() {
    let (experiment, record) = landing();
    let refuse = |order: MeasureOrder| {
        let mut found = None;
        converse(vec![Command::Measure(experiment.clone(), order)], Vec::new(), |event| {
            if let Event::Error(error) = event {
                found = Some(error);
            }
        });
        found.unwrap().to_string()
    };
    let order = |steps: Vec<u32>, name: &str| MeasureOrder {
        checkpoints: record.checkpoints.clone(),
        steps,
        measures: vec![name.to_owned()],
    };
    assert!(refuse(order(vec![7], "norms")).contains("Step 7 was not saved"));
    assert!(refuse(order(vec![0], "norm")).contains("There is no measure called \"norm\""));
    assert!(refuse(MeasureOrder { checkpoints: Vec::new(), ..order(vec![], "norms") }).contains("no checkpoints"));
}

#[test]
fn gradient_and_update_of_training_are_those_that_its_checkpoints_show() {
    // Plain gradient descent without decay: the update is the gradient times the rate, and consecutive checkpoints differ by it.
    let plain = [
        ("steps", "12"),
        ("logging.checkpoint_every", "1"),
        ("optimizer.name", "sgd"),
        ("optimizer.learning_rate", "0.1"),
        ("optimizer.weight_decay", "0"),
    ];
    let experiment = changed("quadratic-31", &plain);
    let record = run(&experiment);
    let steps = record.checkpoints.iter().map(|checkpoint| checkpoint.step).collect();
    let gaps = measured(&experiment, &record.checkpoints, steps, &["update", "norms"]);
    assert_eq!(record.live.rows.len(), 12, "every update is evaluated at first");
    for (step, row) in &record.live.rows {
        let live = |name: &str| row[name].number().unwrap();
        let gap = |name: &str| gaps.get(*step, name).and_then(Value::number).unwrap();
        let close = |a: f64, b: f64| (a - b).abs() <= 2e-3 * b.abs().max(1e-3);
        assert!(close(live("single_update_ratio"), gap("update_ratio")), "{step}");
        assert!(close(live("single_update_cosine"), gap("update_cosine")), "{step}");
        let before = gaps.get(step - 1, "norm").and_then(Value::number).unwrap();
        assert!(close(0.1 * live("gradient_norm"), gap("update_ratio") * before), "{step}");
    }
}

#[test]
fn a_race_measures_its_runs_as_the_runs_themselves_are_measured() {
    let base = changed("quadratic-31", &[("logging.checkpoint_every", "20")]);
    let config = RaceConfig {
        schema: RACE_SCHEMA,
        name: "measured".into(),
        experiment: base.clone(),
        arms: vec![Arm { name: "little data".into(), edits: vec!["task.train_fraction=0.15".into()], matched_rate: false }],
        seeds: vec![0, 1],
        steps: 160,
        count_source: true,
        criterion: Criterion::TGen,
        measures: ["restricted_loss", "norms", "descent"].map(str::to_owned).to_vec(),
    };
    let mut result = None;
    converse(vec![Command::Race { config: config.clone(), engine: EngineWish::Cpu }], Vec::new(), |event| match event {
        Event::RaceDone(outcome) => result = Some(outcome.0),
        Event::Error(error) => panic!("{error}"),
        _ => {}
    });
    let result = result.unwrap();
    assert_eq!(result.arms.iter().map(|arm| arm.reached).collect::<Vec<_>>(), [2, 0]);
    let experiment = config.experiments(&config.entrants().unwrap()[0]).unwrap().remove(1);
    let record = run(&experiment);
    let steps: Vec<u32> = record.checkpoints.iter().map(|checkpoint| checkpoint.step).collect();
    let alone = measured(&experiment, &record.checkpoints, steps.clone(), &["restricted_loss", "norms"]);
    let table = &result.arms[0].measures[1];
    assert_eq!(table.rows.keys().copied().collect::<Vec<_>>(), steps);
    for step in steps {
        // Replicas sum in another order than single runs.
        for column in ["norm", "restricted_loss"] {
            let of = |table: &MeasureTable| table.get(step, column).and_then(Value::number).unwrap();
            let (a, b) = (of(table), of(&alone));
            assert!((a - b).abs() < 0.02 * b.abs().max(1e-3), "{column} at {step}: {a} against {b}");
        }
    }
    assert!(table.rows.values().all(|row| row.values().all(|value| value.list().is_none())));
    assert!(result.measures_csv().contains("gradient_norm"));

    let found = result.forewarning().unwrap();
    assert_eq!((found.grokking.len(), found.never.len(), found.left_out), (2, 2, 0));
    let restricted = found.predictors.iter().find(|predictor| predictor.column == "restricted_loss").unwrap();
    assert!(restricted.in_hindsight && restricted.warning.median_lead > 0.3, "{restricted:?}");
}
