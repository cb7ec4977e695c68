//! Groups with a faithful representation in small integer matrices, and the modes into which a departure from it falls.
//!
//! Writing a departure as δE_a = δ_a ρ_a turns d(E_aE_b) into (δ_a + ρ_a δ_b ρ_a⁻¹) ρ_ab: a group acts on d×d matrices by conjugation, and
//! that space splits into irreducible parts W. So the equations split as well, and what d²|G| unknowns ask is answered by a few systems of
//! dim W · |G| each. All matrices are integers (in a basis of a lattice, where rotations by 60° and 90° are), so ranks are exact. Rejected:
//! groups by any name, whose irreducible parts would have to be computed, in irrational numbers for most.

use crate::record::UserError;
use crate::task::{Group, Structure};
use serde::{Deserialize, Serialize};

/// Row-major integers, square.
pub type Matrix = Vec<i64>;

/// Which group, in which representation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Choice {
    /// Permutations of three points as 3×3 permutation matrices.
    #[serde(rename = "S3")]
    S3,
    /// The same as symmetries of a triangle, 2×2.
    #[serde(rename = "S3-triangle")]
    S3Triangle,
    /// Rotations of a hexagon, 2×2.
    #[serde(rename = "C6")]
    C6,
    /// Symmetries of a square, 2×2.
    #[serde(rename = "D4")]
    D4,
    /// Three signs, 3×3.
    #[serde(rename = "C2xC2xC2")]
    Signs,
}

/// In the order of [`Choice`]: value, words.
pub const CHOICES: &[(&str, &str)] = &[
    ("S3", "S3, permutations of three points (3×3)"),
    ("S3-triangle", "S3, symmetries of a triangle (2×2)"),
    ("C6", "C6, rotations of a hexagon (2×2)"),
    ("D4", "D4, symmetries of a square (2×2)"),
    ("C2xC2xC2", "C2×C2×C2, three signs (3×3)"),
];

/// An irreducible part of the departures.
#[derive(Debug, Clone, PartialEq)]
pub struct Mode {
    /// Its name for people.
    pub name: &'static str,
    /// How often it occurs among the d² departures of one element.
    pub multiplicity: usize,
    /// What each element does to it: `[element]`, `width`².
    pub action: Vec<Matrix>,
    /// Its dimension.
    pub width: usize,
}

/// A group with a representation.
#[derive(Debug, Clone, PartialEq)]
pub struct System {
    pub group: Group,
    /// ρ: `[element]`, d².
    pub representation: Vec<Matrix>,
    /// d.
    pub dimension: usize,
    /// Modes of d×d matrices under conjugation by ρ.
    pub modes: Vec<Mode>,
}

impl Choice {
    /// Name of the group alone.
    pub fn group_name(self) -> &'static str {
        match self {
            Self::S3 | Self::S3Triangle => "S3",
            other => CHOICES[other as usize].0,
        }
    }

    /// Its table and matrices.
    ///
    /// # Errors
    /// Never for the groups listed here; the name is read as any group's is.
    pub fn system(self) -> Result<System, UserError> {
        let group = Structure::parse(self.group_name())?.group();
        // Generators as they are numbered in `task::group`.
        let generators: &[usize] = match self {
            // (2 3) and (1 2).
            Self::S3 | Self::S3Triangle => &[1, 2],
            // r.
            Self::C6 => &[1],
            // r and s.
            Self::D4 => &[1, 4],
            Self::Signs => &[4, 2, 1],
        };
        let all = |images: &[&[i64]]| extended(&group, generators, images);
        let mode = |name, multiplicity, images: &[&[i64]]| {
            let action = all(images);
            Mode { name, multiplicity, width: action[0].len().isqrt(), action }
        };
        let triangle: &[&[i64]] = &[&[1, 0, 1, -1], &[-1, 1, 0, 1]];
        let (representation, modes) = match self {
            Self::S3 => (
                all(&[&[1, 0, 0, 0, 0, 1, 0, 1, 0], &[0, 1, 0, 1, 0, 0, 0, 0, 1]]),
                vec![mode("scale", 2, &[&[1], &[1]]), mode("sign", 1, &[&[-1], &[-1]]), mode("triangle", 3, triangle)],
            ),
            Self::S3Triangle => (
                all(triangle),
                vec![mode("scale", 1, &[&[1], &[1]]), mode("sign", 1, &[&[-1], &[-1]]), mode("triangle", 1, triangle)],
            ),
            Self::C6 => {
                (all(&[&[0, -1, 1, 1]]), vec![mode("scale and turn", 2, &[&[1]]), mode("stretch", 1, &[&[-1, -1, 1, 0]])])
            }
            Self::D4 => (
                all(&[&[0, -1, 1, 0], &[0, 1, 1, 0]]),
                vec![
                    mode("scale", 1, &[&[1], &[1]]),
                    mode("turn", 1, &[&[1], &[-1]]),
                    mode("stretch along sides", 1, &[&[-1], &[-1]]),
                    mode("stretch along diagonals", 1, &[&[-1], &[1]]),
                ],
            ),
            Self::Signs => (
                all(&[&[-1, 0, 0, 0, 1, 0, 0, 0, 1], &[1, 0, 0, 0, -1, 0, 0, 0, 1], &[1, 0, 0, 0, 1, 0, 0, 0, -1]]),
                vec![
                    mode("scales", 3, &[&[1], &[1], &[1]]),
                    mode("mix of 1 and 2", 2, &[&[-1], &[-1], &[1]]),
                    mode("mix of 1 and 3", 2, &[&[-1], &[1], &[-1]]),
                    mode("mix of 2 and 3", 2, &[&[1], &[-1], &[-1]]),
                ],
            ),
        };
        Ok(System { dimension: representation[0].len().isqrt(), group, representation, modes })
    }
}

