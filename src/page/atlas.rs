//! The crosscoder view: what to fit, the fit as it goes, the fits that are done.
//!
//! A fit is a question about a run, so it needs nothing but the run's checkpoints; several are kept side by side because one
//! alone says little: the null fit shows what the method makes up, BatchTopK what a counted code hides.

use super::chart::{Show, figure, sheet};
use super::form::control;
use super::guide::guide;
use super::imports::{further, further_problem, imports, others};
use super::latents::result;
use super::live::{flag, part, text};
use super::picker::picker;
use super::run::status;
use super::session;
use super::store::{FitState, Lab, View, grouped};
use crate::crosscoder::{
    CrosscoderConfig, CrosscoderPreset, Hook, Mask, Null, Origin, Variant, crosscoder_fields, crosscoder_preset,
    crosscoder_presets, null_of, pick_sources,
};
use crate::experiment::FieldError;
use crate::plot::{Axis, Curves, Ink, NumberFormat, Picture, Scale, Series};
use crate::record::UserError;
use leptos::prelude::*;

/// Settings in the first row; the others are one click further.
const MAIN: [&str; 6] = ["hook", "variant", "lambda", "k", "latents", "steps"];
/// The name is given by the page; sources and nulls have their own controls.
const HIDDEN: [&str; 4] = ["schema", "name", "sources", "null"];

/// The view.
pub(super) fn atlas_view(lab: Lab) -> AnyView {
    let ready = Memo::new(move |_| lab.checkpoints.with(|all| all.len() > 1) && !lab.phase.get().is_live());
    let body = move || if ready.get() { workbench(lab) } else { waiting(lab) };
    view! {
        <section class="view" aria-label="Atlas">
            <div class="lead">
                <h1>"Which features were born?"</h1>
                <p class="muted">"A crosscoder reads several checkpoints of one run at once and writes them with one dictionary. A latent that is absent from the memorising network and strong in the clean one was born in between."</p>
            </div>
            {status(lab)}
            {part(move || Some(body()))}
            {imports(lab, ready)}
            {results(lab)}
        </section>
    }
    .into_any()
}

fn waiting(lab: Lab) -> AnyView {
    let words = move || {
        if lab.phase.get().is_live() {
            "The run is under way. Let it finish or stop it; then its checkpoints can be compared."
        } else {
            "A crosscoder compares checkpoints of a run. Start one first: “A transformer groks” is made for this and takes about half a minute."
        }
    };
    view! {
        <div class="empty">
            <h2>"Nothing to compare yet"</h2>
            <p class="muted">{text(move || words().into())}</p>
            <button type="button" on:click=move |_| lab.view.set(View::Run)>"Go to the run"</button>
        </div>
        {guide(lab)}
        // Activations from elsewhere can be fitted without a run; tests and screen readers find the state in any case.
        <div class="row">{hold(lab)}</div>
    }
    .into_any()
}

/// The sources of the next fit: those chosen, or the picked ones, or why there are none.
pub(super) fn sources(lab: Lab) -> Result<Vec<u32>, UserError> {
    let chosen = lab.fit_form.value.with(|config| config.sources.clone());
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    let steps: Vec<u32> = lab.checkpoints.with(|all| all.iter().map(|checkpoint| checkpoint.step).collect());
    lab.rows.with(|rows| pick_sources(rows, &steps))
}

/// The next fit with everything resolved, or why it cannot be made.
fn next_fit(lab: Lab) -> Result<CrosscoderConfig, Vec<FieldError>> {
    let mut errors = lab.fit_form.unread_errors();
    let sources = sources(lab).map_err(|error| vec![FieldError::new("sources", error.cause, error.remedy)])?;
    let config = CrosscoderConfig { sources, ..lab.fit_form.value.get() };
    let steps: Vec<u32> = lab.checkpoints.with(|all| all.iter().map(|checkpoint| checkpoint.step).collect());
    if let Err(more) = config.validate(&lab.shown_experiment(), &steps) {
        errors.extend(more);
    }
    if errors.is_empty() { Ok(config) } else { Err(errors) }
}

