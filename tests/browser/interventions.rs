//! Changes on the way: planned, made by hand in the middle of a run, or tried out in a branch.
//!
//! A change that is drawn but not recorded, or recorded and not repeated, looks right on the screen; so each of these ends with
//! the link opened elsewhere and its fingerprint. Fingerprints are compared between loads of the page, since bits are promised
//! for one build only.

use crate::driver::{DESK, PHONE, Screen};
use crate::page::{HOME, Page, RIGHT, Status, experiment_in, fragment_of};
use grokscope::experiment::{Experiment, preset};
use grokscope::record::{Archive, EventKind};

/// The landing experiment with coarser records and these lines.
fn planned(steps: u32, lines: &[&str]) -> Experiment {
    let mut experiment = preset("quadratic-31").unwrap().experiment.clone();
    experiment.steps = steps;
    (experiment.logging.evaluate_every, experiment.logging.checkpoint_every) = (20, 50);
    experiment.timeline = lines.iter().map(|line| (*line).to_owned()).collect();
    experiment.validate().unwrap();
    experiment
}

/// Three kinds of lines: a value, a ramp, an action.
const THREE: [&str; 3] = ["60 set optimizer.weight_decay 0", "100-160 ramp optimizer.learning_rate 0.02", "200 rescale 0.8"];

/// The run of `link` in a fresh profile, to its end.
fn run_elsewhere(link: &str) -> Status {
    let page = Page::blank(DESK);
    page.go(link);
    page.start_on_cpu();
    page.wait_for_end(300)
}

/// Makes a change in the run under way and returns its line once the list shows it.
fn change_now(page: &Page, what: &str, value: &str) -> String {
    let before = page.timeline();
    page.choose("timeline-what", what);
    page.fill("timeline-value", value);
    page.click("change-now");
    let count = before.len() + 1;
    page.wait(
        "the change in the list",
        &format!("document.querySelectorAll('#timeline-list [data-line]').length === {count}"),
        15,
    );
    page.timeline().into_iter().find(|line| !before.contains(line)).unwrap()
}

/// Presses the button of a line in the list.
fn remove(page: &Page, line: &str) {
    page.js(&format!("document.querySelector('#timeline-list [data-line=\"{line}\"] button').click()"));
}

fn pause_after(page: &Page, step: u32) -> u32 {
    page.wait_for_step(step, 60);
    page.click("pause");
    page.wait_for_phase("paused", 30).step
}

#[test]
fn changes_made_by_hand_in_mid_run_are_recorded_and_repeat_to_the_bit() {
    let page = Page::of(DESK, &planned(1000, &[]));
    page.start_on_cpu();
    let first = pause_after(&page, 20);
    let decay = change_now(&page, "set optimizer.weight_decay", "0");
    assert_eq!(decay, format!("{first} set optimizer.weight_decay 0"));
    assert_eq!(page.value("timeline-value"), "", "the box still holds the change that was made");
    page.click("pause");
    let second = pause_after(&page, first + 50);
    let rescaled = change_now(&page, "rescale", "0.9");
    assert_eq!(rescaled, format!("{second} rescale 0.9"));
    page.click("pause");
    let end = page.wait_for_end(300);
    assert_eq!(end.step, 1000, "the run did not go on to its end");
    assert_eq!(page.text("error-card"), "");

    let lines = vec![decay, rescaled];
    assert_eq!(page.timeline(), lines);
    page.click("export");
    let archive = Archive::from_zip(&std::fs::read(page.saved(".grok.zip")).unwrap()).unwrap();
    let told: Vec<&str> =
        archive.events.iter().filter(|event| event.kind == EventKind::Intervened).map(|event| event.text.as_str()).collect();
    assert_eq!(told, lines);
    assert_eq!(archive.experiment.timeline, lines);
    let link = page.link();
    assert_eq!(experiment_in(&link).timeline, lines);

    let receiver = Page::blank(DESK);
    receiver.go(&link);
    receiver.wait_for_timeline(&[&lines[0], &lines[1]]);
    receiver.start_on_cpu();
    let received = receiver.wait_for_end(300);
    assert_eq!(received.fingerprint, end.fingerprint);
    assert_eq!((received.t_mem, received.t_gen), (end.t_mem, end.t_gen));
    receiver.wait("the comparison with the sender", "document.getElementById('link-notice').dataset.verdict === 'same'", 10);

    page.click("timeline-copy");
    page.click("reset");
    page.wait_for_phase("idle", 10);
    assert_eq!(page.timeline(), lines, "the next run lacks what was copied");
    page.start_on_cpu();
    assert_eq!(page.wait_for_end(300).fingerprint, end.fingerprint, "planned changes differ from the same made by hand");
}

