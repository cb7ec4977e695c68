//! Measures under way: one checkpoint after another, one measure or one question at a time.
//!
//! A learning coefficient takes seconds and training must not notice. So work is cut at every question, and while a run trains,
//! each millisecond of measuring waits for [`PATIENCE`] milliseconds of training first: the run is slowed by at most a tenth.

use super::capability::EngineKind;
use super::examiner::Examiner;
use super::message::{Event, MeasureOrder};
use super::port::Port;
use crate::crosscoder::Hook;
use crate::experiment::Experiment;
use crate::measure::{Facts, Grid, Harmonics, Inquiry, KEY_ENERGY, Measure, Question, Turn, Work, hooks_of, measure};
use crate::record::{Checkpoint, Measured, UserError, Value, Weights};
use burn::tensor::Device;

/// Milliseconds of training for each millisecond of measuring.
const PATIENCE: f64 = 10.0;

/// Milliseconds of measuring at a stretch when nothing trains.
const STRETCH_MS: f64 = 40.0;

/// An order with its progress.
pub(super) struct Measuring {
    experiment: Experiment,
    checkpoints: Vec<(u32, Weights)>,
    steps: Vec<u32>,
    chosen: Vec<&'static Measure>,
    harmonics: Option<Harmonics>,
    keys: Option<Vec<usize>>,
    examiner: Examiner,
    /// The place in `steps` of the checkpoint under examination, and its activations once they are read.
    place: usize,
    grids: Option<Vec<(Hook, Grid)>>,
    /// Measures of it that are taken.
    taken: usize,
    asking: Option<Asking>,
    /// Milliseconds of training that are owed.
    debt_ms: f64,
    worked_ms: f64,
}

/// A measure that asks, and its next question.
struct Asking {
    inquiry: Box<dyn Inquiry>,
    question: Question,
}

impl Measuring {
    pub(super) fn new(
        experiment: Experiment,
        order: &MeasureOrder,
        kind: EngineKind,
        device: &Device,
    ) -> Result<Self, UserError> {
        let read = |checkpoint: &Checkpoint| Ok((checkpoint.step, Weights::from_safetensors(&checkpoint.weights)?));
        let checkpoints = order.checkpoints.iter().map(read).collect::<Result<Vec<_>, UserError>>()?;
        let Some((_, first)) = checkpoints.first() else {
            return Err(UserError::new("The run has no checkpoints to measure", "Start a run first"));
        };
        if let Some(missing) = order.steps.iter().find(|step| checkpoints.iter().all(|(known, _)| known != *step)) {
            return Err(UserError::new(
                format!("Step {missing} was not saved"),
                "Choose among the steps that the time slider offers",
            ));
        }
        let chosen: Vec<&Measure> = order.measures.iter().map(|name| measure(name)).collect::<Result<_, _>>()?;
        let examiner = Examiner::new(&experiment, first, kind, device)?;
        Ok(Self {
            harmonics: Harmonics::of(&experiment).ok(),
            experiment,
            steps: order.steps.clone(),
            checkpoints,
            chosen,
            keys: None,
            examiner,
            place: 0,
            grids: None,
            taken: 0,
            asking: None,
            debt_ms: 0.0,
            worked_ms: 0.0,
        })
    }

    /// Training went on for so long; measures may follow.
    pub(super) fn trained(&mut self, ms: f64) {
        self.debt_ms = (self.debt_ms - ms).max(0.0);
    }

    /// Whether work may be done now, while a run trains.
    pub(super) fn may_work(&self) -> bool {
        self.debt_ms <= 0.0
    }

    /// Milliseconds of work so far.
    pub(super) fn worked_ms(&self) -> f64 {
        self.worked_ms
    }

    /// A little work. True when all is done.
    ///
    /// # Errors
    /// If weights do not fit, or the device stopped answering. A single measure that cannot be taken is no error: its reason
    /// stands in the table.
    pub(super) async fn advance(&mut self, port: &mut impl Port, is_training: bool) -> Result<bool, UserError> {
        let begun = port.now_ms();
        let mut is_done = self.turn(port).await?;
        while !is_done && !is_training && port.now_ms() - begun < STRETCH_MS {
            is_done = self.turn(port).await?;
        }
        let spent = port.now_ms() - begun;
        self.worked_ms += spent;
        self.debt_ms += PATIENCE * spent;
        Ok(is_done)
    }

