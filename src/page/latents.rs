//! What a fit found: a sentence, the heat-map of all latents over the checkpoints, and one of them (`latent`).

use super::atlas::mark_of;
use super::atlas_views::atlas_views;
use super::causal::causal;
use super::chart::{Show, figure, keep, named_sheet, of_experiment};
use super::keys::choose_by_arrow;
use super::latent::latent_card;
use super::lifetimes::lifetimes;
use super::live::text;
use super::selection::selection;
use super::share::{file_name, offer, offer_report};
use super::store::Lab;
use crate::crosscoder::{CrosscoderResult, Hook, Latent, LatentClass, Origin};
use crate::plot::{GridFrame, HeatMap, Palette, Picture, Place};
use leptos::prelude::*;
use std::sync::Arc;

/// Latents as rows of the heat-map: by class, then by the source in which they are born (relative norm above one half first).
fn ordered(fit: &CrosscoderResult, only: Option<LatentClass>) -> Vec<u32> {
    let rank = |latent: &Latent| LatentClass::ALL.iter().position(|class| *class == latent.class);
    let birth = |latent: &Latent| latent.relative.iter().position(|r| *r > 0.5).unwrap_or(usize::MAX);
    let strongest = |latent: &Latent| latent.norms.iter().copied().fold(0.0, f32::max);
    let mut shown: Vec<&Latent> = fit
        .latents
        .iter()
        .filter(|latent| latent.class != LatentClass::Dead && only.is_none_or(|class| latent.class == class))
        .collect();
    shown.sort_by(|a, b| (rank(a), birth(a)).cmp(&(rank(b), birth(b))).then(strongest(b).total_cmp(&strongest(a))));
    shown.into_iter().map(|latent| latent.index).collect()
}

/// The whole result.
pub(super) fn result(lab: Lab, fit: Arc<CrosscoderResult>) -> AnyView {
    lab.sets.belong_to(lab, &fit);
    let only = RwSignal::new(None::<LatentClass>);
    let of_order = fit.clone();
    let order = Memo::new(move |_| ordered(&of_order, only.get()));
    // A picture at once: the first latent of the order, unless the address or a click named another.
    if lab.latent.get_untracked().is_none_or(|latent| latent as usize >= fit.latents.len()) {
        lab.latent.set(order.with_untracked(|order| order.first().copied()));
    }
    view! {
        {summary(lab, &fit)}
        <div class="atlas">
            {overview(lab, fit.clone(), order, only)}
            {latent_card(lab, fit.clone(), order)}
        </div>
        {atlas_views(lab, &fit, ordered(&fit, None))}
        {lifetimes(lab, &fit)}
        {causal(lab, &fit)}
        {selection(lab, fit, order)}
    }
    .into_any()
}

