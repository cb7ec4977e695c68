//! Local complexity: how finely does the network cut the space around its inputs?
//!
//! A piecewise linear network memorises with many small pieces about its training points, and the pieces are reported to leave
//! the data when it groks. Counting pieces is hopeless; counting the neurons whose boundary passes through a small neighbourhood is
//! not. The neighbourhood is a cross-polytope, whose few corners stand for all its points.

use super::facts::{Facts, Grid};
use super::flat::{dot, draws, norm, sample};
use super::kind::{Column, Cost, Measure, Work};
use super::tokens::matrix;
use crate::crosscoder::Hook;
use crate::experiment::Experiment;
use crate::experiment::randomness::Stream;
use crate::record::{UserError, Value, Weights};

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "local_complexity",
    label: "Local complexity",
    definition: "Share of hidden neurons, over all layers, whose pre-activation changes its sign among the corners x ± r·v_j of a \
                 cross-polytope about a point x: 25 random orthonormal directions v_j (as many as the space has, if fewer), the same \
                 for all points; r = .1 of the mean length of all inputs; mean over up to 256 points (64 in networks of several \
                 layers) of training, of testing, and at random, normal in each coordinate with its mean and deviation over all \
                 inputs. x is what the first matrix reads: the code of the input, the embeddings, or the residual stream before the MLP",
    source: "Humayun et al. 2402.15555 (r and the space of x are our own: theirs are images)",
    not_evidence_of: "Only for ReLU does a sign change bound a linear piece; for x², GELU or tanh the number is about signs alone",
    cost: Cost::Forward,
    columns: &[
        Column::new("local_complexity_train", "neurons that turn near a training point").share(),
        Column::new("local_complexity_test", "neurons that turn near a test point").share(),
        Column::new("local_complexity_random", "neurons that turn near a random point").share(),
    ],
    hooks,
    needs_keys: false,
    applies,
    work: Work::direct(take),
};

/// Directions of the cross-polytope.
const DIRECTIONS: usize = 25;
/// r over the mean length of an input.
const RADIUS: f64 = 0.1;
/// Points of each kind, with one hidden layer and with more, where every corner needs its own forward pass.
const POINTS: usize = 256;
const POINTS_DEEP: usize = 64;

fn hooks(experiment: &Experiment) -> Vec<Hook> {
    read_at(experiment).into_iter().collect()
}

/// What the first hidden matrix reads; `None` where there is no such place.
fn read_at(experiment: &Experiment) -> Option<Hook> {
    match experiment.model.architecture.as_str() {
        "mlp" | "embedding_mlp" => Some(Hook::Embed),
        "transformer" => Some(Hook::ResidMid),
        _ => None,
    }
}

fn applies(experiment: &Experiment) -> Result<(), UserError> {
    let settings = &experiment.model.settings;
    if read_at(experiment).is_none() {
        return Err(UserError::new(
            "This network has no hidden layer that reads one vector",
            "Use a perceptron or a transformer with an MLP block",
        ));
    }
    if experiment.model.architecture == "transformer" {
        if settings.integer("mlp_width") == 0 {
            return Err(UserError::new("This transformer has no MLP block", "Use model.mlp_width above 0"));
        }
        if !matches!(settings.text("norm"), "" | "none") {
            return Err(UserError::new(
                "Between the residual stream and its neurons this network normalises, which a small step does not leave alone",
                "Use model.norm=none",
            ));
        }
    }
    Ok(())
}

fn take(facts: &Facts<'_>) -> Result<Vec<Value>, UserError> {
    let hook = read_at(facts.experiment).ok_or_else(|| UserError::new("This network has no hidden layer", "Use a perceptron"))?;
    let inputs = facts.activation(hook)?;
    let layers = Layers::of(facts)?;
    let width = inputs.width;
    if layers.list.first().is_none_or(|layer| layer.inputs != width) {
        return Err(UserError::new(
            format!("The first matrix of this network does not read the {width} numbers of {}", hook.name()),
            "Open the weights together with the experiment that made them",
        ));
    }
    let rows = inputs.rows().count();
    let radius = RADIUS * inputs.rows().map(|row| norm(&wide(row))).sum::<f64>() / rows.max(1) as f64;
    let count = if layers.list.len() == 1 { POINTS } else { POINTS_DEEP };
    let directions = orthonormal(&mut draws(facts, MEASURE.name, 0), width, DIRECTIONS);
    let points = |side: &[u32], repeat| -> Vec<Vec<f64>> {
        sample(&mut draws(facts, MEASURE.name, repeat), side, count)
            .into_iter()
            .map(|row| wide(inputs.row(row as usize)))
            .collect()
    };
    let random = alike(&mut draws(facts, MEASURE.name, 3), inputs, count);
    Ok([points(&facts.data.train, 1), points(&facts.data.test, 2), random]
        .into_iter()
        .map(|points| match layers.turning(&points, &directions, radius) {
            Some(share) => Value::Number(share).checked(),
            None => Value::Absent("There are no such points".into()),
        })
        .collect())
}

