//! How many products must be known until the rest follows? Random orders of all pairs, each read at every size.
//!
//! What is settled by n products stays settled by more, so one order answers for every n at once.

use super::half::{half, means};
use super::known::{Known, Pair, all_pairs};
use super::systems::System;
use crate::experiment::randomness::Stream;
use crate::theory::representation::Critical;

/// Shares by n = 0, 1, …, |G|².
#[derive(Debug, Clone)]
pub struct Fractions {
    /// P(forced).
    pub forced: Critical,
    /// The same for each mode by itself.
    pub modes: Vec<Critical>,
    /// Share of the orders in which a mode was (among) the last to settle.
    pub last: Vec<f64>,
    /// D̄ of each order: `[order][n]` for n below |G|².
    pub follows: Vec<Vec<f64>>,
    /// n₀, mean over the orders: `[n]`.
    pub nullity: Vec<f64>,
}

/// All pairs in a random order.
pub fn shuffled(order: usize, stream: &mut Stream) -> Vec<Pair> {
    let pairs = all_pairs(order);
    stream.permutation(pairs.len()).iter().map(|at| pairs[*at as usize]).collect()
}

impl Fractions {
    /// Of `orders` random orders.
    pub fn drawn(system: &System, orders: u32, stream: &mut Stream) -> Self {
        let (pairs, modes) = (system.order() * system.order(), system.modes.len());
        let none = || Critical { complete: vec![0; pairs + 1], orders };
        let mut found = Self {
            forced: none(),
            modes: vec![none(); modes],
            last: vec![0.0; modes],
            follows: Vec::new(),
            nullity: vec![0.0; pairs + 1],
        };
        for _ in 0..orders {
            found.add(system, &shuffled(system.order(), stream));
        }
        let weight = 1.0 / f64::from(orders);
        found.nullity.iter_mut().chain(&mut found.last).for_each(|sum| *sum *= weight);
        found
    }

    fn add(&mut self, system: &System, order: &[Pair]) {
        let mut known = Known::new(system);
        let mut settled: Vec<Option<usize>> = vec![None; system.modes.len()];
        // Those of `order` that follow so far.
        let mut following = vec![false; order.len()];
        let mut shares = Vec::with_capacity(order.len());
        self.nullity[0] += known.nullity() as f64;
        for n in 0..order.len() {
            let held_out = order.len() - n;
            shares.push(following[n..].iter().filter(|follows| **follows).count() as f64 / held_out as f64);
            if known.add(order[n]) {
                for at in n + 1..order.len() {
                    following[at] = following[at] || known.follows(order[at]);
                }
            }
            for (at, settled) in settled.iter_mut().enumerate().filter(|(_, settled)| settled.is_none()) {
                *settled = known.is_settled(at).then_some(n + 1);
            }
            self.nullity[n + 1] += known.nullity() as f64;
        }
        self.follows.push(shares);
        // All modes settle at the latest when all products are known.
        let when: Vec<usize> = settled.into_iter().map(|at| at.unwrap_or(order.len())).collect();
        let all = when.iter().copied().max().unwrap_or_default();
        self.forced.complete[all..].iter_mut().for_each(|count| *count += 1);
        for (at, when) in when.into_iter().enumerate() {
            self.modes[at].complete[when..].iter_mut().for_each(|count| *count += 1);
            self.last[at] += if when == all { 1.0 } else { 0.0 };
        }
    }

    /// Mean D̄ by n, for n below |G|².
    pub fn closed(&self) -> Vec<f64> {
        means(&self.follows.iter().collect::<Vec<_>>())
    }

    /// The fraction at which the mean D̄ is ½, with its band.
    pub fn closed_half(&self) -> Option<(f64, (f64, f64))> {
        let pairs = self.nullity.len() - 1;
        let fractions: Vec<f64> = (0..pairs).map(|n| n as f64 / pairs as f64).collect();
        half(&fractions, &self.follows)
    }
}
