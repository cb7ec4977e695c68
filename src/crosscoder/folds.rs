//! Which inputs a fit may learn from, and which judge it.
//!
//! For a commutative task (a, b) and (b, a) have nearly the same activations: with the two in different folds the held-out
//! explained variance would measure memory. The choice has its own random stream, so it does not move when the fit changes.

use crate::experiment::randomness::{Purpose, Stream};

/// Row indices (fit, held out), both ascending: the share `held_out` of the unordered pairs {a, b}, rounded, is held out.
///
/// `pairs` `[rows]` holds (a, b). A share that rounds to none or to all of the pairs leaves one side empty.
pub fn folds(pairs: &[(u16, u16)], held_out: f64, seed: u64) -> (Vec<u32>, Vec<u32>) {
    let unordered = |&(a, b): &(u16, u16)| (a.min(b), a.max(b));
    let mut distinct: Vec<_> = pairs.iter().map(unordered).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let count = (held_out * distinct.len() as f64).round() as usize;
    let order = Stream::new(seed, Purpose::CrosscoderFold, 0).permutation(distinct.len());
    let mut is_held = vec![false; distinct.len()];
    order.iter().take(count).for_each(|&pair| is_held[pair as usize] = true);
    let (held, fit) = (0..pairs.len() as u32)
        .partition(|&row| distinct.binary_search(&unordered(&pairs[row as usize])).is_ok_and(|pair| is_held[pair]));
    (fit, held)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(p: u16) -> Vec<(u16, u16)> {
        (0..p).flat_map(|a| (0..p).map(move |b| (a, b))).collect()
    }

    #[test]
    fn mirrored_rows_share_a_fold_and_the_share_is_exact() {
        let pairs = grid(59);
        let (fit, held) = folds(&pairs, 0.1, 4);
        let inputs: Vec<_> = held.iter().map(|&r| pairs[r as usize]).collect();
        assert!(inputs.iter().all(|&(a, b)| inputs.contains(&(b, a))));
        let unordered = inputs.iter().filter(|(a, b)| a <= b).count();
        assert_eq!(unordered, 177, "59·60/2 = 1770 pairs");
        let mut all = [fit, held].concat();
        all.sort_unstable();
        assert_eq!(all, (0..59 * 59).collect::<Vec<u32>>());
    }

    #[test]
    fn the_seed_decides_the_folds() {
        let pairs = grid(13);
        assert_eq!(folds(&pairs, 0.1, 1), folds(&pairs, 0.1, 1));
        assert_ne!(folds(&pairs, 0.1, 1), folds(&pairs, 0.1, 2));
    }

    #[test]
    fn a_row_without_mirror_is_a_pair_of_its_own() {
        // Division leaves out b = 0: (0, b) has no mirror.
        let pairs: Vec<(u16, u16)> = (0..5).flat_map(|a| (1..5).map(move |b| (a, b))).collect();
        let (fit, held) = folds(&pairs, 0.5, 3);
        assert_eq!(fit.len() + held.len(), 20);
        let distinct = |rows: &[u32]| rows.iter().map(|&r| pairs[r as usize]).filter(|&(a, b)| a <= b).count();
        assert_eq!((distinct(&fit), distinct(&held)), (7, 7), "14 unordered pairs");
    }
}
