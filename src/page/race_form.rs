//! What the next race runs: a preset or one's own control, arms as lines of edits, seeds and a budget.
//!
//! Arms are edited as `path=value` lines, because an arm may change anything that an experiment has; a box for each would be a
//! second configuration drawer per arm. What is typed is read at once and refused beside it, with one seed while the hand is
//! typing and with all of them at Start, since some splits depend on the seed.

use super::address::nearest_preset;
use super::configure::changes;
use super::live::{flag, part, text};
use super::store::{FitState, Lab, grouped};
use crate::experiment::{Experiment, FieldError, counts, parameters};
use crate::measure::{Cost, measures as all_measures, measures_for};
use crate::race::{Arm, Criterion, MAX_ARMS, RACE_SCHEMA, RaceConfig, RacePreset, race_preset, race_presets};
use leptos::prelude::*;

/// Most seeds that the page offers; a race file may have more.
const MOST_SEEDS: u64 = 32;
/// Most updates of a race on the page.
const MOST_STEPS: u32 = 1_000_000;
/// What a browser's core does, for an estimate within a factor of a few: multiply-adds per second, and seconds that an update
/// costs however small the network is.
const SPEED: (f64, f64) = (3e9, 2.5e-4);

/// An arm that is being edited. Counted references, since arms come and go.
#[derive(Clone)]
struct ArmRow {
    name: ArcRwSignal<String>,
    edits: ArcRwSignal<String>,
    matched: ArcRwSignal<bool>,
}

impl ArmRow {
    fn new(arm: &Arm) -> Self {
        Self {
            name: ArcRwSignal::new(arm.name.clone()),
            edits: ArcRwSignal::new(arm.edits.join("\n")),
            matched: ArcRwSignal::new(arm.matched_rate),
        }
    }

    fn arm(&self) -> Arm {
        let edits = self.edits.with(|text| text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect());
        Arm { name: self.name.with(|name| name.trim().to_owned()), edits, matched_rate: self.matched.get() }
    }
}

/// The next race under edit.
#[derive(Clone, Copy)]
pub(super) struct RaceForm {
    /// What it started from; `None` until the view is opened, so that the first paint does not wait for the list.
    preset: RwSignal<Option<&'static RacePreset>>,
    /// Whether the configured experiment is the control.
    own: RwSignal<bool>,
    arms: RwSignal<Vec<ArmRow>>,
    seeds: RwSignal<String>,
    steps: RwSignal<String>,
    count_source: RwSignal<bool>,
    criterion: RwSignal<Criterion>,
    /// Names of the measures to take.
    measures: RwSignal<Vec<String>>,
}

impl RaceForm {
    /// An empty one.
    pub(super) fn new() -> Self {
        Self {
            preset: RwSignal::new(None),
            own: RwSignal::new(false),
            arms: RwSignal::new(Vec::new()),
            seeds: RwSignal::new(String::new()),
            steps: RwSignal::new(String::new()),
            count_source: RwSignal::new(true),
            criterion: RwSignal::new(Criterion::default()),
            measures: RwSignal::new(Vec::new()),
        }
    }

    /// The question of the race.
    pub(super) fn question(&self) -> String {
        self.preset.get().map_or_else(String::new, |preset| preset.question.to_owned())
    }

    /// Starts from the first preset, unless something is there already.
    pub(super) fn fill(&self) {
        if let (None, Some(first)) = (self.preset.get_untracked(), race_presets().first()) {
            self.load(first);
        }
    }

    fn load(&self, preset: &'static RacePreset) {
        let config = &preset.config;
        self.preset.set(Some(preset));
        self.own.set(false);
        self.arms.set(config.arms.iter().map(ArmRow::new).collect());
        self.seeds.set(config.seeds.len().to_string());
        self.steps.set(config.steps.to_string());
        self.count_source.set(config.count_source);
        self.criterion.set(config.criterion);
        self.measures.set(config.measures.clone());
    }

    fn add(&self) {
        self.arms.update(|arms| {
            let number = arms.len() + 1;
            let edits = vec!["optimizer.weight_decay=1".to_owned()];
            arms.push(ArmRow::new(&Arm { name: format!("arm {number}"), edits, matched_rate: false }));
        });
    }

    /// The control.
    fn control(&self, lab: Lab) -> Experiment {
        match self.preset.get() {
            Some(preset) if !self.own.get() => preset.config.experiment.clone(),
            _ => lab.draft.value.get(),
        }
    }

