//! The configuration drawer: every setting of the experiment, what the preset promises, and what was changed.
//!
//! Edits never touch a run under way; they make the next one, and the drawer says so.

use super::form::{control, written};
use super::live::{part, text};
use super::session;
use super::store::{Lab, grouped};
use crate::experiment::{Experiment, Field, FieldError, counts, fields, parameters};
use leptos::prelude::*;

/// Settings that are not for hands: the format, and the name that only people read.
const HIDDEN: [&str; 2] = ["schema", "name"];
/// Settings most people change; the others are one click further.
const MAIN: [&str; 12] = [
    "task.operation",
    "task.modulus",
    "task.train_fraction",
    "task.split",
    "model.architecture",
    "model.width",
    "model.d_model",
    "model.mlp_width",
    "optimizer.learning_rate",
    "optimizer.weight_decay",
    "steps",
    "seed",
];

/// What differs from a reference, one phrase per setting.
pub(super) fn changes(from: &Experiment, to: &Experiment) -> Vec<String> {
    fields()
        .iter()
        .filter(|field| !HIDDEN.contains(&field.path) && (field.applies)(to))
        .filter_map(|field| {
            let (before, after) = (written(from, field), written(to, field));
            let was = if (field.applies)(from) { format!(" (was {before})") } else { String::new() };
            (before != after).then(|| format!("{}: {after}{was}", field.label))
        })
        .collect()
}

/// The drawer.
pub(super) fn drawer(lab: Lab) -> AnyView {
    let errors = Memo::new(move |_| session::problems(lab));
    // Which settings exist changes with the architecture; the controls must not be made anew at each keystroke.
    let architecture = Memo::new(move |_| lab.draft.value.with(Experiment::architecture));
    let controls = move |main: bool| {
        architecture.track();
        let draft = lab.draft.value.get_untracked();
        let here = |field: &&'static Field<Experiment>| (field.applies)(&draft);
        let shown: Vec<&'static Field<Experiment>> = if main {
            MAIN.iter().filter_map(|path| fields().iter().filter(here).find(|field| field.path == *path)).collect()
        } else {
            fields().iter().filter(here).filter(|f| !HIDDEN.contains(&f.path) && !MAIN.contains(&f.path)).collect()
        };
        let base = move |field: &'static Field<Experiment>| {
            move || {
                let preset = &lab.preset.get().experiment;
                (field.applies)(preset).then(|| written(preset, field))
            }
        };
        shown.into_iter().map(|field| control(lab.draft, field, "field", errors, Box::new(base(field)))).collect::<Vec<_>>()
    };
    let changed = Memo::new(move |_| lab.draft.value.with(|draft| changes(&lab.preset.get().experiment, draft)));
    let summary = move || match changed.get().len() {
        0 => "as in the preset".to_owned(),
        1 => "1 change from the preset".to_owned(),
        n => format!("{n} changes from the preset"),
    };
    let restore = move |_| {
        lab.draft.replace(lab.preset.get_untracked().experiment.clone());
        lab.refused.set(false);
    };
    view! {
        <details class="drawer" id="configuration">
            <summary>"Configure "<span class="muted">{text(summary)}</span></summary>
            <div>
                {part(move || lab.phase.get().is_live().then(|| view! {
                    <p class="card notice" role="note">"A run is under way. What you change here prepares the next one."</p>
                }.into_any()))}
                {part(move || (!changed.get().is_empty()).then(|| view! {
                    <div class="row">
                        <span class="small">"Changed: "{text(move || changed.get().join(" · "))}</span>
                        <button type="button" class="small-button" on:click=restore>"Back to the preset"</button>
                    </div>
                }.into_any()))}
                <div class="fields">{part(move || Some(controls(true).into_any()))}</div>
                <details>
                    <summary>"All settings"</summary>
                    <div class="fields" style="margin-top:1rem">{part(move || Some(controls(false).into_any()))}</div>
                </details>
                {facts(lab, errors)}
            </div>
        </details>
    }
    .into_any()
}

fn facts(lab: Lab, errors: Memo<Vec<FieldError>>) -> AnyView {
    let sizes = move || {
        if !errors.get().is_empty() {
            return "–".to_owned();
        }
        lab.draft.value.with(|draft| {
            let rows = counts(draft);
            format!(
                "{} pairs: {} for training, {} for the test. {} parameters",
                grouped(rows.domain.into()),
                grouped(rows.train.into()),
                grouped(rows.test.into()),
                grouped(parameters(&draft.model, draft.task.modulus))
            )
        })
    };
    let band = |name: &str, band: Option<[u32; 2]>| {
        band.map(|[from, to]| format!("{name} at step {} to {}", grouped(from.into()), grouped(to.into())))
    };
    let expected = move || {
        let expected = lab.preset.get().expected;
        let bands: Vec<String> =
            [band("memorised", expected.t_mem), band("understood", expected.t_gen)].into_iter().flatten().collect();
        let bands = if bands.is_empty() { String::new() } else { format!("{}. ", bands.join(", ")) };
        format!("{bands}{}", expected.note)
    };
    view! {
        <dl class="facts">
            <dt>"Size"</dt><dd>{text(sizes)}</dd>
            <dt>"Network"</dt><dd>{text(move || lab.preset.get().formula.into())}</dd>
            <dt>"Source"</dt><dd>{text(move || lab.preset.get().source.into())}</dd>
            <dt>"Expected"</dt><dd>{text(expected)}</dd>
            <dt>"Cost"</dt><dd>{text(move || lab.preset.get().cost.into())}</dd>
        </dl>
    }
    .into_any()
}
