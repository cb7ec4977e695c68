//! Which frequencies does a network use?
//!
//! A network that has grokked modular arithmetic reads its inputs through a few cosines; one that memorised does not, and the
//! loss cannot tell them apart. The transform is a plain table of cosines: for p ≈ 100 it costs about a millisecond, and an FFT
//! of prime length would be more code for no visible gain. Cosines come from `libm`, so a terminal and a browser agree.

use super::discrete_log::powers_of_primitive_root;
use crate::experiment::Experiment;
use crate::record::{UserError, Weights};
use crate::task::{Cycle, rule_of};

/// The Fourier view of a network's input weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    /// Length n of the cycle that was transformed: p, or p − 1 for multiplication and division.
    pub cycle: usize,
    /// `frequencies[k − 1]`: share of frequency k = 1..=⌊n/2⌋ in the energy of all columns without their means; sums to 1
    /// (zeros when every column is constant).
    pub frequencies: Vec<f64>,
    /// Share of the columns' means (k = 0) in all energy.
    pub constant_share: f64,
    /// Mean over columns of [`ipr`], constant included.
    pub mean_ipr: f64,
    /// [`gini`] of `frequencies`: 0 when all are equal, near 1 when one has everything.
    pub gini: f64,
}

/// Energies e_k, k = 0..=⌊n/2⌋, of a function on the cycle 0..n in the orthonormal basis 1/√n, √(2/n)·cos, √(2/n)·sin
/// (grokking literature: Nanda et al. 2023). Plancherel: they sum to Σ`values`².
pub fn energies(values: &[f64]) -> Vec<f64> {
    column_energies(values, 1)
}

/// Inverse participation ratio Σ(e_k / Σe)² over all k, constant included (Doshi et al. 2023): 1 for one frequency, about
/// 2 / number of frequencies for Gaussian values. Zeros, which have no frequency, give 0.
pub fn ipr(energies: &[f64]) -> f64 {
    let total: f64 = energies.iter().sum();
    if total > 0.0 { energies.iter().map(|e| (e / total) * (e / total)).sum() } else { 0.0 }
}

