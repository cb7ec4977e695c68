//! Which frequency does each neuron work with?
//!
//! In a network that grokked addition, a neuron sees a and b through the cosine of one frequency; the frequencies that own
//! neurons are the circuit's parts. Everything that a neuron can build of one frequency with products of at most two waves is,
//! for waves of a and b, spanned by waves of a, b, a + b and a − b. So four sums over the grid and their one-dimensional
//! transforms are enough, p² per neuron. Rejected: the two-dimensional transform, which costs p³ and computes mostly what is not
//! asked for.

use super::facts::{Facts, Grid};
use super::fourier::{energies, ipr};
use super::kind::{Column, Cost, Measure, Work, number};
use crate::crosscoder::Hook;
use crate::experiment::Experiment;
use crate::model::hook_width;
use crate::record::{UserError, Value};
use crate::task::{Cycle, rule_of};

/// Share of its variance from which on a neuron belongs to its frequency.
pub const OWNED: f64 = 0.5;
/// Share of the neurons from which on a frequency is a key frequency.
pub const KEY_NEURONS: f64 = 0.05;

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "key_neurons",
    label: "Frequencies of the neurons",
    definition: "Of each neuron after its non-linearity (mlp_post), over all pairs: the share of its variance in cos and sin of \
                 ω_k·a and of ω_k·b and in their four products, for the frequency k with the largest share; the mean over \
                 neurons that vary; per frequency the share of all neurons that it owns, which have at least half of their \
                 variance in it; frequencies that own at least 5% of the neurons; and Σ(e_k/Σe)² over the frequencies' energies \
                 e_k of a neuron, mean over neurons. A neuron (cos ω_k a + cos ω_k b)² has .8, because its squares stand at 2k",
    source: "Nanda et al. 2301.05217",
    not_evidence_of: "A neuron with one frequency need not matter to the answer: an ablation of its frequency shows whether it \
                      does",
    cost: Cost::Forward,
    columns: &[
        Column::new("neuron_share", "share of a neuron's variance in its frequency").share(),
        Column::new("neurons_per_frequency", "share of the neurons per frequency").share().list("component"),
        Column::new("key_neuron_frequencies", "frequencies that own neurons").positive(),
        Column::new("neuron_ipr", "participation ratio of neurons over frequencies").share(),
    ],
    hooks: |_| vec![Hook::MlpPost],
    needs_keys: false,
    applies,
    work: Work::direct(take),
};

fn applies(experiment: &Experiment) -> Result<(), UserError> {
    cycle_of(experiment)?;
    match hook_width(experiment, Hook::MlpPost) {
        Some(_) => Ok(()),
        None => Err(UserError::new("This network has no hidden neurons", "Choose a network with a hidden layer, such as mlp")),
    }
}

/// The p of a task whose rows are all pairs of residues modulo p and whose answer is linear in them.
///
/// # Errors
/// For any other task.
pub(super) fn cycle_of(experiment: &Experiment) -> Result<usize, UserError> {
    let rule = rule_of(experiment);
    match rule.as_ref().and_then(|rule| rule.cycle()) {
        Some(Cycle::Additive(p)) if rule.is_some_and(|rule| rule.sizes().rows == p * p) => Ok(p as usize),
        _ => Err(UserError::new(
            "This measure takes waves of a and b over the full grid of a cycle, which this task does not have",
            "Choose addition or subtraction modulo p (add, sub)",
        )),
    }
}

/// What a neuron does with its best frequency.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct NeuronFrequency {
    /// The frequency, 1..=⌊p/2⌋; 0 for a neuron that does not vary.
    pub frequency: usize,
    /// Share of the neuron's variance in it.
    pub share: f64,
    /// Σ(e_k/Σe)² over its frequencies' energies.
    pub participation: f64,
}

