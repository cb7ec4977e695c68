//! Every network written out once more, row by row in f64, without replicas, look-ups or shared products.

use super::super::network::{Activations, Network, Shape};
use super::super::{Inputs, ParameterSpec, codes, encoding};
use super::kind;
use crate::experiment::ModelConfig;
use crate::experiment::randomness::{Purpose, Stream};
use burn::tensor::{Device, Tensor, TensorData};

/// One input.
#[derive(Debug, Clone)]
pub enum Row {
    Pair(u16, u16),
    Vector(Vec<f32>),
}

/// One replica's weights with their names and sizes.
pub struct Net<'a> {
    pub model: &'a ModelConfig,
    pub shape: Shape,
    specs: &'a [ParameterSpec],
    values: &'a [Vec<f64>],
}

impl Net<'_> {
    /// x·w + b; b may be missing.
    fn layer(&self, x: &[f64], matrix: &str, bias: &str) -> Vec<f64> {
        let mut y = self.product(x, matrix);
        if let Some(at) = self.specs.iter().position(|spec| spec.name == bias) {
            y.iter_mut().zip(&self.values[at]).for_each(|(y, b)| *y += b);
        }
        y
    }

    fn product(&self, x: &[f64], matrix: &str) -> Vec<f64> {
        let (spec, w) = self.tensor(matrix);
        assert_eq!(x.len(), spec.rows, "{matrix}");
        (0..spec.columns).map(|column| x.iter().enumerate().map(|(row, x)| x * w[row * spec.columns + column]).sum()).collect()
    }

    fn tensor(&self, name: &str) -> (&ParameterSpec, &[f64]) {
        let at = self.specs.iter().position(|spec| spec.name == name).unwrap_or_else(|| panic!("no tensor {name}"));
        (&self.specs[at], &self.values[at])
    }

    fn table_row(&self, name: &str, row: u16) -> Vec<f64> {
        let (spec, values) = self.tensor(name);
        values[usize::from(row) * spec.columns..][..spec.columns].to_vec()
    }

    fn activate(&self, x: Vec<f64>) -> Vec<f64> {
        let f = |x: f64| match self.model.settings.text("activation") {
            "relu" => x.max(0.0),
            "gelu" => 0.5 * x * (1.0 + libm::erf(x / 2f64.sqrt())),
            "tanh" => x.tanh(),
            "quadratic" => x * x,
            other => panic!("no activation {other}"),
        };
        x.into_iter().map(f).collect()
    }

    /// The hidden layers after the first sum, with every other neuron of the last one dropped if asked.
    fn stack(&self, first: Vec<f64>, drop: bool) -> Vec<f64> {
        let mut h = self.activate(first);
        for number in 1..self.model.settings.integer("depth").max(1) {
            h = self.activate(self.layer(&h, &format!("w_{number}"), &format!("b_{number}")));
        }
        dropped(h, drop)
    }

    fn encoded(&self, row: &Row) -> Vec<f64> {
        match row {
            Row::Vector(x) => x.iter().map(|x| f64::from(*x)).collect(),
            Row::Pair(a, b) => {
                let tokens = self.shape.tokens;
                let width = encoding::features_per_token(self.model, tokens);
                let code = |token: u16| -> Vec<f64> {
                    match codes::table(self.model, tokens) {
                        Some(table) => table[usize::from(token) * width..][..width].iter().map(|x| f64::from(*x)).collect(),
                        None => (0..tokens).map(|i| if i == usize::from(token) { 1.0 } else { 0.0 }).collect(),
                    }
                };
                [code(*a), code(*b)].concat()
            }
        }
    }

    /// The outputs of one row.
    pub fn outputs(&self, row: &Row, drop: bool) -> Vec<f64> {
        let settings = &self.model.settings;
        let added = |x: Vec<f64>, y: Vec<f64>| -> Vec<f64> { x.iter().zip(&y).map(|(x, y)| x + y).collect() };
        match (self.model.architecture.as_str(), row) {
            ("mlp", _) => {
                let h = self.stack(self.layer(&self.encoded(row), "w_in", "b_in"), drop);
                self.layer(&h, "w_out", "b_out")
            }
            ("linear", _) => self.layer(&self.encoded(row), "w_in", "b_out"),
            ("diagonal", Row::Vector(x)) => {
                let (u, v) = (self.tensor("u").1, self.tensor("v").1);
                vec![x.iter().zip(u.iter().zip(v)).map(|(x, (u, v))| (u * u - v * v) * f64::from(*x)).sum()]
            }
            ("committee", Row::Vector(_)) => {
                let h = self.product(&self.encoded(row), "w_in");
                let epsilon = settings.number("epsilon");
                let phi = dropped(h.iter().map(|h| h + epsilon * h * h / 2.0).collect(), drop);
                vec![phi.iter().sum::<f64>() / phi.len() as f64]
            }
            ("encoder_decoder", Row::Pair(a, b)) => {
                let sum = added(self.table_row("embed", *a), self.table_row("embed", *b));
                let first = self.activate(self.layer(&sum, "w_in", "b_in"));
                let second = dropped(self.activate(self.layer(&first, "w_1", "b_1")), drop);
                self.layer(&second, "w_out", "b_out")
            }
            ("embedding_mlp", Row::Pair(a, b)) => {
                let table_of_b = if settings.text("embedding") == "separate" { "embed_b" } else { "embed" };
                let (e_a, e_b) = (self.table_row("embed", *a), self.table_row(table_of_b, *b));
                let x = if settings.text("combine") == "sum" { added(e_a, e_b) } else { [e_a, e_b].concat() };
                let h = self.stack(self.layer(&x, "w_in", "b_in"), drop);
                if settings.text("embedding") == "tied" {
                    let back = self.layer(&h, "w_out", "b_out");
                    (0..self.shape.tokens)
                        .map(|c| self.table_row("embed", c as u16).iter().zip(&back).map(|(e, y)| e * y).sum())
                        .collect()
                } else {
                    self.product(&h, "unembed")
                }
            }
            (name, row) => panic!("{name} does not read {row:?}"),
        }
    }
}

