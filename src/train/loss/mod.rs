//! Losses with their gradients in closed form.
//!
//! Handing the closed-form gradient to autodiff at the logits, instead of letting it differentiate the loss, saves a third of
//! the elementwise work and keeps digits that differentiation would lose. A loss is one file here and one line in [`losses`].
//!
//! A loss sees targets, not labels: each class has a code (one-hot for most), so mixing codes gives label smoothing and a
//! teacher's answers give distillation, without another loss. What all losses share is in [`Objective`].

mod cross_entropy;
mod hinge;
mod logistic;
mod mean_squared_error;
mod objective;
mod squared_error;
mod stable_max;
mod templates;
#[cfg(test)]
#[cfg(feature = "compute")]
mod tests;

#[cfg(feature = "compute")]
pub use objective::Objective;
pub use objective::{check, objective_fields, outputs};

use crate::experiment::Experiment;
use crate::experiment::fields::Kind;
#[cfg(feature = "compute")]
use burn::tensor::{Device, Tensor};

static KINDS: &[LossKind] = &[
    cross_entropy::KIND,
    mean_squared_error::KIND,
    hinge::KIND,
    logistic::KIND,
    stable_max::KIND,
    templates::KIND,
    squared_error::KIND,
];

/// All losses; the first is the one that a classification task starts with.
pub fn losses() -> &'static [LossKind] {
    KINDS
}

/// The loss of an experiment; `None` if its name is not registered.
pub fn loss_of(experiment: &Experiment) -> Option<&'static LossKind> {
    KINDS.iter().find(|l| l.kind.name == experiment.loss)
}

/// What answers a loss is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// One of two or more classes.
    Class,
    /// One of two classes.
    BinaryClass,
    /// A real number.
    Value,
}

/// What a target between the codes of two classes means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Soft {
    /// Nothing: no label smoothing, no distillation.
    No,
    /// A mixture of the codes: label smoothing only.
    Mixture,
    /// The probabilities of the classes: label smoothing and distillation.
    Probabilities,
}

/// A registered loss.
#[derive(Debug, Clone, Copy)]
pub struct LossKind {
    /// Name, label, help and settings (`training.…`).
    pub kind: Kind,
    /// What it compares outputs with.
    pub answer: Answer,
    /// What a target between the codes means.
    pub soft: Soft,
    /// Outputs that the network needs for a task of this many classes.
    pub outputs: fn(&Experiment, usize) -> usize,
    /// The target of each class, `[class][output]`, for a task of this many classes; none for values.
    pub codes: fn(&Experiment, usize) -> Vec<Vec<f32>>,
    /// The loss, for one experiment per replica and a task of this many classes.
    #[cfg(feature = "compute")]
    pub build: fn(&[Experiment], usize, &Device) -> Box<dyn Loss>,
}

impl LossKind {
    /// Whether it takes real-valued answers instead of labels.
    pub fn is_for_values(&self) -> bool {
        self.answer == Answer::Value
    }
}

/// A loss over rows. Targets are `[replica, row, output]`: the class's code, or the value.
#[cfg(feature = "compute")]
pub trait Loss: core::fmt::Debug {
    /// Loss of each row, `[replica, row, 1]`. Targets are codes or values.
    fn per_row(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3>;

    /// Loss of each row, `[replica, row, 1]`, and its gradient with respect to that row's outputs divided by `rows`,
    /// `[replica, row, output]`. With the number of rows that is the gradient of their mean, with 1 that of each. Targets are
    /// codes or values.
    fn slope(&self, outputs: Tensor<3>, targets: Tensor<3>, rows: usize) -> (Tensor<3>, Tensor<3>);

    /// As [`Loss::slope`], with targets anywhere between the codes.
    fn slope_soft(&self, outputs: Tensor<3>, targets: Tensor<3>, rows: usize) -> (Tensor<3>, Tensor<3>) {
        self.slope(outputs, targets, rows)
    }

    /// 1 where the answer counts as right, else 0: `[replica, row, 1]`.
    fn correct(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3>;

    /// What a teacher's outputs say, as soft targets of the same sizes: the targets at which the loss of these outputs is least.
    fn as_targets(&self, outputs: Tensor<3>) -> Tensor<3> {
        outputs
    }
}

/// One-hot codes.
fn one_hot_codes(_: &Experiment, classes: usize) -> Vec<Vec<f32>> {
    (0..classes).map(|class| (0..classes).map(|output| if output == class { 1.0 } else { 0.0 }).collect()).collect()
}

/// (−1)^class: class 0 is +1 and class 1 is −1, as a bit and its sign go together in parities.
fn sign_codes(_: &Experiment, _: usize) -> Vec<Vec<f32>> {
    vec![vec![1.0], vec![-1.0]]
}

/// 1 where the label's output is strictly the largest, else 0: `[replica, row, 1]`, from one-hot targets.
#[cfg(feature = "compute")]
fn is_largest(outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
    let label = (outputs.clone() * targets.clone()).sum_dim(2);
    // The label itself is moved out of the competition.
    let best_other = (outputs - targets.mul_scalar(f32::MAX / 4.0)).max_dim(2);
    label.greater(best_other).float()
}

/// 1 where the only output has the target's sign, else 0: `[replica, row, 1]`.
#[cfg(feature = "compute")]
fn has_sign(outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
    (outputs.sign() * targets.sign()).greater_elem(0.0).float()
}
