//! One race under way: each arm trains all its seeds at once, as replicas, one arm after another.
//!
//! Arms run one after another and not interleaved, so that the wall time of one is not that of its neighbours. A run that has
//! reached the criterion at all seeds ends there: what it does afterwards answers another question.

use super::BUILD;
use super::capability::{EngineChoice, EngineKind};
use super::examining::Examining;
use super::message::Event;
use super::port::Port;
use super::tick::Tick;
use super::training::descent_of;
use crate::experiment::timeline::Entry;
use crate::experiment::{Experiment, counts};
use crate::race::{Arm, ArmRun, RaceConfig, RaceResult, summarise};
use crate::record::{Checkpoint, MeasureTable, MetricRow, UserError};
use crate::train::{Stage, Trainer};
use burn::tensor::Device;
use std::collections::{BTreeSet, VecDeque};

/// A race with its clock.
pub(super) struct Racing {
    config: RaceConfig,
    choice: EngineChoice,
    device: Device,
    /// Where measures are taken, see `runner`.
    beside: (EngineKind, Device),
    entrants: Vec<Arm>,
    runs: Vec<ArmRun>,
    /// What the arm under way still has to run: its seeds as replicas of one run where their rows allow it.
    waiting: VecDeque<Vec<Experiment>>,
    /// What its earlier runs gave.
    arm: Option<ArmRun>,
    running: Option<Runner>,
    /// Measures of the runs that ended last.
    examining: Option<Examining>,
}

/// The arm under way.
struct Runner {
    experiments: Vec<Experiment>,
    trainer: Trainer,
    stage: Option<Stage>,
    tick: Tick,
    /// Rows per seed.
    rows: Vec<Vec<MetricRow>>,
    /// Seeds that are known to have reached the criterion.
    reached: Vec<bool>,
    /// Updates of the last tick, and of all ticks, those of the source included.
    updates: u32,
    all_updates: u32,
    worked_ms: f64,
    /// Seeds whose loss is no longer a number.
    broken: Vec<bool>,
    /// Whether the runs are measured: then weights are saved, and all make the whole budget.
    is_measured: bool,
    /// Saved weights per seed.
    saved: Vec<Vec<Checkpoint>>,
    /// What only training can measure, per seed.
    live: Vec<MeasureTable>,
}

impl Racing {
    /// `beside` is where measures are taken.
    pub(super) fn new(
        config: RaceConfig,
        choice: EngineChoice,
        device: &Device,
        beside: (EngineKind, Device),
    ) -> Result<Self, UserError> {
        Ok(Self {
            entrants: config.entrants()?,
            config,
            choice,
            device: device.clone(),
            beside,
            runs: Vec::new(),
            waiting: VecDeque::new(),
            arm: None,
            running: None,
            examining: None,
        })
    }

    /// About 50 ms of updates or measures. True when all arms are done.
    pub(super) async fn advance(&mut self, port: &mut impl Port) -> Result<bool, UserError> {
        let Some(entrant) = self.entrants.get(self.runs.len()) else { return Ok(true) };
        if let Some(examining) = &mut self.examining {
            let name = format!("{} (being measured)", entrant.name);
            let is_done = examining.advance(port).await?;
            port.emit(Event::RaceProgress { arm: name, done: self.share_done(1.0) });
            if is_done
                && let Some(examining) = self.examining.take()
                && let Some(arm) = &mut self.arm
            {
                arm.measures.extend(examining.finish());
                self.close();
            }
            return Ok(self.runs.len() == self.entrants.len());
        }
        let gather = self.choice.kind == EngineKind::Cpu;
        if self.running.is_none() {
            if self.arm.is_none() {
                self.waiting = together(self.config.experiments(entrant)?).into();
                self.arm = Some(ArmRun::default());
            }
            let Some(experiments) = self.waiting.pop_front() else { return Ok(true) };
            self.running = Some(Runner::new(experiments, gather, !self.config.measures.is_empty(), &self.device)?);
        }
        let Some(runner) = &mut self.running else { return Ok(false) };
        let begun = port.now_ms();
        runner.work().await?;
        runner.note(port.now_ms() - begun, &self.config);
        let share = f64::from(runner.trainer.step()) / f64::from(runner.experiments[0].steps.max(1));
        let is_done = runner.is_done();
        port.emit(Event::RaceProgress { arm: entrant.name.clone(), done: self.share_done(share) });
        if is_done
            && let Some(runner) = self.running.take()
            && let Some(arm) = &mut self.arm
        {
            let found = runner.finish(&self.config, arm);
            if self.config.measures.is_empty() {
                self.close();
            } else {
                self.examining = Some(Examining::new(found, self.config.measures.clone(), self.beside.clone()));
            }
        }
        Ok(self.runs.len() == self.entrants.len())
    }

