//! One setting: its path, label, help, range and the value it starts with.
//!
//! The JSON Schema, range checks, `--set`, the share link and the page's controls all read rows of this type; without it a range
//! would be written five times and drift. Rejected: a derive macro on the configuration structs, because which settings exist
//! depends on the kinds chosen, and kinds are registered in other rooms.

use super::edit::leaf;
use crate::record::UserError;
use serde_json::Value;

/// A setting of an experiment or of a crosscoder fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    /// Dotted path in the JSON, e.g. `optimizer.learning_rate`.
    pub path: &'static str,
    /// Short name for people.
    pub label: &'static str,
    /// One line with the unit.
    pub help: &'static str,
    /// Type and range.
    pub kind: FieldKind,
    /// The value, as typed text, when its kind is chosen anew; none for settings that only presets give.
    pub start: Option<&'static str>,
    /// Whether the start is neutral, so that files and links leave the setting out while it is there.
    pub optional: bool,
    /// Whether it may change in the middle of a run.
    pub live: bool,
    /// The setting exists only where each of these selectors has one of the names; an empty list is everywhere.
    pub when: &'static [(&'static str, &'static [&'static str])],
}

impl Field {
    /// A setting that every file states.
    pub const fn new(path: &'static str, label: &'static str, help: &'static str, kind: FieldKind) -> Self {
        Self { path, label, help, kind, start: None, optional: false, live: false, when: &[] }
    }

    /// With the value that it has when its kind is chosen anew.
    pub const fn starts(self, text: &'static str) -> Self {
        Self { start: Some(text), ..self }
    }

    /// With a neutral value that files leave out.
    pub const fn neutral(self, text: &'static str) -> Self {
        Self { start: Some(text), optional: true, ..self }
    }

    /// May change in the middle of a run.
    pub const fn live(self) -> Self {
        Self { live: true, ..self }
    }

    /// Exists only where these selectors have one of these names.
    pub const fn when(self, when: &'static [(&'static str, &'static [&'static str])]) -> Self {
        Self { when, ..self }
    }

    /// Whether the setting exists in a configuration with this JSON tree.
    pub fn applies(&self, tree: &Value) -> bool {
        self.when
            .iter()
            .all(|(selector, names)| leaf(tree, selector).and_then(Value::as_str).is_some_and(|name| names.contains(&name)))
    }

    /// The start as a JSON value.
    pub fn start_value(&self) -> Option<Value> {
        self.start.and_then(|text| self.kind.parse(text).ok())
    }
}

