//! The step, for one experiment or for many of one shape at once.
//!
//! Nothing here waits for the device, but for the few interventions that must look at the weights: losses and evaluations stay
//! there until [`Trainer::read`], which the engine calls once per tick. What the timeline changes is a function of the step
//! alone, so a resumed run and a replayed link are in the same state as the run that made them.

use super::batch::{Batch, in_use, rows_of_update};
use super::data::{Data, softened};
use super::evaluation::{self, Evaluation, Readings, Sides, Unread};
use super::gradient::{Extras, gradients};
use super::loss::Objective;
use super::modifier::{Modifier, Moment, augments, dropout, pace};
use super::motion;
use super::optimizer::{self, Decay, Optimizer, Update, optimizer_of};
use super::schedule::learning_rate;
use super::{Stage, actions, parts};
use crate::experiment::stage::Use;
use crate::experiment::timeline::Change;
use crate::experiment::{Experiment, edit};
use crate::model::{self, Model, ParameterSpec};
use crate::record::{UserError, Weights};
use crate::task::{Dataset, rule_of};
use burn::tensor::{Device, Tensor};
use std::collections::HashMap;
use std::rc::Rc;

/// Networks of one shape, their data and their optimiser on one device.
#[derive(Debug)]
pub struct Trainer {
    /// As asked for, timeline included.
    experiments: Vec<Experiment>,
    /// With the settings in force.
    now: Vec<Experiment>,
    datasets: Vec<Dataset>,
    sides: Rc<Vec<Sides>>,
    /// Positions (into `Dataset::train`) that the curriculum has in use.
    in_use: Vec<Vec<u32>>,
    model: Model,
    specs: Vec<ParameterSpec>,
    factors: Vec<f64>,
    parameters: Vec<Tensor<3>>,
    /// The weights at step 0.
    start: Vec<Tensor<3>>,
    objective: Objective,
    optimizer: Box<dyn Optimizer>,
    decay: Decay,
    /// Updates made when the rule was taken up.
    rule_since: u32,
    modifiers: Vec<Box<dyn Modifier>>,
    /// The source's probabilities `[row, class]` of each replica, for a distillation.
    soft: Option<Vec<Vec<f32>>>,
    full_batch: Option<Batch>,
    grid: Batch,
    gather: bool,
    device: Device,
    step: u32,
    losses: Vec<(u32, Tensor<3>)>,
    motions: Vec<(u32, Tensor<3>)>,
    evaluations: Vec<Evaluation>,
}

impl Trainer {
    /// Draws weights and splits for each of `experiments` (one replica each) and uploads them.
    ///
    /// The experiments may differ in seed, learning rate, weight decay, warm-up, label noise and name; everything else must
    /// agree. `gather` chooses row lookups (CPU) over one-hot products (GPU); see `model::Inputs`. An earlier stage is not
    /// trained here: see [`Stage`] and [`Trainer::take_over`].
    ///
    /// # Errors
    /// If the experiments do not fit together, or a data set cannot be made.
    pub fn new(experiments: &[Experiment], gather: bool, device: &Device) -> Result<Self, UserError> {
        let first =
            experiments.first().ok_or_else(|| UserError::new("There is nothing to train", "Give at least one experiment"))?;
        if experiments.iter().any(|other| edit::json(&alike(other, first)) != edit::json(first)) {
            return Err(UserError::new(
                "These experiments cannot train as replicas of one run",
                "Replicas may differ in seed, learning rate, weight decay, warm-up and label noise only",
            ));
        }
        let tracked = device.clone().autodiff();
        let model = Model::new(first, &tracked)?;
        let specs = model.specs().to_vec();
        let start: Vec<Weights> = experiments.iter().map(model::start).collect::<Result<_, _>>()?;
        let start = model::upload(&start, &specs, "", device)?;
        let data = Data::new(experiments, gather, &tracked)?;
        let (optimizer, decay) = rule(first, &start, device)?;
        Ok(Self {
            now: experiments.to_vec(),
            experiments: experiments.to_vec(),
            factors: model::learning_rate_factors(first),
            datasets: data.datasets,
            sides: data.sides,
            in_use: data.in_use,
            grid: data.grid,
            objective: data.objective,
            model,
            specs,
            parameters: start.clone(),
            start,
            optimizer,
            decay,
            rule_since: 0,
            modifiers: parts().iter().filter_map(|part| (part.build)(first)).collect(),
            soft: None,
            full_batch: None,
            gather,
            device: tracked,
            step: 0,
            losses: Vec::new(),
            motions: Vec::new(),
            evaluations: Vec::new(),
        })
    }

