//! How many bytes does the network really need?
//!
//! A network that looks up its training rows has to store them; one that found the rule does not. Counting parameters cannot see
//! that, compressing them can: matrices of low rank in few levels, as coarse as the training loss allows, through an ordinary
//! deflate. All candidates are measured first and asked about from the smallest up, so that the first one that keeps the loss
//! is the answer. Rejected: thresholds per tensor, which would need a search over their product.

use super::facts::Facts;
use super::inquiry::{Answer, Inquiry, Question, Turn};
use super::kind::{Column, Cost, Measure, Work, any_experiment, no_hooks};
use crate::record::{NamedTensor, UserError, Value, Weights};
use miniz_oxide::deflate::compress_to_vec;
use nalgebra::DMatrix;

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "compressibility",
    label: "Compressed size",
    definition: "Least bytes after deflate of coarsened weights that keep the training loss. Coarsening: each matrix cut to the \
                 singular values that carry all, .999, .99, .97, .9 or .7 of Σσ² (as two factors where those hold fewer numbers, \
                 and not where both sides exceed 512), \
                 each tensor rounded to 255, 63, 15, 7 or 3 equal levels, one byte per number; also the network of zeros, and the \
                 weights as they are (4 bytes per number). Kept: the loss L' ≤ L + max(1% of L, 5% of L₀ − L), L₀ that of the \
                 network of zeros. Ratio: 4 bytes per weight over the least bytes",
    source: "After DeMoss et al. 2412.09810 (rank and quantisation under a bound on the distortion); grid and bound are our own",
    not_evidence_of: "The size is an upper bound by one compressor: a larger number does not show that no shorter description exists",
    cost: Cost::Sampling,
    columns: &[
        Column::new("compressed_bytes", "compressed size").in_unit("bytes").positive(),
        Column::new("compression_ratio", "compression ratio").positive(),
    ],
    hooks: no_hooks,
    needs_keys: false,
    applies: any_experiment,
    work: Work::asking(begin),
};

/// Shares of Σσ² that are kept.
const ENERGIES: [f64; 6] = [1.0, 0.999, 0.99, 0.97, 0.9, 0.7];
/// Largest level on each side of 0: 8, 6, 4, 3 and 2 bits.
const LEVELS: [f64; 5] = [127.0, 31.0, 7.0, 3.0, 1.0];
/// Rise of the loss that is allowed, as a share of the loss …
const OF_LOSS: f64 = 0.01;
/// … or of what the network is better than one of zeros, whichever is more.
const OF_LEARNED: f64 = 0.05;
/// Largest smaller side of a matrix that is cut: beyond it the decomposition alone takes many seconds.
const WIDEST: usize = 512;
/// Effort of deflate, as of zip files.
const EFFORT: u8 = 6;

fn begin(facts: &Facts<'_>) -> Result<Box<dyn Inquiry>, UserError> {
    let weights = facts.weights.clone();
    let parts: Vec<Factors> = weights.tensors.iter().map(Factors::of).collect();
    let bytes: Vec<u8> = weights.tensors.iter().flat_map(|t| t.values.iter().flat_map(|v| v.to_le_bytes())).collect();
    let plain = bytes.len();
    let mut candidates = vec![
        Candidate { bytes: compress_to_vec(&bytes, EFFORT).len(), coarse: Coarse::AsItIs },
        Candidate { bytes: compress_to_vec(&vec![0; 6 * parts.len()], EFFORT).len(), coarse: Coarse::Zeros },
    ];
    for energy in ENERGIES {
        for level in LEVELS {
            let code: Vec<u8> = parts.iter().flat_map(|part| part.code(energy, level).bytes()).collect();
            candidates.push(Candidate { bytes: compress_to_vec(&code, EFFORT).len(), coarse: Coarse::Rounded { energy, level } });
        }
    }
    // Smallest last, to be taken from the end.
    candidates.sort_by_key(|candidate| core::cmp::Reverse(candidate.bytes));
    let all = candidates.len() + 2;
    Ok(Box::new(Compression { weights, parts, plain, candidates, all, loss: None, bound: None }))
}

