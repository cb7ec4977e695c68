//! The whole page: puts the views together, finds the worker, looks for a stored run, listens to the keyboard.

use super::atlas::atlas_view;
use super::cards::cards;
use super::claim::claim;
use super::header::header;
use super::inside::inside_view;
use super::live::{flag, part, text};
use super::race::race_view;
use super::run::run_view;
use super::share::{accept_drops, adopt, export, import};
use super::storage::Storage;
use super::store::{Lab, View};
use super::theory::theory_view;
use super::transport::time_slider;
use super::{address, appearance, guide, permalink, points, session, theory};
use crate::crosscoder::crosscoder_presets;
use crate::experiment::presets;
use leptos::html::{Div, Input};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::prelude::*;
use web_sys::{Element, KeyboardEvent};

/// Replaces what stands in `#app` by the laboratory.
pub(super) fn mount() {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
    let Some(app) = document.get_element_by_id("app").and_then(|element| element.dyn_into().ok()) else { return };
    let worker = document
        .query_selector("meta[name=grokscope-worker]")
        .ok()
        .flatten()
        .and_then(|meta| meta.get_attribute("content"))
        .unwrap_or_default();
    let element: &web_sys::HtmlElement = &app;
    element.set_inner_html("");
    mount_to(app, move || page(worker)).forget();
}

fn page(worker: String) -> AnyView {
    // Both lists are written in the source and never empty.
    let lab = Lab::new(&presets()[0], crosscoder_presets()[0].config.clone());
    appearance::follow(lab);
    address::connect(lab);
    guide::connect(lab);
    permalink::connect(lab);
    theory::connect(lab);
    listen_to_keys(lab);
    accept_drops(lab);
    write_when_hidden(lab);
    spawn_local(open_storage(lab));
    // After the first paint: compiling the engine would delay it.
    set_timeout(move || session::open_engine(lab, worker), std::time::Duration::from_millis(30));
    let view = move || match lab.view.get() {
        View::Run => run_view(lab),
        View::Inside => inside_view(lab),
        View::Atlas => atlas_view(lab),
        View::Race => race_view(lab),
        View::Theory => theory_view(lab),
    };
    // What scrolls has the focus first, so that Page Down works before anything was touched.
    let scroll = NodeRef::<Div>::new();
    Effect::new(move |_| {
        if let Some(scroll) = scroll.get() {
            // An element that cannot take the focus just yet only costs that convenience.
            let _ = scroll.focus();
        }
    });
    // Another view begins at its head.
    Effect::new(move |_| {
        lab.view.track();
        if let Some(scroll) = scroll.get_untracked() {
            scroll.set_scroll_top(0);
        }
    });
    view! {
        <div class="scroll" tabindex="-1" node_ref=scroll>
            {header(lab)}
            <main class="page">
                {cards(lab)}
                {part(move || Some(view()))}
                {keep(lab)}
            </main>
        </div>
        {time_slider(lab)}
        <p class="visually-hidden" role="status" aria-live="polite">{text(move || lab.announcement.get())}</p>
    }
    .into_any()
}

/// Out as a file and in again.
fn keep(lab: Lab) -> AnyView {
    let file = NodeRef::<Input>::new();
    let chosen = move |_| {
        if let Some(input) = file.get_untracked() {
            if let Some(file) = input.files().and_then(|files| files.get(0)) {
                import(lab, file);
            }
            // So that the same file can be chosen again.
            input.set_value("");
        }
    };
    view! {
        <footer class="row">
            <button type="button" class="small-button" id="export" disabled=flag(move || lab.run.with(Option::is_none))
                on:click=move |_| export(lab)>"Export this run"</button>
            <label class="button small-button" for="import">"Open an archive…"</label>
            <input type="file" id="import" class="visually-hidden" accept=".zip" node_ref=file on:change=chosen />
            <span class="small muted">"A zip of open files: metrics as CSV, weights as safetensors. Nothing leaves this machine by itself."</span>
        </footer>
    }
    .into_any()
}

/// A hidden tab may never come back: what is not on the disk yet is written now.
fn write_when_hidden(lab: Lab) {
    let Some(window) = web_sys::window() else { return };
    let Some(document) = window.document() else { return };
    let seen = document.clone();
    let on_change = Closure::<dyn FnMut()>::new(move || {
        if seen.hidden() {
            points::write(lab);
        }
    });
    if document.add_event_listener_with_callback("visibilitychange", on_change.as_ref().unchecked_ref()).is_ok() {
        on_change.forget();
    }
    let on_leave = Closure::<dyn FnMut()>::new(move || points::write(lab));
    if window.add_event_listener_with_callback("pagehide", on_leave.as_ref().unchecked_ref()).is_ok() {
        on_leave.forget();
    }
}

/// Space starts and pauses, → makes one update, unless the key belongs to a control.
fn listen_to_keys(lab: Lab) {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
    let on_key = Closure::<dyn FnMut(KeyboardEvent)>::new(move |event: KeyboardEvent| {
        let control = "input, select, textarea, button, a, summary, [tabindex='0']";
        let busy = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let busy = busy.is_some_and(|element| element.closest(control).is_ok_and(|found| found.is_some()));
        if busy || event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        match event.key().as_str() {
            " " => session::toggle(lab),
            "ArrowRight" => session::single_step(lab),
            _ => return,
        }
        event.prevent_default();
    });
    if document.add_event_listener_with_callback("keydown", on_key.as_ref().unchecked_ref()).is_ok() {
        on_key.forget();
    }
}

/// Opens the runs on this device and offers the newest that no other tab has.
async fn open_storage(lab: Lab) {
    let storage = match Storage::open(move |error| lab.fail(error)).await {
        Ok(storage) => storage,
        Err(error) => return lab.fail(error),
    };
    lab.storage.set_value(Some(storage.clone()));
    let runs = match storage.runs().await {
        Ok(runs) => runs,
        Err(error) => return lab.fail(error),
    };
    storage.make_room(&runs).await;
    match storage.survey().await {
        Ok(Some(survey)) => lab.theory.survey.restore(survey),
        Ok(None) => {}
        Err(error) => lab.fail(error),
    }
    if let Some((stored, claim)) = permalink::find(lab, &storage, &runs).await {
        if lab.run.with_untracked(Option::is_none) {
            let time = lab.time.get_untracked();
            adopt(lab, stored);
            lab.time.set(time);
            lab.claim.set_value(Some(claim));
        }
        return;
    }
    for run in runs {
        let Some(claim) = claim(&run.id).await else { continue };
        // A run that was started meanwhile has the floor.
        if lab.run.with_untracked(Option::is_some) {
            return;
        }
        match storage.load(run).await {
            Ok(stored) => {
                let step = stored.rows.last().map_or(stored.run.step, |row| row.step);
                let from = stored.resume.as_ref().map(|(step, _)| *step).filter(|_| stored.run.summary.is_none());
                lab.resume_card.set(Some((stored.run.clone(), step, from)));
                lab.stored.set_value(Some(stored));
                lab.claim.set_value(Some(claim));
            }
            Err(error) => lab.fail(error),
        }
        return;
    }
}
