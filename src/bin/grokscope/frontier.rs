//! `frontier`: what fits of one run explain with how many active latents, beside codes that know no features, and what autoencoders
//! of single checkpoints tell when they are matched.

use super::{folder, say};
use grokscope::crosscoder::baseline::{FrontierPoint, chains_of, dominated};
use grokscope::crosscoder::{CrosscoderResult, LatentClass};
use grokscope::record::UserError;
use std::path::PathBuf;

/// Prints the frontier of the fits in `folders`, which are of the same sources; baselines are those of the first.
pub fn run(folders: &[PathBuf]) -> Result<(), UserError> {
    let fits = folders.iter().map(|dir| CrosscoderResult::from_files(folder::files(dir)?)).collect::<Result<Vec<_>, _>>()?;
    let labels = |fit: &CrosscoderResult| fit.sources.iter().map(|source| source.label()).collect::<Vec<_>>();
    if let Some(other) = fits.iter().find(|fit| labels(fit) != labels(&fits[0])) {
        return Err(UserError::new(
            format!("The fit {} is of other sources than {}", other.config.name, fits[0].config.name),
            "Compare fits of the same checkpoints",
        ));
    }
    let mut points: Vec<FrontierPoint> = fits
        .iter()
        .zip(folders)
        .map(|(fit, folder)| {
            let name = folder.file_name().map_or_else(|| fit.config.name.clone(), |name| name.to_string_lossy().into_owned());
            FrontierPoint::of_fit(name, fit)
        })
        .collect();
    points.extend(fits.first().map(|fit| fit.baselines.clone()).unwrap_or_default());
    say("| code | active | dictionary | unexplained of each source | |");
    say("|---|---|---|---|---|");
    for (point, is_beaten) in points.iter().zip(dominated(&points)) {
        let each: Vec<String> = point.unexplained.iter().map(|share| format!("{share:.3}")).collect();
        say(&format!(
            "| {} | {:.1} | {} | {} | {} |",
            point.name,
            point.active,
            point.dictionary,
            each.join(" / "),
            if is_beaten { "beaten" } else { "frontier" }
        ));
    }
    // Fits in which each latent belongs to one source are autoencoders of single checkpoints.
    for (fit, folder) in fits.iter().zip(folders).filter(|(fit, _)| fit.config.dedicated_latents > 0.0) {
        let matched = chains_of(fit)?;
        let counts: Vec<String> = LatentClass::ALL
            .into_iter()
            .map(|class| (class, matched.count(class)))
            .filter(|(_, count)| *count > 0)
            .map(|(class, count)| format!("{count} {}", class.name()))
            .collect();
        say(&format!("{}: autoencoders of single checkpoints, matched: {}", folder.display(), counts.join(", ")));
    }
    Ok(())
}
