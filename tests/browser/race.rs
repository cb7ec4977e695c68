//! The race view: a control and its arms over the same seeds, from the choice to the files.
//!
//! A race that is cut short, or shown otherwise than it is saved, would sell a trick on the strength of the page; so what is
//! shown is compared with the file, read by the library.

use crate::driver::{DESK, PHONE, Screen};
use crate::page::Page;
use grokscope::race::{Criterion, RACE_HEADER, RaceResult, race_preset};

/// The race view with the race on weight decay: a control and four arms.
fn open(screen: Screen) -> Page {
    let page = Page::open(screen, "");
    page.choose("engine-wish", "cpu");
    page.click("tab-race");
    page.choose("race-preset", "weight-decay");
    let arms = race_preset("weight-decay").unwrap().config.arms.len();
    page.wait("the arms", &format!("document.getElementById('race-arm-{}-name')", arms - 1), 10);
    assert_eq!(arms, 4);
    page
}

fn wait_for_state(page: &Page, state: &str, seconds: u64) {
    page.wait(
        &format!("a race that is {state}"),
        &format!("document.getElementById('race-status').dataset.state === '{state}'"),
        seconds,
    );
}

/// Two seeds and a budget in which a decay of 5 groks and one of 1 does not.
fn run_of_two_seeds(page: &Page) {
    page.fill("race-seeds", "2");
    page.fill("race-steps", "150");
    page.click("race-start");
    wait_for_state(page, "running", 30);
    page.wait("the race", "['done', 'error'].includes(document.getElementById('race-status').dataset.state)", 400);
    assert_eq!(page.data("race-status", "state"), "done", "{}", page.text("error-card"));
    page.wait("the result", "document.getElementById('race-result')", 10);
}

fn texts(page: &Page, css: &str) -> Vec<String> {
    let texts = page.js(&format!("[...document.querySelectorAll('{css}')].map(e => e.innerText.trim())"));
    texts.as_array().into_iter().flatten().map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
}

fn is_shown(page: &Page, id: &str) -> bool {
    page.js(&format!("Boolean(document.getElementById('{id}')?.checkVisibility())")) == true
}

fn can_start(page: &Page) -> bool {
    page.js("(button => button.checkVisibility() && !button.disabled)(document.getElementById('race-start'))") == true
}

#[test]
fn a_race_of_four_arms_says_who_arrived_and_claims_nothing_on_two_seeds() {
    let page = open(DESK);
    assert!(!is_shown(&page, "race-result") && !is_shown(&page, "race-cancel"));
    run_of_two_seeds(&page);

    page.click("race-save-json");
    let saved = RaceResult::from_json(&std::fs::read_to_string(page.saved(".race.json")).unwrap()).unwrap();
    assert_eq!((saved.config.seeds.clone(), saved.config.steps), (vec![0, 1], 150));
    assert_eq!(saved.config.criterion, Criterion::TGen);
    let names: Vec<&str> = saved.arms.iter().map(|arm| arm.name.as_str()).collect();
    assert_eq!(names, ["control", "decay 1", "decay 2", "decay 10", "decay 20"]);
    assert_eq!((saved.arms[0].reached, saved.arms[1].reached), (2, 0), "who arrived within 150 steps");

    assert_eq!(page.number("race-result", "arms") as usize, names.len());
    let rows =
        page.js("[...document.querySelector('#race-result table').tBodies[0].rows].map(row => row.cells[0].innerText.trim())");
    assert_eq!(rows, serde_json::json!(names), "a row for the control and each arm");
    let verdicts = texts(&page, "#race-verdicts li");
    assert_eq!(verdicts.len(), names.len());
    for (index, (shown, name)) in verdicts.iter().zip(&names).enumerate() {
        let words = saved.verdict(index).join("; ");
        assert!(shown.starts_with(name) && shown.contains(&words), "{shown:?} is not {words:?} of {name}");
        assert!(index == 0 || words.contains("no difference shown"), "a claim on two seeds: {words:?}");
    }
    page.settled("race-chart");
    page.picture("desk race result");

    page.click("race-save-csv");
    let csv = std::fs::read_to_string(page.saved(".race.csv")).unwrap();
    assert_eq!(csv.lines().next(), Some(RACE_HEADER));
    assert_eq!(csv.lines().count(), 1 + 2 * names.len());
    assert_eq!(page.text("error-card"), "");

    // The result belongs to no run and stays while one looks elsewhere.
    page.click("tab-run");
    page.wait("the run view", "document.getElementById('start')", 10);
    page.click("tab-race");
    page.wait("the result", "document.getElementById('race-result')", 10);
    assert_eq!(texts(&page, "#race-verdicts li"), verdicts);
}

