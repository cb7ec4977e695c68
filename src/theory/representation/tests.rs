//! The panel as a door sees it, and the published run (slow, so ignored: `cargo test --release --lib -- --ignored liu_toy`).

use super::*;
use crate::theory::{Drawing, Number, Role};

fn number(outcome: &Outcome, name: &str) -> Number {
    outcome.numbers.iter().find(|number| number.name == name).unwrap().clone()
}

fn small() -> Representation {
    Representation {
        width: 8,
        steps: 60,
        evaluate_every: 10,
        orders: 60,
        data_sets: 4,
        tokens: 6,
        pairs: 15,
        seed: 58,
        ..Representation::default()
    }
}

#[test]
fn the_outcome_has_measured_and_predicted_curves_of_one_name_and_finite_values() {
    let outcome = small().outcome().unwrap();
    let names: Vec<&str> = outcome.figures.iter().map(|figure| figure.name.as_str()).collect();
    assert_eq!(names, ["quality", "embedding", "closure", "completion", "third-eigenvalue", "spectrum", "matrix"]);
    assert_eq!(outcome.figures[0].residuals()[0].1.len(), 7, "evaluated at 0, 10, …, 60");
    assert_eq!(outcome.figures[1].residuals().len(), 6, "one pair of paths for each number");
    for figure in &outcome.figures {
        if let Drawing::Lines { lines, .. } = &figure.drawing {
            assert!(lines.iter().flat_map(|line| &line.points).all(|(x, y)| x.is_finite() && y.is_finite()), "{}", figure.name);
        }
    }
    let Drawing::Points { groups, names, .. } = &outcome.figures[2].drawing else { panic!() };
    assert_eq!(names.len(), groups.iter().map(|group| group.points.len()).sum::<usize>());
    assert!(groups.iter().any(|group| group.role == Role::Measured && group.points.len() == 4));
    assert!(outcome.assumptions.iter().all(|assumption| assumption.evidence.chars().any(|c| c.is_ascii_digit())));
}

#[test]
fn at_the_start_everything_unseen_follows() {
    let settings = Representation::default();
    let split = settings.split();
    let structure = structure::Structure::of(settings.tokens as usize, &split.train);
    assert_eq!((structure.nullity(), split.test.len(), split.closed(&structure)), (2, 10, 1.0));
}

#[test]
fn a_frozen_embedding_has_no_line_and_the_panel_says_so() {
    let outcome = Representation { representation_rate: 1e-9, ..small() }.outcome().unwrap();
    assert!(outcome.headline.contains("no line stands"), "{}", outcome.headline);
    assert!(number(&outcome, "rqi_time").value.is_nan());
}

#[test]
fn settings_that_leave_nothing_to_say_are_refused_with_what_works() {
    let refused = Representation { pairs: 21, ..small() }.outcome().unwrap_err();
    assert_eq!(refused.remedy, "Use pairs = 20");
    assert!(Representation { pairs: 20, ..small() }.outcome().is_ok());
    let lonely = (0..50).map(|seed| Representation { pairs: 2, seed, ..small() }.outcome());
    let refused = lonely.filter_map(Result::err).next().unwrap();
    assert_eq!(refused.remedy, "Use pairs = 12, which is certain to have one");
}

#[test]
fn more_pairs_than_sums_always_make_a_parallelogram() {
    // 2p − 1 sums, so of 2p pairs two share one (pigeon-hole).
    for seed in 0..200 {
        let split = Representation { pairs: 12, seed, ..small() }.split();
        assert!(!pairs::parallelograms(&split.train).is_empty(), "{split:?}");
    }
}

/// Found for seeds 58, 0, 1, 2, 3: training .9 at 1,180, 1,280, 1,270, 1,370, 2,690; test .9 never, 1,500, 2,120, 2,130, never; RQI
/// .95 at 710, 900, 750, 770, never. Seed 58 (another generator than the paper's) has two unseen sums that cannot be known; seed 3
/// memorises.
#[test]
#[ignore = "half a minute for each seed in a release build"]
fn the_published_liu_toy_is_met_within_a_factor_of_two_by_the_median_of_three_seeds() {
    let times = |seed| {
        let settings = Representation {
            width: 200,
            representation_rate: 1e-3,
            decoder_rate: 1e-4,
            steps: 5000,
            evaluate_every: 10,
            seed,
            ..Representation::default()
        };
        let outcome = settings.outcome().unwrap();
        ["train_time", "test_time", "rqi_time", "test_accuracy", "theory_accuracy", "rqi_misfit", "rate_ratio", "structure_time"]
            .map(|name| number(&outcome, name).value)
    };
    let found: Vec<[f64; 8]> = [58, 0, 1].map(times).to_vec();
    let median = |at: usize| {
        let mut values: Vec<f64> = found.iter().map(|row| row[at]).map(|x| if x.is_nan() { f64::INFINITY } else { x }).collect();
        values.sort_by(f64::total_cmp);
        values[1]
    };
    for (at, published) in [(0, 1130.0), (1, 1530.0), (2, 800.0)] {
        assert!((0.5 * published..=2.0 * published).contains(&median(at)), "{at}: {found:?}");
    }
}
