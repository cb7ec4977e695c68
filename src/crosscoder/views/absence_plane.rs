//! Where the absences of a fit stand in the plane of the two ν.
//!
//! A count of confirmed latents hides how near the others are to the lines, and whether they miss by shrinkage or because other
//! latents carry them. Each latent is one point, at the source whose absence makes its class: with a point per source a latent
//! that is absent from five would weigh as much as five births.

use crate::crosscoder::{ABSENT_BELOW, CrosscoderResult, DECOUPLED_FROM, Latent, LatentClass, REAL_ABSENCE_BELOW};

/// A latent at the source in which it is called absent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AbsencePoint {
    /// Its index in the dictionary.
    pub latent: u32,
    /// Its class.
    pub class: LatentClass,
    /// The index of the source.
    pub source: usize,
    /// How much of it other latents carry there.
    pub nu_r: f32,
    /// How much of it the reconstruction error there still holds.
    pub nu_epsilon: f32,
}

impl AbsencePoint {
    /// Whether it counts as truly absent: ν_ε < .2 and ν_r < .5.
    pub fn is_confirmed(&self) -> bool {
        self.nu_epsilon < REAL_ABSENCE_BELOW && self.nu_r < DECOUPLED_FROM
    }
}

/// All absences of a fit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AbsencePlane {
    /// One per latent that is absent somewhere and has both ν there.
    pub points: Vec<AbsencePoint>,
    /// Latents that are absent somewhere where a ν is undefined.
    pub undefined: usize,
}

/// The points of all living latents that are absent (relative norm < .3) from some source: the first one for emergent latents, the
/// last for vanished ones, else the one with the smallest norm.
pub fn absence_plane(fit: &CrosscoderResult) -> AbsencePlane {
    let mut plane = AbsencePlane::default();
    for latent in fit.latents.iter().filter(|latent| latent.class != LatentClass::Dead) {
        let Some(source) = deciding_source(latent) else { continue };
        let of = |values: &[Option<f32>]| values.get(source).copied().flatten().filter(|nu| nu.is_finite());
        match (of(&latent.nu_r), of(&latent.nu_epsilon)) {
            (Some(nu_r), Some(nu_epsilon)) => {
                plane.points.push(AbsencePoint { latent: latent.index, class: latent.class, source, nu_r, nu_epsilon });
            }
            _ => plane.undefined += 1,
        }
    }
    plane
}

fn deciding_source(latent: &Latent) -> Option<usize> {
    let last = latent.relative.len().checked_sub(1)?;
    match latent.class {
        LatentClass::Emergent => Some(0),
        LatentClass::Vanished => Some(last),
        _ => {
            let absent = latent.relative.iter().enumerate().filter(|(_, r)| **r < ABSENT_BELOW);
            absent.min_by(|x, y| x.1.total_cmp(y.1)).map(|(source, _)| source)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::test_fits::{fit, latent};
    use super::*;

    #[test]
    fn each_latent_stands_at_the_source_whose_absence_makes_its_class() {
        use LatentClass::{Dead, Emergent, Stable, Transient, Vanished};
        let nus = |class, norms: &[f32]| Latent {
            nu_r: vec![Some(0.0), Some(0.1), Some(0.2)],
            nu_epsilon: vec![Some(0.5), Some(0.6), None],
            ..latent(class, norms)
        };
        let latents = vec![
            nus(Emergent, &[0.1, 0.0, 1.0]),
            nus(Vanished, &[1.0, 0.1, 0.1]),
            nus(Transient, &[0.2, 0.1, 1.0]),
            nus(Stable, &[1.0, 1.0, 1.0]),
            nus(Dead, &[0.1, 0.1, 1.0]),
        ];
        let plane = absence_plane(&fit(&[0, 1, 2], latents));
        let found: Vec<_> = plane.points.iter().map(|p| (p.latent, p.source, p.nu_r, p.nu_epsilon)).collect();
        assert_eq!(found, [(0, 0, 0.0, 0.5), (2, 1, 0.1, 0.6)]);
        assert!(plane.points.iter().all(|point| !point.is_confirmed()), "ν error is above .2 for both");
        assert_eq!(plane.undefined, 1, "the vanished one has no ν in the last source");
    }
}
