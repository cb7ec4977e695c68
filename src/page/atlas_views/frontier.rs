//! Error against sparsity: this fit, the other fits of the run, and codes that know no features.

use crate::crosscoder::CrosscoderResult;
use crate::crosscoder::baseline::{FrontierPoint, dominated};
use crate::page::chart::{Show, figure, named_sheet, of_experiment};
use crate::page::store::Lab;
use crate::plot::{Axis, Curves, Ink, Picture, Series};
use leptos::prelude::*;
use std::sync::Arc;

/// A line of the figure: its name, its colour, whether it is a baseline, and (active numbers, share unexplained).
type Line = (String, Ink, bool, Vec<(f64, f64)>);

pub(super) fn view(lab: Lab, fit: &Arc<CrosscoderResult>) -> AnyView {
    let others: Vec<Arc<CrosscoderResult>> = lab.fits.with_untracked(|fits| {
        // Another choice of checkpoints is another task, and cannot be beaten at this one.
        let same = |other: &&Arc<CrosscoderResult>| {
            other.config.name != fit.config.name
                && other.origin == fit.origin
                && other.sources.iter().map(|s| s.label()).eq(fit.sources.iter().map(|s| s.label()))
        };
        fits.iter().filter(same).cloned().collect()
    });
    let fits = core::iter::once(fit).chain(&others).map(|fit| FrontierPoint::of_fit(fit.config.name.clone(), fit));
    let points: Vec<FrontierPoint> = fits.chain(fit.baselines.iter().cloned()).collect();
    let beaten = dominated(&points);
    let rows: Vec<_> = points
        .iter()
        .zip(&beaten)
        .map(|(point, beaten)| {
            let each: Vec<String> = point.unexplained.iter().map(|share| format!("{:.1}%", 100.0 * share)).collect();
            view! {
                <tr>
                    <th scope="row">{point.name.clone()}</th>
                    <td>{format!("{:.1}", point.active)}</td>
                    <td>{point.dictionary.to_string()}</td>
                    <td>{each.join(" / ")}</td>
                    <td class="words">{if *beaten { "beaten" } else { "on the frontier" }}</td>
                </tr>
            }
        })
        .collect();
    let at = |point: &FrontierPoint| (f64::from(point.active), f64::from(point.mean_unexplained));
    let of_basis = |name: &'static str, ink| {
        let points: Vec<(f64, f64)> = fit.baselines.iter().filter(|point| point.name == name).map(at).collect();
        (name.to_owned(), ink, true, points)
    };
    let mut lines: Vec<Line> = vec![of_basis("principal components", Ink::Baseline), of_basis("plane waves", Ink::Theory)];
    lines.extend(
        points
            .iter()
            .take(1 + others.len())
            .enumerate()
            .map(|(index, point)| (point.name.clone(), if index == 0 { Ink::Accent } else { Ink::Test }, false, vec![at(point)])),
    );
    let spoken = format!(
        "Share unexplained by active numbers per input; {} of {} ways are on the frontier",
        beaten.iter().filter(|beaten| !**beaten).count(),
        points.len()
    );
    let name = format!("{}-frontier", fit.config.name);
    let draw = move |show: &mut Show<'_>| {
        let series: Vec<Series<'_>> =
            lines.iter().map(|(label, ink, dashed, points)| Series { label, ink: *ink, dashed: *dashed, points }).collect();
        let (x, y) = (Axis::log("active numbers per input"), Axis::log("share unexplained"));
        show(&Picture::Curves(Curves { series: &series, x, y, marks: &[], ticks: &[], cursor: None, bands: &[], areas: &[] }));
    };
    let stem = move || of_experiment(lab, &name);
    view! {
        {figure(
            "Error against sparsity",
            ().into_any(),
            named_sheet(lab, "fit-frontier", move || spoken.clone(), stem, draw, ().into_any())
                .within(|canvas| view! { <div style="--height:22rem;--height-narrow:18rem">{canvas}</div> }.into_any()),
            "Mean over the checkpoints of what is left unexplained on held-out inputs (of an imported dictionary: on all). Dots are fits, dashed lines are codes that know no features: every function of theirs is active on every input.".into_any(),
        )}
        <div class="table-scroll">
            <table>
                <thead><tr><th>"code"</th><th>"active"</th><th>"dictionary"</th><th>"unexplained per checkpoint"</th><th class="words"></th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
