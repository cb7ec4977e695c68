//! A network at rest: what it answers, what passes through it, and how its loss slopes at any weights.
//!
//! Measures are pure and ask; this is who answers. It holds one run's network, rows and loss on the device and puts weights into
//! them as they come, so that a checkpoint, an ablated network and a step of a sampler all take the same way.

use super::capability::EngineKind;
use crate::crosscoder::Hook;
use crate::experiment::Experiment;
use crate::measure::{Answer, Grid, Question, input_blocks, tokens_of};
use crate::model::{self, Inputs, Model, ParameterSpec, Shape, lost, one_hot};
use crate::record::{NamedTensor, UserError, Weights};
use crate::task::Dataset;
use crate::train::{Batch, Extras, HostRows, Objective, gradients};
use burn::tensor::{Device, Tensor, Transaction};

/// A run's network, rows and loss.
pub(super) struct Examiner {
    experiment: Experiment,
    data: Dataset,
    gather: bool,
    /// For passes without gradients.
    plain: Device,
    model: Model,
    inputs: Inputs,
    /// What a centred network subtracts.
    anchor: Option<Vec<Tensor<3>>>,
    /// For slopes; made when the first is asked for.
    sloping: Option<Sloping>,
}

struct Sloping {
    device: Device,
    model: Model,
    objective: Objective,
    all: Batch,
}

impl Examiner {
    /// For a run whose first saved weights are `first`.
    pub(super) fn new(experiment: &Experiment, first: &Weights, kind: EngineKind, device: &Device) -> Result<Self, UserError> {
        let data = Dataset::new(&experiment.task, experiment.seed)?;
        let gather = kind == EngineKind::Cpu;
        let model = Model::new(experiment, device)?;
        let inputs = Inputs::of_data(core::slice::from_ref(&data), gather, device);
        let anchor = experiment
            .model
            .settings
            .is_on("centered")
            .then(|| model::upload(core::slice::from_ref(first), model.specs(), "", device))
            .transpose()?;
        Ok(Self { experiment: experiment.clone(), data, gather, plain: device.clone(), model, inputs, anchor, sloping: None })
    }

    /// The rows and their sides.
    pub(super) fn data(&self) -> &Dataset {
        &self.data
    }

    /// Activations of all rows at each of `hooks`, in one pass.
    ///
    /// # Errors
    /// If the weights do not fit, a hook is missing or the device stopped answering.
    pub(super) async fn activations(&self, weights: &Weights, hooks: &[Hook]) -> Result<Vec<(Hook, Grid)>, UserError> {
        if hooks.is_empty() {
            return Ok(Vec::new());
        }
        let parameters = model::upload(core::slice::from_ref(weights), self.model.specs(), "", &self.plain)?;
        let read = self.model.activations(&parameters, self.anchor.as_deref(), &self.inputs, hooks)?;
        let mut transaction = Transaction::default();
        for tensor in &read {
            transaction = transaction.register(tensor.clone());
        }
        let data = transaction.execute_async().await.map_err(lost)?;
        let mut found = Vec::with_capacity(hooks.len());
        for ((hook, tensor), data) in hooks.iter().zip(&read).zip(data) {
            found.push((*hook, Grid { width: tensor.dims()[2], values: data.try_into_vec::<f32>().map_err(lost)? }));
        }
        Ok(found)
    }

    /// Answers a question about the checkpoint whose weights are `checkpoint`.
    ///
    /// # Errors
    /// If weights do not fit or the device stopped answering.
    pub(super) async fn answer(&mut self, question: Question, checkpoint: &Weights) -> Result<Answer, UserError> {
        match question {
            Question::Loss { weights } => {
                let (loss, _) = self.slope(&weights, None, false).await?;
                Ok(Answer::Loss(loss))
            }
            Question::Slope { weights, rows } => {
                let (loss, gradient) = self.slope(&weights, rows, true).await?;
                Ok(Answer::Slope { loss, gradient })
            }
            Question::LogitSlope { weights, row, output } => {
                self.logit_slope(weights.as_ref().unwrap_or(checkpoint), row, output).await
            }
            Question::EmbeddingSlope { triples } => self.embedding_slope(checkpoint, &triples).await,
        }
    }

