//! Rows of a teacher for which one of the two phases is right, and how often given weights are right on fresh ones.

use super::super::separable::rows::{Rows, dot};
use super::{EarlyLate, Teacher};
use crate::experiment::randomness::{Purpose, Stream};

/// Training rows z = y·x, and what is right on fresh ones.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Data {
    /// `[n, d]`.
    pub train: Rows,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    /// Rows z = y·x.
    Drawn(Rows),
    /// z = γ·w* + a normal vector at right angles to w* = 1/√d.
    Normal {
        /// γ.
        separation: f64,
    },
}

impl Data {
    /// The `index`-th data set, with `test_rows` fresh rows on which weights are tried where there is no closed form.
    pub(super) fn new(settings: &EarlyLate, index: u64, test_rows: usize) -> Self {
        let mut stream = Stream::new(settings.seed, Purpose::Theory, index);
        let (n, d) = (settings.rows as usize, settings.dimension as usize);
        match settings.teacher {
            Teacher::Sparse => {
                let relevant = settings.relevant as usize;
                let mut draw = |count: usize| {
                    let values = (0..count).flat_map(|_| {
                        let x: Vec<f64> = (0..d).map(|_| if stream.uniform() < 0.5 { -1.0 } else { 1.0 }).collect();
                        let label = x[..relevant].iter().sum::<f64>().signum();
                        x.into_iter().map(move |x| label * x)
                    });
                    Rows::new(d, values.collect())
                };
                let train = draw(n);
                Self { train, test: Test::Drawn(draw(test_rows)) }
            }
            Teacher::Dense => {
                let values = (0..n).flat_map(|_| {
                    let x: Vec<f64> = (0..d).map(|_| stream.normal()).collect();
                    // From its own part along 1/√d to γ.
                    let shift = settings.separation / libm::sqrt(d as f64) - x.iter().sum::<f64>() / d as f64;
                    x.into_iter().map(move |x| x + shift)
                });
                Self { train: Rows::new(d, values.collect()), test: Test::Normal { separation: settings.separation } }
            }
        }
    }

    /// Rows with these training and test rows.
    pub(super) fn drawn(train: Rows, test: Rows) -> Self {
        Self { train, test: Test::Drawn(test) }
    }

    /// Share of fresh rows that `weights` get right, and of those at 0 half; NaN without fresh rows.
    pub(super) fn accuracy(&self, weights: &[f64]) -> f64 {
        match &self.test {
            Test::Drawn(rows) => {
                let right = |z: &[f64]| match dot(z, weights) {
                    m if m > 0.0 => 1.0,
                    m if m < 0.0 => 0.0,
                    _ => 0.5,
                };
                rows.iter().map(right).sum::<f64>() / rows.len() as f64
            }
            Test::Normal { separation } => {
                // y·x·w is normal with mean γ·w·w* and the length of the rest of w as its deviation.
                let along = weights.iter().sum::<f64>() / libm::sqrt(weights.len() as f64);
                let across = libm::sqrt((dot(weights, weights) - along * along).max(0.0));
                0.5 * libm::erfc(-separation * along / (across * core::f64::consts::SQRT_2))
            }
        }
    }

    /// Standard error of an accuracy; 0 where it is a closed form.
    pub(super) fn error(&self, accuracy: f64) -> f64 {
        match &self.test {
            Test::Drawn(rows) => libm::sqrt(accuracy * (1.0 - accuracy) / rows.len() as f64),
            Test::Normal { .. } => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_teacher_separates_its_rows_and_is_right_on_fresh_ones() {
        let sparse = EarlyLate::default();
        let data = Data::new(&sparse, 0, 400);
        let teacher: Vec<f64> = (0..sparse.dimension).map(|j| f64::from(u8::from(j < sparse.relevant))).collect();
        assert!(data.train.smallest_margin(&teacher) >= 1.0);
        assert_eq!(data.accuracy(&teacher), 1.0);
        assert!((data.accuracy(&vec![0.0; teacher.len()]) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn the_closed_form_of_the_dense_teacher_is_the_share_of_drawn_rows() {
        let settings = EarlyLate { teacher: Teacher::Dense, dimension: 40, rows: 4000, separation: 1.5, ..EarlyLate::default() };
        let data = Data::new(&settings, 0, 0);
        let ones = vec![1.0; 40];
        assert!(data.train.margins(&ones).iter().all(|m| (m / 40f64.sqrt() - 1.5).abs() < 1e-12));
        let weights: Vec<f64> = (0..40).map(|j| f64::from(j % 3) - 0.5).collect();
        let share = Data::drawn(data.train.clone(), data.train.clone()).accuracy(&weights);
        assert!((share - data.accuracy(&weights)).abs() < 4.0 * (0.25f64 / 4000.0).sqrt(), "{share} {}", data.accuracy(&weights));
    }
}