#[test]
fn a_change_that_cannot_be_made_is_refused_beside_its_box_and_the_run_goes_on() {
    let page = Page::of(DESK, &planned(20_000, &[]));
    page.start_on_cpu();
    let held = pause_after(&page, 20);
    page.choose("timeline-what", "set optimizer.weight_decay");
    for (value, cause, remedy) in
        [("", "no value", "1000"), ("-3", "-3", "0"), ("200", "erase", "below 100"), ("much", "much", "number")]
    {
        if !value.is_empty() {
            page.fill("timeline-value", value);
        }
        page.click("change-now");
        page.wait("the reason", "document.getElementById('timeline-problem').innerText.trim()", 10);
        let words = page.text("timeline-problem");
        assert!(words.contains(cause) && words.contains(remedy), "{value:?} is refused with {words:?}");
    }
    assert!(page.timeline().is_empty(), "{:?}", page.timeline());
    assert_eq!(page.text("error-card"), "");
    page.click("pause");
    page.wait_for_step(held + 20, 60);
    page.click("stop");
    page.wait_for_end(30);
    assert!(page.linked().timeline.is_empty());
}

#[test]
fn a_link_with_three_changes_lists_and_marks_them_and_runs_to_one_fingerprint() {
    let plain = planned(300, &[]);
    let changed = Experiment { timeline: THREE.map(str::to_owned).to_vec(), ..plain.clone() };
    let page = Page::of(DESK, &changed);
    page.wait_for_timeline(&THREE);
    let list = page.text("timeline-list");
    assert!(list.lines().filter(|line| !line.trim().is_empty()).count() >= THREE.len(), "the list shows {list:?}");
    let marked = page.settled("loss-chart");
    page.start_on_cpu();
    let first = page.wait_for_end(120);
    assert_eq!(page.timeline(), THREE, "the run's changes and those of the next one stand there twice");
    assert!(first.step == 300 && first.fingerprint.len() == 16, "{first:?}");

    let other = Page::of(DESK, &plain);
    assert_ne!(other.settled("loss-chart"), marked, "the changes are not marked on the curves");
    other.start_on_cpu();
    let without = other.wait_for_end(120);
    assert_ne!(without.fingerprint, first.fingerprint, "the changes changed nothing");
    // The second link arrives in a page that is already open.
    other.click("reset");
    other.wait_for_phase("idle", 10);
    other.go(&format!("{}{}", crate::driver::site(), fragment_of(&changed)));
    other.wait_for_timeline(&THREE);
    assert_eq!(other.settled("loss-chart"), marked, "the same experiment is drawn in another way");
    other.start_on_cpu();
    let second = other.wait_for_end(120);
    assert_eq!(second.fingerprint, first.fingerprint);
    assert_eq!((second.t_mem, second.t_gen), (first.t_mem, first.t_gen));
}

