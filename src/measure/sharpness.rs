//! How steep is the valley in which the weights lie?
//!
//! Flat minima are said to generalise, and a run at the edge of stability is ruled by its largest curvature; neither can be seen
//! in a loss. The Hessian itself would need second derivatives, which the engine does not have, and d² numbers; its products with
//! vectors need two gradients each. Rejected: power iteration, which costs as much, finds the eigenvalue of largest size whatever
//! its sign, and creeps where two are close. Lanczos' iteration without reorthogonalisation keeps three vectors as well; what it
//! loses by that is the multiplicity of eigenvalues, not the outermost ones (Paige 1971).

use super::facts::Facts;
use super::flat::{Layout, dot, draws, moved, norm, unit};
use super::inquiry::{Answer, Inquiry, Question, Turn};
use super::kind::{Column, Cost, Measure, Work, any_experiment, no_hooks};
use crate::experiment::randomness::Stream;
use crate::record::{UserError, Value};
use nalgebra::DMatrix;

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "sharpness",
    label: "Sharpness",
    definition: "Largest and smallest eigenvalue of the Hessian H of the training loss by Lanczos' iteration from a random \
                 direction, until both change by less than 1% of the larger (30 products with H at most); \
                 H·v = (g(w + hv) − g(w − hv))/2h, h = .001·‖w‖. Trace of H: mean of zᵀHz over 8 random vectors of ±1. Keskar's \
                 sharpness 100·(max L(w + δ) − L(w))/(1 + L(w)) over |δ_i| ≤ .001·(|w_i| + 1), the maximum by 6 steps of projected \
                 sign ascent from a random point of that box",
    source: "Keskar et al. 1609.04836 (box, ε = .001); eigenvalues and Hutchinson's trace after Yao et al. \
             1912.07145 (PyHessian)",
    not_evidence_of: "A flat minimum does not show that a network generalises: rescaling the layers of a ReLU network changes the \
                      sharpness and not the function (Dinh et al. 1703.04933)",
    cost: Cost::Sampling,
    columns: &[
        Column::new("hessian_top", "largest eigenvalue of the Hessian"),
        Column::new("hessian_bottom", "smallest eigenvalue of the Hessian"),
        Column::new("hessian_trace", "trace of the Hessian"),
        Column::new("keskar_sharpness", "rise of the loss in a small box").in_unit("%").positive(),
    ],
    hooks: no_hooks,
    needs_keys: false,
    applies: any_experiment,
    work: Work::asking(begin),
};

/// h of the difference of gradients over ‖w‖: a step of 10⁻³ of a weight is 10⁴ roundings of an f32, and third derivatives still
/// cancel.
const DIFFERENCE: f64 = 1e-3;
/// The iteration stops when both eigenvalues change by less than this share of the larger one's size …
const SETTLED: f64 = 0.01;
/// … and there surely is an eigenvalue of H within this share of it.
const RESIDUAL: f64 = 0.1;
/// Products with H before it gives up.
const ITERATIONS: usize = 30;
/// Vectors of ±1 for the trace.
const PROBES: usize = 8;
/// ε of the box (Keskar et al.).
const BOX: f64 = 1e-3;
/// Steps of the ascent in the box, and their length in half-widths of the box: from edge to edge and once more.
const ASCENT: usize = 6;
const STRIDE: f64 = 0.5;

fn begin(facts: &Facts<'_>) -> Result<Box<dyn Inquiry>, UserError> {
    let layout = Layout::of(facts.weights);
    let at = layout.flat(facts.weights)?;
    let length = norm(&at);
    let h = DIFFERENCE * if length > 0.0 { length } else { 1.0 };
    let mut stream = draws(facts, MEASURE.name, 0);
    let first = Product::new(unit(&mut stream, at.len()));
    let stage = Stage::Lanczos { product: first, so_far: Tridiagonal::default() };
    Ok(Box::new(Sharpness { layout, at, h, stream, stage, asked: 0, values: Vec::new() }))
}

