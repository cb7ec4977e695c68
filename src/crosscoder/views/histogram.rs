//! How norms and directions are spread over the latents, between any two checkpoints.
//!
//! Three humps (only here, both, only there) are what crosscoders are known by, and a threshold on them means something only where
//! there is a valley. Classes look at all sources at once; a pair shows between which two something turned.

use crate::crosscoder::{CrosscoderResult, Latent, LatentClass, SHARED_FROM};

fn living(fit: &CrosscoderResult) -> impl Iterator<Item = &Latent> {
    fit.latents.iter().filter(|latent| latent.class != LatentClass::Dead)
}

/// n_to / (n_from + n_to) of each living latent with its class, for the sources with the indices `from` and `to`: 0 only in the
/// first, ½ equally long in both, 1 only in the second. Norms are in raw activation units.
pub fn norm_shares(fit: &CrosscoderResult, from: usize, to: usize) -> Vec<(LatentClass, f32)> {
    let share = |latent: &Latent| {
        let (a, b) = (*latent.norms.get(from)?, *latent.norms.get(to)?);
        (a + b > 0.0).then_some((latent.class, b / (a + b)))
    };
    living(fit).filter_map(share).collect()
}

/// Cosines between the decoder vectors of the two sources, with the class, of each living latent that is present (r ≥ .5) in both.
pub fn pair_cosines(fit: &CrosscoderResult, from: usize, to: usize) -> Vec<(LatentClass, f32)> {
    let sources = fit.sources.len();
    let is_present = |latent: &&Latent| [from, to].iter().all(|s| latent.relative.get(*s).is_some_and(|r| *r >= SHARED_FROM));
    let cosine = |latent: &Latent| Some((latent.class, latent.cosines.get(from * sources + to).copied().flatten()?));
    living(fit).filter(is_present).filter_map(cosine).collect()
}

/// How many `values` lie in each of `bins` equal parts of `low..=high`; a value on an edge belongs to the part above it, `high`
/// to the last. What lies outside is left out.
pub fn histogram(values: impl IntoIterator<Item = f32>, (low, high): (f32, f32), bins: usize) -> Vec<u32> {
    let mut counts = vec![0; bins];
    for value in values {
        if bins > 0 && value >= low && value <= high {
            let place = f64::from(value - low) / f64::from(high - low) * bins as f64;
            counts[(place as usize).min(bins - 1)] += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::super::super::test_fits::{fit, latent};
    use super::*;
    use LatentClass::{Dead, Emergent, Stable, Vanished};

    #[test]
    fn every_value_is_in_one_part_and_the_ends_belong_to_the_range() {
        assert_eq!(histogram([0.0, 0.24, 0.25, 0.5, 0.99, 1.0], (0.0, 1.0), 4), [2, 1, 1, 2]);
        assert_eq!(histogram([-1.0, 0.0, 1.0], (-1.0, 1.0), 2), [1, 2]);
        assert_eq!(histogram([-0.1, 1.1, f32::NAN], (0.0, 1.0), 3), [0, 0, 0]);
        assert!(histogram([0.5], (0.0, 1.0), 0).is_empty());
    }

    #[test]
    fn a_share_of_one_half_is_shared_and_the_ends_are_exclusive() {
        let latents = vec![
            latent(Emergent, &[0.0, 5.0, 2.0]),
            latent(Vanished, &[3.0, 5.0, 0.0]),
            latent(Stable, &[1.5, 5.0, 0.5]),
            latent(Dead, &[1.0, 1.0, 1.0]),
            latent(Stable, &[0.0, 5.0, 0.0]),
        ];
        assert_eq!(norm_shares(&fit(&[0, 1, 2], latents), 0, 2), [(Emergent, 1.0), (Vanished, 0.0), (Stable, 0.25)]);
    }

    #[test]
    fn only_latents_that_are_present_in_both_have_a_cosine_there() {
        let with = |norms: &[f32], cosine| Latent {
            cosines: vec![Some(1.0), Some(cosine), Some(cosine), Some(1.0)],
            ..latent(Stable, norms)
        };
        let latents = vec![with(&[1.0, 0.5], -0.25), with(&[1.0, 0.49], 0.9), latent(Stable, &[1.0, 1.0])];
        assert_eq!(pair_cosines(&fit(&[0, 1], latents), 0, 1), [(Stable, -0.25)]);
    }
}
