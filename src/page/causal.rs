//! What the latents of a fit do to the loss: classes taken out and given back, beside what chance does.
//!
//! A dictionary can explain an activation with latents that the network does not use; only an intervention tells. Fifty latents
//! less always hurt, so no number stands here without its controls.

use super::chart::{Show, figure, named_sheet, of_experiment};
use super::live::text;
use super::store::{Lab, grouped};
use crate::crosscoder::causal::{Band, CausalResult, Effect, SourceEffects};
use crate::crosscoder::{CrosscoderResult, SourceInfo};
use crate::plot::{Axis, Curves, Ink, Picture, Scale, Series};
use leptos::prelude::*;
use std::sync::Arc;

/// The section; nothing for a fit that was not probed.
pub(super) fn causal(lab: Lab, fit: &Arc<CrosscoderResult>) -> Option<AnyView> {
    let found = fit.causal.clone()?;
    let curves = strongest(lab, fit, &found);
    Some(
        view! {
            <div class="figure" id="fit-causal">
                <h2>"What do they do?"</h2>
                {swaps(&found)}
                {table(&found)}
                <p class="small muted">"Each class is taken out of the activation at one checkpoint and the network goes on from there. Zero, mean and resampled say what stands in for it. The controls are 95th percentiles of twenty draws: as many other latents; others about as strong, as far as there are any; and the activation moved as far in random directions. A class that does no more than its controls does nothing that can be told from chance."</p>
            </div>
            {curves}
        }
        .into_any(),
    )
}

fn number(value: f64) -> String {
    match value.abs() {
        size if size < 0.0005 => "0.000".to_owned(),
        size if size < 100.0 => format!("{value:+.3}"),
        _ => format!("{value:+.0}"),
    }
}

