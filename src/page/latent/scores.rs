//! One latent in numbers: what it is a function of, how it lived, and how sure its absences are.
//!
//! A decoder norm alone will be doubted, and rightly: it is part of the fit's own objective. So beside it stand what the data say
//! of each absence (Latent Scaling) and what is left once the four simple readings are taken off.

use super::Card;
use crate::crosscoder::Absence;
use crate::crosscoder::causal::relative_effects;
use crate::page::live::part;
use leptos::prelude::*;

fn score(name: String, value: Option<f32>, written: String) -> AnyView {
    let width = format!("width:{:.1}%", 100.0 * value.unwrap_or(0.0).clamp(0.0, 1.0));
    view! {
        <div class="score">
            <span>{name}</span>
            <span class="track" aria-hidden="true"><span style=width></span></span>
            <span class="number">{written}</span>
        </div>
    }
    .into_any()
}

/// Everything that is said of the latent.
pub(super) fn scores(card: &Card) -> AnyView {
    let Card { lab, latent, fit, .. } = card.clone();
    let is_foreign = fit.foreign_rows().is_some();
    let operation = if is_foreign { String::new() } else { untrack(|| lab.shown_experiment()).task.operation };
    let has_inputs = card.data.sizes.tokens > 0 || !is_foreign;
    let sum = if operation == "add" { "the answer a + b" } else { "the sum a + b" };
    let difference = if operation == "sub" { "the answer a − b" } else { "a − b" };
    let content = move || {
        latent.get().map(|latent| {
            let eta = latent.eta_squared;
            let rest = latent.grid.map(|grid| score("none of these".into(), Some(grid.memorisation), format!("{:.2}", grid.memorisation)));
            let etas = [(sum, eta.sum), (difference, eta.difference), ("input a", eta.a), ("input b", eta.b)]
                .map(|(name, value)| score(name.into(), Some(value), format!("{value:.2}")));
            let attributions = fit.causal.as_ref().map_or(&[][..], |causal| &causal.attributions);
            let shares = relative_effects(attributions, latent.index as usize);
            let rows: Vec<_> = fit
                .sources
                .iter()
                .enumerate()
                .map(|(s, source)| {
                    let nu = latent.nu_epsilon.get(s).copied().flatten();
                    let norm = latent.norms.get(s).copied().unwrap_or(0.0);
                    let others = latent.nu_r.get(s).copied().flatten();
                    let written = |value: Option<f32>| value.map_or("–".to_owned(), |value| format!("{value:.2}"));
                    let place = attributions.iter().position(|attribution| attribution.source as usize == s);
                    let attributed = place.map_or("–".to_owned(), |place| {
                        let effect = attributions[place].effects.get(latent.index as usize).copied().unwrap_or(0.0);
                        format!("{effect:+.3} ({:.0}%)", 100.0 * shares[place])
                    });
                    let verdict = match latent.absences.get(s).copied().flatten() {
                        None => "",
                        Some(Absence::Confirmed) => "absent",
                        Some(Absence::Shrunk) => "shrunk",
                        Some(Absence::Decoupled) => "in other latents",
                        Some(Absence::Undefined) => "unknown",
                    };
                    view! {
                        <tr>
                            <td>{source.label()}</td><td>{format!("{norm:.3}")}</td>
                            <td>{written(latent.relative.get(s).copied())}</td>
                            <td>{written(nu)}</td>
                            <td>{written(others)}</td>
                            <td>{attributed}</td>
                            <td class="words">{verdict}</td>
                        </tr>
                    }
                })
                .collect();
            view! {
                <div class="scores" hidden=!has_inputs>
                    <h3>"How much of it is a function of … (η²)"</h3>
                    {etas.into_iter().collect::<Vec<_>>()}
                    {rest}
                </div>
                <p class="small muted" hidden=!has_inputs>"η² is the share of its variance that the mean over all inputs with the same a + b (a − b, a, b) already has; a function of that quantity alone has 1. A high one is not evidence that the network uses the latent for it."</p>
                <div class="table-scroll">
                    <table>
                        <thead><tr><th>"step"</th><th>"norm"</th><th>"relative"</th><th>"ν error"</th><th>"ν others"</th><th>"by gradients"</th><th class="words">"verdict"</th></tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
                <p class="small muted">"ν error: how much of this latent the reconstruction error of a checkpoint still holds; below .2 where the norm is small, the latent is not merely shrunk. ν others: how much of it other latents carry there; from .5 on they have taken it over. By gradients: by how many nats the test loss would rise without it, by integrated gradients, and which share of its effect over all checkpoints that is; trust the order of latents, not the size."</p>
            }
            .into_any()
        })
    };
    view! { <div class="figure" id="latent-scores">{part(content)}</div> }.into_any()
}
