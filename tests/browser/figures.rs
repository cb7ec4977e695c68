//! Figures as files: what is saved must be what was measured, and readable without this page.

use crate::adversity::landing;
use crate::driver::{DESK, PHONE};
use crate::page::{END, ENTER, HOME, Page};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grokscope::record::Archive;
use serde_json::{Value, json};

/// WebDriver's name of the Escape key.
const ESCAPE: &str = "\u{E00C}";

/// A page on which the landing experiment has ended.
fn finished(screen: crate::driver::Screen) -> Page {
    let page = Page::open(screen, "");
    page.start_on_cpu();
    page.wait_for_end(60);
    page
}

/// The text of the one file with this ending that a button saves.
fn saved_text(page: &Page, button: &str, ending: &str) -> String {
    page.click(button);
    std::fs::read_to_string(page.saved(ending)).unwrap()
}

#[test]
fn the_numbers_of_the_loss_chart_are_those_of_the_archive() {
    let page = finished(DESK);
    page.click("export");
    let archive = Archive::from_zip(&std::fs::read(page.saved(".grok.zip")).unwrap()).unwrap();
    let csv = saved_text(&page, "loss-chart-csv", ".csv");
    let name = page.saved(".csv").file_name().unwrap().to_string_lossy().into_owned();
    assert_eq!(name, format!("{}-loss-chart.csv", landing().name));
    let mut lines = csv.lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!(head[0], "step");
    let column = |name: &str| head.iter().position(|title| title.ends_with(name)).unwrap_or_else(|| panic!("{name}: {head:?}"));
    let (train, test) = (column("train"), column("test"));
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), archive.rows.len());
    for (row, meant) in rows.iter().zip(&archive.rows) {
        let read = |column: usize| row[column].parse::<f32>().unwrap();
        assert_eq!(row[0].parse::<u32>().unwrap(), meant.step);
        assert_eq!((read(train), read(test)), (meant.train_loss, meant.test_loss), "at step {}", meant.step);
    }
}

#[test]
fn the_loss_chart_is_saved_as_a_drawing_with_its_words_as_text() {
    let page = finished(DESK);
    let svg = saved_text(&page, "loss-chart-svg", "-loss-chart.svg");
    for word in ["train", "test", "step"] {
        assert!(svg.contains(&format!(">{word}</text>")), "{word:?} is not a text");
    }
    assert!(!svg.contains("NaN"), "a number that is none");
    let told = page.js(&format!(
        "(() => {{ const drawing = new DOMParser().parseFromString({}, 'image/svg+xml'); return [drawing.querySelector('parsererror') \
         === null, drawing.documentElement.tagName, drawing.querySelectorAll('polyline').length]; }})()",
        json!(svg)
    ));
    assert_eq!((&told[0], &told[1]), (&Value::Bool(true), &json!("svg")));
    assert!(told[2].as_u64().unwrap() >= 2, "two lines: {told}");
}

#[test]
fn the_loss_chart_is_saved_as_a_picture_with_its_surface_at_twice_the_pixels() {
    let page = finished(DESK);
    page.click("loss-chart-png");
    let png = std::fs::read(page.saved("-loss-chart.png")).unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let told = page.js(&format!(
        "(async () => {{ const image = new Image(); image.src = 'data:image/png;base64,{}'; await image.decode(); \
         const canvas = document.createElement('canvas'); canvas.width = image.width; canvas.height = image.height; \
         const context = canvas.getContext('2d'); context.drawImage(image, 0, 0); \
         const pixels = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer); \
         const shown = document.getElementById('loss-chart').getBoundingClientRect(); \
         return [image.width / shown.width, image.height / shown.height, new Set(pixels).size, pixels[0] >>> 24]; }})()",
        STANDARD.encode(&png)
    ));
    let number = |index: usize| told[index].as_f64().unwrap();
    assert!(number(0) >= 1.99 && number(1) >= 1.99, "pixels per CSS pixel: {told}");
    assert!(number(2) > 10.0, "the picture is blank: {told}");
    assert_eq!(number(3), 255.0, "the surface shows through: {told}");
}

#[test]
fn a_figure_at_the_time_slider_is_saved_under_its_step() {
    let page = finished(DESK);
    page.click("tab-inside");
    page.wait(
        "all measures",
        "document.getElementById('measuring')?.dataset.state === 'done' && document.getElementById('inside-facts').dataset.restricted !== '–'",
        60,
    );
    let saved_at = |end: &str| {
        page.keys("time-slider", end);
        let step = page.number("inside-facts", "step");
        (step, saved_text(&page, "spectrum-chart-csv", &format!("-step-{step}.csv")))
    };
    let ((early, first), (late, last)) = (saved_at(HOME), saved_at(END));
    assert!(early < late);
    assert_eq!(first.lines().count(), last.lines().count());
    assert_ne!(first, last, "both steps have one spectrum");
}

#[test]
fn a_figure_can_be_saved_with_the_keyboard_and_the_menu_goes_again() {
    let page = Page::open(DESK, "");
    let is_open = || page.js("document.getElementById('loss-chart-csv').checkVisibility()") == Value::Bool(true);
    page.wait("the chart", "document.getElementById('loss-chart-save')", 15);
    assert!(!is_open(), "the menu is open from the start");
    // Reaching into the menu opens it.
    page.keys("loss-chart-save", ESCAPE);
    assert!(!is_open(), "Escape left the menu open");
    page.js("document.getElementById('loss-chart-save').focus()");
    page.press(ENTER);
    assert!(is_open(), "Enter does not open the menu");
    page.keys("loss-chart-csv", ENTER);
    assert!(std::fs::read_to_string(page.saved("-loss-chart.csv")).unwrap().starts_with("step,"));
    assert!(!is_open(), "the menu stayed open");
    assert_eq!(page.js("document.activeElement.id"), json!("loss-chart-save"), "the focus was lost");
}

#[test]
fn every_menu_of_the_figures_fits_a_phone() {
    let page = finished(PHONE);
    for (tab, figures) in [
        ("tab-run", &["loss-chart", "accuracy-chart"][..]),
        (
            "tab-inside",
            &[
                "spectrum-chart",
                "spectrum-map",
                "embedding-chart",
                "margin-map",
                "phase-chart",
                "coefficient-chart",
                "neuron-map",
                "measure-chart",
            ],
        ),
    ] {
        page.click(tab);
        for figure in figures {
            page.look_at(&format!("{figure}-csv"));
            page.assert_fits(&format!("the menu of {figure}"));
            let left = page.js(&format!("document.getElementById('{figure}-csv').getBoundingClientRect().left"));
            assert!(left.as_f64().unwrap() >= 0.0, "the menu of {figure} begins at {left}");
        }
        page.picture(&format!("phone save {tab}"));
    }
}
