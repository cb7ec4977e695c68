//! Whole races: what is run, what is refused, what is reported.

use super::*;
use crate::experiment::{Experiment, counts, preset};
use crate::measure::delay::Delay;
use crate::record::MetricRow;

fn arm(name: &str, edits: &[&str]) -> Arm {
    Arm { name: name.into(), edits: edits.iter().map(|edit| (*edit).to_owned()).collect(), matched_rate: false }
}

fn race(arms: Vec<Arm>) -> RaceConfig {
    RaceConfig {
        schema: RACE_SCHEMA,
        name: "test".into(),
        experiment: preset("quadratic-31").unwrap().experiment.clone(),
        arms,
        seeds: (0..8).collect(),
        steps: 200,
        count_source: true,
        criterion: Criterion::TGen,
        measures: Vec::new(),
    }
}

fn grokfast(lambda: f64) -> Arm {
    Arm { matched_rate: true, ..arm("filter", &["training.grokfast=ema", &format!("training.grokfast_lambda={lambda}")]) }
}

/// The paths and causes of a refusal, in one text.
fn refusal(config: &RaceConfig) -> String {
    let errors = config.validate().unwrap_err();
    errors.iter().map(|e| format!("{}: {}; {}", e.path, e.cause, e.remedy)).collect::<Vec<_>>().join("\n")
}

#[test]
fn everyone_has_the_seeds_and_the_budget_of_the_race() {
    let config = race(vec![arm("less decay", &["optimizer.weight_decay=1"])]);
    config.validate().unwrap();
    let entrants = config.entrants().unwrap();
    assert_eq!(entrants.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["control", "less decay"]);
    for entrant in &entrants {
        let runs = config.experiments(entrant).unwrap();
        assert_eq!(runs.iter().map(|run| run.seed).collect::<Vec<_>>(), config.seeds);
        assert!(runs.iter().all(|run| run.steps == 200 && run.logging == config.experiment.logging));
    }
    assert_eq!(config.experiments(&entrants[1]).unwrap()[3].optimizer.weight_decay, 1.0);
    assert_eq!(config.experiments(&entrants[0]).unwrap()[3].optimizer.weight_decay, 5.0);
}

#[test]
fn an_arm_may_hold_a_timeline_of_several_lines() {
    let config = race(vec![arm("late", &["timeline=50 set optimizer.weight_decay 1; 90 set optimizer.weight_decay 0"])]);
    config.validate().unwrap();
    assert_eq!(config.experiments(&config.arms[0]).unwrap()[0].timeline.len(), 2);
}

#[test]
fn a_gradient_filter_is_raced_against_the_control_at_its_gain() {
    let config = race(vec![grokfast(2.0), Arm { name: "other filter".into(), ..grokfast(2.0) }]);
    let entrants = config.entrants().unwrap();
    assert_eq!(entrants.len(), 4, "arms with the same gain share their control");
    assert_eq!(entrants[3].name, "control, rate ×3");
    let matched = &config.experiments(&entrants[3]).unwrap()[0];
    assert_eq!(matched.optimizer.learning_rate, 0.03);
    assert_eq!(matched.training.text("grokfast"), config.experiment.training.text("grokfast"));
    // A norm clamp has no rate that would match.
    let clamp = Arm { matched_rate: true, ..arm("clamp", &["training.norm_clamp=0.8"]) };
    assert!(refusal(&race(vec![clamp])).contains("arms.0.matched_rate"));
    // λ = 30 asks for a rate of .31, at which a decay of 5 would erase the weights.
    assert!(refusal(&race(vec![grokfast(30.0)])).contains("experiment.optimizer.weight_decay"));
}

