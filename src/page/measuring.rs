//! Takes the measures of checkpoints on the page, a few milliseconds at a time.
//!
//! They are pure functions of stored weights, so a run opened from an archive gets them like a live one. All of them at once
//! would hold the page still for a second; a worker of their own would need the checkpoints copied.

use super::store::Lab;
use crate::measure::measure_checkpoint;
use crate::record::{Checkpoint, Weights};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

/// Measures take at most this long at a stretch; then the page may draw.
const SLICE_MS: f64 = 12.0;

/// Takes measures of checkpoints that have none, a few milliseconds at a time.
pub(super) fn measure_missing(lab: Lab) {
    if lab.waiting.get_value().measuring {
        return;
    }
    lab.waiting.update_value(|waiting| waiting.measuring = true);
    spawn_local(async move {
        while lab.measure_problem.with_untracked(Option::is_none) {
            breathe().await;
            if !measure_slice(lab) {
                break;
            }
        }
        lab.waiting.update_value(|waiting| waiting.measuring = false);
    });
}

/// Whether something was measured.
fn measure_slice(lab: Lab) -> bool {
    let Some(experiment) = lab.run.with_untracked(|run| run.as_ref().map(|run| run.experiment.clone())) else { return false };
    let since = js_sys::Date::now();
    let mut found = Vec::new();
    let missing: Vec<Checkpoint> = lab.measures.with_untracked(|known| {
        let missing = |checkpoint: &&Checkpoint| !known.contains_key(&checkpoint.step);
        lab.checkpoints.with_untracked(|all| all.iter().filter(missing).take(4).cloned().collect())
    });
    for checkpoint in missing {
        let weights = Weights::from_safetensors(&checkpoint.weights);
        match weights.and_then(|weights| measure_checkpoint(checkpoint.step, &weights, &experiment)) {
            Ok(measures) => found.push((checkpoint.step, measures)),
            Err(error) => {
                lab.measure_problem.set(Some(error));
                break;
            }
        }
        if js_sys::Date::now() - since > SLICE_MS {
            break;
        }
    }
    let any = !found.is_empty();
    if any {
        lab.measures.update(|measures| measures.extend(found));
    }
    any
}

/// Lets the browser draw and answer.
async fn breathe() {
    let timer = js_sys::Promise::new(&mut |resolve, _| {
        if let Some(window) = web_sys::window() {
            // Without a timer the promise would never end; resolving at once only costs smoothness.
            if window.set_timeout_with_callback(&resolve).is_err() {
                let _ = resolve.call0(&wasm_bindgen::JsValue::NULL);
            }
        }
    });
    let _ = JsFuture::from(timer).await;
}
