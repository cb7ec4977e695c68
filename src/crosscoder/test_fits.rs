//! A fit to try things on: nothing in it but what a test puts there. Built once, so that a new field of a result is one more line here
//! and not one in every test.

use crate::crosscoder::{CrosscoderResult, Latent, LatentClass, SourceInfo, crosscoder_preset};

/// A fit with sources at the given steps and the given latents, numbered in their order; no activations, no weights.
pub fn fit(steps: &[u32], latents: Vec<Latent>) -> CrosscoderResult {
    let source = |step: &u32| SourceInfo { step: *step, width: 2, scale: 1.0, gamma: 0.0, hook: None, run: None };
    let numbered = |(index, latent)| Latent { index: index as u32, ..latent };
    CrosscoderResult {
        config: crosscoder_preset("births").unwrap().config.clone(),
        sources: steps.iter().map(source).collect(),
        curves: Vec::new(),
        explained_variance: Vec::new(),
        predicted: Vec::new(),
        l0: 0.0,
        l0_per_source: Vec::new(),
        l0_quantiles: [0.0; 2],
        alive: 0,
        shared: 0,
        emergent: 0,
        emergent_confirmed: 0,
        vanished: 0,
        residue_energy_share: 0.0,
        latents: (0..).zip(latents).map(numbered).collect(),
        causal: None,
        twins: Vec::new(),
        baselines: Vec::new(),
        origin: None,
        wall_seconds: 0.0,
        activations: Vec::new(),
        weights: Vec::new(),
    }
}

/// A latent of a class with these norms.
pub fn latent(class: LatentClass, norms: &[f32]) -> Latent {
    let relative = crate::crosscoder::relative_norms(norms);
    Latent { class, norms: norms.to_vec(), relative, ..Latent::default() }
}
