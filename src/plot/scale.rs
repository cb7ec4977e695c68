//! Where a value stands between the two ends of an axis, and back.
//!
//! Curves, decimation, ticks and the pointer must agree on this to the pixel, so it is written once. The logarithmic scale has
//! to show step 0, where training begins: when the lower end of the range is 0 it is ln(1 + v), which is linear near 0 and
//! logarithmic beyond. Placing step 0 at a made-up small step was rejected, since it draws a distance that does not exist.

/// How values are spread along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// Equal differences, equal distances.
    #[default]
    Linear,
    /// Equal ratios, equal distances; ln(1 + v) when the range begins at 0 or below.
    Log,
}

impl Scale {
    /// Where `value` stands on `range`: 0 at its lower and 1 at its upper end, beyond them outside, NaN where it has no place
    /// (not finite, or not positive on a logarithmic scale).
    pub fn position(self, range: (f64, f64), value: f64) -> f64 {
        let (low, high) = (self.bend(range, range.0), self.bend(range, range.1));
        if high > low { (self.bend(range, value) - low) / (high - low) } else { f64::NAN }
    }

    /// The value at `position`; the inverse of [`Scale::position`]. An empty range gives its lower end.
    pub fn value_at(self, range: (f64, f64), position: f64) -> f64 {
        let (low, high) = (self.bend(range, range.0), self.bend(range, range.1));
        if high <= low || !(high - low).is_finite() {
            return range.0;
        }
        let bent = low + position * (high - low);
        match self {
            Self::Linear => bent,
            Self::Log if counts_from_zero(range) => bent.exp_m1(),
            Self::Log => bent.exp(),
        }
    }

    fn bend(self, range: (f64, f64), value: f64) -> f64 {
        match self {
            Self::Linear if value.is_finite() => value,
            Self::Log if counts_from_zero(range) && value >= 0.0 => value.ln_1p(),
            Self::Log if counts_from_zero(range) && range.0 < 0.0 && value == range.0 => 0.0,
            Self::Log if !counts_from_zero(range) && value > 0.0 => value.ln(),
            _ => f64::NAN,
        }
    }
}

/// Whether a logarithmic axis over `range` is ln(1 + v).
pub(super) fn counts_from_zero(range: (f64, f64)) -> bool {
    range.0 <= 0.0
}
