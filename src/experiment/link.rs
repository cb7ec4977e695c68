//! An experiment, its crosscoder and its fingerprint as a short text for an address: what follows `#x=`.
//!
//! The text is base64url (no padding) of: version byte, deflated postcard of `Payload`, CRC-32 (little-endian) of everything
//! before. The experiment is stored as its differences from the nearest preset, so an ordinary link fits a QR code; a hash of
//! the whole experiment reveals a preset that has changed since. The CRC comes last in every version, so damage is told apart
//! from "newer". Rejected: the whole JSON, deflated (three times as long). Everything here may be hostile: the text is bounded
//! before and after inflating, and what comes out is validated like any other experiment.

use super::config::Experiment;
use super::edit::{Editable, applying, full, json, leaf, replace};
use super::presets::{preset, presets};
use crate::crosscoder::{CrosscoderConfig, crosscoder_preset, crosscoder_presets};
use crate::record::UserError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a link carries.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// What will run.
    pub experiment: Experiment,
    /// What will be fitted to it.
    pub crosscoder: Option<CrosscoderConfig>,
    /// Fingerprint of the sender's run: 16 hex digits.
    pub fingerprint: Option<String>,
}

/// The version that this build writes; it reads all versions up to this one.
const VERSION: u8 = 1;
/// Longest text that is looked at.
const MAX_CHARS: usize = 16 << 10;
/// Most bytes that a payload may inflate to.
const MAX_PAYLOAD: usize = 64 << 10;
/// Deflate level: the payload is small, so the slowest is quick.
const DEFLATE_LEVEL: u8 = 10;

#[derive(Serialize, Deserialize)]
struct Payload {
    experiment: Difference,
    crosscoder: Option<Difference>,
    fingerprint: Option<[u8; 8]>,
}

/// A configuration as its difference from a preset.
#[derive(Serialize, Deserialize)]
struct Difference {
    preset: String,
    /// (path, text as in `--set`).
    edits: Vec<(String, String)>,
    /// First bytes of the SHA-256 of the resulting JSON.
    hash: [u8; 4],
}

/// The text after `#x=`.
///
/// # Errors
/// If the experiment or crosscoder is not valid, the fingerprint is not 16 hex digits, or the text would be longer than
/// [`decode`] reads.
pub fn encode(link: &Link) -> Result<String, UserError> {
    link.experiment.validate()?;
    let experiments = presets().iter().map(|p| (p.name, &p.experiment));
    let crosscoders = || crosscoder_presets().iter().map(|p| (p.name, &p.config));
    let payload = Payload {
        experiment: difference(&link.experiment, experiments)?,
        crosscoder: link.crosscoder.as_ref().map(|config| difference(config, crosscoders())).transpose()?,
        fingerprint: link.fingerprint.as_deref().map(fingerprint_bytes).transpose()?,
    };
    let plain = postcard::to_allocvec(&payload)
        .map_err(|e| UserError::new(format!("The link could not be written ({e})"), "Share the experiment as a file"))?;
    let too_long = |size: usize, most: usize, unit: &str| {
        UserError::new(
            format!("The link would hold {size} {unit}, and {most} are the most that a browser will open"),
            "Share the experiment as a file",
        )
    };
    if plain.len() > MAX_PAYLOAD {
        return Err(too_long(plain.len(), MAX_PAYLOAD, "bytes"));
    }
    let mut bytes = vec![VERSION];
    bytes.extend(miniz_oxide::deflate::compress_to_vec(&plain, DEFLATE_LEVEL));
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    let text = URL_SAFE_NO_PAD.encode(bytes);
    if text.len() > MAX_CHARS { Err(too_long(text.len(), MAX_CHARS, "characters")) } else { Ok(text) }
}

