//! Where tokens and answers stand on the cycle of a task.
//!
//! A picture of a latent over the answers shows a bump only in the order in which the network computes: for addition that of the
//! residues, for multiplication modulo a prime that of the powers of a primitive root, where a product is a sum of exponents.
//! In any other order a perfectly regular latent looks like noise.

use crate::experiment::Experiment;
use crate::measure::powers_of_primitive_root;
use crate::task::{Cycle, Row, rule_of};

/// The cycle of a task and the places of its tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskCycle {
    /// Tokens (and answers, which are of the same kind) in their order on the cycle, `[n]`.
    pub order: Vec<u16>,
    /// Whether places are exponents of a primitive root, not the residues themselves.
    pub is_of_exponents: bool,
    /// Place of each token; `None` for 0 under multiplication.
    places: Vec<Option<usize>>,
}

impl TaskCycle {
    /// The cycle of an experiment's task; `None` where the answer is linear on none.
    pub fn of(experiment: &Experiment) -> Option<Self> {
        match rule_of(experiment)?.cycle()? {
            Cycle::Additive(n) => Some(Self::in_order((0..u16::try_from(n).ok()?).collect(), false)),
            Cycle::Multiplicative(p) => {
                let powers = powers_of_primitive_root(p).ok()?;
                Some(Self::in_order(powers.into_iter().map(|power| power as u16).collect(), true))
            }
        }
    }

    fn in_order(order: Vec<u16>, is_of_exponents: bool) -> Self {
        let mut places = vec![None; order.iter().max().map_or(0, |most| usize::from(*most) + 1)];
        order.iter().enumerate().for_each(|(place, token)| places[usize::from(*token)] = Some(place));
        Self { order, is_of_exponents, places }
    }

    /// `values` `[rows]` on the square of places of (a, b), `[n, n]` a-major. `None` unless each of its pairs is a row exactly
    /// once; rows with a token off the cycle are left out.
    pub fn square(&self, values: &[f32], rows: &[Row]) -> Option<Vec<f32>> {
        let n = self.order.len();
        let mut square = vec![f32::NAN; n * n];
        let mut filled = 0;
        for (&value, row) in values.iter().zip(rows) {
            let place = |token: u16| self.places.get(usize::from(token)).copied().flatten();
            let (Some(a), Some(b)) = (place(row.a), place(row.b)) else { continue };
            filled += usize::from(square[a * n + b].is_nan());
            square[a * n + b] = value;
        }
        (filled == n * n && n > 1 && square.iter().all(|value| value.is_finite())).then_some(square)
    }

    /// `values` `[answers]` in the order of the cycle, `[n]`; NaN where there is none.
    pub fn around(&self, values: &[f32]) -> Vec<f32> {
        self.order.iter().map(|answer| values.get(usize::from(*answer)).copied().unwrap_or(f32::NAN)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{preset, with_value};
    use crate::task::Dataset;

    fn task(operation: &str, p: &str) -> Experiment {
        let start = preset("transformer-59-mirror").unwrap().experiment.clone();
        let start = with_value(&start, "task.operation", operation).unwrap();
        with_value(&start, "task.modulus", p).unwrap()
    }

    fn rows(experiment: &Experiment) -> Vec<Row> {
        Dataset::new(&experiment.task, experiment.seed).unwrap().rows
    }

    #[test]
    fn residues_stand_in_their_own_order_under_addition() {
        let experiment = task("add", "7");
        let (cycle, rows) = (TaskCycle::of(&experiment).unwrap(), rows(&experiment));
        assert_eq!((cycle.order.len(), cycle.is_of_exponents), (7, false));
        let values: Vec<f32> = rows.iter().map(|row| f32::from(10 * row.a + row.b)).collect();
        let square = cycle.square(&values, &rows).unwrap();
        assert_eq!(square[3 * 7 + 5], 35.0);
        assert_eq!(cycle.around(&[0.0, 1.0, 2.0])[..3], [0.0, 1.0, 2.0]);
        assert!(cycle.around(&[0.0])[1].is_nan());
    }

    #[test]
    fn a_function_of_a_product_is_a_function_of_the_sum_of_places() {
        let experiment = task("mul", "7");
        let (cycle, rows) = (TaskCycle::of(&experiment).unwrap(), rows(&experiment));
        // Powers of 3 modulo 7.
        assert_eq!((&cycle.order[..], cycle.is_of_exponents), (&[1, 3, 2, 6, 4, 5][..], true));
        let values: Vec<f32> = rows.iter().map(|row| f32::from(row.label)).collect();
        let square = cycle.square(&values, &rows).unwrap();
        for (cell, value) in square.iter().enumerate() {
            assert_eq!(*value, f32::from(cycle.order[(cell / 6 + cell % 6) % 6]), "{cell}");
        }
        assert_eq!(cycle.around(&[9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), [1.0, 3.0, 2.0, 6.0, 4.0, 5.0]);
    }

    #[test]
    fn a_square_with_a_hole_is_none() {
        let experiment = task("add", "7");
        let (cycle, mut rows) = (TaskCycle::of(&experiment).unwrap(), rows(&experiment));
        assert!(cycle.square(&[1.0; 48], &rows).is_none());
        rows[4] = rows[5];
        assert!(cycle.square(&[1.0; 49], &rows).is_none());
    }
}
