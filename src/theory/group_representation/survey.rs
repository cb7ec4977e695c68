//! The toy on many data sets, one training for each part, and descent without a decoder beside it: how much of what follows is found?
//!
//! One training says little: of two data sets that force the group one ends with all right and one with a tenth.

use super::descent::{Descended, SOLVED};
use super::figures::{lines, of_theory, published};
use super::findings::{PUBLISHED, fractions, theory_numbers};
use super::fraction::Fractions;
use super::half::{half, means};
use super::known::Known;
use super::settings::GroupRepresentation;
use super::systems::System;
use super::training::Evaluation;
use crate::record::UserError;
use crate::theory::outcome::percent;
use crate::theory::spread::{band, mean};
use crate::theory::{Assumption, Drawing, Figure, Group, Line, Member, Number, Outcome, Part, Role, Scaled, Segment, Survey};

/// Held-out accuracy that counts as the group understood.
const UNDERSTOOD: f64 = 0.95;

/// One training.
#[derive(Debug, Clone, Copy)]
struct Trained {
    /// D̄(D).
    follows: f64,
    is_forced: bool,
    end: Evaluation,
    descended: Descended,
}

/// Data set by data set, each at all sizes before the next.
pub(super) struct Trainings {
    settings: GroupRepresentation,
    system: System,
    sizes: Vec<usize>,
    fractions: Fractions,
    done: Vec<Trained>,
}

impl Trainings {
    pub fn new(settings: &GroupRepresentation) -> Result<Self, UserError> {
        let system = settings.checked()?;
        let sizes = settings.survey_sizes(&system);
        Ok(Self { fractions: fractions(settings, &system), sizes, settings: settings.clone(), system, done: Vec::new() })
    }

    fn parts(&self) -> usize {
        self.sizes.len() * self.settings.data_sets as usize
    }

    /// `[data set][size]`, of the data sets trained at all sizes.
    fn rows(&self, value: fn(&Trained) -> f64) -> Vec<Vec<f64>> {
        self.done.chunks_exact(self.sizes.len()).map(|set| set.iter().map(value).collect()).collect()
    }

    fn shares(&self) -> Vec<f64> {
        let pairs = (self.system.order() * self.system.order()) as f64;
        self.sizes.iter().map(|size| *size as f64 / pairs).collect()
    }

    fn over_fraction(&self) -> Figure {
        let fractions = self.shares();
        let line = |value: fn(&Trained) -> f64, middle: fn(&[f64]) -> f64| -> Vec<(f64, f64)> {
            let rows = self.rows(value);
            if rows.is_empty() {
                return Vec::new();
            }
            let at = |size: usize| rows.iter().map(|row| row[size]).collect::<Vec<_>>();
            fractions.iter().enumerate().map(|(size, x)| (*x, middle(&at(size)))).collect()
        };
        let mut drawn = of_theory(&self.fractions);
        drawn.extend([
            Line::new("descent, no decoder", Role::Kind(0), line(descended, mean)),
            Line::new("held-out right", Role::Low, line(right, |values| band(values).0)),
            Line::new("held-out right", Role::High, line(right, |values| band(values).1)),
            Line::new("held-out right", Role::Measured, line(right, mean)),
        ]);
        lines(
            "measured-fraction",
            "Held-out accuracy of the toy at its end (mean, and 10 to 90% of data sets) by the share of products known, beside the mean \
             share that follows (dashed), that of descent without a decoder, and the share of data sets that are forced",
            (Scaled::linear("known share of all products"), Scaled::linear("share")),
            drawn,
            published(&self.settings),
        )
    }

    fn agreement(&self) -> Figure {
        let group = |forced: bool| self.done.iter().filter(move |trained| trained.is_forced == forced);
        let points = |forced| group(forced).map(|trained| (trained.follows, trained.end.test)).collect();
        Figure {
            name: "agreement".into(),
            caption: "Held-out accuracy of the toy against the share that follows, one point for each data set; on the diagonal the toy \
                      finds what follows and no more"
                .into(),
            drawing: Drawing::Points {
                x: "share that follows, D̄(D)".into(),
                y: "held-out accuracy".into(),
                groups: vec![
                    Group::new("not forced", Role::Measured, points(false)),
                    Group::new("forced", Role::Kind(0), points(true)),
                ],
                names: Vec::new(),
                ringed: Vec::new(),
                segments: vec![Segment { role: Role::Predicted, from: (0.0, 0.0), to: (1.0, 1.0) }],
                equal: false,
            },
        }
    }

    fn of_forced(&self, is_so: impl Fn(&Trained) -> bool) -> f64 {
        let forced: Vec<f64> =
            self.done.iter().filter(|trained| trained.is_forced).map(|trained| if is_so(trained) { 1.0 } else { 0.0 }).collect();
        mean(&forced)
    }
}

/// Held-out accuracy of the toy.
fn right(trained: &Trained) -> f64 {
    trained.end.test
}

