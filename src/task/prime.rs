//! Prime moduli: division is defined for every b ≠ 0 only then, and a refusal should name a modulus that works.

/// Whether `n` is prime (trial division; moduli are small).
pub fn is_prime(n: u32) -> bool {
    n >= 2 && (2..).take_while(|d| u64::from(*d) * u64::from(*d) <= u64::from(n)).all(|d| !n.is_multiple_of(d))
}

/// The prime nearest to `n` that is at most `max` (the smaller of two equally near); 2 if there is none.
pub fn nearest_prime(n: u32, max: u32) -> u32 {
    let n = n.min(max);
    (0..=n).flat_map(|gap| [n - gap, n.saturating_add(gap)]).find(|c| *c <= max && is_prime(*c)).unwrap_or(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_below_fifty_are_those_of_the_sieve() {
        let found: Vec<u32> = (0..50).filter(|n| is_prime(*n)).collect();
        assert_eq!(found, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47]);
        assert!(is_prime(401) && !is_prime(9409) && is_prime(u32::MAX - 4) && !is_prime(u32::MAX));
    }

    #[test]
    fn the_nearest_prime_respects_the_limit() {
        assert_eq!(nearest_prime(96, 401), 97);
        assert_eq!(nearest_prime(96, 96), 89);
        assert_eq!(nearest_prime(30, 401), 29);
        assert_eq!(nearest_prime(97, 401), 97);
        assert_eq!(nearest_prime(1000, 401), 401);
        assert_eq!(nearest_prime(0, 401), 2);
    }
}
