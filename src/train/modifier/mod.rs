//! What is done to weights and gradients around the optimiser: filters, noise, clipping, clamps.
//!
//! Each part is one file here and one line in [`parts`]; all of them are off at their neutral setting and may be switched in
//! the middle of a run. The order of the list is the order in which they act on one thing: the raw gradient is clipped, filtered
//! and projected before penalties join it, because a projection would remove a penalty along the weights and the published
//! filter sees the loss alone; noise comes last, so that nothing smooths the heat bath. Noise is a function of (seed, update),
//! so a resumed run needs no generator state.

mod augment;
mod clip;
mod coupled_l2;
#[cfg(feature = "compute")]
mod draws;
pub mod dropout;
mod freeze;
mod gradient_noise;
mod grokfast;
mod l1;
mod norm_clamp;
#[cfg(feature = "compute")]
mod norms;
mod orthogonal_gradient;
mod pace;
mod sam;
#[cfg(test)]
#[cfg(feature = "compute")]
mod support;
mod update_noise;
mod weight_noise;

pub use augment::{augment, augments};
#[cfg(feature = "compute")]
pub(super) use draws::normals;
pub use pace::{Pace, pace};

use crate::experiment::Experiment;
use crate::experiment::field::{Field, FieldError};
#[cfg(feature = "compute")]
use crate::model::ParameterSpec;
#[cfg(feature = "compute")]
use burn::tensor::{Device, Tensor};

/// A registered part.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Its settings (`training.…`), neutral at their start.
    pub fields: &'static [Field],
    /// Reasons why its settings do not go together with the experiment, with the nearest that do.
    pub check: fn(&Experiment) -> Vec<FieldError>,
    /// The part at work, if its settings are not neutral.
    #[cfg(feature = "compute")]
    pub build: fn(&Experiment) -> Option<Box<dyn Modifier>>,
}

/// All parts, in the order in which they act.
pub fn parts() -> &'static [Part] {
    &[
        dropout::PART,
        augment::PART,
        pace::PART,
        weight_noise::PART,
        sam::PART,
        clip::PART,
        grokfast::PART,
        orthogonal_gradient::PART,
        l1::PART,
        coupled_l2::PART,
        gradient_noise::PART,
        update_noise::PART,
        norm_clamp::PART,
        freeze::PART,
    ]
}

/// Reasons why the parts' settings do not go together with the experiment, with the nearest that do.
pub fn check(experiment: &Experiment) -> Vec<FieldError> {
    parts().iter().flat_map(|part| (part.check)(experiment)).collect()
}

/// The moment of an update.
#[cfg(feature = "compute")]
#[derive(Debug)]
pub struct Moment<'a> {
    /// Number of the update, from 1.
    pub t: u32,
    /// Seed of each replica.
    pub seeds: &'a [u64],
    /// η per replica.
    pub rates: &'a [f64],
    /// The parameters' names and sizes.
    pub specs: &'a [ParameterSpec],
    /// The weights at step 0.
    pub start: &'a [Tensor<3>],
    /// The device of everything here.
    pub device: &'a Device,
}

/// A part at work. Every tensor is `[replica, rows, columns]`, one per parameter in each list.
#[cfg(feature = "compute")]
pub trait Modifier: core::fmt::Debug {
    /// The weights at which the gradient is taken.
    fn before(&mut self, _moment: &Moment<'_>, parameters: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        parameters
    }

    /// Other weights at which the gradient is to be taken again, given the first gradient (sharpness-aware minimisation).
    fn again(&mut self, _moment: &Moment<'_>, _parameters: &[Tensor<3>], _gradients: &[Tensor<3>]) -> Option<Vec<Tensor<3>>> {
        None
    }

    /// The gradients that the optimiser sees.
    fn gradients(&mut self, _moment: &Moment<'_>, _parameters: &[Tensor<3>], gradients: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        gradients
    }

    /// The weights after the update, given those before it.
    fn after(&mut self, _moment: &Moment<'_>, _before: &[Tensor<3>], after: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        after
    }

    /// The state by name, one tensor per parameter in each; what a resume point keeps. Names carry the part's name.
    fn state(&self) -> Vec<(String, Vec<Tensor<3>>)> {
        Vec::new()
    }

    /// Takes back one entry of [`Modifier::state`]; false if it is another part's.
    fn restore(&mut self, _name: &str, _tensors: Vec<Tensor<3>>) -> bool {
        false
    }
}

#[cfg(test)]
#[cfg(feature = "cli")]
mod tests;