struct Compression {
    weights: Weights,
    parts: Vec<Factors>,
    /// Bytes of the weights as they are.
    plain: usize,
    candidates: Vec<Candidate>,
    /// Questions at most.
    all: usize,
    loss: Option<f64>,
    /// Largest loss that counts as kept.
    bound: Option<f64>,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    bytes: usize,
    coarse: Coarse,
}

#[derive(Debug, Clone, Copy)]
enum Coarse {
    AsItIs,
    Zeros,
    Rounded { energy: f64, level: f64 },
}

impl Compression {
    fn coarse(&self, coarse: Coarse) -> Weights {
        let part = |(tensor, factors): (&NamedTensor, &Factors)| {
            let values = match coarse {
                Coarse::AsItIs => tensor.values.clone(),
                Coarse::Zeros => vec![0.0; tensor.values.len()],
                Coarse::Rounded { energy, level } => factors.read(&factors.code(energy, level)),
            };
            NamedTensor { values, ..tensor.clone() }
        };
        Weights { tensors: self.weights.tensors.iter().zip(&self.parts).map(part).collect() }
    }

    fn done(&self, bytes: usize) -> Turn {
        Turn::Done(vec![Value::Number(bytes as f64), Value::Number(self.plain as f64 / bytes.max(1) as f64)])
    }

    fn ask(&self, coarse: Coarse) -> Turn {
        Turn::Ask(Question::Loss { weights: self.coarse(coarse) })
    }
}

impl Inquiry for Compression {
    fn next(&mut self, answer: Option<Answer>) -> Result<Turn, UserError> {
        let Some(answer) = answer else { return Ok(self.ask(Coarse::AsItIs)) };
        let heard = answer.into_loss()?;
        let (Some(loss), Some(bound)) = (self.loss, self.bound) else {
            return Ok(match self.loss {
                None if heard.is_finite() => {
                    self.loss = Some(heard);
                    self.ask(Coarse::Zeros)
                }
                None => Turn::Done(vec![Value::Absent("The training loss at this checkpoint is not finite".into()); 2]),
                Some(loss) => {
                    let learned = if heard.is_finite() { heard - loss } else { 0.0 };
                    let bound = loss + (OF_LOSS * loss).max(OF_LEARNED * learned);
                    self.bound = Some(bound);
                    // The network of zeros is known already.
                    self.candidates.retain(|candidate| !matches!(candidate.coarse, Coarse::Zeros) || heard <= bound);
                    self.turn()
                }
            });
        };
        if heard <= bound.max(loss) {
            let bytes = self.candidates.last().map_or(self.plain, |candidate| candidate.bytes);
            return Ok(self.done(bytes));
        }
        self.candidates.pop();
        Ok(self.turn())
    }

    fn progress(&self) -> f32 {
        let asked = usize::from(self.loss.is_some()) + usize::from(self.bound.is_some());
        ((self.all - self.candidates.len() - 2 + asked) as f32 / self.all as f32).min(1.0)
    }
}

impl Compression {
    /// Asks about the smallest candidate left; the weights as they are need no question.
    fn turn(&self) -> Turn {
        match self.candidates.last() {
            Some(Candidate { coarse: coarse @ Coarse::Rounded { .. }, .. }) => self.ask(*coarse),
            Some(candidate) => self.done(candidate.bytes),
            None => self.done(self.plain),
        }
    }
}

/// A tensor, and if it is a matrix its singular value decomposition A = Σ_k u_k·v_kᵀ with |v_k| = σ_k.
struct Factors {
    values: Vec<f32>,
    /// Energies σ², falling.
    energies: Vec<f64>,
    /// `[k, rows]` and `[k, columns]`, both of length √σ_k, so that one scale serves both.
    left: Vec<Vec<f64>>,
    right: Vec<Vec<f64>>,
}

