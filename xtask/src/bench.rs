//! Sizes, paint times and milliseconds per step, in one table for this machine.
//!
//! Nothing here passes or fails: budgets depend on the machine, so the table is printed for a person to compare.

use crate::chromium::Chromium;
use crate::command::{cargo, execute, output, target_directory};
use crate::test::{FEATURES, in_browser};
use crate::{dist, serve};
use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Measures and prints.
///
/// # Errors
/// If something does not build or run.
pub fn run(native: bool, browser: bool, quick: bool) -> Result<()> {
    let natively = if native { native_steps()? } else { Measured::default() };
    let in_torch = if native { torch_steps()? } else { None };
    let mut machine = vec![processor()];
    let mut in_tab = Measured::default();
    let mut sizes = Vec::new();
    if browser {
        let chromium = Chromium::find_or_install()?;
        machine.push(chromium.version()?);
        let dist = dist::build(false)?;
        sizes = wasm_sizes(&dist)?;
        let site = serve::start(&dist, 0, "/some/deep/path/")?;
        let mut command = cargo("bench --features cli,figures --bench browser");
        in_browser(&mut command, &chromium, &site);
        if quick {
            command.env("GROKSCOPE_BENCH_QUICK", "1");
        }
        in_tab = Measured::read(&output(command)?);
    }

    println!("\n{}\n", machine.join(", "));
    if !sizes.is_empty() {
        println!("{:<28}{:>14}{:>14}", "wasm", "raw KB", "brotli KB");
        for (name, raw, brotli) in sizes {
            println!("{name:<28}{:>14.0}{:>14.0}", raw as f64 / 1e3, brotli as f64 / 1e3);
        }
        println!();
    }
    if !in_tab.times.is_empty() {
        println!("{:<28}{:>14}", "page", "ms");
        for (name, milliseconds) in &in_tab.times {
            println!("{:<28}{milliseconds:>14.0}", name.replace('_', " "));
        }
        println!();
    }
    println!("{:<28}{:>14}{:>14}", "CPU engine, ms per step", "native", "browser");
    print_both(&natively.steps, &in_tab.steps);
    match &in_torch {
        Some(torch) => print_beside_torch(&natively.steps, torch),
        None if native => println!("\nPyTorch: `{} -c \"import torch\"` fails, so no fit stands beside it", python()),
        None => {}
    }
    println!("\n{:<28}{:>14}{:>14}", "measure, ms per checkpoint", "native", "browser");
    print_both(&natively.measures, &in_tab.measures);
    Ok(())
}

/// One line per name that either side has.
fn print_both(natively: &BTreeMap<String, f64>, in_tab: &BTreeMap<String, f64>) {
    let mut names: Vec<&String> = natively.keys().chain(in_tab.keys()).collect();
    names.sort();
    names.dedup();
    let cell = |value: Option<&f64>| value.map_or_else(|| "–".to_owned(), |v| format!("{v:.2}"));
    for name in names {
        println!("{name:<28}{:>14}{:>14}", cell(natively.get(name)), cell(in_tab.get(name)));
    }
}

/// The fits that PyTorch was asked for as well.
fn print_beside_torch(natively: &BTreeMap<String, f64>, torch: &Measured) {
    println!("\n{:<28}{:>14}{:>14}{:>14}", "crosscoder fit, ms per step", "native", "PyTorch", "one thread");
    for (name, ours) in natively {
        if let (Some(all), Some(one)) = (torch.torch.get(name), torch.torch_one_thread.get(name)) {
            println!("{name:<28}{ours:>14.1}{all:>14.1}{one:>14.1}");
        }
    }
}

/// Numbers that a program printed.
#[derive(Default)]
struct Measured {
    /// Milliseconds per step by preset.
    steps: BTreeMap<String, f64>,
    /// Milliseconds per checkpoint by measure.
    measures: BTreeMap<String, f64>,
    /// Milliseconds per update by fit, in PyTorch.
    torch: BTreeMap<String, f64>,
    /// The same on one thread.
    torch_one_thread: BTreeMap<String, f64>,
    /// Other times by name, milliseconds, in the order measured.
    times: Vec<(String, f64)>,
}

