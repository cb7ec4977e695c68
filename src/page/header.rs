//! The bar at the top: name, views, engine badge with its card, link, appearance.

use super::live::{part, text};
use super::popover::{close, popover};
use super::share::copy_link;
use super::store::{EngineState, Lab, View};
use super::{appearance, session};
use crate::engine::capability::EngineWish;
use leptos::html::Details;
use leptos::prelude::*;

/// The bar.
pub(super) fn header(lab: Lab) -> AnyView {
    let tabs: Vec<_> = View::ALL
        .iter()
        .map(|&(view, name, label)| {
            let current = move || (lab.view.get() == view).then_some("page");
            let go = move |event: web_sys::MouseEvent| {
                event.prevent_default();
                lab.view.set(view);
            };
            view! { <a href=format!("#v={name}") id=format!("tab-{name}") aria-current=current on:click=go>{label}</a> }
        })
        .collect();
    let icon = icon();
    view! {
        <header class="bar">
            <span class="brand"><img src=icon alt="" width="26" height="26" />"Grokscope"</span>
            <nav class="tabs" aria-label="Views">{tabs}</nav>
            <div class="bar-end">
                {engine(lab)}
                <button type="button" class="small-button" id="copy-link" on:click=move |_| copy_link(lab)>"Copy link"</button>
                {appearance(lab)}
            </div>
        </header>
    }
    .into_any()
}

/// The page's own icon, whose file name carries a hash.
fn icon() -> String {
    web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.query_selector("link[rel=icon]").ok().flatten())
        .and_then(|link| link.get_attribute("href"))
        .unwrap_or_default()
}

fn engine(lab: Lab) -> AnyView {
    let state = move || match lab.engine.get() {
        EngineState::Loading => "loading",
        EngineState::Ready => "ready",
        EngineState::Crashed(_) => "crashed",
    };
    let label = move || match (lab.engine.get(), lab.choice.get()) {
        (EngineState::Crashed(_), _) => "Engine stopped".to_owned(),
        (EngineState::Loading, _) => "Engine is loading…".to_owned(),
        (EngineState::Ready, Some(choice)) => choice.label,
        (EngineState::Ready, None) => "Engine ready".to_owned(),
    };
    let promise = move || {
        lab.choice.get().map(|choice| {
            if choice.exact {
                "Exact: this build gives the same numbers, bit for bit, in every browser"
            } else {
                "Approximate: another GPU gives slightly other numbers"
            }
        })
    };
    let adapter = move || {
        let capability = lab.capability.get()?;
        Some(capability.adapter.map_or("none offered by this browser".to_owned(), |adapter| {
            if adapter.software { format!("{} (software)", adapter.name) } else { adapter.name }
        }))
    };
    let reasons = move || {
        let mut all = lab.capability.get().map(|capability| capability.reasons).unwrap_or_default();
        all.extend(lab.choice.get().map(|choice| choice.reasons).unwrap_or_default());
        let mut seen: Vec<String> = Vec::new();
        for reason in all {
            if !seen.contains(&reason) {
                seen.push(reason);
            }
        }
        Some(seen.into_iter().map(|reason| view! { <li>{reason}</li> }).collect::<Vec<_>>().into_any())
    };
    let card = NodeRef::<Details>::new();
    let choose = move |event| {
        lab.wish.set(match event_target_value(&event).as_str() {
            "cpu" => EngineWish::Cpu,
            "gpu" => EngineWish::Gpu,
            _ => EngineWish::Auto,
        });
        close(card);
    };
    let wish = move || match lab.wish.get() {
        EngineWish::Auto => "auto",
        EngineWish::Cpu => "cpu",
        EngineWish::Gpu => "gpu",
    };
    let content = view! {
        <summary class="badge" id="engine-badge" data-state=text(move || state().into())>{text(label)}</summary>
        <div id="engine-card" class="panel">
            <h2>"The engine"</h2>
            <p class="small muted">"Training runs in a worker of this tab, on the CPU or through WebGPU. Nothing leaves this machine."</p>
            <div class="field">
                <label for="engine-wish">"Use for the next run or fit"</label>
                <select id="engine-wish" prop:value=text(move || wish().into()) on:change=choose>
                    <option value="auto">"Auto: the faster trusted one"</option>
                    <option value="cpu">"CPU"</option>
                    <option value="gpu">"GPU"</option>
                </select>
            </div>
            <dl class="facts">
                <dt>"In use"</dt><dd>{text(label)}</dd>
                <dt>"Adapter"</dt><dd>{text(move || adapter().unwrap_or_default())}</dd>
                <dt>"Build"</dt><dd>{text(move || lab.capability.get().map(|capability| capability.build).unwrap_or_default())}</dd>
            </dl>
            <p class="small">{text(move || promise().unwrap_or_default().into())}</p>
            <ul class="small">{part(reasons)}</ul>
            {part(move || matches!(lab.engine.get(), EngineState::Crashed(_)).then(|| view! {
                <button type="button" on:click=move |_| session::restart_engine(lab)>"Start a new engine"</button>
            }.into_any()))}
        </div>
    };
    popover("menu", card, content.into_any())
}

fn appearance(lab: Lab) -> AnyView {
    view! {
        <button type="button" class="small-button quiet" id="appearance" title="Light or dark" aria-label="Light or dark"
            on:click=move |_| appearance::toggle(lab)>
            {text(move || if lab.dark.get() { "☀" } else { "☾" }.into())}
        </button>
    }
    .into_any()
}
