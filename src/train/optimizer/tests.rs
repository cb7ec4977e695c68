//! Every update rule against the same rule in 64 bits, over several updates with decay, for two replicas with rates of their own.

use super::*;
use crate::experiment::settings::Settings;
use crate::experiment::{LoggingConfig, ModelConfig, OptimizerConfig, TaskConfig};

const UPDATES: u32 = 6;
const RATES: [f64; 2] = [0.05, 0.002];
const DECAYS: [f64; 2] = [0.5, 3.0];
/// Rows and columns: a wide matrix, a tall one and a bias.
const SIZES: [(usize, usize); 3] = [(3, 5), (4, 2), (1, 3)];

fn experiment(name: &str, settings: Settings) -> Experiment {
    Experiment {
        schema: 1,
        name: String::new(),
        seed: 3,
        steps: 10,
        batch_size: None,
        loss: "cross_entropy".into(),
        task: TaskConfig {
            operation: "add".into(),
            settings: Settings::default().with("modulus", 5),
            train_fraction: 0.5,
            split: "random".into(),
            label_noise: 0.0,
        },
        model: ModelConfig { architecture: "mlp".into(), settings: Settings::default(), init_scale: 1.0 },
        optimizer: OptimizerConfig { name: name.into(), learning_rate: 0.1, weight_decay: 0.0, settings, warmup_steps: 0 },
        training: Settings::default(),
        curriculum: Settings::default(),
        stage: Settings::default(),
        timeline: Vec::new(),
        logging: LoggingConfig { evaluate_every: 1, checkpoint_every: 1 },
    }
}

/// Some number in −1…1 that depends on its arguments in no simple way. The square of the index keeps matrices of full rank: in a
/// sine of a linear index a third singular value is rounding alone, which Muon would lift to 1.
fn value(replica: usize, parameter: usize, index: usize, t: u32) -> f64 {
    let wave = (1.0
        + (index * index) as f64 * 1.3
        + index as f64 * 1.7
        + parameter as f64 * 2.9
        + replica as f64 * 4.3
        + f64::from(t) * 0.9)
        .sin();
    f64::from(wave as f32)
}

/// The gradient of update t: a fixed part and a part that depends on the weights, so that updates build on each other.
fn gradient(replica: usize, parameter: usize, index: usize, t: u32, weight: f64) -> f64 {
    0.5 * value(replica, parameter, index, t) + 0.25 * weight
}

fn tensors(of: impl Fn(usize, usize, usize) -> f64) -> Vec<Tensor<3>> {
    let list = SIZES.iter().enumerate().map(|(parameter, (rows, columns))| {
        let values: Vec<f32> =
            (0..2).flat_map(|r| (0..rows * columns).map(move |i| (r, i))).map(|(r, i)| of(r, parameter, i) as f32).collect();
        Tensor::from_data(TensorData::new(values, [2, *rows, *columns]), &Device::flex())
    });
    list.collect()
}

fn numbers(tensor: &Tensor<3>) -> Vec<f64> {
    tensor.clone().into_data().try_into_vec::<f32>().unwrap().into_iter().map(f64::from).collect()
}

/// One replica in 64 bits: weights[parameter][entry].
type Weights = Vec<Vec<f64>>;

/// Updates in 64 bits: `step(t, η, λ, weights, gradients)` answers what is subtracted from the weights, decay included.
fn oracle(replica: usize, mut step: impl FnMut(u32, f64, f64, &Weights, &Weights) -> Weights) -> Weights {
    let mut weights: Weights = SIZES
        .iter()
        .enumerate()
        .map(|(p, (rows, columns))| (0..rows * columns).map(|i| value(replica, p, i, 0)).collect())
        .collect();
    for t in 1..=UPDATES {
        let slopes: Weights = weights
            .iter()
            .enumerate()
            .map(|(p, w)| w.iter().enumerate().map(|(i, w)| gradient(replica, p, i, t, *w)).collect())
            .collect();
        let moves = step(t, RATES[replica], DECAYS[replica], &weights, &slopes);
        for (weights, moves) in weights.iter_mut().zip(moves) {
            weights.iter_mut().zip(moves).for_each(|(w, m)| *w -= m);
        }
    }
    weights
}

