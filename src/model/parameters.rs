//! Parameters: their names and sizes, how they start, and how they cross between device and record.

use crate::experiment::randomness::{Purpose, Stream};
use crate::record::{NamedTensor, UserError, Weights};
use burn::tensor::{Device, Tensor, TensorData, Transaction};

/// One parameter of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterSpec {
    /// Name in checkpoints, e.g. `w_in`.
    pub name: &'static str,
    /// Rows (inputs); 1 for a bias.
    pub rows: usize,
    /// Columns (outputs).
    pub columns: usize,
    /// Standard deviation at the start; 0 for a bias.
    pub std: f64,
    /// Whether checkpoints store it as a vector `[columns]`.
    pub bias: bool,
}

impl ParameterSpec {
    pub(super) fn matrix(name: &'static str, rows: usize, columns: usize, std: f64) -> Self {
        Self { name, rows, columns, std, bias: false }
    }

    pub(super) fn bias(name: &'static str, columns: usize) -> Self {
        Self { name, rows: 1, columns, std: 0.0, bias: true }
    }
}

/// Starting weights of one replica: each parameter from its own stream, so that adding one never changes another.
pub fn draw(specs: &[ParameterSpec], seed: u64) -> Weights {
    let tensors = specs
        .iter()
        .enumerate()
        .map(|(index, spec)| NamedTensor {
            name: spec.name.to_owned(),
            shape: if spec.bias { vec![spec.columns] } else { vec![spec.rows, spec.columns] },
            values: Stream::new(seed, Purpose::Init, index as u64).normals(spec.rows * spec.columns, spec.std),
        })
        .collect();
    Weights { tensors }
}

/// Stacks one set of weights per replica on the device: `[replica, rows, columns]` for each spec, in order. `prefix` is put
/// before each name.
///
/// # Errors
/// If a tensor is missing or has another size.
pub fn upload(weights: &[Weights], specs: &[ParameterSpec], prefix: &str, device: &Device) -> Result<Vec<Tensor<3>>, UserError> {
    specs
        .iter()
        .map(|spec| {
            let mut values = Vec::with_capacity(weights.len() * spec.rows * spec.columns);
            for set in weights {
                let name = format!("{prefix}{}", spec.name);
                let tensor = set.get(&name).ok_or_else(|| {
                    UserError::new(format!("The weights lack the tensor {name}"), "Use a checkpoint of this experiment")
                })?;
                if tensor.values.len() != spec.rows * spec.columns {
                    return Err(UserError::new(
                        format!("Tensor {name} holds {} numbers instead of {}", tensor.values.len(), spec.rows * spec.columns),
                        "Use a checkpoint of this experiment",
                    ));
                }
                values.extend_from_slice(&tensor.values);
            }
            Ok(Tensor::from_data(TensorData::new(values, [weights.len(), spec.rows, spec.columns]), device))
        })
        .collect()
}

/// Reads parameters back, one set of weights per replica, in one transaction.
///
/// # Errors
/// If the device fails to answer.
pub async fn read(tensors: &[Tensor<3>], specs: &[ParameterSpec]) -> Result<Vec<Weights>, UserError> {
    let mut transaction = Transaction::default();
    for tensor in tensors {
        transaction = transaction.register(tensor.clone());
    }
    let data = transaction.execute_async().await.map_err(lost)?;
    let replicas = tensors.first().map_or(0, |t| t.dims()[0]);
    let mut sets = vec![Weights::default(); replicas];
    for (data, spec) in data.into_iter().zip(specs) {
        let values = data.try_into_vec::<f32>().map_err(lost)?;
        for (set, values) in sets.iter_mut().zip(values.chunks(spec.rows * spec.columns)) {
            set.tensors.push(NamedTensor {
                name: spec.name.to_owned(),
                shape: if spec.bias { vec![spec.columns] } else { vec![spec.rows, spec.columns] },
                values: values.to_vec(),
            });
        }
    }
    Ok(sets)
}

/// A device that no longer answers.
pub(crate) fn lost(error: impl core::fmt::Debug) -> UserError {
    UserError::new(
        format!("The device stopped answering ({error:?})"),
        "Resume from the last checkpoint, on the CPU if it happens again",
    )
}
