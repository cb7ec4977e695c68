//! The built site in a real browser: what a person can do with it, and what must not happen to them.
//!
//! Run with `cargo xtask test --browser`, which builds and serves the site and names the browser. Native tests cannot replace
//! these: wasm, workers, storage and canvases exist only here.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets a surprise should stop right there")]

mod adversity;
mod atlas;
mod driver;
mod engine;
mod figures;
mod imports;
mod inside;
mod interventions;
mod kinds;
mod lab;
mod page;
mod race;
mod surface;
mod theory;
mod worker;
