//! One crosscoder fit under way: reading the sources' activations, then ticks of updates.

use super::capability::EngineKind;
use super::message::Event;
use super::port::Port;
use super::tick::Tick;
use crate::crosscoder::{CrosscoderConfig, CrosscoderResult, Hook, Source, fit::Fit};
use crate::experiment::Experiment;
use crate::experiment::stage::Use;
use crate::model::{self, Inputs, Model, Shape, lost};
use crate::record::{Checkpoint, UserError, Weights};
use crate::task::{Dataset, Domain};
use burn::tensor::{Device, Tensor};

/// A fit with its clock.
pub(super) struct Fitting {
    fit: Fit,
    steps: u32,
    tick: Tick,
    worked_ms: f64,
}

impl Fitting {
    pub(super) async fn new(
        config: CrosscoderConfig,
        experiment: &Experiment,
        checkpoints: &[Checkpoint],
        kind: EngineKind,
        device: &Device,
    ) -> Result<Self, UserError> {
        let saved: Vec<u32> = checkpoints.iter().map(|c| c.step).collect();
        config.validate(experiment, &saved)?;
        let data = Dataset::new(&experiment.task, experiment.seed)?;
        let sources = activations(&config.sources, config.hook, experiment, checkpoints, &data, kind, device).await?;
        let steps = config.steps;
        let most = if kind == EngineKind::Gpu { 16 } else { 4096 };
        Ok(Self { fit: Fit::new(config, sources, data, device)?, steps, tick: Tick::new(most), worked_ms: 0.0 })
    }

    /// About 50 ms of updates. True when the fit is done.
    pub(super) async fn advance(&mut self, port: &mut impl Port) -> Result<bool, UserError> {
        let begun = port.now_ms();
        let mut made = 0;
        while made < self.tick.steps() && !self.fit.is_done() {
            if self.fit.row_is_due() {
                self.report(port).await?;
            }
            self.fit.advance();
            made += 1;
        }
        if self.fit.row_is_due() {
            self.report(port).await?;
        }
        self.fit.settle().await?;
        let spent = port.now_ms() - begun;
        self.worked_ms += spent;
        self.tick.took(made, spent);
        Ok(self.fit.is_done())
    }

    async fn report(&mut self, port: &mut impl Port) -> Result<(), UserError> {
        let row = self.fit.row().await?;
        if row.step > 0 && !row.loss.is_finite() {
            return Err(UserError::new(
                format!("The fit's loss stopped being a number at update {}", row.step),
                "Lower the fit's learning rate or λ",
            ));
        }
        port.emit(Event::FitProgress { row, steps: self.steps });
        Ok(())
    }

    pub(super) async fn finish(self, port: &mut impl Port) -> Result<CrosscoderResult, UserError> {
        let begun = port.now_ms();
        let mut result = self.fit.finish(self.worked_ms / 1000.0).await?;
        result.wall_seconds += (port.now_ms() - begun) / 1000.0;
        Ok(result)
    }
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
            sources.push(Source { step: *step, width, values });
        }
    }
    Ok(sources)
}

/// The weights at step 0, whose outputs a centred network subtracts: drawn again, but for those that an earlier stage left.
fn starting_weights(experiment: &Experiment, checkpoints: &[Checkpoint]) -> Result<Weights, UserError> {
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
