//! `planted`: what each crosscoder variant finds in data whose features are known.
//!
//! On a real network nobody knows the truth, and variants disagree about it. Here each is asked for the same planted lives, so
//! that a reader knows what a birth in a figure of this variant is worth.

use super::{progress, say};
use grokscope::crosscoder::fit::Fit;
use grokscope::crosscoder::{CrosscoderConfig, Kind, Planted, PlantedConfig, PlantedScore, crosscoder_preset, plant, with_value};
use grokscope::experiment::{preset, with_value as changed};
use grokscope::record::{UserError, Weights};
use grokscope::task::Dataset;

/// A planted world and the sizes with which it is fitted.
struct World {
    title: &'static str,
    sources: usize,
    width: usize,
    density: f64,
    features: &'static [(Kind, usize)],
    edits: &'static [&'static str],
}

const WORLDS: [World; 2] = [
    World {
        title: "Two checkpoints: 16 shared, 4 emergent, 4 vanished features in 24 dimensions; 48 latents, 1,500 updates",
        sources: 2,
        width: 24,
        density: 0.08,
        features: &[(Kind::Shared, 16), (Kind::Emergent, 4), (Kind::Vanished, 4)],
        edits: &["latents=48", "steps=1500", "learning_rate=0.003"],
    },
    World {
        title: "Six checkpoints: 12 shared, 6 rotated, 8 emergent, 6 vanished, 4 transient features, 4 that are weak at first, in 32 \
                dimensions; 64 latents, 3,000 updates",
        sources: 6,
        width: 32,
        density: 0.04,
        features: &[
            (Kind::Shared, 12),
            (Kind::Rotated, 6),
            (Kind::Emergent, 8),
            (Kind::Vanished, 6),
            (Kind::Transient, 4),
            (Kind::WeakEarly, 4),
        ],
        edits: &["latents=64", "steps=3000", "learning_rate=0.002"],
    },
];

/// Variants with the changes of the preset `births` that make them.
const VARIANTS: [(&str, &[&str]); 18] = [
    ("L1 of norms, λ .3", &["lambda=0.3"]),
    ("L1 of norms, λ 3", &["lambda=3"]),
    ("L1 of norms, λ .3, nested 3", &["lambda=0.3", "prefixes=3"]),
    ("L2 of norms, λ .3", &["variant=l2_of_norms", "lambda=0.3"]),
    ("TopK, k 2", &["variant=top_k", "k=2", "decoder_norm=1"]),
    ("BatchTopK, k 2", &["variant=batch_top_k", "k=2", "decoder_norm=1"]),
    ("BatchTopK, k 2 from 8, AuxK", &["variant=batch_top_k", "k=2", "k_start=8", "aux=0.03125", "decoder_norm=1"]),
    ("BatchTopK, k 2, resampled", &["variant=batch_top_k", "k=2", "resample=true", "decoder_norm=1"]),
    ("BatchTopK, k 2, nested 3", &["variant=batch_top_k", "k=2", "prefixes=3", "decoder_norm=1"]),
    ("JumpReLU, λ .3", &["variant=jump_relu", "lambda=0.3"]),
    ("BatchTopK, each source its own, k 2", &["variant=batch_top_k_per_source", "k=2"]),
    ("JumpReLU, each source its own, λ .003", &["variant=jump_relu_per_source", "lambda=0.003", "decoder_norm=1"]),
    ("Blocks of 2, k 4", &["variant=block_top_k", "k=4", "decoder_norm=1"]),
    ("Shared and changing apart, k 1 each", &["variant=delta", "k=1", "shared_latents=0.5", "decoder_norm=1"]),
    ("L1, reads its own, writes later", &["lambda=0.3", "mask=forward"]),
    ("L1, reads the last", &["lambda=0.3", "mask=last_only"]),
    ("L1, a third designated shared", &["lambda=0.3", "shared_latents=0.33"]),
    ("L1, a tenth dedicated to each", &["lambda=0.3", "dedicated_latents=0.1"]),
];

