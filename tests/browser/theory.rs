//! The theory view: from the tab to a number, with the keyboard, by link, and on a phone.

use crate::driver::{DESK, PHONE, Screen};
use crate::page::{DELETE, ENTER, LEFT, Page, TAB};

/// The panel on the edge of separability.
fn open(screen: Screen) -> Page {
    let page = Page::open(screen, "#v=theory&p=edge");
    wait_for_phase(&page, "done");
    page
}

fn wait_for_phase(page: &Page, phase: &str) {
    let condition = format!("document.getElementById('theory-status')?.dataset.phase === '{phase}'");
    page.wait(&format!("a theory that is {phase}"), &condition, 60);
}

/// Waits until a number of the panel is another than before, and the panel is at rest.
fn wait_for_change(page: &Page, number: &str, before: f64) -> f64 {
    let condition = format!("document.getElementById('theory-number-{number}')?.dataset.value !== '{before}'");
    page.wait(&format!("another {number} than {before}"), &condition, 60);
    wait_for_phase(page, "done");
    page.number(&format!("theory-number-{number}"), "value")
}

#[test]
fn the_keyboard_leads_from_the_tab_to_a_drawn_panel() {
    let page = Page::open(DESK, "");
    page.js("document.getElementById('tab-theory').focus()");
    page.press(ENTER);
    wait_for_phase(&page, "done");
    assert_eq!(page.data("theory-status", "panel"), page.data("theory-body", "panel"));
    page.js("document.getElementById('theory-panel-edge').focus()");
    page.press(ENTER);
    wait_for_phase(&page, "done");
    assert_eq!(page.data("theory-status", "panel"), "edge");
    assert!(page.js("document.querySelector('#theory-body math').getBoundingClientRect().height > 20") == true, "no equation");
    page.settled("theory-figure-probability");
    page.settled("theory-residuals-probability");
    page.picture("desk theory");
    // Where there is a choice of panels, each can be reached by Tab from the tabs.
    page.js("document.getElementById('tab-theory').focus()");
    let reached = (0..40).any(|_| {
        page.press(TAB);
        page.js("document.activeElement?.id ?? ''") == "theory-dimension"
    });
    assert!(reached, "the first setting cannot be reached with the Tab key");
}

#[test]
fn numbers_follow_a_setting_and_a_bad_value_is_refused_beside_its_box() {
    let page = open(DESK);
    let before = page.number("theory-number-quartile_width", "value");
    assert_eq!(page.number("theory-number-law_at_2d", "value"), 0.5);
    let picture = page.settled("theory-figure-probability");
    page.fill("theory-dimension", "20");
    let after = wait_for_change(&page, "quartile_width", before);
    assert!(after < before, "the step is no narrower in more dimensions: {after} after {before}");
    assert_ne!(page.settled("theory-figure-probability"), picture);

    page.fill("theory-dimension", "1");
    let message = page.text("theory-error-dimension");
    assert!(message.contains('2') && message.contains("24"), "{message:?}");
    assert_eq!(page.js("document.getElementById('theory-dimension').getAttribute('aria-invalid')"), "true");
    assert_eq!(page.number("theory-number-quartile_width", "value"), after, "a refused value was computed");
    page.fill("theory-dimension", "10");
    assert_eq!(page.text("theory-error-dimension"), "");
    assert_eq!(wait_for_change(&page, "quartile_width", after), before, "the same settings give another number");

    assert_eq!(page.js("document.querySelectorAll('#theory-assumptions [data-holds=fails]').length"), 0);
    page.fill("theory-shift", "1");
    page.wait("an assumption that fails", "document.querySelector('#theory-assumptions [data-holds=fails]')", 60);
    page.click("theory-reset");
    page.wait("all assumptions to hold", "!document.querySelector('#theory-assumptions [data-holds=fails]')", 60);
}

