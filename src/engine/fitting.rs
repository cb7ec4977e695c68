//! One crosscoder fit under way: reading the sources' activations, then ticks of updates.

use super::capability::EngineKind;
use super::causal::Probing;
use super::message::{Event, OtherRun};
use super::port::Port;
use super::tick::Tick;
use crate::crosscoder::causal::Anatomy;
use crate::crosscoder::{
    CrosscoderConfig, CrosscoderResult, Hook, Null, Origin, Place, Source, SourceInfo, check_same_inputs, fit::Fit,
};
use crate::experiment::Experiment;
use crate::experiment::stage::Use;
use crate::model::{self, Inputs, Model, Shape, lost};
use crate::record::{Checkpoint, UserError, Weights};
use crate::task::{Dataset, Domain};
use burn::tensor::{Device, Tensor};

/// Milliseconds of interventions at a stretch.
const STRETCH_MS: f64 = 50.0;

/// A fit with its clock.
pub(super) struct Fitting {
    work: Work,
    /// The run whose networks were read; none for activations from elsewhere.
    run: Option<(Experiment, Vec<Checkpoint>)>,
    /// Names of the further runs.
    others: Vec<String>,
    /// The file that it is of, if it is of one.
    origin: Option<Origin>,
    is_paused: bool,
    kind: EngineKind,
    device: Device,
    steps: u32,
    tick: Tick,
    worked_ms: f64,
}

/// What it is at.
pub(super) enum Work {
    Fit(Box<Fit>),
    /// What the latents do, if that is wanted.
    Probe(Box<Probing>),
    Done(Box<CrosscoderResult>),
    /// Only while one passes into the next.
    Nothing,
}

impl Fitting {
    pub(super) async fn new(
        config: CrosscoderConfig,
        experiment: &Experiment,
        checkpoints: &[Checkpoint],
        others: Vec<OtherRun>,
        kind: EngineKind,
        device: &Device,
    ) -> Result<Self, UserError> {
        let saved: Vec<u32> = checkpoints.iter().map(|c| c.step).collect();
        config.validate(experiment, &saved)?;
        let data = Dataset::new(&experiment.task, experiment.seed)?;
        let own = OtherRun { name: String::new(), experiment: experiment.clone(), checkpoints: checkpoints.to_vec() };
        let runs: Vec<&OtherRun> = core::iter::once(&own).chain(&others).collect();
        if config.null == Null::Untrained && !others.is_empty() {
            return Err(UserError::new("Networks that are not trained are of no run", "Leave out the further runs"));
        }
        let mut sources = Vec::new();
        for (run, of) in runs.into_iter().enumerate() {
            let steps = if run == 0 { config.sources.clone() } else { of.checkpoints.iter().map(|c| c.step).collect() };
            if run > 0 {
                check_same_inputs(&of.name, &of.experiment, experiment)?;
                CrosscoderConfig { sources: steps.clone(), ..config.clone() }.validate(&of.experiment, &steps)?;
            }
            for (layer, hook) in config.hooks().into_iter().enumerate() {
                let place = Place { run: run as u32, layer: layer as u32 };
                let read = if config.null == Null::Untrained {
                    untrained(steps.len(), hook, &of.experiment, &data, kind, device).await?
                } else {
                    activations(&steps, hook, &of.experiment, &of.checkpoints, &data, kind, device).await?
                };
                sources.extend(read.into_iter().map(|source| Source { place, ..source }));
            }
        }
        let steps = config.steps;
        let fit = Fit::new(config, sources, data, device)?;
        fit.check_first_threshold().await?;
        let work = Work::Fit(Box::new(fit));
        let run = Some((experiment.clone(), checkpoints.to_vec()));
        let others = others.into_iter().map(|other| other.name).collect();
        Ok(Self { others, ..Self::begun(work, run, steps, kind, device) })
    }

    /// At the beginning of `work` of so many `steps`; `run` has the networks behind the sources, where they are here.
    pub(super) fn begun(
        work: Work,
        run: Option<(Experiment, Vec<Checkpoint>)>,
        steps: u32,
        kind: EngineKind,
        device: &Device,
    ) -> Self {
        let most = if kind == EngineKind::Gpu { 16 } else { 4096 };
        Self {
            work,
            run,
            others: Vec::new(),
            origin: None,
            is_paused: false,
            kind,
            device: device.clone(),
            steps,
            tick: Tick::new(most),
            worked_ms: 0.0,
        }
    }

