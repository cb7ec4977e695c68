//! A change in the middle of a run, put together by hand: what, to which value, when.
//!
//! The same few boxes plan a change of the next run, make one now and begin a branch; people who had to type
//! `200 set optimizer.weight_decay 0` would need the paths of forty settings first. Only settings that exist at that step and
//! may change are offered. Rejected: a box per setting, because a run has dozens and a change has one.

use super::live::{flag, part, text};
use crate::experiment::timeline::Change;
use crate::experiment::timeline::Entry;
use crate::experiment::{Experiment, Field, FieldKind, applying, edit, fields, get};
use crate::record::UserError;
use crate::train::actions;
use leptos::prelude::*;

/// How a setting's option begins in the list of changes; an action's is its bare name.
const SET: &str = "set ";
/// The first choice: the one that everybody tries.
const FIRST: &str = "set optimizer.weight_decay";

/// Groups of settings by the first part of their path, as in the configuration drawer.
const GROUPS: [(&str, &str); 6] = [
    ("optimizer", "Optimiser"),
    ("training", "Loss, gradients and weights"),
    ("task", "Task and data"),
    ("curriculum", "Order of the data"),
    ("model", "Network"),
    ("", "Other"),
];

/// What is being put together.
#[derive(Clone, Copy)]
pub(super) struct Row {
    /// Begins the ids of its controls.
    prefix: &'static str,
    /// `set PATH` or the name of an action.
    what: RwSignal<String>,
    /// The value, or an action's arguments.
    value: RwSignal<String>,
    /// When, where that is typed.
    step: RwSignal<String>,
    /// The end of a gradual change; empty for one at once.
    until: RwSignal<String>,
    /// Why it was refused.
    pub(super) problem: RwSignal<Option<UserError>>,
}

impl Row {
    /// An empty row.
    pub(super) fn new(prefix: &'static str) -> Self {
        let empty = || RwSignal::new(String::new());
        Self {
            prefix,
            what: RwSignal::new(FIRST.into()),
            value: empty(),
            step: empty(),
            until: empty(),
            problem: RwSignal::new(None),
        }
    }

    /// The step that is typed.
    ///
    /// # Errors
    /// If it is none.
    pub(super) fn typed_step(&self, steps: u32) -> Result<u32, UserError> {
        let typed = self.step.get();
        let remedy = || format!("Use a whole number from 0 to {steps}");
        if typed.trim().is_empty() {
            return Err(UserError::new("The change has no step", remedy()));
        }
        typed.trim().parse().map_err(|_| UserError::new(format!("\"{}\" is no step", typed.trim()), remedy()))
    }

    /// The change as a line of the timeline without its step, for now.
    ///
    /// # Errors
    /// If there is no value.
    pub(super) fn change(&self, experiment: &Experiment) -> Result<String, UserError> {
        let what = self.what.get_untracked();
        let value = self.value.get_untracked();
        let value = value.trim();
        let Some(path) = what.strip_prefix(SET) else { return Ok(format!("{what} {value}").trim().to_owned()) };
        if value.is_empty() {
            let kind = edit::field_at(experiment, path)?.kind;
            return match kind {
                FieldKind::OptionalInteger { .. } => Ok(format!("{what} null")),
                _ => Err(UserError::new("The change has no value", format!("Use {}", kind.range()))),
            };
        }
        Ok(format!("{what} {value}"))
    }

    /// The change as a line of the timeline that begins at `step`.
    ///
    /// # Errors
    /// If there is no value, or the end of a gradual change is no step.
    pub(super) fn line(&self, experiment: &Experiment, step: u32) -> Result<String, UserError> {
        let change = self.change(experiment)?;
        let until = self.until.get_untracked();
        let (Some(rest), false) = (change.strip_prefix(SET), until.trim().is_empty()) else {
            return Ok(format!("{step} {change}"));
        };
        let end: u32 = until.trim().parse().map_err(|_| {
            UserError::new(format!("\"{}\" is no step", until.trim()), "Use a later step, or nothing for a change at once")
        })?;
        Ok(format!("{step}-{end} ramp {rest}"))
    }

    /// Empties it for the next change.
    pub(super) fn clear(&self) {
        self.value.set(String::new());
        self.until.set(String::new());
        self.problem.set(None);
    }

    /// Says why it was refused.
    pub(super) fn refuse(&self, error: UserError) {
        // The row stands at the timeline; its path says nothing more.
        let cause = error.cause.strip_prefix("timeline: ").map_or(error.cause.clone(), str::to_owned);
        self.problem.set(Some(UserError::new(cause, error.remedy)));
    }

