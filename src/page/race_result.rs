//! What came out of a race: the curves of waiting, a table, sentences, and every run.
//!
//! The sentences claim only what the tests carry (see `race::verdict`); the figure and the list of all runs stand beside them so
//! that nobody has to believe them.

use super::chart::{Show, figure, named_sheet};
use super::race_measured::{ink, measured};
use super::share::offer;
use super::store::{Lab, grouped};
use crate::plot::{Axis, Picture, Race, Runner, Scale};
use crate::race::{ArmResult, RaceResult};
use leptos::prelude::*;
use std::sync::Arc;

/// The whole result.
pub(super) fn result(lab: Lab, found: Arc<RaceResult>) -> AnyView {
    let (json, csv, measures) = (found.clone(), found.clone(), found.clone());
    let name = found.config.name.clone();
    let (of_csv, of_measures) = (name.clone(), name.clone());
    let is_measured = !found.columns().is_empty();
    let arms = found.arms.len().to_string();
    let engine = format!(
        "{} seeds, {} updates each, on {} ({})",
        found.config.seeds.len(),
        grouped(found.config.steps.into()),
        found.engine,
        found.build
    );
    view! {
        <div class="view" id="race-result" data-arms=arms>
            {waiting(lab, &found)}
            <div class="figure">
                <h2>"Arm by arm"</h2>
                {table(&found)}
                {verdicts(&found)}
                <p class="small muted">{engine}</p>
                <div class="row">
                    <button type="button" class="small-button" id="race-save-json"
                        on:click=move |_| offer(lab, &format!("{name}.race.json"), "application/json", json.to_json().as_bytes())>"Save race.json"</button>
                    <button type="button" class="small-button" id="race-save-csv"
                        on:click=move |_| offer(lab, &format!("{of_csv}.race.csv"), "text/csv", csv.csv().as_bytes())>"Save race.csv"</button>
                    <button type="button" class="small-button" id="race-save-measures" hidden=!is_measured
                        on:click=move |_| offer(lab, &format!("{of_measures}.race-measures.csv"), "text/csv", measures.measures_csv().as_bytes())>"Save race-measures.csv"</button>
                </div>
                <details class="numbers"><summary class="muted">"Seed by seed"</summary>{every_run(&found)}</details>
            </div>
            {measured(lab, found)}
        </div>
    }
    .into_any()
}

/// What is drawn of an arm.
struct Curve {
    name: String,
    falls: Vec<(f64, f64)>,
    given_up: Vec<f64>,
}

fn waiting(lab: Lab, found: &RaceResult) -> AnyView {
    let end = f64::from(found.config.steps);
    let curve = |arm: &ArmResult| Curve {
        name: arm.name.clone(),
        // The first point is the start, where everybody waits.
        falls: arm.km.iter().skip(1).map(|(step, share)| (f64::from(*step), *share)).collect(),
        given_up: arm.outcomes.iter().filter(|outcome| outcome.steps.is_none()).map(|_| end).collect(),
    };
    let curves: Vec<Curve> = found.arms.iter().map(curve).collect();
    let draw = move |show: &mut Show<'_>| {
        let runners: Vec<Runner<'_>> = curves
            .iter()
            .enumerate()
            .map(|(index, curve)| Runner {
                label: &curve.name,
                ink: ink(index),
                dashed: index == 0,
                falls: &curve.falls,
                given_up: &curve.given_up,
            })
            .collect();
        let race =
            Race { runners: &runners, x: Axis::count("step", Scale::Linear), waiting: "seeds that have not arrived".into(), end };
        show(&Picture::Race(race));
    };
    let words: Vec<String> = found
        .arms
        .iter()
        .map(|arm| {
            let median =
                arm.censored_median.map_or("no median".to_owned(), |median| format!("median {}", grouped(median.into())));
            format!("{}: {} of {} arrived, {median}", arm.name, arm.reached, arm.outcomes.len())
        })
        .collect();
    let label = format!("Share of seeds that have not arrived, over steps. {}", words.join(". "));
    let name = found.config.name.clone();
    let stem = move || format!("{name}-race-chart");
    figure(
        "Who still waits",
        ().into_any(),
        named_sheet(lab, "race-chart", move || label.clone(), stem, draw, ().into_any()),
        "Share of the seeds that have not arrived yet (Kaplan–Meier). The curve further left is faster; a dot marks the median; small ticks at the end are runs that were given up when the budget was spent."
            .into_any(),
    )
}

