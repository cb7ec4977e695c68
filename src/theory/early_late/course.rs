//! One flow from start to end, seen from both solutions, and when it went over from one to the other.

use super::super::separable::margin::{Separation, separate};
use super::super::separable::rows::{Rows, angle, norm};
use super::data::Data;
use super::flow::Flow;
use super::sparse::sparsest;
use crate::record::UserError;

/// Relative error per step of the flow; a hundredth of it changes curves by less than 1% (tested).
pub(super) const TOLERANCE: f64 = 1e-3;

/// Where the two phases lead on given rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ends {
    /// argmin ‖w‖₂ with z_i·w ≥ 1.
    pub early: Vec<f64>,
    /// argmin ‖w‖₁ with z_i·w ≥ 1.
    pub late: Vec<f64>,
    /// The larger relative duality gap of both.
    pub gap: f64,
}

impl Ends {
    /// Solves both programmes.
    ///
    /// # Errors
    /// If the rows are not separable.
    pub(super) fn of(rows: &Rows) -> Result<Self, UserError> {
        let inseparable =
            || UserError::new("No weights get all training rows right", "Use fewer rows or more dimensions, so that some do");
        // In the span of the rows, where the same problem has n dimensions instead of d.
        let (n, d) = (rows.len(), rows.dimension());
        let turned = (n < d).then(|| Rows::new(n, rows.matrix().transpose().qr().r().as_slice().to_vec()));
        let Separation::Separable(short) = separate(turned.as_ref().unwrap_or(rows)) else { return Err(inseparable()) };
        let sparse = sparsest(rows).ok_or_else(inseparable)?;
        Ok(Self { early: rows.combine(&short.multipliers), late: sparse.direction, gap: short.gap().abs().max(sparse.gap.abs()) })
    }
}

/// A moment of a flow as it is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    /// t of the flow.
    pub time: f64,
    /// Share of fresh rows that are right.
    pub accuracy: f64,
    /// Largest |w_j| over 2·u_j·v_j: far below 1, w is linear in what rows have pushed, and the network its kernel.
    pub bend: f64,
    /// Angle to the early solution, radians.
    pub to_early: f64,
    /// Angle to the late one.
    pub to_late: f64,
    /// Smallest margin over ‖w‖₂ as a share of the largest possible.
    pub early_margin: f64,
    /// Smallest margin over ‖w‖₁ as a share of the largest possible.
    pub late_margin: f64,
}

/// A flow, judged.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Course {
    /// α.
    pub start: f64,
    /// λ.
    pub decay: f64,
    /// Ascending in time.
    pub moments: Vec<Seen>,
}

impl Course {
    /// Follows the flow from `start` until (log α + `beyond`)/λ.
    ///
    /// # Errors
    /// If the stepping comes to no end.
    pub(super) fn follow(data: &Data, ends: &Ends, start: f64, decay: f64, beyond: f64) -> Result<Self, UserError> {
        let until = (libm::log(start) + beyond) / decay;
        let moments = Flow { rows: &data.train, start, decay, largest_step: 0.1 }.run(until, TOLERANCE).ok_or_else(|| {
            UserError::new(
                format!("The flow from α = {start} could not be followed to its end"),
                "Use a smaller start or a larger weight decay",
            )
        })?;
        let length = |w: &[f64]| w.iter().map(|x| x.abs()).sum::<f64>();
        let (widest, of_late) = (norm(&ends.early), length(&ends.late));
        let seen = |(time, w): (f64, &[f64])| {
            let smallest = data.train.smallest_margin(w);
            Seen {
                time,
                accuracy: data.accuracy(w),
                bend: w.iter().fold(0.0, |most: f64, x| most.max(x.abs()))
                    / (2.0 * start * start * libm::exp(-2.0 * decay * time)),
                to_early: angle(w, &ends.early),
                to_late: angle(w, &ends.late),
                early_margin: smallest / norm(w) * widest,
                late_margin: smallest / length(w) * of_late,
            }
        };
        // The start's first instants, of which there are many, are beside the point.
        let shown = moments.iter().filter(|moment| moment.time > 1e-3 / decay);
        Ok(Self { start, decay, moments: shown.map(|moment| seen((moment.time, &moment.weights))).collect() })
    }

    /// λt.
    pub(super) fn scaled(&self, moment: &Seen) -> f64 {
        self.decay * moment.time
    }

    /// log α, where the law has the switch in units of 1/λ.
    pub(super) fn law(&self) -> f64 {
        libm::log(self.start)
    }

    /// The plateau: half-way to the law's date.
    pub(super) fn plateau(&self) -> Option<&Seen> {
        self.moments.iter().take_while(|moment| self.scaled(moment) <= 0.5 * self.law()).last()
    }

    /// λt from which on the weights are nearer to the late solution than to the early one.
    pub(super) fn switch(&self) -> Option<f64> {
        self.last_rise(|moment| moment.to_early - moment.to_late)
    }

    /// λt from which on the test accuracy is nearer to that at the end than to that of the plateau.
    pub(super) fn half(&self) -> Option<f64> {
        let (plateau, last) = (self.plateau()?.accuracy, self.moments.last()?.accuracy);
        let side = (last - plateau).signum();
        self.last_rise(|moment| side * (moment.accuracy - 0.5 * (plateau + last)))
    }

    /// λt of the last change of sign of `value` from − to +, linear between moments; `None` if it does not end above 0.
    fn last_rise(&self, value: impl Fn(&Seen) -> f64) -> Option<f64> {
        let below = self.moments.iter().rposition(|moment| value(moment) <= 0.0)?;
        let (left, right) = (&self.moments[below], self.moments.get(below + 1)?);
        let share = -value(left) / (value(right) - value(left));
        Some(self.decay * (left.time + share * (right.time - left.time)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::EarlyLate;
    use super::*;
    use crate::theory::separable::rows::dot;

    #[test]
    fn both_solutions_hold_all_margins_and_neither_is_shorter_in_the_norm_of_the_other() {
        let data = Data::new(&EarlyLate { rows: 12, dimension: 40, ..EarlyLate::default() }, 0, 0);
        let ends = Ends::of(&data.train).unwrap();
        assert!(ends.gap < 1e-6, "{}", ends.gap);
        for w in [&ends.early, &ends.late] {
            assert!(data.train.smallest_margin(w) > 1.0 - 1e-8);
        }
        let length = |w: &[f64]| w.iter().map(|x| x.abs()).sum::<f64>();
        assert!(dot(&ends.early, &ends.early) <= dot(&ends.late, &ends.late));
        assert!(length(&ends.late) <= length(&ends.early));
    }

    #[test]
    fn a_change_of_sides_is_dated_between_its_moments() {
        let moment = |time: f64, to_late: f64| Seen {
            time,
            accuracy: 0.5,
            bend: 0.0,
            to_early: 1.0,
            to_late,
            early_margin: 0.0,
            late_margin: 0.0,
        };
        let moments = vec![moment(1.0, 2.0), moment(2.0, 0.9), moment(3.0, 1.5), moment(4.0, 0.5)];
        let course = Course { start: 10.0, decay: 0.5, moments };
        assert!((course.switch().unwrap() - 1.75).abs() < 1e-12);
        assert_eq!(Course { moments: course.moments[..3].to_vec(), ..course }.switch(), None);
    }
}
