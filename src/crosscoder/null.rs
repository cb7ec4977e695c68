//! Fits in which something is known to be absent: what the method finds there, it makes up.
//!
//! One null is not enough, because each takes away one thing only. A repeated checkpoint can show made-up births, and cannot show that
//! a code reads one source off another; shuffled pairs can, and show how many births come of having nothing in common; untrained
//! networks differ without having learnt anything; permuted labels leave the fit as it is and take the meaning from its inputs. What each must show, what it means if
//! it does not, and how that is read off a result stand here once, for the page, the terminal and the report. Rejected: a null as a
//! flag beside the configuration, because a link would not bring it back.

use super::config::CrosscoderConfig;
use super::result::{CrosscoderResult, SourceInfo};
use crate::experiment::edit::distance;
use crate::record::UserError;
use serde::{Deserialize, Serialize};

/// Share of the living latents, or of the energy, above which a null has found what it must not; a single latent is never enough.
pub const MADE_UP_ABOVE: f64 = 0.01;
/// Share of the living latents that unrelated checkpoints may have in common: latents that fire on nearly everything need no pairing.
/// Measured: 1 to 3 of 256 on real checkpoints, 1 of 48 and 3 of 128 on planted ones.
pub const SHARED_BY_CHANCE: f64 = 0.03;
/// Share of a source's variance from which on the others predict it. Chance leaves about one part in the held-out inputs.
pub const PREDICTED_FROM: f32 = 0.02;

/// What is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Null {
    /// Nothing: no null.
    #[default]
    None,
    /// The last checkpoint is every source, each with start directions of its own.
    Repeated,
    /// The rows of every source but the first are permuted, each source by itself.
    ShuffledPairs,
    /// Every source is another network of random weights, as training would begin with them.
    Untrained,
    /// The fit is the same; its latents are described with the inputs permuted.
    PermutedLabels,
}

/// What a null was found to show.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// In numbers.
    pub found: String,
    /// Whether that is what it must show.
    pub holds: bool,
}

impl Null {
    /// All that take something away.
    pub const ALL: [Self; 4] = [Self::Repeated, Self::ShuffledPairs, Self::Untrained, Self::PermutedLabels];

    /// Name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Repeated => "repeated",
            Self::ShuffledPairs => "shuffled_pairs",
            Self::Untrained => "untrained",
            Self::PermutedLabels => "permuted_labels",
        }
    }

    /// Name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::None => "No null",
            Self::Repeated => "One checkpoint repeated",
            Self::ShuffledPairs => "Shuffled pairing",
            Self::Untrained => "Untrained networks",
            Self::PermutedLabels => "Permuted labels",
        }
    }

    /// What it must show.
    pub fn must_show(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Repeated => "no births and no deaths: a network is not born between itself and itself",
            Self::ShuffledPairs => {
                "hardly a latent in all checkpoints, and no checkpoint predicted from the others: their inputs have nothing to do with each other"
            }
            Self::Untrained => "no births, and no residue features: random networks differ, and none of them has learnt anything",
            Self::PermutedLabels => "no residue features: no latent can tell the answer of inputs that are not its own",
        }
    }

    /// What it means if it does not.
    pub fn otherwise(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Repeated => "the rule itself makes births, and as many of the fit's are its own",
            Self::ShuffledPairs => "the rule shares latents, or predicts, by chance: what is shared in the fit is no finding",
            Self::Untrained => {
                "births come of any two networks that differ: so many are a floor under the fit's, and only what its latents do tells more"
            }
            Self::PermutedLabels => "the descriptors find order in noise, and no η² below that floor means anything",
        }
    }

    /// The null called `text`, with - or _.
    ///
    /// # Errors
    /// An unknown name is answered with the nearest and the list.
    pub fn named(text: &str) -> Result<Self, UserError> {
        let wanted = text.replace('-', "_");
        if let Some(found) = Self::ALL.into_iter().find(|null| null.name() == wanted) {
            return Ok(found);
        }
        let names = Self::ALL.map(Self::name);
        let nearest = names.into_iter().min_by_key(|name| distance(name, &wanted)).unwrap_or_default();
        let all = names.join(", ");
        Err(UserError::new(format!("There is no null called \"{text}\""), format!("The nearest is {nearest}; all are {all}")))
    }

    /// What `fit` shows of it; `None` for no null.
    pub fn judge(self, fit: &CrosscoderResult) -> Option<Judged> {
        let within = |count: u32, share: f64| count <= 1 || f64::from(count) <= share * f64::from(fit.alive);
        let are_few = |count: u32| within(count, MADE_UP_ABOVE);
        let born = fit.emergent + fit.vanished;
        let births = format!("{} births and {} deaths among {} latents", fit.emergent, fit.vanished, fit.alive);
        let residues = f64::from(fit.residue_energy_share);
        let energy = format!("{:.1}% of the last source's energy in residue features", 100.0 * residues);
        Some(match self {
            Self::None => return None,
            Self::Repeated => Judged { found: births, holds: are_few(born) },
            Self::ShuffledPairs => {
                let most = fit.predicted.iter().copied().fold(0.0, f32::max);
                // Unrelated checkpoints have births too, because nothing is common to them; a reader has to see how many.
                let shared = format!("{} of {} latents in all checkpoints ({} births)", fit.shared, fit.alive, fit.emergent);
                let found = match fit.predicted.is_empty() {
                    true => shared,
                    false => format!("{shared}; the others predict at most {:.1}% of a checkpoint", 100.0 * most),
                };
                Judged { found, holds: within(fit.shared, SHARED_BY_CHANCE) && most < PREDICTED_FROM }
            }
            Self::Untrained => Judged { found: format!("{births}; {energy}"), holds: are_few(born) && residues <= MADE_UP_ABOVE },
            Self::PermutedLabels => {
                let alive = || fit.latents.iter().filter(|latent| latent.density > 0.0);
                let largest = alive().map(|latent| latent.eta_squared.sum).fold(0.0, f32::max);
                let mean = alive().map(|latent| latent.eta_squared.sum).sum::<f32>() / alive().count().max(1) as f32;
                Judged {
                    found: format!("{energy}; η² over a + b is {mean:.3} in the mean and {largest:.2} at most"),
                    holds: residues <= MADE_UP_ABOVE,
                }
            }
        })
    }

    /// What the name of a fit ends with.
    fn ending(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Repeated => "-null",
            Self::ShuffledPairs => "-shuffled",
            Self::Untrained => "-untrained",
            Self::PermutedLabels => "-permuted",
        }
    }
}