    /// What is typed, as a race that may still be refused.
    ///
    /// # Errors
    /// Numbers that cannot be read.
    pub(super) fn config(&self, lab: Lab) -> Result<RaceConfig, Vec<FieldError>> {
        let mut errors = Vec::new();
        let seeds = self.seeds.with(|text| whole("seeds", text, MOST_SEEDS));
        let steps = self.steps.with(|text| whole("steps", text, u64::from(MOST_STEPS)));
        let seeds = seeds.map_err(|error| errors.push(error)).unwrap_or_default();
        let steps = steps.map_err(|error| errors.push(error)).unwrap_or_default();
        if !errors.is_empty() {
            return Err(errors);
        }
        let name = self.preset.get().filter(|_| !self.own.get()).map_or("my-race", |preset| preset.name);
        Ok(RaceConfig {
            schema: RACE_SCHEMA,
            name: name.into(),
            experiment: self.control(lab),
            arms: self.arms.with(|arms| arms.iter().map(ArmRow::arm).collect()),
            seeds: (0..seeds).collect(),
            steps: u32::try_from(steps).unwrap_or(MOST_STEPS),
            count_source: self.count_source.get(),
            criterion: self.criterion.get(),
            measures: self.measures.get(),
        })
    }

    /// Why it cannot run, judged by its first seed.
    fn problems(&self, lab: Lab) -> Vec<FieldError> {
        match self.config(lab) {
            Ok(config) => RaceConfig { seeds: vec![0], ..config }.validate().err().unwrap_or_default(),
            Err(errors) => errors,
        }
    }
}

fn whole(path: &str, text: &str, most: u64) -> Result<u64, FieldError> {
    let number = text.trim().parse::<u64>().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| {
        FieldError::new(path, format!("\"{}\" does not fit", text.trim()), format!("Use a whole number from 1 to {most}"))
    })
}

/// A refusal as one sentence. The path of an arm's says less than its name, which stands in the cause.
pub(super) fn sentence(error: &FieldError) -> String {
    let path = error.path.strip_prefix("experiment.").unwrap_or(&error.path);
    let path = if error.path.starts_with("arms.") { "" } else { path };
    if path.is_empty() {
        format!("{}. {}", error.cause, error.remedy)
    } else {
        format!("{path}: {}. {}", error.cause, error.remedy)
    }
}

/// What it costs: runs, updates and an order of magnitude in time.
fn cost(config: &RaceConfig) -> Option<String> {
    let entrants = config.entrants().ok()?.len() as u64;
    let runs = entrants * config.seeds.len() as u64;
    let rows = config.experiment.batch_size.unwrap_or_else(|| counts(&config.experiment).train);
    // Forward once, backward twice.
    let work = 3.0 * parameters(&config.experiment) as f64 * f64::from(rows);
    let seconds = (runs * u64::from(config.steps)) as f64 * (work / SPEED.0 + SPEED.1);
    let time = match seconds {
        s if s < 20.0 => "a few seconds".to_owned(),
        s if s < 90.0 => "about a minute".to_owned(),
        s if s < 5400.0 => format!("about {:.0} minutes", s / 60.0),
        s => format!("about {:.0} hours", s / 3600.0),
    };
    let measured = match config.measures.len() as u64 {
        0 => String::new(),
        count => {
            let logging = &config.experiment.logging;
            let saved = (0..=config.steps).filter(|step| logging.checkpoints_at(*step, config.steps)).count() as u64;
            format!("; and {} measurements beside them", grouped(runs * saved * count))
        }
    };
    let updates = grouped(config.steps.into());
    Some(format!("At most {} runs of {updates} updates: {time} on one core of a laptop{measured}", grouped(runs)))
}

