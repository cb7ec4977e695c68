//! Every loss against its formula in 64 bits, and every slope against central differences of that formula.

use super::*;
use crate::experiment::settings::Settings;
use crate::experiment::{LoggingConfig, ModelConfig, OptimizerConfig, TaskConfig};
use burn::tensor::TensorData;
use core::slice::from_ref;

fn experiment(loss: &str, training: Settings) -> Experiment {
    Experiment {
        schema: 1,
        name: String::new(),
        seed: 3,
        steps: 10,
        batch_size: None,
        loss: loss.into(),
        task: TaskConfig {
            operation: "add".into(),
            settings: Settings::default().with("modulus", 5),
            train_fraction: 0.5,
            split: "random".into(),
            label_noise: 0.0,
        },
        model: ModelConfig { architecture: "mlp".into(), settings: Settings::default(), init_scale: 1.0 },
        optimizer: OptimizerConfig {
            name: "sgd".into(),
            learning_rate: 0.1,
            weight_decay: 0.0,
            settings: Settings::default(),
            warmup_steps: 0,
        },
        training,
        curriculum: Settings::default(),
        stage: Settings::default(),
        timeline: Vec::new(),
        logging: LoggingConfig { evaluate_every: 1, checkpoint_every: 1 },
    }
}

fn objective(loss: &str, training: Settings, classes: usize) -> Objective {
    Objective::new(&[experiment(loss, training)], classes, &Device::flex()).unwrap()
}

/// `[1, row, output]`.
fn tensor(rows: &[Vec<f64>]) -> Tensor<3> {
    let values: Vec<f32> = rows.iter().flatten().map(|x| *x as f32).collect();
    Tensor::from_data(TensorData::new(values, [1, rows.len(), rows[0].len()]), &Device::flex())
}

fn numbers(tensor: Tensor<3>) -> Vec<f64> {
    tensor.into_data().try_into_vec::<f32>().unwrap().into_iter().map(f64::from).collect()
}

/// Relative to the value itself: a loss of 1e-17 has to be right too.
fn assert_close(what: &str, ours: &[f64], expected: &[f64], relative: f64) {
    assert_eq!(ours.len(), expected.len(), "{what}");
    for (a, b) in ours.iter().zip(expected) {
        assert!((a - b).abs() <= relative * b.abs() + 1e-30, "{what}: {a:e} against {b:e}");
    }
}

