//! Runs that differ in their seeds, trained as replicas of one: races and surveys put their networks through here.
//!
//! One network of the laboratory's size leaves a processor waiting between its operations; sixty-four in one tensor do not. What
//! decides when they are done (a criterion, the budget) is the asker's.

use super::tick::Tick;
use super::training::descent_of;
use crate::experiment::Experiment;
use crate::record::{Checkpoint, MeasureTable, MetricRow, UserError};
use crate::train::{Stage, Trainer};
use burn::tensor::Device;

/// Runs under way.
pub(super) struct Replicas {
    pub(super) experiments: Vec<Experiment>,
    trainer: Trainer,
    stage: Option<Stage>,
    tick: Tick,
    /// Rows per seed.
    pub(super) rows: Vec<Vec<MetricRow>>,
    /// Updates of the last tick, and of all ticks, those of the source included.
    updates: u32,
    all_updates: u32,
    pub(super) worked_ms: f64,
    /// Seeds whose loss is no longer a number.
    pub(super) broken: Vec<bool>,
    saves: bool,
    /// Saved weights per seed.
    pub(super) saved: Vec<Vec<Checkpoint>>,
    /// What only training can measure, per seed; filled where weights are saved.
    pub(super) live: Vec<MeasureTable>,
}

impl Replicas {
    /// `saves`: whether weights are saved where the schedule asks for it.
    pub(super) fn new(experiments: Vec<Experiment>, gather: bool, saves: bool, device: &Device) -> Result<Self, UserError> {
        let seeds = experiments.len();
        Ok(Self {
            trainer: Trainer::new(&experiments, gather, device)?,
            stage: Stage::new(&experiments, gather, device)?,
            experiments,
            tick: Tick::new(if gather { 4096 } else { 32 }),
            rows: vec![Vec::new(); seeds],
            broken: vec![false; seeds],
            updates: 0,
            all_updates: 0,
            worked_ms: 0.0,
            saves,
            saved: vec![Vec::new(); seeds],
            live: vec![MeasureTable::default(); seeds],
        })
    }

    /// Updates made, those of an earlier stage left out.
    pub(super) fn step(&self) -> u32 {
        self.trainer.step()
    }

    /// Share of the budget that is used, 0 to 1.
    pub(super) fn share_done(&self) -> f64 {
        f64::from(self.trainer.step()) / f64::from(self.budget().max(1))
    }

    /// Updates of each run.
    pub(super) fn budget(&self) -> u32 {
        self.experiments.first().map_or(0, |experiment| experiment.steps)
    }

    /// Whether an earlier stage is under way.
    pub(super) fn is_staged(&self) -> bool {
        self.stage.is_some()
    }

    /// Whether the budget is used, or nobody is left to use it.
    pub(super) fn is_at_end(&self) -> bool {
        self.stage.is_none() && (self.trainer.step() >= self.budget() || self.broken.iter().all(|broken| *broken))
    }

    /// Mean milliseconds per update of all replicas together.
    pub(super) fn ms_per_update(&self) -> f64 {
        self.worked_ms / f64::from(self.all_updates.max(1))
    }

    /// The last tick took `spent_ms`.
    pub(super) fn took(&mut self, spent_ms: f64) {
        self.worked_ms += spent_ms;
        self.all_updates += self.updates;
        self.tick.took(self.updates, spent_ms);
    }

    /// A tick of updates; [`Replicas::took`] is to follow.
    ///
    /// # Errors
    /// If the device stopped answering.
    pub(super) async fn advance(&mut self) -> Result<(), UserError> {
        self.updates = 0;
        if let Some(stage) = &mut self.stage {
            while self.updates < self.tick.steps() && !stage.is_done() {
                stage.advance().await?;
                self.updates += 1;
            }
            stage.settle().await?;
            if stage.failure().is_some() {
                // These runs end here; what was asked before them is kept and what comes after them runs.
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
        let last = self.budget();
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
        self.saves && self.experiments[0].logging.checkpoints_at(step, self.budget())
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
}