/// The null of `config`: the same rule and sizes where there is nothing of the kind to be found. Nothing is taken out of the network:
/// of artefacts there is nothing to ask. Resolve `sources` first: without any there is nothing to repeat and they stay empty.
pub fn null_of(config: &CrosscoderConfig, null: Null) -> CrosscoderConfig {
    let sources = match null {
        Null::None | Null::ShuffledPairs | Null::PermutedLabels => config.sources.clone(),
        Null::Repeated => config.sources.last().map_or_else(Vec::new, |last| vec![*last; config.sources.len()]),
        Null::Untrained => vec![0; config.sources.len()],
    };
    // Names hold at most 40 characters; all of them are ASCII.
    let ending = null.ending();
    let stem: String = config.name.trim_end_matches(ending).chars().take(40 - ending.len()).collect();
    CrosscoderConfig {
        name: if null == Null::None { config.name.clone() } else { format!("{stem}{ending}") },
        sources,
        // Otherwise latents would be shared because they began so.
        same_direction: config.same_direction && null != Null::Repeated,
        probe: config.probe && null == Null::None,
        null,
        ..config.clone()
    }
}

impl CrosscoderResult {
    /// Which null it is. Earlier versions repeated a checkpoint without saying so.
    pub fn null(&self) -> Null {
        let same = |a: &SourceInfo, b: &SourceInfo| (a.step, a.hook, &a.run) == (b.step, b.hook, &b.run);
        let is_repeated = self.sources.len() > 1 && self.sources.windows(2).all(|pair| same(&pair[0], &pair[1]));
        if self.config.null == Null::None && is_repeated { Null::Repeated } else { self.config.null }
    }
}

#[cfg(test)]
mod tests {
    use super::super::presets::crosscoder_preset;
    use super::*;

    fn births() -> CrosscoderConfig {
        CrosscoderConfig { sources: vec![250, 600, 1000], ..crosscoder_preset("births").unwrap().config.clone() }
    }

    #[test]
    fn a_null_changes_what_it_takes_away_and_nothing_else() {
        let config = births();
        let expected = [
            (Null::Repeated, "births-null", [1000; 3], false),
            (Null::ShuffledPairs, "births-shuffled", [250, 600, 1000], true),
            (Null::Untrained, "births-untrained", [0; 3], true),
            (Null::PermutedLabels, "births-permuted", [250, 600, 1000], true),
        ];
        for (kind, name, sources, same_direction) in expected {
            let null = null_of(&config, kind);
            assert_eq!((null.name.as_str(), &null.sources[..], null.same_direction), (name, &sources[..], same_direction));
            assert_eq!(null_of(&null, kind), null, "the null of a null is itself");
            let back = CrosscoderConfig {
                name: config.name.clone(),
                sources: config.sources.clone(),
                same_direction: true,
                probe: true,
                null: Null::None,
                ..null
            };
            assert_eq!(back, config);
        }
        let long = CrosscoderConfig { name: "x".repeat(40), ..births() };
        assert_eq!(null_of(&long, Null::Untrained).name.len(), 40);
    }

    #[test]
    fn names_are_read_with_either_dash_and_unknown_ones_answered() {
        assert_eq!(Null::named("shuffled-pairs").unwrap(), Null::ShuffledPairs);
        assert!(Null::named("shuffled").unwrap_err().remedy.contains("shuffled_pairs"));
        for null in Null::ALL {
            assert_eq!(Null::named(null.name()).unwrap(), null);
            assert_eq!(serde_json::to_value(null).unwrap(), null.name());
        }
    }
}