/// Every other neuron silent, the others doubled.
fn dropped(h: Vec<f64>, drop: bool) -> Vec<f64> {
    let mask = |i: usize| if !drop { 1.0 } else { 2.0 * (i % 2) as f64 };
    h.into_iter().enumerate().map(|(i, h)| h * mask(i)).collect()
}

/// A network with two replicas' weights and rows.
pub struct Instance {
    pub model: ModelConfig,
    pub shape: Shape,
    pub specs: Vec<ParameterSpec>,
    pub network: Box<dyn Network>,
    /// `[replica][parameter]`.
    values: Vec<Vec<Vec<f32>>>,
    /// `[replica][row]`.
    rows: Vec<Vec<Row>>,
    /// Weights of the outputs in the scalar whose gradient is compared: `[replica][row][output]`.
    mix: Vec<Vec<Vec<f32>>>,
    device: Device,
}

const REPLICAS: usize = 2;
const ROWS: usize = 4;

impl Instance {
    pub fn new(model: ModelConfig, shape: Shape) -> Self {
        let device = Device::flex().autodiff();
        let architecture = kind(&model.architecture);
        let specs = (architecture.specs)(&model, shape);
        let normals = |replica: usize, index: usize, count: usize, std: f64| {
            Stream::new(replica as u64, Purpose::Planted, index as u64).normals(count, std)
        };
        let values =
            (0..REPLICAS).map(|r| specs.iter().enumerate().map(|(i, spec)| normals(r, i, spec.count(), 0.6)).collect()).collect();
        let rows = (0..REPLICAS)
            .map(|r| {
                let row = |i: usize| {
                    if shape.tokens > 0 {
                        Row::Pair(((3 * i + r) % shape.tokens) as u16, ((i + 2 * r) % shape.tokens) as u16)
                    } else {
                        Row::Vector(normals(r, 100 + i, shape.width, 1.0))
                    }
                };
                (0..ROWS).map(row).collect()
            })
            .collect();
        let mix = (0..REPLICAS).map(|r| (0..ROWS).map(|i| normals(r, 200 + i, shape.outputs, 1.0)).collect()).collect();
        let network = (architecture.network)(&model, shape, 0, &device);
        Self { model, shape, specs, network, values, rows, mix, device }
    }

    pub fn parameters(&self) -> Vec<Tensor<3>> {
        let one = |(i, spec): (usize, &ParameterSpec)| {
            let all: Vec<f32> = self.values.iter().flat_map(|set| set[i].clone()).collect();
            Tensor::from_data(TensorData::new(all, [REPLICAS, spec.rows, spec.columns]), &self.device).require_grad()
        };
        self.specs.iter().enumerate().map(one).collect()
    }

