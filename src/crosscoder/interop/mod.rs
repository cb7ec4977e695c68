//! Dictionaries and activations to and from other programs.
//!
//! Without this room a fit could only be looked at where it was made, and only networks trained here could be looked at. Every
//! layout is read into one [`Dictionary`], so that a rule of inference (which latents fire) is written down once and tested
//! once. Pickled files are refused by their first bytes: reading one runs the code inside it.

mod dictionary;
mod external;
mod fold;
mod kissane;
mod layout;
mod native;
mod opening;
mod openmoss;
mod saelens;
mod tensors;

pub use dictionary::{Dictionary, Nonlinearity, Scaling};
pub use external::ExternalActivations;
pub use layout::{Layout, import};
pub use opening::{Foreign, recognise, settings_beside};
pub use saelens::saelens_files;
