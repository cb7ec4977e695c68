//! n·ΔL against Δλ·log n, between two checkpoints of a run.
//!
//! The two parts stay apart until the end: a sum alone would not say whether a solution is preferred because it fits better or
//! because it is simpler, and only the second is what singular learning theory adds. The error is that of the chains; losses over
//! all training rows have none.

/// A checkpoint with a coefficient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub step: f64,
    /// Training loss in nats per row.
    pub loss: f64,
    /// λ̂.
    pub llc: f64,
    /// Its standard error.
    pub error: f64,
    /// How far the chains went, over the norm of the weights.
    pub distance: f64,
}

/// The change from the memorising checkpoint to another, in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Change {
    /// n·ΔL.
    pub loss: f64,
    /// Δλ·log n.
    pub complexity: f64,
    /// Standard error of the sum, from the chains alone.
    pub error: f64,
}

impl Change {
    pub(super) fn between(from: Point, to: Point, rows: f64) -> Self {
        let log = libm::log(rows);
        Self {
            loss: rows * (to.loss - from.loss),
            complexity: log * (to.llc - from.llc),
            error: log * libm::sqrt(from.error * from.error + to.error * to.error),
        }
    }

    pub(super) fn whole(self) -> f64 {
        self.loss + self.complexity
    }

    /// Whether the posterior prefers the second; `None` within two standard errors.
    pub(super) fn prefers_second(self) -> Option<bool> {
        (self.whole().abs() > 2.0 * self.error).then_some(self.whole() < 0.0)
    }

    /// Rows at which the balance would tip with these coefficients and losses, where Δλ and ΔL have opposite signs: the larger root
    /// of n·ΔL = −Δλ·log n.
    pub(super) fn tips(self, rows: f64) -> Option<f64> {
        let ratio = -(self.complexity / libm::log(rows)) / (self.loss / rows);
        // n/log n is at least e.
        if !ratio.is_finite() || ratio < core::f64::consts::E {
            return None;
        }
        let mut n = ratio * libm::log(ratio).max(1.0);
        for _ in 0..200 {
            n = ratio * libm::log(n);
        }
        Some(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(loss: f64, llc: f64, error: f64) -> Point {
        Point { step: 0.0, loss, llc, error, distance: 0.0 }
    }

    #[test]
    fn parts_and_error_are_those_of_hand() {
        let change = Change::between(point(0.5, 30.0, 3.0), point(0.2, 10.0, 4.0), 100.0);
        let log = libm::log(100.0);
        assert!((change.loss + 30.0).abs() < 1e-12 && (change.complexity + 20.0 * log).abs() < 1e-12);
        assert!((change.error - 5.0 * log).abs() < 1e-12);
        assert_eq!(change.prefers_second(), Some(true));
        assert_eq!(Change::between(point(0.2, 10.0, 4.0), point(0.5, 30.0, 3.0), 100.0).prefers_second(), Some(false));
        assert_eq!(Change::between(point(0.2, 10.0, 4.0), point(0.2, 11.0, 3.0), 100.0).prefers_second(), None);
    }

    #[test]
    fn the_balance_tips_at_the_larger_root_where_there_is_one() {
        let tips = |loss: f64, llc: f64| Change::between(point(0.0, 30.0, 0.0), point(loss, llc, 0.0), 500.0).tips(500.0);
        let n = tips(0.01, 10.0).unwrap();
        assert!((0.01 * n / (20.0 * libm::log(n)) - 1.0).abs() < 1e-9 && n > 2000.0, "{n}");
        // The worse fit has the larger coefficient as well, the better one too, and a gap too wide for any number of rows.
        assert_eq!([tips(0.01, 40.0), tips(-0.01, 10.0), tips(100.0, 10.0)], [None; 3]);
    }
}
