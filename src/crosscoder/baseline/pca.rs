//! Joint principal components: the best that any linear code of n numbers can do on the rows that it was fitted to.
//!
//! Without them a dictionary of hundreds of latents passes for an insight where a dozen dense numbers do the same. Components are
//! of all sources side by side, because a crosscoder's code is one for all sources too. The eigenvalue problem is that of the
//! covariance of columns or of the Gram matrix of rows, whichever is smaller. Rejected: components of each source by itself,
//! which have S codes; and iterating for the leading ones, which is no faster at these sizes when many are asked for.

use super::stage::{BaselineInput, Explained, Stage, accumulate, within};
use crate::record::UserError;
use nalgebra::{DMatrix, SymmetricEigen};

/// The largest eigenvalue problem that is solved: of the smaller of fitted rows and columns.
pub const MAX_SIDE: usize = 1536;
/// Components with less than this share of the largest variance are rounding; f32 activations leave about 1e-14.
const NOTHING_BELOW: f64 = 1e-12;
/// Rows gathered at once, a multiple of the rows that are summed at once.
const CHUNK: usize = 256;

/// What the first n joint principal components explain of each source on the held-out rows, for every n of `counts`, in their
/// order. x̂ = mean + V·Vᵀ(x − mean), with mean and V `[C, n]` of the fitted rows, sources scaled as the fit scales them.
///
/// Costs rows·C²/2 for the covariance of C columns (rows²·C/2 for fewer rows than columns) and about 10·side³ for its
/// eigenvectors.
///
/// # Errors
/// As for every baseline if the sources do not go together; if the smaller side is above [`MAX_SIDE`], with what fits; if a count
/// is above the rank that the fitted rows can have.
pub fn pca(input: &BaselineInput, counts: &[usize]) -> Result<Vec<Explained>, UserError> {
    let stage = Stage::new(input)?;
    let (rows, columns) = (stage.fit.len(), stage.columns());
    let side = rows.min(columns);
    if side > MAX_SIDE {
        return Err(too_large(&stage));
    }
    let most = columns.min(rows.saturating_sub(1));
    let largest = within(counts, most, &format!("{columns} coordinates on {rows} fitted inputs have directions"))?;
    let components = if columns <= rows { by_columns(&stage, largest) } else { by_rows(&stage, largest) };
    let scores = |_: usize, row: &[f64]| components.chunks_exact(columns).map(|v| dot(v, row)).collect();
    Ok(stage.judge(scores, &components, counts))
}

fn too_large(stage: &Stage) -> UserError {
    let (rows, columns) = (stage.fit.len(), stage.columns());
    let cause = format!(
        "Principal components of {columns} coordinates on {rows} fitted inputs are too large a problem (at most {MAX_SIDE} of either)"
    );
    let mut total = 0;
    let fitting = stage.widths.iter().take_while(|width| (total += **width, total <= MAX_SIDE).1).count();
    let remedy = match fitting {
        0 => format!("Choose a hook of at most {MAX_SIDE} activations"),
        1 => "Use one source".to_owned(),
        _ => format!("Use {fitting} sources"),
    };
    UserError::new(cause, remedy)
}

/// The first `count` eigenvectors `[count, C]` of the covariance of columns.
fn by_columns(stage: &Stage, count: usize) -> Vec<f64> {
    let columns = stage.columns();
    let mut covariance = vec![0.0; columns * columns];
    for rows in stage.fit.chunks(CHUNK) {
        let rows = stage.gather(rows);
        accumulate(&mut covariance, &rows, &rows, columns, true);
    }
    let mut components = Vec::with_capacity(count * columns);
    leading(&covariance, columns, count, |_, vector| components.extend_from_slice(vector));
    components.resize(count * columns, 0.0);
    components
}

