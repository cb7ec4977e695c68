//! Surveys through the engine: parts are worked out one by one, in order, and what is known is told on the way.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use grokscope::engine::capability::EngineWish;
use grokscope::engine::converse;
use grokscope::engine::message::{Command, Event};
use grokscope::experiment::preset;
use grokscope::record::{MeasureTable, MetricRow};
use grokscope::theory::{Drawing, Outcome, panel};

fn survey(name: &str, changes: &[(&str, &str)]) -> Command {
    let panel = panel(name).unwrap();
    let change = |settings, (path, text): &(&str, &str)| (panel.with)(&settings, path, text).unwrap();
    let settings = changes.iter().fold((panel.start)(), change).to_string();
    Command::Survey { number: 7, panel: name.to_owned(), settings, engine: EngineWish::Cpu }
}

fn heard(commands: Vec<Command>, then: Vec<Command>) -> Vec<Event> {
    let mut events = Vec::new();
    converse(commands, then, |event| events.push(event));
    events
}

fn known(outcome: &Outcome) -> usize {
    let count = |values: &[f32]| values.iter().filter(|value| value.is_finite()).count();
    let maps = outcome.figures.iter().map(|figure| match &figure.drawing {
        Drawing::Map { values, .. } => count(values),
        _ => 0,
    });
    maps.sum()
}

const SMALL: &[(&str, &str)] = &[("phase_cells", "3"), ("phase_steps", "40"), ("width", "6")];

#[test]
fn phase_planes_fill_and_the_last_word_is_the_whole() {
    let events = heard(vec![survey("representation", SMALL)], Vec::new());
    let told: Vec<(f32, usize)> = events
        .iter()
        .filter_map(|event| match event {
            Event::Survey { number: 7, done, outcome } => Some((*done, known(outcome))),
            _ => None,
        })
        .collect();
    assert_eq!(told.last(), Some(&(1.0, 18)), "{told:?}");
    assert!(told.windows(2).all(|pair| pair[0] < pair[1]), "{told:?}");
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Survey { done, .. } if *done >= 1.0)).count(), 1);
}

#[test]
fn a_survey_that_is_cancelled_says_nothing_more() {
    let events = heard(vec![survey("representation", SMALL), Command::CancelSurvey], Vec::new());
    assert!(!events.iter().any(|event| matches!(event, Event::Survey { .. })), "{events:?}");
}

#[test]
fn panels_without_a_survey_and_settings_that_contradict_each_other_are_refused() {
    for command in [survey("edge", &[]), survey("representation", &[("evaluate_every", "700")])] {
        let events = heard(vec![command], Vec::new());
        assert!(events.iter().any(|event| matches!(event, Event::SurveyRefused(..))), "{events:?}");
    }
}

#[test]
fn networks_that_a_survey_asks_for_are_trained_and_measured_at_once() {
    let changes = [("fractions", "3"), ("seeds", "2"), ("network_updates", "300")];
    let physics = [
        ("moduli", "11,13"),
        ("controls", "3"),
        ("networks", "3"),
        ("width", "16"),
        ("steps", "40"),
        ("order_parameter", "mean_ipr"),
    ];
    for (command, networks) in [(survey("circuit-efficiency", &changes), "2"), (survey("statistical-physics", &physics), "3")] {
        let events = heard(vec![command], Vec::new());
        let words = |event: &Event| matches!(event, Event::SurveyProgress { words, .. } if words.starts_with(&format!("{networks} networks")));
        assert!(events.iter().any(words), "{events:?}");
        let refused = events.iter().find(|event| matches!(event, Event::SurveyRefused(..) | Event::Error(_)));
        assert!(refused.is_none(), "{refused:?}");
        let Some(Event::Survey { done, outcome, .. }) = events.iter().rev().find(|event| matches!(event, Event::Survey { .. }))
        else {
            panic!("no outcome")
        };
        assert_eq!(*done, 1.0);
        assert!(!outcome.figures.is_empty() && outcome.numbers.iter().any(|number| number.value.is_finite()), "{outcome:?}");
    }
}

#[test]
fn a_theory_speaks_of_a_run_or_says_what_is_missing() {
    let experiment = Box::new(preset("quadratic-31").unwrap().experiment.clone());
    let row = |step: u32| MetricRow {
        step,
        train_loss: 0.1,
        test_loss: 1.0,
        train_accuracy: if step > 10 { 1.0 } else { 0.2 },
        test_accuracy: if step > 60 { 1.0 } else { 0.1 },
        weight_norm: 5.0 + 20.0 * (-0.05 * step as f32).exp(),
        probe_accuracy: None,
    };
    let ask = |panel: &str, rows: Vec<MetricRow>| {
        let (panel, experiment) = (panel.to_owned(), experiment.clone());
        heard(vec![Command::TheoriseRun { panel, experiment, rows, measures: MeasureTable::default() }], Vec::new())
    };
    let events = ask("norm-law", (0..120).map(row).collect());
    assert!(events.iter().any(|event| matches!(event, Event::Theory(name, _) if name == "norm-law")), "{events:?}");
    for events in [ask("norm-law", Vec::new()), ask("edge", (0..120).map(row).collect())] {
        assert!(events.iter().any(|event| matches!(event, Event::TheoryRefused(..))), "{events:?}");
    }
}
