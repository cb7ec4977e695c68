//! ⊥Grad (Prieto et al. 2025, 2501.04697): only the part of the gradient that turns the weights is used.
//!
//! Per tensor g' = g − (w·g/‖w‖²)·w, rescaled to ‖g‖. Scaling the logits up without changing an answer, the cheap way to lower
//! the cross-entropy that ends in softmax collapse, is left out, and the delay with it. Tensors are taken one by one as in the
//! authors' code. A tensor whose weights are all 0, such as a bias at the start, has no direction and keeps its gradient; one
//! whose gradient lies along its weights gets a zero gradient instead of rescaled rounding errors.

use super::Part;
use crate::experiment::Experiment;
use crate::experiment::field::{Field, FieldError, FieldKind};
#[cfg(feature = "compute")]
use {
    super::norms::{nonzero, norm_of},
    super::{Modifier, Moment},
    burn::tensor::Tensor,
};

pub(super) const PART: Part = Part {
    fields: &[Field::new(
        "training.orthogonal_gradient",
        "Orthogonal gradient",
        "Use only the part of each tensor's gradient at right angles to its weights, at the gradient's length (⊥Grad)",
        FieldKind::Toggle,
    )
    .neutral("false")
    .live()],
    check,
    #[cfg(feature = "compute")]
    build,
};

/// A share of ‖g‖ below which what is left of g is rounding.
#[cfg(feature = "compute")]
const ROUNDING: f32 = 1e-6;

pub(super) fn check(experiment: &Experiment) -> Vec<FieldError> {
    if !experiment.training.is_on("orthogonal_gradient") {
        return Vec::new();
    }
    let starts_at_zero = |spec: &crate::model::ParameterSpec| !spec.bias && spec.std == 0.0;
    let refusal = crate::model::specs(experiment).into_iter().find(starts_at_zero).map(|spec| {
        FieldError::new(
            "training.orthogonal_gradient",
            format!("The weights {} start at 0, and nothing is at right angles to them", spec.name),
            format!("Give {} a starting scale above 0, or use false", spec.name),
        )
    });
    refusal.into_iter().collect()
}

#[cfg(feature = "compute")]
fn build(experiment: &Experiment) -> Option<Box<dyn Modifier>> {
    experiment.training.is_on("orthogonal_gradient").then(|| Box::new(OrthogonalGradient) as Box<dyn Modifier>)
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct OrthogonalGradient;

#[cfg(feature = "compute")]
impl Modifier for OrthogonalGradient {
    fn gradients(&mut self, _moment: &Moment<'_>, parameters: &[Tensor<3>], gradients: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        gradients.into_iter().zip(parameters).map(|(gradient, weights)| turned(gradient, weights)).collect()
    }
}

/// g' of one tensor, `[replica, rows, columns]`. Directions are made unit vectors first, so that gradients of 1e-30 keep theirs.
#[cfg(feature = "compute")]
fn turned(gradient: Tensor<3>, weights: &Tensor<3>) -> Tensor<3> {
    let length = norm_of(&gradient);
    let radius = norm_of(weights);
    let is_pointless = radius.clone().lower_scalar(f32::MIN_POSITIVE);
    let direction = gradient / nonzero(length.clone());
    let radial = weights.clone() / nonzero(radius);
    let along = (direction.clone() * radial.clone()).sum_dim(1).sum_dim(2);
    let across = direction - radial * along;
    let rest = norm_of(&across);
    let is_rounding = rest.clone().lower_scalar(ROUNDING);
    let factor = (length.clone() / nonzero(rest)).mask_fill(is_rounding, 0.0);
    // Without a direction of the weights nothing was subtracted, so only the length has to come back.
    let factor = factor.mask_where(is_pointless, length);
    across * factor
}

#[cfg(test)]
#[cfg(feature = "compute")]
mod tests {
    use super::super::support::{Case, assert_close, build, length, replica, tensor, values, with, zip};
    use super::*;

    fn turn(case: &Case, weights: &[Tensor<3>], gradients: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        build(&PART, &[("training.orthogonal_gradient", "true")]).gradients(&case.moment(1), weights, gradients)
    }

    /// The formula in f64.
    fn oracle(weights: &[Vec<f64>], gradients: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let turned = |(w, g): (&Vec<f64>, &Vec<f64>)| {
            let along = dot(w, g) / dot(w, w);
            let rest: Vec<f64> = g.iter().zip(w).map(|(g, w)| g - along * w).collect();
            let factor = libm::sqrt(dot(g, g) / dot(&rest, &rest));
            rest.into_iter().map(|x| x * factor).collect()
        };
        weights.iter().zip(gradients).map(turned).collect()
    }

    #[test]
    fn each_tensor_of_each_replica_turns_as_in_the_formula() {
        let case = Case::small();
        let found = turn(&case, &case.weights, case.gradients.clone());
        assert_close(&found, |r| oracle(&replica(&case.weights, r), &replica(&case.gradients, r)), 1e-5);
    }

    #[test]
    fn it_stands_at_right_angles_and_keeps_its_length_however_small_it_is() {
        let case = Case::small();
        for scale in [1.0, 1e-30_f64] {
            let gradients: Vec<_> = case.gradients.iter().map(|g| g.clone().mul_scalar(scale)).collect();
            let found = turn(&case, &case.weights, gradients.clone());
            for r in 0..2 {
                let (w, g, turned) = (replica(&case.weights, r), replica(&gradients, r), replica(&found, r));
                for i in 0..w.len() {
                    let dot: f64 = zip(&w[i..=i], &turned[i..=i], |a, b| a * b).iter().flatten().sum();
                    let (long, wide) = (length(&turned[i..=i]), length(&w[i..=i]));
                    assert!(dot.abs() < 1e-6 * long * wide, "cosine {}", dot / long / wide);
                    assert!((long / length(&g[i..=i]) - 1.0).abs() < 1e-5);
                }
            }
        }
    }

    #[test]
    fn zero_weights_keep_their_gradient_and_a_gradient_along_the_weights_vanishes() {
        let case = Case::sized(&[(1, 3)]);
        let weights = [tensor(&[0.0, 0.0, 0.0, 1.0, 2.0, 3.0], [2, 1, 3])];
        let found = turn(&case, &weights, vec![tensor(&[0.5, -1.0, 2.0, 0.3, 0.6, 0.9], [2, 1, 3])]);
        let found = values(&found[0]);
        assert!(found[..3].iter().zip([0.5, -1.0, 2.0]).all(|(x, y)| (x - y).abs() < 1e-6), "{found:?}");
        assert!(found[3..].iter().all(|x| x.abs() < 1e-6), "{found:?}");
        let zeros = turn(&case, &weights, vec![tensor(&[0.0; 6], [2, 1, 3])]);
        assert!(values(&zeros[0]).iter().all(|x| x.abs() < f32::MIN_POSITIVE));
    }

    #[test]
    fn a_matrix_that_starts_at_zero_is_refused_by_name() {
        let name = crate::model::specs(&with(&[])).into_iter().find(|spec| !spec.bias).unwrap().name;
        assert!(check(&with(&[("training.orthogonal_gradient", "true")])).is_empty());
        let errors = check(&with(&[("model.layer_scales", &format!("{name}=0")), ("training.orthogonal_gradient", "true")]));
        assert!(errors.len() == 1 && errors[0].remedy.contains(&name), "{errors:?}");
    }
}
