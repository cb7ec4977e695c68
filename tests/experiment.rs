//! The experiment: its table, its refusals, its presets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that meets a surprise should stop right there"
)]

use grokscope::crosscoder::{self, CrosscoderConfig, crosscoder_preset, crosscoder_presets};
use grokscope::experiment::edit::Editable;
use grokscope::experiment::presets::Understanding;
use grokscope::experiment::schema::{crosscoder_schema, experiment_schema};
use grokscope::experiment::{
    Experiment, Field, FieldKind, applying, counts, edit, fields, get, kinds_of, parameters, parse_assignment, preset, presets,
    with_value,
};
use serde_json::{Value, json};

fn base(name: &str) -> Experiment {
    preset(name).unwrap().experiment.clone()
}

fn leaves(value: &Value, prefix: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                leaves(inner, &path, out);
            }
        }
        _ => out.push(prefix.to_string()),
    }
}

/// Whether every leaf is in the table, in its order, and every row that files may not leave out is a leaf.
fn follows_the_table<T: Editable>(text: &str, config: &T) {
    let mut found = Vec::new();
    leaves(&serde_json::from_str(text).unwrap(), "", &mut found);
    let rows = applying(config);
    let all: Vec<&str> = rows.iter().map(|field| field.path).collect();
    let mut places = found.iter().map(|path| all.iter().position(|row| row == path).unwrap_or_else(|| panic!("{path}")));
    assert!(places.by_ref().is_sorted(), "{found:?}");
    for row in rows.iter().filter(|row| !row.optional) {
        assert!(found.iter().any(|path| path == row.path), "{} is missing", row.path);
    }
}

#[test]
fn files_hold_the_leaves_of_the_table_in_its_order() {
    for preset in presets() {
        follows_the_table(&preset.experiment.to_json(), &preset.experiment);
    }
    for preset in crosscoder_presets() {
        follows_the_table(&preset.config.to_json(), &preset.config);
    }
}

#[test]
fn every_kind_of_everything_can_be_chosen_and_brings_settings_in_their_range() {
    for selector in ["task.operation", "task.split", "model.architecture", "optimizer.name", "loss"] {
        for kind in kinds_of(selector).unwrap() {
            let chosen = with_value(&base("quadratic-31"), selector, kind.name).unwrap();
            assert_eq!(edit::check_ranges(&chosen), [], "{selector} = {}", kind.name);
            assert_eq!(edit::from_json::<Experiment>(&chosen.to_json()).unwrap(), chosen, "{selector} = {}", kind.name);
            assert!(!kind.help.is_empty() && !kind.help.ends_with('.'), "{}", kind.name);
        }
    }
}

#[test]
fn no_two_rows_of_one_path_apply_together_and_every_start_is_in_its_range() {
    for field in fields() {
        if let Some(start) = field.start {
            field.kind.check(&field.kind.parse(start).unwrap()).unwrap_or_else(|error| panic!("{}: {error:?}", field.path));
        }
    }
    for selector in ["task.operation", "task.split", "model.architecture", "optimizer.name", "loss"] {
        for kind in kinds_of(selector).unwrap() {
            let chosen = with_value(&base("quadratic-31"), selector, kind.name).unwrap();
            let mut paths: Vec<&str> = applying(&chosen).iter().map(|field| field.path).collect();
            let count = paths.len();
            paths.sort_unstable();
            paths.dedup();
            assert_eq!(paths.len(), count, "{}", kind.name);
        }
    }
}

