//! From a fitted dictionary to what is claimed about it: classes, confirmed births, scores on the grid.
//!
//! Everything is read in raw activation units and over the whole grid, so that no number depends on the scaling under which
//! the fit was made. It knows nothing of the fit: a dictionary from another program is analysed by the same call.

use super::classes::{REAL_ABSENCE_BELOW, RESIDUE_ABOVE, classify, relative_norms};
use super::explained_variance::{explained_share, total_variation};
use super::latent_scaling::{Residuals, nu_epsilon, residuals};
use super::result::{Latent, LatentClass};
use super::source::Source;
use crate::measure::{correlation_ratio, eta_squared};
use crate::record::UserError;
use crate::task::Dataset;

/// A fitted dictionary and the grid it is judged on. S sources, m latents, d activations, rows in the order of `data`.
#[derive(Debug, Clone, Copy)]
pub struct AnalysisInput<'a> {
    /// The sources, in the order of training, all of one width.
    pub sources: &'a [Source],
    /// Codes f `[rows, m]` as they are decoded (after any threshold): non-negative, 0 where silent.
    pub codes: &'a [f32],
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
    /// Mean active latents per held-out row.
    pub l0: f32,
    /// 5th and 95th percentile (nearest rank) of active latents per held-out row.
    pub l0_quantiles: [f32; 2],
    /// Latents that fire somewhere on the grid.
    pub alive: u32,
    /// Latents of class [`LatentClass::Shared`].
    pub shared: u32,
    /// Latents of class [`LatentClass::Emergent`].
    pub emergent: u32,
    /// Emergent latents whose absence is confirmed by ν_ε.
    pub emergent_confirmed: u32,
    /// Latents of class [`LatentClass::Vanished`].
    pub vanished: u32,
    /// Share of the last source's decoder energy Σ_i ⟨f_i²⟩·‖D_i‖² in latents whose η² over the label is above .8.
    pub residue_energy_share: f32,
}

/// Analyses a fitted dictionary. One pass over the active codes of each source; natively about 0.1 s at p = 59, m = 256 and 1.5 s at
/// p = 113, m = 512, with a sixth of the codes active.
///
/// # Errors
/// If a number is not finite (the fit diverged), or sizes do not match (a fault of the caller).
pub fn analyse(input: &AnalysisInput) -> Result<Analysis, UserError> {
    let (rows, latents, width) = sizes(input)?;
    let numbers = [input.codes].into_iter().chain(input.decoders.iter().chain(input.biases).map(Vec::as_slice));
    if !numbers.flatten().all(|value| value.is_finite()) {
        return Err(UserError::new("The fit diverged: its weights are not finite", "Lower the fit's learning rate"));
    }
    let activations = transpose(input.codes, rows, latents);
    let residuals: Vec<Residuals> = input
        .sources
        .iter()
        .zip(input.decoders)
        .zip(input.biases)
        .map(|((source, decoder), bias)| residuals(source, input.codes, decoder, bias))
        .collect();
    let explained_variance = input
        .sources
        .iter()
        .zip(&residuals)
        .map(|(source, residuals)| {
            let residual = input.held.iter().map(|&row| residuals.squared[row as usize]).sum();
            let held: Vec<f32> =
                input.held.iter().flat_map(|&row| &source.values[row as usize * width..][..width]).copied().collect();
            explained_share(residual, total_variation(&held, width)) as f32
        })
        .collect();

    let labels = || input.data.rows.iter().map(|row| usize::from(row.label));
    let (mut found, mut residue_energy, mut all_energy) = (Vec::with_capacity(latents), 0.0, 0.0);
    for (index, values) in activations.chunks_exact(rows).enumerate() {
        let energy: f64 = values.iter().map(|&f| f64::from(f) * f64::from(f)).sum();
        let latent = describe(input, &residuals, index, values, energy);
        let last = latent.norms.last().map_or(0.0, |&norm| energy * f64::from(norm) * f64::from(norm));
        let label_share = correlation_ratio(values, labels(), input.data.sizes.classes as usize);
        all_energy += last;
        residue_energy += if label_share > RESIDUE_ABOVE { last } else { 0.0 };
        found.push(latent);
    }

    let count = |class| found.iter().filter(|latent| latent.class == class).count() as u32;
    let emergent_confirmed = found.iter().filter(|l| l.confirmed && l.class == LatentClass::Emergent).count() as u32;
    let (l0, l0_quantiles) = active_latents(input, latents);
    Ok(Analysis {
        explained_variance,
        l0,
        l0_quantiles,
        alive: latents as u32 - count(LatentClass::Dead),
        shared: count(LatentClass::Shared),
        emergent: count(LatentClass::Emergent),
        emergent_confirmed,
        vanished: count(LatentClass::Vanished),
        residue_energy_share: if all_energy > 0.0 { (residue_energy / all_energy) as f32 } else { 0.0 },
        latents: found,
        activations,
    })
}

