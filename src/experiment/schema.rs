//! JSON Schema (draft 2020-12) of the formats that people write by hand, derived from the field tables.
//!
//! An editor with the schema completes names and underlines a wrong value before anything runs. Rejected: a schema crate that
//! reads the Rust types, because ranges and help live in the tables.

use super::config::{Experiment, SCHEMA};
use super::edit::Editable;
use super::fields::{Field, FieldKind};
use super::presets::presets;
use crate::crosscoder::CrosscoderConfig;
use serde_json::{Map, Value, json};

/// Schema of the experiment's JSON. `model` is one of the architectures.
pub fn experiment_schema() -> Value {
    let mut root = head("Grokscope experiment", SCHEMA);
    let mut models: Vec<(&str, Value)> = Vec::new();
    for preset in presets() {
        let experiment = &preset.experiment;
        if models.iter().any(|(name, _)| *name == experiment.architecture()) {
            continue;
        }
        let tree = tree(Experiment::table(), experiment);
        let mut model = tree.pointer("/properties/model").cloned().unwrap_or_default();
        if let Some(tag) = model.pointer_mut("/properties/architecture") {
            *tag = json!({ "const": experiment.architecture() });
        }
        if models.is_empty() {
            root.extend(tree.as_object().cloned().unwrap_or_default());
        }
        models.push((experiment.architecture(), model));
    }
    let mut root = Value::Object(root);
    if let Some(model) = root.pointer_mut("/properties/model") {
        *model = json!({ "oneOf": models.into_iter().map(|(_, model)| model).collect::<Vec<_>>() });
    }
    root
}

/// Schema of a crosscoder's JSON.
pub fn crosscoder_schema() -> Value {
    let mut root = head("Grokscope crosscoder", CrosscoderConfig::NEWEST);
    if let Ok(shape) = CrosscoderConfig::of_shape(&Value::Null) {
        root.extend(tree(CrosscoderConfig::table(), &shape).as_object().cloned().unwrap_or_default());
    }
    Value::Object(root)
}

fn head(title: &str, version: u32) -> Map<String, Value> {
    let mut root = Map::new();
    root.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    root.insert("title".into(), title.into());
    root.insert("description".into(), format!("Format version {version}").into());
    root
}

/// Nested object schemas of all fields that apply to `shape`.
fn tree<T>(fields: &[Field<T>], shape: &T) -> Value {
    let mut root = object();
    for field in fields.iter().filter(|f| (f.applies)(shape)) {
        let mut at = &mut root;
        let mut parts = field.path.split('.').peekable();
        while let Some(part) = parts.next() {
            if let Some(required) = at["required"].as_array_mut()
                && !required.iter().any(|r| r == part)
            {
                required.push(part.into());
            }
            let slot = &mut at["properties"][part];
            if parts.peek().is_none() {
                *slot = leaf(field);
            } else if slot.is_null() {
                *slot = object();
            }
            at = slot;
        }
    }
    root
}

fn object() -> Value {
    json!({ "type": "object", "additionalProperties": false, "required": [], "properties": {} })
}

fn leaf<T>(field: &Field<T>) -> Value {
    let mut schema = match field.kind {
        FieldKind::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        FieldKind::OptionalInteger { min, max, .. } => json!({ "type": ["integer", "null"], "minimum": min, "maximum": max }),
        FieldKind::Number { min, max, min_exclusive, max_exclusive } => {
            let low = if min_exclusive { "exclusiveMinimum" } else { "minimum" };
            let high = if max_exclusive { "exclusiveMaximum" } else { "maximum" };
            json!({ "type": "number", low: min, high: max })
        }
        FieldKind::Numbers { count, min, max } => json!({
            "type": "array", "minItems": count, "maxItems": count,
            "items": { "type": "number", "minimum": min, "exclusiveMaximum": max },
        }),
        FieldKind::Integers { max_count, min, max } => json!({
            "type": "array", "maxItems": max_count, "items": { "type": "integer", "minimum": min, "maximum": max },
        }),
        FieldKind::Choice(options) => json!({ "enum": options.iter().map(|(name, _)| *name).collect::<Vec<_>>() }),
        FieldKind::Toggle => json!({ "type": "boolean" }),
        FieldKind::Text { max_chars } => json!({ "type": "string", "maxLength": max_chars }),
        FieldKind::Slug { max_chars } => json!({ "type": "string", "pattern": format!("^[a-z0-9_-]{{1,{max_chars}}}$") }),
    };
    schema["title"] = field.label.into();
    schema["description"] = field.help.into();
    schema
}
