//! Births by checkpoint, by class or by how sure the absence before is.

use super::inks::ink_of;
use crate::crosscoder::CrosscoderResult;
use crate::crosscoder::views::{BirthVerdict, births_by_class, births_by_verdict};
use crate::page::chart::{Show, figure, named_sheet, of_experiment, switch};
use crate::page::store::{Lab, grouped};
use crate::plot::{Axis, Columns, Ink, Layer, Picture, Scale, Slots};
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
    let (by_class, by_verdict) = (births_by_class(fit), births_by_verdict(fit));
    let before = by_class.before;
    let total: u32 = by_class.groups.iter().flat_map(|(_, counts)| counts).sum();
    let named = |label: &str, ink: Ink, counts: &[u32]| {
        // Nothing can be born at the first source.
        (label.to_owned(), ink, counts.iter().skip(1).map(|count| f64::from(*count)).collect::<Vec<f64>>())
    };
    let groups = [
        by_class.groups.iter().map(|(class, counts)| named(class.name(), ink_of(*class), counts)).collect::<Vec<_>>(),
        by_verdict.groups.iter().map(|(verdict, counts)| named(verdict.name(), ink_of_verdict(*verdict), counts)).collect(),
    ];
    let by_sureness = RwSignal::new(false);
    let steps: Vec<f64> = fit.sources.iter().map(|source| f64::from(source.step)).collect();
    let names: Vec<String> = fit.sources.iter().skip(1).map(|source| source.label()).collect();
    // Several hooks of one step have no stretch of training between them.
    let is_in_time = steps.windows(2).all(|pair| pair[0] < pair[1]);
    let edges: Vec<(f64, f64)> = steps.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let draw = move |show: &mut Show<'_>| {
        let groups = &groups[usize::from(by_sureness.get())];
        let layers: Vec<Layer<'_>> = groups.iter().map(|(label, ink, values)| Layer { label, ink: *ink, values }).collect();
        let in_time = Axis::count("step", lab.x_scale.get());
        let (slots, x) =
            if is_in_time { (Slots::Edges(&edges), in_time) } else { (Slots::Names(&names), Axis::linear("checkpoint")) };
        let y = Axis::count("latents born", Scale::Linear);
        show(&Picture::Columns(Columns { slots, layers: &layers, beside: false, numbered: true, x, y, guides: &[] }));
    };
    let told: Vec<String> =
        fit.lifetimes().iter().map(|(step, words)| format!("step {}: {words}", grouped((*step).into()))).collect();
    let label = format!("Births between checkpoints. {}", told.join(". "));
    let name = fit.config.name.clone();
    let stem = move || of_experiment(lab, &format!("{name}-births"));
    let first = fit.sources.first().map_or_else(String::new, |source| source.label());
    let caption = format!(
        "{total} births; {before} more latents are there at the first checkpoint (step {first}) and are not counted. The losses over the same steps are under “Born and last seen”."
    );
    figure(
        "When were they born?",
        switch("Colours", ["class", "how sure"], by_sureness),
        named_sheet(lab, "fit-births", move || label.clone(), stem, draw, ().into_any())
            .within(|canvas| view! { <div style="--height:20rem">{canvas}</div> }.into_any()),
        caption.into_any(),
    )
}
