//! Activations with something else in them: without a set of latents, moved as far, with another checkpoint's vectors.
//!
//! What the dictionary does not explain always stays: replacing the activation by a reconstruction would measure the fit, not the
//! latents.

use super::super::codes::Codes;
use super::super::source::Source;
use crate::experiment::randomness::{Purpose, Stream};
use serde::{Deserialize, Serialize};

/// The activations and the dictionary behind a result, raw units, rows in the order of the data.
#[derive(Debug, Clone)]
pub struct Anatomy {
    /// The sources.
    pub sources: Vec<Source>,
    /// Codes `[rows, m]`.
    pub codes: Codes,
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
    /// The activation with this vector `[d]` added on every input.
    Shifted(Vec<f32>),
    /// The activation of the source `from`, its latents in the set decoded by this source's vectors instead of its own
    /// (Minder et al. 2025, turned from models to time).
    Swapped {
        /// Index of the earlier source.
        from: usize,
        /// Latents that are exchanged.
        latents: Vec<u32>,
    },
}

impl Anatomy {
    /// `[rows, d]` of source `source` with `insert`.
    pub fn inserted(&self, source: usize, insert: &Insert, seed: u64) -> Vec<f32> {
        let width = self.sources[source].width;
        let x = &self.sources[source].values;
        let latents = self.decoders[source].len() / width;
        let rows = x.len() / width;
        let codes = self.codes.of(source);
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
                self.add(&mut out, source, &all, |row, latent| codes[row * latents + latent]);
                out
            }
            Insert::Without(set, how) => {
                let mut out = x.clone();
                let means = mean_codes(codes, set, latents, rows);
                let other = Stream::new(seed, Purpose::CrosscoderFold, 1).permutation(rows);
                self.add(&mut out, source, set, |row, latent| {
                    let stands_in = match how {
                        Replacement::Zero => 0.0,
                        Replacement::Mean => means[latent],
                        Replacement::Resample => codes[other[row] as usize * latents + latent],
                    };
                    stands_in - codes[row * latents + latent]
                });
                out
            }
            Insert::Moved { latents: set, draw } => {
                let mut change = vec![0.0; x.len()];
                self.add(&mut change, source, set, |row, latent| codes[row * latents + latent]);
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
            Insert::Shifted(vector) => {
                let mut out = x.clone();
                out.chunks_exact_mut(width).for_each(|row| row.iter_mut().zip(vector).for_each(|(x, v)| *x += v));
                out
            }
            Insert::Swapped { from, latents: set } => {
                let mut out = self.sources[*from].values.clone();
                self.add(&mut out, source, set, |row, latent| codes[row * latents + latent]);
                let before = self.codes.of(*from);
                self.add(&mut out, *from, set, |row, latent| -before[row * latents + latent]);
                out
            }
        }
    }

    /// Adds Σ weight(row, latent)·D to each row.
    pub(super) fn add(&self, out: &mut [f32], source: usize, set: &[u32], weight: impl Fn(usize, usize) -> f32) {
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

    /// ⟨f²⟩·‖D‖² of each latent at `source`.
    pub fn energies(&self, source: usize) -> Vec<f64> {
        let width = self.sources[source].width;
        let latents = self.decoders[source].len() / width;
        let codes = self.codes.of(source);
        let rows = codes.len() / latents.max(1);
        (0..latents)
            .map(|latent| {
                let square = |v: &f32| f64::from(*v) * f64::from(*v);
                let norm: f64 = self.decoders[source][latent * width..][..width].iter().map(square).sum();
                let code: f64 = codes.iter().skip(latent).step_by(latents).map(square).sum();
                norm * code / rows.max(1) as f64
            })
            .collect()
    }
}

/// Mean code of each latent of `set`; zeros elsewhere.
fn mean_codes(codes: &[f32], set: &[u32], latents: usize, rows: usize) -> Vec<f32> {
    let mut means = vec![0f32; latents];
    for &latent in set {
        let sum: f64 = (0..rows).map(|row| f64::from(codes[row * latents + latent as usize])).sum();
        means[latent as usize] = (sum / rows as f64) as f32;
    }
    means
}

#[cfg(test)]
mod tests {
    use super::super::super::source::Place;
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
        let sources =
            [(0, 0), (1, 100)].map(|(s, step)| Source { step, width: 2, values: values(s), place: Place::default() }).to_vec();
        Anatomy { sources, codes: Codes::shared(codes), decoders, biases }
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
        let shifted = anatomy.inserted(1, &Insert::Shifted(vec![1.0, -2.0]), 0);
        let expected: Vec<f32> = anatomy.sources[1].values.chunks(2).flat_map(|row| [row[0] + 1.0, row[1] - 2.0]).collect();
        assert_eq!(shifted, expected);
    }
}
