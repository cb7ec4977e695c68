//! Which frequencies (or representations) the weights use: at the time slider, and over the run.

use super::looking;
use crate::measure::{Ablation, Harmonics};
use crate::page::chart::{Sheet, Show, figure, keep, named_sheet, of_experiment, sheet};
use crate::page::live::{flag, part, text};
use crate::page::store::{Lab, grouped};
use crate::plot::{Bars, Frame, GridFrame, HeatMap, Palette, Picture, Place};
use leptos::prelude::*;

/// Whose spectrum: the column and its name on the page. Inputs and outputs are the weights that read tokens and that answer.
const TABLES: [(&str, &str); 3] = [("spectrum", "inputs"), ("neurons_per_frequency", "neurons"), ("output_spectrum", "outputs")];

/// What components are called, and the name of each.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Components {
    pub(super) noun: &'static str,
    pub(super) labels: Vec<String>,
    pub(super) is_cyclic: bool,
}

/// The components of the run's task; empty without a group.
pub(super) fn components(lab: Lab) -> Memo<Components> {
    let experiment = Memo::new(move |_| lab.run.with(|run| run.as_ref().map(|run| run.experiment.clone())));
    Memo::new(move |_| {
        let found = experiment.with(|experiment| experiment.as_ref().and_then(|experiment| Harmonics::of(experiment).ok()));
        found.map_or_else(Components::default, |harmonics| Components {
            noun: harmonics.noun(),
            labels: harmonics.components.iter().map(|component| component.label.clone()).collect(),
            is_cyclic: harmonics.is_cyclic,
        })
    })
}

/// The switch between the tables.
fn chooser(label: &'static str, chosen: RwSignal<usize>) -> AnyView {
    let buttons: Vec<_> = TABLES
        .iter()
        .enumerate()
        .map(|(index, (_, name))| {
            view! { <button type="button" aria-pressed=text(move || (chosen.get() == index).to_string()) on:click=move |_| chosen.set(index)>{*name}</button> }
        })
        .collect();
    view! { <div class="switch" role="group" aria-label=label>{buttons}</div> }.into_any()
}

fn list(lab: Lab, step: Option<u32>, column: &str) -> Vec<f32> {
    let found = step.and_then(|step| lab.measures.with(|table| table.get(step, column)?.list().map(<[f64]>::to_vec)));
    found.unwrap_or_default().into_iter().map(|value| value as f32).collect()
}

/// The spectrum at the time slider. A click takes a component out.
pub(super) fn now(lab: Lab) -> AnyView {
    let names = components(lab);
    let table = RwSignal::new(0usize);
    let frame = RwSignal::new(None::<Frame>);
    let keys = Memo::new(move |_| lab.measures.with(|table| table.keys.as_ref().map_or_else(Vec::new, |(_, keys)| keys.clone())));
    let draw = move |show: &mut Show<'_>| {
        let values = list(lab, lab.time_step(), TABLES[table.get()].0);
        // Where every component is a key, naming them all names none.
        let keys = keys.with(|keys| if keys.len() * 2 <= values.len() { keys.clone() } else { Vec::new() });
        let bars = Bars {
            values: &values,
            first_index: 1,
            x_label: names.with(|names| if names.noun.is_empty() { "component".into() } else { format!("{} k", names.noun) }),
            y_label: "share".into(),
            highlight: &keys,
        };
        keep(frame, show(&Picture::Bars(bars)).and_then(Place::frame));
    };
    let pick = move |event: web_sys::MouseEvent| {
        let count = names.with_untracked(|names| names.labels.len());
        if let Some(frame) = frame.get_untracked() {
            let index = frame.x_at(f64::from(event.offset_x())).round() - 1.0;
            if index >= 0.0 && (index as usize) < count {
                looking::toggle(lab, Ablation::Component(index as u32));
            }
        }
    };
    let label = move || format!("Share of each component in the {} at the time slider", TABLES[table.get()].1);
    let stem = move || of_experiment(lab, &format!("spectrum-chart-step-{}", lab.time_step().unwrap_or(0)));
    let sheet = named_sheet(lab, "spectrum-chart", label, stem, draw, ().into_any())
        .within(|canvas| view! { <div style="cursor:pointer" on:click=pick>{canvas}</div> }.into_any());
    let typed = move |event: web_sys::Event| {
        if let Ok(number) = event_target_value(&event).parse::<u32>()
            && number >= 1
            && (number as usize) <= names.with_untracked(|names| names.labels.len())
        {
            looking::toggle(lab, Ablation::Component(number - 1));
        }
    };
    let most = move || names.with(|names| names.labels.len().to_string());
    let controls = view! {
        <div class="row">
            {chooser("Spectrum of", table)}
            <label class="small muted" for="ablate-component">"Take out"</label>
            <input type="number" id="ablate-component" class="narrow" min="1" max=text(most) placeholder="k" on:change=typed />
        </div>
    };
    figure(
        "Spectrum at this step",
        controls.into_any(),
        sheet,
        view! {
            "Share of each component in the weights that read tokens (or answer), or of the neurons that compute with it; key ones carry their number. A flat row is memory, or a wide network that uses every frequency, one per neuron: then the participation ratio is high. Click a bar to take that component out of what the network reads."
            <span hidden=flag(move || names.with(|n| n.is_cyclic || n.labels.is_empty()))>" Components: "{text(move || names.with(|n| n.labels.iter().enumerate().map(|(i, l)| format!("{} is {l}", i + 1)).collect::<Vec<_>>().join(", ")))}"."</span>
        }
        .into_any(),
    )
}