#[test]
fn a_link_opens_the_same_settings_in_a_fresh_profile_and_gives_the_same_numbers() {
    let page = open(DESK);
    let before = page.number("theory-number-quartile_width", "value");
    page.fill("theory-dimension", "6");
    page.fill("theory-seed", "4");
    let shown = wait_for_change(&page, "quartile_width", before);
    let link = page.link();
    assert!(link.contains("v=theory") && link.contains("p=edge"), "{link}");
    let fragment = &link[link.find('#').unwrap()..];
    drop(page);
    let other = Page::open(DESK, fragment);
    wait_for_phase(&other, "done");
    assert_eq!((other.value("theory-dimension").as_str(), other.value("theory-seed").as_str()), ("6", "4"));
    assert_eq!(other.number("theory-number-quartile_width", "value"), shown);
    assert_eq!(other.text("error-card"), "");
    other.reload();
    wait_for_phase(&other, "done");
    assert_eq!(other.value("theory-dimension"), "6");
}

#[test]
fn an_address_with_an_unknown_panel_or_setting_says_so_and_shows_what_there_is() {
    let page = Page::open(DESK, "#v=theory&p=egde");
    page.wait("the refusal", "document.getElementById('error-card')?.checkVisibility()", 15);
    assert!(page.text("error-card").contains("edge"), "{}", page.text("error-card"));
    let page = Page::open(DESK, "#v=theory&p=edge&s=dimension%3A12&s=dimenson%3A3");
    page.wait("the refusal", "document.getElementById('error-card')?.checkVisibility()", 15);
    assert!(page.text("error-card").contains("dimension"), "{}", page.text("error-card"));
    assert_eq!(page.value("theory-dimension"), "12");
}

#[test]
fn a_figure_and_what_is_left_of_it_are_saved_as_they_are_shown() {
    let page = open(DESK);
    page.click("theory-figure-probability-save");
    page.click("theory-figure-probability-csv");
    let csv = std::fs::read_to_string(page.saved("edge-probability.csv")).unwrap();
    assert!(csv.lines().next().unwrap().contains("d = 10"), "{csv}");
    page.click("theory-residuals-probability-save");
    page.click("theory-residuals-probability-csv");
    let csv = std::fs::read_to_string(page.saved("edge-probability-residuals.csv")).unwrap();
    assert!(csv.lines().count() > 10, "{csv}");
}

#[test]
fn a_run_goes_on_beside_a_theory_and_ends_as_it_does_alone() {
    let page = Page::open(DESK, "");
    page.start_on_cpu();
    let alone = page.wait_for_end(120);
    drop(page);
    let page = Page::open(DESK, "");
    page.start_on_cpu();
    page.click("tab-theory");
    wait_for_phase(&page, "done");
    page.click("tab-run");
    assert_eq!(page.wait_for_end(120).fingerprint, alone.fingerprint);
}

#[test]
fn the_theory_view_fits_a_phone() {
    let page = open(PHONE);
    assert_eq!(page.js("document.getElementById('theory-choose').checkVisibility()"), true);
    page.settled("theory-figure-probability");
    page.assert_fits("the theory view");
    page.picture("phone theory");
    page.look_at("theory-numbers");
    page.picture("phone theory numbers");
}

#[test]
fn phase_planes_fill_while_they_are_looked_at_and_stop_when_told_to() {
    let page = Page::open(DESK, "#v=theory&p=representation&a=survey&s=phase_cells%3A4&s=phase_steps%3A60&s=width%3A8");
    wait_for_phase(&page, "idle");
    page.wait("the engine", "!document.getElementById('survey-begin').disabled", 60);
    page.click("survey-begin");
    wait_for_phase(&page, "done");
    assert_eq!(page.number("survey-words", "done"), 1.0);
    assert!(page.text("theory-status").starts_with("32 of 32 cells"), "{}", page.text("theory-status"));
    page.settled("theory-figure-phases-rates");
    page.settled("theory-figure-phases-decay");

    page.fill("theory-phase_cells", "30");
    page.fill("theory-phase_steps", "2000");
    assert!(page.text("survey-words").contains("Of other settings"), "{}", page.text("survey-words"));
    page.click("survey-begin");
    page.wait("the first cells", "document.getElementById('theory-number-confusion')", 60);
    wait_for_phase(&page, "surveying");
    page.picture("desk theory survey");
    page.click("survey-stop");
    wait_for_phase(&page, "stopped");
    assert!(page.number("survey-words", "done") < 1.0);
    // What it had found stays, and the panel's own system is a button away.
    assert!(page.text("theory-status").contains("of 1800 cells"), "{}", page.text("theory-status"));
    let found = page.text("theory-status");
    page.reload();
    wait_for_phase(&page, "stopped");
    assert_eq!(page.text("theory-status"), found);
    page.click("theory-against-system");
    wait_for_phase(&page, "done");
    page.settled("theory-figure-spectrum");
}

