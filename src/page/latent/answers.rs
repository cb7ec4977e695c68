//! Its mean activation by answer: around the cycle where the answers stand on one, as bars where they do not.

use super::Card;
use crate::crosscoder::answers_fired_on;
use crate::page::chart::{Show, figure, named_sheet};
use crate::plot::{Axis, Bars, Curves, Ink, Picture, Polar, Scale, Series};
use leptos::prelude::*;

pub(super) fn figures(card: &Card) -> AnyView {
    if card.fit.config.variant.is_signed() {
        return line(card);
    }
    if card.cycle.is_none() {
        return bars(card);
    }
    let latent = card.latent;
    let drawn = card.clone();
    let draw = move |show: &mut Show<'_>| {
        let Some(cycle) = drawn.cycle.as_ref() else { return };
        let means = drawn.means(latent.get().as_ref());
        let values = if means.is_empty() { means } else { cycle.around(&means) };
        let labels: Vec<String> = cycle.order.iter().map(u16::to_string).collect();
        show(&Picture::Polar(Polar {
            values: &values,
            labels: &labels,
            angle_label: "answer".into(),
            value_label: "mean activation".into(),
        }));
    };
    let spoken = card.clone();
    let label = card.label(move |latent| {
        let peaks: Vec<String> = answers_fired_on(&spoken.means(Some(latent))).iter().map(u32::to_string).collect();
        format!("Mean activation of latent {} by answer; it fires most on {}", latent.index, peaks.join(", "))
    });
    let of_stem = card.clone();
    let sheet =
        named_sheet(card.lab, "latent-answers", label, move || of_stem.stem("-answers"), draw, ().into_any()).within(|canvas| {
            view! { <div style="--height:min(24rem, 92vw);--height-narrow:min(21rem, 88vw)">{canvas}</div> }.into_any()
        });
    let order = if card.cycle.as_ref().is_some_and(|cycle| cycle.is_of_exponents) {
        " (in the order of the powers of a primitive root)"
    } else {
        ""
    };
    figure(
        "By answer",
        ().into_any(),
        sheet,
        view! { "Mean activation over all inputs with the same answer"{order}", nothing in the middle: a spike is a latent of one answer, a lobe one of neighbours, equal lobes a frequency. A round line is not evidence that it reads nothing; it may still read a or b." }.into_any(),
    )
}

/// The same as a line, for codes with a sign: a circle and bars have no room below nothing.
fn line(card: &Card) -> AnyView {
    let latent = card.latent;
    let drawn = card.clone();
    let draw = move |show: &mut Show<'_>| {
        let means = drawn.means(latent.get().as_ref());
        let points: Vec<(f64, f64)> = means.iter().enumerate().map(|(answer, mean)| (answer as f64, f64::from(*mean))).collect();
        show(&Picture::Curves(Curves {
            series: &[Series { label: "", ink: Ink::Accent, dashed: false, points: &points }],
            x: Axis::count("answer", Scale::Linear),
            y: Axis::linear("mean activation"),
            marks: &[],
            ticks: &[],
            cursor: None,
            bands: &[],
            areas: &[],
        }));
    };
    let label = card.label(|latent| format!("Mean activation of latent {} by answer, with its sign", latent.index));
    let of_stem = card.clone();
    let sheet = named_sheet(card.lab, "latent-answers", label, move || of_stem.stem("-answers"), draw, ().into_any())
        .within(|canvas| view! { <div style="--height:12rem;--height-narrow:11rem">{canvas}</div> }.into_any());
    figure(
        "By answer",
        ().into_any(),
        sheet,
        "Mean activation over all inputs with the same answer, with its sign: one coordinate of a block is a wave where the block is a circle. It is not evidence of a circle; see the other coordinate of the block.".into_any(),
    )
}

/// The same as bars; those of the answers it fires on stand out.
pub(super) fn bars(card: &Card) -> AnyView {
    let latent = card.latent;
    let drawn = card.clone();
    let draw = move |show: &mut Show<'_>| {
        let means = drawn.means(latent.get().as_ref());
        show(&Picture::Bars(Bars {
            values: &means,
            first_index: 0,
            x_label: "answer".into(),
            y_label: "mean activation".into(),
            highlight: &answers_fired_on(&means),
        }));
    };
    let label = card.label(|latent| format!("Mean activation of latent {} by answer", latent.index));
    let of_stem = card.clone();
    let sheet = named_sheet(card.lab, "latent-answer-bars", label, move || of_stem.stem("-answers"), draw, ().into_any())
        .within(|canvas| view! { <div style="--height:12rem;--height-narrow:11rem">{canvas}</div> }.into_any());
    figure(
        "Answers it fires on",
        ().into_any(),
        sheet,
        "Mean activation by answer; those of at least half the highest stand out. Firing on an answer is not evidence of pushing it.".into_any(),
    )
}
