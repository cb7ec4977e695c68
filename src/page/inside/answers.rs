//! How sure the network is of each answer, out of which cosines it is made, and what becomes of it without a part.

use super::looking;
use super::spectra::{Components, components};
use crate::measure::{Ablation, Scores};
use crate::page::chart::{Show, figure, named_sheet, of_experiment};
use crate::page::live::{part, text};
use crate::page::pairs::{Pairs, pair_map};
use crate::page::store::{Lab, grouped};
use crate::plot::{Bars, Palette, Picture};
use leptos::prelude::*;

/// Where the run's rows lie on the square of tokens.
pub(super) fn pairs(lab: Lab) -> Memo<Pairs> {
    let experiment = Memo::new(move |_| lab.run.with(|run| run.as_ref().map(|run| run.experiment.clone())));
    Memo::new(move |_| experiment.with(|experiment| experiment.as_ref().map(Pairs::of).unwrap_or_default()))
}

/// The margin of every pair.
pub(super) fn surface(lab: Lab) -> AnyView {
    let pairs = pairs(lab);
    let draw = move |show: &mut Show<'_>| {
        let margins = lab.looks.shown.get().map(|look| look.margins.clone()).unwrap_or_default();
        let square = pairs.with(|pairs| pairs.square(&margins));
        show(&Picture::HeatMap(pair_map(&square, Palette::Diverging)));
    };
    let label = move || match lab.looks.shown.get() {
        Some(look) => {
            format!("Logit of the right answer minus the best other, for every pair, at step {}", grouped(look.step.into()))
        }
        None => "Margins, no data yet".into(),
    };
    let stem = move || of_experiment(lab, &format!("margin-map-step-{}", lab.time_step().unwrap_or(0)));
    let sheet = named_sheet(lab, "margin-map", label, stem, draw, ().into_any())
        .within(|canvas| view! { <div style="--height:24rem">{canvas}</div> }.into_any());
    figure(
        "How sure of each answer",
        ().into_any(),
        sheet,
        "The right logit minus the best other for every pair: green is right, violet wrong. Memory is a speckle of training pairs; understanding is an even field, or stripes along a + b or a − b.".into_any(),
    )
}

/// α_k of the logits.
pub(super) fn coefficients(lab: Lab) -> AnyView {
    let names = components(lab);
    let draw = move |show: &mut Show<'_>| {
        let values = lab.looks.shown.get().map(|look| look.coefficients.clone()).unwrap_or_default();
        let keys = lab.measures.with(|table| table.keys.as_ref().map_or_else(Vec::new, |(_, keys)| keys.clone()));
        let keys = if keys.len() * 2 <= values.len() { keys } else { Vec::new() };
        let x_label = names.with(|names| if names.is_cyclic { "frequency k".into() } else { "component".into() });
        let bars = Bars { values: &values, first_index: 1, x_label, y_label: "coefficient".into(), highlight: &keys };
        show(&Picture::Bars(bars));
    };
    let label = move || "Coefficient of each component in the logits".to_owned();
    let stem = move || of_experiment(lab, &format!("coefficient-chart-step-{}", lab.time_step().unwrap_or(0)));
    let sheet = named_sheet(lab, "coefficient-chart", label, stem, draw, ().into_any());
    figure(
        "What the answers are made of",
        ().into_any(),
        sheet,
        "αₖ of Σ αₖ·cos ωₖ(a + b − c), fitted to all logits: a network that has understood answers with a handful of cosines, all positive so that they agree at c = a + b alone.".into_any(),
    )
}

fn words(names: Memo<Components>, part: Ablation) -> String {
    match part {
        Ablation::Component(index) => names.with(|names| match (names.is_cyclic, names.labels.get(index as usize)) {
            (false, Some(label)) => format!("representation {} ({label})", index + 1),
            _ => format!("frequency {}", index + 1),
        }),
        Ablation::Neuron(index) => format!("neuron {index}"),
        Ablation::Head(index) => format!("head {}", index + 1),
    }
}

/// What is taken out, and what that does.
pub(super) fn ablation(lab: Lab) -> AnyView {
    let names = components(lab);
    let content = move || {
        let part = lab.looks.view.with(|view| view.ablation)?;
        let look = lab.looks.shown.get().filter(|look| look.view.ablation == Some(part))?;
        let without: Scores = look.ablated?;
        let whole = look.whole;
        let loss = |value: Option<f64>| {
            value.map_or_else(
                || "–".to_owned(),
                |value| if value < 0.001 { format!("{value:.1e}") } else { format!("{value:.3}") },
            )
        };
        let data = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        Some(
            view! {
                <div class="card notice" id="ablation" data-part=words(names, part) data-test-loss=data(whole.test_loss) data-test-loss-without=data(without.test_loss)
                    data-test-accuracy=whole.test_accuracy.to_string() data-test-accuracy-without=without.test_accuracy.to_string()>
                    <div class="row spread">
                        <h2>"Without "{words(names, part)}</h2>
                        <button type="button" class="small-button" id="ablation-undo" on:click=move |_| looking::toggle(lab, part)>"Put it back"</button>
                    </div>
                    <p class="number">
                        <span class="test">"Test loss "{loss(whole.test_loss)}" → "{loss(without.test_loss)}", accuracy "{format!("{:.1}% → {:.1}%", 100.0 * whole.test_accuracy, 100.0 * without.test_accuracy)}</span>" · "
                        <span class="train">"training loss "{loss(whole.train_loss)}" → "{loss(without.train_loss)}", accuracy "{format!("{:.1}% → {:.1}%", 100.0 * whole.train_accuracy, 100.0 * without.train_accuracy)}</span>
                    </p>
                    <p class="small muted">"Everything below but the spectra shows the network without it. Zeros are put in its place, in this checkpoint only; the run is untouched."</p>
                </div>
            }
            .into_any(),
        )
    };
    view! { <div aria-live="polite">{part(content)}</div>  <span class="visually-hidden">{text(move || lab.looks.view.with(|view| view.ablation).map(|part| format!("{} is taken out", words(names, part))).unwrap_or_default())}</span> }.into_any()
}
