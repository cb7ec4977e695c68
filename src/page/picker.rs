//! Which checkpoints a fit compares: picked from the curves, evenly or by doubling, or one by one with their likeness in view.

use super::atlas::sources;
use super::chart::{Show, figure, keep, named_sheet, of_experiment};
use super::live::{flag, part, text};
use super::session::send;
use super::store::{Lab, grouped};
use crate::crosscoder::{Hook, spread as spread_steps};
use crate::engine::message::Command;
use crate::plot::{GridFrame, HeatMap, Palette, Picture, Place};
use crate::record::Checkpoint;
use leptos::prelude::*;

/// Saved steps to tick; none ticked means the picked ones.
pub(super) fn picker(lab: Lab) -> AnyView {
    let ticked = Memo::new(move |_| sources(lab).unwrap_or_default());
    let toggle = move |step: u32| toggle(lab, ticked.get_untracked(), step);
    let reason = move || match (lab.fit_form.value.with(|config| config.sources.is_empty()), sources(lab)) {
        (true, Ok(_)) => "Picked from the curves: memorised, onset of understanding, clean.".to_owned(),
        (false, _) => "Chosen by hand.".to_owned(),
        (true, Err(error)) => format!("{error}."),
    };
    let saved = lab.checkpoints.with_untracked(|all| all.iter().map(|checkpoint| checkpoint.step).collect::<Vec<u32>>());
    // A run may have saved hundreds; then a text is handier than a wall of boxes.
    let few = thinned(&saved, &ticked.get_untracked());
    let boxes: Vec<_> = few
        .into_iter()
        .map(|step| {
            view! {
                <label><input type="checkbox" prop:checked=flag(move || ticked.with(|steps| steps.contains(&step)))
                    on:change=move |_| toggle(step) />{grouped(step.into())}</label>
            }
        })
        .collect();
    let by_hand = move || lab.fit_form.value.with(|config| !config.sources.is_empty());
    view! {
        <fieldset class="field" id="xc-sources">
            <legend><h3>"Checkpoints to compare"</h3></legend>
            <p class="help">{text(reason)}</p>
            <div class="chips">{boxes}</div>
            <div class="row">
                <button type="button" class="small-button" id="spread-sources" on:click=move |_| spread(lab, 5, false)>"Five, evenly"</button>
                <button type="button" class="small-button" on:click=move |_| spread(lab, 5, true)>"Five, by doubling"</button>
                <button type="button" class="small-button" id="compare-sources" on:click=move |_| compare(lab)>"How alike are they?"</button>
                <button hidden=flag(move || !by_hand()) type="button" class="small-button"
                    on:click=move |_| lab.fit_form.value.update(|config| config.sources.clear())>"Pick from the curves"</button>
            </div>
            {part(move || lab.alike.get().map(|found| likeness(lab, found, ticked)))}
        </fieldset>
    }
    .into_any()
}

/// At most this many boxes.
const MAX_CHIPS: usize = 48;

/// Every n-th saved step, and all that must be there.
fn thinned(saved: &[u32], needed: &[u32]) -> Vec<u32> {
    let every = saved.len().div_ceil(MAX_CHIPS).max(1);
    let last = saved.len().saturating_sub(1);
    let kept = saved.iter().enumerate().filter(|(index, step)| index % every == 0 || *index == last || needed.contains(step));
    kept.map(|(_, step)| *step).collect()
}

/// Takes a step into the sources, or out of them.
fn toggle(lab: Lab, mut steps: Vec<u32>, step: u32) {
    if let Some(at) = steps.iter().position(|known| *known == step) {
        steps.remove(at);
    } else {
        steps.insert(steps.partition_point(|known| *known < step), step);
    }
    lab.fit_form.value.update(|config| config.sources = steps);
}

