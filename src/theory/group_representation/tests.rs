//! The algebra against other ways to the same, and the panel as a door sees it.

use super::fraction::{Fractions, shuffled};
use super::known::{Known, Pair, all_pairs};
use super::network::products;
use super::systems::{ALL, Choice, System, sign};
use super::*;
use crate::experiment::randomness::{Purpose, Stream};
use crate::theory::{Drawing, Number, Role, panel};
use nalgebra::{DMatrix, DVector};

fn stream(index: u64) -> Stream {
    Stream::new(7, Purpose::Theory, index)
}

/// ρ as an embedding: `[d², element]`.
fn truth(system: &System) -> DMatrix<f64> {
    DMatrix::from_fn(system.dimension * system.dimension, system.order(), |at, element| system.representation[element][at] as f64)
}

/// E_iE_j − E_mE_n for each known pair and the first known one of its product.
fn misfits(system: &System, embedding: &DMatrix<f64>, pairs: &[Pair]) -> DVector<f64> {
    let all = products(embedding, pairs);
    let first = |pair: &Pair| pairs.iter().position(|other| system.product(*other) == system.product(*pair));
    let gaps = pairs.iter().enumerate().flat_map(|(at, pair)| {
        let gap = all.column(at) - all.column(first(pair).unwrap());
        gap.iter().copied().collect::<Vec<_>>()
    });
    DVector::from_vec(gaps.collect())
}

/// Its derivative by the entries of the embedding, by differences (exact: it is quadratic).
fn jacobian(system: &System, embedding: &DMatrix<f64>, pairs: &[Pair]) -> DMatrix<f64> {
    let columns: Vec<DVector<f64>> = (0..embedding.len())
        .map(|at| {
            let moved = |by: f64| {
                let mut moved = embedding.clone();
                moved[at] += by;
                misfits(system, &moved, pairs)
            };
            (moved(0.5) - moved(-0.5)) / 1.0
        })
        .collect();
    DMatrix::from_columns(&columns)
}

fn rank(matrix: &DMatrix<f64>) -> usize {
    matrix.clone().svd(false, false).singular_values.iter().filter(|value| **value > 1e-8).count()
}

#[test]
fn all_products_leave_d_squared_directions_for_every_group_and_everything_follows() {
    for choice in ALL {
        let system = choice.system().unwrap();
        let pairs = all_pairs(system.order());
        let known = Known::of(&system, &pairs);
        assert_eq!(known.nullity(), system.dimension * system.dimension, "{choice:?}");
        assert!(known.is_forced() && pairs.iter().all(|pair| known.follows(*pair)));
    }
}

#[test]
fn the_exact_nullity_by_modes_is_that_of_the_whole_equations_by_singular_values() {
    for (index, choice) in ALL.into_iter().enumerate() {
        let system = choice.system().unwrap();
        let pairs = system.order() * system.order();
        for part in [0.25, 0.35, 0.5] {
            let known = &shuffled(system.order(), &mut stream(index as u64))[..(part * pairs as f64) as usize];
            let jacobian = jacobian(&system, &truth(&system), known);
            let nullity = jacobian.ncols() - rank(&jacobian);
            assert_eq!(Known::of(&system, known).nullity(), nullity, "{choice:?} {part}");
        }
    }
}

#[test]
fn the_directions_that_always_remain_are_conjugations_and_factors_that_commute() {
    let system = Choice::S3.system().unwrap();
    let truth = truth(&system);
    let jacobian = jacobian(&system, &truth, &all_pairs(6));
    let matrix = |element: usize| DMatrix::from_row_slice(3, 3, truth.column(element).as_slice());
    let flat = |of: &dyn Fn(usize) -> DMatrix<f64>| {
        DVector::from_iterator(54, (0..6).flat_map(|element| of(element).transpose().iter().copied().collect::<Vec<_>>()))
    };
    let unit = |at: usize| DMatrix::from_fn(3, 3, |row, column| if row * 3 + column == at { 1.0 } else { 0.0 });
    let mut directions: Vec<DVector<f64>> =
        (0..9).map(|at| flat(&|element| unit(at) * matrix(element) - matrix(element) * unit(at))).collect();
    assert_eq!(rank(&DMatrix::from_columns(&directions)), 7, "nine less the two that commute");
    // What commutes with all permutations: the identity and the matrix of ones.
    for commuting in [DMatrix::identity(3, 3), DMatrix::from_element(3, 3, 1.0)] {
        directions.push(flat(&|element| matrix(element) * &commuting));
    }
    assert!(directions.iter().all(|direction| (&jacobian * direction).norm() < 1e-12));
    assert_eq!(rank(&DMatrix::from_columns(&directions)), 9, "7 + 2");
}

