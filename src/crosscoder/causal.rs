//! What a latent does to the loss: which interventions to make, and what their effects say.
//!
//! A dictionary can explain an activation with latents that the network does not use, and a decoder norm is part of the fit's own
//! objective. So sets of latents are taken out of the activation, the error of the dictionary left in place, and the network
//! goes on from there. Taking out fifty latents always hurts: what counts is how much more than fifty others, drawn at random or
//! drawn to be as strong, and more than moving the activation as far in any direction. The last is the control that remains where
//! a class has all the strength that there is, as emergent latents of a clean network do. The room is pure: it says what to put in and what came out; `engine/causal.rs` runs the network.

use super::result::{CrosscoderResult, LatentClass};
use super::source::Source;
use crate::experiment::randomness::{Purpose, Stream};
use serde::{Deserialize, Serialize};

/// Sets drawn for each band.
pub const CONTROLS: usize = 20;
/// A control of equal strength is drawn among so many latents of nearest energy.
const NEAREST: usize = 5;
/// CE recovered is a ratio of differences; below this gap, nats, it is noise (at the start zero and clean are both ln p).
pub const LEAST_GAP: f64 = 0.05;

/// The activations and the dictionary behind a result, raw units, rows in the order of the data.
#[derive(Debug, Clone)]
pub struct Anatomy {
    /// The sources.
    pub sources: Vec<Source>,
    /// Codes `[rows, m]`.
    pub codes: Vec<f32>,
    /// Decoder per source, `[S]` of `[m, d]`.
    pub decoders: Vec<Vec<f32>>,
    /// Decoder bias per source, `[S]` of `[d]`.
    pub biases: Vec<Vec<f32>>,
}

/// What stands in for the contribution f·D of a latent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replacement {
    /// Nothing.
    Zero,
    /// Its mean over all inputs.
    Mean,
    /// That of another input, the same one for all latents.
    Resample,
}

/// What is put into the network at one source.
#[derive(Debug, Clone, PartialEq)]
pub enum Insert {
    /// The activation itself.
    Clean,
    /// The dictionary's reconstruction x̂.
    Reconstruction,
    /// Zeros.
    Nothing,
    /// The mean activation.
    MeanActivation,
    /// The activation with these latents replaced; the dictionary's error stays.
    Without(Vec<u32>, Replacement),
    /// The activation, moved on every input as far as [`Insert::Without`] moves it, in a direction drawn at random.
    Moved {
        /// The latents whose contribution gives the distance.
        latents: Vec<u32>,
        /// Which draw.
        draw: u32,
    },
    /// The activation of the source `from`, its latents in the set decoded by this source's vectors instead of its own
    /// (Minder et al. 2025, turned from models to time).
    Swapped {
        /// Index of the earlier source.
        from: usize,
        /// Latents that are exchanged.
        latents: Vec<u32>,
    },
}

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

