//! How large are the weights, where, and how far from where they began?
//!
//! Weight decay works on the norm, and the fall of the norm after memorising is the oldest account of grokking. The sum hides
//! which layer moved, and a norm that stays says nothing about distance; so all three stand side by side.

use super::facts::Facts;
use super::kind::{Column, Cost, Measure, Work, any_experiment, no_hooks, number};
use crate::record::{UserError, Value, Weights};

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "norms",
    label: "Norms of the weights",
    definition: "‖w‖, the root of the sum of squares over all parameters; the same for each tensor, in the order of the weights; \
                 and ‖w − w₀‖, the distance from the first checkpoint",
    source: "Liu et al. 2210.01117 (Omnigrok) for the norm; Kumar et al. 2310.06110 for the distance",
    not_evidence_of: "A falling norm does not show that a network generalises: one that forgets under weight decay shrinks as \
                      well",
    cost: Cost::Weights,
    columns: &[
        Column::new("norm", "norm of all weights").positive(),
        Column::new("norm_by_tensor", "norm of each tensor").positive().list("tensor"),
        Column::new("distance_from_start", "distance from the start").positive(),
    ],
    hooks: no_hooks,
    needs_keys: false,
    applies: any_experiment,
    work: Work::direct(take),
};

fn take(facts: &Facts<'_>) -> Result<Vec<Value>, UserError> {
    let norm = |values: &[f32]| libm::sqrt(values.iter().map(|v| f64::from(*v) * f64::from(*v)).sum());
    let by_tensor: Vec<f64> = facts.weights.tensors.iter().map(|tensor| norm(&tensor.values)).collect();
    let distance = match facts.start {
        None => Value::Absent("The run has no first checkpoint".into()),
        Some(start) => match difference(facts.weights, start) {
            Some(difference) => number(libm::sqrt(difference.iter().map(|d| d * d).sum())),
            None => Value::Absent("The first checkpoint has other tensors".into()),
        },
    };
    Ok(vec![number(libm::sqrt(by_tensor.iter().map(|norm| norm * norm).sum())), Value::List(by_tensor), distance])
}

/// `weights` − `others` over all parameters, in the order of `weights`; `None` if their tensors differ.
pub(super) fn difference(weights: &Weights, others: &Weights) -> Option<Vec<f64>> {
    let mut all = Vec::new();
    for tensor in &weights.tensors {
        let other = others.get(&tensor.name).filter(|other| other.shape == tensor.shape)?;
        all.extend(tensor.values.iter().zip(&other.values).map(|(x, y)| f64::from(*x) - f64::from(*y)));
    }
    (weights.tensors.len() == others.tensors.len()).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed, values};
    use super::*;

    #[test]
    fn norms_of_tensors_add_up_in_squares_and_the_distance_of_a_scaled_start_is_known() {
        let mut case = Case::of(changed("quadratic-31", &[]));
        assert!(matches!(values(&MEASURE, &case)[2], Value::Absent(_)), "no start");
        case.start = Some(case.weights.clone());
        case.weights.tensors.iter_mut().flat_map(|t| &mut t.values).for_each(|v| *v *= 3.0);
        let found = values(&MEASURE, &case);
        let norm = found[0].number().unwrap();
        assert!((norm - case.weights.norm()).abs() < 1e-9 * norm);
        let squares: f64 = found[1].list().unwrap().iter().map(|n| n * n).sum();
        assert!((squares - norm * norm).abs() < 1e-9 * squares && found[1].list().unwrap().len() == 2);
        // Closed form: ‖3w₀ − w₀‖ = ⅔·‖3w₀‖.
        assert!((found[2].number().unwrap() - norm * 2.0 / 3.0).abs() < 1e-5 * norm);
    }

    #[test]
    fn another_networks_start_is_no_start() {
        let mut case = Case::of(changed("quadratic-31", &[]));
        case.start = Some(crate::model::start(&changed("quadratic-97", &[])).unwrap());
        assert!(matches!(values(&MEASURE, &case)[2], Value::Absent(_)));
    }
}
