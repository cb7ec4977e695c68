//! What another fit of this run made of the same latents.

use super::inks::ink_of;
use crate::crosscoder::views::Comparison;
use crate::crosscoder::{CrosscoderResult, LatentClass};
use crate::engine::message::Command;
use crate::page::chart::{Show, figure, named_sheet, of_experiment};
use crate::page::live::{flag, part, text};
use crate::page::session::send;
use crate::page::sets::bare;
use crate::page::store::Lab;
use crate::plot::{Flow, Ink, Key, Picture};
use crate::record::UserError;
use leptos::prelude::*;
use std::sync::Arc;

/// The names of two fits, and what the second found of the first again.
pub(in crate::page) type Agreed = ([String; 2], Result<Comparison, UserError>);

pub(super) fn view(lab: Lab, fit: Arc<CrosscoderResult>) -> AnyView {
    let own = fit.config.name.clone();
    let others: Vec<Arc<CrosscoderResult>> = lab.fits.with_untracked(|fits| {
        let is_other = |other: &&Arc<CrosscoderResult>| other.config.name != own && other.has_rows_of(&fit);
        fits.iter().filter(is_other).cloned().collect()
    });
    if others.is_empty() {
        return view! {
            <p class="card notice" id="no-other-fit">"There is only one fit of these inputs. Fit again with another seed (under “All settings”), another penalty or another kind of fit; then their latents can be matched here."</p>
        }
        .into_any();
    }
    let chosen = RwSignal::new(0usize);
    let options: Vec<_> = others
        .iter()
        .enumerate()
        .map(|(index, other)| {
            let words = format!("{}, seed {}", other.config.name, other.config.seed);
            view! { <option value=index.to_string() selected=flag(move || chosen.get() == index)>{words}</option> }
        })
        .collect();
    let choose = move |event| {
        if let Ok(index) = event_target_value(&event).parse() {
            chosen.set(index);
        }
    };
    let names: Vec<[String; 2]> = others.iter().map(|other| [fit.config.name.clone(), other.config.name.clone()]).collect();
    let asked_names = names.clone();
    // Some hundred million operations, and seconds of them for large fits: the engine makes them.
    Effect::new(move |_| {
        let place = chosen.get();
        let (Some(other), Some(names)) = (others.get(place), asked_names.get(place)) else { return };
        if lab.agreed.with_untracked(|agreed| agreed.as_ref().is_none_or(|(known, _)| known != names)) {
            let both = [&fit, other].map(|fit| CrosscoderResult { weights: Vec::new(), ..bare(fit) }.into());
            send(lab, &Command::Agree(Box::new(both)));
        }
    });
    let body = move || {
        let names = names.get(chosen.get())?;
        Some(match lab.agreed.get().filter(|(known, _)| known == names) {
            None => view! { <p class="muted">{format!("Matching with {}…", names[1])}</p> }.into_any(),
            Some((_, Err(error))) => view! { <p class="problem" role="alert">{error.to_string()}"."</p> }.into_any(),
            Some((_, Ok(found))) => compared(lab, &names[0], &names[1], found),
        })
    };
    view! {
        <div class="row">
            <label for="other-fit" class="small muted">"Compare with"</label>
            <select id="other-fit" prop:value=text(move || chosen.get().to_string()) on:change=choose>{options}</select>
        </div>
        {part(body)}
    }
    .into_any()
}

fn compared(lab: Lab, ours: &str, theirs: &str, found: Comparison) -> AnyView {
    let lines = table(&found);
    let matched: u32 = (0..found.ours.len()).map(|row| found.row_total(row) - found.count(row, found.theirs.len())).sum();
    let total: u32 = (0..found.ours.len()).map(|row| found.row_total(row)).sum();
    let typical = found.median_correlation.map_or_else(String::new, |median| format!(" (median correlation {median:.2})"));
    let caption = format!(
        "{matched} of {total} latents have a partner in the other fit{typical}. Bands go from the class here to the class there; what has no partner is at the bottom."
    );
    let (left_label, right_label) = (format!("{ours} (this fit)"), theirs.to_owned());
    let stem = {
        let name = format!("{ours}-against-{theirs}");
        move || of_experiment(lab, &name)
    };
    let draw = move |show: &mut Show<'_>| {
        let none = |label| Key { ink: Ink::Baseline, label };
        let keys = |classes: &[LatentClass], last| -> Vec<Key<'static>> {
            let known = classes.iter().map(|class| Key { ink: ink_of(*class), label: class.name() });
            known.chain([none(last)]).collect()
        };
        let (left, right) = (keys(&found.ours, "only there"), keys(&found.theirs, "not found"));
        show(&Picture::Flow(Flow {
            left_label: left_label.clone(),
            right_label: right_label.clone(),
            left: &left,
            right: &right,
            counts: &found.counts,
        }));
    };
    let label = || "Latents of this fit by class, and the class of their partners in the other fit".to_owned();
    let sheet = named_sheet(lab, "fit-comparison", label, stem, draw, ().into_any()).within(|canvas| {
        view! { <div class="cloud"><div style="--height:26rem;--height-narrow:24rem">{canvas}</div>{lines}</div> }.into_any()
    });
    figure("What did the other fit find?", ().into_any(), sheet, caption.into_any())
}

fn table(found: &Comparison) -> AnyView {
    let rows: Vec<_> = found
        .ours
        .iter()
        .enumerate()
        .filter_map(|(row, class)| {
            let (again, same) = found.found(row)?;
            let percent = |share: f64| format!("{:.0}%", 100.0 * share);
            Some(view! {
                <tr data-class=class.name() data-again=again.to_string()>
                    <th scope="row">{class.name()}</th><td>{found.row_total(row)}</td><td>{percent(again)}</td><td>{percent(same)}</td>
                </tr>
            })
        })
        .collect();
    view! {
        <div class="table-scroll whole" tabindex="0" role="group" aria-label="How many latents of each class are found again, and in the same class there">
            <table id="comparison-table">
                <thead><tr><th scope="col">"class"</th><th scope="col">"latents"</th><th scope="col">"found again"</th><th scope="col">"same class"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
