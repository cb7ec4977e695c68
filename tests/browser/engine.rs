//! The worker itself, without the page: the same tiny experiments on the CPU and on WebGPU.
//!
//! A GPU that computes something slightly else is not seen on a chart, so the losses are compared step by step. Commands and
//! events are encoded here by the library and only carried by the browser.

use crate::driver::{DESK, fetch, site};
use crate::page::Page;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grokscope::crosscoder::{CrosscoderConfig, FitRow, Hook, Variant, crosscoder_preset};
use grokscope::engine::capability::{EngineKind, EngineWish};
use grokscope::engine::message::{Command, Event, decode, encode};
use grokscope::experiment::{Activation, Experiment, ModelConfig, TransformerConfig, preset};
use grokscope::record::{Checkpoint, MetricRow};
use serde_json::json;
use std::time::{Duration, Instant};

/// Relative difference allowed between the engines: f32 sums in another order, over 20 updates.
const TOLERANCE: f32 = 1e-3;
/// A software adapter compiles each kernel on its first use.
const PATIENCE: Duration = Duration::from_secs(300);

/// A worker of the built site.
struct Engine {
    page: Page,
}

impl Engine {
    fn start() -> Self {
        let index = fetch(&site());
        let worker = index.split(['"', '\'']).find_map(|text| text.strip_prefix("./worker-")).unwrap();
        let worker = format!("{}worker-{worker}", site());
        let page = Page::blank(DESK);
        // Any document of the same origin will do; the script itself is one without anything of ours running in it.
        page.driver.post("/url", &json!({ "url": worker }));
        page.js(&format!(
            "(() => {{ window.events = []; window.broken = []; window.engine = new Worker('{worker}', {{ type: 'module' }}); \
             engine.onmessage = e => events.push(e.data); engine.onerror = e => broken.push(String(e.message)); }})()"
        ));
        let engine = Self { page };
        let first = engine.next_events(Instant::now()).swap_remove(0);
        assert!(matches!(first, Event::Ready(_)), "the first event is not Ready but {first:?}");
        engine
    }

    fn send(&self, command: &Command) {
        let bytes = STANDARD.encode(encode(command).unwrap());
        self.page.js(&format!(
            "(() => {{ const bytes = Uint8Array.from(atob('{bytes}'), c => c.charCodeAt(0)); engine.postMessage(bytes.buffer, [bytes.buffer]); }})()"
        ));
    }