#[test]
fn a_race_can_be_cancelled_and_leaves_the_engine_free() {
    let page = open(DESK);
    page.click("race-start");
    wait_for_state(&page, "running", 30);
    assert!(!can_start(&page), "a second race can be started beside it");
    page.wait("progress", "Number(document.getElementById('race-status').dataset.done) > 0", 120);
    page.click("race-cancel");
    wait_for_state(&page, "idle", 60);
    assert!(can_start(&page) && !is_shown(&page, "race-result") && !is_shown(&page, "race-cancel"));
    assert_eq!(page.text("error-card"), "");

    page.click("tab-run");
    page.start_on_cpu();
    let end = page.wait_for_end(120);
    assert_eq!(end.fingerprint.len(), 16, "{end:?}");
}

#[test]
fn an_arm_that_cannot_run_is_refused_with_its_reason_while_it_is_typed() {
    let page = open(DESK);
    assert!(can_start(&page));
    let name = page.value("race-arm-0-name");
    for (edits, reason) in [
        ("optimizer.weight_dekay=1", "optimizer.weight_decay"),
        ("optimizer.weight_decay", "path=value"),
        ("optimizer.weight_decay=-1", "0"),
        ("seed=3", "the same for everyone"),
        ("task.operation=div\ntask.modulus=12", "prime"),
    ] {
        page.fill("race-arm-0-edits", edits);
        page.wait("the reason", "document.getElementById('race-problems')?.innerText.trim()", 15);
        let words = page.text("race-problems");
        assert!(words.contains(reason) && words.contains(&name), "{edits:?} is refused with {words:?}");
        assert!(!can_start(&page), "a race with {edits:?} can be started");
    }
    page.fill("race-arm-0-edits", "optimizer.weight_decay=3");
    page.wait("the reason to go", "!document.getElementById('race-problems')", 15);
    assert!(can_start(&page));

    page.fill("race-arm-1-name", &name);
    page.wait("the reason", "document.getElementById('race-problems')?.innerText.trim()", 15);
    assert!(page.text("race-problems").contains(&name), "two arms of one name: {:?}", page.text("race-problems"));
    page.fill("race-arm-1-name", "another");
    page.fill("race-seeds", "0");
    page.wait("the reason", "document.getElementById('race-problems')?.innerText.includes('32')", 15);
    assert!(!can_start(&page));
    page.fill("race-seeds", "2");
    page.wait("the reason to go", "!document.getElementById('race-problems')", 15);
    assert_eq!(page.data("race-status", "state"), "idle");
}

#[test]
fn ones_own_experiment_can_be_the_control_and_arms_can_be_added() {
    let page = Page::open(DESK, "");
    page.fill("field-task-modulus", "29");
    page.fill("field-steps", "120");
    page.click("tab-race");
    page.choose("race-preset", "weight-decay");
    let control = page.text("race-control");
    page.click("race-own");
    page.wait("another control", "document.getElementById('race-control').innerText.includes('29')", 10);
    assert!(!control.contains("29"), "{control:?}");
    assert_eq!(page.value("race-steps"), "120");
    page.click("race-add");
    page.wait("a fifth arm", "document.getElementById('race-arm-4-name')", 10);
    assert!(can_start(&page), "{}", page.text("race-problems"));
}

