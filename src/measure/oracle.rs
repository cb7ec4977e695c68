//! Networks that nobody trained, for the tests of measures: their right values are known beforehand.
//!
//! - *look-up table*: logits `height` at the label of training rows and 0 elsewhere; it knows its training rows and nothing else.
//! - *clock*: logits Σ_k α_k cos ω_k(a+b−c), what a grokked network computes.
//! - *analytic*: the written-down weights of a quadratic perceptron (`model::analytic`), with their real activations.
//! - *untrained*: Gaussian logits.

#![allow(dead_code, reason = "each test uses its own oracles")]

use super::facts::{Facts, Grid};
use super::harmonics::Harmonics;
use crate::crosscoder::Hook;
use crate::experiment::randomness::{Purpose, Stream};
use crate::experiment::{Experiment, preset, with_value};
use crate::record::Weights;
use crate::task::Dataset;
use core::f64::consts::TAU;

/// A preset with some values changed.
pub(crate) fn changed(name: &str, changes: &[(&str, &str)]) -> Experiment {
    changes.iter().fold(preset(name).unwrap().experiment.clone(), |e, (path, text)| with_value(&e, path, text).unwrap())
}

/// Everything that facts borrow.
pub(crate) struct Case {
    pub experiment: Experiment,
    pub data: Dataset,
    pub harmonics: Option<Harmonics>,
    pub weights: Weights,
    pub start: Option<Weights>,
    pub before: Option<(u32, Weights)>,
    pub keys: Vec<usize>,
    pub activations: Vec<(Hook, Grid)>,
}

impl Case {
    /// An experiment with its starting weights and no activations.
    pub fn of(experiment: Experiment) -> Self {
        let data = Dataset::new(&experiment.task, experiment.seed).unwrap();
        let harmonics = Harmonics::of(&experiment).ok();
        let weights = crate::model::start(&experiment).unwrap();
        Self { experiment, data, harmonics, weights, start: None, before: None, keys: Vec::new(), activations: Vec::new() }
    }

    /// With an activation `[row, width]` computed from (a, b, row, column).
    pub fn with(mut self, hook: Hook, width: usize, value: impl Fn(usize, usize, usize, usize) -> f64) -> Self {
        let mut values = Vec::with_capacity(self.data.rows.len() * width);
        for (index, row) in self.data.rows.iter().enumerate() {
            values.extend((0..width).map(|column| value(usize::from(row.a), usize::from(row.b), index, column) as f32));
        }
        self.activations.retain(|(known, _)| *known != hook);
        self.activations.push((hook, Grid { width, values }));
        self
    }

    /// Logits of a look-up table.
    pub fn lookup(self, height: f64) -> Self {
        let classes = self.data.sizes.classes as usize;
        let labels: Vec<usize> = self.data.rows.iter().map(|row| usize::from(row.label)).collect();
        let train = self.data.train_mask.clone();
        self.with(Hook::Logits, classes, |_, _, row, class| if train[row] && class == labels[row] { height } else { 0.0 })
    }

    /// Logits Σ α·cos ω_k(a + b − c) of addition modulo p, for (k, α) in `waves`.
    pub fn clock(self, waves: &[(usize, f64)]) -> Self {
        let p = self.data.sizes.classes as usize;
        self.with(Hook::Logits, p, |a, b, _, c| {
            waves.iter().map(|(k, size)| size * libm::cos(TAU * ((k * (a + b + p - c)) % p) as f64 / p as f64)).sum()
        })
    }

    /// Hidden activations and logits of a quadratic perceptron on two-hot inputs with the case's own weights.
    pub fn perceptron(self) -> Self {
        let tokens = self.data.sizes.tokens as usize;
        let (w_in, w_out) = (self.weights.get("w_in").unwrap().clone(), self.weights.get("w_out").unwrap().clone());
        let (width, classes) = (w_in.shape[1], w_out.shape[1]);
        let pre = |a: usize, b: usize, n: usize| f64::from(w_in.values[a * width + n] + w_in.values[(tokens + b) * width + n]);
        self.with(Hook::MlpPre, width, |a, b, _, neuron| pre(a, b, neuron))
            .with(Hook::MlpPost, width, |a, b, _, neuron| pre(a, b, neuron).powi(2))
            .with(Hook::Logits, classes, |a, b, _, c| {
                (0..width).map(|n| pre(a, b, n).powi(2) * f64::from(w_out.values[n * classes + c])).sum()
            })
    }