/// The same by the Gram matrix of rows: its eigenvector w of eigenvalue s gives Xᵀw/√s.
fn by_rows(stage: &Stage, count: usize) -> Vec<f64> {
    let (columns, rows) = (stage.columns(), stage.fit.len());
    let values = stage.gather(stage.fit);
    let mut gram = vec![0.0; rows * rows];
    for (i, x) in values.chunks_exact(columns).take(rows).enumerate() {
        for (j, y) in values.chunks_exact(columns).enumerate().take(rows).skip(i) {
            gram[i * rows + j] = dot(x, y);
        }
    }
    let mut components = Vec::with_capacity(count * columns);
    leading(&gram, rows, count, |value, vector| {
        let start = components.len();
        components.resize(start + columns, 0.0);
        for (weight, x) in vector.iter().zip(values.chunks_exact(columns)) {
            let weight = weight / value.sqrt();
            components[start..].iter_mut().zip(x).for_each(|(sum, x)| *sum += weight * x);
        }
    });
    components.resize(count * columns, 0.0);
    components
}

/// Hands over the first `count` eigenvalues of a symmetric matrix, of which `upper` `[side, side]` holds the upper triangle, with
/// their unit eigenvectors, largest first; those that are rounding are left out.
fn leading(upper: &[f64], side: usize, count: usize, mut take: impl FnMut(f64, &[f64])) {
    // Row-major above the diagonal is column-major below it, which is what the solver reads.
    let eigen = SymmetricEigen::new(DMatrix::from_column_slice(side, side, upper));
    let mut order: Vec<usize> = (0..side).collect();
    order.sort_by(|x, y| eigen.eigenvalues[*y].total_cmp(&eigen.eigenvalues[*x]));
    let least = NOTHING_BELOW * order.first().map_or(0.0, |first| eigen.eigenvalues[*first]);
    for index in order.into_iter().take(count).filter(|index| eigen.eigenvalues[*index] > least) {
        take(eigen.eigenvalues[index], eigen.eigenvectors.column(index).as_slice());
    }
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    let mut lanes = [0.0; 4];
    let (xs, ys) = (x.chunks_exact(4), y.chunks_exact(4));
    let rest: f64 = xs.remainder().iter().zip(ys.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in xs.zip(ys) {
        lanes.iter_mut().zip(x.iter().zip(y)).for_each(|(lane, (x, y))| *lane += x * y);
    }
    lanes.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::super::super::{Place, Source, explained_variance, prepare};
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    /// Sources of these widths whose rows are `rank` common factors in random directions, and noise.
    fn planted(widths: &[usize], rows: usize, rank: usize, noise: f64) -> Vec<Source> {
        let mut stream = Stream::new(3, Purpose::Planted, 0);
        let factors = stream.normals(rows * rank, 1.0);
        let mut source = |(step, &width): (usize, &usize)| {
            let directions = stream.normals(rank * width, 1.0 + step as f64);
            let mut values = stream.normals(rows * width, noise);
            for (x, factors) in values.chunks_exact_mut(width).zip(factors.chunks_exact(rank.max(1))) {
                for (factor, direction) in factors.iter().zip(directions.chunks_exact(width)) {
                    x.iter_mut().zip(direction).for_each(|(x, u)| *x += factor * u);
                }
                x.iter_mut().for_each(|x| *x += 5.0);
            }
            Source { step: step as u32, width, values, place: Place::default() }
        };
        widths.iter().enumerate().map(&mut source).collect()
    }

    fn sides(rows: u32) -> (Vec<u32>, Vec<u32>) {
        (0..rows).partition(|row| row % 5 != 2)
    }

    #[test]
    fn as_many_components_as_the_rank_explain_all_and_one_fewer_does_not() {
        // More rows than columns, and fewer.
        for (rows, widths) in [(200, [12, 7]), (30, [40, 25])] {
            let sources = planted(&widths, rows, 5, 0.0);
            let (fit, held) = sides(rows as u32);
            let input = BaselineInput { sources: &sources, fit: &fit, held: &held };
            let found = pca(&input, &[5, 4, 0, 8, 5]).unwrap();
            assert_eq!(found.iter().map(|e| e.functions).collect::<Vec<_>>(), [5, 4, 0, 8, 5]);
            let all = |e: &Explained| e.explained_variance.iter().all(|ev| (ev - 1.0).abs() < 1e-6);
            assert!(all(&found[0]) && all(&found[3]) && !all(&found[1]), "{found:?}");
            assert!(found[2].explained_variance.iter().all(|ev| *ev <= 0.0), "the mean of the fitted rows alone: {found:?}");
            assert_eq!(found[0], found[4]);
        }
    }

    #[test]
    fn components_explain_what_a_projection_by_singular_vectors_does() {
        for (rows, widths) in [(60, vec![6, 3, 4]), (24, vec![20, 15])] {
            let sources = planted(&widths, rows, 4, 0.4);
            let (fit, held) = sides(rows as u32);
            let counts = [0, 1, 3, 7];
            let found = pca(&BaselineInput { sources: &sources, fit: &fit, held: &held }, &counts).unwrap();
            // Reference: singular vectors of the fitted rows and a projection matrix, row by row in the units of the fit.
            let blocks: Vec<_> = sources.iter().map(|source| prepare(source).unwrap().values).collect();
            let at = |row: u32, column: usize| {
                let (mut column, mut s) = (column, 0);
                while column >= widths[s] {
                    column -= widths[s];
                    s += 1;
                }
                f64::from(blocks[s][row as usize * widths[s] + column])
            };
            let columns: usize = widths.iter().sum();
            let mean: Vec<f64> = (0..columns).map(|c| fit.iter().map(|r| at(*r, c)).sum::<f64>() / fit.len() as f64).collect();
            let of = |rows: &[u32]| DMatrix::from_fn(rows.len(), columns, |r, c| at(rows[r], c) - mean[c]);
            let basis = of(&fit).svd(false, true).v_t.unwrap();
            for (count, found) in counts.iter().zip(&found) {
                let v = basis.rows(0, *count).transpose();
                let x = of(&held);
                let x_hat = &x * (&v * v.transpose());
                let mut start = 0;
                for (width, found) in widths.iter().zip(&found.explained_variance) {
                    let block = |m: &DMatrix<f64>| -> Vec<f32> {
                        m.columns(start, *width).transpose().as_slice().iter().map(|x| *x as f32).collect()
                    };
                    let expected = explained_variance(&block(&x), &block(&x_hat), *width);
                    assert!((f64::from(*found) - expected).abs() < 1e-5, "{count} components: {found} {expected}");
                    start += width;
                }
            }
        }
    }

    #[test]
    fn the_size_of_a_source_does_not_decide_what_is_explained() {
        let mut sources = planted(&[6, 6], 90, 4, 0.5);
        let (fit, held) = sides(90);
        let of = |sources: &[Source]| pca(&BaselineInput { sources, fit: &fit, held: &held }, &[2]).unwrap().remove(0);
        let plain = of(&sources);
        sources[1].values.iter_mut().for_each(|x| *x *= 64.0);
        let grown = of(&sources);
        let pairs = plain.explained_variance.iter().zip(&grown.explained_variance);
        assert!(pairs.clone().all(|(x, y)| (x - y).abs() < 1e-4), "{plain:?} {grown:?}");
    }

    #[test]
    fn too_large_problems_and_counts_are_refused_with_what_fits() {
        let sources = planted(&[10, 4], 40, 3, 0.1);
        let (fit, held) = sides(40);
        let error = pca(&BaselineInput { sources: &sources, fit: &fit, held: &held }, &[2, 15]).unwrap_err();
        assert_eq!(error.remedy, "Use at most 14");
        let error = pca(&BaselineInput { sources: &sources, fit: &fit[..6], held: &held }, &[6]).unwrap_err();
        assert_eq!(error.remedy, "Use at most 5");
        let stage = |widths: Vec<usize>| Stage { values: vec![Vec::new(); widths.len()], widths, fit: &fit, held: &held };
        assert_eq!(too_large(&stage(vec![512; 4])).remedy, "Use 3 sources");
        assert_eq!(too_large(&stage(vec![1024, 1024])).remedy, "Use one source");
        assert!(too_large(&stage(vec![2048])).remedy.contains("at most 1536 activations"));
    }
}
