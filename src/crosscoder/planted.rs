//! Data whose features are known, to see whether a fit finds them.
//!
//! On a real network nobody knows the true features, so a crosscoder that invents births looks like one that finds them. Here
//! x^s = Σ_i a_i·g_i^s·u_i^s + noise with chosen strengths g. The score matches one latent to one feature: without that, one
//! latent could be credited for several features.

use super::classes::{SHARED_FROM, relative_norms};
use super::source::{Place, Source};
use crate::experiment::randomness::{Purpose, Stream};
use crate::record::UserError;

/// Strength of a weak-early feature before it is fully there. Below the threshold of presence: it counts as absent, and only
/// its profile (or ν_ε) tells it from an emergent one.
const WEAK: f32 = 0.3;
/// A feature is found when the cosine with its latent's decoder exceeds this in the source where it is strongest.
const FOUND_ABOVE: f64 = 0.9;

/// The life of a planted feature over the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Same direction and strength 1 in every source.
    Shared,
    /// Strength 1 in every source, with its own random direction in each.
    Rotated,
    /// Absent before a drawn source (not the first), then strength 1.
    Emergent,
    /// Strength 1 before a drawn source (not the first), then absent.
    Vanished,
    /// Strength 1 in a drawn window without the first and last source.
    Transient,
    /// Strength .3 in the first half of the sources, then 1.
    WeakEarly,
}

/// What to plant.
#[derive(Debug, Clone, PartialEq)]
pub struct PlantedConfig {
    /// Root of the random streams.
    pub seed: u64,
    /// Sources S.
    pub sources: usize,
    /// Width d of every source.
    pub width: usize,
    /// Inputs.
    pub rows: usize,
    /// Probability ρ that a feature is active on an input.
    pub density: f64,
    /// Standard deviation of the noise added to every coordinate.
    pub noise: f64,
    /// How many features of each kind.
    pub features: Vec<(Kind, usize)>,
}

/// A feature that is in the data.
#[derive(Debug, Clone, PartialEq)]
pub struct PlantedFeature {
    /// Its life.
    pub kind: Kind,
    /// Strength g per source.
    pub strength: Vec<f32>,
    /// Unit direction u per source, `[S]` of `[d]`.
    pub directions: Vec<Vec<f32>>,
}

impl PlantedFeature {
    /// The source where the feature is strongest, the last of them.
    fn home(&self) -> usize {
        (0..self.strength.len()).fold(0, |home, source| if self.strength[source] >= self.strength[home] { source } else { home })
    }
}

/// Planted data with its truth.
#[derive(Debug, Clone, PartialEq)]
pub struct Planted {
    /// The data; source s has step s.
    pub sources: Vec<Source>,
    /// The features, in the order of the configuration.
    pub features: Vec<PlantedFeature>,
    /// Activations a `[rows, features]`: Bernoulli(ρ)·U[.5, 1.5], the same in every source.
    pub activations: Vec<f32>,
}

/// Features of one kind that were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovered {
    /// The kind.
    pub kind: Kind,
    /// Matched with cosine > .9 in the home source and with the right presence in every source.
    pub found: usize,
    /// How many there are.
    pub planted: usize,
}

/// How well a dictionary recovers planted features.
#[derive(Debug, Clone, PartialEq)]
pub struct PlantedScore {
    /// Per entry of the configuration's kinds, in order of first appearance.
    pub recovered: Vec<Recovered>,
    /// Share of (feature, source) entries whose presence (relative norm ≥ .5) agrees with the truth; unmatched features miss all.
    pub presence_accuracy: f64,
    /// Mean over features of |cos| between concatenated decoder and concatenated g·u; 0 for unmatched features.
    pub mean_cosine: f64,
    /// Mean distance, in sources, between the planted and the found birth (first relative norm ≥ .5) of matched emergent features;
    /// `None` without any.
    pub birth_error: Option<f64>,
    /// Mean relative decoder norm of matched weak-early features in the sources where they have strength .3; `None` without any.
    pub weak_profile: Option<f64>,
}

