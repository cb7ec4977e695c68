//! Back to a checkpoint, something changed, and on: the same run with another future, beside the one it had.
//!
//! What an intervention did can only be seen against the run without it. A branch is therefore the whole experiment with one
//! more line of its timeline, so that its link replays it from step 0; it only begins at a kept state to save the steps before.
//! The original stays in memory until its branch is given up. Rejected: continuing the original in place, after which there is
//! nothing left to compare with.

use super::claim::Claim;
use super::intervene::{Row, controls, words};
use super::live::{flag, part, text};
use super::points::{self, Points};
use super::session;
use super::storage::{StoredRun, Write};
use super::store::{FitState, Lab, View, grouped};
use crate::crosscoder::{CrosscoderResult, FitRow};
use crate::engine::message::{Command, Resume};
use crate::engine::phase::Phase;
use crate::record::{Checkpoint, MeasureTable, MetricRow, UserError};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use std::sync::Arc;
use wasm_bindgen::JsCast;

/// How many originals stay in memory when branches branch.
const KEPT: usize = 3;

/// The curves of the run that the one on the page branched off from.
#[derive(Debug, Clone)]
pub(super) struct Baseline {
    /// Its name.
    pub(super) name: String,
    /// Where they part.
    pub(super) at: u32,
    /// Its evaluations.
    pub(super) rows: Arc<Vec<MetricRow>>,
}

impl Baseline {
    /// What is drawn: from the last evaluation before the branch on.
    pub(super) fn after(&self) -> &[MetricRow] {
        let from = self.rows.partition_point(|row| row.step <= self.at).saturating_sub(1);
        self.rows.get(from..).unwrap_or_default()
    }

    /// Its evaluation at a step after they parted.
    pub(super) fn row(&self, step: u32) -> Option<&MetricRow> {
        let found = self.rows.binary_search_by_key(&step, |row| row.step).ok()?;
        self.rows.get(found).filter(|row| row.step > self.at)
    }
}

/// A run that gave way to its branch, with everything that was on the page.
pub(super) struct Original {
    at: u32,
    run: StoredRun,
    rows: Arc<Vec<MetricRow>>,
    checkpoints: Vec<Checkpoint>,
    measures: MeasureTable,
    points: Points,
    phase: Phase,
    step: u32,
    can_resume: Option<u32>,
    time: Option<u32>,
    fits: Vec<Arc<CrosscoderResult>>,
    fit_shown: usize,
    fit_state: FitState,
    fit_curves: Vec<FitRow>,
    latent: Option<u32>,
    claim: Option<Claim>,
}

impl Original {
    /// Takes the run off the page, without copying it.
    fn leave(lab: Lab, run: StoredRun, at: u32) -> Self {
        let mut claim = None;
        lab.claim.update_value(|slot| claim = slot.take());
        let mut points = Points::default();
        lab.points.update_value(|slot| points = std::mem::take(slot));
        Self {
            at,
            run,
            rows: Arc::new(lab.rows.try_update_untracked(std::mem::take).unwrap_or_default()),
            checkpoints: lab.checkpoints.try_update_untracked(std::mem::take).unwrap_or_default(),
            measures: lab.measures.try_update_untracked(std::mem::take).unwrap_or_default(),
            points,
            phase: lab.phase.get_untracked(),
            step: lab.step.get_untracked(),
            can_resume: lab.can_resume.get_untracked(),
            time: lab.time.get_untracked(),
            fits: lab.fits.get_untracked(),
            fit_shown: lab.fit_shown.get_untracked(),
            // A fit under way ends with the run that it belongs to.
            fit_state: match lab.fit_state.get_untracked() {
                FitState::Running => FitState::Idle,
                state => state,
            },
            fit_curves: lab.fit_curves.get_untracked(),
            latent: lab.latent.get_untracked(),
            claim,
        }
    }

    fn baseline(&self) -> Baseline {
        Baseline { name: self.run.experiment.name.clone(), at: self.at, rows: self.rows.clone() }
    }
}

