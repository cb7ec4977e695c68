//! What happened inside: the Fourier spectrum of the input weights at the time slider, and over all checkpoints.

use super::chart::{Sheet, Show, figure, keep, named_sheet, of_experiment, sheet};
use super::live::part;
use super::run::status;
use super::store::{Lab, View, grouped};
use crate::measure::CheckpointMeasures;
use crate::plot::{Axis, Bars, Curves, Frame, GridFrame, HeatMap, Ink, Palette, Picture, Place, Series};
use leptos::prelude::*;

/// The view.
pub(super) fn inside_view(lab: Lab) -> AnyView {
    let any = Memo::new(move |_| lab.measures.with(|measures| !measures.is_empty()));
    let problem =
        move || lab.measure_problem.get().map(|error| view! { <p class="card notice">{error.to_string()}"."</p> }.into_any());
    let refused = Memo::new(move |_| lab.measure_problem.with(Option::is_some));
    let body = move || {
        if any.get() {
            measured(lab)
        } else if refused.get() {
            // The reason stands above; there is nothing to wait for.
            ().into_any()
        } else {
            view! {
                <div class="empty">
                    <h2>"Nothing to look into yet"</h2>
                    <p class="muted">"Start a run. Each checkpoint that it saves appears here, with the frequencies that its input weights use."</p>
                    <button type="button" on:click=move |_| lab.view.set(View::Run)>"Go to the run"</button>
                </div>
            }
            .into_any()
        }
    };
    view! {
        <section class="view" aria-label="Inside">
            <div class="lead">
                <h1>"Which frequencies does the network compute with?"</h1>
                <p class="muted">"A network that has understood addition modulo p turns numbers into angles and reads its inputs through a few cosines. One that knows its pairs by heart uses no frequency more than another."</p>
            </div>
            {status(lab)}
            {part(problem)}
            {part(move || Some(body()))}
        </section>
    }
    .into_any()
}

/// The measures at the time slider.
fn here(lab: Lab) -> Option<CheckpointMeasures> {
    let step = lab.time_step()?;
    lab.measures.with(|measures| measures.get(&step).or_else(|| measures.range(..step).next_back().map(|(_, m)| m)).cloned())
}

fn measured(lab: Lab) -> AnyView {
    let at = Memo::new(move |_| here(lab));
    view! {
        {read_outs(lab, at)}
        <div class="charts">
            {figure(
                "Spectrum at this step",
                ().into_any(),
                spectrum(lab, at),
                "Share of each frequency in the input weights; key frequencies carry their number. A flat row is memory, or a wide network that uses every frequency, one per neuron: then the participation ratio below is high.".into_any(),
            )}
            {figure(
                "Spectrum over the run",
                ().into_any(),
                history(lab),
                "Each column is a checkpoint, each row a frequency. Bands that appear are frequencies being chosen. Click to move the time slider.".into_any(),
            )}
        </div>
        {figure(
            "One frequency per neuron?",
            ().into_any(),
            participation(lab),
            "Mean inverse participation ratio of the input weights: near 0 when a neuron reads all frequencies alike, 1 when it reads a single one.".into_any(),
        )}
    }
    .into_any()
}

fn key_names(measures: &CheckpointMeasures) -> String {
    if measures.key_frequencies.is_empty() {
        return "none stands out".into();
    }
    measures.key_frequencies.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

fn read_outs(lab: Lab, at: Memo<Option<CheckpointMeasures>>) -> AnyView {
    let content = move || {
        at.get().map(|measures| {
            let accuracy = lab.rows.with(|rows| {
                let row = rows.iter().rfind(|row| row.step <= measures.step);
                row.map(|row| format!("{:.1}% / {:.1}%", 100.0 * row.train_accuracy, 100.0 * row.test_accuracy))
            });
            view! {
                <dl class="facts wide" id="inside-facts" data-step=measures.step.to_string() data-ipr=measures.mean_ipr.to_string()>
                    <div><dt>"Step"</dt><dd class="number">{grouped(measures.step.into())}</dd></div>
                    <div><dt>"Accuracy, train / test"</dt><dd class="number">{accuracy}</dd></div>
                    <div><dt>"Participation ratio"</dt><dd class="number">{format!("{:.3}", measures.mean_ipr)}</dd></div>
                    <div><dt>"Weight norm"</dt><dd class="number">{format!("{:.2}", measures.weight_norm)}</dd></div>
                    <div><dt>"Key frequencies"</dt><dd class="number">{key_names(&measures)}</dd></div>
                </dl>
            }
            .into_any()
        })
    };
    view! { {part(content)} }.into_any()
}

fn spectrum(lab: Lab, at: Memo<Option<CheckpointMeasures>>) -> Sheet {
    let draw = move |show: &mut Show<'_>| {
        let measures = at.get();
        let (values, keys) = measures.as_ref().map_or((&[][..], &[][..]), |m| (&m.spectrum, &m.key_frequencies));
        let bars =
            Bars { values, first_index: 1, x_label: "frequency k".into(), y_label: "share of energy".into(), highlight: keys };
        show(&Picture::Bars(bars));
    };
    let label = move || match at.get() {
        Some(m) => format!("Spectrum of the input weights at step {}. Key frequencies: {}", m.step, key_names(&m)),
        None => "Spectrum, no data yet".into(),
    };
    let stem = move || {
        let step = at.with(|at| at.as_ref().map_or(0, |measures| measures.step));
        of_experiment(lab, &format!("spectrum-chart-step-{step}"))
    };
    named_sheet(lab, "spectrum-chart", label, stem, draw, ().into_any())
}

