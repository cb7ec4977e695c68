//! Separable data: everything that was measured and predicted of one training, and what it says in numbers.
//!
//! Prediction and measurement meet here and in `curves` only; solvers and optimisers know nothing of each other, which is what makes
//! their agreement mean something.

use super::curves;
use super::data::Data;
use super::descent::{BETA2, Rule};
use super::law::Law;
use super::loss::Loss;
use super::margin::MaxMargin;
use super::norms::{Cornered, shortest};
use super::offset::{Offset, Remainder, remainder};
use super::path::{Moment, Path, Training};
use super::rows::{Rows, across, angle, dot, norm, plus};
use super::settings::{Optimizer, Separable};
use crate::record::UserError;
use crate::theory::{Number, Outcome};
use nalgebra::SymmetricEigen;

/// One training of separable data beside its theory.
pub(super) struct Diverging<'a> {
    pub settings: &'a Separable,
    pub data: &'a Data,
    pub best: &'a MaxMargin,
    pub remainder: Remainder,
    pub path: Path,
    pub law: Option<Law>,
    /// η, with momentum η/(1 − μ).
    pub rate: f64,
    /// Where the optimiser's own norm leads.
    pub target: Target,
}

/// A direction that an optimiser should approach.
pub(super) struct Target {
    /// Any length.
    pub direction: Vec<f64>,
    /// Its name.
    pub name: &'static str,
    /// Whether its norm is the Euclidean one.
    pub is_euclidean: bool,
    /// Whether no other direction has as large a margin.
    pub is_unique: bool,
}

/// What follows for separable data with max-margin solution `best`.
///
/// # Errors
/// If the training cannot be followed.
pub(super) fn outcome(settings: &Separable, data: &Data, best: &MaxMargin, smoothness: f64) -> Result<Outcome, UserError> {
    let training = training(settings, data);
    let rule = settings.rule(settings.optimizer);
    let path = training.by(rule)?;
    let rate = match rule {
        Rule::Momentum(friction) => settings.learning_rate / (1.0 - friction),
        _ => settings.learning_rate,
    };
    let remainder = remainder(&data.rows, best, rate, &settings.start);
    let law = Law::of(rule, rate, best, &remainder, path.end());
    let target = target(settings, data, best, path.end());
    let found = Diverging { settings, data, best, remainder, path, law, rate, target };
    let mut figures = curves::of(&found);
    figures.push(curves::optimizers(&found, &training)?);
    Ok(Outcome { headline: found.headline(), figures, numbers: found.numbers(), assumptions: found.assumptions(smoothness) })
}

fn training<'a>(settings: &'a Separable, data: &'a Data) -> Training<'a> {
    Training {
        rows: &data.rows,
        loss: settings.loss,
        rate: settings.learning_rate,
        start: &settings.start,
        steps: settings.steps,
        plain_steps: settings.plain_steps,
        is_separable: true,
    }
}

fn target(settings: &Separable, data: &Data, best: &MaxMargin, end: &Moment) -> Target {
    let steepest = settings.loss.descent(&data.rows, &end.weights).iter().map(|g| g.abs()).fold(0.0, f64::max);
    let cornered = match settings.optimizer {
        Optimizer::Sign => Some((Cornered::Largest, "the ℓ∞ max-margin direction")),
        // Once gradients are far below ε, Adam divides by ε alone and is descent with momentum.
        Optimizer::Adam if steepest > 0.01 * settings.epsilon => Some((Cornered::Largest, "the ℓ∞ max-margin direction")),
        Optimizer::Coordinate => Some((Cornered::Sum, "the ℓ1 max-margin direction")),
        _ => None,
    };
    let other = cornered.and_then(|(cornered, name)| Some((shortest(&data.rows, cornered)?, name)));
    match other {
        Some((found, name)) => Target { direction: found.direction, name, is_euclidean: false, is_unique: found.is_unique },
        None => {
            Target { direction: best.direction.clone(), name: "the max-margin direction ŵ", is_euclidean: true, is_unique: true }
        }
    }
}

