//! Who does the work: the conversation with an engine, the run's life-cycle, the choice of engine with its reasons and, where
//! burn is compiled in, the runner that trains and fits.

pub mod capability;
pub mod message;
pub mod phase;
