//! One-hidden-layer perceptron on the two-hot code of (a, b): logits = φ(w_in[a] + w_in[p + b])·w_out, no biases.
//!
//! With φ(x) = x² and MSE this is Gromov's network (2301.02679), the fastest honest grok there is.

use super::{Pairs, ParameterSpec, activate};
use crate::experiment::{Activation, MlpConfig};
use burn::tensor::{Tensor, s};

/// The network's shape.
#[derive(Debug, Clone)]
pub struct Mlp {
    modulus: usize,
    config: MlpConfig,
}

/// Named activations of a forward pass.
pub struct MlpActivations {
    /// After the non-linearity: `[replica, pair, width]`.
    pub mlp_post: Tensor<3>,
    /// `[replica, pair, p]`.
    pub logits: Tensor<3>,
}

impl Mlp {
    pub(super) fn new(config: &MlpConfig, modulus: usize) -> Self {
        Self { modulus, config: config.clone() }
    }

    pub(super) fn specs(&self) -> Vec<ParameterSpec> {
        let (p, width) = (self.modulus, self.config.width as usize);
        let (std_in, std_out) = match self.config.activation {
            // Doshi et al. 2310.13061: ½/(2N)^⅓ in both layers.
            Activation::Quadratic => {
                let std = 0.5 / libm::cbrt(2.0 * width as f64);
                (std, std)
            }
            Activation::Relu | Activation::Gelu => (1.0 / libm::sqrt(2.0 * p as f64), 1.0 / libm::sqrt(width as f64)),
        };
        let scale = self.config.init_scale;
        vec![
            ParameterSpec::matrix("w_in", 2 * p, width, scale * std_in),
            ParameterSpec::matrix("w_out", width, p, scale * std_out),
        ]
    }

    pub(super) fn forward(&self, parameters: &[Tensor<3>], pairs: &Pairs) -> MlpActivations {
        let (p, w_in) = (self.modulus, &parameters[0]);
        let pre = pairs.rows_of_a(w_in.clone().slice(s![.., 0..p, ..])) + pairs.rows_of_b(w_in.clone().slice(s![.., p.., ..]));
        let mlp_post = activate(self.config.activation, pre);
        let logits = mlp_post.clone().matmul(parameters[1].clone());
        MlpActivations { mlp_post, logits }
    }
}
