//! Every measure, one line each, in the order of the page; and what can be said of them without taking one.

use super::kind::{Column, Cost, Measure};
use super::{
    circularity, compressibility, descent, distance_irrelevance, efficiency, feature_kernel, gradient_noise,
    gradient_symmetricity, heavy_tail, key_neurons, learning_coefficient, local_complexity, margin, mirror, neurons, norms,
    probes, ranks, restricted, rqi, sharpness, softmax_collapse, spectrum, tangent_kernel, trig_fit, update,
};
use crate::crosscoder::Hook;
use crate::experiment::Experiment;
use crate::record::UserError;

static MEASURES: &[Measure] = &[
    spectrum::MEASURE,
    restricted::MEASURE,
    efficiency::MEASURE,
    key_neurons::MEASURE,
    neurons::MEASURE,
    trig_fit::MEASURE,
    distance_irrelevance::MEASURE,
    circularity::MEASURE,
    rqi::MEASURE,
    norms::MEASURE,
    descent::MEASURE,
    update::MEASURE,
    margin::MEASURE,
    mirror::MEASURE,
    softmax_collapse::MEASURE,
    ranks::MEASURE,
    heavy_tail::MEASURE,
    feature_kernel::MEASURE,
    probes::MEASURE,
    local_complexity::MEASURE,
    gradient_symmetricity::MEASURE,
    tangent_kernel::MEASURE,
    sharpness::MEASURE,
    gradient_noise::MEASURE,
    learning_coefficient::MEASURE,
    compressibility::MEASURE,
];

/// Every measure, in the order of the page.
pub fn measures() -> &'static [Measure] {
    MEASURES
}

/// The measure called `name`.
///
/// # Errors
/// An unknown name is answered with the list.
pub fn measure(name: &str) -> Result<&'static Measure, UserError> {
    MEASURES.iter().find(|measure| measure.name == name).ok_or_else(|| {
        let all: Vec<&str> = MEASURES.iter().map(|measure| measure.name).collect();
        UserError::new(format!("There is no measure called \"{name}\""), format!("Use {}", all.join(", ")))
    })
}

/// The column called `name` with its measure.
pub fn column(name: &str) -> Option<(&'static Measure, &'static Column)> {
    MEASURES.iter().find_map(|measure| measure.columns.iter().find(|column| column.name == name).map(|column| (measure, column)))
}

/// Measures that cost at most `cost` and have a meaning for `experiment`.
pub fn measures_for(experiment: &Experiment, cost: Cost) -> Vec<&'static Measure> {
    MEASURES.iter().filter(|measure| measure.cost <= cost && (measure.applies)(experiment).is_ok()).collect()
}

/// Activations that have to be read for `chosen`, each once.
pub fn hooks_of(chosen: &[&Measure], experiment: &Experiment) -> Vec<Hook> {
    let mut hooks = Vec::new();
    for hook in chosen.iter().flat_map(|measure| (measure.hooks)(experiment)) {
        if !hooks.contains(&hook) {
            hooks.push(hook);
        }
    }
    hooks
}

#[cfg(test)]
mod tests {
    use super::super::Work;
    use super::super::oracle::Case;
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};
    use crate::experiment::{presets, with_value};

    #[test]
    fn names_of_measures_and_columns_are_unique_and_in_snake_case() {
        let mut names: Vec<&str> = MEASURES.iter().map(|m| m.name).collect();
        let mut columns: Vec<&str> = MEASURES.iter().flat_map(|m| m.columns).map(|c| c.name).collect();
        for list in [&mut names, &mut columns] {
            let count = list.len();
            assert!(list.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')));
            list.sort_unstable();
            list.dedup();
            assert_eq!(list.len(), count);
        }
    }

    #[test]
    fn every_measure_says_what_it_is_where_it_comes_from_and_what_it_does_not_show() {
        for measure in MEASURES {
            for (text, least) in [(measure.definition, 30), (measure.source, 4), (measure.not_evidence_of, 20)] {
                assert!(text.chars().count() >= least && !text.ends_with('.'), "{}: {text}", measure.name);
            }
            assert!(!measure.columns.is_empty(), "{}", measure.name);
        }
    }

    #[test]
    fn every_direct_measure_that_applies_gives_one_finite_value_per_column() {
        let mut seen = Vec::new();
        for preset in presets() {
            // Small enough for a test of every kind: sixteen neurons, a modulus of 11 where there is one.
            let small = |e, (path, text)| with_value(&e, path, text).unwrap_or(e);
            let changes = [("model.width", "16"), ("task.modulus", "11")];
            let experiment = &changes.into_iter().fold(preset.experiment.clone(), small);
            let kind = (experiment.task.operation.clone(), experiment.model.architecture.clone(), experiment.loss.clone());
            let rows = crate::task::rule_of(experiment).map_or(0, |rule| rule.sizes().rows);
            if rows > 1000 || seen.contains(&kind) {
                continue;
            }
            seen.push(kind);
            let mut case = Case::of(experiment.clone()).keyed(&[0, 2]);
            for hook in Hook::ALL {
                let width = crate::model::hook_width(experiment, hook).unwrap_or(0);
                let numbers = Stream::new(1, Purpose::Planted, hook as u64).normals(case.data.rows.len() * width, 1.0);
                case = case.with(hook, width, |_, _, row, column| f64::from(numbers[row * width + column]));
            }
            for measure in MEASURES.iter().filter(|measure| (measure.applies)(experiment).is_ok()) {
                let Work::Direct(take) = measure.work else { continue };
                let values = take(&case.facts()).unwrap();
                assert_eq!(values.len(), measure.columns.len(), "{} on {}", measure.name, experiment.name);
                for (value, column) in values.iter().zip(measure.columns) {
                    assert_eq!(value.clone().checked(), *value, "{} on {}", column.name, experiment.name);
                    let within =
                        |x: f64| column.range[0].is_none_or(|least| x >= least) && column.range[1].is_none_or(|most| x <= most);
                    assert!(value.number().is_none_or(within), "{} on {}: {value:?}", column.name, experiment.name);
                    assert!(
                        value.list().is_none_or(|list| column.over.is_some() && list.iter().all(|x| within(*x))),
                        "{}",
                        column.name
                    );
                }
            }
        }
        assert!(seen.len() > 5, "{seen:?}");
    }

    #[test]
    fn every_preset_is_measured_or_told_why_not() {
        for preset in presets() {
            for measure in MEASURES {
                if let Err(error) = (measure.applies)(&preset.experiment) {
                    assert!(!error.cause.is_empty() && !error.remedy.is_empty(), "{} on {}", measure.name, preset.name);
                }
            }
        }
    }
}
