//! Weights of one network put into another: what an earlier stage hands over.
//!
//! Between networks for the same tokens rows are copied. Between two moduli there are no common rows, but a grokked embedding is
//! a sum of few cosines, and a cosine of frequency k exists for every modulus: so the columns are read as functions on the
//! source's cycle and written down on the target's with the same frequencies and coefficients.

use super::network::Shape;
use super::parameters::{ParameterSpec, Role};
use super::registry::{architecture_of, shape_of};
use super::specs;
use crate::experiment::{Experiment, FieldError};
use crate::record::{NamedTensor, UserError, Weights};
use crate::task::{Cycle, rule_of};
use core::f64::consts::TAU;

/// Names of the tensors that an experiment takes over, in its own order.
fn wanted(experiment: &Experiment) -> Vec<String> {
    let text = experiment.stage.text("tensors");
    if text.trim() == "all" {
        return specs(experiment).into_iter().map(|spec| spec.name.to_string()).collect();
    }
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn by_frequency(experiment: &Experiment) -> bool {
    experiment.stage.text("map") == "frequencies"
}

fn cycle(experiment: &Experiment) -> Option<u32> {
    match rule_of(experiment)?.cycle()? {
        Cycle::Additive(n) => Some(n),
        Cycle::Multiplicative(_) => None,
    }
}

/// How many rows a tensor has for each token, of those that read the input: 1 for an embedding, 2 for a first matrix on a and b
/// side by side, 0 for all others. Names would not tell (`w_in` reads tokens in one network and an embedding in the next), and
/// neither would sizes (three positions are no tokens); so the architecture is asked what one token more would add.
fn rows_per_token(experiment: &Experiment, spec: &ParameterSpec) -> usize {
    let shape = shape_of(experiment);
    let (Some(architecture), Role::Input) = (architecture_of(experiment), spec.role) else { return 0 };
    // In another code a row belongs to a frequency or a digit, however many of them there are.
    if !matches!(experiment.model.settings.text("encoding"), "" | "two_hot") {
        return 0;
    }
    let wider = (architecture.specs)(&experiment.model, Shape { tokens: shape.tokens + 1, ..shape });
    wider.iter().find(|other| other.name == spec.name).map_or(0, |other| other.rows.saturating_sub(spec.rows))
}

/// What keeps `experiment` from using `source` as its earlier stage.
pub fn check_stage(experiment: &Experiment, source: &Experiment) -> Vec<FieldError> {
    if experiment.stage.text("use") == "distill" {
        return check_distillation(experiment, source);
    }
    let (own, theirs) = (specs(experiment), specs(source));
    let refuse = |cause: String, remedy: String| vec![FieldError::new("stage.tensors", cause, remedy)];
    let list = || own.iter().map(|spec| spec.name.to_string()).collect::<Vec<_>>().join(", ");
    let names = wanted(experiment);
    if names.is_empty() {
        return refuse("No tensor is named".into(), format!("Use some of {}, or all", list()));
    }
    for name in &names {
        let (Some(mine), Some(other)) = (own.iter().find(|s| *s.name == **name), theirs.iter().find(|s| *s.name == **name))
        else {
            return refuse(format!("{name} is not in both networks"), format!("Use some of {}", list()));
        };
        let blocks = rows_per_token(experiment, mine);
        if by_frequency(experiment) && blocks > 0 && mine.columns == other.columns {
            let (Some(to), Some(from)) = (cycle(experiment), cycle(source)) else {
                return vec![FieldError::new(
                    "stage.map",
                    "Frequencies belong to addition and subtraction modulo p, and one of the two tasks is another",
                    "Use same",
                )];
            };
            let rest = |rows: usize, n: u32| rows.checked_sub(blocks * n as usize);
            if rows_per_token(source, other) != blocks || rest(mine.rows, to) != rest(other.rows, from) {
                return refuse(
                    format!("The rows of {name} stand for other things in the source than here"),
                    "Leave it out, or give both networks the same architecture and input code".into(),
                );
            }
        } else if (mine.rows, mine.columns) != (other.rows, other.columns) {
            let why = if by_frequency(experiment) {
                "Leave it out: only tensors with a row for each token, such as an embedding, can be read at frequencies"
            } else {
                "Leave it out, make both networks alike, or use stage.map=frequencies for another modulus"
            };
            return refuse(
                format!("{name} is {}×{} in the source and {}×{} here", other.rows, other.columns, mine.rows, mine.columns),
                why.into(),
            );
        }
    }
    Vec::new()
}

fn check_distillation(experiment: &Experiment, source: &Experiment) -> Vec<FieldError> {
    if experiment.loss != source.loss {
        return vec![FieldError::new(
            "stage.source",
            format!("The source answers by {}, which {} does not learn from", source.loss, experiment.loss),
            "Give both the same loss",
        )];
    }
    if rule_of(experiment).is_some_and(|rule| rule.is_online()) {
        return vec![FieldError::new(
            "stage.use",
            "Rows that are drawn anew for every update have no answer of the source",
            "Use task.online=false",
        )];
    }
    if experiment.training.number("negate_augment") > 0.0 || experiment.training.number("swap_augment") > 0.0 {
        return vec![FieldError::new("stage.use", "Augmented rows have no answer of the source", "Switch augmentation off")];
    }
    let sizes = |e: &Experiment| rule_of(e).map(|rule| rule.sizes());
    if sizes(experiment) != sizes(source) {
        return vec![FieldError::new(
            "stage.source",
            "The source answers other questions: its task has other rows or classes",
            "Give both the same task; the network, the optimiser and the training fraction may differ",
        )];
    }
    Vec::new()
}

/// Replaces in `own` the tensors that `experiment` takes over from its source.
///
/// # Errors
/// If a tensor is missing or does not fit; [`check_stage`] finds this beforehand.
pub fn transplant(own: &mut Weights, source: &Weights, experiment: &Experiment) -> Result<(), UserError> {
    let from = experiment.source()?.as_ref().and_then(cycle);
    let to = cycle(experiment);
    let own_specs = specs(experiment);
    for name in wanted(experiment) {
        let misfit = || UserError::new(format!("The source's {name} does not fit"), "Choose other tensors to take over");
        let theirs = source.get(&name).ok_or_else(misfit)?;
        let mine = own.tensors.iter_mut().find(|tensor| tensor.name == name).ok_or_else(misfit)?;
        let blocks = own_specs.iter().find(|spec| spec.name == name).map_or(0, |spec| rows_per_token(experiment, spec));
        if from == to || blocks == 0 || !by_frequency(experiment) {
            if mine.shape != theirs.shape {
                return Err(misfit());
            }
            mine.values.clone_from(&theirs.values);
            continue;
        }
        let (Some(from), Some(to)) = (from, to) else { return Err(misfit()) };
        read_at_frequencies(mine, theirs, from as usize, to as usize).ok_or_else(misfit)?;
    }
    Ok(())
}

/// Writes each block of `from` token rows of `theirs` into the block of `to` token rows of `mine`; rows that belong to no token
/// (the one of "=") are copied.
fn read_at_frequencies(mine: &mut NamedTensor, theirs: &NamedTensor, from: usize, to: usize) -> Option<()> {
    let ([my_rows, width], [rows, their_width]) = (mine.shape.as_slice(), theirs.shape.as_slice()) else { return None };
    let blocks = rows / from.max(1);
    if width != their_width || blocks == 0 || my_rows / to.max(1) != blocks || rows - blocks * from != my_rows - blocks * to {
        return None;
    }
    let width = *width;
    for block in 0..blocks {
        for column in 0..width {
            let values: Vec<f64> =
                (0..from).map(|token| f64::from(theirs.values[(block * from + token) * width + column])).collect();
            for (token, value) in resampled(&values, to).into_iter().enumerate() {
                mine.values[(block * to + token) * width + column] = value as f32;
            }
        }
    }
    let rest = (rows - blocks * from) * width;
    let (end, their_end) = (mine.values.len(), theirs.values.len());
    mine.values[end - rest..].copy_from_slice(&theirs.values[their_end - rest..]);
    Some(())
}

/// A function on the cycle of `values.len()` points as the function on the cycle of `to` points with the same frequencies and
/// coefficients; frequencies above `to`/2 would alias and are left out.
fn resampled(values: &[f64], to: usize) -> Vec<f64> {
    let n = values.len();
    let mut result = vec![0.0; to];
    for k in 0..=(n / 2).min(to / 2) {
        let angle = |i: usize, n: usize| TAU * ((k * i) % n) as f64 / n as f64;
        let share = if k == 0 || 2 * k == n { 1.0 } else { 2.0 } / n as f64;
        let even: f64 = values.iter().enumerate().map(|(i, v)| v * libm::cos(angle(i, n))).sum::<f64>() * share;
        let odd: f64 = values.iter().enumerate().map(|(i, v)| v * libm::sin(angle(i, n))).sum::<f64>() * share;
        for (i, value) in result.iter_mut().enumerate() {
            *value += even * libm::cos(angle(i, to)) + odd * libm::sin(angle(i, to));
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::super::start;
    use super::*;
    use crate::experiment::{preset, with_value};

    #[test]
    fn a_cosine_keeps_its_frequency_and_phase_on_another_cycle() {
        let wave = |n: usize| (0..n).map(|i| 1.5 + 0.7 * libm::cos(TAU * 3.0 * i as f64 / n as f64 + 0.4)).collect::<Vec<_>>();
        for (from, to) in [(13, 31), (31, 13), (12, 12), (10, 31)] {
            for (a, b) in resampled(&wave(from), to).iter().zip(wave(to)) {
                assert!((a - b).abs() < 1e-12, "{from} → {to}");
            }
        }
    }

    #[test]
    fn rows_of_no_token_are_copied_and_blocks_stay_apart() {
        let tensor = |rows: usize, f: &dyn Fn(usize) -> f32| NamedTensor {
            name: "w_in".into(),
            shape: vec![rows, 1],
            values: (0..rows).map(f).collect(),
        };
        let mut mine = tensor(6, &|_| 0.0);
        read_at_frequencies(&mut mine, &tensor(4, &|row| if row < 3 { 2.0 } else { 9.0 }), 3, 5).unwrap();
        assert!(mine.values[..5].iter().all(|v| (v - 2.0).abs() < 1e-6) && mine.values[5] == 9.0, "{:?}", mine.values);
        let mut mine = tensor(10, &|_| 0.0);
        read_at_frequencies(&mut mine, &tensor(6, &|row| if row < 3 { 1.0 } else { -1.0 }), 3, 5).unwrap();
        assert!(mine.values[..5].iter().all(|v| (v - 1.0).abs() < 1e-6), "{:?}", mine.values);
        assert!(mine.values[5..].iter().all(|v| (v + 1.0).abs() < 1e-6), "{:?}", mine.values);
        assert!(read_at_frequencies(&mut tensor(9, &|_| 0.0), &tensor(6, &|_| 0.0), 3, 5).is_none());
    }

    /// Addition modulo 31 in this network, from addition modulo 23, with `stage.tensors` at `tensors`.
    fn moved(architecture: &[(&str, &str)], tensors: &str) -> Experiment {
        let stage = [
            ("stage.use", "transplant"),
            ("stage.source", "task.modulus=23"),
            ("stage.map", "frequencies"),
            ("stage.tensors", tensors),
        ];
        let changes = architecture.iter().chain(&stage);
        changes.fold(preset("quadratic-31").unwrap().experiment.clone(), |e, (path, value)| with_value(&e, path, value).unwrap())
    }

    fn errors(experiment: &Experiment) -> Vec<FieldError> {
        check_stage(experiment, &experiment.source().unwrap().unwrap())
    }

    /// Start and source as drawn, the source put in: (before, source, after).
    fn transplanted(experiment: &Experiment) -> (Weights, Weights, Weights) {
        assert_eq!(errors(experiment), []);
        let (before, source) = (start(experiment).unwrap(), start(&experiment.source().unwrap().unwrap()).unwrap());
        let mut after = before.clone();
        transplant(&mut after, &source, experiment).unwrap();
        (before, source, after)
    }

    /// Each column of the 31 token rows is the source's 23 read at the same frequencies; rows behind them are the source's.
    fn is_resampled(after: &NamedTensor, source: &NamedTensor) -> bool {
        let width = after.shape[1];
        (0..width).all(|column| {
            let of = |tensor: &NamedTensor, row: usize| f64::from(tensor.values[row * width + column]);
            let expected = resampled(&(0..23).map(|row| of(source, row)).collect::<Vec<_>>(), 31);
            let tokens = expected.iter().enumerate().all(|(row, value)| (of(after, row) - value).abs() < 1e-6);
            let rest = after.shape[0] - 31;
            tokens && source.shape[0] == 23 + rest && (0..rest).all(|row| of(after, 31 + row) == of(source, 23 + row))
        })
    }

    #[test]
    fn a_transformer_takes_over_its_embedding_by_frequencies_and_the_rest_as_it_is() {
        let architecture = [("model.architecture", "transformer"), ("model.d_model", "8"), ("model.heads", "2")];
        let experiment = moved(&architecture, "embed,pos,w_q,w_in");
        let (before, source, after) = transplanted(&experiment);
        assert_eq!(after.get("embed").unwrap().shape, [32, 8], "31 tokens and the equals sign");
        assert!(is_resampled(after.get("embed").unwrap(), source.get("embed").unwrap()));
        for name in ["pos", "w_q", "w_in"] {
            assert_eq!(after.get(name), source.get(name), "{name}");
        }
        assert_eq!(after.get("w_out"), before.get("w_out"), "not asked for");
    }

    #[test]
    fn both_embeddings_of_a_perceptron_are_taken_over_by_frequencies() {
        let architecture = [
            ("model.architecture", "embedding_mlp"),
            ("model.embedding", "separate"),
            ("model.embed_width", "5"),
            ("model.width", "6"),
        ];
        let (_, source, after) = transplanted(&moved(&architecture, "embed,embed_b,w_in"));
        for name in ["embed", "embed_b"] {
            assert!(is_resampled(after.get(name).unwrap(), source.get(name).unwrap()), "{name}");
        }
        assert_eq!(after.get("w_in"), source.get("w_in"));
    }

    #[test]
    fn what_cannot_be_read_at_frequencies_is_refused_before_the_source_is_trained() {
        let refused = |experiment: &Experiment| {
            let found = errors(experiment);
            assert_eq!(found.len(), 1, "{found:?}");
            found.into_iter().next().unwrap()
        };
        let transformer = [("model.architecture", "transformer"), ("model.d_model", "8"), ("model.heads", "2")];
        let all = refused(&moved(&transformer, "all"));
        assert!(all.cause.contains("unembed is 8×23") && all.remedy.contains("Leave it out"), "{all:?}");
        // A row of a Fourier code belongs to a frequency, not to a token.
        let code = refused(&moved(&[("model.encoding", "fourier")], "w_in"));
        assert!(code.cause.contains("w_in is"), "{code:?}");
        let other = refused(&moved(&[("task.operation", "mul")], "w_in"));
        assert_eq!(other.path, "stage.map");
        // Digits mean the same for every modulus of as many digits.
        assert_eq!(errors(&moved(&[("model.encoding", "binary")], "w_in")), []);
    }
}