/// Up to `count` orthonormal directions, by Gram and Schmidt from normal draws.
fn orthonormal(stream: &mut Stream, width: usize, count: usize) -> Vec<Vec<f64>> {
    let mut found: Vec<Vec<f64>> = Vec::new();
    while found.len() < count.min(width) {
        let mut direction: Vec<f64> = (0..width).map(|_| stream.normal()).collect();
        // Twice, or rounding leaves the last of many not quite at a right angle.
        for _ in 0..2 {
            for known in &found {
                let along = dot(&direction, known);
                direction.iter_mut().zip(known).for_each(|(v, known)| *v -= along * known);
            }
        }
        let length = norm(&direction);
        if length > 1e-6 {
            direction.iter_mut().for_each(|v| *v /= length);
            found.push(direction);
        }
    }
    found
}

/// Random points with the mean and deviation of each coordinate.
fn alike(stream: &mut Stream, inputs: &Grid, count: usize) -> Vec<Vec<f64>> {
    let (mut mean, mut square, mut rows) = (vec![0.0; inputs.width], vec![0.0; inputs.width], 0.0);
    for row in inputs.rows() {
        rows += 1.0;
        // Welford: a constant coordinate keeps a deviation of exactly 0.
        for ((mean, square), x) in mean.iter_mut().zip(&mut square).zip(wide(row)) {
            let offset = x - *mean;
            *mean += offset / rows;
            *square += offset * (x - *mean);
        }
    }
    let spread: Vec<f64> = square.iter().map(|square| libm::sqrt(square / f64::max(rows, 1.0))).collect();
    (0..count).map(|_| mean.iter().zip(&spread).map(|(mean, spread)| mean + spread * stream.normal()).collect()).collect()
}

fn wide(row: &[f32]) -> Vec<f64> {
    row.iter().map(|v| f64::from(*v)).collect()
}

/// x·w + b.
struct Layer {
    inputs: usize,
    width: usize,
    /// `[inputs, width]`.
    matrix: Vec<f64>,
    bias: Vec<f64>,
}

impl Layer {
    fn of(weights: &Weights, matrix_name: &str, bias_name: &str) -> Result<Self, UserError> {
        let (inputs, width, values) = matrix(weights, matrix_name)?;
        let bias = match weights.get(bias_name) {
            Some(tensor) if tensor.values.len() == width => tensor.values.iter().map(|v| f64::from(*v)).collect(),
            _ => vec![0.0; width],
        };
        Ok(Self { inputs, width, matrix: values.iter().map(|v| f64::from(*v)).collect(), bias })
    }

    /// Without the bias.
    fn product(&self, x: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.width];
        for (x, row) in x.iter().zip(self.matrix.chunks_exact(self.width)) {
            if *x != 0.0 {
                sum.iter_mut().zip(row).for_each(|(sum, w)| *sum += x * w);
            }
        }
        sum
    }

    fn sum(&self, x: &[f64]) -> Vec<f64> {
        let mut sum = self.product(x);
        sum.iter_mut().zip(&self.bias).for_each(|(sum, b)| *sum += b);
        sum
    }
}

/// The hidden layers one after another.
struct Layers {
    list: Vec<Layer>,
    activation: fn(f64) -> f64,
}

