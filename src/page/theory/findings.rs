//! What a panel found: figures with their residuals, numbers beside what was expected, assumptions with what became of each.
//!
//! Figures stay where they are while settings change and only draw anew; a canvas that is replaced at every answer would blink, and
//! its menu would close under the hand.

use super::asking::Against;
use super::{handles, sentence};
use crate::page::chart::{Show, figure, keep, named_sheet};
use crate::page::live::{part, text};
use crate::page::store::Lab;
use crate::plot::Frame;
use crate::report::theory::{caption, short, with_picture, with_residuals};
use crate::theory::{Drawing, Figure, Outcome};
use leptos::prelude::*;

/// What decides how figures are laid out: name, height, and whether there are residuals. The caption may follow the settings.
type Place = (String, &'static str, bool);

/// Everything that was found.
pub(super) fn findings(lab: Lab) -> AnyView {
    let theory = lab.theory;
    let places: Memo<Vec<Place>> =
        Memo::new(move |_| theory.found().map_or(Vec::new(), |outcome| outcome.figures.iter().map(place).collect()));
    let figures = move || {
        let all: Vec<_> = places.get().into_iter().map(|place| one_figure(lab, place)).collect();
        Some(view! { <div class="theory-figures">{all}</div> }.into_any())
    };
    let tables = move || theory.found().map(|outcome| tables(&outcome));
    view! { {part(figures)}{part(tables)} }.into_any()
}

fn place(figure: &Figure) -> Place {
    let height = match figure.drawing {
        Drawing::Lines { .. } => "--height:21rem;--height-narrow:17rem",
        Drawing::Points { .. } | Drawing::Map { .. } => "--height:26rem;--height-narrow:19rem",
    };
    (figure.name.clone(), height, with_residuals(figure, |_| ()).is_some())
}

/// A figure, and below it the smaller one of its residuals.
fn one_figure(lab: Lab, (name, height, has_residuals): Place) -> AnyView {
    let theory = lab.theory;
    let is_movable =
        move |name: &str| theory.against.get_untracked() == Against::System && theory.panel.get_untracked().movable == Some(name);
    let frame = RwSignal::new(None);
    let (over, controls) =
        if is_movable(&name) { (handles::handles(lab, frame), Some(handles::help(lab))) } else { (().into_any(), None) };
    let title = titled(&name);
    let told = name.clone();
    let words = move || {
        let of = |outcome: &Outcome| outcome.figures.iter().find(|figure| figure.name == told).map(caption);
        theory.found().as_deref().and_then(of).map_or_else(String::new, sentence)
    };
    let residuals = has_residuals.then(|| {
        figure(
            format!("{title}: what is left"),
            ().into_any(),
            sheet(lab, &name, true, RwSignal::new(None), ().into_any())
                .within(|canvas| view! { <div style="--height:12rem;--height-narrow:11rem">{canvas}</div> }.into_any()),
            "Measured less predicted. Where the law holds, nothing but chance is left about the dashed zero.".into_any(),
        )
    });
    view! {
        <div class="theory-pair">
            {figure(
                title,
                ().into_any(),
                sheet(lab, &name, false, frame, over).within(|canvas| view! { <div style=height>{canvas}</div> }.into_any()),
                view! { {text(words)}{controls} }.into_any(),
            )}
            {residuals}
        </div>
    }
    .into_any()
}

/// The canvas of the figure called `name`, or of its residuals, with something over it; `frame` is set to where its plot stands.
fn sheet(lab: Lab, name: &str, is_residual: bool, frame: RwSignal<Option<Frame>>, over: AnyView) -> crate::page::chart::Sheet {
    let theory = lab.theory;
    let (sought, spoken) = (name.to_owned(), name.to_owned());
    let draw = move |show: &mut Show<'_>| {
        let outcome = theory.found();
        if let Some(figure) = outcome.iter().flat_map(|outcome| &outcome.figures).find(|figure| figure.name == sought) {
            let place = if is_residual {
                with_residuals(figure, |picture| show(picture)).flatten()
            } else {
                with_picture(figure, |picture| show(picture))
            };
            keep(frame, place.and_then(crate::plot::Place::frame));
        }
    };
    let panel = move || theory.panel.get_untracked().about.name;
    let kind = if is_residual { "residuals" } else { "figure" };
    let stem = {
        let name = name.to_owned();
        move || if is_residual { format!("{}-{name}-residuals", panel()) } else { format!("{}-{name}", panel()) }
    };
    let label = move || {
        let told = theory.found().map(|outcome| outcome.headline.clone());
        let what = if is_residual { "Measured less predicted" } else { "Prediction and measurement" };
        format!("{what}, {}. {}", spoken.replace(['-', '_'], " "), told.unwrap_or_default())
    };
    named_sheet(lab, format!("theory-{kind}-{name}"), label, stem, draw, over)
}

/// A file's name as a title.
fn titled(name: &str) -> String {
    let words = name.replace(['-', '_'], " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

/// Numbers and assumptions.
fn tables(outcome: &Outcome) -> AnyView {
    let rows: Vec<_> = outcome
        .numbers
        .iter()
        .map(|number| {
            let of = |value: Option<f64>| value.map_or("–".to_owned(), short);
            let band = number.band.map_or("–".to_owned(), |(low, high)| format!("{} to {}", short(low), short(high)));
            let unit = if number.unit.is_empty() { String::new() } else { format!(" ({})", number.unit) };
            view! {
                <tr id=format!("theory-number-{}", number.name) data-value=number.value.to_string()>
                    <th scope="row" class="wrap">{number.label.clone()}<span class="muted">{unit}</span></th>
                    <td>{short(number.value)}</td>
                    <td>{of(number.expected)}</td>
                    <td>{of(number.expected.map(|expected| number.value - expected))}</td>
                    <td>{band}</td>
                </tr>
            }
        })
        .collect();
    let assumptions: Vec<_> = outcome
        .assumptions
        .iter()
        .map(|assumption| {
            let (sign, word, state) = match assumption.holds {
                Some(true) => ("✓", "Holds: ", "holds"),
                Some(false) => ("✗", "Fails: ", "fails"),
                None => ("?", "Cannot be told: ", "unknown"),
            };
            view! {
                <li data-holds=state>
                    <span class="sign" aria-hidden="true">{sign}</span>
                    <span><span class="visually-hidden">{word}</span>{assumption.statement.clone()}<span class="small muted">" – "{assumption.evidence.clone()}</span></span>
                </li>
            }
        })
        .collect();
    view! {
        <div class="card">
            <h3>"Numbers"</h3>
            <div class="table-scroll whole" tabindex="0" role="group" aria-label="Numbers of the panel">
                <table id="theory-numbers">
                    <thead><tr><th scope="col">"number"</th><th scope="col">"value"</th><th scope="col">"expected"</th><th scope="col">"difference"</th><th scope="col">"band"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <h3>"What the theory takes for granted"</h3>
            <ul class="assumptions" id="theory-assumptions">{assumptions}</ul>
        </div>
    }
    .into_any()
}
