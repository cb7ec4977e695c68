//! What could still be wrong, read off the numbers.
//!
//! Written by hand, this section is what gets left out. Each doubt is a rule: it appears when its check was not made or did not
//! come out well.

use super::{nulls, seeds};
use crate::crosscoder::{Absence, CrosscoderResult, Judged, LatentClass, Null};
use crate::record::Archive;

/// Explained variance below which what the dictionary leaves out may be the story.
const EXPLAINED: f32 = 0.85;
/// A removal has to do so many times what its controls do.
const FACTOR: f64 = 3.0;
/// Share of the absences that may be shrinkage.
const SHRUNK: f64 = 0.1;

/// Every doubt about the first of `fits` of the run in `archive`.
pub fn doubts(archive: &Archive, fits: &[CrosscoderResult]) -> Vec<String> {
    let Some(fit) = fits.first() else { return Vec::new() };
    let mut said = Vec::new();
    for (source, explained) in fit.sources.iter().zip(&fit.explained_variance).filter(|(_, ev)| **ev < EXPLAINED) {
        said.push(format!(
            "At step {} the dictionary explains {:.0}% of the activation on held-out inputs; what it leaves out may matter.",
            source.step,
            100.0 * explained
        ));
    }
    if fit.null() == Null::None {
        let made: Vec<Null> = fits.iter().skip(1).map(CrosscoderResult::null).collect();
        if !made.contains(&Null::Repeated) {
            said.push(
                "There is no null fit beside it: how many births this rule makes up where nothing can be born is not known."
                    .into(),
            );
        }
        let missing: Vec<&str> =
            Null::ALL.into_iter().filter(|null| *null != Null::Repeated && !made.contains(null)).map(Null::name).collect();
        if !missing.is_empty() {
            said.push(format!("Not made: the nulls {}, each of which takes away something else.", missing.join(", ")));
        }
    }
    for (fit, null, judged) in nulls(fits).into_iter().filter(|(.., judged)| !judged.holds) {
        said.push(format!("The null {} shows {}: {}.", fit.config.name, judged.found, null.otherwise()));
    }
    let unrelated = |(other, null, _): &(&CrosscoderResult, Null, Judged)| {
        *null == Null::ShuffledPairs && fit.emergent > 0 && 2 * other.emergent >= fit.emergent
    };
    if let Some((other, ..)) = nulls(fits).iter().find(|null| unrelated(null)) {
        said.push(format!(
            "With shuffled pairing {} latents look born ({} confirmed), against {}: their number says that the checkpoints have no code in common, and not that something was learnt.",
            other.emergent, other.emergent_confirmed, fit.emergent
        ));
    }
    if seeds(fits).count() < 2 {
        said.push("One fit seed: half of the births may be other latents with another seed.".into());
    }
    let (absent, shrunk) = absences(fit);
    if absent > 0 && shrunk as f64 > SHRUNK * absent as f64 {
        said.push(format!(
            "{shrunk} of {absent} absences of emergent latents are shrinkage: the data hold them where the norm is small."
        ));
    }
    said.extend(causal(fit));
    if fit.sources.len() < 4 && fit.null() == Null::None {
        said.push("Few checkpoints: a birth is dated only to the gap between two of them.".into());
    }
    said.push(format!(
        "One run (training seed {}): the number of births differs between runs, and with it everything above.",
        archive.experiment.seed
    ));
    said.push("The norm of a decoder vector is part of the fit's own objective; another sparsity rule tells another story of the same activations.".into());
    said
}

/// Absences of emergent latents, and those that are shrinkage or decoupling.
fn absences(fit: &CrosscoderResult) -> (usize, usize) {
    let all = || {
        let emergent = fit.latents.iter().filter(|latent| latent.class == LatentClass::Emergent);
        emergent.flat_map(|latent| latent.absences.iter().flatten())
    };
    (all().count(), all().filter(|absence| matches!(absence, Absence::Shrunk | Absence::Decoupled)).count())
}

/// Doubts about what the emergent latents do at the last checkpoint.
fn causal(fit: &CrosscoderResult) -> Vec<String> {
    let Some(last) = fit.causal.as_ref().and_then(|causal| causal.sources.last()) else {
        return vec!["Nothing was taken out of the network: that the latents matter is not shown.".into()];
    };
    let Some(set) = last.sets.iter().find(|set| set.class == LatentClass::Emergent) else { return Vec::new() };
    let rise = set.zero.test_loss - last.clean.test_loss;
    let mut said = Vec::new();
    let beats = |upper: f64| rise >= FACTOR * upper.max(0.0) && rise > 0.0;
    if let Some(moved) = set.moved.filter(|band| !beats(band.upper)) {
        said.push(format!(
            "Without the emergent latents the test loss changes by {rise:+.2}, and by up to {:+.2} when the activation is moved as far in any direction: the network may break under any move of this length.",
            moved.upper
        ));
    }
    for (name, band) in [("as many other latents", set.random), ("latents as strong", set.matched)] {
        match band {
            None => said.push(format!("There were not enough other latents for a control with {name}.")),
            Some(band) if !beats(band.upper) => {
                said.push(format!("Taking out {name} changes the test loss by up to {:+.2}, against {rise:+.2}.", band.upper));
            }
            Some(_) => {}
        }
    }
    said
}
