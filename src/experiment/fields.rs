//! Every setting, once: its path, label, help and range.
//!
//! The JSON Schema, range checks, `--set`, the share link and the page's controls all read this table; without it a range would
//! be written five times and drift. Rejected: a derive macro on the configuration structs, because labels and ranges that
//! depend on the architecture need ordinary code. A test holds the table against the leaves of serialised experiments.

use super::config::{Experiment, ModelConfig, SCHEMA};
use crate::record::UserError;
use serde_json::Value;

/// A setting of a `T` (an [`Experiment`], a crosscoder configuration).
#[derive(Debug, Clone, Copy)]
pub struct Field<T: 'static> {
    /// Dotted path in the JSON, e.g. `optimizer.learning_rate`.
    pub path: &'static str,
    /// Short name for people.
    pub label: &'static str,
    /// One line with the unit.
    pub help: &'static str,
    /// Type and range.
    pub kind: FieldKind,
    /// Whether the setting exists in this `T` (two architectures have different ones).
    pub applies: fn(&T) -> bool,
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
    /// true or false.
    Toggle,
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
            Self::Toggle => {
                if value.is_boolean() {
                    Ok(())
                } else {
                    Err((format!("{value} is not a switch"), "Use true or false".into()))
                }
            }
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
            Self::Toggle => trimmed.parse::<bool>().map(Value::from).map_err(|_| refuse()),
            Self::Text { .. } | Self::Slug { .. } => Ok(Value::from(text)),
        }
    }

    /// The text that [`FieldKind::parse`] reads back to the same value.
    pub fn text(&self, value: &Value) -> String {
        match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
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
            Self::Toggle => "true or false".into(),
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

/// Largest seed: JSON readers that keep numbers as f64 hold it exactly.
pub const MAX_SEED: u64 = (1 << 53) - 1;

/// Largest modulus: 401² inputs with 401 logits each are 258 MB, the most that one grid pass may hold.
pub const MAX_MODULUS: u32 = 401;

fn always(_: &Experiment) -> bool {
    true
}

fn is_mlp(experiment: &Experiment) -> bool {
    matches!(experiment.model, ModelConfig::Mlp(_))
}

fn is_transformer(experiment: &Experiment) -> bool {
    matches!(experiment.model, ModelConfig::Transformer(_))
}

const fn field(path: &'static str, label: &'static str, help: &'static str, kind: FieldKind) -> Field<Experiment> {
    Field { path, label, help, kind, applies: always }
}

/// Every leaf of the experiment's JSON, in its order. Where `model.*` differs between architectures a path has two rows, of
/// which exactly one applies.
pub fn fields() -> &'static [Field<Experiment>] {
    FIELDS
}

const SPLIT_HELP: &str = "random: each ordered pair on its own; mirror: (a, b) and (b, a) always on the same side";

static FIELDS: &[Field<Experiment>] = &[
    field("schema", "Format version", "Version of this format", FieldKind::Integer { min: 1, max: SCHEMA as u64 }),
    field("name", "Name", "For people; never influences a number", FieldKind::Text { max_chars: 80 }),
    field("seed", "Seed", "Root of every random number", FieldKind::Integer { min: 0, max: MAX_SEED }),
    field("steps", "Steps", "Optimiser updates to make", FieldKind::Integer { min: 1, max: 10_000_000 }),
    field(
        "batch_size",
        "Batch size",
        "Training rows per update; empty is the full training set",
        FieldKind::OptionalInteger { min: 1, max: 200_000, none: "the full training set" },
    ),
    field(
        "loss",
        "Loss",
        "What training minimises over the training rows",
        FieldKind::Choice(&[("cross_entropy", "Cross-entropy (nats)"), ("mean_squared_error", "Mean squared error to one-hot")]),
    ),
    field(
        "task.operation",
        "Operation",
        "The rule y = f(a, b), modulo p",
        FieldKind::Choice(&[("add", "a + b"), ("sub", "a − b"), ("mul", "a · b"), ("div", "a / b")]),
    ),
    field(
        "task.modulus",
        "Modulus p",
        "Inputs and labels are 0 to p − 1",
        FieldKind::Integer { min: 3, max: MAX_MODULUS as u64 },
    ),
    field(
        "task.train_fraction",
        "Training fraction",
        "Share of all pairs used for training; the rest is the test set",
        FieldKind::Number { min: 0.0, max: 1.0, min_exclusive: true, max_exclusive: true },
    ),
    field("task.split", "Split", SPLIT_HELP, FieldKind::Choice(&[("random", "Random"), ("mirror", "Mirror pairs together")])),
    field("task.label_noise", "Label noise", "Share of training labels replaced by a wrong one", closed(0.0, 1.0)),
    field(
        "model.architecture",
        "Architecture",
        "Which network learns",
        FieldKind::Choice(&[("mlp", "Perceptron"), ("transformer", "Transformer")]),
    ),
    Field {
        applies: is_mlp,
        ..field(
            "model.width",
            "Hidden neurons",
            "Width N of the hidden layer, in neurons",
            FieldKind::Integer { min: 1, max: 4096 },
        )
    },
    Field {
        applies: is_transformer,
        ..field("model.d_model", "Residual width", "Width d of the residual stream", FieldKind::Integer { min: 2, max: 512 })
    },
    Field {
        applies: is_transformer,
        ..field("model.heads", "Attention heads", "Must divide the residual width", FieldKind::Integer { min: 1, max: 64 })
    },
    Field {
        applies: is_transformer,
        ..field("model.mlp_width", "MLP neurons", "Hidden neurons of the MLP block", FieldKind::Integer { min: 1, max: 4096 })
    },
    Field {
        applies: is_mlp,
        ..field(
            "model.activation",
            "Activation",
            "Hidden non-linearity",
            FieldKind::Choice(&[("quadratic", "x²"), ("relu", "ReLU"), ("gelu", "GELU")]),
        )
    },
    Field {
        applies: is_transformer,
        ..field(
            "model.activation",
            "Activation",
            "Non-linearity of the MLP block",
            FieldKind::Choice(&[("relu", "ReLU"), ("gelu", "GELU")]),
        )
    },
    field("model.init_scale", "Initial scale", "Multiplies the starting weights; 1 is the usual start", above(0.0, 100.0)),
    field("optimizer.name", "Optimiser", "The update rule", FieldKind::Choice(&[("adam_w", "AdamW")])),
    field("optimizer.learning_rate", "Learning rate", "Step size η per update", above(0.0, 10.0)),
    field(
        "optimizer.weight_decay",
        "Weight decay",
        "Each update first multiplies every weight by 1 − η · weight decay",
        closed(0.0, 1000.0),
    ),
    field(
        "optimizer.betas",
        "Betas",
        "Decay per update of the first and second moment",
        FieldKind::Numbers { count: 2, min: 0.0, max: 1.0 },
    ),
    field("optimizer.epsilon", "Epsilon", "Added to the root of the second moment", above(0.0, 1.0)),
    field(
        "optimizer.warmup_steps",
        "Warm-up",
        "Updates over which the learning rate rises from 0",
        FieldKind::Integer { min: 0, max: 1_000_000 },
    ),
    field(
        "logging.evaluate_every",
        "Evaluate every",
        "Largest gap, in steps, between evaluations on the whole grid",
        FieldKind::Integer { min: 1, max: 100_000 },
    ),
    field(
        "logging.checkpoint_every",
        "Checkpoint every",
        "Largest gap, in steps, between saved checkpoints",
        FieldKind::Integer { min: 1, max: 100_000 },
    ),
];
