//! Native tests, then the built site in headless Chromium.
//!
//! The site is served under a deep sub-path, so that a link which only works at the root of a host cannot pass.

use crate::chromium::Chromium;
use crate::command::{cargo, execute, find_program};
use crate::{dist, serve};
use anyhow::Result;
use std::process::Command;

/// All native builds name one package, one profile and one set of features and include a test target, so that burn is built
/// once: a workspace-wide build, or one without dev-dependencies, resolves features differently and starts over.
pub const FEATURES: &str = "--release --package grokscope --features cli,figures";

/// Runs the tests whose name contains `filter`.
///
/// # Errors
/// If a test does not pass, or something that it needs is missing.
pub fn run(native: bool, browser: bool, no_build: bool, filter: Option<&str>) -> Result<()> {
    if native {
        run_native(filter)?;
    }
    if browser {
        let chromium = Chromium::find_or_install()?;
        let dist = if no_build { dist::existing()? } else { dist::build(false)? };
        let site = serve::start(&dist, 0, "/some/deep/path/")?;
        let mut command = cargo(&format!("test {FEATURES} --test browser"));
        command.args(filter);
        // One at a time: several of these tests state how long something may take.
        command.args(["--", "--test-threads=1"]);
        in_browser(&mut command, &chromium, &site);
        execute(command)?;
    }
    Ok(())
}

/// Tells a program that drives a browser where everything is (see `tests/browser/driver.rs`).
pub fn in_browser(command: &mut Command, chromium: &Chromium, site: &serve::Site) {
    command
        .env("GROKSCOPE_SITE", &site.address)
        .env("GROKSCOPE_CHROMIUM", &chromium.browser)
        .env("GROKSCOPE_CHROMEDRIVER", &chromium.driver);
}

fn run_native(filter: Option<&str>) -> Result<()> {
    if find_program(&["cargo-nextest"]).is_some() {
        for package in [FEATURES, "--release --package xtask"] {
            let mut command = cargo(&format!("nextest run {package} --no-tests=pass"));
            command.args(filter);
            execute(command)?;
        }
        // nextest leaves out the examples in the documentation.
        let mut command = cargo(&format!("test {FEATURES} --doc"));
        command.args(filter);
        execute(command)
    } else {
        for package in [FEATURES, "--release --package xtask"] {
            let mut command = cargo(&format!("test {package}"));
            command.args(filter);
            execute(command)?;
        }
        Ok(())
    }
}
