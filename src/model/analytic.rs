//! Weights that solve modular addition, written down instead of trained (Gromov 2301.02679).
//!
//! They are the oracle of every Fourier measure and the end to which training is compared: neuron k of a quadratic perceptron
//! holds a_k(n) = A·cos(ω_k·n + φ¹), b_k(n) = A·cos(ω_k·n + φ²) and answers with A·cos(ω_k·c + φ³), φ¹ + φ² = φ³, ω_k = 2πk/p.
//! Of the square, the part 2·a·b = A²·cos(ω_k(a + b) + φ³) + … is in phase with the output at c = a + b; all else averages out
//! over random phases. A = (2/N)^⅓ makes the answer's margin one, which is what MSE asks for.

use super::network::Shape;
use super::parameters::ParameterSpec;
use crate::experiment::field::{Field, FieldKind};
use crate::experiment::randomness::{Purpose, Stream};
use crate::experiment::{Experiment, FieldError};
use crate::record::{UserError, Weights};
use crate::task::{Answers, Cycle, Domain, rule_of};
use core::f64::consts::TAU;

/// Where the weights start.
pub(super) const START: Field = Field::new(
    "model.start",
    "Start",
    "random, or the analytic solution of modular addition with random phases (2301.02679)",
    FieldKind::Choice(&[("random", "Random"), ("analytic", "Analytic solution")]),
)
.neutral("random")
.when(&[("model.activation", &["quadratic"])]);

/// A rule c = α·a + β·b + γ modulo p.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AffineRule {
    /// p.
    pub modulus: usize,
    /// α.
    pub of_a: usize,
    /// β.
    pub of_b: usize,
    /// γ.
    pub constant: usize,
}

impl AffineRule {
    /// The rule of a task whose answer is linear in its tokens; `None` for any other.
    fn of(experiment: &Experiment) -> Option<Self> {
        let rule = rule_of(experiment)?;
        let Cycle::Additive(modulus) = rule.cycle()? else { return None };
        let (Domain::Pairs(pairs), Answers::Labels(labels)) = rule.domain(experiment.seed) else { return None };
        let answer = |a: u16, b: u16| pairs.iter().position(|pair| *pair == (a, b)).map(|row| usize::from(labels[row]));
        let p = modulus as usize;
        let constant = answer(0, 0)?;
        let step = |next: usize| (next + p - constant) % p;
        Some(Self { modulus: p, of_a: step(answer(1, 0)?), of_b: step(answer(0, 1)?), constant })
    }
}

/// The three weight lists of [`weights`], in f64.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalyticWeights {
    /// `[2p, N]`: rows of a, then of b.
    pub w_in: Vec<f64>,
    /// `[N, p]`.
    pub w_out: Vec<f64>,
}

/// Weights of `width` quadratic neurons that solve `rule`, with amplitude (2/N)^⅓. Frequencies 1..⌊(p−1)/2⌋ follow one another
/// from neuron to neuron and start anew; phases come from stream 0 of the starting weights.
pub fn weights(rule: AffineRule, width: usize, seed: u64) -> AnalyticWeights {
    let p = rule.modulus;
    let frequencies = p.saturating_sub(1).max(2) / 2;
    let amplitude = libm::cbrt(2.0 / width as f64);
    let mut stream = Stream::new(seed, Purpose::Init, 0);
    let (mut w_in, mut w_out) = (vec![0.0; 2 * p * width], vec![0.0; width * p]);
    for neuron in 0..width {
        let frequency = neuron % frequencies + 1;
        let (phase_a, phase_b) = (TAU * stream.uniform(), TAU * stream.uniform());
        // Whole numbers are reduced first, so no digits are lost in large angles.
        let wave = |n: usize, phase: f64| amplitude * libm::cos(TAU * ((frequency * n) % p) as f64 / p as f64 + phase);
        for token in 0..p {
            w_in[token * width + neuron] = wave(rule.of_a * token, phase_a);
            w_in[(p + token) * width + neuron] = wave(rule.of_b * token, phase_b);
            w_out[neuron * p + token] = wave(token + p - rule.constant, phase_a + phase_b);
        }
    }
    AnalyticWeights { w_in, w_out }
}

/// The analytic start of an experiment: [`weights`], each tensor multiplied by how much its start differs from the usual one
/// (`model.init_scale`, `model.layer_scales`).
pub(super) fn start(experiment: &Experiment, specs: &[ParameterSpec]) -> Result<Weights, UserError> {
    let rule = AffineRule::of(experiment).ok_or_else(no_solution)?;
    let width = experiment.model.settings.integer("width") as usize;
    let solution = weights(rule, width, experiment.seed);
    // See `mlp.rs`: the usual deviation of both tensors.
    let usual = 0.5 / libm::cbrt(2.0 * width as f64);
    let tensors = specs
        .iter()
        .map(|spec| {
            let values = match spec.name.as_str() {
                "w_in" => &solution.w_in,
                "w_out" => &solution.w_out,
                _ => return Err(no_solution()),
            };
            let factor = spec.std / usual;
            Ok(spec.tensor(values.iter().map(|value| (value * factor) as f32).collect()))
        })
        .collect::<Result<_, _>>()?;
    Ok(Weights { tensors })
}

fn no_solution() -> UserError {
    UserError::new("This network or task has no analytic solution", "Start from random weights")
}

/// Refuses an analytic start where there is no solution to write down.
pub(super) fn check(experiment: &Experiment, shape: Shape) -> Vec<FieldError> {
    let settings = &experiment.model.settings;
    if settings.text("activation") != "quadratic" || settings.text("start") != "analytic" {
        return Vec::new();
    }
    let is_two_hot = matches!(settings.text("encoding"), "" | "two_hot");
    let cause = if settings.integer("depth") > 1 || settings.is_on("bias") || !is_two_hot {
        "The analytic solution has one hidden layer, two-hot inputs and no biases".to_owned()
    } else if AffineRule::of(experiment).is_none_or(|rule| rule.modulus < 3) {
        "The analytic solution is that of addition or subtraction modulo 3 or more".to_owned()
    } else if shape.outputs != shape.tokens {
        format!("The analytic solution has one output per residue, and the loss {} needs {}", experiment.loss, shape.outputs)
    } else {
        return Vec::new();
    };
    vec![FieldError::new("model.start", cause, "Use random")]
}