struct Sharpness {
    layout: Layout,
    at: Vec<f64>,
    h: f64,
    stream: Stream,
    stage: Stage,
    asked: usize,
    values: Vec<Value>,
}

enum Stage {
    Lanczos { product: Product, so_far: Tridiagonal },
    Trace { product: Product, sum: f64, probe: usize },
    Base,
    Ascent { base: f64, best: f64, offset: Vec<f64>, step: usize },
    Done,
}

/// H·v of a unit vector, once both gradients are there.
struct Product {
    direction: Vec<f64>,
    plus: Option<Vec<f64>>,
}

impl Product {
    fn new(direction: Vec<f64>) -> Self {
        Self { direction, plus: None }
    }

    fn take(&mut self, gradient: Vec<f64>, h: f64) -> Option<Vec<f64>> {
        match self.plus.take() {
            None => {
                self.plus = Some(gradient);
                None
            }
            Some(plus) => Some(plus.iter().zip(&gradient).map(|(plus, minus)| (plus - minus) / (2.0 * h)).collect()),
        }
    }
}

/// What Lanczos' iteration knows of H: a tridiagonal matrix with nearly the same outermost eigenvalues.
#[derive(Default)]
struct Tridiagonal {
    alphas: Vec<f64>,
    betas: Vec<f64>,
    previous: Vec<f64>,
    ends_before: Option<[f64; 2]>,
}

impl Tridiagonal {
    /// Its largest and smallest eigenvalue, and the larger of the distances within which H surely has one: |β·(last entry of the
    /// eigenvector)|.
    fn ends(&self, beta: f64) -> ([f64; 2], f64) {
        let n = self.alphas.len();
        let matrix = DMatrix::from_fn(n, n, |i, j| match i.abs_diff(j) {
            0 => self.alphas[i],
            1 => self.betas[i.min(j)],
            _ => 0.0,
        });
        let eigen = matrix.symmetric_eigen();
        let (mut top, mut bottom) = (0, 0);
        for i in 1..n {
            if eigen.eigenvalues[i] > eigen.eigenvalues[top] {
                top = i;
            }
            if eigen.eigenvalues[i] < eigen.eigenvalues[bottom] {
                bottom = i;
            }
        }
        let residual = |i: usize| (beta * eigen.eigenvectors[(n - 1, i)]).abs();
        ([eigen.eigenvalues[top], eigen.eigenvalues[bottom]], residual(top).max(residual(bottom)))
    }
}

impl Sharpness {
    fn question(&self) -> Option<Question> {
        let slope = |flat: &[f64]| Some(Question::Slope { weights: self.layout.weights(flat), rows: None });
        let loss = |flat: &[f64]| Some(Question::Loss { weights: self.layout.weights(flat) });
        match &self.stage {
            Stage::Lanczos { product, .. } | Stage::Trace { product, .. } => {
                let h = if product.plus.is_none() { self.h } else { -self.h };
                slope(&moved(&self.at, h, &product.direction))
            }
            Stage::Base => loss(&self.at),
            Stage::Ascent { offset, step, .. } => {
                let flat = moved(&self.at, 1.0, offset);
                if *step < ASCENT { slope(&flat) } else { loss(&flat) }
            }
            Stage::Done => None,
        }
    }

