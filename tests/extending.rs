//! The examples of `docs/extending.md` are diffs; here they are held against the sources that they change.
//!
//! An example that no longer applies costs its reader an hour before the first line of their own. Building them as well would
//! be surer and would cost minutes in every run of the tests; they were built and tested when they were written.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// The fenced blocks of a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("\n```{language}\n");
    text.split(fence.as_str()).skip(1).map(|rest| rest.find("\n```\n").map_or(rest, |end| &rest[..=end])).collect()
}

#[test]
fn every_example_of_the_guide_still_applies() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = std::fs::read_to_string(root.join("docs/extending.md")).unwrap();
    let diffs = blocks(&guide, "diff");
    assert_eq!(diffs.len(), 2, "a task and an optimiser");
    for diff in diffs {
        let git = Command::new("git").args(["apply", "--check"]).current_dir(root).stdin(Stdio::piped()).spawn();
        // Sources without git have nobody who could apply a diff with it.
        let Ok(mut git) = git else { return };
        git.stdin.take().unwrap().write_all(diff.as_bytes()).unwrap();
        assert!(git.wait().unwrap().success(), "does not apply:\n{}", diff.lines().next().unwrap_or_default());
    }
}
