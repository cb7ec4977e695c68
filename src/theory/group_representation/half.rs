//! Where a share that rises with the number of known products reaches one half, and how well that is known.
//!
//! Each row is one order of all pairs, read at every size, so sizes of one row belong together and rows are what is drawn again. An
//! interval for each size by itself would call neighbours independent that share their data.

use crate::measure::bootstrap_interval;

/// Fewest rows of which a crossing is claimed.
pub const FEWEST: usize = 4;

/// The fraction at which the mean over `rows` (`[row][size]`) first reaches ½, read linearly between sizes, with its 95% bootstrap
/// interval; `None` if it never does or never lies below, in it or in a twentieth of the samples, or with fewer than [`FEWEST`] rows.
pub fn half(fractions: &[f64], rows: &[Vec<f64>]) -> Option<(f64, (f64, f64))> {
    if rows.len() < FEWEST {
        return None;
    }
    let at = crossing(fractions, &means(&rows.iter().collect::<Vec<_>>()))?;
    let places: Vec<f64> = (0..rows.len()).map(|place| place as f64).collect();
    let drawn = |places: &[f64]| places.iter().map(|place| &rows[*place as usize]).collect::<Vec<_>>();
    let [low, high] = bootstrap_interval(&places, |places| crossing(fractions, &means(&drawn(places))))?;
    Some((at, (low, high)))
}

/// Mean at each size.
pub fn means(rows: &[&Vec<f64>]) -> Vec<f64> {
    let mut sums = vec![0.0; rows.first().map_or(0, |row| row.len())];
    for row in rows {
        sums.iter_mut().zip(*row).for_each(|(sum, value)| *sum += value);
    }
    sums.into_iter().map(|sum| sum / rows.len() as f64).collect()
}

fn crossing(fractions: &[f64], means: &[f64]) -> Option<f64> {
    let after = means.iter().position(|mean| *mean >= 0.5)?;
    let before = after.checked_sub(1)?;
    let part = (0.5 - means[before]) / (means[after] - means[before]);
    Some(fractions[before] + part * (fractions[after] - fractions[before]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    #[test]
    fn a_straight_rise_crosses_in_its_middle_and_its_band_has_the_width_of_the_mean() {
        let mut stream = Stream::new(1, Purpose::Theory, 0);
        // Rows are the line y = x moved by a normal draw of .1, so the crossing of a mean of 100 scatters by .01.
        let fractions: Vec<f64> = (0..=20).map(|at| f64::from(at) / 20.0).collect();
        let moved = |by: f64| fractions.iter().map(|x| x + by).collect::<Vec<_>>();
        let rows: Vec<Vec<f64>> = (0..100).map(|_| moved(0.1 * stream.normal())).collect();
        let (at, (low, high)) = half(&fractions, &rows).unwrap();
        assert!((at - 0.5).abs() < 0.03 && low < at && at < high, "{at}");
        assert!(((high - low) / (2.0 * 1.96 * 0.01) - 1.0).abs() < 0.3, "{low} {high}");
        assert_eq!(half(&fractions, &rows[..3]), None, "too few rows");
        assert_eq!(half(&fractions, &vec![vec![0.2; 21]; 8]), None, "never reached");
    }
}