#[test]
fn what_follows_holds_on_exact_solutions_near_the_truth_and_what_does_not_fails_to_first_order() {
    let system = Choice::S3.system().unwrap();
    let (mut partly, mut right, mut wrong) = (0, 0, 0);
    for index in 0..4 {
        let mut stream = stream(100 + index);
        let order = shuffled(6, &mut stream);
        let (train, test) = order.split_at(10 + index as usize % 4);
        let known = Known::of(&system, train);
        // Gauss–Newton from a moved truth onto the known equations.
        let step = 1e-6;
        let mut embedding = truth(&system) + DMatrix::from_fn(9, 6, |_, _| step * stream.normal());
        for _ in 0..3 {
            let svd = jacobian(&system, &embedding, train).svd(true, true);
            // Singular values that are only as large as the move are of directions free to first order.
            let change = svd.solve(&misfits(&system, &embedding, train), 30.0 * step).unwrap();
            embedding -= DMatrix::from_column_slice(9, 6, change.as_slice());
        }
        partly += usize::from((0.05..0.95).contains(&known.closed(test)));
        for pair in test {
            let Some(other) = train.iter().find(|other| system.product(**other) == system.product(*pair)) else { continue };
            let both = products(&embedding, &[*pair, *other]);
            let gap = (both.column(0) - both.column(1)).norm();
            if known.follows(*pair) {
                right += 1;
                assert!(gap < 1e-3 * step, "{index} {pair:?}: {gap}");
            } else {
                wrong += 1;
                assert!(gap > 1e-3 * step, "{index} {pair:?}: {gap}");
            }
        }
    }
    assert!(partly >= 1 && right > 10 && wrong > 10, "{partly} {right} {wrong}");
}

#[test]
fn both_representations_of_one_group_need_the_same_products() {
    // The same three kinds of departure occur in both.
    let systems = [Choice::S3, Choice::S3Triangle].map(|choice| choice.system().unwrap());
    for index in 0..30 {
        let order = shuffled(6, &mut stream(index));
        let known = &order[..8 + index as usize % 10];
        let [large, small] = [0, 1].map(|at| Known::of(&systems[at], known));
        assert_eq!(large.is_forced(), small.is_forced());
        assert!(order.iter().all(|pair| large.follows(*pair) == small.follows(*pair)));
    }
}

#[test]
fn other_solutions_cost_nothing_as_well() {
    let system = Choice::S3.system().unwrap();
    let pairs = all_pairs(6);
    let constant = DMatrix::from_fn(9, 6, |at, _| at as f64 - 3.5);
    let sign = sign(&system);
    // Only the upper right entry: every product is 0.
    let nilpotent = DMatrix::from_fn(9, 6, |at, element| if at == 2 { element as f64 } else { 0.0 });
    for embedding in [constant, sign, nilpotent] {
        assert!(misfits(&system, &embedding, &pairs).norm() < 1e-12);
    }
}

#[test]
fn shares_over_orders_are_those_of_each_data_set_by_itself() {
    let system = Choice::S3.system().unwrap();
    let drawn = Fractions::drawn(&system, 3, &mut stream(5));
    let mut again = stream(5);
    let orders: Vec<Vec<Pair>> = (0..3).map(|_| shuffled(6, &mut again)).collect();
    for n in [4, 10, 12, 14, 20] {
        let known: Vec<Known<'_>> = orders.iter().map(|order| Known::of(&system, &order[..n])).collect();
        let forced = known.iter().filter(|known| known.is_forced()).count();
        assert_eq!(drawn.forced.complete[n] as usize, forced, "{n}");
        let nullity: usize = known.iter().map(Known::nullity).sum();
        assert!((drawn.nullity[n] - nullity as f64 / 3.0).abs() < 1e-12);
        for ((known, order), shares) in known.iter().zip(&orders).zip(&drawn.follows) {
            assert!((shares[n] - known.closed(&order[n..])).abs() < 1e-12, "{n}");
        }
    }
}

#[test]
fn half_of_all_data_sets_force_s3_well_before_the_published_share() {
    let system = Choice::S3.system().unwrap();
    let drawn = Fractions::drawn(&system, 150, &mut stream(9));
    let (forced, (low, high)) = drawn.forced.fraction().unwrap();
    assert!((forced - 0.346).abs() < 0.02 && low < forced && forced < high, "{forced} {low} {high}");
    let (closed, (low, high)) = drawn.closed_half().unwrap();
    assert!((closed - 0.325).abs() < 0.02 && low < closed && closed < high, "{closed} {low} {high}");
}

