//! Answering what follows from a theory: plain loops of under a second, made here so that the page's thread never makes them.
//!
//! It is one piece of work and not a queue of slices like a fit: panels promise to be quick, and cutting them up would put an
//! engine's rhythm into formulas. The page sends one question at a time, so a run waits for at most one of them.

use crate::record::UserError;
use crate::theory::{Outcome, RunView, panel};

/// The outcome of the panel called `name` with `settings`, which are JSON.
pub(super) fn theorise(name: &str, settings: &str) -> Result<Outcome, UserError> {
    (panel(name)?.outcome)(&read(name, settings)?)
}

/// What the theory of the panel called `name` says of a run.
pub(super) fn theorise_run(name: &str, run: &RunView<'_>) -> Result<Outcome, UserError> {
    let of_run = panel(name)?.of_run;
    let of_run = of_run.ok_or_else(|| UserError::new(format!("{name} says nothing of single runs"), "Ask for its outcome"))?;
    of_run(run)
}

/// The settings of the panel called `name`.
pub(super) fn read(name: &str, settings: &str) -> Result<serde_json::Value, UserError> {
    serde_json::from_str(settings)
        .map_err(|error| UserError::new(format!("The settings of {name} are no JSON ({error})"), "Start from the panel's own"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::message::{Event, decode, encode};

    #[test]
    fn an_outcome_travels_as_it_was_found_also_what_is_no_number() {
        let settings = r#"{"schema":1,"dimension":2,"draws":20,"shift":0.0,"seed":3}"#;
        let mut outcome = theorise("edge", settings).unwrap();
        let event = Event::Theory("edge".into(), outcome.clone());
        assert_eq!(decode::<Event>(&encode(&event).unwrap()).unwrap(), event);
        outcome.numbers[0].value = f64::NAN;
        let sent: Event = decode(&encode(&Event::Theory("edge".into(), outcome)).unwrap()).unwrap();
        assert!(matches!(sent, Event::Theory(_, outcome) if outcome.numbers[0].value.is_nan()));
    }

    #[test]
    fn unknown_panels_and_settings_out_of_range_are_refused_with_what_works() {
        assert!(theorise("egde", "{}").unwrap_err().remedy.contains("edge"));
        let error = theorise("edge", r#"{"schema":1,"dimension":0,"draws":20,"shift":0.0,"seed":3}"#).unwrap_err();
        assert!(error.cause.contains("dimension") && error.remedy.contains('2'), "{error}");
        assert!(theorise("edge", "no").is_err());
    }
}
