//! How strongly each tensor starts and learns: settings that every network has.
//!
//! Grokking is a race between two solutions, and the start decides the handicap: a large output multiplier makes a network lazy
//! (Kumar et al. 2310.06110), a large embedding or a small unembedding shifts the delay (Omnigrok 2210.01117). All settings are
//! neutral at first and then leave every number untouched.
//!
//! # μP
//! Yang et al. 2203.03466, table 3, for Adam: with m = width / base width, the start is that of the network in which all widths
//! are divided by m, times a factor by the tensor's role, and the learning rate has a factor too:
//!
//! | tensor | grows in | deviation at the start | learning rate |
//! |---|---|---|---|
//! | input matrix, embedding, positions | columns | 1 | 1 |
//! | bias, gain | columns | 1 | 1 |
//! | hidden matrix | both | 1/√m | 1/m |
//! | output matrix, unembedding | rows | 1/m | 1/m |
//!
//! At the base width nothing changes. Attention keeps its 1/√(head width), which is right where a wider network has more heads of
//! one width. The width is `model.width` or `model.d_model`; other widths (`mlp_width`, `embed_width`) are to grow with it.
//! Rejected: a switch without a base width, which would change the familiar network as well.

use super::analytic;
use super::network::Architecture;
use super::parameters::{ParameterSpec, Role, draw};
use super::registry::{architecture_of, shape_of};
use crate::experiment::field::{Field, FieldKind, above};
use crate::experiment::{Experiment, FieldError, ModelConfig};
use crate::record::{UserError, Weights};

/// Settings that count hidden numbers; the first that a network has is its width.
const WIDTHS: [&str; 4] = ["width", "d_model", "mlp_width", "embed_width"];

/// Update rules whose step does not grow with the gradient, for which the rule above holds.
const SIGN_LIKE: [&str; 3] = ["adam_w", "adam", "lion"];

/// Largest factor of a tensor's start.
const MAX_SCALE: f64 = 1e4;

const FIELDS: &[Field] = &[
    Field::new(
        "model.output_multiplier",
        "Output multiplier",
        "Multiplies the outputs; large is lazy training (α of Kumar et al. 2310.06110)",
        above(0.0, 1e4),
    )
    .neutral("1"),
    Field::new(
        "model.centered",
        "Centred outputs",
        "Subtracts the outputs that the starting weights give, so that training starts from 0",
        FieldKind::Toggle,
    )
    .neutral("false"),
    Field::new(
        "model.parametrisation",
        "Parametrisation",
        "mup keeps the best learning rate the same for all widths under Adam (2203.03466)",
        FieldKind::Choice(&[("standard", "Standard"), ("mup", "μP")]),
    )
    .neutral("standard"),
    Field::new(
        "model.base_width",
        "Base width",
        "Width at which μP is the standard parametrisation",
        FieldKind::Integer { min: 1, max: 4096 },
    )
    .starts("64")
    .when(&[("model.parametrisation", &["mup"])]),
    Field::new(
        "model.layer_scales",
        "Layer scales",
        "Multiplies the start of single tensors, e.g. embed=2,unembed=0.5",
        FieldKind::Text { max_chars: 200 },
    )
    .neutral(""),
];

/// The settings of every network.
pub fn common_fields() -> &'static [Field] {
    FIELDS
}

/// Names, sizes, starts and learning-rate factors of the parameters of an experiment's network, in order; none for an unknown
/// network. What cannot be read in `model.layer_scales` is left out here and refused by [`check`].
pub fn specs(experiment: &Experiment) -> Vec<ParameterSpec> {
    let mut specs = parametrised(experiment);
    for (name, factor) in read_scales(experiment.model.settings.text("layer_scales")).unwrap_or_default() {
        for spec in specs.iter_mut().filter(|spec| spec.name == name) {
            spec.std *= factor;
        }
    }
    specs
}

/// For each parameter, what multiplies the learning rate.
pub fn learning_rate_factors(experiment: &Experiment) -> Vec<f64> {
    specs(experiment).iter().map(|spec| spec.rate).collect()
}

/// Starting weights of an experiment: drawn, or written down where `model.start` asks for it.
///
/// # Errors
/// If analytic weights are asked for a task that has none; `check` finds this beforehand.
pub fn start(experiment: &Experiment) -> Result<Weights, UserError> {
    let specs = specs(experiment);
    if experiment.model.settings.text("start") == "analytic" {
        analytic::start(experiment, &specs)
    } else {
        Ok(draw(&specs, experiment.seed))
    }
}

