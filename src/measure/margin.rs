//! By how much does the right answer win?
//!
//! Accuracy stays at 1 while margins keep growing, and the theory of implicit bias speaks of the smallest margin over the norm to
//! the power of the network's degree. The smallest margin alone grows with any scaling of the weights and compares nothing.

use super::facts::{Facts, needs_classes};
use super::kind::{Column, Cost, Measure, Work, logits_only, number};
use crate::experiment::Experiment;
use crate::record::{UserError, Value};

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "margin",
    label: "Margin",
    definition: "Logit of the label minus the largest other logit: the mean over all rows; mean over training rows (labels as \
                 training saw them) and test rows; the smallest over training rows, and that divided by ‖w‖^L, where the network \
                 is homogeneous of degree L in its parameters: perceptrons without biases, quadratic (one hidden layer: L = 3) \
                 or ReLU (depth + 1)",
    source: "Lyu and Li 1906.05890; Morwani et al. 2311.07568",
    not_evidence_of: "A margin that grows does not show that its normalised form does: weights that only get longer do that",
    cost: Cost::Forward,
    columns: &[
        Column::new("margin", "mean margin").in_unit("logits"),
        Column::new("train_margin", "mean margin, training rows").in_unit("logits"),
        Column::new("test_margin", "mean margin, test rows").in_unit("logits"),
        Column::new("smallest_train_margin", "smallest margin, training rows").in_unit("logits"),
        Column::new("normalised_margin", "normalised margin"),
    ],
    hooks: logits_only,
    needs_keys: false,
    applies: needs_classes,
    work: Work::direct(take),
};

/// Logit of `label` minus the largest other one; for more than one class.
pub(super) fn margin(logits: &[f32], label: usize) -> f64 {
    let others = logits.iter().enumerate().filter(|(class, _)| *class != label).map(|(_, z)| *z);
    f64::from(logits[label]) - f64::from(others.fold(f32::NEG_INFINITY, f32::max))
}

/// Mean, or the reason why there is none.
pub(super) fn mean(values: impl Iterator<Item = f64>, nothing: &str) -> Value {
    let (sum, count) = values.fold((0.0, 0usize), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { Value::Absent(nothing.into()) } else { number(sum / count as f64) }
}

/// The L for which f(s·w) = s^L·f(w); `None` where there is none, or it is not known here.
pub fn homogeneity(experiment: &Experiment) -> Option<u32> {
    let settings = &experiment.model.settings;
    // An output bias is of degree 1, and the outputs of the start that centring takes off are of degree 0.
    if experiment.model.architecture != "mlp" || settings.is_on("bias") || settings.is_on("centered") {
        return None;
    }
    let depth = settings.integer("depth").max(1);
    match settings.text("activation") {
        "relu" => Some(depth + 1),
        // Each layer adds one degree and doubles: 2, 6, 14.
        "quadratic" => Some((0..depth).fold(0, |degree, _| 2 * (degree + 1)) + 1),
        _ => None,
    }
}

fn take(facts: &Facts<'_>) -> Result<Vec<Value>, UserError> {
    let logits = facts.logits()?;
    let true_margin = |row: usize| margin(logits.row(row), facts.label(row));
    let train: Vec<f64> = facts.train_labels().map(|(row, label)| margin(logits.row(row), label)).collect();
    let test = facts.data.test.iter().map(|row| true_margin(*row as usize));
    let smallest = train.iter().copied().fold(f64::INFINITY, f64::min);
    let normalised = match (homogeneity(facts.experiment), facts.weights.norm()) {
        (None, _) => {
            Value::Absent("This network is not homogeneous in its parameters, so no power of the norm is the right one".into())
        }
        (_, norm) if norm <= 0.0 => Value::Absent("All weights are 0".into()),
        (Some(degree), norm) => number(smallest / libm::pow(norm, f64::from(degree))),
    };
    Ok(vec![
        mean((0..facts.data.rows.len()).map(true_margin), "There are no rows"),
        mean(train.iter().copied(), "There are no training rows"),
        mean(test, "There are no test rows"),
        number(smallest),
        normalised,
    ])
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed, numbers, values};
    use super::*;

    #[test]
    fn a_look_up_table_has_its_height_as_margin_on_training_rows_and_none_elsewhere() {
        let case = Case::of(changed("quadratic-31", &[])).lookup(8.0);
        let found = numbers(&MEASURE, &case);
        let fraction = case.data.train.len() as f64 / 961.0;
        assert!((found[0] - 8.0 * fraction).abs() < 1e-9, "{found:?}");
        assert_eq!(found[1..4], [8.0, 0.0, 8.0]);
    }

    #[test]
    fn the_normalised_margin_does_not_change_when_the_weights_are_scaled() {
        let analytic = changed("quadratic-31", &[("model.start", "analytic"), ("model.width", "512")]);
        let found = numbers(&MEASURE, &Case::of(analytic.clone()).perceptron());
        let mut scaled = Case::of(analytic);
        scaled.weights.tensors.iter_mut().flat_map(|t| &mut t.values).for_each(|v| *v *= 2.0);
        let twice = numbers(&MEASURE, &scaled.perceptron());
        assert!((twice[3] / found[3] - 8.0).abs() < 1e-4 && found[3] > 0.0, "degree 3");
        assert!((twice[4] / found[4] - 1.0).abs() < 1e-4, "{} against {}", twice[4], found[4]);
        // Morwani et al.: no network of this kind has a larger one than √(2/27)/(√p(p − 1)).
        assert!(found[4] < libm::sqrt(2.0 / 27.0) / (libm::sqrt(31.0) * 30.0), "{}", found[4]);
    }

    #[test]
    fn degrees_are_known_where_networks_are_homogeneous_and_refused_elsewhere() {
        let degree = |changes: &[(&str, &str)]| homogeneity(&changed("quadratic-31", changes));
        assert_eq!(degree(&[]), Some(3));
        assert_eq!(degree(&[("model.depth", "2")]), Some(7));
        assert_eq!(degree(&[("model.activation", "relu"), ("model.depth", "2")]), Some(3));
        assert_eq!(degree(&[("model.activation", "gelu")]), None);
        assert_eq!(degree(&[("model.bias", "true")]), None);
        let case = Case::of(changed("transformer-59", &[])).lookup(1.0);
        assert!(matches!(values(&MEASURE, &case)[4], Value::Absent(_)));
    }
}
