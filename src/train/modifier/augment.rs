//! Symmetries of the task as training data: a pair is fed swapped, (b, a) → y, or negated, (−a, −b) → −y, with a probability.
//!
//! A network that is shown a symmetry need not find it. What is fed may be a row of the test set, which is the point and the
//! catch: test accuracy then measures more than the split says. Each update draws anew for each row, as a function of (seed,
//! update). A symmetry that the task does not have would be label noise under another name and is refused.

use super::Part;
use crate::experiment::Experiment;
use crate::experiment::field::{Field, FieldError, closed};
use crate::experiment::randomness::{Purpose, Stream};
use crate::task::{Answers, Cycle, Domain, Rule, rule_of};

pub(super) const PART: Part = Part {
    fields: &[
        Field::new(
            "training.swap_augment",
            "Swap inputs",
            "Probability that a training pair (a, b) is fed as (b, a), for tasks where both have one answer",
            closed(0.0, 1.0),
        )
        .neutral("0")
        .live(),
        Field::new(
            "training.negate_augment",
            "Negate inputs",
            "Probability that a training row (a, b), y is fed as (−a, −b), −y, for tasks that are linear modulo n",
            closed(0.0, 1.0),
        )
        .neutral("0")
        .live(),
    ],
    check,
    #[cfg(feature = "compute")]
    build: |_| None,
};

/// Whether rows change from update to update.
pub fn augments(experiment: &Experiment) -> bool {
    experiment.training.number("swap_augment") > 0.0 || experiment.training.number("negate_augment") > 0.0
}

/// Swaps and negates rows (a, b), label in place for update `t` (from 1) of the replica with this seed.
pub fn augment(experiment: &Experiment, rows: &mut [((u16, u16), u16)], seed: u64, t: u32) {
    if !augments(experiment) {
        return;
    }
    let (swap, negate) = (experiment.training.number("swap_augment"), experiment.training.number("negate_augment"));
    let modulus = match rule_of(experiment).and_then(|rule| rule.cycle()) {
        Some(Cycle::Additive(modulus)) => modulus,
        _ => 0,
    };
    let mut stream = Stream::new(seed, Purpose::Augment, u64::from(t));
    for ((a, b), label) in rows {
        // Both are always drawn, so that one setting does not change what the other does.
        let (is_swapped, is_negated) = (stream.uniform() < swap, stream.uniform() < negate);
        if is_swapped {
            core::mem::swap(a, b);
        }
        if is_negated && modulus > 0 {
            (*a, *b, *label) = (negative(*a, modulus), negative(*b, modulus), negative(*label, modulus));
        }
    }
}

/// −`residue` modulo `modulus`.
fn negative(residue: u16, modulus: u32) -> u16 {
    ((modulus - u32::from(residue) % modulus) % modulus) as u16
}

pub(super) fn check(experiment: &Experiment) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if !augments(experiment) {
        return errors;
    }
    let Some(rule) = rule_of(experiment).filter(|rule| rule.check().is_empty()) else { return errors };
    if experiment.training.number("swap_augment") > 0.0 && !rule.is_symmetric() {
        errors.push(FieldError::new(
            "training.swap_augment",
            format!("{} has another answer when its inputs are swapped", rule.formula()),
            "Use 0, or a symmetric task such as add",
        ));
    }
    if experiment.training.number("negate_augment") > 0.0 && !is_odd(&*rule, experiment.seed) {
        errors.push(FieldError::new(
            "training.negate_augment",
            format!("{} does not change its sign with its inputs", rule.formula()),
            "Use 0, or a task that is linear modulo n, such as add",
        ));
    }
    errors
}

/// Whether f(−a, −b) = −f(a, b) on the whole domain, which must then hold (−a, −b) too.
fn is_odd(rule: &dyn Rule, seed: u64) -> bool {
    let Some(Cycle::Additive(modulus)) = rule.cycle() else { return false };
    let (Domain::Pairs(pairs), Answers::Labels(labels)) = rule.domain(seed) else { return false };
    let side = usize::from(u16::MAX).min(modulus as usize);
    let place = |(a, b): (u16, u16)| usize::from(a) * side + usize::from(b);
    let mut answers = vec![None; side * side];
    for (pair, label) in pairs.iter().zip(&labels) {
        match answers.get_mut(place(*pair)) {
            Some(answer) => *answer = Some(*label),
            None => return false,
        }
    }
    pairs.iter().zip(&labels).all(|((a, b), label)| {
        let mirrored = (negative(*a, modulus), negative(*b, modulus));
        answers.get(place(mirrored)) == Some(&Some(negative(*label, modulus)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{presets, with_value};

    fn experiment(settings: &[(&str, &str)]) -> Experiment {
        let start = with_value(&presets()[0].experiment, "task.operation", "add").unwrap();
        let start = with_value(&start, "task.modulus", "31").unwrap();
        settings.iter().fold(start, |e, (path, text)| with_value(&e, path, text).unwrap())
    }

    fn rows() -> Vec<((u16, u16), u16)> {
        (0..31).flat_map(|a| (0..31).map(move |b| ((a, b), (a + b) % 31))).collect()
    }

    #[test]
    fn rows_stay_true_and_change_in_the_share_asked_for() {
        let both = experiment(&[("training.swap_augment", "0.3"), ("training.negate_augment", "0.6")]);
        let (mut fed, before) = (rows(), rows());
        augment(&both, &mut fed, 5, 1);
        assert!(fed.iter().all(|((a, b), y)| (a + b) % 31 == *y));
        let negated = fed.iter().zip(&before).filter(|((_, y), (_, was))| *y != *was).count();
        let share = negated as f64 / 930.0;
        // Rows of answer 0 do not show it; five standard errors of the other 930.
        assert!((share - 0.6).abs() < 5.0 * libm::sqrt(0.24 / 930.0), "{share}");
    }

    #[test]
    fn swapping_alone_exchanges_the_inputs() {
        let swapping = experiment(&[("training.swap_augment", "1")]);
        let mut fed = rows();
        augment(&swapping, &mut fed, 5, 1);
        assert!(fed.iter().zip(rows()).all(|(((a, b), y), ((c, d), z))| (*a, *b, *y) == (d, c, z)));
    }

    #[test]
    fn rows_are_a_function_of_seed_and_update() {
        let half = experiment(&[("training.swap_augment", "0.5")]);
        let fed = |seed: u64, t: u32| {
            let mut rows = rows();
            augment(&half, &mut rows, seed, t);
            rows
        };
        assert_eq!(fed(1, 2), fed(1, 2));
        assert_ne!(fed(1, 2), fed(1, 3));
        assert_ne!(fed(1, 2), fed(2, 2));
    }

    #[test]
    fn a_symmetry_that_the_task_lacks_is_refused() {
        let paths = |settings: &[(&str, &str)]| check(&experiment(settings)).into_iter().map(|e| e.path).collect::<Vec<_>>();
        let (swap, negate) = (("training.swap_augment", "0.2"), ("training.negate_augment", "0.2"));
        assert!(paths(&[swap, negate]).is_empty());
        assert_eq!(paths(&[("task.operation", "sub"), swap, negate]), ["training.swap_augment"]);
        assert_eq!(paths(&[("task.operation", "mul"), swap, negate]), ["training.negate_augment"]);
    }
}
