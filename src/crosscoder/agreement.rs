//! Do fits with other seeds find the same latents?
//!
//! A third of a dictionary is often all that two seeds have in common (Paulo and Belrose 2501.16615), and a birth that only one
//! seed sees is an anecdote. Latents are matched by what they do, their activations on all inputs, and not by their decoder
//! vectors, which agree for features of one direction and tell nothing of when they fire.

use super::result::{CrosscoderResult, LatentClass};
use crate::record::UserError;

/// Latents are partners from this correlation of their activations on. Published studies use .7 of decoder cosines.
pub const PARTNER_FROM: f64 = 0.7;

/// Activations whose deviations carry less than this share of their energy are constant: f32 leaves about 1e-14, and two
/// constants would correlate by their rounding.
const CONSTANT_BELOW: f64 = 1e-12;

/// A latent's match in another fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Partner {
    /// Its index there.
    pub latent: u32,
    /// Correlation of the activations over all inputs.
    pub correlation: f64,
    /// Whether both fits give it the same class.
    pub same_class: bool,
}

/// How far the latents of a class are found again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// The class in the first fit.
    pub class: LatentClass,
    /// Its latents.
    pub count: usize,
    /// Share of them, averaged over the other fits, that have a partner.
    pub found: f64,
    /// Share that have a partner of the same class: the confidence in the class.
    pub same_class: f64,
}

/// The partner of each latent of `ours` in `theirs`, one to one, most alike first; `None` for latents without one.
///
/// # Errors
/// If the fits are of different inputs, or were saved without activations.
pub fn partners(ours: &CrosscoderResult, theirs: &CrosscoderResult) -> Result<Vec<Option<Partner>>, UserError> {
    let [a, b] = [all_standardised(ours)?, all_standardised(theirs)?];
    let rows = ours.activations.len() / ours.latents.len().max(1);
    if rows != theirs.activations.len() / theirs.latents.len().max(1) {
        return Err(UserError::new("The fits are of different inputs", "Compare fits of one task"));
    }
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            let (Some(x), Some(y)) = (x, y) else { continue };
            let correlation = correlation(x, y);
            if correlation >= PARTNER_FROM {
                pairs.push((correlation, i, j));
            }
        }
    }
    pairs.sort_by(|x, y| y.0.total_cmp(&x.0));
    let mut found = vec![None; a.len()];
    let mut is_taken = vec![false; b.len()];
    for (correlation, i, j) in pairs {
        if found[i].is_none() && !is_taken[j] {
            is_taken[j] = true;
            let same_class = ours.latents[i].class == theirs.latents[j].class;
            found[i] = Some(Partner { latent: j as u32, correlation, same_class });
        }
    }
    Ok(found)
}

/// How far each class of the first fit is found again in the others, classes in their order.
///
/// # Errors
/// If there are fewer than two fits, or they cannot be compared.
pub fn agreement(fits: &[CrosscoderResult]) -> Result<Vec<Agreement>, UserError> {
    let Some((ours, others)) = fits.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Err(UserError::new("One fit cannot agree with itself", "Name at least two, with different seeds"));
    };
    let found = others.iter().map(|theirs| partners(ours, theirs)).collect::<Result<Vec<_>, _>>()?;
    let classes = LatentClass::ALL.into_iter().filter(|class| *class != LatentClass::Dead);
    let of = |class: LatentClass| {
        let members: Vec<usize> = (0..ours.latents.len()).filter(|i| ours.latents[*i].class == class).collect();
        let share = |counts: &dyn Fn(&Partner) -> bool| {
            let hits: usize =
                found.iter().map(|partners| members.iter().filter(|i| partners[**i].is_some_and(|p| counts(&p))).count()).sum();
            hits as f64 / (members.len() * found.len()).max(1) as f64
        };
        Agreement { class, count: members.len(), found: share(&|_| true), same_class: share(&|partner| partner.same_class) }
    };
    Ok(classes.map(of).filter(|agreement| agreement.count > 0).collect())
}

/// Activations of each latent, see [`standardised`].
fn all_standardised(fit: &CrosscoderResult) -> Result<Vec<Option<Vec<f32>>>, UserError> {
    let rows = fit.activations.len() / fit.latents.len().max(1);
    if rows == 0 {
        return Err(UserError::new(
            format!("The fit {} has no activations", fit.config.name),
            "Fit it again, or export all files",
        ));
    }
    Ok(fit.activations.chunks_exact(rows).map(standardised).collect())
}

