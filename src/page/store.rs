//! Everything the page knows, as one struct of signals, and what follows from it.
//!
//! Views read signals and call `session`; only `session` writes what belongs to a run. The handle is `Copy`, so it is passed
//! to views by value and no view keeps state that another would miss.

use super::atlas_views::{Agreed, AtlasView};
use super::branch::{Baseline, Original};
use super::claim::Claim;
use super::form::Form;
use super::guide::Guide;
use super::imports::Imports;
use super::inside::{Looks, Underway};
use super::permalink::Wanted;
use super::picker::Likeness;
use super::points::{Points, Unwritten};
use super::port::Port;
use super::race::RaceLab;
use super::sets::SetLab;
use super::storage::{Storage, Stored, StoredRun};
use super::theory::TheoryLab;
use super::trial::Trials;
use crate::crosscoder::{CrosscoderConfig, CrosscoderResult, FitRow};
use crate::engine::capability::{Capability, EngineChoice, EngineWish};
use crate::engine::phase::Phase;
use crate::experiment::{Experiment, Link, Preset};
use crate::measure::delay::{Delay, delay};
use crate::plot::Scale;
use crate::record::{Checkpoint, MeasureTable, MetricRow, RunSummary, UserError};
use leptos::prelude::*;
use std::sync::Arc;

/// The views that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// Curves and configuration.
    Run,
    /// Measures of one checkpoint.
    Inside,
    /// Crosscoders.
    Atlas,
    /// A control and its arms over seeds.
    Race,
    /// What equations say, held against measurements.
    Theory,
}

impl View {
    /// All views with their name in the address and for people.
    pub(super) const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Run, "run", "Run"),
        (Self::Inside, "inside", "Inside"),
        (Self::Atlas, "atlas", "Atlas"),
        (Self::Race, "race", "Race"),
        (Self::Theory, "theory", "Theory"),
    ];
}

/// The worker's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EngineState {
    /// Its module is on the way.
    Loading,
    /// It takes commands.
    Ready,
    /// It stopped; the browser's words.
    Crashed(String),
}

/// Where a crosscoder fit or a race stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FitState {
    /// None was started.
    Idle,
    /// Updates are being made.
    Running,
    /// The newest result is there.
    Done,
    /// It was refused or broke.
    Error,
}

/// A link that was opened.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Opened {
    /// It was understood; what is changed from its preset, one phrase each.
    Link(Box<Link>, Vec<String>),
    /// It was not.
    Refused(UserError),
}

/// Answers that are still to come, so that events of a run that is gone are told from those of the next.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Waiting {
    /// A start was sent and no phase came back.
    pub(super) start: bool,
    /// The run was dropped while it was live: its events are to be ignored until its end.
    pub(super) end_of_dropped: bool,
    /// A fit was sent and no progress came back.
    pub(super) fit: bool,
    /// The user asked to cancel the fit.
    pub(super) cancel: bool,
    /// A race was sent and no progress came back.
    pub(super) race: bool,
}

/// All state of the page.
#[derive(Clone, Copy)]
pub(super) struct Lab {
    /// What the next run will be.
    pub(super) draft: Form<Experiment>,
    /// The preset that `draft` started from.
    pub(super) preset: RwSignal<&'static Preset>,
    /// The run on the page.
    pub(super) run: RwSignal<Option<StoredRun>>,
    /// Its life-cycle.
    pub(super) phase: RwSignal<Phase>,
    /// Updates made.
    pub(super) step: RwSignal<u32>,
    /// Milliseconds per update over the last tick.
    pub(super) ms_per_step: RwSignal<Option<f32>>,
    /// Evaluations, ascending in step.
    pub(super) rows: RwSignal<Vec<MetricRow>>,
    /// Saved weights, ascending in step.
    pub(super) checkpoints: RwSignal<Vec<Checkpoint>>,
    /// Measures of checkpoints; they follow the checkpoints with a little delay.
    pub(super) measures: RwSignal<MeasureTable>,
    /// Which measure is being taken, if any.
    pub(super) measuring: RwSignal<Underway>,
    /// What is seen inside the checkpoint at the time slider.
    pub(super) looks: Looks,
    /// States to go on from after a crash, and to branch from.
    pub(super) points: StoredValue<Points>,
    /// Whether the newest of them is on the disk.
    pub(super) unwritten: StoredValue<Unwritten>,
    /// Updates that the source of an earlier stage has made and will make, while it trains.
    pub(super) stage: RwSignal<Option<(u32, u32)>>,
    /// Runs that the one on the page branched off from, the nearest last.
    pub(super) originals: StoredValue<Vec<Original>, LocalStorage>,
    /// Curves of the nearest one, drawn in dashes.
    pub(super) baseline: RwSignal<Option<Baseline>>,
    /// When training last began or its time was last read, milliseconds.
    pub(super) running_since: StoredValue<Option<f64>>,
    /// Its step, when the run was cut off and can go on from it.
    pub(super) can_resume: RwSignal<Option<u32>>,
    /// What the page waits for; see `session`.
    pub(super) waiting: StoredValue<Waiting>,

