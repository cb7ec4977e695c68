//! Tensors that do not learn: after each update they get back the values they had before it.
//!
//! The gradient still flows through them and the optimiser's moments still follow it, so a tensor that is released in the middle
//! of a run goes on with moments of the present, not of the step at which it was frozen.

use super::Part;
use crate::experiment::Experiment;
use crate::experiment::field::{Field, FieldError, FieldKind};
#[cfg(feature = "compute")]
use {
    super::{Modifier, Moment},
    burn::tensor::Tensor,
};

pub(super) const PART: Part = Part {
    fields: &[Field::new(
        "training.frozen",
        "Frozen tensors",
        "Names with commas of the weights that updates leave alone, e.g. embed; empty freezes nothing",
        FieldKind::Text { max_chars: 200 },
    )
    .neutral("")
    .live()],
    check,
    #[cfg(feature = "compute")]
    build,
};

fn names(experiment: &Experiment) -> Vec<&str> {
    experiment.training.text("frozen").split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
}

pub(super) fn check(experiment: &Experiment) -> Vec<FieldError> {
    let names = names(experiment);
    if names.is_empty() {
        return Vec::new();
    }
    let refuse = |cause: String, remedy: String| FieldError::new("training.frozen", cause, remedy);
    let known: Vec<String> = crate::model::specs(experiment).into_iter().map(|spec| spec.name).collect();
    let mut errors: Vec<FieldError> = names
        .iter()
        .filter(|name| known.iter().all(|k| k != *name))
        .map(|name| refuse(format!("This network has no tensor {name}"), format!("Use names from {}", known.join(", "))))
        .collect();
    if errors.is_empty() && known.iter().all(|name| names.contains(&name.as_str())) {
        errors.push(refuse("Nothing would learn".into(), "Leave at least one tensor out".into()));
    }
    if experiment.training.number("norm_clamp") > 0.0 {
        errors.push(refuse(
            "The norm clamp scales all weights, frozen ones too".into(),
            "Leave it empty, or set training.norm_clamp to 0".into(),
        ));
    }
    errors
}

#[cfg(feature = "compute")]
fn build(experiment: &Experiment) -> Option<Box<dyn Modifier>> {
    let names: Vec<String> = names(experiment).into_iter().map(str::to_owned).collect();
    (!names.is_empty()).then(|| Box::new(Freeze { names }) as Box<dyn Modifier>)
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct Freeze {
    names: Vec<String>,
}

#[cfg(feature = "compute")]
impl Modifier for Freeze {
    fn after(&mut self, moment: &Moment<'_>, before: &[Tensor<3>], after: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        let kept = after
            .into_iter()
            .zip(before)
            .zip(moment.specs)
            .map(|((after, before), spec)| if self.names.contains(&spec.name) { before.clone() } else { after });
        kept.collect()
    }
}

#[cfg(test)]
#[cfg(feature = "compute")]
mod tests {
    use super::super::support::{Case, values, with};
    use super::*;

    #[test]
    fn only_the_tensors_named_keep_their_old_values() {
        let case = Case::small();
        let mut part = Freeze { names: vec!["p1".to_owned()] };
        let after = part.after(&case.moment(1), &case.start, case.weights.clone());
        assert_eq!(values(&after[0]), values(&case.weights[0]));
        assert_eq!(values(&after[1]), values(&case.start[1]));
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let known = crate::model::specs(&with(&[]));
        assert!(check(&with(&[("training.frozen", &known[0].name)])).is_empty());
        let errors = check(&with(&[("training.frozen", "no_such_tensor")]));
        assert!(errors.len() == 1 && errors[0].remedy.contains(&known[0].name), "{errors:?}");
    }

    #[test]
    fn a_network_that_cannot_learn_or_cannot_be_clamped_is_refused() {
        let all: Vec<String> = crate::model::specs(&with(&[])).into_iter().map(|spec| spec.name).collect();
        assert_eq!(check(&with(&[("training.frozen", &all.join(","))])).len(), 1);
        assert_eq!(check(&with(&[("training.frozen", &all[0]), ("training.norm_clamp", "0.8")])).len(), 1);
    }
}