impl Anatomy {
    /// `[rows, d]` of source `source` with `insert`.
    pub fn inserted(&self, source: usize, insert: &Insert, seed: u64) -> Vec<f32> {
        let width = self.sources[source].width;
        let x = &self.sources[source].values;
        let latents = self.decoders[source].len() / width;
        let rows = x.len() / width;
        let mean = || {
            let mut sum = vec![0f64; width];
            x.chunks_exact(width).for_each(|row| sum.iter_mut().zip(row).for_each(|(s, v)| *s += f64::from(*v)));
            sum.into_iter().map(|s| (s / rows as f64) as f32).collect::<Vec<f32>>()
        };
        match insert {
            Insert::Clean => x.clone(),
            Insert::Nothing => vec![0.0; x.len()],
            Insert::MeanActivation => mean().repeat(rows),
            Insert::Reconstruction => {
                let mut out = self.biases[source].repeat(rows);
                let all: Vec<u32> = (0..latents as u32).collect();
                self.add(&mut out, source, &all, |row, latent| self.codes[row * latents + latent]);
                out
            }
            Insert::Without(set, how) => {
                let mut out = x.clone();
                let means = self.mean_codes(set, latents, rows);
                let other = Stream::new(seed, Purpose::CrosscoderFold, 1).permutation(rows);
                self.add(&mut out, source, set, |row, latent| {
                    let stands_in = match how {
                        Replacement::Zero => 0.0,
                        Replacement::Mean => means[latent],
                        Replacement::Resample => self.codes[other[row] as usize * latents + latent],
                    };
                    stands_in - self.codes[row * latents + latent]
                });
                out
            }
            Insert::Moved { latents: set, draw } => {
                let mut change = vec![0.0; x.len()];
                self.add(&mut change, source, set, |row, latent| self.codes[row * latents + latent]);
                let mut stream = Stream::new(seed, Purpose::Measure, 1 << 32 | u64::from(*draw));
                let norm = |v: &[f32]| libm::sqrt(v.iter().map(|v| f64::from(*v) * f64::from(*v)).sum());
                let mut out = x.clone();
                for (values, change) in out.chunks_exact_mut(width).zip(change.chunks_exact(width)) {
                    let direction = stream.normals(width, 1.0);
                    let scale = (norm(change) / norm(&direction).max(f64::MIN_POSITIVE)) as f32;
                    values.iter_mut().zip(direction).for_each(|(v, d)| *v += scale * d);
                }
                out
            }
            Insert::Swapped { from, latents: set } => {
                let mut out = self.sources[*from].values.clone();
                self.add(&mut out, source, set, |row, latent| self.codes[row * latents + latent]);
                self.add(&mut out, *from, set, |row, latent| -self.codes[row * latents + latent]);
                out
            }
        }
    }

    /// Adds Σ weight(row, latent)·D to each row.
    fn add(&self, out: &mut [f32], source: usize, set: &[u32], weight: impl Fn(usize, usize) -> f32) {
        let width = self.sources[source].width;
        for (row, values) in out.chunks_exact_mut(width).enumerate() {
            for &latent in set {
                let latent = latent as usize;
                let by = weight(row, latent);
                if by != 0.0 {
                    let direction = &self.decoders[source][latent * width..][..width];
                    values.iter_mut().zip(direction).for_each(|(v, d)| *v += by * d);
                }
            }
        }
    }

    /// Mean code of each latent of `set`; zeros elsewhere.
    fn mean_codes(&self, set: &[u32], latents: usize, rows: usize) -> Vec<f32> {
        let mut means = vec![0f32; latents];
        for &latent in set {
            let sum: f64 = (0..rows).map(|row| f64::from(self.codes[row * latents + latent as usize])).sum();
            means[latent as usize] = (sum / rows as f64) as f32;
        }
        means
    }

    /// ⟨f²⟩·‖D‖² of each latent at `source`.
    pub fn energies(&self, source: usize) -> Vec<f64> {
        let width = self.sources[source].width;
        let latents = self.decoders[source].len() / width;
        let rows = self.codes.len() / latents.max(1);
        (0..latents)
            .map(|latent| {
                let square = |v: &f32| f64::from(*v) * f64::from(*v);
                let norm: f64 = self.decoders[source][latent * width..][..width].iter().map(square).sum();
                let code: f64 = self.codes.iter().skip(latent).step_by(latents).map(square).sum();
                norm * code / rows.max(1) as f64
            })
            .collect()
    }
}

/// One intervention to make.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Index of the source whose network goes on.
    pub source: usize,
    /// What is put in.
    pub insert: Insert,
    role: Role,
}

/// What the effect of a probe is for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Role {
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
}

/// Classes that are taken out.
const CLASSES: [LatentClass; 6] = [
    LatentClass::Emergent,
    LatentClass::Vanished,
    LatentClass::Stable,
    LatentClass::Rotated,
    LatentClass::Transient,
    LatentClass::Recurrent,
];