    fn hear(&mut self, answer: Answer) -> Result<(), UserError> {
        let stage = core::mem::replace(&mut self.stage, Stage::Done);
        self.stage = match stage {
            Stage::Lanczos { mut product, so_far } => {
                let gradient = self.layout.flat(&answer.into_slope()?.1)?;
                match product.take(gradient, self.h) {
                    None => Stage::Lanczos { product, so_far },
                    Some(image) => self.iterate(product.direction, &image, so_far),
                }
            }
            Stage::Trace { mut product, sum, probe } => {
                let gradient = self.layout.flat(&answer.into_slope()?.1)?;
                match product.take(gradient, self.h) {
                    None => Stage::Trace { product, sum, probe },
                    Some(image) => {
                        let sum = sum + self.at.len() as f64 * dot(&product.direction, &image);
                        if probe + 1 < PROBES {
                            self.probe(sum, probe + 1)
                        } else {
                            self.values.push(Value::Number(sum / PROBES as f64));
                            Stage::Base
                        }
                    }
                }
            }
            Stage::Base => {
                let base = answer.into_loss()?;
                let stream = &mut self.stream;
                let offset = self.at.iter().map(|w| half_width(*w) * (2.0 * stream.uniform() - 1.0)).collect();
                Stage::Ascent { base, best: base, offset, step: 0 }
            }
            Stage::Ascent { base, best, offset, step } if step < ASCENT => {
                let (loss, gradient) = answer.into_slope()?;
                let gradient = self.layout.flat(&gradient)?;
                let climb = |((delta, g), w): ((&f64, &f64), &f64)| {
                    let edge = half_width(*w);
                    let sign = if *g > 0.0 {
                        1.0
                    } else if *g < 0.0 {
                        -1.0
                    } else {
                        0.0
                    };
                    (delta + STRIDE * edge * sign).clamp(-edge, edge)
                };
                let offset = offset.iter().zip(&gradient).zip(&self.at).map(climb).collect();
                Stage::Ascent { base, best: best.max(loss), offset, step: step + 1 }
            }
            Stage::Ascent { base, best, .. } => {
                let best = best.max(answer.into_loss()?);
                self.values.push(Value::Number(100.0 * (best - base) / (1.0 + base)));
                Stage::Done
            }
            Stage::Done => Stage::Done,
        };
        Ok(())
    }

    /// One turn of Lanczos' iteration, of which `image` is H·direction.
    fn iterate(&mut self, direction: Vec<f64>, image: &[f64], mut so_far: Tridiagonal) -> Stage {
        let alpha = dot(&direction, image);
        let mut rest = moved(image, -alpha, &direction);
        if let Some(beta) = so_far.betas.last() {
            rest = moved(&rest, -beta, &so_far.previous);
        }
        let beta = norm(&rest);
        let absent = |reason: String| [Value::Absent(reason.clone()), Value::Absent(reason)];
        if !alpha.is_finite() || !beta.is_finite() {
            self.values.extend(absent("The gradient beside these weights is not finite".into()));
            return self.probe(0.0, 0);
        }
        so_far.alphas.push(alpha);
        let (ends, residual) = so_far.ends(beta);
        let size = ends[0].abs().max(ends[1].abs());
        let is_still = so_far.ends_before.is_some_and(|before| (0..2).all(|i| (ends[i] - before[i]).abs() <= SETTLED * size));
        if residual <= SETTLED * size || (is_still && residual <= RESIDUAL * size) {
            self.values.extend(ends.map(Value::Number));
            return self.probe(0.0, 0);
        }
        if so_far.alphas.len() >= ITERATIONS {
            let percent = 100.0 * SETTLED;
            self.values.extend(absent(format!("The eigenvalues did not settle to {percent}% in {ITERATIONS} products")));
            return self.probe(0.0, 0);
        }
        so_far.betas.push(beta);
        so_far.ends_before = Some(ends);
        so_far.previous = direction;
        Stage::Lanczos { product: Product::new(rest.iter().map(|v| v / beta).collect()), so_far }
    }

    fn probe(&mut self, sum: f64, probe: usize) -> Stage {
        let entry = 1.0 / libm::sqrt(self.at.len() as f64);
        let stream = &mut self.stream;
        let direction = (0..self.at.len()).map(|_| if stream.below(2) == 0 { entry } else { -entry }).collect();
        Stage::Trace { product: Product::new(direction), sum, probe }
    }
}

/// ε(|w| + 1).
fn half_width(weight: f64) -> f64 {
    BOX * (weight.abs() + 1.0)
}

impl Inquiry for Sharpness {
    fn next(&mut self, answer: Option<Answer>) -> Result<Turn, UserError> {
        if let Some(answer) = answer {
            self.hear(answer)?;
        }
        self.asked += 1;
        Ok(match self.question() {
            Some(question) => Turn::Ask(question),
            None => Turn::Done(self.values.drain(..).map(Value::checked).collect()),
        })
    }

