//! Losses, gradients and optimiser steps against independent 64-bit references (`tests/data/generate.py`, PyTorch), and against
//! finite differences.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use burn::tensor::{Device, Tensor, TensorData};
use grokscope::crosscoder::fit::{Dictionary, Moment, Objective, Site, Slope};
use grokscope::crosscoder::{CrosscoderConfig, Place, Variant, crosscoder_preset};
use grokscope::experiment::{Experiment, preset, with_value};
use grokscope::model::{self, Model};
use grokscope::record::{NamedTensor, Weights};
use grokscope::task::{Dataset, rule_of};
use grokscope::train::modifier::Pace;
use grokscope::train::optimizer::advance;
use grokscope::train::{AdamW, Batch, Decay, Extras, HostRows, Objective as Loss, Trainer, Update, gradients};
use safetensors::{Dtype, SafeTensors};

/// f32 against f64.
const RELATIVE: f64 = 2e-5;

struct Reference(Vec<u8>);

impl Reference {
    fn read(name: &str) -> Self {
        Self(std::fs::read(format!("{}/tests/data/{name}.safetensors", env!("CARGO_MANIFEST_DIR"))).unwrap())
    }

    fn values(&self, name: &str) -> Vec<f64> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let view = file.tensor(name).unwrap();
        let words = view.data().chunks_exact(8).map(|b| <[u8; 8]>::try_from(b).unwrap());
        match view.dtype() {
            Dtype::F64 => words.map(f64::from_le_bytes).collect(),
            Dtype::I64 => words.map(|b| i64::from_le_bytes(b) as f64).collect(),
            other => unreachable!("{other:?}"),
        }
    }

    fn weights(&self, names: &[(&str, usize, usize)]) -> Weights {
        let tensors = names
            .iter()
            .map(|(name, rows, columns)| NamedTensor {
                name: (*name).to_owned(),
                shape: vec![*rows, *columns],
                values: self.values(&format!("param.{name}")).iter().map(|v| *v as f32).collect(),
            })
            .collect();
        Weights { tensors }
    }
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().try_into_vec::<f32>().unwrap().into_iter().map(f64::from).collect()
}

/// Compares with a tolerance relative to the reference's largest value.
fn assert_close(what: &str, ours: &[f64], reference: &[f64], relative: f64) {
    assert_eq!(ours.len(), reference.len(), "{what}");
    let scale = reference.iter().fold(0f64, |m, v| m.max(v.abs()));
    for (a, b) in ours.iter().zip(reference) {
        assert!((a - b).abs() <= relative * scale, "{what}: {a} against {b}");
    }
}

/// Trains on the rows of a reference file and compares loss before each step, gradients at step 0 and weights after `steps`.
fn repeats(file: &str, experiment: &Experiment, pairs: Vec<(u16, u16)>, gather: bool) {
    let reference = Reference::read(file);
    let device = Device::flex();
    let tracked = device.clone().autodiff();
    let model = Model::new(experiment, &tracked).unwrap();
    let specs = model.specs().to_vec();
    let names: Vec<_> = specs.iter().map(|s| (s.name.as_str(), s.rows, s.columns)).collect();
    let labels = reference.values("target");
    let rows = pairs.into_iter().zip(labels.iter().map(|y| *y as u16)).collect();
    let (loss_of, batch) = batch(experiment, rows, gather, &tracked);
    let mut parameters = model::upload(&[reference.weights(&names)], &specs, "", &device).unwrap();
    let mut optimizer = AdamW::new([0.9, 0.98], 1e-8, &parameters, &device);
    for step in 0..5u32 {
        let (loss, slopes) = gradients(&model, &loss_of, &parameters, &batch, Extras::default());
        assert_close(&format!("loss.{step}"), &numbers(loss), &reference.values(&format!("loss.{step}")), RELATIVE);
        if step == 0 {
            for (spec, slope) in specs.iter().zip(&slopes) {
                let name = format!("grad.{}", spec.name);
                assert_close(&name, &numbers(slope.clone()), &reference.values(&name), RELATIVE);
            }
        }
        let update = Update {
            t: step + 1,
            rates: &[experiment.optimizer.learning_rate],
            weight_decay: &[experiment.optimizer.weight_decay],
            decay_to: None,
            specs: &specs,
            device: &device,
        };
        parameters = advance(&mut optimizer, Decay::Decoupled, &update, parameters, slopes);
    }
    for (spec, parameter) in specs.iter().zip(parameters) {
        let name = format!("after.{}", spec.name);
        // Adam divides by the root of the second moment, so where a gradient is almost zero its rounding is magnified.
        assert_close(&name, &numbers(parameter), &reference.values(&name), 2e-4);
    }
}

