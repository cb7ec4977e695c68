//! What should happen? Frameworks for the passage from memorising to understanding, each computed and held against a measurement.
//!
//! A run shows *that* a network grokked. Here is *why* it should: each panel takes an equation, computes what it says of a system
//! (its own small one, or the run on the screen), lays it over what is measured, and names the assumption that fails. Everything
//! is plain loops in f64: a theory that needs a GPU to be evaluated would be another experiment. Rejected: one function per panel
//! and door; panels are a list ([`panels`]) with words, settings and an outcome each, and a door shows any of them.

mod circuit_efficiency;
mod early_late;
mod edge;
mod fourier_network;
mod group_representation;
mod hand;
mod lazy_rich;
mod linear;
mod max_margin_fourier;
mod norm_law;
mod outcome;
mod panel;
mod representation;
mod run;
mod separable;
mod singular;
mod speaks;
mod spread;
mod statistical_physics;
mod survey;

use circuit_efficiency::CircuitEfficiency;
use early_late::EarlyLate;
use edge::Edge;
use fourier_network::FourierNetwork;
use group_representation::GroupRepresentation;
pub use hand::{Handle, Touch};
use lazy_rich::LazyRich;
use linear::Linear;
use max_margin_fourier::MaxMarginFourier;
use norm_law::NormLaw;
pub use outcome::{Assumption, Drawing, Figure, Group, Line, Number, Outcome, Role, Scaled, Segment};
pub use panel::{About, Begun, OfRun, Panel, Theory};
use representation::Representation;
pub use run::RunView;
use separable::Separable;
use singular::Singular;
pub use speaks::{Verdict, speaks_of};
use statistical_physics::StatisticalPhysics;
pub use survey::{Ensemble, MAX_MEMBERS, Member, Part, Survey};

use crate::experiment::edit::distance;
use crate::record::UserError;

/// All panels, in the order in which they are read.
pub fn panels() -> &'static [Panel] {
    const PANELS: &[Panel] = &[
        Panel::of::<Representation>(),
        Panel::of::<GroupRepresentation>(),
        Panel::of::<Separable>(),
        Panel::of::<EarlyLate>(),
        Panel::of::<MaxMarginFourier>(),
        Panel::of::<Linear>(),
        Panel::of::<Edge>(),
        Panel::of::<LazyRich>(),
        Panel::of::<CircuitEfficiency>(),
        Panel::of::<NormLaw>(),
        Panel::of::<StatisticalPhysics>(),
        Panel::of::<Singular>(),
        Panel::of::<FourierNetwork>(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_that_panels_look_at_are_there() {
        for panel in panels() {
            assert!(panel.run_measures.iter().all(|name| crate::measure::measure(name).is_ok()), "{}", panel.about.name);
            assert!(panel.says_of_runs || panel.run_measures.is_empty(), "{}", panel.about.name);
        }
    }

    #[test]
    fn every_choice_of_every_panel_can_be_made_and_left_again() {
        for panel in panels() {
            let start = (panel.start)();
            for field in (panel.fields)(&start).unwrap() {
                let now = field.kind.text(crate::experiment::edit::leaf(&start, field.path).unwrap());
                let options = match field.kind {
                    crate::experiment::FieldKind::Choice(options) => options.iter().map(|option| option.0).collect(),
                    _ => vec![now.as_str()],
                };
                for option in options {
                    let changed = (panel.with)(&start, field.path, option).unwrap();
                    assert_eq!((panel.errors)(&changed).unwrap(), [], "{} {}={option}", panel.about.name, field.path);
                    assert!((panel.with)(&changed, field.path, &now).is_ok(), "{} {}={now}", panel.about.name, field.path);
                }
            }
        }
    }

    #[test]
    fn settings_of_one_side_are_settings() {
        for panel in panels() {
            let start = (panel.start)();
            let known = |path: &&str| crate::experiment::edit::leaf(&start, path).is_some();
            assert!(panel.apart.iter().all(|paths| paths.iter().all(known)), "{}", panel.about.name);
            assert!(panel.about.survey.is_some() || panel.apart.iter().all(|paths| paths.is_empty()), "{}", panel.about.name);
        }
    }

    #[test]
    fn a_panel_promises_a_survey_where_it_has_one() {
        for panel in panels() {
            let survey = (panel.survey)(&(panel.start)()).unwrap();
            assert_eq!(survey.is_some(), panel.about.survey.is_some(), "{}", panel.about.name);
            assert!(survey.is_none_or(|survey| survey.part().is_some() && survey.done() == 0.0), "{}", panel.about.name);
        }
    }
}