    /// The id of its message.
    fn problem_id(&self) -> String {
        format!("{}-problem", self.prefix)
    }
}

/// What a line does, in words: `Weight decay → 0`, `Rescale 0.8`.
pub(super) fn words(experiment: &Experiment, entry: &Entry) -> String {
    match &entry.change {
        Change::Set { path, text } | Change::Ramp { path, text } => {
            // A setting of a kind that the run has only by then is still in the table.
            let known = || fields().iter().find(|field| field.path == *path);
            match edit::field_at(experiment, path).ok().or_else(known) {
                Some(field) => format!("{} → {}", field.label, value_in_words(field, text)),
                None => format!("{path} → {text}"),
            }
        }
        Change::Act { name, arguments } => {
            let mut letters = name.chars();
            let capital: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
            format!("{capital} {}", arguments.join(" ")).trim().to_owned()
        }
    }
}

/// When a line takes effect, in words.
pub(super) fn moment(entry: &Entry) -> String {
    use super::store::grouped;
    if entry.to > entry.from {
        format!("steps {} to {}", grouped(entry.from.into()), grouped(entry.to.into()))
    } else {
        format!("step {}", grouped(entry.from.into()))
    }
}

fn value_in_words(field: &Field, text: &str) -> String {
    match field.kind {
        FieldKind::Toggle => if text == "true" { "on" } else { "off" }.to_owned(),
        FieldKind::Choice(options) => options.iter().find(|(name, _)| *name == text).map_or(text, |(_, label)| label).to_owned(),
        FieldKind::OptionalInteger { none, .. } if matches!(text, "" | "null") => none.to_owned(),
        _ => text.to_owned(),
    }
}

/// The value that a setting has now, as typed text.
fn current(experiment: &Experiment, field: &Field) -> String {
    get(experiment, field.path).map_or_else(String::new, |value| field.kind.text(&value))
}

/// The controls. `now` is the experiment in force when the change comes; the step has a box where `has_step`, and a change may
/// be gradual where `has_ramps`. What stands around them sends the form.
pub(super) fn controls(row: Row, now: Memo<Experiment>, has_step: Memo<bool>, has_ramps: Memo<bool>) -> AnyView {
    let settings = Memo::new(move |_| now.with(|e| applying(e).into_iter().filter(|field| field.live).collect::<Vec<_>>()));
    let field = Memo::new(move |_| {
        let what = row.what.get();
        let path = what.strip_prefix(SET)?.to_owned();
        settings.with(|all| all.iter().find(|field| field.path == path).copied())
    });
    // A setting of a kind that is gone gives way to the first one that is there.
    Effect::new(move |_| {
        let gone = row.what.get().starts_with(SET) && field.get().is_none();
        if let Some(first) = settings.with(|all| all.first().copied()).filter(|_| gone) {
            row.what.set(format!("{SET}{}", first.path));
        }
    });
    let is_number = move || {
        field.get().is_some_and(|f| {
            matches!(f.kind, FieldKind::Integer { .. } | FieldKind::OptionalInteger { .. } | FieldKind::Number { .. })
        })
    };
    let prefix = row.prefix;
    let id = move |name: &str| format!("{prefix}-{name}");
    let choose = move |event| {
        row.problem.set(None);
        row.what.set(event_target_value(&event));
        // A list has no empty entry, so it starts at a value that is a change.
        let start = untrack(|| field.get()).map_or_else(String::new, |field| now.with_untracked(|e| opposite(e, field)));
        row.value.set(start);
    };
    let hint = move || match field.get() {
        Some(field) => now.with(|e| format!("{}. Now {}", field.help, value_in_words(field, &current(e, field)))),
        None => {
            let what = row.what.get();
            actions().iter().find(|a| a.name == what).map_or_else(String::new, |a| format!("{}. {}", a.usage, a.help))
        }
    };
    let is_bad = move || text(move || row.problem.get().is_some().to_string());
    let problem = move || row.problem.get().map(|error| format!("{}. {}.", error.cause, error.remedy)).unwrap_or_default();
    view! {
        <div class="change-row">
            <div class="field" hidden=flag(move || !has_step.get())>
                <label for=id("step")>"At step"</label>
                <input type="text" id=id("step") inputmode="numeric" autocomplete="off" aria-invalid=is_bad() aria-describedby=row.problem_id()
                    prop:value=text(move || row.step.get()) on:input=move |event| {
                        row.problem.set(None);
                        row.step.set(event_target_value(&event));
                    } />
            </div>
            <div class="field">
                <label for=id("what")>"What"</label>
                <select id=id("what") prop:value=text(move || row.what.get()) on:change=choose>
                    {part(move || Some(options(row, settings.get())))}
                </select>
            </div>
            <div class="field">
                <label for=id("value")>{text(move || if field.get().is_some() { "Value" } else { "How" }.into())}</label>
                {part(move || Some(value_control(row, field.get(), id("value"))))}
            </div>
            <div class="field" hidden=flag(move || !(has_ramps.get() && is_number()))>
                <label for=id("until")>"Gradually until step"</label>
                <input type="text" id=id("until") inputmode="numeric" autocomplete="off" placeholder="at once" aria-describedby=row.problem_id()
                    prop:value=text(move || row.until.get()) on:input=move |event| {
                        row.problem.set(None);
                        row.until.set(event_target_value(&event));
                    } />
            </div>
        </div>
        <p class="small muted" id=id("hint")>{text(hint)}</p>
        <p class="problem" id=row.problem_id() role="alert">{text(problem)}</p>
    }
    .into_any()
}

