//! What interrupts: an error, a link that was opened, a run that may go on. Each says what is the case and what one can do.

use super::live::{flag, part, text};
use super::permalink;
use super::session;
use super::share::{adopt, copy};
use super::store::{Lab, Opened, View, grouped};
use crate::engine::phase::Phase;
use crate::experiment::Link;
use crate::record::UserError;
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

/// All cards.
pub(super) fn cards(lab: Lab) -> AnyView {
    view! { {error_card(lab)} {shared(lab)} {link_notice(lab)} {resume_card(lab)} }.into_any()
}

/// The link that was copied, for those who have no clipboard or want to read it.
fn shared(lab: Lab) -> AnyView {
    let select = move |event: web_sys::FocusEvent| {
        if let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) {
            input.select();
        }
    };
    let words = move || if lab.copied.get() { "Link copied" } else { "Copy this link" };
    view! {
        <div class="card notice" hidden=flag(move || lab.shared.with(String::is_empty))>
            <label for="share-text"><strong>{text(move || words().into())}</strong><span class="muted">" – it carries the experiment; opening it starts nothing"</span></label>
            <div class="row">
                <input id="share-text" type="text" readonly style="flex:1 1 20rem" prop:value=text(move || lab.shared.get()) on:focus=select />
                <button type="button" class="small-button" on:click=move |_| lab.shared.set(String::new())>"Close"</button>
            </div>
        </div>
    }
    .into_any()
}

fn error_card(lab: Lab) -> AnyView {
    // An error below the fold would be silence.
    let card = NodeRef::<Div>::new();
    Effect::new(move |_| {
        if let Some(card) = card.get() {
            request_animation_frame(move || card.scroll_into_view());
        }
    });
    let details = move |error: &UserError| {
        let build = lab.capability.get_untracked().map(|capability| capability.build).unwrap_or_default();
        let step = lab.step.get_untracked();
        let experiment = untrack(|| lab.shown_experiment()).to_json();
        format!("{error}\nbuild: {build}\nstep: {step}\nexperiment: {experiment}")
    };
    let content = move || {
        lab.error.get().map(|error| {
            let text = details(&error);
            let resume = lab.can_resume.get().map(|step| {
                view! {
                    <button type="button" class="primary" id="resume-after-crash" on:click=move |_| session::resume(lab)>
                        "Resume from step "{grouped(step.into())}
                    </button>
                }
            });
            view! {
                <div class="card error" id="error-card" role="alert" node_ref=card>
                    <h2>{error.cause.clone()}</h2>
                    <p>{error.remedy.clone()}</p>
                    <div class="row">
                        {resume}
                        <button type="button" on:click=move |_| copy(lab, text.clone())>"Copy details"</button>
                        <button type="button" on:click=move |_| lab.error.set(None)>"Dismiss"</button>
                    </div>
                </div>
            }
            .into_any()
        })
    };
    view! { {part(content)} }.into_any()
}

/// Whether the run on the page repeats the one that the link came from; nothing while that is open.
fn verdict(lab: Lab) -> Option<(&'static str, String)> {
    let link = lab.link()?;
    let theirs = link.fingerprint?;
    let run = lab.run.get()?;
    let summary = run.summary.filter(|summary| summary.ended_early.is_none())?;
    if run.experiment != link.experiment {
        return None;
    }
    Some(if summary.fingerprint == theirs {
        ("same", "Your run gave the same fingerprint as the sender's: the same weights, bit for bit, at every checkpoint".into())
    } else if summary.exact {
        (
            "different",
            format!(
                "Your run differs from the sender's (fingerprint {} here, {theirs} there). Either it ran on a GPU, which is approximate, or with another build",
                summary.fingerprint
            ),
        )
    } else {
        ("approximate", "Your run was made on a GPU, whose results are approximate, so its fingerprint cannot match. Choose the CPU engine to compare".into())
    })
}

