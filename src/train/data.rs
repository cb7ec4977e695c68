//! What the task's settings decide: rows, sides, rows in use, the grid that is evaluated, the loss.
//!
//! It is rebuilt as a whole when a line of the timeline touches any of these settings; rebuilding parts of it would leave a curve
//! that mixes two tasks.

use super::batch::{Batch, HostRows, in_use};
use super::evaluation::Sides;
use super::loss::Objective;
use crate::experiment::Experiment;
use crate::record::UserError;
use crate::task::Dataset;
use burn::tensor::{Device, Tensor, TensorData};
use std::rc::Rc;

/// What follows from the task's settings.
pub(super) struct Data {
    pub(super) datasets: Vec<Dataset>,
    pub(super) sides: Rc<Vec<Sides>>,
    pub(super) in_use: Vec<Vec<u32>>,
    pub(super) grid: Batch,
    pub(super) objective: Objective,
}

impl Data {
    pub(super) fn new(experiments: &[Experiment], gather: bool, device: &Device) -> Result<Self, UserError> {
        let datasets = experiments.iter().map(|e| Dataset::new(&e.task, e.seed)).collect::<Result<Vec<_>, _>>()?;
        let in_use = experiments.iter().zip(&datasets).map(|(e, data)| in_use(e, data)).collect();
        let sizes = datasets[0].sizes;
        let objective = Objective::new(experiments, sizes.classes as usize, device)?;
        // Test rows keep their clean labels; training rows are scored by the labels that training sees.
        let rows: Vec<HostRows> = datasets.iter().map(HostRows::all).collect();
        let grid = Batch::new(&rows, sizes, &objective, gather, device);
        Ok(Self { sides: Rc::new(datasets.iter().map(Sides::from).collect()), in_use, datasets, grid, objective })
    }
}

/// (1 − w)·code + w·the source's probabilities, for rows of the data set: `[replica, row, class]`.
pub(super) fn softened(rows: &[HostRows], soft: &[Vec<f32>], targets: Tensor<3>, weight: f64, device: &Device) -> Tensor<3> {
    let [replicas, count, classes] = targets.dims();
    let mut values = Vec::with_capacity(replicas * count * classes);
    for (replica, soft) in rows.iter().zip(soft) {
        for index in &replica.indices {
            let start = *index as usize * classes;
            values.extend_from_slice(&soft[start..start + classes]);
        }
    }
    let given: Tensor<3> = Tensor::from_data(TensorData::new(values, [replicas, count, classes]), device);
    targets.mul_scalar(1.0 - weight) + given.mul_scalar(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_soft_target_is_the_weighted_mean_of_code_and_answer_of_the_same_row() {
        // Reference: (1 − w)·code + w·answer, entry by entry, for two replicas with other rows and other answers.
        let device = Device::flex();
        let rows = |indices: &[u32]| HostRows { indices: indices.to_vec(), ..HostRows::default() };
        let answer = |replica: usize, row: usize, class: usize| (1 + replica * 12 + row * 3 + class) as f32 / 32.0;
        let soft: Vec<Vec<f32>> = (0..2).map(|r| (0..12).map(|at| answer(r, at / 3, at % 3)).collect()).collect();
        let code = |replica: usize, row: usize, class: usize| if class == (replica + row) % 3 { 1.0f32 } else { 0.0 };
        let codes: Vec<f32> = (0..12).map(|at| code(at / 6, at / 3 % 2, at % 3)).collect();
        let targets = Tensor::from_data(TensorData::new(codes, [2, 2, 3]), &device);
        let chosen = [[3, 1], [0, 2]];
        let mixed = softened(&[rows(&chosen[0]), rows(&chosen[1])], &soft, targets, 0.25, &device);
        let values = mixed.into_data().try_into_vec::<f32>().unwrap();
        for (at, value) in values.into_iter().enumerate() {
            let (replica, place, class) = (at / 6, at / 3 % 2, at % 3);
            let row = chosen[replica][place] as usize;
            assert_eq!(value, 0.75 * code(replica, place, class) + 0.25 * answer(replica, row, class));
        }
    }
}
