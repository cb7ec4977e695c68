//! Answering one look: at most two forward passes, read back together.

use super::capability::EngineKind;
use super::examiner::Examiner;
use super::message::LookOrder;
use crate::crosscoder::Hook;
use crate::experiment::Experiment;
use crate::measure::{Facts, Grid, Harmonics, Look, Scores, ablated, look_hooks};
use crate::record::{UserError, Weights};
use burn::tensor::Device;

/// What is kept between looks at one run.
pub(super) struct Looking {
    experiment: Experiment,
    harmonics: Option<Harmonics>,
    examiner: Examiner,
}

impl Looking {
    /// For looks at checkpoints of `experiment`.
    pub(super) fn new(experiment: Experiment, first: &Weights, kind: EngineKind, device: &Device) -> Result<Self, UserError> {
        let examiner = Examiner::new(&experiment, first, kind, device)?;
        Ok(Self { harmonics: Harmonics::of(&experiment).ok(), examiner, experiment })
    }

    /// Whether looks at `experiment` can be taken with what is kept.
    pub(super) fn is_of(&self, experiment: &Experiment) -> bool {
        self.experiment == *experiment
    }

    pub(super) async fn look(&mut self, order: &LookOrder) -> Result<Look, UserError> {
        let weights = Weights::from_safetensors(&order.checkpoint.weights)?;
        let Some(part) = order.view.ablation else {
            let grids = self.examiner.activations(&weights, &look_hooks(&self.experiment)).await?;
            return Look::of(&self.facts(order, &weights, &grids), &order.view, None);
        };
        let before = self.examiner.activations(&weights, &[Hook::Logits]).await?;
        let whole = Scores::of(&self.facts(order, &weights, &before))?;
        let weights = ablated(&weights, &self.experiment, self.harmonics.as_ref(), part)?;
        let grids = self.examiner.activations(&weights, &look_hooks(&self.experiment)).await?;
        Look::of(&self.facts(order, &weights, &grids), &order.view, Some(whole))
    }

    fn facts<'a>(&'a self, order: &LookOrder, weights: &'a Weights, activations: &'a [(Hook, Grid)]) -> Facts<'a> {
        Facts {
            experiment: &self.experiment,
            data: self.examiner.data(),
            step: order.checkpoint.step,
            weights,
            start: None,
            before: None,
            harmonics: self.harmonics.as_ref(),
            keys: &[],
            activations,
        }
    }
}
