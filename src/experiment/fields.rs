//! Every setting of an experiment, once, in the order of its file.
//!
//! The rows that all experiments have stand here; those of a task, network, optimiser or other part stand in that part's own
//! file and are gathered through the registries, so a new part never touches this table. A test holds the table against the
//! leaves of serialised experiments.

use super::config::SCHEMA;
use super::field::{Field, FieldKind, above, closed};
use crate::{model, task, train};
use std::sync::LazyLock;

/// One choice of a selector, e.g. the task `add` of `task.operation`.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Name in files.
    pub name: &'static str,
    /// Short name for people.
    pub label: &'static str,
    /// One sentence: what it is, with its formula and source.
    pub help: &'static str,
    /// Its own settings, with whole paths. Rows that several kinds share (equal in everything) appear once.
    pub fields: &'static [Field],
}

/// Longest name of an experiment, in characters.
pub const MAX_NAME: usize = 80;

/// Largest seed: JSON readers that keep numbers as f64 hold it exactly.
pub const MAX_SEED: u64 = (1 << 53) - 1;

/// Largest modulus: 401² inputs with 401 logits each are 258 MB, the most that one grid pass may hold.
pub const MAX_MODULUS: u32 = 401;

/// Every leaf of the experiment's JSON, in its order. A path may have several rows, of which at most one applies.
pub fn fields() -> &'static [Field] {
    &FIELDS
}

/// The kinds that a selector chooses between, if `path` is one.
pub fn kinds_of(path: &str) -> Option<Vec<Kind>> {
    match path {
        "task.operation" => Some(task::tasks().iter().map(|t| t.kind).collect()),
        "task.split" => Some(task::splits().iter().map(|s| s.kind).collect()),
        "model.architecture" => Some(model::architectures().iter().map(|a| a.kind).collect()),
        "optimizer.name" => Some(train::optimizers().iter().map(|o| o.kind).collect()),
        "loss" => Some(train::losses().iter().map(|l| l.kind).collect()),
        _ => None,
    }
}

static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let mut table = vec![
        Field::new("schema", "Format version", "Version of this format", FieldKind::Integer { min: 1, max: u64::from(SCHEMA) }),
        Field::new("name", "Name", "For people; never influences a number", FieldKind::Text { max_chars: MAX_NAME }),
        Field::new("seed", "Seed", "Root of every random number", FieldKind::Integer { min: 0, max: MAX_SEED }),
        Field::new("steps", "Steps", "Optimiser updates to make", FieldKind::Integer { min: 1, max: 10_000_000 }),
        Field::new(
            "batch_size",
            "Batch size",
            "Training rows per update; empty is the full training set",
            FieldKind::OptionalInteger { min: 1, max: 200_000, none: "the full training set" },
        )
        .live(),
    ];
    select(&mut table, "loss", "Loss", "What training minimises over the training rows", true);
    select(&mut table, "task.operation", "Task", "The rule that is learned", true);
    table.extend([Field::new(
        "task.train_fraction",
        "Training fraction",
        "Share of all pairs used for training; the rest is the test set",
        FieldKind::Number { min: 0.0, max: 1.0, min_exclusive: true, max_exclusive: true },
    )
    .live()]);
    select(&mut table, "task.split", "Split", "How rows are divided between training and test", false);
    table.extend([Field::new(
        "task.label_noise",
        "Label noise",
        "Share of training labels replaced by a wrong one",
        closed(0.0, 1.0),
    )
    .live()]);
    table.extend(task::common_fields());
    select(&mut table, "model.architecture", "Architecture", "Which network learns", false);
    table.extend([Field::new(
        "model.init_scale",
        "Initial scale",
        "Multiplies the starting weights; 1 is the usual start",
        above(0.0, 100.0),
    )]);
    table.extend(model::common_fields());
    select(&mut table, "optimizer.name", "Optimiser", "The update rule", true);
    let own = table.split_off(table.iter().position(|f| f.path == "optimizer.name").map_or(table.len(), |at| at + 1));
    table.extend([
        Field::new("optimizer.learning_rate", "Learning rate", "Step size η per update", above(0.0, 10.0)).live(),
        Field::new(
            "optimizer.weight_decay",
            "Weight decay",
            "λ: each update shrinks weights (or their way from the start) by 1 − ηλ; Adam and gradient descent add λ times them to the gradient",
            closed(0.0, 1000.0),
        )
        .live(),
    ]);
    table.extend(own);
    table.push(Field::new(
        "optimizer.warmup_steps",
        "Warm-up",
        "Updates over which the learning rate rises from 0",
        FieldKind::Integer { min: 0, max: 1_000_000 },
    ));
    table.extend(train::schedule_fields());
    table.extend(train::objective_fields());
    for part in train::parts() {
        table.extend(part.fields);
    }
    table.extend(task::curriculum_fields());
    table.extend(super::stage::fields());
    table.extend([
        Field::new(
            "timeline",
            "Timeline",
            "What changes on the way, e.g. 200 set optimizer.weight_decay 0; one line each",
            FieldKind::Lines { max_count: super::timeline::MAX_LINES },
        )
        .neutral(""),
        Field::new(
            "logging.evaluate_every",
            "Evaluate every",
            "Largest gap, in steps, between evaluations on the whole grid",
            FieldKind::Integer { min: 1, max: 100_000 },
        ),
        Field::new(
            "logging.checkpoint_every",
            "Checkpoint every",
            "Largest gap, in steps, between saved checkpoints",
            FieldKind::Integer { min: 1, max: 100_000 },
        ),
    ]);
    table
});

/// Adds the selector at `path` and the rows of all its kinds.
fn select(table: &mut Vec<Field>, path: &'static str, label: &'static str, help: &'static str, live: bool) {
    let kinds = kinds_of(path).unwrap_or_default();
    let choices: Vec<(&'static str, &'static str)> = kinds.iter().map(|kind| (kind.name, kind.label)).collect();
    // The table lives as long as the program, so what it borrows may too.
    let selector = Field::new(path, label, help, FieldKind::Choice(choices.leak()));
    table.push(if live { selector.live() } else { selector });
    let mut rows: Vec<(Field, Vec<&'static str>)> = Vec::new();
    for kind in &kinds {
        for field in kind.fields {
            match rows.iter_mut().find(|(row, _)| row == field) {
                Some((_, names)) => names.push(kind.name),
                None => rows.push((*field, vec![kind.name])),
            }
        }
    }
    for (row, names) in rows {
        let names: &'static [&'static str] = names.leak();
        let mut when = vec![(path, names)];
        when.extend(row.when);
        table.push(Field { when: when.leak(), ..row });
    }
}
