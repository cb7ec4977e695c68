//! Which circuit gives more logit for its weight?
//!
//! Varma et al. explain grokking by efficiency: weight decay prefers the circuit that makes the larger logits with the smaller
//! norm, the one that generalises if there are enough training rows. Norms of single circuits cannot be told apart inside one
//! network, but the logits can: the restricted ones are the generalising circuit's, what is left is memory's.

use super::facts::{Facts, needs_harmonic_logits};
use super::kind::{Column, Cost, Measure, Work, logits_only, number};
use super::restricted::SplitLogits;
use crate::record::{UserError, Value};

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "efficiency",
    label: "Efficiency of the circuits",
    definition: "On training rows, logit of the answer minus the mean of the other logits, mean over rows: of the restricted \
                 logits (key components and the mean over pairs) s_g, and of the excluded logits s_m (see restricted_loss), each \
                 divided by ‖w‖; and the generalising share s_g/(s_g + s_m), negative ones counted as 0. The norm is that of the \
                 whole network, for both",
    source: "Varma et al. 2309.02390; restricted logits after Nanda et al. 2301.05217",
    not_evidence_of: "Logits per norm of the whole network are not the efficiency of a circuit by itself: that takes a network \
                      with that circuit alone, e.g. one trained on random labels",
    cost: Cost::Forward,
    columns: &[
        Column::new("generalising_efficiency", "logit per norm, generalising circuit").in_unit("logits"),
        Column::new("memory_efficiency", "logit per norm, memory").in_unit("logits"),
        Column::new("generalising_share", "generalising share of the logits").share(),
    ],
    hooks: logits_only,
    needs_keys: true,
    applies: needs_harmonic_logits,
    work: Work::direct(take),
};

fn take(facts: &Facts<'_>) -> Result<Vec<Value>, UserError> {
    let (harmonics, logits, norm) = (facts.harmonics()?, facts.logits()?, facts.weights.norm());
    if facts.keys.is_empty() {
        return Err(UserError::new(
            "The last checkpoint's logits are no function of the answer, so there are no key components",
            "Train until the network answers something",
        ));
    }
    let split = SplitLogits::of(facts, facts.keys)?;
    let (mut generalising, mut memory, mut rows) = (0.0, 0.0, 0usize);
    // The true answer: under label noise it is the one that the generalising circuit gives.
    for row in facts.data.train.iter().map(|row| *row as usize) {
        let (element, label) = (harmonics.of_row[row], facts.label(row));
        generalising += lead(&split.restricted(element), label);
        memory += lead(&split.excluded(logits.row(row), element), label);
        rows += 1;
    }
    let (generalising, memory) = (generalising / rows.max(1) as f64, memory / rows.max(1) as f64);
    let per_norm = |scale: f64| if norm > 0.0 { number(scale / norm) } else { Value::Absent("All weights are 0".into()) };
    let (positive, total) = (generalising.max(0.0), generalising.max(0.0) + memory.max(0.0));
    let share = if total > 0.0 { number(positive / total) } else { Value::Absent("Neither part favours the answer".into()) };
    Ok(vec![per_norm(generalising), per_norm(memory), share])
}

/// Logit of `label` minus the mean of the others: linear in the logits, so that parts add up.
fn lead(logits: &[f64], label: usize) -> f64 {
    let others = logits.iter().sum::<f64>() - logits[label];
    logits[label] - others / (logits.len() as f64 - 1.0).max(1.0)
}

/// The number of training rows at which the final test accuracy crosses .5 upward, from (training rows, test accuracy) of several
/// runs: interpolated in the logarithm of the size between the first two neighbours on either side; of equal sizes the mean
/// counts. `None` if it does not cross.
pub fn critical_size(points: &[(u32, f64)]) -> Option<f64> {
    const HALF: f64 = 0.5;
    let mut sorted: Vec<(u32, f64)> =
        points.iter().copied().filter(|(rows, accuracy)| *rows > 0 && accuracy.is_finite()).collect();
    sorted.sort_by_key(|(rows, _)| *rows);
    let means: Vec<(f64, f64)> = sorted
        .chunk_by(|x, y| x.0 == y.0)
        .map(|same| (libm::log(f64::from(same[0].0)), same.iter().map(|(_, accuracy)| accuracy).sum::<f64>() / same.len() as f64))
        .collect();
    let crossing = means.windows(2).find(|pair| pair[0].1 < HALF && pair[1].1 >= HALF)?;
    let ((low, below), (high, above)) = (crossing[0], crossing[1]);
    Some(libm::exp(low + (high - low) * (HALF - below) / (above - below)))
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed, numbers, values};
    use super::*;
    use crate::crosscoder::Hook;

    fn landing() -> Case {
        Case::of(changed("quadratic-31", &[]))
    }

    #[test]
    fn a_clock_is_all_generalising_and_its_scale_is_the_sum_of_its_cosines() {
        let case = landing().clock(&[(4, 9.0), (11, 7.0)]).keyed(&[3, 10]);
        let found = numbers(&MEASURE, &case);
        // Closed form: the answer has Σα, the other 30 classes together −Σα.
        let scale = 16.0 * (1.0 + 1.0 / 30.0);
        assert!((found[0] * case.weights.norm() - scale).abs() < 1e-4, "{found:?}");
        assert!(found[1].abs() < 1e-5 && found[2] > 0.999_99, "{found:?}");
    }

    #[test]
    fn a_look_up_table_is_mostly_memory_and_a_sum_of_both_is_shared() {
        let table = numbers(&MEASURE, &landing().lookup(10.0).keyed(&[3, 10]));
        // Two of fifteen frequencies hold 4/30 of what a table of 40% of the rows shows as a function of the answer.
        assert!(table[2] < 0.1, "{table:?}");
        let case = landing();
        let (train, labels) =
            (case.data.train_mask.clone(), case.data.rows.iter().map(|r| usize::from(r.label)).collect::<Vec<_>>());
        let clock = landing().clock(&[(4, 10.0)]).facts().logits().unwrap().clone();
        let both = case
            .with(Hook::Logits, 31, |_, _, row, class| {
                f64::from(clock.row(row)[class]) + if train[row] && class == labels[row] { 10.0 } else { 0.0 }
            })
            .keyed(&[3]);
        let found = numbers(&MEASURE, &both);
        assert!((found[2] - 0.5).abs() < 0.05, "{found:?}");
    }

    #[test]
    fn no_keys_are_refused_and_wrong_logits_have_no_share() {
        let Work::Direct(take) = MEASURE.work else { panic!() };
        assert!(take(&landing().lookup(1.0).facts()).is_err());
        let wrong = landing().clock(&[(4, -3.0)]).keyed(&[3]);
        assert!(matches!(values(&MEASURE, &wrong)[2], Value::Absent(_)));
    }

    #[test]
    fn the_critical_size_is_interpolated_in_the_logarithm() {
        // Closed form: half-way from .25 to .75 between 100 and 400 is 200.
        let points = [(400, 0.8), (100, 0.25), (400, 0.7), (1000, 1.0), (50, 0.0)];
        assert!((critical_size(&points).unwrap() - 200.0).abs() < 1e-9);
        assert_eq!(critical_size(&[(100, 0.6), (200, 0.9)]), None, "all above");
        assert_eq!(critical_size(&[(100, f64::NAN), (0, 0.1), (200, 0.9)]), None);
    }
}