fn summary(lab: Lab, fit: &Arc<CrosscoderResult>) -> AnyView {
    let reported = fit.clone();
    let listed = |values: &[f32]| values.iter().map(f32::to_string).collect::<Vec<_>>().join(",");
    let steps: Vec<String> = fit.sources.iter().map(|source| source.label()).collect();
    let null = fit.null();
    let judged = null.judge(fit);
    let holds = judged.as_ref().map(|judged| judged.holds.to_string());
    let percent: Vec<String> = fit.explained_variance.iter().map(|ev| format!("{:.0}%", 100.0 * ev)).collect();
    let born = if let Some(judged) = judged {
        let verdict = if judged.holds { "It does".to_owned() } else { format!("It does not: {}", null.otherwise()) };
        format!("A null: {}. It must show {}. It shows {}. {verdict}.", null.title(), null.must_show(), judged.found)
    } else {
        format!(
            "Of {} latents that fire, {} were born, {} of them confirmed by Latent Scaling (their absence is real, not shrinkage); {} vanished and {} are there in all checkpoints, of which {} turned their direction.",
            fit.alive,
            fit.emergent,
            fit.emergent_confirmed,
            fit.vanished,
            fit.shared,
            fit.count(LatentClass::Rotated)
        )
    };
    // With one gate for all sources; where each has its own, births are not hidden.
    let hides = fit.config.variant.counts() && !fit.config.variant.is_per_source();
    let contrast = hides.then_some(
        " One gate opens a latent for all checkpoints, so it serves each in a direction of its own (rotated) and births stay hidden at the same explained variance: compare with L1, or with a count for each checkpoint.",
    );
    let own: Vec<String> = fit.l0_per_source.iter().map(|l0| format!("{l0:.1}")).collect();
    let own = if own.is_empty() { String::new() } else { format!(" ({} for each checkpoint)", own.join(", ")) };
    let shares: Vec<String> = fit.predicted.iter().map(|share| format!("{:.0}%", 100.0 * share)).collect();
    let predicted = if shares.is_empty() {
        String::new()
    } else {
        format!("; each checkpoint predicted from the others by {}", shares.join(", "))
    };
    let hook = match fit.config.hook {
        _ if fit.foreign_rows().is_some() => "sources of the file",
        Hook::Embed => "input of the first layer",
        Hook::Pattern => "attention pattern",
        Hook::AttnOut => "output of attention",
        Hook::ResidMid => "residual stream after attention",
        Hook::MlpPre => "hidden neurons before their non-linearity",
        Hook::MlpPost => "hidden neurons",
        Hook::ResidPost => "residual stream",
        Hook::Logits => "logits",
    };
    let foreign = fit.foreign_rows();
    // Without classes there are no answers to fire for.
    let has_classes = foreign.is_none_or(|of| of.rows.labels.is_some());
    let over = if matches!(fit.origin, Some(Origin::Dictionary { .. })) { "over all inputs" } else { "held-out" };
    let link = fit.beyond_its_settings().map(|needed| {
        format!("A link can name this fit but not make it again: {needed} must be at hand. Send the archive of the run instead.")
    });
    let is_reportable = fit.origin.is_none();
    let dictionary = fit.clone();
    view! {
        <div class="card" id="fit-summary" data-name=fit.config.name.clone() data-ev=listed(&fit.explained_variance) data-l0=fit.l0.to_string()
            data-emergent=fit.emergent.to_string() data-confirmed=fit.emergent_confirmed.to_string()
            data-shared=fit.shared.to_string() data-vanished=fit.vanished.to_string() data-alive=fit.alive.to_string()
            data-residue-share=fit.residue_energy_share.to_string() data-sources=steps.join(",")
            data-null=null.name() data-null-holds=holds>
            {fit.origin.as_ref().map(origin_of)}
            <h2>{born}</h2>
            <p hidden=!has_classes>{format!("{:.0}% of the last checkpoint's decoder energy lies in latents that fire for a few values of the answer (residue features, η² above .8).", 100.0 * fit.residue_energy_share)}{contrast}</p>
            <p class="small muted" hidden=foreign.is_some()>"A sparse code turns the network's rotations into bumps over residues, not into single cosines: all key frequencies are active on every input, so no scalar latent can be one of them. That is why latents are scored by η², not by frequency."</p>
            <p class="small muted number">{format!("Explained variance ({over}) {} at steps {}; {:.1} of {} latents active per input{own}{predicted}; read at the {hook}; {:.0} s", percent.join(", "), steps.join(", "), fit.l0, fit.latents.len(), fit.wall_seconds)}</p>
            <div class="row">
                <button type="button" class="small-button" id="save-report" hidden=!is_reportable title="One HTML file: what was born when, how sure, what it does, what could still be wrong. Other fits of this run are its controls"
                    on:click=move |_| offer_report(lab, &reported)>"Save report"</button>
                <button type="button" class="small-button" id="save-dictionary" hidden=fit.weights.is_empty()
                    title="Encoder and decoder as safetensors, as docs/python.md describes them; it can be opened again here"
                    on:click=move |_| offer(lab, &format!("{}.safetensors", file_name(&dictionary.config.name)), "application/octet-stream", &dictionary.weights)>
                    "Save dictionary"</button>
            </div>
            {link.map(|words| view! { <p class="small muted" id="link-needs">{words}</p> })}
        </div>
    }
    .into_any()
}

