//! One latent tried at one checkpoint.

use super::capability::EngineKind;
use super::fitting::activations;
use super::message::TrialOrder;
use super::networks::Networks;
use crate::crosscoder::causal::{Steered, Trial, answered};
use crate::experiment::Experiment;
use crate::record::{Checkpoint, UserError};
use crate::task::Dataset;
use burn::tensor::Device;

/// Makes the trial.
///
/// # Errors
/// If the checkpoint does not fit the experiment, or nothing can be put in at the hook.
pub(super) async fn attempt(
    experiment: &Experiment,
    order: TrialOrder,
    kind: EngineKind,
    device: &Device,
) -> Result<Trial, UserError> {
    let TrialOrder { checkpoint, first, hook, input } = order;
    let data = Dataset::new(&experiment.task, experiment.seed)?;
    let step = checkpoint.step;
    let mut saved: Vec<Checkpoint> = first.into_iter().filter(|first| first.step != step).collect();
    saved.push(checkpoint);
    let sources = activations(&[step], hook, experiment, &saved, &data, kind, device).await?;
    let source = &sources[0];
    if source.width != input.decoder.len() || data.rows.len() != input.codes.len() {
        return Err(UserError::new("The latent is of another network or task", "Open the fit of this run"));
    }
    let mut networks = Networks::new(experiment, &saved, &sources, vec![hook], kind, device)?;
    let (clean, _) = networks.answers(0, source.values.clone(), true).await?;
    let (without, _) = networks.answers(0, input.added(&source.values, |f| -f), false).await?;
    let mut steered = Vec::with_capacity(input.amounts.len());
    for &amount in &input.amounts {
        let (effect, outputs) = networks.answers(0, input.added(&source.values, |_| amount), false).await?;
        let classes = outputs.len() / data.rows.len().max(1);
        steered.push(Steered { amount, effect, answered: answered(&outputs, classes) });
    }
    Ok(Trial { latent: input.latent, source: input.source, clean, without, steered })
}
