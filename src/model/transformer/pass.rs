//! The forward pass, with nothing computed twice.
//!
//! In the first layer a position's vector depends on its own token alone and "=" is the same in all rows, so keys, values and
//! norms cost p rows instead of one per pair; only where attention has brought two tokens together does a vector become one per
//! pair. [`Place`] carries that knowledge along. The last layer is computed at "=" alone, because nothing else is read. The
//! result is that of the full network (`oracle.rs`); for one plain layer it is the same to the bit as its written-out formula.

use super::layout::{Block, Layout, MlpPlaces, NormPlaces};
use super::{Norm, Plan, Positions};
use crate::crosscoder::Hook;
use crate::experiment::ModelConfig;
use crate::model::activation::Activation;
use crate::model::inputs::Inputs;
use crate::model::network::{Activations, Network, Shape};
use burn::tensor::{Device, Tensor, TensorData, s};

/// Added to a variance (LayerNorm) or a mean square (RMSNorm).
const EPSILON: f64 = 1e-5;

/// Base of the wavelengths of sinusoidal (1706.03762) and rotary (2104.09864) positions.
const BASE: f64 = 10_000.0;

/// The network's shape and its constants.
#[derive(Debug)]
struct Transformer {
    plan: Plan,
    layout: Layout,
    tokens: usize,
    activation: Activation,
    /// `[1, d, heads]`: sums the columns of a head, divided by √(d/heads).
    head_scores: Tensor<3>,
    /// `[1, heads, d]`: repeats a head's weight over its columns.
    head_columns: Tensor<3>,
    /// `[1, 3, d]`.
    sinusoids: Option<Tensor<3>>,
    /// `[1, d, d]` for the positions of b and "="; the position of a is not turned.
    rotations: Option<[Tensor<3>; 2]>,
}

pub(super) fn network(model: &ModelConfig, shape: Shape, _seed: u64, device: &Device) -> Box<dyn Network> {
    let plan = Plan::new(model);
    let (d, heads) = (plan.d, plan.heads);
    let width = d / heads;
    let scale = 1.0 / libm::sqrt(width as f64) as f32;
    let mut scores = vec![0f32; d * heads];
    let mut columns = vec![0f32; d * heads];
    for column in 0..d {
        let head = column / width;
        scores[column * heads + head] = scale;
        columns[head * d + column] = 1.0;
    }
    let constant =
        |values: Vec<f32>, rows: usize, columns: usize| Tensor::from_data(TensorData::new(values, [1, rows, columns]), device);
    Box::new(Transformer {
        layout: Layout::new(&plan, shape, model.init_scale),
        tokens: shape.tokens,
        activation: Activation::of(model),
        head_scores: constant(scores, d, heads),
        head_columns: constant(columns, heads, d),
        sinusoids: (plan.positions == Positions::Sinusoidal).then(|| constant(sinusoids(d), 3, d)),
        rotations: (plan.positions == Positions::Rope)
            .then(|| [1, 2].map(|position| constant(rotation(d, width, position), d, d))),
        plan,
    })
}

/// Column i of position t: sin(t/10000^(i/d)) for even i, cos(t/10000^((i−1)/d)) for odd i.
fn sinusoids(d: usize) -> Vec<f32> {
    (0..3 * d)
        .map(|at| {
            let (position, column) = (at / d, at % d);
            let angle = position as f64 / libm::pow(BASE, (column - column % 2) as f64 / d as f64);
            (if column % 2 == 0 { libm::sin(angle) } else { libm::cos(angle) }) as f32
        })
        .collect()
}

/// The matrix that turns columns (2i, 2i+1) of each head by t/10000^(2i/width).
fn rotation(d: usize, width: usize, position: usize) -> Vec<f32> {
    let mut matrix = vec![0f32; d * d];
    for even in (0..d).step_by(2) {
        let angle = position as f64 / libm::pow(BASE, (even % width) as f64 / width as f64);
        let (sine, cosine) = (libm::sin(angle) as f32, libm::cos(angle) as f32);
        let odd = even + 1;
        matrix[even * d + even] = cosine;
        matrix[even * d + odd] = sine;
        matrix[odd * d + even] = -sine;
        matrix[odd * d + odd] = cosine;
    }
    matrix
}

