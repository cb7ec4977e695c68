//! The balance of a run of the laboratory: loss against measured coefficient, from the memory to the general solution.
//!
//! "The coefficient goes up and then down" is told of grokking as if it were the theory's prediction; the theory predicts the sign of
//! a difference of free energies, n·ΔL + Δλ·log n. Both are shown, the difference with its error, and what has to be granted before
//! the measured coefficient may stand for λ. Not chosen: reading a number of rows at which the balance tips as a prediction of the
//! critical amount of data; λ of a memory grows with the rows, and the law holds it fixed.

use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, RunView, Scaled};
use super::chains::{LOCALISATION, TEMPERED_ROWS};
use crate::measure::delay::delay as dates;
use crate::record::{UserError, Value};
use crate::task::side_counts;

/// A checkpoint with a coefficient.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    step: f64,
    /// Training loss in nats per row.
    loss: f64,
    /// λ̂.
    llc: f64,
    /// Its standard error.
    error: f64,
    /// How far the chains went, over the norm of the weights.
    distance: f64,
}

/// The change from the memorising checkpoint to another, in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Change {
    /// n·ΔL.
    loss: f64,
    /// Δλ·log n.
    complexity: f64,
    /// Standard error of the sum, from the chains alone.
    error: f64,
}

impl Change {
    fn between(from: Point, to: Point, rows: f64) -> Self {
        let log = libm::log(rows);
        Self {
            loss: rows * (to.loss - from.loss),
            complexity: log * (to.llc - from.llc),
            error: log * libm::sqrt(from.error * from.error + to.error * to.error),
        }
    }

    fn whole(self) -> f64 {
        self.loss + self.complexity
    }

    /// Whether the posterior prefers the second; `None` within two standard errors.
    fn prefers_second(self) -> Option<bool> {
        (self.whole().abs() > 2.0 * self.error).then_some(self.whole() < 0.0)
    }

    /// Rows at which the balance would tip with these coefficients and losses, where Δλ and ΔL have opposite signs: the larger root
    /// of n·ΔL = −Δλ·log n.
    fn tips(self, rows: f64) -> Option<f64> {
        let ratio = -(self.complexity / libm::log(rows)) / (self.loss / rows);
        // n/log n is at least e.
        if !ratio.is_finite() || ratio < core::f64::consts::E {
            return None;
        }
        let mut n = ratio * libm::log(ratio).max(1.0);
        for _ in 0..200 {
            n = ratio * libm::log(n);
        }
        Some(n)
    }
}

/// What is read of a run.
struct Read {
    rows: f64,
    points: Vec<Point>,
    /// Checkpoints whose chains were refused, and the first reason.
    refused: (usize, String),
    t_mem: f64,
    t_gen: Option<f64>,
}

/// What the law says of a run.
///
/// # Errors
/// If its loss is no log-likelihood, if no coefficient has been measured, or if it has not memorised.
pub(super) fn of_run(run: &RunView<'_>) -> Result<Outcome, UserError> {
    Ok(read(run)?.outcome(run))
}

fn read(run: &RunView<'_>) -> Result<Read, UserError> {
    let RunView { experiment, rows, measures } = *run;
    if experiment.loss.as_str() != "cross_entropy" {
        return Err(UserError::new(
            format!("Under {} the loss is no log-likelihood, so n·L cannot be set against λ log n", experiment.loss),
            "Use a run with cross_entropy",
        ));
    }
    let (mut points, mut reasons) = (Vec::new(), Vec::new());
    for step in measures.rows.keys() {
        let number = |column: &str| measures.get(*step, column).and_then(Value::number);
        let loss = rows.iter().find(|row| row.step == *step).map(|row| f64::from(row.train_loss));
        match (measures.get(*step, "llc"), loss) {
            (Some(Value::Number(llc)), Some(loss)) => points.push(Point {
                step: f64::from(*step),
                loss,
                llc: *llc,
                error: number("llc_error").unwrap_or(f64::NAN),
                distance: number("llc_distance").unwrap_or(f64::NAN),
            }),
            (Some(Value::Absent(reason)), _) => reasons.push(reason.clone()),
            _ => {}
        }
    }
    if points.is_empty() {
        return Err(match reasons.first() {
            Some(reason) => UserError::new(
                format!("No checkpoint has a learning coefficient ({reason})"),
                "Measure later checkpoints, or a run with smaller weights",
            ),
            None => UserError::new(
                "The learning coefficient of this run has not been measured",
                "Measure learning_coefficient of its checkpoints",
            ),
        });
    }
    let found = dates(rows, true);
    let t_mem = found.t_mem.ok_or_else(|| {
        UserError::new("The run has not memorised its training rows", "Wait until its training accuracy is .99")
    })?;
    Ok(Read {
        rows: f64::from(side_counts(&experiment.task, experiment.seed).train),
        points,
        refused: (reasons.len(), reasons.first().cloned().unwrap_or_default()),
        t_mem: f64::from(t_mem),
        t_gen: found.t_gen.map(f64::from),
    })
}

