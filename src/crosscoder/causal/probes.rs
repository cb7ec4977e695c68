//! Which interventions to make, and their controls.

use super::super::result::{CrosscoderResult, LatentClass};
use super::super::source::Source;
use super::insert::{Anatomy, Insert, Replacement};
use crate::experiment::randomness::{Purpose, Stream};

/// Sets drawn for each band.
pub const CONTROLS: usize = 20;
/// A control of equal strength is drawn among so many latents of nearest energy.
const NEAREST: usize = 5;

/// One intervention to make.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Index of the source whose network goes on.
    pub source: usize,
    /// What is put in.
    pub insert: Insert,
    pub(super) role: Role,
}

/// What the effect of a probe is for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Role {
    Clean,
    Reconstruction,
    Nothing,
    MeanActivation,
    Set(LatentClass, Replacement),
    Random(LatentClass),
    Matched(LatentClass),
    Moved(LatentClass),
    Keep(u32),
    Remove(u32),
    Swap(LatentClass),
    SwapRandom(LatentClass),
}

/// Classes that are taken out.
pub(super) const CLASSES: [LatentClass; 6] = [
    LatentClass::Emergent,
    LatentClass::Vanished,
    LatentClass::Stable,
    LatentClass::Rotated,
    LatentClass::Transient,
    LatentClass::Recurrent,
];

/// All interventions for a result, in the order in which [`super::summarise`] wants their effects, at those sources where
/// `can_intervene`.
pub fn probes(result: &CrosscoderResult, anatomy: &Anatomy, can_intervene: &[bool]) -> Vec<Probe> {
    let mut all = Vec::new();
    let alive: Vec<u32> = result.latents.iter().filter(|l| l.class != LatentClass::Dead).map(|l| l.index).collect();
    let sets: Vec<(LatentClass, Vec<u32>)> = CLASSES
        .into_iter()
        .map(|class| (class, result.latents.iter().filter(|l| l.class == class).map(|l| l.index).collect::<Vec<u32>>()))
        .filter(|(_, set)| !set.is_empty())
        .collect();
    let there = |source: &usize| can_intervene[*source];
    for source in distinct(&anatomy.sources).into_iter().filter(there) {
        let mut add = |role, insert| all.push(Probe { source, insert, role });
        add(Role::Clean, Insert::Clean);
        add(Role::Reconstruction, Insert::Reconstruction);
        add(Role::Nothing, Insert::Nothing);
        add(Role::MeanActivation, Insert::MeanActivation);
        let energies = anatomy.energies(source);
        for (class, set) in &sets {
            for how in [Replacement::Zero, Replacement::Mean, Replacement::Resample] {
                add(Role::Set(*class, how), Insert::Without(set.clone(), how));
            }
            for draw in 0..CONTROLS as u32 {
                add(Role::Moved(*class), Insert::Moved { latents: set.clone(), draw });
            }
            let others: Vec<u32> = alive.iter().copied().filter(|latent| !set.contains(latent)).collect();
            if others.len() < set.len() {
                continue;
            }
            let mut stream = Stream::new(result.config.seed, Purpose::Measure, (source as u64) << 8 | *class as u64);
            for _ in 0..CONTROLS {
                let drawn = random_set(&others, set.len(), &mut stream);
                add(Role::Random(*class), Insert::Without(drawn, Replacement::Zero));
                let drawn = matched_set(&others, set, &energies, &mut stream);
                add(Role::Matched(*class), Insert::Without(drawn, Replacement::Zero));
            }
        }
        let mut order = alive.clone();
        order.sort_by(|a, b| energies[*b as usize].total_cmp(&energies[*a as usize]));
        for n in counts(order.len()) {
            let (strong, weak) = order.split_at(n);
            add(Role::Keep(n as u32), Insert::Without(weak.to_vec(), Replacement::Zero));
            add(Role::Remove(n as u32), Insert::Without(strong.to_vec(), Replacement::Zero));
        }
    }
    if let Some((from, last)) = swapped(&anatomy.sources, can_intervene) {
        for (class, set) in &sets {
            let mut add = |role, latents| all.push(Probe { source: last, insert: Insert::Swapped { from, latents }, role });
            add(Role::Swap(*class), set.clone());
            let others: Vec<u32> = alive.iter().copied().filter(|latent| !set.contains(latent)).collect();
            let mut stream = Stream::new(result.config.seed, Purpose::Measure, 1 << 16 | *class as u64);
            if others.len() >= set.len() {
                (0..CONTROLS).for_each(|_| add(Role::SwapRandom(*class), random_set(&others, set.len(), &mut stream)));
            }
        }
    }
    all
}

