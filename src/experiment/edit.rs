//! Reading, writing and changing a configuration by path: one mechanism for JSON files, `--set`, links and the page.
//!
//! Everything goes through the field table, so a message names the path, the reason and the nearest value that works. Rejected:
//! serde's own messages, which name a Rust type and a byte offset but never the setting.

use super::config::{Experiment, SCHEMA};
use super::field::{Field, FieldError};
use crate::record::UserError;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// A configuration with a field table.
pub trait Editable: Serialize + DeserializeOwned + 'static {
    /// What messages call it, e.g. `experiment`.
    const WHAT: &'static str;
    /// The newest format version that this build reads.
    const NEWEST: u32;
    /// Its table. A selector stands before the settings that depend on it.
    fn table() -> &'static [Field];
}

impl Editable for Experiment {
    const WHAT: &'static str = "experiment";
    const NEWEST: u32 = SCHEMA;

    fn table() -> &'static [Field] {
        super::fields::fields()
    }
}

/// The value at a dotted path, or `None` if `config` has no such setting.
pub fn get<T: Editable>(config: &T, path: &str) -> Option<Value> {
    let tree = full(config);
    T::table().iter().find(|f| f.path == path && f.applies(&tree))?;
    leaf(&tree, path).cloned()
}

/// The rows of the table that apply to `config`, in order.
pub fn applying<T: Editable>(config: &T) -> Vec<&'static Field> {
    let tree = full(config);
    T::table().iter().filter(|f| f.applies(&tree)).collect()
}

/// The table's row of `path` for `config`.
///
/// # Errors
/// An unknown path is answered with the nearest existing one.
pub fn field_at<T: Editable>(config: &T, path: &str) -> Result<&'static Field, UserError> {
    row_at::<T>(&full(config), path)
}

fn row_at<T: Editable>(tree: &Value, path: &str) -> Result<&'static Field, UserError> {
    let applying = || T::table().iter().filter(|f| f.applies(tree));
    if let Some(field) = applying().find(|f| f.path == path) {
        return Ok(field);
    }
    let nearest = applying().map(|f| f.path).min_by_key(|p| distance(p, path)).unwrap_or_default();
    let siblings: Vec<&str> = match path.rsplit_once('.') {
        Some((group, _)) => {
            applying().map(|f| f.path).filter(|p| *p != nearest && p.rsplit_once('.').is_some_and(|(g, _)| g == group)).collect()
        }
        None => Vec::new(),
    };
    let cause = if T::table().iter().any(|f| f.path == path) {
        format!("{path} does not apply to this {}", T::WHAT)
    } else {
        format!("{path} is not a setting of the {}", T::WHAT)
    };
    let also = if siblings.is_empty() { String::new() } else { format!("; there are also {}", siblings.join(", ")) };
    Err(UserError::new(cause, format!("The nearest is {nearest}{also}")))
}

/// `config` with the setting at `path` read from `text`. Only this setting's own range is checked; `validate` checks the whole.
/// Where `path` chooses a kind, the new kind's own settings start at their defaults; those that both kinds share are kept.
///
/// # Errors
/// An unknown path, a text of the wrong kind, or a value out of range.
pub fn replace<T: Editable>(config: &T, path: &str, text: &str) -> Result<T, UserError> {
    let mut tree = full(config);
    let field = row_at::<T>(&tree, path)?;
    let refuse = |(cause, remedy)| UserError::from(FieldError::new(path, cause, remedy));
    let value = field.kind.parse(text).map_err(refuse)?;
    field.kind.check(&value).map_err(refuse)?;
    let before: Vec<Field> = T::table().iter().filter(|f| f.applies(&tree)).copied().collect();
    insert(&mut tree, path, value);
    for field in T::table().iter().filter(|f| f.when.iter().any(|(selector, _)| *selector == path)) {
        let shared = || before.iter().any(|b| b.path == field.path && b.kind == field.kind && b.start == field.start);
        if field.applies(&tree)
            && !shared()
            && let Some(start) = field.start_value()
        {
            insert(&mut tree, field.path, start);
        }
    }
    from_leaves(complete::<T>(tree))
}

/// `experiment` with the setting at `path` read from `text`, as [`replace`].
///
/// # Errors
/// As [`replace`].
pub fn with_value(experiment: &Experiment, path: &str, text: &str) -> Result<Experiment, UserError> {
    replace(experiment, path, text)
}

/// Splits `path=value` at the first `=`.
///
/// # Errors
/// If there is no `=` or no path before it.
pub fn parse_assignment(text: &str) -> Result<(&str, &str), UserError> {
    match text.split_once('=') {
        Some((path, value)) if !path.trim().is_empty() => Ok((path.trim(), value.trim())),
        _ => Err(UserError::new(format!("\"{text}\" is no assignment"), "Write path=value, e.g. optimizer.weight_decay=1")),
    }
}