    /// The same, of something that came as a file.
    pub(super) fn from(self, origin: Origin) -> Self {
        Self { origin: Some(origin), ..self }
    }

    /// Counts work that was done before the clock began.
    pub(super) fn add_worked(&mut self, ms: f64) {
        self.worked_ms += ms;
    }

    /// Whether it waits.
    pub(super) fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// Waits, or goes on.
    pub(super) fn pause(&mut self, is_paused: bool) {
        self.is_paused = is_paused;
    }

    /// About 50 ms of updates or interventions. True when all is done.
    pub(super) async fn advance(&mut self, port: &mut impl Port) -> Result<bool, UserError> {
        let begun = port.now_ms();
        match &mut self.work {
            Work::Fit(fit) => {
                let mut made = 0;
                while made < self.tick.steps() && !fit.is_done() {
                    if fit.row_is_due() {
                        report(fit, self.steps, port).await?;
                    }
                    if fit.revival_is_due() {
                        fit.revive().await?;
                    }
                    fit.advance();
                    made += 1;
                }
                if fit.row_is_due() {
                    report(fit, self.steps, port).await?;
                }
                fit.settle().await?;
                let is_done = fit.is_done();
                let spent = port.now_ms() - begun;
                self.worked_ms += spent;
                self.tick.took(made, spent);
                if is_done {
                    self.analyse(port).await?;
                }
            }
            Work::Probe(probing) => {
                let mut is_done = false;
                while !is_done && port.now_ms() - begun < STRETCH_MS {
                    is_done = probing.advance().await?;
                }
                port.emit(Event::FitProbing(probing.done()));
                if is_done && let Work::Probe(probing) = core::mem::replace(&mut self.work, Work::Nothing) {
                    self.work = Work::Done(Box::new(probing.finish()));
                }
                self.worked_ms += port.now_ms() - begun;
            }
            Work::Done(_) | Work::Nothing => {}
        }
        Ok(matches!(self.work, Work::Done(_)))
    }

    /// From the last update to the result, or to the interventions on it.
    async fn analyse(&mut self, port: &mut impl Port) -> Result<(), UserError> {
        let begun = port.now_ms();
        let Work::Fit(fit) = core::mem::replace(&mut self.work, Work::Nothing) else { return Ok(()) };
        let baselines = fit.baselines();
        let (mut result, anatomy) = fit.finish(0.0).await?;
        result.baselines = baselines;
        self.worked_ms += port.now_ms() - begun;
        result.wall_seconds = self.worked_ms / 1000.0;
        let hooks = result.config.hooks();
        let per_hook = result.config.sources.len().max(1);
        for (s, (info, source)) in result.sources.iter_mut().zip(&anatomy.sources).enumerate() {
            let Place { run, layer } = source.place;
            info.hook = hooks.get(layer as usize).copied().filter(|_| hooks.len() > 1);
            info.run = match (self.others.is_empty(), run.checked_sub(1)) {
                // Networks of their own, which no checkpoint holds.
                (true, _) if result.config.null == Null::Untrained => Some(format!("initialisation {}", s % per_hook + 1)),
                (true, _) => None,
                (false, None) => Some(SourceInfo::OWN_RUN.into()),
                (false, Some(other)) => self.others.get(other as usize).cloned(),
            };
        }
        result.origin.clone_from(&self.origin);
        self.work = examined(result, anatomy, self.run.as_ref(), self.kind, &self.device)?;
        Ok(())
    }

    /// The result, once all is done.
    ///
    /// # Errors
    /// If it is not.
    pub(super) fn finish(self) -> Result<CrosscoderResult, UserError> {
        match self.work {
            Work::Done(result) => Ok(CrosscoderResult { wall_seconds: self.worked_ms / 1000.0, ..*result }),
            _ => Err(UserError::new("The fit ended without a result", "Fit again")),
        }
    }
}

/// What follows on a result: interventions where they are wanted and there is a network, else nothing.
pub(super) fn examined(
    result: CrosscoderResult,
    anatomy: Anatomy,
    run: Option<&(Experiment, Vec<Checkpoint>)>,
    kind: EngineKind,
    device: &Device,
) -> Result<Work, UserError> {
    Ok(match run.filter(|_| result.config.probe) {
        Some((experiment, checkpoints)) => {
            Work::Probe(Box::new(Probing::new(result, anatomy, experiment, checkpoints, kind, device)?))
        }
        None => Work::Done(Box::new(result)),
    })
}

