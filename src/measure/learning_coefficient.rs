//! The local learning coefficient: how many weights does the loss really need?
//!
//! The Hessian counts directions by second derivatives and is blind where these vanish, as they do in every network with
//! symmetries. The learning coefficient counts by the volume of weights with nearly the same loss, which a chain that wanders
//! about the checkpoint can estimate. A chain that has not come to rest gives a number all the same, and that number is worthless:
//! so the trace is always given, and the number only when the chains pass.

use super::facts::Facts;
use super::flat::{Layout, draws, moved, norm};
use super::inquiry::{Answer, Inquiry, Question, Turn};
use super::kind::{Column, Cost, Measure, Work, any_experiment, no_hooks};
use crate::experiment::randomness::Stream;
use crate::record::{UserError, Value};

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "learning_coefficient",
    label: "Local learning coefficient",
    definition: "λ̂ = nβ·(mean of L along a chain − L(w*)), L the training loss and w* the checkpoint; Langevin chains \
                 w ← w − ε/2·(nβ·∇L(w) + γ·(w − w*)) + N(0, ε) over all training rows with ε = .003, nβ = 2, γ = 5; two chains of \
                 450 draws, the first 200 of each left out. No number is given when a chain diverges, when the halves of a chain or \
                 the two chains differ by more than 10% and 3 standard errors (from the autocorrelation), or when λ̂ is negative. \
                 Distance: mean of ‖w − w*‖/‖w*‖ over the draws that count; far above 1 the chains see another place than w*",
    source: "Lau et al. 2308.12108; conventions and values of devinterp's grokking example",
    not_evidence_of: "λ̂ at this temperature and localisation is not the learning coefficient of the theory: compare it along one \
                      run, not between networks",
    cost: Cost::Sampling,
    columns: &[
        Column::new("llc", "local learning coefficient").positive(),
        Column::new("llc_error", "standard error of the local learning coefficient").positive(),
        Column::new("llc_distance", "mean distance of the chains from the checkpoint, over its norm").positive(),
        Column::new("llc_trace", "nβ·(L − L(w*)) along both chains, one after the other").list("draw"),
    ],
    hooks: no_hooks,
    needs_keys: false,
    applies: any_experiment,
    work: Work::asking(begin),
};

// ε, nβ, γ: those of devinterp's example of grokking. Where the loss is flat a chain forgets w* in 2/(εγ) = 133 draws and the
// loss in half as many, so 200 draws leave e^{−3} = 5% of the start; it is stable where the curvature is below
// (4/ε − γ)/nβ ≈ 660. Full-batch gradients have no noise of their own, so ε may be as large as that allows; a smaller one
// would need more draws in proportion. Along flat directions each weight moves by 1/√γ = .45, which is more than most weights
// of a large network are: hence the distance among the columns.

/// ε.
const STEP: f64 = 0.003;
/// nβ, inverse temperature times rows.
const TEMPERED_ROWS: f64 = 2.0;
/// γ.
const LOCALISATION: f64 = 5.0;
/// Chains, each from w*.
const CHAINS: usize = 2;
/// Draws of each chain that are left out.
const BURN_IN: usize = 200;
/// Draws of each chain that count: 500 in all, as many as in devinterp's example.
const KEPT: usize = 250;
/// A chain whose nβ·(L − L(w*)) exceeds this many per weight has diverged: at rest a bowl has at most ½.
const DIVERGED: f64 = 10.0;
/// Means differ if they do by more than this many standard errors (Geweke's z) …
const ERRORS: f64 = 3.0;
/// … and by more than this share: in a network of 10⁴ weights a drift of 1% is many standard errors and harmless.
const SHARE: f64 = 0.1;
/// Longest trace, of both chains together.
const TRACE: usize = 100;

