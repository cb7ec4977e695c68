//! Trying the chosen latent: the network without it at every compared checkpoint, and with more and more of it at its home.
//!
//! The picture of where a latent fires invites a story; what the network answers when it is added everywhere tests the story. The
//! engine makes the passes on the CPU, beside whatever else it does.

use super::chart::{Show, figure, named_sheet, of_experiment};
use super::live::{flag, part, text};
use super::session::send;
use super::store::Lab;
use crate::crosscoder::causal::{Trial, TrialInput, amounts};
use crate::crosscoder::{CrosscoderResult, Latent};
use crate::engine::message::{Command, TrialOrder};
use crate::plot::{Axis, Curves, Ink, NumberFormat, Picture, Series};
use crate::record::UserError;
use leptos::prelude::*;
use std::sync::Arc;

/// Trials of one latent of one fit.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Trials {
    /// Name of the fit and index of the latent.
    of: Option<(String, u32)>,
    found: Vec<Trial>,
    awaited: usize,
}

/// A trial ended.
pub(super) fn tried(lab: Lab, trial: Trial) {
    lab.trials.update(|trials| {
        // The answer to an earlier question about another latent.
        if trials.of.as_ref().is_none_or(|(_, latent)| *latent != trial.latent) {
            return;
        }
        trials.awaited = trials.awaited.saturating_sub(1);
        trials.found.push(trial);
        trials.found.sort_by_key(|trial| trial.source);
    });
}

/// No more answers will come.
pub(super) fn refused(lab: Lab) {
    lab.trials.update(|trials| trials.awaited = 0);
}

/// Asks for the trials of `latent` at every source of `fit` that is of this run.
fn ask(lab: Lab, fit: &CrosscoderResult, latent: &Latent) -> Result<(), UserError> {
    let Some(experiment) = lab.run.with_untracked(|run| run.as_ref().map(|run| run.experiment.clone())) else { return Ok(()) };
    fit.can_be_tried()?;
    let missing = || UserError::new("The fit was kept without its weights", "Fit again");
    let home = latent.home();
    let first = lab.checkpoints.with_untracked(|all| all.first().cloned());
    let mut orders = Vec::new();
    for (s, source) in fit.sources.iter().enumerate().filter(|(_, source)| source.is_own()) {
        let saved = lab.checkpoints.with_untracked(|all| all.iter().find(|checkpoint| checkpoint.step == source.step).cloned());
        let Some(checkpoint) = saved else { continue };
        let vector = fit.decoder_vector(latent.index, s).ok_or_else(missing)?;
        let codes = fit.codes_at(latent.index, s);
        let input = TrialInput {
            latent: latent.index,
            source: s as u32,
            amounts: if s == home { amounts(&codes) } else { Vec::new() },
            codes,
            decoder: vector,
        };
        orders.push(TrialOrder { checkpoint, first: first.clone(), hook: fit.hook_of(s), input });
    }
    let of = Some((fit.config.name.clone(), latent.index));
    lab.trials.set(Trials { of, found: Vec::new(), awaited: orders.len() });
    orders.into_iter().for_each(|order| send(lab, &Command::Try(experiment.clone(), order)));
    Ok(())
}

/// The button, and what was found for the chosen latent.
pub(super) fn trial(lab: Lab, fit: Arc<CrosscoderResult>, latent: Memo<Option<Latent>>) -> AnyView {
    if fit.foreign_rows().is_some() {
        let words = "There is no network behind a file of activations, so this latent cannot be taken out or added.";
        return view! { <p class="small muted" id="latent-trial-absent">{words}</p> }.into_any();
    }
    let name = fit.config.name.clone();
    let shown = Memo::new(move |_| {
        let index = latent.with(|latent| latent.as_ref().map(|latent| latent.index))?;
        lab.trials.with(|trials| (trials.of.as_ref() == Some(&(name.clone(), index))).then(|| trials.clone()))
    });
    let is_awaited = move || lab.trials.with(|trials| trials.awaited > 0);
    let asked = fit.clone();
    let press = move |_| {
        if let Some(latent) = latent.get_untracked()
            && let Err(error) = ask(lab, &asked, &latent)
        {
            lab.fail(error);
        }
    };
    let label = move || if is_awaited() { "Trying…" } else { "Try this latent" };
    view! {
        <div class="figure" id="latent-trial">
            <div class="row">
                <button type="button" id="try-latent" disabled=flag(move || is_awaited() || latent.with(Option::is_none)) on:click=press>
                    {text(move || label().into())}
                </button>
                <span class="small muted">"Takes it out at every compared checkpoint, and adds it on all inputs at its home."</span>
            </div>
            {part(move || shown.get().filter(|trials| !trials.found.is_empty()).map(|trials| found(lab, &fit, trials.found)))}
        </div>
    }
    .into_any()
}

