//! Light or dark: as the system says, until somebody chooses here.
//!
//! The choice is kept apart from the colours: a page that follows the system must go on doing so when the sun sets, and one
//! where somebody chose must not.

use super::store::Lab;
use crate::plot::{Ink, css_hex};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::Storage;

/// Key of the choice in the browser's storage.
const KEY: &str = "appearance";

fn storage() -> Option<Storage> {
    web_sys::window().and_then(|window| window.local_storage().ok().flatten())
}

/// Follows the system, or the choice that was made here before.
pub(super) fn follow(lab: Lab) {
    let Some(window) = web_sys::window() else { return };
    let chosen = storage().and_then(|storage| storage.get_item(KEY).ok().flatten());
    let system = window.match_media("(prefers-color-scheme: dark)").ok().flatten();
    let system_is_dark = system.as_ref().is_some_and(web_sys::MediaQueryList::matches);
    lab.appearance_chosen.set_value(chosen.is_some());
    lab.dark.set(chosen.map_or(system_is_dark, |chosen| chosen == "dark"));
    if let Some(system) = system {
        let query = system.clone();
        let on_change = Closure::<dyn FnMut()>::new(move || {
            if !lab.appearance_chosen.get_value() {
                lab.dark.set(query.matches());
            }
        });
        // A browser that reports no changes keeps the appearance that it began with.
        if system.add_event_listener_with_callback("change", on_change.as_ref().unchecked_ref()).is_ok() {
            on_change.forget();
        }
    }
    Effect::new(move |_| {
        let dark = lab.dark.get();
        if let Some(root) = window.document().and_then(|document| document.document_element()) {
            let colours = [("train", Ink::Train), ("test", Ink::Test), ("accent", Ink::Accent)];
            let colours: String = colours.iter().map(|(name, ink)| format!("--{name}:{};", css_hex(*ink, dark))).collect();
            // The root always takes attributes.
            let _ = root.set_attribute("data-theme", if dark { "dark" } else { "light" });
            let _ = root.set_attribute("style", &colours);
        }
    });
}

/// The other appearance, from now on and at the next visit.
pub(super) fn toggle(lab: Lab) {
    let dark = !lab.dark.get_untracked();
    lab.appearance_chosen.set_value(true);
    lab.dark.set(dark);
    if let Some(storage) = storage() {
        // Private browsing may refuse; then the choice holds for this visit.
        let _ = storage.set_item(KEY, if dark { "dark" } else { "light" });
    }
}
