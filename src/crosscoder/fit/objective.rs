//! What a fit minimises, and its gradients.
//!
//! Reconstruction is summed over sources and width and averaged over rows (Lindsey et al. 2024). Variants differ in which codes
//! stand and what they cost; masks, shared and dedicated latents are in `structure.rs`, and nested dictionaries and dead latents
//! add terms. An auxiliary loss that is computed and not added is a known fault of a published trainer, so every term is summed
//! here, in one place.

use super::super::config::{CrosscoderConfig, Variant};
use super::dictionary::{Dictionary, rectified};
use super::structure::{Site, Structure};
use super::threshold;
use burn::tensor::{Device, Tensor, activation};

/// c of tanh(c·f·w) (Anthropic, January 2025).
const TANH_SCALE: f32 = 4.0;
/// λ_p of the same: pulls latents that are below their threshold everywhere back to life.
const REVIVAL: f32 = 3e-6;
/// Width of the rectangle that stands for the derivative of a threshold, in units of the code.
const BANDWIDTH: f32 = 2.0;
/// The same where each source has a threshold of its own, in units of the code times the decoder norm (Ge et al. 2025).
const BANDWIDTH_PER_SOURCE: f32 = 4.0;
/// Share of the inputs from which on a latent's penalty grows faster than its frequency (the same).
const FREQUENCY: f32 = 0.01;
/// Dead latents that may stand per row, as a share of the width of all sources: Gao et al. 2024 take half of the width.
const AUX_SHARE: f64 = 0.5;
/// A decoder norm below this counts as this where it divides.
const LEAST_NORM: f32 = 1e-6;
/// Keeps the auxiliary loss finite where nothing is left to explain.
const LEAST_LEFT: f32 = 1e-12;

/// What changes from update to update.
#[derive(Debug, Clone)]
pub struct Moment {
    /// Factor of the penalty, 0..=1.
    pub warmup: f64,
    /// Latents that may stand per input.
    pub k: f64,
    /// 1 for latents that count as dead, `[1, 1, m]` on the tape's device; `None` without an auxiliary loss.
    pub dead: Option<Tensor<3>>,
}

/// What an update is made of.
#[derive(Debug)]
pub struct Slope {
    /// The objective `[1]`.
    pub loss: Tensor<1>,
    /// Gradients in the order of [`Dictionary::parameters`].
    pub gradients: Vec<Tensor<3>>,
    /// 1 for latents that stood on some row of the batch `[1, 1, m]`, on the tape's device.
    pub fired: Tensor<3>,
}

/// The sparsity rule with its numbers.
#[derive(Debug, Clone)]
pub struct Objective {
    variant: Variant,
    lambda: f64,
    k: f64,
    aux: f64,
    /// Latents of each nested dictionary but the whole.
    prefixes: Vec<usize>,
    sources: usize,
    /// Latents that stand or fall together.
    block: usize,
    structure: Structure,
}

impl Objective {
    /// The objective of `config` for these sites.
    pub fn new(config: &CrosscoderConfig, sites: &[Site], device: &Device) -> Self {
        let latents = config.latents as usize;
        Self {
            variant: config.variant,
            lambda: config.lambda,
            k: f64::from(config.k),
            aux: config.aux,
            prefixes: (1..config.prefixes).rev().map(|halvings| latents >> halvings).collect(),
            sources: sites.len(),
            block: config.block_width(),
            structure: Structure::new(config, sites, device),
        }
    }

    /// Which latent reads and writes what.
    pub(super) fn structure(&self) -> &Structure {
        &self.structure
    }

