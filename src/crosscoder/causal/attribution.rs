//! What each latent does to the loss, by gradients: all of them at the price of a few backward passes.
//!
//! Taking latents out one at a time is exact and costs a forward pass each; a gradient at the activation itself says nothing where
//! the loss is flat, as it is for a network that answers everything rightly. Integrated gradients (Sundararajan et al. 2017) fade
//! all latents in together, so their parts add up to what all of them do, which is checked and reported. They are still a
//! first-order story about a path: [`Single`] sets some of them beside the exact removal.

use super::Effect;
use super::insert::{Anatomy, Insert, Replacement};
use super::probes::counts;
use crate::measure::rank_correlation;
use serde::{Deserialize, Serialize};

/// Points of the path from no latent to all, midpoints of equal parts.
pub const PATH_POINTS: u32 = 8;
/// Latents per source that are also taken out exactly: so many of the largest attribution, and so many spread over the others.
const LARGEST: usize = 12;
const SPREAD: usize = 12;

/// What each latent does at one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    /// Index of the source.
    pub source: u32,
    /// Integrated gradient of each latent `[m]`: by how much the test loss would rise without it, nats.
    pub effects: Vec<f32>,
    /// Rise of the test loss without all latents, measured: what the effects should add up to.
    pub of_all: f64,
}

/// A latent whose attribution was checked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Single {
    /// The latent.
    pub latent: u32,
    /// Index of the source.
    pub source: u32,
    /// What the gradients say.
    pub attributed: f64,
    /// Rise of the test loss without it, measured.
    pub rise: f64,
}

/// How the network answers with only the latents of the largest attributions, and without them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranked {
    /// Index of the source.
    pub source: u32,
    /// (n, effect) with only the n latents whose removal would raise the test loss most by their attribution, and the dictionary's
    /// error.
    pub keep: Vec<(u32, Effect)>,
    /// (n, effect) without these.
    pub remove: Vec<(u32, Effect)>,
}

/// What to put in for [`Ranked`]: for n = 1, 2, 4, … (n, whether the first n are kept, insert). Latents go by signed effect, so that
/// one whose removal would help comes last.
pub fn ranked_inserts(effects: &[f32], alive: &[u32]) -> Vec<(u32, bool, Insert)> {
    let mut order = alive.to_vec();
    order.sort_by(|a, b| effects[*b as usize].total_cmp(&effects[*a as usize]));
    let without = |set: &[u32]| Insert::Without(set.to_vec(), Replacement::Zero);
    let both = |n: usize| [(n as u32, true, without(&order[n..])), (n as u32, false, without(&order[..n]))];
    counts(order.len()).into_iter().flat_map(both).collect()
}

impl Anatomy {
    /// `[rows, d]` of source `source` with `share` of what its latents contribute; the dictionary's error and bias stay.
    pub fn faded(&self, source: usize, share: f64) -> Vec<f32> {
        let width = self.sources[source].width;
        let latents = self.decoders[source].len() / width;
        let codes = self.codes.of(source);
        let all: Vec<u32> = (0..latents as u32).collect();
        let mut out = self.sources[source].values.clone();
        self.add(&mut out, source, &all, |row, latent| (share as f32 - 1.0) * codes[row * latents + latent]);
        out
    }

    /// Adds −Σ_n f_ni⟨g_n, D_i⟩/[`PATH_POINTS`] to `effects` `[m]`: one point's part, where `slopes` `[rows, d]` are the gradients g
    /// of the loss at that point. Costs d operations per active code.
    pub fn attribute(&self, source: usize, slopes: &[f32], effects: &mut [f64]) {
        let width = self.sources[source].width;
        let latents = self.decoders[source].len() / width;
        let decoder = &self.decoders[source];
        for (g, codes) in slopes.chunks_exact(width).zip(self.codes.of(source).chunks_exact(latents)) {
            for (latent, &f) in codes.iter().enumerate().filter(|(_, f)| **f != 0.0) {
                let along: f64 =
                    g.iter().zip(&decoder[latent * width..][..width]).map(|(&g, &d)| f64::from(g) * f64::from(d)).sum();
                effects[latent] -= f64::from(f) * along / f64::from(PATH_POINTS);
            }
        }
    }
}

/// Which latents are also taken out exactly: those of the largest effects, and as many spread evenly over the others that fire.
pub fn checked(effects: &[f32], alive: &[u32]) -> Vec<u32> {
    let mut order = alive.to_vec();
    order.sort_by(|a, b| effects[*b as usize].abs().total_cmp(&effects[*a as usize].abs()));
    let (largest, others) = order.split_at(LARGEST.min(order.len()));
    let spread = others.iter().step_by(others.len().div_ceil(SPREAD).max(1));
    largest.iter().chain(spread).copied().collect()
}

/// Share of the variance of the measured rises that the attributions explain, 1 − Σ(rise − attributed)²/Σ(rise − mean)²; it may be
/// below 0. `None` for fewer than three, or rises that are all alike.
pub fn agreement_of(singles: &[Single]) -> Option<f64> {
    let mean = singles.iter().map(|s| s.rise).sum::<f64>() / singles.len().max(1) as f64;
    let total: f64 = singles.iter().map(|s| (s.rise - mean) * (s.rise - mean)).sum();
    let missed: f64 = singles.iter().map(|s| (s.rise - s.attributed) * (s.rise - s.attributed)).sum();
    (singles.len() > 2 && total > 0.0).then(|| 1.0 - missed / total)
}

