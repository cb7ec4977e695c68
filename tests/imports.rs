//! Dictionaries and activations that come back as files: the engine must say of them what it said of the fit.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that meets a surprise should stop right there"
)]

mod support;

use grokscope::crosscoder::{
    CrosscoderConfig, CrosscoderResult, Hook, KnownRows, LatentClass, Origin, Variant, crosscoder_preset,
};
use grokscope::engine::capability::EngineWish;
use grokscope::engine::converse;
use grokscope::engine::message::{Command, Event, Ground, NamedFile};
use grokscope::experiment::Experiment;
use grokscope::experiment::randomness::{Purpose, Stream};
use grokscope::record::{Checkpoint, NamedTensor, UserError, Weights};

fn ask(command: Command) -> Result<CrosscoderResult, UserError> {
    let mut answer = None;
    converse(vec![command], Vec::new(), |event| match event {
        Event::FitDone(outcome) => answer = Some(Ok((*outcome).into())),
        Event::Error(error) => answer = Some(Err(error)),
        _ => {}
    });
    answer.expect("an answer")
}

fn small() -> (Experiment, Vec<Checkpoint>) {
    let changes = [("task.modulus", "13"), ("steps", "60"), ("logging.checkpoint_every", "30"), ("model.mlp_width", "32")];
    let experiment = support::changed("transformer-59-mirror", &changes);
    let checkpoints = support::run(&experiment).checkpoints;
    (experiment, checkpoints)
}

fn config(variant: Variant, sources: &[u32]) -> CrosscoderConfig {
    CrosscoderConfig {
        variant,
        sources: sources.to_vec(),
        latents: 24,
        k: 5,
        steps: 120,
        batch_size: 64,
        probe: false,
        ..crosscoder_preset("births").unwrap().config.clone()
    }
}

fn close(a: &[f32], b: &[f32], tolerance: f32) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance * (1.0 + b.abs()))
}

fn dictionary_of(fit: &CrosscoderResult) -> NamedFile {
    NamedFile { name: "kept.safetensors".into(), bytes: fit.weights.clone() }
}

/// What does not hang on the rows that were held out.
fn assert_same_lives(again: &CrosscoderResult, fit: &CrosscoderResult) {
    assert_eq!(again.latents.len(), fit.latents.len());
    assert_eq!(again.activations.len(), fit.activations.len());
    // A code within rounding of a threshold may fall on the other side.
    let differ = |(a, b): &(&f32, &f32)| (**a - **b).abs() > 1e-3 * (1.0 + b.abs());
    let turned: Vec<_> = again.activations.iter().zip(&fit.activations).filter(differ).collect();
    assert!(turned.len() <= fit.sources.len(), "{:?}: {} codes differ: {turned:?}", fit.config.variant, turned.len());
    for (again, latent) in again.latents.iter().zip(&fit.latents) {
        assert!(close(&again.norms, &latent.norms, 1e-2), "latent {}: {:?} {:?}", latent.index, again.norms, latent.norms);
        assert_eq!((again.class, again.birth, again.death), (latent.class, latent.birth, latent.death), "{}", latent.index);
    }
    assert_eq!((again.alive, again.emergent, again.vanished), (fit.alive, fit.emergent, fit.vanished));
}

#[test]
fn the_dictionary_of_a_fit_opened_again_has_the_lives_of_the_fit() {
    let (experiment, checkpoints) = small();
    for variant in [Variant::L1OfNorms, Variant::BatchTopK, Variant::JumpRelu, Variant::BatchTopKPerSource] {
        let config = config(variant, &[0, 30, 60]);
        let fit = support::fit(config.clone(), &experiment, &checkpoints);
        let again = ask(Command::OpenDictionary {
            config: CrosscoderConfig { name: "kept".into(), probe: variant == Variant::L1OfNorms, ..config },
            file: dictionary_of(&fit),
            beside: None,
            ground: Ground::Run(Box::new(experiment.clone()), checkpoints.clone()),
            engine: EngineWish::Cpu,
        })
        .unwrap();
        assert_same_lives(&again, &fit);
        assert_eq!(again.l0_per_source.is_empty(), !variant.is_per_source(), "{variant:?}");
        assert_eq!(again.causal.is_some(), variant == Variant::L1OfNorms, "latents are taken out where that is asked");
        assert!(matches!(&again.origin, Some(Origin::Dictionary { file, on: None, .. }) if file == "kept.safetensors"));
        assert!(again.decoder_vector(0, 2).is_some());
        assert!(fit.alive > 0 && fit.count(LatentClass::Dead) < 24, "nothing fires, so nothing was compared");
    }
}

#[test]
fn a_dictionary_on_what_it_does_not_fit_is_refused_before_it_is_put_there() {
    let (experiment, checkpoints) = small();
    let fit = support::fit(config(Variant::L1OfNorms, &[0, 30, 60]), &experiment, &checkpoints);
    let open = |config: CrosscoderConfig, bytes: &[u8]| {
        let file = NamedFile { name: "kept.safetensors".into(), bytes: bytes.to_vec() };
        let ground = Ground::Run(Box::new(experiment.clone()), checkpoints.clone());
        ask(Command::OpenDictionary { config, file, beside: None, ground, engine: EngineWish::Cpu }).unwrap_err()
    };
    assert!(open(config(Variant::L1OfNorms, &[0, 60]), &fit.weights).cause.contains("3 sources, 2"));
    let hidden = CrosscoderConfig { hook: Hook::MlpPost, ..config(Variant::L1OfNorms, &[0, 30, 60]) };
    assert!(open(hidden, &fit.weights).remedy.contains("resid_post"));
    let cut = open(config(Variant::L1OfNorms, &[0, 30, 60]), &fit.weights[..fit.weights.len() / 2]);
    assert!(!cut.cause.is_empty() && !cut.remedy.is_empty());
}

