//! Which features were born, turned or died? Sparse crosscoders over the checkpoints of one run.

mod config;
mod result;

pub use config::{CrosscoderConfig, Hook, Variant};
pub use result::{CrosscoderResult, EtaSquared, FitRow, Latent, LatentClass, SourceInfo};
