//! The networks against plain loops in 64 bits, their starts against closed forms, and weights written down against published
//! accuracies.

mod analytic;
mod encoding;
#[cfg(feature = "compute")]
mod networks;
#[cfg(feature = "compute")]
mod oracle;
mod parametrisation;
mod sizes;

use super::network::Architecture;
use super::{architectures, common_fields};
use crate::experiment::field::FieldKind;
use crate::experiment::settings::Settings;
use crate::experiment::{Experiment, FieldError, ModelConfig, preset};
use serde_json::Value;

fn kind(name: &str) -> &'static Architecture {
    architectures().iter().find(|a| a.kind.name == name).unwrap()
}

/// The network with every setting at its start, then `changes`, given as typed text.
fn model(name: &str, changes: &[(&str, &str)]) -> ModelConfig {
    let fields = || kind(name).kind.fields.iter().chain(common_fields());
    let mut settings = Settings::default();
    for field in fields() {
        settings = settings.with(field.path.trim_start_matches("model."), field.start_value().unwrap());
    }
    for (name, text) in changes {
        let path = format!("model.{name}");
        let field = fields().find(|field| field.path == path).unwrap_or_else(|| panic!("no setting {path}"));
        let value = field.kind.parse(text).unwrap();
        assert_eq!(field.kind.check(&value), Ok(()), "{path}");
        assert!(!matches!(field.kind, FieldKind::Toggle) || matches!(value, Value::Bool(_)));
        settings = settings.with(name, value);
    }
    ModelConfig { architecture: name.into(), settings, init_scale: 1.0 }
}

/// Addition modulo 31 under AdamW and MSE, with this network.
fn experiment(model: ModelConfig) -> Experiment {
    Experiment { model, ..preset("quadratic-31").unwrap().experiment.clone() }
}

fn paths(errors: &[FieldError]) -> Vec<&str> {
    errors.iter().map(|error| error.path.as_str()).collect()
}
