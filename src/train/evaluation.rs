//! Evaluations: taken on the device, read back together.
//!
//! Row losses come back whole and are summed in 64 bits, so that a metric does not depend on a device's order of summation more
//! than it must.

use super::motion::Motion;
use crate::model::lost;
use crate::record::{MetricRow, UserError};
use crate::task::Dataset;
use burn::tensor::{Tensor, Transaction};

/// An evaluation that still lies on the device.
#[derive(Debug)]
pub(super) struct Evaluation {
    pub(super) step: u32,
    /// `[replica, row, 1]`.
    pub(super) loss: Tensor<3>,
    /// `[replica, row, 1]`.
    pub(super) correct: Tensor<3>,
    /// `[replica, 1]`.
    pub(super) square_norm: Tensor<2>,
    /// Which rows are training, test and probe, per replica.
    pub(super) sides: std::rc::Rc<Vec<Sides>>,
}

/// Row indices of one replica.
#[derive(Debug, Clone)]
pub(super) struct Sides {
    train: Vec<u32>,
    test: Vec<u32>,
    probe: Vec<u32>,
}

impl From<&Dataset> for Sides {
    fn from(data: &Dataset) -> Self {
        Self { train: data.train.clone(), test: data.test.clone(), probe: data.probe.clone() }
    }
}

/// Everything that still lies on the device.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// `[replica, 1, 1]` each.
    pub(super) losses: Vec<(u32, Tensor<3>)>,
    /// See [`super::motion::sums`].
    pub(super) motions: Vec<(u32, Tensor<3>)>,
    pub(super) evaluations: Vec<Evaluation>,
}

/// What reading brings back; one value per replica, ascending in step.
#[derive(Debug, Default)]
pub struct Readings {
    /// Training loss of each update's batch, before that update: (updates made before it, loss per replica).
    pub losses: Vec<(u32, Vec<f32>)>,
    /// The update that led to each evaluated step.
    pub motions: Vec<(u32, Vec<Motion>)>,
    /// Evaluated rows.
    pub rows: Vec<Vec<MetricRow>>,
}

/// Waits for the device and brings everything back in one transaction.
pub(super) async fn read(unread: Unread, replicas: usize) -> Result<Readings, UserError> {
    let Unread { losses, motions, evaluations } = unread;
    let mut readings = Readings::default();
    if losses.is_empty() && motions.is_empty() && evaluations.is_empty() {
        return Ok(readings);
    }
    let mut transaction = Transaction::default();
    let (loss_steps, loss_values): (Vec<u32>, Vec<Tensor<3>>) = losses.into_iter().unzip();
    let (motion_steps, motion_values): (Vec<u32>, Vec<Tensor<3>>) = motions.into_iter().unzip();
    let steps_of_lists = [loss_steps, motion_steps];
    for values in [loss_values, motion_values].into_iter().filter(|values| !values.is_empty()) {
        transaction = transaction.register(Tensor::cat(values, 1));
    }
    let mut about = Vec::with_capacity(evaluations.len());
    for evaluation in evaluations {
        about.push((evaluation.step, evaluation.sides));
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
    let [losses, motions] =
        steps_of_lists.map(|steps| if steps.is_empty() { Vec::new() } else { by_step(steps, answers.next(), replicas) });
    readings.losses = losses.into_iter().map(|(step, values)| (step, values.into_iter().flatten().collect())).collect();
    readings.motions =
        motions.into_iter().map(|(step, values)| (step, values.iter().map(|sums| Motion::of(sums)).collect())).collect();
    for (step, sides) in about {
        let (Some(loss), Some(correct), Some(square_norm)) = (answers.next(), answers.next(), answers.next()) else { break };
        let rows = loss.len() / replicas.max(1);
        readings.rows.push(
            (0..replicas)
                .map(|r| {
                    let range = r * rows..(r + 1) * rows;
                    row(step, &sides[r], &loss[range.clone()], &correct[range], square_norm[r])
                })
                .collect(),
        );
    }
    Ok(readings)
}

/// Values `[replica, step, each]` by step and replica.
fn by_step(steps: Vec<u32>, values: Option<Vec<f32>>, replicas: usize) -> Vec<(u32, Vec<Vec<f32>>)> {
    let values = values.unwrap_or_default();
    let count = steps.len();
    let each = values.len() / (replicas * count).max(1);
    let of = |replica: usize, index: usize| values[(replica * count + index) * each..][..each].to_vec();
    steps.into_iter().enumerate().map(|(index, step)| (step, (0..replicas).map(|r| of(r, index)).collect())).collect()
}

fn row(step: u32, sides: &Sides, loss: &[f32], correct: &[f32], square_norm: f32) -> MetricRow {
    let mean = |values: &[f32], rows: &[u32]| {
        let sum: f64 = rows.iter().map(|index| f64::from(values[*index as usize])).sum();
        (sum / rows.len() as f64) as f32
    };
    MetricRow {
        step,
        train_loss: mean(loss, &sides.train),
        test_loss: mean(loss, &sides.test),
        train_accuracy: mean(correct, &sides.train),
        test_accuracy: mean(correct, &sides.test),
        weight_norm: square_norm.sqrt(),
        probe_accuracy: (!sides.probe.is_empty()).then(|| mean(correct, &sides.probe)),
    }
}
