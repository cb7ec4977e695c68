//! Real networks up and down in the number of rows, and what memory and the rule cost them in norm.
//!
//! Three arms at the same shares of the pairs of `quadratic-31`: from scratch; from a network that has grokked with half of the
//! pairs, by one line of its timeline; and on random labels, where memory is all there is. Members of one part train as replicas and
//! so must have equally many rows: a part is one arm at one share, with all seeds. An arm is done before the next begins, so that
//! the loop is there before the norms are.

use super::super::{Ensemble, Member, Outcome, Part, Survey};
use super::findings::outcome;
use super::reading::{Arm, Record};
use super::{CircuitEfficiency, GROKS_AT};
use crate::experiment::{Experiment, counts, preset, with_value};
use crate::record::UserError;

/// Updates with half of the pairs before most are taken away, as in `hysteresis-31`: by then it has grokked.
const GROKKED_AFTER: u32 = 200;
/// Of the network's homogeneity: its logits grow as the norm of all its weights to this power. Two layers, the first squared.
pub(super) const DEGREE: f64 = 3.0;
/// The column of the measure `margin` that the norms are divided by.
const MARGIN: &str = "train_margin";
/// Training accuracy below which nothing is memorised, and a norm is not the cost of anything.
const MEMORISED: f32 = 0.99;

/// One part.
#[derive(Debug, Clone, PartialEq)]
struct Planned {
    arm: Arm,
    /// Training rows in the end.
    rows: u32,
    experiments: Vec<Experiment>,
}

/// The survey under way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Loops {
    plan: Vec<Planned>,
    taken: usize,
    records: Vec<Record>,
}

impl Loops {
    /// Plans all parts.
    ///
    /// # Errors
    /// If an experiment cannot be made.
    pub(super) fn begin(settings: &CircuitEfficiency) -> Result<Self, UserError> {
        let mut plan = Vec::new();
        for arm in [Arm::Up, Arm::Down, Arm::Memory] {
            for fraction in shares(settings) {
                // What has grokked with half of the pairs stays there, and memory costs most there: nothing new for its price.
                if arm == Arm::Up || fraction < GROKS_AT {
                    plan.push(planned(settings, arm, fraction)?);
                }
            }
        }
        Ok(Self { plan, taken: 0, records: Vec::new() })
    }
}

/// Shares of the pairs, evenly in their logarithm, ascending to [`GROKS_AT`], to three digits.
fn shares(settings: &CircuitEfficiency) -> Vec<f64> {
    let last = settings.fractions - 1;
    let ratio = GROKS_AT / settings.least_fraction;
    let at = |index: u32| settings.least_fraction * libm::pow(ratio, f64::from(index) / f64::from(last));
    (0..=last).map(|index| libm::round(1000.0 * at(index)) / 1000.0).collect()
}

fn planned(settings: &CircuitEfficiency, arm: Arm, fraction: f64) -> Result<Planned, UserError> {
    // The same for all arms: norms grow a little with age under AdamW.
    let steps = settings.network_updates;
    let mut edits = vec![
        ("steps", steps.to_string()),
        ("logging.evaluate_every", "10".to_owned()),
        ("logging.checkpoint_every", steps.to_string()),
        ("task.train_fraction", fraction.to_string()),
    ];
    if arm == Arm::Memory {
        edits.insert(0, ("task.operation", "random_labels".to_owned()));
    }
    let made = |edits: &[(&str, String)], from: &Experiment| {
        edits.iter().try_fold(from.clone(), |now, (path, text)| with_value(&now, path, text))
    };
    let ends = made(&edits, &preset("quadratic-31")?.experiment)?;
    let rows = counts(&ends).train;
    let first = if arm == Arm::Down {
        let cut = [
            ("task.train_fraction", GROKS_AT.to_string()),
            ("timeline", format!("{GROKKED_AFTER} set task.train_fraction {fraction}")),
        ];
        made(&cut, &ends)?
    } else {
        ends
    };
    first.validate()?;
    let experiments =
        (0..settings.seeds).map(|index| Experiment { seed: settings.seed + u64::from(index), ..first.clone() }).collect();
    Ok(Planned { arm, rows, experiments })
}

/// What is kept of a network.
fn record(planned: &Planned, member: &Member) -> Record {
    let last = member.rows.last();
    let steps = member.experiment.steps;
    // Rows that end early are of a loss that stopped being a number.
    let whole = last.filter(|row| row.step == steps);
    let accuracy = whole.map_or(f64::NAN, |row| f64::from(row.test_accuracy));
    // A quarter of the updates before the end.
    let before = member.rows.iter().rev().find(|row| row.step <= steps - steps / 4);
    let margin = member.measures.get(steps, MARGIN).and_then(|value| value.number()).filter(|margin| *margin > 0.0);
    let cost = whole
        .filter(|row| row.train_accuracy >= MEMORISED)
        .zip(margin)
        .map_or(f64::NAN, |(row, margin)| f64::from(row.weight_norm) / libm::pow(margin, 1.0 / DEGREE));
    Record {
        arm: planned.arm,
        rows: planned.rows,
        seed: member.experiment.seed,
        accuracy,
        moved: before.map_or(f64::NAN, |row| accuracy - f64::from(row.test_accuracy)),
        cost,
    }
}

