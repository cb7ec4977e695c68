//! The earlier stage at work: the source is trained like any run, tick by tick, then handed over.

use super::Trainer;
use crate::experiment::Experiment;
use crate::experiment::stage::Use;
use crate::record::{UserError, Weights};
use burn::tensor::Device;

/// A source under training, one per replica.
#[derive(Debug)]
pub struct Stage {
    trainer: Trainer,
    steps: u32,
    wanted: Use,
    temperature: f64,
    /// Per replica, the step at which its loss was found not to be a number.
    broken: Vec<Option<u32>>,
}

impl Stage {
    /// The source of `experiments` (replicas of one run); `None` without an earlier stage.
    ///
    /// # Errors
    /// If the source cannot be made.
    pub fn new(experiments: &[Experiment], gather: bool, device: &Device) -> Result<Option<Self>, UserError> {
        let Some((first, wanted)) = experiments.first().and_then(|first| Some((first, first.stage_use()?))) else {
            return Ok(None);
        };
        let sources: Vec<Experiment> =
            experiments.iter().map(Experiment::source).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        Ok(Some(Self {
            broken: vec![None; sources.len()],
            trainer: Trainer::new(&sources, gather, device)?,
            // The source's own number of steps only shapes its schedule.
            steps: first.stage.integer("steps"),
            wanted,
            temperature: first.stage.number("temperature").max(f64::MIN_POSITIVE),
        }))
    }

    /// Updates that the source has made.
    pub fn step(&self) -> u32 {
        self.trainer.step()
    }

    /// Updates that it will make.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Whether it is trained.
    pub fn is_done(&self) -> bool {
        self.step() >= self.steps
    }

    /// Makes one update of the source.
    ///
    /// # Errors
    /// If the device stopped answering.
    pub async fn advance(&mut self) -> Result<(), UserError> {
        self.trainer.advance().await
    }

    /// Waits until the device has made all updates so far, and notes whose loss is no longer a number.
    ///
    /// # Errors
    /// If the device stopped answering.
    pub async fn settle(&mut self) -> Result<(), UserError> {
        for (step, losses) in self.trainer.read().await?.losses {
            for (broken, loss) in self.broken.iter_mut().zip(losses) {
                if !loss.is_finite() {
                    broken.get_or_insert(step);
                }
            }
        }
        Ok(())
    }

    /// Per replica, whether its source has nothing to give any more. One broken source says nothing about its neighbours.
    pub fn broken(&self) -> impl Iterator<Item = bool> {
        self.broken.iter().map(Option::is_some)
    }

    /// Why none of the replicas can go on, if so.
    pub fn failure(&self) -> Option<UserError> {
        let first = self.broken.iter().copied().collect::<Option<Vec<u32>>>()?.into_iter().min()?;
        Some(UserError::new(
            format!("The source's loss stopped being a number at step {}", first + 1),
            "Change stage.source, for instance to a lower learning rate",
        ))
    }

    /// The source's weights, one set per replica, if they are what is wanted.
    pub(super) async fn weights(&self) -> Result<Option<Vec<Weights>>, UserError> {
        if self.wanted == Use::Transplant { self.trainer.weights().await.map(Some) } else { Ok(None) }
    }

    /// The source's answers to each row, one list per replica, if they are what is wanted.
    pub(super) async fn answers(&self) -> Result<Option<Vec<Vec<f32>>>, UserError> {
        if self.wanted == Use::Distill { self.trainer.answers(self.temperature).await.map(Some) } else { Ok(None) }
    }
}
