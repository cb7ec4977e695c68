//! One phase or two? The dip of Hartigan and Hartigan: how far an empirical distribution lies from the nearest one with a single
//! mode.
//!
//! Not a likelihood ratio of one normal against two: a skewed distribution with one peak, as |m| has at every continuous transition,
//! is called two by it. The dip asks for a valley and for nothing else.

use crate::experiment::randomness::{Purpose, Stream};

/// Uniform samples behind a p-value.
const DRAWS: usize = 400;

/// The dip of `values`: least over unimodal F of the largest |F_n − F|, 1/(2n) at least. Ties are one step. By the algorithm of
/// P. M. Hartigan (1985, AS 217) as corrected since; a test holds it against the definition.
pub(super) fn dip(values: &[f64]) -> f64 {
    let mut x = values.to_vec();
    x.sort_by(f64::total_cmp);
    let n = x.len();
    if n < 2 || x[0] == x[n - 1] {
        return 0.5 / n.max(1) as f64;
    }
    let (minorant, majorant) = hulls(&x);
    let (mut low, mut high) = (0, n - 1);
    let mut most = 1.0_f64;
    loop {
        let (gcm, lcm) = (chain(high, low, &minorant), chain(low, high, &majorant));
        let (distance, left, right) = farthest(&x, &gcm, &lcm);
        if distance < most {
            break;
        }
        let below = gcm[left..].windows(2).map(|knots| stretch(&x, knots[1], knots[0], 1.0));
        let above = lcm[right..].windows(2).map(|knots| stretch(&x, knots[0], knots[1], -1.0));
        most = below.chain(above).fold(most, f64::max);
        if (low, high) == (gcm[left], lcm[right]) {
            break;
        }
        (low, high) = (gcm[left], lcm[right]);
    }
    0.5 * most / n as f64
}

/// For each point the knot before it on the greatest convex minorant of (x, rank) up to it, and the knot after it on the least
/// concave majorant from it on.
fn hulls(x: &[f64]) -> (Vec<usize>, Vec<usize>) {
    let last = x.len() - 1;
    // Rises over runs, cross-multiplied: before and after b.
    let before = |a: usize, b: usize, c: usize| (x[c] - x[b]) * (b - a) as f64;
    let after = |a: usize, b: usize, c: usize| (x[b] - x[a]) * (c - b) as f64;
    let mut minorant = vec![0; x.len()];
    for c in 1..=last {
        let mut b = c - 1;
        while b != 0 && before(minorant[b], b, c) >= after(minorant[b], b, c) {
            b = minorant[b];
        }
        minorant[c] = b;
    }
    let mut majorant = vec![last; x.len()];
    for a in (0..last).rev() {
        let mut b = a + 1;
        while b != last && after(a, b, majorant[b]) >= before(a, b, majorant[b]) {
            b = majorant[b];
        }
        majorant[a] = b;
    }
    (minorant, majorant)
}

/// The knots from `start` to `end`.
fn chain(start: usize, end: usize, next: &[usize]) -> Vec<usize> {
    let mut knots = vec![start];
    let mut at = start;
    while at != end {
        at = next[at];
        knots.push(at);
    }
    knots
}

/// The largest distance, in ranks, between the minorant (knots from high to low) and the majorant (from low to high), and the knots
/// of both between which it lies.
fn farthest(x: &[f64], gcm: &[usize], lcm: &[usize]) -> (f64, usize, usize) {
    let (mut left, mut right) = (gcm.len() - 1, lcm.len() - 1);
    if gcm.len() == 2 && lcm.len() == 2 {
        return (1.0, left, right);
    }
    let (mut i, mut j, mut most) = (left - 1, 1, 0.0);
    loop {
        let (g, l) = (gcm[i], lcm[j]);
        if g > l {
            let from = gcm[i + 1];
            let distance = (l + 1 - from) as f64 - (x[l] - x[from]) * (g - from) as f64 / (x[g] - x[from]);
            if distance >= most {
                (most, left, right) = (distance, i + 1, j);
            }
            j = (j + 1).min(lcm.len() - 1);
        } else {
            let from = lcm[j - 1];
            let distance = (x[g] - x[from]) * (l - from) as f64 / (x[l] - x[from]) - (g as f64 - from as f64 - 1.0);
            if distance >= most {
                (most, left, right) = (distance, i, j);
            }
            i = i.saturating_sub(1);
        }
        if gcm[i] == lcm[j] {
            return (most, left, right);
        }
    }
}

/// The largest distance, in ranks, of the points from the chord between two knots, on the side of `sign`.
fn stretch(x: &[f64], from: usize, to: usize, sign: f64) -> f64 {
    if to - from < 2 || x[to] == x[from] {
        return 1.0;
    }
    let slope = (to - from) as f64 / (x[to] - x[from]);
    (from..=to).map(|at| sign * ((at - from) as f64 - (x[at] - x[from]) * slope) + 1.0).fold(1.0, f64::max)
}

