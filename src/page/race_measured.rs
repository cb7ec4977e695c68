//! What was measured in a race: every arm over steps, its end against the control, and which measure announced the grok.
//!
//! A race of eight seeds is the first place where a measure is more than an anecdote: arms are compared seed by seed, and an
//! alarm has to stay quiet on the runs that never grok. Both figures draw what their tables claim.

use super::chart::{Show, figure, named_sheet, switch};
use super::live::{flag, part, text};
use super::store::{Lab, grouped};
use crate::measure::{FALSE_ALARMS, column};
use crate::plot::{Area, Axis, Curves, Ink, Mark, Picture, Scale, Series};
use crate::race::{Forewarning, Predictor, RaceResult};
use leptos::prelude::*;
use std::sync::Arc;

/// The colour of an arm; the first is the control.
pub(super) fn ink(arm: usize) -> Ink {
    arm.checked_sub(1).map_or(Ink::Baseline, |arm| Ink::Source(u8::try_from(arm).unwrap_or(u8::MAX)))
}

/// Both sections; nothing if nothing was measured.
pub(super) fn measured(lab: Lab, found: Arc<RaceResult>) -> Option<AnyView> {
    let columns = found.columns();
    let first = columns.iter().find(|name| *name == "mean_ipr").or(columns.first())?.clone();
    let chosen = RwSignal::new(first);
    Some(
        view! {
            {over_steps(lab, found.clone(), columns, chosen)}
            {forewarning(lab, found, chosen)}
        }
        .into_any(),
    )
}

fn label_of(name: &str) -> String {
    column(name).map_or_else(|| name.to_owned(), |(_, column)| column.label.to_owned())
}

fn axis_of(name: &str, is_log: bool) -> Axis {
    let unit = column(name).map_or("", |(_, column)| column.unit);
    let label = if unit.is_empty() { label_of(name) } else { format!("{} ({unit})", label_of(name)) };
    Axis { scale: if is_log { Scale::Log } else { Scale::Linear }, ..Axis::linear(label) }
}

/// A number of any size in four digits.
fn written(value: f64) -> String {
    if value != 0.0 && !(0.001..1e5).contains(&value.abs()) { format!("{value:.2e}") } else { format!("{value:.4}") }
}

fn over_steps(lab: Lab, found: Arc<RaceResult>, columns: Vec<String>, chosen: RwSignal<String>) -> AnyView {
    let log = RwSignal::new(false);
    let options: Vec<_> = columns
        .into_iter()
        .map(|name| {
            let (label, own) = (label_of(&name), name.clone());
            view! { <option value=name selected=flag(move || chosen.with(|now| *now == own))>{label}</option> }
        })
        .collect();
    let drawn = found.clone();
    let draw = move |show: &mut Show<'_>| {
        let name = chosen.get();
        let spreads: Vec<_> = drawn.arms.iter().map(|arm| arm.over_steps(&name)).collect();
        let medians: Vec<Vec<(f64, f64)>> =
            spreads.iter().map(|all| all.iter().map(|(step, spread)| (f64::from(*step), spread.median)).collect()).collect();
        let quartiles: Vec<Vec<(f64, f64, f64)>> = spreads
            .iter()
            .map(|all| all.iter().map(|(step, spread)| (f64::from(*step), spread.quartiles[0], spread.quartiles[1])).collect())
            .collect();
        let lines = medians.iter().zip(&drawn.arms).enumerate();
        let series: Vec<Series<'_>> =
            lines.map(|(index, (points, arm))| Series { label: &arm.name, ink: ink(index), dashed: false, points }).collect();
        let areas: Vec<Area<'_>> = quartiles.iter().enumerate().map(|(index, points)| Area { ink: ink(index), points }).collect();
        let x = Axis::count("step", lab.x_scale.get());
        let y = axis_of(&name, log.get());
        show(&Picture::Curves(Curves { series: &series, x, y, marks: &[], ticks: &[], cursor: None, bands: &[], areas: &areas }));
    };
    let stem = {
        let name = found.config.name.clone();
        move || format!("{name}-{}", chosen.get_untracked())
    };
    let label = move || format!("{} over steps, median and quartiles of each arm", label_of(&chosen.get()));
    let about = move || {
        let told = chosen.with(|name| column(name).map(|(measure, _)| measure))?;
        Some(
            view! { {told.definition}". "<em>{told.not_evidence_of}</em>". "<span class="muted">{told.source}"."</span> }
                .into_any(),
        )
    };
    let tabled = found;
    let sheet = named_sheet(lab, "race-measure-chart", label, stem, draw, ().into_any());
    let controls = view! {
        <div class="row">
            <label class="visually-hidden" for="race-measure">"Measure"</label>
            <select id="race-measure" prop:value=text(move || chosen.get()) on:change=move |event| chosen.set(event_target_value(&event))>{options}</select>
            {switch("Values", ["linear", "log"], log)}
        </div>
    };
    view! {
        {figure(
            "Measured, arm by arm",
            controls.into_any(),
            sheet,
            view! { "Median over seeds; the ground behind it reaches from the lower to the upper quartile. "{part(about)} }.into_any(),
        )}
        {part(move || Some(at_end(&tabled, &chosen.get())))}
    }
    .into_any()
}