#[test]
fn every_preset_is_valid_named_as_called_and_survives_its_file() {
    for preset in presets() {
        assert_eq!(preset.experiment.validate(), Ok(()), "{}", preset.name);
        assert_eq!(preset.experiment.name, preset.name);
        assert_eq!(Experiment::from_json(&preset.experiment.to_json()).unwrap(), preset.experiment);
        let understood = match preset.expected.t_gen {
            Some(Understanding::Within(band)) => Some(band),
            Some(Understanding::Never) | None => None,
        };
        for band in [preset.expected.t_mem, understood, preset.expected.low_test_loss].into_iter().flatten() {
            assert!(band[0] < band[1] && band[1] <= preset.experiment.steps, "{}", preset.name);
        }
        if let Some([from, to]) = preset.expected.test_accuracy {
            assert!(0.0 <= from && from < to && to <= 1.0, "{}", preset.name);
        }
        if let Some(name) = preset.crosscoder {
            assert_eq!(crosscoder_preset(name).unwrap().config.validate(&preset.experiment, &[0]), Ok(()));
        }
    }
    for preset in crosscoder_presets() {
        assert_eq!(preset.config.name, preset.name);
        assert_eq!(CrosscoderConfig::from_json(&preset.config.to_json()).unwrap(), preset.config);
    }
}

#[test]
fn rows_are_those_of_the_published_settings() {
    // 97·96 rows of division without b = 0; round(.64 · 1,770) unordered pairs; 14,400 products of S5.
    let of = |name: &str| counts(&base(name));
    assert_eq!((of("quadratic-31").domain, of("quadratic-31").train), (961, 384));
    assert_eq!((of("historic-division-97").domain, of("historic-division-97").train), (9312, 4656));
    assert_eq!((of("transformer-113").domain, of("transformer-113").train), (12_769, 6385));
    assert_eq!((of("s5-mlp").domain, of("s5-mlp").train), (14_400, 5760));
    assert_eq!((of("liu-toy").domain, of("liu-toy").train), (55, 45));
    assert_eq!((of("parity-40").domain, of("parity-40").train), (2000, 1000));
    for preset in presets() {
        let rows = counts(&preset.experiment);
        assert_eq!(rows.train + rows.test + rows.probe, rows.domain, "{}", preset.name);
    }
}

#[test]
fn parameter_counts_are_those_of_the_published_models() {
    assert_eq!(parameters(&base("quadratic-31")), 23_808);
    assert_eq!(parameters(&base("quadratic-97")), 145_500);
    assert_eq!(parameters(&base("transformer-59-mirror")), 40_768);
}

#[test]
fn every_field_reads_back_the_text_it_writes() {
    for preset in presets() {
        let experiment = &preset.experiment;
        for field in applying(experiment) {
            let value = get(experiment, field.path).unwrap();
            let text = field.kind.text(&value);
            assert_eq!(with_value(experiment, field.path, &text).unwrap(), *experiment, "{} = {text}", field.path);
            field.kind.check(&value).unwrap();
        }
    }
}

#[test]
fn a_value_is_set_where_its_path_says() {
    let set = |path, text| with_value(&base("quadratic-31"), path, text).unwrap();
    assert_eq!(set("seed", "9007199254740991").seed, (1 << 53) - 1);
    assert_eq!(set("batch_size", "64").batch_size, Some(64));
    assert_eq!(set("batch_size", "null").batch_size, None);
    assert_eq!(set("optimizer.betas", "0.9, 0.95").optimizer.settings.numbers("betas"), [0.9, 0.95]);
    assert_eq!(set("optimizer.betas", "[0.5,0.6]").optimizer.settings.numbers("betas"), [0.5, 0.6]);
    assert_eq!(set("optimizer.epsilon", "1e-10").optimizer.settings.number("epsilon"), 1e-10);
    assert_eq!(set("name", " my run").name, " my run");
    let fit = crosscoder_preset("births").unwrap().config.clone();
    assert_eq!(crosscoder::with_value(&fit, "sources", "250,600,1000").unwrap().sources, [250, 600, 1000]);
    assert!(!crosscoder::with_value(&fit, "same_direction", "false").unwrap().same_direction);
}

#[test]
fn another_architecture_brings_its_own_defaults_and_the_same_one_changes_nothing() {
    let experiment = with_value(&base("quadratic-31"), "model.width", "99").unwrap();
    assert_eq!(with_value(&experiment, "model.architecture", "mlp").unwrap(), experiment);
    let other = with_value(&experiment, "model.architecture", "transformer").unwrap();
    assert_eq!(other.model, base("transformer-59-mirror").model);
    assert_eq!(other.task, experiment.task);
    let back = with_value(&other, "model.architecture", "mlp").unwrap();
    assert_eq!(back.model, base("quadratic-31").model);
    assert!(with_value(&other, "model.architecture", "rnn").unwrap_err().remedy.contains("transformer"));
}

