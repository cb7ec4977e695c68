//! What is learned: tasks, their rows, the split of these, and the order in which they are taken up.
//!
//! A task is one file with a `KIND` and one line in [`tasks`]; its settings, help and checks travel with the kind. Everything
//! downstream sees a [`Dataset`] and never asks which task it came from. Rejected: an enum of operations, which needed a line in
//! eleven places for each new rule.

mod addition;
mod composition;
mod dataset;
mod diagnostics;
mod digits;
mod formula;
mod group;
mod modular;
mod order;
mod parity;
mod prime;
mod random_labels;
mod rule;
mod split;
mod table;
mod teacher;
pub mod upload;

pub use dataset::{Dataset, Row, SideCounts, check, mirrored_test_rows, row_counts, side_counts, split_units, train_mask};
pub use diagnostics::{Diagnostics, MAX_TRIPLES};
pub use group::{Group, Structure};
pub use order::{check_curriculum, order, rows_in_use};
pub use prime::{is_prime, nearest_prime};
pub use rule::{Answers, Cycle, Domain, Rule, Sizes, TaskKind, rule_of};
pub use split::{SplitKind, split_of, splits, structure_spectrum};

use crate::experiment::TaskConfig;
use crate::experiment::field::Field;
use std::sync::LazyLock;

/// Every task, in the order of the page.
pub fn tasks() -> &'static [TaskKind] {
    static TASKS: LazyLock<Vec<TaskKind>> = LazyLock::new(|| {
        let mut tasks = Vec::new();
        tasks.extend(modular::KINDS);
        tasks.extend(composition::KINDS);
        tasks.push(formula::KIND);
        tasks.push(table::KIND);
        tasks.push(addition::KIND);
        tasks.push(parity::KIND);
        tasks.push(random_labels::KIND);
        tasks.extend(teacher::KINDS);
        tasks.push(digits::KIND);
        tasks
    });
    &TASKS
}

/// The rule of a task; `None` if its name is not registered.
pub fn rule_for(task: &TaskConfig) -> Option<Box<dyn Rule>> {
    let kind = tasks().iter().find(|kind| kind.kind.name == task.operation)?;
    Some((kind.rule)(&task.settings))
}

/// Settings of every task.
pub fn common_fields() -> &'static [Field] {
    dataset::FIELDS
}

/// Settings of the curriculum over rows.
pub fn curriculum_fields() -> &'static [Field] {
    order::FIELDS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::settings::Settings;

    /// The rule that a task starts with.
    fn start(kind: &TaskKind) -> Box<dyn Rule> {
        let name = |field: &Field| field.path.trim_start_matches("task.").to_owned();
        let add = |settings: Settings, field: &Field| match field.start_value() {
            Some(value) => settings.with(&name(field), value),
            None => settings,
        };
        (kind.rule)(&kind.kind.fields.iter().fold(Settings::default(), add))
    }

    #[test]
    fn names_are_unique_and_the_oldest_tasks_come_first() {
        let mut names: Vec<&str> = tasks().iter().map(|task| task.kind.name).collect();
        assert_eq!(names[..4], ["add", "sub", "mul", "div"]);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), tasks().len());
    }

    #[test]
    fn every_setting_has_a_start_in_its_range_and_the_starts_go_together() {
        for task in tasks() {
            for field in task.kind.fields {
                let value = field.start_value().unwrap_or_else(|| panic!("{} starts with nothing", field.path));
                assert!(field.kind.check(&value).is_ok() && field.path.starts_with("task."), "{} {}", task.kind.name, field.path);
            }
            assert_eq!(start(task).check(), [], "{}", task.kind.name);
        }
    }

    #[cfg(feature = "compute")]
    #[test]
    fn a_task_has_the_rows_order_classes_and_symmetry_that_it_states() {
        for task in tasks() {
            let (rule, name) = (start(task), task.kind.name);
            let (sizes, (domain, answers)) = (rule.sizes(), rule.domain(3));
            assert_eq!((&domain, &answers), (&rule.domain(3).0, &rule.domain(3).1), "{name}");
            match (&answers, sizes.classes) {
                (Answers::Labels(labels), classes) => {
                    assert_eq!(labels.len(), sizes.rows as usize, "{name}");
                    assert!(classes > 1 && labels.iter().all(|label| u32::from(*label) < classes), "{name}");
                }
                (Answers::Values(values), classes) => {
                    assert_eq!((values.len(), classes), (sizes.rows as usize, 1), "{name}");
                    assert!(values.iter().all(|value| value.is_finite()), "{name}");
                }
            }
            match &domain {
                Domain::Pairs(pairs) => {
                    assert_eq!((pairs.len(), sizes.width), (sizes.rows as usize, 0), "{name}");
                    assert!(pairs.is_sorted() && pairs.iter().all(|(a, b)| u32::from(*a.max(b)) < sizes.tokens), "{name}");
                    let Answers::Labels(labels) = &answers else { continue };
                    let asymmetric = pairs
                        .iter()
                        .zip(labels)
                        .any(|((a, b), label)| pairs.binary_search(&(*b, *a)).is_ok_and(|mirror| labels[mirror] != *label));
                    assert!(!(rule.is_symmetric() && asymmetric), "{name}");
                }
                Domain::Vectors(vectors) => {
                    assert_eq!((vectors.len(), sizes.tokens), ((sizes.rows * sizes.width) as usize, 0), "{name}");
                    assert!(rule.cycle().is_none() && !rule.is_symmetric(), "{name}");
                }
            }
        }
    }
}
