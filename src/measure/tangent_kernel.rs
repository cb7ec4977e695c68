//! Lazy or rich? The tangent kernel, how far it has moved, and how well it fits the labels.
//!
//! In the lazy regime a network is a fixed kernel machine and memorises with it; grokking is then the moment at which the kernel
//! itself moves (Kumar et al. 2310.06110). The kernel of all rows would be gigabytes of gradients, so it is that of a few rows,
//! and of the gradients only their products are kept.

use super::facts::Facts;
use super::flat::{draws, sample};
use super::inquiry::{Answer, Inquiry, Question, Turn, confused};
use super::kind::{Column, Cost, Measure, Work, no_hooks};
use crate::crosscoder::Hook;
use crate::experiment::Experiment;
use crate::record::{UserError, Value, Weights};

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "tangent_kernel",
    label: "Tangent kernel",
    definition: "K_ij = ⟨∂f(x_i)/∂w, ∂f(x_j)/∂w⟩ over up to 48 training rows, f the logit of the row's label (or the only output); \
                 rows from 8 random classes, 6 of each where there are so many. Alignment ⟨K, Y⟩/(‖K‖‖Y‖) with Y_ij = 1 for equal \
                 labels and 0 otherwise, for real-valued answers Y = yyᵀ, where it is yᵀKy/(‖K‖_F‖y‖²); distance \
                 ‖K − K₀‖_F/‖K₀‖_F from the kernel K₀ of the run's first checkpoint",
    source: "Kumar et al. 2310.06110 (alignment, distance); Fort et al. 2010.15110",
    not_evidence_of: "A high alignment does not show learned features: rows of one label share an output, so already the start is \
                      aligned, and only the change counts",
    cost: Cost::Sampling,
    columns: &[
        Column::new("kernel_alignment", "alignment of the tangent kernel with the labels").share(),
        Column::new("kernel_distance", "distance of the tangent kernel from its start").positive(),
    ],
    hooks: no_hooks,
    needs_keys: false,
    applies,
    work: Work::asking(begin),
};

/// Rows of the kernel, and the classes from which they come: with rows at random few of 97 classes would occur twice.
const ROWS: usize = 48;
const CLASSES: usize = 8;

fn applies(experiment: &Experiment) -> Result<(), UserError> {
    let classes = crate::task::rule_of(experiment).map_or(0, |rule| rule.sizes().classes as usize);
    match crate::model::hook_width(experiment, Hook::Logits) {
        Some(outputs) if outputs == classes || outputs == 1 => Ok(()),
        _ => Err(UserError::new(
            "The outputs of this network are neither classes nor one value, so no output belongs to a label",
            "Use a loss with one output for each class, such as cross_entropy or mean_squared_error",
        )),
    }
}

fn begin(facts: &Facts<'_>) -> Result<Box<dyn Inquiry>, UserError> {
    let mut stream = draws(facts, MEASURE.name, 0);
    let (data, has_one_output) = (facts.data, crate::model::hook_width(facts.experiment, Hook::Logits) == Some(1));
    let (rows, target): (Vec<(u32, u32)>, Vec<f64>) = if data.train_labels.is_empty() {
        let rows = sample(&mut stream, &data.train, ROWS);
        let values: Vec<f64> =
            rows.iter().map(|row| data.values.get(*row as usize).map_or(0.0, |value| f64::from(*value))).collect();
        let target = values.iter().flat_map(|a| values.iter().map(move |b| a * b)).collect();
        (rows.into_iter().map(|row| (row, 0)).collect(), target)
    } else {
        let labelled: Vec<(u32, usize)> = facts.train_labels().map(|(row, label)| (row as u32, label)).collect();
        let classes = data.sizes.classes as usize;
        let mut chosen = Vec::new();
        for class in stream.permutation(classes).into_iter().take(CLASSES) {
            let own: Vec<(u32, usize)> = labelled.iter().filter(|(_, label)| *label == class as usize).copied().collect();
            chosen.extend(sample(&mut stream, &own, ROWS / CLASSES.min(classes)));
        }
        let same = |a: usize, b: usize| if a == b { 1.0 } else { 0.0 };
        let target = chosen.iter().flat_map(|(_, a)| chosen.iter().map(move |(_, b)| same(*a, *b))).collect();
        (chosen.into_iter().map(|(row, label)| (row, if has_one_output { 0 } else { label as u32 })).collect(), target)
    };
    if rows.is_empty() {
        return Err(UserError::new("No training row has one of the classes that were drawn", "Use more training rows"));
    }
    Ok(Box::new(Kernels { rows, target, start: facts.start.cloned(), slopes: Vec::new(), kernels: Vec::new() }))
}

struct Kernels {
    /// Rows of the domain and their outputs.
    rows: Vec<(u32, u32)>,
    /// Y, `[row, row]`.
    target: Vec<f64>,
    start: Option<Weights>,
    /// Gradients of the kernel under way.
    slopes: Vec<Vec<f32>>,
    /// That of the checkpoint, then that of the start.
    kernels: Vec<Vec<f64>>,
}

impl Kernels {
    fn wanted(&self) -> usize {
        1 + usize::from(self.start.is_some())
    }

