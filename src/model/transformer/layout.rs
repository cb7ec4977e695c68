//! Which parameters a transformer has, and where each stands in the list.
//!
//! The place in the list is also the number of a parameter's random stream, so whatever the plain one-layer network lacks
//! stands after it: a second layer, a gate or norms leave the first layer's starting weights as they were.

use super::{Norm, Plan, Positions};
use crate::experiment::ModelConfig;
use crate::model::ParameterSpec;
use crate::model::network::Shape;

/// The parameters, and the place of each by its role.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) specs: Vec<ParameterSpec>,
    /// `[p + 1, d]`: the tokens, then "=".
    pub(super) embed: usize,
    /// `[3, d]`.
    pub(super) pos: Option<usize>,
    /// All blocks but the last.
    pub(super) earlier: Option<Block>,
    pub(super) last: Block,
    pub(super) final_norm: Option<NormPlaces>,
    /// `[d, outputs]`; none if tied.
    pub(super) unembed: Option<usize>,
}

/// Places of one layer's parameters.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) w_q: usize,
    pub(super) w_k: usize,
    pub(super) w_v: usize,
    pub(super) w_o: usize,
    pub(super) mlp: Option<MlpPlaces>,
    pub(super) norm_attn: Option<NormPlaces>,
    pub(super) norm_mlp: Option<NormPlaces>,
}

/// Places of an MLP block's parameters.
#[derive(Debug, Clone)]
pub(super) struct MlpPlaces {
    pub(super) w_in: usize,
    pub(super) b_in: Option<usize>,
    pub(super) w_gate: Option<usize>,
    pub(super) w_out: usize,
    pub(super) b_out: Option<usize>,
}

/// Places of a norm's parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct NormPlaces {
    pub(super) gain: usize,
    /// None for RMSNorm.
    pub(super) bias: Option<usize>,
}

/// Names, sizes and starts. All matrices start from N(0, (`init_scale`/√d)²), biases at 0, gains at 1.
pub(super) fn specs(model: &ModelConfig, shape: Shape) -> Vec<ParameterSpec> {
    Layout::new(&Plan::new(model), shape, model.init_scale).specs
}

impl Layout {
    pub(super) fn new(plan: &Plan, shape: Shape, init_scale: f64) -> Self {
        let mut list = List { specs: Vec::new(), std: init_scale / libm::sqrt(plan.d as f64) };
        let embed = list.matrix("embed", shape.tokens + 1, plan.d);
        let pos = (plan.positions == Positions::Learned).then(|| list.matrix("pos", 3, plan.d));
        let mut first = list.block(plan, "");
        let unembed = (!plan.is_tied).then(|| list.matrix("unembed", plan.d, shape.outputs));
        let mut second = (plan.layers > 1).then(|| list.block(plan, "_2"));
        list.complete(plan, "", &mut first);
        if let Some(second) = &mut second {
            list.complete(plan, "_2", second);
        }
        let final_norm = matches!(plan.norm, Norm::Pre | Norm::Rms).then(|| list.norm(plan, "norm_final", ""));
        let (earlier, last) = match second {
            Some(second) => (Some(first), second),
            None => (None, first),
        };
        Self { specs: list.specs, embed, pos, earlier, last, final_norm, unembed }
    }
}

struct List {
    specs: Vec<ParameterSpec>,
    std: f64,
}

impl List {
    fn push(&mut self, spec: ParameterSpec) -> usize {
        self.specs.push(spec);
        self.specs.len() - 1
    }

    fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> usize {
        self.push(ParameterSpec::matrix(name, rows, columns, self.std))
    }

    fn bias(&mut self, name: String, columns: usize) -> usize {
        self.push(ParameterSpec::bias(name, columns))
    }

    /// What the plain network has of a layer, its names with `suffix`.
    fn block(&mut self, plan: &Plan, suffix: &str) -> Block {
        let (d, m) = (plan.d, plan.mlp);
        let name = |name: &str| format!("{name}{suffix}");
        let [w_q, w_k, w_v, w_o] = ["w_q", "w_k", "w_v", "w_o"].map(|w| self.matrix(&name(w), d, d));
        let mlp = (m > 0).then(|| MlpPlaces {
            w_in: self.matrix(&name("w_in"), d, m),
            b_in: plan.has_biases.then(|| self.bias(name("b_in"), m)),
            w_gate: None,
            w_out: self.matrix(&name("w_out"), m, d),
            b_out: plan.has_biases.then(|| self.bias(name("b_out"), d)),
        });
        Block { w_q, w_k, w_v, w_o, mlp, norm_attn: None, norm_mlp: None }
    }

    /// The rest of a layer.
    fn complete(&mut self, plan: &Plan, suffix: &str, block: &mut Block) {
        if plan.is_gated
            && let Some(mlp) = &mut block.mlp
        {
            mlp.w_gate = Some(self.matrix(&format!("w_gate{suffix}"), plan.d, plan.mlp));
        }
        if plan.norm != Norm::None {
            block.norm_attn = Some(self.norm(plan, "norm_attn", suffix));
            block.norm_mlp = block.mlp.is_some().then(|| self.norm(plan, "norm_mlp", suffix));
        }
    }

    fn norm(&mut self, plan: &Plan, name: &str, suffix: &str) -> NormPlaces {
        let gain = self.push(ParameterSpec::bias(format!("{name}_gain{suffix}"), plan.d).constant(1.0));
        let bias = (plan.norm != Norm::Rms).then(|| self.bias(format!("{name}_bias{suffix}"), plan.d));
        NormPlaces { gain, bias }
    }
}
