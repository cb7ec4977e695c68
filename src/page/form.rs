//! Controls for a configuration, made from its field table: label, help, range and choices are written once, there.
//!
//! A text that is not a value yet ("1e", "") must stay in its box with the reason beside it, and "1." must not turn into "1.0"
//! under the typing hand, so what was typed is kept apart from the last value that could be read. Rejected: clamping to the
//! range, which changes an experiment without a word.

use super::live::{flag, text};
use crate::experiment::edit::{Editable, applying, full, get, leaf};
use crate::experiment::{Field, FieldError, FieldKind, fields, kinds_of};
use crate::record::UserError;
use crate::task::upload::{MAX_BYTES, table_text};
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;
use std::collections::BTreeMap;
use wasm_bindgen_futures::JsFuture;

/// A configuration under edit.
pub(super) struct Form<T: Editable + Clone + Send + Sync> {
    /// The last readable value.
    pub(super) value: RwSignal<T>,
    /// The same as JSON, made once for all controls.
    pub(super) tree: Memo<Value>,
    /// How often everything was replaced; typing does not count.
    pub(super) replaced: RwSignal<u32>,
    /// What its controls hold.
    pub(super) boxes: Boxes,
}

/// What the controls of a configuration hold, whatever its type: so they are compiled once.
#[derive(Clone, Copy)]
pub(super) struct Boxes {
    /// The last readable value.
    tree: Memo<Value>,
    /// Texts being typed and texts that could not be read, by path.
    typed: RwSignal<BTreeMap<&'static str, Typed>>,
    take: StoredValue<Box<Take>>,
}

/// Writes a typed text into the setting at a path.
type Take = dyn Fn(&str, &str) -> Result<(), UserError> + Send + Sync;

#[derive(Clone)]
struct Typed {
    text: String,
    error: Option<FieldError>,
}

impl<T: Editable + Clone + Send + Sync> Clone for Form<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: Editable + Clone + Send + Sync> Copy for Form<T> {}

impl<T: Editable + Clone + Send + Sync> Form<T> {
    /// A form that starts at `value`; `set` writes a typed text into a value.
    pub(super) fn new(value: T, set: fn(&T, &str, &str) -> Result<T, UserError>) -> Self {
        let value = RwSignal::new(value);
        let tree = Memo::new(move |_| value.with(full));
        let take = move |path: &str, text: &str| set(&value.get_untracked(), path, text).map(|changed| value.set(changed));
        Self { value, tree, replaced: RwSignal::new(0), boxes: Boxes::new(tree, Box::new(take)) }
    }

    /// Replaces everything.
    pub(super) fn replace(&self, value: T) {
        self.boxes.clear();
        self.value.set(value);
        self.replaced.update(|count| *count += 1);
    }

    /// What could not be read, as refusals.
    pub(super) fn unread_errors(&self) -> Vec<FieldError> {
        self.boxes.unread_errors(&applying(&self.value.get()))
    }
}

impl Boxes {
    /// Boxes that show `tree`; `take` writes a typed text into what it is made of.
    pub(super) fn new(tree: Memo<Value>, take: Box<Take>) -> Self {
        Self { tree, typed: RwSignal::new(BTreeMap::new()), take: StoredValue::new(take) }
    }

    /// Forgets what was typed.
    pub(super) fn clear(&self) {
        self.typed.set(BTreeMap::new());
    }

    /// Takes what was typed for a field.
    pub(super) fn type_in(&self, field: &'static Field, text: &str) {
        let line = Shape::of(field).one_line(text);
        let read = field.kind.parse(&line).and_then(|value| field.kind.check(&value));
        let read = read.map_err(|(cause, remedy)| FieldError::new(field.path, cause, remedy)).and_then(|()| {
            self.take
                .with_value(|take| take(field.path, &line))
                .map_err(|error| FieldError::new(field.path, error.cause, error.remedy))
        });
        self.typed.update(|typed| {
            typed.insert(field.path, Typed { text: text.to_owned(), error: read.err() });
        });
    }

    /// The hand has left the box: a text that was read gives way to how its value is written.
    fn leave(&self, field: &'static Field) {
        if self.typed.with_untracked(|typed| typed.get(field.path).is_some_and(|typed| typed.error.is_none())) {
            self.typed.update(|typed| {
                typed.remove(field.path);
            });
        }
    }

