//! What a latent does to the loss: which interventions to make, and what their effects say.
//!
//! A dictionary can explain an activation with latents that the network does not use, and a decoder norm is part of the fit's own
//! objective. So sets of latents are taken out of the activation, the error of the dictionary left in place, and the network
//! goes on from there. Taking out fifty latents always hurts: what counts is how much more than fifty others, drawn at random or
//! drawn to be as strong, and more than moving the activation as far in any direction. The last is the control that remains where
//! a class has all the strength that there is, as emergent latents of a clean network do. The room is pure: it says what to put in
//! and what came out; `engine/causal.rs` runs the network.

mod attribution;
mod insert;
mod probes;
mod set_trial;
mod trial;

pub use attribution::{
    Attribution, PATH_POINTS, Ranked, Single, agreement_of, checked, rank_agreement_of, ranked_inserts, relative_effects,
};
pub use insert::{Anatomy, Insert, Replacement};
pub use probes::{CONTROLS, Probe, probes};
pub use set_trial::{
    ASIDE, Along, STRENGTHS, SetAtSource, SetProbe, SetQuestion, SetTrial, SteeredSet, set_probes, summarise_set,
};
pub use trial::{Steered, Trial, TrialInput, amounts, answered};

use super::result::{CrosscoderResult, LatentClass, SourceInfo};
use probes::{CLASSES, Role, distinct};
use serde::{Deserialize, Serialize};

/// CE recovered is a ratio of differences; below this gap, nats, it is noise (at the start zero and clean are both ln p).
pub const LEAST_GAP: f64 = 0.05;

/// How the network answers with something put in.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Effect {
    /// Mean loss over the training rows.
    pub train_loss: f64,
    /// Mean loss over the test rows.
    pub test_loss: f64,
    /// Share of training rows answered rightly.
    pub train_accuracy: f64,
    /// Share of test rows answered rightly.
    pub test_accuracy: f64,
    /// KL(clean ‖ changed), nats, mean over all rows; `None` without class probabilities.
    pub kl: Option<f64>,
}

/// A rise over sets that were drawn as a control.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Median.
    pub median: f64,
    /// 95th percentile (nearest rank).
    pub upper: f64,
}

/// A class taken out at one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetEffect {
    /// The class.
    pub class: LatentClass,
    /// Its latents.
    pub count: u32,
    /// With nothing in their place.
    pub zero: Effect,
    /// With their mean.
    pub mean: Effect,
    /// With those of another input.
    pub resample: Effect,
    /// Rise of the test loss without as many other latents, drawn at random; `None` if there are not so many.
    pub random: Option<Band>,
    /// The same with latents about as strong, as far as there are any.
    pub matched: Option<Band>,
    /// Rise of the test loss when the activation is moved as far, in random directions.
    pub moved: Option<Band>,
}

/// Everything that was tried at one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceEffects {
    /// The checkpoint's step.
    pub step: u32,
    /// What tells the source from the others; empty in results of earlier versions.
    #[serde(default)]
    pub label: String,
    /// The network as it is.
    pub clean: Effect,
    /// With x̂ in place of x.
    pub spliced: Effect,
    /// With zeros.
    pub nothing: Effect,
    /// With the mean activation.
    pub mean: Effect,
    /// (CE_zero − CE_spliced)/(CE_zero − CE_clean) on test rows; `None` where the denominator is below [`LEAST_GAP`].
    pub loss_recovered: Option<f64>,
    /// Classes, taken out.
    pub sets: Vec<SetEffect>,
    /// (n, effect) with only the n strongest latents, by ⟨f²⟩‖D‖², and the dictionary's error.
    pub keep: Vec<(u32, Effect)>,
    /// (n, effect) without the n strongest.
    pub remove: Vec<(u32, Effect)>,
}

/// Latents of the last source given to the first one's activation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SwapEffect {
    /// The class.
    pub class: LatentClass,
    /// Its latents.
    pub count: u32,
    /// The last network, fed with the first one's activation in which they were exchanged.
    pub effect: Effect,
    /// KL(clean ‖ changed) with as many others: median and 5th percentile; `None` without enough of them.
    pub random_kl: Option<(f64, f64)>,
}

