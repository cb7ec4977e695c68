//! A run as files: what the command line writes as a folder and the page exports as `*.grok.zip`.
//!
//! Everything is an open format, so a run outlives this program. CSV files beside JSON are for other programs; where both hold
//! the same, the JSON is read back. Rejected: one binary file, which only we could read.
//!
//! # Layout
//!
//! | File | Holds |
//! |---|---|
//! | `experiment.json` | [`Experiment`] |
//! | `metrics.csv` | one line per [`MetricRow`] |
//! | `summary.json` | [`RunSummary`], once the run has ended |
//! | `events.json` | list of [`RunEvent`] |
//! | `checkpoints/step-00000130.safetensors` | weights after 130 updates, f32, no replica axis |
//! | `measures.csv` | one line per measured checkpoint, one column per number; `grokscope measures` says what they are |
//! | `measures.json` | the same with the reason wherever a number is missing: [`MeasureTable`] |
//! | `crosscoders/NAME/summary.json` | [`CrosscoderResult`] |
//! | `crosscoders/NAME/latents.csv` | one line per latent |
//! | `crosscoders/NAME/curves.csv` | one line per `FitRow` |
//! | `crosscoders/NAME/activations.safetensors` | `activations` `[latents, rows]`, rows in grid order (a-major) |
//! | `crosscoders/NAME/weights.safetensors` | `encoder.weight [S, d, m]`, `encoder.bias [m]`, `decoder.weight [S, m, d]`, `decoder.bias [S, d]`, `activation_mean [S, d]`, `activation_scale [S]`, `threshold [1]` |
//!
//! Tensors of a checkpoint are stored `[in, out]`, in the names and shapes that the model gives them (see `model`). In Python:
//!
//! ```python
//! from safetensors.numpy import load_file
//! weights = load_file("checkpoints/step-00000130.safetensors")
//! print({name: tensor.shape for name, tensor in weights.items()})
//! ```

use super::fingerprint::Fingerprint;
use super::fit_tables::{curves_csv, latents_csv};
use super::metrics::{metrics_csv, metrics_from_csv};
use super::{Checkpoint, MeasureTable, MetricRow, NamedTensor, RunSummary, UserError, Weights};
use crate::crosscoder::CrosscoderResult;
use crate::experiment::Experiment;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::{BTreeMap, BTreeSet};

/// Something that happened during a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEvent {
    /// Updates made when it happened.
    pub step: u32,
    /// What it was.
    pub kind: EventKind,
    /// For people: the reason, the engine's label, the error.
    pub text: String,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// An engine was chosen.
    Engine,
    /// Training began.
    Started,
    /// It was held.
    Paused,
    /// It went on after a pause.
    Continued,
    /// It went on from a saved point after a reload, a crash or a lost device.
    Restored,
    /// It was ended by the user.
    Stopped,
    /// All steps were made.
    Finished,
    /// It ended by an error.
    Failed,
    /// A line of the timeline took effect.
    Intervened,
    /// Something that changed nothing but should be known.
    Note,
}

/// A run with everything that was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Archive {
    /// What was run.
    pub experiment: Experiment,
    /// Evaluations, ascending in step.
    pub rows: Vec<MetricRow>,
    /// Saved weights, ascending in step.
    pub checkpoints: Vec<Checkpoint>,
    /// The end, if the run has ended.
    pub summary: Option<RunSummary>,
    /// What happened, in order.
    pub events: Vec<RunEvent>,
    /// Fits, in order.
    pub crosscoders: Vec<CrosscoderResult>,
    /// Measures of checkpoints.
    pub measures: MeasureTable,
}

/// A file: its path with `/`, and its bytes.
pub type ArchiveFile = (String, Vec<u8>);

