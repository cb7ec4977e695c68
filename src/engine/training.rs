//! One run under way: the trainer, what it has recorded, and when to evaluate, save and stop.

use super::capability::EngineChoice;
use super::message::{Event, Resume};
use super::port::Port;
use super::tick::Tick;
use super::{BUILD, capability::EngineKind};
use crate::experiment::Experiment;
use crate::experiment::stage::Use;
use crate::experiment::timeline::{Entry, line_at};
use crate::measure::{delay::delay, descent};
use crate::record::{Checkpoint, Fingerprint, Measured, MetricRow, RunSummary, UserError};
use crate::train::{Motion, Stage, Trainer};
use burn::tensor::Device;

/// What a tick led to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// More to do.
    Going,
    /// The requested number of single steps is made.
    Held,
    /// All updates are made.
    Done,
    /// The loss is no longer a number; the update (from 0) whose batch loss was not finite.
    Diverged(u32),
}

/// A run with its record.
pub(super) struct Training {
    experiment: Experiment,
    trainer: Trainer,
    choice: EngineChoice,
    rows: Vec<MetricRow>,
    fingerprint: Fingerprint,
    tick: Tick,
    evaluated: Option<u32>,
    saved: Option<u32>,
    /// Step up to which the timeline's lines are in the fingerprint.
    hashed: u32,
    /// An earlier stage that is not done yet.
    source: Option<Stage>,
    hold_at: Option<u32>,
    worked_ms: f64,
}

impl Training {
    pub(super) fn new(
        experiment: Experiment,
        choice: EngineChoice,
        device: &Device,
        resume: Option<Resume>,
    ) -> Result<Self, UserError> {
        let gather = choice.kind == EngineKind::Cpu;
        let mut trainer = Trainer::new(core::slice::from_ref(&experiment), gather, device)?;
        let mut fingerprint = Fingerprint::new(&experiment);
        let (mut rows, mut worked_ms, mut reached) = (Vec::new(), 0.0, None);
        if let Some(resume) = resume {
            let chain = trainer.restore(&resume.point)?;
            fingerprint = Fingerprint::from_state(&chain)?;
            rows = resume.rows.into_iter().filter(|row| row.step <= trainer.step()).collect();
            worked_ms = resume.wall_seconds * 1000.0;
            reached = Some(trainer.step());
        }
        let source = if reached.is_none() || experiment.stage_use() == Some(Use::Distill) {
            Stage::new(core::slice::from_ref(&experiment), gather, device)?
        } else {
            None
        };
        Ok(Self {
            evaluated: rows.last().map(|row: &MetricRow| row.step),
            saved: reached,
            hashed: reached.unwrap_or(0),
            source,
            // A GPU's queue is only bounded by our reads; a CPU has no queue.
            tick: Tick::new(if choice.kind == EngineKind::Gpu { 32 } else { 4096 }),
            experiment,
            trainer,
            choice,
            rows,
            fingerprint,
            hold_at: None,
            worked_ms,
        })
    }

    pub(super) fn step(&self) -> u32 {
        self.trainer.step()
    }

    /// Hold after `count` more updates; `None` lifts the hold.
    pub(super) fn hold_after(&mut self, count: Option<u32>) {
        self.hold_at = count.map(|count| self.step().saturating_add(count));
    }

    /// About 50 ms of updates, with the evaluations and checkpoints that fall due.
    pub(super) async fn advance(&mut self, port: &mut impl Port) -> Result<Outcome, UserError> {
        let begun = port.now_ms();
        if self.source.is_some() {
            self.prepare(port).await?;
            self.worked_ms += port.now_ms() - begun;
            return Ok(Outcome::Going);
        }
        let (last, budget) = (self.experiment.steps, self.tick.steps());
        let mut made = 0;
        let outcome = loop {
            if let Some(step) = self.note(port, false).await? {
                break Outcome::Diverged(step);
            }
            if self.step() >= last {
                break Outcome::Done;
            }
            if self.hold_at.is_some_and(|hold| self.step() >= hold) {
                break Outcome::Held;
            }
            if made == budget {
                break Outcome::Going;
            }
            self.trainer.advance().await?;
            made += 1;
        };
        let outcome = match self.flush(port).await? {
            Some(step) => Outcome::Diverged(step),
            None => outcome,
        };
        let spent = port.now_ms() - begun;
        self.worked_ms += spent;
        self.tick.took(made, spent);
        if made > 0 {
            port.emit(Event::Progress { step: self.step(), ms_per_step: (spent / f64::from(made)) as f32 });
        }
        Ok(outcome)
    }