/// All interventions for a result, in the order in which [`summarise`] wants their effects.
pub fn probes(result: &CrosscoderResult, anatomy: &Anatomy) -> Vec<Probe> {
    let mut all = Vec::new();
    let alive: Vec<u32> = result.latents.iter().filter(|l| l.class != LatentClass::Dead).map(|l| l.index).collect();
    let sets: Vec<(LatentClass, Vec<u32>)> = CLASSES
        .into_iter()
        .map(|class| (class, result.latents.iter().filter(|l| l.class == class).map(|l| l.index).collect::<Vec<u32>>()))
        .filter(|(_, set)| !set.is_empty())
        .collect();
    for source in distinct(&anatomy.sources) {
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
    let last = anatomy.sources.len().saturating_sub(1);
    let same_width = anatomy.sources.first().map(|s| s.width) == anatomy.sources.last().map(|s| s.width);
    if same_width && distinct(&anatomy.sources).len() > 1 {
        for (class, set) in &sets {
            let mut add = |role, latents| all.push(Probe { source: last, insert: Insert::Swapped { from: 0, latents }, role });
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

/// Sources that are not a repetition of an earlier one: a null fit has three alike.
fn distinct(sources: &[Source]) -> Vec<usize> {
    let is_new = |at: &usize| sources[..*at].iter().all(|earlier| earlier.step != sources[*at].step);
    (0..sources.len()).filter(is_new).collect()
}

/// 1, 2, 4, … and half of all: where the curves of the strongest latents are taken.
fn counts(alive: usize) -> Vec<usize> {
    core::iter::successors(Some(1usize), |n| Some(2 * n)).take_while(|n| *n < alive).collect()
}

fn random_set(others: &[u32], count: usize, stream: &mut Stream) -> Vec<u32> {
    stream.permutation(others.len()).into_iter().take(count).map(|at| others[at as usize]).collect()
}

/// For each latent of `set` one of the [`NEAREST`] others in energy that are not yet taken, the strongest first.
fn matched_set(others: &[u32], set: &[u32], energies: &[f64], stream: &mut Stream) -> Vec<u32> {
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

/// Sorts the effects of `probes` into a result.
pub fn summarise(result: &CrosscoderResult, anatomy: &Anatomy, probes: &[Probe], effects: &[Effect]) -> CausalResult {
    let of =
        |source: usize| probes.iter().zip(effects).filter(move |(probe, _)| probe.source == source).map(|(p, e)| (p.role, *e));
    let one = |source: usize, role: Role| of(source).find(|(known, _)| *known == role).map(|(_, effect)| effect);
    let count = |class| result.latents.iter().filter(|latent| latent.class == class).count() as u32;
    let sources = distinct(&anatomy.sources)
        .into_iter()
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
    let last = anatomy.sources.len().saturating_sub(1);
    let swaps = CLASSES.into_iter().filter_map(|class| {
        let effect = one(last, Role::Swap(class))?;
        let mut kls: Vec<f64> =
            of(last).filter(|(role, _)| *role == Role::SwapRandom(class)).filter_map(|(_, effect)| effect.kl).collect();
        kls.sort_by(f64::total_cmp);
        let random_kl = (!kls.is_empty()).then(|| (kls[kls.len() / 2], kls[kls.len() / 20]));
        Some(SwapEffect { class, count: count(class), effect, random_kl })
    });
    CausalResult { sources, swaps: swaps.collect() }
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

    /// Two sources of width 2, three latents along known directions, four rows.
    fn anatomy() -> Anatomy {
        let codes = vec![1.0, 0.0, 2.0, 0.0, 1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0, 2.0];
        let decoders = vec![vec![1.0, 0.0, 0.0, 1.0, 0.0, 0.0], vec![0.0, 0.0, 0.0, 2.0, 1.0, 1.0]];
        let biases = vec![vec![0.5, 0.0], vec![0.0, 0.0]];
        let values = |s: usize| -> Vec<f32> {
            let row = |r: usize| {
                [0, 1].map(|j| {
                    let sum: f32 = (0..3).map(|i| codes[r * 3 + i] * decoders[s][i * 2 + j]).sum();
                    // An error of .25 in the second coordinate.
                    biases[s][j] + sum + if j == 1 { 0.25 } else { 0.0 }
                })
            };
            (0..4).flat_map(row).collect()
        };
        let sources = [(0, 0), (1, 100)].map(|(s, step)| Source { step, width: 2, values: values(s) }).to_vec();
        Anatomy { sources, codes, decoders, biases }
    }

    #[test]
    fn what_is_taken_out_is_the_latent_and_the_error_stays() {
        let anatomy = anatomy();
        let without = anatomy.inserted(0, &Insert::Without(vec![0], Replacement::Zero), 0);
        let (x, x_hat) = (anatomy.inserted(0, &Insert::Clean, 0), anatomy.inserted(0, &Insert::Reconstruction, 0));
        for row in 0..4 {
            assert_eq!(without[row * 2], 0.5, "only the bias is left along the latent");
            assert_eq!(without[row * 2 + 1], x[row * 2 + 1]);
            assert!((x[row * 2 + 1] - x_hat[row * 2 + 1] - 0.25).abs() < 1e-6);
        }
        let all = anatomy.inserted(1, &Insert::Without(vec![0, 1, 2], Replacement::Zero), 0);
        assert_eq!(all, [0.0, 0.25].repeat(4));
    }

    #[test]
    fn a_mean_keeps_the_mean_and_a_resample_keeps_the_distribution() {
        let anatomy = anatomy();
        let column = |values: Vec<f32>| -> Vec<f32> { values.chunks(2).map(|row| row[0]).collect() };
        let clean = column(anatomy.inserted(0, &Insert::Clean, 0));
        let mean = column(anatomy.inserted(0, &Insert::Without(vec![0], Replacement::Mean), 0));
        assert!(mean.iter().all(|v| (v - 1.5).abs() < 1e-6), "{mean:?}");
        let mut resampled = column(anatomy.inserted(0, &Insert::Without(vec![0], Replacement::Resample), 3));
        let mut clean = clean;
        clean.sort_by(f32::total_cmp);
        resampled.sort_by(f32::total_cmp);
        assert_eq!(resampled, clean);
    }

    #[test]
    fn a_move_is_as_long_as_the_removal_and_points_elsewhere() {
        let anatomy = anatomy();
        let change = |insert: Insert| -> Vec<f32> {
            anatomy.inserted(1, &insert, 0).iter().zip(&anatomy.sources[1].values).map(|(a, b)| a - b).collect()
        };
        let removed = change(Insert::Without(vec![1, 2], Replacement::Zero));
        let (one, other) =
            (change(Insert::Moved { latents: vec![1, 2], draw: 0 }), change(Insert::Moved { latents: vec![1, 2], draw: 1 }));
        let length = |row: &[f32]| libm::sqrt(row.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>());
        for ((a, b), c) in removed.chunks(2).zip(one.chunks(2)).zip(other.chunks(2)) {
            assert!((length(a) - length(b)).abs() < 1e-5 && (length(a) - length(c)).abs() < 1e-5);
        }
        assert_ne!(one, other);
    }

    #[test]
    fn swapping_every_latent_gives_the_later_reconstruction_and_the_earlier_error() {
        let anatomy = anatomy();
        let swapped = anatomy.inserted(1, &Insert::Swapped { from: 0, latents: vec![0, 1, 2] }, 0);
        let later = anatomy.inserted(1, &Insert::Reconstruction, 0);
        for (row, (a, b)) in swapped.chunks(2).zip(later.chunks(2)).enumerate() {
            assert!((a[0] - b[0] - 0.5).abs() < 1e-6 && (a[1] - b[1] - 0.25).abs() < 1e-6, "row {row}: {a:?} {b:?}");
        }
        assert_eq!(anatomy.inserted(1, &Insert::Nothing, 0), [0.0; 8]);
    }

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
    fn bands_are_order_statistics_and_counts_double() {
        let found = band((1..=20).map(f64::from).collect()).unwrap();
        assert_eq!((found.median, found.upper), (10.0, 19.0));
        assert_eq!(band(Vec::new()), None);
        assert_eq!((counts(1), counts(40)), (vec![], vec![1, 2, 4, 8, 16, 32]));
    }
}