/// The best frequency of each column of `grid`, whose rows are all pairs (a, b) of residues modulo `p`, a-major: `[p², neuron]`.
/// Any other number of rows gives an empty list. O(p²) per neuron.
pub fn neuron_frequencies(grid: &Grid, p: usize) -> Vec<NeuronFrequency> {
    let width = grid.width;
    if p == 0 || width == 0 || grid.values.len() != p * p * width {
        return Vec::new();
    }
    let mut mean = vec![0.0; width];
    for row in grid.rows() {
        mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    mean.iter_mut().for_each(|sum| *sum /= (p * p) as f64);
    // Sums of the neuron without its mean at equal a, b, a + b and a − b, `[which, residue, neuron]`.
    let mut sums = vec![0.0; 4 * p * width];
    let mut variance = vec![0.0; width];
    for (index, row) in grid.rows().enumerate() {
        let (a, b) = (index / p, index % p);
        let deviation: Vec<f64> = row.iter().zip(&mean).map(|(value, mean)| f64::from(*value) - mean).collect();
        variance.iter_mut().zip(&deviation).for_each(|(sum, value)| *sum += value * value);
        for (which, residue) in [a, b, (a + b) % p, (a + p - b) % p].into_iter().enumerate() {
            let start = (which * p + residue) * width;
            sums[start..start + width].iter_mut().zip(&deviation).for_each(|(sum, value)| *sum += value);
        }
    }
    let frequency = |neuron: usize| {
        let along = |which: usize| -> Vec<f64> { (0..p).map(|residue| sums[(which * p + residue) * width + neuron]).collect() };
        // A wave of one of the four has p equal values for each of its own, so its energy is 1/p of that of the sums.
        let parts = [0, 1, 2, 3].map(|which| energies(&along(which)));
        let of_frequency = |k: usize| {
            // cos π(a + b) and cos π(a − b) are the same function.
            let differences = if 2 * k == p { 0.0 } else { parts[3][k] };
            (parts[0][k] + parts[1][k] + parts[2][k] + differences) / p as f64
        };
        let all: Vec<f64> = (1..=p / 2).map(of_frequency).collect();
        let best = (0..all.len()).max_by(|x, y| all[*x].total_cmp(&all[*y]));
        // What rounding leaves of a constant neuron is no variance.
        let is_constant = variance[neuron] <= 1e-12 * (p * p) as f64 * mean[neuron] * mean[neuron];
        match best {
            Some(best) if !is_constant => {
                NeuronFrequency { frequency: best + 1, share: (all[best] / variance[neuron]).min(1.0), participation: ipr(&all) }
            }
            _ => NeuronFrequency::default(),
        }
    };
    (0..width).map(frequency).collect()
}

fn take(facts: &Facts<'_>) -> Result<Vec<Value>, UserError> {
    let p = cycle_of(facts.experiment)?;
    let found = neuron_frequencies(facts.activation(Hook::MlpPost)?, p);
    let mut owned = vec![0.0; p / 2];
    for neuron in found.iter().filter(|neuron| neuron.frequency > 0 && neuron.share >= OWNED) {
        owned[neuron.frequency - 1] += 1.0 / found.len() as f64;
    }
    let varying: Vec<&NeuronFrequency> = found.iter().filter(|neuron| neuron.frequency > 0).collect();
    let mean = |of: fn(&NeuronFrequency) -> f64| match varying.len() {
        0 => Value::Absent("No neuron varies".into()),
        count => number(varying.iter().map(|neuron| of(neuron)).sum::<f64>() / count as f64),
    };
    let keys = owned.iter().filter(|share| **share >= KEY_NEURONS).count();
    Ok(vec![mean(|n| n.share), Value::List(owned), number(keys as f64), mean(|n| n.participation)])
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed, numbers, values};
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};
    use core::f64::consts::TAU;

    fn landing() -> Case {
        Case::of(changed("quadratic-31", &[]))
    }

    fn wave(k: usize, n: usize, p: usize) -> f64 {
        libm::cos(TAU * (k * n % p) as f64 / p as f64 + 0.3)
    }

    /// The definition, term by term: projections onto eight functions per frequency.
    fn by_definition(values: &[f32], p: usize) -> (usize, f64) {
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / (p * p) as f64;
        let variance: f64 = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum();
        let share = |k: usize| {
            let waves = |n: usize| [1.0, libm::cos(TAU * (k * n) as f64 / p as f64), libm::sin(TAU * (k * n) as f64 / p as f64)];
            let mut energy = 0.0;
            for (i, j) in (0..9).map(|term| (term / 3, term % 3)).filter(|term| *term != (0, 0)) {
                let (mut product, mut norm) = (0.0, 0.0);
                for (index, value) in values.iter().enumerate() {
                    let term = waves(index / p)[i] * waves(index % p)[j];
                    product += term * f64::from(*value);
                    norm += term * term;
                }
                energy += if norm > 1e-9 { product * product / norm } else { 0.0 };
            }
            energy / variance
        };
        let shares: Vec<f64> = (1..=p / 2).map(share).collect();
        let best = (0..shares.len()).max_by(|x, y| shares[*x].total_cmp(&shares[*y])).unwrap();
        (best + 1, shares[best])
    }

    #[test]
    fn four_sums_give_what_the_nine_terms_give() {
        for p in [7, 8, 11] {
            let numbers = Stream::new(3, Purpose::Planted, p as u64).normals(p * p, 1.0);
            let mixed: Vec<f32> =
                (0..p * p).map(|i| numbers[i] + if p == 8 { 2.0 * [1.0, -1.0][(i / p + i % p) % 2] } else { 0.0 }).collect();
            let found = neuron_frequencies(&Grid { width: 1, values: mixed.clone() }, p)[0];
            let (frequency, share) = by_definition(&mixed, p);
            assert!(found.frequency == frequency && (found.share - share).abs() < 1e-6, "p = {p}: {found:?} against {share}");
        }
    }

    #[test]
    fn a_square_of_two_cosines_has_four_fifths_in_its_frequency() {
        // Closed form: products 1, squares at 2k 1/8 each.
        let case =
            landing().with(Hook::MlpPost, 2, |a, b, _, neuron| (wave(5 + neuron, a, 31) + wave(5 + neuron, b, 31)).powi(2));
        let found = neuron_frequencies(case.facts().activation(Hook::MlpPost).unwrap(), 31);
        assert_eq!((found[0].frequency, found[1].frequency), (5, 6));
        assert!(found.iter().all(|neuron| (neuron.share - 0.8).abs() < 1e-6 && (neuron.participation - 0.68).abs() < 1e-6));
        let values = values(&MEASURE, &case);
        assert!((values[1].list().unwrap()[4] - 0.5).abs() < 1e-12 && values[2].number() == Some(2.0));
    }

    #[test]
    fn the_analytic_network_has_one_frequency_per_neuron_and_all_of_them_as_keys() {
        let case = Case::of(changed("quadratic-31", &[("model.start", "analytic")])).perceptron();
        let found = numbers(&MEASURE, &case);
        assert!((found[0] - 0.8).abs() < 1e-4 && found[2] == 15.0, "{found:?}");
    }

    #[test]
    fn an_untrained_network_owns_nothing_and_dead_neurons_are_absent() {
        let found = numbers(&MEASURE, &landing().perceptron());
        assert!(found[0] < 0.3 && found[2] == 0.0, "{found:?}");
        let dead = values(&MEASURE, &landing().with(Hook::MlpPost, 3, |_, _, _, _| 0.1));
        assert!(matches!(dead[0], Value::Absent(_)) && matches!(dead[3], Value::Absent(_)));
        assert!(applies(&changed("s4", &[])).is_err() && applies(&changed("multiplication-31", &[])).is_err());
    }
}
