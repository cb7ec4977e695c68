//! Is a latent really absent from a checkpoint, or did the penalty only shrink it?
//!
//! An L1 penalty sets small decoder vectors to zero, so a decoder norm alone would announce births that did not happen. Latent
//! Scaling (Minder et al. 2025) asks the data instead: how much of the latent's direction is in what the source's reconstruction
//! missed, plus what the latent itself explains? Rejected: refitting without a penalty, which gives other latents.

use super::source::Source;

/// What one pass over a source's rows leaves.
pub(super) struct Residuals {
    /// Σ_n f_nj·(x_n − x̂_n), `[latents, width]`.
    pub(super) correlation: Vec<f64>,
    /// ‖x_n − x̂_n‖² per row.
    pub(super) squared: Vec<f64>,
}

/// Residuals x − x̂ of a source, correlated with every code, in raw activation units.
///
/// `codes` is `[rows, latents]`, `decoder` `[latents, width]`, `bias` `[width]`. Costs 4·width operations per active code and
/// nothing per silent one.
pub(super) fn residuals(source: &Source, codes: &[f32], decoder: &[f32], bias: &[f32]) -> Residuals {
    let width = source.width;
    let latents = decoder.len() / width;
    let mut correlation = vec![0.0; latents * width];
    let mut squared = Vec::with_capacity(source.values.len() / width);
    let mut residual = vec![0.0; width];
    for (x, codes) in source.values.chunks_exact(width).zip(codes.chunks_exact(latents)) {
        for ((r, &x), &b) in residual.iter_mut().zip(x).zip(bias) {
            *r = f64::from(x) - f64::from(b);
        }
        let active = || codes.iter().enumerate().filter(|(_, f)| **f != 0.0).map(|(j, &f)| (j * width, f64::from(f)));
        for (start, f) in active() {
            residual.iter_mut().zip(&decoder[start..start + width]).for_each(|(r, &d)| *r -= f * f64::from(d));
        }
        for (start, f) in active() {
            correlation[start..start + width].iter_mut().zip(&residual).for_each(|(sum, r)| *sum += f * r);
        }
        squared.push(residual.iter().map(|r| r * r).sum());
    }
    Residuals { correlation, squared }
}

/// ν_ε = β_s / β_best of one latent per source, where β_s = Σ_n f_n⟨y_n^s, u⟩ / (Σ_n f_n²·‖u‖²), y^s = (x^s − x̂^s) + f·D^s,
/// u = D^best and `best` is the source with the latent's largest decoder norm. `energy` is Σ_n f_n².
///
/// About 0: truly absent. About the true strength: present, and shrunk by the penalty. All `None` for a latent that never
/// fires, has no direction, or is not in the data even of its best source.
pub(super) fn nu_epsilon(
    latent: usize,
    energy: f64,
    best: usize,
    decoder: &[Vec<f32>],
    residuals: &[Residuals],
    width: usize,
) -> Vec<Option<f32>> {
    let at = latent * width..(latent + 1) * width;
    let direction = &decoder[best][at.clone()];
    // β without its denominator energy·‖u‖², which all sources share.
    let numerators: Vec<f64> = decoder
        .iter()
        .zip(residuals)
        .map(|(decoder, residuals)| {
            let along = |((c, &d), &u): ((&f64, &f32), &f32)| (c + energy * f64::from(d)) * f64::from(u);
            residuals.correlation[at.clone()].iter().zip(&decoder[at.clone()]).zip(direction).map(along).sum()
        })
        .collect();
    let denominator = energy * direction.iter().map(|&u| f64::from(u) * f64::from(u)).sum::<f64>();
    let is_defined = denominator > 0.0 && numerators[best] > 1e-6 * denominator;
    numerators.iter().map(|numerator| is_defined.then(|| (numerator / numerators[best]) as f32)).collect()
}
