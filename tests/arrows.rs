//! Which room may name which: the house stays thin only if its arrows are checked.
//!
//! Reads the sources as text. Cargo features cannot say this: they keep burn out of the page's binary, but not web types out of
//! a measure or the engine's insides out of a view. A crate per room would, at the price of twelve manifests.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the sources should stop right there")]

use std::fs;
use std::path::{Path, PathBuf};

/// What files below a path may name of this crate; the longest matching path counts. An entry is a room or one item of it.
const ROOMS: &[(&str, &[&str])] = &[
    // The table of settings gathers the rows of every registered kind, and validation their refusals.
    ("experiment/", &["record::UserError", "task", "model", "train"]),
    // A link and the schema speak of a crosscoder beside the run.
    ("experiment/link.rs", &["record::UserError", "crosscoder"]),
    ("experiment/schema.rs", &["record::UserError", "crosscoder"]),
    ("task/", &["experiment", "record::UserError"]),
    // What a measure applies to depends on the network's hooks; a hook is named by the crosscoder.
    ("measure/", &["experiment", "task", "record", "model::hook_width", "crosscoder::Hook", "model::start"]),
    ("crosscoder/", &["experiment", "task", "measure", "record", "model::hook_width"]),
    ("crosscoder/fit", &["experiment", "task", "measure", "record", "model", "train"]),
    ("record/", &["experiment", "crosscoder"]),
    // A hook is named once, by the crosscoder that reads it and the model that has it.
    // How many outputs a network has is the loss's to say.
    ("model/", &["experiment", "task", "record", "crosscoder::Hook", "train"]),
    // Pruning by participation ratio measures before it cuts.
    ("train/", &["experiment", "task", "record", "model", "measure"]),
    ("race/", &["experiment", "measure", "record"]),
    // Settings and their table; the task's rows for panels that learn one.
    ("theory/", &["experiment", "task", "measure", "record"]),
    ("engine/", &["experiment", "task", "measure", "record", "model", "train", "crosscoder", "race", "theory"]),
    // The conversation is all that a page sees of an engine, so it may not pull the rest in.
    ("engine/message.rs", &["experiment", "crosscoder", "measure", "record", "race", "theory::Outcome"]),
    ("engine/phase.rs", &["record::UserError"]),
    ("engine/capability.rs", &[]),
    ("plot/", &[]),
    ("report/", &["crosscoder", "record", "plot"]),
    // What a panel found, as figures.
    ("report/theory.rs", &["theory", "plot"]),
    // The tests of a report begin at a preset.
    ("report/tests.rs", &["crosscoder", "record", "plot", "experiment"]),
    (
        "page/",
        &[
            "experiment",
            "task",
            "measure",
            "record",
            "crosscoder",
            "race",
            "plot",
            "report",
            "theory",
            // What can be chosen, not what computes.
            "model",
            "train",
            "engine::message",
            "engine::phase",
            "engine::capability",
        ],
    ),
];

/// Where a crate may be named.
const CRATES: &[(&str, &[&str])] = &[
    ("burn", &["model/", "train/", "crosscoder/fit", "engine/", "bin/grokscope/reproduce.rs"]),
    ("web_sys", &["page/", "bin/"]),
    ("js_sys", &["page/", "bin/"]),
    ("wasm_bindgen", &["page/", "bin/"]),
    ("leptos", &["page/", "bin/page.rs"]),
    ("plotters", &["plot/", "page/"]),
    ("plotters_backend", &["plot/", "page/paper.rs"]),
    ("plotters_canvas", &["page/"]),
];

/// The conversation must not know burn although its room does.
const WITHOUT_BURN: &[&str] = &["engine/message.rs", "engine/phase.rs", "engine/capability.rs"];

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The text after each use of `word` as a whole word.
fn after_word<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(word)
        .filter(|(at, _)| !text[..*at].ends_with(|c: char| is_word(c) || c == '$'))
        .map(move |(at, _)| &text[at + word.len()..])
        .filter(|rest| !rest.starts_with(is_word))
}

/// Expands what follows `crate` in a path into full paths without `crate::`: `::{a::B, c}` gives `a::B` and `c`.
fn expand(rest: &str) -> Vec<String> {
    let mut found = Vec::new();
    tree(rest.trim_start(), String::new(), &mut found);
    found
}

/// Reads one path or tree that continues `prefix`; returns what is left of the text.
fn tree<'a>(text: &'a str, prefix: String, found: &mut Vec<String>) -> &'a str {
    let Some(text) = text.strip_prefix("::") else {
        found.push(prefix);
        return text;
    };
    let text = text.trim_start();
    if let Some(mut text) = text.strip_prefix('{') {
        loop {
            text = text.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            if text.is_empty() {
                return text;
            }
            if let Some(rest) = text.strip_prefix('}') {
                return rest;
            }
            let before = text.len();
            text = segment(text, &prefix, found);
            // `as other_name` and anything unforeseen: on to the next entry.
            text = text.trim_start_matches(|c: char| c != ',' && c != '}');
            assert!(text.len() < before, "cannot read {text}");
        }
    }
    segment(text, &prefix, found)
}

