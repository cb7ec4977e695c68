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

mod check;

pub(super) use check::check;

use super::config::Experiment;
use super::edit::{self, field_at, replace};
use super::field::FieldKind;
use crate::record::UserError;

/// How many times a ramp over the data may change it: each change deals out the rows anew.
const DATA_STAGES: u32 = 32;
/// Most lines.
pub(super) const MAX_LINES: usize = 64;
/// Most ramps over the data: stages of each are checked before the run, with everything else that is then in force.
const MAX_DATA_RAMPS: usize = 8;

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

/// The line that makes `change` from step `at` on. A change is a line without its step; that of a ramp begins with where the ramp
/// ends: `-400 ramp optimizer.weight_decay 0`.
pub fn line_at(at: u32, change: &str) -> String {
    let change = change.trim();
    if change.starts_with('-') { format!("{at}{change}") } else { format!("{at} {change}") }
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

impl Entry {
    /// The steps at which it changes the data, and for other settings its ends.
    pub fn moments(&self) -> impl Iterator<Item = u32> + use<> {
        let stages = match &self.change {
            Change::Act { .. } => Vec::new(),
            Change::Ramp { path, .. } if deals_anew(path) => {
                (self.from..self.to).step_by(stride(path, self) as usize).chain([self.to]).collect()
            }
            Change::Set { .. } | Change::Ramp { .. } => vec![self.from, self.to],
        };
        stages.into_iter()
    }

    /// Whether a stage of the ramp may be impossible though both its ends are possible. Ranges and row counts refuse numbers
    /// above or below a bound, so what lies between two that are allowed is allowed; but a whole number may mean something of
    /// its own, as 0 active bits are all bits. Looking at each of 32 stages costs the page a tenth of a second.
    fn jumps(&self) -> bool {
        let Change::Ramp { path, .. } = &self.change else { return false };
        deals_anew(path) && super::fields::fields().iter().any(|f| f.path == path && !matches!(f.kind, FieldKind::Number { .. }))
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

    /// Updates made when the update rule that makes the update after `step` updates was taken up: 0 for the one that the run
    /// began with. A rule taken up again begins anew.
    pub fn rule_since(&self, step: u32) -> u32 {
        let entries = self.entries();
        let switches: Vec<(u32, &str)> = entries
            .iter()
            .filter_map(|entry| match &entry.change {
                Change::Set { path, text } if path == "optimizer.name" => Some((entry.from, text.as_str())),
                _ => None,
            })
            .filter(|(at, _)| *at <= step)
            .collect();
        let (mut name, mut since) = (self.optimizer.name.as_str(), 0);
        for (index, (at, text)) in switches.iter().enumerate() {
            // Of several lines at one step only the last counts.
            let is_last = switches.get(index + 1).is_none_or(|(next, _)| next > at);
            if is_last && *text != name {
                (name, since) = (text, *at);
            }
        }
        since
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
        if changed.timeline.len() > MAX_LINES {
            return Err(UserError::new(
                format!("The timeline has {} lines already, and {MAX_LINES} are the most", self.timeline.len()),
                "Remove one first, or let a ramp take the place of several",
            ));
        }
        let mut errors = Vec::new();
        check(&changed, &mut errors);
        if errors.is_empty() { Ok(changed) } else { Err(errors.into()) }
    }
}

/// Whether a setting decides which rows there are or which of them are in use.
fn deals_anew(path: &str) -> bool {
    path.starts_with("task.") || path.starts_with("curriculum.")
}

/// Steps between two changes of a ramp.
fn stride(path: &str, entry: &Entry) -> u32 {
    if deals_anew(path) { (entry.to - entry.from).div_ceil(DATA_STAGES) } else { 1 }
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

fn fixed(path: &str) -> UserError {
    let live: Vec<&str> = super::fields::fields().iter().filter(|f| f.live).map(|f| f.path).collect();
    let nearest = live.iter().min_by_key(|p| edit::distance(p, path)).copied().unwrap_or_default();
    UserError::new(
        format!("{path} cannot change in the middle of a run"),
        format!("Start another run with it; the nearest setting that can change is {nearest}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{preset, with_value};

    fn base(changes: &[(&str, &str)]) -> Experiment {
        changes
            .iter()
            .fold(preset("quadratic-31").unwrap().experiment.clone(), |e, (path, value)| with_value(&e, path, value).unwrap())
    }

    fn with(experiment: &Experiment, lines: &[&str]) -> Experiment {
        Experiment { timeline: lines.iter().map(|line| (*line).to_owned()).collect(), ..experiment.clone() }
    }

    fn refused(experiment: &Experiment, lines: &[&str]) -> UserError {
        with(experiment, lines).validate().unwrap_err().into()
    }

    #[test]
    fn a_ramp_passes_evenly_from_the_value_before_it_to_its_own() {
        // Reference: start + (end − start)·(step − from)/(to − from), to six significant digits.
        let run = with(&base(&[]), &["10-20 ramp optimizer.weight_decay 1", "100-103 ramp optimizer.learning_rate 0.001"]);
        let decay = |step| run.at(step).unwrap().optimizer.weight_decay;
        assert_eq!([9, 10, 15, 18, 20, 300].map(decay), [5.0, 5.0, 3.0, 1.8, 1.0, 1.0]);
        let rate = |step| run.at(step).unwrap().optimizer.learning_rate;
        let start = rate(0);
        let third = |thirds: f64| format!("{:.5e}", start + (0.001 - start) * thirds / 3.0).parse::<f64>().unwrap();
        assert_eq!([100, 101, 102, 103].map(rate), [start, third(1.0), third(2.0), 0.001]);
        assert!((9..=21).all(|step| run.changes_at(step) == (10..=20).contains(&step)));
    }

    #[test]
    fn a_ramp_of_a_whole_number_is_rounded_to_one() {
        let run = with(&base(&[("batch_size", "64")]), &["0-10 ramp batch_size 101"]);
        // 64 + 3.7 each.
        assert_eq!([0, 1, 2, 3, 9, 10].map(|step| run.at(step).unwrap().batch_size.unwrap()), [64, 68, 71, 75, 97, 101]);
    }

    #[test]
    fn a_ramp_over_the_data_moves_in_at_most_32_stages() {
        let run = with(&base(&[]), &["0-100 ramp task.train_fraction 0.2"]);
        let share = |step| run.at(step).unwrap().task.train_fraction;
        // A stage is ⌈100/32⌉ = 4 steps: .4 − .2·4/100 = .392.
        assert_eq!([0, 3, 4, 7, 8, 99, 100].map(share), [0.4, 0.4, 0.392, 0.392, 0.384, 0.208, 0.2]);
        let changes: Vec<u32> = (0..=120).filter(|step| run.changes_at(*step)).collect();
        assert_eq!(changes, (0..=100).step_by(4).collect::<Vec<_>>());
    }

    #[test]
    fn the_age_of_an_update_rule_counts_from_the_last_switch_that_led_to_another_rule() {
        let lines = [
            "0 set optimizer.name adam_w",
            "20 set optimizer.name sgd",
            "30 set optimizer.weight_decay 1",
            "40 set optimizer.name sgd",
            "50 set optimizer.name muon",
            "50 set optimizer.name sgd",
            "60 set optimizer.name adam_w",
        ];
        let run = with(&base(&[]), &lines);
        assert_eq!([0, 19, 20, 45, 50, 59, 60, 99].map(|step| run.rule_since(step)), [0, 0, 20, 20, 20, 20, 60, 60]);
    }

    #[test]
    fn a_task_or_loss_that_needs_other_weights_is_refused_with_those_that_do_not() {
        let base = base(&[]);
        let templates = refused(&base, &["50 set loss templates"]);
        assert!(templates.cause.contains("asks for 30 outputs") && templates.cause.contains("has 31"), "{templates}");
        assert!(templates.remedy.contains("loss can become cross_entropy, hinge, stable_max"), "{templates}");
        for (task, part) in [
            ("compose", "feeds pairs of 24 tokens, and the network that is being trained reads pairs of 31"),
            ("addition", "feeds pairs of "),
            ("digits", "feeds vectors of 64 numbers"),
        ] {
            let line = format!("50 set task.operation {task}");
            let error = refused(&base, &[&line]);
            assert!(error.cause.contains(part) && error.cause.contains(&line), "{error}");
            assert!(error.remedy.contains("task.operation can become sub, mul, div"), "{error}");
            assert!(!error.remedy.contains("compose"), "{error}");
        }
        // One output for two classes, and two for the same two.
        let parity = self::base(&[("task.operation", "parity"), ("loss", "hinge")]);
        assert!(refused(&parity, &["50 set loss cross_entropy"]).cause.contains("asks for 2 outputs"));
        for lines in [
            ["50 set task.operation sub", "60 set task.operation mul"],
            ["50 set loss cross_entropy", "60 set loss stable_max"],
            ["50 set task.operation mul_nonzero", "60 set task.operation formula"],
        ] {
            assert_eq!(with(&base, &lines).validate(), Ok(()), "{lines:?}");
        }
    }

    #[test]
    fn every_stage_of_a_ramp_over_the_data_must_be_able_to_run() {
        let parity = |active: &str| base(&[("task.operation", "parity"), ("loss", "hinge"), ("task.active_bits", active)]);
        // From 0, which is all bits, the ramp passes 1 and 2 active bits, fewer than the 3 that matter.
        let error = refused(&parity("0"), &["0-200 ramp task.active_bits 40"]);
        assert!(error.cause.contains("by step 7") && error.cause.contains("1 active bits"), "{error}");
        assert!(error.remedy.contains("at least 3"), "{error}");
        assert_eq!(with(&parity("3"), &["0-200 ramp task.active_bits 40"]).validate(), Ok(()));
        // Two lines that are possible alone meet: 3 bits are enough for 3 relevant ones, not for 4.
        let met = refused(&parity("3"), &["0-200 ramp task.active_bits 6", "10 set task.relevant 4"]);
        assert!(met.cause.contains("10 set task.relevant 4") && met.cause.contains("3 active bits"), "{met}");
    }

    #[test]
    fn checking_a_timeline_costs_no_more_than_the_page_can_wait() {
        let mut long = with(&preset("transformer-59-mirror").unwrap().experiment, &["0-60 ramp curriculum.share 0.5"]);
        for line in ["0-700 ramp task.train_fraction 0.3", "100-700 ramp task.label_noise 0.1"] {
            long.timeline.push(line.into());
        }
        let parity = [("task.operation", "parity"), ("loss", "hinge"), ("task.active_bits", "3")];
        for experiment in [long, with(&base(&parity), &["0-200 ramp task.active_bits 40"])] {
            let begun = std::time::Instant::now();
            assert_eq!(experiment.validate(), Ok(()));
            let spent = begun.elapsed().as_millis();
            eprintln!("{spent} ms");
            assert!(spent < 500, "{spent} ms");
        }
        let ramps: Vec<String> = (0..9).map(|at| format!("{at}-50 ramp curriculum.share 0.5")).collect();
        let lines: Vec<&str> = ramps.iter().map(String::as_str).collect();
        assert!(refused(&base(&[]), &lines).cause.contains("8 are the most"));
    }

    #[test]
    fn a_source_that_has_answered_is_not_asked_about_other_rows() {
        let stage = [("loss", "cross_entropy"), ("stage.use", "distill"), ("stage.source", "task.train_fraction=0.5")];
        let student = base(&stage);
        for line in ["50 set task.operation mul", "50 set loss stable_max"] {
            let error = refused(&student, &[line]);
            assert!(error.cause.contains("the source has answered") && error.remedy.contains("may change"), "{error}");
        }
        for line in ["50 set task.train_fraction 0.2", "50 set task.label_noise 0.1", "50 set curriculum.share 0.5"] {
            assert_eq!(with(&student, &[line]).validate(), Ok(()), "{line}");
        }
        let parity =
            [("task.operation", "parity"), ("loss", "cross_entropy"), ("stage.use", "distill"), ("stage.source", "seed=0")];
        for line in ["50 set task.active_bits 10", "50-90 ramp task.bias 0.2", "50 set task.relevant 2"] {
            assert!(refused(&base(&parity), &[line]).cause.contains("the source has answered"), "{line}");
        }
    }

    #[test]
    fn a_full_timeline_takes_no_further_line() {
        let mut run = base(&[]);
        for step in 0..MAX_LINES {
            run = run.with_line(&format!("{step} rescale 0.99")).unwrap();
        }
        assert_eq!(run.validate(), Ok(()));
        let error = run.with_line("100 rescale 0.99").unwrap_err();
        assert!(error.cause.contains("64 lines already"), "{error}");
    }

    #[test]
    fn a_change_becomes_a_line_of_the_step_at_which_it_is_made() {
        assert_eq!(line_at(40, " set optimizer.weight_decay 0"), "40 set optimizer.weight_decay 0");
        assert_eq!(line_at(40, "-90 ramp optimizer.weight_decay 0"), "40-90 ramp optimizer.weight_decay 0");
    }
}
