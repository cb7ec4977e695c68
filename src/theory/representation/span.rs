//! Which parallelograms follow from others, exactly.
//!
//! "In the span or not" decides the critical fraction and the closure, so no tolerance may decide it: rows of small integers are
//! reduced modulo the prime 2³¹ − 1. What depends over the rationals depends modulo any prime; the converse could fail only if
//! the prime divided a minor, and the minors of these rows (at most 2 per entry, few rows) are far smaller. Not chosen: counting
//! small eigenvalues, which agree (tested) but need a threshold.

const PRIME: i64 = (1 << 31) - 1;

/// A linear span in echelon form: for each leading place at most one row, which has 1 there.
#[derive(Debug, Clone, Default)]
pub struct Span(Vec<(usize, Vec<i64>)>);

impl Span {
    /// Dimension.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// Adds a row; returns whether it was new, that is not in the span.
    pub fn add(&mut self, row: Vec<i64>) -> bool {
        let Some((lead, mut row)) = self.reduced(row) else { return false };
        let inverse = power(row[lead], PRIME - 2);
        row.iter_mut().for_each(|entry| *entry = *entry * inverse % PRIME);
        let at = self.0.partition_point(|(other, _)| *other < lead);
        self.0.insert(at, (lead, row));
        true
    }

    /// Whether a row is in the span.
    pub fn has(&self, row: Vec<i64>) -> bool {
        self.reduced(row).is_none()
    }

    /// The row without its part in the span and the first place where it is not 0; `None` if nothing is left.
    fn reduced(&self, mut row: Vec<i64>) -> Option<(usize, Vec<i64>)> {
        row.iter_mut().for_each(|entry| *entry = entry.rem_euclid(PRIME));
        for (lead, basis) in &self.0 {
            let factor = row[*lead];
            if factor != 0 {
                row.iter_mut().zip(basis).for_each(|(x, y)| *x = (*x + (PRIME - factor) * y) % PRIME);
            }
        }
        Some((row.iter().position(|entry| *entry != 0)?, row))
    }
}

/// base^exponent modulo the prime; exponent q − 2 inverts (Fermat).
fn power(mut base: i64, mut exponent: i64) -> i64 {
    let mut product = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            product = product * base % PRIME;
        }
        base = base * base % PRIME;
        exponent >>= 1;
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_rows_are_in_their_span_and_others_are_not() {
        let mut span = Span::default();
        assert!(span.add(vec![1, -1, -1, 1, 0]) && span.add(vec![0, 1, -1, -1, 1]));
        assert!(!span.add(vec![1, 0, -2, 0, 1]), "the sum of the two");
        assert!(span.has(vec![3, -1, -5, 1, 2]) && !span.has(vec![0, 1, -2, 1, 0]));
        assert_eq!(span.rank(), 2);
    }
}
