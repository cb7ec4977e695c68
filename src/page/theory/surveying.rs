//! A survey on the page: begun by a button, stopped by another, and drawn while it fills.
//!
//! Unlike an answer it is not asked for by turning a knob: it takes minutes of a processor that may be training. It stays while other
//! panels are looked at, and says when the settings have moved on since. What it has found is stored part by part, so that a reload
//! loses no more than the part under way; it is not gone on with, because a survey keeps its parts to itself.

use super::asking::Against;
use crate::engine::message::{Command, Event};
use crate::page::live::{flag, text};
use crate::page::session::send;
use crate::page::storage::{StoredSurvey, Write};
use crate::page::store::{EngineState, Lab};
use crate::record::UserError;
use crate::theory::{Outcome, panel};
use leptos::prelude::*;
use std::sync::Arc;

/// The newest survey.
#[derive(Clone, Copy)]
pub(in crate::page) struct SurveyLab {
    /// Panel and settings as JSON; `None`: none was begun.
    asked: RwSignal<Option<(&'static str, String)>>,
    is_running: RwSignal<bool>,
    /// How many were begun: what an older one still says is not taken.
    number: StoredValue<u32>,
    /// Share of the parts done, and what is under way.
    progress: RwSignal<(f32, String)>,
    outcome: RwSignal<Option<Arc<Outcome>>>,
    /// Why it ended early.
    pub(super) problem: RwSignal<Option<UserError>>,
}

impl SurveyLab {
    pub(super) fn new() -> Self {
        Self {
            asked: RwSignal::new(None),
            is_running: RwSignal::new(false),
            number: StoredValue::new(0),
            progress: RwSignal::new((0.0, String::new())),
            outcome: RwSignal::new(None),
            problem: RwSignal::new(None),
        }
    }

    fn is_of(&self, panel: &str) -> bool {
        self.asked.with(|asked| asked.as_ref().is_some_and(|(of, _)| *of == panel))
    }

    /// Where the survey of `panel` stands.
    pub(super) fn phase(&self, panel: &str) -> &'static str {
        let is_whole = self.progress.with(|progress| progress.0 >= 1.0);
        match (self.is_of(panel), self.is_running.get(), self.problem.with(Option::is_some)) {
            (false, ..) => "idle",
            (true, true, _) => "surveying",
            (true, false, true) => "refused",
            (true, false, false) if is_whole => "done",
            (true, false, false) => "stopped",
        }
    }

    pub(super) fn outcome_of(&self, panel: &str) -> Option<Arc<Outcome>> {
        if self.is_of(panel) { self.outcome.get() } else { None }
    }

    fn begin(&self, lab: Lab) {
        let panel = lab.theory.panel.get_untracked().about.name;
        let settings = lab.theory.settings.with_untracked(serde_json::Value::to_string);
        self.asked.set(Some((panel, settings.clone())));
        self.is_running.set(true);
        self.progress.set((0.0, String::new()));
        self.outcome.set(None);
        self.problem.set(None);
        self.number.update_value(|number| *number += 1);
        let (number, engine) = (self.number.get_value(), lab.wish.get_untracked());
        send(lab, &Command::Survey { number, panel: panel.to_owned(), settings, engine });
    }

    /// Puts a stored survey on the page, unless one was begun meanwhile.
    pub(in crate::page) fn restore(&self, stored: StoredSurvey) {
        let Ok(of) = panel(&stored.panel) else { return };
        if self.asked.with_untracked(Option::is_some) {
            return;
        }
        self.asked.set(Some((of.about.name, stored.settings)));
        self.progress.set((stored.done, String::new()));
        self.outcome.set(Some(Arc::new(stored.outcome)));
    }

    fn keep(&self, lab: Lab, done: f32, outcome: &Outcome) {
        let Some((panel, settings)) = self.asked.get_untracked() else { return };
        let survey = StoredSurvey { panel: panel.to_owned(), settings, done, outcome: outcome.clone() };
        lab.storage.with_value(|storage| {
            if let Some(storage) = storage {
                storage.write(Write::Survey(Box::new(survey)));
            }
        });
    }

