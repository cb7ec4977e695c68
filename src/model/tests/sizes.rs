use super::super::network::Shape;
use super::super::{ParameterSpec, Role, architectures, check, draw, parameter_count, specs};
use super::{experiment, kind, model, paths};
use crate::experiment::randomness::{Purpose, Stream};
use crate::experiment::settings::Settings;
use crate::experiment::{Experiment, TaskConfig, preset, with_value};

fn count(name: &str, shape: Shape, settings: &[(&str, &str)]) -> usize {
    (kind(name).specs)(&model(name, settings), shape).iter().map(ParameterSpec::count).sum()
}

fn residues(p: usize) -> Shape {
    Shape { tokens: p, width: 0, outputs: p }
}

#[test]
fn networks_have_the_published_numbers_of_parameters() {
    // Gromov / Doshi: 97·2·500 + 500·97.
    assert_eq!(count("mlp", residues(97), &[("width", "500")]), 145_500);
    // Prieto: 226-200-200-113 without biases.
    let prieto = [("width", "200"), ("depth", "2"), ("activation", "relu")];
    assert_eq!(count("mlp", residues(113), &prieto), 226 * 200 + 200 * 200 + 200 * 113);
    // rep-theory on S5: W_x, W_y of 120 × 256, W of 512 × 128, W_U of 128 × 120.
    let chughtai = [("embed_width", "256"), ("width", "128"), ("embedding", "separate")];
    assert_eq!(count("embedding_mlp", residues(120), &chughtai), 2 * 120 * 256 + 512 * 128 + 128 * 120);
    // PAIR: embedding of 67 × 500 for inputs and outputs, 500 → 24 → 500.
    let pair = [("embed_width", "500"), ("width", "24"), ("embedding", "tied"), ("combine", "sum")];
    assert_eq!(count("embedding_mlp", residues(67), &pair), 67 * 500 + 500 * 24 + 24 * 500);
    // devinterp: Embedding(53, 12), two Linear(12, 48) whose biases only act as their sum, Linear(48, 53) without bias.
    let devinterp = [("embed_width", "12"), ("width", "48"), ("activation", "gelu"), ("bias", "true")];
    assert_eq!(count("embedding_mlp", residues(53), &devinterp), 53 * 12 + 2 * 12 * 48 + 48 + 48 * 53);
    // Liu: ten numbers, then 1-200-200-30 with biases.
    assert_eq!(count("encoder_decoder", Shape { tokens: 10, width: 0, outputs: 30 }, &[]), 46_640);
    let vectors = Shape { tokens: 0, width: 100, outputs: 1 };
    assert_eq!(count("diagonal", vectors, &[]), 200);
    assert_eq!(count("committee", vectors, &[("width", "50")]), 5000);
    assert_eq!(count("linear", vectors, &[("bias", "true")]), 101);
}

#[test]
fn the_landing_network_starts_from_the_same_numbers_as_ever() {
    let experiment = preset("quadratic-31").unwrap().experiment.clone();
    assert_eq!(parameter_count(&experiment), 23_808);
    let std = 0.5 / libm::cbrt(512.0);
    let weights = draw(&specs(&experiment), experiment.seed);
    let names: Vec<&str> = weights.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(names, ["w_in", "w_out"]);
    for (index, (tensor, count)) in weights.tensors.iter().zip([62 * 256, 256 * 31]).enumerate() {
        let expected = Stream::new(experiment.seed, Purpose::Init, index as u64).normals(count, std);
        assert_eq!(tensor.values, expected);
    }
}

#[test]
fn what_a_deeper_network_has_more_leaves_the_first_matrices_alone() {
    let plain = experiment(model("mlp", &[("width", "8"), ("activation", "relu")]));
    let deep = experiment(model("mlp", &[("width", "8"), ("activation", "relu"), ("depth", "3"), ("bias", "true")]));
    let names: Vec<String> = specs(&deep).into_iter().map(|spec| spec.name).collect();
    assert_eq!(names, ["w_in", "w_out", "w_1", "w_2", "b_in", "b_1", "b_2", "b_out"]);
    assert_eq!(draw(&specs(&plain), 3).tensors, draw(&specs(&deep), 3).tensors[..2]);
}

