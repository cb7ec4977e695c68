//! The whole conversation between a page (or terminal) and an engine.
//!
//! Everything is a value of [`Command`] or [`Event`]; there is no other channel. On the web one message is one postcard-encoded
//! `ArrayBuffer`, transferred, so that checkpoints cross without a copy. An [`crate::experiment::Experiment`] travels as its
//! own JSON because postcard cannot carry its tagged model.

use crate::crosscoder::causal::{SetQuestion, SetTrial, Trial, TrialInput};
use crate::crosscoder::views::Comparison;
use crate::crosscoder::{CrosscoderConfig, CrosscoderResult, FitRow, Hook};
use crate::engine::capability::{Capability, EngineChoice, EngineWish};
use crate::engine::phase::Phase;
use crate::experiment::Experiment;
use crate::measure::{Look, LookView};
use crate::race::{RaceConfig, RaceResult};
use crate::record::{Checkpoint, MeasureTable, Measured, MetricRow, RunSummary, UserError};
use crate::theory::Outcome;
use serde::{Deserialize, Serialize};

/// What can be asked of an engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Train from the start, or from a resume point (see [`Event::ResumePoint`]).
    Start {
        /// What to run.
        #[serde(with = "as_json")]
        experiment: Experiment,
        /// Which engine.
        engine: EngineWish,
        /// Where to go on from.
        resume: Option<Resume>,
    },
    /// Stop making updates, keep everything.
    Pause,
    /// Go on after a pause.
    Continue,
    /// Make this many updates, then pause.
    Step(u32),
    /// End the run here; its summary follows.
    Stop,
    /// Change something now: a line of the timeline without its step, e.g. `set optimizer.weight_decay 0`, or from now to a
    /// step: `-400 ramp optimizer.weight_decay 0`.
    Intervene(String),
    /// Run a control and its arms over seeds.
    Race {
        /// What to compare.
        #[serde(with = "as_json")]
        config: RaceConfig,
        /// Which engine.
        engine: EngineWish,
    },
    /// Drop the race under way.
    CancelRace,
    /// Fit a crosscoder. Checkpoints come with the question, so any engine can answer it, also after a reload.
    Fit {
        /// What to fit; `sources` non-empty.
        config: CrosscoderConfig,
        /// The run's experiment.
        #[serde(with = "as_json")]
        experiment: Experiment,
        /// One for each distinct step in `config.sources`.
        checkpoints: Vec<Checkpoint>,
        /// Further runs of the same inputs that the dictionary spans.
        others: Vec<OtherRun>,
        /// Which engine.
        engine: EngineWish,
    },
    /// Fit a crosscoder to activations from elsewhere; events are those of a fit.
    FitActivations {
        /// What to fit; `sources` are the steps of those in the file, in its order, and nothing is taken out afterwards.
        config: CrosscoderConfig,
        /// See `crosscoder::interop::ExternalActivations`.
        file: NamedFile,
        /// Which engine.
        engine: EngineWish,
    },
    /// Say of a dictionary from elsewhere what a fit would say; events are those of a fit.
    OpenDictionary {
        /// Name, hook and sources; what the dictionary decides is overwritten.
        config: CrosscoderConfig,
        /// safetensors in any layout of `crosscoder::interop`.
        file: NamedFile,
        /// Text of the JSON file that came with it.
        beside: Option<String>,
        /// What to put it on.
        ground: Ground,
        /// Which engine takes latents out.
        engine: EngineWish,
    },
    /// Make no updates of the fit until it is continued.
    PauseFit,
    /// Go on with the fit.
    ContinueFit,
    /// Drop the fit under way.
    CancelFit,
    /// Take measures of checkpoints, beside whatever else is under way.
    Measure(#[serde(with = "as_json")] Experiment, MeasureOrder),
    /// Drop the measures that are still to be taken.
    CancelMeasures,
    /// Compare the activations of checkpoints at a hook: the experiment, the hook, all checkpoints to compare (with the first, which
    /// a centred network needs).
    Compare(#[serde(with = "as_json")] Experiment, Hook, Vec<Checkpoint>),
    /// Try one latent of a fit at one checkpoint, beside whatever else is under way.
    Try(#[serde(with = "as_json")] Experiment, TrialOrder),
    /// Try a set of latents of a fit at all its checkpoints, beside whatever else is under way. A set under way is dropped.
    TrySet(#[serde(with = "as_json")] Experiment, Box<SetOrder>),
    /// Drop the set under way. Nothing answers: whoever dropped it knows, and a late word would be taken for one on the next.
    CancelSet,
    /// Match the latents of two fits of one run; their weights are not needed.
    Agree(Box<[FitOutcome; 2]>),
    /// Look into one checkpoint for the pictures of the page.
    Look(#[serde(with = "as_json")] Experiment, LookOrder),
    /// Say what follows from a theory.
    Theorise {
        /// Name of the panel, see `theory::panels`.
        panel: String,
        /// Its settings as JSON, which postcard cannot carry as a tree.
        settings: String,
    },
    /// Say what a theory says of a run; what answers is as for [`Command::Theorise`].
    TheoriseRun {
        /// Name of the panel.
        panel: String,
        /// What was run.
        #[serde(with = "as_json")]
        experiment: Box<Experiment>,
        /// Its evaluations so far.
        rows: Vec<MetricRow>,
        /// What was measured of its checkpoints.
        measures: MeasureTable,
    },
    /// Work out the survey of a panel, beside whatever else is under way. One under way is dropped.
    Survey {
        /// A number of the asker's, which the answers repeat: an older survey may still have a word under way.
        number: u32,
        /// Name of the panel.
        panel: String,
        /// Its settings as JSON.
        settings: String,
        /// Which engine trains networks, if any are needed.
        engine: EngineWish,
    },
    /// Drop the survey under way. Nothing answers, as for [`Command::CancelSet`].
    CancelSurvey,
}

/// A file that was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedFile {
    /// Its name for people.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// What a dictionary is put on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Ground {
    /// Checkpoints of a run: one for each distinct step in the sources.
    Run(#[serde(with = "as_json")] Box<Experiment>, Vec<Checkpoint>),
    /// Activations of a network that is not here.
    Activations(NamedFile),
}

/// A run beside the one that a fit is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OtherRun {
    /// Its name for people, e.g. `seed 3`.
    pub name: String,
    /// What was run.
    #[serde(with = "as_json")]
    pub experiment: Experiment,
    /// The checkpoints to read, ascending in step.
    pub checkpoints: Vec<Checkpoint>,
}

/// Which measures of which checkpoints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasureOrder {
    /// All checkpoints of the run, ascending in step: a measure may compare one with the first or with the one before, and the
    /// last decides the key components.
    pub checkpoints: Vec<Checkpoint>,
    /// Those to measure.
    pub steps: Vec<u32>,
    /// Names of measures, see `measure::measures`.
    pub measures: Vec<String>,
}

/// A latent to try.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialOrder {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The run's first checkpoint, which a centred network needs.
    pub first: Option<Checkpoint>,
    /// Where the latent was read.
    pub hook: Hook,
    /// The latent.
    pub input: TrialInput,
}

/// A set of latents to try.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetOrder {
    /// The fit with its arrays; any engine can answer then, also after a reload.
    pub fit: FitOutcome,
    /// One for each distinct step of the fit's own sources, with the run's first, which a centred network needs.
    pub checkpoints: Vec<Checkpoint>,
    /// What is asked.
    pub question: SetQuestion,
}

