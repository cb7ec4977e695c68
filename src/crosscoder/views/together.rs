//! Which latents fire on the same inputs.
//!
//! Measured by the Jaccard overlap of their inputs, |both| / |either|. Correlation was not chosen: codes are sparse and not negative,
//! so two latents that never meet correlate slightly below zero by an amount that depends on how often each fires, and a few
//! strong inputs decide the rest. The overlap is 0 for those that never meet and 1 for those that always do, whatever their scale.

use crate::crosscoder::CrosscoderResult;

/// Of `order`, the at most `most` latents of largest energy ⟨f²⟩·max_s‖D_s‖², in the order they had. Empty without activations.
pub fn strongest(fit: &CrosscoderResult, order: &[u32], most: usize) -> Vec<u32> {
    let rows = rows_of(fit);
    let energy = |latent: u32| {
        let values = &fit.activations[latent as usize * rows..][..rows];
        let norm = fit.latents[latent as usize].norms.iter().copied().fold(0.0, f32::max);
        values.iter().map(|f| f64::from(*f) * f64::from(*f)).sum::<f64>() * f64::from(norm) * f64::from(norm)
    };
    if rows == 0 {
        return Vec::new();
    }
    let known = order.iter().copied().filter(|latent| (*latent as usize) < fit.latents.len());
    let mut ranked: Vec<(usize, u32, f64)> = known.enumerate().map(|(place, latent)| (place, latent, energy(latent))).collect();
    ranked.sort_by(|x, y| y.2.total_cmp(&x.2));
    ranked.truncate(most);
    ranked.sort_by_key(|(place, ..)| *place);
    ranked.into_iter().map(|(_, latent, _)| latent).collect()
}

/// Jaccard overlap of the inputs on which each pair of `latents` fires, `[n, n]` row-major; 0 where neither ever fires.
pub fn jaccard(fit: &CrosscoderResult, latents: &[u32]) -> Vec<f32> {
    let rows = rows_of(fit);
    let fires = |latent: &u32| -> Vec<u64> {
        let start = *latent as usize * rows;
        let values = fit.activations.get(start..start + rows).unwrap_or_default();
        values
            .chunks(64)
            .map(|chunk| chunk.iter().enumerate().fold(0, |bits, (at, f)| bits | (u64::from(*f != 0.0) << at)))
            .collect()
    };
    let sets: Vec<Vec<u64>> = latents.iter().map(fires).collect();
    let overlap = |x: &[u64], y: &[u64]| {
        let count = |of: fn(u64, u64) -> u64| x.iter().zip(y).map(|(x, y)| of(*x, *y).count_ones()).sum::<u32>();
        let (both, either) = (count(|x, y| x & y), count(|x, y| x | y));
        if either > 0 { (f64::from(both) / f64::from(either)) as f32 } else { 0.0 }
    };
    sets.iter().flat_map(|x| sets.iter().map(|y| overlap(x, y))).collect()
}

fn rows_of(fit: &CrosscoderResult) -> usize {
    fit.activations.len() / fit.latents.len().max(1)
}

#[cfg(test)]
mod tests {
    use super::super::super::test_fits::{fit, latent};
    use super::*;
    use crate::crosscoder::LatentClass::Stable;

    fn three(norms: [f32; 3], activations: Vec<f32>) -> CrosscoderResult {
        CrosscoderResult { activations, ..fit(&[0], norms.iter().map(|norm| latent(Stable, &[*norm])).collect()) }
    }

    #[test]
    fn overlap_is_the_shared_part_of_all_inputs_on_which_either_fires() {
        // 70 inputs, so that the sets cross a word of 64.
        let fires = |on: std::ops::Range<usize>| (0..70).map(move |row| f32::from(u8::from(on.contains(&row))) * 0.1);
        let activations: Vec<f32> = fires(0..40).chain(fires(30..70)).chain(fires(0..0)).collect();
        let found = jaccard(&three([1.0; 3], activations), &[0, 1, 2]);
        let shared = 10.0 / 70.0;
        assert_eq!(found, [1.0, shared, 0.0, shared, 1.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn the_strongest_keep_the_order_that_they_came_in() {
        let fit = three([1.0, 3.0, 2.0], vec![1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!(strongest(&fit, &[2, 0, 1], 2), [2, 1]);
        assert_eq!(strongest(&fit, &[1, 2], 9), [1, 2]);
        assert!(strongest(&three([1.0; 3], Vec::new()), &[0], 9).is_empty(), "a fit that was saved without activations");
    }
}