/// The controls of the next race.
pub(super) fn controls(lab: Lab) -> AnyView {
    let form = lab.race.form;
    let problems = Memo::new(move |_| form.problems(lab));
    let is_running = move || lab.race.state.get() == FitState::Running;
    let presets: Vec<_> = race_presets()
        .iter()
        .map(|preset| {
            let chosen = flag(move || form.preset.get().is_some_and(|now| now.name == preset.name));
            view! { <option value=preset.name selected=chosen>{preset.title}</option> }
        })
        .collect();
    let choose = move |event| match race_preset(&event_target_value(&event)) {
        Ok(preset) => form.load(preset),
        Err(error) => lab.fail(error),
    };
    let about = move || {
        form.preset.get().map(|preset| {
            view! {
                <dl class="facts">
                    <dt>"Expected"</dt><dd>{preset.expected}"."</dd>
                    <dt>"Source"</dt><dd>{preset.source}"."</dd>
                    <dt>"Cost"</dt><dd>{preset.cost}"."</dd>
                </dl>
            }
            .into_any()
        })
    };
    let own = move |event| {
        let own = event_target_checked(&event);
        form.own.set(own);
        let steps = if own { Some(lab.draft.value.with_untracked(|draft| draft.steps)) } else { None };
        let steps = steps.or_else(|| form.preset.get_untracked().map(|preset| preset.config.steps));
        if let Some(steps) = steps {
            form.steps.set(steps.to_string());
        }
    };
    let criteria: Vec<_> = Criterion::CHOICES
        .iter()
        .map(|&(criterion, name, label)| {
            view! { <option value=name selected=flag(move || form.criterion.get() == criterion)>{label}</option> }
        })
        .collect();
    let judge = move |event| {
        let name = event_target_value(&event);
        if let Some((criterion, ..)) = Criterion::CHOICES.iter().find(|(_, known, _)| *known == name) {
            form.criterion.set(*criterion);
        }
    };
    let price =
        move || form.config(lab).ok().and_then(|config| cost(&config)).map(|words| format!("{words}.")).unwrap_or_default();
    let uses_source = move || {
        form.control(lab).stage_use().is_some()
            || form.arms.with(|arms| arms.iter().any(|arm| arm.edits.with(|edits| edits.contains("stage."))))
    };
    let refusals = move || {
        problems.with(|problems| {
            let lines: Vec<_> = problems.iter().map(|error| view! { <li>{sentence(error)}</li> }).collect();
            (!lines.is_empty()).then(|| view! { <ul class="plain problems" id="race-problems">{lines}</ul> }.into_any())
        })
    };
    view! {
        <div class="card">
            <div class="transport">
                <label class="visually-hidden" for="race-preset">"Race"</label>
                <select id="race-preset" class="preset" on:change=choose
                    prop:value=text(move || form.preset.get().map(|preset| preset.name.to_owned()).unwrap_or_default())>{presets}</select>
            </div>
            <details><summary>"About this race"</summary>{part(about)}</details>
            <h3>"Control"</h3>
            <p id="race-control">{text(move || described(&form.control(lab)))}</p>
            <div class="row">
                <input type="checkbox" id="race-own" prop:checked=flag(move || form.own.get()) on:change=own />
                <label for="race-own">"Use my experiment as the control (the one in the configuration of the Run view)"</label>
            </div>
            <h3>"Arms: the control with these changes"</h3>
            <div class="arms">{part(move || Some(arms(form)))}</div>
            <div class="row">
                <button type="button" class="small-button" id="race-add" disabled=flag(move || form.arms.with(Vec::len) >= MAX_ARMS)
                    on:click=move |_| form.add()>"Add an arm"</button>
            </div>
            <div class="fields">
                {number("race-seeds", "Seeds", "Runs of each arm, 1 to 32; with fewer than 6 nothing can be shown", form.seeds)}
                {number("race-steps", "Budget", "Updates that each run may make", form.steps)}
                <div class="field">
                    <label for="race-criterion">"Arrived when"</label>
                    <select id="race-criterion" on:change=judge>{criteria}</select>
                    <p class="help">"A run that does not get there counts as longer than the budget"</p>
                </div>
                <div class="field" hidden=flag(move || !uses_source())>
                    <label for="race-count-source">"Count the source's updates"</label>
                    <input type="checkbox" id="race-count-source" prop:checked=flag(move || form.count_source.get())
                        on:change=move |event| form.count_source.set(event_target_checked(&event)) />
                    <p class="help">"Off asks what a source is worth once it is there"</p>
                </div>
            </div>
            {measures(lab)}
            <p class="small muted" id="race-cost">{text(price)}</p>
            <div role="alert">{part(refusals)}</div>
            <div class="transport">
                <button type="button" id="race-start" class="primary" hidden=flag(is_running)
                    disabled=flag(move || is_running() || !problems.with(Vec::is_empty)) on:click=move |_| super::race::start(lab)>"Start the race"</button>
                {super::race::progress(lab)}
            </div>
        </div>
    }
    .into_any()
}

