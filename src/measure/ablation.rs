//! What the network loses without one part: the weights with that part taken out.
//!
//! A strong frequency in a picture is a correlation; an ablation is the experiment. Parts are taken out of the weights, so
//! everything that can be asked of a checkpoint can be asked of the ablated one too. Zeros are put in, not means: that is stated,
//! because for a quadratic neuron, whose mean is not zero, the two differ.

use super::harmonics::Harmonics;
use super::tokens::input_blocks;
use crate::experiment::Experiment;
use crate::record::{NamedTensor, UserError, Weights};
use serde::{Deserialize, Serialize};

/// A part that can be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ablation {
    /// A component (number from 0) of what the network reads of its tokens, for a and for b.
    Component(u32),
    /// A neuron of the last hidden layer: its outgoing weights are zero.
    Neuron(u32),
    /// A head of the last attention layer: its outgoing weights are zero.
    Head(u32),
}

/// The weights without `part`.
///
/// # Errors
/// If the network has no such part.
pub fn ablated(
    weights: &Weights,
    experiment: &Experiment,
    harmonics: Option<&Harmonics>,
    part: Ablation,
) -> Result<Weights, UserError> {
    let mut changed = weights.clone();
    match part {
        Ablation::Component(index) => {
            let harmonics = harmonics.ok_or_else(|| missing("component", index))?;
            if index as usize >= harmonics.components.len() {
                return Err(missing("component", index));
            }
            let tokens = harmonics.of_token.len();
            for block in input_blocks(experiment)? {
                let (tensor, columns) = matrix_mut(&mut changed, block.tensor, "component", index)?;
                let rows = tensor.get_mut(block.first * columns..(block.first + tokens) * columns);
                let rows = rows.ok_or_else(|| missing("component", index))?;
                let part = harmonics.project(&harmonics.by_element(rows, columns), columns, &[index as usize]);
                for (token, element) in harmonics.of_token.iter().enumerate() {
                    let Some(element) = element else { continue };
                    let part = &part[usize::from(*element) * columns..][..columns];
                    rows[token * columns..][..columns].iter_mut().zip(part).for_each(|(w, p)| *w = (f64::from(*w) - p) as f32);
                }
            }
        }
        Ablation::Neuron(index) => {
            let name = match experiment.model.architecture.as_str() {
                "transformer" => last_of(weights, "w_out"),
                "embedding_mlp" if experiment.model.settings.text("embedding") != "tied" => "unembed",
                "mlp" | "embedding_mlp" => "w_out",
                _ => return Err(missing("neuron", index)),
            };
            let (values, columns) = matrix_mut(&mut changed, name, "neuron", index)?;
            let row = values.chunks_exact_mut(columns).nth(index as usize).ok_or_else(|| missing("neuron", index))?;
            row.fill(0.0);
        }
        Ablation::Head(index) => {
            let heads = experiment.model.settings.integer("heads") as usize;
            if experiment.model.architecture != "transformer" || index as usize >= heads {
                return Err(missing("head", index));
            }
            let (values, columns) = matrix_mut(&mut changed, last_of(weights, "w_o"), "head", index)?;
            let of_head = values.len() / heads;
            debug_assert!(of_head.is_multiple_of(columns), "heads divide the width");
            values[index as usize * of_head..][..of_head].fill(0.0);
        }
    }
    Ok(changed)
}

/// The tensor of the last layer: `NAME_2` where there are two.
fn last_of(weights: &Weights, name: &'static str) -> &'static str {
    match name {
        "w_out" if weights.get("w_out_2").is_some() => "w_out_2",
        "w_o" if weights.get("w_o_2").is_some() => "w_o_2",
        name => name,
    }
}

fn matrix_mut<'a>(weights: &'a mut Weights, name: &str, what: &str, index: u32) -> Result<(&'a mut [f32], usize), UserError> {
    let tensor: &mut NamedTensor =
        weights.tensors.iter_mut().find(|tensor| tensor.name == name).ok_or_else(|| missing(what, index))?;
    match tensor.shape[..] {
        [rows, columns] if rows * columns == tensor.values.len() && columns > 0 => Ok((&mut tensor.values, columns)),
        _ => Err(missing(what, index)),
    }
}

fn missing(what: &str, index: u32) -> UserError {
    UserError::new(format!("This network has no {what} number {index} to take out"), "Choose one that the page shows")
}

#[cfg(test)]
mod tests {
    use super::super::oracle::changed;
    use super::super::tokens::input_table;
    use super::*;

    fn weights(experiment: &Experiment) -> Weights {
        crate::model::start(experiment).unwrap()
    }

    #[test]
    fn a_component_is_gone_and_all_others_stay() {
        for (name, changes) in [
            ("quadratic-31", vec![]),
            ("transformer-59", vec![("task.modulus", "13"), ("model.d_model", "8")]),
            ("quadratic-31", vec![("task.operation", "mul"), ("task.modulus", "13")]),
            ("s4", vec![]),
        ] {
            let experiment = changed(name, &changes);
            let harmonics = Harmonics::of(&experiment).unwrap();
            let energies = |weights: &Weights| {
                let (table, columns) = input_table(weights, &experiment).unwrap();
                let energies = harmonics.energies(&harmonics.by_element(&table, columns), columns);
                energies.chunks_exact(columns).map(|row| row.iter().sum::<f64>()).collect::<Vec<_>>()
            };
            let before = weights(&experiment);
            let after = ablated(&before, &experiment, Some(&harmonics), Ablation::Component(2)).unwrap();
            for (index, (x, y)) in energies(&before).into_iter().zip(energies(&after)).enumerate() {
                let expected = if index == 2 { 0.0 } else { x };
                assert!((y - expected).abs() < 1e-5 * (1.0 + x), "{name}, component {index}: {y} instead of {expected}");
            }
        }
    }

    #[test]
    fn a_neuron_and_a_head_lose_their_outgoing_weights_alone() {
        let experiment = changed("transformer-59", &[("task.modulus", "13"), ("model.d_model", "8"), ("model.heads", "2")]);
        let before = weights(&experiment);
        let differing = |part: Ablation| -> Vec<(String, usize)> {
            let after = ablated(&before, &experiment, None, part).unwrap();
            before
                .tensors
                .iter()
                .zip(&after.tensors)
                .map(|(x, y)| (x.name.clone(), x.values.iter().zip(&y.values).filter(|(a, b)| a != b).count()))
                .filter(|(_, count)| *count > 0)
                .collect()
        };
        assert_eq!(differing(Ablation::Neuron(3)), [("w_out".to_owned(), 8)]);
        assert_eq!(differing(Ablation::Head(1)), [("w_o".to_owned(), 4 * 8)]);
    }

    #[test]
    fn parts_that_are_not_there_are_refused() {
        let experiment = changed("quadratic-31", &[]);
        let weights = weights(&experiment);
        for part in [Ablation::Component(2), Ablation::Neuron(256), Ablation::Head(0)] {
            assert!(ablated(&weights, &experiment, None, part).unwrap_err().cause.contains("to take out"), "{part:?}");
        }
    }
}
