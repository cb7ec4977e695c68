//! From a fitted dictionary to what is claimed about it: classes, confirmed births, scores on the grid.
//!
//! Everything is read in raw activation units and over the whole grid, so that no number depends on the scaling under which
//! the fit was made. It knows nothing of the fit: a dictionary from another program is analysed by the same call.

use super::absence::absences;
use super::classes::{REAL_ABSENCE_BELOW, RESIDUE_ABOVE, classify, is_shared};
use super::codes::Codes;
use super::directions::cosines;
use super::explained_variance::{explained_share, total_variation};
use super::grid_descriptors::ResidueGrid;
use super::group_descriptors::GroupTable;
use super::latent_scaling::{LatentScaling, Residuals, latent_scaling, residuals};
use super::life::{Life, life};
use super::result::{Latent, LatentClass, home};
use super::source::Source;
use super::strength::Strengths;
use super::twins::{Twins, twins};
use crate::measure::{correlation_ratio, eta_squared};
use crate::record::UserError;
use crate::task::Dataset;

/// A fitted dictionary and the grid it is judged on. S sources, m latents, d activations, rows in the order of `data`.
#[derive(Debug, Clone, Copy)]
pub struct AnalysisInput<'a> {
    /// The sources; those of one place in the order of training. Widths may differ.
    pub sources: &'a [Source],
    /// Codes f `[rows, m]` as they are decoded (after any threshold).
    pub codes: &'a Codes,
    /// Decoder per source, `[S]` of `[m, d]`, raw activation units.
    pub decoders: &'a [Vec<f32>],
    /// Decoder bias per source, `[S]` of `[d]`, raw activation units (the mean included).
    pub biases: &'a [Vec<f32>],
    /// The grid: inputs, true labels, and which rows the network was trained on.
    pub data: &'a Dataset,
    /// Rows held out from the fit: explained variance and L0 are taken here.
    pub held: &'a [u32],
}

/// What a dictionary was found to hold; the fields are those of [`super::CrosscoderResult`].
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// Every latent, dead ones included.
    pub latents: Vec<Latent>,
    /// Activations `[m, rows]`.
    pub activations: Vec<f32>,
    /// Held-out explained variance per source.
    pub explained_variance: Vec<f32>,
    /// Mean active latents per held-out row; where sources have codes of their own, latents active for any of them.
    pub l0: f32,
    /// The same for each source, where sources have codes of their own; else empty.
    pub l0_per_source: Vec<f32>,
    /// 5th and 95th percentile (nearest rank) of active latents per held-out row.
    pub l0_quantiles: [f32; 2],
    /// Latents that fire somewhere on the grid.
    pub alive: u32,
    /// Latents that fire and are present in every source, whatever their direction.
    pub shared: u32,
    /// Latents of class [`LatentClass::Emergent`].
    pub emergent: u32,
    /// Emergent latents whose absence is confirmed by ν_ε.
    pub emergent_confirmed: u32,
    /// Latents of class [`LatentClass::Vanished`].
    pub vanished: u32,
    /// Share of the last source's decoder energy Σ_i ⟨f_i²⟩·‖D_i‖² in latents whose η² over the label is above .8.
    pub residue_energy_share: f32,
    /// Pairs of latents that may be one feature, most alike first.
    pub twins: Vec<Twins>,
}

