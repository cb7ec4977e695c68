//! Which networks there are, and what can be known of an experiment's network without building it.
//!
//! The page counts parameters, offers hooks and refuses what cannot run; none of that may need burn.

use super::network::{Architecture, Shape};
use super::{committee, diagonal, embedding_mlp, encoder_decoder, linear, mlp, parametrisation, specs, transformer};
use crate::crosscoder::Hook;
use crate::experiment::{Experiment, FieldError};
use crate::{task, train};

static ARCHITECTURES: &[Architecture] =
    &[mlp::KIND, transformer::KIND, embedding_mlp::KIND, encoder_decoder::KIND, linear::KIND, diagonal::KIND, committee::KIND];

/// Every network, in the order of the page.
pub fn architectures() -> &'static [Architecture] {
    ARCHITECTURES
}

/// The architecture of an experiment; `None` if its name is not registered.
pub fn architecture_of(experiment: &Experiment) -> Option<&'static Architecture> {
    ARCHITECTURES.iter().find(|a| a.kind.name == experiment.model.architecture)
}

/// What the task feeds the network and what the loss wants to hear from it; all zero for an unknown task.
pub fn shape_of(experiment: &Experiment) -> Shape {
    let Some(sizes) = task::rule_of(experiment).map(|rule| rule.sizes()) else { return Shape::default() };
    Shape {
        tokens: sizes.tokens as usize,
        width: sizes.width as usize,
        outputs: train::outputs(experiment, sizes.classes as usize),
    }
}

/// Number of parameters of an experiment's network.
pub fn parameter_count(experiment: &Experiment) -> u64 {
    specs(experiment).iter().map(|spec| spec.count() as u64).sum()
}

/// Numbers alive per row of a forward pass, logits and their gradient included.
pub fn floats_per_row(experiment: &Experiment) -> u64 {
    architecture_of(experiment).map_or(0, |a| (a.floats_per_row)(&experiment.model, shape_of(experiment)))
}

/// Width of the activation at `hook`; `None` where the experiment's network has no such hook.
pub fn hook_width(experiment: &Experiment, hook: Hook) -> Option<usize> {
    (architecture_of(experiment)?.hook_width)(&experiment.model, shape_of(experiment), hook)
}

/// Width of the layer that dropout acts on: the last hidden one, or the residual stream of a transformer without MLP block.
/// 0 where there is neither.
pub fn hidden_width(experiment: &Experiment) -> usize {
    hook_width(experiment, Hook::MlpPost).or_else(|| hook_width(experiment, Hook::ResidMid)).unwrap_or(0)
}

/// Reasons why an experiment cannot use its network, with the nearest that works.
pub fn check(experiment: &Experiment) -> Vec<FieldError> {
    let Some(architecture) = architecture_of(experiment) else { return Vec::new() };
    let mut errors = (architecture.check)(experiment, shape_of(experiment));
    if errors.is_empty() {
        errors.extend(parametrisation::check(experiment));
    }
    if experiment.training.number("dropout") > 0.0 && hidden_width(experiment) == 0 {
        errors.push(FieldError::new("training.dropout", "This network has no hidden layer to drop neurons of", "Use 0"));
    }
    errors
}

/// The refusals of a network f(x) of a vector with one output.
pub(super) fn needs_vectors_and_one_output(experiment: &Experiment, shape: Shape) -> Vec<FieldError> {
    if shape.width == 0 {
        let cause = "This network reads vectors, and the inputs of this task are pairs of tokens";
        return vec![FieldError::new("model.architecture", cause, "Use mlp")];
    }
    if shape.outputs == 1 {
        return Vec::new();
    }
    let classes = task::rule_of(experiment).map_or(0, |rule| rule.sizes().classes as usize);
    let fits = |loss: &&train::LossKind| (loss.outputs)(experiment, classes) == 1 && loss.is_for_values() == (classes == 1);
    let losses: Vec<&str> =
        if classes > 2 { Vec::new() } else { train::losses().iter().filter(fits).map(|loss| loss.kind.name).collect() };
    let cause = format!("This network has one output, and the loss {} needs {}", experiment.loss, shape.outputs);
    vec![if losses.is_empty() {
        FieldError::new("model.architecture", cause, "Use mlp")
    } else {
        FieldError::new("loss", cause, format!("Use {}", losses.join(" or ")))
    }]
}
