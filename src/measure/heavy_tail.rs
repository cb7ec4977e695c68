//! Is the last layer's variation in a few directions?
//!
//! When a network groks, its activations collapse onto the few directions of its circuit, and the largest eigenvalues of their
//! covariance part from the rest. It needs no labels and no test rows, which makes it a candidate for an early warning.

use super::facts::Facts;
use super::kind::{Column, Cost, Measure, Work, number};
use super::sample::{Sample, needs_penultimate, penultimate_only, products};
use crate::record::{UserError, Value};
use nalgebra::SymmetricEigen;

/// Eigenvalues that count as large.
const LARGE: usize = 5;

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "heavy_tail",
    label: "Weight of the largest eigenvalues",
    definition: "log(Σ of the five largest eigenvalues / Σ of the others) of the covariance of the layer before the output, each \
                 neuron divided by its standard deviation (so of the correlations), over at most 2,000 rows and 256 neurons, the \
                 same at all checkpoints; logarithm to base e",
    source: "After the spectra of Martin and Mahoney 1810.01075; this ratio of five and its normalisation are of Grokscope",
    not_evidence_of: "A value that rises does not show generalisation: activations also collapse when neurons die",
    cost: Cost::Forward,
    columns: &[Column::new("eigenvalue_ratio", "log ratio of the five largest eigenvalues")],
    hooks: penultimate_only,
    needs_keys: false,
    applies: needs_penultimate,
    work: Work::direct(take),
};

fn take(facts: &Facts<'_>) -> Result<Vec<Value>, UserError> {
    let mut sample = Sample::of(facts)?;
    sample.standardise();
    let covariance = products(&sample.values, &sample.values) / sample.rows.len().max(1) as f64;
    if covariance.iter().any(|value| !value.is_finite()) {
        return Ok(vec![Value::Absent("The activations are not finite".into())]);
    }
    let mut eigenvalues: Vec<f64> = SymmetricEigen::new(covariance).eigenvalues.iter().copied().collect();
    eigenvalues.sort_by(|x, y| y.total_cmp(x));
    let large: f64 = eigenvalues.iter().take(LARGE).sum();
    let others: f64 = eigenvalues.iter().skip(LARGE).map(|value| value.max(0.0)).sum();
    // Below this, the others are rounding.
    Ok(vec![if others <= 1e-9 * large.max(0.0) {
        Value::Absent("The activations vary in five directions or fewer".into())
    } else {
        number(libm::log(large / others))
    }])
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed, numbers, values};
    use super::*;
    use crate::crosscoder::Hook;
    use core::f64::consts::TAU;

    fn waves(count: usize) -> Case {
        // Orthogonal over the grid: cosines of frequency n + 1 of a, one per neuron.
        Case::of(changed("quadratic-31", &[])).with(Hook::MlpPost, count, |a, b, _, n| {
            libm::cos(TAU * ((n % 15 + 1) * if n < 15 { a } else { b }) as f64 / 31.0) * (n + 1) as f64
        })
    }

    #[test]
    fn uncorrelated_neurons_of_any_size_have_the_ratio_of_their_numbers() {
        // Closed form: ten equal eigenvalues give log(5/5), thirty log(5/25).
        assert!(numbers(&MEASURE, &waves(10))[0].abs() < 1e-5);
        assert!((numbers(&MEASURE, &waves(30))[0] - libm::log(0.2)).abs() < 1e-5);
    }

    #[test]
    fn few_directions_have_no_ratio() {
        assert!(matches!(values(&MEASURE, &waves(5))[0], Value::Absent(_)));
        let dead = Case::of(changed("quadratic-31", &[])).with(Hook::MlpPost, 9, |_, _, _, _| 0.3);
        assert!(matches!(values(&MEASURE, &dead)[0], Value::Absent(_)));
    }

    #[test]
    fn a_network_of_few_frequencies_has_a_larger_one_than_an_untrained_one() {
        let untrained = numbers(&MEASURE, &Case::of(changed("quadratic-31", &[])).perceptron())[0];
        let clock = Case::of(changed("quadratic-31", &[])).with(Hook::MlpPost, 256, |a, b, row, n| {
            let wave = |x: usize| libm::cos(TAU * (3 * x) as f64 / 31.0 + n as f64);
            (wave(a) + wave(b)).powi(2) + 0.01 * ((row * 7919 + n * 104_729) % 101) as f64
        });
        assert!(numbers(&MEASURE, &clock)[0] > untrained + 1.0, "{untrained}");
    }
}
