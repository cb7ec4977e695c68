//! One-layer causal transformer on the tokens (a, b, =), no LayerNorm, untied, read at "=".
//!
//! Only what the answer position needs is computed. Its query is the same for all pairs, and the keys and values of the first
//! two positions depend on one token each, so attention costs p rows instead of three per pair; from there on one row per
//! pair remains. The result is that of the full network (checked against `tests/data/transformer_adamw.safetensors`).

use super::{Pairs, ParameterSpec, activate};
use crate::experiment::TransformerConfig;
use burn::tensor::{Device, Tensor, TensorData, s};

const EMBED: usize = 0;
const POS: usize = 1;
const W_Q: usize = 2;
const W_K: usize = 3;
const W_V: usize = 4;
const W_O: usize = 5;
const W_IN: usize = 6;
const B_IN: usize = 7;
const W_OUT: usize = 8;
const B_OUT: usize = 9;
const UNEMBED: usize = 10;

/// The network's shape and its constants.
#[derive(Debug, Clone)]
pub struct Transformer {
    modulus: usize,
    config: TransformerConfig,
    /// `[1, d, heads]`: sums the columns of a head, divided by √(d/heads).
    head_scores: Tensor<3>,
    /// `[1, heads, d]`: repeats a head's weight over its columns.
    head_columns: Tensor<3>,
}

/// Named activations of a forward pass, at the answer position.
pub struct TransformerActivations {
    /// Hidden layer of the MLP after its non-linearity: `[replica, pair, mlp_width]`.
    pub mlp_post: Tensor<3>,
    /// Residual stream after the block: `[replica, pair, d]`.
    pub resid_post: Tensor<3>,
    /// `[replica, pair, p]`.
    pub logits: Tensor<3>,
}

impl Transformer {
    pub(super) fn new(config: &TransformerConfig, modulus: usize, device: &Device) -> Self {
        let (d, heads) = (config.d_model as usize, config.heads as usize);
        let width = d / heads;
        let scale = 1.0 / libm::sqrt(width as f64) as f32;
        let mut scores = vec![0f32; d * heads];
        let mut columns = vec![0f32; d * heads];
        for column in 0..d {
            let head = column / width;
            scores[column * heads + head] = scale;
            columns[head * d + column] = 1.0;
        }
        Self {
            modulus,
            config: config.clone(),
            head_scores: Tensor::from_data(TensorData::new(scores, [1, d, heads]), device),
            head_columns: Tensor::from_data(TensorData::new(columns, [1, heads, d]), device),
        }
    }

    pub(super) fn specs(&self) -> Vec<ParameterSpec> {
        let (p, d, mlp) = (self.modulus, self.config.d_model as usize, self.config.mlp_width as usize);
        let std = self.config.init_scale / libm::sqrt(d as f64);
        vec![
            ParameterSpec::matrix("embed", p + 1, d, std),
            ParameterSpec::matrix("pos", 3, d, std),
            ParameterSpec::matrix("w_q", d, d, std),
            ParameterSpec::matrix("w_k", d, d, std),
            ParameterSpec::matrix("w_v", d, d, std),
            ParameterSpec::matrix("w_o", d, d, std),
            ParameterSpec::matrix("w_in", d, mlp, std),
            ParameterSpec::bias("b_in", mlp),
            ParameterSpec::matrix("w_out", mlp, d, std),
            ParameterSpec::bias("b_out", d),
            ParameterSpec::matrix("unembed", d, p, std),
        ]
    }

    pub(super) fn forward(&self, parameters: &[Tensor<3>], pairs: &Pairs) -> TransformerActivations {
        let p = self.modulus;
        let w = |index: usize| parameters[index].clone();
        let tokens = w(EMBED).slice(s![.., 0..p, ..]);
        let at_a = tokens.clone() + w(POS).slice(s![.., 0..1, ..]);
        let at_b = tokens + w(POS).slice(s![.., 1..2, ..]);
        let at_answer = w(EMBED).slice(s![.., p.., ..]) + w(POS).slice(s![.., 2..3, ..]);

        let query = at_answer.clone().matmul(w(W_Q));
        let scores = |position: &Tensor<3>| (position.clone().matmul(w(W_K)) * query.clone()).matmul(self.head_scores.clone());
        let score_a = pairs.rows_of_a(scores(&at_a));
        let score_b = pairs.rows_of_b(scores(&at_b));
        let score_answer = scores(&at_answer);

        // Softmax over the three positions; the maximum is only subtracted, so it needs no gradient.
        let highest = score_a
            .clone()
            .detach()
            .max_pair(score_b.clone().detach())
            .max_pair(score_answer.clone().detach().expand(score_a.dims()));
        let weight_a = (score_a - highest.clone()).exp();
        let weight_b = (score_b - highest.clone()).exp();
        let weight_answer = (score_answer - highest).exp();
        let total = weight_a.clone() + weight_b.clone() + weight_answer.clone();
        let spread = |weight: Tensor<3>| (weight / total.clone()).matmul(self.head_columns.clone());
        let value = |position: Tensor<3>| position.matmul(w(W_V));
        let mixed = spread(weight_a) * pairs.rows_of_a(value(at_a))
            + spread(weight_b) * pairs.rows_of_b(value(at_b))
            + spread(weight_answer) * value(at_answer.clone());

        let resid_mid = mixed.matmul(w(W_O)) + at_answer;
        let mlp_post = activate(self.config.activation, resid_mid.clone().matmul(w(W_IN)) + w(B_IN));
        let resid_post = resid_mid + mlp_post.clone().matmul(w(W_OUT)) + w(B_OUT);
        let logits = resid_post.clone().matmul(w(UNEMBED));
        TransformerActivations { mlp_post, resid_post, logits }
    }
}