impl Survey for Loops {
    fn part(&self) -> Option<Part> {
        let planned = self.plan.get(self.taken)?;
        Some(Part::Train(Ensemble { experiments: planned.experiments.clone(), measures: vec!["margin".into()] }))
    }

    fn take(&mut self, members: Vec<Member>) -> Result<(), UserError> {
        let planned = self
            .plan
            .get(self.taken)
            .ok_or_else(|| UserError::new("All parts of the survey are done", "Begin it again with other settings"))?;
        if members.len() != planned.experiments.len() {
            return Err(UserError::new(
                format!("{} networks came back of {}", members.len(), planned.experiments.len()),
                "Begin the survey again",
            ));
        }
        self.records.extend(members.iter().map(|member| record(planned, member)));
        self.taken += 1;
        Ok(())
    }

    fn done(&self) -> f32 {
        self.taken as f32 / self.plan.len() as f32
    }

    fn outcome(&self) -> Outcome {
        outcome(&self.records, self.taken, self.plan.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{MeasureTable, MetricRow, Value};

    fn row(step: u32, test: f64, norm: f64) -> MetricRow {
        MetricRow {
            step,
            train_loss: 0.0,
            test_loss: 0.0,
            train_accuracy: 1.0,
            test_accuracy: test as f32,
            weight_norm: norm as f32,
            probe_accuracy: None,
        }
    }

    fn member(experiment: &Experiment, test: f64, norm: f64, margin: f64) -> Member {
        let steps = experiment.steps;
        let mut measures = MeasureTable::default();
        measures.add(steps, [(MARGIN.to_owned(), Value::Number(margin))].into_iter().collect());
        let rows = vec![row(0, 0.0, 9.0), row(steps / 2, test, norm), row(steps, test, norm)];
        Member { experiment: experiment.clone(), rows, measures }
    }

    #[test]
    fn members_of_a_part_differ_in_their_seed_alone_and_every_experiment_is_valid() {
        let survey = Loops::begin(&CircuitEfficiency::default()).unwrap();
        assert_eq!(survey.plan.len(), 6 + 5 + 5);
        for planned in &survey.plan {
            for experiment in &planned.experiments {
                assert!(experiment.validate().is_ok(), "{:?}", experiment.validate());
                assert_eq!(Experiment { seed: 0, ..experiment.clone() }, planned.experiments[0]);
            }
            let last = planned.experiments[0].at(planned.experiments[0].steps).unwrap();
            assert_eq!(counts(&last).train, planned.rows);
        }
        let arm = |arm: Arm| survey.plan.iter().filter(|p| p.arm == arm).map(|p| p.rows).collect::<Vec<_>>();
        assert_eq!(arm(Arm::Up)[..5], arm(Arm::Down)[..]);
        assert_eq!(arm(Arm::Down), arm(Arm::Memory));
        assert_eq!(arm(Arm::Up)[5], 481);
    }

    #[test]
    fn updates_of_the_default_take_about_a_minute_on_one_core() {
        let survey = Loops::begin(&CircuitEfficiency::default()).unwrap();
        // Two milliseconds for the 384 rows of the preset, of which .53 for none (1.27 were measured for 192).
        let cost = |experiment: &Experiment, rows: u32| f64::from(experiment.steps) * (0.53 + 1.47 * f64::from(rows) / 384.0);
        let all: f64 = survey.plan.iter().flat_map(|p| p.experiments.iter().map(|e| cost(e, p.rows))).sum();
        assert!((40_000.0..62_000.0).contains(&all), "{all}");
    }

    #[test]
    fn a_norm_is_that_at_a_margin_of_one_and_unlearned_or_broken_members_have_none() {
        let survey = Loops::begin(&CircuitEfficiency::default()).unwrap();
        let planned = &survey.plan[0];
        let whole = member(&planned.experiments[0], 0.4, 20.0, 0.125);
        let kept = record(planned, &whole);
        assert!((kept.cost - 40.0).abs() < 1e-12 && (kept.accuracy - 0.4).abs() < 1e-6 && kept.moved == 0.0, "{kept:?}");
        let mut unlearned = whole.clone();
        unlearned.rows[2].train_accuracy = 0.9;
        assert!(record(planned, &unlearned).cost.is_nan());
        let broken = Member { rows: whole.rows[..2].to_vec(), ..whole.clone() };
        assert!(record(planned, &broken).accuracy.is_nan() && record(planned, &broken).cost.is_nan());
        let unmeasured = Member { measures: MeasureTable::default(), ..whole };
        assert!(record(planned, &unmeasured).cost.is_nan());
    }

    #[test]
    fn parts_are_taken_in_their_order_and_too_few_members_are_refused() {
        let mut survey = Loops::begin(&CircuitEfficiency { fractions: 3, ..CircuitEfficiency::default() }).unwrap();
        assert!(survey.take(Vec::new()).unwrap_err().cause.contains("0 networks"));
        let mut parts = 0;
        while let Some(Part::Train(ensemble)) = survey.part() {
            assert_eq!(ensemble.measures, ["margin"]);
            // The picture is there at every moment.
            let _ = survey.outcome();
            survey.take(ensemble.experiments.iter().map(|e| member(e, 0.5, 20.0, 0.9)).collect()).unwrap();
            parts += 1;
        }
        assert_eq!((parts, survey.done()), (3 + 2 + 2, 1.0));
        assert!(survey.take(Vec::new()).is_err());
    }
}
