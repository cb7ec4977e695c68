//! Asks the engine for the measures that the view shows, and keeps what comes back.
//!
//! While a run trains, only what reads weights is asked for: it costs next to nothing, and what refers to key components would
//! change with every new checkpoint. Once the run is over, everything that one forward pass gives follows by itself; measures
//! that take seconds wait for a button.

use super::Underway;
use crate::engine::message::{Command, Event, MeasureOrder};
use crate::measure::{Cost, measure, measures, measures_for};
use crate::page::session::{send, store};
use crate::page::storage::Write;
use crate::page::store::{EngineState, Lab};
use crate::record::{MeasureTable, Measured};
use leptos::prelude::*;

/// Asks for what is missing, if nothing is under way.
pub(super) fn measure_missing(lab: Lab) {
    let free = lab.measuring.get() == Underway::Nothing && lab.engine.get() == EngineState::Ready;
    let live = lab.phase.get().is_live();
    let steps: Vec<u32> = lab.checkpoints.with(|all| all.iter().map(|checkpoint| checkpoint.step).collect());
    if !free || steps.is_empty() {
        return;
    }
    let Some(experiment) = lab.run.with_untracked(|run| run.as_ref().map(|run| run.experiment.clone())) else { return };
    if !live {
        lab.measures.update(|table| forget_old_keys(table, steps.last().copied()));
    }
    let chosen = measures_for(&experiment, if live { Cost::Weights } else { Cost::Forward });
    let names: Vec<&str> = chosen.iter().flat_map(|measure| measure.columns).map(|column| column.name).collect();
    let has_all = |row: &Measured| names.iter().all(|name| row.contains_key(*name));
    let missing: Vec<u32> = lab
        .measures
        .with_untracked(|table| steps.into_iter().filter(|step| !table.rows.get(step).is_some_and(has_all)).collect());
    if !missing.is_empty() {
        ask(lab, missing, chosen.iter().map(|measure| measure.name.to_owned()).collect());
    }
}

/// Values that refer to the key components of another checkpoint than the last are dropped.
fn forget_old_keys(table: &mut MeasureTable, last: Option<u32>) {
    if table.keys.as_ref().map(|(step, _)| *step) == last {
        return;
    }
    table.keys = None;
    let keyed: Vec<&str> =
        measures().iter().filter(|measure| measure.needs_keys).flat_map(|measure| measure.columns).map(|c| c.name).collect();
    for row in table.rows.values_mut() {
        row.retain(|column, _| !keyed.contains(&column.as_str()));
    }
}

/// Takes a measure that takes its time: at `step`, or at every checkpoint.
pub(super) fn ask_for(lab: Lab, name: &str, step: Option<u32>) {
    let all = || lab.checkpoints.with_untracked(|all| all.iter().map(|checkpoint| checkpoint.step).collect());
    ask(lab, step.map_or_else(all, |step| vec![step]), vec![name.to_owned()]);
}

/// Of the measures called `names` those that apply to the run and that some checkpoint lacks, by name and label.
pub(in crate::page) fn lacking(lab: Lab, names: &[&'static str]) -> Vec<(&'static str, &'static str)> {
    let Some(experiment) = lab.run.with(|run| run.as_ref().map(|run| run.experiment.clone())) else { return Vec::new() };
    let steps: Vec<u32> = lab.checkpoints.with(|all| all.iter().map(|checkpoint| checkpoint.step).collect());
    let applying = names.iter().filter_map(|name| measure(name).ok()).filter(|measure| (measure.applies)(&experiment).is_ok());
    let lacks = |column: &str| lab.measures.with(|table| steps.iter().any(|step| table.get(*step, column).is_none()));
    applying.filter(|m| m.columns.iter().any(|column| lacks(column.name))).map(|m| (m.name, m.label)).collect()
}

/// Takes measures at every checkpoint.
pub(in crate::page) fn ask_for_all(lab: Lab, names: &[&str]) {
    let steps = lab.checkpoints.with_untracked(|all| all.iter().map(|checkpoint| checkpoint.step).collect());
    ask(lab, steps, names.iter().map(|name| (*name).to_owned()).collect());
}

fn ask(lab: Lab, steps: Vec<u32>, measures: Vec<String>) {
    let Some(experiment) = lab.run.with_untracked(|run| run.as_ref().map(|run| run.experiment.clone())) else { return };
    let checkpoints = lab.checkpoints.get_untracked();
    lab.measuring.set(Underway::Measure { name: String::new(), step: steps.first().copied().unwrap_or(0), done: 0.0 });
    send(lab, &Command::Measure(experiment, MeasureOrder { checkpoints, steps, measures }));
}

/// Drops what is under way: `why` is [`Underway::Stopping`] by hand, [`Underway::Dropping`] with its run.
pub(super) fn cancel(lab: Lab, why: Underway) {
    match lab.measuring.get_untracked() {
        Underway::Measure { .. } => {
            lab.measuring.set(why);
            send(lab, &Command::CancelMeasures);
        }
        Underway::Stopping => lab.measuring.set(why),
        Underway::Halted => lab.measuring.set(Underway::Nothing),
        Underway::Nothing | Underway::Dropping => {}
    }
}

/// Takes what the engine says of measures; hands everything else back.
pub(super) fn hear(lab: Lab, event: Event) -> Option<Event> {
    // What still comes for a run that was dropped belongs to nobody.
    let dropping = !matches!(lab.measuring.get_untracked(), Underway::Measure { .. });
    match event {
        Event::Keys(..) | Event::Measured(..) | Event::MeasuresProgress { .. } if dropping => {}
        Event::Keys(step, keys) => lab.measures.update(|table| table.keys = Some((step, keys))),
        Event::Measured(step, values) => lab.measures.update(|table| table.add(step, values)),
        Event::MeasuresProgress { measure, step, done } => {
            lab.measuring.set(Underway::Measure { name: measure, step, done });
        }
        Event::MeasuresDone { .. } => {
            if !dropping {
                store(lab, |id| Write::Measures(id, Box::new(lab.measures.get_untracked())));
            }
            // After a stop by hand or a refusal, asking at once again would make either pointless.
            let by_hand = matches!(lab.measuring.get_untracked(), Underway::Stopping | Underway::Halted);
            lab.measuring.set(if by_hand { Underway::Halted } else { Underway::Nothing });
        }
        other => return Some(other),
    }
    None
}

/// The label of a measure under way.
pub(super) fn label_of(name: &str) -> &'static str {
    measure(name).map_or("key components", |measure| measure.label)
}
