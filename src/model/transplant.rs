//! Weights of one network put into another: what an earlier stage hands over.
//!
//! Between networks for the same tokens rows are copied. Between two moduli there are no common rows, but a grokked embedding is
//! a sum of few cosines, and a cosine of frequency k exists for every modulus: so the columns are read as functions on the
//! source's cycle and written down on the target's with the same frequencies and coefficients.

use super::specs;
use crate::experiment::{Experiment, FieldError};
use crate::record::{NamedTensor, UserError, Weights};
use crate::task::{Cycle, rule_of};
use core::f64::consts::TAU;

/// Tensors that have one row per token.
const PER_TOKEN: [&str; 2] = ["embed", "w_in"];

/// Names of the tensors that an experiment takes over, in its own order.
fn wanted(experiment: &Experiment) -> Vec<String> {
    let text = experiment.stage.text("tensors");
    if text.trim() == "all" {
        return specs(experiment).into_iter().map(|spec| spec.name.to_string()).collect();
    }
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn by_frequency(experiment: &Experiment) -> bool {
    experiment.stage.text("map") == "frequencies"
}

fn cycle(experiment: &Experiment) -> Option<u32> {
    match rule_of(experiment)?.cycle()? {
        Cycle::Additive(n) => Some(n),
        Cycle::Multiplicative(_) => None,
    }
}

/// What keeps `experiment` from using `source` as its earlier stage.
pub fn check_stage(experiment: &Experiment, source: &Experiment) -> Vec<FieldError> {
    if experiment.stage.text("use") == "distill" {
        return check_distillation(experiment, source);
    }
    let (own, theirs) = (specs(experiment), specs(source));
    let refuse = |cause: String, remedy: String| vec![FieldError::new("stage.tensors", cause, remedy)];
    let list = || own.iter().map(|spec| spec.name.to_string()).collect::<Vec<_>>().join(", ");
    let names = wanted(experiment);
    if names.is_empty() {
        return refuse("No tensor is named".into(), format!("Use some of {}, or all", list()));
    }
    for name in &names {
        let (Some(mine), Some(other)) = (own.iter().find(|s| *s.name == **name), theirs.iter().find(|s| *s.name == **name))
        else {
            return refuse(format!("{name} is not in both networks"), format!("Use some of {}", list()));
        };
        let per_token = by_frequency(experiment) && PER_TOKEN.contains(&name.as_str());
        if per_token && mine.columns == other.columns {
            if cycle(experiment).is_none() || cycle(source).is_none() {
                return vec![FieldError::new(
                    "stage.map",
                    "Frequencies belong to addition and subtraction modulo p, and one of the two tasks is another",
                    "Use same",
                )];
            }
        } else if (mine.rows, mine.columns) != (other.rows, other.columns) {
            return refuse(
                format!("{name} is {}×{} in the source and {}×{} here", other.rows, other.columns, mine.rows, mine.columns),
                "Leave it out, make both networks alike, or use stage.map=frequencies for another modulus".into(),
            );
        }
    }
    Vec::new()
}

fn check_distillation(experiment: &Experiment, source: &Experiment) -> Vec<FieldError> {
    if experiment.loss != source.loss {
        return vec![FieldError::new(
            "stage.source",
            format!("The source answers by {}, which {} does not learn from", source.loss, experiment.loss),
            "Give both the same loss",
        )];
    }
    if rule_of(experiment).is_some_and(|rule| rule.fresh(0, 0, 1).is_some()) {
        return vec![FieldError::new(
            "stage.use",
            "Rows that are drawn anew for every update have no answer of the source",
            "Use task.online=false",
        )];
    }
    if experiment.training.number("negate_augment") > 0.0 || experiment.training.number("swap_augment") > 0.0 {
        return vec![FieldError::new("stage.use", "Augmented rows have no answer of the source", "Switch augmentation off")];
    }
    let sizes = |e: &Experiment| rule_of(e).map(|rule| rule.sizes());
    if sizes(experiment) != sizes(source) {
        return vec![FieldError::new(
            "stage.source",
            "The source answers other questions: its task has other rows or classes",
            "Give both the same task; the network, the optimiser and the training fraction may differ",
        )];
    }
    Vec::new()
}

/// Replaces in `own` the tensors that `experiment` takes over from its source.
///
/// # Errors
/// If a tensor is missing or does not fit; [`check_stage`] finds this beforehand.
pub fn transplant(own: &mut Weights, source: &Weights, experiment: &Experiment) -> Result<(), UserError> {
    let from = experiment.source()?.as_ref().and_then(cycle);
    let to = cycle(experiment);
    for name in wanted(experiment) {
        let misfit = || UserError::new(format!("The source's {name} does not fit"), "Choose other tensors to take over");
        let theirs = source.get(&name).ok_or_else(misfit)?;
        let mine = own.tensors.iter_mut().find(|tensor| tensor.name == name).ok_or_else(misfit)?;
        if mine.shape == theirs.shape && (!by_frequency(experiment) || from == to) {
            mine.values.clone_from(&theirs.values);
            continue;
        }
        let (Some(from), Some(to)) = (from, to) else { return Err(misfit()) };
        read_at_frequencies(mine, theirs, from as usize, to as usize).ok_or_else(misfit)?;
    }
    Ok(())
}

/// Writes each block of `from` token rows of `theirs` into the block of `to` token rows of `mine`; rows that belong to no token
/// (the one of "=") are copied.
fn read_at_frequencies(mine: &mut NamedTensor, theirs: &NamedTensor, from: usize, to: usize) -> Option<()> {
    let ([my_rows, width], [rows, their_width]) = (mine.shape.as_slice(), theirs.shape.as_slice()) else { return None };
    let blocks = rows / from.max(1);
    if width != their_width || blocks == 0 || my_rows / to.max(1) != blocks || rows - blocks * from != my_rows - blocks * to {
        return None;
    }
    let width = *width;
    for block in 0..blocks {
        for column in 0..width {
            let values: Vec<f64> =
                (0..from).map(|token| f64::from(theirs.values[(block * from + token) * width + column])).collect();
            for (token, value) in resampled(&values, to).into_iter().enumerate() {
                mine.values[(block * to + token) * width + column] = value as f32;
            }
        }
    }
    let rest = (rows - blocks * from) * width;
    let (end, their_end) = (mine.values.len(), theirs.values.len());
    mine.values[end - rest..].copy_from_slice(&theirs.values[their_end - rest..]);
    Some(())
}

/// A function on the cycle of `values.len()` points as the function on the cycle of `to` points with the same frequencies and
/// coefficients; frequencies above `to`/2 would alias and are left out.
fn resampled(values: &[f64], to: usize) -> Vec<f64> {
    let n = values.len();
    let mut result = vec![0.0; to];
    for k in 0..=(n / 2).min(to / 2) {
        let angle = |i: usize, n: usize| TAU * ((k * i) % n) as f64 / n as f64;
        let share = if k == 0 || 2 * k == n { 1.0 } else { 2.0 } / n as f64;
        let even: f64 = values.iter().enumerate().map(|(i, v)| v * libm::cos(angle(i, n))).sum::<f64>() * share;
        let odd: f64 = values.iter().enumerate().map(|(i, v)| v * libm::sin(angle(i, n))).sum::<f64>() * share;
        for (i, value) in result.iter_mut().enumerate() {
            *value += even * libm::cos(angle(i, to)) + odd * libm::sin(angle(i, to));
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cosine_keeps_its_frequency_and_phase_on_another_cycle() {
        let wave = |n: usize| (0..n).map(|i| 1.5 + 0.7 * libm::cos(TAU * 3.0 * i as f64 / n as f64 + 0.4)).collect::<Vec<_>>();
        for (from, to) in [(13, 31), (31, 13), (12, 12), (10, 31)] {
            for (a, b) in resampled(&wave(from), to).iter().zip(wave(to)) {
                assert!((a - b).abs() < 1e-12, "{from} → {to}");
            }
        }
    }

    #[test]
    fn rows_of_no_token_are_copied_and_blocks_stay_apart() {
        let tensor = |rows: usize, f: &dyn Fn(usize) -> f32| NamedTensor {
            name: "w_in".into(),
            shape: vec![rows, 1],
            values: (0..rows).map(f).collect(),
        };
        let mut mine = tensor(6, &|_| 0.0);
        read_at_frequencies(&mut mine, &tensor(4, &|row| if row < 3 { 2.0 } else { 9.0 }), 3, 5).unwrap();
        assert!(mine.values[..5].iter().all(|v| (v - 2.0).abs() < 1e-6) && mine.values[5] == 9.0, "{:?}", mine.values);
        let mut mine = tensor(10, &|_| 0.0);
        read_at_frequencies(&mut mine, &tensor(6, &|row| if row < 3 { 1.0 } else { -1.0 }), 3, 5).unwrap();
        assert!(mine.values[..5].iter().all(|v| (v - 1.0).abs() < 1e-6), "{:?}", mine.values);
        assert!(mine.values[5..].iter().all(|v| (v + 1.0).abs() < 1e-6), "{:?}", mine.values);
        assert!(read_at_frequencies(&mut tensor(9, &|_| 0.0), &tensor(6, &|_| 0.0), 3, 5).is_none());
    }
}