    fn sloping(&mut self) -> Result<&Sloping, UserError> {
        if self.sloping.is_none() {
            let device = self.plain.clone().autodiff();
            let sizes = self.data.sizes;
            let objective = Objective::new(core::slice::from_ref(&self.experiment), sizes.classes as usize, &device)?;
            let every: Vec<u32> = (0..self.data.train.len() as u32).collect();
            let all = Batch::new(&[HostRows::training(&self.data, &every)], sizes, &objective, self.gather, &device);
            let model = Model::new(&self.experiment, &device)?;
            self.sloping = Some(Sloping { device, model, objective, all });
        }
        self.sloping.as_ref().ok_or_else(|| UserError::new("The network could not be prepared", "Measure again"))
    }

    /// Mean training loss and, if wanted, its gradient.
    async fn slope(
        &mut self,
        weights: &Weights,
        rows: Option<Vec<u32>>,
        with_gradient: bool,
    ) -> Result<(f64, Weights), UserError> {
        let (gather, sizes, anchor) = (self.gather, self.data.sizes, self.anchor.clone());
        let rows = rows.map(|rows| HostRows::training(&self.data, &rows));
        let Sloping { device, model, objective, all } = self.sloping()?;
        let batch = match rows {
            Some(rows) => Batch::new(&[rows], sizes, objective, gather, device),
            None => all.clone(),
        };
        let plain = device.clone().inner();
        let parameters = model::upload(core::slice::from_ref(weights), model.specs(), "", &plain)?;
        if !with_gradient {
            let tracked: Vec<Tensor<3>> = parameters.iter().map(|p| p.clone().autodiff()).collect();
            let outputs = model.outputs(&tracked, anchor.as_deref(), &batch.inputs, None);
            let (loss, _) = objective.slope(outputs.detach(), batch.targets.clone(), batch.rows());
            return Ok((mean(loss.inner()).await?, Weights::default()));
        }
        let extras = Extras { start: anchor.as_deref(), ..Extras::default() };
        let (loss, slopes) = gradients(model, objective, &parameters, &batch, extras);
        let specs = model.specs().to_vec();
        let loss = mean(loss).await?;
        let gradient = model::read(&slopes, &specs).await?.into_iter().next().unwrap_or_default();
        Ok((loss, gradient))
    }

    /// The gradient of one logit at one row with respect to all weights.
    async fn logit_slope(&mut self, weights: &Weights, row: u32, output: u32) -> Result<Answer, UserError> {
        let (gather, data) = (self.gather, &self.data);
        let one = Dataset {
            rows: vec![data.rows[row as usize]],
            vectors: data.vector(row as usize).to_vec(),
            sizes: data.sizes,
            ..Dataset::default()
        };
        let Sloping { device, model, .. } = self.sloping()?;
        let inputs = Inputs::of_data(core::slice::from_ref(&one), gather, device);
        let specs = model.specs().to_vec();
        let leaves = leaves(weights, &specs, device)?;
        let outputs = model.outputs(&leaves, None, &inputs, None);
        let pick = one_hot(&[vec![output as u16]], outputs.dims()[2], device);
        let mut tape = (outputs * pick).sum().backward();
        let slopes: Vec<Tensor<3>> =
            leaves.iter().map(|leaf| leaf.grad_remove(&mut tape).unwrap_or_else(|| leaf.clone().inner().zeros_like())).collect();
        let found = model::read(&slopes, &specs).await?.into_iter().next().unwrap_or_default();
        // In the order of the checkpoint, not of the network.
        let ordered = weights.tensors.iter().filter_map(|tensor| found.get(&tensor.name)).flat_map(|t| t.values.iter().copied());
        Ok(Answer::LogitSlope(ordered.collect()))
    }