/// Gini coefficient Σ_iΣ_j|x_i − x_j| / (2nΣx) of non-negative values; 0 when they are all zero.
pub fn gini(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let total: f64 = values.iter().sum();
    if total <= 0.0 || !total.is_finite() {
        return 0.0;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    // Σ_iΣ_j|x_i − x_j| = 2·Σ_i (2i + 1 − n)·x_(i) over ascending values.
    sorted.iter().enumerate().map(|(i, x)| (2.0 * i as f64 + 1.0 - n) * x).sum::<f64>() / (n * total)
}

/// The spectrum of a network's input weights over the task's cycle.
///
/// A network with an embedding: each coordinate of `embed` `[tokens (+ 1), d]` as a function of the token (the row of "=" is left
/// out). A perceptron on the two-hot code: each neuron of `w_in` `[2·tokens, N]`, its half for a and its half for b as two
/// columns. For multiplication and division the cycle is that of the non-zero residues, ordered by discrete logarithm (see
/// [`powers_of_primitive_root`]); token 0 is left out.
///
/// # Errors
/// If the task has no cycle, the network no weights per token, or if they are missing or of another shape.
pub fn spectrum(weights: &Weights, experiment: &Experiment) -> Result<Spectrum, UserError> {
    let rule = rule_of(experiment);
    let order: Vec<usize> = match rule.as_ref().and_then(|rule| rule.cycle()) {
        Some(Cycle::Additive(n)) => (0..n as usize).collect(),
        Some(Cycle::Multiplicative(p)) => {
            powers_of_primitive_root(p)?.into_iter().map(|token| token as usize).collect::<Vec<_>>()
        }
        None if matches!(experiment.task.operation.as_str(), "mul" | "div") => {
            powers_of_primitive_root(experiment.task.modulus())?.into_iter().map(|token| token as usize).collect()
        }
        None => {
            let formula = rule.map_or_else(|| experiment.task.operation.clone(), |rule| rule.formula());
            return Err(UserError::new(
                format!("The task {formula} has no cycle, so there is no Fourier spectrum"),
                "Choose addition, subtraction, multiplication or division, modulo a prime for the last two",
            ));
        }
    };
    let tokens = rule_of(experiment).map_or(0, |rule| rule.sizes().tokens as usize);
    let encoding = experiment.model.settings.text("encoding");
    let (names, height, first_rows): (&[&str], _, &[usize]) = match experiment.model.architecture.as_str() {
        "transformer" => (&["embed"], tokens + 1, &[0]),
        "mlp" | "linear" if matches!(encoding, "" | "two_hot") => (&["w_in"], 2 * tokens, &[0, tokens]),
        "embedding_mlp" if experiment.model.settings.text("embedding") == "separate" => (&["embed", "embed_b"], tokens, &[0]),
        "embedding_mlp" | "encoder_decoder" => (&["embed"], tokens, &[0]),
        _ => {
            return Err(UserError::new(
                "In this network no weight belongs to one token, so there is no spectrum over tokens",
                "Use the two-hot encoding or a network with an embedding to see it",
            ));
        }
    };
    let mut columns = Vec::new();
    for name in names {
        columns.push(token_columns(weights, name, height, first_rows, &order)?);
    }
    let cycle = order.len().max(1);
    let width = columns.iter().map(|block: &Vec<f64>| block.len() / cycle).sum();
    let mut joined = Vec::with_capacity(width * cycle);
    for row in 0..order.len() {
        for block in &columns {
            let own = block.len() / cycle;
            joined.extend_from_slice(&block[row * own..(row + 1) * own]);
        }
    }
    Ok(summarise(&joined, width, order.len()))
}

/// Rows of a tensor in the cycle's order, the halves from each of `first_rows` side by side: `[cycle, columns]`.
fn token_columns(
    weights: &Weights,
    name: &str,
    height: usize,
    first_rows: &[usize],
    order: &[usize],
) -> Result<Vec<f64>, UserError> {
    let misfit = |found: String| {
        UserError::new(
            format!("The weights do not belong to this experiment: {found}, expected {name} with {height} rows"),
            "Open the weights together with the experiment that made them",
        )
    };
    let tensor = weights.get(name).ok_or_else(|| misfit(format!("no tensor {name}")))?;
    let [rows, width] = tensor.shape[..] else { return Err(misfit(format!("{name} has shape {:?}", tensor.shape))) };
    if rows != height || width == 0 || tensor.values.len() != rows * width {
        return Err(misfit(format!("{name} has shape {:?}", tensor.shape)));
    }
    Ok(order
        .iter()
        .flat_map(|token| first_rows.iter().map(move |first| (first + token) * width))
        .flat_map(|start| &tensor.values[start..start + width])
        .map(|&value| f64::from(value))
        .collect())
}

/// `values` is `[cycle, columns]`.
fn summarise(values: &[f64], columns: usize, cycle: usize) -> Spectrum {
    let energies = column_energies(values, columns);
    let per_frequency: Vec<f64> = energies.chunks_exact(columns).map(|row| row.iter().sum()).collect();
    let (constant, varying) = per_frequency.split_first().map_or((0.0, &[][..]), |(first, rest)| (*first, rest));
    let varying_total: f64 = varying.iter().sum();
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    let column_ipr = |column: usize| ipr(&energies[column..].iter().copied().step_by(columns).collect::<Vec<_>>());
    let frequencies: Vec<f64> = varying.iter().map(|&energy| share(energy, varying_total)).collect();
    Spectrum {
        cycle,
        constant_share: share(constant, constant + varying_total),
        mean_ipr: (0..columns).map(column_ipr).sum::<f64>() / columns as f64,
        gini: gini(&frequencies),
        frequencies,
    }
}

/// Energies `[⌊n/2⌋ + 1, columns]` of the columns of `values` `[n, columns]`.
fn column_energies(values: &[f64], columns: usize) -> Vec<f64> {
    let n = values.len() / columns;
    let angle = |i: usize| core::f64::consts::TAU * i as f64 / n as f64;
    let table: Vec<(f64, f64)> = (0..n).map(|i| (libm::cos(angle(i)), libm::sin(angle(i)))).collect();
    let mut energies = Vec::with_capacity((n / 2 + 1) * columns);
    let (mut even, mut odd) = (vec![0.0; columns], vec![0.0; columns]);
    for k in 0..=n / 2 {
        even.fill(0.0);
        odd.fill(0.0);
        for (i, row) in values.chunks_exact(columns).enumerate() {
            let (cos, sin) = table[k * i % n];
            for ((c, s), x) in even.iter_mut().zip(&mut odd).zip(row) {
                *c += cos * x;
                *s += sin * x;
            }
        }
        // The constant and, for even n, the alternating function have no sine partner.
        let squared_norm = if k == 0 || 2 * k == n { 1.0 } else { 2.0 } / n as f64;
        energies.extend(even.iter().zip(&odd).map(|(c, s)| squared_norm * (c * c + s * s)));
    }
    energies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};
    use core::f64::consts::TAU;

    fn gaussian(count: usize) -> Vec<f64> {
        let mut stream = Stream::new(11, Purpose::Planted, 0);
        (0..count).map(|_| stream.normal()).collect()
    }

    #[test]
    fn energies_sum_to_the_squared_norm() {
        for n in [2, 3, 10, 30, 59, 113] {
            let values = gaussian(n);
            let energies = energies(&values);
            assert_eq!(energies.len(), n / 2 + 1);
            let norm: f64 = values.iter().map(|v| v * v).sum();
            assert!((energies.iter().sum::<f64>() / norm - 1.0).abs() < 1e-12, "Plancherel at n = {n}");
        }
    }

    #[test]
    fn one_cosine_of_any_phase_has_one_frequency() {
        let values: Vec<f64> = (0..59).map(|i| 1.7 * libm::cos(TAU * 7.0 * f64::from(i) / 59.0 + 0.4)).collect();
        let energies = energies(&values);
        assert!((energies[7] - 1.7 * 1.7 * 59.0 / 2.0).abs() < 1e-9, "closed form: A²n/2");
        assert!((ipr(&energies) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_alternating_function_of_an_even_cycle_is_one_frequency() {
        let energies = energies(&[1.0, -1.0, 1.0, -1.0, 1.0, -1.0]);
        assert!((energies[3] - 6.0).abs() < 1e-12 && (ipr(&energies) - 1.0).abs() < 1e-12, "{energies:?}");
    }

    #[test]
    fn gaussian_values_have_twice_the_flat_participation() {
        // Reference: about 2 / (number of frequencies), .04 at p = 97.
        let (p, columns) = (97, 600);
        let mean_ipr = summarise(&gaussian(p * columns), columns, p).mean_ipr;
        assert!((mean_ipr * 49.0 / 2.0 - 1.0).abs() < 0.06, "{mean_ipr}");
    }

    #[test]
    fn gini_matches_its_double_sum() {
        let values = [0.2, 0.0, 3.0, 1.0, 0.7];
        let double: f64 = values.iter().flat_map(|x| values.iter().map(move |y| f64::abs(x - y))).sum();
        assert!((gini(&values) - double / (2.0 * 5.0 * 4.9)).abs() < 1e-12);
        assert!(gini(&[1.0; 8]).abs() < 1e-12);
        assert!((gini(&[0.0, 0.0, 0.0, 5.0]) - 0.75).abs() < 1e-12, "closed form: 1 − 1/n");
        assert!(gini(&[0.0; 4]).abs() < 1e-12);
    }

    #[test]
    fn zeros_have_no_frequency() {
        let spectrum = summarise(&[0.0; 20], 4, 5);
        assert_eq!((spectrum.mean_ipr, spectrum.gini, spectrum.frequencies), (0.0, 0.0, vec![0.0; 2]));
    }
}
