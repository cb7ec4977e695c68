//! The data of the linear baselines, scaled as a fit scales it, and how well a code of few numbers reproduces held-out rows.
//!
//! A baseline on other rows, another scale or another definition of explained variance than the fit is no baseline, and two that
//! each bring their own bookkeeping drift apart. Both here are nested: the best n functions begin with the best n − 1, so one
//! pass over the held-out rows judges every n.

use super::super::explained_variance::{explained_share, total_variation};
use super::super::source::{Source, prepare};
use crate::record::UserError;
use serde::{Deserialize, Serialize};

/// Rows that [`accumulate`] takes at once.
const BLOCK: usize = 4;

/// What a baseline is given. Sources may have different widths.
#[derive(Debug, Clone, Copy)]
pub struct BaselineInput<'a> {
    /// Raw activations of each source over the same rows.
    pub sources: &'a [Source],
    /// Rows to learn from.
    pub fit: &'a [u32],
    /// Rows to be judged on.
    pub held: &'a [u32],
}

/// What a number of functions explains. All of them are active on every input: it is the L0 of the code too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explained {
    /// How many functions.
    pub functions: u32,
    /// Held-out explained variance per source, see [`super::super::explained_variance()`].
    pub explained_variance: Vec<f32>,
}

/// Prepared sources side by side, S of them with widths d_s, C = Σ d_s columns in all.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    /// d_s.
    pub(super) widths: Vec<usize>,
    /// Per source `[rows, d_s]`: centred on the fitted rows, one scale per source.
    pub(super) values: Vec<Vec<f32>>,
    pub(super) fit: &'a [u32],
    pub(super) held: &'a [u32],
}

impl<'a> Stage<'a> {
    /// # Errors
    /// If there are no sources, their rows differ, a side of the fold is empty or out of range, or a source cannot be prepared.
    pub(super) fn new(input: &BaselineInput<'a>) -> Result<Self, UserError> {
        let rows_of = |source: &Source| source.values.len().checked_div(source.width).unwrap_or(0);
        let rows = input.sources.first().map_or(0, rows_of);
        let fits = |source: &Source| rows_of(source) == rows && source.values.len() == rows * source.width;
        if rows == 0 || !input.sources.iter().all(fits) {
            return Err(UserError::new("The sources are not of the same inputs", "Choose sources of a single task"));
        }
        let is_in_range = |side: &[u32]| !side.is_empty() && side.iter().all(|row| (*row as usize) < rows);
        if !is_in_range(input.fit) || !is_in_range(input.held) {
            return Err(UserError::new(
                format!("{} inputs remain for fitting, {} are held out", input.fit.len(), input.held.len()),
                "Hold out at least one input, and not all",
            ));
        }
        let widths: Vec<usize> = input.sources.iter().map(|source| source.width).collect();
        let mut values = Vec::with_capacity(widths.len());
        for source in input.sources {
            let mut block = prepare(source)?.values;
            centre(&mut block, source.width, input.fit);
            values.push(block);
        }
        Ok(Self { widths, values, fit: input.fit, held: input.held })
    }

    /// C.
    pub(super) fn columns(&self) -> usize {
        self.widths.iter().sum()
    }

    /// Rows `[rows, C]` in f64, padded with zeros to a multiple of [`BLOCK`] rows.
    pub(super) fn gather(&self, rows: &[u32]) -> Vec<f64> {
        let columns = self.columns();
        let mut gathered = Vec::with_capacity(rows.len().next_multiple_of(BLOCK) * columns);
        for &row in rows {
            for (values, width) in self.values.iter().zip(&self.widths) {
                gathered.extend(values[row as usize * width..][..*width].iter().map(|x| f64::from(*x)));
            }
        }
        gathered.resize(rows.len().next_multiple_of(BLOCK) * columns, 0.0);
        gathered
    }