/// The vector at a position, in as many copies as what it depends on has values.
#[derive(Debug, Clone)]
enum Place {
    /// `[replica, p, n]`: of token a.
    OfA(Tensor<3>),
    /// `[replica, p, n]`: of token b.
    OfB(Tensor<3>),
    /// `[replica, row, n]`: of both.
    OfPair(Tensor<3>),
    /// `[replica, 1, n]`: of nothing.
    Fixed(Tensor<3>),
}

impl Place {
    fn map(self, change: impl FnOnce(Tensor<3>) -> Tensor<3>) -> Self {
        match self {
            Self::OfA(x) => Self::OfA(change(x)),
            Self::OfB(x) => Self::OfB(change(x)),
            Self::OfPair(x) => Self::OfPair(change(x)),
            Self::Fixed(x) => Self::Fixed(change(x)),
        }
    }

    /// `[replica, row, n]`, or `[replica, 1, n]` where the vector is the same in all rows.
    fn rows(self, inputs: &Inputs) -> Tensor<3> {
        match self {
            Self::OfA(x) => inputs.rows_of_a(x),
            Self::OfB(x) => inputs.rows_of_b(x),
            Self::OfPair(x) | Self::Fixed(x) => x,
        }
    }

    /// An elementwise operation on two vectors.
    fn with(self, other: Self, inputs: &Inputs, join: impl FnOnce(Tensor<3>, Tensor<3>) -> Tensor<3>) -> Self {
        match (self, other) {
            (Self::OfA(x), Self::OfA(y) | Self::Fixed(y)) => Self::OfA(join(x, y)),
            (Self::OfB(x), Self::OfB(y) | Self::Fixed(y)) => Self::OfB(join(x, y)),
            (Self::Fixed(x), Self::Fixed(y)) => Self::Fixed(join(x, y)),
            (x, y) => Self::OfPair(join(x.rows(inputs), y.rows(inputs))),
        }
    }
}

/// One forward pass.
struct Pass<'a> {
    network: &'a Transformer,
    parameters: &'a [Tensor<3>],
    inputs: &'a Inputs,
}

impl Network for Transformer {
    fn forward(
        &self,
        parameters: &[Tensor<3>],
        inputs: &Inputs,
        dropout: Option<&Tensor<3>>,
        activations: &mut Activations,
    ) -> Tensor<3> {
        let pass = Pass { network: self, parameters, inputs };
        let mut places = pass.embedded();
        if activations.wants(Hook::Embed) {
            let [at_a, at_b, _] = places.clone();
            activations.record(Hook::Embed, &Tensor::cat(vec![at_a.rows(inputs), at_b.rows(inputs)], 2));
        }
        if let Some(block) = &self.layout.earlier {
            places = pass.everywhere(block, places);
        }
        pass.answer(places, dropout, activations)
    }
}

