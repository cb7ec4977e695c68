//! Tasks, networks and losses of many kinds, as a person opens or chooses them.
//!
//! Each kind is tested natively; here it has to cross the link, the drawer and the wasm worker. Ten updates are enough for
//! that. What the page says of an experiment is compared with the library, which counts for itself.

use crate::driver::DESK;
use crate::page::Page;
use grokscope::experiment::{Experiment, counts, parameters, preset, with_value};
use grokscope::task::rule_of;

/// A preset with changes, cut to ten updates that are all evaluated.
fn ten_steps(name: &str, changes: &[(&str, &str)]) -> Experiment {
    let common = [("steps", "10"), ("logging.evaluate_every", "1"), ("logging.checkpoint_every", "5")];
    let start = preset(name).unwrap().experiment.clone();
    let made = common.iter().chain(changes).fold(start, |e, (path, text)| with_value(&e, path, text).unwrap());
    made.validate().unwrap();
    made
}

/// 1234567 as 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let pieces: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|piece| std::str::from_utf8(piece).unwrap()).collect();
    pieces.join(",")
}

/// Fails unless the page states what the experiment on it comes to, and its run draws curves to the end without an error.
fn assert_runs(page: &Page) {
    let experiment = page.linked();
    let facts =
        page.js("[...document.querySelectorAll('.task-facts')].filter(e => e.checkVisibility()).map(e => e.innerText).join(' ')");
    let facts = facts.as_str().unwrap_or_default();
    let (rows, formula) = (counts(&experiment), rule_of(&experiment).unwrap().formula());
    assert!(facts.contains(&formula), "{formula:?} is not in {facts:?}");
    for number in [u64::from(rows.domain), u64::from(rows.train), u64::from(rows.test), parameters(&experiment)] {
        assert!(facts.contains(&grouped(number)), "{} is not in {facts:?}", grouped(number));
    }
    let blank = (page.settled("loss-chart"), page.settled("accuracy-chart"));
    page.start_on_cpu();
    let end = page.wait_for_end(180);
    assert_eq!(page.text("error-card"), "");
    assert_eq!((end.step, end.fingerprint.len()), (experiment.steps, 16), "{end:?}");
    assert!(page.number("status", "trainAccuracy").is_finite() && end.test_accuracy.is_finite(), "{end:?}");
    assert_ne!(page.settled("loss-chart"), blank.0, "no loss is drawn");
    assert_ne!(page.settled("accuracy-chart"), blank.1, "no accuracy is drawn");
}

fn opens_and_runs(experiment: &Experiment) {
    let page = Page::of(DESK, experiment);
    assert_eq!(page.linked(), *experiment, "the link opens as something else");
    assert_runs(&page);
}

#[test]
fn composition_in_s4_is_chosen_in_the_drawer_and_runs() {
    let page = Page::open(DESK, "");
    page.choose("field-task-operation", "compose");
    page.fill("field-task-group", "S4");
    page.fill("field-task-train_fraction", "0.6");
    page.fill("field-steps", "10");
    assert_eq!(page.linked().task.settings.text("group"), "S4");
    assert_runs(&page);
}

#[test]
fn a_typed_formula_runs() {
    let page = Page::open(DESK, "");
    page.choose("field-task-operation", "formula");
    page.fill("field-task-formula", "if(a < b, a + b, a*b) + 1");
    page.fill("field-steps", "10");
    assert_eq!(page.linked().task.settings.text("formula"), "if(a < b, a + b, a*b) + 1");
    assert_runs(&page);
}

#[test]
fn sparse_parity_with_the_hinge_loss_runs() {
    opens_and_runs(&ten_steps("parity-40", &[("model.width", "100"), ("task.samples", "400")]));
}

#[test]
fn a_transformer_of_two_layers_runs() {
    let small = [
        ("task.modulus", "7"),
        ("task.train_fraction", "0.6"),
        ("model.d_model", "16"),
        ("model.heads", "2"),
        ("model.mlp_width", "32"),
        ("model.layers", "2"),
        ("model.norm", "pre"),
    ];
    opens_and_runs(&ten_steps("transformer-59-mirror", &small));
}

#[test]
fn the_toy_with_an_embedding_and_a_decoder_runs() {
    opens_and_runs(&ten_steps("liu-toy", &[]));
}

#[test]
fn handwritten_digits_run() {
    opens_and_runs(&ten_steps("digits-8", &[]));
}

#[test]
fn a_formula_that_divides_is_refused_for_a_composite_modulus() {
    let page = Page::open(DESK, "");
    page.choose("field-task-operation", "formula");
    page.fill("field-task-formula", "(a + 1) / b");
    assert_eq!(page.text("error-task-formula"), "");
    page.fill("field-task-modulus", "12");
    page.assert_refused("task-modulus", "prime");
    page.fill("field-task-formula", "(a + 1) / ");
    assert!(!page.text("error-task-formula").is_empty(), "half a formula is not refused");
    page.fill("field-task-formula", "(a + 1) * b");
    assert_eq!(page.text("error-task-modulus"), "", "the message stays after the mistake is gone");
}

#[test]
fn an_orthogonal_gradient_is_refused_where_the_readout_starts_at_zero() {
    let page = Page::open(DESK, "");
    page.click("field-training-orthogonal_gradient");
    assert_eq!(page.text("error-training-orthogonal_gradient"), "");
    page.fill("field-model-layer_scales", "w_out=0");
    page.assert_refused("training-orthogonal_gradient", "w_out");
    page.fill("field-model-layer_scales", "w_out=0.5");
    assert_eq!(page.text("error-training-orthogonal_gradient"), "", "the message stays after the mistake is gone");
}

#[test]
fn a_mirror_split_is_refused_where_the_mirror_tells_nothing() {
    let page = Page::open(DESK, "");
    page.choose("field-task-split", "mirror");
    assert_eq!(page.text("error-task-split"), "");
    page.choose("field-task-operation", "add_or_multiply");
    page.assert_refused("task-split", "random");
    page.choose("field-task-operation", "sub");
    assert_eq!(page.text("error-task-split"), "", "the answer of (b, a) follows from that of (a, b) in a difference");
}
