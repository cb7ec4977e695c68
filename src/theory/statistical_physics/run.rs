//! Nucleation in a run of the laboratory: its neurons in the order in which they lock, beside its accuracy.
//!
//! P(m) is over many runs, and of one run says nothing. But where a new phase starts and how it spreads is seen in a single one, so
//! that is what this theory has to say of a run.

use super::super::outcome::percent;
use super::super::spread::median;
use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, RunView, Scaled};
use super::nucleation::{Against, Course, LEAST_LOCKED, Locked, from_start, together};
use crate::experiment::randomness::{Purpose, Stream};
use crate::measure::KEY_NEURONS;
use crate::measure::delay::delay as dates;
use crate::record::UserError;

/// Most frequencies drawn as lines of their own.
const MOST_LINES: usize = 5;
/// Chance above which a difference from exchanged frequencies is not claimed.
const CLAIMED: f64 = 0.01;
/// Share of the neurons up to which they count as few.
const FEW: f64 = 0.25;
/// Indices of the streams.
const TOGETHER: u64 = 7000;
const FROM_START: u64 = 7001;

/// What is known of the run's neurons.
struct Seen<'a> {
    run: &'a RunView<'a>,
    course: Course,
    locked: Vec<Locked>,
    /// (frequency, its locked neurons), most first.
    owners: Vec<(u32, usize)>,
    together: Option<Against>,
    from_start: Option<Against>,
}

/// What nucleation says of a run.
///
/// # Errors
/// If the frequencies of its neurons are not measured at three checkpoints.
pub(super) fn of_run(run: &RunView<'_>) -> Result<Outcome, UserError> {
    let course = Course::of(run.measures);
    if course.steps.len() < 3 {
        return Err(UserError::new(
            format!("The frequencies of this run's neurons are measured at {} checkpoints, and 3 are needed", course.steps.len()),
            "Take the measure neurons at its checkpoints",
        ));
    }
    let locked = course.locked();
    let mut owners: Vec<(u32, usize)> = Vec::new();
    for locked in &locked {
        match owners.iter_mut().find(|(frequency, _)| *frequency == locked.frequency) {
            Some((_, count)) => *count += 1,
            None => owners.push((locked.frequency, 1)),
        }
    }
    owners.sort_by_key(|(frequency, count)| (core::cmp::Reverse(*count), *frequency));
    let stream = |index| Stream::new(run.experiment.seed, Purpose::Theory, index);
    let seen = Seen {
        together: together(&locked, &mut stream(TOGETHER)),
        from_start: from_start(&course, &locked, &mut stream(FROM_START)),
        run,
        course,
        locked,
        owners,
    };
    Ok(Outcome { headline: seen.headline(), figures: seen.figures(), numbers: seen.numbers(), assumptions: seen.assumptions() })
}

