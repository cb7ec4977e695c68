//! Held against the full network in 64-bit loops, against the plain layer's formula, and against published sizes.
//!
//! All on five tokens and a residual stream of four, where a central difference per weight is cheap.

use super::oracle;
use super::{FIELDS, KIND};
use crate::crosscoder::Hook;
use crate::experiment::ModelConfig;
use crate::experiment::presets::preset;
use crate::experiment::randomness::{Purpose, Stream};
use crate::experiment::settings::Settings;
use crate::model::ParameterSpec;
use crate::model::inputs::Inputs;
use crate::model::network::{Activations, Shape};
use burn::tensor::{Device, Tensor, TensorData, activation, s};
use serde_json::Value;

const P: usize = 5;
const SHAPE: Shape = Shape { tokens: P, width: 0, outputs: P };

/// Every neutral value, d = 4, two heads, six hidden neurons, and `changes`.
fn model(changes: &[(&str, Value)]) -> ModelConfig {
    let start = |settings: Settings, field: &crate::experiment::Field| {
        settings.with(field.path.trim_start_matches("model."), field.start_value().unwrap())
    };
    let tiny = [("d_model", Value::from(4)), ("heads", Value::from(2)), ("mlp_width", Value::from(6))];
    let settings = FIELDS.iter().fold(Settings::default(), start);
    let settings = tiny.iter().chain(changes).fold(settings, |s, (name, value)| s.with(name, value.clone()));
    ModelConfig { architecture: "transformer".into(), settings, init_scale: 1.0 }
}

fn text(value: &str) -> Value {
    Value::from(value)
}

/// One of each setting, and the combinations that the sources use.
fn variants() -> Vec<Vec<(&'static str, Value)>> {
    let two = || ("layers", Value::from(2));
    vec![
        vec![],
        vec![("activation", text("gelu"))],
        vec![("activation", text("quadratic"))],
        vec![("activation", text("tanh"))],
        vec![("heads", Value::from(1)), ("attention_uniformity", Value::from(0.3))],
        vec![("mlp_width", Value::from(0))],
        vec![("bias", text("none")), ("tied", Value::from(true))],
        vec![("positions", text("rope"))],
        vec![("positions", text("sinusoidal")), ("norm", text("pre"))],
        vec![("norm", text("post")), ("mlp_width", Value::from(0))],
        vec![("norm", text("rms")), ("gated", Value::from(true))],
        vec![two()],
        vec![two(), ("mlp_width", Value::from(0)), ("positions", text("none")), ("norm", text("pre"))],
        vec![two(), ("attention_uniformity", Value::from(0.7)), ("tied", Value::from(true)), ("norm", text("pre"))],
        // openai/grok.
        vec![two(), ("norm", text("post")), ("positions", text("sinusoidal")), ("bias", text("none"))],
        // mlx-grokking.
        vec![
            two(),
            ("norm", text("rms")),
            ("positions", text("rope")),
            ("bias", text("none")),
            ("gated", Value::from(true)),
            ("activation", text("silu")),
        ],
    ]
}

/// Weights that are neutral nowhere: `values[replica][parameter]`.
fn weights(specs: &[ParameterSpec], replicas: u64) -> Vec<Vec<Vec<f32>>> {
    let draw = |replica: u64, (index, spec): (usize, &ParameterSpec)| {
        let mut values = Stream::new(replica, Purpose::Init, index as u64).normals(spec.count(), 0.5);
        if spec.name.contains("gain") {
            values.iter_mut().for_each(|v| *v += 1.0);
        }
        values
    };
    (0..replicas).map(|replica| specs.iter().enumerate().map(|spec| draw(replica, spec)).collect()).collect()
}

fn leaves(specs: &[ParameterSpec], weights: &[Vec<Vec<f32>>], device: &Device) -> Vec<Tensor<3>> {
    let one = |(index, spec): (usize, &ParameterSpec)| {
        let values: Vec<f32> = weights.iter().flat_map(|set| set[index].iter().copied()).collect();
        Tensor::from_data(TensorData::new(values, [weights.len(), spec.rows, spec.columns]), device).autodiff().require_grad()
    };
    specs.iter().enumerate().map(one).collect()
}

