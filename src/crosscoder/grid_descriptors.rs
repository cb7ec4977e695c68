//! What a latent looks like on the grid of a cyclic task: which way its stripes run, and how wide its residue bump is.
//!
//! η² over one quantity cannot say that nothing fits: a latent that fires on scattered trained pairs and one that reads a and b
//! together may both have four small η². The waves of the grid add up, so what is left over is a number too. A fit of the
//! additive model by least squares was not needed: its four parts are orthogonal on the full grid, and their waves known. For
//! the answer itself a bump over residues is described, not a frequency: a sparse code makes bumps (see the page's text).

use crate::measure::{PlaneWaves, Wave};
use crate::task::Dataset;
use serde::{Deserialize, Serialize};

/// A residue counts as active when its mean activation is at least this share of the peak's. Our choice: a tenth of the peak is
/// visible in a heat-map.
pub const ACTIVE_RESIDUE_FROM: f64 = 0.1;
/// Activations whose deviations carry less than this share of their energy are constant: f32 leaves about 1e-14.
const CONSTANT_BELOW: f64 = 1e-12;

/// A latent on the p × p grid of residues. Shares are of the power of its two-dimensional Fourier transform without the constant,
/// so each of the first four equals η² of that quantity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GridDescriptors {
    /// Share of the waves v = 0: functions of a.
    pub share_a: f32,
    /// Share of the waves u = 0: functions of b.
    pub share_b: f32,
    /// Share of the waves u = v: functions of a + b.
    pub share_sum: f32,
    /// Share of the waves u = −v: functions of a − b. For even p the wave (p/2, p/2) belongs to the sum too.
    pub share_difference: f32,
    /// Memorisation index: the share of all other waves. It is 1 − R² of the best fit α(a) + β(b) + γ(a + b) + δ(a − b) by least
    /// squares over all p² pairs.
    pub memorisation: f32,
    /// Share of the strongest wave, its conjugate included.
    pub concentration: f32,
    /// Frequencies (u, v) of the strongest wave cos 2π(ua + vb + phase)/p.
    pub strongest_wave: [i16; 2],
    /// The answer with the largest mean activation.
    pub peak_residue: u16,
    /// The smallest number of answers that together carry half of the activation, as a share of p.
    pub bump_width: f32,
    /// Share of the answers whose mean activation is at least a tenth of the peak's.
    pub active_residues: f32,
}

/// The grid of a task whose answer is a + b or a − b modulo p, up to signs and a constant, over all p² pairs in a-major order.
#[derive(Debug, Clone)]
pub(super) struct ResidueGrid<'a> {
    data: &'a Dataset,
    waves: PlaneWaves,
}

impl<'a> ResidueGrid<'a> {
    /// The grid of `data`; `None` for any other task, whose quantities these are not.
    pub(super) fn of(data: &'a Dataset) -> Option<Self> {
        let p = data.sizes.tokens as usize;
        let is_square = p > 1 && data.sizes.classes as usize == p && data.rows.len() == p * p;
        let is_linear = |sign_a: usize, sign_b: usize| {
            let start = data.rows.first().map_or(0, |row| usize::from(row.label));
            data.rows.iter().enumerate().all(|(place, row)| {
                let (a, b) = (place / p, place % p);
                (usize::from(row.a), usize::from(row.b)) == (a, b)
                    && usize::from(row.label) == (start + sign_a * a + sign_b * b) % p
            })
        };
        let signs = || [1, p - 1].into_iter();
        let is_residue_grid = is_square && signs().any(|sign_a| signs().any(|sign_b| is_linear(sign_a, sign_b)));
        is_residue_grid.then(|| Self { data, waves: PlaneWaves::new(p) })
    }

    /// Describes `values` `[rows]`, non-negative; `None` if they are constant. Costs p³ operations, and fewer for sparse values.
    pub(super) fn describe(&self, values: &[f32]) -> Option<GridDescriptors> {
        let p = self.data.sizes.tokens as usize;
        let waves = self.waves.energies(values);
        let total: f64 = waves.iter().map(|wave| wave.energy).sum();
        let energy: f64 = values.iter().map(|&f| f64::from(f) * f64::from(f)).sum();
        if total <= CONSTANT_BELOW * energy {
            return None;
        }
        let is_sum = |w: &Wave| w.u == w.v;
        let is_difference = |w: &Wave| w.u == -w.v || (is_sum(w) && 2 * w.u as usize == p);
        let share = |is_in: &dyn Fn(&Wave) -> bool| {
            (waves.iter().filter(|wave| is_in(wave)).map(|wave| wave.energy).sum::<f64>() / total) as f32
        };
        let strongest = waves.iter().max_by(|x, y| x.energy.total_cmp(&y.energy))?;
        let (peak_residue, bump_width, active_residues) = self.bump(values, p);
        Some(GridDescriptors {
            share_a: share(&|w| w.v == 0),
            share_b: share(&|w| w.u == 0),
            share_sum: share(&is_sum),
            share_difference: share(&is_difference),
            memorisation: share(&|w| w.u != 0 && w.v != 0 && !is_sum(w) && !is_difference(w)),
            concentration: (strongest.energy / total) as f32,
            strongest_wave: [strongest.u, strongest.v],
            peak_residue,
            bump_width,
            active_residues,
        })
    }