/// A value of a list that differs from the present one; nothing for a box, where the hand types.
fn opposite(experiment: &Experiment, field: &Field) -> String {
    let now = current(experiment, field);
    match field.kind {
        FieldKind::Toggle => (now != "true").to_string(),
        FieldKind::Choice(options) => {
            options.iter().map(|(name, _)| *name).find(|name| *name != now).unwrap_or_default().to_owned()
        }
        _ => String::new(),
    }
}

fn options(row: Row, settings: Vec<&'static Field>) -> AnyView {
    let option = move |value: String, label: &'static str| {
        let this = value.clone();
        view! { <option value=value selected=flag(move || row.what.with(|what| *what == this))>{label}</option> }
    };
    let group_of = |path: &str| {
        let first = path.split_once('.').map_or("", |(first, _)| first).to_owned();
        GROUPS.iter().position(|(name, _)| *name == first).unwrap_or(GROUPS.len() - 1)
    };
    let groups: Vec<_> = GROUPS
        .iter()
        .enumerate()
        .filter_map(|(index, (_, label))| {
            let own: Vec<_> = settings.iter().filter(|field| group_of(field.path) == index).collect();
            let own: Vec<_> = own.into_iter().map(|field| option(format!("{SET}{}", field.path), field.label)).collect();
            (!own.is_empty()).then(|| view! { <optgroup label=*label>{own}</optgroup> })
        })
        .collect();
    let acts: Vec<_> = actions().iter().map(|action| option(action.name.into(), action.usage)).collect();
    view! { {groups}<optgroup label="Change the weights once">{acts}</optgroup> }.into_any()
}

fn value_control(row: Row, field: Option<&'static Field>, id: String) -> AnyView {
    let hint_id = format!("{}-hint {}", row.prefix, row.problem_id());
    let take = move |value: String| {
        row.problem.set(None);
        row.value.set(value);
    };
    let list = match field.map(|field| field.kind) {
        Some(FieldKind::Choice(options)) => options.to_vec(),
        Some(FieldKind::Toggle) => vec![("true", "On"), ("false", "Off")],
        _ => Vec::new(),
    };
    if list.is_empty() {
        let mode = match field.map(|field| field.kind) {
            Some(FieldKind::Integer { .. } | FieldKind::OptionalInteger { .. }) => "numeric",
            Some(FieldKind::Number { .. }) => "decimal",
            _ => "text",
        };
        return view! {
            <input type="text" id=id inputmode=mode autocomplete="off" spellcheck="false" aria-describedby=hint_id
                aria-invalid=text(move || row.problem.get().is_some().to_string())
                prop:value=text(move || row.value.get()) on:input=move |event| take(event_target_value(&event)) />
        }
        .into_any();
    }
    let options: Vec<_> = list
        .into_iter()
        .map(|(value, label)| {
            view! { <option value=value selected=flag(move || row.value.with(|now| now == value))>{label}</option> }
        })
        .collect();
    view! {
        <select id=id aria-describedby=hint_id prop:value=text(move || row.value.get())
            on:change=move |event| take(event_target_value(&event))>{options}</select>
    }
    .into_any()
}
