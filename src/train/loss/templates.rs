//! Squared error to a fixed random template of the label (Liu et al., 2205.10343): the network answers with a vector, and the
//! answer is right if the nearest template is the label's.
//!
//! It is the decoder of the effective theory of representation learning, where outputs have a geometry of their own instead of
//! one axis per class. Templates are drawn from N(0, 1) under each replica's seed, so that a seed decides them like a weight.

#[cfg(feature = "compute")]
use super::mean_squared_error::{mean_square, mean_square_slope};
use super::{Answer, LossKind, Soft};
#[cfg(feature = "compute")]
use super::{Loss, is_largest};
use crate::experiment::Experiment;
use crate::experiment::field::{Field, FieldKind};
use crate::experiment::fields::Kind;
use crate::experiment::randomness::{Purpose, Stream};
#[cfg(feature = "compute")]
use burn::tensor::{Device, Tensor, TensorData};

/// Index of the templates among the streams of [`Purpose::Code`]; input codes have small ones.
const STREAM: u64 = 1 << 32;

/// The registration.
pub(super) const KIND: LossKind = LossKind {
    kind: Kind {
        name: "templates",
        label: "Squared error to random templates",
        help: "Mean squared distance to the label's random vector; right if no other is nearer (Liu et al., 2205.10343)",
        fields: &[Field::new(
            "training.template_dims",
            "Template size",
            "Numbers in the random vector of each class, and outputs of the network",
            FieldKind::Integer { min: 1, max: 512 },
        )
        .starts("30")],
    },
    answer: Answer::Class,
    soft: Soft::Mixture,
    outputs: |experiment, _| dims(experiment),
    codes,
    #[cfg(feature = "compute")]
    build: |experiments, classes, device| Box::new(Templates::new(experiments, classes, device)),
};

fn dims(experiment: &Experiment) -> usize {
    experiment.training.integer("template_dims") as usize
}

/// One stream per class, so that the template of a class does not depend on how many there are.
fn codes(experiment: &Experiment, classes: usize) -> Vec<Vec<f32>> {
    let draw = |class| Stream::new(experiment.seed, Purpose::Code, STREAM + class).normals(dims(experiment), 1.0);
    (0..classes as u64).map(draw).collect()
}

#[cfg(feature = "compute")]
#[derive(Debug)]
struct Templates {
    /// `[replica, output, class]`.
    codes: Tensor<3>,
    /// ‖c‖²/2: `[replica, 1, class]`.
    half_squares: Tensor<3>,
}

#[cfg(feature = "compute")]
impl Templates {
    fn new(experiments: &[Experiment], classes: usize, device: &Device) -> Self {
        let dims = experiments.first().map_or(0, dims);
        let values: Vec<f32> = experiments.iter().flat_map(|e| codes(e, classes)).flatten().collect();
        let codes = Tensor::<3>::from_data(TensorData::new(values, [experiments.len(), classes, dims]), device).swap_dims(1, 2);
        let half_squares = (codes.clone() * codes.clone()).sum_dim(1).mul_scalar(0.5);
        Self { codes, half_squares }
    }

    /// c·x − ‖c‖²/2 of each class, largest at the nearest template: `[replica, row, class]`.
    fn nearness(&self, x: Tensor<3>) -> Tensor<3> {
        x.matmul(self.codes.clone()) - self.half_squares.clone()
    }
}

#[cfg(feature = "compute")]
impl Loss for Templates {
    fn per_row(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        mean_square(outputs - targets)
    }

    fn slope(&self, outputs: Tensor<3>, targets: Tensor<3>, rows: usize) -> (Tensor<3>, Tensor<3>) {
        mean_square_slope(outputs - targets, rows)
    }

    fn correct(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        let own = self.nearness(targets);
        let label = own.clone().greater_equal(own.max_dim(2)).float();
        is_largest(self.nearness(outputs), label)
    }
}
