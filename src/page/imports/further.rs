//! Further runs that one dictionary spans: those kept on this device, or from archives.
//!
//! Whether two networks that learned the same thing have latents in common is asked of one dictionary over both; two fits matched
//! afterwards only tell what was found again. Runs of another task are refused when they are added, not when the fit begins.

use crate::crosscoder::{check_same_inputs, further_steps};
use crate::engine::message::OtherRun;
use crate::experiment::Experiment;
use crate::page::live::{flag, part, text};
use crate::page::share::bytes_of;
use crate::page::storage::StoredRun;
use crate::page::store::{Lab, grouped};
use crate::record::{Archive, Checkpoint, MetricRow, UserError};
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::sync::Arc;

/// A run beside the one on the page.
#[derive(Debug, PartialEq)]
pub(in crate::page) struct FurtherRun {
    /// Its key on this device, or the name of its file.
    id: String,
    /// What its sources are called.
    name: String,
    experiment: Experiment,
    rows: Vec<MetricRow>,
    checkpoints: Vec<Checkpoint>,
}

impl FurtherRun {
    /// Steps that a fit with these `chosen` ones reads of it.
    fn steps(&self, chosen: &[u32]) -> Result<Vec<u32>, UserError> {
        let saved: Vec<u32> = self.checkpoints.iter().map(|checkpoint| checkpoint.step).collect();
        further_steps(chosen, &self.rows, &saved)
            .map_err(|error| UserError::new(format!("{}: {}", self.name, error.cause), error.remedy))
    }
}

/// The further runs as the engine takes them: each with its own memorised, onset and clean checkpoint, or with those nearest to the
/// steps chosen by hand.
///
/// # Errors
/// If one of them has no such checkpoints.
pub(in crate::page) fn others(lab: Lab) -> Result<Vec<OtherRun>, UserError> {
    let chosen = lab.fit_form.value.with(|config| config.sources.clone());
    let other = |run: &Arc<FurtherRun>| {
        let steps = run.steps(&chosen)?;
        let checkpoints = run.checkpoints.iter().filter(|checkpoint| steps.contains(&checkpoint.step)).cloned().collect();
        Ok(OtherRun { name: run.name.clone(), experiment: run.experiment.clone(), checkpoints })
    };
    lab.imports.further.with(|all| all.iter().map(other).collect())
}

/// Why they cannot be read, if so.
pub(in crate::page) fn problem(lab: Lab) -> Option<UserError> {
    let chosen = lab.fit_form.value.with(|config| config.sources.clone());
    lab.imports.further.with(|all| all.iter().find_map(|run| run.steps(&chosen).err()))
}

/// Takes a run in, if it has the inputs of the one on the page.
fn add(
    lab: Lab,
    id: String,
    experiment: Experiment,
    rows: Vec<MetricRow>,
    checkpoints: Vec<Checkpoint>,
) -> Result<(), UserError> {
    check_same_inputs(&experiment.name, &experiment, &untrack(|| lab.shown_experiment()))?;
    if checkpoints.is_empty() {
        return Err(UserError::new(
            format!("The run \"{}\" kept no checkpoints", experiment.name),
            "Add a run that was trained with checkpoints",
        ));
    }
    let stem = format!("seed {}", experiment.seed);
    let name = lab.imports.further.with_untracked(|all| {
        let is_taken = |name: &String| all.iter().any(|run| run.name == *name);
        let names = core::iter::once(stem.clone()).chain((2u32..).map(|number| format!("{stem} ({number})")));
        names.into_iter().find(|name| !is_taken(name)).unwrap_or_default()
    });
    let run = FurtherRun { id, name, experiment, rows, checkpoints };
    lab.error.set(None);
    lab.imports.further.update(|all| all.push(Arc::new(run)));
    Ok(())
}

/// Takes a run of this device in, or out.
fn toggle(lab: Lab, run: StoredRun) {
    if lab.imports.further.with_untracked(|all| all.iter().any(|known| known.id == run.id)) {
        return lab.imports.further.update(|all| all.retain(|known| known.id != run.id));
    }
    let Some(storage) = lab.storage.get_value() else { return };
    spawn_local(async move {
        let loaded = storage.load(run).await;
        let added = loaded.and_then(|stored| add(lab, stored.run.id, stored.run.experiment, stored.rows, stored.checkpoints));
        if let Err(error) = added {
            lab.fail(error);
            // The box was ticked by the click.
            lab.imports.further.notify();
        }
    });
}