/// Specs without the scales of single tensors.
fn parametrised(experiment: &Experiment) -> Vec<ParameterSpec> {
    let Some(architecture) = architecture_of(experiment) else { return Vec::new() };
    let shape = shape_of(experiment);
    let specs = (architecture.specs)(&experiment.model, shape);
    let Some(ratio) = width_ratio(experiment) else { return specs };
    let base = (architecture.specs)(&narrowed(&experiment.model, ratio, architecture), shape);
    specs
        .into_iter()
        .zip(base)
        .map(|(spec, base)| {
            let (deviation, rate) = match spec.role {
                Role::Input | Role::Vector => (1.0, 1.0),
                Role::Hidden => (1.0 / libm::sqrt(ratio), 1.0 / ratio),
                Role::Output => (1.0 / ratio, 1.0 / ratio),
            };
            ParameterSpec { std: base.std * deviation, rate: spec.rate * rate, ..spec }
        })
        .collect()
}

/// m = width / base width, if μP is on.
fn width_ratio(experiment: &Experiment) -> Option<f64> {
    let settings = &experiment.model.settings;
    if settings.text("parametrisation") != "mup" {
        return None;
    }
    let width = WIDTHS.iter().map(|name| settings.integer(name)).find(|width| *width > 0)?;
    Some(f64::from(width) / f64::from(settings.integer("base_width").max(1)))
}

/// The network with all widths divided by `ratio`.
fn narrowed(model: &ModelConfig, ratio: f64, architecture: &Architecture) -> ModelConfig {
    let own = |name: &&str| architecture.kind.fields.iter().any(|field| field.path.strip_prefix("model.") == Some(name));
    let mut narrow = model.clone();
    for name in WIDTHS.iter().filter(|name| own(name)) {
        let width = model.settings.integer(name);
        if width > 0 {
            let divided = libm::round(f64::from(width) / ratio).max(1.0) as u32;
            narrow.settings = narrow.settings.with(name, divided);
        }
    }
    narrow
}

/// `name=factor` pairs.
fn read_scales(text: &str) -> Result<Vec<(&str, f64)>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, factor) = part.split_once('=').ok_or_else(|| format!("\"{part}\" is not of the form name=factor"))?;
            let factor: f64 = factor.trim().parse().map_err(|_| format!("\"{}\" is not a number", factor.trim()))?;
            if (0.0..=MAX_SCALE).contains(&factor) {
                Ok((name.trim(), factor))
            } else {
                Err(format!("A factor of {factor} is out of range"))
            }
        })
        .collect()
}

/// Refuses scales of tensors that are not there, and μP where its rule does not hold.
pub(super) fn check(experiment: &Experiment) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let specs = parametrised(experiment);
    let scaled: Vec<&str> = specs.iter().filter(|spec| spec.std > 0.0).map(|spec| spec.name.as_str()).collect();
    let mut refuse = |cause: String, remedy: String| errors.push(FieldError::new("model.layer_scales", cause, remedy));
    match read_scales(experiment.model.settings.text("layer_scales")) {
        Err(cause) => {
            let example = scaled.first().copied().unwrap_or("w_in");
            refuse(cause, format!("Write name=factor with a factor from 0 to {MAX_SCALE}, e.g. {example}=0.5"));
        }
        Ok(scales) => {
            let mut seen = Vec::new();
            for (name, _) in scales {
                if specs.iter().all(|spec| spec.name != name) {
                    refuse(format!("The network has no tensor {name}"), format!("Use {}", scaled.join(", ")));
                } else if !scaled.contains(&name) {
                    refuse(format!("{name} starts at 0, which no factor changes"), format!("Use {}", scaled.join(", ")));
                } else if seen.contains(&name) {
                    refuse(format!("{name} is scaled twice"), format!("Name {name} once"));
                }
                seen.push(name);
            }
        }
    }
    if experiment.model.settings.text("parametrisation") == "mup" {
        let mut refuse = |cause: String, remedy: &str| errors.push(FieldError::new("model.parametrisation", cause, remedy));
        if !specs.iter().any(|spec| spec.role == Role::Output) {
            refuse("This network has no output matrix of its own for μP to scale".into(), "Use standard");
        } else if !SIGN_LIKE.contains(&experiment.optimizer.name.as_str()) {
            refuse(
                format!("The learning rates of μP are those for Adam, not for {}", experiment.optimizer.name),
                "Use standard, or the optimiser adam_w",
            );
        }
    }
    errors
}
