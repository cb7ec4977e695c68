//! Norms and directions of all latents between two checkpoints.

use super::inks::ink_of;
use super::label_of;
use crate::crosscoder::views::{histogram, norm_shares, pair_cosines};
use crate::crosscoder::{CrosscoderResult, LatentClass};
use crate::page::chart::{Show, figure, named_sheet, of_experiment};
use crate::page::live::{flag, text};
use crate::page::store::Lab;
use crate::plot::{Axis, Columns, Guide, Ink, Layer, NumberFormat, Picture, Scale, Slots, log_counts};
use leptos::prelude::*;
use std::sync::Arc;

/// Parts of both histograms.
const PARTS: usize = 40;

/// The pairs to choose from: first and last, neighbours, then all others.
fn pairs(sources: usize) -> Vec<(usize, usize)> {
    let all = (0..sources).flat_map(|from| (from + 1..sources).map(move |to| (from, to)));
    let ends = (0, sources.saturating_sub(1));
    let mut found: Vec<(usize, usize)> = all.collect();
    found.sort_by_key(|pair| (*pair != ends, pair.1 - pair.0 > 1, *pair));
    found
}

/// From and to of each part.
fn edges((low, high): (f64, f64)) -> Vec<(f64, f64)> {
    let at = |part: usize| low + (high - low) * part as f64 / PARTS as f64;
    (0..PARTS).map(|part| (at(part), at(part + 1))).collect()
}

pub(super) fn view(lab: Lab, fit: Arc<CrosscoderResult>) -> AnyView {
    let pairs = pairs(fit.sources.len());
    if pairs.is_empty() {
        return view! { <p class="muted">"This fit has one source; there is nothing to compare it with."</p> }.into_any();
    }
    let chosen = RwSignal::new(0usize);
    let named = {
        let labels: Vec<String> = fit.sources.iter().map(label_of).collect();
        move |(from, to): (usize, usize)| format!("{} and {}", labels[from], labels[to])
    };
    let options: Vec<_> = pairs
        .iter()
        .enumerate()
        .map(|(index, pair)| {
            view! { <option value=index.to_string() selected=flag(move || chosen.get() == index)>{named(*pair)}</option> }
        })
        .collect();
    let choose = move |event| {
        if let Ok(index) = event_target_value(&event).parse() {
            chosen.set(index);
        }
    };
    let pairs = StoredValue::new(pairs);
    let pair = move || pairs.with_value(|pairs| pairs.get(chosen.get()).copied()).unwrap_or_default();
    view! {
        <div class="row">
            <label for="pair-choice" class="small muted">"Checkpoints"</label>
            <select id="pair-choice" prop:value=text(move || chosen.get().to_string()) on:change=choose>{options}</select>
        </div>
        <div class="charts">{norms(lab, fit.clone(), pair)}{cosines(lab, fit, pair)}</div>
    }
    .into_any()
}

fn norms(lab: Lab, fit: Arc<CrosscoderResult>, pair: impl Fn() -> (usize, usize) + Copy + Send + 'static) -> AnyView {
    let (name, drawn) = (fit.config.name.clone(), fit);
    let labels: Vec<String> = drawn.sources.iter().map(label_of).collect();
    let draw = move |show: &mut Show<'_>| {
        let (from, to) = pair();
        let shares = norm_shares(&drawn, from, to);
        let of = |class: LatentClass| {
            let values = shares.iter().filter(|(own, _)| *own == class).map(|(_, share)| *share);
            histogram(values, (0.0, 1.0), PARTS).into_iter().map(f64::from).collect::<Vec<f64>>()
        };
        let present = LatentClass::ALL.into_iter().filter(|class| shares.iter().any(|(own, _)| own == class));
        let counts: Vec<(LatentClass, Vec<f64>)> = present.map(|class| (class, of(class))).collect();
        let layers: Vec<Layer<'_>> =
            counts.iter().map(|(class, values)| Layer { label: class.name(), ink: ink_of(*class), values }).collect();
        let label = format!("share of the norm that is at step {}", labels.get(to).map_or("", String::as_str));
        show(&Picture::Columns(Columns {
            slots: Slots::Edges(&edges((0.0, 1.0))),
            layers: &layers,
            beside: false,
            numbered: false,
            x: Axis { range: Some((0.0, 1.0)), format: NumberFormat::Percent, ..Axis::linear(label) },
            y: Axis::count("latents", Scale::Linear),
            guides: &[Guide::X(0.5, "")],
        }));
    };
    let stem = move || of_experiment(lab, &format!("{name}-norm-shares"));
    let label = || "Histogram of the share of each latent's decoder norm that belongs to the later checkpoint".to_owned();
    figure(
        "Where is their norm?",
        ().into_any(),
        named_sheet(lab, "fit-norm-shares", label, stem, draw, ().into_any())
            .within(|canvas| view! { <div style="--height:20rem">{canvas}</div> }.into_any()),
        "n₂ / (n₁ + n₂) of the decoder norms in raw activation units: left only in the earlier, right only in the later. Activations that shrink or grow as a whole move all of it.".into_any(),
    )
}

fn cosines(lab: Lab, fit: Arc<CrosscoderResult>, pair: impl Fn() -> (usize, usize) + Copy + Send + 'static) -> AnyView {
    let (name, drawn) = (fit.config.name.clone(), fit);
    let of_words = drawn.clone();
    let draw = move |show: &mut Show<'_>| {
        let (from, to) = pair();
        let found = pair_cosines(&drawn, from, to).into_iter().map(|(_, cosine)| cosine);
        let counts: Vec<f64> = histogram(found, (-1.0, 1.0), PARTS).into_iter().map(f64::from).collect();
        show(&Picture::Columns(Columns {
            slots: Slots::Edges(&edges((-1.0, 1.0))),
            layers: &[Layer { label: "", ink: Ink::Accent, values: &counts }],
            beside: false,
            numbered: false,
            x: Axis { range: Some((-1.0, 1.0)), ..Axis::linear("cosine of the two decoder vectors") },
            y: log_counts("latents (logarithmic)"),
            guides: &[Guide::X(0.0, "")],
        }));
    };
    let said = move || {
        let (from, to) = pair();
        let found = pair_cosines(&of_words, from, to);
        let turned = found.iter().filter(|(_, cosine)| *cosine < crate::crosscoder::ROTATED_BELOW).count();
        match found.len() {
            0 => "No latent is present (relative norm of at least ½) at both checkpoints.".to_owned(),
            count => format!(
                "{count} latents are present (relative norm of at least ½) at both checkpoints; {turned} of them turned (cosine below .5)."
            ),
        }
    };
    let stem = move || of_experiment(lab, &format!("{name}-cosines"));
    let label =
        || "Histogram of the cosines between the decoder vectors of latents that are present at both checkpoints".to_owned();
    figure(
        "Did their direction stay?",
        ().into_any(),
        named_sheet(lab, "fit-cosines", label, stem, draw, ().into_any())
            .within(|canvas| view! { <div style="--height:20rem">{canvas}</div> }.into_any()),
        view! { {text(said)} }.into_any(),
    )
}
