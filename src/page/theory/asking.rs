//! Questions to the engine: the settings on the page, or the run on it, asked one at a time, the newest first.
//!
//! A box that is typed into changes at every key, and each answer takes some tenths of a second of the engine that may be training.
//! So a question waits until the hand rests, only one is under way, and of those that came meanwhile only the newest is asked.
//! A run never rests, so what a theory says of it is asked again at a pace. What an older answer found is shown while the newer is
//! computed: a figure that follows is easier to read than one that blinks.

use super::surveying::SurveyLab;
use crate::engine::message::{Command, Event};
use crate::experiment::FieldError;
use crate::experiment::edit::leaf;
use crate::measure::measure;
use crate::page::form::{Boxes, written_in};
use crate::page::session::send;
use crate::page::store::{EngineState, Lab, View};
use crate::record::UserError;
use crate::theory::{Outcome, Panel, panel, panels, speaks_of};
use leptos::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a panel is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::page) enum Against {
    /// A small system of its own.
    System,
    /// The run on the page.
    Run,
    /// A grid or an ensemble, see `surveying`.
    Survey,
}

impl Against {
    /// All but the first, with their names in addresses.
    pub(in crate::page) const NAMED: [(Self, &'static str); 2] = [(Self::Run, "run"), (Self::Survey, "survey")];
}

/// A panel, and what it is asked of.
#[derive(Debug, Clone, PartialEq)]
struct Question {
    panel: &'static str,
    of: Of,
}

#[derive(Debug, Clone, PartialEq)]
enum Of {
    /// Settings as JSON.
    System(String),
    /// Number of a run, its evaluations and its measured values so far.
    Run(String, usize, usize),
}

impl Question {
    /// Whether an answer to `other` may stand for this one: that of the same run a little earlier may.
    fn is_met_by(&self, other: &Self) -> bool {
        match (&self.of, &other.of) {
            (Of::Run(this, ..), Of::Run(that, ..)) => self.panel == other.panel && this == that,
            _ => self == other,
        }
    }
}

/// How long a hand rests between two keys.
const REST: Duration = Duration::from_millis(180);
/// Between two questions about a run that goes on.
const PACE: Duration = Duration::from_millis(900);

/// Settings that are not for hands.
const HIDDEN: &str = "schema";

/// What the page knows of theories.
#[derive(Clone, Copy)]
pub(in crate::page) struct TheoryLab {
    /// The panel on the page.
    pub(super) panel: RwSignal<&'static Panel>,
    /// What it is held against.
    pub(in crate::page) against: RwSignal<Against>,
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
    /// Whether the run on the page will be asked about again soon.
    paced: StoredValue<bool>,
    /// The newest survey.
    pub(in crate::page) survey: SurveyLab,
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
            against: RwSignal::new(Against::System),
            settings,
            boxes: Boxes::new(tree, Box::new(take)),
            outcome: RwSignal::new(None),
            problem: RwSignal::new(None),
            answered: RwSignal::new(None),
            asked: RwSignal::new(None),
            kept: StoredValue::new(BTreeMap::new()),
            turn: StoredValue::new(0),
            paced: StoredValue::new(false),
            survey: SurveyLab::new(),
        }
    }

    /// What is on the page, as a question; `None` where nothing is asked: of a survey, or of a run that is not there.
    fn question(&self, lab: Lab) -> Option<Question> {
        let of = match self.against.get() {
            Against::System => Of::System(self.settings.with(Value::to_string)),
            Against::Run => {
                let id = lab.run.with(|run| run.as_ref().map(|run| run.id.clone()))?;
                Of::Run(id, lab.rows.with(Vec::len), lab.measures.with(|table| table.rows.values().map(BTreeMap::len).sum()))
            }
            Against::Survey => return None,
        };
        Some(Question { panel: self.panel.get().about.name, of })
    }

    /// Where the answer stands, as tests and screen readers know it.
    pub(super) fn phase(&self, lab: Lab) -> &'static str {
        if self.against.get() == Against::Survey {
            return self.survey.phase(self.panel.get().about.name);
        }
        let Some(question) = self.question(lab) else { return "refused" };
        let is_answered = self.answered.get().is_some_and(|answered| question.is_met_by(&answered));
        match (is_answered, lab.engine.get()) {
            (true, _) if self.problem.with(Option::is_some) => "refused",
            (true, _) => "done",
            (false, EngineState::Ready) => "computing",
            (false, _) => "waiting",
        }
    }

    /// What is to be shown.
    pub(super) fn found(&self) -> Option<Arc<Outcome>> {
        match self.against.get() {
            Against::Survey => self.survey.outcome_of(self.panel.get().about.name),
            Against::System | Against::Run => self.outcome.get(),
        }
    }

    /// What is to be told in words, where nothing is shown or before it.
    pub(super) fn words(&self, lab: Lab) -> String {
        match self.phase(lab) {
            "waiting" => "The engine is loading…".to_owned(),
            "computing" => "Computing…".to_owned(),
            "idle" => "Nothing is worked out yet.".to_owned(),
            "refused" if self.against.get() == Against::Run && lab.run.with(Option::is_none) => {
                "There is no run on the page. Start one in the view Run.".to_owned()
            }
            "refused" => {
                let problem = if self.against.get() == Against::Survey { self.survey.problem.get() } else { self.problem.get() };
                problem.map_or_else(String::new, |error| {
                    format!("{}. {}.", error.cause.trim_end_matches('.'), error.remedy.trim_end_matches('.'))
                })
            }
            _ => self.found().map_or_else(String::new, |outcome| super::sentence(outcome.headline.clone())),
        }
    }

    /// Holds the panel against something else.
    pub(in crate::page) fn hold_against(&self, against: Against) {
        if self.against.get_untracked() != against {
            self.forget();
            self.against.set(against);
        }
    }

    fn forget(&self) {
        self.outcome.set(None);
        self.problem.set(None);
        self.answered.set(None);
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
        self.forget();
        let can = match self.against.get_untracked() {
            Against::System => true,
            Against::Run => panel.says_of_runs,
            Against::Survey => panel.about.survey.is_some(),
        };
        if !can {
            self.against.set(Against::System);
        }
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

/// The rows of the settings' table that a person sees: those that what the panel is held against reads.
pub(super) fn fields(panel: &Panel, settings: &Value, against: Against) -> Vec<&'static crate::experiment::Field> {
    let unread = match against {
        Against::System => panel.apart[1],
        Against::Survey => panel.apart[0],
        Against::Run => return Vec::new(),
    };
    let is_read = |path: &str| path != HIDDEN && !unread.contains(&path);
    (panel.fields)(settings).unwrap_or_default().into_iter().filter(|field| is_read(field.path)).collect()
}

