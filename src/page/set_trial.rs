//! What a set of latents was found to do: the loss without it, and what the network says when it is pushed along it.

use super::chart::{Show, figure, named_sheet, of_experiment};
use super::live::text;
use super::store::Lab;
use crate::crosscoder::CrosscoderResult;
use crate::crosscoder::causal::{Along, Band, Effect, SetAtSource, SetTrial};
use crate::plot::{Axis, Curves, Ink, Picture, Series};
use leptos::prelude::*;

fn number(value: f64) -> String {
    match value.abs() {
        size if size < 0.0005 => "0.000".to_owned(),
        size if size < 100.0 => format!("{value:+.3}"),
        _ => format!("{value:+.0}"),
    }
}

fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

fn label_of(fit: &CrosscoderResult, at: &SetAtSource) -> String {
    fit.sources.get(at.source as usize).map_or_else(String::new, crate::crosscoder::SourceInfo::label)
}

/// The tables and the curves.
pub(super) fn found(lab: Lab, fit: &CrosscoderResult, trial: &SetTrial) -> AnyView {
    let latents = trial.question.latents.len();
    let upper = |band: Option<Band>| band.map_or("–".to_owned(), |band| number(band.upper));
    let rows: Vec<_> = trial
        .sources
        .iter()
        .map(|at| {
            let rise = |effect: &Effect| number(effect.test_loss - at.clean.test_loss);
            view! {
                <tr data-rise=(at.zero.test_loss - at.clean.test_loss).to_string() data-moved=at.moved.map_or(f64::NAN, |band| band.upper).to_string()>
                    <th scope="row">{label_of(fit, at)}</th>
                    <td><strong>{rise(&at.zero)}</strong></td>
                    <td>{rise(&at.mean)}</td>
                    <td>{rise(&at.resample)}</td>
                    <td>{upper(at.random)}</td>
                    <td>{upper(at.matched)}</td>
                    <td>{upper(at.moved)}</td>
                    <td>{number(at.zero.train_loss - at.clean.train_loss)}</td>
                    <td>{format!("{} → {}", percent(at.clean.test_accuracy), percent(at.zero.test_accuracy))}</td>
                    <td>{format!("{} → {}", percent(at.clean.train_accuracy), percent(at.zero.train_accuracy))}</td>
                </tr>
            }
        })
        .collect();
    view! {
        <h3>{format!("Without {latents} latents")}</h3>
        <div class="table-scroll whole" tabindex="0" role="group" aria-label="Change of loss and accuracy without the chosen latents">
            <table id="set-table">
                <thead><tr>
                    <th scope="col">"checkpoint"</th><th scope="col">"test loss, zero"</th><th scope="col">"mean"</th><th scope="col">"resampled"</th>
                    <th scope="col">"as many"</th><th scope="col">"as strong"</th><th scope="col">"moved as far"</th>
                    <th scope="col">"training loss, zero"</th><th scope="col">"test accuracy"</th><th scope="col">"training accuracy"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <p class="small muted">"Controls are 95th percentiles of the rise of the test loss over twenty draws; – where there are not so many other latents. A set that does no more than its controls does nothing that can be told from chance."</p>
        {steering(lab, fit, trial)}
    }
    .into_any()
}

/// Test loss and commonest answer by strength, at the checkpoint that is chosen.
fn steering(lab: Lab, fit: &CrosscoderResult, trial: &SetTrial) -> AnyView {
    let steered: Vec<(String, SetAtSource)> =
        trial.sources.iter().filter(|at| !at.steered.is_empty()).map(|at| (label_of(fit, at), at.clone())).collect();
    if steered.is_empty() {
        return view! { <p class="small muted">"They could not be added: their home is another hook than what is read here. Tick the box to use each checkpoint's own vectors."</p> }
            .into_any();
    }
    let chosen = RwSignal::new(steered.len() - 1);
    let buttons: Vec<_> = steered
        .iter()
        .enumerate()
        .map(|(index, (label, _))| {
            view! {
                <button type="button" aria-pressed=text(move || (chosen.get() == index).to_string()) on:click=move |_| chosen.set(index)>
                    {label.clone()}</button>
            }
        })
        .collect();
    let all = StoredValue::new(steered);
    let at = move || all.with_value(|all| all.get(chosen.get()).map(|(_, at)| at.clone()));
    let words = move || {
        let Some(most) = at().and_then(|at| at.steered.last().cloned()) else { return String::new() };
        let answers = &most.answered;
        let best = (0..answers.len()).fold(0, |best, class| if answers[class] > answers[best] { class } else { best });
        let share = answers.get(best).copied().unwrap_or(0.0);
        format!("At strength {} the commonest answer is {best}, on {:.0}% of all inputs.", most.strength, 100.0 * share)
    };
    let draw = move |show: &mut Show<'_>| {
        let Some(at) = at() else { return };
        let along = |value: &dyn Fn(&Effect) -> f64| -> Vec<(f64, f64)> {
            // Where nothing is added, the network is as it is.
            let mut points: Vec<(f64, f64)> =
                at.steered.iter().map(|steered| (f64::from(steered.strength), value(&steered.effect))).collect();
            points.push((0.0, value(&at.clean)));
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            points
        };
        let mut aside: Vec<(f64, f64)> = vec![(0.0, at.clean.test_loss)];
        aside.extend(at.steered.iter().filter_map(|s| Some((f64::from(s.strength), at.clean.test_loss + s.aside?.median))));
        aside.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (test, train) = (along(&|effect| effect.test_loss), along(&|effect| effect.train_loss));
        let line = |label, ink, dashed, points| Series { label, ink, dashed, points };
        let series = [
            line("test", Ink::Test, false, &test[..]),
            line("train", Ink::Train, false, &train[..]),
            line("test, random vector", Ink::Baseline, true, &aside[..]),
        ];
        let x = Axis::linear("strength α");
        let y = Axis::linear("loss");
        show(&Picture::Curves(Curves { series: &series, x, y, marks: &[], ticks: &[], cursor: None, bands: &[], areas: &[] }));
    };
    let whose = match trial.question.along {
        Along::Home => "of the latents' homes",
        Along::Here => "of the checkpoint itself",
    };
    let name = format!("{}-set-steered", fit.config.name);
    let stem = move || of_experiment(lab, &name);
    figure(
        "Steered",
        view! { <div class="switch wrap" role="group" aria-label="Checkpoint">{buttons}</div> }.into_any(),
        named_sheet(lab, "set-steering", words, stem, draw, ().into_any())
            .within(|canvas| view! { <div style="--height:14rem">{canvas}</div> }.into_any()),
        view! { {text(words)}{format!(" On every input the same vector is added: α times what the set contributes on average where it fires, with the vectors {whose}; −1 takes that much away. Dashed: the median of five random vectors as long. That a push changes the loss is no evidence that the network uses the set at its natural size: the table tells that.")} }.into_any(),
    )
}
