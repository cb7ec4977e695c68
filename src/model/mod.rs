//! What learns: the networks, written so that many of them train as one.
//!
//! Every parameter is a tensor `[replica, rows, columns]` (a bias has one row), so a seed band or a phase diagram is one larger
//! network. A network is one file with a `KIND` and one line in `registry.rs`; names, sizes and checks compile without burn.
//! burn's `Module` was not used: its layers have no replica axis and initialise from the device's generator.

mod activation;
pub mod analytic;
#[cfg(any(test, feature = "compute"))]
mod codes;
mod committee;
mod diagonal;
mod embedding_mlp;
mod encoder_decoder;
mod encoding;
#[cfg(feature = "compute")]
mod forward;
#[cfg(feature = "compute")]
mod inputs;
mod layers;
mod linear;
#[cfg(feature = "compute")]
mod lookup;
mod mlp;
mod network;
mod parameters;
mod parametrisation;
mod registry;
mod transformer;
mod transplant;

#[cfg(test)]
mod tests;

#[cfg(feature = "compute")]
pub use forward::Model;
#[cfg(feature = "compute")]
pub use inputs::Inputs;
#[cfg(feature = "compute")]
pub use lookup::{Pairs, one_hot};
#[cfg(feature = "compute")]
pub use network::{Activations, Network};
pub use network::{Architecture, Shape};
#[cfg(feature = "compute")]
pub(crate) use parameters::lost;
pub use parameters::{ParameterSpec, Role, Start, draw};
#[cfg(feature = "compute")]
pub use parameters::{read, upload};
pub use parametrisation::{common_fields, learning_rate_factors, specs, start};
pub use registry::{architecture_of, architectures, check, floats_per_row, hidden_width, hook_width, parameter_count, shape_of};
pub use transplant::{check_stage, transplant};
