//! Which parallelograms follow from others?
//!
//! Whether a vector lies in the span of others is a question of yes or no, and with floating-point numbers a tolerance would
//! answer it. The vectors here hold ones and twos, so they are reduced modulo a prime instead, exactly; a 31-bit prime makes it
//! practically impossible that one looks dependent which is not.

/// Two tokens.
pub(super) type Pair = (usize, usize);

/// e_i + e_j − e_m − e_n.
pub(super) fn vector(tokens: usize, (i, j): Pair, (m, n): Pair) -> Vec<i64> {
    let mut vector = vec![0; tokens];
    [i, j].into_iter().for_each(|token| vector[token] += 1);
    [m, n].into_iter().for_each(|token| vector[token] -= 1);
    vector
}

/// 2³¹ − 1; products of two residues fit in 64 bits.
const PRIME: i64 = (1 << 31) - 1;

/// A linear span of rows of integers, in echelon form modulo 2³¹ − 1: for each leading place at most one row, which has 1 there.
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
    fn sums_of_vectors_are_in_their_span_and_others_are_not() {
        let mut span = Span::default();
        span.add(vector(6, (0, 3), (1, 2)));
        span.add(vector(6, (1, 4), (2, 3)));
        // The sum of the two: E₀ + E₄ = 2·E₂.
        assert!(span.has(vector(6, (0, 4), (2, 2))));
        assert!(span.has(vector(6, (3, 0), (2, 1))) && span.has(vector(6, (1, 1), (1, 1))));
        assert!(!span.has(vector(6, (0, 2), (1, 1))) && !span.has(vector(6, (0, 5), (1, 4))));
    }

    #[test]
    fn sums_of_rows_are_in_their_span_and_others_are_not() {
        let mut span = Span::default();
        assert!(span.add(vec![1, -1, -1, 1, 0]) && span.add(vec![0, 1, -1, -1, 1]));
        assert!(!span.add(vec![1, 0, -2, 0, 1]), "the sum of the two");
        assert!(span.has(vec![3, -1, -5, 1, 2]) && !span.has(vec![0, 1, -2, 1, 0]));
        assert_eq!(span.rank(), 2);
    }
}