    /// Loss and gradients on a batch `[1, row, S·d]`.
    pub fn gradients(&self, dictionary: &Dictionary, batch: Tensor<3>, moment: &Moment) -> Slope {
        let rows = batch.dims()[1] as f32;
        let tracked = dictionary.tracked();
        let masked = tracked.masked(&self.structure);
        let pre = masked.pre(batch.clone());
        let codes = self.standing(&masked, pre.clone(), moment.k);
        let latents = masked.decoder.dims()[1];
        let error = masked.decode(&codes, latents) - batch.clone();
        let mut loss = square(error.clone()).div_scalar(rows);
        for &prefix in &self.prefixes {
            loss = loss + square(masked.decode(&codes, prefix) - batch.clone()).div_scalar(rows);
        }
        if self.variant == Variant::Delta {
            loss = loss + self.change(&masked, &codes[0], batch.clone()).div_scalar(rows);
        }
        if let Some(penalty) = self.penalty(&masked, &codes, &pre, moment.warmup) {
            loss = loss + self.structure.weighed(penalty).sum();
        }
        if let Some(dead) = &moment.dead {
            loss = loss + self.auxiliary(&masked, pre, error.neg().detach(), dead).mul_scalar(self.aux);
        }
        let fires = |codes: &Tensor<3>| codes.clone().detach().abs().greater_scalar(0.0).float().max_dim(1);
        let fired = codes[1..].iter().fold(fires(&codes[0]), |all, one| all.max_pair(fires(one)));
        let mut tape = loss.backward();
        let mut gradients: Vec<Tensor<3>> = tracked
            .parameters()
            .iter()
            .map(|leaf| leaf.grad_remove(&mut tape).unwrap_or_else(|| leaf.clone().inner().zeros_like()))
            .collect();
        gradients[2] = self.structure.tied(gradients[2].clone());
        Slope { loss: loss.inner(), gradients, fired }
    }

    /// Codes of a batch under the training rule: `[1, row, m]`, once or per source.
    fn standing(&self, dictionary: &Dictionary, pre: Tensor<3>, k: f64) -> Vec<Tensor<3>> {
        let scores = |codes: &Tensor<3>| codes.clone().detach() * dictionary.norm_sums(self.sources).detach();
        let per_source = |one: &dyn Fn(usize, Tensor<3>) -> Tensor<3>| -> Vec<Tensor<3>> {
            dictionary.norms_of_each(self.sources).into_iter().enumerate().map(|(s, norms)| one(s, norms.detach())).collect()
        };
        let codes = match (self.variant, &dictionary.log_threshold) {
            (Variant::BatchTopKPerSource, _) => {
                let codes = rectified(pre);
                return per_source(&|_, norms| {
                    let scores = codes.clone().detach() * norms;
                    let theta = threshold::keeping(scores.clone(), k);
                    codes.clone() * scores.greater(theta).float()
                });
            }
            (Variant::JumpReluPerSource, Some(log_threshold)) => {
                return per_source(&|s, norms| {
                    let theta = log_threshold.clone().narrow(1, s, 1).exp();
                    // Dividing by a norm of zero: such a latent's gate is shut, whatever the quotient.
                    let norms = norms.clamp_min(LEAST_NORM);
                    gate(pre.clone(), theta / norms.clone(), norms.recip().mul_scalar(BANDWIDTH_PER_SOURCE))
                });
            }
            (Variant::BatchTopK, _) => {
                let codes = rectified(pre);
                let scores = scores(&codes);
                let theta = threshold::keeping(scores.clone(), k);
                codes * scores.greater(theta).float()
            }
            (Variant::Delta, _) => {
                let codes = rectified(pre);
                let scores = scores(&codes);
                let theta = self.threshold_of_each_kind(scores.clone(), k);
                codes * scores.greater(theta).float()
            }
            (Variant::BlockTopK, _) => {
                let scores = self.contributions(dictionary, pre.clone().detach());
                let theta = threshold::keeping(scores.clone(), k);
                pre * scores.greater(theta).float()
            }
            (Variant::TopK, _) => top_k(rectified(pre), scores, k),
            (Variant::JumpRelu, Some(log_threshold)) => jump(pre, log_threshold.clone().exp()),
            _ => rectified(pre),
        };
        vec![codes]
    }