    pub fn inputs(&self, gather: bool) -> Inputs {
        let pairs = |list: &Vec<Row>| -> Vec<(u16, u16)> {
            list.iter().filter_map(|row| if let Row::Pair(a, b) = row { Some((*a, *b)) } else { None }).collect()
        };
        let vectors = |list: &Vec<Row>| -> Vec<f32> {
            list.iter().flat_map(|row| if let Row::Vector(x) = row { x.clone() } else { Vec::new() }).collect()
        };
        if self.shape.tokens > 0 {
            Inputs::of_pairs(&self.rows.iter().map(pairs).collect::<Vec<_>>(), self.shape.tokens, gather, &self.device)
        } else {
            Inputs::of_vectors(&self.rows.iter().map(vectors).collect::<Vec<_>>(), self.shape.width, &self.device)
        }
    }

    fn mask(&self, width: usize) -> Tensor<3> {
        let mask = (0..REPLICAS * ROWS * width).map(|at| 2.0 * ((at % width) % 2) as f32).collect();
        Tensor::from_data(TensorData::new(mask, [REPLICAS, ROWS, width]), &self.device)
    }

    /// Σ mix·outputs of one replica in f64, and the outputs.
    fn scalar(&self, replica: usize, values: &[Vec<f64>], drop: bool) -> (f64, Vec<f64>) {
        let net = Net { model: &self.model, shape: self.shape, specs: &self.specs, values };
        let outputs: Vec<f64> = self.rows[replica].iter().flat_map(|row| net.outputs(row, drop)).collect();
        let mix = self.mix[replica].iter().flatten().map(|m| f64::from(*m));
        (mix.zip(&outputs).map(|(m, y)| m * y).sum(), outputs)
    }

    /// Asserts that outputs and the gradient of Σ mix·outputs are those of the loops, by both kinds of look-up.
    pub fn agrees(&self, drop: Option<usize>) {
        for gather in [true, false] {
            let parameters = self.parameters();
            let mask = drop.map(|width| self.mask(width));
            let mut activations = Activations::default();
            let outputs = self.network.forward(&parameters, &self.inputs(gather), mask.as_ref(), &mut activations);
            assert_eq!(outputs.dims(), [REPLICAS, ROWS, self.shape.outputs]);
            let mix: Vec<f32> = self.mix.iter().flatten().flatten().copied().collect();
            let mix = Tensor::from_data(TensorData::new(mix, outputs.dims()), &self.device);
            let mut tape = (outputs.clone() * mix).sum().backward();
            let gradients: Vec<Vec<f64>> = parameters
                .iter()
                .map(|p| numbers(p.grad_remove(&mut tape).unwrap_or_else(|| p.clone().inner().zeros_like())))
                .collect();
            let outputs = numbers(outputs.inner());
            for replica in 0..REPLICAS {
                let mut exact: Vec<Vec<f64>> =
                    self.values[replica].iter().map(|set| set.iter().map(|v| f64::from(*v)).collect()).collect();
                let (_, expected) = self.scalar(replica, &exact, drop.is_some());
                let each = outputs.len() / REPLICAS;
                close("outputs", &outputs[replica * each..][..each], &expected);
                for (i, spec) in self.specs.iter().enumerate() {
                    let h = 1e-5;
                    let mut slopes = Vec::new();
                    for at in 0..spec.count() {
                        let middle = exact[i][at];
                        exact[i][at] = middle + h;
                        let above = self.scalar(replica, &exact, drop.is_some()).0;
                        exact[i][at] = middle - h;
                        let below = self.scalar(replica, &exact, drop.is_some()).0;
                        exact[i][at] = middle;
                        slopes.push((above - below) / (2.0 * h));
                    }
                    close(&spec.name, &gradients[i][replica * spec.count()..][..spec.count()], &slopes);
                }
            }
        }
    }
}

fn close(what: &str, ours: &[f64], reference: &[f64]) {
    assert_eq!(ours.len(), reference.len(), "{what}");
    let scale = reference.iter().fold(1e-3f64, |m, v| m.max(v.abs()));
    for (a, b) in ours.iter().zip(reference) {
        assert!((a - b).abs() <= 2e-5 * scale, "{what}: {a} against {b} (scale {scale})");
    }
}

pub fn numbers(tensor: Tensor<3>) -> Vec<f64> {
    tensor.into_data().try_into_vec::<f32>().unwrap().into_iter().map(f64::from).collect()
}