impl Factors {
    fn of(tensor: &NamedTensor) -> Self {
        let values = tensor.values.clone();
        let plain = |values| Self { values, energies: Vec::new(), left: Vec::new(), right: Vec::new() };
        let [rows, columns] = tensor.shape[..] else { return plain(values) };
        if rows < 2
            || columns < 2
            || rows.min(columns) > WIDEST
            || rows * columns != values.len()
            || values.iter().any(|v| !v.is_finite())
        {
            return plain(values);
        }
        // From the eigenvectors of the smaller Gram matrix: a hundred times cheaper for a wide matrix, and what it loses below
        // 10⁻⁸ of the largest singular value is below the rounding of an f32.
        let matrix = DMatrix::from_row_iterator(rows, columns, values.iter().map(|v| f64::from(*v)));
        let is_wide = rows <= columns;
        let gram = if is_wide { &matrix * matrix.transpose() } else { matrix.transpose() * &matrix };
        let eigen = gram.symmetric_eigen();
        let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).filter(|k| eigen.eigenvalues[*k] > 0.0).collect();
        order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
        let (mut energies, mut left, mut right) = (Vec::new(), Vec::new(), Vec::new());
        for k in order {
            let unit = eigen.eigenvectors.column(k);
            let other = if is_wide { matrix.tr_mul(&unit) } else { &matrix * unit };
            // √σ on each side.
            let root = libm::sqrt(libm::sqrt(eigen.eigenvalues[k]));
            let (unit, other) = (unit.iter().map(|v| v * root).collect(), other.iter().map(|v| v / root).collect());
            energies.push(eigen.eigenvalues[k]);
            let (own_left, own_right) = if is_wide { (unit, other) } else { (other, unit) };
            left.push(own_left);
            right.push(own_right);
        }
        Self { values, energies, left, right }
    }

    /// Singular values that carry `energy` of all, if their factors hold fewer numbers than the matrix.
    fn rank(&self, energy: f64) -> Option<usize> {
        let total: f64 = self.energies.iter().sum();
        if self.energies.is_empty() || total <= 0.0 {
            return None;
        }
        let mut sum = 0.0;
        // A share of 1 means all that an f32 can tell from 0.
        let wanted = energy.min(1.0 - 1e-12) * total;
        let reaches = |own: &f64| {
            sum += own;
            sum >= wanted
        };
        let rank = 1 + self.energies.iter().position(reaches).unwrap_or(self.energies.len() - 1);
        let numbers = rank * (self.left[0].len() + self.right[0].len());
        (numbers < self.values.len()).then_some(rank)
    }

    /// The coarse tensor as it is stored.
    fn code(&self, energy: f64, level: f64) -> Code {
        let rank = self.rank(energy);
        let numbers: Vec<f64> = match rank {
            Some(rank) => (0..rank).flat_map(|k| self.left[k].iter().chain(&self.right[k]).copied()).collect(),
            None => self.values.iter().map(|v| f64::from(*v)).collect(),
        };
        let largest = numbers.iter().fold(0.0f64, |most, v| most.max(v.abs()));
        let scale = if largest > 0.0 && largest.is_finite() { (largest / level) as f32 } else { 1.0 };
        let round = |v: f64| libm::round(v / f64::from(scale)).clamp(-level, level) as i8;
        Code { rank, scale, numbers: numbers.into_iter().map(round).collect() }
    }

    /// The coarse tensor as the network uses it.
    fn read(&self, code: &Code) -> Vec<f32> {
        let number = |number: &i8| f64::from(*number) * f64::from(code.scale);
        let Some(rank) = code.rank else { return code.numbers.iter().map(|n| number(n) as f32).collect() };
        let (rows, columns) = (self.left[0].len(), self.right[0].len());
        let mut values = vec![0.0; rows * columns];
        for pair in code.numbers.chunks_exact(rows + columns).take(rank) {
            let (left, right) = pair.split_at(rows);
            for (row, l) in values.chunks_exact_mut(columns).zip(left) {
                row.iter_mut().zip(right).for_each(|(value, r)| *value += number(l) * number(r));
            }
        }
        values.into_iter().map(|v| v as f32).collect()
    }
}

/// A coarse tensor: whole multiples of one scale, of the matrix or of its factors, one outer product after another.
struct Code {
    rank: Option<usize>,
    scale: f32,
    numbers: Vec<i8>,
}

