//! Training pairs chosen by the theory of representations instead of by chance (Liu et al., arXiv:2205.10343).
//!
//! In that theory the embeddings E_k of the numbers 0..n follow Ė = −H E, with H = (2/|P₀|) AᵀA at unit Z₀ = Σ E_k², one row
//! e_i + e_j − e_k − e_l of A for each of the |P₀| pairs of distinct training pairs with i + j = k + l. Constants and lines cost
//! nothing (λ₁ = λ₂ = 0); everything else dies out at rate λ₃ or faster. So the pairs to train on are those with the largest λ₃.
//!
//! They are found by elimination: from all pairs, the one goes whose loss leaves the largest λ₃ (where that stays zero, λ₄, and
//! so on; among equals the last pair). Growing a set instead is blind at first: λ₃ is zero until n − 2 equations stand, whichever
//! pairs come first. Elimination also makes every set part of the next larger one.

use super::super::dataset::Row;
use super::super::rule::Rule;
use super::orbits::mirror_pairs;
use super::{SplitKind, needs_pairs, number};
use crate::experiment::TaskConfig;
use crate::experiment::fields::Kind;
use crate::record::UserError;
use std::sync::OnceLock;

/// Most tokens: elimination takes about n⁷ operations; at 13 a quarter of a second on one native core.
pub const MAX_TOKENS: u32 = 13;

pub(super) const KIND: SplitKind = SplitKind {
    kind: Kind {
        name: "guided",
        label: "Guided by theory",
        help: "Unordered pairs are taken up so that the slowest unstructured part of the embedding dies out fastest: largest λ₃ \
               of the effective theory (Liu et al., arXiv:2205.10343); the same for every seed. For a + b mod n, sums are taken \
               without wrap-around",
        fields: &[],
    },
    units: "unordered pairs",
    refusal,
    unit_of: Some(|rows, _| mirror_pairs(rows)),
    order: Some(order),
};

/// Whether the theory's line is a solution of the task: addition, with or without modulus.
pub fn has_line(operation: &str) -> bool {
    matches!(operation, "add" | "addition")
}

fn refusal(task: &TaskConfig, rule: &dyn Rule) -> Option<UserError> {
    needs_pairs(rule, "The guided split").or_else(|| {
        let tokens = rule.sizes().tokens;
        if !has_line(&task.operation) {
            Some(UserError::new(
                format!("The theory behind the guided split speaks of addition, not of {}", rule.formula()),
                "Use the task addition or add, or the random split",
            ))
        } else if tokens > MAX_TOKENS {
            Some(UserError::new(
                format!("Choosing among the pairs of {tokens} numbers would take too long"),
                format!("Use at most {MAX_TOKENS} numbers, or the random split"),
            ))
        } else {
            None
        }
    })
}

fn order(rows: &[Row], unit_of: &[u32], tokens: u32) -> Vec<u32> {
    static FOUND: [OnceLock<Vec<(u16, u16)>>; MAX_TOKENS as usize + 1] = [const { OnceLock::new() }; MAX_TOKENS as usize + 1];
    let all = || most_structure_first(tokens, &unordered((0..tokens as u16).flat_map(|a| (0..=a).map(move |b| (b, a)))));
    let pairs = FOUND.get(tokens as usize).map_or_else(all, |found| found.get_or_init(all).clone());
    let rank = |row: &Row| pairs.iter().position(|pair| *pair == (row.a.min(row.b), row.a.max(row.b)));
    let mut units: Vec<(Option<usize>, u32)> = rows.iter().zip(unit_of).map(|(row, unit)| (rank(row), *unit)).collect();
    units.sort_unstable();
    units.dedup();
    units.into_iter().map(|(_, unit)| unit).collect()
}

