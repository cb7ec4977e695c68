//! `reset TENSOR|all`: draws a tensor anew from the distribution it started from.
//!
//! What is left of generalisation after one layer was lost tells where it lives. The draw is another one than the start's, and
//! than that of a reset at another step.

use super::ActionKind;
use super::arguments::{misused, places};
use crate::model::{ParameterSpec, specs};
use crate::record::UserError;
#[cfg(feature = "compute")]
use {
    super::{Moment, Work},
    crate::experiment::Experiment,
    crate::experiment::randomness::{Purpose, Stream},
    burn::tensor::{Tensor, TensorData},
};

const USAGE: &str = "reset TENSOR, or reset all";

pub(super) const ACTION: ActionKind = ActionKind {
    name: "reset",
    usage: USAGE,
    help: "Draws one tensor, or all, anew from the starting distribution",
    check: |arguments, experiment| parse(arguments, &specs(experiment)).map(|_| ()),
    #[cfg(feature = "compute")]
    apply,
};

fn parse(arguments: &[&str], specs: &[ParameterSpec]) -> Result<Vec<usize>, UserError> {
    match arguments {
        [_] => places(arguments.first(), specs),
        _ => Err(misused(USAGE)),
    }
}

#[cfg(feature = "compute")]
fn apply<'a>(arguments: &'a [&'a str], _: &'a Experiment, moment: &'a Moment<'a>, mut weights: Vec<Tensor<3>>) -> Work<'a> {
    let reset = parse(arguments, moment.specs).map(|places| {
        for (index, (tensor, spec)) in weights.iter_mut().zip(moment.specs).enumerate() {
            if places.contains(&index) {
                let stream = (u64::from(moment.t) << 32) | index as u64;
                let draw = |seed: &u64| spec.draw(&mut Stream::new(*seed, Purpose::Action, stream));
                let values: Vec<f32> = moment.seeds.iter().flat_map(draw).collect();
                *tensor = Tensor::from_data(TensorData::new(values, tensor.dims()), moment.device);
            }
        }
        weights
    });
    Box::pin(core::future::ready(reset))
}
