//! The worker itself, without the page: the same tiny experiments on the CPU and on WebGPU.
//!
//! A GPU that computes something slightly else is not seen on a chart, so the losses are compared step by step.

use crate::worker::Engine;
use grokscope::crosscoder::{CrosscoderConfig, FitRow, Variant, crosscoder_preset};
use grokscope::engine::capability::{EngineKind, EngineWish};
use grokscope::engine::message::{Command, Event};
use grokscope::experiment::{Experiment, preset, with_value};
use grokscope::record::{Checkpoint, MetricRow};

/// Relative difference allowed between the engines: f32 sums in another order, over 20 updates.
const TOLERANCE: f32 = 1e-3;

/// Runs an experiment; returns its metric rows and checkpoints.
fn run(engine: &Engine, experiment: &Experiment, wish: EngineWish) -> (Vec<MetricRow>, Vec<Checkpoint>) {
    engine.send(&Command::Start { experiment: experiment.clone(), engine: wish, resume: None });
    let events = engine.events_until(|event| matches!(event, Event::Finished(_)));
    assert_chosen(&events, wish);
    let mut rows = Vec::new();
    let mut checkpoints = Vec::new();
    for event in events {
        match event {
            Event::Metrics(more) => rows.extend(more),
            Event::Checkpoint(checkpoint) => checkpoints.push(checkpoint),
            _ => {}
        }
    }
    (rows, checkpoints)
}

/// Fits a crosscoder; returns its curves.
fn fit(
    engine: &Engine,
    config: &CrosscoderConfig,
    experiment: &Experiment,
    checkpoints: &[Checkpoint],
    wish: EngineWish,
) -> Vec<FitRow> {
    let (config, experiment, checkpoints) = (config.clone(), experiment.clone(), checkpoints.to_vec());
    engine.send(&Command::Fit { config, experiment, checkpoints, others: Vec::new(), engine: wish });
    let events = engine.events_until(|event| matches!(event, Event::FitDone(_)));
    assert_chosen(&events, wish);
    let outcome = events.into_iter().find_map(|event| if let Event::FitDone(outcome) = event { Some(outcome) } else { None });
    outcome.unwrap().result.curves
}

fn assert_chosen(events: &[Event], wish: EngineWish) {
    let kind = events.iter().find_map(|event| if let Event::Chosen(choice) = event { Some(choice.kind) } else { None });
    let expected = if wish == EngineWish::Gpu { EngineKind::Gpu } else { EngineKind::Cpu };
    assert_eq!(kind, Some(expected));
}

/// 20 updates modulo 7, evaluated after each.
fn tiny(name: &str, changes: &[(&str, &str)]) -> Experiment {
    let all = [
        ("steps", "20"),
        ("task.modulus", "7"),
        ("task.train_fraction", "0.6"),
        ("logging.evaluate_every", "1"),
        ("logging.checkpoint_every", "5"),
    ];
    let start = preset(name).unwrap().experiment.clone();
    all.iter().chain(changes).fold(start, |e, (path, text)| with_value(&e, path, text).unwrap())
}

fn tiny_mlp() -> Experiment {
    tiny("quadratic-31", &[("model.width", "24")])
}

fn tiny_transformer() -> Experiment {
    tiny("transformer-59-mirror", &[("model.d_model", "16"), ("model.heads", "2"), ("model.mlp_width", "32")])
}

fn assert_close(step: u32, what: &str, cpu: f32, gpu: f32) {
    let difference = (cpu - gpu).abs() / cpu.abs().max(1e-6);
    assert!(difference <= TOLERANCE, "{what} at step {step}: {cpu} on the CPU, {gpu} on the GPU");
}

fn same_losses_on_both_engines(engine: &Engine, experiment: &Experiment) {
    let (cpu, _) = run(engine, experiment, EngineWish::Cpu);
    let (gpu, _) = run(engine, experiment, EngineWish::Gpu);
    let steps: Vec<u32> = cpu.iter().map(|row| row.step).collect();
    assert_eq!(steps, (0..=20).collect::<Vec<u32>>(), "one row for each step");
    assert_eq!(steps, gpu.iter().map(|row| row.step).collect::<Vec<u32>>());
    assert!(cpu[20].train_loss < cpu[0].train_loss, "nothing was learned, so nothing was compared");
    for (cpu, gpu) in cpu.iter().zip(&gpu) {
        assert_close(cpu.step, "training loss", cpu.train_loss, gpu.train_loss);
        assert_close(cpu.step, "test loss", cpu.test_loss, gpu.test_loss);
    }
}

fn same_fit_on_both_engines(engine: &Engine, experiment: &Experiment, checkpoints: &[Checkpoint], variant: Variant) {
    let births = crosscoder_preset("births").unwrap().config.clone();
    let sources = checkpoints.iter().map(|c| c.step).collect();
    let config = CrosscoderConfig { sources, variant, latents: 32, k: 8, steps: 20, batch_size: 16, ..births };
    let cpu = fit(engine, &config, experiment, checkpoints, EngineWish::Cpu);
    let gpu = fit(engine, &config, experiment, checkpoints, EngineWish::Gpu);
    assert_eq!(cpu.iter().map(|r| r.step).collect::<Vec<_>>(), (0..=20).collect::<Vec<u32>>(), "one row for each step");
    assert_eq!(cpu.len(), gpu.len());
    assert!(cpu[20].explained_variance[0] > cpu[0].explained_variance[0], "nothing was learned: {cpu:?}");
    for (cpu, gpu) in cpu.iter().zip(&gpu) {
        assert_close(cpu.step, "loss of the fit", cpu.loss, gpu.loss);
        for (cpu_ev, gpu_ev) in cpu.explained_variance.iter().zip(&gpu.explained_variance) {
            assert!((cpu_ev - gpu_ev).abs() <= TOLERANCE, "explained variance at step {}: {cpu_ev}, {gpu_ev}", cpu.step);
        }
    }
}

/// One test, because a software adapter takes a minute to compile the kernels that all of these share.
#[test]
fn webgpu_repeats_the_losses_of_the_cpu_for_perceptron_transformer_and_crosscoder() {
    let engine = Engine::start();
    same_losses_on_both_engines(&engine, &tiny_mlp());
    let transformer = tiny_transformer();
    same_losses_on_both_engines(&engine, &transformer);
    let (_, checkpoints) = run(&engine, &transformer, EngineWish::Cpu);
    let checkpoints: Vec<Checkpoint> = checkpoints.into_iter().filter(|c| [0, 10, 20].contains(&c.step)).collect();
    assert_eq!(checkpoints.len(), 3, "a checkpoint at each of the steps 0, 10 and 20");
    for variant in [Variant::L1OfNorms, Variant::BatchTopK] {
        same_fit_on_both_engines(&engine, &transformer, &checkpoints, variant);
    }
}

#[test]
fn the_cpu_engine_gives_the_same_bits_twice() {
    let bits = |engine: &Engine| {
        let (rows, checkpoints) = run(engine, &tiny_mlp(), EngineWish::Cpu);
        assert!(!rows.is_empty() && !checkpoints.is_empty());
        (rows.iter().map(|r| r.train_loss.to_bits()).collect::<Vec<_>>(), checkpoints)
    };
    let engine = Engine::start();
    let (first, again) = (bits(&engine), bits(&engine));
    assert!(first == again, "two runs in one worker differ");
    drop(engine);
    assert!(first == bits(&Engine::start()), "two workers differ");
}
