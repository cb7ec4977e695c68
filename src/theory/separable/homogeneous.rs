//! The same quantities for a network on the screen: margin over norm, and how much its direction still turns.
//!
//! A linear classifier has degree 1; a network whose logits grow as the L-th power of a common scale of its weights has degree L, and
//! Lyu and Li (arXiv 1906.05890) carry the statement over: once the loss is small, the margin over ‖θ‖^L grows. Pure functions of
//! what a run records; smallest margins alone grow with the norm and compare nothing.

use super::rows::{angle, norm};
use crate::record::UserError;

/// q_min/‖θ‖^L, with the smallest margin `smallest` (in logits) and the norm `length` of all weights, for degree `degree`.
///
/// # Errors
/// A norm that is not above 0, or numbers that are not finite.
pub fn normalised_margin(smallest: f64, length: f64, degree: u32) -> Result<f64, UserError> {
    check(smallest, length)?;
    Ok(smallest / libm::pow(length, f64::from(degree)))
}

/// log(1/𝓛)/‖θ‖^L with the *summed* training loss 𝓛, of which `log_loss` is the logarithm: the smoothed margin of Lyu and Li for the
/// exponential loss, which never falls along gradient flow once 𝓛 < 1; within log(n)/‖θ‖^L below the normalised margin.
///
/// # Errors
/// A norm that is not above 0, numbers that are not finite, or 𝓛 ≥ 1, where it says nothing.
pub fn smoothed_margin(log_loss: f64, length: f64, degree: u32) -> Result<f64, UserError> {
    check(log_loss, length)?;
    if log_loss >= 0.0 {
        return Err(UserError::new(
            format!("The summed loss is {}, not below 1", libm::exp(log_loss)),
            "Take a later step, where it is below 1",
        ));
    }
    Ok(-log_loss / libm::pow(length, f64::from(degree)))
}

fn check(value: f64, length: f64) -> Result<(), UserError> {
    if value.is_finite() && length.is_finite() && length > 0.0 {
        return Ok(());
    }
    Err(UserError::new(
        format!("No margin follows from {value} and a norm of {length}"),
        "Give finite numbers and a norm above 0",
    ))
}

/// How a direction turns over a run's checkpoints.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turn {
    /// Step of the checkpoint.
    pub step: f64,
    /// Angle to the checkpoint before, in radians; 0 for the first.
    pub to_previous: f64,
    /// Angle to the last checkpoint, in radians.
    pub to_last: f64,
    /// Angle to the checkpoint before per unit of log t, in radians; not finite for the first and from step 0. Where
    /// w = ŵ log t + w̃ this falls like 1/log² t.
    pub per_log_step: f64,
}

/// Turns of all weights (one flat vector per checkpoint, as f64) in the order of their steps. Empty for no checkpoints.
///
/// # Errors
/// Checkpoints of different sizes, steps that do not ascend, or weights that are all 0.
pub fn direction_drift(checkpoints: &[(f64, Vec<f64>)]) -> Result<Vec<Turn>, UserError> {
    let Some((_, last)) = checkpoints.last() else { return Ok(Vec::new()) };
    for (at, (step, weights)) in checkpoints.iter().enumerate() {
        if weights.len() != last.len() {
            let cause = format!("The checkpoint at step {step} has {} weights, the last one {}", weights.len(), last.len());
            return Err(UserError::new(cause, "Take checkpoints of one run"));
        }
        if norm(weights).partial_cmp(&0.0) != Some(core::cmp::Ordering::Greater) {
            return Err(UserError::new(format!("The weights at step {step} have no direction"), "Leave this checkpoint out"));
        }
        if at > 0 && *step <= checkpoints[at - 1].0 {
            return Err(UserError::new(format!("Step {step} comes twice or too late"), "Sort checkpoints by step"));
        }
    }
    let turn = |at: usize| {
        let (step, weights) = &checkpoints[at];
        let before = &checkpoints[at.saturating_sub(1)];
        let to_previous = angle(weights, &before.1);
        let logs = libm::log(*step) - libm::log(before.0);
        Turn { step: *step, to_previous, to_last: angle(weights, last), per_log_step: to_previous / logs }
    };
    Ok((0..checkpoints.len()).map(turn).collect())
}

#[cfg(test)]
mod tests {
    use super::super::descent::{Descent, Rule};
    use super::super::loss::Loss;
    use super::super::rows::Rows;
    use super::*;

    /// Margins of a network of degree 2, f(x) = Σ_j a_j relu(b_j·x), on two rows.
    fn smallest(theta: &[f64]) -> f64 {
        let rows = [[1.0, 0.3], [0.4, 1.2]];
        let of =
            |x: &[f64; 2]| theta.chunks_exact(3).map(|unit| unit[0] * (unit[1] * x[0] + unit[2] * x[1]).max(0.0)).sum::<f64>();
        rows.iter().map(of).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn the_normalised_margin_does_not_see_the_scale_of_a_homogeneous_network() {
        let theta = [0.7, 0.2, 0.9, 1.1, -0.3, 0.4];
        let of = |scale: f64| {
            let scaled: Vec<f64> = theta.iter().map(|w| scale * w).collect();
            normalised_margin(smallest(&scaled), norm(&scaled), 2).unwrap()
        };
        assert!((of(1.0) / of(7.0) - 1.0).abs() < 1e-14 && of(1.0) > 0.0);
    }

    #[test]
    fn the_smoothed_margin_rises_towards_the_largest_one_and_stays_below_the_normalised() {
        let rows = Rows::new(2, vec![0.0, 2.0, 1.5, 0.5]);
        let mut descent = Descent::new(&rows, Loss::Exponential, Rule::Gradient, 0.05, &[0.0, 0.0]);
        let mut before = 0.0;
        for step in 1..20_000 {
            descent.step();
            let w = descent.weights();
            let log_loss = Loss::Exponential.log_total(&rows, w);
            if log_loss < -0.1 && step % 50 == 0 {
                let smoothed = smoothed_margin(log_loss, norm(w), 1).unwrap();
                let margin = normalised_margin(rows.smallest_margin(w), norm(w), 1).unwrap();
                assert!(smoothed > before && smoothed < margin && margin <= core::f64::consts::SQRT_2 + 1e-12);
                assert!(margin - smoothed <= core::f64::consts::LN_2 / norm(w) + 1e-12);
                before = smoothed;
            }
        }
        assert!(before > 1.3);
        assert!(smoothed_margin(0.1, 1.0, 1).is_err() && normalised_margin(1.0, 0.0, 1).is_err());
    }

    #[test]
    fn a_logarithmic_path_turns_as_its_closed_form() {
        // w = (log t, c): the angle to the axis is atan(c/log t).
        let at = |t: f64| (t, vec![libm::log(t), 0.3]);
        let turns = direction_drift(&[at(10.0), at(100.0), at(1000.0)]).unwrap();
        let angle = |t: f64| libm::atan(0.3 / libm::log(t));
        assert!((turns[1].to_previous - (angle(10.0) - angle(100.0))).abs() < 1e-15);
        assert!((turns[0].to_last - (angle(10.0) - angle(1000.0))).abs() < 1e-15);
        assert!((turns[2].per_log_step * core::f64::consts::LN_10 - turns[2].to_previous).abs() < 1e-15);
        assert_eq!((turns[0].to_previous, turns[2].to_last), (0.0, 0.0));
        assert!(direction_drift(&[at(10.0), at(10.0)]).is_err() && direction_drift(&[(1.0, vec![0.0])]).is_err());
        assert!(direction_drift(&[(1.0, vec![1.0]), at(10.0)]).is_err());
    }
}
