//! How the page meets a small screen, a keyboard and a dark room.

use crate::driver::{DESK, PHONE, Screen, exists, fetch, site};
use crate::page::{ENTER, Page, TAB};
use serde_json::json;

fn every_view_fits(screen: Screen, name: &str) {
    let page = Page::open(screen, "");
    page.assert_fits("the page before a run");
    page.picture(&format!("{name} before"));
    page.start_on_cpu();
    page.wait_for_end(60);
    for tab in ["tab-run", "tab-inside", "tab-atlas"] {
        page.click(tab);
        std::thread::sleep(std::time::Duration::from_millis(300));
        page.assert_fits(tab);
        page.picture(&format!("{name} {tab}"));
    }
    assert!(page.text("error-card").is_empty(), "{}", page.text("error-card"));
}

#[test]
fn every_view_fits_a_phone_and_the_landing_run_works_there() {
    every_view_fits(PHONE, "phone");
}

#[test]
fn every_view_fits_a_desk() {
    every_view_fits(DESK, "desk");
}

#[test]
fn the_landing_run_can_be_started_with_the_keyboard_alone() {
    let page = Page::open(DESK, "");
    let focused = || page.js("document.activeElement?.id").as_str().unwrap_or_default().to_owned();
    let mut visited = Vec::new();
    while focused() != "start" {
        page.press(TAB);
        visited.push(focused());
        assert!(visited.len() <= 40, "Start is not within 40 presses of Tab: {visited:?}");
    }
    let ring = page.js("(s => s.outlineStyle !== 'none' || s.boxShadow !== 'none')(getComputedStyle(document.activeElement))");
    assert_eq!(ring, true, "nothing shows where the focus is");
    page.press(ENTER);
    page.wait_for_end(120);
}

#[test]
fn the_page_is_light_by_day_and_dark_by_night() {
    // Relative luminance of the page's background, 0 (black) to 1 (white).
    let luminance = |scheme: &str| {
        let page = Page::blank(DESK);
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        page.driver.devtools("Emulation.setEmulatedMedia", &features);
        page.go(&site());
        page.start_on_cpu();
        page.wait_for_end(60);
        page.picture(&format!("desk {scheme}"));
        let value = page.js("(() => { const canvas = document.createElement('canvas').getContext('2d'); \
             canvas.fillStyle = getComputedStyle(document.body).backgroundColor; canvas.fillRect(0, 0, 1, 1); \
             const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data; return (.2126 * r + .7152 * g + .0722 * b) / 255; })()");
        value.as_f64().unwrap()
    };
    let (day, night) = (luminance("light"), luminance("dark"));
    assert!(day > 0.8, "light background has luminance {day}");
    assert!(night < 0.2, "dark background has luminance {night}");
}

#[test]
fn every_link_of_the_site_is_relative_and_leads_somewhere() {
    let index = fetch(&site());
    assert!(!index.contains("{{"), "a token was left in index.html");
    let links: Vec<&str> = index.split(['"', '\'']).filter_map(|text| text.strip_prefix("./")).collect();
    for kind in ["page-", "worker-", "style-", "icon-"] {
        assert!(links.iter().any(|link| link.starts_with(kind)), "no link to {kind}… among {links:?}");
    }
    for link in links {
        assert!(exists(&format!("{}{link}", site())), "nothing is served at {link}");
    }
    assert!(!exists(&format!("{}missing.js", site())), "the server answers anything");
}
