//! Everything that can be said about the code without running it. The same locally and in continuous integration.
//!
//! Each feature set is linted as it is built: page and engine for the web, everything else natively. One run with all features
//! was not chosen: page and engine exist for wasm32 only, and the page must build without burn.

use crate::command::{cargo, execute};
use crate::dist::ensure_wasm_target;
use anyhow::{Context as _, Result};
use std::time::Instant;

const STEPS: &[(&str, &str)] = &[
    ("formatting", "fmt --all --check"),
    ("which room may use which", "test --release --package grokscope --features cli,figures --test arrows"),
    ("lints, native", "clippy --release --package grokscope --all-targets --features cli,figures -- -D warnings"),
    (
        "lints, browser tests",
        "clippy --release --package grokscope --features cli,figures --test browser --bench browser -- -D warnings",
    ),
    ("lints, xtask", "clippy --release --package xtask --all-targets -- -D warnings"),
    ("lints, page", "clippy --profile page --target wasm32-unknown-unknown --features page --bin page -- -D warnings"),
    ("lints, worker", "clippy --profile wasm --target wasm32-unknown-unknown --features engine --bin worker -- -D warnings"),
];

/// Runs all steps; stops at the first that does not succeed.
///
/// # Errors
/// The step and the command that repeats it.
pub fn run() -> Result<()> {
    ensure_wasm_target()?;
    let mut seconds = Vec::new();
    for (name, arguments) in STEPS {
        let started = Instant::now();
        execute(cargo(arguments)).with_context(|| (*name).to_owned())?;
        seconds.push(started.elapsed().as_secs_f64());
        println!("  {name}: {:.1} s\n", started.elapsed().as_secs_f64());
    }
    println!("All {} checks passed in {:.0} s", STEPS.len(), seconds.iter().sum::<f64>());
    Ok(())
}
