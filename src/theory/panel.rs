//! A panel as a list of panels sees it: words, settings, and a function from settings to an outcome, whatever its type.
//!
//! Without this every door would match on panels one by one. The typed side is [`Theory`]; doors speak JSON and text.

use super::{Handle, Outcome, RunView, Survey, Touch};
use crate::experiment::edit::{self, Editable};
use crate::experiment::field::{Field, FieldError};
use crate::record::UserError;
use serde_json::Value;

/// The words of a panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// Name on the command line and in links, e.g. `separable`.
    pub name: &'static str,
    /// Short name for people.
    pub title: &'static str,
    /// One plain sentence: the question that it answers.
    pub question: &'static str,
    /// One paragraph in plain language.
    pub paragraph: &'static str,
    /// The equation, as presentation MathML (a `<math display="block">` element).
    pub equation: &'static str,
    /// Where this breaks: two or three sentences.
    pub breaks: &'static str,
    /// What its survey works out and how long that takes, as the words of a button's title; `None` for a panel without a survey.
    pub survey: Option<&'static str>,
    /// References, one each.
    pub references: &'static [&'static str],
}

/// The settings of a panel, and what follows from them. The default is the most telling case and answers within a second.
pub trait Theory: Editable + Default {
    /// Its words.
    const ABOUT: About;

    /// What follows.
    ///
    /// # Errors
    /// If the settings contradict each other or the theory does not speak of such a system; with the nearest that works.
    fn outcome(&self) -> Result<Outcome, UserError>;

    /// The work that takes longer, see [`Survey`]; `Some` exactly where [`About::survey`] is.
    ///
    /// # Errors
    /// As for [`Theory::outcome`].
    fn survey(&self) -> Begun {
        Ok(None)
    }

    /// Paths of the settings that only the outcome reads.
    const SYSTEM_FIELDS: &'static [&'static str] = &[];

    /// Paths of the settings that only the survey reads.
    const SURVEY_FIELDS: &'static [&'static str] = &[];

    /// The figure whose points a hand may move, if there is one.
    const MOVABLE: Option<&'static str> = None;

    /// The points of that figure, in an order that [`Theory::touched`] knows.
    ///
    /// # Errors
    /// If the settings name none.
    fn handles(&self) -> Result<Vec<Handle>, UserError> {
        Ok(Vec::new())
    }

    /// The settings after a hand was at the point `at`.
    ///
    /// # Errors
    /// If the point cannot be where it is put, or is the last one.
    fn touched(&self, _at: usize, _touch: Touch) -> Result<Self, UserError> {
        Err(UserError::new("No point of this panel can be moved", "Change its settings"))
    }

    /// What the theory says of a run of the laboratory, where it says something of such a run at all.
    const OF_RUN: Option<OfRun> = None;

    /// Names of the measures that this looks at, see `measure::measures`; it may need them or only say more with them.
    const RUN_MEASURES: &'static [&'static str] = &[];
}

/// A survey at its start, if there is one; or why it cannot begin.
pub type Begun = Result<Option<Box<dyn Survey>>, UserError>;

/// What follows for a run.
///
/// # Errors
/// If the theory does not speak of it, or not yet; with what is missing.
pub type OfRun = fn(&RunView<'_>) -> Result<Outcome, UserError>;

/// A panel of any type. Settings are JSON objects with all settings that apply.
#[derive(Debug, Clone, Copy)]
pub struct Panel {
    /// Its words.
    pub about: About,
    /// Settings at the start.
    pub start: fn() -> Value,
    /// What is wrong with each setting by itself.
    pub errors: fn(&Value) -> Result<Vec<FieldError>, UserError>,
    /// The rows of the settings' table that apply.
    pub fields: fn(&Value) -> Result<Vec<&'static Field>, UserError>,
    /// Paths of the settings that only the outcome reads, and of those that only the survey reads.
    pub apart: [&'static [&'static str]; 2],
    /// Changes the setting at a path, given as typed text.
    pub with: fn(&Value, &str, &str) -> Result<Value, UserError>,
    /// The figure whose points a hand may move.
    pub movable: Option<&'static str>,
    /// Its points.
    pub handles: fn(&Value) -> Result<Vec<Handle>, UserError>,
    /// The settings after a hand was at one of them.
    pub touched: fn(&Value, usize, Touch) -> Result<Value, UserError>,
    /// What follows from the settings. The page asks its worker instead, and holds words and settings but none of the science.
    #[cfg(not(all(feature = "page", target_arch = "wasm32")))]
    pub outcome: fn(&Value) -> Result<Outcome, UserError>,
    /// The work that takes longer.
    #[cfg(not(all(feature = "page", target_arch = "wasm32")))]
    pub survey: fn(&Value) -> Begun,
    /// Whether it says something of single runs of the laboratory.
    pub says_of_runs: bool,
    /// Measures of the run's checkpoints that this looks at.
    pub run_measures: &'static [&'static str],
    /// What follows for a run.
    #[cfg(not(all(feature = "page", target_arch = "wasm32")))]
    pub of_run: Option<OfRun>,
}

impl Panel {
    /// The panel of a type.
    pub(super) const fn of<T: Theory>() -> Self {
        Self {
            about: T::ABOUT,
            start: || edit::full(&T::default()),
            errors: |settings| Ok(edit::check_ranges(&read::<T>(settings)?)),
            fields: |settings| Ok(edit::applying(&read::<T>(settings)?)),
            apart: [T::SYSTEM_FIELDS, T::SURVEY_FIELDS],
            movable: T::MOVABLE,
            handles: |settings| read::<T>(settings)?.handles(),
            touched: |settings, at, touch| Ok(edit::full(&read::<T>(settings)?.touched(at, touch)?)),
            with: |settings, path, text| Ok(edit::full(&edit::replace(&read::<T>(settings)?, path, text)?)),
            #[cfg(not(all(feature = "page", target_arch = "wasm32")))]
            outcome: |settings| checked::<T>(settings)?.outcome(),
            #[cfg(not(all(feature = "page", target_arch = "wasm32")))]
            survey: |settings| checked::<T>(settings)?.survey(),
            says_of_runs: T::OF_RUN.is_some(),
            run_measures: T::RUN_MEASURES,
            #[cfg(not(all(feature = "page", target_arch = "wasm32")))]
            of_run: T::OF_RUN,
        }
    }
}

#[cfg(not(all(feature = "page", target_arch = "wasm32")))]
fn checked<T: Theory>(settings: &Value) -> Result<T, UserError> {
    let theory = read::<T>(settings)?;
    let errors = edit::check_ranges(&theory);
    if errors.is_empty() { Ok(theory) } else { Err(errors.into()) }
}

fn read<T: Theory>(settings: &Value) -> Result<T, UserError> {
    serde_json::from_value(settings.clone()).map_err(|e| {
        UserError::new(format!("These are no settings of {} ({e})", T::ABOUT.name), "Start from the panel's own settings")
    })
}
