//! Every random number in Grokscope.
//!
//! A device's generator gives other numbers on another device, so each purpose has its own ChaCha8 stream, derived from the
//! experiment's seed, drawn on the CPU and uploaded. Streams are independent: evaluating more often cannot change training.
//! Transcendentals come from `libm`, not from the platform, so that a terminal and a browser draw the same bits.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// What a stream is for. The number is part of the format: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Division of the domain into training and test rows.
    Split = 1,
    /// Starting weights.
    Init = 2,
    /// Order of rows in mini-batches.
    Batch = 3,
    /// Label noise.
    Noise = 4,
    /// A crosscoder's starting weights.
    CrosscoderInit = 5,
    /// A crosscoder's batches.
    CrosscoderBatch = 6,
    /// A crosscoder's held-out inputs.
    CrosscoderFold = 7,
    /// Planted data for tests and demonstrations.
    Planted = 8,
    /// Noise on the weights at which a gradient is taken.
    WeightNoise = 9,
    /// Noise on updates.
    UpdateNoise = 10,
    /// Noise on gradients.
    GradientNoise = 11,
    /// Dropout masks.
    Dropout = 12,
    /// A task's hidden truth: a teacher's weights, the relevant bits of a parity, a random table.
    Truth = 13,
    /// Sampled inputs of a task that cannot be enumerated.
    Sample = 14,
    /// Random input codes and answer templates.
    Code = 15,
    /// The order in which a curriculum takes up training rows.
    Order = 16,
    /// Weights drawn anew by an intervention.
    Action = 17,
    /// Rows set apart as the probe.
    Probe = 18,
    /// Augmentation of a batch.
    Augment = 19,
    /// What a measure draws: rows, columns, halves.
    Measure = 20,
    /// What a theory panel draws: data sets, initial weights, noise.
    Theory = 21,
    /// Permutations of inputs in a crosscoder's nulls.
    CrosscoderNull = 22,
}

/// A random stream.
#[derive(Debug, Clone)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of `purpose` under `seed`. `index` separates repeats of one purpose (an epoch, a tensor); 0 if there is one.
    pub fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
        key[16..24].copy_from_slice(&index.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Uniform in [0, 1) with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in 0..`bound`, without bias (rejection).
    ///
    /// `bound` of zero returns zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let zone = u64::MAX - u64::MAX % bound;
        loop {
            let draw = self.0.next_u64();
            if draw < zone {
                return draw % bound;
            }
        }
    }

    /// Standard normal (Box–Muller, one of the pair).
    pub fn normal(&mut self) -> f64 {
        // 1 − u lies in (0, 1], so the logarithm is finite.
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.uniform()));
        radius * libm::cos(core::f64::consts::TAU * self.uniform())
    }

    /// `count` normal draws with standard deviation `std`, rounded to f32.
    pub fn normals(&mut self, count: usize, std: f64) -> Vec<f32> {
        (0..count).map(|_| (self.normal() * std) as f32).collect()
    }

    /// A uniformly drawn permutation of 0..`count` (Fisher–Yates).
    pub fn permutation(&mut self, count: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..count as u32).collect();
        for i in (1..count).rev() {
            order.swap(i, self.below(i as u64 + 1) as usize);
        }
        order
    }
}
