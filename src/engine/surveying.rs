//! One survey under way: a panel says what it needs next, and networks that it needs are trained here.
//!
//! The survey decides what is asked and what follows, in plain arithmetic; this is only its hands. What is known so far is sent
//! a few times a second: each answer carries whole figures, and a page that draws them at every cell would do nothing else.

use super::capability::{EngineKind, EngineWish};
use super::engines::Engines;
use super::examining::Examining;
use super::message::Event;
use super::port::Port;
use super::replicas::Replicas;
use crate::experiment::Experiment;
use crate::record::{MeasureTable, MetricRow, UserError};
use crate::theory::{Ensemble, Member, Part, Survey, panel};
use burn::tensor::Device;

/// Milliseconds of arithmetic at a stretch.
const STRETCH_MS: f64 = 50.0;
/// Milliseconds between two answers.
const TOLD_EVERY_MS: f64 = 300.0;

/// A survey with its hands.
pub(super) struct Surveying {
    number: u32,
    survey: Box<dyn Survey>,
    wish: EngineWish,
    /// The engine for networks, chosen at the first of them.
    engine: Option<(EngineKind, Device)>,
    /// Where measures are taken, see `runner`.
    beside: (EngineKind, Device),
    stage: Stage,
    told_ms: f64,
}

/// What is under way.
enum Stage {
    Between,
    Training(Box<Replicas>, Vec<String>),
    Measuring(Box<Examining>, Vec<(Experiment, Vec<MetricRow>)>),
}

impl Surveying {
    /// The survey of the panel called `name` with `settings`, which are JSON; its answers carry `number`.
    pub(super) fn new(
        number: u32,
        (name, settings): (&str, &str),
        wish: EngineWish,
        beside: (EngineKind, Device),
    ) -> Result<Self, UserError> {
        let begun = (panel(name)?.survey)(&super::theorising::read(name, settings)?)?;
        let survey = begun.ok_or_else(|| UserError::new(format!("{name} has no survey"), "Ask for its outcome"))?;
        let stage = Stage::Between;
        Ok(Self { number, survey, wish, engine: None, beside, stage, told_ms: f64::NEG_INFINITY })
    }

    /// The number that its answers carry.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// About 50 ms of work. True when all parts are done.
    ///
    /// # Errors
    /// If a part cannot be worked out.
    pub(super) async fn advance(&mut self, port: &mut impl Port, engines: &mut Engines) -> Result<bool, UserError> {
        let begun = port.now_ms();
        match core::mem::replace(&mut self.stage, Stage::Between) {
            Stage::Between => {
                while let Some(Part::Own) = self.survey.part() {
                    self.survey.take(Vec::new())?;
                    if port.now_ms() - begun > STRETCH_MS {
                        break;
                    }
                }
                if let Some(Part::Train(ensemble)) = self.survey.part() {
                    self.begin(ensemble, port, engines).await?;
                }
            }
            Stage::Training(mut replicas, measures) => {
                replicas.advance().await?;
                replicas.took(port.now_ms() - begun);
                self.say(port, &replicas, "");
                if !replicas.is_at_end() {
                    self.stage = Stage::Training(replicas, measures);
                } else if measures.is_empty() {
                    let Replicas { experiments, rows, .. } = *replicas;
                    let tables = vec![MeasureTable::default(); experiments.len()];
                    self.close(experiments.into_iter().zip(rows), tables)?;
                } else {
                    self.say(port, &replicas, ", being measured");
                    let Replicas { experiments, rows, saved, live, .. } = *replicas;
                    let found = experiments.iter().cloned().zip(saved).zip(live);
                    let runs = found.map(|((experiment, saved), live)| (experiment, saved, live)).collect();
                    let examining = Examining::new(runs, measures, self.beside.clone());
                    self.stage = Stage::Measuring(Box::new(examining), experiments.into_iter().zip(rows).collect());
                }
            }
            Stage::Measuring(mut examining, runs) => {
                if examining.advance(port).await? {
                    self.close(runs.into_iter(), examining.finish())?;
                } else {
                    self.stage = Stage::Measuring(examining, runs);
                }
            }
        }
        let is_done = matches!(self.stage, Stage::Between) && self.survey.part().is_none();
        if is_done || (matches!(self.stage, Stage::Between) && port.now_ms() - self.told_ms > TOLD_EVERY_MS) {
            self.told_ms = port.now_ms();
            port.emit(Event::Survey { number: self.number, done: self.survey.done(), outcome: self.survey.outcome() });
        }
        Ok(is_done)
    }

    async fn begin(&mut self, ensemble: Ensemble, port: &mut impl Port, engines: &mut Engines) -> Result<(), UserError> {
        for experiment in &ensemble.experiments {
            experiment.validate()?;
        }
        if self.engine.is_none() {
            let (device, choice) = engines.choose_for(self.wish, &ensemble.experiments).await?;
            self.engine = Some((choice.kind, device));
            port.emit(Event::Chosen(choice));
        }
        let Some((kind, device)) = &self.engine else { return Ok(()) };
        let replicas = Replicas::new(ensemble.experiments, *kind == EngineKind::Cpu, !ensemble.measures.is_empty(), device)?;
        self.stage = Stage::Training(Box::new(replicas), ensemble.measures);
        Ok(())
    }

    fn say(&self, port: &mut impl Port, replicas: &Replicas, more: &str) {
        let networks = replicas.experiments.len();
        let words = format!("{networks} networks, step {} of {}{more}", replicas.step(), replicas.budget());
        port.emit(Event::SurveyProgress { number: self.number, done: self.survey.done(), words });
    }

    fn close(
        &mut self,
        runs: impl Iterator<Item = (Experiment, Vec<MetricRow>)>,
        tables: Vec<MeasureTable>,
    ) -> Result<(), UserError> {
        let member = |((experiment, rows), measures)| Member { experiment, rows, measures };
        self.survey.take(runs.zip(tables).map(member).collect())
    }
}
