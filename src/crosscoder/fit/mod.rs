//! The fit itself: a dictionary with one encoder and decoder block per source, trained on the device.
//!
//! The blocks of all sources lie side by side in one matrix, so that encoding and decoding are one product each. There is no
//! sort on the device (burn cannot sort on WebGPU): the batch top-k rule is a threshold found by bisection, see `threshold.rs`.

mod blocks;
mod dictionary;
mod first_threshold;
mod kept;
mod objective;
mod predicted;
#[cfg(test)]
mod reference_tests;
mod revive;
mod shuffle;
mod structure;
#[cfg(test)]
mod tests;
mod threshold;

pub use dictionary::Dictionary;
pub use objective::{Moment, Objective, Slope};
pub use structure::{Site, sites};

use self::shuffle::{analyse_in_order, permutation, shuffled};
use super::baseline::{BaselineInput, Explained, FrontierPoint, fourier, pca};
use super::causal::Anatomy;
use super::config::FIRST_THRESHOLD;
use super::{
    AnalysisInput, Codes, CrosscoderConfig, CrosscoderResult, FitRow, Null, Prepared, Source, SourceInfo, Variant, analyse,
    explained_variance, folds, prepare,
};
use crate::experiment::randomness::{Purpose, Stream};
use crate::model::lost;
use crate::record::UserError;
use crate::task::{Dataset, Row};
use crate::train::optimizer::advance;
use crate::train::{AdamW, Decay, Update};
use burn::tensor::{Device, Int, Tensor, TensorData, Transaction};

/// Updates between two rows of the live curves, at most, and rows of a short fit, at least.
const CURVE_EVERY: u32 = 50;
const CURVE_ROWS: u32 = 30;
/// Share of the updates over which the penalty rises to λ.
const LAMBDA_WARMUP: f64 = 0.05;
/// Share of the updates, at the end, over which the learning rate falls to 0.
const DECAY: f64 = 0.2;
/// Share of the updates, at the start, over which k falls to its value.
const ANNEAL: f64 = 0.2;
/// Gain in explained variance, the mean over sources, that counts as one; smaller ones are the unrest of batches.
const GAIN: f32 = 1e-3;
/// Functions of the largest baseline.
const MOST_FUNCTIONS: usize = 64;
/// Epochs without firing after which a latent counts as dead. Published: 10 million tokens, which here would be hundreds of epochs.
const DEAD_AFTER: u32 = 3;
/// Adam's moments, as in every published recipe.
const BETAS: [f64; 2] = [0.9, 0.999];

/// A fit under way.
#[derive(Debug)]
pub struct Fit {
    config: CrosscoderConfig,
    data: Dataset,
    sources: Vec<Source>,
    prepared: Vec<Prepared>,
    /// All inputs, centred and scaled, sources side by side, each as wide as the widest: `[1, rows, S·d]`.
    inputs: Tensor<3>,
    /// d of `inputs`.
    width: usize,
    fit_rows: Vec<u32>,
    held_rows: Vec<u32>,
    objective: Objective,
    dictionary: Dictionary,
    optimizer: AdamW,
    device: Device,
    step: u32,
    /// The update after which it is done.
    end: u32,
    /// Updates since each latent fired `[1, 1, m]`, on the tape's device; with an auxiliary loss only.
    silent: Option<Tensor<3>>,
    last_loss: Option<Tensor<1>>,
    /// The update after which dead latents last began again; 0 if they never did.
    revived_at: u32,
    curves: Vec<FitRow>,
}