/// Pairs with the smaller number first, ascending, each once.
pub fn unordered(pairs: impl Iterator<Item = (u16, u16)>) -> Vec<(u16, u16)> {
    let mut pairs: Vec<(u16, u16)> = pairs.map(|(a, b)| (a.min(b), a.max(b))).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// `pairs` (unordered, ascending) in the reverse of the order in which elimination drops them: of each length, the start of the
/// list is the set that elimination leaves.
pub fn most_structure_first(tokens: u32, pairs: &[(u16, u16)]) -> Vec<(u16, u16)> {
    let mut left = pairs.to_vec();
    let mut dropped = Vec::with_capacity(left.len());
    while let Some(last) = left.len().checked_sub(1) {
        let mut best: Option<(usize, Vec<f64>)> = None;
        for candidate in (0..=last).rev() {
            let pair = left.remove(candidate);
            let spectrum = structure_spectrum(tokens, &left);
            left.insert(candidate, pair);
            if best.as_ref().is_none_or(|(_, so_far)| is_larger(&spectrum, so_far)) {
                best = Some((candidate, spectrum));
            }
        }
        dropped.push(left.remove(best.map_or(last, |(candidate, _)| candidate)));
    }
    dropped.reverse();
    dropped
}

/// Lexicographic from λ₃ on, with differences that rounding could make taken for none.
fn is_larger(one: &[f64], two: &[f64]) -> bool {
    let differs = one.iter().zip(two).skip(2).find(|(x, y)| (*x - *y).abs() > 1e-9);
    differs.is_some_and(|(x, y)| x > y)
}

/// Eigenvalues of H, ascending, for training on `pairs` of the numbers 0..`tokens`: `[tokens]`. The first two are zero, for
/// constants and lines; the third, times the learning rate, is the rate at which structure forms. All are zero where no two pairs
/// have the same sum. A pair and its mirror count once.
pub fn structure_spectrum(tokens: u32, pairs: &[(u16, u16)]) -> Vec<f64> {
    let n = tokens as usize;
    let pairs = unordered(pairs.iter().copied().filter(|(a, b)| u32::from(*a) < tokens && u32::from(*b) < tokens));
    let mut h = vec![0.0; n * n];
    let mut parallelograms = 0;
    let sums = number(pairs.iter().map(|(a, b)| u32::from(*a) + u32::from(*b)));
    for sum in 0..sums.iter().max().map_or(0, |last| last + 1) {
        let members: Vec<(u16, u16)> = pairs.iter().zip(&sums).filter(|(_, s)| **s == sum).map(|(pair, _)| *pair).collect();
        parallelograms += members.len() * (members.len() - 1) / 2;
        // Over all pairs of m vectors v: Σ (v − v′)(v − v′)ᵀ = m Σ v vᵀ − (Σ v)(Σ v)ᵀ.
        let count = members.len() as f64;
        let mut total = vec![0.0; n];
        for (a, b) in members {
            let ends = [usize::from(a), usize::from(b)];
            for x in ends {
                total[x] += 1.0;
                for y in ends {
                    h[x * n + y] += count;
                }
            }
        }
        for x in 0..n {
            for y in 0..n {
                h[x * n + y] -= total[x] * total[y];
            }
        }
    }
    if parallelograms == 0 {
        return vec![0.0; n];
    }
    h.iter_mut().for_each(|entry| *entry *= 2.0 / parallelograms as f64);
    eigenvalues(h, n)
}

/// Eigenvalues of a symmetric matrix `[n][n]`, ascending, by cyclic Jacobi rotations (Golub and Van Loan, §8.5).
fn eigenvalues(mut matrix: Vec<f64>, n: usize) -> Vec<f64> {
    let norm: f64 = matrix.iter().map(|x| x * x).sum();
    // Convergence is quadratic; a dozen sweeps are already more than enough.
    for _ in 0..40 {
        let outside: f64 = (0..n * n).filter(|i| i / n != i % n).map(|i| matrix[i] * matrix[i]).sum();
        if outside <= 1e-26 * norm {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut matrix, n, p, q);
            }
        }
    }
    let mut values: Vec<f64> = (0..n).map(|i| matrix[i * n + i]).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// Turns the plane of axes `p` and `q` so that their off-diagonal entry vanishes.
fn rotate(matrix: &mut [f64], n: usize, p: usize, q: usize) {
    let entry = matrix[p * n + q];
    if entry.abs() < f64::MIN_POSITIVE {
        return;
    }
    let theta = (matrix[q * n + q] - matrix[p * n + p]) / (2.0 * entry);
    let tangent = theta.signum() / (theta.abs() + libm::sqrt(theta * theta + 1.0));
    let cosine = 1.0 / libm::sqrt(tangent * tangent + 1.0);
    let sine = tangent * cosine;
    for k in 0..n {
        let (x, y) = (matrix[k * n + p], matrix[k * n + q]);
        matrix[k * n + p] = cosine * x - sine * y;
        matrix[k * n + q] = sine * x + cosine * y;
    }
    for k in 0..n {
        let (x, y) = (matrix[p * n + k], matrix[q * n + k]);
        matrix[p * n + k] = cosine * x - sine * y;
        matrix[q * n + k] = sine * x + cosine * y;
    }
}