#[test]
fn the_initial_scale_multiplies_every_start_of_every_network() {
    for architecture in architectures() {
        let name = architecture.kind.name;
        let shape =
            if matches!(name, "diagonal" | "committee") { Shape { tokens: 0, width: 6, outputs: 1 } } else { residues(7) };
        let usual = (architecture.specs)(&model(name, &[]), shape);
        let mut larger = model(name, &[]);
        larger.init_scale = 4.0;
        for (a, b) in usual.iter().zip((architecture.specs)(&larger, shape)) {
            assert!((4.0 * a.std - b.std).abs() < 1e-12, "{name} {}", a.name);
        }
        assert!(usual.iter().any(|spec| spec.std > 0.0));
    }
}

#[test]
fn starts_have_the_moments_of_their_distribution() {
    let mut stream = Stream::new(0, Purpose::Init, 0);
    let uniform = ParameterSpec::matrix("embed", 100, 100, 0.0).uniform(0.5).draw(&mut stream);
    let mean_square = uniform.iter().map(|v| f64::from(v * v)).sum::<f64>() / 1e4;
    assert!(uniform.iter().all(|v| v.abs() <= 0.5) && uniform.iter().any(|v| *v > 0.49) && uniform.iter().any(|v| *v < -0.49));
    assert!((mean_square - 1.0 / 12.0).abs() < 2e-3, "{mean_square}");
    assert_eq!(ParameterSpec::matrix("u", 2, 1, 0.0).constant(0.5).draw(&mut stream), [0.5, 0.5]);
}

#[test]
fn embeddings_and_unembeddings_are_known_by_name_and_the_rest_is_hidden() {
    let role = |name: &str| ParameterSpec::matrix(name, 2, 2, 1.0).role;
    assert_eq!([role("embed"), role("embed_b"), role("pos")], [Role::Input; 3]);
    assert_eq!((role("unembed"), role("w_q"), ParameterSpec::bias("b", 2).role), (Role::Output, Role::Hidden, Role::Vector));
}

fn with_task(name: &str, loss: &str, architecture: &str) -> Experiment {
    let base = preset("quadratic-31").unwrap().experiment.clone();
    let task = crate::task::tasks().iter().find(|t| t.kind.name == name).unwrap();
    let settings = task.kind.fields.iter().fold(Settings::default(), |settings, field| {
        let short = field.path.trim_start_matches("task.");
        field.start_value().map_or(settings.clone(), |value| settings.clone().with(short, value))
    });
    let task = TaskConfig { operation: name.into(), settings, ..base.task };
    Experiment { task, loss: loss.into(), model: model(architecture, &[]), ..base }
}

#[test]
fn networks_of_one_output_ask_for_a_loss_that_has_one() {
    assert_eq!(check(&with_task("linear_teacher", "squared_error", "diagonal")), []);
    assert_eq!(check(&with_task("quadratic_teacher", "squared_error", "committee")), []);
    assert_eq!(check(&with_task("constant_label", "logistic", "diagonal")), []);
    let errors = check(&with_task("constant_label", "cross_entropy", "diagonal"));
    assert_eq!(paths(&errors), ["loss"]);
    assert!(errors[0].remedy.contains("logistic") && !errors[0].remedy.contains("squared_error"), "{errors:?}");
    let errors = check(&with_task("digits", "cross_entropy", "committee"));
    assert_eq!((paths(&errors), errors[0].remedy.as_str()), (vec!["model.architecture"], "Use mlp"));
}

#[test]
fn what_reads_vectors_refuses_pairs_and_the_other_way_round() {
    for name in ["diagonal", "committee"] {
        assert_eq!(paths(&check(&experiment(model(name, &[])))), ["model.architecture"]);
    }
    for name in ["embedding_mlp", "encoder_decoder"] {
        assert_eq!(paths(&check(&with_task("linear_teacher", "squared_error", name))), ["model.architecture"]);
    }
    for name in ["mlp", "linear"] {
        assert_eq!(check(&with_task("linear_teacher", "squared_error", name)), []);
    }
    let coded = with_value(&with_task("linear_teacher", "squared_error", "linear"), "model.encoding", "fourier").unwrap();
    assert_eq!(paths(&check(&coded)), ["model.encoding"]);
}

#[test]
fn a_tied_embedding_needs_one_output_per_token() {
    let tied = experiment(model("embedding_mlp", &[("embedding", "tied")]));
    assert_eq!(check(&tied), []);
    let errors = (kind("embedding_mlp").check)(&tied, Shape { outputs: 3, ..residues(31) });
    assert_eq!((paths(&errors), errors[0].remedy.as_str()), (vec!["model.embedding"], "Use shared"));
}
