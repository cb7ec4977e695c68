//! The two live charts: loss and accuracy over the step.
//!
//! The pointer snaps to evaluated steps and stands at the same step in both charts, since a value read between two evaluations
//! was never measured. A click moves the time slider to the nearest checkpoint.

use super::branch::Baseline;
use super::chart::{Sheet, Show, figure, keep, sheet, switch};
use super::live::{flag, part, text};
use super::store::{Lab, grouped};
use super::timeline::{Happening, happenings};
use crate::experiment::kinds_of;
use crate::plot::{Axis, Curves, Frame, Ink, Mark, NumberFormat, Picture, Place, Scale, Series, css_hex, nearest_index};
use crate::record::MetricRow;
use leptos::prelude::*;

/// What a chart shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quantity {
    Loss,
    Accuracy,
}

impl Quantity {
    fn of(self, row: &MetricRow) -> (f64, f64) {
        match self {
            Self::Loss => (f64::from(row.train_loss), f64::from(row.test_loss)),
            Self::Accuracy => (f64::from(row.train_accuracy), f64::from(row.test_accuracy)),
        }
    }

    fn written(self, value: f64) -> String {
        match self {
            Self::Loss if value != 0.0 && !(0.001..1e5).contains(&value.abs()) => format!("{value:.2e}"),
            Self::Loss => format!("{value:.4}"),
            Self::Accuracy => format!("{:.1}%", 100.0 * value),
        }
    }
}

/// Both charts.
pub(super) fn curves(lab: Lab) -> AnyView {
    let log_x = two_way(lab.x_scale);
    let log_loss = two_way(lab.loss_scale);
    // In two stages: the run changes at every checkpoint, its experiment hardly ever.
    let experiment = Memo::new(move |_| lab.shown_experiment());
    let events = Memo::new(move |_| experiment.with(happenings));
    let unit = move || match lab.shown_experiment().loss.as_str() {
        "cross_entropy" => "Loss in nats (cross-entropy), lower is better. ".to_owned(),
        "mean_squared_error" => "Mean squared error to the one-hot answer, lower is better. ".to_owned(),
        name => {
            let losses = kinds_of("loss").unwrap_or_default();
            format!("{}, lower is better. ", losses.iter().find(|kind| kind.name == name).map_or(name, |kind| kind.label))
        }
    };
    let loss = figure(
        "Loss",
        view! { <div class="row">{switch("Steps", ["linear", "log"], log_x)}{switch("Loss", ["linear", "log"], log_loss)}</div> }
            .into_any(),
        chart(lab, "loss-chart", Quantity::Loss, events),
        view! { {text(unit)}"When the test line falls long after the training line, the network has grokked." }.into_any(),
    );
    let accuracy = figure(
        "Accuracy",
        switch("Steps", ["linear", "log"], log_x),
        chart(lab, "accuracy-chart", Quantity::Accuracy, events),
        "Share of pairs answered rightly, over all of them. Ticks on the step axis are saved checkpoints; click to look inside one."
            .into_any(),
    );
    view! { <div class="charts">{loss}{accuracy}</div> }.into_any()
}

/// A switch that stands for a scale.
fn two_way(scale: RwSignal<Scale>) -> RwSignal<bool> {
    let log = RwSignal::new(scale.get_untracked() == Scale::Log);
    Effect::new(move |_| scale.set(if log.get() { Scale::Log } else { Scale::Linear }));
    log
}

