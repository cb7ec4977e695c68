//! What a crosscoder has to beat.
//!
//! An explained variance of .9 is nothing by itself: principal components that know no features may reach it with fewer numbers,
//! a Fourier basis written down before the run may, and sparse autoencoders of each checkpoint alone, matched afterwards, may
//! count the same births. Each is computed here on the rows that the crosscoder learned from and judged on the rows that judge
//! it, so that one frontier can hold them all.

mod chains;
mod fourier;
mod frontier;
mod matching;
mod pca;
mod stage;

pub use chains::{Chain, ClassCount, MATCHED_FROM, Matched, SourceLatents, chains, chains_of};
pub use fourier::{FourierBasis, FourierFunction, MAX_FUNCTIONS, Phase, fourier};
pub use frontier::{FrontierPoint, dominated};
pub use matching::assignment;
pub use pca::{MAX_SIDE, pca};
pub use stage::{BaselineInput, Explained};
