//! A dictionary that was fitted elsewhere: what it is, what it is put on, and why it cannot be if it cannot.
//!
//! No layout but a result's own summary says which checkpoints its sources were, so the ticks of the form say it; with the wrong
//! ones explained variance is low, and that is all that would tell.

use super::can_ask;
use crate::crosscoder::interop::{Dictionary, Layout, settings_beside};
use crate::crosscoder::{CrosscoderConfig, name_after};
use crate::engine::message::{Command, Ground, NamedFile};
use crate::page::atlas::{sources, unique_name};
use crate::page::fits;
use crate::page::live::{flag, part, text};
use crate::page::store::{Lab, grouped};
use crate::record::{Checkpoint, UserError};
use leptos::prelude::*;
use std::sync::Arc;

/// An open dictionary.
#[derive(Debug, PartialEq)]
pub(in crate::page) struct OpenDictionary {
    /// The file, for the engine.
    pub(in crate::page) file: NamedFile,
    /// Text of the JSON file beside it.
    beside: Option<String>,
    dictionary: Dictionary,
    layout: Layout,
}

impl OpenDictionary {
    pub(super) fn new(file: NamedFile, beside: Option<String>, dictionary: Dictionary, layout: Layout) -> Self {
        Self { file, beside, dictionary, layout }
    }

    fn told(&self) -> String {
        let Dictionary { sources, width, latents, nonlinearity, .. } = &self.dictionary;
        format!(
            "Read as {}: {sources} {} of width {width}, {} latents, {}.",
            self.layout.name(),
            if *sources == 1 { "source" } else { "sources" },
            grouped(*latents as u64),
            nonlinearity.name()
        )
    }
}

/// Sources and hook that the file beside it names go into the form, where they can be seen and changed.
pub(super) fn take_settings(lab: Lab, open: &OpenDictionary) {
    if let Some(said) = open.beside.as_deref().and_then(settings_beside) {
        lab.fit_form.value.update(|config| (config.sources, config.hook) = (said.sources, said.hook));
    }
}

/// What it would be put on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chosen {
    Run,
    File,
    Nothing,
}

fn chosen(lab: Lab) -> Chosen {
    let has_run = lab.checkpoints.with(|all| !all.is_empty()) && !lab.phase.get().is_live();
    let has_file = lab.imports.activations.with(Option::is_some);
    match (has_run, has_file) {
        (_, true) if lab.imports.on_file.get() || !has_run => Chosen::File,
        (true, _) => Chosen::Run,
        (false, _) => Chosen::Nothing,
    }
}

/// The settings with which it is put there, or why it cannot be.
fn next(lab: Lab, open: &OpenDictionary) -> Result<CrosscoderConfig, UserError> {
    let form = CrosscoderConfig { name: name_after(&open.file.name), ..lab.fit_form.value.get() };
    match chosen(lab) {
        Chosen::Nothing => Err(UserError::new(
            "There is nothing to put it on",
            "Run the experiment that it was fitted to, open that run's archive, or open the activations",
        )),
        Chosen::Run => {
            let saved: Vec<u32> = lab.checkpoints.with(|all| all.iter().map(|checkpoint| checkpoint.step).collect());
            let config = open.dictionary.settings(CrosscoderConfig { sources: sources(lab)?, ..form });
            open.dictionary.check_on_run(&config, &lab.shown_experiment(), &saved)?;
            Ok(config)
        }
        Chosen::File => {
            let Some(file) = lab.imports.activations.get() else { return Ok(form) };
            let Dictionary { sources, width, .. } = open.dictionary;
            if file.sources.len() != sources || file.sources.iter().any(|(_, own)| *own != width) {
                let there: Vec<String> = file.sources.iter().map(|(_, width)| width.to_string()).collect();
                return Err(UserError::new(
                    format!(
                        "The dictionary reads {sources} sources of width {width}, and {} has sources of width {}",
                        file.file.name,
                        there.join(", ")
                    ),
                    "Open the activations that it was fitted to, at the same checkpoints",
                ));
            }
            Ok(open.dictionary.settings(CrosscoderConfig { probe: false, ..form }))
        }
    }
}