    /// Gradients with respect to the embeddings of a and b, told apart by a table with every token twice: a reads the first copy,
    /// b the second.
    async fn embedding_slope(&mut self, weights: &Weights, triples: &[(u16, u16, u16)]) -> Result<Answer, UserError> {
        let (gather, experiment) = (self.gather, self.experiment.clone());
        let tokens = tokens_of(&experiment);
        let outputs = self.data.sizes.classes as usize;
        let Sloping { device, .. } = self.sloping()?;
        let names: Vec<&str> = input_blocks(&experiment)?.iter().map(|block| block.tensor).collect();
        let shape = Shape { tokens: 2 * tokens, width: 0, outputs };
        let model = Model::of_shape(&experiment, shape, device)?;
        let doubled = doubled(weights, &names, tokens);
        let specs: Vec<ParameterSpec> = model
            .specs()
            .iter()
            .map(|spec| {
                if names.contains(&spec.name.as_str()) {
                    ParameterSpec { rows: spec.rows + tokens, ..spec.clone() }
                } else {
                    spec.clone()
                }
            })
            .collect();
        let pairs: Vec<(u16, u16)> = triples.iter().map(|(a, b, _)| (*a, b + tokens as u16)).collect();
        let inputs = Inputs::of_pairs(&[pairs], 2 * tokens, gather, device);
        let leaves = leaves(&doubled, &specs, device)?;
        let logits = model.outputs(&leaves, None, &inputs, None);
        let wanted: Vec<u16> = triples.iter().map(|(_, _, output)| *output).collect();
        let pick = one_hot(&[wanted], outputs, device);
        let mut tape = (logits * pick).sum().backward();
        let mut slopes = Vec::new();
        for name in &names {
            let place = specs.iter().position(|spec| spec.name == *name).unwrap_or(0);
            let slope = leaves[place].grad_remove(&mut tape).unwrap_or_else(|| leaves[place].clone().inner().zeros_like());
            let width = specs[place].columns;
            let values = slope.into_data_async().await.map_err(lost)?.try_into_vec::<f32>().map_err(lost)?;
            slopes.push((values, width));
        }
        let [of_a, of_b] = [slopes.first(), slopes.last()];
        let (Some(of_a), Some(of_b)) = (of_a, of_b) else {
            return Err(UserError::new("This network has no embedding", "Use a network with one"));
        };
        let line = |(values, width): &(Vec<f32>, usize), row: usize| values[row * width..(row + 1) * width].to_vec();
        let answer = triples.iter().map(|(a, b, _)| [line(of_a, usize::from(*a)), line(of_b, tokens + usize::from(*b))]);
        Ok(Answer::EmbeddingSlope(answer.collect()))
    }
}

/// Parameters on the tape.
fn leaves(weights: &Weights, specs: &[ParameterSpec], device: &Device) -> Result<Vec<Tensor<3>>, UserError> {
    let parameters = model::upload(core::slice::from_ref(weights), specs, "", &device.clone().inner())?;
    Ok(parameters.into_iter().map(|parameter| parameter.autodiff().require_grad()).collect())
}

/// The weights with the rows of all tokens in each of `names` written twice.
fn doubled(weights: &Weights, names: &[&str], tokens: usize) -> Weights {
    let double = |tensor: &NamedTensor| match tensor.shape[..] {
        [rows, columns] if names.contains(&tensor.name.as_str()) => {
            let of_tokens = &tensor.values[..tokens * columns];
            let values = [of_tokens, of_tokens, &tensor.values[tokens * columns..]].concat();
            NamedTensor { name: tensor.name.clone(), shape: vec![rows + tokens, columns], values }
        }
        _ => tensor.clone(),
    };
    Weights { tensors: weights.tensors.iter().map(double).collect() }
}