    /// What x̂ = Σ_{j<n} score_j·loading_j explains of each source on the held-out rows, for every n of `counts`.
    ///
    /// `scores` gives the scores of the held-out row of this place, with its values `[C]`; `loadings` is `[n, C]` for the largest
    /// n, and the same for all smaller ones.
    pub(super) fn judge(
        &self,
        mut scores: impl FnMut(usize, &[f64]) -> Vec<f64>,
        loadings: &[f64],
        counts: &[usize],
    ) -> Vec<Explained> {
        let columns = self.columns();
        let mut marks = counts.to_vec();
        marks.sort_unstable();
        marks.dedup();
        let mut residuals = vec![vec![0.0; self.widths.len()]; marks.len()];
        for (place, row) in self.held.iter().enumerate() {
            let mut left = self.gather(core::slice::from_ref(row));
            left.truncate(columns);
            let scores = scores(place, &left);
            let mut made = 0;
            for (mark, residuals) in marks.iter().zip(&mut residuals) {
                for (score, loading) in scores[made..*mark].iter().zip(loadings[made * columns..].chunks_exact(columns)) {
                    left.iter_mut().zip(loading).for_each(|(x, v)| *x -= score * v);
                }
                made = *mark;
                let mut rest = left.as_slice();
                for (sum, width) in residuals.iter_mut().zip(&self.widths) {
                    let (own, others) = rest.split_at(*width);
                    *sum += own.iter().map(|x| x * x).sum::<f64>();
                    rest = others;
                }
            }
        }
        let variation = |(values, width): (&Vec<f32>, &usize)| {
            let held: Vec<f32> = self.held.iter().flat_map(|row| &values[*row as usize * width..][..*width]).copied().collect();
            total_variation(&held, *width)
        };
        let totals: Vec<f64> = self.values.iter().zip(&self.widths).map(variation).collect();
        let explained = |count: &usize| {
            let residuals = &residuals[marks.binary_search(count).unwrap_or(0)];
            let shares = residuals.iter().zip(&totals).map(|(residual, total)| explained_share(*residual, *total) as f32);
            Explained { functions: *count as u32, explained_variance: shares.collect() }
        };
        counts.iter().map(explained).collect()
    }
}

/// Subtracts the mean over the rows `fit` from `values` `[rows, width]`.
///
/// Preparation centres on all rows; the mean of held-out rows is not known to what is learned from the others.
fn centre(values: &mut [f32], width: usize, fit: &[u32]) {
    let mut mean = vec![0.0f64; width];
    for row in fit {
        let row = &values[*row as usize * width..][..width];
        mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
    }
    mean.iter_mut().for_each(|sum| *sum /= fit.len() as f64);
    for row in values.chunks_exact_mut(width) {
        row.iter_mut().zip(&mean).for_each(|(x, mean)| *x = (f64::from(*x) - mean) as f32);
    }
}

/// Adds Σ_r left[r, i]·right[r, j] to `sums` `[left's columns, columns]`; `left` and `right` have a multiple of [`BLOCK`] rows.
/// With `upper` only where j ≥ i.
///
/// Four rows at a time, because one pass over `sums` per row would be bound by memory.
pub(super) fn accumulate(sums: &mut [f64], left: &[f64], right: &[f64], columns: usize, upper: bool) {
    let left_columns = sums.len() / columns.max(1);
    let blocks = left.chunks_exact(BLOCK * left_columns.max(1)).zip(right.chunks_exact(BLOCK * columns.max(1)));
    for (left, right) in blocks {
        let (r01, r23) = right.split_at(2 * columns);
        let ((r0, r1), (r2, r3)) = (r01.split_at(columns), r23.split_at(columns));
        for (i, sums) in sums.chunks_exact_mut(columns.max(1)).enumerate() {
            let [l0, l1, l2, l3] = [0, 1, 2, 3].map(|row| left[row * left_columns + i]);
            let from = if upper { i } else { 0 };
            let rows = r0[from..].iter().zip(&r1[from..]).zip(r2[from..].iter().zip(&r3[from..]));
            for (sum, ((x0, x1), (x2, x3))) in sums[from..].iter_mut().zip(rows) {
                *sum += (l0 * x0 + l1 * x1) + (l2 * x2 + l3 * x3);
            }
        }
    }
}