/// Dips of uniform samples of `count`, ascending: of all distributions with one mode the uniform one has the largest dips, to
/// leading order, so that p-values from it do not promise too much (Hartigan and Hartigan 1985).
pub(super) fn uniform_dips(count: usize) -> Vec<f64> {
    let mut stream = Stream::new(0, Purpose::Theory, count as u64);
    let mut drawn = vec![0.0; count];
    let mut dips: Vec<f64> = (0..DRAWS)
        .map(|_| {
            drawn.iter_mut().for_each(|value| *value = stream.uniform());
            dip(&drawn)
        })
        .collect();
    dips.sort_by(f64::total_cmp);
    dips
}

/// Share of one-phase samples that dip as far; 1/(draws + 1) at least.
pub(super) fn p_value(dip: f64, uniform: &[f64]) -> f64 {
    let as_far = uniform.len() - uniform.partition_point(|other| *other < dip);
    (as_far + 1) as f64 / (uniform.len() + 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the definition: least d such that some F, convex up to a mode and concave from it on, lies within d of F_n everywhere.
    /// Every mode is tried, and every line through two ends of the tube is held against a third; O(n⁴) per d.
    fn by_definition(values: &[f64]) -> f64 {
        let mut x = values.to_vec();
        x.sort_by(f64::total_cmp);
        let n = x.len() as f64;
        let mut steps: Vec<(f64, f64, f64)> = Vec::new();
        for (index, value) in x.iter().enumerate() {
            match steps.last_mut() {
                Some(step) if step.0 == *value => step.2 = (index + 1) as f64 / n,
                _ => steps.push((*value, index as f64 / n, (index + 1) as f64 / n)),
            }
        }
        let (mut low, mut high) = (0.0, 0.5);
        for _ in 0..40 {
            let d = 0.5 * (low + high);
            if (0..steps.len()).any(|mode| fits(&steps, mode, d)) { high = d } else { low = d }
        }
        high
    }

    /// `steps` are (x, F_n before, F_n after).
    fn fits(steps: &[(f64, f64, f64)], mode: usize, d: f64) -> bool {
        // The right side is the left one turned by half a circle.
        let left: Vec<(f64, f64, f64)> = steps[..=mode].to_vec();
        let right: Vec<(f64, f64, f64)> = steps[mode..].iter().rev().map(|s| (-s.0, 1.0 - s.2, 1.0 - s.1)).collect();
        match (least_end(&left, d), least_end(&right, d)) {
            (Some(from), Some(to)) => from <= 1.0 - to + 1e-12,
            _ => false,
        }
    }

    /// The least value before the last step of a convex function that stays within `d`.
    fn least_end(steps: &[(f64, f64, f64)], d: f64) -> Option<f64> {
        let end = steps.len() - 1;
        let floor = |i: usize| if i == end { steps[i].1 - d } else { steps[i].2 - d }.max(0.0);
        let roof = |i: usize| steps[i].1 + d;
        let mut least = floor(end);
        for b in 0..end {
            if floor(b) > roof(b) + 1e-12 {
                return None;
            }
            for a in 0..b {
                let at = |x: f64| floor(b) + (floor(b) - roof(a)) / (steps[b].0 - steps[a].0) * (x - steps[b].0);
                if (b + 1..end).any(|c| at(steps[c].0) > roof(c) + 1e-12) {
                    return None;
                }
                least = least.max(at(steps[end].0));
            }
        }
        (least <= roof(end) + 1e-12).then_some(least)
    }

    #[test]
    fn the_algorithm_follows_the_definition_with_and_without_ties() {
        let mut stream = Stream::new(3, Purpose::Planted, 0);
        for round in 0..24 {
            let count = 4 + stream.below(12) as usize;
            let values: Vec<f64> = (0..count)
                .map(|_| match round % 3 {
                    0 => stream.uniform(),
                    1 => stream.normal() * 0.3 + 2.0 * stream.below(2) as f64,
                    _ => libm::round(stream.uniform() * 8.0),
                })
                .collect();
            let (fast, slow) = (dip(&values), by_definition(&values));
            assert!((fast - slow).abs() < 1e-9, "{fast} {slow} {values:?}");
        }
    }

    #[test]
    fn two_points_of_equal_weight_dip_by_a_quarter_and_even_spacing_least() {
        // Closed forms.
        let two: Vec<f64> = (0..40).map(|i| f64::from(i % 2)).collect();
        assert!((dip(&two) - 0.25).abs() < 1e-12);
        let even: Vec<f64> = (0..10).map(f64::from).collect();
        assert_eq!(dip(&even), 0.05);
        assert_eq!((dip(&[1.0; 5]), dip(&[])), (0.1, 0.5));
    }

    #[test]
    fn a_uniform_sample_has_the_tabulated_quantile_and_one_peak_is_not_called_two() {
        // From a million samples of 50, in the table of R's diptest (Maechler): 95% are below .0703.
        let uniform = uniform_dips(50);
        let quantile = uniform[uniform.len() * 95 / 100];
        assert!((quantile - 0.0703).abs() < 0.005, "{quantile}");
        let mut stream = Stream::new(4, Purpose::Planted, 0);
        let called = (0..100).filter(|_| {
            let folded: Vec<f64> = (0..50).map(|_| stream.normal().abs()).collect();
            p_value(dip(&folded), &uniform) < 0.05
        });
        assert!(called.count() <= 5);
    }
}