/// Runs a registered rule for as many updates and compares with the oracle of each replica.
fn follows(experiment: &Experiment, to_start: bool, oracles: [Weights; 2], tolerance: f64) {
    let device = Device::flex();
    let kind = optimizer_of(experiment).unwrap();
    let start = tensors(|r, p, i| value(r, p, i, 0));
    let mut rule = (kind.build)(experiment, &start, &device);
    let mut weights = start.clone();
    for t in 1..=UPDATES {
        // Half way the rule is built anew and given its state, as after a pause.
        if t == 4 {
            let state: Vec<(&'static str, Vec<Tensor<3>>)> =
                rule.state().into_iter().map(|(name, tensors)| (name, tensors.to_vec())).collect();
            rule = (kind.build)(experiment, &start, &device);
            state.into_iter().for_each(|(name, tensors)| rule.restore(name, tensors));
        }
        let now: Vec<Vec<f64>> = weights.iter().map(numbers).collect();
        let slopes = tensors(|r, p, i| gradient(r, p, i, t, now[p][r * SIZES[p].0 * SIZES[p].1 + i]));
        let update =
            Update { t, rates: &RATES, weight_decay: &DECAYS, decay_to: to_start.then_some(&start), specs: &[], device: &device };
        weights = advance(rule.as_mut(), kind.decay, &update, weights, slopes);
    }
    for (p, weights) in weights.iter().enumerate() {
        let ours = numbers(weights);
        let expected: Vec<f64> = oracles.iter().flat_map(|o| o[p].clone()).collect();
        for (a, b) in ours.iter().zip(&expected) {
            assert!((a - b).abs() < tolerance, "{} parameter {p}: {a} against {b}", kind.kind.name);
        }
    }
}

fn zeros() -> Weights {
    SIZES.iter().map(|(rows, columns)| vec![0.0; rows * columns]).collect()
}

/// Entry by entry: `f(parameter, entry, w, g)`.
fn each(weights: &Weights, slopes: &Weights, mut f: impl FnMut(usize, usize, f64, f64) -> f64) -> Weights {
    weights
        .iter()
        .zip(slopes)
        .enumerate()
        .map(|(p, (ws, gs))| ws.iter().zip(gs).enumerate().map(|(i, (w, g))| f(p, i, *w, *g)).collect())
        .collect()
}

/// Adam in the form of the paper, m̂/(√v̂ + ε). `coupled` adds λw to the gradient, else ηλw is subtracted beside.
fn adam(replica: usize, betas: [f64; 2], coupled: bool) -> Weights {
    let (mut m, mut v) = (zeros(), zeros());
    oracle(replica, move |t, rate, decay, weights, slopes| {
        each(weights, slopes, |p, i, w, g| {
            let g = if coupled { g + decay * w } else { g };
            m[p][i] = betas[0] * m[p][i] + (1.0 - betas[0]) * g;
            v[p][i] = betas[1] * v[p][i] + (1.0 - betas[1]) * g * g;
            let mean = m[p][i] / (1.0 - betas[0].powi(t as i32));
            let square = v[p][i] / (1.0 - betas[1].powi(t as i32));
            rate * mean / (square.sqrt() + 1e-8) + if coupled { 0.0 } else { rate * decay * w }
        })
    })
}

fn adam_settings() -> Settings {
    Settings::default().with("betas", vec![0.9, 0.98]).with("epsilon", 1e-8)
}

#[test]
fn adam_w_decays_beside_the_gradient() {
    let oracles = [0, 1].map(|replica| adam(replica, [0.9, 0.98], false));
    follows(&experiment("adam_w", adam_settings()), false, oracles, 2e-6);
}

#[test]
fn adam_decays_in_the_gradient() {
    let oracles = [0, 1].map(|replica| adam(replica, [0.9, 0.98], true));
    follows(&experiment("adam", adam_settings()), false, oracles, 5e-6);
}

fn sgd(replica: usize, momentum: f64, nesterov: bool, to_start: bool) -> Weights {
    let mut velocity = zeros();
    oracle(replica, move |_, rate, decay, weights, slopes| {
        each(weights, slopes, |p, i, w, g| {
            let goal = if to_start { value(replica, p, i, 0) } else { 0.0 };
            let g = g + decay * (w - goal);
            velocity[p][i] = momentum * velocity[p][i] + g;
            rate * if nesterov { g + momentum * velocity[p][i] } else { velocity[p][i] }
        })
    })
}

#[test]
fn gradient_descent_takes_momentum_and_nesterov_and_decays_in_the_gradient() {
    for (momentum, nesterov) in [(0.0, false), (0.9, false), (0.9, true)] {
        let settings = Settings::default().with("momentum", momentum).with("nesterov", nesterov);
        let oracles = [0, 1].map(|replica| sgd(replica, momentum, nesterov, false));
        follows(&experiment("sgd", settings), false, oracles, 2e-6);
    }
}

#[test]
fn decay_may_pull_to_the_starting_weights() {
    let settings = Settings::default().with("momentum", 0.9).with("nesterov", false);
    follows(&experiment("sgd", settings), true, [0, 1].map(|replica| sgd(replica, 0.9, false, true)), 2e-6);
    let oracles = [0, 1].map(|replica| {
        let (mut m, mut v) = (zeros(), zeros());
        oracle(replica, move |t, rate, decay, weights, slopes| {
            each(weights, slopes, |p, i, w, g| {
                m[p][i] = 0.9 * m[p][i] + 0.1 * g;
                v[p][i] = 0.98 * v[p][i] + 0.02 * g * g;
                let (mean, square) = (m[p][i] / (1.0 - 0.9f64.powi(t as i32)), v[p][i] / (1.0 - 0.98f64.powi(t as i32)));
                rate * mean / (square.sqrt() + 1e-8) + rate * decay * (w - value(replica, p, i, 0))
            })
        })
    });
    follows(&experiment("adam_w", adam_settings()), true, oracles, 2e-6);
}

#[test]
fn normalised_descent_moves_every_replica_by_its_own_rate() {
    let oracles = [0, 1].map(|replica| {
        oracle(replica, |_, rate, decay, weights, slopes| {
            let norm = slopes.iter().flatten().map(|g| g * g).sum::<f64>().sqrt();
            each(weights, slopes, |_, _, w, g| rate * (decay * w + g / norm))
        })
    });
    follows(&experiment("normalized_gd", Settings::default()), false, oracles, 2e-6);
}

#[test]
fn normalised_descent_goes_on_where_the_squared_gradient_is_no_number_of_32_bits() {
    let device = Device::flex();
    let experiment = experiment("normalized_gd", Settings::default());
    let mut rule = (optimizer_of(&experiment).unwrap().build)(&experiment, &[], &device);
    // The second replica has no gradient at all.
    let values = vec![3e-30f32, -4e-30, 0.0, 0.0];
    let gradient = Tensor::from_data(TensorData::new(values, [2, 1, 2]), &device);
    let update = Update { t: 1, rates: &[0.5, 0.25], weight_decay: &[0.0; 2], decay_to: None, specs: &[], device: &device };
    let step = numbers(&rule.step(&update, &[], vec![gradient])[0]);
    for (a, b) in step.iter().zip([0.3, -0.4, 0.0, 0.0]) {
        assert!((a - b).abs() < 1e-6, "{step:?}");
    }
}

#[test]
fn lion_moves_every_weight_by_its_rate_along_the_sign() {
    let oracles = [0, 1].map(|replica| {
        let mut m = zeros();
        oracle(replica, move |_, rate, decay, weights, slopes| {
            each(weights, slopes, |p, i, w, g| {
                let mixed = 0.9 * m[p][i] + 0.1 * g;
                m[p][i] = 0.99 * m[p][i] + 0.01 * g;
                rate * (decay * w + mixed.signum())
            })
        })
    });
    follows(&experiment("lion", Settings::default().with("betas", vec![0.9, 0.99])), false, oracles, 2e-6);
}

/// a·b for row-major matrices of `n×k` and `k×m`.
fn product(a: &[f64], b: &[f64], n: usize, k: usize, m: usize) -> Vec<f64> {
    (0..n * m).map(|at| (0..k).map(|l| a[at / m * k + l] * b[l * m + at % m]).sum()).collect()
}

fn transposed(a: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    (0..rows * columns).map(|at| a[at % rows * columns + at / rows]).collect()
}

/// Five rounds of X ← aX + b(XXᵀ)X + c(XXᵀ)²X from X = G/‖G‖, without transposing anything: both forms have the same limit
/// and the same steps, because they act on the singular values alone.
fn newton_schulz(g: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    let norm = g.iter().map(|x| x * x).sum::<f64>().sqrt();
    let mut x: Vec<f64> = g.iter().map(|g| g / norm).collect();
    for _ in 0..5 {
        let gram = product(&x, &transposed(&x, rows, columns), rows, columns, rows);
        let once = product(&gram, &x, rows, rows, columns);
        let twice = product(&gram, &once, rows, rows, columns);
        x = (0..x.len()).map(|i| 3.4445 * x[i] - 4.775 * once[i] + 2.0315 * twice[i]).collect();
    }
    x
}

/// Eigenvalues of a symmetric matrix by Jacobi rotations.
fn eigenvalues(mut a: Vec<f64>, n: usize) -> Vec<f64> {
    for _ in 0..30 {
        for p in 0..n {
            for q in p + 1..n {
                let angle = 0.5 * (2.0 * a[p * n + q]).atan2(a[q * n + q] - a[p * n + p]);
                let (s, c) = angle.sin_cos();
                for k in 0..n {
                    let (x, y) = (a[k * n + p], a[k * n + q]);
                    (a[k * n + p], a[k * n + q]) = (c * x - s * y, s * x + c * y);
                }
                for k in 0..n {
                    let (x, y) = (a[p * n + k], a[q * n + k]);
                    (a[p * n + k], a[q * n + k]) = (c * x - s * y, s * x + c * y);
                }
            }
        }
    }
    (0..n).map(|i| a[i * n + i]).collect()
}

#[test]
fn five_rounds_bring_all_singular_values_near_one() {
    // The second replica is the first, so small that its squares are no numbers of 32 bits.
    for (rows, columns) in [(3usize, 5usize), (4, 2), (6, 6)] {
        let matrix: Vec<f32> = (0..rows * columns).map(|i| value(0, 0, i, 0) as f32).collect();
        let both: Vec<f32> = matrix.iter().copied().chain(matrix.iter().map(|x| x * 1e-25)).collect();
        let tensor = Tensor::from_data(TensorData::new(both, [2, rows, columns]), &Device::flex());
        let ours = numbers(&muon::orthogonalized(tensor));
        let plain: Vec<f64> = matrix.iter().map(|x| f64::from(*x)).collect();
        let expected = newton_schulz(&plain, rows, columns);
        for replica in ours.chunks(rows * columns) {
            for (a, b) in replica.iter().zip(&expected) {
                assert!((a - b).abs() < 1e-4, "{rows}×{columns}: {a} against {b}");
            }
        }
        let before = eigenvalues(product(&plain, &transposed(&plain, rows, columns), rows, columns, rows), rows);
        let first = &ours[..rows * columns];
        let after = eigenvalues(product(first, &transposed(first, rows, columns), rows, columns, rows), rows);
        let total: f64 = before.iter().sum();
        let rank = rows.min(columns);
        // The iteration lifts what is at least a hundredth of the norm.
        let lifted = before.iter().filter(|e| **e > 1e-4 * total).count();
        let near = after.iter().filter(|e| (0.65..1.25).contains(&e.sqrt())).count();
        assert!(lifted == rank && near == rank, "{rows}×{columns}: {before:?} became {after:?}");
    }
}

#[test]
fn muon_orthogonalises_matrices_and_moves_vectors_by_adam() {
    let oracles = [0, 1].map(|replica| {
        let (mut m, mut v) = (zeros(), zeros());
        oracle(replica, move |t, rate, decay, weights, slopes| {
            let mut moves = zeros();
            for (p, (rows, columns)) in SIZES.iter().enumerate() {
                let mut direction = vec![0.0; rows * columns];
                let is_vector = *rows == 1;
                for (i, g) in slopes[p].iter().enumerate() {
                    let beta = if is_vector { 0.9 } else { 0.95 };
                    m[p][i] = beta * m[p][i] + (1.0 - beta) * g;
                    v[p][i] = 0.95 * v[p][i] + 0.05 * g * g;
                    direction[i] = if is_vector {
                        let square = v[p][i] / (1.0 - 0.95f64.powi(t as i32));
                        0.1 * m[p][i] / (1.0 - 0.9f64.powi(t as i32)) / (square.sqrt() + 1e-10)
                    } else {
                        0.95 * m[p][i] + 0.05 * g
                    };
                }
                if !is_vector {
                    let scale = (*columns as f64 / *rows as f64).max(1.0).sqrt();
                    direction = newton_schulz(&direction, *rows, *columns).into_iter().map(|x| scale * x).collect();
                }
                moves[p] = direction.iter().zip(&weights[p]).map(|(d, w)| rate * (d + decay * w)).collect();
            }
            moves
        })
    });
    let settings = Settings::default().with("momentum", 0.95).with("vector_rate", 0.1);
    follows(&experiment("muon", settings), false, oracles, 5e-6);
}

#[test]
fn equal_replicas_are_scaled_by_a_plain_number_and_unequal_ones_by_their_own() {
    let device = Device::flex();
    let ones = Tensor::<3>::ones([2, 1, 2], &device);
    assert!(matches!(PerReplica::new(&[0.5, 0.5], &device), PerReplica::Equal(_)));
    assert_eq!(numbers(&PerReplica::new(&[0.5, 0.25], &device).scale(ones)), [0.5, 0.5, 0.25, 0.25]);
}
