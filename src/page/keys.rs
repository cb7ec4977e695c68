//! Arrow keys along a list of latents, wherever latents are drawn: the next one, the one before, and the page does not scroll.
//!
//! Written once, because three pictures that answer the same key differently are three things to learn.

use super::store::Lab;
use leptos::prelude::*;
use web_sys::KeyboardEvent;

/// Chooses the neighbour of the chosen latent in `latents`; the first of them where none of them is chosen.
pub(super) fn choose_by_arrow(lab: Lab, latents: &[u32], event: &KeyboardEvent) {
    let by = match event.key().as_str() {
        "ArrowDown" | "ArrowRight" => 1,
        "ArrowUp" | "ArrowLeft" => -1,
        _ => return,
    };
    event.prevent_default();
    let here = latents.iter().position(|latent| Some(*latent) == lab.latent.get_untracked());
    if let Some(latent) = latents.get(here.map_or(0, |here| here.saturating_add_signed(by))) {
        lab.latent.set(Some(*latent));
    }
}