impl Layers {
    fn of(facts: &Facts<'_>) -> Result<Self, UserError> {
        let (weights, settings) = (facts.weights, &facts.experiment.model.settings);
        let mut list = Vec::new();
        if facts.experiment.model.architecture == "transformer" {
            // The hook reads the last block.
            let suffix = if settings.integer("layers") > 1 { "_2" } else { "" };
            list.push(Layer::of(weights, &format!("w_in{suffix}"), &format!("b_in{suffix}"))?);
        } else {
            list.push(Layer::of(weights, "w_in", "b_in")?);
            for number in 1..settings.integer("depth") {
                list.push(Layer::of(weights, &format!("w_{number}"), &format!("b_{number}"))?);
            }
        }
        let activation: fn(f64) -> f64 = match settings.text("activation") {
            "relu" => |x| x.max(0.0),
            "gelu" => |x| 0.5 * x * (1.0 + libm::erf(x * core::f64::consts::FRAC_1_SQRT_2)),
            "tanh" => libm::tanh,
            "silu" => |x| x / (1.0 + libm::exp(-x)),
            _ => |x| x * x,
        };
        Ok(Self { list, activation })
    }

    /// Mean over the points of the share of neurons whose sum has both signs among the corners; `None` without points.
    fn turning(&self, points: &[Vec<f64>], directions: &[Vec<f64>], radius: f64) -> Option<f64> {
        let neurons: usize = self.list.iter().map(|layer| layer.width).sum();
        if points.is_empty() || neurons == 0 {
            return None;
        }
        let turning: usize = match &self.list[..] {
            [only] => {
                // Linear: the corners reach from x·w + b by r·max|v_j·w| to both sides.
                let mut reach = vec![0.0f64; only.width];
                for direction in directions {
                    reach
                        .iter_mut()
                        .zip(only.product(direction))
                        .for_each(|(reach, step)| *reach = reach.max(radius * step.abs()));
                }
                let near = |x: &Vec<f64>| only.sum(x).iter().zip(&reach).filter(|(sum, reach)| sum.abs() < **reach).count();
                points.iter().map(near).sum()
            }
            _ => points.iter().map(|x| self.turning_at(x, directions, radius)).sum(),
        };
        Some(turning as f64 / (neurons * points.len()) as f64)
    }

