//! Everything that one outcome rests on, computed once, and the numbers and verdicts read off it.

use super::fraction::Fractions;
use super::known::Known;
use super::settings::GroupRepresentation;
use super::systems::System;
use super::training::{Evaluation, Split};
use crate::experiment::randomness::{Purpose, Stream};
use crate::record::UserError;
use crate::theory::outcome::percent;
use crate::theory::{Assumption, Number};

/// The fraction that the paper reports for S3; how it was measured is not in its code.
pub(super) const PUBLISHED: f64 = 0.5;
/// Index of the stream of orders; those of data sets lie below.
const ORDERS: u64 = 1 << 16;
/// Accuracy that counts as learned (Liu et al.).
const LEARNED: f64 = 0.9;

/// What was computed.
pub(super) struct Findings {
    pub system: System,
    pub split: Split,
    /// n₀(D).
    pub nullity: usize,
    /// D̄(D).
    pub follows: f64,
    pub is_forced: bool,
    pub fractions: Fractions,
    /// The toy.
    pub trace: Vec<Evaluation>,
}

/// P(forced) and D̄ over random orders.
pub(super) fn fractions(settings: &GroupRepresentation, system: &System) -> Fractions {
    Fractions::drawn(system, settings.orders, &mut Stream::new(settings.seed, Purpose::Theory, ORDERS))
}

impl Findings {
    pub fn of(settings: &GroupRepresentation) -> Result<Self, UserError> {
        let system = settings.checked()?;
        let split = settings.split(&system, 0, settings.pairs as usize);
        let known = Known::of(&system, &split.train);
        let (nullity, follows, is_forced) = (known.nullity(), known.closed(&split.test), known.is_forced());
        let trace = settings.trained(&system, 0, &split, settings.evaluate_every);
        Ok(Self { fractions: fractions(settings, &system), split, nullity, follows, is_forced, trace, system })
    }

    pub fn pairs(&self) -> usize {
        self.system.order() * self.system.order()
    }

    fn last(&self) -> Evaluation {
        let nothing =
            Evaluation { update: 0, train: f64::NAN, test: f64::NAN, known_stand: f64::NAN, stand: f64::NAN, nearest: f64::NAN };
        self.trace.last().copied().unwrap_or(nothing)
    }

    fn learned(&self, side: fn(&Evaluation) -> f64) -> f64 {
        self.trace.iter().find(|row| side(row) >= LEARNED).map_or(f64::NAN, |row| f64::from(row.update))
    }

    pub fn headline(&self, settings: &GroupRepresentation) -> String {
        let group = settings.group.group_name();
        let from = if self.is_forced { "leave only the group's matrices nearby" } else { "leave more than the group's matrices" };
        let at = self.fractions.forced.fraction().map_or(f64::NAN, |found| found.0);
        let beside = if settings.is_s3() { format!("; published for trained toys: {PUBLISHED}") } else { String::new() };
        format!(
            "{} of {} products {from}: {} of the unseen ones follow, the toy gets {}; half of all data sets force {group} at {at:.3} of \
             its products{beside}",
            settings.pairs,
            self.pairs(),
            percent(self.follows),
            percent(self.last().test),
        )
    }

    pub fn numbers(&self, settings: &GroupRepresentation) -> Vec<Number> {
        let last = self.last();
        let d = self.system.dimension;
        let (nullity, free) = (self.nullity as f64, (d * d) as f64);
        let mut numbers = vec![
            Number::found("test_accuracy", "Held-out accuracy of the toy at the end", last.test).expected(self.follows),
            Number::found("follows", "Share of held-out products that follow, D̄(D)", self.follows),
            Number::found(
                "nearest",
                "Held-out products whose nearest known product is theirs, in the toy's embedding",
                last.nearest,
            )
            .expected(self.follows),
            Number::found("stand", "Held-out products that stand in the toy's embedding", last.stand).expected(self.follows),
            Number::found("known_stand", "Known products that stand in the toy's embedding", last.known_stand).expected(1.0),
        ];
        numbers.extend(theory_numbers(settings.is_s3(), &self.fractions));
        numbers.extend([
            Number::found("nullity", "n₀(D), directions that cost nothing", nullity).expected(free),
            Number::found(
                "nullity_all",
                "n₀ of all products: conjugations and factors that commute",
                self.fractions.nullity.last().copied().unwrap_or(f64::NAN),
            )
            .expected(free),
            Number::found("unknowns", "d²·|G|, numbers in the embedding", free * self.system.order() as f64),
            Number::found("train_time", "Training accuracy ≥ .9", self.learned(|row| row.train)).unit("updates"),
            Number::found("test_time", "Held-out accuracy ≥ .9", self.learned(|row| row.test)).unit("updates"),
        ]);
        for (at, mode) in self.system.modes.iter().enumerate() {
            let name = format!("last_{}", mode.name.replace(' ', "_"));
            numbers.push(Number::found(
                name,
                format!("Orders in which \"{}\" is among the last to settle", mode.name),
                self.fractions.last[at],
            ));
        }
        numbers
    }

    pub fn assumptions(&self) -> Vec<Assumption> {
        let last = self.last();
        let d = self.system.dimension;
        vec![
            Assumption {
                statement: "The known products leave nothing near the group's matrices but themselves, n₀ = d²".into(),
                holds: Some(self.is_forced),
                evidence: format!("Exact ranks give n₀ = {}; d² = {}", self.nullity, d * d),
            },
            Assumption {
                statement: "Pairs of one product come to one matrix".into(),
                holds: Some(last.known_stand >= 0.95),
                evidence: format!(
                    "At the end {} of the known products stand in the toy's embedding (95% holds), while {} are answered: the decoder \
                     learns the rest by heart",
                    percent(last.known_stand),
                    percent(last.train)
                ),
            },
            Assumption {
                statement: "The embedding that is found is the group's, not another solution of the known equations".into(),
                holds: (last.known_stand >= 0.95).then_some(last.stand >= self.follows - 0.1),
                evidence: if last.known_stand >= 0.95 {
                    format!(
                        "{} of the held-out products follow near the group's matrices and {} stand (up to .1 fewer holds)",
                        percent(self.follows),
                        percent(last.stand)
                    )
                } else {
                    format!("Not a solution: only {} of the known products stand", percent(last.known_stand))
                },
            },
            Assumption {
                statement: "The decoder answers with the nearest known product".into(),
                holds: Some((last.test - last.nearest).abs() <= 0.1),
                evidence: format!(
                    "{} of the held-out products lie nearest to their own and {} are right (.1 apart holds)",
                    percent(last.nearest),
                    percent(last.test)
                ),
            },
        ]
    }
}

/// Where P(forced) and D̄ reach ½, beside the published share if there is one.
pub(super) fn theory_numbers(is_published: bool, fractions: &Fractions) -> Vec<Number> {
    let number = |name: &str, label: &str, found: Option<(f64, (f64, f64))>| {
        let (at, (low, high)) = found.unwrap_or((f64::NAN, (f64::NAN, f64::NAN)));
        let number = Number::found(name, label, at).band(low, high);
        if is_published { number.expected(PUBLISHED) } else { number }
    };
    vec![
        number("forced_half", "Share of products at which P(forced) is ½, beside the published one", fractions.forced.fraction()),
        number("follows_half", "Share at which half of the held-out products follow, beside the same", fractions.closed_half()),
    ]
}
