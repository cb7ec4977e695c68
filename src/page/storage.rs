//! The runs on this device: IndexedDB, written as events arrive, so that a reload or a crash loses nothing.
//!
//! Each run has its own keys (`ID`, `ID/STEP`), so two tabs never write to the same record. Writes queue up and go out in one
//! transaction at a time; a failed write (a full disk, private browsing) is told once and the run goes on. Rejected: OPFS,
//! which is faster for huge files but needs a worker for synchronous access, and `localStorage`, which holds 5 MB.

use super::claim::claim;
use super::port::words;
use crate::crosscoder::CrosscoderResult;
use crate::engine::capability::EngineChoice;
use crate::engine::message::{FitOutcome, decode, encode};
use crate::experiment::Experiment;
use crate::record::{Checkpoint, MeasureTable, MetricRow, RunEvent, RunSummary, UserError};
use crate::theory::Outcome;
use idb::{Database, DatabaseEvent, Factory, KeyRange, ObjectStoreParams, Transaction, TransactionMode};
use js_sys::Uint8Array;
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use wasm_bindgen::prelude::*;

const RUNS: &str = "runs";
const ROWS: &str = "rows";
const CHECKPOINTS: &str = "checkpoints";
const RESUME: &str = "resume";
const FITS: &str = "fits";
const MEASURES: &str = "measures";
const SURVEYS: &str = "surveys";
const STORES: [&str; 7] = [RUNS, ROWS, CHECKPOINTS, RESUME, FITS, MEASURES, SURVEYS];
/// The one key of its store: a newer survey takes the place of the older.
const NEWEST: &str = "newest";

/// Runs kept on this device; older ones make room.
const KEPT_RUNS: usize = 5;

/// The head of a stored run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredRun {
    /// Key: time and a random part.
    pub(super) id: String,
    /// What was asked.
    #[serde(with = "as_json")]
    pub(super) experiment: Experiment,
    /// Updates made when this was written.
    pub(super) step: u32,
    /// Milliseconds since 1970 when the run was started.
    pub(super) started_ms: f64,
    /// Seconds of training so far.
    pub(super) wall_seconds: f64,
    /// Its end, if it came.
    pub(super) summary: Option<RunSummary>,
    /// Who computed it.
    pub(super) choice: Option<EngineChoice>,
    /// What happened, in order.
    pub(super) events: Vec<RunEvent>,
}

/// Everything stored about a run.
pub(super) struct Stored {
    /// Its head.
    pub(super) run: StoredRun,
    /// Ascending in step.
    pub(super) rows: Vec<MetricRow>,
    /// Ascending in step.
    pub(super) checkpoints: Vec<Checkpoint>,
    /// Step and bytes of `Event::ResumePoint`.
    pub(super) resume: Option<(u32, Vec<u8>)>,
    /// In the order of their names.
    pub(super) fits: Vec<CrosscoderResult>,
    /// Measures of checkpoints.
    pub(super) measures: MeasureTable,
}

/// The newest survey of a theory, which belongs to no run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredSurvey {
    /// Name of the panel.
    pub(super) panel: String,
    /// Its settings as JSON.
    pub(super) settings: String,
    /// Share of its parts that is done.
    pub(super) done: f32,
    /// What is known.
    pub(super) outcome: Outcome,
}

/// One thing to write.
pub(super) enum Write {
    /// The head of a run.
    Run(Box<StoredRun>),
    /// New rows.
    Rows(String, Vec<MetricRow>),
    /// A checkpoint.
    Checkpoint(String, Checkpoint),
    /// A resume point; replaces the previous one.
    Resume(String, u32, Arc<Vec<u8>>),
    /// A fit under its name.
    Fit(String, Rc<Vec<u8>>, String),
    /// All measures so far; replaces the previous ones.
    Measures(String, Box<MeasureTable>),
    /// What a survey knows; replaces the previous one.
    Survey(Box<StoredSurvey>),
    /// Forget rows and checkpoints after this step: the run goes on from there.
    Rewind(String, u32),
    /// Forget a run.
    Delete(String),
}

/// The open database with its queue of writes. Clones share both.
#[derive(Clone)]
pub(super) struct Storage(Rc<Inner>);

struct Inner {
    database: Database,
    queue: RefCell<VecDeque<Write>>,
    writing: Cell<bool>,
    told: Cell<bool>,
    on_failure: Box<dyn Fn(UserError)>,
}

