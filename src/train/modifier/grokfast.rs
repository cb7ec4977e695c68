//! Grokfast (Lee et al. 2024, 2405.20233): the slow part of the gradient is amplified, g' = g + λ·m.
//!
//! m is an exponential mean, m ← αm + (1 − α)g from m₀ = g₀ (`ema`), or the mean of the last w gradients (`ma`). As in the
//! authors' code the window's mean is used only once w gradients have been seen; before, g' = g.
//!
//! A running sum that adds the newest gradient and subtracts the oldest would keep the rounding errors of early, large gradients
//! when gradients have shrunk a millionfold. So the window is kept as blocks of w: of the present block its gradients and their
//! sum, of the block before the sums of its last 1, 2, … gradients. The mean is one addition away, nothing is ever subtracted, and
//! w tensors per parameter are held, as a plain window would. That is also what a resume point keeps: w + 1 times the size of the
//! weights.

use super::Part;
use crate::experiment::Experiment;
use crate::experiment::field::{Field, FieldError, FieldKind, closed};
#[cfg(feature = "compute")]
use {
    super::{Modifier, Moment},
    burn::tensor::Tensor,
};

const EMA: &[(&str, &[&str])] = &[("training.grokfast", &["ema"])];
const MA: &[(&str, &[&str])] = &[("training.grokfast", &["ma"])];

/// The published λ differs between the two means, hence two rows.
const LAMBDA: Field =
    Field::new("training.grokfast_lambda", "Grokfast λ", "How many times the mean gradient is added", closed(0.0, 1000.0)).live();

pub(super) const PART: Part = Part {
    fields: &[
        Field::new(
            "training.grokfast",
            "Grokfast",
            "Add a mean of past gradients to each gradient: exponential (ema) or over a window (ma)",
            FieldKind::Choice(&[("off", "Off"), ("ema", "Exponential mean"), ("ma", "Window mean")]),
        )
        .neutral("off")
        .live(),
        Field::new(
            "training.grokfast_alpha",
            "Grokfast α",
            "Share of the mean that is kept in each update",
            FieldKind::Number { min: 0.0, max: 1.0, min_exclusive: false, max_exclusive: true },
        )
        .starts("0.98")
        .live()
        .when(EMA),
        Field::new(
            "training.grokfast_window",
            "Grokfast window",
            "Gradients in the mean; as many copies of the weights are held in memory",
            FieldKind::Integer { min: 1, max: 1000 },
        )
        .starts("100")
        .live()
        .when(MA),
        LAMBDA.starts("2").when(EMA),
        LAMBDA.starts("5").when(MA),
    ],
    check,
    #[cfg(feature = "compute")]
    build,
};

/// Most bytes that one replica's window may hold.
const MAX_BYTES: u64 = 512 << 20;

pub(super) fn check(experiment: &Experiment) -> Vec<FieldError> {
    let training = &experiment.training;
    if training.text("grokfast") != "ma" {
        return Vec::new();
    }
    let window = u64::from(training.integer("grokfast_window"));
    let numbers: u64 = crate::model::specs(experiment).iter().map(|spec| (spec.rows * spec.columns) as u64).sum();
    let bytes = 4 * numbers.max(1);
    if window * bytes <= MAX_BYTES {
        return Vec::new();
    }
    vec![FieldError::new(
        "training.grokfast_window",
        format!("{window} gradients of {numbers} weights need {} MB", (window * bytes) >> 20),
        format!("Use {}, or the exponential mean (training.grokfast ema)", (MAX_BYTES / bytes).max(1)),
    )]
}

#[cfg(feature = "compute")]
fn build(experiment: &Experiment) -> Option<Box<dyn Modifier>> {
    let training = &experiment.training;
    let lambda = training.number("grokfast_lambda");
    match training.text("grokfast") {
        "ema" => Some(Box::new(Ema { alpha: training.number("grokfast_alpha"), lambda, mean: None })),
        "ma" => Some(Box::new(Window::new(training.integer("grokfast_window").max(1) as usize, lambda))),
        _ => None,
    }
}

/// One tensor per parameter.
#[cfg(feature = "compute")]
type Gradients = Vec<Tensor<3>>;