async fn mean(values: Tensor<3>) -> Result<f64, UserError> {
    let values = values.into_data_async().await.map_err(lost)?.try_into_vec::<f32>().map_err(lost)?;
    Ok(values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{preset, with_value};

    fn tiny(name: &str, changes: &[(&str, &str)]) -> Experiment {
        let small = [("task.modulus", "7"), ("task.train_fraction", "0.6"), ("model.init_scale", "1.5")];
        let start = preset(name).unwrap().experiment.clone();
        small.iter().chain(changes).fold(start, |e, (path, text)| with_value(&e, path, text).unwrap())
    }

    fn transformer() -> Experiment {
        tiny(
            "transformer-59",
            &[("model.d_model", "8"), ("model.heads", "2"), ("model.mlp_width", "12"), ("model.activation", "gelu")],
        )
    }

    fn perceptron() -> Experiment {
        tiny("quadratic-31", &[("model.width", "6")])
    }

    fn examined(experiment: &Experiment) -> (Examiner, Weights) {
        let weights = model::start(experiment).unwrap();
        (Examiner::new(experiment, &weights, EngineKind::Cpu, &Device::flex()).unwrap(), weights)
    }

    fn ask(examiner: &mut Examiner, weights: &Weights, question: Question) -> Answer {
        pollster::block_on(examiner.answer(question, weights)).unwrap()
    }

    /// The weights with one number changed by `by`.
    fn moved(weights: &Weights, tensor: usize, place: usize, by: f32) -> Weights {
        let mut moved = weights.clone();
        moved.tensors[tensor].values[place] += by;
        moved
    }

    #[test]
    fn slopes_agree_with_central_differences_of_the_loss() {
        for experiment in [transformer(), perceptron()] {
            let (mut examiner, weights) = examined(&experiment);
            let Answer::Slope { loss, gradient } =
                ask(&mut examiner, &weights, Question::Slope { weights: weights.clone(), rows: None })
            else {
                panic!()
            };
            let mut at = |weights: Weights| match ask(&mut examiner, &Weights::default(), Question::Loss { weights }) {
                Answer::Loss(loss) => loss,
                other => panic!("{other:?}"),
            };
            assert!((at(weights.clone()) - loss).abs() < 1e-6 * loss);
            for (index, tensor) in weights.tensors.iter().enumerate() {
                let place = tensor.values.len() / 2;
                let h = 2e-2f32;
                let slope = (at(moved(&weights, index, place, h)) - at(moved(&weights, index, place, -h))) / (2.0 * f64::from(h));
                let found = f64::from(gradient.get(&tensor.name).unwrap().values[place]);
                assert!((slope - found).abs() < 2e-3 * (found.abs() + 0.01), "{}: {found} against {slope}", tensor.name);
            }
        }
    }

    #[test]
    fn the_slope_of_one_row_is_that_of_its_own_loss() {
        let (mut examiner, weights) = examined(&perceptron());
        let rows = examiner.data().train.len() as u32;
        let mut slope = |rows| match ask(&mut examiner, &weights, Question::Slope { weights: weights.clone(), rows }) {
            Answer::Slope { loss, .. } => loss,
            other => panic!("{other:?}"),
        };
        let mean = (0..rows).map(|row| slope(Some(vec![row]))).sum::<f64>() / f64::from(rows);
        assert!((mean - slope(None)).abs() < 1e-6, "the mean over single rows is the loss over all");
    }

    #[test]
    fn a_logit_slope_agrees_with_central_differences_of_the_logit() {
        let (mut examiner, weights) = examined(&transformer());
        let Answer::LogitSlope(found) = ask(&mut examiner, &weights, Question::LogitSlope { weights: None, row: 17, output: 3 })
        else {
            panic!()
        };
        let logit = |weights: &Weights| {
            let grids = pollster::block_on(examiner.activations(weights, &[Hook::Logits])).unwrap();
            f64::from(grids[0].1.row(17)[3])
        };
        let mut first = 0;
        for (index, tensor) in weights.tensors.iter().enumerate() {
            let place = tensor.values.len() / 3;
            let h = 1e-2;
            let slope =
                (logit(&moved(&weights, index, place, h)) - logit(&moved(&weights, index, place, -h))) / (2.0 * f64::from(h));
            let own = f64::from(found[first + place]);
            assert!((slope - own).abs() < 1e-2 * (own.abs() + 0.02), "{}: {own} against {slope}", tensor.name);
            first += tensor.values.len();
        }
        assert_eq!(first, found.len());
    }

    #[test]
    fn an_embedding_slope_is_the_row_of_the_logit_slope_of_each_token() {
        // With a ≠ b a shared table is read once at each of the two rows, so both ways have to agree.
        let (mut examiner, weights) = examined(&transformer());
        let triples = vec![(1u16, 4u16, 2u16), (3, 5, 0), (6, 2, 6)];
        let Answer::EmbeddingSlope(found) = ask(&mut examiner, &weights, Question::EmbeddingSlope { triples: triples.clone() })
        else {
            panic!()
        };
        let names: Vec<&str> = weights.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        let embed = names.iter().position(|name| *name == "embed").unwrap();
        let before: usize = weights.tensors[..embed].iter().map(|tensor| tensor.values.len()).sum();
        for ((a, b, output), [of_a, of_b]) in triples.into_iter().zip(found) {
            let row = u32::from(a) * 7 + u32::from(b);
            let question = Question::LogitSlope { weights: None, row, output: u32::from(output) };
            let Answer::LogitSlope(all) = ask(&mut examiner, &weights, question) else { panic!() };
            let line = |token: u16| &all[before + usize::from(token) * 8..before + usize::from(token) * 8 + 8];
            for (x, y) in of_a.iter().zip(line(a)).chain(of_b.iter().zip(line(b))) {
                assert!((x - y).abs() < 1e-5, "{x} against {y}");
            }
        }
    }
}
