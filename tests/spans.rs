//! Fits that span hooks of different widths or several runs, and gates per source: what they return is of the right shape, explains
//! what it read, and is read back from its file to the same numbers.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod support;

use burn::tensor::Device;
use grokscope::crosscoder::interop::import;
use grokscope::crosscoder::{
    CrosscoderConfig, CrosscoderResult, Hook, Source, SourceInfo, Variant, crosscoder_preset, explained_variance,
};
use grokscope::engine::capability::EngineKind;
use grokscope::engine::message::OtherRun;
use grokscope::experiment::Experiment;
use grokscope::record::{Checkpoint, Weights};
use grokscope::task::Dataset;
use support::{changed, fit, fit_over, run};

/// A transformer that has memorised half of addition modulo 23.
fn small(seed: u64) -> (Experiment, Vec<Checkpoint>) {
    let changes = [("task.modulus", "23"), ("steps", "200"), ("logging.checkpoint_every", "100"), ("seed", &seed.to_string())];
    let experiment = changed("transformer-59-mirror", &changes);
    let record = run(&experiment);
    (experiment, record.checkpoints)
}

fn config(changes: CrosscoderConfig) -> CrosscoderConfig {
    CrosscoderConfig { sources: vec![100, 200], latents: 128, steps: 400, batch_size: 128, lambda: 0.3, ..changes }
}

fn births() -> CrosscoderConfig {
    crosscoder_preset("births").unwrap().config.clone()
}

fn labels(result: &CrosscoderResult) -> Vec<String> {
    result.sources.iter().map(SourceInfo::label).collect()
}

#[test]
fn one_dictionary_spans_hooks_of_different_widths() {
    let (experiment, checkpoints) = small(0);
    let found = fit(config(CrosscoderConfig { more_hooks: vec![Hook::MlpPost], ..births() }), &experiment, &checkpoints);
    assert_eq!(labels(&found), ["100 mlp_post", "200 mlp_post", "100 resid_post", "200 resid_post"]);
    assert_eq!(found.sources.iter().map(|s| s.width).collect::<Vec<_>>(), [128, 128, 64, 64]);
    assert!(found.explained_variance.iter().all(|ev| *ev > 0.5), "{:?}", found.explained_variance);
    let causal = found.causal.as_ref().unwrap();
    assert_eq!(causal.sources.iter().map(|s| s.label.as_str()).collect::<Vec<_>>(), labels(&found));
    // What is beyond the width of the narrow sources is nothing, so each source explains the same from the file's own width on.
    let file = Weights::from_safetensors(&found.weights).unwrap();
    let decoder = file.get("decoder.weight").unwrap();
    assert_eq!(decoder.shape, [4, 128, 128]);
    let narrow = &decoder.values[2 * 128 * 128..];
    assert!(narrow.chunks(128).all(|vector| vector[64..].iter().all(|v| *v == 0.0)));
    assert!(narrow.iter().any(|v| *v != 0.0));
    // The clean network is what it is, at whichever hook it is asked.
    let clean = |at: usize| causal.sources[at].clean.test_loss;
    assert!((clean(1) - clean(3)).abs() < 1e-4, "{} {}", clean(1), clean(3));
}

#[test]
fn one_dictionary_spans_runs_of_other_seeds_and_refuses_other_tasks() {
    let ((experiment, checkpoints), (other, theirs)) = (small(0), small(1));
    let read = |checkpoints: &[Checkpoint]| -> Vec<Checkpoint> {
        checkpoints.iter().filter(|checkpoint| [100, 200].contains(&checkpoint.step)).cloned().collect()
    };
    let also = OtherRun { name: "seed 1".into(), experiment: other, checkpoints: read(&theirs) };
    let found = fit_over(config(births()), &experiment, &checkpoints, vec![also.clone()]);
    assert_eq!(labels(&found), ["100 this run", "200 this run", "100 seed 1", "200 seed 1"]);
    assert!(found.explained_variance.iter().all(|ev| *ev > 0.5), "{:?}", found.explained_variance);
    assert_eq!(found.causal.as_ref().unwrap().sources.len(), 2, "interventions are made in the fit's own run");
    let cosines = &found.latents[0].cosines;
    assert!(cosines[2].is_none() && cosines[1].is_some(), "{cosines:?}");

    let subtraction = OtherRun { experiment: changed("transformer-59-mirror", &[("task.modulus", "29")]), ..also };
    let refused = std::panic::catch_unwind(|| fit_over(config(births()), &experiment, &checkpoints, vec![subtraction]));
    let words = refused.unwrap_err().downcast::<String>().unwrap();
    assert!(words.contains("has other inputs"), "{words}");
}

#[test]
fn gates_per_source_are_read_back_from_the_file_to_the_same_codes() {
    let (experiment, checkpoints) = small(0);
    let data = Dataset::new(&experiment.task, experiment.seed).unwrap();
    let (steps, device) = ([100, 200], Device::flex());
    let read =
        grokscope::engine::activations(&steps, Hook::ResidPost, &experiment, &checkpoints, &data, EngineKind::Cpu, &device);
    let sources: Vec<Source> = pollster::block_on(read).unwrap();
    for (variant, lambda) in [(Variant::BatchTopKPerSource, 0.0), (Variant::JumpReluPerSource, 0.001)] {
        let asked = CrosscoderConfig { variant, k: 12, decoder_norm: 1.0, probe: false, ..config(births()) };
        let found = fit(CrosscoderConfig { lambda, ..asked }, &experiment, &checkpoints);
        assert!(found.explained_variance.iter().all(|ev| *ev > 0.4), "{variant:?} {:?}", found.explained_variance);
        assert_eq!(found.l0_per_source.len(), 2);
        if variant == Variant::BatchTopKPerSource {
            assert!(found.l0_per_source.iter().all(|l0| (l0 - 12.0).abs() < 6.0), "{:?}", found.l0_per_source);
        }
        assert!(found.l0_per_source.iter().all(|l0| *l0 <= found.l0), "{:?} {}", found.l0_per_source, found.l0);
        let dictionary = import(&found.weights, None).unwrap().0;
        let codes = dictionary.encode(&sources).unwrap();
        let rows = data.rows.len();
        let mut differing = 0;
        for (at, code) in codes.iter().enumerate() {
            let ours = found.activations[at % 128 * rows + at / 128];
            differing += usize::from((ours - code).abs() > 1e-3 * (1.0 + code.abs()));
        }
        // Codes at a threshold may fall on either side of it.
        assert!(differing <= codes.len() / 2000, "{variant:?}: {differing} of {} codes differ", codes.len());
        for (s, decoded) in dictionary.decode(&codes).unwrap().iter().enumerate() {
            let ev = explained_variance(&sources[s].values, decoded, 64) as f32;
            assert!((ev - found.explained_variance[s]).abs() < 0.1, "{variant:?} {s}: {ev} {:?}", found.explained_variance);
        }
    }
}