impl Pass<'_> {
    fn w(&self, index: usize) -> Tensor<3> {
        self.parameters[index].clone()
    }

    /// What the first layer reads at a, b and "=".
    fn embedded(&self) -> [Place; 3] {
        let (p, embed) = (self.network.tokens, self.network.layout.embed);
        let tokens = self.w(embed).slice(s![.., 0..p, ..]);
        let positions = self.network.layout.pos.map(|pos| self.w(pos)).or_else(|| self.network.sinusoids.clone());
        let at = |x: Tensor<3>, position: usize| match &positions {
            Some(positions) => x + positions.clone().slice(s![.., position..position + 1, ..]),
            None => x,
        };
        let at_a = at(tokens.clone(), 0);
        let at_b = at(tokens, 1);
        let at_answer = at(self.w(embed).slice(s![.., p.., ..]), 2);
        [Place::OfA(at_a), Place::OfB(at_b), Place::Fixed(at_answer)]
    }

    /// A block at all three positions, each seeing itself and those before it.
    fn everywhere(&self, block: &Block, places: [Place; 3]) -> [Place; 3] {
        let read = places.clone().map(|place| place.map(|x| self.before(block.norm_attn, x)));
        let (keys, values) = self.keys_and_values(block, &read);
        let [at_a, at_b, at_answer] = places;
        [(at_a, 1), (at_b, 2), (at_answer, 3)].map(|(place, seen)| {
            let query = self.projected(&read, block.w_q, seen - 1);
            let mixed = self.attend(&query, &keys[..seen], &values[..seen], &mut Activations::none());
            let attn_out = mixed.map(|x| x.matmul(self.w(block.w_o)));
            attn_out.with(place, self.inputs, |x, y| x + y).map(|x| {
                let resid_mid = self.after(block.norm_attn, x);
                match &block.mlp {
                    Some(mlp) => {
                        let read = self.before(block.norm_mlp, resid_mid.clone());
                        let hidden = self.hidden(mlp, read, &mut Activations::none());
                        self.after(block.norm_mlp, self.with_mlp(mlp, resid_mid, hidden))
                    }
                    None => resid_mid,
                }
            })
        })
    }

    /// The last block and the unembedding, at "=" alone: `[replica, row, outputs]`.
    fn answer(&self, places: [Place; 3], dropout: Option<&Tensor<3>>, activations: &mut Activations) -> Tensor<3> {
        let (layout, block) = (&self.network.layout, &self.network.layout.last);
        let read = places.clone().map(|place| place.map(|x| self.before(block.norm_attn, x)));
        let query = self.projected(&read, block.w_q, 2);
        let (keys, values) = self.keys_and_values(block, &read);
        let mixed = self.attend(&query, &keys, &values, activations).rows(self.inputs);
        let [_, _, at_answer] = places;
        let attn_out = activations.pass(Hook::AttnOut, mixed.matmul(self.w(block.w_o)));
        let resid_mid = self.after(block.norm_attn, attn_out + at_answer.rows(self.inputs));
        let resid_mid = activations.pass(Hook::ResidMid, resid_mid);
        let masked = |x: Tensor<3>| match dropout {
            Some(mask) => x * mask.clone(),
            None => x,
        };
        let resid_post = match &block.mlp {
            Some(mlp) => {
                let hidden = self.hidden(mlp, self.before(block.norm_mlp, resid_mid.clone()), activations);
                let hidden = activations.pass(Hook::MlpPost, hidden);
                self.after(block.norm_mlp, self.with_mlp(mlp, resid_mid, masked(hidden)))
            }
            None => masked(resid_mid),
        };
        let resid_post = activations.pass(Hook::ResidPost, resid_post);
        let read = self.before(layout.final_norm, resid_post);
        read.matmul(match layout.unembed {
            Some(unembed) => self.w(unembed),
            None => self.w(layout.embed).slice(s![.., 0..self.network.tokens, ..]).swap_dims(1, 2),
        })
    }

    /// Queries or keys: `w` on what is read at `position`, turned if positions are rotary. It is the d × d matrix that is turned,
    /// not the longer list of vectors.
    fn projected(&self, read: &[Place; 3], w: usize, position: usize) -> Place {
        let mut matrix = self.w(w);
        if position > 0
            && let Some(rotations) = &self.network.rotations
        {
            matrix = matrix.matmul(rotations[position - 1].clone());
        }
        read[position].clone().map(|x| x.matmul(matrix))
    }

    fn keys_and_values(&self, block: &Block, read: &[Place; 3]) -> ([Place; 3], [Place; 3]) {
        let keys = [0, 1, 2].map(|position| self.projected(read, block.w_k, position));
        let values = read.clone().map(|place| place.map(|x| x.matmul(self.w(block.w_v))));
        (keys, values)
    }

    /// The values that one position sees, weighted by (1 − u)·softmax + u/n in each head, n being how many it sees. Clock and
    /// Pizza mixes in u instead of u/n; here weights keep their sum of 1, so that u does not also scale the values. Keys and
    /// values stand in the order of their positions, so the first is a's and has one row per pair once the query is known.
    fn attend(&self, query: &Place, keys: &[Place], values: &[Place], activations: &mut Activations) -> Place {
        if let [value] = values {
            return value.clone();
        }
        let head_scores = &self.network.head_scores;
        let score = |key: &Place| {
            key.clone().with(query.clone(), self.inputs, |k, q| (k * q).matmul(head_scores.clone())).rows(self.inputs)
        };
        let scores: Vec<Tensor<3>> = keys.iter().map(score).collect();
        // The maximum is only subtracted, so it needs no gradient.
        let mut highest = scores[0].clone().detach();
        for score in &scores[1..] {
            highest = highest.max_pair(score.clone().detach().expand(scores[0].dims()));
        }
        let weights: Vec<Tensor<3>> = scores.into_iter().map(|score| (score - highest.clone()).exp()).collect();
        let mut total = weights[0].clone();
        for weight in &weights[1..] {
            total = total + weight.clone();
        }
        let u = self.network.plan.uniformity;
        let share = |index: usize| {
            let share = weights[index].clone() / total.clone();
            if u > 0.0 { share.mul_scalar(1.0 - u).add_scalar(u / values.len() as f64) } else { share }
        };
        let part =
            |index: usize| share(index).matmul(self.network.head_columns.clone()) * values[index].clone().rows(self.inputs);
        if activations.wants(Hook::Pattern) {
            activations.record(Hook::Pattern, &Tensor::cat((0..values.len()).map(share).collect(), 2));
        }
        let mut mixed = part(0);
        for index in 1..values.len() {
            mixed = mixed + part(index);
        }
        Place::OfPair(mixed)
    }

    /// The MLP's hidden layer after the non-linearity (and the gate).
    fn hidden(&self, mlp: &MlpPlaces, x: Tensor<3>, activations: &mut Activations) -> Tensor<3> {
        let mut pre = x.clone().matmul(self.w(mlp.w_in));
        if let Some(b_in) = mlp.b_in {
            pre = pre + self.w(b_in);
        }
        let mut post = self.network.activation.apply(activations.pass(Hook::MlpPre, pre));
        if let Some(w_gate) = mlp.w_gate {
            post = post * x.matmul(self.w(w_gate));
        }
        post
    }

    /// The residual stream after the MLP has written to it.
    fn with_mlp(&self, mlp: &MlpPlaces, residual: Tensor<3>, hidden: Tensor<3>) -> Tensor<3> {
        let sum = residual + hidden.matmul(self.w(mlp.w_out));
        match mlp.b_out {
            Some(b_out) => sum + self.w(b_out),
            None => sum,
        }
    }

    /// The norm of what is read from the residual stream.
    fn before(&self, norm: Option<NormPlaces>, x: Tensor<3>) -> Tensor<3> {
        match norm {
            Some(norm) if self.network.plan.norm != Norm::Post => self.normed(norm, x),
            _ => x,
        }
    }

    /// The norm of the residual stream itself.
    fn after(&self, norm: Option<NormPlaces>, x: Tensor<3>) -> Tensor<3> {
        match norm {
            Some(norm) if self.network.plan.norm == Norm::Post => self.normed(norm, x),
            _ => x,
        }
    }

    /// LayerNorm (1607.06450), or RMSNorm (1910.07467) if there is no bias.
    fn normed(&self, norm: NormPlaces, x: Tensor<3>) -> Tensor<3> {
        let x = match norm.bias {
            Some(_) => x.clone() - x.mean_dim(2),
            None => x,
        };
        let deviation = (x.clone() * x.clone()).mean_dim(2).add_scalar(EPSILON).sqrt();
        let scaled = x / deviation * self.w(norm.gain);
        match norm.bias {
            Some(bias) => scaled + self.w(bias),
            None => scaled,
        }
    }
}