/// Spearman's rank correlation of the sizes of attributions and measured rises: whether the gradients at least find the latents that
/// matter. `None` for fewer than three, or sizes that are all alike.
pub fn rank_agreement_of(singles: &[Single]) -> Option<f64> {
    rank_correlation(&singles.iter().map(|s| (s.attributed.abs(), s.rise.abs())).collect::<Vec<_>>())
}

/// Each source's share of what a latent does over all of them, |effect|/Σ|effect| (the relative indirect effect of Bayazit et al.
/// 2025): `[sources of attributions]`, zeros where it does nothing.
pub fn relative_effects(attributions: &[Attribution], latent: usize) -> Vec<f32> {
    let sizes: Vec<f32> = attributions.iter().map(|a| a.effects.get(latent).copied().unwrap_or(0.0).abs()).collect();
    let sum: f32 = sizes.iter().sum();
    sizes.into_iter().map(|size| if sum > 0.0 { size / sum } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::codes::Codes;
    use super::super::super::source::{Place, Source};
    use super::*;

    /// One source of width 2 with latents along the axes, three rows, and an error of one half in the second coordinate.
    fn anatomy() -> Anatomy {
        let codes = vec![1.0, 0.0, 2.0, 1.0, 0.0, 3.0];
        let decoder = vec![1.0, 0.0, 0.0, 2.0];
        let values = codes.chunks(2).flat_map(|f| [f[0], 2.0 * f[1] + 0.5]).collect();
        let source = Source { step: 0, width: 2, values, place: Place::default() };
        Anatomy { sources: vec![source], codes: Codes::shared(codes), decoders: vec![decoder], biases: vec![vec![0.0; 2]] }
    }

    #[test]
    fn effects_are_exact_where_the_loss_is_a_square_and_add_up_to_that_of_all() {
        // L(x) = Σ_n (3 − x₁)² + x₂: the integral of the gradient along the path is the difference of the ends.
        let anatomy = anatomy();
        let loss = |x: &[f32]| x.chunks(2).map(|x| f64::from((3.0 - x[0]).powi(2) + x[1])).sum::<f64>();
        let mut effects = vec![0.0; 2];
        for point in 0..PATH_POINTS {
            let x = anatomy.faded(0, (f64::from(point) + 0.5) / f64::from(PATH_POINTS));
            let slopes: Vec<f32> = x.chunks(2).flat_map(|x| [-2.0 * (3.0 - x[0]), 1.0]).collect();
            anatomy.attribute(0, &slopes, &mut effects);
        }
        let of_all = loss(&anatomy.faded(0, 0.0)) - loss(&anatomy.faded(0, 1.0));
        assert!((effects.iter().sum::<f64>() - of_all).abs() < 1e-5, "{effects:?} {of_all}");
        // Coordinates are apart here, so each part is the exact removal: (9 − 4) + (9 − 1) and −2·(1 + 3).
        assert!((effects[0] - 13.0).abs() < 1e-5 && (effects[1] + 8.0).abs() < 1e-5, "{effects:?}");
        assert_eq!(anatomy.faded(0, 1.0), anatomy.sources[0].values);
        assert_eq!(anatomy.faded(0, 0.0), [0.0, 0.5].repeat(3));
    }

    #[test]
    fn checks_cover_the_largest_and_the_small() {
        let effects: Vec<f32> = (0..100).map(|i| if i % 2 == 0 { i as f32 } else { -(i as f32) }).collect();
        let alive: Vec<u32> = (0..90).collect();
        let found = checked(&effects, &alive);
        assert_eq!(found[..3], [89, 88, 87]);
        assert!(found.len() <= LARGEST + SPREAD && found.iter().any(|latent| *latent < 20), "{found:?}");
        assert_eq!(checked(&effects, &[4, 2]), [4, 2]);
    }

    #[test]
    fn ranks_go_by_signed_effect_and_keep_what_they_do_not_remove() {
        let inserts = ranked_inserts(&[0.1, -5.0, 3.0, 0.0, 0.2], &[0, 1, 2, 4]);
        let without = |set: &[u32]| Insert::Without(set.to_vec(), Replacement::Zero);
        let expected = [
            (1, true, without(&[4, 0, 1])),
            (1, false, without(&[2])),
            (2, true, without(&[0, 1])),
            (2, false, without(&[2, 4])),
        ];
        assert_eq!(inserts, expected);
    }

    #[test]
    fn agreement_and_shares_have_their_closed_forms() {
        let single = |attributed, rise| Single { latent: 0, source: 0, attributed, rise };
        assert_eq!(agreement_of(&[single(1.0, 1.0), single(2.0, 2.0), single(4.0, 4.0)]), Some(1.0));
        assert_eq!(agreement_of(&[single(2.0, 1.0), single(2.0, 2.0), single(2.0, 3.0)]), Some(0.0));
        assert_eq!(agreement_of(&[single(1.0, 1.0); 3]), None);
        assert_eq!(rank_agreement_of(&[single(1.0, 1e-6), single(-2.0, 2e-6), single(4.0, 1.0)]), Some(1.0));
        let of = |effect: f32| Attribution { source: 0, effects: vec![0.0, effect], of_all: 0.0 };
        assert_eq!(relative_effects(&[of(-1.0), of(3.0)], 1), [0.25, 0.75]);
        assert_eq!(relative_effects(&[of(-1.0), of(3.0)], 0), [0.0, 0.0]);
    }
}
