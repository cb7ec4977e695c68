//! What changes on the way, under the curves: of the run shown, and of the next one.
//!
//! A curve that turned because somebody turned a knob is read wrongly by whoever does not know; so changes stand in one list,
//! on the curves and in the experiment itself, whether they were planned or made by hand. The list holds both runs in one order,
//! with a word beside what only one of them has: two lists that differ in a line would have to be compared by eye.

use super::intervene::{Row, controls, moment, words};
use super::live::{flag, part, text};
use super::session;
use super::store::Lab;
use crate::engine::message::Command;
use crate::experiment::Experiment;
use crate::experiment::timeline::Entry;
use crate::record::UserError;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

/// A change on the curves.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Happening {
    /// Updates made when it begins.
    pub(super) step: u32,
    /// What it does.
    pub(super) words: String,
    /// The same with its step or steps.
    pub(super) full: String,
}

/// The changes of an experiment.
pub(super) fn happenings(experiment: &Experiment) -> Vec<Happening> {
    let happening = |entry: &Entry| {
        let words = words(experiment, entry);
        let full = format!("{}: {words}", moment(entry));
        Happening { step: entry.from, words, full }
    };
    experiment.entries().iter().map(happening).collect()
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq)]
struct Item {
    /// As it stands in the experiment.
    line: String,
    step: u32,
    words: String,
    in_run: bool,
    in_draft: bool,
}

/// Lines of the run and of the draft in one order; those of a run under way alone.
fn items(run: Option<&Experiment>, draft: &Experiment, live: bool) -> Vec<Item> {
    let mut all: Vec<Item> = Vec::new();
    let item = |experiment: &Experiment, line: &String, in_run: bool| {
        let entry = Entry::parse(line);
        let words = entry.as_ref().map_or_else(|_| line.clone(), |e| format!("{}: {}", moment(e), words(experiment, e)));
        Item { line: line.clone(), step: entry.map_or(0, |e| e.from), words, in_run, in_draft: !in_run }
    };
    if let Some(run) = run {
        all.extend(run.timeline.iter().map(|line| item(run, line, true)));
    }
    if run.is_none() || !live {
        for line in &draft.timeline {
            match all.iter_mut().find(|known| known.line == *line && !known.in_draft) {
                Some(known) => known.in_draft = true,
                None => all.push(item(draft, line, false)),
            }
        }
        all.sort_by_key(|item| item.step);
    }
    all
}

/// The experiment with the settings in force when the next change comes, up to what a ramp does meanwhile.
fn in_force(lab: Lab, row: Row, live: Memo<bool>) -> Memo<Experiment> {
    let of = Memo::new(move |_| {
        let run = live.get().then(|| lab.run.with(|run| run.as_ref().map(|run| run.experiment.clone()))).flatten();
        run.unwrap_or_else(|| lab.draft.value.get())
    });
    let step = Memo::new(move |_| {
        let step = if live.get() { lab.step.get() } else { of.with(|e| row.typed_step(e.steps)).unwrap_or(0) };
        // Between two lines nothing changes, and steps pass quickly.
        of.with(|e| e.entries().iter().map(|entry| entry.from).filter(|from| *from <= step).max())
    });
    Memo::new(move |_| {
        let step = step.get();
        of.with(|e| step.and_then(|step| e.at(step).ok()).unwrap_or_else(|| e.clone()))
    })
}