    /// The penalty of each latent `[1, 1, m]`, averaged over rows; `None` for variants that count.
    fn penalty(&self, dictionary: &Dictionary, all: &[Tensor<3>], pre: &Tensor<3>, warmup: f64) -> Option<Tensor<3>> {
        let scale = self.lambda * warmup;
        let codes = all.first()?;
        let penalty = match self.variant {
            Variant::JumpReluPerSource => {
                let one = |(norms, codes): (Tensor<3>, &Tensor<3>)| {
                    let sizes = codes.clone() * norms;
                    let q = activation::tanh(sizes.mul_scalar(TANH_SCALE)).mean_dim(1);
                    q.clone() + (q.clone() * q).div_scalar(FREQUENCY)
                };
                dictionary.norms_of_each(self.sources).into_iter().zip(all).map(one).reduce(|sum, one| sum + one)?
            }
            Variant::L1OfNorms => codes.clone().mean_dim(1) * dictionary.norm_sums(self.sources),
            Variant::L2OfNorms => codes.clone().mean_dim(1) * dictionary.norm_of_norms(),
            Variant::JumpRelu => {
                let weight = dictionary.norm_sums(self.sources);
                let sparse = activation::tanh(codes.clone().mul_scalar(TANH_SCALE) * weight.clone()).mean_dim(1);
                let theta = dictionary.log_threshold.clone()?.exp();
                let below = rectified(theta - pre.clone()).mean_dim(1) * weight;
                return Some(sparse.mul_scalar(scale) + below.mul_scalar(REVIVAL));
            }
            Variant::TopK | Variant::BatchTopK | Variant::BatchTopKPerSource | Variant::BlockTopK | Variant::Delta => {
                return None;
            }
        };
        Some(penalty.mul_scalar(scale))
    }

    /// Squared error of what changes from each source to the next, as told by the latents that are not shared, summed; without
    /// biases, since inputs are centred.
    fn change(&self, dictionary: &Dictionary, codes: &Tensor<3>, batch: Tensor<3>) -> Tensor<1> {
        let columns = batch.dims()[2];
        let width = columns / self.sources;
        let difference = |of: Tensor<3>| of.clone().narrow(2, width, columns - width) - of.narrow(2, 0, columns - width);
        // Latents with one direction for all sources change nothing, so all codes may be decoded.
        square(codes.clone().matmul(difference(dictionary.decoder.clone())) - difference(batch))
    }

    /// θ of each latent `[1, 1, m]` by which k of the shared ones and k of the others stand.
    fn threshold_of_each_kind(&self, scores: Tensor<3>, k: f64) -> Tensor<3> {
        let Some(shared) = self.structure.shared() else { return threshold::keeping(scores, k) };
        let others = shared.ones_like() - shared.clone();
        let theta = |kind: Tensor<3>| threshold::keeping(scores.clone() * kind.clone(), k) * kind;
        theta(shared) + theta(others)
    }

    /// What each block adds to all sources together, √Σ_s‖Σ_i f_i·D_i^s‖², told to each of its latents: `[1, row, m]` →
    /// `[1, row, m]`. It does not change when a block's coordinates are mixed and its decoder unmixed.
    fn contributions(&self, dictionary: &Dictionary, codes: Tensor<3>) -> Tensor<3> {
        let [_, rows, latents] = codes.dims();
        let (blocks, columns) = (latents / self.block, dictionary.decoder.dims()[2]);
        let vectors = dictionary.decoder.clone().detach().reshape([blocks, self.block, columns]);
        let gram = vectors.clone().matmul(vectors.swap_dims(1, 2));
        let codes = codes.reshape([rows, blocks, self.block]).swap_dims(0, 1);
        let energies = (codes.clone().matmul(gram) * codes).sum_dim(2);
        let norms = energies.clamp_min(0.0).sqrt().swap_dims(0, 1);
        norms.repeat_dim(2, self.block).reshape([1, rows, latents])
    }

    /// What the strongest dead latents of each row leave of `left` (what all others left, `[1, row, S·d]`, a constant), as a share
    /// of its variance (Gao et al. 2024).
    fn auxiliary(&self, dictionary: &Dictionary, pre: Tensor<3>, left: Tensor<3>, dead: &Tensor<3>) -> Tensor<1> {
        let codes = rectified(pre) * dead.clone();
        let most = (AUX_SHARE * left.dims()[2] as f64).floor().max(1.0);
        let codes = top_k(codes, |codes| codes.clone().detach(), most);
        let error = codes.matmul(dictionary.decoder.clone()) - left.clone();
        let variance = square(left.clone() - left.mean_dim(1)).add_scalar(LEAST_LEFT);
        square(error) / variance
    }

