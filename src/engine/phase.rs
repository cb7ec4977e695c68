//! The run's life-cycle as a pure state machine: which command is legal when, and what it leads to.

use super::message::Command;
use crate::record::UserError;
use serde::{Deserialize, Serialize};

/// Where a run is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Phase {
    /// Nothing was started.
    #[default]
    Idle,
    /// Updates are being made.
    Running,
    /// Held; can go on.
    Paused,
    /// All steps made, or stopped by the user.
    Finished,
    /// Ended by a non-finite loss or an engine error.
    Failed,
}

impl Phase {
    /// The phase after `command`, or why it is refused here. Commands about fits, races, measures and theories leave the phase alone.
    ///
    /// # Errors
    /// Cause and remedy when the command makes no sense in this phase.
    pub fn after(self, command: &Command) -> Result<Self, UserError> {
        match (self, command) {
            (Self::Running | Self::Paused, Command::Start { .. }) => {
                Err(UserError::new("A run is already under way", "Stop it first; what it has recorded is kept"))
            }
            (_, Command::Start { .. }) => Ok(Self::Running),
            (Self::Running | Self::Paused, Command::Pause) => Ok(Self::Paused),
            (Self::Running | Self::Paused, Command::Continue | Command::Step(_)) => Ok(Self::Running),
            (Self::Running | Self::Paused, Command::Stop) => Ok(Self::Finished),
            (phase @ (Self::Running | Self::Paused), Command::Intervene(_)) => Ok(phase),
            (
                phase,
                Command::Fit { .. }
                | Command::FitActivations { .. }
                | Command::OpenDictionary { .. }
                | Command::PauseFit
                | Command::ContinueFit
                | Command::CancelFit
                | Command::Race { .. }
                | Command::CancelRace
                | Command::Measure(..)
                | Command::CancelMeasures
                | Command::Compare(..)
                | Command::Try(..)
                | Command::TrySet(..)
                | Command::Agree(_)
                | Command::CancelSet
                | Command::Look(..)
                | Command::Theorise { .. }
                | Command::TheoriseRun { .. }
                | Command::Survey { .. }
                | Command::CancelSurvey,
            ) => Ok(phase),
            (_, Command::Pause | Command::Continue | Command::Step(_) | Command::Stop | Command::Intervene(_)) => {
                Err(UserError::new("No run is under way", "Press Start first"))
            }
        }
    }

    /// Whether a run holds the engine.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }
}
