//! A latent by the answer of its inputs: on which answers it fires, and whether it pushes those.
//!
//! After grokking a latent is a bump over residues. Whether it is used as one shows when its mean activation by answer is laid
//! beside what its decoder adds to each logit: a latent that pushes the answers it fires on has a correlation near 1, one that
//! only marks them has none. A constant added to all logits changes no answer, so effects are compared about their mean.

use crate::task::Row;

/// An answer counts as one that the latent fires on when its mean activation is at least this share of the largest. Our choice:
/// the half height by which the width of a peak is usually read.
pub const FIRES_FROM: f32 = 0.5;

/// Mean of `values` `[rows]` over the rows of each answer, `[classes]`; NaN for an answer without rows.
pub fn mean_by_answer(values: &[f32], rows: &[Row], classes: usize) -> Vec<f32> {
    let mut sums = vec![(0.0, 0.0); classes];
    for (&value, row) in values.iter().zip(rows) {
        if let Some((sum, count)) = sums.get_mut(usize::from(row.label)) {
            *sum += f64::from(value);
            *count += 1.0;
        }
    }
    sums.into_iter().map(|(sum, count): (f64, f64)| (sum / count) as f32).collect()
}

/// The answers whose mean activation is at least [`FIRES_FROM`] of the largest, ascending; none if nothing is above 0.
pub fn answers_fired_on(means: &[f32]) -> Vec<u32> {
    let largest = means.iter().copied().filter(|mean| mean.is_finite()).fold(0.0, f32::max);
    let fires = |mean: &f32| largest > 0.0 && *mean >= FIRES_FROM * largest;
    (0..).zip(means).filter(|(_, mean)| fires(mean)).map(|(answer, _)| answer).collect()
}

/// The values less their mean.
pub fn centred(values: &[f32]) -> Vec<f32> {
    let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len().max(1) as f64;
    values.iter().map(|&value| (f64::from(value) - mean) as f32).collect()
}

/// Pearson's correlation over the places where both are finite; `None` for fewer than three or a constant side.
pub fn correlation(x: &[f32], y: &[f32]) -> Option<f64> {
    let pairs: Vec<(f64, f64)> =
        x.iter().zip(y).filter(|(x, y)| x.is_finite() && y.is_finite()).map(|(&x, &y)| (f64::from(x), f64::from(y))).collect();
    let count = pairs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in &pairs {
        let (x, y) = (x - mean_x, y - mean_y);
        (xx, yy, xy) = (xx + x * x, yy + y * y, xy + x * y);
    }
    // Deviations of this size are rounding in f32.
    let varies = |square: f64, mean: f64| square > count * (1e-7 * mean) * (1e-7 * mean);
    (pairs.len() > 2 && varies(xx, mean_x) && varies(yy, mean_y)).then(|| (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addition(p: u16) -> Vec<Row> {
        (0..p).flat_map(|a| (0..p).map(move |b| Row { a, b, label: (a + b) % p })).collect()
    }

    #[test]
    fn a_function_of_the_answer_is_its_own_mean() {
        let rows = addition(7);
        let shape = [0.0, 0.5, 3.0, 1.5, 0.0, 0.0, 1.0];
        let values: Vec<f32> = rows.iter().map(|row| shape[usize::from(row.label)]).collect();
        assert_eq!(mean_by_answer(&values, &rows, 7), shape);
        // Half of 3 is reached by 3 and 1.5.
        assert_eq!(answers_fired_on(&shape), [2, 3]);
    }

    #[test]
    fn a_function_of_one_input_is_even_over_the_answers() {
        let rows = addition(7);
        let values: Vec<f32> = rows.iter().map(|row| f32::from(row.a == 3)).collect();
        assert!(mean_by_answer(&values, &rows, 7).iter().all(|mean| (mean - 1.0 / 7.0).abs() < 1e-6));
    }

    #[test]
    fn an_answer_without_rows_has_no_mean_and_is_not_fired_on() {
        let rows = [Row { a: 0, b: 0, label: 2 }, Row { a: 0, b: 1, label: 2 }];
        let means = mean_by_answer(&[1.0, 2.0], &rows, 4);
        assert!(means[0].is_nan() && means[2] == 1.5 && means.len() == 4);
        assert_eq!(answers_fired_on(&means), [2]);
        assert!(answers_fired_on(&[0.0; 4]).is_empty() && answers_fired_on(&[f32::NAN]).is_empty());
    }

    #[test]
    fn correlations_are_those_of_the_closed_form() {
        let x = [1.0, 2.0, 3.0, 4.0];
        assert!((correlation(&x, &[-3.0, -1.0, 1.0, 3.0]).unwrap() - 1.0).abs() < 1e-12);
        assert!((correlation(&x, &[4.0, 3.0, 2.0, 1.0]).unwrap() + 1.0).abs() < 1e-12);
        // Deviations −1.5, −.5, .5, 1.5 and 1, −1, −1, 1: orthogonal.
        assert!(correlation(&x, &[1.0, -1.0, -1.0, 1.0]).unwrap().abs() < 1e-12);
        // Deviations of y about 5/4: 4.25/√(5·4.75).
        let expected = (-1.5 * -1.25 + -0.5 * -0.25 + 0.5 * -0.25 + 1.5 * 1.75) / (5.0f64 * 4.75).sqrt();
        assert!((correlation(&x, &[0.0, 1.0, 1.0, 3.0]).unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn centring_changes_no_correlation_and_leaves_a_mean_of_nothing() {
        let (x, y) = ([0.3, 1.0, 0.2, 5.0], [100.0, 101.0, 99.5, 103.0]);
        let found = centred(&y);
        assert!(found.iter().sum::<f32>().abs() < 1e-4);
        assert!((correlation(&x, &y).unwrap() - correlation(&x, &found).unwrap()).abs() < 1e-6);
    }

    #[test]
    fn constants_and_too_few_answers_have_no_correlation() {
        assert_eq!(correlation(&[1.0; 5], &[1.0, 2.0, 3.0, 4.0, 5.0]), None);
        assert_eq!(correlation(&[1.0, 2.0], &[1.0, 2.0]), None);
        assert_eq!(correlation(&[1.0, f32::NAN, 2.0], &[1.0, 5.0, 2.0]), None);
        assert_eq!(correlation(&[0.0; 3], &[0.0; 3]), None);
    }
}
