//! Loss and gradient of a batch, with everything that a gradient may depend on.

use super::batch::Batch;
use super::loss::Objective;
use super::modifier::Pace;
use crate::model::Model;
use burn::tensor::Tensor;

/// What a gradient depends on beside weights and batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extras<'a> {
    /// The weights at step 0, for a centred network.
    pub start: Option<&'a [Tensor<3>]>,
    /// Dropout mask.
    pub dropout: Option<&'a Tensor<3>>,
    /// Which rows take part.
    pub pace: Option<Pace>,
}

/// Mean loss of each replica over `batch`, `[replica, 1, 1]`, and the gradient of every parameter, none of them on a tape.
pub fn gradients(
    model: &Model,
    objective: &Objective,
    parameters: &[Tensor<3>],
    batch: &Batch,
    extras: Extras<'_>,
) -> (Tensor<3>, Vec<Tensor<3>>) {
    let leaves: Vec<Tensor<3>> = parameters.iter().map(|p| p.clone().autodiff().require_grad()).collect();
    let outputs = model.outputs(&leaves, extras.start, &batch.inputs, extras.dropout);
    let fixed = outputs.clone().detach();
    let (value, mut slope) = match &batch.soft {
        Some(soft) => objective.slope_soft(fixed, soft.clone(), batch.rows()),
        None => objective.slope(fixed, batch.targets.clone(), batch.rows()),
    };
    if let Some(pace) = extras.pace {
        let bound = |times: f64| value.clone().mean_dim(1).mul_scalar(times).expand(value.dims());
        let takes_part = match pace {
            Pace::AtMost(times) => value.clone().lower_equal(bound(times)),
            Pace::AtLeast(times) => value.clone().greater_equal(bound(times)),
        };
        slope = slope * takes_part.float();
    }
    let mut tape = (outputs * slope).sum().backward();
    let gradients =
        leaves.iter().map(|leaf| leaf.grad_remove(&mut tape).unwrap_or_else(|| leaf.clone().inner().zeros_like())).collect();
    (value.inner().mean_dim(1), gradients)
}
