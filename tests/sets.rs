//! Latents tried by hand, in sets and one by one, against what the same removal was measured to do behind the fit; and nulls, made
//! again from their settings. The reference is the program's own measurement of classes, which takes another way to the same numbers:
//! it has the codes from the device, these read them back from the kept fit.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod support;

use grokscope::crosscoder::causal::{Along, Effect, STRENGTHS, SetQuestion, TrialInput};
use grokscope::crosscoder::{CrosscoderConfig, LatentClass, Null, Variant, crosscoder_preset, null_of};
use grokscope::engine::converse;
use grokscope::engine::message::{Command, Event, SetOrder, TrialOrder};
use grokscope::experiment::Experiment;
use grokscope::record::Checkpoint;
use support::{changed, fit, run};

/// A transformer that memorises within seconds, and what a small fit of it asks for.
fn small() -> (Experiment, Vec<Checkpoint>, CrosscoderConfig) {
    let experiment =
        changed("transformer-59-mirror", &[("task.modulus", "23"), ("steps", "200"), ("logging.checkpoint_every", "50")]);
    let checkpoints = run(&experiment).checkpoints;
    let config = CrosscoderConfig { sources: vec![50, 100, 200], latents: 64, steps: 300, batch_size: 128, ..births() };
    (experiment, checkpoints, config)
}

fn answer(command: Command) -> Vec<Event> {
    let mut events = Vec::new();
    converse(vec![command], Vec::new(), |event| events.push(event));
    events
}

#[test]
fn a_set_of_latents_does_by_hand_what_its_class_was_measured_to_do() {
    let (experiment, checkpoints, config) = small();
    let own = CrosscoderConfig { variant: Variant::BatchTopKPerSource, k: 8, ..config.clone() };
    for config in [config, own] {
        let found = fit(config.clone(), &experiment, &checkpoints);
        let causal = found.causal.clone().unwrap();
        // The class with the most latents; without gates the most that leave as many others, so that all controls are drawn.
        let (class, latents) = LatentClass::ALL
            .into_iter()
            .filter(|class| causal.sources[0].sets.iter().any(|set| set.class == *class))
            .map(|class| (class, found.latents.iter().filter(|l| l.class == class).map(|l| l.index).collect::<Vec<u32>>()))
            .max_by_key(|(_, latents)| {
                let leaves = config.variant.is_per_source() || 2 * latents.len() <= found.alive as usize;
                if leaves { latents.len() } else { 0 }
            })
            .unwrap();
        eprintln!("{:?}: {} {}", config.variant, latents.len(), class.name());
        let question = SetQuestion { latents: latents.clone(), along: Along::Home };
        let order = SetOrder { fit: found.clone().into(), checkpoints: checkpoints.clone(), question };
        let events = answer(Command::TrySet(experiment.clone(), Box::new(order)));
        let trial = events.iter().find_map(|event| if let Event::SetTried(trial) = event { Some(trial) } else { None }).unwrap();
        assert!(events.iter().any(|event| matches!(event, Event::SetProgress(done) if *done > 0.0)));
        assert_eq!(trial.sources.len(), 3);
        for (by_hand, measured) in trial.sources.iter().zip(&causal.sources) {
            let set = measured.sets.iter().find(|set| set.class == class).unwrap();
            let close = |a: &Effect, b: &Effect| {
                assert!((a.test_loss - b.test_loss).abs() < 1e-5 * (1.0 + b.test_loss), "{a:?} {b:?}");
                assert!((a.train_loss - b.train_loss).abs() < 1e-5 * (1.0 + b.train_loss), "{a:?} {b:?}");
            };
            close(&by_hand.clean, &measured.clean);
            close(&by_hand.zero, &set.zero);
            close(&by_hand.mean, &set.mean);
            close(&by_hand.resample, &set.resample);
            // The same draws of the same length.
            let (a, b) = (by_hand.moved.unwrap(), set.moved.unwrap());
            assert!((a.median - b.median).abs() < 1e-4 && (a.upper - b.upper).abs() < 1e-4, "{a:?} {b:?}");
            assert_eq!(by_hand.random.is_some(), 2 * latents.len() <= found.alive as usize);
            assert_eq!(by_hand.steered.len(), STRENGTHS.len());
            for steered in &by_hand.steered {
                assert!((steered.answered.iter().sum::<f32>() - 1.0).abs() < 1e-4);
                assert!(steered.aside.is_some() && steered.effect.kl.unwrap() >= 0.0);
            }
            // A push of eight times what the set contributes is felt more than one of half.
            assert!(by_hand.steered[5].effect.kl > by_hand.steered[1].effect.kl);
        }

        // One latent as a set of one, and by the button for one: the codes are those of the source, behind its gate.
        let one = latents[0];
        let alone = SetQuestion { latents: vec![one], along: Along::Home };
        let order = SetOrder { fit: found.clone().into(), checkpoints: checkpoints.clone(), question: alone };
        let events = answer(Command::TrySet(experiment.clone(), Box::new(order)));
        let alone = events.iter().find_map(|event| if let Event::SetTried(trial) = event { Some(trial) } else { None }).unwrap();
        for at in &alone.sources {
            let source = at.source as usize;
            let saved = |step: u32| checkpoints.iter().find(|checkpoint| checkpoint.step == step).cloned();
            let input = TrialInput {
                latent: one,
                source: at.source,
                codes: found.codes_at(one, source),
                decoder: found.decoder_vector(one, source).unwrap(),
                amounts: Vec::new(),
            };
            let checkpoint = saved(found.sources[source].step).unwrap();
            let order = TrialOrder { checkpoint, first: None, hook: found.hook_of(source), input };
            let events = answer(Command::Try(experiment.clone(), order));
            let tried = events.iter().find_map(|event| if let Event::Tried(trial) = event { Some(trial) } else { None }).unwrap();
            assert!((tried.without.test_loss - at.zero.test_loss).abs() < 1e-5 * (1.0 + at.zero.test_loss), "{tried:?} {at:?}");
        }

        // By attribution: with more and more of them kept the loss comes down to that of the network.
        assert_eq!(causal.ranked.len(), 3);
        for (ranked, source) in causal.ranked.iter().zip(&causal.sources) {
            assert_eq!(ranked.keep.len(), source.keep.len());
            assert!(ranked.keep.windows(2).all(|pair| pair[0].0 * 2 == pair[1].0));
            let last = ranked.remove.last().unwrap().1.test_loss - source.clean.test_loss;
            assert!(last.is_finite());
        }
    }
}