/// Fits every variant to every world and prints a table for each.
pub fn run(seeds: u64, only: Option<&str>) -> Result<(), UserError> {
    let chosen: Vec<_> = VARIANTS.iter().filter(|(name, _)| only.is_none_or(|part| name.contains(part))).collect();
    let bar = progress(WORLDS.len() as u64 * chosen.len() as u64 * seeds, "fit");
    for world in &WORLDS {
        let kinds: Vec<String> = world.features.iter().map(|(kind, count)| format!("{kind:?} (of {count})")).collect();
        say(&format!("\n{}; {seeds} seeds, means\n", world.title));
        say(&format!(
            "| variant | {} | presence right | birth error | mean cosine | weak at first, .3 | explained variance | L0 | dead |",
            kinds.join(" | ")
        ));
        say(&format!("|---|{}---|---|---|---|---|---|---|", "---|".repeat(kinds.len())));
        for (name, edits) in &chosen {
            let mut found = Vec::new();
            for seed in 0..seeds {
                found.push(fitted(world, edits, seed)?);
                bar.inc(1);
            }
            say(&line(name, &found));
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// A fit's score, smallest explained variance over sources, L0 and share of dead latents.
struct Found {
    score: PlantedScore,
    explained: f32,
    l0: f32,
    dead: f64,
}

fn fitted(world: &World, edits: &[&str], seed: u64) -> Result<Found, UserError> {
    // 4,096 rows are the grid of addition modulo 64; the rule itself plays no part.
    let task = changed(&preset("quadratic-31")?.experiment, "task.modulus", "64")?.task;
    let data = Dataset::new(&task, 0)?;
    let truth: Planted = plant(&PlantedConfig {
        seed,
        sources: world.sources,
        width: world.width,
        rows: data.rows.len(),
        density: world.density,
        noise: 0.01,
        features: world.features.to_vec(),
    })?;
    let mut config = CrosscoderConfig { seed, ..crosscoder_preset("births")?.config.clone() };
    for edit in world.edits.iter().chain(edits) {
        let (path, value) = grokscope::experiment::parse_assignment(edit)?;
        config = with_value(&config, path, value)?;
    }
    let latents = f64::from(config.latents);
    let mut fit = Fit::on_cpu(config, truth.sources.clone(), data)?;
    while !fit.is_done() {
        if fit.revival_is_due() {
            pollster::block_on(fit.revive())?;
        }
        fit.advance();
    }
    let (result, _) = pollster::block_on(fit.finish(0.0))?;
    let file = Weights::from_safetensors(&result.weights)?;
    let missing = || UserError::new("The fit left no weights", "Report this");
    let decoder = &file.get("decoder.weight").ok_or_else(missing)?.values;
    let scales = &file.get("activation_scale").ok_or_else(missing)?.values;
    let block = decoder.len() / scales.len();
    let mut raw: Vec<Vec<f32>> =
        decoder.chunks(block).zip(scales).map(|(d, scale)| d.iter().map(|v| v / scale).collect()).collect();
    // A vector behind a gate that is shut is nothing, whatever its length: it counts as long as its strength.
    for (source, decoder) in raw.iter_mut().enumerate() {
        for (latent, vector) in result.latents.iter().zip(decoder.chunks_mut(world.width)) {
            let norm = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
            vector.iter_mut().for_each(|v| *v *= if norm > 0.0 { latent.norms[source] / norm } else { 0.0 });
        }
    }
    Ok(Found {
        score: truth.score(&raw),
        explained: result.explained_variance.iter().copied().fold(f32::INFINITY, f32::min),
        l0: result.l0,
        dead: 1.0 - f64::from(result.alive) / latents,
    })
}

fn line(name: &str, found: &[Found]) -> String {
    let mean = |value: &dyn Fn(&Found) -> Option<f64>| {
        let values: Vec<f64> = found.iter().filter_map(value).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let cell = |value: Option<f64>, digits: usize| value.map_or("–".to_owned(), |value| format!("{value:.digits$}"));
    let kinds = found.first().map_or(0, |found| found.score.recovered.len());
    let recovered: Vec<String> = (0..kinds).map(|kind| cell(mean(&|f| Some(f.score.recovered[kind].found as f64)), 1)).collect();
    format!(
        "| {name} | {} | {} | {} | {} | {} | {} | {} | {} |",
        recovered.join(" | "),
        cell(mean(&|f| Some(f.score.presence_accuracy)), 2),
        cell(mean(&|f| f.score.birth_error), 2),
        cell(mean(&|f| Some(f.score.mean_cosine)), 3),
        cell(mean(&|f| f.score.weak_profile), 2),
        cell(mean(&|f| Some(f64::from(f.explained))), 3),
        cell(mean(&|f| Some(f64::from(f.l0))), 1),
        cell(mean(&|f| Some(f.dead)), 2)
    )
}