async fn report(fit: &mut Fit, steps: u32, port: &mut impl Port) -> Result<(), UserError> {
    let row = fit.row().await?;
    if row.step > 0 && !row.loss.is_finite() {
        return Err(UserError::new(
            format!("The fit's loss stopped being a number at update {}", row.step),
            "Lower the fit's learning rate or λ",
        ));
    }
    port.emit(Event::FitProgress { row, steps });
    Ok(())
}

/// Raw activations `[rows, width]` of each of `steps` at `hook`, over all rows of `data`.
///
/// # Errors
/// If a checkpoint is missing or does not fit the experiment.
pub async fn activations(
    steps: &[u32],
    hook: Hook,
    experiment: &Experiment,
    checkpoints: &[Checkpoint],
    data: &Dataset,
    kind: EngineKind,
    device: &Device,
) -> Result<Vec<Source>, UserError> {
    let model = Model::new(experiment, device)?;
    let specs = model.specs().to_vec();
    let inputs = inputs_of(data, model::shape_of(experiment), kind == EngineKind::Cpu, device);
    let start = match hook {
        Hook::Logits if experiment.model.settings.is_on("centered") => {
            Some(model::upload(&[starting_weights(experiment, checkpoints)?], &specs, "", device)?)
        }
        _ => None,
    };
    let mut sources: Vec<Source> = Vec::with_capacity(steps.len());
    for step in steps {
        if let Some(known) = sources.iter().find(|source| source.step == *step) {
            sources.push(known.clone());
            continue;
        }
        let checkpoint = checkpoints.iter().find(|c| c.step == *step).ok_or_else(|| {
            UserError::new(format!("Step {step} was not saved"), "Choose among the steps that the time slider offers")
        })?;
        let weights = Weights::from_safetensors(&checkpoint.weights)?;
        let parameters: Vec<Tensor<3>> = model::upload(&[weights], &specs, "", device)?;
        for read in model.activations(&parameters, start.as_deref(), &inputs, &[hook])? {
            let width = read.dims()[2];
            let values = read.into_data_async().await.map_err(lost)?.try_into_vec::<f32>().map_err(lost)?;
            sources.push(Source { step: *step, width, values, place: Place::default() });
        }
    }
    Ok(sources)
}

/// Raw activations of `count` networks as training would begin with them: with the run's own seed and the seeds after it. Their step
/// is 0.
///
/// # Errors
/// If the start is the same for all seeds, or cannot be drawn.
async fn untrained(
    count: usize,
    hook: Hook,
    experiment: &Experiment,
    data: &Dataset,
    kind: EngineKind,
    device: &Device,
) -> Result<Vec<Source>, UserError> {
    let mut sources: Vec<Source> = Vec::with_capacity(count);
    for further in 0..count as u64 {
        let drawn = Experiment { seed: experiment.seed + further, ..experiment.clone() };
        let weights = model::start(&drawn)?.to_safetensors(None)?;
        let saved = [Checkpoint { step: 0, weights }];
        sources.extend(activations(&[0], hook, experiment, &saved, data, kind, device).await?);
    }
    if sources.windows(2).any(|pair| pair[0].values == pair[1].values) {
        return Err(UserError::new("This network starts from the same weights whatever the seed", "Use another null"));
    }
    Ok(sources)
}

/// The weights at step 0, whose outputs a centred network subtracts: drawn again, but for those that an earlier stage left.
pub(super) fn starting_weights(experiment: &Experiment, checkpoints: &[Checkpoint]) -> Result<Weights, UserError> {
    if experiment.stage_use() != Some(Use::Transplant) {
        return model::start(experiment);
    }
    let saved = checkpoints.iter().find(|checkpoint| checkpoint.step == 0).ok_or_else(|| {
        UserError::new(
            "The logits of a centred network need the weights of step 0, which an earlier stage left",
            "Choose step 0 as one of the sources, or another hook",
        )
    })?;
    Weights::from_safetensors(&saved.weights)
}

/// All rows of a data set, on the device.
fn inputs_of(data: &Dataset, shape: Shape, gather: bool, device: &Device) -> Inputs {
    let domain = if data.is_pairs() {
        Domain::Pairs(data.rows.iter().map(|row| (row.a, row.b)).collect())
    } else {
        Domain::Vectors(data.vectors.clone())
    };
    Inputs::new(&[domain], shape, gather, device)
}