/// So many saved steps, evenly or each about as many times the one before.
fn spread(lab: Lab, count: usize, by_doubling: bool) {
    let saved: Vec<u32> = lab.checkpoints.with_untracked(|all| all.iter().map(|checkpoint| checkpoint.step).collect());
    lab.fit_form.value.update(|config| config.sources = spread_steps(&saved, count, by_doubling));
}

/// Asks how alike the activations of some two dozen checkpoints are.
fn compare(lab: Lab) {
    let Some(experiment) = lab.run.with_untracked(|run| run.as_ref().map(|run| run.experiment.clone())) else { return };
    let hook = lab.fit_form.value.with_untracked(|config| config.hook);
    let saved: Vec<u32> = lab.checkpoints.with_untracked(|all| all.iter().map(|checkpoint| checkpoint.step).collect());
    let chosen = spread_steps(&saved, MOST_COMPARED, false);
    let wanted = |checkpoint: &&Checkpoint| chosen.contains(&checkpoint.step);
    let checkpoints = lab.checkpoints.with_untracked(|all| all.iter().filter(wanted).cloned().collect());
    send(lab, &Command::Compare(experiment, hook, checkpoints));
}

/// At most this many checkpoints are compared.
const MOST_COMPARED: usize = 24;

/// How alike the activations of checkpoints at a hook are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Likeness {
    pub(super) hook: Hook,
    pub(super) steps: Vec<u32>,
    /// `[steps, steps]`.
    pub(super) values: Vec<f32>,
}

/// The figure, if it is of the hook that the next fit reads; what was read elsewhere says nothing of it.
fn likeness(lab: Lab, found: Likeness, ticked: Memo<Vec<u32>>) -> AnyView {
    if found.hook == lab.fit_form.value.with(|config| config.hook) {
        return alike(lab, found.steps, found.values, ticked);
    }
    let words = format!("The likeness that was asked for is of {}. Ask again for this hook.", found.hook.name());
    view! { <p class="small muted" id="other-hook">{words}</p> }.into_any()
}

/// The matrix of likeness; a click takes a checkpoint into the sources or out of them.
fn alike(lab: Lab, steps: Vec<u32>, values: Vec<f32>, ticked: Memo<Vec<u32>>) -> AnyView {
    let frame = RwSignal::new(None::<GridFrame>);
    let names: Vec<String> = steps.iter().map(u32::to_string).collect();
    let count = steps.len();
    let draw = move |show: &mut Show<'_>| {
        let map = HeatMap {
            rows: count,
            columns: count,
            values: &values,
            range: Some((0.0, 1.0)),
            palette: Palette::Sequential,
            row_label: "the same checkpoints, by number".into(),
            column_label: "checkpoint at step".into(),
            column_names: Some(names.clone()),
            row_names: Some(names.clone()),
            selected_row: None,
            origin_top: true,
            caption_range: true,
        };
        keep(frame, show(&Picture::HeatMap(map)).and_then(Place::grid));
    };
    let pick = move |event: web_sys::MouseEvent| {
        let cell = frame.get_untracked().and_then(|f| f.cell_at(f64::from(event.offset_x()), f64::from(event.offset_y())));
        if let Some(step) = cell.and_then(|(row, _)| steps.get(row).copied()) {
            toggle(lab, ticked.get_untracked(), step);
        }
    };
    let stem = move || of_experiment(lab, "checkpoint-likeness");
    let sheet = named_sheet(lab, "likeness-map", move || format!("Likeness of {count} checkpoints"), stem, draw, ().into_any());
    figure(
        "How alike the checkpoints are",
        ().into_any(),
        sheet.within(|canvas| {
            view! { <div style="--height:22rem;--height-narrow:20rem;cursor:pointer" on:click=pick>{canvas}</div> }.into_any()
        }),
        "Linear CKA of the activations at the chosen hook: 1 where two checkpoints tell inputs apart in the same way, whatever their basis. Blocks along the diagonal are phases in which little changes; compare across their borders. A high value is no evidence that the same features are there. Click a row to take that checkpoint, or leave it."
            .into_any(),
    )
}
