//! A Fourier basis of n functions: what a reader of the literature on modular addition would write down before any fit.
//!
//! A crosscoder that explains less than n plane waves has found a worse basis than the textbook's. The functions are cosines and
//! sines of 2π(ua + vb)/p; those that carry most power are taken, and each source's coefficients are found by least squares.
//!
//! Both steps see the fitted rows only. There are as many waves as rows: chosen on all rows, some would follow the noise of the
//! held-out ones, and pure noise would seem partly explained. Without the held-out rows waves are only nearly orthogonal, so a
//! wave seems to have some of its neighbours' power (about their share · held/(fitted rows)); this may exchange functions of
//! nearly equal power, and least squares gives those that are chosen their right coefficients.
//!
//! Rejected: cosine and sine always together, which is indifferent to the origin of the residues but wastes half of n on a
//! network that keeps its phases; and frequencies of a + b only, which could not describe a network before it generalises.

use super::super::grid_descriptors::ResidueGrid;
use super::stage::{BaselineInput, Explained, Stage, accumulate, within};
use crate::measure::PlaneWaves;
use crate::record::UserError;
use crate::task::{Dataset, Row};
use core::f64::consts::TAU;
use nalgebra::{Cholesky, DMatrix};
use serde::{Deserialize, Serialize};

/// The most functions that are fitted: least squares cost rows·n·(n/2 + C) for C columns.
pub const MAX_FUNCTIONS: usize = 1024;
/// Rows gathered at once, a multiple of the rows that are summed at once.
const CHUNK: usize = 256;

/// Which half of a wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// cos 2π(ua + vb)/p.
    Cosine,
    /// sin 2π(ua + vb)/p.
    Sine,
}

/// A function of the basis.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FourierFunction {
    /// Frequency along a, in 0..=⌊p/2⌋.
    pub u: i16,
    /// Frequency along b, in −⌊p/2⌋..=⌊p/2⌋.
    pub v: i16,
    /// Cosine or sine.
    pub phase: Phase,
    /// Its share of the variance of all sources on the fitted rows, each scaled as the fit scales it, as if it were orthogonal to
    /// the others there.
    pub share: f32,
}

/// A basis and what its first functions explain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FourierBasis {
    /// The largest number of functions asked for, those with most power first.
    pub functions: Vec<FourierFunction>,
    /// What the first n explain, for every n asked for.
    pub explained: Vec<Explained>,
}

/// What the n plane waves with most power explain of each source on the held-out rows, for every n of `counts`, in their order.
///
/// `data` are the inputs of the sources' rows. Costs 2p³ per column for the choice, and rows·n·(n/2 + C) for the coefficients.
///
/// # Errors
/// As for every baseline if the sources do not go together; for tasks other than a sum or difference of residues over all pairs;
/// if a count is above [`MAX_FUNCTIONS`], the number of functions, or half of the fitted rows.
pub fn fourier(input: &BaselineInput, data: &Dataset, counts: &[usize]) -> Result<FourierBasis, UserError> {
    if ResidueGrid::of(data).is_none() {
        return Err(UserError::new(
            "The answers of this task are no sums or differences of residues over all pairs, so plane waves are no basis of it",
            "Choose a + b or a − b modulo p, or compare with principal components",
        ));
    }
    let stage = Stage::new(input)?;
    let p = data.sizes.tokens as usize;
    if stage.values.iter().zip(&stage.widths).any(|(values, width)| values.len() != p * p * width) {
        return Err(UserError::new("The sources are not of this task's inputs", "Choose sources of this run"));
    }
    let waves = PlaneWaves::new(p);
    let most = (p * p - 1).min(stage.fit.len() / 2).min(MAX_FUNCTIONS);
    let largest = within(counts, most, &format!("can be told apart and fitted on {} inputs", stage.fit.len()))?;
    let functions = strongest(&stage, &waves, p, largest);
    let table = Table::new(&functions, p);
    let (scores, loadings) = least_squares(&stage, &table, &data.rows)
        .ok_or_else(|| UserError::new(format!("{largest} functions are not independent on the fitted inputs"), "Use fewer"))?;
    let columns = scores.nrows();
    let score = |place: usize, _: &[f64]| scores.as_slice()[place * columns..][..columns].to_vec();
    Ok(FourierBasis { explained: stage.judge(score, &loadings, counts), functions })
}

