//! The margin of a homogeneous network, read off its loss.
//!
//! A linear classifier has degree 1; a network whose logits grow as the L-th power of a common scale of its weights has degree L, and
//! Lyu and Li (arXiv 1906.05890) carry the statement over: once the loss is small, the margin over ‖θ‖^L grows. A pure function of
//! what every run records; the smallest margin itself needs all logits of a checkpoint, and is a measure.

use crate::record::UserError;

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

#[cfg(test)]
mod tests {
    use super::super::descent::{Descent, Rule};
    use super::super::loss::Loss;
    use super::super::rows::{Rows, norm};
    use super::*;

    #[test]
    fn the_smoothed_margin_rises_towards_the_largest_one_and_stays_below_the_smallest() {
        let rows = Rows::new(2, vec![0.0, 2.0, 1.5, 0.5]);
        let mut descent = Descent::new(&rows, Loss::Exponential, Rule::Gradient, 0.05, &[0.0, 0.0]);
        let mut before = 0.0;
        for step in 1..20_000 {
            descent.step();
            let w = descent.weights();
            let log_loss = Loss::Exponential.log_total(&rows, w);
            if log_loss < -0.1 && step % 50 == 0 {
                let smoothed = smoothed_margin(log_loss, norm(w), 1).unwrap();
                let margin = rows.smallest_margin(w) / norm(w);
                assert!(smoothed > before && smoothed < margin && margin <= core::f64::consts::SQRT_2 + 1e-12);
                assert!(margin - smoothed <= core::f64::consts::LN_2 / norm(w) + 1e-12);
                before = smoothed;
            }
        }
        assert!(before > 1.3);
        assert!(smoothed_margin(0.1, 1.0, 1).is_err() && smoothed_margin(-1.0, 0.0, 1).is_err());
    }
}
