//! The balance of a run of the laboratory: loss against measured coefficient, from the memory to the general solution.
//!
//! "The coefficient goes up and then down" is told of grokking as if it were the theory's prediction; the theory predicts the sign of
//! a difference of free energies, n·ΔL + Δλ·log n. Both are shown, the difference with its error, and what has to be granted before
//! the measured coefficient may stand for λ. Not chosen: reading a number of rows at which the balance tips as a prediction of the
//! critical amount of data; λ of a memory grows with the rows, and the law holds it fixed.

use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, RunView, Scaled};
use super::balance::{Change, Point};
use super::chains::{LOCALISATION, TEMPERED_ROWS};
use crate::measure::delay::delay as dates;
use crate::record::{UserError, Value};
use crate::task::{rows_in_use, side_counts};

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
        let in_use = rows_in_use(&run.experiment.curriculum, self.rows as usize);
        let noise = run.experiment.task.label_noise;
        let is_fixed = run.experiment.timeline.is_empty() && noise == 0.0 && in_use == self.rows as usize;
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
                    "{} changes on the way, label noise {noise}, {in_use} of {} training rows in use",
                    run.experiment.timeline.len(),
                    self.rows
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
