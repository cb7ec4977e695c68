//! The latents as a table to choose a set from: row by row, by class, or all that the heat-map shows.
//!
//! A click in the heat-map means one latent; a set needs boxes that stay ticked while one looks on. The table is built when it is
//! opened, because a dictionary has hundreds of rows that most readers never ask for.

use super::live::{flag, part, text};
use super::set_trial::found;
use super::sets::{ask, cancel, of_class};
use super::store::{Lab, grouped};
use crate::crosscoder::causal::Along;
use crate::crosscoder::{CrosscoderResult, Latent, LatentClass};
use leptos::prelude::*;
use std::sync::Arc;

/// Rows at first: more are slow to build on a phone.
const ROWS: usize = 100;

/// The table, the button, and what was found. `order` has the latents that the heat-map shows.
pub(super) fn selection(lab: Lab, fit: Arc<CrosscoderResult>, order: Memo<Vec<u32>>) -> AnyView {
    let sets = lab.sets;
    let is_open = RwSignal::new(false);
    let whole = RwSignal::new(false);
    let count = move || sets.chosen.with(std::collections::BTreeSet::len);
    let busy = move || sets.done.get().is_some();
    let asked = fit.clone();
    let press = move |_| {
        if let Err(error) = ask(lab, &asked) {
            lab.fail(error);
        }
    };
    let label = move || match (sets.done.get(), count()) {
        (Some(done), _) => format!("Trying… {:.0}%", 100.0 * done),
        (None, 0) => "Try these latents".to_owned(),
        (None, 1) => "Try this one latent".to_owned(),
        (None, count) => format!("Try these {count} latents"),
    };
    let shown = fit.clone();
    let rows = move || {
        (is_open.get()).then(|| {
            let all = order.get();
            let most = if whole.get() { all.len() } else { ROWS };
            let more = (all.len() > most).then(|| {
                let words = format!("The first {most} of {}. Show all", all.len());
                view! { <button type="button" class="small-button" on:click=move |_| whole.set(true)>{words}</button> }
            });
            view! { {table(lab, &shown, &all[..most.min(all.len())])}{more} }.into_any()
        })
    };
    let drawn = fit.clone();
    view! {
        <div class="figure" id="latent-sets">
            <h2>"Try several at once"</h2>
            <div class="chips" role="group" aria-label="Which latents">
                <button type="button" class="small-button" id="choose-shown" title="All that the heat-map shows"
                    on:click=move |_| sets.chosen.update(|chosen| chosen.extend(order.get_untracked()))>"all shown"</button>
                {chips(lab, &fit)}
                <button type="button" class="small-button" id="choose-none" disabled=flag(move || count() == 0)
                    on:click=move |_| sets.chosen.update(std::collections::BTreeSet::clear)>"none"</button>
            </div>
            <details on:toggle=move |event| is_open.set(event_target::<web_sys::HtmlElement>(&event).has_attribute("open"))>
                <summary>"One by one"</summary>
                {part(rows)}
            </details>
            <div class="row">
                <button type="button" id="try-set" disabled=flag(move || busy() || count() == 0) on:click=press>{text(label)}</button>
                <button type="button" id="cancel-set" hidden=flag(move || !busy()) on:click=move |_| cancel(lab)>"Cancel"</button>
                <label class="small"><input type="checkbox" id="set-here" disabled=flag(busy)
                    prop:checked=flag(move || sets.along.get() == Along::Here)
                    on:change=move |event| sets.along.set(if event_target_checked(&event) { Along::Here } else { Along::Home }) />
                    "steer with each checkpoint's own vectors instead of those of the latents' homes"</label>
            </div>
            <p class="small muted">"Takes all of them out at every compared checkpoint, and adds them on all inputs, each beside what chance does: as many others, others as strong, and moves as long."</p>
            {part(move || sets.found.get().map(|trial| found(lab, &drawn, &trial)))}
        </div>
    }
    .into_any()
}

/// A chip for each class that there is.
fn chips(lab: Lab, fit: &CrosscoderResult) -> Vec<AnyView> {
    let sets = lab.sets;
    let classes = LatentClass::ALL.into_iter().filter(|class| *class != LatentClass::Dead);
    let present = classes.map(|class| (class, of_class(fit, class))).filter(|(_, members)| !members.is_empty());
    present
        .map(|(class, members)| {
            let words = format!("{} {}", class.name(), members.len());
            let pressing = members.clone();
            let is_in = move || sets.chosen.with(|chosen| members.iter().all(|latent| chosen.contains(latent))).to_string();
            view! {
                <button type="button" class="small-button" data-class=class.name() aria-pressed=text(is_in)
                    on:click=move |_| sets.toggle(&pressing)>{words}</button>
            }
            .into_any()
        })
        .collect()
}

fn table(lab: Lab, fit: &CrosscoderResult, shown: &[u32]) -> AnyView {
    let rows: Vec<_> =
        shown.iter().filter_map(|index| fit.latents.get(*index as usize)).map(|latent| row(lab, fit, latent)).collect();
    view! {
        <div class="table-scroll" style="max-height:22rem" tabindex="0" role="group" aria-label="Latents to choose from">
            <table id="latent-table">
                <thead><tr>
                    <th scope="col">"latent"</th><th scope="col" class="words">"class"</th><th scope="col">"born"</th>
                    <th scope="col">"home"</th><th scope="col">"fires on"</th><th scope="col">"η² a + b"</th><th scope="col">"by gradients"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn row(lab: Lab, fit: &CrosscoderResult, latent: &Latent) -> AnyView {
    let index = latent.index;
    let step = |source: usize| fit.sources.get(source).map_or("–".to_owned(), |source| grouped(source.step.into()));
    let last = fit.causal.as_ref().and_then(|causal| causal.attributions.last());
    let attributed = last.and_then(|last| last.effects.get(index as usize)).map_or("–".to_owned(), |e| format!("{e:+.3}"));
    let look = move |_| lab.latent.set(Some(index));
    view! {
        <tr>
            <th scope="row"><label><input type="checkbox" prop:checked=flag(move || lab.sets.chosen.with(|chosen| chosen.contains(&index)))
                on:change=move |_| lab.sets.toggle(&[index]) />{index}</label></th>
            <td class="words"><button type="button" class="small-button" title="Look at it" on:click=look>{latent.class.name()}</button></td>
            <td>{latent.birth.map_or("–".to_owned(), |birth| step(birth as usize))}</td>
            <td>{step(latent.home())}</td>
            <td>{format!("{:.1}%", 100.0 * latent.density)}</td>
            <td>{format!("{:.2}", latent.eta_squared.sum)}</td>
            <td>{attributed}</td>
        </tr>
    }
    .into_any()
}
