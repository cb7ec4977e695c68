//! What happened inside: the measures of every checkpoint, and pictures of the one at the time slider.
//!
//! A curve says that the network understood; this view says how. Numbers come from the engine (see `measuring`), pictures too
//! (see `looking`), and everything follows the one time slider, so that a student can drag it and watch the circuit form.

mod answers;
mod attention;
mod embedding;
mod looking;
mod measuring;
mod neurons;
mod norms;
mod phases;
mod spectra;
mod strip;

pub(super) use looking::Looks;
pub(super) use measuring::{ask_for_all, lacking};

use super::live::{flag, part, text};
use super::run::status;
use super::store::{Lab, View, grouped};
use crate::engine::message::Event;
use crate::measure::{Cost, Harmonics, input_blocks, needs_classes};
use crate::record::MeasureTable;
use leptos::prelude::*;

/// What the engine is measuring.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Underway {
    /// Nothing.
    Nothing,
    /// A measure (empty before the first) of the checkpoint at a step; the share of the order that is done.
    Measure {
        /// Its name.
        name: String,
        /// The checkpoint.
        step: u32,
        /// 0..=1.
        done: f32,
    },
    /// What was under way belongs to a run that is gone; the engine has not said yet that it dropped it.
    Dropping,
    /// Somebody stopped it; the engine has not said so yet.
    Stopping,
    /// Stopped by hand or refused: nothing is asked until somebody wants it or there is another run.
    Halted,
}

/// Takes what the engine says of measures and looks; hands everything else back.
pub(super) fn hear(lab: Lab, event: Event) -> Option<Event> {
    measuring::hear(lab, event).and_then(|event| looking::hear(lab, event))
}

/// Forgets everything about the run on the page.
pub(super) fn clear(lab: Lab) {
    measuring::cancel(lab, Underway::Dropping);
    lab.measures.set(MeasureTable::default());
    looking::clear(lab);
}

/// The engine refused something that was neither a run, a fit nor a race.
pub(super) fn refused(lab: Lab) {
    if matches!(lab.measuring.get_untracked(), Underway::Measure { .. }) {
        lab.measuring.set(Underway::Halted);
    }
}

/// The engine is gone.
pub(super) fn lost(lab: Lab) {
    lab.measuring.set(Underway::Nothing);
    looking::lost(lab);
}

/// The view.
pub(super) fn inside_view(lab: Lab) -> AnyView {
    Effect::new(move |_| measuring::measure_missing(lab));
    Effect::new(move |_| looking::look(lab));
    // The run itself and not only whether there is one: what can be shown depends on its task.
    let run = Memo::new(move |_| {
        let is_empty = lab.checkpoints.with(Vec::is_empty);
        lab.run.with(|run| run.as_ref().filter(|_| !is_empty).map(|run| run.id.clone()))
    });
    let body = move || if run.with(Option::is_some) { filled(lab) } else { empty(lab) };
    view! {
        <section class="view" aria-label="Inside">
            <div class="lead">
                <h1>"How does the network compute its answers?"</h1>
                <p class="muted">"Drag the time slider. A network that knows its pairs by heart has no order inside; one that has understood turns numbers into angles, and every picture below shows it from another side."</p>
            </div>
            {status(lab)}
            {part(move || Some(body()))}
        </section>
    }
    .into_any()
}

fn empty(lab: Lab) -> AnyView {
    view! {
        <div class="empty">
            <h2>"Nothing to look into yet"</h2>
            <p class="muted">"Start a run. Each checkpoint that it saves can be looked into here: its embedding, its frequencies, its neurons and how sure it is of each answer. A recorded run without weights has nothing inside."</p>
            <button type="button" on:click=move |_| lab.view.set(View::Run)>"Go to the run"</button>
        </div>
    }
    .into_any()
}