const ROWS: usize = 200;

/// Two sources, the later one `wide`: it has a direction that the early one has not.
fn file(parts: &[(&str, Vec<f32>)], wide: usize) -> NamedFile {
    let mut draw = Stream::new(11, Purpose::Planted, 0);
    let shared: Vec<f32> = draw.normals(ROWS, 1.0);
    let late: Vec<f32> = draw.normals(ROWS, 1.0).into_iter().map(|x| x.max(0.0)).collect();
    let mut source = |width: usize, late_size: f32| -> Vec<f32> {
        let noise = draw.normals(ROWS * width, 0.05);
        let value = |at: usize| match at % width {
            0 => shared[at / width].max(0.0),
            1 => (-shared[at / width]).max(0.0),
            2 => late_size * late[at / width],
            _ => 0.0,
        };
        (0..ROWS * width).map(|at| value(at) + noise[at]).collect()
    };
    let tensor = |name: &str, shape: Vec<usize>, values: Vec<f32>| NamedTensor { name: name.into(), shape, values };
    let mut tensors =
        vec![tensor("source.100", vec![ROWS, 6], source(6, 0.0)), tensor("source.900", vec![ROWS, wide], source(wide, 2.0))];
    tensors.extend(parts.iter().map(|(name, values)| tensor(name, vec![values.len()], values.clone())));
    NamedFile { name: "mine.safetensors".into(), bytes: Weights { tensors }.to_safetensors(None).unwrap() }
}

#[test]
fn activations_from_elsewhere_are_fitted_with_what_the_file_says_and_no_network() {
    let labels: Vec<f32> = (0..ROWS).map(|row| (row % 7) as f32).collect();
    let asked = CrosscoderConfig { probe: true, steps: 600, learning_rate: 3e-3, ..config(Variant::L1OfNorms, &[]) };
    let fit = |wide: usize| {
        let (config, file) = (asked.clone(), file(&[("labels", labels.clone())], wide));
        ask(Command::FitActivations { config, file, engine: EngineWish::Auto }).unwrap()
    };
    // Vectors of different widths do not compare: each has a life among its own.
    let apart = fit(8);
    assert_eq!(apart.sources.iter().map(|source| source.width).collect::<Vec<_>>(), [6, 8]);
    assert_eq!((apart.emergent, apart.latents[0].cosines[1]), (0, None));
    let fit = fit(6);
    let known =
        KnownRows { count: ROWS, labels: Some(labels.iter().map(|l| *l as u16).collect()), inputs: None, train_mask: None };
    let of = fit.foreign_rows().unwrap();
    assert_eq!((of.file.as_str(), &of.names[..], &of.rows), ("mine.safetensors", &["100".to_owned(), "900".into()][..], &known));
    assert_eq!((fit.config.sources.clone(), fit.causal.is_some()), (vec![100, 900], false));
    assert!(fit.explained_variance.iter().all(|ev| *ev > 0.5), "{:?}", fit.explained_variance);
    assert!(!fit.curves.is_empty() && fit.emergent > 0, "the direction that is there at 900 only was not born");
}

#[test]
fn a_gate_per_source_on_activations_from_elsewhere_stays_one_per_source_when_it_is_opened_again() {
    let same = |name: &str| {
        let mut draw = Stream::new(5, Purpose::Planted, u64::from(name == "source.b"));
        let values = draw.normals(ROWS * 6, 1.0).into_iter().map(|x| x.max(0.0)).collect();
        NamedTensor { name: name.into(), shape: vec![ROWS, 6], values }
    };
    let bytes = Weights { tensors: vec![same("source.a"), same("source.b")] }.to_safetensors(None).unwrap();
    let file = NamedFile { name: "two.safetensors".into(), bytes };
    for variant in [Variant::BatchTopKPerSource, Variant::JumpReluPerSource] {
        // With the small norms of L1 at the start every gate would be shut, and none would learn to open.
        let config = CrosscoderConfig { lambda: 1e-5, decoder_norm: 1.0, ..config(variant, &[]) };
        let fit = ask(Command::FitActivations { config: config.clone(), file: file.clone(), engine: EngineWish::Cpu }).unwrap();
        let own = fit.l0_per_source.clone();
        assert!(own.len() == 2 && fit.l0 > 0.0, "{variant:?}: {own:?} of {}", fit.l0);
        assert!(own.iter().any(|l0| *l0 < fit.l0) || variant == Variant::JumpReluPerSource, "{own:?} of {}", fit.l0);
        let ground = Ground::Activations(file.clone());
        let file = dictionary_of(&fit);
        let again = ask(Command::OpenDictionary { config, file, beside: None, ground, engine: EngineWish::Cpu }).unwrap();
        assert_same_lives(&again, &fit);
        assert_eq!(again.l0_per_source.len(), 2);
        assert!(again.has_rows_of(&fit), "both are judged on the rows of the file");
    }
}

#[test]
fn a_file_of_activations_that_cannot_be_fitted_is_refused_with_a_remedy() {
    let refused = |file: NamedFile, config: CrosscoderConfig| {
        ask(Command::FitActivations { config, file, engine: EngineWish::Cpu }).unwrap_err()
    };
    let whole = file(&[], 6);
    let cut = NamedFile { bytes: whole.bytes[..whole.bytes.len() - 8].to_vec(), ..whole.clone() };
    assert!(!refused(cut, config(Variant::L1OfNorms, &[])).remedy.is_empty());
    let large = CrosscoderConfig { batch_size: 512, ..config(Variant::L1OfNorms, &[]) };
    assert!(refused(whole, large).to_string().contains("180"), "200 inputs less a tenth held out");
}
