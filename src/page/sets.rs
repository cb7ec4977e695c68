//! A set of latents tried by hand: asked for, under way, found.
//!
//! The set belongs to one fit and is forgotten with it: the same numbers in another fit are other latents.

use super::session::send;
use super::store::Lab;
use crate::crosscoder::causal::{Along, SetQuestion, SetTrial};
use crate::crosscoder::{CrosscoderResult, LatentClass};
use crate::engine::message::{Command, SetOrder};
use crate::record::UserError;
use leptos::prelude::*;
use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

/// The set of the fit on the page.
#[derive(Clone, Copy)]
pub(super) struct SetLab {
    /// The fit; a later one of the same name is another.
    of: StoredValue<Weak<CrosscoderResult>>,
    /// The latents.
    pub(super) chosen: RwSignal<BTreeSet<u32>>,
    /// The question under way.
    asked: StoredValue<Option<SetQuestion>>,
    /// Whose vectors are added.
    pub(super) along: RwSignal<Along>,
    /// Share of the passes that are made, while it is tried.
    pub(super) done: RwSignal<Option<f32>>,
    /// What was found of the set that was tried last.
    pub(super) found: RwSignal<Option<SetTrial>>,
}

impl SetLab {
    pub(super) fn new() -> Self {
        Self {
            of: StoredValue::new(Weak::new()),
            chosen: RwSignal::new(BTreeSet::new()),
            asked: StoredValue::new(None),
            along: RwSignal::new(Along::default()),
            done: RwSignal::new(None),
            found: RwSignal::new(None),
        }
    }

    /// Forgets what belongs to another fit than `fit`.
    pub(super) fn belong_to(self, lab: Lab, fit: &Arc<CrosscoderResult>) {
        let fit = Arc::downgrade(fit);
        if self.of.with_value(|of| of.ptr_eq(&fit)) {
            return;
        }
        self.of.set_value(fit);
        self.chosen.set(BTreeSet::new());
        self.found.set(None);
        if self.done.get_untracked().is_some() {
            cancel(lab);
        }
    }

    /// Takes these latents into the set, or out of it if all of them are in it.
    pub(super) fn toggle(self, latents: &[u32]) {
        self.chosen.update(|chosen| {
            if latents.iter().all(|latent| chosen.contains(latent)) {
                latents.iter().for_each(|latent| {
                    chosen.remove(latent);
                });
            } else {
                chosen.extend(latents);
            }
        });
    }
}

/// Living latents of a class.
pub(super) fn of_class(fit: &CrosscoderResult, class: LatentClass) -> Vec<u32> {
    fit.latents.iter().filter(|latent| latent.class == class).map(|latent| latent.index).collect()
}

/// Asks what the set does at every checkpoint of `fit`.
///
/// # Errors
/// If the fit is a null, or was kept without what is needed.
pub(super) fn ask(lab: Lab, fit: &CrosscoderResult) -> Result<(), UserError> {
    fit.can_be_tried()?;
    let Some(experiment) = lab.run.with_untracked(|run| run.as_ref().map(|run| run.experiment.clone())) else { return Ok(()) };
    let latents: Vec<u32> = lab.sets.chosen.with_untracked(|chosen| chosen.iter().copied().collect());
    let is_wanted = |step: u32| fit.sources.iter().any(|source| source.is_own() && source.step == step);
    let checkpoints = lab.checkpoints.with_untracked(|all| {
        let wanted = all.iter().enumerate().filter(|(place, saved)| *place == 0 || is_wanted(saved.step));
        wanted.map(|(_, saved)| saved.clone()).collect()
    });
    let question = SetQuestion { latents, along: lab.sets.along.get_untracked() };
    lab.sets.asked.set_value(Some(question.clone()));
    lab.sets.done.set(Some(0.0));
    lab.sets.found.set(None);
    let order = SetOrder { fit: bare(fit).into(), checkpoints, question };
    send(lab, &Command::TrySet(experiment, Box::new(order)));
    Ok(())
}

/// Drops the trial under way.
pub(super) fn cancel(lab: Lab) {
    lost(lab);
    send(lab, &Command::CancelSet);
}

/// No answer will come.
pub(super) fn lost(lab: Lab) {
    lab.sets.asked.set_value(None);
    lab.sets.done.set(None);
}

/// A fit without what the engine never asks for, to be sent.
pub(super) fn bare(fit: &CrosscoderResult) -> CrosscoderResult {
    CrosscoderResult {
        config: fit.config.clone(),
        sources: fit.sources.clone(),
        latents: fit.latents.clone(),
        explained_variance: fit.explained_variance.clone(),
        activations: fit.activations.clone(),
        weights: fit.weights.clone(),
        curves: Vec::new(),
        predicted: Vec::new(),
        l0_per_source: Vec::new(),
        causal: None,
        baselines: Vec::new(),
        twins: Vec::new(),
        origin: fit.origin.clone(),
        ..*fit
    }
}

/// How far it is.
pub(super) fn progress(lab: Lab, done: f32) {
    if lab.sets.done.get_untracked().is_some() {
        lab.sets.done.set(Some(done));
    }
}

/// What was found, if it is what was asked last.
pub(super) fn tried(lab: Lab, trial: SetTrial) {
    if lab.sets.asked.with_value(|asked| asked.as_ref() == Some(&trial.question)) {
        lost(lab);
        lab.sets.found.set(Some(trial));
        lab.announcement.set("The latents are tried".into());
    }
}

/// It cannot be tried.
pub(super) fn refused(lab: Lab, error: UserError) {
    lost(lab);
    lab.fail(error);
}
