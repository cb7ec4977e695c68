//! A slider beside a number's box, for settings that are turned to see what follows.
//!
//! A box takes any number that is allowed, and most of those a thousand times the usual one: a slider over all of them could not be
//! held still. So it spans what is near the start, on a logarithmic scale where that is above 0, and the box has the rest.

use super::form::Boxes;
use super::live::text;
use crate::experiment::{Field, FieldKind};
use leptos::prelude::*;

/// Places of a slider.
const PLACES: f64 = 200.0;
/// A range up to this many times its smallest, or its length, is spanned whole and evenly.
const NEAR: f64 = 64.0;
/// How many times the start the ends of a logarithmic slider are.
const REACH: f64 = 16.0;

/// What a slider spans.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Track {
    low: f64,
    high: f64,
    is_log: bool,
    is_whole: bool,
}

impl Track {
    /// The track of a number that starts at `start`; none for what is no number, and for seeds, of which none is near another.
    fn of(field: &Field, start: f64) -> Option<Self> {
        let (low, high, is_open, is_whole) = match field.kind {
            FieldKind::Integer { min, max } if min < max => (min as f64, max as f64, false, true),
            FieldKind::Number { min, max, min_exclusive, max_exclusive } => (min, max, min_exclusive || max_exclusive, false),
            _ => return None,
        };
        if field.path.ends_with("seed") {
            return None;
        }
        let is_near = !is_open && if is_whole { high <= NEAR * low.max(1.0) } else { high - low <= 10.0 };
        if is_near {
            return Some(Self { low, high, is_log: false, is_whole });
        }
        let (low, high) = if start > 0.0 { (low.max(start / REACH), high.min(start * REACH)) } else { (low, high.min(10.0)) };
        (low < high).then_some(Self { low, high, is_log: start > 0.0 && low > 0.0, is_whole })
    }

    /// The number at a place from 0 to [`PLACES`], with three digits.
    fn at(self, place: f64) -> f64 {
        let share = place / PLACES;
        let exact = if self.is_log {
            self.low * libm::pow(self.high / self.low, share)
        } else {
            self.low + (self.high - self.low) * share
        };
        let rounded =
            if self.is_whole && exact < 1000.0 { exact.round() } else { format!("{exact:.2e}").parse().unwrap_or(exact) };
        // Rounding may leave the allowed range.
        rounded.clamp(if self.is_whole { self.low.ceil() } else { self.low }, self.high)
    }

    /// The place nearest to a number.
    fn place(self, value: f64) -> f64 {
        let share = if self.is_log {
            libm::log(value / self.low) / libm::log(self.high / self.low)
        } else {
            (value - self.low) / (self.high - self.low)
        };
        if share.is_nan() { 0.0 } else { (PLACES * share.clamp(0.0, 1.0)).round() }
    }
}

/// The slider of `field`, whose box is in `form` and which starts at `start` (as text).
pub(super) fn slider(form: Boxes, field: &'static Field, prefix: &str, start: &str) -> AnyView {
    let Some(track) = start.parse().ok().and_then(|start| Track::of(field, start)) else { return ().into_any() };
    let place = move || form.text(field).parse().map_or(0.0, |value| track.place(value));
    let slide = move |event| {
        if let Ok(place) = event_target_value(&event).parse::<f64>() {
            form.type_in(field, &track.at(place).to_string());
        }
    };
    view! {
        <input type="range" id=format!("{prefix}-{}-slider", field.path.replace('.', "-")) min="0" max=PLACES.to_string() step="1"
            aria-label=format!("{}, slider", field.label) aria-valuetext=text(move || form.text(field))
            prop:value=text(move || place().to_string()) on:input=slide />
    }
    .into_any()
}