/// Starts the branch of the run on the page at step `at`.
fn start(lab: Lab, at: u32, line: &str) -> Result<(), UserError> {
    let Some(run) = lab.run.get_untracked() else {
        return Err(UserError::new("There is no run to branch from", "Press Start first"));
    };
    let experiment = run.experiment.branched(at, &[line.to_owned()])?;
    let kept = lab.points.with_value(|points| points.before(at, &run.experiment));
    let state = kept.newest().cloned();
    let from = state.as_ref().map_or(0, |(step, _)| *step);
    let wall_seconds = run.wall_seconds * f64::from(from) / f64::from(run.step.max(1));
    let earlier = |step: u32| state.is_some() && step <= from;
    let rows: Vec<MetricRow> = lab.rows.with_untracked(|rows| rows.iter().filter(|row| earlier(row.step)).copied().collect());
    let resume = state.as_ref().map(|(_, bytes)| Resume { point: bytes.to_vec(), rows: rows.clone(), wall_seconds });
    let command = Command::Start { experiment: experiment.clone(), engine: session::engine_of(lab, &run), resume };
    let phase = lab.phase.get_untracked().after(&command)?;

    let checkpoints: Vec<Checkpoint> =
        lab.checkpoints.with_untracked(|all| all.iter().filter(|checkpoint| earlier(checkpoint.step)).cloned().collect());
    // Key components are decided by the last checkpoint, which the branch will have another of.
    let measured = lab.measures.with_untracked(|all| all.rows.range(..=from).map(|(step, row)| (*step, row.clone())).collect());
    let measures = MeasureTable { keys: None, rows: measured };
    let why = format!("Branch of {} ({}): {line}", run.experiment.name, run.id);
    let mut originals = Vec::new();
    lab.originals.update_value(|slot| originals = std::mem::take(slot));
    originals.push(Original::leave(lab, run, at));
    if originals.len() > KEPT {
        originals.remove(0);
    }
    session::clear(lab);
    lab.baseline.set(originals.last().map(Original::baseline));
    lab.originals.set_value(originals);
    session::set_phase(lab, phase);

    let mut fresh = session::new_run(experiment);
    (fresh.step, fresh.wall_seconds) = (from, wall_seconds);
    lab.step.set(from);
    lab.rows.set(rows.clone());
    lab.checkpoints.set(checkpoints.clone());
    if state.is_some() {
        lab.measures.set(measures);
    }
    points::replace(lab, kept);
    session::begin(lab, fresh, why);
    if !rows.is_empty() {
        session::store(lab, |id| Write::Rows(id, rows));
    }
    for checkpoint in checkpoints {
        session::store(lab, |id| Write::Checkpoint(id, checkpoint));
    }
    if let Some((step, bytes)) = state {
        session::store(lab, |id| Write::Resume(id, step, bytes));
    }
    lab.announcement.set(format!("The branch at step {at} is under way"));
    lab.view.set(View::Run);
    session::send(lab, &command);
    Ok(())
}

/// Puts the original back on the page as it was. The branch stays stored on this device.
fn back(lab: Lab) {
    let mut originals = Vec::new();
    lab.originals.update_value(|slot| originals = std::mem::take(slot));
    let Some(original) = originals.pop() else { return };
    if lab.phase.get_untracked().is_live() {
        session::send(lab, &Command::Stop);
        lab.waiting.update_value(|waiting| (waiting.start, waiting.end_of_dropped) = (false, true));
    }
    session::clear(lab);
    lab.baseline.set(originals.last().map(Original::baseline));
    lab.originals.set_value(originals);
    session::set_phase(lab, original.phase);
    lab.step.set(original.step);
    lab.choice.set(original.run.choice.clone());
    lab.run.set(Some(original.run));
    lab.rows.set(Arc::unwrap_or_clone(original.rows));
    lab.checkpoints.set(original.checkpoints);
    lab.measures.set(original.measures);
    points::replace(lab, original.points);
    lab.can_resume.set(original.can_resume);
    lab.time.set(original.time);
    lab.fits.set(original.fits);
    lab.fit_shown.set(original.fit_shown);
    lab.fit_state.set(original.fit_state);
    lab.fit_curves.set(original.fit_curves);
    lab.latent.set(original.latent);
    lab.claim.set_value(original.claim);
    lab.announcement.set("The original is back".into());
}

/// Says what the run on the page is a branch of, and leads back.
pub(super) fn notice(lab: Lab) -> AnyView {
    let content = move || {
        lab.baseline.get().map(|baseline| {
            let at = baseline.at;
            let change = move || {
                lab.run.with(|run| {
                    let experiment = &run.as_ref()?.experiment;
                    let entries = experiment.entries();
                    let own: Vec<String> = entries.iter().filter(|e| e.from == at).map(|e| words(experiment, e)).collect();
                    (!own.is_empty()).then(|| format!(" ({})", own.join(", ")))
                })
            };
            let label = move || if lab.phase.get().is_live() { "Stop and go back to the original" } else { "Back to the original" };
            view! {
                <div class="card notice" id="branch-notice" data-at=at.to_string()>
                    <p>"A branch of "<strong>{baseline.name}</strong>" from step "{grouped(at.into())}{text(move || change().unwrap_or_default())}". Dashed: the original."</p>
                    <div class="row">
                        <button type="button" class="small-button" id="branch-back" on:click=move |_| back(lab)>{text(move || label().into())}</button>
                    </div>
                </div>
            }
            .into_any()
        })
    };
    view! { {part(content)} }.into_any()
}

