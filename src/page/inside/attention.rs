//! How much the answer position attends to a, to b and to itself, head by head.

use super::answers::pairs;
use super::looking;
use crate::measure::Ablation;
use crate::page::chart::{Show, figure, named_sheet, of_experiment};
use crate::page::live::part;
use crate::page::pairs::pair_map;
use crate::page::store::{Lab, grouped};
use crate::plot::{Palette, Picture};
use leptos::prelude::*;

/// The figure; nothing for networks without attention.
pub(super) fn figure_of(lab: Lab) -> AnyView {
    let has_heads = Memo::new(move |_| lab.looks.shown.with(|look| look.as_ref().is_some_and(|look| !look.attention.is_empty())));
    view! { {part(move || has_heads.get().then(|| attention(lab)))} }.into_any()
}

fn attention(lab: Lab) -> AnyView {
    let pairs = pairs(lab);
    let draw = move |show: &mut Show<'_>| {
        let values = lab.looks.shown.get().map(|look| look.head_map.clone()).unwrap_or_default();
        let square = pairs.with(|pairs| pairs.square(&values));
        let mut map = pair_map(&square, Palette::Sequential);
        map.range = Some((0.0, 1.0));
        show(&Picture::HeatMap(map));
    };
    let head = move || lab.looks.view.with(|view| view.head);
    let label = move || match lab.looks.shown.get() {
        Some(look) => format!("Attention of head {} to a, for every pair, at step {}", head() + 1, grouped(look.step.into())),
        None => "Attention, no data yet".into(),
    };
    let stem = move || of_experiment(lab, &format!("attention-map-head-{}-step-{}", head() + 1, lab.time_step().unwrap_or(0)));
    let sheet = named_sheet(lab, "attention-map", label, stem, draw, ().into_any());
    let rows = move || {
        let look = lab.looks.shown.get()?;
        let rows: Vec<_> = look
            .attention
            .iter()
            .enumerate()
            .map(|(index, means)| {
                let number = index as u32;
                let choose = move |_| lab.looks.view.update(|view| view.head = number);
                let cells: Vec<_> = means.iter().map(|mean| view! { <td>{format!("{mean:.2}")}</td> }).collect();
                view! {
                    <tr class:chosen=move || head() == number>
                        <td><button type="button" class="small-button quiet" on:click=choose>{format!("head {}", index + 1)}</button></td>
                        {cells}
                        <td><button type="button" class="small-button quiet" id=format!("ablate-head-{index}") on:click=move |_| looking::toggle(lab, Ablation::Head(number))>"Take out"</button></td>
                    </tr>
                }
            })
            .collect();
        Some(view! { <table><thead><tr><th>"mean over pairs"</th><th>"to a"</th><th>"to b"</th><th>"to ="</th><th></th></tr></thead><tbody>{rows}</tbody></table> }.into_any())
    };
    let sheet = sheet.within(|canvas| view! { {canvas}<div class="table-scroll">{part(rows)}</div> }.into_any());
    figure(
        "What the answer attends to",
        ().into_any(),
        sheet,
        "Weight that the chosen head gives to a, for every pair; what is left goes to b and to =. A head that weighs a and b alike on average bends the sum by the pair.".into_any(),
    )
}
