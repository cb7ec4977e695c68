//! What should happen? Frameworks for the passage from memorising to understanding, each computed and held against a measurement.
//!
//! A run shows *that* a network grokked. Here is *why* it should: each panel takes an equation, computes what it says of a system
//! (its own small one, or the run on the screen), lays it over what is measured, and names the assumption that fails. Everything
//! is plain loops in f64: a theory that needs a GPU to be evaluated would be another experiment. Rejected: one function per panel
//! and door; panels are a list ([`panels`]) with words, settings and an outcome each, and a door shows any of them.

mod edge;
mod fourier_network;
mod lazy_rich;
mod linear;
pub mod norm_law;
mod outcome;
mod panel;
pub mod representation;
mod run;
pub mod separable;
mod speaks;
mod spread;
mod survey;

use edge::Edge;
pub use fourier_network::FourierNetwork;
pub use lazy_rich::LazyRich;
pub use linear::Linear;
pub use norm_law::NormLaw;
pub use outcome::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, Scaled, Segment};
pub use panel::{About, Begun, OfRun, Panel, Theory};
pub use representation::Representation;
pub use run::RunView;
pub use speaks::{Verdict, speaks_of};
pub use survey::{Ensemble, MAX_MEMBERS, Member, Part, Survey};

use crate::experiment::edit::distance;
use crate::record::UserError;

/// All panels, in the order in which they are read.
pub fn panels() -> &'static [Panel] {
    const PANELS: &[Panel] = &[
        Panel::of::<Representation>(),
        Panel::of::<separable::Separable>(),
        Panel::of::<Linear>(),
        Panel::of::<Edge>(),
        Panel::of::<NormLaw>(),
        Panel::of::<FourierNetwork>(),
        Panel::of::<LazyRich>(),
    ];
    PANELS
}

/// The panel called `name`.
///
/// # Errors
/// An unknown name is answered with the nearest one and the list.
pub fn panel(name: &str) -> Result<&'static Panel, UserError> {
    if let Some(found) = panels().iter().find(|panel| panel.about.name == name) {
        return Ok(found);
    }
    let names: Vec<&str> = panels().iter().map(|panel| panel.about.name).collect();
    let nearest = names.iter().copied().min_by_key(|known| distance(known, name)).unwrap_or_default();
    Err(UserError::new(
        format!("There is no theory panel called \"{name}\""),
        format!("The nearest is {nearest}; all are {}", names.join(", ")),
    ))
}