    /// Updates made.
    pub fn step(&self) -> u32 {
        self.step
    }

    /// The data of each replica, as the settings in force divide it.
    pub fn datasets(&self) -> &[Dataset] {
        &self.datasets
    }

    /// Goes on with another timeline, whose lines before the present step are those that have been followed.
    pub fn follow(&mut self, experiment: &Experiment) {
        for own in &mut self.experiments {
            own.timeline.clone_from(&experiment.timeline);
        }
    }

    /// Makes one update of every replica, after the changes that the timeline has at this step.
    ///
    /// # Errors
    /// If a change cannot be made or the device stopped answering.
    pub async fn advance(&mut self) -> Result<(), UserError> {
        self.change().await?;
        let batch = match &self.full_batch {
            Some(batch) => batch.clone(),
            None => {
                let batch = self.batch()?;
                if self.is_full_batch() {
                    self.full_batch = Some(batch.clone());
                }
                batch
            }
        };
        let t = self.step + 1;
        let rates: Vec<f64> = self.now.iter().map(|e| learning_rate(&e.optimizer, t, e.steps)).collect();
        let seeds: Vec<u64> = self.now.iter().map(|e| e.seed).collect();
        let device = self.device.clone().inner();
        let moment = Moment { t, seeds: &seeds, rates: &rates, specs: &self.specs, start: &self.start, device: &device };

        let mut at = self.parameters.clone();
        for modifier in &mut self.modifiers {
            at = modifier.before(&moment, at);
        }
        let width = model::hidden_width(&self.now[0]);
        let mask = dropout::mask(&self.now[0], t, &seeds, batch.rows(), width, &self.device);
        let anchor = self.now[0].model.settings.is_on("centered").then_some(self.start.as_slice());
        let pace = pace(&self.now[0]);
        let descend = |weights: &[Tensor<3>]| {
            gradients(&self.model, &self.objective, weights, &batch, Extras { start: anchor, dropout: mask.as_ref(), pace })
        };
        let (loss, mut slopes) = descend(&at);
        // Weights that are kept are copied by the optimiser instead of changed in place, so only where the rows are evaluated.
        let is_watched = self.now[0].logging.evaluates_at(t, self.now[0].steps);
        let watched = is_watched.then(|| (slopes.clone(), self.parameters.clone()));
        for modifier in &mut self.modifiers {
            if let Some(elsewhere) = modifier.again(&moment, &at, &slopes) {
                slopes = descend(&elsewhere).1;
            }
        }
        for modifier in &mut self.modifiers {
            slopes = modifier.gradients(&moment, &self.parameters, slopes);
        }
        let weight_decay: Vec<f64> = self.now.iter().map(|e| e.optimizer.weight_decay).collect();
        let to_start = self.now[0].optimizer.settings.text("decay_to") == "start";
        let update = Update {
            t: t - self.rule_since,
            rates: &rates,
            weight_decay: &weight_decay,
            decay_to: to_start.then_some(self.start.as_slice()),
            specs: &self.specs,
            device: &device,
        };
        let before = if self.modifiers.is_empty() && self.factors.iter().all(|f| *f == 1.0) {
            Vec::new()
        } else {
            self.parameters.clone()
        };
        let mut after =
            optimizer::advance(&mut *self.optimizer, self.decay, &update, core::mem::take(&mut self.parameters), slopes);
        for (index, factor) in self.factors.iter().enumerate().filter(|(_, factor)| **factor != 1.0) {
            // A tensor with its own rate goes its share of the way.
            let way = after[index].clone() - before[index].clone();
            after[index] = before[index].clone() + way.mul_scalar(*factor);
        }
        for modifier in &mut self.modifiers {
            after = modifier.after(&moment, &before, after);
        }
        if let Some((slopes, before)) = watched {
            self.motions.push((t, motion::sums(&slopes, &before, &after)));
        }
        self.parameters = after;
        self.losses.push((self.step, loss));
        self.step = t;
        Ok(())
    }

