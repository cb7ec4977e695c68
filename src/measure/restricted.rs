//! Restricted and excluded loss: what the key components alone can do, and what is left without them (Nanda et al. 2301.05217).
//!
//! While the test loss still stands, the circuit that will replace the memory is already growing; these two losses see it. Logits
//! are split exactly: restricted = mean over rows + the part that is a function of the answer in the key components, excluded =
//! logits − that part, so the two add up to the logits and their mean. For other groups the components are representations
//! (Chughtai et al. 2302.03025).

use super::facts::{Facts, needs_harmonic_logits};
use super::kind::{Column, Cost, Measure, Work, logits_only, number};
use super::row_loss::{is_right, needs_row_loss, row_loss};
use crate::experiment::Experiment;
use crate::record::{UserError, Value};

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "restricted_loss",
    label: "Restricted and excluded loss",
    definition: "Logits, as functions of the pair, projected onto cos and sin of ω_k(a+b) (for other groups: matrix elements of the \
                 representations at the answer) for the key components, with the mean over pairs added back: their loss over all pairs \
                 is the restricted loss; the loss on training pairs of the logits without that projection is the excluded loss. Key \
                 components are the fewest that carry 90% of the last checkpoint's logits as a function of the answer",
    source: "Nanda et al. 2301.05217; representations after Chughtai et al. 2302.03025",
    not_evidence_of: "A low restricted loss does not show that the network uses no other mechanism: the projection also removes \
                      the noise of one",
    cost: Cost::Forward,
    columns: &[
        Column::new("restricted_loss", "restricted loss").positive(),
        Column::new("restricted_accuracy", "restricted accuracy").share(),
        Column::new("excluded_loss", "excluded loss").positive(),
        Column::new("excluded_accuracy", "excluded accuracy").share(),
        Column::new("key_share", "share of the logits in key components").share(),
    ],
    hooks: logits_only,
    needs_keys: true,
    applies,
    work: Work::direct(take),
};

fn applies(experiment: &Experiment) -> Result<(), UserError> {
    needs_harmonic_logits(experiment)?;
    needs_row_loss(&experiment.loss)
}

/// Logits taken apart along the components of the answer, all `[row, class]` in f64. Rows outside the group (zero under
/// multiplication) are not split: their restricted logits are the mean, their excluded ones the logits.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitLogits {
    /// Number of classes.
    pub classes: usize,
    /// Mean over the rows of the group, `[class]`.
    pub mean: Vec<f64>,
    /// The part in the chosen components, `[element, class]`.
    pub part: Vec<f64>,
}

impl SplitLogits {
    /// Splits the logits of `facts` along `components`.
    ///
    /// # Errors
    /// If there are no logits or no harmonics.
    pub fn of(facts: &Facts<'_>, components: &[usize]) -> Result<Self, UserError> {
        let (harmonics, logits) = (facts.harmonics()?, facts.logits()?);
        let classes = logits.width;
        let by_answer = harmonics.mean_by_answer(&logits.values, classes);
        let mut mean = vec![0.0; classes];
        for row in by_answer.chunks_exact(classes) {
            mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value / harmonics.order as f64);
        }
        Ok(Self { classes, mean, part: harmonics.project(&by_answer, classes, components) })
    }

    /// Restricted logits of a row whose answer is `element`.
    pub fn restricted(&self, element: Option<u16>) -> Vec<f64> {
        match element {
            Some(element) => self.mean.iter().zip(self.part_of(element)).map(|(mean, part)| mean + part).collect(),
            None => self.mean.clone(),
        }
    }

    /// Excluded logits of a row with these logits.
    pub fn excluded(&self, logits: &[f32], element: Option<u16>) -> Vec<f64> {
        match element {
            Some(element) => logits.iter().zip(self.part_of(element)).map(|(z, part)| f64::from(*z) - part).collect(),
            None => logits.iter().map(|z| f64::from(*z)).collect(),
        }
    }

    fn part_of(&self, element: u16) -> &[f64] {
        &self.part[usize::from(element) * self.classes..][..self.classes]
    }
}

