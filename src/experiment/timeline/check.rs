//! What a timeline may not ask for, told before the run begins.
//!
//! A line that turns out wrong at step 40,000 costs an hour and leaves half a run, so every moment at which settings change is tried
//! here, with everything else that is then in force.

use super::{Change, Entry, MAX_DATA_RAMPS, deals_anew, fixed};
use crate::experiment::config::Experiment;
use crate::experiment::edit::{self, field_at, replace};
use crate::experiment::field::FieldError;
use crate::experiment::stage;
use crate::{model, train};

/// Refuses lines that cannot be read, are out of order, change what cannot change, or lead to what cannot run.
pub(in crate::experiment) fn check(experiment: &Experiment, errors: &mut Vec<FieldError>) {
    if let Some(error) = refused_line(experiment).or_else(|| refused_moment(experiment)) {
        errors.push(error);
    }
}

fn refusal(cause: impl Into<String>, remedy: impl Into<String>) -> FieldError {
    FieldError::new("timeline", cause, remedy)
}

/// The first line that is wrong in itself.
fn refused_line(experiment: &Experiment) -> Option<FieldError> {
    let mut now = experiment.clone();
    let (mut last, mut data_ramps) = (0, 0);
    for line in &experiment.timeline {
        let entry = match Entry::parse(line) {
            Ok(entry) => entry,
            Err(error) => return Some(refusal(error.cause, error.remedy)),
        };
        if entry.from < last {
            return Some(refusal(format!("\"{line}\" comes after a line with a later step"), "Sort the lines by step"));
        }
        last = entry.from;
        if entry.to > experiment.steps {
            return Some(refusal(
                format!("\"{line}\" lies beyond the run's {} steps", experiment.steps),
                format!("Use a step of at most {}", experiment.steps),
            ));
        }
        match &entry.change {
            Change::Set { path, text } | Change::Ramp { path, text } => {
                let is_ramp = matches!(entry.change, Change::Ramp { .. });
                if is_ramp && edit::get(&now, path).is_some_and(|v| v.is_number()) && text.parse::<f64>().is_err() {
                    return Some(refusal(format!("\"{line}\": {text} is no number"), "Ramp to a number, or use set"));
                }
                let changed =
                    field_at(&now, path).and_then(|field| if field.live { replace(&now, path, text) } else { Err(fixed(path)) });
                match changed {
                    Ok(_) if is_ramp && !edit::get(&now, path).is_some_and(|v| v.is_number()) => {
                        return Some(refusal(format!("\"{line}\": {path} is not a number"), "Use set instead of ramp"));
                    }
                    Ok(changed) => now = changed,
                    Err(error) => return Some(refusal(format!("\"{line}\": {}", error.cause), error.remedy)),
                }
                data_ramps += usize::from(is_ramp && deals_anew(path));
                if data_ramps > MAX_DATA_RAMPS {
                    return Some(refusal(
                        format!("\"{line}\" is ramp number {data_ramps} over the data, and {MAX_DATA_RAMPS} are the most"),
                        "Use set instead of ramp",
                    ));
                }
            }
            Change::Act { name, arguments } => {
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                if let Err(error) = train::check_action(name, &arguments, &now) {
                    return Some(refusal(format!("\"{line}\": {}", error.cause), error.remedy));
                }
            }
        }
    }
    None
}

/// The first step at which the settings in force could not run, or not with the weights that the run has by then.
fn refused_moment(experiment: &Experiment) -> Option<FieldError> {
    let entries: Vec<(&String, Entry)> =
        experiment.timeline.iter().filter_map(|line| Some((line, Entry::parse(line).ok()?))).collect();
    let moments = entries.iter().flat_map(|(line, entry)| {
        let counts = move |at: &u32| [entry.from, entry.to].contains(at) || entry.jumps();
        entry.moments().filter(counts).map(|at| (at, *line, entry.from))
    });
    let mut moments: Vec<(u32, &String, u32)> = moments.collect();
    // The last line of a step is the one that its settings end with.
    moments.reverse();
    moments.sort_by_key(|(at, ..)| *at);
    moments.dedup_by_key(|(at, ..)| *at);
    let mut before = experiment.clone();
    for (at, line, from) in moments {
        let named =
            |cause: &str| if at == from { format!("\"{line}\" {cause}") } else { format!("\"{line}\", by step {at}, {cause}") };
        let now = match experiment.at(at) {
            Ok(now) => now,
            Err(error) => return Some(refusal(named(&format!("cannot be made: {}", error.cause)), error.remedy)),
        };
        if now == before {
            continue;
        }
        // What the change leads to must be able to run, as an experiment of its own.
        let alone = Experiment { timeline: Vec::new(), ..now.clone() };
        if let Err(found) = alone.validate() {
            let first = found.into_iter().next()?;
            return Some(refusal(named(&format!("leads to {}: {}", first.path, first.cause)), first.remedy));
        }
        if let Some((cause, remedy)) = misfit(experiment, &now).or_else(|| stage::outdated(experiment, &now)) {
            return Some(refusal(named(&cause), remedy));
        }
        before = now;
    }
    None
}

/// Why the weights that a run of `experiment` has cannot go on under the settings `now`, with what could.
fn misfit(experiment: &Experiment, now: &Experiment) -> Option<(String, String)> {
    let (old, new) = (model::shape_of(experiment), model::shape_of(now));
    let fits = |now: &Experiment| {
        let sizes = |e: &Experiment| model::specs(e).into_iter().map(|s| (s.name, s.rows, s.columns)).collect::<Vec<_>>();
        model::shape_of(now) == old && sizes(now) == sizes(experiment)
    };
    if fits(now) {
        return None;
    }
    let inputs = |shape: model::Shape| match shape.tokens {
        0 => format!("vectors of {} numbers", shape.width),
        tokens => format!("pairs of {tokens} tokens"),
    };
    let cause = if (old.tokens, old.width) == (new.tokens, new.width) {
        format!("asks for {} outputs, and the network that is being trained has {}", new.outputs, old.outputs)
    } else {
        format!("feeds {}, and the network that is being trained reads {}", inputs(new), inputs(old))
    };
    // Whichever of the two was changed, only one that wants the same sizes can take its place.
    let path = if experiment.task.operation == now.task.operation { "loss" } else { "task.operation" };
    let others = |experiment: &Experiment| -> Vec<&'static str> {
        let kinds = crate::experiment::fields::kinds_of(path).unwrap_or_default();
        let works = |name: &str| {
            let alone = Experiment { timeline: Vec::new(), ..experiment.clone() };
            replace(&alone, path, name).is_ok_and(|other| fits(&other) && other.validate().is_ok())
        };
        let own = edit::get(experiment, path);
        let differs = |name: &&str| own.as_ref().and_then(|v| v.as_str()) != Some(*name);
        kinds.into_iter().map(|kind| kind.name).filter(differs).filter(|name| works(name)).collect()
    };
    let remedy = match others(experiment).as_slice() {
        [] => "Start another run with it".to_owned(),
        names => format!("Start another run with it; in this one {path} can become {}", names.join(", ")),
    };
    Some((cause, remedy))
}
