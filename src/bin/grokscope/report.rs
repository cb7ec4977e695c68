//! `report`: a fit on one page.

use super::{folder, say, shown};
use grokscope::crosscoder::CrosscoderResult;
use grokscope::plot::Theme;
use grokscope::record::UserError;
use std::path::{Path, PathBuf};

/// Writes the report on the first of `fits` of the run in `run`; the others are its controls.
pub fn run(run: &Path, fits: &[PathBuf], out: &Path) -> Result<(), UserError> {
    let archive = folder::read(run)?;
    let fits = fits.iter().map(|dir| CrosscoderResult::from_files(folder::files(dir)?)).collect::<Result<Vec<_>, _>>()?;
    // An SVG in memory cannot fail to be drawn.
    let text = grokscope::report::report(&archive, &fits, &|picture, width, height| {
        picture.to_svg(width, height, &Theme::light()).unwrap_or_default()
    })?;
    folder::write_file(out, text.as_bytes())?;
    say(&format!("{}: {} KB", shown(out), text.len() / 1000));
    Ok(())
}
