//! Is a latent really absent from a checkpoint, or did the penalty only shrink it?
//!
//! An L1 penalty sets small decoder vectors to zero, so a decoder norm alone would announce births that did not happen. Latent
//! Scaling (Minder et al. 2025) asks the data instead: how much of the latent's direction is in what the source's reconstruction
//! missed, plus what the latent itself explains (ν_ε)? And how much is in the reconstruction, by way of other latents (ν_r)?
//! Rejected: refitting without a penalty, which gives other latents.

use super::source::Source;

/// What one pass over a source's rows leaves.
pub(super) struct Residuals {
    /// Width of the source.
    pub(super) width: usize,
    /// Σ_n f_nj·(x_n − x̂_n), `[latents, width]`.
    pub(super) correlation: Vec<f64>,
    /// Σ_n f_nj·(x̂_n − x̄), `[latents, width]`, x̄ the mean of x over all rows.
    pub(super) reconstruction: Vec<f64>,
    /// ‖x_n − x̂_n‖² per row.
    pub(super) squared: Vec<f64>,
}

/// Residuals x − x̂ and reconstructions x̂ − x̄ of a source, correlated with every code, in raw activation units.
///
/// `codes` is `[rows, latents]`, what the source decodes; `all` the same with every gate open that is open at some source, with
/// which the correlations are taken; `decoder` `[latents, width]`, `bias` `[width]`. Costs 6·width operations per active code and
/// nothing per silent one.
pub(super) fn residuals(source: &Source, codes: &[f32], all: &[f32], decoder: &[f32], bias: &[f32]) -> Residuals {
    let width = source.width;
    let latents = decoder.len() / width;
    let rows = source.values.len() / width;
    let mut mean = vec![0.0; width];
    for x in source.values.chunks_exact(width) {
        mean.iter_mut().zip(x).for_each(|(sum, &x)| *sum += f64::from(x) / rows as f64);
    }
    let mut correlation = vec![0.0; latents * width];
    let mut reconstruction = vec![0.0; latents * width];
    let mut squared = Vec::with_capacity(rows);
    let (mut residual, mut reconstructed) = (vec![0.0; width], vec![0.0; width]);
    let rows = codes.chunks_exact(latents).zip(all.chunks_exact(latents));
    for (x, (codes, all)) in source.values.chunks_exact(width).zip(rows) {
        for ((r, &x), &b) in residual.iter_mut().zip(x).zip(bias) {
            *r = f64::from(x) - f64::from(b);
        }
        let active = |codes: &'_ [f32]| {
            let on: Vec<(usize, f64)> =
                codes.iter().enumerate().filter(|(_, f)| **f != 0.0).map(|(j, &f)| (j * width, f64::from(f))).collect();
            on
        };
        for (start, f) in active(codes) {
            residual.iter_mut().zip(&decoder[start..start + width]).for_each(|(r, &d)| *r -= f * f64::from(d));
        }
        for (y, ((&x, r), mean)) in reconstructed.iter_mut().zip(x.iter().zip(&residual).zip(&mean)) {
            *y = f64::from(x) - r - mean;
        }
        for (start, f) in active(all) {
            let at = start..start + width;
            correlation[at.clone()].iter_mut().zip(&residual).for_each(|(sum, r)| *sum += f * r);
            reconstruction[at].iter_mut().zip(&reconstructed).for_each(|(sum, y)| *sum += f * y);
        }
        squared.push(residual.iter().map(|r| r * r).sum());
    }
    Residuals { width, correlation, reconstruction, squared }
}

/// ν of one latent, both `[sources]`.
pub(super) struct LatentScaling {
    /// From the error: about 0 where the latent is truly absent, about its true strength where it was shrunk.
    pub(super) nu_epsilon: Vec<Option<f32>>,
    /// From the reconstruction: about 0 where nothing stands for the latent, about 1 where other latents do.
    pub(super) nu_r: Vec<Option<f32>>,
}

