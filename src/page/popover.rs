//! A small panel under a button, which goes when something else is touched.
//!
//! `details` opens by itself, also from the keyboard, but stays open over whatever one turns to next. The `popover` attribute was
//! not used: without anchor positioning, which not all browsers have, its panel would have to be placed by hand.

use leptos::html::Details;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// A `details` of this class around its `summary` and its panel.
pub(super) fn popover(class: &'static str, card: NodeRef<Details>, content: AnyView) -> AnyView {
    let leave = move |event: web_sys::FocusEvent| {
        let to = event.related_target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        if let (Some(open), Some(to)) = (card.get_untracked(), to)
            && !open.contains(Some(&to))
        {
            close(card);
        }
    };
    let by_key = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Escape" {
            close(card);
        }
    };
    view! { <details class=class node_ref=card on:focusout=leave on:keydown=by_key>{content}</details> }.into_any()
}

/// Closes it; where the focus was inside, it returns to the button.
pub(super) fn close(card: NodeRef<Details>) {
    let Some(card) = card.get_untracked() else { return };
    let focused = web_sys::window().and_then(|window| window.document()).and_then(|document| document.active_element());
    let was_inside = focused.is_some_and(|element| card.contains(Some(&element)));
    card.set_open(false);
    if was_inside
        && let Ok(Some(button)) = card.query_selector("summary")
        && let Ok(button) = button.dyn_into::<HtmlElement>()
    {
        // An element that cannot be focused stays without; nothing depends on it.
        let _ = button.focus();
    }
}
