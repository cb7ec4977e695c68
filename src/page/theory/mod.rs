//! The theory view: panels that lay an equation over a measurement.
//!
//! A formula on a slide is believed or not; here its knobs can be turned, what it says is drawn over what comes out, and the
//! assumption that fails is named. The page holds the words and the knobs; the science is the engine's (see `asking`), so that no
//! panel can make the page stutter.

mod asking;
mod findings;
mod handles;
mod surveying;

pub(super) use asking::{Against, TheoryLab, connect, hear, lost, open, open_of_run, shown};

use super::form::{control, written_in};
use super::inside::{self, Underway};
use super::live::{flag, part, text};
use super::slider::slider;
use super::store::{EngineState, Lab};
use crate::theory::{About, Verdict, panel, panels, speaks_of};
use asking::fields;
use leptos::prelude::*;

/// The view.
pub(super) fn theory_view(lab: Lab) -> AnyView {
    let theory = lab.theory;
    let name = Memo::new(move |_| theory.panel.get().about.name);
    let verdicts = Memo::new(move |_| verdicts(lab));
    let choices: Vec<_> = panels()
        .iter()
        .map(|panel| {
            let About { name: this, title, question, .. } = panel.about;
            let speaks = move || verdicts.with(|all| all.iter().any(|verdict| verdict.panel == this && verdict.speaks));
            view! {
                <button type="button" id=format!("theory-panel-{this}") title=question aria-pressed=text(move || (name.get() == this).to_string())
                    on:click=move |_| theory.choose(panel)>
                    <strong>{title}</strong><span class="small muted question">{question}</span>
                    <span class="small speaks" hidden=flag(move || !speaks())>"✓ speaks of this run"</span>
                </button>
            }
        })
        .collect();
    let options: Vec<_> = panels()
        .iter()
        .map(|panel| {
            let this = panel.about.name;
            view! { <option value=this selected=flag(move || name.get() == this)>{panel.about.title}</option> }
        })
        .collect();
    let choose = move |event| match panel(&event_target_value(&event)) {
        Ok(panel) => theory.choose(panel),
        Err(error) => lab.fail(error),
    };
    view! {
        <section class="view" aria-label="Theory">
            <div class="lead">
                <h1>"What should happen?"</h1>
                <p class="muted">"Each panel takes an equation, computes what it says of a small system, lays it over what is measured there, and names the assumption that fails. Move the sliders: prediction and measurement follow."</p>
            </div>
            <div class="theory">
                <nav class="theory-list" aria-label="Panels">{choices}</nav>
                <div class="theory-select field">
                    <label for="theory-choose">"Panel"</label>
                    <select id="theory-choose" prop:value=text(move || name.get().to_owned()) on:change=choose>{options}</select>
                </div>
                {part(move || Some(body(lab, verdicts, name.get())))}
            </div>
        </section>
    }
    .into_any()
}

/// What the panels have to do with the run on the page; empty without one.
fn verdicts(lab: Lab) -> Vec<Verdict> {
    lab.run.with(|run| run.as_ref().map_or_else(Vec::new, |run| speaks_of(&run.experiment)))
}

/// One panel: words, what it is held against, knobs, what came out, and where it breaks.
fn body(lab: Lab, verdicts: Memo<Vec<Verdict>>, name: &'static str) -> AnyView {
    let about = lab.theory.panel.get_untracked().about;
    let references: Vec<_> = about.references.iter().map(|reference| view! { <li>{*reference}</li> }).collect();
    view! {
        <article class="view theory-body" id="theory-body" data-panel=name aria-labelledby="theory-title">
            <div class="lead">
                <h2 id="theory-title">{about.title}</h2>
                <p>{about.question}</p>
                <p class="muted">{about.paragraph}</p>
            </div>
            // Written in the source of the panel, never by a person or a file.
            <div class="equation" tabindex="0" role="group" aria-label="The equation" inner_html=about.equation></div>
            {held_against(lab, verdicts)}
            {knobs(lab)}
            {findings::findings(lab)}
            <div class="card">
                <h3>"Where this breaks"</h3>
                <p id="theory-breaks">{about.breaks}</p>
                <h3>"References"</h3>
                <ul class="plain small">{references}</ul>
            </div>
        </article>
    }
    .into_any()
}

