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
    // A file may name its rows by nothing but their number.
    let foreign = card.fit.foreign_rows().map(|of| &of.rows);
    let is_numbered = foreign.is_some();
    let has_inputs = foreign.is_none_or(|rows| rows.inputs.is_some());
    let has_classes = foreign.is_none_or(|rows| rows.labels.is_some());
    let has_sides = foreign.is_none_or(|rows| rows.train_mask.is_some());
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
                        {is_numbered.then(|| view! { <td>{input.row}</td> })}
                        {has_inputs.then(|| view! { <td>{input.a}</td><td>{input.b}</td> })}
                        {has_classes.then(|| view! { <td>{input.answer}</td> })}
                        <td>{format!("{:.3}", input.activation)}</td>
                        {has_sides.then(|| view! { <td class=class>{input.side.name()}</td> })}
                    </tr>
                }
            })
            .collect();
        Some(
            view! {
                <table>
                    <thead><tr>
                        {is_numbered.then(|| view! { <th scope="col">"row"</th> })}
                        {has_inputs.then(|| view! { <th scope="col">"a"</th><th scope="col">"b"</th> })}
                        {has_classes.then(|| view! { <th scope="col">"answer"</th> })}
                        <th scope="col">"activation"</th>
                        {has_sides.then(|| view! { <th scope="col" class="words">"the network saw it in"</th> })}
                    </tr></thead>
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
            <p class="small muted">"The ten inputs on which it fires most, strongest first. What stands at the top is not evidence of what it does on the many inputs where it fires less."</p>
        </div>
    }
    .into_any()
}
