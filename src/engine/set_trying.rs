//! A set of latents tried, a pass at a time, beside whatever else is under way.
//!
//! A set has a hundred passes for each checkpoint, most of them controls; at one go they would hold a run for seconds.

use super::capability::EngineKind;
use super::fitting::activations;
use super::message::SetOrder;
use super::networks::Networks;
use crate::crosscoder::causal::{Anatomy, Effect, SetProbe, SetQuestion, SetTrial, answered, set_probes, summarise_set};
use crate::crosscoder::{CrosscoderResult, Place, Source};
use crate::experiment::Experiment;
use crate::record::UserError;
use crate::task::Dataset;
use burn::tensor::Device;

/// Passes under way.
pub(super) struct SetTrying {
    question: SetQuestion,
    anatomy: Anatomy,
    networks: Networks,
    probes: Vec<SetProbe>,
    effects: Vec<(Effect, Vec<f32>)>,
    seed: u64,
}

impl SetTrying {
    /// Reads the activations of the fit's own run again and lays out the passes.
    ///
    /// # Errors
    /// If the fit is not of this experiment, was kept without its arrays, or the set cannot be tried.
    pub(super) async fn new(
        experiment: &Experiment,
        order: SetOrder,
        kind: EngineKind,
        device: &Device,
    ) -> Result<Self, UserError> {
        let fit = CrosscoderResult::from(order.fit);
        fit.can_be_tried()?;
        let data = Dataset::new(&experiment.task, experiment.seed)?;
        let hooks = fit.config.hooks();
        let mut sources = Vec::with_capacity(fit.sources.len());
        for (s, info) in fit.sources.iter().enumerate() {
            let hook = fit.hook_of(s);
            let layer = hooks.iter().position(|known| *known == hook).unwrap_or(0) as u32;
            let place = Place { run: u32::from(!info.is_own()), layer };
            let width = info.width as usize;
            if !info.is_own() {
                sources.push(Source { step: info.step, width, values: Vec::new(), place });
                continue;
            }
            let read = activations(&[info.step], hook, experiment, &order.checkpoints, &data, kind, device).await?;
            sources.extend(read.into_iter().map(|source| Source { place, ..source }));
        }
        let (decoders, biases) = fit.decoders()?.into_iter().map(|decoding| (decoding.vectors, decoding.bias)).unzip();
        let is_of_fit = |(source, info): (&Source, &crate::crosscoder::SourceInfo)| source.width == info.width as usize;
        if !sources.iter().zip(&fit.sources).all(is_of_fit) || fit.activations.len() != fit.latents.len() * data.rows.len() {
            return Err(UserError::new("The latents are of another network or task", "Open the fit of this run"));
        }
        let anatomy = Anatomy { codes: fit.codes()?, sources, decoders, biases };
        let networks = Networks::new(experiment, &order.checkpoints, &anatomy.sources, hooks, kind, device)?;
        let can: Vec<bool> = anatomy.sources.iter().map(|source| networks.can_intervene(source.place)).collect();
        let probes = set_probes(&fit, &anatomy, &order.question, &can)?;
        if probes.is_empty() {
            return Err(UserError::new("Nothing can be put in where this fit reads", "Fit another hook, e.g. resid_post"));
        }
        Ok(Self { question: order.question, anatomy, networks, probes, effects: Vec::new(), seed: fit.config.seed })
    }

    /// One pass. True when all are made.
    ///
    /// # Errors
    /// If the device stopped answering.
    pub(super) async fn advance(&mut self) -> Result<bool, UserError> {
        if let Some(probe) = self.probes.get(self.effects.len()) {
            let values = self.anatomy.inserted(probe.source, &probe.insert, self.seed);
            let rows = values.len() / self.anatomy.sources[probe.source].width.max(1);
            let found = if probe.wants_answers() {
                let (effect, outputs) = self.networks.answers(probe.source, values, false).await?;
                (effect, answered(&outputs, outputs.len() / rows.max(1)))
            } else {
                (self.networks.effect(probe.source, values, probe.is_clean()).await?, Vec::new())
            };
            self.effects.push(found);
        }
        Ok(self.effects.len() >= self.probes.len())
    }

    /// Share of the passes that are made.
    pub(super) fn done(&self) -> f32 {
        self.effects.len() as f32 / self.probes.len().max(1) as f32
    }

    /// What was found.
    pub(super) fn finish(self) -> SetTrial {
        summarise_set(self.question, &self.probes, &self.effects)
    }
}
