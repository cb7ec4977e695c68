//! Looks into the checkpoint at the time slider: asked for one at a time, the newest wish first, and kept.
//!
//! A slider that is dragged passes ten checkpoints in the time that one look takes; a queue of them would run behind the hand.
//! So there is one wish, the present one, and whatever comes back late is kept for the way back.

use crate::engine::message::{Command, Event, LookOrder};
use crate::measure::{Ablation, Look, LookView};
use crate::page::session::send;
use crate::page::store::{EngineState, Lab};
use leptos::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most looks in memory; each is some tens of kilobytes.
const KEPT: usize = 200;

/// Looks at the run on the page.
#[derive(Debug, Clone, Copy)]
pub(in crate::page) struct Looks {
    /// What is wanted of a checkpoint.
    pub(super) view: RwSignal<LookView>,
    /// The newest look that is shown.
    pub(super) shown: RwSignal<Option<Arc<Look>>>,
    /// The look at the last checkpoint, onto which the others are turned.
    pub(super) reference: RwSignal<Option<Arc<Look>>>,
    /// Why the present checkpoint cannot be looked into.
    pub(super) problem: RwSignal<Option<String>>,
    state: StoredValue<State>,
}

#[derive(Debug, Clone, Default)]
struct State {
    kept: BTreeMap<u32, Arc<Look>>,
    /// What the kept ones were asked for.
    view: LookView,
    /// A look that is under way.
    asked: Option<u32>,
    /// Whether it belongs to a run that is gone.
    is_stale: bool,
}

impl Looks {
    pub(in crate::page) fn new() -> Self {
        Self {
            view: RwSignal::new(LookView::default()),
            shown: RwSignal::new(None),
            reference: RwSignal::new(None),
            problem: RwSignal::new(None),
            state: StoredValue::new(State::default()),
        }
    }
}

/// Shows what is known of the checkpoint at the slider, or asks for it.
pub(super) fn look(lab: Lab) {
    let looks = lab.looks;
    let (view, step) = (looks.view.get(), lab.time_step());
    let ready = lab.engine.get() == EngineState::Ready;
    let last = lab.checkpoints.with(|all| all.last().map(|checkpoint| checkpoint.step));
    let Some(step) = step else { return };
    looks.state.update_value(|state| {
        if state.view != view {
            (state.kept, state.view) = (BTreeMap::new(), view.clone());
        }
    });
    let found = looks.state.with_value(|state| state.kept.get(&step).cloned());
    if let Some(found) = found {
        looks.problem.set(None);
        if looks.shown.with_untracked(|shown| shown.as_ref().is_none_or(|shown| !Arc::ptr_eq(shown, &found))) {
            looks.shown.set(Some(found));
        }
    }
    // The last checkpoint is looked into first: the planes of all others are turned onto its own.
    let wanted = [last, Some(step)].into_iter().flatten();
    let missing = looks.state.with_value(|state| wanted.into_iter().find(|step| !state.kept.contains_key(step)));
    let free = looks.state.with_value(|state| state.asked.is_none());
    let (Some(missing), true) = (missing, free && ready) else { return };
    let Some(experiment) = lab.run.with_untracked(|run| run.as_ref().map(|run| run.experiment.clone())) else { return };
    let order = lab.checkpoints.with_untracked(|all| {
        let checkpoint = all.iter().find(|checkpoint| checkpoint.step == missing)?.clone();
        Some(LookOrder { checkpoint, first: all.first().cloned(), view })
    });
    let Some(order) = order else { return };
    looks.state.update_value(|state| state.asked = Some(missing));
    send(lab, &Command::Look(experiment, order));
}

/// Takes what the engine says of looks; hands everything else back.
pub(super) fn hear(lab: Lab, event: Event) -> Option<Event> {
    let looks = lab.looks;
    match event {
        Event::Looked(found) => {
            let (step, found) = (found.step, Arc::new(*found));
            let was_asked =
                looks.state.with_value(|state| !state.is_stale && state.asked == Some(step) && state.view == found.view);
            looks.state.update_value(|state| {
                (state.asked, state.is_stale) = (None, false);
                if was_asked {
                    if state.kept.len() >= KEPT {
                        state.kept.pop_first();
                    }
                    state.kept.insert(step, found.clone());
                }
            });
            let last = lab.checkpoints.with_untracked(|all| all.last().map(|checkpoint| checkpoint.step));
            if was_asked && last == Some(step) {
                looks.reference.set(Some(found));
            }
        }
        Event::LookRefused(_, error) => {
            let was_stale = looks.state.with_value(|state| state.is_stale);
            looks.state.update_value(|state| (state.asked, state.is_stale) = (None, false));
            if !was_stale {
                looks.problem.set(Some(error.to_string()));
                return None;
            }
        }
        other => return Some(other),
    }
    untrack(|| look(lab));
    None
}

/// Forgets everything about the run.
pub(super) fn clear(lab: Lab) {
    let looks = lab.looks;
    // A look that is under way still comes back, and then belongs to nobody.
    looks.state.update_value(|state| *state = State { asked: state.asked, is_stale: state.asked.is_some(), ..State::default() });
    looks.view.set(LookView::default());
    looks.shown.set(None);
    looks.reference.set(None);
    looks.problem.set(None);
}

/// The engine is gone, and with it the answer that was awaited.
pub(super) fn lost(lab: Lab) {
    lab.looks.state.update_value(|state| (state.asked, state.is_stale) = (None, false));
}

/// Takes a part out, or puts it back if it is the one that is out.
pub(super) fn toggle(lab: Lab, part: Ablation) {
    lab.looks.view.update(|view| view.ablation = if view.ablation == Some(part) { None } else { Some(part) });
}
