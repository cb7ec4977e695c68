//! `agree`: whether fits with other seeds find the same latents.

use super::{folder, say};
use grokscope::crosscoder::{CrosscoderResult, PARTNER_FROM, agreement};
use grokscope::record::UserError;
use std::path::PathBuf;

/// Compares the fit in the first of `dirs` with the others and prints a line per class.
pub fn run(dirs: &[PathBuf]) -> Result<(), UserError> {
    let fits = dirs.iter().map(|dir| CrosscoderResult::from_files(folder::files(dir)?)).collect::<Result<Vec<_>, _>>()?;
    say(&format!("Partners: activations correlate by at least {PARTNER_FROM}, one to one."));
    say("| class in the first fit | latents | found in the others | with the same class |\n|---|---|---|---|");
    for found in agreement(&fits)? {
        let percent = |share: f64| format!("{:.0}%", 100.0 * share);
        say(&format!("| {} | {} | {} | {} |", found.class.name(), found.count, percent(found.found), percent(found.same_class)));
    }
    Ok(())
}
