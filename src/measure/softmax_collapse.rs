//! Does the loss still reach the weights?
//!
//! In 32 bits a sum of exponentials is exactly 1 as soon as the largest logit leads by about 17: the loss is 0, and learning
//! stops for no reason but rounding. The loss curve shows it as a floor; this shows how many rows stand on it.

use super::facts::{Facts, needs_classes};
use super::kind::{Column, Cost, Measure, Work, logits_only, number};
use crate::experiment::Experiment;
use crate::record::{UserError, Value};

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "softmax_collapse",
    label: "Softmax collapse",
    definition: "In 32-bit floats over training rows: share of rows in which Σ_j exp(z_j − max z), summed in the order of the \
                 classes, is exactly 1; and share of rows in which moreover every entry of the gradient softmax(z) − \
                 one-hot(label) is exactly 0. A collapsed row with the right answer on top has a zero gradient at its label in \
                 any case",
    source: "Prieto et al. 2501.04697",
    not_evidence_of: "No collapse here does not show that training was exact: a GPU may sum or round in another way",
    cost: Cost::Forward,
    columns: &[
        Column::new("softmax_collapse", "collapsed training rows").share(),
        Column::new("zero_gradient", "training rows without gradient").share(),
    ],
    hooks: logits_only,
    needs_keys: false,
    applies,
    work: Work::direct(take),
};

fn applies(experiment: &Experiment) -> Result<(), UserError> {
    needs_classes(experiment)?;
    if experiment.loss == "cross_entropy" {
        return Ok(());
    }
    Err(UserError::new(format!("The loss {} has no softmax to collapse", experiment.loss), "Use cross_entropy"))
}

fn take(facts: &Facts<'_>) -> Result<Vec<Value>, UserError> {
    let logits = facts.logits()?;
    let (mut collapsed, mut silent, mut rows) = (0usize, 0usize, 0usize);
    for (row, label) in facts.train_labels() {
        let (is_collapsed, is_silent) = collapse(logits.row(row), label);
        collapsed += usize::from(is_collapsed);
        silent += usize::from(is_silent);
        rows += 1;
    }
    if rows == 0 {
        return Ok(vec![Value::Absent("There are no training rows".into()); 2]);
    }
    Ok(vec![number(collapsed as f64 / rows as f64), number(silent as f64 / rows as f64)])
}

/// Whether the sum is exactly 1, and whether the gradient is exactly 0.
fn collapse(logits: &[f32], label: usize) -> (bool, bool) {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = logits.iter().map(|z| libm::expf(z - most)).collect();
    let sum: f32 = exponentials.iter().sum();
    let gradient = |(class, e): (usize, &f32)| e / sum - if class == label { 1.0 } else { 0.0 };
    let is_collapsed = sum.to_bits() == 1.0f32.to_bits();
    (is_collapsed, is_collapsed && exponentials.iter().enumerate().map(gradient).all(|g| g.abs() <= 0.0))
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed, numbers};
    use super::*;

    #[test]
    fn a_lead_below_rounding_collapses_and_one_beyond_the_least_float_is_silent() {
        // Closed form: 30·e^{−m} < 2⁻²⁴ from m = 20.04 on, e^{−m} underflows from m = 103.98 on.
        let found =
            |height: f64| numbers(&MEASURE, &Case::of(changed("quadratic-31", &[("loss", "cross_entropy")])).lookup(height));
        assert_eq!(found(15.0), [0.0, 0.0]);
        assert_eq!(found(25.0), [1.0, 0.0]);
        assert_eq!(found(110.0), [1.0, 1.0]);
    }

    #[test]
    fn a_collapsed_row_with_the_wrong_answer_keeps_its_gradient() {
        assert_eq!(collapse(&[0.0, 200.0], 1), (true, true));
        assert_eq!(collapse(&[0.0, 200.0], 0), (true, false));
        assert_eq!(collapse(&[f32::NAN, 1.0], 1), (false, false));
        assert!(applies(&changed("quadratic-31", &[])).unwrap_err().remedy.contains("cross_entropy"));
    }
}
