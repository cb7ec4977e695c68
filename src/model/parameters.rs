//! Parameters: their names and sizes, how they start, and how they cross between device and record.
//!
//! Names, sizes and starts need no device, so a page can count parameters and draw the same starting weights as the engine.

use crate::experiment::randomness::{Purpose, Stream};
#[cfg(feature = "compute")]
use crate::record::UserError;
use crate::record::{NamedTensor, Weights};
#[cfg(feature = "compute")]
use burn::tensor::{Device, Tensor, TensorData, Transaction};

/// One parameter of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterSpec {
    /// Name in checkpoints, e.g. `w_in`.
    pub name: String,
    /// Rows (inputs); 1 for a bias.
    pub rows: usize,
    /// Columns (outputs).
    pub columns: usize,
    /// Standard deviation at the start, the value itself for [`Start::Constant`]; 0 for most biases.
    pub std: f64,
    /// Whether checkpoints store it as a vector `[columns]`.
    pub bias: bool,
    /// The distribution at the start.
    pub start: Start,
    /// Its place between input and output; see `parametrisation.rs`.
    pub role: Role,
    /// Multiplies the learning rate for this tensor.
    pub rate: f64,
}

/// The distribution of a parameter's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Normal with mean 0.
    Normal,
    /// Uniform between −√3 and √3 standard deviations.
    Uniform,
    /// One number everywhere.
    Constant,
}

/// Which sizes of a parameter grow with the network's width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Columns only: reads the input.
    Input,
    /// Rows and columns.
    Hidden,
    /// Rows only: gives the output.
    Output,
    /// A bias or a gain.
    Vector,
}

impl ParameterSpec {
    /// A matrix `[rows, columns]` with normal start. It is hidden, but for the names `embed…`, `pos` (input) and `unembed`
    /// (output), which mean the same in every network.
    pub fn matrix(name: impl Into<String>, rows: usize, columns: usize, std: f64) -> Self {
        let name = name.into();
        let role = match name.as_str() {
            "unembed" => Role::Output,
            "pos" => Role::Input,
            _ if name.starts_with("embed") => Role::Input,
            _ => Role::Hidden,
        };
        Self { name, rows, columns, std, bias: false, start: Start::Normal, role, rate: 1.0 }
    }

    /// A vector `[columns]` that starts at zero.
    pub fn bias(name: impl Into<String>, columns: usize) -> Self {
        let start = Start::Normal;
        Self { name: name.into(), rows: 1, columns, std: 0.0, bias: true, start, role: Role::Vector, rate: 1.0 }
    }

    pub(super) fn reads_input(self) -> Self {
        Self { role: Role::Input, ..self }
    }

    pub(super) fn gives_output(self) -> Self {
        Self { role: Role::Output, ..self }
    }

    /// Starts uniform in ±`half_width`.
    pub(super) fn uniform(self, half_width: f64) -> Self {
        Self { std: half_width / libm::sqrt(3.0), start: Start::Uniform, ..self }
    }

    /// Starts at `value` everywhere.
    pub(super) fn constant(self, value: f64) -> Self {
        Self { std: value, start: Start::Constant, ..self }
    }

    /// Learns at `factor` times the learning rate.
    pub(super) fn at_rate(self, factor: f64) -> Self {
        Self { rate: factor, ..self }
    }

    /// How many numbers it holds.
    pub fn count(&self) -> usize {
        self.rows * self.columns
    }

    /// Starting values from `stream`, row by row.
    pub fn draw(&self, stream: &mut Stream) -> Vec<f32> {
        match self.start {
            Start::Normal => stream.normals(self.count(), self.std),
            Start::Uniform => {
                let width = 2.0 * libm::sqrt(3.0) * self.std;
                (0..self.count()).map(|_| ((stream.uniform() - 0.5) * width) as f32).collect()
            }
            Start::Constant => vec![self.std as f32; self.count()],
        }
    }

    /// `values` under this name, in the shape of checkpoints.
    pub fn tensor(&self, values: Vec<f32>) -> NamedTensor {
        let shape = if self.bias { vec![self.columns] } else { vec![self.rows, self.columns] };
        NamedTensor { name: self.name.clone(), shape, values }
    }
}

/// Starting weights of one replica: each parameter from its own stream, so that adding one never changes another.
pub fn draw(specs: &[ParameterSpec], seed: u64) -> Weights {
    let tensors = specs
        .iter()
        .enumerate()
        .map(|(index, spec)| spec.tensor(spec.draw(&mut Stream::new(seed, Purpose::Init, index as u64))))
        .collect();
    Weights { tensors }
}

/// Stacks one set of weights per replica on the device: `[replica, rows, columns]` for each spec, in order. `prefix` is put
/// before each name.
///
/// # Errors
/// If a tensor is missing or has another size.
#[cfg(feature = "compute")]
pub fn upload(weights: &[Weights], specs: &[ParameterSpec], prefix: &str, device: &Device) -> Result<Vec<Tensor<3>>, UserError> {
    specs
        .iter()
        .map(|spec| {
            let mut values = Vec::with_capacity(weights.len() * spec.count());
            for set in weights {
                let name = format!("{prefix}{}", spec.name);
                let tensor = set.get(&name).ok_or_else(|| {
                    UserError::new(format!("The weights lack the tensor {name}"), "Use a checkpoint of this experiment")
                })?;
                if tensor.values.len() != spec.count() {
                    return Err(UserError::new(
                        format!("Tensor {name} holds {} numbers instead of {}", tensor.values.len(), spec.count()),
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
#[cfg(feature = "compute")]
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
        for (set, values) in sets.iter_mut().zip(values.chunks(spec.count())) {
            set.tensors.push(spec.tensor(values.to_vec()));
        }
    }
    Ok(sets)
}

/// A device that no longer answers.
#[cfg(feature = "compute")]
pub(crate) fn lost(error: impl core::fmt::Debug) -> UserError {
    UserError::new(
        format!("The device stopped answering ({error:?})"),
        "Resume from the last checkpoint, on the CPU if it happens again",
    )
}