/// The panel.
pub(super) fn timeline(lab: Lab) -> AnyView {
    let live = Memo::new(move |_| lab.phase.get().is_live());
    let row = Row::new("timeline");
    let now = in_force(lab, row, live);
    let run = Memo::new(move |_| lab.run.with(|run| run.as_ref().map(|run| run.experiment.clone())));
    let list = Memo::new(move |_| run.with(|run| lab.draft.value.with(|draft| items(run.as_ref(), draft, live.get()))));
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let done = if live.get_untracked() { change_now(lab, row) } else { plan(lab, row) };
        match done {
            Ok(()) => row.clear(),
            Err(error) => row.refuse(error),
        }
    };
    let summary = move || {
        let count = list.with(Vec::len);
        match (count, live.get()) {
            (0, true) => "change something now".to_owned(),
            (0, false) => "nothing changes on the way".to_owned(),
            (1, _) => "1 change on the way".to_owned(),
            (count, _) => format!("{count} changes on the way"),
        }
    };
    let problems = Memo::new(move |_| {
        // Whether the whole draft can run is the drawer's to say; this costs nothing while there is no line.
        let errors = lab.draft.value.with(|draft| if draft.timeline.is_empty() { Ok(()) } else { draft.validate() });
        let own = errors.err().unwrap_or_default().into_iter().filter(|error| error.path == "timeline");
        own.map(|error| format!("{}. {}.", error.cause, error.remedy)).collect::<Vec<String>>().join(" ")
    });
    let starts_open = list.with_untracked(|list| !list.is_empty());
    view! {
        <details class="drawer" id="timeline" open=starts_open>
            <summary>"Timeline "<span class="muted">{text(summary)}</span></summary>
            <div>
                <ul class="plain" id="timeline-list" aria-label="Changes on the way">{part(move || Some(lines(lab, list.get(), live.get(), run.with(Option::is_some))))}</ul>
                <p class="problem" role="alert" hidden=flag(move || live.get() || problems.with(String::is_empty))>{text(move || problems.get())}</p>
                <form class="change" on:submit=submit aria-label="Add a change">
                    <h3>{text(move || if live.get() { "Change something now" } else { "Add a change to the next run" }.into())}</h3>
                    {controls(row, now, Memo::new(move |_| !live.get()), Memo::new(|_| true))}
                    <div class="row">
                        // One at a time: Enter presses the first button of a form, whether it can be seen or not.
                        {part(move || Some(if live.get() {
                            view! { <button type="submit" class="small-button" id="change-now">"Change now"</button> }.into_any()
                        } else {
                            view! { <button type="submit" class="small-button" id="timeline-add">"Add"</button> }.into_any()
                        }))}
                        {part(move || different(run, lab, live).then(|| view! {
                            <button type="button" class="small-button" id="timeline-copy" on:click=move |_| copy_to_draft(lab)>"Make the run's changes in the next one too"</button>
                        }.into_any()))}
                    </div>
                </form>
            </div>
        </details>
    }
    .into_any()
}

fn lines(lab: Lab, items: Vec<Item>, live: bool, has_run: bool) -> AnyView {
    let rows: Vec<_> = items
        .into_iter()
        .map(|item| {
            let only = match (item.in_run, item.in_draft) {
                _ if !has_run || live => "",
                (true, false) => "only in the run shown",
                (false, true) => "only in the next run",
                _ => "",
            };
            let name = format!("Remove: {}", item.words);
            let line = item.line.clone();
            let remove = (item.in_draft && !live).then(|| {
                view! {
                    <button type="button" class="small-button quiet" aria-label=name on:click=move |_| remove(lab, &line)>"Remove"</button>
                }
            });
            view! {
                <li data-line=item.line>
                    <span class="number">{item.words}</span>" "<span class="small muted">{only}</span>{remove}
                </li>
            }
        })
        .collect();
    rows.into_any()
}

/// Sends the change to the run under way.
fn change_now(lab: Lab, row: Row) -> Result<(), UserError> {
    let Some(experiment) = lab.run.with_untracked(|run| run.as_ref().map(|run| run.experiment.clone())) else {
        return Err(UserError::new("No run is under way", "Press Start first"));
    };
    let step = lab.step.get_untracked();
    let line = row.line(&experiment.at(step)?, step)?;
    // The engine refuses it too, but by then the words are far from the boxes.
    experiment.with_line(&line)?;
    // The engine writes the step that it has reached by then.
    let change = line.strip_prefix(&step.to_string()).unwrap_or(&line).trim_start().to_owned();
    session::command(lab, &Command::Intervene(change));
    Ok(())
}

/// Adds the change to the next run.
fn plan(lab: Lab, row: Row) -> Result<(), UserError> {
    let draft = lab.draft.value.get_untracked();
    let step = untrack(|| row.typed_step(draft.steps))?;
    let line = row.line(&draft.at(step).unwrap_or_else(|_| draft.clone()), step)?;
    lab.draft.value.set(draft.with_line(&line)?);
    lab.announcement.set("Added to the next run".into());
    Ok(())
}

fn remove(lab: Lab, line: &str) {
    lab.draft.value.update(|draft| {
        if let Some(at) = draft.timeline.iter().position(|known| known == line) {
            draft.timeline.remove(at);
        }
    });
    lab.announcement.set("Removed from the next run".into());
}

/// Whether the run shown has changes that the next one would not make.
fn different(run: Memo<Option<Experiment>>, lab: Lab, live: Memo<bool>) -> bool {
    let planned = lab.draft.value.with(|draft| draft.timeline.clone());
    !live.get() && run.with(|run| run.as_ref().is_some_and(|run| !run.timeline.is_empty() && run.timeline != planned))
}

fn copy_to_draft(lab: Lab) {
    if let Some(lines) = lab.run.with_untracked(|run| run.as_ref().map(|run| run.experiment.timeline.clone())) {
        lab.draft.value.update(|draft| draft.timeline = lines);
    }
}
