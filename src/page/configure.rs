//! The configuration drawer: every setting of the experiment by section, what it comes to, and what was changed.
//!
//! There are a hundred settings, and most runs touch five. So each section shows its kinds and what people change; the others
//! are folded, unless one of them is set. What is folded is settled when an experiment is opened and when a fold is closed, never
//! at a keystroke: a control must not move away from under the hand. Edits never touch a run under way; they make the next one.

use super::diagnose::diagnoses;
use super::form::{control, written_in};
use super::live::{flag, part, text};
use super::presets::about;
use super::session;
use super::store::{Lab, grouped};
use crate::experiment::edit::{full, leaf};
use crate::experiment::{Experiment, Field, FieldError, FieldKind, counts, fields, parameters};
use crate::task::{mirrored_test_rows, rule_of};
use leptos::html::Details;
use leptos::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;

/// Settings that are not for hands: the format, and the name that only people read.
const HIDDEN: [&str; 2] = ["schema", "name"];

/// Sections by name in the page and title, with the paths that stand in each; the last takes what fits nowhere. Those that say
/// what every run is come first.
const SECTIONS: [(&str, &str, &[&str]); 8] = [
    ("task", "Task", &["task"]),
    ("model", "Network", &["model"]),
    ("optimizer", "Optimiser and schedule", &["optimizer", "loss", "batch_size"]),
    ("run", "Run and logging", &["steps", "seed", "logging"]),
    ("training", "Around the gradient", &["training"]),
    ("curriculum", "Curriculum", &["curriculum"]),
    ("stage", "Earlier stage", &["stage"]),
    ("timeline", "Timeline", &["timeline"]),
];

/// What stands first in its section; the others follow in the order of the file.
const FIRST: [&str; 20] = [
    "task.operation",
    "task.modulus",
    "task.formula",
    "task.table",
    "task.group",
    "task.train_fraction",
    "task.split",
    "model.architecture",
    "model.width",
    "model.d_model",
    "model.mlp_width",
    "optimizer.name",
    "optimizer.learning_rate",
    "optimizer.weight_decay",
    "loss",
    "batch_size",
    "steps",
    "seed",
    "logging.evaluate_every",
    "logging.checkpoint_every",
];

/// Settings that every file states and few people touch, with the value at which they are folded.
const USUAL: [(&str, &str); 5] = [
    ("task.label_noise", "0.0"),
    ("model.init_scale", "1.0"),
    ("optimizer.betas", "0.9,0.98"),
    ("optimizer.epsilon", "1e-8"),
    ("optimizer.warmup_steps", "0"),
];

/// Most settings of other kinds that the search names.
const MOST_ELSEWHERE: usize = 6;

/// What differs from a reference, one phrase per setting.
pub(super) fn changes(from: &Experiment, to: &Experiment) -> Vec<String> {
    changes_in(&full(from), &full(to))
}

/// The same, of JSON trees.
fn changes_in(from: &Value, to: &Value) -> Vec<String> {
    fields()
        .iter()
        .filter(|field| !HIDDEN.contains(&field.path) && field.applies(to))
        .filter(|field| leaf(from, field.path) != leaf(to, field.path))
        .map(|field| {
            let was = leaf(from, field.path).map(|before| format!(" (was {})", short(&field.kind.text(before))));
            format!("{}: {}{}", field.label, short(&written_in(to, field)), was.unwrap_or_default())
        })
        .collect()
}

/// The beginning of a long text: a table may have thousands of characters.
fn short(text: &str) -> String {
    match text.char_indices().nth(48) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None if text.is_empty() => "nothing".into(),
        None => text.to_owned(),
    }
}

/// Row counts and parameters in words, with how many test pairs have their mirror in training.
fn sizes(experiment: &Experiment, mirrored: Option<u32>) -> String {
    let rows = counts(experiment);
    let noun = if rule_of(experiment).is_some_and(|rule| rule.sizes().width == 0) { "pairs" } else { "rows" };
    let probe = if rows.probe > 0 { format!(", {} set apart as probe", grouped(rows.probe.into())) } else { String::new() };
    // Whoever has noticed that the order does not matter knows these answers without the rule.
    let leak = match mirrored {
        Some(known) if known > 0 => format!(" ({} of them with their mirror in training)", grouped(known.into())),
        _ => String::new(),
    };
    format!(
        "{} {noun}: {} for training, {} for the test{leak}{probe} · {} parameters",
        grouped(rows.domain.into()),
        grouped(rows.train.into()),
        grouped(rows.test.into()),
        grouped(parameters(experiment))
    )
}

