//! Cosines of its decoder vectors between all checkpoints: did it keep its direction?

use super::Card;
use crate::page::chart::{Show, figure, named_sheet};
use crate::plot::{Matrix, Palette, Picture};
use leptos::prelude::*;

pub(super) fn figures(card: &Card) -> Option<AnyView> {
    let count = card.fit.sources.len();
    if count < 2 || card.fit.latents.iter().all(|latent| latent.cosines.is_empty()) {
        return None;
    }
    let steps: Vec<String> = card.fit.sources.iter().map(|source| source.label()).collect();
    let latent = card.latent;
    let draw = move |show: &mut Show<'_>| {
        let cosines = latent.get().map(|latent| latent.cosines).unwrap_or_default();
        let values: Vec<f32> = cosines.into_iter().map(|cosine| cosine.unwrap_or(f32::NAN)).collect();
        show(&Picture::Matrix(Matrix {
            row_names: &steps,
            column_names: &steps,
            values: &values,
            range: (-1.0, 1.0),
            palette: Palette::Diverging,
            label: "checkpoint at step".into(),
            decimals: 2,
        }));
    };
    let label = card.label(|latent| {
        let written = |cosine: Option<f32>| cosine.map_or("none".to_owned(), |cosine| format!("{cosine:.2}"));
        let told: Vec<String> = latent.adjacent_cosines().into_iter().map(written).collect();
        format!("Cosines of the decoder vectors of latent {}; from each checkpoint to the next {}", latent.index, told.join(", "))
    });
    let of_stem = card.clone();
    // Two lines around rows of a comfortable height.
    let style = format!("--height:{0}rem;--height-narrow:{0}rem", 3.5 + 2.1 * count.min(12) as f64);
    let sheet = named_sheet(card.lab, "latent-cosines", label, move || of_stem.stem("-cosines"), draw, ().into_any())
        .within(|canvas| view! { <div style=style>{canvas}</div> }.into_any());
    Some(figure(
        "Its direction",
        ().into_any(),
        sheet,
        "Cosine of its decoder vectors between each two checkpoints: 1 is the same direction, near 0 the latent kept its inputs and turned, – is where it has next to no length. A high cosine is not evidence that it is there; its norm in the table says that.".into_any(),
    ))
}
