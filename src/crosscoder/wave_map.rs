//! The plane waves of a latent as a picture: which way its stripes run, and how fine they are.
//!
//! A map over the inputs shows that there are stripes; how many frequencies make them, and how much runs in no simple direction,
//! the eye cannot tell. Each wave stands here once: u from 0 upwards, v of both signs. Rejected: the full square of (u, v),
//! which shows every wave of a real function twice.

use crate::measure::PlaneWaves;

/// Amplitudes of all plane waves on an n × n square.
#[derive(Debug, Clone, PartialEq)]
pub struct WaveMap {
    /// `[rows, n]`: row u = 0..=⌊n/2⌋, column v from `first_v` upwards. The amplitude A of A·cos 2π(ua + vb + phase)/n, in units
    /// of the function. NaN for the constant and for what is another wave's conjugate (u = 0 or n/2 with v < 0).
    pub amplitudes: Vec<f32>,
    /// ⌊n/2⌋ + 1.
    pub rows: usize,
    /// n.
    pub columns: usize,
    /// v of the first column: −⌊(n − 1)/2⌋.
    pub first_v: i32,
}

/// The waves of `square` `[n, n]`, a-major; `None` if it is no square of at least 2 × 2. Costs n³ operations.
pub fn wave_map(square: &[f32]) -> Option<WaveMap> {
    let n = square.len().isqrt();
    if n < 2 || n * n != square.len() {
        return None;
    }
    let (rows, first_v) = (n / 2 + 1, -((n as i32 - 1) / 2));
    let mut amplitudes = vec![f32::NAN; rows * n];
    for wave in PlaneWaves::new(n).energies(square) {
        let is_own_mirror = |k: i16| k == 0 || 2 * usize::from(k.unsigned_abs()) == n;
        // The squared norm of cos is n²/2 but for the alternating waves of an even square, which are ±1 everywhere.
        let norm = if is_own_mirror(wave.u) && is_own_mirror(wave.v) { 1.0 } else { 2.0 };
        let column = (i32::from(wave.v) - first_v) as usize;
        amplitudes[wave.u as usize * n + column] = ((norm * wave.energy).sqrt() / n as f64) as f32;
    }
    Some(WaveMap { amplitudes, rows, columns: n, first_v })
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::f64::consts::TAU;

    fn square(n: usize, f: impl Fn(f64, f64) -> f64) -> Vec<f32> {
        (0..n * n).map(|cell| f((cell / n) as f64, (cell % n) as f64) as f32).collect()
    }

    fn at(map: &WaveMap, u: usize, v: i32) -> f32 {
        map.amplitudes[u * map.columns + (v - map.first_v) as usize]
    }

    #[test]
    fn a_wave_stands_at_its_frequencies_with_its_amplitude() {
        for (n, u, v) in [(11, 3, 3), (11, 4, -2), (11, 0, 5), (11, 5, 0), (8, 2, -3), (8, 4, 1), (8, 4, 4), (8, 1, 4)] {
            let angle = |a: f64, b: f64| TAU * (u as f64 * a + f64::from(v) * b) / n as f64;
            // cos(angle + φ) of an alternating wave is cos φ·(±1).
            let phase = if (n, u, v) == (8, 4, 4) { 0.0 } else { 0.7 };
            let map = wave_map(&square(n, |a, b| 5.0 + 1.3 * libm::cos(angle(a, b) + phase))).unwrap();
            assert!((at(&map, u, v) - 1.3).abs() < 1e-5, "({u}, {v}) of {n}: {}", at(&map, u, v));
            let others = map.amplitudes.iter().filter(|amplitude| amplitude.is_finite() && **amplitude > 1e-5).count();
            assert_eq!(others, 1, "({u}, {v}) of {n}");
        }
    }

    #[test]
    fn functions_of_the_sum_lie_on_one_diagonal_and_of_the_difference_on_the_other() {
        let n = 13;
        let sum = wave_map(&square(n, |a, b| f64::from(u8::from((a + b) as usize % n == 2)))).unwrap();
        let difference = wave_map(&square(n, |a, b| f64::from(u8::from((a - b + n as f64) as usize % n == 2)))).unwrap();
        for u in 1..sum.rows {
            for v in sum.first_v..=-sum.first_v {
                assert_eq!(at(&sum, u, v) > 1e-5, v == u as i32, "sum at ({u}, {v})");
                assert_eq!(at(&difference, u, v) > 1e-5, v == -(u as i32), "difference at ({u}, {v})");
            }
        }
    }

    #[test]
    fn each_wave_stands_there_once() {
        let noise = square(9, |a, b| libm::sin(a * a + 3.0 * b));
        let map = wave_map(&noise).unwrap();
        assert_eq!((map.rows, map.columns, map.first_v), (5, 9, -4));
        assert_eq!(map.amplitudes.iter().filter(|a| a.is_finite()).count(), (81 - 1) / 2);
        assert!(at(&map, 0, 0).is_nan() && at(&map, 0, -1).is_nan() && at(&map, 0, 1).is_finite());
        // Plancherel: the mean square deviation is half the sum of squared amplitudes.
        let mean = noise.iter().sum::<f32>() / 81.0;
        let variance = noise.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / 81.0;
        let power: f32 = map.amplitudes.iter().filter(|a| a.is_finite()).map(|a| a * a / 2.0).sum();
        assert!((power / variance - 1.0).abs() < 1e-4, "{power} {variance}");
    }

    #[test]
    fn what_is_no_square_has_no_map() {
        assert!(wave_map(&[1.0; 8]).is_none() && wave_map(&[1.0]).is_none() && wave_map(&[]).is_none());
    }
}