/// Analyses a fitted dictionary. One pass over the active codes of each source and p³ operations per latent for its waves; natively
/// about 0.2 s at p = 59, m = 256 and 2 s at p = 113, m = 512, with a sixth of the codes active.
///
/// # Errors
/// If a number is not finite (the fit diverged), or sizes do not match (a fault of the caller).
pub fn analyse(input: &AnalysisInput) -> Result<Analysis, UserError> {
    let (rows, latents) = sizes(input)?;
    let weights = input.decoders.iter().chain(input.biases).flatten().copied();
    if !input.codes.all().chain(weights).all(f32::is_finite) {
        return Err(UserError::new("The fit diverged: its weights are not finite", "Lower the fit's learning rate"));
    }
    let union = input.codes.union();
    let activations = transpose(&union, rows, latents);
    let residuals: Vec<Residuals> = input
        .sources
        .iter()
        .zip(input.decoders)
        .zip(input.biases)
        .enumerate()
        .map(|(s, ((source, decoder), bias))| residuals(source, input.codes.of(s), &union, decoder, bias))
        .collect();
    let strengths = Strengths::of(input, latents);
    let explained_variance = input
        .sources
        .iter()
        .zip(&residuals)
        .map(|(source, residuals)| {
            let residual = input.held.iter().map(|&row| residuals.squared[row as usize]).sum();
            let width = source.width;
            let held: Vec<f32> =
                input.held.iter().flat_map(|&row| &source.values[row as usize * width..][..width]).copied().collect();
            explained_share(residual, total_variation(&held, width)) as f32
        })
        .collect();

    let labels = || input.data.rows.iter().map(|row| usize::from(row.label));
    let grid = ResidueGrid::of(input.data);
    let table = if grid.is_none() { GroupTable::of(input.data) } else { None };
    let (mut found, mut residue_energy, mut all_energy) = (Vec::with_capacity(latents), 0.0, 0.0);
    for (index, values) in activations.chunks_exact(rows).enumerate() {
        let energy: f64 = values.iter().map(|&f| f64::from(f) * f64::from(f)).sum();
        let mut latent = describe(input, &residuals, &strengths, index, values);
        latent.grid = grid.as_ref().and_then(|grid| grid.describe(values));
        latent.group = table.as_ref().and_then(|table| table.describe(values));
        // `norms` hold what a source's own gate lets through, so the energy is that of all gates open.
        let last = latent.norms.last().map_or(0.0, |&norm| energy * f64::from(norm) * f64::from(norm));
        let label_share = correlation_ratio(values, labels(), input.data.sizes.classes as usize);
        all_energy += last;
        residue_energy += if label_share > RESIDUE_ABOVE { last } else { 0.0 };
        found.push(latent);
    }

    let homes: Vec<usize> = found.iter().map(Latent::home).collect();
    let shared = |latent: &&Latent| latent.class != LatentClass::Dead && is_shared(&latent.relative);
    let count = |class| found.iter().filter(|latent| latent.class == class).count() as u32;
    let emergent_confirmed = found.iter().filter(|l| l.confirmed && l.class == LatentClass::Emergent).count() as u32;
    let (l0, l0_quantiles) = active_latents(&union, input.held, latents);
    let l0_per_source = match input.codes.are_per_source() {
        true => (0..input.sources.len()).map(|s| active_latents(input.codes.of(s), input.held, latents).0).collect(),
        false => Vec::new(),
    };
    Ok(Analysis {
        explained_variance,
        l0,
        l0_per_source,
        l0_quantiles,
        alive: latents as u32 - count(LatentClass::Dead),
        shared: found.iter().filter(shared).count() as u32,
        emergent: count(LatentClass::Emergent),
        emergent_confirmed,
        vanished: count(LatentClass::Vanished),
        residue_energy_share: if all_energy > 0.0 { (residue_energy / all_energy) as f32 } else { 0.0 },
        twins: twins(&found, input.decoders, &homes),
        latents: found,
        activations,
    })
}

/// Rows, latents.
fn sizes(input: &AnalysisInput) -> Result<(usize, usize), UserError> {
    let rows = input.data.rows.len();
    let codes = input.codes.size().unwrap_or(0);
    let latents = codes.checked_div(rows).unwrap_or(0);
    let of_source = |(source, (decoder, bias)): (&Source, (&Vec<f32>, &Vec<f32>))| {
        let width = source.width;
        width > 0 && source.values.len() == rows * width && decoder.len() == latents * width && bias.len() == width
    };
    let sources = input.sources.len();
    let fits = rows * latents * sources > 0
        && codes == rows * latents
        && [1, sources].contains(&input.codes.count())
        && [input.decoders.len(), input.biases.len()] == [sources; 2]
        && input.sources.iter().zip(input.decoders.iter().zip(input.biases)).all(of_source)
        && input.held.iter().all(|&row| (row as usize) < rows);
    if fits { Ok((rows, latents)) } else { Err(UserError::new("The fit's arrays do not match its grid", "Report this")) }
}

