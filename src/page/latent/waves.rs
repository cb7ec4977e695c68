//! Its plane waves: which way the stripes run and how many frequencies make them.

use super::Card;
use crate::crosscoder::wave_map;
use crate::page::chart::{Show, figure, named_sheet};
use crate::plot::{HeatMap, Palette, Picture};
use leptos::prelude::*;

/// Whether the task's rows fill the square of a cycle, without which there are no waves.
pub(super) fn are_there(card: &Card) -> bool {
    let rows = &card.data.rows;
    card.cycle.as_ref().is_some_and(|cycle| cycle.square(&vec![0.0; rows.len()], rows).is_some())
}

pub(super) fn figures(card: &Card) -> AnyView {
    let latent = card.latent;
    let drawn = card.clone();
    let draw = move |show: &mut Show<'_>| {
        let latent = latent.get();
        let values = drawn.activations(latent.as_ref());
        let square = drawn.cycle.as_ref().and_then(|cycle| cycle.square(values, &drawn.data.rows));
        let map = square.and_then(|square| wave_map(&square));
        let (rows, columns) = map.as_ref().map_or((0, 0), |map| (map.rows, map.columns));
        let first_v = map.as_ref().map_or(0, |map| map.first_v);
        show(&Picture::HeatMap(HeatMap {
            rows,
            columns,
            values: map.as_ref().map_or(&[], |map| &map.amplitudes),
            range: None,
            palette: Palette::Sequential,
            row_label: "u, waves along a".into(),
            column_label: "v, waves along b".into(),
            column_names: Some((first_v..).take(columns).map(|v| v.to_string()).collect()),
            row_names: None,
            selected_row: None,
            origin_top: false,
            caption_range: true,
        }));
    };
    let label = card.label(|latent| {
        let strongest = latent.grid.map_or_else(String::new, |grid| {
            let [u, v] = grid.strongest_wave;
            format!("; the strongest is ({u}, {v})")
        });
        format!("Amplitude of every plane wave of latent {}{strongest}", latent.index)
    });
    let of_stem = card.clone();
    let sheet = named_sheet(card.lab, "latent-waves", label, move || of_stem.stem("-waves"), draw, ().into_any())
        .within(|canvas| view! { <div style="--height:20rem;--height-narrow:15rem">{canvas}</div> }.into_any());
    let is_of_exponents = card.cycle.as_ref().is_some_and(|cycle| cycle.is_of_exponents);
    let reading = if is_of_exponents {
        "Amplitude of each wave cos 2π(ua + vb)/n of its activation, with a and b as exponents of a primitive root: the arms of the V are functions of the product (right) and the quotient (left), the middle column of a, the lowest row of b. "
    } else {
        "Amplitude of each wave cos 2π(ua + vb)/p of its activation: the arms of the V are functions of a + b (right) and a − b (left), the middle column of a, the lowest row of b. "
    };
    figure(
        "Its waves",
        ().into_any(),
        sheet,
        view! { {reading}"Many waves on one arm are what a bump over residues is made of, and not evidence that the network computes with each of these frequencies." }.into_any(),
    )
}