#[test]
fn an_unknown_path_is_answered_with_the_nearest() {
    let error = |path| with_value(&base("quadratic-31"), path, "1").unwrap_err();
    assert!(error("optimizer.weight_deca").remedy.contains("nearest is optimizer.weight_decay"));
    assert!(error("optimizer.lr").remedy.contains("optimizer.learning_rate"));
    assert!(error("stepz").remedy.contains("nearest is steps"));
    assert!(error("model.heads").cause.contains("does not apply"));
    assert!(error("").cause.contains("not a setting"));
}

#[test]
fn a_value_out_of_range_is_refused_with_the_end_of_the_range() {
    let error = |path, text| with_value(&base("quadratic-31"), path, text).unwrap_err();
    assert!(error("steps", "0").remedy.contains("Use 1;"), "{}", error("steps", "0"));
    assert!(error("steps", "1e3").cause.contains("1e3"));
    assert!(error("task.modulus", "9999").remedy.contains("401"));
    assert!(error("seed", "9007199254740992").remedy.contains("9007199254740991"));
    assert!(error("task.train_fraction", "1").remedy.contains("below 1"));
    assert!(error("optimizer.learning_rate", "NaN").cause.contains("NaN"));
    assert!(error("optimizer.learning_rate", "inf").cause.contains("inf"));
    assert!(error("optimizer.learning_rate", "-1").remedy.contains("above 0"));
    assert!(error("optimizer.betas", "0.9").remedy.contains("2 numbers"));
    assert!(error("optimizer.betas", "0.9,1").remedy.contains("below 1"));
    assert!(error("task.split", "diagonal").remedy.contains("mirror"));
}

#[test]
fn an_assignment_is_split_at_its_first_equals_sign() {
    assert_eq!(parse_assignment("name=a=b").unwrap(), ("name", "a=b"));
    assert_eq!(parse_assignment(" seed = 3 ").unwrap(), ("seed", "3"));
    assert!(parse_assignment("seed").is_err() && parse_assignment("=3").is_err());
}

fn edited(edit: impl FnOnce(&mut Value)) -> Result<Experiment, String> {
    let mut value = serde_json::from_str(&base("transformer-59-mirror").to_json()).unwrap();
    edit(&mut value);
    Experiment::from_json(&value.to_string()).map_err(|e| e.to_string())
}

#[test]
fn a_file_that_does_not_fit_is_refused_by_name() {
    let refused = |edit: fn(&mut Value)| edited(edit).unwrap_err();
    assert!(refused(|v| v["schema"] = json!(2)).contains("newer"));
    assert!(refused(|v| drop(v.as_object_mut().unwrap().remove("schema"))).contains("schema is missing"));
    assert!(refused(|v| v["optimizer"]["lr"] = json!(1)).contains("optimizer.lr is not a setting"));
    assert!(refused(|v| v["model"]["width"] = json!(1)).contains("model.width does not apply"));
    let missing = refused(|v| drop(v["optimizer"].as_object_mut().unwrap().remove("epsilon")));
    assert!(missing.contains("optimizer.epsilon is missing") && missing.contains("1e-8"), "{missing}");
    assert!(refused(|v| v["steps"] = json!("many")).contains("steps: \"many\""));
    assert!(refused(|v| v["steps"] = json!(10.5)).contains("steps"));
    assert!(refused(|v| v["model"] = json!(3)).contains("model"));
    assert!(refused(|v| v["model"]["activation"] = json!("step")).contains("relu, gelu"));
    assert!(refused(|v| v["task"] = json!([])).contains("task"));
    assert!(Experiment::from_json("{").unwrap_err().cause.contains("not valid JSON"));
    assert!(Experiment::from_json(&"[".repeat(100_000)).is_err());
    assert!(Experiment::from_json("[]").is_err());
}

