use super::super::{ParameterSpec, Role, check, learning_rate_factors, specs, start};
use super::{experiment, model, paths};
use crate::experiment::{Experiment, with_value};

fn network(name: &str, changes: &[(&str, &str)]) -> Experiment {
    experiment(model(name, changes))
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * b.abs().max(1e-300)
}

#[test]
fn layer_scales_multiply_the_starts_that_they_name() {
    let plain = network("embedding_mlp", &[]);
    let scaled = network("embedding_mlp", &[("layer_scales", "embed=2, unembed=0.5")]);
    assert_eq!(check(&scaled), []);
    for (a, b) in specs(&plain).iter().zip(specs(&scaled)) {
        let factor = match a.name.as_str() {
            "embed" => 2.0,
            "unembed" => 0.5,
            _ => 1.0,
        };
        assert!(close(b.std, factor * a.std), "{}", a.name);
    }
    let (a, b) = (start(&plain).unwrap(), start(&scaled).unwrap());
    let pairs = || a.get("embed").unwrap().values.iter().zip(&b.get("embed").unwrap().values);
    assert!(pairs().all(|(a, b)| (2.0 * a - b).abs() < 1e-6));
}

#[test]
fn a_scale_of_zero_starts_a_regression_at_zero() {
    let zero = network("linear", &[("layer_scales", "w_in=0")]);
    assert_eq!(check(&zero), []);
    assert!(start(&zero).unwrap().tensors[0].values.iter().all(|v| v.abs() <= 0.0));
}

#[test]
fn scales_that_cannot_be_read_or_change_nothing_are_refused_with_the_tensors_that_there_are() {
    for (text, cause) in [
        ("embedding=2", "no tensor embedding"),
        ("w_in", "name=factor"),
        ("w_in=large", "not a number"),
        ("w_in=-1", "out of range"),
        ("w_in=nan", "out of range"),
        ("b_in=2", "starts at 0"),
        ("w_in=2,w_in=3", "twice"),
    ] {
        let errors = check(&network("mlp", &[("bias", "true"), ("layer_scales", text)]));
        assert_eq!(paths(&errors), ["model.layer_scales"], "{text}");
        assert!(errors[0].cause.contains(cause), "{text}: {errors:?}");
    }
    let errors = check(&network("mlp", &[("layer_scales", "embedding=2")]));
    assert_eq!(errors[0].remedy, "Use w_in, w_out");
}

fn mup(name: &str, base: &str, changes: &[(&str, &str)]) -> Experiment {
    network(name, &[changes, &[("parametrisation", "mup"), ("base_width", base)]].concat())
}

#[test]
fn at_the_base_width_mup_changes_nothing() {
    for (name, changes) in [
        ("mlp", vec![("width", "96"), ("depth", "3"), ("activation", "relu"), ("bias", "true")]),
        ("transformer", vec![("d_model", "96")]),
        ("embedding_mlp", vec![("width", "96"), ("embed_width", "40")]),
        ("encoder_decoder", vec![("width", "96")]),
    ] {
        let plain = network(name, &changes);
        let same = mup(name, "96", &changes);
        assert_eq!(check(&same), []);
        assert_eq!(specs(&plain), specs(&same), "{name}");
    }
}

#[test]
fn mup_follows_its_table_at_four_times_the_base_width() {
    // Deviations of table 3 for networks that start at 1/√fan_in: input 1/√(2p), hidden 1/√N, output √N₀/N.
    let wide = specs(&mup("mlp", "64", &[("width", "256"), ("depth", "2"), ("activation", "relu"), ("bias", "true")]));
    let of = |name: &str| wide.iter().find(|spec| spec.name == name).unwrap();
    for (name, std, rate) in [
        ("w_in", 1.0 / 62f64.sqrt(), 1.0),
        ("w_1", 1.0 / 16.0, 0.25),
        ("w_out", 8.0 / 256.0, 0.25),
        ("b_in", 0.0, 1.0),
        ("b_out", 0.0, 1.0),
    ] {
        assert!(close(of(name).std, std) && close(of(name).rate, rate), "{name}: {:?}", of(name));
    }
    // A transformer starts everything at 1/√d: the embedding keeps the base network's 1/√64.
    let wide = specs(&mup("transformer", "64", &[("d_model", "256"), ("mlp_width", "512")]));
    for spec in &wide {
        let (std, rate) = match spec.role {
            Role::Input => (1.0 / 8.0, 1.0),
            Role::Vector => (0.0, 1.0),
            Role::Hidden => (1.0 / 16.0, 0.25),
            Role::Output => (1.0 / 32.0, 0.25),
        };
        assert!(close(spec.std, std) && close(spec.rate, rate), "{spec:?}");
    }
    let names = |role: Role| wide.iter().filter(|s| s.role == role).map(|s| s.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names(Role::Input), ["embed", "pos"]);
    assert_eq!(names(Role::Output), ["unembed"]);
}

#[test]
fn mup_is_refused_where_its_rule_does_not_hold() {
    for name in ["linear", "diagonal", "committee"] {
        let errors = super::super::parametrisation::check(&mup(name, "64", &[]));
        assert_eq!(paths(&errors), ["model.parametrisation"], "{name}");
    }
    assert_eq!(paths(&check(&mup("embedding_mlp", "64", &[("embedding", "tied")]))), ["model.parametrisation"]);
    let descent = Experiment {
        optimizer: with_value(&network("mlp", &[]), "optimizer.name", "sgd").unwrap().optimizer,
        ..mup("mlp", "64", &[])
    };
    assert_eq!(paths(&check(&descent)), ["model.parametrisation"]);
}

#[test]
fn the_decoder_learns_at_its_own_rate() {
    let liu = network("encoder_decoder", &[("decoder_rate", "0.1")]);
    assert!(learning_rate_factors(&liu).iter().zip([1.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]).all(|(a, b)| close(*a, b)));
    let all: Vec<ParameterSpec> = specs(&network("mlp", &[]));
    assert!(all.iter().all(|spec| close(spec.rate, 1.0)));
}

#[test]
fn the_embedding_of_the_toy_is_uniform_in_a_unit_interval_and_its_decoder_in_the_usual_one() {
    let weights = start(&network("encoder_decoder", &[("width", "100"), ("representation", "8")])).unwrap();
    for (name, bound) in [("embed", 0.5), ("w_in", 1.0 / 8f32.sqrt()), ("w_1", 0.1), ("b_1", 0.1), ("w_out", 0.1), ("b_out", 0.1)]
    {
        let largest = weights.get(name).unwrap().values.iter().fold(0f32, |m, v| m.max(v.abs()));
        assert!(largest <= bound && largest > 0.9 * bound, "{name}: {largest} of {bound}");
    }
}
