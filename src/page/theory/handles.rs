//! Handles on the points of a figure: dragged by a pointer, or moved, turned and taken away with the keyboard.
//!
//! They are buttons over the canvas, so that a point can be reached with Tab and says where it is; a canvas has nothing to focus.
//! A button keeps its place in the list while its point moves: one that was made anew would lose the pointer that drags it.

use crate::page::live::{part, text};
use crate::page::store::Lab;
use crate::plot::Frame;
use crate::theory::{Handle, Touch};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent, PointerEvent};

/// CSS pixels per arrow key; a tenth with Shift.
const STEP_PX: f64 = 10.0;

/// The handles of the panel's points, over the canvas whose plot stands at `frame`.
pub(super) fn handles(lab: Lab, frame: RwSignal<Option<Frame>>) -> AnyView {
    let theory = lab.theory;
    let all: Memo<Vec<Handle>> = Memo::new(move |_| {
        let panel = theory.panel.get();
        theory.settings.with(|settings| (panel.handles)(settings)).unwrap_or_default()
    });
    let count = Memo::new(move |_| if frame.get().is_some() { all.with(Vec::len) } else { 0 });
    let buttons = move || Some((0..count.get()).map(|at| button(lab, frame, all, at)).collect_view().into_any());
    view! { <div class="overlay handles">{part(buttons)}</div> }.into_any()
}

/// What to do with them, and a button for those who have no keys.
pub(super) fn help(lab: Lab) -> AnyView {
    let add = move |_| touch(lab, 0, Touch::Add);
    view! {
        <div class="row">
            <button type="button" class="small-button" id="theory-add-point" on:click=add>"Add a point"</button>
            <span class="small muted">"Drag the points, or move them with the arrow keys; Enter or a double click changes the side, Delete takes one away."</span>
        </div>
    }
    .into_any()
}

fn touch(lab: Lab, at: usize, touch: Touch) {
    let theory = lab.theory;
    let panel = theory.panel.get_untracked();
    match theory.settings.with_untracked(|settings| (panel.touched)(settings, at, touch)) {
        Ok(settings) => {
            theory.boxes.clear();
            theory.settings.set(settings);
        }
        Err(error) => lab.announcement.set(error.to_string()),
    }
}

fn button(lab: Lab, frame: RwSignal<Option<Frame>>, all: Memo<Vec<Handle>>, at: usize) -> AnyView {
    let handle = move || all.with(|all| all.get(at).copied());
    let style = move || {
        let (Some(frame), Some(handle)) = (frame.get(), handle()) else { return "display:none".to_owned() };
        format!("left:{:.1}px;top:{:.1}px", frame.px_of_x(handle.place.0), frame.px_of_y(handle.place.1))
    };
    let label = move || {
        handle().map_or_else(String::new, |Handle { place: (x, y), is_plus }| {
            let side = if is_plus { "plus" } else { "minus" };
            format!(
                "Point {} at {x:.2}, {y:.2}, side {side}. Arrow keys move it, Enter changes the side, Delete takes it away",
                at + 1
            )
        })
    };
    let is_dragged = StoredValue::new(false);
    let down = move |event: PointerEvent| {
        if let Some(target) = event.current_target().and_then(|target| target.dyn_into::<Element>().ok()) {
            is_dragged.set_value(target.set_pointer_capture(event.pointer_id()).is_ok());
        }
    };
    let drag = move |event: PointerEvent| {
        if !is_dragged.get_value() {
            return;
        }
        let target = event.current_target().and_then(|target| target.dyn_into::<Element>().ok());
        let sheet = target.and_then(|target| target.parent_element()).map(|overlay| overlay.get_bounding_client_rect());
        if let (Some(sheet), Some(frame)) = (sheet, frame.get_untracked()) {
            let (x, y) = (f64::from(event.client_x()) - sheet.left(), f64::from(event.client_y()) - sheet.top());
            touch(lab, at, Touch::Move((frame.x_at(x), frame.y_at(y))));
        }
    };
    let key = move |event: KeyboardEvent| {
        let length = if event.shift_key() { STEP_PX / 10.0 } else { STEP_PX };
        let (right, down) = match event.key().as_str() {
            "ArrowLeft" => (-length, 0.0),
            "ArrowRight" => (length, 0.0),
            "ArrowUp" => (0.0, -length),
            "ArrowDown" => (0.0, length),
            "Enter" => {
                event.prevent_default();
                return touch(lab, at, Touch::Flip);
            }
            "Delete" | "Backspace" => {
                event.prevent_default();
                return touch(lab, at, Touch::Remove);
            }
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        if let (Some(frame), Some(Handle { place: (x, y), .. })) = (frame.get_untracked(), untrack(handle)) {
            let to = (frame.x_at(frame.px_of_x(x) + right), frame.y_at(frame.px_of_y(y) + down));
            touch(lab, at, Touch::Move(to));
        }
    };
    view! {
        <button type="button" class="handle" id=format!("theory-handle-{at}") style=text(style) aria-label=text(label)
            on:pointerdown=down on:pointermove=drag
            on:pointerup=move |_| is_dragged.set_value(false) on:pointercancel=move |_| is_dragged.set_value(false)
            on:dblclick=move |_| touch(lab, at, Touch::Flip) on:keydown=key></button>
    }
    .into_any()
}