/// One line under the sentence: the task's formula, its rows, the network's size.
pub(super) fn task_facts(lab: Lab) -> AnyView {
    facts(lab, Memo::new(move |_| session::problems(lab).is_empty()))
}

fn facts(lab: Lab, runs: Memo<bool>) -> AnyView {
    let formula = Memo::new(move |_| lab.draft.value.with(|draft| rule_of(draft).map(|rule| rule.formula()).unwrap_or_default()));
    // Counting looks at every row, so it waits for a change of the rows.
    let dealt = Memo::new(move |_| lab.draft.value.with(|draft| (draft.task.clone(), draft.seed)));
    let mirrored = Memo::new(move |_| runs.get().then(|| dealt.with(|(task, seed)| mirrored_test_rows(task, *seed))).flatten());
    let sizes = Memo::new(move |_| {
        if runs.get() {
            lab.draft.value.with(|draft| sizes(draft, mirrored.get()))
        } else {
            "sizes appear when the settings go together".to_owned()
        }
    });
    view! {
        <p class="task-facts number"><strong>{text(move || formula.get())}</strong>" · "<span class="muted">{text(move || sizes.get())}</span></p>
    }
    .into_any()
}

/// What the sections share.
#[derive(Clone, Copy)]
struct Desk {
    lab: Lab,
    errors: Memo<Vec<FieldError>>,
    /// The preset as JSON.
    preset: Memo<Value>,
    /// Rows of the field table that apply, by place in it.
    existing: Memo<Vec<usize>>,
    /// Settings that are shown though they could be folded.
    raised: Memo<BTreeSet<&'static str>>,
    /// Counts the times that a fold was closed.
    closed: RwSignal<u32>,
    /// Words that a setting must hold, in lower case; all settings are shown while there are none.
    sought: Memo<Vec<String>>,
}

impl Desk {
    fn new(lab: Lab, query: RwSignal<String>) -> Self {
        let existing = Memo::new(move |_| {
            let rows = |tree: &Value| fields().iter().enumerate().filter(|(_, f)| f.applies(tree)).map(|(at, _)| at).collect();
            lab.draft.tree.with(rows)
        });
        let closed = RwSignal::new(0);
        let raised = Memo::new(move |_| {
            lab.draft.replaced.track();
            closed.track();
            lab.draft.tree.with_untracked(|tree| {
                let set = fields().iter().filter(|field| field.applies(tree) && is_set(tree, field));
                set.map(|field| field.path).collect::<BTreeSet<_>>()
            })
        });
        Self {
            lab,
            errors: Memo::new(move |_| session::problems(lab)),
            preset: Memo::new(move |_| full(&lab.preset.get().experiment)),
            existing,
            raised,
            closed,
            sought: Memo::new(move |_| query.with(|query| query.to_lowercase().split_whitespace().map(str::to_owned).collect())),
        }
    }

    fn is_searching(&self) -> bool {
        self.sought.with(|words| !words.is_empty())
    }

    /// Whether a setting is found; all are while nothing is sought.
    fn finds(&self, field: &Field) -> bool {
        self.sought.with(|words| words.is_empty() || matches(words, field))
    }

    /// Settings of a section that are shown (or folded), in order.
    fn rows(&self, section: usize, folded: bool) -> Vec<usize> {
        let mut rows: Vec<usize> = self.raised.with(|raised| {
            let belongs = |field: &Field| section_of(field.path) == section && !HIDDEN.contains(&field.path);
            self.existing.with(|all| {
                all.iter().copied().filter(|at| belongs(&fields()[*at]) && is_folded(&fields()[*at], raised) == folded).collect()
            })
        });
        rows.sort_by_key(|at| FIRST.iter().position(|path| *path == fields()[*at].path).unwrap_or(FIRST.len()));
        rows
    }
}