fn found(lab: Lab, fit: &CrosscoderResult, trials: Vec<Trial>) -> AnyView {
    let rows: Vec<_> = trials
        .iter()
        .map(|trial| {
            let label = fit.sources.get(trial.source as usize).map_or_else(String::new, crate::crosscoder::SourceInfo::label);
            let rise = trial.without.test_loss - trial.clean.test_loss;
            view! {
                <tr data-rise=rise.to_string()>
                    <th scope="row">{label}</th>
                    <td>{format!("{:.4}", trial.clean.test_loss)}</td>
                    <td>{format!("{rise:+.4}")}</td>
                    <td>{format!("{:.1}%", 100.0 * trial.without.test_accuracy)}</td>
                </tr>
            }
        })
        .collect();
    let steered = trials.into_iter().find(|trial| !trial.steered.is_empty());
    view! {
        <div class="table-scroll">
            <table>
                <thead><tr><th>"checkpoint"</th><th>"test loss"</th><th>"without it"</th><th>"test accuracy without"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {steered.map(|trial| steering(lab, fit, trial))}
    }
    .into_any()
}

/// Share of all inputs answered with what the latent is steered to, and the test accuracy, by how much of it is added.
fn steering(lab: Lab, fit: &CrosscoderResult, trial: Trial) -> AnyView {
    // The answer that gains most where most is added.
    let most = trial.steered.last().map_or(&[][..], |last| &last.answered[..]);
    let answer = (0..most.len()).fold(0, |best, class| if most[class] > most[best] { class } else { best });
    let peak = fit.latents.get(trial.latent as usize).and_then(|latent| latent.grid).map(|grid| grid.peak_residue);
    let mut answered: Vec<(f64, f64)> = Vec::new();
    let mut right: Vec<(f64, f64)> = Vec::new();
    for steered in &trial.steered {
        answered.push((f64::from(steered.amount), f64::from(steered.answered.get(answer).copied().unwrap_or(0.0))));
        right.push((f64::from(steered.amount), steered.effect.test_accuracy));
    }
    let share = format!("{:.0}% of all inputs", 100.0 * most.get(answer).copied().unwrap_or(0.0));
    let words = match peak {
        Some(peak) if usize::from(peak) == answer => {
            format!("It fires most for the answer {peak}, and with most of it added the network says {answer} on {share}.")
        }
        Some(peak) => {
            format!(
                "It fires most for the answer {peak}, but with most of it added the network's commonest answer is {answer}, on {share}."
            )
        }
        None => format!("With most of it added, the network's commonest answer is {answer}, on {share}."),
    };
    let label = format!("answer {answer}");
    let spoken = words.clone();
    let name = format!("{}-latent-{}-steered", fit.config.name, trial.latent);
    let draw = move |show: &mut Show<'_>| {
        let series = [
            Series { label: label.as_str(), ink: Ink::Accent, dashed: false, points: &answered },
            Series { label: "test accuracy", ink: Ink::Test, dashed: false, points: &right },
        ];
        let y = Axis { range: Some((0.0, 1.0)), format: NumberFormat::Percent, ..Axis::linear("share of inputs") };
        let x = Axis::linear("how much of the latent is added");
        show(&Picture::Curves(Curves { series: &series, x, y, marks: &[], ticks: &[], cursor: None, bands: &[], areas: &[] }));
    };
    let stem = move || of_experiment(lab, &name);
    figure(
        "Steered",
        ().into_any(),
        named_sheet(lab, "latent-steering", move || spoken.clone(), stem, draw, ().into_any())
            .within(|canvas| view! { <div style="--height:13rem">{canvas}</div> }.into_any()),
        format!("{words} The amount is in units of its activation. That a large push changes the answer is no evidence that the network uses the latent at its natural size: the table above tells that.").into_any(),
    )
}
