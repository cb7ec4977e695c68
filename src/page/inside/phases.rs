//! Four losses in one figure, with the phases that they show: memorisation, circuit formation, clean-up (Nanda et al. 2301.05217).

use crate::measure::phases;
use crate::page::chart::{Show, figure, keep, sheet, switch};
use crate::page::live::{part, text};
use crate::page::store::Lab;
use crate::plot::{Axis, Band, Curves, Frame, Ink, Picture, Place, Scale, Series};
use leptos::prelude::*;

fn points(curve: &[(u32, f64)]) -> Vec<(f64, f64)> {
    curve.iter().map(|(step, value)| (f64::from(*step), *value)).collect()
}

/// The figure.
pub(super) fn figure_of(lab: Lab) -> AnyView {
    let frame = RwSignal::new(None::<Frame>);
    let log = RwSignal::new(true);
    let found = Memo::new(move |_| {
        let ended = !lab.phase.get().is_live();
        let [restricted, excluded] =
            ["restricted_loss", "excluded_loss"].map(|name| lab.measures.with(|table| table.curve(name)));
        let found = lab.rows.with(|rows| phases(rows, &restricted, &excluded));
        (restricted, excluded, found.map_err(|error| error.to_string()), ended)
    });
    let draw = move |show: &mut Show<'_>| {
        let (restricted, excluded, found, ended) = found.get();
        let (train, test): (Vec<_>, Vec<_>) = lab.rows.with(|rows| {
            rows.iter()
                .map(|row| ((f64::from(row.step), f64::from(row.train_loss)), (f64::from(row.step), f64::from(row.test_loss))))
                .unzip()
        });
        let (restricted, excluded) = (points(&restricted), points(&excluded));
        let line = |label: &'static str, ink, dashed, points| Series { label, ink, dashed, points };
        let series = [
            line("train", Ink::Train, false, &train[..]),
            line("test", Ink::Test, false, &test[..]),
            line("restricted", Ink::Theory, false, &restricted[..]),
            line("excluded", Ink::Accent, false, &excluded[..]),
        ];
        let band =
            |from: u32, to: u32, label: &str, ink| Band { from: f64::from(from), to: f64::from(to), label: label.into(), ink };
        let mut bands = Vec::new();
        if let (Ok(phases), true) = (&found, ended) {
            let last = train.last().map_or(0, |point| point.0 as u32);
            bands.push(band(0, phases.memorised, "memorisation", Ink::Train));
            bands.push(band(phases.memorised, phases.formed, "circuit formation", Ink::Theory));
            bands.push(band(phases.formed, phases.cleaned.unwrap_or(last), "clean-up", Ink::Test));
        }
        let scale = if log.get() { Scale::Log } else { Scale::Linear };
        let curves = Curves {
            series: &series,
            x: Axis::count("step", lab.x_scale.get()),
            y: Axis { scale, ..Axis::linear("loss") },
            marks: &[],
            ticks: &[],
            cursor: None,
            bands: &bands,
            areas: &[],
        };
        keep(frame, show(&Picture::Curves(curves)).and_then(Place::frame));
    };
    let cursor = move || {
        let (frame, step) = (frame.get()?, lab.time_step()?);
        let left = frame.px_of_x(f64::from(step));
        let style = format!("left:{left:.1}px;top:{:.1}px;height:{:.1}px", frame.top, frame.height);
        left.is_finite().then(|| view! { <span class="cursor" style=style></span> }.into_any())
    };
    let scrub = move |event: web_sys::MouseEvent| {
        if let Some(frame) = frame.get_untracked() {
            lab.time.set(Some(frame.x_at(f64::from(event.offset_x())).max(0.0).round() as u32));
        }
    };
    let told = move || match found.get() {
        (_, _, Ok(phases), true) => {
            let fall = phases.restricted_fall.map_or_else(String::new, |share| {
                format!(" {:.0}% of the fall of the restricted loss was done before the test loss fell.", 100.0 * share)
            });
            format!(
                "Phases end at steps {}, {} and {}.{fall}",
                phases.memorised,
                phases.formed,
                phases.cleaned.map_or_else(|| "–".into(), |step| step.to_string())
            )
        }
        (_, _, Ok(_), false) => "Phases are found when the run is over.".into(),
        (_, _, Err(reason), _) => format!("{reason}."),
    };
    let sheet = sheet(
        lab,
        "phase-chart",
        move || format!("Train, test, restricted and excluded loss over steps. {}", told()),
        draw,
        view! { <div class="overlay">{part(cursor)}</div> }.into_any(),
    )
    .within(|canvas| view! { <div style="--height:22rem" on:click=scrub>{canvas}</div> }.into_any());
    figure(
        "Before the jump shows",
        switch("Loss", ["linear", "log"], log),
        sheet,
        view! {
            "Restricted: what the key components alone can do, on all pairs. Excluded: what is left without them, on training pairs. The first falls while the test loss still stands: the circuit is there before it shows. "
            <span class="number" id="phases">{text(told)}</span>
        }
        .into_any(),
    )
}