/// The place in [`SECTIONS`] of a setting.
fn section_of(path: &str) -> usize {
    let holds = |part: &&str| path.strip_prefix(*part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    SECTIONS.iter().position(|(_, _, parts)| parts.iter().any(holds)).unwrap_or(SECTIONS.len() - 1)
}

/// The text at which a setting is folded away.
fn quiet(field: &Field) -> Option<String> {
    if field.optional {
        return field.start_value().map(|value| field.kind.text(&value));
    }
    USUAL.iter().find(|(path, _)| *path == field.path).map(|(_, text)| (*text).to_owned())
}

/// Whether a setting that could be folded is not at its neutral or usual value.
fn is_set(tree: &Value, field: &Field) -> bool {
    quiet(field).is_some_and(|quiet| {
        let written = written_in(tree, field);
        // `1e-8` and `0.00000001` are one number.
        written != quiet
            && written.parse::<f64>().ok().zip(quiet.parse::<f64>().ok()).is_none_or(|(x, y)| x.to_bits() != y.to_bits())
    })
}

/// A setting that depends on a folded one stays beside it.
fn is_folded(field: &Field, raised: &BTreeSet<&'static str>) -> bool {
    let alone = |field: &Field| quiet(field).is_some() && !raised.contains(field.path);
    let depends =
        |(selector, _): &(&'static str, &[&str])| fields().iter().any(|f| f.path == *selector && f.optional && alone(f));
    alone(field) || (!raised.contains(field.path) && field.when.iter().any(depends))
}

fn matches(words: &[String], field: &Field) -> bool {
    let mut text = format!("{} {} {}", field.path, field.label, field.help);
    if let FieldKind::Choice(options) = field.kind {
        options.iter().for_each(|(name, label)| text.extend([" ", name, " ", label]));
    }
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word))
}

/// The drawer.
pub(super) fn drawer(lab: Lab) -> AnyView {
    let query = RwSignal::new(String::new());
    let desk = Desk::new(lab, query);
    let changed = Memo::new(move |_| desk.preset.with(|preset| lab.draft.tree.with(|draft| changes_in(preset, draft))));
    let summary = move || match changed.with(Vec::len) {
        0 => "as in the preset".to_owned(),
        1 => "1 change from the preset".to_owned(),
        n => format!("{n} changes from the preset"),
    };
    let restore = move |_| {
        lab.draft.replace(lab.preset.get_untracked().experiment.clone());
        lab.refused.set(false);
    };
    let is_open = RwSignal::new(false);
    let card = NodeRef::<Details>::new();
    let toggled = move |_| is_open.set(card.get_untracked().is_some_and(|card| card.open()));
    let sections: Vec<_> = (0..SECTIONS.len())
        .map(|at| {
            let below = (SECTIONS[at].0 == "task").then(|| diagnoses(lab, is_open));
            section(desk, at, below)
        })
        .collect();
    view! {
        {about(lab)}
        <details class="drawer" id="configuration" node_ref=card on:toggle=toggled>
            <summary>"Configure "<span class="muted">{text(summary)}</span></summary>
            <div>
                {part(move || lab.phase.get().is_live().then(|| view! {
                    <p class="card notice" role="note">"A run is under way. What you change here prepares the next one."</p>
                }.into_any()))}
                <div class="desk-head">
                    {facts(lab, Memo::new(move |_| desk.errors.with(Vec::is_empty)))}
                    <div class="changes">
                        <details>
                            <summary class="small">{text(move || if changed.with(Vec::is_empty) { "Nothing is changed".into() } else { format!("Changed: {}", changed.get().join(" · ")) })}</summary>
                            <ul class="small plain">{part(move || Some(changed.get().into_iter().map(|change| view! { <li>{change}</li> }).collect::<Vec<_>>().into_any()))}</ul>
                        </details>
                        <button type="button" class="small-button" disabled=flag(move || changed.with(Vec::is_empty)) on:click=restore>"Back to the preset"</button>
                    </div>
                    {search(desk, query)}
                </div>
                {sections}
            </div>
        </details>
    }
    .into_any()
}

/// The search box, with what it says about settings that other choices would bring.
fn search(desk: Desk, query: RwSignal<String>) -> AnyView {
    let by_key = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Escape" {
            query.set(String::new());
        }
    };
    let outcome = move || {
        if !desk.is_searching() {
            return String::new();
        }
        let here = desk
            .existing
            .with(|all| all.iter().filter(|at| !HIDDEN.contains(&fields()[**at].path) && desk.finds(&fields()[**at])).count());
        let found = match here {
            0 => "No setting of this experiment".to_owned(),
            1 => "1 setting".to_owned(),
            n => format!("{n} settings"),
        };
        let away = elsewhere(desk);
        if away.is_empty() { found } else { format!("{found}. With other choices: {}", away.join("; ")) }
    };
    view! {
        <div class="find">
            <label class="visually-hidden" for="find-setting">"Find a setting"</label>
            <input type="search" id="find-setting" placeholder="Find a setting…" autocomplete="off" spellcheck="false"
                prop:value=text(move || query.get()) on:input=move |event| query.set(event_target_value(&event)) on:keydown=by_key />
            <span class="small muted" role="status">{text(outcome)}</span>
        </div>
    }
    .into_any()
}

