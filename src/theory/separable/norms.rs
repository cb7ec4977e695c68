//! Max-margin directions in other norms, for optimisers whose steps are not measured by the Euclidean one.
//!
//! Coordinate descent is steepest descent where lengths are ℓ1, sign descent where they are ℓ∞, and each goes to the largest margin
//! in its own norm. Exact enumeration, in the plane alone: the panel's data are planar, and a linear program's solver for d
//! dimensions would serve nobody here.

use super::rows::{Rows, dot};

/// A norm with corners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cornered {
    /// |w₁| + |w₂|.
    Sum,
    /// max(|w₁|, |w₂|).
    Largest,
}

/// argmin of the norm with z_n·w ≥ 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CorneredMargin {
    /// The solution; the mean of its ends if a whole segment is one.
    pub direction: Vec<f64>,
    /// Whether there is only one.
    pub is_unique: bool,
}

impl Cornered {
    fn of(self, w: [f64; 2]) -> f64 {
        match self {
            Self::Sum => w[0].abs() + w[1].abs(),
            Self::Largest => w[0].abs().max(w[1].abs()),
        }
    }
}

/// The shortest w in the plane, by this norm, with every margin at least 1; `None` if there is none. On a line z_n·w = 1 the norm is
/// linear between its corners, so the shortest is where two such lines meet or where one meets a corner's ray.
pub(super) fn shortest(rows: &Rows, norm: Cornered) -> Option<CorneredMargin> {
    let rays: [[f64; 2]; 2] = match norm {
        Cornered::Sum => [[1.0, 0.0], [0.0, 1.0]],
        Cornered::Largest => [[1.0, 1.0], [1.0, -1.0]],
    };
    // A line a·w = b as (a, b).
    let edges: Vec<([f64; 2], f64)> = rows.iter().map(|z| ([z[0], z[1]], 1.0)).collect();
    let corners = rays.iter().map(|ray| (*ray, 0.0));
    let mut meets = Vec::new();
    for (at, &(a, p)) in edges.iter().enumerate() {
        for (b, q) in edges[at + 1..].iter().copied().chain(corners.clone()) {
            let area = a[0] * b[1] - a[1] * b[0];
            if area.abs() > 1e-12 {
                meets.push([(p * b[1] - q * a[1]) / area, (a[0] * q - b[0] * p) / area]);
            }
        }
    }
    meets.retain(|w| rows.iter().all(|z| dot(z, w) >= 1.0 - 1e-9));
    let least = meets.iter().map(|w| norm.of(*w)).min_by(f64::total_cmp)?;
    let best: Vec<[f64; 2]> = meets.into_iter().filter(|w| norm.of(*w) <= least * (1.0 + 1e-9)).collect();
    let mean = |axis: usize| best.iter().map(|w| w[axis]).sum::<f64>() / best.len() as f64;
    let direction = vec![mean(0), mean(1)];
    let is_unique = best.iter().all(|w| (w[0] - direction[0]).abs() + (w[1] - direction[1]).abs() < 1e-7 * least);
    Some(CorneredMargin { direction, is_unique })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_direction_of_a_fine_fan_has_a_larger_margin() {
        let sets = [
            vec![1.0, 0.5, 2.0, 1.5, 3.0, -0.5, 0.5, 2.0],
            vec![0.0, 2.0, 1.5, 0.5],
            vec![2.0, -0.3, 0.7, 0.4, 1.0, 1.0],
            vec![-1.0, 0.2, -0.5, 0.6, -2.0, -0.3],
        ];
        for values in sets {
            let rows = Rows::new(2, values);
            for norm in [Cornered::Sum, Cornered::Largest] {
                let found = shortest(&rows, norm).unwrap();
                let of = |w: [f64; 2]| rows.smallest_margin(&w) / norm.of(w);
                let ours = of([found.direction[0], found.direction[1]]);
                let fan = (0..100_000).map(|at| f64::from(at) * core::f64::consts::TAU / 1e5);
                let best = fan.map(|a| of([libm::cos(a), libm::sin(a)])).fold(f64::NEG_INFINITY, f64::max);
                assert!(ours >= best - 1e-12 && ours < best + 1e-4, "{norm:?}: {ours} against {best}");
            }
        }
    }

    #[test]
    fn a_segment_of_solutions_is_said_to_be_one() {
        // Only w₁ counts: every |w₂| ≤ w₁ is as short.
        let found = shortest(&Rows::new(2, vec![1.0, 0.0]), Cornered::Largest).unwrap();
        assert!(!found.is_unique && (found.direction[0] - 1.0).abs() < 1e-12);
        assert!(shortest(&Rows::new(2, vec![1.0, 0.5]), Cornered::Largest).unwrap().is_unique);
        assert_eq!(shortest(&Rows::new(2, vec![1.0, 0.0, -1.0, 0.0]), Cornered::Sum), None);
    }
}