/// Draws planted data.
///
/// # Errors
/// If there are too few sources for the kinds asked for (2, or 3 with transient features), or a size is zero.
pub fn plant(config: &PlantedConfig) -> Result<Planted, UserError> {
    let has_transient = config.features.iter().any(|&(kind, count)| kind == Kind::Transient && count > 0);
    let needed = if has_transient { 3 } else { 2 };
    if config.sources < needed {
        let cause = format!("Planted features of these kinds need {needed} sources, not {}", config.sources);
        return Err(UserError::new(cause, format!("Set sources to {needed}")));
    }
    if config.width == 0 || config.rows == 0 {
        return Err(UserError::new("Planted data needs at least one coordinate and one row", "Set width and rows to 1 or more"));
    }
    let mut stream = Stream::new(config.seed, Purpose::Planted, 0);
    let kinds = config.features.iter().flat_map(|&(kind, count)| core::iter::repeat_n(kind, count));
    let features: Vec<PlantedFeature> = kinds.map(|kind| draw_feature(kind, config, &mut stream)).collect();
    let mut draw = |_| if stream.uniform() < config.density { (0.5 + stream.uniform()) as f32 } else { 0.0 };
    let activations: Vec<f32> = (0..config.rows * features.len()).map(&mut draw).collect();
    let sources = (0..config.sources).map(|source| observe(source, config, &features, &activations, &mut stream)).collect();
    Ok(Planted { sources, features, activations })
}

fn draw_feature(kind: Kind, config: &PlantedConfig, stream: &mut Stream) -> PlantedFeature {
    let sources = config.sources;
    let mut from_to = |low: usize, high: usize| low + stream.below((high - low) as u64) as usize;
    // The sources in which the feature has strength 1, and its strength outside of them.
    let (full, outside) = match kind {
        Kind::Shared | Kind::Rotated => (0..sources, 0.0),
        Kind::Emergent => (from_to(1, sources)..sources, 0.0),
        Kind::Vanished => (0..from_to(1, sources), 0.0),
        Kind::Transient => {
            let birth = from_to(1, sources - 1);
            (birth..from_to(birth + 1, sources), 0.0)
        }
        Kind::WeakEarly => (sources / 2..sources, WEAK),
    };
    let strength = (0..sources).map(|source| if full.contains(&source) { 1.0 } else { outside }).collect();
    let directions = if kind == Kind::Rotated {
        (0..sources).map(|_| unit_vector(config.width, stream)).collect()
    } else {
        vec![unit_vector(config.width, stream); sources]
    };
    PlantedFeature { kind, strength, directions }
}

fn unit_vector(width: usize, stream: &mut Stream) -> Vec<f32> {
    let normals: Vec<f64> = (0..width).map(|_| stream.normal()).collect();
    let norm = normals.iter().map(|v| v * v).sum::<f64>().sqrt();
    normals.iter().map(|v| (v / norm) as f32).collect()
}

fn observe(
    source: usize,
    config: &PlantedConfig,
    features: &[PlantedFeature],
    activations: &[f32],
    stream: &mut Stream,
) -> Source {
    let mut values = stream.normals(config.rows * config.width, config.noise);
    if !features.is_empty() {
        for (x, activations) in values.chunks_exact_mut(config.width).zip(activations.chunks_exact(features.len())) {
            for (feature, a) in features.iter().zip(activations).filter(|(_, a)| **a > 0.0) {
                let size = a * feature.strength[source];
                x.iter_mut().zip(&feature.directions[source]).for_each(|(x, u)| *x += size * u);
            }
        }
    }
    Source { step: source as u32, width: config.width, values, place: Place::default() }
}

impl Planted {
    /// Scores a dictionary with decoder `[S]` of `[m, d]` in raw activation units.
    ///
    /// Features and latents are matched one to one, greedily by |cos| of the concatenated vectors, best pair first. Two
    /// features that are both found (cos > .9) cannot compete for one latent unless they are nearly parallel, so the optimal
    /// (Hungarian) matching would only move pairs that are not found anyway.
    pub fn score(&self, decoder: &[Vec<f32>]) -> PlantedScore {
        let matched = self.match_latents(decoder);
        let width = self.sources.first().map_or(1, |source| source.width);
        let vector = |source: usize, latent: usize| &decoder[source][latent * width..(latent + 1) * width];
        let mut recovered: Vec<Recovered> = Vec::new();
        let (mut right, mut entries, mut cosines, mut weak, mut births) = (0, 0, 0.0, Vec::new(), Vec::new());
        for (feature, matched) in self.features.iter().zip(&matched) {
            entries += feature.strength.len();
            let mut is_found = false;
            if let &Some((latent, cosine)) = matched {
                cosines += cosine;
                let norms: Vec<f32> = (0..decoder.len()).map(|s| squared_norm(vector(s, latent)).sqrt() as f32).collect();
                let profile = relative_norms(&norms);
                let agreeing =
                    profile.iter().zip(&feature.strength).filter(|(r, g)| (**r >= SHARED_FROM) == (**g >= SHARED_FROM));
                let agreeing = agreeing.count();
                right += agreeing;
                let home = feature.home();
                let at_home = dot(vector(home, latent), &feature.directions[home]) / f64::from(norms[home]);
                is_found = at_home > FOUND_ABOVE && agreeing == feature.strength.len();
                if feature.kind == Kind::Emergent {
                    let born = |values: &[f32]| values.iter().position(|v| *v >= SHARED_FROM).unwrap_or(values.len());
                    births.push(born(&profile).abs_diff(born(&feature.strength)) as f64);
                }
                if feature.kind == Kind::WeakEarly {
                    weak.extend(profile.iter().zip(&feature.strength).filter(|(_, g)| **g < 1.0).map(|(r, _)| f64::from(*r)));
                }
            }
            let known = recovered.iter().position(|entry| entry.kind == feature.kind).unwrap_or_else(|| {
                recovered.push(Recovered { kind: feature.kind, found: 0, planted: 0 });
                recovered.len() - 1
            });
            recovered[known].planted += 1;
            recovered[known].found += usize::from(is_found);
        }
        let mean = |sum: f64, count: usize| if count > 0 { sum / count as f64 } else { 0.0 };
        PlantedScore {
            recovered,
            presence_accuracy: mean(f64::from(right as u32), entries),
            mean_cosine: mean(cosines, self.features.len()),
            birth_error: (!births.is_empty()).then(|| mean(births.iter().sum(), births.len())),
            weak_profile: (!weak.is_empty()).then(|| mean(weak.iter().sum(), weak.len())),
        }
    }

