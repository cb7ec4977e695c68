//! Running other programs: always from the repository's root, always with the command shown, so that a failure can be repeated
//! by hand.

use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The repository's root.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        // Asked when it runs: of two clones that share a target directory, either may run the program that the other compiled.
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        // The manifest of xtask lies one folder below the root.
        Path::new(&manifest).parent().unwrap_or(Path::new(".")).to_owned()
    })
}

/// `cargo` with `arguments` split at spaces.
pub fn cargo(arguments: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments.split_whitespace()).current_dir(root());
    command
}

/// What to type to repeat `command`.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or(command.get_program()).to_string_lossy();
    command.get_args().fold(program.into_owned(), |mut line, argument| {
        let argument = argument.to_string_lossy();
        let quoted = argument.contains(|c: char| c.is_whitespace() || "()&|'".contains(c));
        line.push_str(&if quoted { format!(" \"{argument}\"") } else { format!(" {argument}") });
        line
    })
}

/// Runs `command` in this terminal.
///
/// # Errors
/// If it cannot start or does not succeed; names the command to run again.
pub fn execute(mut command: Command) -> Result<()> {
    let line = shown(&command);
    println!("$ {line}");
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("could not start `{line}`"))?;
    if !status.success() {
        bail!("that did not succeed ({status}). Run it again with: {line}");
    }
    Ok(())
}

/// What `command` writes to its standard output.
///
/// # Errors
/// If it cannot start or does not succeed.
pub fn output(mut command: Command) -> Result<String> {
    let line = shown(&command);
    let output =
        command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().with_context(|| format!("could not start `{line}`"))?;
    if !output.status.success() {
        bail!("`{line}` did not succeed ({})", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` did not write text"))
}

/// Cargo's target directory, wherever the environment or configuration puts it.
///
/// # Errors
/// If cargo cannot tell.
pub fn target_directory() -> Result<PathBuf> {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    if let Some(path) = FOUND.get() {
        return Ok(path.clone());
    }
    let metadata: serde_json::Value = serde_json::from_str(&output(cargo("metadata --no-deps --format-version 1"))?)?;
    let path = PathBuf::from(metadata["target_directory"].as_str().context("cargo metadata names no target_directory")?);
    Ok(FOUND.get_or_init(|| path).clone())
}

/// The first of `names` that is an executable file: a path as it is, a bare name in `PATH`.
pub fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    names.iter().find_map(|name| {
        if name.contains('/') {
            return Some(PathBuf::from(name)).filter(|file| file.is_file());
        }
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        std::env::split_paths(&path).map(|folder| folder.join(&file)).find(|file| file.is_file())
    })
}