fn segment<'a>(text: &'a str, prefix: &str, found: &mut Vec<String>) -> &'a str {
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let path = match (prefix, name) {
        (_, "self" | "") => prefix.to_owned(),
        ("", _) => name.to_owned(),
        _ => format!("{prefix}::{name}"),
    };
    // A turbofish ends the path.
    if rest.starts_with("::<") {
        found.push(path);
        return rest;
    }
    tree(rest, path, found)
}

/// Everything wrong with one file.
fn violations(file: &str, source: &str) -> Vec<String> {
    let code: String = source.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let mut wrong = Vec::new();
    let rule = ROOMS.iter().filter(|(path, _)| file.starts_with(path)).max_by_key(|(path, _)| path.len());
    if let Some((path, allowed)) = rule {
        let own = path.split('/').next().unwrap();
        for named in after_word(&code, "crate").flat_map(expand).filter(|named| !named.is_empty()) {
            let within = |room: &str| named == room || named.starts_with(&format!("{room}::"));
            if !within(own) && !allowed.iter().any(|room| within(room)) {
                wrong.push(format!("{file} names crate::{named}"));
            }
        }
    } else if file.contains('/') && !file.starts_with("bin/") {
        wrong.push(format!("{file} is in a room that tests/arrows.rs does not know"));
    }
    for (name, places) in CRATES {
        let placed = places.iter().any(|place| file.starts_with(place)) && !(*name == "burn" && WITHOUT_BURN.contains(&file));
        let as_crate = |rest: &str| rest.starts_with("::") || rest.starts_with(" as ");
        if !placed && after_word(&code, name).any(as_crate) {
            wrong.push(format!("{file} names the crate {name}"));
        }
    }
    wrong
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

#[test]
fn every_room_names_only_rooms_and_crates_that_it_may() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&src);
    assert!(files.len() > 20, "only {} sources found", files.len());
    let wrong: Vec<String> = files
        .iter()
        .flat_map(|path| {
            let name = path.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
            violations(&name, &fs::read_to_string(path).unwrap())
        })
        .collect();
    assert!(wrong.is_empty(), "forbidden arrows:\n{}", wrong.join("\n"));
}

#[test]
fn a_forbidden_arrow_is_seen_however_it_is_written() {
    let seen = |file: &str, source: &str| !violations(file, source).is_empty();
    assert!(seen("task/dataset.rs", "use crate::engine::phase::Phase;"));
    assert!(seen("task/dataset.rs", "use crate::{experiment::Split, record::{Archive, UserError}};"));
    assert!(seen("measure/fourier.rs", "fn f() { crate::page::show(); }"));
    assert!(seen("page/view.rs", "use crate::engine::{message::Event, Runner};"));
    assert!(seen("plot/view.rs", "use crate::train::Trainer as T;"));
    assert!(seen("engine/message.rs", "use burn::Tensor;"));
    assert!(seen("record/mod.rs", "use web_sys::Window;"));
    assert!(seen("plot/axis.rs", "fn f(x: crate::record::MetricRow) {}"));
    assert!(seen("task/prime.rs", "use burn as fire;"));
    assert!(seen("attic/old.rs", ""));
}

#[test]
fn an_allowed_arrow_is_left_alone() {
    let clean = |file: &str, source: &str| assert_eq!(violations(file, source), Vec::<String>::new());
    clean("task/dataset.rs", "use crate::{\n    experiment::{Split, TaskConfig},\n    record::UserError,\n    task::Row,\n};");
    clean("page/view.rs", "use crate::engine::{message::{self, Event}, phase::Phase};\nuse leptos::prelude::*;");
    clean("crosscoder/fit/mod.rs", "use burn::tensor::Tensor;\nuse crate::train::AdamW;");
    clean("experiment/config.rs", "//! See [`crate::engine::message`].\npub(crate) struct S; // crate::page");
    clean("measure/delay.rs", "let burn = 1; let web_sys_like = burn;");
    clean("model/mod.rs", "use crate::crosscoder::Hook;");
}

#[test]
fn every_room_of_the_library_has_a_rule() {
    let library = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let rooms: Vec<&str> = library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(rooms.len() >= 10, "{rooms:?}");
    for room in rooms {
        assert!(ROOMS.iter().any(|(path, _)| *path == format!("{room}/")), "no rule for {room}");
    }
}