#[test]
fn what_is_no_comparison_is_refused_with_its_arm_and_a_remedy() {
    let good = || arm("good", &["optimizer.weight_decay=1"]);
    for (config, expected) in [
        (race(vec![]), "arms: 0 arms"),
        (race(vec![good(), good()]), "arms.1.name: Another runner is called \"good\""),
        (race(vec![arm("control", &["optimizer.weight_decay=1"])]), "arms.0.name"),
        (race(vec![arm("", &["optimizer.weight_decay=1"])]), "arms.0.name: The name is empty"),
        (race(vec![arm("nothing", &[])]), "arms.0.edits: \"nothing\" has 0 edits"),
        (race(vec![arm("seeded", &["seed=4"])]), "arms.0.edits: \"seeded\": seed is the same for everyone"),
        (race(vec![arm("longer", &["steps=900"])]), "steps is the same for everyone"),
        (race(vec![arm("finer", &["logging.evaluate_every=2"])]), "logging.evaluate_every is the same for everyone"),
        (race(vec![arm("typo", &["optimizer.weight_decoy=1"])]), "The nearest is optimizer.weight_decay"),
        (race(vec![arm("no value", &["optimizer.weight_decay"])]), "is no assignment"),
        (race(vec![good(), arm("wild", &["optimizer.weight_decay=100"])]), "arms.1.optimizer.weight_decay: \"wild\""),
        (RaceConfig { seeds: vec![], ..race(vec![good()]) }, "seeds: 0 seeds"),
        (RaceConfig { seeds: vec![3, 4, 3], ..race(vec![good()]) }, "Seed 3 stands there twice; Replace the one at place 3"),
        (RaceConfig { seeds: (0..65).collect(), ..race(vec![good()]) }, "seeds: 65 seeds"),
        (RaceConfig { steps: 0, ..race(vec![good()]) }, "experiment.steps"),
        (RaceConfig { measures: vec!["norm".into()], ..race(vec![good()]) }, "measures: There is no measure called \"norm\""),
        (RaceConfig { measures: vec!["norms".into(), "norms".into()], ..race(vec![good()]) }, "norms stands there twice"),
        (RaceConfig { measures: vec!["rqi".into()], ..race(vec![good()]) }, "measures: "),
        (race((0..17).map(|i| arm(&i.to_string(), &["optimizer.weight_decay=1"])).collect()), "arms: 17 arms"),
    ] {
        let found = refusal(&config);
        assert!(found.contains(expected), "{expected}:\n{found}");
    }
}

#[test]
fn a_race_survives_its_file() {
    let config = race(vec![grokfast(2.0), arm("late", &["timeline=50 set optimizer.weight_decay 1; 90 set loss cross_entropy"])]);
    let text = config.to_json();
    assert_eq!(RaceConfig::from_json(&text).unwrap().to_json(), text);
    assert!(text.contains("\"criterion\": \"t_gen\""));
    let refused = |from: &str, to: &str| RaceConfig::from_json(&text.replacen(from, to, 1)).unwrap_err().to_string();
    assert!(refused("\"schema\": 1", "\"schema\": 9").contains("newer Grokscope"));
    assert!(refused("\"seeds\"", "\"seed\"").contains("unknown field"));
    assert!(refused("\"weight_decay\": 5.0", "\"weight_decay\": -5.0").contains("optimizer.weight_decay"));
    assert!(RaceConfig::from_json("{").is_err());
}

#[test]
fn the_updates_of_a_source_come_off_the_budget_and_count() {
    let source = ["stage.use=transplant", "stage.source=task.operation=sub", "stage.steps=50", "stage.tensors=w_in"];
    let config = race(vec![arm("transfer", &source)]);
    config.validate().unwrap();
    let run = &config.experiments(&config.arms[0]).unwrap()[0];
    assert_eq!((run.steps, run.stage.integer("steps")), (150, 50));
    let rows = accuracies(&[(0, 0.1), (30, 1.0), (40, 1.0)]);
    assert_eq!(config.outcome(run, &rows, true).steps, Some(80));

    let free = RaceConfig { count_source: false, ..config.clone() };
    let run = &free.experiments(&free.arms[0]).unwrap()[0];
    assert_eq!((run.steps, free.outcome(run, &rows, true).steps), (200, Some(30)));
    assert!(refusal(&RaceConfig { steps: 50, ..config }).contains("leaves nothing of a budget of 50"));
}

fn accuracies(steps: &[(u32, f32)]) -> Vec<MetricRow> {
    let row = |&(step, test_accuracy): &(u32, f32)| MetricRow {
        step,
        train_loss: 0.5,
        test_loss: 0.25,
        train_accuracy: 1.0,
        test_accuracy,
        weight_norm: 10.0,
        probe_accuracy: None,
    };
    steps.iter().map(row).collect()
}

#[test]
fn accuracies_on_another_task_do_not_count() {
    let config = race(vec![arm("small first", &["task.train_fraction=0.6", "timeline=50 set task.train_fraction 0.4"])]);
    config.validate().unwrap();
    let run = &config.experiments(&config.arms[0]).unwrap()[0];
    let early = accuracies(&[(0, 0.0), (40, 1.0), (50, 1.0), (60, 0.3), (70, 1.0), (80, 1.0)]);
    assert_eq!(config.outcome(run, &early, true).steps, Some(70));
    let control = &config.experiments(&config.entrants().unwrap()[0]).unwrap()[0];
    assert_eq!(config.outcome(control, &accuracies(&[(0, 0.0), (40, 1.0), (50, 1.0)]), true).steps, Some(40));
    assert_eq!(config.outcome(control, &accuracies(&[(0, 0.0), (40, 1.0)]), false).steps, None, "undecided while it runs");
}