impl Read {
    /// The first checkpoint with a coefficient that has memorised and not yet generalised.
    fn memory(&self) -> Option<Point> {
        self.points.iter().copied().find(|point| point.step >= self.t_mem && self.t_gen.is_none_or(|t_gen| point.step < t_gen))
    }

    /// The last checkpoint with a coefficient that has generalised.
    fn general(&self) -> Option<Point> {
        self.points.last().copied().filter(|point| self.t_gen.is_some_and(|t_gen| point.step >= t_gen))
    }

    fn peak(&self) -> Option<Point> {
        self.points.iter().copied().max_by(|a, b| a.llc.total_cmp(&b.llc))
    }

    fn change(&self) -> Option<Change> {
        Some(Change::between(self.memory()?, self.general()?, self.rows))
    }

    fn outcome(&self, run: &RunView<'_>) -> Outcome {
        let figures = [self.balance(), Some(self.coefficient()), Some(self.losses(run))];
        Outcome {
            headline: self.headline(),
            figures: figures.into_iter().flatten().collect(),
            numbers: self.numbers(),
            assumptions: self.assumptions(run),
        }
    }

    fn headline(&self) -> String {
        let peak = self.peak().map_or_else(String::new, |peak| {
            format!("The coefficient was largest at step {:.0} ({:.1}), {}", peak.step, peak.llc, self.place(peak.step))
        });
        let balance = match (self.change(), self.memory(), self.general()) {
            (Some(change), Some(from), Some(to)) => format!(
                "from step {:.0} to {:.0} the free energy at n = {:.0} changed by {:+.0} ± {:.0} nats: {}",
                from.step,
                to.step,
                self.rows,
                change.whole(),
                change.error,
                match change.prefers_second() {
                    Some(true) => "the general solution is preferred, and the run went there",
                    Some(false) => "the memory is preferred, and the run left it all the same",
                    None => "which the chains cannot tell from 0",
                }
            ),
            _ if self.t_gen.is_none() => "the run has not generalised, so there is no second phase to weigh".into(),
            _ => "no checkpoint with a coefficient lies on each side of generalising, so there is nothing to weigh".into(),
        };
        format!("{peak}; {balance}")
    }

