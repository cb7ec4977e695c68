//! The codes of tokens, as tables.
//!
//! A network reads them as constants, so they must be the same to the bit on every machine: sines come from `libm`, bits from a
//! stream of their own.

use super::encoding::{binary_digits, features_per_token};
use crate::experiment::ModelConfig;
use crate::experiment::randomness::{Purpose, Stream};
use core::f64::consts::TAU;
use std::collections::HashSet;

/// The features of each token, row by row; `None` for one of p, whose table is the identity.
pub(super) fn table(model: &ModelConfig, tokens: usize) -> Option<Vec<f32>> {
    let width = features_per_token(model, tokens);
    match model.settings.text("encoding") {
        "fourier" => Some(fourier(tokens)),
        "random_code" => Some(random_code(tokens, width, u64::from(model.settings.integer("code_seed")))),
        "binary" => Some((0..tokens * width).map(|at| (((at / width) >> (at % width)) & 1) as f32).collect()),
        _ => None,
    }
}

/// The orthonormal Fourier basis of functions on the tokens: 1/√p, then √(2/p)·cos and √(2/p)·sin of each frequency
/// 1..⌊(p−1)/2⌋, and for even p the alternating ±1/√p last.
fn fourier(tokens: usize) -> Vec<f32> {
    let p = tokens as f64;
    (0..tokens * tokens)
        .map(|at| {
            let (token, column) = (at / tokens, at % tokens);
            let frequency = column.div_ceil(2);
            // The product is reduced as a whole number, so large tokens lose no digits.
            let angle = TAU * ((token * frequency) % tokens) as f64 / p;
            let value = if column == 0 {
                1.0 / libm::sqrt(p)
            } else if 2 * frequency == tokens {
                libm::cos(angle) / libm::sqrt(p)
            } else if column % 2 == 1 {
                libm::sqrt(2.0 / p) * libm::cos(angle)
            } else {
                libm::sqrt(2.0 / p) * libm::sin(angle)
            };
            value as f32
        })
        .collect()
}

/// Bits ±1; a code drawn before is drawn again.
fn random_code(tokens: usize, bits: usize, seed: u64) -> Vec<f32> {
    let mut stream = Stream::new(seed, Purpose::Code, 0);
    let mut seen = HashSet::new();
    let mut codes = Vec::with_capacity(tokens * bits);
    let enough = bits >= binary_digits(tokens);
    while codes.len() < tokens * bits {
        let code: Vec<bool> = (0..bits).map(|_| stream.below(2) == 1).collect();
        if seen.insert(code.clone()) || !enough {
            codes.extend(code.into_iter().map(|bit| if bit { 1.0 } else { -1.0 }));
        }
    }
    codes
}