/// ν = β_s / β_best of one latent per source of `stay`, where β_s = Σ_n f_n⟨y_n^s, u⟩ / (Σ_n f_n²·‖u‖²), u = D^best and `best` is the
/// source in which the latent is largest; `None` for all other sources, which have directions of another space. f has every gate
/// open, `energies` are Σ_n f_n² of what each source lets through. For ν_ε, y^s = (x^s − x̂^s) + f·D^s; for ν_r, y^s = x̂^s − x̄^s.
///
/// The mean is taken off because codes are not negative: with it, any latent would be found in any large constant vector. It is
/// what the fit does too, which sees centred activations. All `None` for a latent that never fires, has no direction, or is not
/// in the y of its best source.
pub(super) fn latent_scaling(
    latent: usize,
    energies: &[f64],
    best: usize,
    stay: &[usize],
    decoder: &[Vec<f32>],
    residuals: &[Residuals],
) -> LatentScaling {
    let width = residuals[best].width;
    let at = latent * width..(latent + 1) * width;
    let direction = &decoder[best][at.clone()];
    let energy = energies.iter().copied().fold(0.0, f64::max);
    let denominator = energy * direction.iter().map(|&u| f64::from(u) * f64::from(u)).sum::<f64>();
    // β without its denominator energy·‖u‖², which all sources share.
    let of_error = |s: usize| {
        let along = |((c, &d), &u): ((&f64, &f32), &f32)| (c + energies[s] * f64::from(d)) * f64::from(u);
        residuals[s].correlation[at.clone()].iter().zip(&decoder[s][at.clone()]).zip(direction).map(along).sum::<f64>()
    };
    let of_reconstruction =
        |s: usize| residuals[s].reconstruction[at.clone()].iter().zip(direction).map(|(c, &u)| c * f64::from(u)).sum::<f64>();
    let ratios = |numerator: &dyn Fn(usize) -> f64| {
        let whole = numerator(best);
        let is_defined = denominator > 0.0 && whole > 1e-6 * denominator;
        let one = |s: usize| (is_defined && stay.contains(&s)).then(|| (numerator(s) / whole) as f32);
        (0..decoder.len()).map(one).collect()
    };
    LatentScaling { nu_epsilon: ratios(&of_error), nu_r: ratios(&of_reconstruction) }
}

#[cfg(test)]
mod tests {
    use super::super::source::Place;
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    #[test]
    fn both_ratios_are_those_of_the_plain_sums() {
        const ROWS: usize = 40;
        const WIDTH: usize = 5;
        const LATENTS: usize = 6;
        let mut stream = Stream::new(6, Purpose::Planted, 0);
        let codes: Vec<f32> = stream.normals(ROWS * LATENTS, 1.0).into_iter().map(|f| f.max(0.0)).collect();
        let mut draw = |count: usize| stream.normals(count, 1.0);
        let decoders: Vec<Vec<f32>> = (0..3).map(|_| draw(LATENTS * WIDTH)).collect();
        let biases: Vec<Vec<f32>> = (0..3).map(|_| draw(WIDTH)).collect();
        let sources: Vec<Source> =
            (0..3).map(|step| Source { step, width: WIDTH, values: draw(ROWS * WIDTH), place: Place::default() }).collect();
        let of_source = |s: usize| residuals(&sources[s], &codes, &codes, &decoders[s], &biases[s]);
        let residuals: Vec<Residuals> = (0..3).map(of_source).collect();

        let x_hat = |s: usize, n: usize, k: usize| {
            let part = |j: usize| f64::from(codes[n * LATENTS + j]) * f64::from(decoders[s][j * WIDTH + k]);
            f64::from(biases[s][k]) + (0..LATENTS).map(part).sum::<f64>()
        };
        let x = |s: usize, n: usize, k: usize| f64::from(sources[s].values[n * WIDTH + k]);
        let mean = |s: usize, k: usize| (0..ROWS).map(|n| x(s, n, k)).sum::<f64>() / ROWS as f64;
        let mut defined = 0;
        for latent in 0..LATENTS {
            let f = |n: usize| f64::from(codes[n * LATENTS + latent]);
            let d = |s: usize, k: usize| f64::from(decoders[s][latent * WIDTH + k]);
            let energy: f64 = (0..ROWS).map(|n| f(n) * f(n)).sum();
            let along = |y: &dyn Fn(usize, usize) -> f64| -> f64 {
                (0..ROWS).map(|n| f(n) * (0..WIDTH).map(|k| y(n, k) * d(1, k)).sum::<f64>()).sum()
            };
            let error = |s: usize| along(&|n, k| x(s, n, k) - x_hat(s, n, k) + f(n) * d(s, k));
            let reconstruction = |s: usize| along(&|n, k| x_hat(s, n, k) - mean(s, k));
            let found = latent_scaling(latent, &[energy; 3], 1, &[0, 1, 2], &decoders, &residuals);
            for s in 0..3 {
                for (nu, expected) in
                    [(found.nu_epsilon[s], error(s) / error(1)), (found.nu_r[s], reconstruction(s) / reconstruction(1))]
                {
                    defined += usize::from(nu.is_some());
                    assert!(
                        nu.is_none_or(|nu| (f64::from(nu) - expected).abs() < 1e-4 * (1.0 + expected.abs())),
                        "{nu:?} {expected}"
                    );
                }
            }
        }
        assert!(defined > 18, "most ratios are defined: {defined} of 36");
    }
}