/// Rows, latents, width.
fn sizes(input: &AnalysisInput) -> Result<(usize, usize, usize), UserError> {
    let rows = input.data.rows.len();
    let width = input.sources.first().map_or(0, |source| source.width);
    let latents = input.codes.len().checked_div(rows).unwrap_or(0);
    let of_source = |(source, (decoder, bias)): (&Source, (&Vec<f32>, &Vec<f32>))| {
        source.width == width && source.values.len() == rows * width && decoder.len() == latents * width && bias.len() == width
    };
    let sources = input.sources.len();
    let fits = rows * latents * width > 0
        && input.codes.len() == rows * latents
        && [input.decoders.len(), input.biases.len()] == [sources; 2]
        && input.sources.iter().zip(input.decoders.iter().zip(input.biases)).all(of_source)
        && input.held.iter().all(|&row| (row as usize) < rows);
    if fits { Ok((rows, latents, width)) } else { Err(UserError::new("The fit's arrays do not match its grid", "Report this")) }
}

fn describe(input: &AnalysisInput, residuals: &[Residuals], index: usize, values: &[f32], energy: f64) -> Latent {
    let width = input.sources[0].width;
    let norm = |decoder: &Vec<f32>| {
        let vector = &decoder[index * width..(index + 1) * width];
        vector.iter().map(|&d| f64::from(d) * f64::from(d)).sum::<f64>().sqrt() as f32
    };
    let norms: Vec<f32> = input.decoders.iter().map(norm).collect();
    let relative = relative_norms(&norms);
    let best = (0..norms.len()).fold(0, |best, source| if norms[source] > norms[best] { source } else { best });
    let nu_epsilon = nu_epsilon(index, energy, best, input.decoders, residuals, width);
    let (mut train, mut test) = (0.0f32, 0.0f32);
    for (_, is_train) in values.iter().zip(&input.data.train_mask).filter(|(f, _)| **f > 0.0) {
        *if *is_train { &mut train } else { &mut test } += 1.0;
    }
    let class = classify(&relative, train + test > 0.0);
    let absent_from = match class {
        LatentClass::Emergent => nu_epsilon.first(),
        LatentClass::Vanished => nu_epsilon.last(),
        _ => None,
    };
    let share = |part: f32, whole: usize| if whole > 0 { part / whole as f32 } else { 0.0 };
    Latent {
        index: index as u32,
        confirmed: absent_from.is_some_and(|nu| nu.is_some_and(|nu| nu < REAL_ABSENCE_BELOW)),
        norms,
        relative,
        class,
        nu_epsilon,
        density: share(train + test, input.data.rows.len()),
        density_train: share(train, input.data.train.len()),
        density_test: share(test, input.data.test.len()),
        eta_squared: eta_squared(values, &input.data.rows, input.data.sizes.tokens),
    }
}

