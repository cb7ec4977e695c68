//! The panel against closed forms and against trainings in plain steps.

use super::loss::Loss;
use super::settings::{DataSet, Optimizer};
use super::*;
use crate::theory::{Drawing, Figure, Line, Number, Panel, Role, panel};

fn of(change: impl FnOnce(&mut Separable)) -> Outcome {
    // The other optimisers' plain steps are most of the time.
    let mut settings = Separable { plain_steps: 10_000, ..Separable::default() };
    change(&mut settings);
    settings.outcome().unwrap()
}

fn number<'a>(outcome: &'a Outcome, name: &str) -> &'a Number {
    outcome.numbers.iter().find(|number| number.name == name).unwrap_or_else(|| panic!("no {name}"))
}

#[track_caller]
fn meets(outcome: &Outcome, name: &str, tolerance: f64) {
    let found = number(outcome, name);
    let expected = found.expected.unwrap_or_else(|| panic!("nothing is expected of {name}"));
    assert!((found.value - expected).abs() <= tolerance, "{name}: {} and {expected}", found.value);
}

fn lines<'a>(outcome: &'a Outcome, figure: &str) -> &'a [Line] {
    let found: Option<&Figure> = outcome.figures.iter().find(|found| found.name == figure);
    match found.map(|found| &found.drawing) {
        Some(Drawing::Lines { lines, .. }) => lines,
        other => panic!("{figure}: {other:?}"),
    }
}

fn last_of(outcome: &Outcome, figure: &str, name: &str, role: Role) -> f64 {
    let line = lines(outcome, figure).iter().find(|line| line.name == name && line.role == role).unwrap();
    line.points[line.points.len() - 1].1
}

fn holds(outcome: &Outcome, begins: &str) -> Option<bool> {
    outcome.assumptions.iter().find(|found| found.statement.starts_with(begins)).unwrap().holds
}

#[test]
fn the_pair_ends_where_the_closed_form_says() {
    let outcome = of(|_| {});
    // w̃ = (−.2594, .2027), of the closed form in `offset`.
    let second = libm::log(1.5) / 2.0;
    let first = (libm::log(0.75) - 0.5 * second) / 1.5;
    assert!((number(&outcome, "offset_1").expected.unwrap() - first).abs() < 1e-12);
    assert!((number(&outcome, "offset_2").expected.unwrap() - second).abs() < 1e-12);
    // ρ comes to w̃ like t^−.5: Σα z zᵀ = [[.75, .25], [.25, .75]] has the eigenvalues 1 (along ŵ) and ½.
    for name in ["offset_1", "offset_2"] {
        meets(&outcome, name, 5e-5);
    }
    meets(&outcome, "approach", 1e-3);
    assert!((number(&outcome, "approach").expected.unwrap() - 0.5).abs() < 1e-12);
    meets(&outcome, "drift", 1e-4);
    meets(&outcome, "loss_rate", 3e-6);
    assert!((number(&outcome, "loss_rate").expected.unwrap() - 0.5).abs() < 1e-12);
    for name in ["multiplier_1", "multiplier_2"] {
        meets(&outcome, name, 2e-5);
    }
    meets(&outcome, "angle", 1e-5);
    meets(&outcome, "margin", 1e-5);
    meets(&outcome, "norm_slope", 1e-3);
    meets(&outcome, "norm_over_log", 5e-3);
    meets(&outcome, "validation_slope", 1e-5);
    let limit = number(&outcome, "validation_slope_limit").value;
    assert!((number(&outcome, "validation_slope").value - limit).abs() < 2e-3);
    assert_eq!(number(&outcome, "support_vectors").value, 2.0);
    assert!(outcome.assumptions.iter().all(|found| found.holds == Some(true)), "{:?}", outcome.assumptions);
}

#[test]
fn every_pair_of_lines_closes_in_the_end() {
    let outcome = of(|_| {});
    let mut pairs = 0;
    for figure in &outcome.figures {
        for (name, residuals) in figure.residuals() {
            pairs += 1;
            let last = residuals[residuals.len() - 1].1;
            assert!(last.abs() < 5e-3, "{} {name}: {last}", figure.name);
        }
    }
    assert_eq!(pairs, 7);
}

#[test]
fn limits_over_log_time_are_the_measured_ones() {
    // 10¹² steps: log t = 27.6, so what is left of higher order is below 5%.
    let outcome = of(|settings| settings.steps = 1_000_000_000_000);
    for name in ["angle · log t", "margin gap · log t"] {
        let limit = last_of(&outcome, "convergence", &format!("limit of {name}"), Role::Baseline);
        let measured = last_of(&outcome, "convergence", name, Role::Measured);
        assert!((measured / limit - 1.0).abs() < 0.05, "{name}: {measured} and {limit}");
    }
}