/// From which source to which latents are given: the first and the last of the last place where anything can be put in; `None`
/// where these are one checkpoint.
pub(super) fn swapped(sources: &[Source], can_intervene: &[bool]) -> Option<(usize, usize)> {
    let last = can_intervene.iter().rposition(|can| *can)?;
    let from = sources.iter().position(|source| source.place == sources[last].place)?;
    (sources[from].step != sources[last].step).then_some((from, last))
}

/// Sources that are not a repetition of an earlier one: a null fit has three alike.
pub(super) fn distinct(sources: &[Source]) -> Vec<usize> {
    let is_new = |at: &usize| {
        sources[..*at].iter().all(|earlier| (earlier.step, earlier.place) != (sources[*at].step, sources[*at].place))
    };
    (0..sources.len()).filter(is_new).collect()
}

/// 1, 2, 4, … and half of all: where the curves of the strongest latents are taken.
pub(super) fn counts(alive: usize) -> Vec<usize> {
    core::iter::successors(Some(1usize), |n| Some(2 * n)).take_while(|n| *n < alive).collect()
}

pub(super) fn random_set(others: &[u32], count: usize, stream: &mut Stream) -> Vec<u32> {
    stream.permutation(others.len()).into_iter().take(count).map(|at| others[at as usize]).collect()
}

/// For each latent of `set` one of the [`NEAREST`] others in energy that are not yet taken, the strongest first.
pub(super) fn matched_set(others: &[u32], set: &[u32], energies: &[f64], stream: &mut Stream) -> Vec<u32> {
    let mut wanted = set.to_vec();
    wanted.sort_by(|a, b| energies[*b as usize].total_cmp(&energies[*a as usize]));
    let mut free = others.to_vec();
    let mut drawn = Vec::with_capacity(set.len());
    for latent in wanted {
        let gap = |other: &u32| (energies[*other as usize] - energies[latent as usize]).abs();
        free.sort_by(|a, b| gap(a).total_cmp(&gap(b)));
        let at = stream.below(NEAREST.min(free.len()) as u64) as usize;
        drawn.push(free.swap_remove(at));
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matched_set_is_about_as_strong_and_disjoint() {
        let energies: Vec<f64> = (0..100).map(|i| f64::from(i) * f64::from(i)).collect();
        let set: Vec<u32> = (60..80).collect();
        let others: Vec<u32> = (0..100).filter(|i| !set.contains(i)).collect();
        let mut stream = Stream::new(1, Purpose::Measure, 0);
        let total = |set: &[u32]| set.iter().map(|i| energies[*i as usize]).sum::<f64>();
        let matched = matched_set(&others, &set, &energies, &mut stream);
        let random = random_set(&others, set.len(), &mut stream);
        for drawn in [&matched, &random] {
            let mut unique = drawn.clone();
            unique.sort_unstable();
            unique.dedup();
            assert!(unique.len() == 20 && unique.iter().all(|i| !set.contains(i)));
        }
        assert!((total(&matched) / total(&set) - 1.0).abs() < 0.35, "{}", total(&matched) / total(&set));
        assert!((total(&random) / total(&set) - 1.0).abs() > 0.2);
    }

    #[test]
    fn counts_double() {
        assert_eq!((counts(1), counts(40)), (vec![], vec![1, 2, 4, 8, 16, 32]));
    }
}
