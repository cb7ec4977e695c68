//! Where the tokens stand: in their principal components, or in the plane of one frequency, where they form a polygon.
//!
//! Principal axes are defined up to signs and rotations within equal variances, so a naive picture jumps from checkpoint to
//! checkpoint. All are turned onto those of the last one (orthogonal Procrustes, `measure::aligned`): points move.

use super::spectra::components;
use crate::measure::{Look, aligned};
use crate::page::chart::{Show, figure, named_sheet, of_experiment};
use crate::page::live::text;
use crate::page::store::{Lab, grouped};
use crate::plot::{Picture, Scatter, Stain};
use leptos::prelude::*;
use std::sync::Arc;

/// Planes that are looked at: those of the first key components.
const PLANES: usize = 2;

/// The figure.
pub(super) fn picture(lab: Lab) -> AnyView {
    let names = components(lab);
    // 0: principal components; n: the plane of the n-th key component.
    let shown = RwSignal::new(usize::from(names.with_untracked(|names| !names.labels.is_empty())));
    let wanted = Memo::new(move |_| {
        let keys = lab.measures.with(|table| table.keys.as_ref().map(|(_, keys)| keys.clone()));
        let keys: Vec<u32> = keys.unwrap_or_default().into_iter().take(PLANES).map(|key| key - 1).collect();
        if keys.is_empty() && names.with(|names| !names.labels.is_empty()) { vec![0] } else { keys }
    });
    Effect::new(move |_| {
        let wanted = wanted.get();
        if lab.looks.view.with_untracked(|view| view.planes != wanted) {
            lab.looks.view.update(|view| view.planes = wanted);
        }
    });
    let points = move |look: &Look| -> Vec<[f32; 2]> {
        match shown.get().checked_sub(1) {
            Some(plane) => look.planes.get(plane).cloned().unwrap_or_default(),
            None => look.principal.iter().map(|point| [point[0], point[1]]).collect(),
        }
    };
    let placed = move || {
        let look: Arc<Look> = lab.looks.shown.get()?;
        let own = points(&look);
        let reference = lab.looks.reference.get().map(|reference| points(&reference)).filter(|r| r.len() == own.len());
        Some(match reference {
            Some(reference) => aligned(&own, &reference),
            None => own,
        })
    };
    let draw = move |show: &mut Show<'_>| {
        let placed: Vec<(f64, f64)> =
            placed().unwrap_or_default().into_iter().map(|[x, y]| (f64::from(x), f64::from(y))).collect();
        let labels: Vec<String> = (0..placed.len()).map(|token| token.to_string()).collect();
        let plane = shown.get().checked_sub(1);
        let component = plane.and_then(|plane| wanted.with(|wanted| wanted.get(plane).copied()));
        let is_cyclic = names.with(|names| names.is_cyclic);
        // In the plane of frequency k, token t stands at the angle 2πkt/p: the colour is that angle, the line goes once around.
        let count = placed.len().max(1);
        let k = component.map_or(1, |component| component as usize + 1);
        let angles: Vec<f64> = (0..placed.len()).map(|token| ((k * token) % count) as f64 / count as f64).collect();
        let mut order: Vec<usize> = (0..placed.len()).collect();
        order.sort_by(|x, y| angles[*x].total_cmp(&angles[*y]));
        let axis = |number: usize| match component {
            Some(_) => {
                format!("plane of {}, axis {number}", names.with(|names| names.labels.get(k - 1).cloned().unwrap_or_default()))
            }
            None => format!("principal component {number}"),
        };
        let scatter = Scatter {
            points: &placed,
            labels: &labels,
            stain: Stain::Cyclic(&angles),
            order: if component.is_some() && is_cyclic { &order } else { &[] },
            closed: true,
            x_label: axis(1),
            y_label: axis(2),
            range: None,
            window: None,
            guides: &[],
            stretches: &[],
            keys: &[],
            ringed: &[],
        };
        show(&Picture::Scatter(scatter));
    };
    let share = move || lab.looks.shown.get().map_or([0.0; 3], |look| look.principal_shares);
    let label = move || match lab.looks.shown.get() {
        Some(look) => format!("Tokens as the network reads them at step {}", grouped(look.step.into())),
        None => "Tokens as the network reads them, no data yet".into(),
    };
    let stem = move || of_experiment(lab, &format!("embedding-chart-step-{}", lab.time_step().unwrap_or(0)));
    let sheet = named_sheet(lab, "embedding-chart", label, stem, draw, ().into_any())
        .within(|canvas| view! { <div style="--height:24rem">{canvas}</div> }.into_any());
    let button = move |index: usize| {
        let words = move || match index.checked_sub(1) {
            None => "principal".to_owned(),
            Some(plane) => wanted.with(|wanted| {
                wanted.get(plane).map_or_else(
                    || "–".to_owned(),
                    |c| {
                        format!(
                            "{} {}",
                            names.with(|n| if n.is_cyclic { "k =" } else { "" }),
                            names.with(|n| n.labels.get(*c as usize).cloned().unwrap_or_default())
                        )
                    },
                )
            }),
        };
        view! { <button type="button" aria-pressed=text(move || (shown.get() == index).to_string()) on:click=move |_| shown.set(index)>{text(words)}</button> }
    };
    let controls = view! { <div class="switch" role="group" aria-label="Plane">{button(0)}{button(1)}{button(2)}</div> };
    figure(
        "Where the numbers stand",
        controls.into_any(),
        sheet,
        view! {
            "Each token as the network reads it, turned so that checkpoints can be compared. In the plane of a key frequency k the tokens form a circle on which neighbours differ by 1/k. "
            <span class="number">{text(move || format!("The first two principal components hold {:.0}% of the variance.", 100.0 * (share()[0] + share()[1])))}</span>
        }
        .into_any(),
    )
}
