//! Looking inside a finished run: pictures that follow the slider, parts that are taken out, measures that stay.

use crate::driver::{DESK, PHONE, Screen};
use crate::page::{END, Page};
use grokscope::record::{Archive, MeasureTable, Weights, unzip_files};
use std::time::Instant;

const LEFT: &str = "\u{e012}";

fn finished(screen: Screen) -> Page {
    let page = Page::open(screen, "");
    page.start_on_cpu();
    page.wait_for_end(60);
    page.click("tab-inside");
    measured(&page);
    page
}

fn measured(page: &Page) {
    page.wait(
        "all measures",
        "document.getElementById('measuring')?.dataset.state === 'done' && \
         Number.isFinite(Number(document.getElementById('inside-facts').dataset.restricted)) && \
         document.getElementById('inside-facts').dataset.restricted !== '–'",
        90,
    );
}

const PICTURES: [&str; 4] = ["spectrum-chart", "margin-map", "embedding-chart", "coefficient-chart"];

/// A picture's hash; what is out of sight is not drawn.
fn drawn(page: &Page, id: &str) -> u64 {
    page.look_at(id);
    std::thread::sleep(std::time::Duration::from_millis(400));
    assert!(page.colours(id) > 2, "{id} is blank");
    page.picture_hash(id)
}

/// The step that the pictures of the engine show.
const SHOWN: &str = "Number((document.getElementById('margin-map').getAttribute('aria-label').match(/step ([\\d,]+)/) ?? [0, '-1'])[1].replaceAll(',', ''))";

#[test]
fn sixty_checkpoints_are_scrubbed_by_keyboard_and_every_picture_follows() {
    let page = finished(DESK);
    page.keys("time-slider", END);
    page.wait("the last look", &format!("{SHOWN} === 300"), 20);
    let last = PICTURES.map(|id| drawn(&page, id));
    let count: u32 = page.js("document.getElementById('time-slider').max").as_str().unwrap().parse().unwrap();
    assert!(count >= 60, "{count}");
    let started = Instant::now();
    for _ in 0..count {
        page.press(LEFT);
        page.wait(
            "the look at the slider",
            &format!("{SHOWN} === Number(document.getElementById('time-slider').dataset.step)"),
            20,
        );
    }
    let seconds = started.elapsed().as_secs_f64();
    // For people: how long something takes never decides a test.
    eprintln!(
        "{count} checkpoints in {seconds:.1} s: {:.1} per second, the driver's round trips included",
        f64::from(count) / seconds
    );
    assert_eq!(page.data("time-slider", "step"), "0");
    page.wait("the facts", "document.getElementById('inside-facts').dataset.step === '0'", 10);
    for (id, last) in PICTURES.into_iter().zip(last) {
        assert_ne!(drawn(&page, id), last, "{id} looks as at the end");
    }
    page.keys("time-slider", END);
    page.wait("the way back", &format!("{SHOWN} === 300"), 20);
    page.picture("inside");
}

#[test]
fn a_key_frequency_that_is_taken_out_is_missed_and_another_is_not() {
    let page = Page::open(DESK, "");
    page.choose("preset", "transformer-59-mirror");
    page.start_on_cpu();
    page.wait_for_end(300);
    page.click("tab-inside");
    measured(&page);
    let keys: Vec<u32> = page.data("inside-facts", "keys").split(", ").map(|key| key.parse().unwrap()).collect();
    assert!(!keys.is_empty() && keys.len() < 10, "few frequencies carry the logits: {keys:?}");
    let other = (1..=29).find(|k| !keys.contains(k)).unwrap();
    let loss_without = |k: u32| {
        page.fill("ablate-component", &k.to_string());
        page.wait("the ablation", &format!("document.getElementById('ablation')?.dataset.part === 'frequency {k}'"), 20);
        let found = (page.number("ablation", "testLoss"), page.number("ablation", "testLossWithout"));
        page.picture(&format!("without {k}"));
        page.click("ablation-undo");
        page.wait("the whole network", "!document.getElementById('ablation')", 20);
        found
    };
    let (whole, without_key) = loss_without(keys[0]);
    let (_, without_other) = loss_without(other);
    assert!(without_key > 10.0 * whole && without_key > 0.1, "key {}: {whole} → {without_key}", keys[0]);
    assert!(without_other < 2.0 * whole + 0.01, "other {other}: {whole} → {without_other}");
    assert!(page.text("phases").contains("Phases end at steps"), "{}", page.text("phases"));
    page.click("ablate-head-0");
    page.wait("the head", "document.getElementById('ablation')?.dataset.part === 'head 1'", 20);
}