fn table(found: &RaceResult) -> AnyView {
    let step = |step: Option<u32>| step.map_or("–".to_owned(), |step| grouped(step.into()));
    let p = |p: Option<f64>| p.map_or("–".to_owned(), |p| if p < 0.001 { "< .001".into() } else { format!("{p:.3}") });
    let number = |value: f64| if value.is_finite() { format!("{value:.1}") } else { "–".to_owned() };
    let rows: Vec<_> = found
        .arms
        .iter()
        .map(|arm| {
            let interval = match (arm.ci.low, arm.ci.high) {
                (None, None) => "–".to_owned(),
                (low, high) => format!("{} to {}", step(low), high.map_or("beyond".to_owned(), |high| grouped(high.into()))),
            };
            let test = arm.sign_test;
            let split = test.map_or("–".to_owned(), |t| format!("{} / {} / {}", t.wins, t.losses, t.ties));
            let milliseconds = if arm.ms_per_update.is_finite() { format!("{:.2}", arm.ms_per_update) } else { "–".into() };
            view! {
                <tr>
                    <th scope="row">{arm.name.clone()}</th>
                    <td>{format!("{} / {}", arm.reached, arm.outcomes.len())}</td>
                    <td>{step(arm.censored_median)}</td>
                    <td>{interval}</td>
                    <td>{split}</td>
                    <td>{p(test.map(|t| t.p))}</td>
                    <td>{p(arm.adjusted_p)}</td>
                    <td>{milliseconds}</td>
                    <td>{number(arm.wall_seconds)}</td>
                </tr>
            }
        })
        .collect();
    view! {
        <div class="table-scroll" tabindex="0" role="group" aria-label="Results of the arms">
            <table>
                <thead><tr>
                    <th scope="col">"arm"</th><th scope="col">"arrived"</th><th scope="col">"median step"</th><th scope="col">"95% interval"</th>
                    <th scope="col">"faster / slower / tied"</th><th scope="col">"p"</th><th scope="col">"p, adjusted"</th>
                    <th scope="col">"ms per update"</th><th scope="col">"seconds"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <p class="small muted">"Faster, slower and tied count seeds against the control; p is that of the paired sign test, adjusted for the number of arms by Holm's method. Milliseconds are those of an update of one run."</p>
    }
    .into_any()
}

fn verdicts(found: &RaceResult) -> AnyView {
    let lines: Vec<_> = found
        .arms
        .iter()
        .enumerate()
        .map(|(index, arm)| view! { <li><strong>{arm.name.clone()}</strong>": "{found.verdict(index).join("; ")}"."</li> })
        .collect();
    view! { <ul class="plain" id="race-verdicts">{lines}</ul> }.into_any()
}

fn every_run(found: &RaceResult) -> AnyView {
    let head: Vec<_> = found.arms.iter().map(|arm| view! { <th scope="col">{arm.name.clone()}</th> }).collect();
    let rows: Vec<_> = found
        .config
        .seeds
        .iter()
        .enumerate()
        .map(|(index, seed)| {
            let cells: Vec<_> = found
                .arms
                .iter()
                .map(|arm| {
                    let steps = arm.outcomes.get(index).and_then(|outcome| outcome.steps);
                    view! { <td>{steps.map_or("not yet".to_owned(), |steps| grouped(steps.into()))}</td> }
                })
                .collect();
            view! { <tr><th scope="row">{*seed}</th>{cells}</tr> }
        })
        .collect();
    view! {
        <div class="table-scroll" tabindex="0" role="group" aria-label="Step of arrival of every run">
            <table><thead><tr><th scope="col">"seed"</th>{head}</tr></thead><tbody>{rows}</tbody></table>
        </div>
    }
    .into_any()
}
