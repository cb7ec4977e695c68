//! Both means against their definitions, written as plain loops.

use super::super::support::{Case, assert_close, build, replica, tensor, values, with, zip};
use super::*;

/// Gradients of update `t`: different in every update, tensor and replica.
fn gradients(case: &Case, t: u32) -> Gradients {
    case.gradients
        .iter()
        .map(|g| g.clone().mul_scalar(f64::from(t)) + g.clone().powi_scalar(2).div_scalar(f64::from(t)))
        .collect()
}

/// What the part makes of the gradients of updates `from..to`.
fn run(part: &mut dyn Modifier, case: &Case, from: u32, to: u32) -> Vec<Gradients> {
    (from..to).map(|t| part.gradients(&case.moment(t), &case.weights, gradients(case, t))).collect()
}

#[test]
fn the_exponential_mean_follows_its_recursion() {
    let case = Case::small();
    let settings = [("training.grokfast", "ema"), ("training.grokfast_alpha", "0.9"), ("training.grokfast_lambda", "3")];
    let found = run(&mut *build(&PART, &settings), &case, 1, 11);
    for (last, found) in found.iter().enumerate() {
        let expected = |r: usize| {
            let mut mean = replica(&gradients(&case, 1), r);
            for t in 2..=last as u32 + 1 {
                let g = replica(&gradients(&case, t), r);
                mean = zip(&mean, &g, |m, g| 0.9 * m + 0.1 * g);
            }
            zip(&replica(&gradients(&case, last as u32 + 1), r), &mean, |g, m| g + 3.0 * m)
        };
        assert_close(found, expected, 1e-5);
    }
}

#[test]
fn the_window_mean_is_that_of_the_last_gradients_once_it_is_full() {
    let case = Case::small();
    for window in [1_u32, 2, 3, 4, 7] {
        let text = window.to_string();
        let settings = [("training.grokfast", "ma"), ("training.grokfast_window", &*text), ("training.grokfast_lambda", "5")];
        let found = run(&mut *build(&PART, &settings), &case, 1, 21);
        for (t, found) in (1_u32..).zip(&found) {
            let expected = |r: usize| {
                let mut own = replica(&gradients(&case, t), r);
                if t >= window {
                    for past in t + 1 - window..=t {
                        let g = replica(&gradients(&case, past), r);
                        own = zip(&own, &g, |sum, g| sum + 5.0 * g / f64::from(window));
                    }
                }
                own
            };
            assert_close(found, expected, 1e-5);
        }
    }
}

#[test]
fn a_large_gradient_leaves_no_trace_in_the_window_that_has_passed_it() {
    let case = Case::sized(&[(1, 1)]);
    let settings = [("training.grokfast", "ma"), ("training.grokfast_window", "3"), ("training.grokfast_lambda", "1")];
    let mut part = build(&PART, &settings);
    let mut last = 0.0;
    for t in 1..10 {
        let gradient = if t == 1 { 1e6 } else { 1e-6 };
        last = values(&part.gradients(&case.moment(t), &case.weights, vec![tensor(&[gradient; 2], [2, 1, 1])])[0])[0];
    }
    assert!((last / 2e-6 - 1.0).abs() < 1e-6, "{last}");
}

#[test]
fn a_part_restored_at_any_update_goes_on_bit_for_bit() {
    let case = Case::small();
    let (ema, ma) = ([("training.grokfast", "ema")], [("training.grokfast", "ma"), ("training.grokfast_window", "4")]);
    for settings in [&ema[..], &ma[..]] {
        for cut in 1..12 {
            let mut whole = build(&PART, settings);
            run(&mut *whole, &case, 1, cut);
            let mut resumed = build(&PART, settings);
            // A file hands entries back in the order of their names.
            let mut state = whole.state();
            state.sort_by(|a, b| a.0.cmp(&b.0));
            for (name, tensors) in state {
                assert!(resumed.restore(&name, tensors), "{name}");
            }
            let (whole, resumed) = (run(&mut *whole, &case, cut, cut + 9), run(&mut *resumed, &case, cut, cut + 9));
            for (a, b) in whole.iter().flatten().zip(resumed.iter().flatten()) {
                assert_eq!(values(a), values(b), "cut after {cut} updates");
            }
        }
    }
}

#[test]
fn the_state_of_another_mean_or_window_is_not_taken() {
    let case = Case::small();
    let mut short = build(&PART, &[("training.grokfast", "ma"), ("training.grokfast_window", "3")]);
    run(&mut *short, &case, 1, 3);
    let mut long = build(&PART, &[("training.grokfast", "ma"), ("training.grokfast_window", "30")]);
    let mut ema = build(&PART, &[("training.grokfast", "ema")]);
    for (name, tensors) in short.state() {
        assert!(!long.restore(&name, tensors.clone()) && !ema.restore(&name, tensors), "{name}");
    }
}

#[test]
fn each_mean_starts_with_its_published_strength() {
    let lambda = |kind: &str| with(&[("training.grokfast", kind)]).training.number("grokfast_lambda");
    assert!((lambda("ema") - 2.0).abs() < 1e-12 && (lambda("ma") - 5.0).abs() < 1e-12);
    assert!((PART.build)(&with(&[])).is_none());
}
