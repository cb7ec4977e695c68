//! What is asked: the experiment, its presets, its link.

mod config;
pub mod randomness;

pub use config::{
    Activation, Experiment, LoggingConfig, LossKind, MlpConfig, ModelConfig, Operation, OptimizerConfig, OptimizerName, SCHEMA,
    Split, TaskConfig, TransformerConfig,
};