/// The loss of an experiment, and a batch of its rows.
fn batch(experiment: &Experiment, pairs: Vec<((u16, u16), u16)>, gather: bool, device: &Device) -> (Loss, Batch) {
    let sizes = rule_of(experiment).unwrap().sizes();
    let loss = Loss::new(std::slice::from_ref(experiment), sizes.classes as usize, device).unwrap();
    let batch = Batch::new(&[HostRows { pairs, ..HostRows::default() }], sizes, &loss, gather, device);
    (loss, batch)
}

fn changed(name: &str, changes: &[(&str, &str)]) -> Experiment {
    changes.iter().fold(preset(name).unwrap().experiment.clone(), |e, (path, value)| with_value(&e, path, value).unwrap())
}

fn tiny_transformer() -> (Experiment, Vec<(u16, u16)>) {
    let experiment = changed(
        "transformer-59",
        &[
            ("task.modulus", "7"),
            ("model.d_model", "8"),
            ("model.heads", "2"),
            ("model.mlp_width", "16"),
            ("optimizer.learning_rate", "0.003"),
            ("optimizer.weight_decay", "3"),
        ],
    );
    let tokens = Reference::read("transformer_adamw").values("input.tokens");
    (experiment, tokens.chunks(3).map(|t| (t[0] as u16, t[1] as u16)).collect())
}

fn tiny_quadratic() -> (Experiment, Vec<(u16, u16)>) {
    let experiment = changed("quadratic-31", &[("task.modulus", "7"), ("model.width", "12")]);
    let two_hot = Reference::read("quadratic_mse_adamw").values("input.two_hot");
    let hot = |half: &[f64]| half.iter().position(|v| *v == 1.0).unwrap() as u16;
    (experiment, two_hot.chunks(14).map(|x| (hot(&x[..7]), hot(&x[7..]))).collect())
}

#[test]
fn the_transformer_repeats_the_reference_in_loss_gradients_and_five_adamw_steps() {
    let (experiment, pairs) = tiny_transformer();
    repeats("transformer_adamw", &experiment, pairs.clone(), true);
    repeats("transformer_adamw", &experiment, pairs, false);
}

#[test]
fn the_quadratic_network_repeats_the_reference_in_loss_gradients_and_five_adamw_steps() {
    let (experiment, pairs) = tiny_quadratic();
    repeats("quadratic_mse_adamw", &experiment, pairs.clone(), true);
    repeats("quadratic_mse_adamw", &experiment, pairs, false);
}

#[test]
fn gradients_match_central_differences_for_every_activation_and_loss() {
    for (activation, loss) in [("quadratic", "cross_entropy"), ("relu", "mean_squared_error"), ("gelu", "cross_entropy")] {
        let (base, pairs) = tiny_quadratic();
        let experiment = with_value(&with_value(&base, "model.activation", activation).unwrap(), "loss", loss).unwrap();
        let device = Device::flex();
        let tracked = device.clone().autodiff();
        let model = Model::new(&experiment, &tracked).unwrap();
        let specs = model.specs().to_vec();
        let rows = pairs.iter().map(|(a, b)| ((*a, *b), (a + b) % 7)).collect();
        let (loss, batch) = batch(&experiment, rows, true, &tracked);
        let start = model::draw(&specs, 3);
        let parameters = model::upload(std::slice::from_ref(&start), &specs, "", &device).unwrap();
        let (_, slopes) = gradients(&model, &loss, &parameters, &batch, Extras::default());
        for (index, slope) in slopes.into_iter().enumerate() {
            // Along the gradient itself: the directional derivative is its norm, far above the rounding of an f32 loss.
            let slope = numbers(slope);
            let norm = slope.iter().map(|v| v * v).sum::<f64>().sqrt();
            let along = |distance: f64| {
                let mut moved = start.clone();
                for (value, step) in moved.tensors[index].values.iter_mut().zip(&slope) {
                    *value += (distance * step / norm) as f32;
                }
                let parameters = model::upload(&[moved], &specs, "", &device).unwrap();
                numbers(gradients(&model, &loss, &parameters, &batch, Extras::default()).0)[0]
            };
            let h = 5e-3;
            let difference = (along(h) - along(-h)) / (2.0 * h);
            assert!((difference - norm).abs() < 0.01 * norm, "{activation} {}: {difference} against {norm}", specs[index].name);
        }
    }
}

