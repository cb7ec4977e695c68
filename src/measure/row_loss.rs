//! The loss of one row in f64, for logits that no network made: restricted, excluded, or of an oracle.
//!
//! The training room computes losses on a device, of a network's own outputs. Here they are needed for outputs that were taken
//! apart, and in double precision, since a restricted loss may be 1e-6.

use crate::record::UserError;

/// Loss of one row: nats for `cross_entropy`, mean square over outputs for `mean_squared_error`, nats for `stable_max`.
///
/// # Errors
/// For a loss that is not a function of one output per class.
pub fn row_loss(loss: &str, logits: &[f64], label: usize) -> Result<f64, UserError> {
    match loss {
        "cross_entropy" => {
            // log Σ e^{z − z_y}, in the form that keeps small values: the label's own term is e⁰.
            let most = logits.iter().map(|z| z - logits[label]).fold(0.0, f64::max);
            let others: f64 =
                logits.iter().enumerate().filter(|(c, _)| *c != label).map(|(_, z)| libm::exp(z - logits[label] - most)).sum();
            Ok(most + libm::log1p(others + libm::expm1(-most)))
        }
        "mean_squared_error" => {
            let square = |(class, z): (usize, &f64)| {
                let error = z - if class == label { 1.0 } else { 0.0 };
                error * error
            };
            Ok(logits.iter().enumerate().map(square).sum::<f64>() / logits.len() as f64)
        }
        "stable_max" => {
            let s = |z: f64| if z >= 0.0 { z + 1.0 } else { 1.0 / (1.0 - z) };
            let total: f64 = logits.iter().map(|z| s(*z)).sum();
            Ok(libm::log(total) - libm::log(s(logits[label])))
        }
        other => Err(UserError::new(
            format!("The loss {other} is not one of outputs that can be taken apart"),
            "Use cross_entropy, mean_squared_error or stable_max",
        )),
    }
}

/// Whether [`row_loss`] knows a loss.
///
/// # Errors
/// If not.
pub fn needs_row_loss(loss: &str) -> Result<(), UserError> {
    row_loss(loss, &[0.0, 0.0], 0).map(drop)
}

/// Whether the label's output is strictly the largest.
pub fn is_right(logits: &[f64], label: usize) -> bool {
    logits.iter().enumerate().all(|(class, z)| class == label || *z < logits[label])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cross_entropy_keeps_its_digits_at_both_ends() {
        let loss = |logits: &[f64], label| row_loss("cross_entropy", logits, label).unwrap();
        // Closed forms: log n at equality, e^{−m} for a large margin, m for a large negative one.
        assert!((loss(&[2.0; 31], 4) - libm::log(31.0)).abs() < 1e-12);
        assert!((loss(&[40.0, 0.0], 0) / libm::exp(-40.0) - 1.0).abs() < 1e-12);
        assert!((loss(&[0.0, 900.0], 0) - 900.0).abs() < 1e-9);
    }

    #[test]
    fn the_square_is_the_mean_over_outputs_and_a_right_answer_is_strictly_the_largest() {
        assert!((row_loss("mean_squared_error", &[1.0, 0.0, 2.0], 0).unwrap() - 4.0 / 3.0).abs() < 1e-12);
        assert!((row_loss("stable_max", &[0.0, 0.0], 0).unwrap() - libm::log(2.0)).abs() < 1e-12);
        assert!(is_right(&[0.0, 1.0], 1) && !is_right(&[1.0, 1.0], 1));
        assert!(row_loss("hinge", &[0.0, 0.0], 0).is_err());
    }
}