/// Refuses numbers of functions above `most`, which is as many as `why` allows.
///
/// # Errors
/// In that case.
pub(super) fn within(counts: &[usize], most: usize, why: &str) -> Result<usize, UserError> {
    let largest = counts.iter().copied().max().unwrap_or(0);
    if largest > most {
        return Err(UserError::new(format!("{largest} functions are more than {why}"), format!("Use at most {most}")));
    }
    Ok(largest)
}

#[cfg(test)]
mod tests {
    use super::super::super::source::Place;
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    fn noise(count: usize) -> Vec<f32> {
        Stream::new(6, Purpose::Planted, 0).normals(count, 1.0)
    }

    #[test]
    fn products_are_the_plain_sums() {
        let (rows, m, n) = (12, 3, 5);
        let left: Vec<f64> = noise(rows * m).iter().map(|x| f64::from(*x)).collect();
        let right: Vec<f64> = noise(rows * n).iter().map(|x| f64::from(*x) + 0.5).collect();
        let mut sums = vec![1.0; m * n];
        accumulate(&mut sums, &left, &right, n, false);
        let mut upper = vec![0.0; n * n];
        accumulate(&mut upper, &right, &right, n, true);
        let plain = |x: &[f64], i: usize, m: usize, j: usize| (0..rows).map(|r| x[r * m + i] * right[r * n + j]).sum::<f64>();
        for j in 0..n {
            assert!((0..m).all(|i| (sums[i * n + j] - 1.0 - plain(&left, i, m, j)).abs() < 1e-12));
            assert!((0..=j).all(|i| (upper[i * n + j] - plain(&right, i, n, j)).abs() < 1e-12));
            assert!((j + 1..n).all(|i| upper[i * n + j].abs() < 1e-12), "below the diagonal nothing is added");
        }
    }

    #[test]
    fn no_functions_predict_the_mean_of_the_fitted_rows() {
        let sources = [
            Source { step: 0, width: 2, values: noise(80), place: Place::default() },
            Source { step: 1, width: 1, values: noise(40), place: Place::default() },
        ];
        let (fit, held): (Vec<u32>, Vec<u32>) = (0..40).partition(|row| row % 4 != 0);
        let stage = Stage::new(&BaselineInput { sources: &sources, fit: &fit, held: &held }).unwrap();
        let found = stage.judge(|_, _| Vec::new(), &[], &[0]);
        for (source, explained) in sources.iter().zip(&found[0].explained_variance) {
            let d = source.width;
            let of = |rows: &[u32]| rows.iter().flat_map(|r| &source.values[*r as usize * d..][..d]).copied().collect::<Vec<_>>();
            let fitted = of(&fit);
            let mean: Vec<f32> = (0..d).map(|k| fitted.iter().skip(k).step_by(d).sum::<f32>() / fit.len() as f32).collect();
            let expected = super::super::super::explained_variance(&of(&held), &mean.repeat(held.len()), d);
            assert!((f64::from(*explained) - expected).abs() < 1e-5, "{explained} {expected}");
            assert!(*explained <= 0.0);
        }
    }

    #[test]
    fn sources_and_folds_that_do_not_fit_are_refused() {
        let source = |rows: usize| Source { step: 0, width: 2, values: noise(2 * rows), place: Place::default() };
        let (two, uneven) = ([source(9), source(9)], [source(9), source(8)]);
        let new = |sources, fit, held| Stage::new(&BaselineInput { sources, fit, held }).map(|_| ()).map_err(|e| e.cause);
        assert_eq!(new(&two, &[0, 1], &[8]), Ok(()));
        assert!(new(&uneven, &[0, 1], &[2]).unwrap_err().contains("same inputs"));
        assert!(new(&[], &[0], &[1]).unwrap_err().contains("same inputs"));
        for (fit, held) in [(&[][..], &[1][..]), (&[1], &[]), (&[0], &[9])] {
            assert!(new(&two, fit, held).unwrap_err().contains("held out"));
        }
    }
}
