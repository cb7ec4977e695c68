//! Directions of all latents in a plane, coloured by class or by birth.

use super::cloud::{Cloud, cloud};
use super::inks::{ink_of, keys_of};
use super::label_of;
use crate::crosscoder::views::decoder_map;
use crate::crosscoder::{CrosscoderResult, Latent, LatentClass};
use crate::page::chart::{figure, switch};
use crate::page::store::Lab;
use crate::plot::Ink;
use leptos::prelude::*;
use std::sync::Arc;

/// Sources have as many colours; with more, two births would look alike.
const COLOURS: usize = 6;

pub(super) fn view(lab: Lab, fit: Arc<CrosscoderResult>) -> AnyView {
    let map = match decoder_map(&fit) {
        Ok(map) => map,
        Err(error) => return view! { <p class="muted">{error.to_string()}"."</p> }.into_any(),
    };
    let latents: Vec<Latent> = map.latents.iter().filter_map(|index| fit.latents.get(*index as usize)).cloned().collect();
    let classes: Vec<LatentClass> = latents.iter().map(|latent| latent.class).collect();
    let births: Vec<usize> = latents.iter().map(|latent| latent.birth.unwrap_or(0) as usize).collect();
    let labels: Vec<String> = fit.sources.iter().map(label_of).collect();
    let told = latents.iter().map(|latent| format!("latent {}, {}", latent.index, latent.class.name())).collect();
    let by_birth = RwSignal::new(false);
    let controls = if labels.len() <= COLOURS { switch("Colours", ["class", "birth"], by_birth) } else { ().into_any() };
    let colours = move || {
        if by_birth.get() {
            let ink = |source: usize| Ink::Source(u8::try_from(source).unwrap_or(u8::MAX));
            let named = labels.iter().enumerate().map(|(source, label)| {
                let words = if source == 0 { format!("there at {label}") } else { format!("born at {label}") };
                (ink(source), words)
            });
            (births.iter().map(|birth| ink(*birth)).collect(), named.collect())
        } else {
            let keys = keys_of(&classes).into_iter().map(|key| (key.ink, key.label.to_owned()));
            (classes.iter().map(|class| ink_of(*class)).collect(), keys.collect())
        }
    };
    let caption = format!(
        "Decoder vectors of length one, centred; the two axes hold {:.0}% and {:.0}% of their variance. Click a point, or use the arrow keys.",
        100.0 * map.shares[0],
        100.0 * map.shares[1]
    );
    let points = Cloud {
        id: "fit-decoders",
        label: format!("Directions of {} latents along their two principal axes", map.latents.len()),
        latents: map.latents,
        points: map.points,
        told,
        x_label: "principal axis 1".into(),
        y_label: "principal axis 2".into(),
        window: None,
        guides: &[],
    };
    figure("Where do they point?", controls, cloud(lab, fit, points, colours), caption.into_any())
}