    /// Share of all updates made, the runs under way having made `share` of theirs.
    fn share_done(&self, share: f64) -> f32 {
        let seeds = self.config.seeds.len() as f64;
        let finished = self.arm.as_ref().map_or(0, |arm| arm.outcomes.len()) as f64;
        let under_way = self.running.as_ref().map_or(0.0, |runner| share * runner.experiments.len() as f64);
        ((self.runs.len() as f64 + (finished + under_way) / seeds) / self.entrants.len() as f64) as f32
    }

    /// Ends the arm under way, if all its runs are done.
    fn close(&mut self) {
        if self.waiting.is_empty()
            && let Some(mut arm) = self.arm.take()
        {
            // Milliseconds were summed over runs of one seed or of all at once.
            arm.ms_per_update /= self.config.seeds.len() as f64;
            self.runs.push(arm);
        }
    }

    pub(super) fn finish(self) -> Result<RaceResult, UserError> {
        summarise(&self.config, self.runs, &self.choice.label, BUILD)
    }
}

impl Runner {
    fn new(experiments: Vec<Experiment>, gather: bool, is_measured: bool, device: &Device) -> Result<Self, UserError> {
        let seeds = experiments.len();
        Ok(Self {
            trainer: Trainer::new(&experiments, gather, device)?,
            stage: Stage::new(&experiments, gather, device)?,
            experiments,
            tick: Tick::new(if gather { 4096 } else { 32 }),
            rows: vec![Vec::new(); seeds],
            reached: vec![false; seeds],
            broken: vec![false; seeds],
            updates: 0,
            all_updates: 0,
            worked_ms: 0.0,
            is_measured,
            saved: vec![Vec::new(); seeds],
            live: vec![MeasureTable::default(); seeds],
        })
    }

    async fn work(&mut self) -> Result<(), UserError> {
        self.updates = 0;
        if let Some(stage) = &mut self.stage {
            while self.updates < self.tick.steps() && !stage.is_done() {
                stage.advance().await?;
                self.updates += 1;
            }
            stage.settle().await?;
            if stage.failure().is_some() {
                // The arm ends here; those before it are kept and those after it run.
                self.broken.fill(true);
                self.stage = None;
            } else if stage.is_done()
                && let Some(stage) = self.stage.take()
            {
                self.broken = stage.broken().collect();
                self.trainer.take_over(stage).await?;
            }
            return Ok(());
        }
        let last = self.experiments[0].steps;
        let logging = self.experiments[0].logging.clone();
        let evaluates = |step| logging.evaluates_at(step, last);
        if self.trainer.step() == 0 {
            self.trainer.evaluate();
            self.save().await?;
        }
        while self.updates < self.tick.steps() && self.trainer.step() < last {
            self.trainer.advance().await?;
            self.updates += 1;
            if evaluates(self.trainer.step()) {
                self.trainer.evaluate();
            }
            self.save().await?;
        }
        let readings = self.trainer.read().await?;
        for (step, motions) in readings.motions {
            if !self.saves_at(step) {
                continue;
            }
            for (table, motion) in self.live.iter_mut().zip(&motions) {
                table.add(step, descent_of(motion));
            }
        }
        for evaluation in readings.rows {
            for ((rows, row), broken) in self.rows.iter_mut().zip(evaluation).zip(&mut self.broken) {
                *broken |= !row.train_loss.is_finite();
                if !*broken {
                    rows.push(row);
                }
            }
        }
        Ok(())
    }