impl System {
    /// |G|.
    pub fn order(&self) -> usize {
        self.group.order
    }

    /// The element that a pair multiplies to.
    pub fn product(&self, (a, b): (usize, usize)) -> usize {
        usize::from(self.group.product(a as u16, b as u16))
    }
}

/// The matrices of all elements, from those of generators.
fn extended(group: &Group, generators: &[usize], images: &[&[i64]]) -> Vec<Matrix> {
    let width = images[0].len().isqrt();
    let mut found: Vec<Option<Matrix>> = vec![None; group.order];
    found[0] = Some((0..width * width).map(|at| i64::from(at / width == at % width)).collect());
    let mut waiting = vec![0];
    while let Some(element) = waiting.pop() {
        for (generator, image) in generators.iter().zip(images) {
            let next = usize::from(group.product(element as u16, *generator as u16));
            if found[next].is_none() {
                found[next] = found[element].as_deref().map(|matrix| multiplied(matrix, image));
                waiting.push(next);
            }
        }
    }
    found.into_iter().flatten().collect()
}

/// x·y.
pub fn multiplied(x: &[i64], y: &[i64]) -> Matrix {
    let width = x.len().isqrt();
    let entry = |row: usize, column: usize| (0..width).map(|k| x[row * width + k] * y[k * width + column]).sum();
    (0..width * width).map(|at| entry(at / width, at % width)).collect()
}

#[cfg(test)]
pub const ALL: [Choice; 5] = [Choice::S3, Choice::S3Triangle, Choice::C6, Choice::D4, Choice::Signs];

/// Numbers that tell only even from odd, as matrices that are 0 elsewhere: `[d², element]`.
#[cfg(test)]
pub fn sign(system: &System) -> nalgebra::DMatrix<f64> {
    nalgebra::DMatrix::from_fn(system.dimension * system.dimension, system.order(), |at, element| {
        match (at, system.group.even[element]) {
            (0, true) => 1.0,
            (0, false) => -1.0,
            _ => 0.0,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_matrices_multiply_as_the_elements_do_and_the_representation_is_faithful() {
        for choice in ALL {
            let system = choice.system().unwrap();
            let modes = system.modes.iter().map(|mode| &mode.action);
            for matrices in modes.chain([&system.representation]) {
                assert_eq!(matrices.len(), system.order());
                for a in 0..system.order() {
                    for b in 0..system.order() {
                        assert_eq!(
                            multiplied(&matrices[a], &matrices[b]),
                            matrices[system.product((a, b))],
                            "{choice:?} {a} {b}"
                        );
                    }
                }
            }
            let distinct: std::collections::HashSet<_> = system.representation.iter().collect();
            assert_eq!(distinct.len(), system.order(), "{choice:?}");
        }
    }

    #[test]
    fn the_modes_are_all_of_the_matrices_under_conjugation() {
        // Characters: the trace on d×d matrices under conjugation is χ(a)·χ(a⁻¹).
        let trace = |matrix: &Matrix| (0..matrix.len().isqrt()).map(|k| matrix[k * matrix.len().isqrt() + k]).sum::<i64>();
        for choice in ALL {
            let system = choice.system().unwrap();
            for a in 0..system.order() {
                let inverse = usize::from(system.group.inverse(a as u16));
                let whole = trace(&system.representation[a]) * trace(&system.representation[inverse]);
                let parts: i64 = system.modes.iter().map(|mode| mode.multiplicity as i64 * trace(&mode.action[a])).sum();
                assert_eq!(whole, parts, "{choice:?} {a}");
            }
        }
    }
}