fn filled(lab: Lab) -> AnyView {
    let experiment = lab.run.with_untracked(|run| run.as_ref().map(|run| run.experiment.clone()));
    // A figure that can never be filled says nothing; the reason does.
    let no_group = experiment.as_ref().and_then(|experiment| Harmonics::of(experiment).err());
    let no_classes = experiment.as_ref().and_then(|experiment| needs_classes(experiment).err());
    let has_tokens = experiment.as_ref().is_some_and(|experiment| input_blocks(experiment).is_ok());
    let (has_group, has_classes) = (no_group.is_none(), no_classes.is_none());
    let reasons: Vec<_> = [no_group, no_classes]
        .into_iter()
        .flatten()
        .map(|error| view! { <p class="small muted">{error.to_string()}"."</p> })
        .collect();
    view! {
        {progress(lab)}
        {facts(lab)}
        {reasons}
        {answers::ablation(lab)}
        <div class="charts">
            {has_group.then(|| spectra::now(lab))}
            {has_group.then(|| spectra::history(lab))}
            {has_tokens.then(|| embedding::picture(lab))}
            {has_classes.then(|| answers::surface(lab))}
        </div>
        {phases::figure_of(lab)}
        <div class="charts">
            {(has_group && has_classes).then(|| answers::coefficients(lab))}
            {attention::figure_of(lab)}
        </div>
        {neurons::table(lab)}
        {norms::figure_of(lab)}
        {strip::strip(lab)}
        {heavy(lab)}
    }
    .into_any()
}

/// What is being measured, with a way to stop it.
pub(super) fn progress(lab: Lab) -> AnyView {
    let state = move || match lab.measuring.get() {
        Underway::Nothing => "done",
        Underway::Measure { .. } => "running",
        Underway::Dropping | Underway::Stopping => "stopping",
        Underway::Halted => "halted",
    };
    let words = move || match lab.measuring.get() {
        Underway::Measure { name, step, done } if !name.is_empty() => {
            format!("Measuring: {} at step {} ({:.0}%)", measuring::label_of(&name), grouped(step.into()), 100.0 * done)
        }
        Underway::Measure { .. } => "Measuring…".to_owned(),
        Underway::Dropping | Underway::Stopping => "Stopping…".to_owned(),
        Underway::Halted => "Measuring has stopped".to_owned(),
        Underway::Nothing => String::new(),
    };
    let idle = move || lab.measuring.with(|state| *state == Underway::Nothing);
    let is_working = move || matches!(lab.measuring.get(), Underway::Measure { .. });
    let problem = move || lab.looks.problem.get().map(|words| view! { <p class="problem" role="alert">{words}</p> }.into_any());
    view! {
        <div class="row measuring" id="measuring" data-state=text(move || state().into())>
            <span class="small muted number" hidden=flag(idle)>{text(words)}</span>
            <button type="button" class="small-button" id="measure-cancel" hidden=flag(move || !is_working()) on:click=move |_| measuring::cancel(lab, Underway::Stopping)>"Stop measuring"</button>
            <button type="button" class="small-button" id="measure-again" hidden=flag(move || lab.measuring.with(|state| *state != Underway::Halted))
                on:click=move |_| lab.measuring.set(Underway::Nothing)>"Measure again"</button>
        </div>
        {part(problem)}
    }
    .into_any()
}

