//! `run` and `verify`.

use super::{folder, say, shown};
use grokscope::engine::capability::EngineWish;
use grokscope::engine::converse;
use grokscope::engine::message::{Command, Event};
use grokscope::experiment::presets::{Grade, preset_of, verdict};
use grokscope::experiment::timeline::line_at;
use grokscope::experiment::{Experiment, counts, presets};
use grokscope::measure::delay::findings;
use grokscope::record::{Archive, EventKind, MeasureTable, RunEvent, UserError, checkpoint_path};
use grokscope::task::mirrored_test_rows;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::path::Path;

/// Trains `experiment`. With `out`, checkpoints are written as they come and everything at the end, also after a divergence.
/// With `stop_at`, holds there and stops, as the person whose run is repeated did.
pub fn run(experiment: &Experiment, engine: EngineWish, out: Option<&Path>, stop_at: Option<u32>) -> Result<Archive, UserError> {
    if let Some(dir) = out {
        if dir.join("experiment.json").exists() {
            return Err(UserError::new(format!("{} already holds a run", shown(dir)), "Name another folder or remove that one"));
        }
        folder::write_file(&dir.join("experiment.json"), experiment.to_json().as_bytes())?;
    }
    let bar = progress(u64::from(experiment.steps), "update");
    let mut archive = Archive {
        experiment: experiment.clone(),
        rows: Vec::new(),
        checkpoints: Vec::new(),
        summary: None,
        events: Vec::new(),
        crosscoders: Vec::new(),
        measures: MeasureTable::default(),
    };
    let mut trouble: Option<UserError> = None;
    let mut step = 0;
    let mut first = vec![Command::Start { experiment: experiment.clone(), engine, resume: None }];
    first.extend(stop_at.map(Command::Step));
    converse(first, stop_at.map(|_| Command::Stop).into_iter().collect(), |event| match event {
        Event::Chosen(choice) => archive.events.push(RunEvent { step, kind: EventKind::Engine, text: choice.label }),
        Event::Metrics(rows) => {
            if let Some(row) = rows.last() {
                bar.set_message(format!("train {:.3} test {:.3}", row.train_accuracy, row.test_accuracy));
            }
            archive.rows.extend(rows);
        }
        Event::Progress { step: reached, .. } => {
            step = reached;
            bar.set_position(u64::from(reached));
        }
        Event::Checkpoint(checkpoint) => {
            if let Some(Err(error)) =
                out.map(|dir| folder::write_file(&dir.join(checkpoint_path(checkpoint.step)), &checkpoint.weights))
            {
                trouble.get_or_insert(error);
            }
            archive.checkpoints.push(checkpoint);
        }
        Event::MeasuredLive(live) => live.into_iter().for_each(|(step, values)| archive.measures.add(step, values)),
        Event::Intervened(line) => archive.events.push(RunEvent { step, kind: EventKind::Intervened, text: line }),
        Event::Stage { step, steps } => bar.set_message(format!("source {step}/{steps}")),
        Event::Finished(summary) => archive.summary = Some(summary),
        Event::Error(error) | Event::Crashed(error) => {
            archive.events.push(RunEvent { step, kind: EventKind::Failed, text: error.to_string() });
            trouble.get_or_insert(error);
        }
        _ => {}
    });
    bar.finish_and_clear();
    if let Some(dir) = out {
        folder::write(dir, archive.to_files()?)?;
    }
    trouble.map_or(Ok(archive), Err)
}

/// Trains the experiment of `recorded` again with `changes` at step `at`, in place of what its timeline had after it.
///
/// A folder keeps weights but no optimiser state, so the run is made again from its start: the same numbers up to `at`, to the
/// bit on the same engine and build.
pub fn branch(recorded: &Archive, at: u32, changes: &[String], engine: EngineWish, out: &Path) -> Result<Archive, UserError> {
    let lines: Vec<String> = changes.iter().map(|change| line_at(at, change)).collect();
    run(&recorded.experiment.branched(at, &lines)?, engine, Some(out), None)
}

/// One line per finding; for a run of a preset as it is also how it compares with what is known.
pub fn print_summary(archive: &Archive) {
    let Some(summary) = &archive.summary else { return };
    let step = |value: Option<u32>| value.map_or_else(|| "not reached".to_owned(), |step| step.to_string());
    say(&format!("t_mem {}  t_gen {}  t_gen_99 {}", step(summary.t_mem), step(summary.t_gen), step(summary.t_gen_99)));
    if let Some(row) = archive.rows.last() {
        say(&format!(
            "step {}  train loss {:.3e} accuracy {:.4}  test loss {:.3e} accuracy {:.4}",
            row.step, row.train_loss, row.train_accuracy, row.test_loss, row.test_accuracy
        ));
    }
    let experiment = &archive.experiment;
    if let Some(known) = mirrored_test_rows(&experiment.task, experiment.seed) {
        say(&format!("{known} of {} test pairs have their mirror in training", counts(experiment).test));
    }
    say(&format!("{}  {:.2} s  fingerprint {}", summary.engine, summary.wall_seconds, summary.fingerprint));
    if let Some(preset) = preset_of(presets(), &archive.experiment) {
        let verdict = verdict(&preset.expected, &findings(&archive.rows, summary.ended_early.is_none()));
        let word = match verdict.grade {
            Some(Grade::Inside) => "as expected",
            Some(Grade::Near) => "nearly as expected",
            Some(Grade::Outside) => "not as expected",
            None => "not judged",
        };
        say(&format!("{}: {word}: {}", preset.name, verdict.phrases.join("; ")));
        say(&format!("note: {}", preset.expected.note));
    }
}

/// Repeats the run of `recorded` on the CPU and compares.
pub fn verify(recorded: &Archive) -> Result<(), UserError> {
    let summary = recorded
        .summary
        .as_ref()
        .ok_or_else(|| UserError::new("The run has no summary, so it has no fingerprint", "Let the run finish first"))?;
    let stop_at = summary.ended_early.as_ref().map(|_| summary.steps);
    let repeated = run(&recorded.experiment, EngineWish::Cpu, None, stop_at)?;
    let fingerprint = repeated.summary.as_ref().map(|s| s.fingerprint.as_str()).unwrap_or_default();
    if fingerprint == summary.fingerprint {
        say(&format!("same: {fingerprint} ({} updates)", summary.steps));
        return Ok(());
    }
    let worst = recorded
        .rows
        .iter()
        .filter_map(|a| repeated.rows.iter().find(|b| b.step == a.step).map(|b| (a, b)))
        .map(|(a, b)| (a.train_loss - b.train_loss).abs() / a.train_loss.abs().max(f32::MIN_POSITIVE))
        .fold(0f32, f32::max);
    Err(UserError::new(
        format!(
            "The fingerprints differ: recorded {} ({}, {}), here {fingerprint} ({}). Training losses differ by at most {worst:.1e} (relative)",
            summary.fingerprint,
            summary.engine,
            summary.build,
            repeated.summary.as_ref().map(|s| s.engine.as_str()).unwrap_or_default(),
        ),
        "Bits are promised for one build and engine only; across engines compare the losses",
    ))
}

/// A progress bar on a terminal, nothing in a pipe.
pub fn progress(length: u64, unit: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template(&format!("{{bar:32}} {{pos}}/{{len}} {unit}s {{eta}} {{msg}}")) {
        bar.set_style(style);
    }
    bar
}
