//! How many latents are born at each checkpoint, and how sure that is.
//!
//! Births in one number cannot be laid beside a loss curve, and births that were never confirmed should not look like those that
//! were. A latent that is there from the first source on was born before anybody looked, so it is counted apart.

use crate::crosscoder::{Absence, CrosscoderResult, Latent, LatentClass, SHARED_FROM};

/// What Latent Scaling says of the sources before a birth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BirthVerdict {
    /// It was called absent before, and each of these absences is confirmed.
    Confirmed,
    /// It was called absent before, and some absence is shrinkage, or carried by other latents, or unknown.
    Doubtful,
    /// It was weak before (r < .5) but never called absent (r < .3).
    Grown,
}

impl BirthVerdict {
    /// The surest first.
    pub const ALL: [Self; 3] = [Self::Confirmed, Self::Doubtful, Self::Grown];

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "absence confirmed",
            Self::Doubtful => "absence in doubt",
            Self::Grown => "only weak before",
        }
    }
}

/// Births by group.
#[derive(Debug, Clone, PartialEq)]
pub struct Births<G> {
    /// Groups with at least one birth, and their births per source `[S]`; none can be at the first.
    pub groups: Vec<(G, Vec<u32>)>,
    /// Living latents of which the last stay begins with the first source.
    pub before: u32,
}

/// Births by class.
pub fn births_by_class(fit: &CrosscoderResult) -> Births<LatentClass> {
    births(fit, &LatentClass::ALL, |latent, _| latent.class)
}

/// Births by how sure the absence before is.
pub fn births_by_verdict(fit: &CrosscoderResult) -> Births<BirthVerdict> {
    births(fit, &BirthVerdict::ALL, verdict)
}

fn verdict(latent: &Latent, birth: usize) -> BirthVerdict {
    let before: Vec<Absence> = latent.absences.iter().take(birth).copied().flatten().collect();
    if before.is_empty() {
        BirthVerdict::Grown
    } else if before.iter().all(|absence| *absence == Absence::Confirmed) {
        BirthVerdict::Confirmed
    } else {
        BirthVerdict::Doubtful
    }
}

fn births<G: Copy + PartialEq>(fit: &CrosscoderResult, all: &[G], group: impl Fn(&Latent, usize) -> G) -> Births<G> {
    let sources = fit.sources.len();
    let living = || fit.latents.iter().filter(|latent| latent.class != LatentClass::Dead);
    let mut groups: Vec<(G, Vec<u32>)> = all.iter().map(|group| (*group, vec![0; sources])).collect();
    for latent in living() {
        let Some(birth) = latent.birth.map(|birth| birth as usize).filter(|birth| *birth < sources) else { continue };
        let own = group(latent, birth);
        if let Some((_, counts)) = groups.iter_mut().find(|(known, _)| *known == own) {
            counts[birth] += 1;
        }
    }
    groups.retain(|(_, counts)| counts.iter().any(|count| *count > 0));
    let is_there = |latent: &&Latent| latent.birth.is_none() && latent.relative.first().is_some_and(|r| *r >= SHARED_FROM);
    Births { groups, before: living().filter(is_there).count() as u32 }
}

#[cfg(test)]
mod tests {
    use super::super::super::test_fits::{fit, latent};
    use super::*;
    use LatentClass::{Dead, Emergent, Transient, Vanished};

    #[test]
    fn births_are_counted_at_their_source_and_earlier_ones_apart() {
        let born = |class, birth, absences: &[Option<Absence>]| Latent {
            birth: Some(birth),
            absences: absences.to_vec(),
            ..latent(class, &[0.0, 0.0, 1.0])
        };
        let (sure, shrunk) = (Some(Absence::Confirmed), Some(Absence::Shrunk));
        let latents = vec![
            born(Emergent, 2, &[sure, sure, None]),
            born(Emergent, 2, &[sure, shrunk, None]),
            born(Emergent, 1, &[sure, shrunk, None]),
            born(Transient, 1, &[None, None, shrunk]),
            latent(Vanished, &[1.0, 0.0, 0.0]),
            born(Dead, 1, &[]),
            // Never present: neither born nor there before.
            latent(LatentClass::Unclear, &[0.0, 0.0, 0.0]),
        ];
        let fit = fit(&[0, 1, 2], latents);
        let by_class = births_by_class(&fit);
        assert_eq!(by_class.groups, [(Emergent, vec![0, 1, 2]), (Transient, vec![0, 1, 0])]);
        assert_eq!(by_class.before, 1);
        let by_verdict = births_by_verdict(&fit);
        let expected = [
            // Only what came before the birth counts: the third is shrunk at the source of its birth.
            (BirthVerdict::Confirmed, vec![0, 1, 1]),
            (BirthVerdict::Doubtful, vec![0, 0, 1]),
            (BirthVerdict::Grown, vec![0, 1, 0]),
        ];
        assert_eq!(by_verdict.groups, expected);
    }
}
