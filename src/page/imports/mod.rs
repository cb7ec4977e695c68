//! What comes into the Atlas as a file: activations of any network, dictionaries that were fitted elsewhere, further runs.
//!
//! Without this the page could look only at what it had trained, while most questions of before and after are asked of other
//! networks. Each file is read here before anything is asked of the engine, so that one that does not fit is refused at once and
//! in the words that the terminal has for it. What a file is, is told by its tensors, not by the button that opened it.

mod activations;
mod dictionary;
mod further;

pub(super) use activations::OpenActivations;
pub(super) use dictionary::OpenDictionary;
pub(super) use further::{FurtherRun, further, others, problem as further_problem};

use super::live::part;
use super::share::bytes_of;
use super::storage::StoredRun;
use super::store::{EngineState, FitState, Lab, View};
use crate::crosscoder::interop::{Foreign, recognise};
use crate::engine::message::NamedFile;
use crate::record::UserError;
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::sync::Arc;
use web_sys::File;

/// Larger files would be three times in the memory of the tab: here, on the way, and in the engine.
const MOST_MEGABYTES: f64 = 256.0;

/// What is open.
#[derive(Clone, Copy)]
pub(super) struct Imports {
    /// Activations of another network.
    pub(super) activations: RwSignal<Option<Arc<OpenActivations>>>,
    /// A dictionary that is not shown yet.
    pub(super) dictionary: RwSignal<Option<Arc<OpenDictionary>>>,
    /// Whether the dictionary is put on the open activations, where there is a run as well.
    pub(super) on_file: RwSignal<bool>,
    /// Runs that the next fit reads beside the one on the page.
    pub(super) further: RwSignal<Vec<Arc<FurtherRun>>>,
    /// Runs kept on this device, once they were asked for.
    pub(super) kept: RwSignal<Option<Vec<StoredRun>>>,
}

impl Imports {
    /// Nothing is open.
    pub(super) fn new() -> Self {
        Self {
            activations: RwSignal::new(None),
            dictionary: RwSignal::new(None),
            on_file: RwSignal::new(false),
            further: RwSignal::new(Vec::new()),
            kept: RwSignal::new(None),
        }
    }
}

/// What a name and bytes turned out to be.
enum Opened {
    Activations(OpenActivations),
    Dictionary(Box<OpenDictionary>),
}

/// Opens activations, or a dictionary with or without its JSON file.
pub(super) fn open(lab: Lab, files: Vec<File>) {
    spawn_local(async move {
        match read(&files).await {
            Ok(Opened::Activations(found)) => {
                lab.announcement.set(format!("{} is open", found.file.name));
                lab.imports.on_file.set(true);
                lab.imports.activations.set(Some(Arc::new(found)));
            }
            Ok(Opened::Dictionary(found)) => {
                lab.announcement.set(format!("{} is open", found.file.name));
                dictionary::take_settings(lab, &found);
                lab.imports.dictionary.set(Some(Arc::from(found)));
            }
            Err(error) => return lab.fail(error),
        }
        lab.error.set(None);
        lab.view.set(View::Atlas);
    });
}

async fn read(files: &[File]) -> Result<Opened, UserError> {
    let is_json = |file: &&File| file.name().to_lowercase().ends_with(".json");
    let (beside, weights): (Vec<&File>, Vec<&File>) = files.iter().partition(is_json);
    let (&[file], true) = (&weights[..], beside.len() < 2) else {
        let names: Vec<String> = files.iter().map(File::name).collect();
        return Err(UserError::new(
            format!("{} were given, not one file of weights or activations with at most one JSON file", names.join(", ")),
            "Choose one .safetensors file, and the .json file beside it if there is one",
        ));
    };
    let name = file.name();
    let told = |error: UserError| UserError::new(format!("{name} was not opened: {}", error.cause), error.remedy);
    let megabytes = file.size() / 1e6;
    if megabytes > MOST_MEGABYTES {
        return Err(told(UserError::new(
            format!("it has {megabytes:.0} MB, and at most {MOST_MEGABYTES:.0} are read here"),
            "Leave out inputs or sources, or use the command line (grokscope external)",
        )));
    }
    let bytes = bytes_of(file).await?;
    let beside = match beside.first() {
        Some(file) => Some(String::from_utf8(bytes_of(file).await?).map_err(|_| {
            UserError::new(format!("{} is no text", file.name()), "Give the JSON file that came with the weights")
        })?),
        None => None,
    };
    let found = recognise(&bytes, beside.as_deref()).map_err(told)?;
    let file = NamedFile { name: file.name(), bytes };
    Ok(match found {
        Foreign::Activations(found) => Opened::Activations(OpenActivations::new(file, &found)),
        Foreign::Dictionary(found, layout) => Opened::Dictionary(Box::new(OpenDictionary::new(file, beside, found, layout))),
    })
}

/// Whether the engine is there and makes no fit: files can be opened before it is loaded.
fn can_ask(lab: Lab) -> bool {
    lab.engine.get() == EngineState::Ready && lab.fit_state.get() != FitState::Running
}

/// The two buttons, and what is open; `has_form` says whether the settings of fits stand above.
pub(super) fn imports(lab: Lab, has_form: Memo<bool>) -> AnyView {
    let activations = move || {
        let has_form = has_form.get();
        lab.imports.activations.get().map(|open| untrack(|| activations::panel(lab, open, has_form)))
    };
    let dictionary = move || lab.imports.dictionary.get().map(|open| untrack(|| dictionary::panel(lab, open)));
    view! {
        <div class="card" id="imports">
            <h2>"From elsewhere"</h2>
            <p class="small muted">"Activations of any model at several checkpoints, layers or variants, or a dictionary that was fitted elsewhere (Grokscope, crosscoder_learning, OpenMOSS, Kissane's replication, SAELens): safetensors files, with the JSON file of a dictionary beside it. The documentation (docs/python.md) has the ten lines of Python that write one. You can also drop them here. Nothing leaves this machine."</p>
            <div class="row">
                {chooser(lab, "open-activations", "Open activations…", ".safetensors")}
                {chooser(lab, "open-dictionary", "Open a dictionary…", ".safetensors,.json")}
            </div>
            {part(activations)}
            {part(dictionary)}
        </div>
    }
    .into_any()
}

fn chooser(lab: Lab, id: &'static str, label: &'static str, accept: &'static str) -> AnyView {
    let input = NodeRef::<Input>::new();
    let chosen = move |_| {
        if let Some(input) = input.get_untracked() {
            let list = input.files();
            let files = list.iter().flat_map(|list| (0..list.length()).filter_map(|at| list.get(at))).collect::<Vec<File>>();
            if !files.is_empty() {
                open(lab, files);
            }
            // So that the same file can be chosen again.
            input.set_value("");
        }
    };
    view! {
        <label class="button small-button" for=id>{label}</label>
        <input type="file" id=id class="visually-hidden" accept=accept multiple node_ref=input on:change=chosen />
    }
    .into_any()
}