#[test]
fn theory_speaks_of_the_run_on_the_page_while_it_goes_and_says_why_it_does_not() {
    let page = Page::open(DESK, "");
    page.start_on_cpu();
    page.wait("rows", "document.getElementById('run-theory')?.checkVisibility()", 60);
    page.click("run-theory");
    page.wait(
        "the first panel that speaks",
        "document.getElementById('theory-body')?.dataset.panel === 'max-margin-fourier'",
        15,
    );
    assert!(page.text("theory-verdict").contains("widest margin"), "{}", page.text("theory-verdict"));
    // What a panel lacks is taken from here, once the run is over.
    let take = || {
        page.wait("the measure offered", "document.getElementById('theory-measure')?.disabled === false", 120);
        page.click("theory-measure");
        wait_for_phase(&page, "done");
    };
    take();
    page.wait("the last checkpoint", "document.getElementById('theory-status').innerText.startsWith('At step 300')", 60);
    page.settled("theory-figure-run");
    let speaks = |panel: &str| page.js(&format!("!document.querySelector('#theory-panel-{panel} .speaks').hidden"));
    assert_eq!((speaks("norm-law"), speaks("linear")), (true.into(), false.into()));
    // A theory whose assumptions hold on paper may still have nothing to say.
    page.click("theory-panel-norm-law");
    wait_for_phase(&page, "refused");
    assert!(page.text("theory-status").contains("does not fall"), "{}", page.text("theory-status"));
    page.click("theory-panel-circuit-efficiency");
    take();
    page.settled("theory-figure-circuit-shares");
    page.picture("desk theory run");
    let link = page.link();
    assert!(link.contains("a=run") && link.contains("p=circuit-efficiency"), "{link}");

    // Lists as long as a layer reach the panel as well.
    page.click("theory-panel-statistical-physics");
    take();
    page.wait("the last checkpoint", "document.getElementById('theory-status').innerText.includes('of 256 are locked')", 60);
    page.settled("theory-figure-neurons");

    page.click("theory-panel-edge");
    wait_for_phase(&page, "done");
    assert!(page.text("theory-verdict").contains("one label for all inputs"), "{}", page.text("theory-verdict"));
    assert_eq!(page.js("document.getElementById('theory-against-run').checkVisibility()"), false);
    drop(page);

    // Whoever gets the link has no run yet, and is told so.
    let other = Page::open(DESK, &link[link.find('#').unwrap()..]);
    wait_for_phase(&other, "refused");
    assert!(other.text("theory-status").contains("Start one"), "{}", other.text("theory-status"));
}

#[test]
fn points_are_dragged_and_moved_with_the_keyboard_and_the_answer_follows() {
    let page = Page::open(DESK, "#v=theory&p=separable");
    wait_for_phase(&page, "done");
    let start = page.number("theory-number-margin", "value");
    page.settled("theory-figure-plane");
    page.drag("theory-handle-1", (60, -40));
    let dragged = wait_for_change(&page, "margin", start);
    assert_eq!(page.value("theory-data"), "points");
    page.picture("desk theory handles");
    page.js("document.getElementById('theory-handle-0').focus()");
    (0..4).for_each(|_| page.press(LEFT));
    let moved = wait_for_change(&page, "margin", dragged);
    assert!(page.js("document.activeElement.id") == "theory-handle-0", "the handle lost the focus");
    // On the other side the two points are hardly separable any more, or not at all: the panel answers either way.
    page.press(ENTER);
    page.wait("the other side", "document.getElementById('theory-handle-0').ariaLabel.includes('minus')", 15);
    page.press(ENTER);
    page.wait("the first side", "document.getElementById('theory-handle-0').ariaLabel.includes('plus')", 15);
    page.click("theory-add-point");
    page.wait("a third point", "document.getElementById('theory-handle-2')", 15);
    page.js("document.getElementById('theory-handle-2').focus()");
    page.press(DELETE);
    page.wait("two points", "!document.getElementById('theory-handle-2')", 15);
    wait_for_phase(&page, "done");
    assert_eq!(page.number("theory-number-margin", "value"), moved);
    let link = page.link();
    assert!(link.contains("points"), "{link}");
}
