//! Do weights move along themselves?
//!
//! After memorising, gradient and weights may align, so that updates only make logits larger (naive loss minimisation); weight
//! decay points the other way. The angle between movement and weights tells the two apart where a loss of 1e-7 does not.

use super::facts::Facts;
use super::kind::{Column, Cost, Measure, Work, any_experiment, no_hooks, number};
use super::norms::difference;
use crate::record::{UserError, Value};

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "update",
    label: "Movement of the weights",
    definition: "Δw = w − w′ over all parameters, w′ being the checkpoint saved before this one: cos(Δw, w′), and ‖Δw‖/‖w′‖. \
                 Movement is between saved checkpoints, not of one update, so both depend on how far apart these are",
    source: "Prieto et al. 2501.04697 (direction of naive loss minimisation)",
    not_evidence_of: "A cosine near 0 between distant checkpoints does not show that single updates were across the weights: \
                      turns in between cancel",
    cost: Cost::Weights,
    columns: &[
        Column::new("update_cosine", "cosine of movement and weights").within(-1.0, 1.0),
        Column::new("update_ratio", "movement relative to the weights").positive(),
    ],
    hooks: no_hooks,
    needs_keys: false,
    applies: any_experiment,
    work: Work::direct(take),
};

fn take(facts: &Facts<'_>) -> Result<Vec<Value>, UserError> {
    let absent = |why: &str| vec![Value::Absent(why.into()), Value::Absent(why.into())];
    let Some((_, before)) = facts.before else { return Ok(absent("There is no checkpoint before this one")) };
    let Some(movement) = difference(facts.weights, before) else {
        return Ok(absent("The checkpoint before has other tensors"));
    };
    // In the order of the movement, whatever that of the checkpoint before.
    let old = facts.weights.tensors.iter().filter_map(|tensor| before.get(&tensor.name)).flat_map(|tensor| &tensor.values);
    let (mut product, mut moved, mut norm) = (0.0, 0.0, 0.0);
    for (step, weight) in movement.iter().zip(old.map(|w| f64::from(*w))) {
        product += step * weight;
        moved += step * step;
        norm += weight * weight;
    }
    if norm <= 0.0 {
        return Ok(absent("The weights before were all 0"));
    }
    let cosine = match moved > 0.0 {
        true => number((product / libm::sqrt(moved * norm)).clamp(-1.0, 1.0)),
        false => Value::Absent("The weights did not move".into()),
    };
    Ok(vec![cosine, number(libm::sqrt(moved / norm))])
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed, values};
    use super::*;

    fn moved(change: impl Fn(usize, f32) -> f32) -> Vec<Value> {
        let mut case = Case::of(changed("quadratic-31", &[]));
        case.before = Some((90, case.weights.clone()));
        let all = case.weights.tensors.iter_mut().flat_map(|t| &mut t.values);
        all.enumerate().for_each(|(i, v)| *v = change(i, *v));
        values(&MEASURE, &case)
    }

    #[test]
    fn growth_decay_and_noise_have_cosines_of_plus_one_minus_one_and_nought() {
        let near = |value: &Value, wanted: f64, by: f64| (value.number().unwrap() - wanted).abs() < by;
        let grown = moved(|_, v| 1.5 * v);
        assert!(near(&grown[0], 1.0, 1e-6) && near(&grown[1], 0.5, 1e-6));
        let decayed = moved(|_, v| 0.75 * v);
        assert!(near(&decayed[0], -1.0, 1e-6) && near(&decayed[1], 0.25, 1e-6));
        let across = moved(|i, v| if i % 2 == 0 { 2.0 * v } else { 0.0 });
        assert!(near(&across[0], 0.0, 0.02) && near(&across[1], 1.0, 1e-6));
    }

    #[test]
    fn standing_still_and_a_first_checkpoint_have_no_direction() {
        let still = moved(|_, v| v);
        assert!(matches!(still[0], Value::Absent(_)) && still[1].number() == Some(0.0));
        assert!(matches!(values(&MEASURE, &Case::of(changed("quadratic-31", &[])))[1], Value::Absent(_)));
    }
}