#[test]
fn each_criterion_reads_its_own_date() {
    let dates = Delay { t_mem: Some(1), t_gen: Some(2), t_gen_99: Some(3), t_half: Some(4) };
    let found: Vec<_> = Criterion::CHOICES.iter().map(|(criterion, name, _)| (*name, criterion.of(&dates))).collect();
    assert_eq!(found, [("t_gen", Some(2)), ("t_gen_99", Some(3)), ("t_half", Some(4))]);
    for (criterion, name, _) in Criterion::CHOICES {
        assert_eq!(serde_json::to_value(criterion).unwrap(), name);
    }
}

fn run(steps: [Option<u32>; 8], ms_per_update: f64) -> ArmRun {
    let outcome = |(seed, steps)| Outcome { seed, steps, seconds: None };
    ArmRun { outcomes: (0..8).zip(steps).map(outcome).collect(), ms_per_update, wall_seconds: 3.0, ..ArmRun::default() }
}

fn report(arms: &[(&str, [Option<u32>; 8], f64)]) -> RaceResult {
    let config = race(arms[1..].iter().map(|(name, ..)| arm(name, &["optimizer.weight_decay=1"])).collect());
    summarise(&config, arms.iter().map(|(_, steps, ms)| run(*steps, *ms)).collect(), "CPU", "test").unwrap()
}

const CONTROL: [Option<u32>; 8] = [Some(105), Some(110), Some(112), Some(115), Some(118), Some(121), Some(128), Some(133)];

#[test]
fn an_arm_that_wins_every_seed_is_called_faster() {
    let result = report(&[("control", CONTROL, 2.0), ("half", CONTROL.map(|s| s.map(|s| s / 2)), 2.0)]);
    assert_eq!(result.verdict(1), ["faster in 8 of 8 seeds, p = .008", "median 57 steps (95% interval 52 to 66)"]);
    assert_eq!(result.verdict(0), ["median 115 steps (95% interval 105 to 133)"]);
    assert!(result.verdict(2).is_empty());
    let row = &result.arms[1];
    assert_eq!((row.reached, row.quartiles), (8, [Some(55), Some(60)]));
    assert_eq!(row.km[..2], [(0, 1.0), (52, 0.875)]);
    assert!(row.log_rank_p.unwrap() < 0.001, "{:?}", row.log_rank_p);
    assert_eq!(result.arms[0].sign_test, None);
}

#[test]
fn what_the_seeds_do_not_settle_is_said_to_be_open() {
    let mut mixed = CONTROL;
    for (index, steps) in mixed.iter_mut().enumerate() {
        *steps = steps.map(|s| if index < 5 { s - 1 } else { s + 1 });
    }
    let mut failing = CONTROL.map(|s| s.map(|s| s - 20));
    (failing[0], failing[7]) = (None, None);
    let result = report(&[("control", CONTROL, 2.0), ("mixed", mixed, 2.0), ("failing", failing, 2.0), ("same", CONTROL, 2.0)]);
    assert_eq!(result.verdict(1)[0], "no difference shown: faster in 5 of 8 seeds, p = .73");
    assert_eq!(result.verdict(2)[0], "no difference shown: faster in 6 of 8 seeds, p = .29");
    assert_eq!(result.verdict(2).last().unwrap(), "2 of 8 runs did not reach it within 200 steps");
    assert_eq!(result.verdict(3)[0], "no difference shown: no seed tells it from the control");

    let mut collapsed = report(&[("control", CONTROL, 2.0), ("late", failing, 2.0)]);
    collapsed.arms[1].final_rows = accuracies(&[(200, 0.4), (200, 1.0), (200, 0.4), (200, 1.0), (200, 1.0), (200, 1.0)]);
    assert_eq!(collapsed.verdict(1).last().unwrap(), "1 of 8 runs had lost it again at their last evaluation");

    let never = report(&[("control", CONTROL, 2.0), ("never", [None; 8], 2.0)]);
    assert_eq!(never.verdict(1)[0], "slower in 8 of 8 seeds, p = .008");
    assert_eq!(never.verdict(1)[1], "fewer than half of the runs reached it, so there is no median");
    assert_eq!((never.arms[1].restricted_mean, never.arms[1].log_rank_p.is_some()), (200.0, true));
}

