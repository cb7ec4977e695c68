//! The frequency of each single neuron, checkpoint by checkpoint.
//!
//! `key_neurons` counts; whoever asks which neuron settled first, and whether the others followed it, needs them one by one. Two
//! lists as long as the layer per checkpoint are a hundred times the rest of a table, so they are a measure of their own that is
//! taken when asked for.

use super::facts::Facts;
use super::key_neurons::{MEASURE as KEY_NEURONS, cycle_of, neuron_frequencies};
use super::kind::{Column, Cost, Measure, Work};
use crate::crosscoder::Hook;
use crate::record::{UserError, Value};

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "neurons",
    label: "Each neuron's frequency",
    definition: "Of each neuron after its non-linearity (mlp_post), over all pairs: the frequency k with the largest share of its \
                 variance in cos and sin of ω_k·a and of ω_k·b and in their four products, and that share, rounded to four digits; \
                 0 and 0 for a neuron that does not vary",
    source: "Nanda et al. 2301.05217",
    not_evidence_of: "The largest share has some frequency even where all are alike: below about one half it names noise",
    cost: Cost::Layer,
    columns: &[
        Column::new("neuron_frequency", "frequency of each neuron").positive().list("neuron"),
        Column::new("neuron_frequency_share", "share of each neuron's variance in its frequency").share().list("neuron"),
    ],
    hooks: KEY_NEURONS.hooks,
    needs_keys: false,
    applies: KEY_NEURONS.applies,
    work: Work::direct(take),
};

fn take(facts: &Facts<'_>) -> Result<Vec<Value>, UserError> {
    let found = neuron_frequencies(facts.activation(Hook::MlpPost)?, cycle_of(facts.experiment)?);
    let rounded = |share: f64| libm::round(1e4 * share) / 1e4;
    Ok(vec![
        Value::List(found.iter().map(|neuron| neuron.frequency as f64).collect()),
        Value::List(found.iter().map(|neuron| rounded(neuron.share)).collect()),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed, values};
    use super::*;
    use core::f64::consts::TAU;

    #[test]
    fn planted_neurons_have_their_frequencies_one_by_one_and_a_dead_one_has_none() {
        // A square of two cosines has four fifths in its frequency (see key_neurons), a cosine of a alone all of it.
        let wave = |k: usize, n: usize| libm::cos(TAU * (k * n % 31) as f64 / 31.0 + 0.3);
        let case = Case::of(changed("quadratic-31", &[])).with(Hook::MlpPost, 3, |a, b, _, neuron| match neuron {
            0 => (wave(5, a) + wave(5, b)).powi(2),
            1 => wave(11, a),
            _ => 0.25,
        });
        let found = values(&MEASURE, &case);
        assert_eq!(found, [Value::List(vec![5.0, 11.0, 0.0]), Value::List(vec![0.8, 1.0, 0.0])]);
    }
}