fn all_pairs() -> Vec<(u16, u16)> {
    (0..P as u16).flat_map(|a| (0..P as u16).map(move |b| (a, b))).collect()
}

fn numbers(tensor: Tensor<3>) -> Vec<f32> {
    tensor.into_data().try_into_vec::<f32>().unwrap()
}

/// Random slopes of the outputs, so that a gradient is one of Σ slope·output.
fn slopes(replicas: usize, outputs: usize) -> Vec<f32> {
    Stream::new(7, Purpose::Planted, 0).normals(replicas * P * P * outputs, 1.0)
}

type Forward<'a> = &'a dyn Fn(&[Tensor<3>], &Inputs) -> Tensor<3>;

/// Outputs over all pairs and the gradient of each parameter, two replicas at once.
fn outputs_and_gradients(specs: &[ParameterSpec], gather: bool, forward: Forward<'_>) -> (Vec<f32>, Vec<Vec<f32>>) {
    let device = Device::flex();
    let tracked = device.clone().autodiff();
    let parameters = leaves(specs, &weights(specs, 2), &device);
    let outputs = forward(&parameters, &Inputs::of_pairs(&[all_pairs(), all_pairs()], P, gather, &tracked));
    let slopes = Tensor::from_data(TensorData::new(slopes(2, P), outputs.dims()), &tracked);
    let mut tape = (outputs.clone() * slopes).sum().backward();
    let gradients = parameters.iter().map(|leaf| numbers(leaf.grad_remove(&mut tape).unwrap())).collect();
    (numbers(outputs.inner()), gradients)
}

fn run(model: &ModelConfig, gather: bool) -> (Vec<f32>, Vec<Vec<f32>>) {
    let network = (KIND.network)(model, SHAPE, 0, &Device::flex().autodiff());
    outputs_and_gradients(&(KIND.specs)(model, SHAPE), gather, &|parameters, inputs| {
        network.forward(parameters, inputs, None, &mut Activations::none())
    })
}