    fn stop(&self, lab: Lab) {
        self.is_running.set(false);
        send(lab, &Command::CancelSurvey);
    }

    /// The engine is gone.
    pub(super) fn lost(&self) {
        if self.is_running.get_untracked() {
            self.is_running.set(false);
            self.problem.set(Some(UserError::new(
                "The engine stopped while it worked this out; what it had found stays",
                "Begin again; another engine is being started",
            )));
        }
    }

    /// Takes what the engine says of surveys; hands everything else back.
    pub(super) fn hear(&self, lab: Lab, event: Event) -> Option<Event> {
        match event {
            // What a dropped survey had still to say.
            Event::Survey { number, .. } | Event::SurveyProgress { number, .. } | Event::SurveyRefused(number, _)
                if !self.is_running.get_untracked() || number != self.number.get_value() => {}
            Event::Survey { done, outcome, .. } => {
                self.keep(lab, done, &outcome);
                self.progress.update(|progress| progress.0 = done);
                self.outcome.set(Some(Arc::new(outcome)));
                if done >= 1.0 {
                    self.is_running.set(false);
                    lab.announcement.set("The survey is done".into());
                }
            }
            Event::SurveyProgress { done, words, .. } => self.progress.set((done, words)),
            Event::SurveyRefused(_, error) => {
                self.is_running.set(false);
                lab.announcement.set(error.to_string());
                self.problem.set(Some(error));
            }
            other => return Some(other),
        }
        None
    }
}

/// The button, how far it is, and whether what is shown is of other settings.
pub(super) fn controls(lab: Lab, title: &'static str) -> AnyView {
    let survey = lab.theory.survey;
    let is_here = move || survey.is_of(lab.theory.panel.get().about.name);
    let running = move || survey.is_running.get() && is_here();
    let elsewhere = move || survey.is_running.get() && !is_here();
    let can_begin = move || {
        lab.theory.against.get() == Against::Survey && lab.engine.get() == EngineState::Ready && lab.theory.errors().is_empty()
    };
    let share = move || survey.progress.with(|progress| progress.0);
    let words = move || {
        let now = lab.theory.settings.with(serde_json::Value::to_string);
        let stale = survey.asked.with(|asked| asked.as_ref().is_some_and(|(_, settings)| *settings != now));
        if elsewhere() {
            let other = survey.asked.with(|asked| asked.as_ref().map_or("", |(panel, _)| *panel));
            return format!("The survey of {other} is under way; beginning this one drops it.");
        }
        let (done, what) = survey.progress.get();
        let told = if running() { format!("{:.0}% done{}", 100.0 * done, after(&what)) } else { String::new() };
        match (is_here() && stale, told.is_empty()) {
            (true, true) => "Of other settings than these.".to_owned(),
            (true, false) => format!("{told}. Of other settings than these."),
            (false, _) => told,
        }
    };
    view! {
        <p class="muted small">{title}"."</p>
        <div class="row">
            <button type="button" id="survey-begin" class="primary" hidden=flag(running) disabled=flag(move || !can_begin())
                on:click=move |_| survey.begin(lab)>{text(move || if is_here() { "Begin again".into() } else { "Begin".into() })}</button>
            <button type="button" id="survey-stop" hidden=flag(move || !running()) on:click=move |_| survey.stop(lab)>"Stop"</button>
            <progress id="survey-progress" aria-label="Share of the survey done" max="1" hidden=flag(move || !running())
                prop:value=text(move || share().to_string())></progress>
            <span class="number small" id="survey-words" data-done=text(move || share().to_string())>{text(words)}</span>
        </div>
    }
    .into_any()
}

fn after(what: &str) -> String {
    if what.is_empty() { String::new() } else { format!("; {what}") }
}
