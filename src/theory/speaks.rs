//! Which panels speak of an experiment, and why the others do not.
//!
//! A theory that is shown beside a run it does not speak of is worse than none. What it takes for granted is checked on the settings
//! here, before anything is computed; what only the curves can tell is for the panel's own assumptions.

use crate::experiment::Experiment;

/// What a panel has to do with an experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Name of the panel.
    pub panel: &'static str,
    /// Whether what it takes for granted is given.
    pub speaks: bool,
    /// What is given, or what is missing.
    pub why: String,
}

/// The verdicts on all panels, in the order in which they are read.
pub fn speaks_of(experiment: &Experiment) -> Vec<Verdict> {
    let (network, rule) = (experiment.model.architecture.as_str(), experiment.task.operation.as_str());
    let (decay, loss) = (experiment.optimizer.weight_decay, experiment.loss.as_str());
    let verdict = |panel, speaks: bool, given: String, missing: String| Verdict {
        panel,
        speaks,
        why: if speaks { given } else { missing },
    };
    vec![
        verdict(
            "representation",
            network == "encoder_decoder",
            "the network adds two embeddings and decodes the sum".into(),
            format!("it needs a network that adds its embeddings by construction (encoder_decoder), not {network}"),
        ),
        verdict(
            "separable",
            network == "linear" && loss == "cross_entropy" && decay == 0.0,
            "a linear classifier without weight decay".into(),
            format!("it needs a linear classifier without weight decay; here {network}, {loss}, weight decay {decay}"),
        ),
        verdict(
            "linear",
            network == "linear" && loss != "cross_entropy",
            "a linear student under a squared loss".into(),
            format!("it needs a linear student under a squared loss; here {network}, {loss}"),
        ),
        verdict(
            "edge",
            rule == "constant_label",
            "one label for all inputs".into(),
            format!("it needs one label for all inputs; {rule} has several"),
        ),
        verdict(
            "norm-law",
            decay > 0.0,
            format!("weights decay by {:.1e} per update", experiment.optimizer.learning_rate * decay),
            "it needs a weight decay above 0".into(),
        ),
        verdict(
            "fourier-network",
            network == "mlp" && matches!(rule, "add" | "sub"),
            format!("a perceptron on {rule} modulo {}: its weights could be written down", experiment.task.modulus()),
            format!("it needs a perceptron on addition or subtraction; here {network} on {rule}"),
        ),
        verdict(
            "lazy-rich",
            network == "committee" && rule == "quadratic_teacher",
            "a committee on a quadratic teacher: its lazy twin can be computed".into(),
            format!("it needs a committee on a quadratic teacher; here {network} on {rule}"),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::panels;
    use super::*;
    use crate::experiment::{preset, presets, with_value};

    #[test]
    fn every_panel_has_a_verdict_and_a_reason_on_every_preset() {
        let names: Vec<&str> = panels().iter().map(|panel| panel.about.name).collect();
        for preset in presets() {
            let verdicts = speaks_of(&preset.experiment);
            assert_eq!(verdicts.iter().map(|verdict| verdict.panel).collect::<Vec<_>>(), names, "{}", preset.name);
            assert!(verdicts.iter().all(|verdict| !verdict.why.is_empty()), "{}: {verdicts:?}", preset.name);
        }
    }

    #[test]
    fn verdicts_follow_the_settings() {
        let speaking = |experiment: &Experiment| -> Vec<&str> {
            speaks_of(experiment).into_iter().filter(|verdict| verdict.speaks).map(|verdict| verdict.panel).collect()
        };
        let transformer = preset("transformer-59-mirror").unwrap().experiment.clone();
        assert_eq!(speaking(&transformer), ["norm-law"]);
        assert!(speaking(&with_value(&transformer, "optimizer.weight_decay", "0").unwrap()).is_empty());
        assert_eq!(speaking(&preset("quadratic-31").unwrap().experiment), ["norm-law", "fourier-network"]);
        assert_eq!(speaking(&preset("lazy-committee").unwrap().experiment), ["lazy-rich"]);
    }
}