    /// The form of the next fit; its `sources` are empty until chosen.
    pub(super) fit_form: Form<CrosscoderConfig>,
    /// Finished fits of this run.
    pub(super) fits: RwSignal<Vec<Arc<CrosscoderResult>>>,
    /// The fit on the page.
    pub(super) fit_shown: RwSignal<usize>,
    /// The latent on the page.
    pub(super) latent: RwSignal<Option<u32>>,
    /// The latent that the address names, until it is there.
    pub(super) wanted: RwSignal<Option<Wanted>>,
    /// A fit to make when the run has ended, asked for by following a link.
    pub(super) promised: RwSignal<Option<CrosscoderConfig>>,
    /// The picture of the whole fit on the page.
    pub(super) atlas_view: RwSignal<AtlasView>,
    /// Where the newest fit stands.
    pub(super) fit_state: RwSignal<FitState>,
    /// How alike the activations of checkpoints are, if that was asked.
    pub(super) alike: RwSignal<Option<Likeness>>,
    /// What was found by trying one latent, by checkpoint; and whether more is awaited.
    pub(super) trials: RwSignal<Trials>,
    /// What another fit found again: the names of both fits, and what was found.
    pub(super) agreed: RwSignal<Option<Agreed>>,
    /// The set of latents that is tried together.
    pub(super) sets: SetLab,
    /// The guide through the whole atlas, if it is at work or done.
    pub(super) guide: RwSignal<Option<Guide>>,
    /// Whether the guide makes every null.
    pub(super) all_nulls: RwSignal<bool>,
    /// Whether the fit under way waits.
    pub(super) fit_paused: RwSignal<bool>,
    /// Live curves of the newest fit.
    pub(super) fit_curves: RwSignal<Vec<FitRow>>,
    /// Share of the interventions on a made fit that are done.
    pub(super) fit_probing: RwSignal<Option<f32>>,
    /// Updates that the newest fit makes in all, and what its sources are called.
    pub(super) fit_plan: RwSignal<(u32, Vec<String>)>,
    /// What came as a file and is not a run.
    pub(super) imports: Imports,

    /// The race view.
    pub(super) race: RaceLab,
    /// The theory view.
    pub(super) theory: TheoryLab,

    /// The worker's state.
    pub(super) engine: RwSignal<EngineState>,
    /// What it told about itself.
    pub(super) capability: RwSignal<Option<Capability>>,
    /// Which engine is asked for.
    pub(super) wish: RwSignal<EngineWish>,
    /// The engine of the newest run or fit.
    pub(super) choice: RwSignal<Option<EngineChoice>>,

    /// The view on the page.
    pub(super) view: RwSignal<View>,
    /// The time slider: a step, or the newest checkpoint.
    pub(super) time: RwSignal<Option<u32>>,
    /// The step under the pointer, the same in all charts.
    pub(super) hover: RwSignal<Option<u32>>,
    /// Spread of the steps.
    pub(super) x_scale: RwSignal<Scale>,
    /// Spread of the loss.
    pub(super) loss_scale: RwSignal<Scale>,
    /// Dark appearance.
    pub(super) dark: RwSignal<bool>,
    /// Whether somebody chose it; otherwise the system does.
    pub(super) appearance_chosen: StoredValue<bool>,
    /// What went wrong last.
    pub(super) error: RwSignal<Option<UserError>>,
    /// Reasons why Start was refused.
    pub(super) refused: RwSignal<bool>,
    /// Spoken to screen readers: milestones only.
    pub(super) announcement: RwSignal<String>,
    /// A link that was opened.
    pub(super) opened: RwSignal<Option<Opened>>,
    /// The link copied last.
    pub(super) shared: RwSignal<String>,
    /// Whether the clipboard took it.
    pub(super) copied: RwSignal<bool>,
    /// A stored run that may go on.
    pub(super) stored: StoredValue<Option<Stored>, LocalStorage>,
    /// What its card says: the run, its newest step, and the step it can go on from.
    pub(super) resume_card: RwSignal<Option<(StoredRun, u32, Option<u32>)>>,

    /// The engine's worker.
    pub(super) port: StoredValue<Option<Port>, LocalStorage>,
    /// This tab's hold on the run.
    pub(super) claim: StoredValue<Option<Claim>, LocalStorage>,
    /// The runs on this device.
    pub(super) storage: StoredValue<Option<Storage>, LocalStorage>,
}