fn begin(facts: &Facts<'_>) -> Result<Box<dyn Inquiry>, UserError> {
    let layout = Layout::of(facts.weights);
    let start = layout.flat(facts.weights)?;
    let streams = (0..CHAINS).map(|chain| draws(facts, MEASURE.name, chain as u32)).collect();
    let (here, excess) = (start.clone(), vec![Vec::new(); CHAINS]);
    Ok(Box::new(Chains { layout, start, here, streams, base: None, excess, distance: 0.0, chain: 0 }))
}

struct Chains {
    layout: Layout,
    start: Vec<f64>,
    here: Vec<f64>,
    streams: Vec<Stream>,
    /// L(w*).
    base: Option<f64>,
    /// nβ·(L − L(w*)) of each draw of each chain.
    excess: Vec<Vec<f64>>,
    /// Sum of ‖w − w*‖ over the draws that count.
    distance: f64,
    chain: usize,
}

impl Chains {
    /// One Langevin step from `here`; false if the chain has diverged.
    fn hear(&mut self, answer: Answer) -> Result<bool, UserError> {
        let (loss, gradient) = answer.into_slope()?;
        let gradient = self.layout.flat(&gradient)?;
        let excess = TEMPERED_ROWS * (loss - *self.base.get_or_insert(loss));
        if !excess.is_finite() || excess > DIVERGED * self.start.len() as f64 || gradient.iter().any(|g| !g.is_finite()) {
            return Ok(false);
        }
        if self.excess[self.chain].len() >= BURN_IN {
            self.distance += norm(&moved(&self.here, -1.0, &self.start));
        }
        self.excess[self.chain].push(excess);
        let (stream, noise) = (&mut self.streams[self.chain], libm::sqrt(STEP));
        for ((w, g), start) in self.here.iter_mut().zip(&gradient).zip(&self.start) {
            *w += noise * stream.normal() - 0.5 * STEP * (TEMPERED_ROWS * g + LOCALISATION * (*w - start));
        }
        if self.excess[self.chain].len() == BURN_IN + KEPT {
            self.chain += 1;
            self.here.clone_from(&self.start);
        }
        Ok(true)
    }

    /// The trace, thinned.
    fn trace(&self) -> Value {
        let all: Vec<f64> = self.excess.concat();
        let every = all.len().div_ceil(TRACE).max(1);
        Value::List(all.into_iter().step_by(every).collect())
    }

    fn refused(&self, reason: &str) -> Turn {
        Turn::Done(vec![Value::Absent(reason.into()), Value::Absent(reason.into()), self.relative_distance(), self.trace()])
    }

    fn relative_distance(&self) -> Value {
        let length = norm(&self.start);
        if self.excess.iter().any(|chain| chain.len() < BURN_IN + KEPT) {
            Value::Absent("A chain diverged".into())
        } else if length > 0.0 {
            Value::Number(self.distance / (CHAINS * KEPT) as f64 / length).checked()
        } else {
            Value::Absent("The weights of the checkpoint are zero".into())
        }
    }

    fn result(&self) -> Turn {
        let kept: Vec<&[f64]> = self.excess.iter().map(|chain| &chain[BURN_IN..]).collect();
        if kept.iter().any(|chain| {
            let (first, second) = chain.split_at(KEPT / 2);
            differ(mean_with_error(first), mean_with_error(second))
        }) {
            return self.refused("The chains have not come to rest: the halves of one differ; see the trace");
        }
        let chains: Vec<(f64, f64)> = kept.iter().map(|chain| mean_with_error(chain)).collect();
        if chains.windows(2).any(|pair| differ(pair[0], pair[1])) {
            return self
                .refused("The chains disagree: from the same weights they came to rest at different losses; see the trace");
        }
        let value = chains.iter().map(|(mean, _)| mean).sum::<f64>() / CHAINS as f64;
        let within = libm::sqrt(chains.iter().map(|(_, error)| error * error).sum::<f64>()) / CHAINS as f64;
        let spread = chains.iter().map(|(mean, _)| (mean - value) * (mean - value)).sum::<f64>();
        let error = within.max(libm::sqrt(spread / (CHAINS * (CHAINS - 1)) as f64));
        if value < -ERRORS * error {
            return self.refused("The estimate is negative: the checkpoint is no minimum, the loss beside it is lower");
        }
        if value < 0.0 {
            return self.refused("The estimate cannot be told from 0 by chains of this length");
        }
        let [value, error] = [value, error].map(|number| Value::Number(number).checked());
        Turn::Done(vec![value, error, self.relative_distance(), self.trace()])
    }
}

