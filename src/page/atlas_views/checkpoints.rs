//! What the dictionary holds of each checkpoint: one small picture per question, all over the same checkpoints.

use super::label_of;
use crate::crosscoder::causal::{Effect, SourceEffects};
use crate::crosscoder::views::active_and_present;
use crate::crosscoder::{CrosscoderResult, Origin};
use crate::page::chart::{Show, figure, named_sheet, of_experiment};
use crate::page::store::{Lab, grouped};
use crate::plot::{Axis, Columns, Ink, Layer, NumberFormat, Picture, Slots};
use leptos::prelude::*;
use std::sync::Arc;

/// A small picture: columns over checkpoints.
struct Small {
    id: &'static str,
    title: &'static str,
    caption: &'static str,
    names: Vec<String>,
    /// Name, colour and values of each group.
    groups: Vec<(&'static str, Ink, Vec<f64>)>,
    y: Axis,
}

pub(super) fn view(lab: Lab, fit: &Arc<CrosscoderResult>) -> AnyView {
    let names: Vec<String> = fit.sources.iter().map(label_of).collect();
    let one = |values: Vec<f64>| vec![("", Ink::Accent, values)];
    let mut all = vec![
        Small {
            id: "fit-explained",
            title: "Explained variance",
            // No file says which inputs were held out.
            caption: match fit.origin {
                Some(Origin::Dictionary { .. }) => "On all inputs: 1 − Σ‖x − x̂‖² / Σ‖x − x̄‖².",
                _ => "On held-out inputs: 1 − Σ‖x − x̂‖² / Σ‖x − x̄‖².",
            },
            names: names.clone(),
            groups: one(fit.explained_variance.iter().map(|ev| f64::from(*ev)).collect()),
            y: Axis { range: Some((0.0, 1.0)), ..percent("explained") },
        },
        Small {
            id: "fit-active",
            title: "Active latents",
            caption: "Mean number of latents that fire on an input and have a relative norm of at least ½ at the checkpoint.",
            names,
            groups: one(active_and_present(fit)),
            y: Axis::linear("latents per input"),
        },
    ];
    if let Some(found) = &fit.causal {
        all.extend(causal(&found.sources));
    }
    let pictures: Vec<_> = all.into_iter().map(|small| picture(lab, fit, small)).collect();
    view! { <div class="multiples">{pictures}</div> }.into_any()
}

fn percent(label: &str) -> Axis {
    Axis { format: NumberFormat::Percent, ..Axis::linear(label) }
}

/// What the network says when it goes on from the reconstruction.
fn causal(sources: &[SourceEffects]) -> Vec<Small> {
    let names: Vec<String> = sources.iter().map(|source| grouped(source.step.into())).collect();
    let all = |value: &dyn Fn(&SourceEffects) -> f64| sources.iter().map(value).collect::<Vec<f64>>();
    let rise = |loss: fn(&Effect) -> f64| all(&move |source| loss(&source.spliced) - loss(&source.clean));
    let recovered = all(&|source| source.loss_recovered.unwrap_or(f64::NAN));
    let kl = all(&|source| source.spliced.kl.unwrap_or(f64::NAN));
    let is_there = |values: &[f64]| values.iter().any(|value| value.is_finite());
    let mut found = vec![Small {
        id: "fit-rise",
        title: "Change of the loss",
        caption: "Loss with the reconstruction in place of the activation, less the loss without (ΔCE where the loss is cross-entropy); 0 is perfect.",
        names: names.clone(),
        groups: vec![("train", Ink::Train, rise(|e| e.train_loss)), ("test", Ink::Test, rise(|e| e.test_loss))],
        y: Axis::linear("change of the loss"),
    }];
    if is_there(&recovered) {
        found.push(Small {
            id: "fit-recovered",
            title: "Loss recovered",
            caption: "Of what zeros in its place cost on test pairs, the share that the reconstruction wins back; left out where zeros cost less than .05.",
            names: names.clone(),
            groups: vec![("", Ink::Test, recovered)],
            y: percent("recovered"),
        });
    }
    if is_there(&kl) {
        found.push(Small {
            id: "fit-kl",
            title: "Distance of the answers",
            caption: "KL from the network's own answers to those with the reconstruction, mean over all inputs.",
            names,
            groups: vec![("", Ink::Accent, kl)],
            y: Axis::linear("KL (nats)"),
        });
    }
    found
}

fn picture(lab: Lab, fit: &Arc<CrosscoderResult>, small: Small) -> AnyView {
    let Small { id, title, caption, names, groups, y } = small;
    let spoken: Vec<String> = groups
        .iter()
        .flat_map(|(group, _, values)| {
            names.iter().zip(values).map(move |(name, value)| format!("step {name} {group} {value:.3}").replace("  ", " "))
        })
        .collect();
    let label = format!("{title} per checkpoint: {}", spoken.join(", "));
    let draw = move |show: &mut Show<'_>| {
        let layers: Vec<Layer<'_>> = groups.iter().map(|(label, ink, values)| Layer { label, ink: *ink, values }).collect();
        show(&Picture::Columns(Columns {
            slots: Slots::Names(&names),
            layers: &layers,
            beside: true,
            numbered: true,
            x: Axis::linear("checkpoint at step"),
            y: y.clone(),
            guides: &[],
        }));
    };
    let name = fit.config.name.clone();
    let stem = move || of_experiment(lab, &format!("{name}-{id}"));
    figure(
        title,
        ().into_any(),
        named_sheet(lab, id, move || label.clone(), stem, draw, ().into_any())
            .within(|canvas| view! { <div style="--height:15rem;--height-narrow:14rem">{canvas}</div> }.into_any()),
        caption.into_any(),
    )
}
