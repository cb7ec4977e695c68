//! Known experiments on the page: the choice, what to expect of one, and whether a run of it came out that way.
//!
//! A newcomer with forty titles chooses the first; with a sentence and a cost beside each, the one that answers a question. And a
//! curve without the published number beside it proves nothing.

use super::live::{flag, part, text};
use super::run::choose_preset;
use super::share::open_recorded;
use super::store::{Lab, grouped};
use crate::engine::phase::Phase;
use crate::experiment::presets::{Grade, Verdict, bands, preset_of, verdict};
use crate::experiment::{Expected, Preset, presets};
use crate::measure::delay::findings;
use leptos::html::Details;
use leptos::prelude::*;

/// The shelves with their presets, both in the order of the list.
fn shelves() -> Vec<(&'static str, Vec<&'static Preset>)> {
    let mut shelves: Vec<(&str, Vec<&Preset>)> = Vec::new();
    for preset in presets() {
        match shelves.iter_mut().find(|(name, _)| *name == preset.shelf) {
            Some((_, on_it)) => on_it.push(preset),
            None => shelves.push((preset.shelf, vec![preset])),
        }
    }
    shelves
}

/// The choice of an experiment, by shelf.
pub(super) fn picker(lab: Lab) -> AnyView {
    let groups: Vec<_> = shelves()
        .into_iter()
        .map(|(shelf, on_it)| {
            let options: Vec<_> = on_it
                .into_iter()
                .map(|preset| {
                    let chosen = flag(move || lab.preset.get().name == preset.name);
                    view! { <option value=preset.name selected=chosen title=preset.sentence>{preset.title}</option> }
                })
                .collect();
            view! { <optgroup label=shelf>{options}</optgroup> }
        })
        .collect();
    view! {
        <label class="visually-hidden" for="preset">"Experiment"</label>
        <select id="preset" class="preset" prop:value=text(move || lab.preset.get().name.into())
            on:change=move |event| choose_preset(lab, &event_target_value(&event))>{groups}</select>
    }
    .into_any()
}

/// The bands in words; empty without any.
fn promised(expected: Expected) -> String {
    bands(&expected, |step| grouped(step.into())).join(", ")
}

/// What the chosen experiment promises, where it comes from and what it costs; and all others with their sentences.
pub(super) fn about(lab: Lab) -> AnyView {
    let preset = move || lab.preset.get();
    let head = move || match promised(preset().expected) {
        none if none.is_empty() => "no published number to compare with".to_owned(),
        bands => bands,
    };
    let expected = move || {
        let bands = promised(preset().expected);
        let note = preset().expected.note;
        if bands.is_empty() { note.to_owned() } else { format!("{bands}. {note}") }
    };
    let all = NodeRef::<Details>::new();
    let is_open = RwSignal::new(false);
    let toggled = move |_| is_open.set(all.get_untracked().is_some_and(|all| all.open()));
    let choose = move |name: &'static str| {
        choose_preset(lab, name);
        // The list is at the foot of the page; what was chosen stands at its head.
        let picker = web_sys::window().and_then(|window| window.document()).and_then(|page| page.get_element_by_id("preset"));
        if let Some(head) = picker.and_then(|picker| picker.closest(".view").ok().flatten()) {
            head.scroll_into_view();
        }
        lab.announcement.set(format!("{} is chosen", lab.preset.get_untracked().title));
    };
    view! {
        <details class="drawer" id="about">
            <summary>"About this experiment "<span class="muted">{text(head)}</span></summary>
            <div>
                <dl class="facts">
                    <dt>"Expected"</dt><dd>{text(expected)}</dd>
                    <dt>"Cost"</dt><dd>{text(move || preset().cost.into())}</dd>
                    <dt>"Source"</dt><dd>{text(move || preset().source.into())}</dd>
                </dl>
                {part(move || preset().is_recorded().then(|| view! {
                    <div class="row">
                        <button type="button" id="open-recorded" on:click=move |_| open_recorded(lab, preset().name)>"Open the recorded run"</button>
                        <span class="small muted">"Its curves as they came out here, without weights; running it takes as long as it says."</span>
                    </div>
                }.into_any()))}
                <details id="all-presets" node_ref=all on:toggle=toggled>
                    <summary>{format!("All {} experiments", presets().len())}</summary>
                    // Made when it is opened, so that the first paint does not wait for it.
                    {part(move || is_open.get().then(|| list(lab, choose)))}
                </details>
            </div>
        </details>
    }
    .into_any()
}

fn list(lab: Lab, choose: impl Fn(&'static str) + Copy + Send + 'static) -> AnyView {
    let shelves: Vec<_> = shelves()
        .into_iter()
        .map(|(shelf, on_it)| {
            let cards: Vec<_> = on_it
                .into_iter()
                .map(|preset| {
                    let pressed = text(move || (lab.preset.get().name == preset.name).to_string());
                    view! {
                        <button type="button" aria-pressed=pressed on:click=move |_| choose(preset.name)>
                            <strong>{preset.title}</strong>
                            <span>{preset.sentence}"."</span>
                            <span class="small muted">{preset.cost}"."</span>
                        </button>
                    }
                })
                .collect();
            view! { <h3>{shelf}</h3><div class="preset-list">{cards}</div> }
        })
        .collect();
    view! { <div class="shelves">{shelves}</div> }.into_any()
}

/// The preset that the run on the page repeats, and how it came out; `None` while it trains and for any other experiment.
fn judged(lab: Lab) -> Option<(&'static Preset, Verdict)> {
    let ended = matches!(lab.phase.get(), Phase::Finished | Phase::Failed);
    let preset = lab.run.with(|run| preset_of(presets(), &run.as_ref()?.experiment)).filter(|_| ended)?;
    let summary = lab.summary()?;
    // A loss that left the numbers is an outcome; a stop by hand is none.
    let whole = summary.ended_early.is_none() || lab.phase.get() == Phase::Failed;
    Some((preset, lab.rows.with(|rows| verdict(&preset.expected, &findings(rows, whole)))))
}

/// A badge after a run of an unmodified preset: whether it came out as expected. Its words serve bands and controls alike.
pub(super) fn badge(lab: Lab) -> AnyView {
    let judged = Memo::new(move |_| judged(lab));
    let shown = move || {
        judged.get().map(|(preset, verdict)| {
            let (name, sign, word) = match verdict.grade {
                Some(Grade::Inside) => ("inside", "✓", "As expected"),
                Some(Grade::Near) => ("near", "≈", "Nearly as expected"),
                Some(Grade::Outside) => ("outside", "✗", "Not as expected"),
                None => ("none", "–", "Not judged"),
            };
            let why = format!("{}: {}", preset.title, verdict.phrases.join("; "));
            view! {
                <span id="verdict" class="verdict" data-verdict=name title=preset.expected.note>
                    <span class="tag"><span aria-hidden="true">{sign}" "</span>{word}</span>
                    <span class="small muted">{why}</span>
                </span>
            }
            .into_any()
        })
    };
    view! { {part(shown)} }.into_any()
}
