//! Do the tokens of an addition stand in parallelograms?
//!
//! If E_i + E_j = E_m + E_n whenever i + j = m + n, a decoder that knows one pair of a sum knows them all. Liu et al. turned this
//! into an order parameter and a theory of which test pairs can be known at all. For a sum without modulus it is settled by
//! linear algebra: a parallelogram follows from those of the training pairs exactly if its vector e_i + e_j − e_m − e_n is in
//! their span. That is the rule of the paper's code as well, which finds it by eigenvalues.

use super::facts::Facts;
use super::kind::{Column, Cost, Measure, Work, no_hooks, number};
use super::ranks::centred;
use super::span::{Pair, Span, vector};
use super::tokens::{has_embedding, input_blocks, input_table};
use crate::experiment::Experiment;
use crate::experiment::randomness::{Purpose, Stream};
use crate::record::{UserError, Value};
use std::collections::BTreeMap;

/// Mean square over columns of Ẽ_i + Ẽ_j − Ẽ_m − Ẽ_n below which it counts as a parallelogram.
const THRESHOLD: f64 = 0.01;
/// Tokens up to which every parallelogram is looked at; of more tokens [`SAMPLES`] are drawn.
const EXACT: usize = 128;
const SAMPLES: usize = 100_000;

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "rqi",
    label: "Parallelograms of the embedding",
    definition: "RQI: share of all {i,j} ≠ {m,n} with i + j = m + n (modulo p where the task is) whose Ẽ_i + Ẽ_j − Ẽ_m − Ẽ_n has \
                 a mean square over columns below .01, where Ẽ is the embedding, each column centred over tokens and divided by \
                 its standard deviation (columns that do not vary left out); above 128 tokens, of 100,000 drawn. |P₀(D)|: such \
                 pairs of pairs with both among the training rows. Accuracy of the representation: share of test rows with a \
                 training row that completes a parallelogram. Accuracy of the theory (sums without modulus): the same, where the \
                 parallelogram follows from those in P₀(D), that is lies in their linear span",
    source: "Liu et al. 2205.10343, as in their code (toy/train_add.py)",
    not_evidence_of: "A small RQI modulo p does not show a missing structure: tokens on a circle, which solve the task, form \
                      trapezoids instead",
    cost: Cost::Weights,
    columns: &[
        Column::new("rqi", "representation quality index").share(),
        Column::new("training_parallelograms", "parallelograms of training pairs").positive(),
        Column::new("representation_accuracy", "accuracy that the representation allows").share(),
        Column::new("theory_accuracy", "accuracy that follows from the training pairs").share(),
    ],
    hooks: no_hooks,
    needs_keys: false,
    applies,
    work: Work::direct(take),
};

fn applies(experiment: &Experiment) -> Result<(), UserError> {
    if !matches!(experiment.task.operation.as_str(), "addition" | "add") {
        return Err(UserError::new("Parallelograms i + j = m + n are those of a sum", "Choose the task addition or add"));
    }
    if !has_embedding(experiment) || input_blocks(experiment)?.len() != 1 {
        return Err(UserError::new(
            "This network has no embedding that serves both tokens",
            "Choose encoder_decoder, transformer or embedding_mlp with one embedding",
        ));
    }
    Ok(())
}