#[test]
fn a_change_of_the_next_run_is_refused_with_cause_and_remedy_or_listed_marked_and_removed() {
    let page = Page::open(DESK, "");
    let unmarked = page.settled("loss-chart");
    page.choose("timeline-what", "set optimizer.weight_decay");
    page.fill("timeline-value", "0");
    let refused = |step: &str, value: &str, until: &str, cause: &str, remedy: &str| {
        for (id, text) in [("timeline-step", step), ("timeline-value", value), ("timeline-until", until)] {
            if page.value(id) != text {
                page.fill(id, text);
            }
        }
        page.click("timeline-add");
        page.wait("the reason", "document.getElementById('timeline-problem').innerText.trim()", 10);
        let words = page.text("timeline-problem");
        assert!(words.contains(cause) && words.contains(remedy), "{step:?} {value:?} {until:?} is refused with {words:?}");
        assert!(page.timeline().is_empty(), "{:?}", page.timeline());
    };
    refused("", "0", "", "no step", "300");
    refused("soon", "0", "", "soon", "300");
    refused("301", "0", "", "300 steps", "at most 300");
    refused("100", "-3", "", "-3", "Use 0");
    refused("100", "0", "50", "ramp", "FROM-TO");
    assert!(page.linked().timeline.is_empty(), "a refused change is in the link");
    assert_eq!(page.settled("loss-chart"), unmarked, "a refused change is on the curves");

    let ramp = "100-200 ramp optimizer.weight_decay 0";
    page.fill("timeline-until", "200");
    page.click("timeline-add");
    page.wait_for_timeline(&[ramp]);
    assert_eq!(page.text("timeline-problem"), "");
    let decayed = page.settled("loss-chart");
    assert_ne!(decayed, unmarked, "the change is not marked on the curves");
    page.choose("timeline-what", "rescale");
    page.fill("timeline-step", "40");
    page.fill("timeline-value", "1.2");
    page.click("timeline-add");
    page.wait_for_timeline(&["40 rescale 1.2", ramp]);
    assert_eq!(page.linked().timeline, ["40 rescale 1.2", ramp]);
    remove(&page, "40 rescale 1.2");
    page.wait_for_timeline(&[ramp]);
    assert_eq!(page.settled("loss-chart"), decayed, "the mark of a removed change stays");
    remove(&page, ramp);
    page.wait_for_timeline(&[]);
    assert_eq!(page.settled("loss-chart"), unmarked);
    assert!(page.linked().timeline.is_empty());
    assert_eq!(page.status().phase, "idle");
}

/// Moves the time slider to the checkpoint with this number, from 0, and returns its step.
fn go_to_checkpoint(page: &Page, number: usize) -> u32 {
    page.keys("time-slider", &format!("{HOME}{}", RIGHT.repeat(number)));
    page.wait("the checkpoint", &format!("document.getElementById('time-slider').value === '{number}'"), 10);
    page.number("time-slider", "step") as u32
}