#[test]
fn a_null_is_made_again_from_its_settings_and_is_not_asked_what_it_does() {
    let (experiment, checkpoints, config) = small();
    let asked = null_of(&config, Null::Untrained);
    let again = CrosscoderConfig::from_json(&asked.to_json()).unwrap();
    // No checkpoint is needed: the weights are drawn.
    let found = fit(again, &experiment, &[]);
    let labels: Vec<String> = found.sources.iter().map(|source| source.label()).collect();
    assert_eq!(labels, ["0 initialisation 1", "0 initialisation 2", "0 initialisation 3"]);
    assert_eq!((found.null(), found.residue_energy_share), (Null::Untrained, 0.0));
    assert!(found.sources.iter().all(|source| !source.is_own()) && found.causal.is_none());
    assert_ne!(found.sources[0].scale, found.sources[1].scale, "they are different networks");

    let shuffled = fit(null_of(&config, Null::ShuffledPairs), &experiment, &checkpoints);
    let question = SetQuestion { latents: vec![0], along: Along::Home };
    let order = SetOrder { fit: shuffled.into(), checkpoints, question };
    let events = answer(Command::TrySet(experiment, Box::new(order)));
    let refused = events.iter().any(|event| matches!(event, Event::SetRefused(error) if error.cause.contains("null")));
    assert!(refused, "rows of a shuffled fit are not those of the network");
}

fn births() -> CrosscoderConfig {
    crosscoder_preset("births").unwrap().config.clone()
}