/// Reads a configuration from JSON: format version, unknown and missing settings, kinds and ranges. The caller checks what one
/// setting alone cannot show.
///
/// # Errors
/// Cause and remedy for the first thing that is wrong.
pub fn from_json<T: Editable>(text: &str) -> Result<T, UserError> {
    let value: Value = serde_json::from_str(text).map_err(|e| {
        UserError::new(
            format!("The {} is not valid JSON ({e})", T::WHAT),
            "Correct it at the place named, or start from a preset",
        )
    })?;
    match value.get("schema").and_then(Value::as_u64) {
        Some(version) if version > u64::from(T::NEWEST) => {
            return Err(UserError::new(
                format!("The {} was made by a newer Grokscope (format {version}, this one reads up to {})", T::WHAT, T::NEWEST),
                "Open it with a newer version",
            ));
        }
        Some(_) => {}
        None => return Err(UserError::new(format!("This is no {}: schema is missing", T::WHAT), "Add \"schema\": 1")),
    }
    let whole = complete::<T>(value.clone());
    // Kinds first: what else there may be depends on them.
    let selects = |field: &Field| T::table().iter().any(|f| f.when.iter().any(|(selector, _)| *selector == field.path));
    for field in T::table().iter().filter(|f| selects(f) && f.applies(&whole)) {
        check(field, leaf(&whole, field.path))?;
    }
    for path in leaves(&value) {
        row_at::<T>(&whole, &path)?;
    }
    for field in T::table().iter().filter(|f| f.applies(&whole)) {
        check(field, leaf(&whole, field.path))?;
    }
    from_leaves(whole)
}

fn check(field: &Field, found: Option<&Value>) -> Result<(), UserError> {
    let Some(found) = found else {
        let example = field.start.map_or_else(|| field.kind.range(), |start| format!("e.g. {start}"));
        return Err(UserError::new(format!("{} is missing", field.path), format!("Add it, {example}")));
    };
    field.kind.check(found).map_err(|(cause, remedy)| UserError::from(FieldError::new(field.path, cause, remedy)))
}

/// `tree` with every applying setting: missing ones that files leave out at their neutral value, numbers in one form, and
/// nothing that does not apply.
fn complete<T: Editable>(tree: Value) -> Value {
    let mut whole = tree.clone();
    // A selector stands before what depends on it, so one pass settles which rows apply.
    for field in T::table() {
        if !field.applies(&whole) {
            continue;
        }
        match leaf(&whole, field.path) {
            None if field.optional => {
                if let Some(start) = field.start_value() {
                    insert(&mut whole, field.path, start);
                }
            }
            Some(found) => {
                if let Some(normal) = field.kind.normal(found) {
                    insert(&mut whole, field.path, normal);
                }
            }
            None => {}
        }
    }
    let mut kept = Value::Object(Map::new());
    for field in T::table().iter().filter(|f| f.applies(&whole)) {
        if let Some(found) = leaf(&whole, field.path) {
            insert(&mut kept, field.path, found.clone());
        }
    }
    kept
}

/// Pretty JSON with a final newline, the form that people keep in files.
pub fn to_json<T: Editable>(config: &T) -> String {
    let mut text = serde_json::to_string_pretty(&json(config)).unwrap_or_default();
    text.push('\n');
    text
}

/// Checks every setting's own range.
pub fn check_ranges<T: Editable>(config: &T) -> Vec<FieldError> {
    let all = full(config);
    let mut errors = Vec::new();
    for field in T::table().iter().filter(|f| f.applies(&all)) {
        let found = leaf(&all, field.path).cloned().unwrap_or_default();
        if let Err((cause, remedy)) = field.kind.check(&found) {
            errors.push(FieldError::new(field.path, cause, remedy));
        }
    }
    errors
}

impl Experiment {
    /// Reads and validates an experiment.
    ///
    /// # Errors
    /// Cause and remedy: not JSON, a newer format, an unknown or missing setting, a value out of range, or settings that do not
    /// go together.
    pub fn from_json(text: &str) -> Result<Self, UserError> {
        let experiment: Self = from_json(text)?;
        experiment.validate()?;
        Ok(experiment)
    }

    /// Pretty JSON, what `grokscope presets NAME` prints.
    pub fn to_json(&self) -> String {
        to_json(self)
    }

    /// With every setting that applies: those that were left out at their neutral value.
    ///
    /// # Errors
    /// If a setting is of the wrong type.
    pub fn completed(&self) -> Result<Self, UserError> {
        from_leaves(complete::<Self>(full(self)))
    }
}

/// The JSON of a configuration: the settings that apply, in the table's order, without those at their neutral value. Equal
/// configurations give equal text, which links and fingerprints rest on.
pub(crate) fn json<T: Editable>(config: &T) -> Value {
    let tree = full(config);
    let mut short = Value::Object(Map::new());
    for field in T::table().iter().filter(|f| f.applies(&tree)) {
        if let Some(found) = leaf(&tree, field.path)
            && !(field.optional && field.start_value().as_ref() == Some(found))
        {
            insert(&mut short, field.path, found.clone());
        }
    }
    short
}

/// The tree with everything. A non-finite number becomes null, which every number's check refuses.
pub(crate) fn full<T: Serialize>(config: &T) -> Value {
    // Our configurations have text keys and no custom serialisers, so this cannot fail; null would fail every check.
    serde_json::to_value(config).unwrap_or_default()
}

fn from_leaves<T: Editable>(value: Value) -> Result<T, UserError> {
    serde_json::from_value(value)
        .map_err(|e| UserError::new(format!("The {} does not fit together ({e})", T::WHAT), "Start from a preset"))
}

pub(crate) fn leaf<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |at, key| at.get(key))
}

/// Sets the value at a dotted path, with the objects on the way.
fn insert(tree: &mut Value, path: &str, value: Value) {
    let mut at = tree;
    for key in path.split('.') {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = &mut at[key];
    }
    *at = value;
}

/// Dotted paths of everything that is not an object, in order; arrays are leaves.
pub(crate) fn leaves(value: &Value) -> Vec<String> {
    fn walk(value: &Value, prefix: &str, out: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (key, inner) in map {
                    let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                    walk(inner, &path, out);
                }
            }
            _ => out.push(prefix.to_string()),
        }
    }
    let mut out = Vec::new();
    walk(value, "", &mut out);
    out
}

/// Levenshtein distance, for "the nearest is".
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
