//! The life of a run on the page: what buttons ask, what the engine answers, what is kept.
//!
//! Everything that belongs to a run is written here and nowhere else, and each event is stored as it arrives. Commands pass
//! the engine's own state machine (`Phase::after`) first, so what makes no sense is refused at once; the phase itself changes
//! when the engine says so, except at the start, where a second click must meet a run under way.

use super::claim::{Claim, claim};
use super::fits::fit_done;
pub(super) use super::fits::{cancel_fit, fit, fit_over, pause_fit};
use super::inside;
use super::picker::Likeness;
use super::points::{self, Points};
use super::port::{Incoming, Port};
use super::race;
use super::sets;
use super::storage::{StoredRun, Write};
use super::store::{EngineState, FitState, Lab};
use super::theory;
use crate::engine::capability::{EngineChoice, EngineKind, EngineWish};
use crate::engine::message::{Command, Event, Resume};
use crate::engine::phase::Phase;
use crate::experiment::timeline::Entry;
use crate::experiment::{Experiment, FieldError};
use crate::record::{EventKind, MetricRow, RunEvent, RunSummary, UserError};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Starts the engine's worker.
pub(super) fn open_engine(lab: Lab, url: String) {
    lab.port.set_value(Some(Port::new(url, move |incoming| receive(lab, incoming))));
    restart_engine(lab);
}

/// Replaces the worker by a new one.
pub(super) fn restart_engine(lab: Lab) {
    lab.engine.set(EngineState::Loading);
    lab.waiting.update_value(|waiting| waiting.end_of_dropped = false);
    lab.port.with_value(|port| {
        if let Some(port) = port {
            port.restart();
        }
    });
}

/// Why the next run cannot start, setting by setting.
pub(super) fn problems(lab: Lab) -> Vec<FieldError> {
    let mut errors = lab.draft.unread_errors();
    if let Err(more) = lab.draft.value.with(Experiment::validate) {
        errors.extend(more);
    }
    errors
}

/// Starts the draft as a new run; `single` makes one update and holds.
pub(super) fn start(lab: Lab, single: bool) {
    if lab.phase.get_untracked().is_live() {
        return lab.announcement.set("A run is already under way".into());
    }
    if !untrack(|| problems(lab)).is_empty() {
        lab.refused.set(true);
        return;
    }
    lab.refused.set(false);
    let experiment = lab.draft.value.get_untracked();
    let engine = lab.wish.get_untracked();
    let command = Command::Start { experiment: experiment.clone(), engine, resume: None };
    match lab.phase.get_untracked().after(&command) {
        Ok(phase) => {
            clear(lab);
            set_phase(lab, phase);
        }
        Err(error) => return lab.fail(error),
    }
    begin(lab, new_run(experiment), String::new());
    lab.announcement.set("Training started".into());
    send(lab, &command);
    if single {
        send(lab, &Command::Step(1));
    }
}

/// Puts a new run on the page that is about to start; `why` goes into its record.
pub(super) fn begin(lab: Lab, run: StoredRun, why: String) {
    own(lab, run.id.clone());
    lab.run.set(Some(run));
    note(lab, EventKind::Started, why);
    lab.waiting.update_value(|waiting| waiting.start = true);
}

/// The engine that made a run, so that what goes on from it agrees.
pub(super) fn engine_of(lab: Lab, run: &StoredRun) -> EngineWish {
    run.choice.as_ref().map_or(lab.wish.get_untracked(), |choice| match choice.kind {
        EngineKind::Cpu => EngineWish::Cpu,
        EngineKind::Gpu => EngineWish::Gpu,
    })
}

