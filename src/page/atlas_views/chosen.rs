//! The chosen latent beside a picture of all of them: where it fires, without scrolling back to its card.
//!
//! A click on a point that changes something out of sight looks like a click that did nothing.

use crate::crosscoder::CrosscoderResult;
use crate::page::chart::{Show, named_sheet, of_experiment};
use crate::page::live::text;
use crate::page::pairs::{Pairs, pair_map};
use crate::page::store::Lab;
use crate::plot::{Palette, Picture};
use leptos::prelude::*;
use std::sync::Arc;

/// Its name, its map over all inputs, and what it is.
pub(super) fn chosen(lab: Lab, fit: Arc<CrosscoderResult>) -> AnyView {
    let data = fit.dataset(&untrack(|| lab.shown_experiment())).unwrap_or_default();
    let pairs = Pairs::of_rows(&data);
    let has_pairs = pairs.side > 0;
    let of_words = fit.clone();
    let latent = Memo::new(move |_| of_words.latents.get(lab.latent.get()? as usize).cloned());
    let title = move || {
        latent.with(|latent| match latent {
            Some(latent) => format!("Latent {} · {}", latent.index, latent.class.name()),
            None => "No latent chosen".to_owned(),
        })
    };
    let facts = move || {
        latent.with(|latent| {
            latent.as_ref().map_or_else(String::new, |latent| {
                let relative: Vec<String> = latent.relative.iter().map(|r| format!("{r:.2}")).collect();
                format!("fires on {:.1}% of the inputs; relative norm {}", 100.0 * latent.density, relative.join(", "))
            })
        })
    };
    let draw = move |show: &mut Show<'_>| {
        let rows = fit.activations.len() / fit.latents.len().max(1);
        let start = lab.latent.get().map_or(0, |latent| latent as usize * rows);
        let values = fit.activations.get(start..start + rows).unwrap_or_default();
        show(&Picture::HeatMap(pair_map(&pairs.square(values), Palette::Sequential)));
    };
    let label = move || format!("{} on all pairs of inputs", title());
    let stem = move || of_experiment(lab, &format!("latent-{}", lab.latent.get_untracked().unwrap_or(0)));
    let canvas = named_sheet(lab, "chosen-map", label, stem, draw, ().into_any()).bare();
    view! {
        <div class="chosen">
            <h3 class="number">{text(title)}</h3>
            {if has_pairs {
                view! { <div style="--height:19rem;--height-narrow:min(18rem, 84vw)">{canvas}</div> }.into_any()
            } else {
                view! { <p class="small muted">"The file does not say a and b of its rows, so there is no map of where it fires."</p> }.into_any()
            }}
            <p class="small muted number">{text(facts)}</p>
        </div>
    }
    .into_any()
}
