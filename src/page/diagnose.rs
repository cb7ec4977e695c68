//! What the answers of a task that somebody made are like: Latin square, commutative, associative, and so on.
//!
//! Whether a typed formula or an own table can be understood at all hangs on these properties. They take up to two million
//! look-ups, so they are taken only while the drawer is open, after the hand has rested, and once for each table.

use super::live::{flag, part, text};
use super::store::Lab;
use crate::experiment::TaskConfig;
use crate::task::{Diagnostics, rule_for};
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use std::time::Duration;

/// Tasks whose answers nobody has looked at before.
const OWN: [&str; 5] = ["formula", "table", "compose", "conjugate", "sandwich"];
/// Largest domain that is examined.
const MAX_ROWS: u32 = 160_000;
/// How long the hand must rest.
const REST: Duration = Duration::from_millis(250);

/// What there is to examine.
#[derive(Clone, PartialEq)]
enum Subject {
    /// The drawer is closed, or the task is one of the textbook.
    Nothing,
    /// A text that cannot be read yet: what was found last stays.
    Unfinished,
    /// More pairs than are examined.
    TooLarge(u32),
    /// Operation and settings of the task.
    Table(TaskConfig),
}

/// The findings, under the task's settings; nothing for other tasks.
pub(super) fn diagnoses(lab: Lab, is_open: RwSignal<bool>) -> AnyView {
    let subject =
        Memo::new(move |_| lab.draft.value.with(|draft| if is_open.get() { subject(&draft.task) } else { Subject::Nothing }));
    let found = RwSignal::new(Vec::<String>::new());
    let examined = StoredValue::new(None::<TaskConfig>);
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move |_| {
        if let Some(handle) = waiting.get_value() {
            handle.clear();
        }
        match subject.get() {
            Subject::Unfinished => {}
            // A closed drawer shows nothing, and a reopened one need not look again.
            Subject::Nothing if !is_open.get() => {}
            Subject::Nothing => found.set(Vec::new()),
            Subject::TooLarge(rows) => {
                examined.set_value(None);
                found.set(vec![format!("{rows} pairs are too many to examine here; at most {MAX_ROWS} are")]);
            }
            Subject::Table(task)
                if examined.with_value(|known| known.as_ref() == Some(&task)) && !found.with_untracked(Vec::is_empty) => {}
            Subject::Table(task) => {
                let examine = move || {
                    // No table of these tasks depends on the seed.
                    let sentences = rule_for(&task).and_then(|rule| Diagnostics::of(rule.as_ref(), 0)).map(|d| d.sentences());
                    // The drawer may be gone by now.
                    found.try_set(sentences.unwrap_or_default());
                    examined.try_set_value(Some(task));
                };
                waiting.set_value(set_timeout_with_handle(examine, REST).ok());
            }
        }
    });
    let is_stale = move || subject.get() == Subject::Unfinished;
    view! {
        <div id="diagnostics" class="diagnostics" hidden=flag(move || found.with(Vec::is_empty)) class:muted=flag(is_stale)>
            <h4 class="small">{text(move || if is_stale() { "The table before this change" } else { "The table of answers" }.into())}</h4>
            <ul class="small plain">{part(move || Some(found.get().into_iter().map(|sentence| view! { <li>{sentence}</li> }).collect::<Vec<_>>().into_any()))}</ul>
        </div>
    }
    .into_any()
}

fn subject(task: &TaskConfig) -> Subject {
    if !OWN.contains(&task.operation.as_str()) {
        return Subject::Nothing;
    }
    let Some(rule) = rule_for(task).filter(|rule| rule.check().is_empty()) else { return Subject::Unfinished };
    match rule.sizes().rows {
        rows if rows > MAX_ROWS => Subject::TooLarge(rows),
        // How the rows are split does not change the table.
        _ => Subject::Table(TaskConfig { split: String::new(), train_fraction: 0.0, label_noise: 0.0, ..task.clone() }),
    }
}