/// `stem`, or `stem-2`, …: a name that no fit on the page has.
pub(super) fn unique_name(lab: Lab, stem: &str) -> String {
    let taken = |name: &String| lab.fits.with_untracked(|fits| fits.iter().any(|fit| fit.config.name == *name));
    let names = core::iter::once(stem.to_owned()).chain((2u32..).map(|number| format!("{stem}-{number}")));
    names.into_iter().find(|name| !taken(name)).unwrap_or_default()
}

/// What a fit is called after.
fn stem(config: &CrosscoderConfig) -> String {
    let alike = |preset: &&CrosscoderPreset| (preset.config.variant, preset.config.prefixes) == (config.variant, config.prefixes);
    let preset = crosscoder_presets().iter().find(alike);
    preset.map_or_else(|| config.variant.name().replace('_', "-"), |preset| preset.name.to_owned())
}

/// `config`, or its null, under a name that no fit of this run has.
fn named(lab: Lab, config: CrosscoderConfig, null: Null) -> CrosscoderConfig {
    let config = null_of(&CrosscoderConfig { name: stem(&config), ..config }, null);
    CrosscoderConfig { name: unique_name(lab, &config.name), ..config }
}

/// Controls of the settings: those of the first row or all others, but for those that do not apply here.
pub(super) fn controls(
    lab: Lab,
    main: bool,
    errors: Memo<Vec<FieldError>>,
    without: &'static [&'static str],
) -> Vec<impl IntoView + use<>> {
    let base = crosscoder_presets().first();
    let shown: Vec<_> = if main {
        MAIN.iter().filter_map(|path| crosscoder_fields().iter().find(|field| field.path == *path)).collect()
    } else {
        crosscoder_fields().iter().filter(|f| !HIDDEN.contains(&f.path) && !MAIN.contains(&f.path)).collect()
    };
    shown
        .into_iter()
        .filter(|field| !without.contains(&field.path))
        .map(|field| {
            // A setting that has no effect under this sparsity rule or mask is not shown.
            let shown = move || {
                let (variant, mask) = lab.fit_form.value.with(|config| (config.variant, config.mask));
                match field.path {
                    "k" | "k_start" => variant.counts(),
                    "lambda" => !variant.counts(),
                    "window" => mask == Mask::Window,
                    "block" => variant == Variant::BlockTopK,
                    _ => true,
                }
            };
            let base = move || base.map(|preset| super::form::written(&preset.config, field));
            view! { <div hidden=flag(move || !shown())>{control(lab.fit_form.boxes, field, "xc", errors, Box::new(base), ().into_any())}</div> }
        })
        .collect()
}

