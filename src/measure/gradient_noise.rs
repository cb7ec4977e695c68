//! Gradient noise scale: from how many rows on is a larger batch no better?
//!
//! Whether small batches help a network out of its memory is argued with the noise of gradients, and that noise shrinks to
//! nothing in one run and not in another. Beside it stand the size of the gradient and its angle to the weights, because in the
//! long wait before grokking a gradient without weight decay may do nothing but make the weights longer (Prieto et al. 2501.04697).

use super::facts::Facts;
use super::flat::{Layout, cosine, draws, norm, sample};
use super::inquiry::{Answer, Inquiry, Question, Turn};
use super::kind::{Column, Cost, Measure, Work, any_experiment, no_hooks};
use crate::record::{UserError, Value};

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "gradient_noise",
    label: "Gradient noise",
    definition: "Simple noise scale tr(Σ)/|G|²: G the gradient of the training loss over all training rows, tr(Σ) the mean of \
                 |g − G|² over the gradients g of up to 64 single training rows; the norm |G|; the cosine of G and the weights, −1 \
                 where an update would only lengthen them. Decay of the weights is not part of G",
    source: "McCandlish et al. 1812.06162; the angle after Prieto et al. 2501.04697",
    not_evidence_of: "A large noise scale does not show that noise drives the run: with the full training set as the batch there is \
                      none, whatever its scale",
    cost: Cost::Sampling,
    columns: &[
        Column::new("noise_scale", "gradient noise scale").in_unit("rows").positive(),
        Column::new("full_gradient_norm", "norm of the gradient over all training rows").positive(),
        Column::new("gradient_weight_cosine", "cosine of gradient and weights").within(-1.0, 1.0),
    ],
    hooks: no_hooks,
    needs_keys: false,
    applies: any_experiment,
    work: Work::asking(begin),
};

/// Single rows whose gradients are taken: the relative error of tr(Σ) is about 1/√64.
const ROWS: usize = 64;

fn begin(facts: &Facts<'_>) -> Result<Box<dyn Inquiry>, UserError> {
    let layout = Layout::of(facts.weights);
    let at = layout.flat(facts.weights)?;
    let all: Vec<u32> = (0..facts.data.train.len() as u32).collect();
    let rows = sample(&mut draws(facts, MEASURE.name, 0), &all, ROWS);
    Ok(Box::new(Noise { layout, at, rows, full: None, squares: Vec::new() }))
}

struct Noise {
    layout: Layout,
    at: Vec<f64>,
    /// Positions into the training rows.
    rows: Vec<u32>,
    full: Option<Vec<f64>>,
    /// |g − G|² of each row so far.
    squares: Vec<f64>,
}

impl Noise {
    fn result(&self, full: &[f64]) -> Vec<Value> {
        let length = norm(full);
        let trace = self.squares.iter().sum::<f64>() / self.squares.len() as f64;
        let no_gradient = "The gradient over all training rows is zero";
        let scale = if length > 0.0 { Value::Number(trace / (length * length)) } else { Value::Absent(no_gradient.into()) };
        let angle = match cosine(full, &self.at) {
            Some(cosine) => Value::Number(cosine),
            None if length > 0.0 => Value::Absent("The weights are zero, or the gradient is not finite".into()),
            None => Value::Absent(no_gradient.into()),
        };
        vec![scale.checked(), Value::Number(length).checked(), angle]
    }
}

impl Inquiry for Noise {
    fn next(&mut self, answer: Option<Answer>) -> Result<Turn, UserError> {
        if let Some(answer) = answer {
            let gradient = self.layout.flat(&answer.into_slope()?.1)?;
            match &self.full {
                None => self.full = Some(gradient),
                Some(full) => self.squares.push(gradient.iter().zip(full).map(|(g, full)| (g - full) * (g - full)).sum()),
            }
        }
        let rows = match &self.full {
            None => None,
            Some(full) => match self.rows.get(self.squares.len()) {
                Some(row) => Some(vec![*row]),
                None => return Ok(Turn::Done(self.result(full))),
            },
        };
        Ok(Turn::Ask(Question::Slope { weights: self.layout.weights(&self.at), rows }))
    }

    fn progress(&self) -> f32 {
        (usize::from(self.full.is_some()) + self.squares.len()) as f32 / (1 + self.rows.len()) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{ask, small};
    use super::*;

    /// Gradients (1 ± size, 0, …): the sign by the row's parity.
    fn planted(size: f64) -> Vec<Value> {
        let case = small(30, -0.5);
        let layout = Layout::of(&case.weights);
        let mut seen = Vec::new();
        let found = ask(&MEASURE, &case, |question| {
            let Question::Slope { rows, .. } = question else { panic!("{question:?}") };
            let mut gradient = vec![0.0; 30];
            gradient[0] = 1.0;
            if let Some(rows) = rows {
                gradient[1] = if rows[0].is_multiple_of(2) { size } else { -size };
                seen.extend(rows);
            }
            Answer::Slope { loss: 1.0, gradient: layout.weights(&gradient) }
        });
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), ROWS);
        found.unwrap()
    }

    #[test]
    fn planted_gradients_have_their_noise_scale_norm_and_angle() {
        // Closed form: |g − G|² = size² in every row, |G| = 1, and G is one of 30 equal weights' axes.
        let found = planted(3.0);
        let [scale, length, angle] = [0, 1, 2].map(|i| found[i].number().unwrap());
        assert!((scale - 9.0).abs() < 1e-9 && (length - 1.0).abs() < 1e-9, "{found:?}");
        assert!((angle + 1.0 / libm::sqrt(30.0)).abs() < 1e-9, "{found:?}");
        assert_eq!(planted(0.0)[0].number(), Some(0.0));
    }

    #[test]
    fn without_a_gradient_there_is_a_reason() {
        let case = small(3, 0.5);
        let layout = Layout::of(&case.weights);
        let found = ask(&MEASURE, &case, |_| Answer::Slope { loss: 0.0, gradient: layout.weights(&[0.0; 3]) }).unwrap();
        assert!(matches!((&found[0], &found[2]), (Value::Absent(_), Value::Absent(_))), "{found:?}");
        assert_eq!(found[1].number(), Some(0.0));
    }
}