/// Goes on from the last resume point, on the engine that made it.
pub(super) fn resume(lab: Lab) {
    let Some((step, bytes)) = lab.points.with_value(|points| points.newest().cloned()) else { return };
    let Some(run) = lab.run.get_untracked() else { return };
    let engine = engine_of(lab, &run);
    let rows = lab.rows.get_untracked();
    let resume = Resume { point: bytes.to_vec(), rows, wall_seconds: run.wall_seconds };
    let command = Command::Start { experiment: run.experiment, engine, resume: Some(resume) };
    match lab.phase.get_untracked().after(&command) {
        Ok(phase) => set_phase(lab, phase),
        Err(error) => return lab.fail(error),
    }
    lab.error.set(None);
    lab.can_resume.set(None);
    lab.step.set(step);
    lab.rows.update(|rows| rows.retain(|row| row.step <= step));
    lab.checkpoints.update(|checkpoints| checkpoints.retain(|checkpoint| checkpoint.step <= step));
    store(lab, |id| Write::Rewind(id, step));
    lab.run.update(|run| {
        if let Some(run) = run {
            run.summary = None;
        }
    });
    note(lab, EventKind::Restored, format!("From step {step}"));
    lab.waiting.update_value(|waiting| waiting.start = true);
    send(lab, &command);
}

/// Sends a command to the run under way.
pub(super) fn command(lab: Lab, command: &Command) {
    match lab.phase.get_untracked().after(command) {
        // The phase changes when the engine says so: until then updates may still come.
        Ok(_) => {
            match command {
                Command::Pause => note(lab, EventKind::Paused, String::new()),
                Command::Continue => note(lab, EventKind::Continued, String::new()),
                Command::Stop => note(lab, EventKind::Stopped, String::new()),
                _ => {}
            }
            send(lab, command);
        }
        Err(error) => lab.fail(error),
    }
}

/// Start, pause or continue: what Space does.
pub(super) fn toggle(lab: Lab) {
    match lab.phase.get_untracked() {
        Phase::Running => command(lab, &Command::Pause),
        Phase::Paused => command(lab, &Command::Continue),
        Phase::Idle | Phase::Finished | Phase::Failed => start(lab, false),
    }
}

/// One update, from wherever the run is.
pub(super) fn single_step(lab: Lab) {
    if lab.phase.get_untracked().is_live() {
        command(lab, &Command::Step(1));
    } else {
        start(lab, true);
    }
}

/// Empties the page; the run is forgotten on this device too.
pub(super) fn reset(lab: Lab) {
    if lab.phase.get_untracked().is_live() {
        send(lab, &Command::Stop);
        lab.waiting.update_value(|waiting| waiting.end_of_dropped = true);
    }
    store(lab, Write::Delete);
    clear(lab);
    set_phase(lab, Phase::Idle);
}

/// Enters a phase; the clock runs while training does.
pub(super) fn set_phase(lab: Lab, phase: Phase) {
    let spent = tick(lab);
    if phase != Phase::Running {
        points::write(lab);
    }
    if !phase.is_live() {
        lab.stage.set(None);
    }
    lab.running_since.set_value((phase == Phase::Running).then(js_sys::Date::now));
    lab.run.update(|run| {
        if let Some(run) = run {
            run.wall_seconds += spent;
        }
    });
    lab.phase.set(phase);
}

/// Seconds of training since the clock was last read.
fn tick(lab: Lab) -> f64 {
    let now = js_sys::Date::now();
    let since = lab.running_since.get_value();
    lab.running_since.set_value(since.map(|_| now));
    since.map_or(0.0, |since| (now - since) / 1000.0)
}

/// Takes everything of a run off the page.
pub(super) fn clear(lab: Lab) {
    if lab.fit_state.get_untracked() == FitState::Running {
        cancel_fit(lab);
    }
    lab.run.set(None);
    lab.claim.set_value(None);
    lab.step.set(0);
    lab.ms_per_step.set(None);
    lab.rows.set(Vec::new());
    lab.checkpoints.set(Vec::new());
    inside::clear(lab);
    points::replace(lab, Points::default());
    lab.stage.set(None);
    lab.originals.set_value(Vec::new());
    lab.baseline.set(None);
    lab.can_resume.set(None);
    lab.fits.set(Vec::new());
    lab.fit_shown.set(0);
    lab.latent.set(None);
    lab.fit_state.set(FitState::Idle);
    lab.guide.set(None);
    lab.alike.set(None);
    // They were added to the run that goes.
    lab.imports.further.set(Vec::new());
    lab.fit_curves.set(Vec::new());
    lab.fit_probing.set(None);
    lab.time.set(None);
    lab.hover.set(None);
    lab.choice.set(None);
    lab.error.set(None);
}