fn workbench(lab: Lab) -> AnyView {
    // Without a residual stream the hidden layer is the nearest thing to look at.
    let has_stream = crate::model::hook_width(&untrack(|| lab.shown_experiment()), Hook::ResidPost).is_some();
    if !has_stream && lab.fit_form.value.with_untracked(|config| config.hook == Hook::ResidPost) {
        lab.fit_form.value.update(|config| config.hook = Hook::MlpPost);
    }
    let next = Memo::new(move |_| next_fit(lab));
    let errors = Memo::new(move |_| next.get().err().unwrap_or_default());
    let running = move || lab.fit_state.get() == FitState::Running;
    let cannot = move || running() || next.with(Result::is_err);
    let start = move |null: Null| match (next.get_untracked(), untrack(|| others(lab))) {
        // Nulls that make sources of their own have no use for those of other runs.
        (Ok(config), _) if matches!(null, Null::Repeated | Null::Untrained) => session::fit(lab, named(lab, config, null)),
        (Ok(config), Ok(others)) => session::fit_over(lab, named(lab, config, null), others),
        _ => {}
    };
    // Refusals in the drawer would be out of sight while the button under it does nothing.
    let refused = move || {
        let told = |error: &FieldError| {
            let label = crosscoder_fields().iter().find(|field| field.path == error.path).map_or("", |field| field.label);
            format!("{label}: {}. {}.", error.cause, error.remedy)
        };
        errors.with(|errors| errors.iter().filter(|e| !MAIN.contains(&e.path.as_str())).map(told).collect::<Vec<_>>().join(" "))
    };
    let is_refused = move || !refused().is_empty();
    let is_mlp = untrack(|| lab.shown_experiment()).model.architecture == "mlp";
    let advice = is_mlp.then(|| {
        view! {
            <p class="card notice">"This run is a perceptron. Its hidden activations mix fifteen frequencies with sums and differences over only a few hundred inputs, and no crosscoder explains half of them on held-out inputs. You can try; for the story of births use the preset “A transformer groks”."</p>
        }
    });
    view! {
        {advice}
        {guide(lab)}
        <div class="card">
            {presets(lab)}
            {picker(lab)}
            <div class="fields">{controls(lab, true, errors, &[])}</div>
            <details>
                <summary>"All settings"</summary>
                <div class="fields" style="margin-top:1rem">{controls(lab, false, errors, &[])}</div>
            </details>
            {further(lab)}
            <div class="transport">
                <button type="button" id="fit" class="primary" disabled=flag(move || cannot() || further_problem(lab).is_some()) hidden=flag(running) on:click=move |_| start(Null::None)>"Fit"</button>
                {hold(lab)}
            </div>
            <p class="small bad" id="fit-refused" role="status" hidden=flag(move || !is_refused())>{text(refused)}</p>
            {nulls(cannot, start)}
        </div>
    }
    .into_any()
}

/// Curves of the newest fit, all fits, and the one that is shown.
fn results(lab: Lab) -> AnyView {
    let any_curves = Memo::new(move |_| lab.fit_curves.with(|curves| !curves.is_empty()));
    view! {
        {part(move || any_curves.get().then(|| live(lab)))}
        {fit_list(lab)}
        {part(move || {
            let shown = lab.fit_shown.get();
            lab.fits.with(|fits| fits.get(shown).cloned()).map(|fit| result(lab, fit))
        })}
    }
    .into_any()
}

/// Cancel and pause while a fit goes on, and where it stands.
fn hold(lab: Lab) -> AnyView {
    let running = move || lab.fit_state.get() == FitState::Running;
    view! {
        <button type="button" id="cancel-fit" class:primary=flag(running) disabled=flag(move || !running()) hidden=flag(move || !running())
            on:click=move |_| session::cancel_fit(lab)>"Cancel"</button>
        <button type="button" id="pause-fit" hidden=flag(move || !running())
            on:click=move |_| session::pause_fit(lab, !lab.fit_paused.get_untracked())>
            {text(move || if lab.fit_paused.get() { "Continue" } else { "Pause" }.into())}
        </button>
        {fit_status(lab)}
    }
    .into_any()
}

/// The same fit where something is known to be absent: which null, what it must show, what it means if it does not.
fn nulls(cannot: impl Fn() -> bool + Copy + Send + 'static, start: impl Fn(Null) + Copy + 'static) -> AnyView {
    let chosen = RwSignal::new(Null::Repeated);
    let options: Vec<_> = Null::ALL
        .into_iter()
        .map(|null| view! { <option value=null.name() selected=flag(move || chosen.get() == null)>{null.title()}</option> })
        .collect();
    let choose = move |event| {
        if let Ok(null) = Null::named(&event_target_value(&event)) {
            chosen.set(null);
        }
    };
    let help = move || {
        let null = chosen.get();
        format!("It must show {}. If it does not, {}.", null.must_show(), null.otherwise())
    };
    view! {
        <div class="field" id="nulls">
            <label for="null-kind">"The same fit where there is nothing to find"</label>
            <div class="row">
                <select id="null-kind" on:change=choose prop:value=text(move || chosen.get().name().into())>{options}</select>
                <button type="button" id="fit-null" disabled=flag(cannot) on:click=move |_| start(chosen.get_untracked())>"Fit this null"</button>
            </div>
            <p class="help">{text(help)}</p>
        </div>
    }
    .into_any()
}

