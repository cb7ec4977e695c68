//! Activations of a network that is not here: what the file says, and the fit to them.

use super::can_ask;
use crate::crosscoder::interop::ExternalActivations;
use crate::crosscoder::{CrosscoderConfig, ForeignRows, Variant, name_after};
use crate::engine::message::{Command, NamedFile};
use crate::experiment::FieldError;
use crate::page::atlas::{controls, unique_name};
use crate::page::fits;
use crate::page::live::{flag, text};
use crate::page::store::{Lab, grouped};
use leptos::prelude::*;
use std::sync::Arc;

/// An open file of activations.
#[derive(Debug, PartialEq)]
pub(in crate::page) struct OpenActivations {
    /// The file, for the engine.
    pub(in crate::page) file: NamedFile,
    /// What it says of its rows.
    pub(in crate::page) rows: ForeignRows,
    /// Step and width of each source.
    pub(in crate::page) sources: Vec<(u32, usize)>,
}

impl OpenActivations {
    pub(super) fn new(file: NamedFile, found: &ExternalActivations) -> Self {
        let sources = found.sources.iter().map(|source| (source.step, source.width)).collect();
        Self { rows: found.foreign_rows(&file.name), file, sources }
    }

    /// In a sentence.
    pub(super) fn told(&self) -> String {
        let widths: Vec<String> = self.sources.iter().map(|(_, width)| width.to_string()).collect();
        let is_one = self.sources.windows(2).all(|pair| pair[0].1 == pair[1].1);
        let width = if is_one { widths.first().cloned().unwrap_or_default() } else { widths.join(", ") };
        let rows = &self.rows.rows;
        let parts = [
            ("classes", rows.labels.is_some()),
            ("inputs a and b", rows.inputs.is_some()),
            ("training rows", rows.train_mask.is_some()),
        ];
        let listed = |there: bool| {
            let names: Vec<&str> = parts.iter().filter(|(_, is_there)| *is_there == there).map(|(name, _)| *name).collect();
            names.join(", ")
        };
        let (known, unknown) = (listed(true), listed(false));
        let known = if known.is_empty() { "nothing more of the rows".to_owned() } else { known };
        let unknown = if unknown.is_empty() { String::new() } else { format!("; it does not say: {unknown}") };
        format!(
            "{} rows at {} sources ({}) of width {width}. The file says {known}{unknown}.",
            grouped(rows.count as u64),
            self.sources.len(),
            self.rows.names.join(", ")
        )
    }
}

/// The next fit to the file, or why it cannot be made.
fn next(lab: Lab, open: &OpenActivations) -> Result<CrosscoderConfig, Vec<FieldError>> {
    let mut errors = lab.fit_form.unread_errors();
    let sources = open.sources.iter().map(|(step, _)| *step).collect();
    let config = CrosscoderConfig {
        sources,
        more_hooks: Vec::new(),
        probe: false,
        name: name_after(&open.file.name),
        ..lab.fit_form.value.get()
    };
    let widest = open.sources.iter().map(|(_, width)| *width).max().unwrap_or(1);
    if let Err(more) = config.validate_on_activations(open.rows.rows.count as u32, widest) {
        errors.extend(more);
    }
    if errors.is_empty() { Ok(config) } else { Err(errors) }
}

/// Settings that a file of activations has no use for.
const WITHOUT: [&str; 3] = ["hook", "more_hooks", "probe"];

/// What is open, the settings where they do not stand above, and the button.
pub(super) fn panel(lab: Lab, open: Arc<OpenActivations>, has_form: bool) -> AnyView {
    let of_memo = open.clone();
    let next = Memo::new(move |_| next(lab, &of_memo));
    let errors = Memo::new(move |_| next.get().err().unwrap_or_default());
    let problem = move || {
        errors.with(|errors| {
            errors.first().map_or_else(String::new, |error| format!("{}: {}. {}.", error.path, error.cause, error.remedy))
        })
    };
    let cannot = move || !can_ask(lab) || next.with(Result::is_err);
    let asked = open.clone();
    let fit = move |_| {
        let Ok(config) = next.get_untracked() else { return };
        let name = unique_name(lab, &config.name);
        let config = CrosscoderConfig { name, ..config };
        let (steps, labels) = (config.steps, asked.rows.names.clone());
        let engine = lab.wish.get_untracked();
        fits::begin(lab, steps, labels, &Command::FitActivations { config, file: asked.file.clone(), engine });
    };
    let kind = move || {
        let variant: Variant = lab.fit_form.value.with(|config| config.variant);
        format!(
            "Settings are those above ({}, {} latents); checkpoints and hook do not apply.",
            variant.name(),
            lab.fit_form.value.with(|config| config.latents)
        )
    };
    let settings = if has_form {
        view! { <p class="help">{text(kind)}</p> }.into_any()
    } else {
        view! {
            <div class="fields">{controls(lab, true, errors, &WITHOUT)}</div>
            <details>
                <summary>"All settings"</summary>
                <div class="fields" style="margin-top:1rem">{controls(lab, false, errors, &WITHOUT)}</div>
            </details>
        }
        .into_any()
    };
    view! {
        <div class="field" id="activations-panel" data-rows=open.rows.rows.count.to_string() data-sources=open.rows.names.join(",")>
            <h3>{open.file.name.clone()}</h3>
            <p class="small number">{open.told()}</p>
            {settings}
            <p class="problem" id="activations-problem" hidden=flag(move || errors.with(Vec::is_empty))>{text(problem)}</p>
            <div class="row">
                <button type="button" id="fit-activations" class="primary" disabled=flag(cannot) on:click=fit>"Fit these activations"</button>
                <button type="button" class="small-button quiet" on:click=move |_| lab.imports.activations.set(None)>"Close the file"</button>
            </div>
            <p class="small muted">"There is no network behind a file: nothing can be taken out of it, and there are no losses and no logits. The fit is kept with the run on the page; without a run, until this page is left (save its dictionary)."</p>
        </div>
    }
    .into_any()
}
