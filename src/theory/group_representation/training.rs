//! Trains the toy with AdamW and keeps what the panel needs.
//!
//! The step is that of the network that adds. Unlike there the embedding may decay as well: without that the toy keeps the accidents of
//! its start in the products, which no data ask for, and its decoder learns them by heart.

use super::fraction::shuffled;
use super::known::Pair;
use super::network::Network;
use super::settings::GroupRepresentation;
use super::standing::Standing;
use super::systems::System;
use crate::experiment::randomness::{Purpose, Stream};
use crate::theory::representation::{AdamW, Schedule};

/// Training pairs, and those that are held out.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    pub train: Vec<Pair>,
    pub test: Vec<Pair>,
}

/// The toy after so many updates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    pub update: u32,
    /// Training accuracy.
    pub train: f64,
    /// Held-out accuracy.
    pub test: f64,
    /// Share of the known pairs whose products stand in the embedding.
    pub known_stand: f64,
    /// The same of the held-out ones.
    pub stand: f64,
    /// Share of the held-out pairs whose nearest known product is their own.
    pub nearest: f64,
}

impl GroupRepresentation {
    /// The data set `set` with `count` training pairs: sets of one number contain one another.
    pub(super) fn split(&self, system: &System, set: u64, count: usize) -> Split {
        let order = shuffled(system.order(), &mut Stream::new(self.seed, Purpose::Theory, set));
        let (train, test) = order.split_at(count.min(order.len()));
        Split { train: train.to_vec(), test: test.to_vec() }
    }

    /// Trains on one data set. Evaluated from update 0 to the last, every `evaluate_every`.
    pub(super) fn trained(&self, system: &System, set: u64, split: &Split, evaluate_every: u32) -> Vec<Evaluation> {
        let mut network = Network::drawn(system, self.width as usize, self.start, self.seed, set);
        let mut optimizer = AdamW::new(&network.parameters);
        let schedule = Schedule {
            steps: self.steps,
            evaluate_every,
            representation_rate: self.representation_rate,
            decoder_rate: self.decoder_rate,
            weight_decay: self.decoder_decay,
        };
        let kept = 1.0 - self.representation_rate * self.representation_decay;
        let mut rows = Vec::new();
        for update in 0..=self.steps {
            if update % evaluate_every == 0 || update == self.steps {
                rows.push(evaluated(system, &network, split, update));
            }
            if update < self.steps {
                let gradient = network.gradient(&split.train);
                // Decoupled, so it may come before the step, which leaves the embedding's own decay at 0.
                network.parameters[0] *= kept;
                optimizer.update(&mut network.parameters, &gradient, &schedule);
            }
        }
        rows
    }
}

fn evaluated(system: &System, network: &Network<'_>, split: &Split, update: u32) -> Evaluation {
    let standing = Standing::of(system, network.embedding(), &split.train);
    Evaluation {
        update,
        train: network.accuracy(&split.train),
        test: network.accuracy(&split.test),
        known_stand: standing.stands(&split.train),
        stand: standing.stands(&split.test),
        nearest: standing.nearest(&split.test),
    }
}
