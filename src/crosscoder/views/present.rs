//! How many of the active latents belong to each checkpoint.
//!
//! One code serves all sources, so a fit has one L0; but a latent without a decoder vector at a source writes nothing there. The
//! share that counts there is what makes checkpoints comparable.

use crate::crosscoder::{CrosscoderResult, SHARED_FROM};

/// Mean over all inputs of the latents that fire and are present (r ≥ .5) at each source, `[S]`.
pub fn active_and_present(fit: &CrosscoderResult) -> Vec<f64> {
    let at = |source: usize| {
        let is_present = |relative: &[f32]| relative.get(source).is_some_and(|r| *r >= SHARED_FROM);
        fit.latents.iter().filter(|latent| is_present(&latent.relative)).map(|latent| f64::from(latent.density)).sum()
    };
    (0..fit.sources.len()).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::test_fits::{fit, latent};
    use super::*;
    use crate::crosscoder::{Latent, LatentClass};

    #[test]
    fn densities_of_the_present_add_up_to_the_mean_of_active_ones() {
        let with = |norms: &[f32], density| Latent { density, ..latent(LatentClass::Unclear, norms) };
        let latents = vec![with(&[1.0, 0.5], 0.25), with(&[0.1, 1.0], 0.5), with(&[1.0, 0.4], 0.125)];
        assert_eq!(active_and_present(&fit(&[0, 1], latents)), [0.375, 0.75]);
    }
}
