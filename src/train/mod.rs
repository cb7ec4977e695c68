//! How it learns: losses, the optimiser, the step, evaluation on the whole grid.

mod adamw;
mod batch;
mod loss;
mod trainer;

pub use adamw::{AdamW, AdamWSettings};
pub use batch::Batch;
pub use loss::{correct, per_row, slope};
pub use trainer::{Readings, Trainer, gradients};
