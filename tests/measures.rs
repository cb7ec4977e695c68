//! The spectrum of whole networks against oracles: the analytic solution of modular arithmetic (Gromov 2023), Gaussian starts.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

use grokscope::experiment::randomness::{Purpose, Stream};
use grokscope::experiment::{Experiment, preset, with_value};
use grokscope::measure::{Facts, Harmonics, Work, measure, powers_of_primitive_root};
use grokscope::record::{NamedTensor, UserError, Weights};
use grokscope::task::Dataset;
use std::f64::consts::TAU;

/// `base` with another task, and its width at `width`.
fn experiment(base: &str, operation: &str, modulus: u32, width: u32) -> Experiment {
    let path = if base.starts_with("quadratic") { "model.width" } else { "model.d_model" };
    let changes = [("task.operation", operation.to_owned()), ("task.modulus", modulus.to_string()), (path, width.to_string())];
    let start = preset(base).unwrap().experiment.clone();
    changes.iter().fold(start, |e, (path, text)| with_value(&e, path, text).unwrap())
}

fn mlp(operation: &str, modulus: u32, width: u32) -> Experiment {
    experiment("quadratic-31", operation, modulus, width)
}

fn transformer(operation: &str, modulus: u32, d_model: u32) -> Experiment {
    experiment("transformer-59", operation, modulus, d_model)
}

fn weights(name: &str, rows: usize, columns: usize, value: impl Fn(usize, usize) -> f64) -> Weights {
    let values = (0..rows * columns).map(|i| value(i / columns, i % columns) as f32).collect();
    Weights { tensors: vec![NamedTensor { name: name.into(), shape: vec![rows, columns], values }] }
}

fn gaussian(name: &str, rows: usize, columns: usize) -> Weights {
    let values = Stream::new(2, Purpose::Planted, 0).normals(rows * columns, 0.1);
    Weights { tensors: vec![NamedTensor { name: name.into(), shape: vec![rows, columns], values }] }
}

/// cos(2πk·t/n + φ) with a phase of its own for every neuron and half.
fn wave(k: usize, t: usize, n: usize, phase: usize) -> f64 {
    (TAU * (k * t) as f64 / n as f64 + 1.3 * phase as f64).cos()
}

/// The numbers of the measure `spectrum`.
#[derive(Debug)]
struct Found {
    shares: Vec<f64>,
    mean_ipr: f64,
    gini: f64,
    entropy: f64,
}

fn spectrum(weights: &Weights, experiment: &Experiment) -> Result<Found, UserError> {
    let data = Dataset::new(&experiment.task, experiment.seed)?;
    let harmonics = Harmonics::of(experiment)?;
    let facts = Facts {
        experiment,
        data: &data,
        step: 0,
        weights,
        start: None,
        before: None,
        harmonics: Some(&harmonics),
        keys: &[],
        activations: &[],
    };
    let Work::Direct(take) = measure("spectrum")?.work else { panic!() };
    let values = take(&facts)?;
    let number = |index: usize| values[index].number().unwrap();
    Ok(Found { shares: values[0].list().unwrap().to_vec(), mean_ipr: number(2), gini: number(3), entropy: number(4) })
}

#[test]
fn analytic_weights_have_one_frequency_per_neuron_and_use_all_alike() {
    let (p, neurons) = (31, 60);
    let weights = weights("w_in", 2 * p, neurons, |row, n| wave(1 + n % 15, row % p, p, 2 * n + row / p));
    let found = spectrum(&weights, &mlp("add", 31, 60)).unwrap();
    assert!((found.mean_ipr - 1.0).abs() < 1e-5, "{found:?}");
    assert!(found.shares.iter().all(|share| (share - 1.0 / 15.0).abs() < 1e-5), "{found:?}");
    assert!(found.gini < 1e-4 && (found.entropy - 15f64.ln()).abs() < 1e-4, "{found:?}");
}

#[test]
fn strong_frequencies_have_their_shares_and_the_row_of_the_equals_sign_stays_out() {
    let p = 59;
    let size = |n: usize| [1.0, 3.0, 2.0, 2.5][n % 4];
    let weights = weights("embed", p + 1, 64, |t, n| if t == p { 1e6 } else { size(n) * wave([4, 21, 9, 13][n % 4], t, p, n) });
    let found = spectrum(&weights, &transformer("add", 59, 64)).unwrap();
    for (k, size) in [(4, 1.0), (21, 3.0), (9, 2.0), (13, 2.5)] {
        assert!((found.shares[k - 1] - size * size / 20.25).abs() < 1e-5, "{found:?}");
    }
    assert!(found.gini > 0.8 && (found.mean_ipr - 1.0).abs() < 1e-5);
}

#[test]
fn a_gaussian_start_is_flat() {
    // Reference: mean IPR ≈ 2 / number of frequencies, ≤ .06 at p = 97 before training.
    let start = spectrum(&gaussian("w_in", 194, 500), &mlp("add", 97, 500)).unwrap();
    assert!((start.mean_ipr - 2.0 / 49.0).abs() < 0.002, "{}", start.mean_ipr);
    assert!(start.gini < 0.06);
    let start = spectrum(&gaussian("embed", 60, 64), &transformer("add", 59, 64)).unwrap();
    assert!(start.shares.iter().all(|share| share * 29.0 < 1.6), "{start:?}");
}

#[test]
fn multiplication_is_seen_over_the_discrete_logarithm() {
    let p = 31;
    let mut logarithm = vec![0; p];
    for (exponent, token) in powers_of_primitive_root(31).unwrap().into_iter().enumerate() {
        logarithm[token as usize] = exponent;
    }
    // A character of the multiplicative group; token 0 belongs to no cycle and may hold anything.
    let character = |row: usize, n: usize| if row.is_multiple_of(p) { 50.0 } else { wave(7, logarithm[row % p], p - 1, n) };
    let weights = weights("w_in", 2 * p, 8, character);
    for operation in ["mul", "div"] {
        let found = spectrum(&weights, &mlp(operation, 31, 8)).unwrap();
        assert_eq!(found.shares.len(), 15);
        // Weights are stored in single precision.
        assert!((found.shares[6] - 1.0).abs() < 1e-6 && (found.mean_ipr - 1.0).abs() < 1e-6, "{found:?}");
    }
    let as_sum = spectrum(&weights, &mlp("add", 31, 8)).unwrap();
    assert!(as_sum.shares.iter().all(|&share| share < 0.3), "the same weights look flat over the residues: {as_sum:?}");
}

#[test]
fn weights_of_another_experiment_are_refused() {
    let experiment = mlp("add", 31, 8);
    let cause = |weights: &Weights| spectrum(weights, &experiment).unwrap_err().cause;
    assert!(cause(&Weights::default()).contains("no tensor w_in"));
    assert!(cause(&gaussian("w_in", 60, 8)).contains("62 tokens") || cause(&gaussian("w_in", 60, 8)).contains("60 rows"));
    assert!(cause(&gaussian("embed", 32, 8)).contains("w_in"));
}

#[test]
fn tasks_and_networks_without_a_spectrum_say_why() {
    for (experiment, word) in [
        (mlp("sum_of_squares", 31, 8), "not the elements of a group"),
        (with_value(&mlp("add", 31, 8), "model.encoding", "binary").unwrap(), "no weight belongs to one token"),
    ] {
        let error = (measure("spectrum").unwrap().applies)(&experiment).unwrap_err();
        assert!(error.cause.contains(word), "{error}");
    }
}
