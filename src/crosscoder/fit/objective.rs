//! What a fit minimises, and its gradients.
//!
//! Reconstruction is summed over sources and width and averaged over rows (Lindsey et al. 2024). The batch top-k variant has no
//! auxiliary loss: with a dictionary no larger than the grid few latents die, and the measurements that the page quotes were
//! made without one.

use super::super::config::{CrosscoderConfig, Variant};
use super::threshold;
use burn::tensor::{Tensor, activation};

/// Keeps the root differentiable at a decoder vector of zero.
const NORM_FLOOR: f32 = 1e-24;

/// Encoder and decoder of all sources; blocks side by side.
#[derive(Debug, Clone)]
pub struct Dictionary {
    /// `[1, S·d, m]`.
    pub encoder: Tensor<3>,
    /// `[1, 1, m]`.
    pub encoder_bias: Tensor<3>,
    /// `[1, m, S·d]`.
    pub decoder: Tensor<3>,
    /// `[1, 1, S·d]`.
    pub decoder_bias: Tensor<3>,
}

impl Dictionary {
    /// Encoder, its bias, decoder, its bias.
    pub fn parameters(&self) -> Vec<Tensor<3>> {
        vec![self.encoder.clone(), self.encoder_bias.clone(), self.decoder.clone(), self.decoder_bias.clone()]
    }

    /// The inverse of [`Dictionary::parameters`].
    pub fn from_parameters(parameters: Vec<Tensor<3>>) -> Self {
        let take = |index: usize| parameters[index].clone();
        Self { encoder: take(0), encoder_bias: take(1), decoder: take(2), decoder_bias: take(3) }
    }

    /// Codes before any top-k rule: `[1, row, S·d]` → `[1, row, m]`.
    fn encode(&self, inputs: Tensor<3>) -> Tensor<3> {
        activation::relu(inputs.matmul(self.encoder.clone()) + self.encoder_bias.clone())
    }

    /// `[1, row, m]` → `[1, row, S·d]`.
    pub fn decode(&self, codes: Tensor<3>) -> Tensor<3> {
        codes.matmul(like(&self.decoder)) + like(&self.decoder_bias)
    }

    /// Σ_s ‖D_i^s‖ for each latent: `[1, 1, m]`.
    fn norm_sums(&self, sources: usize) -> Tensor<3> {
        let [_, latents, columns] = self.decoder.dims();
        let blocks = self.decoder.clone().reshape([latents, sources, columns / sources]);
        let norms = (blocks.clone() * blocks).sum_dim(2).add_scalar(NORM_FLOOR).sqrt();
        norms.sum_dim(1).reshape([1, 1, latents])
    }

    fn tracked(&self) -> Self {
        Self::from_parameters(self.parameters().into_iter().map(|p| p.autodiff().require_grad()).collect())
    }
}

/// Puts a stored parameter on the tape's device; without effect where it already is.
fn like(parameter: &Tensor<3>) -> Tensor<3> {
    parameter.clone().autodiff()
}

/// The sparsity rule with its numbers.
#[derive(Debug, Clone)]
pub struct Objective {
    variant: Variant,
    lambda: f64,
    k: u32,
    sources: usize,
}

impl Objective {
    /// The objective of `config` for this many sources.
    pub fn new(config: &CrosscoderConfig, sources: usize) -> Self {
        Self { variant: config.variant, lambda: config.lambda, k: config.k, sources }
    }

    /// Loss `[1]` and gradients of the four parameters on a batch `[1, row, S·d]`, the penalty multiplied by `warmup`.
    pub fn gradients(&self, dictionary: &Dictionary, batch: Tensor<3>, warmup: f64) -> (Tensor<1>, Vec<Tensor<3>>) {
        let rows = batch.dims()[1] as f32;
        let tracked = dictionary.tracked();
        let mut codes = tracked.encode(batch.clone());
        if self.variant == Variant::BatchTopK {
            let scores = codes.clone().detach() * tracked.norm_sums(self.sources).detach();
            let theta = threshold::keeping(scores.clone(), f64::from(self.k));
            codes = codes * scores.greater(theta).float();
        }
        let error = tracked.decode(codes.clone()) - batch;
        let mut loss = (error.clone() * error).sum().div_scalar(rows);
        if self.variant == Variant::L1OfNorms {
            let penalty = (codes.mean_dim(1) * tracked.norm_sums(self.sources)).sum();
            loss = loss + penalty.mul_scalar(self.lambda * warmup);
        }
        let mut tape = loss.backward();
        let gradients = tracked
            .parameters()
            .iter()
            .map(|leaf| leaf.grad_remove(&mut tape).unwrap_or_else(|| leaf.clone().inner().zeros_like()))
            .collect();
        (loss.inner(), gradients)
    }

    /// Codes of the inference rule: `[1, row, S·d]` → `[1, row, m]`, untracked. `threshold`: see [`Objective::threshold`].
    pub fn codes(&self, dictionary: &Dictionary, inputs: Tensor<3>, threshold: Option<Tensor<3>>) -> Tensor<3> {
        let dictionary = Dictionary::from_parameters(dictionary.parameters().into_iter().map(Tensor::autodiff).collect());
        let codes = dictionary.encode(inputs);
        match threshold {
            Some(theta) => {
                let kept = (codes.clone() * dictionary.norm_sums(self.sources)).greater(theta.autodiff()).float();
                codes * kept
            }
            None => codes,
        }
    }

    /// θ that keeps on average k codes per input over `inputs`: `[1, 1, 1]`.
    pub fn threshold(&self, dictionary: &Dictionary, inputs: Tensor<3>) -> Tensor<3> {
        let dictionary = Dictionary::from_parameters(dictionary.parameters().into_iter().map(Tensor::autodiff).collect());
        let scores = dictionary.encode(inputs) * dictionary.norm_sums(self.sources);
        threshold::keeping(scores, f64::from(self.k))
    }
}