/// Opens a panel that an address names, held against `against`; what it says of settings that do not exist is told, and the others
/// are taken.
pub(in crate::page) fn open(lab: Lab, name: &str, settings: &[(String, String)], against: Against) {
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
    lab.theory.against.set(against);
    lab.theory.replace(found, value);
}

/// Holds against the run on the page the first panel that says something of it, or else shows the first that speaks of such runs.
pub(in crate::page) fn open_of_run(lab: Lab) {
    let verdicts = untrack(|| speaks_of(&lab.shown_experiment()));
    let speaking = || verdicts.iter().filter(|verdict| verdict.speaks).filter_map(|verdict| panel(verdict.panel).ok());
    if let Some(panel) = speaking().find(|panel| panel.says_of_runs) {
        lab.theory.choose(panel);
        lab.theory.hold_against(Against::Run);
    } else if let Some(panel) = speaking().next() {
        lab.theory.choose(panel);
    }
    lab.view.set(View::Theory);
}

/// Asks whenever what is on the page changes, or an engine becomes ready.
pub(in crate::page) fn connect(lab: Lab) {
    let theory = lab.theory;
    Effect::new(move |_| {
        let _ = (theory.panel.get(), theory.against.get(), theory.settings.get(), lab.engine.get(), lab.view.get());
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
    Effect::new(move |_| {
        if theory.against.get() != Against::Run || lab.view.get() != View::Theory {
            return;
        }
        lab.rows.track();
        lab.measures.track();
        if !theory.paced.get_value() {
            theory.paced.set_value(true);
            let wake = move || {
                theory.paced.set_value(false);
                ask(lab);
            };
            set_timeout(wake, PACE);
        }
    });
}

/// Asks what is on the page, unless it is answered, or another question is under way.
fn ask(lab: Lab) {
    let theory = lab.theory;
    let Some(wanted) = untrack(|| theory.question(lab)) else { return };
    let is_idle = theory.asked.with_untracked(Option::is_none);
    let is_seen = lab.view.get_untracked() == View::Theory && lab.engine.get_untracked() == EngineState::Ready;
    if !is_idle || !is_seen || theory.answered.get_untracked().is_some_and(|answered| answered == wanted) {
        return;
    }
    let panel = wanted.panel.to_owned();
    let looked_at = columns_of(&panel);
    let command = match &wanted.of {
        Of::System(settings) => Command::Theorise { panel, settings: settings.clone() },
        Of::Run(..) => Command::TheoriseRun {
            panel,
            experiment: Box::new(untrack(|| lab.shown_experiment())),
            rows: lab.rows.get_untracked(),
            measures: lab.measures.with_untracked(|table| table.columns_where(|name| looked_at.contains(&name))),
        },
    };
    theory.asked.set(Some(wanted));
    send(lab, &command);
}

/// Columns of the measures that a panel looks at.
fn columns_of(name: &str) -> Vec<&'static str> {
    let names = panel(name).map_or(&[][..], |panel| panel.run_measures);
    let found = names.iter().filter_map(|name| measure(name).ok());
    found.flat_map(|measure| measure.columns).map(|column| column.name).collect()
}

/// Takes what the engine says of theories; hands everything else back.
pub(in crate::page) fn hear(lab: Lab, event: Event) -> Option<Event> {
    let theory = lab.theory;
    let found = match event {
        Event::Theory(_, outcome) => Ok(outcome),
        Event::TheoryRefused(_, error) => Err(error),
        other => return theory.survey.hear(lab, other),
    };
    let asked = theory.asked.get_untracked();
    theory.asked.set(None);
    // An answer about a panel that was left, or about something else than is looked at, belongs to nobody.
    let wanted = untrack(|| theory.question(lab));
    let is_same = |asked: &Question, wanted: &Question| {
        asked.panel == wanted.panel && core::mem::discriminant(&asked.of) == core::mem::discriminant(&wanted.of)
    };
    if asked.as_ref().zip(wanted.as_ref()).is_some_and(|(asked, wanted)| is_same(asked, wanted)) {
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
    theory.survey.lost();
    let Some(asked) = theory.asked.get_untracked() else { return };
    theory.asked.set(None);
    theory.problem.set(Some(UserError::new(
        "The engine stopped while it computed this",
        "Change a setting; another engine is being started",
    )));
    theory.answered.set(Some(asked));
}
