//! How it learns: losses, optimisers, what acts around them, the step, the earlier stage, evaluation on all rows.
//!
//! What can be chosen (names, settings, checks) is known without burn, because the page reads it; what computes is compiled
//! with burn only.

mod action;
#[cfg(feature = "compute")]
mod batch;
#[cfg(feature = "compute")]
mod data;
#[cfg(feature = "compute")]
mod evaluation;
#[cfg(feature = "compute")]
mod gradient;
mod loss;
pub mod modifier;
#[cfg(feature = "compute")]
mod motion;
pub mod optimizer;
mod schedule;
#[cfg(feature = "compute")]
mod stage;
#[cfg(feature = "compute")]
mod trainer;

pub use action::{ActionKind, actions};
pub use loss::{LossKind, losses, objective_fields, outputs};
pub use modifier::{Part, parts};
pub use optimizer::{Decay, OptimizerKind, optimizers};
pub use schedule::{learning_rate, schedule_fields};

#[cfg(feature = "compute")]
pub use batch::{Batch, HostRows};
#[cfg(feature = "compute")]
pub use evaluation::Readings;
#[cfg(feature = "compute")]
pub use gradient::{Extras, gradients};
#[cfg(feature = "compute")]
pub use loss::{Loss, Objective};
#[cfg(feature = "compute")]
pub use motion::Motion;
#[cfg(feature = "compute")]
pub use optimizer::{AdamW, Optimizer, Update};
#[cfg(feature = "compute")]
pub use stage::Stage;
#[cfg(feature = "compute")]
pub use trainer::Trainer;

use crate::experiment::{Experiment, FieldError};
use crate::record::UserError;

/// What keeps an experiment from being trained as its settings say.
pub fn check(experiment: &Experiment) -> Vec<FieldError> {
    let classes = crate::task::rule_of(experiment).map_or(0, |rule| rule.sizes().classes as usize);
    let mut errors = loss::check(experiment, classes);
    errors.extend(schedule::check_schedule(experiment));
    errors.extend(modifier::check(experiment));
    errors
}

/// Whether an action and its arguments make sense for this experiment.
///
/// # Errors
/// An unknown name is answered with the list; wrong arguments with how the action is written.
pub fn check_action(name: &str, arguments: &[&str], experiment: &Experiment) -> Result<(), UserError> {
    match actions().iter().find(|action| action.name == name) {
        Some(action) => (action.check)(arguments, experiment),
        None => {
            let all: Vec<&str> = ["set", "ramp"].into_iter().chain(actions().iter().map(|action| action.name)).collect();
            Err(UserError::new(format!("There is no action called \"{name}\""), format!("Use {}", all.join(", "))))
        }
    }
}
