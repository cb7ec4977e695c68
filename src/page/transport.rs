//! The time slider: one clock, the step, for every view.
//!
//! It stands on saved checkpoints only, because only there is something to look inside. It follows the newest one until it is
//! moved, and again when it is moved to the end.

use super::branch;
use super::live::{flag, text};
use super::store::{Lab, grouped};
use leptos::leptos_dom::helpers::IntervalHandle;
use leptos::prelude::*;
use std::time::Duration;

/// Time between checkpoints while it plays.
const FRAME: Duration = Duration::from_millis(120);

/// The slider; nothing until there are two checkpoints.
pub(super) fn time_slider(lab: Lab) -> AnyView {
    let count = Memo::new(move |_| lab.checkpoints.with(Vec::len));
    let position = Memo::new(move |_| {
        let step = lab.time_step();
        lab.checkpoints.with(|all| all.iter().position(|checkpoint| Some(checkpoint.step) == step).unwrap_or(0))
    });
    let playing = StoredValue::new(None::<IntervalHandle>);
    let plays = RwSignal::new(false);
    let branching = RwSignal::new(false);
    let halt = move || {
        if let Some(handle) = playing.get_value() {
            handle.clear();
        }
        playing.set_value(None);
        plays.set(false);
    };
    let advance = move || {
        let next = position.get_untracked() + 1;
        if next >= count.get_untracked() {
            halt();
        } else {
            go_to(lab, next);
        }
    };
    let play = move |_| {
        if plays.get_untracked() {
            return halt();
        }
        if position.get_untracked() + 1 >= count.get_untracked() {
            go_to(lab, 0);
        }
        if let Ok(handle) = set_interval_with_handle(advance, FRAME) {
            playing.set_value(Some(handle));
            plays.set(true);
        }
    };
    let words = move || lab.time_step().map(|step| format!("step {}", grouped(step.into()))).unwrap_or_default();
    view! {
        <div class="time" hidden=flag(move || count.get() < 2)>
            {branch::panel(lab, branching)}
            <div class="clock">
                <button type="button" class="small-button" id="play" on:click=play>{text(move || if plays.get() { "Halt" } else { "Play" }.into())}</button>
                <input type="range" id="time-slider" aria-label="Checkpoint" min="0" step="1"
                    max=text(move || (count.get().max(1) - 1).to_string()) prop:value=text(move || position.get().to_string())
                    aria-valuetext=text(words) data-step=text(move || lab.time_step().map(|step| step.to_string()).unwrap_or_default())
                    on:input=move |event| {
                        halt();
                        if let Ok(position) = event_target_value(&event).parse() {
                            go_to(lab, position);
                        }
                    } />
                <output for="time-slider">{text(words)}</output>
                {branch::opener(lab, branching)}
            </div>
        </div>
    }
    .into_any()
}

fn go_to(lab: Lab, position: usize) {
    let (step, is_last) =
        lab.checkpoints.with_untracked(|all| (all.get(position).map(|checkpoint| checkpoint.step), position + 1 == all.len()));
    lab.time.set(step.filter(|_| !is_last));
}