/// The `count` functions with the largest Σ over columns of (Σ over fitted rows of value · function)² / ‖function‖².
///
/// Norms are those on the whole grid times the share of fitted rows, which is right to about 1/√rows.
fn strongest(stage: &Stage, waves: &PlaneWaves, p: usize, count: usize) -> Vec<FourierFunction> {
    let mut powers: Vec<(i16, i16, [f64; 2])> = Vec::new();
    let (mut total, mut column_of_fit) = (0.0, vec![0.0f32; p * p]);
    for (values, width) in stage.values.iter().zip(&stage.widths) {
        for column in 0..*width {
            for row in stage.fit {
                let value = values[*row as usize * width + column];
                column_of_fit[*row as usize] = value;
                total += f64::from(value) * f64::from(value);
            }
            let sums = waves.sums(&column_of_fit);
            if powers.is_empty() {
                powers = sums.iter().map(|sums| (sums.u, sums.v, [0.0; 2])).collect();
            }
            for ((_, _, power), sums) in powers.iter_mut().zip(&sums) {
                power[0] += sums.cosine * sums.cosine;
                power[1] += sums.sine * sums.sine;
            }
        }
    }
    let fitted = stage.fit.len() as f64 / (p * p) as f64;
    let of_wave = |(u, v, power): (i16, i16, [f64; 2])| {
        let share = |power: f64| (power / (fitted * waves.squared_norm(u, v) * total)) as f32;
        let function = move |phase, power| FourierFunction { u, v, phase, share: share(power) };
        let sine = (!waves.is_alternating(u, v)).then(|| function(Phase::Sine, power[1]));
        core::iter::once(function(Phase::Cosine, power[0])).chain(sine)
    };
    let mut functions: Vec<FourierFunction> = powers.into_iter().flat_map(of_wave).collect();
    functions.sort_by(|x, y| y.share.total_cmp(&x.share));
    functions.truncate(count);
    functions
}

/// Functions of the basis by their values on one cycle.
struct Table<'a> {
    functions: &'a [FourierFunction],
    p: usize,
    /// cos and sin of 2πx/p.
    cycle: Vec<[f64; 2]>,
}

impl<'a> Table<'a> {
    fn new(functions: &'a [FourierFunction], p: usize) -> Self {
        let angle = |x: usize| TAU * x as f64 / p as f64;
        Self { functions, p, cycle: (0..p).map(|x| [libm::cos(angle(x)), libm::sin(angle(x))]).collect() }
    }

    /// Values of all functions at a pair.
    fn at<'b>(&'b self, row: &'b Row) -> impl Iterator<Item = f64> + 'b {
        let (p, a, b) = (self.p as i64, i64::from(row.a), i64::from(row.b));
        self.functions.iter().map(move |f| {
            let place = (i64::from(f.u) * a + i64::from(f.v) * b).rem_euclid(p);
            self.cycle[place as usize][usize::from(f.phase == Phase::Sine)]
        })
    }
}