fn chart(lab: Lab, id: &'static str, quantity: Quantity, events: Memo<Vec<Happening>>) -> Sheet {
    let frame = RwSignal::new(None::<Frame>);
    let loss_unit = Memo::new(move |_| {
        let is_in_nats = lab.shown_experiment().loss.as_str() == "cross_entropy";
        if is_in_nats { "loss (nats)" } else { "loss" }
    });
    let draw = move |show: &mut Show<'_>| {
        let place = lab.rows.with(|rows| {
            let points = |test: bool| -> Vec<(f64, f64)> {
                let value = |row: &MetricRow| if test { quantity.of(row).1 } else { quantity.of(row).0 };
                rows.iter().map(|row| (f64::from(row.step), value(row))).collect()
            };
            let (train, test) = (points(false), points(true));
            let baseline = lab.baseline.get();
            let of_original = |test: bool| -> Vec<(f64, f64)> {
                let value = |row: &MetricRow| if test { quantity.of(row).1 } else { quantity.of(row).0 };
                let rows = baseline.as_ref().map(Baseline::after).unwrap_or_default();
                rows.iter().map(|row| (f64::from(row.step), value(row))).collect()
            };
            let (train_before, test_before) = (of_original(false), of_original(true));
            // The first ones keep their names where there is no room for all.
            let mut series = vec![
                Series { label: "test", ink: Ink::Test, dashed: false, points: &test },
                Series { label: "train", ink: Ink::Train, dashed: false, points: &train },
            ];
            if baseline.is_some() {
                series.push(Series { label: "original", ink: Ink::Test, dashed: true, points: &test_before });
                series.push(Series { label: "original", ink: Ink::Train, dashed: true, points: &train_before });
            }
            let ticks: Vec<f64> = lab.checkpoints.with(|all| all.iter().map(|c| f64::from(c.step)).collect());
            let x =
                Axis { label: "step".into(), scale: lab.x_scale.get(), range: Some((0.0, last_step(lab))), ..Axis::default() };
            let y = match quantity {
                Quantity::Loss => Axis { scale: lab.loss_scale.get(), ..Axis::linear(loss_unit.get()) },
                Quantity::Accuracy => Axis { format: NumberFormat::Percent, ..Axis::share("accuracy") },
            };
            let mut marks = marks(lab);
            marks.extend(events.with(|all| all.iter().map(|e| Mark::event(f64::from(e.step), &e.words)).collect::<Vec<_>>()));
            show(&Picture::Curves(Curves {
                series: &series,
                x,
                y,
                marks: &marks,
                ticks: &ticks,
                cursor: None,
                bands: &[],
                areas: &[],
            }))
        });
        keep(frame, place.and_then(Place::frame));
    };
    let label = move || {
        let name = if quantity == Quantity::Loss { "Loss" } else { "Accuracy" };
        match shown_row(lab) {
            Some(row) => {
                let (train, test) = quantity.of(&row);
                format!(
                    "{name} over steps. At step {}: train {}, test {}. {}",
                    row.step,
                    quantity.written(train),
                    quantity.written(test),
                    lab.state_in_words()
                )
            }
            None => format!("{name} over steps, no data yet"),
        }
    };
    let sheet = sheet(lab, id, label, draw, overlay(lab, quantity, frame));
    sheet.within(|canvas| {
        view! { {read_out(lab, quantity, events, frame)} {pointer(lab, frame, canvas)} {numbers(lab, quantity)} }.into_any()
    })
}

/// The right end of the step axis: what is planned while the run goes on, what was made once it has ended.
fn last_step(lab: Lab) -> f64 {
    let planned = lab.shown_experiment().steps;
    let ended = lab.run.with(|run| run.as_ref().is_none_or(|run| run.summary.is_some())) || !lab.phase.get().is_live();
    let made = lab.rows.with(|rows| rows.last().map(|row| row.step));
    let shown = made.filter(|made| ended && *made > 0).unwrap_or(planned);
    let original = lab.baseline.with(|baseline| baseline.as_ref().and_then(|b| b.rows.last().map(|row| row.step)));
    f64::from(shown.max(original.unwrap_or(0)))
}

fn marks(lab: Lab) -> Vec<Mark> {
    let dates = lab.delay();
    let mark =
        |step: Option<u32>, word: &str| step.map(|step| Mark::date(f64::from(step), format!("{word} {}", grouped(step.into()))));
    [mark(dates.t_mem, "memorised"), mark(dates.t_gen, "understood")].into_iter().flatten().collect()
}

/// The row under the pointer, or the newest.
fn shown_row(lab: Lab) -> Option<MetricRow> {
    let hover = lab.hover.get();
    lab.rows.with(|rows| match hover {
        Some(step) => rows.iter().find(|row| row.step == step).copied(),
        None => rows.last().copied(),
    })
}

/// Changes at most this many CSS pixels from the pointer are told in full.
const NEAR: f64 = 14.0;

fn read_out(lab: Lab, quantity: Quantity, events: Memo<Vec<Happening>>, frame: RwSignal<Option<Frame>>) -> AnyView {
    let changed = move || {
        let (hover, frame) = (lab.hover.get()?, frame.get()?);
        let here = frame.px_of_x(f64::from(hover));
        let near = |event: &&Happening| (frame.px_of_x(f64::from(event.step)) - here).abs() <= NEAR;
        let told = events.with(|all| all.iter().filter(near).map(|event| event.full.clone()).collect::<Vec<_>>());
        (!told.is_empty()).then(|| view! { <span class="accent">{told.join("; ")}</span> })
    };
    let original = move |step: u32| {
        let before = lab.baseline.with(|baseline| baseline.as_ref().and_then(|b| b.row(step)).map(|row| quantity.of(row)));
        before.map(|(train, test)| view! { <span>"original "{quantity.written(train)}" / "{quantity.written(test)}</span> })
    };
    let content = move || {
        shown_row(lab).map(|row| {
            let (train, test) = quantity.of(&row);
            view! {
                <span>"step "{grouped(row.step.into())}</span>
                <span class="train">"train "{quantity.written(train)}</span>
                <span class="test">"test "{quantity.written(test)}</span>
                {original(row.step)}
                {changed()}
            }
            .into_any()
        })
    };
    // Two lines from the start where there may be two, so that the chart stays in its place under the pointer.
    let tall = move || lab.baseline.with(Option::is_some) || events.with(|all| !all.is_empty());
    view! { <div class="read-out" class:tall=flag(tall)>{part(content)}</div> }.into_any()
}

