//! The first view: one sentence, one button, two charts, and the configuration in a drawer.

use super::branch;
use super::configure::{drawer, task_facts};
use super::curves::curves;
use super::live::{flag, part, text};
use super::presets::{badge, picker};
use super::session;
use super::store::{Lab, grouped};
use super::theory;
use super::timeline::timeline;
use crate::engine::message::Command;
use crate::engine::phase::Phase;
use crate::experiment::preset;
use leptos::prelude::*;

/// The view.
pub(super) fn run_view(lab: Lab) -> AnyView {
    view! {
        <section class="view" aria-label="Run">
            <div class="lead"><h1>{text(move || lab.preset.get().sentence.into())}</h1>{task_facts(lab)}</div>
            {transport(lab)}
            {refusal(lab)}
            {status(lab)}
            {branch::notice(lab)}
            {curves(lab)}
            {to_theory(lab)}
            {timeline(lab)}
            {drawer(lab)}
        </section>
    }
    .into_any()
}

/// Chooses a preset for the next run.
pub(super) fn choose_preset(lab: Lab, name: &str) {
    match preset(name) {
        Ok(chosen) => {
            lab.preset.set(chosen);
            lab.draft.replace(chosen.experiment.clone());
            lab.refused.set(false);
        }
        Err(error) => lab.fail(error),
    }
}

fn transport(lab: Lab) -> AnyView {
    let phase = move || lab.phase.get();
    let start_label = move || match phase() {
        Phase::Idle => "Start",
        Phase::Running | Phase::Paused => "Running",
        Phase::Finished | Phase::Failed => "Start again",
    };
    let pause_label = move || if phase() == Phase::Paused { "Continue" } else { "Pause" };
    view! {
        <div class="transport">
            {picker(lab)}
            <button type="button" id="start" class="primary" disabled=flag(move || phase().is_live()) hidden=flag(move || phase().is_live())
                title="Space" on:click=move |_| session::start(lab, false)>{text(move || start_label().into())}</button>
            {part(move || lab.can_resume.get().filter(|_| !phase().is_live()).map(|step| view! {
                <button type="button" id="go-on" on:click=move |_| session::resume(lab)>"Continue from step "{grouped(step.into())}</button>
            }.into_any()))}
            <button type="button" id="pause" class:primary=flag(move || phase().is_live()) disabled=flag(move || !phase().is_live())
                hidden=flag(move || !phase().is_live()) title="Space" on:click=move |_| session::toggle(lab)>{text(move || pause_label().into())}</button>
            <button type="button" id="step" disabled=flag(move || phase() == Phase::Running) title="One update: right arrow"
                on:click=move |_| session::single_step(lab)>"Step"</button>
            <button type="button" id="stop" disabled=flag(move || !phase().is_live())
                on:click=move |_| session::command(lab, &Command::Stop)>"Stop"</button>
            <button type="button" id="reset" disabled=flag(move || lab.run.with(Option::is_none)) title="Empty the page"
                on:click=move |_| session::reset(lab)>"Reset"</button>
        </div>
    }
    .into_any()
}

/// The line that says where the run is, in each view; machine-readable for tests and teachers' scripts.
pub(super) fn status(lab: Lab) -> AnyView {
    let phase = move || match lab.phase.get() {
        Phase::Idle => "idle",
        Phase::Running => "running",
        Phase::Paused => "paused",
        Phase::Finished => "finished",
        Phase::Failed => "failed",
    };
    let word = move || match lab.phase.get() {
        Phase::Idle => "Ready",
        Phase::Running => "Running",
        Phase::Paused => "Paused",
        Phase::Finished if lab.summary().is_none() => "Cut off",
        Phase::Finished => "Finished",
        Phase::Failed => "Stopped by an error",
    };
    let last = move |value: fn(&crate::record::MetricRow) -> f32| {
        lab.rows.with(|rows| rows.last().map(|row| value(row).to_string()).unwrap_or_default())
    };
    let dates = Memo::new(move |_| lab.delay());
    let date = move |step: Option<u32>| step.map(|step| step.to_string()).unwrap_or_default();
    let fingerprint = move || lab.summary().map(|summary| summary.fingerprint).unwrap_or_default();
    let engine = move || {
        let chosen = lab.run.with(|run| run.as_ref().and_then(|run| run.choice.as_ref().map(|choice| choice.label.clone())));
        chosen.or_else(|| lab.summary().map(|summary| summary.engine))
    };
    let progress = move || {
        if let Some((step, steps)) = lab.stage.get() {
            return Some(format!("Training the source: step {} of {}", grouped(step.into()), grouped(steps.into())));
        }
        let steps = lab.run.with(|run| run.as_ref().map(|run| run.experiment.steps))?;
        Some(format!("step {} of {}", grouped(lab.step.get().into()), grouped(steps.into())))
    };
    let pace = move || {
        let live = lab.phase.get() == Phase::Running;
        lab.ms_per_step
            .get()
            .filter(|_| live)
            .map(|ms| if ms < 10.0 { format!("{ms:.1} ms per step") } else { format!("{ms:.0} ms per step") })
    };
    let wall = move || lab.summary().map(|summary| format!("{:.1} s on {}", summary.wall_seconds, summary.engine));
    view! {
        <div id="status" class="status" data-phase=text(move || phase().into()) data-step=text(move || lab.step.get().to_string())
            data-train-accuracy=text(move || last(|row| row.train_accuracy)) data-test-accuracy=text(move || last(|row| row.test_accuracy))
            data-t-mem=text(move || date(dates.get().t_mem)) data-t-gen=text(move || date(dates.get().t_gen))
            data-fingerprint=text(fingerprint) data-engine=text(move || engine().unwrap_or_default())>
            <strong>{text(move || word().into())}</strong>
            <span class="number">{text(move || progress().unwrap_or_default())}</span>
            <span>{text(move || if lab.stage.with(Option::is_some) { String::new() } else { lab.state_in_words() })}</span>
            <span class="muted number">{text(move || pace().or_else(wall).unwrap_or_default())}</span>
            {badge(lab)}
        </div>
    }
    .into_any()
}

/// The way from a run to what theory says of it.
fn to_theory(lab: Lab) -> AnyView {
    view! {
        <p class="small" hidden=flag(move || lab.rows.with(Vec::is_empty))>
            <button type="button" class="small-button" id="run-theory" on:click=move |_| theory::open_of_run(lab)>"What does theory say about this run?"</button>
        </p>
    }
    .into_any()
}

/// Why Start did nothing.
fn refusal(lab: Lab) -> AnyView {
    let reasons = move || {
        let problems = session::problems(lab);
        (lab.refused.get() && !problems.is_empty()).then(|| {
            let lines: Vec<_> = problems
                .into_iter()
                .map(|problem| view! { <li>{format!("{}: {}. {}", problem.path, problem.cause, problem.remedy)}</li> })
                .collect();
            view! {
                <div class="card error" role="alert">
                    <h2>"This experiment cannot run as it is"</h2>
                    <ul class="plain">{lines}</ul>
                </div>
            }
            .into_any()
        })
    };
    view! { {part(reasons)} }.into_any()
}
