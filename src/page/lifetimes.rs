//! Births and deaths of latents on the loss curves: what happened to the features when the network understood.
//!
//! A list of classes has no time in it. Here each compared checkpoint carries how many latents begin their last stay there and how
//! many were seen there for the last time, over the curves that everybody knows the run by.

use super::chart::{Show, figure, named_sheet, of_experiment};
use super::store::{Lab, grouped};
use crate::crosscoder::{CrosscoderResult, Null};
use crate::plot::{Axis, Curves, Ink, Mark, Picture, Series};
use leptos::prelude::*;
use std::sync::Arc;

/// The figure; nothing where the sources are no stretch of training, and for activations from a file.
pub(super) fn lifetimes(lab: Lab, fit: &Arc<CrosscoderResult>) -> Option<AnyView> {
    let is_stretch = !matches!(fit.null(), Null::Repeated | Null::Untrained) && fit.sources.len() > 1;
    // The curves on the page are not those of the network behind a file.
    if !is_stretch || fit.foreign_rows().is_some() {
        return None;
    }
    let found = fit.lifetimes();
    let told: Vec<String> = found.iter().map(|(step, words)| format!("step {}: {words}", grouped((*step).into()))).collect();
    let name = fit.config.name.clone();
    let draw = move |show: &mut Show<'_>| {
        let (train, test): (Vec<_>, Vec<_>) = lab.rows.with(|rows| {
            rows.iter()
                .map(|row| ((f64::from(row.step), f64::from(row.train_loss)), (f64::from(row.step), f64::from(row.test_loss))))
                .unzip()
        });
        let line = |label: &'static str, ink, points| Series { label, ink, dashed: false, points };
        let series = [line("test", Ink::Test, &test[..]), line("train", Ink::Train, &train[..])];
        let marks: Vec<Mark> = found.iter().map(|(step, words)| Mark::event(f64::from(*step), words.clone())).collect();
        show(&Picture::Curves(Curves {
            series: &series,
            x: Axis::count("step", lab.x_scale.get()),
            y: Axis::log("loss"),
            marks: &marks,
            ticks: &[],
            cursor: None,
            bands: &[],
            areas: &[],
        }));
    };
    let label = format!("Loss curves with the checkpoints that were compared. {}", told.join(". "));
    let stem = move || of_experiment(lab, &format!("{name}-lifetimes"));
    Some(figure(
        "Born and last seen",
        ().into_any(),
        named_sheet(lab, "fit-lifetimes-chart", move || label.clone(), stem, draw, ().into_any())
            .within(|canvas| view! { <div style="--height:16rem">{canvas}</div> }.into_any()),
        "Each compared checkpoint with the latents that are there from it on (relative decoder norm of at least one half) and those seen there for the last time. Births between two checkpoints carry the later step; more checkpoints tell more."
            .into_any(),
    ))
}