/// Where it is from, for what came as a file.
fn origin_of(origin: &Origin) -> AnyView {
    let words = match origin {
        Origin::Activations(of) => format!(
            "Of the activations in {} (sources {}). There is no network behind the file: nothing was taken out of it, and there are no losses and no logits.",
            of.file,
            of.names.join(", ")
        ),
        Origin::Dictionary { file, layout, rule, on } => {
            let on = on.as_ref().map_or_else(String::new, |of| format!(" on the activations in {}", of.file));
            format!(
                "Imported from {file}{on}, written by {layout}, applied by {rule}; what it was trained with, the file does not say."
            )
        }
    };
    view! { <p class="small" id="fit-origin"><strong>{mark_of(origin)}</strong>". "{words}</p> }.into_any()
}

/// The heat-map of all latents.
fn overview(lab: Lab, fit: Arc<CrosscoderResult>, order: Memo<Vec<u32>>, only: RwSignal<Option<LatentClass>>) -> AnyView {
    let frame = RwSignal::new(None::<GridFrame>);
    let steps: Vec<String> = fit.sources.iter().map(|source| source.label()).collect();
    let columns = fit.sources.len();
    let drawn_fit = fit.clone();
    let draw = move |show: &mut Show<'_>| {
        let order = order.get();
        let relative =
            |latent: &u32| drawn_fit.latents.get(*latent as usize).map(|latent| latent.relative.clone()).unwrap_or_default();
        let values: Vec<f32> = order.iter().flat_map(relative).collect();
        let selected = lab.latent.get();
        let map = HeatMap {
            rows: order.len(),
            columns,
            values: &values,
            range: Some((0.0, 1.0)),
            palette: Palette::Sequential,
            row_label: "latents".into(),
            column_label: "checkpoint at step".into(),
            column_names: Some(steps.clone()),
            row_names: Some(order.iter().map(u32::to_string).collect()),
            selected_row: order.iter().position(|latent| Some(*latent) == selected),
            origin_top: true,
            caption_range: true,
        };
        keep(frame, show(&Picture::HeatMap(map)).and_then(Place::grid));
    };
    let pick = move |event: web_sys::MouseEvent| {
        let cell = frame.get_untracked().and_then(|f| f.cell_at(f64::from(event.offset_x()), f64::from(event.offset_y())));
        if let Some((row, _)) = cell
            && let Some(latent) = order.with_untracked(|order| order.get(row).copied())
        {
            lab.latent.set(Some(latent));
        }
    };
    let by_key = move |event: web_sys::KeyboardEvent| order.with_untracked(|order| choose_by_arrow(lab, order, &event));
    let living = LatentClass::ALL.into_iter().filter(|class| *class != LatentClass::Dead);
    let found = living.map(|class| (Some(class), class.name(), fit.count(class))).filter(|(.., count)| *count > 0);
    let filters: Vec<_> = core::iter::once((None, "all", fit.alive as usize))
        .chain(found)
        .map(|(class, name, count)| {
            view! {
                <button type="button" aria-pressed=text(move || (only.get() == class).to_string()) on:click=move |_| only.set(class)>
                    {name}" "<span class="number">{count}</span>
                </button>
            }
        })
        .collect();
    let label = move || format!("{} latents by {columns} checkpoints, relative decoder norm", order.with(Vec::len));
    let name = fit.config.name.clone();
    let stem = move || of_experiment(lab, &format!("{name}-latent-heat-map"));
    let sheet = named_sheet(lab, "latent-heat-map", label, stem, draw, ().into_any());
    figure(
        "All latents",
        view! { <div class="switch" role="group" aria-label="Class">{filters}</div> }.into_any(),
        sheet.within(|canvas| {
            view! {
                <div style="--height:34rem;--height-narrow:26rem;cursor:pointer" tabindex="0" role="group"
                    aria-label="Latents; choose one with the arrow keys" on:click=pick on:keydown=by_key>{canvas}</div>
            }
            .into_any()
        }),
        "Each row is a latent, each column a checkpoint; the shade is its decoder norm there, relative to its largest. Emergent ones are pale on the left and strong on the right. Click a row, or use the arrow keys."
            .into_any(),
    )
}
