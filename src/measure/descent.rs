//! Gradient and update as training sees them: how steep, how far, and along or across the weights.
//!
//! A checkpoint knows neither, and between two of them turns cancel (see [`super::update`]); so this one measure is taken by the
//! training loop itself, at each evaluation, from numbers that it has at hand.

use super::kind::{Column, Cost, Measure, Work, any_experiment, no_hooks, number};
use crate::record::{Measured, Value};

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "descent",
    label: "Gradient and single update",
    definition: "Of the update that led to an evaluated step: ‖g‖, g the gradient of the loss of its batch before clipping and \
                 filters; ‖Δw‖/‖w‖ and cos(Δw, w), w the weights before it and Δw all that it did, decay and clamps included. \
                 Over all parameters, in the precision of training",
    source: "Prieto et al. 2501.04697 (naive loss minimisation moves along the weights); Thilak et al. 2206.04817 (spikes of the \
             gradient in slingshots)",
    not_evidence_of: "A cosine near −1 is weight decay alone at work, and an adaptive optimiser's update says little of where the \
                      gradient points",
    cost: Cost::Training,
    columns: &[
        Column::new("gradient_norm", "norm of the gradient").positive(),
        Column::new("single_update_ratio", "single update relative to the weights").positive(),
        Column::new("single_update_cosine", "cosine of single update and weights").within(-1.0, 1.0),
    ],
    hooks: no_hooks,
    needs_keys: false,
    applies: any_experiment,
    work: Work::Training,
};

/// Values by column, from ‖g‖², ‖Δw‖², ‖w‖² and Δw·w.
pub fn descent(gradient_square: f64, update_square: f64, weight_square: f64, product: f64) -> Measured {
    let ratio = match weight_square > 0.0 {
        true => number(libm::sqrt(update_square / weight_square)),
        false => Value::Absent("The weights were all 0".into()),
    };
    let length = libm::sqrt(update_square * weight_square);
    let cosine = match length > 0.0 {
        true => number((product / length).clamp(-1.0, 1.0)),
        false => Value::Absent("The weights did not move, or were all 0".into()),
    };
    let names = MEASURE.columns.iter().map(|column| column.name.to_owned());
    names.zip([number(libm::sqrt(gradient_square)), ratio, cosine].map(Value::checked)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_become_norms_and_an_angle() {
        // g = (3, 4), w = (1, 0), Δw = (−.1, .1).
        let found = descent(25.0, 0.02, 1.0, -0.1);
        let of = |name: &str| found[name].number().unwrap();
        assert!((of("gradient_norm") - 5.0).abs() < 1e-12);
        assert!((of("single_update_ratio") - libm::sqrt(0.02)).abs() < 1e-12);
        assert!((of("single_update_cosine") + libm::sqrt(0.5)).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_told_has_a_reason() {
        let still = descent(1.0, 0.0, 1.0, 0.0);
        assert!(matches!(&still["single_update_cosine"], Value::Absent(_)) && still["single_update_ratio"] == Value::Number(0.0));
        let nothing = descent(f64::NAN, 1.0, 0.0, 0.0);
        assert!(nothing.values().all(|value| matches!(value, Value::Absent(_))));
    }
}
