//! The latent that an address names: found where its fit is, offered to be made where it is not.
//!
//! A latent's number means nothing without its fit, and a fit nothing without its run; a link that carried the number alone would
//! show another latent, or an empty page. So an address names fit and latent beside the experiment and the fit's settings. What
//! is stored on this device is opened at once, because looking starts nothing; anything else waits for a press of a button.

use super::claim::{Claim, claim};
use super::live::part;
use super::session;
use super::storage::{Storage, Stored, StoredRun};
use super::store::{EngineState, Lab, View};
use crate::crosscoder::{CrosscoderConfig, CrosscoderResult, Null};
use crate::engine::phase::Phase;
use crate::experiment::Experiment;
use crate::record::UserError;
use leptos::prelude::*;
use std::sync::Arc;
use std::time::Duration;

/// A latent that is not on the page yet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    /// The run's experiment.
    pub(super) experiment: Experiment,
    /// The fit's name.
    pub(super) fit: String,
    /// The latent's index.
    pub(super) latent: u32,
    /// The fit's settings, where the link brought them.
    pub(super) config: Option<CrosscoderConfig>,
}

impl Wanted {
    fn is_of(&self, experiment: &Experiment, fit: &CrosscoderResult) -> bool {
        self.experiment == *experiment
            && self.fit == fit.config.name
            && (self.latent as usize) < fit.latents.len()
            && self.config.as_ref().is_none_or(|config| *config == fit.config)
    }
}

/// The fit on the page, in the view that shows it.
fn shown_fit(lab: Lab) -> Option<Arc<CrosscoderResult>> {
    let shown = lab.fit_shown.get();
    if lab.view.get() == View::Atlas { lab.fits.with(|fits| fits.get(shown).cloned()) } else { None }
}

/// The settings of the fit on the page, by which it can be made again; those of a fit over several runs, or of something that came
/// as a file, do not suffice.
pub(super) fn shown_config(lab: Lab) -> Option<CrosscoderConfig> {
    shown_fit(lab).filter(|fit| fit.beyond_its_settings().is_none()).map(|fit| fit.config.clone())
}

/// Name of the fit and number of the latent on the page; those that are still wanted while there is none.
pub(super) fn shown(lab: Lab) -> Option<(String, u32)> {
    let on_page = shown_fit(lab).map(|fit| fit.config.name.clone()).zip(lab.latent.get());
    let wanted = || lab.wanted.get().filter(|wanted| lab.shown_experiment() == wanted.experiment);
    on_page.or_else(|| wanted().map(|wanted| (wanted.fit, wanted.latent)))
}

/// Shows the wanted latent if its fit is on the page.
pub(super) fn reveal(lab: Lab) {
    let Some(wanted) = lab.wanted.get_untracked() else { return };
    let Some(experiment) = lab.run.with_untracked(|run| run.as_ref().map(|run| run.experiment.clone())) else { return };
    let found = lab.fits.with_untracked(|fits| fits.iter().position(|fit| wanted.is_of(&experiment, fit)));
    if let Some(index) = found {
        lab.fit_shown.set(index);
        lab.latent.set(Some(wanted.latent));
        lab.wanted.set(None);
        // It stands below the form that made the fit.
        let look = || {
            let card = web_sys::window().and_then(|window| window.document()?.get_element_by_id("latent-head"));
            if let Some(card) = card {
                card.scroll_into_view();
            }
        };
        set_timeout(look, Duration::from_millis(300));
    }
}

/// The stored run that holds the wanted latent, if no other tab has it.
pub(super) async fn find(lab: Lab, storage: &Storage, runs: &[StoredRun]) -> Option<(Stored, Claim)> {
    let wanted = lab.wanted.get_untracked()?;
    for run in runs.iter().filter(|run| run.experiment == wanted.experiment) {
        let Some(claim) = claim(&run.id).await else { continue };
        // What cannot be read is told when it is offered as the last run.
        let Ok(stored) = storage.load(run.clone()).await else { continue };
        if stored.fits.iter().any(|fit| wanted.is_of(&run.experiment, fit)) {
            return Some((stored, claim));
        }
    }
    None
}

/// Makes the fit that was promised once its run has ended.
pub(super) fn connect(lab: Lab) {
    Effect::new(move |_| {
        let Some(config) = lab.promised.get() else { return };
        let (phase, has_ended) = (lab.phase.get(), lab.run.with(|run| run.as_ref().is_some_and(|run| run.summary.is_some())));
        match phase {
            Phase::Finished if has_ended && lab.engine.get() == EngineState::Ready => {
                lab.promised.set(None);
                untrack(|| fit(lab, config));
            }
            Phase::Idle | Phase::Failed => lab.promised.set(None),
            _ => {}
        }
    });
}

fn has_sources(lab: Lab, config: &CrosscoderConfig) -> bool {
    // Random weights are drawn, not saved.
    config.null == Null::Untrained
        || lab.checkpoints.with_untracked(|all| config.sources.iter().all(|step| all.iter().any(|known| known.step == *step)))
}

fn fit(lab: Lab, config: CrosscoderConfig) {
    if has_sources(lab, &config) {
        session::fit(lab, config);
    } else {
        lab.fail(UserError::new(
            "The run ended before all checkpoints of the fit were saved",
            "Run it to its end, or choose other checkpoints and press Fit",
        ));
    }
}

/// Runs and fits what the link names.
fn follow(lab: Lab, wanted: &Wanted, config: CrosscoderConfig) {
    let is_here = lab.run.with_untracked(|run| run.as_ref().is_some_and(|run| run.experiment == wanted.experiment));
    lab.view.set(View::Atlas);
    if is_here && lab.phase.get_untracked() == Phase::Finished && has_sources(lab, &config) {
        return session::fit(lab, config);
    }
    lab.draft.replace(wanted.experiment.clone());
    session::start(lab, false);
    if lab.phase.get_untracked().is_live() {
        lab.promised.set(Some(config));
    }
}

/// The offer to make the fit of the link that was opened.
pub(super) fn offer(lab: Lab) -> AnyView {
    let content = move || {
        let wanted = lab.wanted.get()?;
        let Some(config) = wanted.config.clone() else {
            let words = format!(
                "The link names latent {} of the fit “{}”, which is not on this page and cannot be made from a link alone: it was fitted to further runs or to a file, which have to be at hand. Open the archive of the run it was sent from.",
                wanted.latent, wanted.fit
            );
            return Some(view! { <p class="small" id="link-needs-more">{words}</p> }.into_any());
        };
        let words = format!("Run and fit the same, then show latent {}", wanted.latent);
        if lab.promised.with(Option::is_some) {
            let words = format!("When the run has ended, the crosscoder is fitted and latent {} shown.", wanted.latent);
            return Some(view! { <span class="muted">{words}</span> }.into_any());
        }
        if lab.phase.get().is_live() {
            return None;
        }
        Some(
            view! {
                <button type="button" id="follow-link" title="Starts training here, then the fit. On the CPU latents keep their numbers; a GPU is approximate and may number them otherwise"
                    on:click=move |_| follow(lab, &wanted, config.clone())>{words}</button>
            }
            .into_any(),
        )
    };
    view! { {part(content)} }.into_any()
}