#[test]
fn gradients_of_a_centred_and_multiplied_network_match_central_differences() {
    let (base, pairs) = tiny_quadratic();
    let settings = [("model.centered", "true"), ("model.output_multiplier", "3"), ("model.activation", "gelu")];
    let experiment = settings.iter().fold(base, |e, (path, value)| with_value(&e, path, value).unwrap());
    let device = Device::flex();
    let tracked = device.clone().autodiff();
    let model = Model::new(&experiment, &tracked).unwrap();
    let specs = model.specs().to_vec();
    let rows = pairs.iter().map(|(a, b)| ((*a, *b), (a + b) % 7)).collect();
    let (loss, batch) = batch(&experiment, rows, true, &tracked);
    let start = model::upload(&[model::draw(&specs, 3)], &specs, "", &device).unwrap();
    // Away from the start, where f − f₀ and its gradient are not those of f.
    let here = model::draw(&specs, 4);
    let at = |weights: &Weights| {
        let parameters = model::upload(std::slice::from_ref(weights), &specs, "", &device).unwrap();
        gradients(&model, &loss, &parameters, &batch, Extras { start: Some(&start), ..Extras::default() })
    };
    for (index, slope) in at(&here).1.into_iter().enumerate() {
        let slope = numbers(slope);
        let norm = slope.iter().map(|v| v * v).sum::<f64>().sqrt();
        let along = |distance: f64| {
            let mut moved = here.clone();
            for (value, step) in moved.tensors[index].values.iter_mut().zip(&slope) {
                *value += (distance * step / norm) as f32;
            }
            numbers(at(&moved).0)[0]
        };
        let h = 2e-3;
        let difference = (along(h) - along(-h)) / (2.0 * h);
        assert!((difference - norm).abs() < 0.01 * norm, "{}: {difference} against {norm}", specs[index].name);
    }
}

#[test]
fn rows_that_sit_an_update_out_by_their_loss_leave_the_gradient_of_the_others() {
    // Reference: the mean over all n rows with a zero for those that sit out, k/n times the gradient of the other k alone.
    let (experiment, pairs) = tiny_quadratic();
    let tracked = Device::flex().autodiff();
    let model = Model::new(&experiment, &tracked).unwrap();
    let rows: Vec<((u16, u16), u16)> = pairs.iter().map(|(a, b)| ((*a, *b), (a + b) % 7)).collect();
    let parameters = model::upload(&[model::draw(model.specs(), 3)], model.specs(), "", &Device::flex()).unwrap();
    let (loss, whole) = batch(&experiment, rows.clone(), true, &tracked);
    let outputs = model.logits(&parameters.iter().map(|p| p.clone().autodiff()).collect::<Vec<_>>(), &whole.inputs, None);
    let each = numbers(loss.per_row(outputs, whole.targets.clone()).inner());
    let mean = each.iter().sum::<f64>() / each.len() as f64;
    type Sits = fn(f64, f64) -> bool;
    let cases: [(Pace, Sits); 2] =
        [(Pace::AtMost(0.9), |x, mean| x > 0.9 * mean), (Pace::AtLeast(1.2), |x, mean| x < 1.2 * mean)];
    for (pace, sits_out) in cases {
        let kept: Vec<_> = rows.iter().zip(&each).filter(|(_, x)| !sits_out(**x, mean)).map(|(row, _)| *row).collect();
        assert!(!kept.is_empty() && kept.len() < rows.len());
        let share = kept.len() as f64 / rows.len() as f64;
        let (value, ours) = gradients(&model, &loss, &parameters, &whole, Extras { pace: Some(pace), ..Extras::default() });
        assert_close("the curve shows the mean of all rows", &numbers(value), &[mean], 1e-6);
        let alone = gradients(&model, &loss, &parameters, &batch(&experiment, kept, true, &tracked).1, Extras::default()).1;
        for (ours, alone) in ours.into_iter().zip(alone) {
            let expected: Vec<f64> = numbers(alone).iter().map(|x| share * x).collect();
            assert_close(&format!("{pace:?}"), &numbers(ours), &expected, RELATIVE);
        }
    }
}

