//! The whole atlas by one button: train, pick checkpoints, fit, fit the controls, report.
//!
//! Without it a newcomer makes one fit, sees dozens of births and believes them; the null, a second seed and the counted code are
//! each another click that nobody makes. Nothing happens here that could not be done by hand: the guide presses the same buttons,
//! and stops at the first that refuses.

use super::live::{flag, part, text};
use super::run::choose_preset;
use super::session;
use super::share::offer_report;
use super::store::{FitState, Lab};
use crate::crosscoder::{CrosscoderConfig, pick_sources, story};
use crate::engine::phase::Phase;
use leptos::prelude::*;

/// The experiment that the guide trains where there is no run to go on from.
const EXPERIMENT: &str = "transformer-59-mirror";

/// How far the guide is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Guide {
    /// The network trains.
    Training,
    /// Fit number so many is under way.
    Fitting(usize, Vec<(CrosscoderConfig, &'static str)>),
    /// All is done; the name of the fit that the report is on.
    Done(String),
}

/// Listens for the ends of runs and fits.
pub(super) fn connect(lab: Lab) {
    Effect::new(move |_| {
        let (phase, fit) = (lab.phase.get(), lab.fit_state.get());
        match lab.guide.get_untracked() {
            Some(Guide::Training) if phase == Phase::Finished => fits(lab),
            Some(Guide::Training) if !phase.is_live() && lab.error.with_untracked(Option::is_some) => lab.guide.set(None),
            Some(Guide::Fitting(at, all)) => match fit {
                FitState::Done => next(lab, at + 1, all),
                FitState::Error | FitState::Idle => lab.guide.set(None),
                FitState::Running => {}
            },
            _ => {}
        }
    });
}

/// From the run on the page, if it is there and has ended; else from the beginning.
fn begin(lab: Lab) {
    if lab.checkpoints.with_untracked(|all| all.len() > 1) && !lab.phase.get_untracked().is_live() {
        fits(lab);
        return;
    }
    choose_preset(lab, EXPERIMENT);
    session::start(lab, false);
    if lab.phase.get_untracked().is_live() {
        lab.guide.set(Some(Guide::Training));
    }
}

fn fits(lab: Lab) {
    let steps: Vec<u32> = lab.checkpoints.with_untracked(|all| all.iter().map(|checkpoint| checkpoint.step).collect());
    let seed = lab.fit_form.value.with_untracked(|config| config.seed);
    match lab
        .rows
        .with_untracked(|rows| pick_sources(rows, &steps))
        .and_then(|sources| story(&sources, seed, lab.all_nulls.get_untracked()))
    {
        Ok(all) => next(lab, 0, all),
        Err(error) => {
            lab.guide.set(None);
            lab.fail(error);
        }
    }
}

fn next(lab: Lab, at: usize, all: Vec<(CrosscoderConfig, &'static str)>) {
    let is_first = |name: &str| all.first().is_some_and(|(config, _)| config.name == name);
    if let Some((config, _)) = all.get(at) {
        // A fit of this name from before would be taken for one of the story.
        lab.fits.update(|fits| fits.retain(|fit| fit.config.name != config.name));
        let config = config.clone();
        lab.guide.set(Some(Guide::Fitting(at, all)));
        session::fit(lab, config);
        return;
    }
    let shown = lab.fits.with_untracked(|fits| fits.iter().position(|fit| is_first(&fit.config.name)));
    lab.fit_shown.set(shown.unwrap_or(0));
    lab.latent.set(None);
    lab.guide.set(all.first().map(|(config, _)| Guide::Done(config.name.clone())));
    lab.announcement.set("The atlas is complete".into());
}

/// The button, how far it is, and the report at the end.
pub(super) fn guide(lab: Lab) -> AnyView {
    let busy = move || {
        lab.phase.get().is_live()
            || lab.fit_state.get() == FitState::Running
            || matches!(lab.guide.get(), Some(Guide::Training | Guide::Fitting(..)))
    };
    let words = move || {
        match lab.guide.get() {
        None => "Trains if need be, then makes the fit and its controls, and ends with a report: two to four minutes on a laptop, half as much again with all nulls.".to_owned(),
        Some(Guide::Training) => "The network trains: first it memorises, then it understands.".to_owned(),
        Some(Guide::Fitting(at, all)) => {
            let what = all.get(at).map_or("", |(_, what)| what);
            format!("Fit {} of {}: {what}.", at + 1, all.len())
        }
        Some(Guide::Done(_)) => "The fit and its controls are made; the report has all of them on one page.".to_owned(),
    }
    };
    let state = move || match lab.guide.get() {
        None => "idle",
        Some(Guide::Training) => "training",
        Some(Guide::Fitting(..)) => "fitting",
        Some(Guide::Done(_)) => "done",
    };
    let report = move || {
        let Some(Guide::Done(name)) = lab.guide.get() else { return None };
        let save = move |_| {
            let fit = lab.fits.with_untracked(|fits| fits.iter().find(|fit| fit.config.name == name).cloned());
            if let Some(fit) = fit {
                offer_report(lab, &fit);
            }
        };
        Some(
            view! { <button type="button" id="guide-report" class="primary" on:click=save>"Save the report"</button> }.into_any(),
        )
    };
    view! {
        <div class="card guide" id="guide" data-state=text(move || state().into())>
            <h2>"The whole atlas"</h2>
            <p class="small muted" aria-live="polite">{text(words)}</p>
            <div class="row">
                <button type="button" id="guide-start" disabled=flag(busy) on:click=move |_| begin(lab)>"Make the whole atlas"</button>
                <label class="small" title="Beside the repeated checkpoint: shuffled pairing, untrained networks and permuted labels"><input type="checkbox" id="guide-nulls"
                    prop:checked=flag(move || lab.all_nulls.get()) disabled=flag(busy)
                    on:change=move |event| lab.all_nulls.set(event_target_checked(&event)) />"all nulls"</label>
                {part(report)}
            </div>
        </div>
    }
    .into_any()
}