    /// Evaluates all rows with the present weights; the result stays on the device until [`Trainer::read`].
    pub fn evaluate(&mut self) {
        let parameters: Vec<Tensor<3>> = self.parameters.iter().map(|p| p.clone().autodiff()).collect();
        let outputs = self.model.outputs(&parameters, self.anchor(), &self.grid.inputs, None);
        let squares = self.parameters.iter().map(|p| (p.clone() * p.clone()).sum_dim(1).sum_dim(2)).collect();
        let replicas = self.experiments.len();
        self.evaluations.push(Evaluation {
            step: self.step,
            loss: self.objective.per_row(outputs.clone(), self.grid.targets.clone()).inner(),
            correct: self.objective.correct(outputs, self.grid.targets.clone()).inner(),
            square_norm: Tensor::cat(squares, 2).sum_dim(2).reshape([replicas, 1]),
            sides: Rc::clone(&self.sides),
        });
    }

    /// The answers to each row of the domain with the present weights, as targets for another network: `[replica][row·output]`.
    ///
    /// # Errors
    /// If the device stopped answering.
    pub(super) async fn answers(&self, temperature: f64) -> Result<Vec<Vec<f32>>, UserError> {
        let parameters: Vec<Tensor<3>> = self.parameters.iter().map(|p| p.clone().autodiff()).collect();
        let outputs = self.model.outputs(&parameters, self.anchor(), &self.grid.inputs, None).inner();
        let each = outputs.dims()[1] * outputs.dims()[2];
        let answers = self.objective.as_targets(outputs, temperature);
        let values = answers.into_data_async().await.map_err(model::lost)?.try_into_vec::<f32>().map_err(model::lost)?;
        Ok(values.chunks(each.max(1)).map(<[f32]>::to_vec).collect())
    }

    /// Waits for the device and brings back everything since the last call, in one transaction.
    ///
    /// # Errors
    /// If the device stopped answering.
    pub async fn read(&mut self) -> Result<Readings, UserError> {
        let unread = Unread {
            losses: core::mem::take(&mut self.losses),
            motions: core::mem::take(&mut self.motions),
            evaluations: core::mem::take(&mut self.evaluations),
        };
        evaluation::read(unread, self.experiments.len()).await
    }

    /// The present weights, one set per replica.
    ///
    /// # Errors
    /// If the device stopped answering.
    pub async fn weights(&self) -> Result<Vec<Weights>, UserError> {
        model::read(&self.parameters, &self.specs).await
    }

    /// Takes from a trained earlier stage what this run wants of it.
    ///
    /// # Errors
    /// If the source does not fit, or the device stopped answering.
    pub async fn take_over(&mut self, stage: Stage) -> Result<(), UserError> {
        let device = self.device.clone().inner();
        if let Some(sources) = stage.weights().await? {
            let mut own = self.weights().await?;
            for ((own, source), experiment) in own.iter_mut().zip(&sources).zip(&self.experiments) {
                model::transplant(own, source, experiment)?;
            }
            self.parameters = model::upload(&own, &self.specs, "", &device)?;
            self.start = self.parameters.clone();
        }
        self.soft = stage.answers().await?;
        self.full_batch = None;
        Ok(())
    }