impl Fit {
    /// Prepares a fit of `config` to `sources` (raw activations over the rows of `data`).
    ///
    /// # Errors
    /// If there are no sources, one of them does not vary, or the fold leaves nothing to fit.
    pub fn new(config: CrosscoderConfig, sources: Vec<Source>, data: Dataset, device: &Device) -> Result<Self, UserError> {
        let width = sources.iter().map(|source| source.width).max().unwrap_or(0);
        let is_of_grid = |source: &Source| source.width > 0 && source.values.len() == source.width * data.rows.len();
        if width == 0 || !sources.iter().all(is_of_grid) {
            return Err(UserError::new("The sources are not of the same inputs", "Choose runs of one task, with all its inputs"));
        }
        if config.variant == Variant::Delta && sources.iter().any(|source| source.place != sources[0].place) {
            return Err(UserError::new(
                "This variant tells what changes from checkpoint to checkpoint, and the sources are of several hooks or runs",
                "Use one hook of one run, or another variant",
            ));
        }
        // Rows of a task without tokens have no mirror; each stands for itself.
        let pair = |(index, row): (usize, &Row)| match data.sizes.tokens {
            0 => ((index >> 16) as u16, index as u16),
            _ => (row.a, row.b),
        };
        let pairs: Vec<(u16, u16)> = data.rows.iter().enumerate().map(pair).collect();
        let (fit_rows, held_rows) = folds(&pairs, config.held_out, config.seed);
        if fit_rows.len() < config.batch_size as usize || held_rows.is_empty() {
            return Err(UserError::new(
                format!("{} inputs remain for fitting, {} are held out", fit_rows.len(), held_rows.len()),
                format!("Use a batch size of at most {} and hold out at least one input", fit_rows.len()),
            ));
        }
        if config.null == Null::ShuffledPairs && sources.len() < 2 {
            return Err(UserError::new("One source has no pairs to shuffle", "Add a source, or use another null"));
        }
        let sources = if config.null == Null::ShuffledPairs { shuffled(sources, config.seed) } else { sources };
        let prepared = sources.iter().map(prepare).collect::<Result<Vec<_>, _>>()?;
        let (rows, columns) = (data.rows.len(), width * sources.len());
        let mut values = vec![0f32; rows * columns];
        for (s, source) in prepared.iter().enumerate() {
            let own = source.mean.len();
            for (row, chunk) in source.values.chunks(own).enumerate() {
                values[row * columns + s * width..][..own].copy_from_slice(chunk);
            }
        }
        let tracked = device.clone().autodiff();
        let end = config.steps;
        let sites = sites(&sources);
        let objective = Objective::new(&config, &sites, device);
        let dictionary = start(&config, &objective, &sites, device);
        let optimizer = AdamW::new(BETAS, 1e-8, &dictionary.parameters(), device);
        Ok(Self {
            silent: (config.aux > 0.0).then(|| Tensor::zeros([1, 1, config.latents as usize], &tracked)),
            objective,
            inputs: Tensor::from_data(TensorData::new(values, [1, rows, columns]), &tracked),
            width,
            config,
            data,
            sources,
            prepared,
            fit_rows,
            held_rows,
            dictionary,
            optimizer,
            device: tracked,
            step: 0,
            end,
            last_loss: None,
            revived_at: 0,
            curves: Vec::new(),
        })
    }

    /// [`Fit::new`] on the CPU, for callers that have no device.
    ///
    /// # Errors
    /// As [`Fit::new`].
    pub fn on_cpu(config: CrosscoderConfig, sources: Vec<Source>, data: Dataset) -> Result<Self, UserError> {
        Self::new(config, sources, data, &Device::flex())
    }

    /// Updates made.
    pub fn step(&self) -> u32 {
        self.step
    }

    /// Whether all updates are made.
    pub fn is_done(&self) -> bool {
        self.step >= self.end
    }

    /// Whether a row of the live curves is due.
    pub fn row_is_due(&self) -> bool {
        self.curves.last().is_none_or(|row| row.step != self.step)
            && (self.step.is_multiple_of((self.config.steps / CURVE_ROWS).clamp(1, CURVE_EVERY)) || self.is_done())
    }

    /// Makes one update.
    pub fn advance(&mut self) {
        let Slope { loss, gradients, fired } = self.slope();
        let gradients = if self.config.clip > 0.0 { clipped(gradients, self.config.clip) } else { gradients };
        if let Some(silent) = &mut self.silent {
            *silent = silent.clone().add_scalar(1.0) * (fired.ones_like() - fired);
        }
        self.step += 1;
        let left = f64::from(self.end - self.step + 1) / f64::from(self.config.steps);
        let rate = self.config.learning_rate * (left / DECAY).min(1.0);
        let device = self.device.clone().inner();
        let update = Update { t: self.step, rates: &[rate], weight_decay: &[0.0], decay_to: None, specs: &[], device: &device };
        let updated = advance(&mut self.optimizer, Decay::Decoupled, &update, self.dictionary.parameters(), gradients);
        self.dictionary = Dictionary::from_parameters(updated);
        self.last_loss = Some(loss);
    }