#[test]
fn the_race_view_fits_a_phone() {
    let page = open(PHONE);
    page.assert_fits("the race before it is run");
    page.picture("phone race");
    run_of_two_seeds(&page);
    page.settled("race-chart");
    page.assert_fits("the result of a race");
    page.picture("phone race result");
    page.look_at("race-verdicts");
    page.picture("phone race verdicts");
}

/// The race on early warnings, cut to two seeds and measures that cost little.
fn measured(screen: Screen) -> Page {
    let page = Page::open(screen, "");
    page.choose("engine-wish", "cpu");
    page.click("tab-race");
    page.choose("race-preset", "early-warning");
    page.wait("the arms", "document.getElementById('race-arm-1-name')", 10);
    page.js("document.getElementById('race-measures').open = true");
    for name in ["probes", "ranks", "trig_fit"] {
        page.click(&format!("race-measure-{name}"));
    }
    page.fill("race-seeds", "2");
    page.fill("race-steps", "200");
    page.click("race-start");
    page.wait("the race", "['done', 'error'].includes(document.getElementById('race-status').dataset.state)", 400);
    assert_eq!(page.data("race-status", "state"), "done", "{}", page.text("error-card"));
    page.wait("the result", "document.getElementById('race-measured')", 10);
    page
}

#[test]
fn a_measured_race_compares_arms_and_says_which_measure_announced_the_grok() {
    let page = measured(DESK);
    page.click("race-save-json");
    let saved = RaceResult::from_json(&std::fs::read_to_string(page.saved(".race.json")).unwrap()).unwrap();
    assert_eq!(saved.config.measures, ["descent", "spectrum", "restricted_loss", "key_neurons", "norms", "margin"]);
    assert_eq!(saved.arms.iter().map(|arm| arm.reached).collect::<Vec<_>>(), [2, 0, 0]);
    page.click("race-save-measures");
    let csv = std::fs::read_to_string(page.saved(".race-measures.csv")).unwrap();
    assert_eq!(csv, saved.measures_csv());

    page.choose("race-measure", "neuron_ipr");
    page.wait("the measure", "document.querySelector('#race-measured').closest('.figure').innerText.includes('neurons')", 10);
    let end = saved.at_end("neuron_ipr");
    let shown = texts(&page, "#race-measured tbody tr td:nth-child(3)");
    assert_eq!(shown, end.iter().map(|arm| format!("{:.4}", arm.spread.unwrap().median)).collect::<Vec<_>>());
    page.look_at("race-measure-chart");
    page.settled("race-measure-chart");
    assert!(page.colours("race-measure-chart") > 3);
    page.picture("race measured");

    let judged = saved.forewarning().unwrap();
    let leads = texts(&page, "#race-predictors tbody tr td:nth-child(3)");
    assert_eq!(leads, judged.predictors.iter().map(|p| format!("{:.2}", p.warning.median_lead)).collect::<Vec<_>>());
    page.js("document.querySelector('#race-predictors button').click()");
    page.wait("the choice", "document.querySelector('#race-predictors button').getAttribute('aria-pressed') === 'true'", 5);
    assert_eq!(page.value("race-measure"), judged.predictors[0].column, "table and figures show the same measure");
    page.look_at("race-alarm-chart");
    page.settled("race-alarm-chart");
    page.picture("race alarm");
    assert_eq!(page.text("error-card"), "");
}

#[test]
fn a_measured_race_fits_a_phone() {
    let page = measured(PHONE);
    page.assert_fits("the result of a measured race");
    page.look_at("race-alarm-chart");
    page.settled("race-alarm-chart");
    page.picture("phone race alarm");
    page.look_at("race-predictors");
    page.picture("phone race predictors");
}