fn show(lab: Lab, open: &OpenDictionary, config: CrosscoderConfig) {
    let ground = match untrack(|| chosen(lab)) {
        Chosen::Nothing => return,
        Chosen::Run => {
            let wanted = |checkpoint: &&Checkpoint| config.sources.contains(&checkpoint.step);
            let checkpoints = lab.checkpoints.with_untracked(|all| all.iter().filter(wanted).cloned().collect());
            Ground::Run(Box::new(untrack(|| lab.shown_experiment())), checkpoints)
        }
        Chosen::File => match lab.imports.activations.get_untracked() {
            Some(file) => Ground::Activations(file.file.clone()),
            None => return,
        },
    };
    let name = unique_name(lab, &config.name);
    let (config, file, beside) = (CrosscoderConfig { name, ..config }, open.file.clone(), open.beside.clone());
    let engine = lab.wish.get_untracked();
    fits::begin(lab, 0, Vec::new(), &Command::OpenDictionary { config, file, beside, ground, engine });
}

/// What is open, what it is put on, and the button.
pub(super) fn panel(lab: Lab, open: Arc<OpenDictionary>) -> AnyView {
    let (of_memo, asked) = (open.clone(), open.clone());
    let next = Memo::new(move |_| next(lab, &of_memo));
    let problem = move || next.with(|next| next.as_ref().err().map_or_else(String::new, |error| format!("{error}.")));
    let cannot = move || !can_ask(lab) || next.with(Result::is_err);
    let press = move |_| {
        if let Ok(config) = next.get_untracked() {
            show(lab, &asked, config);
        }
    };
    let both = move || lab.imports.activations.with(Option::is_some) && lab.checkpoints.with(|all| !all.is_empty());
    let switch = move || {
        both().then(|| {
            let button = |on_file: bool, id: &'static str, label: &'static str| {
                view! {
                    <button type="button" id=id aria-pressed=text(move || (lab.imports.on_file.get() == on_file).to_string())
                        on:click=move |_| lab.imports.on_file.set(on_file)>{label}</button>
                }
            };
            view! {
                <div class="switch wrap" role="group" aria-label="What it is put on">
                    {button(false, "ground-run", "This run")}
                    {button(true, "ground-file", "The open activations")}
                </div>
            }
            .into_any()
        })
    };
    let on = move || match (chosen(lab), sources(lab)) {
        (Chosen::Run, Ok(steps)) => {
            let steps: Vec<String> = steps.iter().map(|step| grouped((*step).into())).collect();
            let hook = lab.fit_form.value.with(|config| config.hook.name());
            format!(
                "Its sources are taken to be the ticked checkpoints ({}), read at {hook}: change the ticks and the hook above if it was fitted to others.",
                steps.join(", ")
            )
        }
        (Chosen::File, _) => "Its sources are taken to be those of the open activations, in their order.".to_owned(),
        _ => String::new(),
    };
    view! {
        <div class="field" id="dictionary-panel" data-sources=open.dictionary.sources.to_string() data-layout=open.layout.name()>
            <h3>{open.file.name.clone()}</h3>
            <p class="small number">{open.told()}</p>
            {part(switch)}
            <p class="help">{text(on)}</p>
            <p class="problem" id="dictionary-problem" hidden=flag(move || next.with(Result::is_ok))>{text(problem)}</p>
            <div class="row">
                <button type="button" id="show-dictionary" class="primary" disabled=flag(cannot) on:click=press>"Show what it holds"</button>
                <button type="button" class="small-button quiet" on:click=move |_| lab.imports.dictionary.set(None)>"Close the file"</button>
            </div>
            <p class="small muted">"Nothing is fitted: the dictionary encodes all inputs as its file says, and lives, absences and twins are read off it as of a fit; on a run latents are taken out as well. Explained variance is over all inputs, because no file says which of them it was fitted to."</p>
        </div>
    }
    .into_any()
}