/// What latents do.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CausalResult {
    /// One per distinct source.
    pub sources: Vec<SourceEffects>,
    /// From the first source to the last.
    pub swaps: Vec<SwapEffect>,
    /// What each latent does by gradients; missing in results of earlier versions.
    #[serde(default)]
    pub attributions: Vec<Attribution>,
    /// Some of them beside the exact removal.
    #[serde(default)]
    pub singles: Vec<Single>,
    /// With and without the latents of the largest attributions; missing in results of earlier versions.
    #[serde(default)]
    pub ranked: Vec<Ranked>,
}

/// Sorts the effects of `probes` into a result.
pub fn summarise(result: &CrosscoderResult, anatomy: &Anatomy, probes: &[Probe], effects: &[Effect]) -> CausalResult {
    let of =
        |source: usize| probes.iter().zip(effects).filter(move |(probe, _)| probe.source == source).map(|(p, e)| (p.role, *e));
    let one = |source: usize, role: Role| of(source).find(|(known, _)| *known == role).map(|(_, effect)| effect);
    let count = |class| result.latents.iter().filter(|latent| latent.class == class).count() as u32;
    let was_asked = |source: &usize| one(*source, Role::Clean).is_some();
    let sources = distinct(&anatomy.sources)
        .into_iter()
        .filter(was_asked)
        .map(|source| {
            let reference = |role| one(source, role).unwrap_or_default();
            let (clean, spliced, nothing) = (reference(Role::Clean), reference(Role::Reconstruction), reference(Role::Nothing));
            let rises = |role| {
                let rises = of(source).filter(|(known, _)| *known == role).map(|(_, e)| e.test_loss - clean.test_loss);
                band(rises.collect())
            };
            let sets = CLASSES.into_iter().filter_map(|class| {
                Some(SetEffect {
                    class,
                    count: count(class),
                    zero: one(source, Role::Set(class, Replacement::Zero))?,
                    mean: one(source, Role::Set(class, Replacement::Mean))?,
                    resample: one(source, Role::Set(class, Replacement::Resample))?,
                    random: rises(Role::Random(class)),
                    matched: rises(Role::Matched(class)),
                    moved: rises(Role::Moved(class)),
                })
            });
            let gap = nothing.test_loss - clean.test_loss;
            let numbered = |is_keep: bool| {
                of(source)
                    .filter_map(|(role, effect)| match role {
                        Role::Keep(n) if is_keep => Some((n, effect)),
                        Role::Remove(n) if !is_keep => Some((n, effect)),
                        _ => None,
                    })
                    .collect()
            };
            SourceEffects {
                step: anatomy.sources[source].step,
                label: result.sources.get(source).map_or_else(String::new, SourceInfo::label),
                loss_recovered: (gap >= LEAST_GAP).then(|| (nothing.test_loss - spliced.test_loss) / gap),
                mean: reference(Role::MeanActivation),
                clean,
                spliced,
                nothing,
                sets: sets.collect(),
                keep: numbered(true),
                remove: numbered(false),
            }
        })
        .collect();
    let last = probes.iter().rfind(|probe| matches!(probe.role, Role::Swap(_))).map_or(0, |probe| probe.source);
    let swaps = CLASSES.into_iter().filter_map(|class| {
        let effect = one(last, Role::Swap(class))?;
        let mut kls: Vec<f64> =
            of(last).filter(|(role, _)| *role == Role::SwapRandom(class)).filter_map(|(_, effect)| effect.kl).collect();
        kls.sort_by(f64::total_cmp);
        let random_kl = (!kls.is_empty()).then(|| (kls[kls.len() / 2], kls[kls.len() / 20]));
        Some(SwapEffect { class, count: count(class), effect, random_kl })
    });
    CausalResult { sources, swaps: swaps.collect(), ..CausalResult::default() }
}

/// Median and 95th percentile by nearest rank.
fn band(mut values: Vec<f64>) -> Option<Band> {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[(libm::ceil(share * values.len() as f64) as usize).clamp(1, values.len()) - 1];
    (!values.is_empty()).then(|| Band { median: at(0.5), upper: at(0.95) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_order_statistics() {
        let found = band((1..=20).map(f64::from).collect()).unwrap();
        assert_eq!((found.median, found.upper), (10.0, 19.0));
        assert_eq!(band(Vec::new()), None);
    }
}