    /// The objective on the next batch, and its gradients.
    fn slope(&self) -> Slope {
        let made = f64::from(self.step + 1);
        let over = |share: f64| (made / (share * f64::from(self.config.steps)).max(1.0)).min(1.0);
        let (k, first) = (f64::from(self.config.k), f64::from(self.config.k_start));
        let per_epoch = self.fit_rows.len() as u32 / self.config.batch_size;
        let dead_after = f64::from(DEAD_AFTER * per_epoch);
        let moment = Moment {
            warmup: over(LAMBDA_WARMUP),
            k: if first > 0.0 { (first + (k - first) * over(ANNEAL)).round() } else { k },
            dead: self.silent.as_ref().map(|silent| silent.clone().greater_equal_scalar(dead_after).float()),
        };
        self.objective.gradients(&self.dictionary, self.rows(&self.batch_rows()), &moment)
    }

    /// Waits until the device has made all updates so far; without this a GPU's queue would grow without bound.
    ///
    /// # Errors
    /// If the device stopped answering.
    pub async fn settle(&self) -> Result<(), UserError> {
        if let Some(loss) = &self.last_loss {
            loss.clone().into_data_async().await.map_err(lost)?;
        }
        Ok(())
    }

    /// Measures the live curves on held-out inputs and appends a row.
    ///
    /// # Errors
    /// If the device stopped answering.
    pub async fn row(&mut self) -> Result<FitRow, UserError> {
        let threshold = self.threshold();
        let held = self.rows(&self.held_rows);
        let codes = self.objective.codes(&self.dictionary, held, threshold);
        let decoded = self.objective.decode(&self.dictionary, &codes);
        let mut transaction = Transaction::default().register(decoded.inner());
        // Before the first update: the objective that it will start from.
        let loss = self.last_loss.take().unwrap_or_else(|| self.slope().loss);
        transaction = transaction.register(loss);
        for codes in codes {
            transaction = transaction.register(codes.inner());
        }
        let mut answers = read(transaction).await?;
        let codes = Codes::per_source(answers.split_off(2)).union();
        let latents = self.config.latents as usize;
        let active: Vec<usize> = codes.chunks(latents).map(|f| f.iter().filter(|v| **v != 0.0).count()).collect();
        let dead = (0..latents).filter(|i| codes.iter().skip(*i).step_by(latents).all(|v| *v == 0.0)).count();
        let row = FitRow {
            step: self.step,
            loss: answers[1][0],
            l0: active.iter().sum::<usize>() as f32 / active.len() as f32,
            dead_share: dead as f32 / latents as f32,
            explained_variance: self.held_out_variance(&answers[0]),
        };
        self.curves.push(row.clone());
        if self.has_settled() {
            self.end = self.end.min(self.step + self.decay_steps());
        }
        Ok(row)
    }

    /// Updates over which the learning rate falls to 0.
    fn decay_steps(&self) -> u32 {
        (DECAY * f64::from(self.config.steps)).ceil() as u32
    }

    /// Whether the last `patience` rows explain no more than those before, and the learning rate does not fall yet.
    fn has_settled(&self) -> bool {
        let patience = self.config.patience as usize;
        if patience == 0 || self.curves.len() <= patience || self.step + self.decay_steps() >= self.end {
            return false;
        }
        let mean = |row: &FitRow| row.explained_variance.iter().sum::<f32>() / row.explained_variance.len().max(1) as f32;
        let best = |rows: &[FitRow]| rows.iter().map(mean).fold(f32::NEG_INFINITY, f32::max);
        let (before, lately) = self.curves.split_at(self.curves.len() - patience);
        best(lately) < best(before) + GAIN
    }

