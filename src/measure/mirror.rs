//! Is a test answer copied from its mirror?
//!
//! Where (a, b) and (b, a) have one answer, a table that treats both tokens alike answers every test pair whose mirror was
//! trained on: the plateau of many published curves. Test accuracy without that is the one that shows generalisation.

use super::facts::{Facts, needs_classes, needs_pairs};
use super::kind::{Column, Cost, Measure, Work, logits_only};
use super::margin::{margin, mean};
use crate::experiment::Experiment;
use crate::record::{UserError, Value};
use crate::task::rule_of;

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "mirror",
    label: "Mirrored test pairs",
    definition: "Test pairs (a, b) apart by whether (b, a) is among the training rows: accuracy (label strictly the largest \
                 logit) and mean margin (logit of the label minus the largest other one) of both parts; and the test accuracy of \
                 a table that knows the training rows and their mirrors and nothing else, the share of mirrored ones",
    source: "Power et al. 2201.02177 for symmetric operations; definition of Grokscope",
    not_evidence_of: "A high accuracy on mirrored pairs alone does not show generalisation: a network that ignores the order has \
                      it",
    cost: Cost::Forward,
    columns: &[
        Column::new("mirrored_accuracy", "accuracy, mirror in training").share(),
        Column::new("unmirrored_accuracy", "accuracy, mirror not in training").share(),
        Column::new("mirrored_margin", "margin, mirror in training").in_unit("logits"),
        Column::new("unmirrored_margin", "margin, mirror not in training").in_unit("logits"),
        Column::new("lookup_plateau", "test accuracy of a table with mirrors").share(),
    ],
    hooks: logits_only,
    needs_keys: false,
    applies,
    work: Work::direct(take),
};

fn applies(experiment: &Experiment) -> Result<(), UserError> {
    needs_pairs(experiment)?;
    needs_classes(experiment)?;
    if rule_of(experiment).is_some_and(|rule| rule.is_symmetric()) {
        return Ok(());
    }
    Err(UserError::new("In this task (a, b) and (b, a) have different answers", "Choose a symmetric task such as add or mul"))
}

fn take(facts: &Facts<'_>) -> Result<Vec<Value>, UserError> {
    let logits = facts.logits()?;
    let is_mirrored = |row: &u32| facts.data.mirror_of(*row).is_some_and(|mirror| facts.data.is_train(mirror as usize));
    let (mirrored, others): (Vec<u32>, Vec<u32>) = facts.data.test.iter().copied().partition(is_mirrored);
    let margins = |rows: &[u32]| -> Vec<f64> {
        rows.iter().map(|row| margin(logits.row(*row as usize), facts.label(*row as usize))).collect()
    };
    let parts = [
        (margins(&mirrored), "No test pair has its mirror in training"),
        (margins(&others), "All test pairs have their mirror in training"),
    ];
    let mut values: Vec<Value> = Vec::new();
    values.extend(parts.iter().map(|(m, why)| mean(m.iter().map(|margin| f64::from(u8::from(*margin > 0.0))), why)));
    values.extend(parts.iter().map(|(m, why)| mean(m.iter().copied(), why)));
    values.push(mean(facts.data.test.iter().map(|row| f64::from(u8::from(is_mirrored(row)))), "There are no test rows"));
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed, numbers, values};
    use super::*;
    use crate::crosscoder::Hook;

    #[test]
    fn a_table_with_mirrors_knows_the_mirrored_part_and_reaches_its_plateau() {
        let case = Case::of(changed("quadratic-31", &[]));
        let data = case.data.clone();
        let knows =
            |row: usize| data.is_train(row) || data.mirror_of(row as u32).is_some_and(|mirror| data.is_train(mirror as usize));
        let case = case.with(
            Hook::Logits,
            31,
            |_, _, row, class| {
                if knows(row) && class == usize::from(data.rows[row].label) { 5.0 } else { 0.0 }
            },
        );
        let found = numbers(&MEASURE, &case);
        assert_eq!(found[..4], [1.0, 0.0, 5.0, 0.0]);
        // The training fraction is .4, but the diagonal has no mirror of its own.
        assert!((found[4] - 0.39).abs() < 0.05, "{found:?}");
        let right = data.test.iter().filter(|row| knows(**row as usize)).count() as f64 / data.test.len() as f64;
        assert!((found[4] - right).abs() < 1e-12);
    }

    #[test]
    fn a_split_that_keeps_mirrors_together_has_no_mirrored_test_pairs() {
        let found = values(&MEASURE, &Case::of(changed("quadratic-31", &[("task.split", "mirror")])).clock(&[(3, 2.0)]));
        assert!(matches!(found[0], Value::Absent(_)) && found[1].number() == Some(1.0) && found[4].number() == Some(0.0));
        assert!(applies(&changed("quadratic-31", &[("task.operation", "sub")])).is_err());
    }
}
