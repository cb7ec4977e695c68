//! Grokscope: a laboratory for grokking.
//!
//! One library seen through three doors: the page (`src/bin/page.rs`), the worker (`src/bin/worker.rs`) and the command line
//! (`src/bin/grokscope.rs`). Each folder below is a room that answers one question; which room may use which is checked by
//! `tests/arrows.rs`.

pub mod crosscoder;
pub mod engine;
pub mod experiment;
pub mod measure;
pub mod model;
#[cfg(all(feature = "page", target_arch = "wasm32"))]
pub mod page;
#[cfg(feature = "figures")]
pub mod plot;
pub mod race;
pub mod record;
#[cfg(feature = "figures")]
pub mod report;
pub mod task;
pub mod theory;
pub mod train;
