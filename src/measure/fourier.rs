//! The Fourier transform of a function on a cycle, and how unevenly its energy is spread.
//!
//! The transform is a plain table of cosines: for p ≈ 100 it costs about a millisecond, and an FFT
//! of prime length would be more code for no visible gain. Cosines come from `libm`, so a terminal and a browser agree.

/// Energies e_k, k = 0..=⌊n/2⌋, of a function on the cycle 0..n in the orthonormal basis 1/√n, √(2/n)·cos, √(2/n)·sin
/// (grokking literature: Nanda et al. 2023). Plancherel: they sum to Σ`values`².
pub fn energies(values: &[f64]) -> Vec<f64> {
    let n = values.len();
    let angle = |i: usize| core::f64::consts::TAU * i as f64 / n as f64;
    let table: Vec<(f64, f64)> = (0..n).map(|i| (libm::cos(angle(i)), libm::sin(angle(i)))).collect();
    let energy = |k: usize| {
        let (mut even, mut odd) = (0.0, 0.0);
        for (i, value) in values.iter().enumerate() {
            let (cos, sin) = table[k * i % n];
            even += cos * value;
            odd += sin * value;
        }
        // The constant and, for even n, the alternating function have no sine partner.
        let squared_norm = if k == 0 || 2 * k == n { 1.0 } else { 2.0 } / n as f64;
        squared_norm * (even * even + odd * odd)
    };
    (0..=n / 2).map(energy).collect()
}

/// Inverse participation ratio Σ(e_k / Σe)² over all k, constant included (Doshi et al. 2023): 1 for one frequency, about
/// 2 / number of frequencies for Gaussian values. Zeros, which have no frequency, give 0.
pub fn ipr(energies: &[f64]) -> f64 {
    let total: f64 = energies.iter().sum();
    if total > 0.0 { energies.iter().map(|e| (e / total) * (e / total)).sum() } else { 0.0 }
}

/// Gini coefficient Σ_iΣ_j|x_i − x_j| / (2nΣx) of non-negative values; 0 when they are all zero.
pub fn gini(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let total: f64 = values.iter().sum();
    if total <= 0.0 || !total.is_finite() {
        return 0.0;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    // Σ_iΣ_j|x_i − x_j| = 2·Σ_i (2i + 1 − n)·x_(i) over ascending values.
    sorted.iter().enumerate().map(|(i, x)| (2.0 * i as f64 + 1.0 - n) * x).sum::<f64>() / (n * total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};
    use core::f64::consts::TAU;

    fn gaussian(count: usize) -> Vec<f64> {
        let mut stream = Stream::new(11, Purpose::Planted, 0);
        (0..count).map(|_| stream.normal()).collect()
    }

    #[test]
    fn energies_sum_to_the_squared_norm() {
        for n in [2, 3, 10, 30, 59, 113] {
            let values = gaussian(n);
            let energies = energies(&values);
            assert_eq!(energies.len(), n / 2 + 1);
            let norm: f64 = values.iter().map(|v| v * v).sum();
            assert!((energies.iter().sum::<f64>() / norm - 1.0).abs() < 1e-12, "Plancherel at n = {n}");
        }
    }

    #[test]
    fn one_cosine_of_any_phase_has_one_frequency() {
        let values: Vec<f64> = (0..59).map(|i| 1.7 * libm::cos(TAU * 7.0 * f64::from(i) / 59.0 + 0.4)).collect();
        let energies = energies(&values);
        assert!((energies[7] - 1.7 * 1.7 * 59.0 / 2.0).abs() < 1e-9, "closed form: A²n/2");
        assert!((ipr(&energies) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_alternating_function_of_an_even_cycle_is_one_frequency() {
        let energies = energies(&[1.0, -1.0, 1.0, -1.0, 1.0, -1.0]);
        assert!((energies[3] - 6.0).abs() < 1e-12 && (ipr(&energies) - 1.0).abs() < 1e-12, "{energies:?}");
    }

    #[test]
    fn gini_matches_its_double_sum() {
        let values = [0.2, 0.0, 3.0, 1.0, 0.7];
        let double: f64 = values.iter().flat_map(|x| values.iter().map(move |y| f64::abs(x - y))).sum();
        assert!((gini(&values) - double / (2.0 * 5.0 * 4.9)).abs() < 1e-12);
        assert!(gini(&[1.0; 8]).abs() < 1e-12);
        assert!((gini(&[0.0, 0.0, 0.0, 5.0]) - 0.75).abs() < 1e-12, "closed form: 1 − 1/n");
        assert!(gini(&[0.0; 4]).abs() < 1e-12);
    }
}
