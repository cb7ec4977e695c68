//! Which features were born, turned or died? Sparse crosscoders over the checkpoints of one run.

mod absence;
mod agreement;
mod analysis;
pub mod baseline;
mod by_answer;
pub mod causal;
mod classes;
mod codes;
mod config;
mod directions;
mod explained_variance;
mod fields;
#[cfg(feature = "compute")]
pub mod fit;
mod folds;
mod further;
mod grid_descriptors;
mod group_descriptors;
pub mod interop;
mod latent_scaling;
mod life;
mod logit_effect;
mod null;
mod of_source;
mod origin;
mod pick;
mod planted;
mod presets;
mod result;
mod similarity;
mod source;
mod story;
mod strength;
mod task_cycle;
#[cfg(test)]
pub(crate) mod test_fits;
mod top_inputs;
mod twins;
mod validate;
pub mod views;
mod wave_map;

pub use crate::measure::EtaSquared;
pub use absence::Absence;
pub use agreement::{Agreement, PARTNER_FROM, Partner, agreement, partners};
pub use analysis::{Analysis, AnalysisInput, analyse};
pub use by_answer::{FIRES_FROM, answers_fired_on, centred, correlation, mean_by_answer};
pub use classes::{
    ABSENT_BELOW, DECOUPLED_FROM, PRESENT_ABOVE, REAL_ABSENCE_BELOW, RESIDUE_ABOVE, ROTATED_BELOW, SHARED_FROM, STABLE_FROM,
    TWINS_ABOVE, classify, is_shared, relative_norms,
};
pub use codes::Codes;
pub use config::{CrosscoderConfig, Hook, Mask, Variant};
pub use directions::COSINE_FROM;
pub use explained_variance::explained_variance;
pub use fields::{CROSSCODER_SCHEMA, crosscoder_fields, with_value};
pub use folds::folds;
pub use further::{check_same_inputs, further_steps};
pub use grid_descriptors::{ACTIVE_RESIDUE_FROM, GridDescriptors};
pub use group_descriptors::{GroupDescriptors, RepresentationShare};
pub use logit_effect::logit_effect;
pub use null::{Judged, MADE_UP_ABOVE, Null, PREDICTED_FROM, null_of};
pub use of_source::Decoding;
pub use origin::{ForeignRows, KnownRows, Origin, name_after};
pub use pick::{pick_sources, spread};
pub use planted::{Kind, Planted, PlantedConfig, PlantedFeature, PlantedScore, Recovered, plant};
pub use presets::{CrosscoderPreset, crosscoder_preset, crosscoder_presets};
pub use result::{CrosscoderResult, FitRow, Latent, LatentClass, SourceInfo};
pub use similarity::similarity;
pub use source::{Place, Prepared, Source, prepare};
pub use story::story;
pub use task_cycle::TaskCycle;
pub use top_inputs::{InputSide, TopInput, top_inputs};
pub use twins::Twins;
pub use wave_map::{WaveMap, wave_map};
