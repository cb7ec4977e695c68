//! Where do 32 bits end the lesson?
//!
//! Cross-entropy needs Σ exp(z − max z). In round-to-nearest 1 + x is 1 exactly for x ≤ 2⁻²⁴ (at equality the even neighbour, 1,
//! wins), so a sum in the order of the classes is 1 if and only if the terms before the largest add up to at most 2⁻²⁴ and each
//! term after it is at most 2⁻²⁴: in margins, at least 24·ln 2 = 16.64 for each later class, while those before share it. From
//! there on the loss is 0 and the label has no gradient. The next sum is 1 + 2⁻²³, so no loss lies between 0 and 1.19·10⁻⁷.
//! Other classes keep a gradient until exp underflows, at margins of 150·ln 2 = 103.97.

use core::f64::consts::LN_2;

/// Margin below which a class still counts, alone.
pub(crate) const NECESSARY: f64 = 24.0 * LN_2;

/// Margin from which exp(−margin) is 0 in 32 bits: half the least positive number, which rounds to even.
pub(crate) const SILENT: f64 = 150.0 * LN_2;

/// Spacing of losses just above 0: ln(1 + 2⁻²³).
pub(crate) const LOSS_STEP: f64 = 1.192_092_824_453_544_6e-7;

/// What 32 and 64 bits make of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    /// Whether the sum is exactly 1 in 32 bits.
    pub is_collapsed: bool,
    /// Whether the rule above, in 64 bits, says so.
    pub is_predicted: bool,
    /// Whether the sum is exactly 1 in 64 bits.
    pub is_collapsed_in_64: bool,
    /// Whether every entry of softmax − one-hot is exactly 0 in 32 bits.
    pub is_silent: bool,
    /// Loss in 32 bits.
    pub loss: f32,
    /// Loss in 64 bits.
    pub loss_in_64: f64,
}

/// Reads a row of logits, multiplied by `scale`.
pub(crate) fn row(logits: &[f64], label: usize, scale: f64) -> Row {
    let scaled: Vec<f64> = logits.iter().map(|z| scale * z).collect();
    let single: Vec<f32> = scaled.iter().map(|z| *z as f32).collect();
    let most = single.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = single.iter().map(|z| libm::expf(z - most)).collect();
    // In the order of the classes, as the rule assumes.
    let sum = exponentials.iter().fold(0.0f32, |sum, e| sum + e);
    let is_collapsed = sum.to_bits() == 1.0f32.to_bits();
    let gradient = |(class, e): (usize, &f32)| e / sum - if class == label { 1.0 } else { 0.0 };

    let (top, largest) =
        scaled.iter().copied().enumerate().fold((0, f64::NEG_INFINITY), |best, at| if at.1 > best.1 { at } else { best });
    let terms: Vec<f64> = scaled.iter().map(|z| libm::exp(z - largest)).collect();
    let before: f64 = terms[..top].iter().sum();
    let least = libm::exp(-NECESSARY);
    let sum_in_64 = terms.iter().fold(0.0f64, |sum, e| sum + e);
    let others: f64 = terms.iter().enumerate().filter(|(class, _)| *class != top).map(|(_, e)| *e).sum();
    Row {
        is_collapsed,
        is_predicted: before <= least && terms[top + 1..].iter().all(|e| *e <= least),
        is_collapsed_in_64: sum_in_64.to_bits() == 1.0f64.to_bits(),
        is_silent: is_collapsed && exponentials.iter().enumerate().map(gradient).all(|g| g.abs() <= 0.0),
        loss: (most - single[label]) + libm::logf(sum),
        loss_in_64: (largest - scaled[label]) + libm::log1p(others),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row whose first `before` and last `after` classes have the margin.
    fn led(before: usize, after: usize, margin: f64) -> Row {
        let mut logits = vec![-margin; before + 1 + after];
        logits[before] = 0.0;
        row(&logits, before, 1.0)
    }

    #[test]
    fn a_later_class_is_lost_alone_and_earlier_ones_add_up() {
        let (short, long) = (NECESSARY - 1e-3, NECESSARY + 1e-3);
        assert!(!led(0, 30, short).is_collapsed && led(0, 30, long).is_collapsed);
        assert!(!led(30, 0, long).is_collapsed, "thirty terms of 2⁻²⁴ before the largest are no longer lost");
        let enough = NECESSARY + f64::ln(30.0);
        assert!(!led(30, 0, enough - 1e-3).is_collapsed && led(30, 0, enough + 1e-3).is_collapsed);
        for (before, after, margin) in [(0, 30, short), (0, 30, long), (30, 0, long), (30, 0, enough + 1e-3), (3, 7, 17.9)] {
            let row = led(before, after, margin);
            assert_eq!(row.is_collapsed, row.is_predicted, "{before} {after} {margin}");
        }
    }

    #[test]
    fn sixty_four_bits_collapse_at_fifty_three() {
        assert!(!led(0, 9, 53.0 * LN_2 - 1e-6).is_collapsed_in_64 && led(0, 9, 53.0 * LN_2 + 1e-6).is_collapsed_in_64);
    }

    #[test]
    fn the_gradient_of_other_classes_ends_where_the_exponential_underflows() {
        assert!(!led(4, 5, SILENT - 0.1).is_silent && led(4, 5, SILENT + 0.1).is_silent);
        assert!(led(4, 5, SILENT - 0.1).is_collapsed);
    }

    #[test]
    fn losses_come_in_steps_of_the_spacing_above_one() {
        assert!((LOSS_STEP - f64::powi(2.0, -23).ln_1p()).abs() < 1e-22);
        let row = led(0, 1, 23.2 * LN_2);
        assert!((f64::from(row.loss) / LOSS_STEP - 1.0).abs() < 1e-6, "{}", row.loss);
        assert!((row.loss_in_64 / f64::powf(2.0, -23.2) - 1.0).abs() < 1e-6);
        assert_eq!(led(0, 1, 17.0).loss, 0.0);
        // A wrong answer on top keeps its loss.
        assert_eq!(super::row(&[0.0, 50.0], 0, 1.0).loss, 50.0);
    }
}
