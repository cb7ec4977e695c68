//! Latents as points: the pointer names one, a click or the arrow keys choose it.

use super::chosen::chosen;
use crate::crosscoder::CrosscoderResult;
use crate::page::chart::{Sheet, Show, keep, named_sheet, of_experiment};
use crate::page::keys::choose_by_arrow;
use crate::page::live::text;
use crate::page::store::Lab;
use crate::plot::{Frame, Guide, Ink, Key, Picture, Place, Scatter, Stain, Window, nearest_point};
use leptos::prelude::*;
use std::sync::Arc;

/// Points are found from this many CSS pixels on.
const REACH: f64 = 14.0;

/// What is drawn.
pub(super) struct Cloud {
    /// Names the canvas.
    pub(super) id: &'static str,
    /// In words.
    pub(super) label: String,
    /// The latent of each point.
    pub(super) latents: Vec<u32>,
    /// Where it stands.
    pub(super) points: Vec<(f64, f64)>,
    /// What is said of it under the pointer.
    pub(super) told: Vec<String>,
    pub(super) x_label: String,
    pub(super) y_label: String,
    pub(super) window: Option<Window>,
    pub(super) guides: &'static [Guide<'static>],
}

/// Colour of each point, and what the colours stand for.
pub(super) type Colours = (Vec<Ink>, Vec<(Ink, String)>);

/// The points with the chosen latent beside them.
pub(super) fn cloud(lab: Lab, fit: Arc<CrosscoderResult>, cloud: Cloud, colours: impl Fn() -> Colours + 'static) -> Sheet {
    let Cloud { id, label, latents, points, told, x_label, y_label, window, guides } = cloud;
    let names: Vec<String> = latents.iter().map(u32::to_string).collect();
    let told = StoredValue::new(told);
    let frame = RwSignal::new(None::<Frame>);
    let under = RwSignal::new(None::<usize>);
    let (latents, points) = (StoredValue::new(latents), StoredValue::new(points));
    let draw = move |show: &mut Show<'_>| {
        let (inks, keys) = colours();
        let keys: Vec<Key<'_>> = keys.iter().map(|(ink, label)| Key { ink: *ink, label }).collect();
        let latent = lab.latent.get();
        let ringed = latents.with_value(|latents| latents.iter().position(|known| Some(*known) == latent));
        points.with_value(|points| {
            let scatter = Scatter {
                points,
                labels: &names,
                stain: Stain::Inks(&inks),
                order: &[],
                closed: false,
                x_label: x_label.clone(),
                y_label: y_label.clone(),
                range: None,
                window,
                guides,
                stretches: &[],
                keys: &keys,
                ringed: ringed.as_slice(),
            };
            keep(frame, show(&Picture::Scatter(scatter)).and_then(Place::frame));
        });
    };
    let nearest = move |event: &web_sys::MouseEvent| {
        let at = (f64::from(event.offset_x()), f64::from(event.offset_y()));
        frame.get_untracked().and_then(|frame| points.with_value(|points| nearest_point(&frame, points, at, REACH)))
    };
    let choose = move |index: Option<usize>| {
        if let Some(latent) = index.and_then(|index| latents.with_value(|latents| latents.get(index).copied())) {
            lab.latent.set(Some(latent));
        }
    };
    let follow = move |event: web_sys::PointerEvent| {
        let found = nearest(&event);
        if under.get_untracked() != found {
            under.set(found);
        }
    };
    let by_key = move |event: web_sys::KeyboardEvent| latents.with_value(|latents| choose_by_arrow(lab, latents, &event));
    let words = move || {
        let chosen = latents.with_value(|latents| latents.iter().position(|known| Some(*known) == lab.latent.get()));
        let index = under.get().or(chosen);
        index.and_then(|index| told.with_value(|told| told.get(index).cloned())).unwrap_or_default()
    };
    let stem = {
        let name = fit.config.name.clone();
        move || of_experiment(lab, &format!("{name}-{id}"))
    };
    named_sheet(lab, id, move || label.clone(), stem, draw, ().into_any()).within(|canvas| {
        view! {
            <div class="cloud">
                <div>
                    <div style="--height:25rem;--height-narrow:21rem;cursor:pointer" tabindex="0" role="group"
                        aria-label="Latents as points; choose one with the arrow keys"
                        on:click=move |event| choose(nearest(&event)) on:pointermove=follow on:pointerleave=move |_| under.set(None)
                        on:keydown=by_key>{canvas}</div>
                    <p class="read-out">{text(words)}</p>
                </div>
                {chosen(lab, fit)}
            </div>
        }
        .into_any()
    })
}
