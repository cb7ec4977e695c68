//! All parts through the trainer: that each is reached, keeps replicas apart, and survives a resume point.

use super::support::with;
use super::*;
use crate::record::Weights;
use crate::train::Trainer;

/// One setting of each part that acts in an update.
const EACH: [(&str, &str); 14] = [
    ("training.dropout", "0.2"),
    ("training.swap_augment", "0.5"),
    ("training.negate_augment", "0.5"),
    ("training.weight_noise", "0.05"),
    ("training.sam_radius", "0.1"),
    ("training.gradient_clip", "0.001"),
    ("training.grokfast", "ema"),
    ("training.grokfast", "ma"),
    ("training.orthogonal_gradient", "true"),
    ("training.l1", "0.01"),
    ("training.l2", "0.01"),
    ("training.gradient_noise", "0.01"),
    ("training.update_noise", "0.1"),
    ("training.norm_clamp", "0.8"),
];

fn experiment(settings: &[(&str, &str)], seed: u64) -> Experiment {
    let small = [("task.operation", "add"), ("task.modulus", "11")];
    Experiment { seed, ..with(&[&small[..], settings].concat()) }
}

fn trainer(experiments: &[Experiment]) -> Trainer {
    Trainer::new(experiments, true, &Device::flex()).unwrap()
}

fn advance(trainer: &mut Trainer, updates: u32) {
    for _ in 0..updates {
        pollster::block_on(trainer.advance()).unwrap();
    }
}

fn weights(trainer: &Trainer) -> Vec<Weights> {
    pollster::block_on(trainer.weights()).unwrap()
}

/// Weights after `updates` updates.
fn trained(experiments: &[Experiment], updates: u32) -> Vec<Weights> {
    let mut trainer = trainer(experiments);
    advance(&mut trainer, updates);
    weights(&trainer)
}

#[test]
fn each_part_is_reached_by_the_trainer_and_accepted_by_validation() {
    let plain = trained(&[experiment(&[], 1)], 3);
    for setting in EACH {
        // A window of three is full at the third update.
        let window = ("training.grokfast_window", "3");
        let settings = if setting.1 == "ma" { vec![setting, window] } else { vec![setting] };
        let changed = experiment(&settings, 1);
        assert_eq!(changed.validate(), Ok(()), "{setting:?}");
        assert_ne!(trained(&[changed], 3), plain, "{setting:?}");
    }
    let frozen = trained(&[experiment(&[("training.frozen", &plain[0].tensors[0].name)], 1)], 3);
    let start = trained(&[experiment(&[], 1)], 0);
    assert_eq!(frozen[0].tensors[0], start[0].tensors[0]);
    assert_ne!(frozen[0].tensors[1], start[0].tensors[1]);
}

#[test]
fn a_replica_of_a_band_does_what_it_would_do_alone() {
    for setting in EACH {
        let alone = |seed: u64| experiment(&[setting], seed);
        let band = trained(&[alone(1), alone(2)], 3);
        let single = trained(&[alone(2)], 3);
        for (x, y) in band[1].tensors.iter().zip(&single[0].tensors) {
            let far = x.values.iter().zip(&y.values).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
            assert!(far < 1e-5, "{setting:?}: {far} in {}", x.name);
        }
    }
}

#[test]
fn a_run_with_every_part_on_goes_on_from_a_resume_point_bit_for_bit() {
    for mean in ["ema", "ma"] {
        let mut settings: Vec<_> = EACH.into_iter().filter(|s| s.0 != "training.grokfast").collect();
        settings.push(("training.grokfast", mean));
        if mean == "ma" {
            settings.push(("training.grokfast_window", "3"));
        }
        let all = experiment(&settings, 4);
        let mut whole = trainer(core::slice::from_ref(&all));
        advance(&mut whole, 5);
        let point = pollster::block_on(whole.resume_point("chain")).unwrap();
        let mut resumed = trainer(&[all]);
        assert_eq!(resumed.restore(&point).unwrap(), "chain");
        advance(&mut whole, 4);
        advance(&mut resumed, 4);
        assert_eq!(weights(&whole), weights(&resumed), "{mean}");
    }
}
