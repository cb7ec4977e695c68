//! The inputs on which it fires most, by name.

use super::Card;
use crate::crosscoder::{InputSide, top_inputs};
use crate::page::live::part;
use leptos::prelude::*;

/// Inputs that are listed.
const LISTED: usize = 10;

pub(super) fn figures(card: &Card) -> AnyView {
    let latent = card.latent;
    let card = card.clone();
    let rows = move || {
        let latent = latent.get()?;
        let found = top_inputs(card.activations(Some(&latent)), &card.data, LISTED);
        if found.is_empty() {
            return Some(view! { <p class="muted">"It fires on no input."</p> }.into_any());
        }
        let lines: Vec<_> = found
            .into_iter()
            .map(|input| {
                let class = match input.side {
                    InputSide::Train => "words train",
                    InputSide::Test => "words test",
                    InputSide::Probe => "words muted",
                };
                view! {
                    <tr>
                        <td>{input.a}</td><td>{input.b}</td><td>{input.answer}</td>
                        <td>{format!("{:.3}", input.activation)}</td><td class=class>{input.side.name()}</td>
                    </tr>
                }
            })
            .collect();
        Some(
            view! {
                <table>
                    <thead><tr><th scope="col">"a"</th><th scope="col">"b"</th><th scope="col">"answer"</th>
                        <th scope="col">"activation"</th><th scope="col" class="words">"the network saw it in"</th></tr></thead>
                    <tbody>{lines}</tbody>
                </table>
            }
            .into_any(),
        )
    };
    view! {
        <div class="figure" id="latent-inputs">
            <div class="figure-head"><h2>"Top inputs"</h2></div>
            <div class="table-scroll whole" tabindex="0" role="group" aria-label="The inputs on which the latent fires most">{part(rows)}</div>
            <p class="small muted">"The ten pairs on which it fires most, strongest first. What stands at the top is not evidence of what it does on the many inputs where it fires less."</p>
        </div>
    }
    .into_any()
}
