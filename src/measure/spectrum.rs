//! Which frequencies or representations do the weights use?
//!
//! A network that has grokked a group task reads its inputs through a few components; one that memorised does not, and the loss
//! cannot tell them apart.

use super::facts::Facts;
use super::fourier::{gini, ipr};
use super::harmonics::Harmonics;
use super::kind::{Column, Cost, Measure, Work, no_hooks, number};
use super::tokens::{input_blocks, input_table, output_table};
use crate::experiment::Experiment;
use crate::record::{UserError, Value};

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "spectrum",
    label: "Spectrum of the weights",
    definition: "Energy of each component (frequency k, or representation) in the weights that read a token, as a share of all \
                 energy without the constant; participation ratio Σ(e/Σe)² per column, constant included, mean over columns; \
                 Gini coefficient Σ|x−y|/(2nΣx) and entropy −Σ ê log ê of the shares; the same shares for the weights that answer",
    source: "Nanda et al. 2301.05217 (Fourier basis, Gini); Doshi et al. 2310.13061 (participation ratio); components of groups \
             after Chughtai et al. 2302.03025",
    not_evidence_of: "A few strong components in the weights do not show that the network computes its answers with them: ablate \
                      one and look",
    cost: Cost::Weights,
    columns: &[
        Column::new("spectrum", "share of each component, input weights").share().list("component"),
        Column::new("constant_share", "share of the constant, input weights").share(),
        Column::new("mean_ipr", "participation ratio").share(),
        Column::new("gini", "Gini coefficient of the spectrum").share(),
        Column::new("spectral_entropy", "entropy of the spectrum").in_unit("nats").positive(),
        Column::new("output_spectrum", "share of each component, output weights").share().list("component"),
    ],
    hooks: no_hooks,
    needs_keys: false,
    applies,
    work: Work::direct(take),
};

fn applies(experiment: &Experiment) -> Result<(), UserError> {
    Harmonics::of(experiment)?;
    input_blocks(experiment).map(drop)
}

fn take(facts: &Facts<'_>) -> Result<Vec<Value>, UserError> {
    let harmonics = facts.harmonics()?;
    let (table, columns) = input_table(facts.weights, facts.experiment)?;
    let found = Spectrum::of(harmonics, &harmonics.by_element(&table, columns), columns);
    let output = match output_table(facts.weights, facts.experiment) {
        // One output per class is needed for the classes to be elements.
        Ok((table, columns)) if table.len() == harmonics.of_token.len() * columns => {
            Value::List(harmonics.shares(&harmonics.by_element(&table, columns), columns))
        }
        Ok(_) => Value::Absent("The outputs of this network are not the elements of the group".into()),
        Err(error) => Value::Absent(error.to_string()),
    };
    let entropy = -found.shares.iter().filter(|share| **share > 0.0).map(|share| share * libm::log(*share)).sum::<f64>();
    let gini = gini(&found.shares);
    Ok(vec![
        Value::List(found.shares),
        number(found.constant_share),
        number(found.mean_ipr),
        number(gini),
        number(entropy),
        output,
    ])
}

/// The energies of a table of weights per element.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    /// Share of each component in the energy without the constant.
    pub shares: Vec<f64>,
    /// Share of the columns' means in all energy.
    pub constant_share: f64,
    /// Mean over columns of [`ipr`], the constant counted as a component.
    pub mean_ipr: f64,
}

impl Spectrum {
    /// Of `values` `[element, columns]`.
    pub fn of(harmonics: &Harmonics, values: &[f64], columns: usize) -> Self {
        let n = harmonics.order as f64;
        let energies = harmonics.energies(values, columns);
        let constant = |column: usize| {
            let sum: f64 = values.iter().skip(column).step_by(columns).sum();
            sum * sum / n
        };
        let (mut constants, mut participation) = (0.0, 0.0);
        for column in 0..columns {
            let own = constant(column);
            constants += own;
            let all: Vec<f64> = std::iter::once(own).chain(energies.iter().skip(column).step_by(columns).copied()).collect();
            participation += ipr(&all);
        }
        let varying: f64 = energies.iter().sum();
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let per_component = energies.chunks_exact(columns.max(1)).map(|row| row.iter().sum::<f64>());
        Self {
            shares: per_component.map(|energy| share(energy, varying)).collect(),
            constant_share: share(constants, constants + varying),
            mean_ipr: participation / columns.max(1) as f64,
        }
    }
}
