//! Reading an action's arguments, the same for its check (without a device) and its work.

use crate::experiment::edit::distance;
use crate::model::ParameterSpec;
use crate::record::UserError;

/// Arguments that do not fit how the action is written.
pub(super) fn misused(usage: &str) -> UserError {
    UserError::new("The arguments do not fit the action", format!("Write {usage}"))
}

/// Place of the tensor called `name`.
pub(super) fn place(name: &str, specs: &[ParameterSpec]) -> Result<usize, UserError> {
    specs.iter().position(|spec| spec.name == name).ok_or_else(|| {
        let nearest = specs.iter().map(|spec| spec.name.as_str()).min_by_key(|known| distance(known, name)).unwrap_or_default();
        let all: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
        UserError::new(
            format!("This network has no tensor {name}"),
            format!("The nearest is {nearest}; all are {}", all.join(", ")),
        )
    })
}

/// Places of the tensors that an optional last argument names: all without it, or with `all`.
pub(super) fn places(name: Option<&&str>, specs: &[ParameterSpec]) -> Result<Vec<usize>, UserError> {
    match name {
        None | Some(&"all") => Ok((0..specs.len()).collect()),
        Some(name) => Ok(vec![place(name, specs)?]),
    }
}

/// A number in `low..=high`.
pub(super) fn number(text: &str, what: &str, low: f64, high: f64) -> Result<f64, UserError> {
    match text.parse::<f64>() {
        Ok(number) if (low..=high).contains(&number) => Ok(number),
        Ok(number) => {
            let nearest = if number > high { high } else { low };
            Err(UserError::new(format!("{what} {text} is out of range"), format!("Use {nearest}; allowed is {low} to {high}")))
        }
        Err(_) => Err(UserError::new(format!("{what} {text} is no number"), format!("Use a number from {low} to {high}"))),
    }
}
