//! What several behaviour tests need: a run to its end, and its record.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(missing_docs, reason = "helpers of tests")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests stop at the first surprise")]

use grokscope::crosscoder::{CrosscoderConfig, CrosscoderResult};
use grokscope::engine::capability::EngineWish;
use grokscope::engine::converse;
use grokscope::engine::message::{Command, Event, OtherRun};
use grokscope::experiment::{Experiment, preset, with_value};
use grokscope::record::{Checkpoint, MeasureTable, MetricRow, RunSummary, UserError};

#[derive(Default)]
pub struct Record {
    pub rows: Vec<MetricRow>,
    pub live: MeasureTable,
    pub checkpoints: Vec<Checkpoint>,
    pub resume_points: Vec<(u32, Vec<u8>)>,
    pub summary: Option<RunSummary>,
    pub errors: Vec<UserError>,
}

impl Record {
    pub fn take(&mut self, event: Event) {
        match event {
            Event::Metrics(rows) => self.rows.extend(rows),
            Event::MeasuredLive(live) => live.into_iter().for_each(|(step, values)| self.live.add(step, values)),
            Event::Checkpoint(checkpoint) => self.checkpoints.push(checkpoint),
            Event::ResumePoint { step, bytes } => self.resume_points.push((step, bytes)),
            Event::Finished(summary) => self.summary = Some(summary),
            Event::Error(error) | Event::Crashed(error) => self.errors.push(error),
            _ => {}
        }
    }

    pub fn row(&self, step: u32) -> MetricRow {
        *self.rows.iter().find(|row| row.step == step).unwrap_or_else(|| panic!("step {step} was not evaluated"))
    }
}

pub fn start(experiment: &Experiment) -> Command {
    Command::Start { experiment: experiment.clone(), engine: EngineWish::Cpu, resume: None }
}

pub fn converse_with(first: Vec<Command>, then: Vec<Command>) -> Record {
    let mut record = Record::default();
    converse(first, then, |event| record.take(event));
    record
}

pub fn run(experiment: &Experiment) -> Record {
    let record = converse_with(vec![start(experiment)], Vec::new());
    assert_eq!(record.errors, []);
    record
}

/// A preset with some values changed.
pub fn changed(name: &str, changes: &[(&str, &str)]) -> Experiment {
    changes.iter().fold(preset(name).unwrap().experiment.clone(), |e, (path, value)| with_value(&e, path, value).unwrap())
}

pub fn fit(config: CrosscoderConfig, experiment: &Experiment, checkpoints: &[Checkpoint]) -> CrosscoderResult {
    fit_over(config, experiment, checkpoints, Vec::new())
}

/// A fit that spans further runs.
pub fn fit_over(
    config: CrosscoderConfig,
    experiment: &Experiment,
    checkpoints: &[Checkpoint],
    others: Vec<OtherRun>,
) -> CrosscoderResult {
    let (experiment, checkpoints) = (experiment.clone(), checkpoints.to_vec());
    let ask = Command::Fit { config, experiment, checkpoints, others, engine: EngineWish::Cpu };
    let mut result = None;
    converse(vec![ask], Vec::new(), |event| match event {
        Event::FitDone(outcome) => result = Some((*outcome).into()),
        Event::Error(error) => panic!("{error}"),
        _ => {}
    });
    result.expect("a fit ends with a result")
}

pub fn median(mut values: Vec<u32>) -> u32 {
    values.sort_unstable();
    values[values.len() / 2]
}
