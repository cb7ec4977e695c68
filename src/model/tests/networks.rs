use super::super::network::{Activations, Shape};
use super::super::{Inputs, Model, read, start, upload};
use super::oracle::{Instance, numbers};
use super::{experiment, kind, model};
use crate::crosscoder::Hook;
use crate::experiment::with_value;
use burn::tensor::{Device, s};

const PAIRS: Shape = Shape { tokens: 5, width: 0, outputs: 5 };
const VECTORS: Shape = Shape { tokens: 0, width: 6, outputs: 1 };

/// A network, what it is fed, and settings as typed text.
type Variant = (&'static str, Shape, Vec<(&'static str, &'static str)>);

/// Each network with the settings that change its formula.
fn variants() -> Vec<Variant> {
    let mut all = Vec::new();
    for activation in ["quadratic", "relu", "gelu", "tanh"] {
        all.push(("mlp", PAIRS, vec![("width", "7"), ("activation", activation)]));
    }
    let deep = |depth| vec![("width", "4"), ("activation", "tanh"), ("depth", depth), ("bias", "true")];
    all.extend([("mlp", PAIRS, deep("2")), ("mlp", PAIRS, deep("3")), ("mlp", VECTORS, deep("2"))]);
    let coded = |code| vec![("width", "4"), ("activation", "gelu"), ("bias", "true"), ("encoding", code), ("code_bits", "4")];
    all.extend([("mlp", PAIRS, coded("fourier")), ("mlp", PAIRS, coded("random_code")), ("mlp", PAIRS, coded("binary"))]);
    let even = Shape { tokens: 6, outputs: 3, ..PAIRS };
    all.push(("mlp", even, coded("fourier")));
    for (embedding, combine, depth, bias) in [
        ("separate", "concat", "1", "false"),
        ("shared", "concat", "1", "true"),
        ("tied", "sum", "1", "false"),
        ("tied", "concat", "2", "true"),
        ("separate", "sum", "3", "true"),
        ("shared", "sum", "2", "false"),
    ] {
        let settings = vec![
            ("embed_width", "3"),
            ("width", "4"),
            ("activation", "gelu"),
            ("embedding", embedding),
            ("combine", combine),
            ("depth", depth),
            ("bias", bias),
        ];
        all.push(("embedding_mlp", PAIRS, settings));
    }
    all.push(("encoder_decoder", Shape { outputs: 4, ..PAIRS }, vec![("width", "5")]));
    all.push(("encoder_decoder", PAIRS, vec![("width", "4"), ("representation", "2"), ("activation", "relu")]));
    for bias in ["false", "true"] {
        all.push(("linear", VECTORS, vec![("bias", bias)]));
        all.push(("linear", PAIRS, vec![("bias", bias), ("encoding", "fourier")]));
    }
    all.push(("diagonal", VECTORS, vec![]));
    all.push(("committee", VECTORS, vec![("width", "5"), ("epsilon", "0.7")]));
    all
}

#[test]
fn outputs_and_gradients_are_those_of_plain_loops_in_64_bits() {
    for (name, shape, settings) in variants() {
        Instance::new(model(name, &settings), shape).agrees(None);
    }
}

#[test]
fn the_plain_perceptron_is_its_formula_to_the_bit() {
    let instance = Instance::new(model("mlp", &[("width", "7")]), PAIRS);
    for gather in [true, false] {
        let (parameters, inputs) = (instance.parameters(), instance.inputs(gather));
        let w_in = &parameters[0];
        let sum = inputs.rows_of_a(w_in.clone().slice(s![.., 0..5, ..])) + inputs.rows_of_b(w_in.clone().slice(s![.., 5.., ..]));
        let expected = (sum.clone() * sum).matmul(parameters[1].clone());
        let ours = instance.network.forward(&parameters, &inputs, None, &mut Activations::none());
        assert_eq!(numbers(ours.inner()), numbers(expected.inner()));
    }
}

#[test]
fn dropout_acts_on_the_last_hidden_layer() {
    for (name, shape, settings) in variants() {
        let instance = Instance::new(model(name, &settings), shape);
        if let Some(width) = (kind(name).hook_width)(&instance.model, shape, Hook::MlpPost) {
            instance.agrees(Some(width));
        }
    }
}

#[test]
fn every_hook_that_is_announced_has_its_width_and_no_other_is_there() {
    for (name, shape, settings) in variants() {
        let instance = Instance::new(model(name, &settings), shape);
        for hook in Hook::ALL.into_iter().filter(|hook| *hook != Hook::Logits) {
            let mut activations = Activations::only(&[hook]);
            instance.network.forward(&instance.parameters(), &instance.inputs(true), None, &mut activations);
            let width = activations.get(hook).map(|value| value.dims()[2]);
            assert_eq!(width, (kind(name).hook_width)(&instance.model, shape, hook), "{name} {}", hook.name());
        }
        assert_eq!((kind(name).hook_width)(&instance.model, shape, Hook::Logits), Some(shape.outputs), "{name}");
    }
}

#[test]
fn what_the_first_layer_reads_times_its_matrix_is_the_hidden_sum() {
    for (name, settings) in [
        ("mlp", vec![("width", "4")]),
        ("mlp", vec![("width", "4"), ("encoding", "binary")]),
        ("embedding_mlp", vec![("width", "4"), ("embed_width", "3")]),
        ("embedding_mlp", vec![("width", "4"), ("embed_width", "3"), ("combine", "sum")]),
    ] {
        let instance = Instance::new(model(name, &settings), PAIRS);
        let mut activations = [Hook::Embed, Hook::MlpPre].map(|hook| {
            let mut kept = Activations::only(&[hook]);
            instance.network.forward(&instance.parameters(), &instance.inputs(true), None, &mut kept);
            kept.get(hook).cloned().unwrap()
        });
        let w_in = instance.specs.iter().position(|spec| spec.name == "w_in").unwrap();
        activations[0] = activations[0].clone().matmul(instance.parameters().swap_remove(w_in));
        let [read, sum] = activations.map(|value| numbers(value.inner()));
        assert!(read.iter().zip(&sum).all(|(a, b)| (a - b).abs() < 1e-5), "{name}");
    }
}

#[test]
fn a_missing_hook_is_answered_with_those_that_exist() {
    let experiment = experiment(model("mlp", &[("width", "8")]));
    let device = Device::flex();
    let network = Model::new(&experiment, &device).unwrap();
    let parameters = upload(&[start(&experiment).unwrap()], network.specs(), "", &device).unwrap();
    let inputs = Inputs::of_pairs(&[vec![(1, 2)]], 31, true, &device);
    let error = network.activations(&parameters, None, &inputs, &[Hook::ResidPost]).unwrap_err();
    assert!(error.cause.contains("resid_post") && error.remedy.contains("mlp_post or logits"), "{error}");
    assert_eq!(network.activations(&parameters, None, &inputs, &[Hook::Logits]).unwrap()[0].dims(), [1, 1, 31]);
}

#[test]
fn a_centred_network_starts_at_zero_and_is_multiplied_after_the_difference() {
    let plain = experiment(model("mlp", &[("width", "8")]));
    let lazy = with_value(&plain, "model.output_multiplier", "4").unwrap();
    let device = Device::flex();
    let inputs = Inputs::of_pairs(&[vec![(1, 2), (30, 4)]], 31, true, &device);
    let weights = |seed: u64| {
        let experiment = crate::experiment::Experiment { seed, ..plain.clone() };
        upload(&[start(&experiment).unwrap()], Model::new(&plain, &device).unwrap().specs(), "", &device).unwrap()
    };
    let (first, later) = (weights(0), weights(1));
    let lazy = Model::new(&lazy, &device).unwrap();
    let plain = Model::new(&plain, &device).unwrap();
    assert!(numbers(lazy.outputs(&first, Some(&first), &inputs, None)).iter().all(|y| y.abs() < 1e-7));
    let difference = plain.logits(&later, &inputs, None) - plain.logits(&first, &inputs, None);
    let expected = numbers(difference.mul_scalar(4.0));
    let ours = numbers(lazy.outputs(&later, Some(&first), &inputs, None));
    assert!(ours.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5));
    let hooked = numbers(lazy.activations(&later, Some(&first), &inputs, &[Hook::Logits]).unwrap().swap_remove(0));
    assert_eq!(hooked, ours, "the hook sees what training sees");
}

#[test]
fn weights_come_back_from_the_device_as_they_went() {
    for name in ["mlp", "embedding_mlp", "encoder_decoder", "linear"] {
        let experiment = experiment(model(name, &[]));
        let device = Device::flex();
        let specs = super::super::specs(&experiment);
        let sets = [start(&experiment).unwrap(), start(&crate::experiment::Experiment { seed: 9, ..experiment }).unwrap()];
        let tensors = upload(&sets, &specs, "", &device).unwrap();
        assert_eq!(pollster::block_on(read(&tensors, &specs)).unwrap(), sets);
    }
}
