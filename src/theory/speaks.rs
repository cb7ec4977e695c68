//! Which panels speak of an experiment, and why the others do not.
//!
//! A theory that is shown beside a run it does not speak of is worse than none. What it takes for granted is checked on the settings
//! here, before anything is computed; what only the curves can tell is for the panel's own assumptions.

use crate::experiment::Experiment;
use crate::measure::{homogeneity, measure};

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
    let is_exponential = matches!(loss, "cross_entropy" | "logistic");
    let (settings, start) = (&experiment.model.settings, experiment.model.init_scale);
    let is_squares = network == "mlp"
        && settings.text("activation") == "quadratic"
        && settings.integer("depth") <= 1
        && !settings.is_on("bias");
    let verdict = |panel, speaks: bool, given: String, missing: String| Verdict {
        panel,
        speaks,
        why: if speaks { given } else { missing },
    };
    vec![
        verdict(
            "representation",
            rule == "addition",
            "it adds without a modulus: which sums follow is decided by the training pairs".into(),
            format!("it needs a sum without a modulus (addition), not {rule}"),
        ),
        verdict(
            "group-representation",
            false,
            String::new(),
            "it speaks of networks with the product of two matrices built in, and the laboratory has none; it trains its own"
                .into(),
        ),
        verdict(
            "separable",
            (network == "linear" && loss == "logistic" && decay == 0.0) || (is_exponential && homogeneity(experiment).is_some()),
            if network == "linear" {
                "a linear classifier without weight decay".into()
            } else {
                format!("a network homogeneous in its weights under {loss}: its margin can be followed")
            },
            format!(
                "it needs a linear classifier under a logistic loss without weight decay, or a perceptron without biases under \
                 an exponential one; here {network}, {loss}, weight decay {decay}"
            ),
        ),
        verdict(
            "early-late",
            network == "diagonal" && loss == "logistic" && decay > 0.0 && start > 1.0,
            format!("a diagonal linear network from a start of {start}, with weight decay"),
            format!(
                "it needs a diagonal linear network from a start above 1 under a logistic loss with weight decay; here {network}, start \
                 {start}, {loss}, weight decay {decay}"
            ),
        ),
        verdict(
            "max-margin-fourier",
            is_squares && matches!(rule, "add" | "sub"),
            format!("one hidden layer of squares without biases on {rule}: its widest margin is known"),
            format!("it needs one hidden layer of squares without biases on addition or subtraction; here {network} on {rule}"),
        ),
        verdict(
            "linear",
            network == "linear" && rule == "linear_teacher" && decay == 0.0,
            "a linear student of a linear teacher, without weight decay".into(),
            format!("it needs a linear student of a linear teacher without weight decay; here {network} on {rule}"),
        ),
        verdict(
            "edge",
            rule == "constant_label",
            "one label for all inputs".into(),
            format!("it needs one label for all inputs; {rule} has several"),
        ),
        verdict(
            "lazy-rich",
            network == "committee" && rule == "quadratic_teacher",
            "a committee on a quadratic teacher: its lazy twin can be computed".into(),
            format!("it needs a committee on a quadratic teacher; here {network} on {rule}"),
        ),
        circuits(experiment),
        verdict(
            "norm-law",
            decay > 0.0,
            format!("weights decay by {:.1e} per update", experiment.optimizer.learning_rate * decay),
            "it needs a weight decay above 0".into(),
        ),
        nucleation(experiment),
        verdict(
            "singular",
            loss == "cross_entropy",
            "its loss is a log-likelihood, which measured learning coefficients can be weighed against".into(),
            format!("it needs a loss that is a log-likelihood (cross_entropy), not {loss}"),
        ),
        verdict(
            "fourier-network",
            network == "mlp" && matches!(rule, "add" | "sub"),
            format!("a perceptron on {rule} modulo {}: its weights could be written down", experiment.task.modulus()),
            format!("it needs a perceptron on addition or subtraction; here {network} on {rule}"),
        ),
    ]
}

/// Whether the account of two circuits can be asked of an experiment: something must prefer one of them, and they must be told apart.
fn circuits(experiment: &Experiment) -> Verdict {
    let decay = experiment.optimizer.weight_decay;
    let apart = measure("efficiency").and_then(|measure| (measure.applies)(experiment));
    let (speaks, why) = match apart {
        _ if decay <= 0.0 => (false, "it needs a weight decay above 0, which prefers one circuit".into()),
        Err(error) => (false, format!("it needs logits that the harmonics of the answer split: {}", error.cause)),
        Ok(()) => (true, "weights decay, and the harmonics of the answer split the logits into rule and memory".into()),
    };
    Verdict { panel: "circuit-efficiency", speaks, why }
}

/// Whether nucleation can be looked for in an experiment: its neurons must have frequencies.
fn nucleation(experiment: &Experiment) -> Verdict {
    let (speaks, why) = match measure("neurons").and_then(|measure| (measure.applies)(experiment)) {
        Ok(()) => (true, "its neurons have frequencies: which lock first, and whether others follow, can be seen".into()),
        Err(error) => (
            false,
            format!("its survey speaks of ensembles; of a single run it needs neurons that have frequencies: {}", error.cause),
        ),
    };
    Verdict { panel: "statistical-physics", speaks, why }
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
        assert_eq!(speaking(&transformer), ["circuit-efficiency", "norm-law", "statistical-physics", "singular"]);
        assert_eq!(
            speaking(&with_value(&transformer, "optimizer.weight_decay", "0").unwrap()),
            ["statistical-physics", "singular"]
        );
        assert_eq!(
            speaking(&preset("quadratic-31").unwrap().experiment),
            ["max-margin-fourier", "circuit-efficiency", "norm-law", "statistical-physics", "fourier-network"]
        );
        assert_eq!(speaking(&preset("sparse-diagonal").unwrap().experiment), ["early-late", "norm-law"]);
        assert_eq!(speaking(&preset("lazy-committee").unwrap().experiment), ["lazy-rich"]);
        assert_eq!(speaking(&preset("linear-teacher").unwrap().experiment), ["linear"]);
        assert_eq!(speaking(&preset("separable-classes").unwrap().experiment), ["separable"]);
    }
}