    /// Encodes the whole grid, undoes the scaling and classifies every latent; and hands over what interventions need.
    ///
    /// # Errors
    /// If the device stopped answering.
    pub async fn finish(mut self, wall_seconds: f64) -> Result<(CrosscoderResult, Anatomy), UserError> {
        if self.row_is_due() {
            self.row().await?;
        }
        if self.config.block_width() > 1 {
            self.turn_blocks().await?;
        }
        let threshold = self.threshold();
        let predicted = self.predicted(threshold.as_ref()).await?;
        let codes = self.objective.codes(&self.dictionary, self.inputs.clone(), threshold.clone());
        let per_source = codes.len();
        let mut transaction = Transaction::default();
        for codes in codes {
            transaction = transaction.register(codes.inner());
        }
        // The order in which `weights` is read below: encoder, its bias, decoder, its bias, and θ where there is one.
        let dictionary = self.dictionary.at_rest().masked(self.objective.structure());
        for parameter in [dictionary.encoder, dictionary.encoder_bias, dictionary.decoder, dictionary.decoder_bias] {
            transaction = transaction.register(parameter.inner());
        }
        if let Some(threshold) = threshold.or(dictionary.log_threshold.map(Tensor::exp)) {
            transaction = transaction.register(threshold.inner());
        }
        let mut answers = read(transaction).await?;
        let weights = answers.split_off(per_source);
        let codes = Codes::per_source(answers);
        // The decoder and its bias of each source, in raw activation units.
        let decoders: Vec<Vec<f32>> =
            self.prepared.iter().enumerate().map(|(s, p)| p.raw_decoder(&self.block(&weights[2], s))).collect();
        let biases: Vec<Vec<f32>> =
            self.prepared.iter().enumerate().map(|(s, p)| p.raw_bias(&self.block(&weights[3], s))).collect();
        let input = AnalysisInput {
            sources: &self.sources,
            codes: &codes,
            decoders: &decoders,
            biases: &biases,
            data: &self.data,
            held: &self.held_rows,
        };
        let found = if self.config.null == Null::PermutedLabels {
            let order = permutation(self.data.rows.len(), self.config.seed, 0);
            analyse_in_order(&input, &order)?
        } else {
            analyse(&input)?
        };
        let weights = self.file(&weights)?;
        let result = CrosscoderResult {
            sources: self.source_infos(),
            curves: self.curves,
            explained_variance: found.explained_variance,
            predicted,
            l0: found.l0,
            l0_per_source: found.l0_per_source,
            l0_quantiles: found.l0_quantiles,
            alive: found.alive,
            shared: found.shared,
            emergent: found.emergent,
            emergent_confirmed: found.emergent_confirmed,
            vanished: found.vanished,
            residue_energy_share: found.residue_energy_share,
            latents: found.latents,
            twins: found.twins,
            wall_seconds,
            activations: found.activations,
            weights,
            causal: None,
            origin: None,
            baselines: Vec::new(),
            config: self.config,
        };
        Ok((result, Anatomy { sources: self.sources, codes, decoders, biases }))
    }

    /// The columns of source `s` in rows of all columns: `[rows, S·d]` → `[rows, own width]`.
    fn block(&self, values: &[f32], s: usize) -> Vec<f32> {
        let columns = self.width * self.sources.len();
        values.chunks(columns).flat_map(|row| &row[s * self.width..][..self.sources[s].width]).copied().collect()
    }

    /// What principal components and plane waves explain with 1, 2, 4, … functions, on the same rows and the same fold; none for what
    /// cannot be had.
    pub fn baselines(&self) -> Vec<FrontierPoint> {
        let input = BaselineInput { sources: &self.sources, fit: &self.fit_rows, held: &self.held_rows };
        let most = self.sources.iter().map(|source| source.width).sum::<usize>().min(self.fit_rows.len() / 2);
        let counts: Vec<usize> = (0..=MOST_FUNCTIONS.ilog2()).map(|power| 1 << power).filter(|count| *count <= most).collect();
        let points = |name: &'static str, found: Vec<Explained>| {
            found.into_iter().map(move |explained| FrontierPoint::of_basis(name, &explained)).collect::<Vec<_>>()
        };
        let components = pca(&input, &counts).map(|found| points("principal components", found));
        let waves = fourier(&input, &self.data, &counts).map(|found| points("plane waves", found.explained));
        [components, waves].into_iter().flatten().flatten().collect()
    }

    /// What each source looked like before the fit.
    pub fn source_infos(&self) -> Vec<SourceInfo> {
        self.sources.iter().zip(&self.prepared).map(|(source, prepared)| prepared.info(source.step)).collect()
    }

    /// θ of the inference rule, found over all fitted inputs; `None` where the variant needs none.
    ///
    /// Published trainers average the thresholds of late batches; the grid is small, so the exact one is at hand.
    fn threshold(&self) -> Option<Tensor<3>> {
        self.objective.threshold(&self.dictionary, self.rows(&self.fit_rows))
    }

    /// Rows of this update: epoch e visits the fitted rows in the permutation number e.
    fn batch_rows(&self) -> Vec<u32> {
        let (rows, size) = (self.fit_rows.len(), self.config.batch_size as usize);
        let per_epoch = rows / size;
        let (epoch, batch) = (self.step as usize / per_epoch, self.step as usize % per_epoch);
        let order = Stream::new(self.config.seed, Purpose::CrosscoderBatch, epoch as u64).permutation(rows);
        order.into_iter().skip(batch * size).take(size).map(|position| self.fit_rows[position as usize]).collect()
    }

    fn rows(&self, rows: &[u32]) -> Tensor<3> {
        let index: Vec<i32> = rows.iter().map(|row| *row as i32).collect();
        let length = index.len();
        let index: Tensor<1, Int> = Tensor::from_data(TensorData::new(index, [length]), &self.device);
        self.inputs.clone().select(1, index)
    }

    /// Held-out explained variance per source from decoded held-out inputs `[held, S·d]` (scaled units; the ratio has none).
    fn held_out_variance(&self, decoded: &[f32]) -> Vec<f32> {
        (0..self.sources.len())
            .map(|s| {
                let (values, width) = (&self.prepared[s].values, self.sources[s].width);
                let x: Vec<f32> = self
                    .held_rows
                    .iter()
                    .flat_map(|row| &values[*row as usize * width..(*row as usize + 1) * width])
                    .copied()
                    .collect();
                explained_variance(&x, &self.block(decoded, s), width) as f32
            })
            .collect()
    }
}