    /// Weights, state of optimiser and modifiers, and step of a single-replica run as safetensors: enough to go on bit for bit.
    /// `chain` is kept beside them and handed back by [`Trainer::restore`].
    ///
    /// # Errors
    /// If the device stopped answering.
    pub async fn resume_point(&self, chain: &str) -> Result<Vec<u8>, UserError> {
        let mut all = Weights::default();
        let mut sets: Vec<(String, Vec<Tensor<3>>)> = vec![("param".to_owned(), self.parameters.clone())];
        sets.extend(self.optimizer.state().into_iter().map(|(name, tensors)| (name.to_owned(), tensors.to_vec())));
        sets.extend(self.modifiers.iter().flat_map(|modifier| modifier.state()));
        if self.is_start_drawn_elsewhere() {
            sets.push(("start".to_owned(), self.start.clone()));
        }
        for (prefix, tensors) in sets {
            for mut tensor in model::read(&tensors, &self.specs).await?.into_iter().take(1).flat_map(|w| w.tensors) {
                tensor.name = format!("{prefix}.{}", tensor.name);
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
        self.step = step;
        self.losses.clear();
        self.motions.clear();
        self.evaluations.clear();
        // The lines of the step itself are followed by the next update.
        if let Some(last) = step.checked_sub(1) {
            self.settle_on(last)?;
        }
        self.parameters = model::upload(&all, &self.specs, "param.", &device)?;
        let mut names: Vec<String> = Vec::new();
        for tensor in &all[0].tensors {
            let set = self.specs.iter().find_map(|spec| tensor.name.strip_suffix(&format!(".{}", spec.name)));
            if let Some(set) = set.filter(|set| *set != "param" && !names.iter().any(|n| n == set)) {
                names.push(set.to_owned());
            }
        }
        for name in names {
            let tensors = model::upload(&all, &self.specs, &format!("{name}."), &device)?;
            if name == "start" {
                self.start = tensors;
            } else if !self.modifiers.iter_mut().any(|modifier| modifier.restore(&name, tensors.clone())) {
                self.optimizer.restore(&name, tensors);
            }
        }
        Ok(chain)
    }

    /// Whether step 0 does not follow from the seed alone.
    fn is_start_drawn_elsewhere(&self) -> bool {
        self.experiments[0].stage_use() == Some(Use::Transplant)
    }

    /// The weights whose outputs a centred network subtracts.
    fn anchor(&self) -> Option<&[Tensor<3>]> {
        self.now[0].model.settings.is_on("centered").then_some(self.start.as_slice())
    }

    fn is_full_batch(&self) -> bool {
        let now = &self.now[0];
        now.batch_size.is_none() && rule_of(now).is_none_or(|rule| !rule.is_online()) && !augments(now)
    }

    /// Follows the timeline at the present step.
    async fn change(&mut self) -> Result<(), UserError> {
        if self.experiments[0].timeline.is_empty() {
            return Ok(());
        }
        if self.experiments[0].changes_at(self.step) {
            self.settle_on(self.step)?;
        }
        let entries = self.experiments[0].actions_at(self.step);
        if entries.is_empty() {
            return Ok(());
        }
        let rates: Vec<f64> = self.now.iter().map(|e| e.optimizer.learning_rate).collect();
        let seeds: Vec<u64> = self.now.iter().map(|e| e.seed).collect();
        let device = self.device.clone().inner();
        for entry in entries {
            let Change::Act { name, arguments } = &entry.change else { continue };
            let Some(action) = actions().iter().find(|action| action.name == *name) else { continue };
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let moment = Moment {
                t: self.step + 1,
                seeds: &seeds,
                rates: &rates,
                specs: &self.specs,
                start: &self.start,
                device: &device,
            };
            let weights = core::mem::take(&mut self.parameters);
            self.parameters = (action.apply)(&arguments, &self.now[0], &moment, weights).await?;
        }
        Ok(())
    }

    /// Puts the settings in force that the update after `step` updates is made with, and rebuilds what depends on them.
    fn settle_on(&mut self, step: u32) -> Result<(), UserError> {
        let now = self.experiments.iter().map(|e| e.at(step)).collect::<Result<Vec<_>, _>>()?;
        self.rule_since = self.experiments[0].rule_since(step);
        if self.now == now {
            return Ok(());
        }
        let (old, new) = (&self.now[0], &now[0]);
        // Label noise may differ between replicas, and a line may set what only the first has already.
        if self.now.iter().zip(&now).any(|(old, new)| old.task != new.task || old.loss != new.loss) {
            let sizes = |specs: &[ParameterSpec]| specs.iter().map(|s| (s.rows, s.columns)).collect::<Vec<_>>();
            if sizes(&model::specs(new)) != sizes(&self.specs) {
                return Err(UserError::new(
                    "The timeline asks for a network of other sizes",
                    "Start another run with the new task or loss",
                ));
            }
            let data = Data::new(&now, self.gather, &self.device)?;
            (self.datasets, self.sides, self.in_use) = (data.datasets, data.sides, data.in_use);
            (self.grid, self.objective) = (data.grid, data.objective);
            self.full_batch = None;
        } else {
            // A ramp comes here in every step, and rows that stay need not be dealt out and uploaded again.
            if old.curriculum != new.curriculum {
                self.in_use = now.iter().zip(&self.datasets).map(|(e, data)| in_use(e, data)).collect();
            }
            if old.training != new.training {
                self.objective = Objective::new(&now, self.datasets[0].sizes.classes as usize, &self.device)?;
            }
            let same_rows = old.curriculum == new.curriculum && old.batch_size == new.batch_size;
            if !same_rows || augments(old) != augments(new) {
                self.full_batch = None;
            }
        }
        if old.optimizer.name != new.optimizer.name || old.optimizer.settings != new.optimizer.settings {
            let kept: Vec<(String, Vec<Tensor<3>>)> = if old.optimizer.name == new.optimizer.name {
                self.optimizer.state().into_iter().map(|(name, tensors)| (name.to_owned(), tensors.to_vec())).collect()
            } else {
                Vec::new()
            };
            let device = self.device.clone().inner();
            (self.optimizer, self.decay) = rule(new, &self.parameters, &device)?;
            for (name, tensors) in kept {
                self.optimizer.restore(&name, tensors);
            }
        }
        if old.training != new.training {
            let kept: Vec<_> = self.modifiers.iter().flat_map(|modifier| modifier.state()).collect();
            self.modifiers = parts().iter().filter_map(|part| (part.build)(new)).collect();
            for (name, tensors) in kept {
                let _ = self.modifiers.iter_mut().any(|modifier| modifier.restore(&name, tensors.clone()));
            }
        }
        self.now = now;
        Ok(())
    }

    fn batch(&self) -> Result<Batch, UserError> {
        let mut rows = Vec::with_capacity(self.now.len());
        for ((experiment, data), in_use) in self.now.iter().zip(&self.datasets).zip(&self.in_use) {
            rows.push(rows_of_update(experiment, data, in_use, self.step));
        }
        if rows.windows(2).any(|pair| pair[0].len() != pair[1].len()) {
            return Err(UserError::new("These seeds have different numbers of training rows by now", "Train them one by one"));
        }
        let mut batch = Batch::new(&rows, self.datasets[0].sizes, &self.objective, self.gather, &self.device);
        if let Some(soft) = &self.soft {
            let weight = self.now[0].stage.number("weight");
            batch.soft = Some(softened(&rows, soft, batch.targets.clone(), weight, &self.device));
        }
        Ok(batch)
    }
}

fn rule(experiment: &Experiment, parameters: &[Tensor<3>], device: &Device) -> Result<(Box<dyn Optimizer>, Decay), UserError> {
    let kind = optimizer_of(experiment).ok_or_else(|| {
        UserError::new(format!("There is no optimiser called {}", experiment.optimizer.name), "Start from a preset")
    })?;
    Ok(((kind.build)(experiment, parameters, device), kind.decay))
}

/// `experiment` with what may differ between replicas taken from `first`.
fn alike(experiment: &Experiment, first: &Experiment) -> Experiment {
    let mut alike = Experiment { name: first.name.clone(), seed: first.seed, ..experiment.clone() };
    alike.optimizer.learning_rate = first.optimizer.learning_rate;
    alike.optimizer.weight_decay = first.optimizer.weight_decay;
    alike.optimizer.warmup_steps = first.optimizer.warmup_steps;
    alike.task.label_noise = first.task.label_noise;
    alike
}
