//! Data that no line separates: the loss has a finite minimiser, and descent goes there.
//!
//! The panel's theory is not about them, and says so. What holds instead is as old as Newton and is shown in its place.

use super::data::Data;
use super::descent::Rule;
use super::minimiser::{Minimiser, minimise};
use super::path::{Moment, Path, Training};
use super::plane;
use super::rows::{norm, plus};
use super::settings::{Optimizer, Separable};
use crate::record::UserError;
use crate::theory::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, Scaled};

/// What follows for data that are not separable: `residual` is the length of the convex combination of rows that shows it.
///
/// # Errors
/// If the training cannot be followed.
pub(super) fn outcome(settings: &Separable, data: &Data, residual: f64, smoothness: f64) -> Result<Outcome, UserError> {
    let training = Training {
        rows: &data.rows,
        loss: settings.loss,
        rate: settings.learning_rate,
        start: &settings.start,
        steps: settings.steps,
        plain_steps: settings.plain_steps,
        is_separable: false,
    };
    let rule = settings.rule(settings.optimizer);
    let path = training.by(rule)?;
    let minimiser = minimise(&data.rows, settings.loss, &settings.start);
    let separable = Assumption {
        statement: "The points are separable by a line through the origin".into(),
        holds: Some(false),
        evidence: format!("A convex combination of the points, mirrored to one side, is {residual:.1e} long: 0 to rounding"),
    };
    let Some(minimiser) = minimiser else {
        return Ok(Outcome {
            headline:
                "Not separable, yet without a finite minimiser: a part of the points is separable across the rest, and w grows \
                       there alone"
                    .into(),
            figures: vec![plane_of(data, &path, None), length(&path, None)],
            numbers: vec![Number::found("norm", "‖w‖ at the last step", norm(&path.end().weights))],
            assumptions: vec![separable],
        });
    };
    let contraction = match rule {
        Rule::Gradient => Some(minimiser.contraction(settings.learning_rate, 0.0)),
        Rule::Momentum(friction) => Some(minimiser.contraction(settings.learning_rate, friction)),
        _ => None,
    };
    let away = |moment: &Moment| norm(&plus(&moment.weights, -1.0, &minimiser.weights));
    let last = away(path.end());
    let mut numbers: Vec<Number> = (minimiser.weights.iter().zip(&path.end().weights).enumerate())
        .map(|(at, (theory, w))| {
            Number::found(format!("weight_{}", at + 1), format!("w{} at the last step", ['₁', '₂'][at.min(1)]), *w)
                .expected(*theory)
        })
        .collect();
    numbers.extend([
        Number::found("loss", "Training loss at the last step", settings.loss.total(&data.rows, &path.end().weights))
            .expected(minimiser.loss)
            .unit("nats"),
        Number::found("distance", "Distance of w from the minimiser at the last step", last).expected(0.0),
        Number::found("minimiser_gradient", "Length of the gradient at the minimiser", minimiser.gradient).expected(0.0),
    ]);
    if let Some(theory) = contraction {
        let measured = measured_contraction(&path.map(away)).unwrap_or(f64::NAN);
        numbers.push(Number::found("contraction", "Factor by which a step shortens the distance", measured).expected(theory));
    }
    let limit = 2.0 / smoothness;
    let rate_holds = Assumption {
        statement: "The step size is below 2/β".into(),
        holds: (settings.optimizer == Optimizer::Gd).then_some(settings.learning_rate < limit),
        evidence: format!("η = {}, 2/β = {limit:.4}, which is the bound for gradient descent", settings.learning_rate),
    };
    let arrived = Assumption {
        statement: "w tends to the minimiser".into(),
        holds: Some(last < 1e-6),
        evidence: match settings.optimizer {
            Optimizer::Normalised | Optimizer::Sign | Optimizer::Adam if last >= 1e-6 => {
                format!("It is {last:.1e} away after {} steps, for steps of fixed length go round it", path.end().step)
            }
            _ => format!("It is {last:.1e} away after {} steps", path.end().step),
        },
    };
    Ok(Outcome {
        headline: format!(
            "No line separates these points, so w does not grow: it goes to the finite minimiser ({:.4}, {:.4}), and is {last:.1e} from it",
            minimiser.weights[0], minimiser.weights[1]
        ),
        figures: vec![
            plane_of(data, &path, Some(&minimiser)),
            distance(&path.map(away), contraction),
            length(&path, Some(&minimiser)),
        ],
        numbers,
        assumptions: vec![separable, rate_holds, arrived],
    })
}

/// Where distances are small enough for the linear law and large enough for rounding.
fn linear_part(away: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let from = away.iter().rposition(|(_, d)| *d > 1e-5).map_or(0, |at| at + 1);
    away[from..].iter().copied().take_while(|(_, d)| *d > 1e-11).collect()
}

/// The mean factor per step over the linear part.
fn measured_contraction(away: &[(f64, f64)]) -> Option<f64> {
    let part = linear_part(away);
    let (first, last) = (part.first()?, part.last()?);
    (last.0 > first.0).then(|| libm::exp(libm::log(last.1 / first.1) / (last.0 - first.0)))
}

fn distance(away: &[(f64, f64)], contraction: Option<f64>) -> Figure {
    let mut lines = vec![Line::new("‖w − w*‖", Role::Measured, away.to_vec())];
    let part = linear_part(away);
    if let (Some(theory), Some(&(from, start))) = (contraction, part.first()) {
        let points = part.iter().map(|(step, _)| (*step, start * libm::exp((step - from) * libm::log(theory)))).collect();
        lines.push(Line::new("‖w − w*‖", Role::Predicted, points));
    }
    let caption = "Distance of w from the minimiser w* (Newton's method); near it every step shortens the distance by the factor that \
                   the curvature at w* predicts, begun at the first measured distance below 10⁻⁵";
    let drawing = Drawing::Lines { x: Scaled::log("step"), y: Scaled::log("‖w − w*‖"), lines, marks: Vec::new() };
    Figure { name: "distance".into(), caption: caption.into(), drawing }
}

fn length(path: &Path, minimiser: Option<&Minimiser>) -> Figure {
    let mut lines = vec![Line::new("‖w‖", Role::Measured, path.map(|moment| norm(&moment.weights)))];
    if let Some(found) = minimiser {
        let y = norm(&found.weights);
        lines.push(Line::new("‖w‖", Role::Predicted, path.map(|_| y)));
    }
    let caption = "Length of w: it stops growing at the minimiser, instead of growing like log t".to_owned();
    let drawing = Drawing::Lines { x: Scaled::log("step"), y: Scaled::linear("‖w‖"), lines, marks: Vec::new() };
    Figure { name: "norm".into(), caption, drawing }
}

fn plane_of(data: &Data, path: &Path, minimiser: Option<&Minimiser>) -> Figure {
    let measured = (Role::Measured, path.end().weights.as_slice());
    let directions: Vec<(Role, &[f64])> =
        minimiser.map(|found| (Role::Predicted, found.weights.as_slice())).into_iter().chain([measured]).collect();
    let caption = "Points by side; lines from the origin: the minimiser's direction (prediction) and that of w after the last step \
                   (measured), with the boundary across the first";
    plane::of(data, &[], caption, &directions)
}
