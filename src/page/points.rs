//! The states that a run can go on from, and how they reach the disk.
//!
//! A branch needs the state at or before its step; a crash needs the newest one. Each is three times the weights, so memory
//! keeps an even choice of them and the disk only the newest, written a few times in ten seconds and whenever the tab may go.
//! Rejected: branching from checkpoints alone, which hold no moments of the optimiser, so that the branch would jump.

use super::session::store;
use super::storage::Write;
use super::store::Lab;
use crate::experiment::Experiment;
use leptos::prelude::*;
use std::sync::Arc;
use std::time::Duration;

/// Most bytes of states in memory.
const ROOM: usize = 48 << 20;
/// Least milliseconds between two writes to the disk.
const PAUSE_MS: f64 = 2_000.0;

/// A state: its step and the bytes of `Event::ResumePoint`.
pub(super) type Point = (u32, Arc<Vec<u8>>);

/// The states in memory, ascending in step.
#[derive(Debug, Clone, Default)]
pub(super) struct Points(Vec<Point>);

impl Points {
    /// Adds the newest state. Where there is no room, those go whose absence costs the fewest repeated updates.
    pub(super) fn add(&mut self, step: u32, bytes: Arc<Vec<u8>>) {
        self.0.retain(|(known, _)| *known < step);
        self.0.push((step, bytes));
        while self.0.len() > 1 && self.0.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > ROOM {
            // Updates between the state before a state and the state after it; step 0 needs none.
            let gap = |at: usize| self.0[at + 1].0 - at.checked_sub(1).map_or(0, |before| self.0[before].0);
            let Some(cheapest) = (0..self.0.len() - 1).min_by_key(|at| gap(*at)) else { return };
            self.0.remove(cheapest);
        }
    }

    /// The newest state.
    pub(super) fn newest(&self) -> Option<&Point> {
        self.0.last()
    }

    /// The newest step.
    pub(super) fn newest_step(&self) -> Option<u32> {
        self.newest().map(|(step, _)| *step)
    }

    /// The states from which a branch of `experiment` at `step` can go on. One that was saved because somebody stopped the run
    /// there does not serve: its checkpoint is part of the fingerprint, and a replay of the branch would not save it.
    pub(super) fn before(&self, step: u32, experiment: &Experiment) -> Self {
        let scheduled = |at: u32| experiment.logging.checkpoints_at(at, experiment.steps);
        Self(self.0.iter().filter(|(at, _)| *at <= step && scheduled(*at)).cloned().collect())
    }
}

/// What is not on the disk yet.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Unwritten {
    /// Whether the newest state is missing there.
    is_due: bool,
    /// When one was written last, milliseconds.
    written_ms: f64,
    /// Whether a later write is booked.
    is_booked: bool,
}

/// Keeps a state that came from the engine.
pub(super) fn keep(lab: Lab, step: u32, bytes: Vec<u8>) {
    lab.points.update_value(|points| points.add(step, Arc::new(bytes)));
    lab.unwritten.update_value(|unwritten| unwritten.is_due = true);
    let unwritten = lab.unwritten.get_value();
    let since = js_sys::Date::now() - unwritten.written_ms;
    if since >= PAUSE_MS {
        return write(lab);
    }
    if !unwritten.is_booked {
        lab.unwritten.update_value(|unwritten| unwritten.is_booked = true);
        let rest = Duration::from_secs_f64((PAUSE_MS - since).clamp(0.0, PAUSE_MS) / 1000.0);
        set_timeout(
            move || {
                lab.unwritten.update_value(|unwritten| unwritten.is_booked = false);
                write(lab);
            },
            rest,
        );
    }
}

/// Writes the newest state if it is not on the disk yet: at a pause, at the end, when the tab is hidden.
pub(super) fn write(lab: Lab) {
    if !lab.unwritten.get_value().is_due {
        return;
    }
    let Some((step, bytes)) = lab.points.with_value(|points| points.newest().cloned()) else { return };
    lab.unwritten.update_value(|unwritten| (unwritten.is_due, unwritten.written_ms) = (false, js_sys::Date::now()));
    store(lab, |id| Write::Resume(id, step, bytes));
}

/// Starts again from these states, of which the newest is on the disk.
pub(super) fn replace(lab: Lab, points: Points) {
    lab.unwritten.update_value(|unwritten| unwritten.is_due = false);
    lab.points.set_value(points);
}
