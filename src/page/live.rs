//! One closure type for each kind of answer that a view follows.
//!
//! Leptos compiles its bookkeeping anew for every closure in a view; the page has some two hundred of them, and that was a tenth
//! of its program. Boxed, they share one copy.

use leptos::prelude::*;

/// A text that follows signals.
pub(super) fn text(answer: impl FnMut() -> String + Send + 'static) -> Box<dyn FnMut() -> String + Send> {
    Box::new(answer)
}

/// A switch that follows signals.
pub(super) fn flag(answer: impl FnMut() -> bool + Send + 'static) -> Box<dyn FnMut() -> bool + Send> {
    Box::new(answer)
}

/// A part of a view that comes and goes.
pub(super) fn part(answer: impl FnMut() -> Option<AnyView> + Send + 'static) -> Box<dyn FnMut() -> Option<AnyView> + Send> {
    Box::new(answer)
}