/// Known fits to start from. The chosen checkpoints stay.
fn presets(lab: Lab) -> AnyView {
    let now = move || {
        let config = lab.fit_form.value.get();
        let alike = |preset: &&CrosscoderPreset| {
            let known = &preset.config;
            (known.variant, known.prefixes, known.mask) == (config.variant, config.prefixes, config.mask)
        };
        crosscoder_presets().iter().find(alike)
    };
    let options: Vec<_> = crosscoder_presets()
        .iter()
        .map(|preset| {
            let chosen = flag(move || now().is_some_and(|now| now.name == preset.name));
            view! { <option value=preset.name selected=chosen>{preset.title}</option> }
        })
        .collect();
    let choose = move |event| match crosscoder_preset(&event_target_value(&event)) {
        Ok(preset) => {
            let (sources, hook) = lab.fit_form.value.with_untracked(|config| (config.sources.clone(), config.hook));
            lab.fit_form.replace(CrosscoderConfig { sources, hook, ..preset.config.clone() });
        }
        Err(error) => lab.fail(error),
    };
    let sentence = move || now().map_or_else(|| "A fit of your own.".to_owned(), |preset| format!("{}.", preset.sentence));
    view! {
        <div class="field">
            <label for="fit-preset">"Kind of fit"</label>
            <select id="fit-preset" on:change=choose
                prop:value=text(move || now().map(|preset| preset.name.to_owned()).unwrap_or_default())>{options}</select>
            <p class="help">{text(sentence)}</p>
        </div>
    }
    .into_any()
}

fn fit_status(lab: Lab) -> AnyView {
    let name = move || match lab.fit_state.get() {
        FitState::Idle => "idle",
        FitState::Running if lab.fit_paused.get() => "paused",
        FitState::Running => "running",
        FitState::Done => "done",
        FitState::Error => "error",
    };
    let step = Memo::new(move |_| lab.fit_curves.with(|curves| curves.last().map_or(0, |row| row.step)));
    let words = move || match lab.fit_state.get() {
        FitState::Idle | FitState::Done => String::new(),
        FitState::Running if lab.fit_paused.get() => format!("paused at step {}", grouped(step.get().into())),
        FitState::Running if lab.fit_probing.get().is_some() => {
            format!("taking latents out, {:.0}% done", 100.0 * lab.fit_probing.get().unwrap_or(0.0))
        }
        FitState::Running if lab.fit_plan.with(|plan| plan.0 == 0) => "reading the dictionary".into(),
        FitState::Running => {
            format!("step {} of {}", grouped(step.get().into()), grouped(lab.fit_plan.with(|plan| plan.0).into()))
        }
        FitState::Error => "The fit was not made".into(),
    };
    view! { <span id="fit-status" class="number muted" data-state=text(move || name().into()) data-step=text(move || step.get().to_string())>{text(words)}</span> }
        .into_any()
}

