//! Fits to activations from elsewhere, and dictionaries from elsewhere: they begin with a file and go on as any fit does.
//!
//! The page has looked at the same file before it asked. It is read again here, because what the engine computes must not hang on
//! what a page believed, and because the terminal asks without a page.

use super::capability::EngineKind;
use super::fitting::{Fitting, Work, activations, examined};
use super::message::{Ground, NamedFile};
use crate::crosscoder::interop::{ExternalActivations, import};
use crate::crosscoder::{CrosscoderConfig, Origin, fit::Fit};
use crate::record::UserError;
use crate::task::Dataset;
use burn::tensor::Device;

impl Fitting {
    /// A fit of `config` to the sources in `file`, with whatever the file says of its rows.
    ///
    /// # Errors
    /// If the file cannot be read, or the settings do not fit its sizes.
    pub(super) async fn of_activations(
        config: CrosscoderConfig,
        file: &NamedFile,
        kind: EngineKind,
        device: &Device,
    ) -> Result<Self, UserError> {
        let found = ExternalActivations::read(&file.bytes)?;
        let widest = found.sources.iter().map(|source| source.width).max().unwrap_or(0);
        // Without the network there is nothing to put changed activations into.
        let steps = found.sources.iter().map(|source| source.step).collect();
        let config = CrosscoderConfig { sources: steps, probe: false, ..config };
        config.validate_on_activations(found.known.count as u32, widest)?;
        let (rows, updates) = (found.foreign_rows(&file.name), config.steps);
        let fit = Fit::new(config, found.sources, found.known.dataset(), device)?;
        fit.check_first_threshold().await?;
        Ok(Self::begun(Work::Fit(Box::new(fit)), None, updates, kind, device).from(Origin::Activations(rows)))
    }

    /// The dictionary in `file` on `ground`: analysed at once, its latents taken out by and by if `config` says so and there is a
    /// network.
    ///
    /// # Errors
    /// If a file cannot be read, or the dictionary does not fit what it is put on.
    pub(super) async fn of_dictionary(
        config: CrosscoderConfig,
        file: &NamedFile,
        beside: Option<&str>,
        ground: Ground,
        kind: EngineKind,
        device: &Device,
    ) -> Result<Self, UserError> {
        let (dictionary, layout) = import(&file.bytes, beside)?;
        let origin = |on| Origin::Dictionary {
            file: file.name.clone(),
            layout: layout.name().to_owned(),
            rule: dictionary.nonlinearity.name().to_owned(),
            on,
        };
        let (opened, run) = match ground {
            Ground::Run(experiment, checkpoints) => {
                let saved: Vec<u32> = checkpoints.iter().map(|checkpoint| checkpoint.step).collect();
                dictionary.check_on_run(&config, &experiment, &saved)?;
                let data = Dataset::new(&experiment.task, experiment.seed)?;
                let (steps, hook) = (config.sources.clone(), config.hook);
                let sources = activations(&steps, hook, &experiment, &checkpoints, &data, kind, device).await?;
                (dictionary.open(config, origin(None), sources, &data)?, Some((*experiment, checkpoints)))
            }
            Ground::Activations(on) => {
                let found = ExternalActivations::read(&on.bytes)?;
                let steps = found.sources.iter().map(|source| source.step).collect();
                let config = CrosscoderConfig { sources: steps, probe: false, ..config };
                let (rows, data) = (found.foreign_rows(&on.name), found.known.dataset());
                (dictionary.open(config, origin(Some(rows)), found.sources, &data)?, None)
            }
        };
        let (result, anatomy) = opened;
        let work = examined(result, anatomy, run.as_ref(), kind, device)?;
        Ok(Self::begun(work, run, 0, kind, device))
    }
}
