//! The race view: which way is faster, over the same seeds and with the same budget.
//!
//! A race belongs to no run: it goes on beside one and survives its reset. It ends with its worker, because forty unfinished
//! runs are no result; what was found is kept by saving it.

use super::live::{flag, part, text};
use super::race_form::{RaceForm, controls, sentence};
use super::race_result::result;
use super::session::send;
use super::store::{FitState, Lab};
use crate::engine::message::{Command, Event};
use crate::race::RaceResult;
use crate::record::UserError;
use leptos::prelude::*;
use std::sync::Arc;

/// What the page knows of races.
#[derive(Clone, Copy)]
pub(super) struct RaceLab {
    /// The next race.
    pub(super) form: RaceForm,
    /// Where the newest one stands.
    pub(super) state: RwSignal<FitState>,
    /// The arm that runs and the share of all updates made, 0..1.
    pub(super) progress: RwSignal<Option<(String, f32)>>,
    /// What came out of the newest one.
    pub(super) result: RwSignal<Option<Arc<RaceResult>>>,
    /// Whether somebody asked to cancel it.
    cancelled: StoredValue<bool>,
}

impl RaceLab {
    /// Nothing run yet.
    pub(super) fn new() -> Self {
        Self {
            form: RaceForm::new(),
            state: RwSignal::new(FitState::Idle),
            progress: RwSignal::new(None),
            result: RwSignal::new(None),
            cancelled: StoredValue::new(false),
        }
    }
}

/// Starts the race that is typed.
pub(super) fn start(lab: Lab) {
    if lab.race.state.get_untracked() == FitState::Running {
        return lab.announcement.set("A race is already under way".into());
    }
    let config = untrack(|| lab.race.form.config(lab)).and_then(|config| config.validate().map(|()| config));
    match config {
        Ok(config) => {
            lab.race.result.set(None);
            lab.race.progress.set(None);
            lab.race.state.set(FitState::Running);
            lab.race.cancelled.set_value(false);
            lab.error.set(None);
            lab.waiting.update_value(|waiting| waiting.race = true);
            lab.announcement.set("The race has started".into());
            send(lab, &Command::Race { config, engine: lab.wish.get_untracked() });
        }
        Err(errors) => {
            // Only another seed can have found something that is not said beside the boxes already.
            let words: Vec<String> = errors.iter().map(sentence).collect();
            lab.fail(UserError::new(format!("This race cannot run: {}", words.join(". ")), "Change it and start again"));
        }
    }
}

/// Drops the race under way.
fn cancel(lab: Lab) {
    lab.race.cancelled.set_value(true);
    send(lab, &Command::CancelRace);
}

/// Takes what the engine says of a race, also while the end of a dropped run is awaited; hands everything else back.
pub(super) fn hear(lab: Lab, event: Event) -> Option<Event> {
    let race = lab.race;
    match event {
        // A race that ended with its engine may have had something to say.
        Event::RaceProgress { .. } | Event::RaceDone(_) | Event::RaceCancelled
            if race.state.get_untracked() != FitState::Running => {}
        Event::RaceProgress { arm, done } => race.progress.set(Some((arm, done))),
        Event::RaceDone(outcome) => {
            race.result.set(Some(Arc::new(outcome.0)));
            race.state.set(FitState::Done);
            lab.announcement.set("The race has ended".into());
        }
        Event::RaceCancelled => {
            race.state.set(if race.cancelled.get_value() { FitState::Idle } else { FitState::Error });
        }
        other => return Some(other),
    }
    lab.waiting.update_value(|waiting| waiting.race = false);
    None
}

/// The engine refused it; the error itself is told elsewhere.
pub(super) fn refused(lab: Lab) {
    lab.race.state.set(FitState::Error);
    lab.waiting.update_value(|waiting| waiting.race = false);
}

/// Its engine is gone.
pub(super) fn lost(lab: Lab) {
    if lab.race.state.get_untracked() == FitState::Running {
        refused(lab);
    }
}

/// The view.
pub(super) fn race_view(lab: Lab) -> AnyView {
    lab.race.form.fill();
    let question = move || lab.race.form.question();
    view! {
        <section class="view" aria-label="Race">
            <div class="lead">
                <h1>{text(question)}</h1>
                <p class="muted">"A race trains a control and changed versions of it on the same seeds with the same budget, and counts who arrives first, seed by seed. One lucky seed sells any trick; eight in agreement do not lie."</p>
            </div>
            {controls(lab)}
            {part(move || lab.race.result.get().map(|found| result(lab, found)))}
        </section>
    }
    .into_any()
}

/// Cancel and how far it is.
pub(super) fn progress(lab: Lab) -> AnyView {
    let race = lab.race;
    let running = move || race.state.get() == FitState::Running;
    let state = move || match race.state.get() {
        FitState::Idle => "idle",
        FitState::Running => "running",
        FitState::Done => "done",
        FitState::Error => "error",
    };
    let share = move || race.progress.get().map_or(0.0, |(_, done)| done);
    let words = move || match (race.state.get(), race.progress.get()) {
        (FitState::Running, Some((arm, done))) => format!("{arm} is running; {:.0}% done", 100.0 * done),
        (FitState::Running, None) => "Getting ready…".to_owned(),
        (FitState::Error, _) => "The race ended by an error".to_owned(),
        _ => String::new(),
    };
    view! {
        <button type="button" id="race-cancel" class:primary=flag(running) hidden=flag(move || !running()) disabled=flag(move || !running())
            on:click=move |_| cancel(lab)>"Cancel"</button>
        <progress id="race-progress" aria-label="Share of the race done" max="1" hidden=flag(move || !running())
            prop:value=text(move || share().to_string())></progress>
        <span id="race-status" class="number" data-state=text(move || state().into()) data-done=text(move || share().to_string())>{text(words)}</span>
    }
    .into_any()
}
