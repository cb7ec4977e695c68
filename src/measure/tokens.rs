//! The weights of a network that belong to single tokens: how it reads them, and how it answers with them.
//!
//! Spectra, embedding pictures and ablations all look at the same tables, which every network names and lays out in its own way.
//! Without one place that knows, each of them would know it a little differently.

use crate::experiment::Experiment;
use crate::record::{UserError, Weights};
use crate::task::rule_of;

/// Rows of one tensor that belong to tokens: token t stands in row `first + t`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The tensor.
    pub tensor: &'static str,
    /// The row of token 0.
    pub first: usize,
}

/// The blocks in which the network reads tokens: one for an embedding that serves both, two where a and b have their own.
///
/// # Errors
/// If no weight belongs to a single token.
pub fn input_blocks(experiment: &Experiment) -> Result<Vec<Block>, UserError> {
    let tokens = tokens_of(experiment);
    let settings = &experiment.model.settings;
    let block = |tensor, first| Block { tensor, first };
    Ok(match experiment.model.architecture.as_str() {
        _ if tokens == 0 => return Err(no_token_weights()),
        "mlp" | "linear" if matches!(settings.text("encoding"), "" | "two_hot") => vec![block("w_in", 0), block("w_in", tokens)],
        "embedding_mlp" if settings.text("embedding") == "separate" => vec![block("embed", 0), block("embed_b", 0)],
        "transformer" | "embedding_mlp" | "encoder_decoder" => vec![block("embed", 0)],
        _ => return Err(no_token_weights()),
    })
}

/// Whether the network has an embedding: vectors for tokens that later layers read.
pub fn has_embedding(experiment: &Experiment) -> bool {
    tokens_of(experiment) > 0
        && matches!(experiment.model.architecture.as_str(), "transformer" | "embedding_mlp" | "encoder_decoder")
}

/// What the network reads of each token: `[token, columns]`, the blocks of [`input_blocks`] side by side, and the columns.
///
/// # Errors
/// If no weight belongs to a single token, or the weights are those of another experiment.
pub fn input_table(weights: &Weights, experiment: &Experiment) -> Result<(Vec<f32>, usize), UserError> {
    let (tokens, blocks) = (tokens_of(experiment), input_blocks(experiment)?);
    let mut read = Vec::new();
    for block in &blocks {
        let (rows, width, values) = matrix(weights, block.tensor)?;
        if rows < block.first + tokens || values.len() != rows * width {
            return Err(misfit(&format!("{} has {rows} rows, which is not enough for {tokens} tokens", block.tensor)));
        }
        read.push((&values[block.first * width..(block.first + tokens) * width], width));
    }
    let columns = read.iter().map(|(_, width)| width).sum();
    let mut table = Vec::with_capacity(tokens * columns);
    for token in 0..tokens {
        read.iter().for_each(|(values, width)| table.extend_from_slice(&values[token * width..(token + 1) * width]));
    }
    Ok((table, columns))
}

/// How the network answers with each class: `[class, columns]` (the transpose of its last matrix), and the columns.
///
/// # Errors
/// If it has no such matrix, or the weights are those of another experiment.
pub fn output_table(weights: &Weights, experiment: &Experiment) -> Result<(Vec<f32>, usize), UserError> {
    let settings = &experiment.model.settings;
    let (name, is_by_class) = match experiment.model.architecture.as_str() {
        "transformer" if settings.is_on("tied") => ("embed", true),
        "embedding_mlp" if settings.text("embedding") == "tied" => ("embed", true),
        "transformer" | "embedding_mlp" => ("unembed", false),
        "mlp" => ("w_out", false),
        _ => return Err(UserError::new("This network has no matrix that gives its answers", "Use another network to see it")),
    };
    let (rows, width, values) = matrix(weights, name)?;
    if is_by_class {
        let classes = tokens_of(experiment).min(rows);
        return Ok((values[..classes * width].to_vec(), width));
    }
    let mut table = Vec::with_capacity(values.len());
    for class in 0..width {
        table.extend((0..rows).map(|row| values[row * width + class]));
    }
    Ok((table, rows))
}

/// A two-dimensional tensor: rows, columns and values.
///
/// # Errors
/// If it is not among the weights or has another shape.
pub fn matrix<'a>(weights: &'a Weights, name: &str) -> Result<(usize, usize, &'a [f32]), UserError> {
    let tensor = weights.get(name).ok_or_else(|| misfit(&format!("there is no tensor {name}")))?;
    match tensor.shape[..] {
        [rows, columns] if rows * columns == tensor.values.len() && columns > 0 => Ok((rows, columns, &tensor.values)),
        _ => Err(misfit(&format!("{name} has shape {:?}", tensor.shape))),
    }
}

/// Tokens of an experiment's task; 0 for vectors.
pub fn tokens_of(experiment: &Experiment) -> usize {
    rule_of(experiment).map_or(0, |rule| rule.sizes().tokens as usize)
}

fn no_token_weights() -> UserError {
    UserError::new(
        "In this network no weight belongs to one token, so there is no spectrum over tokens",
        "Use a task on pairs with the two-hot encoding or a network with an embedding",
    )
}

fn misfit(what: &str) -> UserError {
    UserError::new(
        format!("The weights do not belong to this experiment: {what}"),
        "Open the weights together with the experiment that made them",
    )
}
