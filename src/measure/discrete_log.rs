//! The order in which multiplication looks like addition.
//!
//! Modulo a prime p the non-zero residues are the powers g⁰, g¹, …, g^(p−2) of a primitive root, and a·b adds exponents. A
//! network that learns a·b or a/b uses cosines of the exponent, so a Fourier transform over the residues themselves would show
//! a flat spectrum for a perfectly regular network.

use crate::record::UserError;
use crate::task::is_prime;

/// The powers g⁰ … g^(p−2) mod p of the smallest primitive root g of `p`: the non-zero residues in the order of their exponent.
///
/// # Errors
/// If `p` is not prime: then the non-zero residues are not one cycle.
pub fn powers_of_primitive_root(p: u32) -> Result<Vec<u32>, UserError> {
    // p = 2 has the single residue 1; the search below starts at 2.
    if p == 2 {
        return Ok(vec![1]);
    }
    let cycle = (2..p).filter(|_| is_prime(p)).map(|g| powers(g, p)).find(|powers| powers.len() == p as usize - 1);
    cycle.ok_or_else(|| {
        UserError::new(
            format!("Multiplication modulo {p} has no Fourier spectrum because {p} is not prime"),
            "Choose a prime modulus to see the spectrum",
        )
    })
}

fn powers(g: u32, p: u32) -> Vec<u32> {
    let next = |power: &u32| {
        let power = (u64::from(*power) * u64::from(g) % u64::from(p)) as u32;
        (power != 1).then_some(power)
    };
    core::iter::successors(Some(1), next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smallest_primitive_roots_match_the_published_table() {
        // OEIS A001918: 3→2, 5→2, 7→3, 11→2, 23→5, 41→6, 71→7, 97→5, 113→3.
        for (p, g) in [(3, 2), (5, 2), (7, 3), (11, 2), (23, 5), (41, 6), (71, 7), (97, 5), (113, 3)] {
            let powers = powers_of_primitive_root(p).unwrap();
            assert_eq!(powers[1], g, "p = {p}");
            let mut sorted = powers.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (1..p).collect::<Vec<_>>(), "p = {p}");
        }
    }

    #[test]
    fn composite_moduli_are_refused() {
        for p in [0, 1, 4, 9, 91, 113 * 113] {
            assert!(powers_of_primitive_root(p).is_err(), "p = {p}");
        }
    }
}
