//! `bench`: milliseconds per update of each preset, and per checkpoint of each measure.

use super::say;
use grokscope::engine::capability::EngineWish;
use grokscope::engine::converse;
use grokscope::engine::message::{Command, Event, MeasureOrder};
use grokscope::experiment::{preset, presets};
use grokscope::measure::{Cost, measures_for};
use grokscope::record::UserError;

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
    measures(engine)
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