fn link_notice(lab: Lab) -> AnyView {
    let verdict_name = move || verdict(lab).map_or("open", |(name, _)| name);
    let understood = move |link: &Link, changes: &[String]| {
        let changes = if changes.is_empty() {
            "It is the preset as it is.".to_owned()
        } else {
            format!("Changed from the preset: {}.", changes.join(" · "))
        };
        let promise = link
            .fingerprint
            .as_ref()
            .map(|fingerprint| format!(" The sender's run has the fingerprint {fingerprint}; yours will be compared with it."));
        let fit = link.crosscoder.as_ref().map(|config| format!(" A crosscoder ({}) belongs to it.", config.name));
        view! {
            <h2>"From a link: "{lab.preset.get_untracked().title}</h2>
            <p>{changes}{promise}{fit}" Nothing runs until you press Start."</p>
            {part(move || verdict(lab).map(|(_, words)| view! { <p><strong>{words}"."</strong></p> }.into_any()))}
        }
        .into_any()
    };
    let content = move || {
        lab.opened.get().map(|opened| {
            let body = match &opened {
                Opened::Link(link, changes) => understood(link, changes),
                Opened::Refused(error) => view! {
                    <h2>"The link was not opened"</h2>
                    <p>{error.to_string()}". The experiment on the page is unchanged."</p>
                }
                .into_any(),
            };
            let class = if matches!(opened, Opened::Refused(_)) { "card error" } else { "card notice" };
            view! {
                <div class=class id="link-notice" role="status" data-verdict=text(move || verdict_name().into())>
                    {body}
                    <div class="row">{permalink::offer(lab)}<button type="button" class="small-button" on:click=move |_| lab.opened.set(None)>"Got it"</button></div>
                </div>
            }
            .into_any()
        })
    };
    view! { {part(content)} }.into_any()
}

fn resume_card(lab: Lab) -> AnyView {
    let open = move |go_on: bool| {
        let mut stored = None;
        lab.stored.update_value(|slot| stored = slot.take());
        let mut claim = None;
        lab.claim.update_value(|slot| claim = slot.take());
        lab.resume_card.set(None);
        if let Some(stored) = stored {
            adopt(lab, stored);
            lab.claim.set_value(claim);
            // Unless it holds the latent that the address names.
            if lab.latent.with_untracked(Option::is_none) {
                lab.view.set(View::Run);
            }
            if go_on {
                session::resume(lab);
            }
        }
    };
    let discard = move |_| {
        lab.stored.set_value(None);
        lab.claim.set_value(None);
        if let Some((run, ..)) = lab.resume_card.get_untracked() {
            lab.storage.with_value(|storage| {
                if let Some(storage) = storage {
                    storage.write(super::storage::Write::Delete(run.id));
                }
            });
        }
        lab.resume_card.set(None);
    };
    let content = move || {
        // A run on the page has the floor; the stored one stays where it is.
        lab.resume_card.get().filter(|_| lab.phase.get() == Phase::Idle).map(|(run, step, point)| {
            let steps = run.experiment.steps;
            let ended = run.summary.is_some();
            let words = if ended {
                format!("{} ended at step {}.", run.experiment.name, grouped(step.into()))
            } else {
                format!("{} was cut off at step {} of {}.", run.experiment.name, grouped(step.into()), grouped(steps.into()))
            };
            let resume = point.map(|from| {
                view! {
                    <button type="button" class="primary" id="resume" on:click=move |_| open(true)>"Continue from step "{grouped(from.into())}</button>
                }
            });
            view! {
                <div class="card resume" id=if ended { "stored-card" } else { "resume-card" } role="status">
                    <h2>{if ended { "Your last run is still here" } else { "A run can go on" }}</h2>
                    <p>{words}" Its curves and checkpoints are kept on this device."</p>
                    <div class="row">
                        {resume}
                        <button type="button" id="open-stored" on:click=move |_| open(false)>"Open as it is"</button>
                        <button type="button" class="quiet" id="discard" on:click=discard>"Discard"</button>
                    </div>
                </div>
            }
            .into_any()
        })
    };
    view! { {part(content)} }.into_any()
}