fn history(lab: Lab) -> Sheet {
    let frame = RwSignal::new(None::<GridFrame>);
    let steps = Memo::new(move |_| lab.measures.with(|measures| measures.keys().copied().collect::<Vec<u32>>()));
    let draw = move |show: &mut Show<'_>| {
        let place = lab.measures.with(|measures| {
            let columns: Vec<&Vec<f32>> = measures.values().map(|m| &m.spectrum).collect();
            // Row k is frequency k; row 0, the constant, is not part of the spectrum and stays blank.
            let rows = columns.first().map_or(0, |column| column.len() + 1);
            let value =
                |row: usize, column: &Vec<f32>| row.checked_sub(1).and_then(|k| column.get(k)).copied().unwrap_or(f32::NAN);
            let values: Vec<f32> = (0..rows).flat_map(|row| columns.iter().map(move |column| value(row, column))).collect();
            let map = HeatMap {
                rows,
                columns: columns.len(),
                values: &values,
                range: None,
                palette: Palette::Sequential,
                row_label: "frequency k".into(),
                column_label: "step".into(),
                column_names: Some(measures.keys().map(|step| grouped((*step).into())).collect()),
                row_names: None,
                selected_row: None,
                origin_top: false,
                caption_range: true,
            };
            show(&Picture::HeatMap(map))
        });
        keep(frame, place.and_then(Place::grid));
    };
    let scrub = move |event: web_sys::MouseEvent| {
        let cell = frame.get_untracked().and_then(|f| f.cell_at(f64::from(event.offset_x()), f64::from(event.offset_y())));
        if let Some((_, column)) = cell {
            lab.time.set(steps.with_untracked(|steps| steps.get(column).copied()));
        }
    };
    let cursor = move || {
        let (frame, step) = (frame.get()?, lab.time_step()?);
        let column = steps.with(|steps| steps.iter().position(|known| *known == step))?;
        let left = frame.left + frame.width * (column as f64 + 0.5) / frame.columns as f64;
        let style = format!("left:{left:.1}px;top:{:.1}px;height:{:.1}px", frame.top, frame.height);
        Some(view! { <span class="cursor" style=style></span> }.into_any())
    };
    let overlay = view! { <div class="overlay">{part(cursor)}</div> }.into_any();
    let label = move || format!("Spectrum at each of {} checkpoints", steps.with(Vec::len));
    let sheet = sheet(lab, "spectrum-map", label, draw, overlay);
    sheet.within(|canvas| view! { <div on:click=scrub>{canvas}</div> }.into_any())
}

/// The participation ratio over the run.
fn participation(lab: Lab) -> Sheet {
    let frame = RwSignal::new(None::<Frame>);
    let draw = move |show: &mut Show<'_>| {
        let points: Vec<(f64, f64)> =
            lab.measures.with(|all| all.values().map(|m| (f64::from(m.step), f64::from(m.mean_ipr))).collect());
        let series = [Series { label: "", ink: Ink::Accent, dashed: false, points: &points }];
        let y = Axis { range: Some((0.0, 1.0)), ..Axis::linear("participation ratio") };
        let curves = Curves {
            series: &series,
            x: Axis::count("step", lab.x_scale.get()),
            y,
            marks: &[],
            ticks: &[],
            cursor: None,
            bands: &[],
        };
        keep(frame, show(&Picture::Curves(curves)).and_then(Place::frame));
    };
    let cursor = move || {
        let (frame, step) = (frame.get()?, lab.time_step()?);
        let left = frame.px_of_x(f64::from(step));
        let style = format!("left:{left:.1}px;top:{:.1}px;height:{:.1}px", frame.top, frame.height);
        left.is_finite().then(|| view! { <span class="cursor" style=style></span> }.into_any())
    };
    let label = move || match here(lab) {
        Some(m) => format!("Participation ratio over steps; {:.3} at step {}", m.mean_ipr, m.step),
        None => "Participation ratio over steps, no data yet".into(),
    };
    let sheet = sheet(lab, "participation-chart", label, draw, view! { <div class="overlay">{part(cursor)}</div> }.into_any());
    sheet.within(|canvas| view! { <div style="--height:13rem;--height-narrow:13rem">{canvas}</div> }.into_any())
}
