//! Named f32 tensors and their safetensors file: the one form in which weights leave the engine.

use super::UserError;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::HashMap;

/// A tensor with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// Parameter name, e.g. `w_in`.
    pub name: String,
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Row-major values.
    pub values: Vec<f32>,
}

/// All tensors of a checkpoint, in the model's order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weights {
    /// The tensors.
    pub tensors: Vec<NamedTensor>,
}

impl Weights {
    /// The tensor called `name`.
    pub fn get(&self, name: &str) -> Option<&NamedTensor> {
        self.tensors.iter().find(|t| t.name == name)
    }

    /// L2 norm over all values (summed in f64).
    pub fn norm(&self) -> f64 {
        self.tensors.iter().flat_map(|t| &t.values).map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt()
    }

    /// Writes safetensors. The file orders tensors by name; readers look them up by name.
    ///
    /// # Errors
    /// If a shape does not match its number of values.
    pub fn to_safetensors(&self, metadata: Option<HashMap<String, String>>) -> Result<Vec<u8>, UserError> {
        let broken =
            |e: safetensors::SafeTensorError| UserError::new(format!("Weights could not be written: {e}"), "Report this");
        let bytes: Vec<Vec<u8>> = self.tensors.iter().map(|t| t.values.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
        let mut views = Vec::with_capacity(self.tensors.len());
        for (tensor, bytes) in self.tensors.iter().zip(&bytes) {
            views.push((tensor.name.as_str(), TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map_err(broken)?));
        }
        safetensors::serialize(views, metadata).map_err(broken)
    }

    /// Reads safetensors (f32 only).
    ///
    /// # Errors
    /// If the bytes are no safetensors file, or hold another number type.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, UserError> {
        let file = SafeTensors::deserialize(bytes).map_err(|e| {
            UserError::new(format!("The weights are not a safetensors file ({e})"), "Choose a file exported by Grokscope")
        })?;
        let mut tensors = Vec::new();
        for (name, view) in file.tensors() {
            if view.dtype() != Dtype::F32 {
                return Err(UserError::new(format!("Tensor {name} is not 32-bit float"), "Convert it to float32"));
            }
            let values = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            tensors.push(NamedTensor { name, shape: view.shape().to_vec(), values });
        }
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { tensors })
    }
}
