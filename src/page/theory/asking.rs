//! Questions to the engine: the settings on the page, asked one at a time, the newest first.
//!
//! A box that is typed into changes at every key, and each answer takes some tenths of a second of the engine that may be training.
//! So a question waits until the hand rests, only one is under way, and of those that came meanwhile only the newest is asked.
//! What an older one found is shown while the newer is computed: a figure that follows is easier to read than one that blinks.

use crate::engine::message::{Command, Event};
use crate::experiment::FieldError;
use crate::experiment::edit::leaf;
use crate::page::form::{Boxes, written_in};
use crate::page::session::send;
use crate::page::store::{EngineState, Lab, View};
use crate::record::UserError;
use crate::theory::{Outcome, Panel, panel, panels};
use leptos::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Name of a panel and its settings as JSON.
type Question = (&'static str, String);

/// How long a hand rests between two keys.
const REST: Duration = Duration::from_millis(180);

/// Settings that are not for hands.
const HIDDEN: &str = "schema";

/// What the page knows of theories.
#[derive(Clone, Copy)]
pub(in crate::page) struct TheoryLab {
    /// The panel on the page.
    pub(super) panel: RwSignal<&'static Panel>,
    /// Its settings, the last readable ones.
    pub(super) settings: RwSignal<Value>,
    /// What stands in its boxes.
    pub(super) boxes: Boxes,
    /// What was found, perhaps for settings before these.
    pub(super) outcome: RwSignal<Option<Arc<Outcome>>>,
    /// Why nothing was.
    pub(super) problem: RwSignal<Option<UserError>>,
    /// What `outcome` or `problem` answers.
    answered: RwSignal<Option<Question>>,
    /// The question under way.
    asked: RwSignal<Option<Question>>,
    /// Settings of panels that were on the page before.
    kept: StoredValue<BTreeMap<&'static str, Value>>,
    /// Counts changes, so that only the last of several wakes up.
    turn: StoredValue<u32>,
}

impl TheoryLab {
    /// The first panel, with nothing asked yet.
    pub(in crate::page) fn new() -> Self {
        // The list is written in the source and never empty.
        let first = &panels()[0];
        let panel = RwSignal::new(first);
        let settings = RwSignal::new((first.start)());
        let tree = Memo::new(move |_| settings.get());
        let take = move |path: &str, text: &str| {
            let changed = (panel.get_untracked().with)(&settings.get_untracked(), path, text)?;
            settings.set(changed);
            Ok(())
        };
        Self {
            panel,
            settings,
            boxes: Boxes::new(tree, Box::new(take)),
            outcome: RwSignal::new(None),
            problem: RwSignal::new(None),
            answered: RwSignal::new(None),
            asked: RwSignal::new(None),
            kept: StoredValue::new(BTreeMap::new()),
            turn: StoredValue::new(0),
        }
    }

    /// What is on the page, as a question.
    fn question(&self) -> Question {
        (self.panel.get().about.name, self.settings.with(Value::to_string))
    }

    /// Where the answer stands, as tests and screen readers know it.
    pub(super) fn phase(&self, lab: Lab) -> &'static str {
        let is_answered = self.answered.get().is_some_and(|answered| answered == self.question());
        match (is_answered, lab.engine.get()) {
            (true, _) if self.problem.with(Option::is_some) => "refused",
            (true, _) => "done",
            (false, EngineState::Ready) => "computing",
            (false, _) => "waiting",
        }
    }

    /// What cannot be read or used as it is, setting by setting.
    pub(super) fn errors(&self) -> Vec<FieldError> {
        let panel = self.panel.get();
        let there = self.settings.with(|settings| (panel.fields)(settings)).unwrap_or_default();
        let mut errors = self.boxes.unread_errors(&there);
        errors.extend(self.settings.with(|settings| (panel.errors)(settings)).unwrap_or_default());
        errors
    }

    /// Puts another panel on the page, with the settings that it had.
    pub(super) fn choose(&self, next: &'static Panel) {
        let now = self.panel.get_untracked();
        if now.about.name == next.about.name {
            return;
        }
        self.kept.update_value(|kept| {
            kept.insert(now.about.name, self.settings.get_untracked());
        });
        let settings = self.kept.with_value(|kept| kept.get(next.about.name).cloned()).unwrap_or_else(next.start);
        self.replace(next, settings);
    }

    /// Puts a panel with these settings on the page.
    fn replace(&self, panel: &'static Panel, settings: Value) {
        self.boxes.clear();
        self.outcome.set(None);
        self.problem.set(None);
        self.answered.set(None);
        self.panel.set(panel);
        self.settings.set(settings);
    }

    /// Back to the settings at the start.
    pub(super) fn reset(&self) {
        self.boxes.clear();
        self.settings.set((self.panel.get_untracked().start)());
    }
}

