//! Out of the page and back in: the link, the archive, and files that are dropped on the page.

use super::address::{link_to_send, nearest_preset};
use super::imports;
use super::paper::Paper;
use super::permalink;
use super::points::{self, Points};
use super::session::{self, clear, new_run};
use super::storage::{Stored, Write};
use super::store::{FitState, Lab};
use crate::crosscoder::CrosscoderResult;
use crate::engine::message::{FitOutcome, encode};
use crate::engine::phase::Phase;
use crate::plot::{Picture, Svg, Theme};
use crate::record::{Archive, UserError};
use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::rc::Rc;
use std::sync::Arc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, File, HtmlAnchorElement, Url};

/// Puts the link into the clipboard and on the page.
pub(super) fn copy_link(lab: Lab) {
    match link_to_send(lab) {
        Ok(link) => {
            lab.shared.set(link.clone());
            copy(lab, link);
        }
        Err(error) => lab.fail(error),
    }
}

/// Puts text into the clipboard; says so, or what to do instead.
pub(super) fn copy(lab: Lab, text: String) {
    let Some(window) = web_sys::window() else { return };
    spawn_local(async move {
        let clipboard = Reflect::get(&window.navigator(), &"clipboard".into()).unwrap_or_default();
        // Pages that are not served over https have no clipboard; the text stands in its field.
        let copied = !clipboard.is_falsy() && JsFuture::from(window.navigator().clipboard().write_text(&text)).await.is_ok();
        lab.announcement.set(if copied { "Copied" } else { "Select the text and copy it by hand" }.into());
        lab.copied.set(copied);
    });
}

/// Everything of the run on the page.
fn archive(lab: Lab) -> Option<Archive> {
    let run = lab.run.get_untracked()?;
    Some(Archive {
        experiment: run.experiment,
        rows: lab.rows.get_untracked(),
        checkpoints: lab.checkpoints.get_untracked(),
        summary: run.summary,
        events: run.events,
        crosscoders: lab.fits.with_untracked(|fits| fits.iter().map(|fit| CrosscoderResult::clone(fit)).collect()),
        measures: lab.measures.get_untracked(),
    })
}

/// Offers the report on a fit as `NAME.html`; all other fits of the run are its controls.
pub(super) fn offer_report(lab: Lab, fit: &CrosscoderResult) {
    let Some(archive) = archive(lab) else { return };
    let mut fits = vec![fit.clone()];
    // What came as a file is no control of a fit to this run.
    let is_control = |other: &&CrosscoderResult| other.config.name != fit.config.name && other.origin.is_none();
    fits.extend(archive.crosscoders.iter().filter(is_control).cloned());
    let draw = |picture: &Picture<'_>, width: u32, height: u32| {
        picture.svg_on(Svg::surface(width, height), &Theme::light(), Paper::Svg).unwrap_or_default()
    };
    match crate::report::report(&archive, &fits, &draw) {
        Ok(text) => offer(lab, &format!("{}-{}.html", archive.experiment.name, fit.config.name), "text/html", text.as_bytes()),
        Err(error) => lab.fail(error),
    }
}

/// Offers the run as `NAME.grok.zip`.
pub(super) fn export(lab: Lab) {
    let Some(archive) = archive(lab) else { return };
    let name = file_name(&archive.experiment.name);
    match archive.to_zip() {
        Ok(bytes) => offer(lab, &format!("{name}.grok.zip"), "application/zip", &bytes),
        Err(error) => lab.fail(error),
    }
}

/// A name that every system takes for a file.
pub(super) fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' }).collect()
}

/// Offers a file; `media` is its type, e.g. `text/csv`.
pub(super) fn offer(lab: Lab, name: &str, media: &str, bytes: &[u8]) {
    if let Err(error) = download(name, media, bytes) {
        lab.fail(UserError::new(
            format!("The file could not be offered ({})", super::port::words(&error)),
            "Allow downloads for this page",
        ));
    }
}

