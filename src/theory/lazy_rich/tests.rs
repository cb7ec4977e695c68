//! The panel as a door sees it, and its default (slow in a test build, so ignored).

use super::*;
use crate::theory::{Drawing, Figure, Number, Part};

fn number<'a>(outcome: &'a Outcome, name: &str) -> &'a Number {
    outcome.numbers.iter().find(|number| number.name == name).unwrap()
}

fn small() -> LazyRich {
    LazyRich {
        dimension: 6,
        rows: 18,
        width: 60,
        steps: 300,
        seeds: 3,
        threshold: 0.15,
        learning_rate: 0.8,
        ..LazyRich::default()
    }
}

#[test]
fn the_outcome_has_measured_and_predicted_curves_of_one_name_and_finite_values() {
    let outcome = small().outcome().unwrap();
    let names: Vec<&str> = outcome.figures.iter().map(|figure| figure.name.as_str()).collect();
    assert_eq!(names, ["loss", "kernel", "parts", "lazy-rows", "spectrum"]);
    let paired = |figure: &Figure| figure.residuals().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(paired(&outcome.figures[0]), ["training rows", "fresh rows"]);
    assert_eq!(paired(&outcome.figures[2]), ["|x|²", "quadratic"]);
    assert_eq!(paired(&outcome.figures[3]), ["twin's test loss in the end"]);
    assert_eq!(outcome.figures[4].residuals()[0].1.len(), 6 + 21, "one for each function");
    for figure in &outcome.figures {
        let Drawing::Lines { lines, .. } = &figure.drawing else { panic!("{}", figure.name) };
        assert!(lines.iter().flat_map(|line| &line.points).all(|(x, y)| x.is_finite() && y.is_finite()), "{}", figure.name);
    }
}

#[test]
fn without_alpha_the_network_leaves_its_twin_and_with_much_of_it_it_is_its_twin() {
    let slow = LazyRich { learning_rate: 0.4, steps: 600, ..small() };
    let (rich, lazy) = (LazyRich { alpha: 0.3, ..slow.clone() }, LazyRich { alpha: 1e4, ..slow });
    let (rich, lazy) = (rich.outcome().unwrap(), lazy.outcome().unwrap());
    assert!(number(&rich, "test_end").value < 0.5 * number(&lazy, "test_end").value);
    assert!(number(&lazy, "distance").value < 1e-3 && number(&rich, "distance").value > 0.1);
    for (_, points) in lazy.figures[0].residuals() {
        assert!(points.iter().all(|(_, difference)| difference.abs() < 1e-3));
    }
    assert_eq!(number(&rich, "twin_end").value, number(&lazy, "twin_end").value, "α does not reach the twin");
}

#[test]
fn with_too_few_networks_nothing_is_claimed_of_all_of_them() {
    let outcome = LazyRich { seeds: 2, ..small() }.outcome().unwrap();
    for at in [1, 2] {
        let assumption = &outcome.assumptions[at];
        assert!(assumption.holds.is_none() && assumption.evidence.contains("3 networks"), "{assumption:?}");
    }
    assert_eq!(number(&outcome, "delay_ratio").band, None);
}

#[test]
fn settings_that_cannot_be_computed_are_refused_with_what_works() {
    let fast = LazyRich { learning_rate: 90.0, ..small() }.outcome().unwrap_err();
    let most: f64 = fast.remedy.trim_start_matches("Use at most ").parse().unwrap();
    assert!(fast.cause.contains("learning_rate") && most < 90.0, "{fast:?}");
    let long = LazyRich { rows: 400, steps: 100_000, ..LazyRich::default() }.outcome().unwrap_err();
    assert!(long.cause.contains("too long") && long.remedy.contains("at most"), "{long:?}");
    let maps = LazyRich { map_steps: 30_000, ..LazyRich::default() };
    let Err(slow) = maps.survey() else { panic!("30,000 updates with 256 rows are no part of a survey") };
    let map_steps = slow.remedy.trim_start_matches("Use at most ").parse().unwrap();
    assert!(LazyRich { map_steps, ..maps }.survey().is_ok());
}

#[test]
fn maps_fill_network_by_network_and_claim_nothing_before_they_are_done() {
    let settings = LazyRich { map_cells: 2, map_seeds: 3, map_steps: 100, ..small() };
    let mut survey = settings.survey().unwrap().unwrap();
    let values = |outcome: &Outcome, at: usize| {
        let Drawing::Map { values, .. } = &outcome.figures[at].drawing else { panic!() };
        values.clone()
    };
    assert!(values(&survey.outcome(), 0).iter().all(|value| value.is_nan()));
    let mut parts = 0;
    while let Some(part) = survey.part() {
        assert_eq!(part, Part::Own);
        survey.take(Vec::new()).unwrap();
        parts += 1;
        let outcome = survey.outcome();
        assert_eq!(outcome.numbers.is_empty(), parts < 24);
        assert!(!values(&outcome, 0)[0].is_nan());
    }
    assert_eq!((parts, survey.done()), (24, 1.0));
    // P = D/2 = 3 rows say nothing of a direction in six dimensions.
    assert_eq!(values(&survey.outcome(), 0)[2], 1.0, "α = 100, 3 rows: memorisation");
    let few = LazyRich { map_seeds: 1, ..settings };
    let mut survey = few.survey().unwrap().unwrap();
    while survey.part().is_some() {
        survey.take(Vec::new()).unwrap();
    }
    let outcome = survey.outcome();
    assert!(outcome.numbers.is_empty() && outcome.assumptions.iter().all(|assumption| assumption.holds.is_none()));
    assert!(outcome.assumptions[0].evidence.contains("3 networks"));
}

/// What the documentation says of the default and its maps.
#[test]
#[ignore = "seconds in a release build, minutes in a test build"]
fn the_default_learns_by_features_and_its_maps_follow_alpha() {
    let outcome = LazyRich::default().outcome().unwrap();
    assert!(outcome.assumptions.iter().all(|assumption| assumption.holds == Some(true)), "{:?}", outcome.assumptions);
    let found = number(&outcome, "twin_end");
    assert!((found.value / found.expected.unwrap() - 1.0).abs() < 0.25, "{found:?}");
    let mut survey = LazyRich::default().survey().unwrap().unwrap();
    while survey.part().is_some() {
        survey.take(Vec::new()).unwrap();
    }
    let maps = survey.outcome();
    assert!(number(&maps, "alpha_delays").value > 0.8 && number(&maps, "epsilon_ratio").value < 0.5, "{:?}", maps.numbers);
}