/// The one refusal of `base` with some settings changed.
fn refusal(name: &str, settings: &[(&str, &str)]) -> (String, String) {
    let experiment = settings.iter().fold(base(name), |e, (path, text)| with_value(&e, path, text).unwrap());
    let errors = experiment.validate().expect_err("should be refused");
    assert_eq!(errors.len(), 1, "{errors:?}");
    (errors[0].path.clone(), format!("{} | {}", errors[0].cause, errors[0].remedy))
}

/// Preset, settings, path of the refusal, part of its text.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str, &'static str);

#[test]
fn what_cannot_run_is_refused_with_what_can() {
    let cases: &[Case] = &[
        ("historic-division-97", &[("task.modulus", "96")], "task.modulus", "Use 97"),
        ("quadratic-31", &[("task.train_fraction", "0.0001")], "task.train_fraction", "Use at least 0.00104"),
        ("quadratic-31", &[("task.train_fraction", "0.9999")], "task.train_fraction", "Use at most 0.999"),
        ("quadratic-31", &[("batch_size", "385")], "batch_size", "Use 384"),
        ("transformer-59", &[("model.heads", "5")], "model.heads", "Use 4 heads"),
        ("quadratic-31", &[("optimizer.learning_rate", "0.2")], "optimizer.weight_decay", "below 5"),
        (
            "quadratic-31",
            &[("task.modulus", "401"), ("model.width", "4096"), ("steps", "9")],
            "task.modulus",
            "Use a modulus of at most 177",
        ),
        ("transformer-113", &[("task.modulus", "281"), ("task.train_fraction", "0.9")], "batch_size", "Use 40995"),
        (
            "quadratic-31",
            &[("logging.evaluate_every", "1"), ("steps", "9999999"), ("logging.checkpoint_every", "1000")],
            "logging.evaluate_every",
            "Use 10",
        ),
        ("quadratic-97", &[("logging.checkpoint_every", "1"), ("steps", "9999999")], "logging.checkpoint_every", "Use 5423"),
    ];
    for (name, settings, path, remedy) in cases {
        let settings: Vec<_> = [("logging.evaluate_every", "20")].iter().chain(*settings).copied().collect();
        let (found, text) = refusal(name, &settings);
        assert!(found == *path && text.contains(remedy), "{found}: {text}");
    }
}

#[test]
fn every_remedy_that_names_a_number_leads_to_an_experiment_that_runs() {
    let repaired = [
        ("historic-division-97", vec![("task.modulus", "96"), ("task.modulus", "97")]),
        ("quadratic-31", vec![("task.train_fraction", "0.00104")]),
        ("quadratic-31", vec![("task.train_fraction", "0.999")]),
        ("quadratic-31", vec![("task.modulus", "177"), ("model.width", "4096"), ("batch_size", "512")]),
        ("transformer-113", vec![("task.modulus", "281"), ("task.train_fraction", "0.9"), ("batch_size", "40995")]),
        ("quadratic-31", vec![("steps", "9999999"), ("logging.evaluate_every", "10"), ("logging.checkpoint_every", "1000")]),
        ("quadratic-97", vec![("steps", "9999999"), ("logging.evaluate_every", "20"), ("logging.checkpoint_every", "5423")]),
    ];
    for (name, settings) in repaired {
        let experiment = settings.iter().fold(base(name), |e, (path, text)| with_value(&e, path, text).unwrap());
        assert_eq!(experiment.validate(), Ok(()), "{name} {settings:?}");
    }
}

#[test]
fn a_number_that_no_field_can_hold_is_refused_not_clamped() {
    for broken in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.5] {
        let mut experiment = base("quadratic-31");
        experiment.optimizer.weight_decay = broken;
        assert_eq!(experiment.validate().unwrap_err()[0].path, "optimizer.weight_decay", "{broken}");
        let mut experiment = base("quadratic-31");
        experiment.optimizer.settings = experiment.optimizer.settings.with("betas", vec![0.9, broken]);
        assert_eq!(experiment.validate().unwrap_err()[0].path, "optimizer.betas", "{broken}");
    }
    let mut experiment = base("transformer-59");
    experiment.model.settings = experiment.model.settings.with("heads", 0);
    assert_eq!(experiment.validate().unwrap_err()[0].path, "model.heads");
    experiment.task.settings = experiment.task.settings.with("modulus", u32::MAX);
    assert_eq!(counts(&experiment), Default::default());
    assert_eq!(experiment.validate().unwrap_err().len(), 2);
}