/// `values` less their mean, of length 1; `None` for constants.
pub(super) fn standardised(values: &[f32]) -> Option<Vec<f32>> {
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64;
    let square: f64 = values.iter().map(|v| (f64::from(*v) - mean) * (f64::from(*v) - mean)).sum();
    let energy: f64 = values.iter().map(|v| f64::from(*v) * f64::from(*v)).sum();
    (square > CONSTANT_BELOW * energy)
        .then(|| values.iter().map(|v| ((f64::from(*v) - mean) / libm::sqrt(square)) as f32).collect())
}

/// Correlation of two standardised activations.
pub(super) fn correlation(x: &[f32], y: &[f32]) -> f64 {
    // Four sums, because a chain of additions waits for each.
    let mut lanes = [0.0; 4];
    let (xs, ys) = (x.chunks_exact(4), y.chunks_exact(4));
    let rest: f64 = xs.remainder().iter().zip(ys.remainder()).map(|(x, y)| f64::from(x * y)).sum();
    for (x, y) in xs.zip(ys) {
        lanes.iter_mut().zip(x.iter().zip(y)).for_each(|(lane, (x, y))| *lane += f64::from(x * y));
    }
    lanes.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::super::test_fits::{self, latent};
    use super::*;

    fn fit(classes: &[LatentClass], activations: &[[f32; 4]]) -> CrosscoderResult {
        let latents = classes.iter().map(|class| latent(*class, &[])).collect();
        CrosscoderResult { activations: activations.concat(), ..test_fits::fit(&[], latents) }
    }

    const A: [f32; 4] = [1.0, 0.0, 0.0, 0.0];
    const B: [f32; 4] = [0.0, 2.0, 2.0, 0.0];
    const C: [f32; 4] = [0.0, 0.0, 0.0, 3.0];

    #[test]
    fn latents_are_matched_by_what_they_do_whatever_their_scale_and_order() {
        use LatentClass::{Dead, Emergent, Vanished};
        let ours = fit(&[Emergent, Vanished, Emergent, Dead], &[A, B, C, [0.0; 4]]);
        let theirs = fit(&[Emergent, Emergent], &[[0.0, 4.0, 4.0, 0.0], [0.5, 0.0, 0.0, 0.0]]);
        let found = partners(&ours, &theirs).unwrap();
        assert_eq!(found.iter().map(|p| p.map(|p| p.latent)).collect::<Vec<_>>(), [Some(1), Some(0), None, None]);
        assert!(found[0].unwrap().same_class && !found[1].unwrap().same_class);
        assert!((found[0].unwrap().correlation - 1.0).abs() < 1e-6);

        let all = agreement(&[ours.clone(), theirs, ours]).unwrap();
        let emergent = all.iter().find(|a| a.class == Emergent).unwrap();
        // The first other fit has one of two, the second both.
        assert_eq!((emergent.count, emergent.found, emergent.same_class), (2, 0.75, 0.75));
        let vanished = all.iter().find(|a| a.class == Vanished).unwrap();
        assert_eq!((vanished.found, vanished.same_class), (1.0, 0.5));
        assert_eq!(all.len(), 2, "dead latents have nothing to agree on");
    }

    #[test]
    fn one_latent_is_the_partner_of_one_only() {
        let ours = fit(&[LatentClass::Stable; 2], &[B, [0.0, 2.0, 2.1, 0.0]]);
        let found = partners(&ours, &fit(&[LatentClass::Stable], &[B])).unwrap();
        assert!(found[0].is_some() && found[1].is_none());
    }

    #[test]
    fn fits_that_cannot_be_compared_are_refused() {
        let one = fit(&[LatentClass::Stable], &[A]);
        assert!(agreement(core::slice::from_ref(&one)).unwrap_err().cause.contains("itself"));
        let mut bare = one.clone();
        bare.activations.clear();
        assert!(partners(&one, &bare).unwrap_err().cause.contains("no activations"));
        let longer = CrosscoderResult { activations: vec![1.0, 0.0, 0.0, 0.0, 1.0], ..one.clone() };
        assert!(partners(&one, &longer).unwrap_err().cause.contains("different inputs"));
    }
}