/// Scores `[n, held]` and loadings `[n, C]` of functions made orthonormal on the fitted rows in their order, by G = L·Lᵀ for their
/// Gram matrix G: scores L⁻¹φ and loadings L⁻¹ΦᵀX reproduce φᵀG⁻¹ΦᵀX, and their first n those of the first n functions. φ is less
/// its mean over the fitted rows, which is what an intercept does. `None` if G is singular.
fn least_squares(stage: &Stage, table: &Table, rows: &[Row]) -> Option<(DMatrix<f64>, Vec<f64>)> {
    let (n, columns) = (table.functions.len(), stage.columns());
    let mut mean = vec![0.0; n];
    for row in stage.fit {
        mean.iter_mut().zip(table.at(&rows[*row as usize])).for_each(|(sum, value)| *sum += value);
    }
    mean.iter_mut().for_each(|sum| *sum /= stage.fit.len() as f64);
    let centred = |row: &u32| table.at(&rows[*row as usize]).zip(&mean).map(|(value, mean)| value - mean);
    let (mut gram, mut products) = (vec![0.0; n * n], vec![0.0; n * columns]);
    for rows in stage.fit.chunks(CHUNK) {
        let x = stage.gather(rows);
        let mut phi: Vec<f64> = rows.iter().flat_map(centred).collect();
        phi.resize(x.len() / columns * n, 0.0);
        accumulate(&mut gram, &phi, &phi, n, true);
        accumulate(&mut products, &phi, &x, columns, false);
    }
    // Row-major above the diagonal is column-major below it, which is what the factorisation reads.
    let lower = Cholesky::new(DMatrix::from_column_slice(n, n, &gram))?.unpack();
    let held = DMatrix::from_iterator(n, stage.held.len(), stage.held.iter().flat_map(centred));
    let loadings = lower.solve_lower_triangular(&DMatrix::from_row_slice(n, columns, &products))?;
    Some((lower.solve_lower_triangular(&held)?, loadings.transpose().as_slice().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::super::super::{Place, Source, explained_variance, folds};
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};
    use crate::task::Sizes;

    const P: u16 = 13;

    fn addition(p: u16) -> Dataset {
        let rows: Vec<Row> =
            (0..p).flat_map(|a| (0..p).map(move |b| (a, b))).map(|(a, b)| Row { a, b, label: (a + b) % p }).collect();
        let sizes = Sizes { rows: rows.len() as u32, tokens: p.into(), width: 0, classes: p.into() };
        Dataset { sizes, rows, ..Dataset::default() }
    }

    fn sides(data: &Dataset) -> (Vec<u32>, Vec<u32>) {
        folds(&data.rows.iter().map(|row| (row.a, row.b)).collect::<Vec<_>>(), 0.1, 1)
    }

    /// A source of this width whose columns are the waves in random sizes and phases, noise, and a constant.
    fn source(data: &Dataset, width: usize, waves: &[(i16, i16)], noise: f64, seed: u64) -> Source {
        let mut stream = Stream::new(seed, Purpose::Planted, 0);
        let mut values = stream.normals(data.rows.len() * width, noise);
        let p = f64::from(data.sizes.tokens);
        for column in 0..width {
            for &(u, v) in waves {
                let (size, phase) = (0.5 + stream.uniform(), TAU * stream.uniform());
                for (row, x) in data.rows.iter().zip(values.chunks_exact_mut(width)) {
                    let angle = TAU * (f64::from(u) * f64::from(row.a) + f64::from(v) * f64::from(row.b)) / p;
                    x[column] += (2.0 + size * libm::cos(angle + phase)) as f32;
                }
            }
        }
        Source { step: seed as u32, width, values, place: Place::default() }
    }

    #[test]
    fn twice_as_many_functions_as_waves_explain_all_held_out_rows_and_fewer_do_not() {
        let data = addition(P);
        let (fit, held) = sides(&data);
        let planted = [(3, 3), (2, -5), (0, 4), (6, 0)];
        let sources = [source(&data, 6, &planted, 0.0, 1), source(&data, 3, &planted[..2], 0.0, 2)];
        let input = BaselineInput { sources: &sources, fit: &fit, held: &held };
        let found = fourier(&input, &data, &[8, 4, 12, 0]).unwrap();
        let mut waves: Vec<(i16, i16)> = found.functions[..8].iter().map(|f| (f.u, f.v)).collect();
        waves.sort_unstable();
        waves.dedup();
        let mut expected = planted.to_vec();
        expected.sort_unstable();
        assert_eq!(waves, expected);
        assert!(found.explained[0].explained_variance.iter().all(|ev| *ev > 0.999), "{found:?}");
        assert!(found.explained[1].explained_variance[0] < 0.99, "{found:?}");
        assert!(found.explained[3].explained_variance.iter().all(|ev| *ev <= 0.0), "the mean alone: {found:?}");
        assert_eq!(fourier(&input, &data, &[0]).unwrap().explained[0], found.explained[3]);
        let shares: f32 = found.functions[..8].iter().map(|f| f.share).sum();
        assert!((shares - 1.0).abs() < 0.1, "{shares}");
        assert!(found.functions.is_sorted_by(|x, y| x.share >= y.share));
    }

    #[test]
    fn on_an_even_cycle_the_alternating_wave_is_one_function() {
        let data = addition(8);
        let (fit, held) = sides(&data);
        let sources = [source(&data, 5, &[(4, 4), (1, 1)], 0.0, 5)];
        let found = fourier(&BaselineInput { sources: &sources, fit: &fit, held: &held }, &data, &[3]).unwrap();
        assert!(found.explained[0].explained_variance[0] > 0.999, "{found:?}");
        let all = fourier(&BaselineInput { sources: &sources, fit: &fit, held: &held }, &data, &[27]).unwrap().functions;
        assert!(all.iter().all(|f| f.phase == Phase::Cosine || f.u % 4 != 0 || f.v % 4 != 0), "{all:?}");
    }

    #[test]
    fn noise_is_not_explained_on_held_out_rows_although_it_is_on_fitted_ones() {
        let data = addition(P);
        let (fit, held) = sides(&data);
        let sources = [source(&data, 4, &[], 1.0, 3)];
        let on = |held: &[u32]| {
            let found = fourier(&BaselineInput { sources: &sources, fit: &fit, held }, &data, &[40]).unwrap();
            found.explained[0].explained_variance[0]
        };
        assert!(on(&held) < 0.05 && on(&fit) > 0.3, "{} {}", on(&held), on(&fit));
    }

    #[test]
    fn coefficients_are_those_of_least_squares_with_an_intercept() {
        let data = addition(7);
        let (fit, held) = sides(&data);
        let sources = [source(&data, 3, &[(1, 2), (3, 3)], 0.5, 4)];
        let found = fourier(&BaselineInput { sources: &sources, fit: &fit, held: &held }, &data, &[5, 9]).unwrap();
        for (explained, n) in found.explained.iter().zip([5, 9]) {
            // Reference: singular values of the design with a column of ones, on raw activations.
            let table = Table::new(&found.functions[..n], 7);
            let design = |rows: &[u32]| {
                let values = |r: &u32| core::iter::once(1.0).chain(table.at(&data.rows[*r as usize])).collect::<Vec<_>>();
                DMatrix::from_row_iterator(rows.len(), n + 1, rows.iter().flat_map(values))
            };
            let raw = |rows: &[u32]| -> Vec<f32> {
                rows.iter().flat_map(|r| &sources[0].values[*r as usize * 3..][..3]).copied().collect()
            };
            let wide = |values: &[f32]| DMatrix::from_row_iterator(values.len() / 3, 3, values.iter().map(|x| f64::from(*x)));
            let coefficients = design(&fit).svd(true, true).solve(&wide(&raw(&fit)), 1e-12).unwrap();
            let x_hat: Vec<f32> = (design(&held) * coefficients).transpose().as_slice().iter().map(|x| *x as f32).collect();
            let expected = explained_variance(&raw(&held), &x_hat, 3);
            let found = f64::from(explained.explained_variance[0]);
            assert!((found - expected).abs() < 1e-4, "{n} functions: {found} {expected}");
        }
    }

    #[test]
    fn held_out_rows_change_neither_the_choice_nor_what_is_learned() {
        let data = addition(P);
        let (fit, held) = sides(&data);
        let mut sources = [source(&data, 4, &[(3, 3)], 0.7, 6)];
        let of = |sources: &[Source]| fourier(&BaselineInput { sources, fit: &fit, held: &held }, &data, &[6]).unwrap();
        let before = of(&sources);
        // Other values on held-out rows move the preparation's mean and scale, which cancel, and nothing else.
        held.iter().for_each(|row| sources[0].values[*row as usize * 4] += 3.0);
        let after = of(&sources);
        let chosen = |basis: &FourierBasis| basis.functions.iter().map(|f| (f.u, f.v, f.phase)).collect::<Vec<_>>();
        assert_eq!(chosen(&before), chosen(&after));
        let shares = before.functions.iter().zip(&after.functions);
        assert!(shares.clone().all(|(x, y)| (x.share - y.share).abs() < 1e-4), "{before:?} {after:?}");
    }

    #[test]
    fn tasks_without_residues_and_too_many_functions_are_refused() {
        let data = addition(7);
        let (fit, held) = sides(&data);
        let sources = [source(&data, 2, &[(1, 1)], 0.1, 4)];
        let input = BaselineInput { sources: &sources, fit: &fit, held: &held };
        let mut product = data.clone();
        product.rows.iter_mut().for_each(|row| row.label = row.a * row.b % 7);
        for other in [product, Dataset::default()] {
            assert!(fourier(&input, &other, &[2]).unwrap_err().cause.contains("no sums or differences"));
        }
        assert!(fourier(&input, &addition(5), &[2]).unwrap_err().cause.contains("not of this task"));
        let error = fourier(&input, &data, &[40]).unwrap_err();
        assert_eq!(error.remedy, format!("Use at most {}", fit.len() / 2));
    }
}