fn take(facts: &Facts<'_>) -> Result<Vec<Value>, UserError> {
    let (harmonics, logits, loss) = (facts.harmonics()?, facts.logits()?, facts.experiment.loss.as_str());
    if facts.keys.is_empty() {
        return Err(UserError::new(
            "The last checkpoint's logits are no function of the answer, so there are no key components",
            "Train until the network answers something",
        ));
    }
    let split = SplitLogits::of(facts, facts.keys)?;
    let (mut restricted, mut restricted_right, mut rows) = (0.0, 0usize, 0usize);
    for (row, element) in harmonics.of_row.iter().enumerate().filter(|(_, element)| element.is_some()) {
        let (outputs, label) = (split.restricted(*element), facts.label(row));
        restricted += row_loss(loss, &outputs, label)?;
        restricted_right += usize::from(is_right(&outputs, label));
        rows += 1;
    }
    let (mut excluded, mut excluded_right, mut train) = (0.0, 0usize, 0usize);
    for (row, label) in facts.train_labels() {
        let outputs = split.excluded(logits.row(row), harmonics.of_row[row]);
        excluded += row_loss(loss, &outputs, label)?;
        excluded_right += usize::from(is_right(&outputs, label));
        train += 1;
    }
    let energy: f64 = split.part.iter().map(|value| value * value).sum::<f64>() * rows as f64 / harmonics.order as f64;
    let mut all = 0.0;
    for (row, _) in harmonics.of_row.iter().enumerate().filter(|(_, element)| element.is_some()) {
        all += logits.row(row).iter().zip(&split.mean).map(|(z, mean)| (f64::from(*z) - mean).powi(2)).sum::<f64>();
    }
    Ok(vec![
        number(restricted / rows as f64),
        number(restricted_right as f64 / rows as f64),
        number(excluded / train as f64),
        number(excluded_right as f64 / train as f64),
        number(if all > 0.0 { energy / all } else { 0.0 }),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed, numbers};
    use super::*;

    fn landing() -> Case {
        Case::of(changed("quadratic-31", &[("loss", "cross_entropy")]))
    }

    #[test]
    fn restricted_and_excluded_logits_add_up_to_the_logits_and_their_mean() {
        for case in [landing(), Case::of(changed("s4", &[("task.group", "S4")]))] {
            let case = case.untrained(3).keyed(&[0, 2]);
            let (facts, harmonics) = (case.facts(), case.harmonics.as_ref().unwrap());
            let split = SplitLogits::of(&facts, facts.keys).unwrap();
            for (row, element) in harmonics.of_row.iter().enumerate() {
                let logits = facts.logits().unwrap().row(row);
                let sum = split.restricted(*element).into_iter().zip(split.excluded(logits, *element)).map(|(r, e)| r + e);
                for (class, sum) in sum.enumerate() {
                    assert!((sum - f64::from(logits[class]) - split.mean[class]).abs() < 1e-9);
                }
            }
        }
    }

    #[test]
    fn a_clock_is_all_restricted_and_its_excluded_loss_is_that_of_a_blind_guess() {
        // Oracle: logits in the key frequencies alone.
        let case = landing().clock(&[(4, 9.0), (11, 7.0)]).keyed(&[3, 10]);
        let [restricted, right, excluded, excluded_right, share] = numbers(&MEASURE, &case)[..] else { panic!() };
        let full: f64 = (0..961)
            .map(|row| {
                let logits: Vec<f64> = case.facts().logits().unwrap().row(row).iter().map(|z| f64::from(*z)).collect();
                row_loss("cross_entropy", &logits, case.facts().label(row)).unwrap()
            })
            .sum::<f64>()
            / 961.0;
        assert!((restricted - full).abs() < 1e-5 * full, "{restricted} against {full}");
        assert!((excluded - libm::log(31.0)).abs() < 1e-4, "{excluded}");
        assert_eq!((right, excluded_right), (1.0, 0.0));
        assert!((share - 1.0).abs() < 1e-5, "{share}");
    }

    #[test]
    fn a_clock_in_other_frequencies_has_nothing_restricted() {
        let case = landing().clock(&[(4, 9.0), (11, 7.0)]).keyed(&[0, 1]);
        let found = numbers(&MEASURE, &case);
        assert!((found[0] - libm::log(31.0)).abs() < 1e-4 && found[3] > 0.999 && found[4] < 1e-6, "{found:?}");
    }

    #[test]
    fn a_look_up_table_keeps_its_excluded_loss_and_its_restricted_answer_is_weak() {
        let case = landing().lookup(20.0).keyed(&[3, 10]);
        let found = numbers(&MEASURE, &case);
        assert!(found[2] < 1e-3 && found[3] > 0.999, "what was learned by heart stays without the keys: {found:?}");
        assert!(found[0] > 2.0, "{found:?}");
    }

    #[test]
    fn other_groups_are_split_by_their_representations() {
        // Oracle: the character-like logit that is high at the right product only, in one representation.
        let case = Case::of(changed("s4", &[("loss", "cross_entropy")]));
        let harmonics = case.harmonics.clone().unwrap();
        let delta: Vec<f64> = (0..24 * 24).map(|i| if i / 24 == i % 24 { 40.0 } else { 0.0 }).collect();
        let part = harmonics.project(&delta, 24, &[3]);
        let labels: Vec<usize> = case.data.rows.iter().map(|row| usize::from(row.label)).collect();
        let case = case.with(crate::crosscoder::Hook::Logits, 24, |_, _, row, class| part[labels[row] * 24 + class]).keyed(&[3]);
        let found = numbers(&MEASURE, &case);
        assert!(found[1] > 0.999 && (found[2] - libm::log(24.0)).abs() < 1e-4 && (found[4] - 1.0).abs() < 1e-5, "{found:?}");
    }

    #[test]
    fn no_key_components_and_no_group_are_refused() {
        let case = landing().untrained(1);
        let Work::Direct(take) = MEASURE.work else { panic!() };
        assert!(take(&case.facts()).unwrap_err().cause.contains("no key components"));
        assert!(applies(&changed("never-31", &[])).unwrap_err().cause.contains("not the elements of a group"));
        assert!(applies(&changed("parity-40", &[])).is_err());
    }
}
