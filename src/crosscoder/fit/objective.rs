//! What a fit minimises, and its gradients.
//!
//! Reconstruction is summed over sources and width and averaged over rows (Lindsey et al. 2024). Variants differ in which codes
//! stand and what they cost; masks, shared and dedicated latents are in `structure.rs`, and nested dictionaries and dead latents
//! add terms. An auxiliary loss that is computed and not added is a known fault of a published trainer, so every term is summed
//! here, in one place.

use super::super::config::{CrosscoderConfig, Variant};
use super::dictionary::{Dictionary, rectified};
use super::structure::Structure;
use super::threshold;
use burn::tensor::{Device, Tensor, activation};

/// c of tanh(c·f·w) (Anthropic, January 2025).
const TANH_SCALE: f32 = 4.0;
/// λ_p of the same: pulls latents that are below their threshold everywhere back to life.
const REVIVAL: f32 = 3e-6;
/// Width of the rectangle that stands for the derivative of a threshold, in units of the code.
const BANDWIDTH: f32 = 2.0;
/// Dead latents that may stand per row, as a share of the width of all sources: Gao et al. 2024 take half of the width.
const AUX_SHARE: f64 = 0.5;
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
    structure: Structure,
}

impl Objective {
    /// The objective of `config` for so many sources of one width.
    pub fn new(config: &CrosscoderConfig, sources: usize, width: usize, device: &Device) -> Self {
        let latents = config.latents as usize;
        Self {
            variant: config.variant,
            lambda: config.lambda,
            k: f64::from(config.k),
            aux: config.aux,
            prefixes: (1..config.prefixes).rev().map(|halvings| latents >> halvings).collect(),
            sources,
            structure: Structure::new(config, sources, width, device),
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
        let error = masked.decode(codes.clone()) - batch.clone();
        let mut loss = square(error.clone()).div_scalar(rows);
        for &prefix in &self.prefixes {
            let shorter = codes.clone().narrow(2, 0, prefix).matmul(masked.decoder.clone().narrow(1, 0, prefix));
            let error = shorter + masked.decoder_bias.clone() - batch.clone();
            loss = loss + square(error).div_scalar(rows);
        }
        if let Some(penalty) = self.penalty(&masked, &codes, &pre, moment.warmup) {
            loss = loss + self.structure.weighed(penalty).sum();
        }
        if let Some(dead) = &moment.dead {
            loss = loss + self.auxiliary(&masked, pre, error.neg().detach(), dead).mul_scalar(self.aux);
        }
        let fired = codes.detach().greater_scalar(0.0).float().max_dim(1);
        let mut tape = loss.backward();
        let mut gradients: Vec<Tensor<3>> = tracked
            .parameters()
            .iter()
            .map(|leaf| leaf.grad_remove(&mut tape).unwrap_or_else(|| leaf.clone().inner().zeros_like()))
            .collect();
        gradients[2] = self.structure.tied(gradients[2].clone());
        Slope { loss: loss.inner(), gradients, fired }
    }

    /// Codes of a batch under the training rule: `[1, row, m]`.
    fn standing(&self, dictionary: &Dictionary, pre: Tensor<3>, k: f64) -> Tensor<3> {
        let scores = |codes: &Tensor<3>| codes.clone().detach() * dictionary.norm_sums(self.sources).detach();
        match (self.variant, &dictionary.log_threshold) {
            (Variant::BatchTopK, _) => {
                let codes = rectified(pre);
                let scores = scores(&codes);
                let theta = threshold::keeping(scores.clone(), k);
                codes * scores.greater(theta).float()
            }
            (Variant::TopK, _) => top_k(rectified(pre), scores, k),
            (Variant::JumpRelu, Some(log_threshold)) => jump(pre, log_threshold.clone().exp()),
            _ => rectified(pre),
        }
    }

    /// The penalty of each latent `[1, 1, m]`, averaged over rows; `None` for variants that count.
    fn penalty(&self, dictionary: &Dictionary, codes: &Tensor<3>, pre: &Tensor<3>, warmup: f64) -> Option<Tensor<3>> {
        let scale = self.lambda * warmup;
        let penalty = match self.variant {
            Variant::L1OfNorms => codes.clone().mean_dim(1) * dictionary.norm_sums(self.sources),
            Variant::L2OfNorms => codes.clone().mean_dim(1) * dictionary.norm_of_norms(),
            Variant::JumpRelu => {
                let weight = dictionary.norm_sums(self.sources);
                let sparse = activation::tanh(codes.clone().mul_scalar(TANH_SCALE) * weight.clone()).mean_dim(1);
                let theta = dictionary.log_threshold.clone()?.exp();
                let below = rectified(theta - pre.clone()).mean_dim(1) * weight;
                return Some(sparse.mul_scalar(scale) + below.mul_scalar(REVIVAL));
            }
            Variant::TopK | Variant::BatchTopK => return None,
        };
        Some(penalty.mul_scalar(scale))
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

    /// Codes of the inference rule: `[1, row, S·d]` → `[1, row, m]`, untracked. `threshold`: see [`Objective::threshold`].
    pub fn codes(&self, dictionary: &Dictionary, inputs: Tensor<3>, threshold: Option<Tensor<3>>) -> Tensor<3> {
        let dictionary = dictionary.at_rest().masked(&self.structure);
        let pre = dictionary.pre(inputs);
        match threshold {
            Some(theta) => {
                let codes = rectified(pre);
                let kept = (codes.clone() * dictionary.norm_sums(self.sources)).greater(theta.autodiff()).float();
                codes * kept
            }
            None => self.standing(&dictionary, pre, self.k),
        }
    }

    /// `[1, row, m]` → `[1, row, S·d]`, untracked.
    pub fn decode(&self, dictionary: &Dictionary, codes: Tensor<3>) -> Tensor<3> {
        dictionary.at_rest().masked(&self.structure).decode(codes)
    }

    /// θ that keeps on average k codes per input over `inputs`: `[1, 1, 1]`; `None` for variants that need none.
    pub fn threshold(&self, dictionary: &Dictionary, inputs: Tensor<3>) -> Option<Tensor<3>> {
        (self.variant == Variant::BatchTopK).then(|| {
            let dictionary = dictionary.at_rest().masked(&self.structure);
            let scores = rectified(dictionary.pre(inputs)) * dictionary.norm_sums(self.sources);
            threshold::keeping(scores, self.k)
        })
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
    let (at, level) = (pre.clone().detach(), theta.clone().detach());
    let stands = at.clone().greater(level.clone()).float();
    let near = (at - level.clone()).abs().lower_equal_scalar(BANDWIDTH / 2.0).float();
    let slope = near * level.clone().div_scalar(-BANDWIDTH);
    // The second term is zero and only lends its derivative.
    pre * stands + slope * (theta - level)
}
