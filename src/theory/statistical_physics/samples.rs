//! Samples of an order parameter by size, control and seed, and what is read off them cell by cell.
//!
//! A mean over seeds hides the two peaks that the whole question is about, so all seeds are kept and every number is formed anew in
//! each resample. Seeds of different cells must differ: with one seed reused along the control the cells of a curve would stray
//! together, and resampling each cell by itself would promise too narrow bands.

use crate::experiment::randomness::Stream;

/// The order parameter over seeds at one control.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    /// The control x.
    pub control: f64,
    /// m of each seed: |m| where m → −m is a symmetry, so that its two signs do not pass for two phases.
    pub values: Vec<f64>,
}

/// All cells of one size.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series {
    /// The size N that multiplies variances.
    pub size: f64,
    /// Its name in figures.
    pub name: String,
    /// Ascending in the control.
    pub cells: Vec<Cell>,
}

/// Moments of one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moments {
    /// ⟨m⟩.
    pub mean: f64,
    /// ⟨m²⟩ − ⟨m⟩².
    pub variance: f64,
    /// U₄ = 1 − ⟨m⁴⟩/(3⟨m²⟩²), of m as it is (Binder 1981).
    pub binder: f64,
    /// The same of m − ⟨m⟩: 0 for a normal m, 2/3 for two equally heavy sharp phases.
    pub centred: f64,
    /// Seeds.
    pub count: f64,
}

impl Moments {
    /// Of `(m, weight)`, weights adding up to 1; `count` seeds are behind it.
    pub fn of(weighted: impl Iterator<Item = (f64, f64)> + Clone, count: f64) -> Self {
        let about = |centre: f64| {
            weighted.clone().fold((0.0, 0.0, 0.0), |(first, second, fourth), (m, w)| {
                let (off, square) = (m - centre, (m - centre) * (m - centre));
                (first + w * off, second + w * square, fourth + w * square * square)
            })
        };
        let (mean, second, fourth) = about(0.0);
        let (_, variance, centred) = about(mean);
        Self {
            mean,
            variance,
            binder: 1.0 - fourth / (3.0 * second * second),
            centred: 1.0 - centred / (3.0 * variance * variance),
            count,
        }
    }

    /// Of seeds.
    pub fn of_seeds(values: &[f64]) -> Self {
        let weight = 1.0 / values.len() as f64;
        Self::of(values.iter().map(|m| (*m, weight)), values.len() as f64)
    }
}

/// Moments along the control at one size.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    /// N.
    pub size: f64,
    /// (control, moments), ascending.
    pub points: Vec<(f64, Moments)>,
}

impl Curve {
    /// Of the seeds as they are.
    pub fn of(series: &Series) -> Self {
        let points = series.cells.iter().map(|cell| (cell.control, Moments::of_seeds(&cell.values))).collect();
        Self { size: series.size, points }
    }

    /// Of as many seeds of each cell, drawn with replacement.
    pub fn resampled(series: &Series, stream: &mut Stream) -> Self {
        let mut drawn = Vec::new();
        let mut point = |cell: &Cell| {
            let count = cell.values.len() as u64;
            drawn.clear();
            drawn.extend((0..count).map(|_| cell.values[stream.below(count) as usize]));
            (cell.control, Moments::of_seeds(&drawn))
        };
        Self { size: series.size, points: series.cells.iter().map(&mut point).collect() }
    }

    /// χ = N·Var(m) at a point.
    pub fn susceptibility(&self, index: usize) -> f64 {
        self.size * self.points[index].1.variance
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::Purpose;
    use crate::measure::{binder_cumulant, susceptibility};

    #[test]
    fn moments_are_those_of_the_laboratorys_measures() {
        let values = [0.1, 0.4, 0.45, 0.9, 0.97];
        let found = Moments::of_seeds(&values);
        assert!((found.binder - binder_cumulant(&values).unwrap()).abs() < 1e-14);
        assert!((49.0 * found.variance - susceptibility(49.0, &values).unwrap()).abs() < 1e-12);
        let shifted: Vec<f64> = values.iter().map(|m| m - found.mean).collect();
        assert!((found.centred - binder_cumulant(&shifted).unwrap()).abs() < 1e-14);
    }

    #[test]
    fn two_equal_sharp_phases_have_a_centred_cumulant_of_two_thirds() {
        assert!((Moments::of_seeds(&[0.0, 0.8, 0.0, 0.8]).centred - 2.0 / 3.0).abs() < 1e-14);
        // Closed form for a share q of ones among zeros, U₄ = 1 − 1/(3q).
        assert!((Moments::of_seeds(&[0.0, 0.0, 0.0, 1.0]).binder + 1.0 / 3.0).abs() < 1e-14);
    }

    #[test]
    fn a_resample_draws_from_its_own_cell_only() {
        let cells = [0.0, 1.0].map(|m| Cell { control: m, values: vec![m; 9] }).to_vec();
        let series = Series { size: 10.0, name: "N = 10".into(), cells };
        let drawn = Curve::resampled(&series, &mut Stream::new(1, Purpose::Theory, 0));
        assert!(drawn.points.iter().all(|(control, found)| (found.mean - control).abs() < 1e-12 && found.variance < 1e-12));
    }
}