    /// A tick of the earlier stage; at its end this run takes over what it is for.
    async fn prepare(&mut self, port: &mut impl Port) -> Result<(), UserError> {
        let Some(stage) = &mut self.source else { return Ok(()) };
        let begun = port.now_ms();
        let mut made = 0;
        while made < self.tick.steps() && !stage.is_done() {
            stage.advance().await?;
            made += 1;
        }
        stage.settle().await?;
        if let Some(error) = stage.failure() {
            return Err(error);
        }
        self.tick.took(made, port.now_ms() - begun);
        port.emit(Event::Stage { step: stage.step(), steps: stage.steps() });
        if stage.is_done()
            && let Some(stage) = self.source.take()
        {
            self.trainer.take_over(stage).await?;
        }
        Ok(())
    }

    /// Adds a change at the present step and returns its line. `change` is a line without its step.
    ///
    /// # Errors
    /// If the change cannot be made.
    pub(super) fn intervene(&mut self, change: &str) -> Result<String, UserError> {
        let line = line_at(self.step(), change);
        let changed = self.experiment.with_line(&line)?;
        let written = Entry::parse(&line)?.to_string();
        self.trainer.follow(&changed);
        self.experiment = changed;
        Ok(written)
    }

    /// Evaluates and saves the present weights where the schedule (or `force`) asks for it, once per step. Returns the update at
    /// which the loss stopped being finite, if saving found one.
    async fn note(&mut self, port: &mut impl Port, force: bool) -> Result<Option<u32>, UserError> {
        let (step, last) = (self.step(), self.experiment.steps);
        if self.evaluated != Some(step) && (force || self.experiment.logging.evaluates_at(step, last)) {
            self.trainer.evaluate();
            self.evaluated = Some(step);
        }
        if self.saved != Some(step) && (force || self.experiment.logging.checkpoints_at(step, last)) {
            // Read first: weights that are not finite must not become a checkpoint.
            if let Some(step) = self.flush(port).await? {
                return Ok(Some(step));
            }
            self.save(port).await?;
            self.saved = Some(step);
        }
        Ok(None)
    }

    async fn save(&mut self, port: &mut impl Port) -> Result<(), UserError> {
        let step = self.step();
        self.fingerprint.add_lines(&self.experiment, self.hashed, step);
        self.hashed = step;
        for weights in self.trainer.weights().await? {
            self.fingerprint.add(step, &weights);
            port.emit(Event::Checkpoint(Checkpoint { step, weights: weights.to_safetensors(None)? }));
        }
        let bytes = self.trainer.resume_point(&self.fingerprint.state()).await?;
        port.emit(Event::ResumePoint { step, bytes });
        Ok(())
    }

    /// Brings rows back and sends them. Returns the first update whose loss was not finite.
    async fn flush(&mut self, port: &mut impl Port) -> Result<Option<u32>, UserError> {
        let readings = self.trainer.read().await?;
        let broken_update =
            readings.losses.iter().find(|(_, losses)| losses.iter().any(|loss| !loss.is_finite())).map(|(s, _)| *s);
        let fresh: Vec<MetricRow> = readings.rows.into_iter().flatten().collect();
        let finite = |row: &MetricRow| row.train_loss.is_finite() && row.test_loss.is_finite() && row.weight_norm.is_finite();
        let broken_row = fresh.iter().find(|row| !finite(row)).map(|row| row.step.saturating_sub(1));
        let fresh: Vec<MetricRow> = fresh.into_iter().take_while(finite).collect();
        if let Some(last) = fresh.last().map(|row| row.step) {
            let seen = readings.motions.iter().filter(|(step, _)| *step <= last);
            let live = seen.filter_map(|(step, motions)| Some((*step, descent_of(motions.first()?)))).collect();
            self.rows.extend_from_slice(&fresh);
            port.emit(Event::Metrics(fresh));
            port.emit(Event::MeasuredLive(live));
        }
        Ok(match (broken_update, broken_row) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        })
    }

    /// Ends the run here. The last weights are evaluated and saved, unless the loss stopped being finite at update `diverged`: then
    /// the run ends there, however far the tick went on before that was read.
    pub(super) async fn finish(
        &mut self,
        port: &mut impl Port,
        ended_early: Option<String>,
        diverged: Option<u32>,
    ) -> Result<RunSummary, UserError> {
        if diverged.is_none() {
            self.note(port, true).await?;
            self.flush(port).await?;
        }
        let delay = delay(&self.rows, true);
        Ok(RunSummary {
            t_mem: delay.t_mem,
            t_gen: delay.t_gen,
            t_gen_99: delay.t_gen_99,
            t_half: delay.t_half,
            steps: diverged.unwrap_or_else(|| self.step()),
            engine: self.choice.label.clone(),
            exact: self.choice.exact,
            build: BUILD.to_owned(),
            fingerprint: self.fingerprint.hex(),
            wall_seconds: self.worked_ms / 1000.0,
            ended_early,
        })
    }
}

/// The values of [`descent`] of an update.
pub(super) fn descent_of(motion: &Motion) -> Measured {
    let [gradient, update, weights, product] =
        [motion.gradient_square, motion.update_square, motion.weight_square, motion.product].map(f64::from);
    descent(gradient, update, weights, product)
}