/// Reads the text after `#x=`. Nothing is started.
///
/// # Errors
/// A damaged or newer link, or one whose experiment is not valid in this version.
pub fn decode(text: &str) -> Result<Link, UserError> {
    let damaged = || UserError::new("The link is incomplete or damaged", "Copy it again, whole");
    let text = text.trim();
    if text.len() > MAX_CHARS {
        return Err(UserError::new("The link is far too long", "Open the experiment as a file instead"));
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| damaged())?;
    let (body, crc) = bytes.split_last_chunk::<4>().ok_or_else(damaged)?;
    if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
        return Err(damaged());
    }
    let (version, deflated) = body.split_first().ok_or_else(damaged)?;
    if *version > VERSION {
        return Err(UserError::new(
            format!("The link was made by a newer Grokscope (format {version}, this one reads up to {VERSION})"),
            "Open it with a newer version",
        ));
    }
    if *version == 0 {
        return Err(damaged());
    }
    let plain = miniz_oxide::inflate::decompress_to_vec_with_limit(deflated, MAX_PAYLOAD).map_err(|_| damaged())?;
    let (payload, rest) = postcard::take_from_bytes::<Payload>(&plain).map_err(|_| damaged())?;
    if !rest.is_empty() {
        return Err(damaged());
    }
    let experiment = applied(&preset(&payload.experiment.preset)?.experiment, &payload.experiment)?;
    experiment.validate()?;
    let crosscoder = match &payload.crosscoder {
        Some(difference) => {
            let config = applied(&crosscoder_preset(&difference.preset)?.config, difference)?;
            Some(CrosscoderConfig::from_json(&config.to_json())?)
        }
        None => None,
    };
    let fingerprint = payload.fingerprint.map(|bytes| bytes.iter().map(|b| format!("{b:02x}")).collect());
    Ok(Link { experiment, crosscoder, fingerprint })
}

/// `config` against the candidate with the fewest differing settings. A choice of another kind is an edit like any other; what
/// depends on it comes after it in the table, so edits are made in the table's order.
fn difference<'a, T: Editable + Clone>(
    config: &T,
    candidates: impl Iterator<Item = (&'a str, &'a T)>,
) -> Result<Difference, UserError> {
    let wanted = full(config);
    let rows = applying(config);
    let differing = |candidate: &T| {
        let tree = full(candidate);
        rows.iter().filter(|field| leaf(&tree, field.path) != leaf(&wanted, field.path)).count()
    };
    let (preset, nearest) = candidates
        .min_by_key(|(_, candidate)| differing(candidate))
        .ok_or_else(|| UserError::new(format!("No preset resembles this {}", T::WHAT), "Share it as a file"))?;
    let mut edits = Vec::new();
    let mut now = nearest.clone();
    for field in rows {
        let Some(value) = leaf(&wanted, field.path) else { continue };
        if leaf(&full(&now), field.path) != Some(value) {
            let text = field.kind.text(value);
            now = replace(&now, field.path, &text)?;
            edits.push((field.path.to_string(), text));
        }
    }
    Ok(Difference { preset: preset.to_string(), edits, hash: hash(config) })
}

fn applied<T: Editable + Clone>(preset: &T, difference: &Difference) -> Result<T, UserError> {
    let mut config = preset.clone();
    for (path, text) in &difference.edits {
        config = replace(&config, path, text)?;
    }
    if hash(&config) != difference.hash {
        return Err(UserError::new(
            format!("The preset {} has changed since the link was made, so it would now mean something else", difference.preset),
            "Open it with the version that made it, or ask for the experiment as a file",
        ));
    }
    Ok(config)
}

/// First bytes of the SHA-256 of a configuration's JSON.
fn hash<T: Editable>(config: &T) -> [u8; 4] {
    let digest = Sha256::digest(json(config).to_string());
    [digest[0], digest[1], digest[2], digest[3]]
}

fn fingerprint_bytes(text: &str) -> Result<[u8; 8], UserError> {
    let refuse = || UserError::new(format!("\"{text}\" is no fingerprint"), "A fingerprint has 16 hex digits");
    if text.len() != 16 || !text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Err(refuse());
    }
    u64::from_str_radix(text, 16).map(u64::to_be_bytes).map_err(|_| refuse())
}
