//! When a latent was born and when it died.
//!
//! A class says that something happened, not when; a histogram of births beside the test loss needs the source. The life of a
//! latent is its *last* stay: the last unbroken run of sources in which it is present. Rejected: the first source above the
//! threshold, which dates a recurrent latent by a visit that it did not survive.

use super::classes::SHARED_FROM;

/// The life of a latent, in indices of sources.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Life {
    /// First source of the last stay; `None` if that stay begins with the first source, or there is none.
    pub(super) birth: Option<u32>,
    /// Last source of the last stay; `None` if that stay reaches the last source, or there is none.
    pub(super) death: Option<u32>,
    /// Share of the sources in which it is present, in 0..=1.
    pub(super) lifespan: f32,
    /// The source whose relative norm exceeds the one before it by the most; `None` if it never grows.
    pub(super) largest_rise: Option<u32>,
}

/// The life that `relative` norms `[sources]` tell.
pub(super) fn life(relative: &[f32]) -> Life {
    let is_present = |r: &f32| *r >= SHARED_FROM;
    let Some(last) = relative.iter().rposition(is_present) else { return Life::default() };
    let first = relative[..last].iter().rposition(|r| !is_present(r)).map_or(0, |before| before + 1);
    let mut rise = (None, 0.0);
    for (source, pair) in relative.windows(2).enumerate() {
        if pair[1] - pair[0] > rise.1 {
            rise = (Some(source as u32 + 1), pair[1] - pair[0]);
        }
    }
    Life {
        birth: (first > 0).then_some(first as u32),
        death: (last + 1 < relative.len()).then_some(last as u32),
        lifespan: relative.iter().filter(|r| is_present(r)).count() as f32 / relative.len() as f32,
        largest_rise: rise.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn births_and_deaths_are_those_of_the_last_stay() {
        for (relative, birth, death, present, largest_rise) in [
            (vec![1.0, 0.9, 0.5, 0.8], None, None, 4, Some(3)),
            (vec![0.0, 0.49, 0.5, 1.0], Some(2), None, 2, Some(3)),
            (vec![0.0, 0.8, 0.9, 1.0], Some(1), None, 3, Some(1)),
            (vec![1.0, 0.7, 0.2, 0.0], None, Some(1), 2, None),
            (vec![0.0, 0.3, 1.0, 0.0], Some(2), Some(2), 1, Some(2)),
            (vec![0.9, 0.0, 0.4, 1.0], Some(3), None, 2, Some(3)),
            (vec![1.0, 0.0, 0.6, 0.0], Some(2), Some(2), 2, Some(2)),
        ] {
            let found = life(&relative);
            let expected = Life { birth, death, lifespan: present as f32 / 4.0, largest_rise };
            assert_eq!(found, expected, "{relative:?}");
        }
    }

    #[test]
    fn a_latent_without_norm_has_no_life() {
        assert_eq!(life(&[0.0, 0.0]), Life::default());
        assert_eq!(life(&[]), Life::default());
    }
}
