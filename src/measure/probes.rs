//! What can be read off the last layer?
//!
//! A network that memorises carries a and b side by side; one that adds carries their sum and, on the way, forgets the rest. A
//! linear read-out on held-out pairs shows which is there before the network's own output does. It is fitted in closed form, so
//! that no training of a probe stands between the network and the number.

use super::facts::{Facts, needs_pairs};
use super::kind::{Column, Cost, Measure, Work, number};
use super::sample::{Sample, needs_penultimate, penultimate_only, products};
use crate::experiment::Experiment;
use crate::record::{UserError, Value};
use nalgebra::DMatrix;

/// Weight of the ridge, per fitted row and standardised neuron.
const RIDGE: f64 = 1e-3;
/// Most tokens for which read-outs are fitted: with more, the rows would not show each token often enough.
const TOKENS: usize = 200;

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "probes",
    label: "Read-out of the inputs",
    definition: "Share of held-out pairs for which a linear read-out of the layer before the output (ridge regression to one-hot \
                 targets, ridge 1e-3 per row, standardised neurons, largest output) names a, b, a + b or a − b, the last two \
                 modulo the number n of tokens. Fitted on a random half of at most 2,000 pairs and tested on the other, at most \
                 256 neurons; the draw is the same at all checkpoints. Chance is 1/n",
    source: "Alain and Bengio 1610.01644 (linear probes)",
    not_evidence_of: "What a probe can read need not be used: an intervention on that direction shows whether the output follows",
    cost: Cost::Forward,
    columns: &[
        Column::new("probe_a", "read-out of a").share(),
        Column::new("probe_b", "read-out of b").share(),
        Column::new("probe_sum", "read-out of a + b").share(),
        Column::new("probe_difference", "read-out of a − b").share(),
    ],
    hooks: penultimate_only,
    needs_keys: false,
    applies,
    work: Work::direct(take),
};

fn applies(experiment: &Experiment) -> Result<(), UserError> {
    needs_pairs(experiment)?;
    needs_penultimate(experiment)?;
    if super::tokens::tokens_of(experiment) > TOKENS {
        return Err(UserError::new("Read-outs are fitted for at most 200 tokens", "Use a smaller modulus"));
    }
    Ok(())
}

fn take(facts: &Facts<'_>) -> Result<Vec<Value>, UserError> {
    let n = facts.data.sizes.tokens as usize;
    let mut sample = Sample::of(facts)?;
    sample.standardise();
    // Rows are in random order, so halves are random.
    let half = sample.rows.len() / 2;
    let (fitted, held) =
        (sample.values.rows(0, half).into_owned(), sample.values.rows(half, sample.rows.len() - half).into_owned());
    let quantities: [fn(usize, usize, usize) -> usize; 4] =
        [|a, _, _| a, |_, b, _| b, |a, b, n| (a + b) % n, |a, b, n| (a + n - b) % n];
    let target = |row: usize, quantity: usize| {
        let pair = facts.data.rows[sample.rows[row]];
        quantities[quantity](usize::from(pair.a), usize::from(pair.b), n)
    };
    let means: Vec<f64> = fitted.column_iter().map(|column| column.iter().sum::<f64>() / half.max(1) as f64).collect();
    let mut centred = fitted;
    centred.column_iter_mut().zip(&means).for_each(|(mut column, mean)| column.iter_mut().for_each(|v| *v -= mean));
    let mut gram = products(&centred, &centred);
    (0..gram.nrows()).for_each(|i| gram[(i, i)] += RIDGE * half.max(1) as f64);
    let Some(factor) = gram.cholesky() else {
        return Ok(vec![Value::Absent("The activations are too large or not finite".into()); 4]);
    };
    // Σ of the activations of each target: Xᵀ times the one-hot targets of all four quantities.
    let mut right = DMatrix::<f64>::zeros(centred.ncols(), 4 * n);
    let mut counts = vec![0.0; 4 * n];
    for quantity in 0..4 {
        for row in 0..half {
            let column = quantity * n + target(row, quantity);
            counts[column] += 1.0 / half as f64;
            right.column_mut(column).iter_mut().zip(centred.row(row).iter()).for_each(|(sum, value)| *sum += value);
        }
    }
    let solution = factor.solve(&right);
    let mut right_answers = [0usize; 4];
    for row in 0..held.nrows() {
        let activation: Vec<f64> = held.row(row).iter().zip(&means).map(|(value, mean)| value - mean).collect();
        for (quantity, right) in right_answers.iter_mut().enumerate() {
            let output = |class: usize| {
                let weights = solution.column(quantity * n + class);
                counts[quantity * n + class] + weights.iter().zip(&activation).map(|(w, x)| w * x).sum::<f64>()
            };
            let outputs: Vec<f64> = (0..n).map(output).collect();
            let best = (0..n).max_by(|x, y| outputs[*x].total_cmp(&outputs[*y]));
            *right += usize::from(best == Some(target(half + row, quantity)));
        }
    }
    Ok(right_answers.iter().map(|right| number(*right as f64 / held.nrows().max(1) as f64)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed, numbers};
    use super::*;
    use crate::crosscoder::Hook;
    use crate::experiment::randomness::{Purpose, Stream};

    fn landing() -> Case {
        Case::of(changed("quadratic-31", &[]))
    }

    #[test]
    fn what_is_in_the_layer_is_read_and_what_is_not_is_left_to_chance() {
        let one_hot = |hit: bool| f64::from(u8::from(hit));
        let sums = numbers(&MEASURE, &landing().with(Hook::MlpPost, 31, |a, b, _, n| one_hot((a + b) % 31 == n)));
        assert!(sums[2] > 0.99 && sums[0] < 0.12 && sums[1] < 0.12 && sums[3] < 0.12, "{sums:?}");
        let tokens = numbers(&MEASURE, &landing().with(Hook::MlpPost, 62, |a, b, _, n| one_hot(n == a || n == 31 + b)));
        assert!(tokens[0] > 0.99 && tokens[1] > 0.99 && tokens[2] < 0.12 && tokens[3] < 0.12, "{tokens:?}");
    }

    #[test]
    fn noise_is_read_at_chance_on_rows_that_were_not_fitted() {
        let noise = Stream::new(3, Purpose::Planted, 0).normals(961 * 64, 1.0);
        let found = numbers(&MEASURE, &landing().with(Hook::MlpPost, 64, |_, _, row, n| f64::from(noise[row * 64 + n])));
        assert!(found.iter().all(|accuracy| *accuracy < 0.1), "{found:?}");
    }

    #[test]
    fn dead_neurons_do_no_harm_and_vectors_are_refused() {
        let found = numbers(&MEASURE, &landing().with(Hook::MlpPost, 3, |_, _, _, _| 0.7));
        assert!(found.iter().all(|accuracy| *accuracy < 0.1), "{found:?}");
        assert!(applies(&changed("parity-40", &[])).unwrap_err().cause.contains("vectors"));
    }
}