#[cfg(feature = "compute")]
fn sum(a: Gradients, b: &[Tensor<3>]) -> Gradients {
    a.into_iter().zip(b).map(|(a, b)| a + b.clone()).collect()
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct Ema {
    alpha: f64,
    lambda: f64,
    mean: Option<Gradients>,
}

#[cfg(feature = "compute")]
impl Modifier for Ema {
    fn gradients(&mut self, _moment: &Moment<'_>, _parameters: &[Tensor<3>], gradients: Gradients) -> Gradients {
        let mean: Gradients = match self.mean.take() {
            None => gradients.clone(),
            Some(mean) => {
                let moved = |(m, g): (Tensor<3>, &Tensor<3>)| m.mul_scalar(self.alpha) + g.clone().mul_scalar(1.0 - self.alpha);
                mean.into_iter().zip(&gradients).map(moved).collect()
            }
        };
        let amplified = gradients.into_iter().zip(&mean).map(|(g, m)| g + m.clone().mul_scalar(self.lambda)).collect();
        self.mean = Some(mean);
        amplified
    }

    fn state(&self) -> Vec<(String, Gradients)> {
        self.mean.iter().map(|mean| ("grokfast.ema".to_owned(), mean.clone())).collect()
    }

    fn restore(&mut self, name: &str, tensors: Gradients) -> bool {
        let is_own = name == "grokfast.ema";
        if is_own {
            self.mean = Some(tensors);
        }
        is_own
    }
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct Window {
    lambda: f64,
    /// One slot per gradient of a block. The first `filled` hold the present block's gradients in order; slot i after them holds
    /// the sum of the gradients i, i + 1, … of the block before, if there was one.
    slots: Vec<Option<Gradients>>,
    filled: usize,
    /// Sum of the present block.
    sum: Option<Gradients>,
}

#[cfg(feature = "compute")]
impl Window {
    fn new(length: usize, lambda: f64) -> Self {
        Self { lambda, slots: vec![None; length], filled: 0, sum: None }
    }

    /// Takes up a gradient; the sum over the window, once it is full.
    fn push(&mut self, gradients: &[Tensor<3>]) -> Option<Gradients> {
        let present = match self.sum.take() {
            None => gradients.to_vec(),
            Some(sum_before) => sum(sum_before, gradients),
        };
        if let Some(slot) = self.slots.get_mut(self.filled) {
            *slot = Some(gradients.to_vec());
        }
        self.filled += 1;
        if self.filled < self.slots.len() {
            let whole = self.slots[self.filled].as_ref().map(|rest| sum(present.clone(), rest));
            self.sum = Some(present);
            return whole;
        }
        // The block is complete and becomes the one before.
        self.filled = 0;
        let mut tail: Option<Gradients> = None;
        for slot in self.slots.iter_mut().rev() {
            if let Some(gradients) = slot.take() {
                let longer = match tail {
                    None => gradients,
                    Some(tail) => sum(tail, &gradients),
                };
                *slot = Some(longer.clone());
                tail = Some(longer);
            }
        }
        // The whole block is no part of any later window.
        if let Some(first) = self.slots.first_mut() {
            *first = None;
        }
        Some(present)
    }

    /// Names carry the window's length: slots of another length mean something else.
    fn name(&self, part: &str) -> String {
        format!("grokfast.ma{}.{part}", self.slots.len())
    }
}

#[cfg(feature = "compute")]
impl Modifier for Window {
    fn gradients(&mut self, _moment: &Moment<'_>, _parameters: &[Tensor<3>], gradients: Gradients) -> Gradients {
        let Some(whole) = self.push(&gradients) else { return gradients };
        let factor = self.lambda / self.slots.len() as f64;
        gradients.into_iter().zip(whole).map(|(g, s)| g + s.mul_scalar(factor)).collect()
    }

    fn state(&self) -> Vec<(String, Gradients)> {
        let slots = self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let block = if index < self.filled { "now" } else { "past" };
            Some((self.name(&format!("{block}.{index:04}")), slot.clone()?))
        });
        slots.chain(self.sum.clone().map(|sum| (self.name("sum"), sum))).collect()
    }

    fn restore(&mut self, name: &str, tensors: Gradients) -> bool {
        let Some(part) = name.strip_prefix(&self.name("")) else { return false };
        if part == "sum" {
            self.sum = Some(tensors);
            return true;
        }
        let Some((block, index)) = part.split_once('.') else { return false };
        let Some(slot) = index.parse().ok().and_then(|index: usize| self.slots.get_mut(index)) else { return false };
        *slot = Some(tensors);
        if block == "now" {
            self.filled = self.filled.max(index.parse().map_or(0, |index: usize| index + 1));
        }
        true
    }
}

#[cfg(test)]
#[cfg(feature = "compute")]
mod tests;