/// Whether two means with their standard errors differ.
fn differ((a, error_a): (f64, f64), (b, error_b): (f64, f64)) -> bool {
    let gap = (a - b).abs();
    gap > ERRORS * libm::sqrt(error_a * error_a + error_b * error_b) && gap > SHARE * a.abs().max(b.abs())
}

/// Mean, and its standard error √(variance·τ/n) with τ = 1 + 2Σρ_k, summed up to the first negative autocorrelation ρ_k.
fn mean_with_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let covariance = |lag: usize| values.iter().zip(&values[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / n;
    let variance = covariance(0);
    if variance <= 0.0 {
        return (mean, 0.0);
    }
    let time = 1.0 + 2.0 * (1..values.len() / 2).map(|lag| covariance(lag) / variance).take_while(|rho| *rho > 0.0).sum::<f64>();
    (mean, libm::sqrt(variance * time / n))
}

impl Inquiry for Chains {
    fn next(&mut self, answer: Option<Answer>) -> Result<Turn, UserError> {
        if let Some(answer) = answer
            && !self.hear(answer)?
        {
            self.chain = CHAINS;
            return Ok(self.refused("A chain diverged: the loss is too steep for a step of ε = .003, or w* is no minimum"));
        }
        if self.chain == CHAINS {
            return Ok(self.result());
        }
        Ok(Turn::Ask(Question::Slope { weights: self.layout.weights(&self.here), rows: None }))
    }

    fn progress(&self) -> f32 {
        if self.chain == CHAINS {
            return 1.0;
        }
        self.excess.iter().map(Vec::len).sum::<usize>() as f32 / (CHAINS * (BURN_IN + KEPT)) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, ask, quadratic, small};
    use super::*;

    fn reason(values: &[Value]) -> String {
        match &values[..2] {
            [Value::Absent(a), Value::Absent(b)] if a == b => a.clone(),
            other => panic!("{other:?}"),
        }
    }

    /// Answers from a loss whose value and partial derivatives are given.
    fn from(case: &Case, mut slope: impl FnMut(&[f64]) -> (f64, Vec<f64>)) -> impl FnMut(Question) -> Answer {
        let layout = Layout::of(&case.weights);
        move |question| match question {
            Question::Slope { weights, rows: None } => {
                let (loss, gradient) = slope(&layout.flat(&weights).unwrap());
                Answer::Slope { loss, gradient: layout.weights(&gradient) }
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_bowl_has_half_a_unit_per_weight_less_what_localisation_takes_away() {
        // Closed form: Σ nβh/(nβh + γ)/2; the finite step makes each variance larger by 1/(1 − ε(nβh + γ)/4).
        let curvatures: Vec<f64> = (0..300).map(|i| [0.0, 1.0, 5.0, 40.0][i % 4]).collect();
        let case = small(300, 0.1);
        let found = ask(&MEASURE, &case, quadratic(&case, &curvatures, 0.3)).unwrap();
        let theory: f64 = curvatures
            .iter()
            .map(|h| {
                let stiffness = TEMPERED_ROWS * h + LOCALISATION;
                0.5 * TEMPERED_ROWS * h / stiffness / (1.0 - STEP * stiffness / 4.0)
            })
            .sum();
        let (value, error) = (found[0].number().unwrap(), found[1].number().unwrap());
        assert!((value - theory).abs() < 4.0 * error && error < 0.05 * theory, "{value} ± {error} for {theory}");
        // Closed form: Σ 1/(nβh + γ) is the mean square of the distance.
        let square: f64 = curvatures.iter().map(|h| 1.0 / (TEMPERED_ROWS * h + LOCALISATION)).sum();
        let distance = found[2].number().unwrap() / (libm::sqrt(square) / (0.1 * libm::sqrt(300.0)));
        assert!((distance - 1.0).abs() < 0.15, "{distance}");
        let trace = found[3].list().unwrap();
        assert!(trace.len() <= TRACE && trace.len() > TRACE / 2 && trace[0] == 0.0);
    }

    #[test]
    fn a_singular_valley_has_less_than_a_bowl_of_as_many_weights() {
        let case = small(200, 0.0);
        let singular = from(&case, |w| {
            let pairs = w.chunks_exact(2);
            let loss = pairs.clone().map(|p| 20.0 * p[0] * p[0] * p[1] * p[1]).sum();
            (loss, pairs.flat_map(|p| [40.0 * p[0] * p[1] * p[1], 40.0 * p[0] * p[0] * p[1]]).collect())
        });
        let valley = ask(&MEASURE, &case, singular).unwrap()[0].number().unwrap();
        let bowl = ask(&MEASURE, &case, quadratic(&case, &[40.0; 200], 0.0)).unwrap()[0].number().unwrap();
        assert!(valley > 0.0 && valley < 0.7 * bowl, "{valley} against {bowl}");
    }

    #[test]
    fn a_chain_that_diverges_is_refused_and_its_trace_is_shown() {
        let case = small(50, 0.1);
        let found = ask(&MEASURE, &case, quadratic(&case, &[5000.0; 50], 0.0)).unwrap();
        assert!(reason(&found).contains("diverged"));
        let trace = found[3].list().unwrap();
        assert!(matches!(found[2], Value::Absent(_)));
        assert!(!trace.is_empty() && trace.iter().all(|value| value.is_finite()));
    }

    #[test]
    fn a_chain_that_drifts_and_a_checkpoint_that_is_no_minimum_are_refused() {
        let case = small(20, 0.1);
        let mut asked = 0.0;
        let drifting = from(&case, |w| {
            asked += 1.0;
            (0.01 * asked + 0.001 * w[0], vec![0.0; w.len()])
        });
        assert!(reason(&ask(&MEASURE, &case, drifting).unwrap()).contains("not come to rest"));
        let case = small(500, 0.1);
        let hill = from(&case, |w| {
            let square: f64 = w.iter().map(|w| (w - 0.1) * (w - 0.1)).sum();
            (300.0 - 0.15 * square, w.iter().map(|w| 0.3 * (0.1 - w)).collect())
        });
        let refused = reason(&ask(&MEASURE, &case, hill).unwrap());
        assert!(refused.contains("no minimum"), "{refused}");
    }

    #[test]
    fn chains_at_rest_in_different_places_are_refused() {
        let case = small(20, 0.1);
        let mut asked = 0;
        let split = from(&case, |w| {
            asked += 1;
            let level = if asked <= BURN_IN + KEPT { 1.0 } else { 2.0 };
            let start = w.iter().all(|w| (w - 0.1).abs() < 1e-6);
            (if start { 0.0 } else { level + 0.01 * w[0] }, vec![0.0; w.len()])
        });
        assert!(reason(&ask(&MEASURE, &case, split).unwrap()).contains("disagree"));
    }

    #[test]
    fn correlated_draws_have_the_error_of_their_effective_number() {
        // Closed form: an autoregressive sequence with factor φ has τ = (1 + φ)/(1 − φ).
        let mut stream = Stream::new(1, crate::experiment::randomness::Purpose::Planted, 0);
        let (mut values, mut x) = (Vec::new(), 0.0);
        for _ in 0..20_000 {
            x = 0.8 * x + stream.normal();
            values.push(x);
        }
        let theory = libm::sqrt(1.0 / (1.0 - 0.64) * 9.0 / 20_000.0);
        let (mean, error) = mean_with_error(&values);
        assert!(mean.abs() < 4.0 * theory && (error / theory - 1.0).abs() < 0.25, "{error} for {theory}");
    }
}
