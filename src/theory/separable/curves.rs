//! The figures of separable data.
//!
//! Everything is over log t, the clock of this theory: on a linear axis all curves look as if they had stopped.

use super::diverging::Diverging;
use super::law::Law;
use super::norms::{Cornered, shortest};
use super::path::{Moment, Training};
use super::plane;
use super::rows::{angle, dot};
use super::settings::Optimizer;
use crate::record::UserError;
use crate::theory::{Drawing, Figure, Line, Role, Scaled};

/// Rows that an optimiser of the comparison may look at step by step; the figure says where it stopped.
const COMPARED_ROWS: u64 = 4_000_000;

/// Angles below this are rounding, and would stretch a logarithmic axis over it.
const ROUNDING: f64 = 1e-12;

/// Plane, norm, convergence, offset, loss, validation; those that say something for this optimiser.
pub(super) fn of(found: &Diverging<'_>) -> Vec<Figure> {
    let direction = &found.best.direction;
    let ends = [(Role::Predicted, direction.as_slice()), (Role::Measured, found.path.end().weights.as_slice())];
    let caption = "Points by side, with rings on the support vectors; lines from the origin: ŵ (prediction) and w after the last step \
                   (measured), both drawn as long as the farthest point; across ŵ its boundary";
    let mut figures = vec![plane::of(found.data, &found.best.on_margin, caption, &ends), length(found), convergence(found)];
    figures.extend(offset(found));
    figures.extend([loss(found), validation(found)]);
    figures
}

fn figure(found: &Diverging<'_>, name: &str, caption: String, y: Scaled, lines: Vec<Line>) -> Figure {
    let marks = found.path.leaps_from.map(|from| (from as f64, "curve through the steps".to_owned())).into_iter().collect();
    Figure { name: name.into(), caption, drawing: Drawing::Lines { x: Scaled::log("step"), y, lines, marks } }
}

/// `(step, f(w predicted, step))` at the measured steps at which the prediction points the way of ŵ.
fn predicted(found: &Diverging<'_>, f: impl Fn(&[f64], f64) -> f64) -> Vec<(f64, f64)> {
    let Some(law) = &found.law else { return Vec::new() };
    let of = |moment: &Moment| {
        let theory = law.at(moment.step).filter(|w| moment.step >= 2.0 && dot(w, &found.best.direction) > 0.0)?;
        Some((moment.step, f(&theory, moment.step)))
    };
    found.path.moments.iter().filter_map(of).collect()
}

/// Measured moments from step 2 on, where log t is above 0.
fn measured(found: &Diverging<'_>, f: impl Fn(&Moment) -> f64) -> Vec<(f64, f64)> {
    found.path.moments.iter().filter(|moment| moment.step >= 2.0).map(|moment| (moment.step, f(moment))).collect()
}

/// Both lines of a pair, without an empty one.
fn pair(name: &str, measured: Vec<(f64, f64)>, predicted: Vec<(f64, f64)>) -> Vec<Line> {
    let lines = [Line::new(name, Role::Measured, measured), Line::new(name, Role::Predicted, predicted)];
    lines.into_iter().filter(|line| !line.points.is_empty()).collect()
}

fn length(found: &Diverging<'_>) -> Figure {
    let theory = found.law.as_ref().map_or_else(Vec::new, |law: &Law| {
        let steps = predicted(found, |_, _| 0.0);
        steps.into_iter().filter_map(|(step, _)| Some((step, law.norm(step)?))).collect()
    });
    let is_straight = found.is_logarithmic() || found.settings.optimizer == Optimizer::Coordinate;
    let caption = if found.is_logarithmic() && found.offset().is_none() {
        "Length of w: ‖ŵ‖ log t, and log log t beside it for a point on the margin that does not push"
    } else if found.is_logarithmic() {
        "Length of w: a straight line over log t, with slope ‖ŵ‖ and the constant ŵ·w̃/‖ŵ‖ as predicted"
    } else if theory.is_empty() {
        "Length of w; theory has no constant for this optimiser"
    } else {
        "Length of w: with steps of fixed length it grows by η each, so it bends upwards over log t"
    };
    let y = if is_straight { Scaled::linear("‖w‖") } else { Scaled::log("‖w‖") };
    let lines = pair("‖w‖", found.path.map(|moment| super::rows::norm(&moment.weights)), theory);
    figure(found, "norm", caption.into(), y, lines)
}

