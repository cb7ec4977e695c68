//! What changes in the middle of a run: one line each, `STEP VERB ARGUMENTS`.
//!
//! A change that is not written down makes a curve that nobody can repeat, so changes are part of the experiment: they travel
//! in the file and the link, are drawn on the curves, and replay to the bit. A line takes effect after STEP updates.
//!
//! | Line | Does |
//! |---|---|
//! | `200 set PATH VALUE` | changes a live setting |
//! | `100-400 ramp PATH VALUE` | moves a live number there evenly, from the value it has at step 100 |
//! | `300 ACTION …` | changes the weights once; see `train::actions` |
//!
//! Text lines were chosen over nested objects: people write, read and send them, and each is one marker on the curves.

use super::config::Experiment;
use super::edit::{self, field_at, replace};
use super::field::{FieldError, FieldKind};
use crate::record::UserError;
use crate::train;

/// How many times a ramp over the data may change it: each change deals out the rows anew.
const DATA_STAGES: u32 = 32;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Updates made when it begins.
    pub from: u32,
    /// Updates made when it is complete; `from` for everything but ramps.
    pub to: u32,
    /// What it does.
    pub change: Change,
}

/// What a line does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A live setting gets a value.
    Set {
        /// Dotted path.
        path: String,
        /// The value as typed text.
        text: String,
    },
    /// A live number moves evenly to a value.
    Ramp {
        /// Dotted path.
        path: String,
        /// The value as typed text.
        text: String,
    },
    /// A one-off change of the weights.
    Act {
        /// The action's name.
        name: String,
        /// Its arguments.
        arguments: Vec<String>,
    },
}

impl Entry {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it, and how a line is written.
    pub fn parse(line: &str) -> Result<Self, UserError> {
        let refuse = |what: &str| {
            UserError::new(format!("\"{line}\": {what}"), "Write STEP set PATH VALUE, FROM-TO ramp PATH VALUE, or STEP ACTION")
        };
        let mut words = line.split_whitespace();
        let when = words.next().ok_or_else(|| refuse("the line is empty"))?;
        let verb = words.next().ok_or_else(|| refuse("there is a step but nothing to do"))?;
        let number = |text: &str| text.parse::<u32>().map_err(|_| refuse(&format!("{text} is no step")));
        let (from, to) = match when.split_once('-') {
            Some((from, to)) => (number(from)?, number(to)?),
            None => (number(when)?, number(when)?),
        };
        let mut setting = || -> Result<(String, String), UserError> {
            let path = words.next().ok_or_else(|| refuse("it names no setting"))?.to_owned();
            let text = words.by_ref().collect::<Vec<_>>().join(" ");
            Ok((path, text))
        };
        let change = match verb {
            "set" => {
                let (path, text) = setting()?;
                Change::Set { path, text }
            }
            "ramp" => {
                if to <= from {
                    return Err(refuse("a ramp needs two steps, the first before the second"));
                }
                let (path, text) = setting()?;
                Change::Ramp { path, text }
            }
            _ => Change::Act { name: verb.to_owned(), arguments: words.map(str::to_owned).collect() },
        };
        if to != from && !matches!(change, Change::Ramp { .. }) {
            return Err(refuse("only a ramp lasts from one step to another"));
        }
        Ok(Self { from, to, change })
    }
}

impl core::fmt::Display for Entry {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match &self.change {
            Change::Set { path, text } => write!(f, "{} set {path} {text}", self.from),
            Change::Ramp { path, text } => write!(f, "{}-{} ramp {path} {text}", self.from, self.to),
            Change::Act { name, arguments } => {
                write!(f, "{} {name}", self.from)?;
                arguments.iter().try_for_each(|argument| write!(f, " {argument}"))
            }
        }
    }
}

impl Experiment {
    /// The timeline's lines, read; those that cannot be read are left out ([`Experiment::validate`] refuses them).
    pub fn entries(&self) -> Vec<Entry> {
        self.timeline.iter().filter_map(|line| Entry::parse(line).ok()).collect()
    }

    /// The experiment with the settings that are in force for the update that follows `step` updates. Its timeline stays.
    ///
    /// # Errors
    /// If a line changes a setting that does not exist or to a value out of range.
    pub fn at(&self, step: u32) -> Result<Self, UserError> {
        let mut now = self.clone();
        for entry in self.entries().iter().filter(|entry| entry.from <= step) {
            match &entry.change {
                Change::Set { path, text } => now = replace(&now, path, text)?,
                Change::Ramp { path, text } => {
                    let text = ramped(&now, path, text, entry, step)?;
                    now = replace(&now, path, &text)?;
                }
                Change::Act { .. } => {}
            }
        }
        Ok(now)
    }

    /// Whether the settings in force for the update after `step` updates may differ from those of the update before.
    pub fn changes_at(&self, step: u32) -> bool {
        self.entries().iter().any(|entry| match &entry.change {
            Change::Set { .. } => entry.from == step,
            Change::Ramp { path, .. } => {
                (entry.from..=entry.to).contains(&step) && (step - entry.from).is_multiple_of(stride(path, entry))
                    || step == entry.to
            }
            Change::Act { .. } => false,
        })
    }