/// Slope of `f` at `z` by central differences in 64 bits. The formulas below keep their digits however small they are.
fn differences(f: impl Fn(&[f64]) -> f64, z: &[f64]) -> Vec<f64> {
    let at = |j: usize, h: f64| {
        let mut moved = z.to_vec();
        moved[j] += h;
        f(&moved)
    };
    // Four points: the error is of order h⁴.
    let h = 1e-3;
    let two = |j: usize, h: f64| (at(j, h) - at(j, -h)) / (2.0 * h);
    (0..z.len()).map(|j| (4.0 * two(j, h / 2.0) - two(j, h)) / 3.0).collect()
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// log(1 + Σ_{j≠y} e^{z_j − z_y}), without cancellation.
fn cross_entropy(z: &[f64], y: usize) -> f64 {
    let highest = z.iter().copied().fold(f64::MIN, f64::max) - z[y];
    let others: f64 = (0..z.len()).filter(|j| *j != y).map(|j| (z[j] - z[y] - highest).exp()).sum();
    if highest > 0.0 { highest + (others + (-highest).exp()).ln() } else { others.ln_1p() }
}

fn stable_score(x: f64) -> f64 {
    if x >= 0.0 { x + 1.0 } else { 1.0 / (1.0 - x) }
}

fn stable_max(z: &[f64], y: usize) -> f64 {
    let others: f64 = (0..z.len()).filter(|j| *j != y).map(|j| stable_score(z[j])).sum();
    (others / stable_score(z[y])).ln_1p()
}

fn mean_squared_error(z: &[f64], y: usize) -> f64 {
    let square = |j: usize| (z[j] - if j == y { 1.0 } else { 0.0 }).powi(2);
    (0..z.len()).map(square).sum::<f64>() / z.len() as f64
}

fn multi_hinge(z: &[f64], y: usize) -> f64 {
    (0..z.len()).filter(|j| *j != y).map(|j| (1.0 + z[j] - z[y]).max(0.0)).sum()
}

fn sign(y: usize) -> f64 {
    if y == 0 { 1.0 } else { -1.0 }
}

/// Compares value and slope of `loss` with `formula(outputs, label)` on `rows`.
fn follows(loss: &str, classes: usize, rows: &[(Vec<f64>, usize)], formula: fn(&[f64], usize) -> f64, relative: f64) {
    let objective = objective(loss, Settings::default(), classes);
    let outputs: Vec<Vec<f64>> = rows.iter().map(|row| row.0.clone()).collect();
    let labels: Vec<u16> = rows.iter().map(|row| row.1 as u16).collect();
    let targets = objective.targets(&[labels], &Device::flex());
    let expected: Vec<f64> = rows.iter().map(|(z, y)| formula(z, *y)).collect();
    let slopes: Vec<f64> = rows.iter().flat_map(|(z, y)| differences(|z| formula(z, *y), z)).collect();
    assert_close(loss, &numbers(objective.per_row(tensor(&outputs), targets.clone())), &expected, relative);
    let (value, slope) = objective.slope(tensor(&outputs), targets.clone(), 1);
    assert_close(loss, &numbers(value), &expected, relative);
    let ours = numbers(slope);
    for ((a, b), value) in ours.iter().zip(&slopes).zip(expected.iter().flat_map(|v| vec![*v; outputs[0].len()])) {
        // Differences of 64-bit numbers of this size know a slope to ε/h of it.
        assert!((a - b).abs() <= relative * b.abs() + 1e-11 * value + 1e-30, "{loss}: {a:e} against {b:e}");
    }
    let (_, mean) = objective.slope(tensor(&outputs), targets, 8);
    let eighths: Vec<f64> = ours.iter().map(|s| s / 8.0).collect();
    assert_close(loss, &numbers(mean), &eighths, 1e-6);
}

#[test]
fn cross_entropy_and_its_slope_keep_their_digits_at_margins_of_forty() {
    let rows = [
        (vec![0.5, -1.25, 0.0, 2.0, 0.25], 1),
        (vec![40.0, 0.0, -1.5, 0.5, 1.0], 0),
        (vec![-2.0, 40.0, 3.0, 0.0, 1.0], 2),
        (vec![0.0, 0.0, 0.0, 0.0, 0.0], 4),
        (vec![-60.0, -20.0, -61.0, -62.0, -60.5], 1),
    ];
    follows("cross_entropy", 5, &rows, cross_entropy, 2e-5);
}

#[test]
fn the_slope_of_cross_entropy_keeps_small_probabilities_beside_large_losses() {
    // Here differences of the loss are too coarse; the oracle is p_j − [j = y] in 64 bits.
    let z = [-2.0, 40.0, 3.0, 0.0, 1.0];
    let objective = objective("cross_entropy", Settings::default(), 5);
    let total: f64 = z.iter().map(|x: &f64| x.exp()).sum();
    let expected: Vec<f64> = (0..5).map(|j| z[j].exp() / total - if j == 2 { 1.0 } else { 0.0 }).collect();
    let (_, slope) = objective.slope(tensor(&[z.to_vec()]), objective.targets(&[[2u16]], &Device::flex()), 1);
    assert_close("slope", &numbers(slope), &expected, 2e-5);
}

#[test]
fn logistic_loss_and_its_slope_keep_their_digits_at_margins_of_forty() {
    let rows: Vec<(Vec<f64>, usize)> =
        [-40.0, -3.5, -0.25, 0.0, 0.125, 2.0, 40.0].iter().flat_map(|f| [(vec![*f], 0), (vec![*f], 1)]).collect();
    follows("logistic", 2, &rows, |z, y| softplus(-sign(y) * z[0]), 2e-5);
}

#[test]
fn logistic_loss_is_the_cross_entropy_of_two_opposite_half_logits() {
    let one = objective("logistic", Settings::default(), 2);
    let two = objective("cross_entropy", Settings::default(), 2);
    for f in [-7.0, -0.5, 3.25] {
        for label in [0u16, 1] {
            let a = one.per_row(tensor(&[vec![f]]), one.targets(&[[label]], &Device::flex()));
            let b = two.per_row(tensor(&[vec![f / 2.0, -f / 2.0]]), two.targets(&[[label]], &Device::flex()));
            assert_close("logistic", &numbers(a), &numbers(b), 1e-6);
        }
    }
}

#[test]
fn mean_squared_error_is_the_mean_over_outputs() {
    let rows = [(vec![0.5, -1.25, 0.0, 2.0], 1), (vec![0.125, 0.0, 0.875, 0.25], 2)];
    follows("mean_squared_error", 4, &rows, mean_squared_error, 1e-5);
}

#[test]
fn hinge_has_one_output_for_two_classes_and_sums_over_the_others_for_more() {
    let binary: Vec<(Vec<f64>, usize)> = [-2.5, -0.5, 0.25, 3.0].iter().flat_map(|f| [(vec![*f], 0), (vec![*f], 1)]).collect();
    follows("hinge", 2, &binary, |z, y| (1.0 - sign(y) * z[0]).max(0.0), 1e-5);
    let rows = [(vec![0.5, -1.25, 0.25, 2.0], 1), (vec![3.0, 0.5, -0.75, 2.5], 0), (vec![5.0, 0.5, -0.75, 2.5], 0)];
    follows("hinge", 4, &rows, multi_hinge, 1e-5);
}

#[test]
fn stable_max_keeps_a_slope_where_softmax_in_32_bits_has_none() {
    let rows = [
        (vec![0.5, -1.25, 0.25, 2.0], 1),
        (vec![-3.0, -1.25, 0.25, 2.0], 0),
        (vec![1e4, -1e4, -3e4, -2e4], 0),
        (vec![-0.5, 40.0, 3.5, -40.0], 2),
    ];
    follows("stable_max", 4, &rows, stable_max, 2e-5);
}

#[test]
fn squared_error_counts_as_right_up_to_its_threshold() {
    let objective = objective("squared_error", Settings::default().with("accuracy_threshold", 0.0625), 1);
    let targets = objective.value_targets(&[[1.0f32, 1.0, -2.0]], &Device::flex());
    let outputs = tensor(&[vec![1.25], vec![1.5], vec![-2.125]]);
    let (value, slope) = objective.slope(outputs.clone(), targets.clone(), 1);
    assert_eq!(numbers(value), [0.0625, 0.25, 0.015625]);
    assert_eq!(numbers(slope), [0.5, 1.0, -0.25]);
    assert_eq!(numbers(objective.correct(outputs, targets)), [1.0, 0.0, 1.0]);
}

#[test]
fn an_answer_is_right_only_if_no_other_output_is_as_large() {
    for loss in ["cross_entropy", "mean_squared_error", "hinge", "stable_max"] {
        let objective = objective(loss, Settings::default(), 3);
        let outputs = tensor(&[vec![1.0, 0.5, -1.0], vec![1.0, 1.0, 0.0], vec![-3.0, -2.0, -1.0], vec![0.0, 2.0, 1.0]]);
        let targets = objective.targets(&[[0u16, 0, 2, 2]], &Device::flex());
        assert_eq!(numbers(objective.correct(outputs, targets)), [1.0, 0.0, 1.0, 0.0], "{loss}");
    }
    for loss in ["hinge", "logistic"] {
        let objective = objective(loss, Settings::default(), 2);
        let targets = objective.targets(&[[0u16, 1, 0, 1]], &Device::flex());
        let outputs = tensor(&[vec![0.25], vec![0.25], vec![0.0], vec![-3.0]]);
        assert_eq!(numbers(objective.correct(outputs, targets)), [1.0, 0.0, 0.0, 1.0], "{loss}");
    }
}

#[test]
fn templates_differ_between_seeds_and_the_nearest_one_is_the_answer() {
    let settings = Settings::default().with("template_dims", 6);
    let first = experiment("templates", settings);
    let second = Experiment { seed: 4, ..first.clone() };
    let device = Device::flex();
    let objective = Objective::new(&[first.clone(), second.clone()], 5, &device).unwrap();
    let kind = loss_of(&first).unwrap();
    assert_eq!(outputs(&first, 5), 6);
    let codes = [(kind.codes)(&first, 5), (kind.codes)(&second, 5)];
    assert_ne!(codes[0], codes[1]);
    let labels: [[u16; 5]; 2] = [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0]];
    // Somewhere between the label's template and its neighbour's, so that some answers are wrong.
    let mut values = Vec::new();
    for (replica, list) in labels.iter().enumerate() {
        for (row, label) in list.iter().enumerate() {
            let (own, next) = (&codes[replica][usize::from(*label)], &codes[replica][usize::from(*label + 1) % 5]);
            values.extend(own.iter().zip(next).map(|(a, b)| a + (b - a) * 0.2 * row as f32));
        }
    }
    let outputs = Tensor::<3>::from_data(TensorData::new(values.clone(), [2, 5, 6]), &device);
    let targets = objective.targets(&labels, &device);
    let (value, slope) = objective.slope(outputs.clone(), targets.clone(), 10);
    let (mut expected, mut slopes, mut right) = (Vec::new(), Vec::new(), Vec::new());
    for (index, row) in values.chunks(6).enumerate() {
        let label = usize::from(labels[index / 5][index % 5]);
        let distance = |class: usize| -> f64 {
            row.iter().zip(&codes[index / 5][class]).map(|(x, c)| (f64::from(*x) - f64::from(*c)).powi(2)).sum()
        };
        expected.push(distance(label) / 6.0);
        right.push(if (0..5).all(|other| other == label || distance(other) > distance(label)) { 1.0 } else { 0.0 });
        let code = &codes[index / 5][label];
        slopes.extend(row.iter().zip(code).map(|(x, c)| (f64::from(*x) - f64::from(*c)) / 30.0));
    }
    assert!(right.contains(&0.0) && right.contains(&1.0), "{right:?}");
    assert_close("loss", &numbers(value), &expected, 1e-5);
    assert_close("slope", &numbers(slope), &slopes, 1e-5);
    assert_eq!(numbers(objective.correct(outputs, targets)), right);
}