/// Mean, and 5th and 95th percentile, of active latents per held-out row.
fn active_latents(input: &AnalysisInput, latents: usize) -> (f32, [f32; 2]) {
    let active = |&row: &u32| input.codes[row as usize * latents..][..latents].iter().filter(|f| **f > 0.0).count();
    let mut counts: Vec<usize> = input.held.iter().map(active).collect();
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
mod tests {
    use super::super::explained_variance::explained_variance;
    use super::*;
    use crate::task::{Row, Sizes};

    const P: u16 = 7;
    const D: usize = 4;
    const M: usize = 4;

    /// Latent 0 reads a + b = 3, latent 1 reads a = 2, latent 2 reads b < 3, latent 3 is silent.
    fn code(a: u16, b: u16) -> [f32; M] {
        [f32::from((a + b) % P == 3), f32::from(a == 2), f32::from(b < 3), 0.0]
    }

    /// a + b modulo 7, trained where a < 3.
    fn grid() -> Dataset {
        let rows: Vec<Row> = (0..P).flat_map(|a| (0..P).map(move |b| Row { a, b, label: (a + b) % P })).collect();
        let train_mask: Vec<bool> = rows.iter().map(|row| row.a < 3).collect();
        let (train, test) = (0..49).partition(|&row: &u32| train_mask[row as usize]);
        let sizes = Sizes { rows: 49, tokens: 7, width: 0, classes: 7 };
        Dataset { sizes, rows, train, test, train_mask, ..Dataset::default() }
    }

    /// One direction per latent, so that truth and dictionary are sizes `[source][latent]`.
    struct Case {
        sources: Vec<Source>,
        codes: Vec<f32>,
        decoders: Vec<Vec<f32>>,
        biases: Vec<Vec<f32>>,
        data: Dataset,
        held: Vec<u32>,
    }

    impl Case {
        fn new(truth: &[[f32; M]], dictionary: &[[f32; M]]) -> Self {
            let data = grid();
            let bias = |source: usize| vec![3.0, -1.0, 0.5, source as f32];
            let x = |source: usize| {
                let row = |row: &Row| {
                    let codes = code(row.a, row.b);
                    let bias = bias(source);
                    (0..D).map(|k| bias[k] + codes[k] * truth[source][k]).collect::<Vec<_>>()
                };
                data.rows.iter().flat_map(row).collect()
            };
            let decoder = |sizes: &[f32; M]| {
                let mut values = vec![0.0; M * D];
                (0..M).for_each(|k| values[k * D + k] = sizes[k]);
                values
            };
            Self {
                sources: (0..truth.len()).map(|s| Source { step: s as u32, width: D, values: x(s) }).collect(),
                codes: data.rows.iter().flat_map(|row| code(row.a, row.b)).collect(),
                decoders: dictionary.iter().map(decoder).collect(),
                biases: (0..truth.len()).map(bias).collect(),
                held: (0..49).step_by(2).collect(),
                data,
            }
        }

        fn input(&self) -> AnalysisInput<'_> {
            AnalysisInput {
                sources: &self.sources,
                codes: &self.codes,
                decoders: &self.decoders,
                biases: &self.biases,
                data: &self.data,
                held: &self.held,
            }
        }
    }

    fn close(found: &[Option<f32>], expected: &[f32]) -> bool {
        found.len() == expected.len() && found.iter().zip(expected).all(|(nu, e)| nu.is_some_and(|nu| (nu - e).abs() < 1e-5))
    }

    #[test]
    fn true_births_and_deaths_are_confirmed() {
        let sizes = [[0.0, 2.0, 1.5, 1.0], [1.0, 2.0, 0.0, 1.0]];
        let found = analyse(&Case::new(&sizes, &sizes).input()).unwrap();
        let classes: Vec<_> = found.latents.iter().map(|l| l.class).collect();
        assert_eq!(classes, [LatentClass::Emergent, LatentClass::Shared, LatentClass::Vanished, LatentClass::Dead]);
        assert!(close(&found.latents[0].nu_epsilon, &[0.0, 1.0]), "{:?}", found.latents[0]);
        assert!(close(&found.latents[1].nu_epsilon, &[1.0, 1.0]), "{:?}", found.latents[1]);
        assert!(close(&found.latents[2].nu_epsilon, &[1.0, 0.0]), "{:?}", found.latents[2]);
        assert_eq!(found.latents[3].nu_epsilon, [None, None]);
        assert_eq!(found.latents.iter().map(|l| l.confirmed).collect::<Vec<_>>(), [true, false, true, false]);
        assert_eq!((found.alive, found.shared, found.emergent, found.emergent_confirmed, found.vanished), (3, 1, 1, 1, 1));
        assert!(found.explained_variance.iter().all(|ev| (ev - 1.0).abs() < 1e-6), "{:?}", found.explained_variance);
    }

    #[test]
    fn shrinkage_that_looks_like_a_birth_is_not_confirmed() {
        // Planted at .3 in the first source; the penalty left nothing of it there and .8 of it in the last.
        // Closed form: β_first = .3 and β_last = .8 + .2 = 1.
        let truth = [[0.3, 2.0, 0.0, 0.0], [1.0, 2.0, 0.0, 0.0]];
        for shrunk in [0.0, 0.05] {
            let case = Case::new(&truth, &[[shrunk, 2.0, 0.0, 0.0], [0.8, 2.0, 0.0, 0.0]]);
            let found = analyse(&case.input()).unwrap();
            assert_eq!(found.latents[0].class, LatentClass::Emergent);
            assert!(close(&found.latents[0].nu_epsilon, &[0.3, 1.0]), "{:?}", found.latents[0]);
            assert_eq!((found.emergent, found.emergent_confirmed), (1, 0));
        }
    }

    #[test]
    fn scaling_is_taken_against_the_source_with_the_largest_norm() {
        let sizes = [[0.0, 2.0, 0.0, 0.0], [2.0, 2.0, 0.0, 0.0], [1.5, 2.0, 0.0, 0.0]];
        let found = analyse(&Case::new(&sizes, &sizes).input()).unwrap();
        assert!(close(&found.latents[0].nu_epsilon, &[0.0, 1.0, 0.75]), "{:?}", found.latents[0]);
    }

    #[test]
    fn a_latent_that_is_not_in_the_data_has_no_nu() {
        let found = analyse(&Case::new(&[[0.0; M]; 2], &[[0.0; M], [1.0, 0.0, 0.0, 0.0]]).input()).unwrap();
        assert_eq!(found.latents[0].nu_epsilon, [None, None]);
        assert!(!found.latents[0].confirmed && found.emergent == 1);
    }

    #[test]
    fn explained_variance_is_the_one_definition() {
        let case = Case::new(&[[0.3, 2.0, 1.0, 0.0], [1.0; M]], &[[0.0, 1.8, 1.0, 0.0], [0.9; M]]);
        let found = analyse(&case.input()).unwrap();
        for (s, source) in case.sources.iter().enumerate() {
            let decode = |&row: &u32| {
                let Row { a, b, .. } = case.data.rows[row as usize];
                let codes = code(a, b);
                (0..D).map(|k| case.biases[s][k] + codes[k] * case.decoders[s][k * D + k]).collect::<Vec<_>>()
            };
            let x_hat: Vec<f32> = case.held.iter().flat_map(decode).collect();
            let x: Vec<f32> = case.held.iter().flat_map(|&row| source.values[row as usize * D..][..D].to_vec()).collect();
            let expected = explained_variance(&x, &x_hat, D) as f32;
            assert!((found.explained_variance[s] - expected).abs() < 1e-5 && expected < 0.999);
        }
    }

    #[test]
    fn grid_scores_have_their_closed_form() {
        let sizes = [[0.0, 2.0, 1.0, 0.0], [1.0, 2.0, 0.0, 0.0]];
        let case = Case::new(&sizes, &sizes);
        let found = analyse(&case.input()).unwrap();
        let [sum, first, second, dead] = &found.latents[..] else { panic!("four latents") };
        assert!((sum.eta_squared.sum - 1.0).abs() < 1e-6 && sum.eta_squared.a < 1e-6);
        assert!((first.eta_squared.a - 1.0).abs() < 1e-6 && (second.eta_squared.b - 1.0).abs() < 1e-6);
        assert!((sum.density - 1.0 / 7.0).abs() < 1e-6);
        // a = 2 is one of the three trained values of a, and none of the four others.
        assert!((first.density_train - 1.0 / 3.0).abs() < 1e-6 && first.density_test < 1e-6);
        assert!(dead.density < 1e-9 && dead.eta_squared == crate::measure::EtaSquared::default());
        // Energy in the last source: 7 inputs of size 1 for the residue, 7 of size 2² for a = 2.
        assert!((found.residue_energy_share - 7.0 / 35.0).abs() < 1e-6);
        let active = |&row: &u32| case.codes[row as usize * M..][..M].iter().sum::<f32>();
        let mean = case.held.iter().map(active).sum::<f32>() / case.held.len() as f32;
        assert!((found.l0 - mean).abs() < 1e-6);
        assert_eq!(found.l0_quantiles, [0.0, 2.0]);
        assert_eq!(found.activations[49..98].iter().sum::<f32>(), 7.0, "latent 1 fires on the seven inputs with a = 2");
        assert_eq!(found.activations[49 + 2 * 7], 1.0);
    }

    #[test]
    fn broken_fits_are_refused() {
        let sizes = [[1.0; M]; 2];
        let mut diverged = Case::new(&sizes, &sizes);
        diverged.decoders[1][0] = f32::NAN;
        assert!(analyse(&diverged.input()).unwrap_err().cause.contains("diverged"));
        let mut short = Case::new(&sizes, &sizes);
        short.codes.pop();
        assert!(analyse(&short.input()).unwrap_err().cause.contains("do not match"));
    }
}
