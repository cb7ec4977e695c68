//! `race` and `races`.

use super::{folder, forewarn, progress, say};
use grokscope::engine::capability::EngineWish;
use grokscope::engine::converse;
use grokscope::engine::message::{Command, Event};
use grokscope::race::{RaceConfig, RaceResult, race_preset, race_presets};
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

/// Runs a race, writes `race.json`, `race.csv` and, with measures, `race-measures.csv`, and prints what came out. `measures` are
/// taken beside those that the race names.
pub fn run(
    file: Option<&Path>,
    preset: Option<&str>,
    measures: &[String],
    engine: EngineWish,
    out: &Path,
) -> Result<(), UserError> {
    let mut config = match (file, preset) {
        (_, Some(name)) => race_preset(name)?.config.clone(),
        (Some(file), None) => RaceConfig::from_json(&folder::text(file)?)?,
        (None, None) => return Err(UserError::new("Nothing was asked for", "Name a file or a preset")),
    };
    for name in measures.iter().filter(|name| !config.measures.contains(name)).cloned().collect::<Vec<_>>() {
        config.measures.push(name);
    }
    let result = hold(config, engine)?;
    let mut files =
        vec![("race.json".to_owned(), result.to_json().into_bytes()), ("race.csv".to_owned(), result.csv().into_bytes())];
    if !result.columns().is_empty() {
        files.push(("race-measures.csv".to_owned(), result.measures_csv().into_bytes()));
    }
    folder::write(out, files)?;
    for (index, arm) in result.arms.iter().enumerate() {
        say(&format!("{}: {}", arm.name, result.verdict(index).join(". ")));
    }
    print_fluctuations(&result);
    print_measures(&result);
    if let Ok(found) = result.forewarning() {
        say("");
        forewarn::print(&found);
    }
    Ok(())
}

/// Runs a race.
pub fn hold(config: RaceConfig, engine: EngineWish) -> Result<RaceResult, UserError> {
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
    result.ok_or_else(|| UserError::new("The race ended without a result", "Run it again"))
}

/// Mean, Binder cumulant and susceptibility of the test accuracy at the end, where the runs were whole.
fn print_fluctuations(result: &RaceResult) {
    let found = result.fluctuations();
    if found.iter().all(Option::is_none) {
        return;
    }
    say("\n| test accuracy at the end | mean | Binder cumulant (95%) | susceptibility (95%) |\n|---|---|---|---|");
    let cell = |value: Option<(f64, [f64; 2])>| {
        value.map_or("–".to_owned(), |(value, [low, high])| format!("{value:.3} ({low:.3} to {high:.3})"))
    };
    for (arm, found) in result.arms.iter().zip(found) {
        let Some(found) = found else { continue };
        say(&format!("| {} | {:.3} | {} | {} |", arm.name, found.mean, cell(found.binder), cell(found.susceptibility)));
    }
}

/// Median and quartiles of each measured column at the end of each arm, and how many seeds are above the control.
fn print_measures(result: &RaceResult) {
    let columns = result.columns();
    if columns.is_empty() {
        return;
    }
    say("\n| measure at the end | arm | median (quartiles) | above / below the control | p, adjusted |\n|---|---|---|---|---|");
    for column in columns {
        for (arm, found) in result.arms.iter().zip(result.at_end(&column)) {
            let Some(spread) = found.spread else { continue };
            let [low, high] = spread.quartiles;
            let split = found.sign_test.map_or("–".to_owned(), |test| format!("{} / {}", test.wins, test.losses));
            let p = found.adjusted_p.map_or("–".to_owned(), |p| format!("{p:.3}"));
            say(&format!("| {column} | {} | {:.4} ({low:.4} to {high:.4}) | {split} | {p} |", arm.name, spread.median));
        }
    }
}