/// The numbers that everybody asks for, at the time slider.
fn facts(lab: Lab) -> AnyView {
    let step = Memo::new(move |_| lab.time_step());
    let number = move |column: &'static str, digits: usize| {
        let found = step.get().and_then(|step| lab.measures.with(|table| table.get(step, column)?.number()));
        found.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
    };
    let accuracy = move || {
        let step = step.get().unwrap_or(0);
        lab.rows.with(|rows| {
            let row = rows.iter().rfind(|row| row.step <= step);
            row.map(|row| format!("{:.1}% / {:.1}%", 100.0 * row.train_accuracy, 100.0 * row.test_accuracy)).unwrap_or_default()
        })
    };
    let keys = move || {
        let keys = lab.measures.with(|table| table.keys.clone());
        match keys {
            Some((_, keys)) if keys.is_empty() => "none".to_owned(),
            Some((_, keys)) if keys.len() > 8 => format!("{} of them", keys.len()),
            Some((_, keys)) => keys.iter().map(u32::to_string).collect::<Vec<_>>().join(", "),
            None if lab.phase.get().is_live() => "after the run".to_owned(),
            None => "–".to_owned(),
        }
    };
    let told = move || step.get().map(|step| step.to_string()).unwrap_or_default();
    view! {
        <dl class="facts wide" id="inside-facts" data-step=text(told) data-ipr=text(move || number("mean_ipr", 6))
            data-restricted=text(move || number("restricted_loss", 6)) data-excluded=text(move || number("excluded_loss", 6)) data-keys=text(keys)>
            <div><dt>"Step"</dt><dd class="number">{text(move || step.get().map(|step| grouped(step.into())).unwrap_or_default())}</dd></div>
            <div><dt>"Accuracy, train / test"</dt><dd class="number">{text(accuracy)}</dd></div>
            <div><dt title="Nanda et al. 2301.05217">"Restricted loss"</dt><dd class="number">{text(move || number("restricted_loss", 4))}</dd></div>
            <div><dt title="Nanda et al. 2301.05217">"Excluded loss"</dt><dd class="number">{text(move || number("excluded_loss", 4))}</dd></div>
            <div><dt>"Participation ratio"</dt><dd class="number">{text(move || number("mean_ipr", 3))}</dd></div>
            <div><dt>"Weight norm"</dt><dd class="number">{text(move || number("norm", 2))}</dd></div>
            <div><dt title="The fewest that carry 90% of the last checkpoint's logits">"Key components"</dt><dd class="number">{text(keys)}</dd></div>
        </dl>
    }
    .into_any()
}

/// Measures that take seconds, or are large: each by its own button.
fn heavy(lab: Lab) -> AnyView {
    let experiment = Memo::new(move |_| lab.run.with(|run| run.as_ref().map(|run| run.experiment.clone())));
    let list = move || {
        let experiment = experiment.get()?;
        let rows: Vec<_> = crate::measure::measures()
            .iter()
            .filter(|measure| matches!(measure.cost, Cost::Layer | Cost::Sampling))
            .map(|measure| {
                let refusal = (measure.applies)(&experiment).err().map(|error| error.to_string());
                let busy = move || !matches!(lab.measuring.get(), Underway::Nothing | Underway::Halted);
                let result = move || {
                    let step = lab.time_step()?;
                    let values = lab.measures.with(|table| {
                        let told = |column: &crate::measure::Column| {
                            let value = table.get(step, column.name)?;
                            match value {
                                crate::record::Value::Number(number) => Some(format!("{}: {number:.4}", column.label)),
                                crate::record::Value::Absent(reason) => Some(format!("{}: {reason}", column.label)),
                                crate::record::Value::List(values) => Some(format!("{}: {} numbers", column.label, values.len())),
                            }
                        };
                        measure.columns.iter().filter_map(told).collect::<Vec<_>>()
                    });
                    (!values.is_empty()).then(|| view! { <span class="number">{values.join(" · ")}</span> }.into_any())
                };
                let buttons = refusal.is_none().then(|| {
                    view! {
                        <button type="button" class="small-button" id=format!("measure-{}", measure.name) disabled=flag(busy)
                            on:click=move |_| measuring::ask_for(lab, measure.name, lab.time_step())>"At this step"</button>
                        <button type="button" class="small-button quiet" disabled=flag(busy)
                            on:click=move |_| measuring::ask_for(lab, measure.name, None)>"At every checkpoint"</button>
                    }
                });
                view! {
                    <li>
                        <div class="row"><strong>{measure.label}</strong>{buttons}</div>
                        <p class="small muted">{measure.definition}". "{measure.not_evidence_of}". "{measure.source}"."</p>
                        <p class="small" data-measure=measure.name>{refusal}{part(result)}</p>
                    </li>
                }
            })
            .collect();
        Some(view! { <ul class="plain heavy">{rows}</ul> }.into_any())
    };
    view! {
        <details class="drawer" id="heavy">
            <summary>"Measures that take their time "<span class="muted">"gradients at hundreds of other weights, or lists as long as a layer"</span></summary>
            <div>{part(list)}</div>
        </details>
    }
    .into_any()
}
