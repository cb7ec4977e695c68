//! Autoencoders of each checkpoint by themselves, matched from checkpoint to checkpoint: what was done before crosscoders.
//!
//! If they count the births that a crosscoder counts, its common dictionary was not needed. Latents are matched by what they do,
//! their activations on all inputs, because two fits share no units of decoder length; matched latents form chains, and a chain
//! is present or absent in a source, nothing between. A latent that finds no partner begins or ends a chain, whether the network
//! changed or only the fit: two seeds have perhaps a third of a dictionary in common (Paulo and Belrose 2501.16615). So births
//! are too many here, and that is part of the comparison. Rejected: matching each source to the last one, which cannot see a
//! feature that turns slowly; and decoder cosines as similarity, which say nothing of when a latent fires.

use super::super::agreement::{correlation, standardised};
use super::super::classes::classify;
use super::super::directions::cosine;
use super::super::result::{CrosscoderResult, LatentClass};
use super::matching::assignment;
use crate::record::{UserError, Weights};
use serde::{Deserialize, Serialize};

/// Latents of neighbouring sources are one feature from this correlation of their activations on. The threshold of partners in
/// other seeds; published studies use .7 of decoder cosines.
pub const MATCHED_FROM: f64 = super::super::agreement::PARTNER_FROM;

/// The latents of one source's autoencoder.
#[derive(Debug, Clone)]
pub struct SourceLatents<'a> {
    /// Activations of each latent, `[rows]`: non-negative, 0 where silent.
    pub activations: Vec<&'a [f32]>,
    /// Decoder vector of each latent, `[d]`, in any unit of length.
    pub decoders: Vec<&'a [f32]>,
}

/// One feature over the sources: latents of neighbouring sources, one in each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chain {
    /// Index of its first source.
    pub first: u32,
    /// Its latent in that source and in those that follow: indices in each source's dictionary, or in that of the fit.
    pub latents: Vec<u32>,
    /// Correlation of the activations from each of them to the next, at least [`MATCHED_FROM`].
    pub correlations: Vec<f32>,
    /// Cosine of the decoder vectors from each to the next; `None` where widths differ or a vector is zero.
    pub cosines: Vec<Option<f32>>,
    /// Whether it is in each source, `[S]`.
    pub presence: Vec<bool>,
    /// What became of it, in the sense of [`LatentClass`]: emergent if it begins after the first source and reaches the last,
    /// vanished, transient; in all sources stable or rotated by its cosines, and unclear between the two or without cosines.
    pub class: LatentClass,
}

/// How many chains are of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCount {
    /// The class.
    pub class: LatentClass,
    /// Its chains.
    pub count: u32,
}

/// Latents of several sources, matched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Matched {
    /// All chains: by first source, then by first latent.
    pub chains: Vec<Chain>,
    /// Classes that occur, in the order of [`LatentClass::ALL`].
    pub classes: Vec<ClassCount>,
    /// Latents that fire on no input or write to no source; they are in no chain.
    pub dead: u32,
}

impl Matched {
    /// How many chains are of `class`.
    pub fn count(&self, class: LatentClass) -> u32 {
        self.classes.iter().find(|entry| entry.class == class).map_or(0, |entry| entry.count)
    }
}

/// A latent that fires.
struct Living<'a> {
    index: u32,
    /// Less its mean and of length 1; `None` for a constant, which correlates with nothing.
    activation: Option<Vec<f32>>,
    decoder: &'a [f32],
}

/// The match of a latent in the source before.
#[derive(Clone, Copy)]
struct Link {
    correlation: f32,
    cosine: Option<f32>,
    /// Its chain, by place in the list.
    chain: usize,
}

/// Matches the latents of each source with those of the next and follows them through.
///
/// The assignment maximises the sum of correlations of at least [`MATCHED_FROM`]; weaker ones count as 0, so that no match is
/// given up to make a pair less unlike that is none. Costs m²·rows operations for the correlations of m latents and m³ for the
/// assignment, per pair of sources.
///
/// # Errors
/// If there are fewer than two sources, or they have different inputs.
pub fn chains(sources: &[SourceLatents]) -> Result<Matched, UserError> {
    let indices: Vec<Vec<u32>> = sources.iter().map(|source| (0..source.activations.len() as u32).collect()).collect();
    follow(sources, &indices)
}

