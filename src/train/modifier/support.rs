//! Small tensors of two replicas, and the moment around them, for the parts' tests.

use super::{Moment, Part};
use crate::experiment::randomness::{Purpose, Stream};
use crate::experiment::{Experiment, presets};
use crate::model::ParameterSpec;
use burn::tensor::{Device, Tensor, TensorData};

/// Replicas of every case.
pub const REPLICAS: usize = 2;

/// Weights, gradients and what surrounds an update.
pub struct Case {
    /// One per replica.
    pub seeds: Vec<u64>,
    pub specs: Vec<ParameterSpec>,
    pub start: Vec<Tensor<3>>,
    pub weights: Vec<Tensor<3>>,
    pub gradients: Vec<Tensor<3>>,
    device: Device,
}

impl Case {
    /// Parameters `p0`, `p1`, … of these rows and columns, all of them normal numbers.
    pub fn sized(sizes: &[(usize, usize)]) -> Self {
        let device = Device::flex();
        const NAMES: [&str; 4] = ["p0", "p1", "p2", "p3"];
        let specs: Vec<ParameterSpec> =
            sizes.iter().zip(NAMES).map(|(&(rows, columns), name)| ParameterSpec::matrix(name, rows, columns, 1.0)).collect();
        let drawn = |index: u64| -> Vec<Tensor<3>> {
            let mut stream = Stream::new(index, Purpose::Planted, 0);
            specs
                .iter()
                .map(|s| tensor(&stream.normals(REPLICAS * s.rows * s.columns, 1.0), [REPLICAS, s.rows, s.columns]))
                .collect()
        };
        Self { seeds: vec![3, 4], start: drawn(1), weights: drawn(2), gradients: drawn(3), specs, device }
    }

    /// A matrix and a bias.
    pub fn small() -> Self {
        Self::sized(&[(3, 4), (1, 5)])
    }

    /// The moment of update `t`, with different rates per replica.
    pub fn moment(&self, t: u32) -> Moment<'_> {
        Moment { t, seeds: &self.seeds, rates: &[0.1, 0.02], specs: &self.specs, start: &self.start, device: &self.device }
    }
}

/// A tensor of these values.
pub fn tensor(values: &[f32], dims: [usize; 3]) -> Tensor<3> {
    Tensor::from_data(TensorData::new(values.to_vec(), dims), &Device::flex())
}

/// The values of a tensor.
pub fn values(tensor: &Tensor<3>) -> Vec<f32> {
    tensor.clone().into_data().try_into_vec::<f32>().unwrap()
}

/// The values of `replica` of each tensor, in f64.
pub fn replica(tensors: &[Tensor<3>], replica: usize) -> Vec<Vec<f64>> {
    tensors
        .iter()
        .map(|tensor| {
            let all = values(tensor);
            let size = all.len() / REPLICAS;
            all[replica * size..][..size].iter().map(|x| f64::from(*x)).collect()
        })
        .collect()
}

/// The first preset with these settings.
pub fn with(settings: &[(&str, &str)]) -> Experiment {
    let start = presets()[0].experiment.clone();
    settings.iter().fold(start, |e, (path, text)| crate::experiment::with_value(&e, path, text).unwrap())
}

/// The part at work with these settings.
pub fn build(part: &Part, settings: &[(&str, &str)]) -> Box<dyn super::Modifier> {
    (part.build)(&with(settings)).unwrap()
}

/// √Σx² over all lists.
pub fn length(lists: &[Vec<f64>]) -> f64 {
    libm::sqrt(lists.iter().flatten().map(|x| x * x).sum())
}

/// Holds each replica of `found` against `expected(replica)`.
pub fn assert_close(found: &[Tensor<3>], expected: impl Fn(usize) -> Vec<Vec<f64>>, tolerance: f64) {
    for r in 0..REPLICAS {
        let (found, expected) = (replica(found, r), expected(r));
        assert_eq!(found.len(), expected.len());
        for (x, y) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!((x - y).abs() <= tolerance * (1.0 + y.abs()), "replica {r}: {x} instead of {y}");
        }
    }
}

/// Combines two lists of lists number by number.
pub fn zip(a: &[Vec<f64>], b: &[Vec<f64>], f: impl Fn(f64, f64) -> f64) -> Vec<Vec<f64>> {
    a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(a, b)| f(*a, *b)).collect()).collect()
}