#[test]
fn momentum_goes_where_descent_with_its_longer_step_goes() {
    let outcome = of(|settings| {
        settings.optimizer = Optimizer::Momentum;
        settings.learning_rate = 0.05;
        settings.momentum = 0.8;
    });
    let descent = of(|_| {});
    for name in ["offset_1", "offset_2"] {
        meets(&outcome, name, 3e-4);
        let (a, b) = (number(&outcome, name).expected.unwrap(), number(&descent, name).expected.unwrap());
        assert!((a - b).abs() < 1e-12);
    }
}

#[test]
fn the_exponential_loss_has_the_same_constants() {
    let outcome = of(|settings| {
        settings.loss = Loss::Exponential;
        settings.learning_rate = 0.2;
    });
    for name in ["offset_1", "offset_2", "loss_rate"] {
        meets(&outcome, name, 1e-4);
    }
}

#[test]
fn another_start_ends_at_the_same_constant() {
    // Far off it takes longer, by t^−.5.
    let outcome = of(|settings| {
        settings.start = vec![-3.0, 2.0];
        settings.steps = 1_000_000_000_000;
    });
    for name in ["offset_1", "offset_2"] {
        meets(&outcome, name, 1e-4);
    }
    meets(&outcome, "approach", 1e-4);
}

#[test]
fn points_in_pairs_share_a_multiplier_and_all_count() {
    let outcome = of(|settings| settings.data = DataSet::Figure);
    assert_eq!(number(&outcome, "support_vectors").value, 4.0);
    for name in ["multiplier_1", "multiplier_4", "offset_1", "loss_rate"] {
        meets(&outcome, name, 1e-6);
    }
}

#[test]
fn normalised_descent_is_faster_and_keeps_its_part_across() {
    let outcome = of(|settings| {
        settings.optimizer = Optimizer::Normalised;
        settings.plain_steps = 100_000;
    });
    // ‖w‖ = ηt up to a constant, so the angle is ‖w̃ across ŵ‖/(ηt).
    let (first, second) = (-0.259_360_2, 0.202_732_6);
    let across = (first - second) / core::f64::consts::SQRT_2;
    let angle = number(&outcome, "angle").value;
    assert!((angle * 0.25 * 1e5 / across.abs() - 1.0).abs() < 1e-3, "{angle}");
    meets(&outcome, "angle", 1e-8);
}

#[test]
fn optimisers_of_other_norms_find_other_margins() {
    for optimizer in [Optimizer::Sign, Optimizer::Coordinate] {
        let outcome = of(|settings| {
            settings.data = DataSet::Lone;
            settings.optimizer = optimizer;
            settings.plain_steps = 30_000;
        });
        // The steepest coordinate goes there like 1/log t, so what a decade adds tells it from ŵ, 8° away, long before w itself.
        let (drift, own) = (number(&outcome, "drift").value, number(&outcome, "angle_to_target").value);
        assert!(drift < 0.02 && own < 0.1, "{optimizer:?}: {drift} and {own}");
        assert_eq!(holds(&outcome, "The optimiser measures"), Some(false));
    }
    let descent = of(|settings| settings.data = DataSet::Lone);
    meets(&descent, "drift", 2e-3);
    assert_eq!(holds(&descent, "The support vectors span"), Some(false));
    meets(&descent, "offset_along", 1e-3);
}

#[test]
fn adam_is_exact_where_its_second_moment_keeps_up() {
    let drift = |rate: f64| {
        let outcome = of(|settings| {
            settings.data = DataSet::Lone;
            settings.optimizer = Optimizer::Adam;
            settings.learning_rate = rate;
            settings.plain_steps = 40_000;
        });
        assert_eq!(number(&outcome, "drift").expected.is_some(), rate < 0.01);
        (number(&outcome, "drift").value, holds(&outcome, "Adam's second moment"))
    };
    // The margin's pace is 1.5η, to be below .0005.
    let (exact, keeps_up) = drift(2e-4);
    assert!(exact < 0.01 && keeps_up == Some(true), "{exact}");
    let (blurred, keeps_up) = drift(0.25);
    assert!(blurred > 0.05 && keeps_up == Some(false), "{blurred}");
}

#[test]
fn a_point_that_does_not_push_makes_the_rest_grow_like_log_log() {
    let outcome = of(|settings| {
        settings.data = DataSet::Degenerate;
        settings.loss = Loss::Exponential;
        settings.steps = 1_000_000_000_000;
    });
    assert_eq!(holds(&outcome, "The points are generic"), Some(false));
    assert!(number(&outcome, "angle").expected.is_none() && outcome.headline.contains("log log"));
    // Gradient flow of this pair: e^{w₂} w₂′ = η e^{−w₁}, and η t e^{−w₁} (1 + e^{−w₂}) → 1, so e^{w₂} + w₂ = log t + const.
    let line = lines(&outcome, "offset").iter().find(|line| line.name == "ρ₂" && line.role == Role::Measured).unwrap();
    let at = |step: f64| line.points.iter().find(|p| p.0 == step).unwrap().1;
    let (early, late) = (libm::exp(at(1e6)) + at(1e6), libm::exp(at(1e12)) + at(1e12));
    assert!(((late - early) / libm::log(1e6) - 1.0).abs() < 5e-3, "{}", (late - early) / libm::log(1e6));
    assert!(number(&outcome, "angle").value * libm::log(1e12) > 2.0);
}