#[test]
fn smoothing_mixes_the_label_with_all_classes_in_training_but_not_in_curves() {
    let z = vec![0.5, -1.25, 0.25, 2.0];
    let smooth = |score: &dyn Fn(&[f64], usize) -> f64, z: &[f64]| -> f64 {
        // The expectation over the mixed label.
        (0..4).map(|c| (0.1 / 4.0 + if c == 1 { 0.9 } else { 0.0 }) * score(z, c)).sum()
    };
    for (loss, formula) in [("cross_entropy", cross_entropy as fn(&[f64], usize) -> f64), ("stable_max", stable_max)] {
        let objective = objective(loss, Settings::default().with("label_smoothing", 0.1), 4);
        let targets = objective.targets(&[[1u16]], &Device::flex());
        let (value, slope) = objective.slope(tensor(from_ref(&z)), targets.clone(), 1);
        assert_close(loss, &numbers(value), &[smooth(&formula, &z)], 1e-6);
        assert_close(loss, &numbers(slope), &differences(|z| smooth(&formula, z), &z), 1e-5);
        assert_close(loss, &numbers(objective.per_row(tensor(from_ref(&z)), targets)), &[formula(&z, 1)], 1e-6);
    }
    // Two classes on one output.
    let objective = objective("logistic", Settings::default().with("label_smoothing", 0.1), 2);
    let targets = objective.targets(&[[1u16]], &Device::flex());
    let formula = |z: &[f64]| 0.05 * softplus(-z[0]) + 0.95 * softplus(z[0]);
    let (value, slope) = objective.slope(tensor(&[vec![-1.5]]), targets, 1);
    assert_close("logistic", &numbers(value), &[formula(&[-1.5])], 1e-6);
    assert_close("logistic", &numbers(slope), &differences(formula, &[-1.5]), 1e-5);
}

