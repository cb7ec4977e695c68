//! Did one feature come back as two latents?
//!
//! A dictionary may write one feature that lives in all sources as a vanished latent and an emergent one. Each alone looks like
//! an event; side by side they have one direction. So every pair that never shares a source is compared, each in its own home,
//! the source of its largest norm. Rejected: comparing within one source, where one of the two is absent and has no direction.

use super::classes::{ABSENT_BELOW, TWINS_ABOVE};
use super::directions::cosine;
use super::result::{Latent, LatentClass};
use serde::{Deserialize, Serialize};

/// Two latents that may be one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Twins {
    /// Their indices in the dictionary, the one with the earlier home first.
    pub latents: [u32; 2],
    /// The indices of their home sources.
    pub homes: [u32; 2],
    /// Cosine of the first decoder vector in the first home and the second in the second, raw units.
    pub cosine: f32,
}

/// All pairs with a decoder cosine above [`TWINS_ABOVE`] between their homes where each is absent from the other's home, or one
/// is emergent and the other vanished; most alike first. `decoders` is `[S]` of `[m, d]` in raw units, `latents` and `homes` `[m]`.
/// Vectors of different widths are no pair. Costs d operations per pair of latents with different homes.
pub(super) fn twins(latents: &[Latent], decoders: &[Vec<f32>], homes: &[usize]) -> Vec<Twins> {
    let alive: Vec<(&Latent, usize)> =
        latents.iter().zip(homes).filter(|(l, _)| l.class != LatentClass::Dead).map(|(l, home)| (l, *home)).collect();
    let vector = |(latent, home): &(&Latent, usize)| {
        let width = decoders[*home].len() / latents.len();
        &decoders[*home][latent.index as usize * width..][..width]
    };
    let mut found = Vec::new();
    for (index, one) in alive.iter().enumerate() {
        for other in alive[index + 1..].iter().filter(|other| are_exclusive(one, other)) {
            if vector(one).len() != vector(other).len() {
                continue;
            }
            let cosine = cosine(vector(one), vector(other));
            if cosine > TWINS_ABOVE {
                let [early, late] = if other.1 < one.1 { [other, one] } else { [one, other] };
                let (latents, homes) = ([early.0.index, late.0.index], [early.1 as u32, late.1 as u32]);
                found.push(Twins { latents, homes, cosine });
            }
        }
    }
    found.sort_by(|x, y| y.cosine.total_cmp(&x.cosine));
    found
}

fn are_exclusive((one, home): &(&Latent, usize), (other, other_home): &(&Latent, usize)) -> bool {
    let ends = [LatentClass::Emergent, LatentClass::Vanished];
    (one.class != other.class && ends.contains(&one.class) && ends.contains(&other.class))
        || (one.relative[*other_home] < ABSENT_BELOW && other.relative[*home] < ABSENT_BELOW)
}

#[cfg(test)]
mod tests {
    use super::super::classes::{classify, relative_norms};
    use super::*;

    /// A dictionary of width 2 from `[latent][source]` vectors.
    fn found(vectors: &[&[[f32; 2]]]) -> Vec<([u32; 2], [u32; 2])> {
        let sources = vectors[0].len();
        let decoders: Vec<Vec<f32>> = (0..sources).map(|s| vectors.iter().flat_map(|latent| latent[s]).collect()).collect();
        let latent = |(index, vectors): (usize, &&[[f32; 2]])| {
            let norms: Vec<f32> = vectors.iter().map(|[x, y]| x.hypot(*y)).collect();
            let relative = relative_norms(&norms);
            let class = classify(&relative, &vec![Some(1.0); sources - 1], true);
            Latent { index: index as u32, norms, relative, class, ..Latent::default() }
        };
        let latents: Vec<Latent> = vectors.iter().enumerate().map(latent).collect();
        let largest = |l: &Latent| (0..sources).fold(0, |best, s| if l.norms[s] > l.norms[best] { s } else { best });
        let homes: Vec<usize> = latents.iter().map(largest).collect();
        twins(&latents, &decoders, &homes).into_iter().map(|twins| (twins.latents, twins.homes)).collect()
    }

    const NONE: [f32; 2] = [0.0, 0.0];

    #[test]
    fn a_split_feature_is_listed_and_its_neighbours_are_not() {
        let emergent = [NONE, [2.0, 0.1]];
        let vanished = [[1.0, 0.0], NONE];
        let elsewhere = [[0.0, 3.0], NONE];
        let opposite = [[-1.0, 0.0], NONE];
        let shared = [[1.0, 0.0], [1.0, 0.0]];
        assert_eq!(found(&[&emergent, &vanished, &elsewhere, &opposite, &shared]), [([1, 0], [0, 1])]);
    }

    #[test]
    fn the_cosine_has_to_exceed_nine_tenths() {
        let at = |cosine: f32| [NONE, [cosine, (1.0 - cosine * cosine).sqrt()]];
        let vanished = [[1.0, 0.0], NONE];
        assert_eq!(found(&[&vanished, &at(0.89), &at(0.91)]), [([0, 2], [0, 1])]);
    }

    #[test]
    fn the_most_alike_come_first() {
        let vanished = [[1.0, 0.0], NONE];
        let pairs = found(&[&vanished, &[NONE, [1.0, 0.3]], &[NONE, [1.0, 0.1]]]);
        assert_eq!(pairs.iter().map(|(latents, _)| latents[1]).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn transient_latents_of_different_sources_are_compared_too() {
        let early = [NONE, [1.0, 0.0], NONE, NONE];
        let late = [NONE, NONE, [1.0, 0.0], NONE];
        assert_eq!(found(&[&late, &early]), [([1, 0], [1, 2])]);
    }

    #[test]
    fn a_birth_and_a_death_that_overlap_count_and_other_overlaps_do_not() {
        let emergent = [NONE, [0.8, 0.0], [1.0, 0.0]];
        let vanished = [[1.0, 0.0], [0.9, 0.0], NONE];
        let transient = [NONE, [1.0, 0.0], NONE];
        assert_eq!(found(&[&emergent, &vanished, &transient]), [([1, 0], [0, 2])]);
    }

    #[test]
    fn dead_latents_have_no_twins() {
        let mut dead = Latent { index: 0, norms: vec![1.0, 0.0], relative: vec![1.0, 0.0], ..Latent::default() };
        dead.class = LatentClass::Dead;
        let emergent =
            Latent { index: 1, norms: vec![0.0, 1.0], relative: vec![0.0, 1.0], class: LatentClass::Emergent, ..dead.clone() };
        assert_eq!(twins(&[dead, emergent], &[vec![1.0, 0.0], vec![0.0, 1.0]], &[0, 1]), []);
    }
}
