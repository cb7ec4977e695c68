//! What an update sees: the pairs of each replica and their labels, on the device.
//!
//! Mini-batches are a function of (seed, step) alone: epoch e visits the training rows in the order of the permutation number
//! e of the batch stream, and rows that do not fill a last batch sit that epoch out. So a resumed run needs no generator state.

use crate::experiment::Experiment;
use crate::experiment::randomness::{Purpose, Stream};
use crate::model::{Pairs, one_hot};
use crate::task::Dataset;
use burn::tensor::{Device, Tensor};

/// Inputs and labels of one update.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The inputs.
    pub pairs: Pairs,
    /// One-hot labels `[replica, row, p]`.
    pub targets: Tensor<3>,
}

impl Batch {
    /// Uploads `rows[replica]`: (a, b) and label.
    pub fn new(rows: &[Vec<((u16, u16), u16)>], modulus: usize, gather: bool, device: &Device) -> Self {
        let pairs: Vec<Vec<(u16, u16)>> = rows.iter().map(|list| list.iter().map(|row| row.0).collect()).collect();
        let labels: Vec<Vec<u16>> = rows.iter().map(|list| list.iter().map(|row| row.1).collect()).collect();
        Self { pairs: Pairs::new(&pairs, modulus, gather, device), targets: one_hot(&labels, modulus, device) }
    }
}

/// Positions (into `Dataset::train`) that update `step` (from 0) sees; all of them without a batch size.
pub(super) fn positions(experiment: &Experiment, data: &Dataset, step: u32) -> Vec<usize> {
    let rows = data.train.len();
    let Some(size) = experiment.batch_size.map(|size| size as usize) else { return (0..rows).collect() };
    let per_epoch = (rows / size.max(1)).max(1);
    let (epoch, batch) = (step as usize / per_epoch, step as usize % per_epoch);
    let order = Stream::new(experiment.seed, Purpose::Batch, epoch as u64).permutation(rows);
    order.into_iter().skip(batch * size).take(size).map(|position| position as usize).collect()
}

/// Training rows at `positions`, with the labels that training sees.
pub(super) fn training_rows(data: &Dataset, positions: &[usize]) -> Vec<((u16, u16), u16)> {
    positions
        .iter()
        .map(|position| {
            let row = data.rows[data.train[*position] as usize];
            ((row.a, row.b), data.train_labels[*position])
        })
        .collect()
}
