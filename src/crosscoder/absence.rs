//! Is a small norm an absence?
//!
//! "Emergent" claims that a latent was not there before. Two things make the claim false and leave the norm small all the same:
//! the penalty shrank the vector while the data still hold the feature (ν_ε), or other latents took the feature over (ν_r). So
//! each source in which a latent is called absent gets a verdict, and the reader sees which of the two it was. Rejected: one
//! yes or no per latent, which hides the reason.

use super::classes::{ABSENT_BELOW, DECOUPLED_FROM, REAL_ABSENCE_BELOW};
use serde::{Deserialize, Serialize};

/// What Latent Scaling says of a source in which a latent is called absent (Minder et al. 2025).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// ν_ε < .2 and ν_r < .5: truly absent.
    Confirmed,
    /// ν_ε ≥ .2: the penalty shrank what the data still hold (complete shrinkage), whatever ν_r.
    Shrunk,
    /// ν_ε < .2 and ν_r ≥ .5: other latents carry it there (latent decoupling).
    Decoupled,
    /// ν_ε is undefined, or ν_r where it would decide.
    Undefined,
}

/// The verdict per source, all `[sources]`; `None` where the latent is not called absent (relative norm of .3 or more).
pub(super) fn absences(relative: &[f32], nu_epsilon: &[Option<f32>], nu_r: &[Option<f32>]) -> Vec<Option<Absence>> {
    let verdict = |nu_epsilon: Option<f32>, nu_r: Option<f32>| match (nu_epsilon, nu_r) {
        (Some(error), _) if error >= REAL_ABSENCE_BELOW => Absence::Shrunk,
        (Some(_), Some(others)) if others >= DECOUPLED_FROM => Absence::Decoupled,
        (Some(_), Some(_)) => Absence::Confirmed,
        _ => Absence::Undefined,
    };
    let nus = nu_epsilon.iter().zip(nu_r);
    relative.iter().zip(nus).map(|(&r, (&error, &others))| (r < ABSENT_BELOW).then(|| verdict(error, others))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_called_absent_gets_its_verdict() {
        for (relative, nu_epsilon, nu_r, verdict) in [
            (0.29, Some(0.19), Some(0.49), Some(Absence::Confirmed)),
            (0.0, Some(-0.4), Some(-0.4), Some(Absence::Confirmed)),
            (0.0, Some(0.2), Some(0.1), Some(Absence::Shrunk)),
            (0.0, Some(0.2), Some(0.9), Some(Absence::Shrunk)),
            (0.0, Some(0.2), None, Some(Absence::Shrunk)),
            (0.0, Some(0.19), Some(0.5), Some(Absence::Decoupled)),
            (0.0, Some(0.19), None, Some(Absence::Undefined)),
            (0.0, None, Some(0.1), Some(Absence::Undefined)),
            (0.3, Some(0.0), Some(0.0), None),
        ] {
            assert_eq!(absences(&[relative], &[nu_epsilon], &[nu_r]), [verdict], "{relative} {nu_epsilon:?} {nu_r:?}");
        }
    }
}