/// A fresh head for `experiment`.
pub(super) fn new_run(experiment: Experiment) -> StoredRun {
    let now = js_sys::Date::now();
    let id = format!("{now:013.0}-{:08.0}", js_sys::Math::random() * 1e8);
    StoredRun { id, experiment, step: 0, started_ms: now, wall_seconds: 0.0, summary: None, choice: None, events: Vec::new() }
}

/// Holds the run for this tab.
fn own(lab: Lab, id: String) {
    spawn_local(async move {
        let held: Option<Claim> = claim(&id).await;
        if lab.run.with_untracked(|run| run.as_ref().is_some_and(|run| run.id == id)) {
            lab.claim.set_value(held);
        }
    });
}

/// Tells the engine.
pub(super) fn send(lab: Lab, command: &Command) {
    let sent = lab.port.with_value(|port| port.as_ref().map_or(Ok(()), |port| port.send(command)));
    if let Err(error) = sent {
        lab.fail(error);
    }
}

fn receive(lab: Lab, incoming: Incoming) {
    match incoming {
        Incoming::Events(events) => batch_events(lab, events),
        Incoming::Crashed(words) => crashed(lab, words),
    }
}

/// Joins batches of rows that came between two frames, so that charts hear of them once.
fn batch_events(lab: Lab, events: Vec<Event>) {
    let mut fresh: Vec<MetricRow> = Vec::new();
    for event in events {
        match event {
            Event::Metrics(rows) if !lab.waiting.get_value().end_of_dropped => fresh.extend(rows),
            other => {
                append(lab, std::mem::take(&mut fresh));
                apply(lab, other);
            }
        }
    }
    append(lab, fresh);
}

fn append(lab: Lab, fresh: Vec<MetricRow>) {
    if fresh.is_empty() {
        return;
    }
    let before = untrack(|| lab.delay());
    if let Some(last) = fresh.last() {
        lab.step.update(|step| *step = (*step).max(last.step));
        lab.stage.set(None);
    }
    store(lab, |id| Write::Rows(id, fresh.clone()));
    lab.rows.update(|rows| rows.extend(fresh));
    let after = untrack(|| lab.delay());
    if let (None, Some(step)) = (before.t_mem, after.t_mem) {
        lab.announcement.set(format!("Memorised at step {step}"));
    }
    if let (None, Some(step)) = (before.t_gen, after.t_gen) {
        lab.announcement.set(format!("Understood: the network generalises since step {step}"));
    }
}

