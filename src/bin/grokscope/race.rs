//! `race` and `races`.

use super::{folder, progress, say};
use grokscope::engine::capability::EngineWish;
use grokscope::engine::converse;
use grokscope::engine::message::{Command, Event};
use grokscope::race::{RaceConfig, race_preset, race_presets};
use grokscope::record::UserError;
use std::path::Path;

/// Lists the races, or prints one as JSON.
pub fn list(name: Option<&str>) -> Result<(), UserError> {
    match name {
        Some(name) => say(&race_preset(name)?.config.to_json()),
        None => {
            for preset in race_presets() {
                say(&format!("{:<24} {}", preset.name, preset.question));
            }
        }
    }
    Ok(())
}

/// Runs a race and writes `race.json` and `race.csv`.
pub fn run(file: Option<&Path>, preset: Option<&str>, engine: EngineWish, out: &Path) -> Result<(), UserError> {
    let config = match (file, preset) {
        (_, Some(name)) => race_preset(name)?.config.clone(),
        (Some(file), None) => RaceConfig::from_json(&folder::text(file)?)?,
        (None, None) => return Err(UserError::new("Nothing was asked for", "Name a file or a preset")),
    };
    config.validate()?;
    let bar = progress(1000, "‰");
    let (mut result, mut trouble) = (None, None);
    converse(vec![Command::Race { config, engine }], Vec::new(), |event| match event {
        Event::RaceProgress { arm, done } => {
            bar.set_message(arm);
            bar.set_position((1000.0 * done) as u64);
        }
        Event::RaceDone(outcome) => result = Some(outcome.0),
        Event::Error(error) | Event::Crashed(error) => trouble = Some(error),
        _ => {}
    });
    bar.finish_and_clear();
    if let Some(error) = trouble {
        return Err(error);
    }
    let result = result.ok_or_else(|| UserError::new("The race ended without a result", "Run it again"))?;
    let files = vec![("race.json".to_owned(), result.to_json().into_bytes()), ("race.csv".to_owned(), result.csv().into_bytes())];
    folder::write(out, files)?;
    for (index, arm) in result.arms.iter().enumerate() {
        say(&format!("{}: {}", arm.name, result.verdict(index).join(". ")));
    }
    Ok(())
}