#[test]
fn temperature_divides_the_outputs_in_loss_slope_and_curves() {
    let z = vec![0.5, -1.25, 0.25, 2.0];
    let objective = objective("cross_entropy", Settings::default().with("temperature", 2.5), 4);
    let targets = objective.targets(&[[1u16]], &Device::flex());
    let formula = |z: &[f64]| cross_entropy(&z.iter().map(|x| x / 2.5).collect::<Vec<_>>(), 1);
    let (value, slope) = objective.slope(tensor(from_ref(&z)), targets.clone(), 1);
    assert_close("loss", &numbers(value), &[formula(&z)], 1e-6);
    assert_close("slope", &numbers(slope), &differences(formula, &z), 1e-5);
    assert_close("curve", &numbers(objective.per_row(tensor(from_ref(&z)), targets)), &[formula(&z)], 1e-6);
}

#[test]
fn a_teacher_with_the_same_outputs_teaches_nothing() {
    for kind in losses().iter().filter(|kind| kind.soft != Soft::No) {
        let classes = match kind.answer {
            Answer::Class => 4,
            Answer::BinaryClass => 2,
            Answer::Value => 1,
        };
        let settings = Settings::default().with("template_dims", 4);
        let objective = objective(kind.kind.name, settings, classes);
        let z = if (kind.outputs)(&experiment("", Settings::default().with("template_dims", 4)), classes) == 1 {
            vec![vec![0.75], vec![-2.0]]
        } else {
            vec![vec![0.5, -1.25, 0.25, 2.0], vec![-3.0, 1.0, 0.0, 0.5]]
        };
        let targets = objective.as_targets(tensor(&z), 1.0);
        let (_, slope) = objective.slope_soft(tensor(&z), targets, 1);
        for s in numbers(slope) {
            assert!(s.abs() < 2e-7, "{}: {s}", kind.kind.name);
        }
    }
}

