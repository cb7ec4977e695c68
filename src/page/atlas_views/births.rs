//! Births by checkpoint, by class or by how sure the absence before is, beside the losses over the same steps.

use super::inks::ink_of;
use super::label_of;
use crate::crosscoder::CrosscoderResult;
use crate::crosscoder::views::{BirthVerdict, births_by_class, births_by_verdict};
use crate::page::chart::{Show, figure, named_sheet, of_experiment, switch};
use crate::page::store::{Lab, grouped};
use crate::plot::{Axis, Columns, Curves, Ink, Layer, Mark, Picture, Scale, Series, Slots};
use leptos::prelude::*;
use std::sync::Arc;

fn ink_of_verdict(verdict: BirthVerdict) -> Ink {
    match verdict {
        BirthVerdict::Confirmed => Ink::Accent,
        BirthVerdict::Doubtful => Ink::Source(2),
        BirthVerdict::Grown => Ink::Source(5),
    }
}

pub(super) fn view(lab: Lab, fit: &Arc<CrosscoderResult>) -> AnyView {
    // Several hooks of one step have no stretch of training between them, a null fit has one step, and a file no losses.
    let has_time =
        fit.foreign_rows().is_none() && fit.sources.len() > 1 && fit.sources.windows(2).all(|pair| pair[0].step < pair[1].step);
    view! { <div class="charts">{births(lab, fit)}{has_time.then(|| losses(lab, fit))}</div> }.into_any()
}

fn births(lab: Lab, fit: &Arc<CrosscoderResult>) -> AnyView {
    let (by_class, by_verdict) = (births_by_class(fit), births_by_verdict(fit));
    let before = by_class.before;
    let total: u32 = by_class.groups.iter().flat_map(|(_, counts)| counts).sum();
    if total == 0 {
        let words = "Nothing was born between these checkpoints: every latent that fires is there from the first one on.";
        return view! { <p class="card notice" id="no-births">{words}</p> }.into_any();
    }
    let named = |label: &str, ink: Ink, counts: &[u32]| {
        // Nothing can be born at the first source.
        (label.to_owned(), ink, counts.iter().skip(1).map(|count| f64::from(*count)).collect::<Vec<f64>>())
    };
    let groups = [
        by_class.groups.iter().map(|(class, counts)| named(class.name(), ink_of(*class), counts)).collect::<Vec<_>>(),
        by_verdict.groups.iter().map(|(verdict, counts)| named(verdict.name(), ink_of_verdict(*verdict), counts)).collect(),
    ];
    let by_sureness = RwSignal::new(false);
    let names: Vec<String> =
        fit.sources.windows(2).map(|pair| format!("{} – {}", label_of(&pair[0]), label_of(&pair[1]))).collect();
    let draw = move |show: &mut Show<'_>| {
        let groups = &groups[usize::from(by_sureness.get())];
        let layers: Vec<Layer<'_>> = groups.iter().map(|(label, ink, values)| Layer { label, ink: *ink, values }).collect();
        show(&Picture::Columns(Columns {
            slots: Slots::Names(&names),
            layers: &layers,
            beside: false,
            numbered: true,
            x: Axis::linear("between the checkpoints at steps"),
            y: Axis::count("latents born", Scale::Linear),
            guides: &[],
        }));
    };
    let told: Vec<String> =
        fit.lifetimes().iter().map(|(step, words)| format!("step {}: {words}", grouped((*step).into()))).collect();
    let label = format!("Births between checkpoints. {}", told.join(". "));
    let name = fit.config.name.clone();
    let stem = move || of_experiment(lab, &format!("{name}-births"));
    let first = fit.sources.first().map_or_else(String::new, label_of);
    figure(
        "When were they born?",
        switch("Colours", ["class", "how sure"], by_sureness),
        named_sheet(lab, "fit-births", move || label.clone(), stem, draw, ().into_any())
            .within(|canvas| view! { <div style="--height:20rem">{canvas}</div> }.into_any()),
        format!("{total} births; {before} more latents are there at the first checkpoint (step {first}) and are not counted.")
            .into_any(),
    )
}

/// The losses from the first compared checkpoint to the last.
fn losses(lab: Lab, fit: &Arc<CrosscoderResult>) -> AnyView {
    let steps: Vec<f64> = fit.sources.iter().map(|source| f64::from(source.step)).collect();
    let marks: Vec<Mark> =
        fit.sources.iter().map(|source| Mark::event(f64::from(source.step), grouped(source.step.into()))).collect();
    let (from, to) = (steps.first().copied().unwrap_or(0.0), steps.last().copied().unwrap_or(1.0));
    let is_shown = move |point: &(f64, f64)| point.0 >= from && point.0 <= to;
    let draw = move |show: &mut Show<'_>| {
        let of_rows = |loss: fn(&crate::record::MetricRow) -> f32| -> Vec<(f64, f64)> {
            let point = |row: &crate::record::MetricRow| (f64::from(row.step), f64::from(loss(row)));
            lab.rows.with(|rows| rows.iter().map(point).filter(is_shown).collect())
        };
        let measured = |name: &str| -> Vec<(f64, f64)> {
            let curve = lab.measures.with(|table| table.curve(name));
            curve.into_iter().map(|(step, value)| (f64::from(step), value)).filter(is_shown).collect()
        };
        let lines = [
            ("test", Ink::Test, of_rows(|row| row.test_loss)),
            ("train", Ink::Train, of_rows(|row| row.train_loss)),
            ("restricted", Ink::Source(0), measured("restricted_loss")),
            ("excluded", Ink::Source(2), measured("excluded_loss")),
        ];
        let series: Vec<Series<'_>> = lines
            .iter()
            .filter(|(.., points)| !points.is_empty())
            .map(|(label, ink, points)| Series { label, ink: *ink, dashed: false, points })
            .collect();
        show(&Picture::Curves(Curves {
            series: &series,
            x: Axis { range: Some((from, to)), ..Axis::count("step", Scale::Linear) },
            y: Axis::log("loss"),
            marks: &marks,
            ticks: &[],
            cursor: None,
            bands: &[],
            areas: &[],
        }));
    };
    let name = fit.config.name.clone();
    let stem = move || of_experiment(lab, &format!("{name}-births-losses"));
    let label = || "Losses from the first compared checkpoint to the last".to_owned();
    figure(
        "What happened meanwhile?",
        ().into_any(),
        named_sheet(lab, "fit-births-losses", label, stem, draw, ().into_any())
            .within(|canvas| view! { <div style="--height:20rem">{canvas}</div> }.into_any()),
        "The losses from the first compared checkpoint to the last; lines mark the compared checkpoints.".into_any(),
    )
}