/// The panel on the page and the settings that differ from its start, as paths with texts.
pub(in crate::page) fn shown(lab: Lab) -> (&'static str, Vec<(&'static str, String)>) {
    let panel = lab.theory.panel.get();
    let start = (panel.start)();
    let changed = lab.theory.settings.with(|settings| {
        let fields = (panel.fields)(settings).unwrap_or_default().into_iter();
        let differs = |path: &str| path != HIDDEN && leaf(settings, path) != leaf(&start, path);
        fields.filter(|field| differs(field.path)).map(|field| (field.path, written_in(settings, field))).collect()
    });
    (panel.about.name, changed)
}

/// The rows of the settings' table that a person sees.
pub(super) fn fields(panel: &Panel, settings: &Value) -> Vec<&'static crate::experiment::Field> {
    (panel.fields)(settings).unwrap_or_default().into_iter().filter(|field| field.path != HIDDEN).collect()
}

/// Opens a panel that an address names; what it says of settings that do not exist is told, and the others are taken.
pub(in crate::page) fn open(lab: Lab, name: &str, settings: &[(String, String)]) {
    let found = match panel(name) {
        Ok(found) => found,
        Err(error) => return lab.fail(error),
    };
    let mut value = (found.start)();
    for (path, text) in settings {
        match (found.with)(&value, path, text) {
            Ok(changed) => value = changed,
            Err(error) => lab.fail(error),
        }
    }
    lab.theory.replace(found, value);
}

/// Asks whenever what is on the page changes, or an engine becomes ready.
pub(in crate::page) fn connect(lab: Lab) {
    let theory = lab.theory;
    Effect::new(move |_| {
        let _ = (theory.question(), lab.engine.get(), lab.view.get());
        theory.turn.update_value(|turn| *turn += 1);
        let turn = theory.turn.get_value();
        // Nobody waits for the first answer of a panel.
        if theory.outcome.with_untracked(Option::is_none) {
            return ask(lab);
        }
        let wake = move || {
            if theory.turn.get_value() == turn {
                ask(lab);
            }
        };
        set_timeout(wake, REST);
    });
}

/// Asks what is on the page, unless it is answered, or another question is under way.
fn ask(lab: Lab) {
    let theory = lab.theory;
    let wanted = untrack(|| theory.question());
    let is_idle = theory.asked.with_untracked(Option::is_none);
    let is_seen = lab.view.get_untracked() == View::Theory && lab.engine.get_untracked() == EngineState::Ready;
    if !is_idle || !is_seen || theory.answered.get_untracked().is_some_and(|answered| answered == wanted) {
        return;
    }
    let (panel, settings) = wanted.clone();
    theory.asked.set(Some(wanted));
    send(lab, &Command::Theorise { panel: panel.to_owned(), settings });
}

/// Takes what the engine says of theories; hands everything else back.
pub(in crate::page) fn hear(lab: Lab, event: Event) -> Option<Event> {
    let theory = lab.theory;
    let found = match event {
        Event::Theory(_, outcome) => Ok(outcome),
        Event::TheoryRefused(_, error) => Err(error),
        other => return Some(other),
    };
    let asked = theory.asked.get_untracked();
    theory.asked.set(None);
    // An answer about a panel that was left belongs to nobody.
    if asked.as_ref().is_some_and(|(panel, _)| *panel == theory.panel.get_untracked().about.name) {
        theory.answered.set(asked);
        match found {
            Ok(outcome) => {
                theory.problem.set(None);
                theory.outcome.set(Some(Arc::new(outcome)));
            }
            Err(error) => theory.problem.set(Some(error)),
        }
    }
    ask(lab);
    None
}

/// The engine is gone, and with it the answer that was awaited. The same question is not asked of the next engine by itself: if it
/// was what ended this one, engines would come and go for ever.
pub(in crate::page) fn lost(lab: Lab) {
    let theory = lab.theory;
    let Some(asked) = theory.asked.get_untracked() else { return };
    theory.asked.set(None);
    theory.problem.set(Some(UserError::new(
        "The engine stopped while it computed this",
        "Change a setting; another engine is being started",
    )));
    theory.answered.set(Some(asked));
}