/// What stands in a chart's figure while nothing points at it.
fn figure(page: &Page, id: &str) -> String {
    page.point_away();
    page.js(&format!("document.getElementById('{id}').closest('figure').innerText")).as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_branch_goes_on_from_its_step_beside_the_original_which_comes_back_unchanged() {
    let page = Page::open(DESK, "");
    page.start_on_cpu();
    let original = page.wait_for_end(120);
    let train_accuracy = page.number("status", "trainAccuracy");
    let curve = page.settled("accuracy-chart");
    let at = go_to_checkpoint(&page, 20);
    assert!((10..=250).contains(&at), "step {at}");
    page.click("branch");
    page.choose("branch-what", "set task.train_fraction");
    page.fill("branch-value", "1.5");
    page.click("branch-run");
    page.wait("the reason", "document.getElementById('branch-problem').innerText.trim()", 10);
    assert!(page.text("branch-problem").contains("1.5"), "{}", page.text("branch-problem"));
    assert_eq!(page.status().fingerprint, original.fingerprint, "a refused branch took the run off the page");

    page.fill("branch-value", "0.2");
    page.js("window.seen = []");
    page.click("branch-run");
    page.wait("the branch", "document.getElementById('branch-notice')", 15);
    assert_eq!(page.number("branch-notice", "at") as u32, at);
    assert!(page.text("branch-notice").contains("0.2"), "{}", page.text("branch-notice"));
    let branch = page.wait_for_end(120);
    assert_eq!(branch.step, original.step);
    assert_ne!(branch.fingerprint, original.fingerprint);
    assert!(branch.test_accuracy.is_finite(), "{branch:?}");
    let earliest = page.seen().iter().map(|seen| seen.step).min();
    assert!(earliest.is_some_and(|step| step >= at), "branched at {at}, and was seen at {earliest:?}");
    let line = format!("{at} set task.train_fraction 0.2");
    page.wait_for_timeline(&[&line]);
    assert_ne!(page.settled("accuracy-chart"), curve, "the branch's curves look like the original's");
    // The read-out gives the original's last accuracy beside the branch's.
    let last = format!("original {:.1}% / {:.1}%", 100.0 * train_accuracy, 100.0 * original.test_accuracy);
    let beside = figure(&page, "accuracy-chart");
    assert!(beside.contains(&last), "{last:?} is not beside the branch: {beside:?}");
    page.picture("branch beside its original");

    let link = page.link();
    assert_eq!(experiment_in(&link).timeline, [line]);
    assert_eq!(run_elsewhere(&link).fingerprint, branch.fingerprint, "run from step 0 the branch comes out otherwise");

    page.click("branch-back");
    page.wait("the original", "!document.getElementById('branch-notice')", 15);
    let back = page.wait_for_end(15);
    assert_eq!((&back.fingerprint, back.step), (&original.fingerprint, original.step));
    assert_eq!((back.t_mem, back.t_gen), (original.t_mem, original.t_gen));
    assert!((back.test_accuracy - original.test_accuracy).abs() < 1e-9);
    page.wait_for_timeline(&[]);
    assert_eq!(page.settled("accuracy-chart"), curve, "the original's curves are drawn in another way");
    assert!(!figure(&page, "accuracy-chart").contains("original"));
    assert_eq!(page.linked().timeline, Vec::<String>::new());
}

#[test]
fn no_branch_is_offered_while_a_run_is_under_way() {
    let page = Page::of(DESK, &planned(20_000, &[]));
    page.start_on_cpu();
    pause_after(&page, 60);
    let disabled = |id: &str| page.js(&format!("document.getElementById('{id}').disabled")) == true;
    assert!(disabled("branch"));
    page.click("stop");
    page.wait_for_end(30);
    assert!(!disabled("branch"));
    page.click("branch");
    page.wait("the panel", "document.getElementById('branch-panel')", 10);
    page.click("branch-cancel");
    page.wait("the panel to go", "!document.getElementById('branch-panel')", 10);
}

fn changes_fit(screen: Screen, name: &str) {
    let page = Page::of(screen, &planned(300, &THREE));
    page.start_on_cpu();
    page.wait_for_end(120);
    page.settled("loss-chart");
    page.look_at("status");
    page.assert_fits("a run with changes");
    page.picture(&format!("{name} run with changes"));
    page.look_at("timeline-list");
    page.assert_fits("the timeline");
    page.picture(&format!("{name} timeline"));
    page.look_at("status");
    go_to_checkpoint(&page, 9);
    page.click("branch");
    page.choose("branch-what", "set task.train_fraction");
    page.assert_fits("the branch panel");
    page.picture(&format!("{name} branch panel"));
    page.click("branch-cancel");
    // Opens the drawer.
    page.value("field-task-operation");
    page.look_at("configuration");
    page.assert_fits("the configuration");
    page.picture(&format!("{name} configuration"));
    assert_eq!(page.text("error-card"), "");
}

#[test]
fn timeline_branch_panel_and_configuration_fit_a_desk() {
    changes_fit(DESK, "desk");
}

#[test]
fn timeline_branch_panel_and_configuration_fit_a_phone() {
    changes_fit(PHONE, "phone");
}
