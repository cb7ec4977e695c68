//! How much of the logits is the clock's formula?
//!
//! A network that adds by turning circles answers with Σ_k α_k·cos ω_k(y − c). Which frequencies, how strongly, and what is left
//! over is the shortest description of such a network. Over a full grid the cosines are orthogonal, so least squares is one sum
//! per frequency.

use super::facts::{Grid, needs_harmonic_logits};
use super::harmonics::Harmonics;
use super::kind::{Column, Cost, Measure, Work, logits_only, number};
use crate::experiment::Experiment;
use crate::record::{UserError, Value};
use core::f64::consts::TAU;

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "trig_fit",
    label: "Fit of the clock's formula",
    definition: "Least-squares coefficients α_k of Σ_k α_k·cos ω_k(y − c) to the logits over all pairs with answer y and classes \
                 c of the cycle (a + b for addition; exponents for multiplication, without 0), the logits centred over the \
                 classes of each pair; and the share of the centred logits' sum of squares that the fit explains",
    source: "Nanda et al. 2301.05217; Gromov 2301.02679",
    not_evidence_of: "A good fit does not tell how the cosines are computed: the clock and the pizza have the same formula",
    cost: Cost::Forward,
    columns: &[
        Column::new("trig_explained", "share of the logits that the cosines explain").share(),
        Column::new("trig_coefficients", "coefficient of each cosine").list("component"),
    ],
    hooks: logits_only,
    needs_keys: false,
    applies,
    work: Work::direct(|facts| {
        let fit = trig_fit(facts.harmonics()?, facts.logits()?)?;
        let explained = fit.explained.map_or_else(|| Value::Absent("The logits of each pair are all the same".into()), number);
        Ok(vec![explained, Value::List(fit.coefficients)])
    }),
};

fn applies(experiment: &Experiment) -> Result<(), UserError> {
    needs_harmonic_logits(experiment)?;
    needs_cycle(&Harmonics::of(experiment)?)
}

fn needs_cycle(harmonics: &Harmonics) -> Result<(), UserError> {
    if harmonics.is_cyclic {
        return Ok(());
    }
    Err(UserError::new(
        "The answers of this task are not on one cycle, so they have no cosines",
        "Choose a task such as addition",
    ))
}

/// The fit of Σ_k α_k·cos ω_k(y − c).
#[derive(Debug, Clone, PartialEq)]
pub struct TrigFit {
    /// α_k for k = 1..=⌊n/2⌋, in units of the logits.
    pub coefficients: Vec<f64>,
    /// Share of the sum of squares explained; `None` if there is nothing to explain.
    pub explained: Option<f64>,
}

/// Fits the cosines to `logits` `[row, class]`, classes being tokens. Rows and classes outside the cycle are left out.
///
/// # Errors
/// If the group is not a cycle, or there is not one output per element.
pub fn trig_fit(harmonics: &Harmonics, logits: &Grid) -> Result<TrigFit, UserError> {
    needs_cycle(harmonics)?;
    let (n, classes) = (harmonics.order, logits.width);
    if classes != harmonics.of_token.len() {
        return Err(UserError::new("This network does not have one output per element of the cycle", "Use cross_entropy"));
    }
    // Sum of the centred logits at equal y − c, and of their squares.
    let (mut at, mut total, mut squares, mut rows) = (vec![0.0; n], 0.0, 0.0, 0usize);
    for (element, row) in harmonics.of_row.iter().zip(logits.rows()) {
        let Some(element) = element else { continue };
        let inside = || harmonics.of_token.iter().zip(row).filter_map(|(class, z)| Some((usize::from((*class)?), f64::from(*z))));
        let mean = inside().map(|(_, z)| z).sum::<f64>() / n as f64;
        for (class, z) in inside() {
            at[(usize::from(*element) + n - class) % n] += z - mean;
            total += (z - mean) * (z - mean);
            squares += z * z;
        }
        rows += 1;
    }
    let mut explained = 0.0;
    let mut coefficient = |k: usize| {
        // Squared norm of a cosine over rows and classes; the alternating one of an even cycle is ±1.
        let norm = (rows * n) as f64 * if 2 * k == n { 1.0 } else { 0.5 };
        let product: f64 = at.iter().enumerate().map(|(d, sum)| sum * libm::cos(TAU * ((k * d) % n) as f64 / n as f64)).sum();
        explained += product * product / norm.max(1.0);
        product / norm.max(1.0)
    };
    let coefficients = (1..=n / 2).map(&mut coefficient).collect();
    // What rounding leaves of equal logits is nothing to explain.
    Ok(TrigFit { coefficients, explained: (total > 1e-12 * squares).then(|| (explained / total).min(1.0)) })
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed, values};
    use super::*;
    use crate::crosscoder::Hook;

    fn landing() -> Case {
        Case::of(changed("quadratic-31", &[]))
    }

    fn fit(case: &Case) -> TrigFit {
        trig_fit(case.harmonics.as_ref().unwrap(), case.facts().logits().unwrap()).unwrap()
    }

    #[test]
    fn a_clock_gives_back_its_coefficients_and_nothing_is_left_over() {
        let found = fit(&landing().clock(&[(4, 9.0), (11, -7.0)]));
        for (index, coefficient) in found.coefficients.iter().enumerate() {
            let planted = [(3, 9.0), (10, -7.0)].iter().find(|(at, _)| *at == index).map_or(0.0, |(_, size)| *size);
            assert!((coefficient - planted).abs() < 1e-5, "{index}: {coefficient}");
        }
        assert!((found.explained.unwrap() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_look_up_table_is_explained_as_far_as_it_was_trained() {
        // Closed form: every coefficient 2hf/n, explained f, for training fraction f.
        let case = landing().lookup(6.0);
        let fraction = case.data.train.len() as f64 / 961.0;
        let found = fit(&case);
        assert!(found.coefficients.iter().all(|c| (c - 2.0 * 6.0 * fraction / 31.0).abs() < 1e-9));
        assert!((found.explained.unwrap() - fraction).abs() < 1e-9);
    }

    #[test]
    fn multiplication_is_fitted_over_exponents_and_without_zero() {
        let case = Case::of(changed("multiplication-31", &[]));
        let harmonics = case.harmonics.clone().unwrap();
        let element = |token: usize| harmonics.of_token[token].map(usize::from);
        let rows = harmonics.of_row.clone();
        let case = case.with(Hook::Logits, 31, |_, _, row, class| match (rows[row], element(class)) {
            (Some(y), Some(c)) => 3.0 + libm::cos(TAU * (15 * (usize::from(y) + 30 - c) % 30) as f64 / 30.0),
            _ => 50.0,
        });
        let found = fit(&case);
        assert!((found.coefficients[14] - 1.0).abs() < 1e-6 && (found.explained.unwrap() - 1.0).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn noise_is_not_explained_and_constant_logits_have_nothing_to_explain() {
        assert!(fit(&landing().untrained(2)).explained.unwrap() < 0.005);
        let blind = landing().with(Hook::Logits, 31, |a, _, _, _| 0.1 * a as f64);
        assert!(matches!(values(&MEASURE, &blind)[0], Value::Absent(_)));
        assert!(applies(&changed("s4", &[])).is_err() && applies(&changed("never-31", &[])).is_err());
    }
}
