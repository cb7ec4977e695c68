//! `prune TENSOR THRESHOLD`: zeroes the columns of an input tensor that do not have one clear frequency (Doshi et al. 2023,
//! 2310.13061).
//!
//! A column of `w_in` is a neuron: its weights as a function of token a, and of token b where the tensor has rows for both. Its
//! inverse participation ratio (the mean of the halves') is 1 for one cosine and about 2/(number of frequencies) for noise.
//! Neurons below the threshold are those that memorise label noise; removing them shows what the others know. Where the tensor
//! is called …_in, the same rows of …_out are zeroed too, and a bias of the neuron no longer matters. Weights that updates
//! bring back are not held down.

use super::ActionKind;
use super::arguments::{misused, number, place};
use crate::experiment::Experiment;
use crate::measure::powers_of_primitive_root;
use crate::model::{ParameterSpec, Role, specs};
use crate::record::UserError;
use crate::task::{Cycle, rule_of};
#[cfg(feature = "compute")]
use {
    super::{Moment, Work},
    crate::measure::{energies, ipr},
    burn::tensor::{Tensor, TensorData},
};

const USAGE: &str = "prune TENSOR THRESHOLD";

pub(super) const ACTION: ActionKind = ActionKind {
    name: "prune",
    usage: USAGE,
    help: "Zeroes the columns of TENSOR whose inverse participation ratio over the task's cycle is below THRESHOLD (2310.13061)",
    check: |arguments, experiment| Plan::new(arguments, experiment, &specs(experiment)).map(|_| ()),
    #[cfg(feature = "compute")]
    apply,
};

/// What is looked at and what goes.
#[derive(Debug)]
#[cfg_attr(not(feature = "compute"), expect(dead_code, reason = "without burn a plan is made only to see whether it can be"))]
struct Plan {
    /// The tensor whose columns are looked at.
    index: usize,
    /// The tensor whose rows belong to them.
    partner: Option<usize>,
    threshold: f64,
    /// Rows of one token after another along the cycle, one list per half.
    halves: Vec<Vec<usize>>,
}

impl Plan {
    fn new(arguments: &[&str], experiment: &Experiment, specs: &[ParameterSpec]) -> Result<Self, UserError> {
        let [name, threshold] = arguments else { return Err(misused(USAGE)) };
        let index = place(name, specs)?;
        let threshold = number(threshold, "The threshold", 0.0, 1.0)?;
        let rule = rule_of(experiment);
        let Some((rule, cycle)) = rule.and_then(|rule| rule.cycle().map(|cycle| (rule, cycle))) else {
            return Err(UserError::new(
                "This task has no cycle and therefore no frequencies",
                "Choose a task that is linear modulo n, such as add",
            ));
        };
        let order: Vec<usize> = match cycle {
            Cycle::Additive(modulus) => (0..modulus as usize).collect(),
            Cycle::Multiplicative(modulus) => powers_of_primitive_root(modulus)?.into_iter().map(|t| t as usize).collect(),
        };
        let (tokens, rows) = (rule.sizes().tokens as usize, specs[index].rows);
        let reads_tokens = |spec: &ParameterSpec| spec.role == Role::Input && tokens > 0 && spec.rows >= tokens;
        if !reads_tokens(&specs[index]) {
            let fitting: Vec<&str> = specs.iter().filter(|s| reads_tokens(s)).map(|s| s.name.as_str()).collect();
            return Err(UserError::new(
                format!("The rows of {name} are no tokens"),
                format!("Use the tensor that reads the input: {}", fitting.join(", ")),
            ));
        }
        // Rows beyond the tokens, such as that of "=", have no place on the cycle.
        let halves = (0..(rows / tokens).min(2)).map(|half| order.iter().map(|token| half * tokens + token).collect()).collect();
        let out = name.strip_suffix("_in").map(|stem| format!("{stem}_out"));
        let partner = specs.iter().position(|spec| Some(&spec.name) == out.as_ref() && spec.rows == specs[index].columns);
        Ok(Self { index, partner, threshold, halves })
    }

    /// Whether each column of `values` `[rows, columns]` stays.
    #[cfg(feature = "compute")]
    fn kept(&self, values: &[f32], columns: usize) -> Vec<bool> {
        let ratio = |column: usize| -> f64 {
            let of_half = |half: &Vec<usize>| {
                ipr(&energies(&half.iter().map(|row| f64::from(values[row * columns + column])).collect::<Vec<f64>>()))
            };
            self.halves.iter().map(of_half).sum::<f64>() / self.halves.len() as f64
        };
        (0..columns).map(|column| ratio(column) >= self.threshold).collect()
    }
}

#[cfg(feature = "compute")]
fn apply<'a>(
    arguments: &'a [&'a str],
    experiment: &'a Experiment,
    moment: &'a Moment<'a>,
    mut weights: Vec<Tensor<3>>,
) -> Work<'a> {
    Box::pin(async move {
        let plan = Plan::new(arguments, experiment, moment.specs)?;
        let tensor = weights[plan.index].clone();
        let [replicas, rows, columns] = tensor.dims();
        let values = tensor.into_data_async().await.map_err(crate::model::lost)?;
        let values = values.try_into_vec::<f32>().map_err(crate::model::lost)?;
        let mask: Vec<f32> = values
            .chunks(rows * columns)
            .flat_map(|replica| plan.kept(replica, columns))
            .map(|kept| if kept { 1.0 } else { 0.0 })
            .collect();
        let mask: Tensor<3> = Tensor::from_data(TensorData::new(mask, [replicas, 1, columns]), moment.device);
        weights[plan.index] = weights[plan.index].clone() * mask.clone();
        if let Some(partner) = plan.partner {
            weights[partner] = weights[partner].clone() * mask.swap_dims(1, 2);
        }
        Ok(weights)
    })
}
