//! The terminal's door: the same engine, run from files.
//!
//! Progress goes to standard error and only on a terminal; standard output carries results, so that it can be piped.

mod agree;
mod arguments;
mod atlas;
mod bench;
mod figure;
mod fit;
mod folder;
mod forewarn;
mod frontier;
mod interop;
mod measure;
mod planted;
mod race;
mod report;
mod reproduce;
mod theory;
mod train;

use train::progress;

use arguments::{Arguments, Asked, Format, Task};
use clap::Parser as _;
use grokscope::crosscoder::{CrosscoderConfig, Null, crosscoder_preset, crosscoder_presets};
use grokscope::experiment::{Experiment, Link, edit, link, parse_assignment, preset, presets, schema, with_value};
use grokscope::record::{Archive, UserError};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    match obey(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}. {}", error.cause, error.remedy);
            ExitCode::FAILURE
        }
    }
}

fn obey(task: Task) -> Result<(), UserError> {
    match task {
        Task::Presets { name: None } => {
            for preset in presets() {
                say(&format!("{:<24} {}. {}", preset.name, preset.sentence, preset.cost));
            }
            for preset in crosscoder_presets() {
                say(&format!("{:<24} crosscoder: {}", preset.name, preset.sentence));
            }
            Ok(())
        }
        Task::Presets { name: Some(name) } => {
            match (preset(&name), crosscoder_preset(&name)) {
                (Ok(found), _) => say(&found.experiment.to_json()),
                (_, Ok(found)) => say(&edit::to_json(&found.config)),
                (Err(error), _) => return Err(error),
            }
            Ok(())
        }
        Task::Schema { format } => {
            let schema = match format {
                Format::Experiment => schema::experiment_schema(),
                Format::Crosscoder => schema::crosscoder_schema(),
            };
            say(&format!("{schema:#}"));
            Ok(())
        }
        Task::Run { asked, steps, engine, out } => {
            let mut experiment = experiment(&asked)?;
            if let Some(steps) = steps {
                experiment.steps = steps;
            }
            let archive = train::run(&experiment, engine.into(), Some(&out), None)?;
            train::print_summary(&archive);
            Ok(())
        }
        Task::Verify { dir } => train::verify(&folder::read(&dir)?),
        Task::Crosscoder { asked, run, also, null, engine, out } => {
            let null = null.as_deref().map_or(Ok(Null::None), Null::named)?;
            fit::run(crosscoder(&asked)?, &folder::read(&run)?, fit::others(&also)?, null, engine.into(), &out)
        }
        Task::Atlas { asked, fit_seed, nulls, engine, out } => {
            atlas::run(&experiment(&asked)?, fit_seed, nulls, engine.into(), &out)
        }
        Task::Frontier { fits } => frontier::run(&fits),
        Task::External { asked, activations, out } => interop::external(&activations, crosscoder(&asked)?, &out),
        Task::Dictionary { asked, dictionary, run, activations, out } => {
            let on = interop::ground(run.as_deref(), activations.as_deref())?;
            interop::dictionary(&dictionary, crosscoder(&asked)?, on, &out)
        }
        Task::Saelens { dictionary, out } => interop::saelens(&dictionary, &out),
        Task::Link { file } => {
            let (experiment, fingerprint) = if file.is_dir() {
                let archive = folder::read(&file)?;
                (archive.experiment, archive.summary.map(|s| s.fingerprint))
            } else {
                (Experiment::from_json(&folder::text(&file)?)?, None)
            };
            say(&format!("#x={}", link::encode(&Link { experiment, crosscoder: None, fingerprint })?));
            Ok(())
        }
        Task::Open { link: text } => {
            let payload = text.rsplit("x=").next().unwrap_or(&text);
            let link = link::decode(payload.split('&').next().unwrap_or(payload))?;
            say(&link.experiment.to_json());
            if let Some(fingerprint) = link.fingerprint {
                eprintln!("fingerprint of the linked run: {fingerprint}");
            }
            Ok(())
        }
        Task::Export { dir, archive } => folder::write_file(&archive, &folder::read(&dir)?.to_zip()?),
        Task::Import { archive, dir } => folder::write(&dir, Archive::from_zip(&folder::bytes(&archive)?)?.to_files()?),
        Task::Branch { dir, at, changes, engine, out } => {
            let archive = train::branch(&folder::read(&dir)?, at, &changes, engine.into(), &out)?;
            train::print_summary(&archive);
            Ok(())
        }
        Task::Race { file, preset, measures, engine, out } => {
            race::run(file.as_deref(), preset.as_deref(), &measures, engine.into(), &out)
        }
        Task::Measure { dir, only, all } => measure::run(&dir, &only, all),
        Task::Forewarn { asked, never, seeds } => forewarn::run(&experiment(&asked)?, &never, seeds),
        Task::Figure { dirs, columns, log_x, log_y, out } => figure::run(&dirs, &columns, (log_x, log_y), &out),
        Task::Theory { name: None, run: Some(run), out, .. } => theory::of_run(&run, out.as_deref()),
        Task::Theory { name: None, .. } => {
            theory::list();
            Ok(())
        }
        Task::Theory { name: Some(name), set, out, survey, engine, .. } => {
            let engine = survey.then(|| engine.into());
            theory::run(&name, &set, engine, out.as_deref())
        }
        Task::Measures { name } => measure::list(name.as_deref()),
        Task::Races { name } => race::list(name.as_deref()),
        Task::Reproduce { only, seeds } => reproduce::run(only.as_deref(), seeds),
        Task::Agree { fits } => agree::run(&fits),
        Task::Report { run, fits, out } => report::run(&run, &fits, &out),
        Task::Planted { seeds, only } => planted::run(seeds, only.as_deref()),
        Task::Bench { engine } => bench::run(engine.into()),
    }
}

fn experiment(asked: &Asked) -> Result<Experiment, UserError> {
    let mut experiment = match (&asked.preset, &asked.file) {
        (Some(name), _) => preset(name)?.experiment.clone(),
        (None, Some(file)) => Experiment::from_json(&folder::text(file)?)?,
        (None, None) => return Err(nothing_asked()),
    };
    for assignment in &asked.set {
        let (path, value) = parse_assignment(assignment)?;
        experiment = with_value(&experiment, path, value)?;
    }
    Ok(experiment)
}

fn crosscoder(asked: &Asked) -> Result<CrosscoderConfig, UserError> {
    let mut config = match (&asked.preset, &asked.file) {
        (Some(name), _) => crosscoder_preset(name)?.config.clone(),
        (None, Some(file)) => edit::from_json(&folder::text(file)?)?,
        (None, None) => return Err(nothing_asked()),
    };
    for assignment in &asked.set {
        let (path, value) = parse_assignment(assignment)?;
        config = edit::replace(&config, path, value)?;
    }
    Ok(config)
}

fn nothing_asked() -> UserError {
    UserError::new("Nothing was asked for", "Name a file or a preset")
}

/// Prints a line. A reader that has seen enough (`| head`) is no error.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A path as a person reads it.
fn shown(path: &Path) -> String {
    path.display().to_string()
}
