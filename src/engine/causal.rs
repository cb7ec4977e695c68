//! What `crosscoder::causal` wants to know of the networks behind a fit, a little at a time: interventions on classes, then what each
//! latent does by gradients, then some of them taken out to check.

use super::capability::EngineKind;
use super::networks::Networks;
use crate::crosscoder::causal::{
    Anatomy, Attribution, Effect, Insert, PATH_POINTS, Probe, Ranked, Replacement, Single, checked, probes, ranked_inserts,
    summarise,
};
use crate::crosscoder::{CrosscoderResult, LatentClass};
use crate::experiment::Experiment;
use crate::record::{Checkpoint, UserError};
use burn::tensor::Device;

/// Interventions under way.
pub(super) struct Probing {
    result: CrosscoderResult,
    anatomy: Anatomy,
    probes: Vec<Probe>,
    effects: Vec<Effect>,
    /// Sources that are distinct and where anything can be put in.
    sources: Vec<usize>,
    /// Points of the paths of gradients that are done, over all sources.
    points: u32,
    /// Effects of the latents at the source whose path is under way.
    path: Vec<f64>,
    attributions: Vec<Attribution>,
    /// Latents to take out exactly, (source, latent).
    to_check: Vec<(usize, u32)>,
    singles: Vec<Single>,
    /// With and without the latents of the largest attributions: source, n, whether they are kept, what is put in.
    ranks: Vec<(usize, u32, bool, Insert)>,
    ranked: Vec<Effect>,
    networks: Networks,
    /// For gradients, on the CPU: there are few of them, and backward passes through a cut network are no work that a GPU was tested
    /// with. The same as `networks` where those are on the CPU.
    sloping: Option<Networks>,
}

impl Probing {
    pub(super) fn new(
        result: CrosscoderResult,
        anatomy: Anatomy,
        experiment: &Experiment,
        checkpoints: &[Checkpoint],
        kind: EngineKind,
        device: &Device,
    ) -> Result<Self, UserError> {
        let networks = Networks::new(experiment, checkpoints, &anatomy.sources, result.config.hooks(), kind, device)?;
        let cpu = Device::flex();
        let beside = || Networks::new(experiment, checkpoints, &anatomy.sources, result.config.hooks(), EngineKind::Cpu, &cpu);
        let sloping = (kind != EngineKind::Cpu).then(beside).transpose()?;
        let can_intervene: Vec<bool> = anatomy.sources.iter().map(|source| networks.can_intervene(source.place)).collect();
        let probes = probes(&result, &anatomy, &can_intervene);
        let mut sources: Vec<usize> = probes.iter().map(|probe| probe.source).collect();
        sources.sort_unstable();
        sources.dedup();
        Ok(Self {
            probes,
            effects: Vec::new(),
            sources,
            points: 0,
            path: Vec::new(),
            attributions: Vec::new(),
            to_check: Vec::new(),
            singles: Vec::new(),
            ranks: Vec::new(),
            ranked: Vec::new(),
            result,
            anatomy,
            networks,
            sloping,
        })
    }

    /// One pass through a network. True when all are made.
    ///
    /// # Errors
    /// If the device stopped answering.
    pub(super) async fn advance(&mut self) -> Result<bool, UserError> {
        if let Some(probe) = self.probes.get(self.effects.len()) {
            let values = self.anatomy.inserted(probe.source, &probe.insert, self.result.config.seed);
            let effect = self.networks.effect(probe.source, values, probe.insert == Insert::Clean).await?;
            self.effects.push(effect);
        } else if let Some(&source) = self.sources.get(self.attributions.len()) {
            self.attribute(source).await?;
        } else if let Some(&(source, latent)) = self.to_check.get(self.singles.len()) {
            let rise = self.rise(source, vec![latent]).await?;
            let of_source = |a: &&Attribution| a.source as usize == source;
            let attributed = self.attributions.iter().find(of_source).map_or(0.0, |a| f64::from(a.effects[latent as usize]));
            self.singles.push(Single { latent, source: source as u32, attributed, rise });
        } else if let Some((source, .., insert)) = self.ranks.get(self.ranked.len()) {
            let values = self.anatomy.inserted(*source, insert, self.result.config.seed);
            self.ranked.push(self.networks.effect(*source, values, false).await?);
        }
        Ok(self.made() == self.planned())
    }

    /// One point of the path of gradients at `source`.
    async fn attribute(&mut self, source: usize) -> Result<(), UserError> {
        let point = self.points % PATH_POINTS;
        if point == 0 {
            self.path = vec![0.0; self.result.latents.len()];
        }
        let share = (f64::from(point) + 0.5) / f64::from(PATH_POINTS);
        let networks = self.sloping.as_mut().unwrap_or(&mut self.networks);
        let slopes = networks.slope(source, self.anatomy.faded(source, share)).await?;
        self.anatomy.attribute(source, &slopes, &mut self.path);
        self.points += 1;
        if point + 1 < PATH_POINTS {
            return Ok(());
        }
        let alive: Vec<u32> =
            self.result.latents.iter().filter(|l| l.class != LatentClass::Dead).map(|latent| latent.index).collect();
        let of_all = self.rise(source, alive.clone()).await?;
        let effects: Vec<f32> = self.path.iter().map(|effect| *effect as f32).collect();
        self.ranks.extend(ranked_inserts(&effects, &alive).into_iter().map(|(n, is_keep, insert)| (source, n, is_keep, insert)));
        self.to_check.extend(checked(&effects, &alive).into_iter().map(|latent| (source, latent)));
        self.attributions.push(Attribution { source: source as u32, effects, of_all });
        Ok(())
    }

    /// By how much the test loss rises at `source` without `latents`.
    async fn rise(&mut self, source: usize, latents: Vec<u32>) -> Result<f64, UserError> {
        let without = Insert::Without(latents, Replacement::Zero);
        let values = self.anatomy.inserted(source, &without, self.result.config.seed);
        let effect = self.networks.effect(source, values, false).await?;
        let is_clean = |(probe, _): &(&Probe, &Effect)| probe.source == source && probe.insert == Insert::Clean;
        let clean = self.probes.iter().zip(&self.effects).find(is_clean).map_or(0.0, |(_, effect)| effect.test_loss);
        Ok(effect.test_loss - clean)
    }

    fn made(&self) -> usize {
        self.effects.len() + self.points as usize + self.singles.len() + self.ranked.len()
    }

    /// What there is to do, as far as it is known: which latents are checked is decided by the gradients.
    fn planned(&self) -> usize {
        self.probes.len() + self.sources.len() * PATH_POINTS as usize + self.to_check.len() + self.ranks.len()
    }

    /// Share of the passes that are made.
    pub(super) fn done(&self) -> f32 {
        self.made() as f32 / self.planned().max(1) as f32
    }

    /// The fit's result with what its latents do.
    pub(super) fn finish(mut self) -> CrosscoderResult {
        let mut causal = summarise(&self.result, &self.anatomy, &self.probes, &self.effects);
        let ranked = |source: usize| {
            let of = |is_keep: bool| {
                let all = self.ranks.iter().zip(&self.ranked);
                let these = all.filter(|((known, _, keeps, _), _)| (*known, *keeps) == (source, is_keep));
                these.map(|((_, n, ..), effect)| (*n, *effect)).collect()
            };
            Ranked { source: source as u32, keep: of(true), remove: of(false) }
        };
        causal.ranked = self.sources.iter().map(|source| ranked(*source)).collect();
        (causal.attributions, causal.singles) = (self.attributions, self.singles);
        self.result.causal = Some(causal);
        self.result
    }
}
