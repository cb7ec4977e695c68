//! Which parallelograms follow from others?
//!
//! Whether a vector lies in the span of others is a question of yes or no, and with floating-point numbers a tolerance would
//! answer it. The vectors here hold ones and twos, so they are reduced modulo a prime instead, exactly; a 31-bit prime makes it
//! practically impossible that one looks dependent which is not.

use std::collections::BTreeMap;

/// Two tokens.
pub(super) type Pair = (usize, usize);

/// 2³¹ − 1; products of two residues fit in 64 bits.
const PRIME: u64 = (1 << 31) - 1;

/// e_i + e_j − e_m − e_n modulo [`PRIME`].
pub(super) fn vector(tokens: usize, (i, j): Pair, (m, n): Pair) -> Vec<u64> {
    let mut vector = vec![0; tokens];
    [i, j].into_iter().for_each(|token| vector[token] = (vector[token] + 1) % PRIME);
    [m, n].into_iter().for_each(|token| vector[token] = (vector[token] + PRIME - 1) % PRIME);
    vector
}

/// A linear span in echelon form modulo [`PRIME`].
#[derive(Debug, Default)]
pub(super) struct Span(BTreeMap<usize, Vec<u64>>);

impl Span {
    /// The vector without its part in the span's leading places, and its first place that is not 0.
    fn reduced(&self, mut vector: Vec<u64>) -> Option<(usize, Vec<u64>)> {
        for (lead, row) in &self.0 {
            let factor = vector[*lead];
            if factor != 0 {
                vector.iter_mut().zip(row).for_each(|(x, y)| *x = (*x + (PRIME - factor) * y) % PRIME);
            }
        }
        Some((vector.iter().position(|x| *x != 0)?, vector))
    }

    /// Adds a vector to what spans.
    pub fn add(&mut self, vector: Vec<u64>) {
        if let Some((lead, mut vector)) = self.reduced(vector) {
            // Fermat: x^(q−2) is 1/x.
            let (mut inverse, mut square, mut exponent) = (1, vector[lead], PRIME - 2);
            while exponent > 0 {
                if exponent & 1 == 1 {
                    inverse = inverse * square % PRIME;
                }
                square = square * square % PRIME;
                exponent >>= 1;
            }
            vector.iter_mut().for_each(|x| *x = *x * inverse % PRIME);
            self.0.insert(lead, vector);
        }
    }

    /// Whether a vector lies in the span.
    pub fn has(&self, vector: Vec<u64>) -> bool {
        self.reduced(vector).is_none()
    }
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
}