    fn result(&self) -> Vec<Value> {
        let own = &self.kernels[0];
        let length = |values: &[f64]| libm::sqrt(values.iter().map(|v| v * v).sum());
        let both = length(own) * length(&self.target);
        let alignment = if both > 0.0 {
            let product: f64 = own.iter().zip(&self.target).map(|(k, y)| k * y).sum();
            // A kernel is positive semidefinite, and so is the target; what is below 0 is rounding.
            Value::Number(if product.is_nan() { product } else { (product / both).clamp(0.0, 1.0) })
        } else {
            Value::Absent("No weight moves the outputs of these rows, or all answers are 0".into())
        };
        let distance = match self.kernels.get(1) {
            None => Value::Absent("The run's first checkpoint is not at hand".into()),
            Some(start) if length(start) > 0.0 => {
                let difference: Vec<f64> = own.iter().zip(start).map(|(k, start)| k - start).collect();
                Value::Number(length(&difference) / length(start))
            }
            Some(_) => Value::Absent("At the start no weight moves the outputs of these rows".into()),
        };
        vec![alignment.checked(), distance.checked()]
    }
}

/// All inner products, `[row, row]`.
fn gram(slopes: &[Vec<f32>]) -> Vec<f64> {
    let n = slopes.len();
    let mut kernel = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let product: f64 = slopes[i].iter().zip(&slopes[j]).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            (kernel[i * n + j], kernel[j * n + i]) = (product, product);
        }
    }
    kernel
}

impl Inquiry for Kernels {
    fn next(&mut self, answer: Option<Answer>) -> Result<Turn, UserError> {
        match answer {
            Some(Answer::LogitSlope(slope)) => self.slopes.push(slope),
            Some(_) => return Err(confused()),
            None => {}
        }
        if self.slopes.len() == self.rows.len() {
            self.kernels.push(gram(&self.slopes));
            self.slopes.clear();
        }
        if self.kernels.len() == self.wanted() {
            return Ok(Turn::Done(self.result()));
        }
        let (row, output) = self.rows[self.slopes.len()];
        let weights = if self.kernels.is_empty() { None } else { self.start.clone() };
        Ok(Turn::Ask(Question::LogitSlope { weights, row, output }))
    }

    fn progress(&self) -> f32 {
        let asked = self.kernels.len() * self.rows.len() + self.slopes.len();
        asked as f32 / (self.wanted() * self.rows.len()) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, ask, changed};
    use super::*;

    fn measured(case: &Case, slope: impl Fn(bool, u32, u32) -> Vec<f32>) -> Vec<Value> {
        ask(&MEASURE, case, |question| match question {
            Question::LogitSlope { weights, row, output } => Answer::LogitSlope(slope(weights.is_some(), row, output)),
            other => panic!("{other:?}"),
        })
        .unwrap()
    }

    fn with_start(name: &str) -> Case {
        let mut case = Case::of(changed(name, &[]));
        case.start = Some(case.weights.clone());
        case
    }

    #[test]
    fn the_kernel_of_a_linear_model_never_moves() {
        // Closed form: the gradient of x·w is x, whatever w is.
        let case = with_start("quadratic-31");
        let rows = &case.data.rows;
        let found = measured(&case, |_, row, _| vec![f32::from(rows[row as usize].a), f32::from(rows[row as usize].b), 1.0]);
        assert_eq!(found[1].number(), Some(0.0));
        let doubled = measured(&case, |is_start, _, output| vec![if is_start { 1.0 } else { 2.0 } * (output as f32 + 1.0)]);
        assert!((doubled[1].number().unwrap() - 3.0).abs() < 1e-9, "twice the slopes are four times the kernel");
    }

    #[test]
    fn slopes_that_are_the_labels_are_aligned_and_equal_slopes_as_far_as_there_are_equal_labels() {
        let case = with_start("quadratic-31");
        let one_hot = |_, _, output: u32| (0..31).map(|class| if class == output { 1.0 } else { 0.0 }).collect();
        assert!((measured(&case, one_hot)[0].number().unwrap() - 1.0).abs() < 1e-9);
        // Closed form: with K = 1 everywhere the alignment is ‖Y‖/n, for 8 classes of 6 rows √(8·36)/48.
        let equal = measured(&case, |_, _, _| vec![1.0, 1.0])[0].number().unwrap();
        assert!((equal - libm::sqrt(8.0 * 36.0) / 48.0).abs() < 1e-9, "{equal}");
        assert_eq!(gram(&[vec![1.0, 2.0], vec![3.0, -1.0]]), [5.0, 1.0, 1.0, 10.0]);
    }

    #[test]
    fn the_label_asked_about_is_the_row_s_own_and_one_output_is_output_zero() {
        let case = with_start("quadratic-31");
        let labels: Vec<u32> = case.data.rows.iter().map(|row| u32::from(row.label)).collect();
        measured(&case, |_, row, output| {
            assert!(case.data.is_train(row as usize) && labels[row as usize] == output);
            vec![1.0]
        });
        let parity = with_start("parity-40");
        let signs = measured(&parity, |_, row, output| {
            assert_eq!(output, 0);
            vec![1.0 - 2.0 * f32::from(parity.data.rows[row as usize].label)]
        });
        // Closed form: K = ±1 against Y = 0 or 1, half of each: n²/2 over n·n/√2.
        assert!((signs[0].number().unwrap() - core::f64::consts::FRAC_1_SQRT_2).abs() < 1e-9, "{signs:?}");
    }

    #[test]
    fn without_a_start_or_without_slopes_there_is_a_reason() {
        let case = Case::of(changed("quadratic-31", &[]));
        let found = measured(&case, |_, _, _| vec![0.0]);
        assert!(matches!((&found[0], &found[1]), (Value::Absent(_), Value::Absent(_))), "{found:?}");
        assert!(applies(&changed("liu-toy", &[])).unwrap_err().remedy.contains("cross_entropy"));
    }
}
