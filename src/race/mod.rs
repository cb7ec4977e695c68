//! Which way is faster? Comparisons of a control and its arms over the same seeds and the same budget.
//!
//! One lucky seed sells any trick: on small tasks the same setting groks after 500 updates or never, by the seed alone. So arms
//! are compared seed by seed, a run that did not make it is counted as such instead of dropped, and a claim needs a test. The
//! room is pure: it says what to run and what came out, and others run it. Rejected: means over the runs that finished, which
//! reward an arm for losing its slow seeds.

mod config;
mod forewarn;
mod measured;
#[cfg(test)]
mod measured_tests;
mod presets;
mod result;
mod statistics;
#[cfg(test)]
mod tests;
mod verdict;

pub use config::{Arm, Criterion, MAX_ARMS, MAX_SEEDS, RACE_SCHEMA, RaceConfig, matched_rate};
pub use forewarn::{Forewarning, Predictor};
pub use measured::{AtEnd, Fluctuation, Spread};
pub use presets::{RacePreset, race_preset, race_presets};
pub use result::{ArmResult, ArmRun, RACE_HEADER, RaceResult, summarise};
pub use statistics::{
    Fall, LogRank, MedianInterval, Observation, Outcome, SignTest, holm, kaplan_meier, log_rank, median_interval, quantile,
    restricted_mean, sign_test,
};
