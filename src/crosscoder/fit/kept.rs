//! A fit as a file that other programs read.
//!
//! Names are those of crosscoder_learning, as `interop/native.rs` reads them; what a rule needs beyond them has a tensor of its own, so
//! that a reader who does not know the rule refuses the file instead of taking codes for those of a plain ReLU.

use super::Fit;
use crate::crosscoder::Variant;
use crate::record::{NamedTensor, UserError, Weights};

impl Fit {
    /// The dictionary as safetensors, in the layout described at [`crate::crosscoder::CrosscoderResult::weights`]; `weights` are encoder, its bias,
    /// decoder, its bias, and θ where there is one.
    pub(super) fn file(&self, weights: &[Vec<f32>]) -> Result<Vec<u8>, UserError> {
        let (count, width, latents) = (self.sources.len(), self.width, self.config.latents as usize);
        let columns = count * width;
        let tensor = |name: &str, shape: Vec<usize>, values: Vec<f32>| NamedTensor { name: name.to_owned(), shape, values };
        let decoder: Vec<f32> = (0..count)
            .flat_map(|s| weights[2].chunks(columns).flat_map(move |row| row[s * width..(s + 1) * width].to_vec()))
            .collect();
        // As wide as the widest; the rest is zero, like the weights there.
        let mean = self.prepared.iter().flat_map(|p| p.mean.iter().copied().chain(core::iter::repeat(0.0)).take(width)).collect();
        let norms: Vec<f32> = decoder.chunks(width).map(|v| v.iter().map(|x| x * x).sum::<f32>().sqrt()).collect();
        let mut tensors = vec![
            tensor("encoder.weight", vec![count, width, latents], weights[0].clone()),
            tensor("encoder.bias", vec![latents], weights[1].clone()),
            tensor("decoder.weight", vec![count, latents, width], decoder),
            tensor("decoder.bias", vec![count, width], weights[3].clone()),
            tensor("activation_mean", vec![count, width], mean),
            tensor("activation_scale", vec![count], self.prepared.iter().map(|p| p.scale).collect()),
        ];
        if self.config.block_width() > 1 {
            tensors.push(tensor("block_width", vec![1], vec![self.config.block as f32]));
        }
        if self.config.variant == Variant::TopK {
            // Readers that do not know it must not take the codes for those of a plain ReLU.
            tensors.push(tensor("top_k", vec![1], vec![self.config.k as f32]));
        }
        if let Some(threshold) = weights.get(4) {
            // pre·‖D_i^s‖ > θ is pre > θ/‖D_i^s‖, which every reader of thresholds per source and latent knows.
            let gates = |theta: &dyn Fn(usize) -> f32| {
                norms.iter().enumerate().map(|(at, norm)| (theta(at) / norm).min(f32::MAX)).collect::<Vec<f32>>()
            };
            tensors.push(match self.config.variant {
                Variant::JumpRelu => tensor("jump_relu_threshold", vec![latents], threshold.clone()),
                Variant::JumpReluPerSource => tensor("jump_relu_threshold", vec![count, latents], gates(&|at| threshold[at])),
                Variant::BatchTopKPerSource => {
                    tensor("jump_relu_threshold", vec![count, latents], gates(&|at| threshold[at / latents]))
                }
                Variant::Delta => {
                    // θ of its kind over Σ_s‖D_i^s‖: a threshold per latent.
                    let sum = |latent: usize| norms.iter().skip(latent).step_by(latents).sum::<f32>();
                    let gates = threshold.iter().enumerate().map(|(i, theta)| (theta / sum(i)).min(f32::MAX)).collect();
                    tensor("jump_relu_threshold", vec![latents], gates)
                }
                Variant::BlockTopK => tensor("block_threshold", vec![1], threshold.clone()),
                _ => tensor("threshold", vec![threshold.len()], threshold.clone()),
            });
        }
        Weights { tensors }.to_safetensors(None)
    }
}
