//! What theory says of w(t), for the optimisers of which it says something.
//!
//! Figures and numbers ask this one place, so that no two of them predict different things. Where a part is a constant that theory
//! leaves open, it is read off the last measured weights, and [`Law::anchored`] says so.

use super::descent::Rule;
use super::margin::MaxMargin;
use super::offset::{Offset, Remainder};
use super::path::Moment;
use super::rows::{across, add, dot, norm, plus, within};

/// The prediction of w(t).
pub(super) struct Law {
    clock: Clock,
    /// ŵ.
    direction: Vec<f64>,
    /// ŵ₂, which grows with log log t.
    second: Option<Vec<f64>>,
    /// What stays.
    constant: Vec<f64>,
    /// What was read off the end of the measured path, in words; none: nothing.
    pub anchored: Option<&'static str>,
    /// Whether the angle to ŵ is predicted and not read off.
    pub predicts_angle: bool,
}

/// What grows along ŵ.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Clock {
    /// log t.
    Log,
    /// This times t.
    Steady(f64),
}

impl Law {
    /// The law of `rule` with step size `rate`; `None` if theory gives none.
    pub(super) fn of(rule: Rule, rate: f64, best: &MaxMargin, remainder: &Remainder, end: &Moment) -> Option<Self> {
        let direction = best.direction.clone();
        let left = |law: &Self| plus(&end.weights, -1.0, &law.at(end.step).unwrap_or_default());
        let open = |offset: &Offset, rest: Vec<f64>| {
            let inside = within(&offset.basis, &rest);
            plus(&rest, -1.0, &inside)
        };
        match (rule, remainder) {
            (Rule::Gradient | Rule::Momentum(_), Remainder::Constant(offset)) => {
                let mut law = Self {
                    clock: Clock::Log,
                    direction,
                    second: None,
                    constant: offset.vector.clone(),
                    anchored: None,
                    predicts_angle: offset.spans,
                };
                if !offset.spans {
                    let rest = open(offset, left(&law));
                    add(&mut law.constant, 1.0, &rest);
                    law.anchored = Some("its part across the span of the support vectors");
                }
                Some(law)
            }
            (Rule::Gradient | Rule::Momentum(_), Remainder::LogLog { second, .. }) => {
                let zeros = vec![0.0; direction.len()];
                let mut law = Self {
                    clock: Clock::Log,
                    direction,
                    second: Some(second.clone()),
                    constant: zeros,
                    anchored: None,
                    predicts_angle: false,
                };
                if end.step < 3.0 {
                    return None;
                }
                law.constant = left(&law);
                law.anchored = Some("its constant part");
                Some(law)
            }
            (Rule::Normalised, Remainder::Constant(offset)) => {
                let clock = Clock::Steady(rate * best.margin());
                let constant = across(&offset.vector, &direction);
                let mut law = Self { clock, direction, second: None, constant, anchored: None, predicts_angle: offset.spans };
                let rest = left(&law);
                let along = dot(&rest, &law.direction) / dot(&law.direction, &law.direction);
                add(&mut law.constant, along, &law.direction);
                if !offset.spans {
                    let rest = open(offset, rest);
                    add(&mut law.constant, 1.0, &rest);
                }
                law.anchored = Some("its constant along ŵ");
                Some(law)
            }
            _ => None,
        }
    }

    /// w(t); `None` where the law has no value yet (log log t for t < e).
    pub(super) fn at(&self, step: f64) -> Option<Vec<f64>> {
        let log = libm::log(step);
        let grown = match self.clock {
            Clock::Log => log,
            Clock::Steady(pace) => pace * step,
        };
        let mut w = plus(&self.constant, grown, &self.direction);
        if let Some(second) = &self.second {
            if log <= 1.0 {
                return None;
            }
            add(&mut w, libm::log(log), second);
        }
        Some(w)
    }

    /// The prediction of ‖w‖ that is named in textbooks, ‖ŵ‖·(log t or its like) + the constant along ŵ; with log log t, that of the
    /// whole vector.
    pub(super) fn norm(&self, step: f64) -> Option<f64> {
        let w = self.at(step)?;
        Some(if self.second.is_some() { norm(&w) } else { dot(&w, &self.direction) / norm(&self.direction) })
    }

    /// Whether w ≈ ŵ log t.
    pub(super) fn is_logarithmic(&self) -> bool {
        self.clock == Clock::Log
    }
}
