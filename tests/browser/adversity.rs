//! What must not happen to a person: silence, a lost run, a start that cannot work.

use crate::driver::DESK;
use crate::page::Page;
use grokscope::experiment::{Experiment, Link, link, preset, with_value};
use grokscope::record::Archive;
use std::time::Duration;

pub fn landing() -> Experiment {
    preset("quadratic-31").unwrap().experiment.clone()
}

#[test]
fn a_damaged_link_and_a_newer_one_are_explained_and_leave_a_working_page() {
    let text = link::encode(&Link { experiment: landing(), crosscoder: None, fingerprint: None }).unwrap();
    let cut = &text[..text.len() - 3];
    let notice = |text: &str| {
        let page = Page::open(DESK, &format!("#x={text}"));
        page.wait("a notice about the link", "document.getElementById('link-notice')?.checkVisibility()", 10);
        let notice = page.text("link-notice");
        page.start_on_cpu();
        page.wait_for_end(60);
        notice
    };
    assert!(notice(cut).contains("damaged"));
    assert!(!notice("%00%ff<script>").is_empty());
    // The same link as version 9 with a right checksum.
    let newer = {
        use base64::Engine as _;
        let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let mut bytes = engine.decode(&text).unwrap();
        bytes.truncate(bytes.len() - 4);
        bytes[0] = 9;
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        engine.encode(bytes)
    };
    assert!(notice(&newer).contains("newer"));
}

#[test]
fn division_by_a_composite_modulus_is_refused_beside_the_field() {
    let page = Page::open(DESK, "");
    page.choose("field-task-operation", "div");
    page.fill("field-task-modulus", "12");
    page.assert_refused("task-modulus", "prime");
    page.fill("field-task-modulus", "13");
    assert_eq!(page.text("error-task-modulus"), "", "the message stays after the mistake is gone");
}

#[test]
fn text_that_is_no_number_is_refused_beside_the_field() {
    let page = Page::open(DESK, "");
    page.fill("field-optimizer-learning_rate", "fast");
    page.assert_refused("optimizer-learning_rate", "fast");
}

#[test]
fn a_split_without_training_rows_is_refused_beside_the_field() {
    let page = Page::open(DESK, "");
    page.fill("field-task-train_fraction", "0.0001");
    page.assert_refused("task-train_fraction", "training");
}

#[test]
fn a_size_beyond_memory_is_refused_beside_the_field() {
    let page = Page::open(DESK, "");
    page.fill("field-model-width", "4096");
    page.fill("field-task-modulus", "401");
    page.assert_refused("task-modulus", "MB");
}

#[test]
fn a_loss_that_is_no_longer_finite_ends_the_run_with_its_step_and_keeps_the_curves() {
    // Without memory of the second moment a gradient that passes zero makes an unbounded update; overflow within 30 steps.
    let mut wild = with_value(&landing(), "optimizer.betas", "0.9,0").unwrap();
    (wild.optimizer.learning_rate, wild.optimizer.weight_decay) = (10.0, 0.0);
    let page = Page::of(DESK, &wild);
    page.start_on_cpu();
    let end = page.wait_for_phase("failed", 60);
    assert!((1..100).contains(&end.step), "{end:?}");
    // The phase is told first, the reason right after it.
    page.wait("the message", "document.getElementById('error-card')?.checkVisibility()", 5);
    let words = page.text("error-card");
    assert!(words.contains("step"), "the message does not name the step: {words:?}");
    assert!(page.colours("loss-chart") > 2, "the curves are gone");
    page.click("export");
    let archive = exported(&page);
    assert!(!archive.rows.is_empty(), "the failed run's metrics were not kept");
}

#[test]
fn starting_twice_is_harmless() {
    let page = Page::open(DESK, "");
    page.choose("engine-wish", "cpu");
    page.js("(() => { const start = document.getElementById('start'); start.click(); start.click(); start.click(); })()");
    let twice = page.wait_for_end(60);
    assert_eq!(page.text("error-card"), "");

    let once = Page::open(DESK, "");
    once.start_on_cpu();
    let once = once.wait_for_end(60);
    assert_eq!((twice.fingerprint, twice.step), (once.fingerprint, once.step));
}

/// An experiment long enough to be interrupted: the landing one with more steps and coarser records.
fn long() -> Experiment {
    let mut long = landing();
    long.steps = 3000;
    long.logging.evaluate_every = 50;
    long.logging.checkpoint_every = 250;
    long
}

