//! What is asked: the experiment, its presets, its timeline, its link.

mod branch;
mod config;
pub mod edit;
pub mod field;
pub mod fields;
pub mod link;
mod logging;
pub mod presets;
pub mod randomness;
pub mod schema;
pub mod settings;
pub mod stage;
pub mod timeline;
pub mod validate;

pub use config::{Experiment, LoggingConfig, ModelConfig, OptimizerConfig, SCHEMA, TaskConfig};
pub use edit::{applying, get, parse_assignment, with_value};
pub use field::{Field, FieldError, FieldKind};
pub use fields::{Kind, fields, kinds_of};
pub use link::Link;
pub use presets::{Expected, Preset, preset, presets};
pub use settings::Settings;
pub use validate::{Counts, activation_bytes, counts, parameters};