    /// What could not be read among the settings that are there, as refusals.
    pub(super) fn unread_errors(&self, there: &[&'static Field]) -> Vec<FieldError> {
        let applies = |path: &str| there.iter().any(|field| field.path == path);
        self.typed.with(|typed| typed.values().filter_map(|t| t.error.clone()).filter(|e| applies(&e.path)).collect())
    }

    /// What stands in the box.
    pub(super) fn text(&self, field: &'static Field) -> String {
        let typed = self.typed.with(|typed| typed.get(field.path).map(|typed| typed.text.clone()));
        typed.unwrap_or_else(|| Shape::of(field).on_the_page(&self.tree.with(|tree| written_in(tree, field))))
    }
}

/// The setting as text.
pub(super) fn written<T: Editable>(value: &T, field: &Field) -> String {
    get(value, field.path).map_or_else(String::new, |value| field.kind.text(&value))
}

/// The setting as text, out of a configuration's JSON; empty if it has none.
pub(super) fn written_in(tree: &Value, field: &Field) -> String {
    leaf(tree, field.path).map_or_else(String::new, |value| field.kind.text(value))
}

/// How a text is edited. In files and links each is one line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Line,
    /// An item on each line of the box.
    Lines,
    /// A row of a table on each line of the box.
    Table,
    /// One line that may be long.
    Long,
}

impl Shape {
    fn of(field: &Field) -> Self {
        match (field.kind, field.path) {
            (FieldKind::Lines { .. }, _) => Self::Lines,
            (_, "task.table") => Self::Table,
            (_, "task.formula") => Self::Long,
            _ => Self::Line,
        }
    }

    /// How many lines the box shows.
    fn height(self) -> &'static str {
        match self {
            Self::Line | Self::Long => "2",
            Self::Lines => "4",
            Self::Table => "7",
        }
    }

    fn on_the_page(self, line: &str) -> String {
        let separator = match self {
            Self::Line | Self::Long => return line.to_owned(),
            Self::Lines => ';',
            Self::Table => '/',
        };
        line.split(separator).map(str::trim).collect::<Vec<_>>().join("\n")
    }

    fn one_line(self, text: &str) -> String {
        match self {
            Self::Line | Self::Lines => text.to_owned(),
            Self::Long => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Self::Table => {
                let text = text.replace('\t', " ");
                let rows = text.lines().map(|row| row.trim().trim_matches('/').trim()).filter(|row| !row.is_empty());
                rows.collect::<Vec<_>>().join(" / ")
            }
        }
    }
}

/// One labelled control. `errors` are those of the whole form; `base` is the text that counts as unchanged; `below` stands under the box.
pub(super) fn control(
    form: Boxes,
    field: &'static Field,
    prefix: &'static str,
    errors: Memo<Vec<FieldError>>,
    base: Box<dyn Fn() -> Option<String> + Send + Sync>,
    below: AnyView,
) -> AnyView {
    let id = format!("{prefix}-{}", field.path.replace('.', "-"));
    let errors_of = match prefix {
        "field" => "error".to_owned(),
        other => format!("{other}-error"),
    };
    let error_id = format!("{errors_of}-{}", field.path.replace('.', "-"));
    let help_id = format!("{id}-help");
    let described_by = format!("{error_id} {help_id}");
    let problem = Memo::new(move |_| {
        errors.with(|errors| {
            errors.iter().find(|error| error.path == field.path).map(|error| format!("{}. {}.", error.cause, error.remedy))
        })
    });
    let is_wrong = move || problem.with(Option::is_some);
    let invalid = move || text(move || is_wrong().to_string());
    let shown = Memo::new(move |_| form.text(field));
    let changed = move || base().is_some_and(|base| form.tree.with(|tree| written_in(tree, field)) != base);
    // A kind's own sentence says more than what the choice is about; other tables than an experiment's may use the same path.
    let is_kind = fields().iter().any(|known| core::ptr::eq(known, field));
    let kinds = kinds_of(field.path).filter(|_| is_kind).unwrap_or_default();
    let help =
        move || shown.with(|name| kinds.iter().find(|kind| kind.name == name).map_or(field.help, |kind| kind.help).to_owned());
    let shape = Shape::of(field);
    let type_in = move |text: &str| form.type_in(field, text);
    let leave = move || form.leave(field);
    let input = match field.kind {
        FieldKind::Choice(options) => {
            let options: Vec<_> = options
                .iter()
                .map(|&(value, label)| view! { <option value=value selected=flag(move || shown.with(|s| s == value))>{label}</option> })
                .collect();
            view! {
                <select id=id.clone() aria-invalid=invalid() aria-describedby=described_by prop:value=text(move || shown.get())
                    on:change=move |event| {
                        type_in(&event_target_value(&event));
                        leave();
                    }>{options}</select>
            }
            .into_any()
        }
        FieldKind::Choices(options) => {
            let chosen = move |name: &'static str| shown.with(|s| s.split(',').any(|known| known == name));
            let boxes: Vec<_> = options
                .iter()
                .map(|&(name, label)| {
                    let toggle = move |_| {
                        // All that were chosen stay, but for this one, which turns.
                        let kept = options.iter().map(|(known, _)| *known).filter(|known| chosen(known) != (*known == name));
                        type_in(&kept.collect::<Vec<_>>().join(","));
                        leave();
                    };
                    view! { <label><input type="checkbox" prop:checked=flag(move || chosen(name)) on:change=toggle />{label}</label> }
                })
                .collect();
            view! { <div class="chips" id=id.clone() role="group" aria-label=field.label aria-describedby=described_by>{boxes}</div> }.into_any()
        }
        FieldKind::Toggle => view! {
            <input type="checkbox" id=id.clone() aria-describedby=described_by prop:checked=flag(move || shown.with(|s| s == "true"))
                on:change=move |event| {
                    type_in(if event_target_checked(&event) { "true" } else { "false" });
                    leave();
                } />
        }
        .into_any(),
        _ if shape != Shape::Line => view! {
            <textarea id=id.clone() rows=shape.height() autocomplete="off" spellcheck="false" aria-invalid=invalid()
                aria-describedby=described_by prop:value=text(move || shown.get())
                on:input=move |event| type_in(&event_target_value(&event)) on:change=move |_| leave()></textarea>
        }
        .into_any(),
        kind => {
            let mode = match kind {
                FieldKind::Integer { .. } | FieldKind::OptionalInteger { .. } => "numeric",
                FieldKind::Number { .. } => "decimal",
                _ => "text",
            };
            let placeholder = if let FieldKind::OptionalInteger { none, .. } = kind { none } else { "" };
            view! {
                <input type="text" id=id.clone() inputmode=mode placeholder=placeholder autocomplete="off" spellcheck="false"
                    aria-invalid=invalid() aria-describedby=described_by prop:value=text(move || shown.get())
                    on:input=move |event| type_in(&event_target_value(&event)) on:change=move |_| leave() />
            }
            .into_any()
        }
    };
    let from_file = (shape == Shape::Table).then(|| {
        let take = move |text: String| {
            type_in(&text);
            leave();
        };
        upload(field, format!("{id}-file"), Box::new(take))
    });
    view! {
        <div class="field" class:wide=shape != Shape::Line class:changed=flag(changed)>
            <label for=id title=field.path>{field.label}</label>
            {input}
            {from_file}
            {below}
            // The reason takes the place of the help, so that nothing below moves while one types.
            <div class="note">
                <p class="problem" id=error_id hidden=flag(move || !is_wrong())>{text(move || problem.get().unwrap_or_default())}</p>
                <p class="help" id=help_id class:covered=flag(is_wrong)>{text(help)}</p>
            </div>
        </div>
    }
    .into_any()
}

