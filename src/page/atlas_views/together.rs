//! Which of the strongest latents fire on the same inputs.

use super::chosen::chosen;
use crate::crosscoder::CrosscoderResult;
use crate::crosscoder::views::{jaccard, strongest};
use crate::page::chart::{Show, figure, keep, named_sheet, of_experiment};
use crate::page::keys::choose_by_arrow;
use crate::page::live::text;
use crate::page::store::Lab;
use crate::plot::{GridFrame, HeatMap, Palette, Picture, Place};
use leptos::prelude::*;
use std::sync::Arc;

/// Most latents in the matrix: cells stay large enough for a finger.
const MOST: usize = 48;

pub(super) fn view(lab: Lab, fit: Arc<CrosscoderResult>, order: &[u32]) -> AnyView {
    let shown = strongest(&fit, order, MOST);
    if shown.is_empty() {
        return view! { <p class="muted">"This fit was kept without its activations. Fit it again to see which latents fire together."</p> }
            .into_any();
    }
    let count = shown.len();
    let overlap = jaccard(&fit, &shown);
    let names: Vec<String> = shown.iter().map(u32::to_string).collect();
    let stretches = stretches(&fit, &shown);
    let (shown, overlap) = (StoredValue::new(shown), StoredValue::new(overlap));
    let frame = RwSignal::new(None::<GridFrame>);
    let under = RwSignal::new(None::<(usize, usize)>);
    let place = move |latent: Option<u32>| shown.with_value(|shown| shown.iter().position(|known| Some(*known) == latent));
    let draw = move |show: &mut Show<'_>| {
        let selected_row = place(lab.latent.get());
        overlap.with_value(|overlap| {
            let map = HeatMap {
                rows: count,
                columns: count,
                values: overlap,
                range: Some((0.0, 1.0)),
                palette: Palette::Sequential,
                row_label: "latents, in the order of the heat-map".into(),
                column_label: "the same latents".into(),
                column_names: None,
                row_names: Some(names.clone()),
                selected_row,
                origin_top: true,
                caption_range: true,
            };
            keep(frame, show(&Picture::HeatMap(map)).and_then(Place::grid));
        });
    };
    let cell = move |event: &web_sys::MouseEvent| {
        frame.get_untracked().and_then(|frame| frame.cell_at(f64::from(event.offset_x()), f64::from(event.offset_y())))
    };
    let choose = move |row: Option<usize>| {
        if let Some(latent) = row.and_then(|row| shown.with_value(|shown| shown.get(row).copied())) {
            lab.latent.set(Some(latent));
        }
    };
    let follow = move |event: web_sys::PointerEvent| {
        let found = cell(&event);
        if under.get_untracked() != found {
            under.set(found);
        }
    };
    let by_key = move |event: web_sys::KeyboardEvent| shown.with_value(|shown| choose_by_arrow(lab, shown, &event));
    let of_words = fit.clone();
    let words = move || {
        let Some((row, column)) = under.get() else { return String::new() };
        let share = overlap.with_value(|overlap| overlap.get(row * count + column).copied().unwrap_or(0.0));
        shown.with_value(|shown| {
            let named = |index: usize| {
                let latent = shown.get(index).and_then(|latent| of_words.latents.get(*latent as usize))?;
                Some(format!("{} ({})", latent.index, latent.class.name()))
            };
            match (named(row), named(column)) {
                (Some(one), Some(other)) => format!("latents {one} and {other}: {:.0}%", 100.0 * share),
                _ => String::new(),
            }
        })
    };
    let name = fit.config.name.clone();
    let stem = move || of_experiment(lab, &format!("{name}-together"));
    let label = move || format!("Jaccard overlap of the inputs of the {count} strongest latents");
    let sheet = named_sheet(lab, "fit-together", label, stem, draw, ().into_any()).within(|canvas| {
        view! {
            <div class="cloud">
                <div>
                    <div style="--height:34rem;--height-narrow:min(24rem, 96vw);cursor:pointer" tabindex="0" role="group"
                        aria-label="Latents; choose one with the arrow keys" on:click=move |event| choose(cell(&event).map(|(row, _)| row))
                        on:pointermove=follow on:pointerleave=move |_| under.set(None) on:keydown=by_key>{canvas}</div>
                    <p class="read-out">{text(words)}</p>
                </div>
                {chosen(lab, fit)}
            </div>
        }
        .into_any()
    });
    figure(
        "Who fires with whom?",
        ().into_any(),
        sheet,
        format!("The {count} latents of most energy (⟨f²⟩‖D‖²): {stretches}. Click a row, or use the arrow keys.").into_any(),
    )
}

/// Which rows are of which class: `0 to 30 emergent, 31 vanished`.
fn stretches(fit: &CrosscoderResult, shown: &[u32]) -> String {
    let classes: Vec<_> =
        shown.iter().filter_map(|latent| fit.latents.get(*latent as usize)).map(|latent| latent.class).collect();
    let mut start = 0;
    let mut told = Vec::new();
    for stretch in classes.chunk_by(|one, other| one == other) {
        let (end, name) = (start + stretch.len() - 1, stretch[0].name());
        told.push(if end > start { format!("{start} to {end} {name}") } else { format!("{start} {name}") });
        start = end + 1;
    }
    told.join(", ")
}
