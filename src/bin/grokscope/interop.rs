//! `external` and `saelens`: activations from other programs, and dictionaries for them.

use super::{fit, folder, progress, say, shown};
use grokscope::crosscoder::fit::Fit;
use grokscope::crosscoder::interop::{ExternalActivations, import, saelens_files};
use grokscope::crosscoder::{CrosscoderConfig, CrosscoderResult, Null};
use grokscope::record::UserError;
use std::path::Path;

/// Fits `config` to the activations in `file` and writes the result's files to `out`.
pub fn external(file: &Path, config: CrosscoderConfig, out: &Path) -> Result<(), UserError> {
    if out.join("summary.json").exists() {
        return Err(UserError::new(format!("{} already holds a result", shown(out)), "Name another folder or remove that one"));
    }
    if matches!(config.null, Null::Repeated | Null::Untrained) {
        return Err(UserError::new(
            format!("The null {} reads networks, and here are none", config.null.name()),
            "Use shuffled_pairs or permuted_labels, or name one checkpoint's activations several times in the file",
        ));
    }
    let found = ExternalActivations::read(&folder::bytes(file)?)?;
    say(&format!("sources {}: {} rows", found.names.join(", "), found.rows));
    let data = found.dataset();
    let steps = found.sources.iter().map(|source| source.step).collect();
    // Without the network there is nothing to put changed activations into.
    let config = CrosscoderConfig { sources: steps, probe: false, ..config };
    let bar = progress(u64::from(config.steps), "update");
    let started = std::time::Instant::now();
    let mut fit = Fit::on_cpu(config, found.sources, data)?;
    pollster::block_on(fit.check_first_threshold())?;
    while !fit.is_done() {
        if fit.row_is_due() {
            let row = pollster::block_on(fit.row())?;
            if row.step > 0 && !row.loss.is_finite() {
                return Err(UserError::new(
                    format!("The fit's loss stopped being a number at update {}", row.step),
                    "Lower the fit's learning rate or λ",
                ));
            }
            bar.set_position(u64::from(row.step));
        }
        fit.advance();
    }
    bar.finish_and_clear();
    let (result, _) = pollster::block_on(fit.finish(0.0))?;
    let result = CrosscoderResult { wall_seconds: started.elapsed().as_secs_f64(), ..result };
    folder::write(out, result.to_files()?)?;
    fit::print(&result);
    Ok(())
}

/// Writes the dictionary of a fit, or of another program's file, as one SAELens folder per source.
pub fn saelens(dictionary: &Path, out: &Path) -> Result<(), UserError> {
    let file = if dictionary.is_dir() { dictionary.join("weights.safetensors") } else { dictionary.to_path_buf() };
    let beside = file.with_file_name("cfg.json");
    let config = beside.exists().then(|| folder::text(&beside)).transpose()?;
    let (found, layout) = import(&folder::bytes(&file)?, config.as_deref())?;
    let names: Vec<String> = (0..found.sources).map(|source| format!("source-{source}")).collect();
    let files = saelens_files(&found, &names)?;
    say(&format!("read as {}: {} sources, {} latents, width {}", layout.name(), found.sources, found.latents, found.width));
    files.iter().for_each(|(path, bytes)| say(&format!("{path}  {} KB", bytes.len() / 1000)));
    folder::write(out, files)
}
