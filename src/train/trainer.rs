//! The step, for one experiment or for many of one shape at once.
//!
//! Nothing here waits for the device: losses and evaluations stay there until [`Trainer::read`], which the engine calls once
//! per tick. Row losses come back whole and are summed in 64 bits, so that a metric does not depend on a device's order of
//! summation more than it must.

use super::batch::{Batch, positions, training_rows};
use super::{AdamW, AdamWSettings, correct, per_row, slope};
use crate::experiment::{Experiment, LossKind, OptimizerConfig};
use crate::model::{self, Model, ParameterSpec, lost};
use crate::record::{MetricRow, UserError, Weights};
use crate::task::Dataset;
use burn::tensor::{Device, Tensor, Transaction};
use std::collections::HashMap;

/// An evaluation that still lies on the device.
#[derive(Debug)]
struct Evaluation {
    step: u32,
    loss: Tensor<3>,
    correct: Tensor<3>,
    square_norm: Tensor<2>,
}

/// What [`Trainer::read`] brings back; one value per replica, ascending in step.
#[derive(Debug, Default)]
pub struct Readings {
    /// Training loss of each update's batch, before that update: (updates made before it, loss per replica).
    pub losses: Vec<(u32, Vec<f32>)>,
    /// Evaluated rows.
    pub rows: Vec<Vec<MetricRow>>,
}

/// Networks of one shape, their data and their optimiser on one device.
#[derive(Debug)]
pub struct Trainer {
    experiments: Vec<Experiment>,
    datasets: Vec<Dataset>,
    model: Model,
    specs: Vec<ParameterSpec>,
    parameters: Vec<Tensor<3>>,
    optimizer: AdamW,
    full_batch: Option<Batch>,
    grid: Batch,
    gather: bool,
    device: Device,
    step: u32,
    losses: Vec<(u32, Tensor<3>)>,
    evaluations: Vec<Evaluation>,
}

impl Trainer {
    /// Draws weights and splits for each of `experiments` (one replica each) and uploads them.
    ///
    /// The experiments may differ in seed, learning rate, weight decay, warm-up, label noise and name; everything that decides
    /// a shape must agree. `gather` chooses row lookups (CPU) over one-hot products (GPU); see `model::Pairs`.
    ///
    /// # Errors
    /// If the experiments do not fit together, or a data set cannot be made.
    pub fn new(experiments: &[Experiment], gather: bool, device: &Device) -> Result<Self, UserError> {
        let first =
            experiments.first().ok_or_else(|| UserError::new("There is nothing to train", "Give at least one experiment"))?;
        for other in experiments {
            if !same_shape(first, other) {
                return Err(UserError::new(
                    "These experiments cannot train as replicas of one run",
                    "Replicas may differ in seed, learning rate, weight decay, warm-up and label noise only",
                ));
            }
        }
        let datasets = experiments.iter().map(|e| Dataset::new(&e.task, e.seed)).collect::<Result<Vec<_>, _>>()?;
        let modulus = first.task.modulus as usize;
        let tracked = device.clone().autodiff();
        let model = Model::new(first, &tracked);
        let specs = model.specs();
        let start: Vec<Weights> = experiments.iter().map(|e| model::draw(&specs, e.seed)).collect();
        let parameters = model::upload(&start, &specs, "", device)?;
        let optimizer = AdamW::new(
            AdamWSettings {
                weight_decay: experiments.iter().map(|e| e.optimizer.weight_decay).collect(),
                betas: first.optimizer.betas,
                epsilon: first.optimizer.epsilon,
            },
            &parameters,
            device,
        );
        // Test rows keep their clean labels; training rows are scored by the labels that training sees.
        let grid: Vec<_> = datasets.iter().map(labelled_grid).collect();
        let mut trainer = Self {
            experiments: experiments.to_vec(),
            grid: Batch::new(&grid, modulus, gather, &tracked),
            datasets,
            model,
            specs,
            parameters,
            optimizer,
            full_batch: None,
            gather,
            device: tracked,
            step: 0,
            losses: Vec::new(),
            evaluations: Vec::new(),
        };
        if first.batch_size.is_none() {
            trainer.full_batch = Some(trainer.batch());
        }
        Ok(trainer)
    }

    /// Updates made.
    pub fn step(&self) -> u32 {
        self.step
    }

    /// The data of each replica.
    pub fn datasets(&self) -> &[Dataset] {
        &self.datasets
    }