impl Code {
    /// Rank (0 for an uncut tensor), scale, one byte per number.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = (self.rank.unwrap_or(0) as u16).to_le_bytes().to_vec();
        bytes.extend(self.scale.to_le_bytes());
        bytes.extend(self.numbers.iter().map(|number| number.to_le_bytes()[0]));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, ask, small};
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    const SIDE: usize = 48;

    /// A matrix with `rank` random outer products and a little noise.
    fn matrix(rank: usize) -> Case {
        let mut stream = Stream::new(2, Purpose::Planted, 0);
        let mut values = stream.normals(SIDE * SIDE, 1e-3);
        for _ in 0..rank {
            let (left, right) = (stream.normals(SIDE, 1.0), stream.normals(SIDE, 1.0));
            values.iter_mut().enumerate().for_each(|(at, v)| *v += left[at / SIDE] * right[at % SIDE]);
        }
        let mut case = small(1, 0.0);
        case.weights.tensors = vec![NamedTensor { name: "w".into(), shape: vec![SIDE, SIDE], values }];
        case
    }

    /// Bytes and ratio under the loss `bottom` + ‖w − w*‖²/‖w*‖², which is `bottom` + 1 at zero.
    fn measured(case: &Case, bottom: f64) -> (f64, f64) {
        let own = &case.weights.tensors[0].values;
        let total: f64 = own.iter().map(|v| f64::from(*v).powi(2)).sum();
        let found = ask(&MEASURE, case, |question| {
            let Question::Loss { weights } = question else { panic!("{question:?}") };
            let difference = weights.tensors[0].values.iter().zip(own).map(|(v, own)| f64::from(v - own).powi(2)).sum::<f64>();
            Answer::Loss(bottom + difference / total)
        })
        .unwrap();
        (found[0].number().unwrap(), found[1].number().unwrap())
    }

    #[test]
    fn a_matrix_of_rank_one_needs_the_bytes_of_rank_one_and_one_of_full_rank_does_not_shrink_so_far() {
        let ((one, ratio), (full, full_ratio)) = (measured(&matrix(1), 0.0), measured(&matrix(SIDE), 0.0));
        // One byte for each number of two vectors, at most, with rank, scale and deflate's own.
        assert!(one <= (2 * SIDE + 20) as f64, "{one}");
        assert!((ratio - (4 * SIDE * SIDE) as f64 / one).abs() < 1e-9 && full_ratio < 20.0, "{full} {full_ratio}");
        let (two, _) = measured(&matrix(2), 0.0);
        assert!(one < two && two < full);
    }

    #[test]
    fn a_loss_that_does_not_care_needs_nothing_and_one_that_cares_for_every_bit_needs_the_weights() {
        let case = matrix(3);
        let indifferent = ask(&MEASURE, &case, |_| Answer::Loss(0.7)).unwrap();
        assert!(indifferent[0].number().unwrap() < 20.0, "{indifferent:?}");
        let pedant = ask(&MEASURE, &case, |question| match question {
            Question::Loss { weights } if weights == case.weights => Answer::Loss(0.1),
            _ => Answer::Loss(1.0),
        });
        let ratio = pedant.unwrap()[1].number().unwrap();
        assert!(ratio < 1.3, "{ratio}");
        let broken = ask(&MEASURE, &case, |_| Answer::Loss(f64::NAN)).unwrap();
        assert!(matches!(&broken[0], Value::Absent(_)));
    }

    #[test]
    fn coarsening_keeps_what_it_says_for_wide_and_tall_matrices_and_vectors() {
        let mut stream = Stream::new(4, Purpose::Planted, 0);
        for shape in [vec![6, 20], vec![20, 6], vec![120], vec![1, 120]] {
            let tensor = NamedTensor { name: "w".into(), shape: shape.clone(), values: stream.normals(120, 0.3) };
            let factors = Factors::of(&tensor);
            let code = factors.code(1.0, 127.0);
            let (bytes, values) = (code.bytes(), factors.read(&code));
            // Half a level of each number.
            let edge = tensor.values.iter().fold(0.0f32, |most, v| most.max(v.abs())) / 254.0 + 1e-6;
            assert_eq!((bytes.len(), values.len()), (126, 120), "{shape:?}: full rank is not cut");
            assert!(values.iter().zip(&tensor.values).all(|(v, own)| (v - own).abs() <= edge), "{shape:?}");
            if shape.len() == 2 && shape[0] > 1 {
                let mut product = 0.0;
                for (l, r) in factors.left.iter().zip(&factors.right) {
                    product += l[1] * r[2];
                }
                assert!((product - f64::from(tensor.values[shape[1] + 2])).abs() < 1e-6, "{shape:?}");
            }
        }
        assert_eq!(Factors::of(&matrix(1).weights.tensors[0]).rank(0.99), Some(1));
    }
}
