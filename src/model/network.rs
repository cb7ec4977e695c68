//! What an architecture is: settings and sizes that need no device, and a forward pass that does.
//!
//! Without this split the page would have to carry burn to know how many parameters a network has. Rejected: one enum of all
//! networks, in which each new one needs a line in every `match`.

use super::ParameterSpec;
#[cfg(feature = "compute")]
use super::inputs::Inputs;
use crate::crosscoder::Hook;
use crate::experiment::fields::Kind;
use crate::experiment::{Experiment, FieldError, ModelConfig};
#[cfg(feature = "compute")]
use burn::tensor::{Device, Tensor};

/// A registered architecture.
#[derive(Debug, Clone, Copy)]
pub struct Architecture {
    /// Name, label, help and settings (`model.…`).
    pub kind: Kind,
    /// Names, sizes and starts of the parameters, in order; `model.init_scale` is already in the starts. The place in the list
    /// is the number of the parameter's random stream, so what a new setting adds stands after what was there before.
    pub specs: fn(&ModelConfig, Shape) -> Vec<ParameterSpec>,
    /// Numbers alive per row of a forward pass, logits and their gradient included.
    pub floats_per_row: fn(&ModelConfig, Shape) -> u64,
    /// Width of the activation at a hook; `None` where the network has no such hook.
    pub hook_width: fn(&ModelConfig, Shape, Hook) -> Option<usize>,
    /// Reasons why an experiment cannot use this network, with the nearest that works.
    pub check: fn(&Experiment, Shape) -> Vec<FieldError>,
    /// The network, with its constants on the device.
    #[cfg(feature = "compute")]
    pub network: fn(&ModelConfig, Shape, u64, &Device) -> Box<dyn Network>,
}

/// What a network is fed and what it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    /// Tokens that a pair is made of; 0 for vectors.
    pub tokens: usize,
    /// Numbers in an input vector; 0 for pairs.
    pub width: usize,
    /// Outputs (logits); 1 for a real-valued answer.
    pub outputs: usize,
}

/// Named activations of a forward pass, at the answer position: `[replica, row, width]` each. By default all are kept.
#[cfg(feature = "compute")]
#[derive(Debug, Default)]
pub struct Activations {
    wanted: Wanted,
    found: Vec<(Hook, Tensor<3>)>,
    /// What is to go on in place of the activation at a hook.
    spliced: Option<(Hook, Tensor<3>)>,
}

#[cfg(feature = "compute")]
#[derive(Debug, Default)]
enum Wanted {
    #[default]
    All,
    These(Vec<Hook>),
    Nothing,
}

#[cfg(feature = "compute")]
impl Activations {
    /// Keeps only what passes `hooks`.
    pub fn only(hooks: &[Hook]) -> Self {
        Self { wanted: Wanted::These(hooks.to_vec()), ..Self::default() }
    }

    /// Keeps nothing: for training, where an activation kept is memory lost.
    pub fn none() -> Self {
        Self { wanted: Wanted::Nothing, ..Self::default() }
    }

    /// Keeps nothing, and lets `value` go on in place of the activation at `hook`.
    pub fn spliced(hook: Hook, value: Tensor<3>) -> Self {
        Self { spliced: Some((hook, value)), ..Self::none() }
    }

    /// Whether the activation at `hook` will be kept; one that costs extra work is computed only then.
    pub fn wants(&self, hook: Hook) -> bool {
        match &self.wanted {
            Wanted::All => true,
            Wanted::These(wanted) => wanted.contains(&hook),
            Wanted::Nothing => false,
        }
    }

    /// Remembers the activation at `hook`, if it is wanted. A later one at the same hook takes its place.
    pub fn record(&mut self, hook: Hook, value: &Tensor<3>) {
        if self.wants(hook) {
            self.found.retain(|(name, _)| *name != hook);
            self.found.push((hook, value.clone()));
        }
    }

    /// Remembers the activation at `hook` as [`Activations::record`], and returns what goes on from there.
    pub fn pass(&mut self, hook: Hook, value: Tensor<3>) -> Tensor<3> {
        self.record(hook, &value);
        match &self.spliced {
            Some((at, other)) if *at == hook => other.clone(),
            _ => value,
        }
    }

    /// Whether something else goes on at `hook`.
    pub fn splices(&self, hook: Hook) -> bool {
        self.spliced.as_ref().is_some_and(|(at, _)| *at == hook)
    }

    /// The activation at `hook`.
    pub fn get(&self, hook: Hook) -> Option<&Tensor<3>> {
        self.found.iter().find(|(name, _)| *name == hook).map(|(_, value)| value)
    }
}

/// A network's shape and constants; its parameters live apart, `[replica, rows, columns]` each, in the order of its specs.
#[cfg(feature = "compute")]
pub trait Network: core::fmt::Debug {
    /// The outputs (logits) of each row, `[replica, row, outputs]`. `dropout` multiplies the last hidden layer (`mlp_post`),
    /// `[replica, row, hidden]`, already divided by the share kept. What the network passes on the way goes to `activations`,
    /// logits excepted.
    fn forward(
        &self,
        parameters: &[Tensor<3>],
        inputs: &Inputs,
        dropout: Option<&Tensor<3>>,
        activations: &mut Activations,
    ) -> Tensor<3>;
}
