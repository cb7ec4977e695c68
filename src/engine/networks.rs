//! The networks of a fit's sources on all inputs, with something else put in at a hook.
//!
//! Interventions, attributions and trials of one latent ask the same of a network: what do you answer if this goes on from here?

use super::capability::EngineKind;
use super::fitting::starting_weights;
use crate::crosscoder::causal::Effect;
use crate::crosscoder::{Hook, Place, Source};
use crate::experiment::Experiment;
use crate::measure::needs_classes;
use crate::model::{self, Model, lost};
use crate::record::{Checkpoint, UserError, Weights};
use crate::task::Dataset;
use crate::train::{Batch, HostRows, Objective};
use burn::tensor::{Device, Tensor, TensorData, Transaction, activation};

/// The networks of all sources on all rows.
pub(super) struct Networks {
    experiment: Experiment,
    gather: bool,
    /// Built when the first gradient is wanted.
    sloping: Option<Sloping>,
    model: Model,
    /// By layer of the sources.
    hooks: Vec<Hook>,
    batch: Batch,
    objective: Objective,
    data: Dataset,
    /// Parameters per source; none of further runs.
    parameters: Vec<Vec<Tensor<3>>>,
    layers: Vec<usize>,
    start: Option<Vec<Tensor<3>>>,
    /// ln p of the network as it is, per source, where outputs are class probabilities.
    clean: Vec<Option<Tensor<3>>>,
    has_probabilities: bool,
    device: Device,
}

impl Networks {
    /// Of the checkpoints at `sources`; those of further runs stay empty.
    pub(super) fn new(
        experiment: &Experiment,
        checkpoints: &[Checkpoint],
        sources: &[Source],
        hooks: Vec<Hook>,
        kind: EngineKind,
        device: &Device,
    ) -> Result<Self, UserError> {
        let data = Dataset::new(&experiment.task, experiment.seed)?;
        let model = Model::new(experiment, device)?;
        let objective = Objective::new(core::slice::from_ref(experiment), data.sizes.classes as usize, device)?;
        let batch = Batch::new(&[HostRows::all(&data)], data.sizes, &objective, kind == EngineKind::Cpu, device);
        let weights_of = |step: u32| {
            let saved = checkpoints.iter().find(|checkpoint| checkpoint.step == step);
            let saved = saved.ok_or_else(|| UserError::new(format!("Step {step} was not saved"), "Choose a saved step"))?;
            let weights = Weights::from_safetensors(&saved.weights)?;
            model::upload(&[weights], model.specs(), "", device)
        };
        let start = experiment
            .model
            .settings
            .is_on("centered")
            .then(|| model::upload(&[starting_weights(experiment, checkpoints)?], model.specs(), "", device))
            .transpose()?;
        Ok(Self {
            parameters: (sources.iter())
                .map(|source| if source.place.run == 0 { weights_of(source.step) } else { Ok(Vec::new()) })
                .collect::<Result<_, _>>()?,
            layers: sources.iter().map(|source| source.place.layer as usize).collect(),
            experiment: experiment.clone(),
            gather: kind == EngineKind::Cpu,
            sloping: None,
            clean: vec![None; sources.len()],
            has_probabilities: needs_classes(experiment).is_ok(),
            start,
            hooks,
            batch,
            objective,
            data,
            model,
            device: device.clone(),
        })
    }

    /// How the network of `source` answers with `values` `[rows, width]` at the hook.
    ///
    /// # Errors
    /// If nothing can be put in there, or the device stopped answering.
    pub(super) async fn effect(&mut self, source: usize, values: Vec<f32>, is_clean: bool) -> Result<Effect, UserError> {
        Ok(self.run(source, values, is_clean, false).await?.0)
    }

    /// The same, and the outputs `[rows, outputs]`.
    ///
    /// # Errors
    /// As [`Networks::effect`].
    pub(super) async fn answers(
        &mut self,
        source: usize,
        values: Vec<f32>,
        is_clean: bool,
    ) -> Result<(Effect, Vec<f32>), UserError> {
        self.run(source, values, is_clean, true).await
    }

