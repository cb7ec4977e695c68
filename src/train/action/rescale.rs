//! `rescale FACTOR [TENSOR]`: multiplies all weights, or one tensor, once (Liu et al. 2023, Omnigrok, 2210.01117).
//!
//! In the middle of a run it moves the weights off or onto the shell of norms where a network generalises; with the norm clamp
//! on, the next update undoes it.

use super::ActionKind;
use super::arguments::{misused, number, places};
use crate::model::{ParameterSpec, specs};
use crate::record::UserError;
#[cfg(feature = "compute")]
use {super::Moment, super::Work, crate::experiment::Experiment, burn::tensor::Tensor};

const USAGE: &str = "rescale FACTOR [TENSOR]";

pub(super) const ACTION: ActionKind = ActionKind {
    name: "rescale",
    usage: USAGE,
    help: "Multiplies all weights, or one tensor, by a factor once (Omnigrok, 2210.01117)",
    check: |arguments, experiment| parse(arguments, &specs(experiment)).map(|_| ()),
    #[cfg(feature = "compute")]
    apply,
};

fn parse(arguments: &[&str], specs: &[ParameterSpec]) -> Result<(f64, Vec<usize>), UserError> {
    match arguments {
        [factor] | [factor, _] => Ok((number(factor, "The factor", 0.0, 1000.0)?, places(arguments.get(1), specs)?)),
        _ => Err(misused(USAGE)),
    }
}

#[cfg(feature = "compute")]
fn apply<'a>(arguments: &'a [&'a str], _: &'a Experiment, moment: &'a Moment<'a>, weights: Vec<Tensor<3>>) -> Work<'a> {
    let rescaled = parse(arguments, moment.specs).map(|(factor, places)| {
        let scaled = |(index, tensor): (usize, Tensor<3>)| {
            if places.contains(&index) { tensor.mul_scalar(factor) } else { tensor }
        };
        weights.into_iter().enumerate().map(scaled).collect()
    });
    Box::pin(core::future::ready(rescaled))
}
