//! How two measures go together over a run, whatever their scales.
//!
//! Measures jump by orders of magnitude at the transition, where an ordinary correlation is decided by two points; ranks are not.

/// Spearman's rank correlation of pairs, ties sharing their mean rank; `None` for fewer than three pairs or a constant side.
pub fn rank_correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < 3 {
        return None;
    }
    let x = ranks(pairs.iter().map(|pair| pair.0).collect());
    let y = ranks(pairs.iter().map(|pair| pair.1).collect());
    let mean = (pairs.len() as f64 - 1.0) / 2.0;
    let sum = |f: fn(f64, f64) -> f64| x.iter().zip(&y).map(|(a, b)| f(a - mean, b - mean)).sum::<f64>();
    let (xx, yy, xy) = (sum(|a, _| a * a), sum(|_, b| b * b), sum(|a, b| a * b));
    (xx > 0.0 && yy > 0.0).then(|| xy / libm::sqrt(xx * yy))
}

/// The rank of each value from 0, equal values sharing the mean of theirs.
pub fn ranks(values: Vec<f64>) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|x, y| values[*x].total_cmp(&values[*y]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    while from < order.len() {
        let same = order[from..].iter().take_while(|index| values[**index] == values[order[from]]).count().max(1);
        for index in &order[from..from + same] {
            ranks[*index] = from as f64 + (same as f64 - 1.0) / 2.0;
        }
        from += same;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_alone_counts() {
        let curve: Vec<(f64, f64)> = (0..9).map(|i| (f64::from(i), libm::exp(f64::from(i)))).collect();
        assert!((rank_correlation(&curve).unwrap() - 1.0).abs() < 1e-12);
        let falling: Vec<(f64, f64)> = curve.iter().map(|(x, y)| (*x, -y)).collect();
        assert!((rank_correlation(&falling).unwrap() + 1.0).abs() < 1e-12);
    }

    #[test]
    fn ties_share_their_rank() {
        // Closed form: ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3: 4.5/√(4.5·5).
        let rho = rank_correlation(&[(0.0, 0.0), (5.0, 1.0), (5.0, 2.0), (9.0, 3.0)]).unwrap();
        assert!((rho - 4.5 / libm::sqrt(4.5 * 5.0)).abs() < 1e-12, "{rho}");
    }

    #[test]
    fn few_pairs_and_constants_have_none() {
        assert_eq!(rank_correlation(&[(0.0, 0.0), (1.0, 1.0)]), None);
        assert_eq!(rank_correlation(&[(1.0, 0.0), (1.0, 1.0), (1.0, 2.0)]), None);
    }
}