fn take(facts: &Facts<'_>) -> Result<Vec<Value>, UserError> {
    let (table, columns) = input_table(facts.weights, facts.experiment)?;
    let tokens = table.len() / columns.max(1);
    let embedding = normalised(&table, columns);
    let sum_of = |(i, j): Pair| if facts.experiment.task.operation == "add" { (i + j) % tokens } else { i + j };
    // Unordered pairs of training rows by their sum; (a, b) and (b, a) are one pair.
    let mut known: BTreeMap<usize, Vec<Pair>> = BTreeMap::new();
    let pair_of = |row: u32| {
        let row = &facts.data.rows[row as usize];
        (usize::from(row.a.min(row.b)), usize::from(row.a.max(row.b)))
    };
    for pair in facts.data.train.iter().map(|row| pair_of(*row)) {
        let pairs = known.entry(sum_of(pair)).or_default();
        if !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    let count: usize = known.values().map(|pairs| pairs.len() * (pairs.len() - 1) / 2).sum();
    let test: Vec<Pair> = facts.data.test.iter().map(|row| pair_of(*row)).collect();
    let share = |holds: &dyn Fn(Pair, Pair) -> bool| {
        let found =
            test.iter().filter(|pair| known.get(&sum_of(**pair)).is_some_and(|others| others.iter().any(|o| holds(**pair, *o))));
        number(found.count() as f64 / test.len().max(1) as f64)
    };
    let (index, by_representation) = match &embedding {
        None => (no_embedding(), no_embedding()),
        Some((embedding, columns)) => {
            let is_closed = |x: Pair, y: Pair| x == y || is_parallelogram(embedding, *columns, x, y);
            (quality(embedding, *columns, tokens, &sum_of, facts.experiment.seed), share(&is_closed))
        }
    };
    let theory = if facts.experiment.task.operation == "add" {
        Value::Absent(
            "Modulo p, parallelograms only have the solution in which all tokens are equal, so the theory does not hold".into(),
        )
    } else {
        let mut span = Span::default();
        for pairs in known.values() {
            for pair in pairs.iter().skip(1) {
                span.add(vector(tokens, pairs[0], *pair));
            }
        }
        share(&|x, y| span.has(vector(tokens, x, y)))
    };
    Ok(vec![index, number(count as f64), by_representation, theory])
}

fn no_embedding() -> Value {
    Value::Absent("The embedding is the same for all tokens, or not finite".into())
}

/// Columns centred and divided by their standard deviations (n − 1), and how many there are: those that do not vary are left out.
/// `None` if none does.
fn normalised(table: &[f32], columns: usize) -> Option<(Vec<f64>, usize)> {
    let mut kept: Vec<Vec<f64>> = Vec::new();
    for column in 0..columns {
        let values: Vec<f32> = table.iter().skip(column).step_by(columns).copied().collect();
        let centred = centred(&values, 1);
        let deviation = libm::sqrt(centred.iter().map(|v| v * v).sum::<f64>() / (centred.len() as f64 - 1.0).max(1.0));
        if deviation > 0.0 {
            kept.push(centred.iter().map(|v| v / deviation).collect());
        }
    }
    let tokens = kept.first()?.len();
    Some(((0..tokens).flat_map(|token| kept.iter().map(move |column| column[token])).collect(), kept.len()))
}

fn is_parallelogram(embedding: &[f64], columns: usize, (i, j): Pair, (m, n): Pair) -> bool {
    let at = |token: usize| &embedding[token * columns..(token + 1) * columns];
    let mut square = 0.0;
    for (((i, j), m), n) in at(i).iter().zip(at(j)).zip(at(m)).zip(at(n)) {
        square += (i + j - m - n) * (i + j - m - n);
        // Most are none, and most of those show it in the first columns.
        if square >= THRESHOLD * columns as f64 {
            return false;
        }
    }
    true
}

/// Share of parallelograms: O(p³) for few tokens, drawn for many.
fn quality(embedding: &[f64], columns: usize, tokens: usize, sum_of: &dyn Fn(Pair) -> usize, seed: u64) -> Value {
    let mut by_sum: BTreeMap<usize, Vec<Pair>> = BTreeMap::new();
    for pair in (0..tokens).flat_map(|i| (i..tokens).map(move |j| (i, j))) {
        by_sum.entry(sum_of(pair)).or_default().push(pair);
    }
    let (mut holds, mut all) = (0usize, 0usize);
    let mut look = |x: Pair, y: Pair| {
        all += 1;
        holds += usize::from(is_parallelogram(embedding, columns, x, y));
    };
    if tokens <= EXACT {
        for pairs in by_sum.values() {
            (0..pairs.len()).for_each(|at| pairs[..at].iter().for_each(|other| look(pairs[at], *other)));
        }
    } else {
        // A sum by its number of parallelograms, then two of its pairs: every parallelogram is as likely.
        let mut stream = Stream::new(seed, Purpose::Measure, 0);
        let sums: Vec<&Vec<Pair>> = by_sum.values().filter(|pairs| pairs.len() > 1).collect();
        let weights: Vec<usize> = sums.iter().map(|pairs| pairs.len() * (pairs.len() - 1)).collect();
        let total: usize = weights.iter().sum();
        for _ in 0..SAMPLES {
            let mut left = stream.below(total as u64) as usize;
            let at = weights
                .iter()
                .position(|weight| {
                    left < *weight || {
                        left -= weight;
                        false
                    }
                })
                .unwrap_or(0);
            let pairs = sums[at];
            let (first, second) = (left / (pairs.len() - 1), left % (pairs.len() - 1));
            look(pairs[first], pairs[second + usize::from(second >= first)]);
        }
    }
    if all == 0 {
        Value::Absent("With so few tokens there are no parallelograms".into())
    } else {
        number(holds as f64 / all as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed, numbers, values};
    use super::*;
    use core::f64::consts::TAU;

    fn embedded(mut case: Case, f: impl Fn(usize, usize) -> f64) -> Case {
        let embed = case.weights.tensors.iter_mut().find(|t| t.name == "embed").unwrap();
        let columns = embed.shape[1];
        embed.values.iter_mut().enumerate().for_each(|(i, v)| *v = f(i / columns, i % columns) as f32);
        case
    }

    fn toy() -> Case {
        Case::of(changed("liu-toy", &[]))
    }

    #[test]
    fn a_line_has_every_parallelogram_and_a_random_embedding_few() {
        let line = numbers(&MEASURE, &embedded(toy(), |token, _| 0.3 * token as f64 - 2.0));
        assert_eq!((line[0], line[2] >= line[3]), (1.0, true), "{line:?}");
        let cubic = numbers(&MEASURE, &embedded(toy(), |token, _| (token as f64).powi(3)));
        assert!(cubic[0] < 0.1 && cubic[2] < line[2], "{cubic:?}");
    }

    #[test]
    fn ten_numbers_have_seventy_parallelograms() {
        // Closed form: pairs per sum 1,1,2,2,…,5,5,5,…,1,1 give Σ C(n, 2) = 70.
        let mut case = toy();
        case.data.train = (0..55).collect();
        assert_eq!(numbers(&MEASURE, &case)[1], 70.0);
    }

    #[test]
    fn what_follows_from_the_training_pairs_is_found_by_their_span() {
        // With steps d_k = E_k − E_{k−1}: (0,3)~(1,2) says d₃ = d₁, (1,4)~(2,3) d₄ = d₂, (2,4)~(3,3) d₄ = d₃. So
        // (1,1)~(0,2), d₁ = d₂, follows; the sums 4 and 8 have no training pair.
        let mut case = toy();
        let row = |a: u16, b: u16| case.data.rows.iter().position(|row| (row.a, row.b) == (a, b)).unwrap() as u32;
        let trained = [(0, 3), (1, 2), (1, 4), (2, 3), (2, 4), (3, 3), (0, 2)].map(|(a, b)| row(a, b));
        let tested = [(1, 1), (0, 4), (4, 4)].map(|(a, b)| row(a, b));
        (case.data.train, case.data.test) = (trained.into(), tested.into());
        let theory = numbers(&MEASURE, &case)[3];
        assert!((theory - 1.0 / 3.0).abs() < 1e-12 && (by_gram_schmidt(&case) - theory).abs() < 1e-12, "{theory}");
    }

    /// The same by Gram–Schmidt in f64.
    fn by_gram_schmidt(case: &Case) -> f64 {
        let tokens = 10;
        let pairs = |rows: &[u32]| -> Vec<Pair> {
            rows.iter()
                .map(|r| (usize::from(case.data.rows[*r as usize].a), usize::from(case.data.rows[*r as usize].b)))
                .collect()
        };
        let (train, test) = (pairs(&case.data.train), pairs(&case.data.test));
        let vector = |(i, j): Pair, (m, n): Pair| {
            let mut v = vec![0.0f64; tokens];
            [(i, 1.0), (j, 1.0), (m, -1.0), (n, -1.0)].iter().for_each(|(at, by)| v[*at] += by);
            v
        };
        let mut basis: Vec<Vec<f64>> = Vec::new();
        let rest = |basis: &[Vec<f64>], mut v: Vec<f64>| {
            for unit in basis.iter().chain(basis) {
                let product: f64 = unit.iter().zip(&v).map(|(x, y)| x * y).sum();
                v.iter_mut().zip(unit).for_each(|(x, y)| *x -= product * y);
            }
            v
        };
        let size = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
        for x in &train {
            for y in train.iter().filter(|y| x.0 + x.1 == y.0 + y.1) {
                let v = rest(&basis, vector(*x, *y));
                let norm = size(&v);
                if norm > 1e-9 {
                    basis.push(v.iter().map(|x| x / norm).collect());
                }
            }
        }
        let known = |x: &&Pair| train.iter().any(|y| x.0 + x.1 == y.0 + y.1 && size(&rest(&basis, vector(**x, *y))) < 1e-9);
        test.iter().filter(known).count() as f64 / test.len() as f64
    }

    #[test]
    fn the_span_agrees_with_gram_schmidt_on_random_training_sets() {
        for (seed, fraction) in [("0", "0.3"), ("1", "0.45"), ("2", "0.6"), ("3", "0.82")] {
            let case = Case::of(changed("liu-toy", &[("seed", seed), ("task.train_fraction", fraction)]));
            assert!((numbers(&MEASURE, &case)[3] - by_gram_schmidt(&case)).abs() < 1e-12, "{fraction}");
        }
    }

    #[test]
    fn a_circle_has_no_parallelograms_but_trivial_ones_and_no_theory() {
        let circle = |token: usize, column: usize| match column {
            0 => libm::cos(TAU * token as f64 / 59.0),
            1 => libm::sin(TAU * token as f64 / 59.0),
            _ => 0.0,
        };
        let case = embedded(Case::of(changed("transformer-59", &[])), circle);
        let found = values(&MEASURE, &case);
        assert!(matches!(found[3], Value::Absent(_)) && found[0].number().unwrap() < 0.5, "{:?}", found[0]);
    }

    #[test]
    fn drawn_parallelograms_estimate_all_of_them() {
        // A line with one token off it: parallelograms with that token fail.
        let tokens = 129;
        let mut line: Vec<f64> = (0..tokens).map(|token| token as f64 / 37.0).collect();
        line[60] += 5.0;
        let sum_of = |(i, j): Pair| i + j;
        let drawn = quality(&line, 1, tokens, &sum_of, 1).number().unwrap();
        let (mut holds, mut all) = (0.0, 0.0);
        for (i, j) in (0..tokens).flat_map(|i| (i..tokens).map(move |j| (i, j))) {
            for m in (0..i).filter(|m| i + j - m < tokens) {
                all += 1.0;
                holds += f64::from(u8::from(is_parallelogram(&line, 1, (i, j), (m, i + j - m))));
            }
        }
        assert!((drawn - holds / all).abs() < 0.005 && drawn < 0.999, "{drawn} against {}", holds / all);
    }
}
