//! Can points be separated from the origin? Each answer comes with what proves it.
//!
//! A perceptron that has not stopped yet may stop at the next update, so "not separable" would be a matter of patience, and a
//! measured probability would carry that patience as a bias. Gordan's theorem has a witness for both sides: a direction with
//! every margin positive, or weights that balance the points at the origin. Non-negative least squares finds one or the other
//! (Lawson and Hanson, *Solving Least Squares Problems*, 1974, ch. 23): its residual is the direction, its solution the weights.
//! A simplex method was rejected, because the question is degenerate at its starting vertex.

/// What was found, with its witness.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// A direction `[dimension]` of unit length, and the least margin: every point ÷ its length has at least this product with it.
    Separable {
        /// The direction.
        direction: Vec<f64>,
        /// The least margin, above rounding.
        margin: f64,
    },
    /// Positive weights of points (by index) whose weighted sum of unit vectors is the origin.
    Surrounded {
        /// `(point, weight)`, the weights adding up to 1.
        weights: Vec<(usize, f64)>,
        /// How far each weight may be off: a solution that is exact lies within it, and it is below every weight.
        uncertainty: f64,
    },
    /// The points are so degenerate that rounding decides.
    Undecided,
}

/// A witness has to stand above this, times lengths of about 1: some thousand rounding errors.
const ROUNDING: f64 = 1e-12;

/// Whether `points` `[count, dimension]` lie on one side of a plane through the origin.
pub(super) fn decide(points: &[f64], dimension: usize) -> Verdict {
    // Lengths do not matter to the question, and unit vectors make rounding comparable.
    let columns: Vec<Vec<f64>> = points.chunks_exact(dimension).map(column).collect();
    let rows = dimension + 1;
    let mut passive = Passive::default();
    for _ in 0..10 * (columns.len() + rows) {
        let residual = passive.residual(&columns, rows);
        if passive.members.len() == rows {
            return passive.surrounded(&residual);
        }
        let length = norm(&residual);
        if length < ROUNDING {
            return Verdict::Undecided;
        }
        let gains = columns.iter().enumerate().filter(|(index, _)| !passive.members.contains(index));
        let best = gains.map(|(index, column)| (index, dot(column, &residual))).max_by(|a, b| a.1.total_cmp(&b.1));
        match best {
            Some((index, gain)) if gain > ROUNDING * length => passive.admit(&columns, index),
            _ => return separable(&columns, &residual),
        }
    }
    Verdict::Undecided
}

/// A point as a unit vector, with a 1 below: combinations that keep the last row at 1 are convex.
fn column(point: &[f64]) -> Vec<f64> {
    let length = norm(point);
    point.iter().map(|value| value / length).chain([1.0]).collect()
}

/// The direction that the residual of non-negative least squares is.
fn separable(columns: &[Vec<f64>], residual: &[f64]) -> Verdict {
    let across = &residual[..residual.len() - 1];
    let length = norm(across);
    let direction: Vec<f64> = across.iter().map(|value| -value / length).collect();
    let margin = columns.iter().map(|column| dot(&column[..direction.len()], &direction)).fold(f64::INFINITY, f64::min);
    if margin > ROUNDING { Verdict::Separable { direction, margin } } else { Verdict::Undecided }
}

/// The points in use, their weights, and the QR factors of their columns.
#[derive(Default)]
struct Passive {
    members: Vec<usize>,
    weights: Vec<f64>,
    /// Orthonormal, one per member.
    q: Vec<Vec<f64>>,
    /// Column `j` has `j + 1` entries.
    r: Vec<Vec<f64>>,
}

impl Passive {
    /// `(0, …, 0, 1) − Σ weight · column`.
    fn residual(&self, columns: &[Vec<f64>], rows: usize) -> Vec<f64> {
        let mut residual = vec![0.0; rows];
        residual[rows - 1] = 1.0;
        for (&member, weight) in self.members.iter().zip(&self.weights) {
            for (left, value) in residual.iter_mut().zip(&columns[member]) {
                *left -= weight * value;
            }
        }
        residual
    }

    /// Takes a point in, and lets those go whose weights would turn negative.
    fn admit(&mut self, columns: &[Vec<f64>], index: usize) {
        self.members.push(index);
        self.weights.push(0.0);
        self.factor(&columns[index]);
        loop {
            let wanted = self.least_squares();
            let steps = self.weights.iter().zip(&wanted).filter(|(_, wanted)| **wanted <= 0.0);
            let step = steps.map(|(now, wanted)| now / (now - wanted)).fold(f64::INFINITY, f64::min);
            if step == f64::INFINITY {
                self.weights = wanted;
                return;
            }
            let moved: Vec<f64> = self.weights.iter().zip(&wanted).map(|(now, wanted)| now + step * (wanted - now)).collect();
            // Whatever set the length of the step goes, although rounding may leave it a hair above 0.
            let leaves = |at: usize| wanted[at] <= 0.0 && moved[at] <= 1e-14;
            let kept: Vec<usize> = (0..moved.len()).filter(|at| !leaves(*at)).collect();
            self.weights = kept.iter().map(|at| moved[*at]).collect();
            self.members = kept.iter().map(|at| self.members[*at]).collect();
            self.q.clear();
            self.r.clear();
            for member in self.members.clone() {
                self.factor(&columns[member]);
            }
        }
    }