impl Diverging<'_> {
    pub(super) fn offset(&self) -> Option<&Offset> {
        match &self.remainder {
            Remainder::Constant(offset) => Some(offset),
            _ => None,
        }
    }

    /// Whether theory gives w in log t.
    pub(super) fn is_logarithmic(&self) -> bool {
        self.law.as_ref().is_some_and(Law::is_logarithmic)
    }

    /// ρ(t) = w(t) − ŵ log t.
    pub(super) fn rest(&self, weights: &[f64], step: f64) -> Vec<f64> {
        plus(weights, -libm::log(step), &self.best.direction)
    }

    /// min_n z_n·w/‖w‖.
    pub(super) fn margin(&self, w: &[f64]) -> f64 {
        self.data.rows.smallest_margin(w) / norm(w)
    }

    /// log of L·η·t.
    pub(super) fn log_loss_rate(&self, moment: &Moment) -> f64 {
        self.settings.loss.log_total(&self.data.rows, &moment.weights) + libm::log(self.rate * moment.step)
    }

    /// Mean validation loss in nats, and share of validation points on the wrong side.
    pub(super) fn validation(&self, w: &[f64]) -> (f64, f64) {
        let margins = self.data.validation.margins(w);
        let count = margins.len() as f64;
        let loss = margins.iter().map(|u| self.settings.loss.value(*u)).sum::<f64>() / count;
        (loss, margins.iter().filter(|u| **u <= 0.0).count() as f64 / count)
    }

    /// lim d(validation loss)/d log t of the logistic loss: the mean of |z·ŵ| over points that ŵ puts on the wrong side (as 0 for others).
    fn validation_slope(&self) -> f64 {
        let margins = self.data.validation.margins(&self.best.direction);
        margins.iter().map(|u| (-u).max(0.0)).sum::<f64>() / margins.len() as f64
    }

    /// How fast ρ comes to w̃ across ŵ, as the exponent p of t^−p: measured over the last decade, and predicted. A deviation there
    /// shrinks as t^−μ with μ the smallest eigenvalue of Σα_n z_n z_nᵀ across ŵ (linearised descent), and points behind the margin,
    /// with z·ŵ = 1 + θ, push it away by t^−θ; the smaller counts, where it is well below the 1 of the loss's own corrections.
    fn approach(&self) -> Option<(f64, f64)> {
        let offset = self.offset().filter(|offset| offset.spans && self.is_logarithmic())?;
        let direction = &self.best.direction;
        let away =
            |moment: &Moment| norm(&across(&plus(&self.rest(&moment.weights, moment.step), -1.0, &offset.vector), direction));
        let (end, before) = (self.path.end(), self.path.decade_before());
        let (late, early) = (away(end), away(before));
        let rows = &self.data.rows;
        let weighted = self.best.on_margin.iter().zip(&offset.multipliers).flat_map(|(&row, alpha)| {
            let root = libm::sqrt(*alpha);
            across(rows.row(row), direction).into_iter().map(move |x| root * x)
        });
        let weighted = Rows::new(rows.dimension(), weighted.collect()).matrix();
        let values = SymmetricEigen::new(weighted.tr_mul(&weighted)).eigenvalues;
        let largest = values.iter().copied().fold(0.0, f64::max);
        let slowest = values.iter().copied().filter(|value| *value > 1e-9 * largest).fold(f64::INFINITY, f64::min);
        let behind = (0..rows.len()).filter(|row| !self.best.on_margin.contains(row));
        let behind = behind.map(|row| dot(rows.row(row), direction) - 1.0).fold(f64::INFINITY, f64::min);
        let theory = slowest.min(behind);
        let measured = libm::log(early / late) / libm::log(end.step / before.step);
        (late > 1e-9 && early > late && theory < 0.9).then_some((measured, theory))
    }

    /// For Adam on its way to the ℓ∞ direction: the pace of margins, and the pace up to which its second moment keeps up. With steps of
    /// η in every coordinate margins grow by η·min z·ŵ∞/‖ŵ∞‖∞ a step, gradients shrink as e to minus that, and their squares must not
    /// shrink faster than the mean of squares forgets, by β₂ a step.
    pub(super) fn adams_pace(&self) -> Option<(f64, f64)> {
        if self.settings.optimizer != Optimizer::Adam || self.target.is_euclidean {
            return None;
        }
        let longest = self.target.direction.iter().map(|w| w.abs()).fold(0.0, f64::max);
        let pace = self.settings.learning_rate * self.data.rows.smallest_margin(&self.target.direction) / longest;
        Some((pace, -0.5 * libm::log(BETA2)))
    }

    /// Whether theory says that w tends to `target`.
    fn is_promised(&self) -> bool {
        self.adams_pace().is_none_or(|(pace, forgets)| pace < forgets) && self.target.is_unique
    }

    fn headline(&self) -> String {
        let end = self.path.end();
        let degrees = |w: &[f64], to: &[f64]| angle(w, to).to_degrees();
        let from = degrees(&end.weights, &self.best.direction);
        let steps = end.step;
        if !self.target.is_euclidean {
            let own = degrees(&end.weights, &self.target.direction);
            return format!(
                "After {steps} steps w is {from:.3}° from ŵ and {own:.3}° from {}, to which this optimiser's own norm leads",
                self.target.name
            );
        }
        let predicted = self.law.as_ref().filter(|law| law.predicts_angle).and_then(|law| law.at(steps));
        match (predicted, &self.remainder) {
            (Some(theory), _) => format!(
                "After {steps} steps w is {from:.4}° from the max-margin direction; theory at that step says {:.4}°",
                degrees(&theory, &self.best.direction)
            ),
            (None, Remainder::LogLog { .. }) => format!(
                "After {steps} steps w is {from:.4}° from the max-margin direction: a point on the margin does not push, so the angle \
                 falls only like log log t/log t"
            ),
            (None, _) => format!(
                "After {steps} steps w is {from:.4}° from the max-margin direction; how far it is at a step, theory leaves open here"
            ),
        }
    }

    fn numbers(&self) -> Vec<Number> {
        let (end, before) = (self.path.end(), self.path.decade_before());
        let (w, log) = (&end.weights, libm::log(end.step));
        let logs = log - libm::log(before.step);
        let law = self.law.as_ref().filter(|law| law.predicts_angle);
        let theory = law.and_then(|law| law.at(end.step));
        let length = norm(&self.best.direction);
        let known = |number: Number, expected: Option<f64>| match expected {
            Some(expected) => number.expected(expected),
            None => number,
        };
        let when = |holds: bool, value: f64| holds.then_some(value);
        let is_log = self.is_logarithmic();
        let mut numbers = vec![
            known(
                Number::found("angle", "Angle between w and ŵ at the last step", angle(w, &self.best.direction)).unit("rad"),
                theory.as_deref().map(|w| angle(w, &self.best.direction)),
            ),
            known(Number::found("margin", "Margin at the last step", self.margin(w)), theory.as_deref().map(|w| self.margin(w))),
            Number::found("max_margin", "Largest margin 1/‖ŵ‖", self.best.margin()),
            known(Number::found("norm_over_log", "‖w‖/log t at the last step", norm(w) / log), when(is_log, length)),
            known(
                Number::found("norm_slope", "d‖w‖/d log t over the last decade", (norm(w) - norm(&before.weights)) / logs),
                when(is_log, length),
            ),
        ];
        if is_log {
            numbers.push(
                Number::found("loss_rate", "Loss · η · t at the last step", libm::exp(self.log_loss_rate(end)))
                    .expected(self.best.total_multiplier()),
            );
            let rest = self.rest(w, end.step);
            match self.offset() {
                Some(offset) if offset.spans => {
                    for (at, (rho, constant)) in rest.iter().zip(&offset.vector).enumerate() {
                        let label = format!("ρ{} at the last step", digit(at + 1));
                        numbers.push(Number::found(format!("offset_{}", at + 1), label, *rho).expected(*constant));
                    }
                }
                Some(offset) => {
                    let along = |v: &[f64]| dot(v, &self.best.direction) / length;
                    numbers.push(
                        Number::found("offset_along", "ρ along ŵ at the last step", along(&rest)).expected(along(&offset.vector)),
                    );
                }
                None => {}
            }
            for (place, &row) in self.best.on_margin.iter().enumerate().take(4) {
                let alpha = self.offset().map_or(self.best.multipliers[row], |offset| offset.multipliers[place]);
                let pull = self.rate * end.step * self.settings.loss.pull(dot(self.data.rows.row(row), w));
                let label = format!("η t |ℓ′| of point {} beside its multiplier α", row + 1);
                numbers.push(Number::found(format!("multiplier_{}", row + 1), label, pull).expected(alpha));
            }
        }
        if let Some((measured, theory)) = self.approach() {
            let label = "Exponent p with which ρ comes to w̃ across ŵ, as t^−p";
            numbers.push(Number::found("approach", label, measured).expected(theory));
        }
        let added = plus(w, -1.0, &before.weights);
        let drift = Number::found(
            "drift",
            format!("Angle between what the last decade added to w and {}", self.target.name),
            angle(&added, &self.target.direction),
        );
        numbers.push(known(drift.unit("rad"), when(self.is_promised(), 0.0)));
        let multipliers = self.offset().map_or(&self.best.multipliers, |offset| &offset.multipliers);
        let held = multipliers.iter().filter(|a| **a > 0.0).count();
        numbers.push(Number::found("support_vectors", "Support vectors", held as f64));
        numbers.push(Number::found("on_margin", "Points on the margin", self.best.on_margin.len() as f64));
        if !self.target.is_euclidean {
            let own = angle(w, &self.target.direction);
            let number = Number::found("angle_to_target", format!("Angle between w and {}", self.target.name), own);
            numbers.push(known(number.unit("rad"), when(self.is_promised(), 0.0)));
        }
        let (_, error) = self.validation(w);
        numbers.push(Number::found("validation_error", "Share of validation points on the wrong side", error));
        let rise = |late: &[f64], early: &[f64]| (self.validation(late).0 - self.validation(early).0) / logs;
        let ends = theory.zip(law.and_then(|law| law.at(before.step)));
        let slope = "d(validation loss)/d log t over the last decade";
        numbers.push(known(
            Number::found("validation_slope", slope, rise(w, &before.weights)).unit("nats"),
            ends.map(|(late, early)| rise(&late, &early)),
        ));
        if is_log && self.settings.loss == Loss::Logistic {
            let label = "d(validation loss)/d log t in the limit: mean of −y x·ŵ over points on the wrong side, 0 for others";
            numbers.push(Number::found("validation_slope_limit", label, self.validation_slope()).unit("nats"));
        }
        numbers.push(Number::found("duality_gap", "Relative duality gap of ŵ", self.best.gap()).expected(0.0));
        numbers
    }
}

/// Subscript digits for people.
fn digit(number: usize) -> String {
    number.to_string().chars().filter_map(|c| char::from_u32(0x2080 + c.to_digit(10)?)).collect()
}
