//! What became of a latent, by the size of its decoder vector at each source.
//!
//! The thresholds are named here once; captions, counts and the analysis read them. They leave a gap between absent and
//! present, so that a latent on the fence is `Unclear` instead of moving between classes with the seed.

use super::result::LatentClass;

/// A latent is shared when its relative norm is at least this in every source.
pub const SHARED_FROM: f32 = 0.5;
/// A latent is absent from a source when its relative norm is below this.
pub const ABSENT_BELOW: f32 = 0.3;
/// A latent is present in a source when its relative norm is above this.
pub const PRESENT_ABOVE: f32 = 0.7;
/// An absence is real, not shrinkage, when ν_ε is below this (Minder et al. 2025).
pub const REAL_ABSENCE_BELOW: f32 = 0.2;
/// A latent is a residue latent when its η² over the task's label is above this.
pub const RESIDUE_ABOVE: f64 = 0.8;

/// Norms divided by their largest; zeros when all are zero.
pub fn relative_norms(norms: &[f32]) -> Vec<f32> {
    let largest = norms.iter().copied().fold(0.0, f32::max);
    norms.iter().map(|norm| if largest > 0.0 { norm / largest } else { 0.0 }).collect()
}

/// The class of a latent with `relative` norms `[sources]`; `fires` says whether any input of the grid activates it.
pub fn classify(relative: &[f32], fires: bool) -> LatentClass {
    let (Some(&first), Some(&last), true) = (relative.first(), relative.last(), fires) else { return LatentClass::Dead };
    if relative.iter().all(|&r| r >= SHARED_FROM) {
        LatentClass::Shared
    } else if first < ABSENT_BELOW && last > PRESENT_ABOVE {
        LatentClass::Emergent
    } else if first > PRESENT_ABOVE && last < ABSENT_BELOW {
        LatentClass::Vanished
    } else {
        LatentClass::Unclear
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_separate_the_classes() {
        use LatentClass::{Dead, Emergent, Shared, Unclear, Vanished};
        for (relative, class) in [
            (vec![1.0, 0.5, 0.5], Shared),
            (vec![1.0, 0.49, 0.5], Unclear),
            (vec![0.29, 0.1, 1.0], Emergent),
            (vec![0.3, 0.1, 1.0], Unclear),
            (vec![0.0, 1.0, 0.71], Emergent),
            (vec![0.0, 1.0, 0.7], Unclear),
            (vec![1.0, 0.9, 0.29], Vanished),
            (vec![0.71, 1.0, 0.0], Vanished),
            (vec![0.0, 1.0, 0.0], Unclear),
            (vec![1.0], Shared),
        ] {
            assert_eq!(classify(&relative, true), class, "{relative:?}");
            assert_eq!(classify(&relative, false), Dead);
        }
    }

    #[test]
    fn the_largest_relative_norm_is_one() {
        assert_eq!(relative_norms(&[0.5, 2.0, 1.0]), [0.25, 1.0, 0.5]);
        assert_eq!(relative_norms(&[0.0, 0.0]), [0.0, 0.0]);
        assert_eq!(classify(&relative_norms(&[0.0, 0.0]), true), LatentClass::Unclear);
    }
}