fn small() -> GroupRepresentation {
    GroupRepresentation {
        width: 8,
        steps: 40,
        evaluate_every: 10,
        orders: 20,
        sizes: 3,
        data_sets: 4,
        ..GroupRepresentation::default()
    }
}

#[test]
fn the_outcome_has_measured_and_predicted_curves_and_finite_values_for_every_group() {
    for group in ALL {
        let outcome = GroupRepresentation { group, ..small() }.outcome().unwrap();
        let names: Vec<&str> = outcome.figures.iter().map(|figure| figure.name.as_str()).collect();
        assert_eq!(names, ["training", "fraction", "modes", "freedom"]);
        assert_eq!(outcome.figures[0].residuals()[0].1.len(), 5, "evaluated at 0, 10, …, 40");
        assert_eq!(outcome.figures[1].residuals()[0].1.len(), 1, "the toy");
        for figure in &outcome.figures {
            let Drawing::Lines { lines, .. } = &figure.drawing else { panic!("{}", figure.name) };
            assert!(lines.iter().flat_map(|line| &line.points).all(|(x, y)| x.is_finite() && y.is_finite()), "{}", figure.name);
        }
        assert!(outcome.assumptions.iter().all(|assumption| assumption.evidence.chars().any(|c| c.is_ascii_digit())));
    }
}

#[test]
fn the_survey_claims_a_share_only_once_it_has_rows_and_draws_each_data_set() {
    let mut survey = GroupRepresentation { steps: 10, descent_steps: 10, ..small() }.survey().unwrap().unwrap();
    let number = |outcome: &Outcome, name: &str| -> Number { outcome.numbers.iter().find(|n| n.name == name).unwrap().clone() };
    survey.take(Vec::new()).unwrap();
    let begun = survey.outcome();
    assert!(number(&begun, "toy_half").value.is_nan());
    assert_eq!(begun.assumptions[0].holds, None);
    assert!(begun.assumptions[0].evidence.starts_with("None of the 1"), "{:?}", begun.assumptions);
    while survey.part().is_some() {
        survey.take(Vec::new()).unwrap();
    }
    let outcome = survey.outcome();
    assert_eq!((survey.done(), number(&outcome, "trained").value), (1.0, 12.0));
    let Drawing::Points { groups, .. } = &outcome.figures[1].drawing else { panic!() };
    assert_eq!(groups.iter().map(|group| group.points.len()).sum::<usize>(), 12);
    let Drawing::Lines { lines, .. } = &outcome.figures[0].drawing else { panic!() };
    assert!(lines.iter().any(|line| line.role == Role::Measured && line.points.len() == 3));
}

#[test]
fn settings_out_of_support_are_refused_with_what_works() {
    let refused = GroupRepresentation { pairs: 36, ..small() }.outcome().unwrap_err();
    assert_eq!(refused.remedy, "Use pairs = 35");
    assert!(GroupRepresentation { pairs: 35, ..small() }.outcome().is_ok());
    let least = GroupRepresentation { pairs: 2, ..small() }.outcome().unwrap();
    assert!(least.headline.contains("more than the group's matrices: 0% of the unseen ones follow"), "{}", least.headline);
    assert!(GroupRepresentation { group: Choice::D4, pairs: 36, ..small() }.outcome().is_ok());
    let refused = GroupRepresentation { representation_decay: 50.0, representation_rate: 0.1, ..small() }.survey().err().unwrap();
    assert_eq!(refused.remedy, "Use representation_decay = 10 or less");
    let panel = panel("group-representation").unwrap();
    let refused = (panel.with)(&(panel.start)(), "group", "S4").unwrap_err();
    assert!(refused.remedy.contains("S3"), "{refused:?}");
}

/// Found: toy .506 [.444, .546], descent without a decoder .466 [.437, .497].
#[test]
#[ignore = "half a minute in a release build"]
fn the_toy_needs_the_published_share_of_s3_and_more_than_is_forced() {
    let mut survey = GroupRepresentation::default().survey().unwrap().unwrap();
    while survey.part().is_some() {
        survey.take(Vec::new()).unwrap();
    }
    let outcome = survey.outcome();
    let number = |name: &str| outcome.numbers.iter().find(|number| number.name == name).unwrap();
    let (low, high) = number("toy_half").band.unwrap();
    assert!(low < 0.5 && 0.5 < high, "{:?}", outcome.numbers);
    assert!(number("forced_half").band.unwrap().1 < low.min(number("descent_half").band.unwrap().0), "{:?}", outcome.numbers);
}
