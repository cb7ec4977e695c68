//! `external`, `dictionary` and `saelens`: activations and dictionaries from other programs, and dictionaries for them.

use super::{fit, folder, say};
use grokscope::crosscoder::interop::{import, saelens_files, settings_beside};
use grokscope::crosscoder::{CrosscoderConfig, pick_sources};
use grokscope::engine::capability::EngineWish;
use grokscope::engine::message::{Command, Ground, NamedFile};
use grokscope::record::{Archive, Checkpoint, UserError};
use std::path::{Path, PathBuf};

/// Fits `config` to the activations in `file` and writes the result's files to `out`.
pub fn external(file: &Path, config: CrosscoderConfig, out: &Path) -> Result<(), UserError> {
    fit::check_free(out)?;
    let (steps, file) = (config.steps, named(file)?);
    fit::answer(Command::FitActivations { config, file, engine: EngineWish::Cpu }, steps, out)
}

/// What a dictionary is put on.
pub enum On {
    Run(Box<Archive>),
    Activations(NamedFile),
}

/// The run in a folder, or the activations in a file.
pub fn ground(run: Option<&Path>, activations: Option<&Path>) -> Result<On, UserError> {
    match (run, activations) {
        (Some(run), _) => Ok(On::Run(Box::new(folder::read(run)?))),
        (None, Some(file)) => Ok(On::Activations(named(file)?)),
        (None, None) => Err(UserError::new("There is nothing to put the dictionary on", "Give --run or --activations")),
    }
}

/// Writes to `out` what the dictionary holds. Its sources are those of `config`; without them those that a summary beside the
/// weights names, or those picked from the curves.
pub fn dictionary(dictionary: &Path, mut config: CrosscoderConfig, on: On, out: &Path) -> Result<(), UserError> {
    fit::check_free(out)?;
    let file = weights(dictionary);
    let beside = beside(&file)?;
    if let Some(said) = beside.as_deref().and_then(settings_beside).filter(|_| config.sources.is_empty()) {
        (config.sources, config.hook) = (said.sources, said.hook);
    }
    let ground = match on {
        On::Activations(file) => Ground::Activations(file),
        On::Run(run) => {
            let saved: Vec<u32> = run.checkpoints.iter().map(|checkpoint| checkpoint.step).collect();
            if config.sources.is_empty() {
                config.sources = pick_sources(&run.rows, &saved)?;
            }
            let wanted = |checkpoint: &Checkpoint| config.sources.contains(&checkpoint.step);
            Ground::Run(Box::new(run.experiment), run.checkpoints.into_iter().filter(wanted).collect())
        }
    };
    let file = named(&file)?;
    fit::answer(Command::OpenDictionary { config, file, beside, ground, engine: EngineWish::Cpu }, 0, out)
}

fn named(file: &Path) -> Result<NamedFile, UserError> {
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok(NamedFile { name, bytes: folder::bytes(file)? })
}

/// The weights of a fit's folder, or the file itself.
fn weights(dictionary: &Path) -> PathBuf {
    if dictionary.is_dir() { dictionary.join("weights.safetensors") } else { dictionary.to_path_buf() }
}

/// The JSON file that belongs to weights: SAELens, OpenMOSS, or a result of this program.
fn beside(file: &Path) -> Result<Option<String>, UserError> {
    let there =
        ["cfg.json", "config.json", "summary.json"].map(|name| file.with_file_name(name)).into_iter().find(|path| path.exists());
    there.map(|path| folder::text(&path)).transpose()
}

/// Writes the dictionary of a fit, or of another program's file, as one SAELens folder per source.
pub fn saelens(dictionary: &Path, out: &Path) -> Result<(), UserError> {
    let file = weights(dictionary);
    let (found, layout) = import(&folder::bytes(&file)?, beside(&file)?.as_deref())?;
    let names: Vec<String> = (0..found.sources).map(|source| format!("source-{source}")).collect();
    let files = saelens_files(&found, &names)?;
    say(&format!("read as {}: {} sources, {} latents, width {}", layout.name(), found.sources, found.latents, found.width));
    files.iter().for_each(|(path, bytes)| say(&format!("{path}  {} KB", bytes.len() / 1000)));
    folder::write(out, files)
}