/// A button that reads a table from a file, and what came of it.
fn upload(field: &'static Field, id: String, take: Box<dyn Fn(String)>) -> AnyView {
    let file = NodeRef::<Input>::new();
    let said = RwSignal::new((false, "Commas, semicolons, tabs or blanks between numbers; it stays on this machine".to_owned()));
    let take = StoredValue::new_local(take);
    let chosen = move |_| {
        let Some(input) = file.get_untracked() else { return };
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            spawn_local(async move {
                let name = file.name();
                let words = match read_table(&file, field).await {
                    Ok(text) => {
                        let rows = text.split('/').count();
                        take.try_with_value(|take| take(text));
                        (false, format!("{rows} rows from {name}"))
                    }
                    Err((cause, remedy)) => (true, format!("{name}: {cause}. {remedy}.")),
                };
                // The control may be gone by now.
                said.try_set(words);
            });
        }
        // So that the same file can be chosen again.
        input.set_value("");
    };
    view! {
        <div class="row">
            <label class="button small-button" for=id.clone()>"Read a file…"</label>
            <input type="file" id=id class="visually-hidden" accept=".csv,.tsv,.txt,.dat,text/*" node_ref=file on:change=chosen />
            <span class="small" role="status" class:bad=flag(move || said.with(|said| said.0)) class:muted=flag(move || said.with(|said| !said.0))>
                {text(move || said.with(|said| said.1.clone()))}
            </span>
        </div>
    }
    .into_any()
}

async fn read_table(file: &web_sys::File, field: &Field) -> Result<String, (String, String)> {
    if file.size() > f64::from(MAX_BYTES) {
        return Err((
            format!("The file has {:.0} bytes, and {MAX_BYTES} are read at most", file.size()),
            "Use a smaller table".into(),
        ));
    }
    let read = JsFuture::from(file.text()).await;
    let text = read.map_err(|error| {
        (format!("The file could not be read ({})", super::port::words(&error)), "Choose it again".to_owned())
    })?;
    let max_chars = if let FieldKind::Text { max_chars } = field.kind { max_chars } else { usize::MAX };
    table_text(&text.as_string().unwrap_or_default(), max_chars)
}