/// Makes `body` follow the pointer and the arrow keys.
fn pointer(lab: Lab, frame: RwSignal<Option<Frame>>, body: AnyView) -> AnyView {
    let step_at = move |x: f64| {
        let value = frame.get_untracked()?.x_at(x);
        lab.rows.with_untracked(|rows| {
            let steps: Vec<(f64, f64)> = rows.iter().map(|row| (f64::from(row.step), 0.0)).collect();
            nearest_index(&steps, value).and_then(|index| rows.get(index)).map(|row| row.step)
        })
    };
    let follow = move |event: web_sys::PointerEvent| {
        let step = step_at(f64::from(event.offset_x()));
        if lab.hover.get_untracked() != step {
            lab.hover.set(step);
        }
    };
    let scrub = move |event: web_sys::MouseEvent| {
        if let Some(step) = step_at(f64::from(event.offset_x())) {
            lab.time.set(Some(step));
        }
    };
    let by_key = move |event: web_sys::KeyboardEvent| {
        let direction = match event.key().as_str() {
            "ArrowRight" => 1,
            "ArrowLeft" => -1,
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        lab.rows.with_untracked(|rows| {
            let here = lab.hover.get_untracked();
            let at = here.and_then(|step| rows.iter().position(|row| row.step == step)).unwrap_or(rows.len().saturating_sub(1));
            if let Some(row) = rows.get(at.saturating_add_signed(direction)) {
                lab.hover.set(Some(row.step));
            }
        });
    };
    view! {
        <div tabindex="0" role="group" aria-label="Chart; read values with the left and right arrow keys"
            on:pointermove=follow on:pointerleave=move |_| lab.hover.set(None) on:click=scrub on:keydown=by_key
            on:blur=move |_| lab.hover.set(None)>{body}</div>
    }
    .into_any()
}

fn overlay(lab: Lab, quantity: Quantity, frame: RwSignal<Option<Frame>>) -> AnyView {
    let line = move |class: &'static str, step: Option<u32>| {
        let frame = frame.get()?;
        let left = frame.px_of_x(f64::from(step?));
        let style = format!("left:{left:.1}px;top:{:.1}px;height:{:.1}px", frame.top, frame.height);
        left.is_finite().then(|| view! { <span class=class style=style></span> }.into_any())
    };
    let dots = move || {
        let (frame, hover) = (frame.get()?, lab.hover.get()?);
        let row = lab.rows.with(|rows| rows.iter().find(|row| row.step == hover).copied())?;
        let (train, test) = quantity.of(&row);
        let dot = |value: f64, ink: Ink| {
            let (x, y) = (frame.px_of_x(f64::from(row.step)), frame.px_of_y(value));
            let style = format!("left:{x:.1}px;top:{y:.1}px;background:{}", css_hex(ink, lab.dark.get()));
            (x.is_finite() && y.is_finite()).then(|| view! { <span class="dot" style=style></span> })
        };
        Some(view! { {dot(train, Ink::Train)} {dot(test, Ink::Test)} }.into_any())
    };
    let cursor = move || lab.time.get().and_then(|_| line("cursor", lab.time_step()));
    view! {
        <div class="overlay">
            {part(cursor)}
            {part(move || line("hair", lab.hover.get()))}
            {part(dots)}
        </div>
    }
    .into_any()
}

/// The chart as a table, at most this many lines.
const TABLE_LINES: usize = 40;

fn numbers(lab: Lab, quantity: Quantity) -> AnyView {
    let open = RwSignal::new(false);
    let lines = move || {
        lab.rows.with(|rows| {
            let every = rows.len().div_ceil(TABLE_LINES).max(1);
            let last = rows.len().saturating_sub(1);
            let picked = rows.iter().enumerate().filter(|(index, _)| index % every == 0 || *index == last);
            picked
                .map(|(_, row)| {
                    let (train, test) = quantity.of(row);
                    view! { <tr><td>{row.step}</td><td>{quantity.written(train)}</td><td>{quantity.written(test)}</td></tr> }
                })
                .collect::<Vec<_>>()
        })
    };
    view! {
        <details class="numbers" on:toggle=move |_| open.update(|open| *open = !*open)>
            <summary class="muted">"Numbers"</summary>
            {part(move || open.get().then(|| view! {
                <div class="table-scroll">
                    <table><thead><tr><th>"step"</th><th>"train"</th><th>"test"</th></tr></thead><tbody>{part(move || Some(lines().into_any()))}</tbody></table>
                </div>
            }.into_any()))}
        </details>
    }
    .into_any()
}
