//! Pictures of a whole fit, one at a time: where absences stand, how norms are spread, when latents are born, who fires with whom.
//!
//! A heat-map shows what there is; whether to believe it takes other pictures, and all of them below each other would be a wall that
//! nobody reads. So there is one place and a switch, which stays where it was when another fit is shown. Every view says what it
//! is not evidence of, because each of them has been read for more than it holds.

mod absences;
mod births;
mod checkpoints;
mod chosen;
mod cloud;
mod decoders;
mod frontier;
mod inks;
mod other_fit;
mod together;
mod two_checkpoints;

pub(super) use other_fit::Agreed;

use super::live::{part, text};
use super::store::{Lab, grouped};
use crate::crosscoder::{CrosscoderResult, Hook, SourceInfo};
use leptos::prelude::*;
use std::sync::Arc;

/// The views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AtlasView {
    /// The plane of the two ν.
    Absences,
    /// Norms and cosines between two checkpoints.
    TwoCheckpoints,
    /// Births by checkpoint.
    Births,
    /// What the dictionary holds of each checkpoint.
    Checkpoints,
    /// Directions in a plane.
    Decoders,
    /// Which latents fire on the same inputs.
    Together,
    /// What another fit found again.
    OtherFit,
    /// Error against sparsity, beside codes that know no features.
    Frontier,
}

impl AtlasView {
    /// All of them with name, what they show and how to read it, and what they are not evidence of.
    const ALL: [(Self, &'static str, &'static str, &'static str); 8] = [
        (
            Self::Absences,
            "Absences",
            "Each latent at the checkpoint in which it is called absent: how much of it other latents carry there (across) and how much of it the reconstruction error still holds (up), so that the lower left corner is truly absent and what lies above the line was only shrunk.",
            "A latent in the corner is not there in this dictionary's terms; that is no evidence that the earlier network had no such feature in another direction or at other inputs.",
        ),
        (
            Self::TwoCheckpoints,
            "Two checkpoints",
            "Which share of each latent's decoder norm belongs to the later of two checkpoints (½ where it is equally long in both), and, for latents present in both, whether its direction stayed (cosine 1) or turned.",
            "A hump at an end is no evidence of a birth or a death, because the penalty on norms makes such humps by itself: look at the absences, and at the null fit.",
        ),
        (
            Self::Births,
            "Births",
            "How many latents begin their last stay between one checkpoint and the next, beside the losses over the same steps: test, training and, once the view Inside has measured them, with the key frequencies alone (restricted) and without them (excluded).",
            "That births and the fall of the test loss come together is no evidence that the one made the other: chosen checkpoints decide where births can be seen at all.",
        ),
        (
            Self::Checkpoints,
            "Checkpoints",
            "What the dictionary holds of each checkpoint: variance explained on inputs that it was not fitted to, latents that write there, and, where latents were taken out, what the network says when it goes on from the reconstruction.",
            "A well reconstructed activation is no evidence that its latents are the network's own parts: many others would reconstruct it as well.",
        ),
        (
            Self::Decoders,
            "Decoder map",
            "Each latent's direction where it is strongest, in the plane of the two principal axes of all directions; near points write nearly the same where the axes hold much of the variance.",
            "Distance in this plane is no evidence of likeness on its own, because most of the variance lies outside it, and a ring may be the picture of a few frequencies and not of one.",
        ),
        (
            Self::Together,
            "Firing together",
            "The strongest latents against each other, in the order of the heat-map: of the inputs on which either fires, the share on which both do (Jaccard overlap).",
            "Overlap is no evidence that two latents work together: two that fire on half of all inputs overlap by a third if they know nothing of each other.",
        ),
        (
            Self::OtherFit,
            "Another fit",
            "Latents of this fit matched one to one with those of another by what they do (correlation of activations of at least .7), and the class that each has there.",
            "Agreement is no evidence that a latent is real, because two fits with the same objective on the same activations share their bias; disagreement shows only that this setting does not determine it.",
        ),
        (
            Self::Frontier,
            "Frontier",
            "How much of the activations is left unexplained against how many numbers are active per input: this fit and the others of the same checkpoints, principal components, and the strongest plane waves of (a, b).",
            "A fit that is beaten here is no worse at naming features: components and waves are dense, and that they explain an activation with few numbers is no evidence that the network computes with them.",
        ),
    ];
}

/// A source in words.
fn label_of(source: &SourceInfo) -> String {
    let step = grouped(source.step.into());
    let hook = source.hook.map(Hook::name);
    [Some(step.as_str()), hook, source.run.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The switch and the chosen view. `order` has the latents as the heat-map has them.
pub(super) fn atlas_views(lab: Lab, fit: &Arc<CrosscoderResult>, order: Vec<u32>) -> AnyView {
    let has_weights = !fit.weights.is_empty();
    let can_show = move |view: AtlasView| view != AtlasView::Decoders || has_weights;
    // What another fit could show and this one cannot gives way, and comes back.
    let shown = Memo::new(move |_| Some(lab.atlas_view.get()).filter(|view| can_show(*view)).unwrap_or(AtlasView::Absences));
    let buttons: Vec<_> = AtlasView::ALL
        .into_iter()
        .filter(|(view, ..)| can_show(*view))
        .map(|(view, name, ..)| {
            let id = format!("view-{}", name.to_lowercase().replace(' ', "-"));
            view! {
                <button type="button" id=id aria-pressed=text(move || (shown.get() == view).to_string())
                    on:click=move |_| lab.atlas_view.set(view)>{name}</button>
            }
        })
        .collect();
    let help = move || {
        let (_, _, shows, not) = AtlasView::ALL.into_iter().find(|(view, ..)| *view == shown.get())?;
        Some(view! { {shows}" "<em>{not}</em> }.into_any())
    };
    let fit = fit.clone();
    let body = move || {
        let fit = fit.clone();
        Some(match shown.get() {
            AtlasView::Absences => absences::view(lab, fit),
            AtlasView::TwoCheckpoints => two_checkpoints::view(lab, fit),
            AtlasView::Births => births::view(lab, &fit),
            AtlasView::Checkpoints => checkpoints::view(lab, &fit),
            AtlasView::Decoders => decoders::view(lab, fit),
            AtlasView::Together => together::view(lab, fit, &order),
            AtlasView::OtherFit => other_fit::view(lab, fit),
            AtlasView::Frontier => frontier::view(lab, &fit),
        })
    };
    view! {
        <section class="view fit-views" id="fit-views" aria-label="The fit as a whole">
            <div class="lead">
                <h2>"The fit as a whole"</h2>
                <div class="switch wrap" role="group" aria-label="Picture of the fit">{buttons}</div>
                <p class="small muted" id="view-help" aria-live="polite">{part(help)}</p>
            </div>
            {part(body)}
        </section>
    }
    .into_any()
}