/// The spectrum of every checkpoint.
pub(super) fn history(lab: Lab) -> AnyView {
    let table = RwSignal::new(0usize);
    let frame = RwSignal::new(None::<GridFrame>);
    let column = move || TABLES[table.get()].0;
    let steps = Memo::new(move |_| {
        lab.measures.with(|all| {
            all.rows
                .iter()
                .filter(|(_, row)| row.get(column()).is_some_and(|v| v.list().is_some()))
                .map(|(step, _)| *step)
                .collect::<Vec<u32>>()
        })
    });
    let draw = move |show: &mut Show<'_>| {
        let steps = steps.get();
        let columns: Vec<Vec<f32>> = steps.iter().map(|step| list(lab, Some(*step), column())).collect();
        // Row k is component k; row 0, the constant, is not part of the spectrum and stays blank.
        let rows = columns.first().map_or(0, |column| column.len() + 1);
        let value = |row: usize, column: &Vec<f32>| row.checked_sub(1).and_then(|k| column.get(k)).copied().unwrap_or(f32::NAN);
        let values: Vec<f32> = (0..rows).flat_map(|row| columns.iter().map(move |column| value(row, column))).collect();
        let map = HeatMap {
            rows,
            columns: columns.len(),
            values: &values,
            range: None,
            palette: Palette::Sequential,
            row_label: "component k".into(),
            column_label: "step".into(),
            column_names: Some(steps.iter().map(|step| grouped((*step).into())).collect()),
            row_names: None,
            selected_row: None,
            origin_top: false,
            caption_range: true,
        };
        keep(frame, show(&Picture::HeatMap(map)).and_then(Place::grid));
    };
    let scrub = move |event: web_sys::MouseEvent| {
        let cell = frame.get_untracked().and_then(|f| f.cell_at(f64::from(event.offset_x()), f64::from(event.offset_y())));
        if let Some((_, column)) = cell {
            lab.time.set(steps.with_untracked(|steps| steps.get(column).copied()));
        }
    };
    let cursor = move || {
        let (frame, step) = (frame.get()?, lab.time_step()?);
        let column = steps.with(|steps| steps.iter().position(|known| *known == step))?;
        let left = frame.left + frame.width * (column as f64 + 0.5) / frame.columns as f64;
        let style = format!("left:{left:.1}px;top:{:.1}px;height:{:.1}px", frame.top, frame.height);
        Some(view! { <span class="cursor" style=style></span> }.into_any())
    };
    let overlay = view! { <div class="overlay">{part(cursor)}</div> }.into_any();
    let label = move || format!("Spectrum of the {} at each of {} checkpoints", TABLES[table.get()].1, steps.with(Vec::len));
    let sheet: Sheet =
        sheet(lab, "spectrum-map", label, draw, overlay).within(|canvas| view! { <div on:click=scrub>{canvas}</div> }.into_any());
    figure(
        "Spectrum over the run",
        chooser("Spectrum over the run of", table),
        sheet,
        "Each column is a checkpoint, each row a component. Bands that appear are frequencies being chosen. Click to move the time slider.".into_any(),
    )
}