/// One plain layer in tensors, as runs and fingerprints of earlier versions were made with.
fn plain(parameters: &[Tensor<3>], inputs: &Inputs, gelu: bool) -> Tensor<3> {
    let w = |index: usize| parameters[index].clone();
    let device = Device::flex().autodiff();
    let scale = 1.0 / 2f32.sqrt();
    let head_scores = Tensor::<3>::from_data([[[scale, 0.0], [scale, 0.0], [0.0, scale], [0.0, scale]]], &device);
    let head_columns = Tensor::<3>::from_data([[[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]], &device);
    let tokens = w(0).slice(s![.., 0..P, ..]);
    let at_a = tokens.clone() + w(1).slice(s![.., 0..1, ..]);
    let at_b = tokens + w(1).slice(s![.., 1..2, ..]);
    let at_answer = w(0).slice(s![.., P.., ..]) + w(1).slice(s![.., 2..3, ..]);
    let query = at_answer.clone().matmul(w(2));
    let scores = |position: &Tensor<3>| (position.clone().matmul(w(3)) * query.clone()).matmul(head_scores.clone());
    let score_a = inputs.rows_of_a(scores(&at_a));
    let score_b = inputs.rows_of_b(scores(&at_b));
    let score_answer = scores(&at_answer);
    let highest = score_a
        .clone()
        .detach()
        .max_pair(score_b.clone().detach())
        .max_pair(score_answer.clone().detach().expand(score_a.dims()));
    let weight_a = (score_a - highest.clone()).exp();
    let weight_b = (score_b - highest.clone()).exp();
    let weight_answer = (score_answer - highest).exp();
    let total = weight_a.clone() + weight_b.clone() + weight_answer.clone();
    let spread = |weight: Tensor<3>| (weight / total.clone()).matmul(head_columns.clone());
    let value = |position: Tensor<3>| position.matmul(w(4));
    let mixed = spread(weight_a) * inputs.rows_of_a(value(at_a))
        + spread(weight_b) * inputs.rows_of_b(value(at_b))
        + spread(weight_answer) * value(at_answer.clone());
    let resid_mid = mixed.matmul(w(5)) + at_answer;
    let pre = resid_mid.clone().matmul(w(6)) + w(7);
    let mlp_post = if gelu { activation::gelu(pre) } else { activation::relu(pre) };
    let resid_post = resid_mid + mlp_post.matmul(w(8)) + w(9);
    resid_post.matmul(w(10))
}

#[test]
fn one_plain_layer_has_the_outputs_and_gradients_of_its_written_out_formula_to_the_bit() {
    for (gather, name) in [(true, "relu"), (false, "relu"), (true, "gelu")] {
        let model = model(&[("activation", text(name))]);
        let ours = run(&model, gather);
        let formula = outputs_and_gradients(&(KIND.specs)(&model, SHAPE), gather, &|parameters, inputs| {
            plain(parameters, inputs, name == "gelu")
        });
        assert_eq!(ours, formula);
    }
}

#[test]
fn one_plain_layer_keeps_names_order_sizes_and_starts() {
    let specs = (KIND.specs)(&model(&[]), SHAPE);
    let list: Vec<_> = specs.iter().map(|s| (s.name.as_str(), s.rows, s.columns, s.std, s.bias)).collect();
    let expected = [
        ("embed", 6, 4, 0.5, false),
        ("pos", 3, 4, 0.5, false),
        ("w_q", 4, 4, 0.5, false),
        ("w_k", 4, 4, 0.5, false),
        ("w_v", 4, 4, 0.5, false),
        ("w_o", 4, 4, 0.5, false),
        ("w_in", 4, 6, 0.5, false),
        ("b_in", 1, 6, 0.0, true),
        ("w_out", 6, 4, 0.5, false),
        ("b_out", 1, 4, 0.0, true),
        ("unembed", 4, 5, 0.5, false),
    ];
    assert_eq!(list, expected);
    // What a setting adds comes after, so that it leaves the other starting weights as they were.
    let larger = (KIND.specs)(&model(&[("layers", 2.into()), ("norm", text("pre")), ("gated", true.into())]), SHAPE);
    assert_eq!(larger[..specs.len()], specs);
}

fn oracle_weights(specs: &[ParameterSpec], set: &[Vec<f32>]) -> oracle::Weights {
    specs.iter().zip(set).map(|(spec, v)| (spec.name.clone(), v.iter().map(|x| f64::from(*x)).collect())).collect()
}

fn assert_close(what: &str, ours: &[f32], reference: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), reference.len(), "{what}");
    for (a, b) in ours.iter().zip(reference) {
        assert!((f64::from(*a) - b).abs() <= tolerance, "{what}: {a} against {b} (± {tolerance:e})");
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |m, v| m.max(v.abs()))
}

#[test]
fn every_variant_has_the_outputs_of_the_full_causal_network_and_the_gradients_of_its_central_differences() {
    for (number, changes) in variants().iter().enumerate() {
        let model = model(changes);
        let specs = (KIND.specs)(&model, SHAPE);
        let (outputs, gradients) = run(&model, number % 2 == 0);
        let slopes = slopes(2, P);
        for (replica, set) in weights(&specs, 2).iter().enumerate() {
            let weights = oracle_weights(&specs, set);
            let all = |weights: &oracle::Weights| -> Vec<f64> {
                all_pairs().into_iter().flat_map(|pair| oracle::outputs(&model, P, weights, pair)).collect()
            };
            let share = P * P * P;
            let reference = all(&weights);
            let range = replica * share..(replica + 1) * share;
            assert_close(&format!("{changes:?}"), &outputs[range.clone()], &reference, 1e-5 * largest(&reference));
            let sum = |weights: &oracle::Weights| -> f64 {
                all(weights).iter().zip(&slopes[range.clone()]).map(|(y, slope)| y * f64::from(*slope)).sum()
            };
            for (spec, gradient) in specs.iter().zip(&gradients) {
                let count = spec.count();
                let differences: Vec<f64> = (0..count)
                    .map(|index| {
                        let at = |distance: f64| {
                            let mut moved = weights.clone();
                            moved.get_mut(&spec.name).unwrap()[index] += distance;
                            sum(&moved)
                        };
                        (at(1e-6) - at(-1e-6)) / 2e-6
                    })
                    .collect();
                let what = format!("{changes:?} {}", spec.name);
                let tolerance = 1e-4 * largest(&differences).max(1e-2);
                assert_close(&what, &gradient[replica * count..(replica + 1) * count], &differences, tolerance);
            }
        }
    }
}

