//! Its activation on every pair of inputs, as much as it weighs in each checkpoint.
//!
//! The code f is one for all checkpoints, so a map of it alone would look the same before and after birth. What changes is the
//! decoder, so each checkpoint shows f·‖D‖, on one colour scale: a latent that is born appears.

use super::Card;
use crate::page::chart::{Show, figure, named_sheet};
use crate::page::live::text;
use crate::page::pairs::{Pairs, pair_map};
use crate::plot::{HeatMap, Palette, Picture};
use leptos::prelude::*;

/// With more checkpoints a slider takes the place of one button each.
const MOST_BUTTONS: usize = 5;

pub(super) fn figures(card: &Card) -> AnyView {
    let Card { lab, latent, fit, .. } = card.clone();
    let pairs = Pairs::of_rows(&card.data);
    let p = pairs.side;
    let count = fit.sources.len();
    // A checkpoint that was chosen for one latent says nothing of the next.
    let chosen = RwSignal::new(None::<(u32, usize)>);
    let source = Memo::new(move |_| {
        latent.with(|latent| {
            let latent = latent.as_ref()?;
            Some(chosen.get().filter(|(of, _)| *of == latent.index).map_or_else(|| latent.home(), |(_, source)| source))
        })
    });
    let choose = move |source: usize| {
        chosen.set(latent.with_untracked(|latent| latent.as_ref().map(|latent| (latent.index, source))));
    };
    let labels: Vec<String> = fit.sources.iter().map(|source| source.label()).collect();

    let is_one_place = fit.sources.iter().all(|source| source.hook.is_none() && source.run.is_none());
    let is_signed = fit.config.variant.is_signed();
    let drawn = card.clone();
    let draw = move |show: &mut Show<'_>| {
        let (latent, source) = (latent.get(), source.get().unwrap_or(0));
        // Lengths at different hooks do not compare; relative norms do.
        let norms = latent.as_ref().map_or(&[][..], |latent| if is_one_place { &latent.norms } else { &latent.relative });
        let norm = norms.get(source).copied().unwrap_or(0.0);
        let values = drawn.activations(latent.as_ref());
        let most = values.iter().map(|f| f.abs()).fold(0.0, f32::max) * norms.iter().copied().fold(0.0, f32::max);
        let square = pairs.square(&values.iter().map(|f| f * norm).collect::<Vec<_>>());
        let (least, palette) = if is_signed { (-most, Palette::Diverging) } else { (0.0, Palette::Sequential) };
        let map = HeatMap { range: (most > 0.0).then_some((least, most)), ..pair_map(&square, palette) };
        show(&Picture::HeatMap(map));
    };
    let steps = labels.clone();
    let at = move || source.get().and_then(|source| steps.get(source).cloned()).unwrap_or_default();
    let at_label = at.clone();
    let label = card.label(move |l| {
        format!(
            "What latent {} adds at step {} on all {p} by {p} inputs; it fires on {:.0}% of them",
            l.index,
            at_label(),
            100.0 * l.density
        )
    });
    let (of_stem, at_stem) = (card.clone(), at.clone());
    let stem = move || of_stem.stem(&format!("-step-{}", at_stem()));
    let is_home = move || latent.with(|latent| latent.as_ref().map(|latent| latent.home())) == source.get();
    let control = if count <= MOST_BUTTONS {
        let buttons: Vec<_> = labels
            .into_iter()
            .enumerate()
            .map(|(index, label)| {
                view! {
                    <button type="button" class="number" aria-pressed=text(move || (source.get() == Some(index)).to_string())
                        on:click=move |_| choose(index)>{label}</button>
                }
            })
            .collect();
        view! { <div class="switch wrap" id="latent-source" role="group" aria-label="Checkpoint at step">{buttons}</div> }
            .into_any()
    } else {
        let slide = move |event| {
            if let Ok(index) = event_target_value(&event).parse::<usize>() {
                choose(index);
            }
        };
        let at = at.clone();
        view! {
            <span class="small number">{text(at.clone())}</span>
            <input type="range" id="latent-source" min="0" max=(count - 1).to_string() step="1" aria-label="Checkpoint"
                aria-valuetext=text(at) prop:value=text(move || source.get().unwrap_or(0).to_string()) on:input=slide />
        }
        .into_any()
    };
    let sheet = named_sheet(lab, "latent-map", label, stem, draw, ().into_any()).within(|canvas| {
        view! {
            <div class="row latent-time">
                <span class="small muted">"Step"</span>
                {control}
                <span class="small muted">{text(move || if is_home() { "its home" } else { "" }.into())}</span>
            </div>
            <div style="--height:min(26rem, 92vw);--height-narrow:min(22rem, 88vw)">{canvas}</div>
        }
        .into_any()
    });
    figure(
        "Where it fires",
        ().into_any(),
        sheet,
        "What it adds to the activation of that checkpoint on every pair (a, b), activation times decoder norm on one colour scale for all checkpoints: diagonal stripes are certain answers a + b, rows or columns certain inputs. A clear pattern is not evidence that the network reads it; only taking the latent out tells.".into_any(),
    )
}