#[test]
fn a_run_interrupted_by_a_reload_resumes_to_the_same_fingerprint() {
    let whole = Page::of(DESK, &long());
    whole.start_on_cpu();
    let whole = whole.wait_for_end(300);

    let page = Page::of(DESK, &long());
    page.start_on_cpu();
    page.wait_for_step(1200, 200);
    page.reload();
    page.wait("the card about the interrupted run", "document.getElementById('resume-card')?.checkVisibility()", 15);
    page.picture("resume card");
    page.click("resume");
    page.wait("the run to go on", "['running', 'finished'].includes(document.getElementById('status').dataset.phase)", 30);
    let resumed_at = page.status().step;
    assert!(resumed_at > 0, "it began anew");
    let resumed = page.wait_for_end(300);
    assert_eq!(resumed.step, whole.step);
    assert_eq!(resumed.fingerprint, whole.fingerprint, "resumed at step {resumed_at}");
    assert_eq!((resumed.t_mem, resumed.t_gen), (whole.t_mem, whole.t_gen));
}

fn exported(page: &Page) -> Archive {
    Archive::from_zip(&std::fs::read(page.saved(".grok.zip")).unwrap()).unwrap()
}

#[test]
fn an_exported_run_imports_in_a_fresh_profile_with_all_it_had() {
    let page = Page::open(DESK, "");
    page.start_on_cpu();
    let sent = page.wait_for_end(60);
    page.click("export");
    let file = page.saved(".grok.zip");
    let archive = exported(&page);
    assert_eq!(archive.experiment, landing());
    assert_eq!(archive.fingerprint().unwrap(), sent.fingerprint, "the archive's own content gives another fingerprint");

    let other = Page::open(DESK, "");
    other.keys("import", file.to_str().unwrap());
    let received = other.wait_for_end(30);
    assert_eq!((received.fingerprint, received.step), (sent.fingerprint, sent.step));
    assert_eq!((received.t_mem, received.t_gen), (sent.t_mem, sent.t_gen));
    assert!((received.test_accuracy - sent.test_accuracy).abs() < 1e-6);
    assert!(other.colours("accuracy-chart") > 2, "the imported curves are not drawn");
    other.click("tab-inside");
    other.wait("the time slider", "Number(document.getElementById('time-slider')?.max) > 0", 10);
}

#[test]
fn a_broken_archive_is_explained_and_the_run_on_the_page_stays() {
    let page = Page::open(DESK, "");
    page.start_on_cpu();
    let kept = page.wait_for_end(60);
    page.click("export");
    let file = page.saved(".grok.zip");
    let whole = std::fs::read(&file).unwrap();
    let broken = page.driver.downloads.path().join("broken.zip");
    std::fs::write(&broken, &whole[..whole.len() / 2]).unwrap();
    page.keys("import", broken.to_str().unwrap());
    page.wait("a message about the archive", "document.getElementById('error-card')?.checkVisibility()", 15);
    assert!(page.text("error-card").contains("archive"), "{}", page.text("error-card"));
    assert_eq!(page.status().fingerprint, kept.fingerprint, "the run on the page was lost");
}

#[test]
fn a_finished_run_is_offered_again_after_a_reload_and_needs_no_resume() {
    let page = Page::open(DESK, "");
    page.start_on_cpu();
    let end = page.wait_for_end(60);
    // What was written last may still be on its way to the disk.
    std::thread::sleep(Duration::from_millis(500));
    page.reload();
    page.click("open-stored");
    assert_eq!(page.text("resume-card"), "");
    let again = page.wait_for_end(10);
    assert_eq!((again.fingerprint, again.step), (end.fingerprint, end.step));
    assert!(page.colours("loss-chart") > 2, "the stored curves are not drawn");
}

#[test]
fn a_page_of_a_later_build_gets_the_storage_and_this_one_says_so() {
    let page = Page::open(DESK, "");
    page.start_on_cpu();
    let end = page.wait_for_end(60);
    // What a page with another format of the storage does; it would be granted nothing while this one held on.
    page.js("(() => { indexedDB.open('grokscope', 99).onsuccess = () => { window.granted = true; }; return 0; })()");
    page.wait("the storage to be let go of", "window.granted === true", 10);
    page.wait("the message", "document.getElementById('error-card')?.checkVisibility()", 10);
    assert!(page.text("error-card").contains("newer Grokscope"), "{}", page.text("error-card"));
    assert_eq!(page.status().fingerprint, end.fingerprint);
}
