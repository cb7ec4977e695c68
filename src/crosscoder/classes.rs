//! What became of a latent, by the size and the direction of its decoder vector at each source.
//!
//! The thresholds are named here once; captions, counts and the analysis read them. They leave a gap between absent and
//! present, so that a latent on the fence is `Unclear` instead of moving between classes with the seed. Between the ends a
//! latent is taken as present from .5 on. Rejected: one threshold for everything, under which a norm that hovers around it is
//! born and dies at every source.

use super::result::LatentClass;

/// A latent is present between the ends, and shared when it is so in every source, from this relative norm on.
pub const SHARED_FROM: f32 = 0.5;
/// A latent is absent from a source when its relative norm is below this.
pub const ABSENT_BELOW: f32 = 0.3;
/// A latent is present in the first or last source when its relative norm is above this.
pub const PRESENT_ABOVE: f32 = 0.7;
/// A shared latent is stable when its decoder's cosine from each source to the next is at least this. With [`ROTATED_BELOW`] it
/// is our choice; chance has a standard deviation of 1/√d, .09 at d = 128.
pub const STABLE_FROM: f32 = 0.8;
/// A shared latent is rotated when its decoder's cosine from some source to the next is below this.
pub const ROTATED_BELOW: f32 = 0.5;
/// An absence is real, not shrinkage, when ν_ε is below this (Minder et al. 2025).
pub const REAL_ABSENCE_BELOW: f32 = 0.2;
/// Other latents carry what the absent one would when ν_r is at least this (Minder et al. 2025).
pub const DECOUPLED_FROM: f32 = 0.5;
/// Two exclusive latents are twins when the cosine of their decoders is above this (Minder et al. 2025).
pub const TWINS_ABOVE: f32 = 0.9;
/// A latent is a residue latent when its η² over the task's label is above this.
pub const RESIDUE_ABOVE: f64 = 0.8;

/// Norms divided by their largest; zeros when all are zero.
pub fn relative_norms(norms: &[f32]) -> Vec<f32> {
    let largest = norms.iter().copied().fold(0.0, f32::max);
    norms.iter().map(|norm| if largest > 0.0 { norm / largest } else { 0.0 }).collect()
}

/// Whether a latent with `relative` norms `[sources]` is present in every source.
pub fn is_shared(relative: &[f32]) -> bool {
    !relative.is_empty() && relative.iter().all(|&r| r >= SHARED_FROM)
}

/// The class of a latent with `relative` norms `[sources]` and the cosine of its decoder vectors from each source to the next,
/// `adjacent` `[sources − 1]`; `fires` says whether any input of the grid activates it.
///
/// A shared latent is stable or rotated; where its smallest adjacent cosine lies between [`ROTATED_BELOW`] and [`STABLE_FROM`]
/// it is neither and so unclear, like every other latent on a fence, but it still counts as shared. All others need ends that
/// are absent or present beyond doubt. For two sources this leaves emergent, vanished and unclear.
pub fn classify(relative: &[f32], adjacent: &[Option<f32>], fires: bool) -> LatentClass {
    let (Some(&first), Some(&last), true) = (relative.first(), relative.last(), fires) else { return LatentClass::Dead };
    if is_shared(relative) {
        return by_direction(adjacent);
    }
    if [first, last].iter().any(|r| (ABSENT_BELOW..=PRESENT_ABOVE).contains(r)) {
        return LatentClass::Unclear;
    }
    let is_present = |r: &f32| *r >= SHARED_FROM;
    let stays = relative.split(|&r| r < ABSENT_BELOW).filter(|stay| stay.iter().any(is_present)).count();
    match (first < ABSENT_BELOW, last < ABSENT_BELOW, stays) {
        (_, _, 2..) => LatentClass::Recurrent,
        (true, true, 1) => LatentClass::Transient,
        (true, false, 1) if relative.iter().is_sorted_by_key(is_present) => LatentClass::Emergent,
        (false, true, 1) if relative.iter().rev().is_sorted_by_key(is_present) => LatentClass::Vanished,
        _ => LatentClass::Unclear,
    }
}

fn by_direction(adjacent: &[Option<f32>]) -> LatentClass {
    if adjacent.iter().flatten().any(|&cosine| cosine < ROTATED_BELOW) {
        LatentClass::Rotated
    } else if adjacent.iter().flatten().all(|&cosine| cosine >= STABLE_FROM) {
        LatentClass::Stable
    } else {
        LatentClass::Unclear
    }
}

#[cfg(test)]
mod tests {
    use super::LatentClass::{Dead, Emergent, Recurrent, Rotated, Stable, Transient, Unclear, Vanished};
    use super::*;

    fn class_of(relative: &[f32]) -> LatentClass {
        classify(relative, &vec![Some(1.0); relative.len().saturating_sub(1)], true)
    }

