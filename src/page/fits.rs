//! Crosscoder fits of the run on the page: asked for, dropped, finished.
//!
//! Apart from the life of a run, because a fit goes on beside it and outlives none of it.

use super::permalink;
use super::session::{send, store};
use super::storage::Write;
use super::store::{FitState, Lab};
use crate::crosscoder::{CrosscoderConfig, CrosscoderResult};
use crate::engine::message::{Command, FitOutcome, encode};
use crate::record::Checkpoint;
use leptos::prelude::*;
use std::rc::Rc;
use std::sync::Arc;

/// Fits a crosscoder to the run's checkpoints.
pub(super) fn fit(lab: Lab, config: CrosscoderConfig) {
    let Some(experiment) = lab.run.with_untracked(|run| run.as_ref().map(|run| run.experiment.clone())) else { return };
    let wanted = |checkpoint: &&Checkpoint| config.sources.contains(&checkpoint.step);
    let checkpoints = lab.checkpoints.with_untracked(|all| all.iter().filter(wanted).cloned().collect());
    lab.fit_plan.set((config.steps, config.sources.clone()));
    lab.fit_curves.set(Vec::new());
    lab.fit_probing.set(None);
    lab.fit_paused.set(false);
    lab.fit_state.set(FitState::Running);
    lab.error.set(None);
    lab.waiting.update_value(|waiting| waiting.fit = true);
    send(lab, &Command::Fit { config, experiment, checkpoints, others: Vec::new(), engine: lab.wish.get_untracked() });
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
    lab.fit_curves.set(result.curves.clone());
    lab.latent.set(None);
    // It may have the name of an earlier one.
    lab.agreed.set(None);
    lab.fits.update(|fits| fits.push(Arc::new(result)));
    lab.fit_shown.set(lab.fits.with_untracked(Vec::len) - 1);
    permalink::reveal(lab);
    lab.fit_state.set(FitState::Done);
    lab.waiting.update_value(|waiting| (waiting.fit, waiting.cancel) = (false, false));
    lab.announcement.set("The crosscoder is fitted".into());
}
