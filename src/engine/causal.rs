//! The network goes on with something else put in: what `crosscoder::causal` wants to know, a few interventions at a time.

use super::capability::EngineKind;
use super::fitting::starting_weights;
use crate::crosscoder::causal::{Anatomy, CausalResult, Effect, Insert, Probe, probes, summarise};
use crate::crosscoder::{CrosscoderResult, Hook, Source};
use crate::experiment::Experiment;
use crate::measure::needs_classes;
use crate::model::{self, Model, lost};
use crate::record::{Checkpoint, UserError, Weights};
use crate::task::Dataset;
use crate::train::{Batch, HostRows, Objective};
use burn::tensor::{Device, Tensor, TensorData, Transaction, activation};

/// Interventions under way.
pub(super) struct Probing {
    result: CrosscoderResult,
    anatomy: Anatomy,
    probes: Vec<Probe>,
    effects: Vec<Effect>,
    networks: Networks,
}

impl Probing {
    pub(super) fn new(
        result: CrosscoderResult,
        anatomy: Anatomy,
        experiment: &Experiment,
        checkpoints: &[Checkpoint],
        kind: EngineKind,
        device: &Device,
    ) -> Result<Self, UserError> {
        let networks = Networks::new(experiment, checkpoints, &anatomy, result.config.hooks(), kind, device)?;
        let hooks = &networks.hooks;
        let can_intervene = |source: &Source| {
            // `Model::spliced` has no place for these two; and only the fit's own run is at hand.
            source.place.run == 0 && !matches!(hooks[source.place.layer as usize], Hook::Embed | Hook::Pattern)
        };
        let probes = probes(&result, &anatomy, &anatomy.sources.iter().map(can_intervene).collect::<Vec<bool>>());
        Ok(Self { probes, effects: Vec::new(), result, anatomy, networks })
    }

    /// One intervention. True when all are made.
    ///
    /// # Errors
    /// If nothing can be put in at this hook, or the device stopped answering.
    pub(super) async fn advance(&mut self) -> Result<bool, UserError> {
        // Without a place where anything can be put in, there is nothing to ask.
        let Some(probe) = self.probes.get(self.effects.len()) else { return Ok(true) };
        let values = self.anatomy.inserted(probe.source, &probe.insert, self.result.config.seed);
        let effect = self.networks.effect(probe.source, values, probe.insert == Insert::Clean).await?;
        self.effects.push(effect);
        Ok(self.effects.len() == self.probes.len())
    }

    /// Share of the interventions that are made.
    pub(super) fn done(&self) -> f32 {
        self.effects.len() as f32 / self.probes.len().max(1) as f32
    }

    /// The fit's result with what its latents do.
    pub(super) fn finish(mut self) -> CrosscoderResult {
        let causal: CausalResult = summarise(&self.result, &self.anatomy, &self.probes, &self.effects);
        self.result.causal = Some(causal);
        self.result
    }
}

/// The networks of all sources on all rows.
struct Networks {
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
    fn new(
        experiment: &Experiment,
        checkpoints: &[Checkpoint],
        anatomy: &Anatomy,
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
            parameters: (anatomy.sources.iter())
                .map(|source| if source.place.run == 0 { weights_of(source.step) } else { Ok(Vec::new()) })
                .collect::<Result<_, _>>()?,
            layers: anatomy.sources.iter().map(|source| source.place.layer as usize).collect(),
            clean: vec![None; anatomy.sources.len()],
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
    async fn effect(&mut self, source: usize, values: Vec<f32>, is_clean: bool) -> Result<Effect, UserError> {
        let rows = self.data.rows.len();
        let shape = [1, rows, values.len() / rows.max(1)];
        let value = Tensor::<3>::from_data(TensorData::new(values, shape), &self.device);
        let (parameters, start) = (&self.parameters[source], self.start.as_deref());
        let outputs = self.model.spliced(parameters, start, &self.batch.inputs, self.hooks[self.layers[source]], value)?;
        let loss = self.objective.per_row(outputs.clone(), self.batch.targets.clone());
        let correct = self.objective.correct(outputs.clone(), self.batch.targets.clone());
        let mut transaction = Transaction::default().register(loss).register(correct);
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
        let answers = answers.into_iter().map(|data| data.try_into_vec::<f32>().map_err(lost)).collect::<Result<Vec<_>, _>>()?;
        let mean = |values: &[f32], rows: &[u32]| {
            rows.iter().map(|row| f64::from(values[*row as usize])).sum::<f64>() / rows.len().max(1) as f64
        };
        let all: Vec<u32> = (0..rows as u32).collect();
        Ok(Effect {
            train_loss: mean(&answers[0], &self.data.train),
            test_loss: mean(&answers[0], &self.data.test),
            train_accuracy: mean(&answers[1], &self.data.train),
            test_accuracy: mean(&answers[1], &self.data.test),
            // Rounding may leave it a little below 0.
            kl: answers.get(2).map(|kl| mean(kl, &all).max(0.0)),
        })
    }
}