    #[test]
    fn thresholds_separate_the_classes() {
        for (relative, class) in [
            (vec![1.0, 0.5, 0.5], Stable),
            (vec![1.0, 0.49, 0.5], Unclear),
            (vec![1.0, 0.49, 0.71], Unclear),
            (vec![0.29, 0.1, 1.0], Emergent),
            (vec![0.3, 0.1, 1.0], Unclear),
            (vec![0.0, 1.0, 0.71], Emergent),
            (vec![0.0, 1.0, 0.7], Unclear),
            (vec![1.0, 0.9, 0.29], Vanished),
            (vec![0.71, 1.0, 0.0], Vanished),
            (vec![0.7, 1.0, 0.0], Unclear),
            (vec![0.0, 1.0, 0.0], Transient),
            (vec![0.3, 1.0, 0.0], Unclear),
            (vec![1.0, 0.29, 0.71], Recurrent),
            (vec![1.0, 0.3, 0.71], Unclear),
            (vec![1.0], Stable),
        ] {
            assert_eq!(class_of(&relative), class, "{relative:?}");
            assert_eq!(classify(&relative, &[], false), Dead);
        }
    }

    #[test]
    fn a_latent_that_returns_from_an_absence_is_recurrent_and_from_a_dip_unclear() {
        for (relative, class) in [
            (vec![0.0, 0.4, 0.6, 1.0], Emergent),
            (vec![0.0, 0.6, 0.4, 1.0], Unclear),
            (vec![0.0, 0.6, 0.2, 1.0], Recurrent),
            (vec![0.0, 0.4, 0.2, 1.0], Emergent),
            (vec![1.0, 0.6, 0.4, 0.0], Vanished),
            (vec![1.0, 0.4, 0.6, 0.0], Unclear),
            (vec![1.0, 0.2, 0.6, 0.0], Recurrent),
            (vec![0.0, 1.0, 0.4, 0.8, 0.0], Transient),
            (vec![0.0, 1.0, 0.2, 0.8, 0.0], Recurrent),
            (vec![0.0, 1.0, 0.2, 0.4, 0.0], Transient),
            (vec![0.6, 0.0, 1.0], Unclear),
        ] {
            assert_eq!(class_of(&relative), class, "{relative:?}");
        }
    }

    #[test]
    fn time_backwards_swaps_births_and_deaths_and_nothing_else() {
        // Every profile of five sources from values on each side of every threshold.
        let levels = [0.0, 0.29, 0.3, 0.49, 0.5, 0.7, 0.71, 1.0];
        for number in 0..levels.len().pow(5) {
            let mut profile: Vec<f32> = (0..5).map(|place| levels[number / levels.len().pow(place) % levels.len()]).collect();
            let class = class_of(&profile);
            profile.reverse();
            let mirrored = match class_of(&profile) {
                Emergent => Vanished,
                Vanished => Emergent,
                other => other,
            };
            assert_eq!(class, mirrored, "{profile:?}");
        }
    }

    #[test]
    fn two_sources_keep_the_rule_of_the_ends() {
        for first in 0..=100 {
            for (first, last) in [(first as f32 / 100.0, 1.0), (1.0, first as f32 / 100.0)] {
                let expected = match (first, last) {
                    (f, l) if f >= SHARED_FROM && l >= SHARED_FROM => Stable,
                    (f, l) if f < ABSENT_BELOW && l > PRESENT_ABOVE => Emergent,
                    (f, l) if f > PRESENT_ABOVE && l < ABSENT_BELOW => Vanished,
                    _ => Unclear,
                };
                assert_eq!(class_of(&[first, last]), expected, "{first} {last}");
            }
        }
    }

    #[test]
    fn direction_divides_shared_latents_only() {
        for (adjacent, class) in [
            ([Some(0.8), Some(1.0)], Stable),
            ([Some(0.79), Some(1.0)], Unclear),
            ([Some(0.5), Some(0.5)], Unclear),
            ([Some(1.0), Some(0.49)], Rotated),
            ([Some(0.79), Some(-0.9)], Rotated),
        ] {
            assert_eq!(classify(&[1.0, 0.8, 0.5], &adjacent, true), class, "{adjacent:?}");
            assert_eq!(classify(&[0.0, 0.8, 1.0], &adjacent, true), Emergent);
        }
    }

    #[test]
    fn the_largest_relative_norm_is_one() {
        assert_eq!(relative_norms(&[0.5, 2.0, 1.0]), [0.25, 1.0, 0.5]);
        assert_eq!(relative_norms(&[0.0, 0.0]), [0.0, 0.0]);
        assert_eq!(class_of(&relative_norms(&[0.0, 0.0])), Unclear);
    }
}