impl Storage {
    /// Opens (and on the first visit makes) the database.
    ///
    /// # Errors
    /// If the browser has none or refuses.
    pub(super) async fn open(on_failure: impl Fn(UserError) + Clone + 'static) -> Result<Self, UserError> {
        let mut database = open(on_failure.clone()).await.map_err(|error| refused(&error))?;
        Ok(Self(Rc::new_cyclic(|inner: &Weak<Inner>| {
            let inner = inner.clone();
            // A page of a later build waits for this connection, and would wait for as long as this tab is open.
            database.on_version_change(move |_| {
                if let Some(inner) = inner.upgrade() {
                    inner.database.close();
                    inner.told.set(true);
                    (inner.on_failure)(UserError::new(
                        "A newer Grokscope is open in another tab, so this one stores nothing more",
                        "Export what is new here, then reload this tab",
                    ));
                }
            });
            Inner {
                database,
                queue: RefCell::default(),
                writing: Cell::new(false),
                told: Cell::new(false),
                on_failure: Box::new(on_failure),
            }
        })))
    }

    /// Queues a write.
    pub(super) fn write(&self, write: Write) {
        self.0.queue.borrow_mut().push_back(write);
        if self.0.writing.replace(true) {
            return;
        }
        let inner = self.0.clone();
        leptos::task::spawn_local(async move {
            loop {
                let batch = inner.queue.take();
                if batch.is_empty() {
                    break;
                }
                if let Err(error) = write_all(&inner.database, &batch).await
                    && !inner.told.replace(true)
                {
                    (inner.on_failure)(refused(&error));
                }
            }
            inner.writing.set(false);
        });
    }

    /// All stored runs, the newest first.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub(super) async fn runs(&self) -> Result<Vec<StoredRun>, UserError> {
        let transaction = self.0.database.transaction(&[RUNS], TransactionMode::ReadOnly).map_err(|e| refused(&e))?;
        let values = async { transaction.object_store(RUNS)?.get_all(None, None)?.await }.await.map_err(|e| refused(&e))?;
        // A record of another build that can no longer be read is left alone.
        // Keys begin with the time, so the newest comes last.
        Ok(values.iter().rev().filter_map(|value| decode(&Uint8Array::new(value).to_vec()).ok()).collect())
    }

    /// The survey that was begun last, if there is one that this build can read.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub(super) async fn survey(&self) -> Result<Option<StoredSurvey>, UserError> {
        let transaction = self.0.database.transaction(&[SURVEYS], TransactionMode::ReadOnly).map_err(|e| refused(&e))?;
        let found = async { transaction.object_store(SURVEYS)?.get(JsValue::from(NEWEST))?.await };
        let value = found.await.map_err(|e| refused(&e))?;
        Ok(value.and_then(|value| decode(&Uint8Array::new(&value).to_vec()).ok()))
    }

    /// Forgets all but the newest runs, except those that another tab works on.
    pub(super) async fn make_room(&self, runs: &[StoredRun]) {
        for run in runs.iter().skip(KEPT_RUNS) {
            if claim(&run.id).await.is_some() {
                self.write(Write::Delete(run.id.clone()));
            }
        }
    }

    /// Reads one run in full.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub(super) async fn load(&self, run: StoredRun) -> Result<Stored, UserError> {
        let transaction = self.0.database.transaction(&STORES, TransactionMode::ReadOnly).map_err(|e| refused(&e))?;
        load(&transaction, run).await.map_err(|e| refused(&e))
    }
}

async fn open(on_failure: impl Fn(UserError) + 'static) -> Result<Database, idb::Error> {
    let mut request = Factory::new()?.open("grokscope", Some(3))?;
    request.on_blocked(move |_| {
        on_failure(UserError::new(
            "An older Grokscope is open in another tab, and until it is closed nothing is stored here",
            "Close the other tab, or reload it",
        ));
    });
    request.on_upgrade_needed(|event| {
        if let Ok(database) = event.database() {
            for name in STORES {
                // A store that exists already is no error; a missing one is reported by the first transaction.
                let _ = database.create_object_store(name, ObjectStoreParams::new());
            }
        }
    });
    request.await
}

async fn write_all(database: &Database, batch: &VecDeque<Write>) -> Result<(), idb::Error> {
    let transaction = database.transaction(&STORES, TransactionMode::ReadWrite)?;
    for write in batch {
        apply(&transaction, write).await?;
    }
    transaction.commit()?.await?;
    Ok(())
}

