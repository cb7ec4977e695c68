//! Update rules: from gradients to new weights, over the replica axis.
//!
//! burn's optimisers have one learning rate for all replicas and were not used: here η and λ may differ between replicas, and
//! decay may pull to the start instead of to zero. A rule is one file here and one line in [`optimizers`].
//!
//! Decay lives here and not in the rules, because half of the literature adds λw to the gradient and half multiplies the weights,
//! and both halves call it weight decay: which of them a rule means is a [`Decay`] of its registration.

mod adam;
mod adam_w;
mod lion;
mod muon;
mod normalized_gd;
mod rows;
mod sgd;
#[cfg(test)]
#[cfg(feature = "compute")]
mod tests;

#[cfg(feature = "compute")]
pub use adam_w::AdamW;

use crate::experiment::Experiment;
use crate::experiment::fields::Kind;
#[cfg(feature = "compute")]
use crate::model::ParameterSpec;
#[cfg(feature = "compute")]
use burn::tensor::{Device, Tensor, TensorData};

static KINDS: &[OptimizerKind] = &[adam_w::KIND, adam::KIND, sgd::KIND, normalized_gd::KIND, lion::KIND, muon::KIND];

/// All update rules; the first is the one that presets use.
pub fn optimizers() -> &'static [OptimizerKind] {
    KINDS
}

/// The update rule of an experiment; `None` if its name is not registered.
pub fn optimizer_of(experiment: &Experiment) -> Option<&'static OptimizerKind> {
    KINDS.iter().find(|o| o.kind.name == experiment.optimizer.name)
}

/// Where weight decay acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decay {
    /// On the weights, beside the rule (Loshchilov & Hutter, 1711.05101): w ← w·(1 − ηλ) − step.
    Decoupled,
    /// In the gradient that the rule sees, as the derivative of λ‖w‖²/2: g ← g + λw, then w ← w − step.
    Coupled,
}

/// A registered update rule.
#[derive(Debug, Clone, Copy)]
pub struct OptimizerKind {
    /// Name, label, help and settings (`optimizer.…`). All settings may change midway: the trainer then builds the rule anew
    /// and, if it is the same rule, hands the state over by name.
    pub kind: Kind,
    /// Where its weight decay acts.
    pub decay: Decay,
    /// The rule for parameters of these dimensions, with its state at zero.
    #[cfg(feature = "compute")]
    pub build: fn(&Experiment, &[Tensor<3>], &Device) -> Box<dyn Optimizer>,
}

/// What an update knows beside weights and gradients.
#[cfg(feature = "compute")]
#[derive(Debug)]
pub struct Update<'a> {
    /// Number of the update since the rule was taken up, from 1: what averages that began at zero are corrected by. After a
    /// switch in mid-run it is not the run's.
    pub t: u32,
    /// η per replica.
    pub rates: &'a [f64],
    /// λ per replica.
    pub weight_decay: &'a [f64],
    /// What decay pulls to, one tensor per parameter; to zero if none.
    pub decay_to: Option<&'a [Tensor<3>]>,
    /// The parameters' names and sizes.
    pub specs: &'a [ParameterSpec],
    /// The device of everything here.
    pub device: &'a Device,
}