fn download(name: &str, media: &str, bytes: &[u8]) -> Result<(), JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type(media);
    let blob = Blob::new_with_u8_array_sequence_and_options(&Array::of1(&Uint8Array::from(bytes)), &options)?;
    let url = Url::create_object_url_with_blob(&blob)?;
    let document = web_sys::window().and_then(|window| window.document()).ok_or(JsValue::NULL)?;
    let anchor: HtmlAnchorElement = document.create_element("a")?.dyn_into()?;
    anchor.set_href(&url);
    anchor.set_download(name);
    anchor.click();
    // The download has its own hold on the data once it was clicked.
    let revoke = Closure::once_into_js(move || Url::revoke_object_url(&url));
    if let Some(window) = web_sys::window() {
        window.set_timeout_with_callback_and_timeout_and_arguments_0(revoke.unchecked_ref(), 60_000)?;
    }
    Ok(())
}

/// The content of a file.
///
/// # Errors
/// If the browser cannot read it.
pub(super) async fn bytes_of(file: &File) -> Result<Vec<u8>, UserError> {
    let read = JsFuture::from(file.array_buffer()).await.map_err(|error| {
        UserError::new(format!("{} could not be read ({})", file.name(), super::port::words(&error)), "Choose it again")
    })?;
    Ok(Uint8Array::new(&read).to_vec())
}

/// Opens an archive that was chosen or dropped.
pub(super) fn import(lab: Lab, file: File) {
    spawn_local(async move {
        let name = file.name();
        let archive = bytes_of(&file).await.and_then(|bytes| Archive::from_zip(&bytes));
        match archive {
            Ok(_) if lab.phase.get_untracked().is_live() => {
                lab.fail(UserError::new("A run is under way", "Stop it first; then open the archive"));
            }
            Ok(archive) => open(lab, archive),
            Err(error) => lab.fail(UserError::new(format!("{name} was not opened: {}", error.cause), error.remedy)),
        }
    });
}

/// Opens the recorded run of a preset that comes with the site.
pub(super) fn open_recorded(lab: Lab, name: &'static str) {
    spawn_local(async move {
        if lab.phase.get_untracked().is_live() {
            lab.fail(UserError::new("A run is under way", "Stop it first; then open the recorded run"));
            return;
        }
        let file = format!("recorded/{name}.grok.zip");
        let bytes = match fetched(&file).await {
            Ok(bytes) => bytes,
            Err(error) => {
                let cause = format!("{file} could not be loaded ({})", super::port::words(&error));
                lab.fail(UserError::new(cause, "Check the connection and try again, or run the experiment"));
                return;
            }
        };
        match Archive::from_zip(&bytes) {
            Ok(archive) => open(lab, archive),
            Err(error) => lab.fail(UserError::new(format!("{file} was not opened: {}", error.cause), error.remedy)),
        }
    });
}

/// The bytes at an address beside the page. By reflection, because the typed fetch needs features of web-sys that the engine's
/// dependencies would have to be rebuilt for.
async fn fetched(address: &str) -> Result<Vec<u8>, JsValue> {
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    let method = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).map(|f| f.unchecked_into::<Function>());
    let answer: Promise = method(&window, "fetch")?.call1(&window, &address.into())?.unchecked_into();
    let answer = JsFuture::from(answer).await?;
    if Reflect::get(&answer, &"ok".into())? != JsValue::TRUE {
        return Err(Reflect::get(&answer, &"status".into())?);
    }
    let body: Promise = method(&answer, "arrayBuffer")?.call0(&answer)?.unchecked_into();
    Ok(Uint8Array::new(&JsFuture::from(body).await?).to_vec())
}