impl Archive {
    /// The run as files (see the layout above). Fits of one name get the endings `-2`, `-3`, ….
    ///
    /// # Errors
    /// If activations do not fit their number of latents.
    pub fn to_files(&self) -> Result<Vec<ArchiveFile>, UserError> {
        let mut files: Vec<ArchiveFile> = vec![
            ("experiment.json".into(), self.experiment.to_json().into_bytes()),
            ("metrics.csv".into(), metrics_csv(&self.rows).into_bytes()),
        ];
        if let Some(summary) = &self.summary {
            files.push(("summary.json".into(), pretty(summary)?));
        }
        files.push(("events.json".into(), pretty(&self.events)?));
        for checkpoint in &self.checkpoints {
            files.push((checkpoint_path(checkpoint.step), checkpoint.weights.clone()));
        }
        files.extend(measure_files(&self.measures)?);
        let mut taken = BTreeSet::new();
        for result in &self.crosscoders {
            let name = &result.config.name;
            let endings = std::iter::once(String::new()).chain((2u32..).map(|n| format!("-{n}")));
            let folder = endings.map(|ending| format!("{name}{ending}")).find(|f| !taken.contains(f)).unwrap_or_default();
            files.extend(result.to_files()?.into_iter().map(|(path, bytes)| (format!("crosscoders/{folder}/{path}"), bytes)));
            taken.insert(folder);
        }
        Ok(files)
    }

    /// Reads what [`Archive::to_files`] wrote. Files that do not belong to the layout are ignored, also those above the folder.
    ///
    /// # Errors
    /// Names the file that is missing or broken. `summary.json`, `events.json`, checkpoints and crosscoders may be absent: a run
    /// that was cut short has none.
    pub fn from_files(files: Vec<ArchiveFile>) -> Result<Self, UserError> {
        let mut files: BTreeMap<String, Vec<u8>> = files.into_iter().filter(|(path, _)| is_safe(path)).collect();
        let missing = |name: &str| UserError::new(format!("The archive has no {name}"), "Choose a folder or *.grok.zip of a run");
        let experiment = files.remove("experiment.json").ok_or_else(|| missing("experiment.json"))?;
        let metrics = files.remove("metrics.csv").ok_or_else(|| missing("metrics.csv"))?;
        let experiment = Experiment::from_json(&utf8("experiment.json", experiment)?)
            .map_err(|e| UserError::new(format!("experiment.json: {}", e.cause), e.remedy))?;
        let rows = metrics_from_csv(&utf8("metrics.csv", metrics)?)?;
        let summary = files.remove("summary.json").map(|bytes| parsed("summary.json", &bytes)).transpose()?;
        let events = files.remove("events.json").map(|bytes| parsed("events.json", &bytes)).transpose()?.unwrap_or_default();
        let measures = match files.remove("measures.json") {
            Some(bytes) => MeasureTable::from_json(&utf8("measures.json", bytes)?)?,
            None => MeasureTable::default(),
        };
        let mut checkpoints = Vec::new();
        let mut folders = BTreeSet::new();
        for (path, bytes) in &mut files {
            if let Some(step) = checkpoint_step(path) {
                Weights::from_safetensors(bytes).map_err(|e| broken(path, &e.cause))?;
                checkpoints.push(Checkpoint { step, weights: std::mem::take(bytes) });
            } else if let Some(folder) = path.strip_prefix("crosscoders/").and_then(|rest| rest.split_once('/')) {
                folders.insert(folder.0.to_string());
            }
        }
        checkpoints.sort_by_key(|c| c.step);
        let mut crosscoders = Vec::new();
        for folder in in_written_order(folders) {
            crosscoders.push(crosscoder_from(&mut files, &format!("crosscoders/{folder}"))?);
        }
        Ok(Self { experiment, rows, checkpoints, summary, events, crosscoders, measures })
    }

    /// The fingerprint of what is in the archive, to compare with `summary.fingerprint`.
    ///
    /// # Errors
    /// If a checkpoint is no safetensors file.
    pub fn fingerprint(&self) -> Result<String, UserError> {
        let mut fingerprint = Fingerprint::new(&self.experiment);
        let mut from = 0;
        for checkpoint in &self.checkpoints {
            fingerprint.add_lines(&self.experiment, from, checkpoint.step);
            fingerprint.add(checkpoint.step, &Weights::from_safetensors(&checkpoint.weights)?);
            from = checkpoint.step;
        }
        Ok(fingerprint.hex())
    }
}

/// Path of the checkpoint of `step`, e.g. `checkpoints/step-00000130.safetensors`.
pub fn checkpoint_path(step: u32) -> String {
    format!("checkpoints/step-{step:08}.safetensors")
}

fn checkpoint_step(path: &str) -> Option<u32> {
    path.strip_prefix("checkpoints/step-")?.strip_suffix(".safetensors")?.parse().ok()
}

/// `measures.csv` and `measures.json`; nothing for an empty table.
///
/// # Errors
/// If the table cannot be written as JSON.
pub fn measure_files(measures: &MeasureTable) -> Result<Vec<ArchiveFile>, UserError> {
    if measures.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![("measures.csv".into(), measures.to_csv().into_bytes()), ("measures.json".into(), pretty(measures)?)])
}

