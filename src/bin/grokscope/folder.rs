//! Runs as folders: the files of an archive, unzipped.

use super::shown;
use grokscope::record::{Archive, UserError};
use std::fs;
use std::path::Path;

pub fn bytes(path: &Path) -> Result<Vec<u8>, UserError> {
    fs::read(path).map_err(|e| UserError::new(format!("{} cannot be read ({e})", shown(path)), "Check the path"))
}

pub fn text(path: &Path) -> Result<String, UserError> {
    String::from_utf8(bytes(path)?).map_err(|_| UserError::new(format!("{} is not text", shown(path)), "Give a JSON file"))
}

pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), UserError> {
    let failed = |e: std::io::Error| {
        UserError::new(
            format!("{} cannot be written ({e})", shown(path)),
            "Check that the folder exists, is writable and has space",
        )
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    fs::write(path, bytes).map_err(failed)
}

pub fn write(dir: &Path, files: Vec<(String, Vec<u8>)>) -> Result<(), UserError> {
    files.into_iter().try_for_each(|(name, bytes)| write_file(&dir.join(name), &bytes))
}

/// Reads every file under `dir` as an archive.
pub fn read(dir: &Path) -> Result<Archive, UserError> {
    Archive::from_files(files(dir)?)
}

/// Every file under `dir`, with its path inside it.
pub fn files(dir: &Path) -> Result<Vec<(String, Vec<u8>)>, UserError> {
    let mut files = Vec::new();
    collect(dir, dir, &mut files)?;
    Ok(files)
}

fn collect(root: &Path, dir: &Path, files: &mut Vec<(String, Vec<u8>)>) -> Result<(), UserError> {
    let entries = fs::read_dir(dir)
        .map_err(|e| UserError::new(format!("{} cannot be listed ({e})", shown(dir)), "Name the folder of a run"))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if let Ok(name) = path.strip_prefix(root) {
            let name: Vec<String> = name.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
            files.push((name.join("/"), bytes(&path)?));
        }
    }
    Ok(())
}