    /// Per feature its latent and their |cos|, if it has one.
    fn match_latents(&self, decoder: &[Vec<f32>]) -> Vec<Option<(usize, f64)>> {
        let width = self.sources.first().map_or(1, |source| source.width);
        let latents = decoder.first().map_or(0, |source| source.len() / width);
        let vector = |source: usize, latent: usize| &decoder[source][latent * width..(latent + 1) * width];
        let latent_norm = |latent| (0..decoder.len()).map(|s| squared_norm(vector(s, latent))).sum::<f64>().sqrt();
        let mut pairs = Vec::new();
        for latent in (0..latents).filter(|&latent| latent_norm(latent) > 0.0) {
            for (index, feature) in self.features.iter().enumerate() {
                let feature_norm = feature.strength.iter().map(|&g| f64::from(g * g)).sum::<f64>().sqrt();
                let parts = feature.strength.iter().zip(&feature.directions).enumerate();
                let product: f64 = parts.map(|(s, (&g, u))| f64::from(g) * dot(vector(s, latent), u)).sum();
                pairs.push((product.abs() / (feature_norm * latent_norm(latent)), index, latent));
            }
        }
        pairs.sort_by(|x, y| y.0.total_cmp(&x.0));
        let mut of_feature = vec![None; self.features.len()];
        let mut is_taken = vec![false; latents];
        for (cosine, feature, latent) in pairs {
            if of_feature[feature].is_none() && !is_taken[latent] {
                of_feature[feature] = Some((latent, cosine));
                is_taken[latent] = true;
            }
        }
        of_feature
    }
}