fn at_end(found: &RaceResult, name: &str) -> AnyView {
    let rows: Vec<_> = found
        .arms
        .iter()
        .zip(found.at_end(name))
        .map(|(arm, end)| {
            let (median, quartiles) = end.spread.map_or(("–".to_owned(), "–".to_owned()), |spread| {
                (written(spread.median), spread.quartiles.map(written).join(" to "))
            });
            let split = end.sign_test.map_or("–".to_owned(), |test| format!("{} / {} / {}", test.wins, test.losses, test.ties));
            let p = end.adjusted_p.map_or("–".to_owned(), |p| if p < 0.001 { "< .001".into() } else { format!("{p:.3}") });
            let seeds = end.spread.map_or(0, |spread| spread.count);
            view! {
                <tr>
                    <th scope="row">{arm.name.clone()}</th>
                    <td>{format!("{seeds} / {}", arm.outcomes.len())}</td><td>{median}</td><td>{quartiles}</td><td>{split}</td><td>{p}</td>
                </tr>
            }
        })
        .collect();
    view! {
        <div class="figure">
            <h2>{format!("At the end: {}", label_of(name))}</h2>
            <div class="table-scroll" tabindex="0" role="group" aria-label="The measure at the end of each arm">
                <table id="race-measured">
                    <thead><tr>
                        <th scope="col">"arm"</th><th scope="col">"seeds"</th><th scope="col">"median"</th><th scope="col">"quartiles"</th>
                        <th scope="col">"above / below / tied"</th><th scope="col">"p, adjusted"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <p class="small muted">"At the last checkpoint of each run. Above, below and tied count seeds against the control; p is that of the paired sign test, adjusted for the number of arms by Holm's method, not for the number of measures that you look at."</p>
        </div>
    }
    .into_any()
}

fn forewarning(lab: Lab, found: Arc<RaceResult>, chosen: RwSignal<String>) -> AnyView {
    let judged = match found.forewarning() {
        Ok(judged) => Arc::new(judged),
        Err(why) => {
            return view! {
                <div class="figure" id="race-forewarning">
                    <h2>"Early warning"</h2>
                    <p class="small muted">{why.cause}". "{why.remedy}"."</p>
                </div>
            }
            .into_any();
        }
    };
    view! {
        {alarm_figure(lab, found, judged.clone(), chosen)}
        {predictors(&judged, chosen)}
    }
    .into_any()
}

