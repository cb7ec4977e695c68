//! The hidden neurons, sorted by the frequency that each of them computes with, and one of them over all pairs.

use super::answers::pairs;
use super::looking;
use crate::measure::{Ablation, Neuron};
use crate::page::chart::{Show, figure, named_sheet, of_experiment};
use crate::page::live::{flag, part, text};
use crate::page::pairs::pair_map;
use crate::page::store::Lab;
use crate::plot::{Palette, Picture};
use leptos::prelude::*;

/// Neurons in the table at first; all are in the saved file of measures.
const SHOWN: usize = 24;

/// The figure; nothing for networks without hidden neurons.
pub(super) fn table(lab: Lab) -> AnyView {
    let has_neurons = Memo::new(move |_| lab.looks.shown.with(|look| look.as_ref().is_some_and(|look| !look.neurons.is_empty())));
    view! { {part(move || has_neurons.get().then(|| neurons(lab)))} }.into_any()
}

fn neurons(lab: Lab) -> AnyView {
    let pairs = pairs(lab);
    let before = RwSignal::new(false);
    let all = RwSignal::new(false);
    let draw = move |show: &mut Show<'_>| {
        let maps = lab.looks.shown.get().and_then(|look| look.neuron_maps.clone());
        let values = maps.map(|[pre, post]| if before.get() { pre } else { post }).unwrap_or_default();
        let square = pairs.with(|pairs| pairs.square(&values));
        let palette = if values.iter().any(|value| *value < 0.0) { Palette::Diverging } else { Palette::Sequential };
        show(&Picture::HeatMap(pair_map(&square, palette)));
    };
    let chosen = move || lab.looks.view.with(|view| view.neuron);
    // A picture at once: the clearest neuron.
    Effect::new(move |_| {
        let clearest = lab.looks.shown.with(|look| {
            let look = look.as_ref()?;
            look.neurons
                .iter()
                .max_by(|x, y| (x.share * x.deviation).total_cmp(&(y.share * y.deviation)))
                .map(|neuron| neuron.index)
        });
        if lab.looks.view.with_untracked(|view| view.neuron.is_none()) && clearest.is_some() {
            lab.looks.view.update(|view| view.neuron = clearest);
        }
    });
    let label = move || chosen().map_or_else(|| "No neuron chosen".to_owned(), |index| format!("Neuron {index} over all pairs"));
    let stem = move || of_experiment(lab, &format!("neuron-map-{}-step-{}", chosen().unwrap_or(0), lab.time_step().unwrap_or(0)));
    let line = move |neuron: Neuron| {
        let number = neuron.index;
        view! {
            <tr class:chosen=move || chosen() == Some(number)>
                <td><button type="button" class="small-button quiet" on:click=move |_| lab.looks.view.update(|view| view.neuron = Some(number))>{format!("neuron {number}")}</button></td>
                <td>{neuron.frequency}</td><td>{format!("{:.0}%", 100.0 * neuron.share)}</td><td>{format!("{:.2}", neuron.deviation)}</td>
                <td><button type="button" class="small-button quiet" id=format!("ablate-neuron-{number}") on:click=move |_| looking::toggle(lab, Ablation::Neuron(number))>"Take out"</button></td>
            </tr>
        }
    };
    let rows = move || {
        let look = lab.looks.shown.get()?;
        let most = if all.get() { usize::MAX } else { SHOWN };
        let rows: Vec<_> = look.neurons.iter().take(most).copied().map(line).collect();
        Some(view! { <table id="neuron-table"><thead><tr><th>"neuron"</th><th>"frequency"</th><th>"share"</th><th>"deviation"</th><th></th></tr></thead><tbody>{rows}</tbody></table> }.into_any())
    };
    let count = move || lab.looks.shown.with(|look| look.as_ref().map_or(0, |look| look.neurons.len()));
    let sheet = named_sheet(lab, "neuron-map", label, stem, draw, ().into_any()).within(|canvas| {
        view! {
            <div class="beside">
                <div style="--height:24rem">{canvas}</div>
                <div>
                    <div class="table-scroll tall">{part(rows)}</div>
                    <button type="button" class="small-button quiet" hidden=flag(move || all.get() || count() <= SHOWN) on:click=move |_| all.set(true)>{text(move || format!("Show all {}", count()))}</button>
                </div>
            </div>
        }
        .into_any()
    });
    figure(
        "Neurons by frequency",
        crate::page::chart::switch("Shown", ["after", "before the non-linearity"], before),
        sheet,
        "Each neuron's dominant frequency, and how much of its variance over all pairs belongs to that frequency alone. Memorising neurons have none; understood ones are waves along a, b or a + b.".into_any(),
    )
}
