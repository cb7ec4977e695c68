//! `bench`: milliseconds per update of each preset and of two sizes of crosscoder, and per checkpoint of each measure.

use super::say;
use grokscope::crosscoder::fit::Fit;
use grokscope::crosscoder::{CrosscoderConfig, Place, Source, crosscoder_preset};
use grokscope::engine::capability::EngineWish;
use grokscope::engine::converse;
use grokscope::engine::message::{Command, Event, MeasureOrder};
use grokscope::experiment::randomness::{Purpose, Stream};
use grokscope::experiment::{preset, presets, with_value};
use grokscope::measure::{Cost, measures_for};
use grokscope::record::UserError;
use grokscope::task::Dataset;
use std::time::Instant;

/// Updates timed per preset; the first fifth warms up and does not count.
const UPDATES: u32 = 40;

/// Prints `preset<TAB>milliseconds per update`.
pub fn run(engine: EngineWish) -> Result<(), UserError> {
    for preset in presets() {
        let mut experiment = preset.experiment.clone();
        experiment.steps = UPDATES;
        // What changes on the way lies beyond so short a run, and would be refused.
        experiment.timeline.clear();
        experiment.logging.evaluate_every = UPDATES;
        experiment.logging.checkpoint_every = UPDATES;
        let (mut ticks, mut trouble) = (Vec::new(), None);
        converse(vec![Command::Start { experiment, engine, resume: None }], Vec::new(), |event| match event {
            Event::Progress { step, ms_per_step } if step > UPDATES / 5 => ticks.push(ms_per_step),
            Event::Error(error) | Event::Crashed(error) => trouble = Some(error),
            _ => {}
        });
        if let Some(error) = trouble {
            return Err(error);
        }
        // The fastest tick: the others hold an evaluation or a disturbance from outside.
        let fastest = ticks.iter().copied().fold(f32::INFINITY, f32::min);
        say(&format!("{}\t{fastest:.3}", preset.name));
    }
    fits()?;
    measures(engine)
}

/// Sizes of a fit: name, sources, latents; width 128, all pairs modulo 113, batches of 1,024.
const FITS: [(&str, usize, u32); 2] = [("crosscoder-a", 3, 512), ("crosscoder-b", 8, 1024)];
/// Updates of a fit before the clock starts, and while it runs.
const FIT_WARM: u32 = 3;
const FIT_TIMED: u32 = 10;

/// Prints `crosscoder-X<TAB>milliseconds per update` on the CPU engine, and for people the process's peak memory so far.
fn fits() -> Result<(), UserError> {
    let data = Dataset::new(&with_value(&preset("quadratic-31")?.experiment, "task.modulus", "113")?.task, 0)?;
    for (name, count, latents) in FITS {
        let source = |s: usize| {
            let values = Stream::new(s as u64, Purpose::Planted, 0).normals(data.rows.len() * 128, 1.0);
            Source { step: s as u32, width: 128, values, place: Place::default() }
        };
        let steps = FIT_WARM + FIT_TIMED;
        let base = crosscoder_preset("births")?.config.clone();
        let config = CrosscoderConfig { latents, steps, batch_size: 1024, ..base };
        let mut fit = Fit::on_cpu(config, (0..count).map(source).collect(), data.clone())?;
        (0..FIT_WARM).for_each(|_| fit.advance());
        pollster::block_on(fit.settle())?;
        let begun = Instant::now();
        (0..FIT_TIMED).for_each(|_| fit.advance());
        pollster::block_on(fit.settle())?;
        say(&format!("{name}\t{:.1}", 1e3 * begun.elapsed().as_secs_f64() / f64::from(FIT_TIMED)));
        if let Some(peak) = peak_memory() {
            say(&format!("{name}: at most {peak} of memory so far"));
        }
    }
    Ok(())
}

/// The largest resident size of this process so far, where the system tells it.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")).map(|size| size.trim().to_owned())
}

/// The preset on whose checkpoint measures are timed.
const MEASURED: &str = "transformer-59-mirror";

/// Prints `measure:NAME<TAB>milliseconds per checkpoint`, preparation and one forward pass included.
fn measures(engine: EngineWish) -> Result<(), UserError> {
    let mut experiment = preset(MEASURED)?.experiment.clone();
    (experiment.steps, experiment.logging.checkpoint_every, experiment.logging.evaluate_every) = (UPDATES, UPDATES, UPDATES);
    let mut checkpoints = Vec::new();
    converse(vec![Command::Start { experiment: experiment.clone(), engine, resume: None }], Vec::new(), |event| {
        if let Event::Checkpoint(checkpoint) = event {
            checkpoints.push(checkpoint);
        }
    });
    for measure in measures_for(&experiment, Cost::Sampling) {
        let order =
            MeasureOrder { checkpoints: checkpoints.clone(), steps: vec![UPDATES], measures: vec![measure.name.to_owned()] };
        converse(vec![Command::Measure(experiment.clone(), order)], Vec::new(), |event| {
            if let Event::MeasuresDone { worked_ms } = event {
                say(&format!("measure:{}\t{worked_ms:.1}", measure.name));
            }
        });
    }
    Ok(())
}
