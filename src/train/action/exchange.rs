//! `exchange TENSOR TENSOR`: two tensors of one size take each other's place.
//!
//! Layers of one size do the same kind of work only if they learned to; an exchange that does no harm shows that they are
//! interchangeable, and one that does shows that they have taken on different parts.

use super::ActionKind;
use super::arguments::{misused, place};
use crate::model::{ParameterSpec, specs};
use crate::record::UserError;
#[cfg(feature = "compute")]
use {super::Moment, super::Work, crate::experiment::Experiment, burn::tensor::Tensor};

const USAGE: &str = "exchange TENSOR TENSOR";

pub(super) const ACTION: ActionKind = ActionKind {
    name: "exchange",
    usage: USAGE,
    help: "Lets two tensors of one size change places",
    check: |arguments, experiment| parse(arguments, &specs(experiment)).map(|_| ()),
    #[cfg(feature = "compute")]
    apply,
};

fn parse(arguments: &[&str], specs: &[ParameterSpec]) -> Result<(usize, usize), UserError> {
    let [first, second] = arguments else { return Err(misused(USAGE)) };
    let (a, b) = (place(first, specs)?, place(second, specs)?);
    let size = |index: usize| (specs[index].rows, specs[index].columns);
    if a != b && size(a) == size(b) {
        return Ok((a, b));
    }
    let fits = |index: &usize| *index != a && size(*index) == size(a);
    let partners: Vec<&str> = (0..specs.len()).filter(fits).map(|index| specs[index].name.as_str()).collect();
    let cause = if a == b {
        format!("{first} cannot change places with itself")
    } else {
        format!("{first} is {} × {} and {second} {} × {}", size(a).0, size(a).1, size(b).0, size(b).1)
    };
    Err(UserError::new(
        cause,
        if partners.is_empty() {
            format!("No tensor has the size of {first}; choose another")
        } else {
            format!("{first} can change places with {}", partners.join(", "))
        },
    ))
}

#[cfg(feature = "compute")]
fn apply<'a>(arguments: &'a [&'a str], _: &'a Experiment, moment: &'a Moment<'a>, mut weights: Vec<Tensor<3>>) -> Work<'a> {
    let exchanged = parse(arguments, moment.specs).map(|(a, b)| {
        weights.swap(a, b);
        weights
    });
    Box::pin(core::future::ready(exchanged))
}