/// All runs in one measure, with its alarm.
fn alarm_figure(lab: Lab, found: Arc<RaceResult>, judged: Arc<Forewarning>, chosen: RwSignal<String>) -> AnyView {
    let log = RwSignal::new(false);
    let name = found.config.name.clone();
    let of = judged.clone();
    let alarm = move |name: &str| of.predictors.iter().find(|predictor| predictor.column == name).map(|p| p.warning.threshold);
    let dates: Vec<f64> =
        judged.grokking.iter().filter_map(|(arm, run)| found.arms.get(*arm)?.outcomes.get(*run)?.steps.map(f64::from)).collect();
    let end = f64::from(found.config.steps);
    let draw = move |show: &mut Show<'_>| {
        let name = chosen.get();
        let curves = |runs: &[(usize, usize)]| -> Vec<Vec<(f64, f64)>> {
            let table = |(arm, run): &(usize, usize)| found.arms.get(*arm)?.measures.get(*run);
            let points = |run| Some(table(run)?.curve(&name).into_iter().map(|(step, value)| (f64::from(step), value)).collect());
            runs.iter().filter_map(points).collect()
        };
        let (never, grokking) = (curves(&judged.never), curves(&judged.grokking));
        let level: Vec<(f64, f64)> = alarm(&name).map_or_else(Vec::new, |level| vec![(0.0, level), (end, level)]);
        let named = |index: usize, label: &'static str| if index == 0 { label } else { "" };
        let mut series: Vec<Series<'_>> = Vec::new();
        series.push(Series { label: "alarm", ink: Ink::Theory, dashed: true, points: &level });
        let lines = never.iter().enumerate();
        series.extend(lines.map(|(i, points)| Series { label: named(i, "never"), ink: Ink::Baseline, dashed: false, points }));
        let lines = grokking.iter().enumerate();
        series.extend(lines.map(|(i, points)| Series { label: named(i, "groks"), ink: Ink::Accent, dashed: false, points }));
        let mut sorted = dates.clone();
        sorted.sort_by(f64::total_cmp);
        let mark = sorted.get(sorted.len() / 2).map(|step| Mark::date(*step, "median date"));
        let x = Axis::count("step", lab.x_scale.get());
        let y = axis_of(&name, log.get());
        let marks: Vec<Mark> = mark.into_iter().collect();
        show(&Picture::Curves(Curves { series: &series, x, y, marks: &marks, ticks: &[], cursor: None, bands: &[], areas: &[] }));
    };
    let label = move || format!("{} of every run over steps, with the value that raises the alarm", label_of(&chosen.get()));
    let stem = move || format!("{name}-alarm-{}", chosen.get_untracked());
    figure(
        "Early warning",
        switch("Values", ["linear", "log"], log),
        named_sheet(lab, "race-alarm-chart", label, stem, draw, ().into_any()),
        view! { "Every run that arrived against every control, "{text(move || chosen.with(|name| label_of(name)))}". The dashed line is the alarm: the most sensitive value that the controls hardly ever pass." }.into_any(),
    )
}

fn predictors(judged: &Forewarning, chosen: RwSignal<String>) -> AnyView {
    let rows: Vec<_> = judged.predictors.iter().map(|predictor| predictor_row(predictor, chosen)).collect();
    let allowed = (FALSE_ALARMS * judged.never.len() as f64).floor();
    let new = 100.0 * (allowed + 1.0) / (judged.never.len() as f64 + 1.0);
    let runs = format!(
        "{} runs that arrived, {} controls (runs of arms of which no seed arrived), {} left out (stragglers of other arms). {} of the controls may raise an alarm; of a new run that never groks, as like them as they are to each other, it is then to be expected in {new:.0}% of cases. The alarm is chosen on these same runs, so leads flatter.",
        judged.grokking.len(),
        judged.never.len(),
        judged.left_out,
        grouped(allowed as u64)
    );
    view! {
        <div class="figure" id="race-forewarning">
            <h2>"Which measure announced it?"</h2>
            <div class="table-scroll whole" tabindex="0" role="group" aria-label="Measures as early warnings">
                <table id="race-predictors">
                    <thead><tr>
                        <th scope="col">"measure"</th><th scope="col">"alarm"</th><th scope="col">"median lead"</th><th scope="col">"warned"</th>
                        <th scope="col">"false alarms"</th><th scope="col" class="words">"note"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <p class="small muted">"Lead: the share of the time until the grok that was still to come when the measure first passed its alarm; a run that was not warned counts as 0. "{runs}</p>
        </div>
    }
    .into_any()
}

fn predictor_row(predictor: &Predictor, chosen: RwSignal<String>) -> AnyView {
    let found = &predictor.warning;
    let (name, own) = (predictor.column.clone(), predictor.column.clone());
    let side = if found.is_above { "above" } else { "below" };
    let warned = found.leads.iter().filter(|lead| lead.is_some_and(|lead| lead > 0.0)).count();
    let note = predictor.note();
    view! {
        <tr>
            <th scope="row">
                <button type="button" class="small-button quiet row-choice" aria-pressed=text(move || chosen.with(|now| *now == own).to_string())
                    on:click=move |_| chosen.set(name.clone())>{label_of(&predictor.column)}</button>
            </th>
            <td>{format!("{side} {}", written(found.threshold))}</td>
            <td>{format!("{:.2}", found.median_lead)}</td>
            <td>{format!("{warned} / {}", found.leads.len())}</td>
            <td>{format!("{:.0}%", 100.0 * found.false_alarms)}</td>
            <td class="words">{note}</td>
        </tr>
    }
    .into_any()
}
