//! One latent: where it fires, which waves it is made of, which answers it fires on and which it pushes.
//!
//! Each of these alone has fooled somebody: a map hides frequencies, a spectrum hides the answer, and neither says what the
//! network makes of it. All at once would be a wall, so one is shown at a time and the others are a click away, while what the
//! latent is and how it lived stays. Every number comes from the `crosscoder` room; here it is only chosen and drawn.

mod answers;
mod cosines;
mod head;
mod inputs;
mod logits;
mod map;
mod scores;
mod waves;

use super::chart::of_experiment;
use super::live::{part, text};
use super::store::Lab;
use super::trial::trial;
use crate::crosscoder::{CrosscoderResult, Latent, TaskCycle, mean_by_answer};
use crate::task::Dataset;
use leptos::prelude::*;
use std::sync::Arc;

/// What all parts of the card are about.
#[derive(Clone)]
struct Card {
    lab: Lab,
    fit: Arc<CrosscoderResult>,
    latent: Memo<Option<Latent>>,
    data: Arc<Dataset>,
    /// Where the answers stand on a cycle; `None` where they are on none.
    cycle: Option<Arc<TaskCycle>>,
}

impl Card {
    /// Its activations, `[rows]`; empty without a latent.
    fn activations(&self, latent: Option<&Latent>) -> &[f32] {
        latent.map_or(&[], |latent| self.fit.activations_of(latent.index))
    }

    /// Mean activation of each answer, `[classes]`.
    fn means(&self, latent: Option<&Latent>) -> Vec<f32> {
        let values = self.activations(latent);
        if values.is_empty() {
            return Vec::new();
        }
        mean_by_answer(values, &self.data.rows, self.data.sizes.classes as usize)
    }

    /// The name of a file about the latent.
    fn stem(&self, what: &str) -> String {
        let index = self.latent.with_untracked(|latent| latent.as_ref().map_or(0, |latent| latent.index));
        of_experiment(self.lab, &format!("{}-latent-{index}{what}", self.fit.config.name))
    }

    /// `told` of the latent, in words for those who do not see the figure.
    fn label(&self, told: impl Fn(&Latent) -> String + Send + 'static) -> impl FnMut() -> String + Send + 'static {
        let latent = self.latent;
        move || latent.get().map_or_else(|| "No latent chosen".to_owned(), |latent| told(&latent))
    }
}

/// What can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Map,
    Waves,
    Answers,
    Logits,
    Inputs,
}

impl Side {
    const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Map, "map", "Where it fires"),
        (Self::Waves, "waves", "Waves"),
        (Self::Answers, "answers", "By answer"),
        (Self::Logits, "logits", "Logits"),
        (Self::Inputs, "inputs", "Top inputs"),
    ];

    /// Whether what it needs is known: rows of a file may come without inputs or classes, and never with a network.
    fn is_there(self, card: &Card) -> bool {
        match self {
            Self::Map => card.data.sizes.tokens > 0 || card.fit.foreign_rows().is_none(),
            Self::Waves => waves::are_there(card),
            Self::Answers => card.data.sizes.classes > 1 || card.fit.foreign_rows().is_none(),
            Self::Logits => card.fit.foreign_rows().is_none(),
            Self::Inputs => true,
        }
    }
}

/// What the file of activations does not allow to show, and why.
fn absent(card: &Card) -> AnyView {
    let reason = |side: &Side| match side {
        Side::Map => "where it fires over a and b (the file does not give the inputs)",
        Side::Waves => "waves (no task says that its inputs are residues)",
        Side::Answers => "by answer (the file gives no classes)",
        Side::Logits => "logits, and taking the latent out (there is no network behind a file)",
        Side::Inputs => "top inputs",
    };
    let missing: Vec<&str> = Side::ALL.iter().map(|(side, ..)| side).filter(|side| !side.is_there(card)).map(reason).collect();
    view! { <p class="small muted" id="latent-absent">{format!("Not shown: {}.", missing.join("; "))}</p> }.into_any()
}

/// The chosen latent of a fit; `order` is that of the list beside it.
pub(super) fn latent_card(lab: Lab, fit: Arc<CrosscoderResult>, order: Memo<Vec<u32>>) -> AnyView {
    let experiment = untrack(|| lab.shown_experiment());
    let of_memo = fit.clone();
    let latent = Memo::new(move |_| {
        let index = lab.latent.get()?;
        of_memo.latents.get(index as usize).cloned()
    });
    let data = Arc::new(fit.dataset(&experiment).unwrap_or_default());
    let is_foreign = fit.foreign_rows().is_some();
    let cycle = TaskCycle::of(&experiment).filter(|_| !is_foreign).map(Arc::new);
    let card = Card { lab, fit, latent, data, cycle };
    let there: Vec<Side> = Side::ALL.into_iter().map(|(side, ..)| side).filter(|side| side.is_there(&card)).collect();
    let side = RwSignal::new(there.first().copied().unwrap_or(Side::Inputs));
    let absent = is_foreign.then(|| absent(&card));
    let buttons: Vec<_> = Side::ALL
        .into_iter()
        .filter(|(known, ..)| there.contains(known))
        .map(|(known, name, label)| {
            view! {
                <button type="button" id=format!("latent-side-{name}") aria-pressed=text(move || (side.get() == known).to_string())
                    on:click=move |_| side.set(known)>{label}</button>
            }
        })
        .collect();
    let sides = view! { <div class="switch wrap" role="group" aria-label="What of the latent">{buttons}</div> }.into_any();
    let of_side = card.clone();
    let content = move || {
        let make: fn(&Card) -> AnyView = match side.get() {
            Side::Map => map::figures,
            Side::Waves => waves::figures,
            Side::Answers => answers::figures,
            Side::Logits => logits::figures,
            Side::Inputs => inputs::figures,
        };
        // Built once for each side; its figures follow the latent by themselves.
        Some(untrack(|| make(&of_side)))
    };
    let walk = head::Walk { lab, order };
    let label = "One latent; j and k go to the next and the one before";
    view! {
        <div class="view latent" tabindex="0" role="group" aria-label=label on:keydown=move |event| walk.by_key(&event)>
            {head::head(&card, walk, sides)}
            {absent}
            {part(content)}
        </div>
        <div class="charts latent-more" on:keydown=move |event| walk.by_key(&event)>
            {scores::scores(&card)}
            <div class="view">
                {cosines::figures(&card)}
                {trial(lab, card.fit.clone(), latent)}
            </div>
        </div>
    }
    .into_any()
}