    fn place(&self, step: f64) -> &'static str {
        match self.t_gen {
            _ if step < self.t_mem => "before it memorised",
            Some(t_gen) if step >= t_gen => "after it generalised",
            Some(_) => "between memorising and generalising",
            None => "after it memorised",
        }
    }

    fn numbers(&self) -> Vec<Number> {
        let nats = |number: Number| number.unit("nats");
        let measured = |name: &str, label: &str, point: Point| {
            Number::found(name, label, point.llc).band(point.llc - 2.0 * point.error, point.llc + 2.0 * point.error)
        };
        let mut numbers = Vec::new();
        if let Some(change) = self.change() {
            let spread = 2.0 * change.error;
            let total =
                Number::found("free_energy_change", "Change of the free energy, memory to general solution", change.whole());
            let complexity = Number::found("complexity_term", "Its part Δλ·log n", change.complexity);
            numbers.extend([
                nats(total.band(change.whole() - spread, change.whole() + spread)),
                nats(complexity.band(change.complexity - spread, change.complexity + spread)),
                nats(Number::found("loss_term", "Its part n·ΔL", change.loss)),
                Number::found(
                    "tips",
                    "Rows at which the balance would tip with these losses and coefficients",
                    change.tips(self.rows).unwrap_or(f64::NAN),
                )
                .unit("rows"),
            ]);
        }
        if let (Some(peak), Some(general)) = (self.peak().filter(|peak| peak.step >= self.t_mem), self.general()) {
            let change = Change::between(peak, general, self.rows);
            let (whole, spread) = (change.whole(), 2.0 * change.error);
            let label = "The change from the largest coefficient on, when the loss of the memory has settled";
            numbers.push(nats(Number::found("change_since_peak", label, whole).band(whole - spread, whole + spread)));
        }
        numbers.push(Number::found("rows", "Training rows n", self.rows).unit("rows"));
        if let Some(peak) = self.peak() {
            numbers.push(measured("peak", "Largest learning coefficient", peak));
            numbers.push(Number::found("peak_step", "Step of the largest", peak.step).unit("steps"));
        }
        numbers.extend(self.memory().map(|point| measured("llc_memory", "Coefficient of the memory", point)));
        numbers.extend(self.general().map(|point| measured("llc_general", "Coefficient of the general solution", point)));
        numbers.push(Number::found("t_mem", "Training rows memorised", self.t_mem).unit("steps"));
        numbers.extend(self.t_gen.map(|t_gen| Number::found("t_gen", "Test rows understood", t_gen).unit("steps")));
        numbers
    }

    fn marks(&self) -> Vec<(f64, String)> {
        let dates = [(Some(self.t_mem), "memorised"), (self.t_gen, "generalised")];
        dates.into_iter().filter_map(|(step, name)| Some((step?, name.into()))).collect()
    }

    fn balance(&self) -> Option<Figure> {
        let memory = self.memory()?;
        let line = |name: &str, role: Role, of: fn(Change) -> f64| {
            let later = self.points.iter().filter(|point| point.step >= memory.step);
            let points = later.map(|point| (point.step, of(Change::between(memory, *point, self.rows)))).collect();
            Line::new(name, role, points)
        };
        Some(figure(
            "balance",
            "Free energy n·L + λ log n at the run's own number of rows, as a change since it memorised, with its two parts. Below 0 a \
             posterior prefers what the run has come to",
            Scaled::linear("step"),
            Scaled::linear("change (nats)"),
            vec![
                line("n·ΔL", Role::Kind(0), |change| change.loss),
                line("Δλ·log n", Role::Kind(1), |change| change.complexity),
                line("free energy", Role::Measured, Change::whole),
            ],
            self.marks().into_iter().filter(|(step, _)| *step >= memory.step).collect(),
        ))
    }

    fn coefficient(&self) -> Figure {
        let name = "learning coefficient";
        let points = || self.points.iter().filter(|point| point.step > 0.0);
        let line = |of: fn(&Point) -> f64| points().map(|point| (point.step, of(point))).collect::<Vec<_>>();
        figure(
            "llc",
            "Local learning coefficient of the checkpoints whose chains came to rest, with two standard errors each way as ground",
            Scaled::log("step"),
            Scaled::linear("local learning coefficient"),
            vec![
                Line::new(name, Role::Low, line(|point| point.llc - 2.0 * point.error)),
                Line::new(name, Role::High, line(|point| point.llc + 2.0 * point.error)),
                Line::new(name, Role::Measured, line(|point| point.llc)),
            ],
            self.marks(),
        )
    }

    fn losses(&self, run: &RunView<'_>) -> Figure {
        let rows = || run.rows.iter().filter(|row| row.step > 0);
        figure(
            "losses",
            "Loss on training and on test rows over the same steps",
            Scaled::log("step"),
            Scaled::log("loss (nats)"),
            vec![
                Line::new("train", Role::Train, rows().map(|row| (f64::from(row.step), f64::from(row.train_loss))).collect()),
                Line::new("test", Role::Test, rows().map(|row| (f64::from(row.step), f64::from(row.test_loss))).collect()),
            ],
            self.marks(),
        )
    }

    fn assumptions(&self, run: &RunView<'_>) -> Vec<Assumption> {
        let wanted = self.rows / libm::log(self.rows);
        let farthest = self.points.iter().map(|point| point.distance).fold(0.0, f64::max);
        let change = self.change();
        let up_and_down = self.up_and_down();
        let (refused, reason) = &self.refused;
        let decay = run.experiment.optimizer.weight_decay;
        let is_fixed = run.experiment.timeline.is_empty() && run.experiment.task.label_noise == 0.0;
        vec![
            Assumption {
                statement: "The posterior prefers the solution that the run went to".into(),
                holds: change.and_then(Change::prefers_second),
                evidence: change.map_or("there are no two phases to weigh".into(), |change| {
                    format!(
                        "n·ΔL = {:+.1}, Δλ·log n = {:+.1}, together {:+.1} ± {:.1} nats",
                        change.loss,
                        change.complexity,
                        change.whole(),
                        change.error
                    )
                }),
            },
            Assumption {
                statement: "The coefficient goes up while the run memorises, and down until it generalises".into(),
                holds: up_and_down.map(|(up, down)| up && down),
                evidence: match up_and_down {
                    None => "it has not generalised, or too few checkpoints have a coefficient".into(),
                    Some((true, true)) => "it rose and fell by more than two standard errors, with its peak between the dates".into(),
                    Some((up, down)) => {
                        let not = |seen: bool, what: &str| if seen { format!("{what}, ") } else { format!("not {what}, ") };
                        format!("{}{}by two standard errors about a peak between the dates", not(up, "up"), not(down, "down"))
                    }
                },
            },
            Assumption {
                statement: "The chains came to rest at every checkpoint".into(),
                holds: Some(*refused == 0),
                evidence: if *refused == 0 {
                    format!("{} of {}", self.points.len(), self.points.len())
                } else {
                    format!("{refused} of {} have no coefficient: {reason}", self.points.len() + refused)
                },
            },
            Assumption {
                statement: "The chains stay near the checkpoint".into(),
                holds: Some(farthest < 0.3),
                evidence: format!("they go up to {farthest:.2} times the norm of the weights away"),
            },
            Assumption {
                statement: "The measured coefficient is λ of the theory".into(),
                holds: Some(TEMPERED_ROWS > 0.5 * wanted),
                evidence: format!(
                    "n = {:.0} asks for nβ = n/log n = {wanted:.0}, the measure has {TEMPERED_ROWS}; at γ = {LOCALISATION} it counts a \
                     direction by half only from a curvature of {} on",
                    self.rows,
                    LOCALISATION / TEMPERED_ROWS
                ),
            },
            Assumption {
                statement: "Loss, labels and rows stay as they are".into(),
                holds: Some(is_fixed),
                evidence: format!(
                    "{} changes on the way, label noise {}",
                    run.experiment.timeline.len(),
                    run.experiment.task.label_noise
                ),
            },
            Assumption {
                statement: "Nothing but the loss is minimised".into(),
                holds: Some(decay == 0.0),
                evidence: format!("a weight decay of {decay} is a prior about 0, which the balance leaves out"),
            },
            Assumption {
                statement: "Training samples from the posterior".into(),
                holds: None,
                evidence: "an optimiser with weight decay goes one way; that it went where the posterior does is no proof that this is why"
                    .into(),
            },
        ]
    }

    /// Whether the coefficient rose to its peak and fell from there, each by more than two standard errors, with the peak between
    /// the start and generalising; `None` where that cannot be told.
    fn up_and_down(&self) -> Option<(bool, bool)> {
        let (first, peak, last) = (*self.points.first()?, self.peak()?, self.general()?);
        let more =
            |high: Point, low: Point| high.llc - low.llc > 2.0 * libm::sqrt(high.error * high.error + low.error * low.error);
        let is_between = self.t_gen.is_some_and(|t_gen| peak.step < t_gen);
        Some((is_between && more(peak, first), is_between && more(peak, last)))
    }
}

