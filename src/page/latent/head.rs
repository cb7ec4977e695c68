//! Which latent it is and how it lived, and the ways on: to its neighbours and into a link.

use super::Card;
use crate::crosscoder::{CrosscoderResult, Latent, LatentClass};
use crate::page::live::{flag, part, text};
use crate::page::share::copy_link;
use crate::page::store::Lab;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

/// Goes along the list of latents.
#[derive(Clone, Copy)]
pub(super) struct Walk {
    pub(super) lab: Lab,
    pub(super) order: Memo<Vec<u32>>,
}

impl Walk {
    /// The latent `by` places further in the list, if there is one.
    fn neighbour(self, by: isize) -> Option<u32> {
        let here = self.lab.latent.get();
        self.order.with(|order| {
            let Some(place) = order.iter().position(|latent| Some(*latent) == here) else { return order.first().copied() };
            order.get(place.checked_add_signed(by)?).copied()
        })
    }

    fn go(self, by: isize) {
        if let Some(latent) = untrack(|| self.neighbour(by)) {
            self.lab.latent.set(Some(latent));
            self.lab.announcement.set(format!("Latent {latent}"));
        }
    }

    /// j and → to the next, k and ← to the one before, unless the key belongs to a field or slider.
    pub(super) fn by_key(self, event: &KeyboardEvent) {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let is_taken =
            target.is_some_and(|element| element.closest("input, select, textarea").is_ok_and(|found| found.is_some()));
        if is_taken || event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        match event.key().as_str() {
            "j" | "ArrowRight" => self.go(1),
            "k" | "ArrowLeft" => self.go(-1),
            _ => return,
        }
        event.prevent_default();
    }
}

/// The head of the card; `sides` chooses what is shown under it.
pub(super) fn head(card: &Card, walk: Walk, sides: AnyView) -> AnyView {
    let Card { lab, latent, fit, .. } = card.clone();
    let title = move || match latent.get() {
        Some(latent) => format!("Latent {} · {}", latent.index, latent.class.name()),
        None => "No latent chosen".into(),
    };
    let note = move || {
        let emergent = latent.get().filter(|latent| latent.class == LatentClass::Emergent);
        emergent.map_or("", |latent| if latent.confirmed { "confirmed" } else { "not confirmed" })
    };
    let block = fit.config.block_width() as u32;
    // Its partners stand on the same inputs, and what the block is shows in all of them together.
    let partners = move || {
        let index = latent.get()?.index;
        let first = index / block * block;
        let others: Vec<_> = (first..first + block).filter(|other| *other != index).collect();
        let buttons: Vec<_> = others
            .into_iter()
            .map(|other| {
                view! {
                    <button type="button" class="small-button number" on:click=move |_| lab.latent.set(Some(other))>{format!("latent {other}")}</button>" "
                }
            })
            .collect();
        let told = format!("Coordinate {} of block {}, with ", index - first + 1, index / block);
        (block > 1).then(|| view! { <p class="small number" id="latent-block">{told}{buttons}</p> }.into_any())
    };
    // Rows of a file may not say what the network was trained on.
    let has_sides = !card.data.test.is_empty() || fit.foreign_rows().is_none();
    let told = move || {
        let latent = latent.get()?;
        let percent = |share: f32| format!("{:.1}%", 100.0 * share);
        Some(
            view! {
                <p class="small number" id="latent-life">{life(&latent, &fit, has_sides)}</p>
                <p class="small number" id="latent-density">{format!("Fires on {} of all inputs", percent(latent.density))}
                    {has_sides.then(|| view! {
                        ": "<span class="train">{percent(latent.density_train)}" of training pairs"</span>", "
                        <span class="test">{percent(latent.density_test)}" of test pairs"</span>
                    })}"."</p>
            }
            .into_any(),
        )
    };
    // The link that was copied belongs to one latent only.
    let copied = RwSignal::new(None::<u32>);
    let copy = move |_| {
        copied.set(lab.latent.get_untracked());
        copy_link(lab);
    };
    let copy_words = move || match copied.get() {
        Some(latent) if Some(latent) == lab.latent.get() && lab.copied.get() => "Link copied",
        Some(latent) if Some(latent) == lab.latent.get() => "The link stands above",
        _ => "Copy link to this latent",
    };
    view! {
        <div class="figure" id="latent-head">
            <div class="figure-head">
                <h2 class="number">{text(title)}" "<span class="muted">{text(move || note().into())}</span></h2>
                <div class="row">
                    <button type="button" class="small-button" id="latent-previous" title="The latent before in the list (k or ←)" aria-label="Previous latent"
                        disabled=flag(move || walk.neighbour(-1).is_none()) on:click=move |_| walk.go(-1)>"‹"</button>
                    <button type="button" class="small-button" id="latent-next" title="The next latent in the list (j or →)" aria-label="Next latent"
                        disabled=flag(move || walk.neighbour(1).is_none()) on:click=move |_| walk.go(1)>"›"</button>
                    <button type="button" class="small-button" id="copy-latent" title="The link carries the experiment, the fit's settings and the latent; opening it starts nothing"
                        on:click=copy>{text(move || copy_words().into())}</button>
                </div>
            </div>
            {part(told)}
            {part(partners)}
            {sides}
            <p class="small muted">"Keys on this card: j next latent, k previous."</p>
        </div>
    }
    .into_any()
}

/// Its life in a sentence, and its bump over the answers where there is one.
fn life(latent: &Latent, fit: &CrosscoderResult, has_sides: bool) -> String {
    let step = |source: u32| fit.sources.get(source as usize).map_or(String::new(), |source| source.label());
    let mut said = vec![match (latent.birth, latent.death) {
        (None, None) => format!("It is there in {:.0}% of the checkpoints", 100.0 * latent.lifespan),
        (Some(birth), None) => format!("It is there from step {} to the end", step(birth)),
        (None, Some(death)) => format!("It is there until step {}", step(death)),
        (Some(birth), Some(death)) => format!("It is there from step {} to step {}", step(birth), step(death)),
    }];
    if let Some(selectivity) = latent.train_selectivity.filter(|_| has_sides) {
        said.push(format!("train selectivity {selectivity:+.2} (1: training pairs only)"));
    }
    if let Some(grid) = latent.grid.filter(|_| fit.config.variant.is_signed()) {
        // The largest of signed means is no peak.
        let wave = grid.strongest_wave;
        said.push(format!("strongest wave ({}, {}) with {:.0}% of its power", wave[0], wave[1], 100.0 * grid.concentration));
    } else if let Some(grid) = latent.grid {
        said.push(format!(
            "fires most for the answer {}, half of it within {:.0}% of the answers; strongest wave ({}, {}) with {:.0}% of its power",
            grid.peak_residue,
            100.0 * grid.bump_width,
            grid.strongest_wave[0],
            grid.strongest_wave[1],
            100.0 * grid.concentration
        ));
    }
    if let Some(twin) = fit.twins.iter().find(|twins| twins.latents.contains(&latent.index)) {
        let other = if twin.latents[0] == latent.index { twin.latents[1] } else { twin.latents[0] };
        said.push(format!("may be one feature with latent {other} (cosine {:.2} between their homes)", twin.cosine));
    }
    format!("{}.", said.join("; "))
}
