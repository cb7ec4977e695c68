//! Which features were born, turned or died? Sparse crosscoders over the checkpoints of one run.

mod analysis;
mod classes;
mod config;
mod explained_variance;
mod fields;
#[cfg(feature = "compute")]
pub mod fit;
mod folds;
pub mod interop;
mod latent_scaling;
mod pick;
mod planted;
mod presets;
mod result;
mod source;
mod validate;

pub use crate::measure::EtaSquared;
pub use analysis::{Analysis, AnalysisInput, analyse};
pub use classes::{ABSENT_BELOW, PRESENT_ABOVE, REAL_ABSENCE_BELOW, RESIDUE_ABOVE, SHARED_FROM, classify, relative_norms};
pub use config::{CrosscoderConfig, Hook, Variant};
pub use explained_variance::explained_variance;
pub use fields::{CROSSCODER_SCHEMA, crosscoder_fields, with_value};
pub use folds::folds;
pub use pick::pick_sources;
pub use planted::{Kind, Planted, PlantedConfig, PlantedFeature, PlantedScore, Recovered, plant};
pub use presets::{CrosscoderPreset, crosscoder_preset, crosscoder_presets, null_of};
pub use result::{CrosscoderResult, FitRow, Latent, LatentClass, SourceInfo};
pub use source::{Prepared, Source, prepare};