impl CrosscoderResult {
    /// Reads what [`CrosscoderResult::to_files`] has written.
    ///
    /// # Errors
    /// Names the file that is missing or broken.
    pub fn from_files(files: Vec<ArchiveFile>) -> Result<Self, UserError> {
        let mut files = files.into_iter().map(|(path, bytes)| (format!("fit/{path}"), bytes)).collect();
        crosscoder_from(&mut files, "fit")
    }

    /// The files of one fit, with paths inside its folder.
    ///
    /// # Errors
    /// If activations do not fit their number of latents.
    pub fn to_files(&self) -> Result<Vec<ArchiveFile>, UserError> {
        let mut files = vec![
            ("summary.json".into(), pretty(self)?),
            ("latents.csv".into(), latents_csv(self).into_bytes()),
            ("curves.csv".into(), curves_csv(self).into_bytes()),
        ];
        if !self.activations.is_empty() {
            let latents = self.latents.len();
            if latents == 0 || !self.activations.len().is_multiple_of(latents) {
                return Err(UserError::new(
                    format!("{} activations do not belong to {latents} latents", self.activations.len()),
                    "Fit the crosscoder again",
                ));
            }
            let shape = vec![latents, self.activations.len() / latents];
            let tensor = NamedTensor { name: "activations".into(), shape, values: self.activations.clone() };
            files.push(("activations.safetensors".into(), Weights { tensors: vec![tensor] }.to_safetensors(None)?));
        }
        if !self.weights.is_empty() {
            files.push(("weights.safetensors".into(), self.weights.clone()));
        }
        Ok(files)
    }
}

fn crosscoder_from(files: &mut BTreeMap<String, Vec<u8>>, folder: &str) -> Result<CrosscoderResult, UserError> {
    let summary = format!("{folder}/summary.json");
    let bytes = files.remove(&summary).ok_or_else(|| {
        UserError::new(format!("The archive has no {summary}"), "Delete the folder, or fit the crosscoder again")
    })?;
    let mut result: CrosscoderResult = parsed(&summary, &bytes)?;
    let path = format!("{folder}/activations.safetensors");
    if let Some(bytes) = files.remove(&path) {
        let mut tensors = Weights::from_safetensors(&bytes).map_err(|e| broken(&path, &e.cause))?.tensors;
        match tensors.pop() {
            Some(tensor) if tensor.name == "activations" && tensor.shape.first() == Some(&result.latents.len()) => {
                result.activations = tensor.values;
            }
            _ => return Err(broken(&path, "There is no tensor activations with one line per latent")),
        }
    }
    let path = format!("{folder}/weights.safetensors");
    if let Some(bytes) = files.remove(&path) {
        Weights::from_safetensors(&bytes).map_err(|e| broken(&path, &e.cause))?;
        result.weights = bytes;
    }
    Ok(result)
}

/// `births`, `births-2`, …, `births-10`: by stem, then by number.
fn in_written_order(folders: BTreeSet<String>) -> Vec<String> {
    let mut folders: Vec<String> = folders.into_iter().collect();
    folders.sort_by_cached_key(|folder| match folder.rsplit_once('-').map(|(stem, ending)| (stem, ending.parse::<u32>())) {
        Some((stem, Ok(number))) => (stem.to_string(), number),
        _ => (folder.clone(), 1),
    });
    folders
}

/// No absolute path, no way out of the folder.
pub(crate) fn is_safe(path: &str) -> bool {
    !path.contains('\\') && !path.contains(':') && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

fn pretty<T: Serialize>(value: &T) -> Result<Vec<u8>, UserError> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|e| UserError::new(format!("The run could not be written as JSON ({e})"), "Report this"))?;
    text.push(b'\n');
    Ok(text)
}

fn parsed<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, UserError> {
    serde_json::from_slice(bytes).map_err(|e| broken(name, &e.to_string()))
}

fn utf8(name: &str, bytes: Vec<u8>) -> Result<String, UserError> {
    String::from_utf8(bytes).map_err(|_| broken(name, "It is not UTF-8 text"))
}

fn broken(name: &str, what: &str) -> UserError {
    UserError::new(format!("{name} cannot be read: {what}"), "Export the run again, or remove the file if it may be missing")
}