/// Gradient of the loss over all training rows at `weights`, tensor by tensor.
fn slopes_at(experiment: &Experiment, weights: &Weights) -> Vec<Vec<f64>> {
    let device = Device::flex();
    let tracked = device.clone().autodiff();
    let model = Model::new(experiment, &tracked).unwrap();
    let data = Dataset::new(&experiment.task, experiment.seed).unwrap();
    let loss = Loss::new(std::slice::from_ref(experiment), data.sizes.classes as usize, &tracked).unwrap();
    let rows = HostRows::training(&data, &(0..data.train.len() as u32).collect::<Vec<_>>());
    let batch = Batch::new(&[rows], data.sizes, &loss, true, &tracked);
    let parameters = model::upload(std::slice::from_ref(weights), model.specs(), "", &device).unwrap();
    gradients(&model, &loss, &parameters, &batch, Extras::default()).1.into_iter().map(numbers).collect()
}

/// Weights before each of the updates `from..to` (counted from 0) and after the last.
fn path_of(experiment: &Experiment, from: u32, to: u32) -> Vec<Weights> {
    let mut trainer = Trainer::new(std::slice::from_ref(experiment), true, &Device::flex()).unwrap();
    let mut path = Vec::new();
    while trainer.step() <= to {
        if trainer.step() >= from {
            path.extend(pollster::block_on(trainer.weights()).unwrap());
        }
        pollster::block_on(trainer.advance()).unwrap();
    }
    path
}

/// Adam in 64 bits along a path of weights: what update `t` (from 1) adds to entry `(tensor, index)` but for decay, in units of η.
fn adam_along(experiment: &Experiment, path: &[Weights], mut visit: impl FnMut(usize, usize, usize, f64)) {
    let [beta1, beta2] = <[f64; 2]>::try_from(experiment.optimizer.settings.numbers("betas")).unwrap();
    let mut moments: Vec<Vec<[f64; 2]>> = path[0].tensors.iter().map(|t| vec![[0.0; 2]; t.values.len()]).collect();
    for (update, weights) in path[..path.len() - 1].iter().enumerate() {
        let t = update as i32 + 1;
        for (tensor, slopes) in slopes_at(experiment, weights).into_iter().enumerate() {
            for (index, g) in slopes.into_iter().enumerate() {
                let [m, v] = &mut moments[tensor][index];
                *m = beta1 * *m + (1.0 - beta1) * g;
                *v = beta2 * *v + (1.0 - beta2) * g * g;
                let (mean, square) = (*m / (1.0 - beta1.powi(t)), *v / (1.0 - beta2.powi(t)));
                visit(update, tensor, index, -mean / (square.sqrt() + 1e-8));
            }
        }
    }
}

#[test]
fn a_rule_taken_up_in_mid_run_corrects_its_averages_by_its_own_age() {
    // Reference: Adam in 64 bits that begins at the switch, along the weights of the run. By the run's age the first update would be
    // (1 − β₁)/√(1 − β₂) = .71 of what it is.
    let settings = [("task.modulus", "7"), ("model.width", "12"), ("optimizer.name", "sgd"), ("optimizer.weight_decay", "0.5")];
    let mut experiment = changed("quadratic-31", &settings);
    experiment.timeline = vec!["20 set optimizer.name adam_w".into(), "20 set optimizer.learning_rate 0.004".into()];
    assert_eq!(experiment.validate(), Ok(()));
    let path = path_of(&experiment, 20, 25);
    let now = experiment.at(20).unwrap();
    let (rate, decay) = (now.optimizer.learning_rate, now.optimizer.weight_decay);
    adam_along(&now, &path, |update, tensor, index, step| {
        let of = |weights: &Weights| f64::from(weights.tensors[tensor].values[index]);
        let (before, after) = (of(&path[update]), of(&path[update + 1]));
        let expected = before * (1.0 - rate * decay) + rate * step;
        assert!((after - expected).abs() < 2e-3 * rate, "update {update}, tensor {tensor}: {after} against {expected}");
    });
}