/// An update rule with its state.
#[cfg(feature = "compute")]
pub trait Optimizer: core::fmt::Debug {
    /// The step to subtract from each parameter; [`advance`] makes decay and subtraction. With [`Decay::Coupled`] the rule
    /// starts from [`with_decay`].
    ///
    /// # Shapes
    /// `parameters`, `gradients` and the answer: `[replica, rows, columns]` each.
    fn step(&mut self, update: &Update<'_>, parameters: &[Tensor<3>], gradients: Vec<Tensor<3>>) -> Vec<Tensor<3>>;

    /// The state by name, one tensor per parameter in each; what a resume point keeps.
    fn state(&self) -> Vec<(&'static str, &[Tensor<3>])> {
        Vec::new()
    }

    /// Takes back one entry of [`Optimizer::state`].
    fn restore(&mut self, _name: &str, _tensors: Vec<Tensor<3>>) {}
}

/// One update of all parameters: decay, then the rule's step.
///
/// Decoupled decay to zero is `w·(1 − ηλ) − step`; to other weights w₀ it is `w·(1 − ηλ) + ηλ·w₀ − step`.
///
/// # Shapes
/// `parameters`, `gradients` and the answer: `[replica, rows, columns]` each.
#[cfg(feature = "compute")]
pub fn advance(
    rule: &mut dyn Optimizer,
    decay: Decay,
    update: &Update<'_>,
    parameters: Vec<Tensor<3>>,
    gradients: Vec<Tensor<3>>,
) -> Vec<Tensor<3>> {
    let steps = rule.step(update, &parameters, gradients);
    let pairs = parameters.into_iter().zip(steps);
    if decay == Decay::Coupled {
        return pairs.map(|(parameter, step)| parameter - step).collect();
    }
    let pull: Vec<f64> = update.rates.iter().zip(update.weight_decay).map(|(rate, decay)| rate * decay).collect();
    let keep: Vec<f64> = pull.iter().map(|pull| 1.0 - pull).collect();
    let keep = PerReplica::new(&keep, update.device);
    match update.decay_to {
        None => pairs.map(|(parameter, step)| keep.scale(parameter) - step).collect(),
        Some(goals) => {
            let pull = PerReplica::new(&pull, update.device);
            pairs.zip(goals).map(|((parameter, step), goal)| keep.scale(parameter) + pull.scale(goal.clone()) - step).collect()
        }
    }
}

/// Gradients with coupled decay: g + λ·(w − w₀), with w₀ = 0 where decay pulls to zero.
#[cfg(feature = "compute")]
pub fn with_decay(update: &Update<'_>, parameters: &[Tensor<3>], gradients: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
    if update.weight_decay.iter().all(|decay| *decay == 0.0) {
        return gradients;
    }
    let decay = PerReplica::new(update.weight_decay, update.device);
    let goals = update.decay_to;
    (gradients.into_iter().zip(parameters).enumerate())
        .map(|(index, (gradient, parameter))| {
            let distance = match goals.and_then(|goals| goals.get(index)) {
                Some(goal) => parameter.clone() - goal.clone(),
                None => parameter.clone(),
            };
            gradient + decay.scale(distance)
        })
        .collect()
}

/// Zeros shaped like `parameters`.
#[cfg(feature = "compute")]
fn zeros_like(parameters: &[Tensor<3>], device: &Device) -> Vec<Tensor<3>> {
    parameters.iter().map(|p| Tensor::zeros(p.dims(), device)).collect()
}

/// One number per replica; a plain scalar when they agree, which spares the broadcast.
#[cfg(feature = "compute")]
#[derive(Debug, Clone)]
pub enum PerReplica {
    /// All alike.
    Equal(f64),
    /// `[replica, 1, 1]`.
    Each(Box<Tensor<3>>),
}

#[cfg(feature = "compute")]
impl PerReplica {
    /// Uploads `values[replica]` unless they agree.
    pub fn new(values: &[f64], device: &Device) -> Self {
        match values {
            [first, rest @ ..] if rest.iter().all(|value| value == first) => Self::Equal(*first),
            _ => {
                let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
                let replicas = values.len();
                Self::Each(Box::new(Tensor::from_data(TensorData::new(values, [replicas, 1, 1]), device)))
            }
        }
    }

    /// `tensor` times its replica's number.
    pub fn scale(&self, tensor: Tensor<3>) -> Tensor<3> {
        match self {
            Self::Equal(value) => tensor.mul_scalar(*value),
            Self::Each(values) => tensor * values.as_ref().clone(),
        }
    }
}