#[test]
fn inseparable_points_send_descent_to_their_minimiser() {
    for (optimizer, momentum) in [(Optimizer::Gd, 0.0), (Optimizer::Momentum, 0.1)] {
        let outcome = of(|settings| {
            settings.data = DataSet::Inseparable;
            settings.optimizer = optimizer;
            settings.momentum = momentum;
            settings.steps = 20_000;
        });
        for name in ["weight_1", "weight_2", "distance", "loss", "minimiser_gradient"] {
            meets(&outcome, name, 1e-12);
        }
        meets(&outcome, "contraction", 1e-4);
        assert_eq!(holds(&outcome, "The points are separable"), Some(false));
    }
}

#[test]
fn points_that_are_separable_in_part_are_said_to_be() {
    let outcome = of(|settings| {
        settings.data = DataSet::Points;
        settings.points = vec!["1 0 +".into(), "-1 0 +".into(), "0.3 1 +".into()];
        settings.steps = 1000;
    });
    assert!(outcome.headline.contains("without a finite minimiser"), "{}", outcome.headline);
}

#[test]
fn a_step_size_beyond_two_over_beta_is_refused_with_the_nearest() {
    let refused = |rate: f64, optimizer: Optimizer| {
        Separable { learning_rate: rate, optimizer, steps: 1000, ..Separable::default() }.outcome().err()
    };
    let error = refused(1.8, Optimizer::Gd).unwrap();
    assert!(error.cause.contains("1.7778") && error.remedy.contains("1.77"), "{error:?}");
    assert_eq!(refused(1.77, Optimizer::Gd), None);
    assert_eq!(refused(1.8, Optimizer::Normalised), None);
}

#[test]
fn a_cloud_is_predicted_with_its_validation_loss() {
    let outcome = of(|settings| {
        settings.data = DataSet::Cloud;
        settings.steps = 1_000_000_000_000;
        settings.plain_steps = 20_000;
    });
    meets(&outcome, "offset_1", 2e-3);
    meets(&outcome, "offset_2", 2e-3);
    meets(&outcome, "angle", 1e-5);
    meets(&outcome, "approach", 1e-3);
    meets(&outcome, "validation_slope", 3e-5);
    // The loss goes on rising when the error has settled.
    let of = |name: &str, role: Role| {
        let line = lines(&outcome, "validation").iter().find(|line| line.name == name && line.role == role).unwrap();
        (line.points[line.points.len() / 2].1, line.points[line.points.len() - 1].1)
    };
    let (early, late) = of("validation loss", Role::Test);
    assert!(late > early + 0.03, "{early} and {late}");
    let (early, late) = of("validation error", Role::Kind(0));
    assert!((late - early).abs() < 0.1 && late > 0.05, "{early} and {late}");
}

#[test]
fn the_list_has_the_panel_and_its_text_settings() {
    let found: &Panel = panel("separable").unwrap();
    let settings = (found.with)(&(found.start)(), "data", "points").unwrap();
    let settings = (found.with)(&settings, "points", "0 2 +; 1.5 0.5 +; 0 -1 -").unwrap();
    let settings = (found.with)(&settings, "steps", "1000").unwrap();
    assert!((found.outcome)(&settings).unwrap().headline.contains("1000 steps"));
    assert!((found.with)(&settings, "cloud_size", "3").is_err());
    assert!(found.about.equation.starts_with("<math display=\"block\">"));
}

#[test]
fn names_of_figures_and_numbers_are_unlike_all_others() {
    for data in [DataSet::Asymmetric, DataSet::Figure, DataSet::Lone, DataSet::Degenerate, DataSet::Inseparable] {
        for optimizer in Optimizer::ALL {
            let outcome = of(|settings| {
                settings.data = data;
                settings.optimizer = optimizer;
                settings.steps = 2500;
                settings.plain_steps = 1000;
            });
            let figures: Vec<&str> = outcome.figures.iter().map(|f| f.name.as_str()).collect();
            let numbers: Vec<&str> = outcome.numbers.iter().map(|n| n.name.as_str()).collect();
            for mut names in [figures, numbers] {
                let count = names.len();
                names.sort_unstable();
                names.dedup();
                assert_eq!(names.len(), count, "{data:?} {optimizer:?}");
            }
            for figure in &outcome.figures {
                if let Drawing::Lines { lines, .. } = &figure.drawing {
                    for line in lines {
                        assert!(line.points.is_sorted_by(|a, b| a.0 < b.0), "{} {}", figure.name, line.name);
                    }
                }
            }
        }
    }
}