    /// Codes of the inference rule: `[1, row, S·d]` → `[1, row, m]`, once or per source, untracked. `threshold`: see
    /// [`Objective::threshold`].
    pub fn codes(&self, dictionary: &Dictionary, inputs: Tensor<3>, threshold: Option<Tensor<3>>) -> Vec<Tensor<3>> {
        let dictionary = dictionary.at_rest().masked(&self.structure);
        let pre = dictionary.pre(inputs);
        match threshold {
            Some(theta) if self.variant.is_per_source() => {
                let codes = rectified(pre);
                let one = |(s, norms): (usize, Tensor<3>)| {
                    let scores = codes.clone() * norms;
                    codes.clone() * scores.greater(theta.clone().narrow(2, s, 1).autodiff()).float()
                };
                dictionary.norms_of_each(self.sources).into_iter().enumerate().map(one).collect()
            }
            Some(theta) if self.variant == Variant::BlockTopK => {
                let kept = self.contributions(&dictionary, pre.clone()).greater(theta.autodiff()).float();
                vec![pre * kept]
            }
            Some(theta) => {
                let codes = rectified(pre);
                let kept = (codes.clone() * dictionary.norm_sums(self.sources)).greater(theta.autodiff()).float();
                vec![codes * kept]
            }
            None => self.standing(&dictionary, pre, self.k),
        }
    }

    /// `[1, row, m]`, once or per source → `[1, row, S·d]`, untracked.
    pub fn decode(&self, dictionary: &Dictionary, codes: &[Tensor<3>]) -> Tensor<3> {
        let latents = dictionary.decoder.dims()[1];
        dictionary.at_rest().masked(&self.structure).decode(codes, latents)
    }

    /// θ that keeps on average k codes per input over `inputs`: `[1, 1, 1]`, `[1, 1, S]` where each source keeps its own, or
    /// `[1, 1, m]` where kinds of latents do; `None` for variants that need none.
    pub fn threshold(&self, dictionary: &Dictionary, inputs: Tensor<3>) -> Option<Tensor<3>> {
        let at_rest = || dictionary.at_rest().masked(&self.structure);
        match self.variant {
            Variant::BatchTopK => {
                let dictionary = at_rest();
                let scores = rectified(dictionary.pre(inputs)) * dictionary.norm_sums(self.sources);
                Some(threshold::keeping(scores, self.k))
            }
            Variant::Delta => {
                let dictionary = at_rest();
                let scores = rectified(dictionary.pre(inputs)) * dictionary.norm_sums(self.sources);
                Some(self.threshold_of_each_kind(scores, self.k))
            }
            Variant::BlockTopK => {
                let dictionary = at_rest();
                let scores = self.contributions(&dictionary, dictionary.pre(inputs));
                Some(threshold::keeping(scores, self.k))
            }
            Variant::BatchTopKPerSource => {
                let dictionary = at_rest();
                let codes = rectified(dictionary.pre(inputs));
                let one = |norms: Tensor<3>| threshold::keeping(codes.clone() * norms, self.k);
                Some(Tensor::cat(dictionary.norms_of_each(self.sources).into_iter().map(one).collect(), 2))
            }
            _ => None,
        }
    }
}

fn square(values: Tensor<3>) -> Tensor<1> {
    (values.clone() * values).sum()
}

/// The k largest of each row by `scores`; those that are zero never stand.
fn top_k(codes: Tensor<3>, scores: impl Fn(&Tensor<3>) -> Tensor<3>, k: f64) -> Tensor<3> {
    let scores = scores(&codes);
    let theta = threshold::keeping_in_each(scores.clone(), k);
    codes * scores.greater(theta).float()
}

/// `pre` where it exceeds θ, else 0. Its derivative with respect to θ is taken to be −θ/ε inside a rectangle of width ε around
/// the threshold (Rajamanoharan et al. 2407.14435), where ε is [`BANDWIDTH`].
fn jump(pre: Tensor<3>, theta: Tensor<3>) -> Tensor<3> {
    let bandwidth = theta.ones_like().mul_scalar(BANDWIDTH);
    gate(pre, theta, bandwidth)
}

/// [`jump`] with a rectangle of width `bandwidth`, a constant `[1, 1, m]`.
fn gate(pre: Tensor<3>, theta: Tensor<3>, bandwidth: Tensor<3>) -> Tensor<3> {
    let (at, level, bandwidth) = (pre.clone().detach(), theta.clone().detach(), bandwidth.detach());
    let stands = at.clone().greater(level.clone()).float();
    let near = (at - level.clone()).abs().lower_equal(bandwidth.clone().div_scalar(2.0)).float();
    let slope = near * (level.clone() / bandwidth).neg();
    // The second term is zero and only lends its derivative.
    pre * stands + slope * (theta - level)
}
