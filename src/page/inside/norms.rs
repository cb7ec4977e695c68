//! Norms of the weights, tensor by tensor: which of them weight decay shrinks, and when.
//!
//! On a logarithmic axis by default, because embedding and biases differ by orders of magnitude.

use crate::page::chart::{Show, figure, sheet, switch};
use crate::page::store::Lab;
use crate::plot::{Axis, Curves, Ink, Picture, Scale, Series};
use crate::record::{Value, Weights};
use leptos::prelude::*;

/// The figure.
pub(super) fn figure_of(lab: Lab) -> AnyView {
    let linear = RwSignal::new(false);
    // The names of a run's tensors never change, and reading them copies a checkpoint.
    let names = Memo::new(move |_| {
        let first = lab.checkpoints.with(|all| all.first().map(|checkpoint| checkpoint.step));
        let read = |step| {
            let checkpoint = lab.checkpoints.with_untracked(|all| all.iter().find(|c| c.step == step).cloned())?;
            Weights::from_safetensors(&checkpoint.weights).ok()
        };
        first.and_then(read).map_or_else(Vec::new, |weights| weights.tensors.into_iter().map(|tensor| tensor.name).collect())
    });
    let draw = move |show: &mut Show<'_>| {
        let names = names.get();
        let mut lines: Vec<Vec<(f64, f64)>> = vec![Vec::new(); names.len()];
        let mut whole = Vec::new();
        lab.measures.with(|table| {
            for (step, row) in &table.rows {
                let Some(values) = row.get("norm_by_tensor").and_then(Value::list) else { continue };
                lines.iter_mut().zip(values).for_each(|(line, norm)| line.push((f64::from(*step), *norm)));
                whole.extend(row.get("norm").and_then(Value::number).map(|norm| (f64::from(*step), norm)));
            }
        });
        let mut series = vec![Series { label: "all", ink: Ink::Baseline, dashed: true, points: &whole }];
        series.extend(lines.iter().zip(&names).enumerate().map(|(index, (points, name))| Series {
            label: name,
            ink: Ink::Source(u8::try_from(index).unwrap_or(u8::MAX)),
            dashed: false,
            points,
        }));
        let scale = if linear.get() { Scale::Linear } else { Scale::Log };
        show(&Picture::Curves(Curves {
            series: &series,
            x: Axis::count("step", lab.x_scale.get()),
            y: Axis { scale, ..Axis::linear("norm") },
            marks: &[],
            ticks: &[],
            cursor: None,
            bands: &[],
            areas: &[],
        }));
    };
    figure(
        "Norms of the weights",
        switch("Norm", ["log", "linear"], linear),
        sheet(lab, "norms-chart", || "Norm of each tensor of weights over steps".to_owned(), draw, ().into_any())
            .within(|canvas| view! { <div style="--height:18rem">{canvas}</div> }.into_any()),
        "Root of the sum of squares of each tensor, and of all together. A norm that falls after memorising is weight decay at work; it does not show by itself that the network generalises.".into_any(),
    )
}