/// All of a latent but what it is on the grid; `values` `[rows]` are its activations.
fn describe(input: &AnalysisInput, residuals: &[Residuals], strengths: &Strengths, index: usize, values: &[f32]) -> Latent {
    let vectors: Vec<&[f32]> = input
        .decoders
        .iter()
        .zip(input.sources)
        .map(|(decoder, source)| &decoder[index * source.width..][..source.width])
        .collect();
    let norms = strengths.norms(index, &vectors);
    let relative = strengths.relative(&norms);
    let home = home(&relative);
    let stay = strengths.stay(home);
    let energies = strengths.energies(index);
    let scaling = latent_scaling(index, &energies, home, &stay, input.decoders, residuals);
    let LatentScaling { nu_epsilon, nu_r } = scaling;
    let (mut train, mut test) = (0.0f32, 0.0f32);
    for (_, is_train) in values.iter().zip(&input.data.train_mask).filter(|(f, _)| **f != 0.0) {
        *if *is_train { &mut train } else { &mut test } += 1.0;
    }
    let share = |part: f32, whole: usize| if whole > 0 { part / whole as f32 } else { 0.0 };
    let density_train = share(train, input.data.train.len());
    let density_test = share(test, input.data.test.len());
    let densities = density_train + density_test;
    let fires = train + test > 0.0;
    // A life is told in its own network and hook, by indices of sources.
    let own = |values: &[f32]| stay.iter().map(|&s| values[s]).collect::<Vec<f32>>();
    let source_of = |at: Option<u32>| at.map(|at| stay[at as usize] as u32);
    let told = if fires { life(&own(&relative)) } else { Life::default() };
    let mut latent = Latent {
        index: index as u32,
        birth: source_of(told.birth),
        death: source_of(told.death),
        lifespan: told.lifespan,
        largest_rise: source_of(told.largest_rise),
        cosines: strengths.within_places(cosines(&vectors, &norms)),
        absences: absences(&relative, &nu_epsilon, &nu_r),
        nu_epsilon,
        nu_r,
        norms,
        relative,
        density: share(train + test, input.data.rows.len()),
        density_train,
        density_test,
        train_selectivity: (densities > 0.0).then(|| (density_train - density_test) / densities),
        eta_squared: eta_squared(values, &input.data.rows, input.data.sizes.tokens),
        ..Latent::default()
    };
    let sources = input.sources.len();
    let adjacent: Vec<Option<f32>> = stay.windows(2).map(|pair| latent.cosines[pair[0] * sources + pair[1]]).collect();
    latent.class = classify(&own(&latent.relative), &adjacent, fires);
    let absent_from = match latent.class {
        LatentClass::Emergent => stay.first(),
        LatentClass::Vanished => stay.last(),
        _ => None,
    };
    latent.confirmed = absent_from.is_some_and(|&s| latent.nu_epsilon[s].is_some_and(|nu| nu < REAL_ABSENCE_BELOW));
    latent
}

/// Mean, and 5th and 95th percentile, of active latents per held-out row.
fn active_latents(codes: &[f32], held: &[u32], latents: usize) -> (f32, [f32; 2]) {
    let active = |&row: &u32| codes[row as usize * latents..][..latents].iter().filter(|f| **f != 0.0).count();
    let mut counts: Vec<usize> = held.iter().map(active).collect();
    counts.sort_unstable();
    let Some(last) = counts.len().checked_sub(1) else { return (0.0, [0.0; 2]) };
    let quantile = |q: f32| counts[(q * last as f32).round() as usize] as f32;
    (counts.iter().sum::<usize>() as f32 / counts.len() as f32, [quantile(0.05), quantile(0.95)])
}

/// `[rows, columns]` to `[columns, rows]`.
fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| (0..rows).map(move |row| values[row * columns + column])).collect()
}

#[cfg(test)]
mod tests;
