//! Who does the work: the conversation with an engine, the run's life-cycle, the choice of engine with its reasons and, where
//! burn is compiled in, the runner that trains, fits and races.

pub mod capability;
#[cfg(feature = "compute")]
mod causal;
#[cfg(feature = "cli")]
mod direct;
#[cfg(feature = "compute")]
mod engines;
#[cfg(feature = "compute")]
mod examiner;
#[cfg(feature = "compute")]
mod examining;
#[cfg(feature = "compute")]
mod fitting;
#[cfg(feature = "compute")]
mod importing;
#[cfg(feature = "compute")]
mod looking;
#[cfg(feature = "compute")]
mod measuring;
pub mod message;
#[cfg(feature = "compute")]
mod networks;
pub mod phase;
#[cfg(feature = "compute")]
mod port;
#[cfg(feature = "compute")]
mod racing;
#[cfg(feature = "compute")]
mod replicas;
#[cfg(feature = "compute")]
mod runner;
#[cfg(feature = "compute")]
mod self_test;
#[cfg(feature = "compute")]
mod set_trying;
#[cfg(feature = "compute")]
mod surveying;
#[cfg(feature = "compute")]
mod theorising;
#[cfg(feature = "compute")]
mod tick;
#[cfg(feature = "compute")]
mod training;
#[cfg(feature = "compute")]
mod trying;

#[cfg(feature = "cli")]
pub use direct::converse;
#[cfg(feature = "compute")]
pub use engines::{Engines, judge};
#[cfg(feature = "compute")]
pub use fitting::activations;
#[cfg(feature = "compute")]
pub use port::Port;
#[cfg(feature = "compute")]
pub use runner::serve;
#[cfg(feature = "compute")]
pub use self_test::{SelfTest, compare_with_cpu};

/// Crate version and target, as summaries and capability cards name it.
pub const BUILD: &str = if cfg!(target_arch = "wasm32") {
    concat!(env!("CARGO_PKG_VERSION"), " wasm32")
} else if cfg!(target_arch = "x86_64") {
    concat!(env!("CARGO_PKG_VERSION"), " x86_64")
} else if cfg!(target_arch = "aarch64") {
    concat!(env!("CARGO_PKG_VERSION"), " aarch64")
} else {
    concat!(env!("CARGO_PKG_VERSION"), " native")
};
