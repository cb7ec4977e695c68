//! The address of what is on the page: `#v=atlas&t=600&f=births&l=12&x=…`, `#v=theory&p=edge&s=dimension:20`, so that every picture can be sent.
//!
//! Addresses that the page writes itself are marked in the history entry, so that a reload goes on quietly while a link from
//! someone else is announced and never starts anything. A link's experiment replaces the draft only; what is on the page stays.

use super::configure::changes;
use super::permalink::{self, Wanted};
use super::store::{Lab, Opened, View};
use super::theory;
use crate::crosscoder::CrosscoderConfig;
use crate::experiment::link::{decode, encode};
use crate::experiment::{Experiment, Link, Preset, presets};
use crate::record::UserError;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;

/// What a fragment says.
#[derive(Default)]
struct Fragment {
    view: Option<View>,
    time: Option<u32>,
    fit: Option<String>,
    latent: Option<u32>,
    link: Option<String>,
    /// The theory panel, and its settings as paths with texts.
    panel: Option<String>,
    settings: Vec<(String, String)>,
    /// What the panel is held against.
    against: Option<theory::Against>,
}

fn parse(fragment: &str) -> Fragment {
    let mut found = Fragment::default();
    for (key, value) in fragment.trim_start_matches('#').split('&').filter_map(|part| part.split_once('=')) {
        match key {
            "v" => found.view = View::ALL.iter().find(|(_, name, _)| *name == value).map(|(view, ..)| *view),
            "t" => found.time = value.parse().ok(),
            "f" => found.fit = js_sys::decode_uri_component(value).ok().map(String::from),
            "l" => found.latent = value.parse().ok(),
            "x" => found.link = Some(value.to_owned()),
            "a" => found.against = theory::Against::NAMED.iter().find(|(_, name)| *name == value).map(|(against, _)| *against),
            "p" => found.panel = Some(value.to_owned()),
            "s" => {
                let written = js_sys::decode_uri_component(value).ok().map(String::from).unwrap_or_default();
                found.settings.extend(written.split_once(':').map(|(path, text)| (path.to_owned(), text.to_owned())));
            }
            _ => {}
        }
    }
    found
}

fn name_of(view: View) -> &'static str {
    View::ALL.iter().find(|(known, ..)| *known == view).map_or("run", |(_, name, _)| name)
}

/// The preset with the fewest differences from `experiment`.
pub(super) fn nearest_preset(experiment: &Experiment) -> &'static Preset {
    let all = presets();
    all.iter().min_by_key(|preset| changes(&preset.experiment, experiment).len()).unwrap_or(&all[0])
}

/// Reads the address at start and whenever another link is pasted into it, and keeps it up to date.
pub(super) fn connect(lab: Lab) {
    let Some(window) = web_sys::window() else { return };
    let own = window.history().and_then(|history| history.state()).is_ok_and(|state| state.is_truthy());
    open(lab, own);
    let on_change = Closure::<dyn FnMut()>::new(move || open(lab, false));
    // `replace_state` raises no such event, so what comes here was typed, pasted or followed.
    if window.add_event_listener_with_callback("hashchange", on_change.as_ref().unchecked_ref()).is_ok() {
        on_change.forget();
    }
    // Memos: scrubbing through time must not encode the experiment at every checkpoint.
    let experiment = Memo::new(move |_| lab.shown_experiment());
    let crosscoder = Memo::new(move |_| permalink::shown_config(lab));
    let text = Memo::new(move |_| experiment.with(|experiment| text_of(experiment, crosscoder.get())));
    Effect::new(move |_| write(lab, text.get()));
}

fn open(lab: Lab, own: bool) {
    let fragment = web_sys::window().and_then(|window| window.location().hash().ok()).unwrap_or_default();
    let found = parse(&fragment);
    if let Some(view) = found.view {
        lab.view.set(view);
    }
    if let Some(panel) = found.panel {
        theory::open(lab, &panel, &found.settings, found.against.unwrap_or(theory::Against::System));
    }
    lab.time.set(found.time);
    lab.latent.set(found.latent);
    let mut crosscoder = None;
    match found.link.map(|text| decode(&text)) {
        Some(Ok(link)) => {
            crosscoder.clone_from(&link.crosscoder);
            take(lab, link, own);
        }
        Some(Err(error)) => return lab.opened.set(Some(Opened::Refused(error))),
        None => {}
    }
    lab.wanted.set(found.fit.zip(found.latent).map(|(fit, latent)| {
        // The settings are those of the fit that the sender looked at.
        let config = crosscoder.filter(|config| config.name == fit);
        Wanted { experiment: lab.draft.value.get_untracked(), fit, latent, config }
    }));
    permalink::reveal(lab);
}