/// Settings that are sought and that this experiment does not have, with the choice that brings each.
fn elsewhere(desk: Desk) -> Vec<String> {
    let existing = desk.existing.get();
    let here = |path: &str| existing.iter().any(|at| fields()[*at].path == path);
    let mut found: Vec<String> = Vec::new();
    for field in fields().iter().filter(|field| !here(field.path) && desk.finds(field)) {
        let choices: Vec<String> = field.when.iter().map(|(selector, names)| choice(selector, names)).collect();
        let words = format!("{} ({})", field.label, choices.join(", "));
        if !found.contains(&words) {
            found.push(words);
        }
    }
    if found.len() > MOST_ELSEWHERE {
        found.truncate(MOST_ELSEWHERE);
        found.push("…".into());
    }
    found
}

/// `Architecture: Transformer`.
fn choice(selector: &str, names: &[&str]) -> String {
    let Some(field) = fields().iter().find(|field| field.path == selector) else { return String::new() };
    let FieldKind::Choice(options) = field.kind else { return field.label.to_owned() };
    let labels: Vec<&str> = options.iter().filter(|(name, _)| names.contains(name)).map(|(_, label)| *label).collect();
    let more = if labels.len() > 2 { " …" } else { "" };
    format!("{}: {}{more}", field.label, labels.iter().take(2).copied().collect::<Vec<_>>().join(" or "))
}

/// A section: what people change, and the rest in a fold. `below` stands under the settings that are shown.
fn section(desk: Desk, at: usize, below: Option<AnyView>) -> AnyView {
    let (name, title, _) = SECTIONS[at];
    let shown = Memo::new(move |_| desk.rows(at, false));
    let folded = Memo::new(move |_| desk.rows(at, true));
    let any_of = move |rows: &[usize]| rows.iter().any(|at| desk.finds(&fields()[*at]));
    let in_shown = move || shown.with(|rows| any_of(rows));
    let in_folded = move || folded.with(|rows| any_of(rows));
    let inside = move |path: &str| section_of(path) == at;
    let set = Memo::new(move |_| {
        let rows = desk.existing.get();
        desk.lab.draft.tree.with(|tree| {
            let here = rows.iter().map(|at| &fields()[*at]).filter(|field| inside(field.path));
            here.filter(|field| field.optional && is_set(tree, field)).count()
        })
    });
    let wrong = Memo::new(move |_| desk.errors.with(|errors| errors.iter().filter(|error| inside(&error.path)).count()));
    let said = move || match set.get() {
        0 => String::new(),
        n => format!("{n} set"),
    };
    let to_correct = move || match wrong.get() {
        0 => String::new(),
        n => format!("{n} to correct"),
    };
    let more = move || {
        let names = folded.with(|rows| rows.iter().map(|at| fields()[*at].label).collect::<Vec<_>>().join(", "));
        (folded.with(Vec::len), names)
    };
    let opened = RwSignal::new(false);
    let fold = NodeRef::<Details>::new();
    let toggled = move |_| {
        let now = fold.get_untracked().is_some_and(|fold| fold.open());
        // A search opens folds by itself and leaves them as they were.
        if !untrack(|| desk.is_searching()) && now != opened.get_untracked() {
            opened.set(now);
            if !now {
                desk.closed.update(|times| *times += 1);
            }
        }
    };
    view! {
        <section class="section" id=format!("section-{name}") aria-labelledby=format!("section-{name}-title")
            hidden=flag(move || !in_shown() && !in_folded())>
            <div class="section-head">
                <h3 id=format!("section-{name}-title")>{title}</h3>
                <span class="small set">{text(said)}</span>
                <span class="small bad">{text(to_correct)}</span>
            </div>
            <div class="fields" hidden=flag(move || !in_shown())>
                <For each=move || shown.get() key=|at| *at children=move |at| item(desk, at) />
            </div>
            {below}
            <details class="more" hidden=flag(move || !in_folded()) prop:open=flag(move || opened.get() || desk.is_searching())
                node_ref=fold on:toggle=toggled>
                <summary class="small">"More "<span class="muted">{text(move || more().0.to_string())}</span><span class="muted names">{text(move || more().1)}</span></summary>
                <div class="fields"><For each=move || folded.get() key=|at| *at children=move |at| item(desk, at) /></div>
            </details>
        </section>
    }
    .into_any()
}

/// A setting's control, gone while something else is sought.
fn item(desk: Desk, at: usize) -> AnyView {
    let field = &fields()[at];
    let base = move || desk.preset.with(|preset| leaf(preset, field.path).map(|value| field.kind.text(value)));
    let control = control(desk.lab.draft.boxes, field, "field", desk.errors, Box::new(base), ().into_any());
    view! { <div class="item" hidden=flag(move || !desk.finds(field))>{control}</div> }.into_any()
}