/// The same for a fit in which each latent reads and writes one source only: one autoencoder per source, as a dedicated share of
/// 1/S makes them. Latents keep their indices in the fit.
///
/// # Errors
/// If a latent reads or writes several sources, or the fit was saved without activations or weights.
pub fn chains_of(result: &CrosscoderResult) -> Result<Matched, UserError> {
    let (sources, latents) = (result.sources.len(), result.latents.len());
    let rows = result.activations.len() / latents.max(1);
    if rows == 0 || result.weights.is_empty() {
        return Err(UserError::new(
            format!("The fit {} has no activations or weights", result.config.name),
            "Fit it again, or export all files",
        ));
    }
    let weights = Weights::from_safetensors(&result.weights)?;
    let shaped = |name: &str| weights.get(name).map(|tensor| (tensor.shape.as_slice(), tensor.values.as_slice()));
    let (encoder, decoder, width) = match (shaped("encoder.weight"), shaped("decoder.weight")) {
        (Some((&[s, d, m], encoder)), Some((shape, decoder))) if (s, m) == (sources, latents) && *shape == [s, m, d] => {
            (encoder, decoder, d)
        }
        _ => {
            return Err(UserError::new(
                format!("The weights of the fit {} are not those of its {latents} latents", result.config.name),
                "Fit it again, or export all files",
            ));
        }
    };
    // Where sources have different widths, the vectors of narrower ones are filled up with zeros.
    let own_width = |source: usize| width.min(result.sources[source].width as usize);
    let decoder_of = |source: usize, latent: usize| &decoder[(source * latents + latent) * width..][..own_width(source)];
    let reads = |source: usize, latent: usize| (0..width).any(|k| encoder[(source * width + k) * latents + latent] != 0.0);
    let mut of_source: Vec<Vec<u32>> = vec![Vec::new(); sources];
    let mut without = 0;
    for latent in 0..latents {
        let writes = |source: usize| decoder_of(source, latent).iter().any(|x| *x != 0.0);
        match (0..sources).filter(|source| writes(*source)).collect::<Vec<_>>()[..] {
            [] => without += 1,
            [own] if (0..sources).all(|source| source == own || !reads(source, latent)) => of_source[own].push(latent as u32),
            _ => return Err(one_source_each(latent, sources)),
        }
    }
    let activations = |latent: &u32| &result.activations[*latent as usize * rows..][..rows];
    let latents_of = |(source, indices): (usize, &Vec<u32>)| SourceLatents {
        activations: indices.iter().map(activations).collect(),
        decoders: indices.iter().map(|latent| decoder_of(source, *latent as usize)).collect(),
    };
    let own: Vec<SourceLatents> = of_source.iter().enumerate().map(latents_of).collect();
    let mut matched = follow(&own, &of_source)?;
    matched.dead += without;
    Ok(matched)
}

fn one_source_each(latent: usize, sources: usize) -> UserError {
    UserError::new(
        format!("Latent {latent} reads or writes several sources, so there is no autoencoder per source to match"),
        format!("Fit with dedicated latents = 1/{sources} and a number of latents that {sources} divides"),
    )
}