    /// Peak, width and active share over the answers.
    fn bump(&self, values: &[f32], p: usize) -> (u16, f32, f32) {
        // Every answer has p rows, so sums compare as means do.
        let mut mass = vec![0.0; p];
        values.iter().zip(&self.data.rows).for_each(|(&f, row)| mass[usize::from(row.label)] += f64::from(f));
        let peak = (0..p).fold(0, |peak, residue| if mass[residue] > mass[peak] { residue } else { peak });
        let active = mass.iter().filter(|m| **m >= ACTIVE_RESIDUE_FROM * mass[peak]).count();
        let half = mass.iter().sum::<f64>() / 2.0;
        mass.sort_by(|x, y| y.total_cmp(x));
        let mut carried = 0.0;
        let width = mass.iter().take_while(|m| (carried < half, carried += **m).0).count();
        (peak as u16, width as f32 / p as f32, active as f32 / p as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};
    use crate::measure::eta_squared;
    use crate::task::{Row, Sizes};
    use core::f64::consts::TAU;
    use nalgebra::{DMatrix, DVector};

    fn task(p: u16, answer: impl Fn(u16, u16) -> u16) -> Dataset {
        let rows: Vec<Row> =
            (0..p).flat_map(|a| (0..p).map(move |b| (a, b))).map(|(a, b)| Row { a, b, label: answer(a, b) }).collect();
        let sizes = Sizes { rows: rows.len() as u32, tokens: p.into(), width: 0, classes: p.into() };
        Dataset { sizes, rows, ..Dataset::default() }
    }

    fn addition(p: u16) -> Dataset {
        task(p, |a, b| (a + b) % p)
    }

    fn of(data: &Dataset, f: impl Fn(usize, usize) -> f64) -> GridDescriptors {
        let values: Vec<f32> = data.rows.iter().map(|row| f(row.a.into(), row.b.into()) as f32).collect();
        ResidueGrid::of(data).unwrap().describe(&values).unwrap()
    }

    fn shares(d: &GridDescriptors) -> [f32; 5] {
        [d.share_a, d.share_b, d.share_sum, d.share_difference, d.memorisation]
    }

    fn close(found: [f32; 5], expected: [f32; 5]) -> bool {
        found.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-5)
    }

    #[test]
    fn a_residue_indicator_is_all_sum_and_one_residue_wide() {
        let found = of(&addition(31), |a, b| f64::from((a + b) % 31 == 7));
        assert!(close(shares(&found), [0.0, 0.0, 1.0, 0.0, 0.0]), "{found:?}");
        // Closed form: an indicator has the same power at all (p − 1)/2 frequencies.
        assert!((found.concentration - 1.0 / 15.0).abs() < 1e-6, "{found:?}");
        assert_eq!((found.peak_residue, found.bump_width, found.active_residues), (7, 1.0 / 31.0, 1.0 / 31.0));
    }

    #[test]
    fn a_raised_cosine_over_the_answer_is_one_wave() {
        let found = of(&addition(31), |a, b| 1.0 + libm::cos(TAU * 4.0 * (a as f64 + b as f64 - 9.0) / 31.0));
        assert!(close(shares(&found), [0.0, 0.0, 1.0, 0.0, 0.0]) && (found.concentration - 1.0).abs() < 1e-5, "{found:?}");
        assert_eq!((found.strongest_wave, found.peak_residue), ([4, 4], 9));
        // 1 + cos x is at least a tenth of its peak where cos x ≥ −.8, on .795 of the circle; half of its mass lies where
        // |x| < x₀ with x₀ + sin x₀ = π/2, x₀ = .832, on .265 of the circle. Both within one of 31 residues.
        assert!((found.active_residues - 0.795).abs() < 1.0 / 31.0 && (found.bump_width - 0.265).abs() < 1.0 / 31.0, "{found:?}");
    }