/// The switch between the panel's own system, the run on the page and the survey, where there is a choice, and whether the panel
/// speaks of that run.
fn held_against(lab: Lab, verdicts: Memo<Vec<Verdict>>) -> AnyView {
    let theory = lab.theory;
    let panel = theory.panel.get_untracked();
    let verdict = move || verdicts.with(|all| all.iter().find(|verdict| verdict.panel == panel.about.name).cloned());
    let words = move || match verdict() {
        None => String::new(),
        Some(Verdict { speaks: true, why, .. }) if panel.says_of_runs => format!("It speaks of the run on the page: {why}."),
        Some(Verdict { speaks: true, why, .. }) => {
            format!("Its assumptions hold for the run on the page ({why}), but it says nothing of a single run.")
        }
        Some(Verdict { why, .. }) => format!("It does not speak of the run on the page: {why}."),
    };
    let has_run = move || lab.run.with(Option::is_some) && panel.says_of_runs;
    let choice = move |against: Against, name: &'static str, id: &'static str, is_there: Box<dyn Fn() -> bool + Send>| {
        view! {
            <button type="button" id=id aria-pressed=text(move || (theory.against.get() == against).to_string())
                hidden=flag(move || !is_there()) on:click=move |_| theory.hold_against(against)>{name}</button>
        }
    };
    let has_survey = panel.about.survey.is_some();
    let has_choice = move || has_survey || has_run() || theory.against.get() != Against::System;
    view! {
        <div class="theory-against">
            <div class="switch" role="group" aria-label="Held against" hidden=flag(move || !has_choice())>
                {choice(Against::System, "Its own system", "theory-against-system", Box::new(|| true))}
                {choice(Against::Run, "The run on the page", "theory-against-run", Box::new(move || has_run() || theory.against.get() == Against::Run))}
                {choice(Against::Survey, "Survey", "theory-against-survey", Box::new(move || has_survey))}
            </div>
            <p class="small muted" id="theory-verdict" hidden=flag(move || verdicts.with(Vec::is_empty))>{text(words)}</p>
        </div>
    }
    .into_any()
}

/// The measures of the run that the panel would look at, and a button that takes them.
fn measures(lab: Lab) -> AnyView {
    let theory = lab.theory;
    let lacking = Memo::new(move |_| {
        if theory.against.get() == Against::Run { inside::lacking(lab, theory.panel.get().run_measures) } else { Vec::new() }
    });
    let is_free = move || lab.measuring.with(|under_way| !matches!(under_way, Underway::Measure { .. }));
    let can = move || is_free() && !lab.phase.get().is_live() && lab.engine.get() == EngineState::Ready;
    let words = move || {
        let labels: Vec<&str> = lacking.with(|all| all.iter().map(|(_, label)| *label).collect());
        format!("Measure {} at all checkpoints", labels.join(" and ").to_lowercase())
    };
    let take =
        move |_| inside::ask_for_all(lab, &lacking.with_untracked(|all| all.iter().map(|(name, _)| *name).collect::<Vec<_>>()));
    view! {
        <div hidden=flag(move || lacking.with(Vec::is_empty) && is_free())>
            <button type="button" class="small-button" id="theory-measure" hidden=flag(move || lacking.with(Vec::is_empty))
                disabled=flag(move || !can()) on:click=take>{text(words)}</button>
            {inside::progress(lab)}
        </div>
    }
    .into_any()
}

/// The panel's settings, and where the answer stands.
fn knobs(lab: Lab) -> AnyView {
    let theory = lab.theory;
    let errors = Memo::new(move |_| theory.errors());
    // Which settings there are follows their kinds, not every key that is typed.
    let there = Memo::new(move |_| {
        let panel = theory.panel.get();
        theory.settings.with(|settings| fields(panel, settings, theory.against.get()))
    });
    let start = (theory.panel.get_untracked().start)();
    let controls = move || {
        let controls: Vec<_> = there
            .get()
            .into_iter()
            .map(|field| {
                let base = written_in(&start, field);
                let below = slider(theory.boxes, field, "theory", &base);
                control(theory.boxes, field, "theory", errors, Box::new(move || Some(base.clone())), below)
            })
            .collect();
        // A screen of settings before the first figure is one too many where the screen is small.
        let is_open = web_sys::window().and_then(|window| window.inner_width().ok()?.as_f64()).is_none_or(|width| width >= 640.0);
        (!controls.is_empty()).then(|| {
            view! { <details class="knobs" open=is_open><summary>"Settings"</summary><div class="fields">{controls}</div></details> }.into_any()
        })
    };
    let phase = Memo::new(move |_| theory.phase(lab));
    let words = move || theory.words(lab);
    let of_run = move || theory.against.get() == Against::Run;
    let survey = theory.panel.get_untracked().about.survey;
    let survey = move || {
        let title = survey.filter(|_| theory.against.get() == Against::Survey)?;
        Some(surveying::controls(lab, title))
    };
    let is_changed = move || !shown(lab).1.is_empty();
    view! {
        <div class="card">
            {part(controls)}
            {part(survey)}
            <div hidden=flag(move || !of_run())>{measures(lab)}</div>
            <div class="row" hidden=flag(of_run)>
                <button type="button" class="small-button" id="theory-reset" disabled=flag(move || !is_changed())
                    on:click=move |_| theory.reset()>"Back to the start"</button>
            </div>
            <p id="theory-status" role="status" class:bad=flag(move || phase.get() == "refused") class:muted=flag(move || matches!(phase.get(), "waiting" | "computing" | "idle"))
                data-panel=text(move || theory.panel.get().about.name.to_owned()) data-phase=text(move || phase.get().to_owned())>{text(words)}</p>
        </div>
    }
    .into_any()
}

/// With one full stop at its end.
fn sentence(words: String) -> String {
    format!("{}.", words.trim_end_matches('.'))
}