#[test]
fn measures_are_in_the_archive_and_there_again_after_a_reload() {
    let page = finished(DESK);
    page.click("measure-gradient_noise");
    page.wait("the slow measure", "document.querySelector('[data-measure=gradient_noise]').innerText.includes('oise')", 60);
    page.wait("the end of measuring", "document.getElementById('measuring').dataset.state === 'done'", 60);
    page.click("export");
    let bytes = std::fs::read(page.saved(".grok.zip")).unwrap();
    let files = unzip_files(&bytes, 1 << 28).unwrap();
    let text = |name: &str| String::from_utf8(files.iter().find(|(path, _)| path == name).unwrap().1.clone()).unwrap();
    let table = MeasureTable::from_json(&text("measures.json")).unwrap();
    let saved = files.iter().filter(|(path, _)| path.starts_with("checkpoints/")).count();
    assert!(saved > 60, "{saved}");
    assert_eq!((table.curve("restricted_loss").len(), table.curve("full_gradient_norm").len()), (saved, 1));
    assert_eq!(text("measures.csv").lines().count(), table.rows.len() + 1);
    // What only training can measure, at every evaluation after the first.
    let evaluations = text("metrics.csv").lines().count() - 1;
    assert_eq!(table.curve("gradient_norm").len(), evaluations - 1);
    page.reload();
    page.click("open-stored");
    page.click("tab-inside");
    page.wait("the stored measures", "document.getElementById('inside-facts')?.dataset.restricted !== '–'", 30);
    page.choose("measure-choice", "gradient_norm");
    page.wait("the norm of the gradient", "document.getElementById('measure-here').innerText.startsWith('At step')", 10);
    for figure in ["measure-chart", "norms-chart"] {
        page.look_at(figure);
        page.settled(figure);
        page.picture(&format!("stored {figure}"));
    }
}

#[test]
fn a_phone_shows_the_same_pictures_without_scrolling_sideways() {
    let page = finished(PHONE);
    page.wait("a look", &format!("{SHOWN} === 300"), 20);
    page.assert_fits("the view Inside on a phone");
    page.picture("inside phone");
}

#[test]
fn weights_of_another_network_are_refused_once_and_the_curves_stay() {
    let page = Page::open(DESK, "");
    page.start_on_cpu();
    let end = page.wait_for_end(60);
    page.click("export");
    let mut archive = Archive::from_zip(&std::fs::read(page.saved(".grok.zip")).unwrap()).unwrap();
    for checkpoint in &mut archive.checkpoints {
        checkpoint.weights = Weights::default().to_safetensors(None).unwrap();
    }
    let file = page.driver.downloads.path().join("empty-weights.grok.zip");
    std::fs::write(&file, archive.to_zip().unwrap()).unwrap();
    page.keys("import", file.to_str().unwrap());
    page.wait("the archive", "document.getElementById('time-slider')?.max > 0", 15);
    page.click("tab-inside");
    page.wait("the refusal", "document.getElementById('measuring')?.dataset.state === 'halted'", 20);
    assert!(page.text("error-card").contains("lack the tensor"), "{}", page.text("error-card"));
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert_eq!(page.data("measuring", "state"), "halted", "it was asked for again and again");
    assert_eq!(page.status().fingerprint, end.fingerprint);
}

#[test]
fn measuring_that_is_stopped_stays_stopped_until_it_is_wanted_again() {
    let page = Page::open(DESK, "");
    page.start_on_cpu();
    page.wait_for_end(60);
    page.click("tab-inside");
    page.wait("measuring", "document.getElementById('measuring')?.dataset.state === 'running'", 20);
    page.click("measure-cancel");
    page.wait("the stop", "document.getElementById('measuring').dataset.state === 'halted'", 20);
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert_eq!(page.data("measuring", "state"), "halted", "it went on by itself");
    page.click("measure-again");
    measured(&page);
}
