//! The Fourier transform of a function of two residues, by plane waves.
//!
//! Which way a function on the p×p grid runs is which waves it has: a function of a + b has only waves (k, k), one of a − b only
//! (k, −k), one of a or b alone only (k, 0) or (0, k). The transform is separable, one table of cosines over b and then over a,
//! so it costs p³ operations at most, and rows without activity cost nothing. Rejected: an FFT, for the reason in `fourier.rs`;
//! and p⁴ sums wave by wave, which take minutes for a dictionary.

use core::f64::consts::TAU;

/// The plane waves cos and sin of 2π(u·a + v·b)/p on the grid of p × p residues.
#[derive(Debug, Clone)]
pub struct PlaneWaves {
    p: usize,
    /// cos and sin of 2πkx/p, `[x, k]` with x in 0..p and k in 0..=⌊p/2⌋.
    table: Vec<(f64, f64)>,
}

/// The energy of one plane wave, its cosine and sine together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wave {
    /// Frequency along a, in 0..=⌊p/2⌋.
    pub u: i16,
    /// Frequency along b, in −⌊p/2⌋..=⌊p/2⌋; not negative where u or v is 0 or p/2, for which both signs are one wave.
    pub v: i16,
    /// ‖projection on it‖².
    pub energy: f64,
}

/// Products of a function with one plane wave, summed over the grid. Frequencies as in [`Wave`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WaveSums {
    /// Frequency along a.
    pub u: i16,
    /// Frequency along b.
    pub v: i16,
    /// Σ value·cos 2π(ua + vb)/p.
    pub cosine: f64,
    /// Σ value·sin 2π(ua + vb)/p.
    pub sine: f64,
}

impl PlaneWaves {
    /// The waves on `p` × `p` residues.
    pub fn new(p: usize) -> Self {
        let angle = |x: usize, k: usize| TAU * (x * k % p) as f64 / p as f64;
        let table = (0..p).flat_map(|x| (0..=p / 2).map(move |k| angle(x, k))).map(|x| (libm::cos(x), libm::sin(x))).collect();
        Self { p, table }
    }

    /// Energies of all waves but the constant of `values` `[p, p]`, a-major. Plancherel: they sum to Σ(value − mean)².
    pub fn energies(&self, values: &[f32]) -> Vec<Wave> {
        let energy = |sums: &WaveSums| (sums.cosine * sums.cosine + sums.sine * sums.sine) / self.squared_norm(sums.u, sums.v);
        self.sums(values).iter().map(|sums| Wave { u: sums.u, v: sums.v, energy: energy(sums) }).collect()
    }

    /// ‖cos‖² = ‖sin‖² of a wave on the whole grid: p²/2, and p² for the alternating waves of an even grid, which have no sine.
    pub fn squared_norm(&self, u: i16, v: i16) -> f64 {
        let square = (self.p * self.p) as f64;
        if self.is_alternating(u, v) { square } else { square / 2.0 }
    }

    /// Whether the cosine of a wave only takes the values 1 and −1, so that its sine is 0 everywhere.
    pub fn is_alternating(&self, u: i16, v: i16) -> bool {
        [u, v].into_iter().all(|k| self.is_own_mirror(usize::from(k.unsigned_abs())))
    }

    /// Whether k and −k are one frequency.
    fn is_own_mirror(&self, k: usize) -> bool {
        k == 0 || 2 * k == self.p
    }