/// Gives the focus to a control that is there after the next drawing.
fn focus_on(id: &'static str) {
    request_animation_frame(move || {
        let found = web_sys::window().and_then(|window| window.document()).and_then(|document| document.get_element_by_id(id));
        if let Some(element) = found.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
            // A control that is gone again only costs that convenience.
            let _ = element.focus();
        }
    });
}

/// Closes the panel; the keyboard goes on where it was opened.
fn close(open: RwSignal<bool>) {
    open.set(false);
    focus_on("branch");
}

/// The button at the time slider that opens the panel.
pub(super) fn opener(lab: Lab, open: RwSignal<bool>) -> AnyView {
    let live = move || lab.phase.get().is_live();
    let step = move || lab.time_step().map(|step| grouped(step.into())).unwrap_or_default();
    let toggle = move |_| {
        if open.get_untracked() {
            close(open);
        } else {
            open.set(true);
            focus_on("branch-what");
        }
    };
    let title = move || if live() { "Stop the run first: a branch is a run of its own" } else { "Another future from here on" };
    view! {
        <button type="button" class="small-button" id="branch" aria-expanded=text(move || open.get().to_string()) aria-controls="branch-panel"
            disabled=flag(live) title=text(move || title().into()) on:click=toggle>
            "Branch"<span class="wide">" from step "{text(step)}</span>"…"
        </button>
    }
    .into_any()
}

/// What to change from the slider's step on.
pub(super) fn panel(lab: Lab, open: RwSignal<bool>) -> AnyView {
    // It would come back at the end of a run, long after anybody asked for it.
    Effect::new(move |_| {
        if lab.phase.get().is_live() {
            open.set(false);
        }
    });
    let content = move || {
        let shown = open.get() && !lab.phase.get().is_live() && lab.run.with(Option::is_some);
        shown.then(|| form(lab, open))
    };
    view! { {part(content)} }.into_any()
}

fn form(lab: Lab, open: RwSignal<bool>) -> AnyView {
    let row = Row::new("branch");
    let at = Memo::new(move |_| lab.time_step().unwrap_or(0));
    let of = Memo::new(move |_| lab.run.with(|run| run.as_ref().map(|run| run.experiment.clone())));
    let now = Memo::new(move |_| {
        let experiment = of.get().unwrap_or_else(|| lab.draft.value.get_untracked());
        experiment.at(at.get()).unwrap_or(experiment)
    });
    let cost = move || {
        let at = at.get();
        let known = of.with(|e| e.as_ref().and_then(|e| lab.points.with_value(|points| points.before(at, e).newest_step())));
        match known {
            Some(step) if step == at => format!("It goes on from the state kept at step {}.", grouped(at.into())),
            Some(step) => format!(
                "The nearest kept state is that of step {}; the {} updates after it are made again.",
                grouped(step.into()),
                grouped((at - step).into())
            ),
            None => format!(
                "No state up to step {} is kept in this tab, so the branch starts from step 0 with the same seed.",
                grouped(at.into())
            ),
        }
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let at = at.get_untracked();
        let done = now.with_untracked(|now| row.line(now, at)).and_then(|line| start(lab, at, &line));
        match done {
            Ok(()) => open.set(false),
            Err(error) => row.refuse(error),
        }
    };
    let by_key = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Escape" {
            close(open);
        }
    };
    let yes = Memo::new(|_| true);
    let no = Memo::new(|_| false);
    view! {
        <form id="branch-panel" class="change" aria-label="Branch" on:submit=submit on:keydown=by_key>
            <h2>"From step "{text(move || grouped(at.get().into()))}" on, change"</h2>
            {controls(row, now, no, yes)}
            <p class="small muted">{text(cost)}" What the original changed later is left out, and the original stays on the charts in dashes."</p>
            <div class="row">
                <button type="submit" class="small-button" id="branch-run">"Run the branch"</button>
                <button type="button" class="small-button quiet" id="branch-cancel" on:click=move |_| close(open)>"Cancel"</button>
            </div>
        </form>
    }
    .into_any()
}