fn figure(name: &str, caption: &str, x: Scaled, y: Scaled, lines: Vec<Line>, marks: Vec<(f64, String)>) -> Figure {
    Figure { name: name.into(), caption: caption.into(), drawing: Drawing::Lines { x, y, lines, marks } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Experiment, preset, with_value};
    use crate::record::{MeasureTable, Measured, MetricRow};

    fn experiment() -> Experiment {
        preset("devinterp-53-as-started").unwrap().experiment.clone()
    }

    /// Memorised at 200, understood at 600; the loss falls from .02 to `end` between.
    fn rows(end: f32) -> Vec<MetricRow> {
        (0..=10)
            .map(|i| 100 * i)
            .map(|step| MetricRow {
                step,
                train_loss: if step < 200 {
                    4.0
                } else if step < 600 {
                    0.02
                } else {
                    end
                },
                test_loss: 1.0,
                train_accuracy: f32::from(u8::from(step >= 200)),
                test_accuracy: f32::from(u8::from(step >= 600)),
                weight_norm: 1.0,
                probe_accuracy: None,
            })
            .collect()
    }

    fn measured(coefficients: &[(u32, f64)]) -> MeasureTable {
        let mut table = MeasureTable::default();
        for (step, llc) in coefficients {
            let pairs = [("llc", *llc), ("llc_error", 0.5), ("llc_distance", 0.2)];
            table.add(*step, pairs.map(|(name, value)| (name.to_owned(), Value::Number(value))).into_iter().collect());
        }
        table
    }

    fn told(experiment: &Experiment, rows: &[MetricRow], measures: &MeasureTable) -> Result<Outcome, UserError> {
        of_run(&RunView { experiment, rows, measures })
    }

    fn value(outcome: &Outcome, name: &str) -> f64 {
        outcome.numbers.iter().find(|number| number.name == name).unwrap().value
    }

    const COEFFICIENTS: [(u32, f64); 5] = [(0, 16.0), (200, 50.0), (400, 55.0), (600, 30.0), (1000, 25.0)];

    #[test]
    fn the_balance_is_that_of_hand() {
        let outcome = told(&experiment(), &rows(0.03), &measured(&COEFFICIENTS)).unwrap();
        // 40% of 53² rows are 1,124.
        let n = 1124.0f64;
        assert_eq!(value(&outcome, "rows"), n);
        assert!((value(&outcome, "loss_term") - n * 0.01).abs() < 1e-3);
        // From 55 to 25 with the loss up by .01.
        assert!((value(&outcome, "change_since_peak") - n * 0.01 + 30.0 * n.ln()).abs() < 1e-3);
        assert!((value(&outcome, "complexity_term") + 25.0 * n.ln()).abs() < 1e-9);
        assert_eq!((value(&outcome, "peak"), value(&outcome, "peak_step")), (55.0, 400.0));
        // n·.01 = 25 log n has its larger root where the balance tips.
        let tips = value(&outcome, "tips");
        assert!((0.01 * tips / (25.0 * tips.ln()) - 1.0).abs() < 1e-5, "{tips}");
        assert!(outcome.headline.contains("preferred, and the run went there"), "{}", outcome.headline);
        assert_eq!(outcome.assumptions[0].holds, Some(true));
        assert_eq!(outcome.assumptions[1].holds, Some(true));
        assert_eq!(outcome.figures.iter().map(|figure| figure.name.as_str()).collect::<Vec<_>>(), ["balance", "llc", "losses"]);
    }

    #[test]
    fn a_memory_that_the_posterior_prefers_is_said_to_be_so() {
        let outcome = told(&experiment(), &rows(1.0), &measured(&COEFFICIENTS)).unwrap();
        assert_eq!(outcome.assumptions[0].holds, Some(false));
        assert!(outcome.headline.contains("left it all the same"), "{}", outcome.headline);
    }

    #[test]
    fn what_is_within_the_chains_errors_is_not_decided() {
        let level = measured(&[(0, 16.0), (200, 30.0), (400, 30.5), (1000, 30.0)]);
        let outcome = told(&experiment(), &rows(0.02), &level).unwrap();
        assert_eq!(outcome.assumptions[0].holds, None);
        assert_eq!(outcome.assumptions[1].holds, Some(false));
        assert!(value(&outcome, "tips").is_nan());
    }

    #[test]
    fn a_run_without_the_measure_is_refused_with_what_to_measure() {
        let none = told(&experiment(), &rows(0.01), &MeasureTable::default()).unwrap_err();
        assert!(none.remedy.contains("Measure learning_coefficient"), "{none}");
        let mut restless = MeasureTable::default();
        restless.add(200, Measured::from([("llc".to_owned(), Value::Absent("The chains have not come to rest".into()))]));
        assert!(told(&experiment(), &rows(0.01), &restless).unwrap_err().cause.contains("not come to rest"));
    }

    #[test]
    fn a_loss_that_is_no_likelihood_and_a_run_that_has_not_memorised_are_refused() {
        let squared = preset("quadratic-31").unwrap().experiment.clone();
        assert!(told(&squared, &rows(0.01), &measured(&COEFFICIENTS)).unwrap_err().cause.contains("log-likelihood"));
        assert!(told(&experiment(), &rows(0.01)[..2], &measured(&COEFFICIENTS)).unwrap_err().cause.contains("not memorised"));
    }

    #[test]
    fn a_run_that_never_generalises_has_a_picture_and_no_claim() {
        let without: Vec<MetricRow> = rows(0.01).into_iter().map(|row| MetricRow { test_accuracy: 0.1, ..row }).collect();
        let mut table = measured(&COEFFICIENTS);
        table.add(900, Measured::from([("llc".to_owned(), Value::Absent("A chain diverged".into()))]));
        let outcome = told(&experiment(), &without, &table).unwrap();
        assert!(outcome.headline.contains("has not generalised"), "{}", outcome.headline);
        assert_eq!((outcome.assumptions[0].holds, outcome.assumptions[1].holds), (None, None));
        assert_eq!(outcome.assumptions[2].holds, Some(false));
        assert_eq!(outcome.figures.len(), 3);
    }

    #[test]
    fn changes_on_the_way_are_named() {
        let noisy = with_value(&experiment(), "task.label_noise", "0.1").unwrap();
        let outcome = told(&noisy, &rows(0.01), &measured(&COEFFICIENTS)).unwrap();
        assert_eq!(outcome.assumptions[5].holds, Some(false));
    }
}