#[test]
fn uniform_attention_depends_on_neither_queries_nor_keys() {
    for layers in [1, 2] {
        let model = model(&[("attention_uniformity", 1.0.into()), ("layers", layers.into())]);
        let specs = (KIND.specs)(&model, SHAPE);
        let (_, gradients) = run(&model, true);
        for (spec, gradient) in specs.iter().zip(gradients) {
            let is_idle = ["w_q", "w_k", "w_q_2", "w_k_2"].contains(&spec.name.as_str());
            assert_eq!(gradient.iter().all(|g| *g == 0.0), is_idle, "{}", spec.name);
        }
    }
}

#[test]
fn one_layer_without_positions_cannot_tell_a_from_b_and_a_second_layer_can() {
    for (layers, is_symmetric) in [(1, true), (2, false)] {
        let (outputs, _) = run(&model(&[("positions", text("none")), ("layers", layers.into())]), true);
        let row = |a: usize, b: usize| &outputs[(a * P + b) * P..(a * P + b + 1) * P];
        let difference = row(1, 3).iter().zip(row(3, 1)).fold(0f32, |m, (x, y)| m.max((x - y).abs()));
        assert_eq!(difference < 1e-5, is_symmetric, "{difference}");
    }
}

#[test]
fn sizes_are_those_of_the_published_networks() {
    let count = |model: &ModelConfig, shape: Shape| (KIND.specs)(model, shape).iter().map(ParameterSpec::count).sum::<usize>();
    let shape = |p: usize| Shape { tokens: p, width: 0, outputs: p };
    // p = 59, d = 64, m = 128: 40,768. Nanda et al.: p = 113, d = 128, m = 512: 14,592 + 384 + 65,536 + 131,712 + 14,464.
    assert_eq!(count(&model(&[("d_model", 64.into()), ("heads", 4.into()), ("mlp_width", 128.into())]), shape(59)), 40_768);
    let wide = [("d_model", Value::from(128)), ("heads", Value::from(4)), ("mlp_width", Value::from(512))];
    assert_eq!(count(&model(&wide), shape(113)), 226_688);
    // Power et al.: two layers, "about 4·10⁵ non-embedding parameters".
    let grok = [("layers", 2.into()), ("norm", text("post")), ("positions", text("sinusoidal")), ("bias", text("none"))];
    let grok = model(&[wide.as_slice(), &grok].concat());
    let specs = (KIND.specs)(&grok, shape(97));
    let blocks: usize = specs.iter().filter(|s| s.name.starts_with("w_")).map(ParameterSpec::count).sum();
    assert_eq!(blocks, 393_216);
    assert_eq!(count(&grok, shape(97)), 393_216 + 4 * 2 * 128 + 98 * 128 + 97 * 128);
}

#[test]
fn every_hook_has_its_width_and_the_unembedding_reads_resid_post() {
    let hooks = [Hook::Embed, Hook::Pattern, Hook::AttnOut, Hook::ResidMid, Hook::MlpPre, Hook::MlpPost, Hook::ResidPost];
    let device = Device::flex();
    for changes in variants() {
        let model = model(&changes);
        let specs = (KIND.specs)(&model, SHAPE);
        let network = (KIND.network)(&model, SHAPE, 0, &device.clone().autodiff());
        let parameters = leaves(&specs, &weights(&specs, 2), &device);
        let inputs = Inputs::of_pairs(&[all_pairs(), all_pairs()], P, true, &device.clone().autodiff());
        for hook in hooks {
            let mut activations = Activations::only(&[hook]);
            let outputs = network.forward(&parameters, &inputs, None, &mut activations);
            let found = activations.get(hook).cloned();
            let width = (KIND.hook_width)(&model, SHAPE, hook);
            assert_eq!(found.as_ref().map(Tensor::dims), width.map(|width| [2, P * P, width]), "{changes:?} {hook:?}");
            if hook == Hook::Pattern {
                // Positions first, heads within: over the three positions each head's weights are a distribution.
                let heads = width.unwrap() / 3;
                let weights = numbers(found.clone().unwrap().inner());
                for row in weights.chunks(3 * heads) {
                    for head in 0..heads {
                        let total = row[head] + row[heads + head] + row[2 * heads + head];
                        assert!((total - 1.0).abs() < 1e-5, "{changes:?}: {total}");
                    }
                }
            }
            if hook == Hook::ResidPost && changes.is_empty() {
                let logits = found.unwrap().matmul(parameters[10].clone());
                assert_eq!(numbers(logits.inner()), numbers(outputs.inner()));
            }
        }
        assert_eq!((KIND.hook_width)(&model, SHAPE, Hook::Logits), Some(P));
    }
}