    /// Whether the weights after `step` updates are saved.
    fn saves_at(&self, step: u32) -> bool {
        self.is_measured && self.experiments[0].logging.checkpoints_at(step, self.experiments[0].steps)
    }

    /// Saves the weights of every seed that still has some, where the schedule asks for it.
    async fn save(&mut self) -> Result<(), UserError> {
        let step = self.trainer.step();
        if !self.saves_at(step) {
            return Ok(());
        }
        for (saved, weights) in self.saved.iter_mut().zip(self.trainer.weights().await?) {
            if weights.tensors.iter().all(|tensor| tensor.values.iter().all(|value| value.is_finite())) {
                saved.push(Checkpoint { step, weights: weights.to_safetensors(None)? });
            }
        }
        Ok(())
    }

    fn note(&mut self, spent_ms: f64, config: &RaceConfig) {
        self.worked_ms += spent_ms;
        self.all_updates += self.updates;
        self.tick.took(self.updates, spent_ms);
        for ((rows, reached), experiment) in self.rows.iter().zip(&mut self.reached).zip(&self.experiments) {
            *reached = *reached || config.outcome(experiment, rows, false).steps.is_some();
        }
    }

    fn is_done(&self) -> bool {
        // Arms are measured at the same steps, so whoever has arrived goes on.
        let settled = self.reached.iter().zip(&self.broken).all(|(reached, broken)| *broken || (*reached && !self.is_measured));
        self.stage.is_none() && (self.trainer.step() >= self.experiments[0].steps || settled)
    }

    /// Adds what came out to the arm's record, and hands over what is to be measured: experiment, saved weights and what was
    /// measured already, per seed.
    fn finish(self, config: &RaceConfig, arm: &mut ArmRun) -> Vec<(Experiment, Vec<Checkpoint>, MeasureTable)> {
        // A run whose first evaluation was already not a number has no row to show, and then none of the arm are shown: rows
        // belong to seeds by their place.
        let last: Vec<MetricRow> = self.rows.iter().filter_map(|rows| rows.last().copied()).collect();
        if last.len() == self.rows.len() && arm.final_rows.len() == arm.outcomes.len() {
            arm.final_rows.extend(last);
        }
        for (rows, experiment) in self.rows.iter().zip(&self.experiments) {
            arm.outcomes.push(config.outcome(experiment, rows, true));
        }
        arm.ms_per_update += self.worked_ms / f64::from(self.all_updates.max(1));
        arm.wall_seconds += self.worked_ms / 1000.0;
        self.experiments.into_iter().zip(self.saved).zip(self.live).map(|((e, saved), live)| (e, saved, live)).collect()
    }
}

/// Experiments that can train as replicas in one list: all of them, or each alone where the split gives them different numbers
/// of training rows, at the start or after a change on the way.
fn together(experiments: Vec<Experiment>) -> Vec<Vec<Experiment>> {
    let rows: Vec<Vec<u32>> = experiments.iter().map(training_rows).collect();
    if rows.windows(2).all(|pair| pair[0] == pair[1]) {
        vec![experiments]
    } else {
        experiments.into_iter().map(|experiment| vec![experiment]).collect()
    }
}

/// Training rows of `experiment` and of its earlier stage, at the start and after each change of its data.
fn training_rows(experiment: &Experiment) -> Vec<u32> {
    let source = experiment.source().ok().flatten();
    let mut rows: Vec<u32> = source.iter().chain([experiment]).map(|e| counts(e).train).collect();
    let mut before = experiment.task.clone();
    let steps: BTreeSet<u32> = experiment.entries().iter().flat_map(Entry::moments).collect();
    for now in steps.into_iter().filter_map(|step| experiment.at(step).ok()) {
        if now.task != before {
            rows.push(counts(&now).train);
            before = now.task;
        }
    }
    rows
}
