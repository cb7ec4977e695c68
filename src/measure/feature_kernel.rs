//! Has the last layer turned towards the answer?
//!
//! A lazy network keeps the kernel that it started with and fits on top of it; a rich one bends its kernel towards the labels.
//! Kumar et al. see grokking in the move from one to the other. The tangent kernel takes a gradient per row and class; the kernel
//! of the last layer is the part of it that is at hand.

use super::facts::{Facts, needs_classes};
use super::kind::{Column, Cost, Measure, Work, number};
use super::sample::{Sample, needs_penultimate, penultimate_only, products};
use crate::experiment::Experiment;
use crate::record::{UserError, Value};
use nalgebra::DMatrix;

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "feature_kernel",
    label: "Alignment of features and labels",
    definition: "Centred kernel alignment ⟨HKH, HLH⟩/(‖HKH‖·‖HLH‖) (Frobenius) of K = XXᵀ, X the layer before the output, and L \
                 = YYᵀ, Y the one-hot labels, H taking off the mean over rows; with one real label it is yᵀKy/(‖K‖·‖y‖²). Over \
                 at most 2,000 of all rows and 256 neurons, the same at all checkpoints",
    source: "Kumar et al. 2310.06110; Kornblith et al. 1905.00414 (CKA with a linear kernel)",
    not_evidence_of: "It is the kernel of the last layer, not the tangent kernel: a low value does not show that training is \
                      lazy",
    cost: Cost::Forward,
    columns: &[Column::new("feature_alignment", "alignment of features and labels").share()],
    hooks: penultimate_only,
    needs_keys: false,
    applies: |experiment: &Experiment| {
        needs_classes(experiment)?;
        needs_penultimate(experiment)
    },
    work: Work::direct(take),
};

fn take(facts: &Facts<'_>) -> Result<Vec<Value>, UserError> {
    let sample = Sample::of(facts)?;
    let (rows, classes) = (sample.rows.len(), facts.data.sizes.classes as usize);
    // Rows of X by class: XᵀY, and with the numbers of rows the centred labels' own products, without a matrix of one-hot labels.
    let mut by_class = DMatrix::<f64>::zeros(sample.values.ncols(), classes);
    let mut counts = vec![0.0; classes];
    for (at, row) in sample.rows.iter().enumerate() {
        let label = facts.label(*row);
        counts[label] += 1.0;
        by_class.column_mut(label).iter_mut().zip(sample.values.row(at).iter()).for_each(|(sum, value)| *sum += value);
    }
    // X is centred, so XᵀHY = XᵀY. (YᵀHY)_{cd} = n_c δ_cd − n_c n_d / n.
    let squares = |values: &DMatrix<f64>| values.iter().map(|v| v * v).sum::<f64>();
    let second: f64 = counts.iter().map(|n| n * n).sum();
    let third: f64 = counts.iter().map(|n| n * n * n).sum();
    let labels = second - 2.0 * third / rows as f64 + second * second / (rows * rows) as f64;
    let features = squares(&products(&sample.values, &sample.values));
    if features <= 0.0 || labels <= 1e-9 {
        let why = if features <= 0.0 { "The layer before the output does not vary" } else { "All rows have the same label" };
        return Ok(vec![Value::Absent(why.into())]);
    }
    Ok(vec![number((squares(&by_class) / libm::sqrt(features * labels)).min(1.0))])
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed, numbers, values};
    use super::*;
    use crate::crosscoder::Hook;

    fn landing() -> Case {
        Case::of(changed("quadratic-31", &[]))
    }

    #[test]
    fn the_labels_themselves_are_aligned_and_the_tokens_are_not() {
        let one_hot = |hit: bool| f64::from(u8::from(hit));
        let labels = numbers(&MEASURE, &landing().with(Hook::MlpPost, 31, |a, b, _, n| 5.0 * one_hot((a + b) % 31 == n)))[0];
        assert!((labels - 1.0).abs() < 1e-9, "{labels}");
        let tokens = numbers(&MEASURE, &landing().with(Hook::MlpPost, 62, |a, b, _, n| one_hot(n == a || n == 31 + b)))[0];
        assert!(tokens < 1e-9, "a and b are each independent of their sum: {tokens}");
    }

    #[test]
    fn one_frequency_of_the_answer_has_the_root_of_its_share_of_the_directions() {
        // Closed form: two equal directions of the labels' thirty give 2/√(2·30).
        let wave = |a: usize, b: usize, n: usize| {
            core::f64::consts::TAU * ((a + b) * 4 % 31) as f64 / 31.0 - n as f64 * core::f64::consts::FRAC_PI_2
        };
        let found = numbers(&MEASURE, &landing().with(Hook::MlpPost, 2, |a, b, _, n| libm::cos(wave(a, b, n))))[0];
        assert!((found - libm::sqrt(2.0 / 30.0)).abs() < 1e-6, "{found}");
    }

    #[test]
    fn a_layer_that_does_not_vary_has_no_kernel() {
        assert!(matches!(values(&MEASURE, &landing().with(Hook::MlpPost, 4, |_, _, _, n| n as f64))[0], Value::Absent(_)));
    }
}
