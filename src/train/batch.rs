//! What an update sees: the inputs of each replica and their targets, on the device.
//!
//! Mini-batches are a function of (seed, step) alone: epoch e visits the training rows in the order of the permutation number
//! e of the batch stream, and rows that do not fill a last batch sit that epoch out. So a resumed run needs no generator state.

use super::Objective;
use super::modifier::augment;
use crate::experiment::Experiment;
use crate::experiment::randomness::{Purpose, Stream};
use crate::model::{Inputs, Shape};
use crate::task::{Answers, Dataset, Domain, Sizes, order, rows_in_use, rule_of};
use burn::tensor::{Device, Tensor};

/// Rows of one replica on the host.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HostRows {
    /// (a, b) and class of each row; zeros where the task has no pairs or no classes.
    pub pairs: Vec<((u16, u16), u16)>,
    /// Input vectors one after another; empty for pairs.
    pub vectors: Vec<f32>,
    /// Real answers; empty for classes.
    pub values: Vec<f32>,
    /// Index of each row in the data set; empty for rows that are not from it.
    pub indices: Vec<u32>,
}

impl HostRows {
    /// The rows of `data` at `indices`, with the labels `label(index)`.
    fn of(data: &Dataset, indices: Vec<u32>, label: impl Fn(u32) -> u16) -> Self {
        let width = data.sizes.width as usize;
        let is_valued = !data.values.is_empty();
        let pick = |index: &u32| {
            let row = data.rows[*index as usize];
            ((row.a, row.b), label(*index))
        };
        Self {
            pairs: indices.iter().map(pick).collect(),
            vectors: if width == 0 {
                Vec::new()
            } else {
                indices.iter().flat_map(|i| &data.vectors[*i as usize * width..(*i as usize + 1) * width]).copied().collect()
            },
            values: if is_valued { indices.iter().map(|i| data.values[*i as usize]).collect() } else { Vec::new() },
            indices,
        }
    }

    /// All rows. Training rows carry the label that training sees, the others the true one.
    pub fn all(data: &Dataset) -> Self {
        let mut labels: Vec<u16> = data.rows.iter().map(|row| row.label).collect();
        for (index, label) in data.train.iter().zip(&data.train_labels) {
            labels[*index as usize] = *label;
        }
        Self::of(data, (0..data.rows.len() as u32).collect(), |index| labels[index as usize])
    }

    /// The training rows at `positions` (into `Dataset::train`), with the labels that training sees.
    pub fn training(data: &Dataset, positions: &[u32]) -> Self {
        let indices = positions.iter().map(|position| data.train[*position as usize]).collect();
        let mut rows = Self::of(data, indices, |_| 0);
        for (pair, position) in rows.pairs.iter_mut().zip(positions) {
            pair.1 = data.train_labels.get(*position as usize).copied().unwrap_or(0);
        }
        rows
    }

    fn fresh(domain: Domain, answers: Answers) -> Self {
        let (labels, values) = match answers {
            Answers::Labels(labels) => (labels, Vec::new()),
            Answers::Values(values) => (vec![0; values.len()], values),
        };
        let (pairs, vectors) = match domain {
            Domain::Pairs(pairs) => (pairs, Vec::new()),
            Domain::Vectors(vectors) => (vec![(0, 0); labels.len()], vectors),
        };
        Self { pairs: pairs.into_iter().zip(labels).collect(), vectors, values, indices: Vec::new() }
    }

    fn domain(&self) -> Domain {
        if self.vectors.is_empty() {
            Domain::Pairs(self.pairs.iter().map(|(pair, _)| *pair).collect())
        } else {
            Domain::Vectors(self.vectors.clone())
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

/// Inputs and targets of one update or evaluation.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The inputs.
    pub inputs: Inputs,
    /// Targets `[replica, row, output]`: the class's code, or the value.
    pub targets: Tensor<3>,
    /// Soft targets `[replica, row, class]` of a distillation.
    pub soft: Option<Tensor<3>>,
}

impl Batch {
    /// Uploads `rows[replica]`, all of one length.
    pub fn new(rows: &[HostRows], sizes: Sizes, objective: &Objective, gather: bool, device: &Device) -> Self {
        let domains: Vec<Domain> = rows.iter().map(HostRows::domain).collect();
        let shape = Shape { tokens: sizes.tokens as usize, width: sizes.width as usize, outputs: objective.outputs() };
        let targets = if rows.iter().all(|replica| replica.values.is_empty()) {
            let labels: Vec<Vec<u16>> = rows.iter().map(|r| r.pairs.iter().map(|(_, label)| *label).collect()).collect();
            objective.targets(&labels, device)
        } else {
            let values: Vec<&[f32]> = rows.iter().map(|replica| replica.values.as_slice()).collect();
            objective.value_targets(&values, device)
        };
        Self { inputs: Inputs::new(&domains, shape, gather, device), targets, soft: None }
    }

    /// Rows per replica.
    pub fn rows(&self) -> usize {
        self.targets.dims()[1]
    }
}

/// Positions (into `Dataset::train`) that update `step` (from 0) sees, out of the rows in use.
fn positions(experiment: &Experiment, in_use: &[u32], step: u32) -> Vec<u32> {
    let rows = in_use.len();
    let Some(size) = experiment.batch_size.map(|size| (size as usize).min(rows)) else { return in_use.to_vec() };
    let per_epoch = (rows / size.max(1)).max(1);
    let (epoch, batch) = (step as usize / per_epoch, step as usize % per_epoch);
    let order = Stream::new(experiment.seed, Purpose::Batch, epoch as u64).permutation(rows);
    order.into_iter().skip(batch * size).take(size).map(|position| in_use[position as usize]).collect()
}

/// Positions (into `Dataset::train`) that the curriculum has in use, ascending.
pub(super) fn in_use(experiment: &Experiment, data: &Dataset) -> Vec<u32> {
    let wanted = rows_in_use(&experiment.curriculum, data.train.len());
    if wanted == data.train.len() {
        return (0..wanted as u32).collect();
    }
    let mut positions = order(data, &experiment.curriculum, experiment.seed);
    positions.truncate(wanted);
    positions.sort_unstable();
    positions
}

/// The rows of update `step` (from 0).
pub(super) fn rows_of_update(experiment: &Experiment, data: &Dataset, in_use: &[u32], step: u32) -> HostRows {
    let count = experiment.batch_size.unwrap_or(data.train.len() as u32);
    if let Some((domain, answers)) = rule_of(experiment).and_then(|rule| rule.fresh(experiment.seed, step, count)) {
        return HostRows::fresh(domain, answers);
    }
    let mut rows = HostRows::training(data, &positions(experiment, in_use, step));
    augment(experiment, &mut rows.pairs, experiment.seed, step + 1);
    rows
}