/// What to look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LookOrder {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The run's first checkpoint, which a centred network needs.
    pub first: Option<Checkpoint>,
    /// What of it.
    pub view: LookView,
}

/// What a run needs to go on as if nothing had happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resume {
    /// Bytes of the last [`Event::ResumePoint`] of the same experiment.
    pub point: Vec<u8>,
    /// Rows evaluated so far; those after the point are dropped and made again.
    pub rows: Vec<MetricRow>,
    /// Wall time spent so far, seconds.
    pub wall_seconds: f64,
}

/// What an engine reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// First message of an engine: commands sent earlier are lost. It comes again when more is known about the GPU.
    Ready(Capability),
    /// The engine that this run or fit uses, and why.
    Chosen(EngineChoice),
    /// The life-cycle changed; the current step.
    Phase {
        /// New phase.
        phase: Phase,
        /// Updates made so far.
        step: u32,
    },
    /// Evaluated rows, ascending in step.
    Metrics(Vec<MetricRow>),
    /// Progress between evaluations.
    Progress {
        /// Updates made so far.
        step: u32,
        /// Milliseconds per update over the last tick.
        ms_per_step: f32,
    },
    /// A saved checkpoint.
    Checkpoint(Checkpoint),
    /// Weights, optimiser moments, step and the fingerprint so far: enough to go on bit-identically. Replaces the previous one.
    ResumePoint {
        /// Updates made.
        step: u32,
        /// safetensors bytes.
        bytes: Vec<u8>,
    },
    /// A change took effect: its line with its step, which now belongs to the run's timeline.
    Intervened(String),
    /// An earlier stage is being trained.
    Stage {
        /// Updates that the source has made.
        step: u32,
        /// Updates that it will make.
        steps: u32,
    },
    /// A race goes on.
    RaceProgress {
        /// Name of the arm that runs.
        arm: String,
        /// Share of all updates made, 0..1.
        done: f32,
    },
    /// A race ended.
    RaceDone(Box<RaceOutcome>),
    /// The race was cancelled.
    RaceCancelled,
    /// The run ended (finished, stopped or failed).
    Finished(RunSummary),
    /// A fit's live curves.
    FitProgress {
        /// The newest row.
        row: FitRow,
        /// Updates to make in all.
        steps: u32,
    },
    /// A fit is made, and its latents are taken out to see what they do: share of the interventions, 0..=1.
    FitProbing(f32),
    /// A fit ended.
    FitDone(Box<FitOutcome>),
    /// The fit waits, or goes on again.
    FitPaused(bool),
    /// The fit was cancelled.
    FitCancelled,
    /// The key components of a run: the step of the checkpoint that decided them, and their numbers from 1.
    Keys(u32, Vec<u32>),
    /// Values of one measure at one checkpoint, by column.
    Measured(u32, Measured),
    /// Measures go on: which one, and the share of all that are done, 0..=1.
    MeasuresProgress {
        /// Name of the measure.
        measure: String,
        /// Step of the checkpoint.
        step: u32,
        /// Share done.
        done: f32,
    },
    /// What only training can measure, by step: see `measure::descent`.
    MeasuredLive(Vec<(u32, Measured)>),
    /// All measures that were asked for are taken, or were dropped.
    MeasuresDone {
        /// Milliseconds of work that they took.
        worked_ms: f64,
    },
    /// What a look found.
    Looked(Box<Look>),
    /// How alike the activations at a hook are: steps, and `[steps, steps]`.
    Compared(Hook, Vec<u32>, Vec<f32>),
    /// What a trial found.
    Tried(Box<Trial>),
    /// A trial could not be made.
    TrialRefused(UserError),
    /// What another fit found again: the names of both fits, and what was found or why nothing can be.
    Agreed([String; 2], Result<Comparison, UserError>),
    /// A set is being tried: share of the passes, 0..=1.
    SetProgress(f32),
    /// What a set was found to do.
    SetTried(Box<SetTrial>),
    /// A set could not be tried.
    SetRefused(UserError),
    /// A look could not be taken.
    LookRefused(u32, UserError),
    /// What follows from the theory of a panel.
    Theory(String, Outcome),
    /// A panel's theory says nothing of such settings, or of such a run.
    TheoryRefused(String, UserError),
    /// What a survey knows so far.
    Survey {
        /// Its number.
        number: u32,
        /// Share of its parts that is done; 1 at its end.
        done: f32,
        /// What is known.
        outcome: Outcome,
    },
    /// A part of a survey goes on.
    SurveyProgress {
        /// Number of the survey.
        number: u32,
        /// Share of its parts that is done.
        done: f32,
        /// What is under way, for people.
        words: String,
    },
    /// The survey of this number cannot begin, or cannot go on; what was known so far stays valid.
    SurveyRefused(u32, UserError),
    /// Something was refused or broke. What was recorded so far stays valid.
    Error(UserError),
    /// The engine is gone: end its worker, start another, resume from the last resume point.
    Crashed(UserError),
}