impl Seen<'_> {
    /// Share of all neurons that is locked at checkpoint `at`, among those that `which` names.
    fn share(&self, at: usize, which: impl Fn(&Locked) -> bool) -> f64 {
        let count = self.locked.iter().filter(|locked| locked.at <= at && which(locked)).count();
        count as f64 / self.course.neurons() as f64
    }

    /// Share locked at the last measured checkpoint up to `step`.
    fn share_at(&self, step: f64) -> f64 {
        let after = self.course.steps.partition_point(|known| *known <= step);
        after.checked_sub(1).map_or(f64::NAN, |at| self.share(at, |_| true))
    }

    /// First evaluation at which the test accuracy is at least `accuracy`.
    fn reached(&self, accuracy: f64) -> Option<f64> {
        self.run.rows.iter().find(|row| f64::from(row.test_accuracy) >= accuracy).map(|row| f64::from(row.step))
    }

    /// A tenth of the way from chance to all test rows right.
    fn onset(&self) -> Option<f64> {
        let chance = 1.0 / f64::from(self.run.experiment.task.modulus());
        self.reached(chance + 0.1 * (1.0 - chance))
    }

    /// Where the first frequency owns enough neurons to be a key frequency: (frequency, step).
    fn first_key(&self) -> Option<(u32, f64)> {
        let least = KEY_NEURONS * self.course.neurons() as f64;
        (0..self.course.steps.len()).find_map(|at| {
            let owns = |frequency: u32| self.locked.iter().filter(|l| l.at <= at && l.frequency == frequency).count() as f64;
            self.owners
                .iter()
                .map(|(frequency, _)| *frequency)
                .find(|frequency| owns(*frequency) >= least)
                .map(|frequency| (frequency, self.course.steps[at]))
        })
    }

    fn steps_of_locks(&self) -> Vec<f64> {
        self.locked.iter().map(|locked| self.course.steps[locked.at]).collect()
    }

    fn headline(&self) -> String {
        let count = self.course.neurons();
        let Some((frequency, step)) = self.first_key() else {
            let last = self.course.steps.last().copied().unwrap_or(0.0);
            let locked = self.locked.len();
            return format!("{locked} of {count} neurons are locked at step {last:.0}: no frequency owns a twentieth of them");
        };
        let how = match self.together {
            Some(found) if found.p <= CLAIMED => format!(
                "Neurons of one frequency lock together (η² {:.2}, exchanged {:.2}), the first those of frequency {frequency} at step {step:.0}",
                found.value, found.exchanged
            ),
            Some(found) => format!(
                "Neurons lock each for itself, not around nuclei: frequency says no more of the order (η² {:.2}) than exchanged ones \
                 ({:.2})",
                found.value, found.exchanged
            ),
            None => "Too few neurons lock at different times to tell whether they lock together".to_owned(),
        };
        let when = self.onset().map_or("the test rows stay at chance".to_owned(), |onset| {
            let locked = percent(self.share_at(onset));
            format!("when a tenth of the test rows is right (step {onset:.0}) {locked} of {count} are locked")
        });
        format!("{how}; {when}")
    }

    fn figures(&self) -> Vec<Figure> {
        vec![self.neurons(), self.locking()]
    }

    /// Every neuron over time.
    fn neurons(&self) -> Figure {
        let last = self.course.steps.len() - 1;
        let place = |frequency: u32| self.owners.iter().position(|(known, _)| *known == frequency).unwrap_or(self.owners.len());
        let mut rows: Vec<(usize, usize, usize)> = self.locked.iter().map(|l| (place(l.frequency), l.at, l.neuron)).collect();
        rows.sort_unstable();
        let free = (0..self.course.neurons()).filter(|neuron| !self.locked.iter().any(|locked| locked.neuron == *neuron));
        rows.extend(free.map(|neuron| (self.owners.len(), last, neuron)));
        let value = |at: usize, neuron: usize| {
            let share = self.course.shares[at][neuron] as f32;
            if self.course.frequencies[at][neuron] == self.course.frequencies[last][neuron] { share } else { -share }
        };
        let values = rows.iter().flat_map(|(.., neuron)| (0..=last).map(move |at| value(at, *neuron))).collect();
        Figure {
            name: "neurons".into(),
            caption: "Share of each neuron's variance in its largest frequency: above 0 if that is the one it ends with, below if another. \
                      Neurons stand by the frequency that they end with, most common first (bottom), and in it by when they lock; those \
                      that never lock are at the top"
                .into(),
            drawing: Drawing::Map {
                row_label: "neuron".into(),
                column_label: "step".into(),
                rows: (1..=rows.len()).map(|row| row as f64).collect(),
                columns: self.course.steps.clone(),
                values,
                is_signed: true,
                kinds: Vec::new(),
            },
        }
    }

    /// How many are locked, by frequency, beside the accuracy.
    fn locking(&self) -> Figure {
        let over = |which: &dyn Fn(&Locked) -> bool| -> Vec<(f64, f64)> {
            self.course.steps.iter().enumerate().map(|(at, step)| (*step, self.share(at, which))).collect()
        };
        let mut lines = vec![
            Line::new(
                "test accuracy",
                Role::Test,
                self.run.rows.iter().map(|row| (f64::from(row.step), f64::from(row.test_accuracy))).collect(),
            ),
            Line::new("locked", Role::Measured, over(&|_| true)),
        ];
        for (kind, (frequency, _)) in self.owners.iter().take(MOST_LINES).enumerate() {
            lines.push(Line::new(
                format!("of frequency {frequency}"),
                Role::Kind(kind as u8),
                over(&|l| l.frequency == *frequency),
            ));
        }
        let found = dates(self.run.rows, true);
        let mark = |step: Option<u32>, name: &str| step.map(|step| (f64::from(step), name.to_owned()));
        let marks = [mark(found.t_mem, "t_mem"), mark(found.t_gen, "t_gen")].into_iter().flatten().collect();
        Figure {
            name: "locking".into(),
            caption: "Share of all neurons that are locked, in all and for the frequencies that end with most of them".into(),
            drawing: Drawing::Lines { x: Scaled::linear("step"), y: Scaled::linear("share"), lines, marks },
        }
    }

    fn numbers(&self) -> Vec<Number> {
        let found = dates(self.run.rows, true);
        let locks = self.steps_of_locks();
        let steps = |step: Option<f64>| step.unwrap_or(f64::NAN);
        let at = |name: &str, label: &str, step: Option<f64>| {
            Number::found(name, label, step.map_or(f64::NAN, |step| self.share_at(step)))
        };
        let first = self.first_key();
        let against = |name: &str, label: &str, found: Option<Against>| match found {
            Some(found) => Number::found(name, label, found.value).expected(found.exchanged),
            None => Number::found(name, label, f64::NAN),
        };
        let chance =
            |name: &str, label: &str, found: Option<Against>| Number::found(name, label, found.map_or(f64::NAN, |found| found.p));
        vec![
            Number::found(
                "first_key",
                "First frequency that owns a twentieth of the neurons",
                first.map_or(f64::NAN, |f| f64::from(f.0)),
            ),
            Number::found("first_key_step", "When it does", steps(first.map(|f| f.1))).unit("steps"),
            at(
                "locked_at_memory",
                "Share of the neurons locked when the training rows are memorised",
                found.t_mem.map(f64::from),
            ),
            at("locked_at_onset", "Locked when a tenth of the test rows is right, chance taken off", self.onset()),
            at("locked_at_half", "Locked when half of the test rows is right", found.t_half.map(f64::from)),
            at("locked_at_t_gen", "Locked when the test rows are understood", found.t_gen.map(f64::from)),
            Number::found("locked", "Locked at the last checkpoint", self.locked.len() as f64 / self.course.neurons() as f64),
            Number::found("median_lock", "When half of these are", median(&locks)).unit("steps"),
            Number::found("frequencies", "Frequencies that they end with", self.owners.len() as f64),
            against("together", "η² of the order of locking over frequencies, beside exchanged frequencies", self.together),
            chance("together_p", "Chance of as much by exchange", self.together),
            against(
                "from_start",
                "Locked neurons that start with their frequency, beside exchanged frequencies",
                self.from_start,
            ),
            chance("from_start_p", "Chance of as many by exchange", self.from_start),
        ]
    }

    fn assumptions(&self) -> Vec<Assumption> {
        let few = |found: Option<Against>, words: &dyn Fn(Against) -> String| {
            found.map_or_else(|| format!("fewer than {LEAST_LOCKED} neurons are locked, or all at once"), words)
        };
        let onset = self.onset();
        vec![
            Assumption {
                statement: "Neurons of one frequency lock together, as a nucleus that grows".into(),
                holds: self.together.map(|found| found.p <= CLAIMED),
                evidence: few(self.together, &|found| {
                    format!(
                        "η² {:.3}, {:.3} if frequencies are exchanged; chance of as much {:.3} (.01 holds)",
                        found.value, found.exchanged, found.p
                    )
                }),
            },
            Assumption {
                statement: "Few neurons are locked while hardly a test row is right".into(),
                holds: onset.filter(|_| self.first_key().is_some()).map(|onset| self.share_at(onset) <= FEW),
                evidence: onset.map_or("the test accuracy stays at chance".into(), |onset| {
                    format!(
                        "{} of the neurons at step {onset:.0}, when a tenth of the test rows is right (a quarter holds)",
                        percent(self.share_at(onset))
                    )
                }),
            },
            Assumption {
                statement: "Where a nucleus forms is not written in the start".into(),
                holds: self.from_start.map(|found| found.p > CLAIMED),
                evidence: few(self.from_start, &|found| {
                    format!(
                        "{} of the locked neurons have their frequency at step {:.0} already, {} if frequencies are exchanged; chance of as many {:.3}",
                        percent(found.value),
                        self.course.steps[0],
                        percent(found.exchanged),
                        found.p
                    )
                }),
            },
            Assumption {
                statement: "The checkpoints are close enough to see the order".into(),
                holds: (self.locked.len() >= LEAST_LOCKED).then(|| self.moments() >= 5),
                evidence: format!(
                    "neurons lock at {} of {} measured checkpoints (5 holds)",
                    self.moments(),
                    self.course.steps.len()
                ),
            },
        ]
    }

    /// Checkpoints at which a neuron locks.
    fn moments(&self) -> usize {
        let mut all: Vec<usize> = self.locked.iter().map(|locked| locked.at).collect();
        all.dedup();
        all.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::preset;
    use crate::record::{MeasureTable, MetricRow, Value};

    fn rows() -> Vec<MetricRow> {
        let row = |at: u32| MetricRow {
            step: 10 * at,
            train_loss: 0.1,
            test_loss: 0.1,
            train_accuracy: if at < 3 { 0.2 } else { 1.0 },
            test_accuracy: ((at as f32 - 10.0) / 10.0).clamp(0.03, 1.0),
            weight_norm: 1.0,
            probe_accuracy: None,
        };
        (0..30).map(row).collect()
    }

    /// 40 neurons of two frequencies, those of frequency 3 at checkpoints 8 to 12, those of 7 at 16 to 20.
    fn measures() -> MeasureTable {
        let mut table = MeasureTable::default();
        for checkpoint in 0..30 {
            let lock = |neuron: usize| if neuron < 20 { 8 + neuron / 4 } else { 11 + neuron / 4 };
            let is_locked = |neuron: usize| checkpoint >= lock(neuron);
            let own = |neuron: usize| if neuron < 20 { 3.0 } else { 7.0 };
            let frequencies = (0..40).map(|n| if is_locked(n) { own(n) } else { 1.0 + (n % 13) as f64 }).collect();
            let shares = (0..40).map(|n| if is_locked(n) { 0.8 } else { 0.2 }).collect();
            let entries = [("neuron_frequency", Value::List(frequencies)), ("neuron_frequency_share", Value::List(shares))];
            table.add(10 * checkpoint as u32, entries.map(|(name, list)| (name.to_owned(), list)).into());
        }
        table
    }

    fn number(outcome: &Outcome, name: &str) -> f64 {
        outcome.numbers.iter().find(|number| number.name == name).unwrap().value
    }

    #[test]
    fn a_planted_nucleus_is_found_with_its_dates() {
        let experiment = preset("quadratic-31").unwrap().experiment.clone();
        let outcome = of_run(&RunView { experiment: &experiment, rows: &rows(), measures: &measures() }).unwrap();
        assert!(outcome.headline.contains("the first those of frequency 3 at step 80;"), "{}", outcome.headline);
        // At accuracy ½, step 150: the twenty of frequency 3; at .95, step 200: 17 of the others too.
        assert_eq!((number(&outcome, "locked_at_half"), number(&outcome, "locked")), (0.5, 1.0));
        assert_eq!((number(&outcome, "locked_at_memory"), number(&outcome, "frequencies")), (0.0, 2.0));
        let holds: Vec<Option<bool>> = outcome.assumptions.iter().map(|assumption| assumption.holds).collect();
        assert_eq!(holds, [Some(true), Some(false), Some(true), Some(true)], "{:?}", outcome.assumptions);
        let Drawing::Map { values, rows, columns, .. } = &outcome.figures[0].drawing else { panic!() };
        assert_eq!((rows.len(), columns.len(), values.len()), (40, 30, 1200));
        // The last checkpoint of every neuron is above 0, the first of most below.
        assert!(values.chunks(30).all(|row| row[29] > 0.0));
    }

    #[test]
    fn a_run_without_locked_neurons_has_a_picture_and_no_claims() {
        let experiment = preset("quadratic-31").unwrap().experiment.clone();
        let mut table = measures();
        table.rows.retain(|step, _| *step < 60);
        let outcome = of_run(&RunView { experiment: &experiment, rows: &rows()[..6], measures: &table }).unwrap();
        assert!(outcome.headline.starts_with("0 of 40 neurons are locked"), "{}", outcome.headline);
        assert!(outcome.assumptions.iter().all(|assumption| assumption.holds.is_none()), "{:?}", outcome.assumptions);
        assert_eq!(outcome.figures.len(), 2);
    }

    #[test]
    fn a_run_that_was_not_measured_is_told_what_is_missing() {
        let experiment = preset("quadratic-31").unwrap().experiment.clone();
        let refused = of_run(&RunView { experiment: &experiment, rows: &rows(), measures: &MeasureTable::default() });
        assert!(refused.unwrap_err().remedy.contains("measure neurons"));
    }
}