/// The same of descent without a decoder.
fn descended(trained: &Trained) -> f64 {
    trained.descended.nearest
}

impl Survey for Trainings {
    fn part(&self) -> Option<Part> {
        (self.done.len() < self.parts()).then_some(Part::Own)
    }

    fn take(&mut self, _: Vec<Member>) -> Result<(), UserError> {
        let at = self.done.len();
        let (set, size) = ((at / self.sizes.len()) as u64, self.sizes[at % self.sizes.len()]);
        // The outcome's own data set is number 0.
        let split = self.settings.split(&self.system, set, size);
        let known = Known::of(&self.system, &split.train);
        let end = self.settings.trained(&self.system, set, &split, self.settings.steps).last().copied();
        let descended = self.settings.descended(&self.system, set, &split);
        self.done.extend(end.map(|end| Trained {
            follows: known.closed(&split.test),
            is_forced: known.is_forced(),
            end,
            descended,
        }));
        Ok(())
    }

    fn done(&self) -> f32 {
        self.done.len() as f32 / self.parts() as f32
    }

    fn outcome(&self) -> Outcome {
        let rows = self.rows(right);
        let crossing = half(&self.shares(), &rows);
        let gaps: Vec<f64> = self.done.iter().map(|trained| trained.end.test - trained.follows).collect();
        let (over, understood) = (gaps.iter().filter(|gap| **gap > 1e-9).count(), self.of_forced(|t| t.end.test >= UNDERSTOOD));
        let share = |name: &str, label: &str, found: Option<(f64, (f64, f64))>| {
            let (at, (low, high)) = found.unwrap_or((f64::NAN, (f64::NAN, f64::NAN)));
            let number = Number::found(name, label, at).band(low, high);
            if self.settings.is_s3() { number.expected(PUBLISHED) } else { number }
        };
        let descent = half(&self.shares(), &self.rows(descended));
        let mut numbers = vec![
            share("toy_half", "Share of products at which half of the held-out ones are right", crossing),
            share("descent_half", "The same for descent without a decoder, by the nearest known product", descent),
            Number::found("forced_understood", "Data sets that force the group and end with 95% or more right", understood)
                .expected(1.0),
            Number::found(
                "forced_by_heart",
                "Data sets that force the group, end below that, and have known products that do not stand",
                self.of_forced(|t| t.end.test < UNDERSTOOD && t.end.known_stand < UNDERSTOOD),
            ),
            Number::found(
                "forced_descended",
                "Data sets that force the group, in which 95% or more stand after descent without a decoder",
                self.of_forced(|t| t.descended.stand >= UNDERSTOOD),
            )
            .expected(1.0),
            Number::found(
                "forced_elsewhere",
                "Data sets that force the group, where that descent ends in another exact solution",
                self.of_forced(|t| t.descended.stand < UNDERSTOOD && t.descended.loss < SOLVED),
            )
            .expected(0.0),
            Number::found(
                "forced_unsolved",
                "Data sets that force the group, where that descent has not come to a solution yet",
                self.of_forced(|t| t.descended.stand < UNDERSTOOD && t.descended.loss >= SOLVED),
            ),
            Number::found("gap", "Held-out accuracy less D̄(D), mean over data sets", mean(&gaps)).expected(0.0),
            Number::found("above", "Data sets with more right than follows", over as f64),
            Number::found("trained", "Data sets trained", self.done.len() as f64),
        ];
        numbers.extend(theory_numbers(self.settings.is_s3(), &self.fractions));
        let found = match crossing {
            Some((at, (low, high))) => {
                format!("half of the held-out products are right from {at:.3} [{low:.3}, {high:.3}] of all on")
            }
            None => "where half of the held-out products are right is not known yet".to_owned(),
        };
        let forced = self.fractions.forced.fraction().map_or(f64::NAN, |found| found.0);
        let beside = if self.settings.is_s3() { format!("published {PUBLISHED}, ") } else { String::new() };
        Outcome {
            headline: format!("{} of {} trained: {found} ({beside}P(forced) = ½ at {forced:.3})", self.done.len(), self.parts()),
            figures: vec![self.over_fraction(), self.agreement()],
            numbers,
            assumptions: vec![Assumption {
                statement: "A network finds what follows".into(),
                holds: (rows.len() >= super::half::FEWEST).then_some(understood >= 0.9),
                evidence: match self.done.iter().filter(|trained| trained.is_forced).count() {
                    0 => format!("None of the {} data sets so far forces the group's matrices", self.done.len()),
                    forced => format!(
                        "Of {forced} data sets that force the group's matrices {} end with 95% right (90% holds); mean held-out accuracy by \
                         size: {}",
                        percent(understood),
                        means(&rows.iter().collect::<Vec<_>>())
                            .iter()
                            .map(|share| format!("{share:.2}"))
                            .collect::<Vec<_>>()
                            .join(", ")
                    ),
                },
            }],
        }
    }
}
