//! JSON Schema (draft 2020-12) of the formats that people write by hand, derived from the field tables.
//!
//! An editor with the schema completes names and underlines a wrong value before anything runs. Rejected: a schema crate that
//! reads the Rust types, because ranges and help live in the tables.

use super::config::{Experiment, SCHEMA};
use super::edit::Editable;
use super::field::{Field, FieldKind};
use crate::crosscoder::CrosscoderConfig;
use serde_json::{Map, Value, json};

/// Schema of the experiment's JSON.
pub fn experiment_schema() -> Value {
    schema("Grokscope experiment", SCHEMA, Experiment::table())
}

/// Schema of a crosscoder's JSON.
pub fn crosscoder_schema() -> Value {
    schema("Grokscope crosscoder", CrosscoderConfig::NEWEST, CrosscoderConfig::table())
}

fn head(title: &str, version: u32) -> Map<String, Value> {
    let mut root = Map::new();
    root.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    root.insert("title".into(), title.into());
    root.insert("description".into(), format!("Format version {version}").into());
    root
}

/// The whole table as one schema: each section is an object; settings that only some kinds have stand in that section's
/// `allOf`, behind an `if` on the selector.
fn schema(title: &str, version: u32, fields: &[Field]) -> Value {
    let mut root = Value::Object(head(title, version));
    merge(&mut root, object());
    for field in fields {
        let (section, name) = field.path.split_once('.').unwrap_or(("", field.path));
        let here = if section.is_empty() {
            &mut root
        } else {
            if root["properties"][section].is_null() {
                root["properties"][section] = object();
            }
            if !field.optional && field.when.is_empty() {
                require(&mut root, section);
            }
            &mut root["properties"][section]
        };
        let own: Vec<(&str, &[&str])> = field
            .when
            .iter()
            .filter_map(|(selector, names)| match selector.split_once('.') {
                Some((s, key)) if s == section => Some((key, *names)),
                _ => None,
            })
            .collect();
        if field.when.is_empty() {
            here["properties"][name] = leaf(field);
            if !field.optional {
                require(here, name);
            }
        } else if own.is_empty() {
            // The condition lies in another section, which a section's schema cannot see: allowed, not demanded.
            here["properties"][name] = leaf(field);
        } else {
            let condition: Map<String, Value> =
                own.iter().map(|(key, names)| ((*key).to_owned(), json!({ "enum": names }))).collect();
            let keys: Vec<&str> = own.iter().map(|(key, _)| *key).collect();
            let mut then = json!({ "properties": { name: leaf(field) } });
            if !field.optional {
                then["required"] = json!([name]);
            }
            let rule = json!({ "if": { "properties": condition, "required": keys }, "then": then });
            match here["allOf"].as_array_mut() {
                Some(rules) => rules.push(rule),
                None => here["allOf"] = json!([rule]),
            }
        }
    }
    root
}

fn merge(into: &mut Value, from: Value) {
    if let (Some(into), Value::Object(from)) = (into.as_object_mut(), from) {
        into.extend(from);
    }
}

fn require(object: &mut Value, name: &str) {
    if let Some(required) = object["required"].as_array_mut()
        && !required.iter().any(|r| r == name)
    {
        required.push(name.into());
    }
}

fn object() -> Value {
    json!({ "type": "object", "unevaluatedProperties": false, "required": [], "properties": {} })
}

fn leaf(field: &Field) -> Value {
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
        FieldKind::Lines { max_count } => json!({ "type": "array", "maxItems": max_count, "items": { "type": "string" } }),
        FieldKind::Choice(options) => json!({ "enum": options.iter().map(|(name, _)| *name).collect::<Vec<_>>() }),
        FieldKind::Choices(options) => json!({
            "type": "array", "uniqueItems": true, "items": { "enum": options.iter().map(|(name, _)| *name).collect::<Vec<_>>() },
        }),
        FieldKind::Toggle => json!({ "type": "boolean" }),
        FieldKind::Text { max_chars } => json!({ "type": "string", "maxLength": max_chars }),
        FieldKind::Slug { max_chars } => json!({ "type": "string", "pattern": format!("^[a-z0-9_-]{{1,{max_chars}}}$") }),
    };
    schema["title"] = field.label.into();
    schema["description"] = field.help.into();
    schema
}