fn convergence(found: &Diverging<'_>) -> Figure {
    let direction = &found.best.direction;
    let turn = |w: &[f64], step: f64| angle(w, direction) * libm::log(step);
    let gap = |w: &[f64], step: f64| (found.best.margin() - found.margin(w)) * libm::log(step);
    let mut lines = pair("angle · log t", measured(found, |m| turn(&m.weights, m.step)), predicted(found, turn));
    lines.extend(pair("margin gap · log t", measured(found, |m| gap(&m.weights, m.step)), predicted(found, gap)));
    let mut caption = "Angle to ŵ (rad) and lack of margin, each times log t".to_owned();
    if let Some(offset) = found.offset().filter(|offset| offset.spans && found.is_logarithmic()) {
        let ends = [2.0, found.path.end().step];
        let flat = |name: &str, y: f64| Line::new(name, Role::Baseline, ends.iter().map(|x| (*x, y)).collect());
        lines.push(flat("limit of angle · log t", offset.angle_constant(found.best)));
        lines.push(flat("limit of margin gap · log t", offset.gap_constant(&found.data.rows, found.best)));
        caption += ": constant in the end, so both fall like 1/log t; the predicted curves are those of ŵ log t + w̃";
    } else if found.law.is_some() && !found.is_logarithmic() {
        caption += ": with steps of fixed length both fall to 0, as both themselves go like 1/t";
    } else if found.law.is_some() {
        caption += ": where they rise, convergence is slower than 1/log t";
    }
    if !found.target.is_euclidean {
        let own = measured(found, |m| angle(&m.weights, &found.target.direction) * libm::log(m.step));
        lines.push(Line::new(format!("angle to {} · log t", found.target.name), Role::Kind(1), own));
        caption += "; this optimiser is drawn to another direction, so its angle to ŵ need not fall";
    }
    figure(found, "convergence", caption, Scaled::linear("angle · log t, gap · log t"), lines)
}

fn offset(found: &Diverging<'_>) -> Option<Figure> {
    if !found.is_logarithmic() {
        return None;
    }
    let axes = 0..found.best.direction.len();
    let lines = axes.flat_map(|axis| {
        let name = if axis == 0 { "ρ₁" } else { "ρ₂" };
        let of = |w: &[f64], step: f64| found.rest(w, step)[axis];
        pair(name, found.path.map(|m| of(&m.weights, m.step)), predicted(found, of))
    });
    let caption = if found.offset().is_some() {
        "What is left of w without ŵ log t: it tends to w̃, whose entries solve η exp(−x·w̃) = α"
    } else {
        "What is left of w without ŵ log t: it grows with log log t, for a point on the margin that does not push"
    };
    Some(figure(found, "offset", caption.into(), Scaled::linear("ρ = w − ŵ log t"), lines.collect()))
}

fn loss(found: &Diverging<'_>) -> Figure {
    if found.is_logarithmic() {
        let total = found.best.total_multiplier();
        let ends = [found.path.moments[0].step, found.path.end().step];
        let lines = pair(
            "loss · η · t",
            found.path.map(|m| libm::exp(found.log_loss_rate(m))),
            ends.iter().map(|x| (*x, total)).collect(),
        );
        let caption = "Training loss times η t: it tends to Σα = ‖ŵ‖², so the loss falls like 1/t".to_owned();
        return figure(found, "loss", caption, Scaled::linear("loss · η · t"), lines);
    }
    let line = Line::new(
        "training loss",
        Role::Train,
        found.path.map(|m| libm::exp(found.settings.loss.log_total(&found.data.rows, &m.weights))),
    );
    let caption = "Training loss (sum over points); it leaves the axis where it is below the smallest number".to_owned();
    figure(found, "loss", caption, Scaled::log("loss (nats)"), vec![line])
}

