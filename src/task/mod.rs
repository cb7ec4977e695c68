//! What is learned: operations, the domain, its split.

mod dataset;
mod prime;

pub use dataset::{Dataset, Row, mirror_of, row_counts, split_units, train_mask};
pub use prime::{is_prime, nearest_prime};
