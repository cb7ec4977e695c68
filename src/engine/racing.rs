//! One race under way: each arm trains all its seeds at once, as replicas, one arm after another.
//!
//! Arms run one after another and not interleaved, so that the wall time of one is not that of its neighbours. A run that has
//! reached the criterion at all seeds ends there: what it does afterwards answers another question.

use super::BUILD;
use super::capability::{EngineChoice, EngineKind};
use super::examining::Examining;
use super::message::Event;
use super::port::Port;
use super::replicas::Replicas;
use crate::experiment::timeline::Entry;
use crate::experiment::{Experiment, counts};
use crate::race::{Arm, ArmRun, RaceConfig, RaceResult, summarise};
use crate::record::{Checkpoint, MeasureTable, MetricRow, UserError};
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
    replicas: Replicas,
    /// Seeds that are known to have reached the criterion.
    reached: Vec<bool>,
    /// Whether the runs are measured: then weights are saved, and all make the whole budget.
    is_measured: bool,
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
        runner.replicas.advance().await?;
        runner.note(port.now_ms() - begun, &self.config);
        let share = runner.replicas.share_done();
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
        let under_way = self.running.as_ref().map_or(0.0, |runner| share * runner.replicas.experiments.len() as f64);
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
        let reached = vec![false; experiments.len()];
        Ok(Self { replicas: Replicas::new(experiments, gather, is_measured, device)?, reached, is_measured })
    }

    fn note(&mut self, spent_ms: f64, config: &RaceConfig) {
        self.replicas.took(spent_ms);
        let runs = self.replicas.rows.iter().zip(&self.replicas.experiments);
        for ((rows, experiment), reached) in runs.zip(&mut self.reached) {
            *reached = *reached || config.outcome(experiment, rows, false).steps.is_some();
        }
    }

    fn is_done(&self) -> bool {
        // Arms are measured at the same steps, so whoever has arrived goes on.
        let has_arrived = |seed: usize| self.replicas.broken[seed] || (self.reached[seed] && !self.is_measured);
        self.replicas.is_at_end() || (!self.replicas.is_staged() && (0..self.reached.len()).all(has_arrived))
    }

    /// Adds what came out to the arm's record, and hands over what is to be measured: experiment, saved weights and what was
    /// measured already, per seed.
    fn finish(self, config: &RaceConfig, arm: &mut ArmRun) -> Vec<(Experiment, Vec<Checkpoint>, MeasureTable)> {
        let runs = self.replicas;
        // A run whose first evaluation was already not a number has no row to show, and then none of the arm are shown: rows
        // belong to seeds by their place.
        let last: Vec<MetricRow> = runs.rows.iter().filter_map(|rows| rows.last().copied()).collect();
        if last.len() == runs.rows.len() && arm.final_rows.len() == arm.outcomes.len() {
            arm.final_rows.extend(last);
        }
        for (rows, experiment) in runs.rows.iter().zip(&runs.experiments) {
            arm.outcomes.push(config.outcome(experiment, rows, true));
        }
        arm.ms_per_update += runs.ms_per_update();
        arm.wall_seconds += runs.worked_ms / 1000.0;
        runs.experiments.into_iter().zip(runs.saved).zip(runs.live).map(|((e, saved), live)| (e, saved, live)).collect()
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