    fn turning_at(&self, x: &[f64], directions: &[Vec<f64>], radius: f64) -> usize {
        let mut corners: Vec<Vec<f64>> = Vec::with_capacity(2 * directions.len());
        for direction in directions {
            for sign in [radius, -radius] {
                corners.push(x.iter().zip(direction).map(|(x, v)| x + sign * v).collect());
            }
        }
        let mut turning = 0;
        for layer in &self.list {
            let (mut least, mut most) = (vec![f64::INFINITY; layer.width], vec![f64::NEG_INFINITY; layer.width]);
            for corner in &mut corners {
                let mut sum = layer.sum(corner);
                for ((least, most), value) in least.iter_mut().zip(&mut most).zip(&sum) {
                    (*least, *most) = (least.min(*value), most.max(*value));
                }
                sum.iter_mut().for_each(|value| *value = (self.activation)(*value));
                *corner = sum;
            }
            turning += least.iter().zip(&most).filter(|(least, most)| **least < 0.0 && **most > 0.0).count();
        }
        turning
    }
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed, numbers};
    use super::*;

    fn layer(columns: &[&[f64]], bias: &[f64]) -> Layer {
        let (width, inputs) = (columns.len(), columns[0].len());
        let matrix = (0..inputs * width).map(|at| columns[at % width][at / width]).collect();
        Layer { inputs, width, matrix, bias: bias.to_vec() }
    }

    fn layers(list: Vec<Layer>) -> Layers {
        Layers { list, activation: |x| x.max(0.0) }
    }

    const AXES: [[f64; 2]; 2] = [[1.0, 0.0], [0.0, 1.0]];

    fn axes() -> Vec<Vec<f64>> {
        AXES.iter().map(|axis| axis.to_vec()).collect()
    }

    #[test]
    fn a_plane_turns_near_the_points_that_are_near_it() {
        // Closed form: the line x = 1 cuts the neighbourhoods of radius .5 of half of these points.
        let plane = layers(vec![layer(&[&[2.0, 0.0]], &[-2.0])]);
        let points = [[0.6, 9.0], [1.4, -3.0], [0.4, 0.0], [1.6, 1.0]].map(|x| x.to_vec());
        assert_eq!(plane.turning(&points, &axes(), 0.5), Some(0.5));
        assert_eq!(plane.turning(&points, &axes(), 1e-9), Some(0.0));
        assert_eq!(plane.turning(&points, &axes(), 1e9), Some(1.0));
        assert_eq!(plane.turning(&[], &axes(), 1.0), None);
    }

    #[test]
    fn counting_at_the_corners_agrees_with_the_linear_formula() {
        let mut stream = Stream::new(3, crate::experiment::randomness::Purpose::Planted, 0);
        let mut random = |count: usize| (0..count).map(|_| stream.normal()).collect::<Vec<f64>>();
        let one = Layer { inputs: 8, width: 30, matrix: random(240), bias: random(30) };
        let points: Vec<Vec<f64>> = (0..20).map(|_| random(8)).collect();
        let directions = orthonormal(&mut stream, 8, DIRECTIONS);
        assert_eq!(directions.len(), 8);
        for (i, a) in directions.iter().enumerate() {
            for (j, b) in directions.iter().enumerate() {
                assert!((dot(a, b) - if i == j { 1.0 } else { 0.0 }).abs() < 1e-12);
            }
        }
        let one = layers(vec![one]);
        let share = one.turning(&points, &directions, 0.4).unwrap();
        let counted: usize = points.iter().map(|x| one.turning_at(x, &directions, 0.4)).sum();
        assert!(share > 0.1 && share < 0.9 && (share - counted as f64 / 600.0).abs() < 1e-12, "{share}");
    }

    #[test]
    fn random_points_have_the_mean_and_deviation_of_the_inputs() {
        let mut stream = Stream::new(5, crate::experiment::randomness::Purpose::Planted, 0);
        let grid = Grid { width: 2, values: vec![1.0, 4.0, 3.0, 4.0] };
        let points = alike(&mut stream, &grid, 20_000);
        let first = points.iter().map(|x| x[0]).sum::<f64>() / 20_000.0;
        let square = points.iter().map(|x| (x[0] - 2.0) * (x[0] - 2.0)).sum::<f64>() / 20_000.0;
        assert!(
            (first - 2.0).abs() < 0.03 && (square - 1.0).abs() < 0.05 && points.iter().all(|x| x[1] == 4.0),
            "{first} {square}"
        );
    }

    #[test]
    fn deeper_neurons_are_counted_by_what_reaches_them() {
        // Closed form: the first layer is the identity on positive points; the second turns at x + y = 2.
        let deep = layers(vec![layer(&[&[1.0, 0.0], &[0.0, 1.0]], &[0.0, 0.0]), layer(&[&[1.0, 1.0]], &[-2.0])]);
        let points = [[0.8, 1.0], [3.0, 3.0]].map(|x| x.to_vec());
        assert_eq!(deep.turning(&points, &axes(), 0.5), Some(1.0 / 6.0));
    }

    #[test]
    fn inputs_of_perceptrons_and_residual_streams_of_transformers_are_read_and_other_networks_told() {
        let two_hot = |case: Case| {
            let p = case.data.sizes.tokens as usize;
            case.with(Hook::Embed, 2 * p, |a, b, _, column| if column == a || column == p + b { 1.0 } else { 0.0 })
        };
        let plain = numbers(&MEASURE, &two_hot(Case::of(changed("quadratic-31", &[]))));
        assert!(plain.iter().all(|share| *share > 0.02 && *share < 0.6), "{plain:?}");
        let mut dead = two_hot(Case::of(changed(
            "quadratic-31",
            &[("model.depth", "2"), ("model.width", "24"), ("model.activation", "relu")],
        )));
        assert!(numbers(&MEASURE, &dead).iter().all(|share| *share > 0.0));
        dead.weights.tensors.iter_mut().for_each(|tensor| tensor.values.fill(0.0));
        assert_eq!(numbers(&MEASURE, &dead), [0.0; 3]);

        let transformer = changed("transformer-59", &[]);
        let d = crate::model::hook_width(&transformer, Hook::ResidMid).unwrap();
        let case = Case::of(transformer).with(Hook::ResidMid, d, |a, b, _, column| ((a + 2 * b + column) % 7) as f64 - 3.0);
        assert!(numbers(&MEASURE, &case).iter().all(|share| *share > 0.0 && *share < 1.0));
        assert!(applies(&changed("transformer-59", &[("model.norm", "pre")])).unwrap_err().remedy.contains("norm=none"));
        assert!(applies(&changed("liu-toy", &[])).is_err());
    }
}