    #[test]
    fn rows_columns_and_differences_have_their_own_waves() {
        for p in [7, 31] {
            let data = addition(p as u16);
            let on = |f: fn(usize, usize, usize) -> usize| of(&data, |a, b| f64::from(f(a, b, p) == 2));
            assert!(close(shares(&on(|a, _, _| a)), [1.0, 0.0, 0.0, 0.0, 0.0]));
            assert!(close(shares(&on(|_, b, _| b)), [0.0, 1.0, 0.0, 0.0, 0.0]));
            assert!(close(shares(&on(|a, b, p| (a + p - b) % p)), [0.0, 0.0, 0.0, 1.0, 0.0]));
        }
    }

    #[test]
    fn products_have_their_closed_form() {
        // cos x · cos y = ½cos(x + y) + ½cos(x − y): half sum, half difference, nothing of a or b.
        let wave = |k: f64, x: usize| libm::cos(TAU * k * x as f64 / 31.0);
        let found = of(&addition(31), |a, b| 2.0 + wave(3.0, a) * wave(3.0, b));
        assert!(close(shares(&found), [0.0, 0.0, 0.5, 0.5, 0.0]) && (found.concentration - 0.5).abs() < 1e-5, "{found:?}");
        // With two frequencies the waves are (3, ±5), on none of the four lines.
        let found = of(&addition(31), |a, b| 2.0 + wave(3.0, a) * wave(5.0, b));
        assert!(close(shares(&found), [0.0, 0.0, 0.0, 0.0, 1.0]), "{found:?}");
        // One pair: power 1 at each of the p² − 1 frequencies, p − 1 of them on each line.
        let found = of(&addition(31), |a, b| f64::from((a, b) == (3, 8)));
        let line = 30.0 / 960.0;
        assert!(close(shares(&found), [line, line, line, line, 1.0 - 4.0 * line]), "{found:?}");
    }

    #[test]
    fn shares_are_eta_squared_and_the_rest_is_what_least_squares_leaves() {
        for p in [5u16, 6, 7, 8] {
            let data = addition(p);
            let values: Vec<f32> =
                Stream::new(2, Purpose::Planted, p.into()).normals(data.rows.len(), 1.0).iter().map(|v| v.abs()).collect();
            let found = ResidueGrid::of(&data).unwrap().describe(&values).unwrap();
            let eta = eta_squared(&values, &data.rows, p.into());
            assert!(close([eta.a, eta.b, eta.sum, eta.difference, found.memorisation], shares(&found)), "{found:?} {eta:?}");
            // Reference: indicators of the four quantities, solved by singular values (the model is not of full rank).
            let n = usize::from(p);
            let quantity = |row: &Row| {
                let (a, b) = (usize::from(row.a), usize::from(row.b));
                [a, n + b, 2 * n + (a + b) % n, 3 * n + (a + n - b) % n]
            };
            let design = DMatrix::from_fn(n * n, 4 * n, |row, column| f64::from(quantity(&data.rows[row]).contains(&column)));
            let y = DVector::from_iterator(n * n, values.iter().map(|v| f64::from(*v)));
            let fit = &design * design.clone().svd(true, true).solve(&y, 1e-9).unwrap();
            let left = (&y - fit).norm_squared() / y.add_scalar(-y.mean()).norm_squared();
            assert!((f64::from(found.memorisation) - left).abs() < 1e-5, "p = {p}: {} {left}", found.memorisation);
        }
    }

    #[test]
    fn only_sums_and_differences_over_all_pairs_are_described() {
        assert!(ResidueGrid::of(&task(7, |a, b| (a + 7 - b) % 7)).is_some());
        assert!(ResidueGrid::of(&task(7, |a, b| (14 + 3 - a - b) % 7)).is_some());
        assert!(ResidueGrid::of(&task(7, |a, b| a * b % 7)).is_none());
        assert!(ResidueGrid::of(&task(7, |a, b| (2 * a + b) % 7)).is_none());
        let mut fewer = addition(7);
        fewer.rows.pop();
        assert!(ResidueGrid::of(&fewer).is_none());
        let mut shuffled = addition(7);
        shuffled.rows.swap(1, 7);
        assert!(ResidueGrid::of(&shuffled).is_none());
        assert!(ResidueGrid::of(&Dataset::default()).is_none());
    }

    #[test]
    fn the_bump_is_over_the_answer_and_a_constant_has_none() {
        let difference = task(7, |a, b| (a + 7 - b) % 7);
        let found = of(&difference, |a, b| [0.0, 1.0, 4.0, 2.0, 0.3, 0.5, 0.0][(a + 7 - b) % 7]);
        // 4 of 7.8 is more than half; .4 is a tenth of the peak.
        assert_eq!((found.peak_residue, found.bump_width, found.active_residues), (2, 1.0 / 7.0, 4.0 / 7.0));
        let data = addition(7);
        let grid = ResidueGrid::of(&data).unwrap();
        assert!(grid.describe(&[0.3; 49]).is_none() && grid.describe(&[0.0; 49]).is_none());
    }
}