/// Starting dictionary: random directions of norm `decoder_norm` (one per latent, or one per latent and source), encoder the
/// transpose divided by the sources that it reads, biases 0.
fn start(config: &CrosscoderConfig, objective: &Objective, sites: &[Site], device: &Device) -> Dictionary {
    let structure = objective.structure();
    let width = sites.iter().map(|site| site.width).max().unwrap_or(1);
    let (latents, columns) = (config.latents as usize, sites.len() * width);
    let mut decoder = vec![0f32; latents * columns];
    for (s, site) in sites.iter().enumerate() {
        let stream = if config.same_direction { 0 } else { s as u64 };
        let mut draw = Stream::new(config.seed, Purpose::CrosscoderInit, stream);
        for latent in 0..latents {
            let direction: Vec<f64> = (0..site.width).map(|_| draw.normal()).collect();
            let norm = direction.iter().map(|v| v * v).sum::<f64>().sqrt();
            if structure.is_shared(latent) && s > 0 {
                let first = latent * columns;
                decoder.copy_within(first..first + width, first + s * width);
                continue;
            }
            for (j, v) in direction.iter().enumerate() {
                decoder[latent * columns + s * width + j] = (v / norm * config.decoder_norm) as f32;
            }
        }
    }
    let encoder: Vec<f32> = (0..columns * latents)
        .map(|i| decoder[(i % latents) * columns + i / latents] / structure.reads(i % latents) as f32)
        .collect();
    Dictionary {
        encoder: Tensor::from_data(TensorData::new(encoder, [1, columns, latents]), device),
        encoder_bias: Tensor::zeros([1, 1, latents], device),
        decoder: Tensor::from_data(TensorData::new(decoder, [1, latents, columns]), device),
        decoder_bias: Tensor::zeros([1, 1, columns], device),
        log_threshold: config.variant.learns_threshold().then(|| {
            let lists = if config.variant.is_per_source() { sites.len() } else { 1 };
            Tensor::zeros([1, lists, latents], device).add_scalar(FIRST_THRESHOLD.ln())
        }),
    }
}

/// Gradients shortened so that all together are at most `most` long.
fn clipped(gradients: Vec<Tensor<3>>, most: f64) -> Vec<Tensor<3>> {
    let square = |gradient: &Tensor<3>| (gradient.clone() * gradient.clone()).sum();
    let Some(squares) = gradients.iter().map(square).reduce(|sum, one| sum + one) else { return gradients };
    // Never longer than they were; a gradient of zero stays zero.
    let factor = squares.add_scalar(f32::MIN_POSITIVE).sqrt().recip().mul_scalar(most).clamp_max(1.0).reshape([1, 1, 1]);
    gradients.into_iter().map(|gradient| gradient * factor.clone()).collect()
}

async fn read(transaction: Transaction) -> Result<Vec<Vec<f32>>, UserError> {
    transaction.execute_async().await.map_err(lost)?.into_iter().map(|data| data.try_into_vec::<f32>().map_err(lost)).collect()
}