#[test]
fn what_an_update_costs_stands_beside_what_it_gains() {
    let result = report(&[("control", CONTROL, 2.0), ("dear", CONTROL.map(|s| s.map(|s| s - 20)), 3.6)]);
    assert_eq!(result.verdict(1)[0], "faster in 8 of 8 seeds, p = .008");
    let price = "an update took 1.8 times as long, which makes the median 0.34 s against 0.23 s";
    assert_eq!(result.verdict(1)[1], price);
}

#[test]
fn many_arms_need_better_evidence() {
    let half = CONTROL.map(|s| s.map(|s| s / 2));
    let names: Vec<String> = (0..8).map(|i| format!("arm {i}")).collect();
    let mut arms = vec![("control", CONTROL, 2.0)];
    arms.extend(names.iter().map(|name| (name.as_str(), half, 2.0)));
    let result = report(&arms);
    assert_eq!(result.arms[3].adjusted_p, Some(0.0625));
    assert_eq!(
        result.verdict(3)[0],
        "no difference shown: faster in 8 of 8 seeds, p = .008, which is not beyond chance among 8 arms (p = .062)"
    );
}

#[test]
fn the_report_needs_a_run_for_everyone_and_an_outcome_for_every_seed() {
    let config = race(vec![arm("other", &["optimizer.weight_decay=1"])]);
    let good = || run(CONTROL, 2.0);
    let refused = |runs| summarise(&config, runs, "CPU", "test").unwrap_err().cause;
    assert!(refused(vec![good()]).contains("1 of 2 arms"));
    let mut short = good();
    short.outcomes.pop();
    assert!(refused(vec![good(), short]).contains("\"other\" does not have one outcome for each seed"));
    assert!(refused(vec![run([Some(201); 8], 2.0), good()]).contains("beyond the budget"));
}

#[test]
fn the_table_has_a_line_for_every_arm_and_seed_and_marks_what_never_came() {
    let mut steps = CONTROL;
    steps[2] = None;
    let mut result = report(&[("control", CONTROL, 2.0), ("slow, \"bad\"", steps, 4.0)]);
    result.arms[1].final_rows = accuracies(&[(200, 0.5); 8]);
    let csv = result.csv();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines.len(), lines[0]), (17, RACE_HEADER));
    assert_eq!(lines[1], "control,0,1,105,0.21,,,,,,");
    assert_eq!(lines[11], "\"slow, \"\"bad\"\"\",2,0,200,0.8,200,0.5,0.25,1,0.5,10");
    let columns = RACE_HEADER.split(',').count();
    assert!(lines[1..9].iter().all(|line| line.split(',').count() == columns));

    let json: serde_json::Value = serde_json::from_str(&result.to_json()).unwrap();
    assert_eq!(json["arms"][1]["outcomes"][2]["steps"], serde_json::Value::Null);
    assert_eq!(json["config"], serde_json::from_str::<serde_json::Value>(&result.config.to_json()).unwrap());
}

#[test]
fn a_result_survives_its_file_and_a_message_even_with_a_diverged_run() {
    let mut never = CONTROL;
    never[5] = None;
    let mut result = report(&[("control", CONTROL, 2.0), ("fragile", never, 2.5)]);
    result.arms[1].final_rows = accuracies(&[(200, 0.5); 8]);
    assert_eq!(RaceResult::from_json(&result.to_json()).unwrap(), result);

    result.arms[1].final_rows[5].train_loss = f32::NAN;
    let back = RaceResult::from_json(&result.to_json()).unwrap();
    assert!(back.arms[1].final_rows[5].train_loss.is_nan());
    let message: RaceResult = serde_json::from_str(&serde_json::to_string(&result).unwrap()).unwrap();
    assert_eq!(message.verdict(1), result.verdict(1));
    assert!(RaceResult::from_json("{}").is_err());
}

#[test]
fn a_seed_whose_split_leaves_too_few_rows_is_found() {
    // With mirrored pairs kept together the number of rows depends on how many pairs (a, a) were drawn.
    let mirrored = preset("transformer-59-mirror").unwrap().experiment.clone();
    let rows = |seed| counts(&Experiment { seed, ..mirrored.clone() }).train;
    let smallest = (0..8).map(rows).min().unwrap();
    assert!(rows(0) > smallest, "the first seed alone would pass");
    let config = RaceConfig { experiment: mirrored, ..race(vec![arm("batch", &[&format!("batch_size={}", smallest + 1)])]) };
    assert!(refusal(&config).contains("arms.0.batch_size"));
}
