//! The numeric self-test: a GPU must repeat the CPU's losses before it is trusted.
//!
//! Browsers have shipped WebGPU that computed wrong numbers without an error (Firefox's, yzma#324), and a wrong kernel would
//! look like a scientific finding. Two tiny networks make a few updates on both engines; forward, backward and optimiser all
//! enter the losses that follow.

use crate::experiment::{Experiment, preset, with_value};
use crate::record::UserError;
use crate::train::Trainer;
use burn::tensor::Device;
use core::fmt;

/// Updates compared.
const UPDATES: u32 = 5;
/// Largest relative difference of a loss that passes.
const TOLERANCE: f32 = 1e-3;

/// What the comparison found.
#[derive(Debug, Clone, PartialEq)]
pub struct SelfTest {
    worst: f32,
}

impl SelfTest {
    /// Whether every loss agreed.
    pub fn passed(&self) -> bool {
        // A NaN fails.
        self.worst <= TOLERANCE
    }
}

impl fmt::Display for SelfTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.passed() { "passed" } else { "failed" };
        write!(f, "Self-test against the CPU {verdict}: losses differ by at most {:.1e} (relative)", self.worst)
    }
}

/// Trains two tiny networks on the CPU and on `device` and compares their losses.
///
/// # Errors
/// If the device stopped answering.
pub async fn compare_with_cpu(device: &Device) -> Result<SelfTest, UserError> {
    let mut worst = 0f32;
    for experiment in [tiny("quadratic-31", QUADRATIC)?, tiny("transformer-59", TRANSFORMER)?] {
        let cpu = losses(&experiment, true, &Device::flex()).await?;
        let gpu = losses(&experiment, false, device).await?;
        for (a, b) in cpu.iter().zip(&gpu) {
            let difference = ((a - b) / a).abs();
            worst = if difference.is_nan() { f32::NAN } else { worst.max(difference) };
            if worst.is_nan() {
                return Ok(SelfTest { worst });
            }
        }
    }
    Ok(SelfTest { worst })
}

async fn losses(experiment: &Experiment, gather: bool, device: &Device) -> Result<Vec<f32>, UserError> {
    let mut trainer = Trainer::new(core::slice::from_ref(experiment), gather, device)?;
    for _ in 0..UPDATES {
        trainer.advance().await?;
    }
    trainer.evaluate();
    let readings = trainer.read().await?;
    let mut losses: Vec<f32> = readings.losses.into_iter().flat_map(|(_, losses)| losses).collect();
    losses.extend(readings.rows.iter().flatten().flat_map(|row| [row.train_loss, row.test_loss, row.weight_norm]));
    Ok(losses)
}

const QUADRATIC: &[(&str, &str)] =
    &[("task.modulus", "7"), ("task.train_fraction", "0.6"), ("model.width", "16"), ("optimizer.weight_decay", "1")];

const TRANSFORMER: &[(&str, &str)] = &[
    ("task.modulus", "7"),
    ("task.train_fraction", "0.6"),
    ("model.d_model", "16"),
    ("model.heads", "2"),
    ("model.mlp_width", "32"),
    ("optimizer.learning_rate", "0.01"),
    ("optimizer.weight_decay", "1"),
    ("optimizer.warmup_steps", "1"),
];

/// A small version of a preset.
fn tiny(name: &str, changes: &[(&str, &str)]) -> Result<Experiment, UserError> {
    let mut experiment = Experiment { seed: 1, steps: UPDATES, ..preset(name)?.experiment.clone() };
    for (path, text) in changes {
        experiment = with_value(&experiment, path, text)?;
    }
    Ok(experiment)
}
