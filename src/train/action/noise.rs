//! `noise SIGMA [TENSOR]`: adds Gaussian noise to all weights, or to one tensor, once.
//!
//! How much of it a network survives, and how fast it finds back, is a probe of the width of the minimum it sits in.

use super::ActionKind;
use super::arguments::{misused, number, places};
use crate::model::{ParameterSpec, specs};
use crate::record::UserError;
#[cfg(feature = "compute")]
use {
    super::{Moment, Work},
    crate::experiment::Experiment,
    crate::experiment::randomness::Purpose,
    crate::train::modifier::normals,
    burn::tensor::Tensor,
};

const USAGE: &str = "noise SIGMA [TENSOR]";

pub(super) const ACTION: ActionKind = ActionKind {
    name: "noise",
    usage: USAGE,
    help: "Adds Gaussian noise of deviation SIGMA to all weights, or to one tensor, once",
    check: |arguments, experiment| parse(arguments, &specs(experiment)).map(|_| ()),
    #[cfg(feature = "compute")]
    apply,
};

fn parse(arguments: &[&str], specs: &[ParameterSpec]) -> Result<(f64, Vec<usize>), UserError> {
    match arguments {
        [sigma] | [sigma, _] => Ok((number(sigma, "The deviation", 0.0, 100.0)?, places(arguments.get(1), specs)?)),
        _ => Err(misused(USAGE)),
    }
}

#[cfg(feature = "compute")]
fn apply<'a>(arguments: &'a [&'a str], _: &'a Experiment, moment: &'a Moment<'a>, mut weights: Vec<Tensor<3>>) -> Work<'a> {
    let noisy = parse(arguments, moment.specs).map(|(sigma, places)| {
        for index in places {
            if let Some(noise) = normals(moment, Purpose::Action, index, sigma) {
                weights[index] = weights[index].clone() + noise;
            }
        }
        weights
    });
    Box::pin(core::future::ready(noisy))
}
