//! The browser's side of `cargo xtask bench`, which sets the stage and prints the table.
//!
//! Measured in the page that people get, with the clock of the page, so that nothing of the driver's own time is counted.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement that meets a surprise should stop there"
)]

#[path = "../tests/browser/driver.rs"]
#[expect(dead_code, reason = "shared with the browser tests, which need more")]
mod driver;
#[path = "../tests/browser/page.rs"]
#[expect(dead_code, reason = "shared with the browser tests, which need more")]
mod page;

use driver::DESK;
use grokscope::experiment::{Link, link, presets};
use page::Page;
use std::time::{Duration, Instant};

/// Milliseconds from navigation to an entry of the page's own timeline; 0 if it has none.
fn milestone(page: &Page, kind: &str, name: &str) -> f64 {
    let found = page.js(&format!("performance.getEntriesByType('{kind}').find(e => e.name === '{name}')?.startTime ?? 0"));
    found.as_f64().unwrap()
}

fn main() {
    let quick = std::env::var_os("GROKSCOPE_BENCH_QUICK").is_some();
    let window = Duration::from_secs(if quick { 3 } else { 10 });
    // Evaluations thin out as the steps go on; past this step they hardly count.
    let settled = if quick { 20 } else { 100 };

    let page = Page::open(DESK, "");
    page.wait("the page to be interactive", "performance.getEntriesByName('grokscope-interactive').length", 30);
    println!("time:first_paint {}", milestone(&page, "paint", "first-contentful-paint"));
    println!("time:interactive {}", milestone(&page, "mark", "grokscope-interactive"));
    page.start_on_cpu();
    page.wait_for_phase("finished", 60);
    println!("time:start_to_first_point {}", page.seen().first().map_or(f64::NAN, |seen| seen.seconds * 1e3));
    drop(page);

    for preset in presets() {
        // Presets end within seconds on a fast machine, and some are evaluated at every step; this is about the step alone.
        let mut experiment = preset.experiment.clone();
        experiment.steps = 1_000_000;
        (experiment.logging.evaluate_every, experiment.logging.checkpoint_every) = (10_000, 100_000);
        let text = link::encode(&Link { experiment, crosscoder: None, fingerprint: None }).unwrap();
        let page = Page::open(DESK, &format!("#x={text}"));
        page.start_on_cpu();
        page.wait_for_step(settled, 600);
        let now = || page.js("[performance.now(), Number(document.getElementById('status').dataset.step)]");
        let (from, started) = (now(), Instant::now());
        // At least one more step, however slow the machine.
        while started.elapsed() < window || now()[1] == from[1] {
            std::thread::sleep(Duration::from_millis(200));
        }
        let to = now();
        let change = |i: usize| to[i].as_f64().unwrap() - from[i].as_f64().unwrap();
        println!("{} {:.3}", preset.name, change(0) / change(1));
        page.click("stop");
    }
}
