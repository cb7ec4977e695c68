//! Any measure over the run, and any two against each other.
//!
//! Thirty charts would show nothing; so one strip with a choice, its definition beside it, and the correlation of two choices.

use crate::measure::{Column, Cost, Measure, column, measures_for};
use crate::page::chart::{Show, figure, keep, sheet};
use crate::page::live::{part, text};
use crate::page::store::Lab;
use crate::plot::{Axis, Curves, Frame, Ink, Picture, Place, Series};
use leptos::prelude::*;

/// Single numbers of all measures that have a meaning for the run.
fn choices(lab: Lab) -> Vec<(&'static Measure, &'static Column)> {
    let experiment = lab.shown_experiment();
    measures_for(&experiment, Cost::Training)
        .into_iter()
        .flat_map(|measure| measure.columns.iter().filter(|column| column.over.is_none()).map(move |column| (measure, column)))
        .collect()
}

fn select(lab: Lab, id: &'static str, label: &'static str, chosen: RwSignal<&'static str>) -> AnyView {
    let options: Vec<_> = choices(lab)
        .into_iter()
        .map(|(_, column)| view! { <option value=column.name selected=move || chosen.get() == column.name>{column.label}</option> })
        .collect();
    let change = move |event: web_sys::Event| {
        if let Some((_, found)) = column(&event_target_value(&event)) {
            chosen.set(found.name);
        }
    };
    view! { <label class="small muted" for=id>{label}</label><select id=id on:change=change>{options}</select> }.into_any()
}

/// The strip.
pub(super) fn strip(lab: Lab) -> AnyView {
    let known = untrack(|| choices(lab));
    let has = |name: &str| known.iter().any(|(_, column)| column.name == name);
    let first = known.first().map_or("norm", |(_, column)| column.name);
    let chosen = RwSignal::new(if has("mean_ipr") { "mean_ipr" } else { first });
    let other = RwSignal::new("norm");
    let frame = RwSignal::new(None::<Frame>);
    let curve = move |name: &str| -> Vec<(f64, f64)> {
        lab.measures.with(|table| table.curve(name)).into_iter().map(|(step, value)| (f64::from(step), value)).collect()
    };
    let draw = move |show: &mut Show<'_>| {
        let points = curve(chosen.get());
        let series = [Series { label: "", ink: Ink::Accent, dashed: false, points: &points }];
        let about = column(chosen.get()).map(|(_, column)| column);
        let name = about.map_or(String::new(), |column| {
            if column.unit.is_empty() { column.label.into() } else { format!("{} ({})", column.label, column.unit) }
        });
        let curves = Curves {
            series: &series,
            x: Axis::count("step", lab.x_scale.get()),
            y: Axis::linear(&name),
            marks: &[],
            ticks: &[],
            cursor: None,
            bands: &[],
            areas: &[],
        };
        keep(frame, show(&Picture::Curves(curves)).and_then(Place::frame));
    };
    let cursor = move || {
        let (frame, step) = (frame.get()?, lab.time_step()?);
        let left = frame.px_of_x(f64::from(step));
        let style = format!("left:{left:.1}px;top:{:.1}px;height:{:.1}px", frame.top, frame.height);
        left.is_finite().then(|| view! { <span class="cursor" style=style></span> }.into_any())
    };
    let here = move || {
        let step = lab.time_step()?;
        let value = lab.measures.with(|table| table.get(step, chosen.get()).cloned())?;
        Some(match value {
            crate::record::Value::Number(number) => format!("At step {step}: {number:.4}"),
            crate::record::Value::Absent(reason) => reason,
            crate::record::Value::List(_) => String::new(),
        })
    };
    let correlation = move || {
        let (x, y) = (lab.measures.with(|table| table.curve(chosen.get())), lab.measures.with(|table| table.curve(other.get())));
        let pairs: Vec<(f64, f64)> =
            x.iter().filter_map(|(step, value)| Some((*value, y.iter().find(|(s, _)| s == step)?.1))).collect();
        match crate::measure::rank_correlation(&pairs) {
            Some(rho) => format!("Rank correlation over {} checkpoints: {rho:.2}", pairs.len()),
            None => "Too few checkpoints with both".to_owned(),
        }
    };
    let about = move || {
        column(chosen.get()).map(|(measure, _)| {
            view! { {measure.definition}". "<em>{measure.not_evidence_of}</em>". "<span class="muted">{measure.source}"."</span> }.into_any()
        })
    };
    let sheet = sheet(
        lab,
        "measure-chart",
        move || format!("{} over steps", column(chosen.get()).map_or("", |(_, column)| column.label)),
        draw,
        view! { <div class="overlay">{part(cursor)}</div> }.into_any(),
    )
    .within(|canvas| view! { <div style="--height:14rem">{canvas}</div> }.into_any());
    figure(
        "Any measure",
        view! { <div class="row">{select(lab, "measure-choice", "Show", chosen)}{select(lab, "measure-other", "against", other)}</div> }.into_any(),
        sheet,
        view! { <span class="number" id="measure-here">{text(move || here().unwrap_or_default())}</span>" "<span class="number">{text(correlation)}</span>". "{part(about)} }.into_any(),
    )
}