    /// Gaussian logits.
    pub fn untrained(self, seed: u64) -> Self {
        let classes = self.data.sizes.classes as usize;
        let numbers = Stream::new(seed, Purpose::Planted, 7).normals(self.data.rows.len() * classes, 1.0);
        self.with(Hook::Logits, classes, |_, _, row, class| f64::from(numbers[row * classes + class]))
    }

    /// With these key components.
    pub fn keyed(self, keys: &[usize]) -> Self {
        Self { keys: keys.to_vec(), ..self }
    }

    /// The facts at step 100.
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            experiment: &self.experiment,
            data: &self.data,
            step: 100,
            weights: &self.weights,
            start: self.start.as_ref(),
            before: self.before.as_ref().map(|(step, weights)| (*step, weights)),
            harmonics: self.harmonics.as_ref(),
            keys: &self.keys,
            activations: &self.activations,
        }
    }
}

/// A direct measure's values.
pub(crate) fn values(measure: &super::Measure, case: &Case) -> Vec<crate::record::Value> {
    match measure.work {
        super::Work::Direct(take) => take(&case.facts()).unwrap(),
        _ => panic!("{} asks", measure.name),
    }
}

/// A direct measure's single numbers, NaN for a list or a reason.
pub(crate) fn numbers(measure: &super::Measure, case: &Case) -> Vec<f64> {
    values(measure, case).iter().map(|value| value.number().unwrap_or(f64::NAN)).collect()
}

/// Drives a measure that asks, with answers from `answer`.
pub(crate) fn ask(
    measure: &super::Measure,
    case: &Case,
    mut answer: impl FnMut(super::Question) -> super::Answer,
) -> Result<Vec<crate::record::Value>, crate::record::UserError> {
    let super::Work::Asking(begin) = measure.work else { panic!("{} does not ask", measure.name) };
    let mut inquiry = begin(&case.facts())?;
    let mut last = None;
    loop {
        match inquiry.next(last.take())? {
            super::Turn::Done(values) => return Ok(values),
            super::Turn::Ask(question) => last = Some(answer(question)),
        }
    }
}

/// A network of `count` weights, all `value`: for losses that are written down.
pub(crate) fn small(count: usize, value: f32) -> Case {
    let mut case = Case::of(changed("quadratic-31", &[]));
    let tensor = crate::record::NamedTensor { name: "w".into(), shape: vec![count], values: vec![value; count] };
    case.weights = Weights { tensors: vec![tensor] };
    case
}

/// Answers from L(w) = `bottom` + ½Σ h(w − w*)², where w* are the weights of `case`.
pub(crate) fn quadratic(case: &Case, h: &[f64], bottom: f64) -> impl FnMut(super::Question) -> super::Answer {
    let layout = super::flat::Layout::of(&case.weights);
    let (centre, h) = (layout.flat(&case.weights).unwrap(), h.to_vec());
    move |question| match question {
        super::Question::Loss { weights } => {
            let offset = super::flat::moved(&layout.flat(&weights).unwrap(), -1.0, &centre);
            super::Answer::Loss(bottom + offset.iter().zip(&h).map(|(o, h)| 0.5 * h * o * o).sum::<f64>())
        }
        super::Question::Slope { weights, .. } => {
            let offset = super::flat::moved(&layout.flat(&weights).unwrap(), -1.0, &centre);
            let gradient: Vec<f64> = offset.iter().zip(&h).map(|(o, h)| h * o).collect();
            let loss = bottom + offset.iter().zip(&gradient).map(|(o, g)| 0.5 * g * o).sum::<f64>();
            super::Answer::Slope { loss, gradient: layout.weights(&gradient) }
        }
        other => panic!("{other:?}"),
    }
}