impl Lab {
    /// An empty page with `preset` chosen.
    pub(super) fn new(preset: &'static Preset, fit: CrosscoderConfig) -> Self {
        Self {
            draft: Form::new(preset.experiment.clone(), crate::experiment::with_value),
            preset: RwSignal::new(preset),
            run: RwSignal::new(None),
            phase: RwSignal::new(Phase::Idle),
            step: RwSignal::new(0),
            ms_per_step: RwSignal::new(None),
            rows: RwSignal::new(Vec::new()),
            checkpoints: RwSignal::new(Vec::new()),
            measures: RwSignal::new(MeasureTable::default()),
            measuring: RwSignal::new(Underway::Nothing),
            looks: Looks::new(),
            points: StoredValue::new(Points::default()),
            unwritten: StoredValue::new(Unwritten::default()),
            stage: RwSignal::new(None),
            originals: StoredValue::new_local(Vec::new()),
            baseline: RwSignal::new(None),
            running_since: StoredValue::new(None),
            can_resume: RwSignal::new(None),
            waiting: StoredValue::new(Waiting::default()),
            fit_form: Form::new(fit, crate::crosscoder::with_value),
            fits: RwSignal::new(Vec::new()),
            fit_shown: RwSignal::new(0),
            latent: RwSignal::new(None),
            wanted: RwSignal::new(None),
            promised: RwSignal::new(None),
            atlas_view: RwSignal::new(AtlasView::Absences),
            fit_state: RwSignal::new(FitState::Idle),
            alike: RwSignal::new(None),
            trials: RwSignal::new(Trials::default()),
            agreed: RwSignal::new(None),
            sets: SetLab::new(),
            guide: RwSignal::new(None),
            all_nulls: RwSignal::new(false),
            fit_paused: RwSignal::new(false),
            fit_curves: RwSignal::new(Vec::new()),
            fit_probing: RwSignal::new(None),
            fit_plan: RwSignal::new((0, Vec::new())),
            imports: Imports::new(),
            race: RaceLab::new(),
            theory: TheoryLab::new(),
            engine: RwSignal::new(EngineState::Loading),
            capability: RwSignal::new(None),
            wish: RwSignal::new(EngineWish::Auto),
            choice: RwSignal::new(None),
            view: RwSignal::new(View::Run),
            time: RwSignal::new(None),
            hover: RwSignal::new(None),
            x_scale: RwSignal::new(Scale::Log),
            loss_scale: RwSignal::new(Scale::Log),
            dark: RwSignal::new(false),
            appearance_chosen: StoredValue::new(false),
            error: RwSignal::new(None),
            refused: RwSignal::new(false),
            announcement: RwSignal::new(String::new()),
            opened: RwSignal::new(None),
            shared: RwSignal::new(String::new()),
            copied: RwSignal::new(false),
            stored: StoredValue::new_local(None),
            resume_card: RwSignal::new(None),
            port: StoredValue::new_local(None),
            claim: StoredValue::new_local(None),
            storage: StoredValue::new_local(None),
        }
    }

    /// The experiment that the curves belong to: the run's, or the draft while there is none.
    pub(super) fn shown_experiment(&self) -> Experiment {
        self.run.with(|run| run.as_ref().map(|run| run.experiment.clone())).unwrap_or_else(|| self.draft.value.get())
    }

    /// The link that was opened and understood.
    pub(super) fn link(&self) -> Option<Link> {
        match self.opened.get() {
            Some(Opened::Link(link, _)) => Some(*link),
            _ => None,
        }
    }

    /// The summary of the run, if it has ended.
    pub(super) fn summary(&self) -> Option<RunSummary> {
        self.run.with(|run| run.as_ref().and_then(|run| run.summary.clone()))
    }

    /// Dates of memorising and generalising, from the rows so far.
    pub(super) fn delay(&self) -> Delay {
        let ended = self.run.with(|run| run.as_ref().is_some_and(|run| run.summary.is_some()));
        self.rows.with(|rows| delay(rows, ended))
    }

    /// The step of the checkpoint that the time slider stands on.
    pub(super) fn time_step(&self) -> Option<u32> {
        let time = self.time.get();
        self.checkpoints.with(|checkpoints| {
            let nearest = |step: u32| checkpoints.iter().map(|c| c.step).min_by_key(|s| s.abs_diff(step));
            time.map_or_else(|| checkpoints.last().map(|c| c.step), nearest)
        })
    }

    /// Shows an error. The newest replaces the previous one.
    pub(super) fn fail(&self, error: UserError) {
        self.announcement.set(error.to_string());
        self.error.set(Some(error));
    }

    /// The run's state in plain words.
    pub(super) fn state_in_words(&self) -> String {
        let dates = self.delay();
        let phase = self.phase.get();
        let story = match (dates.t_mem, dates.t_gen) {
            (Some(mem), Some(generalised)) if generalised > mem => {
                format!("Memorised at step {mem}, understood at step {generalised}: {} steps later", generalised - mem)
            }
            (Some(mem), Some(generalised)) => format!("Memorised at step {mem}, understood by step {generalised}"),
            (Some(mem), None) => format!("Memorised at step {mem}; not yet understood"),
            (None, Some(generalised)) => format!("Understood at step {generalised} without memorising everything"),
            (None, None) if matches!(phase, Phase::Idle | Phase::Failed) => String::new(),
            (None, None) => "Learning its training pairs".into(),
        };
        match self.summary().and_then(|summary| summary.ended_early) {
            Some(reason) if phase == Phase::Failed => format!("{reason}. {story}"),
            _ => story,
        }
    }
}

/// A step with thousands separated.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
