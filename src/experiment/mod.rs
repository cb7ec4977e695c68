//! What is asked: the experiment, its presets, its link.

mod config;
pub mod edit;
pub mod fields;
pub mod link;
mod logging;
pub mod presets;
pub mod randomness;
pub mod schema;
pub mod validate;

pub use config::{
    Activation, Experiment, LoggingConfig, LossKind, MlpConfig, ModelConfig, Operation, OptimizerConfig, OptimizerName, SCHEMA,
    Split, TaskConfig, TransformerConfig,
};
pub use edit::{get, parse_assignment, with_value};
pub use fields::{Field, FieldError, FieldKind, fields};
pub use link::Link;
pub use presets::{Expected, Preset, preset, presets};
pub use validate::{Counts, activation_bytes, counts, parameters};