    /// Appends a column to the factors (Gram–Schmidt, twice, which keeps Q orthonormal to rounding).
    fn factor(&mut self, column: &[f64]) {
        let mut rest = column.to_vec();
        let mut entries = vec![0.0; self.q.len()];
        for _ in 0..2 {
            for (entry, q) in entries.iter_mut().zip(&self.q) {
                let along = dot(q, &rest);
                *entry += along;
                for (value, unit) in rest.iter_mut().zip(q) {
                    *value -= along * unit;
                }
            }
        }
        let length = norm(&rest);
        entries.push(length);
        self.q.push(rest.iter().map(|value| value / length).collect());
        self.r.push(entries);
    }

    /// Weights of the unconstrained least squares over the members.
    fn least_squares(&self) -> Vec<f64> {
        // The right-hand side is the last unit vector.
        self.solve(self.q.iter().map(|q| q[q.len() - 1]).collect())
    }

    /// R⁻¹ times a vector.
    fn solve(&self, mut right: Vec<f64>) -> Vec<f64> {
        for at in (0..right.len()).rev() {
            right[at] /= self.r[at][at];
            let value = right[at];
            for (above, entry) in right[..at].iter_mut().zip(&self.r[at]) {
                *above -= entry * value;
            }
        }
        right
    }

    /// As many points as rows: the weights solve the equations up to rounding, and an exact solution lies no further away than the
    /// residual times the norm of the inverse. If that is below every weight, the exact weights are positive too.
    fn surrounded(&self, residual: &[f64]) -> Verdict {
        let size = self.members.len();
        let unit = |at: usize| (0..size).map(|index| f64::from(index == at)).collect::<Vec<f64>>();
        let inverse = norm(&(0..size).flat_map(|at| self.solve(unit(at))).collect::<Vec<f64>>());
        let uncertainty = inverse * (norm(residual) + ROUNDING);
        if self.weights.iter().all(|weight| *weight > uncertainty) {
            let weights = self.members.iter().copied().zip(self.weights.iter().copied()).collect();
            Verdict::Surrounded { weights, uncertainty }
        } else {
            Verdict::Undecided
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(vector: &[f64]) -> f64 {
    libm::sqrt(dot(vector, vector))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    fn cloud(count: usize, dimension: usize, seed: u64) -> Vec<f64> {
        let mut stream = Stream::new(seed, Purpose::Theory, 77);
        (0..count * dimension).map(|_| stream.normal()).collect()
    }

    /// In the plane: points lie on one side exactly if a gap between neighbouring angles is wider than half a turn.
    fn has_gap(points: &[f64]) -> bool {
        let mut angles: Vec<f64> = points.chunks_exact(2).map(|point| point[1].atan2(point[0])).collect();
        angles.sort_by(f64::total_cmp);
        let last = angles[0] + core::f64::consts::TAU;
        angles.push(last);
        angles.windows(2).any(|pair| pair[1] - pair[0] > core::f64::consts::PI)
    }

    #[test]
    fn in_the_plane_the_answer_is_that_of_the_widest_gap_between_angles() {
        let mut seen = [0, 0];
        for seed in 0..400 {
            let points = cloud(2 + (seed % 5) as usize, 2, seed);
            let expected = has_gap(&points);
            match decide(&points, 2) {
                Verdict::Separable { .. } => assert!(expected, "{seed}"),
                Verdict::Surrounded { .. } => assert!(!expected, "{seed}"),
                Verdict::Undecided => panic!("{seed} is undecided"),
            }
            seen[usize::from(expected)] += 1;
        }
        assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
    }

    #[test]
    fn witnesses_hold_on_the_points_themselves() {
        let mut seen = [0, 0];
        for seed in 0..60 {
            let (count, dimension) = (16, 8);
            let points = cloud(count, dimension, seed);
            match decide(&points, dimension) {
                Verdict::Separable { direction, .. } => {
                    seen[0] += 1;
                    assert!(points.chunks_exact(dimension).all(|point| dot(point, &direction) > 0.0));
                }
                Verdict::Surrounded { weights, .. } => {
                    seen[1] += 1;
                    assert_eq!(weights.len(), dimension + 1);
                    assert!((weights.iter().map(|(_, weight)| weight).sum::<f64>() - 1.0).abs() < 1e-12);
                    let unit = |index: usize| column(&points[index * dimension..(index + 1) * dimension]);
                    let sum = |row: usize| weights.iter().map(|(index, weight)| weight * unit(*index)[row]).sum::<f64>();
                    assert!((0..dimension).all(|row| sum(row).abs() < 1e-12) && weights.iter().all(|(_, weight)| *weight > 0.0));
                }
                Verdict::Undecided => panic!("{seed} is undecided"),
            }
        }
        assert!(seen.iter().all(|count| *count > 15), "{seen:?}");
    }

    #[test]
    fn the_direction_is_that_of_the_point_of_the_hull_nearest_to_the_origin() {
        // Unit vectors at ±60° and 0° about the first axis: the nearest point of their hull is (½, 0).
        let points = [0.5, 0.75f64.sqrt(), 0.5, -(0.75f64.sqrt()), 1.0, 0.0];
        let Verdict::Separable { direction, margin } = decide(&points, 2) else { panic!("not separated") };
        assert!((direction[0] - 1.0).abs() < 1e-12 && direction[1].abs() < 1e-12 && (margin - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_point_and_its_opposite_are_left_undecided_and_never_called_separable() {
        let mut points = cloud(3, 4, 1);
        let opposite: Vec<f64> = points[..4].iter().map(|value| -value).collect();
        points.extend(opposite);
        assert_eq!(decide(&points, 4), Verdict::Undecided);
    }

    #[test]
    fn one_point_is_separable() {
        assert!(matches!(decide(&[0.3, -2.0, 1.0], 3), Verdict::Separable { margin, .. } if (margin - 1.0).abs() < 1e-12));
    }
}