fn take(lab: Lab, link: Link, own: bool) {
    let preset = nearest_preset(&link.experiment);
    lab.preset.set(preset);
    lab.draft.replace(link.experiment.clone());
    // After a reload the form starts anew: what was on the page may be a null fit.
    if let Some(crosscoder) = link.crosscoder.as_ref().filter(|_| !own) {
        lab.fit_form.replace(crosscoder.clone());
    }
    if !own {
        let changes = changes(&preset.experiment, &link.experiment);
        lab.opened.set(Some(Opened::Link(Box::new(link), changes)));
    }
}

/// What follows `x=`; nothing for the landing experiment without a fit, and for one that is being edited and not valid yet.
fn text_of(experiment: &Experiment, crosscoder: Option<CrosscoderConfig>) -> Option<String> {
    let pristine = presets().first().is_some_and(|landing| landing.experiment == *experiment) && crosscoder.is_none();
    let link = Link { experiment: experiment.clone(), crosscoder, fingerprint: None };
    if pristine { None } else { encode(&link).ok() }
}

/// The latent on the page, as parts of a fragment.
fn latent_parts(lab: Lab) -> Vec<String> {
    let named = |(fit, latent): (String, u32)| [format!("f={}", js_sys::encode_uri_component(&fit)), format!("l={latent}")];
    permalink::shown(lab).map(named).into_iter().flatten().collect()
}

/// The theory panel on the page and its changed settings, as parts of a fragment.
fn theory_parts(lab: Lab) -> Vec<String> {
    if lab.view.get() != View::Theory {
        return Vec::new();
    }
    let (panel, changed) = theory::shown(lab);
    let setting = |(path, text): (&str, String)| format!("s={}", js_sys::encode_uri_component(&format!("{path}:{text}")));
    let against = lab.theory.against.get();
    let against = theory::Against::NAMED.iter().find(|(known, _)| *known == against).map(|(_, name)| format!("a={name}"));
    core::iter::once(format!("p={panel}")).chain(against).chain(changed.into_iter().map(setting)).collect()
}

/// The fragment that shows what is on the page now.
fn write(lab: Lab, text: Option<String>) {
    let mut parts = vec![format!("v={}", name_of(lab.view.get()))];
    if let Some(step) = lab.time.get() {
        parts.push(format!("t={step}"));
    }
    parts.extend(latent_parts(lab));
    parts.extend(theory_parts(lab));
    if let Some(text) = text {
        parts.push(format!("x={text}"));
    }
    let fragment = if parts == ["v=run"] { String::new() } else { format!("#{}", parts.join("&")) };
    let Some(window) = web_sys::window() else { return };
    let location = window.location();
    let path = format!("{}{}", location.pathname().unwrap_or_default(), location.search().unwrap_or_default());
    if let Ok(history) = window.history() {
        // Browsers limit how often this may be called; a missed one is made up by the next.
        let _ = history.replace_state_with_url(&JsValue::TRUE, "", Some(&format!("{path}{fragment}")));
    }
}

/// The link to send: the run's experiment (or the draft), the fit on the page if there is one, with its latent where that is
/// looked at, and the run's fingerprint once it has ended. A link that was opened is passed on as it came until its experiment
/// has run here.
pub(super) fn link_to_send(lab: Lab) -> Result<String, UserError> {
    let location = web_sys::window().and_then(|window| window.location().href().ok()).unwrap_or_default();
    let base = location.split('#').next().unwrap_or_default();
    let panel = untrack(|| theory_parts(lab));
    // A panel is a system of its own: whoever gets its link has no use for the run beside it, unless it is held against that.
    if !panel.is_empty() && lab.theory.against.get_untracked() != theory::Against::Run {
        return Ok(format!("{base}#v={}&{}", name_of(View::Theory), panel.join("&")));
    }
    let experiment = untrack(|| lab.shown_experiment());
    let received = untrack(|| lab.link()).filter(|link| link.experiment == experiment);
    let received = received.unwrap_or(Link { experiment, crosscoder: None, fingerprint: None });
    let crosscoder: Option<CrosscoderConfig> = lab.fits.with_untracked(|fits| {
        let shown = fits.get(lab.fit_shown.get_untracked())?;
        shown.beyond_its_settings().is_none().then(|| shown.config.clone())
    });
    // A run that was cut short has a fingerprint that nobody who runs it whole could meet.
    let summary = untrack(|| lab.summary()).filter(|summary| summary.ended_early.is_none());
    let link = Link {
        crosscoder: crosscoder.or(received.crosscoder),
        fingerprint: summary.map(|summary| summary.fingerprint).or(received.fingerprint),
        experiment: received.experiment,
    };
    let text = encode(&link)?;
    let mut parts = vec![format!("v={}", name_of(lab.view.get_untracked()))];
    parts.extend(untrack(|| latent_parts(lab)));
    parts.extend(panel);
    Ok(format!("{base}#{}&x={text}", parts.join("&")))
}
