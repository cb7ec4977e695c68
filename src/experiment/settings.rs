//! The settings of one section that belong to the kind chosen in it.
//!
//! A new task or optimiser brings settings that no other has. As fields of one struct they would all stand in every experiment;
//! as an enum of structs each would need a line in every `match`. So they are named values whose names, ranges and defaults
//! stand in the field table: an experiment that was read or changed through `edit.rs` has exactly the settings that apply.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Named values, in no particular order; `edit::json` writes them in the order of the table.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(pub(crate) Map<String, Value>);

impl Settings {
    /// The same with `name` at `value`.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// The whole number `name`; 0 if there is none.
    pub fn integer(&self, name: &str) -> u32 {
        self.0.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
    }

    /// The number `name`; 0 if there is none.
    pub fn number(&self, name: &str) -> f64 {
        self.0.get(name).and_then(Value::as_f64).unwrap_or(0.0)
    }

    /// The numbers `name`; none if there are none.
    pub fn numbers(&self, name: &str) -> Vec<f64> {
        self.0.get(name).and_then(Value::as_array).map_or_else(Vec::new, |a| a.iter().filter_map(Value::as_f64).collect())
    }

    /// The switch `name`; off if there is none.
    pub fn is_on(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The text or choice `name`; empty if there is none.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or("")
    }

    /// The lines `name`; none if there are none.
    pub fn lines(&self, name: &str) -> Vec<String> {
        let lines = self.0.get(name).and_then(Value::as_array);
        lines.map_or_else(Vec::new, |a| a.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