    /// Makes one update of every replica.
    pub fn advance(&mut self) {
        let batch = match &self.full_batch {
            Some(batch) => batch.clone(),
            None => self.batch(),
        };
        let (loss, gradients) = gradients(&self.model, self.experiments[0].loss, &self.parameters, &batch);
        self.losses.push((self.step, loss));
        self.step += 1;
        let rates: Vec<f64> = self.experiments.iter().map(|e| learning_rate(&e.optimizer, self.step)).collect();
        self.parameters = self.optimizer.update(self.step, &rates, core::mem::take(&mut self.parameters), gradients);
    }

    /// Evaluates all rows with the present weights; the result stays on the device until [`Trainer::read`].
    pub fn evaluate(&mut self) {
        let parameters: Vec<Tensor<3>> = self.parameters.iter().map(|p| p.clone().autodiff()).collect();
        let logits = self.model.logits(&parameters, &self.grid.pairs);
        let squares = self.parameters.iter().map(|p| (p.clone() * p.clone()).sum_dim(1).sum_dim(2)).collect();
        let replicas = self.experiments.len();
        self.evaluations.push(Evaluation {
            step: self.step,
            loss: per_row(self.experiments[0].loss, logits.clone(), self.grid.targets.clone()).inner(),
            correct: correct(logits, self.grid.targets.clone()).inner(),
            square_norm: Tensor::cat(squares, 2).sum_dim(2).reshape([replicas, 1]),
        });
    }

    /// Waits for the device and brings back everything since the last call, in one transaction.
    ///
    /// # Errors
    /// If the device stopped answering.
    pub async fn read(&mut self) -> Result<Readings, UserError> {
        let (losses, evaluations) = (core::mem::take(&mut self.losses), core::mem::take(&mut self.evaluations));
        let mut readings = Readings::default();
        if losses.is_empty() && evaluations.is_empty() {
            return Ok(readings);
        }
        let replicas = self.experiments.len();
        let mut transaction = Transaction::default();
        let (loss_steps, loss_values): (Vec<u32>, Vec<Tensor<3>>) = losses.into_iter().unzip();
        let has_losses = !loss_steps.is_empty();
        if has_losses {
            transaction = transaction.register(Tensor::cat(loss_values, 1));
        }
        let steps: Vec<u32> = evaluations.iter().map(|e| e.step).collect();
        for evaluation in evaluations {
            transaction = transaction.register(evaluation.loss).register(evaluation.correct).register(evaluation.square_norm);
        }
        let mut answers = transaction
            .execute_async()
            .await
            .map_err(lost)?
            .into_iter()
            .map(|data| data.try_into_vec::<f32>().map_err(lost))
            .collect::<Result<Vec<_>, _>>()?
            .into_iter();
        if has_losses && let Some(values) = answers.next() {
            let count = loss_steps.len();
            readings.losses = loss_steps
                .into_iter()
                .enumerate()
                .map(|(i, step)| (step, (0..replicas).map(|r| values[r * count + i]).collect()))
                .collect();
        }
        for step in steps {
            let (Some(loss), Some(correct), Some(square_norm)) = (answers.next(), answers.next(), answers.next()) else { break };
            let rows = self.grid.pairs.count();
            readings.rows.push(
                (0..replicas)
                    .map(|r| {
                        let range = r * rows..(r + 1) * rows;
                        row(step, &self.datasets[r], &loss[range.clone()], &correct[range], square_norm[r])
                    })
                    .collect(),
            );
        }
        Ok(readings)
    }

    /// The present weights, one set per replica.
    ///
    /// # Errors
    /// If the device stopped answering.
    pub async fn weights(&self) -> Result<Vec<Weights>, UserError> {
        model::read(&self.parameters, &self.specs).await
    }

    /// Weights, moments and step of a single-replica run as safetensors: enough to go on bit for bit. `chain` is kept beside
    /// them and handed back by [`Trainer::restore`].
    ///
    /// # Errors
    /// If the device stopped answering.
    pub async fn resume_point(&self, chain: &str) -> Result<Vec<u8>, UserError> {
        let mut all = Weights::default();
        for (prefix, tensors) in
            [("param.", &self.parameters), ("first_moment.", &self.optimizer.first), ("second_moment.", &self.optimizer.second)]
        {
            for mut tensor in model::read(tensors, &self.specs).await?.into_iter().take(1).flat_map(|w| w.tensors) {
                tensor.name = format!("{prefix}{}", tensor.name);
                all.tensors.push(tensor);
            }
        }
        all.to_safetensors(Some(HashMap::from([
            ("step".to_owned(), self.step.to_string()),
            ("chain".to_owned(), chain.to_owned()),
        ])))
    }