async fn apply(transaction: &Transaction, write: &Write) -> Result<(), idb::Error> {
    let put = async |store: &str, key: String, value: JsValue| -> Result<(), idb::Error> {
        transaction.object_store(store)?.put(&value, Some(&key.into()))?.await?;
        Ok(())
    };
    match write {
        Write::Run(run) => put(RUNS, run.id.clone(), bytes(&encode(run).unwrap_or_default())).await,
        Write::Rows(id, rows) => {
            let first = rows.first().map_or(0, |row| row.step);
            put(ROWS, key(id, first), bytes(&encode(rows).unwrap_or_default())).await
        }
        Write::Checkpoint(id, checkpoint) => put(CHECKPOINTS, key(id, checkpoint.step), bytes(&checkpoint.weights)).await,
        Write::Resume(id, step, point) => put(RESUME, id.clone(), bytes(&[&step.to_le_bytes(), point.as_slice()].concat())).await,
        Write::Fit(id, outcome, name) => put(FITS, format!("{id}/{name}"), bytes(outcome)).await,
        Write::Measures(id, table) => put(MEASURES, id.clone(), bytes(&encode(table).unwrap_or_default())).await,
        Write::Survey(survey) => put(SURVEYS, NEWEST.to_owned(), bytes(&encode(survey).unwrap_or_default())).await,
        Write::Rewind(id, step) => {
            let range = || KeyRange::bound(&key(id, step + 1).into(), &format!("{id}/~").into(), None, None);
            transaction.object_store(CHECKPOINTS)?.delete(range()?)?.await?;
            let store = transaction.object_store(ROWS)?;
            let all = KeyRange::bound(&format!("{id}/").into(), &format!("{id}/~").into(), None, None)?;
            let mut rows = read_rows(store.get_all(Some(all.clone().into()), None)?.await?);
            rows.retain(|row| row.step <= *step);
            store.delete(all)?.await?;
            let first = rows.first().map_or(0, |row| row.step);
            put(ROWS, key(id, first), bytes(&encode(&rows).unwrap_or_default())).await
        }
        Write::Delete(id) => {
            let id_key = JsValue::from(id);
            transaction.object_store(RUNS)?.delete(id_key.clone())?.await?;
            transaction.object_store(MEASURES)?.delete(id_key.clone())?.await?;
            transaction.object_store(RESUME)?.delete(id_key)?.await?;
            for store in [ROWS, CHECKPOINTS, FITS] {
                let all = KeyRange::bound(&format!("{id}/").into(), &format!("{id}/~").into(), None, None)?;
                transaction.object_store(store)?.delete(all)?.await?;
            }
            Ok(())
        }
    }
}

async fn load(transaction: &Transaction, run: StoredRun) -> Result<Stored, idb::Error> {
    let all = || -> Result<Option<idb::Query>, idb::Error> {
        let range = KeyRange::bound(&format!("{}/", run.id).into(), &format!("{}/~", run.id).into(), None, None)?;
        Ok(Some(range.into()))
    };
    let rows = read_rows(transaction.object_store(ROWS)?.get_all(all()?, None)?.await?);
    let store = transaction.object_store(CHECKPOINTS)?;
    let keys = store.get_all_keys(all()?, None)?.await?;
    let weights = store.get_all(all()?, None)?.await?;
    let checkpoints = keys
        .iter()
        .zip(&weights)
        .filter_map(|(key, value)| {
            let step = key.as_string()?.rsplit_once('/')?.1.parse().ok()?;
            Some(Checkpoint { step, weights: Uint8Array::new(value).to_vec() })
        })
        .collect();
    let fits = transaction.object_store(FITS)?.get_all(all()?, None)?.await?;
    let fits = fits.iter().filter_map(|value| decode::<FitOutcome>(&Uint8Array::new(value).to_vec()).ok());
    let fits = fits.map(CrosscoderResult::from).collect();
    let resume = transaction.object_store(RESUME)?.get(JsValue::from(&run.id))?.await?;
    let resume = resume.and_then(|value| {
        let bytes = Uint8Array::new(&value).to_vec();
        let (step, point) = bytes.split_first_chunk::<4>()?;
        Some((u32::from_le_bytes(*step), point.to_vec()))
    });
    let measures = transaction.object_store(MEASURES)?.get(JsValue::from(&run.id))?.await?;
    let measures = measures.and_then(|value| decode(&Uint8Array::new(&value).to_vec()).ok()).unwrap_or_default();
    Ok(Stored { run, rows, checkpoints, resume, fits, measures })
}

fn read_rows(batches: Vec<JsValue>) -> Vec<MetricRow> {
    let read = |value: &JsValue| decode::<Vec<MetricRow>>(&Uint8Array::new(value).to_vec()).unwrap_or_default();
    let mut rows: Vec<MetricRow> = batches.iter().flat_map(read).collect();
    // Batches come in the order of their keys, which is that of their steps.
    rows.dedup_by_key(|row| row.step);
    rows
}

fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

/// Keys of one run sort by step, before `ID/~`.
fn key(id: &str, step: u32) -> String {
    format!("{id}/{step:010}")
}

fn refused(error: &idb::Error) -> UserError {
    let words = match error {
        idb::Error::DomException(exception) => format!("{}: {}", exception.name(), exception.message()),
        idb::Error::UnexpectedJsType(_, value) => words(value),
        other => other.to_string(),
    };
    UserError::new(
        format!("This browser does not keep the run ({words})"),
        "The run goes on; export it before you close this tab, or free some space",
    )
}

/// postcard cannot carry the tagged model of an experiment.
mod as_json {
    use crate::experiment::Experiment;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(experiment: &Experiment, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&experiment.to_json())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Experiment, D::Error> {
        Experiment::from_json(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