/// Which measures are taken of every run.
fn measures(lab: Lab) -> AnyView {
    let form = lab.race.form;
    // The list follows the kind of network and task, not each of their settings.
    let control = Memo::new(move |_| form.control(lab));
    let chips = move || {
        // What the preset names can be unticked even if it has no meaning for another control.
        let of_preset = form.preset.get().map_or(&[][..], |preset| &preset.config.measures);
        let applying = control.with(|experiment| measures_for(experiment, Cost::Training));
        let is_offered = |name: &str| applying.iter().any(|m| m.name == name) || of_preset.iter().any(|other| other == name);
        let known = all_measures().iter().filter(|measure| is_offered(measure.name));
        let chips: Vec<_> = known
            .map(|measure| {
                let is_on = flag(move || form.measures.with(|names| names.iter().any(|name| name == measure.name)));
                let turn = move |event| {
                    let on = event_target_checked(&event);
                    form.measures.update(|names| {
                        names.retain(|name| name != measure.name);
                        if on {
                            names.push(measure.name.to_owned());
                        }
                    });
                };
                let id = format!("race-measure-{}", measure.name);
                view! { <label title=measure.definition><input type="checkbox" id=id prop:checked=is_on on:change=turn />{measure.label}</label> }
            })
            .collect();
        Some(view! { <div class="chips">{chips}</div> }.into_any())
    };
    let count = move || match form.measures.with(Vec::len) {
        0 => "none: a run ends when all seeds have arrived".to_owned(),
        count => format!("{count} chosen: every run makes the whole budget and is measured at its checkpoints"),
    };
    view! {
        <details id="race-measures">
            <summary>"Measures of every run "<span class="muted">{text(count)}</span></summary>
            {part(chips)}
        </details>
    }
    .into_any()
}

/// An experiment as its nearest preset and what differs from it.
fn described(experiment: &Experiment) -> String {
    let preset = nearest_preset(experiment);
    let own = ["Steps: ", "Seed: "];
    let changes: Vec<String> = changes(&preset.experiment, experiment)
        .into_iter()
        // The race has its own.
        .filter(|change| !own.iter().any(|start| change.starts_with(start)))
        .collect();
    if changes.is_empty() { preset.title.to_owned() } else { format!("{} with {}", preset.title, changes.join(" · ")) }
}

fn number(id: &'static str, label: &'static str, help: &'static str, value: RwSignal<String>) -> AnyView {
    let help_id = format!("{id}-help");
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input type="text" id=id inputmode="numeric" autocomplete="off" aria-describedby=help_id.clone()
                prop:value=text(move || value.get()) on:input=move |event| value.set(event_target_value(&event)) />
            <p class="help" id=help_id>{help}</p>
        </div>
    }
    .into_any()
}

fn arms(form: RaceForm) -> AnyView {
    let rows: Vec<_> = form
        .arms
        .get()
        .into_iter()
        .enumerate()
        .map(|(index, arm)| {
            let (name_id, edits_id, matched_id) =
                (format!("race-arm-{index}-name"), format!("race-arm-{index}-edits"), format!("race-arm-{index}-matched"));
            let (name, named, said) = (arm.name.clone(), arm.name.clone(), arm.name.clone());
            let (edits, edited, lines) = (arm.edits.clone(), arm.edits.clone(), arm.edits.clone());
            let (matched, ticked) = (arm.matched.clone(), arm.matched);
            let height = move || lines.with(|text| text.lines().count().clamp(2, 8)).to_string();
            view! {
                <fieldset class="arm">
                    <legend class="visually-hidden">{format!("Arm {}", index + 1)}</legend>
                    <div class="field">
                        <label for=name_id.clone()>"Name"</label>
                        <input type="text" id=name_id autocomplete="off" prop:value=text(move || name.get())
                            on:input=move |event| named.set(event_target_value(&event)) />
                    </div>
                    <div class="field">
                        <label for=edits_id.clone()>"Changes, path=value on each line"</label>
                        <textarea id=edits_id spellcheck="false" autocapitalize="off" rows=text(height) prop:value=text(move || edits.get())
                            on:input=move |event| edited.set(event_target_value(&event))></textarea>
                    </div>
                    <div class="check">
                        <input type="checkbox" id=matched_id.clone() prop:checked=flag(move || matched.get())
                            on:change=move |event| ticked.set(event_target_checked(&event)) />
                        <label for=matched_id class="small">"Also run the control at this arm's effective learning rate (Grokfast)"</label>
                    </div>
                    <div class="row">
                        <button type="button" class="small-button quiet" aria-label=text(move || format!("Remove {}", said.get()))
                            on:click=move |_| form.arms.update(|arms| { arms.remove(index); })>"Remove"</button>
                    </div>
                </fieldset>
            }
        })
        .collect();
    rows.into_any()
}