/// Live curves: explained variance per source, active latents, dead share.
fn live(lab: Lab) -> AnyView {
    let explained = move |show: &mut Show<'_>| {
        let labels = lab.fit_plan.with(|plan| plan.1.clone());
        let lines: Vec<Vec<(f64, f64)>> = lab.fit_curves.with(|curves| {
            let value = |row: &crate::crosscoder::FitRow, s: usize| row.explained_variance.get(s).copied().unwrap_or(f32::NAN);
            let line = |s: usize| curves.iter().map(|row| (f64::from(row.step), f64::from(value(row, s)))).collect();
            (0..curves.first().map_or(0, |row| row.explained_variance.len())).map(line).collect()
        });
        let series: Vec<Series<'_>> = lines
            .iter()
            .enumerate()
            .map(|(s, points)| Series {
                label: labels.get(s).map_or("", String::as_str),
                ink: Ink::Source(s as u8),
                dashed: false,
                points,
            })
            .collect();
        let y = Axis { range: Some((0.0, 1.0)), format: NumberFormat::Percent, ..Axis::linear("explained variance") };
        show(&lines_of(&series, y));
    };
    let active = move |show: &mut Show<'_>| {
        let points: Vec<(f64, f64)> =
            lab.fit_curves.with(|curves| curves.iter().map(|row| (f64::from(row.step), f64::from(row.l0))).collect());
        let series = [Series { label: "", ink: Ink::Accent, dashed: false, points: &points }];
        show(&lines_of(&series, Axis::log("active latents")));
    };
    let newest = move || lab.fit_curves.with(|curves| curves.last().cloned());
    let dead = move || newest().map(|row| format!("{:.0}% of latents never fire", 100.0 * row.dead_share));
    let spoken = move || {
        newest().map_or_else(String::new, |row| {
            let explained: Vec<String> = row.explained_variance.iter().map(|ev| format!("{:.0}%", 100.0 * ev)).collect();
            format!("At step {}: explained variance {}, {:.1} active latents", row.step, explained.join(", "), row.l0)
        })
    };
    view! {
        <div class="charts" style="--height:13rem;--height-narrow:12rem">
            {figure("Explained variance", ().into_any(), sheet(lab, "fit-ev-chart", spoken, explained, ().into_any()),
                "How much of each checkpoint the dictionary explains on inputs that it was not fitted to.".into_any())}
            {figure("Active latents", view! { <span class="small muted number">{text(move || dead().unwrap_or_default())}</span> }.into_any(),
                sheet(lab, "fit-l0-chart", spoken, active, ().into_any()),
                "Mean number of latents that fire on an input (L0). Fewer is sparser.".into_any())}
        </div>
    }
    .into_any()
}

/// Lines over the updates of a fit.
fn lines_of<'a>(series: &'a [Series<'a>], y: Axis) -> Picture<'a> {
    let x = Axis::count("step", Scale::Linear);
    Picture::Curves(Curves { series, x, y, marks: &[], ticks: &[], cursor: None, bands: &[], areas: &[] })
}

/// What tells a fit that came as a file, or is of one, from those of the run.
pub(super) fn mark_of(origin: &Origin) -> &'static str {
    match origin {
        Origin::Activations(_) => "of activations from a file",
        Origin::Dictionary { .. } => "imported",
    }
}

/// Fits side by side, once there is more than one.
fn fit_list(lab: Lab) -> AnyView {
    let items = move || {
        lab.fits.with(|fits| {
            fits.iter()
                .enumerate()
                .map(|(index, fit)| {
                    let steps: Vec<String> = fit.sources.iter().map(|source| source.label()).collect();
                    let counts = format!("{} emergent, {} shared, {} vanished", fit.emergent, fit.shared, fit.vanished);
                    let choose = move |_| {
                        lab.fit_shown.set(index);
                        lab.latent.set(None);
                    };
                    view! {
                        <button type="button" aria-pressed=text(move || (lab.fit_shown.get() == index).to_string()) on:click=choose>
                            <strong>{fit.config.name.clone()}</strong>
                            {fit.origin.as_ref().map(mark_of).map(|mark| view! { <span class="small muted">{mark}</span> })}
                            <span class="small muted number">{steps.join(" · ")}</span>
                            <span class="small number">{counts}</span>
                        </button>
                    }
                })
                .collect::<Vec<_>>()
        })
    };
    view! {
        <div hidden=flag(move || lab.fits.with(|fits| fits.len() < 2))>
            <h2 style="margin-bottom:.6rem">"Fits side by side"</h2>
            <div class="fits">{part(move || Some(items().into_any()))}</div>
        </div>
    }
    .into_any()
}
