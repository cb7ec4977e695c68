//! Builds, serves, checks, tests and benches Grokscope: `cargo xtask --help`.
//!
//! Without it a fresh machine needs a wasm target, a wasm-bindgen of exactly the locked version, a bundler and a browser driver,
//! each installed by hand. Trunk was not chosen: it downloads wasm-bindgen as a binary and wants one wasm file per page, and
//! Grokscope has two. Shell scripts were not chosen either: they would not run on every desk.

#![expect(clippy::print_stdout, reason = "a build tool talks to a terminal")]

mod bench;
mod check;
mod chromium;
mod command;
mod dist;
mod reproduce;
mod serve;
mod test;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use std::process::ExitCode;

/// Builds, serves, checks, tests and benches Grokscope
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the site and serve it on this machine
    Serve(ServeArgs),
    /// Build the site into dist/, ready for any static file host
    Build {
        /// Fast rebuild, slower site
        #[arg(long)]
        dev: bool,
    },
    /// Formatting, lints natively and for the web, and which room may use which
    Check,
    /// Native tests, then tests of the built site in headless Chromium
    Test(TestArgs),
    /// Repeat published numbers over several seeds and write docs/reproduction.md
    Reproduce {
        /// Only rows whose name or preset contains this; writes no file
        #[arg(long)]
        only: Option<String>,
    },
    /// Sizes, paint times and milliseconds per step, natively and in the browser
    Bench(BenchArgs),
}

#[derive(Args)]
struct ServeArgs {
    /// Serve dist/ as it is
    #[arg(long)]
    no_build: bool,
    /// Port on 127.0.0.1
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Fast rebuild, slower site
    #[arg(long, conflicts_with = "no_build")]
    dev: bool,
}

#[derive(Args)]
struct TestArgs {
    /// Only native tests
    #[arg(long, conflicts_with = "browser")]
    native: bool,
    /// Only tests in the browser
    #[arg(long)]
    browser: bool,
    /// Test what dist/ holds instead of building it again
    #[arg(long)]
    no_build: bool,
    /// Run only tests whose name contains this
    filter: Option<String>,
}

#[derive(Args)]
struct BenchArgs {
    /// Only natively
    #[arg(long, conflicts_with = "browser")]
    native: bool,
    /// Only in the browser
    #[arg(long)]
    browser: bool,
    /// Fewer updates per measurement in the browser
    #[arg(long)]
    quick: bool,
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Serve(args) => {
            let dist = if args.no_build { dist::existing()? } else { dist::build(args.dev)? };
            serve::forever(&dist, args.port)
        }
        Task::Build { dev } => dist::build(dev).map(|dist| println!("The site is in {}", dist.display())),
        Task::Check => check::run(),
        Task::Test(args) => test::run(!args.browser, !args.native, args.no_build, args.filter.as_deref()),
        Task::Reproduce { only } => reproduce::run(only.as_deref()),
        Task::Bench(args) => bench::run(!args.browser, !args.native, args.quick),
    }
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