#[test]
fn a_tensor_with_its_own_rate_goes_its_share_of_the_way_decay_included() {
    // Reference: w + f·(w·(1 − ηλ) + η·step − w) with Adam's step in 64 bits, along the weights of the run.
    let settings = [("model.decoder_rate", "0.25"), ("optimizer.weight_decay", "2"), ("optimizer.name", "adam_w")];
    let experiment = changed("liu-toy", &settings);
    let factors = model::learning_rate_factors(&experiment);
    assert!(factors.contains(&1.0) && factors.contains(&0.25), "{factors:?}");
    let (rate, decay) = (experiment.optimizer.learning_rate, experiment.optimizer.weight_decay);
    let path = path_of(&experiment, 0, 3);
    adam_along(&experiment, &path, |update, tensor, index, step| {
        let of = |weights: &Weights| f64::from(weights.tensors[tensor].values[index]);
        let (before, after) = (of(&path[update]), of(&path[update + 1]));
        let way = rate * (step - decay * before);
        let expected = before + factors[tensor] * way;
        assert!((after - expected).abs() < 5e-3 * rate, "update {update}, tensor {tensor}: {after} against {expected}");
    });
}

#[test]
fn cross_entropy_keeps_its_gradient_where_a_plain_softmax_rounds_to_zero() {
    // Margin 40: loss e⁻⁴⁰·6, far below the f32 resolution of 1 − p.
    let device = Device::flex();
    let mut logits = vec![0f32; 7];
    logits[2] = 40.0;
    let logits = Tensor::<3>::from_data(TensorData::new(logits, [1, 1, 7]), &device);
    let targets = model::one_hot(&[vec![2]], 7, &device);
    let experiment = changed("transformer-59", &[]);
    let (loss, slope) = Loss::new(&[experiment], 7, &device).unwrap().slope(logits, targets, 1);
    let expected = 6.0 * libm::exp(-40.0);
    assert_close("loss", &numbers(loss), &[expected], 1e-5);
    let slope = numbers(slope);
    assert!((slope[2] + expected).abs() < 1e-5 * expected && slope[0] > 0.0, "{slope:?}");
}

#[test]
fn a_crosscoder_repeats_the_reference_in_loss_gradients_and_three_adam_steps() {
    let files = [
        ("crosscoder_l1_of_norms", Variant::L1OfNorms),
        ("crosscoder_l2_of_norms", Variant::L2OfNorms),
        ("crosscoder_batch_top_k", Variant::BatchTopK),
    ];
    for (file, variant) in files {
        let reference = Reference::read(file);
        let (sources, width, latents, rows) = (3, 5, 11, 9);
        let config = CrosscoderConfig {
            lambda: 0.7,
            k: 3,
            latents: latents as u32,
            variant,
            ..crosscoder_preset("births").unwrap().config.clone()
        };
        let device = Device::flex();
        let load = |name: &str, shape: [usize; 3]| {
            let values: Vec<f32> = reference.values(name).iter().map(|v| *v as f32).collect();
            Tensor::<3>::from_data(TensorData::new(values, shape), &device)
        };
        let columns = sources * width;
        let batch = load("input.activations", [1, rows, columns]).autodiff();
        let mut dictionary = Dictionary::from_parameters(vec![
            load("param.w_enc", [1, columns, latents]),
            load("param.b_enc", [1, 1, latents]),
            load("param.w_dec", [1, latents, columns]),
            load("param.b_dec", [1, 1, columns]),
        ]);
        let sites: Vec<Site> = (0..sources).map(|time| Site { place: Place::default(), time, width }).collect();
        let objective = Objective::new(&config, &sites, &device);
        let moment = Moment { warmup: 1.0, k: 3.0, dead: None };
        let mut optimizer = AdamW::new([0.9, 0.999], 1e-8, &dictionary.parameters(), &device);
        let names = ["w_enc", "b_enc", "w_dec", "b_dec"];
        for step in 0..3u32 {
            let Slope { loss, gradients: slopes, .. } = objective.gradients(&dictionary, batch.clone(), &moment);
            assert_close(&format!("{file} loss.{step}"), &numbers(loss), &reference.values(&format!("loss.{step}")), RELATIVE);
            if step == 0 {
                for (name, slope) in names.iter().zip(&slopes) {
                    let name = format!("grad.{name}");
                    assert_close(&format!("{file} {name}"), &numbers(slope.clone()), &reference.values(&name), RELATIVE);
                }
            }
            let update =
                Update { t: step + 1, rates: &[1e-2], weight_decay: &[0.0], decay_to: None, specs: &[], device: &device };
            let updated = advance(&mut optimizer, Decay::Decoupled, &update, dictionary.parameters(), slopes);
            dictionary = Dictionary::from_parameters(updated);
        }
        for (name, parameter) in names.iter().zip(dictionary.parameters()) {
            let name = format!("after.{name}");
            assert_close(&format!("{file} {name}"), &numbers(parameter), &reference.values(&name), 2e-4);
        }
    }
}