/// Follows a schema far enough for our formats.
fn conforms(schema: &Value, value: &Value) -> bool {
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        return options.contains(value);
    }
    if schema.get("properties").is_some() {
        let Some(object) = value.as_object() else { return false };
        let mut known: Vec<&str> = Vec::new();
        let part = |schema: &'_ Value| -> bool {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let inner = schema["properties"].as_object().into_iter().flatten();
            required.into_iter().all(|key| object.contains_key(key))
                && inner.into_iter().all(|(key, schema)| object.get(key).is_none_or(|v| conforms(schema, v)))
        };
        fn names(schema: &Value) -> impl Iterator<Item = &str> {
            schema["properties"].as_object().into_iter().flat_map(|p| p.keys().map(String::as_str))
        }
        known.extend(names(schema));
        for rule in schema["allOf"].as_array().into_iter().flatten() {
            if part(&rule["if"]) {
                if !part(&rule["then"]) {
                    return false;
                }
                known.extend(names(&rule["then"]));
            }
        }
        return part(schema)
            && schema["unevaluatedProperties"] == false
            && object.keys().all(|key| known.contains(&key.as_str()));
    }
    let number = value.as_f64();
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    types.iter().any(|kind| match *kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "array" => value.as_array().is_some_and(|items| items.iter().all(|item| conforms(&schema["items"], item))),
        other => panic!("no such type {other}"),
    }) && number.is_none_or(|n| {
        bound("minimum").is_none_or(|b| n >= b)
            && bound("maximum").is_none_or(|b| n <= b)
            && bound("exclusiveMinimum").is_none_or(|b| n > b)
            && bound("exclusiveMaximum").is_none_or(|b| n < b)
    })
}

#[test]
fn the_schema_accepts_every_preset_and_refuses_what_the_table_refuses() {
    let schema = experiment_schema();
    for preset in presets() {
        let good: Value = serde_json::from_str(&preset.experiment.to_json()).unwrap();
        assert!(conforms(&schema, &good), "{}", preset.name);
        let breaks: [fn(&mut Value); 7] = [
            |v| v["steps"] = json!(0),
            |v| v["task"]["train_fraction"] = json!(1.0),
            |v| v["task"]["operation"] = json!("root"),
            |v| v["model"]["storeys"] = json!(2),
            |v| v["model"]["architecture"] = json!("rnn"),
            |v| drop(v.as_object_mut().unwrap().remove("loss")),
            |v| v["optimizer"]["betas"] = json!([0.9, 1.0]),
        ];
        for (i, break_it) in breaks.iter().enumerate() {
            let mut bad = good.clone();
            break_it(&mut bad);
            assert!(!conforms(&schema, &bad), "{} {i}", preset.name);
            assert!(Experiment::from_json(&bad.to_string()).is_err(), "{} {i}", preset.name);
        }
    }
    for preset in crosscoder_presets() {
        assert!(conforms(&crosscoder_schema(), &serde_json::from_str(&preset.config.to_json()).unwrap()), "{}", preset.name);
    }
}

#[test]
fn every_field_speaks_to_people() {
    fn check<T: Editable>() {
        let silent =
            |f: &&Field| f.label.is_empty() || f.help.is_empty() || f.help.ends_with('.') || f.help.chars().count() > 150;
        let wrong: Vec<&str> = T::table().iter().filter(silent).map(|field| field.path).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        for field in T::table() {
            assert!(!field.kind.range().is_empty(), "{}", field.path);
            if let FieldKind::Choice(options) = field.kind {
                assert!(!options.is_empty());
            }
        }
    }
    check::<Experiment>();
    check::<CrosscoderConfig>();
}

#[test]
fn an_unknown_preset_is_answered_with_the_nearest() {
    assert!(preset("quadratic31").unwrap_err().remedy.contains("nearest is quadratic-31"));
}