/// Type and range of a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldKind {
    /// A whole number in `min..=max`.
    Integer {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// A whole number in `min..=max`, or null (typed as an empty text or `null`).
    OptionalInteger {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
        /// What null means, e.g. "full batch".
        none: &'static str,
    },
    /// A finite number between `min` and `max`.
    Number {
        /// Lower end.
        min: f64,
        /// Upper end.
        max: f64,
        /// Whether `min` itself is refused.
        min_exclusive: bool,
        /// Whether `max` itself is refused.
        max_exclusive: bool,
    },
    /// Exactly `count` numbers, each in `min..max` (`max` refused); typed with commas.
    Numbers {
        /// How many.
        count: usize,
        /// Smallest.
        min: f64,
        /// Above the largest.
        max: f64,
    },
    /// At most `max_count` whole numbers in `min..=max`, ascending, repeats allowed; typed with commas.
    Integers {
        /// Most entries.
        max_count: usize,
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// One of (value, label).
    Choice(&'static [(&'static str, &'static str)]),
    /// Any of (value, label), each at most once; typed with commas.
    Choices(&'static [(&'static str, &'static str)]),
    /// true or false.
    Toggle,
    /// At most `max_count` lines of text; typed with semicolons.
    Lines {
        /// Most lines.
        max_count: usize,
    },
    /// Free text of at most `max_chars` characters.
    Text {
        /// Most characters.
        max_chars: usize,
    },
    /// A folder name: lower-case letters, digits, `-` and `_`, at most `max_chars` of them.
    Slug {
        /// Most characters.
        max_chars: usize,
    },
}

/// A setting that cannot be used as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Dotted path of the setting.
    pub path: String,
    /// What is wrong, without a trailing period.
    pub cause: String,
    /// The nearest value that works, without a trailing period.
    pub remedy: String,
}

impl FieldError {
    /// A refusal of the setting at `path`.
    pub fn new(path: impl Into<String>, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { path: path.into(), cause: cause.into(), remedy: remedy.into() }
    }
}

impl From<FieldError> for UserError {
    fn from(error: FieldError) -> Self {
        Self::new(format!("{}: {}", error.path, error.cause), error.remedy)
    }
}

impl From<Vec<FieldError>> for UserError {
    fn from(errors: Vec<FieldError>) -> Self {
        joined(&errors)
    }
}

/// All refusals as one message, in the order found.
pub fn joined(errors: &[FieldError]) -> UserError {
    let causes: Vec<String> = errors.iter().map(|e| format!("{}: {}", e.path, e.cause)).collect();
    let remedies: Vec<&str> = errors.iter().map(|e| e.remedy.as_str()).collect();
    UserError::new(causes.join(". "), remedies.join(". "))
}

impl FieldKind {
    /// Checks a JSON value.
    ///
    /// # Errors
    /// (cause, remedy), without trailing periods; the remedy names the nearest value that works.
    pub fn check(&self, value: &Value) -> Result<(), (String, String)> {
        match *self {
            Self::Integer { min, max } => check_integer(value, min, max),
            Self::OptionalInteger { min, max, none } => {
                if value.is_null() {
                    return Ok(());
                }
                check_integer(value, min, max).map_err(|(cause, remedy)| (cause, format!("{remedy}, or nothing for {none}")))
            }
            Self::Number { min, max, min_exclusive, max_exclusive } => {
                let Some(number) = value.as_f64().filter(|n| n.is_finite()) else {
                    return Err((format!("{value} is not a finite number"), format!("Use {}", self.range())));
                };
                let low = if min_exclusive { number <= min } else { number < min };
                let high = if max_exclusive { number >= max } else { number > max };
                if !low && !high {
                    return survives_json(number);
                }
                let (side, end, excluded) = if low { ("small", min, min_exclusive) } else { ("large", max, max_exclusive) };
                let word = if low { "above" } else { "below" };
                let nearest = if excluded { format!("a value {word} {end}") } else { format!("{end}") };
                Err((format!("{number} is too {side}"), format!("Use {nearest}; allowed is {}", self.range())))
            }
            Self::Numbers { count, min, max } => {
                let numbers: Option<Vec<f64>> = value.as_array().and_then(|a| a.iter().map(Value::as_f64).collect());
                match numbers {
                    Some(n) if n.len() == count && n.iter().all(|x| (min..max).contains(x)) => {
                        n.into_iter().try_for_each(survives_json)
                    }
                    _ => Err((format!("{value} does not fit"), format!("Use {}", self.range()))),
                }
            }
            Self::Integers { max_count, min, max } => {
                let numbers: Option<Vec<u64>> = value.as_array().and_then(|a| a.iter().map(Value::as_u64).collect());
                match numbers {
                    Some(n) if n.len() <= max_count && n.is_sorted() && n.iter().all(|x| (min..=max).contains(x)) => Ok(()),
                    _ => Err((format!("{value} does not fit"), format!("Use {}", self.range()))),
                }
            }
            Self::Choice(options) => match value.as_str() {
                Some(text) if options.iter().any(|(name, _)| *name == text) => Ok(()),
                _ => Err((format!("{value} is not a choice"), format!("Use {}", self.range()))),
            },
            Self::Choices(options) => {
                let names: Option<Vec<&str>> = value.as_array().and_then(|a| a.iter().map(Value::as_str).collect());
                let is_known = |name: &&str| options.iter().any(|(known, _)| known == name);
                let is_new = |names: &[&str]| (1..names.len()).all(|at| !names[..at].contains(&names[at]));
                match names {
                    Some(names) if names.iter().all(is_known) && is_new(&names) => Ok(()),
                    _ => Err((format!("{value} does not fit"), format!("Use {}", self.range()))),
                }
            }
            Self::Toggle => {
                if value.is_boolean() {
                    Ok(())
                } else {
                    Err((format!("{value} is not a switch"), "Use true or false".into()))
                }
            }
            Self::Lines { max_count } => match value.as_array() {
                Some(lines) if lines.len() <= max_count && lines.iter().all(Value::is_string) => Ok(()),
                _ => Err((format!("{value} does not fit"), format!("Use {}", self.range()))),
            },
            Self::Text { max_chars } => match value.as_str() {
                Some(text) if text.chars().count() <= max_chars && !text.chars().any(char::is_control) => Ok(()),
                Some(_) => Err(("The text is too long or holds control characters".into(), format!("Use {}", self.range()))),
                None => Err((format!("{value} is not a text"), format!("Use {}", self.range()))),
            },
            Self::Slug { max_chars } => match value.as_str() {
                Some(text)
                    if (1..=max_chars).contains(&text.len())
                        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_') =>
                {
                    Ok(())
                }
                _ => Err((format!("{value} is no folder name"), format!("Use {}", self.range()))),
            },
        }
    }

    /// Reads a typed text as a JSON value. Types are settled here, ranges by [`FieldKind::check`].
    ///
    /// # Errors
    /// (cause, remedy) if the text is no value of this kind.
    pub fn parse(&self, text: &str) -> Result<Value, (String, String)> {
        let trimmed = text.trim();
        let refuse = || (format!("\"{trimmed}\" does not fit"), format!("Use {}", self.range()));
        let list = || trimmed.trim_start_matches('[').trim_end_matches(']').split(',').map(str::trim).filter(|s| !s.is_empty());
        match self {
            Self::OptionalInteger { .. } if trimmed.is_empty() || trimmed == "null" => Ok(Value::Null),
            Self::Integer { .. } | Self::OptionalInteger { .. } => trimmed.parse::<u64>().map(Value::from).map_err(|_| refuse()),
            Self::Number { .. } => trimmed.parse::<f64>().ok().filter(|x| x.is_finite()).map(Value::from).ok_or_else(refuse),
            Self::Numbers { .. } => {
                let numbers: Result<Vec<f64>, _> = list().map(str::parse::<f64>).collect();
                numbers.ok().filter(|n| n.iter().all(|x| x.is_finite())).map(Value::from).ok_or_else(refuse)
            }
            Self::Integers { .. } => {
                let numbers: Result<Vec<u64>, _> = list().map(str::parse::<u64>).collect();
                numbers.map(Value::from).map_err(|_| refuse())
            }
            Self::Choice(_) => Ok(Value::from(trimmed)),
            Self::Choices(_) => Ok(list().map(|name| Value::from(name.trim_matches('"'))).collect()),
            Self::Toggle => trimmed.parse::<bool>().map(Value::from).map_err(|_| refuse()),
            Self::Lines { .. } => {
                let lines = text.split([';', '\n']).map(str::trim).filter(|line| !line.is_empty());
                Ok(lines.map(Value::from).collect())
            }
            Self::Text { .. } | Self::Slug { .. } => Ok(Value::from(text)),
        }
    }

    /// The one form of a number that may be written in two (`2` and `2.0`); `None` where there is only one.
    pub(super) fn normal(&self, value: &Value) -> Option<Value> {
        match self {
            Self::Number { .. } => value.as_f64().map(Value::from),
            Self::Numbers { .. } => {
                value.as_array().and_then(|a| a.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>()).map(Value::from)
            }
            _ => None,
        }
    }

    /// The text that [`FieldKind::parse`] reads back to the same value.
    pub fn text(&self, value: &Value) -> String {
        match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Array(items) if matches!(self, Self::Lines { .. }) => {
                items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
            }
            Value::Array(items) if matches!(self, Self::Choices(_)) => {
                items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
            }
            Value::Array(items) => items.iter().map(Value::to_string).collect::<Vec<_>>().join(","),
            other => other.to_string(),
        }
    }

    /// The range in words, e.g. `a whole number from 1 to 512`.
    pub fn range(&self) -> String {
        match self {
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::OptionalInteger { min, max, none } => format!("a whole number from {min} to {max}, or nothing for {none}"),
            Self::Number { min, max, min_exclusive, max_exclusive } => {
                let low = if *min_exclusive { "above" } else { "at least" };
                let high = if *max_exclusive { "below" } else { "at most" };
                format!("a number {low} {min} and {high} {max}")
            }
            Self::Numbers { count, min, max } => format!("{count} numbers with a comma, each at least {min} and below {max}"),
            Self::Integers { max_count, min, max } => {
                format!("up to {max_count} ascending whole numbers with commas, each from {min} to {max}")
            }
            Self::Choice(options) => options.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "),
            Self::Choices(options) => {
                format!("any of {}, with commas", options.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "))
            }
            Self::Toggle => "true or false".into(),
            Self::Lines { max_count } => format!("at most {max_count} lines, separated by semicolons"),
            Self::Text { max_chars } => format!("at most {max_chars} characters on one line"),
            Self::Slug { max_chars } => format!("1 to {max_chars} lower-case letters, digits, - or _"),
        }
    }
}

/// Refuses the few numbers with 16 and more digits that our JSON reader would round to a neighbour: an experiment must mean the
/// same after a trip through a file.
fn survives_json(number: f64) -> Result<(), (String, String)> {
    let read: Option<f64> = serde_json::from_str(&Value::from(number).to_string()).ok();
    if read == Some(number) {
        return Ok(());
    }
    let nearest = format!("{number:.14e}").parse::<f64>().unwrap_or(number);
    Err((format!("{number} has more digits than a file keeps"), format!("Use {nearest}")))
}

fn check_integer(value: &Value, min: u64, max: u64) -> Result<(), (String, String)> {
    match value.as_u64() {
        Some(number) if (min..=max).contains(&number) => Ok(()),
        Some(number) => {
            let (side, nearest) = if number < min { ("small", min) } else { ("large", max) };
            Err((format!("{number} is too {side}"), format!("Use {nearest}; allowed is {min} to {max}")))
        }
        None => Err((format!("{value} is not a whole number in range"), format!("Use a whole number from {min} to {max}"))),
    }
}

/// Shorthand for [`FieldKind::Number`] with both ends allowed.
pub const fn closed(min: f64, max: f64) -> FieldKind {
    FieldKind::Number { min, max, min_exclusive: false, max_exclusive: false }
}

/// Shorthand for [`FieldKind::Number`] with `min` refused and `max` allowed.
pub const fn above(min: f64, max: f64) -> FieldKind {
    FieldKind::Number { min, max, min_exclusive: true, max_exclusive: false }
}
