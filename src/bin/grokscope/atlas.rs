//! `atlas`: a run, its fit, the fit's controls and the report, by one command.

use super::{fit, report, say, shown, train};
use grokscope::crosscoder::{Null, pick_sources, story};
use grokscope::engine::capability::EngineWish;
use grokscope::experiment::Experiment;
use grokscope::record::UserError;
use std::path::Path;

/// Trains `experiment` into `out`, makes the fits of the story under `out/crosscoders`, and writes `out/report.html`.
pub fn run(experiment: &Experiment, seed: u64, nulls: bool, engine: EngineWish, out: &Path) -> Result<(), UserError> {
    let archive = train::run(experiment, engine, Some(out), None)?;
    train::print_summary(&archive);
    let saved: Vec<u32> = archive.checkpoints.iter().map(|checkpoint| checkpoint.step).collect();
    let mut folders = Vec::new();
    for (config, what) in story(&pick_sources(&archive.rows, &saved)?, seed, nulls)? {
        say(&format!("\n{}: {what}", config.name));
        let folder = out.join("crosscoders").join(&config.name);
        fit::run(config, &archive, Vec::new(), Null::None, engine, &folder)?;
        folders.push(folder);
    }
    let page = out.join("report.html");
    report::run(out, &folders, &page)?;
    say(&format!("The whole story is in {}", shown(&page)));
    Ok(())
}
