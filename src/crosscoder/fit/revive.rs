//! Dead latents begin again where the dictionary is at its worst (Bricken et al. 2023).
//!
//! A latent that fires on no input has no gradient and stays dead for ever; the auxiliary loss keeps such latents near life all the
//! time, this gives them a new life three times in a fit. Dead means here what it says: silent on every fitted input, which can be
//! checked exactly because there are few of them. The moments of what is moved begin again too, or the old ones would carry it off.

use super::{Fit, read};
use crate::crosscoder::Codes;
use crate::experiment::randomness::{Purpose, Stream};
use crate::record::UserError;
use crate::train::Optimizer as _;
use burn::tensor::{Device, Tensor, TensorData, Transaction};

/// Encoder norm of a revived latent, relative to the mean of the living (the same).
const FAINT: f64 = 0.2;

impl Fit {
    /// Whether dead latents begin again before the next update: after one, two and three quarters of the updates.
    pub fn revival_is_due(&self) -> bool {
        let quarters = [1, 2, 3].map(|quarter| self.config.steps * quarter / 4);
        self.config.resample && self.revived_at != self.step && self.step > 0 && quarters.contains(&self.step)
    }

    /// Gives each latent that fires on no fitted input the direction of what is left of an input, drawn by the square of its error;
    /// returns how many there were.
    ///
    /// # Errors
    /// If the device stopped answering.
    pub async fn revive(&mut self) -> Result<u32, UserError> {
        self.revived_at = self.step;
        let inputs = self.rows(&self.fit_rows);
        let codes = self.objective.codes(&self.dictionary, inputs.clone(), self.threshold());
        let left = inputs - self.objective.decode(&self.dictionary, &codes);
        let mut transaction = Transaction::default().register(left.inner());
        for parameter in &self.dictionary.parameters()[..3] {
            transaction = transaction.register(parameter.clone());
        }
        for codes in codes {
            transaction = transaction.register(codes.inner());
        }
        let mut answers = read(transaction).await?;
        let codes = Codes::per_source(answers.split_off(4)).union();
        let [left, mut encoder, mut bias, mut decoder] =
            <[Vec<f32>; 4]>::try_from(answers).map_err(|_| UserError::new("The device answered with too little", "Fit again"))?;
        let (latents, columns) = (self.config.latents as usize, self.width * self.sources.len());
        let fires: Vec<bool> = (0..latents).map(|i| codes.iter().skip(i).step_by(latents).any(|f| *f != 0.0)).collect();
        let errors: Vec<f64> = left.chunks(columns).map(square).collect();
        let total: f64 = errors.iter().map(|e| e * e).sum();
        let dead: Vec<usize> = (0..latents).filter(|i| !fires[*i]).collect();
        if dead.is_empty() || total <= 0.0 {
            return Ok(0);
        }
        let encoder_norm = mean(&fires, |i| square_of(encoder.iter().skip(i).step_by(latents)).sqrt());
        let decoder_norm = mean(&fires, |i| square(&decoder[i * columns..(i + 1) * columns]).sqrt());
        let fallback = self.config.decoder_norm * (self.sources.len() as f64).sqrt();
        let mut draw = Stream::new(self.config.seed, Purpose::CrosscoderInit, 1 << 32 | u64::from(self.step));
        for &latent in &dead {
            let mut wish = draw.uniform() * total;
            let row = errors.iter().position(|e| {
                wish -= e * e;
                wish <= 0.0
            });
            let row = row.unwrap_or(errors.len() - 1);
            let mut direction = left[row * columns..(row + 1) * columns].to_vec();
            if self.objective.structure().is_shared(latent) {
                direction = shared(&direction, self.width);
            }
            let norm = square(&direction).sqrt().max(f64::MIN_POSITIVE);
            let (long, faint) = (decoder_norm.unwrap_or(fallback) / norm, FAINT * encoder_norm.unwrap_or(fallback) / norm);
            for (column, value) in direction.iter().enumerate() {
                decoder[latent * columns + column] = (f64::from(*value) * long) as f32;
                encoder[column * latents + latent] = (f64::from(*value) * faint) as f32;
            }
            bias[latent] = 0.0;
        }
        let device = self.device.clone().inner();
        let upload = |values: Vec<f32>, shape: [usize; 3]| Tensor::<3>::from_data(TensorData::new(values, shape), &device);
        self.dictionary.encoder = upload(encoder, [1, columns, latents]);
        self.dictionary.encoder_bias = upload(bias, [1, 1, latents]);
        self.dictionary.decoder = upload(decoder, [1, latents, columns]);
        self.forget(&fires, &device);
        Ok(dead.len() as u32)
    }