fn dot(x: &[f32], y: &[f32]) -> f64 {
    x.iter().zip(y).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

fn squared_norm(x: &[f32]) -> f64 {
    dot(x, x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> PlantedConfig {
        PlantedConfig {
            seed: 1,
            sources: 6,
            width: 32,
            rows: 1024,
            density: 0.04,
            noise: 0.01,
            features: vec![
                (Kind::Shared, 12),
                (Kind::Rotated, 6),
                (Kind::Emergent, 8),
                (Kind::Vanished, 6),
                (Kind::Transient, 4),
                (Kind::WeakEarly, 4),
            ],
        }
    }

    /// The dictionary that a perfect fit would find, latents in reverse order and of different sizes, two of them spare.
    fn perfect_decoder(planted: &Planted) -> Vec<Vec<f32>> {
        let (m, d) = (planted.features.len() + 2, planted.sources[0].width);
        let mut decoder = vec![vec![0.0; m * d]; planted.sources.len()];
        for (i, feature) in planted.features.iter().enumerate() {
            let (latent, size) = (m - 1 - i, 0.5 + i as f32);
            for (s, decoder) in decoder.iter_mut().enumerate() {
                for (k, u) in feature.directions[s].iter().enumerate() {
                    decoder[latent * d + k] = size * feature.strength[s] * u;
                }
            }
        }
        decoder
    }

    #[test]
    fn the_true_dictionary_recovers_everything() {
        let planted = plant(&config()).unwrap();
        let score = planted.score(&perfect_decoder(&planted));
        assert!(score.recovered.iter().all(|kind| kind.found == kind.planted), "{score:?}");
        assert_eq!(score.recovered.iter().map(|kind| kind.planted).collect::<Vec<_>>(), [12, 6, 8, 6, 4, 4]);
        assert!((score.presence_accuracy - 1.0).abs() < 1e-9 && (score.mean_cosine - 1.0).abs() < 1e-5, "{score:?}");
        assert!((score.weak_profile.unwrap() - 0.3).abs() < 1e-5);
    }

    #[test]
    fn a_dictionary_without_births_loses_them_and_keeps_the_shared() {
        let planted = plant(&config()).unwrap();
        let mut decoder = perfect_decoder(&planted);
        // Every latent everywhere, as in its strongest source.
        let d = planted.sources[0].width;
        for (i, feature) in planted.features.iter().enumerate().filter(|(_, f)| f.kind != Kind::Rotated) {
            let at = (planted.features.len() + 1 - i) * d..(planted.features.len() + 2 - i) * d;
            let home = decoder[feature.home()][at.clone()].to_vec();
            decoder.iter_mut().for_each(|source| source[at.clone()].copy_from_slice(&home));
        }
        let score = planted.score(&decoder);
        let found: Vec<_> = score.recovered.iter().map(|kind| kind.found).collect();
        assert_eq!(found, [12, 6, 0, 0, 0, 0]);
        assert!(score.presence_accuracy < 0.9);
    }

    #[test]
    fn random_directions_recover_nothing() {
        let planted = plant(&config()).unwrap();
        let mut stream = Stream::new(8, Purpose::Planted, 1);
        let decoder: Vec<Vec<f32>> = (0..6).map(|_| stream.normals(64 * 32, 1.0)).collect();
        let score = planted.score(&decoder);
        assert!(score.recovered.iter().all(|kind| kind.found == 0), "{score:?}");
        assert!(score.mean_cosine < 0.4, "{score:?}");
    }

    #[test]
    fn a_reversed_direction_is_not_found() {
        let planted = plant(&config()).unwrap();
        let reversed: Vec<Vec<f32>> = perfect_decoder(&planted).iter().map(|s| s.iter().map(|v| -v).collect()).collect();
        assert!(planted.score(&reversed).recovered.iter().all(|kind| kind.found == 0));
    }

    #[test]
    fn an_empty_dictionary_scores_zero() {
        let planted = plant(&config()).unwrap();
        let score = planted.score(&vec![vec![0.0; 32 * 10]; 6]);
        assert_eq!((score.presence_accuracy, score.mean_cosine, score.weak_profile), (0.0, 0.0, None));
    }

    #[test]
    fn data_are_the_sum_of_their_features() {
        let config = PlantedConfig { noise: 0.0, ..config() };
        let planted = plant(&config).unwrap();
        let count = planted.features.len();
        let fired = planted.activations.iter().filter(|a| **a > 0.0).count() as f64 / planted.activations.len() as f64;
        assert!((fired - 0.04).abs() < 0.004, "ρ = {fired}");
        assert!(planted.activations.iter().all(|&a| a < 1e-9 || (0.5..=1.5).contains(&a)));
        for (s, source) in planted.sources.iter().enumerate() {
            let row = 17;
            for k in 0..32 {
                let parts = planted.features.iter().zip(&planted.activations[row * count..]);
                let sum: f32 = parts.map(|(f, a)| a * f.strength[s] * f.directions[s][k]).sum();
                assert!((sum - source.values[row * 32 + k]).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn lives_are_as_named() {
        for feature in plant(&config()).unwrap().features {
            let (first, last) = (feature.strength[0], feature.strength[5]);
            match feature.kind {
                Kind::Shared | Kind::Rotated => assert!(feature.strength.iter().all(|&g| g > 0.9)),
                Kind::Emergent => assert!(first < 0.1 && last > 0.9),
                Kind::Vanished => assert!(first > 0.9 && last < 0.1),
                Kind::Transient => assert!(first < 0.1 && last < 0.1 && feature.strength.iter().any(|&g| g > 0.9)),
                Kind::WeakEarly => assert_eq!(feature.strength, [0.3, 0.3, 0.3, 1.0, 1.0, 1.0]),
            }
            assert_eq!(feature.directions[0] == feature.directions[5], feature.kind != Kind::Rotated);
        }
    }

    #[test]
    fn transient_features_need_a_source_between() {
        assert!(plant(&PlantedConfig { sources: 2, ..config() }).is_err());
        assert!(plant(&PlantedConfig { sources: 1, features: vec![(Kind::Shared, 2)], ..config() }).is_err());
    }
}