    /// The smallest piece of work.
    async fn turn(&mut self, port: &mut impl Port) -> Result<bool, UserError> {
        if self.keys.is_none() && self.chosen.iter().any(|measure| measure.needs_keys) {
            return self.find_keys(port).await.map(|()| false);
        }
        let place = self.place;
        let Some(step) = self.steps.get(place).copied() else { return Ok(true) };
        let Some(at) = self.checkpoints.iter().position(|(known, _)| *known == step) else { return Ok(true) };
        if self.grids.is_none() {
            let applying: Vec<&Measure> =
                self.chosen.iter().filter(|measure| (measure.applies)(&self.experiment).is_ok()).copied().collect();
            let hooks = hooks_of(&applying, &self.experiment);
            let grids = self.examiner.activations(&self.checkpoints[at].1, &hooks).await?;
            self.grids = Some(grids);
            return Ok(false);
        }
        let Some(measure) = self.chosen.get(self.taken).copied() else {
            (self.place, self.grids, self.taken) = (place + 1, None, 0);
            return Ok(place + 1 >= self.steps.len());
        };
        let found = self.take(measure, at).await;
        if let Some(found) = found {
            let values = named(measure, found);
            self.taken += 1;
            port.emit(Event::Measured(step, values));
        }
        let of_measure = self.asking.as_ref().map_or(0.0, |asking| asking.inquiry.progress());
        let per_step = (self.taken as f32 + of_measure) / self.chosen.len().max(1) as f32;
        let done = (place as f32 + per_step) / self.steps.len().max(1) as f32;
        port.emit(Event::MeasuresProgress { measure: measure.name.to_owned(), step, done });
        Ok(false)
    }

    /// The values of a measure, or nothing yet while it asks.
    async fn take(&mut self, measure: &'static Measure, at: usize) -> Option<Result<Vec<Value>, UserError>> {
        if let Err(error) = (measure.applies)(&self.experiment) {
            return Some(Err(error));
        }
        let facts = Facts {
            experiment: &self.experiment,
            data: self.examiner.data(),
            step: self.checkpoints[at].0,
            weights: &self.checkpoints[at].1,
            start: self.checkpoints.first().map(|(_, weights)| weights),
            before: at.checked_sub(1).map(|before| (self.checkpoints[before].0, &self.checkpoints[before].1)),
            harmonics: self.harmonics.as_ref(),
            keys: self.keys.as_deref().unwrap_or(&[]),
            activations: self.grids.as_deref().unwrap_or(&[]),
        };
        let turn = match (measure.work, self.asking.take()) {
            (Work::Direct(take), _) => return Some(take(&facts)),
            (Work::Elsewhere, _) => return Some(Err(UserError::new("This build takes no measures", "Use the engine's build"))),
            (Work::Training, _) => {
                return Some(Err(UserError::new("Only training can take this measure", "Train the run again and watch it")));
            }
            (Work::Asking(begin), None) => begin(&facts).and_then(|mut inquiry| Ok((inquiry.next(None)?, inquiry))),
            (Work::Asking(_), Some(Asking { mut inquiry, question })) => {
                let answer = self.examiner.answer(question, &self.checkpoints[at].1).await;
                answer.and_then(|answer| Ok((inquiry.next(Some(answer))?, inquiry)))
            }
        };
        match turn {
            Err(error) => Some(Err(error)),
            Ok((Turn::Done(values), _)) => Some(Ok(values)),
            Ok((Turn::Ask(question), inquiry)) => {
                self.asking = Some(Asking { inquiry, question });
                None
            }
        }
    }

    /// The fewest components that carry [`KEY_ENERGY`] of the last checkpoint's logits as a function of the answer.
    async fn find_keys(&mut self, port: &mut impl Port) -> Result<(), UserError> {
        let mut keys = Vec::new();
        if let (Some(harmonics), Some((step, weights))) = (&self.harmonics, self.checkpoints.last())
            && harmonics.require_even_answers().is_ok()
            && let Ok(grids) = self.examiner.activations(weights, &[Hook::Logits]).await
            && let Some((_, logits)) = grids.first()
        {
            let by_answer = harmonics.mean_by_answer(&logits.values, logits.width);
            keys = harmonics.leading(&by_answer, logits.width, KEY_ENERGY);
            port.emit(Event::Keys(*step, keys.iter().map(|key| *key as u32 + 1).collect()));
        }
        self.keys = Some(keys);
        Ok(())
    }
}

/// Values by column, or the one reason in all of them.
fn named(measure: &Measure, found: Result<Vec<Value>, UserError>) -> Measured {
    let names = measure.columns.iter().map(|column| column.name.to_owned());
    match found {
        Ok(values) => names.zip(values.into_iter().map(Value::checked)).collect(),
        Err(error) => names.map(|name| (name, Value::Absent(error.to_string()))).collect(),
    }
}