    /// Zeroes the moments of latents that do not fire.
    fn forget(&mut self, fires: &[bool], device: &Device) {
        let kept: Vec<f32> = fires.iter().map(|fires| f32::from(u8::from(*fires))).collect();
        let latents = kept.len();
        let across = Tensor::<3>::from_data(TensorData::new(kept.clone(), [1, 1, latents]), device);
        let down = Tensor::<3>::from_data(TensorData::new(kept, [1, latents, 1]), device);
        let moments: Vec<(&'static str, Vec<Tensor<3>>)> =
            self.optimizer.state().into_iter().map(|(name, tensors)| (name, tensors.to_vec())).collect();
        for (name, mut tensors) in moments {
            tensors[0] = tensors[0].clone() * across.clone();
            tensors[1] = tensors[1].clone() * across.clone();
            tensors[2] = tensors[2].clone() * down.clone();
            self.optimizer.restore(name, tensors);
        }
    }
}

/// The mean of its blocks in every block.
fn shared(direction: &[f32], width: usize) -> Vec<f32> {
    let blocks = direction.len() / width;
    let of = |j: usize| direction.iter().skip(j).step_by(width).sum::<f32>() / blocks as f32;
    (0..direction.len()).map(|column| of(column % width)).collect()
}

fn square(values: &[f32]) -> f64 {
    square_of(values.iter())
}

fn square_of<'a>(values: impl Iterator<Item = &'a f32>) -> f64 {
    values.map(|v| f64::from(*v) * f64::from(*v)).sum()
}

/// The mean of `value` over latents that fire; `None` without any.
fn mean(fires: &[bool], value: impl Fn(usize) -> f64) -> Option<f64> {
    let living: Vec<f64> = (0..fires.len()).filter(|i| fires[*i]).map(value).collect();
    (!living.is_empty()).then(|| living.iter().sum::<f64>() / living.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::super::super::planted::{Kind, PlantedConfig, plant};
    use super::super::super::presets::crosscoder_preset;
    use super::*;
    use crate::crosscoder::{CrosscoderConfig, Variant};
    use crate::experiment::{preset, with_value};
    use crate::task::Dataset;

    fn fit(resample: bool) -> Fit {
        let task = with_value(&preset("quadratic-31").unwrap().experiment, "task.modulus", "31").unwrap().task;
        let data = Dataset::new(&task, 0).unwrap();
        let truth = plant(&PlantedConfig {
            seed: 2,
            sources: 2,
            width: 12,
            rows: data.rows.len(),
            density: 0.1,
            noise: 0.01,
            features: vec![(Kind::Shared, 20)],
        })
        .unwrap();
        let base = crosscoder_preset("births").unwrap().config.clone();
        let config = CrosscoderConfig {
            variant: Variant::BatchTopK,
            k: 2,
            latents: 32,
            steps: 200,
            batch_size: 128,
            learning_rate: 3e-3,
            resample,
            ..base
        };
        Fit::on_cpu(config, truth.sources, data).unwrap()
    }

    /// Makes latents that can never fire: a bias far below.
    fn kill(fit: &mut Fit, count: usize) {
        let mut bias = fit.dictionary.encoder_bias.clone().into_data().try_into_vec::<f32>().unwrap();
        bias[..count].fill(-1e3);
        fit.dictionary.encoder_bias = Tensor::from_data(TensorData::new(bias, [1, 1, 32]), &Device::flex());
    }

    fn silent(fit: &Fit) -> Vec<usize> {
        let inputs = fit.rows(&fit.fit_rows);
        let codes = fit.objective.codes(&fit.dictionary, inputs, None)[0].clone().inner();
        let codes = codes.into_data().try_into_vec::<f32>().unwrap();
        (0..32).filter(|i| codes.iter().skip(*i).step_by(32).all(|f| *f <= 0.0)).collect()
    }

    #[test]
    fn the_dead_begin_again_along_what_is_left_and_the_living_stay() {
        let mut fit = fit(true);
        while !fit.revival_is_due() {
            fit.advance();
        }
        kill(&mut fit, 4);
        let before = fit.dictionary.decoder.clone().into_data().try_into_vec::<f32>().unwrap();
        let dead = silent(&fit);
        assert!((0..4).all(|i| dead.contains(&i)));
        assert_eq!(pollster::block_on(fit.revive()).unwrap() as usize, dead.len());
        assert!(!fit.revival_is_due(), "once at each quarter");
        let after = fit.dictionary.decoder.clone().into_data().try_into_vec::<f32>().unwrap();
        for latent in 0..32 {
            let same = before[latent * 24..(latent + 1) * 24] == after[latent * 24..(latent + 1) * 24];
            assert_eq!(same, !dead.contains(&latent), "latent {latent}");
        }
        for (_, tensors) in fit.optimizer.state() {
            let moments = tensors[2].clone().into_data().try_into_vec::<f32>().unwrap();
            assert!(dead.iter().all(|i| moments[i * 24..(i + 1) * 24].iter().all(|m| *m == 0.0)));
        }
        // Along the residual of an input a revived latent fires at least there, before any competition for places.
        let rows = fit.rows(&fit.fit_rows);
        let pre = fit.dictionary.at_rest().pre(rows).inner().into_data().try_into_vec::<f32>().unwrap();
        assert!(dead.iter().all(|i| pre.iter().skip(*i).step_by(32).any(|v| *v > 0.0)));
    }

    #[test]
    fn without_the_setting_nothing_is_revived() {
        let mut fit = fit(false);
        while !fit.is_done() {
            assert!(!fit.revival_is_due());
            fit.advance();
        }
    }
}