    fn progress(&self) -> f32 {
        let after = match self.stage {
            Stage::Lanczos { .. } => return 0.5 * (self.asked as f32 / (2 * ITERATIONS) as f32).min(1.0),
            Stage::Trace { probe, .. } => probe as f32 / PROBES as f32 * 0.8,
            Stage::Base => 0.8,
            Stage::Ascent { step, .. } => 0.8 + 0.2 * step as f32 / (ASCENT + 1) as f32,
            Stage::Done => 1.0,
        };
        0.5 + 0.5 * after
    }
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, ask, changed, quadratic, small};
    use super::*;

    fn measured(curvatures: &[f64], loss_at_bottom: f64) -> Vec<Value> {
        let case = small(curvatures.len(), 0.7);
        ask(&MEASURE, &case, quadratic(&case, curvatures, loss_at_bottom)).unwrap()
    }

    #[test]
    fn a_bowl_has_the_largest_of_its_curvatures_their_sum_and_the_rise_at_the_corners_of_the_box() {
        // Closed form: L = L₀ + ½Σ h(w − w*)², seen from w*.
        let curvatures: Vec<f64> = (0..40).map(|i| if i == 7 { 50.0 } else { 0.2 * f64::from(i % 10) }).collect();
        let found = measured(&curvatures, 0.5);
        let [top, bottom, trace, keskar] = [0, 1, 2, 3].map(|i| found[i].number().unwrap());
        assert!((top / 50.0 - 1.0).abs() < 0.01 && bottom.abs() < 0.5, "{top} {bottom}");
        // A diagonal Hessian gives its trace to every vector of ±1.
        assert!((trace / curvatures.iter().sum::<f64>() - 1.0).abs() < 1e-3, "{trace}");
        let edge = 1e-3 * 1.7;
        let rise = curvatures.iter().map(|h| 0.5 * h * edge * edge).sum::<f64>();
        assert!((keskar / (100.0 * rise / 1.5) - 1.0).abs() < 1e-3, "{keskar}");
    }

    #[test]
    fn at_a_saddle_the_largest_eigenvalue_is_found_behind_a_more_negative_one() {
        let mut curvatures = vec![0.5; 20];
        (curvatures[3], curvatures[4]) = (-30.0, 8.0);
        let found = measured(&curvatures, 1.0);
        let [top, bottom] = [0, 1].map(|i| found[i].number().unwrap());
        assert!((top - 8.0).abs() < 0.1 && (bottom + 30.0).abs() < 0.1, "{top} {bottom}");
    }

    #[test]
    fn a_dense_spectrum_is_settled_at_its_upper_end_too() {
        let curvatures: Vec<f64> = (0..400).map(|i| f64::from(i) / 40.0).collect();
        let top = measured(&curvatures, 1.0)[0].number().unwrap();
        assert!((top - 9.975).abs() < 0.2, "{top}");
    }

    #[test]
    fn a_flat_loss_has_no_sharpness_and_an_infinite_one_gives_a_reason() {
        let found = measured(&[0.0; 12], 1.0);
        assert!(found.iter().all(|value| value.number() == Some(0.0)), "{found:?}");
        let case = small(2, 0.7);
        let layout = Layout::of(&case.weights);
        let found = ask(&MEASURE, &case, |question| match question {
            Question::Loss { .. } => Answer::Loss(f64::INFINITY),
            _ => Answer::Slope { loss: f64::NAN, gradient: layout.weights(&[f64::NAN; 2]) },
        })
        .unwrap();
        assert!(found.len() == 4 && found.iter().all(|value| matches!(value, Value::Absent(_))), "{found:?}");
    }

    #[test]
    fn a_network_with_real_tensors_is_asked_about_under_their_names() {
        let case = Case::of(changed("devinterp-53", &[]));
        let count = Layout::of(&case.weights).count();
        let found = ask(&MEASURE, &case, quadratic(&case, &vec![2.0; count], 0.0)).unwrap();
        assert!((found[0].number().unwrap() - 2.0).abs() < 0.01, "{found:?}");
    }
}
