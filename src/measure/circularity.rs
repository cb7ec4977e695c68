//! Are the tokens on circles?
//!
//! A picture of the first two principal components shows a circle to anyone who hopes for one. This is the share of a component
//! that is a single wave over the tokens, for the four components that carry most.

use super::facts::Facts;
use super::fourier::energies;
use super::kind::{Column, Cost, Measure, Work, no_hooks, number};
use super::ranks::{centred, gram_eigen, unfit};
use super::tokens::{has_embedding, input_table};
use crate::experiment::Experiment;
use crate::record::{UserError, Value};
use crate::task::{Cycle, rule_of};

/// Principal components that count.
const COMPONENTS: usize = 4;

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "circularity",
    label: "Circularity of the embedding",
    definition: "First four principal components of the token embeddings, each centred over tokens; for the values v of the \
                 tokens along one, 2·max_k |Σ_j v_j·e^{2πijk/p}|² / (p·Σv²), at most 1; the mean of the four (of those that \
                 vary, if fewer do). Networks with two embeddings: both side by side. For odd p; a random component has about \
                 2·(log(p/2) + .58)/p",
    source: "Zhong et al. 2306.17844, definition B.1",
    not_evidence_of: "Tokens on circles do not show that the network adds with them: it may be the pizza, or unfinished",
    cost: Cost::Weights,
    columns: &[Column::new("circularity", "circularity").share()],
    hooks: no_hooks,
    needs_keys: false,
    applies,
    work: Work::direct(take),
};

fn applies(experiment: &Experiment) -> Result<(), UserError> {
    match rule_of(experiment).and_then(|rule| rule.cycle()) {
        Some(Cycle::Additive(p)) if p % 2 == 1 => {}
        _ => {
            return Err(UserError::new(
                "Circularity is defined for residues modulo an odd p",
                "Choose add or sub with an odd modulus",
            ));
        }
    }
    if !has_embedding(experiment) {
        return Err(UserError::new(
            "This network has no embedding whose principal components could be circles",
            "Choose a transformer or an embedding_mlp",
        ));
    }
    Ok(())
}

fn take(facts: &Facts<'_>) -> Result<Vec<Value>, UserError> {
    let (table, columns) = input_table(facts.weights, facts.experiment)?;
    let p = table.len() / columns.max(1);
    let deviations = centred(&table, columns);
    if let Some(why) = unfit(&deviations, p) {
        return Ok(vec![why]);
    }
    let (values, vectors) = gram_eigen(&deviations, columns);
    let least = 1e-12 * values.first().copied().unwrap_or(0.0);
    let carried: Vec<&Vec<f64>> =
        vectors.iter().zip(&values).take(COMPONENTS).filter(|(_, value)| **value > least).map(|(vector, _)| vector).collect();
    if carried.is_empty() {
        return Ok(vec![Value::Absent("All tokens have the same embedding".into())]);
    }
    Ok(vec![number(carried.iter().map(|vector| circularity(vector)).sum::<f64>() / carried.len() as f64)])
}

/// Share of the strongest wave in a function on an odd cycle.
fn circularity(values: &[f64]) -> f64 {
    let energies = energies(values);
    let total: f64 = energies.iter().sum();
    // The orthonormal basis already has the factor 2/p.
    let most = energies.iter().skip(1).copied().fold(0.0, f64::max);
    if total > 0.0 { (most / total).min(1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed, numbers, values};
    use super::*;
    use core::f64::consts::TAU;

    fn embedded(f: impl Fn(usize, usize) -> f64) -> Case {
        let mut case = Case::of(changed("transformer-59", &[]));
        let embed = case.weights.tensors.iter_mut().find(|t| t.name == "embed").unwrap();
        let columns = embed.shape[1];
        embed.values.iter_mut().enumerate().for_each(|(i, v)| *v = f(i / columns, i % columns) as f32);
        case
    }

    fn wave(k: usize, token: usize, phase: f64) -> f64 {
        libm::cos(TAU * (k * token % 59) as f64 / 59.0 + phase)
    }

    #[test]
    fn two_circles_of_different_size_are_all_circle() {
        let case = embedded(|token, column| match column {
            0 | 1 => 2.0 * wave(5, token, column as f64),
            2 | 3 => wave(9, token, column as f64),
            _ => 0.7,
        });
        assert!((numbers(&MEASURE, &case)[0] - 1.0).abs() < 1e-5);
    }

    #[test]
    fn a_component_of_two_waves_has_half() {
        // One column, so one component with a non-zero share; Σ of two equal waves.
        let case = embedded(|token, column| if column == 0 { wave(5, token, 0.0) + wave(9, token, 0.0) } else { 0.0 });
        assert!((numbers(&MEASURE, &case)[0] - 0.5).abs() < 1e-5);
    }

    #[test]
    fn an_untrained_embedding_has_little_and_a_constant_one_none() {
        assert!(numbers(&MEASURE, &Case::of(changed("transformer-59", &[])))[0] < 0.3);
        assert!(matches!(values(&MEASURE, &embedded(|_, column| column as f64))[0], Value::Absent(_)));
        assert!(applies(&changed("quadratic-31", &[])).unwrap_err().remedy.contains("transformer"));
        assert!(applies(&changed("transformer-59", &[("task.modulus", "58")])).is_err());
    }
}
