//! Crosscoder fits of the run on the page: asked for, dropped, finished.
//!
//! Apart from the life of a run, because a fit goes on beside it and outlives none of it.

use super::permalink;
use super::session::{send, store};
use super::storage::Write;
use super::store::{FitState, Lab, grouped};
use crate::crosscoder::{CrosscoderConfig, CrosscoderResult, Hook, Origin};
use crate::engine::message::{Command, FitOutcome, OtherRun, encode};
use crate::record::Checkpoint;
use leptos::prelude::*;
use std::rc::Rc;
use std::sync::Arc;

/// Fits a crosscoder to the run's checkpoints.
pub(super) fn fit(lab: Lab, config: CrosscoderConfig) {
    fit_over(lab, config, Vec::new());
}

/// Fits a crosscoder to the run's checkpoints and those of further runs.
pub(super) fn fit_over(lab: Lab, config: CrosscoderConfig, others: Vec<OtherRun>) {
    let Some(experiment) = lab.run.with_untracked(|run| run.as_ref().map(|run| run.experiment.clone())) else { return };
    let wanted = |checkpoint: &&Checkpoint| config.sources.contains(&checkpoint.step);
    let checkpoints = lab.checkpoints.with_untracked(|all| all.iter().filter(wanted).cloned().collect());
    let (steps, labels) = (config.steps, labels(&config, &others));
    let ask = Command::Fit { config, experiment, checkpoints, others, engine: lab.wish.get_untracked() };
    begin(lab, steps, labels, &ask);
}

/// What the sources are called, in the order in which the engine reads them: by run, hook and step.
fn labels(config: &CrosscoderConfig, others: &[OtherRun]) -> Vec<String> {
    let own = (None, config.sources.clone());
    let of = |other: &OtherRun| (Some(other.name.clone()), other.checkpoints.iter().map(|saved| saved.step).collect());
    let runs: Vec<(Option<String>, Vec<u32>)> = core::iter::once(own).chain(others.iter().map(of)).collect();
    let hooks = config.hooks();
    let hook_name = |hook: Hook| (hooks.len() > 1).then(|| hook.name().to_owned());
    let mut labels = Vec::new();
    for (run, steps) in &runs {
        for hook in &hooks {
            let label = |step: &u32| [Some(grouped((*step).into())), hook_name(*hook), run.clone()].into_iter().flatten();
            labels.extend(steps.iter().map(|step| label(step).collect::<Vec<_>>().join(" ")));
        }
    }
    labels
}

/// Asks for a fit of so many updates, whatever it is of.
pub(super) fn begin(lab: Lab, steps: u32, labels: Vec<String>, ask: &Command) {
    lab.fit_plan.set((steps, labels));
    lab.fit_curves.set(Vec::new());
    lab.fit_probing.set(None);
    lab.fit_paused.set(false);
    lab.fit_state.set(FitState::Running);
    lab.error.set(None);
    lab.waiting.update_value(|waiting| waiting.fit = true);
    send(lab, ask);
}

/// Drops the fit under way.
pub(super) fn cancel_fit(lab: Lab) {
    lab.waiting.update_value(|waiting| waiting.cancel = true);
    send(lab, &Command::CancelFit);
}

/// Holds the fit under way, or lets it go on.
pub(super) fn pause_fit(lab: Lab, is_paused: bool) {
    send(lab, &if is_paused { Command::PauseFit } else { Command::ContinueFit });
}

/// Keeps a finished fit.
pub(super) fn fit_done(lab: Lab, outcome: FitOutcome) {
    let name = outcome.result.config.name.clone();
    if let Ok(bytes) = encode(&outcome) {
        let bytes = Rc::new(bytes);
        store(lab, |id| Write::Fit(id, bytes, name));
    }
    let result = CrosscoderResult::from(outcome);
    let is_imported = matches!(result.origin, Some(Origin::Dictionary { .. }));
    if is_imported {
        // It is shown now; open it again to put it on something else.
        lab.imports.dictionary.set(None);
    }
    lab.fit_curves.set(result.curves.clone());
    lab.latent.set(None);
    // It may have the name of an earlier one.
    lab.agreed.set(None);
    lab.fits.update(|fits| fits.push(Arc::new(result)));
    lab.fit_shown.set(lab.fits.with_untracked(Vec::len) - 1);
    permalink::reveal(lab);
    lab.fit_state.set(FitState::Done);
    lab.waiting.update_value(|waiting| (waiting.fit, waiting.cancel) = (false, false));
    lab.announcement.set(if is_imported { "The dictionary is shown" } else { "The crosscoder is fitted" }.into());
}