impl Measured {
    /// Reads lines of the form `preset-name milliseconds`, `time:name milliseconds`, `measure:name milliseconds`, `torch:name
    /// milliseconds` and `torch-1:name milliseconds`; other lines are for people.
    fn read(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            if let (Some(name), Some(Ok(value)), None) = (words.next(), words.next().map(str::parse::<f64>), words.next()) {
                match name.split_once(':') {
                    Some(("time", time)) => found.times.push((time.to_owned(), value)),
                    Some(("measure", measure)) => drop(found.measures.insert(measure.to_owned(), value)),
                    Some(("torch", fit)) => drop(found.torch.insert(fit.to_owned(), value)),
                    Some(("torch-1", fit)) => drop(found.torch_one_thread.insert(fit.to_owned(), value)),
                    _ => drop(found.steps.insert(name.to_owned(), value)),
                }
            }
        }
        found
    }
}

/// The command line, freshly built.
pub fn program() -> Result<PathBuf> {
    // With a test target, so that its dependencies are those that the tests have built.
    execute(cargo(&format!("build {FEATURES} --bin grokscope --test arrows")))?;
    Ok(target_directory()?.join("release").join(format!("grokscope{}", std::env::consts::EXE_SUFFIX)))
}

fn native_steps() -> Result<Measured> {
    let mut command = Command::new(program()?);
    command.arg("bench");
    Ok(Measured::read(&output(command)?))
}

/// Which Python: `GROKSCOPE_PYTHON`, or `python3`.
fn python() -> String {
    std::env::var("GROKSCOPE_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// The fits in PyTorch; `None` where it is not installed.
fn torch_steps() -> Result<Option<Measured>> {
    let mut probe = Command::new(python());
    probe.args(["-c", "import torch"]);
    if output(probe).is_err() {
        return Ok(None);
    }
    let mut command = Command::new(python());
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/crosscoder.py"));
    Ok(Some(Measured::read(&output(command)?)))
}

/// Name, bytes and bytes after brotli of each module.
fn wasm_sizes(dist: &Path) -> Result<Vec<(String, usize, usize)>> {
    let mut sizes = Vec::new();
    for entry in fs::read_dir(dist)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "wasm") {
            let bytes = fs::read(&path)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().split('-').next().unwrap_or_default().to_owned();
            sizes.push((name, bytes.len(), brotli_size(&bytes)?));
        }
    }
    sizes.sort();
    Ok(sizes)
}

/// Size after brotli as static hosts use it: quality 11, window 22.
fn brotli_size(bytes: &[u8]) -> Result<usize> {
    let mut packed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    brotli::BrotliCompress(&mut &bytes[..], &mut packed, &parameters).context("brotli did not succeed")?;
    Ok(packed.len())
}

/// The machine, for people who compare.
pub fn processor() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        text.lines()
            .find_map(|line| line.strip_prefix("model name"))
            .map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_owned())
    });
    let model = model.unwrap_or_else(|| {
        let mut command = Command::new("sysctl");
        command.args(["-n", "machdep.cpu.brand_string"]);
        output(command).map_or_else(|_| std::env::consts::ARCH.to_owned(), |name| name.trim().to_owned())
    });
    format!("{model}, {cores} cores")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_of_a_name_and_a_number_are_measurements() {
        let found = Measured::read(
            "running for 3 seconds\nquadratic-31 0.5\ntime:first_paint 120\nmeasure:rqi 2\ntorch:fit-a 3\nquadratic-31 fast\n",
        );
        assert_eq!(found.steps, BTreeMap::from([("quadratic-31".to_owned(), 0.5)]));
        assert_eq!(found.times, [("first_paint".to_owned(), 120.0)]);
        assert_eq!(found.measures, BTreeMap::from([("rqi".to_owned(), 2.0)]));
        assert_eq!(found.torch, BTreeMap::from([("fit-a".to_owned(), 3.0)]));
    }

    #[test]
    fn repeated_bytes_pack_well() {
        assert!(brotli_size(&[7; 10_000]).unwrap() < 100);
    }
}