#[test]
fn dropout_multiplies_the_hidden_layer_and_without_one_the_residual_stream() {
    let device = Device::flex();
    let tracked = device.clone().autodiff();
    for (mlp_width, hidden, reader) in [(6, 6, "w_out_2"), (0, 4, "unembed")] {
        let model = model(&[("mlp_width", mlp_width.into()), ("layers", 2.into()), ("activation", text("gelu"))]);
        let specs = (KIND.specs)(&model, SHAPE);
        let network = (KIND.network)(&model, SHAPE, 0, &tracked);
        let inputs = Inputs::of_pairs(&[all_pairs()], P, true, &tracked);
        let outputs = |set: &[Vec<Vec<f32>>], share: f32| {
            let mask = Tensor::<3>::from_data(TensorData::new(vec![share; P * P * hidden], [1, P * P, hidden]), &tracked);
            let parameters = leaves(&specs, set, &device);
            numbers(network.forward(&parameters, &inputs, Some(&mask), &mut Activations::none()).inner())
        };
        // A layer that is dropped wholly, or doubled, is one whose reader has weights of 0, or twice as large.
        let set = weights(&specs, 1);
        let index = specs.iter().position(|s| s.name == reader).unwrap();
        for share in [0.0, 2.0] {
            let mut scaled = set.clone();
            scaled[0][index].iter_mut().for_each(|w| *w *= share);
            assert_eq!(outputs(&set, share), outputs(&scaled, 1.0));
        }
        assert_ne!(outputs(&set, 0.0), outputs(&set, 1.0));
    }
}

fn refusals(changes: &[(&str, Value)], shape: Shape) -> Vec<(String, String)> {
    let mut experiment = preset("transformer-59").unwrap().experiment.clone();
    experiment.model = model(changes);
    (KIND.check)(&experiment, shape).into_iter().map(|e| (e.path, e.remedy)).collect()
}

#[test]
fn what_cannot_run_is_refused_with_the_nearest_that_can() {
    let refused = |changes: &[(&str, Value)], shape: Shape, path: &str, remedy: &str| {
        assert_eq!(refusals(changes, shape), [(path.to_owned(), remedy.to_owned())]);
    };
    assert_eq!(refusals(&[], SHAPE), []);
    refused(&[], Shape { tokens: 0, width: 9, outputs: 2 }, "model.architecture", "Use a perceptron");
    refused(&[("d_model", 64.into()), ("heads", 5.into())], SHAPE, "model.heads", "Use 4 heads");
    let rope = ("positions", text("rope"));
    refused(&[rope.clone(), ("heads", 4.into())], SHAPE, "model.d_model", "Use 8");
    refused(&[rope.clone(), ("d_model", 12.into()), ("heads", 4.into())], SHAPE, "model.d_model", "Use 8");
    assert_eq!(refusals(&[rope, ("heads", 2.into())], SHAPE), []);
    refused(&[("gated", true.into()), ("mlp_width", 0.into())], SHAPE, "model.gated", "Use false");
    refused(&[("tied", true.into())], Shape { outputs: 7, ..SHAPE }, "model.tied", "Use false");
    refused(&[("tied", true.into()), ("parametrisation", text("mup"))], SHAPE, "model.tied", "Use false");
}

#[test]
fn the_plain_layer_needs_the_memory_it_always_did() {
    let floats = (KIND.floats_per_row)(&model(&[]), SHAPE);
    assert_eq!(floats, 13 * 4 + 6 * 2 + 2 * 6 + 2 * 5);
    for changes in variants().iter().filter(|c| c.iter().any(|(name, _)| *name == "layers")) {
        assert!((KIND.floats_per_row)(&model(changes), SHAPE) > floats, "{changes:?}");
    }
}