    /// The actions that are taken after `step` updates, in order.
    pub fn actions_at(&self, step: u32) -> Vec<Entry> {
        self.entries().into_iter().filter(|e| e.from == step && matches!(e.change, Change::Act { .. })).collect()
    }

    /// The experiment with `line` added in its place.
    ///
    /// # Errors
    /// If the line, or the experiment with it, cannot run.
    pub fn with_line(&self, line: &str) -> Result<Self, UserError> {
        let entry = Entry::parse(line)?;
        let mut changed = self.clone();
        let place = changed.timeline.iter().filter_map(|l| Entry::parse(l).ok()).take_while(|e| e.from <= entry.from).count();
        changed.timeline.insert(place, entry.to_string());
        let mut errors = Vec::new();
        check(&changed, &mut errors);
        if errors.is_empty() { Ok(changed) } else { Err(errors.into()) }
    }
}

/// Steps between two changes of a ramp.
fn stride(path: &str, entry: &Entry) -> u32 {
    if path.starts_with("task.") || path.starts_with("curriculum.") { (entry.to - entry.from).div_ceil(DATA_STAGES) } else { 1 }
}

/// The value of a ramp at `step`, as text with six significant digits.
fn ramped(before: &Experiment, path: &str, text: &str, entry: &Entry, step: u32) -> Result<String, UserError> {
    let field = field_at(before, path)?;
    if step >= entry.to {
        return Ok(text.to_owned());
    }
    let start = edit::get(before, path).and_then(|v| v.as_f64());
    let (Some(start), Ok(end)) = (start, text.parse::<f64>()) else {
        return Err(UserError::new(format!("{path} is not a number, so it cannot be ramped"), "Use set"));
    };
    let stride = stride(path, entry);
    let done = f64::from((step - entry.from) / stride * stride) / f64::from(entry.to - entry.from);
    let value = start + (end - start) * done;
    let short: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    Ok(match field.kind {
        FieldKind::Integer { .. } | FieldKind::OptionalInteger { .. } => format!("{short:.0}"),
        _ => format!("{short}"),
    })
}

/// Refuses lines that cannot be read, are out of order, or change what cannot change.
pub(super) fn check(experiment: &Experiment, errors: &mut Vec<FieldError>) {
    let refuse = |cause: String, remedy: String| FieldError::new("timeline", cause, remedy);
    let mut now = experiment.clone();
    let mut last = 0;
    for line in &experiment.timeline {
        let entry = match Entry::parse(line) {
            Ok(entry) => entry,
            Err(error) => {
                errors.push(refuse(error.cause, error.remedy));
                return;
            }
        };
        if entry.from < last {
            errors.push(refuse(format!("\"{line}\" comes after a line with a later step"), "Sort the lines by step".into()));
            return;
        }
        last = entry.from;
        if entry.to > experiment.steps {
            errors.push(refuse(
                format!("\"{line}\" lies beyond the run's {} steps", experiment.steps),
                format!("Use a step of at most {}", experiment.steps),
            ));
            return;
        }
        match &entry.change {
            Change::Set { path, text } | Change::Ramp { path, text } => {
                let changed =
                    field_at(&now, path).and_then(|field| if field.live { replace(&now, path, text) } else { Err(fixed(path)) });
                let is_ramp = matches!(entry.change, Change::Ramp { .. });
                let number = || edit::get(&now, path).is_some_and(|v| v.is_number()) && text.parse::<f64>().is_ok();
                match changed {
                    Ok(_) if is_ramp && !number() => {
                        errors.push(refuse(format!("\"{line}\": {path} is not a number"), "Use set instead of ramp".into()));
                        return;
                    }
                    Ok(changed) => {
                        let mut alone = Experiment { timeline: Vec::new(), ..changed.clone() };
                        // What the change leads to must be able to run, as an experiment of its own.
                        alone.name = experiment.name.clone();
                        if let Err(found) = alone.validate() {
                            errors.extend(
                                found
                                    .into_iter()
                                    .map(|e| refuse(format!("\"{line}\" leads to {}: {}", e.path, e.cause), e.remedy)),
                            );
                            return;
                        }
                        now = changed;
                    }
                    Err(error) => {
                        errors.push(refuse(format!("\"{line}\": {}", error.cause), error.remedy));
                        return;
                    }
                }
            }
            Change::Act { name, arguments } => {
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                if let Err(error) = train::check_action(name, &arguments, &now) {
                    errors.push(refuse(format!("\"{line}\": {}", error.cause), error.remedy));
                    return;
                }
            }
        }
    }
}

fn fixed(path: &str) -> UserError {
    let live: Vec<&str> = super::fields::fields().iter().filter(|f| f.live).map(|f| f.path).collect();
    let nearest = live.iter().min_by_key(|p| edit::distance(p, path)).copied().unwrap_or_default();
    UserError::new(
        format!("{path} cannot change in the middle of a run"),
        format!("Start another run with it; the nearest setting that can change is {nearest}"),
    )
}
