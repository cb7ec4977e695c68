//! The archive as one zip: a plain one that every tool opens, with the same bytes for the same run.
//!
//! A zip from outside may be anything, so sizes are bounded while inflating (headers lie), paths that lead out of the folder
//! are ignored, and what is broken is named. Weights are stored, not deflated: they shrink by a tenth and cost seconds.

use super::UserError;
use super::archive::{Archive, ArchiveFile, is_safe};
use std::io::{Cursor, Read as _, Write as _};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Most bytes that all files of a zip may have together, inflated.
pub const MAX_ARCHIVE_BYTES: u64 = 2_000_000_000;
/// Most files in a zip.
pub const MAX_ARCHIVE_FILES: usize = 100_000;

impl Archive {
    /// The run as a zip. Equal runs give equal bytes: no clock is written.
    ///
    /// # Errors
    /// As [`Archive::to_files`].
    pub fn to_zip(&self) -> Result<Vec<u8>, UserError> {
        zip_files(self.to_files()?)
    }

    /// Reads a zip of a run. A single folder around all files is fine.
    ///
    /// # Errors
    /// If it is no zip, is cut off or damaged, is too large, or lacks a part; the part is named.
    pub fn from_zip(bytes: &[u8]) -> Result<Self, UserError> {
        Self::from_files(unzip_files(bytes, MAX_ARCHIVE_BYTES)?)
    }
}

/// Packs files.
///
/// # Errors
/// The zip writer's words.
pub fn zip_files(files: Vec<ArchiveFile>) -> Result<Vec<u8>, UserError> {
    let failed = |e: String| UserError::new(format!("The archive could not be written ({e})"), "Free some memory and try again");
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        let method = if path.ends_with(".safetensors") { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(path, options).map_err(|e| failed(e.to_string()))?;
        zip.write_all(&bytes).map_err(|e| failed(e.to_string()))?;
    }
    Ok(zip.finish().map_err(|e| failed(e.to_string()))?.into_inner())
}

/// Unpacks files, at most `max_bytes` of them. If `experiment.json` lies in a folder, that folder is taken off all paths.
///
/// # Errors
/// See [`Archive::from_zip`].
pub fn unzip_files(bytes: &[u8], max_bytes: u64) -> Result<Vec<ArchiveFile>, UserError> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|e| {
        UserError::new(format!("This is no whole zip archive ({e})"), "Export the run again; the file may be cut off")
    })?;
    if zip.len() > MAX_ARCHIVE_FILES {
        return Err(UserError::new(
            format!("The archive holds {} files", zip.len()),
            format!("At most {MAX_ARCHIVE_FILES} are read"),
        ));
    }
    let mut files: Vec<ArchiveFile> = Vec::new();
    let mut left = max_bytes;
    for index in 0..zip.len() {
        let damaged =
            |name: &str, e: String| UserError::new(format!("{name} in the archive is damaged ({e})"), "Export the run again");
        let entry = zip.by_index(index).map_err(|e| damaged(&format!("File {}", index + 1), e.to_string()))?;
        let path = entry.name().to_string();
        if !entry.is_file() || !is_safe(&path) {
            continue;
        }
        let mut content = Vec::new();
        entry.take(left + 1).read_to_end(&mut content).map_err(|e| damaged(&path, e.to_string()))?;
        left = left.checked_sub(content.len() as u64).ok_or_else(|| {
            UserError::new(format!("The archive holds more than {} MB", max_bytes / 1_000_000), "Remove checkpoints from it")
        })?;
        files.push((path, content));
    }
    let folder = files.iter().filter_map(|(path, _)| path.strip_suffix("experiment.json")).min_by_key(|f| f.len());
    if let Some(folder) = folder.filter(|f| f.ends_with('/')).map(str::to_string) {
        files = files.into_iter().filter_map(|(path, bytes)| Some((path.strip_prefix(&folder)?.to_string(), bytes))).collect();
    }
    Ok(files)
}
