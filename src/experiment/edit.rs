//! Reading, writing and changing a configuration by path: one mechanism for JSON files, `--set`, links and the page.
//!
//! Everything goes through the field table, so a message names the path, the reason and the nearest value that works. Rejected:
//! serde's own messages, which name a Rust type and a byte offset but never the setting.

use super::config::{Experiment, ModelConfig, SCHEMA};
use super::fields::{Field, FieldError};
use super::presets::preset;
use crate::record::UserError;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// A configuration with a field table.
pub trait Editable: Serialize + DeserializeOwned + 'static {
    /// What messages call it, e.g. `experiment`.
    const WHAT: &'static str;
    /// The newest format version that this build reads.
    const NEWEST: u32;
    /// Its table.
    fn table() -> &'static [Field<Self>];
    /// Any valid instance whose settings are those of `value`'s shape.
    ///
    /// # Errors
    /// If `value` does not say its shape.
    fn of_shape(value: &Value) -> Result<Self, UserError>;
}

impl Editable for Experiment {
    const WHAT: &'static str = "experiment";
    const NEWEST: u32 = SCHEMA;

    fn table() -> &'static [Field<Self>] {
        super::fields::fields()
    }

    fn of_shape(value: &Value) -> Result<Self, UserError> {
        match value.pointer("/model/architecture") {
            Some(Value::String(name)) => of_architecture(name),
            Some(other) => of_architecture(&other.to_string()),
            None => Err(UserError::new(
                "model.architecture is missing",
                "Add \"architecture\": \"mlp\" or \"transformer\" to \"model\"",
            )),
        }
    }
}

/// The experiment that stands for an architecture: its `model` is what switching to that architecture gives.
fn of_architecture(name: &str) -> Result<Experiment, UserError> {
    match name {
        "mlp" => Ok(preset("quadratic-31")?.experiment.clone()),
        "transformer" => Ok(preset("transformer-59-mirror")?.experiment.clone()),
        _ => Err(UserError::new(format!("model.architecture: {name} is not a choice"), "Use mlp or transformer")),
    }
}

/// The value at a dotted path, or `None` if `config` has no such setting.
pub fn get<T: Editable>(config: &T, path: &str) -> Option<Value> {
    T::table().iter().find(|f| f.path == path && (f.applies)(config))?;
    leaf(&json(config), path).cloned()
}

/// The table's row of `path` for `config`.
///
/// # Errors
/// An unknown path is answered with the nearest existing one.
pub fn field_at<T: Editable>(config: &T, path: &str) -> Result<&'static Field<T>, UserError> {
    let applying = || T::table().iter().filter(|f| (f.applies)(config));
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
///
/// # Errors
/// An unknown path, a text of the wrong kind, or a value out of range.
pub fn replace<T: Editable>(config: &T, path: &str, text: &str) -> Result<T, UserError> {
    let field = field_at(config, path)?;
    let refuse = |(cause, remedy)| UserError::from(FieldError::new(path, cause, remedy));
    let value = field.kind.parse(text).map_err(refuse)?;
    field.kind.check(&value).map_err(refuse)?;
    let mut all = json(config);
    if let Some(slot) = leaf_mut(&mut all, path) {
        *slot = value;
    }
    from_leaves(all)
}

/// `experiment` with the setting at `path` read from `text`, as [`replace`]. Setting `model.architecture` to the other kind replaces `model` by that kind's defaults
/// (those of `quadratic-31` and `transformer-59-mirror`).
///
/// # Errors
/// As [`replace`].
pub fn with_value(experiment: &Experiment, path: &str, text: &str) -> Result<Experiment, UserError> {
    if path == "model.architecture" {
        let other = of_architecture(text.trim())?.model;
        if std::mem::discriminant(&other) == std::mem::discriminant(&experiment.model) {
            return Ok(experiment.clone());
        }
        return Ok(Experiment { model: other, ..experiment.clone() });
    }
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
    let shape = T::of_shape(&value)?;
    for path in leaves(&value) {
        field_at(&shape, &path)?;
    }
    let defaults = json(&shape);
    for field in T::table().iter().filter(|f| (f.applies)(&shape)) {
        let Some(found) = leaf(&value, field.path) else {
            let example = leaf(&defaults, field.path).map(Value::to_string).unwrap_or_default();
            return Err(UserError::new(format!("{} is missing", field.path), format!("Add it, e.g. {example}")));
        };
        field.kind.check(found).map_err(|(cause, remedy)| UserError::from(FieldError::new(field.path, cause, remedy)))?;
    }
    from_leaves(value)
}

/// Pretty JSON with a final newline, the form that people keep in files.
pub fn to_json<T: Editable>(config: &T) -> String {
    let mut text = serde_json::to_string_pretty(&json(config)).unwrap_or_default();
    text.push('\n');
    text
}

/// Checks every setting's own range.
pub fn check_ranges<T: Editable>(config: &T) -> Vec<FieldError> {
    let all = json(config);
    let mut errors = Vec::new();
    for field in T::table().iter().filter(|f| (f.applies)(config)) {
        if let Some(Err((cause, remedy))) = leaf(&all, field.path).map(|value| field.kind.check(value)) {
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

    /// Name of the architecture as in the JSON.
    pub fn architecture(&self) -> &'static str {
        match self.model {
            ModelConfig::Mlp(_) => "mlp",
            ModelConfig::Transformer(_) => "transformer",
        }
    }
}

/// The JSON tree of a configuration. A non-finite number becomes null, which every number's check refuses.
pub(crate) fn json<T: Serialize>(config: &T) -> Value {
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

fn leaf_mut<'a>(value: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    path.split('.').try_fold(value, |at, key| at.get_mut(key))
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
