//! Clock or pizza?
//!
//! Two circuits add modulo p with the same accuracy and the same frequencies. The pizza's right logit shrinks with the distance
//! a − b, the clock's does not care; this is the number that told the two apart.

use super::facts::{Facts, needs_classes};
use super::key_neurons::cycle_of;
use super::kind::{Column, Cost, Measure, Work, logits_only, number};
use crate::experiment::Experiment;
use crate::record::{UserError, Value};

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "distance_irrelevance",
    label: "Distance irrelevance",
    definition: "Logits of the right answer over all pairs: their standard deviation over pairs with the same distance, mean \
                 over distances, divided by the standard deviation over all pairs (population form). The distance is a − b; for \
                 subtraction, whose answer is that, a + b. 1: the distance does not matter; 0: nothing else does",
    source: "Zhong et al. 2306.17844, definition 4.2",
    not_evidence_of: "A value near 1 does not show a clock: logits that only depend on the answer, or noise, have it too",
    cost: Cost::Forward,
    columns: &[Column::new("distance_irrelevance", "distance irrelevance").share()],
    hooks: logits_only,
    needs_keys: false,
    applies: |experiment: &Experiment| {
        needs_classes(experiment)?;
        cycle_of(experiment).map(drop)
    },
    work: Work::direct(take),
};

fn take(facts: &Facts<'_>) -> Result<Vec<Value>, UserError> {
    let (p, logits) = (cycle_of(facts.experiment)?, facts.logits()?);
    let mut by_distance: Vec<Vec<f64>> = vec![Vec::with_capacity(p); p];
    for (index, row) in facts.data.rows.iter().enumerate() {
        // The answer at (a, −b) is the part of (a, b) that the answer at (a, b) is not.
        let (a, b) = (usize::from(row.a), usize::from(row.b));
        let distance = facts.label(a * p + (p - b) % p);
        by_distance[distance].push(f64::from(logits.row(index)[facts.label(index)]));
    }
    let within = by_distance.iter().map(|values| deviation(values)).sum::<f64>() / p as f64;
    let all: Vec<f64> = by_distance.concat();
    let largest = all.iter().fold(0.0f64, |most, z| most.max(z.abs()));
    let overall = deviation(&all);
    // What rounding to f32 leaves of equal logits is no deviation.
    Ok(vec![if overall <= 1e-6 * largest {
        Value::Absent("The right logit is the same for all pairs".into())
    } else {
        number((within / overall).min(1.0))
    }])
}

/// Population standard deviation; 0 for no values.
fn deviation(values: &[f64]) -> f64 {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    libm::sqrt(values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count)
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed, numbers, values};
    use super::*;
    use crate::crosscoder::Hook;
    use core::f64::consts::TAU;

    fn of(case: &Case) -> f64 {
        numbers(&MEASURE, case)[0]
    }

    fn right_logit(name: &str, changes: &[(&str, &str)], f: impl Fn(f64, f64) -> f64) -> Case {
        let case = Case::of(changed(name, changes));
        let p = case.data.sizes.classes as usize;
        let angle = TAU / p as f64;
        case.with(Hook::Logits, p, move |a, b, _, _| f(angle * a as f64, angle * b as f64))
    }

    #[test]
    fn a_logit_of_the_sum_alone_has_one_and_of_the_distance_alone_nought() {
        assert!((of(&right_logit("quadratic-31", &[], |a, b| libm::cos(3.0 * (a + b)))) - 1.0).abs() < 1e-6);
        assert!(of(&right_logit("quadratic-31", &[], |a, b| libm::cos(3.0 * (a - b)))) < 1e-6);
        let sub = [("task.operation", "sub")];
        assert!(of(&right_logit("quadratic-31", &sub, |a, b| libm::cos(3.0 * (a + b)))) < 1e-6, "subtraction turns it round");
        assert!(of(&right_logit("quadratic-31", &[("task.modulus", "30")], |a, b| libm::cos(3.0 * (a - b)))) < 1e-6, "even p");
    }

    #[test]
    fn a_sum_of_both_has_the_root_of_its_share() {
        // Closed form: equal variances of sum and distance give √½.
        let found = of(&right_logit("quadratic-31", &[], |a, b| libm::cos(3.0 * (a + b)) + libm::cos(4.0 * (a - b))));
        assert!((found - libm::sqrt(0.5)).abs() < 1e-6, "{found}");
    }

    #[test]
    fn a_pizza_has_less_than_noise_and_a_perfect_clock_has_no_deviation_to_divide() {
        let pizza = of(&right_logit("quadratic-31", &[], |a, b| libm::cos(1.5 * (a - b)).abs()));
        let noise = of(&Case::of(changed("quadratic-31", &[])).untrained(4));
        assert!(pizza < 0.01 && noise > 0.9, "{pizza} {noise}");
        let clock = Case::of(changed("quadratic-31", &[])).clock(&[(3, 2.0)]);
        assert!(matches!(values(&MEASURE, &clock)[0], Value::Absent(_)));
    }
}