    /// Goes back to a resume point of the same experiment and returns its `chain`.
    ///
    /// # Errors
    /// If the bytes are not one.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<String, UserError> {
        let foreign = || UserError::new("The resume point does not belong to this experiment", "Start from the beginning");
        let (_, header) = safetensors::SafeTensors::read_metadata(bytes).map_err(|_| foreign())?;
        let note = |key: &str| header.metadata().as_ref().and_then(|m| m.get(key)).cloned().ok_or_else(foreign);
        let step = note("step")?.parse::<u32>().map_err(|_| foreign())?;
        let chain = note("chain")?;
        let all = [Weights::from_safetensors(bytes)?];
        let device = self.device.clone().inner();
        self.parameters = model::upload(&all, &self.specs, "param.", &device)?;
        self.optimizer.first = model::upload(&all, &self.specs, "first_moment.", &device)?;
        self.optimizer.second = model::upload(&all, &self.specs, "second_moment.", &device)?;
        self.step = step;
        self.losses.clear();
        self.evaluations.clear();
        Ok(chain)
    }

    fn batch(&self) -> Batch {
        let rows: Vec<_> = self
            .experiments
            .iter()
            .zip(&self.datasets)
            .map(|(experiment, data)| training_rows(data, &positions(experiment, data, self.step)))
            .collect();
        Batch::new(&rows, self.experiments[0].task.modulus as usize, self.gather, &self.device)
    }
}

/// Mean loss of each replica over `batch`, `[replica, 1, 1]`, and the gradient of every parameter, none of them on a tape.
pub fn gradients(model: &Model, loss: LossKind, parameters: &[Tensor<3>], batch: &Batch) -> (Tensor<3>, Vec<Tensor<3>>) {
    let leaves: Vec<Tensor<3>> = parameters.iter().map(|p| p.clone().autodiff().require_grad()).collect();
    let logits = model.logits(&leaves, &batch.pairs);
    let (value, slope) = slope(loss, logits.clone().detach(), batch.targets.clone());
    let mut tape = (logits * slope).sum().backward();
    let gradients =
        leaves.iter().map(|leaf| leaf.grad_remove(&mut tape).unwrap_or_else(|| leaf.clone().inner().zeros_like())).collect();
    (value.inner().mean_dim(1), gradients)
}

/// η of update `t` (from 1).
fn learning_rate(config: &OptimizerConfig, t: u32) -> f64 {
    config.learning_rate * (f64::from(t) / f64::from(config.warmup_steps.max(1))).min(1.0)
}

fn labelled_grid(data: &Dataset) -> Vec<((u16, u16), u16)> {
    let mut grid: Vec<_> = data.rows.iter().map(|row| ((row.a, row.b), row.label)).collect();
    for (index, label) in data.train.iter().zip(&data.train_labels) {
        grid[*index as usize].1 = *label;
    }
    grid
}

fn row(step: u32, data: &Dataset, loss: &[f32], correct: &[f32], square_norm: f32) -> MetricRow {
    let mean = |values: &[f32], rows: &[u32]| {
        let sum: f64 = rows.iter().map(|index| f64::from(values[*index as usize])).sum();
        (sum / rows.len() as f64) as f32
    };
    MetricRow {
        step,
        train_loss: mean(loss, &data.train),
        test_loss: mean(loss, &data.test),
        train_accuracy: mean(correct, &data.train),
        test_accuracy: mean(correct, &data.test),
        weight_norm: square_norm.sqrt(),
    }
}

/// Whether two experiments have equal tensor shapes, loss, moments and batch size.
fn same_shape(a: &Experiment, b: &Experiment) -> bool {
    a.model == b.model
        && a.loss == b.loss
        && a.batch_size == b.batch_size
        && a.task.operation == b.task.operation
        && a.task.modulus == b.task.modulus
        && a.task.train_fraction == b.task.train_fraction
        && a.task.split == b.task.split
        && a.optimizer.betas == b.optimizer.betas
        && a.optimizer.epsilon == b.optimizer.epsilon
}
