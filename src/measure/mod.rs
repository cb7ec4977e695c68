//! What happened inside? Pure functions from weights, activations and curves to numbers, in f64 and without burn, so that the
//! page, the command line and the tests read the same measure. Every measure is checked against an oracle (a closed form, the
//! analytic network, Gaussian weights).

mod checkpoint;
mod correlation_ratio;
pub mod delay;
mod discrete_log;
mod fourier;

pub use checkpoint::{CheckpointMeasures, KEY_SHARE_OVER_UNIFORM, key_frequencies, measure_checkpoint};
pub use correlation_ratio::{EtaSquared, correlation_ratio, eta_squared};
pub use discrete_log::powers_of_primitive_root;
pub use fourier::{Spectrum, energies, gini, ipr, spectrum};