    /// The next events, at least one.
    fn next_events(&self, started: Instant) -> Vec<Event> {
        loop {
            let answer = self.page.js("[events.splice(0).map(b => { const bytes = new Uint8Array(b); let text = ''; \
                 for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192)); \
                 return btoa(text); }), broken]");
            assert_eq!(answer[1], json!([]), "the worker broke: {:#?}", self.page.driver.console_errors());
            let events = answer[0].as_array().unwrap();
            if !events.is_empty() {
                return events.iter().map(|e| decode(&STANDARD.decode(e.as_str().unwrap()).unwrap()).unwrap()).collect();
            }
            assert!(started.elapsed() < PATIENCE, "the engine is silent; console: {:#?}", self.page.driver.console_errors());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// All events up to the one that `is_last`.
    fn events_until(&self, is_last: impl Fn(&Event) -> bool) -> Vec<Event> {
        let started = Instant::now();
        let mut events = Vec::new();
        while !events.iter().any(&is_last) {
            events.extend(self.next_events(started));
            let error = events.iter().find_map(|event| match event {
                Event::Error(error) | Event::Crashed(error) => Some(error),
                _ => None,
            });
            assert!(error.is_none(), "{}", error.unwrap());
        }
        events
    }

    /// Runs an experiment; returns its metric rows and checkpoints.
    fn run(&self, experiment: &Experiment, wish: EngineWish) -> (Vec<MetricRow>, Vec<Checkpoint>) {
        self.send(&Command::Start { experiment: experiment.clone(), engine: wish, resume: None });
        let events = self.events_until(|event| matches!(event, Event::Finished(_)));
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
        &self,
        config: &CrosscoderConfig,
        experiment: &Experiment,
        checkpoints: &[Checkpoint],
        wish: EngineWish,
    ) -> Vec<FitRow> {
        let (config, experiment, checkpoints) = (config.clone(), experiment.clone(), checkpoints.to_vec());
        self.send(&Command::Fit { config, experiment, checkpoints, engine: wish });
        let events = self.events_until(|event| matches!(event, Event::FitDone(_)));
        assert_chosen(&events, wish);
        let outcome = events.into_iter().find_map(|event| if let Event::FitDone(outcome) = event { Some(outcome) } else { None });
        outcome.unwrap().result.curves
    }
}

fn assert_chosen(events: &[Event], wish: EngineWish) {
    let kind = events.iter().find_map(|event| if let Event::Chosen(choice) = event { Some(choice.kind) } else { None });
    let expected = if wish == EngineWish::Gpu { EngineKind::Gpu } else { EngineKind::Cpu };
    assert_eq!(kind, Some(expected));
}

/// 20 updates modulo 7, evaluated after each.
fn tiny_mlp() -> Experiment {
    let mut tiny = preset("quadratic-31").unwrap().experiment.clone();
    tiny.steps = 20;
    (tiny.task.modulus, tiny.task.train_fraction) = (7, 0.6);
    if let ModelConfig::Mlp(mlp) = &mut tiny.model {
        mlp.width = 24;
    }
    (tiny.logging.evaluate_every, tiny.logging.checkpoint_every) = (1, 5);
    tiny
}

fn tiny_transformer() -> Experiment {
    let mut tiny = preset("transformer-59-mirror").unwrap().experiment.clone();
    tiny.steps = 20;
    (tiny.task.modulus, tiny.task.train_fraction) = (7, 0.6);
    let activation = Activation::Relu;
    tiny.model =
        ModelConfig::Transformer(TransformerConfig { d_model: 16, heads: 2, mlp_width: 32, activation, init_scale: 1.0 });
    (tiny.logging.evaluate_every, tiny.logging.checkpoint_every) = (1, 5);
    tiny
}

fn assert_close(step: u32, what: &str, cpu: f32, gpu: f32) {
    let difference = (cpu - gpu).abs() / cpu.abs().max(1e-6);
    assert!(difference <= TOLERANCE, "{what} at step {step}: {cpu} on the CPU, {gpu} on the GPU");
}

fn same_losses_on_both_engines(experiment: &Experiment) {
    let engine = Engine::start();
    let (cpu, _) = engine.run(experiment, EngineWish::Cpu);
    let (gpu, _) = engine.run(experiment, EngineWish::Gpu);
    let steps: Vec<u32> = cpu.iter().map(|row| row.step).collect();
    assert_eq!(steps, (0..=20).collect::<Vec<u32>>(), "one row for each step");
    assert_eq!(steps, gpu.iter().map(|row| row.step).collect::<Vec<u32>>());
    assert!(cpu[20].train_loss < cpu[0].train_loss, "nothing was learned, so nothing was compared");
    for (cpu, gpu) in cpu.iter().zip(&gpu) {
        assert_close(cpu.step, "training loss", cpu.train_loss, gpu.train_loss);
        assert_close(cpu.step, "test loss", cpu.test_loss, gpu.test_loss);
    }
}

#[test]
fn a_perceptron_has_the_same_losses_on_webgpu_as_on_the_cpu() {
    same_losses_on_both_engines(&tiny_mlp());
}

#[test]
fn a_transformer_has_the_same_losses_on_webgpu_as_on_the_cpu() {
    same_losses_on_both_engines(&tiny_transformer());
}

#[test]
fn a_crosscoder_has_the_same_losses_on_webgpu_as_on_the_cpu() {
    let engine = Engine::start();
    let experiment = tiny_transformer();
    let (_, checkpoints) = engine.run(&experiment, EngineWish::Cpu);
    let sources = vec![0, 10, 20];
    let checkpoints: Vec<Checkpoint> = checkpoints.into_iter().filter(|c| sources.contains(&c.step)).collect();
    assert_eq!(checkpoints.len(), 3, "a checkpoint at each of the steps 0, 10 and 20");
    let births = crosscoder_preset("births").unwrap().config.clone();
    let (hook, variant) = (Hook::ResidPost, Variant::L1OfNorms);
    let config = CrosscoderConfig { sources, hook, variant, latents: 32, steps: 20, batch_size: 16, ..births };
    let cpu = engine.fit(&config, &experiment, &checkpoints, EngineWish::Cpu);
    let gpu = engine.fit(&config, &experiment, &checkpoints, EngineWish::Gpu);
    assert_eq!(cpu.iter().map(|r| r.step).collect::<Vec<_>>(), gpu.iter().map(|r| r.step).collect::<Vec<_>>());
    assert!(cpu.len() >= 2 && cpu.last().unwrap().loss < cpu[0].loss, "nothing was learned: {cpu:?}");
    for (cpu, gpu) in cpu.iter().zip(&gpu) {
        assert_close(cpu.step, "loss", cpu.loss, gpu.loss);
        for (cpu_ev, gpu_ev) in cpu.explained_variance.iter().zip(&gpu.explained_variance) {
            assert!((cpu_ev - gpu_ev).abs() <= TOLERANCE, "explained variance at step {}: {cpu_ev}, {gpu_ev}", cpu.step);
        }
    }
}

#[test]
fn the_cpu_engine_gives_the_same_bits_twice() {
    let bits = |engine: &Engine| {
        let (rows, checkpoints) = engine.run(&tiny_mlp(), EngineWish::Cpu);
        assert!(!rows.is_empty() && !checkpoints.is_empty());
        (rows.iter().map(|r| r.train_loss.to_bits()).collect::<Vec<_>>(), checkpoints)
    };
    let engine = Engine::start();
    let (first, again) = (bits(&engine), bits(&engine));
    assert!(first == again, "two runs in one worker differ");
    drop(engine);
    assert!(first == bits(&Engine::start()), "two workers differ");
}