/// A finished fit with its large arrays, which [`CrosscoderResult`] leaves out of its JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FitOutcome {
    /// Numbers and classes. As JSON, because browsers keep fits in this form and later versions have more to say.
    #[serde(with = "as_json")]
    pub result: CrosscoderResult,
    /// `[latents, rows]`; see [`CrosscoderResult::activations`].
    pub activations: Vec<f32>,
    /// safetensors bytes; see [`CrosscoderResult::weights`].
    pub weights: Vec<u8>,
}

impl From<CrosscoderResult> for FitOutcome {
    fn from(mut result: CrosscoderResult) -> Self {
        let activations = core::mem::take(&mut result.activations);
        let weights = core::mem::take(&mut result.weights);
        Self { result, activations, weights }
    }
}

impl From<FitOutcome> for CrosscoderResult {
    fn from(outcome: FitOutcome) -> Self {
        Self { activations: outcome.activations, weights: outcome.weights, ..outcome.result }
    }
}

/// A finished race. It travels as its own JSON, because postcard cannot carry an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RaceOutcome(#[serde(with = "as_json")] pub RaceResult);

/// Encodes a message. Fails only on an `Experiment` that JSON cannot carry (a non-finite number).
///
/// # Errors
/// The encoder's words.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, String> {
    postcard::to_allocvec(message).map_err(|e| e.to_string())
}

/// Decodes a message.
///
/// # Errors
/// The decoder's words.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, String> {
    postcard::from_bytes(bytes).map_err(|e| e.to_string())
}

mod as_json {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _, ser::Error as _};

    pub fn serialize<T: Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&serde_json::to_string(value).map_err(S::Error::custom)?)
    }

    pub fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        serde_json::from_str(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
