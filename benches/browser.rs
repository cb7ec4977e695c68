//! The browser's side of `cargo xtask bench`, which sets the stage and prints the table.
//!
//! Paint times come from the page that people get, by the page's own clock. Milliseconds per update come from its worker, asked
//! as `grokscope bench` asks natively, so that the two columns mean the same.

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
#[path = "../tests/browser/worker.rs"]
mod worker;

use driver::DESK;
use grokscope::engine::capability::EngineWish;
use grokscope::engine::message::{Command, Event, MeasureOrder};
use grokscope::experiment::{preset, presets};
use grokscope::record::Checkpoint;
use page::Page;

/// Milliseconds from navigation to an entry of the page's own timeline; 0 if it has none.
fn milestone(page: &Page, kind: &str, name: &str) -> f64 {
    let found = page.js(&format!("performance.getEntriesByType('{kind}').find(e => e.name === '{name}')?.startTime ?? 0"));
    found.as_f64().unwrap()
}

/// As `grokscope bench` does natively: each measure of one checkpoint of the flagship.
fn measures(engine: &worker::Engine, updates: u32) {
    let mut experiment = preset("transformer-59-mirror").unwrap().experiment.clone();
    (experiment.steps, experiment.logging.checkpoint_every, experiment.logging.evaluate_every) = (updates, updates, updates);
    engine.send(&Command::Start { experiment: experiment.clone(), engine: EngineWish::Cpu, resume: None });
    let events = engine.events_until(|event| matches!(event, Event::Finished(_)));
    let checkpoints: Vec<Checkpoint> = events
        .into_iter()
        .filter_map(|event| match event {
            Event::Checkpoint(checkpoint) => Some(checkpoint),
            _ => None,
        })
        .collect();
    for measure in grokscope::measure::measures_for(&experiment, grokscope::measure::Cost::Sampling) {
        let measures = vec![measure.name.to_owned()];
        let order = MeasureOrder { checkpoints: checkpoints.clone(), steps: vec![updates], measures };
        engine.send(&Command::Measure(experiment.clone(), order));
        for event in engine.events_until(|event| matches!(event, Event::MeasuresDone { .. })) {
            if let Event::MeasuresDone { worked_ms } = event {
                println!("measure:{} {worked_ms:.1}", measure.name);
            }
        }
    }
}

fn main() {
    let updates: u32 = if std::env::var_os("GROKSCOPE_BENCH_QUICK").is_some() { 10 } else { 40 };

    let page = Page::open(DESK, "");
    page.wait("the page to be interactive", "performance.getEntriesByName('grokscope-interactive').length", 30);
    println!("time:first_paint {}", milestone(&page, "paint", "first-contentful-paint"));
    println!("time:interactive {}", milestone(&page, "mark", "grokscope-interactive"));
    page.start_on_cpu();
    page.wait_for_end(60);
    println!("time:start_to_first_point {}", page.seen().first().map_or(f64::NAN, |seen| seen.seconds * 1e3));
    drop(page);

    let engine = worker::Engine::start();
    for preset in presets() {
        let mut experiment = preset.experiment.clone();
        experiment.steps = updates;
        // What changes on the way lies beyond so short a run, and would be refused.
        experiment.timeline.clear();
        (experiment.logging.evaluate_every, experiment.logging.checkpoint_every) = (updates, updates);
        engine.send(&Command::Start { experiment, engine: EngineWish::Cpu, resume: None });
        let ticks = engine.events_until(|event| matches!(event, Event::Finished(_)));
        // The fastest tick: the others hold an evaluation or a disturbance from outside.
        let fastest = ticks.iter().fold(f32::INFINITY, |fastest, event| match event {
            Event::Progress { step, ms_per_step } if *step > updates / 5 => fastest.min(*ms_per_step),
            _ => fastest,
        });
        println!("{} {fastest:.3}", preset.name);
    }
    measures(&engine, updates);
}