    /// Sums against all waves but the constant of `values` `[p, p]`, a-major; rows of zeros cost nothing.
    pub fn sums(&self, values: &[f32]) -> Vec<WaveSums> {
        let (p, count) = (self.p, self.p / 2 + 1);
        // Per (u, v) the four sums of value · {cos, sin}(v·b) · {cos, sin}(u·a), from which both signs of v follow.
        let mut products = vec![[0.0; 4]; count * count];
        let mut along_b = vec![(0.0, 0.0); count];
        for (row, of_a) in
            values.chunks_exact(p).zip(self.table.chunks_exact(count)).filter(|(row, _)| row.iter().any(|f| *f != 0.0))
        {
            along_b.fill((0.0, 0.0));
            for (value, of_b) in row.iter().zip(self.table.chunks_exact(count)).filter(|(value, _)| **value != 0.0) {
                let value = f64::from(*value);
                for ((even, odd), (cos, sin)) in along_b.iter_mut().zip(of_b) {
                    *even += value * cos;
                    *odd += value * sin;
                }
            }
            for ((cos, sin), sums) in of_a.iter().zip(products.chunks_exact_mut(count)) {
                for ([even_cos, even_sin, odd_cos, odd_sin], (even, odd)) in sums.iter_mut().zip(&along_b) {
                    *even_cos += even * cos;
                    *even_sin += even * sin;
                    *odd_cos += odd * cos;
                    *odd_sin += odd * sin;
                }
            }
        }
        let mut waves = Vec::with_capacity(p * p / 2);
        for (place, [even_cos, even_sin, odd_cos, odd_sin]) in products.into_iter().enumerate().skip(1) {
            let (u, v) = (place / count, place % count);
            let mut push = |v, cosine, sine| waves.push(WaveSums { u: u as i16, v, cosine, sine });
            push(v as i16, even_cos - odd_sin, even_sin + odd_cos);
            if !self.is_own_mirror(u) && !self.is_own_mirror(v) {
                push(-(v as i16), even_cos + odd_sin, even_sin - odd_cos);
            }
        }
        waves
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    fn grid(p: usize, f: impl Fn(usize, usize) -> f64) -> Vec<f32> {
        (0..p).flat_map(|a| (0..p).map(move |b| (a, b))).map(|(a, b)| f(a, b) as f32).collect()
    }

    #[test]
    fn energies_sum_to_the_squared_deviations() {
        for p in [2, 3, 8, 12, 31] {
            let values = Stream::new(4, Purpose::Planted, 0).normals(p * p, 1.0);
            let waves = PlaneWaves::new(p).energies(&values);
            assert!(p % 2 == 0 || waves.len() == (p * p - 1) / 2, "one wave for each pair of conjugate frequencies");
            let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64;
            let norm: f64 = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum();
            let sum: f64 = waves.iter().map(|wave| wave.energy).sum();
            assert!((sum / norm - 1.0).abs() < 1e-9, "Plancherel at p = {p}: {sum} {norm}");
        }
    }

    #[test]
    fn energies_are_those_of_the_plain_sums() {
        for p in [5, 6] {
            let values = Stream::new(7, Purpose::Planted, 0).normals(p * p, 1.0);
            for wave in PlaneWaves::new(p).energies(&values) {
                let angle = |a: usize, b: usize| TAU * (f64::from(wave.u) * a as f64 + f64::from(wave.v) * b as f64) / p as f64;
                let along = |f: fn(f64) -> f64| {
                    let basis: Vec<f64> = (0..p * p).map(|row| f(angle(row / p, row % p))).collect();
                    let dot: f64 = basis.iter().zip(&values).map(|(x, y)| x * f64::from(*y)).sum();
                    let norm: f64 = basis.iter().map(|x| x * x).sum();
                    if norm > 1e-9 { dot * dot / norm } else { 0.0 }
                };
                assert!((wave.energy - along(libm::cos) - along(libm::sin)).abs() < 1e-9, "{wave:?} at p = {p}");
            }
        }
    }

    #[test]
    fn sums_are_the_plain_ones_and_norms_those_of_the_waves() {
        for p in [5, 6] {
            let values = Stream::new(3, Purpose::Planted, 0).normals(p * p, 1.0);
            let waves = PlaneWaves::new(p);
            for found in waves.sums(&values) {
                let angle = |a: usize, b: usize| TAU * (f64::from(found.u) * a as f64 + f64::from(found.v) * b as f64) / p as f64;
                let along = |f: fn(f64) -> f64| (0..p * p).map(move |row| f(angle(row / p, row % p)));
                let plain = |f| along(f).zip(&values).map(|(x, y)| x * f64::from(*y)).sum::<f64>();
                let right = (found.cosine - plain(libm::cos)).abs() < 1e-9 && (found.sine - plain(libm::sin)).abs() < 1e-9;
                assert!(right, "{found:?} at p = {p}");
                let norm = |f| along(f).map(|x| x * x).sum::<f64>();
                assert!((waves.squared_norm(found.u, found.v) - norm(libm::cos)).abs() < 1e-9, "{found:?} at p = {p}");
                assert_eq!(waves.is_alternating(found.u, found.v), norm(libm::sin) < 1e-9, "{found:?} at p = {p}");
            }
        }
    }

    #[test]
    fn one_wave_of_any_phase_and_direction_is_found_alone() {
        for (p, u, v) in [(13, 3, 3), (13, 2, -5), (13, 0, 4), (13, 6, 0), (8, 4, 1), (8, 3, 4), (8, 4, 4), (8, 4, 0)] {
            let at = |a: usize, b: usize| TAU * f64::from(u * a as i32 + v * b as i32) / f64::from(p as u32);
            let values = grid(p, |a, b| 1.5 + libm::cos(at(a, b) + 0.4));
            let waves = PlaneWaves::new(p).energies(&values);
            let total: f64 = waves.iter().map(|wave| wave.energy).sum();
            let own = waves.iter().find(|wave| (i32::from(wave.u), i32::from(wave.v)) == (u, v)).unwrap();
            assert!((own.energy / total - 1.0).abs() < 1e-9, "({u}, {v}) modulo {p}: {waves:?}");
        }
    }

    #[test]
    fn a_constant_has_no_wave() {
        assert!(PlaneWaves::new(7).energies(&[0.3; 49]).iter().all(|wave| wave.energy < 1e-20));
        assert!(PlaneWaves::new(7).energies(&[0.0; 49]).iter().all(|wave| wave.energy <= 0.0));
    }
}