/// Matches and follows latents that are called by `indices` `[S]` of `[latents]`.
fn follow(sources: &[SourceLatents], indices: &[Vec<u32>]) -> Result<Matched, UserError> {
    let all = || sources.iter().flat_map(|source| &source.activations);
    let rows = all().next().map_or(0, |values| values.len());
    if sources.len() < 2 {
        return Err(UserError::new("One source has no neighbour to match", "Choose at least two sources"));
    }
    if all().any(|values| values.len() != rows) || sources.iter().any(|s| s.activations.len() != s.decoders.len()) {
        return Err(UserError::new("The latents are not of the same inputs", "Match latents of a single task"));
    }
    let mut chains: Vec<Chain> = Vec::new();
    let mut dead = 0;
    // The latents of the source before, and the chain of each.
    let mut before: (Vec<Living>, Vec<usize>) = (Vec::new(), Vec::new());
    for (place, (source, indices)) in sources.iter().zip(indices).enumerate() {
        let living = living(source, indices);
        dead += (indices.len() - living.len()) as u32;
        let links = links(&before, &living)?;
        let mut chain_of = Vec::with_capacity(living.len());
        for (latent, link) in living.iter().zip(links) {
            let number = match link {
                Some(Link { correlation, cosine, chain }) => {
                    chains[chain].correlations.push(correlation);
                    chains[chain].cosines.push(cosine);
                    chain
                }
                None => {
                    chains.push(begun(place as u32, sources.len()));
                    chains.len() - 1
                }
            };
            chains[number].latents.push(latent.index);
            chains[number].presence[place] = true;
            chain_of.push(number);
        }
        before = (living, chain_of);
    }
    chains.iter_mut().for_each(|chain| chain.class = class_of(chain));
    let count = |class| chains.iter().filter(|chain| chain.class == class).count() as u32;
    let classes = LatentClass::ALL.map(|class| ClassCount { class, count: count(class) });
    let classes = classes.into_iter().filter(|entry| entry.count > 0).collect();
    Ok(Matched { chains, classes, dead })
}

/// The latents of a source that fire.
fn living<'a>(source: &SourceLatents<'a>, indices: &[u32]) -> Vec<Living<'a>> {
    let latents = indices.iter().zip(source.activations.iter().zip(&source.decoders));
    latents
        .filter(|(_, (values, _))| values.iter().any(|f| *f > 0.0))
        .map(|(index, (values, decoder))| Living { index: *index, activation: standardised(values), decoder })
        .collect()
}

/// For each latent of a source its match in the source before.
fn links((before, chain_of): &(Vec<Living>, Vec<usize>), now: &[Living]) -> Result<Vec<Option<Link>>, UserError> {
    let similarity = |x: &Living, y: &Living| match (&x.activation, &y.activation) {
        (Some(x), Some(y)) => Some(correlation(x, y)).filter(|r| *r >= MATCHED_FROM).unwrap_or(0.0),
        _ => 0.0,
    };
    let similarities: Vec<f64> = now.iter().flat_map(|y| before.iter().map(move |x| similarity(x, y))).collect();
    let matches = assignment(&similarities, now.len(), before.len())?;
    let link = |(place, partner): (usize, Option<usize>)| {
        let partner = partner?;
        let correlation = similarities[place * before.len() + partner];
        let (x, y) = (before[partner].decoder, now[place].decoder);
        let has_cosine = x.len() == y.len() && [x, y].iter().all(|vector| vector.iter().any(|v| *v != 0.0));
        let cosine = has_cosine.then(|| cosine(x, y));
        (correlation >= MATCHED_FROM).then(|| Link { correlation: correlation as f32, cosine, chain: chain_of[partner] })
    };
    Ok(matches.into_iter().enumerate().map(link).collect())
}

fn begun(first: u32, sources: usize) -> Chain {
    let class = LatentClass::Unclear;
    Chain { first, latents: Vec::new(), correlations: Vec::new(), cosines: Vec::new(), presence: vec![false; sources], class }
}

/// A chain is a latent whose relative norms are 1 and 0.
fn class_of(chain: &Chain) -> LatentClass {
    let is_everywhere = chain.presence.iter().all(|is_there| *is_there);
    if is_everywhere && chain.cosines.iter().any(Option::is_none) {
        return LatentClass::Unclear;
    }
    let relative: Vec<f32> = chain.presence.iter().map(|is_there| f32::from(u8::from(*is_there))).collect();
    classify(&relative, &chain.cosines, true)
}

#[cfg(test)]
mod tests;
