//! How much of an activation is a function of one quantity?
//!
//! A latent that reads the residue a + b looks like a set of diagonal stripes on the p×p grid; η² turns that look into a
//! number. Variances come from deviations, because E[f²] − E[f]² loses all digits for a nearly constant latent.

use crate::task::Row;
use serde::{Deserialize, Serialize};

/// η²_q = Var(E[f|q]) / Var(f): how much of a latent's activation is a function of q alone (0..1).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct EtaSquared {
    /// q = a.
    pub a: f32,
    /// q = b.
    pub b: f32,
    /// q = (a + b) mod p.
    pub sum: f32,
    /// q = (a − b) mod p.
    pub difference: f32,
}

/// η² of `values` `[rows]` over a, b, a + b and a − b (mod `p`), the inputs of `rows`.
///
/// Values without variance give zeros, and so do rows that are no pairs (`p` = 0).
pub fn eta_squared(values: &[f32], rows: &[Row], p: u32) -> EtaSquared {
    if p == 0 {
        return EtaSquared::default();
    }
    let groups = p as usize;
    let over = |q: fn(usize, usize, usize) -> usize| {
        correlation_ratio(values, rows.iter().map(|row| q(usize::from(row.a), usize::from(row.b), groups)), groups) as f32
    };
    EtaSquared {
        a: over(|a, _, _| a),
        b: over(|_, b, _| b),
        sum: over(|a, b, p| (a + b) % p),
        difference: over(|a, b, p| (a + p - b) % p),
    }
}

/// η² of `values` `[rows]` over any grouping: Var(E[f|group]) / Var(f), in 0..=1.
///
/// `group_of` gives each row's group, below `groups`. Values without variance (or not finite) give 0.
pub fn correlation_ratio(values: &[f32], group_of: impl Iterator<Item = usize>, groups: usize) -> f64 {
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
    let mut total = 0.0;
    // Sum of deviations and number of rows per group.
    let mut sums = vec![(0.0, 0.0); groups];
    for (&value, group) in values.iter().zip(group_of) {
        let deviation = f64::from(value) - mean;
        total += deviation * deviation;
        let (sum, count) = &mut sums[group];
        *sum += deviation;
        *count += 1.0;
    }
    let between: f64 = sums.iter().filter(|(_, count)| *count > 0.0).map(|(sum, count)| sum * sum / count).sum();
    // Rounding of the mean leaves a total of about (1e-16·mean)² per row for a constant.
    let floor = values.len() as f64 * (1e-12 * mean) * (1e-12 * mean);
    if total > floor && total.is_finite() { between / total } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    const P: u32 = 31;

    fn grid() -> Vec<Row> {
        (0..P as u16).flat_map(|a| (0..P as u16).map(move |b| Row { a, b, label: (a + b) % P as u16 })).collect()
    }

    fn map(f: impl Fn(u16, u16) -> f32) -> Vec<f32> {
        grid().into_iter().map(|row| f(row.a, row.b)).collect()
    }

    #[test]
    fn a_function_of_the_sum_alone_belongs_to_the_sum() {
        let values = map(|a, b| if (a + b) % P as u16 == 7 { 1.3 } else { 0.0 });
        let eta = eta_squared(&values, &grid(), P);
        // Closed form: the other three group means are constant on a full grid of odd p.
        assert!((eta.sum - 1.0).abs() < 1e-6, "{eta:?}");
        assert!(eta.a < 1e-6 && eta.b < 1e-6 && eta.difference < 1e-6, "{eta:?}");
    }

    #[test]
    fn each_quantity_is_told_from_the_others() {
        let of = |f: fn(u16, u16) -> u16| eta_squared(&map(|a, b| f(a, b) as f32), &grid(), P);
        assert!((of(|a, _| a).a - 1.0).abs() < 1e-6);
        assert!((of(|_, b| b).b - 1.0).abs() < 1e-6);
        assert!((of(|a, b| (a + 31 - b) % 31).difference - 1.0).abs() < 1e-6);
    }

    #[test]
    fn two_equal_parts_share_the_variance_in_half() {
        // f = g(a) + g(b) with equal variances and independent a, b: η²_a = η²_b = ½.
        let eta = eta_squared(&map(|a, b| (a + b) as f32), &grid(), P);
        assert!((eta.a - 0.5).abs() < 1e-6 && (eta.b - 0.5).abs() < 1e-6, "{eta:?}");
    }

    #[test]
    fn noise_has_the_expected_ratio_of_groups_to_rows() {
        // For independent draws E[η²] = (p − 1)/(p² − 1) = 1/32.
        let values = Stream::new(3, Purpose::Planted, 0).normals(grid().len(), 1.0);
        let eta = eta_squared(&values, &grid(), P);
        for ratio in [eta.a, eta.b, eta.sum, eta.difference] {
            assert!((ratio - 1.0 / 32.0).abs() < 0.03, "{eta:?}");
        }
    }

    #[test]
    fn constants_and_no_rows_give_zeros() {
        assert_eq!(eta_squared(&map(|_, _| 0.1), &grid(), P), EtaSquared::default());
        assert_eq!(eta_squared(&[], &[], P), EtaSquared::default());
    }

    #[test]
    fn rows_that_are_no_pairs_give_zeros() {
        assert_eq!(eta_squared(&[1.0, 2.0], &[Row::default(); 2], 0), EtaSquared::default());
    }
}