fn from_archive(lab: Lab, file: web_sys::File) {
    spawn_local(async move {
        let name = file.name();
        let read = bytes_of(&file).await.and_then(|bytes| Archive::from_zip(&bytes));
        let read = read.map_err(|error| UserError::new(format!("{name} was not opened: {}", error.cause), error.remedy));
        let added = read.and_then(|archive| add(lab, name, archive.experiment, archive.rows, archive.checkpoints));
        if let Err(error) = added {
            lab.fail(error);
        }
    });
}

/// Asks for the runs on this device.
fn list(lab: Lab) {
    let Some(storage) = lab.storage.get_value() else {
        return lab.fail(UserError::new("This browser keeps no runs", "Choose the archive of a run"));
    };
    spawn_local(async move {
        match storage.runs().await {
            Ok(runs) => lab.imports.kept.set(Some(runs)),
            Err(error) => lab.fail(error),
        }
    });
}

/// The part of the form.
pub(in crate::page) fn further(lab: Lab) -> AnyView {
    let input = NodeRef::<Input>::new();
    let chosen = move |_| {
        if let Some(input) = input.get_untracked() {
            if let Some(file) = input.files().and_then(|files| files.get(0)) {
                from_archive(lab, file);
            }
            input.set_value("");
        }
    };
    let own = move || lab.run.with(|run| run.as_ref().map(|run| run.id.clone()));
    let kept = move || {
        let runs: Vec<StoredRun> = lab.imports.kept.get()?.into_iter().filter(|run| Some(&run.id) != own().as_ref()).collect();
        if runs.is_empty() {
            return Some(view! { <p class="help">"No other run is kept on this device: the five newest are."</p> }.into_any());
        }
        let boxes: Vec<_> = runs.into_iter().map(|run| kept_run(lab, run)).collect();
        Some(view! { <div class="chips" id="also-kept">{boxes}</div> }.into_any())
    };
    let read = move || {
        let steps = lab.fit_form.value.with(|config| config.sources.clone());
        let runs = lab.imports.further.get();
        let lines: Vec<_> = runs
            .into_iter()
            .map(|run| {
                let words = match run.steps(&steps) {
                    Ok(steps) => {
                        let steps: Vec<String> = steps.iter().map(|step| grouped((*step).into())).collect();
                        format!("{} ({}): steps {}", run.name, run.experiment.name, steps.join(", "))
                    }
                    Err(error) => format!("{error}"),
                };
                let drop = move |_| lab.imports.further.update(|all| all.retain(|known| known.id != run.id));
                view! { <li>{words}" "<button type="button" class="small-button quiet" on:click=drop>"Leave out"</button></li> }
            })
            .collect();
        let is_empty = lines.is_empty();
        (!is_empty).then(|| view! { <ul class="plain number" id="also-read">{lines}</ul> }.into_any())
    };
    let problem = move || problem(lab).map_or_else(String::new, |error| format!("{error}."));
    view! {
        <fieldset class="field" id="also">
            <legend><h3>"Also read…"</h3></legend>
            <p class="help">"Further runs of the same task, for instance with other seeds, so that one dictionary spans all of them. Each gives its own memorised, onset and clean checkpoint; where checkpoints are chosen by hand, those nearest to them."</p>
            <div class="row">
                <button type="button" class="small-button" id="also-list" on:click=move |_| list(lab)>"Runs kept on this device"</button>
                <label class="button small-button" for="also-file">"The archive of a run…"</label>
                <input type="file" id="also-file" class="visually-hidden" accept=".zip" node_ref=input on:change=chosen />
            </div>
            {part(kept)}
            {part(read)}
            <p class="problem" id="also-problem" hidden=flag(move || problem().is_empty())>{text(problem)}</p>
        </fieldset>
    }
    .into_any()
}

fn kept_run(lab: Lab, run: StoredRun) -> AnyView {
    let words = format!("{}, seed {}, {} steps", run.experiment.name, run.experiment.seed, grouped(run.step.into()));
    let id = run.id.clone();
    let is_read = move || lab.imports.further.with(|all| all.iter().any(|known| known.id == id));
    view! { <label><input type="checkbox" prop:checked=flag(is_read) on:change=move |_| toggle(lab, run.clone()) />{words}</label> }
        .into_any()
}
