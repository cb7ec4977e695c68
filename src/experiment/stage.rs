//! An earlier stage: another experiment that is trained first and whose weights or answers this one starts from.
//!
//! Transfer of an embedding from a smaller modulus, a weaker network or another operation, and distillation from a checkpoint,
//! all need a trained source. It is written as changes of this experiment, so that a link still holds everything and a replay
//! trains the source again; a file of weights would make an experiment that cannot be sent.

use super::config::Experiment;
use super::edit::{get, parse_assignment, replace};
use super::field::{Field, FieldError, FieldKind, above};
use super::settings::Settings;
use crate::record::UserError;

const USES: &[(&str, &[&str])] = &[("stage.use", &["transplant", "distill"])];
const TRANSPLANT: &[(&str, &[&str])] = &[("stage.use", &["transplant"])];
const DISTILL: &[(&str, &[&str])] = &[("stage.use", &["distill"])];

/// The settings of the stage.
pub(super) fn fields() -> &'static [Field] {
    FIELDS
}

static FIELDS: &[Field] = &[
    Field::new(
        "stage.use",
        "Earlier stage",
        "Train a source first, then take its weights (transplant) or its answers (distill)",
        FieldKind::Choice(&[("none", "None"), ("transplant", "Take over weights"), ("distill", "Learn from its answers")]),
    )
    .neutral("none"),
    Field::new(
        "stage.source",
        "Source",
        "How the source differs from this experiment, e.g. task.operation=sub; one change a line",
        FieldKind::Lines { max_count: 16 },
    )
    .starts("")
    .when(USES),
    Field::new("stage.steps", "Source steps", "Updates that the source makes", FieldKind::Integer { min: 0, max: 1_000_000 })
        .starts("200")
        .when(USES),
    Field::new(
        "stage.tensors",
        "Tensors taken over",
        "Names with commas, e.g. embed, or all; the rest starts as usual",
        FieldKind::Text { max_chars: 200 },
    )
    .starts("embed")
    .when(TRANSPLANT),
    Field::new(
        "stage.map",
        "Rows of the source",
        "Same rows, or an embedding of another modulus read at the same frequencies",
        FieldKind::Choice(&[("same", "Same rows"), ("frequencies", "Same frequencies")]),
    )
    .starts("same")
    .when(TRANSPLANT),
    Field::new(
        "stage.weight",
        "Weight of the source's answers",
        "Share of the target that is the source's probabilities; the rest is the label",
        FieldKind::Number { min: 0.0, max: 1.0, min_exclusive: true, max_exclusive: false },
    )
    .starts("0.5")
    .when(DISTILL),
    Field::new("stage.temperature", "Temperature of the source", "The source's logits are divided by it", above(0.0, 100.0))
        .starts("1")
        .when(DISTILL),
];

/// What the source is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Its weights.
    Transplant,
    /// Its answers.
    Distill,
}

impl Experiment {
    /// What an earlier stage is for; `None` without one.
    pub fn stage_use(&self) -> Option<Use> {
        match self.stage.text("use") {
            "transplant" => Some(Use::Transplant),
            "distill" => Some(Use::Distill),
            _ => None,
        }
    }

    /// The experiment that is trained first, if there is an earlier stage.
    ///
    /// # Errors
    /// If one of its changes cannot be made.
    pub fn source(&self) -> Result<Option<Self>, UserError> {
        if self.stage_use().is_none() {
            return Ok(None);
        }
        let mut source =
            Self { stage: Settings::default(), timeline: Vec::new(), steps: self.stage.integer("steps").max(1), ..self.clone() }
                .completed()?;
        for line in self.stage.lines("source") {
            let (path, value) = parse_assignment(&line)?;
            source = replace(&source, path, value)?;
        }
        Ok(Some(source))
    }
}

/// Why the answers that the source of a distillation gave before the run are not those to the rows under the settings `now`,
/// with what can change instead.
pub(super) fn outdated(experiment: &Experiment, now: &Experiment) -> Option<(String, String)> {
    if experiment.stage_use() != Some(Use::Distill) {
        return None;
    }
    let kinds = crate::task::tasks();
    let own = kinds.iter().find(|task| task.kind.name == experiment.task.operation).map_or(&[][..], |task| task.kind.fields);
    let of_the_rows = ["loss", "task.operation"].into_iter().chain(own.iter().map(|field| field.path));
    let changed = of_the_rows.into_iter().find(|path| get(experiment, path) != get(now, path))?;
    Some((
        format!("changes {changed}, and the source has answered once for all, before the run"),
        "Leave it as it is, or do without stage.use=distill; training fraction, label noise and curriculum may change".into(),
    ))
}

/// Refuses a source that cannot run or does not fit.
pub(super) fn check(experiment: &Experiment, errors: &mut Vec<FieldError>) {
    let source = match experiment.source() {
        Ok(Some(source)) => source,
        Ok(None) => return,
        Err(error) => {
            errors.push(FieldError::new("stage.source", error.cause, error.remedy));
            return;
        }
    };
    if source.stage_use().is_some() || !source.timeline.is_empty() {
        errors.push(FieldError::new(
            "stage.source",
            "A source has no stage or timeline of its own",
            "Leave stage and timeline out",
        ));
        return;
    }
    if let Err(found) = source.validate() {
        errors.extend(
            found
                .into_iter()
                .map(|e| FieldError::new("stage.source", format!("The source cannot run: {}: {}", e.path, e.cause), e.remedy)),
        );
        return;
    }
    errors.extend(crate::model::check_stage(experiment, &source));
}