fn validation(found: &Diverging<'_>) -> Figure {
    let of = |w: &[f64]| found.validation(w);
    let rows = found.data.rows.len() as f64;
    let lines = vec![
        Line::new("validation loss", Role::Predicted, predicted(found, |w, _| of(w).0)),
        Line::new("validation loss", Role::Test, found.path.map(|m| of(&m.weights).0)),
        Line::new("validation error", Role::Kind(0), found.path.map(|m| of(&m.weights).1)),
        Line::new(
            "training loss",
            Role::Train,
            found.path.map(|m| libm::exp(found.settings.loss.log_total(&found.data.rows, &m.weights)) / rows),
        ),
    ];
    let grows = match found.settings.loss {
        super::loss::Loss::Logistic if found.is_logarithmic() => {
            "points on the wrong side cost ever more, in proportion to log t, when their share has long settled"
        }
        _ => "points on the wrong side cost ever more, when their share has long settled",
    };
    let caption = format!(
        "Mean loss and error on {} validation points ({}): {grows}",
        found.data.validation.len(),
        found.data.validation_story
    );
    let lines = lines.into_iter().filter(|line| !line.points.is_empty()).collect();
    figure(found, "validation", caption, Scaled::linear("loss (nats), error"), lines)
}

/// Angle to ŵ of all optimisers, with the directions of the other norms.
///
/// # Errors
/// If a training cannot be followed.
pub(super) fn optimizers(found: &Diverging<'_>, training: &Training<'_>) -> Result<Figure, UserError> {
    let direction = &found.best.direction;
    let affordable = COMPARED_ROWS / found.data.rows.len() as u64;
    let training = Training { plain_steps: training.plain_steps.min(affordable), ..*training };
    let mut lines = Vec::new();
    let mut stopped = 0.0f64;
    for (kind, optimizer) in Optimizer::ALL.into_iter().enumerate() {
        let path = if optimizer == found.settings.optimizer {
            found.path.clone()
        } else {
            // Momentum may leave the finite numbers where plain descent does not; then it has no line here.
            match training.by(found.settings.rule(optimizer)) {
                Ok(path) => path,
                Err(_) => continue,
            }
        };
        let end = path.end().step;
        if end < found.settings.steps as f64 {
            stopped = stopped.max(end);
        }
        let mut turns = path.map(|m| angle(&m.weights, direction));
        turns.retain(|(_, turn)| *turn > ROUNDING);
        if !turns.is_empty() {
            lines.push(Line::new(optimizer.label(), Role::Kind(kind as u8), turns));
        }
    }
    for (norm, name) in [(Cornered::Largest, "ℓ∞ max margin"), (Cornered::Sum, "ℓ1 max margin")] {
        let Some(other) = shortest(&found.data.rows, norm).filter(|other| other.is_unique) else { continue };
        let turn = angle(&other.direction, direction);
        if turn > 1e-9 {
            lines.push(Line::new(name, Role::Baseline, vec![(1.0, turn), (found.settings.steps as f64, turn)]));
        }
    }
    let until =
        if stopped > 0.0 { format!("; plain steps without a curve through them end at step {stopped}") } else { String::new() };
    let caption = format!(
        "Angle to ŵ of every optimiser with η = {}: descent and momentum like 1/log t, normalised descent like 1/t; the steepest \
         coordinate is drawn to the ℓ1 direction, the sign to the ℓ∞ one, and so is Adam if its steps are short and its gradients above ε; \
         angles below 10⁻¹² are rounding and have no line{until}",
        found.settings.learning_rate
    );
    Ok(figure(found, "optimizers", caption, Scaled::log("angle to ŵ (rad)"), lines))
}
