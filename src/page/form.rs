//! Controls for a configuration, made from its field table: label, help, range and choices are written once, there.
//!
//! A text that is not a value yet ("1e", "") must stay in its box with the reason beside it, and "1." must not turn into "1.0"
//! under the typing hand, so what was typed is kept apart from the last value that could be read. Rejected: clamping to the
//! range, which changes an experiment without a word.

use super::live::{flag, text};
use crate::experiment::edit::{Editable, get};
use crate::experiment::{Field, FieldError, FieldKind};
use crate::record::UserError;
use leptos::prelude::*;
use std::collections::BTreeMap;

/// A configuration under edit.
pub(super) struct Form<T: Editable + Clone + Send + Sync> {
    /// The last readable value.
    pub(super) value: RwSignal<T>,
    /// Texts being typed and texts that could not be read, by path.
    typed: RwSignal<BTreeMap<&'static str, Typed>>,
    set: fn(&T, &str, &str) -> Result<T, UserError>,
}

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
        Self { value: RwSignal::new(value), typed: RwSignal::new(BTreeMap::new()), set }
    }

    /// Replaces everything.
    pub(super) fn replace(&self, value: T) {
        self.typed.set(BTreeMap::new());
        self.value.set(value);
    }

    /// Takes what was typed for a field.
    pub(super) fn type_in(&self, field: &'static Field<T>, text: &str) {
        let read = field.kind.parse(text).and_then(|value| field.kind.check(&value));
        let read = read.map_err(|(cause, remedy)| FieldError::new(field.path, cause, remedy)).and_then(|()| {
            (self.set)(&self.value.get_untracked(), field.path, text)
                .map_err(|error| FieldError::new(field.path, error.cause, error.remedy))
        });
        let error = match read {
            Ok(value) => {
                self.value.set(value);
                None
            }
            Err(error) => Some(error),
        };
        self.typed.update(|typed| {
            typed.insert(field.path, Typed { text: text.to_owned(), error });
        });
    }

    /// The hand has left the box: a text that was read gives way to how its value is written.
    fn leave(&self, field: &'static Field<T>) {
        if self.typed.with_untracked(|typed| typed.get(field.path).is_some_and(|typed| typed.error.is_none())) {
            self.typed.update(|typed| {
                typed.remove(field.path);
            });
        }
    }

    /// What could not be read, as refusals.
    pub(super) fn unread_errors(&self) -> Vec<FieldError> {
        let value = self.value.get();
        let applies = |path: &str| T::table().iter().any(|field| field.path == path && (field.applies)(&value));
        self.typed.with(|typed| typed.values().filter_map(|t| t.error.clone()).filter(|e| applies(&e.path)).collect())
    }

    fn text(&self, field: &'static Field<T>) -> String {
        let typed = self.typed.with(|typed| typed.get(field.path).map(|typed| typed.text.clone()));
        typed.unwrap_or_else(|| self.value.with(|value| written(value, field)))
    }
}

/// The setting as text.
pub(super) fn written<T: Editable>(value: &T, field: &Field<T>) -> String {
    get(value, field.path).map_or_else(String::new, |value| field.kind.text(&value))
}

/// One labelled control. `errors` are those of the whole form; `base` is the text that counts as unchanged.
pub(super) fn control<T: Editable + Clone + Send + Sync>(
    form: Form<T>,
    field: &'static Field<T>,
    prefix: &'static str,
    errors: Memo<Vec<FieldError>>,
    base: Box<dyn Fn() -> Option<String> + Send + Sync>,
) -> AnyView {
    let id = format!("{prefix}-{}", field.path.replace('.', "-"));
    let error_id = format!("{}-{}", if prefix == "field" { "error" } else { "xc-error" }, field.path.replace('.', "-"));
    let help_id = format!("{id}-help");
    let described_by = format!("{error_id} {help_id}");
    let problem = Memo::new(move |_| {
        errors.with(|errors| {
            errors.iter().find(|error| error.path == field.path).map(|error| format!("{}. {}.", error.cause, error.remedy))
        })
    });
    let invalid = move || text(move || problem.get().is_some().to_string());
    let shown = move || form.text(field);
    let changed = move || base().is_some_and(|base| form.value.with(|value| written(value, field)) != base);
    let input = match field.kind {
        FieldKind::Choice(options) => {
            let options: Vec<_> = options
                .iter()
                .map(|&(value, label)| view! { <option value=value selected=flag(move || shown() == value)>{label}</option> })
                .collect();
            view! {
                <select id=id.clone() aria-invalid=invalid() aria-describedby=described_by prop:value=text(shown)
                    on:change=move |event| {
                        form.type_in(field, &event_target_value(&event));
                        form.leave(field);
                    }>{options}</select>
            }
            .into_any()
        }
        FieldKind::Toggle => view! {
            <input type="checkbox" id=id.clone() aria-describedby=described_by prop:checked=flag(move || shown() == "true")
                on:change=move |event| {
                    form.type_in(field, if event_target_checked(&event) { "true" } else { "false" });
                    form.leave(field);
                } />
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
                    aria-invalid=invalid() aria-describedby=described_by prop:value=text(shown)
                    on:input=move |event| form.type_in(field, &event_target_value(&event))
                    on:change=move |_| form.leave(field) />
            }
            .into_any()
        }
    };
    view! {
        <div class="field" class:changed=flag(changed)>
            <label for=id>{field.label}</label>
            {input}
            <p class="problem" id=error_id hidden=flag(move || problem.get().is_none())>{text(move || problem.get().unwrap_or_default())}</p>
            <p class="help" id=help_id>{field.help}</p>
        </div>
    }
    .into_any()
}