fn apply(lab: Lab, event: Event) {
    let heard = race::hear(lab, event).and_then(|event| theory::hear(lab, event)).and_then(|event| inside::hear(lab, event));
    let Some(event) = heard else { return };
    if lab.waiting.get_value().end_of_dropped && !matches!(event, Event::Ready(_) | Event::Crashed(_)) {
        match event {
            Event::Finished(_) => lab.waiting.update_value(|waiting| waiting.end_of_dropped = false),
            Event::FitCancelled => lab.waiting.update_value(|waiting| waiting.cancel = false),
            _ => {}
        }
        return;
    }
    match event {
        Event::Ready(capability) => {
            lab.capability.set(Some(capability));
            lab.engine.set(EngineState::Ready);
        }
        Event::Chosen(choice) => chosen(lab, choice),
        Event::Phase { phase, step } => {
            lab.waiting.update_value(|waiting| waiting.start = false);
            set_phase(lab, phase);
            // A run that broke no longer knows its step.
            lab.step.update(|known| *known = if phase == Phase::Failed { (*known).max(step) } else { step });
            if phase == Phase::Failed {
                lab.can_resume.set(lab.points.with_value(Points::newest_step));
            }
        }
        Event::Metrics(rows) => append(lab, rows),
        Event::Progress { step, ms_per_step } => {
            lab.step.set(step);
            lab.ms_per_step.set(Some(ms_per_step));
        }
        Event::Checkpoint(checkpoint) => {
            store(lab, |id| Write::Checkpoint(id, checkpoint.clone()));
            lab.checkpoints.update(|all| {
                all.retain(|known| known.step < checkpoint.step);
                all.push(checkpoint);
            });
        }
        Event::ResumePoint { step, bytes } => {
            points::keep(lab, step, bytes);
            change_run(lab, |_| {});
            // What only training can measure is lost with a reload otherwise.
            store(lab, |id| Write::Measures(id, Box::new(lab.measures.get_untracked())));
        }
        Event::MeasuredLive(live) => {
            lab.measures.update(|table| live.into_iter().for_each(|(step, values)| table.add(step, values)));
        }
        Event::Intervened(line) => intervened(lab, line),
        Event::Stage { step, steps } => lab.stage.set((step < steps).then_some((step, steps))),
        Event::Finished(summary) => finished(lab, summary),
        // A fit of a run that was cleared may still have had something to say.
        Event::FitProgress { .. } | Event::FitProbing(_) | Event::FitDone(_)
            if lab.fit_state.get_untracked() != FitState::Running => {}
        Event::FitProgress { row, steps } => {
            lab.waiting.update_value(|waiting| waiting.fit = false);
            lab.fit_plan.update(|plan| plan.0 = steps);
            lab.fit_curves.update(|curves| curves.push(row));
        }
        Event::FitProbing(done) => {
            // Of a dictionary that came as a file this is the first sign.
            lab.waiting.update_value(|waiting| waiting.fit = false);
            lab.fit_probing.set(Some(done));
        }
        Event::FitDone(outcome) => fit_done(lab, *outcome),
        Event::FitPaused(is_paused) => lab.fit_paused.set(is_paused),
        Event::FitCancelled => {
            lab.fit_state.set(if lab.waiting.get_value().cancel { FitState::Idle } else { FitState::Error });
            lab.waiting.update_value(|waiting| (waiting.fit, waiting.cancel) = (false, false));
        }
        Event::Error(error) => refused(lab, error),
        Event::Crashed(error) => crashed(lab, error.to_string()),
        Event::RaceProgress { .. } | Event::RaceDone(_) | Event::RaceCancelled => {}
        Event::Keys(..) | Event::Measured(..) | Event::MeasuresProgress { .. } | Event::MeasuresDone { .. } => {}
        Event::Compared(hook, steps, values) => lab.alike.set(Some(Likeness { hook, steps, values })),
        Event::Agreed(names, found) => lab.agreed.set(Some((names, found))),
        Event::SetProgress(done) => sets::progress(lab, done),
        Event::SetTried(trial) => sets::tried(lab, *trial),
        Event::SetRefused(error) => sets::refused(lab, error),
        Event::Tried(trial) => super::trial::tried(lab, *trial),
        Event::TrialRefused(error) => {
            super::trial::refused(lab);
            lab.fail(error);
        }
        Event::Looked(_) | Event::LookRefused(..) | Event::Theory(..) | Event::TheoryRefused(..) => {}
        Event::Survey { .. } | Event::SurveyProgress { .. } | Event::SurveyRefused(..) => {}
    }
}

/// A change took effect: it belongs to the run from now on, so that its link, its archive and a reload have it.
fn intervened(lab: Lab, line: String) {
    let step = Entry::parse(&line).map_or(lab.step.get_untracked(), |entry| entry.from);
    change_run(lab, |run| {
        match run.experiment.with_line(&line) {
            Ok(changed) => run.experiment = changed,
            // The engine has checked it against the same experiment.
            Err(_) => run.experiment.timeline.push(line.clone()),
        }
        run.events.push(RunEvent { step, kind: EventKind::Intervened, text: line.clone() });
    });
    lab.announcement.set(format!("Changed at step {step}"));
}