#[test]
fn soft_targets_of_cross_entropy_meet_the_closed_form() {
    let (z, t) = (vec![0.5, -1.25, 0.25, 2.0], [0.1, 0.2, 0.3, 0.4]);
    let objective = objective("cross_entropy", Settings::default(), 4);
    let formula = |z: &[f64]| z.iter().map(|x| x.exp()).sum::<f64>().ln() - z.iter().zip(t).map(|(z, t)| z * t).sum::<f64>();
    let (value, slope) = objective.slope_soft(tensor(from_ref(&z)), tensor(&[t.to_vec()]), 1);
    assert_close("loss", &numbers(value), &[formula(&z)], 1e-6);
    assert_close("slope", &numbers(slope), &differences(formula, &z), 1e-5);
}

#[test]
fn replicas_do_not_see_each_other() {
    let device = Device::flex();
    let z = [0.5f32, -1.25, 0.25, 40.0, 3.0, -2.0];
    for loss in ["cross_entropy", "mean_squared_error", "hinge", "stable_max"] {
        let single = experiment(loss, Settings::default());
        let both = Objective::new(&[single.clone(), Experiment { seed: 9, ..single }], 3, &device).unwrap();
        let outputs = Tensor::<3>::from_data(TensorData::new(z.to_vec(), [2, 1, 3]), &device);
        let (value, slope) = both.slope(outputs, both.targets(&[[1u16], [2]], &device), 1);
        let (value, slope) = (numbers(value), numbers(slope));
        for (replica, label) in [1u16, 2].into_iter().enumerate() {
            let alone = objective(loss, Settings::default(), 3);
            let part = Tensor::<3>::from_data(TensorData::new(z[3 * replica..][..3].to_vec(), [1, 1, 3]), &device);
            let (one, slopes) = alone.slope(part, alone.targets(&[[label]], &device), 1);
            assert_eq!(numbers(one), value[replica..=replica], "{loss}");
            assert_eq!(numbers(slopes), slope[3 * replica..][..3], "{loss}");
        }
    }
}

#[test]
fn a_loss_that_does_not_fit_the_answers_is_refused() {
    let paths = |experiment: &Experiment, classes| -> Vec<String> {
        check(experiment, classes).into_iter().map(|error| error.path).collect()
    };
    let plain = |loss: &str| experiment(loss, Settings::default());
    assert_eq!(paths(&plain("cross_entropy"), 5), [""; 0]);
    assert_eq!(paths(&plain("cross_entropy"), 1), ["loss"]);
    assert_eq!(paths(&plain("squared_error"), 5), ["loss"]);
    assert_eq!(paths(&plain("logistic"), 3), ["loss"]);
    assert_eq!(paths(&plain("logistic"), 2), [""; 0]);
    let smoothed = experiment("hinge", Settings::default().with("label_smoothing", 0.1));
    assert_eq!(paths(&smoothed, 3), ["training.label_smoothing"]);
}