fn open(lab: Lab, archive: Archive) {
    let mut run = new_run(archive.experiment);
    run.step = archive.rows.last().map_or(0, |row| row.step);
    run.summary = archive.summary;
    run.events = archive.events;
    let stored = Stored {
        run: run.clone(),
        rows: archive.rows,
        checkpoints: archive.checkpoints,
        resume: None,
        fits: archive.crosscoders,
        measures: archive.measures,
    };
    adopt(lab, stored);
    session::store(lab, |_| Write::Run(Box::new(run)));
    session::store(lab, |id| Write::Rows(id, lab.rows.get_untracked()));
    for checkpoint in lab.checkpoints.get_untracked() {
        session::store(lab, |id| Write::Checkpoint(id, checkpoint));
    }
    for fit in lab.fits.get_untracked() {
        let name = fit.config.name.clone();
        if let Ok(bytes) = encode(&FitOutcome::from(CrosscoderResult::clone(&fit))) {
            session::store(lab, |id| Write::Fit(id, Rc::new(bytes), name));
        }
    }
    lab.announcement.set("The archive is open".into());
}

/// Puts a stored run on the page, as it was left.
pub(super) fn adopt(lab: Lab, stored: Stored) {
    clear(lab);
    let preset = nearest_preset(&stored.run.experiment);
    lab.preset.set(preset);
    lab.draft.replace(stored.run.experiment.clone());
    let ended = stored.run.summary.is_some();
    let failed = stored.run.summary.as_ref().is_some_and(|summary| summary.fingerprint.is_empty());
    let last = stored.rows.last().map_or(stored.run.step, |row| row.step);
    lab.choice.set(stored.run.choice.clone());
    lab.phase.set(if failed { Phase::Failed } else { Phase::Finished });
    lab.can_resume.set(stored.resume.as_ref().map(|(step, _)| *step).filter(|_| !ended));
    let mut points = Points::default();
    if let Some((step, bytes)) = stored.resume {
        points.add(step, Arc::new(bytes));
    }
    points::replace(lab, points);
    lab.step.set(last);
    lab.run.set(Some(stored.run));
    lab.rows.set(stored.rows);
    lab.checkpoints.set(stored.checkpoints);
    lab.measures.set(stored.measures);
    if let Some(fit) = stored.fits.last() {
        lab.fit_curves.set(fit.curves.clone());
        lab.fit_state.set(FitState::Done);
        lab.fit_shown.set(stored.fits.len() - 1);
    }
    lab.fits.set(stored.fits.into_iter().map(Arc::new).collect());
    permalink::reveal(lab);
}

/// Lets an archive, activations or a dictionary be dropped anywhere on the page.
pub(super) fn accept_drops(lab: Lab) {
    let Some(body) = web_sys::window().and_then(|window| window.document()).and_then(|document| document.body()) else { return };
    let marked = body.clone();
    let listen = |name: &str, handler: Closure<dyn FnMut(web_sys::DragEvent)>| {
        if body.add_event_listener_with_callback(name, handler.as_ref().unchecked_ref()).is_ok() {
            handler.forget();
        }
    };
    let mark = move |on: bool| marked.set_class_name(if on { "dropping" } else { "" });
    let (over, leave, dropped) = (mark.clone(), mark.clone(), mark);
    listen(
        "dragover",
        Closure::new(move |event: web_sys::DragEvent| {
            event.prevent_default();
            over(true);
        }),
    );
    listen("dragleave", Closure::new(move |event: web_sys::DragEvent| leave(event.related_target().is_some())));
    listen(
        "drop",
        Closure::new(move |event: web_sys::DragEvent| {
            event.prevent_default();
            dropped(false);
            let list = event.data_transfer().and_then(|data| data.files());
            let files: Vec<File> = list.iter().flat_map(|list| (0..list.length()).filter_map(|at| list.get(at))).collect();
            // Pickled weights are refused with a remedy there, not as archives of runs.
            let is_weights = |file: &File| {
                let name = file.name().to_lowercase();
                [".safetensors", ".pt", ".pth"].iter().any(|ending| name.ends_with(ending))
            };
            if files.iter().any(is_weights) {
                imports::open(lab, files);
            } else if let Some(file) = files.into_iter().next() {
                import(lab, file);
            }
        }),
    );
}
