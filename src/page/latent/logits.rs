//! What it adds to each logit, beside the answers it fires on: does it push them?

use super::{Card, answers};
use crate::crosscoder::{Latent, answers_fired_on, centred, correlation, logit_effect};
use crate::page::chart::{Show, figure, named_sheet};
use crate::page::live::{part, text};
use crate::page::store::grouped;
use crate::plot::{Bars, Picture};
use crate::record::{UserError, Weights};
use leptos::prelude::*;

/// At its strongest activation, about the mean over all answers, `[classes]`, and its correlation with the mean activation.
#[derive(Debug, Clone, PartialEq)]
struct Push {
    effect: Vec<f32>,
    fired_on: Vec<u32>,
    correlation: Option<f64>,
}

fn push(card: &Card, latent: &Latent) -> Result<Push, UserError> {
    let home = latent.home();
    let missing = |what: &str| UserError::new(format!("The {what} of this fit are not on this device"), "Fit it again");
    // A source of another run was read from weights that are not here.
    let step = card.fit.sources.get(home).filter(|source| source.is_own()).map(|source| source.step);
    let weights = card.lab.checkpoints.with(|all| {
        let checkpoint = all.iter().find(|checkpoint| Some(checkpoint.step) == step)?;
        Some(Weights::from_safetensors(&checkpoint.weights))
    });
    let decoder = card.fit.decoder_vector(latent.index, home).ok_or_else(|| missing("decoder vectors"))?;
    let experiment = card.lab.shown_experiment();
    let weights = weights.ok_or_else(|| missing("checkpoints"))??;
    let per_unit = logit_effect(&experiment, &weights, card.fit.hook_of(home), &decoder)?;
    let most = card.activations(Some(latent)).iter().copied().fold(0.0, f32::max);
    let effect: Vec<f32> = centred(&per_unit).into_iter().map(|value| most * value).collect();
    let means = card.means(Some(latent));
    Ok(Push { correlation: correlation(&effect, &means), fired_on: answers_fired_on(&means), effect })
}

pub(super) fn figures(card: &Card) -> AnyView {
    let (of_memo, of_view) = (card.clone(), card.clone());
    let found = Memo::new(move |_| of_memo.latent.get().map(|latent| push(&of_memo, &latent)));
    // Why it cannot be told is the same for all latents of a fit with one hook; the figures stay while latents change.
    let is_linear = Memo::new(move |_| found.with(|found| !matches!(found, Some(Err(_)))));
    let content = move || {
        Some(if is_linear.get() {
            let card = of_view.clone();
            untrack(|| view! { {answers::bars(&card)} {effect(&card, found)} }.into_any())
        } else {
            let words = found.with(|found| match found {
                Some(Err(error)) => error.to_string(),
                _ => String::new(),
            });
            view! {
                <div class="figure" id="latent-logits-absent">
                    <h2>"No single effect on the logits"</h2>
                    <p>{words}"."</p>
                    <p class="small muted">"What a latent adds to a logit is one number per answer only where the way from its hook to the outputs is linear. That there is none here is not evidence that it does nothing: see “What do they do?” below, where classes of latents are taken out."</p>
                </div>
            }
            .into_any()
        })
    };
    view! { {part(content)} }.into_any()
}

fn effect(card: &Card, found: Memo<Option<Result<Push, UserError>>>) -> AnyView {
    let of = move || found.get().and_then(Result::ok);
    let draw = move |show: &mut Show<'_>| {
        let push = of();
        let (values, fired_on) = push.as_ref().map_or((&[][..], &[][..]), |push| (&push.effect[..], &push.fired_on[..]));
        show(&Picture::Bars(Bars {
            values,
            first_index: 0,
            x_label: "answer".into(),
            y_label: "added to the logit".into(),
            highlight: fired_on,
        }));
    };
    let written = |correlation: Option<f64>| correlation.map_or("–".to_owned(), |correlation| format!("{correlation:.2}"));
    let label = card.label(move |latent| {
        let correlation = of().and_then(|push| push.correlation);
        format!(
            "What latent {} adds to each logit; correlation with its mean activation by answer {}",
            latent.index,
            written(correlation)
        )
    });
    let of_stem = card.clone();
    let sheet = named_sheet(card.lab, "latent-logits", label, move || of_stem.stem("-logits"), draw, ().into_any())
        .within(|canvas| view! { <div style="--height:14rem;--height-narrow:13rem">{canvas}</div> }.into_any());
    let number = move || of().and_then(|push| push.correlation);
    let (latent, fit) = (card.latent, card.fit.clone());
    let where_read = move || {
        let home = latent.with(|latent| latent.as_ref().map(Latent::home))?;
        let step = fit.sources.get(home)?.step;
        Some(format!("{} at step {}", fit.hook_of(home).name(), grouped(step.into())))
    };
    let controls = view! {
        <span class="small number" id="latent-correlation" data-correlation=text(move || number().map_or_else(String::new, |r| r.to_string()))>
            "Correlation of the two "<strong>{text(move || written(number()))}</strong>
        </span>
    };
    figure(
        "Answers it pushes",
        controls.into_any(),
        sheet,
        view! {
            "What it adds to each logit at its strongest activation, about the mean of all answers, read at "{text(move || where_read().unwrap_or_default())}"; the answers it fires on stand out, so a latent that pushes those has them highest and a correlation near 1. The direct way alone is not evidence that an answer hangs on this latent: others may add the same, or take it back."
        }
        .into_any(),
    )
}
