//! A fixed weight norm: after each update all weights of a replica are scaled so that ‖w‖ = c·‖w₀‖ (Liu et al. 2023, Omnigrok,
//! 2210.01117).
//!
//! It takes weight norm out of the race: with a small c a network generalises as it memorises, without weight decay. The whole
//! vector is scaled, biases included; clamping each tensor would fix ratios that the paper leaves free. It holds from the first
//! update on, so the row of step 0 shows ‖w₀‖ itself.

use super::Part;
use crate::experiment::field::{Field, closed};
#[cfg(feature = "compute")]
use {
    super::norms::{nonzero, norm},
    super::{Modifier, Moment},
    crate::experiment::Experiment,
    burn::tensor::Tensor,
};

pub(super) const PART: Part = Part {
    fields: &[Field::new(
        "training.norm_clamp",
        "Norm clamp",
        "After each update all weights are scaled to this multiple of the norm at the start; 0 is off",
        closed(0.0, 100.0),
    )
    .neutral("0")
    .live()],
    check: |_| Vec::new(),
    #[cfg(feature = "compute")]
    build,
};

#[cfg(feature = "compute")]
fn build(experiment: &Experiment) -> Option<Box<dyn Modifier>> {
    let ratio = experiment.training.number("norm_clamp");
    (ratio > 0.0).then(|| Box::new(NormClamp { ratio, goal: None }) as Box<dyn Modifier>)
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct NormClamp {
    ratio: f64,
    /// c·‖w₀‖, `[replica, 1, 1]`, once computed.
    goal: Option<Tensor<3>>,
}

#[cfg(feature = "compute")]
impl Modifier for NormClamp {
    fn after(&mut self, moment: &Moment<'_>, _before: &[Tensor<3>], after: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        if self.goal.is_none() {
            self.goal = norm(moment.start).map(|start| start.mul_scalar(self.ratio));
        }
        let (Some(goal), Some(length)) = (&self.goal, norm(&after)) else { return after };
        let factor = goal.clone() / nonzero(length);
        after.into_iter().map(|tensor| tensor * factor.clone()).collect()
    }
}

#[cfg(test)]
#[cfg(feature = "compute")]
mod tests {
    use super::super::support::{Case, assert_close, build, length, replica};
    use super::*;

    #[test]
    fn each_replica_keeps_its_direction_and_gets_its_share_of_its_own_first_norm() {
        let case = Case::small();
        let mut part = build(&PART, &[("training.norm_clamp", "0.8")]);
        for t in 1..3 {
            let after = part.after(&case.moment(t), &case.start, case.weights.clone());
            let expected = |r: usize| {
                let own = replica(&case.weights, r);
                let factor = 0.8 * length(&replica(&case.start, r)) / length(&own);
                own.into_iter().map(|list| list.into_iter().map(|w| w * factor).collect()).collect()
            };
            assert_close(&after, expected, 1e-6);
        }
    }
}