fn chosen(lab: Lab, choice: EngineChoice) {
    lab.choice.set(Some(choice.clone()));
    if lab.waiting.get_value().start {
        note(lab, EventKind::Engine, choice.label.clone());
        change_run(lab, |run| run.choice = Some(choice));
    }
}

fn finished(lab: Lab, summary: RunSummary) {
    let kind = if lab.phase.get_untracked() == Phase::Failed { EventKind::Failed } else { EventKind::Finished };
    note(lab, kind, summary.ended_early.clone().unwrap_or_default());
    lab.announcement.set(format!("The run ended at step {}", summary.steps));
    lab.step.set(summary.steps);
    // A loss that left the numbers would do so again.
    lab.can_resume.set(None);
    change_run(lab, |run| {
        run.step = summary.steps;
        run.wall_seconds = summary.wall_seconds;
        run.summary = Some(summary);
    });
}

fn refused(lab: Lab, error: UserError) {
    let waiting = lab.waiting.get_value();
    let is_about_run = waiting.race || waiting.fit || waiting.start;
    if waiting.race {
        race::refused(lab);
    } else if waiting.fit {
        lab.fit_state.set(FitState::Error);
    } else if waiting.start {
        set_phase(lab, Phase::Idle);
    }
    if !is_about_run {
        inside::refused(lab);
    }
    lab.waiting.update_value(|waiting| (waiting.start, waiting.fit) = (false, false));
    if lab.phase.get_untracked() == Phase::Failed
        && lab.run.with_untracked(|run| run.as_ref().is_some_and(|r| r.summary.is_none()))
    {
        note(lab, EventKind::Failed, error.to_string());
    }
    lab.fail(error);
}

fn crashed(lab: Lab, words: String) {
    let was_ready = lab.engine.get_untracked() == EngineState::Ready;
    lab.engine.set(EngineState::Crashed(words.clone()));
    if lab.fit_state.get_untracked() == FitState::Running {
        lab.fit_state.set(FitState::Error);
    }
    race::lost(lab);
    sets::lost(lab);
    inside::lost(lab);
    theory::lost(lab);
    let resume = lab.points.with_value(Points::newest_step);
    let was_live = lab.phase.get_untracked().is_live();
    if was_live {
        note(lab, EventKind::Failed, words.clone());
        set_phase(lab, Phase::Failed);
        lab.can_resume.set(resume);
    }
    let remedy = match (was_live, resume, was_ready) {
        (true, Some(step), _) => format!("Press Resume to go on from step {step}; everything recorded is kept"),
        (true, None, true) => "Press Start to begin again; what was recorded stays on the page until then".into(),
        (_, _, false) => "Reload the page; if that does not help, use a current browser with WebAssembly SIMD".into(),
        (false, _, true) => "A new engine is being started; what was recorded is kept".into(),
    };
    lab.fail(UserError::new(format!("The engine stopped ({words})"), remedy));
    // A module that never became ready would only fail again.
    if was_ready {
        restart_engine(lab);
    }
}

/// Keeps a fact about the run.
fn note(lab: Lab, kind: EventKind, text: String) {
    let step = lab.step.get_untracked();
    change_run(lab, |run| run.events.push(RunEvent { step, kind, text }));
}

fn change_run(lab: Lab, change: impl FnOnce(&mut StoredRun)) {
    let step = lab.step.get_untracked();
    let spent = tick(lab);
    lab.run.update(|run| {
        if let Some(run) = run {
            run.step = step;
            run.wall_seconds += spent;
            change(run);
        }
    });
    if let Some(run) = lab.run.get_untracked() {
        lab.storage.with_value(|storage| {
            if let Some(storage) = storage {
                storage.write(Write::Run(Box::new(run)));
            }
        });
    }
}

/// Queues a write about the run on the page.
pub(super) fn store(lab: Lab, write: impl FnOnce(String) -> Write) {
    let Some(id) = lab.run.with_untracked(|run| run.as_ref().map(|run| run.id.clone())) else { return };
    lab.storage.with_value(|storage| {
        if let Some(storage) = storage {
            storage.write(write(id));
        }
    });
}