fn table(found: &CausalResult) -> AnyView {
    let upper = |band: Option<Band>| band.map_or("–".to_owned(), |band| number(band.upper));
    let rows: Vec<_> = found
        .sources
        .iter()
        .flat_map(|source| {
            source.sets.iter().map(move |set| {
                let rise = |effect: &Effect| number(effect.test_loss - source.clean.test_loss);
                view! {
                    <tr data-class=set.class.name() data-step=source.step.to_string() data-rise=(set.zero.test_loss - source.clean.test_loss).to_string()
                        data-moved=set.moved.map_or(f64::NAN, |band| band.upper).to_string()>
                        <th scope="row">{grouped(source.step.into())}</th>
                        <td class="words">{set.class.name()}</td>
                        <td>{set.count}</td>
                        <td><strong>{rise(&set.zero)}</strong></td>
                        <td>{rise(&set.mean)}</td>
                        <td>{rise(&set.resample)}</td>
                        <td>{upper(set.random)}</td>
                        <td>{upper(set.matched)}</td>
                        <td>{upper(set.moved)}</td>
                    </tr>
                }
            })
        })
        .collect();
    view! {
        <div class="table-scroll whole" tabindex="0" role="group" aria-label="Change of the test loss without each class of latents">
            <table>
                <thead><tr>
                    <th scope="col">"step"</th><th scope="col" class="words">"without"</th><th scope="col">"latents"</th>
                    <th scope="col">"test loss, zero"</th><th scope="col">"mean"</th><th scope="col">"resampled"</th>
                    <th scope="col">"as many"</th><th scope="col">"as strong"</th><th scope="col">"moved as far"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// The last network, fed with the first one's activation in which one class was exchanged.
fn swaps(found: &CausalResult) -> AnyView {
    let (Some(first), Some(last)) = (found.sources.first(), found.sources.last()) else { return ().into_any() };
    let lines: Vec<_> = found
        .swaps
        .iter()
        .filter_map(|swap| {
            let kl = swap.effect.kl?;
            let others = swap.random_kl.map_or_else(String::new, |(median, _)| format!(" (as many others: {median:.2})"));
            let words = format!(
                "{} {} latents given to the activation of step {}: the network of step {} answers {:.1}% of the test pairs, {kl:.3} nats from what it says of its own{others}.",
                swap.count,
                swap.class.name(),
                grouped(first.step.into()),
                grouped(last.step.into()),
                100.0 * swap.effect.test_accuracy
            );
            Some(view! { <li>{words}</li> })
        })
        .collect();
    view! { <ul class="plain number">{lines}</ul> }.into_any()
}

/// Test loss with only the n strongest latents, and without them, at each checkpoint.
fn strongest(lab: Lab, fit: &Arc<CrosscoderResult>, found: &CausalResult) -> AnyView {
    let sources: Vec<SourceEffects> = found.sources.clone();
    // By attribution, as far as there are any: results of earlier versions have none.
    let ranked = found.ranked.clone();
    let label_at = |source: usize| fit.sources.get(source).map_or_else(String::new, SourceInfo::label);
    let ranked_names: Vec<String> = ranked.iter().map(|ranked| label_at(ranked.source as usize)).collect();
    let has_ranks = !ranked.is_empty();
    let by_attribution = RwSignal::new(false);
    let name = fit.config.name.clone();
    let draw = move |show: &mut Show<'_>| {
        let by_attribution = by_attribution.get();
        let points = |effects: &[(u32, Effect)]| -> Vec<(f64, f64)> {
            effects.iter().map(|(n, effect)| (f64::from(*n), effect.test_loss)).collect()
        };
        let lines: Vec<[Vec<(f64, f64)>; 2]> = if by_attribution {
            ranked.iter().map(|ranked| [points(&ranked.keep), points(&ranked.remove)]).collect()
        } else {
            sources.iter().map(|source| [points(&source.keep), points(&source.remove)]).collect()
        };
        let both = |name: &str| ["only", "without"].map(|word| format!("{word}, {name}"));
        let labels: Vec<[String; 2]> = if by_attribution {
            ranked_names.iter().map(|name| both(name)).collect()
        } else {
            sources.iter().map(|source| both(&grouped(source.step.into()))).collect()
        };
        let series: Vec<Series<'_>> = lines
            .iter()
            .zip(&labels)
            .enumerate()
            .flat_map(|(index, (lines, labels))| {
                let ink = Ink::Source(u8::try_from(index).unwrap_or(u8::MAX));
                let line = |which: usize| Series { label: &labels[which], ink, dashed: which == 1, points: &lines[which] };
                [line(0), line(1)]
            })
            .collect();
        show(&Picture::Curves(Curves {
            series: &series,
            x: Axis::count(if by_attribution { "latents of largest attribution n" } else { "strongest latents n" }, Scale::Log),
            y: Axis::log("test loss"),
            marks: &[],
            ticks: &[],
            cursor: None,
            bands: &[],
            areas: &[],
        }));
    };
    let stem = move || of_experiment(lab, &format!("{name}-strongest"));
    let label = || "Test loss with only the strongest latents and without them, at each checkpoint".to_owned();
    let button = |is: bool, words: &'static str| {
        view! {
            <button type="button" aria-pressed=text(move || (by_attribution.get() == is).to_string()) on:click=move |_| by_attribution.set(is)>{words}</button>
        }
    };
    let switch = has_ranks.then(|| {
        view! { <div class="switch" role="group" aria-label="Order of the latents" id="strongest-by">{button(false, "by strength")}{button(true, "by attribution")}</div> }
    });
    figure(
        "How many carry it?",
        switch.into_any(),
        named_sheet(lab, "fit-strongest-chart", label, stem, draw, ().into_any())
            .within(|canvas| view! { <div style="--height:18rem">{canvas}</div> }.into_any()),
        "Test loss at each checkpoint with only the first n latents (solid) and without them (dashed), in the order of their energy there (⟨f²⟩‖D‖²) or of their attribution (by how much integrated gradients say that the loss would rise without each). What the dictionary does not explain stays in the activation.".into_any(),
    )
}
