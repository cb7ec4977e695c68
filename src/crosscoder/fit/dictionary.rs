//! Encoder and decoder of all sources, blocks side by side, and the numbers that both imply.

use super::structure::Structure;
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
    /// ln θ `[1, 1, m]`, or `[1, S, m]` where each source has its own; of variants that learn a threshold per latent.
    pub log_threshold: Option<Tensor<3>>,
}

impl Dictionary {
    /// Encoder, its bias, decoder, its bias, and ln θ where there is one.
    pub fn parameters(&self) -> Vec<Tensor<3>> {
        let mut all = vec![self.encoder.clone(), self.encoder_bias.clone(), self.decoder.clone(), self.decoder_bias.clone()];
        all.extend(self.log_threshold.clone());
        all
    }

    /// The inverse of [`Dictionary::parameters`].
    pub fn from_parameters(parameters: Vec<Tensor<3>>) -> Self {
        let take = |index: usize| parameters[index].clone();
        Self {
            encoder: take(0),
            encoder_bias: take(1),
            decoder: take(2),
            decoder_bias: take(3),
            log_threshold: parameters.get(4).cloned(),
        }
    }

    /// On the tape's device, without being on the tape.
    pub(super) fn at_rest(&self) -> Self {
        Self::from_parameters(self.parameters().into_iter().map(Tensor::autodiff).collect())
    }

    /// On the tape.
    pub(super) fn tracked(&self) -> Self {
        Self::from_parameters(self.parameters().into_iter().map(|p| p.autodiff().require_grad()).collect())
    }

    /// With the weights that `structure` masks at zero.
    pub(super) fn masked(&self, structure: &Structure) -> Self {
        Self {
            encoder: structure.encoder(self.encoder.clone()),
            decoder: structure.decoder(self.decoder.clone()),
            ..self.clone()
        }
    }

    /// `[1, row, S·d]` → `[1, row, m]`, before any rule.
    pub(super) fn pre(&self, inputs: Tensor<3>) -> Tensor<3> {
        inputs.matmul(self.encoder.clone()) + self.encoder_bias.clone()
    }

    /// `[1, row, m]`, once or per source → `[1, row, S·d]`, by the first `latents` latents.
    pub(super) fn decode(&self, codes: &[Tensor<3>], latents: usize) -> Tensor<3> {
        // Cut only what has to be cut: each cut is a copy in every update, and one more in its gradient.
        let [_, all, columns] = self.decoder.dims();
        let first = |tensor: Tensor<3>, axis: usize| if latents < all { tensor.narrow(axis, 0, latents) } else { tensor };
        let (decoder, width) = (first(self.decoder.clone(), 1), columns / codes.len());
        let of = |(s, one): (usize, &Tensor<3>)| {
            let block = if codes.len() > 1 { decoder.clone().narrow(2, s * width, width) } else { decoder.clone() };
            first(one.clone(), 2).matmul(block)
        };
        let parts: Vec<Tensor<3>> = codes.iter().enumerate().map(of).collect();
        let whole = if parts.len() == 1 { parts[0].clone() } else { Tensor::cat(parts, 2) };
        whole + self.decoder_bias.clone()
    }

    /// ‖D_i^s‖ of each latent, a list of all sources: `[S]` of `[1, 1, m]`.
    pub(super) fn norms_of_each(&self, sources: usize) -> Vec<Tensor<3>> {
        let latents = self.decoder.dims()[1];
        let norms = self.norms(sources);
        (0..sources).map(|source| norms.clone().narrow(1, source, 1).reshape([1, 1, latents])).collect()
    }

    /// ‖D_i^s‖ of each latent and source: `[m, S, 1]`.
    fn norms(&self, sources: usize) -> Tensor<3> {
        let [_, latents, columns] = self.decoder.dims();
        let blocks = self.decoder.clone().reshape([latents, sources, columns / sources]);
        (blocks.clone() * blocks).sum_dim(2).add_scalar(NORM_FLOOR).sqrt()
    }

    /// Σ_s ‖D_i^s‖ for each latent: `[1, 1, m]`.
    pub(super) fn norm_sums(&self, sources: usize) -> Tensor<3> {
        let latents = self.decoder.dims()[1];
        self.norms(sources).sum_dim(1).reshape([1, 1, latents])
    }

    /// √Σ_s ‖D_i^s‖² for each latent: `[1, 1, m]`.
    pub(super) fn norm_of_norms(&self) -> Tensor<3> {
        let latents = self.decoder.dims()[1];
        let squares = (self.decoder.clone() * self.decoder.clone()).sum_dim(2);
        squares.add_scalar(NORM_FLOOR).sqrt().reshape([1, 1, latents])
    }
}

/// `values` where positive.
pub(super) fn rectified(values: Tensor<3>) -> Tensor<3> {
    activation::relu(values)
}
