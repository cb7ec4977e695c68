//! An experiment's network, ready to run: its parameters' list, its constants on the device, what is done to its outputs.

use super::inputs::Inputs;
use super::network::{Activations, Network, Shape};
use super::parameters::ParameterSpec;
use super::registry::{architecture_of, hook_width, shape_of};
use super::specs;
use crate::crosscoder::Hook;
use crate::experiment::Experiment;
use crate::record::UserError;
use burn::tensor::{Device, Tensor};

/// A network's shape and constants; its parameters live in a `Vec<Tensor<3>>` in the order of [`Model::specs`].
#[derive(Debug)]
pub struct Model {
    name: &'static str,
    specs: Vec<ParameterSpec>,
    network: Box<dyn Network>,
    output_multiplier: f64,
    hooks: Vec<Hook>,
}

impl Model {
    /// The network that `experiment` asks for, with its constants on `device`.
    ///
    /// # Errors
    /// If no network has this name.
    pub fn new(experiment: &Experiment, device: &Device) -> Result<Self, UserError> {
        Self::of_shape(experiment, shape_of(experiment), device)
    }

    /// The same network for a task of other sizes, whose weights have the sizes of `specs(experiment)` but for the rows per token.
    ///
    /// # Errors
    /// If no network has this name.
    pub fn of_shape(experiment: &Experiment, shape: Shape, device: &Device) -> Result<Self, UserError> {
        let architecture = architecture_of(experiment).ok_or_else(|| {
            let known: Vec<&str> = super::architectures().iter().map(|a| a.kind.name).collect();
            UserError::new(
                format!("There is no architecture called \"{}\"", experiment.model.architecture),
                format!("Use {}", known.join(", ")),
            )
        })?;
        Ok(Self {
            name: architecture.kind.label,
            specs: specs(experiment),
            network: (architecture.network)(&experiment.model, shape, experiment.seed, device),
            output_multiplier: Some(experiment.model.settings.number("output_multiplier")).filter(|m| *m > 0.0).unwrap_or(1.0),
            hooks: Hook::ALL.into_iter().filter(|hook| hook_width(experiment, *hook).is_some()).collect(),
        })
    }

    /// Names, sizes, starts and learning-rate factors of the parameters, in order.
    pub fn specs(&self) -> &[ParameterSpec] {
        &self.specs
    }

    /// Outputs of each row.
    ///
    /// # Shapes
    /// - parameters: `[replica, rows, columns]` each, in the order of [`Model::specs`]
    /// - dropout: `[replica, row, hidden]`, multiplies the last hidden layer
    /// - output: `[replica, row, outputs]`
    pub fn logits(&self, parameters: &[Tensor<3>], inputs: &Inputs, dropout: Option<&Tensor<3>>) -> Tensor<3> {
        self.outputs(parameters, None, inputs, dropout)
    }

    /// Outputs of each row, those of the weights `start` subtracted if there are any: α·(f − f₀). Shapes as for
    /// [`Model::logits`]. The starting weights get no gradient and no dropout.
    pub fn outputs(
        &self,
        parameters: &[Tensor<3>],
        start: Option<&[Tensor<3>]>,
        inputs: &Inputs,
        dropout: Option<&Tensor<3>>,
    ) -> Tensor<3> {
        let outputs = self.network.forward(parameters, inputs, dropout, &mut Activations::none());
        self.finished(outputs, start, inputs)
    }

    /// f₀ subtracted if there is one, and multiplied.
    fn finished(&self, mut outputs: Tensor<3>, start: Option<&[Tensor<3>]>, inputs: &Inputs) -> Tensor<3> {
        if let Some(start) = start {
            let fixed: Vec<Tensor<3>> = start.iter().map(|tensor| tensor.clone().inner()).collect();
            outputs = outputs - self.network.forward(&fixed, inputs, None, &mut Activations::none()).detach();
        }
        self.multiplied(outputs)
    }

    /// Activations of each row at each of `hooks`, read at the answer position in one pass: `[replica, row, width]`. Logits are
    /// those of [`Model::outputs`], which for a centred network need its starting weights, as training sees them.
    ///
    /// # Errors
    /// If this network lacks one of the hooks.
    pub fn activations(
        &self,
        parameters: &[Tensor<3>],
        start: Option<&[Tensor<3>]>,
        inputs: &Inputs,
        hooks: &[Hook],
    ) -> Result<Vec<Tensor<3>>, UserError> {
        let mut activations = Activations::only(hooks);
        let outputs = self.network.forward(parameters, inputs, None, &mut activations);
        let of = |hook: &Hook| match hook {
            Hook::Logits => Ok(self.finished(outputs.clone(), start, inputs)),
            hook => activations.get(*hook).cloned().ok_or_else(|| self.lacks(*hook)),
        };
        hooks.iter().map(of).collect()
    }

    /// Outputs of each row if `value` `[replica, row, width]` goes on in place of the activation at `hook`. Shapes as for
    /// [`Model::outputs`].
    ///
    /// # Errors
    /// If nothing can be put in there: the input, or a hook that this network lacks.
    pub fn spliced(
        &self,
        parameters: &[Tensor<3>],
        start: Option<&[Tensor<3>]>,
        inputs: &Inputs,
        hook: Hook,
        value: Tensor<3>,
    ) -> Result<Tensor<3>, UserError> {
        match hook {
            Hook::Logits => Ok(value),
            Hook::Embed | Hook::Pattern => Err(UserError::new(
                format!("Nothing can be put in at {}", hook.name()),
                "Choose a hook behind attention, e.g. resid_post or mlp_post",
            )),
            hook if !self.hooks.contains(&hook) => Err(self.lacks(hook)),
            hook => {
                let outputs = self.network.forward(parameters, inputs, None, &mut Activations::spliced(hook, value));
                Ok(self.finished(outputs, start, inputs))
            }
        }
    }

    fn lacks(&self, hook: Hook) -> UserError {
        let there: Vec<&str> = self.hooks.iter().map(|hook| hook.name()).collect();
        UserError::new(
            format!("A network of the kind {} has no {}", self.name, hook.name()),
            format!("Choose the hook {}", there.join(" or ")),
        )
    }

    /// A multiplier of 1 costs nothing.
    fn multiplied(&self, outputs: Tensor<3>) -> Tensor<3> {
        if (self.output_multiplier - 1.0).abs() > 0.0 { outputs.mul_scalar(self.output_multiplier) } else { outputs }
    }
}