    /// Outputs are read back only where they are wanted: there are many of them.
    async fn run(
        &mut self,
        source: usize,
        values: Vec<f32>,
        is_clean: bool,
        with_outputs: bool,
    ) -> Result<(Effect, Vec<f32>), UserError> {
        let rows = self.data.rows.len();
        let shape = [1, rows, values.len() / rows.max(1)];
        let value = Tensor::<3>::from_data(TensorData::new(values, shape), &self.device);
        let (parameters, start) = (&self.parameters[source], self.start.as_deref());
        let outputs = self.model.spliced(parameters, start, &self.batch.inputs, self.hooks[self.layers[source]], value)?;
        let loss = self.objective.per_row(outputs.clone(), self.batch.targets.clone());
        let correct = self.objective.correct(outputs.clone(), self.batch.targets.clone());
        let mut transaction = Transaction::default().register(loss).register(correct);
        if with_outputs {
            transaction = transaction.register(outputs.clone());
        }
        if self.has_probabilities {
            let log_q = activation::log_softmax(outputs, 2);
            if is_clean {
                self.clean[source] = Some(log_q.clone());
            }
            if let Some(log_p) = &self.clean[source] {
                let kl = (log_p.clone().exp() * (log_p.clone() - log_q)).sum_dim(2);
                transaction = transaction.register(kl);
            }
        }
        let answers = transaction.execute_async().await.map_err(lost)?;
        let mut answers =
            answers.into_iter().map(|data| data.try_into_vec::<f32>().map_err(lost)).collect::<Result<Vec<_>, _>>()?;
        let outputs = if with_outputs { answers.remove(2) } else { Vec::new() };
        let mean = |values: &[f32], rows: &[u32]| {
            rows.iter().map(|row| f64::from(values[*row as usize])).sum::<f64>() / rows.len().max(1) as f64
        };
        let all: Vec<u32> = (0..rows as u32).collect();
        let effect = Effect {
            train_loss: mean(&answers[0], &self.data.train),
            test_loss: mean(&answers[0], &self.data.test),
            train_accuracy: mean(&answers[1], &self.data.train),
            test_accuracy: mean(&answers[1], &self.data.test),
            // Rounding may leave it a little below 0.
            kl: answers.get(2).map(|kl| mean(kl, &all).max(0.0)),
        };
        Ok((effect, outputs))
    }

    /// Whether anything can be put in at `source`: the forward pass has no place for what it starts from, and only the fit's own
    /// run is at hand.
    pub(super) fn can_intervene(&self, place: Place) -> bool {
        let hook = self.hooks.get(place.layer as usize);
        place.run == 0 && hook.is_some_and(|hook| !matches!(hook, Hook::Embed | Hook::Pattern))
    }

    /// The gradient of the mean test loss (training loss where there are no test rows) with respect to `values` `[rows, width]` at
    /// the hook of `source`, in that shape.
    ///
    /// # Errors
    /// If nothing can be put in there, or the device stopped answering.
    pub(super) async fn slope(&mut self, source: usize, values: Vec<f32>) -> Result<Vec<f32>, UserError> {
        let rows = self.data.rows.len();
        let shape = [1, rows, values.len() / rows.max(1)];
        let value = Tensor::<3>::from_data(TensorData::new(values, shape), &self.device).autodiff().require_grad();
        let parameters: Vec<Tensor<3>> = self.parameters[source].iter().map(|p| p.clone().autodiff()).collect();
        let hook = self.hooks[self.layers[source]];
        if self.sloping.is_none() {
            self.sloping = Some(self.tracked()?);
        }
        let Some(Sloping { model, objective, batch, weights }) = &self.sloping else {
            return Err(UserError::new("The network could not be prepared", "Fit again"));
        };
        let outputs = model.spliced(&parameters, self.start.as_deref(), &batch.inputs, hook, value.clone())?;
        // The closed-form gradient at the outputs, as in training.
        let (_, slopes) = objective.slope(outputs.clone().detach(), batch.targets.clone(), 1);
        let mut tape = (outputs * slopes * weights.clone()).sum().backward();
        let slope = value.grad_remove(&mut tape).unwrap_or_else(|| value.clone().inner().zeros_like());
        slope.into_data_async().await.map_err(lost)?.try_into_vec::<f32>().map_err(lost)
    }

    fn tracked(&self) -> Result<Sloping, UserError> {
        let device = self.device.clone().autodiff();
        let objective = Objective::new(core::slice::from_ref(&self.experiment), self.data.sizes.classes as usize, &device)?;
        let batch = Batch::new(&[HostRows::all(&self.data)], self.data.sizes, &objective, self.gather, &device);
        let counted = if self.data.test.is_empty() { &self.data.train } else { &self.data.test };
        let mut weights = vec![0f32; self.data.rows.len()];
        counted.iter().for_each(|row| weights[*row as usize] = 1.0 / counted.len() as f32);
        let shape = [1, weights.len(), 1];
        let weights = Tensor::from_data(TensorData::new(weights, shape), &device);
        Ok(Sloping { model: Model::new(&self.experiment, &device)?, objective, batch, weights })
    }
}

/// What a gradient needs on the tape's device.
struct Sloping {
    model: Model,
    objective: Objective,
    batch: Batch,
    /// Part of each row in the mean `[1, rows, 1]`.
    weights: Tensor<3>,
}
